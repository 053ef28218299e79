//! The trail notices every change behind the journal, and says where.

use crate::support::*;
use paywarden_crypto::{Keyring, note::Note};
use paywarden_domain::time::HOUR;
use paywarden_store::{
    trail::{
        Place as Leaf,
        notary::{Notary, Settings, public_keys},
    },
    *,
};
use sqlx::AnyConnection;
use std::sync::{Arc, LazyLock};

on_both!(
    every_change_is_found_where_it_was_made,
    a_shortened_trail_needs_a_checkpoint_from_outside,
    a_rewritten_history_contradicts_what_was_signed,
    another_store_in_its_place_is_noticed,
    a_clock_that_was_set_back_is_seen,
    a_reason_is_kept_beside_its_leaf,
);

/// Leaves of `fill`: two bundles and a tail of 88.
const LEAVES: u64 = 600;

/// Leaves 0 to 29 with rows of every kind; leaf 19 holds decision 20 and label 20. After them
/// leaves without rows. A checkpoint after 30 and one at the end.
async fn fill(store: &Store, (notary, clock): (Notary, Clock), object: &str) -> Note {
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
            16 => rows.push(Row::RuleSetStep(step(1))),
            17 => rows.push(Row::ApprovalStep(approval_step("apr_1", 1))),
            18 => rows.push(Row::Record(record("a", 1))),
            _ => {}
        }
        store.append(rows).await.unwrap();
    }
    notary.checkpoint(&tenant()).await.unwrap().unwrap();
    // Of one hour only the newest checkpoint is kept.
    if let Clock::Simulated(clock) = clock {
        clock.advance_us(2 * HOUR.unsigned_abs());
    }
    for number in 30..LEAVES {
        let mut looked = entry(vec![]);
        if number == 300 {
            object.clone_into(&mut looked.object);
        }
        store.journal.append(looked).await.unwrap();
    }
    let kept = notary.checkpoint(&tenant()).await.unwrap().unwrap();
    Note::parse(&kept.note).unwrap()
}

async fn notary(store: &Store, master: u8) -> (Notary, Clock) {
    let keyring = keyring(master);
    let (database, journal) = (store.database.clone(), store.journal.clone());
    let clock = clock();
    let settings = Settings::default();
    let notary = Notary::start(database, journal, keyring, clock.clone(), settings);
    (notary.await.unwrap(), clock)
}

/// The keyring with this number, the same through the whole run.
fn keyring(number: u8) -> Arc<Keyring> {
    static KEYRINGS: LazyLock<[Arc<Keyring>; 3]> =
        LazyLock::new(|| [(); 3].map(|()| Arc::new(Keyring::ephemeral())));
    KEYRINGS[usize::from(number)].clone()
}

fn trust(master: u8, checkpoints: Vec<Note>) -> Trust {
    Trust {
        keys: public_keys(&keyring(master), 3).unwrap(),
        checkpoints,
    }
}

async fn filled(place: &Place, object: &str) -> (Store, Note) {
    let store = place.open().await;
    let kept = fill(&store, notary(&store, 1).await, object).await;
    (store, kept)
}

