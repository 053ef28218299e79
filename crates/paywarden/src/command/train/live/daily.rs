//! What is done to models once a day: thresholds of budgets set anew, and drift written down.

use super::*;
use paywarden_risk::model::{AlertBudget, Rank};

/// Payments of a day, one each minute.
const A_DAY: usize = 1_440;
/// Asked beside first: so many payments say what a day brings.
const BEFORE: usize = 400;
const ALERTS: u32 = 100;

/// A payment of up to 300 dollars. Of strange ones the amount is six times that, the terminal is
/// missing and the merchant category was never seen.
fn payment(place: usize, is_strange: bool, random: &mut Random) -> Event<Card> {
    let at = Timestamp::parse(START).unwrap().micros() + place as i64 * MINUTE;
    let amount = (1 + random.below(300)) * if is_strange { 6 } else { 1 };
    let terminal = format!("t{}", random.below(20));
    let json = serde_json::json!({
        "id": format!("d{place}"),
        "type": "payment.card",
        "occurred_at": Timestamp::from_micros(at),
        "amount": { "value": format!("{amount}.{:02}", random.below(100)), "currency": "USD" },
        "payer": { "id": format!("c{}", random.below(200)) },
        "merchant": {
            "id": "m",
            "terminal_id": Some(terminal).filter(|_| !is_strange),
            "mcc": if is_strange { "7995" } else { "5411" },
        },
    });
    serde_json::from_value(json).unwrap()
}

/// How many of some payments were reviewed.
async fn reviewed(house: &House, events: &[Event<Card>]) -> usize {
    let mut reviewed = 0;
    for event in events {
        house.advance_to(event.occurred_at.micros());
        let decision = house.decision(event.clone()).await;
        reviewed += usize::from(decision.outcome == Outcome::Review);
    }
    reviewed
}

/// How many leaves of the trail there are of an action.
async fn leaves(house: &House, action: &str) -> usize {
    let (mut found, mut first) = (0, 0);
    loop {
        let tenant = &house.caller.tenant;
        let page = house.database.trail_leaves(tenant, first, 1_000).await;
        let page = page.unwrap();
        if page.is_empty() {
            return found;
        }
        first += page.len() as u64;
        let is_of = |leaf: &&Vec<u8>| String::from_utf8_lossy(leaf).contains(action);
        found += page.iter().filter(is_of).count();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_from_day_to_day_and_what_drifts_is_written_down() {
    let mut random = Random::new(6);
    let days = BEFORE + 4 * A_DAY;
    let strange_from = BEFORE + 2 * A_DAY;
    let events: Vec<Event<Card>> = (0..days)
        .map(|place| payment(place, place >= strange_from, &mut random))
        .collect();
    let history = history(&events[..BEFORE + A_DAY], &mut random);
    let study = Study::new(&history, DELAY, &Known::After(DELAY)).unwrap();
    let rows: Vec<u32> = (BEFORE as u32..(BEFORE + A_DAY) as u32).collect();
    let mut package = package(&study, [-2.0, 0.0]);
    let (raw, fraud) = study.raw(&package.model, &rows).unwrap();
    package.reference = Reference::of(&study.table, &rows, &raw, &fraud);
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let budget = ModelPolicy::AlertsPerDay(AlertBudget {
        alerts: ALERTS,
        ranked_by: Rank::Loss,
        action: Outcome::Review,
    });
    let early = house.publish_with(&package, budget.clone(), None).await;
    assert!(matches!(early, Err(Error::ModelUnproven(_))), "{early:?}");
    house.shadow(&package).await;
    assert_eq!(reviewed(&house, &events[..BEFORE]).await, 0);
    house.publish_with(&package, budget, None).await.unwrap();
    let model = house.register(&package).await;
    let (mut alerts, mut alarms) = (Vec::new(), Vec::new());
    for day in events[BEFORE..].chunks(A_DAY) {
        alerts.push(reviewed(&house, day).await);
        let tenant = &house.caller.tenant;
        let drift = house.engine.model_drift(tenant, &model).unwrap();
        alarms.push(drift.alarms.join("; "));
        house.advance_to(house.clock.now().micros() + MINUTE);
        house.engine.tend_models().await.unwrap();
    }
    let budget = ALERTS as usize;
    let near = |alerts: usize| (budget / 2..budget * 2).contains(&alerts);
    assert!(near(alerts[0]) && near(alerts[1]), "{alerts:?}");
    assert!(alerts[2] > 5 * budget, "{alerts:?}");
    assert!(
        alerts[3] < alerts[2] / 2,
        "the threshold follows: {alerts:?}"
    );
    assert_eq!(leaves(&house, "model.tune").await, 4);
    assert!(leaves(&house, "model.drift").await > 0);
    for alarm in [
        "missing more often",
        "times the budget",
        "1 features name what is new: mcc",
    ] {
        assert!(
            !alarms[1].contains(alarm) && alarms[2].contains(alarm),
            "{alarm}: {alarms:?}"
        );
    }
    assert!(alarms[2].contains("features have moved"), "{alarms:?}");
}
