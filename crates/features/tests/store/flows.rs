//! Where money came from, against walking every chain by hand.

use paywarden_domain::time::HOUR;
use paywarden_domain::{EventKind, Outcome};
use paywarden_features::{Aggregate, EntityKind, FeatureEvent, FeatureStore, Limits, Value};
use paywarden_features::{WindowSpec, flows};
use proptest::prelude::*;

const START: i64 = 1_700_000_000_000_000;
const LENGTH: i64 = 24 * HOUR;

#[derive(Debug, Clone, Copy)]
struct Transfer {
    payer: u64,
    payee: u64,
    at: i64,
    amount: i64,
    outcome: Outcome,
}

fn specs() -> [WindowSpec; 3] {
    [
        WindowSpec::flow(EntityKind::Account, Aggregate::Cycle, LENGTH),
        WindowSpec::flow(EntityKind::Account, Aggregate::Relay, LENGTH),
        WindowSpec::flow(EntityKind::Payee, Aggregate::CommonSource, LENGTH),
    ]
}

fn event(transfer: &Transfer) -> FeatureEvent {
    let mut event = FeatureEvent::new(EventKind::PaymentTransfer, START + transfer.at);
    event.amount = Some(transfer.amount);
    event.entities[EntityKind::Account as usize] = transfer.payer;
    event.entities[EntityKind::Payee as usize] = transfer.payee;
    event
}

/// The values of one transfer after others, and whether a limit was met.
fn put(store: &FeatureStore, transfer: &Transfer) -> (Vec<Value>, bool) {
    let mut values = Vec::new();
    let ticket = store.reserve(&event(transfer), &mut values);
    let bounded = ticket.bounded();
    store.commit(ticket, transfer.outcome);
    (values, bounded)
}

/// The transfers that one may continue, by definition.
fn before<'a>(past: &'a [Transfer], last: &Transfer, since: i64) -> Vec<&'a Transfer> {
    let fits = |first: &&Transfer| {
        first.outcome != Outcome::Decline
            && first.payee == last.payer
            && first.payer != last.payer
            && (since < first.at && first.at <= last.at)
            && first.amount * 80 <= last.amount * 100
            && last.amount * 100 <= first.amount * 102
    };
    past.iter().filter(fits).collect()
}

/// Every chain of earlier transfers that leads to one: its origin and how many transfers it has.
fn chains(past: &[Transfer], last: &Transfer, since: i64, place: i64, found: &mut Vec<(u64, i64)>) {
    if place > flows::TRANSFERS_MAX {
        return;
    }
    for first in before(past, last, since) {
        found.push((first.payer, place));
        chains(past, first, since, place + 1, found);
    }
}

fn expected(past: &[Transfer], now: &Transfer) -> Vec<Value> {
    if now.payer == now.payee {
        return vec![Value::Missing; 3];
    }
    let since = now.at - LENGTH;
    let mut found = Vec::new();
    chains(past, now, since, 1, &mut found);
    let closing = found.iter().filter(|(origin, _)| *origin == now.payee);
    let cycle = closing.map(|(_, place)| place + 1).min();
    let relay = found.iter().map(|(_, place)| *place).max().unwrap_or(0);
    let into = past.iter().filter(|one| {
        one.outcome != Outcome::Decline
            && one.payee == now.payee
            && (since < one.at && one.at <= now.at)
    });
    let ways: Vec<(u64, u64)> = into
        .chain([now])
        .flat_map(|last| {
            before(past, last, since)
                .into_iter()
                .map(|first| (first.payer, last.payer))
        })
        .collect();
    let by = |source: u64| {
        let hands = ways.iter().filter(|(from, _)| *from == source);
        hands
            .map(|(_, hand)| hand)
            .collect::<std::collections::BTreeSet<_>>()
            .len() as i64
    };
    let common = ways
        .iter()
        .map(|(source, _)| by(*source))
        .max()
        .unwrap_or(0);
    vec![
        cycle.map_or(Value::Missing, Value::Count),
        Value::Count(relay),
        Value::Count(common),
    ]
}

