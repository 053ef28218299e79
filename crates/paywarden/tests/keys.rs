//! Keys, signatures and curl: the way of a newcomer, as the README shows it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{binary, paywarden, printed, serve};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

fn event(id: &str) -> String {
    let now = paywarden_store::Clock::System.now();
    format!(
        r#"{{"id":"{id}","type":"payment.card","occurred_at":"{now}","amount":{{"value":"12.50","currency":"USD"}}}}"#
    )
}

/// Runs `paywarden sign --key KEY -- curl …`.
fn signed_curl(folder: &Path, key: &str, curl: &[&str]) -> Output {
    let arguments = [&["sign", "--key", key, "--", "curl", "-sS"], curl].concat();
    paywarden(folder, &arguments)
}

fn body(output: &Output) -> serde_json::Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
}

/// The path that `keys create` printed.
fn key_file(printed: &str) -> String {
    let line = printed
        .lines()
        .find(|line| line.contains("private half"))
        .unwrap();
    line.split_whitespace().nth(2).unwrap().to_owned()
}

#[test]
fn a_newcomer_decides_with_curl_and_a_revoked_key_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_dir = data.to_str().unwrap();
    let server = serve(&data, &[]);
    let url = format!("{}/v1/decisions", server.url());
    for algorithm in [
        "ed25519",
        "ecdsa-p256-sha256",
        "rsa-pss-sha512",
        "hmac-sha256",
    ] {
        let said = printed(
            folder.path(),
            &[
                "keys",
                "create",
                "--tenant",
                "acme",
                "--algorithm",
                algorithm,
                "--data-dir",
                data_dir,
            ],
        );
        let key = key_file(&said);
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let reply = body(&signed_curl(
            folder.path(),
            &key,
            &[&url, "-d", &event(algorithm)],
        ));
        assert_eq!(reply["payment_id"], algorithm, "{reply}");
        let page = body(&signed_curl(
            folder.path(),
            &key,
            &[&format!("{url}?limit=1")],
        ));
        assert_eq!(page["decisions"][0]["payment_id"], algorithm, "{page}");

        let id = Path::new(&key).file_stem().unwrap().to_str().unwrap();
        printed(
            folder.path(),
            &["keys", "revoke", id, "--data-dir", data_dir],
        );
        let reply = body(&signed_curl(
            folder.path(),
            &key,
            &[&url, "-d", &event("late")],
        ));
        assert_eq!(reply["code"], "signature_invalid", "{reply}");
    }
}

#[test]
fn printed_headers_work_with_plain_curl_and_bind_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data, &[]);
    let said = printed(
        folder.path(),
        &[
            "keys",
            "create",
            "--tenant",
            "acme",
            "--data-dir",
            data.to_str().unwrap(),
        ],
    );
    let key = key_file(&said);
    let file = folder.path().join("body.json");
    fs::write(&file, event("printed")).unwrap();
    let url = format!("{}/v1/decisions", server.url());
    let headers = printed(
        folder.path(),
        &[
            "sign",
            "--key",
            &key,
            "--url",
            &url,
            "--body",
            "body.json",
            "--idempotency-key",
            "k1",
        ],
    );
    fs::write(folder.path().join("headers"), &headers).unwrap();
    let plain_curl = |body: &str| {
        let output = Command::new("curl")
            .current_dir(folder.path())
            .args(["-sS", "-H", "@headers", "--data-binary", body, "--cacert"])
            .arg(server.ca_pem())
            .arg(&url)
            .output();
        self::body(&output.unwrap())
    };
    let changed = plain_curl(&event("other"));
    assert_eq!(changed["code"], "content_digest_mismatch", "{changed}");
    let decided = plain_curl("@body.json");
    assert_eq!(decided["payment_id"], "printed", "{decided}");
    let replayed = plain_curl("@body.json");
    assert_eq!(replayed["code"], "signature_replayed", "{replayed}");
}

#[test]
fn keys_work_without_a_server_too() {
    let folder = tempfile::tempdir().unwrap();
    let keys = |arguments: &[&str]| printed(folder.path(), &[&["keys"], arguments].concat());
    assert_eq!(
        keys(&["list"]),
        "no keys yet: paywarden keys create --tenant NAME\n"
    );
    let said = keys(&["create", "--tenant", "acme", "--name", "checkout"]);
    let key = key_file(&said);
    let id = Path::new(&key)
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let program = binary().display().to_string();
    let masked = |text: &str| text.replace(&id, "key_…").replace(&program, "paywarden");
    insta::assert_snapshot!("created", masked(&said));
    let public = Command::new("openssl")
        .current_dir(folder.path())
        .args(["pkey", "-in", &key, "-pubout", "-out", "public.pem"])
        .status();
    if public.is_ok_and(|status| status.success()) {
        let said = keys(&["register", "public.pem", "--tenant", "beta"]);
        assert!(said.ends_with("registered for beta (ed25519)\n"), "{said}");
    }
    keys(&["revoke", &id]);
    let list = keys(&["list"]);
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        line.contains("revoked") && line.ends_with("checkout"),
        "{list}"
    );
    let wrong: String = [
        &["keys", "revoke", "key_0"][..],
        &["keys", "create", "--tenant", "acme", "--algorithm", "rot13"],
        &["keys", "create", "--tenant", "acme", "--scopes", "all"],
        &["sign", "--key", "none.pem", "--url", "https://h/x"],
        &["sign", "--key", &key, "--url", "http://h/x"],
    ]
    .map(|arguments| {
        let output = paywarden(folder.path(), arguments);
        let stderr = masked(&String::from_utf8(output.stderr).unwrap());
        format!("{stderr}exit code {}\n\n", output.status.code().unwrap())
    })
    .concat();
    insta::assert_snapshot!("refusals", wrong);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _server = serve(&data, &[]);
    let second = Command::new(binary())
        .args(["serve", "--set", "listen=127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert_eq!(
        second.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
}
