//! A rule set from its draft to live and back, over the signed API.

use crate::support::{Client, Sent, Setup, Signer, World, payment, unique};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};

/// A pack with one rule that declines every payment of at least so many dollars.
fn pack(dollars: u32) -> String {
    format!(
        r#"
pack: ceiling
title: A ceiling
rules:
  - id: high
    title: The amount is high
    engine: fraud
    when: payment.amount_base >= money("{dollars}.00", "USD")
    score: 0
    action: decline
    reason: {{ code: high, text: The amount is high }}
    source: test
    examples:
      - {{ hit: true, given: {{ payment.amount_base: {dollars}.00 USD }} }}
      - {{ hit: false, given: {{ payment.amount_base: 0.01 USD }} }}
"#
    )
}

struct Desk {
    world: World,
    client: Client,
    maker: Signer,
    checker: Signer,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start(Setup::default()).await;
        let client = world.client(true).await;
        let maker = world.signer("acme", Ed25519).await;
        let scopes = Scopes::of(&[Scope::RulesApprove, Scope::RulesRead, Scope::ApprovalsVote]);
        let checker = world.signer_with("acme", Ed25519, scopes).await;
        Self {
            world,
            client,
            maker,
            checker,
        }
    }

    async fn ask(&mut self, sent: Sent) -> (StatusCode, Value) {
        let answer = self.client.signed(&self.maker, sent).await;
        (answer.status, answer.json())
    }

    async fn read(&mut self, path: &str) -> Value {
        let (status, json) = self.ask(Sent::new(Method::GET, path, "")).await;
        assert_eq!(status, StatusCode::OK, "{path} {json}");
        json
    }

    async fn draft(&mut self, body: Value) -> (StatusCode, Value) {
        self.ask(Sent::json(Method::POST, "/v1/rule-sets", &body))
            .await
    }

    /// A draft with the library below it.
    async fn drafted(&mut self, dollars: u32) -> String {
        let packs = json!([{ "file": "ceiling.yaml", "text": pack(dollars) }]);
        let body = json!({ "packs": packs, "from": "base", "purpose": "try a ceiling" });
        let (status, json) = self.draft(body).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        assert_eq!(json["state"], "checked");
        json["version"].as_str().unwrap().to_owned()
    }

    async fn step(&mut self, version: &str, step: &str) -> (StatusCode, Value) {
        let path = format!("/v1/rule-sets/{version}/{step}");
        let body = json!({ "purpose": "test" });
        self.ask(Sent::json(Method::POST, &path, &body)).await
    }

    async fn refused(&mut self, version: &str, step: &str, status: u16, code: &str) {
        let (answered, json) = self.step(version, step).await;
        assert_eq!((answered.as_u16(), &json["code"]), (status, &json!(code)));
    }

    /// Asks for the publication, and has it approved by another; the approval.
    async fn approved(&mut self, version: &str) -> String {
        let release = json!({ "rule_release": { "version": version } });
        let body = json!({ "command": release, "reason": "as tried" });
        let (status, asked) = self
            .ask(Sent::json(Method::POST, "/v1/approvals", &body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let sent = Sent::json(Method::POST, &format!("/v1/approvals/{id}/votes"), &vote);
        let (status, json) = self.ask(sent.again()).await;
        assert_eq!(
            (status.as_u16(), &json["code"]),
            (403, &json!("approval_by_maker"))
        );
        self.refused_to_author(version).await;
        let answer = self.client.signed(&self.checker, sent).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        id
    }

    /// Whoever made the draft cannot approve its release when another asks for it.
    async fn refused_to_author(&mut self, version: &str) {
        let other = self.world.signer("acme", Ed25519).await;
        let release = json!({ "rule_release": { "version": version } });
        let body = json!({ "command": release, "reason": "as tried" });
        let sent = Sent::json(Method::POST, "/v1/approvals", &body);
        let asked = self.client.signed(&other, sent).await.json();
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "mine",
        });
        let path = format!("/v1/approvals/{}/votes", asked["id"].as_str().unwrap());
        let (_, json) = self.ask(Sent::json(Method::POST, &path, &vote)).await;
        assert_eq!(json["code"], "approval_by_maker", "{json}");
    }

    /// The verdict on a payment of 12.34 dollars.
    async fn decide(&mut self) -> Value {
        let sent = Sent::decision(&payment(&unique("p")));
        let (status, json) = self.ask(sent).await;
        assert_eq!(status, StatusCode::OK, "{json}");
        json
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_set_goes_from_draft_over_shadow_and_approval_to_live_and_back() {
    let mut desk = Desk::open().await;
    let base = desk.read("/v1/rule-sets").await["base"].clone();
    let version = desk.drafted(10).await;
    assert_eq!(desk.decide().await["outcome"], "approve");

    let (status, json) = desk.step(&version, "shadow").await;
    assert_eq!((status, &json["state"]), (StatusCode::OK, &json!("shadow")));
    let decided = desk.decide().await;
    assert_eq!(
        (&decided["outcome"], &decided["rule_set"]),
        (&json!("approve"), &base)
    );
    let trial = desk.read(&format!("/v1/rule-sets/{version}")).await["trial"].clone();
    assert_eq!(
        (&trial["compared"], &trial["stricter"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        trial["rules"],
        json!([{ "rule": "ceiling.high", "hits": 1 }])
    );

    desk.refused(&version, "publish", 409, "approval_missing")
        .await;
    let approval = desk.approved(&version).await;
    let body = json!({ "purpose": "test", "approval": approval });
    let path = format!("/v1/rule-sets/{version}/publish");
    let (status, json) = desk.ask(Sent::json(Method::POST, &path, &body)).await;
    assert_eq!((status, &json["state"]), (StatusCode::OK, &json!("live")));
    let decided = desk.decide().await;
    assert_eq!(
        (&decided["outcome"], &decided["rule_set"]),
        (&json!("decline"), &json!(version))
    );
    explained(&mut desk, &decided).await;
    desk.refused(&version, "publish", 409, "rule_set_move")
        .await;
    desk.refused(&version, "archive", 409, "rule_set_move")
        .await;

    roll_back(&mut desk, &version, &base).await;
}

/// A rule that fired, one that did not, and one that is not there.
async fn explained(desk: &mut Desk, decided: &Value) {
    let path = format!(
        "/v1/decisions/{}/explanation?rule=",
        decided["id"].as_str().unwrap()
    );
    let fired = desk.read(&format!("{path}ceiling.high")).await;
    assert_eq!(
        (&fired["holds"], &fired["why_not"]),
        (&json!(true), &json!([]))
    );
    let values = &fired["condition"]["values"];
    assert_eq!(values[0]["value"], "12.34 USD", "{fired}");
    let silent = desk.read(&format!("{path}test.denied_card")).await;
    assert_eq!(silent["holds"], false);
    let why_not = &silent["why_not"][0];
    assert_eq!(
        (&why_not["wanted"], &why_not["truth"]),
        (&json!(true), &json!("false")),
        "{silent}"
    );
    let (status, json) = desk
        .ask(Sent::new(Method::GET, &format!("{path}no.rule"), ""))
        .await;
    assert_eq!(
        (status.as_u16(), &json["code"]),
        (404, &json!("rule_unknown"))
    );
}

async fn roll_back(desk: &mut Desk, version: &str, base: &Value) {
    let rollback = Sent::json(
        Method::POST,
        "/v1/rule-sets/rollback",
        &json!({ "purpose": "oops" }),
    );
    let (status, json) = desk.ask(rollback.again()).await;
    assert_eq!(
        (status, &json["state"]),
        (StatusCode::OK, &json!("archived"))
    );
    assert_eq!(&desk.decide().await["rule_set"], base);
    let (status, json) = desk.ask(rollback.again()).await;
    assert_eq!(
        (status.as_u16(), &json["code"]),
        (409, &json!("rule_set_not_live"))
    );

    let record = desk.read(&format!("/v1/rule-sets/{version}")).await;
    let actions: Vec<_> = record["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["draft", "check", "shadow", "publish", "roll_back"]
    );
    assert_eq!(record["history"][3]["trial"]["compared"], 1);
    let approval = record["history"][3]["approval"].as_str().unwrap();
    assert!(approval.starts_with("apr_"), "{approval}");
    assert_eq!(record["packs"].as_array().unwrap().len(), 2);
    let verdict = desk.world.database.verify(None).await.unwrap();
    assert!(
        matches!(verdict, paywarden_store::Verdict::Intact { .. }),
        "{verdict:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_does_not_compile_says_where_and_leaves_no_trace() {
    let mut desk = Desk::open().await;
    let head = desk.world.database.trail_heads().await.unwrap();
    let wrong = pack(10).replace("amount_base >=", "amuont_base >=");
    let packs = json!([{ "file": "ceiling.yaml", "text": wrong }]);
    let (status, json) = desk.draft(json!({ "packs": packs, "purpose": "p" })).await;
    assert_eq!(
        (status.as_u16(), &json["code"]),
        (422, &json!("rules_refused"))
    );
    let found = &json["diagnostics"][0];
    assert_eq!(
        (&found["file"], &found["rule"]),
        (&json!("ceiling.yaml"), &json!("ceiling.high"))
    );
    assert_eq!(
        (&found["code"], &found["line"]),
        (&json!("unknown_field"), &json!(5))
    );
    assert_eq!(found["place"]["start"], 0);
    assert!(
        found["hint"]
            .as_str()
            .unwrap()
            .contains("payment.amount_base"),
        "{found}"
    );

    let false_example = pack(10).replace("0.01 USD", "99.00 USD");
    let packs = json!([{ "file": "ceiling.yaml", "text": false_example }]);
    let (status, json) = desk.draft(json!({ "packs": packs, "purpose": "p" })).await;
    assert_eq!(
        (status.as_u16(), &json["diagnostics"][0]["code"]),
        (422, &json!("example_failed"))
    );
    for (body, code) in [
        (json!({ "packs": [], "purpose": "p" }), "rule_set_malformed"),
        (
            json!({ "packs": [{ "file": "x" }], "purpose": "p" }),
            "field_invalid",
        ),
        (
            json!({ "from": "base", "without": ["nobody"], "purpose": "p" }),
            "pack_unknown",
        ),
        (
            json!({ "from": "0000000000000000", "purpose": "p" }),
            "rule_set_unknown",
        ),
        (
            json!({ "from": "base", "purpose": "" }),
            "rule_set_malformed",
        ),
    ] {
        let (_, json) = desk.draft(body).await;
        assert_eq!(json["code"], code, "{json}");
    }
    assert_eq!(desk.world.database.trail_heads().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_compared_and_found_again_by_their_content() {
    let mut desk = Desk::open().await;
    let first = desk.drafted(10).await;
    let second = desk.drafted(20).await;
    let packs = json!([{ "file": "other name.yaml", "text": pack(20) + "# a remark\n" }]);
    let body = json!({ "packs": packs, "from": first, "purpose": "again" });
    let (status, json) = desk.draft(body).await;
    assert_eq!((status, &json["version"]), (StatusCode::OK, &json!(second)));

    let diff = desk
        .read(&format!("/v1/rule-sets/{second}/diff?against={first}"))
        .await;
    assert_eq!((&diff["added"], &diff["removed"]), (&json!([]), &json!([])));
    let fields = &diff["changed"][0]["fields"];
    assert_eq!(fields.as_array().unwrap().len(), 1, "{diff}");
    assert_eq!(
        fields[0]["before"],
        "payment.amount_base >= money(\"10.00\", \"USD\")"
    );
    let diff = desk.read(&format!("/v1/rule-sets/{second}/diff")).await;
    assert_eq!(diff["added"], json!(["ceiling.high"]));

    let page = desk.read("/v1/rule-sets?limit=1").await;
    assert_eq!(page["rule_sets"][0]["version"], json!(second));
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = desk
        .read(&format!("/v1/rule-sets?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(
        (&page["rule_sets"][0]["version"], &page["next_cursor"]),
        (&json!(first), &json!(null))
    );
    let idle = desk.read(&format!("/v1/rule-sets/{first}/progress")).await;
    assert_eq!(idle, json!({ "status": "idle" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draft_of_the_guide_is_taken_as_json() {
    let guide = include_str!("../../../../docs/guide/rules-release.md");
    let (_, rest) = guide.split_once("/v1/rule-sets\" -d '").unwrap();
    let (body, _) = rest.split_once("\n}'").unwrap();
    let body: Value = serde_json::from_str(&format!("{body}\n}}")).unwrap();
    let mut desk = Desk::open().await;
    let (status, json) = desk.draft(body).await;
    assert_eq!(
        (status, &json["state"]),
        (StatusCode::CREATED, &json!("checked")),
        "{json}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_comes_with_what_is_worth_a_look() {
    let mut desk = Desk::open().await;
    let narrow = pack(20).replace("  - id: high", "  - id: higher");
    let (_, narrow) = narrow.split_once("rules:\n").unwrap();
    let text = format!("{}{narrow}", pack(10).trim_end().to_owned() + "\n");
    let draft = json!({ "packs": [{ "file": "c.yaml", "text": text }], "purpose": "p" });
    for expected in [StatusCode::CREATED, StatusCode::OK] {
        let (status, json) = desk.draft(draft.clone()).await;
        assert_eq!((status, &json["state"]), (expected, &json!("checked")));
        let warning = &json["warnings"][0];
        assert_eq!(
            (&warning["code"], &warning["rule"]),
            (&json!("subsumed"), &json!("ceiling.higher")),
            "{json}"
        );
        assert_eq!(json["warnings"].as_array().unwrap().len(), 1);
    }
}
