//! The one way in: an event goes in, a durable verdict comes out.

use crate::{
    Error, StartError,
    config::EngineConfig,
    facts,
    identify::{EntityHasher, Keys},
    label::LabelProgress,
    list::Lists,
    record::{self, Recorder},
    recovery, verdict,
    working::{RuleFigures, Working},
};
use arc_swap::ArcSwap;
use paywarden_crypto::keyring::Keyring;
use paywarden_domain::{
    Card, Decision, DecisionId, Event, Outcome, TenantId,
    decision::{CardSummary, Deadline},
};
use paywarden_features::{FeatureEvent, FeatureStore, Plan, Stats, Ticket, Value};
use paywarden_rules::{Pack, RuleSet, Severity, Slots};
use paywarden_store::{Actor, Appended, Clock, Database, Entry, Journal, Purpose, Row, RuleSetRow};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The tenant that owns what belongs to the installation itself.
const INSTALLATION: &str = "installation";
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

/// What the metrics page shows of the engine.
#[derive(Debug, Clone)]
pub struct Figures {
    /// State of the windows.
    pub windows: Stats,
    /// Entries that wait for the journal.
    pub journal_queued: usize,
    /// Payments evaluated since the rules were published.
    pub payments: u64,
    /// Rules that the index could not rule out for them.
    pub candidates: u64,
    /// Counters of each rule.
    pub rules: Vec<RuleFigures>,
    /// Version of the live rules.
    pub rule_set: String,
}

/// A rule set with the windows it reads; swapped as one.
pub(crate) struct Published {
    pub(crate) rules: RuleSet,
    plan: Arc<Plan>,
    working: Working,
}

/// Both engines, the windows, the lists and the way to the journal.
pub struct Engine {
    config: EngineConfig,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    journal: Journal,
    pub(crate) features: FeatureStore,
    pub(crate) lists: Lists,
    published: ArcSwap<Published>,
    pub(crate) hasher: EntityHasher,
    recorder: Recorder,
    pub(crate) labels: LabelProgress,
    decided: AtomicU64,
    pub(crate) snapshot_file: recovery::SnapshotFile,
}

impl Engine {
    /// Publishes the packs, loads the lists and rebuilds the windows from snapshot and journal.
    pub async fn start(
        config: EngineConfig,
        database: Database,
        journal: Journal,
        clock: Clock,
        keyring: &Keyring,
        packs: Vec<Pack>,
    ) -> Result<Self, StartError> {
        let rules = compile(&config, &packs)?;
        let (features, plan, restored) =
            recovery::restore(&config, &database, rules.windows()).await?;
        let published = Published {
            working: Working::new(rules.clone()),
            rules,
            plan,
        };
        let engine = Self {
            hasher: EntityHasher::new(&*keyring.derive("entity keys")?),
            recorder: Recorder::new(keyring)?,
            config,
            clock,
            database,
            journal,
            features,
            lists: Lists::default(),
            published: ArcSwap::from_pointee(published),
            labels: LabelProgress::default(),
            decided: AtomicU64::new(0),
            snapshot_file: recovery::SnapshotFile::default(),
        };
        engine.keep_rule_set(&packs).await?;
        engine.load_lists().await?;
        recovery::replay(&engine, restored).await?;
        Ok(engine)
    }

