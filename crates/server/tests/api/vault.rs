//! The vault by API.

use crate::support::{Client, Sent, Setup, Signer, World, payment};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::{Keyring, SignatureAlgorithm::Ed25519};
use serde_json::{Value, json};

const CARD: &str = "4012888888881881";

async fn post(
    client: &mut Client,
    signer: &Signer,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    let answer = client
        .signed(signer, Sent::json(Method::POST, path, &body))
        .await;
    (answer.status, answer.json())
}

async fn ok(client: &mut Client, signer: &Signer, path: &str, body: Value) -> Value {
    let (status, json) = post(client, signer, path, body).await;
    assert_eq!(status, StatusCode::OK, "{path} {json}");
    json
}

async fn code(client: &mut Client, signer: &Signer, path: &str, body: Value) -> String {
    let (status, json) = post(client, signer, path, body).await;
    assert!(!status.is_success(), "{path} {json}");
    json["code"].as_str().unwrap().to_owned()
}

fn card(subject: &str) -> Value {
    json!({ "subject": subject, "class": "card_number", "value": CARD })
}

/// Keeps four values of one person: the token of the card, and those of the others.
async fn keep_person(client: &mut Client, acme: &Signer) -> (Value, Vec<Value>) {
    let keep = json!({ "purpose": "onboarding", "item": card("liu") });
    let kept = ok(client, acme, "/v1/vault/tokenize", keep.clone()).await;
    assert_eq!(kept["masked"], "40128888••••1881");
    let again = ok(client, acme, "/v1/vault/tokenize", keep).await;
    assert_eq!(again["token"], kept["token"]);
    let items = json!([
        { "subject": "liu", "class": "name", "value": "Liu Wei" },
        { "subject": "liu", "class": "birth_date", "value": "1990-02-03" },
        { "subject": "liu", "class": "free_form", "value": "once", "once": true },
    ]);
    let batch = json!({ "purpose": "onboarding", "items": items });
    let batch = ok(client, acme, "/v1/vault/tokenize/batch", batch).await;
    let tokens = batch["tokens"].as_array().unwrap().iter();
    let tokens = tokens.map(|kept| kept["token"].clone()).collect();
    (kept["token"].clone(), tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_found_masked() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    keep_person(&mut client, &acme).await;
    for (by, found) in [
        (
            json!({ "exact": { "class": "card_number", "value": "4012 8888 8888 1881" } }),
            1,
        ),
        (
            json!({ "last_four": { "class": "card_number", "last_four": "1881" } }),
            1,
        ),
        (
            json!({ "person": { "name": "LIU wei", "birth_date": "1990-02-03" } }),
            1,
        ),
        (json!({ "subject": "liu" }), 4),
        (json!({ "subject": "wang" }), 0),
    ] {
        let search = json!({ "purpose": "customer_service", "by": by });
        let json = ok(&mut client, &acme, "/v1/vault/search", search).await;
        assert_eq!(json["records"].as_array().unwrap().len(), found, "{json}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_goes_in_is_read_and_erased() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let (card, others) = keep_person(&mut client, &acme).await;
    let read = json!({ "purpose": "settlement", "token": card });
    let value = ok(&mut client, &acme, "/v1/vault/detokenize", read.clone()).await;
    assert_eq!(value["value"], CARD);
    let tokens = json!([card, others[0], others[2], others[2], "tok_card_forged"]);
    let many = json!({ "purpose": "settlement", "tokens": tokens });
    let values = ok(&mut client, &acme, "/v1/vault/detokenize/batch", many).await;
    let values = &values["values"];
    let seen = [
        &values[0]["value"],
        &values[1]["value"],
        &values[2]["value"],
    ];
    assert_eq!(seen, [CARD, "Liu Wei", "once"]);
    assert_eq!(
        (&values[3]["refused"], &values[4]["refused"]),
        (&json!("token_unknown"), &json!("token_refused"))
    );
    let delete = json!({ "purpose": "mistake", "token": others[0] });
    ok(&mut client, &acme, "/v1/vault/delete", delete.clone()).await;
    assert_eq!(
        code(&mut client, &acme, "/v1/vault/delete", delete).await,
        "token_unknown"
    );
    let forget = json!({ "purpose": "request 17", "subject": "liu" });
    let erased = ok(&mut client, &acme, "/v1/vault/forget", forget).await;
    assert_eq!(erased["records"], 2);
    assert_eq!(
        code(&mut client, &acme, "/v1/vault/detokenize", read).await,
        "token_unknown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scope_opens_its_own_routes() {
    let world = World::start(Setup::default()).await;
    let writer = world
        .signer_with("acme", Ed25519, Scopes::of(&[Scope::VaultWrite]))
        .await;
    let mut client = world.client(true).await;
    let kept = json!({ "purpose": "settlement", "item": card("liu") });
    let kept = ok(&mut client, &writer, "/v1/vault/tokenize", kept).await;
    for (path, body) in [
        (
            "/v1/vault/detokenize",
            json!({ "purpose": "settlement", "token": kept["token"] }),
        ),
        (
            "/v1/vault/search",
            json!({ "purpose": "settlement", "by": { "subject": "liu" } }),
        ),
        (
            "/v1/vault/forget",
            json!({ "purpose": "p", "subject": "liu" }),
        ),
        (
            "/v1/vault/rotation",
            json!({ "purpose": "p", "step": "begin" }),
        ),
        ("/data/retrieve", json!({})),
    ] {
        assert_eq!(
            code(&mut client, &writer, path, body).await,
            "scope_insufficient",
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_repeat_nothing() {
    let world = World::start(Setup::default()).await;
    let scopes = Scopes::of(&[Scope::VaultWrite]);
    let writer = world.signer_with("acme", Ed25519, scopes).await;
    let mut client = world.client(true).await;
    let wrong = "4012888888881882";
    for (item, expected) in [
        (
            json!({ "subject": "liu", "class": "card_number", "value": wrong }),
            "vault_value_refused",
        ),
        (
            json!({ "subject": "liu", "class": "cvv", "value": wrong }),
            "vault_class_unknown",
        ),
        (
            json!({ "subject": "", "class": "card_number", "value": CARD }),
            "vault_request_malformed",
        ),
        (
            json!({ "subject": "liu", "class": "card_number", "value": { "a": wrong } }),
            "field_invalid",
        ),
    ] {
        let body = json!({ "purpose": "settlement", "item": item });
        let answer = client.signed(
            &writer,
            Sent::json(Method::POST, "/v1/vault/tokenize", &body),
        );
        let answer = answer.await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains(wrong) && !text.contains(CARD), "{text}");
        assert_eq!(answer.json()["code"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_of_a_decision_is_in_the_vault_once_and_the_trail_holds() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    for number in 0..3 {
        let sent = Sent::decision(&payment(&format!("pay-{number}")));
        let answer = client.signed(&acme, sent).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let search = json!({ "purpose": "settlement", "by": { "subject": "payer-1" } });
    let found = ok(&mut client, &acme, "/v1/vault/search", search).await;
    assert_eq!(found["records"].as_array().unwrap().len(), 1);
    let read = json!({ "purpose": "settlement", "token": found["records"][0]["token"] });
    let value = ok(&mut client, &acme, "/v1/vault/detokenize", read).await;
    assert_eq!(value["value"], CARD);
    let verdict = world.database.verify(None).await.unwrap();
    assert!(
        matches!(verdict, paywarden_store::Verdict::Intact(_)),
        "{verdict:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_are_begun_held_and_finished() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let kept = json!({ "purpose": "settlement", "item": card("liu") });
    ok(&mut client, &acme, "/v1/vault/tokenize", kept).await;
    let begin = json!({ "purpose": "daily", "step": "begin" });
    let (status, _) = post(&mut client, &acme, "/v1/vault/rotation", begin).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    loop {
        let json = rotation(&mut client, &acme).await;
        assert_eq!(
            (&json["newest"], &json["living"]),
            (&json!(2), &json!([1, 2]))
        );
        if json["keys"] == json!([{ "epoch": 2, "keys": 1 }]) {
            break;
        }
        tokio::task::yield_now().await;
    }
    // The secret of the old epoch is destroyed by the votes of two who turn no keys.
    let end = |before: i64| json!({ "command": { "epoch_end": { "before": before } }, "reason": "daily" });
    let ahead = code(&mut client, &acme, "/v1/approvals", end(3)).await;
    assert_eq!(ahead, "epoch_unknown");
    let (_, asked) = post(&mut client, &acme, "/v1/approvals", end(2)).await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let vote = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "count is zero",
    });
    let execution = json!({ "purpose": "as approved" });
    let turner = world.signer("acme", Ed25519).await;
    let (votes, carried) = (format!("{path}/votes"), format!("{path}/execution"));
    let refused = code(&mut client, &turner, &votes, vote.clone()).await;
    assert_eq!(
        refused, "approval_forbidden",
        "who turns keys approves none of it"
    );
    for number in 0..2 {
        let early = code(&mut client, &acme, &carried, execution.clone()).await;
        assert_eq!(early, "approval_votes", "{number} votes");
        let scopes = Scopes::of(&[Scope::ApprovalsVote]);
        let voter = world.signer_with("acme", Ed25519, scopes).await;
        ok(&mut client, &voter, &votes, vote.clone()).await;
    }
    let (status, json) = post(&mut client, &acme, &carried, execution).await;
    assert!(status.is_success(), "{json}");
    assert_eq!(rotation(&mut client, &acme).await["living"], json!([2]));
}

async fn rotation(client: &mut Client, acme: &Signer) -> Value {
    let sent = Sent::new(Method::GET, "/v1/vault/rotation", "");
    client.signed(acme, sent).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_of_the_card_vault_answer_as_they_did() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let customer = |mut body: Value| {
        body["merchant_id"] = json!("m0100");
        body["merchant_customer_id"] = json!("c1");
        body
    };
    let data =
        json!({ "card_number": CARD, "name_on_card": "John Smith", "card_exp_year": "2030" });
    let add = customer(json!({ "card": data }));
    let added = ok(&mut client, &acme, "/data/add", add.clone()).await;
    assert_eq!(added["status"], "Ok");
    let again = ok(&mut client, &acme, "/data/add", add).await;
    assert_eq!(again["payload"], added["payload"]);
    let reference = added["payload"]["card_reference"].clone();
    let named = customer(json!({ "card_reference": reference }));
    let got = ok(&mut client, &acme, "/data/retrieve", named.clone()).await;
    assert_eq!(got["payload"]["card"], data);
    let mut other = named.clone();
    other["merchant_customer_id"] = json!("c2");
    for path in ["/data/retrieve", "/data/delete"] {
        assert_eq!(
            code(&mut client, &acme, path, other.clone()).await,
            "token_unknown"
        );
    }
    let encrypted = customer(json!({ "enc_card_data": "qwe4tyusdfg" }));
    let added = ok(&mut client, &acme, "/data/add", encrypted).await;
    let again = customer(json!({ "card_reference": added["payload"]["card_reference"] }));
    let got = ok(&mut client, &acme, "/data/retrieve", again).await;
    assert_eq!(got["payload"], json!({ "enc_card_data": "qwe4tyusdfg" }));
    assert_eq!(
        ok(&mut client, &acme, "/data/delete", named.clone()).await,
        json!({ "status": "Ok" })
    );
    assert_eq!(
        code(&mut client, &acme, "/data/retrieve", named).await,
        "token_unknown"
    );
}

/// Defect 3 of a peer: the key of a fingerprint came with the request.
#[tokio::test(flavor = "multi_thread")]
async fn defect_3_a_key_in_the_request_does_not_choose_the_fingerprint() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let mut seen = Vec::new();
    for hash_key in ["123", "456"] {
        let body = json!({ "card": { "card_number": CARD }, "hash_key": hash_key });
        let answer = ok(&mut client, &acme, "/cards/fingerprint", body).await;
        seen.push(answer["payload"]["fingerprint"].clone());
    }
    assert_eq!(seen[0], seen[1]);
    let decided = client
        .signed(&acme, Sent::decision(&payment("p")))
        .await
        .json();
    assert_eq!(decided["card"]["index"], seen[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn custodians_prove_that_their_shares_make_the_master_key() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let shares = Keyring::split_file(&world.master_key(), 3, 2).unwrap();
    let other = world.folder_file("other.key");
    Keyring::open_or_create(&other).unwrap();
    let wrong = Keyring::split_file(&other, 3, 2).unwrap();
    for (pair, expected) in [
        ([&shares[0], &shares[2]], "Decryption successful"),
        ([&shares[1], &shares[1]], "1 of 2 shares were given"),
        (
            [&wrong[0], &wrong[1]],
            "the shares make another key than this server's",
        ),
        (
            [&shares[0], &wrong[1]],
            "share refused: the shares are of different keys",
        ),
    ] {
        for (number, share) in (1..).zip(pair) {
            let body = json!({ "key": share.to_line().as_str() });
            let path = format!("/custodian/key{number}");
            let answer = client
                .signed(&acme, Sent::json(Method::POST, &path, &body))
                .await;
            assert_eq!(answer.body, format!("Received Key{number}"));
        }
        let answer = client
            .signed(&acme, Sent::new(Method::POST, "/custodian/decrypt", ""))
            .await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_room_for_long_values_and_other_bodies_do_not() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let long = |number: usize| {
        json!({
            "subject": "liu", "class": "free_form",
            "value": format!("{number:03}{}", "x".repeat(16 * 1024 - 3)),
            "details": "y".repeat(8 * 1024),
        })
    };
    let items: Vec<_> = (0..100).map(long).collect();
    let batch = json!({ "purpose": "settlement", "items": items });
    let kept = ok(&mut client, &acme, "/v1/vault/tokenize/batch", batch).await;
    let tokens: Vec<_> = kept["tokens"].as_array().unwrap().iter().collect();
    let tokens: Vec<_> = tokens.iter().map(|kept| &kept["token"]).collect();
    let read = json!({ "purpose": "settlement", "tokens": tokens });
    let read = ok(&mut client, &acme, "/v1/vault/detokenize/batch", read).await;
    let values = read["values"].as_array().unwrap();
    assert_eq!(values.len(), 100);
    assert!(values[99]["value"].as_str().unwrap().starts_with("099xxx"));
    // One value has the room of one event.
    let pad = " ".repeat(64 * 1024);
    for (path, body) in [
        ("/v1/vault/tokenize", json!({ "purpose": pad })),
        ("/v1/vault/detokenize", json!({ "purpose": pad })),
        (
            "/v1/vault/tokenize/batch",
            json!({ "purpose": "x".repeat(4 * 1024 * 1024) }),
        ),
    ] {
        assert_eq!(code(&mut client, &acme, path, body).await, "body_too_large");
    }
}
