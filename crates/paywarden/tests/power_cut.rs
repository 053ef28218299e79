//! The server is killed in the middle of its work, again and again: nothing that it answered is
//! lost, nothing is counted twice, the windows are those of a recount by hand, and every decision
//! comes to the desk of alerts and to webhooks once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{client_with, serve};
use paywarden::{
    child::ServerChild,
    client::{Client, Reply},
    key_desk::{Answer, Question, ask},
};
use paywarden_domain::TenantId;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

const CUTS: u64 = 20;
const CUSTOMERS: u64 = 5;
const LANES: u64 = 4;
const MAKER: &str = "decisions:write,decisions:read,cases:read,webhooks:read,webhooks:write,\
    approvals:request,approvals:read";
const CHECKER: &str = "approvals:read,approvals:vote";
/// By then what was written is handed on.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);
/// Rules that always fire, so that every reply shows the values of its windows.
const PACK: &str = r#"
pack: probe
title: Probe
description: Shows windows in every reply
rules:
  - id: windows
    title: Windows of the payer
    engine: fraud
    when: customer.count("40d") >= 0 && customer.sum("40d") >= money("0.00", "USD") && terminal.count("1h") >= 0
    score: 1
    reason: { code: probe, text: Probe }
    stage: live
    source: for this test
    examples:
      - { hit: true, name: any, given: { 'customer.count("40d")': 1, 'customer.sum("40d")': 1.00 USD, 'terminal.count("1h")': 1 } }
      - { hit: false, name: none, given: { 'customer.count("40d")': 1, 'customer.sum("40d")': 1.00 USD } }
"#;

/// A rule that has somebody look at every payment.
const REVIEWED: &str = r#"
pack: reviewed
title: Reviewed
description: Somebody looks at every payment
rules:
  - id: every
    title: Every payment
    engine: fraud
    when: payment.amount_base > money("0.00", "USD")
    score: 450
    action: review
    reason: { code: every, text: Every payment }
    stage: live
    source: for this test
    examples:
      - { hit: true, name: any, given: { payment.amount_base: 1.00 USD } }
      - { hit: false, name: none, given: { payment.amount_base: 0.00 USD } }
"#;

/// One payment as it was sent; the same again whenever it has to be repeated.
#[derive(Clone)]
struct Sent {
    number: u64,
    customer: u64,
    terminal: u64,
    cents: u64,
}

impl Sent {
    /// Numbers are drawn so that customers, terminals and amounts are mixed but repeatable.
    fn new(number: u64) -> Self {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        Self {
            number,
            customer: mixed % CUSTOMERS,
            terminal: mixed / CUSTOMERS % 3,
            cents: 1 + mixed % 5_000,
        }
    }

    fn id(&self) -> String {
        format!("p{}", self.number)
    }

    /// A minute apart, so that the short window does not hold everything.
    fn minute(&self) -> u64 {
        self.number
    }

    fn body(&self) -> String {
        let (day, minute) = (1 + self.minute() / 1440, self.minute() % 1440);
        format!(
            r#"{{"id":"{}","type":"payment.card","occurred_at":"2026-01-{day:02}T{:02}:{:02}:00Z","amount":{{"minor":{},"currency":"USD"}},"payer":{{"id":"c{}"}},"merchant":{{"terminal_id":"t{}"}}}}"#,
            self.id(),
            minute / 60,
            minute % 60,
            self.cents,
            self.customer,
            self.terminal,
        )
    }
}

/// What the world outside knows.
#[derive(Default)]
struct Known {
    next: u64,
    /// Decision identifier by payment, of every reply with status 200.
    answered: HashMap<String, String>,
    /// Sent without a reply: decided or not, nobody outside can tell.
    open: Vec<Sent>,
}

async fn decide(client: &Arc<Client>, sent: &Sent) -> Option<Reply> {
    let key = format!("k{}", sent.number);
    let mut connection = client.connection();
    connection
        .post("/v1/decisions", sent.body().into(), Some(&key))
        .await
        .ok()
}

/// Sends payments until the server is gone.
async fn lane(client: Arc<Client>, known: Arc<Mutex<Known>>) {
    let mut connection = client.connection();
    loop {
        let sent = {
            let mut known = known.lock().unwrap();
            known.next += 1;
            Sent::new(known.next)
        };
        let key = format!("k{}", sent.number);
        let reply = connection
            .post("/v1/decisions", sent.body().into(), Some(&key))
            .await;
        let mut known = known.lock().unwrap();
        match reply {
            Ok(reply) if reply.status.is_success() => remember(&mut known, &sent, &reply),
            Ok(reply) => panic!("{}", reply.refusal()),
            Err(_) => {
                known.open.push(sent);
                return;
            }
        }
    }
}

fn remember(known: &mut Known, sent: &Sent, reply: &Reply) {
    let decision: Value = reply.json().unwrap();
    let id = decision["id"].as_str().unwrap().to_owned();
    assert_eq!(decision["payment_id"], sent.id());
    known.answered.insert(sent.id(), id);
}

