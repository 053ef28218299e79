//! What is written: who acts, why, on what, and the rows.

use crate::{
    ApprovalStepRow, Clock, DecisionRow, Error, KeyRevocation, LabelRow, ListEntryRow, ListRemoval,
    RecordRow, RuleSetRow, RuleSetStepRow, SigningKeyRow, VaultRecordRow, VaultRow, WorkItemRow,
    rows::{KeyPlace, LINKS_MAX, PAGE_KEYS, WRAPPED_MAX},
    trail::{Digester, hexadecimal, merkle::Hash},
};
use paywarden_domain::TenantId;
use std::{borrow::Cow, fmt, sync::Arc};

/// The most rows of one entry.
pub const ROWS_MAX: usize = 256;
/// The most keys of one rewrapping.
pub const REWRAP_MAX: usize = 2_048;

/// What kind of record the reason of an entry is.
pub const REASON: &str = "reason";

const KIB: usize = 1024;

/// One thing that happened. Its rows and its leaf of the trail are written together or not at
/// all; without rows it is a leaf alone, such as "this person looked at that payment".
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose data it is; every row belongs to the same tenant.
    pub tenant: TenantId,
    /// Who acts.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// What is done, `snake_case`.
    pub action: &'static str,
    /// To what, at most 256 bytes; not personal, because the trail is never erased.
    pub object: String,
    /// What changes, at most 256 rows.
    pub rows: Vec<Row>,
}

/// Who acts, by a name of 1 to 240 bytes; in the trail as `key:…`, `staff:…` or `system:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A program of a tenant, by the identifier of its key.
    Key(String),
    /// A member of staff.
    Staff(String),
    /// A part of Paywarden.
    System(&'static str),
}

impl Actor {
    /// The word for what it is, and its name.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Key(name) => ("key", name),
            Self::Staff(name) => ("staff", name),
            Self::System(name) => ("system", name),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.parts();
        write!(f, "{kind}:{name}")
    }
}

/// Why something is done: a word of 1 to 256 bytes that stands in the source, never text from
/// outside, because the trail cannot forget. What somebody gave as the reason is a record beside it,
/// of which the leaf has the digest; and the approval that allowed it, if it needed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    word: Cow<'static, str>,
    reason: Option<String>,
    approval: Option<String>,
}

impl Purpose {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.word
    }

    /// A line that Paywarden has put together of its own words, routes and identifiers, such as
    /// what was read at which route. Text from outside is a reason, never this.
    pub fn composed(line: String) -> Self {
        Self {
            word: Cow::Owned(line),
            reason: None,
            approval: None,
        }
    }

    /// The same purpose, for this reason of 1 to 256 bytes: text of whoever acts.
    pub fn because(self, reason: impl Into<String>) -> Self {
        let reason = Some(reason.into());
        Self { reason, ..self }
    }

    /// The same purpose, allowed by the approval with this identifier of 1 to 128 bytes.
    pub fn approved_by(self, approval: String) -> Self {
        let approval = Some(approval);
        Self { approval, ..self }
    }

    /// The approval that allowed it.
    pub fn approval(&self) -> Option<&str> {
        self.approval.as_deref()
    }
}

