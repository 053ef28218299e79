//! Every way in which a body can be wrong has its code and its place.

use super::*;
use paywarden_domain::{CardInput, Event};

const MINIMAL: &str = r#"{"id":"p1","type":"login","occurred_at":"2026-01-31T08:00:00Z""#;

fn refuse(body: &[u8]) -> serde_json::Value {
    let problem = parse::<Event<CardInput>>(body).err().unwrap();
    let code = problem.code();
    let reply = problem.into_reply("req");
    let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(document["code"], code.name());
    document
}

fn with(rest: &str) -> (String, String, String) {
    let document = refuse(format!("{MINIMAL},{rest}}}").as_bytes());
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("pointer"), text("detail"))
}

#[test]
fn a_good_body_is_read() {
    assert!(parse::<Event<CardInput>>(format!("{MINIMAL}}}").as_bytes()).is_ok());
}

#[test]
fn texts_that_are_no_json_have_codes() {
    assert_eq!(refuse(b"{\"id\":\"\xff\"}")["code"], "body_not_utf8");
    for body in ["", "{", "{]", "null x", "{\"id\":1,}", "\u{feff}{}"] {
        assert_eq!(refuse(body.as_bytes())["code"], "json_malformed", "{body}");
    }
    let trailing = format!("{MINIMAL}}} {{}}");
    assert_eq!(refuse(trailing.as_bytes())["code"], "json_malformed");
    let deep = format!(
        "{MINIMAL},\"card\":{{\"cvv\":{}{}}}}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    assert_eq!(refuse(deep.as_bytes())["code"], "json_too_deep");
    let very_deep = "[".repeat(60_000);
    assert_eq!(refuse(very_deep.as_bytes())["code"], "json_too_deep");
}

#[test]
fn brackets_inside_texts_are_not_depth() {
    let remittance = format!(r#"{MINIMAL},"remittance":"{}\"["}}"#, "[".repeat(100));
    assert!(parse::<Event<CardInput>>(remittance.as_bytes()).is_ok());
}

#[test]
fn members_are_refused_with_place_and_hint() {
    let (code, pointer, detail) = with(r#""amuont":1"#);
    assert_eq!(
        (code.as_str(), pointer.as_str()),
        ("field_unknown", "/amuont")
    );
    assert!(detail.contains("did you mean `amount`"), "{detail}");
    let (code, pointer, _) = with(r#""type":"login""#);
    assert_eq!(
        (code.as_str(), pointer.as_str()),
        ("field_duplicate", "/type")
    );
    let (code, pointer, detail) = with(r#""payer":{"is_company":"yes"}"#);
    assert_eq!(
        (code.as_str(), pointer.as_str()),
        ("field_invalid", "/payer/is_company")
    );
    assert_eq!(detail, "expected a boolean");
    let (code, pointer, _) = with(r#""channel":"carrier pigeon""#);
    assert_eq!(
        (code.as_str(), pointer.as_str()),
        ("field_invalid", "/channel")
    );
    let document = refuse(br#"{"id":"p1","type":"login"}"#);
    assert_eq!(
        (&document["code"], &document["pointer"]),
        (&"field_missing".into(), &"/occurred_at".into())
    );
}

#[test]
fn values_are_refused_with_the_codes_of_their_types() {
    for (rest, code, pointer) in [
        (
            r#""amount":{"value":"1","currency":"XXX"}"#,
            "currency_unknown",
            "/amount/currency",
        ),
        (
            r#""amount":{"value":"-1","currency":"USD"}"#,
            "amount_negative",
            "/amount",
        ),
        (
            r#""amount":{"minor":-1,"currency":"USD"}"#,
            "amount_negative",
            "/amount",
        ),
        (
            r#""amount":{"value":"99999999999999999","currency":"USD"}"#,
            "amount_overflow",
            "/amount",
        ),
        (
            r#""amount":{"value":"1.5","currency":"JPY"}"#,
            "amount_decimals",
            "/amount",
        ),
        (
            r#""amount":{"value":"1.2345","currency":"KWD"}"#,
            "amount_decimals",
            "/amount",
        ),
        (
            r#""card":{"number":"4111111111111112"}"#,
            "card_number_luhn",
            "/card/number",
        ),
        (
            r#""network":{"ip":"300.1.1.1"}"#,
            "ip_malformed",
            "/network/ip",
        ),
        (
            r#""payer":{"country":"ZZ"}"#,
            "country_unknown",
            "/payer/country",
        ),
        (
            r#""attributes":{"a":[1]}"#,
            "attribute_not_scalar",
            "/attributes/a",
        ),
    ] {
        let (found, place, _) = with(rest);
        assert_eq!((found.as_str(), place.as_str()), (code, pointer), "{rest}");
    }
}

#[test]
fn what_was_sent_is_never_repeated() {
    for rest in [
        r#""card":{"number":4111111111111111}"#,
        r#""card":{"number":["4111111111111111"]}"#,
        r#""card":"4111111111111111""#,
        r#""channel":"4111111111111111""#,
        r#""4111111111111111":1"#,
        r#""attributes":{"4111111111111111":[1]}"#,
        r#""amount":{"value":4111111111111111,"currency":"USD"}"#,
        r#""card":{"number":"4111111111111111","cvvv":"123"}, "#,
    ] {
        let document = refuse(format!("{MINIMAL},{rest}}}").as_bytes()).to_string();
        assert!(!document.contains("41111111"), "{document}");
    }
}

#[test]
fn distances_are_edit_distances() {
    for (one, other, steps) in [
        ("", "abc", 3),
        ("amuont", "amount", 2),
        ("kitten", "sitting", 3),
    ] {
        assert_eq!(distance(one, other), steps);
        assert_eq!(distance(other, one), steps);
    }
}
