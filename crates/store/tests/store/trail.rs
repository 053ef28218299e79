//! The trail notices every change behind the journal, and says where.

use crate::support::*;
use paywarden_store::*;

on_both!(
    every_change_is_found_where_it_was_made,
    a_shortened_or_rewritten_trail_needs_an_anchor,
);

/// Thirty leaves with rows of every kind; leaf 20 holds decision 20 and label 20.
async fn fill(store: &Store) {
    let removal = ListRemoval {
        tenant: tenant(),
        list: "deny".into(),
        value: "a".into(),
        removed_at: at(60),
    };
    let rules = RuleSetRow {
        tenant: tenant(),
        version: "v1".into(),
        source: "pack".into(),
        created_at: at(1),
    };
    let revocation = KeyRevocation {
        tenant: tenant(),
        key_id: "k".into(),
        revoked_at: at(5),
    };
    for number in 1..=30 {
        let mut rows = vec![decided(number), Row::Label(label(number))];
        match number {
            10 => rows.push(Row::ListEntry(list_entry("a"))),
            11 => rows.push(Row::ListRemoval(removal.clone())),
            12 => rows.push(Row::SigningKey(signing_key("k"))),
            13 => rows.push(Row::KeyRevocation(revocation.clone())),
            14 => rows.push(Row::RuleSet(rules.clone())),
            15 => rows.push(Row::ListEntry(list_entry("b"))),
            _ => {}
        }
        store.append(rows).await.unwrap();
    }
}

