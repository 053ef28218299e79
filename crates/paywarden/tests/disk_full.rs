//! The disk fills up: callers are told so, what was answered stays, and work goes on when there is
//! room again. Needs the right to mount a small file system: without it the test fails where `CI` is
//! set and has nothing to test elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client, serve};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system of 24 MiB, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "paywarden-test"])
            .arg(path)
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then(|| Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn login(number: u32) -> String {
    format!(
        r#"{{"id":"e{number}","type":"login","occurred_at":"2026-01-31T08:00:00Z","payer":{{"id":"c"}}}}"#
    )
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk")) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no right to mount a small file system: run the tests as root"
        );
        return;
    };
    let server = serve(&disk.0, &["trust_event_time=true"]);
    let client = client(&server, "acme");
    let mut connection = client.connection();
    let mut answered = Vec::new();
    let mut full = false;
    let filler = disk.0.join("filler");
    for number in 0..2_000 {
        if number == 20 {
            // Everything that is left; the last write is cut short, as it should be.
            let _ = fs::write(&filler, vec![0; 24 << 20]);
        }
        let key = format!("k{number}");
        let reply = connection
            .post("/v1/decisions", login(number).into(), Some(&key))
            .await
            .unwrap();
        if reply.status.is_success() {
            let decision: serde_json::Value = reply.json().unwrap();
            answered.push(decision["id"].as_str().unwrap().to_owned());
            continue;
        }
        assert_eq!(reply.code(), "store_unavailable", "{}", reply.refusal());
        assert!(reply.headers.contains_key("retry-after"));
        full = true;
        break;
    }
    assert!(full, "the disk never filled up");
    // What is shown is in the trail, so that nothing is shown that cannot be noted.
    let path = |id: &str| format!("/v1/decisions/{id}");
    let reply = connection.get(&path(&answered[0])).await.unwrap();
    assert!(reply.status.is_success() || reply.code() == "store_unavailable");
    fs::remove_file(&filler).unwrap();
    for id in &answered {
        let reply = connection.get(&path(id)).await.unwrap();
        assert!(reply.status.is_success(), "{id}: {}", reply.refusal());
    }
    let reply = connection
        .post("/v1/decisions", login(9_999).into(), Some("k9999"))
        .await
        .unwrap();
    assert!(reply.status.is_success(), "{}", reply.refusal());
    server.kill();
}
