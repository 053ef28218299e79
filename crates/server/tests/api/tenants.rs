//! No tenant reaches another: every route is walked with another tenant's key.

use crate::support::{Client, Sent, Setup, Signer, World, model_desk, now, payment};
use crate::{ratings, reports};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_server::api::{Route, program_routes};
use serde_json::{Value, json};

/// A webhook that is not the other tenant's; `webhooks.rs` walks with one that is the first one's.
const HOOK: &str = "whe_0123456789abcdef01234567";
const LIST: &str = "/v1/lists/denied_cards/entries";

/// What only the first tenant may read.
const SECRETS: [&str; 7] = [
    "secret-value",
    "secret-reason",
    "secret_rule",
    "secret_method",
    "secret_notice",
    "secret-party",
    "secret-report",
];

fn entry() -> Value {
    json!({ "value": "secret-value", "reason": "secret-reason" })
}

/// A rule set of one rule.
fn draft(rule: &str, purpose: &str) -> Sent {
    let text = format!(
        "pack: own\ntitle: t\nrules:\n  - id: {rule}\n    title: t\n    engine: fraud\n    \
         when: card in lists.x\n    score: 1\n    reason: {{ code: c, text: t }}\n    source: s\n    \
         examples:\n      - {{ hit: true, given: {{ lists.x: true }} }}\n      \
         - {{ hit: false, given: {{ lists.x: false }} }}\n"
    );
    let packs = json!([{ "file": "own.yaml", "text": text }]);
    let body = json!({ "packs": packs, "purpose": purpose });
    Sent::json(Method::POST, "/v1/rule-sets", &body)
}

/// What the first tenant has.
#[derive(Clone, Copy)]
struct Mine<'m> {
    decision: &'m str,
    version: &'m str,
    approval: &'m str,
    token: &'m str,
    subject: &'m str,
    request: &'m str,
    run: &'m str,
    model: &'m str,
    report: &'m str,
}

/// Asks for the release of a version.
fn asking(version: &str, reason: &str) -> Sent {
    let command = json!({ "rule_release": { "version": version } });
    let body = json!({ "command": command, "reason": reason });
    Sent::json(Method::POST, "/v1/approvals", &body)
}

/// Keeps a value in the vault.
fn keeping() -> Sent {
    let item = json!({ "subject": "payer-1", "class": "free_form", "value": "secret-value" });
    let body = json!({ "purpose": "settlement", "item": item });
    Sent::json(Method::POST, "/v1/vault/tokenize", &body)
}

/// Reads it.
fn reading(token: &str) -> Sent {
    let body = json!({ "purpose": "settlement", "token": token });
    Sent::json(Method::POST, "/v1/vault/detokenize", &body)
}

/// A screening list with one party.
fn list_of(party: &str) -> Sent {
    let path = "/v1/screening-lists/denied_cards/versions?format=csv&kind=own";
    let csv = format!("id,name\n{party},Veryan Oddname\n");
    Sent::new(Method::POST, path, csv).header("content-type", "text/csv")
}

fn labelled() -> Sent {
    Sent::json(Method::POST, "/v1/labels", &label())
}

