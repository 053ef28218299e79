//! A whole installation on loopback and a client that signs: what every test of the door uses.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test file uses its own part of it"
)]

pub mod client;
pub mod model_desk;
pub mod person;
mod reporters;

pub use client::{Client, Sent};
pub use person::Person;

use paywarden_access::{
    Author, CreatedKey, KeyRegistry, NewKey, Scopes, Staff, Watch,
    approval::{self, Approvals},
    staff::Settings,
    watch::{self, Calendar, Effect},
};
use paywarden_cases::{Cases, Policy};
use paywarden_crypto::{
    Keyring, SignatureAlgorithm, SigningKey,
    note::{NoteKind, NoteSigner},
};
use paywarden_domain::{Currency, TenantId, Timestamp};
use paywarden_filings::Profiles;
use paywarden_notify::{Courier, Notify};
use paywarden_outward::Reach;
use paywarden_privacy::{Vault, VaultSettings};
use paywarden_risk::{Engine, EngineConfig, PackFile};
use paywarden_rules::{Pack, Rates, compile};
use paywarden_server::{
    Alerting, Config, Limits, Nodes, Parts, PayeeHolds, RatingFeed, Reports, Server,
    reports::Reporters,
    tls::{Identity, SelfSigned},
};
use paywarden_store::{
    Actor, Clock, Database, Journal, JournalLimits, OutboxItem,
    trail::notary::{self, Notary},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

const RULES: &str = r#"
pack: test
title: Rules of the tests
description: One rule that lists decide.
rules:
  - id: denied_card
    title: The card is on the deny list
    engine: fraud
    when: card in lists.denied_cards
    score: 900
    action: decline
    reason: { code: denied_card, text: The card is on a deny list }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.denied_cards: true } }
      - { hit: false, name: not listed, given: { lists.denied_cards: false } }
"#;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// One installation.
pub struct World {
    pub server: Server,
    pub registry: Arc<KeyRegistry>,
    pub staff: Arc<Staff>,
    pub watch: Arc<Watch>,
    pub approvals: Approvals,
    pub reports: Arc<Reports>,
    pub reporters: Arc<Reporters>,
    pub engine: Arc<Engine>,
    pub cases: Arc<Cases>,
    pub vault: Arc<Vault>,
    pub database: Database,
    pub ca_pem: PathBuf,
    pub keyring: Arc<Keyring>,
    pub notary: Notary,
    pub notify: Arc<Notify>,
    pub courier: Courier,
    pub journal: Journal,
    folder: Arc<tempfile::TempDir>,
}

/// How an installation differs from the usual one.
#[derive(Default)]
pub struct Setup {
    pub limits: Limits,
    pub sandbox: bool,
    pub trust_event_time: bool,
    pub client_certificates: bool,
    /// The rules that decide; those of the tests if not given.
    pub rules: Option<&'static str>,
    /// A company and the profile of its country; nobody has one if not given.
    pub jurisdiction: Option<(&'static str, &'static str)>,
    /// The clock of approvals, which last for days; the system's if not given.
    pub approvals_clock: Option<Clock>,
    /// The clock of the notary, whose keys last for months; the system's if not given.
    pub notary_clock: Option<Clock>,
    /// What answers for pages; nobody if not given.
    pub pages: Option<paywarden_server::pages::Pages>,
    /// Who scans files; nobody if not given.
    pub scan: Option<paywarden_cases::FileScan>,
    /// How many persons somebody is shown in a day without a wait; the usual number if not given.
    pub reveals_per_day: Option<u32>,
}

impl Setup {
    fn config(self, identity: Identity) -> Config {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Config {
            sandbox: self.sandbox,
            trust_event_time: self.trust_event_time,
            client_certificates: self.client_certificates,
            limits: self.limits,
            ..Config::new(listen, identity)
        }
    }
}

/// A key with its private half.
pub struct Signer {
    pub key_id: String,
    pub key: SigningKey,
}

