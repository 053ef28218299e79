//! Questions to payers: links that answer once, whoever asks how often.

use crate::world::{World, acme};
use paywarden_domain::PaymentId;
use paywarden_notify::{
    Error,
    confirmation::{ASKED_MAX, Answer, Channel, Detail, State, Terms},
};
use paywarden_store::{Clock, Row};

fn payment() -> PaymentId {
    PaymentId::parse("pay-1").unwrap()
}

fn terms(hours: u16) -> Terms {
    Terms {
        hours,
        asked_as: None,
        shows: vec![Detail::Amount],
        hold_payee_hours: None,
    }
}

fn now(world: &World) -> paywarden_domain::Timestamp {
    Clock::Simulated(world.clock.clone()).now()
}

/// Writes an answer as the door does.
async fn write(world: &World, row: Row) -> Result<(), paywarden_store::Error> {
    let entry = paywarden_store::Entry {
        tenant: acme(),
        actor: paywarden_store::Actor::System("payer"),
        purpose: "test".into(),
        action: "confirmation.answer",
        object: "dec-1".to_owned(),
        rows: vec![row],
    };
    world.journal.append(entry).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_its_question_until_it_expires_and_is_in_no_store() {
    let world = World::open().await;
    let desk = &world.notify.confirmations;
    let (question, token) = desk
        .ask((&acme(), "key-1"), &payment(), terms(2))
        .await
        .unwrap();
    let found = desk.behind(token.as_str()).await.unwrap().unwrap();
    assert_eq!(found, question);
    assert_eq!(found.state(now(&world)), State::Open);
    world.hours(1);
    assert_eq!(found.state(now(&world)), State::Open);
    world.hours(1);
    assert_eq!(found.state(now(&world)), State::Expired);

    let id = format!("cnf_{}", hexadecimal(token.as_str()));
    let row = world
        .database
        .record("confirmation", &id)
        .await
        .unwrap()
        .unwrap();
    let kept = String::from_utf8(row.body).unwrap();
    assert!(!kept.contains(token.as_str()));
    for made_up in ["", "x", &"A".repeat(64), &token.as_str()[1..]] {
        assert!(desk.behind(made_up).await.unwrap().is_none(), "{made_up}");
    }
}

/// The first sixteen bytes of a link, which say where its question is.
fn hexadecimal(token: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    bytes[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_ends_the_link_before_and_nobody_is_asked_for_ever() {
    let world = World::open().await;
    let desk = &world.notify.confirmations;
    let mut tokens = Vec::new();
    for asked in 1..=ASKED_MAX {
        let (question, token) = desk
            .ask((&acme(), "key-1"), &payment(), terms(2))
            .await
            .unwrap();
        assert_eq!(question.asked, asked);
        tokens.push(token);
    }
    let once_more = desk.ask((&acme(), "key-1"), &payment(), terms(2)).await;
    assert!(matches!(once_more, Err(Error::AskedTooOften)));
    let last = tokens.pop().unwrap();
    for token in &tokens {
        assert!(desk.behind(token.as_str()).await.unwrap().is_none());
    }
    assert!(desk.behind(last.as_str()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_answers_at_once_one_stands() {
    let world = World::open().await;
    let desk = &world.notify.confirmations;
    let (question, token) = desk
        .ask((&acme(), "key-1"), &payment(), terms(2))
        .await
        .unwrap();
    let row = |answer| question.answer(answer, Channel::Link, now(&world)).unwrap();
    let (yes, no) = (row(Answer::Yes), row(Answer::No));
    let (first, second) = tokio::join!(write(&world, yes), write(&world, no));
    assert_eq!(
        [first.is_ok(), second.is_ok()]
            .iter()
            .filter(|ok| **ok)
            .count(),
        1
    );
    let found = desk.behind(token.as_str()).await.unwrap().unwrap();
    let stands = if first.is_ok() {
        Answer::Yes
    } else {
        Answer::No
    };
    assert_eq!(found.answered.unwrap().answer, stands);
    assert_eq!(found.state(now(&world)), State::Answered);
    let again = desk.ask((&acme(), "key-1"), &payment(), terms(2)).await;
    assert!(matches!(again, Err(Error::ConfirmationState(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_asked_for_is_refused() {
    let world = World::open().await;
    let desk = &world.notify.confirmations;
    let held = |hours| Terms {
        hold_payee_hours: Some(hours),
        ..terms(2)
    };
    let named = |name: &str| Terms {
        asked_as: Some(name.to_owned()),
        ..terms(2)
    };
    let all = [
        terms(0),
        terms(169),
        held(0),
        held(721),
        named(""),
        named(&"x".repeat(65)),
    ];
    for terms in all {
        let refused = desk
            .ask((&acme(), "key-1"), &payment(), terms.clone())
            .await;
        assert!(
            matches!(refused, Err(Error::ConfirmationRefused(_))),
            "{terms:?}"
        );
    }
    let stranger = paywarden_domain::TenantId::parse("other").unwrap();
    desk.ask((&acme(), "key-1"), &payment(), terms(2))
        .await
        .unwrap();
    let theirs = desk.of_payment(&stranger, &payment()).await.unwrap();
    assert!(theirs.is_none());
}
