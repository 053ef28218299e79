//! How pages look to somebody: language, theme, keys. Kept in one cookie, which says nothing else.

use crate::word::Language;
use http::HeaderValue;

/// The cookie; browsers take it from no other host.
pub(crate) const COOKIE: &str = "__Host-paywarden-look";
const LIFE_S: u32 = 365 * 24 * 3600;

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the machine says.
    Auto,
    Light,
    Dark,
    /// Black, white and one colour.
    Contrast,
}

impl Theme {
    pub(crate) const ALL: [Self; 4] = [Self::Auto, Self::Light, Self::Dark, Self::Contrast];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How pages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    /// Whether single letters are commands (WCAG 2.2, 2.1.4).
    pub(crate) keys: bool,
}

impl Look {
    /// What the cookie says; where it says nothing, what the browser asks for.
    pub(crate) fn of(cookie: Option<&str>, accepted: &str) -> Self {
        let mut parts = cookie.unwrap_or_default().split('.');
        let language = parts.next().and_then(Language::parse);
        let theme = parts.next().and_then(Theme::parse);
        Self {
            language: language.unwrap_or_else(|| Language::accepted(accepted)),
            theme: theme.unwrap_or(Theme::Auto),
            keys: parts.next() != Some("off"),
        }
    }

    /// The line that keeps it.
    pub(crate) fn cookie(self) -> Option<HeaderValue> {
        let keys = if self.keys { "on" } else { "off" };
        let (language, theme) = (self.language.name(), self.theme.name());
        let line = format!(
            "{COOKIE}={language}.{theme}.{keys}; Path=/; Secure; HttpOnly; SameSite=Lax; \
             Max-Age={LIFE_S}"
        );
        HeaderValue::from_str(&line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_comes_back_and_rubbish_is_nothing() {
        for language in Language::ALL {
            for theme in Theme::ALL {
                for keys in [true, false] {
                    let look = Look {
                        language,
                        theme,
                        keys,
                    };
                    let line = look.cookie().unwrap();
                    let value = line.to_str().unwrap().split([';', '=']).nth(1).unwrap();
                    assert_eq!(Look::of(Some(value), ""), look);
                }
            }
        }
        let usual = Look {
            language: Language::Zh,
            theme: Theme::Auto,
            keys: true,
        };
        for rubbish in [None, Some(""), Some("x.y.z"), Some("...."), Some("\u{7f}")] {
            assert_eq!(Look::of(rubbish, "zh"), usual);
        }
    }
}
