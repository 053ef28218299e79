//! Comparing rows with the digests that leaves keep of them.

use super::change::{Change, Digester, RowRef};
use crate::{
    ApprovalStepRow, Backend, Error, KeyPage, KeyPlace, LabelRow, ListEntryRow, RecordRow,
    RuleSetRow, RuleSetStepRow, SigningKeyRow, VaultRecordRow,
    rows::{Canonical, RecordedDecision, ended, erased},
    sql::{Lookup, select_number},
    trail::verify::{Fault, Place},
};
use paywarden_domain::TenantId;
use sqlx::AnyConnection;
use std::collections::{BTreeSet, HashMap};

/// Rows compared at a time.
const PART: usize = 256;

/// A row that a leaf speaks of.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) leaf: u64,
    pub(crate) change: Change,
}

/// Compares rows and counts them.
pub(crate) struct Rows {
    lookups: Lookups,
    /// How many were compared.
    pub(crate) compared: u64,
    /// Rows added according to the trail, by table.
    added: HashMap<&'static str, i64>,
}

impl Rows {
    pub(crate) fn new(backend: Backend, digester: Digester) -> Self {
        Self {
            lookups: Lookups::new(backend, digester),
            compared: 0,
            added: HashMap::new(),
        }
    }

    /// The first row of a tenant that is not as its leaf says.
    pub(crate) async fn compare(
        &mut self,
        connection: &mut AnyConnection,
        tenant: &str,
        wanted: &[Wanted],
    ) -> Result<Option<(Place, Fault)>, Error> {
        for part in wanted.chunks(PART) {
            let found = self.lookups.digests(connection, tenant, part).await?;
            for want in part {
                let row = &want.change.row;
                let fault = match found.get(row) {
                    None => Fault::RowMissing(row.clone()),
                    Some(Some(found)) if found.fits(want) => {
                        *self.added.entry(table_of(row)).or_default() += 1;
                        self.compared += 1;
                        continue;
                    }
                    Some(_) => Fault::RowChanged(row.clone()),
                };
                return Ok(Some((Place::new(tenant, want.leaf), fault)));
            }
        }
        Ok(None)
    }

