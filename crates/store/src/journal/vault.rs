//! Writing what the vault keeps.

use super::vault_pages::Pages;
use crate::{
    Backend, Entry, Error, KeyPlace, Row, VaultErasure, VaultErasureOf, VaultKeyRow, VaultPerson,
    VaultRecordRow, VaultRewrap, VaultRow,
    rows::{ERASED_MAX, ended, erased},
    sql::{Fields, InsertNew, Lookup, Stored, Value, select},
    trail::{Change, Digester, RowRef},
};
use sqlx::AnyConnection;
use std::collections::{HashMap, HashSet};

/// The statements of the vault.
#[derive(Debug)]
pub(super) struct Statements {
    records: InsertNew<VaultRecordRow>,
    bodies: Lookup<Body>,
    pages: Pages,
}

/// What stands under a token.
#[derive(Debug)]
struct Body {
    token: String,
    body: Vec<u8>,
}

impl Stored for Body {
    const TABLE: &'static str = VaultRecordRow::TABLE;
    const COLUMNS: &'static [&'static str] = &["token", "body"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            token: fields.take()?,
            body: fields.take()?,
        })
    }
}

/// The sealed values of an entry.
pub(super) fn records(entry: &Entry) -> impl Iterator<Item = &VaultRecordRow> {
    entry.rows.iter().filter_map(|row| match row {
        Row::Vault(VaultRow::Record(row)) => Some(&**row),
        _ => None,
    })
}

impl Statements {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            records: InsertNew::new(backend),
            bodies: Lookup::by(backend, "token"),
            pages: Pages::new(backend),
        }
    }

    /// Writes every sealed value that is not there yet; the tokens of those.
    pub(super) async fn insert_records<'e>(
        &self,
        connection: &mut AnyConnection,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> Result<HashSet<String>, Error> {
        let rows: Vec<_> = entries.flat_map(records).collect();
        let tokens = rows.iter().map(|row| row.token.clone());
        if self.records.run(connection, &rows).await? == rows.len() {
            return Ok(tokens.collect());
        }
        // Some were there already. What has the bytes of ours is ours: no two have the same nonce.
        let tokens: Vec<_> = tokens.collect();
        let found = self.bodies.run(connection, &tokens).await?;
        let found: HashMap<_, _> = found.into_iter().map(|row| (row.token, row.body)).collect();
        let is_ours = |row: &&&VaultRecordRow| found.get(&row.token) == Some(&row.body());
        let ours = rows.iter().filter(is_ours);
        Ok(ours.map(|row| row.token.clone()).collect())
    }

    /// Puts new keys into their pages.
    pub(super) async fn insert_keys(
        &self,
        connection: &mut AnyConnection,
        keys: &[VaultKeyRow],
    ) -> Result<(), Error> {
        let places = keys.iter().map(|row| row.key);
        let mut pages = self.pages.load(connection, places).await?;
        if !keys.iter().all(|row| pages.add(row)) {
            return Err(Error::conflict("the place of a key is taken"));
        }
        self.pages.store(connection, pages).await
    }

    /// Wraps keys again.
    pub(super) async fn rewrap(
        &self,
        connection: &mut AnyConnection,
        row: &VaultRewrap,
    ) -> Result<(), Error> {
        let places = row.keys.iter().map(|key| key.key);
        let mut pages = self.pages.load(connection, places).await?;
        for key in &row.keys {
            pages.change(&row.tenant, key.key, |page, slot| {
                page.rewrap(slot, (row.epoch, &key.wrapped));
            });
        }
        self.pages.store(connection, pages).await
    }

    /// Ends records or keys; what the trail keeps of each.
    pub(super) async fn erase(
        &self,
        connection: &mut AnyConnection,
        digester: &Digester,
        row: &VaultErasure,
    ) -> Result<Vec<Change>, Error> {
        match &row.of {
            VaultErasureOf::Keys(person) => {
                let places = of_person(connection, row, person, "").await?;
                self.destroy(connection, digester, (row, person), places)
                    .await
            }
            VaultErasureOf::Records(person) => {
                let living = format!("AND erased_at IS NULL LIMIT {ERASED_MAX}");
                let records = of_person(connection, row, person, &living).await?;
                wipe(connection, digester, row, records).await
            }
            VaultErasureOf::Expired(person) => {
                let ended = format!(
                    "AND erased_at IS NULL AND expires_at <= {} LIMIT {ERASED_MAX}",
                    row.erased_at.micros()
                );
                let records = of_person(connection, row, person, &ended).await?;
                wipe(connection, digester, row, records).await
            }
            VaultErasureOf::Token(token) => {
                let rest = "WHERE tenant = $1 AND token = $2 AND erased_at IS NULL";
                let values = [row.tenant.as_str().into(), token.as_str().into()];
                let records: Vec<_> = select(connection, rest, &values).await?;
                if records.is_empty() {
                    return Err(Error::conflict("there is no such record, or it is erased"));
                }
                wipe(connection, digester, row, records).await
            }
        }
    }

    /// Destroys the keys at these places that are the person's and live.
    async fn destroy(
        &self,
        connection: &mut AnyConnection,
        digester: &Digester,
        (row, person): (&VaultErasure, &VaultPerson),
        places: Vec<KeyPlace>,
    ) -> Result<Vec<Change>, Error> {
        let mut pages = self.pages.load(connection, places.iter().copied()).await?;
        let mut changes = Vec::new();
        for place in places {
            let key = pages.key(&row.tenant, place);
            let is_theirs =
                |key: &VaultKeyRow| key.destroyed_at.is_none() && key.subject == person.subject;
            let Some(key) = key.filter(is_theirs) else {
                continue;
            };
            if changes.len() as i64 == ERASED_MAX {
                break;
            }
            pages.change(&row.tenant, place, |page, slot| {
                page.destroy(slot, row.erased_at);
            });
            let name = place.to_string();
            let end = ended(&row.tenant, &name, row.erased_at);
            changes.push(Change {
                before: Some(digester.digest(&key.canonical())),
                after: digester.digest(&end),
                row: RowRef::VaultKeyEnd(name),
            });
        }
        self.pages.store(connection, pages).await?;
        Ok(changes)
    }
}

