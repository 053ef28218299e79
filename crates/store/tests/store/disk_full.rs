//! A full disk refuses, loses nothing, and is forgotten when there is room again.
//!
//! The disk is a file-size limit of the process (RLIMIT_FSIZE, set by `prlimit` of util-linux),
//! which needs no privileges: writing past it fails as writing to a full disk does. As root the
//! same scenario runs on a small file system in memory, where the error is the real one.

use crate::support::*;
use paywarden_store::*;
use std::process::Command;

/// Writes until refused, then makes room and goes on.
async fn scenario(place: &Place, make_room: impl FnOnce()) {
    let store = place.open().await;
    let mut number = 0;
    let refusal = loop {
        number += 1;
        match store.append(vec![decided(number)]).await {
            Ok(_) => assert!(number < 20_000, "the disk never filled up"),
            Err(error) => break error,
        }
    };
    assert!(number > 10, "{refusal}");
    assert!(matches!(refusal, Error::Unavailable { .. }), "{refusal:?}");
    // Still full: refused again, and what was written before is whole and readable.
    let again = store.append(vec![decided(number)]).await;
    assert!(matches!(again, Err(Error::Unavailable { .. })), "{again:?}");
    let verdict = store.database.verify(None).await.unwrap();
    assert!(
        matches!(verdict, Verdict::Intact(Intact { leaves, .. }) if leaves as i64 == number - 1),
        "{verdict:?} after {number}"
    );
    make_room();
    for number in number..number + 50 {
        let written = store.append(vec![decided(number)]).await;
        assert_eq!(
            written,
            Ok(Appended::Written {
                seq: number,
                label_seq: None,
                known_records: false,
            })
        );
    }
    let verdict = store.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    store.close().await;
}

#[test]
fn a_file_that_may_not_grow() {
    // The signal that comes with the limit would end the process; a shell lets it be ignored.
    let script = r#"trap '' XFSZ; exec prlimit --fsize=2000000:unlimited "$@""#;
    let status = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "disk_full::child_meets_its_limit",
            "--ignored",
            "--nocapture",
        ])
        .env("PAYWARDEN_STORE_LIMITED", "yes")
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as the child of the test above"]
async fn child_meets_its_limit() {
    if std::env::var("PAYWARDEN_STORE_LIMITED").is_err() {
        return;
    }
    let own = std::process::id().to_string();
    scenario(&Place::sqlite(), || {
        let raised = Command::new("prlimit")
            .args(["--fsize=unlimited", "--pid", &own])
            .status();
        assert!(raised.unwrap().success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_without_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=12m", "paywarden-test", path];
    if !Command::new("mount")
        .args(mount)
        .status()
        .is_ok_and(|status| status.success())
    {
        skipped("only root may mount");
        return;
    }
    let ballast = format!("{path}/ballast");
    std::fs::write(&ballast, vec![0; 8_000_000]).unwrap();
    let url = format!("sqlite://{path}/store.db");
    let result = tokio::spawn(async move {
        scenario(&Place::at(url), || std::fs::remove_file(ballast).unwrap()).await;
    })
    .await;
    assert!(Command::new("umount").arg(path).status().unwrap().success());
    result.unwrap();
}