    /// A table that holds rows which no leaf speaks of.
    pub(crate) async fn unrecorded(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Option<&'static str>, Error> {
        for (table, text) in COUNTS {
            let expected = self.added.get(table).copied().unwrap_or(0);
            if select_number(connection, text).await? != expected {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }
}

/// Tables whose every row is added by exactly one leaf.
const COUNTS: [(&str, &str); 10] = [
    ("decisions", "SELECT COUNT(*) FROM decisions"),
    ("labels", "SELECT COUNT(*) FROM labels"),
    ("list_entries", "SELECT COUNT(*) FROM list_entries"),
    ("signing_keys", "SELECT COUNT(*) FROM signing_keys"),
    ("rule_sets", "SELECT COUNT(*) FROM rule_sets"),
    ("rule_set_steps", "SELECT COUNT(*) FROM rule_set_steps"),
    ("approval_steps", "SELECT COUNT(*) FROM approval_steps"),
    ("records", "SELECT COUNT(*) FROM records"),
    ("vault_records", "SELECT COUNT(*) FROM vault_records"),
    (
        "vault_pages",
        "SELECT CAST(COALESCE(SUM(keys), 0) AS BIGINT) FROM vault_pages",
    ),
];

fn table_of(row: &RowRef) -> &'static str {
    match row {
        RowRef::Decision(_) => "decisions",
        RowRef::Label(_) => "labels",
        RowRef::ListEntry(_) => "list_entries",
        RowRef::SigningKey(_) => "signing_keys",
        RowRef::RuleSet(_) => "rule_sets",
        RowRef::RuleSetStep(_) => "rule_set_steps",
        RowRef::ApprovalStep(..) => "approval_steps",
        RowRef::Record(_) => "records",
        RowRef::VaultRecord(_) => "vault_records",
        RowRef::VaultKey(_) => "vault_pages",
        RowRef::VaultErasure(_) => "vault erasures",
        RowRef::VaultKeyEnd(_) => "vault key ends",
        RowRef::ListRemoval(_) => "list removals",
        RowRef::KeyRevocation(_) => "key revocations",
    }
}

/// What is stored now.
#[derive(Debug, Clone, Copy)]
struct Found {
    digest: [u8; 32],
    /// The leaf that the row names itself.
    leaf: Option<u64>,
}

impl Found {
    fn fits(&self, want: &Wanted) -> bool {
        self.digest == want.change.after && self.leaf.is_none_or(|leaf| leaf == want.leaf)
    }
}

/// Digests of stored rows; none for a row that is there but cannot be read.
type Digests = HashMap<RowRef, Option<Found>>;

struct Lookups {
    digester: Digester,
    decisions: Lookup<RecordedDecision>,
    labels: Lookup<LabelRow>,
    entries: Lookup<ListEntryRow>,
    keys: Lookup<SigningKeyRow>,
    rule_sets: Lookup<RuleSetRow>,
    rule_set_steps: Lookup<RuleSetStepRow>,
    approval_steps: Lookup<ApprovalStepRow>,
    records: Lookup<RecordRow>,
    vault_records: Lookup<VaultRecordRow>,
    vault_pages: Lookup<KeyPage>,
}

impl Lookups {
    fn new(backend: Backend, digester: Digester) -> Self {
        Self {
            digester,
            decisions: Lookup::by(backend, "event_no"),
            labels: Lookup::by(backend, "seq"),
            entries: Lookup::by(backend, "entry_no"),
            keys: Lookup::by(backend, "key_id"),
            rule_sets: Lookup::by(backend, "version"),
            rule_set_steps: Lookup::by(backend, "step_no"),
            approval_steps: Lookup::by(backend, "approval"),
            records: Lookup::by(backend, "record"),
            vault_records: Lookup::by(backend, "token"),
            vault_pages: Lookup::by(backend, "page"),
        }
    }

    /// The rows as they are now; one by one when a row among them cannot be read.
    async fn digests(
        &self,
        connection: &mut AnyConnection,
        tenant: &str,
        wanted: &[Wanted],
    ) -> Result<Digests, Error> {
        match self.load(connection, tenant, wanted).await {
            Err(Error::Corrupt { .. }) => {}
            digests => return digests,
        }
        let mut digests = Digests::new();
        for want in wanted {
            let alone = std::slice::from_ref(want);
            match self.load(connection, tenant, alone).await {
                Err(Error::Corrupt { .. }) => {
                    digests.insert(want.change.row.clone(), None);
                }
                found => digests.extend(found?),
            }
        }
        Ok(digests)
    }

