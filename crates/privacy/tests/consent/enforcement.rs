//! What may be kept, read and found, and what may not.

use crate::{
    support::{Place, on_both},
    world::{World, address, answer, by, code, item, who},
};
use paywarden_domain::Country;
use paywarden_privacy::{
    By, Retention, Said, Search,
    policy::{Denial, Jurisdiction},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

on_both! {
    nothing_is_kept_or_read_without_a_consent_that_counts,
    consent_counts_for_its_time_its_notice_and_its_person_alone,
    what_is_withdrawn_while_it_is_read_is_not_read_afterwards,
    of_two_answers_at_once_both_stand,
    what_was_said_is_there_after_a_restart,
    purposes_of_the_whole_the_part_and_the_field_add_up,
    all_of_a_batch_are_kept_or_none_and_rules_narrow,
    a_pseudonym_of_another_company_stands_for_nobody,
    the_card_of_a_payment_is_kept_whatever_its_person_says,
}

async fn nothing_is_kept_or_read_without_a_consent_that_counts(place: Place) {
    let world = World::open(&place).await;
    let offers = by("marketing");
    let keep = || async { world.vault.tokenize(&offers, &[address("liu")]).await };
    assert_eq!(code(keep().await), "consent_missing");
    let agreed = world.agree("liu", "marketing").await.unwrap();
    let token = keep().await.unwrap()[0].token.clone();
    let read = world.read(&offers, &token).await;
    assert_eq!(read.as_deref(), Ok("liu@example.com"));
    // The leaf of the reading carries the receipt, and the receipt is of that event.
    let receipt = &agreed.standing.consents[0].receipt;
    let ground = format!("marketing: consent {receipt}");
    assert_eq!(world.last("vault.read").await, ground);
    assert_eq!(world.last("vault.tokenize").await, ground);
    let analysis = world.read(&by("analytics"), &token).await;
    assert_eq!(code(analysis), "consent_missing");
    for (purpose, expected) in [
        ("settlement", "purpose_not_for_data"),
        ("whatever", "purpose_unknown"),
        ("Marketing", "purpose_unknown"),
    ] {
        assert_eq!(code(world.read(&by(purpose), &token).await), expected);
    }
    // What was typed does not stand in a leaf.
    let acts = world.acts().await;
    assert!(
        !acts
            .iter()
            .any(|(purpose, ..)| purpose.contains("whatever"))
    );
    assert_eq!(
        world.last("vault.read_refused").await,
        "personal data: purpose_unknown"
    );
    world.withdraw("liu").await.unwrap();
    assert_eq!(code(world.read(&offers, &token).await), "consent_withdrawn");
    assert_eq!(
        world.last("vault.read_refused").await,
        "marketing: consent_withdrawn"
    );
    assert_eq!(code(keep().await), "consent_withdrawn");
    let found = Search::Subject("liu".to_owned());
    let found = world.vault.search(&offers, &found).await.unwrap();
    assert_eq!((found.records.len(), found.withheld), (0, 1));
    assert_eq!(code(world.withdraw("liu").await), "consent_unknown");
    world.agree("liu", "marketing").await.unwrap();
    assert!(world.read(&offers, &token).await.is_ok());
    world.close().await;
}

async fn consent_counts_for_its_time_its_notice_and_its_person_alone(place: Place) {
    let world = World::open(&place).await;
    let offers = by("marketing");
    let brief = paywarden_privacy::consent::Answer {
        days: Some(30),
        ..answer("liu", "marketing")
    };
    let key = who("acme", "key_1");
    world.vault.give_consent(&key, &brief).await.unwrap();
    let token = world.keep(address("liu")).await;
    let other = world.vault.tokenize(&offers, &[address("wang")]).await;
    assert_eq!(code(other), "consent_missing");
    world.pass_days(29);
    assert!(world.read(&offers, &token).await.is_ok());
    world.pass_days(1);
    assert_eq!(code(world.read(&offers, &token).await), "consent_expired");
    world.agree("liu", "marketing").await.unwrap();
    assert!(world.read(&offers, &token).await.is_ok());
    // A new version alone changes nothing; one that asks again does.
    assert_eq!(world.publish(|_| {}).await, Ok(1));
    assert!(world.read(&offers, &token).await.is_ok());
    assert_eq!(
        world.publish(|notice| notice.asks_again = true).await,
        Ok(2)
    );
    assert_eq!(code(world.read(&offers, &token).await), "consent_outdated");
    assert_eq!(
        code(world.agree("liu", "marketing").await),
        "consent_refused"
    );
    let anew = paywarden_privacy::consent::Answer {
        notice_version: 2,
        ..answer("liu", "marketing")
    };
    world.vault.give_consent(&key, &anew).await.unwrap();
    assert!(world.read(&offers, &token).await.is_ok());
    // A notice that no longer tells of it ends it, and one that begins later does so then.
    let later = world.store.database.acts(0, 1).await.unwrap()[0].written_at;
    let later = paywarden_domain::Timestamp::from_micros(later.micros() + 40 * 86_400_000_000);
    let untold = world.publish(|notice| {
        notice.clauses.retain(|clause| clause.id != "offers");
        notice.from = Some(later);
    });
    assert_eq!(untold.await, Ok(3));
    assert!(world.read(&offers, &token).await.is_ok());
    world.pass_days(11);
    assert_eq!(
        code(world.read(&offers, &token).await),
        "purpose_not_notified"
    );
    world.close().await;
}

async fn what_is_withdrawn_while_it_is_read_is_not_read_afterwards(place: Place) {
    let world = Arc::new(World::open(&place).await);
    for round in 0..5 {
        let subject = format!("person-{round}");
        world.agree(&subject, "marketing").await.unwrap();
        let token = world.keep(address(&subject)).await;
        let answered = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (world, token) = (Arc::clone(&world), token.clone());
                let answered = Arc::clone(&answered);
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let was_answered = answered.load(Ordering::SeqCst);
                        let read = world.read(&by("marketing"), &token).await;
                        // Whoever asks after the withdrawal was answered gets nothing.
                        assert!(!(was_answered && read.is_ok()));
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        world.withdraw(&subject).await.unwrap();
        answered.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.await.unwrap();
        }
        // The trail says the same: no reading of the value stands behind the withdrawal.
        let acts = world.acts().await;
        let withdrawn = acts
            .iter()
            .rposition(|(_, action, _)| action == "consent.withdraw");
        let behind = acts.iter().skip(withdrawn.unwrap());
        let read = behind.filter(|(_, action, object)| action == "vault.read" && *object == token);
        assert_eq!(read.count(), 0, "round {round}");
    }
    Arc::into_inner(world).unwrap().close().await;
}

