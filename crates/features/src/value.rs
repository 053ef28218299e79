//! What a window yields.

/// The value of one window for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    /// How many: of `Count` and `Distinct`.
    Count(i64),
    /// Minor units of the base currency: of `Sum`, `Avg`, `Min` and `Max`.
    Money(i64),
    /// Microseconds, not negative: of `FirstSeen` and `SincePrevious`.
    Duration(i64),
    /// Not known. Never the same as zero.
    Missing,
}

impl Value {
    /// The number of a count, of minor units or of microseconds, if there is one.
    pub fn number(self) -> Option<i64> {
        match self {
            Self::Count(number) | Self::Money(number) | Self::Duration(number) => Some(number),
            Self::Missing => None,
        }
    }
}
