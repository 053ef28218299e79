//! Images: whole or refused, and equal to what they were taken of.

use crate::oracle::Dice;
use paywarden_domain::time::{DAY, SECOND};
use paywarden_domain::{LabelVerdict, Outcome};
use paywarden_features::*;
use std::io::{self, Read};

/// A store with some events, a few of them expired, and its windows.
fn filled(events: usize) -> (FeatureStore, Vec<WindowSpec>, Dice, i64) {
    let mut dice = Dice(events as u64);
    let specs = dice.specs(20, 2 * DAY);
    let store = FeatureStore::new(Limits {
        long_min: 16,
        ..Limits::default()
    });
    store.register(&specs).unwrap();
    let (mut now, mut values) = (1_700_000_000 * SECOND, Vec::new());
    for _ in 0..events {
        now += dice.below(40_000 * SECOND as u64) as i64;
        let ticket = store.reserve(&dice.event(now, 5), &mut values);
        let number = ticket.event_no();
        store.commit(ticket, Outcome::Approve);
        if dice.chance(20) {
            store.label(number, LabelVerdict::Fraud);
        }
    }
    (store, specs, dice, now)
}

fn image(store: &FeatureStore) -> Vec<u8> {
    let mut image = Vec::new();
    store.snapshot(42, &mut image).unwrap();
    image
}

/// Both stores give the same values for the same further events.
fn assert_equal(left: &FeatureStore, right: &FeatureStore, dice: &mut Dice, mut now: i64) {
    let (mut left_values, mut right_values) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        now += dice.below(2000 * SECOND as u64) as i64;
        let event = dice.event(now, 5);
        let left_ticket = left.reserve(&event, &mut left_values);
        let right_ticket = right.reserve(&event, &mut right_values);
        assert_eq!(left_ticket, right_ticket);
        assert_eq!(left_values, right_values);
        left.commit(left_ticket, Outcome::Decline);
        right.commit(right_ticket, Outcome::Decline);
    }
}

#[test]
fn a_restored_store_goes_on_as_the_one_it_was_taken_of() {
    for events in [0, 1, 700] {
        let (store, specs, mut dice, now) = filled(events);
        let restored = FeatureStore::new(Limits {
            long_min: 40,
            ..Limits::default()
        });
        restored.register(&specs).unwrap();
        let image = image(&store);
        let next_event_no = store.stats().next_event_no;
        let expected = Restored {
            next_event_no,
            labels_seq: 42,
            deltas: 0,
            left_out: None,
        };
        assert_eq!(restored.restore(image.as_slice()).unwrap(), expected);
        assert_eq!(restored.stats().events, store.stats().events);
        assert_eq!(
            restored.stats().truncated_since,
            store.stats().truncated_since
        );
        let mut again = Vec::new();
        restored.snapshot(42, &mut again).unwrap();
        assert_eq!(again.len(), image.len());
        assert_equal(&store, &restored, &mut dice, now);
    }
}

#[test]
fn damaged_images_are_refused_and_change_nothing() {
    let (store, specs, mut dice, now) = filled(80);
    let (target, _, _, _) = filled(80);
    let image = image(&store);
    for place in 0..image.len() {
        let mut damaged = image.clone();
        damaged[place] ^= 1 << (place % 8);
        let refused = target.restore(damaged.as_slice());
        assert!(
            matches!(refused, Err(Error::Damaged(_) | Error::Format { .. })),
            "{place}"
        );
        assert!(
            matches!(target.restore(&image[..place]), Err(Error::Damaged(_))),
            "{place}"
        );
    }
    target.register(&specs).unwrap();
    assert_equal(&store, &target, &mut dice, now);
}

/// A base with two deltas after it, labels of old and new events in both; what each part ends with.
fn chain(store: &FeatureStore, dice: &mut Dice, now: &mut i64) -> (Vec<u8>, Vec<(usize, u64)>) {
    let mut image = Vec::new();
    let mut saved = store.snapshot(40, &mut image).unwrap();
    let mut ends = vec![(image.len(), store.stats().next_event_no)];
    let mut values = Vec::new();
    for delta in 1..=2 {
        for _ in 0..40 {
            *now += dice.below(4000 * SECOND as u64) as i64;
            let ticket = store.reserve(&dice.event(*now, 5), &mut values);
            let of = dice.below(ticket.event_no()) + 1;
            match dice.chance(10) {
                true => store.abort(ticket),
                false => store.commit(ticket, dice.pick(&Outcome::ALL)),
            }
            store.label(of, dice.pick(&LabelVerdict::ALL));
        }
        saved = store
            .snapshot_delta(saved, 40 + delta, &mut image)
            .unwrap()
            .unwrap();
        ends.push((image.len(), store.stats().next_event_no));
    }
    (image, ends)
}

