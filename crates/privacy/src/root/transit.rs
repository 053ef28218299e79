//! A key in a service with the transit API of Vault and OpenBao: `encrypt` and `decrypt` with
//! associated data, over HTTPS, or over HTTP on this very machine. One short connection for each
//! call: there are few.

use super::RootError;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header::CONTENT_TYPE};
use paywarden_outward::{Client, Error, Limits, Reach, Roots};
use serde::Deserialize;
use std::{fs, io, path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// How long one call may take, connecting included.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What a sealed value of such a service begins with.
const SEALED_PREFIX: &str = "vault:v";
const TOKEN_HEADER: &str = "x-vault-token";

/// A key of a service.
pub struct Transit {
    /// Where the engine is mounted, such as `https://kms.example:8200/v1/transit`.
    url: Uri,
    key: String,
    /// Read anew for each call: such tokens are renewed.
    token_file: PathBuf,
    client: Client,
    reach: Reach,
}

/// What the service says.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    ciphertext: String,
    #[serde(default)]
    plaintext: Zeroizing<String>,
}

impl Transit {
    /// The key with this name of the engine at `url`; our token is in a file. A service that is not
    /// on this machine is asked over HTTPS, and its certificate held against `ca_pem`.
    pub fn new(
        url: &str,
        key: &str,
        token_file: PathBuf,
        ca_pem: Option<&[u8]>,
    ) -> Result<Self, RootError> {
        let wrong = |why: &str| RootError::File(why.to_owned());
        let url: Uri = url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| wrong("no address"))?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if key.is_empty() || !key.bytes().all(is_name) {
            return Err(wrong("a key has a name of letters, digits, - _ ."));
        }
        let reach = Reach::anywhere();
        let place = reach
            .place(&url)
            .map_err(|_| wrong("the service is asked over https, or over http on this machine"))?;
        let roots = match (place.is_tls, ca_pem) {
            (true, None) => return Err(wrong("name the authorities of the service: transit_ca")),
            (_, Some(pem)) => Roots::Pem(pem),
            (false, None) => Roots::Native,
        };
        let limits = Limits {
            step_max: CALL_TIMEOUT,
            whole_max: CALL_TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
            redirects_max: 0,
        };
        let client = Client::new(roots, limits);
        let client = client.map_err(|error| wrong(&format!("transit_ca: {error}")))?;
        let key = key.to_owned();
        Ok(Self {
            url,
            key,
            token_file,
            client,
            reach,
        })
    }

    /// What it is.
    pub fn name(&self) -> String {
        format!("transit {}/keys/{}", self.url, self.key)
    }

    pub(super) async fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, RootError> {
        let body = serde_json::json!({
            "plaintext": STANDARD.encode(plain), "associated_data": STANDARD.encode(place),
        });
        let answer = self
            .call("encrypt", &Zeroizing::new(body.to_string()))
            .await?;
        match answer.ciphertext.starts_with(SEALED_PREFIX) {
            true => Ok(answer.ciphertext.into_bytes()),
            false => Err(RootError::Refused(
                "its answer holds nothing sealed".to_owned(),
            )),
        }
    }

    pub(super) async fn open(
        &self,
        place: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        let sealed = std::str::from_utf8(sealed).map_err(|_| RootError::Damaged)?;
        if !sealed.starts_with(SEALED_PREFIX) {
            return Err(RootError::Damaged);
        }
        let body = serde_json::json!({
            "ciphertext": sealed, "associated_data": STANDARD.encode(place),
        });
        let answer = self.call("decrypt", &body.to_string()).await?;
        let plain = STANDARD.decode(answer.plaintext.as_bytes());
        plain.map(Zeroizing::new).map_err(|_| RootError::Damaged)
    }

    async fn call(&self, what: &str, body: &str) -> Result<Data, RootError> {
        let answered = self
            .client
            .send(self.request(what, body)?, &self.reach)
            .await;
        let answer = answered.map_err(|error| match error {
            Error::Address => RootError::File("not the name of a server".to_owned()),
            Error::Late => RootError::Gone("no answer within three seconds".to_owned()),
            error => RootError::Gone(error.to_string()),
        })?;
        let status = answer.status();
        let answer = Zeroizing::new(answer.into_body().to_vec());
        let said = |what: &str| format!("{what}: status {}", status.as_u16());
        match status {
            StatusCode::OK => {
                let answer: Result<Answer, _> = serde_json::from_slice(&answer);
                let answer = answer.map_err(|_| RootError::Refused(said("not an answer")))?;
                Ok(answer.data)
            }
            // What does not open is answered like what was asked wrongly.
            StatusCode::BAD_REQUEST if what == "decrypt" => Err(RootError::Damaged),
            // Sealed, or a standby.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(RootError::Gone(said("it is not ready")))
            }
            status if status.is_server_error() => Err(RootError::Gone(said("it failed"))),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                Err(RootError::Refused(said("our token may not")))
            }
            _ => Err(RootError::Refused(said("it does not do this"))),
        }
    }

    fn request(&self, what: &str, body: &str) -> Result<Request<Bytes>, RootError> {
        let unreadable =
            |error: io::Error| RootError::File(format!("{}: {error}", self.token_file.display()));
        let token = Zeroizing::new(fs::read_to_string(&self.token_file).map_err(unreadable)?);
        let wrong = || RootError::File("the token of the service is no header".to_owned());
        let mut token = HeaderValue::from_str(token.trim()).map_err(|_| wrong())?;
        token.set_sensitive(true);
        let url = self.url.to_string();
        Request::builder()
            .method(Method::POST)
            .uri(format!("{}/{what}/{}", url.trim_end_matches('/'), self.key))
            .header(CONTENT_TYPE, "application/json")
            .header(TOKEN_HEADER, token)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_with_authorities_and_this_machine_are_asked() {
        let make = |url: &str, key: &str, ca: Option<&[u8]>| {
            Transit::new(url, key, PathBuf::from("token"), ca).err()
        };
        assert_eq!(
            make("http://127.0.0.1:8200/v1/transit/", "paywarden", None),
            None
        );
        for (url, key, ca) in [
            ("https://kms.example/v1/transit", "k", None),
            (
                "https://kms.example/v1/transit",
                "k",
                Some(&b"no certificate"[..]),
            ),
            ("http://kms.example/v1/transit", "k", None),
            ("http://127.0.0.2/v1/transit", "k", None),
            ("ftp://localhost/v1/transit", "k", None),
            ("/v1/transit", "k", None),
            ("http://localhost/v1/transit", "", None),
            ("http://localhost/v1/transit", "../sys/seal", None),
        ] {
            assert!(make(url, key, ca).is_some(), "{url} {key}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_gone_and_what_is_no_sealed_value_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "secret\n").unwrap();
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = format!("http://127.0.0.1:{port}/v1/transit");
        let transit = Transit::new(&url, "paywarden", file, None).unwrap();
        let gone = transit.seal("place", b"plain").await;
        assert!(matches!(gone, Err(RootError::Gone(_))), "{gone:?}");
        for sealed in [&b"other"[..], b"", &[0xff]] {
            let opened = transit.open("place", sealed).await.err();
            assert_eq!(opened, Some(RootError::Damaged));
        }
    }
}
