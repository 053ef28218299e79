//! Staff: who works here, how each proves it, what each may do.
//!
//! *Invariant*: an account changes only through the journal, as the next version of its sealed
//! record, with an actor and a purpose; the trail knows people by the identifier of their account
//! alone. *Invariant*: nobody does more than set up factors without a factor that is
//! cryptographic. See [`role`] for what excludes what.

pub mod account;
mod administration;
pub(crate) mod attempts;
mod error;
mod grant;
mod own;
mod preferences;
mod restart;
mod review;
pub mod role;
pub mod session;
mod sign_in;
mod sign_on;

pub use account::{Account, Grant, Status};
pub use administration::{FIRST_ROLE, Granter, Invited, NewAccount};
pub use attempts::{FAILURES_MAX, LOCK_US};
pub use error::Error;
pub use grant::RoleGrant;
pub use own::{Acceptance, Confirmed};
pub use preferences::{Preferences, SavedView};
pub use review::{Review, ReviewLine};
pub use role::{Conflict, CustomRole, Duty, Role, Roles};
pub use session::{Factor, Opened, Session};
pub use sign_in::{Proof, SecondFactor};

use crate::{
    Author, Scope, Scopes,
    approval::Who,
    factor::{
        passkey::PasskeyDesk,
        password::PasswordDesk,
        provider::{ProviderDesk, ProviderSettings},
    },
};
use attempts::Attempts;
use paywarden_crypto::{
    Keyring,
    keyring::{PreparedIndex, PreparedSeal},
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Entry, Journal, Purpose, RecordRow, Row};
use serde::{Serialize, de::DeserializeOwned};
use session::Sessions;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::Mutex;

/// How many accounts there may be, disabled ones included.
pub const ACCOUNTS_MAX: usize = 10_000;

const KIND: &str = "staff";
const PAGE: u32 = 500;

/// Says which rules a password does not meet; empty if it may be used.
pub type PasswordRules = Arc<dyn Fn(PasswordQuestion<'_>) -> Vec<&'static str> + Send + Sync>;

/// A password and what an attacker may know about its owner.
#[derive(Clone, Copy)]
pub struct PasswordQuestion<'a> {
    /// The password.
    pub password: &'a str,
    /// What they sign in with.
    pub login: &'a str,
    /// Their name.
    pub name: &'a str,
}

/// What an operator sets.
pub struct Settings {
    /// Where browsers find the pages, such as `https://pay.example.com`; `localhost` at any port
    /// when not set.
    pub origin: Option<String>,
    /// Roles beyond the built-in ones.
    pub roles: Vec<CustomRole>,
    /// What passwords must meet.
    pub password_rules: PasswordRules,
    /// Providers that people can come in by.
    pub providers: Vec<ProviderSettings>,
}

/// Everybody who works here.
pub struct Staff {
    accounts: RwLock<Accounts>,
    /// Held while the store and `accounts` are brought to the same state.
    changing: Mutex<()>,
    database: Database,
    journal: Journal,
    clock: Clock,
    seal: PreparedSeal,
    /// Hashes of login names, of invitations and recovery codes.
    logins: PreparedIndex,
    secrets: PreparedIndex,
    roles: Roles,
    password_rules: PasswordRules,
    passwords: PasswordDesk,
    passkeys: PasskeyDesk,
    providers: ProviderDesk,
    attempts: Attempts,
    sessions: Sessions,
    /// When unused accounts were last looked for, by both clocks.
    looked: std::sync::Mutex<Option<(Timestamp, u64)>>,
}

#[derive(Default)]
struct Accounts {
    by_id: HashMap<String, Arc<Account>>,
    by_login: HashMap<[u8; 32], String>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Member {
    /// Their account.
    pub account: Arc<Account>,
    /// Their session.
    pub session: Session,
    /// What they may do now.
    pub scopes: Scopes,
}

impl Member {
    /// They, as approvals name them.
    pub fn who(&self) -> Who {
        Who {
            tenant: self.account.tenant.clone(),
            actor: Actor::Staff(self.account.id.clone()),
        }
    }

