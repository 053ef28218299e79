//! The signed HTTPS client of every command that talks to a server: keep-alive, HTTP/1.1 or h2.

mod reply;

pub use reply::{Reply, ReplyKeys};

use crate::{
    failure::{Failure, Result},
    signing::{Signer, json_headers},
};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN},
    uri::{Authority, PathAndQuery},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reply::RequestHead;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// How long one request may take, connecting included.
pub const REQUEST_SECONDS_MAX: u64 = 30;
/// How long one upload may take.
const UPLOAD_SECONDS_MAX: u64 = 300;
const JSON: &str = "application/json";
const OCTETS: &str = "application/octet-stream";
/// The longest reply that is read.
pub const REPLY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a request says who sends it.
pub enum Caller {
    /// It does not: for open routes.
    Nobody,
    /// By a sandbox secret.
    Bearer(HeaderValue),
    /// By the origin of its page, as a browser does.
    Page(HeaderValue),
    /// By the cookie of a session and its token, from the origin of its page.
    Person {
        /// Of the page.
        origin: HeaderValue,
        /// Of the session.
        cookie: HeaderValue,
        /// Of the session.
        token: HeaderValue,
    },
    /// By a signature.
    Signed(Signer),
}

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
}

/// A server, what to trust about it and who calls. Cheap to share; makes connections.
pub struct Client {
    authority: Authority,
    host: HeaderValue,
    server: ServerName<'static>,
    tls: TlsConnector,
    protocol: Protocol,
    caller: Caller,
}

/// One connection with at most one request under way. Connects again by itself when it has been
/// closed between requests.
pub struct Connection {
    client: Arc<Client>,
    /// The address of this machine that it comes from, if that matters.
    from: Option<IpAddr>,
    sender: Option<Sender>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// A client of the server at `https://host[:port]` that trusts the authorities in a PEM file.
    pub fn new(url: &str, ca_pem: &Path, caller: Caller, protocol: Protocol) -> Result<Arc<Self>> {
        let authority = parse_url(url)?;
        let host = HeaderValue::from_str(authority.as_str())
            .map_err(|error| not_a_url(url, &error.to_string()))?;
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        let server =
            ServerName::try_from(name).map_err(|error| not_a_url(url, &error.to_string()))?;
        let mut tls = ClientConfig::builder()
            .with_root_certificates(trusted(ca_pem)?)
            .with_no_client_auth();
        tls.alpn_protocols = vec![match protocol {
            Protocol::Http1 => b"http/1.1".to_vec(),
            Protocol::Http2 => b"h2".to_vec(),
        }];
        let tls = TlsConnector::from(Arc::new(tls));
        Ok(Arc::new(Self {
            authority,
            host,
            server,
            tls,
            protocol,
            caller,
        }))
    }

    /// A connection, not yet opened.
    pub fn connection(self: &Arc<Self>) -> Connection {
        Connection {
            client: self.clone(),
            from: None,
            sender: None,
        }
    }

