//! The job of a run: person by person, each ended in an entry that says how far the run is.

use super::{Fate, RunState, job_entry, run::Held, schedule::Scene};
use crate::{Error, Vault};
use paywarden_domain::TenantId;
use paywarden_store::{MaskedRow, Row, VaultErasure, VaultErasureOf, VaultPerson, VaultRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::sleep;

/// Persons that are looked up at a time.
const PAGE: u32 = 500;
/// Values that are looked at, and at most ended, in one entry.
const VALUES: u32 = 200;
/// Keys that one erasure takes.
const KEYS: u64 = 200;
/// How often it is tried again where somebody else has erased a value meanwhile.
const TRIES: usize = 4;
/// The longest line of a leaf that names the rows, in bytes.
const LINE_BYTES_MAX: usize = 200;

/// Kinds of which a person was counted already.
type Seen = BTreeSet<(String, String, Fate)>;

impl Vault {
    /// Looks at everybody behind the cursor of a run, until it is done or told to halt.
    pub(super) async fn walk(&self, tenant: &TenantId, held: &mut Held) -> Result<(), Error> {
        loop {
            if self.desk.in_force(tenant).number() != held.run.policy {
                return self.finish(tenant, held, RunState::Stopped).await;
            }
            let page = self.reader.persons(tenant, &held.run.cursor, PAGE).await?;
            if page.is_empty() {
                return self.finish(tenant, held, RunState::Done).await;
            }
            for subject in &page {
                if self.runs.is_halted(tenant) {
                    return Ok(());
                }
                self.look_at(tenant, held, subject).await?;
            }
            let line = "how far a retention run is".to_owned();
            self.write_far(tenant, held, ("retention.count", line))
                .await?;
            let due_us = page.len() as u64 * 1_000_000 / u64::from(held.run.persons_per_second);
            sleep(Duration::from_micros(due_us)).await;
        }
    }

    /// Counts what is kept of a person, and ends what is due if the run does that.
    async fn look_at(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        subject: &str,
    ) -> Result<(), Error> {
        // Nothing is written or read for the person while something of theirs ends.
        let _gate = match held.run.is_count() {
            true => None,
            false => self.shut(subject).await,
        };
        let (mut after, mut seen) = (String::new(), Seen::new());
        loop {
            let values = self
                .reader
                .of_person(tenant, subject, &after, VALUES)
                .await?;
            let is_last = values.len() < VALUES as usize;
            if let Some(last) = values.last() {
                after.clone_from(&last.token);
            }
            self.settle_values(tenant, held, (subject, is_last), (values, &mut seen))
                .await?;
            if is_last {
                return Ok(());
            }
        }
    }

    async fn settle_values(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        (subject, is_last): (&str, bool),
        (mut values, seen): (Vec<MaskedRow>, &mut Seen),
    ) -> Result<(), Error> {
        let person = self.desk.persons.of(subject).await?;
        let in_force = self.desk.in_force(tenant);
        for _ in 0..TRIES {
            let scene = Scene {
                policy: &in_force.policy,
                person: &person,
                as_of: held.run.as_of,
                now: self.clock.now(),
            };
            let (before, seen_before) = (held.run.clone(), seen.clone());
            let mut rows = BTreeSet::new();
            let mut ending = Vec::new();
            for value in &values {
                let kind = (value.retention.as_str(), value.class.as_str());
                let (fate, row) = scene.fate(kind, value.made_at);
                let is_first = seen.insert((kind.0.to_owned(), kind.1.to_owned(), fate));
                let kind = (kind.0, kind.1, scene.jurisdiction());
                held.run.count(kind, fate, is_first);
                if let (Fate::Ends, Some(row)) = (fate, row) {
                    rows.insert(row.id.as_str());
                    ending.push(value);
                }
            }
            if is_last {
                held.run.persons += 1;
                subject.clone_into(&mut held.run.cursor);
            }
            if held.run.is_count() || ending.is_empty() {
                return Ok(());
            }
            let line = line(&rows);
            match self
                .end_values(tenant, held, (subject, line), &ending)
                .await
            {
                Err(Error::TokenUnknown) => {
                    // Somebody else has erased one of them a moment before.
                    (held.run, *seen) = (before, seen_before);
                    let tokens: Vec<_> = values.iter().map(|value| value.token.clone()).collect();
                    let living = self.reader.sealed(&tokens).await?;
                    let is_there = |value: &MaskedRow| {
                        let lives = |row: &&paywarden_store::SealedRow| row.sealed.is_some();
                        let mut living = living.iter().filter(lives);
                        living.any(|row| row.token == value.token)
                    };
                    values.retain(is_there);
                }
                done => return done,
            }
        }
        Err(Error::Overloaded)
    }

    /// Ends values of a person in one entry; with the last that were kept for one reason, the keys.
    async fn end_values(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        (subject, line): (&str, String),
        ending: &[&MaskedRow],
    ) -> Result<(), Error> {
        let erased_at = self.clock.now();
        let erase = |of| {
            Row::Vault(VaultRow::Erasure(VaultErasure {
                tenant: tenant.clone(),
                of,
                erased_at,
            }))
        };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for value in ending {
            *counts.entry(&value.retention).or_default() += 1;
        }
        let mut rows = Vec::with_capacity(ending.len() + counts.len());
        self.forget_person(subject);
        for (retention, count) in counts {
            let person = VaultPerson {
                subject: subject.to_owned(),
                retention: Some(retention.to_owned()),
            };
            let (mut keys, records) = self.reader.living(tenant, &person).await?;
            if records != count {
                continue;
            }
            let of = || erase(VaultErasureOf::Keys(person.clone()));
            // What is sealed under them still stands there, so that a run that breaks off here
            // comes back.
            while keys > KEYS {
                let said = ("vault.retention_end", subject.to_owned());
                let entry = job_entry(tenant, said, line.clone(), vec![of()]);
                self.journal.append(entry).await?;
                (keys, _) = self.reader.living(tenant, &person).await?;
            }
            rows.push(of());
        }
        let tokens = ending.iter().map(|value| value.token.clone());
        rows.extend(tokens.map(|token| erase(VaultErasureOf::Token(token))));
        let said = ("vault.retention_end", line);
        self.write_end(tenant, held, (said, subject), rows).await
    }

    /// An entry about a person, with how far the run is.
    async fn write_end(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        ((action, line), subject): ((&'static str, String), &str),
        mut rows: Vec<Row>,
    ) -> Result<(), Error> {
        rows.push(Row::Record(held.next(tenant, self.clock.now())?));
        let entry = job_entry(tenant, (action, subject.to_owned()), line, rows);
        self.journal.append(entry).await?;
        held.version += 1;
        Ok(())
    }

    /// An entry about the run itself.
    async fn write_far(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        said: (&'static str, String),
    ) -> Result<(), Error> {
        let id = held.run.id.clone();
        self.write_end(tenant, held, (said, &id), Vec::new()).await
    }

    async fn finish(
        &self,
        tenant: &TenantId,
        held: &mut Held,
        state: RunState,
    ) -> Result<(), Error> {
        held.run.state = state;
        held.run.ended_at = Some(self.clock.now());
        let line = match state {
            RunState::Done => "a retention run has looked at everybody",
            _ => "another privacy policy has come into force",
        };
        let said = ("retention.finish", line.to_owned());
        self.write_far(tenant, held, said).await?;
        self.runs.close(tenant);
        Ok(())
    }
}

/// The rows by which something ends, as far as a line of a leaf has room.
fn line(rows: &BTreeSet<&str>) -> String {
    let names: Vec<_> = rows.iter().copied().collect();
    let named = names.join(", ");
    match named.len() <= LINE_BYTES_MAX {
        true => format!("retention by {named}"),
        false => format!("retention by {} rows", names.len()),
    }
}
