//! Administrators see no data of customers: whatever they can reach is walked, and what customers
//! left behind is looked for in every reply.

use crate::support::{Person, Sent, Setup, World, now};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use paywarden_access::{Scope, staff::Roles};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::api::{Door, Route, routes};
use serde_json::{Value, json};

const ADMINISTRATORS: [&str; 3] = [
    "system_administrator",
    "security_administrator",
    "audit_administrator",
];

/// What customers left behind, each in a field of its own.
const PLANTED: [&str; 10] = [
    "4012888888881881",
    "planted-payer",
    "planted-payee",
    "planted-device",
    "203.0.113.77",
    "planted.mail@example.com",
    "planted-payment",
    "planted-listed",
    "planted-pending",
    "planted-emergency",
];

/// A payment that names everything that a customer can be known by.
fn payment() -> Value {
    json!({
        "id": "planted-payment",
        "type": "payment.card",
        "occurred_at": now().to_string(),
        "amount": { "value": "12.34", "currency": "USD" },
        "card": { "number": "4012888888881881" },
        "payer": { "id": "planted-payer", "email": "planted.mail@example.com" },
        "payee": { "id": "planted-payee" },
        "device": { "id": "planted-device" },
        "network": { "ip": "203.0.113.77" },
    })
}

fn pending(value: &str) -> Value {
    let change = json!({
        "list": "trusted_cards", "operation": "add", "reason": "seen at the counter",
        "values": [{ "value": value }, { "card_number": "4012888888881881" }],
    });
    json!({ "command": { "list_change": change }, "reason": "asked for by the desk" })
}

/// What there is to be found.
struct Ground {
    world: World,
    pending: Value,
    /// Index of the card, which stands for its number.
    index: String,
}

impl Ground {
    async fn plant() -> Self {
        let world = World::start(Setup::default()).await;
        let key = world.signer("acme", Ed25519).await;
        let mut client = world.client(true).await;
        let mut put = async |method, path: &str, body: &Value| {
            let sent = Sent::json(method, path, body)
                .header("idempotency-key", &crate::support::unique("k"));
            let answer = client.signed(&key, sent).await;
            assert!(answer.status.is_success(), "{path} {}", answer.json());
            answer.json()
        };
        put(Method::POST, "/v1/decisions", &payment()).await;
        let label = json!({
            "payment_id": "planted-payment", "verdict": "fraud", "source": "analyst",
        });
        put(Method::POST, "/v1/labels", &label).await;
        let entry = json!({ "value": "planted-listed", "reason": "seen at the counter" });
        put(Method::PUT, "/v1/lists/denied_cards/entries", &entry).await;
        let emergency = put(Method::POST, "/v1/approvals", &pending("planted-emergency")).await;
        let path = format!(
            "/v1/approvals/{}/execution",
            emergency["id"].as_str().unwrap()
        );
        let glass = json!({ "purpose": "the shop stands still", "emergency": "nobody is awake" });
        put(Method::POST, &path, &glass).await;
        let pending = put(Method::POST, "/v1/approvals", &pending("planted-pending")).await;
        let index = pending["payload"]["values"][1]["value"].as_str().unwrap();
        Self {
            index: index.to_owned(),
            pending,
            world,
        }
    }

    /// Looks for what was planted in a reply, and in what it holds as base64.
    fn look_through(&self, what: &str, body: &[u8]) {
        let mut text = String::from_utf8_lossy(body).into_owned();
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        decode(&json, &mut text);
        for secret in PLANTED.into_iter().chain([self.index.as_str()]) {
            assert!(!text.contains(secret), "{what}: {secret} in {text}");
        }
    }
}

