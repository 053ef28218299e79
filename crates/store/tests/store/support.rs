//! A private place for each test, on either engine, and rows to write.

use paywarden_domain::{
    Currency, DecisionId, EventKind, LabelSource, LabelVerdict, Money, Outcome, PaymentId,
    TenantId, Timestamp,
};
use paywarden_store::{
    Actor, Appended, ApprovalStepKind, ApprovalStepRow, Clock, Database, DatabaseLimits,
    DecisionRow, Entry, Error, Journal, JournalLimits, LabelRow, ListEntryRow, RecordRow, Row,
    RuleSetStepRow, SigningKeyRow, TreeHead,
};
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, any::AnyConnectOptions};
use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Makes `name::sqlite` and `name::postgres` out of `async fn name(place: Place)`.
macro_rules! on_both {
    ($($name:ident,)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$name($crate::support::Place::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                if let Some(place) = $crate::support::Place::postgres().await {
                    super::$name(place).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both;

/// An empty database of one test.
pub struct Place {
    pub url: String,
    _folder: Option<TempDir>,
}

/// A database in use.
pub struct Store {
    pub database: Database,
    pub journal: Journal,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/store.db", folder.path().display());
        Self {
            url,
            _folder: Some(folder),
        }
    }

    pub fn at(url: String) -> Self {
        Self { url, _folder: None }
    }

    pub async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = Server::get().await?;
        let name = format!("store_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = connect(&server.url("postgres")).await;
        execute(&mut connection, &format!("CREATE DATABASE {name}")).await;
        Some(Self {
            url: server.url(&name),
            _folder: None,
        })
    }

    pub async fn open(&self) -> Store {
        self.open_with(clock(), JournalLimits::default()).await
    }

    pub async fn open_with(&self, clock: Clock, limits: JournalLimits) -> Store {
        let database = Database::open(&self.url).await.unwrap();
        Self::started(database, clock, limits).await
    }

    /// The same, looking at no more than so many decisions for one question.
    pub async fn open_looking_at(&self, looked_at_max: u32) -> Store {
        let limits = DatabaseLimits {
            looked_at_max,
            ..DatabaseLimits::default()
        };
        let database = Database::open_with(&self.url, limits).await.unwrap();
        Self::started(database, clock(), JournalLimits::default()).await
    }

    async fn started(database: Database, clock: Clock, limits: JournalLimits) -> Store {
        let journal = Journal::start(&database, clock, limits).await.unwrap();
        Store { database, journal }
    }

    /// A connection beside the store: what somebody with the password could do.
    pub async fn intruder(&self) -> AnyConnection {
        connect(&self.url).await
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

impl Store {
    pub async fn close(self) {
        self.journal.close().await;
        self.database.close().await;
    }

    pub async fn append(&self, rows: Vec<Row>) -> Result<Appended, Error> {
        self.journal.append(entry(rows)).await
    }

    /// Every tree with its root.
    pub async fn heads(&self) -> Vec<TreeHead> {
        self.database.trail_heads().await.unwrap()
    }

    /// How many leaves there are.
    pub async fn leaves(&self) -> u64 {
        self.database.trail_leaves_count().await.unwrap()
    }
}

pub fn approval_step(approval: &str, number: i64) -> ApprovalStepRow {
    ApprovalStepRow {
        tenant: tenant(),
        approval: approval.into(),
        step_no: number,
        kind: ApprovalStepKind::Requested,
        command: "list_change".into(),
        actor: "key:key-1".into(),
        taken_at: at(1),
        body: b"{}".to_vec(),
    }
}

pub fn step(number: i64) -> RuleSetStepRow {
    RuleSetStepRow {
        tenant: tenant(),
        step_no: number,
        version: "v1".into(),
        action: "draft".into(),
        actor: "key:key-1".into(),
        purpose: "a new attack".into(),
        taken_at: at(1),
        detail: String::new(),
    }
}

pub fn record(id: &str, version: i64) -> RecordRow {
    RecordRow {
        tenant: tenant(),
        kind: "thing".into(),
        id: id.into(),
        version,
        written_at: at(version),
        body: vec![1, 2, 3],
    }
}

pub async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    url.parse::<AnyConnectOptions>()
        .unwrap()
        .connect()
        .await
        .unwrap()
}

pub async fn execute(connection: &mut AnyConnection, text: &str) {
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await
        .unwrap();
}

/// Says that a test did not run. Written directly, because captured output of a passing test is
/// never shown.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The one server of this test process.
struct Server {
    folder: String,
    /// Its standard input is a pipe from here: when this process ends, however it ends, the shell
    /// behind it stops the server by its process number and removes the folder.
    _guard: Child,
}

const GUARD: &str =
    r#""$@" & server=$!; cat > /dev/null; kill -INT $server; wait $server; rm -rf "$FOLDER""#;

impl Server {
    async fn get() -> Option<&'static Self> {
        static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
        SERVER.get_or_init(Self::start).await.as_ref()
    }

    async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "no PostgreSQL in CI"
            );
            skipped("no PostgreSQL binaries");
            return None;
        };
        let folder = tempfile::tempdir().unwrap().keep().display().to_string();
        let data = format!("{folder}/data");
        let prefix = as_server(&folder);
        let made = Command::new(prefix[0])
            .args(&prefix[1..])
            .arg(format!("{programs}/initdb"))
            .args(["-D", &data, "-U", "postgres", "-A", "trust"])
            .args(["-E", "UTF8", "--locale=C", "-N"])
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .args(prefix)
            .arg(format!("{programs}/postgres"))
            .args(["-D", &data, "-k", &folder])
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .env("FOLDER", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self {
            folder,
            _guard: guard.unwrap(),
        };
        server.wait().await;
        Some(server)
    }

    async fn wait(&self) {
        sqlx::any::install_default_drivers();
        let options = self.url("postgres").parse::<AnyConnectOptions>().unwrap();
        for _ in 0..600 {
            if options.connect().await.is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL did not start");
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@localhost/{database}?host={}",
            self.folder
        )
    }
}

/// What to put before a command of the server, which refuses to run as root.
fn as_server(folder: &str) -> &'static [&'static str] {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        return &["env"];
    }
    let given = Command::new("chown").args(["postgres", folder]).status();
    assert!(given.unwrap().success());
    &[
        "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
    ]
}

