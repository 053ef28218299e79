//! Ratings by the shipped policy, and against sums made another way.

use super::*;
use crate::rating::{CustomerKind, SignalKind};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() - days * DAY)
}

fn signal(kind: SignalKind, days: i64) -> Signal {
    Signal {
        id: format!("{kind:?} {days}"),
        kind,
        at: days_ago(days),
    }
}

/// A neighbour whom everybody has known for years.
fn known_person() -> CustomerProfile {
    CustomerProfile {
        kind: Some(CustomerKind::Person),
        countries: [paywarden_domain::Country::parse("DE").unwrap()].into(),
        products: ["account".to_owned()].into(),
        channels: ["branch".to_owned()].into(),
        politically_exposed: Some(false),
        due_diligence: Some(2),
        since: Some(days_ago(2_000)),
        ..CustomerProfile::default()
    }
}

fn assess(profile: Option<&CustomerProfile>, signals: &[Signal]) -> Assessment {
    let policy = RatingPolicy::shipped().unwrap();
    policy.assess(&Known {
        profile,
        signals,
        now: NOW,
    })
}

#[test]
fn what_is_known_to_be_harmless_is_low_and_what_is_unknown_is_not() {
    let known = assess(Some(&known_person()), &[]);
    assert_eq!((known.score, known.rating), (0, RiskRating::Low));
    assert!(known.factors.iter().all(|factor| !factor.is_missing));

    let unknown = assess(None, &[]);
    let missing = unknown.factors.iter().filter(|factor| factor.is_missing);
    assert_eq!(missing.count(), 5);
    assert_eq!((unknown.score, unknown.rating), (45, RiskRating::Medium));
}

#[test]
fn each_fact_that_demands_something_gets_it_whatever_the_score() {
    type Change = fn(&mut CustomerProfile, &mut Vec<Signal>);
    let cases: [(Change, RiskRating); 8] = [
        (
            |one, _| one.politically_exposed = Some(true),
            RiskRating::High,
        ),
        (
            |one, _| one.kind = Some(CustomerKind::ShellBank),
            RiskRating::Prohibited,
        ),
        (
            |one, _| {
                one.countries
                    .insert(paywarden_domain::Country::parse("KP").unwrap());
            },
            RiskRating::High,
        ),
        (
            |_, all| all.push(signal(SignalKind::SanctionsHit, 1)),
            RiskRating::High,
        ),
        (
            |_, all| all.push(signal(SignalKind::ReportedAlert, 700)),
            RiskRating::High,
        ),
        (
            |_, all| all.push(signal(SignalKind::ConfirmedAlert, 1)),
            RiskRating::Medium,
        ),
        (
            |_, all| all.extend((0..3).map(|days| signal(SignalKind::ConfirmedAlert, days))),
            RiskRating::High,
        ),
        // What lies further back than the policy looks counts no more.
        (
            |_, all| all.push(signal(SignalKind::ReportedAlert, 731)),
            RiskRating::Low,
        ),
    ];
    for (place, (change, rating)) in cases.into_iter().enumerate() {
        let (mut profile, mut signals) = (known_person(), Vec::new());
        change(&mut profile, &mut signals);
        let found = assess(Some(&profile), &signals);
        assert_eq!(found.rating, rating, "{place}: {found:?}");
        assert!(found.rating >= found.floor);
    }
}

#[test]
fn of_one_fact_the_gravest_row_counts_and_a_factor_ends_at_its_most() {
    let mut profile = known_person();
    profile.countries = ["KP", "SY"]
        .map(|code| paywarden_domain::Country::parse(code).unwrap())
        .into();
    let found = assess(Some(&profile), &[]);
    let geography = &found.factors[0];
    assert_eq!(geography.points, 40);
    let [one] = geography.contributions.as_slice() else {
        panic!("{geography:?}");
    };
    assert_eq!((one.value.as_str(), one.points), ("KP", 40));

    profile.kind = Some(CustomerKind::Trust);
    profile.politically_exposed = Some(true);
    profile.opaque_ownership = Some(true);
    let kind = &assess(Some(&profile), &[]).factors[1];
    assert_eq!((kind.points, kind.contributions.len()), (35, 3));
}

proptest! {
    /// More that speaks against somebody never makes the rating milder, the score is the sum of what
    /// the factors say, and no more than 100.
    #[test]
    fn ratings_only_rise_with_what_is_found(
        confirmed in 0_i64..5, reported in 0_i64..3, sanctions in 0_i64..3, age in 0_i64..900,
        more in prop::sample::select(vec![
            SignalKind::ConfirmedAlert, SignalKind::ReportedAlert, SignalKind::SanctionsHit,
            SignalKind::PepHit, SignalKind::AdverseHit, SignalKind::OwnHit,
        ]),
        is_known in any::<bool>(),
    ) {
        let of = |kind, count: i64| (0..count).map(move |place| signal(kind, age + place));
        let mut signals: Vec<Signal> = of(SignalKind::ConfirmedAlert, confirmed)
            .chain(of(SignalKind::ReportedAlert, reported))
            .chain(of(SignalKind::SanctionsHit, sanctions))
            .collect();
        let profile = known_person();
        let profile = is_known.then_some(&profile);
        let before = assess(profile, &signals);
        let sum: u16 = before.factors.iter().map(|factor| factor.points).sum();
        prop_assert_eq!(before.score, sum.min(100));
        for factor in &before.factors {
            prop_assert!(factor.points <= factor.most);
        }
        signals.push(signal(more, 0));
        let after = assess(profile, &signals);
        prop_assert!(after.score >= before.score && after.rating >= before.rating);
    }
}
