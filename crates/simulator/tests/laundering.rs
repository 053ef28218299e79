//! What may be relied upon of generated laundering: that it is there, adds up, and is not easy.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use paywarden_domain::{
    CardInput, Event, EventKind, Money, Timestamp,
    time::{DAY, HOUR},
};
use paywarden_simulator::{
    Habit, Laundering, LaunderingSettings, Origin, Population, Transfer, Typology,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

/// Minor units per US cent, as the simulation converts.
const RATES: &[(&str, f64)] = &[
    ("USD", 1.0),
    ("EUR", 0.92),
    ("GBP", 0.79),
    ("CNY", 7.2),
    ("JPY", 1.5),
    ("KWD", 3.07),
];
/// No threshold on one feature that finds a tenth of the illicit transfers may be right more often:
/// six times the base rate.
const PRECISION_MAX: f64 = 0.006;
const RECALL_MIN: f64 = 0.1;

static STREAM: LazyLock<Vec<Transfer>> = LazyLock::new(|| {
    Laundering::new(&Population::new(7, 8_000), LaunderingSettings::demo()).collect()
});

fn cents(money: Money) -> f64 {
    let rate = RATES
        .iter()
        .find(|(code, _)| *code == money.currency.code());
    money.minor as f64 / rate.unwrap().1
}

fn payer(transfer: &Transfer) -> &str {
    transfer
        .event
        .account
        .as_ref()
        .unwrap()
        .id
        .as_ref()
        .unwrap()
}

fn payee(transfer: &Transfer) -> &str {
    transfer
        .event
        .payee
        .as_ref()
        .unwrap()
        .account
        .as_ref()
        .unwrap()
}

fn is_illicit(transfer: &Transfer) -> bool {
    transfer.origin.typology().is_some()
}

fn share(of: usize, all: usize) -> f64 {
    of as f64 / all as f64
}

#[test]
fn equal_seeds_give_equal_bytes_and_others_do_not() {
    let bodies = |seed: u64| -> Vec<String> {
        let settings = LaunderingSettings {
            seed,
            transfers_per_day: 300,
            illicit_share: 0.05,
            ..LaunderingSettings::demo()
        };
        let population = Population::new(1, 500);
        let stream = Laundering::new(&population, settings).take(2_000);
        stream
            .map(|one| {
                format!(
                    "{:?} {}",
                    one.origin,
                    String::from_utf8(one.body().unwrap()).unwrap()
                )
            })
            .collect()
    };
    assert_eq!(bodies(1), bodies(1));
    assert_ne!(bodies(1), bodies(2));
}

#[test]
fn every_transfer_is_an_ordinary_event_between_two_accounts_in_the_order_of_time() {
    assert!(STREAM.is_sorted_by_key(|one| one.event.occurred_at));
    let start = LaunderingSettings::demo().start.micros();
    let mut ids = HashSet::new();
    let mut minutes = HashSet::new();
    let mut currencies = BTreeSet::new();
    for transfer in &*STREAM {
        let event = &transfer.event;
        assert!((start..start + 60 * DAY).contains(&event.occurred_at.micros()));
        assert_eq!(event.kind, EventKind::PaymentTransfer);
        assert_ne!(payer(transfer), payee(transfer));
        assert!(ids.insert(event.id.as_str().to_owned()));
        minutes.insert(event.occurred_at.micros() / 60_000_000 % 60);
        currencies.insert(event.amount.unwrap().currency.code().to_owned());
        let opened = event.account.as_ref().unwrap().opened_at.unwrap();
        assert!(opened <= event.occurred_at);
        let since = event.payee.as_ref().unwrap().since;
        assert!(since.is_none_or(|since| since <= event.occurred_at));
    }
    assert_eq!(minutes.len(), 60);
    assert_eq!(currencies.len(), RATES.len());
    for transfer in STREAM.iter().step_by(500) {
        let body = serde_json::to_string(&transfer.event).unwrap();
        serde_json::from_str::<Event<CardInput>>(&body).unwrap();
    }
}

#[test]
fn one_in_a_thousand_is_illicit_by_every_typology_among_every_habit() {
    assert!(
        (220_000..260_000).contains(&STREAM.len()),
        "{}",
        STREAM.len()
    );
    let illicit = STREAM.iter().filter(|one| is_illicit(one)).count();
    let base = share(illicit, STREAM.len());
    assert!((0.0008..=0.0012).contains(&base), "{base}");
    for kind in Typology::ALL {
        let count = STREAM
            .iter()
            .filter(|one| one.origin.typology() == Some(*kind))
            .count();
        assert!(count >= 5, "{kind}: {count}");
    }
    for habit in Habit::ALL {
        let count = STREAM
            .iter()
            .filter(|one| one.origin == Origin::Life(*habit))
            .count();
        assert!(count >= 200, "{habit}: {count}");
    }
}

#[test]
fn illicit_pairs_repeat_and_honest_ones_are_new_all_the_time() {
    let mut known = HashSet::new();
    let (mut illicit, mut honest) = ((0, 0), (0, 0));
    let warm = LaunderingSettings::demo().start.micros() + 20 * DAY;
    for transfer in &*STREAM {
        let new = known.insert((payer(transfer), payee(transfer)));
        if transfer.event.occurred_at.micros() < warm {
            continue;
        }
        let side = if is_illicit(transfer) {
            &mut illicit
        } else {
            &mut honest
        };
        side.0 += usize::from(new);
        side.1 += 1;
    }
    let (illicit, honest) = (share(illicit.0, illicit.1), share(honest.0, honest.1));
    assert!(illicit < 0.7 && honest > 0.3, "{illicit} {honest}");
    assert!(illicit / honest < 2.0, "{illicit} {honest}");
}

/// What each hand of a ring has got from it and given within it, in US cents.
#[test]
fn hands_give_on_what_they_got_less_what_they_keep() {
    let settings = LaunderingSettings {
        transfers_per_day: 500,
        illicit_share: 0.2,
        ..LaunderingSettings::demo()
    };
    let population = Population::new(3, 1_500);
    let stream: Vec<_> = Laundering::new(&population, settings).collect();
    let mut rings: BTreeMap<u32, Vec<&Transfer>> = BTreeMap::new();
    for transfer in &stream {
        if let Origin::Ring(_, ring) = transfer.origin {
            rings.entry(ring).or_default().push(transfer);
        }
    }
    let complete = settings.start.micros() + 30 * DAY;
    let mut checked: BTreeMap<Typology, usize> = BTreeMap::new();
    for legs in rings.values() {
        let kind = legs[0].origin.typology().unwrap();
        let sources = sources(legs);
        let mut purses: HashMap<&str, (f64, f64)> = HashMap::new();
        for leg in legs {
            let amount = cents(leg.event.amount.unwrap());
            let (got, given) = purses.entry(payer(leg)).or_default();
            *given += amount;
            let lent = sources.contains(payer(leg));
            assert!(
                lent || *given <= *got * 1.001 + 10.0,
                "{kind}: {got} {given}"
            );
            purses.entry(payee(leg)).or_default().0 += amount;
        }
        let began = legs[0].event.occurred_at.micros();
        for (hand, (got, given)) in purses {
            if !sources.contains(hand) && given > 0.0 && began < complete {
                assert!(given >= got * 0.7, "{kind}: {got} {given}");
                *checked.entry(kind).or_default() += 1;
            }
        }
    }
    for kind in [
        Typology::RapidPassThrough,
        Typology::GatherScatter,
        Typology::ScatterGather,
        Typology::Cycle,
        Typology::RoundTrip,
        Typology::DormantReactivation,
        Typology::NewAccountVelocity,
        Typology::MuleChain,
    ] {
        assert!(
            checked.get(&kind).is_some_and(|hands| *hands > 10),
            "{kind}: {checked:?}"
        );
    }
}

/// Those who pay before they get anything.
fn sources<'a>(legs: &[&'a Transfer]) -> HashSet<&'a str> {
    let (mut got, mut sources) = (HashSet::new(), HashSet::new());
    for leg in legs {
        if !got.contains(payer(leg)) {
            sources.insert(payer(leg));
        }
        got.insert(payee(leg));
    }
    sources
}

