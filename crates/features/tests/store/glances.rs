//! Looks at entities, against the definition of windows and against walking every event by hand.

use crate::oracle::{Dice, Oracle, agree};
use paywarden_domain::time::{DAY, SECOND};
use paywarden_domain::{EventKind, Outcome, Timestamp};
use paywarden_features::{glance::NODES_MAX, *};
use std::collections::{BTreeMap, BTreeSet};

const NOW: i64 = 1_700_000_000 * SECOND;

/// A store with some events, and its oracle.
fn filled(dice: &mut Dice, specs: &[WindowSpec]) -> (FeatureStore, std::sync::Arc<Plan>, Oracle) {
    let store = FeatureStore::new(Limits {
        long_min: 16,
        ..Limits::default()
    });
    let plan = store.register(specs).unwrap();
    let (mut oracle, mut values) = (Oracle::default(), Vec::new());
    for step in 0..200 {
        let event = dice.event(NOW + step * 60 * SECOND, 4);
        let ticket = store.reserve(&event, &mut values);
        oracle.add(ticket.event_no(), event);
        oracle.known(ticket.event_no()).unwrap().outcome = Some(Outcome::Approve);
        store.commit(ticket, Outcome::Approve);
    }
    (store, plan, oracle)
}

#[test]
fn a_glance_is_what_an_event_would_read_that_does_not_count() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let mut specs = dice.specs(30, 3 * DAY);
        for spec in &mut specs {
            spec.readers = Set::all();
        }
        let (store, plan, oracle) = filled(&mut dice, &specs);
        let at = NOW + 201 * 60 * SECOND;
        let before = store.stats();
        for kind in EntityKind::ALL {
            let key = oracle.events.iter().map(|known| known.event.entity(kind));
            let Some(key) = key.rev().find(|key| *key != 0) else {
                continue;
            };
            let mut looks = FeatureEvent::new(EventKind::PaymentCard, at);
            looks.entities[kind as usize] = key;
            let at = Timestamp::from_micros(at);
            let glance = store.glance(&plan, (kind, key), at).unwrap();
            for (spec, value) in specs.iter().zip(&glance.values) {
                let alone = WindowSpec {
                    counts_self: false,
                    ..*spec
                };
                if spec.aggregate == Aggregate::FirstSeen && spec.seen_as != kind {
                    continue;
                }
                let expected = oracle.value(&alone, &looks);
                assert!(
                    agree(spec, *value, expected),
                    "{spec:?}: {value:?} {expected:?}"
                );
            }
            let named = |event: &FeatureEvent| {
                let other = match kind {
                    EntityKind::Account => EntityKind::Payee,
                    EntityKind::Payee => EntityKind::Account,
                    kind => kind,
                };
                [kind, other]
                    .into_iter()
                    .any(|kind| event.entity(kind) == key)
            };
            let numbers = oracle
                .events
                .iter()
                .rev()
                .filter(|known| named(&known.event));
            let newest = numbers.clone().map(|known| known.number).max();
            assert_eq!(glance.numbers.first().copied(), newest);
        }
        assert_eq!(store.stats(), before, "a look changes nothing");
        assert_eq!(
            store.glance(
                &plan,
                (EntityKind::Card, 0xdead),
                Timestamp::from_micros(NOW)
            ),
            None
        );
    }
}

fn transfer(at: i64, [payer, payee, device]: [u64; 3], amount: i64) -> FeatureEvent {
    let mut event = FeatureEvent::new(EventKind::PaymentTransfer, NOW + at);
    event.amount = Some(amount);
    event.entities[EntityKind::Account as usize] = payer;
    event.entities[EntityKind::Payee as usize] = payee;
    event.entities[EntityKind::Device as usize] = device;
    event
}

/// A tie of two keys and whether money went, with its events and what they come to.
type Sums = BTreeMap<(u64, u64, bool), (u32, i64)>;

