//! Objection, restriction, correction, export, erasure with its exceptions, and the timeline.

use crate::{
    support::{Place, on_both},
    world::{World, address, answer, by, code, item, who},
};
use paywarden_privacy::{
    By, Plain, Retention, Said, Search,
    consent::Answer,
    policy::Jurisdiction,
    subject::{Timeline, Why, Wish},
};
use paywarden_store::trail::merkle::{leaf_hash, verify_inclusion};
use std::sync::Arc;

on_both! {
    who_objects_is_left_alone_where_the_law_lets_them_object,
    while_restricted_only_what_the_policy_names_goes_on,
    a_hold_keeps_everything_and_evidence_outlives_an_erasure,
    what_is_held_or_rests_is_neither_deleted_nor_corrected_nor_swept,
    a_value_is_not_deleted_while_it_is_read,
    a_correction_takes_the_place_of_what_was_wrong,
    the_timeline_tells_everything_once_with_a_proof,
}

async fn wish(world: &World, wish: Wish) -> Result<(), paywarden_privacy::Error> {
    let wished = world.vault.wish(&who("acme", "key_1"), "liu", &wish).await;
    wished.map(drop)
}

fn card(retention: Retention) -> paywarden_privacy::Item {
    item("liu", "card_number", "4012888888881881", retention)
}

async fn who_objects_is_left_alone_where_the_law_lets_them_object(place: Place) {
    let world = World::open(&place).await;
    let purposes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let californian = Answer {
        jurisdiction: Some(Jurisdiction::Ccpa),
        ..answer("liu", "analytics")
    };
    let key = who("acme", "key_1");
    world.vault.give_consent(&key, &californian).await.unwrap();
    // There, offers need no consent, but may be objected to.
    let token = world.keep(address("liu")).await;
    let offers = by("marketing");
    assert!(world.read(&offers, &token).await.is_ok());
    let objects = Wish::Object {
        purposes: purposes(&["marketing", "fraud_prevention"]),
    };
    wish(&world, objects.clone()).await.unwrap();
    assert_eq!(code(world.read(&offers, &token).await), "subject_objected");
    // What outweighs an objection goes on.
    assert!(world.read(&by("fraud_prevention"), &token).await.is_ok());
    assert_eq!(code(wish(&world, objects).await), "subject_unchanged");
    let unknown = Wish::Object {
        purposes: purposes(&["whatever"]),
    };
    assert_eq!(code(wish(&world, unknown).await), "purpose_unknown");
    let world = world.restart(&place).await;
    assert_eq!(code(world.read(&offers, &token).await), "subject_objected");
    let lifts = Wish::LiftObjection {
        purposes: purposes(&["marketing"]),
    };
    wish(&world, lifts).await.unwrap();
    assert!(world.read(&offers, &token).await.is_ok());
    world.close().await;
}

async fn while_restricted_only_what_the_policy_names_goes_on(place: Place) {
    let world = World::open(&place).await;
    let kept = world
        .vault
        .tokenize(&by("settlement"), &[card(Retention::Contract)])
        .await;
    let token = kept.unwrap()[0].token.clone();
    wish(&world, Wish::Restrict).await.unwrap();
    for (purpose, expected) in [
        ("settlement", Some("subject_restricted")),
        ("customer_service", Some("subject_restricted")),
        ("dispute_handling", None),
        ("fraud_prevention", None),
        ("subject_request", None),
    ] {
        let read = world.read(&by(purpose), &token).await;
        assert_eq!(read.err().map(|error| error.code()), expected, "{purpose}");
    }
    assert_eq!(
        code(wish(&world, Wish::Restrict).await),
        "subject_unchanged"
    );
    wish(&world, Wish::LiftRestriction).await.unwrap();
    assert!(world.read(&by("settlement"), &token).await.is_ok());
    world.close().await;
}