fn transfers() -> impl Strategy<Value = Vec<Transfer>> {
    let outcome = prop_oneof![4 => Just(Outcome::Approve), 1 => Just(Outcome::Decline)];
    let one = (1..7u64, 1..7u64, 0..40i64, 70..130i64, outcome);
    let one = one.prop_map(|(payer, payee, hours, amount, outcome)| Transfer {
        payer,
        payee,
        at: hours * HOUR,
        amount,
        outcome,
    });
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// In any order of arrival, with short timelines and with long ones.
    #[test]
    fn chains_are_those_of_the_definition(transfers in transfers(), long_min in prop_oneof![Just(2), Just(256)]) {
        let store = FeatureStore::new(Limits { long_min, ..Limits::default() });
        store.register(&specs()).unwrap();
        for (place, transfer) in transfers.iter().enumerate() {
            let (values, bounded) = put(&store, transfer);
            let expected = expected(&transfers[..place], transfer);
            if !bounded {
                prop_assert_eq!(values, expected, "{} of {:?}", place, transfers);
            }
        }
    }
}

fn transfer(payer: u64, payee: u64, minute: i64, amount: i64) -> Transfer {
    Transfer {
        payer,
        payee,
        at: minute * 60_000_000,
        amount,
        outcome: Outcome::Approve,
    }
}

fn last(transfers: &[Transfer]) -> Vec<Value> {
    let store = FeatureStore::new(Limits::default());
    store.register(&specs()).unwrap();
    let values = transfers.iter().map(|one| put(&store, one)).last();
    let (values, bounded) = values.unwrap();
    assert!(!bounded);
    values
}

#[test]
fn money_is_seen_to_come_back_to_pass_through_and_to_gather_again() {
    let there_and_back = [transfer(1, 2, 0, 1000), transfer(2, 1, 9, 950)];
    assert_eq!(
        last(&there_and_back)[..2],
        [Value::Count(2), Value::Count(1)]
    );
    let round = [
        transfer(1, 2, 0, 1000),
        transfer(2, 3, 5, 960),
        transfer(3, 4, 10, 930),
        transfer(4, 1, 15, 900),
    ];
    assert_eq!(last(&round)[..2], [Value::Count(4), Value::Count(3)]);
    // Against the order of time, or after most of it was spent, nothing comes back.
    let too_early = [
        transfer(2, 3, 0, 960),
        transfer(1, 2, 5, 1000),
        transfer(3, 1, 9, 900),
    ];
    assert_eq!(last(&too_early)[..2], [Value::Missing, Value::Count(1)]);
    let spent = [transfer(1, 2, 0, 1000), transfer(2, 1, 9, 700)];
    assert_eq!(last(&spent)[..2], [Value::Missing, Value::Count(0)]);
    let apart = [
        transfer(1, 2, 0, 300),
        transfer(1, 3, 1, 300),
        transfer(1, 4, 2, 300),
        transfer(2, 9, 20, 290),
        transfer(3, 9, 30, 280),
        transfer(4, 9, 40, 270),
    ];
    assert_eq!(last(&apart)[2], Value::Count(3));
}

#[test]
fn a_busy_account_is_looked_at_so_far_and_no_further() {
    let store = FeatureStore::new(Limits::default());
    store.register(&specs()).unwrap();
    for payer in 0..2_000 {
        put(&store, &transfer(100 + payer, 1, 0, 1000));
    }
    let (values, bounded) = put(&store, &transfer(1, 2, 1, 1000));
    assert_eq!((values[1], bounded), (Value::Count(1), true));
}

#[test]
fn only_one_side_up_to_now_and_no_filter() {
    let wrong = [
        WindowSpec::flow(EntityKind::Payee, Aggregate::Cycle, LENGTH),
        WindowSpec::flow(EntityKind::Account, Aggregate::CommonSource, LENGTH),
        WindowSpec::between(EntityKind::Account, Aggregate::Relay, HOUR, LENGTH),
        WindowSpec::flow(EntityKind::Account, Aggregate::Cycle, 0),
    ];
    for spec in wrong {
        assert!(spec.check().is_err(), "{spec:?}");
    }
}
