//! An engine that has decided simulated traffic as it happened: several payments at once, labels
//! as they became known, list entries that came and went.

use paywarden_access::approval::{Approvals, Who};
use paywarden_crypto::Keyring;
use paywarden_crypto::envelope::Profile;
use paywarden_domain::{Currency, Event, Label, TenantId, Timestamp, time::DAY};
use paywarden_privacy::{Vault, VaultSettings};
use paywarden_risk::{
    Caller, Engine, EngineConfig, Error, ListChange, ListOperation, ListValue, PackFile, Request,
    backtest::Source,
    screening::{Format, ListFile, ListKind, ListSource},
};
use paywarden_rules::{Pack, Rates};
use paywarden_simulator::{Labelled, Population, Settings, Traffic};
use paywarden_store::{Actor, Clock, Database, DatabaseLimits, Journal, JournalLimits};
use std::{collections::BTreeMap, path::Path, sync::Arc};

pub const START: &str = "2026-01-05T00:00:00Z";
/// Days of traffic.
pub const DAYS: i64 = 8;

/// How the payments arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Each after the one before is durable; all rules.
    Serial,
    /// Six at once; rules over outcomes are left out, because those see the outcome of a payment
    /// from its commit on, and the journal does not keep who overtook whom by milliseconds.
    AtOnce,
}

impl Arrival {
    fn at_once(self) -> usize {
        match self {
            Self::Serial => 1,
            Self::AtOnce => 6,
        }
    }
}

const PACK: &str = r#"
pack: test
title: What only this test needs
description: ""
rules:
  - id: listed
    title: The customer is on a list
    engine: fraud
    when: customer in lists.watched
    score: 0
    action: decline
    reason: { code: watched, text: Watched }
    stage: live
    source: shows list entries that come and go
    examples:
      - { hit: true, name: listed, given: { customer: c, lists.watched: true } }
      - { hit: false, name: not, given: { customer: c, lists.watched: false } }
  - id: labelled
    title: Fraud was reported at this merchant
    engine: fraud
    when: merchant.count("30d", label in ["fraud", "chargeback"]) >= 1
    score: 5
    reason: { code: labelled, text: Labelled }
    stage: shadow
    source: shows labels that arrive late
    examples:
      - { hit: true, name: one, given: { 'merchant.count("30d", label in ["fraud", "chargeback"])': 1 } }
      - { hit: false, name: none, given: { 'merchant.count("30d", label in ["fraud", "chargeback"])': 0 } }
"#;

pub struct House {
    pub engine: Arc<Engine>,
    approvals: Approvals,
    pub config: EngineConfig,
    keyring: Arc<Keyring>,
    vault: Vault,
    clock: Clock,
    journal: Journal,
    database: Database,
}

/// The shipped packs and those of this test.
pub fn packs(arrival: Arrival) -> Vec<Pack> {
    let parse = |PackFile { file, text }: &PackFile| {
        Pack::parse(file, text).unwrap_or_else(|problems| panic!("{problems:?}"))
    };
    files(arrival).iter().map(parse).collect()
}

/// The same packs as text.
fn files(arrival: Arrival) -> Vec<PackFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let texts = texts.chain([PACK.to_owned()]).map(|text| match arrival {
        Arrival::AtOnce => without_outcomes(&text),
        _ => text,
    });
    let files = texts.map(|text| PackFile::new("pack", text));
    let has_rules = |file: &PackFile| {
        Pack::parse(&file.file, &file.text).is_ok_and(|pack| !pack.rules.is_empty())
    };
    files.filter(has_rules).collect()
}

/// A pack without the items that speak of outcomes.
fn without_outcomes(text: &str) -> String {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines() {
        if items.is_empty() || line.starts_with("  - id:") || !line.starts_with([' ', '#']) {
            items.push(String::new());
        }
        items.last_mut().unwrap().push_str(&format!("{line}\n"));
    }
    items.retain(|item| !(item.starts_with("  - id:") && item.contains("outcome")));
    items.concat()
}

