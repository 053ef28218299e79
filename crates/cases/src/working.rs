//! What people do with alerts, one or many at once.

use crate::{
    Alert, AlertState, Cases, Closing, Disposition, Error, Snooze, Worker,
    desk::{Links, checked_reason},
    note,
};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most alerts that are worked on at once.
pub const BULK_MAX: usize = 100;
/// For so long at most a rule is snoozed.
const SNOOZE_DAYS_MAX: i64 = 90;

/// What is done with an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = PaymentAlertAct)]
pub enum AlertAct {
    /// Take an alert that nobody works on.
    Claim {},
    /// Give it to somebody.
    Assign {
        /// `staff:…` or `key:…`.
        to: String,
    },
    /// Give it back to the queue.
    Release {},
    /// Pass it up to the queue above, more urgent and for nobody yet.
    Escalate {
        /// Why, 1 to 256 bytes.
        reason: String,
    },
    /// Let one of its rules open no alert about this customer until a time. The alert stays open.
    Snooze {
        /// `pack.rule`, one of the alert's.
        rule: String,
        /// Until when, at most ninety days ahead.
        until: Timestamp,
        /// Why, 1 to 256 bytes.
        reason: String,
    },
}

/// How an alert is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentAlertClosing)]
pub struct Close {
    /// What it turned out to be.
    pub disposition: Disposition,
    /// Why, by a code that fits the disposition.
    pub reason: String,
    /// In words, at most 4,096 bytes.
    #[serde(default)]
    pub note: Option<String>,
}

impl Cases {
    /// Does something with an alert. `version` is the one that whoever acts has seen, if they say
    /// so. Error: [`Error::Changed`] if it is not the newest any more.
    pub async fn act(
        &self,
        worker: &Worker,
        (id, version): (&str, Option<i64>),
        act: &AlertAct,
    ) -> Result<Alert, Error> {
        let alert = self.open_alert_of(worker, id, version).await?;
        match act {
            AlertAct::Claim {} => self.claim_alert(worker, alert).await,
            AlertAct::Assign { to } => self.assign(worker, alert, to).await,
            AlertAct::Release {} => self.release(worker, alert).await,
            AlertAct::Escalate { reason } => self.escalate(worker, alert, reason).await,
            AlertAct::Snooze {
                rule,
                until,
                reason,
            } => self.snooze(worker, alert, (rule, *until, reason)).await,
        }
    }

    /// Closes an alert that nobody else works on. Each of its payments gets a label by it.
    pub async fn close_alert(
        &self,
        worker: &Worker,
        (id, version): (&str, Option<i64>),
        close: &Close,
    ) -> Result<Alert, Error> {
        let mut alert = self.open_alert_of(worker, id, version).await?;
        self.policy.check_reason(close.disposition, &close.reason)?;
        if let Some(note) = &close.note {
            note::checked("note", note)?;
        }
        let name = worker.name();
        if let Some(other) = alert.assignee.as_ref().filter(|other| **other != name) {
            return Err(Error::NotYours(other.clone()));
        }
        alert.close(Closing {
            disposition: close.disposition,
            reason: close.reason.clone(),
            note: close.note.clone(),
            by: name,
            at: self.clock.now(),
        });
        self.store(
            worker,
            alert,
            ("payment_alert.close", "close"),
            None,
            Vec::new(),
        )
        .await
    }

    /// A version of an alert; the labels of a closing are made from it.
    pub async fn alert_version(
        &self,
        tenant: &paywarden_domain::TenantId,
        id: &str,
        version: i64,
    ) -> Result<Alert, Error> {
        let versions: Vec<Alert> = self.versions(tenant, id).await?;
        let mut versions = versions.into_iter();
        versions
            .find(|alert| alert.version == version)
            .ok_or(Error::Unknown)
    }

    async fn open_alert_of(
        &self,
        worker: &Worker,
        id: &str,
        version: Option<i64>,
    ) -> Result<Alert, Error> {
        let alert: Alert = self.seen(worker, id).await?;
        if version.is_some_and(|version| version != alert.version) {
            return Err(Error::Changed);
        }
        alert.must_be_open()?;
        Ok(alert)
    }

