//! Large values: money that is reported for its amount alone, per movement and summed over a day.

use crate::{
    Day, Profile, Rates,
    profile::{LargeValueRule, PersonKind},
    report::Channel,
};
use paywarden_domain::{Money, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The most movements of one call; more are for the caller to divide by party.
pub const MOVEMENTS_MAX: usize = 1_000_000;

/// Money of one party that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Which.
    pub id: String,
    /// Whose: a pseudonym is enough.
    pub party: String,
    /// What they are.
    pub person: PersonKind,
    /// How it moved.
    pub channel: Channel,
    /// Whether it crossed a border.
    pub cross_border: bool,
    /// Whether they got it; they gave it otherwise. The two are never summed together.
    pub is_incoming: bool,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// What has to be reported, by party, day and rule.
    pub large: Vec<LargeValue>,
    /// Movements of which a rate is missing: nobody knows whether they are large.
    pub unknown: Vec<String>,
}

/// What has to be reported of one party on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeValue {
    /// Whose.
    pub party: String,
    /// When, at the place of the profile.
    pub day: Day,
    /// By which rule of the profile.
    pub rule: String,
    /// Whether they got it.
    pub is_incoming: bool,
    /// The movements that are summed.
    pub movements: Vec<String>,
    /// Those of them that are large alone.
    pub alone: Vec<String>,
}

type Group<'m> = (&'m str, Day, usize, bool);

/// Says which movements are large under a profile. Amounts are compared exactly, as rational
/// numbers: nothing is rounded. Movements beyond the first million are not looked at.
pub fn assess(profile: &Profile, movements: &[Movement], rates: &Rates) -> Assessment {
    let mut groups: BTreeMap<Group<'_>, Vec<(&Movement, i128)>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for movement in movements.iter().take(MOVEMENTS_MAX) {
        for (place, rule) in profile.large_values.iter().enumerate() {
            if !rule.fits(profile, movement) {
                continue;
            }
            match rates.worth(movement.amount, rule.threshold.currency) {
                Some(worth) => {
                    let day = Day::of(movement.at, profile.utc_offset_hours);
                    let group = (movement.party.as_str(), day, place, movement.is_incoming);
                    groups.entry(group).or_default().push((movement, worth));
                }
                None => {
                    unknown.insert(movement.id.clone());
                }
            }
        }
    }
    let large = groups.into_iter().filter_map(|(group, members)| {
        let rule = profile.large_values.get(group.2)?;
        found(group, &members, rule, rates)
    });
    Assessment {
        large: large.collect(),
        unknown: unknown.into_iter().collect(),
    }
}

fn found(
    (party, day, _, is_incoming): Group<'_>,
    members: &[(&Movement, i128)],
    rule: &LargeValueRule,
    rates: &Rates,
) -> Option<LargeValue> {
    let threshold = rates.worth(rule.threshold, rule.threshold.currency)?;
    let is_large = |worth: i128| worth > threshold || (rule.inclusive && worth == threshold);
    let sum = members.iter().map(|(_, worth)| worth).sum();
    let ids = |all: bool| {
        let chosen = members
            .iter()
            .filter(move |(_, worth)| all || is_large(*worth));
        chosen.map(|(movement, _)| movement.id.clone()).collect()
    };
    is_large(sum).then(|| LargeValue {
        party: party.to_owned(),
        day,
        rule: rule.id.clone(),
        is_incoming,
        movements: ids(true),
        alone: ids(false),
    })
}

impl LargeValueRule {
    /// Whether a sum in minor units of the threshold's currency is large.
    pub(crate) fn is_met(&self, minor: i128) -> bool {
        let threshold = i128::from(self.threshold.minor);
        minor > threshold || (self.inclusive && minor == threshold)
    }

    fn fits(&self, profile: &Profile, movement: &Movement) -> bool {
        let is_foreign = movement.amount.currency != profile.currency;
        self.channels.contains(&movement.channel)
            && self.person.is_none_or(|person| person == movement.person)
            && self
                .cross_border
                .is_none_or(|crosses| crosses == movement.cross_border)
            && self.foreign.is_none_or(|foreign| foreign == is_foreign)
    }
}
