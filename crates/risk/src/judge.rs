//! Judging one event: windows reserved, the deciding rules evaluated, those on trial beside them.

use crate::{
    Engine, Request, facts,
    identify::Keys,
    model::{self, Opinion},
    rating,
    release::{LoadedSet, Runner, Seen, Trace, Trial},
    screening::Findings,
    travel, verdict,
};
use paywarden_domain::{
    Card, Decision, DecisionId, Event, TenantId, Timestamp,
    decision::{CardSummary, Deadline},
};
use paywarden_features::{EntityKind, FeatureEvent, Ticket, Value};
use paywarden_rules::{Hits, ListProbe, Slots};
use std::sync::Arc;

/// A verdict that is not durable yet.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) feature: FeatureEvent,
    pub(crate) trace: Trace,
    /// The rules that decided.
    pub(crate) set: Arc<LoadedSet>,
}

/// One event before the rules: what every set of the tenant reads.
struct Case<'a> {
    engine: &'a Engine,
    tenant: &'a TenantId,
    event: &'a Event<Card>,
    now: Timestamp,
    received_us: u64,
    fields: Slots<'a>,
    /// Whether the time was over before everybody was screened.
    is_late: bool,
    /// The values of all windows of the plan.
    values: Vec<Value>,
    /// What the models said.
    opinion: Opinion,
}

impl Engine {
    /// Reserves the windows, evaluates the rules and forms the verdict.
    pub(crate) fn judge(&self, request: &Request) -> (Judged, Ticket) {
        let (event, tenant) = (&request.event, &request.caller.tenant);
        let running = self.running.load();
        let keys = Keys::of(event);
        let rates = &self.config.rates;
        let feature = self.hasher.feature_event(tenant, event, &keys, rates);
        let now = self.clock.now();
        self.unmark_expired(now);
        let mut values = Vec::with_capacity(running.plan.slots());
        let ticket = self
            .features
            .reserve_for(&running.plan, &feature, &mut values);
        let line = running.line(tenant);
        let screening = match line.reads_screening() {
            true => self.screen_event(tenant, event, || self.is_in_time(request.received_us)),
            false => Findings::default(),
        };
        let opinion = running.bench(tenant).opinion(&feature, &values);
        let customer = feature.entity(EntityKind::Customer);
        let rated = self.ratings.of(tenant, customer, now);
        let lacking = self.config.jurisdictions.missing(tenant, event);
        let mut fields = Slots::new();
        facts::fill(&mut fields, event, &keys, rates);
        screening.fill(&mut fields);
        model::fill(&opinion.readings, &mut fields);
        rating::fill(rated, &mut fields);
        travel::fill(lacking.as_deref(), &mut fields);
        let case = Case {
            engine: self,
            tenant,
            event,
            now,
            received_us: request.received_us,
            fields,
            is_late: screening.are_late(),
            values,
            opinion,
        };
        let (runner, beside) = line.judges(&event.id);
        let (decision, fired, seen) = case.decide(runner);
        let mut trace = Trace {
            canary: None,
            trials: beside.map(|runner| case.try_out(runner)).collect(),
            seen,
            screening: screening.clone(),
            models: case.opinion.readings.clone(),
            rated,
            lacking: lacking.clone(),
        };
        line.count_trials(runner, decision.outcome, fired, &mut trace);
        let judged = Judged {
            decision,
            feature,
            trace,
            set: Arc::clone(&runner.set),
        };
        (judged, ticket)
    }

    /// Microseconds since a request arrived.
    fn used_us(&self, received_us: u64) -> u64 {
        self.clock.monotonic_us().saturating_sub(received_us)
    }

    fn is_in_time(&self, received_us: u64) -> bool {
        self.used_us(received_us) < u64::from(self.config.deadline_ms) * 1000
    }
}

