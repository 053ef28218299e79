//! What depends on how the server is set up: the sandbox, rates, a full replay store.

use crate::support::{Sent, Setup, World, payment, unique};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::Limits;

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_shows_the_signature_base_and_takes_bearer_keys() {
    let world = World::start(Setup {
        sandbox: true,
        ..Setup::default()
    })
    .await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(false).await;
    let mut sent = Sent::decision(&payment(&unique("p")));
    client.sign(&signer, &mut sent);
    let sent = sent.afterwards("idempotency-key", "changed");
    let document = client.send(sent).await.json();
    let base = document["sandbox"]["signature_base"].as_str().unwrap();
    assert!(base.contains("\"idempotency-key\": changed\n"), "{base}");
    assert_eq!(document["sandbox"]["code"], "signature_invalid");
    let bearer = format!("Bearer {}", world.bearer("acme").await);
    let mut sent = Sent::decision(&payment(&unique("p"))).header("authorization", &bearer);
    sent.headers.remove("content-digest");
    let answer = client.send(sent.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
    assert!(!answer.headers.contains_key("signature"));
    let wrong = sent.header("authorization", "Bearer sandbox_wrong");
    assert_eq!(client.send(wrong).await.code(), "bearer_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_a_sandbox_a_bearer_key_is_worth_nothing() {
    let world = World::start(Setup::default()).await;
    let bearer = format!("Bearer {}", world.bearer("acme").await);
    let sent = Sent::decision(&payment(&unique("p"))).header("authorization", &bearer);
    assert_eq!(
        world.client(true).await.send(sent).await.code(),
        "signature_missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_over_its_rate_waits_while_others_go_on() {
    let limits = Limits {
        requests_per_second_per_key: 1,
        burst_per_key: 3,
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let (one, other) = (
        world.signer("acme", Ed25519).await,
        world.signer("acme", Ed25519).await,
    );
    let mut client = world.client(true).await;
    let get = || Sent::new(Method::GET, "/v1/lists", "");
    let mut refused = None;
    for _ in 0..5 {
        let answer = client.signed(&one, get()).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), "rate_limited");
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(refused.headers.contains_key(name), "{name}");
    }
    assert_eq!(client.signed(&other, get()).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_replay_store_refuses_rather_than_forgets() {
    let limits = Limits {
        nonces_max: 64,
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let mut first = Sent::new(Method::GET, "/v1/lists", "");
    client.sign(&signer, &mut first);
    assert_eq!(client.send(first.clone()).await.status, StatusCode::OK);
    let mut full = None;
    for _ in 0..100 {
        let answer = client
            .signed(&signer, Sent::new(Method::GET, "/v1/lists", ""))
            .await;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            full = Some(answer);
        }
    }
    let full = full.unwrap();
    assert_eq!(full.code(), "replay_store_full");
    assert!(full.headers.contains_key("retry-after"));
    assert_eq!(client.send(first).await.code(), "signature_replayed");
    assert!(world.metric("paywarden_nonces").await <= 64);
}
