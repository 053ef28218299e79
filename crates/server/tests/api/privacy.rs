//! Notices, consents and the privacy policy by API.

use crate::support::{self, Client, Person, Sent, Setup, Signer, World};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::TenantId;
use paywarden_store::{REASON, RowRef};
use serde_json::{Value, json};

/// Somebody at the door.
struct Caller {
    client: Client,
    signer: Signer,
}

impl Caller {
    async fn of(world: &World, scopes: Scopes) -> Self {
        Self {
            signer: world.signer_with("acme", Ed25519, scopes).await,
            client: world.client(true).await,
        }
    }

    async fn send(&mut self, sent: Sent) -> (StatusCode, Value) {
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status, answer.json())
    }

    async fn get(&mut self, path: &str) -> Value {
        let (status, json) = self.send(Sent::new(Method::GET, path, "")).await;
        assert!(status.is_success(), "{path} {json}");
        json
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        let (status, json) = self.send(Sent::json(Method::POST, path, &body)).await;
        assert!(status.is_success(), "{path} {json}");
        json
    }

    async fn code(&mut self, path: &str, body: Value) -> Value {
        let (status, mut json) = self.send(Sent::json(Method::POST, path, &body)).await;
        assert!(!status.is_success(), "{path} {json}");
        json["code"].take()
    }
}

fn consent(subject: &str, purposes: &[&str]) -> Value {
    json!({
        "subject": subject, "purposes": purposes, "notice": "standard", "notice_version": 0,
        "language": "zh", "method": "web_form", "jurisdiction": "pipl", "days": 365,
    })
}

