//! What people do with cases.

use crate::{
    Alert, AlertPayment, AlertState, Case, CaseClosing, CaseState, Cases, Closing, Error, Page,
    Sighting, WorkQuery, Worker,
    case::{ALERTS_MAX, CasePayment, Done, checked_title, checklist},
    desk::{Links, checked_reason, entry},
    draft::Draft,
};
use paywarden_access::approval::Approved;
use paywarden_domain::PaymentId;
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// How a case is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseOpening {
    /// What it is called, 1 to 200 bytes.
    pub title: String,
    /// What it is about, by the table of typologies.
    pub typology: String,
    /// The alerts that it begins with, 1 to 100, of no other case.
    pub alerts: Vec<String>,
}

/// What is done with a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CaseAct {
    /// Take a case that nobody works on.
    Claim {},
    /// Give it to somebody.
    Assign {
        /// `staff:…` or `key:…`.
        to: String,
    },
    /// Give it back.
    Release {},
    /// Put alerts of no other case into it.
    AddAlerts {
        /// Which, at most 100 in all.
        alerts: Vec<String>,
    },
    /// Take alerts out.
    RemoveAlerts {
        /// Which.
        alerts: Vec<String>,
    },
    /// Take payments out that were put in by themselves.
    RemovePayments {
        /// Which, by the caller's identifiers.
        payments: Vec<PaymentId>,
    },
    /// Say that something of the checklist is done, or not.
    Check {
        /// What.
        id: String,
        /// Whether it is done.
        done: bool,
    },
    /// Make it part of another open case, which takes over everything.
    Merge {
        /// That case.
        into: String,
    },
    /// Put some of its alerts into a new case.
    Split {
        /// Which.
        alerts: Vec<String>,
        /// What the new case is called.
        title: String,
    },
}

impl Cases {
    /// Cases, most urgent first; closed and merged ones newest first.
    pub async fn cases(
        &self,
        worker: &Worker,
        query: &WorkQuery<CaseState>,
    ) -> Result<Page<Case>, Error> {
        self.page(worker, query, query.state.number()).await
    }

    /// A case that the worker may see.
    pub async fn case(&self, worker: &Worker, id: &str) -> Result<Case, Error> {
        self.seen(worker, id).await
    }

    /// The alerts of a case.
    pub async fn alerts_of_case(&self, worker: &Worker, id: &str) -> Result<Vec<Alert>, Error> {
        let case: Case = self.seen(worker, id).await?;
        self.some_alerts(worker, &case.alerts).await
    }

    /// Opens a case from alerts; it waits where the first of them does.
    pub async fn open_case(&self, worker: &Worker, opening: &CaseOpening) -> Result<Case, Error> {
        checked_title(&opening.title)?;
        let typology = self.policy.typology(&opening.typology);
        let typology = typology.ok_or_else(|| Error::field("typology", "one of the table"))?;
        let alerts = self.free_alerts(worker, &opening.alerts).await?;
        let first = alerts
            .first()
            .ok_or_else(|| Error::field("alerts", "1 to 100"))?;
        let now = self.clock.now();
        let case = Case {
            id: self.fresh_id::<Case>(now),
            version: 0,
            queue: first.queue.clone(),
            title: opening.title.clone(),
            typology: typology.id.clone(),
            engine: typology.engine,
            priority: first.priority,
            state: CaseState::Open,
            assignee: None,
            opened_at: now,
            due_at: first.due_at,
            alerts: Vec::new(),
            payments: Vec::new(),
            entities: Vec::new(),
            amounts: Vec::new(),
            checklist: checklist(typology),
            notes: 0,
            files: 0,
            file_bytes: 0,
            merged_into: None,
            merged_from: Vec::new(),
            split_from: None,
            closing: None,
            change: self.change(&worker.who, "open", None),
        };
        let mut draft = Draft::new(case, Vec::new());
        self.move_in(worker, &mut draft, alerts)?;
        self.finish(worker, draft, ("case.open", "open"), None)
            .await
    }

    /// Does something with a case. `version` is the one that whoever acts has seen, if they say so.
    pub async fn act_on_case(
        &self,
        worker: &Worker,
        (id, version): (&str, Option<i64>),
        act: &CaseAct,
    ) -> Result<Case, Error> {
        let case: Case = self.seen(worker, id).await?;
        if version.is_some_and(|version| version != case.version) {
            return Err(Error::Changed);
        }
        case.must_be_open()?;
        let mut draft = self.draft(worker, case).await?;
        let what = match act {
            CaseAct::Claim {} => draft.claim(worker.name())?,
            CaseAct::Assign { to } => draft.assign(to)?,
            CaseAct::Release {} => draft.release()?,
            CaseAct::AddAlerts { alerts } => {
                let alerts = self.free_alerts(worker, alerts).await?;
                self.move_in(worker, &mut draft, alerts)?;
                ("case.add_alerts", "add_alerts")
            }
            CaseAct::RemoveAlerts { alerts } => {
                let gone = draft.take_out(alerts)?;
                self.set_case(worker, &mut draft, gone, None)?;
                ("case.remove_alerts", "remove_alerts")
            }
            CaseAct::RemovePayments { payments } => draft.drop_payments(payments)?,
            CaseAct::Check { id, done } => {
                let by = Done {
                    by: worker.name(),
                    at: self.clock.now(),
                };
                draft.check(id, done.then_some(by))?
            }
            CaseAct::Merge { into } => return self.merge(worker, draft, into).await,
            CaseAct::Split { alerts, title } => {
                return self.split(worker, draft, alerts, title).await;
            }
        };
        self.finish(worker, draft, what, None).await
    }

