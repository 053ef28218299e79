//! One list over HTTPS: little that is said is believed, and nobody inside is asked.
//!
//! The name of the publisher is looked up once, every address that it has must be a public one, and
//! the connection goes to one of those: a name that points inward, at once or a moment later, leads
//! nowhere. Redirects are followed three times and held to the same.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri,
    header::{ETAG, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use paywarden_access::Network;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The largest list that is fetched, in bytes.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long all of one list may take.
const WHOLE_MAX: Duration = Duration::from_secs(600);
const REDIRECTS_MAX: usize = 3;

/// Addresses that are nobody's on the public internet (IANA, special-purpose address registries).
static INSIDE: LazyLock<Vec<Network>> = LazyLock::new(|| {
    let networks = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ];
    networks
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect()
});

/// Why a list was not fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfetched {
    #[error("the address is not one that may be asked")]
    Address,
    #[error("the address lies in a private network; set private_network = true if that is meant")]
    Inside,
    #[error("no answer in time")]
    Late,
    #[error("{0}")]
    Connection(#[from] io::Error),
    #[error("the publisher answered {0}")]
    Status(StatusCode),
    #[error("the answer broke off or is longer than a list may be: {0}")]
    Answer(String),
    #[error("redirected too often")]
    Redirects,
}

/// What the publisher said of a version, to ask whether there is another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    tag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// What came.
pub(super) enum Fetched {
    /// The version is the one that was fetched last.
    Unchanged,
    /// The list.
    Body(Bytes, Marks),
}

/// Fetches over HTTPS.
pub(super) struct Fetcher(TlsConnector);

enum Answer {
    Fetched(Fetched),
    Moved(String),
}

impl Fetcher {
    /// Trusts the authorities in a PEM file.
    pub(super) fn new(authorities: &Path) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| {
            format!("authorities = {}: {error}", authorities.display())
        };
        let mut roots = RootCertStore::empty();
        let all = CertificateDer::pem_file_iter(authorities).map_err(|error| wrong(&error))?;
        roots.add_parsable_certificates(all.filter_map(Result::ok));
        if roots.is_empty() {
            return Err(wrong(&"it holds no certificate"));
        }
        let tls = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(tls))))
    }

    /// Fetches a list unless it is the one that the marks are of.
    pub(super) async fn get(
        &self,
        url: &str,
        private: bool,
        marks: &Marks,
    ) -> Result<Fetched, Unfetched> {
        let whole = timeout(WHOLE_MAX, self.follow(url, private, marks)).await;
        whole.unwrap_or(Err(Unfetched::Late))
    }

    async fn follow(&self, url: &str, private: bool, marks: &Marks) -> Result<Fetched, Unfetched> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS_MAX {
            if !may_ask(&url, private) {
                return Err(Unfetched::Address);
            }
            let uri: Uri = url.parse().map_err(|_| Unfetched::Address)?;
            match self.ask(&uri, private, marks).await? {
                Answer::Fetched(fetched) => return Ok(fetched),
                Answer::Moved(place) => url = absolute(&uri, &place)?,
            }
        }
        Err(Unfetched::Redirects)
    }

    async fn ask(&self, uri: &Uri, private: bool, marks: &Marks) -> Result<Answer, Unfetched> {
        let host = host(uri).ok_or(Unfetched::Address)?;
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let connect = async {
            let address = reachable((host, port), private).await?;
            let socket = TcpStream::connect(address).await?;
            if !is_tls {
                return Ok::<_, Unfetched>(Box::new(socket) as Box<dyn Stream>);
            }
            let name = ServerName::try_from(host.to_owned()).map_err(|_| Unfetched::Address)?;
            let stream = self.0.connect(name, socket).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        };
        let stream = timeout(CONNECT_MAX, connect)
            .await
            .map_err(|_| Unfetched::Late)??;
        exchange(stream, uri, marks).await
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Whether an address may be asked at all: over HTTPS and not plainly inside, or, where a private
/// network is meant, also over HTTP on this machine.
pub(super) fn may_ask(url: &str, private: bool) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let Some(host) = host(&uri) else {
        return false;
    };
    let address = host.parse::<IpAddr>().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let is_outside = !is_here && address.is_none_or(is_public);
    match uri.scheme_str() {
        Some("https") => private || is_outside,
        Some("http") => private && is_here,
        _ => false,
    }
}

fn host(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?;
    // Nobody's name belongs into an address.
    let host = authority.host().trim_matches(['[', ']']);
    (!authority.as_str().contains('@') && !host.is_empty()).then_some(host)
}

/// An address of a host, if all that it has may be asked.
async fn reachable(place: (&str, u16), private: bool) -> Result<SocketAddr, Unfetched> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(place).await?.collect();
    if !private && !addresses.iter().all(|address| is_public(address.ip())) {
        return Err(Unfetched::Inside);
    }
    addresses.first().copied().ok_or(Unfetched::Address)
}

fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !INSIDE.iter().any(|network| network.contains(address))
}

/// Where a redirect leads, seen from where it was said.
fn absolute(from: &Uri, place: &str) -> Result<String, Unfetched> {
    if !place.starts_with('/') {
        return Ok(place.to_owned());
    }
    let scheme = from.scheme_str().ok_or(Unfetched::Address)?;
    let authority = from.authority().ok_or(Unfetched::Address)?;
    match place.strip_prefix("//") {
        Some(rest) => Ok(format!("{scheme}://{rest}")),
        None => Ok(format!("{scheme}://{authority}{place}")),
    }
}

