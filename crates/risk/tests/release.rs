//! The life of rule sets where the door is not needed: many at once, a restart, longer windows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking; one prints how long decisions took beside publishing"
)]

use paywarden_access::approval::{self, Approvals, Ask, Ballot, Who};
use paywarden_crypto::Keyring;
use paywarden_domain::{Card, Currency, Decision, Event, Outcome, TenantId, Timestamp};
use paywarden_risk::{
    Caller, Decided, Engine, EngineConfig, Error, PackFile, Request,
    release::{Draft, Moved, Order, RuleRelease, State},
};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const START: &str = "2026-03-02T10:00:00Z";
const DAY: i64 = 86_400;

struct House {
    engine: Arc<Engine>,
    /// Everybody may do everything; nobody approves what they asked for.
    approvals: Approvals,
    clock: Clock,
    journal: Journal,
    database: Database,
}

/// A pack with one rule that declines from so many payments of a card in a window on.
fn pack(id: &str, window: &str, count: u32) -> PackFile {
    let fewer = count - 1;
    let text = format!(
        r#"
pack: {id}
title: Velocity
rules:
  - id: many
    title: Many payments of a card
    engine: fraud
    when: card.count("{window}") >= {count}
    score: 0
    action: decline
    reason: {{ code: many, text: Many payments of a card }}
    source: test
    examples:
      - {{ hit: true, given: {{ 'card.count("{window}")': {count} }} }}
      - {{ hit: false, given: {{ 'card.count("{window}")': {fewer} }} }}
"#
    );
    PackFile::new(format!("{id}.yaml"), text)
}

