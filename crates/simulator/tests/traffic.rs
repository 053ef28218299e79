//! What may be relied upon of generated traffic.

use paywarden_domain::{
    CardInput, Event, EventKind, Timestamp,
    pan::luhn,
    time::{DAY, HOUR},
};
use paywarden_simulator::{
    AttackKind, Labelled, OutgoingEvent, POPULATION_SIZES, Population, Settings, TEST_RANGES,
    Traffic,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

/// The whole demonstration, made once.
static DEMO: LazyLock<Vec<Labelled>> =
    LazyLock::new(|| Traffic::new(&Population::demo(), Settings::demo()).collect());

#[test]
fn equal_seeds_give_equal_bytes_and_others_do_not() {
    let bodies = |population: u64, seed: u64| -> Vec<Vec<u8>> {
        let population = Population::new(population, 300);
        let settings = Settings {
            seed,
            events_per_day: 600,
            ..Settings::demo()
        };
        Traffic::new(&population, settings)
            .take(3_000)
            .map(|item| item.body().unwrap())
            .collect()
    };
    let first = bodies(1, 1);
    assert_eq!(first, bodies(1, 1));
    assert_ne!(first, bodies(1, 2));
    assert_ne!(first, bodies(2, 1));
}

/// The stream may only change on purpose: other crates' figures rest on it.
#[test]
fn the_demonstration_is_always_the_same() {
    let digest = DEMO
        .iter()
        .take(5_000)
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, item| {
            let body = item.body().unwrap();
            body.iter().fold(digest, |digest, byte| {
                (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        });
    assert_eq!(format!("{digest:016x}"), "cca26af76c3d9f1e");
}

#[test]
fn time_never_runs_backwards_and_stays_within_the_days_asked_for() {
    let items = &*DEMO;
    let (start, end) = (Settings::demo().start.micros(), 14 * DAY);
    assert!(items.is_sorted_by_key(|item| item.event.occurred_at));
    assert!(
        items
            .iter()
            .all(|item| { (start..start + end).contains(&item.event.occurred_at.micros()) })
    );
    let per_day = items.len() / 14;
    assert!((3_700..4_500).contains(&per_day), "{per_day} events a day");
    let identifiers: HashSet<&str> = items.iter().map(|item| item.event.id.as_str()).collect();
    assert_eq!(identifiers.len(), items.len());
}

#[test]
fn the_share_of_fraud_is_near_the_one_asked_for() {
    let population = Population::new(3, 2_000);
    for fraud_share in [0.0, 0.002, 0.01, 0.1] {
        let settings = Settings {
            fraud_share,
            ..Settings::demo()
        };
        let items: Vec<Labelled> = Traffic::new(&population, settings).take(50_000).collect();
        let fraud = items.iter().filter(|item| item.is_fraud).count() as f64;
        let share = fraud / items.len() as f64;
        assert!(
            (share - fraud_share).abs() <= 0.2 * fraud_share,
            "{share} for {fraud_share}"
        );
    }
}

#[test]
fn every_attack_happens_within_50_000_events() {
    for seed in 1..4 {
        let population = Population::new(seed, 2_000);
        let traffic = Traffic::new(
            &population,
            Settings {
                seed,
                ..Settings::demo()
            },
        );
        let mut counts = BTreeMap::new();
        for item in traffic.take(50_000).filter(|item| item.is_fraud) {
            *counts.entry(item.kind.unwrap()).or_insert(0) += 1;
        }
        for kind in AttackKind::ALL.iter().filter(|kind| kind.share() > 0) {
            let count = counts.get(kind).copied().unwrap_or(0);
            assert!(count >= 3, "{kind}: {count} events with seed {seed}");
        }
    }
    let shares: u16 = AttackKind::ALL.iter().map(|kind| kind.share()).sum();
    assert_eq!(shares, 1_000);
}

#[test]
fn every_kind_of_event_happens() {
    let items = &*DEMO;
    for kind in EventKind::ALL {
        assert!(
            items
                .iter()
                .any(|item| item.event.kind == *kind && !item.is_fraud),
            "{kind}"
        );
    }
}

#[test]
fn the_service_reads_what_is_sent_and_reads_it_alike() {
    for item in &*DEMO {
        let body = item.body().unwrap();
        let read: Event<CardInput> = serde_json::from_slice(&body).unwrap();
        assert_eq!(read.id, item.event.id);
        assert_eq!(read.occurred_at, item.event.occurred_at);
        assert_eq!(read.amount, item.event.amount);
        let text = std::str::from_utf8(&body).unwrap();
        assert!(!text.contains("null") && !text.contains("NaN"), "{text}");
        let (read, sent) = (read.card, &item.event.card);
        let number = read.and_then(|card| card.number);
        assert_eq!(
            number.as_ref().map(|pan| pan.digits()),
            sent.as_ref().map(|c| &*c.number)
        );
    }
}

#[test]
fn card_numbers_are_valid_and_of_test_ranges() {
    let mut brands = HashSet::new();
    for item in &*DEMO {
        let Some(card) = &item.event.card else {
            continue;
        };
        let range = TEST_RANGES
            .iter()
            .find(|r| card.number.starts_with(&r.prefix.to_string()));
        let range = range.expect("a documented test range");
        assert_eq!(card.number.len(), usize::from(range.digits));
        assert!(luhn(card.number.as_bytes()));
        assert_eq!(
            card.details.brand.as_ref().map(|brand| brand.as_str()),
            Some(range.brand)
        );
        brands.insert(range.brand);
    }
    assert_eq!(brands.len(), 6);
}

#[test]
fn payments_have_an_amount_in_the_decimals_of_their_currency() {
    let mut currencies = HashSet::new();
    for item in &*DEMO {
        let event = &item.event;
        let moves_money =
            event.kind.is_payment() || matches!(event.kind, EventKind::Topup | EventKind::Refund);
        assert_eq!(event.amount.is_some(), moves_money, "{}", event.kind);
        let Some(amount) = event.amount else { continue };
        assert!(amount.minor > 0);
        let decimals = amount
            .decimal()
            .split_once('.')
            .map_or(0, |(_, cents)| cents.len());
        assert_eq!(decimals, usize::from(amount.currency.decimals()));
        currencies.insert(amount.currency.code());
    }
    let expected = HashSet::from(["USD", "EUR", "GBP", "CNY", "JPY", "KWD"]);
    assert_eq!(currencies, expected);
}

#[test]
fn labels_come_late_and_some_within_the_hour() {
    let items = &*DEMO;
    let fraud: Vec<&Labelled> = items.iter().filter(|item| item.is_fraud).collect();
    assert!(
        fraud
            .iter()
            .all(|item| item.kind.is_some() && item.label().is_some())
    );
    assert!(
        fraud
            .iter()
            .all(|item| (1..=40 * DAY).contains(&item.label_after_us))
    );
    let quick = fraud
        .iter()
        .filter(|item| item.label_after_us <= HOUR)
        .count();
    let share = quick as f64 / fraud.len() as f64;
    assert!((0.1..0.35).contains(&share), "{share}");
    let genuine = items.iter().find(|item| !item.is_fraud).unwrap();
    assert!(genuine.label().is_none() && genuine.known_at() > genuine.event.occurred_at);
}

/// No single signal gives an attack away: the honest show each of them too, and no attack always.
#[test]
fn no_signal_alone_separates_fraud_from_life() {
    type Signal = fn(&OutgoingEvent) -> Option<bool>;
    let signals: [(&str, Signal); 6] = [
        ("active call", |event| event.device.as_ref()?.active_call),
        ("remote control", |event| {
            event.device.as_ref()?.remote_control
        }),
        ("vpn", |event| event.network.as_ref()?.vpn),
        ("recent change", |event| {
            event.account.as_ref()?.recently_changed
        }),
        ("cvv", |event| {
            Some(event.card.as_ref()?.details.cvv_check?.name() == "no_match")
        }),
        ("payee name", |event| {
            Some(event.payee.as_ref()?.name_check?.name() == "no_match")
        }),
    ];
    let items = &*DEMO;
    for (name, signal) in signals {
        let shown = |fraud: bool| {
            let of = items.iter().filter(|item| item.is_fraud == fraud);
            of.filter(|item| signal(&item.event) == Some(true)).count()
        };
        let (honest, attackers) = (shown(false), shown(true));
        assert!(honest >= 10, "{name}: {honest} honest");
        assert!(attackers >= 5, "{name}: {attackers} attackers");
    }
}

#[test]
fn settings_beyond_their_limits_become_the_nearest_within() {
    let population = Population::new(1, 0);
    assert_eq!(population.size(), *POPULATION_SIZES.start());
    for (start, fraud_share) in [(i64::MIN, f64::NAN), (i64::MAX, 9.0), (0, -1.0)] {
        let settings = Settings {
            seed: u64::MAX,
            start: Timestamp::from_micros(start),
            days: 0,
            events_per_day: 300,
            fraud_share,
        };
        for item in Traffic::new(&population, settings) {
            serde_json::from_slice::<Event<CardInput>>(&item.body().unwrap()).unwrap();
        }
    }
}