fn label() -> Value {
    json!({ "payment_id": "pay-1", "verdict": "fraud", "source": "analyst" })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_from_the_signing_tenant_alone() {
    let world = World::start(Setup::default()).await;
    let (acme, other) = (
        world.signer("acme", Ed25519).await,
        world.signer("other", Ed25519).await,
    );
    let mut client = world.client(true).await;
    let decided = ok(&mut client, &acme, Sent::decision(&payment("pay-1"))).await;
    let mine_id = decided["id"].as_str().unwrap();
    let entry = Sent::json(Method::PUT, LIST, &entry());
    let question = "/v1/payments/pay-1/confirmation-requests";
    let question = Sent::json(Method::POST, question, &json!({}));
    for sent in [entry, labelled(), list_of("secret-party"), question] {
        ok(&mut client, &acme, sent).await;
    }

    let drafted = ok(&mut client, &acme, draft("secret_rule", "secret-reason")).await;
    let version = drafted["version"].as_str().unwrap();
    let asked = ok(&mut client, &acme, asking(version, "secret-reason")).await;
    let kept = ok(&mut client, &acme, keeping()).await;
    let agreed = agree_and_publish(&mut client, &acme).await;
    let owed = owe(&mut client, &acme).await;
    let model = model_desk::upload(model_desk::bytes(1_000.0));
    let model = ok(&mut client, &acme, model).await;
    let report = Sent::json(
        Method::POST,
        "/v1/reports",
        &reports::sample("secret-report"),
    );
    let report = ok(&mut client, &acme, report).await;
    let mine = Mine {
        decision: mine_id,
        version,
        approval: asked["id"].as_str().unwrap(),
        token: kept["token"].as_str().unwrap(),
        subject: agreed["subject"].as_str().unwrap(),
        request: owed[0]["id"].as_str().unwrap(),
        run: owed[1]["id"].as_str().unwrap(),
        model: model["model"].as_str().unwrap(),
        report: report["id"].as_str().unwrap(),
    };

    for route in program_routes().filter(|route| route.scope.is_some()) {
        let (sent, expected) = walk(route, mine);
        let answer = client.signed(&other, sent).await;
        let text = String::from_utf8_lossy(&answer.body);
        for secret in SECRETS
            .into_iter()
            .chain([mine_id, mine.approval, mine.model, mine.report])
        {
            assert!(
                !text.contains(secret),
                "{} {}: {text}",
                route.method,
                route.path
            );
        }
        let json = serde_json::from_slice(&answer.body).unwrap_or_default();
        check(expected, route.path, answer.status, &json);
    }

    unharmed(&mut client, &acme, mine, &decided).await;
}

/// What was there before is there still, and only that.
async fn unharmed(client: &mut Client, acme: &Signer, mine: Mine<'_>, decided: &Value) {
    let question = Sent::new(Method::GET, "/v1/payments/pay-1/confirmation", "");
    assert_eq!(ok(client, acme, question).await["state"], "open");
    let read = ok(client, acme, reading(mine.token)).await;
    assert_eq!(read["value"], "secret-value");
    let same = Sent::new(Method::GET, &format!("/v1/decisions/{}", mine.decision), "");
    assert_eq!(ok(client, acme, same).await, *decided);
    for (path, member) in [
        (LIST, "entries"),
        ("/v1/payments/pay-1/labels", "labels"),
        ("/v1/decisions", "decisions"),
        ("/v1/lists", "lists"),
        ("/v1/rule-sets", "rule_sets"),
        ("/v1/approvals", "approvals"),
    ] {
        let json = ok(client, acme, Sent::new(Method::GET, path, "")).await;
        assert_eq!(json[member].as_array().unwrap().len(), 1, "{path}");
    }
}

/// What the other tenant asks of a route, with the first one's identifiers, and what it may get.
#[allow(clippy::too_many_lines, reason = "one arm for each route")]
fn walk(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    if route.path.starts_with("/v1/approval") {
        return walk_approvals(route, mine);
    }
    if is_of_vault(route) {
        return walk_vault(route, mine);
    }
    if is_of_privacy(route) {
        return walk_privacy(route, mine);
    }
    if route.path.starts_with("/v1/report") && route.path != "/v1/reports/prevention" {
        return reports::walk(route, mine.report);
    }
    if let Some(walked) = walk_apart(route, mine) {
        return walked;
    }
    if route.path.starts_with("/v1/webhooks") || route.path.contains("/confirmation") {
        return walk_notify(route);
    }
    let mine_id = mine.decision;
    let path = route.path.replace("{id}", mine_id);
    let path = path
        .replace("{version}", mine.version)
        .replace("{payment_id}", "pay-1")
        .replace("{list}", "denied_cards")
        .replace("{tile}", "entries/000.p/1");
    let own = json!({ "value": "v", "reason": "r" });
    match (route.method.as_str(), route.path) {
        // The same payment id is another payment here, so it is decided, not refused.
        ("POST", "/v1/decisions") => (Sent::decision(&payment("pay-1")), "new"),
        // Of its own payment, decided a moment ago on this walk.
        ("POST", "/v1/labels") => (Sent::json(Method::POST, &path, &label()), "labelled"),
        ("POST", "/v1/labels/batch") => {
            let sent = Sent::new(Method::POST, &(path + "?format=jsonl"), label().to_string());
            (sent.header("content-type", "application/x-ndjson"), "own")
        }
        (_, path_of) if path_of.starts_with("/v1/rule") && path_of != "/v1/rule-set" => {
            walk_rules(route, &path)
        }
        ("GET", "/v1/decisions/{id}/explanation") => {
            let path = format!("{path}?rule=test.denied_card");
            (Sent::new(Method::GET, &path, ""), "decision_unknown")
        }
        ("GET", "/v1/decisions/{id}/what-if") => {
            let path = format!("{path}?version=live");
            (Sent::new(Method::GET, &path, ""), "decision_unknown")
        }
        // Walked with the hash of the first one's card in `entities.rs`.
        ("GET", path_of) if path_of.starts_with("/v1/entities") => {
            let path = path.replace("{kind}", "card");
            (Sent::new(Method::GET, &path, ""), "entity_unknown")
        }
        ("GET", "/v1/decisions/{id}" | "/v1/decisions/{id}/entities") => {
            (Sent::new(Method::GET, &path, ""), "decision_unknown")
        }
        ("GET", "/v1/trail/proofs/inclusion") => {
            let path = format!("{path}?decision={mine_id}");
            (Sent::new(Method::GET, &path, ""), "decision_unknown")
        }
        ("GET", "/v1/trail/proofs/consistency") => (
            Sent::new(Method::GET, &format!("{path}?from=1&to=1"), ""),
            "own",
        ),
        ("POST", "/v1/trail/cosignatures") => {
            let note = json!({ "checkpoint": "a\n\n\u{2014} b AAAAAAAA\n" });
            (Sent::json(Method::POST, &path, &note), "trail_unknown")
        }
        ("GET", "/v1/security-alerts/{id}") => (Sent::new(Method::GET, &path, ""), "alert_unknown"),
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "own"),
        ("POST", "/v1/safety/password-checks") => {
            let check = json!({ "password": "a", "profile": "nist" });
            (Sent::json(Method::POST, &path, &check), "own")
        }
        ("PUT", _) => (Sent::json(Method::PUT, &path, &own), "own"),
        ("DELETE", _) => (
            Sent::json(Method::DELETE, &path, &entry()),
            "list_entry_unknown",
        ),
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// The same of routes that have a walk of their own.
fn walk_apart(route: &Route, mine: Mine<'_>) -> Option<(Sent, &'static str)> {
    let begins = |part: &str| route.path.starts_with(part);
    if begins("/v1/screening") {
        return Some(walk_screening(route, mine));
    }
    if begins("/v1/travel-rule") {
        let body = json!({ "amount": { "value": "1", "currency": "JPY" }, "identity": {} });
        let sent = Sent::json(Method::POST, route.path, &body);
        return Some((sent, "report_profile_unknown"));
    }
    if begins("/v1/customer-ratings") || begins("/v1/rating-policy") {
        return Some(ratings::walk(route));
    }
    if route.path.contains("/models") {
        return Some(walk_models(route, mine));
    }
    (begins("/v1/alert") || begins("/v1/cases")).then(|| walk_cases(route))
}

/// The same of the routes of models.
fn walk_models(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    let path = route
        .path
        .replace("{model}", mine.model)
        .replace("{id}", mine.decision)
        .replace("{engine}", "fraud");
    let step = json!({ "engine": "fraud", "purpose": "theirs" });
    let steps = Sent::json(Method::POST, &path, &step);
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/models") => (model_desk::upload(&b"none"[..]), "model_refused"),
        ("POST", "/v1/models/rollback") => (steps, "model_move"),
        ("POST", "/v1/models/{model}/publish") => {
            let policy = json!({ "chances": [{ "from_ppm": 1, "action": "review" }] });
            let body = json!({ "engine": "fraud", "purpose": "theirs", "policy": policy });
            (Sent::json(Method::POST, &path, &body), "model_unknown")
        }
        ("POST", _) => (steps, "model_unknown"),
        (_, "/v1/models") => (Sent::new(Method::GET, &path, ""), "own"),
        (_, "/v1/decisions/{id}/models/{engine}") => {
            (Sent::new(Method::GET, &path, ""), "decision_unknown")
        }
        _ => (Sent::new(Method::GET, &path, ""), "model_unknown"),
    }
}

/// The same of the routes of alerts and cases. Alerts and cases are walked with what there is in
/// `cases.rs` beside this; here there is none of this identifier.
fn walk_cases(route: &Route) -> (Sent, &'static str) {
    let path = route.path.replace("{id}", "alr_1").replace("{file}", "1");
    let send = |body: Value| Sent::json(Method::POST, &path, &body);
    let close = json!({ "disposition": "confirmed", "reason": "customer_denies" });
    match (route.method.as_str(), route.path) {
        ("GET", "/v1/alerts" | "/v1/cases" | "/v1/alert-policy" | "/v1/alert-quality") => {
            (Sent::new(Method::GET, &path, ""), "own")
        }
        ("GET", "/v1/cases/{id}/files/{file}") => (
            Sent::new(Method::GET, &(path + "?purpose=aml_compliance"), ""),
            "work_item_unknown",
        ),
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "work_item_unknown"),
        (_, "/v1/cases/{id}/files") => (
            send(json!({ "name": "a.txt", "purpose": "aml_compliance", "content": "YQ==" })),
            "work_item_unknown",
        ),
        (_, "/v1/alerts/next") => (Sent::new(Method::POST, &path, ""), "own"),
        (_, "/v1/alerts/acts") => (
            send(json!({ "alerts": ["alr_1"], "act": { "claim": {} } })),
            "own",
        ),
        (_, "/v1/alerts/closings") => (
            send(json!({ "alerts": ["alr_1"], "closing": close })),
            "own",
        ),
        (_, "/v1/alerts/{id}/closing") => (send(json!({ "closing": close })), "work_item_unknown"),
        (_, "/v1/cases") => (
            send(json!({ "title": "t", "typology": "mule", "alerts": ["alr_1"] })),
            "work_item_unknown",
        ),
        (_, "/v1/cases/{id}/reopening" | "/v1/cases/{id}/files/{file}/erasure") => {
            (send(json!({ "reason": "r" })), "work_item_unknown")
        }
        (_, "/v1/cases/{id}/payments") => {
            (send(json!({ "payments": ["pay-1"] })), "work_item_unknown")
        }
        (_, path) if path.ends_with("/acts") => {
            (send(json!({ "act": { "claim": {} } })), "work_item_unknown")
        }
        (_, path) if path.ends_with("/notes") => {
            (send(json!({ "text": "t" })), "work_item_unknown")
        }
        (_, path) if path.ends_with("/payment-actions") => (
            send(json!({ "action": "release", "payment_id": "pay-1", "reason": "r" })),
            "work_item_unknown",
        ),
        (_, path) if path.ends_with("/entity-actions") => (
            send(json!({
                "action": "block", "entity": "customer:00000000000000aa",
                "expires_at": "2199-01-01T00:00:00Z", "reason": "r",
            })),
            "work_item_unknown",
        ),
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// The same of the routes of screening. The list of the other tenant has the same name, and its
/// party too, so that there is something to mix up.
fn walk_screening(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    let path = route
        .path
        .replace("{list}", "denied_cards")
        .replace("{id}", mine.decision);
    let party = json!({ "name": "Veryan Oddname" });
    let send = |body: Value| Sent::json(Method::POST, &path, &body);
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/screening-lists/{list}/versions") => (list_of("their-party"), "own"),
        ("POST", "/v1/screenings") => (
            send(json!({ "purpose": "aml_compliance", "party": party })),
            "own",
        ),
        ("POST", "/v1/screening-batches") => (
            send(json!({ "purpose": "aml_compliance", "parties": [party] })),
            "accepted",
        ),
        ("GET", "/v1/screening-lists/{list}/versions") => {
            (Sent::new(Method::GET, &path, ""), "screening_list_unknown")
        }
        ("GET", "/v1/screening-batches/{id}") => {
            (Sent::new(Method::GET, &path, ""), "screening_batch_unknown")
        }
        ("PUT", _) => {
            let party = json!({ "name": "Veryan Oddname", "reference": "payer-1" });
            let body = json!({ "purpose": "aml_compliance", "party": party });
            (Sent::json(Method::PUT, &path, &body), "own")
        }
        ("DELETE", _) => {
            let body = json!({ "purpose": "aml_compliance", "reference": "payer-2" });
            (
                Sent::json(Method::DELETE, &path, &body),
                "screening_party_unknown",
            )
        }
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "own"),
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// The same of webhooks and of what payers are asked. Both tenants have a payment by this name, and
/// the first one's payer was asked about it: the other tenant asks and answers for its own.
fn walk_notify(route: &Route) -> (Sent, &'static str) {
    let path = route
        .path
        .replace("{id}", HOOK)
        .replace("{message}", "msg_1")
        .replace("{payment_id}", "pay-1");
    let send = |body: Value| Sent::json(route.method.clone(), &path, &body);
    match (route.method.as_str(), route.path) {
        ("GET", "/v1/webhooks") => (Sent::new(Method::GET, &path, ""), "own"),
        ("POST", "/v1/webhooks") => (send(json!({ "url": "u" })), "field_missing"),
        ("GET", path_of) if path_of.starts_with("/v1/webhooks") => {
            (Sent::new(Method::GET, &path, ""), "webhook_unknown")
        }
        ("PUT", _) => {
            let body = json!({ "url": "https://a.example/", "events": ["*"], "reason": "r" });
            (send(body), "webhook_unknown")
        }
        (_, "/v1/webhooks/{id}/rotation") => (
            send(json!({ "overlap_hours": 1, "reason": "r" })),
            "webhook_unknown",
        ),
        (_, "/v1/webhooks/{id}/replay") => {
            let span = json!({ "from": now().to_string(), "to": now().to_string(), "reason": "r" });
            (send(span), "webhook_unknown")
        }
        (_, path_of) if path_of.starts_with("/v1/webhooks") => {
            (send(json!({ "reason": "r" })), "webhook_unknown")
        }
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "own"),
        (_, path_of) if path_of.ends_with("answers") => (send(json!({ "answer": "yes" })), "own"),
        _ => (send(json!({})), "drafted"),
    }
}

fn is_of_vault(route: &Route) -> bool {
    let prefixes = ["/v1/vault", "/data", "/cards", "/custodian"];
    prefixes.iter().any(|prefix| route.path.starts_with(prefix))
}

fn is_of_privacy(route: &Route) -> bool {
    let prefixes = [
        "/v1/notices",
        "/v1/consents",
        "/v1/privacy-policy",
        "/v1/subjects",
        "/v1/retention",
    ];
    prefixes.iter().any(|prefix| route.path.starts_with(prefix))
}

/// The same of the routes of notices, consents and persons.
fn walk_privacy(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    if ["/v1/subjects/re", "/v1/retention"]
        .iter()
        .any(|part| route.path.starts_with(part))
    {
        return walk_persons(route, mine);
    }
    let path = route
        .path
        .replace("{name}", "secret_notice")
        .replace("{version}", "1")
        .replace("{subject}", mine.subject);
    let send = |body: Value| Sent::json(route.method.clone(), &path, &body);
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/notices") => (send(json!({ "name": "n" })), "field_missing"),
        ("POST", "/v1/consents") => (send(consent(mine.subject)), "subject_unknown"),
        ("POST", "/v1/consents/withdrawals") => {
            (send(json!({ "subject": mine.subject })), "subject_unknown")
        }
        ("POST", "/v1/subjects/objections") => (
            send(json!({ "subject": mine.subject, "purposes": ["marketing"] })),
            "subject_unknown",
        ),
        ("POST", "/v1/subjects/holds") => (
            send(json!({ "subject": mine.subject, "reference": "case" })),
            "subject_unknown",
        ),
        ("POST", "/v1/subjects/corrections") => (
            send(json!({ "subject": mine.subject, "token": mine.token, "value": "v" })),
            "token_unknown",
        ),
        ("POST", "/v1/subjects/exports") => {
            (send(json!({ "subject": mine.subject })), "subject_unknown")
        }
        ("POST", "/v1/subjects/erasures") => (
            send(json!({ "subject": mine.subject, "reason": "r" })),
            "own",
        ),
        (_, "/v1/notices/{name}" | "/v1/notices/{name}/versions/{version}") => {
            (Sent::new(Method::GET, &path, ""), "notice_unknown")
        }
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "own"),
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// The same of what persons ask for, and of the time that their data is kept.
fn walk_persons(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    let id = match route.path.starts_with("/v1/retention") {
        true => mine.run,
        false => mine.request,
    };
    let path = route.path.replace("{id}", id);
    let send = |body: Value| Sent::json(route.method.clone(), &path, &body);
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/subjects/relation" | "/v1/subjects/restriction") => {
            (send(json!({ "subject": mine.subject })), "subject_unknown")
        }
        ("POST", "/v1/subjects/requests") => (
            send(json!({ "subject": mine.subject, "kind": "access" })),
            "subject_unknown",
        ),
        ("POST", "/v1/subjects/requests/{id}/extension") => {
            (send(json!({ "reason": "r" })), "subject_request_unknown")
        }
        ("POST", "/v1/subjects/requests/{id}/answer") => (
            send(json!({ "outcome": "granted", "reason": "r" })),
            "subject_request_unknown",
        ),
        ("GET", "/v1/subjects/requests/{id}") => {
            (Sent::new(Method::GET, &path, ""), "subject_request_unknown")
        }
        ("POST", "/v1/retention/runs") => (
            send(json!({ "purpose": "p", "counted": mine.run })),
            "retention_unknown",
        ),
        ("POST", "/v1/retention/runs/{id}/step") => (
            send(json!({ "purpose": "p", "step": "stop" })),
            "retention_unknown",
        ),
        ("GET", "/v1/retention/runs/{id}") => {
            (Sent::new(Method::GET, &path, ""), "retention_unknown")
        }
        ("GET", _) => (Sent::new(Method::GET, &path, ""), "own"),
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// Has a person agree to offers, and publishes a notice.
async fn agree_and_publish(client: &mut Client, acme: &Signer) -> Value {
    let agrees = Sent::json(Method::POST, "/v1/consents", &consent("payer-1"));
    let agreed = ok(client, acme, agrees).await;
    let notice = Sent::new(Method::GET, "/v1/notices/standard", "");
    let mut notice = ok(client, acme, notice).await["notice"].take();
    notice["name"] = json!("secret_notice");
    let publish = Sent::json(Method::POST, "/v1/notices", &notice);
    ok(client, acme, publish).await;
    agreed
}

/// Has a person ask for something, and counts what is due.
async fn owe(client: &mut Client, acme: &Signer) -> [Value; 2] {
    let asks = json!({ "subject": "payer-1", "kind": "access" });
    let asks = Sent::json(Method::POST, "/v1/subjects/requests", &asks);
    let counts = json!({ "purpose": "secret-reason", "dry_run": true });
    let counts = Sent::json(Method::POST, "/v1/retention/runs", &counts);
    [ok(client, acme, asks).await, ok(client, acme, counts).await]
}

/// Agrees to offers.
fn consent(subject: &str) -> Value {
    json!({
        "subject": subject, "purposes": ["marketing"], "notice": "standard", "notice_version": 0,
        "language": "en", "method": "secret_method",
    })
}

/// The same of the routes of the vault.
fn walk_vault(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    let send = |body: Value| Sent::json(Method::POST, route.path, &body);
    let token = mine.token;
    let item = json!({ "subject": "s", "class": "free_form", "value": "their own" });
    let theirs =
        json!({ "merchant_id": "m", "merchant_customer_id": "c", "card_reference": token });
    let card = json!({ "card_number": "4012888888881881" });
    match (route.method.as_str(), route.path) {
        ("GET", path) => (Sent::new(Method::GET, path, ""), "own"),
        (_, "/v1/vault/tokenize") => (
            send(json!({ "purpose": "settlement", "item": item })),
            "own",
        ),
        (_, "/v1/vault/tokenize/batch") => (
            send(json!({ "purpose": "settlement", "items": [item] })),
            "own",
        ),
        (_, "/v1/vault/detokenize" | "/v1/vault/delete") => (
            send(json!({ "purpose": "settlement", "token": token })),
            "token_refused",
        ),
        (_, "/v1/vault/detokenize/batch") => (
            send(json!({ "purpose": "settlement", "tokens": [token] })),
            "own",
        ),
        (_, "/v1/vault/search") => (
            send(json!({ "purpose": "settlement", "by": { "subject": "payer-1" } })),
            "own",
        ),
        (_, "/v1/vault/forget") => (send(json!({ "purpose": "p", "subject": "payer-1" })), "own"),
        (_, "/v1/vault/rotation") => (send(json!({ "purpose": "p", "step": "pause" })), "accepted"),
        (_, "/data/add") => {
            let body = json!({ "merchant_id": "m", "merchant_customer_id": "c", "card": card });
            (send(body), "own")
        }
        (_, "/data/retrieve" | "/data/delete") => (send(theirs), "token_unknown"),
        (_, "/data/fingerprint" | "/cards/fingerprint") => (send(json!({ "card": card })), "own"),
        (_, "/custodian/decrypt") => (Sent::new(Method::POST, route.path, ""), "share_refused"),
        (_, "/custodian/key1" | "/custodian/key2") => {
            (send(json!({ "key": "not a share" })), "share_refused")
        }
        unknown => panic!("the walk does not know {unknown:?}"),
    }
}

/// The same of the routes of approvals.
fn walk_approvals(route: &Route, mine: Mine<'_>) -> (Sent, &'static str) {
    let path = route.path.replace("{id}", mine.approval);
    let send = |body: Value| Sent::json(route.method.clone(), &path, &body);
    let reason = || json!({ "reason": "r" });
    let vote = json!({ "vote": "approve", "payload_sha256": "x", "reason": "r" });
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/approvals") => (asking(mine.version, "r"), "rule_set_unknown"),
        ("POST", "/v1/approvals/{id}/votes") => (send(vote), "approval_unknown"),
        ("POST", "/v1/approvals/{id}/withdrawal") => (send(reason()), "approval_unknown"),
        ("POST", "/v1/approvals/{id}/reveal") => {
            (Sent::new(Method::POST, &path, ""), "approval_unknown")
        }
        ("POST", "/v1/approvals/{id}/execution") => {
            (send(json!({ "purpose": "p" })), "approval_unknown")
        }
        ("POST", "/v1/approvals/{id}/review") => {
            let review = json!({ "finding": "justified", "note": "n" });
            (send(review), "approval_unknown")
        }
        ("POST", "/v1/approval-delegations") => {
            let until = Timestamp::from_micros(now().micros() + DAY).to_string();
            let lent = json!({ "to": "key:nobody", "until": until, "reason": "r" });
            (send(lent), "delegation_malformed")
        }
        ("DELETE", _) => (send(reason()), "delegation_unknown"),
        ("GET", "/v1/approvals/{id}") => (Sent::new(Method::GET, &path, ""), "approval_unknown"),
        _ => (Sent::new(Method::GET, &path, ""), "own"),
    }
}

