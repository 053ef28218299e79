//! What is known of words: legal forms, titles, particles, generic words, numbers, family names.
//!
//! The data are in `words.txt` beside this file, one line per entry; this reads it once.

use super::{
    letters::Letters,
    token::{Family, Role, Token},
};
use crate::kind::Kind;
use std::{collections::HashMap, sync::LazyLock};

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::read(include_str!("words.txt")));

/// The tables, ready to be asked.
pub(super) struct Tables {
    /// Phrases by their first word, longest first.
    phrases: HashMap<&'static str, Vec<Phrase>>,
    look_alikes: HashMap<char, char>,
    han_forms: Vec<(Vec<char>, &'static str)>,
    compound_families: Vec<[char; 2]>,
    readings: HashMap<char, &'static str>,
}

/// Words that are known, and what they come to.
struct Phrase {
    words: Vec<&'static str>,
    becomes: &'static str,
    role: Role,
    reads: Reads,
}

/// For which names a phrase is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// All that are not said to be persons.
    Organisations,
    /// All that may be persons.
    Persons,
    Everything,
}

impl Tables {
    pub(super) fn get() -> &'static Self {
        &TABLES
    }

    /// Tokens of words, with phrases put together.
    pub(super) fn tokens(&self, words: &[Letters], kind: Kind) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(words.len());
        let mut at = 0;
        while at < words.len() {
            let phrase = self.phrase(&words[at..], kind, at == 0);
            if let Some(phrase) = phrase {
                tokens.push(Token::new(phrase.becomes, phrase.role, false));
                at += phrase.words.len();
                continue;
            }
            let word = &words[at];
            let number = word.text.bytes().any(|letter| letter.is_ascii_digit());
            let role = if number { Role::Number } else { Role::Name };
            tokens.push(Token::new(&word.text, role, word.unvowelled));
            at += 1;
        }
        only_what_names(&mut tokens);
        tokens
    }

    fn phrase(&self, words: &[Letters], kind: Kind, first: bool) -> Option<&Phrase> {
        let known = self.phrases.get(words[0].text.as_str())?;
        known.iter().find(|phrase| {
            // A short form that stands first is more often a word: Sa, As, Na, Ag.
            let short =
                phrase.becomes.len() <= 2 && matches!(phrase.role, Role::Form(_) | Role::Number);
            let reads = match phrase.reads {
                Reads::Everything => true,
                Reads::Persons => matches!(kind, Kind::Person | Kind::Unknown),
                Reads::Organisations if phrase.becomes.len() <= 2 => {
                    !matches!(kind, Kind::Person | Kind::Unknown)
                }
                Reads::Organisations => kind != Kind::Person,
            };
            let spelled = phrase.words.len() <= words.len()
                && phrase
                    .words
                    .iter()
                    .zip(words)
                    .all(|(word, letters)| *word == letters.text);
            reads
                && spelled
                && !(first && short && phrase.words.len() == 1 && phrase.words[0].len() <= 2)
        })
    }

    /// A legal form at the end or the beginning of a Han text, taken off.
    pub(super) fn han_form<'a>(&self, text: &'a [char]) -> (&'a [char], Option<&'static str>) {
        for (form, becomes) in &self.han_forms {
            if let Some(rest) = text.strip_suffix(form.as_slice()) {
                return (rest, Some(becomes));
            }
            if let Some(rest) = text.strip_prefix(form.as_slice()) {
                return (rest, Some(becomes));
            }
        }
        (text, None)
    }

    /// Characters of the family name at the beginning of a full name of two to four.
    pub(super) fn family_length(&self, name: &[char]) -> usize {
        let compound = self
            .compound_families
            .iter()
            .any(|family| name.starts_with(family));
        if compound && name.len() > 2 { 2 } else { 1 }
    }

    /// A family name in Latin letters: some are read otherwise than the same character elsewhere.
    pub(super) fn family_name(&self, family: &[char]) -> String {
        let read = |character: &char| {
            let reading = self.readings.get(character).filter(|_| family.len() == 1);
            reading
                .copied()
                .unwrap_or_else(|| any_ascii::any_ascii_char(*character))
        };
        family.iter().map(read).collect()
    }

    /// The Latin letter that a Cyrillic or Greek one is taken for.
    pub(super) fn look_alike(&self, character: char) -> Option<char> {
        self.look_alikes.get(&character).copied()
    }

    fn read(text: &'static str) -> Self {
        let mut tables = Self {
            phrases: HashMap::new(),
            look_alikes: HashMap::new(),
            han_forms: Vec::new(),
            compound_families: Vec::new(),
            readings: HashMap::new(),
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (what, entry) in lines.filter_map(|line| line.split_once(": ")) {
            tables.line(what, entry);
        }
        for known in tables.phrases.values_mut() {
            known.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
        }
        tables
    }

    fn line(&mut self, what: &str, entry: &'static str) {
        let (becomes, spellings) = entry.split_once(" = ").unwrap_or(("", entry));
        let spellings = spellings.split(", ");
        match what {
            "look-alike" => {
                let letter = becomes.chars().next();
                let pairs = spellings
                    .flat_map(str::chars)
                    .zip(letter.into_iter().cycle());
                self.look_alikes.extend(pairs);
            }
            "han form" => {
                self.han_forms
                    .extend(spellings.map(|form| (form.chars().collect(), becomes)));
            }
            "compound family" => {
                let pair = |name: &str| Some([name.chars().next()?, name.chars().nth(1)?]);
                self.compound_families.extend(spellings.filter_map(pair));
            }
            "family" => {
                let characters = spellings.flat_map(str::chars);
                self.readings
                    .extend(characters.map(|character| (character, becomes)));
            }
            _ => {
                for spelling in spellings {
                    self.add(
                        what,
                        if becomes.is_empty() {
                            spelling
                        } else {
                            becomes
                        },
                        spelling,
                    );
                }
            }
        }
    }

    fn add(&mut self, what: &str, becomes: &'static str, spelling: &'static str) {
        let Some((role, reads)) = meaning(what) else {
            return;
        };
        let words: Vec<&str> = spelling.split(' ').collect();
        self.phrases.entry(words[0]).or_default().push(Phrase {
            words,
            becomes,
            role,
            reads,
        });
    }
}

fn meaning(what: &str) -> Option<(Role, Reads)> {
    Some(match what {
        "shares" => (Role::Form(Family::Shares), Reads::Organisations),
        "limited" => (Role::Form(Family::Limited), Reads::Organisations),
        "partnership" => (Role::Form(Family::Partnership), Reads::Organisations),
        "non-profit" => (Role::Form(Family::NonProfit), Reads::Organisations),
        "any" => (Role::Form(Family::Any), Reads::Organisations),
        "generic" => (Role::Generic, Reads::Organisations),
        "vessel" => (Role::Title, Reads::Organisations),
        "title" => (Role::Title, Reads::Persons),
        "particle" => (Role::Particle, Reads::Everything),
        "number" => (Role::Number, Reads::Organisations),
        "word" => (Role::Name, Reads::Organisations),
        _ => return None,
    })
}

/// Where nothing is left but forms, titles and particles, they are the name.
fn only_what_names(tokens: &mut [Token]) {
    let names = |role: Role| matches!(role, Role::Name | Role::Generic | Role::Number);
    if tokens.iter().any(|token| names(token.role)) {
        return;
    }
    for token in tokens {
        token.role = Role::Name;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_means_something() {
        for line in include_str!("words.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (what, _) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            let other = ["look-alike", "han form", "compound family", "family"];
            assert!(meaning(what).is_some() || other.contains(&what), "{line}");
        }
    }
}
