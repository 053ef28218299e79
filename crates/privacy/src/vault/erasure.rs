//! Erasing values and persons.

use super::{Retention, Vault, check_purpose};
use crate::{By, Error};
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Row, VaultErasure, VaultErasureOf, VaultPerson, VaultRow};

/// An erasure takes 200 records at a time: a person with more than these has none left over.
const ROUNDS_MAX: usize = 10_000;

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Values.
    pub records: u64,
    /// Keys that were destroyed: whatever was sealed under them opens no more, wherever a copy
    /// of it lies, once the epoch that wraps them is left.
    pub keys: u64,
}

impl Vault {
    /// Erases one value. Nothing is read or written for its person meanwhile. A hold keeps it.
    pub async fn delete(&self, by: &By, token: &str) -> Result<(), Error> {
        check_purpose(by)?;
        if self.tokens.recognise(&by.tenant, token).is_none() {
            return Err(Error::TokenRefused);
        }
        let found = self.reader.sealed(&[token.to_owned()]).await?;
        let own = found.iter().find(|row| *row.tenant == *by.tenant.as_str());
        let subject = &own.ok_or(Error::TokenUnknown)?.subject;
        let _gate = self.shut(subject).await;
        self.must_not_be_held(subject).await?;
        let erasure = self.erasure(&by.tenant, VaultErasureOf::Token(token.to_owned()));
        let entry = Self::entry(by, "vault.delete", token.to_owned(), vec![erasure]);
        self.journal.append(entry).await?;
        self.known.drop_if(|_, known| *known.token == *token);
        Ok(())
    }

    /// Erases everything of a person, or what is kept for one reason: destroys the keys first, then
    /// the values, masks and indexes. Nothing is written for the person meanwhile. A hold keeps it.
    pub async fn forget(
        &self,
        by: &By,
        subject: &str,
        retention: Option<Retention>,
    ) -> Result<Erased, Error> {
        check_purpose(by)?;
        let subject = self.pseudonym(&by.tenant, subject);
        let _gate = self.shut(&subject).await;
        self.must_not_be_held(&subject).await?;
        self.forget_person(&subject);
        let person = VaultPerson {
            subject: subject.clone(),
            retention: retention.map(|kept| kept.name().to_owned()),
        };
        let mut erased = Erased {
            records: 0,
            keys: 0,
        };
        let (mut keys, mut records) = self.reader.living(&by.tenant, &person).await?;
        for _ in 0..ROUNDS_MAX {
            if keys == 0 && records == 0 {
                break;
            }
            let rows = vec![
                self.erasure(&by.tenant, VaultErasureOf::Keys(person.clone())),
                self.erasure(&by.tenant, VaultErasureOf::Records(person.clone())),
            ];
            let entry = Self::entry(by, "vault.forget", subject.clone(), rows);
            self.journal.append(entry).await?;
            let left = self.reader.living(&by.tenant, &person).await?;
            erased.keys += keys - left.0.min(keys);
            erased.records += records - left.1.min(records);
            (keys, records) = left;
        }
        Ok(erased)
    }

    /// Erases what could be read until a time that has passed, person by person. What a hold or a
    /// restriction keeps stays, and is read by nobody. Call it now and then.
    pub async fn sweep(&self) -> Result<(), Error> {
        let (now, mut after) = (self.clock.now(), String::new());
        loop {
            let page = self.reader.expired(now, &after).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for (subject, tenant) in &page {
                let tenant = TenantId::parse(tenant).map_err(|_| Error::Damaged)?;
                self.sweep_person(tenant, subject).await?;
            }
        }
    }

    async fn sweep_person(&self, tenant: TenantId, subject: &str) -> Result<(), Error> {
        let _gate = self.shut(subject).await;
        let standing = self.desk.persons.of(subject).await?;
        if standing.hold(self.clock.now()).is_some() || standing.restricted_at.is_some() {
            return Ok(());
        }
        let by = By::new(tenant, Actor::System("vault"), "time to live is over");
        let person = VaultPerson {
            subject: subject.to_owned(),
            retention: None,
        };
        let rows = vec![self.erasure(&by.tenant, VaultErasureOf::Expired(person))];
        let entry = Self::entry(&by, "vault.expire", subject.to_owned(), rows);
        self.journal.append(entry).await?;
        Ok(())
    }

    /// Whether nobody has a duty to keep what there is of a person; hold their gate.
    pub(crate) async fn must_not_be_held(&self, subject: &str) -> Result<(), Error> {
        let standing = self.desk.persons.of(subject).await?;
        match standing.hold(self.clock.now()) {
            Some(hold) => Err(Error::Held(hold.reference.clone())),
            None => Ok(()),
        }
    }

    fn erasure(&self, tenant: &TenantId, of: VaultErasureOf) -> Row {
        Row::Vault(VaultRow::Erasure(VaultErasure {
            tenant: tenant.clone(),
            of,
            erased_at: self.clock.now(),
        }))
    }
}
