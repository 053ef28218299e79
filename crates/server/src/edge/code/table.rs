//! What becomes of the table of refusals: one variant for each row, and what is known of it.
//!
//! Each chapter is a macro that appends its rows and hands all of them to the next one named.

macro_rules! codes {
    (; $(
        $(#[doc = $doc:literal])*
        $variant:ident = $name:literal, $status:ident, $title:literal, $title_zh:literal;
    )*) => {
        /// Why a request was refused. The texts below are also the reference page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of the stations that raise them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word in the reply.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status it travels with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// A short title that does not vary between occurrences (RFC 9457).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The same in simplified Chinese, for pages.
            pub const fn title_zh(self) -> &'static str {
                match self { $(Self::$variant => $title_zh,)* }
            }

            /// What it means and what to do, for the reference page.
            pub const fn meaning(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($doc),*],)* }
            }

            /// The code with this name; codes of the subjects below come up as text.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }

            /// The `type` of the problem document (RFC 9457).
            pub fn uri(self) -> String {
                format!("urn:paywarden:error:{}", self.name())
            }
        }
    };
}

pub(super) use codes;
