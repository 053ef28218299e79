//! Pages over several queues, against one sorted list.

use super::*;
use crate::{Change, Closing, Disposition, Entity, Policy};
use paywarden_access::{approval::Who, watch::Calendar};
use paywarden_crypto::Keyring;
use paywarden_domain::{Currency, Engine, Money, Outcome, TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};

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
    let alerts: Vec<Alert> = (0..count).map(alert).collect();
    for part in alerts.chunks(256) {
        let part = part.to_vec();
        cases.put_alerts(&who().tenant, part).await.unwrap();
    }
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
