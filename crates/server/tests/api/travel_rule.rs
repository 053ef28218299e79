//! The Travel Rule: missing fields are named in decisions, and what travels is checked on its own.

use crate::support::{Client, Sent, Setup, Signer, World, payment, unique};
use http::Method;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};

const SHIPPED: &str = include_str!("../../../../rules/travel_rule.yaml");

async fn decide(client: &mut Client, signer: &Signer, change: fn(&mut Value)) -> Value {
    let mut payment = payment(&unique("pay-"));
    payment["type"] = json!("payment.transfer");
    payment.as_object_mut().unwrap().remove("card");
    payment["amount"] = json!({ "value": "2500.00", "currency": "EUR" });
    payment["payer"] = json!({ "id": "c1", "name": "Lin Wei", "birth_date": "1990-02-03" });
    payment["account"] = json!({ "id": "a1" });
    payment["payee"] = json!({ "name": "Jane Doe", "account": "GB02" });
    change(&mut payment);
    let answer = client.signed(signer, Sent::decision(&payment)).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_says_too_little_is_held_and_the_missing_fields_are_named() {
    let world = World::start(Setup {
        rules: Some(SHIPPED),
        jurisdiction: Some(("acme", "eu")),
        ..Setup::default()
    })
    .await;
    let mut client = world.client(true).await;
    let acme = world.signer("acme", Ed25519).await;
    let whole = decide(&mut client, &acme, |_| {}).await;
    assert_eq!(whole["outcome"], "approve", "{whole}");
    let lacking = decide(&mut client, &acme, |payment| {
        payment["payer"]
            .as_object_mut()
            .unwrap()
            .remove("birth_date");
        payment["payee"].as_object_mut().unwrap().remove("name");
    })
    .await;
    assert_eq!(lacking["outcome"], "hold", "{lacking}");
    assert_eq!(lacking["reasons"][0]["code"], "travel_rule_incomplete");
    let fired = lacking["laundering"]["fired"][0].to_string();
    assert!(
        fired.contains("billing or payer.birth_date, payee.name"),
        "{fired}"
    );
    // What was seen stands with the decision.
    let path = format!(
        "/v1/decisions/{}/explanation?rule=travel_rule.incomplete",
        lacking["id"].as_str().unwrap()
    );
    let explained = client
        .signed(&acme, Sent::new(Method::GET, &path, ""))
        .await
        .json();
    assert_eq!(explained["holds"], true, "{explained}");
    let card = decide(&mut client, &acme, |payment| {
        payment["type"] = json!("payment.card");
        payment.as_object_mut().unwrap().remove("payee");
    })
    .await;
    assert_eq!(card["outcome"], "approve");
    // Another company has no country: nobody knows what would be asked of it.
    let other = world.signer("other", Ed25519).await;
    let unknown = decide(&mut client, &other, |payment| {
        payment.as_object_mut().unwrap().remove("payee");
    })
    .await;
    assert_eq!(unknown["outcome"], "approve");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_travels_is_checked_by_the_profile_that_is_named() {
    let world = World::start(Setup::default()).await;
    let mut client = world.client(true).await;
    let acme = world.signer("acme", Ed25519).await;
    let natural = |given: Value| {
        let name = json!({ "nameIdentifier": [{
            "primaryIdentifier": "Wei", "naturalPersonNameIdentifierType": "LEGL" }] });
        let mut person = json!({ "naturalPerson": { "name": name } });
        for (member, value) in given.as_object().unwrap() {
            person["naturalPerson"][member] = value.clone();
        }
        person
    };
    let side = |person: Value| json!({ "person": [person], "accountNumber": ["1"] });
    let mut check = async |body: Value| {
        let sent = Sent::json(Method::POST, "/v1/travel-rule-checks", &body);
        client.signed(&acme, sent).await.json()
    };
    let body = |profile: &str, value: &str, originator: Value| {
        json!({
            "profile": profile, "amount": { "value": value, "currency": "USD" },
            "identity": { "originator": side(natural(originator)), "beneficiary": side(natural(json!({}))) },
        })
    };
    let lacks = check(body("fatf", "1000.01", json!({}))).await;
    assert_eq!(
        (&lacks["is_full"], &lacks["is_complete"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(lacks["faults"][0]["code"], "missing");
    let hint = lacks["faults"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("originator.customer_id"), "{hint}");
    let known = json!({ "customerIdentification": "c1" });
    let whole = check(body("fatf", "1000.01", known)).await;
    assert_eq!(
        (&whole["is_complete"], &whole["faults"]),
        (&json!(true), &json!([]))
    );
    let small = check(body("fatf", "999.99", json!({}))).await;
    assert_eq!(
        (&small["is_full"], &small["is_complete"]),
        (&json!(false), &json!(true))
    );
    let none = check(body("cn_pboc", "1.00", json!({}))).await;
    assert_eq!(
        (&none["applies"], &none["source"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        check(body("moon", "1.00", json!({}))).await["code"],
        "report_profile_unknown"
    );
    let mut own = body("eu", "1.00", json!({}));
    own.as_object_mut().unwrap().remove("profile");
    assert_eq!(check(own).await["code"], "report_profile_unknown");
}
