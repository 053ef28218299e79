//! Taking a step: windows first, then the journal, then one pointer.
//!
//! Whatever fails before the journal has the step leaves everything as it was, but for windows
//! that are kept and not read. After it the step stands: a process that dies between the two comes
//! back with what the journal says.

use super::{
    approval::RuleRelease,
    desk::Floor,
    ledger::{Ledger, Standing, StepDetail},
    running::Union,
    state::Action,
    trial::{Tally, TrialReport},
    view::Progress,
};
use crate::{Engine, Error, working::retire};
use paywarden_access::approval::{self, Approved, Who};
use paywarden_domain::TenantId;
use paywarden_store::{Entry, Purpose, Row, RuleSetStepRow};
use std::sync::Arc;

/// The most traces read at a time.
const TRACE_ROWS: u32 = 10_000;

/// A step about to be taken.
#[derive(Debug)]
pub(super) struct Step {
    action: Action,
    version: String,
    share_bp: Option<u16>,
    back_test: Option<String>,
    /// What lets the version decide payments; none for steps that decide nothing.
    approved: Option<Approved<RuleRelease>>,
}

/// What one entry of the journal writes.
#[derive(Debug, Default)]
pub(super) struct Writing {
    pub(super) steps: Vec<RuleSetStepRow>,
    pub(super) rows: Vec<Row>,
    pub(super) approved: Option<Approved<RuleRelease>>,
}

impl Step {
    /// A version goes where it decides payments.
    pub(super) fn deciding(approved: Approved<RuleRelease>) -> Self {
        let release = approved.command();
        Self {
            share_bp: release.share_bp,
            ..Self::plain(release.action(), &release.version)
        }
        .allowed_by(approved)
    }

    fn allowed_by(self, approved: Approved<RuleRelease>) -> Self {
        let approved = Some(approved);
        Self { approved, ..self }
    }

    /// A version is written down.
    pub(super) fn draft(version: &str) -> Self {
        Self::plain(Action::Draft, version)
    }

    /// A version's examples hold.
    pub(super) fn check(version: &str) -> Self {
        Self::plain(Action::Check, version)
    }

    /// A version goes on trial.
    pub(super) fn shadow(version: &str) -> Self {
        Self::plain(Action::Shadow, version)
    }

    /// A version is given up.
    pub(super) fn archive(version: &str) -> Self {
        Self::plain(Action::Archive, version)
    }

    /// The live version is taken back.
    pub(super) fn roll_back(version: &str) -> Self {
        Self::plain(Action::RollBack, version)
    }

    /// A version was tried on the past.
    pub(super) fn back_test(version: &str, report: String) -> Self {
        Self {
            back_test: Some(report),
            ..Self::plain(Action::BackTest, version)
        }
    }

    fn approval(&self) -> Option<&str> {
        self.approved.as_ref()?.approval()
    }