    /// Decides one event. The answer is durable.
    ///
    /// Poll it to the end: an abandoned call leaves its decision in the journal all the same, but
    /// nobody learns of it. Errors: [`Error`]; after any of them the call may be repeated with the
    /// same idempotency key.
    pub async fn decide(&self, request: Request) -> Result<Decided, Error> {
        self.check_time(&request.event)?;
        let (decision, feature, ticket) = self.judge(&request);
        let event_no = ticket.event_no();
        let mut pending = Pending {
            engine: self,
            ticket: Some(ticket),
            outcome: decision.outcome,
        };
        let row = match self
            .recorder
            .row(&request, &decision, event_no, feature.encode())
        {
            Ok(row) => row,
            Err(error) => {
                pending.abort();
                return Err(error);
            }
        };
        let entry = Entry {
            tenant: request.caller.tenant.clone(),
            actor: Actor::Key(request.caller.key_id.clone()),
            purpose: Purpose::from("payment decision"),
            action: "decision.create",
            object: decision.id.to_string(),
            rows: vec![Row::Decision(Box::new(row))],
        };
        match self.journal.append(entry).await {
            Ok(Appended::Written { .. }) => {
                pending.commit();
                self.decided.fetch_add(1, Ordering::Relaxed);
                Ok(Decided::New(Arc::new(decision)))
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

    /// State and counters for the metrics page.
    pub fn figures(&self) -> Figures {
        let published = self.published.load();
        let (payments, candidates) = published.working.looked_at();
        Figures {
            windows: self.features.stats(),
            journal_queued: self.journal.queued(),
            payments,
            candidates,
            rules: published.working.figures(),
            rule_set: published.rules.version().to_owned(),
        }
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

    /// Builds the index of the rules anew for the payments that come, if enough were seen. Call it
    /// now and then from a task that may block.
    pub fn refresh_index(&self) -> bool {
        self.published.load().working.refresh()
    }

    pub(crate) fn published(&self) -> arc_swap::Guard<Arc<Published>> {
        self.published.load()
    }

    /// Writes one row of the caller's own, with its trail leaf.
    pub(crate) async fn write(
        &self,
        caller: &Caller,
        action: &'static str,
        object: &str,
        purpose: &str,
        row: Row,
    ) -> Result<Appended, Error> {
        let entry = Entry {
            tenant: caller.tenant.clone(),
            actor: Actor::Key(caller.key_id.clone()),
            purpose: Purpose::from(purpose.to_owned()),
            action,
            object: object.to_owned(),
            rows: vec![row],
        };
        Ok(self.journal.append(entry).await?)
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

    /// Reserves the windows, evaluates the rules and forms the verdict.
    fn judge(&self, request: &Request) -> (Decision, FeatureEvent, Ticket) {
        let Request {
            caller,
            event,
            received_us,
            ..
        } = request;
        let published = self.published.load();
        let rules = &published.rules;
        let keys = Keys::of(event);
        let feature = self
            .hasher
            .feature_event(&caller.tenant, event, &keys, rules.rates());
        let mut windows: Vec<Value> = Vec::with_capacity(rules.windows().len());
        let ticket = self
            .features
            .reserve_for(&published.plan, &feature, &mut windows);

        let mut slots = Slots::new();
        facts::fill(&mut slots, event, &keys, rules.rates());
        let now = self.clock.now();
        let listed = self.probe(&caller.tenant, rules, &slots, now);
        slots.windows = &windows;
        slots.lists = &listed;
        let budget_us = u64::from(self.config.deadline_ms) * 1000;
        let used_us = || self.clock.monotonic_us().saturating_sub(*received_us);
        let in_time = || used_us() < budget_us;
        let hits = published.working.evaluate(&slots, in_time);

        let verdict = verdict::decide(rules, &hits, &slots, event, &self.config.bands);
        let decision = Decision {
            id: DecisionId::new(now, self.clock.random()),
            payment_id: event.id.clone(),
            kind: event.kind,
            occurred_at: event.occurred_at,
            decided_at: now,
            amount: event.amount,
            outcome: verdict.outcome,
            challenge: verdict.challenge,
            hold_minutes: verdict.hold_minutes,
            fraud: verdict.fraud,
            laundering: verdict.laundering,
            reasons: verdict.reasons,
            warnings: verdict.warnings,
            rule_set: rules.version().to_owned(),
            deadline: Deadline {
                budget_ms: self.config.deadline_ms,
                used_us: u32::try_from(used_us()).unwrap_or(u32::MAX),
                partial: !hits.skipped.is_empty(),
                skipped_rules: u32::try_from(hits.skipped.len()).unwrap_or(u32::MAX),
            },
            card: event.card.as_ref().map(summary),
        };
        (decision, feature, ticket)
    }

    /// Whether each probed text is on its list; unknown where it is missing.
    fn probe(
        &self,
        tenant: &TenantId,
        rules: &RuleSet,
        slots: &Slots<'_>,
        now: paywarden_domain::Timestamp,
    ) -> Vec<Option<bool>> {
        let listed = |probe: &paywarden_rules::ListProbe| {
            let value = probe.value(slots)?;
            Some(self.lists.contains(tenant, &probe.list, &value, now))
        };
        rules.probes().iter().map(listed).collect()
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

    /// Keeps the source of the live rules, so that every decision can be explained for good.
    async fn keep_rule_set(&self, packs: &[Pack]) -> Result<(), Error> {
        let tenant = TenantId::parse(INSTALLATION)
            .map_err(|invalid| Error::RecordDamaged(invalid.to_string()))?;
        let version = self.published.load().rules.version().to_owned();
        if self.database.rule_set(&tenant, &version).await?.is_some() {
            return Ok(());
        }
        let row = Row::RuleSet(RuleSetRow {
            tenant: tenant.clone(),
            version: version.clone(),
            source: paywarden_rules::canonical_source(packs),
            created_at: self.clock.now(),
        });
        let entry = Entry {
            tenant,
            actor: Actor::System("start"),
            purpose: Purpose::from("publish rules"),
            action: "rule_set.publish",
            object: version,
            rows: vec![row],
        };
        self.journal.append(entry).await?;
        Ok(())
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

fn compile(config: &EngineConfig, packs: &[Pack]) -> Result<RuleSet, StartError> {
    let version = record::version(&paywarden_rules::canonical_source(packs));
    let rules = paywarden_rules::compile(packs, &config.rates, &version)
        .map_err(|diagnostics| StartError::Rules(render(&diagnostics)))?;
    let (errors, warnings): (Vec<_>, Vec<_>) = paywarden_rules::analyse(&rules)
        .into_iter()
        .partition(|problem| problem.code.severity() == Severity::Error);
    if !errors.is_empty() {
        return Err(StartError::Rules(render(&errors)));
    }
    if !warnings.is_empty() {
        tracing::info!(warnings = warnings.len(), "rules that are worth a look");
    }
    Ok(rules)
}

fn render(diagnostics: &[paywarden_rules::Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(paywarden_rules::Diagnostic::render)
        .collect::<Vec<_>>()
        .join("\n")
}

fn summary(card: &Card) -> CardSummary {
    CardSummary {
        index: card.index.to_string(),
        bin: card.bin.as_ref().map(ToString::to_string),
        last_four: card.last_four.as_ref().map(ToString::to_string),
    }
}
