//! What each rule does: for which events it can fire, how often it fired for the last ones, and what
//! those turned out to be.

use crate::{Engine, Error, Stretch, backtest::Labelled, record};
use paywarden_domain::{
    Engine as EngineName, EventKind, TenantId, Timestamp, event::Channel, time::DAY,
};
use paywarden_rules::{RuleSet, pack::Stage};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;

/// The most decisions that are looked at.
pub const DECISIONS_MAX: u64 = 20_000;
const ROWS: u32 = 1_000;
/// After so many days a payment without a label counts as genuine.
const LABEL_DELAY_DAYS: u16 = 45;
/// A rule is called noisy only if so many of its payments are labelled or presumed genuine.
const KNOWN_MIN: u64 = 20;

/// What the rules that decide now did with the last decisions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleActivity {
    /// The version that decides.
    pub rule_set: String,
    /// Decisions looked at: the last ones of this version, at most 20,000.
    pub decisions: u64,
    /// When the oldest of them was made.
    pub since: Option<Timestamp>,
    /// Decisions whose truth is known or presumed.
    pub known: u64,
    /// Frauds among these.
    pub fraud: u64,
    /// Each rule that is not off, in the order of packs.
    pub rules: Vec<RuleUse>,
    /// How many live rules of each scenario can fire for each kind of event on each channel; those
    /// for which none can are left out.
    pub coverage: Vec<Covered>,
}

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleUse {
    /// `pack.rule`.
    pub rule: String,
    /// The pack, which is the scenario.
    pub scenario: String,
    /// The engine that it belongs to.
    pub engine: EngineName,
    /// `live` or `shadow`.
    pub stage: &'static str,
    /// Decisions for which it fired.
    pub fired: u64,
    /// Those that were labelled fraud.
    pub fraud: u64,
    /// Those that were labelled genuine, or went 45 days without a label.
    pub good: u64,
    /// Decisions for which it could not be computed.
    pub faults: u64,
    /// What that makes of it.
    pub state: RuleUseState,
}

/// What a rule's figures make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleUseState {
    /// It did not fire once.
    Dead,
    /// Of 20 or more payments whose truth is known it met frauds no more often than chance would.
    Noisy,
    /// It meets frauds more often than chance would.
    Working,
    /// Too little is known of what it fired for.
    Unproven,
}

/// How many rules of a scenario can fire for some events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Covered {
    /// The scenario.
    pub scenario: String,
    /// The kind of event.
    pub event: EventKind,
    /// The channel.
    pub channel: Channel,
    /// How many live rules.
    pub rules: u64,
}

#[derive(Default)]
struct Count {
    fired: u64,
    fraud: u64,
    good: u64,
    faults: u64,
}

impl Engine {
    /// What the rules that decide for a tenant now did with its last decisions.
    pub async fn rule_activity(&self, tenant: &TenantId) -> Result<RuleActivity, Error> {
        let rules = self.rules_of(tenant, "live").await?;
        let mut counting = Counting::default();
        let stretch = Stretch {
            from: Timestamp::from_micros(0),
            to: Timestamp::from_micros(self.clock.now().micros() + DAY),
            as_of: self.clock.now(),
            label_delay_days: LABEL_DELAY_DAYS,
        };
        let mut before = i64::MAX;
        while counting.decisions < DECISIONS_MAX {
            let rows = self.database.decisions_back(tenant, before, ROWS).await?;
            let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else {
                break;
            };
            before = oldest.event_no;
            let events = (oldest.event_no, newest.event_no);
            let labels = self.labels_known(tenant, events, stretch.as_of).await?;
            for row in &rows {
                let decision = record::decision(row)?;
                if decision.rule_set == rules.version() {
                    counting.add(&decision, stretch.class(row, &labels));
                }
            }
            if rows.len() < ROWS as usize {
                break;
            }
        }
        let report = tokio::task::spawn_blocking(move || counting.report(&rules)).await;
        report.map_err(|error| Error::RecordDamaged(error.to_string()))
    }
}

#[derive(Default)]
struct Counting {
    decisions: u64,
    known: u64,
    fraud: u64,
    since: Option<Timestamp>,
    rules: HashMap<String, Count>,
}

