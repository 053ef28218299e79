//! Signing in, proving a factor again, and the end of sessions.
//!
//! *Invariant*: a name that does not exist is answered like one that does: the same refusal, after
//! the same work, with the same delays.

use super::{
    Account, Error, Factor, Member, Opened, Session, Staff, account::State, attempts::Subject,
    itself, own::normal,
};
use crate::{Author, Network, factor::passkey::Challenge, factor::recovery};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::Actor;
use serde_json::Value;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is shown beside a password.
pub enum SecondFactor {
    /// The code of an authenticator application.
    Code(String),
    /// A recovery code: it opens a session in which factors are set up and nothing else.
    RecoveryCode(Zeroizing<String>),
}

/// A factor that is proved again.
pub enum Proof<'a> {
    /// A passkey.
    Passkey {
        /// The ceremony of the challenge.
        ceremony: &'a str,
        /// What the browser answered.
        answer: &'a Value,
    },
    /// The code of an authenticator application.
    Code(&'a str),
}

impl Staff {
    /// A challenge for the passkeys of whoever has this login name.
    pub fn passkey_challenge(&self, login: &str, from: Network) -> Result<Challenge, Error> {
        let index = self.login_index(login);
        let account = self.by_login(index);
        let account = account.as_deref().filter(|account| account.is_active());
        let keys = account.map(|account| (account.id.as_str(), &*account.factors().passkeys));
        let decoy = self.secrets.of("decoy passkey", &index);
        self.passkeys
            .authenticate(keys, decoy, from, self.clock.monotonic_us())
    }

    /// Opens a session for whose passkey has answered.
    pub async fn sign_in_by_passkey(
        &self,
        ceremony: &str,
        answer: &Value,
        from: Network,
    ) -> Result<Opened, Error> {
        let subjects = [Subject::Network(from)];
        let now_us = self.begin_try(&subjects)?;
        let (id, result) = self.passkeys.authenticated(ceremony, answer, now_us)?;
        let now = self.clock.now();
        let author = signing_in(&id);
        let changed = self.change(author, "staff.sign_in", &id, |account| {
            let keys = &mut account.body.factors.passkeys;
            let known = keys
                .iter_mut()
                .any(|named| named.key.update_credential(&result).is_some());
            match known && account.is_active() {
                true => {
                    account.used(now);
                    Ok(())
                }
                false => Err(Error::SignInRefused),
            }
        });
        changed.await?;
        self.attempts.take_back(&subjects, now_us);
        let account = self.get(&id).ok_or(Error::SignInRefused)?;
        Ok(self.open_session(&account, Factor::Passkey, from))
    }

    /// Opens a session for whoever knows the password of a name and shows a second factor.
    pub async fn sign_in_by_password(
        &self,
        login: &str,
        password: Zeroizing<String>,
        second: SecondFactor,
        from: Network,
    ) -> Result<Opened, Error> {
        let index = self.login_index(login);
        let subjects = [Subject::Name(index), Subject::Network(from)];
        let now_us = self.begin_try(&subjects)?;
        let account = self.by_login(index);
        let stored = account.as_ref().and_then(|one| one.factors().password());
        let is_right = match self.passwords.verify(normal(&password), stored).await {
            // No guess at the name, but the network's try: who floods uses up its own.
            Err(Error::Busy) => {
                self.attempts.take_back(&[Subject::Name(index)], now_us);
                return Err(Error::Busy);
            }
            result => result?,
        };
        let chosen_at = stored.map(|stored| stored.set_at);
        let factor = match &second {
            SecondFactor::Code(_) => Factor::PasswordAndCode,
            SecondFactor::RecoveryCode(_) => Factor::RecoveryCode,
        };
        let Some(account) = account.clone().filter(|_| is_right) else {
            self.refuse(account, index).await?;
            return Err(Error::SignInRefused);
        };
        match self.enter(&account, chosen_at, &second).await {
            Ok(()) => {}
            Err(Error::CodeRefused | Error::SignInRefused) => {
                self.refuse(Some(account), index).await?;
                return Err(Error::SignInRefused);
            }
            Err(error) => return Err(error),
        }
        self.passwords.let_in();
        self.attempts.take_back(&subjects, now_us);
        self.attempts.forget(index);
        Ok(self.open_session(&account, factor, from))
    }

    /// A challenge for the passkeys of whoever is signed in.
    pub fn proof_challenge(&self, member: &Member, from: Network) -> Result<Challenge, Error> {
        let account = &member.account;
        let passkeys = &account.factors().passkeys;
        if passkeys.is_empty() {
            return Err(Error::FactorUnknown);
        }
        let keys = Some((account.id.as_str(), passkeys.as_slice()));
        self.passkeys
            .authenticate(keys, [0; 32], from, self.clock.monotonic_us())
    }

