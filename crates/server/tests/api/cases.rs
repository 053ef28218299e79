//! Alerts on payments and cases, over the API: opened once, worked by one at a time, closed by two.

#![allow(clippy::too_many_lines, reason = "each test tells one story")]

use crate::support::{Client, Person, Sent, Setup, Signer, World, payment, unique};
use http::Method;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_store::Verdict;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Rules that lists of customers decide.
pub const RULES: &str = r#"
pack: desk
title: Rules of the tests
description: Rules that lists of customers decide.
rules:
  - id: suspect
    title: Suspect
    engine: fraud
    when: customer in lists.suspects
    score: 400
    action: review
    reason: { code: suspect, text: Suspect }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.suspects: true } }
      - { hit: false, name: not listed, given: { lists.suspects: false } }
  - id: launderer
    title: Launderer
    engine: laundering
    when: customer in lists.launderers
    score: 400
    action: review
    reason: { code: launderer, text: Launderer }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.launderers: true } }
      - { hit: false, name: not listed, given: { lists.launderers: false } }
  - id: denied
    title: Denied
    engine: fraud
    when: customer in lists.denied_customers
    score: 1000
    action: decline
    reason: { code: denied, text: Denied }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.denied_customers: true } }
      - { hit: false, name: not listed, given: { lists.denied_customers: false } }
"#;

/// A company with payments that stand out.
pub struct Desk {
    pub world: World,
    pub signer: Signer,
    pub client: Client,
}

impl Desk {
    pub async fn open() -> Self {
        Self::of(Setup {
            rules: Some(RULES),
            ..Setup::default()
        })
        .await
    }

    pub async fn of(setup: Setup) -> Self {
        let world = World::start(setup).await;
        Self {
            signer: world.signer("acme", Ed25519).await,
            client: world.client(true).await,
            world,
        }
    }

    /// The same installation again, with the same key.
    pub async fn restart(self, setup: Setup) -> Self {
        let world = self.world.restart(setup).await;
        Self {
            signer: self.signer,
            client: world.client(true).await,
            world,
        }
    }

