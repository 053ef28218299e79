//! What a condition can be: true, false, unknown, or not computable.

use serde::{Serialize, Serializer};
use std::fmt;

/// Why a condition has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A number left its range.
    Overflow,
    /// Something was divided by zero.
    DivisionByZero,
    /// A text does not say what a conversion asked of it.
    Malformed,
    /// The caller filled a slot with a value of another type: a programming error.
    TypeMismatch,
}

impl Fault {
    /// The word used in decisions and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::DivisionByZero => "division_by_zero",
            Self::Malformed => "malformed",
            Self::TypeMismatch => "type_mismatch",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a condition evaluates to. Among operands that do not decide `&&` or `||`, the greatest is
/// the result: what is missing outweighs what cannot be computed, because it might have decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Definitely false.
    False,
    /// Definitely true: only this makes a rule fire.
    True,
    /// It could not be computed.
    Fault(Fault),
    /// Something needed was missing.
    Unknown,
}

impl Truth {
    /// The word used in explanations: `true`, `false`, `unknown` or the fault's own.
    pub fn name(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::True => "true",
            Self::Fault(fault) => fault.name(),
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Truth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Why an operand has no value. An unknown outweighs a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    Fault(Fault),
    Unknown,
}

/// A value, or why there is none.
pub(crate) type Answer<T> = Result<T, Stop>;

impl From<Answer<bool>> for Truth {
    fn from(answer: Answer<bool>) -> Self {
        match answer {
            Ok(value) => value.into(),
            Err(Stop::Unknown) => Self::Unknown,
            Err(Stop::Fault(fault)) => Self::Fault(fault),
        }
    }
}

impl From<Truth> for Answer<bool> {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Ok(true),
            Truth::False => Ok(false),
            Truth::Unknown => Err(Stop::Unknown),
            Truth::Fault(fault) => Err(Stop::Fault(fault)),
        }
    }
}