impl Case<'_> {
    /// What the deciding set says, the places of the rules that fired, and what it saw.
    fn decide(&self, runner: &Runner) -> (Decision, Vec<u32>, Seen) {
        let rules = &runner.set.rules;
        let seen = self.seen(runner);
        let slots = self.slots(&seen);
        let hits = self.evaluate(runner, &slots);
        runner.set.working.decided(&hits);
        let bands = &self.engine.config.bands;
        let opinion = &self.opinion;
        let draw = |one_in| {
            let hasher = &self.engine.hasher;
            hasher.is_drawn(self.tenant, self.event.id.as_str(), one_in)
        };
        let beside = (opinion, bands, &draw as &dyn Fn(u16) -> bool);
        let verdict = verdict::decide(rules, &hits, &slots, self.event, beside);
        let decision = Decision {
            id: DecisionId::new(self.now, self.engine.clock.random()),
            payment_id: self.event.id.clone(),
            kind: self.event.kind,
            occurred_at: self.event.occurred_at,
            decided_at: self.now,
            amount: self.event.amount,
            outcome: verdict.outcome,
            challenge: verdict.challenge,
            hold_minutes: verdict.hold_minutes,
            fraud: verdict.fraud,
            laundering: verdict.laundering,
            reasons: verdict.reasons,
            warnings: verdict.warnings,
            rule_set: rules.version().to_owned(),
            deadline: self.deadline(&hits),
            card: self.event.card.as_ref().map(summary),
            models: opinion.scores.clone(),
            control: verdict.control,
        };
        (decision, places(&hits), seen)
    }

    /// What a set on trial would say, in the time that is left.
    fn try_out(&self, runner: &Runner) -> Trial {
        let rules = &runner.set.rules;
        let seen = self.seen(runner);
        let hits = self.evaluate(runner, &self.slots(&seen));
        let beside = (self.opinion.floors, &self.engine.config.bands);
        let outcome = || verdict::outcome(rules, &hits, beside);
        Trial {
            version: rules.version().to_owned(),
            outcome: hits.skipped.is_empty().then(outcome),
            fired: places(&hits),
        }
    }

    fn seen(&self, runner: &Runner) -> Seen {
        let probes = runner.set.rules.probes().iter();
        let lists = probes.map(|probe| self.listed(probe)).collect();
        runner.seen(&self.values, lists)
    }

    fn slots<'s>(&'s self, seen: &'s Seen) -> Slots<'s> {
        let mut slots = self.fields.clone();
        slots.windows = &seen.windows;
        slots.lists = &seen.lists;
        slots
    }

    fn evaluate(&self, runner: &Runner, slots: &Slots<'_>) -> Hits {
        let in_time = || self.engine.is_in_time(self.received_us);
        runner.set.working.evaluate(slots, in_time)
    }

    /// Whether the probed text is on its list; unknown where it is missing.
    fn listed(&self, probe: &ListProbe) -> Option<bool> {
        let value = probe.value(&self.fields)?;
        let lists = &self.engine.lists;
        Some(lists.contains(self.tenant, &probe.list, &value, self.now))
    }

    fn deadline(&self, hits: &Hits) -> Deadline {
        Deadline {
            budget_ms: self.engine.config.deadline_ms,
            used_us: u32::try_from(self.engine.used_us(self.received_us)).unwrap_or(u32::MAX),
            partial: self.is_late || !hits.skipped.is_empty(),
            skipped_rules: u32::try_from(hits.skipped.len()).unwrap_or(u32::MAX),
        }
    }
}

fn places(hits: &Hits) -> Vec<u32> {
    let place = |index: &usize| u32::try_from(*index).unwrap_or(u32::MAX);
    hits.fired.iter().map(place).collect()
}

fn summary(card: &Card) -> CardSummary {
    CardSummary {
        index: card.index.to_string(),
        bin: card.bin.as_ref().map(ToString::to_string),
        last_four: card.last_four.as_ref().map(ToString::to_string),
    }
}