/// Every decision in the store, by payment; a payment decided twice fails.
async fn stored(client: &Arc<Client>) -> HashMap<String, String> {
    let mut connection = client.connection();
    let mut stored = HashMap::new();
    let mut path = "/v1/decisions?limit=100".to_owned();
    loop {
        let page: Value = connection.get(&path).await.unwrap().json().unwrap();
        for decision in page["decisions"].as_array().unwrap() {
            let payment = decision["payment_id"].as_str().unwrap().to_owned();
            let twice = stored.insert(payment, decision["id"].as_str().unwrap().to_owned());
            assert!(twice.is_none(), "{decision} was decided twice");
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/decisions?limit=100&cursor={cursor}"),
            None => return stored,
        }
    }
}

/// Decides one more payment and compares the windows in its reply with a recount over the store.
async fn recount(client: &Arc<Client>, known: &mut Known) {
    known.next += 1;
    let probe = Sent::new(known.next);
    let reply = decide(client, &probe).await.unwrap();
    let decision: Value = reply.json().unwrap();
    remember(known, &probe, &reply);
    let all = stored(client).await;
    let numbers = all
        .keys()
        .map(|payment| payment[1..].parse::<u64>().unwrap());
    let counted: Vec<Sent> = numbers.map(Sent::new).collect();
    let of_customer = || {
        counted
            .iter()
            .filter(|sent| sent.customer == probe.customer)
    };
    let cents: u64 = of_customer().map(|sent| sent.cents).sum();
    let within_hour = |sent: &&Sent| {
        sent.terminal == probe.terminal
            && sent.minute() <= probe.minute()
            && sent.minute() + 60 > probe.minute()
    };
    let values = &decision["fraud"]["fired"][0]["values"];
    let value = |operand: &str| {
        let values = values.as_array().unwrap();
        let found = values.iter().find(|value| value["operand"] == operand);
        found.unwrap_or_else(|| panic!("{decision}"))["value"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        value(r#"customer.count("40d")"#),
        of_customer().count().to_string()
    );
    let sum = format!("{}.{:02} USD", cents / 100, cents % 100);
    assert_eq!(value(r#"customer.sum("40d")"#), sum);
    let within_hour = counted.iter().filter(within_hour).count();
    assert_eq!(value(r#"terminal.count("1h")"#), within_hour.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_and_nothing_counts_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("probe.yaml"), PACK).unwrap();
    let rules_dir = format!("rules_dir={}", rules.display());
    let settings = [
        rules_dir.as_str(),
        "trust_event_time=true",
        "snapshot_every_decisions=40",
        "rows_per_reader_per_day=1000000",
    ];
    let server = serve(&data, &settings);
    let (key_id, private) = server
        .create_key(&TenantId::parse("acme").unwrap(), "ed25519")
        .unwrap();
    server.kill();

    let shared = Arc::new(Mutex::new(Known::default()));
    let mut snapshots = HashSet::new();
    for cut in 0..3 * CUTS {
        // A slow machine decides little between two cuts, and snapshots follow decisions.
        if cut >= CUTS && snapshots.len() > 2 {
            break;
        }
        let server = serve(&data, &settings);
        let client = client_with(&server, &key_id, &private);
        let lanes: Vec<_> = (0..LANES)
            .map(|_| tokio::spawn(lane(client.clone(), shared.clone())))
            .collect();
        // Between nothing and 1.7 seconds, in an order that looks random and is repeatable.
        tokio::time::sleep(Duration::from_millis(cut * 7_919 % 1_700)).await;
        server.kill();
        for lane in lanes {
            lane.await.unwrap();
        }
        snapshots.extend(modified(&data.join("windows.snapshot")));

        let server = serve(&data, &settings);
        let client = client_with(&server, &key_id, &private);
        let mut known = std::mem::take(&mut *shared.lock().unwrap());
        settle(&client, &mut known, cut).await;
        recount(&client, &mut known).await;
        *shared.lock().unwrap() = known;
        server.kill();
    }
    assert!(snapshots.len() > 2, "recovery went through snapshots too");
    let decided = shared.lock().unwrap().answered.len();
    assert!(
        decided > 100,
        "only {decided} payments were decided between the cuts"
    );
}

/// After a cut: what was answered is there, and what was not is sent again and keeps the verdict that was stored.
async fn settle(client: &Arc<Client>, known: &mut Known, cut: u64) {
    let there = stored(client).await;
    for (payment, decision) in &known.answered {
        assert_eq!(
            there.get(payment),
            Some(decision),
            "cut {cut}: {payment} was lost"
        );
    }
    for sent in std::mem::take(&mut known.open) {
        let reply = decide(client, &sent).await.unwrap();
        if let Some(decision) = there.get(&sent.id()) {
            let again: Value = reply.json().unwrap();
            assert_eq!(again["id"].as_str(), Some(decision.as_str()), "cut {cut}");
        }
        remember(known, &sent, &reply);
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// A key with these scopes.
fn key(data: &Path, tenant: &TenantId, scopes: &str) -> (String, String) {
    let question = Question::Create {
        algorithm: "ed25519".to_owned(),
        tenant: tenant.clone(),
        scopes: scopes.to_owned(),
        name: "of a test".to_owned(),
    };
    match ask(data, &question).unwrap() {
        Some(Answer::Created { key, private }) => (key.id, private.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// Has a webhook made by two keys; where it is.
async fn webhook([maker, checker]: [&Arc<Client>; 2]) -> String {
    let hook = json!({
        "url": "https://hooks.example/in", "description": "back end",
        "events": ["decision.created", "alert.*"],
    });
    let asked = json!({ "command": { "webhook_change": { "create": hook } }, "reason": "r" });
    let asked = posted(maker, "/v1/approvals", asked).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
    });
    posted(checker, &format!("{path}/votes"), vote).await;
    let done = posted(
        maker,
        &format!("{path}/execution"),
        json!({ "purpose": "due" }),
    )
    .await;
    let id = done["webhook"]["webhook"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    format!("/v1/webhooks/{id}/deliveries")
}

async fn posted(client: &Arc<Client>, path: &str, body: Value) -> Value {
    let body = body.to_string().into();
    let reply = client.connection().post(path, body, None).await.unwrap();
    assert!(reply.status.is_success(), "{path}: {}", reply.refusal());
    reply.json().unwrap()
}

/// Everything that pages show, by their cursors.
async fn all(client: &Arc<Client>, path: &str, member: &str) -> Vec<Value> {
    let (mut connection, mut all) = (client.connection(), Vec::new());
    let mut next = format!("{path}?limit=100");
    loop {
        let page: Value = connection.get(&next).await.unwrap().json().unwrap();
        all.extend(page[member].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}?limit=100&cursor={cursor}"),
            None => return all,
        }
    }
}

/// Waits until everything that was written is handed on: more comes of what is handed on, so it is
/// looked three times.
async fn settled(client: &Arc<Client>) {
    let (begun, mut empty) = (Instant::now(), 0);
    while empty < 3 {
        assert!(begun.elapsed() < SETTLED_WITHIN, "leaves are not handed on");
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let metrics = client.connection().get("/metrics").await.unwrap();
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        empty = match text.lines().any(|line| line == "paywarden_outbox_depth 0") {
            true => empty + 1,
            false => 0,
        };
    }
}

/// The payments of all open alerts. One that is in two, or twice in one, fails.
async fn alerted(client: &Arc<Client>) -> (usize, HashSet<String>) {
    let alerts = all(client, "/v1/alerts", "alerts").await;
    let mut payments = HashSet::new();
    for payment in alerts
        .iter()
        .flat_map(|alert| alert["payments"].as_array().unwrap())
    {
        let id = payment["payment_id"].as_str().unwrap().to_owned();
        assert!(payments.insert(id), "{payment} is alerted twice");
    }
    (alerts.len(), payments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_decision_comes_to_the_desk_and_to_webhooks_once_whenever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("reviewed.yaml"), REVIEWED).unwrap();
    let rules_dir = format!("rules_dir={}", rules.display());
    let settings = [
        rules_dir.as_str(),
        "trust_event_time=true",
        "rows_per_reader_per_day=1000000",
    ];
    let server = serve(&data, &settings);
    let tenant = TenantId::parse("acme").unwrap();
    let keys = [MAKER, CHECKER].map(|scopes| key(&data, &tenant, scopes));
    let clients = |server: &ServerChild| {
        [0, 1].map(|one: usize| client_with(server, &keys[one].0, &keys[one].1))
    };
    let [maker, checker] = clients(&server);
    let deliveries = webhook([&maker, &checker]).await;
    server.kill();

    let shared = Arc::new(Mutex::new(Known::default()));
    for cut in 0..CUTS {
        let server = serve(&data, &settings);
        let [client, _] = clients(&server);
        let lanes: Vec<_> = (0..LANES)
            .map(|_| tokio::spawn(lane(client.clone(), shared.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(cut * 7_919 % 900)).await;
        server.kill();
        for lane in lanes {
            lane.await.unwrap();
        }
    }
    let server = serve(&data, &settings);
    let [client, _] = clients(&server);
    let decided: HashSet<String> = stored(&client).await.into_keys().collect();
    assert!(decided.len() > 100, "{}", decided.len());
    settled(&client).await;
    let (alerts, payments) = alerted(&client).await;
    assert!(
        payments == decided,
        "{} of {}",
        payments.len(),
        decided.len()
    );
    let told = all(&client, &deliveries, "deliveries").await;
    let count = |event: &str| told.iter().filter(|one| one["event"] == event).count();
    assert_eq!(count("decision.created"), decided.len());
    assert_eq!(count("alert.open"), alerts);
    let messages: HashSet<&str> = told
        .iter()
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), told.len());
    server.kill();
}
