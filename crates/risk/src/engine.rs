//! The one way in: an event goes in, a durable verdict comes out.

use crate::{
    Error, StartError,
    backtest::{Jobs, Source, recent::Recent},
    config::EngineConfig,
    identify::EntityHasher,
    label::LabelProgress,
    list::Lists,
    model::{ModelDesk, Signer},
    rating::{RatingPolicy, Ratings},
    record::{self, Recorder},
    recovery,
    release::{self, Desk, PackFile, Running},
    screening::Screening,
    statistics::Counted,
    travel::Jurisdictions,
};
use arc_swap::ArcSwap;
use paywarden_access::approval::Who;
use paywarden_crypto::keyring::{Keyring, PreparedIndex};
use paywarden_domain::{Card, Decision, Event, Outcome, TenantId};
use paywarden_features::{FeatureStore, Ticket};
use paywarden_store::{Actor, Appended, Clock, Database, Entry, Journal, Purpose, Row};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const RESOLVE_TRIES: u32 = 300;
const RESOLVE_PAUSE: Duration = Duration::from_millis(200);

/// Who calls: the tenant and key that the signature proved.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The company whose key signed.
    pub tenant: TenantId,
    /// The key that signed.
    pub key_id: String,
}

impl Caller {
    /// The same as somebody who acts.
    pub fn who(&self) -> Who {
        Who {
            tenant: self.tenant.clone(),
            actor: Actor::Key(self.key_id.clone()),
        }
    }
}

/// What makes a repeated call the same call.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// Digest over method, path and body.
    pub fingerprint: [u8; 32],
}

/// One event to decide on.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// What happened.
    pub event: Event<Card>,
    /// What makes a repetition the same call.
    pub idempotency: Option<Idempotency>,
    /// What becomes durable together with the decision: the card as it was sealed.
    pub beside: Vec<Row>,
    /// On what ground personal data is handled for it: stands in the leaf.
    pub ground: Option<String>,
    /// `Clock::monotonic_us` when the request arrived: the deadline counts from there.
    pub received_us: u64,
}

/// A durable decision.
#[derive(Debug, Clone)]
pub enum Decided {
    /// Decided now.
    New(Arc<Decision>),
    /// Decided by an earlier call with the same idempotency key and body.
    Repeated(Arc<Decision>),
}

/// Both engines, the windows, the lists and the way to the journal.
pub struct Engine {
    pub(crate) config: EngineConfig,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) journal: Journal,
    pub(crate) features: FeatureStore,
    pub(crate) lists: Lists,
    pub(crate) screening: Screening,
    pub(crate) models: ModelDesk,
    pub(crate) ratings: Ratings,
    /// Makes pseudonyms of parties.
    pub(crate) screening_parties: PreparedIndex,
    /// What decides now.
    pub(crate) running: ArcSwap<Running>,
    /// What the versions of the tenants have been through.
    pub(crate) desk: Desk,
    pub(crate) hasher: EntityHasher,
    pub(crate) recorder: Recorder,
    pub(crate) labels: LabelProgress,
    pub(crate) snapshot_file: recovery::SnapshotFile,
    /// The journal as back-tests read it.
    pub(crate) source: Source,
    pub(crate) backtests: Jobs,
    /// The last payments, for conditions that are being written.
    pub(crate) recent: Recent,
    /// What was decided lately, in numbers.
    pub(crate) counted: Counted,
    pub(crate) decided: AtomicU64,
}

impl Engine {
    /// Compiles the library and the versions that the tenants have published, loads the lists of both kinds and
    /// rebuilds the windows from snapshot and journal.
    pub async fn start(
        config: EngineConfig,
        database: Database,
        journal: Journal,
        clock: Clock,
        keyring: &Keyring,
        library: Vec<PackFile>,
    ) -> Result<Self, StartError> {
        let signer = Signer::new(keyring)?;
        let policy = config
            .ratings
            .clone()
            .map_or_else(RatingPolicy::shipped, Ok)?;
        let opened = release::open(&config, &database, (library, &signer)).await?;
        release::record_base(&database, &journal, &opened.base, clock.now()).await?;
        let engine = Self {
            hasher: EntityHasher::new(&*keyring.derive("entity keys")?),
            recorder: Recorder::new(keyring)?,
            source: Source::new(database.clone(), keyring)?,
            backtests: Jobs::default(),
            recent: Recent::new(config.recent),
            counted: Counted::default(),
            config,
            clock,
            database,
            journal,
            features: opened.features,
            lists: Lists::default(),
            screening: Screening::new(keyring)?,
            models: ModelDesk::new(signer, opened.stands),
            ratings: Ratings::new(policy, keyring)?,
            screening_parties: keyring.index_for("screening party")?,
            running: ArcSwap::from_pointee(opened.running),
            desk: opened.desk,
            labels: LabelProgress::default(),
            decided: AtomicU64::new(0),
            snapshot_file: recovery::SnapshotFile::default(),
        };
        engine.load_lists().await?;
        engine.load_screening().await?;
        engine.load_ratings().await?;
        recovery::replay(&engine, opened.restored).await?;
        Ok(engine)
    }

