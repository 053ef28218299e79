//! Keys with terms: from where, with which certificate, until when; and who looks after them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use http::{Method, StatusCode};
use paywarden_access::{Network, terms::CertificateHash};
use paywarden_crypto::{SignatureAlgorithm::Ed25519, SigningKey};
use rustls::{pki_types::PrivateKeyDer, sign::CertifiedKey};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{
    Client, Person, Sent, Setup, Signer, World, author,
    client::{Answer, ClientIdentity},
};

async fn lists(client: &mut Client, signer: &Signer) -> Answer {
    let sent = Sent::new(Method::GET, "/v1/lists", "");
    client.signed(signer, sent).await
}

fn identity() -> (ClientIdentity, CertificateHash) {
    let made = rcgen::generate_simple_self_signed(vec!["shop".to_owned()]).unwrap();
    let hash = CertificateHash::of(made.cert.der());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    ((vec![made.cert.der().clone()], key), hash)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_from_its_networks_alone() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let bind = async |networks: &[&str]| {
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        world
            .registry
            .bind(author(), &signer.key_id, networks, None)
            .await
            .unwrap();
    };
    bind(&["10.0.0.0/8", "2001:db8::/32"]).await;
    let refused = lists(&mut client, &signer).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::FORBIDDEN, "network_not_allowed".into())
    );
    // Whoever has not the key does not learn where it may be used.
    let thief = Signer {
        key_id: signer.key_id.clone(),
        key: SigningKey::generate(Ed25519).unwrap(),
    };
    assert_eq!(lists(&mut client, &thief).await.code(), "signature_invalid");
    bind(&["10.0.0.0/8", "127.0.0.0/8"]).await;
    assert_eq!(lists(&mut client, &signer).await.status, StatusCode::OK);
    bind(&[]).await;
    assert_eq!(lists(&mut client, &signer).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_key_is_taken_with_its_certificate_alone() {
    let setup = Setup {
        client_certificates: true,
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let signer = world.signer("acme", Ed25519).await;
    let (mine, hash) = identity();
    let (other, _) = identity();
    world
        .registry
        .bind(author(), &signer.key_id, Vec::new(), Some(hash))
        .await
        .unwrap();
    let unbound = world.signer("acme", Ed25519).await;
    for http2 in [true, false] {
        for (identity, is_taken) in [
            (Some((mine.0.clone(), mine.1.clone_key())), true),
            (Some((other.0.clone(), other.1.clone_key())), false),
            (None, false),
        ] {
            let address = world.server.local_addr();
            let mut client = Client::connect_with(address, &world.ca_pem, http2, identity).await;
            let answer = lists(&mut client, &signer).await;
            match is_taken {
                true => assert_eq!(answer.status, StatusCode::OK),
                false => assert_eq!(answer.code(), "client_certificate_required"),
            }
            assert_eq!(lists(&mut client, &unbound).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_its_key_does_not_get_through_the_handshake() {
    let setup = Setup {
        client_certificates: true,
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let (mine, _) = identity();
    let (other, _) = identity();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&other.1).unwrap();
    let forged = Arc::new(CertifiedKey::new(mine.0, key));
    assert!(support::client::is_shut_out(world.server.local_addr(), &world.ca_pem, forged).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn custodians_make_and_rotate_keys_of_programs() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["key_custodian"]).await;
    let new = |scopes: &[&str]| json!({ "algorithm": "ed25519", "scopes": scopes, "description": "shop", "purpose": "new shop" });
    for scope in ["staff:write", "roles:grant", "everything"] {
        assert_eq!(
            liu.post("/v1/keys", Some(&new(&[scope]))).await.code(),
            "field_invalid",
            "{scope}"
        );
    }
    let made = liu.post("/v1/keys", Some(&new(&["lists:read"]))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let old = signer(&made.json());
    let mut client = world.client(true).await;
    assert_eq!(lists(&mut client, &old).await.status, StatusCode::OK);

    let rotation = json!({ "overlap_hours": 1, "purpose": "yearly" });
    let path = format!("/v1/keys/{}/rotation", old.key_id);
    let rotated = liu.post(&path, Some(&rotation)).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{:?}", rotated.json());
    let fresh = signer(&rotated.json());
    for signer in [&old, &fresh] {
        assert_eq!(lists(&mut client, signer).await.status, StatusCode::OK);
    }
    assert_eq!(liu.post(&path, Some(&rotation)).await.code(), "key_ended");
    // Without an overlap the old key ends at once.
    let at_once = json!({ "overlap_hours": 0, "purpose": "leaked" });
    let path = format!("/v1/keys/{}/rotation", fresh.key_id);
    let newest = signer(&liu.post(&path, Some(&at_once)).await.json());
    assert_eq!(lists(&mut client, &fresh).await.code(), "signature_invalid");
    assert_eq!(lists(&mut client, &newest).await.status, StatusCode::OK);

    let all = liu.get("/v1/keys").await.json();
    let all = all["keys"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    let line = all
        .iter()
        .find(|key| key["id"] == old.key_id.as_str())
        .unwrap();
    assert!(line["last_used_on"].is_string() && line["replaced_by"] == fresh.key_id.as_str());
    assert_eq!(line.get("private_half"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn custodians_bind_and_end_keys_of_their_company_alone() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["key_custodian"]).await;
    let newest = world.signer("acme", Ed25519).await;
    let theirs = world.signer("other", Ed25519).await;
    let mut client = world.client(true).await;
    let rotation = json!({ "overlap_hours": 1, "purpose": "yearly" });
    let binding = json!({ "networks": ["10.0.0.0/8"], "purpose": "data centre" });
    let path = format!("/v1/keys/{}/binding", newest.key_id);
    let bound = liu.send(Method::PUT, &path, Some(&binding)).await.json();
    assert_eq!(bound["networks"], json!(["10.0.0.0/8"]));
    assert_eq!(
        lists(&mut client, &newest).await.code(),
        "network_not_allowed"
    );
    let crooked = json!({ "networks": ["10.0.0.1/8"], "purpose": "data centre" });
    assert_eq!(
        liu.send(Method::PUT, &path, Some(&crooked)).await.code(),
        "field_invalid"
    );

    let end = json!({ "purpose": "shop closed" });
    let path = format!("/v1/keys/{}/revocation", newest.key_id);
    assert_eq!(liu.post(&path, Some(&end)).await.json()["is_live"], false);
    for what in ["rotation", "revocation"] {
        let path = format!("/v1/keys/{}/{what}", theirs.key_id);
        let body = if what == "rotation" { &rotation } else { &end };
        assert_eq!(
            liu.post(&path, Some(body)).await.code(),
            "key_unknown",
            "{what}"
        );
    }
}

fn signer(made: &Value) -> Signer {
    let pem = made["private_half"].as_str().unwrap();
    Signer {
        key_id: made["key"]["id"].as_str().unwrap().to_owned(),
        key: SigningKey::from_private(Ed25519, pem.as_bytes()).unwrap(),
    }
}
