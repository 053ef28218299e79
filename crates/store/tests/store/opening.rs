//! Opening: who may, and what is refused.

use crate::support::*;
use paywarden_store::*;

on_both!(
    a_second_writer_is_refused_and_a_reader_is_not,
    a_newer_schema_is_refused,
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
