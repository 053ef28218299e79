//! Reading values: recognised, found, allowed, opened, written down, and only then given out.

use super::{
    Vault, check_purpose,
    deposit::{DETAILS, VALUE},
};
use crate::{
    By, Error, Plain,
    keys::{Owner, Place, SubjectKey},
    token::encode,
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, RecordRow, Row, SealedRow, VaultErasure, VaultErasureOf, VaultRow};
use std::collections::{HashMap, HashSet};

/// The most tokens of one call.
pub const TOKENS_MAX: usize = 1_000;

/// A clear value.
pub struct Revealed {
    /// Its token.
    pub token: String,
    /// What it is.
    pub class: String,
    /// The value.
    pub value: Plain<String>,
    /// What belongs to it.
    pub details: Option<Plain<String>>,
}

/// Keys of persons that one call has unwrapped.
type Unwrapped = HashMap<String, SubjectKey>;

impl Vault {
    /// The value of each token, at most 1,000, or why it is not given. Before anything is given, a
    /// leaf of the trail that says who read what and why is durable; a value that was good for one
    /// reading is erased with it, so that of two who read it at once one is refused.
    ///
    /// Tokens that were not made here are refused without asking the store.
    pub async fn detokenize(
        &self,
        by: &By,
        tokens: &[String],
    ) -> Result<Vec<Result<Revealed, Error>>, Error> {
        check_purpose(by)?;
        if !(1..=TOKENS_MAX).contains(&tokens.len()) {
            return Err(Error::Request("1 to 1000 tokens are read at a time"));
        }
        let is_ours = |token: &&String| self.tokens.recognise(&by.tenant, token).is_some();
        let ours: HashSet<_> = tokens.iter().filter(is_ours).cloned().collect();
        if ours.is_empty() {
            return Ok(tokens.iter().map(|_| Err(Error::TokenRefused)).collect());
        }
        let asked: Vec<_> = ours.iter().cloned().collect();
        let found = self.reader.sealed(&asked).await?;
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|row| (row.token.clone(), row))
            .collect();
        let now = self.clock.now();
        let mut unwrapped = Unwrapped::new();
        let mut used = HashSet::new();
        let mut open = |token: &String| {
            if !ours.contains(token) {
                return Err(Error::TokenRefused);
            }
            let row = found.get(token).ok_or(Error::TokenUnknown)?;
            if row.once && !used.insert(row.token.as_str()) {
                return Err(Error::TokenUnknown);
            }
            check_row(by, row, now)?;
            self.reveal(&by.tenant, row, &mut unwrapped)
        };
        let opened: Vec<_> = tokens.iter().map(&mut open).collect();
        let read: Vec<&SealedRow> = opened
            .iter()
            .filter_map(|one| found.get(&one.as_ref().ok()?.token))
            .collect();
        self.write_down(by, tokens, &read, now).await?;
        Ok(opened)
    }

    /// Whether a token of this company is of this person, by the caller's own identifier. What it
    /// stands for is not looked at.
    pub async fn is_of(
        &self,
        tenant: &TenantId,
        token: &str,
        subject: &str,
    ) -> Result<bool, Error> {
        if self.tokens.recognise(tenant, token).is_none() {
            return Ok(false);
        }
        let subject = self.keys.subject(tenant, subject);
        let found = self.reader.sealed(&[token.to_owned()]).await?;
        let is_theirs = |row: &SealedRow| row.tenant == tenant.as_str() && row.subject == subject;
        Ok(found.iter().any(is_theirs))
    }

    async fn write_down(
        &self,
        by: &By,
        tokens: &[String],
        read: &[&SealedRow],
        now: Timestamp,
    ) -> Result<(), Error> {
        let once = read.iter().filter(|row| row.once);
        let mut rows: Vec<_> = once
            .map(|row| {
                Row::Vault(VaultRow::Erasure(VaultErasure {
                    tenant: by.tenant.clone(),
                    of: VaultErasureOf::Token(row.token.clone()),
                    erased_at: now,
                }))
            })
            .collect();
        let (action, object) = match (tokens, read) {
            ([_], [row]) => ("vault.read", row.token.clone()),
            ([token], _) => ("vault.read_refused", token.clone()),
            (tokens, []) => ("vault.read_refused", format!("{} values", tokens.len())),
            (_, read) => {
                let list = self.list(by, read, now);
                let id = list.id.clone();
                rows.push(Row::Record(list));
                ("vault.read", id)
            }
        };
        self.journal
            .append(Self::entry(by, action, object, rows))
            .await?;
        Ok(())
    }

    /// The tokens that were read together, one to the line.
    fn list(&self, by: &By, read: &[&SealedRow], now: Timestamp) -> RecordRow {
        let tokens: Vec<_> = read.iter().map(|row| row.token.as_str()).collect();
        RecordRow {
            tenant: by.tenant.clone(),
            kind: "vault_read".to_owned(),
            id: format!("read_{}", encode(u128::from_be_bytes(self.clock.random()))),
            version: 1,
            written_at: now,
            body: tokens.join("\n").into_bytes(),
        }
    }

    fn reveal(
        &self,
        tenant: &TenantId,
        row: &SealedRow,
        unwrapped: &mut Unwrapped,
    ) -> Result<Revealed, Error> {
        let sealed = row.sealed.as_deref().filter(|_| !row.wrapped.is_empty());
        let sealed = sealed.ok_or(Error::TokenUnknown)?;
        let owner = Owner {
            tenant,
            subject: &row.subject,
            retention: &row.retention,
        };
        if !unwrapped.contains_key(&row.key_id) {
            let wrapping = (row.epoch, row.wrapped.as_slice());
            let now_us = self.clock.monotonic_us();
            let key = self.keys.unwrap(owner, &row.key_id, wrapping, now_us)?;
            unwrapped.insert(row.key_id.clone(), key);
        }
        let key = unwrapped.get(&row.key_id).ok_or(Error::Damaged)?;
        let open = |field, sealed: &[u8]| {
            let place = Place {
                owner,
                class: &row.class,
                token: &row.token,
                field,
            };
            let bytes = key.open(place, sealed)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Error::Damaged)?;
            Ok::<_, Error>(Plain::from(text.to_owned()))
        };
        let details = row.details.as_deref();
        Ok(Revealed {
            token: row.token.clone(),
            class: row.class.clone(),
            value: open(VALUE, sealed)?,
            details: details.map(|sealed| open(DETAILS, sealed)).transpose()?,
        })
    }
}

/// Whether this caller may read a record now, for what it says.
fn check_row(by: &By, row: &SealedRow, now: Timestamp) -> Result<(), Error> {
    if row.tenant != by.tenant.as_str() {
        return Err(Error::TokenUnknown);
    }
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::TokenExpired);
    }
    let name = match &by.actor {
        Actor::Key(name) | Actor::Staff(name) => name.as_str(),
        Actor::System(name) => name,
    };
    let is_for =
        |bound: &Option<String>, said: &str| bound.as_deref().is_none_or(|one| one == said);
    match is_for(&row.caller, name) && is_for(&row.purpose, &by.purpose) {
        true => Ok(()),
        false => Err(Error::TokenBound),
    }
}
