//! A vault of one test, and what somebody with the database can do beside it.

use paywarden_access::{
    Scope,
    approval::{Approvals, Ask, Ballot, Rights, Who},
};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::TenantId;
use paywarden_privacy::{
    By, Error, Item, Plain, Retention, Vault, VaultSettings,
    rotation::{EpochEnd, EpochError},
    token::Form,
};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits, Verdict};
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Row as _, any::AnyConnectOptions};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

pub const CARD: &str = "4012888888881881";

pub struct World {
    pub vault: Arc<Vault>,
    pub database: Database,
    pub journal: Journal,
    pub keyring: Arc<Keyring>,
    pub folder: TempDir,
    clock: Clock,
    profile: &'static Profile,
}

impl World {
    pub async fn new() -> Self {
        Self::with(&Profile::DEFAULT, Clock::System).await
    }

    pub async fn with(profile: &'static Profile, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Arc::new(Keyring::ephemeral());
        Self::open(folder, keyring, profile, clock).await
    }

    async fn open(
        folder: TempDir,
        keyring: Arc<Keyring>,
        profile: &'static Profile,
        clock: Clock,
    ) -> Self {
        let database = Database::open(&url(folder.path())).await.unwrap();
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default());
        let journal = journal.await.unwrap();
        let settings = VaultSettings {
            profile,
            epochs_file: folder.path().join("vault.epochs"),
            ..VaultSettings::default()
        };
        let (log, time) = (journal.clone(), clock.clone());
        let vault = Vault::open(&keyring, database.clone(), log, time, &settings)
            .await
            .unwrap();
        let vault = Arc::new(vault);
        Self {
            vault,
            database,
            journal,
            keyring,
            folder,
            clock,
            profile,
        }
    }

    /// Stops, does something to the files, and starts again with the same root.
    pub async fn restart(self, between: impl FnOnce(&Path)) -> Self {
        self.journal.close().await;
        self.database.close().await;
        drop(self.vault);
        between(self.folder.path());
        Self::open(self.folder, self.keyring, self.profile, self.clock).await
    }

    pub async fn keep(&self, item: Item) -> String {
        let kept = self.vault.tokenize(&by("acme"), &[item]).await.unwrap();
        kept[0].token.clone()
    }

    pub async fn read(&self, token: &str) -> Result<String, Error> {
        self.read_as(&by("acme"), token).await
    }

    pub async fn read_as(&self, by: &By, token: &str) -> Result<String, Error> {
        let mut read = self.vault.detokenize(by, &[token.to_owned()]).await?;
        read.remove(0).map(|read| read.value.expose().clone())
    }

    /// Who lets commands take effect: one turns keys, the others approve that.
    pub fn approvals(&self) -> Approvals {
        let rights: Rights = Arc::new(|_, actor: &str, scope| match scope {
            Scope::VaultKeys | Scope::ApprovalsRequest => actor == "key:key_1",
            Scope::ApprovalsVote => actor != "key:key_1",
            _ => false,
        });
        let (database, journal) = (self.database.clone(), self.journal.clone());
        Approvals::new(database, journal, self.clock.clone(), rights)
    }

    /// Asks for the end of every epoch before this one; so many others approve it.
    pub async fn ask_to_end(&self, before: i64, approvers: &[&str]) -> String {
        let approvals = self.approvals();
        let ask = Ask {
            authors: Vec::new(),
            reason: "daily".to_owned(),
            ticket: None,
            expires_at: None,
        };
        let end = EpochEnd { before };
        let asked = approvals.request(&key("key_1"), &end, ask).await.unwrap();
        for approver in approvers {
            let ballot = Ballot {
                approve: true,
                payload_sha256: asked.payload_sha256.clone(),
                on_behalf_of: None,
                reason: "count is zero".to_owned(),
            };
            let voted = approvals.vote(&key(approver), &asked.id, ballot).await;
            voted.unwrap();
        }
        asked.id
    }

    /// Ends every epoch before this one, by two approvers.
    pub async fn end_epochs(&self, before: i64) -> Result<Vec<i64>, EpochError> {
        let id = self.ask_to_end(before, &["key_2", "key_3"]).await;
        let approved = self.approvals().claim(&key("key_1"), &id).await?;
        self.vault.end_epochs(approved, "daily").await
    }

    pub async fn leaves(&self) -> u64 {
        self.database.trail_leaves_count().await.unwrap()
    }

    pub async fn assert_intact(&self) {
        let verdict = self.database.verify(None).await.unwrap();
        assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    }

    /// What somebody with the database does.
    pub async fn tamper(&self, text: &str) {
        sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
            .execute(&mut self.intruder().await)
            .await
            .unwrap();
    }

    pub async fn number(&self, text: &str) -> i64 {
        let query = sqlx::query(AssertSqlSafe(text.to_owned()));
        let row = query.fetch_one(&mut self.intruder().await).await.unwrap();
        row.try_get(0).unwrap()
    }

    /// Keys of persons that were ever made.
    pub async fn keys_made(&self) -> i64 {
        self.number("SELECT COALESCE(SUM(keys), 0) FROM vault_pages")
            .await
    }

    pub async fn bytes(&self, text: &str) -> Vec<Vec<u8>> {
        let query = sqlx::query(AssertSqlSafe(text.to_owned()));
        let rows = query.fetch_all(&mut self.intruder().await).await.unwrap();
        rows.iter().map(|row| row.try_get(0).unwrap()).collect()
    }

    async fn intruder(&self) -> AnyConnection {
        let url = url(self.folder.path());
        url.parse::<AnyConnectOptions>()
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    /// Whether a text stands anywhere in the files.
    pub fn is_on_disk(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.into_iter().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
    }
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}/store.db", folder.display())
}

/// Somebody of the company, by a key.
pub fn key(name: &str) -> Who {
    Who {
        tenant: TenantId::parse("acme").unwrap(),
        actor: Actor::Key(name.to_owned()),
    }
}

pub fn by(tenant: &str) -> By {
    By::new(
        TenantId::parse(tenant).unwrap(),
        Actor::Key("key_1".to_owned()),
        "fraud_prevention",
    )
}

pub fn item(subject: &str, class: &str, value: &str) -> Item {
    Item {
        subject: subject.to_owned(),
        class: class.to_owned(),
        value: Plain::from(value.to_owned()),
        details: None,
        retention: Retention::Contract,
        form: Form::Opaque,
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    }
}

pub fn card(subject: &str) -> Item {
    item(subject, "card_number", CARD)
}

/// A card number that passes the Luhn check, another for each number.
pub fn card_number(number: u64) -> String {
    let head = format!("411111{number:09}");
    let last = (0..10).map(|digit| format!("{head}{digit}"));
    let mut valid = last.filter(|text| paywarden_domain::Pan::parse(text).is_ok());
    valid.next().unwrap()
}
