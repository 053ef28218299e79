//! The bytes of a record: everything but where it is found by its value. A reading takes them as they
//! are, of many records at a time, and asks for no columns.

use super::{
    bytes::{Cursor, put_long, put_number, put_short},
    key::KeyPlace,
    page::{SLOT_BYTES, unwrapped_slot},
    record::{VaultContent, VaultRecordRow},
};
use crate::Error;
use paywarden_domain::{TenantId, Timestamp};
use std::sync::Arc;

/// What a statement takes of a record and its key, from these tables: see [`SealedRow::read_all`].
pub(crate) fn joined() -> (String, &'static str) {
    let bytes = format!("body || substr(wrapped, 1 + {SLOT_BYTES} * key_slot, {SLOT_BYTES})");
    (
        bytes,
        "vault_records JOIN vault_pages ON vault_pages.page = vault_records.key_page",
    )
}

/// What reading a value takes: the record as sealed, beside its key as wrapped. Erased records
/// and destroyed keys come without either.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Its name.
    pub token: String,
    /// Whose customer the person is.
    pub tenant: Arc<str>,
    /// The person.
    pub subject: String,
    /// How long it is kept for.
    pub retention: Arc<str>,
    /// What it is.
    pub class: Arc<str>,
    /// The key that it is sealed under.
    pub key: KeyPlace,
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

impl SealedRow {
    /// Every record of bytes that stand one behind the other, each with its key behind it. One that
    /// cannot be read is left out: whoever changed it does not keep the others from being read.
    pub(crate) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let mut rest = Cursor(bytes);
        let mut rows = Vec::new();
        let mut last = Last::default();
        while !rest.is_at_end() {
            let (said, slot) = (rest.long()?, rest.take(SLOT_BYTES)?);
            match sealed(said, slot, &mut last) {
                Ok(row) => rows.push(row),
                Err(error) => tracing::warn!(%error, "a record of the vault is damaged"),
            }
        }
        Ok(rows)
    }
}

const ONCE: u8 = 1;
const EXPIRES: u8 = 2;
const CALLER: u8 = 4;
const PURPOSE: u8 = 8;
const ERASED: u8 = 16;
const HOLDS: u8 = 32;
const DETAILS: u8 = 64;

/// A record as it is stored.
pub(super) fn write(row: &VaultRecordRow) -> Vec<u8> {
    let content = row.content.as_ref();
    let details = content.and_then(|held| held.details.as_ref());
    let flags = [
        (ONCE, row.once),
        (EXPIRES, row.expires_at.is_some()),
        (CALLER, row.caller.is_some()),
        (PURPOSE, row.purpose.is_some()),
        (ERASED, row.erased_at.is_some()),
        (HOLDS, content.is_some()),
        (DETAILS, details.is_some()),
    ];
    let flags = flags.iter().filter(|(_, is_set)| *is_set);
    let sealed = content.map_or(0, |held| held.sealed.len());
    let mut to = Vec::with_capacity(512 + sealed);
    for text in [
        row.token.as_str(),
        row.tenant.as_str(),
        &row.subject,
        &row.retention,
        &row.class,
    ] {
        put_short(&mut to, text.as_bytes());
    }
    put_number(&mut to, row.key.page);
    to.extend([row.key.slot, flags.map(|(flag, _)| flag).sum()]);
    put_number(&mut to, row.made_at.micros());
    for time in [row.expires_at, row.erased_at].into_iter().flatten() {
        put_number(&mut to, time.micros());
    }
    for text in [&row.caller, &row.purpose].into_iter().flatten() {
        put_long(&mut to, text.as_bytes());
    }
    put_short(&mut to, &row.held);
    if let Some(content) = content {
        put_long(&mut to, content.masked.as_bytes());
        put_long(&mut to, &content.sealed);
    }
    if let Some(details) = details {
        put_long(&mut to, details);
    }
    let mut body = Vec::with_capacity(4 + to.len());
    put_long(&mut body, &to);
    body
}

