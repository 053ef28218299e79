//! `check` and `verify`: what holds, what does not, and what is said about it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client, figure, paywarden, printed, report, serve};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn checked(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = paywarden(folder, &[&["check"], arguments].concat());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let findings = stdout
        .split_once("\n\n")
        .map_or("", |(_, findings)| findings)
        .to_owned();
    (output.status.code(), findings)
}

#[test]
fn an_empty_folder_is_ready_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let (code, findings) = checked(folder.path(), &[]);
    assert_eq!(code, Some(0), "{findings}");
    assert!(findings.contains("every example holds"), "{findings}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "check makes nothing"
    );
}

#[test]
fn what_does_not_hold_is_named() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["keys", "list"]);
    let data = folder.path().join("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    let pack = "pack: broken\ntitle: Broken\ndescription: d\nrules:\n  - id: one\n    title: One\n    \
        engine: fraud\n    when: card.cuont(\"10m\") > 1\n    score: 1\n    \
        reason: { code: a, text: b }\n    stage: live\n    source: s\n    \
        examples:\n      - { hit: true, name: n, given: {} }\n      - { hit: false, name: m, given: {} }\n";
    fs::write(folder.path().join("rules/broken.yaml"), pack).unwrap();
    fs::write(data.join("from-the-future"), "").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(500);
    fs::File::options()
        .write(true)
        .open(data.join("from-the-future"))
        .unwrap()
        .set_modified(later)
        .unwrap();
    let (code, findings) = checked(folder.path(), &["--set", "rules_dir=rules"]);
    assert_eq!(code, Some(1), "{findings}");
    for (start, text) in [
        ("FAIL  rule packs", "broken"),
        ("FAIL  data folder", "chmod go= data"),
        ("ok    master key", "for its owner alone"),
        ("ok    database", "leaves in the trail"),
        ("FAIL  clock", "behind the newest file"),
    ] {
        let found = findings.find(start).map(|at| &findings[at..]);
        assert!(
            found.is_some_and(|found| found.contains(text)),
            "{start}: {findings}"
        );
    }
}

#[tokio::test]
async fn the_trail_is_verified_beside_the_server_and_a_change_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data, &["trust_event_time=true"]);
    let client = client(&server, "acme");
    let mut connection = client.connection();
    for number in 0..5 {
        let body = format!(
            r#"{{"id":"p{number}","type":"login","occurred_at":"2026-01-31T08:00:00Z","payer":{{"id":"c"}}}}"#
        );
        let reply = connection
            .post("/v1/decisions", body.into(), Some(&format!("k{number}")))
            .await;
        assert!(reply.unwrap().status.is_success());
    }
    let flags = ["--data-dir", data.to_str().unwrap()];
    let intact = report(folder.path(), &[&["verify", "--json"], &flags[..]].concat());
    assert!(figure(&intact, "trail_leaves") >= 6.0, "{intact}");
    let said = printed(folder.path(), &[&["verify"], &flags[..]].concat());
    let head = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("head  "))
        .unwrap();
    printed(
        folder.path(),
        &[&["verify", "--anchor", head], &flags[..]].concat(),
    );
    server.kill();

    let changed = "0".repeat(64);
    let (seq, _) = head.split_once(':').unwrap();
    let anchor = format!("{seq}:{changed}");
    let arguments = [&["verify", "--anchor", &anchor], &flags[..]].concat();
    let output = paywarden(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("the trail is broken")
    );
}

#[test]
fn the_api_description_is_openapi_3_1() {
    let text = printed(Path::new("/"), &["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/decisions"]["post"].is_object());
}

#[test]
fn breached_passwords_are_loaded_or_their_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list.txt"), "hunter2\nletmein\n").unwrap();
    let made = printed(
        folder.path(),
        &["passwords", "list.txt", "--out", "breached.filter"],
    );
    assert!(made.starts_with("2 passwords"), "{made}");
    let set = ["--set", "breached_passwords=breached.filter"];
    let (code, findings) = checked(folder.path(), &set);
    assert_eq!(code, Some(0), "{findings}");
    assert!(findings.contains("2 known from breaches"), "{findings}");
    fs::write(folder.path().join("breached.filter"), "no filter").unwrap();
    let (code, findings) = checked(folder.path(), &set);
    assert_eq!(code, Some(1), "{findings}");
    assert!(findings.contains("FAIL  passwords"), "{findings}");
}
