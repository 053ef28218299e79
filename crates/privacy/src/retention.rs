//! Retention: what is kept of persons ends when its time has come.
//!
//! ```text
//! schedule   when a value ends: rows of the privacy policy, floors of the law
//! timetable  when runs begin by themselves
//! run        a run as it is kept: versions of one record
//! walk       the job: person by person
//! ```
//!
//! *Invariant*: nothing ends that was not counted. A run that ends something names a run that has
//! counted it by the policy in force, and takes over its moment. What it ends and how far it has
//! come are one entry of the journal, so that it goes on exactly where it stopped, wherever the
//! process ended.

mod run;
mod schedule;
mod timetable;
mod walk;

pub(crate) use run::Runs;
pub use run::{Line, Run, RunState, Step};
pub use schedule::Fate;
pub(crate) use schedule::{Keep, broken};
pub(crate) use timetable::Timetable;

use crate::{By, Error, Vault, token::encode, vault::check_purpose};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{Entry, Purpose, RecordRow, Row};
use run::{Control, Held};
use std::{sync::Arc, time::Duration};
use tokio::{sync::OwnedMutexGuard, time::timeout};

/// What kind of record a run is.
const RUN: &str = "retention_run";
/// A count is good for so long, in microseconds.
const COUNT_LIFE_US: i64 = 7 * DAY;
/// The most persons that a run looks at in a second.
const PACE_MAX: u32 = 100_000;
/// How long whoever holds a run waits for the person that it is at.
const HALT_WAIT: Duration = Duration::from_secs(5);

/// What a run is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The run that counted what this one ends; none for one that counts.
    pub counted: Option<String>,
    /// How many persons it looks at in a second, 1 to 100,000.
    pub persons_per_second: u32,
}

impl Vault {
    /// Begins a run: one that counts, or one that ends what another has counted. A company has one
    /// open at a time.
    pub async fn begin_retention(self: &Arc<Self>, by: &By, order: &Order) -> Result<Run, Error> {
        self.begin_run(by, order, false).await
    }

    async fn begin_run(
        self: &Arc<Self>,
        by: &By,
        order: &Order,
        is_timed: bool,
    ) -> Result<Run, Error> {
        check_purpose(by)?;
        if !(1..=PACE_MAX).contains(&order.persons_per_second) {
            return Err(Error::Request("persons_per_second is 1 to 100,000"));
        }
        let id = self.fresh_in_time("ret");
        let control = Arc::new(Control::new(&id));
        let guard = Arc::clone(&control.over).lock_owned().await;
        // From here on nobody stops the count.
        self.runs.open(&by.tenant, control)?;
        match self.written_run(by, (id, order), is_timed).await {
            Ok(held) => {
                let run = held.run.clone();
                self.go_on(&by.tenant, held, guard);
                Ok(run)
            }
            Err(error) => {
                self.runs.close(&by.tenant);
                Err(error)
            }
        }
    }

    /// The first version of a run.
    async fn written_run(
        &self,
        by: &By,
        (id, order): (String, &Order),
        is_timed: bool,
    ) -> Result<Held, Error> {
        let now = self.clock.now();
        let policy = self.desk.in_force(&by.tenant).number();
        let as_of = match &order.counted {
            None => now,
            Some(count) => self.counted(&by.tenant, count, policy).await?,
        };
        let mut run = Run::new(id, (policy, as_of, now), order);
        run.is_timed = is_timed;
        let mut held = Held { run, version: 0 };
        self.write_run(by, &mut held, "retention.begin").await?;
        Ok(held)
    }

    /// Holds a run, lets it go on or ends it for good. When it returns, nothing is being ended any
    /// more, or is again. A count that is done may be stopped too: nothing ends by it then.
    pub async fn step_retention(
        self: &Arc<Self>,
        by: &By,
        id: &str,
        step: Step,
    ) -> Result<Run, Error> {
        check_purpose(by)?;
        let Some(control) = self.runs.of(&by.tenant, id) else {
            return self.stop_count(by, id, step).await;
        };
        let lock = Arc::clone(&control.over).lock_owned();
        control.halt(true);
        let guard = timeout(HALT_WAIT, lock)
            .await
            .map_err(|_| Error::Overloaded);
        control.halt(false);
        let guard = guard?;
        let mut held = self.held_run(&by.tenant, id).await?;
        let before = held.run.state;
        let stepped = match before.after(step) {
            None => Err(Error::RetentionState(before.name())),
            Some(state) => {
                held.run.state = state;
                held.run.ended_at = (state == RunState::Stopped).then(|| self.clock.now());
                self.write_run(by, &mut held, step.action()).await
            }
        };
        // What was not written has not happened.
        let state = stepped.as_ref().map_or(before, |()| held.run.state);
        let run = held.run.clone();
        match state {
            RunState::Running => self.go_on(&by.tenant, held, guard),
            RunState::Paused => drop(guard),
            RunState::Done | RunState::Stopped => self.runs.close(&by.tenant),
        }
        stepped.map(|()| run)
    }

