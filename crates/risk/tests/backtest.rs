//! Back-tests of what the real engine decided: the same rules give the same answers again.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "backtest/house.rs"]
mod house;
#[path = "backtest/mentions.rs"]
mod mentions;
#[path = "backtest/prevention.rs"]
mod prevention;

use house::{Arrival, DAYS, House, START, packs, rates};
use paywarden_domain::{Outcome, TenantId, Timestamp, time::DAY};
use paywarden_risk::{
    DecisionQuery, Error,
    backtest::{self, Backtest, BacktestState, Order, Pace, Report, Task},
    release::{Draft, State},
};
use paywarden_rules::{Pack, RuleSet};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

fn start() -> Timestamp {
    Timestamp::parse(START).unwrap()
}

fn after_start(days: i64) -> Timestamp {
    Timestamp::from_micros(start().micros() + days * DAY)
}

fn compiled(packs: &[Pack], version: &str) -> Arc<RuleSet> {
    Arc::new(paywarden_rules::compile(packs, &rates(), version).unwrap())
}

async fn report(
    house: &House,
    from: i64,
    rules: Arc<RuleSet>,
    against: Option<Arc<RuleSet>>,
) -> Report {
    let task = Task {
        tenant: house.tenant(),
        rules,
        against,
        from: after_start(from),
        to: after_start(DAYS + 1),
        label_delay: 45 * DAY,
    };
    let source = house.source();
    let mut shown = Vec::new();
    let done = backtest::run(
        &source,
        &house.config,
        task,
        || Pace::Full,
        |p| shown.push(p),
    );
    let report = done.await.unwrap();
    assert!(shown.is_sorted_by_key(|progress| progress.done));
    assert_eq!(shown.last().unwrap().done, shown.last().unwrap().total);
    report
}

/// How often each rule fired in the decisions as they were answered, and the payments by outcome.
async fn answered(
    house: &House,
    from: i64,
) -> (BTreeMap<String, u64>, BTreeMap<Outcome, BTreeSet<String>>) {
    let (mut rules, mut outcomes) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
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
        for decision in page.decisions {
            if decision.occurred_at < after_start(from) {
                continue;
            }
            assert!(!decision.deadline.partial);
            let ids = outcomes.entry(decision.outcome).or_default();
            ids.insert(decision.payment_id.to_string());
            for engine in [decision.fraud, decision.laundering] {
                for fired in engine.fired.into_iter().chain(engine.shadow) {
                    *rules.entry(fired.rule).or_default() += 1;
                }
            }
        }
        match page.next {
            Some(before) => query.filter.before = Some(before),
            None => return (rules, outcomes),
        }
    }
}

#[tokio::test]
async fn the_live_rules_answer_as_they_did() {
    answer_as_they_did(Arrival::Serial).await;
}

#[tokio::test]
async fn payments_at_once_are_told_in_the_order_of_their_numbers() {
    answer_as_they_did(Arrival::AtOnce).await;
}

async fn answer_as_they_did(arrival: Arrival) {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 2_500, arrival).await;
    for from in [0, 3] {
        let (rules, outcomes) = answered(&house, from).await;
        let report = report(&house, from, compiled(&packs(arrival), "again"), None).await;
        let payments: usize = outcomes.values().map(BTreeSet::len).sum();
        assert_eq!(report.payments.payments, payments as u64);
        let changed: Vec<_> = report
            .changes
            .iter()
            .filter(|c| c.before != c.after)
            .collect();
        assert!(changed.is_empty(), "{changed:?}");
        for change in &report.changes {
            assert_eq!(change.payments, outcomes[&change.after].len() as u64);
        }
        let fired: BTreeMap<_, _> = report
            .rules
            .iter()
            .filter(|rule| rule.fired.payments > 0)
            .map(|rule| (rule.rule.clone(), rule.fired.payments))
            .collect();
        assert_eq!(fired, rules);
        assert!(fired.len() > 20, "the traffic moves rules: {}", fired.len());
        let screened = fired.keys().any(|rule| rule.starts_with("screening."));
        assert!(screened, "what screening found then is found again");
        assert_eq!(report.stopped, report.stopped_before);
        assert_eq!(report.windows_cut, 0);
        assert!(report.payments.fraud > 0 && report.stopped.fraud > 0);
        let listed = report
            .rules
            .iter()
            .find(|rule| rule.rule == "test.listed")
            .unwrap();
        assert!(
            listed.fired.payments > 0,
            "list entries count while they stand"
        );
        let labelled = report
            .rules
            .iter()
            .find(|rule| rule.rule == "test.labelled")
            .unwrap();
        assert!(
            labelled.fired.payments > 0,
            "labels count once they are known"
        );
    }
    house.close().await;
}

