//! What a caller can ask of rule sets.

use super::{
    PackFile, Source,
    approval::RuleRelease,
    desk::TURN_WAIT,
    diff::{self, RuleSetDiff},
    ledger::{Ledger, StepDetail},
    publish::{Step, Writing},
    start,
    state::{Action, State},
    view::{self, Drafted, Progress, RuleSetLine, RuleSetPage, RuleSetRecord},
};
use crate::{Engine, Error};
use paywarden_access::approval::{Approved, Who};
use paywarden_domain::TenantId;
use paywarden_rules::RuleSet;
use paywarden_store::{Row, RuleSetRow};
use std::sync::Arc;
use tokio::time::timeout;

const PURPOSE_BYTES_MAX: usize = 256;

/// A draft to write down.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Packs, whole; with `from` only those that are new or other there.
    pub packs: Vec<PackFile>,
    /// A version to start from: one of the tenant's, `live` or `base`; none starts empty.
    pub from: Option<String>,
    /// Packs of that version to leave out, by their identifiers.
    pub without: Vec<String>,
    /// Why, for the trail.
    pub purpose: String,
}

/// A step that lets nothing decide payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Evaluate it beside the live version.
    Shadow,
    /// Give it up.
    Archive,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Moved {
    /// The step is taken.
    Done(RuleSetLine),
    /// Windows are being filled first; the step follows by itself.
    Preparing(Progress),
}

impl Engine {
    /// Compiles a draft, runs its examples and writes it down.
    ///
    /// A draft that does not compile, or whose examples do not hold, is
    /// [`Error::RulesRefused`] and leaves no trace.
    pub async fn draft_rule_set(&self, who: &Who, draft: Draft) -> Result<Drafted, Error> {
        check_purpose(&draft.purpose)?;
        let source = self.amended(&who.tenant, &draft).await?;
        let (source, version, found) = self
            .desk
            .shelf
            .compile(move |rates| {
                let (rules, found) = source.check(rates)?;
                Ok((source, rules.version().to_owned(), found))
            })
            .await?;
        let _turn = self.desk.turn(&who.tenant).await?;
        let before = self.desk.ledger(&who.tenant);
        if let Ok(standing) = before.standing(&version) {
            let line = RuleSetLine::of(&version, standing);
            return Ok(Drafted::new(line, false, &found));
        }
        before.check(Action::Draft, &version)?;
        self.write_draft(who, &before, &version, (&source, &draft.purpose))
            .await?;
        let ledger = self.desk.ledger(&who.tenant);
        let line = RuleSetLine::of(&version, ledger.standing(&version)?);
        Ok(Drafted::new(line, true, &found))
    }

    /// Takes a step of a version. It goes on if nobody waits for it.
    pub async fn move_rule_set(
        self: &Arc<Self>,
        who: &Who,
        version: &str,
        order: Order,
        purpose: &str,
    ) -> Result<Moved, Error> {
        let step = match order {
            Order::Shadow => Step::shadow(version),
            Order::Archive => Step::archive(version),
        };
        self.moved(who, purpose, |_| Ok(step)).await
    }

    /// Lets a version decide payments: all of them, or a share. Goes on if nobody waits for it; the
    /// approval is looked at again, and used up, when the windows are ready.
    pub async fn release_rule_set(
        self: &Arc<Self>,
        approved: Approved<RuleRelease>,
        purpose: &str,
    ) -> Result<Moved, Error> {
        let who = approved.who().clone();
        let step = Step::deciding(approved);
        self.moved(&who, purpose, |_| Ok(step)).await
    }

    /// Takes the live version back: the one before it decides again.
    pub async fn roll_back_rule_set(
        self: &Arc<Self>,
        who: &Who,
        purpose: &str,
    ) -> Result<Moved, Error> {
        self.moved(who, purpose, |ledger| {
            let live = ledger.live().ok_or(Error::RuleSetNotLive)?;
            Ok(Step::roll_back(live))
        })
        .await
    }

