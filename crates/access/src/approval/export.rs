//! Data taken out in bulk: more rows than anybody needs to look at.
//!
//! Carrying an export out opens it: for a day, whoever did so may read so many rows of one
//! collection beyond what everybody may look at. An [`OpenExport`] is made from the steps of an
//! approval that was used, and of nothing else.

use super::{
    Approvals, Approved, Error, Kind, Sensitive,
    case::{Case, State},
    desk::{Who, check_reason},
};
use crate::Scope;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{Database, Entry, Purpose};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most rows of one export.
pub const EXPORT_ROWS_MAX: u64 = 10_000_000;
/// How long an export stays open after it was carried out, in microseconds.
pub const EXPORT_OPEN_US: i64 = DAY;

/// What is read in bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// Leaves of the trail.
    Trail,
    /// Decisions.
    Decisions,
    /// Entries of lists.
    Lists,
    /// Alerts on payments.
    Alerts,
    /// Cases.
    Cases,
    /// Alerts on what staff and programs do.
    SecurityAlerts,
    /// Approvals, with their votes.
    Approvals,
    /// The rules that decide.
    Rules,
    /// Ratings of customers.
    Ratings,
    /// What the watch of screening has found.
    ScreeningAlerts,
}

impl Collection {
    /// The word used in policies, in the store and in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trail => "trail",
            Self::Decisions => "decisions",
            Self::Lists => "lists",
            Self::Alerts => "alerts",
            Self::Cases => "cases",
            Self::SecurityAlerts => "security_alerts",
            Self::Approvals => "approvals",
            Self::Rules => "rules",
            Self::Ratings => "ratings",
            Self::ScreeningAlerts => "screening_alerts",
        }
    }
}

/// Rows are to be taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Of what.
    pub collection: Collection,
    /// How many at most, 1 to 10,000,000.
    pub rows: u64,
}

impl Sensitive for Export {
    const KIND: Kind = Kind::Export;

    fn object(&self) -> String {
        self.collection.name().to_owned()
    }

    fn check(&self) -> Result<(), String> {
        match (1..=EXPORT_ROWS_MAX).contains(&self.rows) {
            true => Ok(()),
            false => Err("an export has 1 to 10,000,000 rows".to_owned()),
        }
    }
}

/// An export that was approved and carried out, and is open still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenExport {
    /// Its approval.
    pub approval: String,
    /// What may be read.
    pub export: Export,
    /// Until when.
    pub until: Timestamp,
}

impl OpenExport {
    /// The export that an approval of a tenant has opened, as a reader of the store sees it, with
    /// whoever carried it out. Refused before it is carried out, and a day after.
    pub async fn read(
        database: &Database,
        tenant: &TenantId,
        id: &str,
        now: Timestamp,
    ) -> Result<(Self, String), Error> {
        let case = Case::fold(&database.approval_steps(tenant, id).await?)?;
        let export: Export = case.payload.command()?;
        let Some(used) = case.used else {
            return Err(Error::Closed(case.end(now).unwrap_or(State::Open)));
        };
        let until = Timestamp::from_micros(used.at.micros().saturating_add(EXPORT_OPEN_US));
        if until <= now {
            return Err(Error::Expired);
        }
        let open = Self {
            approval: case.id,
            export,
            until,
        };
        Ok((open, used.by))
    }
}

impl Approvals {
    /// Opens an export. Its leaf is in the trail before the first row is read.
    pub async fn open_export(
        &self,
        approved: Approved<Export>,
        purpose: &str,
    ) -> Result<Export, Error> {
        check_reason(purpose)?;
        let who = approved.who().clone();
        let entry = |export: &Export| Entry {
            tenant: who.tenant,
            actor: who.actor,
            purpose: Purpose::from("export of data").because(purpose),
            action: "export.open",
            object: export.object(),
            rows: Vec::new(),
        };
        approved.carry_out(entry).await
    }

    /// The export that `who` has opened by this approval, and may still read.
    pub async fn export(&self, who: &Who, id: &str) -> Result<OpenExport, Error> {
        self.must(who, Scope::ExportsWrite)?;
        let (database, now) = (self.database(), self.clock().now());
        let (open, by) = OpenExport::read(database, &who.tenant, id, now).await?;
        match by == who.actor.to_string() {
            true => Ok(open),
            false => Err(Error::Forbidden(Scope::ExportsWrite)),
        }
    }
}