fn address(subject: &str) -> Value {
    json!({
        "purpose": "marketing",
        "item": {
            "subject": subject, "class": "email", "value": "liu@example.com",
            "retention": "marketing",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_agrees_is_written_to_and_withdraws() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let tokenize = "/v1/vault/tokenize";
    assert_eq!(acme.code(tokenize, address("liu")).await, "consent_missing");
    let agreed = acme
        .post("/v1/consents", consent("liu", &["marketing", "analytics"]))
        .await;
    assert!(
        agreed["event"]["receipt"]
            .as_str()
            .unwrap()
            .split('.')
            .count()
            == 3
    );
    let kept = acme.post(tokenize, address("liu")).await;
    let read = json!({
        "purpose": "marketing", "token": kept["token"], "reason": "spring offers",
        "to": { "country": "CN" },
    });
    let value = acme.post("/v1/vault/detokenize", read.clone()).await;
    assert_eq!(value["value"], "liu@example.com");
    let subject = agreed["subject"].as_str().unwrap().to_owned();
    let withdrawal = json!({ "subject": subject, "purposes": ["marketing"] });
    acme.post("/v1/consents/withdrawals", withdrawal.clone())
        .await;
    assert_eq!(
        acme.code("/v1/vault/detokenize", read).await,
        "consent_withdrawn"
    );
    let again = acme.code("/v1/consents/withdrawals", withdrawal).await;
    assert_eq!(again, "consent_unknown");
    let stands = acme.get(&format!("/v1/consents/{subject}")).await;
    assert_eq!(stands["standing"]["jurisdiction"], "pipl");
    let kinds: Vec<_> = stands["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["consent_withdrawn", "consent_given"]);
    // A batch says of each value why it is not given.
    let many = json!({ "purpose": "analytics", "tokens": [kept["token"]] });
    let values = acme.post("/v1/vault/detokenize/batch", many).await;
    assert_eq!(values["values"][0]["value"], "••••@example.com");
    assert_eq!(values["values"][0]["shown"], "domain_only");
    let elsewhere = json!({
        "purpose": "marketing", "tokens": [kept["token"]], "to": { "recipient": "agency" },
    });
    let values = acme.post("/v1/vault/detokenize/batch", elsewhere).await;
    assert_eq!(values["values"][0]["refused"], "consent_withdrawn");
    // Persons stand in paths by their pseudonym alone.
    let (_, named) = acme
        .send(Sent::new(Method::GET, "/v1/consents/liu", ""))
        .await;
    assert_eq!(named["code"], "parameter_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_versions_that_never_change() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let shipped = acme.get("/v1/notices/standard").await;
    assert_eq!(shipped["version"], 0);
    let mut notice = shipped["notice"].clone();
    notice["title"]["en"] = json!("Ours");
    let first = acme.post("/v1/notices", notice.clone()).await;
    notice["title"]["en"] = json!("Ours, again");
    let second = acme.post("/v1/notices", notice.clone()).await;
    assert_eq!(
        (&first["version"], &second["version"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(first["sha256"], second["sha256"]);
    for version in [&first, &second] {
        let number = &version["version"];
        let path = format!("/v1/notices/standard/versions/{number}");
        assert_eq!(acme.get(&path).await, *version);
    }
    assert_eq!(acme.get("/v1/notices/standard").await, second);
    assert_eq!(acme.get("/v1/notices").await["notices"], json!([second]));
    notice["clauses"] = json!([]);
    assert_eq!(acme.code("/v1/notices", notice).await, "notice_refused");
    // Consent to what is no longer shown is not taken.
    let old = acme
        .code("/v1/consents", consent("liu", &["marketing"]))
        .await;
    assert_eq!(old, "consent_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_changes_by_approval_and_holds_at_once() {
    let world = World::start(Setup::default()).await;
    let mut maker = Caller::of(&world, Scopes::all()).await;
    let mut checker = Caller::of(&world, Scopes::all()).await;
    let policy = maker.get("/v1/privacy-policy").await;
    assert_eq!(policy["number"], 0);
    let told = policy["purposes"].as_array().unwrap().iter();
    assert!(told.into_iter().all(|purpose| purpose["is_told"] == true));
    let text = policy["text"].as_str().unwrap();
    let text = text.replace(
        "\"settlement\", \"customer_service\"",
        "\"customer_service\"",
    );
    let change = json!({ "privacy_policy_change": { "replaces": 0, "text": text } });
    let asked = json!({ "command": change, "reason": "less is kept" });
    let asked = maker.post("/v1/approvals", asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    let own = maker.code(&format!("{path}/votes"), vote.clone()).await;
    assert_eq!(own, "approval_by_maker");
    checker.post(&format!("{path}/votes"), vote).await;
    let name = json!({
        "purpose": "settlement",
        "item": { "subject": "liu", "class": "name", "value": "Liu Wei" },
    });
    maker.post("/v1/vault/tokenize", name.clone()).await;
    let execution = json!({ "purpose": "as approved" });
    maker
        .post(&format!("{path}/execution"), execution.clone())
        .await;
    let refused = maker.code("/v1/vault/tokenize", name).await;
    assert_eq!(refused, "purpose_not_for_data");
    assert_eq!(maker.get("/v1/privacy-policy").await["number"], 1);
    let replayed = maker.code(&format!("{path}/execution"), execution).await;
    assert_eq!(replayed, "approval_used");
    let broken = json!({ "privacy_policy_change": { "replaces": 1, "text": "purpose = 1" } });
    let broken = json!({ "command": broken, "reason": "r" });
    assert_eq!(
        maker.code("/v1/approvals", broken).await,
        "approval_command_malformed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_in_bulk_serves_a_purpose_of_the_policy() {
    let world = World::start(Setup::default()).await;
    let mut maker = Caller::of(&world, Scopes::all()).await;
    let votes = Scopes::of(&[Scope::ApprovalsVote]);
    let mut checker = Caller::of(&world, votes).await;
    let export = json!({ "export": { "collection": "decisions", "rows": 10 } });
    let asked = json!({ "command": export, "reason": "audit" });
    let asked = maker.post("/v1/approvals", asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    checker.post(&format!("{path}/votes"), vote).await;
    let path = format!("{path}/execution");
    for (purpose, expected) in [
        ("as approved", "purpose_unknown"),
        ("marketing", "purpose_not_for_data"),
        ("analytics", "consent_missing"),
    ] {
        let refused = maker.code(&path, json!({ "purpose": purpose })).await;
        assert_eq!(refused, expected);
    }
    maker
        .post(&path, json!({ "purpose": "aml_compliance" }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_and_is_answered() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let item = |class: &str, value: &str, retention: &str| json!({ "subject": "liu", "class": class, "value": value, "retention": retention });
    let items = json!([
        item("name", "Liu Wie", "contract"),
        item("card_number", "4012888888881881", "evidence"),
    ]);
    let batch = json!({ "purpose": "onboarding", "items": items });
    let kept = acme.post("/v1/vault/tokenize/batch", batch).await;
    let name = &kept["tokens"][0]["token"];
    let correction = json!({ "subject": "liu", "token": name, "value": "Liu Wei" });
    acme.post("/v1/subjects/corrections", correction).await;
    let exported = acme
        .post("/v1/subjects/exports", json!({ "subject": "liu" }))
        .await;
    assert_eq!(exported["values"].as_array().unwrap().len(), 2);
    let readable = exported["readable"].as_str().unwrap();
    assert!(readable.contains("name: Liu Wei\n"), "{readable}");
    assert_eq!(
        exported["deadline"]["within"],
        json!({ "months": 0, "days": 30 })
    );
    let hold = json!({ "subject": "liu", "reference": "case_4711" });
    acme.post("/v1/subjects/holds", hold).await;
    let forget = json!({ "purpose": "request", "subject": "liu" });
    assert_eq!(acme.code("/v1/vault/forget", forget).await, "subject_held");
    let lift = json!({ "subject": "liu", "reference": "case_4711", "lift": true });
    acme.post("/v1/subjects/holds", lift).await;
    let restrict = json!({ "subject": "liu" });
    let changed = acme.post("/v1/subjects/restriction", restrict).await;
    assert!(changed["standing"]["restricted_at"].is_string());
    let erase = json!({ "subject": "liu", "reason": "request 17" });
    let erased = acme.post("/v1/subjects/erasures", erase).await;
    assert_eq!(erased["records"], 1);
    let kept = json!([{ "retention": "evidence", "records": 1, "why": "aml_evidence" }]);
    assert_eq!(erased["kept"], kept);
    let subject = erased["subject"].as_str().unwrap();
    let told = acme.get(&format!("/v1/subjects/{subject}/timeline")).await;
    assert_eq!(told["values"][0]["masked"], "40128888••••1881");
    let actions: Vec<_> = told["moments"].as_array().unwrap().iter().collect();
    for expected in [
        "vault.tokenize",
        "vault.read",
        "vault.delete",
        "subject.hold",
        "vault.forget",
    ] {
        assert!(
            actions.iter().any(|moment| moment["action"] == expected),
            "{expected}"
        );
    }
    let leaf = &actions[0]["leaf"];
    assert!(leaf.as_u64().unwrap() < told["tree_size"].as_u64().unwrap());
}

/// What stands beside the newest leaf of the company.
async fn beside_the_last_leaf(world: &World) -> String {
    let acme = TenantId::parse("acme").unwrap();
    let newest = world.database.acts_of(&acme, i64::MAX, 1).await.unwrap();
    let leaf = newest[0].read().unwrap();
    let beside = leaf.changes.iter().find_map(|change| match &change.row {
        RowRef::Record(name) => name.strip_prefix(&format!("{REASON}/")),
        _ => None,
    });
    let (id, _) = beside.unwrap().split_once('/').unwrap();
    let record = world.database.record(REASON, id).await.unwrap();
    String::from_utf8(record.unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_at_payments_are_decided_by_the_person_and_the_trail_says_on_what_ground() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let id = support::unique("p");
    let decided = Sent::decision(&support::payment(&id));
    let (status, decided) = acme.send(decided).await;
    assert_eq!(status, StatusCode::OK, "{decided}");
    let decision = format!("/v1/decisions/{}", decided["id"].as_str().unwrap());
    let looks = [
        decision.clone(),
        format!("{decision}/entities"),
        format!("/v1/payments/{id}/labels"),
    ];
    let page = "/v1/decisions?purpose=analytics";
    let rows = |page: &Value| {
        let shown = page["decisions"].as_array().unwrap().len();
        (shown, page["withheld"].as_u64().unwrap())
    };
    // Nobody has agreed to be counted.
    assert_eq!(rows(&acme.get(page).await), (0, 1));
    for look in &looks {
        for (purpose, expected) in [
            ("analytics", "consent_missing"),
            ("marketing", "purpose_not_for_data"),
            ("whatever", "purpose_unknown"),
        ] {
            let path = format!("{look}?purpose={purpose}");
            let (_, refused) = acme.send(Sent::new(Method::GET, &path, "")).await;
            assert_eq!(refused["code"], expected, "{path}");
        }
        acme.get(look).await;
        let ground = "fraud_prevention: generic legitimate_interest";
        assert_eq!(beside_the_last_leaf(&world).await, ground, "{look}");
    }
    for look in ["/v1/alerts", "/v1/cases"] {
        acme.get(look).await;
        let grounds = "aml_compliance: generic legal_obligation; \
            fraud_prevention: generic legitimate_interest";
        assert_eq!(beside_the_last_leaf(&world).await, grounds, "{look}");
    }
    let agreed = consent("payer-1", &["analytics"]);
    let agreed = acme.post("/v1/consents", agreed).await;
    assert_eq!(rows(&acme.get(page).await), (1, 0));
    let receipt = agreed["standing"]["consents"][0]["receipt"].as_str();
    for look in &looks {
        acme.get(&format!("{look}?purpose=analytics")).await;
        let ground = format!("analytics: consent {}", receipt.unwrap());
        assert_eq!(beside_the_last_leaf(&world).await, ground, "{look}");
    }
    // What a person asks for takes effect on every look.
    let restrict = json!({ "subject": "payer-1" });
    acme.post("/v1/subjects/restriction", restrict).await;
    assert_eq!(rows(&acme.get(page).await), (0, 1));
    for look in &looks {
        let path = format!("{look}?purpose=analytics");
        let (_, refused) = acme.send(Sent::new(Method::GET, &path, "")).await;
        assert_eq!(refused["code"], "subject_restricted");
        acme.get(look).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_person_is_looked_at_for_a_purpose() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let agreed = acme.post("/v1/consents", consent("liu", &["marketing"]));
    let subject = agreed.await["subject"].as_str().unwrap().to_owned();
    let asked = json!({ "subject": "liu", "kind": "access" });
    let asked = acme.post("/v1/subjects/requests", asked).await;
    let looks = [
        format!("/v1/subjects/{subject}/timeline"),
        format!("/v1/consents/{subject}"),
        "/v1/subjects/requests".to_owned(),
        format!("/v1/subjects/requests/{}", asked["id"].as_str().unwrap()),
    ];
    // Whoever has handling restricted is answered all the same.
    let restrict = json!({ "subject": "liu" });
    acme.post("/v1/subjects/restriction", restrict).await;
    for look in &looks {
        for (purpose, expected) in [
            ("marketing", "purpose_not_for_data"),
            ("whatever", "purpose_unknown"),
        ] {
            let path = format!("{look}?purpose={purpose}");
            let (_, refused) = acme.send(Sent::new(Method::GET, &path, "")).await;
            assert_eq!(refused["code"], expected, "{path}");
        }
        for (asked, stated) in [
            ("", "subject_request"),
            ("?purpose=aml_compliance", "aml_compliance"),
        ] {
            acme.get(&format!("{look}{asked}")).await;
            let ground = beside_the_last_leaf(&world).await;
            assert!(
                ground.starts_with(&format!("{stated}: ")),
                "{look}: {ground}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_masks_decides_what_is_shown() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let card = json!({ "subject": "liu", "class": "card_number", "value": "4012888888881881" });
    let keep = json!({ "purpose": "settlement", "item": card });
    let kept = acme.post("/v1/vault/tokenize", keep).await;
    for (purpose, shown, value) in [
        ("settlement", json!(null), "4012888888881881"),
        ("customer_service", json!("last4"), "••••1881"),
    ] {
        let read = json!({ "purpose": purpose, "token": kept["token"] });
        let read = acme.post("/v1/vault/detokenize", read).await;
        assert_eq!((&read["shown"], &read["value"]), (&shown, &json!(value)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_values_by_an_approved_grant_alone() {
    let world = World::start(Setup::default()).await;
    let subject = kept(&world).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["aml_officer"]).await;
    let mut wu = Person::with_roles(&world, "acme", "wu@example.com", &["privacy_officer"]).await;
    let reveal = json!({ "reveal": {
        "subject": subject, "classes": ["card_number"], "purpose": "dispute_handling",
        "looks": 1, "minutes": 10,
    } });
    let ask = json!({ "command": reveal, "reason": "chargeback", "ticket": "case 4711" });
    let asked = liu.post("/v1/approvals", Some(&ask)).await.json();
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let look = format!("{path}/reveal");
    let early = liu.send(Method::POST, &look, None).await.json();
    assert_eq!(early["code"], "approval_closed");
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    let voted = wu.post(&format!("{path}/votes"), Some(&vote)).await;
    assert_eq!(voted.status, StatusCode::OK, "{}", voted.json());
    let purpose = json!({ "purpose": "as approved" });
    liu.post(&format!("{path}/execution"), Some(&purpose)).await;
    let shown = liu.send(Method::POST, &look, None).await;
    let json = shown.json();
    assert_eq!(json["values"][0]["value"], "4012888888881881", "{json}");
    assert!(
        json["watermark"]
            .as_str()
            .unwrap()
            .starts_with("staff:stf_")
    );
    let again = liu.send(Method::POST, &look, None).await.json();
    assert_eq!(again["code"], "reveal_spent");
    let theirs = wu.send(Method::POST, &look, None).await.json();
    assert_eq!(theirs["code"], "approval_forbidden");
}

/// A person of whom a card is kept: the pseudonym.
async fn kept(world: &World) -> Value {
    let mut acme = Caller::of(world, Scopes::all()).await;
    let card = json!({ "subject": "liu", "class": "card_number", "value": "4012888888881881" });
    let keep = json!({ "purpose": "settlement", "item": card });
    acme.post("/v1/vault/tokenize", keep).await;
    let search = json!({ "purpose": "settlement", "by": { "subject": "liu" } });
    let found = acme.post("/v1/vault/search", search).await;
    found["records"][0]["subject"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_a_person_looks_by_the_vote_of_somebody_who_is_shown_nothing() {
    let world = World::start(Setup::default()).await;
    let subject = kept(&world).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["aml_officer"]).await;
    let mut wu = Person::with_roles(&world, "acme", "wu@example.com", &["privacy_officer"]).await;
    let mut chen = Person::with_roles(
        &world,
        "acme",
        "chen@example.com",
        &["security_administrator"],
    )
    .await;
    let answer = json!({ "reveal": {
        "subject": subject, "classes": ["card_number"], "purpose": "subject_request",
        "looks": 1, "minutes": 10,
    } });
    let ask = json!({ "command": answer, "reason": "to answer the person", "ticket": "dsr-7" });
    let asked = wu.post("/v1/approvals", Some(&ask)).await.json();
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    let votes = format!("{path}/votes");
    assert_eq!(
        liu.post(&votes, Some(&vote)).await.code(),
        "approval_forbidden"
    );
    assert_eq!(chen.post(&votes, Some(&vote)).await.status, StatusCode::OK);
    let purpose = json!({ "purpose": "as approved" });
    wu.post(&format!("{path}/execution"), Some(&purpose)).await;
    let shown = wu.send(Method::POST, &format!("{path}/reveal"), None).await;
    assert_eq!(shown.json()["values"][0]["value"], "4012888888881881");
    let theirs = chen
        .send(Method::POST, &format!("{path}/reveal"), None)
        .await;
    assert_eq!(theirs.code(), "scope_insufficient");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_counted_then_ends_by_api() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let card = json!({ "subject": "liu", "class": "card_number", "value": "4012888888881881" });
    let keep = json!({ "purpose": "settlement", "item": card });
    let kept = acme.post("/v1/vault/tokenize", keep).await;
    let runs = "/v1/retention/runs";
    let uncounted = json!({ "purpose": "cleaning up" });
    assert_eq!(acme.code(runs, uncounted).await, "retention_not_counted");
    let both = json!({ "purpose": "cleaning up", "dry_run": true, "counted": "ret_0" });
    assert_eq!(acme.code(runs, both).await, "retention_not_counted");
    let text = "2020-01-01T00:00:00Z";
    let tomorrow = support::now().micros() + paywarden_domain::time::DAY;
    let tomorrow = paywarden_domain::Timestamp::from_micros(tomorrow).to_string();
    let early = json!({ "subject": "liu", "ended_at": tomorrow });
    let refused = acme.code("/v1/subjects/relation", early).await;
    assert_eq!(refused, "vault_request_malformed");
    let ended = json!({ "subject": "liu", "ended_at": text });
    let changed = acme.post("/v1/subjects/relation", ended).await;
    assert_eq!(changed["standing"]["relation_ended_at"], text);
    // It was written a moment ago: nothing of it is due.
    let order = json!({ "purpose": "cleaning up", "dry_run": true });
    let count = acme.post(runs, order.clone()).await;
    let count = done(&mut acme, &count).await;
    let line = json!([{
        "retention": "contract", "class": "card_number", "jurisdiction": "generic",
        "fate": "not_due", "records": 1, "persons": 1,
    }]);
    assert_eq!(count["lines"], line);
    let order = json!({ "purpose": "cleaning up", "counted": count["id"] });
    let run = acme.post(runs, order).await;
    let run = done(&mut acme, &run).await;
    assert_eq!((&run["dry_run"], &run["lines"]), (&json!(false), &line));
    let read = json!({ "purpose": "settlement", "token": kept["token"] });
    acme.post("/v1/vault/detokenize", read).await;
    let step = json!({ "purpose": "p", "step": "pause" });
    let path = format!("{runs}/{}/step", run["id"].as_str().unwrap());
    assert_eq!(acme.code(&path, step).await, "retention_state");
    let page = acme.get(&format!("{runs}?limit=1")).await;
    assert_eq!(page["runs"][0]["id"], run["id"]);
    let next = page["next_cursor"].as_str().unwrap();
    let page = acme.get(&format!("{runs}?limit=1&cursor={next}")).await;
    assert_eq!(page["runs"][0]["id"], count["id"]);
}

/// A run when it is done.
async fn done(caller: &mut Caller, run: &Value) -> Value {
    let path = format!("/v1/retention/runs/{}", run["id"].as_str().unwrap());
    loop {
        let run = caller.get(&path).await;
        if run["state"] != "running" {
            assert_eq!(run["state"], "done");
            return run;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_asked_for_is_in_the_register_until_it_is_answered() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, Scopes::all()).await;
    let register = "/v1/subjects/requests";
    let asked = json!({
        "subject": "liu", "kind": "erasure", "jurisdiction": "gdpr",
        "received_at": support::now().to_string(),
    });
    let asked = acme.post(register, asked).await;
    assert_eq!(
        (&asked["is_overdue"], &asked["answer"]),
        (&json!(false), &json!(null))
    );
    let path = format!("{register}/{}", asked["id"].as_str().unwrap());
    let more = json!({ "reason": "card 4012888888881881 in many places" });
    let extended = acme.post(&format!("{path}/extension"), more).await;
    let reason = extended["extension"]["reason"].as_str().unwrap();
    assert!(!reason.contains("4012888888881881"), "{reason}");
    assert_eq!(acme.get(&path).await, extended);
    let open = acme.get(&format!("{register}?state=open")).await;
    assert_eq!(open["requests"].as_array().unwrap().len(), 1);
    assert_eq!(world.metric("paywarden_subject_requests_open").await, 1);
    let answer = json!({ "outcome": "granted_in_part", "reason": "evidence is kept" });
    acme.post(&format!("{path}/answer"), answer.clone()).await;
    let again = acme.code(&format!("{path}/answer"), answer).await;
    assert_eq!(again, "subject_request_state");
    let open = acme.get(&format!("{register}?state=open")).await;
    assert_eq!(open["requests"], json!([]));
    // One that came in long ago is overdue at once, and the watch tells of it.
    let long_ago = paywarden_domain::Timestamp::from_micros(
        support::now().micros() - 40 * paywarden_domain::time::DAY,
    );
    let late = json!({ "subject": "wang", "kind": "access", "received_at": long_ago.to_string() });
    let late = acme.post(register, late).await;
    assert_eq!(late["is_overdue"], true);
    assert_eq!(world.metric("paywarden_subject_requests_overdue").await, 1);
    world.vault.note_overdue_requests().await.unwrap();
    world.look().await;
    let alerts = acme.get("/v1/security-alerts").await;
    let alert = &alerts["alerts"][0];
    assert_eq!(alert["rule"], "persons.request_overdue", "{alerts}");
    assert_eq!(alert["object"], late["id"]);
}