    /// Notes that a version was tried on the past, and where the report is.
    pub async fn note_back_test(
        &self,
        who: &Who,
        version: &str,
        report: &str,
        purpose: &str,
    ) -> Result<RuleSetLine, Error> {
        check_purpose(purpose)?;
        let _turn = self.desk.turn(&who.tenant).await?;
        let step = Step::back_test(version, report.to_owned());
        self.take(who, step, purpose).await?;
        let ledger = self.desk.ledger(&who.tenant);
        Ok(RuleSetLine::of(version, ledger.standing(version)?))
    }

    /// A page of the tenant's versions, newest first, below a step.
    pub fn rule_sets(&self, tenant: &TenantId, before: Option<i64>, limit: usize) -> RuleSetPage {
        let lines = view::lines(&self.desk.ledger(tenant), before, limit);
        let running = self.running.load();
        RuleSetPage {
            rule_sets: lines.lines,
            live: running.line(tenant).live.set.version().to_owned(),
            base: running.base().version().to_owned(),
            next: lines.next,
        }
    }

    /// One version with its history and source: one of the tenant's, `live`, `base`, or a version
    /// of the library, which has no history of its own.
    pub async fn rule_set_record(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<RuleSetRecord, Error> {
        let rules = self.rules_of(tenant, version).await?;
        let version = rules.version();
        let ledger = self.desk.ledger(tenant);
        let (line, owner) = match ledger.standing(version) {
            Ok(standing) => (RuleSetLine::of(version, standing), tenant.clone()),
            Err(_) => (
                self.library_line(tenant, version).await?,
                start::installation()?,
            ),
        };
        Ok(RuleSetRecord {
            line,
            rules: rules.rules().len(),
            windows: rules.windows().len(),
            trial: match ledger.standing(version) {
                Ok(standing) => self.trial_report(tenant, standing, version).await?,
                Err(_) => None,
            },
            history: ledger
                .standing(version)
                .map_or_else(|_| Vec::new(), |standing| standing.steps.clone()),
            packs: self.desk.shelf.source(&owner, version).await?.files.clone(),
        })
    }

    /// A version of the library as a line: live where it decides.
    async fn library_line(&self, tenant: &TenantId, version: &str) -> Result<RuleSetLine, Error> {
        let owner = start::installation()?;
        let row = self.database.rule_set(&owner, version).await?;
        let row = row.ok_or(Error::RuleSetUnknown)?;
        let decides = self.running.load().line(tenant).live.set.version() == version;
        Ok(RuleSetLine {
            version: row.version,
            state: if decides {
                State::Live
            } else {
                State::Archived
            },
            share_bp: None,
            maker: "system:start".to_owned(),
            drafted_at: row.created_at,
        })
    }

    /// What `version` has that `against` has not, and the other way round. Both may be `live` or
    /// `base`.
    pub async fn rule_set_diff(
        &self,
        tenant: &TenantId,
        version: &str,
        against: &str,
    ) -> Result<RuleSetDiff, Error> {
        let from = self.rules_of(tenant, against).await?;
        let to = self.rules_of(tenant, version).await?;
        Ok(diff::between(&from, &to))
    }

    /// Refuses a release that is not possible in the state in which the version is. Whoever made
    /// the draft, as the trail names them.
    pub fn check_release(&self, tenant: &TenantId, release: &RuleRelease) -> Result<String, Error> {
        release.validate()?;
        let ledger = self.desk.ledger(tenant);
        ledger.check(release.action(), &release.version)?;
        Ok(ledger.standing(&release.version)?.maker.clone())
    }

    /// How far the preparation of a version is.
    pub fn rule_set_progress(&self, tenant: &TenantId, version: &str) -> Result<Progress, Error> {
        self.desk.ledger(tenant).standing(version)?;
        Ok(self.desk.progress(tenant, version))
    }

    /// The compiled rules of a version that the tenant may see: its own, `live`, `base`, or any
    /// version of the library.
    pub async fn rules_of(&self, tenant: &TenantId, version: &str) -> Result<RuleSet, Error> {
        let running = self.running.load_full();
        let at_work = match version {
            "live" => Some(Arc::clone(&running.line(tenant).live.set)),
            "base" => Some(Arc::clone(running.base())),
            version => running.find(tenant, version),
        };
        if let Some(set) = at_work {
            return Ok(set.rules.clone());
        }
        self.desk.shelf.rules_seen_by(tenant, version).await
    }

    async fn amended(&self, tenant: &TenantId, draft: &Draft) -> Result<Source, Error> {
        let Some(from) = &draft.from else {
            return Source::parse(draft.packs.clone());
        };
        let base = self.source_of(tenant, from).await?;
        Source::clone(&base).amended(draft.packs.clone(), &draft.without)
    }

    /// The source of a version that the tenant may see.
    pub(super) async fn source_of(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<Arc<Source>, Error> {
        let rules = self.rules_of(tenant, version).await?;
        let own = self.desk.ledger(tenant).standing(rules.version()).is_ok();
        let owner = match own {
            true => tenant.clone(),
            false => start::installation()?,
        };
        self.desk.shelf.source(&owner, rules.version()).await
    }

    async fn write_draft(
        &self,
        who: &Who,
        before: &Ledger,
        version: &str,
        (source, purpose): (&Source, &str),
    ) -> Result<(), Error> {
        let drafted = Step::draft(version);
        let drafted = self.row(who, before, &drafted, purpose, StepDetail::default())?;
        let mut between = before.clone();
        between.apply(&drafted)?;
        let checked = Step::check(version);
        let checked = self.row(who, &between, &checked, purpose, StepDetail::default())?;
        let known = self.database.rule_set(&who.tenant, version).await?;
        let row = match known {
            Some(_) => Vec::new(),
            None => vec![Row::RuleSet(RuleSetRow {
                tenant: who.tenant.clone(),
                version: version.to_owned(),
                source: source.text()?,
                created_at: self.clock.now(),
            })],
        };
        let writing = Writing {
            steps: vec![drafted, checked],
            rows: row,
            approved: None,
        };
        self.append(who, before, writing).await
    }

    /// Takes a step in the tenant's turn, in a task of its own, and waits for it, but not for long.
    async fn moved(
        self: &Arc<Self>,
        who: &Who,
        purpose: &str,
        step: impl FnOnce(&Ledger) -> Result<Step, Error>,
    ) -> Result<Moved, Error> {
        check_purpose(purpose)?;
        let (engine, who, purpose) = (Arc::clone(self), who.clone(), purpose.to_owned());
        let turn = self.desk.turn(&who.tenant).await?;
        let step = step(&self.desk.ledger(&who.tenant))?;
        let (tenant, version) = (who.tenant.clone(), step.version().to_owned());
        let job = tokio::spawn(async move {
            let _turn = turn;
            engine.take_noted(&who, step, &purpose).await
        });
        match timeout(TURN_WAIT, job).await {
            Ok(ended) => {
                ended.map_err(|_| Error::RecordDamaged("a step ended early".to_owned()))??;
                let ledger = self.desk.ledger(&tenant);
                let line = RuleSetLine::of(&version, ledger.standing(&version)?);
                Ok(Moved::Done(line))
            }
            Err(_) => Ok(Moved::Preparing(self.desk.progress(&tenant, &version))),
        }
    }

    /// Takes a step and notes how it went for those who did not wait.
    async fn take_noted(&self, who: &Who, step: Step, purpose: &str) -> Result<(), Error> {
        let (version, action) = (step.version().to_owned(), step.action());
        let note = |progress| self.desk.note(&who.tenant, &version, progress);
        note(Progress::Preparing {
            action,
            done: 0,
            total: 0,
        });
        let result = self.take(who, step, purpose).await;
        note(match &result {
            Ok(()) => Progress::Done { action },
            Err(error) => Progress::Failed {
                action,
                code: error.code(),
                detail: error.to_string(),
            },
        });
        result
    }
}

fn check_purpose(purpose: &str) -> Result<(), Error> {
    match (1..=PURPOSE_BYTES_MAX).contains(&purpose.len()) && !purpose.contains('\0') {
        true => Ok(()),
        false => Err(Error::RuleSetMalformed("a purpose has 1 to 256 bytes")),
    }
}
