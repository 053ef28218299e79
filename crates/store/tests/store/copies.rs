//! A copy of the database: what was durable when it began, whole, or no file.

use crate::support::*;
use paywarden_store::*;
use std::{fs, process::Command, sync::Arc};

on_both!(a_copy_is_what_was_durable_when_it_began,);

async fn a_copy_is_what_was_durable_when_it_began(place: Place) {
    let store = Arc::new(place.open().await);
    for number in 1..=300 {
        store.append(vec![decided(number)]).await.unwrap();
    }
    let none: [String; 0] = [];
    assert_eq!(store.database.page_faults().await.unwrap(), none);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    if place.is_postgres() {
        let refused = store.database.copy_to(&path).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { .. }), "{refused}");
        return assert!(!path.exists());
    }
    let beside = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 301..=400 {
                store.append(vec![decided(number)]).await.unwrap();
            }
        }
    });
    let bytes = store.database.copy_to(&path).await.unwrap();
    beside.await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
    let url = format!("sqlite://{}", path.display());
    let copy = Database::open_reader(&url).await.unwrap();
    assert_eq!(copy.page_faults().await.unwrap(), none);
    let verdict = copy.verify(None).await.unwrap();
    let Verdict::Intact(Intact { leaves, heads, .. }) = verdict else {
        panic!("{verdict:?}");
    };
    assert!((300..=400).contains(&leaves), "{leaves}");
    let here = store.database.trail_root(&tenant(), leaves).await.unwrap();
    assert_eq!(heads[0].root, here);
    copy.close().await;

    let refused = store.database.copy_to(&path).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused}");
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        bytes,
        "it is not replaced"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_no_file_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=128k", "paywarden-test", path];
    let mounted = Command::new("mount").args(mount).status();
    if !mounted.is_ok_and(|status| status.success()) {
        skipped("only root may mount");
        return;
    }
    let place = Place::sqlite();
    let store = place.open().await;
    for number in 1..=100 {
        store.append(vec![decided(number)]).await.unwrap();
    }
    let refused = store.database.copy_to(&folder.path().join("copy.db")).await;
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert!(Command::new("umount").arg(path).status().unwrap().success());
    assert!(
        matches!(refused, Err(Error::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(left, 0);
    store.close().await;
}