async fn a_hold_keeps_everything_and_evidence_outlives_an_erasure(place: Place) {
    let world = World::open(&place).await;
    let by_them = by("fraud_prevention");
    for item in [
        address("liu"),
        card(Retention::Contract),
        card(Retention::Evidence),
    ] {
        world.vault.tokenize(&by_them, &[item]).await.unwrap();
    }
    let hold = |until| Wish::Hold {
        reference: "case_4711".to_owned(),
        until,
    };
    wish(&world, hold(None)).await.unwrap();
    assert_eq!(
        code(world.vault.forget(&by_them, "liu", None).await),
        "subject_held"
    );
    let done = world.vault.erase_person(&by_them, "liu").await.unwrap();
    let why: Vec<_> = done
        .kept
        .iter()
        .map(|kept| (&kept.why, kept.records))
        .collect();
    let held = Why::Hold("case_4711".to_owned());
    assert_eq!(why, [(&held, 1), (&held, 1), (&held, 1)]);
    assert_eq!(done.erased.records, 0);
    // A hold that has ended keeps nothing.
    let lift = Wish::LiftHold {
        reference: "case_4711".to_owned(),
    };
    wish(&world, lift.clone()).await.unwrap();
    assert_eq!(code(wish(&world, lift).await), "subject_unchanged");
    let soon = paywarden_domain::Timestamp::from_micros(1_790_000_000_000_000 + 86_400_000_000);
    wish(&world, hold(Some(soon))).await.unwrap();
    world.pass_days(1);
    assert_eq!(
        code(wish(&world, hold(Some(soon))).await),
        "vault_request_malformed"
    );
    let done = world.vault.erase_person(&by_them, "liu").await.unwrap();
    let why: Vec<_> = done
        .kept
        .iter()
        .map(|kept| (&kept.why, kept.records))
        .collect();
    assert_eq!(why, [(&Why::Evidence, 1)]);
    assert_eq!(done.erased.records, 2);
    let left = world.vault.export_person(&by_them, "liu").await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(
        code(world.vault.export_person(&by_them, "wang").await.map(drop)),
        "subject_unknown"
    );
    world.close().await;
}

async fn what_is_held_or_rests_is_neither_deleted_nor_corrected_nor_swept(place: Place) {
    let world = World::open(&place).await;
    let by_them = by("fraud_prevention");
    let brief = |subject: &str| paywarden_privacy::Item {
        ttl_seconds: Some(60),
        ..item(subject, "name", "Liu Wei", Retention::Contract)
    };
    let kept = world
        .vault
        .tokenize(&by_them, &[card(Retention::Contract)])
        .await;
    let token = kept.unwrap()[0].token.clone();
    for subject in ["liu", "chen", "wang"] {
        let kept = world.vault.tokenize(&by_them, &[brief(subject)]).await;
        kept.unwrap();
    }
    let hold = Wish::Hold {
        reference: "case_4711".to_owned(),
        until: None,
    };
    wish(&world, hold).await.unwrap();
    let key = who("acme", "key_1");
    world
        .vault
        .wish(&key, "chen", &Wish::Restrict)
        .await
        .unwrap();
    world.pass_days(1);
    assert_eq!(
        code(world.vault.delete(&by_them, &token).await),
        "subject_held"
    );
    let right = Plain::from("4111111111111111".to_owned());
    let corrected = world.vault.correct(&by_them, ("liu", &token), right).await;
    assert_eq!(code(corrected), "subject_held");
    assert!(world.read(&by_them, &token).await.is_ok());
    let left = |subject: &'static str| {
        let vault = &world.vault;
        async move {
            let acme = who("acme", "key_1").tenant;
            let told = vault.timeline(&acme, subject, None).await.unwrap();
            told.values.len()
        }
    };
    world.vault.sweep().await.unwrap();
    assert_eq!(
        [left("liu").await, left("chen").await, left("wang").await],
        [2, 1, 0]
    );
    let lift = Wish::LiftHold {
        reference: "case_4711".to_owned(),
    };
    wish(&world, lift).await.unwrap();
    world.vault.sweep().await.unwrap();
    assert_eq!(left("liu").await, 1);
    world.vault.delete(&by_them, &token).await.unwrap();
    let again = world.vault.delete(&by_them, &token).await;
    assert_eq!(code(again), "token_unknown");
    world.close().await;
}

async fn a_value_is_not_deleted_while_it_is_read(place: Place) {
    let world = Arc::new(World::open(&place).await);
    for round in 0..5 {
        let subject = format!("person-{round}");
        let item = item(&subject, "name", "Liu Wei", Retention::Contract);
        let kept = world.vault.tokenize(&by("onboarding"), &[item]).await;
        let token = kept.unwrap()[0].token.clone();
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (world, token) = (Arc::clone(&world), token.clone());
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let _ = world.read(&by("settlement"), &token).await;
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        world.vault.delete(&by("mistake"), &token).await.unwrap();
        for reader in readers {
            reader.await.unwrap();
        }
        let acts = world.acts().await;
        let of_it = acts.iter().filter(|(_, _, object)| *object == token);
        let behind = of_it.skip_while(|(_, action, _)| action != "vault.delete");
        let read = behind.filter(|(_, action, _)| action == "vault.read");
        assert_eq!(read.count(), 0, "round {round}");
    }
    Arc::into_inner(world).unwrap().close().await;
}

