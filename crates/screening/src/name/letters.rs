//! From characters to words of small ASCII letters.

use super::tables::Tables;
use crate::kind::Kind;
use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization;

/// A word as written, in small ASCII letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Letters {
    pub(super) text: String,
    pub(super) unvowelled: bool,
}

/// Cuts a text into words.
pub(super) fn words(text: &str, kind: Kind) -> Vec<Letters> {
    let mut words = Words {
        kind,
        ..Words::default()
    };
    if text.is_ascii() {
        text.chars().for_each(|character| words.take(character));
    } else {
        text.nfkc()
            .filter(|&c| !invisible(c))
            .for_each(|character| words.take(character));
    }
    words.end();
    words.done
}

/// The words so far, and the one that is being read.
#[derive(Default)]
struct Words {
    done: Vec<Letters>,
    /// Characters of the word being read.
    word: Vec<char>,
    kind: Kind,
}

impl Words {
    fn take(&mut self, character: char) {
        match character {
            // Dropped inside words: Qa'ida, O’Neill, Int’l.
            '\'' | '’' | '‘' | 'ʻ' | 'ʼ' | '`' | '´' | '"' if !self.word.is_empty() => {}
            // A.B.C. is one word, St. Petersburg two.
            '.' if self.initials() => self.word.push('.'),
            '&' => {
                self.end();
                self.push("and", false);
            }
            _ if character.is_alphanumeric() || mark(character) => {
                if self.breaks_before(character) {
                    self.end();
                }
                self.word.push(character);
            }
            _ => self.end(),
        }
    }

    /// Whether the word being read is single letters with full stops between them.
    fn initials(&self) -> bool {
        let letters = self.word.iter().filter(|&&c| c != '.').count();
        letters > 0 && letters == self.word.iter().filter(|&&c| c == '.').count() + 1
    }

    /// Another kind of script begins a word.
    fn breaks_before(&self, next: char) -> bool {
        let last = self.word.last().filter(|&&last| last != '.');
        last.is_some_and(|&last| syllabic(last) != syllabic(next))
    }

    fn end(&mut self) {
        let mut word = std::mem::take(&mut self.word);
        // "W. Frost": the stop ends the initial. "G.m.b" + "H" joins: it never got a stop.
        word.retain(|&character| character != '.');
        match word.first() {
            None => {}
            Some(&first) if syllabic(first) => self.syllables(&word),
            Some(_) => self.capitals(&word),
        }
        word.clear();
        self.word = word;
    }

    /// Han and Hangul write no blanks between names: the family name is parted from the given one.
    fn syllables(&mut self, word: &[char]) {
        let tables = Tables::get();
        let (word, form) = tables.han_form(word);
        let person =
            form.is_none() && self.kind != Kind::Organisation && (2..=4).contains(&word.len());
        if person {
            let family = tables.family_length(word);
            let name = tables.family_name(&word[..family]);
            self.push(&name, false);
            self.push(&romanised(&word[family..]), false);
        } else {
            for character in word {
                self.push(&romanised(&[*character]), false);
            }
        }
        if let Some(form) = form {
            self.push(form, false);
        }
    }

    /// A capital after small letters begins a word, unless it stands alone: `GmbH` is one.
    fn capitals(&mut self, mut word: &[char]) {
        let begins = |pair: &[char]| pair[0].is_lowercase() && pair[1].is_uppercase();
        while let Some(before) = word.windows(2).position(begins) {
            if before + 2 >= word.len() {
                break;
            }
            self.letters(&word[..=before]);
            word = &word[before + 1..];
        }
        self.letters(word);
    }

    fn letters(&mut self, word: &[char]) {
        let unvowelled = word.iter().any(|&character| abjad(character));
        let mixed = word.iter().any(char::is_ascii_alphabetic) && !word.iter().all(char::is_ascii);
        let mut word = word;
        if unvowelled && word.len() >= 5 && word.starts_with(&['ا', 'ل']) {
            self.push("al", false);
            word = &word[2..];
        }
        let look_alike = |c: char| Tables::get().look_alike(c).filter(|_| mixed);
        let mut text = String::with_capacity(word.len());
        for &character in word {
            match look_alike(character) {
                Some(letter) => text.push(letter),
                None => text.push_str(any_ascii_char(character)),
            }
        }
        self.push(&text, unvowelled);
    }

    fn push(&mut self, text: &str, unvowelled: bool) {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        let text: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        if !text.is_empty() {
            self.done.push(Letters { text, unvowelled });
        }
    }
}

fn romanised(characters: &[char]) -> String {
    characters.iter().map(|&c| any_ascii_char(c)).collect()
}

/// Characters that show nothing: joiners, direction marks, soft hyphens, tags, selectors.
fn invisible(character: char) -> bool {
    matches!(character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}' | '\u{0300}'..='\u{036F}')
}

/// Signs that belong to the letter before them.
fn mark(character: char) -> bool {
    unicode_normalization::char::is_combining_mark(character)
}

/// Scripts whose characters are syllables or words.
fn syllabic(character: char) -> bool {
    matches!(character,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' | '\u{AC00}'..='\u{D7AF}')
}

/// Arabic and Hebrew, with their presentation forms.
fn abjad(character: char) -> bool {
    matches!(character,
        '\u{0590}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}'
        | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}
