//! `check` and `verify`: what holds, what does not, and what is said about it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client, figure, paywarden, printed, report, serve};
use paywarden::client::Connection;
use paywarden_crypto::{
    Keyring,
    note::{NoteKind, NoteVerifier},
};
use paywarden_domain::{TenantId, Timestamp, time::SECOND};
use paywarden_store::{
    Actor, Clock, Database, Entry, Journal, JournalLimits, trail::notary::public_keys,
};
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
    decide(&mut connection).await;
    let flags = ["--data-dir", data.to_str().unwrap()];
    let intact = report(folder.path(), &[&["verify", "--json"], &flags[..]].concat());
    assert!(figure(&intact, "trail_leaves") >= 6.0, "{intact}");
    let said = printed(folder.path(), &[&["verify"], &flags[..]].concat());
    assert!(said.starts_with("intact: "), "{said}");

    // A checkpoint and a proof, kept elsewhere, hold without asking the server.
    let get = async |connection: &mut Connection, path: &str| -> String {
        let reply = connection.get(path).await.unwrap();
        assert!(reply.status.is_success(), "{path}");
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    let checkpoint = folder.path().join("checkpoint");
    let text = get(&mut connection, "/v1/trail/checkpoint").await;
    std::fs::write(&checkpoint, &text).unwrap();
    let proof = folder.path().join("leaf.tlog-proof");
    let answer = get(&mut connection, "/v1/trail/proofs/inclusion?leaf=2").await;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    std::fs::write(&proof, answer["text"].as_str().unwrap()).unwrap();
    let (checkpoint, proof) = (checkpoint.to_str().unwrap(), proof.to_str().unwrap());
    let with = [&["verify", "--checkpoint", checkpoint], &flags[..]].concat();
    printed(folder.path(), &with);
    let proving = [&["verify", "--proof", proof], &flags[..]].concat();
    assert!(printed(folder.path(), &proving).starts_with("proven: leaf 2 of "));
    not_exported(folder.path(), &flags);
    rotated(folder.path(), &flags);
    server.kill();

    // An auditor has the verifier key alone, not the data folder.
    let keys = notary_key(&data, &text);
    let alone = [
        "verify",
        "--proof",
        proof,
        "--key",
        &keys,
        "--data-dir",
        "nowhere",
    ];
    printed(folder.path(), &alone);
    let without = ["verify", "--proof", proof, "--data-dir", "nowhere"];
    let refused = paywarden(folder.path(), &without);
    assert_eq!(refused.status.code(), Some(2));
    let nothing = paywarden(folder.path(), &["verify", "--data-dir", "nowhere"]);
    assert_eq!(nothing.status.code(), Some(3));

    // A proof of another leaf under the same checkpoint, and a checkpoint that says another root.
    let forged = std::fs::read_to_string(proof)
        .unwrap()
        .replace("\nindex 2\n", "\nindex 3\n");
    std::fs::write(proof, forged).unwrap();
    std::fs::write(checkpoint, text.replacen('\n', "x\n", 1)).unwrap();
    for arguments in [proving, with] {
        let output = paywarden(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_fails_the_check_and_is_located() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let url = format!("sqlite://{}/paywarden.db", data.display());
    for seconds in [1_000_000, 1_000_100, 1_000_090] {
        let clock = Clock::simulated(Timestamp::from_micros(seconds * SECOND), 1);
        let database = Database::open(&url).await.unwrap();
        let journal = Journal::start(&database, clock, JournalLimits::default());
        let journal = journal.await.unwrap();
        let entry = Entry {
            tenant: TenantId::parse("acme").unwrap(),
            actor: Actor::System("test"),
            purpose: "payment decision".into(),
            action: "payment.view",
            object: "dec_1".into(),
            rows: vec![],
        };
        journal.append(entry).await.unwrap();
        journal.close().await;
        database.close().await;
    }
    let verify = ["verify", "--data-dir", "data"];
    for (arguments, code) in [
        (&["--clock-tolerance", "9"][..], 1),
        (&[], 1),
        (&["--json"], 1),
        (&["--clock-tolerance", "10"], 0),
    ] {
        let output = paywarden(folder.path(), &[&verify[..], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let place = "set back by 10.0 s before leaf 2 of acme";
        assert_eq!(said.contains(place), code == 1, "{said}");
    }
}

/// Leaves leave the store by an approval alone.
fn not_exported(folder: &Path, flags: &[&str]) {
    let exporting = [&["trail", "export", "--tenant", "acme"], flags].concat();
    let output = paywarden(folder, &exporting);
    assert_eq!(output.status.code(), Some(2));
    let output = paywarden(folder, &[&exporting[..], &["--approval", "apr_1"]].concat());
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]));
}

/// Another key signs the trail beside the running server; what was signed before still holds.
fn rotated(folder: &Path, flags: &[&str]) {
    let rotating = [&["keys", "rotate-notary"], flags].concat();
    let said = printed(folder, &rotating);
    assert!(said.starts_with("key 2 signs the trail since "), "{said}");
    assert_eq!(said.matches("/acme+").count(), 1, "{said}");
    let checkpoint = folder.join("checkpoint");
    let verify = ["verify", "--checkpoint", checkpoint.to_str().unwrap()];
    printed(folder, &[&verify, flags].concat());
}

async fn decide(connection: &mut Connection) {
    for number in 0..5 {
        let body = format!(
            r#"{{"id":"p{number}","type":"login","occurred_at":"2026-01-31T08:00:00Z","payer":{{"id":"c"}}}}"#
        );
        let reply = connection
            .post("/v1/decisions", body.into(), Some(&format!("k{number}")))
            .await;
        assert!(reply.unwrap().status.is_success());
    }
}

/// The verifier key of the checkpoint's own tree, made from the master key as the server makes it.
fn notary_key(data: &Path, checkpoint: &str) -> String {
    let keyring = Keyring::open_or_create(&data.join("master.key")).unwrap();
    let [public] = public_keys(&keyring, 1).unwrap()[..] else {
        panic!("one key")
    };
    let origin = checkpoint.lines().next().unwrap();
    NoteVerifier::new(origin, NoteKind::Plain, &public)
        .unwrap()
        .to_string()
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
