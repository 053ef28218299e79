//! The index and the columns against the trees: random rules, random payments with missing
//! values and faults, random samples.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_domain::{
    EventKind,
    event::{AttributeValue, Attributes, Text},
};
use paywarden_features::{Aggregate, Value};
use paywarden_rules::{
    BLOCK_ROWS, Bitmaps, Fault, Hits, Pack, RuleSet, Scratch, Slots, Truth, compile,
    compile_beside, pack::Stage,
};
use proptest::{collection::vec, option, prelude::*};
use support::generate::{Facts, condition, facts};

/// A payment with all kinds of slots. Numbers are taken in turn by the windows and lists that the
/// rules happen to read.
#[derive(Debug, Clone)]
struct Payment {
    facts: Facts,
    numbers: Vec<Option<i64>>,
    listed: Vec<Option<bool>>,
    risk: Option<f64>,
    plan: Option<&'static str>,
}

/// What a payment lends to its slots.
struct Filled {
    windows: Vec<Value>,
    lists: Vec<Option<bool>>,
    attributes: Attributes,
}

impl Payment {
    fn fill(&self, rules: &RuleSet) -> Filled {
        let numbers = self.numbers.iter().cycle();
        let value = |(aggregate, number): (Aggregate, &Option<i64>)| match (aggregate, *number) {
            (_, None) => Value::Missing,
            (Aggregate::Count | Aggregate::Distinct(_), Some(number)) => Value::Count(number),
            (Aggregate::FirstSeen | Aggregate::SincePrevious, Some(n)) => Value::Duration(n),
            (_, Some(number)) => Value::Money(number),
        };
        let aggregates = rules.windows().iter().map(|window| window.aggregate);
        let mut attributes = Attributes::default();
        let text = |text: &str| Text::parse(text).unwrap();
        if let Some(risk) = self.risk {
            let risk = AttributeValue::Number(risk);
            attributes.push(text("risk"), risk).unwrap();
        }
        if let Some(plan) = self.plan {
            let plan = AttributeValue::Text(text(plan));
            attributes.push(text("plan"), plan).unwrap();
        }
        Filled {
            windows: aggregates.zip(numbers).map(value).collect(),
            lists: self
                .listed
                .iter()
                .cycle()
                .take(rules.probes().len())
                .copied()
                .collect(),
            attributes,
        }
    }

    fn slots<'a>(&'a self, filled: &'a Filled) -> Slots<'a> {
        let mut slots = self.facts.slots();
        slots.windows = &filled.windows;
        slots.lists = &filled.lists;
        slots.attributes = Some(&filled.attributes);
        slots
    }
}

fn payment() -> impl Strategy<Value = Payment> {
    let number = option::weighted(0.8, -2i64..6);
    let plans = prop::sample::select(vec!["a", "gold", "free"]);
    (
        facts(),
        vec(number, 5),
        vec(option::weighted(0.8, any::<bool>()), 3),
        option::weighted(0.8, (-8i32..8).prop_map(|n| f64::from(n) / 2.0)),
        option::weighted(0.8, plans),
    )
        .prop_map(|(facts, numbers, listed, risk, plan)| Payment {
            facts,
            numbers,
            listed,
            risk,
            plan,
        })
}

/// A question about what the shared generator does not know: windows, lists, attributes.
fn asked() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    (0..8usize, comparison, -2i64..6).prop_map(|(which, comparison, number)| match which {
        0 => format!("card.count(\"10m\") {comparison} {number}"),
        1 => format!("{number} {comparison} device.distinct(card, \"7d\")"),
        2 => format!(
            "card.sum(\"24h\") {comparison} money(\"0.0{}\", \"USD\")",
            number.abs()
        ),
        3 => format!("card.sum(\"24h\") * 2 {comparison} card.sum(\"7d\")"),
        4 => format!("card.sum(\"24h\") / card.sum(\"7d\") {comparison} {number}.5"),
        5 => format!(
            "(payee in lists.a) {} (payer.id in lists.b)",
            ["==", "!="][number as usize & 1]
        ),
        6 => format!("attributes.number(\"risk\") {comparison} {number}.5"),
        _ => "attributes.text(\"plan\") in [\"gold\", \"a\", \"b\"]".to_owned(),
    })
}

fn rule() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => condition(),
        1 => asked(),
        2 => (vec(prop_oneof![condition(), asked()], 2..5), prop::sample::select(vec![" && ", " || "]))
            .prop_map(|(parts, operator)| parts
                .iter()
                .map(|part| format!("({part})"))
                .collect::<Vec<_>>()
                .join(operator)),
    ]
}

fn pack(conditions: &[String]) -> Pack {
    let mut pack = support::pack(conditions);
    for (place, rule) in pack.rules.iter_mut().enumerate() {
        rule.stage = match place % 7 {
            3 => Stage::Shadow,
            5 => Stage::Off,
            _ => Stage::Live,
        };
    }
    pack
}

fn compiled(conditions: &[String]) -> RuleSet {
    compile(&[pack(conditions)], &support::rates(), "v").unwrap()
}

