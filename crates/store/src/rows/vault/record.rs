//! Sealed values.

use super::super::{Canonical, sha256};
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// One value of one person: sealed, masked and indexed. A second row with the same
/// [`VaultContent::same`] is not written, nor is its entry refused.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultRecordRow {
    /// Its name, 1 to 64 bytes; unique over all tenants.
    pub token: String,
    /// Whose customer the person is.
    pub tenant: TenantId,
    /// The person, by a pseudonym of 1 to 64 bytes.
    pub subject: String,
    /// How long it is kept for, 1 to 32 bytes.
    pub retention: String,
    /// What it is, such as `card_number`, 1 to 32 bytes.
    pub class: String,
    /// The key of the person that it is sealed under.
    pub key_id: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// Until when it may be read, exclusive.
    pub expires_at: Option<Timestamp>,
    /// Whether reading it erases it.
    pub once: bool,
    /// Who alone may read it, at most 256 bytes.
    pub caller: Option<String>,
    /// For what alone it may be read, at most 256 bytes.
    pub purpose: Option<String>,
    /// What it holds; none once it is erased.
    pub content: Option<VaultContent>,
    /// When it was erased.
    pub erased_at: Option<Timestamp>,
    /// Hash of what it holds or held, as [`Self::with`] makes it.
    pub held: Vec<u8>,
}

/// What a record holds until it is erased.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultContent {
    /// What makes two records of a person the same; none if each stands for itself.
    pub same: Option<Vec<u8>>,
    /// Keyed index of the value.
    pub exact: Option<Vec<u8>>,
    /// The last characters of the value, as the mask shows them too.
    pub tail: Option<String>,
    /// Keyed index of the value and another of the same person.
    pub pair: Option<Vec<u8>>,
    /// The value as it may be shown, at most 1 KiB.
    pub masked: String,
    /// The sealed value, at most 64 KiB.
    pub sealed: Vec<u8>,
    /// Sealed particulars, at most 16 KiB.
    pub details: Option<Vec<u8>>,
}

impl VaultContent {
    /// The sealed value is unlike any other by its nonce, so that nobody can try out what the hash
    /// may stand for.
    fn hash(&self) -> Vec<u8> {
        let canonical = Canonical::new(b'C')
            .optional(self.same.as_deref(), Canonical::bytes)
            .optional(self.exact.as_deref(), Canonical::bytes)
            .optional(self.tail.as_deref(), Canonical::text)
            .optional(self.pair.as_deref(), Canonical::bytes)
            .text(&self.masked)
            .bytes(&self.sealed)
            .optional(self.details.as_deref(), Canonical::bytes);
        sha256(canonical.bytes_so_far()).to_vec()
    }
}

impl VaultRecordRow {
    /// A row to write: its hash is of its content.
    pub fn with(mut self, content: VaultContent) -> Self {
        self.held = content.hash();
        self.content = Some(content);
        self
    }

    /// A row without content yet.
    pub fn new(token: String, tenant: TenantId, made_at: Timestamp) -> Self {
        Self {
            token,
            tenant,
            subject: String::new(),
            retention: String::new(),
            class: String::new(),
            key_id: String::new(),
            made_at,
            expires_at: None,
            once: false,
            caller: None,
            purpose: None,
            content: None,
            erased_at: None,
            held: Vec::new(),
        }
    }

    /// Of what stays when it is erased.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'W')
            .text(self.tenant.as_str())
            .text(&self.token)
            .text(&self.subject)
            .text(&self.retention)
            .text(&self.class)
            .text(&self.key_id)
            .time(self.made_at)
            .optional(self.expires_at, Canonical::time)
            .number(i64::from(self.once))
            .optional(self.caller.as_deref(), Canonical::text)
            .optional(self.purpose.as_deref(), Canonical::text)
            .bytes(&self.held)
    }
}

impl fmt::Debug for VaultRecordRow {
    /// Without the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRecordRow")
            .field("token", &self.token)
            .field("class", &self.class)
            .field("erased_at", &self.erased_at)
            .finish_non_exhaustive()
    }
}

