//! Icons: strokes on a grid of 16, each a path.

use maud::{Markup, html};

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Icon(&'static str);

macro_rules! icons {
    ($($name:ident = $path:literal;)*) => {
        impl Icon {
            $(pub(crate) const $name: Self = Self($path);)*
            /// Every icon with its name.
            pub(crate) const ALL: &[(&str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

icons! {
    OVERVIEW = "M2.5 13.5h11M4 11V7.5M8 11V3.5M12 11V5.5";
    DECISIONS = "M2.5 4h11M2.5 8h11M2.5 12h7";
    APPROVALS = "M2.5 8.5 6 12l7.5-8";
    ALERTS = "M8 2.5 14 13H2zM8 6.5v3M8 11.2v.3";
    CASES = "M2.5 5.500h11v8h-11zM6 5.500V3.500h4v2M2.5 9h11";
    QUEUE = "M2.5 3h11v3h-11zM2.5 7.500h11M2.5 10.500h11M2.5 13.500h7";
    LISTS = "M6 4h7.5M6 8h7.5M6 12h7.5M2.8 4h.4M2.8 8h.4M2.8 12h.4";
    RULES = "M3 3.5h4v3H3zM9 9.5h4v3H9zM5 6.5V11h4";
    LIBRARY = "M3 3h3.5v10H3zM8 3h2.5v10H8zM12 3.5l1.5 9.5";
    TRAIL = "M3 4.5h3v3H3zM10 4.5h3v3h-3zM6.5 10.5h3v3h-3zM4.5 7.5 8 10.5l3.5-3";
    KEYS = "M9.8 6.2a3 3 0 1 0-2.4 2.4l1 1H10v1.6h1.6V13H14v-2.2z";
    REVIEW = "M5.500 3H3.500v10.500h9V3h-2M5.500 2h5v2.500h-5zM5.500 9l2 2 3.500-4";
    STAFF = "M6 7.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM2 13c.3-2.3 1.8-3.5 4-3.500s3.7 1.2 4 3.500M10.5 3.400a2.2 2.2 0 0 1 0 4M11.8 9.800c1.3.5 2 1.6 2.2 3.2";
    SUBJECTS = "M3 2.5h10v11H3zM8 8a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5.5 11.500c.3-1.4 1.2-2 2.5-2s2.2.6 2.5 2";
    SYSTEM = "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.3M5 11h.3";
    SCREENING = "M2.5 3h8M2.5 6.500h4M2.5 10h3.500M10 12.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12.2 11.700l1.8 1.800";
    RATINGS = "M3 12.500a5 5 0 1 1 10 0M8 12.500l2.500-4M5 12.500h6";
    MODELS = "M8 2.5v3M8 5.500 4 8.500M8 5.500l4 3M4 8.500v3M12 8.500v3M2.5 11.500h3v2h-3zM10.5 11.500h3v2h-3z";
    WEBHOOKS = "M3 8h7M7 4.500 10.5 8 7 11.500M13 3.500v9";
    LIVE = "M2.5 8h2.500L7 3.500l2.500 9L11.500 8h2";
    SEARCH = "M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14";
    YES = "M3 8.5 6.5 12 13 4.5";
    WARNING = "M8 3v6.500M8 12.300v.4";
    QUESTION = "M5.5 6a2.5 2.5 0 1 1 3.6 2.200c-.7.4-1.1.8-1.1 1.600M8 12.300v.3";
    PAUSE = "M5.5 3.500v9M10.5 3.500v9";
    EYE = "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 9.800a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.600z";
    NO = "M4 4l8 8M12 4l-8 8";
    OUT = "M6.5 3H3v10h3.500M9.5 5l3 3-3 3M12.5 8H6";
    PERSON = "M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3.5 13.500c.3-2.5 2-3.8 4.5-3.800s4.2 1.3 4.5 3.8";
    NEXT = "M6 3.5 10.5 8 6 12.5";
    BACK = "M10 3.5 5.5 8 10 12.5";
    SHIELD = "M8 2 13 4v4c0 3.2-2 5.2-5 6-3-.8-5-2.8-5-6V4z";
    DOT = "M8 8h.1";
    PEN = "M3 13l.7-3L10.500 3.200l2.300 2.300L6 12.300zM9 4.700l2.300 2.300";
}

impl Icon {
    /// The icon, which says nothing that the text beside it does not.
    pub(crate) fn draw(self) -> Markup {
        html! {
            svg.icon viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor"
                stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"
                aria-hidden="true" focusable="false" {
                path d=(self.0) {}
            }
        }
    }
}
