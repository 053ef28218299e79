//! Puts the crates together: one function that starts everything, one that stops it in order.

mod countries;
mod desk;
mod jobs;
mod reporting;
mod root;
mod subscribers;
mod telling;

pub use root::{change as change_root, existing as existing_keyring, told as root_told};

use crate::{
    config::Config,
    dispatch::{Dispatcher, Subscriber},
    failure::{Failure, Result},
    key_desk::{Clerk, KeyDesk},
    packs, private,
    refresh::Refresh,
    siem::Siem,
    staffing,
};
use paywarden_access::{
    KeyRegistry, Staff, Watch,
    approval::{self, Approvals},
    watch,
};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::{
    Currency, TenantId,
    time::{HOUR, SECOND},
};
use paywarden_privacy::{Vault, VaultSettings};
use paywarden_risk::{Engine, EngineConfig, PackFile, StartError};
use paywarden_rules::Rates;
use paywarden_safety::password::Breached;
use paywarden_server::{Nodes, Parts, Progress, Reports, Server, tls};
use paywarden_store::{
    Clock, Database, Journal, JournalLimits,
    trail::notary::{self, Notary},
};
use std::{
    fs::File,
    io::BufReader,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::JoinHandle;

/// The file of the master key in the data folder.
pub const MASTER_KEY_FILE: &str = "master.key";
/// The folder of the certificates in the data folder.
const TLS_FOLDER: &str = "tls";

/// The store and who may call: all that the key desk needs.
pub struct Ground {
    /// What is stored.
    pub database: Database,
    /// The way to store more.
    pub journal: Journal,
    /// The keys of the callers.
    pub registry: Arc<KeyRegistry>,
    /// Who works here.
    pub staff: Arc<Staff>,
    /// What keeps personal data.
    pub vault: Arc<Vault>,
    keyring: Arc<Keyring>,
}

/// A running server with everything behind it.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What clients trust; none if the operator gave a certificate.
    pub ca_pem: Option<PathBuf>,
    /// The decision engine.
    pub engine: Arc<Engine>,
    ground: Ground,
    server: Server,
    desk: KeyDesk,
    notary: Notary,
    siem: Option<Siem>,
    watch: Arc<Watch>,
    jobs: Vec<JoinHandle<()>>,
}

impl Ground {
    fn store(&self) -> (Database, Journal) {
        (self.database.clone(), self.journal.clone())
    }

    /// Opens the data folder for writing. Only one process can: another gets a failure.
    pub async fn open(config: &Config) -> Result<Self> {
        Self::open_with(config, None).await
    }

    /// The same; passwords of staff are held against a list of those known from breaches.
    async fn open_with(config: &Config, breached: Option<Arc<Breached>>) -> Result<Self> {
        let settings = staffing::settings(config, breached)?;
        private::folder(&config.data_dir)?;
        let root = root::Root::open(config).await?;
        let keyring = root.keyring.clone();
        let (database, journal) = store(config).await?;
        let registry = KeyRegistry::open(
            database.clone(),
            journal.clone(),
            keyring.clone(),
            Clock::System,
        );
        let registry = registry
            .await
            .map_err(|error| needed("the key registry", &error))?;
        let (log, clock) = (journal.clone(), Clock::System);
        let staff = Staff::open(database.clone(), log, &keyring, clock, settings);
        let staff = staff.await.map_err(|error| staffing::not_opened(&error))?;
        let vault = vault(config, (&database, &journal), root).await?;
        Ok(Self {
            database,
            journal,
            registry: Arc::new(registry),
            staff: Arc::new(staff),
            vault: Arc::new(vault),
            keyring,
        })
    }

    /// The engine, with what it remembers.
    async fn engine(&self, settings: EngineConfig, library: Vec<PackFile>) -> Result<Arc<Engine>> {
        let (database, journal, clock) =
            (self.database.clone(), self.journal.clone(), Clock::System);
        let started = Engine::start(settings, database, journal, clock, &self.keyring, library);
        let engine = started.await.map_err(|error| not_started(&error))?;
        Ok(Arc::new(engine))
    }

    /// The reports to financial intelligence units.
    async fn reports(&self) -> Result<Arc<Reports>> {
        let store = (self.database.clone(), self.journal.clone());
        let opened = Reports::open(store, &self.keyring, Clock::System).await;
        Ok(Arc::new(
            opened.map_err(|error| needed("the reports", &error))?,
        ))
    }

