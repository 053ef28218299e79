//! How a queue behaves with very many alerts. Prints what it saw and judges nothing by time:
//! `cargo test -p paywarden-cases --lib -- --ignored --nocapture a_queue_of`

use super::*;
use crate::{Change, Closing, Disposition, Entity, Policy, desk::Links};
use paywarden_access::{approval::Who, watch::Calendar};
use paywarden_crypto::Keyring;
use paywarden_domain::{Currency, Engine, Money, Outcome, TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::{
    io::Write,
    time::{Duration, Instant},
};

/// As many as one entry of the journal takes, and a little fewer.
const PART: u64 = 250;

fn who() -> Who {
    Who {
        tenant: TenantId::parse("acme").unwrap(),
        actor: Actor::System("test"),
    }
}

/// An alert whose every part follows from its number: one of three waits, one is worked on, one is
/// closed.
fn alert(number: u64) -> Alert {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let at = Timestamp::from_micros(1_767_225_600_000_000 + number.cast_signed() * 1_000_000);
    let due = Timestamp::from_micros(at.micros() + (mixed % 100_000_000_000).cast_signed());
    let is_closed = number % 3 == 2;
    Alert {
        id: format!("alr_{:016x}{number:08x}", at.micros()),
        version: 0,
        queue: ["fraud", "laundering"][(mixed % 2) as usize].to_owned(),
        engine: Engine::Fraud,
        trigger: "fraud_review".to_owned(),
        priority: Priority::ALL[(mixed % 4) as usize],
        state: if is_closed {
            AlertState::Closed
        } else {
            AlertState::Open
        },
        assignee: (number % 3 == 1).then(|| format!("staff:stf_{}", mixed % 200)),
        escalated: false,
        subject: Entity::new("customer", mixed % 300_000 + 1).unwrap(),
        group: "alr_1".to_owned(),
        opened_at: at,
        last_at: at,
        due_at: due,
        amounts: vec![Money::new(1_234, Currency::parse("EUR").unwrap())],
        score: 400,
        outcome: Outcome::Review,
        rules: vec!["pack.rule".to_owned()],
        reasons: vec!["reason".to_owned()],
        entities: vec![Entity::new("device", mixed % 500_000 + 1).unwrap()],
        payments: Vec::new(),
        case: None,
        notes: 0,
        closing: is_closed.then(|| Closing {
            disposition: Disposition::FalsePositive,
            reason: "known_behaviour".to_owned(),
            note: None,
            by: "staff:stf_1".to_owned(),
            at,
        }),
        change: Change {
            act: "open".to_owned(),
            by: "system:test".to_owned(),
            at,
            reason: None,
        },
    }
}

async fn fill(cases: &Cases, count: u64) {
    for first in (0..count).step_by(PART as usize) {
        let rows = (first..count.min(first + PART)).map(|number| {
            let mut alert = alert(number);
            let change = alert.change.clone();
            let links = Links {
                new: alert.entities.iter().map(Entity::target).collect(),
                ..Links::default()
            };
            cases
                .next(&who().tenant, &mut alert, change, links)
                .unwrap()
        });
        let what = ("payment_alert.open", "many");
        cases
            .write(&who(), what, None, rows.collect())
            .await
            .unwrap();
    }
}

async fn times<F: Future<Output = usize>>(
    what: &str,
    count: usize,
    mut one: impl FnMut(usize) -> F,
) {
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    let mut rows = 0;
    for number in 0..count {
        let start = Instant::now();
        rows += one(number).await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| times[((count - 1) as f64 * share) as usize];
    let (half, most, worst) = (at(0.5), at(0.99), at(1.0));
    let line = format!(
        "{what}: {count} calls, {rows} alerts, p50 {half:?}, p99 {most:?}, max {worst:?}\n"
    );
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "fills a database with a million alerts"]
async fn a_queue_of_a_million_alerts() {
    let count = std::env::var("ALERTS").map_or(1_000_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("queue.db").display());
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::start(&database, Clock::System, JournalLimits::default());
    let store = (database.clone(), journal.await.unwrap());
    let tables = (Policy::shipped().unwrap(), Calendar::default());
    let cases = Cases::new(store, Clock::System, &Keyring::ephemeral(), tables).unwrap();
    fill(&cases, count).await;
    let worker = cases.worker(who(), ["program"].into_iter());
    let open = |assignee, priority| WorkQuery {
        assignee,
        priority,
        limit: 50,
        ..WorkQuery::of(AlertState::Open)
    };
    let page = async |query: WorkQuery<AlertState>| {
        cases.alerts(&worker, &query).await.unwrap().items.len()
    };
    let priority = |number: usize| Priority::ALL.get(number % 4).copied();
    let person = |number: usize| Assignee::Somebody(format!("staff:stf_{}", number % 200));
    times("list open", 1_000, |number| {
        page(open(None, priority(number)))
    })
    .await;
    times("list free", 1_000, |_| {
        page(open(Some(Assignee::Nobody), None))
    })
    .await;
    times("list mine", 1_000, |number| {
        page(open(Some(person(number)), None))
    })
    .await;
    let deep = |number: usize| WorkQuery {
        after: Some(Place {
            urgency: Priority::Low.urgencies().0 + number as i64 * 1_700_000_000_000,
            id: String::new(),
        }),
        ..open(None, None)
    };
    times("list deep", 1_000, |number| page(deep(number))).await;
    let closed = |_| {
        page(WorkQuery {
            limit: 50,
            ..WorkQuery::of(AlertState::Closed)
        })
    };
    times("list closed", 1_000, closed).await;
    let next = |_| async { cases.next_alert(&worker).await.unwrap().map_or(0, |_| 1) };
    times("next", 1_000, next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_over_queues_are_those_of_one_sorted_list() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("queue.db").display());
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::start(&database, Clock::System, JournalLimits::default());
    let store = (database.clone(), journal.await.unwrap());
    let tables = (Policy::shipped().unwrap(), Calendar::default());
    let cases = Cases::new(store, Clock::System, &Keyring::ephemeral(), tables).unwrap();
    fill(&cases, 300).await;
    let worker = cases.worker(who(), ["program"].into_iter());
    for state in [AlertState::Open, AlertState::Closed] {
        let mut expected: Vec<Alert> = (0..300)
            .map(alert)
            .filter(|alert| alert.state == state)
            .collect();
        expected.sort_by_key(|alert| (alert.found().urgency, alert.id.clone()));
        let mut query = WorkQuery {
            limit: 9,
            ..WorkQuery::of(state)
        };
        let mut found = Vec::new();
        loop {
            let page = cases.alerts(&worker, &query).await.unwrap();
            found.extend(page.items.into_iter().map(|alert| alert.id));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let expected: Vec<String> = expected.into_iter().map(|alert| alert.id).collect();
        assert_eq!(found, expected);
    }
}