impl World {
    pub async fn start(setup: Setup) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), setup).await
    }

    /// The same installation again: same files, new process as far as memory goes.
    pub async fn restart(self, setup: Setup) -> Self {
        let folder = Arc::clone(&self.folder);
        self.server.shutdown().await;
        self.journal.close().await;
        self.database.close().await;
        drop((
            self.registry,
            self.engine,
            self.vault,
            self.cases,
            self.reports,
            self.notify,
        ));
        Self::open(folder, setup).await
    }

    #[allow(clippy::too_many_lines, reason = "one line for each part")]
    async fn open(folder: Arc<tempfile::TempDir>, setup: Setup) -> Self {
        let clock = Clock::System;
        let keyring = Keyring::open_or_create(&folder.path().join("master.key"));
        let keyring = Arc::new(keyring.unwrap());
        let url = format!("sqlite://{}", folder.path().join("paywarden.db").display());
        let database = Database::open(&url).await.unwrap();
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default()).await;
        let journal = journal.unwrap();
        let (db, log, ring) = (database.clone(), journal.clone(), Arc::clone(&keyring));
        let registry = KeyRegistry::open(db, log, ring, clock.clone()).await;
        let registry = Arc::new(registry.unwrap());
        let rules = setup.rules.unwrap_or(RULES);
        let engine = Arc::new(engine((&database, &journal), &keyring, (rules, &setup)).await);
        let notary = notary(&database, &journal, &keyring, &setup).await;
        let staff = staff(&database, &journal, &keyring).await;
        let vault = vault((&database, &journal), &keyring, (folder.path(), &setup));
        let vault = Arc::new(vault.await);
        let watch = watch(&database, &journal, &keyring, &staff).await;
        let cases = cases(&database, &journal, &keyring);
        let cases = Arc::new(cases.scanned_by(setup.scan.clone()));
        let tls = SelfSigned::open_or_create(&folder.path().join("tls"), &NAMES, clock.now());
        let tls = tls.unwrap();
        let store = (database.clone(), journal.clone());
        let told = paywarden_notify::Settings {
            reach: Reach::anywhere(),
            ..Default::default()
        };
        let (notify, courier) = Notify::open(store, &keyring, clock.clone(), told)
            .await
            .unwrap();
        let notify = Arc::new(notify);
        let approvals = approvals(
            (&database, &journal),
            (&registry, &staff),
            setup.approvals_clock.clone(),
        );
        let reports = Arc::new(reports((&database, &journal), &keyring).await);
        let reporters = Arc::new(reporters::of(setup.jurisdiction));
        let store = (database.clone(), journal.clone());
        let nodes = Arc::new(Nodes::new(store, clock.clone()));
        let parts = Parts {
            nodes,
            pages: setup.pages.clone(),
            engine: Arc::clone(&engine),
            registry: Arc::clone(&registry),
            approvals: approvals.clone(),
            staff: Arc::clone(&staff),
            watch: Arc::clone(&watch),
            notary: notary.clone(),
            export: Arc::default(),
            outbox: Arc::default(),
            cases: Arc::clone(&cases),
            reports: Arc::clone(&reports),
            reporters: Arc::clone(&reporters),
            vault: Arc::clone(&vault),
            notify: Arc::clone(&notify),
            keyring: Arc::clone(&keyring),
            breached: None,
            clock,
        };
        let server = Server::start(setup.config(tls.identity().unwrap()), parts)
            .await
            .unwrap();
        Self {
            server,
            registry,
            staff,
            watch,
            approvals,
            reports,
            reporters,
            engine,
            cases,
            vault,
            database,
            ca_pem: tls.ca_pem,
            keyring,
            notary,
            notify,
            courier,
            journal,
            folder,
        }
    }

    /// Where the master key lies.
    pub fn master_key(&self) -> PathBuf {
        self.folder_file("master.key")
    }

    /// A file in the folder of this installation.
    pub fn folder_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fresh key of a tenant with every scope.
    pub async fn signer(&self, tenant: &str, algorithm: SignatureAlgorithm) -> Signer {
        self.signer_with(tenant, algorithm, Scopes::all()).await
    }

    pub async fn signer_with(
        &self,
        tenant: &str,
        algorithm: SignatureAlgorithm,
        scopes: Scopes,
    ) -> Signer {
        let new = new_key(tenant, scopes);
        let created = self
            .registry
            .create(author(), algorithm, new)
            .await
            .unwrap();
        signer(&created, algorithm)
    }

    pub async fn bearer(&self, tenant: &str) -> String {
        let new = new_key(tenant, Scopes::all());
        let created = self.registry.create_bearer(author(), new).await.unwrap();
        created.private.to_string()
    }

    /// The value of one line of the metrics page.
    pub async fn metric(&self, line: &str) -> u64 {
        let answer = self.client(true).await.get("/metrics").await;
        let page = String::from_utf8(answer.body.to_vec()).unwrap();
        let value = page
            .lines()
            .find_map(|row| row.strip_prefix(line)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("no line {line} in\n{page}"))
            .parse()
            .unwrap()
    }

    /// Hands on whatever waits in the outbox, and strikes it off.
    pub async fn dispatch(&self) {
        while let batch = self.hand_on().await
            && !batch.is_empty()
        {
            let seqs: Vec<i64> = batch.iter().map(|item| item.seq).collect();
            self.journal.outbox_ack("test", &seqs).await.unwrap();
        }
    }

    /// Hands a batch on without striking it off, as a dispatcher does that is killed in between.
    pub async fn hand_on(&self) -> Vec<OutboxItem> {
        let batch = self.journal.outbox_claim("test", 256, 0).await.unwrap();
        let (engine, cases) = (Arc::clone(&self.engine), Arc::clone(&self.cases));
        let ratings = RatingFeed::new(Arc::clone(&engine), Arc::clone(&cases));
        let alerting = Alerting::new(engine, cases, self.database.clone());
        alerting.take(&batch).await.unwrap();
        ratings.take(&batch).await.unwrap();
        let (engine, notify) = (Arc::clone(&self.engine), Arc::clone(&self.notify));
        let rights = (Arc::clone(&self.registry), self.approvals.clone());
        let holds = PayeeHolds::new((engine, notify), rights, Clock::System);
        holds.take(&batch).await.unwrap();
        batch
    }

    /// Has the watch look at everything there is.
    pub async fn look(&self) {
        while self.watch.round().await.unwrap() > 0 {}
    }

    pub async fn client(&self, http2: bool) -> Client {
        Client::connect(self.server.local_addr(), &self.ca_pem, http2).await
    }
}

