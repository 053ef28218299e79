//! What people do with their own account: accept an invitation, set up factors.

use super::{
    Error, Factor, Member, Opened, PasswordQuestion, Staff,
    account::{Account, State, check_login, check_name},
    attempts::Subject,
    session::NewSession,
};
use crate::{
    Author, Network,
    factor::{
        Factors, PASSKEYS_MAX,
        passkey::{Challenge, Holder, NAME_BYTES_MAX, NamedPasskey},
        password::{CHARACTERS_MAX, REMEMBERED},
        recovery,
        totp::{TotpSetup, TotpState},
    },
};
use paywarden_domain::Timestamp;
use paywarden_store::Actor;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// What the invited person brings.
#[derive(Debug, Clone, Default)]
pub struct Acceptance {
    /// A login name, where the invitation has none.
    pub login: Option<String>,
    /// A name, where another one is wanted.
    pub name: Option<String>,
}

impl Staff {
    /// Takes an invitation, once: opens a session in which factors are set up and nothing else.
    pub async fn accept(
        &self,
        token: &str,
        acceptance: Acceptance,
        from: Network,
    ) -> Result<Opened, Error> {
        let (now, now_us) = self.now();
        let subjects = [Subject::Network(from)];
        self.attempts
            .begin(&subjects, now_us)
            .map_err(|wait_us| Error::Delayed { wait_us })?;
        let hash = self.invitation_hash(token);
        let holds = |account: &Account| {
            let invitation = account.body.invitation.as_ref();
            invitation.is_some_and(|one| one.hash == hash && one.until > now)
        };
        let mut everybody = self.everybody().into_iter();
        let invited = everybody.find(|account| holds(account));
        let invited = invited.ok_or(Error::InvitationUnknown)?;
        self.attempts.take_back(&subjects, now_us);
        let Acceptance { login, name } = acceptance;
        let author = Author {
            actor: Actor::Staff(invited.id.clone()),
            purpose: "invitation".into(),
        };
        self.change(author, "staff.accept", &invited.id, |account| {
            if !holds(account) {
                return Err(Error::InvitationUnknown);
            }
            if account.body.login.is_none() {
                let login = login.ok_or(Error::NameRefused("choose a login name"))?;
                check_login(&login)?;
                self.check_login_free(&login, &account.id)?;
                account.body.login = Some(login.trim().to_owned());
            }
            if let Some(name) = name {
                check_name(&name)?;
                account.body.name = name.trim().to_owned();
            }
            account.body.invitation = None;
            Ok(())
        })
        .await?;
        Ok(self.open_session(&invited, Factor::Invitation, from))
    }

    /// A challenge for a new passkey.
    pub fn passkey_setup(&self, member: &Member, from: Network) -> Result<Challenge, Error> {
        let account = &member.account;
        let passkeys = &account.factors().passkeys;
        if passkeys.len() >= PASSKEYS_MAX {
            return Err(Error::Limit("at most 10 passkeys of one account"));
        }
        let mut handle = [0; 16];
        let index = self.secrets.of("passkey handle", account.id.as_bytes());
        handle
            .iter_mut()
            .zip(index)
            .for_each(|(to, byte)| *to = byte);
        let holder = Holder {
            account: &account.id,
            login: account.login().unwrap_or_default(),
            name: account.name(),
            handle,
            passkeys,
        };
        self.passkeys
            .register(&holder, from, self.clock.monotonic_us())
    }

    /// Adds the passkey that answers the challenge. Somebody who was only invited, or came with a
    /// recovery code, is signed in with it.
    pub async fn add_passkey(
        &self,
        member: &Member,
        ceremony: &str,
        answer: &Value,
        name: &str,
    ) -> Result<Option<Opened>, Error> {
        check_name(name)?;
        if name.len() > NAME_BYTES_MAX {
            return Err(Error::NameRefused("a passkey's name has at most 100 bytes"));
        }
        let (now, now_us) = self.now();
        let id = &member.account.id;
        let key = self.passkeys.registered(id, ceremony, answer, now_us)?;
        let author = member.author("own factors");
        self.change(author, "staff.add_passkey", id, |account| {
            // Within the lock: a credential belongs to one account.
            let everybody = self.everybody();
            let mut known = everybody.iter().flat_map(|other| &other.factors().passkeys);
            if known.any(|other| other.key.cred_id() == key.cred_id()) {
                return Err(Error::PasskeyRefused);
            }
            let factors = &mut account.body.factors;
            if factors.passkeys.len() >= PASSKEYS_MAX {
                return Err(Error::Limit("at most 10 passkeys of one account"));
            }
            factors.passkeys.push(NamedPasskey {
                name: name.trim().to_owned(),
                added_at: now,
                key,
            });
            arrive(account, now);
            Ok(())
        })
        .await?;
        Ok(self.promote(member, Factor::Passkey))
    }

    /// Removes a passkey by its place in the list, unless it is the last way in.
    pub async fn remove_passkey(&self, member: &Member, place: usize) -> Result<(), Error> {
        self.remove_factor(member, "staff.remove_passkey", |factors| {
            removed(&mut factors.passkeys, place)
        })
        .await
    }