    /// They act, for this purpose.
    pub fn author(&self, purpose: impl Into<Purpose>) -> Author {
        Author {
            actor: Actor::Staff(self.account.id.clone()),
            purpose: purpose.into(),
        }
    }
}

impl Staff {
    /// Reads every account from the store.
    pub async fn open(
        database: Database,
        journal: Journal,
        keyring: &Keyring,
        clock: Clock,
        settings: Settings,
    ) -> Result<Self, Error> {
        let staff = Self {
            accounts: RwLock::default(),
            changing: Mutex::default(),
            database,
            journal,
            clock,
            seal: keyring.seal_for("staff account")?,
            logins: keyring.index_for("staff login")?,
            secrets: keyring.index_for("staff one-time secret")?,
            roles: Roles::new(settings.roles)?,
            password_rules: settings.password_rules,
            passwords: PasswordDesk::default(),
            passkeys: PasskeyDesk::new(settings.origin.as_deref())?,
            providers: ProviderDesk::new(settings.providers, settings.origin.as_deref())?,
            attempts: Attempts::default(),
            sessions: Sessions::default(),
            looked: std::sync::Mutex::default(),
        };
        staff.load().await?;
        Ok(staff)
    }

    /// Measures how much work a password may cost on this machine. Without it passwords are
    /// hashed at the least cost that is allowed.
    pub async fn calibrate(&self) -> Result<(), Error> {
        self.passwords.calibrate(&self.clock).await
    }

    /// Every role.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// An account of a company.
    pub fn find(&self, tenant: &TenantId, id: &str) -> Result<Arc<Account>, Error> {
        self.get(id)
            .filter(|account| account.tenant == *tenant)
            .ok_or(Error::AccountUnknown)
    }

    /// The accounts of a company, by identifier.
    pub fn all(&self, tenant: &TenantId) -> Vec<Arc<Account>> {
        let mut all = self.everybody();
        all.retain(|account| account.tenant == *tenant);
        all
    }

    /// Whether an account is the company's, may sign in, and may do this by its roles.
    pub fn may(&self, tenant: &TenantId, id: &str, scope: Scope) -> bool {
        let account = self.find(tenant, id);
        account.is_ok_and(|account| account.scopes(&self.roles).contains(scope))
    }

    /// Who the holder of a session's token is. The session counts as used.
    pub fn authenticate(&self, token: &str) -> Result<Member, Error> {
        let session = self.sessions.find(token, self.clock.monotonic_us());
        self.member(session.ok_or(Error::SessionUnknown)?)
    }

    /// The same, but the session does not count as used: for what a page does by itself.
    pub fn recognise(&self, token: &str) -> Result<Member, Error> {
        let session = self.sessions.peek(token, self.clock.monotonic_us());
        self.member(session.ok_or(Error::SessionUnknown)?)
    }

    fn member(&self, session: Session) -> Result<Member, Error> {
        let account = self.get(&session.account).ok_or(Error::SessionUnknown)?;
        let now = self.clock.now();
        let may = match session.factor.is_full() {
            true => account.is_active(),
            false => account.status(now) != Status::Disabled,
        };
        if !may {
            self.sessions.end_all(&account.id, None);
            return Err(Error::SessionUnknown);
        }
        let scopes = match session.factor.is_full() {
            true => account.scopes(&self.roles),
            false => Scopes::default(),
        };
        Ok(Member {
            account,
            session,
            scopes,
        })
    }

    /// Whether the session has proved a factor within the last five minutes.
    pub fn is_fresh(&self, member: &Member) -> bool {
        member.session.is_fresh(self.clock.monotonic_us())
    }

    fn get(&self, id: &str) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.by_id.get(id).cloned()
    }

