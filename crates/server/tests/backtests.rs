//! Back-tests and effects of conditions over the signed API.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};
use support::{Client, Sent, Setup, Signer, World, payment, unique};

/// A pack with one rule that declines every payment of at least ten dollars.
const PACK: &str = r#"
pack: ceiling
title: A ceiling
rules:
  - id: high
    title: The amount is high
    engine: fraud
    when: payment.amount_base >= money("10.00", "USD")
    score: 0
    action: decline
    reason: { code: high, text: The amount is high }
    source: test
    examples:
      - { hit: true, given: { payment.amount_base: 10.00 USD } }
      - { hit: false, given: { payment.amount_base: 0.01 USD } }
"#;

struct Desk {
    client: Client,
    signer: Signer,
}

impl Desk {
    async fn ask(&mut self, sent: Sent) -> (StatusCode, Value) {
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status, answer.json())
    }

    async fn post(&mut self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Sent::json(Method::POST, path, &body)).await
    }

    async fn get(&mut self, path: &str) -> (StatusCode, Value) {
        self.ask(Sent::new(Method::GET, path, "")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_test_is_started_followed_and_read_and_an_effect_is_known_at_once() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut desk = Desk {
        client: world.client(true).await,
        signer,
    };
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(unique("p"));
        let (status, _) = desk
            .ask(Sent::decision(&payment(&ids[ids.len() - 1])))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    let label = json!({ "payment_id": ids[1], "verdict": "fraud", "source": "analyst" });
    assert_eq!(desk.post("/v1/labels", label).await.0, StatusCode::CREATED);
    let draft = json!({
        "packs": [{ "file": "ceiling.yaml", "text": PACK }],
        "from": "base",
        "purpose": "try a ceiling",
    });
    let (status, drafted) = desk.post("/v1/rule-sets", draft).await;
    assert_eq!(status, StatusCode::CREATED, "{drafted}");
    let version = drafted["version"].as_str().unwrap().to_owned();

    let path = format!("/v1/rule-sets/{version}/backtests");
    let order = json!({ "against": "live", "purpose": "before it decides" });
    let (status, started) = desk.post(&path, order).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    let place = format!("{path}/{}", started["id"].as_str().unwrap());
    let done = loop {
        let (status, seen) = desk.get(&place).await;
        assert_eq!(status, StatusCode::OK, "{seen}");
        if ["done", "failed"].contains(&seen["state"].as_str().unwrap()) {
            break seen;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    let report = &done["report"];
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(
        (
            &report["payments"]["payments"],
            &report["payments"]["fraud"]
        ),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        (&report["stopped"]["payments"], &report["stopped"]["recall"]),
        (&json!(3), &json!(1.0))
    );
    let change = &report["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("approve"), &json!("decline"))
    );
    assert_eq!(change["samples"], json!(ids));
    let (_, record) = desk.get(&format!("/v1/rule-sets/{version}")).await;
    assert_eq!(record["state"], "back_tested");

    let expression = json!({ "expression": "payment.amount_base > money(\"10.00\", \"USD\")" });
    let (status, effect) = desk.post("/v1/rules/effect", expression).await;
    assert_eq!(status, StatusCode::OK, "{effect}");
    assert_eq!(
        (&effect["fired"]["payments"], &effect["fired"]["fraud"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(effect["samples"].as_array().unwrap().len(), 3);

    let wrong = json!({ "expression": "payment.amont_base > 1" });
    let (status, refused) = desk.post("/v1/rules/effect", wrong).await;
    assert_eq!(
        (status.as_u16(), &refused["code"]),
        (422, &json!("condition_refused"))
    );
    let found = &refused["diagnostics"][0];
    assert_eq!(
        (&found["place"]["start"], &found["place"]["end"]),
        (&json!(0), &json!(18))
    );
    assert!(
        found["hint"]
            .as_str()
            .unwrap()
            .contains("payment.amount_base")
    );

    let empty = json!({ "from": "2190-01-01T00:00:00Z", "purpose": "nothing there" });
    let (_, late) = desk.post(&path, empty).await;
    let place = format!("{path}/{}", late["id"].as_str().unwrap());
    loop {
        let (_, seen) = desk.get(&place).await;
        if seen["state"] == "failed" {
            assert_eq!(seen["error"], "history_empty");
            break;
        }
        assert_ne!(seen["state"], "done");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (status, unknown) = desk.get(&format!("{path}/bt_0")).await;
    assert_eq!(
        (status.as_u16(), &unknown["code"]),
        (404, &json!("backtest_unknown"))
    );
}
