//! Models at work in an engine: what it reads is what `train --matrix` writes, bit for bit.

mod control;
mod daily;

use super::{
    history::{History, Past},
    study::{Known, Study},
};
use paywarden_access::approval::{Approvals, Ask, Ballot, Who};
use paywarden_crypto::Keyring;
use paywarden_domain::{
    Card, Currency, Decision, Engine as Judge, Event, Label, LabelSource, LabelVerdict, Outcome,
    PaymentId, TenantId, Timestamp,
    time::{DAY, MINUTE},
};
use paywarden_features::EntityKind;
use paywarden_models::{
    Calibration, Ensemble, Link, Node, Package, Parts, Reads, Reference, Split, Sum, Test, Tree,
    random::Random,
};
use paywarden_risk::{
    Caller, Decided, Engine, EngineConfig, Error, PackFile, Request, Sight,
    model::{ChanceStep, ControlGroup, ModelPolicy, ModelRelease},
};
use paywarden_rules::Rates;
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::sync::Arc;

const START: &str = "2026-03-02T10:00:00Z";
const DELAY: i64 = 3 * DAY;
const PAYMENTS: usize = 900;
/// Amounts above this are large, in minor units.
const LARGE: i64 = 25_000;
/// After so many payments the model is published: its windows are filled from the journal.
const PUBLISHED: usize = 500;

const PACK: &str = r#"
pack: base
title: What only this test needs
rules:
  - id: many
    title: Many payments of a customer
    engine: fraud
    when: customer.count("1h") >= 1000
    score: 0
    action: decline
    reason: { code: many, text: Many payments }
    source: test
    examples:
      - { hit: true, given: { 'customer.count("1h")': 1000 } }
      - { hit: false, given: { 'customer.count("1h")': 1 } }
  - id: denied
    title: A customer who is denied
    engine: fraud
    when: payer.id == "denied"
    score: 0
    action: decline
    reason: { code: denied, text: Denied }
    source: test
    examples:
      - { hit: true, given: { payer.id: denied } }
      - { hit: false, given: { payer.id: c1 } }
  - id: sure
    title: The model is sure of a small amount
    engine: fraud
    when: model.fraud.score >= 900 && payment.amount_base < money("10.00", "USD")
    score: 0
    action: challenge
    reason: { code: sure, text: The model is sure }
    source: test
    examples:
      - { hit: true, given: { model.fraud.score: 900, payment.amount_base: 9.00 USD } }
      - { hit: false, given: { payment.amount_base: 9.00 USD } }
"#;

fn event(place: usize, random: &mut Random) -> Event<Card> {
    let at = Timestamp::parse(START).unwrap().micros() + place as i64 * 67 * MINUTE;
    let json = serde_json::json!({
        "id": format!("p{place}"),
        "type": "payment.card",
        "occurred_at": Timestamp::from_micros(at),
        "amount": { "value": format!("{}.{:02}", random.below(300), random.below(100)),
                    "currency": "USD" },
        "payer": { "id": format!("c{}", random.below(7)) },
        "merchant": { "id": "m", "terminal_id": format!("t{}", random.below(9)) },
    });
    serde_json::from_value(json).unwrap()
}

fn history(events: &[Event<Card>], random: &mut Random) -> History {
    let tenant = TenantId::parse("file").unwrap();
    let sight = Sight::new(tenant, Rates::new(Currency::parse("USD").unwrap()));
    let past = |event: &Event<Card>| Past {
        id: event.id.clone(),
        event: sight.event(event),
        fraud: random.below(6) == 0,
        amount: 1.0,
        scenario: None,
        stands_for: 1,
    };
    History {
        payments: events.iter().map(past).collect(),
        payer: EntityKind::Customer,
        place: EntityKind::Terminal,
    }
}

