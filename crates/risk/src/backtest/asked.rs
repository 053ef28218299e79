//! Back-tests and glances as the engine answers them, beside the decisions it makes.

use super::{
    Backtest, BacktestSummary, LABEL_DELAY_DEFAULT, Labelled, Pace, Report, Subject, Task,
    jobs::{Job, lock},
    recent::{self, Glance},
    run::customer,
};
use crate::{Engine, Error, Request, facts, identify::Keys, judge::Judged, model};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_rules::Slots;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// While payments are being decided a back-test rests so many times as long as it works.
const REST_TIMES: u32 = 4;
/// How often it is tried to keep what a back-test found, and how long to wait in between.
const KEEP_TRIES: u32 = 5;
const KEEP_WAIT: Duration = Duration::from_secs(2);

/// A back-test to make of a version.
#[derive(Debug, Clone)]
pub struct Order {
    /// A version to compare with, `live` or `base`; none compares with the outcomes answered.
    pub against: Option<String>,
    /// Events that happened from here on count.
    pub from: Timestamp,
    /// Events that happened before this count.
    pub to: Timestamp,
    /// From which age on a payment without a label counts as genuine, in microseconds.
    pub label_delay: i64,
    /// Why, for the trail.
    pub purpose: String,
}

impl Engine {
    /// Takes a back-test of a version in and starts it as soon as no other runs. When it is done
    /// the version is noted as back-tested.
    ///
    /// It is kept, with what it finds, until others push it out; a restart interrupts it.
    ///
    /// Errors: [`Error::RuleSetUnknown`], [`Error::BacktestLimit`], and those of the store.
    pub async fn start_backtest(
        self: &Arc<Self>,
        who: &Who,
        version: &str,
        order: Order,
    ) -> Result<Backtest, Error> {
        let tenant = &who.tenant;
        let rules = Arc::new(self.rules_of(tenant, version).await?);
        let against = match &order.against {
            Some(version) => Some(Arc::new(self.rules_of(tenant, version).await?)),
            None => None,
        };
        let random: [u8; 12] = self.clock.random();
        let random = random.map(|byte| format!("{byte:02x}")).concat();
        let (id, now) = (format!("bt_{random}"), self.clock.now());
        let job = self.backtests.ask(tenant, id, rules.version(), now)?;
        let asked = lock(&job).clone();
        if let Err(error) = self.journal.keep_backtest(asked.row(tenant)?).await {
            self.backtests.leave(tenant, &asked.id);
            return Err(error.into());
        }
        let task = Task {
            tenant: tenant.clone(),
            rules,
            against,
            from: order.from,
            to: order.to,
            label_delay: order.label_delay,
        };
        let (engine, who) = (Arc::clone(self), who.clone());
        tokio::spawn(async move { engine.run_backtest(job, &who, task, &order.purpose).await });
        Ok(asked)
    }

    /// A back-test that was asked for, of a version, `live` or `base`. Errors:
    /// [`Error::BacktestUnknown`], and those of the store.
    pub async fn backtest(
        &self,
        tenant: &TenantId,
        version: &str,
        id: &str,
    ) -> Result<Backtest, Error> {
        // In this order: what ends meanwhile is in the store before it is gone from here.
        let found = match self.backtests.find(tenant, id) {
            Some(unfinished) => unfinished,
            None => {
                let row = self.database.backtest(tenant, id).await?;
                let row = row.ok_or(Error::BacktestUnknown)?;
                super::blocking(move || Backtest::read(row)).await?.0
            }
        };
        match is_named(version, &found.rule_set) {
            true => Ok(found),
            false => Err(Error::BacktestUnknown),
        }
    }