/// The same of the routes of rules and rule sets.
fn walk_rules(route: &Route, path: &str) -> (Sent, &'static str) {
    let post = |body: Value| Sent::json(Method::POST, path, &body);
    let get = || Sent::new(Method::GET, path, "");
    match (route.method.as_str(), route.path) {
        // Another draft than the first tenant's, or it would have the same version.
        ("POST", "/v1/rule-sets") => (draft("own_rule", "p"), "drafted"),
        ("POST", "/v1/rule-sets/rollback") => {
            (post(json!({ "purpose": "p" })), "rule_set_not_live")
        }
        ("POST", "/v1/rule-sets/{version}/canary") => {
            let canary = json!({ "purpose": "p", "share_bp": 1 });
            (post(canary), "rule_set_unknown")
        }
        ("POST", "/v1/rules/effect") => (post(json!({ "expression": "event.hour >= 0" })), "own"),
        ("POST", "/v1/rules/check") => (post(json!({ "text": "pack: own" })), "own"),
        ("POST", "/v1/rules/completions" | "/v1/rules/hover") => {
            (post(json!({ "expression": "card", "cursor": 4 })), "own")
        }
        ("GET", "/v1/rules/activity") => (get(), "own"),
        ("POST", _) => (post(json!({ "purpose": "p" })), "rule_set_unknown"),
        ("GET", "/v1/rule-sets" | "/v1/rule-sets/{version}/backtests") => (get(), "own"),
        ("GET", "/v1/rule-sets/{version}/backtests/{id}") => (get(), "backtest_unknown"),
        _ => (get(), "rule_set_unknown"),
    }
}

