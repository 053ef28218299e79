//! Risk ratings of customers: by what is said of them and what is found, with their history, an
//! approved override, and the rules that read them.

use crate::support::{Client, Sent, Setup, Signer, World, now, payment, unique};
use http::Method;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_server::api::Route;
use serde_json::{Value, json};

/// A rule that reads the rating, and one that lists of customers decide.
const RULES: &str = r#"
pack: rated
title: Rules of the tests
description: A rule that reads the rating.
rules:
  - id: high
    title: High risk
    engine: laundering
    when: customer.risk_rating == "high" && customer.risk_score >= 30
    score: 450
    reason: { code: high_risk, text: High risk }
    source: test
    examples:
      - { hit: true, name: high, given: { customer.risk_rating: high, customer.risk_score: 60 } }
      - { hit: false, name: low, given: { customer.risk_rating: low, customer.risk_score: 0 } }
      - { hit: false, name: not rated, given: { event.type: login } }
  - id: launderer
    title: Launderer
    engine: laundering
    when: customer in lists.launderers
    score: 400
    action: review
    reason: { code: launderer, text: Launderer }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.launderers: true } }
      - { hit: false, name: not listed, given: { lists.launderers: false } }
"#;

struct Desk {
    world: World,
    client: Client,
    signer: Signer,
}

impl Desk {
    async fn open() -> Self {
        Self::of(World::start(setup()).await).await
    }

    async fn of(world: World) -> Self {
        Self {
            client: world.client(true).await,
            signer: world.signer("acme", Ed25519).await,
            world,
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let sent = match method {
            Method::GET => Sent::new(method, path, ""),
            method => Sent::json(method, path, body),
        };
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status.as_u16(), answer.json())
    }

    async fn done(&mut self, method: Method, path: &str, body: &Value) -> Value {
        let (status, json) = self.send(method, path, body).await;
        assert!(status < 300, "{path}: {json}");
        json
    }

    async fn get(&mut self, path: &str) -> Value {
        self.done(Method::GET, path, &Value::Null).await
    }

    async fn profile(&mut self, reference: &str, profile: &Value) -> Value {
        let body = json!({ "reference": reference, "profile": profile });
        self.done(Method::PUT, "/v1/customer-ratings", &body).await
    }

