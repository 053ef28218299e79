//! What administrators do with the accounts of others.

use super::{
    ACCOUNTS_MAX, Account, Error, Staff, Status,
    account::{
        Body, INVITATION_MAX, Invitation, ROLES_MAX, State, check_login, check_name, grants,
    },
    itself,
    role::Duty,
    session,
};
use crate::{Author, Scope, factor::Factors};
use paywarden_domain::{TenantId, Timestamp, time::HOUR};
use std::sync::{Arc, PoisonError};
use zeroize::Zeroizing;

/// The role of the first person of an installation.
pub const FIRST_ROLE: &str = "system_administrator";
/// The role whose first holder they may invite, too: without keys no program calls.
const FIRST_CUSTODIAN: &str = "key_custodian";

/// A wall clock that has moved by so much more or less than time has passed has jumped.
const CLOCK_JUMP_US: u64 = HOUR as u64;

/// Who is invited.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What they will sign in with; without one they choose it themselves.
    pub login: Option<String>,
    /// For people.
    pub name: String,
    /// Roles given at once.
    pub roles: Vec<String>,
}

/// An invitation, with the half that only the invited person gets.
pub struct Invited {
    /// The account.
    pub account: Arc<Account>,
    /// The secret of the link: shown once, kept as its hash.
    pub token: Zeroizing<String>,
    /// Until when it is good.
    pub until: Timestamp,
}

impl Invited {
    /// The link: its secret stands behind `#`, which browsers keep to themselves.
    pub fn link(&self, origin: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{origin}/invitation#{}", self.token.as_str()))
    }
}

impl Staff {
    /// Makes an account whose owner sets up factors with a link.
    ///
    /// Whoever may invite may not grant, with one exception, without which nobody could ever
    /// grant: the first holder of another administrator's role. `granter` may do both.
    pub async fn invite(
        &self,
        author: Author,
        tenant: &TenantId,
        new: NewAccount,
        granter: Granter,
    ) -> Result<Invited, Error> {
        check_name(&new.name)?;
        if let Some(login) = &new.login {
            check_login(login)?;
        }
        self.check_roles(&new.roles)?;
        if granter == Granter::Inviter && !self.founds(tenant, &new.roles) {
            return Err(Error::GrantForbidden);
        }
        let _changing = self.changing.lock().await;
        if self.everybody().len() >= ACCOUNTS_MAX {
            return Err(Error::Limit("at most 10,000 accounts"));
        }
        if let Some(login) = &new.login {
            self.check_login_free(login, "")?;
        }
        let now = self.clock.now();
        let (token, invitation) = self.invitation(now);
        let until = invitation.until;
        let account = Account {
            id: format!(
                "stf_{:024x}",
                u128::from_be_bytes(self.clock.random()) >> 32
            ),
            tenant: tenant.clone(),
            version: 1,
            body: Body {
                login: new.login.map(|login| login.trim().to_owned()),
                name: new.name.trim().to_owned(),
                state: State::Invited,
                grants: grants(&new.roles, &[], &author, now),
                invitation: Some(invitation),
                factors: Factors::default(),
                locked_until: None,
                created_at: now,
                last_used_at: None,
                idle_from: now,
            },
        };
        let id = account.id.clone();
        self.write(author, "staff.invite", account).await?;
        let account = self.get(&id).ok_or(Error::AccountUnknown)?;
        Ok(Invited {
            account,
            token,
            until,
        })
    }

