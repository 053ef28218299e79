//! Writing what the vault keeps.

use crate::{
    Backend, Entry, Error, Row, VaultErasure, VaultErasureOf, VaultKeyRow, VaultPerson,
    VaultRecordRow, VaultRewrap, VaultRow, Wrapping,
    rows::{ERASED_MAX, ended, erased},
    sql::{Insert, InsertNew, Stored, Value, select},
    trail::{Change, Digester, RowRef},
};
use sqlx::{AnyConnection, AssertSqlSafe};
use std::{collections::HashSet, sync::Arc};

/// Keys that one statement wraps again, largest first.
const REWRAPPED: [usize; 3] = [128, 16, 1];

/// The statements of the vault.
#[derive(Debug)]
pub(super) struct Statements {
    records: InsertNew<VaultRecordRow>,
    keys: Insert<VaultKeyRow>,
    rewraps: [(usize, Arc<str>); REWRAPPED.len()],
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
            records: InsertNew::new(backend, "token"),
            keys: Insert::new(backend),
            rewraps: REWRAPPED.map(|size| (size, rewrap_text(backend, size).into())),
        }
    }

    /// Writes every sealed value that is not there yet; the tokens of those.
    pub(super) async fn insert_records<'e>(
        &self,
        connection: &mut AnyConnection,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> Result<HashSet<String>, Error> {
        let rows: Vec<_> = entries.flat_map(records).collect();
        self.records.run(connection, &rows).await
    }

    pub(super) async fn insert_keys(
        &self,
        connection: &mut AnyConnection,
        keys: &[VaultKeyRow],
    ) -> Result<(), Error> {
        let keys: Vec<_> = keys.iter().collect();
        self.keys.run(connection, &keys).await
    }

    /// Wraps keys again.
    pub(super) async fn rewrap(
        &self,
        connection: &mut AnyConnection,
        row: &VaultRewrap,
    ) -> Result<(), Error> {
        let mut rest = row.keys.as_slice();
        for (size, text) in &self.rewraps {
            while let Some((part, left)) = rest.split_at_checked(*size) {
                rest = left;
                rewrap(connection, text.clone(), row, part).await?;
            }
        }
        Ok(())
    }
}

async fn rewrap(
    connection: &mut AnyConnection,
    text: Arc<str>,
    row: &VaultRewrap,
    part: &[Wrapping],
) -> Result<(), Error> {
    let query = sqlx::query(AssertSqlSafe(text));
    let query = part.iter().fold(query, |query, key| {
        query.bind(key.key_id.as_str()).bind(key.wrapped.as_slice())
    });
    let query = query.bind(row.epoch).bind(row.tenant.as_str());
    query.bind(row.epoch).execute(connection).await?;
    Ok(())
}

/// Both engines call the columns of `VALUES` by these names.
fn rewrap_text(backend: Backend, keys: usize) -> String {
    let place = |number| backend.placeholder(number);
    let pair = |key: usize| format!("({}, {})", place(2 * key + 1), place(2 * key + 2));
    let pairs: Vec<_> = (0..keys).map(pair).collect();
    let (epoch, tenant, below) = (
        place(2 * keys + 1),
        place(2 * keys + 2),
        place(2 * keys + 3),
    );
    format!(
        "WITH wrapping AS (VALUES {})
         UPDATE vault_keys SET wrapped = wrapping.column2, epoch = {epoch} FROM wrapping
         WHERE vault_keys.key_id = wrapping.column1 AND vault_keys.tenant = {tenant}
            AND vault_keys.epoch < {below} AND vault_keys.destroyed_at IS NULL",
        pairs.join(", ")
    )
}

/// Ends records or keys; what the trail keeps of each.
pub(super) async fn erase(
    connection: &mut AnyConnection,
    digester: &Digester,
    row: &VaultErasure,
) -> Result<Vec<Change>, Error> {
    match &row.of {
        VaultErasureOf::Keys(person) => {
            let keys = of_person(connection, row, person, THROUGH_RECORDS).await?;
            destroy(connection, digester, row, keys).await
        }
        VaultErasureOf::Records(person) => {
            let records = of_person(connection, row, person, BY_NAME).await?;
            wipe(connection, digester, row, records).await
        }
        VaultErasureOf::Expired(person) => {
            let found = format!("{BY_NAME} AND expires_at <= {}", row.erased_at.micros());
            let records = of_person(connection, row, person, &found).await?;
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

/// Records of a person that are not erased.
const BY_NAME: &str = "subject = $2 AND erased_at IS NULL";
/// Keys of a person that are not destroyed. Each has sealed something: a key that has not is not
/// written.
const THROUGH_RECORDS: &str = "key_id IN
    (SELECT key_id FROM vault_records WHERE tenant = $1 AND subject = $2)
    AND destroyed_at IS NULL";

async fn of_person<S: Stored>(
    connection: &mut AnyConnection,
    row: &VaultErasure,
    person: &VaultPerson,
    found: &str,
) -> Result<Vec<S>, Error> {
    let kept = person
        .retention
        .as_ref()
        .map_or("", |_| "AND retention = $3");
    let rest = format!("WHERE tenant = $1 AND {found} {kept} LIMIT {ERASED_MAX}");
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
        let text = "UPDATE vault_records SET erased_at = $1, same = NULL, exact = NULL,
            tail = NULL, pair = NULL, masked = NULL, sealed = NULL, details = NULL
            WHERE token = $2";
        let query = sqlx::query(text).bind(row.erased_at.micros());
        let query = query.bind(record.token.as_str());
        query.execute(&mut *connection).await?;
        let end = erased(&row.tenant, &record.token, row.erased_at);
        changes.push(Change {
            before: Some(digester.digest(&record.canonical())),
            after: digester.digest(&end),
            row: RowRef::VaultErasure(record.token),
        });
    }
    Ok(changes)
}

async fn destroy(
    connection: &mut AnyConnection,
    digester: &Digester,
    row: &VaultErasure,
    keys: Vec<VaultKeyRow>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::with_capacity(keys.len());
    for key in keys {
        let text = "UPDATE vault_keys SET destroyed_at = $1, wrapped = $2 WHERE key_id = $3";
        let query = sqlx::query(text).bind(row.erased_at.micros());
        let query = query.bind(&[][..]).bind(key.key_id.as_str());
        query.execute(&mut *connection).await?;
        let end = ended(&row.tenant, &key.key_id, row.erased_at);
        changes.push(Change {
            before: Some(digester.digest(&key.canonical())),
            after: digester.digest(&end),
            row: RowRef::VaultKeyEnd(key.key_id),
        });
    }
    Ok(changes)
}
