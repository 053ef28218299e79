//! Erasing.

use crate::{intruder::SLOT, world::*};
use paywarden_privacy::{Error, Item, Retention, Search};

#[tokio::test(flavor = "multi_thread")]
async fn of_a_person_who_was_erased_nothing_is_read_found_or_shown() {
    let world = World::new().await;
    let mine = world.keep(card("liu")).await;
    let phone = world.keep(item("liu", "phone", "+8613800138000")).await;
    let other = world.keep(card("wang")).await;
    let erased = world.vault.forget(&by("acme"), "liu", None).await.unwrap();
    assert_eq!((erased.records, erased.keys), (2, 1));
    for token in [&mine, &phone] {
        assert_eq!(world.read(token).await, Err(Error::TokenUnknown));
    }
    assert_eq!(world.read(&other).await.as_deref(), Ok(CARD));
    let search = Search::Subject("liu".to_owned());
    let found = world.vault.search(&by("acme"), &search).await.unwrap();
    assert!(found.records.is_empty());
    let left = "SELECT COUNT(*) FROM vault_records WHERE erased_at IS NOT NULL
        AND COALESCE(place, pair) IS NULL AND length(body) < 200";
    assert_eq!(world.number(left).await, 2);
    world.assert_intact().await;
    let again = world.vault.forget(&by("acme"), "liu", None).await.unwrap();
    assert_eq!((again.records, again.keys), (0, 0));
    // Who comes back is somebody new.
    let back = world.keep(card("liu")).await;
    assert_ne!(back, mine);
    assert_eq!(world.read(&back).await.as_deref(), Ok(CARD));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_keeps_outlives_what_was_agreed_to() {
    let world = World::new().await;
    let evidence = world
        .keep(Item {
            retention: Retention::Evidence,
            ..card("liu")
        })
        .await;
    let leaflet = Item {
        retention: Retention::Marketing,
        ..item("liu", "email", "liu@example.com")
    };
    let leaflet = world.keep(leaflet).await;
    let erased = world
        .vault
        .forget(&by("acme"), "liu", Some(Retention::Marketing))
        .await;
    assert_eq!(erased.unwrap().records, 1);
    assert_eq!(world.read(&leaflet).await, Err(Error::TokenUnknown));
    assert_eq!(world.read(&evidence).await.as_deref(), Ok(CARD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_many_records_is_erased_to_the_last() {
    let world = World::new().await;
    for hundred in 0..7 {
        let items: Vec<_> = (0..100)
            .map(|one| item("liu", "card_number", &card_number(hundred * 100 + one)))
            .collect();
        world.vault.tokenize(&by("acme"), &items).await.unwrap();
    }
    let erased = world.vault.forget(&by("acme"), "liu", None).await.unwrap();
    assert_eq!(erased.records, 700);
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_is_deleted_once() {
    let world = World::new().await;
    let (token, other) = (
        world.keep(card("liu")).await,
        world.keep(card("wang")).await,
    );
    world.vault.delete(&by("acme"), &token).await.unwrap();
    let again = world.vault.delete(&by("acme"), &token).await;
    assert_eq!(again, Err(Error::TokenUnknown));
    assert_eq!(
        world.vault.delete(&by("other"), &other).await,
        Err(Error::TokenRefused)
    );
    assert_eq!(world.read(&other).await.as_deref(), Ok(CARD));
    assert_ne!(world.keep(card("liu")).await, token);
    world.assert_intact().await;
}

/// Writers and an eraser at once: whatever a writer was told is kept either opens or was erased,
/// and nothing stays that is sealed under a destroyed key.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writing_and_erasing_at_once_leaves_nothing_half_erased() {
    let world = World::new().await;
    let write = |worker: u64| {
        let vault = world.vault.clone();
        tokio::spawn(async move {
            for round in 0..40 {
                let number = card_number(worker * 100 + round);
                let items = [item("liu", "card_number", &number)];
                let kept = vault.tokenize(&by("acme"), &items).await;
                kept.unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..6).map(write).collect();
    for _ in 0..10 {
        world.vault.forget(&by("acme"), "liu", None).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let orphans = format!(
        "SELECT COUNT(*) FROM vault_records r LEFT JOIN vault_pages p ON p.page = r.key_page
         WHERE r.erased_at IS NULL AND (p.page IS NULL OR length(p.wrapped) < {SLOT} * (r.key_slot + 1)
            OR substr(p.wrapped, 1 + {SLOT} * r.key_slot, 4) = x'00000000')"
    );
    assert_eq!(world.number(&orphans).await, 0);
    world.assert_intact().await;
}
