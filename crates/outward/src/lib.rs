//! The one client of other people's servers: little that they say is believed, and nobody inside is
//! asked unless that is meant.
//!
//! A [`Client`] sends one request on one connection: to an address that was checked after its name
//! was looked up, over TLS 1.2 or 1.3 that is held against the name, within limits on time, bytes
//! and redirects. What may be asked says a [`Reach`]: public addresses over HTTPS, and beside them
//! the networks that an operator names; plain HTTP goes to this very machine alone, if it is named.
//!
//! ```
//! use bytes::Bytes;
//! use paywarden_outward::{Client, Error, Limits, Reach, Roots};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Roots::Native, Limits::default())?;
//! let request = http::Request::get("https://169.254.169.254/latest/meta-data").body(Bytes::new())?;
//! let refused = client.send(request, &Reach::public()).await;
//! assert!(matches!(refused, Err(Error::Inside)));
//! # Ok(())
//! # }
//! ```

mod exchange;
mod reach;
mod roots;
pub mod scan;

pub use reach::{Place, Reach};
pub use roots::{Roots, RootsError};

use bytes::Bytes;
use exchange::{connect, send};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Uri,
    header::{LOCATION, USER_AGENT},
};
use std::{fmt, io, time::Duration};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Within which a request is answered or given up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take until the connection stands, its TLS handshake included; and then until
    /// the answer begins.
    pub step_max: Duration,
    /// How long all of it may take, redirects included.
    pub whole_max: Duration,
    /// The longest body of an answer, in bytes.
    pub answer_bytes_max: usize,
    /// How many redirects of a `GET` are followed, each held to the same reach; without any, and for
    /// other methods, a redirect is an answer.
    pub redirects_max: u8,
}

impl Default for Limits {
    /// Five seconds, 64 KiB, no redirect.
    fn default() -> Self {
        let time = Duration::from_secs(5);
        Self {
            step_max: time,
            whole_max: time,
            answer_bytes_max: 64 * 1024,
            redirects_max: 0,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no address that may be asked: not HTTPS, or not well formed.
    #[error("the address is not one that may be asked")]
    Address,
    /// It lies in a private network that was not named.
    #[error("the address lies in a private network")]
    Inside,
    /// It took too long.
    #[error("no answer in time")]
    Late,
    /// There is no connection; a certificate that does not hold is also that.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// What was said is not HTTP, or broke off.
    #[error("the answer broke off: {0}")]
    Answer(String),
    /// More was said than is taken.
    #[error("the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// So much is taken.
        bytes_max: usize,
    },
    /// It was redirected too often.
    #[error("redirected too often")]
    Redirects,
}

/// Asks servers. Clones share their roots.
#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
    limits: Limits,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = &self.limits;
        f.debug_struct("Client")
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that trusts these authorities. Error: one of them is not a certificate.
    pub fn new(roots: Roots<'_>, limits: Limits) -> Result<Self, RootsError> {
        let tls = roots.connector()?;
        Ok(Self { tls, limits })
    }

    /// Sends a request with an absolute URI, and reads the whole answer, whatever its status.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        reach: &Reach,
    ) -> Result<Response<Bytes>, Error> {
        let whole = timeout(self.limits.whole_max, self.follow(request, reach)).await;
        whole.unwrap_or(Err(Error::Late))
    }

    async fn follow(
        &self,
        mut request: Request<Bytes>,
        reach: &Reach,
    ) -> Result<Response<Bytes>, Error> {
        let headers = request.headers_mut();
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static("paywarden"));
        let redirects_max = match *request.method() {
            Method::GET => self.limits.redirects_max,
            _ => 0,
        };
        for _ in 0..=redirects_max {
            let response = self.ask(request.clone(), reach).await?;
            let moved = response.status().is_redirection() && redirects_max > 0;
            match response.headers().get(LOCATION).filter(|_| moved) {
                Some(place) => move_to(&mut request, place)?,
                None => return Ok(response),
            }
        }
        Err(Error::Redirects)
    }

    async fn ask(&self, request: Request<Bytes>, reach: &Reach) -> Result<Response<Bytes>, Error> {
        let place = reach.place(request.uri())?;
        let step_max = self.limits.step_max;
        let connected = timeout(step_max, connect(&place, reach, &self.tls)).await;
        let stream = connected.map_err(|_| Error::Late)??;
        send(stream, request, (step_max, self.limits.answer_bytes_max)).await
    }
}

/// Points a request to where it was redirected. Secrets stay with whom they were meant for.
fn move_to(request: &mut Request<Bytes>, place: &HeaderValue) -> Result<(), Error> {
    let place = place.to_str().map_err(|_| Error::Address)?;
    let to = absolute(request.uri(), place)?;
    if to.authority() != request.uri().authority() {
        let kept = request.headers().iter();
        let kept = kept.filter(|(_, value)| !value.is_sensitive());
        let kept: HeaderMap = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        *request.headers_mut() = kept;
    }
    *request.uri_mut() = to;
    Ok(())
}

/// Where a redirect leads, seen from where it was said: an absolute address or an absolute path.
fn absolute(from: &Uri, place: &str) -> Result<Uri, Error> {
    let scheme = from.scheme_str().ok_or(Error::Address)?;
    let authority = from.authority().ok_or(Error::Address)?;
    let text = match (place.strip_prefix("//"), place.starts_with('/')) {
        (Some(rest), _) => format!("{scheme}://{rest}"),
        (None, true) => format!("{scheme}://{authority}{place}"),
        (None, false) => place.to_owned(),
    };
    text.parse().map_err(|_| Error::Address)
}