    pub(crate) async fn claim_alert(
        &self,
        worker: &Worker,
        mut alert: Alert,
    ) -> Result<Alert, Error> {
        let name = worker.name();
        match alert.assignee.replace(name.clone()) {
            None => {}
            Some(other) if other == name => return Err(Error::State("you work on it already")),
            Some(other) => return Err(Error::NotYours(other)),
        }
        self.store(
            worker,
            alert,
            ("payment_alert.claim", "claim"),
            None,
            Vec::new(),
        )
        .await
    }

    async fn assign(&self, worker: &Worker, mut alert: Alert, to: &str) -> Result<Alert, Error> {
        checked_name(to)?;
        if alert.assignee.as_deref() == Some(to) {
            return Err(Error::State("it is theirs already"));
        }
        alert.assignee = Some(to.to_owned());
        self.store(
            worker,
            alert,
            ("payment_alert.assign", "assign"),
            None,
            Vec::new(),
        )
        .await
    }

    async fn release(&self, worker: &Worker, mut alert: Alert) -> Result<Alert, Error> {
        if alert.assignee.take().is_none() {
            return Err(Error::State("nobody works on it"));
        }
        self.store(
            worker,
            alert,
            ("payment_alert.release", "release"),
            None,
            Vec::new(),
        )
        .await
    }

    async fn escalate(
        &self,
        worker: &Worker,
        mut alert: Alert,
        reason: &str,
    ) -> Result<Alert, Error> {
        let reason = checked_reason(reason)?;
        let queue = self.policy.queue(&alert.queue);
        let above = queue.and_then(|queue| queue.escalates_to.clone());
        alert.queue = above.ok_or(Error::State("no queue is above this one"))?;
        alert.priority = alert.priority.raised();
        alert.escalated = true;
        alert.assignee = None;
        let what = ("payment_alert.escalate", "escalate");
        self.store(worker, alert, what, Some(reason), Vec::new())
            .await
    }

    async fn snooze(
        &self,
        worker: &Worker,
        alert: Alert,
        (rule, until, reason): (&str, Timestamp, &str),
    ) -> Result<Alert, Error> {
        let reason = checked_reason(reason)?;
        if !alert.rules.iter().any(|known| known == rule) {
            return Err(Error::field("rule", "one of the rules of the alert"));
        }
        let ahead = until.micros() - self.clock.now().micros();
        if !(1..=SNOOZE_DAYS_MAX * DAY).contains(&ahead) {
            return Err(Error::field(
                "until",
                "in the future, at most ninety days ahead",
            ));
        }
        let snooze = Snooze {
            rule: rule.to_owned(),
            subject: alert.subject.clone(),
            until,
            by: worker.name(),
            reason: reason.to_owned(),
        };
        let row = self.snooze_row(worker.tenant(), &snooze).await?;
        let what = ("payment_alert.snooze", "snooze");
        self.store(worker, alert, what, Some(reason), vec![row])
            .await
    }

    /// Writes the next version of an alert, and rows beside it.
    pub(crate) async fn store(
        &self,
        worker: &Worker,
        mut alert: Alert,
        (action, act): (&'static str, &str),
        reason: Option<&str>,
        beside: Vec<Row>,
    ) -> Result<Alert, Error> {
        let change = self.change(&worker.who, act, reason);
        let row = self.next(worker.tenant(), &mut alert, change, Links::default())?;
        let rows = std::iter::once(row).chain(beside).collect();
        self.write(&worker.who, (action, &alert.id), reason, rows)
            .await?;
        Ok(alert)
    }
}

impl Alert {
    pub(crate) fn close(&mut self, closing: Closing) {
        self.state = AlertState::Closed;
        self.closing = Some(closing);
    }
}

/// The name of somebody who may be given work.
pub(crate) fn checked_name(name: &str) -> Result<(), Error> {
    let known = name
        .strip_prefix("staff:")
        .or_else(|| name.strip_prefix("key:"));
    match known.is_some_and(|id| (1..=128).contains(&id.len())) {
        true => Ok(()),
        false => Err(Error::field("to", "`staff:` or `key:` and an identifier")),
    }
}