impl Counting {
    fn add(&mut self, decision: &paywarden_domain::Decision, labelled: Labelled) {
        self.decisions += 1;
        self.since = Some(decision.decided_at);
        let is_fraud = labelled == Labelled::Fraud;
        let is_good = matches!(labelled, Labelled::Genuine | Labelled::PresumedGenuine);
        self.fraud += u64::from(is_fraud);
        self.known += u64::from(is_fraud || is_good);
        for result in [&decision.fraud, &decision.laundering] {
            for fired in result.fired.iter().chain(&result.shadow) {
                let count = self.rules.entry(fired.rule.clone()).or_default();
                count.fired += 1;
                count.fraud += u64::from(is_fraud);
                count.good += u64::from(is_good);
            }
            for fault in &result.faults {
                self.rules.entry(fault.rule.clone()).or_default().faults += 1;
            }
        }
    }

    fn report(mut self, rules: &RuleSet) -> RuleActivity {
        let counted = rules.rules().iter().filter(|rule| rule.stage != Stage::Off);
        let counted = counted.map(|rule| {
            let count = self.rules.remove(&rule.id).unwrap_or_default();
            RuleUse {
                rule: rule.id.clone(),
                scenario: rule.pack.clone(),
                engine: rule.engine,
                stage: rule.stage.name(),
                state: state(&count, (self.fraud, self.known)),
                fired: count.fired,
                fraud: count.fraud,
                good: count.good,
                faults: count.faults,
            }
        });
        let uses = counted.collect();
        RuleActivity {
            rule_set: rules.version().to_owned(),
            decisions: self.decisions,
            since: self.since,
            known: self.known,
            fraud: self.fraud,
            rules: uses,
            coverage: coverage(rules),
        }
    }
}

/// Whether frauds are more frequent among a rule's payments than among all.
fn state(count: &Count, (fraud, known): (u64, u64)) -> RuleUseState {
    let mine = count.fraud + count.good;
    let lifts = u128::from(count.fraud) * u128::from(known) > u128::from(fraud) * u128::from(mine);
    match count.fired {
        0 => RuleUseState::Dead,
        _ if count.fraud > 0 && lifts => RuleUseState::Working,
        _ if mine >= KNOWN_MIN => RuleUseState::Noisy,
        _ => RuleUseState::Unproven,
    }
}

fn coverage(rules: &RuleSet) -> Vec<Covered> {
    let mut cells: BTreeMap<(&str, EventKind, Channel), u64> = BTreeMap::new();
    let live = rules
        .rules()
        .iter()
        .filter(|rule| rule.stage == Stage::Live);
    for rule in live {
        let reach = rule.reach();
        for kind in EventKind::ALL.iter().copied() {
            for channel in Channel::ALL.iter().copied() {
                if reach.may_fire(kind, Some(channel)) {
                    *cells.entry((&rule.pack, kind, channel)).or_default() += 1;
                }
            }
        }
    }
    let covered = cells
        .into_iter()
        .map(|((scenario, event, channel), rules)| Covered {
            scenario: scenario.to_owned(),
            event,
            channel,
            rules,
        });
    covered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fired: u64, fraud: u64, good: u64) -> RuleUseState {
        let count = Count {
            fired,
            fraud,
            good,
            faults: 0,
        };
        // One fraud among a hundred known payments.
        state(&count, (10, 1_000))
    }

    #[test]
    fn a_rule_is_noisy_only_if_enough_is_known_and_chance_would_do_as_well() {
        assert_eq!(of(0, 0, 0), RuleUseState::Dead);
        assert_eq!(of(500, 0, 0), RuleUseState::Unproven);
        assert_eq!(of(19, 0, 19), RuleUseState::Unproven);
        assert_eq!(of(20, 0, 20), RuleUseState::Noisy);
        assert_eq!(of(200, 1, 99), RuleUseState::Noisy);
        assert_eq!(of(200, 2, 98), RuleUseState::Working);
        assert_eq!(of(3, 1, 0), RuleUseState::Working);
    }
}
