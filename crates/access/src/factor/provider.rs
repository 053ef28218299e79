//! Sign-on by somebody else: an OpenID provider says who a person is.
//!
//! What a provider says is a factor that is cryptographic only where its settings name the methods
//! (`amr`, RFC 8176) or classes (`acr`) that are. An account belongs to an issuer and a subject
//! that its owner has bound to it; names and addresses of e-mail bind nothing.

use super::ceremony::Ceremonies;
#[cfg(feature = "oidc")]
use super::oidc::{Party, Secrets};
use crate::{Network, staff::Error};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
#[cfg(not(feature = "oidc"))]
use without::{Party, Secrets};
use zeroize::Zeroizing;

/// The most providers of an installation.
pub const PROVIDERS_MAX: usize = 8;
/// The most identities of one account.
pub const IDENTITIES_MAX: usize = 5;
/// The longest subject, in bytes (OpenID Connect Core 1.0, section 2).
pub const SUBJECT_BYTES_MAX: usize = 255;

/// A provider, as an operator sets it.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Stable name, `snake_case`: part of the address that the provider sends people back to.
    pub id: String,
    /// For people.
    pub title: String,
    /// Its issuer identifier, over HTTPS, or over HTTP on this very machine.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What we prove that with; none for a public client.
    pub secret: Option<Zeroizing<String>>,
    /// What to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// The authorities to trust about it, as PEM; those of the machine if not given.
    pub ca_pem: Option<Vec<u8>>,
    /// Methods that count as a cryptographic factor, such as `hwk`, `pop`.
    pub cryptographic_amr: Vec<String>,
    /// Classes that do; they are asked for too.
    pub cryptographic_acr: Vec<String>,
}

/// A provider, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProviderView {
    /// Its name.
    pub id: String,
    /// For people.
    pub title: String,
}

/// Where a browser is to go.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignOnChallenge {
    /// Give it with the answer; good for five minutes and one answer. Keep it in the page that
    /// began: an answer without it is somebody else's.
    pub ceremony: String,
    /// The address at the provider.
    pub address: String,
}

/// What the provider sent the browser back with.
#[derive(Clone, Copy)]
pub struct SignOnAnswer<'a> {
    /// The ceremony of the challenge.
    pub ceremony: &'a str,
    /// As it came.
    pub state: &'a str,
    /// As it came.
    pub code: &'a str,
    /// As it came, if it came (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// Somebody, as a provider knows them. Kept sealed with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's issuer identifier.
    pub issuer: String,
    /// What it calls them, for ever.
    pub subject: String,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// Whether it was a cryptographic factor by itself when it was bound.
    pub(crate) suffices: bool,
}

impl Identity {
    /// Whether both are the same person at the same provider.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }
}

/// What a sign-on is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    /// Coming in.
    SignIn,
    /// Binding an identity to the account of this session.
    Bind(String),
}

/// A sign-on under way.
struct Pending {
    provider: usize,
    purpose: Use,
    secrets: Secrets,
}

/// Begins and ends sign-ons.
pub(crate) struct ProviderDesk {
    providers: Vec<Party>,
    settings: Vec<ProviderSettings>,
    open: Ceremonies<Pending>,
}

impl ProviderDesk {
    /// Providers that send people back to pages of this origin.
    pub(crate) fn new(
        settings: Vec<ProviderSettings>,
        origin: Option<&str>,
    ) -> Result<Self, Error> {
        if settings.len() > PROVIDERS_MAX {
            return Err(Error::Limit("at most 8 providers"));
        }
        let mut providers = Vec::with_capacity(settings.len());
        for (place, one) in settings.iter().enumerate() {
            let refused = |why| Error::ProviderSettings(one.id.clone(), why);
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !(1..=32).contains(&one.id.len()) || !one.id.bytes().all(plain) {
                return Err(refused(
                    "a name has 1 to 32 lower-case letters, digits and `_`",
                ));
            }
            let mut before = settings.iter().take(place);
            if before.any(|other| other.id == one.id || other.issuer == one.issuer) {
                return Err(refused("its name or issuer is taken"));
            }
            let origin =
                origin.ok_or_else(|| refused("set `origin`: it sends people back there"))?;
            let address = format!("{origin}/sign-in/{}", one.id);
            providers.push(Party::new(one, &address).map_err(refused)?);
        }
        Ok(Self {
            providers,
            settings,
            open: Ceremonies::default(),
        })
    }