#[tokio::test]
async fn two_versions_are_compared_payment_by_payment() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 1_200, Arrival::Serial).await;
    let mut changed = packs(Arrival::Serial);
    for pack in &mut changed {
        pack.rules.retain(|rule| rule.id != "listed");
    }
    let (live, without) = (
        compiled(&packs(Arrival::Serial), "live"),
        compiled(&changed, "without"),
    );
    let back = report(&house, 0, Arc::clone(&live), Some(Arc::clone(&without))).await;
    let forth = report(&house, 0, without, Some(Arc::clone(&live))).await;
    let same = report(&house, 0, Arc::clone(&live), Some(live)).await;
    assert_eq!(forth.stopped, back.stopped_before);
    assert_eq!(forth.stopped_before, back.stopped);
    let stricter = |report: &Report| -> u64 {
        let changes = report.changes.iter().filter(|c| c.after > c.before);
        changes.map(|change| change.payments).sum()
    };
    let milder = |report: &Report| -> u64 {
        let changes = report.changes.iter().filter(|c| c.after < c.before);
        changes.map(|change| change.payments).sum()
    };
    let listed = back
        .rules
        .iter()
        .find(|rule| rule.rule == "test.listed")
        .unwrap();
    assert!(listed.decisive > 0);
    assert_eq!(stricter(&back), listed.decisive);
    assert_eq!(
        (stricter(&back), milder(&back)),
        (milder(&forth), stricter(&forth))
    );
    assert_eq!((stricter(&same), milder(&same)), (0, 0));
    for change in back.changes.iter().filter(|c| c.before != c.after) {
        let samples = change.samples.len() as u64;
        assert_eq!(samples, change.payments.min(backtest::SAMPLES_MAX as u64));
    }
    let days: u64 = back.days.iter().map(|day| day.payments).sum();
    assert_eq!(days, back.payments.payments);
    assert_eq!(
        back.days.iter().map(|day| day.stopped).sum::<u64>(),
        back.stopped.payments
    );
    assert!(back.dead.iter().all(|dead| !back.shadowed.contains(dead)));
    house.close().await;
}

#[tokio::test]
async fn nothing_in_the_span_and_nothing_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 400, Arrival::AtOnce).await;
    let rules = compiled(&packs(Arrival::Serial), "live");
    for (tenant, from) in [("acme", DAYS + 1), ("other", 0)] {
        let task = Task {
            tenant: TenantId::parse(tenant).unwrap(),
            rules: Arc::clone(&rules),
            against: None,
            from: after_start(from),
            to: after_start(DAYS + 2),
            label_delay: 0,
        };
        let source = house.source();
        let done = backtest::run(&source, &house.config, task, || Pace::Full, |_| {});
        assert_eq!(done.await.unwrap_err(), Error::HistoryEmpty);
    }
    house.close().await;
}

