//! A case: alerts and payments that are looked at together, and where it stands.

use crate::{
    Alert, AlertPayment, Change, Closing, Disposition, Entity, Error, Priority, Typology,
    alert::closed_urgency,
    desk::{Found, Item},
    lineage,
    opening::{add, add_amount},
    text::checked_line,
};
use paywarden_access::approval::{Kind, Sensitive};
use paywarden_domain::{Engine, Money, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most alerts of one case.
pub(crate) const ALERTS_MAX: usize = 100;
/// The most payments of one case beside those of its alerts.
pub(crate) const PAYMENTS_MAX: usize = 60;
const ENTITIES_MAX: usize = 128;
const MERGED_MAX: usize = 100;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// People work on it.
    Open,
    /// Two persons have said what it was.
    Closed,
    /// It is part of another case.
    Merged,
}

/// Something that is looked at before a case is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What, by the name of the typology's checklist.
    pub id: String,
    /// Who has done it, and when; none if nobody has.
    pub done: Option<Done>,
}

/// That something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A payment that was put into a case by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CasePayment {
    /// The payment.
    pub payment: AlertPayment,
    /// Who and what takes part.
    pub entities: Vec<Entity>,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Case {
    /// `cas_…`; later cases have greater ones.
    pub id: String,
    /// Which version this is, from 1.
    pub version: i64,
    /// Where it waits.
    pub queue: String,
    /// What it is called.
    pub title: String,
    /// What it is about, by the table of typologies.
    pub typology: String,
    /// Whose matter that is.
    pub engine: Engine,
    /// How urgent: as the most urgent of its alerts.
    pub priority: Priority,
    /// Where it stands.
    pub state: CaseState,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it should have been closed: as the first of its alerts.
    pub due_at: Timestamp,
    /// Its alerts.
    pub alerts: Vec<String>,
    /// Payments beside those of the alerts.
    pub payments: Vec<CasePayment>,
    /// Who and what takes part in any of them.
    pub entities: Vec<Entity>,
    /// All payments together, by currency.
    pub amounts: Vec<Money>,
    /// What is looked at before it is closed.
    pub checklist: Vec<Check>,
    /// How many notes it has.
    pub notes: u32,
    /// How many files it has, erased ones included.
    #[serde(default)]
    pub files: u32,
    /// How long these are together.
    #[serde(default)]
    pub file_bytes: u64,
    /// The case that it has become part of.
    pub merged_into: Option<String>,
    /// Cases that have become part of it.
    pub merged_from: Vec<String>,
    /// The case that it was split off.
    pub split_from: Option<String>,
    /// How it was closed.
    pub closing: Option<Closing>,
    /// What this version did.
    pub change: Change,
}

/// A case is to be closed: takes effect as an approved command alone. Its open alerts are closed
/// with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseClosing {
    /// The case.
    pub case: String,
    /// The version that is closed: another one is not what was voted on.
    pub version: i64,
    /// What it turned out to be.
    pub disposition: Disposition,
    /// Why, by a code that fits the disposition.
    pub reason: String,
}

impl Sensitive for CaseClosing {
    const KIND: Kind = Kind::CaseClosing;

    /// The case.
    fn object(&self) -> String {
        self.case.clone()
    }

    fn check(&self) -> Result<(), String> {
        let is_case = self.case.starts_with(Case::PREFIX) && self.case.len() <= 64;
        match is_case && self.version > 0 && (1..=48).contains(&self.reason.len()) {
            true => Ok(()),
            false => Err("a closing names a case, its version and a code of a reason".to_owned()),
        }
    }
}

impl CaseState {
    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            "merged" => Some(Self::Merged),
            _ => None,
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Closed => 2,
            Self::Merged => 3,
        }
    }
}

impl Case {
    /// Refuses what can only be done with an open case.
    pub(crate) fn must_be_open(&self) -> Result<(), Error> {
        match self.state {
            CaseState::Open => Ok(()),
            CaseState::Closed => Err(Error::State("the case is closed")),
            CaseState::Merged => Err(Error::State("the case is part of another")),
        }
    }