/// What stands in the records of a person: of all, or of those that are kept for one reason. A key
/// is found there: one that has sealed nothing is not written.
async fn of_person<S: Stored>(
    connection: &mut AnyConnection,
    row: &VaultErasure,
    person: &VaultPerson,
    more: &str,
) -> Result<Vec<S>, Error> {
    let kept = person
        .retention
        .as_ref()
        .map_or("", |_| "AND retention = $3");
    let rest = format!("WHERE tenant = $1 AND subject = $2 {kept} {more}");
    let mut values = vec![
        Value::from(row.tenant.as_str()),
        person.subject.as_str().into(),
    ];
    values.extend(person.retention.as_deref().map(Value::from));
    select(connection, &rest, &values).await
}

async fn wipe(
    connection: &mut AnyConnection,
    digester: &Digester,
    row: &VaultErasure,
    records: Vec<VaultRecordRow>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::with_capacity(records.len());
    for record in records {
        let before = digester.digest(&record.canonical());
        let left = record.erased(row.erased_at);
        let text = "UPDATE vault_records SET erased_at = $1, place = NULL, pair = NULL, body = $2
            WHERE token = $3";
        sqlx::query(text)
            .bind(row.erased_at.micros())
            .bind(left.body())
            .bind(left.token.as_str())
            .execute(&mut *connection)
            .await?;
        let end = erased(&row.tenant, &left.token, row.erased_at);
        changes.push(Change {
            before: Some(before),
            after: digester.digest(&end),
            row: RowRef::VaultErasure(left.token),
        });
    }
    Ok(changes)
}
