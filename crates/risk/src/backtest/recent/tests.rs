//! Conditions over the kept payments give what asking each payment by itself gives.

use super::*;
use crate::{facts, identify::Keys};
use paywarden_domain::{Card, Currency, Event, Outcome, PaymentId, Timestamp, time::DAY};
use paywarden_features::Value;
use paywarden_rules::{Rates, Truth};
use proptest::{prelude::*, strategy::ValueTree};

const PACK: &str = r#"
pack: live
title: What is live
description: ""
rules:
  - id: windows
    title: Windows
    engine: fraud
    when: card.count("10m") >= 3 && card.sum("24h") >= money("1.00", "USD") && customer.first_seen() >= duration("1h")
    score: 1
    reason: { code: r, text: R }
    stage: live
    source: for this test
    examples:
      - { hit: true, name: a, given: { 'card.count("10m")': 3, 'card.sum("24h")': 2.00 USD, 'customer.first_seen()': 2h } }
      - { hit: false, name: b, given: { 'card.count("10m")': 1, 'card.sum("24h")': 2.00 USD, 'customer.first_seen()': 2h } }
"#;

/// Conditions over fields of every type, windows, lists and attributes.
const CONDITIONS: [&str; 9] = [
    r#"payment.amount_base >= money("50.00", "USD")"#,
    r#"payer.country == "DE" && network.vpn"#,
    r#"!(network.vpn) || payer.email_domain.endsWith("test")"#,
    r#"card.count("10m") >= 2 || card.sum("24h") > money("70.00", "USD")"#,
    r#"customer.first_seen() < duration("30m")"#,
    r#"card in lists.denied"#,
    r#"attributes.number("risk") > 0.5"#,
    r#"event.hour < 12 && payer.age > duration("1d")"#,
    r#"card.count("10m") / event.hour > 1"#,
];

fn rates() -> Rates {
    Rates::new(Currency::parse("USD").unwrap())
}

