//! The control group of what scores alone would decline, and rules that read scores.

use super::*;
use paywarden_access::approval::Sensitive;
use paywarden_domain::Control;
use paywarden_risk::{
    Stretch,
    prevention::{PreventionOrder, PreventionReport},
};

/// Payments that the model would decline.
const PAYMENTS: usize = 1_200;
const ONE_IN: u16 = 200;

/// A payment of 300 dollars, a minute after the one before.
fn large(place: usize) -> Event<Card> {
    paid(place, "300.00", &format!("c{}", place % 90))
}

fn paid(place: usize, amount: &str, payer: &str) -> Event<Card> {
    let at = Timestamp::parse(START).unwrap().micros() + place as i64 * MINUTE;
    let json = serde_json::json!({
        "id": format!("{payer}-{place}"),
        "type": "payment.card",
        "occurred_at": Timestamp::from_micros(at),
        "amount": { "value": amount, "currency": "USD" },
        "payer": { "id": payer },
        "merchant": { "id": "m", "terminal_id": format!("t{}", place % 40) },
    });
    serde_json::from_value(json).unwrap()
}

/// A model that is sure of large amounts, or of small ones.
fn sure_of(is_large: bool) -> Package {
    let history = history(&[large(0)], &mut Random::new(1));
    let study = Study::new(&history, DELAY, &Known::After(DELAY)).unwrap();
    package(&study, if is_large { [-3.0, 3.0] } else { [3.0, -3.0] })
}

async fn report(house: &House) -> PreventionReport {
    let now = house.clock.now().micros();
    let stretch = Stretch {
        from: Timestamp::from_micros(now - 60 * DAY),
        to: Timestamp::from_micros(now),
        as_of: Timestamp::from_micros(now),
        label_delay_days: 1,
    };
    let order = PreventionOrder { stretch, by: None };
    let tenant = &house.caller.tenant;
    house.engine.prevention(tenant, order).await.unwrap()
}

/// Every payment is fraud and would be declined. Those let pass are labelled; each stands for 200.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one life from publishing to its end")]
async fn chance_lets_some_pass_that_scores_would_decline_and_they_stand_for_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let control = Some(ControlGroup { one_in: ONE_IN });
    let declining = chances(900_000, Outcome::Decline);
    house
        .publish_with(&sure_of(true), declining, control)
        .await
        .unwrap();
    let mut drawn = Vec::new();
    for place in 0..PAYMENTS {
        let event = large(place);
        house.advance_to(event.occurred_at.micros());
        let decision = house.decision(event).await;
        let Some(Control {
            one_in: ONE_IN,
            is_drawn,
        }) = decision.control
        else {
            panic!("{:?}", decision.control);
        };
        let expected = if is_drawn {
            Outcome::Challenge
        } else {
            Outcome::Decline
        };
        assert_eq!(
            (decision.outcome, decision.challenge.is_some()),
            (expected, is_drawn)
        );
        assert_eq!(decision.fraud.action, Outcome::Decline);
        let said = |code: &str| decision.reasons.iter().any(|reason| reason.code == code);
        assert_eq!(said("control_group"), is_drawn);
        if is_drawn {
            drawn.push(decision.payment_id.clone());
        }
    }
    assert!(
        (1..=15).contains(&drawn.len()),
        "{} of {PAYMENTS}",
        drawn.len()
    );
    let hard = house.decision(paid(PAYMENTS, "300.00", "denied")).await;
    assert_eq!((hard.outcome, hard.control), (Outcome::Decline, None));
    for payment in &drawn {
        house.label(payment).await;
    }
    let declined = PaymentId::parse("c1-1").unwrap();
    assert!(!drawn.contains(&declined));
    house.label(&declined).await;
    let Clock::Simulated(clock) = &house.clock else {
        return;
    };
    clock.advance_us(2 * DAY.unsigned_abs());
    let report = report(&house).await.whole;
    let times = drawn.len() as u64 * u64::from(ONE_IN);
    assert_eq!(
        (report.payments, report.alerts),
        (1 + PAYMENTS as u64, 1 + PAYMENTS as u64)
    );
    assert_eq!((report.frauds, report.frauds_stopped), (times, times));
    assert_eq!(
        report.money[0].attempted_minor,
        i64::try_from(times).unwrap() * 30_000
    );
}

/// Without the word of a release no control group is drawn; laundering has none.
#[tokio::test(flavor = "multi_thread")]
async fn no_control_group_is_drawn_unasked_nor_beyond_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let declining = chances(900_000, Outcome::Decline);
    house
        .publish_with(&sure_of(true), declining.clone(), None)
        .await
        .unwrap();
    for place in 0..300 {
        let event = large(place);
        house.advance_to(event.occurred_at.micros());
        let decision = house.decision(event).await;
        assert_eq!(
            (decision.outcome, decision.control),
            (Outcome::Decline, None)
        );
    }
    let release = |engine, one_in| ModelRelease {
        engine,
        model: "mdl_0".to_owned(),
        policy: declining.clone(),
        control: Some(ControlGroup { one_in }),
    };
    let check = |engine, one_in| Sensitive::check(&release(engine, one_in));
    assert!(check(Judge::Fraud, 200).is_ok() && check(Judge::Fraud, 1_000).is_ok());
    for wrong in [
        check(Judge::Fraud, 199),
        check(Judge::Fraud, 1_001),
        check(Judge::Laundering, 500),
    ] {
        assert!(wrong.unwrap_err().contains("control group"));
    }
}

/// A rule on the score fires while a model decides, and is silent before and after.
#[tokio::test(flavor = "multi_thread")]
async fn rules_read_the_score_of_the_model_that_decides() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let package = sure_of(false);
    let fired = async |place: usize| {
        let event = paid(place, "5.00", "c1");
        house.advance_to(event.occurred_at.micros());
        let decision = house.decision(event).await;
        let fired = decision.fraud.fired.iter().map(|rule| rule.rule.clone());
        (decision.outcome, fired.collect::<Vec<_>>())
    };
    assert_eq!(fired(0).await, (Outcome::Approve, vec![]));
    house.shadow(&package).await;
    assert_eq!(fired(1).await, (Outcome::Approve, vec![]));
    house.publish(&package).await.unwrap();
    let sure = (Outcome::Challenge, vec!["base.sure".to_owned()]);
    assert_eq!(fired(2).await, sure);
    let maker = house.who("maker");
    house
        .engine
        .roll_back_model(&maker, Judge::Fraud, "test")
        .await
        .unwrap();
    assert_eq!(fired(3).await, (Outcome::Approve, vec![]));
}
