//! The engine over a real store: windows, idempotency, labels, lists, deadline, restart.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_access::approval::{Approvals, Who};
use paywarden_crypto::Keyring;
use paywarden_domain::{
    Card, Currency, Decision, Event, Label, LabelSource, LabelVerdict, Money, Outcome, PaymentId,
    TenantId, Timestamp,
};
use paywarden_risk::{
    Caller, Decided, DecisionQuery, Engine, EngineConfig, Error, Idempotency, ListChange,
    ListOperation, ListValue, PackFile, Request,
};
use paywarden_store::{Actor, Clock, Database, DatabaseLimits, Journal, JournalLimits};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

const PACK: &str = include_str!("engine.yaml");
const START: &str = "2026-03-02T10:00:00Z";

struct House {
    engine: Arc<Engine>,
    approvals: Approvals,
    clock: Clock,
    journal: Journal,
    database: Database,
}

impl House {
    async fn open(folder: &Path, keyring: &Keyring) -> Self {
        static RUN: AtomicU64 = AtomicU64::new(0);
        let seed = RUN.fetch_add(1, Ordering::Relaxed);
        let clock = Clock::simulated(Timestamp::parse(START).unwrap(), seed);
        let url = format!("sqlite://{}/store.db", folder.display());
        let database = Database::open_with(&url, DatabaseLimits::default())
            .await
            .unwrap();
        let limits = JournalLimits::default();
        let journal = Journal::start(&database, clock.clone(), limits)
            .await
            .unwrap();
        let mut config = EngineConfig::new(Currency::parse("USD").unwrap());
        config.event_age_max = None;
        config.snapshot_path = Some(folder.join("windows.snapshot"));
        let engine = Engine::start(
            config,
            database.clone(),
            journal.clone(),
            clock.clone(),
            keyring,
            vec![PackFile::new("engine.yaml", PACK)],
        );
        let engine = Arc::new(engine.await.unwrap_or_else(|error| panic!("{error}")));
        let (db, log, time) = (database.clone(), journal.clone(), clock.clone());
        Self {
            engine,
            approvals: Approvals::new(db, log, time, Arc::new(|_, _, _| true)),
            clock,
            journal,
            database,
        }
    }

    async fn close(self) {
        drop(self.engine);
        self.journal.close().await;
        self.database.close().await;
    }

    /// Puts a value on a list, or takes it off.
    async fn change(
        &self,
        list: &str,
        operation: ListOperation,
        value: &str,
        reason: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let change = ListChange {
            list: list.to_owned(),
            operation,
            values: vec![ListValue {
                value: value.to_owned(),
                expires_at,
            }],
            reason: reason.to_owned(),
        };
        change.validate()?;
        let caller = caller();
        let who = Who {
            tenant: caller.tenant.clone(),
            actor: Actor::Key(caller.key_id.clone()),
        };
        let approved = self.approvals.admit(&who, change, None).await?;
        self.engine.change_list(approved).await.map(drop)
    }

    fn advance(&self, seconds: i64) {
        if let Clock::Simulated(clock) = &self.clock {
            clock.advance_us(u64::try_from(seconds).unwrap() * 1_000_000);
        }
    }

    async fn decide(&self, event: Event<Card>) -> Result<Decided, Error> {
        let received_us = self.clock.monotonic_us();
        let request = Request {
            caller: caller(),
            event,
            idempotency: None,
            beside: Vec::new(),
            ground: None,
            received_us,
        };
        self.engine.decide(request).await
    }

    async fn verdict(&self, event: Event<Card>) -> Arc<Decision> {
        match self.decide(event).await.unwrap() {
            Decided::New(decision) => decision,
            Decided::Repeated(_) => panic!("decided before"),
        }
    }
}

fn caller() -> Caller {
    Caller {
        tenant: TenantId::parse("acme").unwrap(),
        key_id: "key_1".to_owned(),
    }
}