/// Single features of a transfer, each from what was known before it.
struct Past<'a> {
    paid: HashMap<&'a str, Vec<(i64, &'a str, f64)>>,
    received: HashMap<&'a str, Vec<(i64, &'a str, f64)>>,
}

impl<'a> Past<'a> {
    fn features(&self, transfer: &'a Transfer) -> [(&'static str, f64); 14] {
        let at = transfer.event.occurred_at.micros();
        let (from, to) = (payer(transfer), payee(transfer));
        let paid = self.paid.get(from).map_or(&[][..], Vec::as_slice);
        let got = self.received.get(to).map_or(&[][..], Vec::as_slice);
        let came = self.received.get(from).map_or(&[][..], Vec::as_slice);
        let degree = |past: &[(i64, &str, f64)], days: i64| {
            let recent = past.iter().filter(|one| one.0 > at - days * DAY);
            recent.map(|one| one.1).collect::<HashSet<_>>().len() as f64
        };
        let count =
            |past: &[(i64, &str, f64)]| past.iter().filter(|one| one.0 > at - DAY).count() as f64;
        let gap = |past: &[(i64, &str, f64)]| past.last().map_or(1e18, |one| (at - one.0) as f64);
        let opened = transfer.event.account.as_ref().unwrap().opened_at;
        let amount = cents(transfer.event.amount.unwrap());
        let abroad = !to.starts_with("acc-");
        [
            ("amount", amount),
            ("hour", (at % DAY / HOUR) as f64),
            ("payer_degree_7d", degree(paid, 7)),
            ("payee_degree_7d", degree(got, 7)),
            ("payer_degree_60d", degree(paid, 60)),
            ("payee_degree_60d", degree(got, 60)),
            ("payer_received_degree_7d", degree(came, 7)),
            ("paid_1d", count(paid)),
            ("received_1d", count(got)),
            ("since_paid", gap(paid)),
            ("since_received", gap(came)),
            ("pair", paid.iter().filter(|one| one.1 == to).count() as f64),
            (
                "account_age",
                (at - opened.map_or(0, Timestamp::micros)) as f64,
            ),
            ("abroad", f64::from(u8::from(abroad))),
        ]
    }

    fn add(&mut self, transfer: &'a Transfer) {
        let at = transfer.event.occurred_at.micros();
        let (from, to) = (payer(transfer), payee(transfer));
        let amount = cents(transfer.event.amount.unwrap());
        self.paid.entry(from).or_default().push((at, to, amount));
        self.received
            .entry(to)
            .or_default()
            .push((at, from, amount));
    }
}

