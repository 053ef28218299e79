//! What may be relied upon of the process for measuring models.

use paywarden_domain::{
    CardInput, Event, LabelSource, LabelVerdict,
    time::{DAY, HOUR},
};
use paywarden_simulator::{AttackKind, Labelled, Process, ProcessSettings};

fn small() -> ProcessSettings {
    ProcessSettings {
        days: 60,
        customers: 1_000,
        terminals: 2_000,
        ..ProcessSettings::standard()
    }
}

fn count(items: &[Labelled], kind: AttackKind) -> usize {
    items.iter().filter(|item| item.kind == Some(kind)).count()
}

#[test]
fn it_is_ordered_repeatable_and_readable() {
    let items: Vec<Labelled> = Process::new(small()).take(5_000).collect();
    assert!(items.is_sorted_by_key(|item| item.event.occurred_at));
    for (item, again) in items.iter().zip(Process::new(small())) {
        let body = item.body().unwrap();
        assert_eq!(body, again.body().unwrap());
        serde_json::from_slice::<Event<CardInput>>(&body).unwrap();
    }
}

#[test]
fn the_three_scenarios_have_the_sizes_that_they_should() {
    let items: Vec<Labelled> = Process::new(small()).collect();
    let per_day = items.len() as f64 / 60.0;
    assert!(
        (1_700.0..2_100.0).contains(&per_day),
        "{per_day} payments a day"
    );
    assert!(
        items
            .iter()
            .all(|item| item.is_fraud == item.kind.is_some())
    );
    for item in items.iter().filter(|item| !item.is_fraud) {
        assert!(item.event.amount.unwrap().minor <= 22_000);
    }
    // 2 terminals a day for 28 days, about one payment each a day; 3 customers for 14 days, two
    // payments each a day, a third of them taken.
    let terminal = count(&items, AttackKind::CompromisedTerminal) as f64 / 60.0;
    let customer = count(&items, AttackKind::CompromisedCustomer) as f64 / 60.0;
    assert!((25.0..60.0).contains(&terminal), "{terminal} a day");
    assert!((17.0..32.0).contains(&customer), "{customer} a day");
    assert!(count(&items, AttackKind::OverLimit) > 0);
}

#[test]
fn labels_come_when_the_settings_say() {
    let settings = ProcessSettings {
        report_share: 0.5,
        ..small()
    };
    let fraud: Vec<Labelled> = Process::new(settings)
        .filter(|item| item.is_fraud)
        .collect();
    let reported = fraud
        .iter()
        .filter(|item| item.source == LabelSource::CustomerReport);
    let share = reported.clone().count() as f64 / fraud.len() as f64;
    assert!((0.45..0.55).contains(&share), "{share}");
    assert!(reported.clone().all(|item| item.label_after_us <= HOUR));
    let charged_back = fraud
        .iter()
        .find(|item| item.source == LabelSource::Chargeback)
        .unwrap();
    assert_eq!(charged_back.label_after_us, 7 * DAY);
    assert_eq!(
        charged_back.label().unwrap().verdict,
        LabelVerdict::Chargeback
    );
}