    /// What lets sensitive commands take effect.
    fn approvals(&self) -> Approvals {
        let (database, journal) = (self.database.clone(), self.journal.clone());
        let rights = approval::rights(self.registry.clone(), self.staff.clone());
        Approvals::new(database, journal, Clock::System, rights)
    }

    /// Who watches the trail.
    async fn watch(&self, config: &Config) -> Result<Arc<Watch>> {
        let settings = watch::Settings {
            rules: packs::about_acts(config.rules_dir.as_deref(), &rates(config)?)?,
            calendar: config.office(),
            inside: config.watch_networks.clone(),
            effect_max: config.watch_effect_max,
        };
        let (database, journal) = (self.database.clone(), self.journal.clone());
        let staff = self.staff.clone();
        let opened = Watch::open(
            database,
            journal,
            &self.keyring,
            Clock::System,
            staff,
            settings,
        )
        .await;
        let opened = opened.map_err(|error| match error {
            watch::Error::Settings(why) => {
                let next = "correct the settings that begin with office_";
                Failure::wrong_use(why, next)
            }
            error => needed("the watch over the trail", &error),
        })?;
        Ok(Arc::new(opened))
    }

    /// Who answers the questions of `keys` and `staff`.
    pub async fn clerk(&self, config: &Config) -> Result<Clerk> {
        let local = || format!("https://localhost:{}", config.listen.port());
        let origin = config.origin.clone().unwrap_or_else(local);
        self.clerk_of(config, &notary(config, self).await?, &origin)
    }

    fn clerk_of(&self, config: &Config, notary: &Notary, origin: &str) -> Result<Clerk> {
        Ok(Clerk {
            registry: self.registry.clone(),
            staff: self.staff.clone(),
            notary: notary.clone(),
            journal: self.journal.clone(),
            company: config.company()?,
            origin: origin.to_owned(),
        })
    }

    /// Who hands on what is written to the trail.
    fn dispatcher(&self, to: Vec<Subscriber>, progress: Arc<Progress>) -> Dispatcher {
        let store = (self.database.clone(), self.journal.clone());
        Dispatcher::new(store, to, progress)
    }

    /// Writes what is queued and closes the store.
    pub async fn close(self) {
        self.journal.close().await;
        self.database.close().await;
    }
}

/// The store, for writing.
async fn store(config: &Config) -> Result<(Database, Journal)> {
    let database = Database::open(&config.database_address()?).await;
    let database = database.map_err(|error| needed("the database", &error))?;
    let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await;
    let journal = journal.map_err(|error| needed("the journal", &error))?;
    Ok((database, journal))
}

/// Lets people go on where they were, and new ones in.
async fn staff_ready(staff: &Staff) -> Result<()> {
    if let Err(error) = staff.take_up_sessions().await {
        tracing::error!(%error, "whoever was signed in has to sign in again");
    }
    let calibrated = staff.calibrate().await;
    calibrated.map_err(|error| needed("the password check", &error))
}

impl Running {
    /// Starts everything that the configuration asks for.
    pub async fn start(config: &Config) -> Result<Self> {
        let library = packs::files(config.rules_dir.as_deref())?;
        let settings = engine_config(config)?;
        let refresh = Refresh::read(config.screening_file.as_deref())?;
        let breached = breached(config)?.map(Arc::new);
        let ground = Ground::open_with(config, breached.clone()).await?;
        let (identity, ca_pem) = identity(config)?;
        let engine = ground.engine(settings, library).await?;
        staff_ready(&ground.staff).await?;
        let notary = notary(config, &ground).await?;
        let (export, outbox): (Arc<Progress>, Arc<Progress>) = Default::default();
        let watch = ground.watch(config).await?;
        let approvals = ground.approvals();
        let cases = desk::open(config, &ground).await?;
        let (notify, courier) = telling::open(config, &ground).await?;
        let (reports, reporters, large) = reporting::open(config, &ground, &engine).await?;
        let parts = Parts {
            engine: engine.clone(),
            registry: ground.registry.clone(),
            approvals: approvals.clone(),
            staff: ground.staff.clone(),
            watch: watch.clone(),
            notary: notary.clone(),
            export: export.clone(),
            outbox: outbox.clone(),
            cases: cases.clone(),
            reports,
            reporters,
            nodes: Arc::new(Nodes::new(ground.store(), Clock::System)),
            vault: ground.vault.clone(),
            notify: notify.clone(),
            keyring: ground.keyring.clone(),
            breached,
            pages: Some(paywarden_console::pages()),
            clock: Clock::System,
        };
        let server = listen(config, identity, parts).await?;
        let address = server.local_addr();
        let clerk = ground.clerk_of(config, &notary, server.origin())?;
        let desk = KeyDesk::open(&config.data_dir, clerk, address)?;
        let rights = (ground.registry.clone(), approvals.clone());
        let told = subscribers::all((&engine, cases, &ground.database), &notify, rights);
        let dispatcher = ground.dispatcher(told, outbox);
        let siem = Siem::start(config, ground.store(), export)?;
        let beside = (&engine, &notary, &watch, approvals);
        let own = (refresh, dispatcher, courier, large);
        let jobs = jobs::start(beside, &ground, config, own);
        Ok(Self {
            address,
            ca_pem,
            engine,
            ground,
            server,
            desk,
            notary,
            siem,
            watch,
            jobs,
        })
    }

