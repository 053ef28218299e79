//! A client over real TLS that signs, can spoil each part of what it sends, and checks replies.

use super::Signer;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use paywarden_crypto::{
    Error, VerifyingKey,
    digest::{CONTENT_DIGEST, content_digest, verify_content_digest},
    message_signature::{
        Component, Form, Message, Parameters, Part, Policy, RequestView, ResponseView, SIGNATURE,
        SIGNATURE_INPUT, Signatures, sign, verify,
    },
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// One connection.
pub struct Client {
    sender: Sender,
    authority: String,
    driver: JoinHandle<()>,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A certificate chain and its key.
pub type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A request that can be spoiled before it is signed, or after.
#[derive(Clone)]
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub created_s: i64,
    pub expires_s: Option<i64>,
    pub nonce: String,
    pub tag: String,
    pub key_id: Option<String>,
    pub leave_out: Vec<&'static str>,
    pub after: Vec<(HeaderName, HeaderValue)>,
}

/// A reply.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub async fn tls(address: SocketAddr, ca_pem: &Path, alpn: &[u8]) -> TlsStream<TcpStream> {
    tls_with(address, ca_pem, alpn, None).await
}

/// The same, showing a certificate.
pub async fn tls_with(
    address: SocketAddr,
    ca_pem: &Path,
    alpn: &[u8],
    identity: Option<ClientIdentity>,
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca_pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

/// Whether the server ends a connection that shows a certificate without having its key.
pub async fn is_shut_out(address: SocketAddr, ca_pem: &Path, forged: Arc<CertifiedKey>) -> bool {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca_pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::unwrap_or_clone(
            forged,
        ))));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let Ok(mut stream) = connected.await else {
        return true;
    };
    // In TLS 1.3 the client learns of the refusal with the first bytes that it reads.
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let _ = stream.write_all(request).await;
    let mut byte = [0; 1];
    !matches!(stream.read(&mut byte).await, Ok(1))
}

impl Client {
    pub async fn connect(address: SocketAddr, ca_pem: &Path, http2: bool) -> Self {
        Self::connect_with(address, ca_pem, http2, None).await
    }

    pub async fn connect_with(
        address: SocketAddr,
        ca_pem: &Path,
        http2: bool,
        identity: Option<ClientIdentity>,
    ) -> Self {
        let alpn: &[u8] = if http2 { b"h2" } else { b"http/1.1" };
        let stream = tls_with(address, ca_pem, alpn, identity).await;
        let io = TokioIo::new(stream);
        let authority = format!("localhost:{}", address.port());
        if http2 {
            let (sender, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            let driver = tokio::spawn(async { drop(driver.await) });
            Self {
                sender: Sender::Two(sender),
                authority,
                driver,
            }
        } else {
            let (sender, driver) = http1::handshake(io).await.unwrap();
            let driver = tokio::spawn(async { drop(driver.await) });
            Self {
                sender: Sender::One(sender),
                authority,
                driver,
            }
        }
    }

    /// An unsigned GET.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Sent::new(Method::GET, path, Bytes::new())).await
    }

    /// Signs and sends.
    pub async fn signed(&mut self, signer: &Signer, mut sent: Sent) -> Answer {
        self.sign(signer, &mut sent);
        self.send(sent).await
    }

    pub fn uri(&self, path: &str) -> Uri {
        format!("https://{}{path}", self.authority).parse().unwrap()
    }