async fn engine(
    (database, journal): (&Database, &Journal),
    keyring: &Keyring,
    (rules, setup): (&str, &Setup),
) -> Engine {
    let mut config = EngineConfig::new(Currency::parse("USD").unwrap());
    // What is decided does not hang on how busy the machine is.
    config.deadline_ms = 60_000;
    if setup.trust_event_time {
        config.event_age_max = None;
    }
    if let Some((company, profile)) = setup.jurisdiction {
        let profile = Profiles::shipped().unwrap().find(profile).unwrap().clone();
        let tenant = TenantId::parse(company).unwrap();
        config.jurisdictions.profiles.insert(tenant, profile);
    }
    let name = rules.lines().find_map(|line| line.strip_prefix("pack: "));
    let packs = vec![PackFile::new(format!("{}.yaml", name.unwrap()), rules)];
    let (database, journal) = (database.clone(), journal.clone());
    Engine::start(config, database, journal, Clock::System, keyring, packs)
        .await
        .unwrap()
}

fn cases(database: &Database, journal: &Journal, keyring: &Keyring) -> Cases {
    let store = (database.clone(), journal.clone());
    let tables = (Policy::shipped().unwrap(), Calendar::default());
    Cases::new(store, Clock::System, keyring, tables).unwrap()
}

fn approvals(
    (database, journal): (&Database, &Journal),
    (registry, staff): (&Arc<KeyRegistry>, &Arc<Staff>),
    clock: Option<Clock>,
) -> Approvals {
    let rights = approval::rights(Arc::clone(registry), Arc::clone(staff));
    let clock = clock.unwrap_or(Clock::System);
    Approvals::new(database.clone(), journal.clone(), clock, rights)
}

async fn notary(
    database: &Database,
    journal: &Journal,
    keyring: &Arc<Keyring>,
    setup: &Setup,
) -> Notary {
    let settings = notary::Settings {
        witnesses: vec![witness().verifier().to_string()],
        ..notary::Settings::default()
    };
    let (database, journal, keyring) = (database.clone(), journal.clone(), Arc::clone(keyring));
    let clock = setup.notary_clock.clone().unwrap_or(Clock::System);
    Notary::start(database, journal, keyring, clock, settings)
        .await
        .unwrap()
}

