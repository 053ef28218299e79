//! The outbox: each leaf is handed out until it is struck off.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;
use sqlx::{Connection as _, Row as _};
use std::collections::BTreeMap;

on_both!(
    leaves_are_handed_out_once_in_order,
    leaves_that_were_not_struck_off_come_again,
    leaves_that_wait_together_are_handled_as_if_they_waited_alone,
);

async fn claim(store: &Store, consumer: &str, limit: u32) -> Vec<OutboxItem> {
    store
        .journal
        .outbox_claim(consumer, limit, 1_000)
        .await
        .unwrap()
}

fn seqs(items: &[OutboxItem]) -> Vec<i64> {
    items.iter().map(|item| item.seq).collect()
}

async fn leaves_are_handed_out_once_in_order(place: Place) {
    let store = place.open().await;
    for number in 1..=10 {
        store
            .append(vec![decided(number), Row::Label(label(number))])
            .await
            .unwrap();
    }
    let first = claim(&store, "cases", 4).await;
    assert_eq!(seqs(&first), [1, 2, 3, 4]);
    assert_eq!(first[1].rows, [RowRef::Decision(2), RowRef::Label(2)]);
    assert_eq!(first[1].action, "decide");
    assert_eq!(first[1].actor, "key:key-1");
    assert_eq!(
        seqs(&claim(&store, "other", 256).await),
        [5, 6, 7, 8, 9, 10]
    );
    assert!(claim(&store, "cases", 256).await.is_empty());
    for (consumer, limit) in [("", 1), ("x", 257)] {
        let refused = store.journal.outbox_claim(consumer, limit, 1).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })));
    }
    store.close().await;
}

async fn leaves_that_were_not_struck_off_come_again(place: Place) {
    let clock = clock();
    let store = place
        .open_with(clock.clone(), JournalLimits::default())
        .await;
    for number in 1..=10 {
        store.append(vec![decided(number)]).await.unwrap();
    }
    claim(&store, "cases", 4).await;
    claim(&store, "other", 256).await;
    // Two twice, one that the other holds, one that is not there.
    let struck = store
        .journal
        .outbox_ack("cases", &[1, 2, 4, 4, 5, 77])
        .await
        .unwrap();
    assert_eq!(struck, 3);
    assert_eq!(store.database.outbox_depth().await.unwrap(), 7);
    if let Clock::Simulated(clock) = &clock {
        clock.advance_us(1_000);
    }
    let again = seqs(&claim(&store, "cases", 256).await);
    assert_eq!(again, [3, 5, 6, 7, 8, 9, 10]);
    assert_eq!(store.journal.outbox_ack("other", &[5]).await.unwrap(), 0);
    assert_eq!(store.journal.outbox_ack("cases", &again).await.unwrap(), 7);
    assert_eq!(store.database.outbox_depth().await.unwrap(), 0);
    store.append(vec![]).await.unwrap();
    assert_eq!(claim(&store, "cases", 256).await.len(), 1);
    store.close().await;
}

/// Leaves of one commit wait as one row. Whatever is claimed and struck off of them, a list of
/// single leaves says what must come next.
async fn leaves_that_wait_together_are_handled_as_if_they_waited_alone(place: Place) {
    let clock = clock();
    let store = place
        .open_with(clock.clone(), JournalLimits::default())
        .await;
    append_together(&store, &place).await;
    // Who holds each leaf, and until when.
    let mut held: BTreeMap<i64, Option<(&str, u64)>> = (1..=300).map(|seq| (seq, None)).collect();
    let (mut random, mut now_us) = (7_u64, 0_u64);
    let mut below = |limit: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % limit
    };
    while !held.is_empty() {
        let consumer = ["cases", "other"][below(2) as usize];
        if below(2) == 0 {
            let limit = 1 + below(40) as u32;
            let is_free =
                |holder: &Option<(&str, u64)>| holder.is_none_or(|(_, until)| until <= now_us);
            let free = held.iter().filter(|(_, holder)| is_free(holder));
            let expected: Vec<i64> = free.map(|(seq, _)| *seq).take(limit as usize).collect();
            assert_eq!(seqs(&claim(&store, consumer, limit).await), expected);
            for seq in expected {
                held.insert(seq, Some((consumer, now_us + 1_000)));
            }
        } else {
            let some: Vec<i64> = held
                .keys()
                .copied()
                .filter(|_| below(3) == 0)
                .take(60)
                .collect();
            let own = |seq: &i64| held[seq].is_some_and(|(holder, _)| holder == consumer);
            let struck: Vec<i64> = some.iter().copied().filter(own).collect();
            let count = store.journal.outbox_ack(consumer, &some).await.unwrap();
            assert_eq!(count, struck.len() as u64);
            held.retain(|seq, _| !struck.contains(seq));
        }
        if let Clock::Simulated(clock) = &clock {
            let pause_us = below(400);
            clock.advance_us(pause_us);
            now_us += pause_us;
        }
        let depth = store.database.outbox_depth().await.unwrap();
        assert_eq!(depth, held.len() as i64);
    }
    store.close().await;
}

/// 300 leaves of two tenants, in few commits.
async fn append_together(store: &Store, place: &Place) {
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..300 {
        let (journal, mut entry) = (store.journal.clone(), entry(vec![]));
        if number % 50 == 0 {
            entry.tenant = TenantId::parse("other").unwrap();
        }
        waiting.spawn(async move { journal.append(entry).await.unwrap() });
    }
    waiting.join_all().await;
    let mut intruder = place.intruder().await;
    let rows = sqlx::query("SELECT COUNT(*) FROM outbox")
        .fetch_one(&mut intruder)
        .await
        .unwrap();
    assert!(
        rows.try_get::<i64, _>(0).unwrap() < 200,
        "no leaves wait together"
    );
    intruder.close().await.unwrap();
}