/// Waits for a back-test to end; it does not end before it has lived through everything.
async fn ended(house: &House, version: &str, id: &str) -> Backtest {
    loop {
        let engine = &house.engine;
        let seen = engine.backtest(&house.tenant(), version, id).await.unwrap();
        match seen.state {
            BacktestState::Done | BacktestState::Failed => return seen,
            BacktestState::Interrupted => panic!("nobody stopped it"),
            BacktestState::Waiting | BacktestState::Running => {
                assert_eq!(seen.report, None);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    }
}

fn order(from: i64) -> Order {
    Order {
        against: Some("live".to_owned()),
        from: after_start(from),
        to: after_start(DAYS + 9),
        label_delay: 45 * DAY,
        purpose: "before the change".to_owned(),
    }
}

#[tokio::test]
async fn a_back_test_is_asked_for_runs_and_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 400, Arrival::Serial).await;
    let (engine, caller) = (&house.engine, house.caller());
    let draft = Draft {
        packs: Vec::new(),
        from: Some("live".to_owned()),
        without: vec!["test".to_owned()],
        purpose: "without the test pack".to_owned(),
    };
    let drafted = engine.draft_rule_set(&caller.who(), draft).await.unwrap();
    let version = drafted.line.version.as_str();
    let asked = engine
        .start_backtest(&caller.who(), version, order(0))
        .await
        .unwrap();
    assert_eq!(asked.rule_set, version);
    let done = ended(&house, version, &asked.id).await;
    let report = done.report.unwrap();
    assert_eq!(done.events_done, done.events_total);
    assert_eq!(report.payments.payments, done.events_total);
    let milder = report.changes.iter().filter(|c| c.after < c.before);
    assert!(milder.map(|change| change.payments).sum::<u64>() > 0);
    let record = engine
        .rule_set_record(&caller.tenant, version)
        .await
        .unwrap();
    assert_eq!(record.line.state, State::BackTested);

    let late = engine
        .start_backtest(&caller.who(), version, order(DAYS + 5))
        .await
        .unwrap();
    let failed = ended(&house, version, &late.id).await;
    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (BacktestState::Failed, Some("history_empty"))
    );
    let other = TenantId::parse("other").unwrap();
    let unseen = engine.backtest(&other, version, &asked.id).await;
    assert_eq!(unseen.unwrap_err(), Error::BacktestUnknown);
    let wrong = engine.backtest(&caller.tenant, "0123456789abcdef", &asked.id);
    assert_eq!(wrong.await.unwrap_err(), Error::BacktestUnknown);
    let unknown = engine
        .start_backtest(&caller.who(), "0123456789abcdef", order(0))
        .await;
    assert_eq!(unknown.unwrap_err(), Error::RuleSetUnknown);
    house.close().await;
}

#[tokio::test]
async fn a_glance_sees_what_was_decided_and_what_was_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 1_200, Arrival::Serial).await;
    let tenant = house.tenant();
    let glance = async |condition: &str| house.engine.glance(&tenant, condition.to_owned()).await;
    let (rules, outcomes) = answered(&house, 0).await;
    let all = glance("event.hour >= 0").await.unwrap();
    assert_eq!((all.payments.payments, all.fired.payments), (1_200, 1_200));
    let stopped: usize = outcomes
        .iter()
        .filter(|(outcome, _)| outcome.stops())
        .map(|(_, payments)| payments.len())
        .sum();
    assert_eq!(all.stopped_already, stopped as u64);
    let report = report(&house, 0, compiled(&packs(Arrival::Serial), "live"), None).await;
    assert_eq!(all.fired.fraud, report.payments.fraud);
    // The condition of a rule that decided sees what the rule saw.
    let packs = packs(Arrival::Serial);
    let rule_of = packs
        .iter()
        .flat_map(|pack| pack.rules.iter().map(move |r| (pack, r)));
    let conditions = rule_of.filter(|(_, rule)| !rule.when.contains("lists."));
    for (pack, rule) in conditions.step_by(9) {
        // A condition that names a definition of its pack is none by itself.
        let Ok(seen) = glance(&rule.when).await else {
            continue;
        };
        let fired = rules.get(&format!("{}.{}", pack.id, rule.id)).copied();
        assert_eq!(seen.windows_not_kept, 0, "{}", rule.when);
        assert_eq!(seen.fired.payments, fired.unwrap_or(0), "{}", rule.when);
    }
    let Err(Error::ConditionRefused(found)) = glance("payer.contry == \"DE\"").await else {
        panic!("an unknown field passes")
    };
    assert!(found[0].span.is_some());
    house.close().await;
}