    /// Refuses to close what was not looked at in full.
    pub(crate) fn must_be_checked(&self) -> Result<(), Error> {
        match self.checklist.iter().all(|check| check.done.is_some()) {
            true => Ok(()),
            false => Err(Error::State("something of the checklist is not done")),
        }
    }

    /// Takes over what its alerts and its own payments say: who takes part, how much, how urgent.
    pub(crate) fn sum_up(&mut self, alerts: &[Alert]) -> Result<(), Error> {
        if alerts.len() > ALERTS_MAX {
            return Err(Error::Limit("100 alerts in a case"));
        }
        if self.payments.len() > PAYMENTS_MAX {
            return Err(Error::Limit(
                "60 payments in a case beside those of its alerts",
            ));
        }
        if self.merged_from.len() > MERGED_MAX {
            return Err(Error::Limit("100 cases merged into one"));
        }
        self.alerts = alerts.iter().map(|alert| alert.id.clone()).collect();
        let (mut entities, mut amounts) = (Vec::new(), Vec::new());
        let own = self.payments.iter().flat_map(|one| &one.entities);
        for entity in alerts.iter().flat_map(|alert| &alert.entities).chain(own) {
            add(&mut entities, entity, ENTITIES_MAX);
        }
        let own = self.payments.iter().filter_map(|one| one.payment.amount);
        for amount in alerts
            .iter()
            .flat_map(|alert| alert.amounts.clone())
            .chain(own)
        {
            add_amount(&mut amounts, amount);
        }
        (self.entities, self.amounts) = (entities, amounts);
        self.priority = alerts
            .iter()
            .map(|alert| alert.priority)
            .min()
            .unwrap_or(self.priority);
        self.due_at = alerts
            .iter()
            .map(|alert| alert.due_at)
            .min()
            .unwrap_or(self.due_at);
        Ok(())
    }

    /// What it is linked to.
    pub(crate) fn targets(&self) -> BTreeSet<String> {
        if self.state == CaseState::Merged {
            return BTreeSet::new();
        }
        let payments = self.payments.iter();
        let decisions = payments.map(|one| lineage::case_target(one.payment.event_no));
        self.entities
            .iter()
            .map(Entity::target)
            .chain(decisions)
            .collect()
    }
}

/// The checklist of a typology, with nothing done.
pub(crate) fn checklist(typology: &Typology) -> Vec<Check> {
    let check = |id: &String| Check {
        id: id.clone(),
        done: None,
    };
    typology.checklist.iter().map(check).collect()
}

/// The longest title, in bytes.
const TITLE_BYTES_MAX: usize = 200;

pub(crate) fn checked_title(title: &str) -> Result<(), Error> {
    checked_line("title", title, (TITLE_BYTES_MAX, "1 to 200 bytes"))
}

impl Item for Case {
    const KIND: &'static str = "case";
    const PREFIX: &'static str = "cas";
    const OPEN: u8 = CaseState::Open.number();
    const REINDEX: &'static str = "case.reindex";
    const MOVE: &'static str = "case.move";

    fn id(&self) -> &str {
        &self.id
    }

    fn version(&mut self) -> &mut i64 {
        &mut self.version
    }

    fn change(&mut self) -> &mut Change {
        &mut self.change
    }

    fn queue(&mut self) -> &mut String {
        &mut self.queue
    }

    fn targets(&self) -> BTreeSet<String> {
        Self::targets(self)
    }

    fn found(&self) -> Found<'_> {
        Found {
            queue: &self.queue,
            state: self.state.number(),
            assignee: self.assignee.as_deref().unwrap_or_default(),
            urgency: match self.state {
                CaseState::Open => self.priority.urgency(self.due_at),
                CaseState::Closed | CaseState::Merged => closed_urgency(self.closing.as_ref()),
            },
            subject: &self.typology,
        }
    }
}