/// The best precision of a threshold, from either side, that finds enough.
fn best_precision(mut values: Vec<(f64, bool)>) -> f64 {
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let illicit = values.iter().filter(|one| one.1).count();
    let sweep = |values: &[(f64, bool)]| {
        let (mut found, mut best) = (0, 0.0_f64);
        for (place, one) in values.iter().enumerate() {
            found += usize::from(one.1);
            let last_of_tie = values
                .get(place + 1)
                .is_none_or(|next| next.0.total_cmp(&one.0).is_ne());
            if last_of_tie && share(found, illicit) >= RECALL_MIN {
                best = best.max(share(found, place + 1));
            }
        }
        best
    };
    let rising = sweep(&values);
    values.reverse();
    rising.max(sweep(&values))
}

#[test]
fn no_threshold_on_a_single_feature_finds_them() {
    let mut past = Past {
        paid: HashMap::new(),
        received: HashMap::new(),
    };
    let mut columns: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
    for transfer in &*STREAM {
        for (name, value) in past.features(transfer) {
            columns
                .entry(name)
                .or_default()
                .push((value, is_illicit(transfer)));
        }
        past.add(transfer);
    }
    let best: Vec<_> = columns
        .into_iter()
        .map(|(name, values)| (name, best_precision(values)))
        .collect();
    assert!(best.iter().all(|one| one.1 <= PRECISION_MAX), "{best:?}");
}
