//! Eight defects that were found in other vaults, each as a test that we do not have it.

use crate::{intruder::Record, world::*};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{Pan, TenantId};
use paywarden_privacy::{Error, Item, token::Form};
use std::collections::HashSet;

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// An index that is a plain hash of the number is reversed in a second: its number has six unknown
/// digits (PCI DSS 4.0.1, 3.5.1.1).
#[tokio::test(flavor = "multi_thread")]
async fn defect_1_card_numbers_are_not_indexed_by_an_unkeyed_hash() {
    let (world, other) = (World::new().await, World::new().await);
    let (acme, pan) = (TenantId::parse("acme").unwrap(), Pan::parse(CARD).unwrap());
    assert_ne!(
        world.vault.card_index(&acme, &pan),
        other.vault.card_index(&acme, &pan)
    );
    let elsewhere = TenantId::parse("other").unwrap();
    assert_ne!(
        world.vault.card_index(&acme, &pan),
        world.vault.card_index(&elsewhere, &pan)
    );
    world.keep(card("liu")).await;
    // Behind the tail stand 16 bytes of index, and 16 that make two values the same.
    let indexes = "SELECT substr(place, 11, 16) FROM vault_records
        UNION SELECT substr(place, 28) FROM vault_records";
    for guess in [
        CARD.to_owned(),
        format!("\"{CARD}\""),
        format!("acme{CARD}"),
    ] {
        let hash = sha256(guess.as_bytes());
        for index in world.bytes(indexes).await {
            assert_eq!(index.len(), 16);
            assert!(!contains(&hash, &index[..6]) && !contains(&index, &hash[..6]));
        }
        for body in world.bytes("SELECT body FROM vault_records").await {
            assert!(!contains(&body, &hash[..6]));
        }
    }
}

/// With nothing authenticated beside the text, a ciphertext can be moved to another customer.
#[tokio::test(flavor = "multi_thread")]
async fn defect_2_a_ciphertext_cannot_be_moved_to_another_row() {
    let world = World::new().await;
    let mine = world.keep(card("liu")).await;
    let also_mine = world
        .keep(item("liu", "card_number", "5555555555554444"))
        .await;
    let moved = Record {
        sealed: world.record(&also_mine).await.sealed,
        ..world.record(&mine).await
    };
    world.put_record(&mine, &moved).await;
    assert_eq!(world.read(&mine).await, Err(Error::Damaged));
}

/// A key of the fingerprint that comes with the request lets whoever asks try out numbers.
#[tokio::test(flavor = "multi_thread")]
async fn defect_3_no_key_of_an_index_comes_from_outside() {
    let world = World::new().await;
    let (acme, pan) = (TenantId::parse("acme").unwrap(), Pan::parse(CARD).unwrap());
    let before = world.vault.card_index(&acme, &pan);
    // There is no other parameter: the key is below the root, the same at every start.
    let world = world.restart(|_| {}).await;
    assert_eq!(world.vault.card_index(&acme, &pan), before);
}

/// One nonce and one key for many values give the difference of the texts away.
#[tokio::test(flavor = "multi_thread")]
async fn defect_4_no_nonce_comes_twice_and_equal_values_look_unlike() {
    let world = World::new().await;
    let items: Vec<_> = (0..100)
        .map(|_| Item {
            once: true,
            ..card("liu")
        })
        .collect();
    world.vault.tokenize(&by("acme"), &items).await.unwrap();
    let sealed = world.records().await.into_iter().map(|row| row.sealed);
    let sealed: Vec<_> = sealed.collect();
    let nonces: HashSet<_> = sealed.iter().map(|one| one[6..18].to_vec()).collect();
    let texts: HashSet<_> = sealed.iter().map(|one| one[18..34].to_vec()).collect();
    assert_eq!((nonces.len(), texts.len()), (100, 100));
    assert!(!nonces.contains(&[0; 12][..]));
}

/// An audit that can be switched off, or that is not chained, proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn defect_5_every_reading_is_in_the_trail_before_it_is_answered() {
    let world = World::new().await;
    let token = world.keep(card("liu")).await;
    let before = world.leaves().await;
    world.read(&token).await.unwrap();
    assert_eq!(world.leaves().await, before + 1);
    // When the trail cannot be written, nothing is read.
    world.journal.close().await;
    assert!(matches!(world.read(&token).await, Err(Error::Store(_))));
    world.assert_intact().await;
}

/// A log that leaves numbers in clear shows card numbers, and a limit of strings refuses to wrap
/// five hundred keys together.
#[tokio::test(flavor = "multi_thread")]
async fn defect_6_the_trail_holds_no_value_and_many_keys_are_wrapped_together() {
    let world = World::new().await;
    for hundred in 0..6 {
        let items: Vec<_> = (0..100)
            .map(|one| item(&format!("{hundred}/{one}"), "free_form", CARD))
            .collect();
        world.vault.tokenize(&by("acme"), &items).await.unwrap();
    }
    let leaves = world
        .database
        .trail_leaves(&by("acme").tenant, 0, 100)
        .await
        .unwrap();
    let number: u64 = CARD.parse().unwrap();
    for leaf in leaves {
        assert!(!contains(&leaf, CARD.as_bytes()) && !contains(&leaf, &number.to_be_bytes()));
    }
    world.vault.begin_epoch(&by("acme")).await.unwrap();
    assert_eq!(
        world
            .vault
            .rewrap(&by("acme"), 1_000_000)
            .await
            .unwrap()
            .keys,
        600
    );
}

/// Format-preserving encryption of so few digits can be tried out, and FF3-1 is withdrawn (NIST
/// SP 800-38G r1, second draft). A shaped token is random, and keeps no more than the last four.
#[tokio::test(flavor = "multi_thread")]
async fn defect_7_shaped_tokens_are_random_and_tell_no_issuer() {
    let world = World::new().await;
    let mut tokens = HashSet::new();
    for hundred in 0..5 {
        let items: Vec<_> = (0..100)
            .map(|one| Item {
                form: Form::Shaped,
                ..card(&format!("{hundred}/{one}"))
            })
            .collect();
        let kept = world.vault.tokenize(&by("acme"), &items).await.unwrap();
        tokens.extend(kept.into_iter().map(|kept| kept.token));
    }
    assert_eq!(tokens.len(), 500);
    let heads: HashSet<_> = tokens.iter().map(|token| token[..6].to_owned()).collect();
    assert!(heads.len() > 490, "{}", heads.len());
    assert!(
        tokens
            .iter()
            .all(|token| token.starts_with('0') && token.ends_with("1881"))
    );
    assert!(tokens.iter().all(|token| Pan::parse(token).is_err()));
}

/// Under a public key anybody who writes to the store can plant a key of their own.
#[tokio::test(flavor = "multi_thread")]
async fn defect_8_a_key_that_was_planted_does_not_unwrap() {
    let (world, attacker) = (World::new().await, World::new().await);
    let token = world.keep(card("liu")).await;
    let other = attacker.keep(card("liu")).await;
    let (_, _, planted) = attacker.page_of(&other).await;
    let (page, _, _) = world.page_of(&token).await;
    world.put_page(page, &planted).await;
    assert_eq!(world.read(&token).await, Err(Error::Damaged));
}