impl House {
    async fn open(folder: &Path, keyring: &Keyring) -> Self {
        static RUN: AtomicU64 = AtomicU64::new(0);
        let seed = RUN.fetch_add(1, Ordering::Relaxed);
        let clock = Clock::simulated(Timestamp::parse(START).unwrap(), seed);
        let url = format!("sqlite://{}/store.db", folder.display());
        let database = Database::open(&url).await.unwrap();
        let limits = JournalLimits::default();
        let journal = Journal::start(&database, clock.clone(), limits)
            .await
            .unwrap();
        let mut config = EngineConfig::new(Currency::parse("USD").unwrap());
        config.event_age_max = None;
        let engine = Engine::start(
            config,
            database.clone(),
            journal.clone(),
            clock.clone(),
            keyring,
            vec![pack("base", "1h", 1_000)],
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

    fn advance(&self, seconds: i64) {
        if let Clock::Simulated(clock) = &self.clock {
            clock.advance_us(u64::try_from(seconds).unwrap() * 1_000_000);
        }
    }

    /// A card payment, so many seconds after the start.
    async fn decide(&self, id: &str, card: &str, seconds: i64) -> Arc<Decision> {
        let request = Request {
            caller: caller("maker"),
            event: payment(id, card, seconds),
            idempotency: None,
            beside: Vec::new(),
            ground: None,
            received_us: self.clock.monotonic_us(),
        };
        match self.engine.decide(request).await.unwrap() {
            Decided::New(decision) => decision,
            Decided::Repeated(_) => panic!("decided before"),
        }
    }

    /// A checked version: the library and this pack.
    async fn drafted(&self, pack: PackFile) -> String {
        let draft = Draft {
            packs: vec![pack],
            from: Some("base".to_owned()),
            without: vec![],
            purpose: "test".to_owned(),
        };
        let maker = who("maker");
        let drafted = self.engine.draft_rule_set(&maker, draft).await;
        drafted.unwrap().line.version
    }

    /// An approval of a release.
    async fn approval(&self, version: &str, share_bp: Option<u16>) -> String {
        let release = RuleRelease {
            version: version.to_owned(),
            share_bp,
        };
        let ask = Ask {
            authors: vec![],
            reason: "test".to_owned(),
            ticket: None,
            expires_at: None,
        };
        let asked = self.approvals.request(&who("maker"), &release, ask).await;
        let asked = asked.unwrap();
        let ballot = Ballot {
            approve: true,
            payload_sha256: asked.payload_sha256,
            on_behalf_of: None,
            reason: "read it".to_owned(),
        };
        let voted = self
            .approvals
            .vote(&who("checker"), &asked.id, ballot)
            .await;
        voted.unwrap().id
    }

    async fn carry_out(&self, approval: &str) -> Result<State, Error> {
        let approved = self.approvals.claim(&who("maker"), approval).await?;
        let moved = self.engine.release_rule_set(approved, "test");
        state(moved.await?)
    }

    async fn publish(&self, version: &str) -> Result<State, Error> {
        self.carry_out(&self.approval(version, None).await).await
    }

    async fn step(&self, key: &str, version: &str, order: Order) -> Result<State, Error> {
        let who = who(key);
        let moved = self.engine.move_rule_set(&who, version, order, "test");
        state(moved.await?)
    }
}

fn state(moved: Moved) -> Result<State, Error> {
    match moved {
        Moved::Done(line) => Ok(line.state),
        Moved::Preparing(progress) => panic!("{progress:?}"),
    }
}

fn who(key: &str) -> Who {
    Who {
        tenant: tenant(),
        actor: Actor::Key(key.to_owned()),
    }
}

fn caller(key: &str) -> Caller {
    Caller {
        tenant: tenant(),
        key_id: key.to_owned(),
    }
}

fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn payment(id: &str, card: &str, seconds: i64) -> Event<Card> {
    let start = Timestamp::parse(START).unwrap();
    let at = Timestamp::from_micros(start.micros() + seconds * 1_000_000);
    let json = format!(
        r#"{{"id":"{id}","type":"payment.card","occurred_at":"{at}",
            "amount":{{"value":"1.00","currency":"USD"}},
            "card":{{"index":"{card}","details":{{}}}}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_the_same_step_at_once_exactly_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let house = Arc::new(House::open(folder.path(), &Keyring::ephemeral()).await);
    let version = house.drafted(pack("own", "1h", 2)).await;
    let approval = house.approval(&version, None).await;
    let publishing = (0..8).map(|_| {
        let (house, approval) = (Arc::clone(&house), approval.clone());
        tokio::spawn(async move { house.carry_out(&approval).await })
    });
    let mut won = 0;
    for task in publishing.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(State::Live) => won += 1,
            Err(Error::RuleSetMove { .. } | Error::Approval(approval::Error::Used)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);

    let taking_back = (0..8).map(|_| {
        let engine = Arc::clone(&house.engine);
        tokio::spawn(async move { engine.roll_back_rule_set(&who("maker"), "test").await })
    });
    let mut won = 0;
    for task in taking_back.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(Error::RuleSetNotLive) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
    let record = house.engine.rule_set_record(&tenant(), &version).await;
    assert_eq!(record.unwrap().history.len(), 4);
}

#[tokio::test]
async fn an_approval_is_for_one_release_and_a_step_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    let (one, other) = (
        house.drafted(pack("own", "1h", 2)).await,
        house.drafted(pack("own", "1h", 3)).await,
    );
    let approval = house.approval(&one, None).await;
    for (version, share_bp) in [(&other, None), (&one, Some(5_000))] {
        let release = RuleRelease {
            version: version.clone(),
            share_bp,
        };
        let refused = house
            .approvals
            .admit(&who("maker"), release, Some(&approval))
            .await;
        assert_eq!(refused.unwrap_err(), approval::Error::OtherPayload);
    }
    house.carry_out(&approval).await.unwrap();
    let record = house.engine.rule_set_record(&tenant(), &one).await.unwrap();
    let last = record.history.last().unwrap();
    assert_eq!(last.approval.as_deref(), Some(approval.as_str()));
    // Taken back, it does not come again by the same approval.
    let maker = who("maker");
    house
        .engine
        .roll_back_rule_set(&maker, "test")
        .await
        .unwrap();
    let again = house.carry_out(&approval).await.unwrap_err();
    assert_eq!(again, Error::Approval(approval::Error::Used));
    house.close().await;
}

#[tokio::test]
async fn after_a_restart_the_same_versions_are_live_canary_and_shadow() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::ephemeral();
    let house = House::open(folder.path(), &keyring).await;
    let live = house.drafted(pack("own", "1h", 2)).await;
    let canary = house.drafted(pack("own", "1h", 3)).await;
    let shadow = house.drafted(pack("own", "1h", 1)).await;
    house.publish(&live).await.unwrap();
    let share = house.approval(&canary, Some(1)).await;
    house.carry_out(&share).await.unwrap();
    house.step("maker", &shadow, Order::Shadow).await.unwrap();
    for number in 0..5 {
        let decision = house.decide(&format!("p{number}"), "c", number).await;
        assert_eq!(decision.rule_set, live);
    }
    let page = house.engine.rule_sets(&tenant(), None, 10);
    let record = house.engine.rule_set_record(&tenant(), &shadow).await;
    let trial = record.unwrap().trial.unwrap();
    assert_eq!((trial.compared, trial.stricter), (5, 1));
    house.close().await;

    let house = House::open(folder.path(), &keyring).await;
    assert_eq!(house.engine.rule_sets(&tenant(), None, 10), page);
    let states = page.rule_sets.iter().map(|line| line.state);
    let expected = [State::Shadow, State::Canary, State::Live];
    assert_eq!(states.collect::<Vec<_>>(), expected);
    let record = house.engine.rule_set_record(&tenant(), &shadow).await;
    assert_eq!(record.unwrap().trial.unwrap(), trial);
    assert_eq!(house.decide("p5", "c", 5).await.rule_set, live);
    house.close().await;
}

#[tokio::test]
async fn a_window_longer_than_all_before_sees_the_past_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), &Keyring::ephemeral()).await;
    for number in 0..3 {
        house.decide(&format!("old{number}"), "c", number).await;
    }
    // Nobody looks so far back: the live windows let go of the first day.
    house.advance(41 * DAY);
    for number in 0..300 {
        let id = format!("new{number}");
        house.decide(&id, "other", 40 * DAY + number).await;
    }
    let version = house.drafted(pack("own", "90d", 4)).await;
    house.publish(&version).await.unwrap();
    let decision = house.decide("last", "c", 40 * DAY + 400).await;
    assert_eq!(decision.rule_set, version);
    let fired = &decision.fraud.fired[0];
    assert_eq!(fired.rule, "own.many");
    let value = fired.values.iter().next().unwrap();
    assert!(value.to_string().ends_with(" = 4"), "{value}");
    house.close().await;
}

