//! `report large-values` asks a server that runs: what is large in a day, and drafts it once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client_with, paywarden, printed, serve};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_filings::Day;
use paywarden_store::Clock;
use serde_json::{Value, json};
use std::fs;

const REPORTERS: &str = r#"
[acme.entity]
name = "Acme Payments"
address = { kind = "business", street = "1 Road", city = "Newark", country = "US" }
officer = { first_name = "Mei", last_name = "Lin" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_what_is_large_and_drafts_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = (folder.path().join("data"), folder.path().join("key.pem"));
    let reporters = folder.path().join("reporting.toml");
    fs::write(&reporters, REPORTERS).unwrap();
    let file = format!("reporting_file={}", reporters.display());
    let country = "jurisdictions={ acme = \"us_bsa\" }";
    let server = serve(&data, &["trust_event_time=true", country, &file]);
    let (data, key_path) = (data.to_str().unwrap(), key.to_str().unwrap());
    let scopes = "decisions:write,reports:write,reports:read";
    let create = ["keys", "create", "--tenant", "acme", "--scopes", scopes];
    let place = ["--out", key_path, "--data-dir", data];
    let said = printed(folder.path(), &[&create[..], &place].concat());
    let mut words = said.split_whitespace();
    let id = words.find(|word| word.starts_with("key_")).unwrap();
    let private = fs::read_to_string(key_path).unwrap();
    // The name of the file says which key it is.
    let key = folder.path().join(format!("{id}.pem"));
    fs::write(&key, &private).unwrap();
    let named = key.to_str().unwrap();
    let mut connection = client_with(&server, id, &private).connection();

    let then = Clock::System.now().micros() - 5 * DAY;
    let then = Timestamp::from_micros(then);
    let payment = json!({
        "id": "cash-1",
        "type": "topup",
        "channel": "branch",
        "occurred_at": then.to_string(),
        "amount": { "value": "10000.01", "currency": "USD" },
        "payer": { "id": "one", "name": "Ann Lee" },
    });
    let body = payment.to_string().into();
    let sent = connection.post("/v1/decisions", body, Some("cash-1"));
    assert!(sent.await.unwrap().status.is_success());

    let day = Day::of(then, -5).to_string();
    let (url, ca) = (server.url(), server.ca_pem());
    let ca = ca.to_str().unwrap();
    let server = ["--url", &url, "--key", named, "--ca", ca];
    let command = |day: &str, more: &[&str]| -> Vec<String> {
        let words = [&["report", "large-values", "--day", day], more, &server].concat();
        words.iter().map(|word| (*word).to_owned()).collect()
    };
    let state = |more: &[&str]| -> Value {
        let words = command(&day, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let run: Value = serde_json::from_str(&printed(folder.path(), &words)).unwrap();
        assert_eq!(run["found"][0]["rule"], "ctr", "{run}");
        run["found"][0]["state"].clone()
    };
    assert_eq!(state(&["--dry-run"]), "found");
    assert_eq!(state(&[]), "drafted");
    assert_eq!(state(&[]), "known");

    let words = command("2026-02-30", &[]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let refused = paywarden(folder.path(), &words);
    assert!(!refused.status.success());
}