    /// Invites again: the factors of the account and its sessions end, and so does an earlier link.
    pub async fn invite_again(
        &self,
        author: Author,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Invited, Error> {
        self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        let now = self.clock.now();
        let (token, invitation) = self.invitation(now);
        let until = invitation.until;
        self.change(author, "staff.invite_again", id, |account| {
            if account.body.state == State::Disabled {
                return Err(Error::State("disabled"));
            }
            account.body.state = State::Invited;
            account.body.factors = Factors::default();
            account.body.invitation = Some(invitation);
            account.body.locked_until = None;
            Ok(())
        })
        .await?;
        self.sessions.end_all(id, None);
        let account = self.find(tenant, id)?;
        Ok(Invited {
            account,
            token,
            until,
        })
    }

    /// The link of the first administrator: as long as nobody has ever set up factors, each call
    /// makes a new one and ends the one before. None once somebody has.
    pub async fn first_administrator(&self, tenant: &TenantId) -> Result<Option<Invited>, Error> {
        let everybody = self.everybody();
        let has_begun = |account: &Arc<Account>| account.body.state != State::Invited;
        if everybody.iter().any(has_begun) {
            return Ok(None);
        }
        let author = itself("first start");
        let first = everybody
            .iter()
            .find(|account| account.login().is_none() && account.roles().eq([FIRST_ROLE]));
        let invited = match first {
            Some(first) => self.invite_again(author, &first.tenant, &first.id).await?,
            None => {
                let new = NewAccount {
                    login: None,
                    name: "First administrator".to_owned(),
                    roles: vec![FIRST_ROLE.to_owned()],
                };
                self.invite(author, tenant, new, Granter::Anybody).await?
            }
        };
        Ok(Some(invited))
    }

    /// Gives an account these roles and no others. Nobody changes their own.
    pub async fn set_roles(
        &self,
        author: Author,
        tenant: &TenantId,
        id: &str,
        roles: &[String],
    ) -> Result<(), Error> {
        self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        self.check_roles(roles)?;
        let now = self.clock.now();
        let by = author.clone();
        self.change(author, "staff.set_roles", id, |account| {
            account.regrant(roles, &by, now);
            Ok(())
        })
        .await
    }

    /// Lets nobody sign in to an account any more, and ends its sessions.
    pub async fn disable(&self, author: Author, tenant: &TenantId, id: &str) -> Result<(), Error> {
        self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        self.change(author, "staff.disable", id, |account| {
            if account.body.state == State::Disabled {
                return Err(Error::State("disabled already"));
            }
            account.body.state = State::Disabled;
            account.body.invitation = None;
            Ok(())
        })
        .await?;
        self.sessions.end_all(id, None);
        Ok(())
    }

    /// Takes a disabling back.
    pub async fn enable(&self, author: Author, tenant: &TenantId, id: &str) -> Result<(), Error> {
        self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        let now = self.clock.now();
        self.change(author, "staff.enable", id, |account| {
            if account.body.state != State::Disabled {
                return Err(Error::State("not disabled"));
            }
            account.body.state = match account.body.factors.suffice() {
                true => State::Active,
                false => State::Invited,
            };
            account.body.idle_from = now;
            Ok(())
        })
        .await
    }

    /// Has passwords of an account looked at again before its lock ends by itself.
    pub async fn unlock(&self, author: Author, tenant: &TenantId, id: &str) -> Result<(), Error> {
        let account = self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        let now = self.clock.now();
        self.change(author, "staff.unlock", id, |account| {
            if account.status(now) != Status::Locked {
                return Err(Error::State("not locked"));
            }
            account.body.locked_until = None;
            Ok(())
        })
        .await?;
        if let Some(login) = account.login() {
            self.attempts.forget(self.login_index(login));
        }
        Ok(())
    }

    /// Disables every account that was not used for ninety days; their identifiers. To be called
    /// every hour or so: when the wall clock has jumped since the call before, or at the first
    /// call, nobody is disabled, because it is the clock that may be wrong.
    pub async fn disable_unused(&self) -> Result<Vec<String>, Error> {
        let (now, now_us) = self.now();
        let before = self
            .looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace((now, now_us));
        let mut disabled = Vec::new();
        if !before.is_some_and(|before| is_steady(before, (now, now_us))) {
            return Ok(disabled);
        }
        for account in self.everybody() {
            if account.is_unused(now) {
                let author = itself("not used for 90 days");
                self.disable(author, &account.tenant, &account.id).await?;
                disabled.push(account.id.clone());
            }
        }
        Ok(disabled)
    }

    pub(super) fn not_oneself(&self, author: &Author, id: &str) -> Result<(), Error> {
        match &author.actor {
            paywarden_store::Actor::Staff(actor) if actor == id => Err(Error::Oneself),
            _ => Ok(()),
        }
    }

    /// Refuses roles that do not exist and such as exclude each other.
    pub(super) fn check_roles(&self, names: &[String]) -> Result<(), Error> {
        if names.len() > ROLES_MAX {
            return Err(Error::Limit("at most 16 roles of one account"));
        }
        let unknown = names.iter().find(|name| self.roles.find(name).is_none());
        if let Some(name) = unknown {
            return Err(Error::RoleUnknown(name.clone()));
        }
        let conflicts = self.roles.conflicts(names.iter().map(String::as_str));
        match conflicts.is_empty() {
            true => Ok(()),
            false => Err(Error::RolesConflict(conflicts)),
        }
    }

    /// Whether these are no roles, or one whose first holder is wanted: of an administrator whose
    /// duty nobody has yet, or of whoever looks after keys.
    fn founds(&self, tenant: &TenantId, names: &[String]) -> bool {
        let duty_of = |name: &str| self.roles.find(name).and_then(|role| role.duty);
        let is_open = |duty: Duty| {
            let mut all = self.all(tenant).into_iter();
            !all.any(|account| account.roles().any(|role| duty_of(role) == Some(duty)))
        };
        match names {
            [] => true,
            [name] if name == FIRST_CUSTODIAN => {
                let mut all = self.all(tenant).into_iter();
                !all.any(|account| account.roles().any(|role| role == FIRST_CUSTODIAN))
            }
            [name] => duty_of(name).is_some_and(is_open),
            _ => false,
        }
    }

    fn invitation(&self, now: Timestamp) -> (Zeroizing<String>, Invitation) {
        let token = Zeroizing::new(session::text::<32>());
        let until = Timestamp::from_micros(now.micros() + INVITATION_MAX);
        let hash = self.invitation_hash(&token);
        (token, Invitation { hash, until })
    }

    pub(super) fn invitation_hash(&self, token: &str) -> [u8; 32] {
        self.secrets.of("invitation", token.as_bytes())
    }
}

/// Who stands behind roles given with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granter {
    /// Only whoever invites: no roles, but for the first of each administrator and the first key
    /// custodian.
    Inviter,
    /// Somebody who may give any role: the operator at the machine.
    Anybody,
}

impl Granter {
    /// What somebody with these scopes is.
    pub fn of(scopes: crate::Scopes) -> Self {
        match scopes.contains(Scope::RolesGrant) {
            true => Self::Anybody,
            false => Self::Inviter,
        }
    }
}

/// Whether the wall clock has moved as much as time has passed, but for less than an hour.
fn is_steady(before: (Timestamp, u64), now: (Timestamp, u64)) -> bool {
    let wall_us = now.0.micros() - before.0.micros();
    let passed_us = now.1.saturating_sub(before.1).cast_signed();
    wall_us.abs_diff(passed_us) < CLOCK_JUMP_US
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_either_way_is_not_steady() {
        let start = 1_790_000_000_000_000;
        let hours = |wall: i64, passed: u64| {
            let wall = Timestamp::from_micros(start + wall * HOUR);
            is_steady(
                (Timestamp::from_micros(start), 7),
                (wall, 7 + passed * HOUR.unsigned_abs()),
            )
        };
        assert!(hours(1, 1) && hours(0, 0) && hours(2_400, 2_400));
        for (wall, passed) in [(2_161, 1), (2, 1), (-2, 1), (0, 1)] {
            assert!(!hours(wall, passed), "{wall} {passed}");
        }
    }
}
