//! Asking a provider: over HTTPS, or over HTTP on this very machine; one request, no redirect, few
//! bytes, little time.

use http::{Request, Response};
use openidconnect::AsyncHttpClient;
use paywarden_outward::{Client, Error, Limits, Reach, Roots, RootsError};
use std::pin::Pin;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// A client that trusts some authorities.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    reach: Reach,
}

impl Http {
    /// Trusts these authorities, or those of the machine.
    pub(super) fn new(ca_pem: Option<&[u8]>) -> Result<Self, &'static str> {
        let limits = Limits {
            answer_bytes_max: ANSWER_BYTES_MAX,
            ..Limits::default()
        };
        let client = Client::new(ca_pem.map_or(Roots::Native, Roots::Pem), limits);
        let client = client.map_err(|error| match error {
            RootsError::Malformed => "its authorities are not certificates in PEM",
            RootsError::None => "its authorities are none",
            RootsError::Tls => "TLS cannot be set up",
        })?;
        let reach = Reach::anywhere();
        Ok(Self { client, reach })
    }
}

/// Sends a request, and reads the whole answer.
impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Error>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(async {
            let answer = self
                .client
                .send(request.map(Into::into), &self.reach)
                .await?;
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

/// Whether an address may be asked.
pub(super) fn may_ask(address: &str) -> bool {
    Reach::anywhere().allows(address)
}
