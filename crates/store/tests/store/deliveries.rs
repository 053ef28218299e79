//! Messages and deliveries: put down once, due until they arrive, sent again when asked.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;

on_both!(
    a_message_that_is_handed_in_twice_is_there_once,
    an_attempt_moves_its_delivery_and_what_was_asked_again_meanwhile_stays_due,
    a_span_is_sent_again_and_what_is_old_is_forgotten,
);

fn message(number: i64) -> MessageRow {
    MessageRow {
        about: String::new(),
        id: format!("msg_{number}"),
        tenant: tenant(),
        event: "label.added".into(),
        created_at: at(number),
        body: number.to_be_bytes().to_vec(),
    }
}

fn delivery(number: i64, endpoint: &str) -> DeliveryRow {
    DeliveryRow {
        message: format!("msg_{number}"),
        endpoint: endpoint.into(),
        tenant: tenant(),
        event: "label.added".into(),
        created_at: at(number),
        state: DeliveryState::Waiting,
        attempts: 0,
        tries: 0,
        due_at: Some(at(number)),
        last_at: None,
        last_status: None,
    }
}

fn attempted(delivery: &DeliveryRow, state: DeliveryState, due: Option<i64>) -> Attempted {
    let attempt_no = delivery.attempts + 1;
    Attempted {
        attempt: AttemptRow {
            message: delivery.message.clone(),
            endpoint: delivery.endpoint.clone(),
            attempt_no,
            tried_at: at(50),
            took_ms: 3,
            status: Some(200),
            failure: None,
        },
        delivery: DeliveryRow {
            state,
            attempts: attempt_no,
            tries: delivery.tries + 1,
            due_at: due.map(at),
            last_at: Some(at(50)),
            last_status: Some(200),
            ..delivery.clone()
        },
    }
}

fn replay(from: i64, until: i64) -> Replay {
    Replay {
        tenant: tenant(),
        endpoint: "one".into(),
        message: None,
        from: at(from),
        until: at(until),
        given_up_only: false,
        due_at: at(60),
    }
}

async fn due(store: &Store, endpoint: &str, now: i64) -> Vec<String> {
    let due = store.database.deliveries_due(endpoint, at(now), 100).await;
    due.unwrap().into_iter().map(|one| one.message).collect()
}

async fn send(store: &Store, numbers: std::ops::RangeInclusive<i64>, endpoints: &[&str]) {
    let messages = numbers.clone().map(message).collect();
    let of = |number: i64| endpoints.iter().map(move |one| delivery(number, one));
    let deliveries = numbers.flat_map(of).collect();
    store
        .journal
        .send_messages(messages, deliveries)
        .await
        .unwrap();
}

async fn a_message_that_is_handed_in_twice_is_there_once(place: Place) {
    let store = place.open().await;
    send(&store, 1..=3, &["one", "other"]).await;
    let first = store
        .database
        .deliveries_due("one", at(3), 1)
        .await
        .unwrap();
    let done = attempted(&first[0], DeliveryState::Delivered, None);
    store.journal.settle_deliveries(vec![done]).await.unwrap();
    send(&store, 1..=4, &["one", "other"]).await;
    assert_eq!(due(&store, "one", 9).await, ["msg_2", "msg_3", "msg_4"]);
    assert_eq!(due(&store, "one", 2).await, ["msg_2"]);
    assert_eq!(due(&store, "other", 9).await.len(), 4);
    assert_eq!(store.database.deliveries_waiting().await.unwrap(), 7);
    let found = store.database.message(&tenant(), "msg_3").await.unwrap();
    assert_eq!(found, Some(message(3)));
    let other = TenantId::parse("other").unwrap();
    assert_eq!(store.database.message(&other, "msg_3").await.unwrap(), None);
    let place = ("one", "msg_3");
    assert_eq!(store.database.delivery(&other, place).await.unwrap(), None);
    store.close().await;
}

