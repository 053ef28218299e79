//! Writing one batch inside its transaction.

use super::{
    Appended, Pending,
    duplicates::{Finder, Known},
    vault, work,
};
use crate::{
    ActRow, ApprovalStepRow, Backend, BacktestRow, Entry, Error, KeyRevocation, LabelRow,
    ListEntryRow, ListRemoval, MentionsRow, NodeRow, RecordRow, Row, RowRef, RuleSetRow,
    RuleSetStepRow, SigningKeyRow, VaultKeyRow, VaultRow, WorkItemRow,
    acts::{ActRun, is_act},
    deliveries,
    outbox::Run,
    rows::{Canonical, RecordedDecision},
    sql::{Fields, Insert, Insertable, Stored},
    trail::{self, Bundle, Change, Digester, Growth, Hash, Trees},
};
use paywarden_domain::Timestamp;
use sqlx::{AnyConnection, Row as _};
use std::{collections::HashSet, sync::Arc};

/// Where the numbered tables stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Leaves of all trees together.
    seq: i64,
    label_seq: i64,
    entry_no: i64,
}

impl Position {
    /// As stored.
    pub(super) async fn load(connection: &mut AnyConnection) -> Result<Self, Error> {
        let text = "SELECT
            CAST(COALESCE((SELECT SUM(size) FROM trail_trees), 0) AS BIGINT),
            COALESCE((SELECT MAX(seq) FROM labels), 0),
            COALESCE((SELECT MAX(entry_no) FROM list_entries), 0)";
        let row = sqlx::query(text).fetch_one(connection).await?;
        Ok(Self {
            seq: row.try_get(0)?,
            label_seq: row.try_get(1)?,
            entry_no: row.try_get(2)?,
        })
    }
}

/// What is true once a transaction is committed.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) end: Position,
    pub(super) growth: Growth,
    pub(super) answers: Vec<Appended>,
}

/// The statements of the writer.
#[derive(Debug)]
pub(super) struct Statements {
    finder: Finder,
    decisions: Insert<RecordedDecision>,
    labels: Insert<LabelRow>,
    list_entries: Insert<ListEntryRow>,
    signing_keys: Insert<SigningKeyRow>,
    rule_sets: Insert<RuleSetRow>,
    approval_steps: Insert<ApprovalStepRow>,
    rule_set_steps: Insert<RuleSetStepRow>,
    records: Insert<RecordRow>,
    vault: vault::Statements,
    work: work::Statements,
    outbox: Insert<Run>,
    acts: Insert<ActRun>,
    pub(super) deliveries: Arc<deliveries::Statements>,
    pub(super) backtests: Arc<Insert<BacktestRow>>,
    pub(super) mentions: Arc<Insert<MentionsRow>>,
    pub(super) nodes: Arc<Insert<NodeRow>>,
    pub(super) digester: Digester,
    trail: trail::Statements,
}

impl Statements {
    pub(super) fn new(backend: Backend, digester: Digester) -> Self {
        Self {
            digester,
            finder: Finder::new(backend),
            decisions: Insert::new(backend),
            labels: Insert::new(backend),
            list_entries: Insert::new(backend),
            signing_keys: Insert::new(backend),
            rule_sets: Insert::new(backend),
            approval_steps: Insert::new(backend),
            rule_set_steps: Insert::new(backend),
            records: Insert::new(backend),
            vault: vault::Statements::new(backend),
            work: work::Statements::new(backend),
            outbox: Insert::new(backend),
            acts: Insert::new(backend),
            deliveries: Arc::new(deliveries::Statements::new(backend)),
            backtests: Arc::new(Insert::new(backend)),
            mentions: Arc::new(Insert::new(backend)),
            nodes: Arc::new(Insert::or_replace(backend)),
            trail: trail::Statements::new(backend),
        }
    }