async fn a_correction_takes_the_place_of_what_was_wrong(place: Place) {
    let world = World::open(&place).await;
    let wrong = item("liu", "name", "Liu Wie", Retention::Contract);
    let kept = world
        .vault
        .tokenize(&by("onboarding"), &[wrong])
        .await
        .unwrap();
    let token = kept[0].token.clone();
    let value = || Plain::from("Liu Wei".to_owned());
    let by_them = by("correction");
    // Nobody corrects what is another person's.
    let other = world
        .vault
        .correct(&by_them, ("wang", &token), value())
        .await;
    assert_eq!(code(other.map(drop)), "token_unknown");
    let right = world
        .vault
        .correct(&by_them, ("liu", &token), value())
        .await
        .unwrap();
    let read = world.read(&by("settlement"), &right.token).await;
    assert_eq!(read.as_deref(), Ok("Liu Wei"));
    assert_eq!(
        code(world.read(&by("settlement"), &token).await),
        "token_unknown"
    );
    let again = world
        .vault
        .correct(&by_them, ("liu", &right.token), value())
        .await
        .unwrap();
    assert_eq!(again.token, right.token);
    assert!(world.read(&by("settlement"), &right.token).await.is_ok());
    world.close().await;
}

async fn page(world: &World, before: Option<i64>) -> Timeline {
    let acme = who("acme", "key_1").tenant;
    world.vault.timeline(&acme, "liu", before).await.unwrap()
}

/// Everything that can happen to an address, of two persons; the token of Liu's.
async fn live_through(world: &World) -> String {
    world.agree("liu", "marketing").await.unwrap();
    world.agree("wang", "marketing").await.unwrap();
    let token = world.keep(address("liu")).await;
    let other = world.keep(address("wang")).await;
    let to_agency = By {
        said: Said {
            reason: Some("spring".to_owned()),
            country: paywarden_domain::Country::parse("CN").ok(),
            ..Said::default()
        },
        ..by("marketing")
    };
    world.read(&to_agency, &token).await.unwrap();
    world.read(&by("marketing"), &other).await.unwrap();
    let both = [token.clone(), other.clone()];
    world
        .vault
        .detokenize(&by("marketing"), &both)
        .await
        .unwrap();
    // Whoever looks for the address itself is shown its mask.
    let search = Search::Exact {
        class: "email".to_owned(),
        value: Plain::from("liu@example.com".to_owned()),
    };
    let found = world.vault.search(&by("marketing"), &search).await.unwrap();
    assert_eq!(found.records[0].masked, "l••••@example.com");
    world.withdraw("liu").await.unwrap();
    let refused = world.read(&by("marketing"), &token).await;
    assert_eq!(code(refused), "consent_withdrawn");
    world
        .vault
        .forget(&by("request"), "liu", None)
        .await
        .unwrap();
    token
}

async fn the_timeline_tells_everything_once_with_a_proof(place: Place) {
    let world = World::open(&place).await;
    let token = live_through(&world).await;
    let told = page(&world, None).await;
    let actions: Vec<_> = told
        .moments
        .iter()
        .map(|moment| moment.action.as_str())
        .collect();
    let expected = [
        "vault.forget",
        "vault.read_refused",
        "consent.withdraw",
        "vault.search",
        "vault.read",
        "vault.read",
        "vault.tokenize",
        "consent.give",
    ];
    assert_eq!(actions, expected);
    assert_eq!(told.moments[5].said.as_deref(), Some("in CN, spring"));
    assert!(
        told.moments[4]
            .purpose
            .starts_with("marketing: consent rcp_")
    );
    // Of what was read together, only what is theirs.
    assert_eq!(told.moments[4].tokens, std::slice::from_ref(&token));
    assert_eq!(told.moments[3].tokens, [token]);
    assert!(told.values.is_empty() && told.next.is_none());
    prove(&world, &told).await;
    // Another company sees nothing of it.
    let theirs = who("other", "key_9").tenant;
    let seen = world
        .vault
        .timeline(&theirs, &told.subject, None)
        .await
        .unwrap();
    assert!(seen.moments.is_empty());
    world.close().await;
}

/// Every leaf is in the tree, by the proof that comes with it; and by no other.
async fn prove(world: &World, told: &Timeline) {
    let acme = who("acme", "key_1").tenant;
    let root = world
        .store
        .database
        .trail_root(&acme, told.tree_size)
        .await
        .unwrap();
    let bytes = |text: &String| {
        let pairs = (0..text.len()).step_by(2);
        let pairs = pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        <[u8; 32]>::try_from(pairs.collect::<Vec<_>>()).unwrap()
    };
    assert_eq!(bytes(&told.root), root);
    for moment in &told.moments {
        let leaves = world
            .store
            .database
            .trail_leaves(&acme, moment.leaf, 1)
            .await
            .unwrap();
        let leaf = leaf_hash(&leaves[0]);
        let proof: Vec<_> = moment.proof.iter().map(bytes).collect();
        let proves = |place| verify_inclusion(&leaf, place, told.tree_size, &proof, &root).is_ok();
        assert!(proves(moment.leaf), "{moment:?}");
        assert!(!proves(moment.leaf ^ 1));
    }
}
