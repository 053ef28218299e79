//! Coming in by a provider, and the identities that people bind to their account.
//!
//! *Invariant*: an identity opens the account that it was bound to and no other; it is bound by
//! whoever is signed in to the account, or by an administrator, and never by what it is called.

use super::{
    Account, Error, Factor, Member, Opened, Staff,
    attempts::Subject,
    own::{arrive, removed},
    sign_in::signing_in,
};
use crate::{
    Author, Network,
    factor::provider::{
        IDENTITIES_MAX, Identity, ProviderView, SUBJECT_BYTES_MAX, SignOnAnswer, SignOnChallenge,
        Use,
    },
};
use paywarden_domain::TenantId;
use std::sync::Arc;

impl Staff {
    /// The providers that people can come in by.
    pub fn providers(&self) -> Vec<ProviderView> {
        self.providers.all()
    }

    /// Where to send a browser that wants to come in.
    pub async fn sign_on_challenge(
        &self,
        provider: &str,
        from: Network,
    ) -> Result<SignOnChallenge, Error> {
        let now_us = self.clock.monotonic_us();
        self.providers
            .begin(provider, Use::SignIn, from, now_us)
            .await
    }

    /// Opens a session for whom the provider names: a full one where what it says is a
    /// cryptographic factor, else one in which a factor of the account is still to be proved.
    pub async fn sign_on(&self, answer: SignOnAnswer<'_>, from: Network) -> Result<Opened, Error> {
        let subjects = [Subject::Network(from)];
        let now_us = self.begin_try(&subjects)?;
        let now = self.clock.now();
        let identity = self
            .providers
            .finish(answer, &Use::SignIn, (now, now_us))
            .await;
        let identity = match identity {
            Err(Error::ProviderUnavailable) => {
                self.attempts.take_back(&subjects, now_us);
                return Err(Error::ProviderUnavailable);
            }
            result => result?,
        };
        let account = self.by_identity(&identity).ok_or(Error::SignInRefused)?;
        let author = signing_in(&account.id);
        if identity.suffices {
            self.change(author, "staff.sign_in", &account.id, |account| {
                let holds = account.is_active() && is_bound(account, &identity);
                holds.then(|| account.used(now)).ok_or(Error::SignInRefused)
            })
            .await?;
        } else {
            let object = account.id.clone();
            let noted = self.note(&account.tenant, author, "staff.sign_on", object);
            noted.await?;
        }
        self.attempts.take_back(&subjects, now_us);
        let factor = match identity.suffices {
            true => Factor::Provider,
            false => Factor::ProviderAlone,
        };
        Ok(self.open_session(&account, factor, from))
    }

    /// Where to send a browser whose person wants to bind an identity to their account.
    pub async fn identity_challenge(
        &self,
        member: &Member,
        provider: &str,
        from: Network,
    ) -> Result<SignOnChallenge, Error> {
        let purpose = Use::Bind(member.session.id.clone());
        let now_us = self.clock.monotonic_us();
        self.providers.begin(provider, purpose, from, now_us).await
    }

    /// Binds whom the provider names to the account. Somebody who was only invited is signed in
    /// with it, where it is a cryptographic factor.
    pub async fn bind_identity(
        &self,
        member: &Member,
        answer: SignOnAnswer<'_>,
    ) -> Result<Option<Opened>, Error> {
        let (now, now_us) = self.now();
        let purpose = Use::Bind(member.session.id.clone());
        let identity = self
            .providers
            .finish(answer, &purpose, (now, now_us))
            .await?;
        let suffices = identity.suffices;
        let author = member.author("own factors");
        self.bind(author, &member.account.id, identity).await?;
        Ok(match suffices {
            true => self.promote(member, Factor::Provider),
            false => None,
        })
    }

    /// Binds an identity to the account of somebody else. It lets nobody in by itself before its
    /// provider has said more of it.
    pub async fn bind_identity_of(
        &self,
        author: Author,
        (tenant, id): (&TenantId, &str),
        provider: &str,
        subject: &str,
    ) -> Result<(), Error> {
        self.find(tenant, id)?;
        self.not_oneself(&author, id)?;
        if !(1..=SUBJECT_BYTES_MAX).contains(&subject.len()) || subject.contains('\0') {
            return Err(Error::NameRefused("a subject has 1 to 255 bytes"));
        }
        let identity = Identity {
            issuer: self.providers.issuer(provider)?.to_owned(),
            subject: subject.to_owned(),
            bound_at: self.clock.now(),
            suffices: false,
        };
        self.bind(author, id, identity).await
    }

    /// Removes an identity by its place in the list, unless it is the last way in.
    pub async fn unbind_identity(&self, member: &Member, place: usize) -> Result<(), Error> {
        self.remove_factor(member, "staff.unbind_identity", |factors| {
            removed(&mut factors.identities, place)
        })
        .await
    }

    async fn bind(&self, author: Author, id: &str, identity: Identity) -> Result<(), Error> {
        let now = self.clock.now();
        self.change(author, "staff.bind_identity", id, |account| {
            // Within the lock: an identity belongs to one account.
            if self.by_identity(&identity).is_some() {
                return Err(Error::IdentityTaken);
            }
            let identities = &mut account.body.factors.identities;
            if identities.len() >= IDENTITIES_MAX {
                return Err(Error::Limit("at most 5 identities of one account"));
            }
            identities.push(identity);
            arrive(account, now);
            Ok(())
        })
        .await
    }

    fn by_identity(&self, identity: &Identity) -> Option<Arc<Account>> {
        let mut everybody = self.everybody().into_iter();
        everybody.find(|account| is_bound(account, identity))
    }
}

fn is_bound(account: &Account, identity: &Identity) -> bool {
    let mut bound = account.factors().identities.iter();
    bound.any(|one| one.is_same(identity))
}