    pub fn sign(&self, signer: &Signer, sent: &mut Sent) {
        let uri = self.uri(&sent.path);
        let mut covered = vec![
            Component::new(Part::Method),
            Component::new(Part::TargetUri),
        ];
        let fields = [
            "content-digest",
            "content-type",
            "idempotency-key",
            "authorization",
        ];
        let fields = fields
            .iter()
            .filter(|name| sent.headers.contains_key(**name));
        covered.extend(fields.map(|name| Component::field(name)));
        covered.retain(|component| {
            !sent
                .leave_out
                .iter()
                .any(|name| component.to_string() == format!("\"{name}\""))
        });
        let keep = |name| !sent.leave_out.contains(&name);
        let key_id = sent.key_id.as_deref().unwrap_or(&signer.key_id);
        let parameters = Parameters {
            created_s: keep("created").then_some(sent.created_s),
            expires_s: sent.expires_s,
            keyid: keep("keyid").then(|| key_id.into()),
            nonce: keep("nonce").then(|| sent.nonce.as_str().into()),
            alg: None,
            tag: Some(sent.tag.as_str().into()),
        };
        let request = RequestView::new(&sent.method, &uri, "https", &sent.headers);
        let message = Message::Request(&request);
        let fields = sign(&message, "sig1", &covered, &parameters, &signer.key).unwrap();
        fields.insert_into(&mut sent.headers);
    }

    pub async fn send(&mut self, sent: Sent) -> Answer {
        let uri = match &self.sender {
            Sender::One(_) => sent.path.parse().unwrap(),
            Sender::Two(_) => self.uri(&sent.path),
        };
        let mut request = Request::new(Full::new(sent.body));
        *request.method_mut() = sent.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = sent.headers;
        for (name, value) in sent.after {
            request.headers_mut().insert(name, value);
        }
        let response = match &mut self.sender {
            Sender::One(sender) => {
                let host = HeaderValue::from_str(&self.authority).unwrap();
                request.headers_mut().insert("host", host);
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Sender::Two(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Sent {
    pub fn new(method: Method, path: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_DIGEST, content_digest(&body).unwrap());
        }
        Self {
            method,
            path: path.to_owned(),
            headers,
            body,
            created_s: super::now().seconds(),
            expires_s: None,
            nonce: super::unique("n"),
            tag: "paywarden".to_owned(),
            key_id: None,
            leave_out: Vec::new(),
            after: Vec::new(),
        }
    }

    pub fn json(method: Method, path: &str, body: &serde_json::Value) -> Self {
        Self::new(method, path, body.to_string())
    }

    /// A decision request with an idempotency key of its own.
    pub fn decision(body: &serde_json::Value) -> Self {
        Self::decision_bytes(body.to_string())
    }

    pub fn decision_bytes(body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, "/v1/decisions", body)
            .header("idempotency-key", &super::unique("k"))
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Sets a header after signing.
    pub fn afterwards(mut self, name: &'static str, value: &str) -> Self {
        let name = HeaderName::from_static(name);
        self.after
            .push((name, HeaderValue::from_str(value).unwrap()));
        self
    }

    /// The same request signed anew: another nonce.
    pub fn again(&self) -> Self {
        let mut again = self.clone();
        again.nonce = super::unique("n");
        again.headers.remove(SIGNATURE);
        again.headers.remove(SIGNATURE_INPUT);
        again
    }
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {:?}", self.status, self.body))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn is_replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }

    /// Checks the signature of the reply as a caller would.
    pub fn verify(&self, request: &Sent, uri: &Uri, key: &VerifyingKey) -> Result<(), Error> {
        verify_content_digest(&self.headers, &self.body)?;
        let request = RequestView::new(&request.method, uri, "https", &request.headers);
        let response = ResponseView {
            status: self.status.as_u16(),
            headers: &self.headers,
            request: Some(&request),
        };
        let of_request = Component {
            part: Part::Field("signature", Form::Member("sig1".into())),
            of_request: true,
        };
        let required = [Component::new(Part::Status), of_request];
        let policy = Policy {
            required: &required,
            ..Policy::response("paywarden-reply")
        };
        let signatures = Signatures::parse(&self.headers)?;
        let now_s = super::now().seconds();
        let message = Message::Response(&response);
        verify(&message, &signatures, &policy, now_s, |_| {
            Ok::<_, Error>(key)
        })?;
        Ok(())
    }
}