/// What the bytes of a record say, in their order.
struct Parts<'b> {
    token: &'b str,
    tenant: &'b str,
    subject: &'b str,
    retention: &'b str,
    class: &'b str,
    key: KeyPlace,
    once: bool,
    made_at: Timestamp,
    expires_at: Option<Timestamp>,
    erased_at: Option<Timestamp>,
    caller: Option<&'b str>,
    purpose: Option<&'b str>,
    held: &'b [u8],
    content: Option<(&'b str, &'b [u8])>,
    details: Option<&'b [u8]>,
}

impl<'b> Parts<'b> {
    fn of(said: &'b [u8]) -> Result<Self, Error> {
        let mut from = Cursor(said);
        let (token, tenant) = (from.text()?, from.text()?);
        let (subject, retention, class) = (from.text()?, from.text()?, from.text()?);
        let key = KeyPlace {
            page: from.number()?,
            slot: from.byte()?,
        };
        let flags = from.byte()?;
        let is = |flag| flags & flag != 0;
        let parts = Self {
            token,
            tenant,
            subject,
            retention,
            class,
            key,
            once: is(ONCE),
            made_at: from.time()?,
            expires_at: is(EXPIRES).then(|| from.time()).transpose()?,
            erased_at: is(ERASED).then(|| from.time()).transpose()?,
            caller: is(CALLER).then(|| from.long_text()).transpose()?,
            purpose: is(PURPOSE).then(|| from.long_text()).transpose()?,
            held: from.short()?,
            content: match is(HOLDS) {
                true => Some((from.long_text()?, from.long()?)),
                false => None,
            },
            details: is(DETAILS).then(|| from.long()).transpose()?,
        };
        match from.is_at_end() {
            true => Ok(parts),
            false => Err(Error::corrupt("a record says more than it may")),
        }
    }
}

/// A record from its bytes, without what the column beside them says of where it is found.
pub(super) fn read(body: &[u8]) -> Result<VaultRecordRow, Error> {
    let mut whole = Cursor(body);
    let parts = Parts::of(whole.long()?)?;
    let content = parts.content.map(|(masked, sealed)| VaultContent {
        same: None,
        exact: None,
        tail: None,
        pair: None,
        masked: masked.to_owned(),
        sealed: sealed.to_vec(),
        details: parts.details.map(<[u8]>::to_vec),
    });
    let tenant = TenantId::parse(parts.tenant);
    let tenant = tenant.map_err(|_| Error::corrupt("a tenant is none"))?;
    let row = VaultRecordRow {
        subject: parts.subject.to_owned(),
        retention: parts.retention.to_owned(),
        class: parts.class.to_owned(),
        key: parts.key,
        expires_at: parts.expires_at,
        once: parts.once,
        caller: parts.caller.map(ToOwned::to_owned),
        purpose: parts.purpose.map(ToOwned::to_owned),
        content,
        erased_at: parts.erased_at,
        held: parts.held.to_vec(),
        ..VaultRecordRow::new(parts.token.to_owned(), tenant, parts.made_at)
    };
    match whole.is_at_end() {
        true => Ok(row),
        false => Err(Error::corrupt("a record says more than it may")),
    }
}

/// Words of the record before: those of the next are nearly always the same.
#[derive(Default)]
struct Last {
    tenant: Option<Arc<str>>,
    retention: Option<Arc<str>>,
    class: Option<Arc<str>>,
}

fn shared(last: &mut Option<Arc<str>>, word: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *word => last.clone(),
        last => last.insert(word.into()).clone(),
    }
}

fn sealed(said: &[u8], slot: &[u8], last: &mut Last) -> Result<SealedRow, Error> {
    let parts = Parts::of(said)?;
    let (epoch, wrapped) = unwrapped_slot(slot)?;
    Ok(SealedRow {
        token: parts.token.to_owned(),
        tenant: shared(&mut last.tenant, parts.tenant),
        subject: parts.subject.to_owned(),
        retention: shared(&mut last.retention, parts.retention),
        class: shared(&mut last.class, parts.class),
        key: parts.key,
        expires_at: parts.expires_at,
        once: parts.once,
        caller: parts.caller.map(ToOwned::to_owned),
        purpose: parts.purpose.map(ToOwned::to_owned),
        sealed: parts.content.map(|(_, sealed)| sealed.to_vec()),
        details: parts.details.map(<[u8]>::to_vec),
        epoch,
        wrapped: wrapped.to_vec(),
    })
}
