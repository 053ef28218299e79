//! Literals: one question about one slot, the atoms that rules are made of once negation has been
//! pushed down to them.

use crate::{
    program::{ComputedReal, Condition, Real, Source, Text, Whole},
    slots::Slots,
    symbols::Symbols,
    truth::Answer,
};

/// A value that literals ask about, read or computed at most once per payment. Whatever is not a
/// comparison with a constant is a slot of its own, true or false.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Slot {
    Whole(Whole),
    Real(Real),
    /// A text as it stands in the payment.
    Text(Text),
    Truth(Condition),
}

/// What a literal asks of the integer in its slot. Sets are numbers of sorted lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Check {
    AtLeast(i64),
    AtMost(i64),
    Is(i64),
    IsNot(i64),
    Among(u32),
    NotAmong(u32),
}

/// A question that is unknown if its slot is missing, and a fault if its slot is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Literal {
    pub slot: u32,
    pub check: Check,
}

/// A condition without negation. It is true exactly if it is true with every literal that is not
/// definitely true taken for false.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Node {
    Literal(u32),
    /// All of none is true.
    All(Box<[Node]>),
    /// Any of none is false.
    Any(Box<[Node]>),
}

impl Slot {
    /// The value as an integer: itself, its place among the numbers, its symbol, or 0 and 1.
    #[inline]
    pub(crate) fn read(&self, slots: &Slots<'_>, symbols: &Symbols) -> Answer<i64> {
        match self {
            Self::Whole(whole) => whole.value(slots),
            Self::Real(real) => real.value(slots).map(crate::symbols::ordered),
            Self::Text(text) => Ok(symbols.of(&text.value(slots)?)),
            Self::Truth(Condition::Test(test)) => test.answer(slots).map(i64::from),
            Self::Truth(condition) => Answer::<bool>::from(condition.truth(slots)).map(i64::from),
        }
    }

    /// Whether it stands in the payment as it is; else it has to be computed, or sought among
    /// the caller's attributes.
    pub(crate) fn is_given(&self) -> bool {
        match self {
            Self::Whole(whole) => !matches!(whole, Whole::Computed(_)),
            Self::Real(Real::Computed(computed)) => {
                matches!(&**computed, ComputedReal::Whole(whole) if !matches!(whole, Whole::Computed(_)))
            }
            Self::Real(real) => matches!(real, Real::Field(_)),
            Self::Text(text) => matches!(text, Text::Field(_)),
            Self::Truth(Condition::Has(source)) => !matches!(source, Source::Attribute(..)),
            Self::Truth(condition) => {
                matches!(condition, Condition::Field(_) | Condition::Listed(_))
            }
        }
    }
}

impl Check {
    /// Whether a value passes.
    #[inline]
    pub(crate) fn holds(self, value: i64, sets: &[Box<[i64]>]) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Is(wanted) => value == wanted,
            Self::IsNot(refused) => value != refused,
            Self::Among(set) => is_among(value, set, sets),
            Self::NotAmong(set) => !is_among(value, set, sets),
        }
    }
}

/// Sets of few constants are the rule: up to so many are compared one by one.
const SCAN_MAX: usize = 8;

#[inline]
fn is_among(value: i64, set: u32, sets: &[Box<[i64]>]) -> bool {
    match sets.get(set as usize) {
        Some(set) if set.len() <= SCAN_MAX => set.contains(&value),
        Some(set) => set.binary_search(&value).is_ok(),
        None => false,
    }
}

impl Node {
    /// Calls `visit` for each literal.
    pub(crate) fn each_literal(&self, visit: &mut impl FnMut(u32)) {
        match self {
            Self::Literal(literal) => visit(*literal),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_literal(visit));
            }
        }
    }

    /// The parts of a conjunction; a lone node is a conjunction of itself.
    pub(crate) fn conjuncts(&self) -> &[Node] {
        match self {
            Self::All(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether it can never be true.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Self::Any(parts) if parts.is_empty())
    }
}
