//! What decisions about personal data are made from, in memory: the policies and notices of every
//! company, and how persons stand.

use super::{
    Basis, Denial, Ground, Jurisdiction, Policy, PrivacyPolicyChange, Question, SHIPPED, decide,
};
use crate::{
    Error,
    notice::Books,
    subject::{Persons, persons::PERSONS_MAX},
};
use paywarden_access::approval::{Approved, Who};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Clock, Database, Entry, Purpose, RecordRow, Row};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, PoisonError, RwLock},
};
use utoipa::ToSchema;

/// What kind of record a policy is.
const POLICY: &str = "privacy_policy";
const PAGE: u32 = 500;

/// A policy and its number.
pub(crate) struct InForce {
    number: i64,
    text: String,
    pub(crate) policy: Policy,
}

impl InForce {
    /// Its number: 0 for the shipped one.
    pub(crate) fn number(&self) -> i64 {
        self.number
    }
}

/// Everything that is asked before personal data is handled.
pub(crate) struct Desk {
    pub(crate) books: Books,
    pub(crate) persons: Persons,
    policies: RwLock<HashMap<TenantId, Arc<InForce>>>,
    shipped: Arc<InForce>,
}

/// The policy that is in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PrivacyPolicy)]
pub struct PolicyInForce {
    /// Its number: 0 for the shipped one. A change names it.
    pub number: i64,
    /// Where people live of whom nothing else is known.
    pub jurisdiction: Jurisdiction,
    /// The purposes that may be stated.
    pub purposes: Vec<PurposeInForce>,
    /// The policy as it is written, in TOML.
    pub text: String,
}

/// A purpose that may be stated.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PrivacyPurpose)]
pub struct PurposeInForce {
    /// Its name.
    pub name: String,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: String,
    /// The notice and the clause that tell of it.
    pub told_in: String,
    /// Whether such a notice is in force now.
    pub is_told: bool,
    /// On what ground, by jurisdiction.
    pub bases: BTreeMap<&'static str, &'static Basis>,
}

impl Desk {
    /// Everything that the store knows.
    pub(crate) async fn load(database: &Database) -> Result<Self, Error> {
        let desk = Self {
            books: Books::load(database).await?,
            persons: Persons::load(database.clone(), PERSONS_MAX).await?,
            policies: RwLock::default(),
            shipped: shipped()?,
        };
        let mut after = String::new();
        loop {
            let page = database.records_newest(POLICY, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(desk);
            };
            after.clone_from(&last.id);
            for row in page {
                let text = String::from_utf8(row.body).map_err(|_| Error::Damaged)?;
                desk.put(row.tenant, row.version, text)?;
            }
        }
    }

    /// Decides about one use of one kind of data of one person.
    pub(crate) fn decide(&self, question: Question<'_>) -> Result<Ground, Denial> {
        let in_force = self.in_force(question.tenant);
        decide::decide(&in_force.policy, &self.books, question)
    }

    /// The policy of a company.
    pub(crate) fn in_force(&self, tenant: &TenantId) -> Arc<InForce> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        policies.get(tenant).unwrap_or(&self.shipped).clone()
    }

    /// The same, for whoever wants to read it.
    pub(crate) fn shown(&self, tenant: &TenantId, now: Timestamp) -> PolicyInForce {
        let in_force = self.in_force(tenant);
        let policy = &in_force.policy;
        let purposes = policy.purposes().into_iter().map(|purpose| {
            let (notice, clause) = purpose.told_in();
            let told = self.books.in_force(tenant, notice, now);
            let clause_of = |told: &Arc<crate::notice::Published>| {
                told.notice
                    .clause(clause)
                    .is_some_and(|clause| clause.covers(&purpose.name))
            };
            let grounds = Jurisdiction::ALL.into_iter();
            let grounds = grounds.filter_map(|one| Some((one.name(), purpose.basis(one)?)));
            PurposeInForce {
                name: purpose.name.clone(),
                dpv: purpose.dpv.clone(),
                told_in: format!("{notice}/{clause}"),
                is_told: told.as_ref().is_some_and(clause_of),
                bases: grounds.collect(),
            }
        });
        PolicyInForce {
            number: in_force.number,
            jurisdiction: policy.jurisdiction,
            purposes: purposes.collect(),
            text: in_force.text.clone(),
        }
    }

    /// Brings another policy into force. It holds for whatever is asked after this returns.
    pub(crate) async fn change_policy(
        &self,
        approved: Approved<PrivacyPolicyChange>,
        (reason, clock): (&str, &Clock),
    ) -> Result<(), ChangeError> {
        let who = approved.who().clone();
        if self.in_force(&who.tenant).number != approved.command().replaces {
            return Err(ChangeError::Moved);
        }
        let version = approved.command().replaces + 1;
        let entry =
            |change: &PrivacyPolicyChange| policy_entry(&who, (change, reason), clock.now());
        match approved.carry_out(entry).await {
            Ok(change) => Ok(self.put(who.tenant, version, change.text)?),
            Err(paywarden_access::approval::Error::Store(paywarden_store::Error::Conflict {
                ..
            })) => Err(ChangeError::Moved),
            Err(error) => Err(error.into()),
        }
    }

    fn put(&self, tenant: TenantId, number: i64, text: String) -> Result<(), Error> {
        let policy = Policy::parse(&text)?;
        let in_force = Arc::new(InForce {
            number,
            text,
            policy,
        });
        let mut policies = self
            .policies
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        policies.insert(tenant, in_force);
        Ok(())
    }
}

/// Why another policy did not come into force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Look at the one that is in force now.
    #[error("another privacy policy has come into force meanwhile: read it and ask for its change")]
    Moved,
    /// See the error of the vault.
    #[error(transparent)]
    Vault(#[from] Error),
    /// See the error of approvals.
    #[error(transparent)]
    Approval(#[from] paywarden_access::approval::Error),
}

fn policy_entry(
    who: &Who,
    (change, reason): (&PrivacyPolicyChange, &str),
    now: Timestamp,
) -> Entry {
    let row = RecordRow {
        tenant: who.tenant.clone(),
        kind: POLICY.to_owned(),
        id: who.tenant.as_str().to_owned(),
        version: change.replaces + 1,
        written_at: now,
        body: change.text.clone().into_bytes(),
    };
    Entry {
        tenant: who.tenant.clone(),
        actor: who.actor.clone(),
        purpose: Purpose::from("privacy policy").because(reason),
        action: "privacy.policy",
        object: POLICY.to_owned(),
        rows: vec![Row::Record(row)],
    }
}

/// The shipped policy. A test reads it, so that a program that was built has one.
fn shipped() -> Result<Arc<InForce>, Error> {
    static READ: LazyLock<Result<Policy, Error>> = LazyLock::new(|| Policy::parse(SHIPPED));
    let policy = READ.clone()?;
    let text = SHIPPED.to_owned();
    Ok(Arc::new(InForce {
        number: 0,
        text,
        policy,
    }))
}
