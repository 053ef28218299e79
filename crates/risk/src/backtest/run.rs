//! One back-test under way: each event point in time, and blocks of them into the tally.

use super::{
    Task,
    evaluate::{Evaluator, Fired, Weights},
    known::{Labels, ListHistory},
    meter::Meter,
    report::Report,
    source::{self, Page, Source},
    tally::Subject,
};
use crate::{
    EngineConfig, Error, Floors, facts,
    identify::Keys,
    model,
    release::Trace,
    screening::{self, Findings},
};
use paywarden_domain::{Card, Event, Outcome, Timestamp, time::DAY};
use paywarden_features::{EntityKind, FeatureEvent, Replay, Value, WindowSpec};
use paywarden_rules::{ListProbe, RuleSet, Slots};
use paywarden_store::{HistoryRow, HistorySpan, PastRow};
use std::{ops::Range, sync::Arc};

/// Whose customer a payment is, by the first of these that it carries.
const CUSTOMERS: [EntityKind; 4] = [
    EntityKind::Customer,
    EntityKind::Card,
    EntityKind::Account,
    EntityKind::Email,
];

/// Everything between the journal and the report.
pub(super) struct Run {
    source: Source,
    task: Task,
    as_of: Timestamp,
    /// How late an event may come and still count as one that was decided as it happened.
    late_max: i64,
    past: Replay,
    labels: Labels,
    lists: ListHistory,
    tested: Meter,
    tested_windows: Range<usize>,
    before: Option<Side>,
    /// Whether any of the rules read what screening found.
    reads_screening: bool,
    values: Vec<Value>,
    events: u64,
    windows_cut: u64,
}

/// The rules compared with, and their part of the windows.
struct Side {
    evaluator: Evaluator,
    weights: Weights,
    windows: Range<usize>,
    /// What models asked for, event by event of the block.
    floors: Vec<Floors>,
}

impl Run {
    pub(super) fn new(
        source: &Source,
        config: &EngineConfig,
        task: Task,
        span: &HistorySpan,
        labels: Labels,
        lists: ListHistory,
    ) -> Result<Self, Error> {
        let mut windows: Vec<WindowSpec> = task.rules.windows().to_vec();
        let tested_windows = 0..windows.len();
        let before = task.against.as_ref().map(|rules| {
            let first = windows.len();
            windows.extend_from_slice(rules.windows());
            Side {
                evaluator: Evaluator::new(Arc::clone(rules)),
                weights: Weights::new(rules, &config.bands),
                windows: first..windows.len(),
                floors: Vec::new(),
            }
        });
        let mut sets = std::iter::once(&task.rules).chain(&task.against);
        let reads_screening = sets.any(|rules| rules.reads_field(screening::is_of_screening));
        let mut limits = config.limits;
        limits.windows_max *= 1 + usize::from(before.is_some());
        let past = Replay::new(limits, &windows);
        let mut past = past.map_err(|error| Error::WindowsRefused(error.to_string()))?;
        for (known_at, event_no, verdict) in labels.given() {
            past.label(known_at, event_no.unsigned_abs(), verdict);
        }
        Ok(Self {
            source: source.clone(),
            as_of: span.newest,
            late_max: config.event_age_max.unwrap_or(DAY),
            past,
            labels,
            lists,
            tested: Meter::new(Arc::clone(&task.rules), &config.bands),
            tested_windows,
            before,
            reads_screening,
            task,
            values: Vec::new(),
            events: 0,
            windows_cut: 0,
        })
    }

    /// Lives through a page.
    pub(super) fn absorb(mut self, page: Page) -> Result<Self, Error> {
        match page {
            Page::Before(rows) => rows.iter().try_for_each(|row| self.pass(row))?,
            Page::Within(rows) => {
                rows.into_iter().try_for_each(|row| self.decide(row))?;
                let before = self.before.as_mut().map(Side::outcomes);
                self.tested.settle(before.as_deref().unwrap_or_default());
            }
        }
        Ok(self)
    }

    /// Events lived through so far.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// An event that only windows see.
    fn pass(&mut self, row: &PastRow) -> Result<(), Error> {
        let event = source::feature(row)?;
        let (at, event_no) = (self.moment(row), row.event_no.unsigned_abs());
        self.events += 1;
        match self.past.skip(at, event_no, &event, row.outcome) {
            true => Ok(()),
            false => Err(out_of_order(row)),
        }
    }

