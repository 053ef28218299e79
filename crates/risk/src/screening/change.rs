//! What takes effect by approval alone: a version that shrank, and the end of a list.

use super::{
    blocking,
    import::entry,
    version::{self, HEAD, Head},
};
use crate::{Engine, Error};
use paywarden_access::approval::{Approved, Kind, Sensitive};
use paywarden_domain::TenantId;
use paywarden_store::{Entry, Purpose};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A reason is kept beside its leaf, which takes so much.
const REASON_BYTES_MAX: usize = 256;
/// The longest name of a list, in bytes.
const LIST_BYTES_MAX: usize = paywarden_screening::list::LIST_NAME_BYTES_MAX;
const PURPOSE: &str = "screening list";

/// Who is screened against whom changes by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningChange {
    /// The list.
    pub list: String,
    /// What happens to it.
    pub operation: ScreeningOperation,
    /// The version that is accepted, as its refusal named it; none when the list ends.
    #[serde(default)]
    pub version: Option<String>,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

/// What happens to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreeningOperation {
    /// A version that was refused because it lacks too much goes to work.
    Accept,
    /// Nobody is screened against it any more.
    Retire,
}

impl ScreeningOperation {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Retire => "retire",
        }
    }
}

impl Sensitive for ScreeningChange {
    const KIND: Kind = Kind::ScreeningChange;

    /// `accept:` or `retire:` and the list.
    fn object(&self) -> String {
        format!("{}:{}", self.operation.name(), self.list)
    }

    fn check(&self) -> Result<(), String> {
        let accepts = self.operation == ScreeningOperation::Accept;
        let rules = [
            (
                (1..=LIST_BYTES_MAX).contains(&self.list.len()),
                "the name of a list has 1 to 64 bytes",
            ),
            (
                (1..=REASON_BYTES_MAX).contains(&self.reason.len()),
                "a reason has 1 to 256 bytes",
            ),
            (
                self.version.is_some() == accepts,
                "a version is named when one is accepted, and only then",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(wrong.to_owned()),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// Refuses a change that could not take effect now. Errors: [`Error::ScreeningListUnknown`],
    /// [`Error::ScreeningVersionUnknown`].
    pub fn check_screening_change(
        &self,
        tenant: &TenantId,
        change: &ScreeningChange,
    ) -> Result<(), Error> {
        match change.operation {
            ScreeningOperation::Accept => {
                let key = (tenant.clone(), change.list.clone());
                let waiting = self.screening.waiting();
                let waits = waiting.get(&key).map(|waiting| &waiting.list.source_hash);
                match waits == change.version.as_ref() {
                    true => Ok(()),
                    false => Err(Error::ScreeningVersionUnknown),
                }
            }
            ScreeningOperation::Retire => {
                let holding = self.screening.holding(tenant);
                let known = holding.is_some_and(|all| all.lists.contains_key(&change.list));
                known.then_some(()).ok_or(Error::ScreeningListUnknown)
            }
        }
    }

    /// Carries a change out. Decisions see it when this returns.
    pub async fn change_screening(
        &self,
        approved: Approved<ScreeningChange>,
    ) -> Result<ScreeningChange, Error> {
        match approved.command().operation {
            ScreeningOperation::Accept => self.accept_version(approved).await,
            ScreeningOperation::Retire => self.retire_list(approved).await,
        }
    }

    async fn retire_list(
        &self,
        approved: Approved<ScreeningChange>,
    ) -> Result<ScreeningChange, Error> {
        let (who, list) = (approved.who().clone(), approved.command().list.clone());
        let tenant = &who.tenant;
        let _alone = self.screening.changing.lock().await;
        let holding = self
            .screening
            .holding(tenant)
            .filter(|all| all.lists.contains_key(&list));
        let holding = holding.ok_or(Error::ScreeningListUnknown)?;
        let id = version::list_id(tenant, &list);
        let last = self.database.record(HEAD, &id).await?;
        let last = Head::read(&last.ok_or(Error::ScreeningListUnknown)?)?.version;
        let head = Head::retired(&last, self.clock.now(), who.actor.to_string());
        let row = head.row(tenant)?;
        let because = |change: &ScreeningChange| Entry {
            purpose: Purpose::from(PURPOSE).because(&*change.reason),
            ..entry(&who, "screening.retire", &change.list, vec![row])
        };
        let change = approved.carry_out(because).await?;
        let built = blocking(move || holding.without(&list)).await?;
        self.screening.put(tenant, built);
        self.screening
            .waiting()
            .remove(&(tenant.clone(), change.list.clone()));
        Ok(change)
    }
}
