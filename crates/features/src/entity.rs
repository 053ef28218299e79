//! The things whose past is counted.

use crate::set::Member;
use std::fmt;

/// How many kinds of entity there are.
pub const ENTITY_KINDS: usize = EntityKind::ALL.len();

/// A kind of thing that payments have in common. Numbers are stored: add at the end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntityKind {
    /// A card, by the keyed index of its number.
    Card,
    /// An issuer identification number.
    Bin,
    /// The payer's account or wallet.
    Account,
    /// The payer.
    Customer,
    /// The device that the payer holds.
    Device,
    /// The network address that the request came from.
    Ip,
    /// The merchant.
    Merchant,
    /// One terminal of a merchant.
    Terminal,
    /// The account or party that is paid.
    Payee,
    /// The payer's e-mail address.
    Email,
    /// The payer's phone number.
    Phone,
    /// The kind of customer that the payer is. It is no one thing: it links nobody.
    Segment,
}

impl EntityKind {
    /// Every kind, in declared order.
    pub const ALL: [Self; 12] = [
        Self::Card,
        Self::Bin,
        Self::Account,
        Self::Customer,
        Self::Device,
        Self::Ip,
        Self::Merchant,
        Self::Terminal,
        Self::Payee,
        Self::Email,
        Self::Phone,
        Self::Segment,
    ];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Bin => "bin",
            Self::Account => "account",
            Self::Customer => "customer",
            Self::Device => "device",
            Self::Ip => "ip",
            Self::Merchant => "merchant",
            Self::Terminal => "terminal",
            Self::Payee => "payee",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Segment => "segment",
        }
    }

    /// Whether it is one thing, so that two events which name it have it in common.
    pub fn is_one(self) -> bool {
        self != Self::Segment
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How many [`VIEWS`] there are.
pub(crate) const VIEW_COUNT: usize = ENTITY_KINDS + 2;

/// From which sides pasts are looked at: whose key the current event gives, and as which kind the
/// events looked at carry it. Accounts and payees share their keys, so that the money that an
/// account received is seen beside the money that it sent.
pub(crate) const VIEWS: [(EntityKind, EntityKind); VIEW_COUNT] = {
    let mut views = [(EntityKind::Account, EntityKind::Payee); VIEW_COUNT];
    let mut place = 0;
    while place < ENTITY_KINDS {
        views[place] = (EntityKind::ALL[place], EntityKind::ALL[place]);
        place += 1;
    }
    views[ENTITY_KINDS + 1] = (EntityKind::Payee, EntityKind::Account);
    views
};

/// The place of a view, if there is such a one.
pub(crate) fn view(entity: EntityKind, seen_as: EntityKind) -> Option<usize> {
    VIEWS.iter().position(|view| *view == (entity, seen_as))
}

impl Member for EntityKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn place(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_places_follow_the_declaration() {
        for (place, kind) in EntityKind::ALL.into_iter().enumerate() {
            assert_eq!(EntityKind::parse(kind.name()), Some(kind));
            assert_eq!(usize::from(kind.place()), place);
        }
    }
}
