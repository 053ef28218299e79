//! The back-test command over the journal of a server that decided a labelled file.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{figure, paywarden, printed, report, serve};
use paywarden_domain::TenantId;
use serde_json::Value;
use std::{fs, path::Path};

/// A server has decided the file that the project ships, with labels as they became known.
fn decided(folder: &Path) {
    let settings = ["trust_event_time=true"];
    let server = serve(&folder.join("data"), &settings);
    let (id, private) = server
        .create_key(&TenantId::parse("acme").unwrap(), "ed25519")
        .unwrap();
    let key = folder.join(format!("{id}.pem"));
    fs::write(&key, private).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/payments.csv");
    let (url, ca) = (server.url(), server.ca_pem());
    let arguments = [
        "replay",
        file.to_str().unwrap(),
        "--mapping",
        "handbook",
        "--url",
        &url,
        "--key",
        key.to_str().unwrap(),
        "--ca",
        ca.to_str().unwrap(),
    ];
    printed(folder, &arguments);
    server.kill();
}

fn shipped() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    folder.to_str().unwrap().to_owned()
}

#[test]
fn the_rules_that_decided_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    decided(folder.path());
    let rules = shipped();
    let same = report(folder.path(), &["backtest", "--rules", &rules, "--json"]);
    assert_eq!(same["command"], "backtest");
    let names: Vec<&str> = same["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|figure| figure["name"].as_str().unwrap())
        .collect();
    insta::assert_json_snapshot!("figures_of_backtest", names);
    assert!(figure(&same, "payments") > 100.0);
    assert!(figure(&same, "outcomes_changed").abs() < 0.5);
    let whole = &same["report"]["payments"]["payments"];
    let days = same["report"]["days"].as_array().unwrap();
    let counted: u64 = days
        .iter()
        .map(|day| day["payments"].as_u64().unwrap())
        .sum();
    assert_eq!(whole, &Value::from(counted));

    let one = folder.path().join("one");
    fs::create_dir(&one).unwrap();
    let pack = Path::new(&rules).join("card_testing.yaml");
    fs::copy(pack, one.join("card_testing.yaml")).unwrap();
    let one = one.to_str().unwrap();
    let against = report(
        folder.path(),
        &["backtest", "--rules", one, "--against", "shipped", "--json"],
    );
    assert_eq!(
        against["report"]["stopped_before"],
        same["report"]["stopped"]
    );
    let version = same["report"]["rule_set"].as_str().unwrap();
    let stored = report(
        folder.path(),
        &["backtest", "--rules", one, "--against", version, "--json"],
    );
    assert_eq!(stored["report"], against["report"]);
    let text = printed(folder.path(), &["backtest", "--rules", one]);
    assert!(text.contains("outcome before and after"), "{text}");
}

#[test]
fn what_it_lacks_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let rules = shipped();
    let refused = |arguments: &[&str]| {
        let output = paywarden(folder.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), stderr)
    };
    let (code, text) = refused(&["backtest", "--rules", &rules]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("--data-dir"), "{text}");
    let (code, text) = refused(&["backtest", "--rules", &rules, "--from", "yesterday"]);
    assert_eq!(code, 2, "{text}");
    decided(folder.path());
    let (code, text) = refused(&["backtest", "--rules", &rules, "--against", "nothing"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no version"), "{text}");
    let late = ["backtest", "--rules", &rules, "--from", "2190-01-01"];
    let (code, text) = refused(&late);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("--tenant"), "{text}");
}

#[test]
fn the_bench_measures_what_it_has_compared() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "backtest",
        "--rules",
        "200",
        "--payments",
        "5000",
        "--json",
    ];
    let report = report(folder.path(), &arguments);
    let names: Vec<&str> = report["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|figure| figure["name"].as_str().unwrap())
        .collect();
    insta::assert_json_snapshot!("figures_of_bench_backtest", names);
    assert!(figure(&report, "backtest_200_5k_hits_per_row") > 0.0);
    assert!(figure(&report, "effect_payments") > 10_000.0);
}