    /// The back-tests of a version that are kept, the newest first; for `live` or `base` all of the
    /// tenant. Errors: those of the store.
    pub async fn backtests(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<Vec<BacktestSummary>, Error> {
        let mut found = Vec::new();
        for line in self.database.backtests(tenant).await? {
            if !is_named(version, &line.rule_set) {
                continue;
            }
            let running = self.backtests.find(tenant, &line.id);
            let mut summary = BacktestSummary::read(line)?;
            summary.state = running.map_or(summary.state, |job| job.state);
            found.push(summary);
        }
        Ok(found)
    }

    /// What a condition would have done with the last payments of a tenant. Error:
    /// [`Error::ConditionRefused`] with all that is wrong with it, and where.
    pub async fn glance(
        self: &Arc<Self>,
        tenant: &TenantId,
        condition: String,
    ) -> Result<Glance, Error> {
        let (engine, tenant) = (Arc::clone(self), tenant.clone());
        let look = move || {
            let rules = recent::compile(&condition, &engine.config.rates);
            let rules = rules.map_err(Error::ConditionRefused)?;
            let now = engine.clock.now();
            let listed = |list: &str, value: &str| engine.lists.contains(&tenant, list, value, now);
            Ok(engine
                .recent
                .glance(&tenant, &rules, listed, LABEL_DELAY_DEFAULT))
        };
        let (glance, _) = super::blocking(look).await?;
        Ok(glance)
    }

    /// Keeps a durable decision among the last payments.
    pub(crate) fn keep_recent(&self, request: &Request, judged: &Judged, event_no: u64) {
        let Judged {
            decision,
            feature,
            trace,
            set,
        } = judged;
        let keys = Keys::of(&request.event);
        let mut slots = Slots::new();
        facts::fill(&mut slots, &request.event, &keys, &self.config.rates);
        trace.fill(&mut slots);
        slots.windows = &trace.seen.windows;
        let subject = Subject {
            payment_id: decision.payment_id.clone(),
            occurred_at: decision.occurred_at,
            amount_minor: feature.amount.unwrap_or(0),
            labelled: Labelled::Immature,
            customer: customer(feature),
            before: decision.outcome,
            floors: model::floors(&trace.models),
        };
        let tenant = &request.caller.tenant;
        self.recent
            .keep(tenant, &set.rules, &slots, event_no, subject);
    }

    async fn run_backtest(&self, job: Job, who: &Who, task: Task, purpose: &str) {
        let version = task.rules.version().to_owned();
        let ended = self.lived_again(&job, task).await;
        let id = lock(&job).id.clone();
        if ended.is_ok() {
            // Versions of the library have no steps of their own, so there is nothing to note.
            if let Err(error) = self.note_back_test(who, &version, &id, purpose).await {
                tracing::info!(version, %error, "back-test not noted");
            }
        }
        let ended = lock(&job).clone().ended(ended);
        if let Err(error) = self.keep_backtest(&who.tenant, ended).await {
            tracing::warn!(id, %error, "back-test not kept");
        }
        self.backtests.leave(&who.tenant, &id);
    }

    /// Keeps what a back-test found; a store that is busy is asked again.
    async fn keep_backtest(&self, tenant: &TenantId, ended: Backtest) -> Result<(), Error> {
        let owner = tenant.clone();
        let (row, _) = super::blocking(move || ended.row(&owner)).await?;
        let mut tries = 1;
        loop {
            match self.journal.keep_backtest(row.clone()).await {
                Err(error) if tries < KEEP_TRIES => {
                    tracing::info!(%error, tries, "back-test not kept yet");
                    tokio::time::sleep(KEEP_WAIT).await;
                    tries += 1;
                }
                kept => return Ok(kept?),
            }
        }
    }

    /// Lives through the journal; slowly while payments are being decided.
    async fn lived_again(&self, job: &Job, task: Task) -> Result<Report, Error> {
        let _turn = self.backtests.turn().await?;
        let decided = || self.decided.load(Ordering::Relaxed);
        let mut before = decided();
        let pace = || {
            let now = decided();
            let busy = now != std::mem::replace(&mut before, now);
            if busy {
                Pace::Resting(REST_TIMES)
            } else {
                Pace::Full
            }
        };
        let note = |progress| lock(job).note(progress);
        super::run(&self.source, &self.config, task, pace, note).await
    }
}

/// Whether a back-test of `rule_set` is found under `version`: what is live changes, so that under
/// `live` and `base` all are.
fn is_named(version: &str, rule_set: &str) -> bool {
    version == rule_set || ["live", "base"].contains(&version)
}
