//! Deliveries: signed, tried again, held up by nobody, lost by no crash.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

use crate::{
    receiver::{Answer, Heard, Receiver, eventually},
    world::{World, acme, webhook, who},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_domain::{
    Currency, DecisionId, EventKind, Money, Outcome, PaymentId, Timestamp, time::HOUR,
};
use paywarden_notify::{
    WebhookChange,
    deliveries::Again,
    endpoint::{State, WebhookRotation},
};
use paywarden_store::{DecisionRow, DeliveryState, RecordRow, Row};
use serde_json::json;
use std::sync::Arc;

fn decision(number: i64, outcome: Outcome) -> Row {
    Row::Decision(Arc::new(DecisionRow {
        event_no: number,
        id: DecisionId::parse(&format!("dec_{number:032x}")).unwrap(),
        tenant: acme(),
        payment_id: PaymentId::parse(&format!("pay-{number}")).unwrap(),
        kind: EventKind::ALL[0],
        occurred_at: Timestamp::from_micros(1),
        decided_at: Timestamp::from_micros(2_000_000),
        outcome,
        fraud_score: 700,
        laundering_score: 10,
        amount: Some(Money::new(1_234, Currency::parse("USD").unwrap())),
        key_id: "key-1".to_owned(),
        idempotency_key: None,
        fingerprint: None,
        feature: b"secret".to_vec(),
        event: b"secret".to_vec(),
        body: b"secret".to_vec(),
        trace: None,
    }))
}

/// Whether a message was signed with a secret, by another implementation of the same HMAC.
fn is_signed(heard: &Heard, secret: &str) -> bool {
    let secret = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let (id, time) = (heard.id(), &heard.headers["webhook-timestamp"]);
    let content = [format!("{id}.{time}.").as_bytes(), &heard.body].concat();
    heard.headers["webhook-signature"]
        .split(' ')
        .any(|signature| {
            let signature = STANDARD
                .decode(signature.strip_prefix("v1,").unwrap())
                .unwrap();
            hmac::verify(&key, &content, &signature).is_ok()
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_endpoint_is_told_what_it_wants_signed_and_no_more() {
    let mut world = World::open().await;
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let (_, secret) = world.told(&all, &["*"]).await;
    let mut stopped = webhook(&some.url, &["decision.created", "case.*"]);
    stopped.outcomes = vec![Outcome::Hold, Outcome::Decline];
    world.change(WebhookChange::Create(stopped)).await.unwrap();
    world.run();

    let outcomes = [Outcome::Approve, Outcome::Hold, Outcome::Decline];
    for (number, outcome) in (1..).zip(outcomes) {
        let row = decision(number, outcome);
        world.happen("decision.create", "dec-1", vec![row]).await;
    }
    world.label("pay-1").await;
    world.happen("case.close", "cas_1", Vec::new()).await;
    world.happen("payment.release", "pay-1", Vec::new()).await;
    world.happen("payment.view", "pay-1", Vec::new()).await;
    let alert = Row::Record(RecordRow {
        tenant: acme(),
        kind: "security_alert".to_owned(),
        id: "alt_1".to_owned(),
        version: 1,
        written_at: Timestamp::from_micros(1),
        body: b"secret".to_vec(),
    });
    world.happen("alert.raise", "alt_1", vec![alert]).await;
    world
        .happen("payment_alert.open", "alr_1", Vec::new())
        .await;
    world
        .happen("payment_alert.reindex", "alr_1", Vec::new())
        .await;
    world.feed().await;

    let heard = all.heard_at_least(8).await;
    let mut types: Vec<String> = heard
        .iter()
        .map(|one| one.json()["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    assert_eq!(
        types,
        [
            "alert.open",
            "case.close",
            "decision.created",
            "decision.created",
            "decision.created",
            "label.added",
            "payment.action",
            "security_alert.raised",
        ]
    );
    for one in &heard {
        assert_eq!(one.path, "/hook");
        assert_eq!(one.headers["content-type"], "application/json");
        assert_eq!(one.headers["webhook-timestamp"], "1790000000");
        assert!(is_signed(one, &secret), "{one:?}");
        assert!(!String::from_utf8_lossy(&one.body).contains("secret"));
    }
    let label = heard.iter().find(|one| one.json()["type"] == "label.added");
    let expected = json!({
        "decision": "dec-1", "payment_id": "pay-1", "verdict": "fraud", "source": "analyst",
        "occurred_at": null, "known_at": "2026-09-21T14:13:20Z",
    });
    assert_eq!(label.unwrap().json()["data"], expected);

    let heard = some.heard_at_least(3).await;
    let mut told: Vec<_> = heard.iter().map(|one| one.json()["data"].clone()).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told[0]["id"], "cas_1");
    assert_eq!(told[1]["outcome"], "hold");
    assert_eq!(
        told[1]["amount"],
        json!({"value": "12.34", "currency": "USD"})
    );
    assert_eq!(
        (told[2]["outcome"].as_str(), told.len()),
        (Some("decline"), 3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_that_is_handed_on_twice_is_told_once() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = world.told(&receiver, &["label.added"]).await;
    for number in 0..3 {
        world.label(&format!("pay-{number}")).await;
    }
    let batch = world.journal.outbox_claim("test", 256, 0).await.unwrap();
    world.notify.feed.take(&batch).await.unwrap();
    world.run();
    receiver.heard_at_least(3).await;
    // The process dies before the leaves are struck off.
    let mut world = world.killed().await;
    world.run();
    world.feed().await;
    world.label("last").await;
    world.feed().await;
    receiver.heard_at_least(4).await;
    let rows = world.until(&endpoint, |rows| {
        rows.iter().all(|row| row.state == DeliveryState::Delivered)
    });
    assert_eq!(rows.await.len(), 4);
    let heard = receiver.heard();
    let mut ids: Vec<_> = heard.iter().map(Heard::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_under_the_same_identifier_until_it_arrives() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = world.told(&receiver, &["*"]).await;
    receiver.will([
        Answer::Says(500, ""),
        Answer::Says(302, "location: https://127.0.0.1/elsewhere\r\n"),
        Answer::Says(503, "retry-after: 7200\r\n"),
    ]);
    world.label("pay-1").await;
    world.feed().await;
    world.run();
    for attempts in 1..=2 {
        let rows = world
            .until(&endpoint, |rows| rows[0].attempts == attempts)
            .await;
        assert_eq!(rows[0].state, DeliveryState::Waiting);
        world.hours(1);
    }
    // For as long as it wants to be left alone, it is: an hour is not enough of two.
    let rows = world.until(&endpoint, |rows| rows[0].attempts == 3).await;
    let due = rows[0].due_at.unwrap().micros() - rows[0].last_at.unwrap().micros();
    assert!((2 * HOUR..2 * HOUR + HOUR / 10).contains(&due), "{due}");
    world.hours(3);
    let rows = world.until(&endpoint, |rows| rows[0].attempts == 4).await;
    assert_eq!(rows[0].state, DeliveryState::Delivered);

    let heard = receiver.heard();
    assert!(heard.iter().all(|one| one.id() == rows[0].message));
    assert_eq!(heard.len(), 4);
    let attempts = world.attempts(&rows[0]).await;
    let seen: Vec<_> = attempts
        .iter()
        .map(|one| (one.attempt_no, one.status, one.failure.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            (4, Some(200), None),
            (3, Some(503), Some("the receiver refuses or fails")),
            (2, Some(302), Some("redirects are not followed")),
            (1, Some(500), Some("the receiver refuses or fails")),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_attempts_within_three_days_a_delivery_is_given_up_and_can_be_replayed() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = world.told(&receiver, &["*"]).await;
    receiver.always(Answer::Says(500, ""));
    world.label("pay-1").await;
    world.feed().await;
    world.run();
    let begun = paywarden_store::Clock::Simulated(world.clock.clone()).now();
    for attempts in 1..=10 {
        let rows = world
            .until(&endpoint, |rows| rows[0].attempts == attempts)
            .await;
        if let Some(due) = rows[0].due_at {
            let now = paywarden_store::Clock::Simulated(world.clock.clone()).now();
            let wait = due.micros() - now.micros();
            world.clock.advance_us(wait.max(0).unsigned_abs());
        }
    }
    let rows = world.deliveries(&endpoint).await;
    assert_eq!(
        (rows[0].state, rows[0].due_at),
        (DeliveryState::GivenUp, None)
    );
    let took = rows[0].last_at.unwrap().micros() - begun.micros();
    assert!((68 * HOUR..84 * HOUR).contains(&took), "{} h", took / HOUR);
    assert_eq!(world.notify.figures.given_up(), 1);

    // One by its name, all of a span, and none of another company.
    receiver.always(Answer::Says(204, ""));
    let (who, again) = (who("maker"), Again::One(rows[0].message.clone()));
    let replayed = world
        .notify
        .deliveries
        .again(&who, &endpoint, again, "test")
        .await;
    assert_eq!(replayed.unwrap(), 1);
    world
        .until(&endpoint, |rows| rows[0].state == DeliveryState::Delivered)
        .await;
    let span = Again::Span {
        from: Timestamp::from_micros(0),
        until: Timestamp::from_micros(i64::MAX),
        given_up_only: false,
    };
    let replayed = world
        .notify
        .deliveries
        .again(&who, &endpoint, span, "test")
        .await;
    assert_eq!(replayed.unwrap(), 1);
    world.until(&endpoint, |rows| rows[0].attempts == 12).await;
    let ids: Vec<_> = receiver
        .heard()
        .iter()
        .map(|one| one.id().to_owned())
        .collect();
    assert!(ids.iter().all(|id| *id == rows[0].message) && ids.len() == 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_gone_is_told_nothing_until_somebody_enables_them() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = world.told(&receiver, &["*"]).await;
    receiver.will([Answer::Says(410, "")]);
    world.label("pay-1").await;
    world.feed().await;
    world.run();
    receiver.heard_at_least(1).await;
    let (endpoints, id) = (&world.notify.endpoints, &endpoint.id);
    let state = || endpoints.find(&acme(), id).unwrap().state;
    eventually(|| state() == State::Gone).await;
    world.until(&endpoint, |rows| rows[0].attempts == 1).await;
    world.label("pay-2").await;
    world.feed().await;
    world.hours(5);
    let again = WebhookChange::Enable(id.clone());
    let enabled = world.change(again).await.unwrap().endpoint;
    assert_eq!((enabled.state, enabled.version), (State::Enabled, 3));
    let heard = receiver.heard_at_least(3).await;
    assert_eq!(
        heard[0].id(),
        heard
            .iter()
            .find(|one| one.body == heard[0].body)
            .unwrap()
            .id()
    );
    let delivered = |rows: &[paywarden_store::DeliveryRow]| {
        rows.len() == 2 && rows.iter().all(|row| row.state == DeliveryState::Delivered)
    };
    world.until(&endpoint, delivered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let mut world = World::open().await;
    let (stuck, quick) = (Receiver::start().await, Receiver::start().await);
    stuck.always(Answer::Hangs);
    let (endpoint, _) = world.told(&stuck, &["*"]).await;
    let (other, _) = world.told(&quick, &["*"]).await;
    world.run();
    for number in 0..40 {
        world.label(&format!("pay-{number}")).await;
    }
    world.feed().await;
    quick.heard_at_least(40).await;
    let delivered = |rows: &[paywarden_store::DeliveryRow]| {
        rows.iter().all(|row| row.state == DeliveryState::Delivered)
    };
    assert_eq!(world.until(&other, delivered).await.len(), 40);
    // Few attempts wait for the one that hangs, and none of its deliveries is lost.
    assert!(stuck.heard().len() <= paywarden_notify::courier::WIDTH);
    let rows = world.deliveries(&endpoint).await;
    assert!(rows.iter().all(|row| row.attempts == 0) && rows.len() == 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_that_is_killed_leaves_what_was_under_way_due() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, _) = world.told(&receiver, &["*"]).await;
    receiver.will([Answer::Hangs, Answer::Hangs]);
    for number in 0..2 {
        world.label(&format!("pay-{number}")).await;
    }
    world.feed().await;
    world.run();
    let before = receiver.heard_at_least(2).await;
    let mut world = world.killed().await;
    world.run();
    let heard = receiver.heard_at_least(4).await;
    let sorted = |heard: &[Heard]| {
        let mut ids: Vec<_> = heard.iter().map(|one| one.id().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(sorted(&before), sorted(&heard[2..]));
    let delivered = |rows: &[paywarden_store::DeliveryRow]| {
        rows.iter().all(|row| row.state == DeliveryState::Delivered)
    };
    world.until(&endpoint, delivered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_secrets_sign_beside_each_other_as_long_as_they_should() {
    let mut world = World::open().await;
    let receiver = Receiver::start().await;
    let (endpoint, old) = world.told(&receiver, &["*"]).await;
    world.run();
    let rotation = WebhookRotation {
        id: endpoint.id.clone(),
        overlap_hours: 24,
    };
    let changed = world.change(WebhookChange::Rotate(rotation)).await.unwrap();
    let new = changed.secret.unwrap();
    for (hours, signatures, by_old) in [(0, 2, true), (23, 2, true), (2, 1, false)] {
        world.hours(hours);
        let count = receiver.heard().len();
        world.label("pay-1").await;
        world.feed().await;
        let heard = receiver.heard_at_least(count + 1).await;
        let last = heard.last().unwrap();
        assert_eq!(
            last.headers["webhook-signature"].split(' ').count(),
            signatures
        );
        assert!(is_signed(last, &new));
        assert_eq!(is_signed(last, &old), by_old);
    }
    // A secret outlives the process, and is not in the store in clear.
    let found = world
        .database
        .record("webhook", &endpoint.id)
        .await
        .unwrap()
        .unwrap();
    let secret = STANDARD
        .decode(new.strip_prefix("whsec_").unwrap())
        .unwrap();
    let kept = String::from_utf8(found.body).unwrap();
    assert!(!kept.contains(new.as_str()) && !kept.contains(&format!("{secret:?}")));
    let mut world = world.killed().await;
    world.run();
    world.label("pay-2").await;
    world.feed().await;
    let heard = receiver.heard_at_least(4).await;
    assert!(is_signed(heard.last().unwrap(), &new));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_reaches_the_one_endpoint_whatever_it_wants() {
    let mut world = World::open().await;
    let (one, other) = (Receiver::start().await, Receiver::start().await);
    let (endpoint, secret) = world.told(&one, &["case.close"]).await;
    world.told(&other, &["*"]).await;
    world.run();
    let message = world
        .notify
        .deliveries
        .ping(&who("maker"), &endpoint, "test")
        .await;
    let message = message.unwrap();
    let heard = one.heard_at_least(1).await;
    assert_eq!(heard[0].id(), message);
    assert_eq!(heard[0].json()["type"], "webhook.ping");
    assert!(is_signed(&heard[0], &secret) && other.heard().is_empty());
    world.hours(24 * 31);
    let rows = world.database.message(&acme(), &message).await.unwrap();
    assert!(rows.is_some());
    // A month later it is forgotten, with all that belongs to it.
    let mut world = world.killed().await;
    world.run();
    world.until(&endpoint, <[_]>::is_empty).await;
    assert_eq!(
        world.database.message(&acme(), &message).await.unwrap(),
        None
    );
}
