//! Roles given by approval.

use super::{Error, Staff, account::ROLES_MAX};
use crate::{
    Author,
    approval::{Approved, Kind, Sensitive, Who},
};
use paywarden_store::{Actor, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const NAME_BYTES_MAX: usize = 64;

/// An account gets these roles and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    /// The account.
    pub account: String,
    /// All of its roles afterwards, each once.
    pub roles: Vec<String>,
}

impl Sensitive for RoleGrant {
    const KIND: Kind = Kind::RoleGrant;

    /// The roles in the order of their names with `+` between them; `none` if all are taken back.
    fn object(&self) -> String {
        let roles: BTreeSet<_> = self.roles.iter().map(String::as_str).collect();
        match roles.is_empty() {
            true => "none".to_owned(),
            false => roles.into_iter().collect::<Vec<_>>().join("+"),
        }
    }

    fn check(&self) -> Result<(), String> {
        let fits = |name: &String| (1..=NAME_BYTES_MAX).contains(&name.len());
        let distinct: BTreeSet<_> = self.roles.iter().collect();
        let names_fit = fits(&self.account) && self.roles.iter().all(fits);
        match names_fit && self.roles.len() <= ROLES_MAX && distinct.len() == self.roles.len() {
            true => Ok(()),
            false => Err("an account has at most 16 roles, each named once".to_owned()),
        }
    }
}

impl RoleGrant {
    /// Whoever gets the roles, as approvals name them: they do not approve it.
    pub fn beneficiary(&self) -> String {
        Actor::Staff(self.account.clone()).to_string()
    }
}

impl Staff {
    /// Refuses a grant that is not possible: to another company's account or one's own, of roles
    /// that do not exist or exclude each other.
    pub fn check_grant(&self, who: &Who, grant: &RoleGrant) -> Result<(), Error> {
        self.find(&who.tenant, &grant.account)?;
        if who.actor.to_string() == grant.beneficiary() {
            return Err(Error::Oneself);
        }
        self.check_roles(&grant.roles)
    }

    /// Gives an account its roles.
    pub async fn grant_roles(
        &self,
        approved: Approved<RoleGrant>,
        purpose: &str,
    ) -> Result<(), Error> {
        let (who, grant) = (approved.who().clone(), approved.command().clone());
        self.check_grant(&who, &grant)?;
        let purpose = Purpose::from("role grant").because(purpose);
        let author = Author {
            actor: who.actor,
            purpose: match approved.approval() {
                Some(approval) => purpose.approved_by(approval.to_owned()),
                None => purpose,
            },
        };
        let _changing = self.changing.lock().await;
        let mut account = self.find(&who.tenant, &grant.account)?.as_ref().clone();
        account.regrant(&grant.roles, &author, self.clock.now());
        account.version += 1;
        let entry = self.entry(author, "staff.set_roles", &account)?;
        let written = approved.carry_out(|_| entry).await;
        self.settle(account, written.map(drop).map_err(Error::from))
            .await
    }
}
