//! Slow, greedy and broken clients, on raw sockets.

use crate::support::{Sent, Setup, World, client::tls, payment, unique};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::Limits;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn quick() -> Setup {
    let limits = Limits {
        handshake_timeout_ms: 400,
        header_timeout_ms: 400,
        body_timeout_ms: 400,
        idle_timeout_ms: 1_500,
        ..Limits::default()
    };
    Setup {
        limits,
        ..Setup::default()
    }
}

/// Reads until the server closes; what it said and how long that took.
async fn until_closed<S: AsyncReadExt + Unpin>(stream: &mut S) -> (String, Duration) {
    let start = Instant::now();
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap() {
            Ok(0) | Err(_) => break,
            Ok(read) => said.extend_from_slice(&buffer[..read]),
        }
    }
    (String::from_utf8_lossy(&said).into_owned(), start.elapsed())
}

fn near(took: Duration, limit_ms: u64) {
    let limit = Duration::from_millis(limit_ms);
    assert!(
        took + Duration::from_millis(60) >= limit,
        "closed after {took:?} of {limit:?}"
    );
    assert!(
        took < limit + PATIENCE / 2,
        "open for {took:?}, limit {limit:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_shakes_hands_is_closed() {
    let world = World::start(quick()).await;
    let mut stream = TcpStream::connect(world.server.local_addr()).await.unwrap();
    let (_, took) = until_closed(&mut stream).await;
    near(took, 400);
    assert_eq!(world.metric("paywarden_handshakes_failed_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_are_closed_by_the_header_time_and_idle_clients_by_the_idle_time() {
    let world = World::start(quick()).await;
    let mut idle = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    let mut slow = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    let mut served = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    let slow = async {
        let start = Instant::now();
        slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n")
            .await
            .unwrap();
        while start.elapsed() < PATIENCE {
            if slow.write_all(b"x: y\r\n").await.is_err() {
                break;
            }
            let mut byte = [0];
            if let Ok(Ok(0) | Err(_)) =
                timeout(Duration::from_millis(50), slow.read(&mut byte)).await
            {
                break;
            }
        }
        near(start.elapsed(), 400);
    };
    let idle = async { near(until_closed(&mut idle).await.1, 1_500) };
    // After an answer the idle time runs, not the header time.
    let served = async {
        served
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let (said, took) = until_closed(&mut served).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        near(took, 1_500);
    };
    tokio::join!(slow, idle, served);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_client_that_answers_no_ping_is_closed() {
    let world = World::start(quick()).await;
    let mut stream = tls(world.server.local_addr(), &world.ca_pem, b"h2").await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    // A ping goes out after half the idle time; the header time is what it may take to answer.
    near(until_closed(&mut stream).await.1, 750 + 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_connection_without_requests_is_closed_by_the_idle_time() {
    let world = World::start(quick()).await;
    let idle = world.client(true).await;
    assert_eq!(world.metric("paywarden_connections").await, 2);
    sleep(Duration::from_millis(3_000)).await;
    assert_eq!(world.metric("paywarden_connections").await, 1);
    drop(idle);
}

/// The head of a signed decision request, for a body to follow.
async fn head(world: &World, body: &str, framing: &str) -> String {
    let signer = world.signer("acme", Ed25519).await;
    let mut sent = Sent::decision_bytes(body.to_owned());
    world.client(true).await.sign(&signer, &mut sent);
    let port = world.server.local_addr().port();
    let mut head =
        format!("POST /v1/decisions HTTP/1.1\r\nhost: localhost:{port}\r\n{framing}\r\n");
    for (name, value) in &sent.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head + "\r\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_answered_and_closed() {
    let world = World::start(quick()).await;
    let body = payment(&unique("p")).to_string();
    let before = world.database.event_no_last().await.unwrap();
    let head = head(&world, &body, &format!("content-length: {}", body.len())).await;
    let mut stream = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body.as_bytes()[..10]).await.unwrap();
    let (said, took) = until_closed(&mut stream).await;
    assert!(
        said.starts_with("HTTP/1.1 408") && said.contains("\"body_timeout\""),
        "{said}"
    );
    near(took, 400);
    assert_eq!(world.database.event_no_last().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_answered_and_closed() {
    let world = World::start(quick()).await;
    let head = head(&world, "{}", "transfer-encoding: chunked").await;
    let stream = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let flood = tokio::spawn(async move {
        writer.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        let mut sent = 0u64;
        while writer.write_all(chunk.as_bytes()).await.is_ok() && writer.flush().await.is_ok() {
            sent += 0x1000;
            assert!(sent < 1 << 30, "the server reads on and on");
        }
    });
    let (said, _) = until_closed(&mut reader).await;
    assert!(
        said.starts_with("HTTP/1.1 413") && said.contains("\"body_too_large\""),
        "{said}"
    );
    flood.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_more_than_there_are_places_is_told_to_come_again() {
    let limits = Limits {
        requests_in_flight_max: 1,
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let head = head(&world, "{}", "content-length: 2").await;
    let mut holding = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    holding.write_all(head.as_bytes()).await.unwrap();
    holding.flush().await.unwrap();
    while world.metric("paywarden_requests_in_flight").await == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let answer = client
        .signed(&signer, Sent::decision(&payment(&unique("p"))))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "overloaded")
    );
    assert!(answer.headers.contains_key("retry-after"));
    holding.write_all(b"{}").await.unwrap();
    while world.metric("paywarden_requests_in_flight").await > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let answer = client
        .signed(&signer, Sent::decision(&payment(&unique("p"))))
        .await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_make_the_server_read_a_body() {
    let world = World::start(quick()).await;
    let mut stream = tls(world.server.local_addr(), &world.ca_pem, b"http/1.1").await;
    let head = "POST /v1/decisions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (said, _) = until_closed(&mut stream).await;
    assert!(
        said.starts_with("HTTP/1.1 401") && said.contains("\"signature_missing\""),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_a_cap_are_closed_and_counted() {
    let limits = Limits {
        connections_per_address_max: 3,
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let address = world.server.local_addr();
    let held = [
        TcpStream::connect(address).await,
        TcpStream::connect(address).await,
    ];
    sleep(Duration::from_millis(50)).await;
    let mut client = world.client(true).await;
    let mut over = TcpStream::connect(address).await.unwrap();
    assert_eq!(until_closed(&mut over).await.0, "");
    let page = String::from_utf8(client.get("/metrics").await.body.to_vec()).unwrap();
    assert!(
        page.contains("paywarden_connections_refused_total 1\n"),
        "{page}"
    );
    assert!(page.contains("paywarden_connections 3\n"), "{page}");
    drop(held);
}
