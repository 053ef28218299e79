//! What happens at the limits, and when several payments are decided at once.

use paywarden_domain::time::{DAY, HOUR, MINUTE, SECOND};
use paywarden_domain::{EventKind, LabelVerdict, Outcome, Timestamp};
use paywarden_features::*;
use std::sync::Barrier;

const START: i64 = 1_700_000_000 * SECOND;

fn payment(card: u64, at: i64) -> FeatureEvent {
    let mut event = FeatureEvent::new(EventKind::PaymentCard, START + at);
    event.amount = Some(100);
    event.entities[EntityKind::Card as usize] = card;
    event
}

fn count(length: i64) -> WindowSpec {
    WindowSpec::recent(EntityKind::Card, Aggregate::Count, length)
}

fn store(limits: Limits, specs: &[WindowSpec]) -> FeatureStore {
    let store = FeatureStore::new(limits);
    store.register(specs).unwrap();
    store
}

/// Reserves and approves; returns the values and whether they are bounded.
fn pay(store: &FeatureStore, event: &FeatureEvent) -> (Vec<Value>, bool) {
    let mut values = Vec::new();
    let ticket = store.reserve(event, &mut values);
    let bounded = ticket.bounded();
    store.commit(ticket, Outcome::Approve);
    (values, bounded)
}

#[test]
fn payments_decided_at_once_see_each_other() {
    let store = store(Limits::default(), &[count(HOUR)]);
    for round in 1..200 {
        let barrier = Barrier::new(2);
        let race = || {
            barrier.wait();
            pay(&store, &payment(round, 0)).0[0]
        };
        let mut counts = std::thread::scope(|scope| {
            let (left, right) = (scope.spawn(race), scope.spawn(race));
            [left.join().unwrap(), right.join().unwrap()]
        });
        counts.sort_by_key(|value| value.number());
        assert_eq!(counts, [Value::Count(1), Value::Count(2)]);
    }
}

#[test]
fn the_oldest_events_go_when_there_are_too_many() {
    let limits = Limits {
        events_max: 100,
        ..Limits::default()
    };
    let store = store(limits, &[count(DAY)]);
    for minute in 0..100 {
        assert_eq!(
            pay(&store, &payment(7, minute * MINUTE)),
            (vec![Value::Count(minute + 1)], false)
        );
    }
    assert_eq!(store.stats().truncated_since, None);
    // The limit is met after the value is read: the 101st still sees all 100 before it.
    assert_eq!(
        pay(&store, &payment(7, 100 * MINUTE)),
        (vec![Value::Count(101)], false)
    );
    assert_eq!(
        pay(&store, &payment(7, 101 * MINUTE)),
        (vec![Value::Count(101)], true)
    );
    let stats = store.stats();
    assert_eq!(stats.events, 100);
    assert_eq!(
        stats.truncated_since,
        Some(Timestamp::from_micros(START + MINUTE))
    );
    // A payment without a card asks for no window that could be cut off.
    assert!(
        !pay(
            &store,
            &FeatureEvent::new(EventKind::Login, START + 102 * MINUTE)
        )
        .1
    );
    // A day after the last loss every window is whole again.
    assert_eq!(
        pay(&store, &payment(7, 2 * DAY)),
        (vec![Value::Count(1)], false)
    );
}

#[test]
fn aborted_numbers_do_not_outgrow_the_limit() {
    let limits = Limits {
        events_max: 50,
        ..Limits::default()
    };
    let store = store(limits, &[count(DAY)]);
    pay(&store, &payment(1, 0));
    let mut values = Vec::new();
    for _ in 0..1000 {
        let ticket = store.reserve(&payment(2, 0), &mut values);
        assert_eq!(values, [Value::Count(1)]);
        store.abort(ticket);
    }
    let stats = store.stats();
    assert_eq!((stats.events, stats.pending, stats.entities), (0, 0, 1));
    assert_eq!(stats.next_event_no, 1002);
}

#[test]
fn a_gap_in_the_journal_is_leapt_over() {
    let store = store(Limits::default(), &[count(DAY)]);
    assert!(store.replay(3, &payment(1, 0), Outcome::Approve));
    assert!(store.replay(9_000_000_000_000, &payment(1, MINUTE), Outcome::Approve));
    assert!(!store.replay(3, &payment(1, 0), Outcome::Approve));
    assert!(!store.replay(0, &payment(1, 0), Outcome::Approve));
    assert!(!store.replay(u64::MAX, &payment(1, 0), Outcome::Approve));
    assert_eq!(store.stats().events, 1);
    assert_eq!(
        pay(&store, &payment(1, 2 * MINUTE)),
        (vec![Value::Count(2)], true)
    );
}

