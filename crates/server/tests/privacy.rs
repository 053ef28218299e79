//! Notices, consents and the privacy policy by API.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};
use support::{Client, Sent, Setup, Signer, World};

/// Somebody at the door.
struct Caller {
    client: Client,
    signer: Signer,
}

impl Caller {
    async fn of(world: &World, scopes: Scopes) -> Self {
        Self {
            signer: world.signer_with("acme", Ed25519, scopes).await,
            client: world.client(true).await,
        }
    }

    async fn send(&mut self, sent: Sent) -> (StatusCode, Value) {
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status, answer.json())
    }

    async fn get(&mut self, path: &str) -> Value {
        let (status, json) = self.send(Sent::new(Method::GET, path, "")).await;
        assert!(status.is_success(), "{path} {json}");
        json
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        let (status, json) = self.send(Sent::json(Method::POST, path, &body)).await;
        assert!(status.is_success(), "{path} {json}");
        json
    }

    async fn code(&mut self, path: &str, body: Value) -> Value {
        let (status, mut json) = self.send(Sent::json(Method::POST, path, &body)).await;
        assert!(!status.is_success(), "{path} {json}");
        json["code"].take()
    }
}

fn consent(subject: &str, purposes: &[&str]) -> Value {
    json!({
        "subject": subject, "purposes": purposes, "notice": "standard", "notice_version": 0,
        "language": "zh", "method": "web_form", "jurisdiction": "pipl", "days": 365,
    })
}

