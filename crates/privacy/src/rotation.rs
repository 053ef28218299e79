//! Epochs of keys, and why a backup does not bring back who was erased.
//!
//! Erasing a person destroys the wrapped keys under which their values are sealed. A backup made
//! before still holds them, wrapped by the keys of its epoch. So epochs are left: the next one
//! begins, every living key is wrapped again, and the secret of the old epoch is destroyed, which
//! is nowhere but in the file of epochs. What was erased meanwhile opens from no backup. It is
//! destroyed by an approved [`EpochEnd`] alone, and only when it wraps no key any more.
//!
//! Neither does anything else of an old backup, until the living keys are put back: keep a copy of
//! them from each epoch ([`Vault::export_keys`]), and of the newest only; [`Vault::restore_keys`]
//! puts it into a restored database and erases there whoever is not in it.

use crate::{By, Error, Vault, keys::Owner, vault::check_purpose};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_access::approval::{self, Approved, Kind, Sensitive};
use paywarden_domain::TenantId;
use paywarden_store::{
    Entry, Purpose, Row, VaultErasure, VaultErasureOf, VaultKeyRow, VaultPerson, VaultRewrap,
    VaultRow, Wrapping,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::sleep;
use utoipa::ToSchema;

/// Keys that are wrapped again at a time.
const PAGE: u32 = 512;
const PAUSE: Duration = Duration::from_millis(50);
/// First word of each line of a copy of keys.
const COPY_WORD: &str = "paywarden-vault-key-1";

/// What the job is told, and whether it runs.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    runs: AtomicBool,
    paused: AtomicBool,
}

/// How far the epochs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The epoch that wraps keys now.
    pub newest: i64,
    /// Epochs whose secret lives.
    pub living: Vec<i64>,
    /// How many living keys each epoch wraps.
    pub keys: Vec<(i64, u64)>,
    /// Whether the job runs.
    pub runs: bool,
    /// Whether it waits to be told to go on.
    pub paused: bool,
}

/// What one run of the job did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Keys that were wrapped again.
    pub keys: u64,
}

/// The secrets of every epoch before this one are to be destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EpochEnd {
    /// The first epoch that stays: 2 or later, and begun.
    pub before: i64,
}

