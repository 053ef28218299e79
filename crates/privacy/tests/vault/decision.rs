//! The card of a payment: what leaves the vault, and what must not.

use crate::world::*;
use paywarden_crypto::Keyring;
use paywarden_domain::{Card, CardInput, Event, Invalid, Pan, TenantId};
use paywarden_privacy::{
    Deposit, Search,
    vault::{Refusal, is_card_index},
};
use paywarden_store::{Entry, Row};

const CVV: &str = "9173";

fn event(card: &str, payer: &str) -> Event<CardInput> {
    let text = format!(
        r#"{{"id":"p1","type":"payment.card","occurred_at":"2026-01-31T08:00:00Z","card":{card}{payer}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

async fn take(world: &World, card: &str) -> Result<(Event<Card>, Deposit), Refusal> {
    let payer = r#","payer":{"id":"customer-1"}"#;
    world
        .vault
        .take_card(&by("acme").tenant, event(card, payer))
        .await
}

async fn refusal(world: &World, card: &str) -> Invalid {
    match take(world, card).await.err().unwrap() {
        Refusal::Invalid(invalid) => invalid,
        refusal => panic!("{refusal}"),
    }
}

async fn write(world: &World, rows: Vec<Row>) {
    let entry = Entry {
        tenant: by("acme").tenant,
        actor: by("acme").actor,
        purpose: "payment decision".into(),
        action: "decision.create",
        object: "dec_1".to_owned(),
        rows,
    };
    world.journal.append(entry).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_number_nor_its_code_leaves_the_vault() {
    let world = World::new().await;
    let card = format!(r#"{{"number":"4012 8888-8888 1881","cvv":"{CVV}"}}"#);
    let (event, mut deposit) = take(&world, &card).await.unwrap();
    let index = event.card.as_ref().unwrap().index.to_string();
    let rows = deposit.take_rows();
    for trace in [
        serde_json::to_string(&event).unwrap(),
        format!("{event:?}"),
        format!("{rows:?}"),
    ] {
        let trace = trace.replace(&index, "");
        // One digit more than may be shown at either end, the code, and the code's name.
        for secret in ["401288888", "81881", "4012 8888", "8888-8888", CVV, "cvv\""] {
            assert!(!trace.contains(secret), "{trace}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_is_kept_with_the_decision_once_and_is_read_back() {
    let world = World::new().await;
    let card = format!(r#"{{"number":"{CARD}"}}"#);
    let (_, mut deposit) = take(&world, &card).await.unwrap();
    write(&world, deposit.take_rows()).await;
    world.vault.kept(deposit);
    let (_, mut again) = take(&world, &card).await.unwrap();
    assert!(again.take_rows().is_empty(), "remembered");
    drop(again);
    let search = Search::Subject("customer-1".to_owned());
    let found = world.vault.search(&by("acme"), &search).await.unwrap();
    assert_eq!(found.records[0].masked, "40128888••••1881");
    assert_eq!(
        world.read(&found.records[0].token).await.as_deref(),
        Ok(CARD)
    );
    // After a restart it is sealed again, and the store keeps the first.
    let world = world.restart(|_| {}).await;
    let (_, mut deposit) = take(&world, &card).await.unwrap();
    write(&world, deposit.take_rows()).await;
    drop(deposit);
    assert_eq!(world.number("SELECT COUNT(*) FROM vault_records").await, 1);
    assert_eq!(world.keys_made().await, 1);
    world.assert_intact().await;
    let erased = world
        .vault
        .forget(&by("acme"), "customer-1", None)
        .await
        .unwrap();
    assert_eq!((erased.records, erased.keys), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_do_not_repeat_what_was_sent() {
    let world = World::new().await;
    for card in [
        format!(r#"{{"cvv":"{CVV}"}}"#),
        format!(r#"{{"index":"card_{CARD}","cvv":"{CVV}"}}"#),
    ] {
        let text = refusal(&world, &card).await.to_string();
        assert!(!text.contains(CARD) && !text.contains(CVV), "{text}");
    }
}

/// Windows and lists know cards by their index: it must stay what it was before there were records.
#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_the_one_that_windows_and_lists_know() {
    let world = World::new().await;
    let index = |tenant: &str, number: &str| {
        let (tenant, number) = (
            TenantId::parse(tenant).unwrap(),
            Pan::parse(number).unwrap(),
        );
        world.vault.card_index(&tenant, &number)
    };
    assert_eq!(index("acme", CARD), index("acme", "4012-8888-8888-1881"));
    assert!(is_card_index(&index("acme", CARD)));
    assert_ne!(index("acme", CARD), index("acme", "5555555555554444"));
    let hash = Keyring::index_for(&world.keyring, "card number").unwrap();
    let hash = hash.of("acme", CARD.as_bytes());
    let digits: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(index("acme", CARD), format!("card_{digits}"));
    let (first, _) = take(&world, &format!(r#"{{"number":"{CARD}"}}"#))
        .await
        .unwrap();
    let known = first.card.unwrap().index;
    let (again, mut deposit) = take(&world, &format!(r#"{{"index":"{known}"}}"#))
        .await
        .unwrap();
    assert_eq!(again.card.unwrap().index, known);
    assert!(deposit.take_rows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_without_number_or_with_another_index_is_refused() {
    let world = World::new().await;
    assert_eq!(refusal(&world, "{}").await.code, "card_number_missing");
    for index in [
        "card_",
        "4111",
        "card_0123456789ABCDEF0123456789abcdef",
        "0123456789abcdef",
    ] {
        let code = refusal(&world, &format!(r#"{{"index":"{index}"}}"#))
            .await
            .code;
        assert_eq!(code, "card_index_malformed", "{index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_not_named_by_a_card_number() {
    let world = World::new().await;
    for (id, original, refused) in [
        (CARD, "p0", Some("id")),
        ("4012-8888-8888-1881", "p0", Some("id")),
        ("p1", CARD, Some("original_id")),
        ("p-4012888888881881", "4012888888881882", None),
        // What no brand has, whatever its check digit says.
        ("1764137676123454", "20260131000000000000", None),
    ] {
        let text = format!(
            r#"{{"id":"{id}","original_id":"{original}","type":"login","occurred_at":"2026-01-31T08:00:00Z"}}"#
        );
        let event: Event<CardInput> = serde_json::from_str(&text).unwrap();
        let taken = world.vault.take_card(&by("acme").tenant, event).await;
        match (taken.err(), refused) {
            (Some(Refusal::Identifier(field)), Some(expected)) => assert_eq!(field, expected),
            (None, None) => {}
            (refusal, _) => panic!("{id} {original}: {:?}", refusal.map(|one| one.to_string())),
        }
    }
}
