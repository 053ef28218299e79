//! What people write in their own words, and the identifiers that callers choose: a reason is kept
//! for years, the number of a card or a person that somebody put into it is not.

use crate::edge::{Code, Problem};
use paywarden_domain::{Invalid, event::Text};
use paywarden_privacy::scan;
use serde::{Deserialize, Deserializer, de};

/// Reads a text and masks the numbers of cards and persons and the secrets in it, as the log does.
pub(crate) fn own_words<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: OwnWords + Deserialize<'de>,
{
    T::deserialize(deserializer)?
        .masked()
        .map_err(de::Error::custom)
}

/// Refuses an identifier that is the number of a card: it would be kept and shown as it is.
pub(crate) fn must_not_be_card(field: &str, identifier: &str) -> Result<(), Problem> {
    match scan::is_card_number(identifier) {
        true => Err(is_card_number(field)),
        false => Ok(()),
    }
}

/// The refusal of an identifier that is the number of a card.
pub(crate) fn is_card_number(field: &str) -> Problem {
    let detail = format!(
        "`{field}` is a card number, and identifiers are kept as they are: put a letter in front of it"
    );
    Problem::new(Code::IdentifierIsCardNumber, detail)
}

/// A text that somebody wrote.
pub(crate) trait OwnWords: Sized {
    /// The same without what must not be kept.
    fn masked(self) -> Result<Self, Invalid>;
}

impl OwnWords for String {
    fn masked(self) -> Result<Self, Invalid> {
        Ok(String::from_utf8_lossy(&scan::masked(self.as_bytes())).into_owned())
    }
}

impl OwnWords for Option<String> {
    fn masked(self) -> Result<Self, Invalid> {
        self.map(OwnWords::masked).transpose()
    }
}

impl OwnWords for Text {
    fn masked(self) -> Result<Self, Invalid> {
        Self::parse(&self.as_str().to_owned().masked()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(deserialize_with = "own_words")]
        reason: String,
        #[serde(default, deserialize_with = "own_words")]
        note: Option<String>,
        #[serde(default, deserialize_with = "own_words")]
        text: Text,
    }

    #[test]
    fn numbers_are_masked_and_words_stay() {
        let body: Body = serde_json::from_str(
            r#"{ "reason": "客户 called about card 4012 8888 8888 1881, case 4711",
                 "note": "id 11010519491231002X", "text": "4012888888881881" }"#,
        )
        .unwrap();
        assert!(body.reason.starts_with("客户 called about card 40128888"));
        assert!(body.reason.ends_with("1881, case 4711"), "{}", body.reason);
        for text in [&body.reason, &body.note.unwrap(), body.text.as_str()] {
            assert!(text.contains('•'), "{text}");
            assert!(!text.contains("8888 8888") && !text.contains("19491231"));
        }
        let plain: Body =
            serde_json::from_str(r#"{ "reason": "order 20260131 is fine" }"#).unwrap();
        assert_eq!(plain.reason, "order 20260131 is fine");
        assert_eq!(plain.note, None);
    }

    /// A mask takes more bytes than what it hides.
    #[test]
    fn a_text_that_no_longer_fits_is_refused_as_any_other() {
        let long = format!("{} 4012888888881881", "x".repeat(495));
        let body = serde_json::json!({ "reason": "r", "text": long }).to_string();
        let refused = serde_json::from_str::<Body>(&body).err().unwrap();
        assert!(refused.to_string().contains("512"), "{refused}");
    }
}