/// A card payment of `card`, so many seconds after the start.
fn payment(id: &str, card: &str, seconds: i64, value: &str) -> Event<Card> {
    let start = Timestamp::parse(START).unwrap();
    let at = Timestamp::from_micros(start.micros() + seconds * 1_000_000);
    let json = format!(
        r#"{{"id":"{id}","type":"payment.card","occurred_at":"{at}",
            "amount":{{"value":"{value}","currency":"USD"}},
            "card":{{"index":"{card}","details":{{}}}},
            "merchant":{{"id":"shop","terminal_id":"t1"}}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn fired(decision: &Decision, rule: &str) -> Option<Vec<(String, Option<String>)>> {
    let all = decision
        .fraud
        .fired
        .iter()
        .chain(&decision.laundering.fired);
    let mut found = all.filter(|fired| fired.rule == format!("engine.{rule}"));
    let values = |value: paywarden_domain::RuleValue<'_>| {
        let written = value.value.map(|value| value.to_string());
        (value.operand.into_owned(), written)
    };
    found
        .next()
        .map(|fired| fired.values.iter().map(values).collect())
}

#[tokio::test]
async fn whoever_reads_on_misses_nothing_and_learns_what_was_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    let (tenant, mut query) = (caller().tenant, DecisionQuery::default());
    (query.filter.after, query.limit) = (Some(0), 2);
    for number in 0..3 {
        house
            .verdict(payment(&format!("p{number}"), "c", number, "1.00"))
            .await;
    }
    let page = house.engine.decisions(&tenant, &query).await.unwrap();
    assert_eq!((page.decisions.len(), page.passed_over), (2, 1));
    query.filter.after = Some(page.newest);
    let page = house.engine.decisions(&tenant, &query).await.unwrap();
    assert_eq!((page.decisions.len(), page.passed_over), (0, 0));
    house.verdict(payment("p3", "c", 3, "1.00")).await;
    let page = house.engine.decisions(&tenant, &query).await.unwrap();
    assert_eq!(page.decisions[0].payment_id.as_str(), "p3");
}

/// What the rule that always fires reports for a window.
fn seen(decision: &Decision, operand: &str) -> Option<String> {
    let values = fired(decision, "always")?;
    values.into_iter().find(|(name, _)| name == operand)?.1
}

#[tokio::test]
async fn windows_include_the_payment_itself_and_explain_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    for number in 0..2 {
        let decision = house
            .verdict(payment(&format!("p{number}"), "c", number, "1.00"))
            .await;
        assert_eq!(decision.outcome, Outcome::Approve);
    }
    let decision = house.verdict(payment("p2", "c", 2, "1.00")).await;
    assert_eq!(decision.outcome, Outcome::Challenge);
    assert_eq!(decision.fraud.score, 350);
    assert_eq!(decision.reasons[0].code, "velocity_card");
    let values = fired(&decision, "three_in_ten_minutes").unwrap();
    assert_eq!(
        values,
        [("card.count(\"10m\")".to_owned(), Some("3".to_owned()))]
    );
    assert_eq!(
        seen(&decision, "card.sum(\"24h\")").as_deref(),
        Some("3.00 USD")
    );
    let stored = house
        .engine
        .decision(&caller().tenant, decision.id.as_str())
        .await
        .unwrap();
    assert_eq!(
        stored.as_ref(),
        Some(&*decision),
        "what is stored is what was answered"
    );
    let query = DecisionQuery {
        limit: 2,
        ..DecisionQuery::default()
    };
    let page = house
        .engine
        .decisions(&caller().tenant, &query)
        .await
        .unwrap();
    assert_eq!(page.decisions.len(), 2);
    let mut rest = query;
    rest.filter.before = page.next;
    let page = house
        .engine
        .decisions(&caller().tenant, &rest)
        .await
        .unwrap();
    assert_eq!(page.decisions.len(), 1);
    let other = TenantId::parse("other").unwrap();
    assert_eq!(
        house
            .engine
            .decision(&other, decision.id.as_str())
            .await
            .unwrap(),
        None
    );
    house.close().await;
}

#[tokio::test]
async fn a_currency_without_a_rate_does_not_go_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    let mut event = payment("p", "c", 0, "20000.00");
    event.amount = Some(Money::parse("20000.00", Currency::parse("EUR").unwrap()).unwrap());
    let decision = house.verdict(event).await;
    assert_eq!(decision.laundering.score, 0, "unknown is not large");
    assert_eq!(
        decision.reasons.last().unwrap().code,
        "currency_without_rate"
    );
    house.close().await;
}

