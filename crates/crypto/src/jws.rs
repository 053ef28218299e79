//! Statements that travel alone with their signature: JWS in compact form (RFC 7515) by Ed25519
//! (RFC 8037).
//!
//! The header is fixed by whoever signs and compared byte by byte by whoever verifies: no message
//! chooses an algorithm or a key.

use crate::{Error, SigningKey, VerifyingKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// What a statement says of itself beside the algorithm: printable ASCII without quotes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Header<'h> {
    /// Which key signed.
    pub kid: Option<&'h str>,
    /// What kind of statement it is.
    pub typ: Option<&'h str>,
}

impl Header<'_> {
    fn encoded(self) -> Result<String, Error> {
        let mut text = r#"{"alg":"EdDSA""#.to_owned();
        for (name, value) in [("kid", self.kid), ("typ", self.typ)] {
            let Some(value) = value else { continue };
            let plain = |byte: u8| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\');
            if !value.bytes().all(plain) {
                return Err(Error::KeyRefused {
                    detail: "a header has printable characters without quotes",
                });
            }
            text.push_str(&format!(r#","{name}":"{value}""#));
        }
        text.push('}');
        Ok(URL_SAFE_NO_PAD.encode(text))
    }
}

/// Signs a payload with an Ed25519 key.
///
/// ```
/// use paywarden_crypto::{SigningKey, jws};
///
/// let key = SigningKey::from_seed(&[7; 32])?;
/// let header = jws::Header { kid: Some("receipts"), typ: None };
/// let signed = jws::sign(&key, header, b"{}")?;
/// let read = jws::verify(&key.verifying_key()?, header, &signed)?;
/// assert_eq!(read.as_deref(), Some(&b"{}"[..]));
/// # Ok::<(), paywarden_crypto::Error>(())
/// ```
pub fn sign(key: &SigningKey, header: Header<'_>, payload: &[u8]) -> Result<String, Error> {
    let mut text = header.encoded()?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// The payload, if the statement has this very header and was signed with this key.
pub fn verify(
    key: &VerifyingKey,
    header: Header<'_>,
    text: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let header = header.encoded()?;
    let Some((signed, signature)) = text.rsplit_once('.') else {
        return Ok(None);
    };
    let payload = signed
        .strip_prefix(&header)
        .and_then(|rest| rest.strip_prefix('.'));
    let signature = URL_SAFE_NO_PAD.decode(signature).ok();
    Ok(payload.zip(signature).and_then(|(payload, signature)| {
        let is_genuine = key.verify(signed.as_bytes(), &signature);
        is_genuine.then(|| URL_SAFE_NO_PAD.decode(payload).ok())?
    }))
}

/// The `x` of the public key as a JWK (RFC 8037, section 2).
pub fn jwk_x(key: &SigningKey) -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(key.ed25519_public()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.
    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn key() -> SigningKey {
        let seed: [u8; 32] = URL_SAFE_NO_PAD.decode(SEED).unwrap().try_into().unwrap();
        SigningKey::from_seed(&seed).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8037_comes_out_to_the_byte() {
        let key = key();
        assert_eq!(jwk_x(&key).unwrap(), PUBLIC);
        let payload = b"Example of Ed25519 signing";
        let signed = sign(&key, Header::default(), payload).unwrap();
        assert_eq!(signed, SIGNED);
        let public = key.verifying_key().unwrap();
        let read = verify(&public, Header::default(), SIGNED).unwrap();
        assert_eq!(read.unwrap(), payload);
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        let public = key().verifying_key().unwrap();
        let header = Header::default();
        for place in 0..SIGNED.len() {
            let mut bytes = SIGNED.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(verify(&public, header, &text).unwrap(), None, "{place}");
        }
        // The header of another algorithm, and of another kind of statement.
        let none = format!("eyJhbGciOiJub25lIn0{}", &SIGNED[20..]);
        assert_eq!(verify(&public, header, &none).unwrap(), None);
        let named = Header {
            typ: Some("receipt"),
            ..header
        };
        assert_eq!(verify(&public, named, SIGNED).unwrap(), None);
        for text in ["", ".", "..", "a.b"] {
            assert_eq!(verify(&public, header, text).unwrap(), None);
        }
        let crooked = Header {
            kid: Some("a\"b"),
            typ: None,
        };
        assert!(sign(&key(), crooked, b"").is_err());
    }
}