/// A model that gives these log-odds to amounts up to 250 dollars, and above.
fn package(study: &Study<'_>, [low, high]: [f64; 2]) -> Package {
    let names = study.recipe.names().to_vec();
    let leaf = |value| Node::Leaf { value, cover: 1.0 };
    let split = Node::Split(Split {
        feature: 0,
        test: Test::AtMost(LARGE as f64),
        missing_left: true,
        left: 1,
        right: 2,
    });
    let nodes = vec![split, leaf(low), leaf(high)];
    let model = Ensemble::new(Parts {
        features: names,
        trees: vec![Tree { nodes }],
        sum: Sum::from(0.0),
        link: Link::Logistic { scale: 1.0 },
    });
    Package {
        reads: Reads {
            payer: EntityKind::Customer,
            place: EntityKind::Terminal,
            delay: DELAY,
        },
        model: model.unwrap(),
        calibration: Calibration::Platt {
            slope: 1.0,
            offset: 0.0,
        },
        reference: Reference::of(&study.table, &[0], &[0.0], &[false]),
    }
}

/// From a chance of a whole on a review: no payment.
fn never() -> ModelPolicy {
    chances(1_000_000, Outcome::Review)
}

fn chances(from_ppm: u32, action: Outcome) -> ModelPolicy {
    ModelPolicy::Chances(vec![ChanceStep { from_ppm, action }])
}

struct House {
    engine: Arc<Engine>,
    database: Database,
    approvals: Approvals,
    clock: Clock,
    caller: Caller,
}

