//! A refusal that keeps its stable code while it travels through a parser.

use std::fmt;

/// Why a value was refused. `code` is stable and documented; `detail` is for people.
///
/// Its text form is `code: detail`, so that a refusal raised inside a `serde` implementation can
/// be told apart again at the edge by [`Invalid::parse`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// Stable, documented, `snake_case`.
    pub code: &'static str,
    /// One sentence for the reader, without the refused value if that could be personal.
    pub detail: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Invalid {
    /// A refusal with one of the [`CODES`].
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(CODES.contains(&code), "code {code} is not in the table");
        Self {
            code,
            detail: detail.into(),
        }
    }

    /// Recovers the refusal from the text of an error that wraps it.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, detail) = text.split_once(": ")?;
        let code = CODES.iter().find(|code| **code == head)?;
        Some(Self {
            code,
            detail: detail.to_owned(),
        })
    }
}

/// Every code that a value of this crate can be refused with.
pub const CODES: &[&str] = &[
    "amount_decimals",
    "amount_malformed",
    "amount_negative",
    "amount_overflow",
    "attribute_limit",
    "attribute_not_scalar",
    "card_index_malformed",
    "card_number_luhn",
    "card_number_malformed",
    "card_number_missing",
    "coordinate_out_of_range",
    "country_unknown",
    "currency_unknown",
    "expiry_malformed",
    "field_duplicate",
    "identifier_malformed",
    "ip_malformed",
    "text_too_long",
    "time_malformed",
    "time_out_of_range",
];
