//! Recomputing the whole trail, and finding the first place where it does not hold.

use super::{Leaf, RowRef, TrailHead, leaves_after, read_manifest};
use crate::{
    Backend, Database, DecisionRow, Error, LabelRow, ListEntryRow, RuleSetRow, SigningKeyRow,
    sql::Lookup,
};
use sqlx::{AnyConnection, Row as _};
use std::collections::HashMap;

/// Leaves read at a time.
const PAGE: i64 = 1_000;
/// Rows compared at a time.
const PART: usize = 64;

/// What became of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every leaf follows from the one before, and every row is as it was written.
    Intact {
        /// The newest leaf.
        head: TrailHead,
        /// How many leaves were recomputed.
        leaves: u64,
        /// How many rows were compared with their digest.
        rows: u64,
    },
    /// Something was changed behind the journal.
    Broken {
        /// The first leaf that does not hold; the newest one when no single leaf can be named.
        seq: i64,
        /// What is wrong there.
        fault: Fault,
    },
}

/// What is wrong at a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The leaf is not there, but a later one is.
    LeafMissing,
    /// A field of the leaf, its hash or its place was changed.
    LeafChanged,
    /// A row that was written with the leaf is not there.
    RowMissing(RowRef),
    /// A row that was written with the leaf was changed.
    RowChanged(RowRef),
    /// A table has a different number of rows than the trail speaks of.
    RowsUnrecorded(&'static str),
    /// The leaf that the caller knows from outside is not there, or is another one.
    AnchorMissing,
}

impl Database {
    /// Recomputes the chain from the first leaf and the digest of every row, in one consistent
    /// state and in constant memory. With an `anchor` (a head noted earlier) it also notices a
    /// trail that was shortened or rewritten from some leaf on.
    ///
    /// While it runs, SQLite cannot start its write-ahead log anew.
    pub async fn verify(&self, anchor: Option<&TrailHead>) -> Result<Verdict, Error> {
        let mut snapshot = self.snapshot().await?;
        let mut walk = Walk::new(self.backend(), anchor.copied());
        let broken = walk.run(&mut snapshot).await?;
        snapshot.rollback().await?;
        Ok(match broken {
            Some((seq, fault)) => Verdict::Broken { seq, fault },
            None => Verdict::Intact {
                head: walk.head,
                leaves: walk.head.seq.unsigned_abs(),
                rows: walk.rows,
            },
        })
    }
}

/// The first leaf that does not hold.
type Broken = Option<(i64, Fault)>;

/// A row that a leaf speaks of.
struct Wanted {
    seq: i64,
    tenant: String,
    row: RowRef,
    digest: [u8; 32],
}

struct Walk {
    anchor: Option<TrailHead>,
    head: TrailHead,
    rows: u64,
    /// Rows added according to the trail, by table.
    added: HashMap<&'static str, i64>,
    lookups: Lookups,
}

impl Walk {
    fn new(backend: Backend, anchor: Option<TrailHead>) -> Self {
        let lookups = Lookups::new(backend);
        Self {
            anchor,
            head: TrailHead::EMPTY,
            rows: 0,
            added: HashMap::new(),
            lookups,
        }
    }

    async fn run(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        loop {
            let Some(leaves) = self.page(connection).await? else {
                return Ok(Some((self.head.seq + 1, Fault::LeafChanged)));
            };
            if leaves.is_empty() {
                return self.end(connection).await;
            }
            let mut wanted = Vec::new();
            let broken = self.follow(&leaves, &mut wanted);
            let broken_row = self.compare(connection, &wanted).await?;
            if broken_row.is_some() || broken.is_some() {
                return Ok(broken_row.or(broken));
            }
        }
    }

    /// The next leaves; none if the next one cannot even be read.
    async fn page(&self, connection: &mut AnyConnection) -> Result<Option<Vec<Leaf>>, Error> {
        for limit in [PAGE, 1] {
            match leaves_after(connection, self.head.seq, limit).await {
                Err(Error::Corrupt { .. }) => {}
                leaves => return leaves.map(Some),
            }
        }
        Ok(None)
    }

