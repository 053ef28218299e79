//! A copy made beside traffic is read back, takes the place of the database, and is gone on from; what
//! is no copy of the database here is told apart.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client, client_with, figure, paywarden, printed, report, serve};
use paywarden::{
    child::ServerChild,
    client::{Client, Connection},
};
use paywarden_domain::TenantId;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// A rule that always fires, so that every reply shows the value of its window.
const PACK: &str = r#"
pack: probe
title: Probe
description: Shows a window in every reply
rules:
  - id: window
    title: Window of the payer
    engine: fraud
    when: customer.count("40d") >= 0
    score: 1
    reason: { code: probe, text: Probe }
    stage: live
    source: for this test
    examples:
      - { hit: true, name: any, given: { 'customer.count("40d")': 1 } }
      - { hit: false, name: none, given: {} }
"#;

/// Decides a payment of the one customer: its decision, and how many of theirs the window counts.
async fn decide(connection: &mut Connection, name: &str) -> (String, i64) {
    let body = format!(
        r#"{{"id":"{name}","type":"payment.card","occurred_at":"2026-01-31T08:00:00Z",
            "amount":{{"minor":100,"currency":"USD"}},"payer":{{"id":"c"}}}}"#
    );
    let reply = connection
        .post("/v1/decisions", body.into(), Some(name))
        .await;
    let reply = reply.unwrap();
    assert!(reply.status.is_success(), "{}", reply.refusal());
    let decision: Value = reply.json().unwrap();
    let value = &decision["fraud"]["fired"][0]["values"][0]["value"];
    let count = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let id = decision["id"].as_str().unwrap().to_owned();
    (id, count.unwrap_or_else(|| panic!("{decision}")))
}

/// Tells a server to stop in order, and waits until it has.
fn stop(server: ServerChild, data: &Path) {
    let kill = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    while data.join("admin.sock").exists() || !data.join("windows.snapshot").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Its last act is to close the store, after the desk.
    std::thread::sleep(Duration::from_secs(2));
    server.kill();
}

/// Goes on deciding until told to stop; how many it decided.
async fn traffic(client: Arc<Client>, ends: Arc<AtomicBool>) -> i64 {
    let (mut connection, mut number) = (client.connection(), 0);
    while !ends.load(Ordering::Relaxed) {
        decide(&mut connection, &format!("beside-{number}")).await;
        number += 1;
    }
    number
}

