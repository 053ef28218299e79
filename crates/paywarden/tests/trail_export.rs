//! `trail export` prints leaves by an approved export alone, beside the server that opened it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use bytes::Bytes;
use common::{client_with, paywarden, printed, serve};
use http::Method;
use paywarden::{child::ServerChild, client::Connection};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Output};

/// Somebody with a key of these scopes.
fn caller(server: &ServerChild, data: &Path, scopes: &str) -> Connection {
    let key = data.join("key.pem");
    let arguments = [
        "keys", "create", "--tenant", "acme", "--scopes", scopes, "--out",
    ];
    let folder = ["--data-dir", data.to_str().unwrap()];
    let all = [&arguments[..], &[key.to_str().unwrap()], &folder].concat();
    let said = printed(data, &all);
    let id = said
        .split_whitespace()
        .find(|word| word.starts_with("key_"));
    let client = client_with(server, id.unwrap(), &fs::read_to_string(&key).unwrap());
    fs::remove_file(key).unwrap();
    client.connection()
}

async fn post(by: &mut Connection, path: &str, body: &Value) -> Value {
    let body = Bytes::from(body.to_string());
    let reply = by.send(Method::POST, path, body, None).await.unwrap();
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(reply.status.is_success(), "{json}");
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_are_exported_by_approval_and_no_more_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data, &[]);
    let scopes = "exports:write,trail:read,approvals:request,approvals:read";
    let mut taker = caller(&server, &data, scopes);
    let mut checker = caller(&server, &data, "approvals:vote,approvals:read");
    let export = |approval: &str| -> Output {
        let arguments = [
            "trail",
            "export",
            "--tenant",
            "acme",
            "--approval",
            approval,
        ];
        let from = ["--from", "1", "--data-dir", data.to_str().unwrap()];
        paywarden(folder.path(), &[&arguments[..], &from].concat())
    };
    let refused = |approval: &str, why: &str| {
        let output = export(approval);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(output.stdout.is_empty() && stderr.contains(why), "{stderr}");
    };

    let command = json!({ "export": { "collection": "trail", "rows": 2 } });
    let body = json!({ "command": command, "reason": "for the auditor" });
    let asked = post(&mut taker, "/v1/approvals", &body).await;
    let id = asked["id"].as_str().unwrap();
    let path = format!("/v1/approvals/{id}");
    refused("apr_none", "no approval has this identifier");
    refused(id, "the approval is open");
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    post(&mut checker, &format!("{path}/votes"), &vote).await;
    refused(id, "the approval is open");
    let purpose = json!({ "purpose": "as approved" });
    post(&mut taker, &format!("{path}/execution"), &purpose).await;
    let output = export(id);
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let indexes: Vec<_> = lines
        .iter()
        .map(|leaf| leaf["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indexes, [1, 2]);
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("--from 3"), "{note}");
}