async fn of_two_answers_at_once_both_stand(place: Place) {
    let world = Arc::new(World::open(&place).await);
    let agree = |purpose: &'static str| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.agree("liu", purpose).await.unwrap() })
    };
    let (one, other) = (agree("marketing"), agree("analytics"));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(one.standing.version + other.standing.version, 3);
    let (_, standing, events) = world
        .vault
        .standing(&who("acme", "key_1").tenant, "liu", 10)
        .await
        .unwrap();
    assert_eq!((standing.consents.len(), events.len()), (2, 2));
    Arc::into_inner(world).unwrap().close().await;
}

async fn what_was_said_is_there_after_a_restart(place: Place) {
    let world = World::open(&place).await;
    world.agree("liu", "marketing").await.unwrap();
    world.agree("wang", "marketing").await.unwrap();
    let (liu, wang) = (
        world.keep(address("liu")).await,
        world.keep(address("wang")).await,
    );
    world.withdraw("wang").await.unwrap();
    world
        .publish(|notice| notice.title.en = "Ours".to_owned())
        .await
        .unwrap();
    let policy = world.vault.privacy_policy(&who("acme", "k").tenant).text;
    world
        .change_policy(&policy.replace("customer_service", "care"))
        .await
        .unwrap();
    let world = world.restart(&place).await;
    let offers = by("marketing");
    assert!(world.read(&offers, &liu).await.is_ok());
    assert_eq!(code(world.read(&offers, &wang).await), "consent_withdrawn");
    let acme = who("acme", "key_1").tenant;
    let notice = world.vault.notice(&acme, "standard", None).await.unwrap();
    assert_eq!(
        (notice.version, notice.notice.title.en.as_str()),
        (1, "Ours")
    );
    assert_eq!(world.vault.privacy_policy(&acme).number, 1);
    assert_eq!(
        code(world.read(&by("customer_service"), &liu).await),
        "purpose_unknown"
    );
    world.close().await;
}

