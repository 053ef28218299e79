//! Prevention reports over simulated traffic against counting by hand.

use crate::house::{Arrival, House, packs, rates};
use crate::{after_start, start};
use paywarden_domain::{Currency, Decision, Money as Amount, Outcome, Timestamp, time::DAY};
use paywarden_risk::{
    DecisionQuery, Stretch,
    prevention::{Part, Prevented, PreventedMoney, PreventionOrder},
};
use std::collections::{BTreeMap, BTreeSet};

/// A decision with what was known of it.
struct Seen {
    decision: Decision,
    payer: Option<String>,
    /// None if nothing is known.
    fraud: Option<bool>,
}

/// Every payment of a stretch, by the ways that callers have.
async fn seen(house: &House, stretch: Stretch) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut query = DecisionQuery {
        limit: 200,
        ..DecisionQuery::default()
    };
    loop {
        let page = house
            .engine
            .decisions(&house.tenant(), &query)
            .await
            .unwrap();
        for (decision, payer) in page.decisions.into_iter().zip(page.persons) {
            let within = stretch.from <= decision.occurred_at && decision.occurred_at < stretch.to;
            if !within || !decision.kind.is_payment() || decision.decided_at > stretch.as_of {
                continue;
            }
            let (engine, tenant) = (&house.engine, house.tenant());
            let labels = engine.labels(&tenant, &decision.payment_id).await.unwrap();
            let last = labels.iter().find(|label| label.known_at <= stretch.as_of);
            let delay = i64::from(stretch.label_delay_days) * DAY;
            let is_old = decision.occurred_at.micros() < stretch.as_of.micros() - delay;
            let fraud = match last {
                Some(label) => Some(label.verdict.is_fraud()),
                None => is_old.then_some(false),
            };
            all.push(Seen {
                decision,
                payer,
                fraud,
            });
        }
        query.filter.before = page.next;
        if page.next.is_none() {
            return all;
        }
    }
}

/// What is compared: payments, alerts, frauds, frauds stopped, risk events, those in advance; of
/// what is not known payments and alerts.
type Counts = [u64; 8];
/// By currency: attempted, stopped, lost before the first alert.
type Money = BTreeMap<String, [i64; 3]>;

fn by_hand(seen: &[&Seen], stopped: impl Fn(&Decision) -> bool) -> (Counts, Money) {
    let (mut counts, mut money): (Counts, Money) = ([0; 8], BTreeMap::new());
    let mut frauds: Vec<&&Seen> = Vec::new();
    for one in seen {
        let stops = stopped(&one.decision);
        if one.fraud.is_none() {
            counts[6] += 1;
            counts[7] += u64::from(stops);
            continue;
        }
        counts[0] += 1;
        counts[1] += u64::from(stops);
        if one.fraud == Some(true) {
            counts[2] += 1;
            counts[3] += u64::from(stops);
            frauds.push(one);
            if let Some(amount) = one.decision.amount {
                let sums = money.entry(amount.currency.code().to_owned()).or_default();
                sums[0] += amount.minor;
                sums[1] += if stops { amount.minor } else { 0 };
            }
        }
    }
    frauds.sort_by_key(|one| one.decision.occurred_at);
    let payers: BTreeSet<_> = frauds.iter().map(|one| one.payer.clone()).collect();
    for payer in payers {
        assert!(payer.is_some(), "simulated payers are known");
        let mut last: Option<(Timestamp, bool)> = None;
        for one in frauds.iter().filter(|one| one.payer == payer) {
            let (at, stops) = (one.decision.occurred_at, stopped(&one.decision));
            let follows = last.is_some_and(|(last, _)| at.micros() - last.micros() <= 7 * DAY);
            let alerted = follows && last.is_some_and(|(_, alerted)| alerted);
            counts[4] += u64::from(!follows);
            counts[5] += u64::from(!follows && stops);
            if let Some(amount) = one.decision.amount.filter(|_| !alerted && !stops) {
                money.entry(amount.currency.code().to_owned()).or_default()[2] += amount.minor;
            }
            last = Some((at, alerted || stops));
        }
    }
    (counts, money)
}

fn told(part: &Prevented) -> (Counts, Money) {
    let counts = [
        part.payments,
        part.alerts,
        part.frauds,
        part.frauds_stopped,
        part.risk_events,
        part.in_advance,
        part.unknown,
        part.unknown_alerts,
    ];
    let money = part.money.iter().map(|money| {
        let sums = [
            money.attempted_minor,
            money.stopped_minor,
            money.lost_before_alert_minor,
        ];
        (money.currency.clone(), sums)
    });
    (counts, money.collect())
}

