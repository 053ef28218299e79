//! Opening: who may, and what is refused.

use crate::support::*;
use paywarden_store::*;

on_both!(
    a_second_writer_is_refused_and_a_reader_is_not,
    a_newer_schema_is_refused,
    sealed_values_in_the_form_of_before_are_refused_and_stay,
);

async fn a_second_writer_is_refused_and_a_reader_is_not(place: Place) {
    let store = place.open().await;
    store.append(vec![decided(1)]).await.unwrap();
    let limits = DatabaseLimits {
        wait_ms_max: 200,
        ..DatabaseLimits::default()
    };
    let second = Database::open_with(&place.url, limits).await;
    assert!(matches!(second.err(), Some(Error::Locked { .. })));
    let again = Journal::start(&store.database, clock(), JournalLimits::default()).await;
    assert!(matches!(again.err(), Some(Error::Locked { .. })));

    let reader = Database::open_reader(&place.url).await.unwrap();
    assert!(matches!(
        reader.verify(None).await.unwrap(),
        Verdict::Intact(Intact { leaves: 1, .. })
    ));
    let journal = Journal::start(&reader, clock(), JournalLimits::default()).await;
    assert!(matches!(journal.err(), Some(Error::Locked { .. })));
    reader.close().await;
    store.close().await;

    let store = place.open().await;
    store.append(vec![decided(2)]).await.unwrap();
    store.close().await;
}

async fn a_newer_schema_is_refused(place: Place) {
    place.open().await.close().await;
    let mut intruder = place.intruder().await;
    execute(
        &mut intruder,
        "UPDATE meta SET value = '99' WHERE name = 'schema'",
    )
    .await;
    for opened in [
        Database::open(&place.url).await,
        Database::open_reader(&place.url).await,
    ] {
        assert!(matches!(
            opened.err(),
            Some(Error::Schema { found: 99, .. })
        ));
    }
}

/// The schema until sealed values became bytes and keys pages.
const BEFORE_PAGES: [&str; 16] = [
    include_str!("../../src/schema/0001_start.sql"),
    include_str!("../../src/schema/0002_trail.sql"),
    include_str!("../../src/schema/0003_rule_set_steps.sql"),
    include_str!("../../src/schema/0004_approval_steps.sql"),
    include_str!("../../src/schema/0005_records.sql"),
    include_str!("../../src/schema/0006_acts.sql"),
    include_str!("../../src/schema/0007_trail_exports.sql"),
    include_str!("../../src/schema/0008_acts_by_tenant.sql"),
    include_str!("../../src/schema/0009_vault.sql"),
    include_str!("../../src/schema/0010_outbox_runs.sql"),
    include_str!("../../src/schema/0011_vault_places.sql"),
    include_str!("../../src/schema/0012_work_items.sql"),
    include_str!("../../src/schema/0013_notify.sql"),
    include_str!("../../src/schema/0014_labels_by_event.sql"),
    include_str!("../../src/schema/0015_backtests.sql"),
    include_str!("../../src/schema/0016_messages_about.sql"),
];

async fn sealed_values_in_the_form_of_before_are_refused_and_stay(place: Place) {
    if let Some(path) = place.url.strip_prefix("sqlite://") {
        std::fs::File::create(path).unwrap();
    }
    let mut old = place.intruder().await;
    for step in BEFORE_PAGES {
        sqlx::raw_sql(step).execute(&mut old).await.unwrap();
    }
    for text in [
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "INSERT INTO meta (name, value) VALUES ('schema', '16')",
        "INSERT INTO vault_keys (key_id, tenant, subject, retention, made_at, epoch, wrapped)
            VALUES ('key_1', 'acme', 'sub_1', 'contract', 1, 1, CAST('00' AS BYTEA))",
        "INSERT INTO vault_records (token, tenant, subject, retention, class, key_id, made_at, once, held)
            SELECT 'tok_1', 'acme', 'sub_1', 'contract', 'name', 'key_1', 1, 0, wrapped FROM vault_keys",
    ] {
        execute(&mut old, text).await;
    }
    for _ in 0..2 {
        let refused = Database::open(&place.url).await.err().unwrap();
        let expected = Error::OldVault {
            values: 1,
            found: 16,
        };
        assert_eq!(refused, expected);
        let said = refused.to_string();
        assert!(said.contains("/v1/vault/detokenize/batch"), "{said}");
    }
    // It is as it was: the program that wrote it goes on with it.
    let held = "UPDATE vault_records SET held = held WHERE key_id = 'key_1'";
    execute(&mut old, held).await;
    // Without sealed values nothing is lost by the step.
    execute(&mut old, "DELETE FROM vault_records").await;
    drop(old);
    place.open().await.close().await;
}

#[tokio::test]
async fn addresses_that_cannot_be_opened_say_why() {
    for url in [
        "",
        "mysql://x",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite:///tmp/x?mode=ro",
    ] {
        assert!(
            matches!(Database::open(url).await.err(), Some(Error::Url { .. })),
            "{url}"
        );
    }
    let absent = Database::open("sqlite:///nowhere/at/all.db").await.err();
    assert!(matches!(absent, Some(Error::Unavailable { .. })));
    let absent = Database::open_reader("sqlite:///nowhere/at/all.db")
        .await
        .err();
    assert!(matches!(absent, Some(Error::Url { .. })));
}

#[tokio::test]
async fn odd_file_names_open_and_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b%20c#d'é.db");
    let database = Database::open(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_sqlite_starts_anew_under_load() {
    let place = Place::sqlite();
    let limits = DatabaseLimits {
        log_bytes: 1 << 20,
        ..DatabaseLimits::default()
    };
    let database = Database::open_with(&place.url, limits).await.unwrap();
    let journal = Journal::start(&database, clock(), JournalLimits::default())
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let journal = journal.clone();
        tasks.spawn(async move {
            for number in (lane..4_000).step_by(8) {
                journal.append(entry(vec![decided(number)])).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let log = place.url.strip_prefix("sqlite://").unwrap().to_owned() + "-wal";
    let length = std::fs::metadata(&log).unwrap().len();
    assert!(length < 16 << 20, "{length} bytes of log");
    let reader = Database::open_reader(&place.url).await.unwrap();
    let verdict = reader.verify(None).await.unwrap();
    assert!(
        matches!(verdict, Verdict::Intact(Intact { leaves: 4_000, .. })),
        "{verdict:?}"
    );
    reader.close().await;
    journal.close().await;
    database.close().await;
    assert!(!std::fs::exists(&log).unwrap());
}