async fn vault(
    (database, journal): (&Database, &Journal),
    keyring: &Arc<Keyring>,
    (folder, setup): (&Path, &Setup),
) -> Vault {
    let usual = VaultSettings::default();
    let settings = VaultSettings {
        epochs_file: folder.join("vault.epochs"),
        reveals_per_day: setup.reveals_per_day.unwrap_or(usual.reveals_per_day),
        ..usual
    };
    let (database, journal) = (database.clone(), journal.clone());
    let opened = Vault::open(keyring, database, journal, Clock::System, &settings);
    opened.await.unwrap()
}

async fn reports((database, journal): (&Database, &Journal), keyring: &Keyring) -> Reports {
    let store = (database.clone(), journal.clone());
    Reports::open(store, keyring, Clock::System).await.unwrap()
}

/// The watch with the rules that are shipped. It looks when it is told to.
async fn watch(
    database: &Database,
    journal: &Journal,
    keyring: &Keyring,
    staff: &Arc<Staff>,
) -> Arc<Watch> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/security");
    let files = std::fs::read_dir(folder).unwrap();
    let packs = files.map(|file| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        Pack::parse("security", &text).unwrap()
    });
    let packs: Vec<Pack> = packs.collect();
    let rates = Rates::new(Currency::parse("USD").unwrap());
    let settings = watch::Settings {
        rules: compile(&packs, &rates, "test").unwrap(),
        calendar: Calendar {
            from_hour: 0,
            to_hour: 24,
            weekdays: (1..=7).collect(),
            ..Calendar::default()
        },
        inside: Vec::new(),
        effect_max: Effect::Suspend,
    };
    let (db, log, staff) = (database.clone(), journal.clone(), Arc::clone(staff));
    let watch = Watch::open(db, log, keyring, Clock::System, staff, settings).await;
    Arc::new(watch.unwrap())
}

/// The witness that every installation knows.
pub fn witness() -> NoteSigner {
    NoteSigner::from_seed("witness.example", NoteKind::Cosignature, &[5; 32]).unwrap()
}

/// Staff with a rule for passwords that a test can know.
async fn staff(database: &Database, journal: &Journal, keyring: &Keyring) -> Arc<Staff> {
    let settings = Settings {
        origin: None,
        roles: Vec::new(),
        providers: Vec::new(),
        password_rules: Arc::new(|asked| match asked.password.len() < 12 {
            true => vec!["length"],
            false => Vec::new(),
        }),
    };
    let (db, log) = (database.clone(), journal.clone());
    let staff = Staff::open(db, log, keyring, Clock::System, settings).await;
    Arc::new(staff.unwrap())
}

pub fn author() -> Author {
    Author {
        actor: Actor::System("test"),
        purpose: "test".into(),
    }
}

fn new_key(tenant: &str, scopes: Scopes) -> NewKey {
    let tenant = TenantId::parse(tenant).unwrap();
    NewKey {
        tenant,
        scopes,
        description: "of a test".to_owned(),
    }
}

fn signer(created: &CreatedKey, algorithm: SignatureAlgorithm) -> Signer {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let key = if algorithm == SignatureAlgorithm::HmacSha256 {
        SigningKey::from_secret(&STANDARD.decode(&*created.private).unwrap()).unwrap()
    } else {
        SigningKey::from_private(algorithm, created.private.as_bytes()).unwrap()
    };
    Signer {
        key_id: created.key.id.clone(),
        key,
    }
}

pub fn now() -> Timestamp {
    Clock::System.now()
}

/// A text that no other test uses.
pub fn unique(prefix: &str) -> String {
    format!(
        "{prefix}{:016x}",
        u64::from_be_bytes(Clock::System.random())
    )
}

/// A card payment of now.
pub fn payment(id: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id,
        "type": "payment.card",
        "occurred_at": now().to_string(),
        "amount": { "value": "12.34", "currency": "USD" },
        "card": { "number": "4012888888881881", "cvv": "9173" },
        "payer": { "id": "payer-1" },
    })
}