    /// The address as a URL.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where browsers find the console.
    pub fn console(&self) -> &str {
        self.server.origin()
    }

    /// The keys of the callers.
    pub fn registry(&self) -> &KeyRegistry {
        &self.ground.registry
    }

    /// The link of the first administrator, as long as nobody has ever set up factors.
    pub async fn first_administrator(&self, company: &TenantId) -> Result<Option<String>> {
        let invited = self.ground.staff.first_administrator(company).await;
        let invited = invited.map_err(|error| needed("the first invitation", &error))?;
        Ok(invited.map(|invited| invited.link(self.server.origin()).to_string()))
    }

    /// Finishes the requests under way, writes the window snapshot, closes the store.
    pub async fn stop(self) -> Result<()> {
        self.desk.close();
        self.server.shutdown().await;
        self.jobs.iter().for_each(JoinHandle::abort);
        if let Err(error) = self.ground.registry.note_uses().await {
            tracing::error!(%error, "uses of keys not noted");
        }
        if let Err(error) = self.ground.staff.keep_sessions().await {
            tracing::error!(%error, "sessions not kept");
        }
        if let Err(error) = self.watch.recorder().close().await {
            tracing::error!(%error, "last refusals not noted");
        }
        if let Err(error) = self.notary.round().await {
            tracing::error!(%error, "last checkpoint not made");
        }
        if let Some(siem) = self.siem {
            siem.stop().await;
        }
        let engine = self.engine;
        let written = tokio::task::spawn_blocking(move || engine.snapshot()).await;
        self.ground.close().await;
        let written = written.unwrap_or_else(|error| Err(error.into()));
        written.map(drop).map_err(|error| {
            Failure::environment(
                format!("the window snapshot was not written: {error}"),
                "nothing is lost: the next start rebuilds the windows from the journal",
            )
        })
    }
}

async fn vault(
    config: &Config,
    (database, journal): (&Database, &Journal),
    root: root::Root,
) -> Result<Vault> {
    let profile = Profile::find(&config.vault_profile).ok_or_else(|| {
        let what = format!("vault_profile = {}: no such profile", config.vault_profile);
        Failure::wrong_use(what, "write default or gm")
    })?;
    let settings = VaultSettings {
        profile,
        epochs_file: root::epochs_file(config),
        outside: root.outside,
        epoch_days: config.vault_epoch_days,
        root_days: config.root_days,
        root_since: root.since,
        reveals_per_day: config.reveals_per_day,
    };
    let (database, journal) = (database.clone(), journal.clone());
    let keyring = &root.keyring;
    let opened = Vault::open(keyring, database, journal, Clock::System, &settings).await;
    opened.map_err(|error| needed("the vault", &error))
}

async fn notary(config: &Config, ground: &Ground) -> Result<Notary> {
    let settings = notary::Settings {
        key_days: config.trail_key_days,
        witnesses: config.trail_witnesses.clone(),
        ..notary::Settings::default()
    };
    let (database, journal) = (ground.database.clone(), ground.journal.clone());
    let keyring = ground.keyring.clone();
    let started = Notary::start(database, journal, keyring, Clock::System, settings).await;
    started.map_err(|error| {
        let next = "correct trail_witnesses: each is a verifier key, name+id+key";
        Failure::wrong_use(format!("the trail cannot be signed: {error}"), next)
    })
}