/// What somebody does to the database, the leaf where that is found, and as what. `FLIP(x, n)` is
/// a byte string with byte `n` changed.
#[rustfmt::skip]
const CHANGES: &[(&str, Option<u64>, &str)] = &[
    // Flipped bytes: in a leaf, in its stored hash, in the tiles, in the tail.
    ("UPDATE trail_bundles SET entries = FLIP(entries, 60) WHERE n = 0", Some(0), "LeafChanged"),
    ("UPDATE trail_bundles SET entries = FLIP(entries, 0) WHERE n = 1", Some(256), "LeafChanged"),
    ("UPDATE trail_tiles SET hashes = FLIP(hashes, 96) WHERE level = 0 AND n = 1", Some(259), "LeafChanged"),
    ("UPDATE trail_tiles SET hashes = FLIP(hashes, 33) WHERE level = 1", Some(0), "TileChanged { level: 1, n: 0 }"),
    ("UPDATE trail_tail SET entries = FLIP(entries, 40) WHERE first = 520", Some(520), "LeafChanged"),
    ("UPDATE trail_tail SET hashes = FLIP(hashes, 5) WHERE first = 599", Some(599), "LeafChanged"),
    ("UPDATE trail_trees SET head = FLIP(head, 1)", Some(600), "LeafChanged"),
    // Dropped: a bundle, a tile, leaves of the tail, the last ones, a count.
    ("DELETE FROM trail_bundles WHERE n = 0", Some(0), "LeafMissing"),
    ("DELETE FROM trail_bundles WHERE n = 1", Some(256), "LeafMissing"),
    ("DELETE FROM trail_tail WHERE first = 540", Some(540), "LeafMissing"),
    ("DELETE FROM trail_tail WHERE first > 590", Some(591), "Shortened { size: 600 }"),
    ("DELETE FROM trail_tiles WHERE level = 0 AND n = 1", Some(256), "TileChanged { level: 0, n: 1 }"),
    ("DELETE FROM trail_tiles WHERE level = 1", Some(0), "TileChanged { level: 1, n: 0 }"),
    ("DELETE FROM trail_trees", Some(600), "LeafSurplus"),
    ("UPDATE trail_trees SET size = 599", Some(600), "LeafSurplus"),
    ("UPDATE trail_trees SET size = 700", Some(600), "LeafMissing"),
    // Inserted: a leaf at the end, a bundle, tiles, a second tail.
    ("INSERT INTO trail_tail SELECT tenant, 600, entries, hashes FROM trail_tail WHERE first = 599", Some(600), "LeafChanged"),
    ("INSERT INTO trail_bundles SELECT tenant, 2, entries FROM trail_bundles WHERE n = 1", Some(512), "LeafChanged"),
    ("INSERT INTO trail_tiles SELECT tenant, 0, 2, hashes FROM trail_tiles WHERE level = 0 AND n = 1", Some(600), "TileSurplus"),
    ("INSERT INTO trail_tail SELECT tenant, 3, entries, hashes FROM trail_tail WHERE first = 599", Some(600), "LeafSurplus"),
    ("INSERT INTO trail_tail SELECT 'ghost', first, entries, hashes FROM trail_tail WHERE first = 512", Some(0), "LeafMissing"),
    // Reordered: two bundles, two leaves of the tail.
    ("UPDATE trail_bundles SET n = 9 WHERE n = 0; UPDATE trail_bundles SET n = 0 WHERE n = 1;
      UPDATE trail_bundles SET n = 1 WHERE n = 9", Some(0), "LeafChanged"),
    ("UPDATE trail_tail SET first = 9000 WHERE first = 550; UPDATE trail_tail SET first = 550 WHERE first = 551;
      UPDATE trail_tail SET first = 551 WHERE first = 9000", Some(550), "LeafChanged"),
    // Checkpoints and keys.
    ("DELETE FROM trail_checkpoints WHERE size = 600", Some(600), "CheckpointMissing { size: 600 }"),
    ("UPDATE trail_checkpoints SET note = REPLACE(note, '600', '601') WHERE size = 600", Some(30), "CheckpointUnsigned { size: 600 }"),
    ("UPDATE trail_checkpoints SET size = 590 WHERE size = 600", Some(30), "CheckpointUnsigned { size: 590 }"),
    ("UPDATE trail_checkpoints SET note = 'x' WHERE size = 30", Some(0), "CheckpointUnsigned { size: 30 }"),
    ("UPDATE trail_checkpoints SET made_at = 5 WHERE size = 600", Some(30), "CheckpointUnsigned { size: 600 }"),
    ("UPDATE trail_trees SET signed = 9999", Some(600), "CheckpointMissing { size: 9999 }"),
    ("UPDATE trail_keys SET public = FLIP(public, 0)", None, "KeyUnknown { generation: 1 }"),
    // Rows.
    ("UPDATE decisions SET body = FLIP(body, 0) WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET outcome = 0 WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET outcome = 77 WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET amount_minor = 1 WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET leaf = 20 WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET tenant = 'other' WHERE event_no = 20", Some(19), "RowMissing(Decision(20))"),
    ("DELETE FROM decisions WHERE event_no = 20", Some(19), "RowMissing(Decision(20))"),
    ("UPDATE labels SET verdict = 1 WHERE seq = 21", Some(20), "RowChanged(Label(21))"),
    ("DELETE FROM labels WHERE seq = 21", Some(20), "RowMissing(Label(21))"),
    ("UPDATE list_entries SET value = 'z' WHERE value = 'a'", Some(9), "RowChanged(ListEntry(1))"),
    ("UPDATE list_entries SET removed_at = NULL", Some(10), "RowMissing(ListRemoval(1))"),
    ("INSERT INTO list_entries SELECT 9, tenant, 'allow', value, reason, added_by, added_at,
      expires_at, removed_at FROM list_entries WHERE entry_no = 1",
      None, "RowsUnrecorded(\"list_entries\")"),
    ("UPDATE signing_keys SET scopes = 'all'", Some(11), "RowChanged(SigningKey(\"k\"))"),
    ("UPDATE signing_keys SET revoked_at = NULL", Some(12), "RowMissing(KeyRevocation(\"k\"))"),
    ("UPDATE rule_sets SET source = 'other'", Some(13), "RowChanged(RuleSet(\"v1\"))"),
    ("UPDATE rule_set_steps SET action = 'live'", Some(15), "RowChanged(RuleSetStep(1))"),
    ("DELETE FROM rule_set_steps", Some(15), "RowMissing(RuleSetStep(1))"),
    ("INSERT INTO rule_set_steps SELECT tenant, 2, version, action, actor, purpose, taken_at, detail
      FROM rule_set_steps", None, "RowsUnrecorded(\"rule_set_steps\")"),
    ("UPDATE approval_steps SET actor = 'key:other'", Some(16), "RowChanged(ApprovalStep(\"apr_1\", 1))"),
    ("UPDATE approval_steps SET tenant = 'other'", Some(16), "RowMissing(ApprovalStep(\"apr_1\", 1))"),
    ("DELETE FROM approval_steps", Some(16), "RowMissing(ApprovalStep(\"apr_1\", 1))"),
    ("INSERT INTO approval_steps SELECT tenant, approval, 2, kind, command, actor, taken_at, body
      FROM approval_steps", None, "RowsUnrecorded(\"approval_steps\")"),
    ("UPDATE records SET written_at = 0", Some(17), "RowChanged(Record(\"thing/a/1\"))"),
    ("UPDATE records SET version = 2", Some(17), "RowChanged(Record(\"thing/a/1\"))"),
    ("DELETE FROM records", Some(17), "RowMissing(Record(\"thing/a/1\"))"),
    ("INSERT INTO records SELECT 'thing/a/2', tenant, kind, id, 2, written_at, body FROM records",
      None, "RowsUnrecorded(\"records\")"),
    ("UPDATE decisions SET trace = NULL WHERE event_no = 20", Some(19), "RowChanged(Decision(20))"),
    ("UPDATE decisions SET trace = body WHERE event_no = 21", Some(20), "RowChanged(Decision(21))"),
];

async fn every_change_is_found_where_it_was_made(place: Place) {
    let (store, _) = filled(&place, "pay").await;
    let trust = trust(1, vec![]);
    let whole = store.database.verify(Some(&trust)).await.unwrap();
    let Verdict::Intact(seen) = &whole else {
        panic!("{whole:?}")
    };
    assert_eq!((seen.leaves, seen.rows, seen.checkpoints), (LEAVES, 69, 2));
    assert_eq!(seen.heads, store.heads().await);
    let (notary, _) = notary(&store, 1).await;
    assert_eq!(patrol(&notary).await, (LEAVES, None));
    let (mut intruder, mut missed) = (place.intruder().await, Vec::new());
    backup(&mut intruder, true).await;
    for (change, leaf, expected) in CHANGES {
        execute(&mut intruder, &flipped(change, place.is_postgres())).await;
        let found = store.database.verify(Some(&trust)).await.unwrap();
        let Verdict::Broken { place, fault } = found else {
            panic!("{change} was not found")
        };
        assert_eq!(place.map(|place| place.leaf), *leaf, "{change}: {fault:?}");
        assert_eq!(format!("{fault:?}"), *expected, "{change}");
        if patrol(&notary).await.1.is_none() {
            missed.push(change.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        backup(&mut intruder, false).await;
        let healed = store.database.verify(Some(&trust)).await.unwrap();
        assert_eq!(healed, whole, "{change}");
    }
    assert_eq!(missed, MISSED_BY_PATROLS);
    store.close().await;
}

/// A whole round of the patrol: how many leaves it looked at, and the first thing it found.
async fn patrol(notary: &Notary) -> (u64, Option<Fault>) {
    let (mut leaves, mut found, mut from) = (0, None, None);
    loop {
        let step = notary.patrol(from.as_ref()).await.unwrap();
        let Some(step) = step else { break };
        leaves += step.leaves;
        found = found.or(step.broken.map(|(_, fault)| fault));
        from = step.next;
        if from.is_none() {
            break;
        }
    }
    (leaves, found)
}

/// What patrols leave to the whole check: rows without a leaf, and checkpoints before the newest.
#[rustfmt::skip]
const MISSED_BY_PATROLS: &[&str] = &[
    "UPDATE trail_checkpoints SET note = 'x' WHERE size = 30",
    "INSERT INTO list_entries SELECT 9, tenant, 'allow', value, reason, added_by, added_at, expires_at, removed_at FROM list_entries WHERE entry_no = 1",
    "INSERT INTO rule_set_steps SELECT tenant, 2, version, action, actor, purpose, taken_at, detail FROM rule_set_steps",
    "INSERT INTO approval_steps SELECT tenant, approval, 2, kind, command, actor, taken_at, body FROM approval_steps",
    "INSERT INTO records SELECT 'thing/a/2', tenant, kind, id, 2, written_at, body FROM records",
];

fn flipped(change: &str, is_postgres: bool) -> String {
    let Some((before, rest)) = change.split_once("FLIP(") else {
        return change.to_owned();
    };
    let (arguments, after) = rest.split_once(')').unwrap();
    let (column, byte) = arguments.split_once(", ").unwrap();
    let byte: usize = byte.parse().unwrap();
    let flipped = if is_postgres {
        format!("set_byte({column}, {byte}, get_byte({column}, {byte}) # 255)")
    } else {
        let next = byte + 2;
        format!("CAST(substr({column}, 1, {byte}) || X'ff' || substr({column}, {next}) AS BLOB)")
    };
    format!("{before}{flipped}{after}")
}

const TABLES: [&str; 14] = [
    "trail_trees",
    "trail_bundles",
    "trail_tail",
    "trail_tiles",
    "trail_checkpoints",
    "trail_keys",
    "decisions",
    "labels",
    "list_entries",
    "signing_keys",
    "rule_sets",
    "rule_set_steps",
    "approval_steps",
    "records",
];

/// Copies every table aside, or back.
async fn backup(intruder: &mut AnyConnection, aside: bool) {
    for table in TABLES {
        let text = if aside {
            format!("CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")
        } else {
            format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM copy_of_{table}")
        };
        execute(intruder, &text).await;
    }
}

fn broken(leaf: u64, fault: Fault) -> Verdict {
    let place = Some(Leaf {
        tenant: tenant().to_string(),
        leaf,
    });
    Verdict::Broken { place, fault }
}

async fn a_shortened_trail_needs_a_checkpoint_from_outside(place: Place) {
    let (store, kept) = filled(&place, "pay").await;
    let mut intruder = place.intruder().await;
    // The last leaf with everything that speaks of it: what is left is whole in itself.
    execute(
        &mut intruder,
        "DELETE FROM trail_tail WHERE first = 599; DELETE FROM trail_checkpoints WHERE size = 600;
         DELETE FROM outbox WHERE leaf = 599;
         UPDATE trail_trees SET size = 599, signed = 30, head =
            (SELECT hashes FROM trail_tail WHERE first = 598)",
    )
    .await;
    let verify = async |trust| store.database.verify(Some(&trust)).await.unwrap();
    assert!(matches!(verify(trust(1, vec![])).await, Verdict::Intact(_)));
    let with = trust(1, vec![kept.clone()]);
    assert_eq!(
        verify(with).await,
        broken(599, Fault::Shortened { size: 600 })
    );

    // The whole tree of the tenant.
    execute(
        &mut intruder,
        "DELETE FROM trail_tail; DELETE FROM trail_bundles; DELETE FROM trail_tiles;
         DELETE FROM trail_checkpoints; DELETE FROM trail_trees; DELETE FROM decisions;
         DELETE FROM labels; DELETE FROM list_entries; DELETE FROM signing_keys;
         DELETE FROM rule_sets; DELETE FROM rule_set_steps; DELETE FROM approval_steps; DELETE FROM records;
         DELETE FROM outbox",
    )
    .await;
    assert!(matches!(verify(trust(1, vec![])).await, Verdict::Intact(_)));
    let with = trust(1, vec![kept]);
    assert_eq!(
        verify(with).await,
        broken(0, Fault::Shortened { size: 600 })
    );
    store.close().await;
}

/// Somebody who knows every algorithm here writes another history, without the signing key.
async fn a_rewritten_history_contradicts_what_was_signed(place: Place) {
    let (store, _) = filled(&place, "pay").await;
    let forged = Place::sqlite();
    let (forgery, _) = filled(&forged, "another").await;
    let mut from = forged.intruder().await;
    let mut intruder = place.intruder().await;
    for table in ["trail_trees", "trail_bundles", "trail_tail", "trail_tiles"] {
        execute(&mut intruder, &format!("DELETE FROM {table}")).await;
        copy(&mut from, &mut intruder, table).await;
    }
    let verify = async |trust| store.database.verify(Some(&trust)).await.unwrap();
    // Leaf 300 is another one: after the checkpoint of 30, before that of 600.
    let rewritten = broken(30, Fault::Rewritten { size: 600 });
    assert_eq!(verify(trust(1, vec![])).await, rewritten);
    // The notary does not sign on top of it either.
    store.append(vec![]).await.unwrap();
    let refused = notary(&store, 1).await.0.checkpoint(&tenant()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("does not continue the checkpoint of 600"),
        "{refused}"
    );
    forgery.close().await;
    store.close().await;
}

/// Copies the rows of a table, whatever its columns, by their SQL text.
async fn copy(from: &mut AnyConnection, to: &mut AnyConnection, table: &str) {
    use sqlx::{AssertSqlSafe, Column as _, Row as _};
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}")))
        .fetch_all(from)
        .await
        .unwrap();
    for row in rows {
        let names: Vec<_> = row
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
        let text = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names.join(", "),
            places.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(text));
        for name in &names {
            query = match name.as_str() {
                "tenant" => query.bind(row.get::<String, _>(name.as_str())),
                "entries" | "hashes" | "head" => query.bind(row.get::<Vec<u8>, _>(name.as_str())),
                _ => query.bind(row.get::<i64, _>(name.as_str())),
            };
        }
        query.execute(&mut *to).await.unwrap();
    }
}

async fn another_store_in_its_place_is_noticed(place: Place) {
    let (store, kept) = filled(&place, "pay").await;
    store.close().await;
    // As good as the first one, but signed with the keys of somebody else.
    let other = Place::sqlite();
    let store = other.open().await;
    fill(&store, notary(&store, 2).await, "pay").await;
    let verify = async |trust| store.database.verify(Some(&trust)).await.unwrap();
    assert!(matches!(verify(trust(2, vec![])).await, Verdict::Intact(_)));
    let stranger = Verdict::Broken {
        place: None,
        fault: Fault::KeyUnknown { generation: 1 },
    };
    assert_eq!(verify(trust(1, vec![])).await, stranger);
    store.close().await;

    // With the same keys, but another one nevertheless.
    let third = Place::sqlite();
    let another_clock = Clock::simulated(at(0), 99);
    let store = third
        .open_with(another_clock, JournalLimits::default())
        .await;
    fill(&store, notary(&store, 1).await, "pay").await;
    let verdict = store.database.verify(Some(&trust(1, vec![kept]))).await;
    let Verdict::Broken {
        fault: Fault::OtherStore { origin },
        ..
    } = verdict.unwrap()
    else {
        panic!("the other store passed")
    };
    assert!(
        origin.starts_with("paywarden/") && origin.ends_with("/acme"),
        "{origin}"
    );
    store.close().await;
}

async fn a_clock_that_was_set_back_is_seen(place: Place) {
    // Two steps of less than a second: the second one is seen, because they add up. The next leaf
    // is later than the one before it and is no step.
    for seconds in [9.0, 8.2, 7.4, 7.9, 0.0] {
        let time = at((seconds * 1e6) as i64);
        let store = place.open_with(Clock::simulated(time, 1), JournalLimits::default());
        let store = store.await;
        store.append(vec![]).await.unwrap();
        store.close().await;
    }
    let store = place.open().await;
    let Verdict::Intact(seen) = store.database.verify(None).await.unwrap() else {
        panic!("a clock breaks nothing")
    };
    let steps = seen.clock_steps.iter();
    let steps: Vec<_> = steps.map(|step| (step.place.leaf, step.back_us)).collect();
    assert_eq!(steps, [(2, 1_600_000), (4, 9_000_000)]);
    store.close().await;
}

async fn a_reason_is_kept_beside_its_leaf(place: Place) {
    let store = place.open().await;
    let mut looked = entry(vec![]);
    looked.purpose = Purpose::from("dispute review").because("Ms. Lin called");
    store.journal.append(looked.clone()).await.unwrap();
    looked.purpose = looked.purpose.because("");
    assert!(matches!(
        store.journal.append(looked).await,
        Err(Error::Invalid { .. })
    ));
    let leaves = store.database.trail_leaves(&tenant(), 0, 9).await.unwrap();
    let [bytes] = &leaves[..] else {
        panic!("{leaves:?}")
    };
    assert!(!bytes.windows(4).any(|part| part == b" Lin"));
    let leaf = paywarden_store::trail::Leaf::decode(bytes).unwrap();
    let [change] = &leaf.changes[..] else {
        panic!("{leaf:?}")
    };
    let RowRef::Record(key) = &change.row else {
        panic!("{leaf:?}")
    };
    assert_eq!((leaf.purpose, change.before), ("dispute review", None));
    let id = key.split('/').nth(1).unwrap();
    let reason = store.database.record(REASON, id).await.unwrap().unwrap();
    assert_eq!(reason.body, b"Ms. Lin called");

    // Whoever changes it afterwards is found out.
    let intact = store.database.verify(None).await.unwrap();
    assert!(matches!(intact, Verdict::Intact(_)), "{intact:?}");
    let mut intruder = place.intruder().await;
    execute(
        &mut intruder,
        "UPDATE records SET written_at = written_at + 1",
    )
    .await;
    let verdict = store.database.verify(None).await.unwrap();
    let fault = Fault::RowChanged(RowRef::Record(key.clone()));
    assert_eq!(verdict, broken(0, fault));
    store.close().await;
}
