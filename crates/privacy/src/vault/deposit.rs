//! Keeping values.

use super::{
    KNOWN_LIFE_US, Known, SUBJECT_KEY_LIFE_US, Vault,
    grounds::{self, check_said},
};
use crate::{
    By, Error, Plain,
    catalogue::{self, Class},
    keys::{FreshKey, Owner, Place, SubjectKey},
    policy::Ground,
    token::Form,
};
use paywarden_access::masking::{self, last_four};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{
    Appended, Row, ValuePlace, VaultContent, VaultKeyRow, VaultRecordRow, VaultRow,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};
use zeroize::Zeroizing;

/// The most values of one call.
pub const ITEMS_MAX: usize = 100;
/// The longest time to live, in seconds: ten years.
const TTL_SECONDS_MAX: u32 = 10 * 366 * 86_400;
const DETAILS_BYTES_MAX: usize = 8 * 1024;
const NAME_BYTES_MAX: usize = 256;
/// How often it is tried to find a token that nobody has.
const TRIES: usize = 4;
pub(super) const VALUE: &str = "value";
pub(super) const DETAILS: &str = "details";

/// How long a value is kept for: what may be erased alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// As long as the person agrees.
    Marketing,
    /// As long as the contract lasts.
    #[default]
    Contract,
    /// As long as the law against laundering asks for.
    Evidence,
}

impl Retention {
    /// The one with this word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [Self::Marketing, Self::Contract, Self::Evidence];
        all.into_iter().find(|one| one.name() == name)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Contract => "contract",
            Self::Evidence => "evidence",
        }
    }
}

/// A value to keep.
pub struct Item {
    /// The person, by the caller's own identifier of 1 to 256 bytes. It is not kept, only a keyed
    /// pseudonym of it.
    pub subject: String,
    /// The class of the value in the catalogue.
    pub class: String,
    /// The value, 1 byte to 16 KiB.
    pub value: Plain<String>,
    /// What belongs to it and is neither indexed nor shown, at most 8 KiB.
    pub details: Option<Plain<String>>,
    /// How long it is kept for.
    pub retention: Retention,
    /// What its token looks like.
    pub form: Form,
    /// Whether the token is good for one reading, which erases the value.
    pub once: bool,
    /// How long it may be read, in seconds.
    pub ttl_seconds: Option<u32>,
    /// Who alone may read it: the identifier of a key.
    pub caller: Option<String>,
    /// For what purpose alone it may be read.
    pub purpose: Option<String>,
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub token: String,
    /// What it is.
    pub class: &'static str,
    /// As it may be shown.
    pub masked: String,
    /// Until when it may be read, exclusive.
    pub expires_at: Option<Timestamp>,
}

/// A value that is ready to be sealed.
pub(super) struct Prepared<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) subject: String,
    pub(super) class: &'static Class,
    pub(super) form: Zeroizing<String>,
    pub(super) item: &'a Item,
    /// What makes it the same as another; none if it stands for itself.
    pub(super) same: Option<Vec<u8>>,
    pair: Option<Vec<u8>>,
    masked: String,
    expires_at: Option<Timestamp>,
}

/// What an entry gets, and what is remembered once it is durable.
#[derive(Default)]
pub(super) struct Sealed {
    pub(super) rows: Vec<Row>,
    pub(super) fresh: Vec<(String, Arc<SubjectKey>)>,
}

impl Prepared<'_> {
    pub(super) fn owner(&self) -> Owner<'_> {
        Owner {
            tenant: self.tenant,
            subject: &self.subject,
            retention: self.item.retention.name(),
        }
    }

    /// Its name among those that are remembered.
    pub(super) fn remembered(&self) -> Option<u128> {
        let same = self.same.as_deref()?;
        Some(u128::from_be_bytes(same.try_into().ok()?))
    }

    fn kept(&self, token: String) -> Kept {
        Kept {
            token,
            class: &self.class.name,
            masked: self.masked.clone(),
            expires_at: self.expires_at,
        }
    }
}