    /// Writes every entry that is no duplicate. What to answer each, and where the tables stand
    /// once the transaction is committed.
    pub(super) async fn write(
        &self,
        connection: &mut AnyConnection,
        start: Position,
        trees: &Trees,
        now: Timestamp,
        batch: &[Pending],
    ) -> Result<Written, Error> {
        let candidates = self.finder.candidates(connection, batch).await?;
        let mut known = Known::new(&candidates);
        let admitted: Vec<_> = batch
            .iter()
            .map(|pending| (known.admit(&pending.entry), pending))
            .collect();
        let entries = admitted
            .iter()
            .filter(|(duplicate, _)| duplicate.is_none())
            .map(|(_, pending)| &pending.entry);
        let new_records = self.vault.insert_records(connection, entries).await?;
        let mut draft = Draft {
            position: start,
            now,
            connection,
            statements: self,
            trees,
            growth: Growth::default(),
            rows: Rows::default(),
            new_records: &new_records,
        };
        let mut answers = Vec::with_capacity(batch.len());
        for (duplicate, pending) in admitted {
            answers.push(match duplicate {
                Some(duplicate) => duplicate,
                None => draft.add(pending).await?,
            });
        }
        let Draft {
            position,
            rows,
            mut growth,
            ..
        } = draft;
        self.insert(connection, &rows).await?;
        growth.store(connection, &self.trail).await?;
        Ok(Written {
            end: position,
            growth,
            answers,
        })
    }

    async fn insert(&self, connection: &mut AnyConnection, rows: &Rows) -> Result<(), Error> {
        let decisions: Vec<_> = rows.decisions.iter().collect();
        self.decisions.run(connection, &decisions).await?;
        let labels: Vec<_> = rows.labels.iter().collect();
        self.labels.run(connection, &labels).await?;
        self.vault.insert_keys(connection, &rows.vault_keys).await?;
        let outbox: Vec<_> = rows.outbox.iter().collect();
        self.outbox.run(connection, &outbox).await?;
        let acts: Vec<_> = rows.acts.iter().collect();
        self.acts.run(connection, &acts).await
    }
}

/// Rows that are inserted together at the end, because there are many of them.
#[derive(Default)]
struct Rows {
    decisions: Vec<RecordedDecision>,
    labels: Vec<LabelRow>,
    vault_keys: Vec<VaultKeyRow>,
    outbox: Vec<Run>,
    acts: Vec<ActRun>,
}

impl Rows {
    /// Adds an act to those before it.
    fn act(&mut self, act: ActRow) {
        let left = match self.acts.last_mut() {
            Some(run) => run.take(act),
            None => Some(act),
        };
        self.acts.extend(left.map(ActRun::new));
    }

    /// Puts a leaf into the outbox.
    fn wait(&mut self, seq: i64, tenant: &str, leaf: u64) {
        let run = self.outbox.last_mut();
        if run.is_some_and(|run| run.takes(seq, tenant, leaf)) {
            return;
        }
        self.outbox.push(Run {
            seq,
            tenant: tenant.to_owned(),
            leaf,
            leaves: 1,
        });
    }
}

/// A batch while its entries are numbered and put into the trees.
struct Draft<'c> {
    position: Position,
    now: Timestamp,
    connection: &'c mut AnyConnection,
    statements: &'c Statements,
    trees: &'c Trees,
    growth: Growth,
    rows: Rows,
    /// Sealed values that were not there before.
    new_records: &'c HashSet<String>,
}

