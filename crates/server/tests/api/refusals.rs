//! Every refusal, over real TLS: its own stable code, counted, and nothing changed in the store.

use crate::support::{
    Client, Sent, Setup, Signer, World, author, client::Answer, now, payment, unique,
};
use http::Method;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sends each refusal in turn and keeps what was answered, by shown code.
struct Refuser {
    world: World,
    client: Client,
    signer: Signer,
    seen: BTreeMap<String, u64>,
}

impl Refuser {
    async fn expect(&mut self, status: u16, code: &str, sent: Sent) -> Value {
        let answer = self.client.signed(&self.signer, sent).await;
        self.check(status, code, code, &answer)
    }

    async fn expect_unsigned(&mut self, status: u16, code: &str, sent: Sent) -> Value {
        let answer = self.client.send(sent).await;
        self.check(status, code, code, &answer)
    }

    fn check(&mut self, status: u16, shown: &str, counted: &str, answer: &Answer) -> Value {
        let document = answer.json();
        assert_eq!(document["code"], shown, "{document}");
        assert_eq!(answer.status.as_u16(), status, "{document}");
        assert_eq!(document["status"], status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(
            document["request_id"],
            answer.headers["request-id"].to_str().unwrap()
        );
        assert_eq!(document["type"], format!("urn:paywarden:error:{shown}"));
        *self.seen.entry(counted.to_owned()).or_default() += 1;
        document
    }

    async fn body(&mut self, status: u16, code: &str, pointer: &str, change: impl Fn(&mut Value)) {
        let mut body = payment(&unique("p"));
        change(&mut body);
        let document = self.expect(status, code, Sent::decision(&body)).await;
        assert_eq!(
            document["pointer"].as_str().unwrap_or_default(),
            pointer,
            "{document}"
        );
    }

    async fn bytes(&mut self, status: u16, code: &str, body: impl Into<bytes::Bytes>) {
        self.expect(status, code, Sent::decision_bytes(body)).await;
    }
}

/// Leaves of what has changed.
async fn changes(database: &paywarden_store::Database) -> usize {
    let acts = database.acts(0, 1_000).await.unwrap();
    let is_change = |act: &&paywarden_store::ActRow| {
        let leaf = act.read().unwrap();
        !leaf.action.starts_with("access.")
    };
    acts.iter().filter(is_change).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_code_is_counted_and_changes_nothing() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let client = world.client(true).await;
    let mut refuser = Refuser {
        world,
        client,
        signer,
        seen: BTreeMap::new(),
    };
    let database = refuser.world.database.clone();
    let before = changes(&database).await;
    limits(&mut refuser).await;
    signatures(&mut refuser).await;
    digests(&mut refuser).await;
    bodies(&mut refuser).await;
    events(&mut refuser).await;
    idempotency_keys(&mut refuser).await;
    lookups(&mut refuser).await;
    let after = changes(&database).await;
    // Two keys were made and one revoked on the way; beside the leaves of refusals nothing else
    // was written.
    assert_eq!(after, before + 3);
    for (code, count) in refuser.seen {
        let line = format!("paywarden_refusals_total{{code=\"{code}\"}}");
        assert_eq!(refuser.world.metric(&line).await, count, "{code}");
    }
}

async fn limits(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    let long = "x".repeat(17 * 1024);
    refuser
        .expect(431, "headers_too_large", decision().header("x-long", &long))
        .await;
    let mut many = decision();
    for number in 0..70 {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        many.headers.insert(name, "1".parse().unwrap());
    }
    refuser.expect(431, "headers_too_large", many).await;
    let elsewhere = Sent::new(Method::POST, "/v2/decisions", "{}");
    refuser.expect(404, "route_unknown", elsewhere).await;
    let wrong = Sent::new(Method::PATCH, "/v1/decisions", "{}");
    refuser.expect(405, "method_not_allowed", wrong).await;
    refuser
        .bytes(413, "body_too_large", vec![b' '; 65_537])
        .await;
    let text = decision().header("content-type", "text/plain");
    refuser.expect(415, "content_type_unsupported", text).await;
}

async fn signatures(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    let document = refuser
        .expect_unsigned(401, "signature_missing", decision())
        .await;
    assert!(Timestamp::parse(document["server_time"].as_str().unwrap()).is_ok());
    let answer = refuser.client.send(decision()).await;
    let wanted = answer.headers["accept-signature"].to_str().unwrap();
    for part in [
        "\"@method\"",
        "\"@target-uri\"",
        "\"content-digest\"",
        "\"idempotency-key\"",
    ] {
        assert!(wanted.contains(part), "{wanted}");
    }
    refuser.check(401, "signature_missing", "signature_missing", &answer);
    let garbage = decision().afterwards("signature-input", "sig1=(((");
    refuser.expect(400, "signature_malformed", garbage).await;
    let mut twice = decision();
    for label in ["sig1", "sig2"] {
        let mut one = decision();
        refuser.client.sign(&refuser.signer, &mut one);
        for name in ["signature-input", "signature"] {
            let value = one.headers[name]
                .to_str()
                .unwrap()
                .replacen("sig1", label, 1);
            twice.headers.append(name, value.parse().unwrap());
        }
    }
    refuser
        .expect_unsigned(400, "signature_malformed", twice)
        .await;
    let foreign = Sent {
        tag: "other".to_owned(),
        ..decision()
    };
    refuser.expect(401, "signature_missing", foreign).await;
    windows_and_coverage(refuser).await;
    altered(refuser).await;
    keys(refuser).await;
}

async fn windows_and_coverage(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    for (created_s, expires_s) in [
        (-301, None),
        (61, None),
        (-10, Some(-1)),
        (-100_000_000, None),
        (1 << 40, None),
    ] {
        let now_s = now().seconds();
        let expires_s = expires_s.map(|seconds: i64| now_s + seconds);
        let sent = Sent {
            created_s: now_s + created_s,
            expires_s,
            ..decision()
        };
        refuser.expect(401, "signature_expired", sent).await;
    }
    let starting_s = now().seconds() - 120;
    let before_start = Sent {
        created_s: starting_s,
        ..decision()
    };
    refuser.expect(401, "signature_expired", before_start).await;

    for name in [
        "@method",
        "@target-uri",
        "content-digest",
        "content-type",
        "idempotency-key",
        "nonce",
    ] {
        let sent = Sent {
            leave_out: vec![name],
            ..decision()
        };
        let document = refuser
            .expect(401, "signature_components_insufficient", sent)
            .await;
        assert!(document["missing"].to_string().contains(name), "{document}");
    }
}

async fn altered(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    let mut signed = decision();
    refuser.client.sign(&refuser.signer, &mut signed);
    let input = signed.headers["signature-input"]
        .to_str()
        .unwrap()
        .to_owned();
    let nonce = format!("nonce=\"{}\"", signed.nonce);
    for changed in [
        input.replace(&nonce, "nonce=\"another\""),
        input.replace(
            "\"content-type\" \"idempotency-key\"",
            "\"idempotency-key\" \"content-type\"",
        ),
    ] {
        assert_ne!(changed, input);
        let sent = signed.clone().afterwards("signature-input", &changed);
        refuser
            .expect_unsigned(401, "signature_invalid", sent)
            .await;
    }
    for (name, value) in [
        ("idempotency-key", "\"other\""),
        ("content-type", "application/json;q=1"),
    ] {
        let sent = signed.clone().afterwards(name, value);
        refuser
            .expect_unsigned(401, "signature_invalid", sent)
            .await;
    }
    let moved = Sent {
        path: "/v1/labels".to_owned(),
        ..signed.clone()
    };
    refuser
        .expect_unsigned(401, "signature_invalid", moved)
        .await;
}

async fn keys(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    let revoked = refuser.world.signer("acme", Ed25519).await;
    refuser
        .world
        .registry
        .revoke(author(), &revoked.key_id)
        .await
        .unwrap();
    let answer = refuser.client.signed(&revoked, decision()).await;
    let of_revoked = refuser.check(401, "signature_invalid", "signature_key_revoked", &answer);
    let unknown = Sent {
        key_id: Some("key_unknown".to_owned()),
        ..decision()
    };
    let answer = refuser.client.signed(&refuser.signer, unknown).await;
    let of_unknown = refuser.check(401, "signature_invalid", "signature_key_unknown", &answer);
    let stranger = Signer {
        key_id: refuser.signer.key_id.clone(),
        key: paywarden_crypto::SigningKey::generate(Ed25519).unwrap(),
    };
    let answer = refuser.client.signed(&stranger, decision()).await;
    let of_wrong = refuser.check(401, "signature_invalid", "signature_invalid", &answer);
    for document in [&of_revoked, &of_unknown] {
        for member in ["type", "title", "status", "code", "detail", "sandbox"] {
            assert_eq!(document[member], of_wrong[member]);
        }
    }
    let reader = Scopes::of(&[Scope::DecisionsRead]);
    let reader = refuser.world.signer_with("acme", Ed25519, reader).await;
    let answer = refuser.client.signed(&reader, decision()).await;
    let document = refuser.check(403, "scope_insufficient", "scope_insufficient", &answer);
    assert_eq!(document["missing"], json!(["decisions:write"]));
}

async fn digests(refuser: &mut Refuser) {
    let decision = || Sent::decision(&payment("p"));
    let mut none = decision();
    none.headers.remove("content-digest");
    refuser.expect(400, "content_digest_missing", none).await;
    let weak = decision().header("content-digest", "md5=:Sd/dVLAcvNLSq16eXua5uQ==:");
    refuser.expect(400, "content_digest_missing", weak).await;
    let garbage = decision().header("content-digest", "sha-256=abc");
    refuser
        .expect(400, "content_digest_malformed", garbage)
        .await;
    let other = payment("other").to_string();
    let changed = Sent {
        body: other.into(),
        ..decision()
    };
    refuser
        .expect(400, "content_digest_mismatch", changed)
        .await;

    for (method, path) in [
        (Method::POST, "/v1/alerts/next"),
        (Method::GET, "/v1/lists"),
    ] {
        let full = Sent::json(method, path, &json!({}));
        refuser.expect(400, "body_unexpected", full).await;
    }

    let body = br#"{"id":1}"#.as_slice();
    let mut once = Sent::decision_bytes(body);
    refuser.client.sign(&refuser.signer, &mut once);
    refuser
        .expect_unsigned(422, "field_invalid", once.clone())
        .await;
    refuser
        .expect_unsigned(401, "signature_replayed", once)
        .await;
}

async fn bodies(refuser: &mut Refuser) {
    refuser
        .bytes(400, "body_not_utf8", b"{\"id\":\"\xff\"}".as_slice())
        .await;
    refuser.bytes(400, "json_malformed", "{\"id\":").await;
    refuser.bytes(400, "json_malformed", "{} {}").await;
    refuser
        .bytes(400, "json_too_deep", "[".repeat(60_000))
        .await;
    refuser.bytes(422, "field_missing", "{}").await;
    refuser
        .bytes(422, "field_duplicate", r#"{"id":"a","id":"b"}"#)
        .await;
    refuser
        .body(422, "field_unknown", "/amuont", |body| {
            body["amuont"] = json!(1)
        })
        .await;
    refuser
        .body(422, "field_invalid", "/payer/name", |body| {
            body["payer"]["name"] = json!(7)
        })
        .await;
    refuser
        .body(422, "field_invalid", "/type", |body| {
            body["type"] = json!("payment")
        })
        .await;
    refuser
        .body(422, "field_invalid", "/amount", |body| {
            body["amount"] = json!("12.34")
        })
        .await;
    refuser
        .body(422, "attribute_not_scalar", "/attributes/a", |body| {
            body["attributes"] = json!({ "a": { "b": 1 } });
        })
        .await;
}

async fn events(refuser: &mut Refuser) {
    for (value, currency, code, pointer) in [
        ("1", "XXX", "currency_unknown", "/amount/currency"),
        ("-1", "USD", "amount_negative", "/amount"),
        ("99999999999999999999", "USD", "amount_overflow", "/amount"),
        ("1.5", "JPY", "amount_decimals", "/amount"),
        ("1.2345", "KWD", "amount_decimals", "/amount"),
        ("1e3", "USD", "amount_malformed", "/amount"),
    ] {
        let amount = json!({ "value": value, "currency": currency });
        refuser
            .body(422, code, pointer, |body| body["amount"] = amount.clone())
            .await;
    }
    let minor = json!({ "minor": i64::MAX, "currency": "USD" });
    refuser
        .body(422, "amount_overflow", "/amount", |body| {
            body["amount"] = minor.clone()
        })
        .await;
    let card = |member: &'static str, value: &'static str| {
        move |body: &mut Value| body["card"] = json!({ member: value })
    };
    let number = "/card/number";
    refuser
        .body(
            422,
            "card_number_luhn",
            number,
            card("number", "4012888888881882"),
        )
        .await;
    refuser
        .body(422, "card_number_malformed", number, card("number", "4012"))
        .await;
    refuser
        .body(422, "card_number_missing", "/card", card("cvv", "123"))
        .await;
    refuser
        .body(
            422,
            "card_index_malformed",
            "/card",
            card("index", "card_x"),
        )
        .await;
    identifiers(refuser).await;
    times(refuser).await;
}

/// An identifier that is the number of a card would be kept and shown.
async fn identifiers(refuser: &mut Refuser) {
    const CARD: &str = "4012888888881881";
    let code = "identifier_is_card_number";
    for field in ["id", "original_id"] {
        let named = move |body: &mut Value| body[field] = json!("4012-8888-8888-1881");
        refuser.body(422, code, &format!("/{field}"), named).await;
    }
    let keyed = Sent::decision(&payment("p")).header("idempotency-key", CARD);
    refuser.expect(422, code, keyed).await;
    let label = json!({ "payment_id": CARD, "verdict": "fraud", "source": "chargeback" });
    let label = Sent::json(Method::POST, "/v1/labels", &label);
    refuser.expect(422, code, label).await;
    let entry = json!({ "value": CARD, "reason": "seen at the counter" });
    let entry = Sent::json(Method::PUT, "/v1/lists/suspects/entries", &entry);
    refuser.expect(422, code, entry).await;
    let change = json!({ "list": "suspects", "operation": "add", "values": [{ "value": CARD }], "reason": "r" });
    let asked = json!({ "command": { "list_change": change }, "reason": "r" });
    let asked = Sent::json(Method::POST, "/v1/approvals", &asked);
    refuser.expect(422, code, asked).await;
}

async fn times(refuser: &mut Refuser) {
    let day_us = 86_400_000_000;
    for (offset_us, code) in [
        (3_600_000_000, "event_in_future"),
        (-2 * day_us, "event_too_old"),
    ] {
        let time = Timestamp::from_micros(now().micros() + offset_us).to_string();
        refuser
            .body(422, code, "", |body| body["occurred_at"] = json!(time))
            .await;
    }
    let place = "/occurred_at";
    for (time, code) in [
        ("yesterday", "time_malformed"),
        ("1900-01-01T00:00:00Z", "time_out_of_range"),
    ] {
        refuser
            .body(422, code, place, |body| body["occurred_at"] = json!(time))
            .await;
    }
}

async fn idempotency_keys(refuser: &mut Refuser) {
    let mut none = Sent::decision(&payment("p"));
    none.headers.remove("idempotency-key");
    refuser.expect(400, "idempotency_key_missing", none).await;
    for key in ["a b", "\"", "\"\"", &"x".repeat(256)] {
        let sent = Sent::decision(&payment("p")).header("idempotency-key", key);
        refuser.expect(400, "idempotency_key_malformed", sent).await;
    }
}

async fn lookups(refuser: &mut Refuser) {
    let get = |path: &str| Sent::new(Method::GET, path, "");
    refuser
        .expect(404, "decision_unknown", get("/v1/decisions/dec_0"))
        .await;
    for query in [
        "limit=0",
        "limit=1&limit=1",
        "order=up",
        "cursor=!",
        "outcome=maybe",
        "from=now",
    ] {
        let path = format!("/v1/decisions?{query}");
        refuser.expect(400, "parameter_invalid", get(&path)).await;
    }
    let label = json!({ "payment_id": "none", "verdict": "fraud", "source": "analyst" });
    let sent = Sent::json(Method::POST, "/v1/labels", &label);
    refuser.expect(404, "payment_unknown", sent).await;
    let back_test = get("/v1/rule-sets/live/backtests/bt_0");
    refuser.expect(404, "backtest_unknown", back_test).await;
    let condition = json!({ "expression": "payer.contry == 1" });
    let sent = Sent::json(Method::POST, "/v1/rules/effect", &condition);
    refuser.expect(422, "condition_refused", sent).await;
    let mut known = label;
    known["known_at"] = json!(now().to_string());
    let sent = Sent::json(Method::POST, "/v1/labels", &known);
    refuser.expect(422, "known_at_refused", sent).await;
    let entries = "/v1/lists/denied_cards/entries";
    let both = json!({ "value": "a", "card_number": "4012888888881881", "reason": "r" });
    let sent = Sent::json(Method::PUT, entries, &both);
    refuser.expect(422, "list_entry_malformed", sent).await;
    let entry = json!({ "value": "a", "reason": "r" });
    let sent = Sent::json(Method::PUT, "/v1/lists/Denied/entries", &entry);
    refuser.expect(422, "list_entry_malformed", sent).await;
    let sent = Sent::json(Method::DELETE, entries, &entry);
    refuser.expect(404, "list_entry_unknown", sent).await;
    trail(refuser).await;
}

async fn trail(refuser: &mut Refuser) {
    for (code, path) in [
        ("trail_unknown", "proofs/inclusion?leaf=1000000"),
        ("trail_unknown", "proofs/consistency?from=1&to=1000000"),
        ("trail_unknown", "tile/0/x001/000"),
        ("decision_unknown", "proofs/inclusion?decision=dec_0"),
        ("parameter_invalid", "proofs/inclusion"),
        (
            "parameter_invalid",
            "proofs/inclusion?leaf=1&decision=dec_0",
        ),
        ("parameter_invalid", "proofs/consistency?from=0&to=1"),
        ("parameter_invalid", "proofs/consistency?from=2&to=1"),
        ("parameter_invalid", "tile/0/1"),
        ("parameter_invalid", "leaves?limit=1001"),
    ] {
        let status = if code == "parameter_invalid" {
            400
        } else {
            404
        };
        let sent = Sent::new(Method::GET, &format!("/v1/trail/{path}"), "");
        refuser.expect(status, code, sent).await;
    }
    for (code, note) in [
        ("cosignature_invalid", "no note"),
        ("trail_unknown", "a\n\n\u{2014} b AAAAAAAA\n"),
    ] {
        let status = if code == "trail_unknown" { 404 } else { 422 };
        let body = json!({ "checkpoint": note });
        let sent = Sent::json(Method::POST, "/v1/trail/cosignatures", &body);
        refuser.expect(status, code, sent).await;
    }
}
