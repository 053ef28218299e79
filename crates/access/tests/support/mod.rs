//! A store with staff in it, on a clock that moves when told to.
#![allow(dead_code, reason = "each test file uses its own part of it")]

pub mod authenticator;

pub use authenticator::Authenticator;

use paywarden_access::{
    Author, Network, Staff,
    factor::provider::ProviderSettings,
    staff::{
        Acceptance, Account, Error, Granter, Member, NewAccount, Opened, SecondFactor, Settings,
    },
};
use paywarden_crypto::Keyring;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::sync::Arc;
use zeroize::Zeroizing;

pub const ORIGIN: &str = "https://localhost";
pub const PASSWORD: &str = "seven quiet otters";
const START: i64 = 1_790_000_000_000_000;

pub struct House {
    pub staff: Arc<Staff>,
    pub clock: Clock,
    pub database: Database,
    pub journal: Journal,
    pub keyring: Arc<Keyring>,
    folder: Arc<tempfile::TempDir>,
}

impl House {
    pub async fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Clock::simulated(Timestamp::from_micros(START), 7);
        Self::open(folder, clock, Arc::new(Keyring::ephemeral()), Vec::new()).await
    }

    /// One whose people can come in by these providers too.
    pub async fn with_providers(providers: Vec<ProviderSettings>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Clock::simulated(Timestamp::from_micros(START), 7);
        Self::open(folder, clock, Arc::new(Keyring::ephemeral()), providers).await
    }

    async fn open(
        folder: Arc<tempfile::TempDir>,
        clock: Clock,
        keyring: Arc<Keyring>,
        providers: Vec<ProviderSettings>,
    ) -> Self {
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let database = Database::open(&url).await.unwrap();
        let limits = JournalLimits::default();
        let journal = Journal::start(&database, clock.clone(), limits)
            .await
            .unwrap();
        let settings = Settings {
            origin: (!providers.is_empty()).then(|| ORIGIN.to_owned()),
            roles: Vec::new(),
            providers,
            password_rules: Arc::new(|asked| match asked.password.len() < 12 {
                true => vec!["length"],
                false => Vec::new(),
            }),
        };
        let (db, log) = (database.clone(), journal.clone());
        let staff = Staff::open(db, log, &keyring, clock.clone(), settings);
        Self {
            staff: Arc::new(staff.await.unwrap()),
            clock,
            database,
            journal,
            keyring,
            folder,
        }
    }

    /// The same house after a restart.
    pub async fn again(self) -> Self {
        self.journal.close().await;
        self.database.close().await;
        Self::open(self.folder, self.clock, self.keyring, Vec::new()).await
    }

    /// The same house with another program, whose own clock begins anew, so many seconds later.
    pub async fn replaced(self, seconds: i64) -> Self {
        let later = self.clock.now().micros() + seconds * 1_000_000;
        let clock = Clock::simulated(Timestamp::from_micros(later), 8);
        Self { clock, ..self }.again().await
    }

    pub fn advance_s(&self, seconds: u64) {
        if let Clock::Simulated(clock) = &self.clock {
            clock.advance_us(seconds * 1_000_000);
        }
    }

    pub async fn leaves(&self) -> u64 {
        self.database.trail_leaves_count().await.unwrap()
    }

    /// Where the store lies.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("store.db").display())
    }

    /// Whether the files of the store hold this text anywhere.
    pub fn holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
            .any(|content| {
                content
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            })
    }

    /// An invitation of somebody with these roles.
    pub async fn invite(&self, login: &str, roles: &[&str]) -> (Arc<Account>, Zeroizing<String>) {
        let new = person(login, roles);
        let invited = self
            .staff
            .invite(operator(), &tenant(), new, Granter::Anybody)
            .await
            .unwrap();
        (invited.account, invited.token)
    }

    pub fn member(&self, opened: &Opened) -> Member {
        self.staff.authenticate(&opened.token).unwrap()
    }

    /// Somebody who has accepted an invitation and set up nothing yet.
    pub async fn arrived(&self, login: &str, roles: &[&str]) -> Member {
        let (_, token) = self.invite(login, roles).await;
        let opened = self
            .staff
            .accept(&token, Acceptance::default(), home())
            .await;
        self.member(&opened.unwrap())
    }

    /// Somebody with a passkey, signed in by it, and the device.
    pub async fn with_passkey(&self, login: &str, roles: &[&str]) -> (Member, Authenticator) {
        let member = self.arrived(login, roles).await;
        let mut device = Authenticator::new(ORIGIN);
        let opened = self.add_passkey(&member, &mut device).await.unwrap();
        (self.member(&opened.unwrap()), device)
    }

    pub async fn add_passkey(
        &self,
        member: &Member,
        device: &mut Authenticator,
    ) -> Result<Option<Opened>, Error> {
        let setup = self.staff.passkey_setup(member, home())?;
        let answer = device.create(&setup.options);
        self.staff
            .add_passkey(member, &setup.ceremony, &answer, "laptop")
            .await
    }

    /// Somebody with a password, the secret of their authenticator application, and recovery codes.
    /// A session that an analyst has just opened.
    pub async fn signed_in(&self, login: &str) -> Opened {
        let (_, mut device) = self.with_passkey(login, &["analyst"]).await;
        self.by_passkey(login, &mut device).await.unwrap()
    }

    pub async fn with_password(&self, login: &str) -> (Member, String, Vec<Zeroizing<String>>) {
        let member = self.arrived(login, &["analyst"]).await;
        self.staff
            .set_password(&member, secret(PASSWORD))
            .await
            .unwrap();
        let setup = self.staff.totp_setup(&member).await.unwrap();
        let code = self.code(&setup.secret);
        let confirmed = self.staff.confirm_totp(&member, &code).await.unwrap();
        let member = self.member(&confirmed.opened.unwrap());
        (member, setup.secret.to_string(), confirmed.recovery_codes)
    }

    /// What an authenticator application shows now.
    pub fn code(&self, secret: &str) -> String {
        let now_s = u64::try_from(self.clock.now().seconds()).unwrap();
        let machine = totp_rs::Builder::new()
            .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
            .build()
            .unwrap();
        machine.generate(now_s).to_string()
    }

    pub async fn by_password(
        &self,
        login: &str,
        password: &str,
        second: SecondFactor,
    ) -> Result<Opened, Error> {
        let password = secret(password);
        self.staff
            .sign_in_by_password(login, password, second, home())
            .await
    }

    pub async fn by_passkey(
        &self,
        login: &str,
        device: &mut Authenticator,
    ) -> Result<Opened, Error> {
        let challenge = self.staff.passkey_challenge(login, home())?;
        let answer = device.get(&challenge.options);
        self.staff
            .sign_in_by_passkey(&challenge.ceremony, &answer, home())
            .await
    }
}

pub fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

pub fn home() -> Network {
    Network::around([127, 0, 0, 1].into())
}

pub fn network(number: u8) -> Network {
    Network::around([10, 0, number, 1].into())
}

pub fn operator() -> Author {
    Author {
        actor: Actor::Staff("uid-0".to_owned()),
        purpose: "test".into(),
    }
}

pub fn person(login: &str, roles: &[&str]) -> NewAccount {
    NewAccount {
        login: Some(login.to_owned()),
        name: "Liu Wei".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

pub fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}