/// Why no epoch was ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// So many living keys are wrapped by the epochs that were to end.
    #[error("they wrap {0} living keys still: let POST /v1/vault/rotation wrap them again first")]
    InUse(u64),
    /// That epoch has not begun, or none before it lives.
    #[error("no epoch before that one lives, or it has not begun: GET /v1/vault/rotation")]
    Unknown,
    /// See the error of the vault.
    #[error(transparent)]
    Vault(#[from] Error),
    /// See the error of approvals.
    #[error(transparent)]
    Approval(#[from] approval::Error),
}

impl Sensitive for EpochEnd {
    const KIND: Kind = Kind::EpochEnd;

    fn object(&self) -> String {
        format!("before:{}", self.before)
    }

    fn check(&self) -> Result<(), String> {
        match self.before >= 2 {
            true => Ok(()),
            false => Err("the first epoch that stays is 2 or later".to_owned()),
        }
    }
}

impl Vault {
    /// How far the epochs are.
    pub async fn rotation(&self) -> Result<Progress, Error> {
        let keys = self.reader.epochs().await?;
        let epochs = self.keys.epochs();
        Ok(Progress {
            newest: epochs.newest(),
            living: epochs.numbers().collect(),
            keys,
            runs: self.switch.runs.load(Ordering::Relaxed),
            paused: self.switch.paused.load(Ordering::Relaxed),
        })
    }

    /// Begins the next epoch: from now on it wraps new keys. Follow it with [`Vault::rewrap`].
    pub async fn begin_epoch(&self, by: &By) -> Result<i64, Error> {
        check_purpose(by)?;
        let epoch = self.keys.begin_epoch(self.clock.now()).await?;
        let object = format!("epoch {epoch}");
        let entry = Self::entry(by, "vault.begin_epoch", object, Vec::new());
        self.journal.append(entry).await?;
        Ok(epoch)
    }

    /// Holds the job, or lets it go on.
    pub fn pause_rotation(&self, paused: bool) {
        self.switch.paused.store(paused, Ordering::Relaxed);
    }

    /// Wraps every living key of earlier epochs again, at most `keys_per_second`, while values are
    /// kept and read.
    ///
    /// It goes on where a run that was broken off has stopped: which epoch wraps a key stands
    /// beside it. A second run at the same time is refused.
    pub async fn rewrap(&self, by: &By, keys_per_second: u32) -> Result<Rotated, Error> {
        if self.switch.runs.swap(true, Ordering::Relaxed) {
            return Err(Error::Request("keys are being wrapped again already"));
        }
        let done = self.run(by, keys_per_second.max(1)).await;
        self.switch.runs.store(false, Ordering::Relaxed);
        done
    }

    async fn run(&self, by: &By, keys_per_second: u32) -> Result<Rotated, Error> {
        let newest = self.keys.epochs().newest();
        let mut rotated = Rotated::default();
        let mut after = String::new();
        loop {
            while self.switch.paused.load(Ordering::Relaxed) {
                sleep(PAUSE).await;
            }
            let page = self.reader.keys_before(newest, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key_id);
            let count = u32::try_from(page.len()).unwrap_or(PAGE);
            self.wrap_again(by, page, newest).await?;
            rotated.keys += u64::from(count);
            let due_us = u64::from(count) * 1_000_000 / u64::from(keys_per_second);
            sleep(Duration::from_micros(due_us)).await;
        }
        Ok(rotated)
    }

    async fn wrap_again(&self, by: &By, page: Vec<VaultKeyRow>, newest: i64) -> Result<(), Error> {
        let now_us = self.clock.monotonic_us();
        let mut tenants: HashMap<TenantId, Vec<Wrapping>> = HashMap::new();
        for row in page {
            let owner = Owner {
                tenant: &row.tenant,
                subject: &row.subject,
                retention: &row.retention,
            };
            let wrapping = (row.epoch, row.wrapped.as_slice());
            let wrapped = self
                .keys
                .rewrap(owner, &row.key_id, wrapping, (newest, now_us))?;
            let key_id = row.key_id;
            let keys = tenants.entry(row.tenant).or_default();
            keys.push(Wrapping { key_id, wrapped });
        }
        for (tenant, keys) in tenants {
            self.put(by, tenant, newest, keys).await?;
        }
        Ok(())
    }

    async fn put(
        &self,
        by: &By,
        tenant: TenantId,
        epoch: i64,
        keys: Vec<Wrapping>,
    ) -> Result<(), Error> {
        let by = By {
            tenant: tenant.clone(),
            ..by.clone()
        };
        let object = format!("{} keys to epoch {epoch}", keys.len());
        let row = Row::Vault(VaultRow::Rewrap(VaultRewrap {
            tenant,
            epoch,
            keys,
        }));
        let entry = Self::entry(&by, "vault.rewrap", object, vec![row]);
        self.journal.append(entry).await?;
        Ok(())
    }

    /// Destroys the secrets of earlier epochs, if they wrap nothing any more; which those were. What
    /// was erased while they lasted opens from no backup afterwards.
    pub async fn end_epochs(
        &self,
        approved: Approved<EpochEnd>,
        reason: &str,
    ) -> Result<Vec<i64>, EpochError> {
        let before = approved.command().before;
        self.may_end_epochs(before).await?;
        let who = approved.who().clone();
        let entry = |end: &EpochEnd| Entry {
            tenant: who.tenant,
            actor: who.actor,
            purpose: Purpose::from("epochs of keys").because(reason),
            action: "vault.end_epochs",
            object: format!("epochs before {}", end.before),
            rows: Vec::new(),
        };
        approved.carry_out(entry).await?;
        let ended = self.keys.epochs().end_before(before)?;
        self.forget_remembered();
        Ok(ended)
    }

    /// Refuses to end epochs that still wrap a key, or that are not there.
    pub async fn may_end_epochs(&self, before: i64) -> Result<(), EpochError> {
        let is_there = {
            let epochs = self.keys.epochs();
            before <= epochs.newest() && epochs.numbers().any(|epoch| epoch < before)
        };
        if !is_there {
            return Err(EpochError::Unknown);
        }
        // What was sealed before the newest epoch began is written when this returns.
        self.settle().await;
        let held = self.reader.epochs().await.map_err(Error::from)?;
        let left = held.iter().filter(|(epoch, _)| *epoch < before);
        match left.map(|(_, keys)| keys).sum() {
            0 => Ok(()),
            keys => Err(EpochError::InUse(keys)),
        }
    }

    /// Writes a copy of every living key, as it is wrapped: a line for each, the number of keys
    /// at the end. It says nothing to whoever lacks the file of epochs; how many.
    pub async fn export_keys(&self, to: &mut impl Write) -> Result<u64, Error> {
        let failed = |error: std::io::Error| Error::Keys(error.to_string());
        let (mut count, mut after) = (0, String::new());
        loop {
            let page = self.reader.keys_before(i64::MAX, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key_id);
            for row in &page {
                let wrapped = STANDARD.encode(&row.wrapped);
                writeln!(to, "{COPY_WORD} {} {} {wrapped}", row.key_id, row.epoch)
                    .map_err(failed)?;
                count += 1;
            }
        }
        writeln!(to, "{COPY_WORD} end {count}").map_err(failed)?;
        Ok(count)
    }

    /// Puts a copy of the living keys into a database that was restored from a backup, and erases
    /// there every person whose keys are not in the copy: those were erased since. A copy that was
    /// cut off is refused before anything is changed.
    pub async fn restore_keys(&self, by: &By, from: impl BufRead) -> Result<Rotated, Error> {
        let copy = read_copy(from)?;
        let mut rotated = Rotated::default();
        let mut after = String::new();
        loop {
            let page = self.reader.keys_before(i64::MAX, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key_id);
            let mut wrappings: BTreeMap<(TenantId, i64), Vec<Wrapping>> = BTreeMap::new();
            for row in page {
                match copy.get(&row.key_id) {
                    Some((epoch, wrapped)) => {
                        let place = (row.tenant, *epoch);
                        let (key_id, wrapped) = (row.key_id, wrapped.clone());
                        let keys = wrappings.entry(place).or_default();
                        keys.push(Wrapping { key_id, wrapped });
                        rotated.keys += 1;
                    }
                    None => self.erase_again(by, row).await?,
                }
            }
            for ((tenant, epoch), keys) in wrappings {
                self.put(by, tenant, epoch, keys).await?;
            }
        }
        self.forget_remembered();
        Ok(rotated)
    }

    /// Erases what a key that no longer is was for.
    async fn erase_again(&self, by: &By, key: VaultKeyRow) -> Result<(), Error> {
        let person = VaultPerson {
            subject: key.subject.clone(),
            retention: Some(key.retention),
        };
        let by = By {
            tenant: key.tenant.clone(),
            ..by.clone()
        };
        while self.reader.living(&key.tenant, &person).await? != (0, 0) {
            let erase = |of| {
                Row::Vault(VaultRow::Erasure(VaultErasure {
                    tenant: key.tenant.clone(),
                    of,
                    erased_at: self.clock.now(),
                }))
            };
            let rows = vec![
                erase(VaultErasureOf::Keys(person.clone())),
                erase(VaultErasureOf::Records(person.clone())),
            ];
            let entry = Self::entry(&by, "vault.forget", key.subject.clone(), rows);
            self.journal.append(entry).await?;
        }
        Ok(())
    }
}

/// Epoch and wrapping of each key of a copy.
type Copy = HashMap<String, (i64, Vec<u8>)>;

fn read_copy(from: impl BufRead) -> Result<Copy, Error> {
    let damaged = || Error::Keys("the copy of keys is damaged or cut off".to_owned());
    let mut copy = Copy::new();
    for line in from.lines() {
        let line = line.map_err(|error| Error::Keys(error.to_string()))?;
        match *line.split(' ').collect::<Vec<_>>() {
            [COPY_WORD, "end", count] if count == copy.len().to_string() => return Ok(copy),
            [COPY_WORD, key_id, epoch, wrapped] => {
                let epoch = epoch.parse().map_err(|_| damaged())?;
                let wrapped = STANDARD.decode(wrapped).map_err(|_| damaged())?;
                copy.insert(key_id.to_owned(), (epoch, wrapped));
            }
            _ => return Err(damaged()),
        }
    }
    Err(damaged())
}
