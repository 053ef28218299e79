//! Screening lists and names held against them, by API.

use crate::support::{Client, Sent, Setup, Signer, World, client::Answer, now, payment};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_server::rescreen;
use paywarden_store::Verdict;
use serde_json::{Value, json};
use std::time::Duration;

const SHIPPED: &str = include_str!("../../../../rules/screening.yaml");
const UN: &str = "/v1/screening-lists/un/versions?format=csv&kind=sanctions";

/// An installation with the shipped rules about screening, and somebody of a company.
struct Desk {
    world: World,
    client: Client,
    acme: Signer,
}

impl Desk {
    async fn open() -> Self {
        let rules = Some(SHIPPED);
        let world = World::start(Setup {
            rules,
            ..Setup::default()
        })
        .await;
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        Self {
            client: world.client(true).await,
            acme: world.signer("acme", Ed25519).await,
            world,
        }
    }

    async fn restart(self) -> Self {
        let rules = Some(SHIPPED);
        Self::of(
            self.world
                .restart(Setup {
                    rules,
                    ..Setup::default()
                })
                .await,
        )
        .await
    }

    async fn import(&mut self, path: &str, list: impl Into<bytes::Bytes>) -> Answer {
        self.client.signed(&self.acme, upload(path, list)).await
    }

    async fn get(&mut self, path: &str) -> Value {
        let answer = self
            .client
            .signed(&self.acme, Sent::new(Method::GET, path, ""))
            .await;
        assert!(answer.status.is_success(), "{path} {}", answer.json());
        answer.json()
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let sent = Sent::json(Method::POST, path, body);
        self.client.signed(&self.acme, sent).await
    }

    async fn screen(&mut self, name: &str) -> Value {
        let body = json!({ "purpose": "aml_compliance", "party": { "name": name } });
        let answer = self.post("/v1/screenings", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        answer.json()
    }

    /// Has a command approved and carried out, which nobody can do alone.
    async fn approved(&mut self, checker: &Signer, command: &Value) {
        let asked = self.post("/v1/approvals", command).await.json();
        let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
        let (execution, purpose) = (format!("{path}/execution"), json!({ "purpose": "p" }));
        let alone = self.post(&execution, &purpose).await;
        assert_eq!(alone.code(), "approval_votes");
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "right",
        });
        let vote = Sent::json(Method::POST, &format!("{path}/votes"), &vote);
        let voted = self.client.signed(checker, vote).await;
        assert_eq!(voted.status, StatusCode::OK, "{}", voted.json());
        let done = self.post(&execution, &purpose).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.json());
    }

    /// A payment to somebody, with a text if it has one; what was decided.
    async fn pay(&mut self, id: &str, payee: &str, text: Option<&str>) -> Value {
        let mut payment = payment(id);
        payment["payee"] = json!({ "name": payee });
        if let Some(text) = text {
            payment["remittance"] = json!(text);
        }
        let answer = self
            .client
            .signed(&self.acme, Sent::decision(&payment))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        answer.json()
    }
}

fn upload(path: &str, list: impl Into<bytes::Bytes>) -> Sent {
    Sent::new(Method::POST, path, list).header("content-type", "application/octet-stream")
}

/// A command about the list `un`.
fn change(operation: &str, version: Option<&Value>) -> Value {
    let change = json!({
        "list": "un", "operation": operation, "version": version, "reason": "delisted in bulk",
    });
    json!({ "command": { "screening_change": change }, "reason": "read the announcement" })
}

/// An own list of parties with these numbers, and one who is well known.
fn list(ids: std::ops::Range<usize>) -> String {
    let mut csv = "id,name,kind,birth_date,countries\n".to_owned();
    csv += "q1,Muammar Gaddafi,person,1942,LY\n";
    for id in ids {
        csv += &format!("p{id},{},person,,\n", name(id));
    }
    csv
}