pub fn rates() -> Rates {
    let rates = [
        ("EUR", "1/0.92"),
        ("GBP", "1/0.79"),
        ("CNY", "1/7.2"),
        ("JPY", "1/150"),
        ("KWD", "1/0.307"),
    ];
    rates
        .iter()
        .fold(Rates::new(currency("USD")), |rates, (code, rate)| {
            rates.with(currency(code), rate).unwrap()
        })
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

impl House {
    pub async fn lived(folder: &Path, events: usize, arrival: Arrival) -> Self {
        let keyring = Arc::new(Keyring::ephemeral());
        let house = Self::open(folder, files(arrival), keyring, DatabaseLimits::default()).await;
        let population = Population::new(3, events / 16);
        let settings = Settings {
            seed: 3,
            start: Timestamp::parse(START).unwrap(),
            days: DAYS as u32,
            events_per_day: (events as i64 / DAYS) as u32,
            fraud_share: 0.08,
        };
        let traffic: Vec<Labelled> = Traffic::new(&population, settings).take(events).collect();
        let mut labels = BTreeMap::new();
        for (number, group) in traffic.chunks(arrival.at_once()).enumerate() {
            let now = group.last().unwrap().event.occurred_at;
            while let Some((known_at, _)) = labels.first_key_value()
                && *known_at < now.micros()
            {
                let (known_at, label): (i64, Label) = labels.pop_first().unwrap();
                house.until(known_at);
                house
                    .engine
                    .label(&house.caller(), label, None)
                    .await
                    .unwrap();
            }
            house.until(now.micros());
            house.decide(group).await;
            for labelled in group {
                // Some frauds are told of within the traffic, some much later.
                let known_at = labelled
                    .known_at()
                    .micros()
                    .min(now.micros() + DAY + number as i64);
                labels.extend(labelled.label().map(|label| (known_at, label)));
            }
            house.until(house.clock.now().micros() + 1);
            house.watch(group, number).await;
            // A list that comes when a third has happened, and is longer when two thirds have.
            let third = events / arrival.at_once() / 3;
            if number == third || number == 2 * third {
                house.list(&traffic, 40 * third / number).await;
            }
            house.until(house.clock.now().micros() + 1);
        }
        house
    }

    /// The same behind a restart, looking at no more than so many decisions for one question.
    pub async fn reopened(self, folder: &Path, looked_at_max: u32) -> Self {
        let keyring = self.keyring.clone();
        self.close().await;
        let limits = DatabaseLimits {
            looked_at_max,
            ..DatabaseLimits::default()
        };
        Self::open(folder, files(Arrival::AtOnce), keyring, limits).await
    }

    async fn open(
        folder: &Path,
        files: Vec<PackFile>,
        keyring: Arc<Keyring>,
        limits: DatabaseLimits,
    ) -> Self {
        let clock = Clock::simulated(Timestamp::parse(START).unwrap(), 1);
        let url = format!("sqlite://{}/store.db", folder.display());
        let database = Database::open_with(&url, limits).await.unwrap();
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default()).await;
        let journal = journal.unwrap();
        let mut config = EngineConfig::new(currency("USD"));
        config.rates = rates();
        let (settings, store) = (config.clone(), (database.clone(), journal.clone()));
        let engine = Engine::start(settings, store.0, store.1, clock.clone(), &keyring, files);
        let engine = engine.await.unwrap_or_else(|error| panic!("{error}"));
        let sealing = VaultSettings {
            profile: &Profile::DEFAULT,
            epochs_file: folder.join("vault.epochs"),
            ..VaultSettings::default()
        };
        let (db, log, time) = (database.clone(), journal.clone(), clock.clone());
        let vault = Vault::open(&keyring, db, log, time, &sealing)
            .await
            .unwrap();
        let (db, log, time) = (database.clone(), journal.clone(), clock.clone());
        Self {
            engine: Arc::new(engine),
            approvals: Approvals::new(db, log, time, Arc::new(|_, _, _| true)),
            config,
            keyring,
            vault,
            clock,
            journal,
            database,
        }
    }

    /// Decides some payments at once.
    async fn decide(&self, group: &[Labelled]) {
        let mut requests = Vec::new();
        for labelled in group {
            let body = labelled.body().unwrap();
            let event: Event<_> = serde_json::from_slice(&body).unwrap();
            let taken = self.vault.take_card(&self.tenant(), event).await;
            let (event, mut deposit) = taken.unwrap();
            requests.push(Request {
                caller: self.caller(),
                event,
                idempotency: None,
                beside: deposit.take_rows(),
                ground: None,
                received_us: self.clock.monotonic_us(),
            });
        }
        let decide = |request| Box::pin(self.engine.decide(request));
        let mut calls: Vec<_> = requests.into_iter().map(decide).collect();
        // Poll each once first: all reserve their windows before any is durable.
        std::future::poll_fn(|context| {
            calls.retain_mut(|call| match call.as_mut().poll(context) {
                std::task::Poll::Ready(decided) => {
                    decided.unwrap();
                    false
                }
                std::task::Poll::Pending => true,
            });
            match calls.is_empty() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }

    /// Puts a customer on the list now and then, and takes others off it.
    async fn watch(&self, group: &[Labelled], number: usize) {
        let Some(payer) = group
            .iter()
            .find_map(|l| l.event.payer.as_ref()?.id.clone())
        else {
            return;
        };
        let payer = payer.as_str();
        if number.is_multiple_of(30) {
            let added = self.change(ListOperation::Add, payer).await;
            added.unwrap();
        } else if number % 30 == 17 {
            // The value may not be on the list; then there is nothing to remove.
            let _ = self.change(ListOperation::Remove, payer).await;
        }
    }

    /// Imports a screening list of some payees and payers, one of so many payments.
    async fn list(&self, traffic: &[Labelled], one_in: usize) {
        let parties = traffic.iter().step_by(one_in).filter_map(|labelled| {
            let event = &labelled.event;
            let party = event.payee.as_ref().or(event.payer.as_ref())?;
            Some(party.name.as_ref()?.as_str().to_owned())
        });
        let rows = parties
            .enumerate()
            .map(|(number, name)| format!("{number},\"{name}\"\n"));
        let source = ListSource {
            list: "own".to_owned(),
            kind: ListKind::Sanctions,
            format: Format::Csv,
            files: vec![ListFile {
                name: "own.csv".to_owned(),
                bytes: format!("id,name\n{}", rows.collect::<String>()).into(),
            }],
        };
        let who = self.who();
        self.engine
            .import_screening_list(&who, source)
            .await
            .unwrap();
    }

    async fn change(&self, operation: ListOperation, payer: &str) -> Result<(), Error> {
        let change = ListChange {
            list: "watched".to_owned(),
            operation,
            values: vec![ListValue {
                value: payer.to_owned(),
                expires_at: None,
            }],
            reason: "seen".to_owned(),
        };
        let approved = self.approvals.admit(&self.who(), change, None).await?;
        self.engine.change_list(approved).await.map(drop)
    }

    pub fn source(&self) -> Source {
        Source::new(self.database.clone(), &self.keyring).unwrap()
    }

    pub fn tenant(&self) -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    pub fn caller(&self) -> Caller {
        Caller {
            tenant: self.tenant(),
            key_id: "key_1".to_owned(),
        }
    }

    fn who(&self) -> Who {
        let Caller { tenant, key_id } = self.caller();
        Who {
            tenant,
            actor: Actor::Key(key_id),
        }
    }

    /// Lets the clock go on to a time, if it is not there yet.
    fn until(&self, micros: i64) {
        let ahead = micros - self.clock.now().micros();
        if let (Clock::Simulated(clock), Ok(ahead)) = (&self.clock, u64::try_from(ahead)) {
            clock.advance_us(ahead);
        }
    }

    pub async fn close(self) {
        drop(self.engine);
        self.journal.close().await;
        self.database.close().await;
    }
}
