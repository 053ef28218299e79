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
        assert_eq!(replay.stats().events, store.stats().events);
    }
}

#[test]
fn a_backfill_beside_traffic_ends_as_if_its_windows_had_always_been_there() {
    for seed in 0..6 {
        let mut dice = Dice(100 + seed);
        let short = [WindowSpec::recent(EntityKind::Card, Aggregate::Count, HOUR)];
        let specs = dice.specs(30, 20 * DAY);
        let limits = Limits {
            long_min: 8,
            ..Limits::default()
        };
        let live = FeatureStore::new(limits);
        live.register(&short).unwrap();
        let always = FeatureStore::new(limits);
        always.register(&specs).unwrap();
        let mut now = 1_700_000_000 * SECOND;
        let (mut journal, mut labels) = online(&live, &mut dice, &mut now, 600, HOUR);
        assert!(
            live.stats().events < 100,
            "the live store has dropped what it does not need"
        );

        let mut backfill = live.begin_backfill(&specs).unwrap();
        let mut done = 0;
        while let Some(until) = backfill.journal_until(&live) {
            for row in journal
                .iter()
                .skip_while(|row| row.number < done)
                .filter(|row| row.number < until)
            {
                assert!(
                    row.event.at < backfill.since().micros()
                        || backfill.replay(row.number, &row.event, row.outcome)
                );
            }
            backfill.journal_ended();
            done = until;
            let step = if until < 700 { HOUR / 4 } else { SECOND };
            let more = online(&live, &mut dice, &mut now, 50, step);
            journal.extend(more.0);
            labels.extend(more.1);
        }
        for (_, of, verdict) in &labels {
            backfill.label(*of, *verdict);
        }
        // Undecided when copied, decided or aborted afterwards; labelled when only the journal had it.
        let (mut values, mut open) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let event = dice.event(now, 6);
            let ticket = live.reserve(&event, &mut values);
            open.push((ticket.event_no(), event, ticket));
        }
        assert_eq!(backfill.catch_up(&live, u64::MAX), Some(0));
        live.label(1, LabelVerdict::Chargeback);
        labels.push((0, 1, LabelVerdict::Chargeback));
        for (number, event, ticket) in open {
            if dice.chance(30) {
                live.abort(ticket);
            } else {
                let outcome = dice.pick(&Outcome::ALL);
                live.commit(ticket, outcome);
                journal.push(Row {
                    number,
                    event,
                    outcome,
                    values: Vec::new(),
                });
            }
        }
        let plan = backfill.swap(&live).unwrap();
        assert_eq!(plan.slots(), specs.len());
        for row in &journal {
            always.replay(row.number, &row.event, row.outcome);
        }
        for (_, of, verdict) in &labels {
            always.label(*of, *verdict);
        }
        let mut expected = Vec::new();
        for _ in 0..200 {
            now += dice.below(HOUR as u64) as i64;
            let event = dice.event(now, 6);
            let ticket = live.reserve_for(&plan, &event, &mut values);
            let other = always.reserve(&event, &mut expected);
            assert_eq!(values, expected);
            live.commit(ticket, Outcome::Approve);
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
