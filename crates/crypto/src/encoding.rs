//! How keys are written down: PEM (RFC 7468) and the little DER that aws-lc-rs does not read.

use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::borrow::Cow;
use zeroize::{Zeroize, Zeroizing};

/// The longest key file, in bytes; an RSA key of 8192 bits in PEM has about 6,400.
pub(crate) const KEY_BYTES_MAX: usize = 16 * 1024;

/// The DER inside a key file: the decoded body if it is PEM, the bytes themselves if not.
pub(crate) fn der(key: &[u8]) -> Result<Der<'_>, Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(Error::KeyRefused {
            detail: "a key has at most 16384 bytes",
        });
    }
    match std::str::from_utf8(key) {
        Ok(text) if text.trim_start().starts_with("-----BEGIN ") => {
            pem_body(text).map(|body| Der(Cow::Owned(body)))
        }
        _ => Ok(Der(Cow::Borrowed(key))),
    }
}

/// DER bytes, zeroed when dropped if they were decoded here.
pub(crate) struct Der<'a>(Cow<'a, [u8]>);

impl Der<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Der<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(bytes) = &mut self.0 {
            bytes.zeroize();
        }
    }
}

/// Bytes as PEM under a label, 64 characters to the line.
pub(crate) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() * 66 / 64 + 80));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The `privateKey` inside a PKCS#8 `PrivateKeyInfo` (RFC 5958): version, algorithm, octets.
///
/// aws-lc-rs refuses RSA keys marked as usable for PSS only (id-RSASSA-PSS), as in RFC 9421
/// B.1.2; what they wrap is a plain PKCS#1 key.
pub(crate) fn pkcs8_inner(der: &[u8]) -> Option<&[u8]> {
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    const SEQUENCE: u8 = 0x30;
    let (info, _) = der_value(der, SEQUENCE)?;
    let (_, rest) = der_value(info, INTEGER)?;
    let (_, rest) = der_value(rest, SEQUENCE)?;
    der_value(rest, OCTETS).map(|(octets, _)| octets)
}

/// One DER value with this tag and a length of up to three bytes, and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (
                digits
                    .iter()
                    .fold(0, |length, digit| length << 8 | usize::from(*digit)),
                rest,
            )
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn pem_body(text: &str) -> Result<Vec<u8>, Error> {
    let refused = |detail| Error::KeyRefused { detail };
    let between = text
        .trim_start()
        .strip_prefix("-----BEGIN ")
        .and_then(|rest| rest.split_once("-----"))
        .and_then(|(label, rest)| Some((label, rest.split_once("-----END ")?.0)));
    let (label, body) = between.ok_or_else(|| refused("the PEM has no end"))?;
    if !label.ends_with("PUBLIC KEY") && !label.ends_with("PRIVATE KEY") {
        return Err(refused("the PEM holds something other than a key"));
    }
    if label.starts_with("ENCRYPTED") {
        return Err(refused("the private key is encrypted: decrypt it first"));
    }
    let compact: Zeroizing<Vec<u8>> = Zeroizing::new(
        body.bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
    );
    STANDARD
        .decode(&*compact)
        .map_err(|_| refused("the PEM is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pem_of_other_things_is_refused_by_name() {
        for (text, wanted) in [
            (
                "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
                "something other",
            ),
            ("-----BEGIN PUBLIC KEY-----\nAA==", "no end"),
            (
                "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
                "not base64",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----",
                "encrypted",
            ),
        ] {
            let refusal = der(text.as_bytes()).err().unwrap().to_string();
            assert!(refusal.contains(wanted), "{refusal}");
        }
        assert!(der(&[0; KEY_BYTES_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn pem_round_trips(bytes: Vec<u8>) {
            let text = pem("PUBLIC KEY", &bytes);
            prop_assert!(der(text.as_bytes()).unwrap().bytes() == bytes);
            let squeezed = text.replace('\n', " ");
            prop_assert!(der(squeezed.as_bytes()).unwrap().bytes() == bytes);
        }

        #[test]
        fn der_never_panics(bytes: Vec<u8>) {
            let _ = pkcs8_inner(&bytes);
        }
    }
}