impl Stored for VaultRecordRow {
    const TABLE: &'static str = "vault_records";
    const COLUMNS: &'static [&'static str] = &[
        "token",
        "tenant",
        "subject",
        "retention",
        "class",
        "key_id",
        "made_at",
        "expires_at",
        "once",
        "caller",
        "purpose",
        "held",
        "erased_at",
        "same",
        "exact",
        "tail",
        "pair",
        "masked",
        "sealed",
        "details",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let row = Self {
            token: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            subject: fields.take()?,
            retention: fields.take()?,
            class: fields.take()?,
            key_id: fields.take()?,
            made_at: Timestamp::from_micros(fields.take()?),
            expires_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            once: fields.take::<i16>()? != 0,
            caller: fields.take()?,
            purpose: fields.take()?,
            held: fields.take()?,
            erased_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            content: content(fields)?,
        };
        let fits = match &row.content {
            Some(content) => row.erased_at.is_none() && content.hash() == row.held,
            None => row.erased_at.is_some(),
        };
        match fits {
            true => Ok(row),
            false => Err(Error::corrupt("a record does not hold what it held")),
        }
    }
}

fn content(fields: &mut Fields<'_>) -> Result<Option<VaultContent>, Error> {
    let (same, exact, tail, pair) = (
        fields.take()?,
        fields.take()?,
        fields.take()?,
        fields.take()?,
    );
    let masked: Option<String> = fields.take()?;
    let sealed: Option<Vec<u8>> = fields.take()?;
    let details = fields.take()?;
    let parts = masked.zip(sealed);
    Ok(parts.map(|(masked, sealed)| VaultContent {
        same,
        exact,
        tail,
        pair,
        masked,
        sealed,
        details,
    }))
}

impl Insertable for VaultRecordRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        let content = self.content.as_ref();
        query
            .bind(self.token.as_str())
            .bind(self.tenant.as_str())
            .bind(self.subject.as_str())
            .bind(self.retention.as_str())
            .bind(self.class.as_str())
            .bind(self.key_id.as_str())
            .bind(self.made_at.micros())
            .bind(self.expires_at.map(Timestamp::micros))
            .bind(i16::from(self.once))
            .bind(self.caller.as_deref())
            .bind(self.purpose.as_deref())
            .bind(self.held.as_slice())
            .bind(self.erased_at.map(Timestamp::micros))
            .bind(content.and_then(|held| held.same.as_deref()))
            .bind(content.and_then(|held| held.exact.as_deref()))
            .bind(content.and_then(|held| held.tail.as_deref()))
            .bind(content.and_then(|held| held.pair.as_deref()))
            .bind(content.map(|held| held.masked.as_str()))
            .bind(content.map(|held| held.sealed.as_slice()))
            .bind(content.and_then(|held| held.details.as_deref()))
    }
}

/// What reading a value takes: the record as sealed, beside its key as wrapped. Erased records
/// and destroyed keys come without either.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Its name.
    pub token: String,
    /// Whose customer the person is.
    pub tenant: String,
    /// The person.
    pub subject: String,
    /// How long it is kept for.
    pub retention: String,
    /// What it is.
    pub class: String,
    /// The key that it is sealed under.
    pub key_id: String,
    /// Until when it may be read, exclusive.
    pub expires_at: Option<Timestamp>,
    /// Whether reading it erases it.
    pub once: bool,
    /// Who alone may read it.
    pub caller: Option<String>,
    /// For what alone it may be read.
    pub purpose: Option<String>,
    /// The sealed value.
    pub sealed: Option<Vec<u8>>,
    /// Sealed particulars.
    pub details: Option<Vec<u8>>,
    /// The epoch whose keys wrap the key.
    pub epoch: i64,
    /// The wrapped key; empty once it is destroyed.
    pub wrapped: Vec<u8>,
}

impl Stored for SealedRow {
    const TABLE: &'static str =
        "vault_records JOIN vault_keys ON vault_keys.key_id = vault_records.key_id";
    const COLUMNS: &'static [&'static str] = &[
        "vault_records.token",
        "vault_records.tenant",
        "vault_records.subject",
        "vault_records.retention",
        "vault_records.class",
        "vault_records.key_id",
        "vault_records.expires_at",
        "vault_records.once",
        "vault_records.caller",
        "vault_records.purpose",
        "vault_records.sealed",
        "vault_records.details",
        "vault_keys.epoch",
        "vault_keys.wrapped",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            token: fields.take()?,
            tenant: fields.take()?,
            subject: fields.take()?,
            retention: fields.take()?,
            class: fields.take()?,
            key_id: fields.take()?,
            expires_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            once: fields.take::<i16>()? != 0,
            caller: fields.take()?,
            purpose: fields.take()?,
            sealed: fields.take()?,
            details: fields.take()?,
            epoch: fields.take()?,
            wrapped: fields.take()?,
        })
    }
}