async fn an_attempt_moves_its_delivery_and_what_was_asked_again_meanwhile_stays_due(place: Place) {
    let store = place.open().await;
    send(&store, 1..=2, &["one"]).await;
    let [first, second] = store
        .database
        .deliveries_due("one", at(9), 9)
        .await
        .unwrap()
        .try_into()
        .unwrap();
    let retried = attempted(&first, DeliveryState::Waiting, Some(70));
    // While the second is under way, it is asked for again.
    let again = Replay {
        message: Some("msg_2".into()),
        ..replay(0, 100)
    };
    assert_eq!(store.journal.replay_deliveries(again).await.unwrap(), 1);
    let done = attempted(&second, DeliveryState::Delivered, None);
    store
        .journal
        .settle_deliveries(vec![retried, done])
        .await
        .unwrap();
    assert_eq!(due(&store, "one", 65).await, ["msg_2"]);
    assert_eq!(due(&store, "one", 70).await, ["msg_2", "msg_1"]);
    let found = store.database.delivery(&tenant(), ("one", "msg_2")).await;
    let found = found.unwrap().unwrap();
    assert_eq!(
        (found.attempts, found.tries, found.last_status),
        (1, -1, Some(200))
    );
    let done = attempted(&found, DeliveryState::Delivered, None);
    store.journal.settle_deliveries(vec![done]).await.unwrap();
    assert_eq!(due(&store, "one", 99).await, ["msg_1"]);
    let attempts = store.database.attempts(("one", "msg_2")).await.unwrap();
    let numbers: Vec<_> = attempts.iter().map(|one| one.attempt_no).collect();
    assert_eq!(numbers, [2, 1]);
    store.close().await;
}

async fn a_span_is_sent_again_and_what_is_old_is_forgotten(place: Place) {
    let store = place.open().await;
    send(&store, 1..=6, &["one", "other"]).await;
    let all = store
        .database
        .deliveries_due("one", at(9), 9)
        .await
        .unwrap();
    let states = [DeliveryState::Delivered, DeliveryState::GivenUp]
        .into_iter()
        .cycle();
    let settled = all.iter().zip(states);
    let settled = settled
        .map(|(one, state)| attempted(one, state, None))
        .collect();
    store.journal.settle_deliveries(settled).await.unwrap();
    assert!(due(&store, "one", 99).await.is_empty());

    let given_up = Replay {
        given_up_only: true,
        ..replay(1, 5)
    };
    assert_eq!(store.journal.replay_deliveries(given_up).await.unwrap(), 2);
    assert_eq!(due(&store, "one", 60).await, ["msg_2", "msg_4"]);
    let foreign = Replay {
        tenant: TenantId::parse("other").unwrap(),
        ..replay(0, 100)
    };
    assert_eq!(store.journal.replay_deliveries(foreign).await.unwrap(), 0);
    assert_eq!(
        store.journal.replay_deliveries(replay(1, 3)).await.unwrap(),
        2
    );

    let page = async |state, before: (i64, &'static str)| {
        let before = (at(before.0), before.1);
        let (tenant, database) = (tenant(), &store.database);
        let page = database.deliveries_page(&tenant, "one", state, before, 2);
        page.await
            .unwrap()
            .into_iter()
            .map(|one| one.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(page(None, (1_000, "")).await, ["msg_6", "msg_5"]);
    assert_eq!(page(None, (5, "msg_5")).await, ["msg_4", "msg_3"]);
    let delivered = Some(DeliveryState::Delivered);
    assert_eq!(page(delivered, (1_000, "")).await, ["msg_5", "msg_3"]);

    assert_eq!(store.journal.forget_messages(at(5)).await.unwrap(), 4);
    assert_eq!(store.database.deliveries_waiting().await.unwrap(), 2);
    assert!(
        store
            .database
            .attempts(("one", "msg_4"))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(page(None, (1_000, "")).await, ["msg_6", "msg_5"]);
    store.close().await;
}