    async fn pay(&mut self, customer: &str) -> Value {
        let mut payment = payment(&unique("pay-"));
        payment["payer"]["id"] = json!(customer);
        let answer = self.client.signed(&self.signer, Sent::decision(&payment));
        let answer = answer.await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    /// The codes of the laundering engine's reasons.
    async fn reasons(&mut self, customer: &str) -> Vec<String> {
        let decided = self.pay(customer).await;
        let fired = decided["laundering"]["fired"].as_array().unwrap().iter();
        fired
            .map(|rule| rule["rule"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Asks for another rating, has somebody else vote, and carries it out.
    async fn overridden(&mut self, customer: &Value, rating: &str, until: Timestamp) -> Value {
        let asked = self.ask(customer, rating, until).await;
        assert_eq!(asked.0, 201, "{}", asked.1);
        let path = format!("/v1/approvals/{}", asked.1["id"].as_str().unwrap());
        let execution = format!("{path}/execution");
        let alone = self
            .send(Method::POST, &execution, &json!({ "purpose": "p" }))
            .await;
        assert_eq!(alone.1["code"], "approval_votes");
        let scopes = [
            Scope::ApprovalsVote,
            Scope::ApprovalsRead,
            Scope::RatingsRead,
            Scope::RatingsWrite,
        ];
        let scopes = Scopes::of(&scopes);
        let checker = self.world.signer_with("acme", Ed25519, scopes).await;
        let vote = json!({
            "vote": "approve", "payload_sha256": asked.1["payload_sha256"], "reason": "seen",
        });
        let vote = Sent::json(Method::POST, &format!("{path}/votes"), &vote);
        let voted = self.client.signed(&checker, vote).await;
        assert_eq!(voted.status, 200, "{}", voted.json());
        self.done(Method::POST, &execution, &json!({ "purpose": "p" }))
            .await
    }

    async fn ask(&mut self, customer: &Value, rating: &str, until: Timestamp) -> (u16, Value) {
        let asked = json!({
            "customer": customer, "rating": rating, "expires_at": until, "reason": "known for years",
        });
        let body = json!({ "command": { "rating_override": asked }, "reason": "known for years" });
        self.send(Method::POST, "/v1/approvals", &body).await
    }
}

fn setup() -> Setup {
    Setup {
        rules: Some(RULES),
        ..Setup::default()
    }
}

fn harmless() -> Value {
    json!({
        "kind": "person", "countries": ["DE"], "products": ["account"], "channels": ["branch"],
        "politically_exposed": false, "due_diligence": 2, "since": "2019-01-01T00:00:00Z",
    })
}

fn place(rated: &Value) -> String {
    let customer = rated["customer"].as_str().unwrap();
    format!(
        "/v1/customer-ratings/{}",
        customer.strip_prefix("customer:").unwrap()
    )
}

fn in_days(days: i64) -> Timestamp {
    Timestamp::from_micros(now().micros() + days * DAY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_is_explained_read_by_rules_and_outlives_a_restart() {
    let mut desk = Desk::open().await;
    assert_eq!(desk.reasons("cust-1").await, Vec::<String>::new());
    let low = desk.profile("cust-1", &harmless()).await;
    assert_eq!(
        (&low["rating"], &low["assessment"]["score"]),
        (&json!("low"), &json!(0))
    );
    assert_eq!(desk.reasons("cust-1").await, Vec::<String>::new());

    let mut exposed = harmless();
    exposed["politically_exposed"] = json!(true);
    let high = desk.profile("cust-1", &exposed).await;
    assert_eq!(
        (&high["rating"], &high["version"]),
        (&json!("high"), &json!(2))
    );
    let kind = &high["assessment"]["factors"][1];
    assert_eq!(kind["factor"], "customer_type");
    let fact = &kind["contributions"][0];
    assert_eq!(
        (
            &fact["fact"],
            &fact["value"],
            &fact["points"],
            &fact["at_least"]
        ),
        (
            &json!("politically_exposed"),
            &json!("yes"),
            &json!(30),
            &json!("high")
        )
    );
    assert_eq!(desk.reasons("cust-1").await, ["rated.high"]);
    // What a decision saw stands with it: the explanation of today says the same.
    let decided = desk.pay("cust-1").await;
    let path = format!(
        "/v1/decisions/{}/explanation?rule=rated.high",
        decided["id"].as_str().unwrap()
    );
    desk.profile("cust-1", &harmless()).await;
    let explained = desk.get(&path).await;
    assert_eq!(explained["holds"], true, "{explained}");

    let mut desk = Desk::of(desk.world.restart(setup()).await).await;
    let now = desk.get(&place(&low)).await;
    assert_eq!(
        (&now["rating"], &now["version"]),
        (&json!("low"), &json!(3))
    );
    let history = desk.get(&format!("{}/history", place(&low))).await;
    let ratings = history["ratings"].as_array().unwrap().iter();
    let ratings: Vec<&Value> = ratings.map(|one| &one["rating"]).collect();
    assert_eq!(ratings, [&json!("low"), &json!("high"), &json!("low")]);
    let last = desk.get(&format!("{}/history?before=2", place(&low))).await;
    assert_eq!(last["ratings"].as_array().unwrap().len(), 1);
    assert_eq!(last["next_before"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_turn_out_to_be_rates_their_customers_once() {
    let mut desk = Desk::open().await;
    desk.profile("cust-1", &harmless()).await;
    let entry = json!({ "value": "cust-1", "reason": "of a test" });
    desk.done(Method::PUT, "/v1/lists/launderers/entries", &entry)
        .await;
    desk.pay("cust-1").await;
    desk.world.dispatch().await;
    let alerts = desk.get("/v1/alerts?queue=laundering").await;
    let alert = alerts["alerts"][0]["id"].as_str().unwrap().to_owned();
    let closing =
        json!({ "closing": { "disposition": "suspicious_reported", "reason": "mule_account" } });
    desk.done(
        Method::POST,
        &format!("/v1/alerts/{alert}/closing"),
        &closing,
    )
    .await;
    // Handed on twice, as after a dispatcher that was killed in between.
    desk.world.hand_on().await;
    desk.world.dispatch().await;
    let low = desk.profile("other", &harmless()).await;
    assert_eq!(low["rating"], "low");
    let rows = desk.get("/v1/customer-ratings?rating=high").await;
    assert_eq!(rows["counts"], json!([1, 0, 1, 0]));
    let customer = &rows["customers"][0];
    let rated = desk.get(&place(customer)).await;
    assert_eq!(
        (&rated["version"], &rated["cause"]),
        (&json!(2), &json!("signal"))
    );
    assert_eq!(rated["signals"].as_array().unwrap().len(), 1);
    assert_eq!(rated["signals"][0]["kind"], "reported_alert");
    assert_eq!(rated["by"], "system:rating");
    assert!(
        desk.reasons("cust-1")
            .await
            .contains(&"rated.high".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_list_counts_as_long_as_it_may_mean_them() {
    let mut desk = Desk::open().await;
    let list = |entries: &str| {
        let path = "/v1/screening-lists/un/versions?format=csv&kind=sanctions";
        let others = (0..30).map(|id| format!("f{id},Veryan Oddname\n"));
        let csv = format!("id,name\n{}{entries}", others.collect::<String>());
        Sent::new(Method::POST, path, csv).header("content-type", "text/csv")
    };
    let import = desk.client.signed(&desk.signer, list("")).await;
    assert_eq!(import.status, 200, "{}", import.json());
    let watch = json!({
        "purpose": "aml_compliance",
        "party": { "reference": "cust-1", "name": "Quillon Strangebrook" },
    });
    desk.done(Method::PUT, "/v1/screening-parties", &watch)
        .await;
    let rated = desk.profile("cust-1", &harmless()).await;
    assert_eq!(rated["rating"], "low");

    // The list changes, the party is screened again, and its customer is rated anew.
    let import = list("q1,Quillon Strangebrook\n");
    let import = desk.client.signed(&desk.signer, import).await;
    assert_eq!(import.status, 200, "{}", import.json());
    let tenant = TenantId::parse("acme").unwrap();
    let (engine, vault) = (&desk.world.engine, &desk.world.vault);
    let round = paywarden_server::rescreen::round(engine, vault, &tenant);
    assert_eq!(round.await.unwrap(), 1);
    desk.world.dispatch().await;
    let hit = desk.get(&place(&rated)).await;
    assert_eq!(
        (&hit["rating"], &hit["signals"][0]["kind"]),
        (&json!("high"), &json!("sanctions_hit"))
    );
    assert_eq!(hit["signals"][0]["id"], "un:q1");

    // Nobody may make it less while the entry stands; once it is cleared it counts no more.
    let lower = desk.ask(&rated["customer"], "low", in_days(30)).await;
    assert_eq!((lower.0, &lower.1["code"]), (409, &json!("rating_floor")));
    let import = desk.client.signed(&desk.signer, list("")).await;
    assert_eq!(import.status, 200, "{}", import.json());
    let (engine, vault) = (&desk.world.engine, &desk.world.vault);
    paywarden_server::rescreen::round(engine, vault, &tenant)
        .await
        .unwrap();
    desk.world.dispatch().await;
    let after = desk.get(&place(&rated)).await;
    assert_eq!(
        (&after["rating"], &after["signals"]),
        (&json!("low"), &json!([]))
    );
    assert_eq!(after["version"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_takes_two_ends_by_itself_and_bad_input_is_refused() {
    let mut desk = Desk::open().await;
    let rated = desk.profile("cust-1", &harmless()).await;
    let until = Timestamp::from_micros(now().micros() + 1_500_000);
    desk.overridden(&rated["customer"], "high", until).await;
    let set = desk.get(&place(&rated)).await;
    assert_eq!(
        (
            &set["rating"],
            &set["assessment"]["rating"],
            &set["overridden"]["rating"]
        ),
        (&json!("high"), &json!("low"), &json!("high"))
    );
    let rows = desk.get("/v1/customer-ratings?overridden=true").await;
    assert_eq!(rows["customers"].as_array().unwrap().len(), 1);
    while now() < until {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(desk.world.engine.rate_due().await.unwrap(), 1);
    assert_eq!(desk.world.engine.rate_due().await.unwrap(), 0);
    let after = desk.get(&place(&rated)).await;
    assert_eq!(
        (&after["rating"], &after["cause"], &after["overridden"]),
        (&json!("low"), &json!("override_end"), &Value::Null)
    );
    let review = json!({ "reason": "passport seen again" });
    let path = format!("{}/review", place(&rated));
    let reviewed = desk.done(Method::POST, &path, &review).await;
    assert_eq!(
        (&reviewed["cause"], &reviewed["reason"]),
        (&json!("review"), &review["reason"])
    );

    let far = desk.ask(&rated["customer"], "high", in_days(400)).await;
    assert_eq!((far.0, &far.1["code"]), (422, &json!("rating_malformed")));
    let nobody = json!("customer:00000000000000aa");
    let unknown = desk.ask(&nobody, "high", in_days(3)).await;
    assert_eq!(unknown.1["code"], "customer_not_rated");
    for (profile, code) in [
        (json!({ "kind": "martian" }), "field_invalid"),
        (json!({ "countries": ["XX"] }), "country_unknown"),
        (json!({ "shoe": 1 }), "field_unknown"),
        (json!({ "products": ["Big Words"] }), "rating_malformed"),
        (json!({ "due_diligence": 4 }), "rating_malformed"),
        (
            json!({ "channels": (0..17).map(|n| format!("c{n}")).collect::<Vec<_>>() }),
            "rating_malformed",
        ),
        (json!({ "since": in_days(2) }), "rating_malformed"),
    ] {
        let body = json!({ "reference": "cust-2", "profile": profile });
        let (status, json) = desk.send(Method::PUT, "/v1/customer-ratings", &body).await;
        assert_eq!(
            (status, &json["code"]),
            (422, &json!(code)),
            "{profile} {json}"
        );
    }
}

/// What another company may ask of these routes. `0…aa` is nobody's.
pub fn walk(route: &Route) -> (Sent, &'static str) {
    let path = route.path.replace("{id}", "00000000000000aa");
    match (route.method.as_str(), route.path) {
        ("PUT", _) => (
            Sent::json(
                Method::PUT,
                &path,
                &json!({ "reference": "theirs", "profile": {} }),
            ),
            "own",
        ),
        ("POST", _) => (
            Sent::json(Method::POST, &path, &json!({ "reason": "r" })),
            "customer_not_rated",
        ),
        (_, "/v1/customer-ratings" | "/v1/rating-policy") => {
            (Sent::new(Method::GET, &path, ""), "own")
        }
        _ => (Sent::new(Method::GET, &path, ""), "customer_not_rated"),
    }
}
