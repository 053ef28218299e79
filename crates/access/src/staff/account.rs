//! One member of staff, as kept: sealed, each change a version of its own.

use super::{Error, role::Roles};
use crate::{Author, Scopes, factor::Factors};
use paywarden_domain::{
    TenantId, Timestamp,
    time::{DAY, HOUR},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account that was not used for so long is disabled, in microseconds (PCI DSS 8.2.6).
pub const UNUSED_MAX: i64 = 90 * DAY;
/// How long an invitation is good for, in microseconds.
pub const INVITATION_MAX: i64 = 24 * HOUR;
/// The longest login name and name, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// The most roles of one account.
pub const ROLES_MAX: usize = 16;

/// A member of staff.
#[derive(Clone)]
pub struct Account {
    /// `stf_…`: what the trail calls them.
    pub id: String,
    /// Their company.
    pub tenant: TenantId,
    pub(crate) version: i64,
    pub(crate) body: Body,
}

/// What is sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) login: Option<String>,
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) grants: Vec<Grant>,
    pub(crate) invitation: Option<Invitation>,
    pub(crate) factors: Factors,
    pub(crate) locked_until: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
    /// From when on not being used counts.
    pub(crate) idle_from: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Invited,
    Active,
    Disabled,
}

/// What an account is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountStatus)]
pub enum Status {
    /// Its owner has not set up factors yet.
    Invited,
    /// Its owner may sign in.
    Active,
    /// Its passwords are not looked at for a while.
    Locked,
    /// Nobody may sign in.
    Disabled,
}

/// A role, by whom and when it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RoleGrant)]
pub struct Grant {
    /// Name of the role.
    pub role: String,
    /// `staff:…`, `key:…` or `system:…`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The approval that allowed it, if one was needed.
    pub approval: Option<String>,
}

/// A link that lets its holder set up factors, once.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) hash: [u8; 32],
    pub(crate) until: Timestamp,
}

impl Status {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Disabled => "disabled",
        }
    }
}

impl Account {
    /// What they sign in with; none before the first administrator has chosen one.
    pub fn login(&self) -> Option<&str> {
        self.body.login.as_deref()
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// Its roles.
    pub fn grants(&self) -> &[Grant] {
        &self.body.grants
    }

    /// Its factors.
    pub fn factors(&self) -> &Factors {
        &self.body.factors
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        self.body.created_at
    }

    /// When its owner last signed in.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.body.last_used_at
    }

    /// What it is now.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.body.state {
            State::Invited => Status::Invited,
            State::Disabled => Status::Disabled,
            State::Active if self.body.locked_until.is_some_and(|until| until > now) => {
                Status::Locked
            }
            State::Active => Status::Active,
        }
    }

    /// Gives it these roles and no others; those that it had stay as they were given.
    pub(crate) fn regrant(&mut self, roles: &[String], author: &Author, now: Timestamp) {
        self.body.grants = grants(roles, self.grants(), author, now);
    }

    /// Names of its roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> + Clone {
        self.body.grants.iter().map(|grant| grant.role.as_str())
    }

    /// What it may do.
    pub fn scopes(&self, roles: &Roles) -> Scopes {
        match self.is_active() {
            true => roles.scopes(self.roles()),
            false => Scopes::default(),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.body.state == State::Active
    }

    /// Whether it was not used for longer than accounts may be.
    pub(crate) fn is_unused(&self, now: Timestamp) -> bool {
        self.is_active() && now.micros() - self.body.idle_from.micros() > UNUSED_MAX
    }

    pub(crate) fn used(&mut self, now: Timestamp) {
        self.body.last_used_at = Some(now);
        self.body.idle_from = now;
    }
}

/// A login name as it is compared: without spaces around it, in lower case.
pub(crate) fn plain_login(login: &str) -> String {
    login.trim().to_lowercase()
}

/// Refuses names that are empty, long or not one line.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.trim().len());
    match fits && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Error::NameRefused(
            "a name has 1 to 200 bytes and no control characters",
        )),
    }
}

/// The same of login names, which have no spaces either. Names that attackers try first stand
/// for no one person (PCI DSS 2.2.2, 8.2.2).
pub(crate) fn check_login(login: &str) -> Result<(), Error> {
    const GENERIC: &[&str] = &[
        "admin",
        "administrator",
        "root",
        "test",
        "user",
        "guest",
        "demo",
        "operator",
        "system",
        "support",
        "service",
        "sa",
        "sysadmin",
    ];
    check_name(login)?;
    let login = plain_login(login);
    if login.chars().any(char::is_whitespace) {
        return Err(Error::NameRefused("a login name has no spaces"));
    }
    let local = login.split('@').next().unwrap_or_default();
    match GENERIC.contains(&local) {
        true => Err(Error::NameRefused("a login name stands for one person")),
        false => Ok(()),
    }
}

/// The grants of these roles; those that were there before stay as they were given.
pub(super) fn grants(
    roles: &[String],
    before: &[Grant],
    author: &Author,
    now: Timestamp,
) -> Vec<Grant> {
    let mut grants: Vec<Grant> = Vec::with_capacity(roles.len());
    for role in roles {
        if grants.iter().any(|grant| grant.role == *role) {
            continue;
        }
        let kept = before.iter().find(|grant| grant.role == *role).cloned();
        grants.push(kept.unwrap_or_else(|| Grant {
            role: role.clone(),
            by: author.actor.to_string(),
            at: now,
            approval: author.purpose.approval().map(str::to_owned),
        }));
    }
    grants
}
