//! The same events through other doors: a replay, and a second past swapped in beside traffic.

use crate::oracle::Dice;
use paywarden_domain::time::{DAY, HOUR, SECOND};
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use paywarden_features::*;

/// One decision as a journal keeps it, with the values that it saw.
struct Row {
    number: u64,
    event: FeatureEvent,
    outcome: Outcome,
    values: Vec<Value>,
}

/// A label as a journal keeps it: after which decision it became known.
type LabelRow = (u64, u64, LabelVerdict);

/// Decides events one after the other, with labels and aborts in between.
fn online(
    store: &FeatureStore,
    dice: &mut Dice,
    now: &mut i64,
    events: usize,
    step: i64,
) -> (Vec<Row>, Vec<LabelRow>) {
    let (mut rows, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..events {
        *now += dice.below(step as u64) as i64;
        let event = dice.event(*now, 6);
        let ticket = store.reserve(&event, &mut values);
        let number = ticket.event_no();
        if dice.chance(10) {
            store.abort(ticket);
            continue;
        }
        let outcome = dice.pick(&Outcome::ALL);
        store.commit(ticket, outcome);
        rows.push(Row {
            number,
            event,
            outcome,
            values: values.clone(),
        });
        if dice.chance(30) {
            let (of, verdict) = (dice.below(number) + 1, dice.pick(&LabelVerdict::ALL));
            store.label(of, verdict);
            labels.push((number, of, verdict));
        }
    }
    (rows, labels)
}

#[test]
fn a_replay_sees_the_bits_that_were_seen_online() {
    for (seed, long_min) in [(1, 4), (2, 256)] {
        let mut dice = Dice(seed);
        let specs = dice.specs(40, 2 * DAY);
        let limits = Limits {
            long_min,
            ..Limits::default()
        };
        let store = FeatureStore::new(limits);
        store.register(&specs).unwrap();
        let mut now = 1_700_000_000 * SECOND;
        let (rows, labels) = online(&store, &mut dice, &mut now, 900, 900 * SECOND);
        let mut replay = Replay::new(limits, &specs).unwrap();
        // Time of decision: here the number itself, as the labels are noted by it.
        for (after, of, verdict) in &labels {
            replay.label(Timestamp::from_micros(*after as i64 + 1), *of, *verdict);
        }
        let mut values = Vec::new();
        for row in &rows {
            let decided_at = Timestamp::from_micros(row.number as i64);
            let seen = replay.decide(decided_at, row.number, &row.event, row.outcome, &mut values);
            assert_eq!(seen, Some(false));
            assert_eq!(values, row.values, "event {}", row.number);
            assert!(
                replay
                    .decide(decided_at, row.number, &row.event, row.outcome, &mut values)
                    .is_none()
            );
        }
        // Aborted events, of which a replay knows nothing, have moved the live store on a little.
        let (replayed, live) = (replay.stats().events, store.stats().events);
        assert!((live..=live + 4).contains(&replayed), "{replayed} {live}");
    }
}

/// A live store with traffic going on, and what its journal has of it.
struct Live {
    dice: Dice,
    store: FeatureStore,
    now: i64,
    journal: Vec<Row>,
    labels: Vec<LabelRow>,
}

impl Live {
    fn new(seed: u64, limits: Limits) -> Self {
        let store = FeatureStore::new(limits);
        let short = [WindowSpec::recent(EntityKind::Card, Aggregate::Count, HOUR)];
        store.register(&short).unwrap();
        let now = 1_700_000_000 * SECOND;
        Self {
            dice: Dice(seed),
            store,
            now,
            journal: Vec::new(),
            labels: Vec::new(),
        }
    }

    fn traffic(&mut self, events: usize, step: i64) {
        let (rows, labels) = online(&self.store, &mut self.dice, &mut self.now, events, step);
        self.journal.extend(rows);
        self.labels.extend(labels);
    }

    /// Replays the journal as far as the back-fill asks, while traffic goes on.
    fn feed(&mut self, backfill: &mut Backfill) {
        let mut done = 0;
        while let Some(until) = backfill.journal_until(&self.store) {
            for row in self
                .journal
                .iter()
                .filter(|row| (done..until).contains(&row.number))
            {
                let wanted = row.event.at >= backfill.since().micros();
                assert!(!wanted || backfill.replay(row.number, &row.event, row.outcome));
            }
            backfill.journal_ended();
            done = until;
            self.traffic(50, if until < 700 { HOUR / 4 } else { SECOND });
        }
        for (_, of, verdict) in &self.labels {
            backfill.label(*of, *verdict);
        }
    }

    /// Events that are undecided when copied and settled afterwards; a label for an old one.
    fn overlap(&mut self, backfill: &mut Backfill) {
        let (mut values, mut open) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let event = self.dice.event(self.now, 6);
            open.push((event, self.store.reserve(&event, &mut values)));
        }
        assert_eq!(backfill.catch_up(&self.store, u64::MAX), Some(0));
        self.store.label(1, LabelVerdict::Chargeback);
        self.labels.push((0, 1, LabelVerdict::Chargeback));
        for (event, ticket) in open {
            let number = ticket.event_no();
            if self.dice.chance(30) {
                self.store.abort(ticket);
                continue;
            }
            let outcome = self.dice.pick(&Outcome::ALL);
            self.store.commit(ticket, outcome);
            self.journal.push(Row {
                number,
                event,
                outcome,
                values: Vec::new(),
            });
        }
    }
}

#[test]
fn a_backfill_beside_traffic_ends_as_if_its_windows_had_always_been_there() {
    for seed in 0..6 {
        let specs = Dice(seed).specs(30, 20 * DAY);
        let limits = Limits {
            long_min: 8,
            ..Limits::default()
        };
        let mut live = Live::new(100 + seed, limits);
        live.traffic(600, HOUR);
        assert!(
            live.store.stats().events < 100,
            "it has dropped what it does not need"
        );
        let mut backfill = live.store.begin_backfill(&specs).unwrap();
        live.feed(&mut backfill);
        live.overlap(&mut backfill);
        let plan = backfill.swap(&live.store).unwrap();

        let always = FeatureStore::new(limits);
        always.register(&specs).unwrap();
        for row in &live.journal {
            always.replay(row.number, &row.event, row.outcome);
        }
        for (_, of, verdict) in &live.labels {
            always.label(*of, *verdict);
        }
        let (mut values, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            live.now += live.dice.below(HOUR as u64) as i64;
            let event = live.dice.event(live.now, 6);
            let ticket = live.store.reserve_for(&plan, &event, &mut values);
            let other = always.reserve(&event, &mut expected);
            assert_eq!(values, expected);
            live.store.commit(ticket, Outcome::Approve);
            always.commit(other, Outcome::Approve);
        }
    }
}

#[test]
fn only_the_latest_backfill_can_be_swapped_in() {
    let store = FeatureStore::new(Limits::default());
    let first = store.begin_backfill(&[]).unwrap();
    let second = store.begin_backfill(&[]).unwrap();
    assert!(first.swap(&store).is_err());
    assert!(second.swap(&store).is_ok());
}
