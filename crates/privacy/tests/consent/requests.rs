//! The register of what persons ask for: until when each is to be answered, and who is told when
//! nobody does.

use crate::{
    support::{Place, on_both},
    world::{World, code, item, who},
};
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    Error, Retention,
    policy::Jurisdiction,
    subject::{NewRequest, RequestFilter, RequestKind, RequestOutcome, SubjectRequest},
};

on_both! {
    the_law_of_a_person_says_until_when_they_are_answered,
    a_request_that_nobody_answers_is_told_of_once,
    what_makes_no_sense_is_refused_and_nobody_sees_what_is_anothers,
    of_two_who_answer_at_once_one_has,
    pages_go_backwards_through_all_or_the_open_ones,
}

const DAY: i64 = 86_400_000_000;

fn new(subject: &str) -> NewRequest {
    NewRequest {
        subject: subject.to_owned(),
        kind: RequestKind::Access,
        received_at: None,
        jurisdiction: None,
    }
}

async fn record(world: &World, new: NewRequest) -> Result<SubjectRequest, Error> {
    world
        .vault
        .record_request(&who("acme", "key_1"), &new)
        .await
}

async fn extend(world: &World, id: &str) -> Result<SubjectRequest, Error> {
    let key = who("acme", "key_1");
    world.vault.extend_request(&key, id, "many records").await
}

async fn answer(world: &World, id: &str) -> Result<SubjectRequest, Error> {
    let said = (RequestOutcome::Granted, "sent by letter");
    world
        .vault
        .answer_request(&who("acme", "key_1"), id, said)
        .await
}

async fn the_law_of_a_person_says_until_when_they_are_answered(place: Place) {
    let world = World::open(&place).await;
    let access = new("liu").kind;
    // From 21 September: a month there has thirty days, the two after it sixty-one.
    for (jurisdiction, kind, days, more) in [
        (Jurisdiction::Generic, access, 30, 0),
        (Jurisdiction::Gdpr, access, 30, 61),
        (Jurisdiction::Uk, access, 30, 61),
        (Jurisdiction::Pipl, access, 30, 0),
        (Jurisdiction::Ccpa, access, 45, 45),
        (Jurisdiction::Ccpa, RequestKind::Objection, 19, 0),
    ] {
        let asked = NewRequest {
            jurisdiction: Some(jurisdiction),
            kind,
            ..new("liu")
        };
        let asked = record(&world, asked).await.unwrap();
        let due = |days: i64| Timestamp::from_micros(asked.received_at.micros() + days * DAY);
        assert_eq!(asked.due_at, due(days), "{jurisdiction:?}");
        let extended = extend(&world, &asked.id).await;
        if more == 0 {
            assert_eq!(code(extended), "subject_request_state");
            continue;
        }
        assert_eq!(extended.unwrap().due_at, due(days + more));
        let twice = extend(&world, &asked.id).await;
        assert_eq!(code(twice), "subject_request_state");
    }
    let late = NewRequest {
        jurisdiction: Some(Jurisdiction::Gdpr),
        ..new("liu")
    };
    let late = record(&world, late).await.unwrap();
    world.pass_days(30);
    let extended = extend(&world, &late.id).await;
    assert_eq!(code(extended), "subject_request_state", "it is overdue");
    answer(&world, &late.id).await.unwrap();
    world.close().await;
}

async fn told(world: &World) -> usize {
    let acts = world.acts().await;
    let told = acts
        .iter()
        .filter(|(_, action, _)| action == "subject.request_overdue");
    told.count()
}

async fn a_request_that_nobody_answers_is_told_of_once(place: Place) {
    let world = World::open(&place).await;
    let asked = record(&world, new("liu")).await.unwrap();
    let other = record(&world, new("wang")).await.unwrap();
    answer(&world, &other.id).await.unwrap();
    world.vault.note_overdue_requests().await.unwrap();
    assert_eq!((told(&world).await, world.vault.requests_overdue()), (0, 0));
    world.pass_days(30);
    for _ in 0..2 {
        world.vault.note_overdue_requests().await.unwrap();
        assert_eq!((told(&world).await, world.vault.requests_overdue()), (1, 1));
    }
    let world = world.restart(&place).await;
    assert_eq!(world.vault.requests_overdue(), 1);
    world.vault.note_overdue_requests().await.unwrap();
    assert_eq!(told(&world).await, 1, "also across a restart");
    answer(&world, &asked.id).await.unwrap();
    assert_eq!(
        (world.vault.requests_overdue(), world.vault.requests_open()),
        (0, 0)
    );
    // The timeline of the person has the request and its answer.
    let acme = who("acme", "key_1").tenant;
    let told = world.vault.timeline(&acme, "liu", None).await.unwrap();
    let actions: Vec<_> = told.moments.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(actions, ["subject.answer_request", "subject.request"]);
    world.close().await;
}