/// Appends every text of a reply that is base64.
fn decode(json: &Value, text: &mut String) {
    match json {
        Value::String(encoded) => {
            let bytes = STANDARD.decode(encoded).unwrap_or_default();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        Value::Array(all) => all.iter().for_each(|one| decode(one, text)),
        Value::Object(members) => members.values().for_each(|one| decode(one, text)),
        _ => {}
    }
}

/// Whether a person with these scopes gets past the door of a route.
fn lets_in(route: &Route, role: &str) -> bool {
    let roles = Roles::new(Vec::new()).unwrap();
    let scopes = roles.find(role).unwrap().scopes;
    let is_open = match route.door.taken_by(true) {
        Door::Staff | Door::StaffFresh | Door::Own | Door::OwnFresh => true,
        Door::Key => route.scope.is_none(),
        _ => false,
    };
    is_open && route.scope.is_none_or(|scope| scopes.contains(scope))
}

/// What is sent where a body is asked for: enough to get as far as the matter at hand.
fn body(route: &Route, pending: &Value) -> Option<Value> {
    let vote = json!({
        "vote": "approve", "payload_sha256": pending["payload_sha256"], "reason": "read it",
    });
    route.has_body.then(|| match route.path {
        "/v1/approvals/{id}/votes" => vote,
        "/v1/approvals/{id}/review" => json!({ "finding": "justified", "note": "read it" }),
        "/v1/approvals/{id}/execution" => json!({ "purpose": "as approved" }),
        "/v1/approvals" => self::pending("not theirs"),
        _ => json!({ "reason": "r", "purpose": "p" }),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_customer_is_in_any_reply_that_an_administrator_gets() {
    let ground = Ground::plant().await;
    let all = ground.pending["id"].as_str().unwrap().to_owned();
    for role in ADMINISTRATORS {
        let login = format!("{role}@example.com");
        let mut person = Person::with_roles(&ground.world, "acme", &login, &[role]).await;
        let reachable = routes().filter(|route| lets_in(route, role));
        // Signing out comes last: it ends what the others need.
        let (last, first): (Vec<_>, Vec<_>) =
            reachable.partition(|route| *route.method == Method::DELETE);
        let mut walked = 0;
        for route in first.into_iter().chain(last) {
            let path = route.path.replace("{id}", &all);
            for path in [
                path.clone(),
                format!("{path}?review=open"),
                format!("{path}?limit=100"),
            ] {
                let body = body(route, &ground.pending);
                let answer = person
                    .send(route.method.clone(), &path, body.as_ref())
                    .await;
                let what = format!("{role} {} {path} {}", route.method, answer.status);
                ground.look_through(&what, &answer.body);
                walked += 1;
            }
        }
        assert!(walked > 60, "{role} reached {walked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_keeps_its_shape_and_nobody_votes_on_it() {
    let ground = Ground::plant().await;
    let (world, asked) = (&ground.world, &ground.pending);
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    for role in ADMINISTRATORS {
        let login = format!("{role}@example.com");
        let mut person = Person::with_roles(world, "acme", &login, &[role]).await;
        let seen = person.get(&path).await.json();
        assert_eq!(
            (&seen["is_masked"], &seen["payload_sha256"]),
            (&json!(true), &json!("••••"))
        );
        let mut expected = asked["payload"].clone();
        for value in expected["values"].as_array_mut().unwrap() {
            value["value"] = "••••".into();
        }
        assert_eq!(seen["payload"], expected);
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let voted = person.post(&format!("{path}/votes"), Some(&vote)).await;
        let refused = match role {
            "security_administrator" => "approval_forbidden",
            _ => "scope_insufficient",
        };
        assert_eq!(voted.code(), refused, "{role}");
    }
    let role = ["senior_analyst"];
    let mut analyst = Person::with_roles(world, "acme", "mei@example.com", &role).await;
    let seen = analyst.get(&path).await.json();
    assert_eq!(
        (&seen["is_masked"], &seen["payload"]),
        (&json!(false), &asked["payload"])
    );
    let roles = Roles::new(Vec::new()).unwrap();
    for role in ADMINISTRATORS {
        assert!(!roles.find(role).unwrap().scopes.contains(Scope::ListsRead));
    }
}

/// Without the leaves of looking, which come on top while somebody looks.
fn changes(leaves: &[Value]) -> Vec<Value> {
    let is_look = |leaf: &&Value| leaf["action"].as_str().unwrap().starts_with("access.");
    let changes = leaves.iter().filter(|leaf| !is_look(leaf));
    changes.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_administrator_reads_the_own_part_of_the_trail_and_the_auditor_every_part() {
    let ground = Ground::plant().await;
    let parts = [
        ("system", "staff.invite"),
        ("security", "approval.request"),
        ("audit", "staff.review"),
        ("business", "list.add"),
    ];
    for (role, readable) in [
        ("system_administrator", &["system"][..]),
        ("security_administrator", &["security"]),
        ("audit_administrator", &["system", "security", "audit"]),
        ("auditor", &["system", "security", "audit", "business"]),
    ] {
        let login = format!("{role}@example.com");
        let mut person = Person::with_roles(&ground.world, "acme", &login, &[role]).await;
        person.get("/v1/staff/review").await;
        for (part, action) in parts {
            let path = format!("/v1/trail/areas/{part}");
            let page = person.get(&format!("{path}?limit=100")).await.json();
            if !readable.contains(&part) {
                assert_eq!(page["code"], "scope_insufficient", "{role} {part}");
                continue;
            }
            let leaves = page["leaves"].as_array().unwrap();
            let actions = leaves.iter().map(|leaf| leaf["action"].as_str().unwrap());
            let mut actions: Vec<_> = actions.collect();
            assert!(
                role == "system_administrator" || actions.contains(&action),
                "{role} {part}"
            );
            // Page by page it is the same, newest first.
            let (mut cursor, mut walked) = (String::new(), Vec::new());
            loop {
                let page = person.get(&format!("{path}?limit=2{cursor}")).await.json();
                let leaves = page["leaves"].as_array().unwrap().clone();
                walked.extend(leaves);
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(changes(&walked), changes(leaves), "{role} {part}");
            let mine = |action: &str| parts.iter().filter(|(_, known)| *known == action).count();
            actions.retain(|action| mine(action) > 0);
            assert!(
                actions.iter().all(|found| *found == action),
                "{role} {part} {actions:?}"
            );
        }
        let nothing = person.get("/v1/trail/areas/nothing").await;
        assert_eq!(nothing.code(), "route_unknown");
    }
    // Another company's administrator sees none of it.
    let role = ["audit_administrator"];
    let mut other = Person::with_roles(&ground.world, "other", "kim@example.com", &role).await;
    let page = other.get("/v1/trail/areas/security").await.json();
    assert_eq!(page["leaves"], json!([]));
}
