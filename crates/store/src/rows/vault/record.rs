//! Sealed values.

use super::{
    super::{Canonical, sha256},
    body,
    key::KeyPlace,
    place::ValuePlace,
};
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
    pub key: KeyPlace,
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
    /// What makes two records the same, at most 32 bytes, of which no two persons have equal ones;
    /// none if each stands for itself.
    pub same: Option<Vec<u8>>,
    /// Keyed index of the value, 1 to 32 bytes.
    pub exact: Option<Vec<u8>>,
    /// The last characters of the value, as the mask shows them too, 1 to 64 bytes.
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
            key: KeyPlace { page: 0, slot: 0 },
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

    /// What is left of it.
    pub(crate) fn erased(self, at: Timestamp) -> Self {
        Self {
            content: None,
            erased_at: Some(at),
            ..self
        }
    }

    /// Its bytes as they are stored.
    pub(crate) fn body(&self) -> Vec<u8> {
        body::write(self)
    }

    /// Where it is found by its value; nowhere if it can be neither found nor the same as another.
    pub(super) fn place(&self) -> Option<ValuePlace> {
        let content = self.content.as_ref()?;
        ValuePlace::of(self, content)
    }

    /// Of what stays when it is erased.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'W')
            .text(self.tenant.as_str())
            .text(&self.token)
            .text(&self.subject)
            .text(&self.retention)
            .text(&self.class)
            .text(&self.key.to_string())
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
        "key_page",
        "key_slot",
        "made_at",
        "expires_at",
        "erased_at",
        "place",
        "pair",
        "body",
    ];

    /// The columns have to repeat what the bytes say.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let said = Said {
            token: fields.take()?,
            tenant: fields.take()?,
            subject: fields.take()?,
            retention: fields.take()?,
            class: fields.take()?,
            key_page: fields.take()?,
            key_slot: fields.take()?,
            made_at: fields.take()?,
            expires_at: fields.take()?,
            erased_at: fields.take()?,
        };
        let (place, pair): (Option<Vec<u8>>, _) = (fields.take()?, fields.take()?);
        let place = place.as_deref().map(ValuePlace::parse).transpose()?;
        let body: Vec<u8> = fields.take()?;
        let mut row = body::read(&body)?;
        if let Some(content) = &mut row.content {
            content.pair = pair;
            if let Some(place) = place {
                (content.same, content.exact, content.tail) = place.parts();
            }
        }
        let fits = match &row.content {
            Some(content) => row.erased_at.is_none() && content.hash() == row.held,
            None => row.erased_at.is_some(),
        };
        match fits && said == Said::of(&row) {
            true => Ok(row),
            false => Err(Error::corrupt("a record does not hold what it held")),
        }
    }
}

/// What columns repeat.
#[derive(PartialEq, Eq)]
struct Said {
    token: String,
    tenant: String,
    subject: String,
    retention: String,
    class: String,
    key_page: i64,
    key_slot: i16,
    made_at: i64,
    expires_at: Option<i64>,
    erased_at: Option<i64>,
}

impl Said {
    fn of(row: &VaultRecordRow) -> Self {
        Self {
            token: row.token.clone(),
            tenant: row.tenant.as_str().to_owned(),
            subject: row.subject.clone(),
            retention: row.retention.clone(),
            class: row.class.clone(),
            key_page: row.key.page,
            key_slot: i16::from(row.key.slot),
            made_at: row.made_at.micros(),
            expires_at: row.expires_at.map(Timestamp::micros),
            erased_at: row.erased_at.map(Timestamp::micros),
        }
    }
}

impl Insertable for VaultRecordRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        let pair = self.content.as_ref().and_then(|held| held.pair.as_deref());
        query
            .bind(self.token.as_str())
            .bind(self.tenant.as_str())
            .bind(self.subject.as_str())
            .bind(self.retention.as_str())
            .bind(self.class.as_str())
            .bind(self.key.page)
            .bind(i16::from(self.key.slot))
            .bind(self.made_at.micros())
            .bind(self.expires_at.map(Timestamp::micros))
            .bind(self.erased_at.map(Timestamp::micros))
            .bind(self.place().map(ValuePlace::into_bytes))
            .bind(pair)
            .bind(self.body())
    }
}
