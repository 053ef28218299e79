//! Reading values: recognised, found, allowed, opened, written down, and only then given out.

use super::{
    Vault,
    deposit::{DETAILS, VALUE},
    grounds::{self, check_said},
};
use crate::{
    By, Error, Plain, catalogue,
    keys::{Owner, Place, SubjectKey},
    notice::hexadecimal,
    policy::Ground,
    token::encode,
};
use paywarden_access::masking::{self, Form};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, RecordRow, Row, SealedRow, VaultErasure, VaultErasureOf, VaultRow};
use std::collections::{HashMap, HashSet};

/// The most tokens of one call.
pub const TOKENS_MAX: usize = 1_000;
/// Bytes after which another list of a reading begins: below the store's 64 KiB.
const LIST_BYTES: usize = 60_000;

/// A clear value.
pub struct Revealed {
    /// Its token.
    pub token: String,
    /// What it is.
    pub class: String,
    /// What of it is shown, by role and purpose.
    pub form: Form,
    /// The value, as far as it is shown.
    pub value: Plain<String>,
    /// What belongs to it; shown with the whole value only.
    pub details: Option<Plain<String>>,
}

/// Keys of persons that one call has unwrapped.
type Unwrapped = HashMap<String, SubjectKey>;

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
        let is_ours = |token: &&String| self.tokens.recognise(&by.tenant, token).is_some();
        let ours: HashSet<_> = tokens.iter().filter(is_ours).cloned().collect();
        if ours.is_empty() {
            return Ok(tokens.iter().map(|_| Err(Error::TokenRefused)).collect());
        }
        let asked: Vec<_> = ours.iter().cloned().collect();
        let erasures = self.erasures();
        let mut found = self.reader.sealed(&asked).await?;
        // Held until the leaf is durable: who withdraws meanwhile is answered afterwards.
        let _gates = self
            .enter(found.iter().map(|row| row.subject.as_str()))
            .await;
        if erasures != self.erasures() {
            found = self.reader.sealed(&asked).await?;
        }
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|row| (row.token.clone(), row))
            .collect();
        let subjects = found.values().map(|row| row.subject.as_str());
        let standings = self.standings(subjects).await?;
        let now = self.clock.now();
        let mut unwrapped = Unwrapped::new();
        let mut used = HashSet::new();
        let mut grounds = HashMap::new();
        let mut open = |token: &String| {
            if !ours.contains(token) {
                return Err(Error::TokenRefused);
            }
            let row = found.get(token).ok_or(Error::TokenUnknown)?;
            if row.once && !used.insert(row.token.as_str()) {
                return Err(Error::TokenUnknown);
            }
            check_row(by, row, now)?;
            let kind = (row.retention.as_str(), row.class.as_str());
            let ground = self.judge_value(by, (&standings, &row.subject), kind, now)?;
            grounds.insert(row.token.as_str(), ground);
            let whole = self.reveal(&by.tenant, row, &mut unwrapped)?;
            self.narrow(by, whole)
        };
        let opened: Vec<_> = tokens.iter().map(&mut open).collect();
        let read = opened.iter().filter_map(|one| {
            let row = found.get(&one.as_ref().ok()?.token)?;
            Some((row, grounds.get(row.token.as_str())?))
        });
        let read: Vec<_> = read.collect();
        let refused = opened.iter().find_map(|one| one.as_ref().err());
        self.write_down(by, (tokens, refused), &read, now).await?;
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

    /// What was read, on which grounds, or that nothing was.
    async fn write_down(
        &self,
        by: &By,
        (tokens, refused): (&[String], Option<&Error>),
        read: &[(&SealedRow, &Ground)],
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
                let named = read
                    .iter()
                    .map(|(row, ground)| (*ground, row.token.as_str()));
                let lists = listed(named).into_iter();
                let lists: Vec<_> = lists.map(|body| self.list(by, body, now)).collect();
                let ids: Vec<_> = lists.iter().map(|list| list.id.as_str()).collect();
                let object = ids.join(" ");
                rows.extend(lists.into_iter().map(Row::Record));
                object
            }
        };
        let grounds = read.iter().map(|(_, ground)| *ground);
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

    /// What of a value this caller is shown for the purpose that it states.
    fn narrow(&self, by: &By, whole: Revealed) -> Result<Revealed, Error> {
        let (role, channel) = by.viewer();
        let form = masking::form([role], &by.purpose, &whole.class, channel);
        if form == Form::Full {
            return Ok(whole);
        }
        let class = catalogue::class(&whole.class)?;
        let normal = class.normal.of(whole.value.expose())?;
        let hash = || self.keys.blind(&by.tenant, class, &normal);
        let shown = match form {
            Form::Hash => hash().map_or_else(|| form.of(&normal), |hash| hexadecimal(&hash)),
            form => form.of(&normal),
        };
        Ok(Revealed {
            form,
            value: Plain::from(shown),
            details: None,
            ..whole
        })
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
            form: Form::Full,
            value: open(VALUE, sealed)?,
            details: details.map(|sealed| open(DETAILS, sealed)).transpose()?,
        })
    }
}

/// The tokens that were read together, one to the line, below a line of their ground wherever it
/// changes; as many lists as the store's limit asks for, none of nothing.
pub(super) fn listed<'r>(read: impl Iterator<Item = (&'r Ground, &'r str)>) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    let mut last = None;
    for (ground, token) in read {
        if lists.last().is_none_or(|list| list.len() > LIST_BYTES) {
            lists.push(String::new());
            last = None;
        }
        if let Some(list) = lists.last_mut() {
            if last.replace(ground) != Some(ground) {
                list.push_str(&format!("{ground}\n"));
            }
            list.push_str(token);
            list.push('\n');
        }
    }
    lists
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
