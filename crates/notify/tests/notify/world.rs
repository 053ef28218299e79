//! A store, its approvals with one who makes and one who checks, and everything that tells.

use crate::receiver::{Receiver, authority};
use paywarden_access::{
    Scope,
    approval::{Approvals, Ask, Ballot, Rights, Who},
};
use paywarden_crypto::Keyring;
use paywarden_domain::{LabelSource, LabelVerdict, PaymentId, TenantId, Timestamp, time::HOUR};
use paywarden_notify::{
    Courier, Endpoint, Error, Notify, Settings, WebhookChange,
    endpoint::{Changed, NewWebhook},
    secret::Scheme,
};
use paywarden_outward::{Reach, Roots};
use paywarden_store::{
    Actor, AttemptRow, Clock, Database, DeliveryRow, Entry, Journal, JournalLimits, LabelRow, Row,
    SimulatedClock,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

pub struct World {
    pub notify: Arc<Notify>,
    pub database: Database,
    pub journal: Journal,
    pub clock: Arc<SimulatedClock>,
    approvals: Approvals,
    courier: Courier,
    running: Option<JoinHandle<()>>,
    folder: Arc<tempfile::TempDir>,
}

pub fn acme() -> TenantId {
    TenantId::parse("acme").unwrap()
}

pub fn who(name: &str) -> Who {
    Who {
        tenant: acme(),
        actor: Actor::Key(name.to_owned()),
    }
}

pub fn webhook(url: &str, events: &[&str]) -> NewWebhook {
    let events = events
        .iter()
        .map(|name| (*name).to_owned().try_into().unwrap());
    NewWebhook {
        url: url.to_owned(),
        description: "of a test".to_owned(),
        events: events.collect(),
        outcomes: Vec::new(),
        signature: Scheme::V1,
    }
}

impl World {
    /// Everybody on loopback may be told.
    pub async fn open() -> Self {
        Self::reaching(Reach::with(["127.0.0.0/8".parse().unwrap()])).await
    }

    pub async fn reaching(reach: Reach) -> Self {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        let clock = Arc::new(SimulatedClock::new(start, 11));
        Self::at(Arc::new(tempfile::tempdir().unwrap()), clock, reach).await
    }

    async fn at(folder: Arc<tempfile::TempDir>, clock: Arc<SimulatedClock>, reach: Reach) -> Self {
        let url = format!("sqlite://{}/store.db", folder.path().display());
        let database = Database::open(&url).await.unwrap();
        let ticking = Clock::Simulated(Arc::clone(&clock));
        let journal = Journal::start(&database, ticking.clone(), JournalLimits::default()).await;
        let journal = journal.unwrap();
        let rights: Rights = Arc::new(|_, actor: &str, scope| match actor {
            "key:maker" => scope == Scope::WebhooksWrite,
            "key:checker" => scope == Scope::ApprovalsVote,
            _ => false,
        });
        let store = (database.clone(), journal.clone());
        let approvals = Approvals::new(store.0.clone(), store.1.clone(), ticking.clone(), rights);
        let keyring = Keyring::of_master(&[5; 32]);
        let pem = authority();
        let settings = Settings {
            reach,
            roots: Roots::Pem(pem.as_bytes()),
            attempt_max: Duration::from_secs(30),
            is_logged: false,
        };
        let (notify, courier) = Notify::open(store, &keyring, ticking, settings)
            .await
            .unwrap();
        Self {
            notify: Arc::new(notify),
            database,
            journal,
            clock,
            approvals,
            courier,
            running: None,
            folder,
        }
    }

    /// As after `kill -9`: the same files, whatever was under way is lost.
    pub async fn killed(mut self) -> Self {
        self.stop();
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        let reach = self.notify.endpoints.reach().clone();
        self.journal.close().await;
        self.database.close().await;
        Self::at(folder, clock, reach).await
    }

    pub fn run(&mut self) {
        self.running = Some(tokio::spawn(self.courier.clone().run()));
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    pub fn hours(&self, hours: i64) {
        self.clock.advance_us((hours * HOUR).unsigned_abs());
    }

    /// Takes up every leaf of the outbox.
    pub async fn feed(&self) {
        loop {
            let batch = self.journal.outbox_claim("test", 256, 0).await.unwrap();
            if batch.is_empty() {
                return;
            }
            self.notify.feed.take(&batch).await.unwrap();
            let seqs: Vec<_> = batch.iter().map(|item| item.seq).collect();
            self.journal.outbox_ack("test", &seqs).await.unwrap();
        }
    }

    /// Carries out a change that one asks for and another one approves.
    pub async fn change(&self, change: WebhookChange) -> Result<Changed, Error> {
        let (maker, checker) = (who("maker"), who("checker"));
        self.notify.endpoints.check_change(&acme(), &change)?;
        if matches!(change, WebhookChange::Disable(_)) {
            let approved = self.approvals.admit(&maker, change, None).await?;
            return self.notify.endpoints.change(approved, "test").await;
        }
        let ask = Ask {
            authors: Vec::new(),
            reason: "test".to_owned(),
            ticket: None,
            expires_at: None,
        };
        let view = self.approvals.request(&maker, &change, ask).await?;
        let ballot = Ballot {
            approve: true,
            payload_sha256: view.payload_sha256.clone(),
            on_behalf_of: None,
            reason: "test".to_owned(),
        };
        self.approvals.vote(&checker, &view.id, ballot).await?;
        let approved = self.approvals.claim(&maker, &view.id).await?;
        self.notify.endpoints.change(approved, "test").await
    }

    /// Without anybody's approval.
    pub async fn alone(&self, change: WebhookChange) -> Result<Changed, Error> {
        let approved = self.approvals.admit(&who("maker"), change, None).await?;
        self.notify.endpoints.change(approved, "test").await
    }

    /// An endpoint at a receiver, told of these events, and its secret.
    pub async fn told(&self, at: &Receiver, events: &[&str]) -> (Arc<Endpoint>, String) {
        let change = WebhookChange::Create(webhook(&at.url, events));
        let changed = self.change(change).await.unwrap();
        (changed.endpoint, changed.secret.unwrap().to_string())
    }

    /// Something happens that is told.
    pub async fn label(&self, payment: &str) {
        let row = Row::Label(LabelRow {
            seq: 0,
            tenant: acme(),
            payment_id: PaymentId::parse(payment).unwrap(),
            event_no: None,
            verdict: LabelVerdict::Fraud,
            source: LabelSource::Analyst,
            occurred_at: None,
            known_at: Clock::Simulated(self.clock.clone()).now(),
        });
        self.happen("label.create", "dec-1", vec![row]).await;
    }

    pub async fn happen(&self, action: &'static str, object: &str, rows: Vec<Row>) {
        let entry = Entry {
            tenant: acme(),
            actor: Actor::System("test"),
            purpose: "test".into(),
            action,
            object: object.to_owned(),
            rows,
        };
        self.journal.append(entry).await.unwrap();
    }

    /// What became of the messages to an endpoint, newest first.
    pub async fn deliveries(&self, endpoint: &Endpoint) -> Vec<DeliveryRow> {
        let page = self.notify.deliveries.page(endpoint, None, None, 1_000);
        page.await.unwrap()
    }

    pub async fn attempts(&self, delivery: &DeliveryRow) -> Vec<AttemptRow> {
        let place = (delivery.endpoint.as_str(), delivery.message.as_str());
        self.notify.deliveries.one(&acme(), place).await.unwrap().1
    }

    /// Waits until deliveries of an endpoint stand as wanted.
    pub async fn until(
        &self,
        endpoint: &Endpoint,
        holds: impl Fn(&[DeliveryRow]) -> bool,
    ) -> Vec<DeliveryRow> {
        for _ in 0..6_000 {
            let rows = self.deliveries(endpoint).await;
            if holds(&rows) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {:?}", self.deliveries(endpoint).await);
    }
}
