//! The client against servers of our own on loopback, over TLS with an authority of our own.

#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use http::{Request, StatusCode};
use paywarden_outward::{Client, Error, Limits, Reach, Roots};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What a server does with each connection in turn.
#[derive(Clone)]
enum Answer {
    /// Says this, as it stands.
    Text(String),
    /// Says an answer of so many bytes.
    Bytes(usize),
    /// Says a byte now and again, for ever.
    Drips,
    /// Says nothing.
    Hangs,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";

const SOON: Duration = Duration::from_millis(300);

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What a server with this name proves itself with; one that has expired if so wanted.
    fn acceptor(&self, name: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 2, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server on loopback; its port, and a count of the requests that reached it.
async fn serve(
    tls: TlsAcceptor,
    answers: Vec<Answer>,
) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (socket, _) = listener.accept().await.unwrap();
            let (tls, heard) = (tls.clone(), Arc::clone(&heard));
            tokio::spawn(async move {
                let Ok(mut stream) = tls.accept(socket).await else {
                    return;
                };
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                heard.lock().unwrap().push(request);
                let _ = say(&mut stream, answer).await;
            });
        }
    });
    (port, asked)
}

async fn say(stream: &mut (impl AsyncWriteExt + Unpin), answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Text(text) => stream.write_all(text.as_bytes()).await?,
        Answer::Bytes(bytes) => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            let chunk = format!("400\r\n{}\r\n", "x".repeat(1_024));
            for _ in 0..bytes / 1_024 {
                stream.write_all(chunk.as_bytes()).await?;
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
        Answer::Drips => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")
                .await?;
            loop {
                stream.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Answer::Hangs => std::future::pending().await,
    }
    stream.shutdown().await
}

fn client(authority: &Authority, redirects_max: u8) -> Client {
    patient(authority, redirects_max, Duration::from_secs(10))
}

fn patient(authority: &Authority, redirects_max: u8, time: Duration) -> Client {
    let limits = Limits {
        step_max: time,
        whole_max: time,
        answer_bytes_max: 8 * 1_024,
        redirects_max,
    };
    Client::new(Roots::Pem(authority.pem().as_bytes()), limits).unwrap()
}

fn loopback() -> Reach {
    Reach::with(["127.0.0.1".parse().unwrap()])
}

async fn get(client: &Client, url: String) -> Result<(StatusCode, Bytes), Error> {
    let request = Request::get(url).body(Bytes::new()).unwrap();
    let response = client.send(request, &loopback()).await?;
    Ok((response.status(), response.into_body()))
}

#[tokio::test]
async fn only_whom_the_authority_names_today_is_believed() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (tls, trusted, is_believed) in [
        (authority.acceptor("127.0.0.1", false), &authority, true),
        (
            authority.acceptor("hooks.example", false),
            &authority,
            false,
        ),
        (authority.acceptor("127.0.0.1", true), &authority, false),
        (authority.acceptor("127.0.0.1", false), &other, false),
    ] {
        let (port, asked) = serve(tls, vec![Answer::Text(OK.to_owned())]).await;
        let said = get(
            &client(trusted, 0),
            format!("https://127.0.0.1:{port}/a?b=c"),
        )
        .await;
        match is_believed {
            true => assert_eq!(said.unwrap(), (StatusCode::OK, Bytes::from("done"))),
            false => assert!(matches!(said, Err(Error::Connection(_))), "{said:?}"),
        }
        let asked = asked.lock().unwrap();
        assert_eq!(
            asked.len(),
            usize::from(is_believed),
            "nothing is said to strangers"
        );
        if let Some(request) = asked.first() {
            assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
            assert!(
                request.contains(&format!("host: 127.0.0.1:{port}\r\n")),
                "{request}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_long_slow_or_silent_is_given_up() {
    let authority = Authority::new();
    let tls = authority.acceptor("127.0.0.1", false);
    let answers = vec![
        Answer::Bytes(8 * 1_024),
        Answer::Bytes(9 * 1_024),
        Answer::Drips,
        Answer::Hangs,
        Answer::Text("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf".to_owned()),
        Answer::Text("SSH-2.0-OpenSSH_9.9\r\n".to_owned()),
    ];
    let (port, _) = serve(tls, answers).await;
    let (client, hasty) = (client(&authority, 0), patient(&authority, 0, SOON));
    let url = || format!("https://127.0.0.1:{port}/");
    assert_eq!(get(&client, url()).await.unwrap().1.len(), 8 * 1_024);
    let long = get(&client, url()).await;
    assert!(
        matches!(long, Err(Error::TooLong { bytes_max: 8_192 })),
        "{long:?}"
    );
    for _ in 0..2 {
        let late = get(&hasty, url()).await;
        assert!(matches!(late, Err(Error::Late)), "{late:?}");
    }
    for _ in 0..2 {
        let broken = get(&client, url()).await;
        assert!(matches!(broken, Err(Error::Answer(_))), "{broken:?}");
    }
}

/// A listener that never accepts: the handshake of TLS has nobody to shake hands with.
#[tokio::test]
async fn a_handshake_that_hangs_is_given_up() {
    let authority = Authority::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let hasty = patient(&authority, 0, SOON);
    let late = get(&hasty, format!("https://127.0.0.1:{port}/")).await;
    assert!(matches!(late, Err(Error::Late)), "{late:?}");
}

#[tokio::test]
async fn redirects_are_followed_only_so_far_and_never_inward() {
    let authority = Authority::new();
    let tls = authority.acceptor("127.0.0.1", false);
    let to = |place: &str| {
        let head = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation:";
        Answer::Text(format!("{head} {place}\r\n\r\n"))
    };
    let ok = Answer::Text(OK.to_owned());
    let url = |port: u16| format!("https://127.0.0.1:{port}/");

    let (port, asked) = serve(tls.clone(), vec![to("/moved"), ok.clone()]).await;
    assert_eq!(
        get(&client(&authority, 1), url(port)).await.unwrap().1,
        "done"
    );
    assert!(asked.lock().unwrap()[1].starts_with("GET /moved "));

    let (port, _) = serve(tls.clone(), vec![to("/a"), to("/b")]).await;
    let often = get(&client(&authority, 1), url(port)).await;
    assert!(matches!(often, Err(Error::Redirects)), "{often:?}");

    let (port, asked) = serve(tls.clone(), vec![to("/a")]).await;
    let status = get(&client(&authority, 0), url(port)).await.unwrap().0;
    assert_eq!(
        (status, asked.lock().unwrap().len()),
        (StatusCode::FOUND, 1)
    );

    for (place, is_address) in [
        ("https://169.254.169.254/latest/meta-data", true),
        ("https://127.0.0.2/", true),
        ("https://[::1]/", true),
        ("//10.0.0.1/", true),
        ("http://lists.example/", false),
        ("https://me@127.0.0.1/", false),
        ("file:///etc/passwd", false),
    ] {
        let (port, _) = serve(tls.clone(), vec![to(place)]).await;
        let refused = get(&client(&authority, 3), url(port)).await;
        let fits = match is_address {
            true => matches!(refused, Err(Error::Inside)),
            false => matches!(refused, Err(Error::Inside | Error::Address)),
        };
        assert!(fits, "{place}: {refused:?}");
    }
}

#[tokio::test]
async fn secrets_do_not_follow_to_somebody_else() {
    let authority = Authority::new();
    let tls = authority.acceptor("127.0.0.1", false);
    let ok = Answer::Text(OK.to_owned());
    let (other, heard) = serve(tls.clone(), vec![ok.clone()]).await;
    let moved = format!(
        "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: https://127.0.0.1:{other}/\r\n\r\n"
    );
    let (port, _) = serve(tls, vec![Answer::Text(moved)]).await;
    let mut request = Request::get(format!("https://127.0.0.1:{port}/"))
        .header("x-plain", "stays")
        .body(Bytes::new())
        .unwrap();
    let mut token = http::HeaderValue::from_static("secret");
    token.set_sensitive(true);
    request.headers_mut().insert("x-token", token);
    client(&authority, 1)
        .send(request, &loopback())
        .await
        .unwrap();
    let heard = heard.lock().unwrap();
    assert!(
        heard[0].contains("x-plain: stays") && !heard[0].contains("x-token"),
        "{}",
        heard[0]
    );
}
