//! What is measured of two names side by side; a score is made of nothing else.

use super::{Part, Weighted, desk::Desk, near::Nearness};
use crate::{
    kind::Kind,
    name::{Name, Role},
};

/// One thing measured of two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How far the token is off that differs most, 0 to 1.
    Worst,
    /// Share of neighbours that stand in another order.
    Order,
    /// Legal forms of different families, 0 or 1.
    Form,
    /// Different numbers, 0 or 1.
    Number,
    /// No token of one side is nearly one of the other, 0 or 1.
    Alone,
    /// So few letters that one of them makes another name, 0 to 1.
    Short,
    /// The token that differs most sounds the same, 0 or 1.
    Sound,
    /// The token that differs most does so in two letters or more, 0 or 1.
    TwoLetters,
    /// In three letters or more, 0 or 1.
    ThreeLetters,
    /// Share of the longer name that the other lacks, of organisations only.
    OrganisationMore,
}

/// All measures in their order.
pub const MEASURES: [Measure; 10] = [
    Measure::Worst,
    Measure::Order,
    Measure::Form,
    Measure::Number,
    Measure::Alone,
    Measure::Short,
    Measure::Sound,
    Measure::TwoLetters,
    Measure::ThreeLetters,
    Measure::OrganisationMore,
];

/// Letters from which on a name is no longer short.
const SHORT_LETTERS: f32 = 8.0;

/// What was measured, in the order of [`MEASURES`], and how much of the names met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The measures.
    pub values: [f32; MEASURES.len()],
    /// Weight of tokens that met as a share of the heavier name, 0 to 1.
    pub covered: f32,
}

impl Desk<'_> {
    pub(super) fn measures(&self, kind: Kind, its_kind: Kind) -> Measured {
        let mut sums = Sums {
            worst: 1.0,
            ..Sums::default()
        };
        let mut met = 0u32;
        for (part, beside) in self.asked.iter().zip(&self.beside) {
            let proper = Self::proper(part.token.role);
            let weight = if proper { part.weight } else { 0.0 };
            sums.asked += weight;
            match beside.filter(|(column, near)| self.says(proper, *column, *near)) {
                None => sums.asked_alone += weight,
                Some((column, near)) => {
                    met |= 1 << column;
                    sums.pair(part, &self.listed[usize::from(column)], near, column);
                }
            }
        }
        let listed = self.listed.iter().enumerate();
        for (column, other) in listed.filter(|(_, other)| Self::proper(other.token.role)) {
            sums.listed += other.weight;
            if met & (1 << column) == 0 {
                sums.listed_alone += other.weight;
            }
        }
        sums.measured(kind, its_kind)
    }
}

#[derive(Default)]
struct Sums {
    /// Weight of the names proper, and of what has no token beside it.
    asked: f32,
    listed: f32,
    asked_alone: f32,
    listed_alone: f32,
    /// Weight of tokens side by side times how near they are.
    near: f32,
    /// The token that differs most.
    worst: f32,
    worst_sound: bool,
    worst_edits: u8,
    letters: usize,
    /// Whether a token of more than a letter is nearly the same.
    full: bool,
    out_of_order: u32,
    in_pairs: u32,
    last_column: u8,
    form_conflict: bool,
    number_conflict: bool,
}

impl Desk<'_> {
    /// Whether two tokens side by side say something: a name left beside a title or particle that
    /// is nothing like it has no partner, rather than a wrong one.
    fn says(&self, proper: bool, column: u8, near: Nearness) -> bool {
        let other = self.listed[usize::from(column)].token.role;
        near.near >= 0.5 || proper == Self::proper(other)
    }
}

impl Sums {
    fn pair(&mut self, part: &Part, other: &Weighted, near: Nearness, column: u8) {
        let (one, its) = (&part.token, &other.token);
        match (one.role, its.role) {
            (Role::Form(_), Role::Form(_)) => self.form_conflict |= near.near < 0.5,
            (Role::Number, Role::Number) => self.number_conflict |= near.near < 0.5,
            _ => {}
        }
        let weight = match (Desk::proper(one.role), Desk::proper(its.role)) {
            (true, true) => part.weight.min(other.weight),
            (true, false) => part.weight,
            (false, true) => other.weight,
            (false, false) => return,
        };
        let longest = one.text.len().max(its.text.len());
        self.near += weight * near.near;
        self.letters += longest;
        self.full |= near.near > 0.85 && one.text.len().min(its.text.len()) > 1;
        // A particle that differs is not what tells two names apart.
        if weight >= 0.4 && near.near < self.worst {
            self.worst = near.near;
            self.worst_sound = near.sound;
            self.worst_edits = near.edits;
        }
        if near.near > 0.5 {
            self.out_of_order += u32::from(self.in_pairs > 0 && column < self.last_column);
            self.in_pairs += 1;
            self.last_column = column;
        }
    }

    fn measured(&self, kind: Kind, its_kind: Kind) -> Measured {
        let flag = |is: bool| f32::from(u8::from(is));
        let larger = self.asked.max(self.listed).max(f32::EPSILON);
        let person = kind == Kind::Person || its_kind == Kind::Person;
        let more = self.asked_alone.max(self.listed_alone) / larger;
        let values = MEASURES.map(|measure| match measure {
            Measure::Worst => 1.0 - self.worst,
            Measure::Order => self.out_of_order as f32 / self.in_pairs.max(1) as f32,
            Measure::Form => flag(self.form_conflict),
            Measure::Number => flag(self.number_conflict),
            Measure::Alone => flag(!self.full),
            Measure::Short => (1.0 - self.letters as f32 / SHORT_LETTERS).max(0.0),
            Measure::Sound => flag(self.worst_sound && self.worst < 1.0),
            Measure::TwoLetters => flag(self.worst_edits >= 2),
            Measure::ThreeLetters => flag(self.worst_edits >= 3),
            Measure::OrganisationMore if person => 0.0,
            Measure::OrganisationMore => more.min(1.0),
        });
        Measured {
            values,
            covered: (self.near / larger).min(1.0),
        }
    }
}

/// The tokens of a name, each as much as what it is.
pub fn plain(name: &Name) -> Vec<Weighted> {
    let tokens = name.tokens().iter();
    let weighted = |token: &crate::name::Token| Weighted {
        token: *token,
        weight: token.weight(),
    };
    tokens.map(weighted).collect()
}
