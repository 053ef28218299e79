//! Decisions asked for by the rules that fired and the entities that they name, over the API.

use crate::support::{Client, Sent, Setup, Signer, World, payment};
use http::Method;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Caller {
    client: Client,
    signer: Signer,
}

impl Caller {
    async fn of(world: &World, tenant: &str) -> Self {
        Self {
            client: world.client(true).await,
            signer: world.signer(tenant, Ed25519).await,
        }
    }

    async fn ask(&mut self, sent: Sent) -> Value {
        self.client.signed(&self.signer, sent).await.json()
    }

    async fn get(&mut self, path: &str) -> Value {
        self.ask(Sent::new(Method::GET, path, "")).await
    }

    /// Payments of one customer each; the card of the first two is denied in between.
    async fn decide(&mut self) {
        let entries = "/v1/lists/denied_cards/entries";
        for number in 0..4 {
            let mut payment = payment(&format!("pay-{number}"));
            payment["payer"]["id"] = json!(format!("cust-{}", number / 2));
            let decided = self.ask(Sent::decision(&payment)).await;
            assert!(decided["outcome"].is_string(), "{decided}");
            let entry = json!({ "card_number": "4012888888881881", "reason": "r" });
            let method = if number == 0 {
                Method::PUT
            } else {
                Method::DELETE
            };
            if number < 2 {
                self.ask(Sent::json(method, entries, &entry)).await;
            }
        }
    }

    /// The payments that a line finds, and how many the picture above the list counts.
    async fn found(&mut self, line: &str) -> (BTreeSet<String>, u64) {
        let line: String = line.replace(' ', "+");
        let page = self.get(&format!("/v1/decisions?q={line}")).await;
        let rows = page["decisions"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"));
        assert_eq!(
            (&page["next_cursor"], &page["looked_back_to"]),
            (&Value::Null, &Value::Null)
        );
        let payments = rows
            .iter()
            .map(|row| row["payment_id"].as_str().unwrap().to_owned());
        let counted = self.get(&format!("/v1/statistics/found?q={line}")).await;
        let steps = counted["steps"].as_array().unwrap().iter();
        let outcomes = steps.flat_map(|step| step["outcomes"].as_array().unwrap());
        let sum = outcomes.map(|one| one["decisions"].as_u64().unwrap()).sum();
        (payments.collect(), sum)
    }

    /// The pseudonym of a kind of entity in a payment.
    async fn pseudonym(&mut self, payment: &str, kind: &str) -> String {
        let page = self
            .get(&format!("/v1/decisions?payment_id={payment}"))
            .await;
        let id = page["decisions"][0]["id"].as_str().unwrap().to_owned();
        let named = self.get(&format!("/v1/decisions/{id}/entities")).await;
        let mut all = named["entities"].as_array().unwrap().iter();
        let found = all.find_map(|one| one.as_str()?.strip_prefix(&format!("{kind}:")));
        found.unwrap_or_else(|| panic!("{named}")).to_owned()
    }
}

fn payments(numbers: &[u8]) -> (BTreeSet<String>, u64) {
    let all = numbers.iter().map(|number| format!("pay-{number}"));
    (all.collect(), numbers.len() as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_entities_find_their_decisions_and_those_of_no_other_company() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, "acme").await;
    let mut other = Caller::of(&world, "other").await;
    acme.decide().await;
    other.decide().await;
    let card = acme.pseudonym("pay-0", "card").await;
    let customer = acme.pseudonym("pay-3", "customer").await;
    for (line, numbers) in [
        ("rule:test.denied_card".to_owned(), &[1_u8][..]),
        ("rule:test.denied_card,test.other".to_owned(), &[1]),
        ("rule:test.other".to_owned(), &[]),
        (format!("card:{card}"), &[0, 1, 2, 3]),
        (format!("customer:{customer}"), &[2, 3]),
        (format!("customer:{customer} card:{card}"), &[2, 3]),
        (format!("customer:{customer} rule:test.denied_card"), &[]),
        (format!("card:{card} outcome:decline"), &[1]),
        (format!("card:{card} since:1h outcome:approve"), &[0, 2, 3]),
        ("device:0123456789abcdef".to_owned(), &[]),
    ] {
        assert_eq!(acme.found(&line).await, payments(numbers), "{line}");
    }
    // The same card and customer of another company are others.
    assert_eq!(other.found(&format!("card:{card}")).await, payments(&[]));
    assert_eq!(
        other.found(&format!("customer:{customer}")).await,
        payments(&[])
    );
    assert_eq!(other.found("rule:test.denied_card").await, payments(&[1]));
    assert_ne!(other.pseudonym("pay-0", "card").await, card);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_since_a_place_is_found_by_what_it_names() {
    let world = World::start(Setup::default()).await;
    let mut acme = Caller::of(&world, "acme").await;
    let start = acme
        .get("/v1/decisions?q=rule:test.denied_card&limit=1")
        .await;
    let place = start["newest_cursor"].as_str().unwrap().to_owned();
    acme.decide().await;
    let card = acme.pseudonym("pay-0", "card").await;
    let path = format!("/v1/decisions?q=card:{card}&limit=2&after={place}");
    let news = acme.get(&path).await;
    assert_eq!(news["decisions"].as_array().unwrap().len(), 2, "{news}");
    assert_eq!(news["passed_over"], 2, "{news}");
    let later = news["newest_cursor"].as_str().unwrap();
    let quiet = acme
        .get(&format!("/v1/decisions?q=card:{card}&after={later}"))
        .await;
    assert_eq!(quiet["decisions"], json!([]), "{quiet}");
    for hostile in [
        "card:0000000000000000",
        "card:zzzzzzzzzzzzzzzz",
        "card:0123456789abcdef'",
        "rule:a.b%00",
        "rule:%E4%B8%AD.b",
        "customer:cust-1",
    ] {
        let refused = acme.get(&format!("/v1/decisions?q={hostile}")).await;
        assert_eq!(refused["code"], "parameter_invalid", "{hostile} {refused}");
    }
}
