//! Small sets of closed words: which kinds, outcomes, labels or entities a filter lets through.

use paywarden_domain::{EventKind, LabelVerdict, Outcome};
use std::fmt;
use std::marker::PhantomData;

/// A word with a fixed place below 32, so that a set of such words is one number.
pub trait Member: Copy + 'static {
    /// Every word.
    const ALL: &'static [Self];

    /// Its place, 0 to 31.
    fn place(self) -> u8;
}

impl Member for EventKind {
    const ALL: &'static [Self] = Self::ALL;

    fn place(self) -> u8 {
        self as u8
    }
}

impl Member for Outcome {
    const ALL: &'static [Self] = &Self::ALL;

    fn place(self) -> u8 {
        self as u8
    }
}

/// The label known of an event, or `None` while nobody has said anything.
impl Member for Option<LabelVerdict> {
    const ALL: &'static [Self] = &[
        None,
        Some(LabelVerdict::Fraud),
        Some(LabelVerdict::Genuine),
        Some(LabelVerdict::Chargeback),
    ];

    fn place(self) -> u8 {
        self.map_or(0, |verdict| verdict as u8 + 1)
    }
}

/// A set of words.
///
/// ```
/// use paywarden_domain::Outcome;
/// use paywarden_features::Set;
///
/// let stopped: Set<Outcome> = Outcome::ALL.into_iter().filter(|outcome| outcome.stops()).collect();
/// assert!(stopped.contains(Outcome::Decline) && !stopped.contains(Outcome::Approve));
/// assert_eq!(Set::all().without(Outcome::Approve).without(Outcome::ApproveWithWarning), stopped);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Set<T> {
    bits: u32,
    of: PhantomData<T>,
}

impl<T: Member> Default for Set<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T: Member> Set<T> {
    /// No word.
    pub const EMPTY: Self = Self {
        bits: 0,
        of: PhantomData,
    };

    /// Every word.
    pub fn all() -> Self {
        T::ALL.iter().copied().collect()
    }

    /// This set and one word more.
    #[must_use]
    pub fn with(self, member: T) -> Self {
        Self {
            bits: self.bits | 1 << member.place(),
            of: PhantomData,
        }
    }

    /// This set without one word.
    #[must_use]
    pub fn without(self, member: T) -> Self {
        Self {
            bits: self.bits & !(1 << member.place()),
            of: PhantomData,
        }
    }

    /// The words of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            of: PhantomData,
        }
    }

    /// Whether the word is in the set.
    pub fn contains(self, member: T) -> bool {
        self.bits >> member.place() & 1 == 1
    }

    /// Whether the word with this place is in the set.
    #[inline]
    pub(crate) fn contains_place(self, place: u8) -> bool {
        self.bits >> place & 1 == 1
    }

    /// Whether every word of the other set is in this one.
    pub fn includes(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// Whether no word is in the set.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The words of the set, in declared order.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL
            .iter()
            .copied()
            .filter(move |member| self.contains(*member))
    }

    /// One bit per word, by place.
    pub(crate) fn bits(self) -> u32 {
        self.bits
    }
}

impl<T: Member> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        members.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl<T: Member + fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
