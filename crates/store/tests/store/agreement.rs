//! Both engines come to the same trail from the same entries.

use crate::support::*;
use paywarden_store::*;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::sync::Arc;

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![
        (1..60_i64, ".{0,20}", any::<[u8; 8]>()).prop_map(|(number, key, body)| {
            let key = key.replace('\0', "");
            let mut row = decision(number);
            row.idempotency_key = (!key.is_empty()).then_some(key);
            row.body = body.to_vec();
            Row::Decision(Arc::new(row))
        }),
        (1..60_i64).prop_map(|number| Row::Label(label(number))),
        "[a-zé字]{1,3}".prop_map(|value| Row::ListEntry(list_entry(&value))),
        "[a-z]{1,2}".prop_map(|key_id| Row::SigningKey(signing_key(&key_id))),
        "[a-z]{1,2}".prop_map(|key_id| Row::KeyRevocation(KeyRevocation {
            tenant: tenant(),
            key_id,
            revoked_at: at(3)
        })),
    ]
}

async fn play(store: &Store, entries: &[Vec<Row>]) -> (Vec<Result<Appended, bool>>, Vec<TreeHead>) {
    let mut results = Vec::new();
    for rows in entries {
        let result = store.append(rows.clone()).await;
        results.push(result.map_err(|error| matches!(error, Error::Conflict { .. })));
    }
    let verdict = store.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    (results, store.heads().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn same_entries_same_trail() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[42; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let entries = prop::collection::vec(prop::collection::vec(row(), 0..4), 30..60);
    let mut results = Vec::new();
    for _ in 0..6 {
        let entries = entries.new_tree(&mut runner).unwrap().current();
        let Some(postgres) = Place::postgres().await else {
            return;
        };
        let sqlite = Place::sqlite();
        let (sqlite, postgres) = (sqlite.open().await, postgres.open().await);
        let one = play(&sqlite, &entries).await;
        let other = play(&postgres, &entries).await;
        assert_eq!(one, other);
        results.extend(one.0);
        sqlite.close().await;
        postgres.close().await;
    }
    assert!(
        results
            .iter()
            .any(|result| matches!(result, Ok(Appended::Duplicate { .. })))
    );
    assert!(results.contains(&Err(true)) && !results.contains(&Err(false)));
}