async fn purposes_of_the_whole_the_part_and_the_field_add_up(place: Place) {
    let world = World::open(&place).await;
    world.agree("liu", "marketing").await.unwrap();
    let keep = |retention, class, purpose| {
        let value = match class {
            "email" => "liu@example.com",
            _ => "刘伟",
        };
        let (item, by) = (item("liu", class, value, retention), by(purpose));
        let vault = Arc::clone(&world.vault);
        async move { vault.tokenize(&by, &[item]).await.map(drop) }
    };
    use Retention::{Contract, Evidence, Marketing};
    for (retention, class, purpose, expected) in [
        // Of the whole vault.
        (Marketing, "name", "fraud_prevention", None),
        (Evidence, "name", "aml_compliance", None),
        // Of a part.
        (Contract, "name", "settlement", None),
        (
            Marketing,
            "name",
            "settlement",
            Some("purpose_not_for_data"),
        ),
        (
            Evidence,
            "name",
            "customer_service",
            Some("purpose_not_for_data"),
        ),
        (Marketing, "name", "marketing", None),
        // Of a field of a part.
        (Contract, "email", "marketing", None),
        (Contract, "name", "marketing", Some("purpose_not_for_data")),
        (Evidence, "email", "marketing", Some("purpose_not_for_data")),
    ] {
        let kept = keep(retention, class, purpose).await.err();
        let kept = kept.map(|error| error.code());
        assert_eq!(kept, expected, "{retention:?} {class} {purpose}");
    }
    world.close().await;
}

async fn all_of_a_batch_are_kept_or_none_and_rules_narrow(place: Place) {
    let world = World::open(&place).await;
    world.agree("liu", "marketing").await.unwrap();
    let both = [
        item("liu", "email", "liu@example.org", Retention::Contract),
        item("liu", "name", "Liu", Retention::Contract),
    ];
    let leaves = world.store.leaves().await;
    let refused = world.vault.tokenize(&by("marketing"), &both).await;
    assert_eq!(code(refused), "purpose_not_for_data");
    assert_eq!(world.store.leaves().await, leaves);
    // A rule: offers go to nobody else.
    let elsewhere = By {
        said: Said {
            recipient: Some("agency".to_owned()),
            country: Country::parse("DE").ok(),
            reason: Some("spring".to_owned()),
            ..Said::default()
        },
        ..by("marketing")
    };
    let token = world.keep(address("liu")).await;
    let refused = world.read(&elsewhere, &token).await.unwrap_err();
    assert_eq!(refused.code(), "purpose_forbidden");
    assert!(
        refused.to_string().contains("offers_go_to_nobody_else"),
        "{refused}"
    );
    world.close().await;
}

