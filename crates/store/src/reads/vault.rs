//! Sealed values by their names and indexes, and the keys of persons.

use super::{limited, together::Together};
use crate::{
    Database, Error, KeyPage, KeyPlace, SealedRow, ValuePlace, VaultPerson, VaultRecordRow,
    sql::{Fields, Lookup, Stored, Value, select, select_bound},
};
use paywarden_domain::{TenantId, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// The most rows of one answer.
const ROWS_MAX: u32 = 1_000;
/// The most pages of keys of one answer.
const PAGES_MAX: u32 = 64;

/// Reads sealed values, many at a time.
pub struct VaultReader {
    database: Database,
    sealed: Together,
    same: Lookup<Same>,
    pages: Lookup<KeyPage>,
}

/// What records are looked for by.
#[derive(Debug, Clone, Copy)]
pub enum VaultFind<'a> {
    /// Values of a class by the beginning of their place: last characters, or keyed index too.
    Value(&'a str, &'a ValuePlace),
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
    place: Vec<u8>,
    token: String,
}

impl VaultReader {
    /// Reads from this database.
    pub fn new(database: Database) -> Self {
        let backend = database.backend();
        Self {
            sealed: Together::new(&database),
            same: Lookup::by(backend, "place"),
            pages: Lookup::by(backend, "page"),
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

    /// The token of each value at one of these places, as far as there is one.
    pub async fn same(
        &self,
        places: Vec<ValuePlace>,
    ) -> Result<HashMap<ValuePlace, String>, Error> {
        let asked: Vec<&[u8]> = places.iter().map(ValuePlace::bytes).collect();
        let mut reader = self.database.reader().await?;
        let found = self.same.run(&mut reader, &asked).await?;
        let found = found.into_iter().map(|row| (row.place, row.token));
        let mut found: HashMap<_, _> = found.collect();
        let token = |place: ValuePlace| {
            let token = found.remove(place.bytes())?;
            Some((place, token))
        };
        Ok(places.into_iter().filter_map(token).collect())
    }

    /// Records that are not erased, newest first; at most 1,000.
    pub async fn find(
        &self,
        tenant: &TenantId,
        by: VaultFind<'_>,
        limit: u32,
    ) -> Result<Vec<MaskedRow>, Error> {
        let limit = limited(limit, ROWS_MAX)?;
        let tenant = Value::from(tenant.as_str());
        let end = match by {
            VaultFind::Value(_, place) => place.end(),
            _ => Vec::new(),
        };
        let (found, values) = match by {
            VaultFind::Pair(index) => ("pair = $3", vec![tenant, limit, index.into()]),
            VaultFind::Subject(subject) => ("subject = $3", vec![tenant, limit, subject.into()]),
            VaultFind::Value(class, place) => (
                "place >= $3 AND place < $4 AND class = $5",
                vec![
                    tenant,
                    limit,
                    place.bytes().into(),
                    end[..].into(),
                    class.into(),
                ],
            ),
        };
        let rest = format!(
            "WHERE tenant = $1 AND {found} AND erased_at IS NULL
             ORDER BY made_at DESC, token LIMIT $2"
        );
        self.database.select(&rest, &values).await
    }

    /// Pages with living keys that an earlier epoch wraps, after page `after` (-1 at first), by
    /// number; at most 64.
    pub async fn pages_before(
        &self,
        epoch: i64,
        after: i64,
        limit: u32,
    ) -> Result<Vec<KeyPage>, Error> {
        let rest = "WHERE epoch < $1 AND page > $2 ORDER BY page LIMIT $3";
        let values = [epoch.into(), after.into(), limited(limit, PAGES_MAX)?];
        self.database.select(rest, &values).await
    }

    /// How many living keys each epoch wraps, oldest first. While keys are wrapped again, those of a
    /// page count as wrapped by the oldest epoch of any of them.
    pub async fn epochs(&self) -> Result<Vec<(i64, u64)>, Error> {
        let text = "SELECT epoch, CAST(SUM(living) AS BIGINT) FROM vault_pages
            WHERE epoch IS NOT NULL GROUP BY epoch ORDER BY epoch";
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
        let text = "SELECT epoch, CAST(SUM(living) AS BIGINT), MIN(oldest) FROM vault_pages
            WHERE epoch IS NOT NULL GROUP BY epoch ORDER BY epoch";
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
        let mut reader = self.database.reader().await?;
        let of_person = "WHERE tenant = $1 AND subject = $2 AND ($3 = '' OR retention = $3)";
        let values = [
            tenant.as_str().into(),
            person.subject.as_str().into(),
            person.retention.as_deref().unwrap_or_default().into(),
        ];
        let count = format!("SELECT COUNT(*) FROM vault_records {of_person} AND erased_at IS NULL");
        let records = select_bound(&mut reader, count, &values).await?;
        let places: BTreeSet<KeyPlace> = select(&mut reader, of_person, &values)
            .await?
            .into_iter()
            .collect();
        let pages: BTreeSet<i64> = places.iter().map(|place| place.page).collect();
        let pages: Vec<i64> = pages.into_iter().collect();
        let pages = self.pages.run(&mut reader, &pages).await?;
        let pages = pages.iter().filter(|page| page.tenant == *tenant);
        let living = pages
            .flat_map(KeyPage::living)
            .filter(|key| key.subject == person.subject && places.contains(&key.key));
        Ok((living.count() as u64, records.unsigned_abs()))
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
    const COLUMNS: &'static [&'static str] = &["place", "token"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            place: fields.take()?,
            token: fields.take()?,
        })
    }
}

impl Stored for MaskedRow {
    const TABLE: &'static str = VaultRecordRow::TABLE;
    const COLUMNS: &'static [&'static str] = VaultRecordRow::COLUMNS;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let row = VaultRecordRow::read(fields)?;
        let content = row
            .content
            .ok_or_else(|| Error::corrupt("a record holds nothing"))?;
        Ok(Self {
            token: row.token,
            subject: row.subject,
            class: row.class,
            retention: row.retention,
            masked: content.masked,
            made_at: row.made_at,
            expires_at: row.expires_at,
        })
    }
}