fn check(expected: &str, path: &str, status: StatusCode, json: &Value) {
    match expected {
        "new" => assert_eq!(
            (status, &json["outcome"]),
            (StatusCode::OK, &json!("approve"))
        ),
        "drafted" => assert_eq!(status, StatusCode::CREATED, "{json}"),
        "accepted" => assert_eq!(status, StatusCode::ACCEPTED, "{json}"),
        "labelled" => assert_eq!(status, StatusCode::CREATED, "{json}"),
        "own" => assert_eq!(status, StatusCode::OK, "{path} {json}"),
        code => assert_eq!(json["code"], code, "{path} {json}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_cards_of_two_tenants_have_different_indexes() {
    let world = World::start(Setup::default()).await;
    let (acme, other) = (
        world.signer("acme", Ed25519).await,
        world.signer("other", Ed25519).await,
    );
    let mut client = world.client(true).await;
    let mine = client
        .signed(&acme, Sent::decision(&payment("p")))
        .await
        .json();
    let theirs = client
        .signed(&other, Sent::decision(&payment("p")))
        .await
        .json();
    assert_ne!(mine["card"]["index"], theirs["card"]["index"]);
    assert_ne!(mine["id"], theirs["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_belongs_to_the_key_that_sent_it() {
    let world = World::start(Setup::default()).await;
    let (acme, other) = (
        world.signer("acme", Ed25519).await,
        world.signer("other", Ed25519).await,
    );
    let mut client = world.client(true).await;
    let sent = Sent::decision(&payment("p")).header("idempotency-key", "same");
    let mine = client.signed(&acme, sent.clone()).await;
    let theirs = client.signed(&other, sent.again()).await;
    assert_eq!(
        (mine.status, theirs.status),
        (StatusCode::OK, StatusCode::OK)
    );
    assert!(!theirs.is_replayed());
    assert_ne!(mine.json()["id"], theirs.json()["id"]);
}

async fn ok(client: &mut Client, signer: &Signer, sent: Sent) -> Value {
    let answer = client.signed(signer, sent).await;
    assert!(answer.status.is_success(), "{:?}", answer.json());
    answer.json()
}