    /// Puts payments into a case by themselves.
    pub async fn add_payments(
        &self,
        worker: &Worker,
        id: &str,
        payments: &[Sighting],
    ) -> Result<Case, Error> {
        let case: Case = self.seen(worker, id).await?;
        case.must_be_open()?;
        let mut draft = self.draft(worker, case).await?;
        for seen in payments {
            let known = &mut draft.case.payments;
            if known
                .iter()
                .any(|one| one.payment.event_no == seen.event_no)
            {
                continue;
            }
            known.push(CasePayment {
                payment: AlertPayment {
                    payment_id: seen.decision.payment_id.clone(),
                    decision: seen.decision.id.clone(),
                    event_no: seen.event_no,
                    amount: seen.decision.amount,
                    decided_at: seen.decision.decided_at,
                },
                entities: seen.entities.clone(),
            });
        }
        self.finish(worker, draft, ("case.add_payments", "add_payments"), None)
            .await
    }

    /// Refuses a closing that could not take effect now. Whoever works on the case is returned:
    /// their vote does not count.
    pub async fn check_closing(
        &self,
        worker: &Worker,
        closing: &CaseClosing,
    ) -> Result<Option<String>, Error> {
        let case: Case = self.seen(worker, &closing.case).await?;
        case.must_be_open()?;
        case.must_be_checked()?;
        self.policy
            .check_reason(closing.disposition, &closing.reason)?;
        match case.version == closing.version {
            true => Ok(case.assignee),
            false => Err(Error::Changed),
        }
    }

    /// Closes a case, and its open alerts with it.
    pub async fn close_case(
        &self,
        worker: &Worker,
        approved: Approved<CaseClosing>,
    ) -> Result<Case, Error> {
        let command = approved.command().clone();
        self.check_closing(worker, &command).await?;
        let case: Case = self.seen(worker, &command.case).await?;
        let mut draft = self.draft(worker, case).await?;
        let closing = Closing {
            disposition: command.disposition,
            reason: command.reason.clone(),
            note: None,
            by: worker.name(),
            at: self.clock.now(),
        };
        for mut alert in draft.alerts.clone() {
            if alert.state == AlertState::Open {
                alert.close(closing.clone());
                self.push(worker, &mut draft, alert, ("close", Links::default()))?;
            }
        }
        draft.case.state = CaseState::Closed;
        draft.case.closing = Some(closing);
        let (case, rows) = self.rows(worker, draft, "close", None)?;
        let effect = entry(&worker.who, ("case.close", &case.id), None, rows);
        let carried = approved.carry_out(move |_| effect).await;
        carried.map_err(|error| match error {
            paywarden_access::approval::Error::Store(error) => Error::from(error),
            error => Error::Approval(error),
        })?;
        Ok(case)
    }

    /// Looks at a closed case again.
    pub async fn reopen_case(
        &self,
        worker: &Worker,
        id: &str,
        reason: &str,
    ) -> Result<Case, Error> {
        let reason = checked_reason(reason)?;
        let mut case: Case = self.seen(worker, id).await?;
        if case.state != CaseState::Closed {
            return Err(Error::State("only a closed case is reopened"));
        }
        case.state = CaseState::Open;
        case.closing = None;
        let draft = self.draft(worker, case).await?;
        self.finish(worker, draft, ("case.reopen", "reopen"), Some(reason))
            .await
    }

    /// Both cases get their next version in one entry: of two that are merged into each other at
    /// once one is refused, and a case that is part of another takes up none.
    async fn merge(&self, worker: &Worker, mut from: Draft, into: &str) -> Result<Case, Error> {
        if from.case.id == into {
            return Err(Error::State("a case is not merged into itself"));
        }
        let target: Case = self.seen(worker, into).await?;
        target.must_be_open()?;
        let mut target = self.draft(worker, target).await?;
        let alerts = std::mem::take(&mut from.alerts);
        self.move_in(worker, &mut target, alerts)?;
        target.case.payments.append(&mut from.case.payments);
        target.case.merged_from.push(from.case.id.clone());
        from.case.state = CaseState::Merged;
        from.case.merged_into = Some(into.to_owned());
        let (_, gone) = self.rows(worker, from, "merge", None)?;
        target.rows.extend(gone);
        self.finish(worker, target, ("case.merge", "take_up"), None)
            .await
    }