    pub(super) fn action(&self) -> Action {
        self.action
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    fn plain(action: Action, version: &str) -> Self {
        Self {
            action,
            version: version.to_owned(),
            share_bp: None,
            back_test: None,
            approved: None,
        }
    }

    /// Whether other sets are at work afterwards.
    fn changes_lineup(&self) -> bool {
        !matches!(
            self.action,
            Action::Draft | Action::Check | Action::BackTest
        )
    }
}

impl Writing {
    pub(super) fn of(step: RuleSetStepRow) -> Self {
        Self {
            steps: vec![step],
            ..Self::default()
        }
    }
}

impl Engine {
    /// Takes a step in the tenant's turn.
    pub(super) async fn take(&self, who: &Who, mut step: Step, purpose: &str) -> Result<(), Error> {
        let tenant = &who.tenant;
        let before = self.desk.ledger(tenant);
        before.check(step.action, &step.version)?;
        if !step.changes_lineup() {
            let row = self.row(who, &before, &step, purpose, StepDetail::default())?;
            return self.append(who, &before, Writing::of(row)).await;
        }
        let mut floor = self.desk.floor.lock().await;
        let draft = self.row(who, &before, &step, purpose, StepDetail::default())?;
        let mut after = Ledger::clone(&before);
        after.apply(&draft)?;
        let line = self
            .desk
            .shelf
            .line(&floor.lineup, (tenant, &after), Some(&step.version))
            .await?;
        let mut lineup = floor.lineup.clone();
        match line {
            Some(line) => lineup.tenants.insert(tenant.clone(), line),
            None => lineup.tenants.remove(tenant),
        };
        let mut union = floor.lineup.union();
        union.join(&lineup);
        let note = |done, total| {
            let action = step.action;
            let progress = Progress::Preparing {
                action,
                done,
                total,
            };
            self.desk.note(tenant, &step.version, progress);
        };
        self.keep_windows(&mut floor, union, note).await?;
        let detail = self.detail(tenant, &before, &after, &step).await?;
        let row = self.row(who, &before, &step, purpose, detail)?;
        let writing = Writing {
            approved: step.approved.take(),
            ..Writing::of(row)
        };
        if let Err(error) = self.append(who, &before, writing).await {
            self.settle(&mut floor, tenant).await;
            return Err(error);
        }
        floor.lineup = lineup;
        self.begin_trial(&floor, tenant, &before, &step.version);
        self.install(&floor);
        Ok(())
    }

    /// Goes by the journal after a step whose fate is not known, or that another process took.
    async fn settle(&self, floor: &mut Floor, tenant: &TenantId) {
        let settled = async {
            let ledger = self.read_ledger(tenant).await?;
            let line = self
                .desk
                .shelf
                .line(&floor.lineup, (tenant, &ledger), None)
                .await?;
            self.desk.put(tenant, ledger);
            Ok::<_, Error>(line)
        };
        match settled.await {
            Ok(Some(line)) => drop(floor.lineup.tenants.insert(tenant.clone(), line)),
            Ok(None) => drop(floor.lineup.tenants.remove(tenant)),
            Err(error) => return tracing::error!(%tenant, %error, "steps not read again"),
        }
        self.install(floor);
    }

    /// Makes what runs that which the floor says. One pointer is swapped; the old lineup is freed
    /// by a thread of its own when the last decision has let go of it, never by a decision.
    pub(crate) fn install(&self, floor: &Floor) {
        let old = self.running.swap(Arc::new(floor.running()));
        tokio::task::spawn_blocking(move || retire(old));
    }

    /// Keeps the windows of a union, and moves what runs onto the new plan.
    pub(crate) async fn keep_windows(
        &self,
        floor: &mut Floor,
        union: Union,
        note: impl Fn(u64, u64),
    ) -> Result<(), Error> {
        if floor.union.covers(&union) {
            return Ok(());
        }
        floor.plan = match union.reach() > floor.union.reach() {
            true => self.back_fill(&union.windows, note).await?,
            false => self.prepare(&union.windows).await?,
        };
        floor.union = union;
        self.install(floor);
        Ok(())
    }

    /// What the journal keeps with the step: where a trial begins, what one that ends has found.
    async fn detail(
        &self,
        tenant: &TenantId,
        before: &Ledger,
        after: &Ledger,
        step: &Step,
    ) -> Result<StepDetail, Error> {
        let was = before.standing(&step.version)?;
        let is = after.standing(&step.version)?;
        let next = i64::try_from(self.features.stats().next_event_no).unwrap_or(i64::MAX);
        let trial = match was.on_trial() && !is.on_trial() {
            true => self.trial_report(tenant, was, &step.version).await?,
            false => None,
        };
        Ok(StepDetail {
            after_event_no: (is.on_trial() && !was.on_trial()).then_some(next - 1),
            trial,
            ..StepDetail::default()
        })
    }

