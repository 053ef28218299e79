//! Words: every text of the pages, in both languages at once.
//!
//! *Invariant*: a text exists in both languages or does not compile. Each page holds its own words;
//! the table of pages joins them, and a test reads them all.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

/// A text in both languages. `{}` stands for what is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The tag of BCP 47.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The word used in cookies and forms.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The language that a browser asks for first, of those that there are.
    pub(crate) fn accepted(header: &str) -> Self {
        let mut wanted: Vec<(u32, Self)> = header.split(',').filter_map(weighed).collect();
        // Stable: of two that weigh the same the one that was named first.
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        wanted.first().map_or(Self::En, |(_, language)| *language)
    }
}

fn weighed(range: &str) -> Option<(u32, Language)> {
    let mut parts = range.trim().split(';');
    let primary = parts.next()?.split('-').next()?;
    let language = Language::parse(&primary.to_ascii_lowercase())?;
    let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
    let weight = weight.unwrap_or(1.0).clamp(0.0, 1.0);
    (weight > 0.0).then_some(((weight * 1000.0) as u32, language))
}

impl Word {
    /// The text.
    pub(crate) fn of(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }

    /// The text with values in the places of `{}`, in their order.
    pub(crate) fn with(self, language: Language, values: &[&str]) -> String {
        let mut parts = self.of(language).split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values.iter().chain(std::iter::repeat(&""))) {
            text.push_str(value);
            text.push_str(part);
        }
        text
    }
}

/// Every word of every page, those of the parts first.
pub(crate) fn all() -> impl Iterator<Item = Word> {
    let shared = [
        crate::terms::WORDS,
        crate::layout::WORDS,
        crate::parts::WORDS,
        crate::desk::WORDS,
        crate::refused::WORDS,
        crate::chart::web::WORDS,
    ];
    let shared = shared.into_iter().chain(crate::pages::SHARED_WORDS);
    let named = crate::names::NAMES.iter().map(|(_, word)| *word);
    let scenarios = crate::risks::SCENARIOS.iter().map(|(_, word)| *word);
    let reasons = crate::risks::REASONS
        .iter()
        .chain(crate::risks::ACTS)
        .copied();
    let pages = crate::pages::PAGES.iter().map(|page| page.words);
    let written = shared.chain(pages).flatten().copied();
    written.chain(named).chain(scenarios).chain(reasons)
}

/// Declares the words of a file, one line each, and all of them together as `WORDS`.
macro_rules! words {
    ($($name:ident = $en:literal, $zh:literal;)*) => {
        $(pub(crate) const $name: $crate::word::Word = $crate::word::Word { en: $en, zh: $zh };)*
        pub(crate) const WORDS: &[$crate::word::Word] = &[$($name),*];
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn is_chinese(text: &str) -> bool {
        text.chars()
            .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
    }

    /// What is written the same everywhere.
    const NAMES: &[&str] = &[
        "Paywarden",
        "p50",
        "p99",
        "JSON",
        "SHA-256",
        "ID",
        "BIN",
        "UTC",
    ];

    #[test]
    fn every_text_is_there_in_both_languages_with_the_same_places() {
        let mut known: HashMap<&str, &str> = HashMap::new();
        for word in all() {
            assert!(
                !word.en.trim().is_empty() && !is_chinese(word.en),
                "{word:?}"
            );
            assert!(is_chinese(word.zh) || NAMES.contains(&word.zh), "{word:?}");
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(word.en), places(word.zh), "{word:?}");
            let other = known.insert(word.en, word.zh);
            assert!(
                other.is_none_or(|other| other == word.zh),
                "{word:?} {other:?}"
            );
        }
        assert!(known.len() > 100);
    }

    #[test]
    fn values_go_where_they_belong() {
        let word = Word {
            en: "{} of {}",
            zh: "共 {}，第 {}",
        };
        assert_eq!(word.with(Language::En, &["2", "9"]), "2 of 9");
        assert_eq!(word.with(Language::En, &["2"]), "2 of ");
    }

    #[test]
    fn the_language_is_the_one_asked_for_first() {
        for (header, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("fr, en;q=0.5, zh;q=0.7", Language::Zh),
            ("en-GB, zh", Language::En),
            ("zh;q=0, en;q=0.1", Language::En),
            ("ZH-hant", Language::Zh),
            ("", Language::En),
            (";;,q=x", Language::En),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