#[tokio::test]
async fn one_idempotency_key_has_one_verdict_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let house = House::open(folder.path(), &keyring).await;
    let ask = |id: &str, key: &str, print: u8| Request {
        caller: caller(),
        event: payment(id, "c", 0, "1.00"),
        idempotency: Some(Idempotency {
            key: key.to_owned(),
            fingerprint: [print; 32],
        }),
        beside: Vec::new(),
        ground: None,
        received_us: 0,
    };
    let Decided::New(first) = house.engine.decide(ask("p", "k", 1)).await.unwrap() else {
        panic!("the first call decides");
    };
    let house = {
        house.close().await;
        House::open(folder.path(), &keyring).await
    };
    match house.engine.decide(ask("p", "k", 1)).await.unwrap() {
        Decided::Repeated(again) => assert_eq!(again, first),
        Decided::New(_) => panic!("decided twice"),
    }
    let reused = house.engine.decide(ask("p", "k", 2)).await.unwrap_err();
    assert_eq!(reused, Error::IdempotencyKeyReused);
    let twice = house.engine.decide(ask("p", "k2", 1)).await.unwrap_err();
    assert_eq!(
        twice,
        Error::PaymentAlreadyDecided {
            decision: first.id.clone()
        }
    );
    let next = house.verdict(payment("q", "c", 1, "1.00")).await;
    assert_eq!(
        seen(&next, "card.count(\"24h\")").as_deref(),
        Some("2"),
        "counted once"
    );
    house.close().await;
}

#[tokio::test]
async fn payments_of_one_card_at_once_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    let calls = (0..50).map(|number| house.verdict(payment(&format!("p{number}"), "c", 0, "1.00")));
    let mut counts: Vec<u64> = Vec::new();
    let decisions = futures_join(calls).await;
    for decision in decisions {
        counts.push(
            seen(&decision, "card.count(\"24h\")")
                .unwrap()
                .parse()
                .unwrap(),
        );
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    house.close().await;
}

async fn futures_join<T>(calls: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    let mut results: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, result) in calls.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(value) = call.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    results.into_iter().flatten().collect()
}

#[tokio::test]
async fn late_labels_reach_windows_behind_the_delay_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let house = House::open(folder.path(), &keyring).await;
    let day = 86_400;
    house.verdict(payment("stolen", "c", 0, "9.00")).await;
    house.engine.snapshot().unwrap();
    let label = Label {
        payment_id: PaymentId::parse("stolen").unwrap(),
        verdict: LabelVerdict::Fraud,
        source: LabelSource::Chargeback,
        occurred_at: None,
    };
    let unknown = Label {
        payment_id: PaymentId::parse("nobody").unwrap(),
        ..label.clone()
    };
    let refused = house
        .engine
        .label(&caller(), unknown, None)
        .await
        .unwrap_err();
    assert_eq!(refused, Error::PaymentUnknown);
    assert!(
        house
            .engine
            .label(&caller(), label, None)
            .await
            .unwrap()
            .in_windows
    );
    house.advance(6 * day);
    let early = house.verdict(payment("early", "d", 6 * day, "1.00")).await;
    let operand = "terminal.count(\"7d..35d\", label in [\"fraud\", \"chargeback\"])";
    assert_eq!(
        seen(&early, operand).as_deref(),
        Some("0"),
        "behind the delay"
    );
    house.close().await;
    let house = House::open(folder.path(), &keyring).await;
    house.advance(8 * day);
    let late = house.verdict(payment("late", "d", 8 * day, "1.00")).await;
    assert_eq!(seen(&late, operand).as_deref(), Some("1"));
    house.close().await;
}

#[tokio::test]
async fn labels_that_a_restored_backup_does_not_know_are_in_no_window() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let [store, copy, snapshot] =
        ["store.db", "copy.db", "windows.snapshot"].map(|name| folder.path().join(name));
    let label = async |house: &House, payment: &str, verdict| {
        let label = Label {
            payment_id: PaymentId::parse(payment).unwrap(),
            verdict,
            source: LabelSource::Chargeback,
            occurred_at: None,
        };
        house.engine.label(&caller(), label, None).await.unwrap();
    };
    let house = House::open(folder.path(), &keyring).await;
    house.verdict(payment("stolen", "c", 0, "9.00")).await;
    house.close().await;
    std::fs::copy(&store, &copy).unwrap();
    let house = House::open(folder.path(), &keyring).await;
    label(&house, "stolen", LabelVerdict::Fraud).await;
    assert!(house.engine.snapshot().unwrap());
    house.close().await;
    for log in ["store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(log));
    }
    std::fs::copy(&copy, &store).unwrap();

    // Nobody has the number of the lost label; then another label takes it.
    let day = 86_400;
    let operand = "terminal.count(\"7d..35d\", label in [\"fraud\", \"chargeback\"])";
    for days in [8, 17] {
        let house = House::open(folder.path(), &keyring).await;
        house.advance(days * day);
        let id = format!("day-{days}");
        let seen_then = house.verdict(payment(&id, "d", days * day, "1.00")).await;
        assert_eq!(seen(&seen_then, operand).as_deref(), Some("0"), "{id}");
        label(&house, &id, LabelVerdict::Genuine).await;
        house.close().await;
        let written = Timestamp::parse(START).unwrap().micros() + 7 * day * 1_000_000;
        let written = Duration::from_micros(u64::try_from(written).unwrap());
        let file = std::fs::File::options().append(true).open(&snapshot);
        let set = file.unwrap().set_modified(SystemTime::UNIX_EPOCH + written);
        set.unwrap();
    }
}

