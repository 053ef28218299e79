//! One token of a name: its letters, how they sound, and what part they play.

use crate::{sound::sound, word::Word};

/// A token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token {
    /// Small letters and digits; what is longer than 31 is cut.
    pub text: Word<31>,
    /// Its key of sounds.
    pub sound: Word<15>,
    /// What part it plays.
    pub role: Role,
    /// Whether its script leaves short vowels out, so that only sounds can be compared.
    pub unvowelled: bool,
}

/// What part a token plays in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Part of the name proper.
    Name,
    /// `al`, `bin`, `van`, `the`: part of it, but often left out.
    Particle,
    /// A word that many organisations bear.
    Generic,
    /// A form of address or an office.
    Title,
    /// A legal form, with the family that it belongs to.
    Form(Family),
    /// A number.
    Number,
}

/// Legal forms that are one thing in several countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Capital in shares.
    Shares,
    /// Liability limited to quotas.
    Limited,
    /// A partnership.
    Partnership,
    /// Foundations, associations, and what does not work for profit.
    NonProfit,
    /// Company, incorporated: says nothing about the form.
    Any,
}

impl Token {
    /// A token of these letters.
    pub fn new(letters: &str, role: Role, unvowelled: bool) -> Self {
        Self {
            text: Word::new(letters.as_bytes()),
            sound: sound(letters.as_bytes()),
            role,
            unvowelled,
        }
    }

    /// Two neighbours as one token.
    pub fn joined(&self, next: &Self) -> Self {
        let mut text = self.text;
        next.text
            .text()
            .iter()
            .for_each(|&letter| text.push(letter));
        Self {
            text,
            sound: sound(text.text()),
            role: Role::Name,
            unvowelled: self.unvowelled && next.unvowelled,
        }
    }

    /// How much of a name this token is, 0 to 1, before it is known how frequent it is.
    pub fn weight(&self) -> f32 {
        let long = match self.text.len() {
            0 | 1 => 0.5,
            2 => 0.75,
            3 => 0.9,
            _ => 1.0,
        };
        match self.role {
            Role::Name => long,
            Role::Generic => 0.6,
            Role::Number => 0.4,
            Role::Particle => 0.2,
            Role::Title => 0.12,
            Role::Form(_) => 0.12,
        }
    }
}