#[test]
fn entities_beyond_the_limit_are_missing_until_others_are_idle() {
    let limits = Limits {
        entities_max: 3,
        ..Limits::default()
    };
    let store = store(
        limits,
        &[count(HOUR), WindowSpec::first_seen(EntityKind::Card)],
    );
    let new = vec![Value::Count(1), Value::Duration(0)];
    for card in 1..=3 {
        assert_eq!(pay(&store, &payment(card, 0)).0, new);
    }
    assert_eq!(pay(&store, &payment(4, MINUTE)).0, [Value::Missing; 2]);
    assert_eq!(store.stats().entities_untracked, 1);
    // Card 1 stays in use while the clock goes on, the others become idle.
    for hour in 1..120 {
        pay(&store, &payment(1, hour * HOUR));
    }
    assert_eq!(pay(&store, &payment(4, 120 * HOUR)).0, new);
    let known = pay(&store, &payment(1, 120 * HOUR)).0;
    assert_eq!(known, [Value::Count(1), Value::Duration(120 * HOUR)]);
    assert_eq!(store.stats().entities, 3);
}

#[test]
fn windows_beyond_the_limits_are_refused_and_the_old_ones_stay() {
    let store = store(
        Limits {
            windows_max: 2,
            ..Limits::default()
        },
        &[count(HOUR)],
    );
    let refused = store.register(&[count(HOUR); 3]);
    assert!(matches!(
        refused,
        Err(Error::TooManyWindows { asked: 3, limit: 2 })
    ));
    for wrong in [
        count(0),
        count(window::WINDOW_MAX + 1),
        WindowSpec::between(EntityKind::Card, Aggregate::Sum, HOUR, HOUR),
        WindowSpec::between(EntityKind::Card, Aggregate::Sum, -1, HOUR),
    ] {
        assert!(
            matches!(store.register(&[wrong]), Err(Error::Window(_))),
            "{wrong:?}"
        );
    }
    assert_eq!(pay(&store, &payment(1, 0)).0, [Value::Count(1)]);
}

#[test]
fn longer_windows_see_what_is_still_kept_and_say_so() {
    let store = store(Limits::default(), &[count(DAY)]);
    for day in 0..30 {
        pay(&store, &payment(1, day * DAY));
    }
    store.register(&[count(10 * DAY)]).unwrap();
    let (values, bounded) = pay(&store, &payment(1, 30 * DAY));
    assert!(bounded && values[0].number() < Some(10));
    assert!(store.stats().truncated_since.is_some());
    for day in 31..42 {
        pay(&store, &payment(1, day * DAY));
    }
    assert_eq!(
        pay(&store, &payment(1, 42 * DAY)),
        (vec![Value::Count(10)], false)
    );
}

#[test]
fn one_wrong_clock_does_not_age_everything() {
    let store = store(Limits::default(), &[count(10 * DAY)]);
    for hour in 0..48 {
        pay(&store, &payment(1, hour * HOUR));
    }
    for at in [150 * 365 * DAY, i64::MAX - START, -START, i64::MIN + DAY] {
        pay(&store, &payment(2, at));
    }
    assert_eq!(
        pay(&store, &payment(1, 48 * HOUR)),
        (vec![Value::Count(49)], false)
    );
}

#[test]
fn times_and_amounts_at_the_ends_of_their_range_do_no_harm() {
    let mut specs = vec![WindowSpec::first_seen(EntityKind::Card)];
    for aggregate in [
        Aggregate::Sum,
        Aggregate::Avg,
        Aggregate::Min,
        Aggregate::SincePrevious,
    ] {
        specs.push(WindowSpec::between(
            EntityKind::Card,
            aggregate,
            0,
            window::WINDOW_MAX,
        ));
    }
    let store = store(
        Limits {
            long_min: 2,
            ..Limits::default()
        },
        &specs,
    );
    for at in [i64::MIN, i64::MAX, 0, i64::MIN + 1, i64::MAX, i64::MIN] {
        for amount in [i64::MIN, i64::MAX, i64::MIN + 1] {
            let event = FeatureEvent {
                at,
                amount: Some(amount),
                ..payment(1, 0)
            };
            pay(&store, &event);
        }
    }
}

