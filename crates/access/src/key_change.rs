//! Keys made, replaced, bound and ended by approval.

use crate::{
    Author, Error, KeyRegistry, Network, Scope,
    approval::{self, Approved, Kind, Sensitive},
    registry::DESCRIPTION_BYTES_MAX,
    terms::{CertificateHash, NETWORKS_MAX},
};
use paywarden_crypto::{SignatureAlgorithm, VerifyingKey};
use paywarden_domain::TenantId;
use paywarden_store::Purpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest overlap of a key and the one that replaces it.
const OVERLAP_HOURS_MAX: u16 = 720;
const KEY_ID_BYTES_MAX: usize = 128;

/// A key of the company begins, changes or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// Make a key, or register one.
    Create(KeyCreate),
    /// Put a new key in the place of one.
    Rotate(KeyRotate),
    /// Say where a key may be used from.
    Bind(KeyBind),
    /// End a key.
    Revoke(KeyRevoke),
}

/// A key to make, or to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyCreate {
    /// By its registered name (RFC 9421), such as `ed25519`.
    pub algorithm: String,
    /// What it may do; not what is for people alone.
    #[schema(value_type = Vec<String>)]
    pub scopes: Vec<Scope>,
    /// What it is for, at most 200 bytes.
    pub description: String,
    /// The public half of a pair that its owner has made; without it a pair is made here, whose
    /// private half is shown once, to whoever carries it out.
    #[serde(default)]
    pub public_key_pem: Option<String>,
}

/// A key to replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotate {
    /// Which.
    pub key_id: String,
    /// How long the old key stays valid, at most 720.
    pub overlap_hours: u16,
}

/// Where a key may be used from, and with which certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBind {
    /// Which.
    pub key_id: String,
    /// At most 64; from anywhere if empty.
    #[schema(value_type = Vec<String>)]
    pub networks: Vec<Network>,
    /// SHA-256 of the client certificate (DER); none if not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub certificate_sha256: Option<CertificateHash>,
}

/// A key to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRevoke {
    /// Which.
    pub key_id: String,
}

/// By whose word a key changes.
#[derive(Debug)]
pub enum Word {
    /// An operator's, who may write to the data folder.
    Operator(Author),
    /// That of those who approved it.
    Approved {
        /// What they approved.
        approved: Approved<KeyChange>,
        /// Why it is carried out, for the trail.
        purpose: String,
    },
}

impl Word {
    /// Who acts and why, and the approval that is to be used up.
    pub(crate) fn parts(self) -> (Author, Option<Approved<KeyChange>>) {
        match self {
            Self::Operator(author) => (author, None),
            Self::Approved { approved, purpose } => {
                let actor = approved.who().actor.clone();
                let purpose = Purpose::from("key change").because(purpose);
                (Author { actor, purpose }, Some(approved))
            }
        }
    }
}

impl From<Author> for Word {
    fn from(author: Author) -> Self {
        Self::Operator(author)
    }
}

impl Sensitive for KeyChange {
    const KIND: Kind = Kind::KeyChange;

    /// `create`, or `rotate:`, `bind:`, `revoke:` and the key.
    fn object(&self) -> String {
        let what = match self {
            Self::Create(_) => return "create".to_owned(),
            Self::Rotate(_) => "rotate",
            Self::Bind(_) => "bind",
            Self::Revoke(_) => "revoke",
        };
        format!("{what}:{}", self.key_id().unwrap_or_default())
    }

    fn check(&self) -> Result<(), String> {
        let id = self.key_id().unwrap_or("new");
        if !(1..=KEY_ID_BYTES_MAX).contains(&id.len()) {
            return Err("a key id has 1 to 128 bytes".to_owned());
        }
        let checked = match self {
            Self::Create(create) => create.check(),
            Self::Rotate(rotate) if rotate.overlap_hours > OVERLAP_HOURS_MAX => {
                Err(Error::OverlapTooLong)
            }
            Self::Bind(bind) if bind.networks.len() > NETWORKS_MAX => Err(Error::TooManyNetworks),
            _ => Ok(()),
        };
        checked.map_err(|error| error.to_string())
    }
}

impl KeyChange {
    /// The key that is there already; none if one is made.
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Create(_) => None,
            Self::Rotate(rotate) => Some(&rotate.key_id),
            Self::Bind(bind) => Some(&bind.key_id),
            Self::Revoke(revoke) => Some(&revoke.key_id),
        }
    }
}

impl KeyCreate {
    /// Its algorithm.
    pub fn algorithm(&self) -> Result<SignatureAlgorithm, Error> {
        let algorithm = SignatureAlgorithm::parse(&self.algorithm);
        let detail = "its algorithm is not known";
        Ok(algorithm.ok_or(paywarden_crypto::Error::KeyRefused { detail })?)
    }

    fn check(&self) -> Result<(), Error> {
        let algorithm = self.algorithm()?;
        if let Some(pem) = &self.public_key_pem {
            VerifyingKey::from_public(algorithm, pem.as_bytes())?;
        }
        if let Some(scope) = self
            .scopes
            .iter()
            .find(|one| Scope::OF_PEOPLE.contains(one))
        {
            return Err(Error::ScopeUnknown(scope.to_string()));
        }
        match self.description.len() <= DESCRIPTION_BYTES_MAX {
            true => Ok(()),
            false => Err(Error::DescriptionTooLong),
        }
    }
}

impl KeyRegistry {
    /// Refuses a change of a key that is not the company's, or has ended.
    pub fn check_change(&self, tenant: &TenantId, change: &KeyChange) -> Result<(), Error> {
        let Some(id) = change.key_id() else {
            return Ok(());
        };
        match self.find(id).filter(|key| key.tenant == *tenant) {
            None => Err(Error::KeyUnknown(id.to_owned())),
            Some(_) => self.live(id).map(drop),
        }
    }
}

impl From<approval::Error> for Error {
    fn from(error: approval::Error) -> Self {
        match error {
            approval::Error::Store(error) => Self::Store(error),
            other => Self::Approval(other),
        }
    }
}