impl House {
    async fn open(folder: &std::path::Path) -> Self {
        let clock = Clock::simulated(Timestamp::parse(START).unwrap(), 5);
        let database = Database::open(&format!("sqlite://{}/store.db", folder.display())).await;
        let database = database.unwrap();
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default()).await;
        let journal = journal.unwrap();
        let keyring = Keyring::of_master(&[7; 32]);
        let engine = Engine::start(
            EngineConfig::new(Currency::parse("USD").unwrap()),
            database.clone(),
            journal.clone(),
            clock.clone(),
            &keyring,
            vec![PackFile::new("base.yaml", PACK)],
        );
        Self {
            engine: Arc::new(engine.await.unwrap()),
            database: database.clone(),
            approvals: Approvals::new(database, journal, clock.clone(), Arc::new(|_, _, _| true)),
            clock,
            caller: Caller {
                tenant: TenantId::parse("acme").unwrap(),
                key_id: "maker".to_owned(),
            },
        }
    }

    fn who(&self, key: &str) -> Who {
        Who {
            tenant: self.caller.tenant.clone(),
            actor: Actor::Key(key.to_owned()),
        }
    }

    fn advance_to(&self, at: i64) {
        let Clock::Simulated(clock) = &self.clock else {
            return;
        };
        let ahead = at - self.clock.now().micros();
        clock.advance_us(u64::try_from(ahead).unwrap_or(0));
    }

    /// Registers a model, has it approved, and lets it decide nothing.
    async fn publish(&self, package: &Package) -> Result<(), Error> {
        self.publish_with(package, never(), None).await
    }

    /// Registers a model, has it approved, and lets it decide.
    async fn publish_with(
        &self,
        package: &Package,
        policy: ModelPolicy,
        control: Option<ControlGroup>,
    ) -> Result<(), Error> {
        let maker = self.who("maker");
        let release = ModelRelease {
            engine: Judge::Fraud,
            model: self.register(package).await,
            policy,
            control,
        };
        let ask = Ask {
            reason: "test".to_owned(),
            ticket: None,
            expires_at: None,
            authors: Vec::new(),
        };
        let asked = self.approvals.request(&maker, &release, ask).await.unwrap();
        let ballot = Ballot {
            approve: true,
            payload_sha256: asked.payload_sha256.clone(),
            on_behalf_of: None,
            reason: "test".to_owned(),
        };
        let checker = self.who("checker");
        self.approvals
            .vote(&checker, &asked.id, ballot)
            .await
            .unwrap();
        let approved = self.approvals.claim(&maker, &asked.id).await.unwrap();
        self.engine.release_model(approved, "test").await.map(drop)
    }

    async fn register(&self, package: &Package) -> String {
        let (maker, bytes) = (self.who("maker"), package.write().unwrap());
        let registered = self.engine.register_model(&maker, bytes.into()).await;
        registered.unwrap().line.model
    }

    async fn shadow(&self, package: &Package) {
        let (maker, model) = (self.who("maker"), self.register(package).await);
        let place = (Judge::Fraud, model.as_str());
        self.engine
            .shadow_model(&maker, place, "test")
            .await
            .unwrap();
    }

    async fn label(&self, payment: &PaymentId) {
        let label = Label {
            payment_id: payment.clone(),
            verdict: LabelVerdict::Fraud,
            source: LabelSource::Analyst,
            occurred_at: None,
        };
        self.engine.label(&self.caller, label, None).await.unwrap();
    }

    async fn decide(&self, event: Event<Card>) -> String {
        self.decision(event).await.id.to_string()
    }

    async fn decision(&self, event: Event<Card>) -> Arc<Decision> {
        let request = Request {
            caller: self.caller.clone(),
            event,
            idempotency: None,
            beside: Vec::new(),
            ground: None,
            received_us: self.clock.monotonic_us(),
        };
        match self.engine.decide(request).await.unwrap() {
            Decided::New(decision) | Decided::Repeated(decision) => decision,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_reads_what_the_matrix_says() {
    let mut random = Random::new(8);
    let events: Vec<Event<Card>> = (0..PAYMENTS)
        .map(|place| event(place, &mut random))
        .collect();
    let history = history(&events, &mut random);
    let study = Study::new(&history, DELAY, &Known::After(DELAY)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let (mut labelled, mut compared, mut known) = (0, 0, 0);
    for (place, event) in events.into_iter().enumerate() {
        let at = event.occurred_at.micros();
        while history.payments[labelled].event.at + DELAY <= at {
            let past = &history.payments[labelled];
            house.advance_to(past.event.at + DELAY);
            if past.fraud {
                house.label(&past.id).await;
            }
            labelled += 1;
        }
        house.advance_to(at);
        if place == PUBLISHED {
            house.publish(&package(&study, [0.0; 2])).await.unwrap();
        }
        let decision = house.decide(event).await;
        if place < PUBLISHED {
            continue;
        }
        let tenant = &house.caller.tenant;
        let read = house
            .engine
            .model_reading(tenant, &decision, Judge::Fraud)
            .await;
        let read = read.unwrap().unwrap();
        for (feature, expected) in read.features.iter().zip(study.table.row(place)) {
            let found = feature.value.map(f64::to_bits);
            let expected = Some(*expected)
                .filter(|value| !value.is_nan())
                .map(f64::to_bits);
            assert_eq!(found, expected, "payment {place}, {}", feature.feature);
            known += usize::from(found.is_some());
        }
        compared += read.features.len();
    }
    assert_eq!(
        compared,
        (PAYMENTS - PUBLISHED) * study.recipe.names().len()
    );
    assert!(known * 2 > compared, "{known} of {compared} are known");
}

/// Half a month of payments of which the large ones are frauds, known three days later. The live
/// model is blind; of the challengers one sees them, one sees the others, one exaggerates.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenger_takes_the_place_once_labels_show_that_it_is_no_worse() {
    let mut random = Random::new(4);
    let events: Vec<Event<Card>> = (0..300).map(|place| event(place, &mut random)).collect();
    let mut history = history(&events, &mut random);
    for past in &mut history.payments {
        past.fraud = past.event.amount.is_some_and(|amount| amount > LARGE);
    }
    let study = Study::new(&history, DELAY, &Known::After(DELAY)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    house.publish(&package(&study, [-2.0, -2.0])).await.unwrap();
    let [good, bad, loud] = [[-5.0, 3.0], [-1.5, -6.0], [0.0, 6.0]];
    for chances in [good, bad, loud] {
        house.shadow(&package(&study, chances)).await;
    }
    let early = house.publish(&package(&study, good)).await;
    assert!(matches!(early, Err(Error::ModelUnproven(_))), "{early:?}");
    for (event, past) in events.into_iter().zip(&history.payments) {
        house.advance_to(past.event.at);
        house.decide(event).await;
        if past.fraud {
            house.label(&past.id).await;
        }
    }
    house.advance_to(history.end() + DELAY + DAY);
    let held_back = async |chances| match house.publish(&package(&study, chances)).await {
        Err(Error::ModelUnproven(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(held_back(bad).await.contains("value"));
    assert!(held_back(loud).await.contains("calibration"));
    house.publish(&package(&study, good)).await.unwrap();
}