#[test]
fn labels_apply_to_kept_events_only() {
    let fraud = Filter {
        labels: Some(Set::EMPTY.with(Some(LabelVerdict::Fraud))),
        ..Filter::default()
    };
    let store = store(Limits::default(), &[count(DAY).filtered(fraud)]);
    pay(&store, &payment(1, 0));
    for known in [true, true] {
        assert_eq!(store.label(1, LabelVerdict::Fraud), known);
    }
    assert!(!store.label(2, LabelVerdict::Fraud));
    assert_eq!(pay(&store, &payment(1, 1)).0, [Value::Count(1)]);
    store.label(1, LabelVerdict::Genuine);
    assert_eq!(pay(&store, &payment(1, 2)).0, [Value::Count(0)]);
    pay(&store, &payment(1, DAY));
    pay(&store, &payment(1, 2 * DAY));
    pay(&store, &payment(1, 3 * DAY));
    assert!(!store.label(1, LabelVerdict::Fraud));
}

/// An event that names these entities.
fn naming(at: i64, entities: &[(EntityKind, u64)]) -> FeatureEvent {
    let mut event = FeatureEvent::new(EventKind::PaymentTransfer, START + at);
    event.amount = Some(100);
    for (kind, key) in entities {
        event.entities[*kind as usize] = *key;
    }
    event
}

#[test]
fn links_reach_over_shared_attributes_and_stop_at_their_limits() {
    use EntityKind::{Customer, Device, Email, Merchant, Payee};
    let specs = [
        WindowSpec::link(Customer, Aggregate::Component),
        WindowSpec::link(Payee, Aggregate::HopsToMarked),
        WindowSpec::recent(Payee, Aggregate::Distinct(Attribute::Entity(Customer)), DAY),
    ];
    let store = store(Limits::default(), &specs);
    let seen = |at, entities: &[(EntityKind, u64)]| pay(&store, &naming(at, entities)).0;
    let none = Value::Missing;
    // Customers 1 and 2 share a device, 2 and 3 an e-mail; a merchant ties nobody together.
    let first = [(Customer, 1), (Device, 7), (Merchant, 9), (Payee, 50)];
    assert_eq!(seen(0, &first), [Value::Count(2), none, Value::Count(1)]);
    let second = [(Customer, 2), (Device, 7), (Email, 8)];
    assert_eq!(seen(1, &second), [Value::Count(4), none, none]);
    let third = [(Customer, 3), (Email, 8), (Merchant, 9), (Payee, 51)];
    assert_eq!(seen(2, &third), [Value::Count(5), none, Value::Count(1)]);
    // Marking the device of customer 1 is two events away from a payee that customer 2 pays.
    store.mark(Device, 7, true);
    let hops = |at, customer, payee| seen(at, &[(Customer, customer), (Payee, payee)])[1];
    assert_eq!(hops(3, 2, 52), Value::Count(2));
    assert_eq!(hops(4, 4, 53), none);
    store.mark(EntityKind::Account, 53, true);
    assert_eq!(hops(5, 4, 53), Value::Count(0));
    store.mark(Customer, 4, true);
    assert_eq!(hops(6, 4, 54), Value::Count(1));
    store.mark(Device, 7, false);
    assert_eq!(hops(7, 2, 52), none);
    // Mule: ever more payers of one payee, and a component beyond the limit.
    for payer in 0..100 {
        let event = naming(
            8 + payer,
            &[(Customer, 1000 + payer as u64), (Payee, 60), (Device, 61)],
        );
        let mut values = Vec::new();
        let ticket = store.reserve(&event, &mut values);
        assert_eq!(values[2], Value::Count(payer + 1));
        assert_eq!(
            values[0],
            Value::Count((payer + 2).min(links::ENTITIES_MAX as i64))
        );
        let plan = store.register(&specs).unwrap();
        let cut = (payer as usize + 2).cmp(&links::ENTITIES_MAX);
        assert!(cut.is_gt() || !ticket.bounded_at(&plan, 0) || payer > 60);
        assert!(cut.is_le() || ticket.bounded() && ticket.bounded_at(&plan, 0));
        assert!(!ticket.bounded_at(&plan, 2));
        store.commit(ticket, Outcome::Approve);
    }
}

