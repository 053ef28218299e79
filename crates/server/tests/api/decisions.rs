//! Decisions over real TLS: every algorithm, both protocols, signed replies, retries, restarts.

use crate::support::{Sent, Setup, World, author, client::tls, now, payment, unique};
use http::{Method, StatusCode};
use paywarden_access::{Error, Scopes};
use paywarden_crypto::{SignatureAlgorithm, SignatureAlgorithm::Ed25519, VerifyingKey};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread")]
async fn every_algorithm_and_both_protocols_get_a_signed_verdict() {
    let world = World::start(Setup::default()).await;
    let published = world.client(true).await.get("/v1/reply-keys").await.json();
    let pem = published["keys"][0]["public_key_pem"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        published["keys"][0]["keyid"],
        world.server.reply_key().id.as_str()
    );
    let of_server = VerifyingKey::from_public(Ed25519, pem.as_bytes()).unwrap();
    for algorithm in SignatureAlgorithm::ALL {
        let signer = world.signer("acme", algorithm).await;
        for http2 in [false, true] {
            let mut client = world.client(http2).await;
            let mut sent = Sent::decision(&payment(&unique("p")));
            client.sign(&signer, &mut sent);
            let answer = client.send(sent.clone()).await;
            assert_eq!(
                answer.status,
                StatusCode::OK,
                "{algorithm} {:?}",
                answer.json()
            );
            let decision = answer.json();
            assert_eq!(decision["outcome"], "approve");
            assert!(!decision.to_string().contains("401288888"), "{decision}");
            let own = signer.key.verifying_key().unwrap();
            let is_hmac = algorithm == SignatureAlgorithm::HmacSha256;
            let key = if is_hmac { &own } else { &of_server };
            answer.verify(&sent, &client.uri(&sent.path), key).unwrap();

            // The signature binds the reply to this request and to its own bytes.
            let mut other = Sent::decision(&payment(&unique("p")));
            client.sign(&signer, &mut other);
            assert!(
                answer
                    .verify(&other, &client.uri(&other.path), key)
                    .is_err()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_a_known_caller_is_signed_too() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let key = &world.server.reply_key().public_pem;
    let key = VerifyingKey::from_public(Ed25519, key.as_bytes()).unwrap();
    let mut client = world.client(true).await;
    let mut sent = Sent::decision(&json!({}));
    client.sign(&signer, &mut sent);
    let answer = client.send(sent.clone()).await;
    assert_eq!(answer.code(), "field_missing");
    answer.verify(&sent, &client.uri(&sent.path), &key).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_gets_the_same_bytes_also_after_a_restart() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let sent = Sent::decision(&payment(&unique("p")));
    let first = client.signed(&signer, sent.clone()).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(!first.is_replayed());
    let again = client.signed(&signer, sent.again()).await;
    assert!(again.is_replayed());
    assert_eq!((again.status, &again.body), (first.status, &first.body));

    let key = sent.headers["idempotency-key"].to_str().unwrap();
    let body = payment(&unique("p"));
    let other = || Sent::decision(&body).header("idempotency-key", key);
    assert_eq!(
        client.signed(&signer, other()).await.code(),
        "idempotency_key_reused"
    );
    let fresh_key = sent.again().header("idempotency-key", &unique("k"));
    let decided = client.signed(&signer, fresh_key).await;
    assert_eq!(decided.code(), "payment_already_decided");
    assert_eq!(decided.json()["decision"], first.json()["id"]);

    let world = world.restart(Setup::default()).await;
    let mut client = world.client(false).await;
    let mut resent = sent.again();
    resent.created_s = now().seconds();
    let answer = client.signed(&signer, resent).await;
    assert!(answer.is_replayed(), "{:?}", answer.json());
    assert_eq!((answer.status, &answer.body), (first.status, &first.body));
    assert_eq!(
        client.signed(&signer, other()).await.code(),
        "idempotency_key_reused"
    );

    // A request captured before the restart is worth nothing after it.
    let captured = client
        .signed(
            &signer,
            Sent {
                created_s: sent.created_s,
                ..sent.again()
            },
        )
        .await;
    assert_eq!(captured.code(), "signature_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_decided_once() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..50 {
        let sent = Sent::decision(&payment(&unique("p")));
        let mut clients = Vec::new();
        for _ in 0..6 {
            clients.push(world.client(true).await);
        }
        let answers = clients.iter_mut().map(|client| {
            let mut sent = sent.again();
            client.sign(&signer, &mut sent);
            client.send(sent)
        });
        let mut bodies = std::collections::BTreeSet::new();
        for answer in join(answers).await {
            let kind = match answer.status {
                StatusCode::OK if answer.is_replayed() => "replayed".to_owned(),
                StatusCode::OK => "new".to_owned(),
                _ => answer.code(),
            };
            if answer.status == StatusCode::OK {
                bodies.insert(answer.body);
            }
            *seen.entry(kind).or_default() += 1;
        }
        assert_eq!(bodies.len(), 1);
        if seen.contains_key("idempotency_in_progress") {
            break;
        }
    }
    let rounds = seen["new"];
    assert_eq!(seen.values().sum::<u32>(), 6 * rounds, "{seen:?}");
    assert!(seen.contains_key("idempotency_in_progress"), "{seen:?}");
}

/// Polls all at once.
async fn join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *done = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

/// Sends a request and hangs up without reading, so long after its last byte.
async fn leave_after(world: &World, sent: &Sent, pause: Duration) {
    let address = world.server.local_addr();
    let mut text = format!(
        "POST /v1/decisions HTTP/1.1\r\nhost: localhost:{}\r\n",
        address.port()
    );
    for (name, value) in &sent.headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += &format!("content-length: {}\r\n\r\n", sent.body.len());
    let mut stream = tls(address, &world.ca_pem, b"http/1.1").await;
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.write_all(&sent.body).await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::sleep(pause).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_finds_its_decision_or_nothing_on_its_return() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let mut found = 0;
    for pause_ms in [0, 0, 1, 2, 4, 8, 16, 50, 200] {
        let id = unique("p");
        let mut sent = Sent::decision(&payment(&id));
        client.sign(&signer, &mut sent);
        leave_after(&world, &sent, Duration::from_millis(pause_ms)).await;
        let mut answer = client.signed(&signer, sent.again()).await;
        while answer.status == StatusCode::CONFLICT {
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer = client.signed(&signer, sent.again()).await;
        }
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
        found += u32::from(answer.is_replayed());
        let path = format!("/v1/decisions?payment_id={id}");
        let page = client
            .signed(&signer, Sent::new(Method::GET, &path, ""))
            .await
            .json();
        assert_eq!(page["decisions"].as_array().unwrap(), &[answer.json()]);
    }
    assert!(found > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_read_one_by_one_and_in_pages() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        let answer = client
            .signed(&signer, Sent::decision(&payment(&unique("p"))))
            .await;
        made.insert(0, answer.json());
    }
    let path = format!("/v1/decisions/{}", made[0]["id"].as_str().unwrap());
    let one = client
        .signed(&signer, Sent::new(Method::GET, &path, ""))
        .await;
    assert_eq!(one.json(), made[0]);
    let mut read = Vec::new();
    let mut path = "/v1/decisions?limit=2&outcome=approve&type=payment.card".to_owned();
    loop {
        let page = client
            .signed(&signer, Sent::new(Method::GET, &path, ""))
            .await
            .json();
        let decisions = page["decisions"].as_array().unwrap();
        assert!(decisions.len() <= 2);
        read.extend(decisions.iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/decisions?limit=2&cursor={cursor}");
    }
    assert_eq!(read, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_labels_work_through_the_door() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let first = client
        .signed(&signer, Sent::decision(&payment("first")))
        .await
        .json();
    let entries = "/v1/lists/denied_cards/entries";
    let reason = "card 4012888888881881 stolen";
    let entry = json!({ "card_number": "4012 8888 8888 1881", "reason": reason });
    let listed = client
        .signed(&signer, Sent::json(Method::PUT, entries, &entry))
        .await
        .json();
    assert_eq!(listed["value"], first["card"]["index"]);
    let denied = client
        .signed(&signer, Sent::decision(&payment("second")))
        .await
        .json();
    assert_eq!(denied["outcome"], "decline");
    assert_eq!(denied["reasons"][0]["code"], "denied_card");
    let page = client
        .signed(&signer, Sent::new(Method::GET, entries, ""))
        .await
        .json();
    // What somebody types into a reason is kept without the number.
    let kept = "card 40128888••••1881 stolen";
    assert_eq!(page["entries"][0]["reason"], kept);
    let lists = client
        .signed(&signer, Sent::new(Method::GET, "/v1/lists", ""))
        .await
        .json();
    assert_eq!(
        lists,
        json!({ "lists": [{ "name": "denied_cards", "entries": 1 }] })
    );
    let removal = Sent::json(Method::DELETE, entries, &entry);
    assert_eq!(client.signed(&signer, removal).await.status, StatusCode::OK);
    let third = client
        .signed(&signer, Sent::decision(&payment("third")))
        .await
        .json();
    assert_eq!(third["outcome"], "approve");

    let label = json!({ "payment_id": "first", "verdict": "fraud", "source": "analyst" });
    let sent = Sent::json(Method::POST, "/v1/labels", &label).header("idempotency-key", "label-1");
    let receipt = client.signed(&signer, sent.clone()).await;
    assert_eq!(receipt.status, StatusCode::CREATED);
    assert_eq!(receipt.json()["decision"], first["id"]);
    let again = client.signed(&signer, sent.again()).await;
    assert!(again.is_replayed());
    assert_eq!((again.status, again.body), (receipt.status, receipt.body));
    let labels = Sent::new(Method::GET, "/v1/payments/first/labels", "");
    let labels = client.signed(&signer, labels).await.json();
    assert_eq!(labels["labels"].as_array().unwrap().len(), 1);
    assert_eq!(labels["labels"][0]["verdict"], "fraud");
    let rules = client
        .signed(&signer, Sent::new(Method::GET, "/v1/rule-set", ""))
        .await
        .json();
    assert_eq!(rules["rules"][0]["id"], "test.denied_card");
    assert_eq!(rules["version"], first["rule_set"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaying_server_believes_known_at() {
    let world = World::start(Setup {
        trust_event_time: true,
        ..Setup::default()
    })
    .await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    client
        .signed(&signer, Sent::decision(&payment("first")))
        .await;
    let known_at = "2026-01-31T08:00:00Z";
    let label = json!({ "payment_id": "first", "verdict": "chargeback", "source": "chargeback",
        "known_at": known_at });
    let receipt = client
        .signed(&signer, Sent::json(Method::POST, "/v1/labels", &label))
        .await;
    assert_eq!(receipt.status, StatusCode::CREATED);
    let labels = Sent::new(Method::GET, "/v1/payments/first/labels", "");
    let labels = client.signed(&signer, labels).await.json();
    assert_eq!(labels["labels"][0]["known_at"], known_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_survive_a_restart_and_end_at_once() {
    let world = World::start(Setup::default()).await;
    let hmac = world.signer("acme", SignatureAlgorithm::HmacSha256).await;
    let ended = world.signer("acme", Ed25519).await;
    world
        .registry
        .revoke(author(), &ended.key_id)
        .await
        .unwrap();
    assert!(matches!(
        world.registry.revoke(author(), &ended.key_id).await,
        Err(Error::KeyRevoked(_))
    ));
    let world = world.restart(Setup::default()).await;
    let get = || Sent::new(Method::GET, "/v1/lists", "");
    let mut client = world.client(true).await;
    assert_eq!(client.signed(&hmac, get()).await.status, StatusCode::OK);
    assert_eq!(
        client.signed(&ended, get()).await.code(),
        "signature_invalid"
    );
    world.registry.revoke(author(), &hmac.key_id).await.unwrap();
    assert_eq!(
        client.signed(&hmac, get()).await.code(),
        "signature_invalid"
    );
    let key = world.registry.find(&hmac.key_id).unwrap();
    assert_eq!(
        (key.scopes, key.algorithm()),
        (Scopes::all(), "hmac-sha256")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_answers_what_it_has_begun() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(false).await;
    assert_eq!(client.get("/readyz").await.status, StatusCode::OK);
    let (address, ca) = (world.server.local_addr(), world.ca_pem.clone());
    let answer = tokio::spawn(async move {
        client
            .signed(&signer, Sent::decision(&payment(&unique("p"))))
            .await
    });
    tokio::time::sleep(Duration::from_millis(2)).await;
    world.server.shutdown().await;
    assert_eq!(answer.await.unwrap().status, StatusCode::OK);
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "{ca:?}"
    );
}
