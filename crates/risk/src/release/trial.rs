//! What a version would have said beside the one that decided: kept with each decision in a few
//! bytes, counted as it happens, counted again from the store after a restart.

use super::LoadedSet;
use crate::{
    Error,
    model::{self, Reading},
    rating::{self, RatedThen},
    screening::Findings,
    travel,
};
use paywarden_domain::{Outcome, Timestamp};
use paywarden_features::Value;
use paywarden_rules::Slots;
use paywarden_store::TraceRow;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    cmp::Ordering as Order,
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};
use utoipa::ToSchema;

const OUTCOMES: usize = Outcome::ALL.len();
/// The most rules that one report names, those that hit most.
const RULES_MAX: usize = 1_000;

/// What a decision saw beyond its event, and what was on trial beside it. Postcard in the store;
/// behind the rest stand what screening found, what models said and how the customer was rated and what
/// the Travel Rule missed, up to the last of which there is any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trace {
    /// What a canary said where it decided; the first trial is then the live version's.
    pub(crate) canary: Option<Trial>,
    pub(crate) trials: Vec<Trial>,
    pub(crate) seen: Seen,
    #[serde(skip)]
    pub(crate) screening: Findings,
    #[serde(skip)]
    pub(crate) models: Vec<Reading>,
    #[serde(skip)]
    pub(crate) rated: Option<RatedThen>,
    /// What the Travel Rule asks for and was not there.
    #[serde(skip)]
    pub(crate) lacking: Option<String>,
}

/// What one version would have said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub(crate) version: String,
    /// None if the time budget ended before its rules did.
    pub(crate) outcome: Option<Outcome>,
    /// Places of the rules that fired in the version's order.
    pub(crate) fired: Vec<u32>,
}

/// The values of a rule set's windows and list probes at the moment of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    #[serde(with = "values")]
    pub(crate) windows: Vec<Value>,
    pub(crate) lists: Vec<Option<bool>>,
}

impl Trace {
    /// What the live version said: the decision itself, unless a canary made it.
    pub(crate) fn live(&self, decided: Outcome) -> Option<Outcome> {
        match &self.canary {
            Some(_) => self.trials.first()?.outcome,
            None => Some(decided),
        }
    }

    /// What a version said, if it took part.
    pub(crate) fn of(&self, version: &str) -> Option<&Trial> {
        let mut all = self.canary.iter().chain(&self.trials);
        all.find(|trial| trial.version == version)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = postcard::to_stdvec(self).map_err(damaged)?;
        let last = match () {
            () if self.lacking.is_some() => 4,
            () if self.rated.is_some() => 3,
            () if !self.models.is_empty() => 2,
            () => u8::from(!self.screening.is_empty()),
        };
        if last >= 1 {
            bytes = postcard::to_extend(&self.screening, bytes).map_err(damaged)?;
        }
        if last >= 2 {
            bytes = postcard::to_extend(&self.models, bytes).map_err(damaged)?;
        }
        if last >= 3 {
            bytes = postcard::to_extend(&self.rated, bytes).map_err(damaged)?;
        }
        if last >= 4 {
            bytes = postcard::to_extend(&self.lacking, bytes).map_err(damaged)?;
        }
        Ok(bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (mut trace, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(damaged)?;
        let mut rest = rest;
        take(&mut rest, &mut trace.screening)?;
        take(&mut rest, &mut trace.models)?;
        take(&mut rest, &mut trace.rated)?;
        take(&mut rest, &mut trace.lacking)?;
        Ok(trace)
    }

    /// What rules read of all that stood beside the event.
    pub(crate) fn fill<'a>(&'a self, slots: &mut Slots<'a>) {
        self.screening.fill(slots);
        model::fill(&self.models, slots);
        rating::fill(self.rated, slots);
        travel::fill(self.lacking.as_deref(), slots);
    }
}

/// Takes the next part, if the trace does not end before it.
fn take<T: DeserializeOwned>(rest: &mut &[u8], into: &mut T) -> Result<(), Error> {
    if !rest.is_empty() {
        (*into, *rest) = postcard::take_from_bytes(rest).map_err(damaged)?;
    }
    Ok(())
}

fn damaged(error: postcard::Error) -> Error {
    Error::RecordDamaged(format!("a trace: {error}"))
}

/// How a version on trial agrees with the one that decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialReport {
    /// Since when it has been on trial.
    pub since: Option<Timestamp>,
    /// Payments on which both versions came to an end.
    pub compared: u64,
    /// Of these, payments with the same outcome.
    pub same: u64,
    /// Payments on which the version on trial is stricter.
    pub stricter: u64,
    /// Payments on which it is milder.
    pub milder: u64,
    /// Payments on which the time budget ended before the version on trial did.
    pub unfinished: u64,
    /// The outcomes of both, pair by pair.
    pub outcomes: Vec<OutcomePair>,
    /// How often each of its rules fired, most first; at most 1000 rules.
    pub rules: Vec<RuleHits>,
}

