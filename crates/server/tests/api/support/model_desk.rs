//! Models that are put to work over the signed API.

use super::{Client, Sent, Setup, Signer, World, payment, unique};
use bytes::Bytes;
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::time::DAY;
use paywarden_features::EntityKind;
use paywarden_models::{
    Calibration, Ensemble, Link, Node, Package, Parts, Reads, Reference, Split, Sum, Table, Test,
    Tree,
};
use serde_json::{Value, json};

/// A model that sees a chance of 95 % in amounts above this, in minor units, and 5 % below.
pub fn package(above: f64) -> Package {
    let reads = Reads {
        payer: EntityKind::Card,
        place: EntityKind::Merchant,
        delay: 7 * DAY,
    };
    let names = reads.recipe().unwrap().names().to_vec();
    let leaf = |value| Node::Leaf { value, cover: 1.0 };
    let split = Node::Split(Split {
        feature: 0,
        test: Test::AtMost(above),
        missing_left: true,
        left: 1,
        right: 2,
    });
    let nodes = vec![split, leaf(-2.944_438_979), leaf(2.944_438_979)];
    let model = Ensemble::new(Parts {
        features: names.clone(),
        trees: vec![Tree { nodes }],
        sum: Sum::from(0.0),
        link: Link::Logistic { scale: 1.0 },
    });
    let mut table = Table::new(names).unwrap();
    table.push(&vec![1.0; table.names().len()]).unwrap();
    Package {
        reads,
        model: model.unwrap(),
        calibration: Calibration::Platt {
            slope: 1.0,
            offset: 0.0,
        },
        reference: Reference::of(&table, &[0], &[0.0], &[false]),
    }
}

pub fn bytes(above: f64) -> Vec<u8> {
    package(above).write().unwrap()
}

/// From a chance of 50 % on a review.
pub fn policy() -> Value {
    json!({ "chances": [{ "from_ppm": 500_000, "action": "review" }] })
}

/// Somebody who releases models, and another who allows it.
pub struct Desk {
    pub world: World,
    client: Client,
    pub maker: Signer,
    checker: Signer,
}

impl Desk {
    pub async fn open() -> Self {
        Self::of(World::start(Setup::default()).await).await
    }

    pub async fn of(world: World) -> Self {
        let scopes = Scopes::of(&[Scope::RulesApprove, Scope::RulesRead, Scope::ApprovalsVote]);
        Self {
            client: world.client(true).await,
            maker: world.signer("acme", Ed25519).await,
            checker: world.signer_with("acme", Ed25519, scopes).await,
            world,
        }
    }

    pub async fn ask(&mut self, sent: Sent) -> (StatusCode, Value) {
        let answer = self.client.signed(&self.maker, sent).await;
        (answer.status, answer.json())
    }

    pub async fn read(&mut self, path: &str) -> Value {
        let (status, json) = self.ask(Sent::new(Method::GET, path, "")).await;
        assert_eq!(status, StatusCode::OK, "{path} {json}");
        json
    }

    pub async fn register(&mut self, package: Vec<u8>) -> (StatusCode, Value) {
        self.ask(upload(package)).await
    }

    pub async fn registered(&mut self, above: f64) -> String {
        let (status, json) = self.register(bytes(above)).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        json["model"].as_str().unwrap().to_owned()
    }

    pub async fn step(&mut self, path: &str, body: Value) -> (StatusCode, Value) {
        let path = format!("/v1/models/{path}");
        self.ask(Sent::json(Method::POST, &path, &body)).await
    }

    pub async fn moved(&mut self, path: &str) -> Value {
        let body = json!({ "engine": "fraud", "purpose": "test" });
        let (status, json) = self.step(path, body).await;
        assert_eq!(status, StatusCode::OK, "{json}");
        json
    }

    /// Asks for a release and has another approve it; the approval.
    pub async fn approved(&mut self, model: &str) -> String {
        let release = json!({ "engine": "fraud", "model": model, "policy": policy() });
        let body = json!({ "command": { "model_release": release }, "reason": "as tried" });
        self.approved_by_other(body).await
    }

    pub async fn approved_by_other(&mut self, body: Value) -> String {
        let (status, asked) = self
            .ask(Sent::json(Method::POST, "/v1/approvals", &body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        self.vote(&id, &asked["payload_sha256"]).await;
        id
    }

    /// Has the other allow what is asked for.
    pub async fn vote(&mut self, id: &str, payload_sha256: &Value) {
        let vote = json!({
            "vote": "approve", "payload_sha256": payload_sha256, "reason": "read it",
        });
        let sent = Sent::json(Method::POST, &format!("/v1/approvals/{id}/votes"), &vote);
        let answer = self.client.signed(&self.checker, sent).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    }

    pub async fn publish(&mut self, model: &str, approval: &str) -> (StatusCode, Value) {
        let body = json!({
            "engine": "fraud", "policy": policy(), "purpose": "test", "approval": approval,
        });
        self.step(&format!("{model}/publish"), body).await
    }

    pub async fn published(&mut self, above: f64) -> String {
        self.released(above, policy(), Value::Null).await
    }

    /// Puts a model to work by a policy, with a control group or none.
    pub async fn released(&mut self, above: f64, policy: Value, control: Value) -> String {
        let model = self.registered(above).await;
        let mut release = json!({ "engine": "fraud", "policy": policy, "control": control });
        let mut asked = release.clone();
        asked["model"] = json!(model);
        let body = json!({ "command": { "model_release": asked }, "reason": "as tried" });
        release["approval"] = json!(self.approved_by_other(body).await);
        release["purpose"] = json!("test");
        let (status, json) = self.step(&format!("{model}/publish"), release).await;
        assert_eq!(status, StatusCode::OK, "{json}");
        assert_eq!(json["places"][0]["role"], "live");
        model
    }

    /// The verdict on a payment of 12.34 dollars.
    pub async fn decide(&mut self) -> Value {
        let (status, json) = self.ask(Sent::decision(&payment(&unique("p")))).await;
        assert_eq!(status, StatusCode::OK, "{json}");
        json
    }
}

pub fn upload(package: impl Into<Bytes>) -> Sent {
    let mut sent = Sent::new(Method::POST, "/v1/models", package);
    sent.headers.insert(
        http::header::CONTENT_TYPE,
        "application/octet-stream".parse().unwrap(),
    );
    sent
}
