//! Sessions: in memory, by the hash of what the cookie holds.
//!
//! Time is counted by the clock that never goes back, so that setting the other one neither ends nor
//! prolongs a session. What becomes of them at a restart is [`super::restart`]'s.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paywarden_crypto::{digest::sha256, random};
use paywarden_domain::{
    TenantId, Timestamp,
    time::{HOUR, MINUTE},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A session ends when nothing was asked of it for so long, in microseconds (PCI DSS 8.2.8).
pub const IDLE_US: u64 = 15 * MINUTE as u64;
/// And in any case after so long.
pub const LIFE_US: u64 = 12 * HOUR as u64;
/// A factor is fresh for so long: sensitive commands ask for a fresh one.
pub const FRESH_US: u64 = 5 * MINUTE as u64;
/// Sessions of one account; one more ends the oldest.
pub const PER_ACCOUNT_MAX: usize = 10;
/// Sessions of all accounts; one more ends the oldest.
pub const SESSIONS_MAX: usize = 20_000;

const TOKEN_BYTES: usize = 32;

/// What let a person in. With a recovery code or an invitation factors are set up and nothing else;
/// with a provider that is no cryptographic factor another factor is proved and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// A passkey.
    Passkey,
    /// A password and the code of an authenticator application.
    PasswordAndCode,
    /// A password and a recovery code.
    RecoveryCode,
    /// An invitation.
    Invitation,
    /// A provider whose word is a cryptographic factor.
    Provider,
    /// A provider, and the code of an authenticator application.
    ProviderAndCode,
    /// A provider, and nothing else yet.
    ProviderAlone,
}

impl Factor {
    /// Whether it lets a person do more than set up factors.
    pub fn is_full(self) -> bool {
        match self {
            Self::Passkey | Self::PasswordAndCode | Self::Provider | Self::ProviderAndCode => true,
            Self::RecoveryCode | Self::Invitation | Self::ProviderAlone => false,
        }
    }

    /// What it is together with the code of an authenticator application.
    pub(crate) fn with_code(self) -> Self {
        match self {
            Self::Provider | Self::ProviderAndCode | Self::ProviderAlone => Self::ProviderAndCode,
            _ => Self::PasswordAndCode,
        }
    }

    /// Whether factors can be set up with it: not by whoever has yet to prove one.
    pub fn may_set_up(self) -> bool {
        self != Self::ProviderAlone
    }

    /// Whether a factor can be proved with it: again, or for the first time.
    pub fn may_prove(self) -> bool {
        self.is_full() || self == Self::ProviderAlone
    }
}

/// A session, without what the cookie holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// `ses_…`: names it where it is listed or ended.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// The account's company.
    pub tenant: TenantId,
    /// What opened it.
    pub factor: Factor,
    /// When it was opened, for people.
    pub opened_at: Timestamp,
    /// Where from.
    pub network: String,
    /// Sent with every command, beside the cookie, by pages that could read it.
    pub csrf: String,
    /// This and what follows by the process's own clock, negative if before it started.
    opened_us: i64,
    seen_us: i64,
    /// When a factor was last proved; none if it has to be proved again.
    proved_us: Option<i64>,
}

impl Session {
    /// Whether a factor was proved within the last five minutes.
    pub fn is_fresh(&self, now_us: u64) -> bool {
        let is_recent = |proved_us: i64| since(proved_us, now_us) < FRESH_US;
        self.factor.is_full() && self.proved_us.is_some_and(is_recent)
    }

    /// Microseconds since it was last used.
    pub fn idle_us(&self, now_us: u64) -> u64 {
        since(self.seen_us, now_us)
    }

    fn is_over(&self, now_us: u64) -> bool {
        self.idle_us(now_us) >= IDLE_US || since(self.opened_us, now_us) >= LIFE_US
    }

