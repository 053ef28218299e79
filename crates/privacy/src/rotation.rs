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

use crate::{
    By, Error, Vault,
    keys::{Owner, rewrap},
    vault::check_purpose,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_access::approval::{self, Approved, Kind, Sensitive};
use paywarden_domain::TenantId;
use paywarden_store::{
    Entry, KeyPage, KeyPlace, LivingKey, PAGE_KEYS, Purpose, Row, VaultErasure, VaultErasureOf,
    VaultPerson, VaultRewrap, VaultRow, Wrapping,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, hash_map},
    io::{BufRead, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::sleep;
use utoipa::ToSchema;

/// The most pages of keys that are read or wrapped again at a time.
const PAGES: u32 = 64;
/// Into so many parts the work of a second is cut, so that whoever reads meanwhile waits for short
/// commits.
const PARTS: u32 = 100;
/// Before the first page.
const BEGINNING: i64 = -1;
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
        let mut after = BEGINNING;
        let pages = keys_per_second / PARTS / u32::from(PAGE_KEYS);
        let count = pages.clamp(1, PAGES);
        loop {
            while self.switch.paused.load(Ordering::Relaxed) {
                sleep(PAUSE).await;
            }
            let pages = self.reader.pages_before(newest, after, count).await?;
            let Some(last) = pages.last() else { break };
            after = last.page;
            let keys = self.wrap_again(by, &pages, newest).await?;
            rotated.keys += keys;
            let due_us = keys * 1_000_000 / u64::from(keys_per_second);
            sleep(Duration::from_micros(due_us)).await;
        }
        Ok(rotated)
    }

    /// Wraps the keys of some pages again that an earlier epoch wraps; how many those are.
    async fn wrap_again(&self, by: &By, pages: &[KeyPage], newest: i64) -> Result<u64, Error> {
        let mut count = 0;
        let mut tenants: HashMap<&TenantId, Vec<Wrapping>> = HashMap::new();
        for page in pages {
            let keys = self.wrapped_again(page, newest)?;
            count += keys.len() as u64;
            tenants.entry(&page.tenant).or_default().extend(keys);
        }
        for (tenant, keys) in tenants {
            self.put(by, tenant.clone(), newest, keys).await?;
        }
        Ok(count)
    }

    fn wrapped_again(&self, page: &KeyPage, newest: i64) -> Result<Vec<Wrapping>, Error> {
        let now_us = self.clock.monotonic_us();
        let of = Owner {
            tenant: &page.tenant,
            subject: "",
            retention: &page.retention,
        };
        let next = self.keys.kek(of, newest, now_us)?;
        let mut keks = HashMap::new();
        let mut wrapped = Vec::new();
        for old in page.living().filter(|key| key.epoch < newest) {
            let kek = match keks.entry(old.epoch) {
                hash_map::Entry::Occupied(kek) => kek.into_mut(),
                hash_map::Entry::Vacant(place) => {
                    place.insert(self.keys.kek(of, old.epoch, now_us)?)
                }
            };
            let owner = Owner {
                subject: old.subject,
                ..of
            };
            wrapped.push(Wrapping {
                key: old.key,
                wrapped: rewrap(owner, old.key, (kek, old.wrapped), &next)?,
            });
        }
        Ok(wrapped)
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
        let (mut count, mut after) = (0, BEGINNING);
        loop {
            let pages = self.reader.pages_before(i64::MAX, after, PAGES).await?;
            let Some(last) = pages.last() else { break };
            after = last.page;
            for LivingKey {
                key,
                epoch,
                wrapped,
                ..
            } in pages.iter().flat_map(KeyPage::living)
            {
                let wrapped = STANDARD.encode(wrapped);
                writeln!(to, "{COPY_WORD} {key} {epoch} {wrapped}").map_err(failed)?;
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
        let mut after = BEGINNING;
        loop {
            let pages = self.reader.pages_before(i64::MAX, after, PAGES).await?;
            let Some(last) = pages.last() else { break };
            after = last.page;
            for page in &pages {
                rotated.keys += self.restore_page(by, page, &copy).await?;
            }
        }
        self.forget_remembered();
        Ok(rotated)
    }

    async fn restore_page(&self, by: &By, page: &KeyPage, copy: &Copy) -> Result<u64, Error> {
        let mut count = 0;
        let mut epochs: BTreeMap<i64, Vec<Wrapping>> = BTreeMap::new();
        for living in page.living() {
            let key = living.key;
            match copy.get(&key) {
                Some((epoch, wrapped)) => {
                    let wrapped = wrapped.clone();
                    let keys = epochs.entry(*epoch).or_default();
                    keys.push(Wrapping { key, wrapped });
                    count += 1;
                }
                None => self.erase_again(by, page, living.subject).await?,
            }
        }
        for (epoch, keys) in epochs {
            self.put(by, page.tenant.clone(), epoch, keys).await?;
        }
        Ok(count)
    }

    /// Erases what a key that no longer is was for.
    async fn erase_again(&self, by: &By, page: &KeyPage, subject: &str) -> Result<(), Error> {
        let person = VaultPerson {
            subject: subject.to_owned(),
            retention: Some(page.retention.clone()),
        };
        let by = By {
            tenant: page.tenant.clone(),
            ..by.clone()
        };
        while self.reader.living(&page.tenant, &person).await? != (0, 0) {
            let erase = |of| {
                Row::Vault(VaultRow::Erasure(VaultErasure {
                    tenant: page.tenant.clone(),
                    of,
                    erased_at: self.clock.now(),
                }))
            };
            let rows = vec![
                erase(VaultErasureOf::Keys(person.clone())),
                erase(VaultErasureOf::Records(person.clone())),
            ];
            let entry = Self::entry(&by, "vault.forget", subject.to_owned(), rows);
            self.journal.append(entry).await?;
        }
        Ok(())
    }
}

/// Epoch and wrapping of each key of a copy.
type Copy = HashMap<KeyPlace, (i64, Vec<u8>)>;

fn read_copy(from: impl BufRead) -> Result<Copy, Error> {
    let damaged = || Error::Keys("the copy of keys is damaged or cut off".to_owned());
    let mut copy = Copy::new();
    for line in from.lines() {
        let line = line.map_err(|error| Error::Keys(error.to_string()))?;
        match *line.split(' ').collect::<Vec<_>>() {
            [COPY_WORD, "end", count] if count == copy.len().to_string() => return Ok(copy),
            [COPY_WORD, key, epoch, wrapped] => {
                let key = KeyPlace::parse(key).ok_or_else(damaged)?;
                let epoch = epoch.parse().map_err(|_| damaged())?;
                let wrapped = STANDARD.decode(wrapped).map_err(|_| damaged())?;
                copy.insert(key, (epoch, wrapped));
            }
            _ => return Err(damaged()),
        }
    }
    Err(damaged())
}