#[tokio::test]
async fn a_mark_of_deny_lists_ends_with_the_last_entry_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let house = House::open(folder.path(), &keyring).await;
    for (list, expiry) in [
        ("denied_cards", "2026-03-02T11:00:00Z"),
        ("denied_here", "2026-03-02T12:00:00Z"),
    ] {
        let expiry = Timestamp::parse(expiry).unwrap();
        house
            .change(list, ListOperation::Add, "c", "stolen", Some(expiry))
            .await
            .unwrap();
    }
    let marked = async |house: &House, id: &str, second| {
        let decision = house.verdict(payment(id, "c", second, "1.00")).await;
        fired(&decision, "marked").is_some()
    };
    assert!(marked(&house, "p1", 0).await);
    house.advance(3_700);
    assert!(marked(&house, "p2", 1).await, "the other list holds on");
    house.advance(3_600);
    assert!(!marked(&house, "p3", 2).await);
    house
        .change("denied_cards", ListOperation::Add, "c", "again", None)
        .await
        .unwrap();
    assert!(marked(&house, "p4", 3).await);
    house
        .change("denied_cards", ListOperation::Remove, "c", "found", None)
        .await
        .unwrap();
    assert!(!marked(&house, "p5", 4).await);
    house.close().await;
}

#[tokio::test]
async fn a_list_counts_until_it_expires_and_an_exemption_spares_one_engine_only() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    let expiry = Timestamp::parse("2026-03-02T11:00:00Z").unwrap();
    house
        .change("denied", ListOperation::Add, "c", "stolen", Some(expiry))
        .await
        .unwrap();
    assert_eq!(
        house.verdict(payment("p1", "c", 0, "1.00")).await.outcome,
        Outcome::Decline
    );
    let long = "x".repeat(256);
    house
        .change("other", ListOperation::Add, "c", &long, None)
        .await
        .unwrap();
    let longer = house
        .change("other", ListOperation::Add, "c", &(long + "x"), None)
        .await;
    assert!(matches!(longer, Err(Error::ListEntryMalformed(_))));
    house
        .change("allowed", ListOperation::Add, "c", "own staff", None)
        .await
        .unwrap();
    assert_eq!(
        house.verdict(payment("p2", "c", 1, "1.00")).await.outcome,
        Outcome::Decline,
        "an exemption does not lift a rule's own decline"
    );
    house.advance(3_700);
    let exempt = house.verdict(payment("p3", "c", 2, "1.00")).await;
    assert!(fired(&exempt, "three_in_ten_minutes").is_some());
    assert_eq!(exempt.outcome, Outcome::Approve, "velocity is spared");
    let large = house.verdict(payment("p4", "c", 3, "20000.00")).await;
    assert_eq!(
        (large.fraud.action, large.outcome),
        (Outcome::Approve, Outcome::Review)
    );
    house
        .change("allowed", ListOperation::Remove, "c", "left", None)
        .await
        .unwrap();
    let gone = house
        .change("allowed", ListOperation::Remove, "c", "left", None)
        .await
        .unwrap_err();
    assert_eq!(gone, Error::ListEntryUnknown);
    house.close().await;
}

