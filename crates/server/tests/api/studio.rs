//! Rules while they are written, by people: help at the cursor, checks, drafts of their own, and what
//! a version would have said; and the first call of a program, seen by whoever waits for it.

use crate::support::{Person, Sent, Setup, World, payment};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};

const PACK: &str = "\
# Why.
pack: ceiling
title: A ceiling
define:
  is_high: payment.amount_base >= money(\"1.00\", \"USD\")
rules:
  - id: high
    title: The amount is high
    title_zh: 金额过高
    engine: fraud
    when: is_high
    score: 0
    action: decline
    reason: { code: high, text: The amount is high }
    source: test
    examples:
      - { hit: true, name: high, given: { payment.amount_base: 1.00 USD } }
      - { hit: false, name: low, given: { payment.amount_base: 0.01 USD } }
";

async fn author(world: &World) -> Person {
    let roles = ["rule_author", "analyst"];
    Person::with_roles(world, "acme", "zhao@example.com", &roles).await
}

async fn ask(person: &mut Person, path: &str, body: &Value) -> Value {
    let answer = person.post(path, Some(body)).await;
    assert!(answer.status.is_success(), "{path} {}", answer.json());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_checked_completed_and_explained_while_it_is_written() {
    let world = World::start(Setup::default()).await;
    let mut author = author(&world).await;
    let whole = json!({ "text": PACK, "rule": "high" });
    let checked = ask(&mut author, "/v1/rules/check", &whole).await;
    assert_eq!(checked["problems"], json!([]), "{checked}");
    assert_eq!(checked["rules"][0]["title_zh"], "金额过高");
    let rule = &checked["rule"];
    assert_eq!(
        rule["meaning"],
        "payment.amount_base >= money(\"1.00\", \"USD\")"
    );
    let holds: Vec<_> = rule["examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["holds"])
        .collect();
    assert_eq!(holds, [&json!(true), &json!(true)]);

    // The same rule with a slip, put into the text: the comment above stays, the slip is named.
    let mut slipped = rule["written"].clone();
    slipped["when"] = json!("payment.amout_base > money(\"1.00\", \"USD\")");
    let change = json!({ "replaces": "high", "rule": slipped });
    let asked = json!({ "text": PACK, "change": change });
    let checked = ask(&mut author, "/v1/rules/check", &asked).await;
    let text = checked["text"].as_str().unwrap();
    assert!(text.starts_with("# Why.\n") && text.contains("title_zh: 金额过高\n"));
    let problem = &checked["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["is_error"]),
        (&json!("unknown_field"), &json!(true))
    );
    assert!(
        problem["hint"]
            .as_str()
            .unwrap()
            .contains("payment.amount_base"),
        "{problem}"
    );
    assert_eq!(problem["place"]["start"], 0);

    let asked = json!({ "expression": "is_h", "cursor": 4, "text": PACK });
    let offered = ask(&mut author, "/v1/rules/completions", &asked).await;
    assert_eq!(offered["completions"][0]["text"], "is_high", "{offered}");
    let asked = json!({ "expression": "payer.age < duration(\"2d\")", "cursor": 3 });
    let found = ask(&mut author, "/v1/rules/hover", &asked).await;
    assert_eq!(found["hover"]["title"], "payer.age: duration");
    let long = json!({ "expression": "x".repeat(65 * 1024), "cursor": 0 });
    let refused = author.post("/v1/rules/hover", Some(&long)).await;
    assert_eq!(refused.code(), "rule_set_malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_draft_in_their_own_name_and_read_packs_one_by_one() {
    let world = World::start(Setup::default()).await;
    let mut author = author(&world).await;
    let packs = json!([{ "file": "ceiling.yaml", "text": PACK }]);
    let draft = json!({ "from": "live", "packs": packs, "purpose": "a ceiling" });
    let drafted = ask(&mut author, "/v1/rule-sets", &draft).await;
    assert!(
        drafted["maker"].as_str().unwrap().starts_with("staff:"),
        "{drafted}"
    );
    let version = drafted["version"].as_str().unwrap();
    let lines = author
        .get(&format!("/v1/rule-sets/{version}/packs"))
        .await
        .json();
    let names: Vec<_> = lines["packs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["pack"])
        .collect();
    assert!(names.contains(&&json!("ceiling")), "{lines}");
    let pack = author
        .get(&format!("/v1/rule-sets/{version}/packs/ceiling?rule=high"))
        .await
        .json();
    assert_eq!(
        (&pack["file"], &pack["text"]),
        (&json!("ceiling.yaml"), &json!(PACK))
    );
    assert_eq!(
        author
            .get(&format!("/v1/rule-sets/{version}/packs/none"))
            .await
            .code(),
        "pack_unknown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_asked_about_a_decision_of_the_past() {
    let world = World::start(Setup::default()).await;
    let key = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let decided = client
        .signed(&key, Sent::decision(&payment("pay-1")))
        .await
        .json();
    let mut author = author(&world).await;
    let packs = json!([{ "file": "ceiling.yaml", "text": PACK }]);
    let draft = json!({ "from": "live", "packs": packs, "purpose": "a ceiling" });
    let drafted = ask(&mut author, "/v1/rule-sets", &draft).await;
    let version = drafted["version"].as_str().unwrap();
    let id = decided["id"].as_str().unwrap();
    let other = author
        .get(&format!("/v1/decisions/{id}/what-if?version={version}"))
        .await
        .json();
    assert_eq!(
        (&other["before"], &other["after"]),
        (&decided["outcome"], &json!("decline")),
        "{other}"
    );
    assert_eq!(other["come"][0]["rule"], "ceiling.high");
    assert_eq!(other["windows_missing"], json!([]));
    let same = author
        .get(&format!("/v1/decisions/{id}/what-if?version=live"))
        .await
        .json();
    assert_eq!(same["before"], same["after"]);
    assert_eq!((&same["come"], &same["gone"]), (&json!([]), &json!([])));

    let activity = author.get("/v1/rules/activity").await.json();
    assert_eq!(activity["decisions"], 1);
    assert!(!activity["coverage"].as_array().unwrap().is_empty());
    // Putting back what decided takes a factor and a version that is live.
    let refused = author
        .post("/v1/rule-sets/rollback", Some(&json!({ "purpose": "p" })))
        .await;
    assert_eq!(refused.code(), "rule_set_not_live");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_is_seen_by_whoever_waits_for_it_and_by_nobody_else() {
    let world = World::start(Setup::default()).await;
    let mut waits = Person::with_roles(&world, "acme", "li@example.com", &["key_custodian"]).await;
    let mut other = Person::with_roles(&world, "other", "wu@example.com", &["key_custodian"]).await;
    let key = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let unseen = client.signed(&key, Sent::decision(&payment("pay-0"))).await;
    assert_eq!(unseen.status, StatusCode::OK);
    for person in [&mut waits, &mut other] {
        assert_eq!(
            person.get("/v1/signed-calls").await.json()["calls"],
            json!([])
        );
    }
    let decided = client
        .signed(&key, Sent::decision(&payment("pay-1")))
        .await
        .json();
    // Signed for one address, sent to another.
    let mut sent = Sent::decision(&payment("pay-2"));
    client.sign(&key, &mut sent);
    sent.path = "/v1/decisions?later=1".to_owned();
    assert_eq!(client.send(sent).await.code(), "signature_invalid");
    let seen = waits.get("/v1/signed-calls").await.json();
    let [wrong, right] = seen["calls"].as_array().unwrap().as_slice() else {
        panic!("{seen}");
    };
    assert_eq!(
        (&right["decision"], &right["outcome"]),
        (&decided["id"], &decided["outcome"])
    );
    assert_eq!(wrong["code"], "signature_invalid");
    let base = wrong["signature_base"].as_str().unwrap();
    assert!(
        base.contains("/v1/decisions?later=1") && !base.contains("pay-2"),
        "{base}"
    );
    assert_eq!(
        other.get("/v1/signed-calls").await.json()["calls"],
        json!([])
    );
    let refused = client
        .signed(&key, Sent::new(Method::GET, "/v1/signed-calls", ""))
        .await;
    assert_eq!(refused.code(), "session_required");
}