/// Prints what a decision takes while nothing and while everything is published: no gate, because
/// the machine may be busy; that no decision waits is in the structure.
#[tokio::test(flavor = "multi_thread")]
async fn every_decision_is_made_by_one_whole_version_while_versions_change() {
    let folder = tempfile::tempdir().unwrap();
    let house = Arc::new(House::open(folder.path(), &Keyring::ephemeral()).await);
    let base = house.engine.rule_sets(&tenant(), None, 1).base;
    let version = house.drafted(pack("own", "2h", 2)).await;
    let quiet = decide_many(&house, "quiet").await;
    let changing = {
        let (house, version) = (Arc::clone(&house), version.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                house.publish(&version).await.unwrap();
                let engine = &house.engine;
                let back = engine.roll_back_rule_set(&who("maker"), "test").await;
                back.unwrap();
            }
        })
    };
    let busy = decide_many(&house, "busy").await;
    changing.await.unwrap();
    let known = [base, version];
    for (_, decision) in quiet.iter().chain(&busy) {
        assert!(known.contains(&decision.rule_set));
        let declined = decision.outcome == Outcome::Decline;
        let fired = !decision.fraud.fired.is_empty();
        assert_eq!(declined, fired);
        assert!(!fired || decision.rule_set == known[1]);
    }
    for (name, taken) in [("nothing", quiet), ("twenty times", busy)] {
        let mut us: Vec<_> = taken.iter().map(|(taken, _)| taken.as_micros()).collect();
        us.sort_unstable();
        let (median, most) = (us[us.len() / 2], us[us.len() - 1]);
        println!("published {name}: median {median} us, most {most} us, durable");
    }
}

async fn decide_many(house: &House, name: &str) -> Vec<(Duration, Arc<Decision>)> {
    let mut taken = Vec::new();
    for number in 0..300 {
        let began = Instant::now();
        let decision = house.decide(&format!("{name}{number}"), "c", 0).await;
        taken.push((began.elapsed(), decision));
    }
    taken
}
