//! A case on its way to its next version.

use crate::{
    Alert, Case, Error,
    case::{CasePayment, Done},
    working::checked_name,
};
use paywarden_domain::PaymentId;
use paywarden_store::Row;
use std::collections::BTreeSet;

/// A case on its way to the next version, with the alerts that change with it.
pub(crate) struct Draft {
    pub(crate) case: Case,
    /// What it was linked to.
    pub(crate) before: BTreeSet<String>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) rows: Vec<Row>,
}

/// What an act is called in the trail, and in the version.
pub(crate) type What = (&'static str, &'static str);

impl Draft {
    pub(crate) fn new(case: Case, alerts: Vec<Alert>) -> Self {
        let before = match case.version {
            0 => BTreeSet::new(),
            _ => case.targets(),
        };
        Self {
            before,
            case,
            alerts,
            rows: Vec::new(),
        }
    }

    pub(crate) fn claim(&mut self, name: String) -> Result<What, Error> {
        match self.case.assignee.replace(name.clone()) {
            None => Ok(("case.claim", "claim")),
            Some(other) if other == name => Err(Error::State("you work on it already")),
            Some(other) => Err(Error::NotYours(other)),
        }
    }

    pub(crate) fn assign(&mut self, to: &str) -> Result<What, Error> {
        checked_name(to)?;
        match self.case.assignee.replace(to.to_owned()) {
            Some(before) if before == to => Err(Error::State("it is theirs already")),
            _ => Ok(("case.assign", "assign")),
        }
    }

    pub(crate) fn release(&mut self) -> Result<What, Error> {
        match self.case.assignee.take() {
            Some(_) => Ok(("case.release", "release")),
            None => Err(Error::State("nobody works on it")),
        }
    }

    /// Takes alerts out; at least one stays.
    pub(crate) fn take_out(&mut self, ids: &[String]) -> Result<Vec<Alert>, Error> {
        let wanted: BTreeSet<&String> = ids.iter().collect();
        let alerts = std::mem::take(&mut self.alerts);
        let (out, stay): (Vec<_>, Vec<_>) = alerts
            .into_iter()
            .partition(|alert| wanted.contains(&alert.id));
        self.alerts = stay;
        match (
            out.len() == wanted.len(),
            out.is_empty(),
            self.alerts.is_empty(),
        ) {
            (true, false, false) => Ok(out),
            (_, _, true) => Err(Error::State("an alert stays in its case")),
            _ => Err(Error::field("alerts", "alerts of the case")),
        }
    }

    pub(crate) fn drop_payments(&mut self, payments: &[PaymentId]) -> Result<What, Error> {
        let count = self.case.payments.len();
        let stays = |one: &CasePayment| !payments.contains(&one.payment.payment_id);
        self.case.payments.retain(stays);
        match self.case.payments.len() + payments.len() == count {
            true => Ok(("case.remove_payments", "remove_payments")),
            false => Err(Error::field(
                "payments",
                "payments put into the case, each once",
            )),
        }
    }

    pub(crate) fn check(&mut self, id: &str, done: Option<Done>) -> Result<What, Error> {
        let check = self.case.checklist.iter_mut().find(|check| check.id == id);
        let check = check.ok_or_else(|| Error::field("id", "one of the checklist"))?;
        check.done = done;
        Ok(("case.check", "check"))
    }
}