/// A server of one company with one caller, and a copy of its database.
struct House {
    folder: TempDir,
    data: PathBuf,
    copy: PathBuf,
    settings: [String; 2],
    key: Option<(String, String)>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules");
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("probe.yaml"), PACK).unwrap();
        Self {
            data: folder.path().join("data"),
            copy: folder.path().join("copy.db"),
            settings: [
                "trust_event_time=true".to_owned(),
                format!("rules_dir={}", rules.display()),
            ],
            key: None,
            folder,
        }
    }

    /// Starts it, and the one caller's client of it.
    fn serve(&mut self) -> (ServerChild, Arc<Client>) {
        let server = serve(&self.data, &self.settings.each_ref().map(String::as_str));
        let tenant = TenantId::parse("acme").unwrap();
        let key = || server.create_key(&tenant, "ed25519").unwrap();
        let (id, private) = self.key.get_or_insert_with(key);
        let client = client_with(&server, id, private);
        (server, client)
    }

    fn backup(&self, what: &str) -> Value {
        let [at, copy] = [&self.data, &self.copy].map(|path| path.to_str().unwrap());
        let arguments = ["backup", what, copy, "--json", "--data-dir", at];
        tokio::task::block_in_place(|| report(self.folder.path(), &arguments))
    }

    /// The backup takes the place of the database; everything else stays as it lies there.
    fn restore(&self) {
        for log in ["paywarden.db-wal", "paywarden.db-shm"] {
            let _ = fs::remove_file(self.data.join(log));
        }
        fs::copy(&self.copy, self.data.join("paywarden.db")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_beside_traffic_is_restored_and_gone_on_from() {
    let mut house = House::new();
    let (server, client) = house.serve();
    let mut connection = client.connection();
    let mut known = Vec::new();
    for number in 0..20 {
        let decided = decide(&mut connection, &format!("before-{number}")).await;
        known.push(decided.0);
    }
    let ends = Arc::new(AtomicBool::new(false));
    let beside = tokio::spawn(traffic(client, ends.clone()));
    let made = house.backup("make");
    ends.store(true, Ordering::Relaxed);
    let beside = beside.await.unwrap();
    assert!(
        beside > 0 && figure(&made, "trail_leaves") >= 20.0,
        "{made}"
    );
    for number in 0..30 {
        decide(&mut connection, &format!("after-{number}")).await;
    }
    // With a snapshot of the windows that knows of more than the copy does.
    stop(server, &house.data);
    house.restore();

    let (server, client) = house.serve();
    let mut connection = client.connection();
    for (number, id) in known.iter().enumerate() {
        let again = decide(&mut connection, &format!("before-{number}")).await;
        assert_eq!(&again.0, id, "an answer of before the copy stands");
    }
    let (_, first) = decide(&mut connection, "new-0").await;
    assert!((21..=21 + beside).contains(&first), "{first} of {beside}");
    // Others take the numbers of those that are lost, beyond what the snapshot of before knows.
    for number in 1..=beside + 60 {
        let (_, count) = decide(&mut connection, &format!("new-{number}")).await;
        assert_eq!(count, first + number);
    }
    server.kill();
    let (server, client) = house.serve();
    let (_, count) = decide(&mut client.connection(), "last").await;
    assert_eq!(
        count,
        first + beside + 61,
        "the windows hold none that is lost"
    );
    server.kill();
    let at = house.data.to_str().unwrap();
    printed(house.folder.path(), &["verify", "--data-dir", at]);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_old_the_last_backup_is_stands_on_the_metrics_page() {
    let mut house = House::new();
    let (server, client) = house.serve();
    let metrics = async |client: Arc<Client>| {
        let reply = client.connection().get("/metrics").await.unwrap();
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    assert!(!metrics(client.clone()).await.contains("backup"));
    house.backup("make");
    decide(&mut client.connection(), "after").await;
    let again = house.backup("read-back");
    assert!(figure(&again, "trail_leaves_behind") > 0.5, "{again}");
    server.kill();
    // Without a server it is kept as well.
    house.backup("read-back");
    let (server, client) = house.serve();
    let said = metrics(client).await;
    let size = fs::metadata(&house.copy).unwrap().len();
    let bytes = format!("paywarden_backup_bytes {size}\n");
    assert!(said.contains(&bytes), "{said}");
    assert!(said.contains("paywarden_backup_age_seconds "), "{said}");
    server.kill();
}

/// Two companies' machines, `here` and `other`, each with a copy of its database beside it.
fn two() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["here", "other"] {
        let server = serve(&folder.path().join(name), &[]);
        client(&server, "acme");
        server.kill();
        let copy = format!("{name}.db");
        printed(
            folder.path(),
            &["backup", "make", &copy, "--data-dir", name],
        );
    }
    folder
}

#[test]
fn what_is_no_backup_of_the_database_is_told() {
    let folder = two();
    let whole = fs::read(folder.path().join("here.db")).unwrap();
    fs::write(folder.path().join("text.db"), "no database").unwrap();
    let postgres = "database_url=postgres://paywarden@localhost:1/none";
    let said: String = [
        ["make", "here.db", "--data-dir", "here"],
        ["make", "none/here.db", "--data-dir", "here"],
        ["make", "new.db", "--data-dir", "none"],
        ["make", "new.db", "--set", postgres],
        ["read-back", "none.db", "--data-dir", "here"],
        ["read-back", "text.db", "--data-dir", "here"],
        ["read-back", "other.db", "--data-dir", "here"],
        ["read-back", "here.db", "--data-dir", "other"],
    ]
    .map(|arguments| {
        let output = paywarden(folder.path(), &[&["backup"], &arguments[..]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap();
        let line = arguments.join(" ");
        format!("$ backup {line}\n{stderr}exit code {code}\n\n")
    })
    .concat();
    insta::assert_snapshot!("no_backups", said);
    assert_eq!(fs::read(folder.path().join("here.db")).unwrap(), whole);
    assert!(!folder.path().join("new.db").exists());
}

#[test]
fn a_damaged_backup_is_told() {
    let folder = two();
    let whole = fs::read(folder.path().join("here.db")).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let leaf = b"administration at the command line";
    let at = whole.windows(leaf.len()).position(|bytes| bytes == leaf);
    for (what, bytes, said) in [
        (
            "a leaf",
            flipped(at.unwrap()),
            "is broken at leaf 0: it was changed",
        ),
        ("a page", flipped(4096 + 8), "error: "),
        ("half of it", whole[..whole.len() / 2].to_vec(), "error: "),
    ] {
        fs::write(folder.path().join("damaged.db"), bytes).unwrap();
        let arguments = ["backup", "read-back", "damaged.db", "--data-dir", "here"];
        let output = paywarden(folder.path(), &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(1 | 3)),
            "{what}: {stderr}"
        );
        assert!(stderr.contains(said), "{what}: {stderr}");
    }
}
