//! What the checker and the API say in English, in Chinese: one line for each of their sentences. What is
//! named in it stays as it is.

mod checker;
mod refusals;

use crate::{
    terms,
    visit::Visit,
    word::{Language, Word},
};
use maud::{Markup, html};
use serde_json::Value;

/// The most bytes of a sentence that is looked for; ours are shorter.
const BYTES_MAX: usize = 2_048;
/// How deep sentences are looked for within sentences.
const DEPTH_MAX: u8 = 5;

/// What somebody says.
pub(crate) struct Book {
    sentences: &'static [&'static [Word]],
    word: fn(&str) -> Option<Word>,
}

/// What the checker of rules says.
pub(crate) const CHECKER: Book = Book {
    sentences: &[checker::SENTENCES],
    word: |text| checker::KINDS.iter().find(|word| word.en == text).copied(),
};

/// What refusals say.
pub(crate) const REFUSALS: Book = Book {
    sentences: refusals::SENTENCES,
    word: terms::known,
};

const fn word(en: &'static str, zh: &'static str) -> Word {
    Word { en, zh }
}

impl Book {
    /// A sentence in a language; as it is where no line says it.
    pub(crate) fn said(&self, sentence: &str, language: Language) -> String {
        let found = self.translated(sentence, language);
        found.unwrap_or_else(|| sentence.to_owned())
    }

    /// A sentence in a language that is not that of those who say it; nothing where no line says it.
    pub(crate) fn translated(&self, sentence: &str, language: Language) -> Option<String> {
        (language != Language::En).then(|| self.find(sentence, language, DEPTH_MAX))?
    }

    fn find(&self, sentence: &str, language: Language, depth: u8) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let mut lines = self.sentences.iter().copied().flatten();
        (sentence.len() <= BYTES_MAX).then(|| {
            lines.find_map(|line| {
                let values = values(line.en, sentence)?;
                self.filled(*line, &values, language, depth)
            })
        })?
    }

    /// The line with its values: those within quotes are names and stay, of others those that are said
    /// here are put into the language, too. A line without a word of its own has one that is.
    fn filled(&self, line: Word, values: &[&str], language: Language, depth: u8) -> Option<String> {
        let mut parts = line.of(language).split("{}");
        let mut text = parts.next()?.to_owned();
        let mut is_said = line.en.contains(char::is_alphabetic);
        for (part, value) in parts.zip(values) {
            let is_name = text.ends_with(['`', '“']);
            let known = (!is_name)
                .then(|| self.value(value, language, depth))
                .flatten();
            is_said |= known.is_some();
            text.push_str(known.as_deref().unwrap_or(value));
            text.push_str(part);
        }
        is_said.then_some(text)
    }

    fn value(&self, value: &str, language: Language, depth: u8) -> Option<String> {
        match (self.word)(value) {
            Some(word) => Some(word.of(language).to_owned()),
            None => self.find(value, language, depth),
        }
    }
}

/// The values in the places of `{}`, if the sentence is made by the pattern.
fn values<'s>(pattern: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut parts = pattern.split("{}");
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let at = match parts.peek() {
            None => rest
                .len()
                .checked_sub(part.len())
                .filter(|_| rest.ends_with(part))?,
            Some(_) => rest.find(part)?,
        };
        let (value, after) = rest.split_at_checked(at)?;
        values.push(value);
        rest = after.strip_prefix(part)?;
    }
    rest.is_empty().then_some(values)
}

/// What exactly was wrong, in the language of whoever looks where it can be said; in English where not.
pub(crate) fn detail(english: &str, v: &Visit) -> Markup {
    let (text, language) = exactly(english, v);
    html! { span lang=[language] { (text) } }
}

/// The same as a text, with its language where that is another one than that of the page.
pub(crate) fn exactly(english: &str, v: &Visit) -> (String, Option<&'static str>) {
    let said = REFUSALS.translated(english, v.language());
    let is_foreign = v.language() != Language::En && said.is_none();
    let language = is_foreign.then(|| Language::En.tag());
    (said.unwrap_or_else(|| english.to_owned()), language)
}

/// What the checker says, for the module: pairs of a pattern and what it is in Chinese; none on English
/// pages.
pub(crate) fn table(language: Language) -> Value {
    let pairs = |words: &[Word]| -> Value {
        let pair = |word: &Word| Value::from(vec![word.en, word.zh]);
        words.iter().map(pair).collect()
    };
    match language {
        Language::En => Value::Null,
        Language::Zh => serde_json::json!({
            "sentences": pairs(checker::SENTENCES),
            "kinds": pairs(checker::KINDS),
        }),
    }
}

#[cfg(test)]
mod tests;
