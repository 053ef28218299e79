//! Appending: durable, unique, bounded, all or nothing.

use crate::support::*;
use paywarden_store::*;
use sqlx::{Connection as _, Row as _};
use std::{collections::HashSet, sync::Arc, time::Duration};

on_both!(
    everything_is_there_after_append,
    duplicates_write_nothing,
    one_of_a_hundred_equal_entries_is_written,
    a_full_queue_refuses_at_once,
    bytes_are_limited_as_well_as_entries,
    a_contradiction_harms_only_its_own_entry,
    limits_are_checked_before_anything_is_written,
    a_closed_journal_has_written_what_was_queued,
);

async fn everything_is_there_after_append(place: Place) {
    let store = place.open().await;
    let written = store
        .append(vec![decided(1), Row::Label(label(1))])
        .await
        .unwrap();
    assert_eq!(
        written,
        Appended::Written {
            seq: 1,
            label_seq: Some(1),
            known_records: false,
        }
    );
    let written = store.append(vec![]).await.unwrap();
    assert_eq!(
        written,
        Appended::Written {
            seq: 2,
            label_seq: None,
            known_records: false,
        }
    );
    let read = store
        .database
        .decision(&tenant(), &decision(1).id)
        .await
        .unwrap();
    assert_eq!(read, Some(decision(1)));
    let head = store.heads().await;
    store.close().await;

    // Numbers and chain go on where they stood.
    let store = place.open().await;
    assert_eq!(store.heads().await, head);
    let written = store
        .append(vec![Row::Label(label(2)), Row::Label(label(3))])
        .await
        .unwrap();
    assert_eq!(
        written,
        Appended::Written {
            seq: 3,
            label_seq: Some(3),
            known_records: false,
        }
    );
    assert!(matches!(
        store.database.verify(None).await.unwrap(),
        Verdict::Intact(_)
    ));
    assert_eq!(store.database.outbox_depth().await.unwrap(), 3);
    store.close().await;
}

async fn duplicates_write_nothing(place: Place) {
    let store = place.open().await;
    store.append(vec![decided(2)]).await.unwrap();
    let head = store.heads().await;

    let mut again = decision(2);
    again.event_no = 12;
    let rows = vec![Row::Decision(Arc::new(again.clone())), Row::Label(label(2))];
    let duplicate = |same_idempotency_key| Appended::Duplicate {
        event_no: 2,
        id: decision(2).id,
        fingerprint: Some([2; 32]),
        same_idempotency_key,
    };
    assert_eq!(store.append(rows).await.unwrap(), duplicate(true));

    again.idempotency_key = Some("another".into());
    assert_eq!(
        store
            .append(vec![Row::Decision(Arc::new(again.clone()))])
            .await
            .unwrap(),
        duplicate(false)
    );
    // The same idempotency key for another payment.
    again.idempotency_key = decision(2).idempotency_key;
    again.payment_id = payment(99);
    assert_eq!(
        store
            .append(vec![Row::Decision(Arc::new(again.clone()))])
            .await
            .unwrap(),
        duplicate(true)
    );
    assert_eq!(store.heads().await, head);
    assert_eq!(store.database.outbox_depth().await.unwrap(), 1);
    assert_eq!(store.database.labels_since(0, 10).await.unwrap(), vec![]);

    // Another tenant may use the same identifiers.
    let mut other = entry(vec![]);
    other.tenant = paywarden_domain::TenantId::parse("other").unwrap();
    again = decision(2);
    again.event_no = 13;
    again.id = decision(13).id;
    again.tenant = other.tenant.clone();
    other.rows = vec![Row::Decision(Arc::new(again))];
    let written = store.journal.append(other).await.unwrap();
    assert_eq!(
        written,
        Appended::Written {
            seq: 2,
            label_seq: None,
            known_records: false,
        }
    );
    store.close().await;
}

