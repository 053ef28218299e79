//! The few statements whose length varies, and reading rows by position.

use crate::{Backend, Error};
use sqlx::{
    Any, AnyConnection, AssertSqlSafe, Row as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use std::{marker::PhantomData, sync::Arc};

/// How many rows one statement takes. Few sizes, so that prepared statements are used again;
/// large ones, because each statement has a fixed cost of some 30 µs.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];
/// How many keys one question for [`Joined`] rows takes: what is left over repeats the last.
const JOINED: [usize; 7] = [1, 4, 16, 64, 256, 512, 1_024];

/// A query whose values are still being bound.
pub(crate) type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

/// A row type read from columns of one table.
pub(crate) trait Stored: Sized {
    /// The table.
    const TABLE: &'static str;
    /// The columns, in the order of `read` and `bind`.
    const COLUMNS: &'static [&'static str];

    /// Reads every column.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error>;
}

/// A row type that is also inserted.
pub(crate) trait Insertable: Stored {
    /// Binds every column.
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q>;
}

/// `INSERT` of many rows of one table.
#[derive(Debug)]
pub(crate) struct Insert<S> {
    texts: [Arc<str>; SIZES.len()],
    rows: PhantomData<S>,
}

impl<S: Insertable> Insert<S> {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            texts: SIZES.map(|size| insert_text::<S>(backend, size).into()),
            rows: PhantomData,
        }
    }

    /// A row that is there already is written over. `key` is the first column and tells which.
    pub(crate) fn or_replace(backend: Backend) -> Self {
        let columns = S::COLUMNS.split_first();
        let (key, others) = columns.map_or(("", &[][..]), |(key, others)| (*key, others));
        let set = |column: &&str| format!("{column} = excluded.{column}");
        let set = others.iter().map(set).collect::<Vec<_>>().join(", ");
        let text = |size| {
            let insert = insert_text::<S>(backend, size);
            format!("{insert} ON CONFLICT ({key}) DO UPDATE SET {set}").into()
        };
        Self {
            texts: SIZES.map(text),
            rows: PhantomData,
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        rows: &[&S],
    ) -> Result<(), Error> {
        for (text, part) in parts(&self.texts, rows) {
            let query = sqlx::query(AssertSqlSafe(text));
            let query = part.iter().fold(query, |query, row| row.bind(query));
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// The same, but rows that break a unique index are left out, without a word.
#[derive(Debug)]
pub(crate) struct InsertNew<S> {
    texts: [Arc<str>; SIZES.len()],
    rows: PhantomData<S>,
}

impl<S: Insertable> InsertNew<S> {
    pub(crate) fn new(backend: Backend) -> Self {
        let text = |size| {
            let insert = insert_text::<S>(backend, size);
            format!("{insert} ON CONFLICT DO NOTHING").into()
        };
        Self {
            texts: SIZES.map(text),
            rows: PhantomData,
        }
    }

    /// How many rows were written.
    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        rows: &[&S],
    ) -> Result<usize, Error> {
        let mut written = 0;
        for (text, part) in parts(&self.texts, rows) {
            let query = sqlx::query(AssertSqlSafe(text));
            let query = part.iter().fold(query, |query, row| row.bind(query));
            written += query.execute(&mut *connection).await?.rows_affected();
        }
        Ok(usize::try_from(written).unwrap_or(usize::MAX))
    }
}

/// `SELECT … WHERE column IN (…)` for many keys.
#[derive(Debug)]
pub(crate) struct Lookup<S> {
    texts: [Arc<str>; SIZES.len()],
    rows: PhantomData<S>,
}

impl<S: Stored> Lookup<S> {
    pub(crate) fn by(backend: Backend, column: &'static str) -> Self {
        let text = |size| {
            let keys = placeholders(backend, 1, size);
            format!("{} WHERE {column} IN {keys}", select_text::<S>()).into()
        };
        Self {
            texts: SIZES.map(text),
            rows: PhantomData,
        }
    }

    /// Every row that has one of the keys, in no order.
    pub(crate) async fn run<'k, K>(
        &self,
        connection: &mut AnyConnection,
        keys: &'k [K],
    ) -> Result<Vec<S>, Error>
    where
        &'k K: sqlx::Encode<'k, Any> + sqlx::Type<Any>,
    {
        let mut found = Vec::new();
        for (text, part) in parts(&self.texts, keys) {
            let query = sqlx::query(AssertSqlSafe(text));
            let query = part.iter().fold(query, Query::bind);
            for row in query.fetch_all(&mut *connection).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }
}

/// Bytes of many rows as one column of one row, one behind the other in no order. A row of its own
/// costs some microseconds on its way through the driver, and each column of it about as much as
/// SQLite needs to find it.
#[derive(Debug)]
pub(crate) struct Joined {
    texts: [Arc<str>; JOINED.len()],
}

impl Joined {
    /// `bytes` is what is wanted of each row of `table`; `column` has the keys.
    pub(crate) fn by(backend: Backend, (bytes, table): (&str, &str), column: &str) -> Self {
        // SQLite joins bytes as if they were text, and leaves them as they are.
        let joined = match backend {
            Backend::Sqlite => format!("CAST(string_agg({bytes}, '') AS BLOB)"),
            Backend::Postgres => format!("string_agg({bytes}, CAST('' AS BYTEA))"),
        };
        let text = |size| {
            let keys = placeholders(backend, 1, size);
            format!("SELECT {joined} FROM {table} WHERE {column} IN {keys}").into()
        };
        Self {
            texts: JOINED.map(text),
        }
    }

    /// What there is for these keys, in pieces: one for each thousand keys.
    pub(crate) async fn run<'k, K>(
        &self,
        connection: &mut AnyConnection,
        keys: &'k [K],
    ) -> Result<Vec<Vec<u8>>, Error>
    where
        &'k K: sqlx::Encode<'k, Any> + sqlx::Type<Any>,
    {
        let most = JOINED.last().copied().unwrap_or(1);
        let mut pieces = Vec::new();
        for part in keys.chunks(most) {
            let mut sized = self.texts.iter().zip(JOINED);
            let fitting = sized.find(|(_, size)| *size >= part.len());
            let Some(((text, size), last)) = fitting.zip(part.last()) else {
                continue;
            };
            let padding = std::iter::repeat_n(last, size - part.len());
            let query = sqlx::query(AssertSqlSafe(text.clone()));
            let query = part.iter().chain(padding).fold(query, Query::bind);
            let found = query.fetch_one(&mut *connection).await?;
            pieces.extend(found.try_get::<Option<Vec<u8>>, _>(0)?);
        }
        Ok(pieces)
    }
}

/// A value that a question binds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'v> {
    Text(&'v str),
    Number(i64),
    Bytes(&'v [u8]),
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The rows of one table for which `rest` (`WHERE …`, placeholders from `$1`) holds. `rest` is
/// only ever put together from constants.
pub(crate) async fn select<S: Stored>(
    connection: &mut AnyConnection,
    rest: &str,
    values: &[Value<'_>],
) -> Result<Vec<S>, Error> {
    let text = format!("{} {rest}", select_text::<S>());
    bound(text, values)
        .fetch_all(connection)
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The one number that a question yields. Its text is only ever put together from constants.
pub(crate) async fn select_bound(
    connection: &mut AnyConnection,
    text: String,
    values: &[Value<'_>],
) -> Result<i64, Error> {
    let query = bound(text, values);
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

/// The rows that a question yields. Its text is only ever put together from constants and numbers.
pub(crate) async fn fetch_bound(
    connection: &mut AnyConnection,
    text: String,
    values: &[Value<'_>],
) -> Result<Vec<AnyRow>, Error> {
    Ok(bound(text, values).fetch_all(connection).await?)
}

fn bound<'v>(text: String, values: &[Value<'v>]) -> AnyQuery<'v> {
    let query = sqlx::query(AssertSqlSafe(text));
    values.iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(*text),
        Value::Number(number) => query.bind(*number),
        Value::Bytes(bytes) => query.bind(*bytes),
    })
}

/// The one number that a question yields.
pub(crate) async fn select_number(
    connection: &mut AnyConnection,
    text: &'static str,
) -> Result<i64, Error> {
    Ok(sqlx::query(text).fetch_one(connection).await?.try_get(0)?)
}

/// The one number that a question about a tenant yields.
pub(crate) async fn select_number_of(
    connection: &mut AnyConnection,
    text: &'static str,
    tenant: &str,
) -> Result<i64, Error> {
    let query = sqlx::query(text).bind(tenant);
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

/// The texts that a question without values yields.
pub(crate) async fn select_texts(
    connection: &mut AnyConnection,
    text: &'static str,
) -> Result<Vec<String>, Error> {
    let rows = sqlx::query(text).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn select_text<S: Stored>() -> String {
    format!("SELECT {} FROM {}", S::COLUMNS.join(", "), S::TABLE)
}

fn read<S: Stored>(row: &AnyRow) -> Result<S, Error> {
    S::read(&mut Fields::of(row))
}

/// The columns of one row, from left to right.
pub(crate) struct Fields<'r> {
    row: &'r AnyRow,
    next: usize,
}

impl<'r> Fields<'r> {
    pub(crate) fn of(row: &'r AnyRow) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn take<T: sqlx::Decode<'r, Any> + sqlx::Type<Any>>(&mut self) -> Result<T, Error> {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column through a parser.
    pub(crate) fn parsed<T, E>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Error> {
        let text: &str = self.take()?;
        parse(text).map_err(|_| Error::corrupt("a text column holds what it may not"))
    }

    /// The next column as a small number that stands for something.
    pub(crate) fn numbered<T>(&mut self, find: impl FnOnce(u8) -> Option<T>) -> Result<T, Error> {
        let number: i16 = self.take()?;
        u8::try_from(number)
            .ok()
            .and_then(find)
            .ok_or_else(|| Error::corrupt("a number column holds an unknown number"))
    }

    /// The next column as a number that counts something.
    pub(crate) fn counted(&mut self) -> Result<u64, Error> {
        u64::try_from(self.take::<i64>()?)
            .map_err(|_| Error::corrupt("a count column holds a negative number"))
    }

    /// The next column as 32 bytes, if it is there.
    pub(crate) fn hash(&mut self) -> Result<Option<[u8; 32]>, Error> {
        let Some(bytes) = self.take::<Option<Vec<u8>>>()? else {
            return Ok(None);
        };
        bytes
            .try_into()
            .map(Some)
            .map_err(|_| Error::corrupt("a hash is not 32 bytes long"))
    }
}

/// Cuts the items into parts of the sizes that statements exist for, largest first.
fn parts<'i, T>(
    texts: &[Arc<str>; SIZES.len()],
    items: &'i [T],
) -> impl Iterator<Item = (Arc<str>, &'i [T])> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let (text, size) = texts
            .iter()
            .zip(SIZES)
            .find(|(_, size)| *size <= rest.len())?;
        let (part, left) = rest.split_at(size);
        rest = left;
        Some((text.clone(), part))
    })
}

fn insert_text<S: Stored>(backend: Backend, rows: usize) -> String {
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        S::TABLE,
        S::COLUMNS.join(", "),
        rows_of_placeholders(backend, rows, S::COLUMNS.len())
    )
}

/// `($1, $2), ($3, $4)`
fn rows_of_placeholders(backend: Backend, rows: usize, width: usize) -> String {
    let rows: Vec<_> = (0..rows)
        .map(|row| placeholders(backend, row * width + 1, width))
        .collect();
    rows.join(", ")
}

/// `($5, $6, $7)`
fn placeholders(backend: Backend, first: usize, count: usize) -> String {
    let all: Vec<_> = (first..first + count)
        .map(|number| backend.placeholder(number))
        .collect();
    format!("({})", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once_in_order() {
        let texts = SIZES.map(|size| Arc::from(size.to_string()));
        for count in 0..600 {
            let items: Vec<_> = (0..count).collect();
            let cut: Vec<_> = parts(&texts, &items).collect();
            assert!(
                cut.iter()
                    .all(|(text, part)| **text == *part.len().to_string())
            );
            assert_eq!(cut.iter().flat_map(|(_, part)| *part).count(), count);
            assert!(cut.iter().flat_map(|(_, part)| *part).is_sorted());
        }
    }
}
