//! What holds of a key beside its signature: where from, with which certificate, until when.

use crate::{Error, Network};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// The most networks of one key.
pub const NETWORKS_MAX: usize = 64;
/// The longest overlap of a key and the one that replaces it, in microseconds.
pub const OVERLAP_MAX: i64 = 30 * DAY;

/// The kind of record that holds the terms of keys.
pub(crate) const TERMS: &str = "key";

/// The SHA-256 of a client certificate (DER), 64 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateHash([u8; 32]);

impl CertificateHash {
    /// The hash of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(paywarden_crypto::digest::sha256(der))
    }
}

impl FromStr for CertificateHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not the SHA-256 of a certificate: 64 hexadecimal digits";
        // As `openssl x509 -fingerprint` prints it, too.
        let digits: Vec<char> = text.chars().filter(|letter| *letter != ':').collect();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return Err(WRONG);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
            let value = pair.iter().try_fold(0, |value, digit| {
                digit.to_digit(16).map(|digit| 16 * value + digit)
            });
            *byte = value
                .and_then(|value| u8::try_from(value).ok())
                .ok_or(WRONG)?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for CertificateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TryFrom<String> for CertificateHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CertificateHash> for String {
    fn from(hash: CertificateHash) -> Self {
        hash.to_string()
    }
}

/// Terms of a key. Each change is a version of its own in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Where requests may come from; from anywhere if empty.
    pub networks: Vec<Network>,
    /// The certificate that the connection must show, if any.
    pub certificate: Option<CertificateHash>,
    /// From when on the key no longer counts, because another one has taken its place.
    pub valid_until: Option<Timestamp>,
    /// The key that has taken its place.
    pub replaced_by: Option<String>,
    /// The day (UTC) on which it was last used, as its first moment.
    pub last_used_on: Option<Timestamp>,
}

/// Why a request whose signature is right is refused all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// It does not come from where it may.
    Network,
    /// Its connection does not show the certificate.
    Certificate,
}

impl Terms {
    /// Whether a request over such a connection keeps to them.
    pub fn check(
        &self,
        address: IpAddr,
        certificate: Option<CertificateHash>,
    ) -> Result<(), Breach> {
        let from_here = |network: &Network| network.contains(address);
        if !self.networks.is_empty() && !self.networks.iter().any(from_here) {
            return Err(Breach::Network);
        }
        match self.certificate {
            Some(bound) if certificate != Some(bound) => Err(Breach::Certificate),
            _ => Ok(()),
        }
    }

    pub(crate) fn check_limits(&self) -> Result<(), Error> {
        match self.networks.len() <= NETWORKS_MAX {
            true => Ok(()),
            false => Err(Error::TooManyNetworks),
        }
    }
}

/// The next version of the terms of a key.
pub(crate) fn terms_row(
    tenant: &TenantId,
    id: &str,
    version: i64,
    written_at: Timestamp,
    terms: &Terms,
) -> Result<Row, Error> {
    let body = serde_json::to_vec(terms).map_err(|error| Error::KeyDamaged {
        key_id: id.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Row::Record(RecordRow {
        tenant: tenant.clone(),
        kind: TERMS.to_owned(),
        id: id.to_owned(),
        version,
        written_at,
        body,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_back_from_json_and_nonsense_does_not() {
        let hash = CertificateHash::of(b"certificate");
        let terms = Terms {
            networks: vec!["10.0.0.0/8".parse().unwrap()],
            certificate: Some(hash),
            ..Terms::default()
        };
        let json = serde_json::to_string(&terms).unwrap();
        assert_eq!(serde_json::from_str::<Terms>(&json).unwrap(), terms);
        for wrong in [r#"{"networks":["10.0.0.1/8"]}"#, r#"{"certificate":"ab"}"#] {
            assert!(serde_json::from_str::<Terms>(wrong).is_err(), "{wrong}");
        }
        let printed = hash.to_string().to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|n| &printed[2 * n..2 * n + 2]).collect();
        assert_eq!(pairs.join(":").parse(), Ok(hash));
        assert!("+1".repeat(32).parse::<CertificateHash>().is_err());
    }

    #[test]
    fn both_terms_hold_and_the_network_is_told_first() {
        let hash = CertificateHash::of(b"certificate");
        let terms = Terms {
            networks: vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
            certificate: Some(hash),
            ..Terms::default()
        };
        let [inside, outside] = ["10.9.9.9", "11.0.0.1"].map(|text| text.parse().unwrap());
        assert_eq!(terms.check(inside, Some(hash)), Ok(()));
        assert_eq!(terms.check(outside, Some(hash)), Err(Breach::Network));
        assert_eq!(terms.check(inside, None), Err(Breach::Certificate));
        let other = Some(CertificateHash::of(b"other"));
        assert_eq!(terms.check(inside, other), Err(Breach::Certificate));
        assert_eq!(Terms::default().check(outside, None), Ok(()));
    }
}
