//! "Was this you?" over the API and on the page: one answer, a label at once, and no way around it.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

use crate::support::{Client, Sent, Setup, Signer, World, now};
use http::{HeaderMap, Method, StatusCode};
use paywarden_access::approval::Who;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{Label, LabelSource, PaymentId, TenantId, Timestamp, time::HOUR};
use paywarden_notify::confirmation::{ANSWERED, Answer, Channel};
use paywarden_risk::Beside;
use paywarden_server::Limits;
use paywarden_store::Actor;
use serde_json::{Value, json};

const ASKING: &str = "/v1/payments/pay-1/confirmation-requests";
const ANSWERING: &str = "/v1/payments/pay-1/confirmation-answers";
const READING: &str = "/v1/payments/pay-1/confirmation";

const RULES: &str = r#"
pack: test
title: Rules of the tests
description: One rule that holds reported payees.
rules:
  - id: reported_payee
    title: The payee was reported
    engine: fraud
    when: payee in lists.reported_payees
    score: 600
    action: hold
    hold_minutes: 60
    reason: { code: reported, text: The payee was reported }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.reported_payees: true } }
      - { hit: false, name: not listed, given: { lists.reported_payees: false } }
"#;

struct Desk {
    world: World,
    client: Client,
    signer: Signer,
}

fn transfer(id: &str) -> Value {
    json!({
        "id": id,
        "type": "payment.transfer",
        "occurred_at": now().to_string(),
        "amount": { "value": "1234.50", "currency": "USD" },
        "payer": { "id": "payer-1" },
        "payee": { "account": "GB82WEST12345698765432", "name": "Wang Xiaoming" },
    })
}

impl Desk {
    fn setup(limits: Limits) -> Setup {
        Setup {
            limits,
            rules: Some(RULES),
            ..Setup::default()
        }
    }

    /// The same installation again, with the same key.
    async fn restart(self) -> Self {
        let world = self.world.restart(Self::setup(Limits::default())).await;
        Self {
            client: world.client(true).await,
            signer: self.signer,
            world,
        }
    }

    async fn open(limits: Limits) -> Self {
        let world = World::start(Self::setup(limits)).await;
        let mut desk = Self {
            client: world.client(true).await,
            signer: world.signer("acme", Ed25519).await,
            world,
        };
        desk.decide("pay-1", "approve").await;
        desk
    }

    async fn decide(&mut self, id: &str, outcome: &str) {
        let sent = Sent::decision(&transfer(id));
        let answer = self.client.signed(&self.signer, sent).await;
        assert_eq!(answer.json()["outcome"], outcome, "{}", answer.json());
    }

