//! Receipts: what they say, and that nobody can change them.

use crate::{
    support::{Place, on_both},
    world::{World, answer, code, who},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paywarden_crypto::{SignatureAlgorithm, VerifyingKey, jws};
use paywarden_privacy::consent::{Answer, RECEIPT_TYPE};
use serde_json::Value;

on_both! {
    receipts_verify_with_the_published_key_and_carry_the_record,
    a_receipt_cannot_be_changed_and_a_withdrawal_has_its_own,
    answers_that_could_not_be_shown_are_refused,
}

/// The payload, verified with nothing but what is published.
fn verified(world: &World, receipt: &str) -> Option<Value> {
    let keys = world.vault.receipt_keys().unwrap();
    let key = &keys["keys"][0];
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let public = VerifyingKey::from_public(SignatureAlgorithm::Ed25519, &public).unwrap();
    let header = jws::Header {
        kid: key["kid"].as_str(),
        typ: Some(RECEIPT_TYPE),
    };
    let payload = jws::verify(&public, header, receipt).unwrap()?;
    serde_json::from_slice(&payload).ok()
}

async fn receipts_verify_with_the_published_key_and_carry_the_record(place: Place) {
    let world = World::open(&place).await;
    let both = Answer {
        purposes: vec!["marketing".to_owned(), "analytics".to_owned()],
        days: Some(365),
        ..answer("liu", "marketing")
    };
    let key = who("acme", "key_1");
    let given = world.vault.give_consent(&key, &both).await.unwrap();
    let text = given.event.receipt.clone().unwrap();
    let receipt = verified(&world, &text).unwrap();
    let record = &receipt["dct:source"];
    assert_eq!(receipt["@type"], "dpv:ConsentReceipt");
    assert_eq!(receipt["dct:conformsTo"], "ISO/IEC TS 27560:2023");
    assert_eq!(record["dpv:hasDataSubject"], given.subject);
    assert_eq!(
        record["dpv:hasIdentifier"],
        given.standing.consents[0].record
    );
    let notice = world
        .vault
        .notice(&key.tenant, "standard", None)
        .await
        .unwrap();
    assert_eq!(record["dpv:hasNotice"]["sha256"], notice.sha256);
    let purposes = record["dpv:hasProcess"].as_array().unwrap();
    let types: Vec<_> = purposes
        .iter()
        .map(|one| &one["dpv:hasPurpose"]["@type"])
        .collect();
    assert_eq!(types, ["dpv:DirectMarketing", "dpv:ServiceUsageAnalytics"]);
    for one in purposes {
        for field in [
            "dpv:hasLegalBasis",
            "dpv:hasConsentStatus",
            "dpv:hasPersonalData",
            "dpv:hasRecipient",
            "dpv:hasStorageCondition",
            "dpv:hasDataController",
            "dpv:hasWithdrawalMethod",
        ] {
            assert!(!one[field].is_null(), "{field}: {one}");
        }
        assert_eq!(one["dpv:hasConsentStatus"], "dpv:ConsentGiven");
    }
    assert!(!receipt.to_string().contains("\"liu\""));
    world.close().await;
}

async fn a_receipt_cannot_be_changed_and_a_withdrawal_has_its_own(place: Place) {
    let world = World::open(&place).await;
    let both = Answer {
        purposes: vec!["marketing".to_owned(), "analytics".to_owned()],
        ..answer("liu", "marketing")
    };
    let key = who("acme", "key_1");
    let given = world.vault.give_consent(&key, &both).await.unwrap();
    let text = given.event.receipt.unwrap();
    let place = text.len() / 2;
    let swapped = if &text[place..=place] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{swapped}{}", &text[..place], &text[place + 1..]);
    assert_eq!(verified(&world, &changed), None);
    // One of two is withdrawn: its receipt speaks of that one.
    let one = ["marketing".to_owned()];
    let withdrawn = world
        .vault
        .withdraw_consent(&key, "liu", &one)
        .await
        .unwrap();
    let receipt = verified(&world, &withdrawn.event.receipt.unwrap()).unwrap();
    let process = &receipt["dct:source"]["dpv:hasProcess"];
    assert_eq!(process.as_array().unwrap().len(), 1);
    assert_eq!(process[0]["dpv:hasConsentStatus"], "dpv:ConsentWithdrawn");
    let (_, _, events) = world.vault.standing(&key.tenant, "liu", 10).await.unwrap();
    assert_eq!(events[1].receipt.as_ref(), Some(&text));
    world.close().await;
}

async fn answers_that_could_not_be_shown_are_refused(place: Place) {
    let world = World::open(&place).await;
    let good = || answer("liu", "marketing");
    type Change = fn(&mut Answer);
    let changes: [(Change, &str); 9] = [
        (|one| one.purposes.clear(), "consent_refused"),
        (|one| one.notice_version = 1, "consent_refused"),
        (|one| one.notice = "other".to_owned(), "notice_unknown"),
        (|one| one.language = "fr".to_owned(), "consent_refused"),
        (|one| one.method = "By Phone".to_owned(), "consent_refused"),
        (|one| one.days = Some(0), "consent_refused"),
        (|one| one.days = Some(3_661), "consent_refused"),
        (
            |one| one.purposes = vec!["profiling".to_owned()],
            "consent_refused",
        ),
        (|one| one.subject.clear(), "vault_request_malformed"),
    ];
    for (change, expected) in changes {
        let mut wrong = good();
        change(&mut wrong);
        let refused = world
            .vault
            .give_consent(&who("acme", "key_1"), &wrong)
            .await;
        assert_eq!(code(refused), expected, "{wrong:?}");
    }
    assert_eq!(world.store.leaves().await, 0);
    world.close().await;
}