    /// Follows the chain and collects the rows that its leaves speak of.
    fn follow(&mut self, leaves: &[Leaf], wanted: &mut Vec<Wanted>) -> Broken {
        for leaf in leaves {
            let seq = self.head.seq + 1;
            if leaf.seq != seq {
                return Some((seq, Fault::LeafMissing));
            }
            let hash = leaf.hash_after(&self.head.hash);
            let Ok(rows) = read_manifest(&leaf.manifest) else {
                return Some((seq, Fault::LeafChanged));
            };
            if leaf.hash != hash {
                return Some((seq, Fault::LeafChanged));
            }
            self.head = TrailHead { seq, hash };
            if self
                .anchor
                .is_some_and(|anchor| anchor.seq == seq && anchor.hash != hash)
            {
                return Some((seq, Fault::AnchorMissing));
            }
            wanted.extend(rows.into_iter().map(|(row, digest)| {
                let tenant = leaf.tenant.clone();
                Wanted {
                    seq,
                    tenant,
                    row,
                    digest,
                }
            }));
        }
        None
    }

    async fn compare(
        &mut self,
        connection: &mut AnyConnection,
        wanted: &[Wanted],
    ) -> Result<Broken, Error> {
        for part in wanted.chunks(PART) {
            let found = self.lookups.digests(connection, part).await?;
            for want in part {
                let fault = match found.get(&(want.tenant.clone(), want.row.clone())) {
                    None => Fault::RowMissing(want.row.clone()),
                    Some(digest) if *digest != Some(want.digest) => {
                        Fault::RowChanged(want.row.clone())
                    }
                    Some(_) => {
                        *self.added.entry(table_of(&want.row)).or_default() += 1;
                        self.rows += 1;
                        continue;
                    }
                };
                return Ok(Some((want.seq, fault)));
            }
        }
        Ok(None)
    }

    /// At the end of the trail: nothing may be stored that it does not speak of.
    async fn end(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        if self.anchor.is_some_and(|anchor| anchor.seq > self.head.seq) {
            return Ok(Some((self.head.seq, Fault::AnchorMissing)));
        }
        self.added.insert("trail", self.head.seq);
        for (table, text) in COUNTS {
            let row = sqlx::query(text).fetch_one(&mut *connection).await?;
            if row.try_get::<i64, _>(0)? != self.added.get(table).copied().unwrap_or(0) {
                return Ok(Some((self.head.seq, Fault::RowsUnrecorded(table))));
            }
        }
        Ok(None)
    }
}

/// Tables whose every row is added by exactly one leaf.
const COUNTS: [(&str, &str); 6] = [
    ("trail", "SELECT COUNT(*) FROM trail"),
    ("decisions", "SELECT COUNT(*) FROM decisions"),
    ("labels", "SELECT COUNT(*) FROM labels"),
    ("list_entries", "SELECT COUNT(*) FROM list_entries"),
    ("signing_keys", "SELECT COUNT(*) FROM signing_keys"),
    ("rule_sets", "SELECT COUNT(*) FROM rule_sets"),
];

fn table_of(row: &RowRef) -> &'static str {
    match row {
        RowRef::Decision(_) => "decisions",
        RowRef::Label(_) => "labels",
        RowRef::ListEntry(_) => "list_entries",
        RowRef::SigningKey(_) => "signing_keys",
        RowRef::RuleSet(_) => "rule_sets",
        RowRef::ListRemoval(_) => "list removals",
        RowRef::KeyRevocation(_) => "key revocations",
    }
}

/// Digests of stored rows; none for a row that is there but cannot be read.
type Digests = HashMap<(String, RowRef), Option<[u8; 32]>>;