impl From<&'static str> for Purpose {
    fn from(word: &'static str) -> Self {
        Self {
            word: Cow::Borrowed(word),
            reason: None,
            approval: None,
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A decision is added; shared, because the writer hands it to the database while it keeps the
    /// entry for the case of a refusal.
    Decision(Arc<DecisionRow>),
    /// A label is added.
    Label(LabelRow),
    /// A value goes onto a list.
    ListEntry(ListEntryRow),
    /// A value is taken off a list.
    ListRemoval(ListRemoval),
    /// A key is added.
    SigningKey(SigningKeyRow),
    /// A key is revoked.
    KeyRevocation(KeyRevocation),
    /// An approval takes a step.
    ApprovalStep(ApprovalStepRow),
    /// A version of the rules is added.
    RuleSet(RuleSetRow),
    /// A version of the rules takes a step.
    RuleSetStep(RuleSetStepRow),
    /// A thing gets its next version.
    Record(RecordRow),
    /// What the vault keeps changes.
    Vault(VaultRow),
    /// Something that people work on gets its next version.
    WorkItem(Box<WorkItemRow>),
}

impl Row {
    fn tenant(&self) -> &TenantId {
        match self {
            Self::Decision(row) => &row.tenant,
            Self::Label(row) => &row.tenant,
            Self::ListEntry(row) => &row.tenant,
            Self::ListRemoval(row) => &row.tenant,
            Self::SigningKey(row) => &row.tenant,
            Self::KeyRevocation(row) => &row.tenant,
            Self::ApprovalStep(row) => &row.tenant,
            Self::RuleSet(row) => &row.tenant,
            Self::RuleSetStep(row) => &row.tenant,
            Self::Record(row) => &row.tenant,
            Self::Vault(row) => row.tenant(),
            Self::WorkItem(row) => &row.record.tenant,
        }
    }

    /// The digest that the trail keeps.
    pub(crate) fn digest(&self, digester: &Digester) -> Hash {
        let canonical = match self {
            Self::Decision(row) => row.canonical(),
            Self::Label(row) => row.canonical(),
            Self::ListEntry(row) => row.canonical(),
            Self::ListRemoval(row) => row.canonical(),
            Self::SigningKey(row) => row.canonical(),
            Self::KeyRevocation(row) => row.canonical(),
            Self::ApprovalStep(row) => row.canonical(),
            Self::RuleSet(row) => row.canonical(),
            Self::RuleSetStep(row) => row.canonical(),
            Self::Record(row) => row.canonical(),
            Self::Vault(row) => row.canonical(),
            Self::WorkItem(row) => row.canonical(),
        };
        digester.digest(&canonical)
    }

    fn check(&self, size: &mut Size) -> Result<(), Error> {
        match self {
            Self::Decision(row) => {
                size.text("key_id", &row.key_id, 128)?;
                size.text(
                    "idempotency_key",
                    row.idempotency_key.as_deref().unwrap_or("-"),
                    256,
                )?;
                check_score(row.fraud_score)?;
                check_score(row.laundering_score)?;
                size.bytes("feature", &row.feature, 64 * KIB)?;
                size.bytes("event", &row.event, KIB * KIB)?;
                size.bytes("body", &row.body, KIB * KIB)?;
                size.bytes("trace", row.trace.as_deref().unwrap_or_default(), 256 * KIB)
            }
            Self::Label(_) => Ok(()),
            Self::ListEntry(row) => {
                size.text("list", &row.list, 128)?;
                size.text("value", &row.value, KIB)?;
                size.free_text("reason", &row.reason, KIB)?;
                size.text("added_by", &row.added_by, 256)
            }
            Self::ListRemoval(row) => {
                size.text("list", &row.list, 128)?;
                size.text("value", &row.value, KIB)
            }
            Self::SigningKey(row) => {
                size.text("key_id", &row.key_id, 128)?;
                size.text("algorithm", &row.algorithm, 64)?;
                size.bytes("material", &row.material, 16 * KIB)?;
                size.free_text("scopes", &row.scopes, KIB)?;
                size.free_text("description", &row.description, KIB)
            }
            Self::KeyRevocation(row) => size.text("key_id", &row.key_id, 128),
            Self::ApprovalStep(row) => {
                size.text("approval", &row.approval, 64)?;
                size.text("command", &row.command, 64)?;
                size.text("actor", &row.actor, 256)?;
                size.bytes("body", &row.body, KIB * KIB)
            }
            Self::RuleSet(row) => {
                size.text("version", &row.version, 128)?;
                size.free_text("source", &row.source, 8 * KIB * KIB)
            }
            Self::RuleSetStep(row) => {
                size.text("version", &row.version, 128)?;
                size.text("action", &row.action, 32)?;
                size.text("actor", &row.actor, 256)?;
                size.text("purpose", &row.purpose, 256)?;
                size.free_text("detail", &row.detail, KIB * KIB)
            }
            Self::Record(row) => check_record(row, size),
            Self::Vault(row) => check_vault(row, size),
            Self::WorkItem(row) => check_work_item(row, size),
        }
    }
}

impl Entry {
    /// The record of the reason, beside the rows of the caller. It is new each time.
    pub(crate) fn reason(&self, clock: &Clock) -> Option<Row> {
        let reason = self.purpose.reason.as_ref()?;
        Some(Row::Record(RecordRow {
            tenant: self.tenant.clone(),
            kind: REASON.to_owned(),
            id: hexadecimal(&clock.random::<16>()),
            version: 1,
            written_at: clock.now(),
            body: reason.as_bytes().to_vec(),
        }))
    }

    /// Checks every limit, so that the writer meets no surprise; the size in bytes.
    pub(crate) fn check(&self) -> Result<usize, Error> {
        // Room for the parts of fixed length.
        let mut size = Size(512 + 256 * self.rows.len());
        size.text("actor", self.actor.parts().1, 240)?;
        size.text("purpose", self.purpose.as_str(), 256)?;
        size.text("reason", self.purpose.reason.as_deref().unwrap_or("-"), 256)?;
        size.text("approval", self.purpose.approval().unwrap_or("-"), 128)?;
        size.text("action", self.action, 256)?;
        size.free_text("object", &self.object, 256)?;
        if self.rows.len() > ROWS_MAX {
            return Err(Error::invalid("an entry has at most 256 rows"));
        }
        for row in &self.rows {
            if row.tenant() != &self.tenant {
                return Err(Error::invalid(
                    "every row belongs to the tenant of its entry",
                ));
            }
            row.check(&mut size)?;
        }
        Ok(size.0)
    }
}

/// Bytes seen so far, while every part is held against its limit.
struct Size(usize);

impl Size {
    fn text(&mut self, name: &str, text: &str, bytes_max: usize) -> Result<(), Error> {
        if text.is_empty() {
            return Err(Error::invalid(format!("{name} is empty")));
        }
        self.free_text(name, text, bytes_max)
    }

    /// Text that is a part of a key, whose parts have `/` between them.
    fn word(&mut self, name: &str, text: &str, bytes_max: usize) -> Result<(), Error> {
        if text.contains('/') {
            return Err(Error::invalid(format!("{name} contains a slash")));
        }
        self.text(name, text, bytes_max)
    }

    /// Text that may be empty. PostgreSQL cannot hold a zero byte in text.
    fn free_text(&mut self, name: &str, text: &str, bytes_max: usize) -> Result<(), Error> {
        if text.contains('\0') {
            return Err(Error::invalid(format!("{name} contains a zero byte")));
        }
        self.bytes(name, text.as_bytes(), bytes_max)
    }

    fn bytes(&mut self, name: &str, bytes: &[u8], bytes_max: usize) -> Result<(), Error> {
        if bytes.len() > bytes_max {
            return Err(Error::invalid(format!(
                "{name} has more than {bytes_max} bytes"
            )));
        }
        self.0 += bytes.len();
        Ok(())
    }
}

fn check_record(row: &RecordRow, size: &mut Size) -> Result<(), Error> {
    size.word("kind", &row.kind, 32)?;
    size.word("id", &row.id, 128)?;
    size.bytes("body", &row.body, 64 * KIB)
}

fn check_work_item(row: &WorkItemRow, size: &mut Size) -> Result<(), Error> {
    check_record(&row.record, size)?;
    size.text("queue", &row.queue, 64)?;
    size.free_text("assignee", &row.assignee, 256)?;
    size.text("subject", &row.subject, 128)?;
    if row.linked.len() > LINKS_MAX || row.unlinked.len() > LINKS_MAX {
        return Err(Error::invalid(
            "a work item takes up at most 256 links at a time",
        ));
    }
    let mut targets = row.linked.iter().chain(&row.unlinked);
    targets.try_for_each(|target| size.text("target", target, 128))
}

fn check_vault(row: &VaultRow, size: &mut Size) -> Result<(), Error> {
    match row {
        VaultRow::Record(row) => check_vault_record(row, size),
        VaultRow::Key(row) => {
            check_key_place(row.key)?;
            check_epoch(row.epoch)?;
            size.text("subject", &row.subject, 64)?;
            size.text("retention", &row.retention, 32)?;
            size.bytes("wrapped", &row.wrapped, WRAPPED_MAX)
        }
        VaultRow::Erasure(_) => Ok(()),
        VaultRow::Rewrap(row) => {
            if row.keys.len() > REWRAP_MAX {
                return Err(Error::invalid("at most 2048 keys are wrapped at a time"));
            }
            check_epoch(row.epoch)?;
            let mut keys = row.keys.iter();
            keys.try_for_each(|key| size.bytes("wrapped", &key.wrapped, WRAPPED_MAX))
        }
    }
}

fn check_key_place(key: KeyPlace) -> Result<(), Error> {
    match key.page >= 0 && key.slot < PAGE_KEYS {
        true => Ok(()),
        false => Err(Error::invalid("a key has no such place")),
    }
}

/// An epoch has four bytes beside each key.
fn check_epoch(epoch: i64) -> Result<(), Error> {
    match (1..=i64::from(u32::MAX)).contains(&epoch) {
        true => Ok(()),
        false => Err(Error::invalid("there is no such epoch")),
    }
}

fn check_vault_record(row: &VaultRecordRow, size: &mut Size) -> Result<(), Error> {
    size.text("token", &row.token, 64)?;
    size.text("subject", &row.subject, 64)?;
    size.text("retention", &row.retention, 32)?;
    size.text("class", &row.class, 32)?;
    check_key_place(row.key)?;
    size.text("caller", row.caller.as_deref().unwrap_or("-"), 256)?;
    size.text("purpose", row.purpose.as_deref().unwrap_or("-"), 256)?;
    let content = row.content.as_ref();
    let content = content.ok_or_else(|| Error::invalid("a record is written with its content"))?;
    size.free_text("masked", &content.masked, KIB)?;
    size.text("tail", content.tail.as_deref().unwrap_or("-"), 64)?;
    let indexes = [&content.same, &content.exact, &content.pair];
    for index in indexes.into_iter().flatten() {
        size.bytes("index", index, 32)?;
    }
    size.bytes("sealed", &content.sealed, 64 * KIB)?;
    size.bytes(
        "details",
        content.details.as_deref().unwrap_or_default(),
        16 * KIB,
    )
}

fn check_score(score: u16) -> Result<(), Error> {
    if score > 1000 {
        return Err(Error::invalid("a score is at most 1000"));
    }
    Ok(())
}
