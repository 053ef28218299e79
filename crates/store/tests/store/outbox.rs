//! The outbox: each leaf is handed out until it is struck off.

use crate::support::*;
use paywarden_store::*;

on_both!(
    leaves_are_handed_out_once_in_order,
    leaves_that_were_not_struck_off_come_again,
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
