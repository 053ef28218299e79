//! What is known of an event, in the form that filters look at.

use crate::entity::{ENTITY_KINDS, EntityKind};
use crate::{FeatureEvent, Set};
use paywarden_domain::{LabelVerdict, Outcome};

/// The bit of `Fact::present` for an event whose place is known.
pub(crate) const PLACED: u16 = 1 << 15;
/// Stands for an amount that is not there.
pub(crate) const NO_AMOUNT: i64 = i64::MIN;
/// Stands for an entity that is not there or not tracked.
pub(crate) const NO_ENTITY: u32 = u32::MAX;

/// The entities of one event, interned, by kind.
pub(crate) type Ids = [u32; ENTITY_KINDS];

/// What filters look at, in 24 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub at: i64,
    pub amount: i64,
    pub country: u16,
    pub mcc: u16,
    /// One bit per kind of entity that is tracked, and one for a known place.
    pub present: u16,
    pub kind: u8,
    pub standing: Standing,
}

impl Fact {
    /// The facts of an event with these entities.
    pub(crate) fn new(event: &FeatureEvent, ids: &Ids, standing: Standing) -> Self {
        let present = EntityKind::ALL
            .into_iter()
            .filter(|kind| ids[*kind as usize] != NO_ENTITY);
        Self {
            at: event.at,
            amount: event.amount.unwrap_or(NO_AMOUNT),
            country: event.country,
            mcc: event.mcc,
            present: present.collect::<Set<_>>().bits() as u16
                | if event.place.is_some() { PLACED } else { 0 },
            kind: event.kind as u8,
            standing,
        }
    }

    /// How many words belong to it.
    pub(crate) fn words(&self) -> usize {
        (self.present & !PLACED).count_ones() as usize + 2 * usize::from(self.present >> 15)
    }

    /// Which of its words names its entity of this kind.
    #[inline]
    pub(crate) fn word_of(&self, kind: EntityKind) -> Option<usize> {
        let bit = 1u16 << kind as u8;
        (self.present & bit != 0).then(|| (self.present & (bit - 1)).count_ones() as usize)
    }

    /// Stands in an empty slot.
    pub(crate) const EMPTY: Self = Self {
        at: 0,
        amount: NO_AMOUNT,
        country: 0,
        mcc: 0,
        present: 0,
        kind: 0,
        standing: Standing::EMPTY,
    };
}

/// Outcome and label of an event, as one number below 32: a filter on both is one 32-bit mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing(u8);

impl Standing {
    pub(crate) const PENDING: Self = Self(6);
    pub(crate) const EMPTY: Self = Self(7);

    /// A number below 32.
    pub(crate) fn place(self) -> u8 {
        self.0
    }

    /// The standing of a decided event with this number.
    pub(crate) fn decided(place: u8) -> Option<Self> {
        let standing = Self(place);
        (place < 32 && standing.outcome().is_some()).then_some(standing)
    }

    /// The standing of an event with this outcome and no label yet.
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self(outcome as u8)
    }

    pub(crate) fn outcome(self) -> Option<Outcome> {
        Outcome::from_number(self.0 & 7)
    }

    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        Self(self.0 & !7 | outcome as u8)
    }

    pub(crate) fn with_label(self, verdict: LabelVerdict) -> Self {
        Self(self.0 & 7 | (verdict as u8 + 1) << 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Member;

    #[test]
    fn standing_holds_every_outcome_and_label() {
        for outcome in Outcome::ALL {
            for verdict in LabelVerdict::ALL {
                let standing = Standing::PENDING.with_outcome(outcome).with_label(verdict);
                assert_eq!(standing.outcome(), Some(outcome));
                assert_eq!(standing.place() >> 3, Some(verdict).place());
                assert_eq!(Standing::decided(standing.place()), Some(standing));
            }
            assert_eq!(
                Standing::of(outcome),
                Standing::PENDING.with_outcome(outcome)
            );
        }
        assert_eq!(Standing::decided(Standing::PENDING.place()), None);
        assert_eq!(Standing::decided(32), None);
    }
}