async fn what_makes_no_sense_is_refused_and_nobody_sees_what_is_anothers(place: Place) {
    let world = World::open(&place).await;
    let kept = item("liu", "name", "Liu Wei", Retention::Contract);
    let settlement = crate::world::by("settlement");
    world.vault.tokenize(&settlement, &[kept]).await.unwrap();
    let acme = who("acme", "key_1").tenant;
    let pseudonym = world.vault.pseudonym(&acme, "liu");
    assert!(record(&world, new(&pseudonym)).await.is_ok());
    let nobody = world.vault.pseudonym(&acme, "nobody");
    for subject in [nobody.as_str(), ""] {
        assert!(record(&world, new(subject)).await.is_err(), "{subject}");
    }
    let now = record(&world, new("wang")).await.unwrap().received_at;
    for (micros, is_taken) in [
        (1, false),
        (0, true),
        (-366 * DAY, true),
        (-366 * DAY - 1, false),
    ] {
        let asked = NewRequest {
            received_at: Some(Timestamp::from_micros(now.micros() + micros)),
            ..new("wang")
        };
        assert_eq!(record(&world, asked).await.is_ok(), is_taken, "{micros}");
    }
    let asked = record(&world, new("wang")).await.unwrap();
    let other = who("other", "key_9");
    assert_eq!(
        code(world.vault.request(&other.tenant, &asked.id).await),
        "subject_request_unknown"
    );
    let said = (RequestOutcome::Refused, "none of theirs");
    let theirs = world.vault.answer_request(&other, &asked.id, said).await;
    assert_eq!(code(theirs), "subject_request_unknown");
    let theirs = world.vault.record_request(&other, &new(&pseudonym)).await;
    assert_eq!(code(theirs), "subject_unknown");
    for reason in ["", "\0", &"x".repeat(257)] {
        let said = (RequestOutcome::Refused, reason);
        let key = who("acme", "key_1");
        let refused = world.vault.answer_request(&key, &asked.id, said).await;
        assert_eq!(code(refused), "vault_request_malformed");
    }
    world.close().await;
}

async fn of_two_who_answer_at_once_one_has(place: Place) {
    let world = World::open(&place).await;
    let asked = record(&world, new("liu")).await.unwrap();
    let (one, other) = tokio::join!(answer(&world, &asked.id), answer(&world, &asked.id));
    let answered = [&one, &other].iter().filter(|done| done.is_ok()).count();
    assert_eq!(answered, 1);
    assert_eq!(code(one.and(other)), "subject_request_state");
    assert_eq!(
        code(extend(&world, &asked.id).await),
        "subject_request_state"
    );
    world.close().await;
}

async fn pages_go_backwards_through_all_or_the_open_ones(place: Place) {
    let world = World::open(&place).await;
    let mut ids = Vec::new();
    for number in 0..7 {
        world.clock.advance_us(1_000);
        let asked = record(&world, new(&format!("person-{number}")))
            .await
            .unwrap();
        ids.push(asked.id);
    }
    ids.reverse();
    for id in [&ids[0], &ids[3]] {
        answer(&world, id).await.unwrap();
    }
    let acme = who("acme", "key_1").tenant;
    for (filter, expected) in [
        (RequestFilter::All, ids.clone()),
        (
            RequestFilter::Open,
            [1, 2, 4, 5, 6]
                .map(|place: usize| ids[place].clone())
                .to_vec(),
        ),
        (RequestFilter::Overdue, Vec::new()),
    ] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let place = (before.as_deref(), 2);
            let page = world.vault.requests(&acme, filter, place).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id.clone());
            found.extend(page.into_iter().map(|asked| asked.id));
        }
        assert_eq!(found, expected, "{filter:?}");
    }
    world.close().await;
}