#[test]
fn deltas_bring_a_base_up_to_date_and_labels_with_it() {
    for events in [0, 3, 700] {
        let (store, specs, mut dice, mut now) = filled(events);
        let (image, _) = chain(&store, &mut dice, &mut now);
        let restored = FeatureStore::new(Limits {
            long_min: 40,
            ..Limits::default()
        });
        restored.register(&specs).unwrap();
        let next_event_no = store.stats().next_event_no;
        let whole = Restored {
            next_event_no,
            labels_seq: 42,
            deltas: 2,
            left_out: None,
        };
        assert_eq!(restored.restore(image.as_slice()).unwrap(), whole);
        assert_eq!(restored.stats().events, store.stats().events);
        assert_equal(&store, &restored, &mut dice, now);
    }
}

/// Killed at any byte, or with any byte damaged: the state of some earlier part, or an error.
#[test]
fn a_cut_or_damaged_chain_gives_an_earlier_state_or_an_error() {
    let (store, specs, mut dice, mut now) = filled(30);
    let (image, ends) = chain(&store, &mut dice, &mut now);
    let parts: Vec<Vec<u8>> = ends.iter().map(|(end, _)| image[..*end].to_vec()).collect();
    let target = FeatureStore::new(Limits::default());
    target.register(&specs).unwrap();
    let rewritten = |store: &FeatureStore| {
        let mut image = Vec::new();
        store.snapshot(0, &mut image).unwrap();
        image
    };
    let expected: Vec<Vec<u8>> = parts
        .iter()
        .map(|part| {
            target.restore(part.as_slice()).unwrap();
            rewritten(&target)
        })
        .collect();
    for place in 0..image.len() {
        let whole = ends.iter().filter(|(end, _)| *end <= place).count();
        let mut flipped = image.clone();
        flipped[place] ^= 1 << (place % 8);
        for bytes in [&image[..place], &flipped] {
            match target.restore(bytes) {
                Ok(restored) => {
                    let part = restored.deltas as usize;
                    assert_eq!(part + 1, whole, "{place}");
                    assert_eq!(restored.next_event_no, ends[part].1);
                    let cut_between = ends[part].0 == bytes.len();
                    assert_eq!(restored.left_out.is_none(), cut_between, "{place}");
                    if place % 16 == 0 {
                        assert_eq!(rewritten(&target), expected[part]);
                    }
                }
                Err(error) => assert!(whole == 0, "{place} {error}"),
            }
        }
    }
}

#[test]
fn a_delta_without_its_base_is_asked_for_as_a_base() {
    let (store, _, mut dice, mut now) = filled(5);
    let mut image = Vec::new();
    let saved = store.snapshot(0, &mut image).unwrap();
    let mut values = Vec::new();
    // All that the base had is dropped before the delta is written.
    for _ in 0..200 {
        now += DAY;
        let ticket = store.reserve(&dice.event(now, 5), &mut values);
        store.commit(ticket, Outcome::Approve);
    }
    assert!(
        store
            .snapshot_delta(saved, 0, &mut image)
            .unwrap()
            .is_none()
    );
}

#[test]
fn hostile_images_are_refused() {
    let mut dice = Dice(1);
    let store = FeatureStore::new(Limits::default());
    for _ in 0..2000 {
        let mut bytes = b"pw-past\x02".to_vec();
        let length = dice.below(60) as u8;
        bytes.extend([dice.below(4) as u8, length, 0, 0, 0]);
        bytes.extend((0..dice.below(80)).map(|_| dice.below(256) as u8));
        assert!(store.restore(bytes.as_slice()).is_err());
    }
}

