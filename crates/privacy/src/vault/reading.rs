//! Reading values: recognised, found, allowed, opened, written down, and only then given out.

use super::{
    Vault,
    grounds::{self, Standings, check_said},
    opening::Opening,
};
use crate::{By, Error, Plain, policy::Ground, token::encode};
use hashbrown::{HashMap, HashSet};
use paywarden_access::masking::Form;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{RecordRow, Row, SealedRow, VaultErasure, VaultErasureOf, VaultRow};
use std::sync::Arc;

/// The most tokens of one call.
pub const TOKENS_MAX: usize = 1_000;
/// Bytes after which another list of a reading begins: below the store's 64 KiB.
const LIST_BYTES: usize = 60_000;

/// A clear value.
pub struct Revealed {
    /// Its token.
    pub token: String,
    /// What it is.
    pub class: Arc<str>,
    /// What of it is shown, by role and purpose.
    pub form: Form,
    /// The value, as far as it is shown.
    pub value: Plain<String>,
    /// What belongs to it; shown with the whole value only.
    pub details: Option<Plain<String>>,
}

/// A record that was read, and on what ground.
type Read<'r> = (&'r SealedRow, Arc<Ground>);

impl Vault {
    /// The value of each token, at most 1,000, or why it is not given: each is decided about by the
    /// privacy policy for the purpose that is stated. Before anything is given, a
    /// leaf of the trail that says who read what, for what purpose and on which ground is durable; a value that was good for one
    /// reading is erased with it, so that of two who read it at once one is refused.
    ///
    /// Tokens that were not made here are refused without asking the store.
    pub async fn detokenize(
        &self,
        by: &By,
        tokens: &[String],
    ) -> Result<Vec<Result<Revealed, Error>>, Error> {
        check_said(by)?;
        if !(1..=TOKENS_MAX).contains(&tokens.len()) {
            return Err(Error::Request("1 to 1000 tokens are read at a time"));
        }
        let is_ours = |token: &String| self.tokens.recognise(&by.tenant, token).is_some();
        let ours: Vec<bool> = tokens.iter().map(is_ours).collect();
        let asked = tokens.iter().zip(&ours).filter(|(_, is_ours)| **is_ours);
        let mut asked: Vec<String> = asked.map(|(token, _)| token.clone()).collect();
        asked.sort_unstable();
        asked.dedup();
        if asked.is_empty() {
            return Ok(tokens.iter().map(|_| Err(Error::TokenRefused)).collect());
        }
        let erasures = self.erasures();
        let mut found = self.reader.sealed(&asked).await?;
        // Held until the leaf is durable: who withdraws meanwhile is answered afterwards.
        let _gates = self
            .enter(found.iter().map(|row| row.subject.as_str()))
            .await;
        if erasures != self.erasures() {
            found = self.reader.sealed(&asked).await?;
        }
        let found: HashMap<_, _> = found.iter().map(|row| (row.token.as_str(), row)).collect();
        let subjects = found.values().map(|row| row.subject.as_str());
        let standings = self.standings(subjects).await?;
        let now = self.clock.now();
        let (opened, read) = self.open_all((by, tokens, now), &ours, (&found, &standings));
        let refused = opened.iter().find_map(|one| one.as_ref().err());
        self.write_down(by, (tokens, refused), &read, now).await?;
        Ok(opened)
    }

    /// The value of each token or why it is not given, and which records were read on which ground.
    fn open_all<'r>(
        &self,
        (by, tokens, now): (&By, &[String], Timestamp),
        ours: &[bool],
        (found, standings): (&HashMap<&str, &'r SealedRow>, &Standings<'r>),
    ) -> (Vec<Result<Revealed, Error>>, Vec<Read<'r>>) {
        let mut opening = Opening::new(self, (by, now), standings);
        let mut used = HashSet::new();
        let mut read = Vec::with_capacity(tokens.len());
        let mut open = |(token, is_ours): (&String, &bool)| {
            if !is_ours {
                return Err(Error::TokenRefused);
            }
            let row = *found.get(token.as_str()).ok_or(Error::TokenUnknown)?;
            if row.once && !used.insert(row.token.as_str()) {
                return Err(Error::TokenUnknown);
            }
            let (revealed, ground) = opening.open(row)?;
            read.push((row, ground));
            Ok(revealed)
        };
        let opened = tokens.iter().zip(ours).map(&mut open).collect();
        (opened, read)
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
        let is_theirs = |row: &SealedRow| *row.tenant == *tenant.as_str() && row.subject == subject;
        Ok(found.iter().any(is_theirs))
    }

    /// What was read, on which grounds, or that nothing was.
    async fn write_down(
        &self,
        by: &By,
        (tokens, refused): (&[String], Option<&Error>),
        read: &[Read<'_>],
        now: Timestamp,
    ) -> Result<(), Error> {
        if let ([], Some(why)) = (read, refused) {
            let object = match tokens {
                [token] => token.clone(),
                tokens => format!("{} values", tokens.len()),
            };
            let entry = grounds::refusal(by, why, ("vault.read_refused", object));
            self.journal.append(entry).await?;
            return Ok(());
        }
        let once = read.iter().filter(|(row, _)| row.once);
        let mut rows: Vec<_> = once
            .map(|(row, _)| {
                Row::Vault(VaultRow::Erasure(VaultErasure {
                    tenant: by.tenant.clone(),
                    of: VaultErasureOf::Token(row.token.clone()),
                    erased_at: now,
                }))
            })
            .collect();
        let object = match read {
            [(row, _)] if tokens.len() == 1 => row.token.clone(),
            read => {
                let named = read.iter();
                let named = named.map(|(row, ground)| (&**ground, row.token.as_str()));
                let lists = listed(named).into_iter();
                let lists: Vec<_> = lists.map(|body| self.list(by, body, now)).collect();
                let ids: Vec<_> = lists.iter().map(|list| list.id.as_str()).collect();
                let object = ids.join(" ");
                rows.extend(lists.into_iter().map(Row::Record));
                object
            }
        };
        let mut grounds: Vec<&Arc<Ground>> = read.iter().map(|(_, ground)| ground).collect();
        grounds.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let grounds = grounds.into_iter().map(Arc::as_ref);
        let entry = grounds::entry(by, grounds, ("vault.read", object), rows);
        self.journal.append(entry).await?;
        Ok(())
    }

    /// A list of what was read together.
    pub(super) fn list(&self, by: &By, body: String, now: Timestamp) -> RecordRow {
        RecordRow {
            tenant: by.tenant.clone(),
            kind: "vault_read".to_owned(),
            id: format!("read_{}", encode(u128::from_be_bytes(self.clock.random()))),
            version: 1,
            written_at: now,
            body: body.into_bytes(),
        }
    }
}

/// The tokens that were read together, one to the line, below a line of their ground wherever it
/// changes; as many lists as the store's limit asks for, none of nothing.
pub(super) fn listed<'r>(read: impl Iterator<Item = (&'r Ground, &'r str)>) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    let mut last: Option<&Ground> = None;
    for (ground, token) in read {
        if lists.last().is_none_or(|list| list.len() > LIST_BYTES) {
            lists.push(String::new());
            last = None;
        }
        if let Some(list) = lists.last_mut() {
            let before = last.replace(ground);
            // Most have one ground, which is one object.
            if before.is_none_or(|before| !std::ptr::eq(before, ground) && before != ground) {
                list.push_str(&format!("{ground}\n"));
            }
            list.push_str(token);
            list.push('\n');
        }
    }
    lists
}