    async fn load(
        &self,
        connection: &mut AnyConnection,
        tenant: &str,
        wanted: &[Wanted],
    ) -> Result<Digests, Error> {
        let mut keys = Keys::default();
        wanted.iter().for_each(|want| keys.add(&want.change.row));
        let mut digests = Digests::new();
        let mut note = |owner: &TenantId, row, canonical: &Canonical, leaf| {
            if owner.as_str() == tenant {
                let digest = self.digester.digest(canonical);
                digests.insert(row, Some(Found { digest, leaf }));
            }
        };
        for row in self.decisions.run(connection, &keys.decisions).await? {
            let RecordedDecision { row, leaf } = row;
            let reference = RowRef::Decision(row.event_no);
            note(&row.tenant, reference, &row.canonical(), Some(leaf));
        }
        for row in self.labels.run(connection, &keys.labels).await? {
            note(&row.tenant, RowRef::Label(row.seq), &row.canonical(), None);
        }
        for row in self.entries.run(connection, &keys.entries).await? {
            let number = row.entry_no;
            note(
                &row.tenant,
                RowRef::ListEntry(number),
                &row.canonical(),
                None,
            );
            if let Some(removal) = row.removal() {
                let reference = RowRef::ListRemoval(number);
                note(&row.tenant, reference, &removal.canonical(), None);
            }
        }
        for row in self.keys.run(connection, &keys.keys).await? {
            let reference = RowRef::SigningKey(row.key_id.clone());
            note(&row.tenant, reference, &row.canonical(), None);
            if let Some(revocation) = row.revocation() {
                let reference = RowRef::KeyRevocation(row.key_id.clone());
                note(&row.tenant, reference, &revocation.canonical(), None);
            }
        }
        for row in self.rule_sets.run(connection, &keys.rule_sets).await? {
            let reference = RowRef::RuleSet(row.version.clone());
            note(&row.tenant, reference, &row.canonical(), None);
        }
        let steps = &self.rule_set_steps;
        for row in steps.run(connection, &keys.rule_set_steps).await? {
            let reference = RowRef::RuleSetStep(row.step_no);
            note(&row.tenant, reference, &row.canonical(), None);
        }
        let approvals: Vec<_> = keys.approvals.iter().cloned().collect();
        for row in self.approval_steps.run(connection, &approvals).await? {
            let reference = RowRef::ApprovalStep(row.approval.clone(), row.step_no);
            note(&row.tenant, reference, &row.canonical(), None);
        }
        for row in self.records.run(connection, &keys.records).await? {
            let reference = RowRef::Record(row.record());
            note(&row.tenant, reference, &row.canonical(), None);
        }
        self.load_vault(connection, &keys, &mut note).await?;
        Ok(digests)
    }

    /// The same of what the vault keeps.
    async fn load_vault(
        &self,
        connection: &mut AnyConnection,
        keys: &Keys,
        note: &mut (impl FnMut(&TenantId, RowRef, &Canonical, Option<u64>) + Send),
    ) -> Result<(), Error> {
        let records = &self.vault_records;
        for row in records.run(connection, &keys.vault_records).await? {
            let (tenant, token) = (&row.tenant, row.token.clone());
            if let Some(at) = row.erased_at {
                let end = erased(tenant, &token, at);
                note(tenant, RowRef::VaultErasure(token.clone()), &end, None);
            }
            note(tenant, RowRef::VaultRecord(token), &row.canonical(), None);
        }
        let pages: Vec<_> = keys.vault_pages.iter().copied().collect();
        let pages = self.vault_pages.run(connection, &pages).await?;
        for row in pages.iter().flat_map(KeyPage::keys) {
            let (tenant, name) = (&row.tenant, row.key.to_string());
            if let Some(at) = row.destroyed_at {
                let end = ended(tenant, &name, at);
                note(tenant, RowRef::VaultKeyEnd(name.clone()), &end, None);
            }
            note(tenant, RowRef::VaultKey(name), &row.canonical(), None);
        }
        Ok(())
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
    rule_set_steps: Vec<i64>,
    /// Several steps of one approval are read at once.
    approvals: BTreeSet<String>,
    records: Vec<String>,
    vault_records: Vec<String>,
    /// Many keys are read with one page.
    vault_pages: BTreeSet<i64>,
}

impl Keys {
    fn add(&mut self, row: &RowRef) {
        match row {
            RowRef::Decision(key) => self.decisions.push(*key),
            RowRef::Label(key) => self.labels.push(*key),
            RowRef::ListEntry(key) | RowRef::ListRemoval(key) => self.entries.push(*key),
            RowRef::SigningKey(key) | RowRef::KeyRevocation(key) => self.keys.push(key.clone()),
            RowRef::RuleSet(key) => self.rule_sets.push(key.clone()),
            RowRef::RuleSetStep(key) => self.rule_set_steps.push(*key),
            RowRef::ApprovalStep(key, _) => drop(self.approvals.insert(key.clone())),
            RowRef::Record(key) => self.records.push(key.clone()),
            RowRef::VaultRecord(key) | RowRef::VaultErasure(key) => {
                self.vault_records.push(key.clone());
            }
            RowRef::VaultKey(key) | RowRef::VaultKeyEnd(key) => {
                self.vault_pages
                    .extend(KeyPlace::parse(key).map(|place| place.page));
            }
        }
    }
}