/// A name that no other number has.
fn name(id: usize) -> String {
    const SYLLABLES: [&str; 10] = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu"];
    let word = |number: usize| {
        let digits = [number % 10, number / 10 % 10, number / 100 % 10];
        digits.map(|digit| SYLLABLES[digit]).concat()
    };
    format!("{} {}", word(id + 3), word(7 * id + 111))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_told_apart_from_the_one_before_and_lasts() {
    let mut desk = Desk::open().await;
    let first = desk.import(UN, list(0..100)).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.json());
    let version = &first.json()["version"];
    assert_eq!(
        (
            &version["number"],
            &version["entities"],
            &version["added"],
            &version["kind"]
        ),
        (&json!(1), &json!(101), &json!(101), &json!("sanctions"))
    );
    let same = desk.import(UN, list(0..100)).await.json();
    assert_eq!(
        (&same["unchanged"], &same["version"]),
        (&json!(true), version)
    );
    let second = desk.import(UN, list(5..110)).await.json();
    let counts =
        ["number", "added", "changed", "removed"].map(|name| second["version"][name].clone());
    assert_eq!(counts, [json!(2), json!(10), json!(0), json!(5)]);
    let before = desk.get("/v1/screening-lists").await;

    let mut desk = desk.restart().await;
    let mut after = desk.get("/v1/screening-lists").await;
    after["built_ms"] = before["built_ms"].clone();
    assert_eq!(after, before);
    let versions = desk.get("/v1/screening-lists/un/versions?limit=1").await;
    assert_eq!(versions["versions"][0]["number"], 2);
    assert_eq!(versions["next_before"], 2);
    assert_eq!(
        desk.screen("Moammar al-Qaddafi").await["hits"][0]["entry"],
        "q1"
    );
    assert_eq!(desk.screen(&name(109)).await["hits"][0]["entry"], "p109");
    assert_eq!(desk.screen(&name(1)).await["hits"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_list_is_refused_and_the_version_before_stays() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let un =
        |format: &str| format!("/v1/screening-lists/un/versions?format={format}&kind=sanctions");
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\
        <CONSOLIDATED_LIST><INDIVIDUALS>&b;</INDIVIDUALS></CONSOLIDATED_LIST>";
    let half = "<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID>";
    let deep = format!("<CONSOLIDATED_LIST>{}", "<a>".repeat(100_000));
    let long = format!("id,name\n1,{}\n", "a".repeat(2 << 20));
    for (path, body, code) in [
        (un("un"), bomb.to_owned(), "screening_list_refused"),
        (un("un"), half.to_owned(), "screening_list_refused"),
        (un("un"), deep, "screening_list_refused"),
        (un("csv"), "id,name\n".to_owned(), "screening_list_refused"),
        (
            un("csv"),
            "id,name\n1,A B\n1,C D\n".to_owned(),
            "screening_list_refused",
        ),
        (un("csv"), list(0..40), "screening_list_shrunken"),
        (un("ofac_csv"), list(0..100), "parameter_invalid"),
        (un("nonsense"), list(0..100), "parameter_invalid"),
        (
            "/v1/screening-lists/un/versions?format=csv".to_owned(),
            list(0..100),
            "parameter_invalid",
        ),
        (
            "/v1/screening-lists/UN%20x/versions?format=csv&kind=own".to_owned(),
            list(0..100),
            "screening_list_refused",
        ),
    ] {
        let refused = desk.import(&path, body).await;
        assert_eq!(refused.code(), code, "{path} {}", refused.json());
    }
    // A name too long to be one is left out of the index, not of the list.
    let own = "/v1/screening-lists/own/versions?format=csv&kind=own";
    let taken = desk.import(own, long).await;
    assert!(taken.status.is_success() || taken.code() == "screening_list_refused");
    let sent = upload(UN, list(0..100)).header("content-type", "application/json");
    let refused = desk.client.signed(&desk.acme, sent).await;
    assert_eq!(refused.code(), "content_type_unsupported");
    let large = desk.import(UN, vec![b'a'; 33 << 20]).await;
    assert_eq!(large.code(), "body_too_large");
    assert_eq!(
        desk.screen("Muammar Gaddafi").await["hits"][0]["entry"],
        "q1"
    );
    assert!(
        desk.world
            .metric("paywarden_screening_versions_refused_total")
            .await
            >= 6
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_shrank_goes_to_work_by_approval_alone() {
    let mut desk = Desk::open().await;
    let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
    let checker = desk.world.signer_with("acme", Ed25519, votes).await;
    desk.import(UN, list(0..100)).await;
    let refused = desk.import(UN, list(0..40)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let lists = desk.get("/v1/screening-lists").await;
    let waiting = &lists["lists"][0]["waiting"];
    assert_eq!(
        (&waiting["entities"], &waiting["was"]),
        (&json!(41), &json!(101))
    );
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains(waiting["version"].as_str().unwrap())
    );

    let wrong = desk
        .post("/v1/approvals", &change("accept", Some(&json!("00"))))
        .await;
    assert_eq!(wrong.code(), "screening_version_unknown");
    for (operation, version, left) in [("accept", Some(waiting), 41), ("retire", None, 0)] {
        let version = version.map(|waiting| &waiting["version"]);
        desk.approved(&checker, &change(operation, version)).await;
        let lists = desk.get("/v1/screening-lists").await;
        let entities = lists["lists"][0]["at_work"]["entities"]
            .as_u64()
            .unwrap_or(0);
        assert_eq!(
            (entities, &lists["lists"][0]["waiting"]),
            (left, &Value::Null)
        );
    }
    let none = json!({ "purpose": "aml_compliance", "party": { "name": "Muammar Gaddafi" } });
    assert_eq!(
        desk.post("/v1/screenings", &none).await.code(),
        "screening_no_lists"
    );
    let mut desk = desk.restart().await;
    assert_eq!(desk.get("/v1/screening-lists").await["lists"], json!([]));
    let again = desk.import(UN, list(0..3)).await.json();
    assert_eq!(again["version"]["number"], 4);
    let mut desk = desk.restart().await;
    assert_eq!(
        desk.screen("Muammar Gaddafi").await["hits"][0]["entry"],
        "q1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screening_is_explained_and_its_leaf_has_no_name() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let party = json!({
        "name": "\u{202E}Moammar\u{200B} al-Qaddafi", "kind": "person", "birth_date": "1942-06-07",
        "countries": ["LY"],
    });
    let body = json!({ "purpose": "onboarding", "party": party, "threshold": 0.6 });
    let answer = desk.post("/v1/screenings", &body).await.json();
    let hit = &answer["hits"][0];
    assert_eq!(
        (&hit["entry"], &hit["list_kind"]),
        (&json!("q1"), &json!("sanctions"))
    );
    let about: Vec<&str> = hit["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["about"].as_str().unwrap())
        .collect();
    assert!(
        about.contains(&"birth") && about.contains(&"country"),
        "{about:?}"
    );
    assert!(
        hit["score"].as_f64().unwrap() > 0.8 && hit["tokens"][0]["near"].as_f64().unwrap() > 0.5
    );
    assert_eq!(answer["expected_alert_rate"], 0.0);
    assert_eq!(answer["lists"][0]["list"], "un");

    let leaves = desk.get("/v1/trail/leaves?limit=100").await.to_string();
    assert!(leaves.contains("screening.create") && leaves.contains("onboarding"));
    assert!(leaves.contains(answer["id"].as_str().unwrap()));
    assert!(!leaves.to_lowercase().contains("qaddafi"), "{leaves}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screening_that_makes_no_sense_or_has_no_ground_is_refused() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let party = json!({ "name": "Muammar Gaddafi", "birth_date": "1942", "countries": ["LY"] });
    let body = json!({ "purpose": "onboarding", "party": party, "threshold": 0.6 });
    let of = |change: fn(&mut Value)| {
        let mut body = body.clone();
        change(&mut body);
        body
    };
    for (body, code) in [
        (
            of(|body| body["purpose"] = json!("marketing")),
            "purpose_not_for_data",
        ),
        (
            of(|body| body["purpose"] = json!("because")),
            "purpose_unknown",
        ),
        (of(|body| body["threshold"] = json!(0.1)), "field_invalid"),
        (
            of(|body| body["party"]["birth_date"] = json!("soon")),
            "field_invalid",
        ),
        (
            of(|body| body["party"]["countries"] = json!(["QQ"])),
            "country_unknown",
        ),
        (
            of(|body| body["party"]["name"] = json!("\u{200B} -")),
            "screening_name_refused",
        ),
        (
            of(|body| body["party"]["name"] = json!("a".repeat(2_000))),
            "screening_name_refused",
        ),
        (
            of(|body| body["party"]["name"] = json!("a".repeat(1 << 20))),
            "body_too_large",
        ),
    ] {
        assert_eq!(desk.post("/v1/screenings", &body).await.code(), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_names_are_screened_in_the_background() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let mut parties: Vec<Value> = (0..300)
        .map(|n| json!({ "name": format!("Ordinary{n} Person{n}") }))
        .collect();
    parties[7] = json!({ "name": "Gaddafi Muammar", "reference": "c7" });
    parties[9] = json!({ "name": "?", "reference": "c9" });
    let body = json!({ "purpose": "onboarding", "parties": parties });
    let asked = desk.post("/v1/screening-batches", &body).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.json());
    let path = format!(
        "/v1/screening-batches/{}",
        asked.json()["id"].as_str().unwrap()
    );
    let done = loop {
        let seen = desk.get(&path).await;
        match seen["batch"]["state"].as_str().unwrap() {
            "done" => break seen,
            "failed" => panic!("{seen}"),
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let counts = ["total", "done", "hits", "refused"].map(|name| done["batch"][name].clone());
    assert_eq!(counts, [json!(300), json!(300), json!(1), json!(1)]);
    let results = done["results"].as_array().unwrap();
    assert_eq!(
        (&results[0]["reference"], &results[1]["reference"]),
        (&json!("c7"), &json!("c9"))
    );
    assert_eq!(results[0]["matches"][0]["entry"], "q1");
    assert!(results[1]["refused"].as_str().unwrap().contains("letters"));
    let page = desk.get(&format!("{path}?limit=1")).await;
    let rest = desk
        .get(&format!("{path}?after={}", page["next_after"]))
        .await;
    assert_eq!(rest["results"], json!([results[1]]));

    let empty = json!({ "purpose": "onboarding", "parties": [] });
    assert_eq!(
        desk.post("/v1/screening-batches", &empty).await.code(),
        "screening_limit"
    );
    let other = desk.world.signer("other", Ed25519).await;
    let foreign = desk
        .client
        .signed(&other, Sent::new(Method::GET, &path, ""))
        .await;
    assert_eq!(foreign.code(), "screening_batch_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_restart_breaks_off_says_how_far_it_came() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let named = |n: usize| match n % 100 {
        7 => json!({ "name": "Gaddafi Muammar", "reference": format!("c{n}") }),
        _ => json!({ "name": format!("Ordinary{n} Person{n}") }),
    };
    let parties: Vec<Value> = (0..10_000).map(named).collect();
    let body = json!({ "purpose": "onboarding", "parties": parties });
    let asked = desk.post("/v1/screening-batches", &body).await.json();
    let path = format!("/v1/screening-batches/{}", asked["id"].as_str().unwrap());
    while desk.get(&path).await["batch"]["done"] == 0 {}
    let mut desk = desk.restart().await;
    let seen = desk.get(&format!("{path}?limit=1000")).await;
    let done = seen["batch"]["done"].as_u64().unwrap();
    assert!((500..10_000).contains(&done), "{seen}");
    assert_eq!(seen["batch"]["state"], "interrupted");
    // Every name up to there, and none behind it.
    let results = seen["results"].as_array().unwrap().iter();
    let found: Vec<u64> = results.map(|one| one["place"].as_u64().unwrap()).collect();
    assert_eq!(found, (7..done).step_by(100).collect::<Vec<_>>());
    assert_eq!(seen["batch"]["hits"], found.len());

    let rest = json!({ "purpose": "onboarding", "parties": parties[done as usize..] });
    let asked = desk.post("/v1/screening-batches", &rest).await.json();
    let path = format!("/v1/screening-batches/{}", asked["id"].as_str().unwrap());
    let whole = loop {
        let seen = desk.get(&path).await;
        match seen["batch"]["state"].as_str().unwrap() {
            "done" => break seen["batch"].clone(),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(whole["hits"].as_u64().unwrap() + found.len() as u64, 100);
    let verdict = desk.world.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    let mut desk = desk.restart().await;
    assert_eq!(desk.get(&path).await["batch"], whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_to_a_listed_party_is_held_and_says_why() {
    let mut desk = Desk::open().await;
    let before = desk.pay("pay-0", "Muammar Gaddafi", None).await;
    assert_eq!(
        before["outcome"], "approve",
        "without a list nobody is on one"
    );
    desk.import(UN, list(0..100)).await;
    let held = desk.pay("pay-1", "Muammar Gaddafi", None).await;
    assert_eq!(held["outcome"], "hold", "{held}");
    let free = desk.pay("pay-2", "Mary Miller", None).await;
    assert_eq!(free["outcome"], "approve", "{free}");
    let text = desk
        .pay(
            "pay-3",
            "Mary Miller",
            Some("rent for Muammar Gaddafi, may"),
        )
        .await;
    assert_eq!(text["outcome"], "review", "{text}");

    let explain = |decision: &Value, rule: &str| {
        let id = decision["id"].as_str().unwrap();
        format!("/v1/decisions/{id}/explanation?rule=screening.{rule}")
    };
    let why = desk.get(&explain(&held, "payee_sanctioned")).await;
    assert_eq!(why["holds"], true);
    let payee = &why["screening"][0];
    assert_eq!(
        (&payee["subject"], &payee["list"], &payee["entry"]),
        (&json!("payee"), &json!("un"), &json!("q1"))
    );
    assert!(payee["score"].as_f64().unwrap() >= 0.85);
    let seen = why["condition"]["values"][0]["value"].as_str().unwrap();
    assert_eq!(seen, payee["score"].to_string());
    let why = desk.get(&explain(&free, "payee_sanctioned")).await;
    assert_eq!(
        (&why["holds"], &why["screening"][0]["state"]),
        (&json!(false), &json!("clear"))
    );
    let why = desk.get(&explain(&before, "payee_sanctioned")).await;
    assert_eq!(
        (&why["condition"]["truth"], &why["screening"]),
        (&json!("unknown"), &json!([]))
    );

    // What a decision saw stays, though the list changes.
    desk.import(UN, list(0..100) + "z,Mary Miller,person,,\n")
        .await;
    let mut desk = desk.restart().await;
    let why = desk.get(&explain(&free, "payee_sanctioned")).await;
    assert_eq!(why["screening"][0]["state"], "clear");
    assert_eq!(
        desk.pay("pay-4", "Muammar Gaddafi", None).await["outcome"],
        "hold"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_at_once_are_one_after_the_other() {
    let mut desk = Desk::open().await;
    let (one, other) = (desk.world.client(true).await, desk.world.client(true).await);
    let path = |list: &str| format!("/v1/screening-lists/{list}/versions?format=csv&kind=own");
    let send = |mut client: Client, sent: Sent| async move { client.send(sent).await.status };
    let signed = |client: &Client, list: &str, body: String| {
        let mut sent = upload(&path(list), body);
        client.sign(&desk.acme, &mut sent);
        sent
    };
    let (a, b) = (
        signed(&one, "same", list(0..50)),
        signed(&other, "same", list(0..55)),
    );
    let (a, b) = tokio::join!(send(one, a), send(other, b));
    assert_eq!((a, b), (StatusCode::OK, StatusCode::OK));
    let versions = desk.get("/v1/screening-lists/same/versions").await;
    let numbers: Vec<i64> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 1]);
    let mut desk = desk.restart().await;
    let lists = desk.get("/v1/screening-lists").await;
    assert_eq!(lists["lists"][0]["at_work"], versions["versions"][0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_one_tenant_are_nothing_to_another() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let other = desk.world.signer("other", Ed25519).await;
    let mut ask = async |sent: Sent| desk.client.signed(&other, sent).await;
    let lists = ask(Sent::new(Method::GET, "/v1/screening-lists", ""))
        .await
        .json();
    assert_eq!(lists["lists"], json!([]));
    let versions = ask(Sent::new(
        Method::GET,
        "/v1/screening-lists/un/versions",
        "",
    ))
    .await;
    assert_eq!(versions.code(), "screening_list_unknown");
    let body = json!({ "purpose": "aml_compliance", "party": { "name": "Muammar Gaddafi" } });
    let refused = ask(Sent::json(Method::POST, "/v1/screenings", &body)).await;
    assert_eq!(refused.code(), "screening_no_lists");
    let mut payment = payment("pay-1");
    payment["payee"] = json!({ "name": "Muammar Gaddafi" });
    assert_eq!(
        ask(Sent::decision(&payment)).await.json()["outcome"],
        "approve"
    );
}

/// A command that clears a party of an entry of the list `un` for some days.
fn clearance(reference: &str, entry: &str, days: i64) -> Value {
    let until = Timestamp::from_micros(now().micros() + days * DAY);
    let command = json!({
        "reference": reference, "list": "un", "entry": entry, "expires_at": until.to_string(),
        "reason": "another person, seen by passport",
    });
    json!({ "command": { "screening_clearance": command }, "reason": "seen" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleared_party_is_left_alone_until_the_list_says_something_else() {
    let mut desk = Desk::open().await;
    let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
    let checker = desk.world.signer_with("acme", Ed25519, votes).await;
    desk.import(UN, list(0..100)).await;
    for (entry, days, code) in [
        ("nobody", 30, "screening_entry_unknown"),
        ("q1", 400, "screening_limit"),
        ("q1", 0, "screening_limit"),
    ] {
        let refused = desk
            .post("/v1/approvals", &clearance("c7", entry, days))
            .await;
        assert_eq!(refused.code(), code);
    }
    let of = |reference: &str| {
        json!({
            "purpose": "aml_compliance",
            "party": { "name": "Muammar Gaddafi", "reference": reference },
        })
    };
    desk.approved(&checker, &clearance("c7", "q1", 30)).await;
    let mut desk = desk.restart().await;
    let cleared = desk.get("/v1/screening-clearances").await;
    assert_eq!(cleared["clearances"][0]["entry"], "q1");
    assert!(!cleared.to_string().contains("\"c7\""), "{cleared}");
    for (reference, hits) in [("c7", 0), ("c8", 1)] {
        let answer = desk.post("/v1/screenings", &of(reference)).await.json();
        assert_eq!(
            answer["hits"].as_array().unwrap().len(),
            hits,
            "{reference}"
        );
    }
    let mut payment = payment("pay-1");
    payment["payee"] = json!({ "name": "Muammar Gaddafi", "id": "c7" });
    let free = desk
        .client
        .signed(&desk.acme, Sent::decision(&payment))
        .await
        .json();
    payment["id"] = json!("pay-2");
    payment["payee"]["id"] = json!("c8");
    let held = desk
        .client
        .signed(&desk.acme, Sent::decision(&payment))
        .await
        .json();
    assert_eq!(
        (&free["outcome"], &held["outcome"]),
        (&json!("approve"), &json!("hold"))
    );
    // The entry has a passport now: whoever was cleared has to be looked at again.
    desk.import(UN, list(0..100).replace(",1942,LY", ",1943,LY"))
        .await;
    let answer = desk.post("/v1/screenings", &of("c7")).await.json();
    assert_eq!(answer["hits"][0]["entry"], "q1");
}

/// What is found again when a clearance has ended is told again, once, and nobody has to change a list.
#[tokio::test(flavor = "multi_thread")]
async fn a_clearance_ends_by_itself_and_the_party_is_an_alert_again() {
    let mut desk = Desk::open().await;
    let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
    let checker = desk.world.signer_with("acme", Ed25519, votes).await;
    desk.import(UN, list(0..100)).await;
    let party = json!({ "name": "Muammar Gaddafi", "reference": "c7" });
    let body = json!({ "purpose": "onboarding", "party": party });
    let watch = Sent::json(Method::PUT, "/v1/screening-parties", &body);
    let watched = desk.client.signed(&desk.acme, watch).await;
    assert_eq!(watched.json()["screening"]["hits"][0]["entry"], "q1");
    // As the job looks: whoever has something to screen again.
    let look = async |desk: &mut Desk| {
        let (engine, vault) = (&desk.world.engine, &desk.world.vault);
        for tenant in engine.take_changed_lists() {
            rescreen::round(engine, vault, &tenant).await.unwrap();
        }
        let alerts = desk.get("/v1/screening-alerts").await["alerts"].take();
        alerts.as_array().unwrap().len()
    };
    assert_eq!(look(&mut desk).await, 1);
    let mut clearing = clearance("c7", "q1", 1);
    let ends = now().micros() + 3_000_000;
    let until = json!(Timestamp::from_micros(ends).to_string());
    clearing["command"]["screening_clearance"]["expires_at"] = until;
    desk.approved(&checker, &clearing).await;
    let screened = json!({ "purpose": "aml_compliance", "party": party });
    if now().micros() < ends {
        let hits = desk.post("/v1/screenings", &screened).await.json()["hits"].take();
        assert!(hits == json!([]) || now().micros() >= ends, "{hits}");
        assert_eq!(look(&mut desk).await, 1, "clearing is no news");
    }
    let left = u64::try_from((ends - now().micros()).max(0)).unwrap();
    tokio::time::sleep(std::time::Duration::from_micros(left + 50_000)).await;
    assert_eq!(look(&mut desk).await, 2);
    assert_eq!(look(&mut desk).await, 2, "what is known is no news");
    let hits = desk.post("/v1/screenings", &screened).await.json()["hits"].take();
    assert_eq!(hits[0]["entry"], "q1");
    assert_eq!(
        desk.get("/v1/screening-clearances").await["clearances"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_under_watch_is_screened_when_it_changes_and_when_a_list_does() {
    let mut desk = Desk::open().await;
    desk.import(UN, list(0..100)).await;
    let watch = |name: &str| {
        let party = json!({ "name": name, "reference": "c7" });
        let body = json!({ "purpose": "onboarding", "party": party });
        Sent::json(Method::PUT, "/v1/screening-parties", &body)
    };
    let alerts = async |desk: &mut Desk| {
        let tenant = TenantId::parse("acme").unwrap();
        let (engine, vault) = (&desk.world.engine, &desk.world.vault);
        rescreen::round(engine, vault, &tenant).await.unwrap();
        let alerts = desk.get("/v1/screening-alerts").await["alerts"].take();
        alerts.as_array().unwrap().clone()
    };
    let watched = desk
        .client
        .signed(&desk.acme, watch("Mary Miller"))
        .await
        .json();
    assert_eq!(watched["screening"]["hits"], json!([]), "{watched}");
    assert_eq!(alerts(&mut desk).await, Vec::<Value>::new());

    desk.import(UN, list(0..100) + "z,Mary Miller,person,,\n")
        .await;
    let mut desk = desk.restart().await;
    let found = alerts(&mut desk).await;
    assert_eq!(
        (&found[0]["cause"], &found[0]["party"]),
        (&json!("list"), &watched["party"])
    );
    assert_eq!(found[0]["entries"][0]["entry"], "z");
    assert_eq!(alerts(&mut desk).await.len(), 1, "what is known is no news");

    let renamed = desk
        .client
        .signed(&desk.acme, watch("Muammar Gaddafi"))
        .await
        .json();
    assert_eq!(renamed["screening"]["hits"][0]["entry"], "q1", "{renamed}");
    let found = alerts(&mut desk).await;
    assert_eq!((found.len(), &found[0]["cause"]), (2, &json!("party")));
    let all = desk.get("/v1/trail/leaves?limit=100").await.to_string();
    assert!(all.contains("screening.alert") && !all.contains("Miller") && !all.contains("\"c7\""));

    let end = json!({ "reference": "c7", "purpose": "onboarding" });
    let end = || Sent::json(Method::DELETE, "/v1/screening-parties", &end);
    assert_eq!(
        desk.client.signed(&desk.acme, end()).await.status,
        StatusCode::OK
    );
    assert_eq!(
        desk.client.signed(&desk.acme, end()).await.code(),
        "screening_party_unknown"
    );
    desk.import(UN, list(0..100) + "y,Mary Miller,person,,\n")
        .await;
    assert_eq!(alerts(&mut desk).await.len(), 2);
}
