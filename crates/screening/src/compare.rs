//! Two names compared: tokens joined where one side wrote a blank more, aligned one to one, measured.

mod align;
mod desk;
mod join;
mod measure;
mod near;

pub use desk::Pair;
pub use measure::{MEASURES, Measure, Measured, plain};

use crate::{
    edit::Pattern,
    kind::Kind,
    name::{Name, Token},
};
use desk::Desk;
pub(crate) use near::nearness;
use std::borrow::Cow;

/// A token and how much it counts, above 0: what it is times how rare it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The token.
    pub token: Token,
    /// How much it counts.
    pub weight: f32,
}

/// A name prepared for being compared with many.
#[derive(Debug, Clone)]
pub struct Prepared {
    parts: Vec<Part>,
    kind: Kind,
}

/// A token with what comparing it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) token: Token,
    pub(crate) weight: f32,
    letters: Pattern,
    sounds: Pattern,
}

impl Part {
    fn new(token: Token, weight: f32) -> Self {
        Self {
            token,
            weight,
            letters: Pattern::new(token.text.text()),
            sounds: Pattern::new(token.sound.text()),
        }
    }
}

impl Prepared {
    /// A name of which tokens count as the caller says.
    pub fn new(name: &Name, kind: Kind, weight: impl Fn(&Token) -> f32) -> Self {
        let part = |token: &Token| Part::new(*token, weight(token));
        Self {
            parts: name.tokens().iter().map(part).collect(),
            kind,
        }
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What bears the name.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Measures this name beside a listed one.
    pub fn measure(&self, listed: &[Weighted], kind: Kind) -> Measured {
        let (asked, listed) = self.lay(listed);
        Desk::new(&asked, &listed).measures(self.kind, kind)
    }

    /// The same, and the tokens side by side.
    pub fn compare(&self, listed: &[Weighted], kind: Kind) -> (Measured, Vec<Pair>) {
        let (asked, listed) = self.lay(listed);
        let desk = Desk::new(&asked, &listed);
        (desk.measures(self.kind, kind), desk.pairs())
    }

    /// Joins neighbours on either side that are one token on the other.
    fn lay<'a>(&'a self, listed: &'a [Weighted]) -> (Cow<'a, [Part]>, Cow<'a, [Weighted]>) {
        (
            join::asked(&self.parts, listed),
            join::listed(listed, &self.parts),
        )
    }
}