    /// Decides one event. The answer is durable.
    ///
    /// Poll it to the end: an abandoned call leaves its decision in the journal all the same, but
    /// nobody learns of it. Errors: [`Error`]; after any of them the call may be repeated with the
    /// same idempotency key.
    pub async fn decide(&self, mut request: Request) -> Result<Decided, Error> {
        self.check_time(&request.event)?;
        let (judged, ticket) = self.judge(&request);
        let (decision, event_no) = (&judged.decision, ticket.event_no());
        let mut pending = Pending {
            engine: self,
            ticket: Some(ticket),
            outcome: decision.outcome,
        };
        let feature = judged.feature.encode();
        let recorded = self
            .recorder
            .row(&request, decision, event_no, feature, &judged.trace);
        let row = match recorded {
            Ok(row) => row,
            Err(error) => {
                pending.abort();
                return Err(error);
            }
        };
        let mut rows = vec![Row::Decision(Arc::new(row))];
        rows.append(&mut request.beside);
        let entry = Entry {
            tenant: request.caller.tenant.clone(),
            actor: Actor::Key(request.caller.key_id.clone()),
            purpose: match request.ground.take() {
                Some(ground) => Purpose::composed(format!("payment decision, {ground}")),
                None => Purpose::from("payment decision"),
            },
            action: "decision.create",
            object: decision.id.to_string(),
            rows,
        };
        match self.journal.append(entry).await {
            Ok(Appended::Written { .. }) => {
                pending.commit();
                self.decided.fetch_add(1, Ordering::Relaxed);
                self.keep_recent(&request, &judged, event_no);
                Ok(Decided::New(Arc::new(judged.decision)))
            }
            Ok(duplicate) => {
                pending.abort();
                self.answer_duplicate(&request, duplicate).await
            }
            Err(error) => {
                let unresolved = matches!(error, paywarden_store::Error::Unresolved { .. });
                if unresolved && self.was_written(&request.caller.tenant, event_no).await {
                    pending.commit();
                } else {
                    pending.abort();
                }
                Err(error.into())
            }
        }
    }

    /// The countries of companies.
    pub fn jurisdictions(&self) -> &Jurisdictions {
        &self.config.jurisdictions
    }

    /// Writes a snapshot of the windows if enough was decided since the last one. Call it now and
    /// then from a task that may block.
    pub fn snapshot_if_due(&self) -> std::io::Result<bool> {
        if self.decided.load(Ordering::Relaxed) < self.config.snapshot_every {
            return Ok(false);
        }
        self.snapshot()
    }

    /// Writes a snapshot of the windows, if the configuration names a place for it.
    pub fn snapshot(&self) -> std::io::Result<bool> {
        let Some(path) = &self.config.snapshot_path else {
            return Ok(false);
        };
        self.decided.store(0, Ordering::Relaxed);
        recovery::write_snapshot(self, path)?;
        Ok(true)
    }

    /// Builds the indexes of the rules at work anew for the payments that come, where enough were
    /// seen. Call it now and then from a task that may block.
    pub fn refresh_index(&self) -> bool {
        let sets = self.running.load().sets();
        sets.iter().filter(|set| set.working.refresh()).count() > 0
    }

    fn check_time(&self, event: &Event<Card>) -> Result<(), Error> {
        let age = self.clock.now().micros() - event.occurred_at.micros();
        if age < -self.config.event_ahead_max {
            return Err(Error::EventInFuture);
        }
        if self.config.event_age_max.is_some_and(|oldest| age > oldest) {
            return Err(Error::EventTooOld);
        }
        Ok(())
    }

    /// Answers a call whose payment or idempotency key the journal already knew.
    async fn answer_duplicate(
        &self,
        request: &Request,
        appended: Appended,
    ) -> Result<Decided, Error> {
        let Appended::Duplicate {
            event_no,
            id,
            fingerprint,
            same_idempotency_key,
        } = appended
        else {
            return Err(Error::RecordDamaged("neither written nor known".to_owned()));
        };
        if !same_idempotency_key {
            return Err(Error::PaymentAlreadyDecided { decision: id });
        }
        if fingerprint != request.idempotency.as_ref().map(|given| given.fingerprint) {
            return Err(Error::IdempotencyKeyReused);
        }
        let row = self
            .database
            .decision_by_event_no(&request.caller.tenant, event_no)
            .await?;
        let row = row.ok_or_else(|| Error::RecordDamaged(format!("event {event_no}")))?;
        Ok(Decided::Repeated(Arc::new(record::decision(&row)?)))
    }

    /// Learns whether a commit whose answer was lost took place.
    async fn was_written(&self, tenant: &TenantId, event_no: u64) -> bool {
        let Ok(event_no) = i64::try_from(event_no) else {
            return false;
        };
        for _ in 0..RESOLVE_TRIES {
            match self.database.decision_by_event_no(tenant, event_no).await {
                Ok(row) => return row.is_some(),
                Err(_) => tokio::time::sleep(RESOLVE_PAUSE).await,
            }
        }
        false
    }
}

/// A reservation that is never forgotten: if the call is abandoned while the journal has the
/// entry, the payment stays counted.
struct Pending<'a> {
    engine: &'a Engine,
    ticket: Option<Ticket>,
    outcome: Outcome,
}

impl Pending<'_> {
    fn commit(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.engine.features.commit(ticket, self.outcome);
        }
    }

    fn abort(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.engine.features.abort(ticket);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.commit();
    }
}
