//! Members of staff who are shown too many persons: they wait, and whoever does not wait is
//! suspended by the rules that are shipped, through the watch.

use crate::support::{self, Person, Sent, Setup, World};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::TenantId;
use serde_json::{Value, json};

/// Somebody who looks, somebody who approves, and somebody who decides about alerts.
struct Office {
    world: World,
    liu: Person,
    wu: Person,
    chen: Person,
    subjects: Vec<String>,
}

impl Office {
    /// An office with the cards of so many customers.
    async fn open(reveals_per_day: u32, customers: usize) -> Self {
        let setup = Setup {
            reveals_per_day: Some(reveals_per_day),
            ..Setup::default()
        };
        let world = World::start(setup).await;
        let signer = world.signer("acme", Ed25519).await;
        let mut client = world.client(true).await;
        let item = |number| {
            json!({
                "subject": format!("customer-{number}"), "class": "card_number",
                "value": "4012888888881881",
            })
        };
        let items: Vec<_> = (0..customers).map(item).collect();
        let batch = json!({ "purpose": "settlement", "items": items });
        let sent = Sent::json(Method::POST, "/v1/vault/tokenize/batch", &batch);
        assert_eq!(client.signed(&signer, sent).await.status, StatusCode::OK);
        let acme = TenantId::parse("acme").unwrap();
        let name = |number| world.vault.pseudonym(&acme, &format!("customer-{number}"));
        let subjects = (0..customers).map(name).collect();
        let person = async |login: &str, role: &str| {
            Person::with_roles(&world, "acme", login, &[role]).await
        };
        let liu = person("liu@example.com", "aml_officer").await;
        let wu = person("wu@example.com", "privacy_officer").await;
        let chen = person("chen@example.com", "security_administrator").await;
        Self {
            world,
            liu,
            wu,
            chen,
            subjects,
        }
    }

    /// Liu asks, Wu approves, Liu opens the grant; the path of its looks.
    async fn grant(&mut self, customer: usize) -> String {
        let reveal = json!({ "reveal": {
            "subject": self.subjects[customer], "classes": ["card_number"],
            "purpose": "dispute_handling", "looks": 20, "minutes": 30,
        } });
        let ask = json!({ "command": reveal, "reason": "chargeback" });
        let asked = self.liu.post("/v1/approvals", Some(&ask)).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json());
        let asked = asked.json();
        let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let voted = self.wu.post(&format!("{path}/votes"), Some(&vote)).await;
        assert_eq!(voted.status, StatusCode::OK, "{}", voted.json());
        let purpose = json!({ "purpose": "as approved" });
        let execution = format!("{path}/execution");
        let opened = self.liu.post(&execution, Some(&purpose)).await;
        assert!(opened.status.is_success(), "{}", opened.json());
        format!("{path}/reveal")
    }

    async fn look(&mut self, path: &str) -> support::client::Answer {
        self.liu.send(Method::POST, path, None).await
    }

    /// The alert of a rule, once the watch has looked at everything.
    async fn alert(&mut self, rule: &str) -> Option<Value> {
        self.world.watch.recorder().close().await.unwrap();
        self.world.look().await;
        let path = format!("/v1/security-alerts?rule={rule}");
        let alerts = self.chen.get(&path).await.json();
        alerts["alerts"].as_array().unwrap().first().cloned()
    }

    /// Whether Liu is out, with no way in.
    async fn is_suspended(&mut self) -> bool {
        let is_out = self.liu.get("/v1/session").await.code() == "session_required";
        let login = json!({ "login": self.liu.login });
        let path = "/v1/session/passkey-challenge";
        let challenge = self.liu.post(path, Some(&login)).await.json();
        let answer = self.liu.device.get_by(&challenge["options"], 0);
        let body = json!({ "ceremony": challenge["ceremony"], "answer": answer });
        let entered = self.liu.post("/v1/session/passkey", Some(&body)).await;
        is_out && !entered.status.is_success()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_wait_is_suspended() {
    let mut office = Office::open(2, 3).await;
    let mut grants = Vec::new();
    for customer in 0..3 {
        grants.push(office.grant(customer).await);
    }
    for path in &grants[..2] {
        assert_eq!(office.look(path).await.status, StatusCode::OK);
    }
    let refused = office.look(&grants[2]).await;
    assert_eq!(refused.code(), "reveal_throttled");
    let wait = refused.headers.get("retry-after").unwrap();
    let seconds: u64 = wait.to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    // Whom Liu has seen today may be looked at again.
    assert_eq!(office.look(&grants[0]).await.status, StatusCode::OK);
    let rule = "reveals.reveals_despite_a_wait";
    assert_eq!(office.alert(rule).await, None);
    for _ in 0..12 {
        assert_eq!(office.look(&grants[2]).await.code(), "reveal_throttled");
    }
    let alert = office.alert(rule).await.unwrap();
    assert_eq!(alert["effect"], "suspend");
    assert!(office.is_suspended().await);
    let closing = format!(
        "/v1/security-alerts/{}/closing",
        alert["id"].as_str().unwrap()
    );
    let reason = json!({ "reason": "talked to them" });
    let closed = office.chen.post(&closing, Some(&reason)).await;
    assert_eq!(closed.status, StatusCode::OK, "{}", closed.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shown_sixty_one_persons_on_one_day_is_suspended() {
    let mut office = Office::open(100, 61).await;
    let rule = "reveals.reveals_beyond_a_day";
    for customer in 0..61 {
        let path = office.grant(customer).await;
        assert_eq!(office.look(&path).await.status, StatusCode::OK);
    }
    let alert = office.alert(rule).await.unwrap();
    assert_eq!(
        (&alert["effect"], &alert["count"]),
        (&json!("suspend"), &json!(1))
    );
    assert!(office.is_suspended().await);
    // What was open is of no use to whoever takes over the cookie.
    let path = "/v1/approvals/apr_0/reveal";
    assert_eq!(office.look(path).await.code(), "session_required");
}
