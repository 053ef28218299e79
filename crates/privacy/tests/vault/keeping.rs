//! Keeping, reading and finding.

use crate::world::*;
use paywarden_crypto::envelope::Profile;
use paywarden_domain::Timestamp;
use paywarden_privacy::{By, Error, Item, Plain, Search, catalogue, token::Form};
use paywarden_store::{Actor, Clock};

const VALUES: [(&str, &str, &str); 10] = [
    ("card_number", CARD, "40128888••••1881"),
    ("bank_account", "GB82WEST12345698765432", "••••5432"),
    ("name", "王小明", "王••••"),
    ("phone", "+8613800138000", "+86••••8000"),
    ("email", "liu@example.com", "l••••@example.com"),
    ("id_number", "11010519491231002X", "••••002X"),
    ("address", "1 Long Street", "••••"),
    ("birth_date", "1949-12-31", "1949-••••"),
    ("free_form", "limps", "••••"),
    ("case_file", "the key of a file", "••••"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_class_in_both_profiles_comes_back_and_is_shown_masked() {
    assert_eq!(VALUES.len(), catalogue::classes().len());
    for profile in [&Profile::DEFAULT, &Profile::GM] {
        let world = World::with(profile, Clock::System).await;
        let items: Vec<_> = VALUES
            .iter()
            .map(|(class, value, _)| item("liu", class, value))
            .collect();
        let kept = world.vault.tokenize(&by("acme"), &items).await.unwrap();
        for ((class, value, masked), kept) in VALUES.iter().zip(&kept) {
            assert_eq!((kept.class, kept.masked.as_str()), (*class, *masked));
            assert_eq!(world.read(&kept.token).await.as_deref(), Ok(*value));
        }
        assert!(!world.is_on_disk(CARD) && !world.is_on_disk("1 Long Street"));
        world.assert_intact().await;
        let world = world.restart(|_| {}).await;
        assert_eq!(world.read(&kept[0].token).await.as_deref(), Ok(CARD));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_values_of_a_person_have_one_token_also_when_many_ask_at_once() {
    let world = World::new().await;
    let ask = |number: usize| {
        let vault = world.vault.clone();
        let spelled = if number.is_multiple_of(2) {
            CARD
        } else {
            "4012 8888 8888 1881"
        };
        tokio::spawn(async move {
            let items = [item("liu", "card_number", spelled)];
            let kept = vault.tokenize(&by("acme"), &items).await;
            kept.unwrap()[0].token.clone()
        })
    };
    let asked: Vec<_> = (0..64).map(ask).collect();
    let mut tokens = Vec::new();
    for one in asked {
        tokens.push(one.await.unwrap());
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM vault_records").await, 1);
    assert_eq!(world.keys_made().await, 1);
    assert_eq!(world.read(&tokens[0]).await.as_deref(), Ok(CARD));
    assert_ne!(world.keep(card("wang")).await, tokens[0]);
    world.assert_intact().await;
    // What is remembered is forgotten at a restart; the store knows.
    let world = world.restart(|_| {}).await;
    assert_eq!(world.keep(card("liu")).await, tokens[0]);
    assert_eq!(world.keys_made().await, 2);
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_good_for_one_reading_is_read_once_also_by_many_at_once() {
    let world = World::new().await;
    let token = world
        .keep(Item {
            once: true,
            ..card("liu")
        })
        .await;
    let read = |_| {
        let (vault, tokens) = (world.vault.clone(), vec![token.clone()]);
        tokio::spawn(async move { vault.detokenize(&by("acme"), &tokens).await })
    };
    let readers: Vec<_> = (0..16).map(read).collect();
    let mut read = 0;
    for reader in readers {
        let answer = reader.await.unwrap();
        read += usize::from(answer.is_ok_and(|all| all[0].is_ok()));
    }
    assert_eq!(read, 1);
    assert_eq!(world.read(&token).await, Err(Error::TokenUnknown));
    let two = world
        .keep(Item {
            once: true,
            ..card("liu")
        })
        .await;
    let twice = world
        .vault
        .detokenize(&by("acme"), &[two.clone(), two])
        .await
        .unwrap();
    assert!(twice[0].is_ok() && twice[1].is_err());
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_their_time_and_are_bound_to_caller_and_purpose() {
    let clock = Clock::simulated(Timestamp::from_micros(1_767_225_600_000_000), 7);
    let world = World::with(&Profile::DEFAULT, clock.clone()).await;
    let timed = world
        .keep(Item {
            ttl_seconds: Some(60),
            ..card("liu")
        })
        .await;
    let bound = Item {
        caller: Some("key_1".to_owned()),
        purpose: Some("dispute_handling".to_owned()),
        ..card("liu")
    };
    let bound = world.keep(bound).await;
    let refund = By {
        purpose: "dispute_handling".to_owned(),
        ..by("acme")
    };
    let other = By {
        actor: Actor::Key("key_2".to_owned()),
        ..refund.clone()
    };
    assert_eq!(world.read_as(&refund, &bound).await.as_deref(), Ok(CARD));
    assert_eq!(world.read(&bound).await, Err(Error::TokenBound));
    assert_eq!(world.read_as(&other, &bound).await, Err(Error::TokenBound));
    assert_eq!(world.read(&timed).await.as_deref(), Ok(CARD));
    let Clock::Simulated(time) = &clock else {
        unreachable!()
    };
    time.advance_us(60_000_000);
    assert_eq!(world.read(&timed).await, Err(Error::TokenExpired));
    world.vault.sweep().await.unwrap();
    assert_eq!(world.read(&timed).await, Err(Error::TokenExpired));
    let swept = "SELECT COUNT(*) FROM vault_records WHERE erased_at IS NOT NULL";
    assert_eq!(world.number(swept).await, 1);
    assert_eq!(world.read_as(&refund, &bound).await.as_deref(), Ok(CARD));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn details_come_back_with_the_value_and_shaped_tokens_are_read() {
    let world = World::new().await;
    let details = Some(Plain::from("2030-01".to_owned()));
    let token = world
        .keep(Item {
            details,
            form: Form::Shaped,
            ..card("liu")
        })
        .await;
    assert!(token.len() == 16 && token.ends_with("1881"));
    let mut read = world.vault.detokenize(&by("acme"), &[token]).await.unwrap();
    let read = read.remove(0).ok().unwrap();
    assert_eq!(read.details.unwrap().expose(), "2030-01");
    assert!(!world.is_on_disk("2030-01"));
    let shaped = Item {
        form: Form::Shaped,
        ..item("liu", "phone", "+8613800138000")
    };
    assert!(world.vault.tokenize(&by("acme"), &[shaped]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_foreign_tokens_are_refused_without_the_store() {
    let (world, other) = (World::new().await, World::new().await);
    let token = world.keep(card("liu")).await;
    let forged = other.keep(card("liu")).await;
    let before = world.leaves().await;
    for (tenant, token) in [
        ("acme", forged.as_str()),
        ("other", &token),
        ("acme", "tok_card_0"),
        ("acme", ""),
    ] {
        assert_eq!(
            world.read_as(&by(tenant), token).await,
            Err(Error::TokenRefused),
            "{token}"
        );
    }
    assert_eq!(world.leaves().await, before);
    let mixed = world
        .vault
        .detokenize(&by("acme"), &[forged, token])
        .await
        .unwrap();
    assert!(mixed[0].is_err() && mixed[1].is_ok());
    assert_eq!(world.leaves().await, before + 1);
}

async fn found(world: &World, search: Search) -> Vec<String> {
    let found = world.vault.search(&by("acme"), &search).await.unwrap();
    let mut tokens: Vec<_> = found.records.into_iter().map(|row| row.token).collect();
    tokens.sort();
    tokens
}

fn exact(class: &str, value: &str) -> Search {
    Search::Exact {
        class: class.to_owned(),
        value: Plain::from(value.to_owned()),
    }
}

fn person(name: &str, birth_date: &str) -> Search {
    Search::NameAndBirthDate {
        name: Plain::from(name.to_owned()),
        birth_date: Plain::from(birth_date.to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_value_last_four_name_and_birth_date_and_person() {
    let world = World::new().await;
    let mine = world.keep(card("liu")).await;
    let theirs = world.keep(card("wang")).await;
    let phone = world.keep(item("liu", "phone", "138 0013 1881")).await;
    let both = [
        item("liu", "name", "Liu  WEI"),
        item("liu", "birth_date", "1990-02-03"),
    ];
    let both = world.vault.tokenize(&by("acme"), &both).await.unwrap();
    world.keep(item("wang", "birth_date", "1990-02-03")).await;
    // Keys that open values are not needed: they can be gone.
    world.tamper("UPDATE vault_pages SET wrapped = x'00'").await;
    let mut cards = vec![mine.clone(), theirs];
    cards.sort();
    assert_eq!(
        found(&world, exact("card_number", "4012-8888-8888-1881")).await,
        cards
    );
    assert!(
        found(&world, exact("card_number", "5555555555554444"))
            .await
            .is_empty()
    );
    assert_eq!(
        found(&world, exact("phone", "+86 138 0013 1881")).await,
        std::slice::from_ref(&phone)
    );
    let four = |class: &str| Search::LastFour {
        class: class.to_owned(),
        last_four: "1881".to_owned(),
    };
    assert_eq!(found(&world, four("card_number")).await, cards);
    assert_eq!(found(&world, four("phone")).await, [phone]);
    assert_eq!(
        found(&world, person("liu wei", "1990-02-03")).await,
        [both[1].token.clone()]
    );
    assert!(
        found(&world, person("liu wei", "1990-02-04"))
            .await
            .is_empty()
    );
    assert_eq!(
        found(&world, Search::Subject("liu".to_owned())).await.len(),
        4
    );
    let before = world.leaves().await;
    let other = world
        .vault
        .search(&by("other"), &exact("card_number", CARD))
        .await
        .unwrap();
    assert!(other.records.is_empty());
    assert_eq!(world.leaves().await, before + 1);
    for search in [
        exact("address", "1 Long Street"),
        four("email"),
        exact("cvv", "1"),
    ] {
        assert!(world.vault.search(&by("acme"), &search).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_a_purpose_or_beyond_a_limit() {
    let world = World::new().await;
    let token = world.keep(card("liu")).await;
    let aimless = By {
        purpose: " ".to_owned(),
        ..by("acme")
    };
    let refused = |error| assert!(matches!(error, Some(Error::Request(_))), "{error:?}");
    refused(world.vault.tokenize(&aimless, &[card("liu")]).await.err());
    refused(
        world
            .vault
            .detokenize(&aimless, std::slice::from_ref(&token))
            .await
            .err(),
    );
    refused(
        world
            .vault
            .search(&aimless, &Search::Subject("liu".to_owned()))
            .await
            .err(),
    );
    refused(world.vault.delete(&aimless, &token).await.err());
    refused(world.vault.forget(&aimless, "liu", None).await.err());
    let many: Vec<_> = (0..101).map(|_| card("liu")).collect();
    refused(world.vault.tokenize(&by("acme"), &many).await.err());
    refused(world.vault.tokenize(&by("acme"), &[]).await.err());
    refused(
        world
            .vault
            .detokenize(&by("acme"), &vec![token; 1_001])
            .await
            .err(),
    );
    refused(
        world
            .vault
            .tokenize(
                &by("acme"),
                &[Item {
                    ttl_seconds: Some(0),
                    ..card("liu")
                }],
            )
            .await
            .err(),
    );
    refused(world.vault.tokenize(&by("acme"), &[card("")]).await.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tokens_are_read_together_under_one_leaf() {
    let world = World::new().await;
    let mut tokens = Vec::new();
    for hundred in 0..10 {
        let items: Vec<_> = (0..100)
            .map(|one| {
                item(
                    &format!("s{one}"),
                    "card_number",
                    &card_number(hundred * 100 + one),
                )
            })
            .collect();
        let kept = world.vault.tokenize(&by("acme"), &items).await.unwrap();
        tokens.extend(kept.into_iter().map(|kept| kept.token));
    }
    let before = world.leaves().await;
    let read = world.vault.detokenize(&by("acme"), &tokens).await.unwrap();
    for (number, read) in (0..).zip(read) {
        assert_eq!(*read.ok().unwrap().value.expose(), card_number(number));
    }
    assert_eq!(world.leaves().await, before + 1);
    let lists = world
        .database
        .records_newest("vault_read", "", 10)
        .await
        .unwrap();
    let list = String::from_utf8(lists[0].body.clone()).unwrap();
    let (ground, listed) = list.split_once('\n').unwrap();
    assert_eq!(ground, "fraud_prevention: generic legitimate_interest");
    assert_eq!(listed.lines().count(), 1_000);
    world.assert_intact().await;
}
