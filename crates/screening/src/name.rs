//! A name as it is compared: small ASCII tokens with their roles, whatever script it came in.

mod letters;
mod tables;
mod token;

pub use token::{Family, Role, Token};

use crate::kind::Kind;
use tables::Tables;

/// Longest name that is looked at, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Most tokens of a name; later ones do not count.
pub const TOKENS_MAX: usize = 24;

/// A folded name.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    tokens: Vec<Token>,
}

/// Why a name cannot be screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("name is longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// No letter and no digit is left when marks, signs and invisible characters are taken away.
    #[error("name has no letters")]
    Empty,
}

impl Name {
    /// Folds a name: NFKC, invisible characters out, look-alikes of other scripts inside a word
    /// back, transliterated, small letters, cut into tokens; legal forms, titles and numbers
    /// recognised as what they are for such a kind.
    pub fn new(text: &str, kind: Kind) -> Result<Self, NameRefused> {
        if text.len() > NAME_BYTES_MAX {
            return Err(NameRefused::TooLong);
        }
        let words = letters::words(text, kind);
        let mut tokens = Tables::get().tokens(&words, kind);
        tokens.truncate(TOKENS_MAX);
        match tokens.is_empty() {
            true => Err(NameRefused::Empty),
            false => Ok(Self { tokens }),
        }
    }

    /// Its tokens, in the order written.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The tokens with a blank between them, as evidence shows them.
    pub fn folded(&self) -> String {
        let tokens: Vec<&str> = self
            .tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        tokens.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str, kind: Kind) -> String {
        Name::new(text, kind).unwrap().folded()
    }

    #[test]
    fn scripts_come_to_the_same_letters() {
        for (text, expected) in [
            ("Recep Tayyip Erdoğan", "recep tayyip erdogan"),
            ("Сергей Лавров", "sergey lavrov"),
            ("Κυριάκος Μητσοτάκης", "kyriakos mitsotakis"),
            ("毛泽东", "mao zedong"),
            ("欧阳修", "ouyang xiu"),
            ("曾国藩", "zeng guofan"),
            ("이재명", "lee jaemyeong"),
            ("القذافي", "al qdhfy"),
            ("Kim Jong-un", "kim jong un"),
            ("SergeiLavrov", "sergei lavrov"),
            ("Mu'min O’Neill", "mumin oneill"),
        ] {
            assert_eq!(folded(text, Kind::Person), expected, "{text}");
        }
    }

    #[test]
    fn forms_titles_and_numbers_have_one_spelling() {
        for (text, expected) in [
            ("Siemens Aktiengesellschaft", "siemens ag"),
            (
                "Volkswagen Gesellschaft mit beschränkter Haftung",
                "volkswagen gmbh",
            ),
            ("J.P. Morgan & Co.", "jp morgan and co"),
            (
                "Bowne Global Solutions, S.A.R.L.",
                "bowne global solutions sarl",
            ),
            ("First Bank Int’l", "1 bank international"),
            ("ООО \"Ромашка\"", "llc romashka"),
            ("华为技术有限公司", "hua wei ji shu ltd"),
            ("Capital Trust VIII", "capital trust 8"),
        ] {
            assert_eq!(folded(text, Kind::Organisation), expected, "{text}");
        }
        let title = Name::new("Dr. Rami Makhlouf", Kind::Person).unwrap();
        assert_eq!(title.tokens()[0].role, Role::Title);
    }

    #[test]
    fn tricks_do_not_hide_a_name() {
        for trick in [
            "Vla\u{200B}dimir Pu\u{00AD}tin",
            "\u{202E}Vladimir\u{202C} Putin",
            "Vl\u{0430}dimir Put\u{0456}n",
            "Ｖｌａｄｉｍｉｒ Putin",
            "V\u{0336}l\u{0336}adimir Putin",
        ] {
            assert_eq!(folded(trick, Kind::Person), "vladimir putin", "{trick:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let refused = |text: &str| Name::new(text, Kind::Unknown).unwrap_err();
        assert_eq!(refused(&"a".repeat(1 << 20)), NameRefused::TooLong);
        assert_eq!(refused(""), NameRefused::Empty);
        assert_eq!(refused("\u{200B}\u{202E} -.,"), NameRefused::Empty);
    }
}
