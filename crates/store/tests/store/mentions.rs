//! What blocks of decisions name: kept once, read backwards, each tenant's apart.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;

on_both!(
    blocks_are_kept_once_and_read_backwards,
    what_decisions_name_is_read_newest_first,
    numbers_narrow_whatever_else_is_asked,
);

fn block(tenant: &TenantId, first: i64) -> MentionsRow {
    MentionsRow {
        tenant: tenant.clone(),
        first,
        last: first + 9,
        content: first.to_be_bytes().to_vec(),
    }
}

async fn blocks_are_kept_once_and_read_backwards(place: Place) {
    let store = place.open().await;
    let other = TenantId::parse("other").unwrap();
    let (database, journal) = (&store.database, &store.journal);
    assert_eq!(database.mentions_end(&tenant()).await.unwrap(), 0);
    for first in [1, 11, 21] {
        journal
            .keep_mentions(block(&tenant(), first))
            .await
            .unwrap();
    }
    journal.keep_mentions(block(&other, 11)).await.unwrap();
    let again = journal.keep_mentions(block(&tenant(), 11)).await;
    assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
    let turned = MentionsRow {
        last: 0,
        ..block(&tenant(), 31)
    };
    let turned = journal.keep_mentions(turned).await;
    assert!(matches!(turned, Err(Error::Invalid { .. })), "{turned:?}");
    let long = MentionsRow {
        content: vec![0; MENTIONS_BYTES_MAX + 1],
        ..block(&tenant(), 31)
    };
    let long = journal.keep_mentions(long).await;
    assert!(matches!(long, Err(Error::Invalid { .. })), "{long:?}");
    store.close().await;

    let store = place.open().await;
    let database = &store.database;
    let ends = (
        database.mentions_end(&tenant()).await.unwrap(),
        database.mentions_end(&other).await.unwrap(),
    );
    assert_eq!(ends, (30, 20));
    let back = database.mentions_back(&tenant(), 21, 64).await.unwrap();
    assert_eq!(back, [block(&tenant(), 11), block(&tenant(), 1)]);
    let back = database
        .mentions_back(&tenant(), i64::MAX, 1)
        .await
        .unwrap();
    assert_eq!(back, [block(&tenant(), 21)]);
    assert!(database.mentions_back(&tenant(), 21, 65).await.is_err());
    store.close().await;
}

async fn what_decisions_name_is_read_newest_first(place: Place) {
    let store = place.open().await;
    store.append((1..=40).map(decided).collect()).await.unwrap();
    let database = &store.database;
    let told = |number: i64| {
        let row = decision(number);
        MentioningRow {
            event_no: number,
            feature: row.feature,
            body: row.body,
        }
    };
    for (between, numbers) in [((5, 31), 21..31), ((25, 31), 26..31)] {
        let rows = database.mentioning(&tenant(), between, 10).await;
        assert_eq!(rows.unwrap(), numbers.rev().map(told).collect::<Vec<_>>());
    }
    let own = tenant();
    let behind = async |others| {
        let number = database.decision_behind(&own, (5, 31), others);
        number.await.unwrap()
    };
    assert_eq!(behind(9).await, Some(15));
    assert_eq!(behind(25).await, None);
    let last = database.decided_last(&tenant(), (5, 31)).await.unwrap();
    assert_eq!(last, Some(decision(30).decided_at));
    assert_eq!(
        database.decided_last(&tenant(), (30, 31)).await.unwrap(),
        None
    );
    let other = TenantId::parse("other").unwrap();
    let none = database.mentioning(&other, (0, 41), 10).await.unwrap();
    assert!(none.is_empty());
    assert!(database.mentioning(&other, (0, 41), 1_001).await.is_err());
    store.close().await;
}

async fn numbers_narrow_whatever_else_is_asked(place: Place) {
    let store = place.open().await;
    for numbers in [1..=225, 226..=450, 451..=675, 676..=900] {
        store.append(numbers.map(decided).collect()).await.unwrap();
    }
    for count in [1, 2, 16, 17, 300, 1_000] {
        let numbers: Vec<i64> = (1..=count).rev().collect();
        let filter = DecisionFilter {
            numbers: numbers.clone(),
            from: Some(at(100)),
            score_min: Some(150),
            ..DecisionFilter::default()
        };
        let holds = |number: &i64| {
            let row = decision(*number);
            *number <= 900
                && row.decided_at >= at(100)
                && row.fraud_score.max(row.laundering_score) >= 150
        };
        let expected = numbers.into_iter().filter(holds).count() as u64;
        let counted = store.database.decisions_counted(&tenant(), &filter).await;
        assert_eq!(counted.unwrap(), expected, "{count}");
        let page = store.database.decisions_page(&tenant(), &filter, 200).await;
        let page = page.unwrap();
        assert_eq!(page.rows.len() as u64, expected.min(200));
        assert!(
            page.rows
                .is_sorted_by(|one, next| one.event_no > next.event_no)
        );
        let counts = store
            .database
            .decision_counts(&tenant(), &filter, 1_000)
            .await;
        let sum: u64 = counts.unwrap().iter().map(|count| count.decisions).sum();
        assert_eq!(sum, expected);
    }
    store.close().await;
}
