//! The desk of alerts: raising them once, keeping them, deciding about them.

use super::{
    alert::{Alert, Effect, KIND, Kept, Severity, State, Step},
    error::Error,
    eyes::Hit,
    open::Open,
};
use crate::{
    Author, Scope, Staff,
    staff::{Error as StaffError, Member},
};
use paywarden_domain::{Outcome, TenantId, time::DAY};
use paywarden_store::{Actor, Clock, Database, Entry, Journal, Purpose, RecordRow, Row, WATCH};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Hits of one rule on one actor that follow each other within so many microseconds are one alert.
pub const REPEAT: i64 = DAY;
/// The most alerts of one page.
pub const PAGE_MAX: u32 = 100;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 256;
/// Records that are read at a time, and at most for one page.
const RECORDS: u32 = 200;
const RECORDS_MAX: u32 = 1_000;

/// Every alert, and who decides about them.
pub struct Desk {
    database: Database,
    journal: Journal,
    clock: Clock,
    staff: Arc<Staff>,
    effect_max: Effect,
    open: Mutex<Open>,
    /// Held while records are written, so that versions follow each other.
    writing: tokio::sync::Mutex<()>,
    raised: [AtomicU64; Severity::ALL.len()],
}

/// Which alerts are asked for.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Where they stand.
    pub state: Option<State>,
    /// The least severity.
    pub severity_min: Option<Severity>,
    /// About whom.
    pub actor: Option<String>,
    /// By which rule, `pack.rule`.
    pub rule: Option<String>,
    /// Continue behind the alert with this identifier.
    pub before: Option<String>,
    /// How many, 1 to 100.
    pub limit: u32,
}

/// A page of alerts, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Where the next page goes on; a page may be short and yet have one.
    pub next: Option<String>,
}

impl Desk {
    pub(super) async fn open(
        (database, journal): (Database, Journal),
        clock: Clock,
        staff: Arc<Staff>,
        effect_max: Effect,
    ) -> Result<Self, Error> {
        let mut open = Open::default();
        let mut after = String::new();
        loop {
            let page = database.records_newest(KIND, &after, RECORDS).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            for row in &page {
                open.take_up(Kept::read(row)?);
            }
        }
        // Sessions end with the process, suspensions must not.
        open.effects = open
            .suspended()
            .map(|kept| kept.body.alert.id.clone())
            .collect();
        Ok(Self {
            database,
            journal,
            clock,
            staff,
            effect_max,
            open: Mutex::new(open),
            writing: tokio::sync::Mutex::default(),
            raised: Default::default(),
        })
    }

    /// Alerts of a company, newest first.
    pub async fn page(&self, tenant: &TenantId, filter: &AlertFilter) -> Result<AlertPage, Error> {
        let limit = filter.limit.clamp(1, PAGE_MAX) as usize;
        let mut alerts = Vec::new();
        // Behind every identifier.
        let mut before = filter.before.clone().unwrap_or_else(|| "b".to_owned());
        for _ in 0..RECORDS_MAX / RECORDS {
            let rows = self.database.records_of(tenant, KIND, &before, RECORDS);
            let rows = rows.await?;
            for row in &rows {
                before.clone_from(&row.id);
                let alert = Kept::read(row)?.body.alert;
                if filter.lets_through(&alert) {
                    alerts.push(alert);
                }
                if alerts.len() == limit {
                    return Ok(AlertPage {
                        alerts,
                        next: Some(before),
                    });
                }
            }
            if rows.len() < RECORDS as usize {
                return Ok(AlertPage { alerts, next: None });
            }
        }
        Ok(AlertPage {
            alerts,
            next: Some(before),
        })
    }

    /// One alert of a company.
    pub async fn find(&self, tenant: &TenantId, id: &str) -> Result<Alert, Error> {
        Ok(self.kept(tenant, id).await?.body.alert)
    }