impl Vault {
    /// Keeps values, at most 100, and gives each a token. Equal values with equal details of one
    /// person have the same token, unless it is good for one reading, for a time, for a caller or
    /// for a purpose alone. The name and the birth date of a person that are kept together are found together.
    ///
    /// Each is decided about by the privacy policy; if one is denied none is kept. Durable when it
    /// returns; after an error nothing was kept, or what was is found again by the
    /// same call.
    pub async fn tokenize(&self, by: &By, items: &[Item]) -> Result<Vec<Kept>, Error> {
        check_said(by)?;
        if !(1..=ITEMS_MAX).contains(&items.len()) {
            return Err(Error::Request("1 to 100 values are kept at a time"));
        }
        let now = self.clock.now();
        let prepare = |item| self.prepare(&by.tenant, item, now);
        let mut prepared: Vec<_> = items.iter().map(prepare).collect::<Result<_, _>>()?;
        self.pair_up(&mut prepared);
        let subjects = prepared.iter().map(|one| one.subject.as_str());
        let _gates = self.enter(subjects.clone()).await;
        let standings = self.standings(subjects).await?;
        let ground = |one: &Prepared<'_>| {
            let kind = (one.item.retention.name(), one.class.name.as_str());
            self.judge_value(by, (&standings, &one.subject), kind, now)
        };
        let grounds: Vec<_> = prepared.iter().map(ground).collect::<Result<_, _>>()?;
        for _ in 0..TRIES {
            let tried = self.try_tokenize(by, &grounds, &prepared, now).await?;
            if let Some(tokens) = tried {
                let kept = prepared.iter().zip(tokens);
                return Ok(kept.map(|(one, token)| one.kept(token)).collect());
            }
        }
        Err(Error::Overloaded)
    }

    /// The tokens, unless one of them was taken.
    async fn try_tokenize(
        &self,
        by: &By,
        grounds: &[Ground],
        prepared: &[Prepared<'_>],
        now: Timestamp,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut sealed = Sealed::default();
        let mut tokens = Vec::with_capacity(prepared.len());
        for one in prepared {
            tokens.push(match self.remembered(one) {
                Some(token) => token,
                None => self.seal(one, now, &mut sealed)?,
            });
        }
        let object = match tokens.as_slice() {
            [token] => token.clone(),
            tokens => format!("{} values", tokens.len()),
        };
        let rows = std::mem::take(&mut sealed.rows);
        let written = grounds::entry(by, grounds.iter(), ("vault.tokenize", object), rows);
        let written = self.journal.append(written).await?;
        if let Appended::Written {
            known_records: true,
            ..
        } = written
        {
            return self.found(prepared, tokens).await;
        }
        self.remember(prepared, &tokens, sealed);
        Ok(Some(tokens))
    }

    /// The tokens of values some of which were there before.
    async fn found(
        &self,
        prepared: &[Prepared<'_>],
        tokens: Vec<String>,
    ) -> Result<Option<Vec<String>>, Error> {
        let places = prepared.iter().filter_map(|one| self.place(one));
        let found = self.reader.same(places.collect()).await?;
        let token = |(one, token): (&Prepared<'_>, String)| match self.place(one) {
            Some(place) => found.get(&place).cloned(),
            None => Some(token),
        };
        let tokens: Option<Vec<_>> = prepared.iter().zip(tokens).map(token).collect();
        if let Some(tokens) = &tokens {
            self.remember(prepared, tokens, Sealed::default());
        }
        Ok(tokens)
    }

    /// Where it is found, if it may be the same as another.
    fn place(&self, one: &Prepared<'_>) -> Option<ValuePlace> {
        let same = one.same.as_deref()?;
        let exact = self.keys.blind(one.tenant, one.class, &one.form);
        let exact = exact.as_deref().unwrap_or_default();
        let tail = tail_of(one.class, &one.form).unwrap_or_default();
        let parts = (tail, exact, same);
        Some(ValuePlace::of_same(one.tenant, &one.class.name, parts))
    }

    /// Checks a value against its class and computes everything that is kept of it in clear.
    pub(super) fn prepare<'a>(
        &self,
        tenant: &'a TenantId,
        item: &'a Item,
        now: Timestamp,
    ) -> Result<Prepared<'a>, Error> {
        check(item)?;
        let class = catalogue::class(&item.class)?;
        if item.form == Form::Shaped && class.short != "card" {
            return Err(Error::Request("only tokens of card numbers are shaped"));
        }
        let form = class.normal.of(item.value.expose())?;
        let subject = self.pseudonym(tenant, &item.subject);
        let owner = Owner {
            tenant,
            subject: &subject,
            retention: item.retention.name(),
        };
        let is_own = item.once
            || item.ttl_seconds.is_some()
            || item.caller.is_some()
            || item.purpose.is_some();
        let details = item.details.as_ref().map_or("", |plain| plain.expose());
        let same = || self.keys.same(owner, class, (item.form, &form, details));
        let ttl_us = item
            .ttl_seconds
            .map(|seconds| i64::from(seconds) * 1_000_000);
        Ok(Prepared {
            same: (!is_own).then(same),
            masked: masking::stored(&class.name).of(&form),
            expires_at: ttl_us.map(|us| Timestamp::from_micros(now.micros() + us)),
            pair: None,
            tenant,
            subject,
            class,
            form,
            item,
        })
    }

    /// Gives each birth date the index of it together with the name beside it.
    fn pair_up(&self, prepared: &mut [Prepared<'_>]) {
        let names = prepared.iter().filter(|one| one.class.name == "name");
        let names: HashMap<String, Zeroizing<String>> = names
            .map(|one| (one.subject.clone(), one.form.clone()))
            .collect();
        for one in prepared
            .iter_mut()
            .filter(|one| one.class.name == "birth_date")
        {
            let name = names.get(&one.subject);
            one.pair = name.map(|name| self.keys.pair(one.tenant, name, &one.form));
        }
    }

    /// The token of a value seen lately.
    pub(super) fn remembered(&self, one: &Prepared<'_>) -> Option<String> {
        let now_us = self.clock.monotonic_us();
        let known = self.known.get(&one.remembered()?, now_us)?;
        Some(known.token.into())
    }

    /// Seals a value; its new token.
    pub(super) fn seal(
        &self,
        one: &Prepared<'_>,
        now: Timestamp,
        sealed: &mut Sealed,
    ) -> Result<String, Error> {
        let key = self.key_of(one, now, sealed)?;
        let token = match one.item.form {
            Form::Opaque => self.tokens.opaque(one.tenant, one.class, now),
            Form::Shaped => self.tokens.shaped(one.tenant, one.class, &one.form),
        };
        let place = |field| Place {
            owner: one.owner(),
            class: &one.class.name,
            token: &token,
            field,
        };
        let seal = |field, plain: &str| key.seal(place(field), plain.as_bytes());
        let value = match one.class.normal.is_faithful() {
            true => &*one.form,
            false => one.item.value.expose(),
        };
        let details = one.item.details.as_ref();
        let content = VaultContent {
            same: one.same.clone(),
            exact: self.keys.blind(one.tenant, one.class, &one.form),
            tail: tail_of(one.class, &one.form).map(ToOwned::to_owned),
            pair: one.pair.clone(),
            masked: one.masked.clone(),
            sealed: seal(VALUE, value)?,
            details: details
                .map(|plain| seal(DETAILS, plain.expose()))
                .transpose()?,
        };
        let row = VaultRecordRow {
            subject: one.subject.clone(),
            retention: one.item.retention.name().to_owned(),
            class: one.class.name.clone(),
            key: key.place,
            expires_at: one.expires_at,
            once: one.item.once,
            caller: one.item.caller.clone(),
            purpose: one.item.purpose.clone(),
            ..VaultRecordRow::new(token.clone(), one.tenant.clone(), now)
        };
        sealed
            .rows
            .push(Row::Vault(VaultRow::Record(Box::new(row.with(content)))));
        Ok(token)
    }

    /// A key of the person: one at hand, or a new one. A person may have several; looking for an
    /// old one would cost a question to the store.
    fn key_of(
        &self,
        one: &Prepared<'_>,
        now: Timestamp,
        sealed: &mut Sealed,
    ) -> Result<Arc<SubjectKey>, Error> {
        let owner = one.owner();
        let name = format!("{}/{}", owner.subject, owner.retention);
        let now_us = self.clock.monotonic_us();
        let made = sealed.fresh.iter().find(|(made, _)| *made == name);
        if let Some((_, key)) = made {
            return Ok(key.clone());
        }
        if let Some(key) = self.subject_keys.get(name.as_str(), now_us) {
            return Ok(key);
        }
        let FreshKey {
            key,
            epoch,
            wrapped,
        } = self.keys.fresh(owner, now, now_us)?;
        sealed.rows.push(Row::Vault(VaultRow::Key(VaultKeyRow {
            key: key.place,
            tenant: one.tenant.clone(),
            subject: one.subject.clone(),
            retention: owner.retention.to_owned(),
            made_at: now,
            destroyed_at: None,
            epoch,
            wrapped,
        })));
        sealed.fresh.push((name, key.clone()));
        Ok(key)
    }

    /// Remembers what is durable now.
    pub(super) fn remember(&self, prepared: &[Prepared<'_>], tokens: &[String], sealed: Sealed) {
        let now_us = self.clock.monotonic_us();
        for (one, token) in prepared.iter().zip(tokens) {
            if let Some(name) = one.remembered() {
                let known = Known::new(&one.subject, token);
                self.known.put(name, known, now_us + KNOWN_LIFE_US);
            }
        }
        self.remember_keys(sealed);
    }

    pub(super) fn remember_keys(&self, sealed: Sealed) {
        let until_us = self.clock.monotonic_us() + SUBJECT_KEY_LIFE_US;
        for (name, key) in sealed.fresh {
            self.subject_keys.put(name, key, until_us);
        }
    }
}

/// The last characters of a value, where the catalogue lets them be looked for.
pub(super) fn tail_of<'v>(class: &Class, form: &'v str) -> Option<&'v str> {
    class
        .tail
        .then(|| last_four(form))
        .filter(|tail| !tail.is_empty())
}

fn check(item: &Item) -> Result<(), Error> {
    let is_name = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0');
    let details = item.details.as_ref().map_or(0, |text| text.expose().len());
    let refusals = [
        (is_name(&item.subject), "a subject has 1 to 256 bytes"),
        (
            item.caller.as_deref().is_none_or(is_name),
            "a caller has 1 to 256 bytes",
        ),
        (
            item.purpose.as_deref().is_none_or(is_name),
            "a purpose has 1 to 256 bytes",
        ),
        (
            details <= DETAILS_BYTES_MAX,
            "details have at most 8192 bytes",
        ),
        (
            item.ttl_seconds
                .is_none_or(|seconds| (1..=TTL_SECONDS_MAX).contains(&seconds)),
            "a time to live is 1 second to ten years",
        ),
    ];
    let refusal = refusals.into_iter().find(|(holds, _)| !holds);
    refusal.map_or(Ok(()), |(_, why)| Err(Error::Request(why)))
}