    /// The same session by another clock, which showed so much more at the same moment.
    pub(crate) fn by_clock_ahead(self, ahead_us: i64) -> Self {
        let moved = |at_us: i64| at_us.saturating_add(ahead_us);
        Self {
            opened_us: moved(self.opened_us),
            seen_us: moved(self.seen_us),
            proved_us: self.proved_us.map(moved),
            ..self
        }
    }
}

fn since(at_us: i64, now_us: u64) -> u64 {
    let elapsed_us = signed(now_us).saturating_sub(at_us);
    u64::try_from(elapsed_us).unwrap_or(0)
}

fn signed(now_us: u64) -> i64 {
    i64::try_from(now_us).unwrap_or(i64::MAX)
}

/// A session just opened or given a new token.
pub struct Opened {
    /// What the cookie holds; kept nowhere.
    pub token: Zeroizing<String>,
    /// The session.
    pub session: Session,
}

/// What a new session is for.
pub(crate) struct NewSession<'a> {
    pub(crate) account: &'a str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) factor: Factor,
    pub(crate) network: String,
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    pub(crate) fn open(&self, new: &NewSession<'_>, now: Timestamp, now_us: u64) -> Opened {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| !session.is_over(now_us));
        let own = |session: &Session| session.account == new.account;
        if all.values().filter(|session| own(session)).count() >= PER_ACCOUNT_MAX {
            end_oldest(&mut all, own);
        }
        if all.len() >= SESSIONS_MAX {
            end_oldest(&mut all, |_| true);
        }
        let session = Session {
            id: format!("ses_{}", text::<12>()),
            account: new.account.to_owned(),
            tenant: new.tenant.clone(),
            factor: new.factor,
            opened_at: now,
            network: new.network.clone(),
            csrf: text::<TOKEN_BYTES>(),
            opened_us: signed(now_us),
            seen_us: signed(now_us),
            proved_us: Some(signed(now_us)),
        };
        put(&mut all, session)
    }

    /// The session of a cookie, which counts as used now.
    pub(crate) fn find(&self, token: &str, now_us: u64) -> Option<Session> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = sha256(token.as_bytes());
        let session = all.get_mut(&key)?;
        if session.is_over(now_us) {
            all.remove(&key);
            return None;
        }
        session.seen_us = signed(now_us);
        Some(session.clone())
    }

    /// The session of a cookie, which does not count as used.
    pub(crate) fn peek(&self, token: &str, now_us: u64) -> Option<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get(&sha256(token.as_bytes()))?;
        (!session.is_over(now_us)).then(|| session.clone())
    }

    /// Gives a session another token and notes that a factor was proved. The old token ends.
    pub(crate) fn prove(&self, id: &str, factor: Factor, now_us: u64) -> Option<Opened> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = *all.iter().find(|(_, session)| session.id == id)?.0;
        let session = all.remove(&key)?;
        if session.is_over(now_us) {
            return None;
        }
        let session = Session {
            factor,
            csrf: text::<TOKEN_BYTES>(),
            seen_us: signed(now_us),
            proved_us: Some(signed(now_us)),
            ..session
        };
        Some(put(&mut all, session))
    }

    /// Forgets when the sessions of an account last proved a factor.
    pub(crate) fn ask_again(&self, account: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for session in all
            .values_mut()
            .filter(|session| session.account == account)
        {
            session.proved_us = None;
        }
    }

    /// Ends one session of an account; whether there was one.
    pub(crate) fn end(&self, account: &str, id: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|_, session| session.account != account || session.id != id);
        all.len() < before
    }

    /// Ends every session of an account but one; how many those were.
    pub(crate) fn end_all(&self, account: &str, but: Option<&str>) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|_, session| {
            session.account != account || but.is_some_and(|kept| session.id == kept)
        });
        before - all.len()
    }

    /// Every session with the hash of its token.
    pub(crate) fn all(&self) -> Vec<([u8; 32], Session)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.iter();
        all.map(|(key, session)| (*key, session.clone())).collect()
    }

    /// Takes up a session that was another process's.
    pub(crate) fn take_up(&self, key: [u8; 32], session: Session) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, session);
    }

    /// The sessions of an account, oldest first.
    pub(crate) fn of_account(&self, account: &str, now_us: u64) -> Vec<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all
            .values()
            .filter(|session| session.account == account && !session.is_over(now_us));
        let mut own: Vec<Session> = own.cloned().collect();
        own.sort_by_key(|session| session.opened_us);
        own
    }
}

