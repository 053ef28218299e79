//! Acts before the rules: their windows, and what fired.

use super::{
    Calendar, Error,
    act::{Act, Unreadable},
    alert::{Seen, Severity},
};
use paywarden_crypto::{Keyring, keyring::PreparedIndex};
use paywarden_domain::{Outcome, TenantId, Timestamp};
use paywarden_features::{FeatureStore, Limits};
use paywarden_rules::{RuleSet, Schema, Slots};
use paywarden_store::ActRow;
use std::sync::{Arc, atomic::AtomicI64};

/// Acts that windows keep; beyond it the oldest go.
const ACTS_MAX: u64 = 2_000_000;
/// Actors, objects, subjects, networks and sessions that they keep.
const ENTITIES_MAX: usize = 2_000_000;

/// The windows of acts and the rules about them.
pub(super) struct Eyes {
    features: FeatureStore,
    rules: RuleSet,
    calendar: Calendar,
    index: PreparedIndex,
    /// The last act that was looked at.
    pub seen: i64,
    /// The last of which the store knows that it was.
    pub marked: AtomicI64,
}

/// A rule fired on an act.
pub(super) struct Hit {
    pub tenant: TenantId,
    pub seq: i64,
    pub leaf: u64,
    pub at: Timestamp,
    pub rule: Arc<Found>,
    pub actor: String,
    pub other: Option<String>,
    pub object: String,
    pub values: Vec<Seen>,
}

/// What an alert takes over from its rule.
pub(super) struct Found {
    pub id: String,
    pub title: String,
    pub reason: String,
    pub text: String,
    pub severity: Severity,
    pub action: Option<Outcome>,
}

impl Eyes {
    pub fn new(keyring: &Keyring, rules: RuleSet, calendar: Calendar) -> Result<Self, Error> {
        if *rules.schema() != Schema::ACTS && !rules.rules().is_empty() {
            return Err(Error::Rules("a pack lacks `events: acts`".to_owned()));
        }
        let features = FeatureStore::new(Limits {
            events_max: ACTS_MAX,
            entities_max: ENTITIES_MAX,
            ..Limits::default()
        });
        features.register(rules.windows())?;
        Ok(Self {
            features,
            rules,
            calendar,
            index: keyring.index_for("entity of an act")?,
            seen: 0,
            marked: AtomicI64::new(0),
        })
    }

    /// Adds an act to the windows; the live rules that fire on it.
    pub fn look(&mut self, row: &ActRow) -> Result<Vec<Hit>, Unreadable> {
        let Some(act) = Act::read(row, &self.calendar)? else {
            return Ok(Vec::new());
        };
        let mut values = Vec::new();
        let event = act.event(&self.index);
        self.features.observe(&event, act.outcome(), &mut values);
        let mut slots = Slots::new();
        act.fill(&mut slots);
        slots.windows = &values;
        let hits = self.rules.evaluate(&slots, || true);
        Ok(hits
            .fired
            .iter()
            .filter_map(|rule| self.hit(&act, *rule, &slots))
            .collect())
    }

    fn hit(&self, act: &Act<'_>, place: usize, slots: &Slots<'_>) -> Option<Hit> {
        let rule = self.rules.rules().get(place)?;
        let values = self.rules.explain(place, slots);
        Some(Hit {
            tenant: act.row.tenant.clone(),
            seq: act.row.seq,
            leaf: act.leaf.index,
            at: act.row.written_at,
            rule: Arc::new(Found {
                id: rule.id.clone(),
                title: rule.title.clone(),
                reason: rule.reason.code.clone(),
                text: rule.reason.text.clone(),
                severity: Severity::of(rule.score),
                action: rule.action,
            }),
            actor: act.suspect(),
            other: act.others().map(str::to_owned),
            object: act.leaf.object.to_owned(),
            values: values.iter().map(Seen::from).collect(),
        })
    }
}
