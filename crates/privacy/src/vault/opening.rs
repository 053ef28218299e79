//! Opening the records of one call. What many of them have in common is decided and looked up
//! once: a batch of a thousand is of few classes, kept for few reasons, wrapped by few KEKs. Keys are kept
//! as long as the same is asked for: a thousand in memory cost more than unwrapping one again.

use super::{
    Vault,
    deposit::{DETAILS, VALUE},
    grounds::Standings,
    reading::Revealed,
};
use crate::{
    By, Error, Plain, catalogue,
    keys::{Owner, Place, SubjectKey},
    notice::hexadecimal,
    policy::Ground,
    subject::Standing,
};
use hashbrown::HashMap;
use paywarden_access::masking::Form;
use paywarden_crypto::envelope::SealKey;
use paywarden_domain::Timestamp;
use paywarden_store::{Actor, KeyPlace, SealedRow};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One call while it opens records.
pub(super) struct Opening<'o, 'r> {
    vault: &'o Vault,
    by: &'o By,
    now: Timestamp,
    now_us: u64,
    standings: &'o Standings<'r>,
    /// What the policy says, by how a person stands and what of theirs is read.
    judged: HashMap<(*const Standing, &'r str, &'r str), Result<Arc<Ground>, Error>>,
    forms: HashMap<&'r str, Form>,
    kek: Last<(&'r str, i64), Arc<SealKey>>,
    key: Last<KeyPlace, SubjectKey>,
}

/// What was asked for last, and what it is.
struct Last<K, V>(Option<(K, V)>);

impl<K: PartialEq, V> Last<K, V> {
    fn get(&mut self, asked: K, find: impl FnOnce() -> Result<V, Error>) -> Result<&V, Error> {
        if self.0.as_ref().is_none_or(|(last, _)| *last != asked) {
            self.0 = Some((asked, find()?));
        }
        let found = self.0.as_ref().map(|(_, found)| found);
        found.ok_or(Error::Damaged)
    }
}

impl<'o, 'r> Opening<'o, 'r> {
    /// Nothing is opened yet. `standings` has everybody whose records will be.
    pub(super) fn new(
        vault: &'o Vault,
        (by, now): (&'o By, Timestamp),
        standings: &'o Standings<'r>,
    ) -> Self {
        Self {
            vault,
            by,
            now,
            now_us: vault.clock.monotonic_us(),
            standings,
            judged: HashMap::new(),
            forms: HashMap::new(),
            kek: Last(None),
            key: Last(None),
        }
    }

    /// What of a record this caller is shown for the purpose that it states, and on what ground.
    pub(super) fn open(&mut self, row: &'r SealedRow) -> Result<(Revealed, Arc<Ground>), Error> {
        self.check(row)?;
        let ground = self.judge(row)?;
        let whole = self.reveal(row)?;
        Ok((self.narrow(whole, &row.class)?, ground))
    }

    /// Whether this caller may read a record now, for what it says.
    fn check(&self, row: &SealedRow) -> Result<(), Error> {
        if *row.tenant != *self.by.tenant.as_str() {
            return Err(Error::TokenUnknown);
        }
        if row.expires_at.is_some_and(|end| end <= self.now) {
            return Err(Error::TokenExpired);
        }
        let name = match &self.by.actor {
            Actor::Key(name) | Actor::Staff(name) => name.as_str(),
            Actor::System(name) => name,
        };
        let is_for =
            |bound: &Option<String>, said: &str| bound.as_deref().is_none_or(|one| one == said);
        match is_for(&row.caller, name) && is_for(&row.purpose, &self.by.purpose) {
            true => Ok(()),
            false => Err(Error::TokenBound),
        }
    }

    fn judge(&mut self, row: &'r SealedRow) -> Result<Arc<Ground>, Error> {
        let standing = self
            .standings
            .get(row.subject.as_str())
            .ok_or(Error::Damaged)?;
        let kind: (&str, &str) = (&row.retention, &row.class);
        // The same standing is one object: of nearly everybody nothing in particular is known.
        let judged = self.judged.entry((Arc::as_ptr(standing), kind.0, kind.1));
        let judge = || {
            let of = (self.standings, row.subject.as_str());
            let ground = self.vault.judge_value(self.by, of, kind, self.now);
            ground.map(Arc::new)
        };
        judged.or_insert_with(judge).clone()
    }

    fn reveal(&mut self, row: &'r SealedRow) -> Result<Revealed, Error> {
        let sealed = row.sealed.as_deref().filter(|_| !row.wrapped.is_empty());
        let sealed = sealed.ok_or(Error::TokenUnknown)?;
        let owner = Owner {
            tenant: &self.by.tenant,
            subject: &row.subject,
            retention: &row.retention,
        };
        let (keys, kek) = (&self.vault.keys, &mut self.kek);
        let find_kek = || keys.kek(owner, row.epoch, self.now_us);
        let key = self.key.get(row.key, || {
            let kek = kek.get((&*row.retention, row.epoch), find_kek)?;
            keys.unwrap(owner, row.key, (kek, &row.wrapped))
        })?;
        let open = |field, sealed: &[u8]| {
            let place = Place {
                owner,
                class: &row.class,
                token: &row.token,
                field,
            };
            let mut bytes = key.open(place, sealed)?;
            let text = String::from_utf8(std::mem::take(&mut *bytes));
            let text = text.map_err(|error| {
                drop(Zeroizing::new(error.into_bytes()));
                Error::Damaged
            })?;
            Ok::<_, Error>(Plain::from(text))
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

    fn narrow(&mut self, whole: Revealed, class: &'r str) -> Result<Revealed, Error> {
        let form = *self
            .forms
            .entry(class)
            .or_insert_with(|| self.by.form(class));
        if form == Form::Full {
            return Ok(whole);
        }
        let class = catalogue::class(class)?;
        let normal = class.normal.of(whole.value.expose())?;
        let hash = || self.vault.keys.blind(&self.by.tenant, class, &normal);
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
}
