//! Labels of many payments at once: an answer for each line, and nothing counted twice.

use crate::support::{Client, Sent, Setup, Signer, World, payment};
use http::Method;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_store::Verdict;
use serde_json::{Value, json};

const CSV: &str = "/v1/labels/batch?format=csv";
const LINES: &str = "/v1/labels/batch?format=jsonl";

struct Desk {
    world: World,
    client: Client,
    signer: Signer,
}

impl Desk {
    /// An installation with so many decided payments, `pay-1` and so on.
    async fn open(payments: usize) -> Self {
        let world = World::start(Setup::default()).await;
        let mut desk = Self {
            client: world.client(true).await,
            signer: world.signer("acme", Ed25519).await,
            world,
        };
        for number in 1..=payments {
            let sent = Sent::decision(&payment(&format!("pay-{number}")));
            let answer = desk.client.signed(&desk.signer, sent).await;
            assert_eq!(answer.status, 200, "{}", answer.json());
        }
        desk
    }

    async fn send(&mut self, path: &str, body: &str) -> Value {
        let sent = Sent::new(Method::POST, path, body.to_owned());
        let sent = sent.header("content-type", "text/csv");
        self.client.signed(&self.signer, sent).await.json()
    }

    async fn labels(&mut self, payment: &str) -> usize {
        let path = format!("/v1/payments/{payment}/labels");
        let sent = Sent::new(Method::GET, &path, "");
        let list = self.client.signed(&self.signer, sent).await.json();
        list["labels"].as_array().unwrap().len()
    }
}

/// The state and the code of each line.
fn states(answer: &Value) -> Vec<(u64, String)> {
    let lines = answer["lines"].as_array().unwrap().iter();
    let state = |line: &Value| {
        let said = line["code"].as_str().or(line["state"].as_str()).unwrap();
        (line["line"].as_u64().unwrap(), said.to_owned())
    };
    lines.map(state).collect()
}

fn of<const N: usize>(lines: [(u64, &str); N]) -> Vec<(u64, String)> {
    lines.map(|(line, said)| (line, said.to_owned())).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_has_its_answer_and_the_same_file_again_adds_nothing() {
    let mut desk = Desk::open(3).await;
    let file = "\u{feff}payment_id,verdict,source,occurred_at\n\
        pay-1,fraud,chargeback,2026-01-02T03:04:05Z\n\
        pay-2,genuine,analyst,\n\
        none,fraud,analyst,\n\
        pay-3,stolen,analyst,\n\
        pay-3,fraud\n\
        \"pay-2\",fraud,customer_report,\n";
    let first = desk.send(CSV, file).await;
    let refused = [
        (4, "payment_unknown"),
        (5, "field_invalid"),
        (6, "field_invalid"),
    ];
    let added = [(2, "added"), (3, "added"), (7, "added")];
    let mut expected = of([
        added[0], added[1], refused[0], refused[1], refused[2], added[2],
    ]);
    assert_eq!(states(&first), expected, "{first}");
    let counts = |answer: &Value| {
        ["added", "known", "refused", "contradicting"].map(|name| answer[name].as_u64().unwrap())
    };
    assert_eq!(counts(&first), [3, 0, 3, 1]);
    assert_eq!(first["lines"][5]["contradicts"], "genuine");

    let again = desk.send(CSV, file).await;
    for (_, said) in expected.iter_mut().filter(|(_, said)| said == "added") {
        *said = "known".to_owned();
    }
    assert_eq!(states(&again), expected);
    assert_eq!(counts(&again), [0, 3, 3, 2]);
    assert_eq!(
        (first["lines"][0]["seq"].clone(), 1),
        (again["lines"][0]["seq"].clone(), desk.labels("pay-1").await)
    );
    assert_eq!(desk.labels("pay-2").await, 2);
    let verdict = desk.world.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_file_that_comes_twice_at_once_each_label_is_there_once() {
    let mut desk = Desk::open(40).await;
    let line = |number: usize| {
        json!({ "payment_id": format!("pay-{number}"), "verdict": "fraud", "source": "analyst" })
            .to_string()
    };
    let file: Vec<String> = (1..=40).map(line).collect();
    let file = file.join("\n");
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let (mut client, file) = (desk.world.client(true).await, file.clone());
        let signer = desk.world.signer("acme", Ed25519).await;
        tasks.push(tokio::spawn(async move {
            let sent = Sent::new(Method::POST, LINES, file);
            let sent = sent.header("content-type", "application/x-ndjson");
            client.signed(&signer, sent).await.json()
        }));
    }
    let mut added = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer["refused"], 0, "{answer}");
        added += answer["added"].as_u64().unwrap();
    }
    assert_eq!(added, 40);
    for number in 1..=40 {
        assert_eq!(desk.labels(&format!("pay-{number}")).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_labels_is_refused_as_a_whole() {
    let mut desk = Desk::open(1).await;
    let many = "{}\n".repeat(10_001);
    let long = "x".repeat(4 * 1024 * 1024 + 1);
    for (path, body, code) in [
        (CSV, "payment_id,verdict,source,card\n", "field_invalid"),
        (CSV, "payment_id,payment_id\n", "field_invalid"),
        (CSV, "payment_id,verdict,source\n", "field_invalid"),
        (LINES, "\n \n", "field_invalid"),
        (LINES, &many, "field_invalid"),
        (LINES, &long, "body_too_large"),
        ("/v1/labels/batch", "{}", "parameter_invalid"),
        ("/v1/labels/batch?format=xml", "{}", "parameter_invalid"),
    ] {
        assert_eq!(desk.send(path, body).await["code"], code, "{path}");
    }
    let bad = "{\"payment_id\":\"pay-1\"\n[]\n{\"payment_id\":\"pay-1\",\"verdict\":\"fraud\",\
        \"source\":\"analyst\",\"known_at\":\"2026-01-01T00:00:00Z\"}\n\u{0}\n";
    let answer = desk.send(LINES, bad).await;
    let codes = [
        (1, "json_malformed"),
        (2, "field_invalid"),
        (3, "known_at_refused"),
        (4, "json_malformed"),
    ];
    assert_eq!(states(&answer), of(codes), "{answer}");
    assert_eq!(desk.labels("pay-1").await, 0);

    let reader = Scopes::of(&[Scope::DecisionsRead]);
    let reader = desk.world.signer_with("acme", Ed25519, reader).await;
    let other = desk.world.signer("other", Ed25519).await;
    let line = json!({ "payment_id": "pay-1", "verdict": "fraud", "source": "analyst" });
    let sent = || {
        let sent = Sent::new(Method::POST, LINES, line.to_string());
        sent.header("content-type", "application/octet-stream")
    };
    let answer = desk.client.signed(&reader, sent()).await;
    assert_eq!(answer.code(), "scope_insufficient");
    let answer = desk.client.signed(&other, sent()).await;
    assert_eq!(states(&answer.json()), of([(1, "payment_unknown")]));
    assert_eq!(desk.labels("pay-1").await, 0);
}
