//! `Content-Digest` (RFC 9530): ties a body to the header that a signature covers.

use crate::{Error, structured};
use aws_lc_rs::{
    constant_time,
    digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The field name.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// The value of `Want-Content-Digest` in a refusal.
pub const WANTED: HeaderValue = HeaderValue::from_static("sha-256=10");
/// The longest `Content-Digest`, all lines together, in bytes.
pub const CONTENT_DIGEST_BYTES_MAX: usize = 1024;

/// The digest of a body as a field value: `sha-256=:…:`.
pub fn content_digest(body: &[u8]) -> Result<HeaderValue, Error> {
    let mut value = String::with_capacity(54);
    value.push_str("sha-256=:");
    STANDARD.encode_string(digest(&SHA256, body), &mut value);
    value.push(':');
    HeaderValue::try_from(value).map_err(|_| Error::Library)
}

/// SHA-256 (FIPS 180-4) of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// SHA-1 (FIPS 180-4) of some bytes. For looking things up in published lists of hashes only: it
/// is no longer a secure hash.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    hash
}

/// Checks a body against the `Content-Digest` of its message.
///
/// Every sha-256 and sha-512 given must match, and there must be one. Other algorithms never
/// count: md5, sha, unixsum, unixcksum, adler and crc32c are broken or no hashes at all
/// (RFC 9530 section 5), and a message with nothing better is [`Error::DigestMissing`].
pub fn verify_content_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
    let lines = headers.get_all(&CONTENT_DIGEST);
    if lines.iter().map(HeaderValue::len).sum::<usize>() > CONTENT_DIGEST_BYTES_MAX {
        let detail = format!("at most {CONTENT_DIGEST_BYTES_MAX} bytes");
        return Err(Error::DigestMalformed { detail });
    }
    let given = structured::byte_sequences(lines).map_err(|error| Error::DigestMalformed {
        detail: error.to_string(),
    })?;
    let mut checked = false;
    for (name, expected) in &given {
        let Some(algorithm) = accepted(name) else {
            continue;
        };
        constant_time::verify_slices_are_equal(digest(algorithm, body).as_ref(), expected)
            .map_err(|_| Error::DigestMismatch)?;
        checked = true;
    }
    if checked {
        Ok(())
    } else {
        Err(Error::DigestMissing)
    }
}

fn accepted(name: &str) -> Option<&'static Algorithm> {
    match name {
        "sha-256" => Some(&SHA256),
        "sha-512" => Some(&SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = b"{\"hello\": \"world\"}";
    const SHA_256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    const SHA_512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7\
                           BNNyealdVLvRwEmTHWXvJwew==:";
    const MD5: &str = "md5=:Sd/dVLAcvNLSq16eXua5uQ==:";

    fn check(lines: &[&str], body: &[u8]) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_DIGEST, line.parse().unwrap());
        }
        verify_content_digest(&headers, body)
    }

    #[test]
    fn the_digest_of_rfc_9530_is_made_and_accepted() {
        assert_eq!(content_digest(BODY).unwrap(), SHA_256);
        for lines in [
            &[SHA_256][..],
            &[SHA_512],
            &[SHA_256, SHA_512],
            &[MD5, SHA_256],
        ] {
            check(lines, BODY).unwrap();
        }
    }

    #[test]
    fn a_changed_body_or_one_wrong_digest_of_two_is_a_mismatch() {
        assert!(matches!(
            check(&[SHA_256], b"{}"),
            Err(Error::DigestMismatch)
        ));
        let truncated = "sha-512=:WZDPaVn/:";
        assert!(matches!(
            check(&[SHA_256, truncated], BODY),
            Err(Error::DigestMismatch)
        ));
    }

    #[test]
    fn broken_hashes_count_as_none() {
        for lines in [&[][..], &[MD5], &["crc32c=:AAAAAA==:, unixsum=:AA==:"]] {
            assert!(matches!(check(lines, BODY), Err(Error::DigestMissing)));
        }
    }

    #[test]
    fn what_is_not_a_dictionary_of_bytes_is_malformed() {
        let long = format!("x=:{}:", "AAAA".repeat(300));
        for line in [
            "sha-256=abc",
            "sha-256",
            "sha-256=(:AA==:)",
            "=",
            &format!("{SHA_256},"),
            &long,
        ] {
            assert!(
                matches!(check(&[line], BODY), Err(Error::DigestMalformed { .. })),
                "{line}"
            );
        }
        assert!(matches!(
            check(&[SHA_256, SHA_256], BODY),
            Err(Error::DigestMalformed { .. })
        ));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(line: Vec<u8>, body: Vec<u8>) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                headers.append(CONTENT_DIGEST, value);
            }
            prop_assert!(verify_content_digest(&headers, &body).is_err());
        }

        #[test]
        fn what_we_make_we_accept(body: Vec<u8>) {
            let mut headers = HeaderMap::new();
            headers.append(CONTENT_DIGEST, content_digest(&body).unwrap());
            prop_assert!(verify_content_digest(&headers, &body).is_ok());
        }
    }
}
