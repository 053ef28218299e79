//! One connection, one request, one answer.

use crate::{Error, Place, Reach};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, Uri,
    header::{CONTENT_LENGTH, HOST},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// A connection, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Connects to one of the addresses that were checked; TLS is held against the name.
pub(crate) async fn connect(
    place: &Place,
    reach: &Reach,
    tls: &TlsConnector,
) -> Result<Box<dyn Stream>, Error> {
    let socket = first(&reach.addresses(place).await?).await?;
    socket.set_nodelay(true)?;
    if !place.is_tls {
        return Ok(Box::new(socket));
    }
    let name = ServerName::try_from(place.host.clone()).map_err(|_| Error::Address)?;
    Ok(Box::new(tls.connect(name, socket).await?))
}

/// The first address where somebody listens.
async fn first(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed.into())
}

/// Sends a request, and reads the whole answer.
pub(crate) async fn send(
    stream: Box<dyn Stream>,
    request: Request<Bytes>,
    (begins_within, bytes_max): (Duration, usize),
) -> Result<Response<Bytes>, Error> {
    let wrong = |error: hyper::Error| Error::Answer(error.to_string());
    let request = relative(request)?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(wrong)?;
    let _driver = Driver(tokio::spawn(async {
        // Whoever waits for the answer is told what went wrong.
        let _ = connection.await;
    }));
    let begun = timeout(begins_within, sender.send_request(request)).await;
    let response = begun.map_err(|_| Error::Late)?.map_err(wrong)?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, bytes_max).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Error::TooLong { bytes_max },
        false => Error::Answer(error.to_string()),
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// The same request as it is written to a server: its path, and the host as a header.
fn relative(request: Request<Bytes>) -> Result<Request<Full<Bytes>>, Error> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or(Error::Address)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Error::Address)?;
    head.headers.insert(HOST, host);
    if !head.method.is_safe() {
        head.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let path = head.uri.path_and_query().cloned();
    head.uri = path.map_or_else(Uri::default, Uri::from);
    Ok(Request::from_parts(head, Full::new(body)))
}

/// Reads and writes for a connection, until the answer is there or nobody waits for it any more.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}
