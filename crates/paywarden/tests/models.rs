//! `paywarden train`, `evaluate` and `model` over a small made-up file, and what is trained at work
//! in a server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    client_with,
    labelled::{DAYS, PER_DAY, file},
    paywarden, printed, serve,
};
use http::Method;
use paywarden::{child::ServerChild, client::Connection};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::Clock;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

fn figure(output: &Output, name: &str) -> f64 {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let figures = report["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.unwrap()["value"].as_f64().unwrap()
}

#[test]
fn a_model_is_trained_judged_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let train = |out: &str| {
        let flags = [
            "train",
            "--data",
            "a.csv",
            "--delay",
            "1d",
            "--warm-up-days",
            "10",
        ];
        let rest = [
            "--trees",
            "30",
            "--out",
            out,
            "--calibration",
            "c.json",
            "--matrix",
            "m.npy",
            "--report",
            "t.html",
            "--json",
        ];
        paywarden(folder, &[&flags[..], &rest].concat())
    };
    let trained = train("one.pwm");
    assert!((1.0..=30.0).contains(&figure(&trained, "trees")));
    is_a_report(folder, "t", figure(&trained, "later_rows"));
    train("two.pwm");
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(
        bytes("one.pwm") == bytes("two.pwm"),
        "the same file trains the same model"
    );
    let matrix = bytes("m.npy");
    assert!(matrix.starts_with(b"\x93NUMPY\x02\x00"));
    let header = 12 + u32::from_le_bytes(matrix[8..12].try_into().unwrap()) as usize;
    let record = "8399".len() + 8 + 8 + 1 + 8 * figure(&trained, "features") as usize;
    assert_eq!(header % 64, 0);
    assert_eq!(matrix.len(), header + (DAYS * PER_DAY) as usize * record);
    let map = paywarden_models::Calibration::read(&bytes("c.json")).unwrap();
    assert!(map.chance(5.0) > map.chance(-9.0));
    let shown = paywarden(folder, &["model", "show", "one.pwm", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let names = shown["features"].as_array().unwrap();
    assert!(
        names
            .iter()
            .any(|name| name == "terminal.fraud_share(1d..2d)")
    );
}

#[test]
fn later_payments_are_judged_by_what_was_known_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let evaluate = |more: &[&str]| {
        let flags = [
            "evaluate",
            "--data",
            "a.csv",
            "--delay",
            "1d",
            "--warm-up-days",
            "10",
        ];
        let rest = [
            "--trees",
            "30",
            "--test-from",
            "2018-05-31",
            "--json",
            "--protocol",
        ];
        paywarden(folder, &[&flags[..], &rest, more].concat())
    };
    let split = evaluate(&["timesplit"]);
    let (base, found) = (
        figure(&split, "frauds") / figure(&split, "scored"),
        figure(&split, "ap"),
    );
    assert!(found > 3.0 * base, "AP {found} where {base} are fraud");
    assert!(figure(&split, "ap_low") <= found && found <= figure(&split, "ap_high"));
    let closed = evaluate(&["timesplit", "--reports", "0.5", "--alerts", "0.05"]);
    assert!(figure(&closed, "loop_alert_rate") > 0.01);
    let handbook = evaluate(&["handbook"]);
    let [found, most] =
        ["", "_ceiling"].map(|end| figure(&handbook, &format!("card_precision_100{end}")));
    assert!(0.0 < found && found <= most);
    assert!(figure(&handbook, "scored") < figure(&split, "scored"));
    let cards = evaluate(&["cards", "--report", "r.html", "--matrix", "m.npy"]);
    let [scored, all] = [&cards, &split].map(|output| figure(output, "scored"));
    assert!((0.15..0.45).contains(&(scored / all)), "{scored} of {all}");
    let firsts = ["1", "2"].map(|rate| figure(&cards, &format!("first_fraud_alerted_at_{rate}")));
    assert!(0.0 <= firsts[0] && firsts[0] <= firsts[1] && firsts[1] <= 1.0);
    assert!(figure(&cards, "recall_of_ceiling_at_1") <= 1.0);
    assert!(
        fs::read(folder.join("m.npy"))
            .unwrap()
            .starts_with(b"\x93NUMPY")
    );
    is_a_report(folder, "r", scored);
}

/// One page that asks for nothing else, each picture with its numbers, and the same as JSON.
fn is_a_report(folder: &Path, name: &str, scored: f64) {
    let read = |end: &str| fs::read_to_string(folder.join(format!("{name}.{end}"))).unwrap();
    let (page, json) = (read("html"), read("json"));
    let json: Value = serde_json::from_str(&json).unwrap();
    let chapters = json["chapters"].as_array().unwrap();
    let names: Vec<&str> = chapters
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    let expected = [
        "precision_recall",
        "alert_rates",
        "scenarios",
        "calibration",
        "drift",
        "features",
    ];
    assert_eq!(names, expected);
    let facts = json["facts"].as_array().unwrap();
    let fact = facts
        .iter()
        .find(|fact| fact[0] == "payments scored")
        .unwrap();
    assert_eq!(fact[1], json!(scored.to_string()));
    for chapter in chapters {
        let (columns, rows) = (chapter["columns"].as_array(), chapter["rows"].as_array());
        let width = columns.unwrap().len();
        assert!(!rows.unwrap().is_empty(), "{}", chapter["name"]);
        assert!(
            rows.unwrap()
                .iter()
                .all(|row| row.as_array().unwrap().len() == width)
        );
    }
    assert_eq!(page.matches("role=\"img\"").count(), expected.len());
    assert_eq!(page.matches("<table>").count(), expected.len());
    for outside in [
        "http://", "https://", "src=", "url(", "<script", "@import", "NaN",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_model_is_compared_with_the_scores_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let text = fs::read_to_string(folder.join("a.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect())
        .collect();
    let judged = |line: &dyn Fn(&str, &str) -> String| {
        let lines = rows.iter().map(|row| line(row[0], row[5]) + "\n");
        let scores = format!("payment,score\n{}", lines.collect::<String>());
        fs::write(folder.join("scores.csv"), scores).unwrap();
        let flags = "evaluate --data a.csv --delay 1d --warm-up-days 10 --trees 30 --protocol \
                     timesplit --test-from 2018-05-31 --against scores.csv --json";
        paywarden(folder, &flags.split_whitespace().collect::<Vec<_>>())
    };
    let truth = judged(&|id, fraud| format!("{id},{fraud}"));
    assert!((figure(&truth, "ap_of_other") - 1.0).abs() < 1e-9);
    let (gain, high) = (figure(&truth, "ap_gain"), figure(&truth, "ap_gain_high"));
    assert!((gain - (figure(&truth, "ap") - 1.0)).abs() < 1e-4);
    assert!(gain <= high && high <= 0.0, "{gain} {high}");
    let blind = judged(&|id, _| format!("{id},0.5"));
    assert!(figure(&blind, "ap_gain_low") > 0.0);
    let refused = |line: &dyn Fn(&str, &str) -> String, why: &str| {
        let output = judged(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && said.contains(why),
            "{said}"
        );
    };
    refused(
        &|id, _| format!("{id},NaN"),
        "the score of payment 0 is no number",
    );
    refused(
        &|id, _| format!("{id},0.5\n{id},0.5"),
        "payment 0 is scored twice",
    );
    let gap = |id: &str, _: &str| format!("{},0.5", if id == "8000" { "x" } else { id });
    refused(&gap, "payment 8000 has no score");
    refused(&|id, _| id.to_owned(), "scores.csv: ");
}

#[test]
fn what_cannot_be_trained_on_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("a.csv");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        let output = paywarden(folder, &["train", "--data", "a.csv", "--out", "m"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!folder.join("m").exists());
        String::from_utf8(output.stderr)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let header = "tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n";
    let row = |time: &str| format!("1,2018-04-{time}T00:00:00Z,1,1,1.00,0,0\n");
    assert_eq!(refused(header), "error: the file has no rows");
    let turned = refused(&format!("{header}{}{}", row("02"), row("01")));
    assert_eq!(turned, "error: line 3: it lies before the row above");
    let broken = refused(&format!("{header}{}", row("32")));
    assert!(broken.starts_with("error: line 2: "), "{broken}");
    let genuine = refused(&format!("{header}{}{}", row("01"), row("02")));
    assert_eq!(
        genuine,
        "error: cannot train: all rows to learn from are of one kind"
    );
}

/// Whoever has a key of the server: by API, and by command.
struct Caller {
    key: PathBuf,
    connection: Connection,
}

impl Caller {
    fn new(server: &ServerChild, folder: &Path) -> Self {
        let tenant = TenantId::parse("acme").unwrap();
        let (id, private) = server.create_key(&tenant, "ed25519").unwrap();
        let key = folder.join(format!("{id}.pem"));
        fs::write(&key, &private).unwrap();
        Self {
            connection: client_with(server, &id, &private).connection(),
            key,
        }
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let (key, body) = (body["id"].as_str(), body.to_string().into());
        let sent = self.connection.send(Method::POST, path, body, key);
        let reply = sent.await.unwrap();
        let json: Value = serde_json::from_slice(&reply.body).unwrap();
        assert!(reply.status.is_success(), "{path} {json}");
        json
    }

    /// The verdict on a payment of a customer of its own.
    async fn decide(&mut self, id: &str, amount: &str) -> Value {
        let body = json!({
            "id": id,
            "type": "payment.card",
            "occurred_at": Clock::System.now().to_string(),
            "amount": { "value": amount, "currency": "USD" },
            "channel": "pos",
            "payer": { "id": format!("customer of {id}") },
            "merchant": { "id": "m", "terminal_id": id },
        });
        self.post("/v1/decisions", &body).await
    }

    async fn label(&mut self, id: &str, verdict: &str) {
        let body = json!({ "payment_id": id, "verdict": verdict, "source": "analyst" });
        self.post("/v1/labels", &body).await;
    }

    /// What a command says to the server.
    fn command(&self, server: &ServerChild, folder: &Path, arguments: &[&str]) -> String {
        let (url, ca) = (server.url(), server.ca_pem());
        let place = ["--url", &url, "--key", self.key.to_str().unwrap(), "--ca"];
        let place = [&place[..], &[ca.to_str().unwrap()]].concat();
        printed(folder, &[arguments, &place].concat())
    }
}

const POLICY: &str = r#"{"chances":[{"from_ppm":200000,"action":"review"}]}"#;

/// Where a share lies depends on how many days the test ran on: midnight may pass.
fn without_intervals(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.remove("low");
            members.remove("high");
            members.values_mut().for_each(without_intervals);
        }
        Value::Array(items) => items.iter_mut().for_each(without_intervals),
        _ => {}
    }
}

/// Trains two packages, lets the first decide by approval, asks the second beside, and takes the
/// first back: the model by command, the verdicts by API.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "a test tells one story")]
async fn what_is_trained_decides_is_compared_counted_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    for (out, trees) in [("one.pwp", "20"), ("two.pwp", "5")] {
        let flags = "train --data a.csv --delay 1d --warm-up-days 10 --trees";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        printed(folder, &[&flags[..], &[trees, "--out", out]].concat());
    }
    let server = serve(&folder.join("data"), &[]);
    let (mut maker, mut checker) = (Caller::new(&server, folder), Caller::new(&server, folder));
    let publish = |caller: &Caller, more: &[&str]| -> Value {
        let said = caller.command(&server, folder, &[&["model", "publish"], more].concat());
        serde_json::from_str(&said).unwrap()
    };
    let before = maker.decide("p0", "250.00").await;
    assert_eq!(
        (&before["outcome"], before.get("models")),
        (&json!("approve"), None)
    );

    let registered = publish(&maker, &["one.pwp", "--json"]);
    let one = registered["model"].as_str().unwrap().to_owned();
    assert_eq!(registered["places"], json!([]));
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let release = json!({
        "engine": "fraud", "model": one, "policy": policy, "control": { "one_in": 500 },
    });
    let ask = json!({ "command": { "model_release": release }, "reason": "as measured" });
    let asked = maker.post("/v1/approvals", &ask).await;
    let approval = asked["id"].as_str().unwrap();
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    checker
        .post(&format!("/v1/approvals/{approval}/votes"), &vote)
        .await;
    let live = publish(
        &maker,
        &[
            "one.pwp",
            "--control-one-in",
            "500",
            "--policy",
            POLICY,
            "--approval",
            approval,
            "--json",
        ],
    );
    assert_eq!(live["places"][0]["role"], "live");
    assert_eq!(live["places"][0]["control"], json!({ "one_in": 500 }));
    let beside = publish(&maker, &["two.pwp", "--shadow", "--json"]);
    let two = beside["model"].as_str().unwrap();
    assert_eq!(beside["places"][0]["role"], "shadow");

    let large = maker.decide("p1", "250.00").await;
    assert_eq!(large["outcome"], "review", "{large}");
    assert_eq!(
        (&large["models"][0]["model"], &large["models"][0]["action"]),
        (&json!(one), &json!("review"))
    );
    for (id, amount, outcome) in [
        ("p2", "20.00", "approve"),
        ("p3", "30.00", "approve"),
        ("p4", "250.00", "review"),
    ] {
        let verdict = maker.decide(id, amount).await;
        assert_eq!(verdict["outcome"], outcome, "{verdict}");
    }
    for (id, verdict) in [
        ("p1", "fraud"),
        ("p2", "genuine"),
        ("p3", "fraud"),
        ("p4", "genuine"),
    ] {
        maker.label(id, verdict).await;
    }
    let to = Timestamp::from_micros(Clock::System.now().micros() + DAY).to_string();
    let stretch = ["--from", "2020-01-01", "--to", &to];
    let report = |more: &[&str]| {
        maker.command(
            &server,
            folder,
            &[&["report", "prevention"], &stretch[..], more].concat(),
        )
    };
    let mut json: Value = serde_json::from_str(&report(&["--by", "model", "--json"])).unwrap();
    assert_eq!(json["parts"][0]["part"], json!(one));
    for when in ["from", "to", "as_of"] {
        assert!(json[when].is_string());
        json[when] = json!("a time");
    }
    json["parts"][0]["part"] = json!("the live model");
    without_intervals(&mut json);
    insta::assert_json_snapshot!("prevention", json);
    let text = report(&[]);
    assert!(text.contains("stopped 2 of 5 payments, 40.0 %"), "{text}");
    assert!(
        text.contains("stopped 250.00 of 280.00 attempted, 89.3 %"),
        "{text}"
    );

    let compared = maker.command(
        &server,
        folder,
        &[&["model", "compare", two, "--json"], &stretch[..]].concat(),
    );
    let compared: Value = serde_json::from_str(&compared).unwrap();
    assert_eq!(
        (&compared["payments"], &compared["frauds"]),
        (&json!(4), &json!(2))
    );
    assert!(
        compared["held_back"].as_str().unwrap().contains("20"),
        "{compared}"
    );

    let back = json!({ "engine": "fraud", "purpose": "too loud" });
    let back = maker.post("/v1/models/rollback", &back).await;
    assert_eq!(back["model"], json!(one));
    let after = maker.decide("p5", "250.00").await;
    assert_eq!(
        (&after["outcome"], after.get("models")),
        (&json!("approve"), None)
    );
}