    pub async fn get(&mut self, path: &str) -> Value {
        let sent = Sent::new(Method::GET, path, "");
        let answer = self.client.signed(&self.signer, sent).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
        answer.json()
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let sent = Sent::json(Method::POST, path, body);
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status.as_u16(), answer.json())
    }

    pub async fn posted(&mut self, path: &str, body: &Value) -> Value {
        let (status, json) = self.post(path, body).await;
        assert!(status < 300, "{path}: {json}");
        json
    }

    pub async fn refused(&mut self, path: &str, body: &Value) -> String {
        let (status, json) = self.post(path, body).await;
        assert!(status >= 400, "{path}: {json}");
        json["code"].as_str().unwrap().to_owned()
    }

    pub async fn list(&mut self, list: &str, customer: &str) {
        let path = format!("/v1/lists/{list}/entries");
        let entry = json!({ "value": customer, "reason": "of a test" });
        let sent = Sent::json(Method::PUT, &path, &entry);
        let answer = self.client.signed(&self.signer, sent).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Has a payment of a customer decided; its identifier.
    pub async fn pay(&mut self, customer: &str) -> String {
        let id = unique("pay-");
        let mut payment = payment(&id);
        payment["payer"]["id"] = json!(customer);
        let sent = Sent::decision(&payment);
        let answer = self.client.signed(&self.signer, sent).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        id
    }

    /// Open alerts about so many new customers; who they are.
    pub async fn alerted(&mut self, list: &str, count: usize) -> Vec<String> {
        for _ in 0..count {
            let customer = unique("cust-");
            self.list(list, &customer).await;
            self.pay(&customer).await;
        }
        self.world.dispatch().await;
        let page = self.get("/v1/alerts?limit=100").await;
        let ids = page["alerts"].as_array().unwrap().iter();
        ids.map(|alert| alert["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub async fn assert_intact(&self) {
        let verdict = self.world.database.verify(None).await.unwrap();
        assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_reported_before_is_told_to_whoever_may_know_of_it_alone() {
    let mut desk = Desk::open().await;
    let scopes = Scopes::of_keys();
    desk.signer = desk.world.signer_with("acme", Ed25519, scopes).await;
    let customer = unique("cust-");
    desk.list("suspects", &customer).await;
    let mut cases = Vec::new();
    for _ in 0..2 {
        desk.pay(&customer).await;
        desk.world.dispatch().await;
        let page = desk.get("/v1/alerts?limit=1&state=open").await;
        let alert = page["alerts"][0]["id"].clone();
        let opening = json!({ "title": "ring", "typology": "mule", "alerts": [alert] });
        let case = desk.posted("/v1/cases", &opening).await;
        let acts = format!("/v1/alerts/{}/closing", alert.as_str().unwrap());
        let closing = json!({ "disposition": "confirmed", "reason": "customer_denies" });
        desk.posted(&acts, &json!({ "closing": closing })).await;
        cases.push(case["id"].as_str().unwrap().to_owned());
    }
    let route = format!("/v1/cases/{}/reports", cases[0]);
    let none = desk.get(&route).await;
    assert_eq!(none, json!({ "reports": [], "is_all": true }));
    // One of the case, one of the other case with the same customer, one that names the customer,
    // and one of neither.
    let mut named = Vec::new();
    for (reference, case, client) in [
        ("R-1", Some(&cases[0]), None),
        ("R-2", Some(&cases[1]), None),
        ("R-3", None, Some(customer.as_str())),
        ("R-4", None, Some("somebody else")),
    ] {
        let mut draft = crate::reports::sample(reference);
        draft["report"]["case"] = json!(case);
        draft["report"]["parties"][0]["client_number"] = json!(client);
        named.push(desk.posted("/v1/reports", &draft).await["id"].clone());
    }
    let found = desk.get(&route).await;
    let ids: Vec<_> = found["reports"].as_array().unwrap().iter().collect();
    let ids: Vec<_> = ids.into_iter().map(|one| one["id"].clone()).collect();
    named.truncate(3);
    named.reverse();
    assert_eq!(ids, named, "{found}");
    for (may, path) in [
        (vec![Scope::CasesRead, Scope::CasesWork], route.as_str()),
        (vec![Scope::CasesRead], "/v1/cases/cas_1/reports"),
        (vec![Scope::ReportsRead], route.as_str()),
    ] {
        let scopes = Scopes::of(&may);
        let other = desk.world.signer_with("acme", Ed25519, scopes).await;
        let sent = Sent::new(Method::GET, path, "");
        let answer = desk.client.signed(&other, sent).await;
        assert_eq!(answer.code(), "scope_insufficient", "{may:?} {path}");
        assert!(!answer.json().to_string().contains("R-1"));
    }
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_its_payer_reports_raises_an_alert_whatever_was_judged() {
    let mut desk = Desk::open().await;
    let (fine, reported) = (desk.pay("honest").await, desk.pay("victim").await);
    desk.list("suspects", "mallory").await;
    let alerted = desk.pay("mallory").await;
    for (payment, verdict, source) in [
        (&fine, "genuine", "customer_report"),
        (&fine, "fraud", "consortium"),
        (&reported, "fraud", "customer_report"),
        (&alerted, "fraud", "customer_report"),
    ] {
        let label = json!({ "payment_id": payment, "verdict": verdict, "source": source });
        desk.posted("/v1/labels", &label).await;
    }
    desk.world.hand_on().await;
    desk.world.dispatch().await;
    let page = desk.get("/v1/alerts").await;
    let raised = page["alerts"].as_array().unwrap().iter();
    let raised: HashSet<(&str, &str)> = raised
        .map(|alert| {
            let payments = alert["payments"].as_array().unwrap();
            assert_eq!(payments.len(), 1, "{alert}");
            let payment = payments[0]["payment_id"].as_str().unwrap();
            (alert["trigger"].as_str().unwrap(), payment)
        })
        .collect();
    let expected = [("payer_reported", &*reported), ("fraud_review", &*alerted)];
    assert_eq!(raised, expected.into());
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_on_a_customer_are_one_alert_whose_disposition_labels_each_payment_once() {
    let mut desk = Desk::open().await;
    desk.list("suspects", "mallory").await;
    let mut paid = vec![desk.pay("mallory").await, desk.pay("mallory").await];
    desk.pay("honest").await;
    // Taken, and killed before it was struck off: everything comes again.
    assert!(!desk.world.hand_on().await.is_empty());
    desk.world.dispatch().await;
    paid.push(desk.pay("mallory").await);
    desk.world.dispatch().await;

    let page = desk.get("/v1/alerts").await;
    assert_eq!(page["alerts"].as_array().unwrap().len(), 1, "{page}");
    let alert = &page["alerts"][0];
    let ids = alert["payments"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|one| one["payment_id"].as_str().unwrap()).collect();
    assert_eq!(ids, paid);
    assert_eq!(alert["amounts"][0]["value"], "37.02", "{alert}");
    assert_eq!(alert["rules"], json!(["desk.suspect"]));
    let id = alert["id"].as_str().unwrap();
    let entity = alert["subject"].as_str().unwrap();
    for query in [
        format!("entity={entity}"),
        format!("group={id}"),
        format!("payment_id={}", paid[1]),
    ] {
        let found = desk.get(&format!("/v1/alerts?{query}")).await;
        assert_eq!(found["alerts"][0]["id"], id, "{query}");
    }

    let closing = |reason: &str| {
        let closing =
            json!({ "disposition": "confirmed", "reason": reason, "note": "spoke to her" });
        json!({ "closing": closing })
    };
    let path = format!("/v1/alerts/{id}/closing");
    assert_eq!(
        desk.refused(&path, &closing("known_behaviour")).await,
        "field_invalid"
    );
    let mut stale = closing("customer_denies");
    stale["version"] = json!(1);
    assert_eq!(desk.refused(&path, &stale).await, "work_item_changed");
    let closed = desk.posted(&path, &closing("customer_denies")).await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(
        desk.refused(&path, &closing("customer_denies")).await,
        "work_item_state"
    );
    desk.world.hand_on().await;
    desk.world.dispatch().await;
    for payment in &paid {
        let labels = desk.get(&format!("/v1/payments/{payment}/labels")).await;
        let labels = labels["labels"].as_array().unwrap();
        assert_eq!(labels.len(), 1, "{labels:?}");
        assert_eq!(
            (&labels[0]["verdict"], &labels[0]["source"]),
            (&json!("fraud"), &json!("analyst"))
        );
    }
    let timeline = desk.get(&format!("/v1/alerts/{id}/timeline")).await;
    let moments = timeline["moments"].as_array().unwrap();
    let count = |kind: &str| moments.iter().filter(|one| one["kind"] == kind).count();
    assert_eq!(
        (count("decision"), count("label"), count("alert")),
        (3, 3, 4)
    );
    // The next payment opens another alert: this one is closed.
    desk.pay("mallory").await;
    desk.world.dispatch().await;
    let page = desk.get("/v1/alerts").await;
    assert_ne!(page["alerts"][0]["id"], id);
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_for_the_next_alert_at_once_each_get_another() {
    let mut desk = Desk::open().await;
    let ids = desk.alerted("suspects", 12).await;
    assert_eq!(ids.len(), 12);
    let mut taking = Vec::new();
    for _ in 0..5 {
        let (signer, mut client) = (
            desk.world.signer("acme", Ed25519).await,
            desk.world.client(true).await,
        );
        taking.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let sent = Sent::new(Method::POST, "/v1/alerts/next", "");
                let answer = client.signed(&signer, sent).await;
                assert_eq!(answer.status, 200, "{}", answer.json());
                let Some(id) = answer.json()["alert"]["id"].as_str().map(str::to_owned) else {
                    return taken;
                };
                taken.push(id);
            }
        }));
    }
    let mut taken = Vec::new();
    for one in taking {
        taken.extend(one.await.unwrap());
    }
    assert_eq!(taken.len(), 12);
    assert_eq!(
        taken.into_iter().collect::<HashSet<_>>(),
        ids.into_iter().collect()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_their_queues_and_what_one_works_on_another_leaves_alone() {
    let mut desk = Desk::open().await;
    let fraud = desk.alerted("suspects", 2).await.remove(0);
    desk.alerted("launderers", 1).await;
    let page = desk.get("/v1/alerts?queue=laundering").await;
    let laundering = page["alerts"][0]["id"].as_str().unwrap().to_owned();
    let world = &desk.world;
    let mut lin = Person::with_roles(world, "acme", "lin@example.com", &["analyst"]).await;
    let mut mei = Person::with_roles(world, "acme", "mei@example.com", &["senior_analyst"]).await;
    let mut wu = Person::with_roles(world, "acme", "wu@example.com", &["aml_officer"]).await;
    let mut kim = Person::with_roles(world, "other", "kim@example.com", &["aml_officer"]).await;
    let path = |id: &str| format!("/v1/alerts/{id}");
    assert_eq!(
        lin.get(&path(&laundering)).await.code(),
        "work_item_unknown"
    );
    assert_eq!(wu.get(&path(&laundering)).await.status, 200);
    assert_eq!(wu.get(&path(&fraud)).await.code(), "work_item_unknown");
    assert_eq!(
        kim.get(&path(&laundering)).await.code(),
        "work_item_unknown"
    );

    let acts = |id: &str| format!("/v1/alerts/{id}/acts");
    let act = |what: Value| json!({ "act": what });
    let claim = act(json!({ "claim": {} }));
    let claimed = lin.post(&acts(&fraud), Some(&claim)).await;
    assert_eq!(claimed.status, 200, "{}", claimed.json());
    let by = claimed.json()["assignee"].as_str().unwrap().to_owned();
    assert_eq!(
        mei.post(&acts(&fraud), Some(&claim)).await.code(),
        "work_item_taken"
    );
    let closing =
        json!({ "closing": { "disposition": "false_positive", "reason": "customer_confirms" } });
    let closed = mei
        .post(&format!("/v1/alerts/{fraud}/closing"), Some(&closing))
        .await;
    assert_eq!(closed.code(), "work_item_taken");
    let mine = lin.get("/v1/alerts?assignee=me").await.json();
    assert_eq!(mine["alerts"][0]["id"], json!(fraud));
    let nobody = act(json!({ "assign": { "to": "staff:stf_nobody" } }));
    assert_eq!(
        mei.post(&acts(&fraud), Some(&nobody)).await.code(),
        "field_invalid"
    );

    let escalate = act(json!({ "escalate": { "reason": "large sums" } }));
    let up = lin.post(&acts(&fraud), Some(&escalate)).await.json();
    assert_eq!(
        (&up["queue"], &up["priority"]),
        (&json!("fraud_senior"), &json!("high"))
    );
    assert_eq!(lin.get(&path(&fraud)).await.code(), "work_item_unknown");
    let back = act(json!({ "assign": { "to": by } }));
    assert_eq!(mei.post(&acts(&fraud), Some(&back)).await.status, 200);

    let bulk = json!({ "alerts": [fraud, laundering, "alr_0"], "act": { "release": {} } });
    let results = mei.post("/v1/alerts/acts", Some(&bulk)).await.json();
    let codes = results["results"].as_array().unwrap().iter();
    let codes: Vec<&Value> = codes.map(|result| &result["code"]).collect();
    assert_eq!(
        codes,
        [
            &json!(null),
            &json!("work_item_unknown"),
            &json!("work_item_unknown")
        ]
    );
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_rule_opens_no_alert_about_this_customer() {
    let mut desk = Desk::open().await;
    for customer in ["mallory", "trudy"] {
        desk.list("suspects", customer).await;
    }
    desk.pay("mallory").await;
    desk.world.dispatch().await;
    let alert = desk.get("/v1/alerts").await["alerts"][0].take();
    let id = alert["id"].as_str().unwrap();
    let until =
        paywarden_domain::Timestamp::from_micros(crate::support::now().micros() + 3_600_000_000);
    let snooze = json!({ "rule": "desk.suspect", "until": until.to_string(), "reason": "known" });
    let act = json!({ "act": { "snooze": snooze } });
    desk.posted(&format!("/v1/alerts/{id}/acts"), &act).await;
    let closing = json!({ "disposition": "false_positive", "reason": "known_behaviour" });
    desk.posted(
        &format!("/v1/alerts/{id}/closing"),
        &json!({ "closing": closing }),
    )
    .await;
    desk.pay("mallory").await;
    desk.pay("trudy").await;
    desk.world.dispatch().await;
    let open = desk.get("/v1/alerts").await;
    assert_eq!(open["alerts"].as_array().unwrap().len(), 1, "{open}");
    assert_ne!(open["alerts"][0]["subject"], alert["subject"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_closed_by_two_once_and_its_alerts_with_it() {
    let mut desk = Desk::open().await;
    let alerts = desk.alerted("suspects", 3).await;
    let opening = json!({ "title": "ring", "typology": "card_fraud", "alerts": alerts[..2] });
    let case = desk.posted("/v1/cases", &opening).await;
    assert_eq!(desk.refused("/v1/cases", &opening).await, "work_item_state");
    let id = case["id"].as_str().unwrap().to_owned();
    let acts = format!("/v1/cases/{id}/acts");
    let add = json!({ "act": { "add_alerts": { "alerts": [alerts[2]] } } });
    let case = desk.posted(&acts, &add).await;
    assert_eq!(case["alerts"].as_array().unwrap().len(), 3);
    let note = json!({ "text": "see card 4012888888881881", "mentions": ["staff:stf_1"] });
    let note = desk.posted(&format!("/v1/cases/{id}/notes"), &note).await;
    assert!(
        !note["text"].as_str().unwrap().contains("4012888888881881"),
        "{note}"
    );
    let mentioned = desk.get("/v1/cases?mentioned=staff:stf_1").await;
    assert_eq!(mentioned["cases"][0]["id"], json!(id));

    let ask = |version: &Value| {
        let closing = json!({
            "case": id, "version": version, "disposition": "confirmed", "reason": "customer_denies",
        });
        json!({ "command": { "case_closing": closing }, "reason": "seen it all" })
    };
    let now = desk.get(&format!("/v1/cases/{id}")).await;
    assert_eq!(
        desk.refused("/v1/approvals", &ask(&now["version"])).await,
        "work_item_state"
    );
    let mut version = Value::Null;
    for check in now["checklist"].as_array().unwrap() {
        let done = json!({ "act": { "check": { "id": check["id"], "done": true } } });
        version = desk.posted(&acts, &done).await["version"].take();
    }
    assert_eq!(
        desk.refused("/v1/approvals", &ask(&now["version"])).await,
        "work_item_changed"
    );
    let asked = desk.posted("/v1/approvals", &ask(&version)).await;
    let approval = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    assert_eq!(
        desk.refused(&format!("{approval}/votes"), &vote).await,
        "approval_by_maker"
    );
    let other = desk.world.signer("acme", Ed25519).await;
    let votes = Sent::json(Method::POST, &format!("{approval}/votes"), &vote);
    assert_eq!(desk.client.signed(&other, votes).await.status, 200);

    let execution = format!("{approval}/execution");
    let purpose = json!({ "purpose": "as approved" });
    let mut second = desk.world.client(true).await;
    let sent = Sent::json(Method::POST, &execution, &purpose);
    let (one, two) = tokio::join!(
        desk.client.signed(&desk.signer, sent.clone()),
        second.signed(&other, sent.header("x-second", "1")),
    );
    let done = [&one, &two]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert_eq!(done, 1, "{} {}", one.json(), two.json());
    let closed = desk.get(&format!("/v1/cases/{id}")).await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(
        desk.get("/v1/alerts?state=closed").await["alerts"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    desk.world.dispatch().await;
    let payment = desk.get(&format!("/v1/cases/{id}/alerts")).await;
    let payment = payment["alerts"][0]["payments"][0]["payment_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let labels = desk.get(&format!("/v1/payments/{payment}/labels")).await;
    assert_eq!(labels["labels"][0]["verdict"], "fraud");
    let reopened = desk
        .posted(
            &format!("/v1/cases/{id}/reopening"),
            &json!({ "reason": "new facts" }),
        )
        .await;
    assert_eq!(reopened["state"], "open");
    let timeline = desk.get(&format!("/v1/cases/{id}/timeline")).await;
    let whats: HashSet<&str> = timeline["moments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moment| moment["what"].as_str().unwrap())
        .collect();
    for what in [
        "decide",
        "open",
        "into_case",
        "note",
        "check",
        "close",
        "fraud",
        "reopen",
    ] {
        assert!(whats.contains(what), "{what} of {whats:?}");
    }
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_merged_into_open_ones_and_split_and_know_their_relatives() {
    let mut desk = Desk::open().await;
    let alerts = desk.alerted("suspects", 4).await;
    let mut ids = Vec::new();
    for pair in alerts.chunks(2) {
        let opening = json!({ "title": "ring", "typology": "mule", "alerts": pair });
        ids.push(
            desk.posted("/v1/cases", &opening).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let acts = |id: &str| format!("/v1/cases/{id}/acts");
    let merge = |into: &str| json!({ "act": { "merge": { "into": into } } });
    let related = desk.get(&format!("/v1/cases/{}/related", ids[0])).await;
    assert_eq!(
        related["related"][0]["case"]["id"],
        json!(ids[1]),
        "one card is everybody's"
    );
    assert_eq!(
        desk.refused(&acts(&ids[0]), &merge(&ids[0])).await,
        "work_item_state"
    );

    // Each into the other at once: one is refused.
    let other = desk.world.signer("acme", Ed25519).await;
    let mut second = desk.world.client(true).await;
    let (one, two) = tokio::join!(
        desk.client.signed(
            &desk.signer,
            Sent::json(Method::POST, &acts(&ids[0]), &merge(&ids[1]))
        ),
        second.signed(
            &other,
            Sent::json(Method::POST, &acts(&ids[1]), &merge(&ids[0]))
        ),
    );
    let merged: Vec<Value> = [one, two]
        .into_iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.json())
        .collect();
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0]["alerts"].as_array().unwrap().len(), 4);
    let into = merged[0]["id"].as_str().unwrap();
    let gone = ids.iter().find(|id| *id != into).unwrap();
    assert_eq!(
        desk.get(&format!("/v1/cases/{gone}")).await["merged_into"],
        json!(into)
    );
    assert_eq!(
        desk.refused(&acts(into), &merge(gone)).await,
        "work_item_state",
        "a circle"
    );

    let all = json!({ "act": { "split": { "alerts": alerts, "title": "rest" } } });
    assert_eq!(
        desk.refused(&acts(into), &all).await,
        "work_item_state",
        "nothing would stay"
    );
    let split = json!({ "act": { "split": { "alerts": [alerts[0]], "title": "rest" } } });
    let new = desk.posted(&acts(into), &split).await;
    assert_eq!(new["split_from"], json!(into));
    let alert = desk.get(&format!("/v1/alerts/{}", alerts[0])).await;
    assert_eq!(alert["case"], new["id"]);
    assert_eq!(
        desk.get(&format!("/v1/cases/{into}")).await["alerts"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_payments_is_in_the_trail_and_who_is_blocked_is_refused() {
    let mut desk = Desk::open().await;
    desk.list("suspects", "mallory").await;
    let payment = desk.pay("mallory").await;
    desk.world.dispatch().await;
    let alert = desk.get("/v1/alerts").await["alerts"][0].take();
    let id = alert["id"].as_str().unwrap();
    let ask = json!({ "action": "cancel", "payment_id": payment, "reason": "not hers" });
    let path = format!("/v1/alerts/{id}/payment-actions");
    let asked = desk.posted(&path, &ask).await;
    assert_eq!(asked["item"], json!(id));
    let other = json!({ "action": "cancel", "payment_id": "pay-0", "reason": "not hers" });
    assert_eq!(desk.refused(&path, &other).await, "field_invalid");
    let actions: Vec<String> = desk
        .world
        .hand_on()
        .await
        .into_iter()
        .map(|item| item.action)
        .collect();
    assert!(
        actions.contains(&"payment.cancel".to_owned()),
        "{actions:?}"
    );

    let until =
        paywarden_domain::Timestamp::from_micros(crate::support::now().micros() + 3_600_000_000);
    let block = |entity: &Value| json!({ "action": "block", "entity": entity, "expires_at": until.to_string(), "reason": "mule" });
    let path = format!("/v1/alerts/{id}/entity-actions");
    let stranger = json!("customer:00000000000000aa");
    assert_eq!(
        desk.refused(&path, &block(&stranger)).await,
        "field_invalid"
    );
    let done = desk.posted(&path, &block(&alert["subject"])).await;
    assert_eq!(done["list"], "denied_customers");
    let mut next = crate::support::payment(&unique("pay-"));
    next["payer"]["id"] = json!("mallory");
    let answer = desk
        .client
        .signed(&desk.signer, Sent::decision(&next))
        .await;
    assert_eq!(answer.json()["outcome"], "decline");
    desk.assert_intact().await;
}
