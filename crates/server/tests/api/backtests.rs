//! Back-tests and effects of conditions over the signed API.

use crate::support::{Client, Sent, Setup, Signer, World, payment, unique};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::BacktestRow;
use serde_json::{Value, json};

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
    async fn open(world: &World) -> Self {
        Self {
            client: world.client(true).await,
            signer: world.signer("acme", Ed25519).await,
        }
    }

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

    /// Three payments of 12.34 dollars, the second of them fraud.
    async fn decided(&mut self) -> Vec<String> {
        let ids: Vec<String> = (0..3).map(|_| unique("p")).collect();
        for id in &ids {
            let (status, _) = self.ask(Sent::decision(&payment(id))).await;
            assert_eq!(status, StatusCode::OK);
        }
        let label = json!({ "payment_id": ids[1], "verdict": "fraud", "source": "analyst" });
        assert_eq!(self.post("/v1/labels", label).await.0, StatusCode::CREATED);
        ids
    }

    /// A draft of the library and the ceiling.
    async fn drafted(&mut self) -> String {
        let draft = json!({
            "packs": [{ "file": "ceiling.yaml", "text": PACK }],
            "from": "base",
            "purpose": "try a ceiling",
        });
        let (status, drafted) = self.post("/v1/rule-sets", draft).await;
        assert_eq!(status, StatusCode::CREATED, "{drafted}");
        drafted["version"].as_str().unwrap().to_owned()
    }

    /// Starts a back-test and waits for its end.
    async fn back_tested(&mut self, version: &str, order: Value) -> Value {
        let path = format!("/v1/rule-sets/{version}/backtests");
        let (status, started) = self.post(&path, order).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{started}");
        let place = format!("{path}/{}", started["id"].as_str().unwrap());
        loop {
            let (status, seen) = self.get(&place).await;
            assert_eq!(status, StatusCode::OK, "{seen}");
            if ["done", "failed"].contains(&seen["state"].as_str().unwrap()) {
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// Members of a document, side by side.
fn members(json: &Value, names: [&str; 2]) -> [Value; 2] {
    names.map(|name| json[name].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_test_is_started_followed_and_read() {
    let world = World::start(Setup::default()).await;
    let mut desk = Desk::open(&world).await;
    let ids = desk.decided().await;
    let version = desk.drafted().await;
    let order = json!({ "against": "live", "purpose": "before it decides" });
    let done = desk.back_tested(&version, order).await;
    let report = &done["report"];
    assert_eq!(done["state"], "done", "{done}");
    let payments = members(&report["payments"], ["payments", "fraud"]);
    assert_eq!(payments, [json!(3), json!(1)]);
    let stopped = members(&report["stopped"], ["payments", "recall"]);
    assert_eq!(stopped, [json!(3), json!(1.0)]);
    let change = &report["changes"][0];
    let outcomes = members(change, ["before", "after"]);
    assert_eq!(outcomes, [json!("approve"), json!("decline")]);
    assert_eq!(change["samples"], json!(ids));
    let (_, record) = desk.get(&format!("/v1/rule-sets/{version}")).await;
    assert_eq!(record["state"], "back_tested");

    let empty = json!({ "from": "2190-01-01T00:00:00Z", "purpose": "nothing there" });
    let late = desk.back_tested(&version, empty).await;
    let failed = members(&late, ["state", "error"]);
    assert_eq!(failed, [json!("failed"), json!("history_empty")]);
    let unknown = format!("/v1/rule-sets/{version}/backtests/bt_0");
    let (status, unknown) = desk.get(&unknown).await;
    assert_eq!(
        (status.as_u16(), &unknown["code"]),
        (404, &json!("backtest_unknown"))
    );
}

/// What a server that was killed leaves of a back-test.
fn broken_off(tenant: &str, version: &str) -> BacktestRow {
    BacktestRow {
        id: "bt_killed".to_owned(),
        tenant: TenantId::parse(tenant).unwrap(),
        rule_set: version.to_owned(),
        asked_at: Timestamp::from_micros(1),
        state: "asked".to_owned(),
        outcome: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_back_tests_outlive_a_restart_and_what_broke_off_is_asked_again() {
    let world = World::start(Setup::default()).await;
    let mut desk = Desk::open(&world).await;
    desk.decided().await;
    let version = desk.drafted().await;
    let path = format!("/v1/rule-sets/{version}/backtests");
    let order = json!({ "against": "live", "purpose": "before it decides" });
    let done = desk.back_tested(&version, order.clone()).await;
    let row = broken_off("acme", &version);
    world.journal.keep_backtest(row).await.unwrap();

    let world = world.restart(Setup::default()).await;
    let mut desk = Desk::open(&world).await;
    let place = format!("{path}/{}", done["id"].as_str().unwrap());
    assert_eq!(desk.get(&place).await, (StatusCode::OK, done.clone()));
    let (_, killed) = desk.get(&format!("{path}/bt_killed")).await;
    let seen = members(&killed, ["state", "report"]);
    assert_eq!(seen, [json!("interrupted"), Value::Null]);
    let (_, list) = desk.get(&path).await;
    let states = ["/0/state", "/1/state"].map(|place| list["backtests"].pointer(place).cloned());
    assert_eq!(
        states,
        ["done", "interrupted"].map(|state| Some(json!(state)))
    );
    // Another company sees none of it, under no name.
    let stranger = world.signer("other", Ed25519).await;
    let foreign = desk
        .client
        .signed(&stranger, Sent::new(Method::GET, &place, ""));
    assert_eq!(foreign.await.json()["code"], "backtest_unknown");
    for version in [version.as_str(), "live", "base"] {
        let path = format!("/v1/rule-sets/{version}/backtests");
        let foreign = desk
            .client
            .signed(&stranger, Sent::new(Method::GET, &path, ""));
        assert_eq!(foreign.await.json(), json!({ "backtests": [] }));
    }
    // The oldest leave: what broke off with the eleventh after it, what was done with the twelfth.
    for asked in 1..=12 {
        let again = desk.back_tested(&version, order.clone()).await;
        assert_eq!(again["state"], "done");
        let is_there = desk.get(&place).await.0 == StatusCode::OK;
        let broken_off_is_there = desk.get(&format!("{path}/bt_killed")).await.0 == StatusCode::OK;
        assert_eq!((is_there, broken_off_is_there), (asked < 12, asked < 11));
    }
    let (_, list) = desk.get(&path).await;
    assert_eq!(list["backtests"].as_array().unwrap().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_effect_of_a_condition_is_known_at_once_or_its_mistakes_are() {
    let world = World::start(Setup::default()).await;
    let mut desk = Desk::open(&world).await;
    desk.decided().await;
    let expression = json!({ "expression": "payment.amount_base > money(\"10.00\", \"USD\")" });
    let (status, effect) = desk.post("/v1/rules/effect", expression).await;
    assert_eq!(status, StatusCode::OK, "{effect}");
    let fired = members(&effect["fired"], ["payments", "fraud"]);
    assert_eq!(fired, [json!(3), json!(1)]);
    assert_eq!(effect["samples"].as_array().unwrap().len(), 3);

    let wrong = json!({ "expression": "payment.amont_base > 1" });
    let (status, refused) = desk.post("/v1/rules/effect", wrong).await;
    assert_eq!(
        (status.as_u16(), &refused["code"]),
        (422, &json!("condition_refused"))
    );
    let found = &refused["diagnostics"][0];
    assert_eq!(
        members(&found["place"], ["start", "end"]),
        [json!(0), json!(18)]
    );
    assert!(
        found["hint"]
            .as_str()
            .unwrap()
            .contains("payment.amount_base")
    );
}