    /// Every provider, in the order of the settings.
    pub(crate) fn all(&self) -> Vec<ProviderView> {
        let view = |one: &ProviderSettings| ProviderView {
            id: one.id.clone(),
            title: one.title.clone(),
        };
        self.settings.iter().map(view).collect()
    }

    /// The issuer of a provider.
    pub(crate) fn issuer(&self, id: &str) -> Result<&str, Error> {
        let mut all = self.settings.iter();
        let found = all.find(|one| one.id == id);
        found
            .map(|one| one.issuer.as_str())
            .ok_or(Error::ProviderUnknown)
    }

    /// Where to send a browser.
    pub(crate) async fn begin(
        &self,
        id: &str,
        purpose: Use,
        network: Network,
        now_us: u64,
    ) -> Result<SignOnChallenge, Error> {
        let place = self.settings.iter().position(|one| one.id == id);
        let place = place.ok_or(Error::ProviderUnknown)?;
        let party = self.providers.get(place).ok_or(Error::ProviderUnknown)?;
        let (address, secrets) = party.authorize(now_us).await?;
        let pending = Pending {
            provider: place,
            purpose,
            secrets,
        };
        let ceremony = self.open.begin(network, now_us, pending);
        Ok(SignOnChallenge { ceremony, address })
    }

    /// Who the provider says it is, once, for the use that it was begun for.
    pub(crate) async fn finish(
        &self,
        answer: SignOnAnswer<'_>,
        purpose: &Use,
        (now, now_us): (Timestamp, u64),
    ) -> Result<Identity, Error> {
        let pending = self.open.end(answer.ceremony, now_us);
        let pending = pending.filter(|pending| pending.purpose == *purpose);
        let pending = pending.ok_or(Error::CeremonyUnknown)?;
        let party = self.providers.get(pending.provider);
        let party = party.ok_or(Error::ProviderUnknown)?;
        party.redeem(answer, pending.secrets, (now, now_us)).await
    }
}

/// Sign-on in a program that was built without it: no provider can be set.
#[cfg(not(feature = "oidc"))]
mod without {
    use super::{Error, Identity, ProviderSettings, SignOnAnswer, Timestamp};

    /// What only a begun sign-on has: nothing begins one.
    pub(super) enum Secrets {}

    /// A provider: there is none.
    pub(super) enum Party {}

    impl Party {
        pub(super) fn new(_: &ProviderSettings, _: &str) -> Result<Self, &'static str> {
            Err("this program was built without the feature `oidc`")
        }

        #[allow(clippy::unused_async, reason = "it is asked like a real one")]
        pub(super) async fn authorize(&self, _: u64) -> Result<(String, Secrets), Error> {
            match *self {}
        }

        #[allow(clippy::unused_async, reason = "it is asked like a real one")]
        pub(super) async fn redeem(
            &self,
            _: SignOnAnswer<'_>,
            _: Secrets,
            _: (Timestamp, u64),
        ) -> Result<Identity, Error> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(id: &str, issuer: &str) -> ProviderSettings {
        ProviderSettings {
            id: id.to_owned(),
            title: id.to_owned(),
            issuer: issuer.to_owned(),
            client_id: "paywarden".to_owned(),
            secret: None,
            scopes: Vec::new(),
            ca_pem: None,
            cryptographic_amr: Vec::new(),
            cryptographic_acr: Vec::new(),
        }
    }

    fn refused(all: Vec<ProviderSettings>, origin: Option<&str>) -> bool {
        ProviderDesk::new(all, origin).is_err()
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let origin = Some("https://pay.example.com");
        let (one, other) = ("https://one.example.com", "https://other.example.com");
        assert!(!refused(Vec::new(), None));
        let two = vec![settings("one", one), settings("other", other)];
        assert_eq!(refused(two.clone(), origin), cfg!(not(feature = "oidc")));
        assert!(refused(two, None));
        for wrong in [
            vec![settings("", one)],
            vec![settings("One", one)],
            vec![settings("one", "http://one.example.com")],
            vec![settings("one", "one.example.com")],
            vec![settings("one", one), settings("one", other)],
            vec![settings("one", one), settings("two", one)],
        ] {
            assert!(refused(wrong, origin));
        }
        let many = (0..=PROVIDERS_MAX).map(|n| settings(&format!("p{n}"), &format!("{one}/{n}")));
        assert!(refused(many.collect(), origin));
    }
}