fn live(version: &str) -> RuleSet {
    let pack = paywarden_rules::Pack::parse("live.yaml", PACK).unwrap();
    paywarden_rules::compile(&[pack], &rates(), version).unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

#[derive(Debug, Clone)]
struct Given {
    event: Event<Card>,
    windows: Vec<Value>,
    label: Option<LabelVerdict>,
}

prop_compose! {
    fn given()(
        cents in 0_i64..10_000,
        card in 0_u8..4,
        country in proptest::option::of(prop_oneof![Just("DE"), Just("SG")]),
        vpn in any::<Option<bool>>(),
        risk in proptest::option::of(0_u8..100),
        minute in 0_i64..3_000,
        counts in (0_i64..5, 0_i64..10_000, proptest::option::of(0_i64..7_200_000_000)),
        label in proptest::option::of(0_u8..3),
    ) -> Given {
        let at = Timestamp::from_micros(20_500 * DAY + minute * 60_000_000);
        let country = country.map_or(String::new(), |code| format!(r#""country":"{code}","#));
        let vpn = vpn.map_or(String::new(), |vpn| format!(r#""network":{{"vpn":{vpn}}},"#));
        let risk = risk.map_or(String::new(), |risk| {
            format!(r#""attributes":{{"risk":{}}},"#, f64::from(risk) / 100.0)
        });
        let json = format!(
            r#"{{"id":"p{minute}-{cents}-{card}","type":"payment.card","occurred_at":"{at}",{vpn}{risk}
                "amount":{{"value":"{}.{:02}","currency":"USD"}},
                "payer":{{{country}"id":"c{card}","email":"a@b.test","since":"2026-02-15T00:00:00Z"}},
                "card":{{"index":"card{card}","details":{{}}}}}}"#,
            cents / 100,
            cents % 100,
        );
        let (count, sum, seen) = counts;
        Given {
            event: serde_json::from_str(&json).unwrap(),
            windows: vec![
                Value::Count(count),
                Value::Money(sum),
                seen.map_or(Value::Missing, Value::Duration),
            ],
            label: label.and_then(LabelVerdict::from_number),
        }
    }
}

impl Given {
    fn slots<T>(&self, rules: &RuleSet, read: impl FnOnce(&mut Slots<'_>) -> T) -> T {
        let keys = Keys::of(&self.event);
        let mut slots = Slots::new();
        facts::fill(&mut slots, &self.event, &keys, rules.rates());
        slots.windows = &self.windows;
        read(&mut slots)
    }

    /// What a condition is for this payment, from the payment itself.
    fn truth(&self, condition: &RuleSet, live: &RuleSet) -> Truth {
        let of_live = |wanted| live.windows().iter().position(|kept| kept == wanted);
        let windows: Vec<Value> = condition
            .windows()
            .iter()
            .map(|wanted| of_live(wanted).map_or(Value::Missing, |place| self.windows[place]))
            .collect();
        self.slots(live, |slots| {
            let listed = |probe: &paywarden_rules::ListProbe| {
                probe.value(slots).map(|value| value == "card1")
            };
            let lists: Vec<_> = condition.probes().iter().map(listed).collect();
            let mut slots = slots.clone();
            slots.windows = &windows;
            slots.lists = &lists;
            condition.truth(0, &slots)
        })
    }

    fn subject(&self) -> Subject {
        Subject {
            payment_id: self.event.id.clone(),
            occurred_at: self.event.occurred_at,
            amount_minor: 100,
            labelled: Labelled::Immature,
            customer: 0,
            before: Outcome::Decline,
            floors: crate::Floors::default(),
        }
    }
}

fn keep(recent: &Recent, rules: &RuleSet, event_no: u64, given: &Given) {
    let acme = tenant("acme");
    given.slots(rules, |slots| {
        recent.keep(&acme, rules, slots, event_no, given.subject())
    });
    if let Some(verdict) = given.label {
        recent.label(&acme, event_no, verdict);
    }
}

fn glance(recent: &Recent, condition: &RuleSet) -> Glance {
    recent.glance(
        &tenant("acme"),
        condition,
        |list, value| list == "denied" && value == "card1",
        DAY,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_condition_is_what_it_is_payment_by_payment(
        payments in proptest::collection::vec(given(), 1..700),
    ) {
        let rules = live("v1");
        let recent = Recent::new(RecentLimits::default());
        for (event_no, given) in payments.iter().enumerate() {
            keep(&recent, &rules, event_no as u64 + 1, given);
        }
        for condition in CONDITIONS {
            let condition = compile(condition, &rates()).unwrap();
            let seen = glance(&recent, &condition);
            let truths: Vec<_> = payments.iter().map(|p| (p.truth(&condition, &rules), p)).collect();
            let count = |wanted: fn(&Truth) -> bool| {
                truths.iter().filter(|(truth, _)| wanted(truth)).count() as u64
            };
            prop_assert_eq!(seen.payments.payments, payments.len() as u64);
            prop_assert_eq!(seen.fired.payments, count(|truth| *truth == Truth::True));
            prop_assert_eq!(seen.unknown, count(|truth| *truth == Truth::Unknown));
            prop_assert_eq!(seen.faults, count(|truth| matches!(truth, Truth::Fault(_))));
            prop_assert_eq!(seen.stopped_already, seen.fired.payments);
            let fraud = truths.iter().filter(|(truth, given)| {
                *truth == Truth::True && given.label.is_some_and(LabelVerdict::is_fraud)
            });
            prop_assert_eq!(seen.fired.fraud, fraud.count() as u64);
            let newest = truths.iter().rev().filter(|(truth, _)| *truth == Truth::True);
            let newest: Vec<PaymentId> = newest.map(|(_, p)| p.event.id.clone()).take(10).collect();
            prop_assert_eq!(seen.samples, newest);
            prop_assert_eq!(seen.windows_not_kept, 0);
        }
    }
}

fn some_payment() -> Given {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    given().new_tree(&mut runner).unwrap().current()
}

#[test]
fn the_oldest_go_when_there_are_too_many_payments_or_bytes() {
    let rules = live("v1");
    let all = compile(r#"event.hour >= 0"#, &rates()).unwrap();
    let given = some_payment();
    let few = Recent::new(RecentLimits {
        payments_max: 2_000,
        ..RecentLimits::default()
    });
    let small = Recent::new(RecentLimits {
        bytes_max: 200_000,
        ..RecentLimits::default()
    });
    let none = Recent::new(RecentLimits {
        payments_max: 0,
        ..RecentLimits::default()
    });
    for event_no in 1..=10_000 {
        for recent in [&few, &small, &none] {
            keep(recent, &rules, event_no, &given);
        }
    }
    let kept = |recent: &Recent| glance(recent, &all).payments.payments;
    assert!((1_024..=2_000).contains(&kept(&few)), "{}", kept(&few));
    assert!((512..5_000).contains(&kept(&small)), "{}", kept(&small));
    let bytes: usize = small.lock().values().map(Ring::bytes).sum();
    assert!(
        bytes < 400_000,
        "one open block beyond the limit at most: {bytes}"
    );
    assert_eq!(kept(&none), 0);
    let labels = few
        .lock()
        .values()
        .map(|ring| ring.labels.len())
        .sum::<usize>();
    assert!(labels as u64 <= kept(&few), "labels go with their payments");
}

#[test]
fn windows_that_nobody_kept_are_said_and_other_tenants_unseen() {
    let rules = live("v1");
    let recent = Recent::new(RecentLimits::default());
    let given = some_payment();
    keep(&recent, &rules, 1, &given);
    keep(&recent, &live("v2"), 2, &given);
    let kept = compile(r#"card.count("10m") >= 0"#, &rates()).unwrap();
    let unkept = compile(
        r#"card.count("11m") >= 0 && card.count("10m") >= 0"#,
        &rates(),
    )
    .unwrap();
    let seen = glance(&recent, &kept);
    assert_eq!((seen.fired.payments, seen.windows_not_kept), (2, 0));
    let seen = glance(&recent, &unkept);
    assert_eq!((seen.unknown, seen.windows_not_kept), (2, 1));
    let other = recent.glance(&tenant("other"), &kept, |_, _| true, DAY);
    assert_eq!((other.payments.payments, other.since), (0, None));
}

#[test]
fn a_condition_that_is_none_says_where() {
    let wrong = compile("card.count(\"10m\") >=", &rates()).unwrap_err();
    assert!(wrong.iter().any(|found| found.span.is_some()));
    let wrong = compile("payer.contry == \"DE\"", &rates()).unwrap_err();
    assert!(
        wrong[0]
            .hint
            .as_deref()
            .unwrap_or("")
            .contains("payer.country")
    );
}
