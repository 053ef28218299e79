//! Asking a provider over HTTPS: one request, no redirect, few bytes, little time.

use http::{
    HeaderValue, Request, Response, Uri,
    header::{CONTENT_LENGTH, HOST},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use openidconnect::AsyncHttpClient;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{io, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// How long one request may take, connecting included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why a provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    /// It took too long.
    #[error("no answer within five seconds")]
    Timeout,
    /// Nothing is asked there.
    #[error("the address is neither HTTPS nor on this machine")]
    Address,
    /// The connection failed.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// The answer is not HTTP, or is too long.
    #[error("{0}")]
    Answer(String),
}

/// A client that trusts some authorities.
#[derive(Clone)]
pub(super) struct Http(TlsConnector);

impl Http {
    /// Trusts these authorities, or those of the machine.
    pub(super) fn new(ca_pem: Option<&[u8]>) -> Result<Self, &'static str> {
        let mut roots = RootCertStore::empty();
        match ca_pem {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let added = certificate.ok().and_then(|one| roots.add(one).ok());
                    added.ok_or("its authorities are not certificates in PEM")?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| "TLS cannot be set up")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Silence> {
        let (host, port) = place(request.uri())?;
        let is_tls = request.uri().scheme_str() == Some("https");
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        if !is_tls {
            return send(stream, request).await;
        }
        let name = ServerName::try_from(host).map_err(|_| Silence::Address)?;
        send(self.0.connect(name, stream).await?, request).await
    }
}

/// Sends a request, and reads the whole answer.
impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Silence;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Silence>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(async {
            let answer = timeout(REQUEST_TIMEOUT, self.exchange(request)).await;
            answer.unwrap_or(Err(Silence::Timeout))
        })
    }
}

/// Whether an address may be asked: over HTTPS, or over HTTP on this very machine.
pub(super) fn may_ask(address: &str) -> bool {
    address.parse().is_ok_and(|uri: Uri| place(&uri).is_ok())
}

fn place(uri: &Uri) -> Result<(String, u16), Silence> {
    let host = uri.host().ok_or(Silence::Address)?.trim_matches(['[', ']']);
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "::1");
    let port = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") if is_here => 80,
        _ => return Err(Silence::Address),
    };
    Ok((host.to_owned(), uri.port_u16().unwrap_or(port)))
}

async fn send<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, Silence> {
    let wrong = |error: &dyn std::fmt::Display| Silence::Answer(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| wrong(&error))?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let (mut head, body) = request.into_parts();
        let authority = head.uri.authority().ok_or(Silence::Address)?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Silence::Address)?;
        head.headers.insert(HOST, host);
        head.headers.insert(CONTENT_LENGTH, body.len().into());
        let path = head.uri.path_and_query().cloned();
        head.uri = path.map_or_else(Uri::default, Uri::from);
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(|error| wrong(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| wrong(&error))?.to_bytes().to_vec();
        Ok(Response::from_parts(head, body))
    };
    let answer = answer.await;
    driver.abort();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for address in [
            "https://login.example.com/a",
            "http://127.0.0.1:4011/b",
            "http://localhost/",
            "https://[::1]:1/",
        ] {
            assert!(may_ask(address), "{address}");
        }
        for address in [
            "http://login.example.com",
            "ftp://localhost",
            "/token",
            "",
            "http://127.0.0.2",
        ] {
            assert!(!may_ask(address), "{address}");
        }
    }
}
