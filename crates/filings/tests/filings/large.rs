//! Large values against an oracle in whole numbers, and cases of the texts.

use crate::{day, profile};
use paywarden_domain::{Currency, Money, Timestamp};
use paywarden_filings::{Movement, Rates, large::assess, profile::PersonKind, report::Channel};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn money(value: &str, code: &str) -> Money {
    Money::parse(value, Currency::parse(code).unwrap()).unwrap()
}

fn movement(id: &str, amount: Money) -> Movement {
    Movement {
        id: id.into(),
        party: "p".into(),
        person: PersonKind::Natural,
        channel: Channel::Cash,
        cross_border: false,
        is_incoming: true,
        at: Timestamp::parse("2026-02-11T15:59:00Z").unwrap(),
        amount,
    }
}

fn rates() -> Rates {
    let rate =
        |rates: Rates, code, value| rates.with(Currency::parse(code).unwrap(), value).unwrap();
    rate(
        rate(rate(Rates::none(), "CNY", "1"), "USD", "7.1"),
        "HKD",
        "0.91",
    )
}

#[test]
fn thresholds_hold_at_the_edge_as_the_texts_say() {
    let cn = |movements: &[Movement]| assess(profile("cn_pboc"), movements, &rates());
    let rules = |movements: &[Movement]| -> Vec<String> {
        cn(movements)
            .large
            .into_iter()
            .map(|large| large.rule)
            .collect()
    };
    // Fifty thousand itself is large in China; ten thousand is not in the United States.
    assert_eq!(rules(&[movement("a", money("50000.00", "CNY"))]), ["cash"]);
    assert!(rules(&[movement("a", money("49999.99", "CNY"))]).is_empty());
    let us = |value| {
        assess(
            profile("us_bsa"),
            &[movement("a", money(value, "USD"))],
            &rates(),
        )
    };
    assert!(us("10000.00").large.is_empty());
    assert_eq!(us("10000.01").large[0].rule, "ctr");
    // Foreign currency counts in dollars: 78,021.98 Hong Kong dollars are a cent above 10,000.
    assert_eq!(
        rules(&[movement("a", money("78021.98", "HKD"))]),
        ["cash_foreign"]
    );
    assert!(rules(&[movement("a", money("78021.97", "HKD"))]).is_empty());
    let wire = |value: &str, cross_border| Movement {
        channel: Channel::Wallet,
        cross_border,
        ..movement("a", money(value, "CNY"))
    };
    assert_eq!(rules(&[wire("200000.00", true)]), ["natural_abroad"]);
    assert!(rules(&[wire("200000.00", false)]).is_empty());
    assert_eq!(rules(&[wire("500000.00", false)]), ["natural"]);
    let legal = Movement {
        person: PersonKind::Legal,
        ..wire("1999999.99", true)
    };
    assert!(rules(&[legal]).is_empty());
}

#[test]
fn a_day_is_summed_by_direction_at_the_place_of_the_profile() {
    let half = |id: &str| movement(id, money("25000.00", "CNY"));
    let next_day = Movement {
        at: Timestamp::parse("2026-02-11T16:00:00Z").unwrap(),
        ..half("b")
    };
    let back = Movement {
        is_incoming: false,
        ..half("b")
    };
    let large = |second: Movement| assess(profile("cn_pboc"), &[half("a"), second], &rates()).large;
    assert!(large(next_day).is_empty() && large(back).is_empty());
    let found = large(half("b"));
    assert_eq!(
        (found[0].day, found[0].movements.len()),
        (day("2026-02-11"), 2)
    );
    assert!(found[0].alone.is_empty());
}

#[test]
fn without_a_rate_nobody_knows() {
    let yen = movement("y", money("99999999", "JPY"));
    let found = assess(profile("cn_pboc"), &[yen], &rates());
    assert!(found.large.is_empty());
    assert_eq!(found.unknown, ["y"]);
}

proptest! {
    #[test]
    fn what_is_large_is_what_an_oracle_finds(
        moves in proptest::collection::vec((0_u8..3, any::<bool>(), 0_i64..3, 1_i64..6_000_000), 0..60)
    ) {
        let all: Vec<Movement> = moves.iter().enumerate().map(|(place, (party, incoming, hours, minor))| Movement {
            party: format!("p{party}"),
            is_incoming: *incoming,
            at: Timestamp::from_micros(hours * 12 * paywarden_domain::time::HOUR),
            ..movement(&format!("m{place}"), Money::new(*minor, Currency::parse("CNY").unwrap()))
        }).collect();
        // China is eight hours ahead: noon and midnight of UTC are two days there.
        let mut sums: BTreeMap<(u8, bool, i64), i64> = BTreeMap::new();
        for (party, incoming, hours, minor) in &moves {
            *sums.entry((*party, *incoming, (hours * 12 + 8) / 24)).or_default() += minor;
        }
        let wanted = sums.values().filter(|sum| **sum >= 5_000_000).count();
        let found = assess(profile("cn_pboc"), &all, &Rates::none());
        prop_assert!(found.unknown.is_empty());
        prop_assert_eq!(found.large.len(), wanted);
    }
}