#[tokio::test]
async fn a_spent_deadline_is_said_and_fails_closed_where_a_rule_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    // Only a rule that might have fired is left out: the index knows the others to be silent.
    let listed = house.change("denied", ListOperation::Add, "c", "stolen", None);
    listed.await.unwrap();
    let caller = caller();
    let received_us = house.clock.monotonic_us();
    house.advance(1);
    let event = payment("p", "c", 0, "1.00");
    let request = Request {
        caller,
        event,
        idempotency: None,
        beside: Vec::new(),
        ground: None,
        received_us,
    };
    let Decided::New(decision) = house.engine.decide(request).await.unwrap() else {
        panic!("decided before");
    };
    assert!(decision.deadline.partial && decision.deadline.skipped_rules > 0);
    assert_eq!(decision.outcome, Outcome::Review);
    let closed = decision
        .fraud
        .faults
        .iter()
        .find(|fault| fault.closed)
        .unwrap();
    assert_eq!(
        (closed.rule.as_str(), closed.fault.as_str()),
        ("engine.denied", "deadline")
    );
    house.close().await;
}

#[tokio::test]
async fn restart_without_a_snapshot_and_with_a_damaged_one_rebuild_the_same_windows() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let mut house = House::open(folder.path(), &keyring).await;
    let snapshot = folder.path().join("windows.snapshot");
    for round in 0..4_i64 {
        for number in 0..5 {
            let id = format!("p{round}-{number}");
            house
                .verdict(payment(&id, "c", round * 10 + number, "2.50"))
                .await;
        }
        match round {
            0 => assert!(house.engine.snapshot().unwrap()),
            1 => std::fs::write(&snapshot, b"not a snapshot").unwrap(),
            2 => std::fs::remove_file(&snapshot).unwrap(),
            _ => {}
        }
        house.close().await;
        house = House::open(folder.path(), &keyring).await;
        let probe = format!("probe{round}");
        let decision = house
            .verdict(payment(&probe, "c", round * 10 + 9, "0.00"))
            .await;
        let expected = (round + 1) * 6;
        assert_eq!(
            seen(&decision, "card.count(\"24h\")"),
            Some(expected.to_string())
        );
        let sum = format!("{:.2} USD", (round + 1) as f64 * 12.5);
        assert_eq!(seen(&decision, "card.sum(\"24h\")"), Some(sum));
    }
    house.close().await;
}

/// A transfer of a customer of this kind.
fn transfer(id: &str, customer: &str, kind: &str, value: &str) -> Event<Card> {
    let json = format!(
        r#"{{"id":"{id}","type":"payment.transfer","occurred_at":"{START}",
            "amount":{{"value":"{value}","currency":"USD"}},
            "payer":{{"id":"{customer}","is_company":false,"country":"CN"}},
            "attributes":{{"customer_type":"{kind}"}}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

#[tokio::test]
async fn what_is_learnt_of_a_segment_speaks_from_its_floor_on_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    for with_snapshot in [true, false] {
        let kind = format!("student_{with_snapshot}");
        let transfer = |id: &str, customer: &str, kind: &str, value: &str| {
            transfer(&format!("{id}-{with_snapshot}"), customer, kind, value)
        };
        let house = House::open(folder.path(), &keyring).await;
        // However much one moves, and however often: two are no segment.
        for number in 0..5 {
            let id = format!("a{number}");
            let decision = house.verdict(transfer(&id, "a", &kind, "1000.00")).await;
            assert_eq!(fired(&decision, "beyond_segment"), None);
        }
        let decision = house.verdict(transfer("b", "b", &kind, "1.00")).await;
        assert_eq!(fired(&decision, "beyond_segment"), None);
        assert!(house.engine.snapshot().unwrap());
        house.close().await;
        if !with_snapshot {
            std::fs::remove_file(folder.path().join("windows.snapshot")).unwrap();
        }
        let house = House::open(folder.path(), &keyring).await;
        let decision = house.verdict(transfer("c", "c", &kind, "1.00")).await;
        assert_eq!(fired(&decision, "beyond_segment"), None);
        let decision = house.verdict(transfer("d", "a", &kind, "1.00")).await;
        let values = fired(&decision, "beyond_segment").unwrap();
        let sum = (
            "segment.sum(\"30d\")".to_owned(),
            Some("5003.00 USD".to_owned()),
        );
        assert!(values.contains(&sum), "{values:?}");
        // Others of the same country and another kind are another segment.
        let other = format!("retired_{with_snapshot}");
        let decision = house.verdict(transfer("e", "a", &other, "1000.00")).await;
        assert_eq!(fired(&decision, "beyond_segment"), None);
        house.close().await;
    }
}