fn address(subject: &str) -> Value {
    json!({
        "purpose": "marketing",
        "item": {
            "subject": subject, "class": "email", "value": "liu@example.com",
            "retention": "marketing",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_agrees_is_written_to_and_withdraws() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let tokenize = "/v1/vault/tokenize";
    assert_eq!(acme.code(tokenize, address("liu")).await, "consent_missing");
    let agreed = acme
        .post("/v1/consents", consent("liu", &["marketing", "analytics"]))
        .await;
    assert!(
        agreed["event"]["receipt"]
            .as_str()
            .unwrap()
            .split('.')
            .count()
            == 3
    );
    let kept = acme.post(tokenize, address("liu")).await;
    let read = json!({
        "purpose": "marketing", "token": kept["token"], "reason": "spring offers",
        "to": { "country": "CN" },
    });
    let value = acme.post("/v1/vault/detokenize", read.clone()).await;
    assert_eq!(value["value"], "liu@example.com");
    let subject = agreed["subject"].as_str().unwrap().to_owned();
    let withdrawal = json!({ "subject": subject, "purposes": ["marketing"] });
    acme.post("/v1/consents/withdrawals", withdrawal.clone())
        .await;
    assert_eq!(
        acme.code("/v1/vault/detokenize", read).await,
        "consent_withdrawn"
    );
    let again = acme.code("/v1/consents/withdrawals", withdrawal).await;
    assert_eq!(again, "consent_unknown");
    let stands = acme.get(&format!("/v1/consents/{subject}")).await;
    assert_eq!(stands["standing"]["jurisdiction"], "pipl");
    let kinds: Vec<_> = stands["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["consent_withdrawn", "consent_given"]);
    // A batch says of each value why it is not given.
    let many = json!({ "purpose": "analytics", "tokens": [kept["token"]] });
    let values = acme.post("/v1/vault/detokenize/batch", many).await;
    assert_eq!(values["values"][0]["value"], "liu@example.com");
    let elsewhere = json!({
        "purpose": "marketing", "tokens": [kept["token"]], "to": { "recipient": "agency" },
    });
    let values = acme.post("/v1/vault/detokenize/batch", elsewhere).await;
    assert_eq!(values["values"][0]["refused"], "consent_withdrawn");
    // Persons stand in paths by their pseudonym alone.
    let (_, named) = acme
        .send(Sent::new(Method::GET, "/v1/consents/liu", ""))
        .await;
    assert_eq!(named["code"], "parameter_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_versions_that_never_change() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let shipped = acme.get("/v1/notices/standard").await;
    assert_eq!(shipped["version"], 0);
    let mut notice = shipped["notice"].clone();
    notice["title"]["en"] = json!("Ours");
    let first = acme.post("/v1/notices", notice.clone()).await;
    notice["title"]["en"] = json!("Ours, again");
    let second = acme.post("/v1/notices", notice.clone()).await;
    assert_eq!(
        (&first["version"], &second["version"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(first["sha256"], second["sha256"]);
    for version in [&first, &second] {
        let number = &version["version"];
        let path = format!("/v1/notices/standard/versions/{number}");
        assert_eq!(acme.get(&path).await, *version);
    }
    assert_eq!(acme.get("/v1/notices/standard").await, second);
    assert_eq!(acme.get("/v1/notices").await["notices"], json!([second]));
    notice["clauses"] = json!([]);
    assert_eq!(acme.code("/v1/notices", notice).await, "notice_refused");
    // Consent to what is no longer shown is not taken.
    let old = acme
        .code("/v1/consents", consent("liu", &["marketing"]))
        .await;
    assert_eq!(old, "consent_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_changes_by_approval_and_holds_at_once() {
    let world = World::start(Setup::default()).await;
    let mut maker = Caller::of(&world, Scopes::all()).await;
    let mut checker = Caller::of(&world, Scopes::all()).await;
    let policy = maker.get("/v1/privacy-policy").await;
    assert_eq!(policy["number"], 0);
    let told = policy["purposes"].as_array().unwrap().iter();
    assert!(told.into_iter().all(|purpose| purpose["is_told"] == true));
    let text = policy["text"].as_str().unwrap();
    let text = text.replace(
        "\"settlement\", \"customer_service\"",
        "\"customer_service\"",
    );
    let change = json!({ "privacy_policy_change": { "replaces": 0, "text": text } });
    let asked = json!({ "command": change, "reason": "less is kept" });
    let asked = maker.post("/v1/approvals", asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    let own = maker.code(&format!("{path}/votes"), vote.clone()).await;
    assert_eq!(own, "approval_by_maker");
    checker.post(&format!("{path}/votes"), vote).await;
    let name = json!({
        "purpose": "settlement",
        "item": { "subject": "liu", "class": "name", "value": "Liu Wei" },
    });
    maker.post("/v1/vault/tokenize", name.clone()).await;
    let execution = json!({ "purpose": "as approved" });
    maker
        .post(&format!("{path}/execution"), execution.clone())
        .await;
    let refused = maker.code("/v1/vault/tokenize", name).await;
    assert_eq!(refused, "purpose_not_for_data");
    assert_eq!(maker.get("/v1/privacy-policy").await["number"], 1);
    let replayed = maker.code(&format!("{path}/execution"), execution).await;
    assert_eq!(replayed, "approval_used");
    let broken = json!({ "privacy_policy_change": { "replaces": 1, "text": "purpose = 1" } });
    let broken = json!({ "command": broken, "reason": "r" });
    assert_eq!(
        maker.code("/v1/approvals", broken).await,
        "approval_command_malformed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_in_bulk_serves_a_purpose_of_the_policy() {
    let world = World::start(Setup::default()).await;
    let mut maker = Caller::of(&world, Scopes::all()).await;
    let votes = Scopes::of(&[Scope::ApprovalsVote]);
    let mut checker = Caller::of(&world, votes).await;
    let export = json!({ "export": { "collection": "decisions", "rows": 10 } });
    let asked = json!({ "command": export, "reason": "audit" });
    let asked = maker.post("/v1/approvals", asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    checker.post(&format!("{path}/votes"), vote).await;
    let path = format!("{path}/execution");
    for (purpose, expected) in [
        ("as approved", "purpose_unknown"),
        ("marketing", "purpose_not_for_data"),
        ("analytics", "consent_missing"),
    ] {
        let refused = maker.code(&path, json!({ "purpose": purpose })).await;
        assert_eq!(refused, expected);
    }
    maker
        .post(&path, json!({ "purpose": "aml_compliance" }))
        .await;
}