    /// An event of the span: its windows, lists and fields as they were, into the block.
    fn decide(&mut self, row: HistoryRow) -> Result<(), Error> {
        let past = &row.past;
        if past.occurred_at < self.task.from || past.occurred_at >= self.task.to {
            return self.pass(past);
        }
        let feature = source::feature(past)?;
        let event = self.source.event(&row.id, &row.event)?;
        let (at, event_no) = (self.moment(past), past.event_no.unsigned_abs());
        let values = &mut self.values;
        let cut = self
            .past
            .decide(at, event_no, &feature, past.outcome, values);
        self.windows_cut += u64::from(cut.ok_or_else(|| out_of_order(past))?);
        self.events += 1;
        let trace = row.trace.as_deref().map(Trace::decode).transpose()?;
        let mut trace = trace.unwrap_or_default();
        if !self.reads_screening {
            trace.screening = Findings::default();
        }
        let floors = model::floors(&trace.models);
        let mature_before = self.as_of.micros().saturating_sub(self.task.label_delay);
        let mature_before = Timestamp::from_micros(mature_before);
        let labels = &self.labels;
        let subject = Subject {
            labelled: labels.class(past.event_no, past.occurred_at, mature_before),
            payment_id: row.payment_id,
            occurred_at: past.occurred_at,
            amount_minor: feature.amount.unwrap_or(0),
            customer: customer(&feature),
            before: past.outcome,
            floors,
        };
        let keys = Keys::of(&event);
        let case = Case {
            event: &event,
            keys: &keys,
            trace: &trace,
            values: &self.values,
            lists: &self.lists,
            at: past.decided_at,
        };
        let rules = Arc::clone(self.tested.rules());
        case.read(&rules, &self.tested_windows, |slots| {
            self.tested.push(slots, subject);
        });
        if let Some(side) = &mut self.before {
            let rules = Arc::clone(side.evaluator.rules());
            case.read(&rules, &side.windows, |slots| side.evaluator.push(slots));
            side.floors.push(floors);
        }
        Ok(())
    }

    /// The moment whose knowledge a decision had: when it was made. Of an event that was older
    /// then than events may be, it is when it happened: such events are imported history, and what
    /// is told of them is told in their own time.
    fn moment(&self, row: &PastRow) -> Timestamp {
        let age = row.decided_at.micros() - row.occurred_at.micros();
        if age > self.late_max {
            row.occurred_at
        } else {
            row.decided_at
        }
    }

    /// The report.
    pub(super) fn finish(self) -> Report {
        let Task {
            rules,
            against,
            from,
            to,
            label_delay,
            ..
        } = self.task;
        let tallied = self.tested.finish();
        let named = |found: fn(&super::RuleEffect) -> bool| {
            let rules = tallied.rules.iter().filter(|rule| found(rule));
            rules.map(|rule| rule.rule.clone()).collect()
        };
        Report {
            rule_set: rules.version().to_owned(),
            against: against.map(|rules| rules.version().to_owned()),
            from,
            to,
            as_of: self.as_of,
            label_delay_days: u32::try_from(label_delay / DAY).unwrap_or(u32::MAX),
            currency: rules.base().code().to_owned(),
            decimals: rules.base().decimals(),
            dead: named(|rule| rule.fired.payments == 0),
            shadowed: named(|rule| {
                rule.stage == "live" && rule.fired.payments > 0 && rule.decisive == 0
            }),
            payments: tallied.payments,
            stopped: tallied.stopped,
            stopped_before: tallied.stopped_before,
            rules: tallied.rules,
            days: tallied.days,
            changes: tallied.changes,
            windows_cut: self.windows_cut,
            overlap_payments: tallied.overlap_payments,
        }
    }
}

/// One event as it was, for any rule set.
struct Case<'a> {
    event: &'a Event<Card>,
    keys: &'a Keys<'a>,
    /// What screening found, models said and the rating was when it was decided: those of today
    /// would know more.
    trace: &'a Trace,
    values: &'a [Value],
    lists: &'a ListHistory,
    at: Timestamp,
}

impl Case<'_> {
    /// Gives `into` all that the rules read; their windows are this part of the values.
    fn read(&self, rules: &RuleSet, windows: &Range<usize>, into: impl FnOnce(&Slots<'_>)) {
        let mut slots = Slots::new();
        facts::fill(&mut slots, self.event, self.keys, rules.rates());
        self.trace.fill(&mut slots);
        let listed = |probe: &ListProbe| {
            let value = probe.value(&slots)?;
            Some(self.lists.contains(&probe.list, &value, self.at))
        };
        let listed: Vec<Option<bool>> = rules.probes().iter().map(listed).collect();
        slots.windows = self.values.get(windows.clone()).unwrap_or_default();
        slots.lists = &listed;
        into(&slots);
    }
}

impl Side {
    /// Ends the block with the outcome of each event.
    fn outcomes(&mut self) -> Vec<Outcome> {
        let mut sums = Vec::new();
        let add = |fired: &Fired| fired.sums(&self.weights, &mut sums);
        self.evaluator.tell(add);
        let sums = sums.iter().zip(self.floors.drain(..));
        sums.map(|(sum, floors)| self.weights.outcome(&sum.beside(floors)))
            .collect()
    }
}

pub(crate) fn customer(event: &FeatureEvent) -> u64 {
    let keys = CUSTOMERS.iter().map(|kind| event.entity(*kind));
    keys.into_iter().find(|key| *key != 0).unwrap_or(0)
}

fn out_of_order(row: &PastRow) -> Error {
    Error::RecordDamaged(format!("event {} is out of order", row.event_no))
}
