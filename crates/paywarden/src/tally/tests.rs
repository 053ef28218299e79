//! Tallies against counts made by hand.

use super::*;

fn tally() -> Tally {
    let mut tally = Tally::default();
    let payments: [(Outcome, Option<&str>, i64, &[&str]); 6] = [
        (Outcome::Approve, None, 1000, &[]),
        (Outcome::Approve, Some("takeover"), 5000, &["a.weak"]),
        (
            Outcome::Decline,
            Some("takeover"),
            15_005,
            &["a.strong", "a.weak"],
        ),
        (Outcome::Review, Some("scam"), 100, &["b.payee"]),
        (Outcome::Challenge, None, 9900, &["a.weak"]),
        (Outcome::ApproveWithWarning, None, 9900, &[]),
    ];
    for (outcome, scenario, amount_minor, fired) in payments {
        let fired: Vec<String> = fired.iter().map(|rule| (*rule).to_owned()).collect();
        let fraud = scenario.is_some();
        tally.add(Judged {
            outcome,
            fraud,
            scenario,
            amount_minor,
            fired: &fired,
            partial: false,
            laundering_score: 0,
        });
    }
    tally
}

#[test]
fn figures_follow_their_definitions() {
    let figures = tally().figures();
    let value = |name: &str| {
        figures
            .iter()
            .find(|f| f.name == name)
            .unwrap()
            .value
            .unwrap()
    };
    assert!((value("alert_rate") - 0.5).abs() < 1e-9);
    assert!((value("recall") - 2.0 / 3.0).abs() < 1e-5);
    assert!((value("precision") - 2.0 / 3.0).abs() < 1e-5);
    assert!((value("fraud_amount_stopped_ratio") - 151.05 / 201.05).abs() < 1e-5);
    assert!((value("outcome_approve") - 2.0).abs() < 1e-9);
}

#[test]
fn the_table_reads_well() {
    insta::assert_snapshot!(format!(
        "{}\n{}",
        tally().table("USD", 2),
        tally().outcome_line()
    ));
}

#[test]
fn nothing_decided_has_no_shares() {
    let empty = Tally::default();
    assert!(
        empty
            .figures()
            .iter()
            .take(4)
            .all(|figure| figure.value.is_none())
    );
    assert_eq!(empty.table("USD", 2), "");
}

#[test]
fn merging_is_counting_twice() {
    let mut twice = tally();
    twice.merge(tally());
    let doubled = |figures: Vec<Figure>| {
        figures
            .into_iter()
            .skip(4)
            .map(|figure| figure.value.map(|value| 2.0 * value))
            .collect()
    };
    let counts: Vec<_> = twice
        .figures()
        .into_iter()
        .skip(4)
        .map(|figure| figure.value)
        .collect();
    let expected: Vec<_> = doubled(tally().figures());
    assert_eq!(counts, expected);
    assert_eq!(twice.figures()[..4], tally().figures()[..4]);
}