    /// Somebody looks at an alert, or has looked at it. Whom it is about decides nothing.
    pub async fn decide(
        &self,
        member: &Member,
        id: &str,
        state: State,
        reason: &str,
    ) -> Result<Alert, Error> {
        if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(Error::Reason);
        }
        let who = member.who();
        let _writing = self.writing.lock().await;
        let mut kept = self.kept(&who.tenant, id).await?;
        let by = who.actor.to_string();
        if kept.body.alert.concerns(&by) {
            return Err(Error::Concerned);
        }
        let at = self.clock.now();
        let reason = reason.to_owned();
        kept.body.alert.take(Step {
            state,
            by,
            at,
            reason,
        })?;
        let action = match state {
            State::Closed => "alert.close",
            _ => "alert.acknowledge",
        };
        // The reason is in the step.
        let author = member.author("security alert");
        self.append(&mut kept, author, action).await?;
        let alert = kept.body.alert.clone();
        self.lock().decided(kept);
        Ok(alert)
    }

    /// Whether an account was suspended by an alert that is not closed.
    pub fn is_suspended(&self, tenant: &TenantId, account: &str) -> bool {
        let actor = format!("staff:{account}");
        let open = self.lock();
        let about = |kept: &Kept| kept.tenant == *tenant && kept.body.alert.actor == actor;
        open.suspended().any(about)
    }

    pub(super) fn raised(&self) -> [u64; Severity::ALL.len()] {
        self.raised
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    pub(super) fn open_count(&self) -> u64 {
        self.lock().by_id.len() as u64
    }

    /// Counts a hit in the alert that it belongs to, or raises one.
    pub(super) fn hit(&self, hit: Hit) {
        let effect = self.effect(&hit);
        let mut open = self.lock();
        let lasts = |kept: &Kept| hit.at.micros() - kept.body.alert.last_at.micros() <= REPEAT;
        if open.of(&hit).is_some_and(lasts) {
            open.count(hit);
            return;
        }
        if let Some(raised) = self.raised.get(hit.rule.severity as usize) {
            raised.fetch_add(1, Ordering::Relaxed);
        }
        let alert = new_alert(hit.id(), &hit, effect);
        tracing::warn!(
            tenant = %hit.tenant, id = alert.id, rule = alert.rule, actor = alert.actor,
            severity = alert.severity.name(), "security alert"
        );
        open.raise(hit, alert);
    }

    /// Counts a hit that lies before the mark, if its alert has not.
    pub(super) fn count_again(&self, hit: Hit) {
        let mut open = self.lock();
        if open.of(&hit).is_some() {
            open.count(hit);
        }
    }

    /// Makes what has changed durable, then carries out effects.
    pub(super) async fn write_changed(&self) -> Result<(), Error> {
        let _writing = self.writing.lock().await;
        let changed: Vec<String> = self.lock().changed.iter().cloned().collect();
        for id in changed {
            let Some(mut kept) = self.lock().by_id.get(&id).cloned() else {
                continue;
            };
            let author = Author {
                actor: Actor::System(WATCH),
                purpose: "security alert".into(),
            };
            let action = match kept.version {
                0 => "alert.raise",
                _ => "alert.count",
            };
            self.append(&mut kept, author, action).await?;
            self.lock().written(&kept);
        }
        let effects: Vec<String> = self.lock().effects.iter().cloned().collect();
        for id in effects {
            let kept = self.lock().by_id.get(&id).cloned();
            if let Some(kept) = kept {
                self.carry_out(&kept).await?;
            }
            self.lock().effects.remove(&id);
        }
        Ok(())
    }

    async fn carry_out(&self, kept: &Kept) -> Result<(), Error> {
        let alert = &kept.body.alert;
        let Some(account) = alert.actor.strip_prefix("staff:") else {
            return Ok(());
        };
        match alert.effect {
            Effect::Alert => Ok(()),
            Effect::StepUp => {
                self.staff.ask_again(account);
                Ok(())
            }
            Effect::Suspend => {
                let author = Author {
                    actor: Actor::System(WATCH),
                    purpose: Purpose::from("security alert").because(&*alert.id),
                };
                match self.staff.disable(author, &kept.tenant, account).await {
                    Err(StaffError::Store(error)) => Err(error.into()),
                    Err(StaffError::State(_) | StaffError::AccountUnknown) | Ok(()) => Ok(()),
                    Err(error) => {
                        tracing::error!(%error, id = alert.id, "account not suspended");
                        Ok(())
                    }
                }
            }
        }
    }

    /// What a rule does by itself: no more than the operator lets it, nothing to keys, on which
    /// payments depend, and never so that nobody is left who could decide about alerts.
    fn effect(&self, hit: &Hit) -> Effect {
        let asked = match hit.rule.action {
            Some(Outcome::Challenge) => Effect::StepUp,
            Some(Outcome::Decline) => Effect::Suspend,
            _ => Effect::Alert,
        };
        let Some(account) = hit.actor.strip_prefix("staff:") else {
            return Effect::Alert;
        };
        let asked = asked.min(self.effect_max);
        if asked == Effect::Suspend && !self.leaves_somebody(&hit.tenant, account) {
            return Effect::StepUp;
        }
        asked
    }

    fn leaves_somebody(&self, tenant: &TenantId, account: &str) -> bool {
        let others = self.staff.all(tenant).into_iter();
        let mut others = others.filter(|other| other.id != account);
        others.any(|other| self.staff.may(tenant, &other.id, Scope::SecurityReview))
    }

    /// Writes the next record of an alert. After a failure its version is read again: nobody
    /// knows what became of it.
    async fn append(
        &self,
        kept: &mut Kept,
        author: Author,
        action: &'static str,
    ) -> Result<(), Error> {
        let row: RecordRow = kept.next(self.clock.now())?;
        let entry = Entry {
            tenant: kept.tenant.clone(),
            actor: author.actor,
            purpose: author.purpose,
            action,
            object: row.id.clone(),
            rows: vec![Row::Record(row)],
        };
        match self.journal.append(entry).await {
            Ok(_) => {
                kept.version += 1;
                Ok(())
            }
            Err(error) => {
                let id = &kept.body.alert.id;
                if let Ok(Some(row)) = self.database.record(KIND, id).await
                    && let Some(known) = self.lock().by_id.get_mut(id)
                {
                    known.version = row.version;
                }
                Err(error.into())
            }
        }
    }

    /// An alert of a company as it is now: the one in memory may have counted more.
    async fn kept(&self, tenant: &TenantId, id: &str) -> Result<Kept, Error> {
        let known = self
            .lock()
            .by_id
            .get(id)
            .filter(|one| one.version > 0)
            .cloned();
        let kept = match known {
            Some(kept) => kept,
            None => {
                let row = self.database.record(KIND, id).await?;
                Kept::read(&row.ok_or(Error::Unknown)?)?
            }
        };
        match kept.tenant == *tenant {
            true => Ok(kept),
            false => Err(Error::Unknown),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_alert(id: String, hit: &Hit, effect: Effect) -> Alert {
    Alert {
        id,
        rule: hit.rule.id.clone(),
        title: hit.rule.title.clone(),
        reason: hit.rule.reason.clone(),
        text: hit.rule.text.clone(),
        severity: hit.rule.severity,
        effect,
        state: State::Open,
        actor: hit.actor.clone(),
        others: hit.other.clone().into_iter().collect(),
        object: hit.object.clone(),
        values: hit.values.clone(),
        count: 1,
        first_leaf: hit.leaf,
        last_leaf: hit.leaf,
        first_at: hit.at,
        last_at: hit.at,
        steps: Vec::new(),
    }
}

impl AlertFilter {
    fn lets_through(&self, alert: &Alert) -> bool {
        self.state.is_none_or(|state| alert.state == state)
            && self
                .severity_min
                .is_none_or(|least| alert.severity >= least)
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| alert.concerns(actor))
            && self.rule.as_ref().is_none_or(|rule| alert.rule == *rule)
    }
}
