//! Sealed values by their names and indexes, and the keys of persons.

use super::{limited, together::Together};
use crate::{
    Database, Error, SealedRow, VaultKeyRow, VaultPerson,
    sql::{Fields, Lookup, Stored, Value},
};
use paywarden_domain::{TenantId, Timestamp};

/// The most rows of one answer.
const ROWS_MAX: u32 = 1_000;

/// Reads sealed values, many at a time.
pub struct VaultReader {
    database: Database,
    sealed: Together,
    same: Lookup<Same>,
}

/// What records are looked for by.
#[derive(Debug, Clone, Copy)]
pub enum VaultFind<'a> {
    /// The keyed index of the value.
    Exact(&'a [u8]),
    /// The last characters of values of a class.
    Tail(&'a str, &'a str),
    /// The keyed index of two values of a person.
    Pair(&'a [u8]),
    /// The person.
    Subject(&'a str),
}

/// A record as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedRow {
    /// Its name.
    pub token: String,
    /// The person.
    pub subject: String,
    /// What it is.
    pub class: String,
    /// How long it is kept for.
    pub retention: String,
    /// The value as it may be shown.
    pub masked: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// Until when it may be read, exclusive.
    pub expires_at: Option<Timestamp>,
}

/// Living keys that one epoch wraps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochKeys {
    /// The epoch.
    pub epoch: i64,
    /// How many there are.
    pub keys: u64,
    /// When the oldest of them was made.
    pub oldest: Timestamp,
}

struct Same {
    same: Vec<u8>,
    token: String,
}

impl VaultReader {
    /// Reads from this database.
    pub fn new(database: Database) -> Self {
        let backend = database.backend();
        Self {
            sealed: Together::new(&database),
            same: Lookup::by_pair(backend, ["subject", "same"]),
            database,
        }
    }

    /// Where it reads.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The records with these tokens, of whichever tenant, in no order; erased ones too.
    pub async fn sealed(&self, tokens: &[String]) -> Result<Vec<SealedRow>, Error> {
        self.sealed.ask(&self.database, tokens).await
    }

    /// The token of each of these that is there, in no order: person, and what makes two records
    /// of a person the same; see [`crate::VaultContent::same`].
    pub async fn same(&self, same: &[(&str, &[u8])]) -> Result<Vec<(Vec<u8>, String)>, Error> {
        let mut reader = self.database.reader().await?;
        let found = self.same.run_pairs(&mut reader, same).await?;
        Ok(found.into_iter().map(|row| (row.same, row.token)).collect())
    }

    /// Records that are not erased, newest first; at most 1,000.
    pub async fn find(
        &self,
        tenant: &TenantId,
        by: VaultFind<'_>,
        limit: u32,
    ) -> Result<Vec<MaskedRow>, Error> {
        let (rest, value, class) = match by {
            VaultFind::Exact(index) => ("exact = $2", Value::from(index), None),
            VaultFind::Pair(index) => ("pair = $2", index.into(), None),
            VaultFind::Subject(subject) => ("subject = $2", subject.into(), None),
            VaultFind::Tail(class, tail) => ("tail = $2", tail.into(), Some(class)),
        };
        let mut values = vec![tenant.as_str().into(), value, limited(limit, ROWS_MAX)?];
        values.extend(class.map(Value::from));
        let of_class = class.map_or("", |_| "AND class = $4");
        let rest = format!(
            "WHERE tenant = $1 AND {rest} {of_class} AND erased_at IS NULL
             ORDER BY made_at DESC, token LIMIT $3"
        );
        self.database.select(&rest, &values).await
    }

    /// Living keys that an earlier epoch wraps, after `after`, by identifier; at most 1,000.
    pub async fn keys_before(
        &self,
        epoch: i64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<VaultKeyRow>, Error> {
        let rest = "WHERE epoch < $1 AND key_id > $2 AND destroyed_at IS NULL
            ORDER BY key_id LIMIT $3";
        let values = [epoch.into(), after.into(), limited(limit, ROWS_MAX)?];
        self.database.select(rest, &values).await
    }

    /// How many living keys each epoch wraps, oldest first.
    pub async fn epochs(&self) -> Result<Vec<(i64, u64)>, Error> {
        let text = "SELECT epoch, COUNT(*) FROM vault_keys WHERE destroyed_at IS NULL
            GROUP BY epoch ORDER BY epoch";
        let rows = sqlx::query(text)
            .fetch_all(&mut *self.database.reader().await?)
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            let mut fields = Fields::of(row);
            Ok((fields.take()?, fields.counted()?))
        };
        rows.iter().map(read).collect()
    }

    /// Living keys of each epoch, oldest epoch first, with how old they are.
    pub async fn inventory(&self) -> Result<Vec<EpochKeys>, Error> {
        let text = "SELECT epoch, COUNT(*), MIN(made_at) FROM vault_keys
            WHERE destroyed_at IS NULL GROUP BY epoch ORDER BY epoch";
        let rows = sqlx::query(text)
            .fetch_all(&mut *self.database.reader().await?)
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            let mut fields = Fields::of(row);
            Ok(EpochKeys {
                epoch: fields.take()?,
                keys: fields.counted()?,
                oldest: Timestamp::from_micros(fields.take()?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// How many living keys and records a person has.
    pub async fn living(
        &self,
        tenant: &TenantId,
        person: &VaultPerson,
    ) -> Result<(u64, u64), Error> {
        let text = "SELECT
            (SELECT COUNT(*) FROM vault_keys WHERE tenant = $1 AND key_id IN
                (SELECT key_id FROM vault_records WHERE tenant = $1 AND subject = $2)
                AND ($3 = '' OR retention = $3) AND destroyed_at IS NULL),
            (SELECT COUNT(*) FROM vault_records WHERE tenant = $1 AND subject = $2
                AND ($3 = '' OR retention = $3) AND erased_at IS NULL)";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(person.subject.as_str())
            .bind(person.retention.as_deref().unwrap_or_default())
            .fetch_one(&mut *self.database.reader().await?)
            .await?;
        let mut fields = Fields::of(&row);
        Ok((fields.counted()?, fields.counted()?))
    }

    /// Persons after `after` (an empty text at first) who have records that could be read until
    /// `now`, each with their tenant, by pseudonym; at most 1,000 at a time.
    pub async fn expired(
        &self,
        now: Timestamp,
        after: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let text = "SELECT DISTINCT subject, tenant FROM vault_records
            WHERE expires_at <= $1 AND erased_at IS NULL AND subject > $2
            ORDER BY subject LIMIT 1000";
        let rows = sqlx::query(text)
            .bind(now.micros())
            .bind(after)
            .fetch_all(&mut *self.database.reader().await?)
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            let mut fields = Fields::of(row);
            Ok((fields.take()?, fields.take()?))
        };
        rows.iter().map(read).collect()
    }
}

impl Stored for Same {
    const TABLE: &'static str = "vault_records";
    const COLUMNS: &'static [&'static str] = &["same", "token"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            same: fields.take()?,
            token: fields.take()?,
        })
    }
}

impl Stored for MaskedRow {
    const TABLE: &'static str = "vault_records";
    const COLUMNS: &'static [&'static str] = &[
        "token",
        "subject",
        "class",
        "retention",
        "masked",
        "made_at",
        "expires_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            token: fields.take()?,
            subject: fields.take()?,
            class: fields.take()?,
            retention: fields.take()?,
            masked: fields.take()?,
            made_at: Timestamp::from_micros(fields.take()?),
            expires_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
        })
    }
}
