//! One key of an API caller, parsed once and kept ready.

use crate::{Error, Scopes, Terms};
use paywarden_crypto::{Keyring, SignatureAlgorithm, SigningKey, VerifyingKey};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::SigningKeyRow;
use std::sync::atomic::{AtomicI64, Ordering};

/// What stands in the store's algorithm column for a bearer key.
const BEARER: &str = "bearer";
/// Seals are bound to it and to the key id, so that no secret can be moved to another key.
const SEAL_PURPOSE: &str = "caller secret";

/// A key of an API caller.
#[derive(Debug)]
pub struct RegisteredKey {
    /// `key_…`; what a signature names as `keyid`.
    pub id: String,
    /// Whose it is: everything done with it belongs to this tenant.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: Scopes,
    /// How its requests are recognised.
    pub credential: Credential,
    /// For people.
    pub description: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it ended, if it has.
    pub revoked_at: Option<Timestamp>,
    /// What else holds of it.
    pub terms: Terms,
    /// The version of the terms; 0 as long as they were never written.
    pub(crate) terms_version: i64,
    /// The day it was last used on, in microseconds; 0 if never.
    last_used_on: AtomicI64,
}

/// How the requests of a key are recognised.
#[derive(Debug)]
pub enum Credential {
    /// By a signature that this public key verifies.
    Public(VerifyingKey),
    /// By an HMAC; replies are signed with the same secret.
    Shared {
        /// Checks requests.
        verifying: VerifyingKey,
        /// Signs replies.
        signing: SigningKey,
    },
    /// By a secret text with this keyed hash (HMAC-SHA256). Only a sandbox takes such keys.
    Bearer([u8; 32]),
}

impl RegisteredKey {
    /// The key that checks its requests; a bearer key has none.
    pub fn verifying(&self) -> Option<&VerifyingKey> {
        match &self.credential {
            Credential::Public(verifying) | Credential::Shared { verifying, .. } => Some(verifying),
            Credential::Bearer(_) => None,
        }
    }

    /// Whether it counts: neither revoked nor past the end that its replacement has set.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.terms.valid_until.is_none_or(|until| until > now)
    }

    /// Notes that it was used, by the day. Nothing is written: see
    /// [`KeyRegistry::note_uses`](crate::KeyRegistry::note_uses).
    pub fn used(&self, now: Timestamp) {
        let day = now.micros() - now.micros().rem_euclid(DAY);
        if self.last_used_on.load(Ordering::Relaxed) < day {
            self.last_used_on.fetch_max(day, Ordering::Relaxed);
        }
    }

    /// The day on which it was last used, as its first moment (UTC).
    pub fn last_used_on(&self) -> Option<Timestamp> {
        let day = self.last_used_on.load(Ordering::Relaxed);
        (day > 0).then_some(Timestamp::from_micros(day))
    }

    /// The algorithm's registered name, or `bearer`.
    pub fn algorithm(&self) -> &'static str {
        self.verifying()
            .map_or(BEARER, |key| key.algorithm().name())
    }

    /// The key of a row with the terms that count, which are the `version`-th.
    pub(crate) fn from_row(
        row: &SigningKeyRow,
        (version, terms): (i64, Terms),
        keyring: &Keyring,
    ) -> Result<Self, Error> {
        let damaged = |reason: String| Error::KeyDamaged {
            key_id: row.key_id.clone(),
            reason,
        };
        Ok(Self {
            id: row.key_id.clone(),
            tenant: row.tenant.clone(),
            scopes: Scopes::parse(&row.scopes).map_err(|error| damaged(error.to_string()))?,
            credential: Credential::read(row, keyring)
                .map_err(|error| damaged(error.to_string()))?,
            description: row.description.clone(),
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            last_used_on: AtomicI64::new(terms.last_used_on.map_or(0, Timestamp::micros)),
            terms,
            terms_version: version,
        })
    }
}

/// The part of a key that is stored.
pub(crate) struct Material {
    pub(crate) algorithm: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sealed: bool,
}

impl Material {
    pub(crate) fn public(key: &VerifyingKey) -> Result<Self, Error> {
        let bytes = key.public_spki_der()?;
        Ok(Self {
            algorithm: key.algorithm().name().to_owned(),
            bytes,
            sealed: false,
        })
    }

    pub(crate) fn shared(key_id: &str, secret: &[u8], keyring: &Keyring) -> Result<Self, Error> {
        let bytes = keyring.seal(SEAL_PURPOSE, key_id.as_bytes(), secret)?;
        let algorithm = SignatureAlgorithm::HmacSha256.name().to_owned();
        Ok(Self {
            algorithm,
            bytes,
            sealed: true,
        })
    }

    pub(crate) fn bearer(hash: [u8; 32]) -> Self {
        Self {
            algorithm: BEARER.to_owned(),
            bytes: hash.to_vec(),
            sealed: false,
        }
    }
}

impl Credential {
    fn read(row: &SigningKeyRow, keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        let unreadable = |detail| paywarden_crypto::Error::KeyRefused { detail };
        if row.algorithm == BEARER {
            let hash = row.material.as_slice().try_into();
            return hash
                .map(Self::Bearer)
                .map_err(|_| unreadable("not a hash of 32 bytes"));
        }
        let algorithm = SignatureAlgorithm::parse(&row.algorithm)
            .ok_or_else(|| unreadable("its algorithm is not known"))?;
        if algorithm != SignatureAlgorithm::HmacSha256 {
            return VerifyingKey::from_public(algorithm, &row.material).map(Self::Public);
        }
        let secret = keyring.open(SEAL_PURPOSE, row.key_id.as_bytes(), &row.material)?;
        Ok(Self::Shared {
            verifying: VerifyingKey::from_secret(&secret)?,
            signing: SigningKey::from_secret(&secret)?,
        })
    }
}