    async fn post(&mut self, path: &str, body: Value) -> (StatusCode, Value) {
        let sent = Sent::json(Method::POST, path, &body);
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status, answer.json())
    }

    async fn get(&mut self, path: &str) -> Value {
        let sent = Sent::new(Method::GET, path, "");
        self.client.signed(&self.signer, sent).await.json()
    }

    /// A fresh link, as its path.
    async fn link(&mut self, body: Value) -> String {
        let (status, json) = self.post(ASKING, body).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        let link = json["link"].as_str().unwrap();
        let origin = self.world.server.origin();
        link.strip_prefix(origin).unwrap().to_owned()
    }

    async fn page(&mut self, path: &str, language: &str) -> (StatusCode, HeaderMap, String) {
        let sent = Sent::new(Method::GET, path, "").header("accept-language", language);
        self.seen(sent).await
    }

    async fn submit(&mut self, path: &str, form: &str) -> (StatusCode, HeaderMap, String) {
        let sent = Sent::new(Method::POST, path, form.to_owned());
        let sent = sent.header("content-type", "application/x-www-form-urlencoded");
        self.seen(sent).await
    }

    async fn seen(&mut self, sent: Sent) -> (StatusCode, HeaderMap, String) {
        let answer = self.client.send(sent).await;
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(
            answer.headers["content-type"], "text/html; charset=utf-8",
            "{text}"
        );
        (answer.status, answer.headers, text)
    }

    async fn labels(&mut self) -> Vec<Value> {
        let json = self.get("/v1/payments/pay-1/labels").await;
        json["labels"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tap_is_a_label_a_leaf_and_a_hold_and_the_first_answer_stands() {
    let mut desk = Desk::open(Limits::default()).await;
    let link = desk
        .link(json!({ "hold_payee_hours": 24, "asked_as": "Acme <Pay>" }))
        .await;

    // Whoever looks answers nothing, however often: mail programs look too.
    for _ in 0..3 {
        let (status, headers, page) = desk.page(&link, "en").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("<h1>Was this you?</h1>") && page.contains("Acme &lt;Pay&gt;"));
        assert!(page.contains("USD 1,234.50") && page.contains("W••••"));
        for hidden in [
            "<script", "Xiaoming", "GB82WEST", "payer-1", "pay-1", "acme",
        ] {
            assert!(!page.contains(hidden), "{hidden}");
        }
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert_eq!(headers["cache-control"], "no-store");
    }
    let (_, _, page) = desk.page(&link, "zh-CN,zh;q=0.9,en;q=0.8").await;
    assert!(page.contains("<html lang=zh-Hans>") && page.contains("但我被骗了"));
    let (_, _, page) = desk.page(&format!("{link}?lang=en"), "zh-CN").await;
    assert!(page.contains("<html lang=en>"));
    assert_eq!(desk.get(READING).await["state"], "open");
    assert!(desk.labels().await.is_empty());

    let (status, _, page) = desk.submit(&link, "lang=zh-Hans&answer=tricked").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("您的回答：") && page.contains("96110"),
        "{page}"
    );
    let labels = desk.labels().await;
    assert_eq!(labels.len(), 1);
    assert_eq!(
        (&labels[0]["verdict"], &labels[0]["source"]),
        (&json!("fraud"), &json!("customer_report"))
    );

    // Said again, also otherwise: the same answer, and no other label.
    let (status, _, again) = desk.submit(&link, "lang=zh-Hans&answer=yes").await;
    assert_eq!((status, again), (StatusCode::OK, page));
    let (_, _, shown) = desk.page(&link, "en").await;
    assert!(shown.contains("It was me, but I was tricked") && !shown.contains("<form"));
    let (status, json) = desk.post(ANSWERING, json!({ "answer": "yes" })).await;
    assert_eq!(
        (status, &json["given"]["answer"]),
        (StatusCode::OK, &json!("tricked"))
    );
    assert_eq!(json["given"]["channel"], "link");
    assert_eq!(desk.labels().await.len(), 1);

    // Later payments of the payee wait, for a while.
    desk.decide("pay-2", "hold").await;
    let listed = desk.get("/v1/lists/reported_payees/entries").await;
    assert_eq!(listed["entries"][0]["value"], "GB82WEST12345698765432");
    assert!(listed["entries"][0]["expires_at"].is_string());

    // In the trail it is one leaf, the label and the answer; whoever reads the outbox begins there.
    let mut answers = Vec::new();
    let journal = &desk.world.journal;
    loop {
        let batch = journal.outbox_claim("test", 256, 1_000_000).await.unwrap();
        if batch.is_empty() {
            break;
        }
        let of_answers = batch
            .into_iter()
            .filter(|item| item.action == "confirmation.answer");
        answers.extend(of_answers);
    }
    let kinds: Vec<_> = answers[0]
        .rows
        .iter()
        .map(paywarden_store::RowRef::kind)
        .collect();
    assert_eq!((answers.len(), kinds), (1, vec!["label", "record"]));
    assert_eq!(answers[0].actor, "system:payer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_of_companies_answer_for_their_payers() {
    let mut desk = Desk::open(Limits::default()).await;
    let unknown = desk.get(READING).await;
    assert_eq!(unknown["code"], "confirmation_unknown");
    let (_, refused) = desk.post(ANSWERING, json!({ "answer": "no" })).await;
    assert_eq!(refused["code"], "confirmation_unknown");
    let link = desk.link(json!({})).await;
    let (_, refused) = desk.post(ANSWERING, json!({ "answer": "maybe" })).await;
    assert_eq!(refused["code"], "field_invalid");
    let (status, json) = desk.post(ANSWERING, json!({ "answer": "yes" })).await;
    assert_eq!(
        (status, &json["state"]),
        (StatusCode::OK, &json!("answered"))
    );
    assert_eq!(json["given"]["channel"], "app");
    assert_eq!(desk.labels().await[0]["verdict"], "genuine");
    let (status, _, page) = desk.submit(&link, "answer=no").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Yes, this was me"), "the first answer stands");
    let (_, refused) = desk.post(ASKING, json!({})).await;
    assert_eq!(refused["code"], "confirmation_state");

    let other = desk.world.signer("other", Ed25519).await;
    let theirs = Sent::json(Method::POST, ASKING, &json!({}));
    let answer = desk.client.signed(&other, theirs).await;
    assert_eq!(answer.code(), "payment_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_made_up_or_were_sent_again_look_alike() {
    let mut desk = Desk::open(Limits::default()).await;
    let first = desk.link(json!({})).await;
    let second = desk.link(json!({})).await;
    let (status, _, over) = desk.page(&first, "en").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for path in [
        format!("/confirm/{}", "A".repeat(64)),
        format!("{second}A"),
        "/confirm/x".to_owned(),
    ] {
        let (status, _, page) = desk.page(&path, "en").await;
        assert_eq!((status, &page), (StatusCode::NOT_FOUND, &over), "{path}");
        let (status, _, page) = desk.submit(&path, "answer=no").await;
        assert_eq!((status, &page), (StatusCode::NOT_FOUND, &over), "{path}");
    }
    assert!(desk.labels().await.is_empty());
    for _ in 2..5 {
        desk.link(json!({})).await;
    }
    let (status, refused) = desk.post(ASKING, json!({})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("confirmation_limit"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_changes_nothing() {
    let mut desk = Desk::open(Limits::default()).await;
    let link = desk.link(json!({})).await;
    for form in ["", "answer=", "answer=maybe", "answers=no", "answer=no%00"] {
        let (status, _, page) = desk.submit(&link, form).await;
        let is_asked = page.contains("<form") && page.contains("role=alert");
        let fits = match form {
            "" => status == StatusCode::UNSUPPORTED_MEDIA_TYPE || is_asked,
            _ => status == StatusCode::UNPROCESSABLE_ENTITY && is_asked,
        };
        assert!(fits, "{form}: {status}");
    }
    let (status, _, _) = desk
        .submit(&link, &format!("answer=no&x={}", "y".repeat(2_000)))
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = Sent::json(Method::POST, &link, &json!({ "answer": "no" }));
    assert_eq!(desk.seen(json).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let foreign = Sent::new(Method::POST, &link, "answer=no")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(desk.seen(foreign).await.0, StatusCode::FORBIDDEN);
    // A link in a mail that is read in a browser comes from another site.
    let mailed = Sent::new(Method::GET, &link, "").header("sec-fetch-site", "cross-site");
    assert_eq!(desk.seen(mailed).await.0, StatusCode::OK);
    assert!(desk.labels().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_out_links_is_slowed_down() {
    let limits = Limits {
        links_burst_per_network: 5,
        ..Limits::default()
    };
    let mut desk = Desk::open(limits).await;
    let mut limited = None;
    for number in 0..12 {
        let (status, headers, page) = desk.page(&format!("/confirm/{number}"), "en").await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            limited = Some((number, headers, page));
            break;
        }
    }
    let (number, headers, page) = limited.unwrap();
    assert!(number >= 5 && headers.contains_key("retry-after"));
    assert!(page.contains("Please try again in a minute"));
    let refused = "paywarden_refusals_total{code=\"link_limit\"}";
    assert!(desk.world.metric(refused).await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_payments_of_a_payee_needs_the_right_to_list_them() {
    let mut desk = Desk::open(Limits::default()).await;
    let scopes = Scopes::of(&[Scope::ConfirmationsWrite]);
    let meek = desk.world.signer_with("acme", Ed25519, scopes).await;
    let ask =
        |hours: Value| Sent::json(Method::POST, ASKING, &json!({ "hold_payee_hours": hours }));
    let answer = desk.client.signed(&meek, ask(json!(24))).await;
    assert_eq!(answer.code(), "scope_insufficient");
    let answer = desk.client.signed(&meek, ask(Value::Null)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let (_, refused) = desk.post(ASKING, json!({ "expires_in_hours": 0 })).await;
    assert_eq!(refused["code"], "confirmation_refused");
    let unknown = "/v1/payments/none/confirmation-requests";
    let (_, refused) = desk.post(unknown, json!({})).await;
    assert_eq!(refused["code"], "payment_unknown");
}

/// Writes an answer down so many hours ago, as a server does that is killed before it holds anybody.
async fn answered_and_killed(desk: &Desk, answer: Answer, hours_ago: i64) {
    let (tenant, payment) = (TenantId::parse("acme").unwrap(), PaymentId::parse("pay-1"));
    let payment = payment.unwrap();
    let at = Timestamp::from_micros(now().micros() - hours_ago * HOUR);
    let asked = desk
        .world
        .notify
        .confirmations
        .of_payment(&tenant, &payment);
    let row = asked
        .await
        .unwrap()
        .unwrap()
        .answer(answer, Channel::App, at);
    let label = Label {
        payment_id: payment,
        verdict: answer.verdict(),
        source: LabelSource::CustomerReport,
        occurred_at: None,
    };
    let beside = Beside {
        action: ANSWERED,
        purpose: "confirmation by the payer",
        rows: vec![row.unwrap()],
    };
    let who = Who {
        tenant,
        actor: Actor::Key(desk.signer.key_id.clone()),
    };
    let written = desk.world.engine.label_beside(&who, label, None, beside);
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_a_kill_has_kept_from_being_made_is_made_after_the_restart_and_once() {
    let mut desk = Desk::open(Limits::default()).await;
    desk.link(json!({ "hold_payee_hours": 24 })).await;
    answered_and_killed(&desk, Answer::Tricked, 0).await;
    let mut desk = desk.restart().await;
    desk.decide("pay-2", "approve").await;
    desk.world.hand_on().await;
    desk.decide("pay-3", "hold").await;
    let mut desk = desk.restart().await;
    desk.decide("pay-4", "hold").await;

    let path = "/v1/lists/reported_payees/entries";
    let held = desk.get(path).await["entries"].clone();
    assert_eq!(held.as_array().unwrap().len(), 1);
    assert!(held[0]["expires_at"].is_string());
    let release = json!({ "value": held[0]["value"], "reason": "the payee was heard" });
    let sent = Sent::json(Method::DELETE, path, &release);
    let answer = desk.client.signed(&desk.signer, sent).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    desk.decide("pay-5", "approve").await;
    // The same leaves come twice: who was released stays released.
    desk.world.hand_on().await;
    desk.decide("pay-6", "approve").await;
    desk.world.dispatch().await;
    let mut desk = desk.restart().await;
    desk.decide("pay-7", "approve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_held_whose_time_is_over_or_whom_the_payer_meant_to_pay() {
    for (answer, hours_ago) in [(Answer::No, 25), (Answer::Yes, 0)] {
        let mut desk = Desk::open(Limits::default()).await;
        desk.link(json!({ "hold_payee_hours": 24 })).await;
        answered_and_killed(&desk, answer, hours_ago).await;
        desk.world.dispatch().await;
        desk.decide("pay-2", "approve").await;
        let held = desk.get("/v1/lists/reported_payees/entries").await;
        assert_eq!(held["entries"], json!([]));
    }
}
