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
    /// Erases one value.
    pub async fn delete(&self, by: &By, token: &str) -> Result<(), Error> {
        check_purpose(by)?;
        if self.tokens.recognise(&by.tenant, token).is_none() {
            return Err(Error::TokenRefused);
        }
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
        let standing = self.desk.persons.of(&subject).await?;
        if let Some(hold) = standing.hold(self.clock.now()) {
            return Err(Error::Held(hold.reference.clone()));
        }
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

    /// Erases what could be read until a time that has passed. Call it now and then.
    pub async fn sweep(&self) -> Result<(), Error> {
        for tenant in self.reader.expired(self.clock.now()).await? {
            let tenant = TenantId::parse(&tenant).map_err(|_| Error::Damaged)?;
            let by = By::new(tenant, Actor::System("vault"), "time to live is over");
            let rows = vec![self.erasure(&by.tenant, VaultErasureOf::Expired)];
            let entry = Self::entry(&by, "vault.expire", "expired values".to_owned(), rows);
            self.journal.append(entry).await?;
        }
        Ok(())
    }

    fn erasure(&self, tenant: &TenantId, of: VaultErasureOf) -> Row {
        Row::Vault(VaultRow::Erasure(VaultErasure {
            tenant: tenant.clone(),
            of,
            erased_at: self.clock.now(),
        }))
    }
}
