//! Webhooks over the API: made by two, seen by their company alone, secrets shown once.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

use crate::support::{Client, Sent, Setup, Signer, World};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};

struct Desk {
    client: Client,
    maker: Signer,
    checker: Signer,
    world: World,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start(Setup::default()).await;
        let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
        Self {
            client: world.client(true).await,
            maker: world.signer("acme", Ed25519).await,
            checker: world.signer_with("acme", Ed25519, votes).await,
            world,
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let sent = match method {
            Method::GET => Sent::new(method, path, ""),
            method => Sent::json(method, path, &body),
        };
        let answer = self.client.signed(&self.maker, sent).await;
        (answer.status, answer.json())
    }

    /// Asks for a change, and has the other one approve it; the approval.
    async fn approved(&mut self, change: Value) -> String {
        let body = json!({ "command": { "webhook_change": change }, "reason": "our back end" });
        let (status, asked) = self.send(Method::POST, "/v1/approvals", body).await;
        assert_eq!(status, StatusCode::CREATED, "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let sent = Sent::json(Method::POST, &format!("/v1/approvals/{id}/votes"), &vote);
        let voted = self.client.signed(&self.checker, sent).await;
        assert_eq!(voted.json()["state"], "approved", "{}", voted.json());
        id
    }
}

fn webhook() -> Value {
    json!({
        "url": "https://hooks.example/in", "description": "back end",
        "events": ["decision.created", "case.*"], "outcomes": ["hold", "decline"],
    })
}

fn with(mut body: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_by_two_rotated_disabled_and_enabled() {
    let mut desk = Desk::open().await;
    let alone = with(webhook(), json!({ "reason": "r" }));
    let (_, refused) = desk.send(Method::POST, "/v1/webhooks", alone).await;
    assert_eq!(refused["code"], "approval_missing", "{refused}");

    let create = with(
        webhook(),
        json!({ "outcomes": ["hold", "decline"], "signature": "v1" }),
    );
    let id = desk.approved(json!({ "create": create.clone() })).await;
    let body = with(create, json!({ "reason": "r", "approval": id }));
    let (status, made) = desk.send(Method::POST, "/v1/webhooks", body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let (_, used) = desk.send(Method::POST, "/v1/webhooks", body).await;
    assert_eq!(used["code"], "approval_used", "{used}");

    let hook = made["webhook"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/webhooks/{hook}");
    let (_, read) = desk.send(Method::GET, &path, Value::Null).await;
    assert_eq!(read, made["webhook"], "the secret is shown once");
    let (_, all) = desk.send(Method::GET, "/v1/webhooks", Value::Null).await;
    assert_eq!(all["webhooks"], json!([read]));

    // By execution of the approval, too.
    let rotate = json!({ "rotate": { "id": hook, "overlap_hours": 24 } });
    let id = desk.approved(rotate).await;
    let path_of = format!("/v1/approvals/{id}/execution");
    let (status, done) = desk
        .send(Method::POST, &path_of, json!({ "purpose": "due" }))
        .await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_ne!(done["webhook"]["secret"], made["secret"]);
    assert_eq!(done["webhook"]["webhook"]["version"], 2);

    let stop = json!({ "reason": "it is replaced" });
    let (status, stopped) = desk
        .send(Method::POST, &format!("{path}/disable"), stop.clone())
        .await;
    assert_eq!(status, StatusCode::OK, "{stopped}");
    assert_eq!(
        (&stopped["webhook"]["state"], &stopped["secret"]),
        (&json!("disabled"), &Value::Null)
    );
    let (_, twice) = desk
        .send(Method::POST, &format!("{path}/disable"), stop.clone())
        .await;
    assert_eq!(twice["code"], "webhook_state");
    let (_, again) = desk
        .send(Method::POST, &format!("{path}/enable"), stop.clone())
        .await;
    assert_eq!(again["code"], "approval_missing");

    // A ping waits as long as nothing is sent, and is in the log of deliveries.
    let (status, sent) = desk
        .send(Method::POST, &format!("{path}/ping"), stop.clone())
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{sent}");
    let message = sent["message"].as_str().unwrap();
    let (_, log) = desk
        .send(
            Method::GET,
            &format!("{path}/deliveries?state=waiting"),
            Value::Null,
        )
        .await;
    assert_eq!(log["deliveries"][0]["message"], message);
    assert_eq!(log["deliveries"][0]["event"], "webhook.ping");
    let one = format!("{path}/deliveries/{message}");
    let (_, one_log) = desk.send(Method::GET, &one, Value::Null).await;
    assert_eq!(
        (&one_log["delivery"], &one_log["attempts"]),
        (&log["deliveries"][0], &json!([]))
    );
    let (status, replayed) = desk
        .send(Method::POST, &format!("{one}/replay"), stop)
        .await;
    assert_eq!(
        (status, &replayed["message"]),
        (StatusCode::ACCEPTED, &json!(message))
    );
    let span = json!({
        "from": "2020-01-01T00:00:00Z", "to": "2199-01-01T00:00:00Z", "reason": "they lost them",
    });
    let (_, span) = desk
        .send(Method::POST, &format!("{path}/replay"), span)
        .await;
    assert_eq!(span, json!({ "deliveries": 1, "is_full": false }));

    // Each of them is in the trail, by whom and why.
    let (_, trail) = desk
        .send(Method::GET, "/v1/trail/leaves?limit=100", Value::Null)
        .await;
    let text = trail.to_string();
    for action in ["create", "rotate", "disable", "ping", "replay"] {
        assert!(text.contains(&format!("webhook.{action}")), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_refused_and_strangers_see_nothing() {
    let mut desk = Desk::open().await;
    for (more, code) in [
        (json!({ "url": "http://hooks.example/" }), "webhook_refused"),
        (
            json!({ "url": "https://me@hooks.example/" }),
            "webhook_refused",
        ),
        (json!({ "events": [] }), "webhook_refused"),
        (json!({ "events": ["decision.made"] }), "field_invalid"),
        (json!({ "outcomes": ["maybe"] }), "field_invalid"),
        (json!({ "signature": "v2" }), "field_invalid"),
        (json!({ "description": "x".repeat(201) }), "webhook_refused"),
        (json!({ "secret": "whsec_AAAA" }), "field_unknown"),
    ] {
        let body = with(with(webhook(), json!({ "reason": "r" })), more.clone());
        let (_, refused) = desk.send(Method::POST, "/v1/webhooks", body).await;
        assert_eq!(refused["code"], code, "{more} {refused}");
    }
    let id = desk.approved(json!({ "create": webhook() })).await;
    let path = format!("/v1/approvals/{id}/execution");
    let (_, made) = desk
        .send(Method::POST, &path, json!({ "purpose": "p" }))
        .await;
    let hook = made["webhook"]["webhook"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let stranger = desk.world.signer("other", Ed25519).await;
    for (method, rest) in [
        (Method::GET, ""),
        (Method::GET, "/deliveries"),
        (Method::POST, "/ping"),
        (Method::POST, "/disable"),
    ] {
        let path = format!("/v1/webhooks/{hook}{rest}");
        let sent = match method {
            Method::GET => Sent::new(method, &path, ""),
            method => Sent::json(method, &path, &json!({ "reason": "r" })),
        };
        let answer = desk.client.signed(&stranger, sent).await;
        assert_eq!(answer.code(), "webhook_unknown", "{path}");
    }
    let few = Scopes::of(&[Scope::WebhooksRead]);
    let reader = desk.world.signer_with("acme", Ed25519, few).await;
    let ping = format!("/v1/webhooks/{hook}/ping");
    let sent = Sent::json(Method::POST, &ping, &json!({ "reason": "r" }));
    assert_eq!(
        desk.client.signed(&reader, sent).await.code(),
        "scope_insufficient"
    );
}

/// Hands on what happened, each leaf twice, as a dispatcher does that is killed in between.
async fn told_twice(world: &World) {
    while let batch = world.hand_on().await
        && !batch.is_empty()
    {
        for _ in 0..2 {
            world.notify.feed.take(&batch).await.unwrap();
        }
        let seqs: Vec<i64> = batch.iter().map(|item| item.seq).collect();
        world.journal.outbox_ack("test", &seqs).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_alerts_and_cases_is_told_once() {
    let mut desk = crate::cases::Desk::open().await;
    let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
    let checker = desk.world.signer_with("acme", Ed25519, votes).await;
    let hook = with(
        webhook(),
        json!({ "events": ["alert.*", "case.*"], "outcomes": [] }),
    );
    let asked = json!({ "command": { "webhook_change": { "create": hook } }, "reason": "r" });
    let asked = desk.posted("/v1/approvals", &asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    let vote = Sent::json(Method::POST, &format!("{path}/votes"), &vote);
    assert_eq!(desk.client.signed(&checker, vote).await.status, 200);
    let done = json!({ "purpose": "due" });
    let made = desk.posted(&format!("{path}/execution"), &done).await;
    let hook = made["webhook"]["webhook"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let customer = crate::support::unique("cust-");
    desk.list("suspects", &customer).await;
    for _ in 0..2 {
        desk.pay(&customer).await;
    }
    told_twice(&desk.world).await;
    let alert = desk.get("/v1/alerts").await["alerts"][0]["id"].clone();
    let at = format!("/v1/alerts/{}", alert.as_str().unwrap());
    let claim = json!({ "act": { "claim": {} } });
    desk.posted(&format!("{at}/acts"), &claim).await;
    let note = json!({ "text": "called her" });
    desk.posted(&format!("{at}/notes"), &note).await;
    let opening = json!({ "title": "ring", "typology": "card_fraud", "alerts": [alert] });
    desk.posted("/v1/cases", &opening).await;
    let closing = json!({ "closing": { "disposition": "confirmed", "reason": "customer_denies" } });
    desk.posted(&format!("{at}/closing"), &closing).await;
    told_twice(&desk.world).await;

    let log = desk
        .get(&format!("/v1/webhooks/{hook}/deliveries?limit=100"))
        .await;
    let mut told: Vec<&str> = log["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["event"].as_str().unwrap())
        .collect();
    told.sort_unstable();
    let expected = [
        "alert.claim",
        "alert.close",
        "alert.note",
        "alert.open",
        "case.open",
    ];
    assert_eq!(
        told.iter()
            .filter(|one| **one != "alert.join")
            .copied()
            .collect::<Vec<_>>(),
        expected
    );
    assert!(
        told.iter().filter(|one| **one == "alert.join").count() <= 1,
        "{told:?}"
    );
}