    /// The same, from this address of this machine.
    pub fn connection_from(self: &Arc<Self>, from: IpAddr) -> Connection {
        Connection {
            from: Some(from),
            ..self.connection()
        }
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn connect(&self, from: Option<IpAddr>) -> Result<Sender> {
        let socket = self.reach(from).await.map_err(|error| self.lost(&error))?;
        socket
            .set_nodelay(true)
            .map_err(|error| self.lost(&error))?;
        let stream = self.tls.connect(self.server.clone(), socket).await;
        let stream = TokioIo::new(stream.map_err(|error| self.lost(&error))?);
        match self.protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream)
                    .await
                    .map_err(|error| self.lost(&error))?;
                // An error of the connection reaches whoever waits for a reply on it.
                tokio::spawn(connection);
                Ok(Sender::Http1(sender))
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                    .await
                    .map_err(|error| self.lost(&error))?;
                tokio::spawn(connection);
                Ok(Sender::Http2(sender))
            }
        }
    }

    async fn reach(&self, from: Option<IpAddr>) -> io::Result<TcpStream> {
        let host = self.authority.host().trim_matches(['[', ']']);
        let port = self.authority.port_u16().unwrap_or(443);
        let Some(from) = from else {
            return TcpStream::connect((host, port)).await;
        };
        let mut addresses = tokio::net::lookup_host((host, port)).await?;
        let fits = |address: &SocketAddr| address.is_ipv4() == from.is_ipv4();
        let address = addresses
            .find(fits)
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let socket = match from {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind((from, 0).into())?;
        socket.connect(address).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        (body, media_type): (Bytes, &'static str),
        idempotency_key: Option<&str>,
    ) -> Result<(Request<Full<Bytes>>, RequestHead)> {
        let uri = self.uri(path)?;
        let mut headers = json_headers(&body, idempotency_key)?;
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        match &self.caller {
            Caller::Nobody => {}
            Caller::Bearer(secret) => {
                headers.insert(AUTHORIZATION, secret.clone());
            }
            Caller::Page(origin) => {
                headers.insert(ORIGIN, origin.clone());
            }
            Caller::Person {
                origin,
                cookie,
                token,
            } => {
                headers.insert(ORIGIN, origin.clone());
                headers.insert(COOKIE, cookie.clone());
                headers.insert("x-csrf-token", token.clone());
            }
            Caller::Signed(signer) => {
                signer
                    .sign(&method, &uri, &mut headers, &body)
                    .map_err(|error| {
                        Failure::environment(format!("cannot sign: {error}"), "check the key file")
                    })?;
            }
        }
        let head = RequestHead {
            method: method.clone(),
            uri,
            headers: headers.clone(),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = match self.protocol {
            Protocol::Http1 => {
                headers.insert(HOST, self.host.clone());
                head.uri
                    .path_and_query()
                    .cloned()
                    .map_or_else(Uri::default, Uri::from)
            }
            Protocol::Http2 => head.uri.clone(),
        };
        *request.headers_mut() = headers;
        Ok((request, head))
    }

    fn uri(&self, path: &str) -> Result<Uri> {
        let wrong = |error: http::Error| Failure::wrong_use(format!("{path}: {error}"), "a path");
        let path = PathAndQuery::try_from(path).map_err(|error| wrong(error.into()))?;
        Uri::builder()
            .scheme("https")
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(wrong)
    }

    fn lost(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::environment(
            format!("https://{} does not answer: {error}", self.authority),
            "check that the server runs (`paywarden serve`) and that --ca names its ca.pem",
        )
    }
}

impl Connection {
    /// Sends a body of JSON.
    pub async fn post(
        &mut self,
        path: &str,
        body: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<Reply> {
        self.send(Method::POST, path, body, idempotency_key).await
    }

    /// Asks for something.
    pub async fn get(&mut self, path: &str) -> Result<Reply> {
        self.send(Method::GET, path, Bytes::new(), None).await
    }

    /// Sends a request and reads the whole reply.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<Reply> {
        let limit = Duration::from_secs(REQUEST_SECONDS_MAX);
        self.send_within(limit, method, path, (body, JSON), idempotency_key)
            .await
    }

    /// Sends a body that is no JSON, however long it takes to be taken in.
    pub async fn upload(&mut self, path: &str, body: Bytes) -> Result<Reply> {
        let limit = Duration::from_secs(UPLOAD_SECONDS_MAX);
        self.send_within(limit, Method::POST, path, (body, OCTETS), None)
            .await
    }

    async fn send_within(
        &mut self,
        limit: Duration,
        method: Method,
        path: &str,
        body: (Bytes, &'static str),
        idempotency_key: Option<&str>,
    ) -> Result<Reply> {
        let client = self.client.clone();
        let (request, head) = client.request(method, path, body, idempotency_key)?;
        let exchange = timeout(limit, self.exchange(&client, request, head)).await;
        let reply = exchange.unwrap_or_else(|_| {
            Err(client.lost(&format_args!("no reply in {} s", limit.as_secs())))
        });
        if reply.is_err() {
            self.sender = None;
        }
        reply
    }

    async fn exchange(
        &mut self,
        client: &Client,
        request: Request<Full<Bytes>>,
        head: RequestHead,
    ) -> Result<Reply> {
        let sender = self.ready(client).await?;
        let response = match sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        let (parts, body) = response.map_err(|error| client.lost(&error))?.into_parts();
        let body = Limited::new(body, REPLY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| client.lost(&error))?.to_bytes();
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            body,
            request: head,
        })
    }

    async fn ready(&mut self, client: &Client) -> Result<&mut Sender> {
        let open = match &mut self.sender {
            Some(Sender::Http1(sender)) => sender.ready().await.is_ok(),
            Some(Sender::Http2(sender)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !open {
            self.sender = None;
        }
        match &mut self.sender {
            Some(sender) => Ok(sender),
            // Boxed, so that the handshake's state is not moved about with every request.
            empty => Ok(empty.insert(Box::pin(client.connect(self.from)).await?)),
        }
    }
}

/// Whether the server at this address is this very machine.
pub fn is_loopback(url: &str) -> Result<bool> {
    let authority = parse_url(url)?;
    let host = authority.host().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    Ok(host == "localhost" || address.is_ok_and(|address| address.is_loopback()))
}

fn parse_url(url: &str) -> Result<Authority> {
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| not_a_url(url, &error.to_string()))?;
    let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    match uri.authority() {
        Some(authority) if uri.scheme_str() == Some("https") && bare => Ok(authority.clone()),
        _ => Err(not_a_url(url, "only https://host:port is")),
    }
}

fn not_a_url(url: &str, why: &str) -> Failure {
    Failure::wrong_use(
        format!("{url} is no address of a server: {why}"),
        "write it as https://127.0.0.1:8443",
    )
}

fn trusted(ca_pem: &Path) -> Result<RootCertStore> {
    let missing = |error: &dyn std::fmt::Display| {
        Failure::environment(
            format!("cannot read {}: {error}", ca_pem.display()),
            "name the server's ca.pem with --ca; it lies in the tls folder of its data_dir",
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_pem).map_err(|error| missing(&error))? {
        let certificate = certificate.map_err(|error| missing(&error))?;
        roots.add(certificate).map_err(|error| missing(&error))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for url in [
            "https://127.0.0.1:8443",
            "https://[::1]:8443",
            "https://localhost/",
        ] {
            assert!(is_loopback(url).unwrap(), "{url}");
        }
        for url in [
            "https://192.0.2.1",
            "https://127.0.0.1.example:8443",
            "https://[::2]",
        ] {
            assert!(!is_loopback(url).unwrap(), "{url}");
        }
    }

    #[test]
    fn addresses_that_are_none() {
        let refused = |url| is_loopback(url).unwrap_err().message();
        let said = [
            "http://127.0.0.1",
            "127.0.0.1:8443",
            "https://h/v1",
            "https://h[/",
        ]
        .map(refused);
        insta::assert_snapshot!(said.concat());
    }
}