/// The total is what its currencies come to, each by its rate, and all payments are in the alert
/// rate.
fn adds_up(part: &Prevented) {
    let rates = rates();
    let sum = |minor: fn(&PreventedMoney) -> i64| {
        let base = |one: &PreventedMoney| {
            let currency = Currency::parse(&one.currency).unwrap();
            rates.to_base(Amount::new(minor(one), currency)).unwrap()
        };
        part.money.iter().map(base).sum::<i64>()
    };
    let total = &part.total;
    assert_eq!(total.currency, "USD");
    assert_eq!(total.attempted_minor, sum(|one| one.attempted_minor));
    assert_eq!(total.stopped_minor, sum(|one| one.stopped_minor));
    assert_eq!(
        total.lost_before_alert_minor,
        sum(|one| one.lost_before_alert_minor)
    );
    let rate = total.stopped_minor as f64 / total.attempted_minor as f64;
    assert!(
        total
            .rate
            .seen
            .is_none_or(|seen| (seen - rate).abs() < 0.001)
    );
    assert_eq!(total.rate.seen.is_some(), total.attempted_minor > 0);
    assert_eq!(part.without_rate, 0);
    let alerts = (part.alerts + part.unknown_alerts) as f64;
    let payments = (part.payments + part.unknown) as f64;
    assert_eq!(part.alert_rate.seen, Some(alerts / payments));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_what_counting_by_hand_gives_at_each_moment() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 1_600, Arrival::Serial).await;
    for (from, to, as_of, label_delay_days) in
        [(0, 9, 9, 45), (0, 9, 9, 1), (2, 5, 6, 1), (0, 4, 4, 0)]
    {
        let stretch = Stretch {
            from: after_start(from),
            to: after_start(to),
            as_of: after_start(as_of),
            label_delay_days,
        };
        let all = seen(&house, stretch).await;
        let every: Vec<&Seen> = all.iter().collect();
        let order = |by| PreventionOrder { stretch, by };
        let report = house
            .engine
            .prevention(&house.tenant(), order(None))
            .await
            .unwrap();
        assert_eq!(told(&report.whole), by_hand(&every, |d| d.outcome.stops()));
        adds_up(&report.whole);
        assert!(report.whole.money.len() > 1);
        assert!(report.whole.frauds > 0, "{:?}", report.whole);
        let rate = &report.whole.recall;
        assert!(rate.low <= rate.seen && rate.seen <= rate.high, "{rate:?}");

        let days = house
            .engine
            .prevention(&house.tenant(), order(Some(Part::Day)))
            .await
            .unwrap();
        let sum: u64 = days.parts.iter().map(|day| day.payments).sum();
        assert_eq!(sum, report.whole.payments);
        for day in &days.parts {
            let own: Vec<&Seen> = all
                .iter()
                .filter(|one| one.decision.occurred_at.to_string().starts_with(&day.part))
                .collect();
            let (counts, _) = by_hand(&own, |d| d.outcome.stops());
            let events = |counts: Counts| [&counts[..4], &counts[6..]].concat();
            assert_eq!(events(told(day).0), events(counts), "{}", day.part);
        }

        let rules = house
            .engine
            .prevention(&house.tenant(), order(Some(Part::Rule)))
            .await
            .unwrap();
        for rule in &rules.parts {
            let by = |decision: &Decision| {
                let mut fired = decision
                    .fraud
                    .fired
                    .iter()
                    .chain(&decision.laundering.fired);
                fired.any(|fired| fired.rule == rule.part) && decision.outcome.stops()
            };
            assert_eq!(told(rule), by_hand(&every, by), "{}", rule.part);
            adds_up(rule);
        }
        assert!(!rules.parts.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_and_engines_add_up_and_another_company_sees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 600, Arrival::Serial).await;
    let stretch = Stretch {
        from: start(),
        to: after_start(9),
        as_of: after_start(9),
        label_delay_days: 0,
    };
    let order = |by| PreventionOrder {
        stretch,
        by: Some(by),
    };
    let report = house
        .engine
        .prevention(&house.tenant(), order(Part::Channel))
        .await
        .unwrap();
    let sum = |of: fn(&Prevented) -> u64| report.parts.iter().map(of).sum::<u64>();
    assert_eq!(sum(|part| part.payments), report.whole.payments);
    assert_eq!(sum(|part| part.frauds_stopped), report.whole.frauds_stopped);
    assert_eq!(
        sum(|part| part.risk_events) > 0,
        report.whole.risk_events > 0
    );
    let engines = house
        .engine
        .prevention(&house.tenant(), order(Part::Engine))
        .await
        .unwrap();
    for engine in &engines.parts {
        assert_eq!(engine.frauds, engines.whole.frauds);
        assert!(engine.frauds_stopped <= engines.whole.frauds_stopped);
    }
    assert!(Outcome::Challenge.stops());
    let scenarios = house
        .engine
        .prevention(&house.tenant(), order(Part::Scenario))
        .await
        .unwrap();
    let packs: BTreeSet<String> = packs(Arrival::Serial)
        .into_iter()
        .map(|pack| pack.id)
        .collect();
    assert!(!scenarios.parts.is_empty());
    for scenario in &scenarios.parts {
        assert!(packs.contains(&scenario.part), "{}", scenario.part);
    }
    let other = paywarden_domain::TenantId::parse("globex").unwrap();
    let nothing = house
        .engine
        .prevention(&other, order(Part::Day))
        .await
        .unwrap();
    assert_eq!((nothing.whole.payments, nothing.parts.len()), (0, 0));
    assert_eq!(nothing.whole.recall.seen, None);
}