/// What somebody does to the database, the leaf where that is found, and as what. `FLIP(x)` is a
/// byte string with its first byte changed.
#[rustfmt::skip]
const CHANGES: &[(&str, i64, &str)] = &[
    ("UPDATE trail SET actor = 'key:key-2' WHERE seq = 7", 7, "LeafChanged"),
    ("UPDATE trail SET purpose = 'payment_decisioN' WHERE seq = 30", 30, "LeafChanged"),
    ("UPDATE trail SET written_at = written_at + 1 WHERE seq = 1", 1, "LeafChanged"),
    ("UPDATE trail SET tenant = 'acmf', object = 'x' WHERE seq = 4", 4, "LeafChanged"),
    ("UPDATE trail SET action = 'decidE' WHERE seq = 3", 3, "LeafChanged"),
    ("UPDATE trail SET hash = FLIP(hash) WHERE seq = 9", 9, "LeafChanged"),
    ("UPDATE trail SET manifest = FLIP(manifest) WHERE seq = 8", 8, "LeafChanged"),
    ("UPDATE trail SET seq = -5 WHERE seq = 5; UPDATE trail SET seq = 5 WHERE seq = 6;
      UPDATE trail SET seq = 6 WHERE seq = -5", 5, "LeafChanged"),
    ("DELETE FROM trail WHERE seq = 1", 1, "LeafMissing"),
    ("DELETE FROM trail WHERE seq = 15", 15, "LeafMissing"),
    ("DELETE FROM trail WHERE seq > 12 AND seq < 22", 13, "LeafMissing"),
    ("DELETE FROM trail WHERE seq = 30", 29, "RowsUnrecorded(\"decisions\")"),
    ("UPDATE trail SET seq = -1 WHERE seq = 30", 29, "RowsUnrecorded(\"trail\")"),
    ("UPDATE decisions SET body = FLIP(body) WHERE event_no = 20", 20, "RowChanged(Decision(20))"),
    ("UPDATE decisions SET outcome = 0 WHERE event_no = 20", 20, "RowChanged(Decision(20))"),
    ("UPDATE decisions SET outcome = 77 WHERE event_no = 20", 20, "RowChanged(Decision(20))"),
    ("UPDATE decisions SET amount_minor = 1 WHERE event_no = 20", 20, "RowChanged(Decision(20))"),
    ("DELETE FROM decisions WHERE event_no = 20", 20, "RowMissing(Decision(20))"),
    ("UPDATE labels SET verdict = 1 WHERE seq = 21", 21, "RowChanged(Label(21))"),
    ("DELETE FROM labels WHERE seq = 21", 21, "RowMissing(Label(21))"),
    ("UPDATE list_entries SET value = 'z' WHERE value = 'a'", 10, "RowChanged(ListEntry(1))"),
    ("UPDATE list_entries SET removed_at = NULL", 11, "RowMissing(ListRemoval(1))"),
    ("INSERT INTO list_entries SELECT 9, tenant, 'allow', value, reason, added_by, added_at,
      expires_at, removed_at FROM list_entries WHERE entry_no = 1",
      30, "RowsUnrecorded(\"list_entries\")"),
    ("UPDATE signing_keys SET scopes = 'all'", 12, "RowChanged(SigningKey(\"k\"))"),
    ("UPDATE signing_keys SET revoked_at = NULL", 13, "RowMissing(KeyRevocation(\"k\"))"),
    ("UPDATE rule_sets SET source = 'other'", 14, "RowChanged(RuleSet(\"v1\"))"),
];

async fn every_change_is_found_where_it_was_made(place: Place) {
    let store = place.open().await;
    fill(&store).await;
    let head = store.database.trail_head().await.unwrap();
    let whole = Verdict::Intact {
        head,
        leaves: 30,
        rows: 66,
    };
    assert_eq!(store.database.verify(None).await.unwrap(), whole);
    let mut intruder = place.intruder().await;
    backup(&mut intruder, true).await;
    for (change, expected_seq, expected_fault) in CHANGES {
        execute(&mut intruder, &flipped(change, place.is_postgres())).await;
        match store.database.verify(None).await.unwrap() {
            Verdict::Broken { seq, fault } => {
                assert_eq!(seq, *expected_seq, "{change}");
                assert_eq!(format!("{fault:?}"), *expected_fault, "{change}");
            }
            verdict => panic!("{change} was not found: {verdict:?}"),
        }
        backup(&mut intruder, false).await;
        assert_eq!(
            store.database.verify(None).await.unwrap(),
            whole,
            "{change}"
        );
    }
    store.close().await;
}

fn flipped(change: &str, is_postgres: bool) -> String {
    let Some((before, rest)) = change.split_once("FLIP(") else {
        return change.to_owned();
    };
    let (column, after) = rest.split_once(')').unwrap();
    let flipped = if is_postgres {
        format!("set_byte({column}, 0, get_byte({column}, 0) # 255)")
    } else {
        format!("CAST(X'ff' || substr({column}, 2) AS BLOB)")
    };
    format!("{before}{flipped}{after}")
}

const TABLES: [&str; 6] = [
    "trail",
    "decisions",
    "labels",
    "list_entries",
    "signing_keys",
    "rule_sets",
];

/// Copies every table aside, or back.
async fn backup(intruder: &mut sqlx::AnyConnection, aside: bool) {
    for table in TABLES {
        let text = if aside {
            format!("CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")
        } else {
            format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM copy_of_{table}")
        };
        execute(intruder, &text).await;
    }
}

async fn a_shortened_or_rewritten_trail_needs_an_anchor(place: Place) {
    let store = place.open().await;
    fill(&store).await;
    let anchor = store.database.trail_head().await.unwrap();
    let mut intruder = place.intruder().await;
    // The last leaf with all that belongs to it: what is left is whole in itself.
    execute(
        &mut intruder,
        "DELETE FROM trail WHERE seq = 30; DELETE FROM decisions WHERE event_no = 30;
         DELETE FROM labels WHERE seq = 30; DELETE FROM outbox WHERE seq = 30",
    )
    .await;
    assert!(matches!(
        store.database.verify(None).await.unwrap(),
        Verdict::Intact { .. }
    ));
    let missing = |seq| Verdict::Broken {
        seq,
        fault: Fault::AnchorMissing,
    };
    assert_eq!(
        store.database.verify(Some(&anchor)).await.unwrap(),
        missing(29)
    );
    store.close().await;

    // Another leaf in its place.
    let store = place.open().await;
    store.append(vec![]).await.unwrap();
    assert!(matches!(
        store.database.verify(None).await.unwrap(),
        Verdict::Intact { .. }
    ));
    assert_eq!(
        store.database.verify(Some(&anchor)).await.unwrap(),
        missing(30)
    );
    store.close().await;
}