    /// Proves a factor again: for five minutes sensitive commands are taken. The session gets new
    /// tokens.
    pub async fn prove(
        &self,
        member: &Member,
        proof: Proof<'_>,
        from: Network,
    ) -> Result<Opened, Error> {
        let entered = member.session.factor;
        if !entered.may_prove() {
            return Err(Error::State("not signed in fully"));
        }
        let login = self.login_index(member.account.login().unwrap_or_default());
        let by_passkey = [Subject::Network(from)];
        let by_code = [Subject::Name(login), Subject::Network(from)];
        let (subjects, factor) = match &proof {
            Proof::Passkey { .. } => (&by_passkey[..], Factor::Passkey),
            Proof::Code(_) => (&by_code[..], entered.with_code()),
        };
        let now_us = self.begin_try(subjects)?;
        let now = self.clock.now();
        let id = &member.account.id;
        let answered = match &proof {
            Proof::Passkey { ceremony, answer } => {
                let (owner, result) = self.passkeys.authenticated(ceremony, answer, now_us)?;
                if owner != *id {
                    return Err(Error::CeremonyUnknown);
                }
                Some(result)
            }
            Proof::Code(_) => None,
        };
        let author = member.author("proof of a factor");
        self.change(author, "staff.prove", id, |account| {
            let factors = &mut account.body.factors;
            match (&proof, &answered) {
                (Proof::Code(code), _) => take_code(factors.totp.as_mut(), code, now)?,
                (_, Some(result)) => {
                    let mut keys = factors.passkeys.iter_mut();
                    let known = keys.any(|named| named.key.update_credential(result).is_some());
                    known.then_some(()).ok_or(Error::SignInRefused)?;
                }
                _ => return Err(Error::SignInRefused),
            }
            account.used(now);
            Ok(())
        })
        .await?;
        self.attempts.take_back(subjects, now_us);
        let opened = self.sessions.prove(&member.session.id, factor, now_us);
        opened.ok_or(Error::SessionUnknown)
    }

    /// The sessions of an account of a company, oldest first, each with the microseconds since it
    /// was last used.
    pub fn sessions(&self, tenant: &TenantId, id: &str) -> Result<Vec<(Session, u64)>, Error> {
        self.find(tenant, id)?;
        let now_us = self.clock.monotonic_us();
        let sessions = self.sessions.of_account(id, now_us).into_iter();
        let with_idle = sessions.map(|session| {
            let idle_us = session.idle_us(now_us);
            (session, idle_us)
        });
        Ok(with_idle.collect())
    }

    /// Has the next sensitive command of an account ask for a fresh factor.
    pub(crate) fn ask_again(&self, id: &str) {
        self.sessions.ask_again(id);
    }

    /// Ends one session of an account, or all of them.
    pub async fn end_sessions(
        &self,
        author: Author,
        tenant: &TenantId,
        id: &str,
        session: Option<&str>,
    ) -> Result<(), Error> {
        self.find(tenant, id)?;
        let ended = match session {
            Some(session) => self.sessions.end(id, session),
            None => self.sessions.end_all(id, None) > 0,
        };
        if !ended {
            return Err(Error::SessionUnknown);
        }
        self.note(tenant, author, "staff.end_sessions", id.to_owned())
            .await
    }

    /// Counts a try, or refuses it because of earlier ones; the time at which it counts.
    pub(super) fn begin_try(&self, subjects: &[Subject]) -> Result<u64, Error> {
        let now_us = self.clock.monotonic_us();
        match self.attempts.begin(subjects, now_us) {
            Ok(()) => Ok(now_us),
            Err(wait_us) => Err(Error::Delayed { wait_us }),
        }
    }

    /// Takes the second factor, once, of an account whose password was right.
    async fn enter(
        &self,
        account: &Account,
        chosen_at: Option<Timestamp>,
        second: &SecondFactor,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let author = signing_in(&account.id);
        self.change(author, "staff.sign_in", &account.id, |account| {
            let factors = &mut account.body.factors;
            // The password that was right is still the password.
            if factors.password().map(|password| password.set_at) != chosen_at
                || account.body.state != State::Active
            {
                return Err(Error::SignInRefused);
            }
            match second {
                SecondFactor::Code(code) => take_code(factors.totp.as_mut(), code, now)?,
                SecondFactor::RecoveryCode(code) => {
                    let hash = recovery::hash(&self.secrets, &account.id, code);
                    let left = factors.recovery.iter().position(|kept| *kept == hash);
                    factors.recovery.remove(left.ok_or(Error::CodeRefused)?);
                }
            }
            account.body.locked_until = None;
            account.used(now);
            Ok(())
        })
        .await
    }

    /// Leaves a leaf for a refusal, and locks the account if there were too many.
    async fn refuse(&self, account: Option<Arc<Account>>, login: [u8; 32]) -> Result<(), Error> {
        let Some(account) = account else {
            // No company can be named: the leaf would stand in a tree that is nobody's.
            return Ok(());
        };
        let author = itself("wrong password or second factor");
        if !self.attempts.is_locked(login) {
            let object = account.id.clone();
            return self
                .note(&account.tenant, author, "staff.refuse_sign_in", object)
                .await;
        }
        let until = self.clock.now().micros() + super::LOCK_US.cast_signed();
        self.change(author, "staff.lock", &account.id, |account| {
            account.body.locked_until = Some(Timestamp::from_micros(until));
            Ok(())
        })
        .await
    }
}

fn take_code(
    totp: Option<&mut crate::factor::totp::TotpState>,
    code: &str,
    now: Timestamp,
) -> Result<(), Error> {
    totp.ok_or(Error::CodeRefused)?.take(code, now)
}

pub(super) fn signing_in(id: &str) -> Author {
    Author {
        actor: Actor::Staff(id.to_owned()),
        purpose: "sign-in".into(),
    }
}
