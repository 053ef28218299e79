//! Large values: found in the journal, drafted once, whoever asks and however often.

use crate::support::{Client, Sent, Setup, Signer, World, now, payment, unique};
use http::Method;
use paywarden_access::{Scope, Scopes, approval::Who};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{TenantId, Timestamp, time::HOUR};
use paywarden_filings::Day;
use paywarden_server::{LargeValues, reports::Reporters};
use paywarden_store::Actor;
use serde_json::{Value, json};
use std::sync::Arc;

/// Hours that the place of `cn_pboc` is ahead.
const CHINA: i8 = 8;
/// Hours that the place of `us_bsa` is ahead.
const AMERICA: i8 = -5;

fn setup(profile: &'static str) -> Setup {
    Setup {
        jurisdiction: Some(("acme", profile)),
        trust_event_time: true,
        ..Setup::default()
    }
}

struct Desk {
    world: World,
    client: Client,
    signer: Signer,
}

impl Desk {
    async fn of(world: World) -> Self {
        Self {
            client: world.client(true).await,
            signer: world.signer("acme", Ed25519).await,
            world,
        }
    }

    /// Has a payment of a customer at noon decided.
    async fn pay(
        &mut self,
        (day, offset): (Day, i8),
        (customer, amount): (&str, &str),
        more: Value,
    ) {
        let mut payment = payment(&unique("pay-"));
        payment.as_object_mut().unwrap().remove("card");
        payment["type"] = json!("payment.transfer");
        let (value, currency) = amount.split_once(' ').unwrap();
        payment["amount"] = json!({ "value": value, "currency": currency });
        let noon = day.end(offset).micros() - 12 * HOUR;
        payment["occurred_at"] = json!(Timestamp::from_micros(noon).to_string());
        payment["payer"] = json!({ "id": customer, "name": "Lin Wei", "country": "CN" });
        payment["payee"] = json!({ "name": "Jane Doe", "account": "CN02", "country": "CN" });
        for (name, value) in more.as_object().unwrap() {
            payment[name] = value.clone();
        }
        let sent = Sent::decision(&payment);
        let answer = self.client.signed(&self.signer, sent).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    async fn run(&mut self, day: Day, is_dry: bool) -> (u16, Value) {
        let body = json!({ "day": day, "dry_run": is_dry });
        let sent = Sent::json(Method::POST, "/v1/report-runs", &body);
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status.as_u16(), answer.json())
    }

    /// What looks at days, as the job does.
    fn large_values(&self) -> LargeValues {
        let (engine, reports) = (&self.world.engine, &self.world.reports);
        let reporters = Arc::clone(&self.world.reporters);
        LargeValues::new(Arc::clone(engine), Arc::clone(reports), reporters)
    }

    async fn reports(&mut self) -> Vec<Value> {
        let sent = Sent::new(Method::GET, "/v1/reports?limit=100", "");
        let answer = self.client.signed(&self.signer, sent).await.json();
        answer["reports"].as_array().unwrap().clone()
    }
}

