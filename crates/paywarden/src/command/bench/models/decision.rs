//! What a live model adds to a decision: the same payments through two engines of one process, one
//! with a model of the size that is trained and one without, by turns.
//!
//! Before anything is timed, the model must have scored the payments of the one engine and none of
//! the other.

use crate::{
    command::train::study,
    cpu,
    failure::{Failure, Result},
    figures::Figure,
    packs,
    private::Scratch,
};
use bytes::Bytes;
use paywarden_access::approval::{Approvals, Ask, Ballot, Who};
use paywarden_crypto::Keyring;
use paywarden_domain::{
    Card, Currency, Decision, Engine as Judge, Event, Outcome, TenantId, Timestamp,
    time::{DAY, SECOND},
};
use paywarden_features::EntityKind;
use paywarden_models::{
    Calibration, Package, Reads, Reference, Table,
    random::Random,
    train::{Settings, train},
};
use paywarden_risk::{
    Caller, Decided, Engine, EngineConfig, PackFile, Request,
    model::{ChanceStep, ModelPolicy, ModelRelease},
};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::{fmt::Display, path::Path, sync::Arc, time::Duration};

/// Payments before any is timed, payments of one turn, and turns of each engine.
const WARM_UP: usize = 2_000;
const TURN: usize = 2_000;
const TURNS: usize = 6;
/// Made-up rows that the model is learnt from.
const ROWS: usize = 20_000;
const START_US: i64 = 1_700_000_000_000_000;

/// Figures of both engines and what one is of the other.
pub async fn figures() -> Result<Vec<Figure>> {
    let scratch = Scratch::new()?;
    let bare = House::open(&scratch.path().join("bare")).await?;
    let asked = House::open(&scratch.path().join("asked")).await?;
    asked.publish(package()?).await?;
    let mut random = Random::new(4);
    let mut event = |place: usize| event(place, &mut random);
    let mut used = [Duration::ZERO; 2];
    for turn in 0..=TURNS {
        let count = if turn == 0 { WARM_UP } else { TURN };
        let events = (0..count).map(|place| event(turn * TURN + place));
        let events = events.collect::<Result<Vec<_>>>()?;
        for (house, used) in [&bare, &asked].into_iter().zip(&mut used) {
            let before = cpu::process();
            for event in &events {
                house.decide(event.clone()).await?;
            }
            *used = match turn {
                0 => Duration::ZERO,
                _ => *used + (cpu::process() - before),
            };
        }
    }
    let last = event((1 + TURNS) * TURN)?;
    let scored = [bare.decide(last.clone()).await?, asked.decide(last).await?];
    if scored.map(|decision| decision.models.len()) != [0, 1] {
        return Err(Failure::not_held(
            "the model was not asked",
            "report this as a bug",
        ));
    }
    let each = |used: Duration| used.as_secs_f64() * 1e6 / (TURN * TURNS) as f64;
    let [bare, asked] = used.map(each);
    Ok(vec![
        Figure::new("decide_cpu_us", bare, "us"),
        Figure::new("decide_with_model_cpu_us", asked, "us").against(bare),
    ])
}

/// A payment two seconds after the one before, of one of a thousand customers at one of four hundred
/// terminals.
fn event(place: usize, random: &mut Random) -> Result<Event<Card>> {
    let at = Timestamp::from_micros(START_US + place as i64 * 2 * SECOND);
    let json = serde_json::json!({
        "id": format!("p{place}"),
        "type": "payment.card",
        "occurred_at": at,
        "amount": { "value": format!("{}.{:02}", random.below(300), random.below(100)),
                    "currency": "USD" },
        "payer": { "id": format!("c{}", random.below(1_000)) },
        "merchant": {
            "id": format!("m{}", random.below(50)),
            "terminal_id": format!("t{}", random.below(8)),
            "mcc": "5411",
        },
    });
    serde_json::from_value(json).map_err(bug)
}

