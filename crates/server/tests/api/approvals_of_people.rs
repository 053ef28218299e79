//! Approvals by people: their session instead of a key, their roles instead of scopes.

use crate::support::{Person, Sent, Setup, World, author};
use http::Method;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::TenantId;
use serde_json::{Value, json};

fn exempt(value: &str) -> Value {
    let change = json!({
        "list": "trusted_cards", "operation": "add", "reason": "our own card",
        "values": [{ "value": value }],
    });
    json!({ "command": { "list_change": change }, "reason": "a card of ours" })
}

fn vote(asked: &Value) -> Value {
    json!({ "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it" })
}

fn path(asked: &Value, what: &str) -> String {
    format!("/v1/approvals/{}/{what}", asked["id"].as_str().unwrap())
}

async fn set_roles(world: &World, id: &str, roles: &[&str]) {
    let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
    let acme = TenantId::parse("acme").unwrap();
    let set = world.staff.set_roles(author(), &acme, id, &roles).await;
    set.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_ask_vote_and_carry_out_as_long_as_their_roles_let_them() {
    let world = World::start(Setup::default()).await;
    let role = ["senior_analyst"];
    let mut lin = Person::with_roles(&world, "acme", "lin@example.com", &role).await;
    let mut mei = Person::with_roles(&world, "acme", "mei@example.com", &role).await;
    let asked = lin.post("/v1/approvals", Some(&exempt("a"))).await;
    assert_eq!(asked.status, 201, "{}", asked.json());
    let asked = asked.json();
    assert!(asked["maker"].as_str().unwrap().starts_with("staff:stf_"));
    let votes = path(&asked, "votes");
    let own = lin.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(own.code(), "approval_by_maker");
    let voted = mei.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(
        (voted.status.as_u16(), &voted.json()["state"]),
        (200, &json!("approved"))
    );

    // The role is gone between the vote and the use, and comes back.
    let voted = voted.json();
    let id = voted["votes"][0]["by"].as_str().unwrap();
    let id = id.strip_prefix("staff:").unwrap();
    set_roles(&world, id, &["analyst"]).await;
    let execution = path(&asked, "execution");
    let purpose = json!({ "purpose": "as approved" });
    let refused = lin.post(&execution, Some(&purpose)).await;
    assert_eq!(refused.code(), "approval_votes");
    set_roles(&world, id, &role).await;
    let done = lin.post(&execution, Some(&purpose)).await;
    assert_eq!(done.status, 200, "{}", done.json());
    let again = lin.post(&execution, Some(&purpose)).await;
    assert_eq!(again.code(), "approval_used");

    let page = lin.get("/v1/approvals?state=used").await.json();
    assert_eq!(page["approvals"][0]["id"], asked["id"]);
    let key = world.signer("acme", Ed25519).await;
    let entries = Sent::new(Method::GET, "/v1/lists/trusted_cards/entries", "");
    let entries = world.client(true).await.signed(&key, entries).await.json();
    assert_eq!(entries["entries"][0]["value"], "a");
    let by = entries["entries"][0]["added_by"].as_str().unwrap();
    assert!(by.starts_with("stf_"), "{by}");
    let verdict = world.database.verify(None).await.unwrap();
    let intact = matches!(verdict, paywarden_store::Verdict::Intact(_));
    assert!(intact, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_another_role_and_another_page_come_to_nothing() {
    let world = World::start(Setup::default()).await;
    let role = ["senior_analyst"];
    let mut lin = Person::with_roles(&world, "acme", "lin@example.com", &role).await;
    let asked = lin.post("/v1/approvals", Some(&exempt("a"))).await.json();
    let votes = path(&asked, "votes");
    let mut stranger = Person::with_roles(&world, "other", "kim@example.com", &role).await;
    let voted = stranger.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(voted.code(), "approval_unknown");
    let mut auditor = Person::with_roles(&world, "acme", "wu@example.com", &["auditor"]).await;
    let voted = auditor.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(voted.code(), "scope_insufficient");
    let seen = auditor.get("/v1/approvals").await.json();
    assert_eq!(seen["approvals"][0]["id"], asked["id"]);
    // A page of somebody else, with the cookie that the browser adds.
    lin.csrf = "guessed".to_owned();
    let forged = lin.post("/v1/approvals", Some(&exempt("b"))).await;
    assert_eq!(forged.code(), "csrf_token_invalid");
    // Neither signature nor cookie.
    let mut nobody = world.client(true).await;
    assert_eq!(
        nobody.get("/v1/approvals").await.code(),
        "signature_missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_are_asked_for_keys_do_not_count() {
    let world = World::start(Setup::default()).await;
    let (maker, key) = (
        world.signer("acme", Ed25519).await,
        world.signer("acme", Ed25519).await,
    );
    let mut client = world.client(true).await;
    let mut send = async |signer, path: &str, body: &Value| {
        let sent = Sent::json(Method::POST, path, body);
        client.signed(signer, sent).await
    };
    let text = "review_hours = 8\n[[clause]]\nid = \"lists\"\ncommand = \"list_change\"\n\
        objects = [\"*\"]\napprovers = 1\napprover = \"approvals:vote\"\nexpires_hours = 1\n\
        staff_only = true\n";
    let policy = json!({ "policy_change": { "replaces": 0, "text": text } });
    let body = json!({ "command": policy, "reason": "people decide" });
    let asked = send(&maker, "/v1/approvals", &body).await.json();
    send(&key, &path(&asked, "votes"), &vote(&asked)).await;
    let purpose = json!({ "purpose": "as approved" });
    let done = send(&maker, &path(&asked, "execution"), &purpose).await;
    assert_eq!(done.status, 200, "{}", done.json());

    let asked = send(&maker, "/v1/approvals", &exempt("a")).await.json();
    let voted = send(&key, &path(&asked, "votes"), &vote(&asked)).await;
    assert_eq!(voted.code(), "approval_forbidden");
    let role = ["senior_analyst"];
    let mut mei = Person::with_roles(&world, "acme", "mei@example.com", &role).await;
    let voted = mei.post(&path(&asked, "votes"), Some(&vote(&asked))).await;
    assert_eq!(voted.status, 200, "{}", voted.json());
    let done = send(&maker, &path(&asked, "execution"), &purpose).await;
    assert_eq!(done.status, 200, "{}", done.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_by_two_and_never_by_whoever_gets_them() {
    let world = World::start(Setup::default()).await;
    let role = ["security_administrator"];
    let mut wang = Person::with_roles(&world, "acme", "wang@example.com", &role).await;
    let mut sun = Person::with_roles(&world, "acme", "sun@example.com", &role).await;
    let mut zhou = Person::with_roles(&world, "acme", "zhou@example.com", &role).await;
    let of_zhou = zhou.get("/v1/session").await.json()["account"].clone();
    let asking = |roles: &[&str]| {
        let command = json!({ "role_grant": { "account": of_zhou, "roles": roles } });
        json!({ "command": command, "reason": "a new task" })
    };
    let own = zhou
        .post("/v1/approvals", Some(&asking(&["analyst"])))
        .await;
    assert_eq!(own.code(), "own_account");
    let asked = wang
        .post("/v1/approvals", Some(&asking(&["auditor", "analyst"])))
        .await;
    let asked = asked.json();
    assert_eq!(asked["object"], "analyst+auditor", "{asked}");
    let votes = path(&asked, "votes");
    let voted = zhou.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(voted.code(), "approval_by_maker");
    let voted = sun.post(&votes, Some(&vote(&asked))).await;
    assert_eq!(voted.status, 200, "{}", voted.json());

    // Other roles than those that were voted on, then these, then these again.
    let account = format!("/v1/staff/{}/roles", of_zhou.as_str().unwrap());
    let by = |roles: &[&str]| json!({ "roles": roles, "purpose": "p", "approval": asked["id"] });
    let other = wang
        .send(Method::PUT, &account, Some(&by(&["analyst"])))
        .await;
    assert_eq!(other.code(), "approval_other_payload");
    let given = by(&["auditor", "analyst"]);
    let done = wang.send(Method::PUT, &account, Some(&given)).await;
    assert_eq!(done.status, 200, "{}", done.json());
    assert_eq!(done.json()["grants"][0]["approval"], asked["id"]);
    let again = wang.send(Method::PUT, &account, Some(&given)).await;
    assert_eq!(again.code(), "approval_used");
    // Taking every role back waits for nobody.
    let none = json!({ "roles": [], "purpose": "left" });
    let none = wang.send(Method::PUT, &account, Some(&none)).await;
    assert_eq!(none.json()["grants"], json!([]));
}