/// The rates of the configuration.
pub fn rates(config: &Config) -> Result<Rates> {
    let mut rates = Rates::new(config.base_currency);
    for (code, rate) in &config.rates {
        let wrong = |error: &dyn std::fmt::Display| {
            let what = format!("rates.{code} = {rate}: {error}");
            Failure::wrong_use(what, "write a rate as [rates] EUR = \"1.0845\"")
        };
        let currency = Currency::parse(code).map_err(|error| wrong(&error))?;
        rates = rates.with(currency, rate).map_err(|error| wrong(&error))?;
    }
    Ok(rates)
}

/// Where the local authority of a data folder writes what clients trust.
pub fn local_ca_pem(data_dir: &Path) -> PathBuf {
    data_dir.join(TLS_FOLDER).join("ca.pem")
}

/// The settings of the decision engine.
pub fn engine_config(config: &Config) -> Result<EngineConfig> {
    let mut settings = EngineConfig::new(config.base_currency);
    settings.rates = rates(config)?;
    settings.deadline_ms = config.deadline_ms;
    let age_max = i64::from(config.event_age_hours_max) * HOUR;
    settings.event_age_max = (!config.trust_event_time).then_some(age_max);
    settings.event_ahead_max = i64::from(config.event_ahead_seconds_max) * SECOND;
    settings.bands.laundering = packs::typologies(config.typologies.as_deref())?;
    settings.jurisdictions = countries::read(config)?;
    settings.ratings = packs::rating_policy(config.rating_policy.as_deref())?;
    settings.limits.events_max = config.window_events_max;
    settings.limits.entities_max = config.window_entities_max;
    settings.snapshot_every = config.snapshot_every_decisions;
    settings.snapshot_path = Some(config.data_dir.join("windows.snapshot"));
    Ok(settings)
}

/// The passwords known from breaches, if the configuration names a file of them.
pub fn breached(config: &Config) -> Result<Option<Breached>> {
    let Some(path) = &config.breached_passwords else {
        return Ok(None);
    };
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::environment(
            format!("breached_passwords = {}: {error}", path.display()),
            "make the file anew: paywarden passwords LIST --out FILE",
        )
    };
    let file = File::open(path).map_err(|error| unusable(&error))?;
    let breached = Breached::read(BufReader::new(file)).map_err(|error| unusable(&error))?;
    Ok(Some(breached))
}

fn server_config(config: &Config, identity: tls::Identity) -> paywarden_server::Config {
    let mut settings = paywarden_server::Config::new(config.listen, identity);
    settings.sandbox = config.sandbox;
    settings.origin.clone_from(&config.origin);
    settings.client_certificates = config.client_certificates;
    settings.trust_event_time = config.trust_event_time;
    let limits = &mut settings.limits;
    limits.connections_max = config.connections_max;
    limits.connections_per_address_max = config.connections_per_address_max;
    limits.requests_in_flight_max = config.requests_in_flight_max;
    limits.requests_per_second_per_key = config.requests_per_second_per_key;
    limits.burst_per_key = config.requests_per_second_per_key;
    limits.rows_per_reader_per_day = config.rows_per_reader_per_day;
    settings
}

async fn listen(config: &Config, identity: tls::Identity, parts: Parts) -> Result<Server> {
    let server = Server::start(server_config(config, identity), parts).await;
    server.map_err(|error| {
        let next = "stop the other server or choose another address: --set listen=ADDRESS";
        Failure::environment(error, next)
    })
}

fn identity(config: &Config) -> Result<(tls::Identity, Option<PathBuf>)> {
    let unusable = |error: tls::Error| {
        Failure::environment(
            format!("no TLS identity: {error}"),
            "correct tls_certificate and tls_key, or leave both out for a local authority",
        )
    };
    if let (Some(chain), Some(key)) = (&config.tls_certificate, &config.tls_key) {
        return Ok((
            tls::Identity::from_pem_files(chain, key).map_err(unusable)?,
            None,
        ));
    }
    let names: Vec<&str> = config.tls_names.iter().map(String::as_str).collect();
    let folder = config.data_dir.join(TLS_FOLDER);
    let made = tls::SelfSigned::open_or_create(&folder, &names, Clock::System.now());
    let made = made.map_err(unusable)?;
    Ok((made.identity().map_err(unusable)?, Some(made.ca_pem)))
}

fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::Rules(faults) => packs::at_fault(faults),
        error => needed("the engine", error),
    }
}

fn needed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(
        format!("{what} does not open: {error}"),
        "`paywarden check` looks at each part by itself",
    )
}
