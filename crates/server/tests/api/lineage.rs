//! Where the data of a person went, from the vault to whom it was told.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

use crate::support::{Client, Sent, Setup, Signer, World, payment, unique};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_store::Verdict;
use serde_json::{Value, json};

const RULES: &str = r#"
pack: lineage
title: Rules of the tests
description: A list of customers decides.
rules:
  - id: suspect
    title: Suspect
    engine: fraud
    when: customer in lists.suspects
    score: 400
    action: review
    reason: { code: suspect, text: Suspect }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.suspects: true } }
      - { hit: false, name: not listed, given: { lists.suspects: false } }
"#;

struct Desk {
    world: World,
    client: Client,
    maker: Signer,
    checker: Signer,
}

impl Desk {
    async fn open() -> Self {
        let setup = Setup {
            rules: Some(RULES),
            ..Setup::default()
        };
        let world = World::start(setup).await;
        let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
        Self {
            client: world.client(true).await,
            maker: world.signer_with("acme", Ed25519, Scopes::all()).await,
            checker: world.signer_with("acme", Ed25519, votes).await,
            world,
        }
    }

    async fn send(&mut self, sent: Sent) -> Value {
        let answer = self.client.signed(&self.maker, sent).await;
        assert!(answer.status.is_success(), "{}", answer.json());
        answer.json()
    }

    async fn get(&mut self, path: &str) -> Value {
        self.send(Sent::new(Method::GET, path, "")).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.send(Sent::json(Method::POST, path, &body)).await
    }

    async fn carried_out(&mut self, command: Value) -> (String, Value) {
        let body = json!({ "command": command, "reason": "of a test" });
        let asked = self.post("/v1/approvals", body).await;
        let id = asked["id"].as_str().unwrap().to_owned();
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let path = format!("/v1/approvals/{id}");
        let sent = Sent::json(Method::POST, &format!("{path}/votes"), &vote);
        let voted = self.client.signed(&self.checker, sent).await;
        assert_eq!(voted.status, StatusCode::OK, "{}", voted.json());
        let purpose = json!({ "purpose": "aml_compliance" });
        let done = self.post(&format!("{path}/execution"), purpose).await;
        (id, done)
    }

    /// Has a payment decided; the decision.
    async fn pay(&mut self, payer: Value, payee: Value) -> String {
        let mut payment = payment(&unique("pay-"));
        payment["payer"] = payer;
        payment["payee"] = payee;
        let decided = self.send(Sent::decision(&payment)).await;
        decided["id"].as_str().unwrap().to_owned()
    }

    /// Hands on what happened, to the desk of alerts and to webhooks.
    async fn tell(&self) {
        while let batch = self.world.hand_on().await
            && !batch.is_empty()
        {
            self.world.notify.feed.take(&batch).await.unwrap();
            let seqs: Vec<i64> = batch.iter().map(|item| item.seq).collect();
            self.world.journal.outbox_ack("test", &seqs).await.unwrap();
        }
    }

    async fn subject(&mut self, named: &str) -> String {
        let search = json!({ "purpose": "fraud_prevention", "by": { "subject": named } });
        let found = self.post("/v1/vault/search", search).await;
        found["records"][0]["subject"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_a_person_is_followed_to_decisions_cases_exports_and_webhooks() {
    let mut desk = Desk::open().await;
    let hook = json!({
        "url": "https://hooks.example/in", "description": "back end",
        "events": ["decision.created", "alert.*", "case.*"],
    });
    let (_, made) = desk
        .carried_out(json!({ "webhook_change": { "create": hook } }))
        .await;
    let hook = made["webhook"]["webhook"]["id"].clone();
    let entry = json!({ "value": "mallory", "reason": "of a test" });
    desk.send(Sent::json(
        Method::PUT,
        "/v1/lists/suspects/entries",
        &entry,
    ))
    .await;
    let mallory = || json!({ "id": "mallory", "name": "Mallory Wu", "email": "m@example.com" });
    let shop = || json!({ "id": "shop" });
    let bad = desk.pay(mallory(), shop()).await;
    desk.pay(json!({ "id": "liu" }), shop()).await;
    let paid = desk.pay(json!({ "id": "liu" }), mallory()).await;
    desk.tell().await;
    let alerts = desk.get("/v1/alerts").await;
    let alert = alerts["alerts"][0]["id"].clone();
    let opening = json!({ "title": "ring", "typology": "card_fraud", "alerts": [alert] });
    let case = desk.post("/v1/cases", opening).await["id"].clone();
    desk.tell().await;
    let (export, _) = desk
        .carried_out(json!({ "export": { "collection": "decisions", "rows": 10 } }))
        .await;
    desk.get(&format!("/v1/decisions?export={export}")).await;

    let subject = desk.subject("mallory").await;
    let path = format!("/v1/subjects/{subject}/lineage");
    let lineage = desk.get(&path).await;
    assert_eq!(lineage["next_cursor"], Value::Null);
    let [received, sent] = lineage["decisions"].as_array().unwrap().as_slice() else {
        panic!("{lineage}");
    };
    assert_eq!(
        (&sent["decision"], &received["decision"]),
        (&json!(bad), &json!(paid))
    );
    assert_eq!(
        (&sent["part"], &received["part"]),
        (&json!("payer"), &json!("payee"))
    );
    let fields = sent["fields"].as_array().unwrap();
    for field in ["customer_id", "name", "email", "card_number"] {
        assert!(fields.contains(&json!(field)), "{field}: {sent}");
    }
    assert_eq!(received["fields"], json!(["customer_id", "name", "email"]));
    assert_eq!(
        (&sent["alerts"], &sent["cases"]),
        (&json!([alert]), &json!([case]))
    );
    assert_eq!(received["alerts"], json!([]));
    assert_eq!(sent["exports"][0]["approval"], export);
    assert_eq!(received["exports"][0]["approval"], export);
    let told = sent["webhooks"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|one| {
            assert_eq!((&one["webhook"], &one["state"]), (&hook, &json!("waiting")));
            one["event"].as_str().unwrap()
        })
        .collect();
    for event in ["decision.created", "alert.open", "case.open"] {
        assert!(told.contains(&event), "{event}: {told:?}");
    }
    // Of the person who paid them nothing of theirs is told.
    let subject = desk.subject("liu").await;
    let theirs = desk.get(&format!("/v1/subjects/{subject}/lineage")).await;
    assert_eq!(theirs["decisions"].as_array().unwrap().len(), 2);
    // Whoever may not read cases does not learn of any; another company learns nothing.
    let few = Scopes::of(&[Scope::SubjectsRead]);
    let reader = desk.world.signer_with("acme", Ed25519, few).await;
    let seen = desk
        .client
        .signed(&reader, Sent::new(Method::GET, &path, ""));
    let seen = seen.await.json();
    assert_eq!(seen["decisions"][1]["cases"], Value::Null, "{seen}");
    let stranger = desk
        .world
        .signer_with("other", Ed25519, Scopes::all())
        .await;
    let seen = desk
        .client
        .signed(&stranger, Sent::new(Method::GET, &path, ""));
    assert_eq!(seen.await.json()["decisions"], json!([]));
    // A look serves a purpose.
    let offers = Sent::new(Method::GET, &format!("{path}?purpose=marketing"), "");
    let refused = desk.client.signed(&desk.maker, offers).await;
    assert_eq!(refused.code(), "purpose_not_for_data");
    let verdict = desk.world.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
}