#[test]
fn a_segment_counts_its_members_and_links_nobody() {
    use EntityKind::{Customer, Payee, Segment};
    let members = Aggregate::Distinct(Attribute::Entity(Customer));
    let specs = [
        WindowSpec::recent(Segment, Aggregate::Sum, DAY),
        WindowSpec::recent(Segment, members, DAY),
        WindowSpec::link(Customer, Aggregate::Component),
        WindowSpec::link(Payee, Aggregate::HopsToMarked),
    ];
    let limits = Limits {
        long_min: 8,
        ..Limits::default()
    };
    let store = store(limits, &specs);
    store.mark(Customer, 1, true);
    let seen = |at, customer, payee| {
        let named = [(Customer, customer), (Payee, payee), (Segment, 9)];
        pay(&store, &naming(at, &named)).0
    };
    assert_eq!(seen(0, 1, 50)[3], Value::Count(1));
    // Of one kind with a marked customer, and no nearer to them; the same on a long timeline.
    for customer in 2..40 {
        let at = customer as i64;
        let expected = [
            Value::Money(100 * at),
            Value::Count(at),
            Value::Count(1),
            Value::Missing,
        ];
        assert_eq!(seen(at, customer, 50 + customer), expected);
    }
    let web = store.web((Customer, 2)).unwrap();
    assert!(web.nodes.iter().all(|node| node.kind != Segment), "{web:?}");
}

/// Two at once of different customers of one segment, beyond the length of a short timeline.
#[test]
fn members_of_a_segment_who_pay_at_once_see_each_other() {
    use EntityKind::{Customer, Segment};
    let members = Aggregate::Distinct(Attribute::Entity(Customer));
    let specs = [WindowSpec::recent(Segment, members, DAY)];
    let store = store(Limits::default(), &specs);
    let pay_many = |first: u64| {
        let customers = (0..1_000).map(|number| 2 * number + first);
        customers
            .map(|customer| {
                let named = [(Customer, customer), (Segment, 9)];
                pay(&store, &naming(0, &named)).0[0]
            })
            .collect::<Vec<_>>()
    };
    let mut counts = std::thread::scope(|scope| {
        let (left, right) = (scope.spawn(|| pay_many(1)), scope.spawn(|| pay_many(2)));
        [left.join().unwrap(), right.join().unwrap()].concat()
    });
    counts.sort_by_key(|value| value.number());
    let expected = (1..=2_000).map(Value::Count);
    assert!(counts.into_iter().eq(expected));
}

#[test]
fn an_account_sees_what_it_received_and_signed_amounts_net() {
    use EntityKind::{Account, Payee};
    let back = Set::EMPTY.with(EventKind::Refund);
    let net = Filter {
        kinds: back.with(EventKind::PaymentTransfer),
        subtract: back,
        ..Filter::default()
    };
    let specs = [
        WindowSpec::recent(Account, Aggregate::Sum, DAY),
        WindowSpec::recent(Account, Aggregate::Sum, DAY).seen_as(Payee),
        WindowSpec::recent(Payee, Aggregate::Count, DAY).seen_as(Account),
        WindowSpec::recent(Account, Aggregate::Sum, DAY).filtered(net),
    ];
    let store = store(Limits::default(), &specs);
    let transfer = |at, from, to| naming(at, &[(Account, from), (Payee, to)]);
    let money = Value::Money;
    let (one, other) = (transfer(0, 1, 2), transfer(1, 3, 2));
    assert_eq!(
        pay(&store, &one).0,
        [money(100), money(0), Value::Count(0), money(100)]
    );
    assert_eq!(
        pay(&store, &other).0,
        [money(100), money(0), Value::Count(0), money(100)]
    );
    // Account 2 passes on what it received from two; account 1, its payee now, has sent once.
    let on = transfer(2, 2, 1);
    assert_eq!(
        pay(&store, &on).0,
        [money(100), money(200), Value::Count(1), money(100)]
    );
    let mut refund = transfer(3, 2, 1);
    refund.kind = EventKind::Refund;
    assert_eq!(
        pay(&store, &refund).0,
        [money(100), money(200), Value::Count(1), money(0)]
    );
    // To itself: both sides.
    let own = transfer(4, 2, 2);
    assert_eq!(
        pay(&store, &own).0,
        [money(200), money(300), Value::Count(2), money(100)]
    );
}
