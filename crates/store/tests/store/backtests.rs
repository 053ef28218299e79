//! Back-tests: kept until others push them out, each tenant's apart.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;

on_both!(the_newest_twelve_of_a_tenant_are_kept_with_what_they_found,);

fn row(tenant: &TenantId, number: u32) -> BacktestRow {
    BacktestRow {
        id: format!("bt_{}_{number}", tenant.as_str()),
        tenant: tenant.clone(),
        rule_set: "v".into(),
        asked_at: at(number.into()),
        state: "asked".into(),
        outcome: None,
    }
}

async fn the_newest_twelve_of_a_tenant_are_kept_with_what_they_found(place: Place) {
    let store = place.open().await;
    let other = TenantId::parse("other").unwrap();
    store.journal.keep_backtest(row(&other, 0)).await.unwrap();
    for number in 0..BACKTESTS_MAX + 3 {
        let asked = row(&tenant(), number);
        store.journal.keep_backtest(asked.clone()).await.unwrap();
        let ended = BacktestRow {
            state: "done".into(),
            outcome: Some(number.to_be_bytes().to_vec()),
            ..asked
        };
        store.journal.keep_backtest(ended).await.unwrap();
    }
    store.close().await;
    let store = place.open().await;
    let kept = store.database.backtests(&tenant()).await.unwrap();
    let ids: Vec<String> = kept.into_iter().map(|line| line.id).collect();
    let newest = (3..BACKTESTS_MAX + 3).rev();
    let expected: Vec<String> = newest.map(|number| row(&tenant(), number).id).collect();
    assert_eq!(ids, expected);
    let read = store.database.backtest(&tenant(), &ids[0]).await.unwrap();
    let read = read.unwrap();
    assert_eq!(
        (read.state.as_str(), read.outcome),
        ("done", Some(vec![0, 0, 0, 14]))
    );
    assert_eq!(
        store.database.backtest(&other, &ids[0]).await.unwrap(),
        None
    );
    assert_eq!(store.database.backtests(&other).await.unwrap().len(), 1);
    let long = BacktestRow {
        outcome: Some(vec![0; 16 * 1024 * 1024 + 1]),
        ..row(&other, 1)
    };
    let refused = store.journal.keep_backtest(long).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { .. }), "{refused}");
    store.close().await;
}
