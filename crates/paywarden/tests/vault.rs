//! The master key split among custodians: the server starts from shares, and says of wrong ones
//! what is wrong.
#![cfg(test)]

mod common;

use common::{binary, client, printed, serve};
use paywarden::child::ServerChild;
use paywarden_store::Clock;
use serde_json::json;
use std::{fs, path::Path, process::Command};

/// What `vault keys` says with these shares.
fn inventory(folder: &Path, shares: &str) -> (i32, String) {
    let output = Command::new(binary())
        .current_dir(folder)
        .args(["vault", "keys", "--set", shares])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

/// Sends a payment by card; the status of the reply.
async fn decide(server: &ServerChild, id: &str) -> u16 {
    let body = json!({
        "id": id,
        "type": "payment.card",
        "occurred_at": Clock::System.now().to_string(),
        "amount": { "value": "12.34", "currency": "USD" },
        "card": { "number": "4012888888881881" },
    });
    let mut connection = client(server, "acme").connection();
    let sent = connection.post("/v1/decisions", body.to_string().into(), Some(id));
    sent.await.unwrap().status.as_u16()
}

#[test]
fn a_server_starts_from_shares() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), folder.path().join("data"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = serve(&data, &[]);
    assert_eq!(runtime.block_on(decide(&server, "p-1")), 200);
    drop(server);
    keys_have_a_time(at);
    what_is_due_is_counted_then_ends(at);
    let custodians = [
        "--custodian",
        "ANNA",
        "--custodian",
        "BEN",
        "--custodian",
        "CHEN",
    ];
    printed(
        at,
        &[&["vault", "split", "--out", "shares"], &custodians[..]].concat(),
    );
    fs::remove_file(data.join("master.key")).unwrap();
    a_ceremony_has_its_record(at);
    let path = |number: u8| at.join(format!("shares/share-{number}"));
    let (one, three) = (path(1), path(3));
    let shares = format!("key_shares=['{}', '{}']", one.display(), three.display());
    let server = serve(&data, &[&shares]);
    assert_eq!(runtime.block_on(decide(&server, "p-2")), 200);
    drop(server);
    assert!(
        !data.join("master.key").exists(),
        "no key file is made beside shares"
    );
    let (code, said) = inventory(at, &shares);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("root     shares of custodians: "), "{said}");
    assert!(said.contains("; wraps new keys; since "), "{said}");

    no_key_is_made_beside_epochs(at);

    let secret = fs::read_to_string(&one).unwrap();
    let damaged = at.join("damaged");
    fs::write(&damaged, secret.replace(['a', 'A'], "b")).unwrap();
    for shares in [
        format!("key_shares=['{}']", one.display()),
        format!("key_shares=['{}', '{}']", one.display(), one.display()),
        format!(
            "key_shares=['{}', '{}']",
            damaged.display(),
            three.display()
        ),
        format!("key_shares=['{}', 'nowhere']", one.display()),
    ] {
        let (code, said) = inventory(at, &shares);
        assert_eq!(code, 3, "{said}");
        assert!(
            !said.contains(secret.trim().rsplit(' ').next().unwrap()),
            "a share was shown"
        );
    }
    assert!(printed(at, &["verify", "--set", &shares]).contains("intact"));
}

/// Whoever forgets the shares gets no other master key, which would open nothing that is there.
fn no_key_is_made_beside_epochs(at: &Path) {
    let (code, said) = inventory(at, "key_shares=[]");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the master key is not there"), "{said}");
    assert!(said.contains("key_shares"), "{said}");
    assert!(!at.join("data/master.key").exists());
}

/// The setting that names the first and the third share.
fn of_shares(at: &Path) -> String {
    let share = |number| at.join(format!("shares/share-{number}"));
    format!(
        "key_shares=['{}', '{}']",
        share(1).display(),
        share(3).display()
    )
}

fn keys_have_a_time(at: &Path) {
    let said = printed(at, &["vault", "keys"]);
    assert!(
        said.contains("root     a file, data/master.key; since "),
        "{said}"
    );
    assert!(said.contains("1 keys, the oldest made "), "{said}");
    assert!(
        said.contains("may be used until ") && !said.contains("PAST"),
        "{said}"
    );
    let passed = [
        "vault",
        "keys",
        "--set",
        "vault_epoch_days=0",
        "--set",
        "root_days=0",
    ];
    assert_eq!(printed(at, &passed).matches("PAST its time").count(), 2);
}

fn what_is_due_is_counted_then_ends(at: &Path) {
    let retention = ["vault", "retention", "--company", "acme"];
    let counted = printed(at, &retention);
    assert!(
        counted.contains("  done  counted, nothing ended  1 persons"),
        "{counted}"
    );
    assert!(
        counted.contains("not_due       evidence   card_number"),
        "{counted}"
    );
    let run = counted.split_whitespace().next().unwrap();
    let ended = printed(at, &[&retention[..], &["--end", run]].concat());
    assert!(
        ended.contains("  done  ended  1 persons looked at\n"),
        "{ended}"
    );
}

/// It names shares and people, holds none of the shares and is printed again.
fn a_ceremony_has_its_record(at: &Path) {
    let record = fs::read_to_string(at.join("shares/ceremony.txt")).unwrap();
    assert!(record.contains("Share 3   CHEN\n") && record.contains("any 2 of which"));
    let lines = ["share-1", "share-2", "share-3"].map(|name| {
        let line = fs::read_to_string(at.join("shares").join(name)).unwrap();
        line.trim().to_owned()
    });
    for line in &lines {
        let points = line.split('.').nth(3).unwrap();
        assert!(!record.contains(points), "a record holds no share");
    }

    let kept = printed(at, &["vault", "ceremonies", "--set", &of_shares(at)]);
    assert_eq!(kept, record);
}