async fn a_pseudonym_of_another_company_stands_for_nobody(place: Place) {
    let world = World::open(&place).await;
    let agreed = world.agree("liu", "marketing").await.unwrap();
    let token = world.keep(address("liu")).await;
    let other = who("other", "key_9");
    // Neither their consent, nor their record, nor their token.
    let theirs = answer(&agreed.subject, "marketing");
    assert_eq!(
        code(world.vault.give_consent(&other, &theirs).await),
        "subject_unknown"
    );
    let withdrawn = world
        .vault
        .withdraw_consent(&other, &agreed.subject, &[])
        .await;
    assert_eq!(code(withdrawn), "subject_unknown");
    let seen = world
        .vault
        .standing(&other.tenant, &agreed.subject, 10)
        .await
        .unwrap();
    assert_eq!((seen.1.consents.len(), seen.2.len()), (0, 0));
    let own = world
        .vault
        .give_consent(&other, &answer("liu", "marketing"))
        .await
        .unwrap();
    assert_ne!(own.subject, agreed.subject);
    let reads = By::new(other.tenant.clone(), other.actor.clone(), "marketing");
    assert_eq!(code(world.read(&reads, &token).await), "token_refused");
    // A pseudonym that nobody has is not taken for a person.
    let nobody = format!("sub_{}", "0".repeat(26));
    assert_eq!(
        code(world.agree(&nobody, "marketing").await),
        "subject_unknown"
    );
    assert!(world.agree(&agreed.subject, "analytics").await.is_ok());
    world.close().await;
}

async fn the_card_of_a_payment_is_kept_whatever_its_person_says(place: Place) {
    let world = World::open(&place).await;
    for jurisdiction in Jurisdiction::ALL {
        let said = paywarden_privacy::consent::Answer {
            jurisdiction: Some(jurisdiction),
            ..answer("liu", "marketing")
        };
        let key = who("acme", "key_1");
        world.vault.give_consent(&key, &said).await.unwrap();
        world.withdraw("liu").await.unwrap();
        let card = item(
            "liu",
            "card_number",
            "4012888888881881",
            Retention::Evidence,
        );
        let kept = world.vault.tokenize(&by("fraud_prevention"), &[card]).await;
        let token = kept.unwrap()[0].token.clone();
        assert!(world.read(&by("aml_compliance"), &token).await.is_ok());
    }
    let ground = world.last("vault.tokenize").await;
    assert_eq!(ground, "fraud_prevention: ccpa business_purpose");
    // A notice that would end it is refused: payments could not be decided.
    for change in [
        |notice: &mut paywarden_privacy::notice::Notice| drop(notice.clauses.remove(0)),
        |notice: &mut paywarden_privacy::notice::Notice| {
            notice.clauses[0].classes = vec!["name".to_owned()];
        },
        |notice: &mut paywarden_privacy::notice::Notice| {
            notice.jurisdictions = vec![Jurisdiction::Pipl];
        },
        |notice: &mut paywarden_privacy::notice::Notice| {
            notice.until = Some(paywarden_domain::Timestamp::from_micros(
                1_800_000_000_000_000,
            ));
        },
    ] {
        assert_eq!(code(world.publish(change).await), "notice_refused");
    }
    world.close().await;
}

#[test]
fn every_denial_says_what_to_do() {
    for denial in [
        Denial::PurposeUnknown,
        Denial::PurposeNotForData("vault.contract.name".to_owned()),
        Denial::PurposeNotNotified("standard/offers".to_owned()),
        Denial::LawfulBasisMissing(Jurisdiction::Pipl),
        Denial::ConsentMissing,
        Denial::ConsentWithdrawn,
        Denial::ConsentExpired,
        Denial::ConsentOutdated,
        Denial::SubjectObjected,
        Denial::SubjectRestricted,
        Denial::PurposeForbidden("rule".to_owned()),
    ] {
        let text = denial.to_string();
        let verbs = ["state", "ask", "publish", "add", "leave", "see", "until"];
        assert!(verbs.iter().any(|verb| text.contains(verb)), "{text}");
        assert!(!text.ends_with('.'), "{text}");
    }
}