/// How often two outcomes met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomePair {
    /// Of the live version.
    pub live: Outcome,
    /// Of the version on trial.
    pub trial: Outcome,
    /// Payments.
    pub count: u64,
}

/// How often a rule fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleHits {
    /// `pack.rule`.
    pub rule: String,
    /// Payments.
    pub hits: u64,
}

/// Counts of one version on trial, added to by decisions.
#[derive(Debug, Default)]
pub(crate) struct TrialCounters {
    pairs: [[AtomicU64; OUTCOMES]; OUTCOMES],
    unfinished: AtomicU64,
    hits: Vec<AtomicU64>,
}

/// Counts of one version on trial, as read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pairs: [[u64; OUTCOMES]; OUTCOMES],
    unfinished: u64,
    hits: BTreeMap<u32, u64>,
}

impl TrialCounters {
    pub(crate) fn new(rules: usize) -> Self {
        Self {
            hits: (0..rules).map(|_| AtomicU64::new(0)).collect(),
            ..Self::default()
        }
    }

    /// Counts what the live version and this one say. None: that side did not come to an end.
    pub(crate) fn count(&self, live: Option<Outcome>, trial: Option<Outcome>, fired: &[u32]) {
        match live.zip(trial) {
            Some((live, trial)) => &self.pairs[live as usize][trial as usize],
            None => &self.unfinished,
        }
        .fetch_add(1, Ordering::Relaxed);
        for hits in fired
            .iter()
            .filter_map(|rule| self.hits.get(*rule as usize))
        {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let hits = self.hits.iter().map(read);
        Tally {
            pairs: std::array::from_fn(|live| {
                std::array::from_fn(|trial| read(&self.pairs[live][trial]))
            }),
            unfinished: read(&self.unfinished),
            hits: (0..).zip(hits).filter(|(_, hits)| *hits > 0).collect(),
        }
    }
}

impl Tally {
    /// Counts a stored decision again, if `version` took part in it.
    pub(crate) fn count(&mut self, row: &TraceRow, version: &str) -> Result<(), Error> {
        let trace = Trace::decode(&row.trace)?;
        let Some(trial) = trace.of(version) else {
            return Ok(());
        };
        match trace.live(row.outcome).zip(trial.outcome) {
            Some((live, trial)) => self.pairs[live as usize][trial as usize] += 1,
            None => self.unfinished += 1,
        }
        for rule in &trial.fired {
            *self.hits.entry(*rule).or_default() += 1;
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (to, from) in self.pairs.iter_mut().zip(&other.pairs) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        self.unfinished += other.unfinished;
        for (rule, hits) in &other.hits {
            *self.hits.entry(*rule).or_default() += hits;
        }
    }

    pub(crate) fn report(&self, set: &LoadedSet, since: Option<Timestamp>) -> TrialReport {
        let mut report = TrialReport {
            since,
            unfinished: self.unfinished,
            rules: self.rules(set),
            ..TrialReport::default()
        };
        for (live, pairs) in Outcome::ALL.into_iter().zip(&self.pairs) {
            for (trial, count) in Outcome::ALL.into_iter().zip(pairs.iter().copied()) {
                report.add(OutcomePair { live, trial, count });
            }
        }
        report
    }

    fn rules(&self, set: &LoadedSet) -> Vec<RuleHits> {
        let name = |(place, hits): (&u32, &u64)| {
            let rule = set.rules.rules().get(*place as usize)?;
            Some(RuleHits {
                rule: rule.id.clone(),
                hits: *hits,
            })
        };
        let mut rules: Vec<_> = self.hits.iter().filter_map(name).collect();
        rules.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.rule.cmp(&b.rule)));
        rules.truncate(RULES_MAX);
        rules
    }
}

impl TrialReport {
    fn add(&mut self, pair: OutcomePair) {
        if pair.count == 0 {
            return;
        }
        self.compared += pair.count;
        match pair.trial.cmp(&pair.live) {
            Order::Equal => self.same += pair.count,
            Order::Greater => self.stricter += pair.count,
            Order::Less => self.milder += pair.count,
        }
        self.outcomes.push(pair);
    }
}

/// Values of windows in few bytes: a byte for the kind, a varint for the number.
pub(crate) mod values {
    use paywarden_features::Value;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    enum Kept {
        Missing,
        Count(i64),
        Money(i64),
        Duration(i64),
    }

    pub(crate) fn serialize<S: Serializer>(values: &[Value], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|value| match *value {
            Value::Missing => Kept::Missing,
            Value::Count(number) => Kept::Count(number),
            Value::Money(number) => Kept::Money(number),
            Value::Duration(number) => Kept::Duration(number),
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Value>, D::Error> {
        let kept = Vec::<Kept>::deserialize(from)?;
        let value = |kept| match kept {
            Kept::Missing => Value::Missing,
            Kept::Count(number) => Value::Count(number),
            Kept::Money(number) => Value::Money(number),
            Kept::Duration(number) => Value::Duration(number),
        };
        Ok(kept.into_iter().map(value).collect())
    }
}