async fn exchange(stream: Box<dyn Stream>, uri: &Uri, marks: &Marks) -> Result<Answer, Unfetched> {
    let wrong = |error: &dyn std::fmt::Display| Unfetched::Answer(error.to_string());
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| wrong(&error))?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let request = request(uri, marks)?;
        let sent = timeout(CONNECT_MAX, sender.send_request(request)).await;
        let response = sent.map_err(|_| Unfetched::Late)?;
        let (head, body) = response.map_err(|error| wrong(&error))?.into_parts();
        match head.status {
            StatusCode::OK => {
                let body = Limited::new(body, BYTES_MAX).collect().await;
                let body = body.map_err(|error| wrong(&error))?.to_bytes();
                Ok(Answer::Fetched(Fetched::Body(
                    body,
                    Marks::of(&head.headers),
                )))
            }
            StatusCode::NOT_MODIFIED if *marks != Marks::default() => {
                Ok(Answer::Fetched(Fetched::Unchanged))
            }
            status if status.is_redirection() => {
                let place = head
                    .headers
                    .get(LOCATION)
                    .and_then(|place| place.to_str().ok());
                place
                    .map(|place| Answer::Moved(place.to_owned()))
                    .ok_or(Unfetched::Status(status))
            }
            status => Err(Unfetched::Status(status)),
        }
    };
    let answer = answer.await;
    driver.abort();
    answer
}

fn request(uri: &Uri, marks: &Marks) -> Result<Request<Empty<Bytes>>, Unfetched> {
    let authority = uri.authority().ok_or(Unfetched::Address)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Unfetched::Address)?;
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri
        .path_and_query()
        .cloned()
        .map_or_else(Uri::default, Uri::from);
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, HeaderValue::from_static("paywarden"));
    let marked: [(HeaderName, &Option<HeaderValue>); 2] = [
        (IF_NONE_MATCH, &marks.tag),
        (IF_MODIFIED_SINCE, &marks.modified),
    ];
    for (name, value) in marked {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    Ok(request)
}

impl Marks {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            tag: headers.get(ETAG).cloned(),
            modified: headers.get(LAST_MODIFIED).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };

    #[test]
    fn nobody_inside_is_asked() {
        assert_eq!(INSIDE.len(), 27, "every network reads");
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
        for (url, private, may) in [
            ("https://un.example/list.xml", false, true),
            ("http://un.example/list.xml", true, false),
            ("http://127.0.0.1:80/list.xml", false, false),
            ("http://127.0.0.1:80/list.xml", true, true),
            ("https://10.0.0.1/list.xml", false, false),
            ("https://10.0.0.1/list.xml", true, true),
            ("https://[::1]/list.xml", false, false),
            ("https://user@un.example/list.xml", false, false),
            ("file:///etc/passwd", true, false),
            ("", true, false),
        ] {
            assert_eq!(may_ask(url, private), may, "{url} {private}");
        }
    }

    /// A publisher that answers each request with the next of these, and what it was asked.
    async fn publisher(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/list", listener.local_addr().unwrap());
        let serve = async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        };
        (url, tokio::spawn(serve))
    }

    fn fetcher() -> Fetcher {
        let tls = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
        Fetcher(TlsConnector::from(Arc::new(tls.with_no_client_auth())))
    }

    #[tokio::test]
    async fn a_list_comes_once_and_redirects_lead_nowhere_else() {
        let (url, served) = publisher(vec![
            "HTTP/1.1 302 Found\r\nlocation: /moved\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\netag: \"v1\"\r\ncontent-length: 4\r\n\r\nlist".to_owned(),
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf".to_owned(),
            "HTTP/1.1 302 Found\r\nlocation: http://inside.example/\r\n\r\n".to_owned(),
            "HTTP/1.1 503 Gone\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ])
        .await;
        let fetcher = fetcher();
        let Ok(Fetched::Body(body, marks)) = fetcher.get(&url, true, &Marks::default()).await
        else {
            panic!("no list");
        };
        assert_eq!(body, "list");
        assert!(matches!(
            fetcher.get(&url, true, &marks).await,
            Ok(Fetched::Unchanged)
        ));
        let half = fetcher.get(&url, true, &marks).await;
        assert!(matches!(half, Err(Unfetched::Answer(_))));
        assert!(matches!(
            fetcher.get(&url, true, &marks).await,
            Err(Unfetched::Address)
        ));
        assert!(matches!(
            fetcher.get(&url, true, &marks).await,
            Err(Unfetched::Status(_))
        ));
        let asked = served.await.unwrap();
        assert!(asked[1].starts_with("GET /moved ") && !asked[1].contains("if-none-match"));
        assert!(asked[2].contains("if-none-match: \"v1\""), "{}", asked[2]);
    }

    #[tokio::test]
    async fn a_name_that_points_inward_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(matches!(
            reachable(("localhost", port), false).await,
            Err(Unfetched::Inside)
        ));
        assert!(reachable(("localhost", port), true).await.is_ok());
    }
}