/// 200 trees of 31 leaves over the numbers of the recipe, learnt from made-up rows.
fn package() -> Result<Package> {
    let reads = Reads {
        payer: EntityKind::Customer,
        place: EntityKind::Terminal,
        delay: 7 * DAY,
    };
    let names = reads.recipe().map_err(bug)?.names().to_vec();
    let mut table = Table::new(names.clone()).map_err(bug)?;
    let mut random = Random::new(2);
    let mut labels = Vec::with_capacity(ROWS);
    for _ in 0..ROWS {
        let row: Vec<f64> = names.iter().map(|_| random.below(1_000) as f64).collect();
        let chance = row.iter().take(6).filter(|value| **value > 600.0).count();
        labels.push(random.below(12) < chance);
        table.push(&row).map_err(bug)?;
    }
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let settings = Settings {
        trees_max: super::TREES,
        ..study::settings()
    };
    let model = train(&table, &labels, (&rows, &[]), &settings, |_| {}).map_err(bug)?;
    let (raw, fraud) = (vec![0.0; 2], [true, false]);
    Ok(Package {
        reads,
        model,
        calibration: Calibration::Platt {
            slope: 1.0,
            offset: 0.0,
        },
        reference: Reference::of(&table, &rows[..2], &raw, &fraud),
    })
}

/// An engine of its own on a store of its own.
struct House {
    engine: Arc<Engine>,
    approvals: Approvals,
    clock: Clock,
    caller: Caller,
}

impl House {
    async fn open(folder: &Path) -> Result<Self> {
        crate::private::folder(folder)?;
        let currency = Currency::parse("USD").map_err(bug)?;
        let clock = Clock::simulated(Timestamp::from_micros(START_US), 5);
        let url = format!("sqlite://{}/store.db", folder.display());
        let database = Database::open(&url).await.map_err(bug)?;
        let keyring = Keyring::of_master(&[7; 32]);
        let limits = JournalLimits::default();
        let journal = Journal::start(&database, clock.clone(), limits)
            .await
            .map_err(bug)?;
        let packs = packs::SHIPPED
            .iter()
            .map(|(name, text)| PackFile::new(*name, *text));
        let engine = Engine::start(
            EngineConfig::new(currency),
            database.clone(),
            journal.clone(),
            clock.clone(),
            &keyring,
            packs.collect(),
        );
        Ok(Self {
            engine: Arc::new(engine.await.map_err(bug)?),
            approvals: Approvals::new(database, journal, clock.clone(), Arc::new(|_, _, _| true)),
            clock,
            caller: Caller {
                tenant: TenantId::parse("acme").map_err(bug)?,
                key_id: "maker".to_owned(),
            },
        })
    }

    /// Lets a model decide nothing: its score is what costs.
    async fn publish(&self, package: Package) -> Result<()> {
        let who = |key: &str| Who {
            tenant: self.caller.tenant.clone(),
            actor: Actor::Key(key.to_owned()),
        };
        let maker = who("maker");
        let bytes = Bytes::from(package.write().map_err(bug)?);
        let registered = self
            .engine
            .register_model(&maker, bytes)
            .await
            .map_err(bug)?;
        let release = ModelRelease {
            engine: Judge::Fraud,
            model: registered.line.model,
            policy: ModelPolicy::Chances(vec![ChanceStep {
                from_ppm: 1_000_000,
                action: Outcome::Review,
            }]),
            control: None,
        };
        let ask = Ask {
            reason: "measurement".to_owned(),
            ticket: None,
            expires_at: None,
            authors: Vec::new(),
        };
        let asked = self
            .approvals
            .request(&maker, &release, ask)
            .await
            .map_err(bug)?;
        let ballot = Ballot {
            approve: true,
            payload_sha256: asked.payload_sha256.clone(),
            on_behalf_of: None,
            reason: "measurement".to_owned(),
        };
        let checker = who("checker");
        let vote = self.approvals.vote(&checker, &asked.id, ballot);
        vote.await.map_err(bug)?;
        let approved = self.approvals.claim(&maker, &asked.id).await.map_err(bug)?;
        let released = self.engine.release_model(approved, "measurement").await;
        released.map(drop).map_err(bug)
    }

    async fn decide(&self, event: Event<Card>) -> Result<Arc<Decision>> {
        if let Clock::Simulated(clock) = &self.clock {
            let ahead = event.occurred_at.micros() - self.clock.now().micros();
            clock.advance_us(u64::try_from(ahead).unwrap_or(0));
        }
        let request = Request {
            caller: self.caller.clone(),
            event,
            idempotency: None,
            beside: Vec::new(),
            ground: None,
            received_us: self.clock.monotonic_us(),
        };
        match self.engine.decide(request).await.map_err(bug)? {
            Decided::New(decision) | Decided::Repeated(decision) => Ok(decision),
        }
    }
}

fn bug(error: impl Display) -> Failure {
    Failure::environment(error, "report this as a bug")
}