/// The newest installed version.
fn programs() -> Option<String> {
    (13..=18)
        .rev()
        .map(|version| format!("/usr/lib/postgresql/{version}/bin"))
        .find(|folder| Path::new(folder).join("initdb").exists())
}

pub const START: i64 = 1_767_225_600_000_000;

pub fn clock() -> Clock {
    Clock::simulated(at(0), 1)
}

/// So many microseconds after the start of the test's time.
pub fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START + micros)
}

pub fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

pub fn payment(number: i64) -> PaymentId {
    PaymentId::parse(&format!("pay-{number}")).unwrap()
}

pub fn entry(rows: Vec<Row>) -> Entry {
    Entry {
        tenant: tenant(),
        actor: Actor::Key("key-1".into()),
        purpose: "payment_decision".into(),
        action: "decide",
        object: "pay".into(),
        rows,
    }
}

/// A decision whose every field follows from its number.
pub fn decision(number: i64) -> DecisionRow {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let filled = |length: usize| {
        (0..length)
            .map(|place| place as u8 ^ number as u8)
            .collect()
    };
    DecisionRow {
        event_no: number,
        id: DecisionId::new(at(number), random),
        tenant: tenant(),
        payment_id: payment(number),
        kind: EventKind::PaymentCard,
        occurred_at: at(number - 5),
        decided_at: at(number),
        outcome: Outcome::ALL[number as usize % Outcome::ALL.len()],
        fraud_score: (number % 1001) as u16,
        laundering_score: 7,
        amount: (number % 3 > 0).then(|| Money::new(number, Currency::parse("EUR").unwrap())),
        key_id: "key-1".into(),
        idempotency_key: (number % 2 == 0).then(|| format!("idem-{number}")),
        fingerprint: (number % 2 == 0).then_some([number as u8; 32]),
        feature: filled(100),
        event: filled(600),
        body: filled(500),
        trace: (number % 2 == 0).then(|| filled(100)),
    }
}

pub fn decided(number: i64) -> Row {
    Row::Decision(Arc::new(decision(number)))
}

pub fn label(number: i64) -> LabelRow {
    LabelRow {
        seq: 0,
        tenant: tenant(),
        payment_id: payment(number),
        event_no: (number > 1).then_some(number),
        verdict: LabelVerdict::Fraud,
        source: LabelSource::Analyst,
        occurred_at: (number % 2 == 0).then(|| at(number)),
        known_at: at(number + 9),
    }
}

pub fn list_entry(value: &str) -> ListEntryRow {
    ListEntryRow {
        entry_no: 0,
        tenant: tenant(),
        list: "deny".into(),
        value: value.into(),
        reason: "stolen".into(),
        added_by: "staff:liu".into(),
        added_at: at(10),
        expires_at: None,
        removed_at: None,
    }
}

pub fn signing_key(key_id: &str) -> SigningKeyRow {
    SigningKeyRow {
        key_id: key_id.into(),
        tenant: tenant(),
        algorithm: "ed25519".into(),
        material: vec![1, 2, 3],
        sealed: false,
        scopes: "decide".into(),
        created_at: at(1),
        revoked_at: None,
        description: "test".into(),
    }
}