async fn one_of_a_hundred_equal_entries_is_written(place: Place) {
    let store = place.open().await;
    let mut tasks = Vec::new();
    for number in 0..100 {
        let journal = store.journal.clone();
        let mut row = decision(2);
        row.event_no = 1_000 + number;
        tasks.push(tokio::spawn(async move {
            journal
                .append(entry(vec![Row::Decision(Arc::new(row))]))
                .await
                .unwrap()
        }));
    }
    let mut written = 0;
    let mut named = HashSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Appended::Written { .. } => written += 1,
            Appended::Duplicate {
                event_no,
                same_idempotency_key,
                ..
            } => {
                assert!(same_idempotency_key);
                named.insert(event_no);
            }
        }
    }
    assert_eq!((written, named.len()), (1, 1));
    let rows = store.database.decisions_since(0, 200).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.event_no).collect::<HashSet<_>>(),
        named
    );
    assert_eq!(store.leaves().await, 1);
    store.close().await;
}

async fn a_full_queue_refuses_at_once(place: Place) {
    let limits = JournalLimits {
        queue_max: 4,
        batch_max: 1,
        ..JournalLimits::default()
    };
    let store = place.open_with(clock(), limits).await;
    let mut intruder = block(&place).await;
    let mut waiting = Vec::new();
    for number in 1..=5 {
        let journal = store.journal.clone();
        waiting.push(tokio::spawn(async move {
            journal.append(entry(vec![decided(number)])).await
        }));
        // The first is under way before the others queue up behind it.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(store.journal.queued(), 4);
    let before = std::time::Instant::now();
    assert_eq!(store.append(vec![decided(6)]).await, Err(Error::Overloaded));
    assert!(before.elapsed() < Duration::from_millis(500));
    execute(&mut intruder, "COMMIT").await;
    for task in waiting {
        assert!(matches!(task.await.unwrap(), Ok(Appended::Written { .. })));
    }
    assert!(matches!(
        store.append(vec![decided(6)]).await,
        Ok(Appended::Written { seq: 6, .. })
    ));
    store.close().await;
}

async fn bytes_are_limited_as_well_as_entries(place: Place) {
    let limits = JournalLimits {
        queue_bytes_max: 4_000,
        ..JournalLimits::default()
    };
    let store = place.open_with(clock(), limits).await;
    let mut intruder = block(&place).await;
    let journal = store.journal.clone();
    let waiting =
        tokio::spawn(async move { journal.append(entry(vec![decided(1), decided(2)])).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(store.append(vec![decided(3)]).await, Err(Error::Overloaded));
    let never = store.append((1..=3).map(decided).collect()).await;
    assert!(matches!(never, Err(Error::Invalid { .. })));
    execute(&mut intruder, "COMMIT").await;
    assert!(waiting.await.unwrap().is_ok());
    assert!(store.append(vec![decided(3)]).await.is_ok());
    store.close().await;
}

/// Keeps the writer waiting until `COMMIT`.
async fn block(place: &Place) -> sqlx::AnyConnection {
    let mut intruder = place.intruder().await;
    let text = if place.is_postgres() {
        "BEGIN; LOCK TABLE trail_trees IN EXCLUSIVE MODE"
    } else {
        "BEGIN IMMEDIATE"
    };
    execute(&mut intruder, text).await;
    intruder
}

async fn a_contradiction_harms_only_its_own_entry(place: Place) {
    let store = place.open().await;
    store
        .append(vec![Row::SigningKey(signing_key("k"))])
        .await
        .unwrap();
    let removal = ListRemoval {
        tenant: tenant(),
        list: "deny".into(),
        value: "x".into(),
        removed_at: at(1),
    };
    let refused = [
        Row::SigningKey(signing_key("k")),
        Row::ListRemoval(removal),
        Row::KeyRevocation(KeyRevocation {
            tenant: tenant(),
            key_id: "none".into(),
            revoked_at: at(1),
        }),
    ];
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for number in 1..=60 {
        let journal = store.journal.clone();
        good.push(tokio::spawn(async move {
            journal.append(entry(vec![decided(number)])).await
        }));
        if let Some(row) = refused.get(number as usize / 20 - usize::from(number >= 60))
            && number % 20 == 0
        {
            let (journal, row) = (store.journal.clone(), row.clone());
            let rows = vec![row, decided(1_000 + number)];
            bad.push(tokio::spawn(
                async move { journal.append(entry(rows)).await },
            ));
        }
    }
    for task in good {
        assert!(matches!(task.await.unwrap(), Ok(Appended::Written { .. })));
    }
    assert!(!bad.is_empty());
    for task in bad {
        assert!(matches!(task.await.unwrap(), Err(Error::Conflict { .. })));
    }
    let verdict = store.database.verify(None).await.unwrap();
    assert!(
        matches!(
            verdict,
            Verdict::Intact(Intact {
                leaves: 61,
                rows: 61,
                ..
            })
        ),
        "{verdict:?}"
    );
    store.close().await;
}

async fn limits_are_checked_before_anything_is_written(place: Place) {
    let store = place.open().await;
    let refused = |change: fn(&mut Entry)| {
        let mut entry = entry(vec![decided(2)]);
        change(&mut entry);
        let journal = store.journal.clone();
        async move {
            assert!(matches!(
                journal.append(entry).await,
                Err(Error::Invalid { .. })
            ))
        }
    };
    let row = |change: fn(&mut DecisionRow)| {
        let mut row = decision(2);
        change(&mut row);
        let journal = store.journal.clone();
        let entry = entry(vec![Row::Decision(Arc::new(row))]);
        async move {
            assert!(matches!(
                journal.append(entry).await,
                Err(Error::Invalid { .. })
            ))
        }
    };
    refused(|entry| entry.purpose = "".into()).await;
    refused(|entry| entry.actor = Actor::Staff(String::new())).await;
    refused(|entry| entry.action = "").await;
    refused(|entry| entry.object = "x".repeat(257)).await;
    refused(|entry| entry.object = "zero\0".into()).await;
    refused(|entry| entry.tenant = paywarden_domain::TenantId::parse("other").unwrap()).await;
    refused(|entry| entry.rows = (0..257).map(decided).collect()).await;
    row(|row| row.fraud_score = 1_001).await;
    row(|row| row.key_id = String::new()).await;
    row(|row| row.idempotency_key = Some("x".repeat(257))).await;
    row(|row| row.feature = vec![0; 65 * 1024]).await;
    assert_eq!(store.heads().await, []);
    assert!(matches!(
        store.database.decisions_since(0, 10_001).await,
        Err(Error::Invalid { .. })
    ));
    store.close().await;
}

async fn a_closed_journal_has_written_what_was_queued(place: Place) {
    let store = place.open().await;
    let mut tasks = Vec::new();
    for number in 1..=200 {
        let journal = store.journal.clone();
        tasks.push(tokio::spawn(async move {
            journal.append(entry(vec![decided(number)])).await
        }));
    }
    tokio::task::yield_now().await;
    store.journal.close().await;
    let mut written = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => written += 1,
            Err(error) => assert_eq!(error, Error::Closed),
        }
    }
    assert_eq!(store.append(vec![]).await, Err(Error::Closed));
    assert_eq!(store.leaves().await, written);
    store.close().await;
}

/// PostgreSQL only: the session of the writer is ended again and again while entries come.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_lose_and_invent_nothing() {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let store = place.open().await;
    let mut intruder = place.intruder().await;
    let mut tasks = Vec::new();
    for number in 1..=3_000 {
        let journal = store.journal.clone();
        tasks.push(tokio::spawn(async move {
            (number, journal.append(entry(vec![decided(number)])).await)
        }));
        if number % 300 == 0 {
            execute(
                &mut intruder,
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database
                 WHERE locktype = 'advisory' AND datname = current_database()",
            )
            .await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let (mut written, mut failed) = (0, 0);
    for task in tasks {
        let (number, result) = task.await.unwrap();
        let stored = store
            .database
            .decision_of_payment(&tenant(), &payment(number))
            .await
            .unwrap();
        match result {
            Ok(_) => {
                written += 1;
                assert!(stored.is_some(), "{number} was acknowledged");
            }
            Err(Error::Unavailable { .. }) => {
                failed += 1;
                assert!(stored.is_none(), "{number} was refused");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        written > 0 && failed > 0,
        "{written} written, {failed} failed"
    );
    assert!(matches!(
        store.append(vec![]).await,
        Ok(Appended::Written { .. })
    ));
    let verdict = store.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    let rows = sqlx::query("SELECT CAST(SUM(leaves) AS BIGINT) FROM outbox")
        .fetch_one(&mut intruder)
        .await
        .unwrap();
    assert_eq!(rows.try_get::<i64, _>(0).unwrap(), written + 1);
    intruder.close().await.unwrap();
    store.close().await;
}