    fn everybody(&self) -> Vec<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = accounts.by_id.values().cloned().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    fn by_login(&self, login: [u8; 32]) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let id = accounts.by_login.get(&login)?;
        accounts.by_id.get(id).cloned()
    }

    fn login_index(&self, login: &str) -> [u8; 32] {
        self.logins.of("", account::plain_login(login).as_bytes())
    }

    /// Refuses a login name that another account has.
    fn check_login_free(&self, login: &str, id: &str) -> Result<(), Error> {
        match self.by_login(self.login_index(login)) {
            Some(other) if other.id != id => Err(Error::LoginTaken),
            _ => Ok(()),
        }
    }

    async fn load(&self) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = self.database.records_newest(KIND, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for row in &page {
                let account = self.unseal(row)?;
                self.remember_lock(&account);
                self.publish(account);
            }
            let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
            if accounts.by_id.len() > ACCOUNTS_MAX {
                return Err(Error::Limit("at most 10,000 accounts"));
            }
        }
    }

    fn remember_lock(&self, account: &Account) {
        let (now, now_us) = (self.clock.now(), self.clock.monotonic_us());
        if let (Some(until), Some(login)) = (account.body.locked_until, account.login()) {
            let left_us = u64::try_from(until.micros() - now.micros()).unwrap_or(0);
            if left_us > 0 {
                self.attempts.lock(self.login_index(login), now_us, left_us);
            }
        }
    }

    /// Makes the next version of an account durable, then visible.
    async fn change<T>(
        &self,
        author: Author,
        action: &'static str,
        id: &str,
        edit: impl FnOnce(&mut Account) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _changing = self.changing.lock().await;
        let account = self.get(id).ok_or(Error::AccountUnknown)?;
        let mut account = Account::clone(&account);
        let done = edit(&mut account)?;
        account.version += 1;
        self.write(author, action, account).await?;
        Ok(done)
    }

    /// Writes a version. After a failure the account is read again: nobody knows what became of it.
    async fn write(
        &self,
        author: Author,
        action: &'static str,
        account: Account,
    ) -> Result<(), Error> {
        let entry = self.entry(author, action, &account)?;
        let written = self.journal.append(entry).await;
        self.settle(account, written.map(drop).map_err(Error::from))
            .await
    }

    /// What writes a version.
    fn entry(
        &self,
        author: Author,
        action: &'static str,
        account: &Account,
    ) -> Result<Entry, Error> {
        let row = self.seal(account)?;
        Ok(Entry {
            tenant: account.tenant.clone(),
            actor: author.actor,
            purpose: author.purpose,
            action,
            object: account.id.clone(),
            rows: vec![Row::Record(row)],
        })
    }

    async fn settle(&self, account: Account, written: Result<(), Error>) -> Result<(), Error> {
        match written {
            Ok(()) => self.publish(account),
            Err(_) => {
                if let Ok(Some(row)) = self.database.record(KIND, &account.id).await {
                    self.publish(self.unseal(&row)?);
                }
            }
        }
        written
    }

    /// A leaf that says what happened without anything changing.
    async fn note(
        &self,
        tenant: &TenantId,
        author: Author,
        action: &'static str,
        object: String,
    ) -> Result<(), Error> {
        let entry = Entry {
            tenant: tenant.clone(),
            actor: author.actor,
            purpose: author.purpose,
            action,
            object,
            rows: Vec::new(),
        };
        self.journal.append(entry).await?;
        Ok(())
    }

    fn publish(&self, account: Account) {
        let login = account.login().map(|login| self.login_index(login));
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        accounts.by_login.retain(|_, id| *id != account.id);
        if let Some(login) = login {
            accounts.by_login.insert(login, account.id.clone());
        }
        accounts.by_id.insert(account.id.clone(), Arc::new(account));
    }

    fn seal(&self, account: &Account) -> Result<RecordRow, Error> {
        let row = RecordRow {
            tenant: account.tenant.clone(),
            kind: KIND.to_owned(),
            id: account.id.clone(),
            version: account.version,
            written_at: self.clock.now(),
            body: Vec::new(),
        };
        self.seal_body(row, &account.body)
    }

    fn unseal(&self, row: &RecordRow) -> Result<Account, Error> {
        Ok(Account {
            id: row.id.clone(),
            tenant: row.tenant.clone(),
            version: row.version,
            body: self.unseal_body(row)?,
        })
    }

    /// The row with this body, sealed for its place.
    fn seal_body(&self, row: RecordRow, body: &impl Serialize) -> Result<RecordRow, Error> {
        let body = serde_json::to_vec(body);
        let body = zeroize::Zeroizing::new(body.map_err(|_| Error::Internal("not written"))?);
        let sealed = self.seal.seal(bound_to(&row).as_bytes(), &body)?;
        Ok(RecordRow {
            body: sealed,
            ..row
        })
    }

    fn unseal_body<T: DeserializeOwned>(&self, row: &RecordRow) -> Result<T, Error> {
        let damaged = || Error::AccountDamaged { id: row.id.clone() };
        let body = self.seal.open(bound_to(row).as_bytes(), &row.body);
        serde_json::from_slice(&body.map_err(|_| damaged())?).map_err(|_| damaged())
    }

    fn now(&self) -> (Timestamp, u64) {
        (self.clock.now(), self.clock.monotonic_us())
    }
}

/// A seal opens only in the place where it was written.
fn bound_to(row: &RecordRow) -> String {
    format!("{} {}", row.tenant.as_str(), row.record())
}

/// Paywarden itself acts.
fn itself(purpose: impl Into<Purpose>) -> Author {
    Author {
        actor: Actor::System("access"),
        purpose: purpose.into(),
    }
}
