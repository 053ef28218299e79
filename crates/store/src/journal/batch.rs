//! Writing one batch inside its transaction.

use super::{
    Appended, Pending,
    duplicates::{Finder, Known},
};
use crate::{
    Backend, DecisionRow, Entry, Error, KeyRevocation, LabelRow, ListEntryRow, ListRemoval, Row,
    RowRef, RuleSetRow, SigningKeyRow, TrailHead,
    sql::Insert,
    trail::{Leaf, Manifest},
};
use paywarden_domain::Timestamp;
use sqlx::{AnyConnection, Row as _};

/// Where the numbered tables stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) head: TrailHead,
    label_seq: i64,
    entry_no: i64,
}

impl Position {
    /// As stored.
    pub(super) async fn load(connection: &mut AnyConnection) -> Result<Self, Error> {
        let head = TrailHead::load(connection).await?;
        let text = "SELECT COALESCE((SELECT MAX(seq) FROM labels), 0),
            COALESCE((SELECT MAX(entry_no) FROM list_entries), 0)";
        let row = sqlx::query(text).fetch_one(connection).await?;
        Ok(Self {
            head,
            label_seq: row.try_get(0)?,
            entry_no: row.try_get(1)?,
        })
    }
}

/// The statements of the writer.
#[derive(Debug)]
pub(super) struct Statements {
    finder: Finder,
    decisions: Insert<DecisionRow>,
    labels: Insert<LabelRow>,
    list_entries: Insert<ListEntryRow>,
    signing_keys: Insert<SigningKeyRow>,
    rule_sets: Insert<RuleSetRow>,
    leaves: Insert<Leaf>,
}

impl Statements {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            finder: Finder::new(backend),
            decisions: Insert::new(backend),
            labels: Insert::new(backend),
            list_entries: Insert::new(backend),
            signing_keys: Insert::new(backend),
            rule_sets: Insert::new(backend),
            leaves: Insert::new(backend),
        }
    }

    /// Writes every entry that is no duplicate. What to answer each, and where the tables stand
    /// once the transaction is committed.
    pub(super) async fn write(
        &self,
        connection: &mut AnyConnection,
        start: Position,
        now: Timestamp,
        batch: &[Pending],
    ) -> Result<(Position, Vec<Appended>), Error> {
        let candidates = self.finder.candidates(connection, batch).await?;
        let mut known = Known::new(&candidates);
        let mut draft = Draft {
            position: start,
            now,
            connection,
            statements: self,
            rows: Rows::default(),
        };
        let mut answers = Vec::with_capacity(batch.len());
        for pending in batch {
            answers.push(match known.admit(&pending.entry) {
                Some(duplicate) => duplicate,
                None => draft.add(&pending.entry, &pending.digests).await?,
            });
        }
        let Draft { position, rows, .. } = draft;
        self.insert(connection, start, rows).await?;
        Ok((position, answers))
    }

    async fn insert(
        &self,
        connection: &mut AnyConnection,
        start: Position,
        rows: Rows<'_>,
    ) -> Result<(), Error> {
        self.decisions.run(connection, &rows.decisions).await?;
        self.labels
            .run(connection, &rows.labels.iter().collect::<Vec<_>>())
            .await?;
        self.leaves
            .run(connection, &rows.leaves.iter().collect::<Vec<_>>())
            .await?;
        sqlx::query("INSERT INTO outbox (seq) SELECT seq FROM trail WHERE seq > $1")
            .bind(start.head.seq)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Rows that are inserted together at the end, because there are many of them.
#[derive(Default)]
struct Rows<'b> {
    decisions: Vec<&'b DecisionRow>,
    labels: Vec<LabelRow>,
    leaves: Vec<Leaf>,
}

/// A batch while its entries are numbered and chained.
struct Draft<'b, 'c> {
    position: Position,
    now: Timestamp,
    connection: &'c mut AnyConnection,
    statements: &'c Statements,
    rows: Rows<'b>,
}