/// Rules that name the kind of event that they are about, as most do.
fn rule_about_events() -> impl Strategy<Value = String> {
    let kinds = vec(prop::sample::select(EventKind::ALL), 1..3);
    (kinds, rule()).prop_map(|(kinds, rule)| {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
        format!("({rule}) && event.type in [{}]", kinds.join(", "))
    })
}

/// What the trees say.
fn by_trees(rules: &RuleSet, slots: &Slots<'_>) -> Hits {
    let mut hits = Hits::default();
    for (place, rule) in rules.rules().iter().enumerate() {
        match (rule.stage, rules.truth(place, slots)) {
            (Stage::Off, _) => {}
            (Stage::Live, Truth::True) => hits.fired.push(place),
            (_, Truth::True) => hits.shadow.push(place),
            (_, Truth::Fault(fault)) => hits.faults.push((place, fault)),
            _ => {}
        }
    }
    hits
}

fn without_candidates(hits: &Hits) -> Hits {
    Hits {
        candidates: 0,
        ..hits.clone()
    }
}

fn sample(rules: &RuleSet, payments: &[Payment]) -> paywarden_rules::Columns {
    let mut columns = rules.columns(BLOCK_ROWS);
    for payment in payments {
        columns.push(&payment.slots(&payment.fill(rules)));
    }
    columns
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_index_finds_what_the_trees_say(
        conditions in prop_oneof![
            vec(rule(), 1..24),
            vec(prop_oneof![3 => rule_about_events(), 1 => rule()], 1..24),
        ],
        payments in vec(payment(), 1..12),
        seen in vec(payment(), 0..80),
    ) {
        let rules = compiled(&conditions);
        let resampled = rules.resampled(&mut sample(&rules, &seen));
        let mut scratch = Scratch::default();
        for payment in &payments {
            let filled = payment.fill(&rules);
            let slots = payment.slots(&filled);
            let expected = by_trees(&rules, &slots);
            for rules in [&rules, &resampled] {
                rules.evaluate_with(&slots, &mut scratch, || true, |_, _| {});
                prop_assert_eq!(without_candidates(scratch.hits()), expected.clone());
                prop_assert_eq!(&rules.evaluate(&slots, || true), scratch.hits());
            }
        }
    }

    #[test]
    fn columns_find_what_the_trees_say(
        conditions in vec(rule(), 1..16),
        payments in vec(payment(), 1..150),
    ) {
        let rules = compiled(&conditions);
        let mut columns = sample(&rules, &payments);
        let mut found = vec![Hits::default(); payments.len()];
        let known = rules.evaluate_columns(&mut columns, &mut Bitmaps::default(), |rule, block| {
            let live = rules.rules()[rule].stage == Stage::Live;
            for (row, hits) in found.iter_mut().enumerate() {
                if block.fired[row / 64] >> (row % 64) & 1 == 1 {
                    let hits = if live { &mut hits.fired } else { &mut hits.shadow };
                    hits.push(rule);
                }
            }
            for (row, fault) in &block.faults {
                found[*row].faults.push((rule, *fault));
            }
        });
        prop_assert!(known);
        for (payment, found) in payments.iter().zip(found) {
            let expected = by_trees(&rules, &payment.slots(&payment.fill(&rules)));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_spent_budget_names_all_that_might_have_fired(
        conditions in prop_oneof![vec(rule(), 1..120), vec(rule_about_events(), 1..120)],
        payment in payment(),
        checks in 0..4u32,
    ) {
        let rules = compiled(&conditions);
        let filled = payment.fill(&rules);
        let slots = payment.slots(&filled);
        let mut asked = 0;
        let hits = rules.evaluate(&slots, || {
            asked += 1;
            asked <= checks
        });
        let expected = by_trees(&rules, &slots);
        let left_out = |rule: &usize| hits.skipped.contains(rule);
        for (found, expected) in [(&hits.fired, &expected.fired), (&hits.shadow, &expected.shadow)] {
            let decided: Vec<usize> = expected.iter().copied().filter(|r| !left_out(r)).collect();
            prop_assert_eq!(found, &decided);
        }
        let decided: Vec<(usize, Fault)> =
            expected.faults.iter().copied().filter(|(r, _)| !left_out(r)).collect();
        prop_assert_eq!(&hits.faults, &decided);
        prop_assert!(hits.skipped.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn two_sets_beside_each_other_share_their_slots(
        live in vec(rule(), 1..12),
        canary in vec(rule(), 1..12),
        payment in payment(),
    ) {
        let live = compiled(&live);
        let canary = compile_beside(&[pack(&canary)], &support::rates(), "w", &live).unwrap();
        for (mine, theirs) in live.windows().iter().zip(canary.windows()) {
            prop_assert_eq!(mine.readers.union(theirs.readers), theirs.readers);
        }
        prop_assert_eq!(live.probes(), &canary.probes()[..live.probes().len()]);
        let filled = payment.fill(&canary);
        let (slots, own) = (payment.slots(&filled), payment.fill(&live));
        let hits = live.evaluate(&slots, || true);
        prop_assert_eq!(without_candidates(&hits), by_trees(&live, &slots));
        prop_assert_eq!(hits.fired, live.evaluate(&payment.slots(&own), || true).fired);
        let hits = canary.evaluate(&slots, || true);
        prop_assert_eq!(without_candidates(&hits), by_trees(&canary, &slots));
    }
}