fn put(all: &mut HashMap<[u8; 32], Session>, session: Session) -> Opened {
    let token = Zeroizing::new(text::<TOKEN_BYTES>());
    all.insert(sha256(token.as_bytes()), session.clone());
    Opened { token, session }
}

fn end_oldest(all: &mut HashMap<[u8; 32], Session>, which: impl Fn(&Session) -> bool) {
    let oldest = all
        .iter()
        .filter(|(_, session)| which(session))
        .min_by_key(|(_, session)| session.seen_us)
        .map(|(key, _)| *key);
    oldest.and_then(|key| all.remove(&key));
}

/// So many random bytes as text.
pub(crate) fn text<const BYTES: usize>() -> String {
    let mut bytes = Zeroizing::new([0; BYTES]);
    random::fill(bytes.as_mut_slice());
    URL_SAFE_NO_PAD.encode(bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn open(sessions: &Sessions, account: &str, now_us: u64) -> Opened {
        let new = NewSession {
            account,
            tenant: &TenantId::parse("acme").unwrap(),
            factor: Factor::Passkey,
            network: "127.0.0.0/24".to_owned(),
        };
        sessions.open(&new, NOW, now_us)
    }

    #[test]
    fn idle_ones_end_after_fifteen_minutes_and_busy_ones_after_twelve_hours() {
        let sessions = Sessions::default();
        let idle = open(&sessions, "a", 0);
        assert!(sessions.find(&idle.token, IDLE_US - 1).is_some());
        assert!(sessions.find(&idle.token, 2 * IDLE_US - 2).is_some());
        assert!(sessions.find(&idle.token, 3 * IDLE_US - 2).is_none());
        let busy = open(&sessions, "a", 0);
        let step = IDLE_US / 2;
        let seen = (1..).take_while(|n| sessions.find(&busy.token, n * step).is_some());
        assert_eq!(seen.count() as u64 + 1, LIFE_US / step);
        assert!(sessions.of_account("a", LIFE_US).is_empty());
    }

    #[test]
    fn a_proof_changes_both_tokens_and_ends_the_old_ones() {
        let sessions = Sessions::default();
        let before = open(&sessions, "a", 0);
        let later = FRESH_US;
        let session = sessions.find(&before.token, later).unwrap();
        assert!(session.is_fresh(later - 1) && !session.is_fresh(later));
        let after = sessions.prove(&session.id, Factor::Passkey, later).unwrap();
        assert!(sessions.find(&before.token, later).is_none());
        let session = sessions.find(&after.token, later).unwrap();
        assert!(session.is_fresh(later) && session.id == before.session.id);
        assert_ne!(session.csrf, before.session.csrf);
    }

    #[test]
    fn sessions_end_by_their_owner_alone_and_are_few() {
        let sessions = Sessions::default();
        let one = open(&sessions, "a", 0);
        assert!(!sessions.end("b", &one.session.id));
        assert!(sessions.end("a", &one.session.id));
        assert!(sessions.find(&one.token, 1).is_none());
        let all: Vec<_> = (0..=PER_ACCOUNT_MAX as u64)
            .map(|number| open(&sessions, "a", number))
            .collect();
        assert_eq!(sessions.of_account("a", 20).len(), PER_ACCOUNT_MAX);
        assert!(sessions.find(&all[0].token, 20).is_none());
        let other = open(&sessions, "b", 20);
        assert_eq!(
            sessions.end_all("a", Some(&all[5].session.id)),
            PER_ACCOUNT_MAX - 1
        );
        assert!(sessions.find(&other.token, 20).is_some());
    }
}