impl<'b> Draft<'b, '_> {
    async fn add(&mut self, entry: &'b Entry, digests: &[[u8; 32]]) -> Result<Appended, Error> {
        let labels_before = self.position.label_seq;
        let mut manifest = Manifest::default();
        for (row, digest) in entry.rows.iter().zip(digests) {
            manifest.push(&self.add_row(row).await?, digest);
        }
        let head = self.chain(entry, manifest);
        let label_seq = self.position.label_seq;
        Ok(Appended::Written {
            seq: head.seq,
            label_seq: (label_seq > labels_before).then_some(label_seq),
        })
    }

    fn chain(&mut self, entry: &Entry, manifest: Manifest) -> TrailHead {
        let before = self.position.head;
        let mut leaf = Leaf {
            seq: before.seq + 1,
            written_at: self.now,
            tenant: entry.tenant.as_str().to_owned(),
            actor: entry.actor.to_string(),
            purpose: entry.purpose.as_str().to_owned(),
            action: entry.action.to_owned(),
            object: entry.object.clone(),
            manifest: manifest.into_bytes(),
            hash: Vec::new(),
        };
        let head = TrailHead {
            seq: leaf.seq,
            hash: leaf.hash_after(&before.hash),
        };
        leaf.hash = head.hash.to_vec();
        self.rows.leaves.push(leaf);
        self.position.head = head;
        head
    }

    async fn add_row(&mut self, row: &'b Row) -> Result<RowRef, Error> {
        match row {
            Row::Decision(row) => {
                self.rows.decisions.push(row);
                Ok(RowRef::Decision(row.event_no))
            }
            Row::Label(row) => {
                self.position.label_seq += 1;
                let seq = self.position.label_seq;
                self.rows.labels.push(LabelRow { seq, ..row.clone() });
                Ok(RowRef::Label(seq))
            }
            Row::ListEntry(row) => self.add_list_entry(row).await,
            Row::ListRemoval(row) => self.close_list_entry(row).await,
            Row::SigningKey(row) => {
                let row = SigningKeyRow {
                    revoked_at: None,
                    ..row.clone()
                };
                self.statements
                    .signing_keys
                    .run(self.connection, &[&row])
                    .await?;
                Ok(RowRef::SigningKey(row.key_id))
            }
            Row::KeyRevocation(row) => self.revoke_key(row).await,
            Row::RuleSet(row) => {
                self.statements
                    .rule_sets
                    .run(self.connection, &[row])
                    .await?;
                Ok(RowRef::RuleSet(row.version.clone()))
            }
        }
    }

    async fn add_list_entry(&mut self, row: &ListEntryRow) -> Result<RowRef, Error> {
        let removal = ListEntryRow {
            removed_at: Some(row.added_at),
            ..row.clone()
        }
        .removal();
        if let Some(removal) = removal {
            self.close_open(&removal).await?;
        }
        self.position.entry_no += 1;
        let entry_no = self.position.entry_no;
        let row = ListEntryRow {
            entry_no,
            removed_at: None,
            ..row.clone()
        };
        self.statements
            .list_entries
            .run(self.connection, &[&row])
            .await?;
        Ok(RowRef::ListEntry(entry_no))
    }

    async fn close_list_entry(&mut self, row: &ListRemoval) -> Result<RowRef, Error> {
        let closed = self.close_open(row).await?;
        let entry_no = closed.ok_or_else(|| Error::conflict("the value is not on the list"))?;
        Ok(RowRef::ListRemoval(entry_no))
    }

    /// Closes the open entry of a value and returns its number, if there is one.
    async fn close_open(&mut self, row: &ListRemoval) -> Result<Option<i64>, Error> {
        let text = "UPDATE list_entries SET removed_at = $1
            WHERE tenant = $2 AND list = $3 AND value = $4 AND removed_at IS NULL
            RETURNING entry_no";
        let closed = sqlx::query(text)
            .bind(row.removed_at.micros())
            .bind(row.tenant.as_str())
            .bind(row.list.as_str())
            .bind(row.value.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        Ok(closed.first().map(|row| row.try_get(0)).transpose()?)
    }

    async fn revoke_key(&mut self, row: &KeyRevocation) -> Result<RowRef, Error> {
        let text = "UPDATE signing_keys SET revoked_at = $1
            WHERE tenant = $2 AND key_id = $3 AND revoked_at IS NULL";
        let revoked = sqlx::query(text)
            .bind(row.revoked_at.micros())
            .bind(row.tenant.as_str())
            .bind(row.key_id.as_str())
            .execute(&mut *self.connection)
            .await?;
        if revoked.rows_affected() == 0 {
            return Err(Error::conflict(
                "there is no such key, or it is revoked already",
            ));
        }
        Ok(RowRef::KeyRevocation(row.key_id.clone()))
    }
}
