//! Showing values of a person to a member of staff: asked for, approved by somebody else, open for a
//! short time and for so many looks, each written down.
//!
//! *Invariant*: each look is a version of a record of its grant, written by the entry that says what
//! was read. So a grant shows no more often than it says, also to two who look at once.

mod budget;

pub(crate) use budget::Budget;

use crate::{
    By, Error, Revealed, Vault, catalogue, policy::Data, subject::is_pseudonym, vault::Grant,
    words::is_word,
};
use paywarden_access::approval::{self, Approvals, Approved, Kind, Sensitive, Who};
use paywarden_domain::Timestamp;
use paywarden_store::{Entry, Purpose, RecordRow, VaultFind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What kind of record a look is.
const LOOK: &str = "reveal_look";
const CLASSES_MAX: usize = 9;
const LOOKS_MAX: u32 = 20;
const MINUTES_MAX: u32 = 480;
const MINUTE_US: i64 = 60_000_000;
/// The most values of one look.
const VALUES_MAX: u32 = 100;

/// Values of a person are to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// Whose: their pseudonym `sub_…`.
    pub subject: String,
    /// Which classes of data, 1 to 9.
    pub classes: BTreeSet<String>,
    /// For which purpose of the privacy policy.
    pub purpose: String,
    /// How often one may look, 1 to 20.
    pub looks: u32,
    /// For how many minutes after it was carried out, 1 to 480.
    pub minutes: u32,
}

/// A grant that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReveal {
    /// Its approval.
    pub approval: String,
    /// What may be looked at.
    pub reveal: Reveal,
    /// Until when, exclusive.
    pub until: Timestamp,
    /// How many looks are left after this one.
    pub left: u32,
}

/// Why nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevealError {
    /// The time of the grant is over.
    #[error("the time of this grant is over: ask for another")]
    Over,
    /// All looks were taken.
    #[error("every look of this grant was taken: ask for another")]
    Spent,
    /// Whoever looks was shown many different persons today: the next one has to wait.
    #[error("you were shown many persons today: the next one may be looked at after a while")]
    Throttled {
        /// How long, in microseconds.
        wait_us: u64,
    },
    /// See the error of the vault.
    #[error(transparent)]
    Vault(#[from] Error),
    /// See the error of approvals.
    #[error(transparent)]
    Approval(#[from] approval::Error),
}

impl Sensitive for Reveal {
    const KIND: Kind = Kind::Reveal;

    /// The purpose, so that clauses can tell purposes apart.
    fn object(&self) -> String {
        self.purpose.clone()
    }

    fn check(&self) -> Result<(), String> {
        let is_known = |class: &String| catalogue::class(class).is_ok();
        let rules = [
            (
                is_pseudonym(&self.subject),
                "name the person by the pseudonym sub_…",
            ),
            (
                (1..=CLASSES_MAX).contains(&self.classes.len())
                    && self.classes.iter().all(is_known),
                "name 1 to 9 classes of the catalogue",
            ),
            (
                is_word(&self.purpose),
                "state a purpose of the privacy policy",
            ),
            ((1..=LOOKS_MAX).contains(&self.looks), "looks are 1 to 20"),
            (
                (1..=MINUTES_MAX).contains(&self.minutes),
                "minutes are 1 to 480",
            ),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, why)| Err(why.to_owned()))
    }
}

impl Vault {
    /// Opens a grant: from now on its time runs.
    pub async fn open_reveal(
        &self,
        approved: Approved<Reveal>,
        reason: &str,
    ) -> Result<(), RevealError> {
        let who = approved.who().clone();
        self.may_be_shown(&who, approved.command()).await?;
        let entry = |reveal: &Reveal| Entry {
            tenant: who.tenant,
            actor: who.actor,
            purpose: Purpose::from("values shown to staff").because(reason),
            action: "reveal.open",
            object: reveal.subject.clone(),
            rows: Vec::new(),
        };
        approved.carry_out(entry).await?;
        Ok(())
    }

    /// A look at the values of a grant, by whoever has opened it, while they may. Each value is
    /// decided about by the privacy policy as it is now.
    pub async fn look(
        &self,
        approvals: &Approvals,
        who: &Who,
        id: &str,
    ) -> Result<(OpenReveal, Vec<Revealed>), RevealError> {
        let carried = approvals.carried_out::<Reveal>(who, id).await?;
        let reveal = carried.command;
        let end = carried.at.micros() + i64::from(reveal.minutes) * MINUTE_US;
        let until = Timestamp::from_micros(end);
        let now = self.clock.now();
        if until <= now {
            return Err(RevealError::Over);
        }
        // One look at a time: of two at once the second counts the first.
        let _alone = self.looking.lock().await;
        let last = self
            .reader
            .database()
            .record(LOOK, id)
            .await
            .map_err(Error::from)?;
        let taken = last.map_or(0, |look| look.version);
        let left = i64::from(reveal.looks) - taken - 1;
        let left = u32::try_from(left).map_err(|_| RevealError::Spent)?;
        let actor = who.actor.to_string();
        let wait_us = self
            .budget
            .wait_us((&who.tenant, &actor), &reveal.subject, now);
        if let Some(wait_us) = wait_us.and_then(|wait_us| u64::try_from(wait_us).ok()) {
            return Err(RevealError::Throttled { wait_us });
        }
        let looked = budget::Looked {
            actor,
            subject: reveal.subject.clone(),
        };
        let look = RecordRow {
            tenant: who.tenant.clone(),
            kind: LOOK.to_owned(),
            id: id.to_owned(),
            version: taken + 1,
            written_at: now,
            body: serde_json::to_vec(&looked).map_err(|_| Error::Damaged)?,
        };
        let mut by = By::new(
            who.tenant.clone(),
            who.actor.clone(),
            reveal.purpose.clone(),
        );
        by.said.grant = Some(Grant {
            approval: id.to_owned(),
            look: look.clone(),
        });
        let values = self.values_of(&by, &reveal).await?;
        self.budget.take(&look)?;
        let approval = id.to_owned();
        Ok((
            OpenReveal {
                approval,
                reveal,
                until,
                left,
            },
            values,
        ))
    }

    async fn values_of(&self, by: &By, reveal: &Reveal) -> Result<Vec<Revealed>, Error> {
        let find = VaultFind::Subject(&reveal.subject);
        let found = self.reader.find(&by.tenant, find, VALUES_MAX).await?;
        let is_meant = |class: &String| reveal.classes.contains(class);
        let meant = found.into_iter().filter(|row| is_meant(&row.class));
        let tokens: Vec<_> = meant.map(|row| row.token).collect();
        if tokens.is_empty() {
            return Err(Error::SubjectUnknown);
        }
        let read = self.detokenize(by, &tokens).await?;
        let (shown, mut refused): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
        match (shown.is_empty(), refused.pop()) {
            (true, Some(Err(why))) => Err(why),
            _ => Ok(shown.into_iter().filter_map(Result::ok).collect()),
        }
    }

    /// Refuses a grant for which nothing could be shown.
    async fn may_be_shown(&self, who: &Who, reveal: &Reveal) -> Result<(), Error> {
        let by = By::new(
            who.tenant.clone(),
            who.actor.clone(),
            reveal.purpose.clone(),
        );
        for class in &reveal.classes {
            let mut last = Ok(());
            for collection in ["marketing", "contract", "evidence"] {
                let data = Data {
                    set: "vault",
                    collection,
                    field: class,
                };
                last = self.may(&by, data, Some(&reveal.subject)).await.map(drop);
                if last.is_ok() {
                    break;
                }
            }
            last?;
        }
        Ok(())
    }
}