fn states(run: &Value) -> Vec<(&str, &str)> {
    let found = run["found"].as_array().unwrap().iter();
    found
        .map(|one| {
            (
                one["rule"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
            )
        })
        .collect()
}

fn all(run: &Value, state: &str) -> bool {
    states(run).iter().all(|(_, one)| *one == state)
}

/// A company, and cash at a counter.
fn company() -> Value {
    json!({ "payer": { "id": "firm", "name": "Lin Ltd", "is_company": true } })
}

fn counter() -> Value {
    json!({ "type": "topup", "channel": "branch" })
}

/// Together half a million of a person, cash from 50,000 on and an amount without a rate; and what
/// is not large: a cent less, half a million of a company, a minute of another day.
async fn pay_for_china(desk: &mut Desk, day: Day) {
    let at = (day, CHINA);
    desk.pay(at, ("one", "200000.00 CNY"), json!({})).await;
    desk.pay(at, ("one", "300000.00 CNY"), json!({})).await;
    desk.pay(at, ("two", "499999.99 CNY"), json!({})).await;
    desk.pay((day.after(1), CHINA), ("two", "0.01 CNY"), json!({}))
        .await;
    desk.pay(at, ("firm", "500000.00 CNY"), company()).await;
    desk.pay(at, ("three", "50000.00 CNY"), counter()).await;
    desk.pay(at, ("four", "90000.00 EUR"), json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_in_a_day_is_drafted_once_with_its_deadline() {
    let mut desk = Desk::of(World::start(setup("cn_pboc")).await).await;
    let day = Day::of(now(), CHINA).after(-5);
    pay_for_china(&mut desk, day).await;

    let (status, dry) = desk.run(day, true).await;
    assert_eq!(status, 200, "{dry}");
    let mut found = states(&dry);
    found.sort_unstable();
    assert_eq!(found, [("cash", "found"), ("natural", "found")]);
    assert_eq!(dry["movements"], 6);
    assert_eq!(dry["unknown"].as_array().unwrap().len(), 1);
    assert!(desk.reports().await.is_empty(), "a dry run writes nothing");

    let (_, run) = desk.run(day, false).await;
    assert!(all(&run, "drafted"), "{run}");
    let (_, again) = desk.run(day, false).await;
    assert!(all(&again, "known"), "{again}");
    let reports = desk.reports().await;
    assert_eq!(reports.len(), 2);
    assert!(
        reports
            .iter()
            .all(|one| one["duty"] == "large_value" && one["state"] == "draft")
    );
    let due = day.after_business(5, &Default::default()).to_string();
    assert!(
        reports.iter().all(|one| one["due"]["day"] == due),
        "{reports:?}"
    );

    // The draft says whose money it was, and what moved.
    let mut found = run["found"].as_array().unwrap().iter();
    let natural = found.find(|one| one["rule"] == "natural").unwrap();
    let path = format!("/v1/reports/{}", natural["report"].as_str().unwrap());
    let sent = Sent::new(Method::GET, &path, "");
    let full = desk.client.signed(&desk.signer, sent).await.json();
    let report = &full["report"];
    assert_eq!(report["transactions"].as_array().unwrap().len(), 2);
    assert_eq!(report["parties"].as_array().unwrap().len(), 2);
    assert_eq!(report["parties"][0]["client_number"], "one");
    assert_eq!(report["parties"][0]["is_subject"], true);
    assert_eq!(report["transactions"][0]["from"]["party"], "subject");
    assert_eq!(report["indicators"], json!(["natural"]));

    // A restart changes nothing, and another day is another day.
    let mut desk = Desk::of(desk.world.restart(setup("cn_pboc")).await).await;
    let (_, after) = desk.run(day, false).await;
    assert!(all(&after, "known"), "{after}");
    let (_, before) = desk.run(day.after(-1), false).await;
    assert_eq!(before["movements"], 0);
    assert_eq!(desk.reports().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_above_ten_thousand_dollars_is_found_and_two_at_once_draft_it_once() {
    let mut desk = Desk::of(World::start(setup("us_bsa")).await).await;
    let day = Day::of(now(), AMERICA).after(-5);
    let at = (day, AMERICA);
    let withdrawal = json!({ "type": "payout", "channel": "atm" });
    let said = json!({ "attributes": { "cash": true } });
    desk.pay(at, ("exact", "10000.00 USD"), counter()).await;
    desk.pay(at, ("above", "9000.00 USD"), withdrawal).await;
    desk.pay(at, ("above", "1000.01 USD"), said).await;
    desk.pay(at, ("wire", "90000.00 USD"), json!({})).await;
    // What came and what went are not one sum.
    desk.pay(at, ("both", "6000.00 USD"), counter()).await;
    let withdrawal = json!({ "type": "payout", "channel": "atm" });
    desk.pay(at, ("both", "6000.00 USD"), withdrawal).await;

    let who = Who {
        tenant: TenantId::parse("acme").unwrap(),
        actor: Actor::System("test"),
    };
    let large = desk.large_values();
    let (one, other) = tokio::join!(large.run(&who, day, false), large.run(&who, day, false));
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut states = [one.found[0].state, other.found[0].state];
    states.sort_unstable();
    assert_eq!(states, ["drafted", "known"]);
    assert_eq!((one.found.len(), one.found[0].payments), (1, 2));
    let reports = desk.reports().await;
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["due"]["day"], day.after(15).to_string());

    // Another company sees and drafts nothing of it, and has no country of its own.
    desk.signer = desk.world.signer("other", Ed25519).await;
    let (_, refused) = desk.run(day, true).await;
    assert_eq!(refused["code"], "report_profile_unknown");
    assert!(desk.reports().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_over_are_looked_at_once_by_themselves() {
    let mut desk = Desk::of(World::start(setup("cn_pboc")).await).await;
    let tenant = TenantId::parse("acme").unwrap();
    let today = Day::of(now(), CHINA);
    let last = today.after(-2);
    desk.pay((last, CHINA), ("one", "500000.00 CNY"), json!({}))
        .await;
    assert_eq!(desk.large_values().catch_up(&tenant).await.unwrap(), 1);
    let again = desk.large_values().catch_up(&tenant).await.unwrap();
    let drafts = desk.reports().await;
    // How far that is outlives a restart.
    let desk = Desk::of(desk.world.restart(setup("cn_pboc")).await).await;
    let after = desk.large_values().catch_up(&tenant).await.unwrap();
    if Day::of(now(), CHINA) != today {
        return;
    }
    assert_eq!((again, after), (0, 0));
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0]["authors"], json!(["system:large_values"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_drafted_is_refused_with_its_reason() {
    let mut desk = Desk::of(World::start(setup("cn_pboc")).await).await;
    let today = Day::of(now(), CHINA);
    let (status, open) = desk.run(today, false).await;
    assert_eq!(
        (status, open["code"].as_str()),
        (409, Some("report_day_open"))
    );
    let (status, _) = desk.run(today, true).await;
    assert_eq!(status, 200);

    let nobody = LargeValues::new(
        Arc::clone(&desk.world.engine),
        Arc::clone(&desk.world.reports),
        Arc::new(Reporters::new()),
    );
    let who = Who {
        tenant: TenantId::parse("acme").unwrap(),
        actor: Actor::System("test"),
    };
    let day = today.after(-5);
    let refused = nobody.run(&who, day, false).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "nobody is named who reports for this company"
    );
    assert!(nobody.run(&who, day, true).await.is_ok());

    // Whoever reads reports learns nothing of how they are found.
    let reader = Scopes::of(&[Scope::ReportsRead]);
    desk.signer = desk.world.signer_with("acme", Ed25519, reader).await;
    assert_eq!(desk.run(day, true).await.0, 403);
}