#[test]
fn undecided_events_and_all_after_them_are_left_to_the_journal() {
    let (store, specs, mut dice, now) = filled(30);
    let mut values = Vec::new();
    let event = dice.event(now, 5);
    let ticket = store.reserve(&event, &mut values);
    let later = dice.event(now, 5);
    let later_ticket = store.reserve(&later, &mut values);
    let later_number = later_ticket.event_no();
    store.commit(later_ticket, Outcome::Approve);
    assert_eq!(store.stats().oldest_pending, Some(ticket.event_no()));
    let image = image(&store);
    let restored = FeatureStore::new(Limits::default());
    restored.register(&specs).unwrap();
    let next_event_no = restored.restore(image.as_slice()).unwrap().next_event_no;
    assert_eq!(next_event_no, ticket.event_no());
    assert!(restored.replay(next_event_no, &event, Outcome::Hold));
    assert!(restored.replay(later_number, &later, Outcome::Approve));
    store.commit(ticket, Outcome::Hold);
    assert_equal(&store, &restored, &mut dice, now);
}

#[test]
fn an_image_can_be_written_beside_traffic() {
    let (store, specs, mut dice, now) = filled(400);
    let image = std::thread::scope(|scope| {
        let writer = scope.spawn(|| image(&store));
        let mut values = Vec::new();
        for step in 0..2000 {
            let ticket = store.reserve(&dice.event(now + step * SECOND, 5), &mut values);
            store.commit(ticket, Outcome::Approve);
        }
        writer.join().unwrap()
    });
    let restored = FeatureStore::new(Limits::default());
    restored.register(&specs).unwrap();
    assert!(restored.restore(image.as_slice()).unwrap().next_event_no >= 400);
}

#[test]
fn a_failing_reader_is_not_called_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let refused = FeatureStore::new(Limits::default()).restore(Broken);
    assert!(matches!(refused, Err(Error::Io(_))));
}

/// A writer that lets payments in when the events are copied and the entities not yet.
struct Beside<'a> {
    store: &'a FeatureStore,
    image: Vec<u8>,
    writes: usize,
}

impl io::Write for Beside<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        // Name and format are written before anything is copied.
        if self.writes == 3 {
            (100..160).for_each(|number| pay(self.store, number as u64 % 20 + 1, number));
        }
        self.image.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn payment(card: u64, number: i64) -> FeatureEvent {
    let kind = paywarden_domain::EventKind::PaymentCard;
    let mut event = FeatureEvent::new(kind, 1_700_000_000 * SECOND + number * SECOND);
    event.entities[EntityKind::Card as usize] = card;
    event
}

fn pay(store: &FeatureStore, card: u64, number: i64) {
    let ticket = store.reserve(&payment(card, number), &mut Vec::new());
    store.commit(ticket, Outcome::Approve);
}

/// Of each card the image has events that its list lacks: they were dropped in between. They must
/// not count for the card when it has many events, neither when they change nor when they go.
#[test]
fn events_dropped_while_an_image_was_written_do_not_count() {
    let limits = Limits {
        events_max: 100,
        long_min: 8,
        ..Limits::default()
    };
    let count = WindowSpec::recent(EntityKind::Card, Aggregate::Count, DAY);
    let fraud = Set::EMPTY.with(Some(LabelVerdict::Fraud));
    let labelled = count.filtered(Filter {
        labels: Some(fraud),
        ..Filter::default()
    });
    let specs = [count, labelled];
    let store = FeatureStore::new(limits);
    store.register(&specs).unwrap();
    (0..100).for_each(|number| pay(&store, number as u64 % 20 + 1, number));
    let mut beside = Beside {
        store: &store,
        image: Vec::new(),
        writes: 0,
    };
    store.snapshot(0, &mut beside).unwrap();
    let restored = FeatureStore::new(limits);
    restored.register(&specs).unwrap();
    let found = restored.restore(beside.image.as_slice()).unwrap();
    assert_eq!(found.next_event_no, 101);
    // The card has its events 61 and 81; 1, 21 and 41 are in the image and not in its list.
    (100..130).for_each(|number| pay(&restored, 1, number));
    assert_eq!(restored.stats().long_timelines, 1);
    assert!(restored.label(41, LabelVerdict::Fraud));
    let mut values = Vec::new();
    restored.abort(restored.reserve(&payment(1, 160), &mut values));
    assert_eq!(values, [Value::Count(33), Value::Count(0)]);
}
