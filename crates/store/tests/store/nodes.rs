//! Processes that say that they are there.

use crate::support::*;
use paywarden_store::*;

on_both!(the_twenty_that_were_seen_last_are_remembered,);

fn node(number: i64, seen: i64) -> NodeRow {
    NodeRow {
        id: format!("node_{number:02}"),
        version: "1.0".into(),
        started_at: at(number),
        seen_at: at(seen),
    }
}

async fn the_twenty_that_were_seen_last_are_remembered(place: Place) {
    let store = place.open().await;
    assert_eq!(store.database.nodes().await.unwrap(), []);
    for number in 0..25 {
        store
            .journal
            .beat(node(number, 100 + number))
            .await
            .unwrap();
    }
    // One that was there before says so again.
    store.journal.beat(node(7, 200)).await.unwrap();
    store.close().await;
    let store = place.open().await;
    let known = store.database.nodes().await.unwrap();
    let rest = (6..25).rev().filter(|number| *number != 7);
    let rest = rest.map(|number| node(number, 100 + number));
    let expected: Vec<_> = std::iter::once(node(7, 200)).chain(rest).collect();
    assert_eq!(known[..19], expected[..19]);
    assert_eq!(known.len(), NODES_MAX as usize);
    let long = NodeRow {
        id: "n".repeat(65),
        ..node(1, 1)
    };
    let refused = store.journal.beat(long).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { .. }), "{refused}");
    store.close().await;
}
