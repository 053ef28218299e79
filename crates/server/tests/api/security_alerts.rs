//! A person who reads too much, over the API: the leaf of each look, the alert, the fresh factor
//! that is asked for, and who may decide about it.

use crate::support::{Person, Sent, Setup, Signer, World, unique};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_store::trail::Leaf;
use serde_json::{Value, json};

const ADMIN: &[&str] = &["security_administrator"];
const READER: &[&str] = &["senior_analyst"];

/// Decisions about so many different payments; their identifiers.
async fn decided(world: &World, signer: &Signer, count: usize) -> Vec<String> {
    let mut client = world.client(true).await;
    let mut ids = Vec::new();
    for _ in 0..count {
        let payment = json!({
            "id": unique("pay-"),
            "type": "payment.wallet",
            "occurred_at": crate::support::now().to_string(),
            "amount": { "value": "12.34", "currency": "USD" },
            "payer": { "id": unique("payer-") },
        });
        let answer = client.signed(signer, Sent::decision(&payment)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.json());
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn alerts(person: &mut Person, query: &str) -> Vec<Value> {
    let path = format!("/v1/security-alerts{query}");
    let answer = person.get(&path).await;
    assert_eq!(answer.status, 200, "{:?}", answer.json());
    answer.json()["alerts"].as_array().unwrap().clone()
}

async fn prove(person: &mut Person) {
    let challenge = person
        .post("/v1/session/proof-challenge", None)
        .await
        .json();
    let answer = person.device.get(&challenge["options"]);
    let body = json!({ "ceremony": challenge["ceremony"], "answer": answer });
    let proved = person.post("/v1/session/proof", Some(&body)).await;
    assert_eq!(proved.status, 200, "{:?}", proved.json());
}

/// Whether a sensitive command is asked for a fresh factor; the command itself is not right.
async fn asks_for_a_factor(person: &mut Person) -> bool {
    let answer = person.post("/v1/approvals", Some(&json!({}))).await;
    assert_ne!(answer.status, StatusCode::CREATED);
    answer.code() == "fresh_factor_required"
}

#[tokio::test(flavor = "multi_thread")]
async fn many_subjects_raise_an_alert_and_the_next_sensitive_command_asks_for_a_factor() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let ids = decided(&world, &signer, 41).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", READER).await;
    let mut chen = Person::with_roles(&world, "acme", "chen@example.com", ADMIN).await;
    looked_at(&world, &mut liu, &ids[..40]).await;
    world.look().await;
    assert_eq!(alerts(&mut chen, "").await, Vec::<Value>::new());
    assert!(!asks_for_a_factor(&mut liu).await);

    assert_eq!(
        liu.get(&format!("/v1/decisions/{}", ids[40])).await.status,
        200
    );
    world.look().await;
    let raised = alerts(&mut chen, "?state=open&severity=high").await;
    assert_eq!(raised.len(), 1, "{raised:?}");
    let alert = &raised[0];
    assert_eq!(alert["rule"], "staff_reading.many_subjects");
    assert_eq!(alert["effect"], "step_up");
    let me = liu.get("/v1/session").await.json();
    assert_eq!(
        alert["actor"],
        format!("staff:{}", me["account"].as_str().unwrap())
    );
    assert!(asks_for_a_factor(&mut liu).await);
    prove(&mut liu).await;
    assert!(!asks_for_a_factor(&mut liu).await);

    decided_about(alert, &mut liu, &mut chen).await;
    assert_eq!(
        world
            .metric("paywarden_security_alerts_total{severity=\"high\"}")
            .await,
        1
    );
    assert_eq!(world.metric("paywarden_security_alerts_open").await, 0);
}

/// Forty looks, each with its leaf.
async fn looked_at(world: &World, liu: &mut Person, ids: &[String]) {
    let before = world.database.trail_size(&tenant("acme")).await.unwrap();
    for id in ids {
        let seen = liu.get(&format!("/v1/decisions/{id}")).await;
        assert_eq!(
            (seen.status.as_u16(), &seen.json()["id"]),
            (200, &json!(id))
        );
    }
    let leaves = world
        .database
        .trail_leaves(&tenant("acme"), before, 41)
        .await
        .unwrap();
    assert_eq!(leaves.len(), 40, "each look has its leaf");
    let leaf = Leaf::decode(&leaves[0]).unwrap();
    assert_eq!((leaf.action, leaf.object), ("access.read", ids[0].as_str()));
    let line = "GET /v1/decisions/{id} done count=1 network=";
    assert!(leaf.purpose.starts_with(line), "{}", leaf.purpose);
    assert!(
        leaf.purpose.contains(" roles=senior_analyst subject="),
        "{}",
        leaf.purpose
    );
}

/// The reader has no right to decide about an alert; the administrator does so once.
async fn decided_about(alert: &Value, liu: &mut Person, chen: &mut Person) {
    let id = alert["id"].as_str().unwrap();
    let path = format!("/v1/security-alerts/{id}");
    let reason = json!({ "reason": "asked them" });
    let own = liu.post(&format!("{path}/closing"), Some(&reason)).await;
    assert_eq!(own.code(), "scope_insufficient");
    assert_eq!(liu.get(&path).await.code(), "scope_insufficient");
    let seen = chen
        .post(&format!("{path}/acknowledgement"), Some(&reason))
        .await;
    assert_eq!(seen.json()["state"], "acknowledged");
    let closed = chen.post(&format!("{path}/closing"), Some(&reason)).await;
    assert_eq!(closed.json()["steps"].as_array().unwrap().len(), 2);
    let again = chen.post(&format!("{path}/closing"), Some(&reason)).await;
    assert_eq!(again.code(), "alert_state");
    let empty = json!({ "reason": "" });
    let refused = chen.post(&format!("{path}/closing"), Some(&empty)).await;
    assert_eq!(
        (refused.code(), &refused.json()["pointer"]),
        ("field_invalid".into(), &json!("/reason"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_probes_decides_nothing_about_it_nor_does_another_company() {
    let world = World::start(Setup::default()).await;
    let mut chen = Person::with_roles(&world, "acme", "chen@example.com", ADMIN).await;
    let mut zhao = Person::with_roles(&world, "acme", "zhao@example.com", ADMIN).await;
    let mut other = Person::with_roles(&world, "beta", "sato@example.com", ADMIN).await;
    for path in [
        "/v1/decisions",
        "/v1/decisions/dec_1",
        "/v1/lists",
        "/v1/rule-set",
        "/v1/trail/leaves",
    ] {
        assert_eq!(chen.get(path).await.code(), "scope_insufficient", "{path}");
    }
    world.look().await;
    let raised = alerts(&mut zhao, "?rule=staff_conduct.probing").await;
    assert_eq!(raised.len(), 1, "{raised:?}");
    let path = format!("/v1/security-alerts/{}", raised[0]["id"].as_str().unwrap());
    let closing = format!("{path}/closing");
    let reason = json!({ "reason": "curiosity" });
    assert_eq!(
        chen.post(&closing, Some(&reason)).await.code(),
        "fresh_factor_required"
    );
    prove(&mut chen).await;
    assert_eq!(chen.post(&closing, Some(&reason)).await.code(), "own_alert");
    assert_eq!(alerts(&mut other, "").await, Vec::<Value>::new());
    assert_eq!(other.get(&path).await.code(), "alert_unknown");
    assert_eq!(
        other.post(&closing, Some(&reason)).await.code(),
        "alert_unknown"
    );
    assert_eq!(zhao.post(&closing, Some(&reason)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_comes_back_when_its_alert_is_closed_and_not_before() {
    let world = World::start(Setup::default()).await;
    let mut chen = Person::with_roles(&world, "acme", "chen@example.com", ADMIN).await;
    let admin = &["system_administrator"];
    let mut wu = Person::with_roles(&world, "acme", "wu@example.com", admin).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", READER).await;
    let account = liu.get("/v1/session").await.json()["account"].clone();
    let account = account.as_str().unwrap();
    for _ in 0..6 {
        let wrong = liu
            .post("/v1/session/proof", Some(&json!({ "code": "000000" })))
            .await;
        assert!(wrong.status.is_client_error(), "{:?}", wrong.json());
    }
    world.watch.recorder().close().await.unwrap();
    world.look().await;
    let raised = alerts(&mut chen, "?severity=critical").await;
    assert_eq!(
        (raised.len(), &raised[0]["effect"]),
        (1, &json!("suspend")),
        "{raised:?}"
    );
    assert_eq!(liu.get("/v1/session").await.code(), "session_required");
    let enable = format!("/v1/staff/{account}/enable");
    let purpose = json!({ "purpose": "they asked" });
    assert_eq!(
        wu.post(&enable, Some(&purpose)).await.code(),
        "account_under_review"
    );
    let closing = format!(
        "/v1/security-alerts/{}/closing",
        raised[0]["id"].as_str().unwrap()
    );
    let reason = json!({ "reason": "a worn key" });
    assert_eq!(chen.post(&closing, Some(&reason)).await.status, 200);
    assert_eq!(wu.post(&enable, Some(&purpose)).await.status, 200);
    assert_eq!(liu.sign_in().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_do_not_fit_count_against_the_key_they_name() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let stranger = world.signer("beta", Ed25519).await;
    let forged = Signer {
        key_id: signer.key_id.clone(),
        key: stranger.key,
    };
    let mut client = world.client(true).await;
    for _ in 0..25 {
        let sent = Sent::new(Method::GET, "/v1/decisions", "");
        assert_eq!(
            client.signed(&forged, sent).await.code(),
            "signature_invalid"
        );
    }
    world.watch.recorder().close().await.unwrap();
    world.look().await;
    let mut chen = Person::with_roles(&world, "acme", "chen@example.com", ADMIN).await;
    let raised = alerts(&mut chen, "").await;
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0]["rule"], "machine_keys.refused_signatures");
    assert_eq!(raised[0]["object"], signer.key_id);
    assert_eq!(raised[0]["count"], 1);
}

fn tenant(name: &str) -> paywarden_domain::TenantId {
    paywarden_domain::TenantId::parse(name).unwrap()
}