struct Lookups {
    decisions: Lookup<DecisionRow>,
    labels: Lookup<LabelRow>,
    entries: Lookup<ListEntryRow>,
    keys: Lookup<SigningKeyRow>,
    rule_sets: Lookup<RuleSetRow>,
}

impl Lookups {
    fn new(backend: Backend) -> Self {
        Self {
            decisions: Lookup::by(backend, "event_no"),
            labels: Lookup::by(backend, "seq"),
            entries: Lookup::by(backend, "entry_no"),
            keys: Lookup::by(backend, "key_id"),
            rule_sets: Lookup::by(backend, "version"),
        }
    }

    /// The rows as they are now; one by one when a row among them cannot be read.
    async fn digests(
        &self,
        connection: &mut AnyConnection,
        wanted: &[Wanted],
    ) -> Result<Digests, Error> {
        match self.load(connection, wanted).await {
            Err(Error::Corrupt { .. }) => {}
            digests => return digests,
        }
        let mut digests = Digests::new();
        for want in wanted {
            match self.load(connection, std::slice::from_ref(want)).await {
                Err(Error::Corrupt { .. }) => {
                    digests.insert((want.tenant.clone(), want.row.clone()), None);
                }
                found => digests.extend(found?),
            }
        }
        Ok(digests)
    }

    async fn load(
        &self,
        connection: &mut AnyConnection,
        wanted: &[Wanted],
    ) -> Result<Digests, Error> {
        let mut keys = Keys::default();
        wanted.iter().for_each(|want| keys.add(&want.row));
        let mut digests = Digests::new();
        let mut note = |tenant: &str, row, digest| {
            digests.insert((tenant.to_owned(), row), Some(digest));
        };
        for row in self.decisions.run(connection, &keys.decisions).await? {
            let digest = row.canonical().digest();
            note(row.tenant.as_str(), RowRef::Decision(row.event_no), digest);
        }
        for row in self.labels.run(connection, &keys.labels).await? {
            note(
                row.tenant.as_str(),
                RowRef::Label(row.seq),
                row.canonical().digest(),
            );
        }
        for row in self.entries.run(connection, &keys.entries).await? {
            let (tenant, number) = (row.tenant.as_str(), row.entry_no);
            note(tenant, RowRef::ListEntry(number), row.canonical().digest());
            if let Some(removal) = row.removal() {
                note(
                    tenant,
                    RowRef::ListRemoval(number),
                    removal.canonical().digest(),
                );
            }
        }
        for row in self.keys.run(connection, &keys.keys).await? {
            let (tenant, key_id) = (row.tenant.as_str(), row.key_id.clone());
            note(
                tenant,
                RowRef::SigningKey(key_id.clone()),
                row.canonical().digest(),
            );
            if let Some(revocation) = row.revocation() {
                note(
                    tenant,
                    RowRef::KeyRevocation(key_id),
                    revocation.canonical().digest(),
                );
            }
        }
        for row in self.rule_sets.run(connection, &keys.rule_sets).await? {
            let digest = row.canonical().digest();
            note(
                row.tenant.as_str(),
                RowRef::RuleSet(row.version.clone()),
                digest,
            );
        }
        Ok(digests)
    }
}

/// Keys of rows, by table.
#[derive(Default)]
struct Keys {
    decisions: Vec<i64>,
    labels: Vec<i64>,
    entries: Vec<i64>,
    keys: Vec<String>,
    rule_sets: Vec<String>,
}

impl Keys {
    fn add(&mut self, row: &RowRef) {
        match row {
            RowRef::Decision(key) => self.decisions.push(*key),
            RowRef::Label(key) => self.labels.push(*key),
            RowRef::ListEntry(key) | RowRef::ListRemoval(key) => self.entries.push(*key),
            RowRef::SigningKey(key) | RowRef::KeyRevocation(key) => self.keys.push(key.clone()),
            RowRef::RuleSet(key) => self.rule_sets.push(key.clone()),
        }
    }
}