    /// Ends a count that is done. It takes the place of an open run meanwhile, so that none begins
    /// that goes by it.
    async fn stop_count(&self, by: &By, id: &str, step: Step) -> Result<Run, Error> {
        self.runs.open(&by.tenant, Arc::new(Control::new(id)))?;
        let stopped = async {
            let mut held = self.held_run(&by.tenant, id).await?;
            let before = held.run.state;
            let is_good = held.run.is_count() && before == RunState::Done;
            if !is_good || step != Step::Stop {
                return Err(Error::RetentionState(before.name()));
            }
            held.run.state = RunState::Stopped;
            self.write_run(by, &mut held, step.action()).await?;
            Ok(held.run)
        };
        let stopped = stopped.await;
        self.runs.close(&by.tenant);
        stopped
    }

    /// A run of a company.
    pub async fn retention_run(&self, tenant: &TenantId, id: &str) -> Result<Run, Error> {
        Ok(self.held_run(tenant, id).await?.run)
    }

    /// Runs of a company before this one, newest first, at most `limit` of 1 to 100.
    pub async fn retention_runs(
        &self,
        tenant: &TenantId,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Run>, Error> {
        let database = self.reader.database();
        // Behind every identifier.
        let before = before.unwrap_or("s");
        let rows = database.records_of(tenant, RUN, before, limit.clamp(1, 100));
        let rows = rows.await?;
        let runs = rows.iter().map(|row| Held::read(row).map(|held| held.run));
        runs.collect()
    }

    /// Lets runs go on that are open and that nobody works on: after a restart, or where the store
    /// did not answer. Call it now and then.
    pub async fn tend_retention(self: &Arc<Self>) -> Result<(), Error> {
        for (tenant, control) in self.runs.all() {
            let Ok(guard) = Arc::clone(&control.over).try_lock_owned() else {
                continue;
            };
            let held = self.held_run(&tenant, &control.id).await?;
            match held.run.state {
                RunState::Running => self.go_on(&tenant, held, guard),
                RunState::Paused => {}
                RunState::Done | RunState::Stopped => self.runs.close(&tenant),
            }
        }
        Ok(())
    }

    /// The moment of a count that may be acted upon.
    async fn counted(&self, tenant: &TenantId, id: &str, policy: i64) -> Result<Timestamp, Error> {
        let run = self.held_run(tenant, id).await?.run;
        let age = self.clock.now().micros() - run.as_of.micros();
        let is_good = run.is_count() && run.state == RunState::Done;
        match is_good && run.policy == policy && age <= COUNT_LIFE_US {
            true => Ok(run.as_of),
            false => Err(Error::RetentionNotCounted),
        }
    }

    async fn held_run(&self, tenant: &TenantId, id: &str) -> Result<Held, Error> {
        let row = self.reader.database().record(RUN, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        Held::read(&row.ok_or(Error::RetentionUnknown)?)
    }

    /// Lets the job run until it is done or told to halt; whoever holds the guard holds the run.
    fn go_on(self: &Arc<Self>, tenant: &TenantId, mut held: Held, guard: OwnedMutexGuard<()>) {
        let (vault, tenant) = (Arc::clone(self), tenant.clone());
        tokio::spawn(async move {
            let _guard = guard;
            let id = held.run.id.clone();
            match vault.walk(&tenant, &mut held).await {
                Ok(()) => tracing::info!(%tenant, id, state = held.run.state.name(), "retention"),
                // It is taken up again when the store answers.
                Err(error) => tracing::error!(%tenant, id, %error, "retention run broke off"),
            }
        });
    }

    /// Writes how a run stands, by somebody.
    async fn write_run(&self, by: &By, held: &mut Held, action: &'static str) -> Result<(), Error> {
        let row = held.next(&by.tenant, self.clock.now())?;
        let entry = Self::entry(by, action, held.run.id.clone(), vec![Row::Record(row)]);
        self.journal.append(entry).await?;
        held.version += 1;
        Ok(())
    }

    /// A name whose order is that of time.
    pub(crate) fn fresh_in_time(&self, prefix: &str) -> String {
        let mut name = [0; 16];
        let (time, rest) = name.split_at_mut(8);
        time.copy_from_slice(&self.clock.now().micros().to_be_bytes());
        rest.copy_from_slice(&self.clock.random::<8>());
        format!("{prefix}_{}", encode(u128::from_be_bytes(name)))
    }
}

/// An entry of the job itself.
fn job_entry(
    tenant: &TenantId,
    (action, object): (&'static str, String),
    purpose: String,
    rows: Vec<Row>,
) -> Entry {
    Entry {
        tenant: tenant.clone(),
        actor: paywarden_store::Actor::System("retention"),
        purpose: Purpose::composed(purpose),
        action,
        object,
        rows,
    }
}

impl Held {
    /// The record of the next version.
    fn next(&self, tenant: &TenantId, now: Timestamp) -> Result<RecordRow, Error> {
        Ok(RecordRow {
            tenant: tenant.clone(),
            kind: RUN.to_owned(),
            id: self.run.id.clone(),
            version: self.version + 1,
            written_at: now,
            body: serde_json::to_vec(&self.run).map_err(|_| Error::Damaged)?,
        })
    }

    fn read(row: &RecordRow) -> Result<Self, Error> {
        let run = serde_json::from_slice(&row.body).map_err(|_| Error::Damaged)?;
        let version = row.version;
        Ok(Self { run, version })
    }
}
