//! Keys with terms: from where, with which certificate, until when; and who looks after them.

use crate::support::{
    Client, Person, Sent, Setup, Signer, World, author,
    client::{Answer, ClientIdentity},
};
use http::{Method, StatusCode};
use paywarden_access::{Network, terms::CertificateHash};
use paywarden_crypto::{SignatureAlgorithm::Ed25519, SigningKey};
use rustls::{pki_types::PrivateKeyDer, sign::CertifiedKey};
use serde_json::{Value, json};
use std::sync::Arc;

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
    assert!(
        crate::support::client::is_shut_out(world.server.local_addr(), &world.ca_pem, forged).await
    );
}

/// Somebody who asks for keys, and somebody who approves them.
async fn custodian_and_guard(world: &World) -> [Person; 2] {
    let guard = ["security_administrator"];
    [
        Person::with_roles(world, "acme", "liu@example.com", &["key_custodian"]).await,
        Person::with_roles(world, "acme", "wang@example.com", &guard).await,
    ]
}

/// Asked for by one, approved by the other; the approval.
async fn approved([liu, wang]: &mut [Person; 2], change: Value) -> Value {
    let body = json!({ "command": { "key_change": change }, "reason": "as planned" });
    let asked = liu.post("/v1/approvals", Some(&body)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json());
    let asked = asked.json();
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "as planned",
    });
    let votes = format!("/v1/approvals/{}/votes", asked["id"].as_str().unwrap());
    assert_eq!(
        liu.post(&votes, Some(&vote)).await.code(),
        "scope_insufficient"
    );
    let voted = wang.post(&votes, Some(&vote)).await;
    assert_eq!(voted.status, StatusCode::OK, "{}", voted.json());
    asked["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn custodians_make_and_rotate_keys_of_programs_by_approval() {
    let world = World::start(Setup::default()).await;
    let mut people = custodian_and_guard(&world).await;
    let new = |scopes: &[&str], approval: &Value| {
        json!({
            "algorithm": "ed25519", "scopes": scopes, "description": "shop",
            "purpose": "new shop", "approval": approval,
        })
    };
    for scope in ["staff:write", "roles:grant", "everything"] {
        let refused = people[0]
            .post("/v1/keys", Some(&new(&[scope], &Value::Null)))
            .await;
        assert_eq!(refused.code(), "field_invalid", "{scope}");
    }
    let bare = new(&["lists:read"], &Value::Null);
    let bare = people[0].post("/v1/keys", Some(&bare)).await;
    assert_eq!(bare.code(), "approval_missing");
    let create = json!({ "create": {
        "algorithm": "ed25519", "scopes": ["lists:read"], "description": "shop",
    }});
    let approval = approved(&mut people, create).await;
    // More than was approved.
    let more = new(&["lists:read", "lists:write"], &approval);
    let more = people[0].post("/v1/keys", Some(&more)).await;
    assert_eq!(more.code(), "approval_other_payload");
    let made = new(&["lists:read"], &approval);
    let made = people[0].post("/v1/keys", Some(&made)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    let old = signer(&made.json());
    let mut client = world.client(true).await;
    assert_eq!(lists(&mut client, &old).await.status, StatusCode::OK);
    is_rotated(&world, &mut people, &old).await;
}

async fn is_rotated(world: &World, people: &mut [Person; 2], old: &Signer) {
    let mut client = world.client(true).await;
    let rotate = |id: &str, hours| json!({ "rotate": { "key_id": id, "overlap_hours": hours } });
    let path = format!("/v1/keys/{}/rotation", old.key_id);
    let by =
        |approval: Value| json!({ "overlap_hours": 1, "purpose": "yearly", "approval": approval });
    let approval = approved(people, rotate(&old.key_id, 1)).await;
    let rotated = people[0].post(&path, Some(&by(approval))).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{}", rotated.json());
    let fresh = signer(&rotated.json());
    for signer in [old, &fresh] {
        assert_eq!(lists(&mut client, signer).await.status, StatusCode::OK);
    }
    let approval = approved(people, rotate(&old.key_id, 1)).await;
    let again = people[0].post(&path, Some(&by(approval))).await;
    assert_eq!(again.code(), "key_ended");
    // Without an overlap the old key ends at once; carried out where it was asked for.
    let approval = approved(people, rotate(&fresh.key_id, 0)).await;
    let path = format!("/v1/approvals/{}/execution", approval.as_str().unwrap());
    let at_once = json!({ "purpose": "leaked" });
    let done = people[0].post(&path, Some(&at_once)).await.json();
    let newest = signer(&done["key"]);
    assert_eq!(lists(&mut client, &fresh).await.code(), "signature_invalid");
    assert_eq!(lists(&mut client, &newest).await.status, StatusCode::OK);

    let all = people[0].get("/v1/keys").await.json();
    let all = all["keys"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    let line = all.iter().find(|key| key["id"] == old.key_id.as_str());
    let line = line.unwrap();
    assert!(line["last_used_on"].is_string() && line["replaced_by"] == fresh.key_id.as_str());
    assert_eq!(line.get("private_half"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn custodians_bind_and_end_keys_of_their_company_alone() {
    let world = World::start(Setup::default()).await;
    let mut people = custodian_and_guard(&world).await;
    let newest = world.signer("acme", Ed25519).await;
    let theirs = world.signer("other", Ed25519).await;
    let mut client = world.client(true).await;
    let bind = json!({ "bind": { "key_id": newest.key_id, "networks": ["10.0.0.0/8"] } });
    let approval = approved(&mut people, bind).await;
    let binding = json!({
        "networks": ["10.0.0.0/8"], "purpose": "data centre", "approval": approval,
    });
    let path = format!("/v1/keys/{}/binding", newest.key_id);
    let [liu, wang] = &mut people;
    let bound = liu.send(Method::PUT, &path, Some(&binding)).await.json();
    assert_eq!(bound["networks"], json!(["10.0.0.0/8"]), "{bound}");
    let refused = lists(&mut client, &newest).await;
    assert_eq!(refused.code(), "network_not_allowed");
    let crooked = json!({ "networks": ["10.0.0.1/8"], "purpose": "data centre" });
    let crooked = liu.send(Method::PUT, &path, Some(&crooked)).await;
    assert_eq!(crooked.code(), "field_invalid");

    // It is with others: it ends at once, and somebody else looks at it afterwards.
    let revoke = json!({ "revoke": { "key_id": newest.key_id } });
    let body = json!({ "command": { "key_change": revoke }, "reason": "it is on the web" });
    let asked = liu.post("/v1/approvals", Some(&body)).await.json();
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let body = json!({ "purpose": "p", "emergency": "it is on the web" });
    let ended = liu
        .post(&format!("{path}/execution"), Some(&body))
        .await
        .json();
    assert_eq!(ended["key"]["key"]["is_live"], false, "{ended}");
    let review = json!({ "finding": "justified", "note": "seen there" });
    let reviewed = wang.post(&format!("{path}/review"), Some(&review)).await;
    assert_eq!(reviewed.status, StatusCode::OK, "{}", reviewed.json());

    let rotation = json!({ "overlap_hours": 1, "purpose": "yearly" });
    let end = json!({ "purpose": "shop closed" });
    for (what, body) in [("rotation", &rotation), ("revocation", &end)] {
        let path = format!("/v1/keys/{}/{what}", theirs.key_id);
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