    async fn split(
        &self,
        worker: &Worker,
        mut from: Draft,
        alerts: &[String],
        title: &str,
    ) -> Result<Case, Error> {
        checked_title(title)?;
        let moved = from.take_out(alerts)?;
        let mut case = from.case.clone();
        case.id = self.fresh_id::<Case>(self.clock.now());
        case.version = 0;
        title.clone_into(&mut case.title);
        case.opened_at = self.clock.now();
        (case.payments, case.merged_from) = (Vec::new(), Vec::new());
        case.checklist
            .iter_mut()
            .for_each(|check| check.done = None);
        (case.notes, case.files, case.file_bytes, case.assignee) = (0, 0, 0, None);
        case.split_from = Some(from.case.id.clone());
        let mut draft = Draft::new(case, Vec::new());
        self.move_in(worker, &mut draft, moved)?;
        let (_, rest) = self.rows(worker, from, "split", None)?;
        draft.rows.extend(rest);
        self.finish(worker, draft, ("case.split", "open"), None)
            .await
    }

    async fn draft(&self, worker: &Worker, case: Case) -> Result<Draft, Error> {
        let alerts = self.some_alerts(worker, &case.alerts).await?;
        Ok(Draft::new(case, alerts))
    }

    pub(crate) async fn some_alerts(
        &self,
        worker: &Worker,
        ids: &[String],
    ) -> Result<Vec<Alert>, Error> {
        let mut places = self.database.work_places(worker.tenant(), ids).await?;
        places.sort_by(|one, other| one.id.cmp(&other.id));
        self.all(&places).await
    }

    /// Alerts that the worker sees and that are part of no case.
    async fn free_alerts(&self, worker: &Worker, ids: &[String]) -> Result<Vec<Alert>, Error> {
        let unique: BTreeSet<&String> = ids.iter().collect();
        if unique.len() != ids.len() || !(1..=ALERTS_MAX).contains(&ids.len()) {
            return Err(Error::field("alerts", "1 to 100, each once"));
        }
        let alerts = self.some_alerts(worker, ids).await?;
        let seen = alerts.iter().all(|alert| worker.sees(&alert.queue));
        if alerts.len() != ids.len() || !seen {
            return Err(Error::Unknown);
        }
        match alerts.iter().all(|alert| alert.case.is_none()) {
            true => Ok(alerts),
            false => Err(Error::State("an alert is part of a case already")),
        }
    }

    fn move_in(&self, worker: &Worker, draft: &mut Draft, alerts: Vec<Alert>) -> Result<(), Error> {
        draft.alerts.extend(alerts.iter().cloned());
        let case = draft.case.id.clone();
        self.set_case(worker, draft, alerts, Some(case))
    }

    fn set_case(
        &self,
        worker: &Worker,
        draft: &mut Draft,
        alerts: Vec<Alert>,
        case: Option<String>,
    ) -> Result<(), Error> {
        for mut alert in alerts {
            alert.case.clone_from(&case);
            let act = if case.is_some() {
                "into_case"
            } else {
                "out_of_case"
            };
            self.push(worker, draft, alert, (act, Links::default()))?;
        }
        Ok(())
    }

    fn push(
        &self,
        worker: &Worker,
        draft: &mut Draft,
        mut alert: Alert,
        (act, links): (&str, Links),
    ) -> Result<(), Error> {
        let change = self.change(&worker.who, act, None);
        let row = self.next(worker.tenant(), &mut alert, change, links)?;
        draft.rows.push(row);
        Ok(())
    }

    /// The rows of a draft, and the case as it will be.
    fn rows(
        &self,
        worker: &Worker,
        draft: Draft,
        act: &str,
        reason: Option<&str>,
    ) -> Result<(Case, Vec<Row>), Error> {
        let Draft {
            mut case,
            before,
            alerts,
            mut rows,
        } = draft;
        case.sum_up(&alerts)?;
        let after = case.targets();
        let links = Links {
            new: after.difference(&before).cloned().collect(),
            gone: before.difference(&after).cloned().collect(),
        };
        let change = self.change(&worker.who, act, reason);
        rows.push(self.next(worker.tenant(), &mut case, change, links)?);
        Ok((case, rows))
    }

    async fn finish(
        &self,
        worker: &Worker,
        draft: Draft,
        (action, act): (&'static str, &str),
        reason: Option<&str>,
    ) -> Result<Case, Error> {
        let (case, rows) = self.rows(worker, draft, act, reason)?;
        self.write(&worker.who, (action, &case.id), reason, rows)
            .await?;
        Ok(case)
    }
}