    /// Takes a factor away, unless it is the last way in. Other sessions of the account end.
    pub(super) async fn remove_factor(
        &self,
        member: &Member,
        action: &'static str,
        remove: impl FnOnce(&mut Factors) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let author = member.author("own factors");
        let id = &member.account.id;
        self.change(author, action, id, |account| {
            let factors = &mut account.body.factors;
            remove(factors)?;
            match factors.suffice() {
                true => Ok(()),
                false => Err(Error::LastFactor),
            }
        })
        .await?;
        self.sessions.end_all(id, Some(&member.session.id));
        Ok(())
    }

    /// Sets or changes the password. It lets nobody in before an authenticator application is set
    /// up beside it. Other sessions of the account end.
    pub async fn set_password(
        &self,
        member: &Member,
        password: Zeroizing<String>,
    ) -> Result<(), Error> {
        let account = &member.account;
        if password.chars().count() > CHARACTERS_MAX {
            return Err(Error::PasswordRefused(vec!["longer_than_128"]));
        }
        let password = normal(&password);
        let unmet = (self.password_rules)(PasswordQuestion {
            password: &password,
            login: account.login().unwrap_or_default(),
            name: account.name(),
        });
        if !unmet.is_empty() {
            return Err(Error::PasswordRefused(unmet));
        }
        for earlier in &account.factors().passwords {
            if self
                .passwords
                .verify(password.clone(), Some(earlier))
                .await?
            {
                return Err(Error::PasswordRefused(vec!["not_reused"]));
            }
        }
        let hash = self.passwords.hash(password, self.clock.now()).await?;
        let author = member.author("own factors");
        self.change(author, "staff.set_password", &account.id, |account| {
            let passwords = &mut account.body.factors.passwords;
            passwords.insert(0, hash);
            passwords.truncate(REMEMBERED);
            Ok(())
        })
        .await?;
        self.sessions.end_all(&account.id, Some(&member.session.id));
        Ok(())
    }

    /// A fresh secret for an authenticator application. The one in use, if any, stays in use until
    /// a code of the new one is shown.
    pub async fn totp_setup(&self, member: &Member) -> Result<TotpSetup, Error> {
        let fresh = TotpState::generate();
        let setup = fresh.setup(member.account.login().unwrap_or_default());
        let author = member.author("own factors");
        self.change(author, "staff.set_up_totp", &member.account.id, |account| {
            account.body.factors.totp_next = Some(fresh);
            Ok(())
        })
        .await?;
        Ok(setup)
    }

    /// Takes the first code of a new authenticator application, which from then on counts, and
    /// makes recovery codes for when it is lost.
    pub async fn confirm_totp(&self, member: &Member, code: &str) -> Result<Confirmed, Error> {
        let now = self.clock.now();
        let id = &member.account.id;
        let (codes, kept) = recovery::generate(&self.secrets, id);
        let author = member.author("own factors");
        self.change(author, "staff.confirm_totp", id, |account| {
            let factors = &mut account.body.factors;
            let next = factors.totp_next.as_mut().ok_or(Error::FactorUnknown)?;
            if factors.passwords.is_empty() {
                return Err(Error::FactorUnknown);
            }
            next.take(code, now)?;
            factors.totp = factors.totp_next.take();
            factors.recovery = kept;
            arrive(account, now);
            Ok(())
        })
        .await?;
        Ok(Confirmed {
            recovery_codes: codes,
            opened: self.promote(member, Factor::PasswordAndCode),
        })
    }

    /// Ten new recovery codes; the old ones end.
    pub async fn renew_recovery_codes(
        &self,
        member: &Member,
    ) -> Result<Vec<Zeroizing<String>>, Error> {
        let id = &member.account.id;
        let (codes, kept) = recovery::generate(&self.secrets, id);
        let author = member.author("own factors");
        self.change(author, "staff.renew_recovery_codes", id, |account| {
            let factors = &mut account.body.factors;
            if factors.totp.is_none() {
                return Err(Error::FactorUnknown);
            }
            factors.recovery = kept;
            Ok(())
        })
        .await?;
        Ok(codes)
    }

    pub(super) fn open_session(&self, account: &Account, factor: Factor, from: Network) -> Opened {
        let (now, now_us) = self.now();
        let new = NewSession {
            account: &account.id,
            tenant: &account.tenant,
            factor,
            network: from.to_string(),
        };
        self.sessions.open(&new, now, now_us)
    }

    /// Makes a session in which factors were set up a full one, once they suffice.
    pub(super) fn promote(&self, member: &Member, factor: Factor) -> Option<Opened> {
        if member.session.factor.is_full() {
            return None;
        }
        let now_us = self.clock.monotonic_us();
        self.sessions.prove(&member.session.id, factor, now_us)
    }
}

/// An authenticator application that counts from now on.
pub struct Confirmed {
    /// Each is good once, in place of a code of a lost application.
    pub recovery_codes: Vec<Zeroizing<String>>,
    /// The session, if it has become a full one.
    pub opened: Option<Opened>,
}

/// Takes out of a list of factors the one at a place.
pub(super) fn removed<T>(factors: &mut Vec<T>, place: usize) -> Result<(), Error> {
    if place >= factors.len() {
        return Err(Error::FactorUnknown);
    }
    factors.remove(place);
    Ok(())
}

/// An invited account whose factors suffice is active.
pub(super) fn arrive(account: &mut Account, now: Timestamp) {
    if account.body.state == State::Invited && account.body.factors.suffice() {
        account.body.state = State::Active;
        account.used(now);
    }
}

/// A password as it is hashed: in Unicode's form NFKC (NIST SP 800-63B-4, 3.1.1.2), whole.
pub(super) fn normal(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}