impl Draft<'_> {
    async fn add(&mut self, pending: &Pending) -> Result<Appended, Error> {
        let entry = &pending.entry;
        let labels_before = self.position.label_seq;
        let decisions_before = self.rows.decisions.len();
        let mut changes = Vec::with_capacity(entry.rows.len());
        for (row, digest) in entry.rows.iter().zip(&pending.digests) {
            self.add_row(entry, (row, *digest), &mut changes).await?;
        }
        let leaf = self.add_leaf(entry, &changes).await?;
        for row in self.rows.decisions.iter_mut().skip(decisions_before) {
            row.leaf = leaf;
        }
        let label_seq = self.position.label_seq;
        Ok(Appended::Written {
            seq: self.position.seq,
            label_seq: (label_seq > labels_before).then_some(label_seq),
            known_records: vault::records(entry).any(|row| !self.new_records.contains(&row.token)),
        })
    }

    async fn add_leaf(&mut self, entry: &Entry, changes: &[Change]) -> Result<u64, Error> {
        let (trees, now) = (self.trees, self.now);
        let leaf = self
            .growth
            .add(self.connection, trees, now, entry, changes)
            .await?;
        self.position.seq += 1;
        if is_act(entry) {
            self.rows.act(ActRow {
                seq: self.position.seq,
                tenant: entry.tenant.clone(),
                written_at: now,
                leaf: Bundle::default().push(leaf, now, entry, changes).to_vec(),
            });
        }
        self.rows
            .wait(self.position.seq, entry.tenant.as_str(), leaf);
        Ok(leaf)
    }

    /// Writes a row or queues it, and notes what changed.
    async fn add_row(
        &mut self,
        entry: &Entry,
        (row, after): (&Row, Hash),
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let mut before = None;
        let row = match row {
            Row::Decision(row) => {
                let row_and_leaf = RecordedDecision {
                    row: row.clone(),
                    leaf: 0,
                };
                self.rows.decisions.push(row_and_leaf);
                RowRef::Decision(row.event_no)
            }
            Row::Label(row) => {
                self.position.label_seq += 1;
                let seq = self.position.label_seq;
                self.rows.labels.push(LabelRow { seq, ..row.clone() });
                RowRef::Label(seq)
            }
            Row::ListEntry(row) => {
                changes.extend(self.replace_open(row).await?);
                self.add_list_entry(row).await?
            }
            Row::ListRemoval(row) => {
                let closed = self.close_open(row).await?;
                let closed =
                    closed.ok_or_else(|| Error::conflict("the value is not on the list"))?;
                before = Some(self.statements.digester.digest(&closed.canonical()));
                RowRef::ListRemoval(closed.entry_no)
            }
            Row::SigningKey(row) => self.add_key(row).await?,
            Row::KeyRevocation(row) => {
                before = Some(
                    self.statements
                        .digester
                        .digest(&self.revoke_key(row).await?),
                );
                RowRef::KeyRevocation(row.key_id.clone())
            }
            Row::ApprovalStep(row) => {
                self.insert_one(|all| &all.approval_steps, row).await?;
                RowRef::ApprovalStep(row.approval.clone(), row.step_no)
            }
            Row::RuleSet(row) => {
                self.insert_one(|all| &all.rule_sets, row).await?;
                RowRef::RuleSet(row.version.clone())
            }
            Row::RuleSetStep(row) => {
                self.insert_one(|all| &all.rule_set_steps, row).await?;
                RowRef::RuleSetStep(row.step_no)
            }
            Row::Record(row) => {
                self.insert_one(|all| &all.records, row).await?;
                RowRef::Record(row.record())
            }
            Row::WorkItem(row) => self.add_work_item(row).await?,
            Row::Vault(row) => return self.add_vault_row(entry, (row, after), changes).await,
        };
        changes.push(Change { row, before, after });
        Ok(())
    }

    /// The same of what the vault keeps. What was there already leaves no change.
    async fn add_vault_row(
        &mut self,
        entry: &Entry,
        (row, after): (&VaultRow, Hash),
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let statements = self.statements;
        let added = match row {
            VaultRow::Record(row) => {
                let is_new = self.new_records.contains(&row.token);
                is_new.then(|| RowRef::VaultRecord(row.token.clone()))
            }
            VaultRow::Key(row) => self.is_needed(entry, row).then(|| {
                self.rows.vault_keys.push(row.clone());
                RowRef::VaultKey(row.key.to_string())
            }),
            VaultRow::Erasure(row) => {
                // Keys that came with this batch end too.
                let new = std::mem::take(&mut self.rows.vault_keys);
                statements.vault.insert_keys(self.connection, &new).await?;
                let (vault, digester) = (&statements.vault, &statements.digester);
                changes.extend(vault.erase(self.connection, digester, row).await?);
                None
            }
            VaultRow::Rewrap(row) => {
                statements.vault.rewrap(self.connection, row).await?;
                None
            }
        };
        let before = None;
        changes.extend(added.map(|row| Change { row, before, after }));
        Ok(())
    }

    /// Whether something new is sealed under a key. A key that nothing is sealed under would stay
    /// for nothing.
    fn is_needed(&self, entry: &Entry, key: &VaultKeyRow) -> bool {
        vault::records(entry).any(|row| row.key == key.key && self.new_records.contains(&row.token))
    }

    async fn add_work_item(&mut self, row: &WorkItemRow) -> Result<RowRef, Error> {
        self.insert_one(|all| &all.records, &row.record).await?;
        self.statements.work.write(self.connection, row).await?;
        Ok(RowRef::Record(row.record.record()))
    }

    async fn insert_one<S: Insertable>(
        &mut self,
        table: fn(&Statements) -> &Insert<S>,
        row: &S,
    ) -> Result<(), Error> {
        table(self.statements).run(self.connection, &[row]).await
    }

    /// A value that is listed again closes its open entry.
    async fn replace_open(&mut self, row: &ListEntryRow) -> Result<Option<Change>, Error> {
        let removed = ListEntryRow {
            removed_at: Some(row.added_at),
            ..row.clone()
        };
        let Some(removal) = removed.removal() else {
            return Ok(None);
        };
        let closed = self.close_open(&removal).await?;
        Ok(closed.map(|closed| Change {
            row: RowRef::ListRemoval(closed.entry_no),
            before: Some(self.statements.digester.digest(&closed.canonical())),
            after: self.statements.digester.digest(&removal.canonical()),
        }))
    }

    async fn add_list_entry(&mut self, row: &ListEntryRow) -> Result<RowRef, Error> {
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

    async fn add_key(&mut self, row: &SigningKeyRow) -> Result<RowRef, Error> {
        let row = SigningKeyRow {
            revoked_at: None,
            ..row.clone()
        };
        let keys = &self.statements.signing_keys;
        keys.run(self.connection, &[&row]).await?;
        Ok(RowRef::SigningKey(row.key_id))
    }

    /// Closes the open entry of a value and returns it, if there is one.
    async fn close_open(&mut self, row: &ListRemoval) -> Result<Option<ListEntryRow>, Error> {
        let text = "UPDATE list_entries SET removed_at = $1
            WHERE tenant = $2 AND list = $3 AND value = $4 AND removed_at IS NULL
            RETURNING entry_no, tenant, list, value, reason, added_by, added_at, expires_at,
                removed_at";
        let closed = sqlx::query(text)
            .bind(row.removed_at.micros())
            .bind(row.tenant.as_str())
            .bind(row.list.as_str())
            .bind(row.value.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        closed
            .first()
            .map(|row| ListEntryRow::read(&mut Fields::of(row)))
            .transpose()
    }

    /// Revokes a key; what it was.
    async fn revoke_key(&mut self, row: &KeyRevocation) -> Result<Canonical, Error> {
        let text = "UPDATE signing_keys SET revoked_at = $1
            WHERE tenant = $2 AND key_id = $3 AND revoked_at IS NULL
            RETURNING key_id, tenant, algorithm, material, sealed, scopes, created_at, revoked_at,
                description";
        let revoked = sqlx::query(text)
            .bind(row.revoked_at.micros())
            .bind(row.tenant.as_str())
            .bind(row.key_id.as_str())
            .fetch_all(&mut *self.connection)
            .await?;
        let revoked = revoked
            .first()
            .ok_or_else(|| Error::conflict("there is no such key, or it is revoked already"))?;
        Ok(SigningKeyRow::read(&mut Fields::of(revoked))?.canonical())
    }
}