/// The ties of those who are near, by hand, each in the direction in which it was found.
fn summed(events: &[([u64; 3], i64)], near: &BTreeSet<u64>, found: &Sums) -> Sums {
    let mut sums = Sums::new();
    for ([payer, payee, device], amount) in events.iter().copied() {
        let mut ties = vec![];
        if payer != payee {
            ties.push((payer, payee, true));
        }
        for account in BTreeSet::from([payer, payee]) {
            ties.push((account, device, false));
        }
        let is_near = |tie: &(u64, u64, bool)| near.contains(&tie.0) || near.contains(&tie.1);
        for tie in ties.into_iter().filter(is_near) {
            let other = (tie.1, tie.0, false);
            let is_other = !tie.2 && found.contains_key(&other);
            let sum = sums.entry(if is_other { other } else { tie }).or_default();
            *sum = (sum.0 + 1, sum.1 + amount);
        }
    }
    sums
}

#[test]
fn a_web_has_every_tie_within_two_and_the_way_of_the_money() {
    let store = FeatureStore::new(Limits::default());
    let (mut dice, mut values) = (Dice(7), Vec::new());
    let mut events = Vec::new();
    for at in 0..24 {
        let ends = [1 + dice.below(6), 1 + dice.below(6), 100 + dice.below(3)];
        let event = transfer(at, ends, 100 + at);
        store.observe(&event, Outcome::Approve, &mut values);
        events.push((ends, 100 + at));
    }
    store.mark(EntityKind::Account, 2, true);
    let web = store.web((EntityKind::Account, 1)).unwrap();
    assert!(web.is_whole);
    let name = |place: usize| (web.nodes[place].kind, web.nodes[place].key);
    let found: Sums = web
        .ties
        .iter()
        .map(|tie| {
            (
                (name(tie.from).1, name(tie.to).1, tie.is_paid),
                (tie.events, tie.amount),
            )
        })
        .collect();
    // Three ties lead everywhere here, so that whoever is near has all of its own.
    let near: BTreeSet<u64> = web
        .nodes
        .iter()
        .filter(|node| node.hops < 2)
        .map(|node| node.key)
        .collect();
    let expected = summed(&events, &near, &found);
    assert_eq!(found, expected);
    let marked = web
        .nodes
        .iter()
        .filter(|node| node.is_marked)
        .map(|node| node.key);
    assert_eq!(marked.collect::<Vec<_>>(), [2]);
    assert_eq!(
        web,
        store.web((EntityKind::Account, 1)).unwrap(),
        "the same each time"
    );
    assert_eq!(store.web((EntityKind::Account, 99)), None);
}

#[test]
fn a_web_ends_at_its_limits_and_says_so() {
    let store = FeatureStore::new(Limits::default());
    let mut values = Vec::new();
    for at in 0..200 {
        let ends = [1, 1_000 + at, 7];
        store.observe(&transfer(at as i64, ends, 1), Outcome::Approve, &mut values);
    }
    let web = store.web((EntityKind::Account, 1)).unwrap();
    assert!(!web.is_whole);
    assert_eq!(web.nodes.len(), NODES_MAX);
    assert!(web.ties.len() <= glance::TIES_MAX);
    assert_eq!(web.nodes[1].hops, 1);
    // A merchant is shown, and what else it takes part in is not followed.
    let mut event = transfer(300, [5_000, 5_001, 8], 1);
    event.entities[EntityKind::Merchant as usize] = 9;
    store.observe(&event, Outcome::Approve, &mut values);
    let mut other = transfer(301, [6_000, 6_001, 10], 1);
    other.entities[EntityKind::Merchant as usize] = 9;
    store.observe(&other, Outcome::Approve, &mut values);
    let web = store.web((EntityKind::Device, 8)).unwrap();
    assert!(web.nodes.iter().any(|node| node.key == 9));
    assert!(web.nodes.iter().all(|node| node.key != 6_000));
}
