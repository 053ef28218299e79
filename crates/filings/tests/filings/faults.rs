//! Every fault has its place and a hint; deadlines are those of the profile.

use crate::{LARGE, NAMES, day, folder, profile, report, today};
use paywarden_filings::{Basis, Duty, Report, check};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_sample_reports_have_no_fault() {
    for name in NAMES.into_iter().chain(LARGE) {
        assert_eq!(check(&report(name), profile(name), today()), [], "{name}");
    }
}

/// The report with one member changed, and what is found.
fn found(name: &str, pointer: &str, value: Value) -> Vec<(String, &'static str)> {
    let mut json = serde_json::to_value(report(name)).unwrap();
    *json
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}")) = value;
    let report: Report = serde_json::from_value(json).unwrap();
    let faults = check(&report, profile(name), today());
    assert!(
        faults.iter().all(|fault| fault.hint.len() > 5),
        "{faults:?}"
    );
    faults
        .into_iter()
        .map(|fault| (fault.path, fault.code))
        .collect()
}

/// One case: profile, member, value, where the fault is, which it is.
type Case = (String, String, Value, String, String);

#[test]
fn each_fault_is_found_where_it_is() {
    let text = std::fs::read_to_string(folder("faults.jsonl")).unwrap();
    for line in text.lines() {
        let (name, pointer, mut value, path, code): Case = serde_json::from_str(line).unwrap();
        if let Some((text, times)) = value.get("repeat").map(|pair| (&pair[0], &pair[1])) {
            value = json!(
                text.as_str()
                    .unwrap()
                    .repeat(usize::try_from(times.as_u64().unwrap()).unwrap())
            );
        }
        let all = found(&name, &pointer, value);
        assert!(
            all.iter().any(|fault| fault.0 == path && fault.1 == code),
            "{line}: {all:?}"
        );
    }
    // Of a stranger goAML does not ask for what it asks of customers.
    let strange = found("eu", "/parties/0/is_client", json!(false));
    assert!(
        strange
            .iter()
            .all(|(path, _)| !path.starts_with("/parties/0"))
    );
}

#[test]
fn too_many_of_anything_are_said_and_the_list_ends() {
    let mut many = report("us_bsa");
    let model = many.transactions[0].clone();
    many.transactions = vec![model; 3_000];
    let faults = check(&many, profile("us_bsa"), today());
    assert_eq!(faults[0].code, "too_many");
    assert_eq!(faults.len(), paywarden_filings::check::FAULTS_MAX);
}

#[test]
fn deadlines_are_those_of_the_profile() {
    let none = BTreeSet::new();
    // Found in the evening of the first of March in New York: thirty days, whatever day it is.
    let mut us = report("us_bsa");
    us.detected_at = paywarden_domain::Timestamp::parse("2026-03-02T03:00:00Z").unwrap();
    let due = profile("us_bsa").due(&us, &none).unwrap();
    assert_eq!((due.day, due.basis), (day("2026-03-31"), Basis::Law));
    assert_eq!(due.at.to_string(), "2026-04-01T05:00:00Z");
    for party in &mut us.parties {
        party.is_subject = false;
    }
    assert_eq!(
        profile("us_bsa").due(&us, &none).unwrap().day,
        day("2026-04-30")
    );
    us.duty = Duty::LargeValue;
    assert_eq!(
        profile("us_bsa").due(&us, &none).unwrap().day,
        day("2026-03-16")
    );
    // The week of the spring festival.
    let cn = report("cn_pboc");
    let holidays: BTreeSet<_> = (16..=20)
        .map(|date| day(&format!("2026-02-{date}")))
        .collect();
    let due = |holidays| profile("cn_pboc").due(&cn, holidays).unwrap();
    assert_eq!(
        (due(&none).day, due(&holidays).day),
        (day("2026-02-20"), day("2026-02-27"))
    );
    assert_eq!(due(&none).basis, Basis::Target);
    let mut uk = report("eu");
    uk.duty = Duty::LargeValue;
    assert_eq!(profile("uk").due(&uk, &none), None);
}