    /// What the trial of a version has found so far; none if it is not at work on trial.
    pub(super) async fn trial_report(
        &self,
        tenant: &TenantId,
        standing: &Standing,
        version: &str,
    ) -> Result<Option<TrialReport>, Error> {
        let set = self.running.load().find(tenant, version);
        let Some(set) = set.filter(|_| standing.on_trial()) else {
            return Ok(None);
        };
        let before = || self.count_traces(tenant, version, standing.trial_after);
        let mut tally = set.trial_before.get_or_try_init(before).await?.clone();
        tally.add(&set.trial.tally());
        Ok(Some(tally.report(&set, standing.trial_since)))
    }

    /// Counts the traces of earlier processes again.
    async fn count_traces(
        &self,
        tenant: &TenantId,
        version: &str,
        after: i64,
    ) -> Result<Tally, Error> {
        let (mut tally, mut after) = (Tally::default(), after);
        let until = self.desk.started_after;
        loop {
            let rows = self.database.traces(tenant, after, until, TRACE_ROWS);
            let rows = rows.await?;
            let Some(last) = rows.last() else {
                return Ok(tally);
            };
            after = last.event_no;
            for row in &rows {
                tally.count(row, version)?;
            }
        }
    }

    /// A trial that begins now has no earlier counts.
    fn begin_trial(&self, floor: &Floor, tenant: &TenantId, before: &Ledger, version: &str) {
        let began = before
            .standing(version)
            .is_ok_and(|standing| !standing.on_trial());
        if began && let Some(set) = floor.lineup.find(tenant, version) {
            // Set already if it has been counted: then nothing was there to count.
            let _ = set.trial_before.set(Tally::default());
        }
    }

    pub(super) fn row(
        &self,
        who: &Who,
        ledger: &Ledger,
        step: &Step,
        purpose: &str,
        detail: StepDetail,
    ) -> Result<RuleSetStepRow, Error> {
        let detail = StepDetail {
            share_bp: step.share_bp,
            back_test: step.back_test.clone(),
            approval: step.approval().map(ToOwned::to_owned),
            ..detail
        };
        let detail = serde_json::to_string(&detail);
        Ok(RuleSetStepRow {
            tenant: who.tenant.clone(),
            step_no: ledger.next_step(),
            version: step.version.clone(),
            action: step.action.name().to_owned(),
            actor: who.actor.to_string(),
            purpose: purpose.to_owned(),
            taken_at: self.clock.now(),
            detail: detail.map_err(|error| Error::RecordDamaged(error.to_string()))?,
        })
    }

    /// Writes steps as one entry, with the rows that belong to them, and adds them to the ledger.
    /// A step that needs approval uses it up in the same entry. Another process that was faster is
    /// a refusal: look again.
    pub(super) async fn append(
        &self,
        who: &Who,
        before: &Ledger,
        writing: Writing,
    ) -> Result<(), Error> {
        let Writing {
            steps,
            mut rows,
            approved,
        } = writing;
        let mut after = before.clone();
        for step in &steps {
            after.apply(step)?;
        }
        let Some(last) = steps.last() else {
            return Ok(());
        };
        let action = Action::parse(&last.action).map_or("rule_set", Action::trail_name);
        let object = last.version.clone();
        rows.extend(steps.into_iter().map(Row::RuleSetStep));
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            // What whoever steps gave as the reason is in the step.
            purpose: Purpose::from("release of rules"),
            action,
            object,
            rows,
        };
        let written = match approved {
            Some(approved) => approved.carry_out(|_| entry).await.map(drop),
            None => self
                .journal
                .append(entry)
                .await
                .map(drop)
                .map_err(Into::into),
        };
        written.map_err(|error| match error {
            approval::Error::Store(paywarden_store::Error::Conflict { .. }) => Error::RuleSetBusy,
            other => other.into(),
        })?;
        self.desk.put(&who.tenant, after);
        Ok(())
    }
}
