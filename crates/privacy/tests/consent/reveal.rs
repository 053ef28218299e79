//! Values are shown to staff by approved grants, and every way around them.

use crate::{
    support::{Place, on_both},
    world::{World, address, by, item, staff, who},
};
use paywarden_access::approval::{self, ApprovalView, Ask, Ballot, Finding, Who};
use paywarden_privacy::{
    Error, Retention,
    reveal::{Reveal, RevealError},
};
use std::sync::{Arc, atomic::Ordering};

on_both! {
    a_grant_shows_what_it_says_as_often_as_it_says,
    nobody_looks_without_another_persons_approval,
    what_could_never_be_shown_is_not_asked_for_or_not_opened,
    of_two_looks_at_once_the_last_one_is_given_once,
    what_is_withdrawn_meanwhile_is_not_shown,
    in_an_emergency_one_looks_first_and_is_looked_at_afterwards,
}

fn reveal(subject: &str, purpose: &str) -> Reveal {
    Reveal {
        subject: subject.to_owned(),
        classes: ["card_number".to_owned()].into(),
        purpose: purpose.to_owned(),
        looks: 2,
        minutes: 30,
    }
}

/// Keeps a card and a name; the pseudonym of the person.
async fn keep(world: &World) -> String {
    let items = [
        item(
            "wang",
            "card_number",
            "4012888888881881",
            Retention::Contract,
        ),
        item("wang", "name", "Wang Fang", Retention::Contract),
    ];
    world
        .vault
        .tokenize(&by("settlement"), &items)
        .await
        .unwrap();
    world.vault.pseudonym(&who("acme", "k").tenant, "wang")
}

async fn ask(world: &World, who: &Who, reveal: &Reveal) -> Result<ApprovalView, approval::Error> {
    let ask = Ask {
        authors: Vec::new(),
        reason: "chargeback".to_owned(),
        ticket: Some("case 4711".to_owned()),
        expires_at: None,
    };
    world.approvals.request(who, reveal, ask).await
}

async fn vote(world: &World, by: &Who, asked: &ApprovalView) -> Result<(), approval::Error> {
    let ballot = Ballot {
        approve: true,
        payload_sha256: asked.payload_sha256.clone(),
        on_behalf_of: None,
        reason: "looked at".to_owned(),
    };
    world.approvals.vote(by, &asked.id, ballot).await.map(drop)
}

/// An open grant of Liu's.
async fn open(world: &World, reveal: &Reveal) -> String {
    let asked = ask(world, &staff("liu"), reveal).await.unwrap();
    vote(world, &staff("boss"), &asked).await.unwrap();
    carry_out(world, &asked.id).await.unwrap();
    asked.id
}

async fn carry_out(world: &World, id: &str) -> Result<(), RevealError> {
    let approved = world.approvals.claim::<Reveal>(&staff("liu"), id).await?;
    world.vault.open_reveal(approved, "chargeback").await
}

async fn look(world: &World, who: &Who, id: &str) -> Result<Vec<String>, RevealError> {
    let (_, read) = world.vault.look(&world.approvals, who, id).await?;
    Ok(read.iter().map(|one| one.value.expose().clone()).collect())
}

async fn a_grant_shows_what_it_says_as_often_as_it_says(place: Place) {
    let world = World::open(&place).await;
    let subject = keep(&world).await;
    let id = open(&world, &reveal(&subject, "dispute_handling")).await;
    let liu = staff("liu");
    let card = Ok(vec!["4012888888881881".to_owned()]);
    assert_eq!(look(&world, &liu, &id).await, card);
    // Nobody else's grant, also of one who could have one.
    let other = look(&world, &staff("chen"), &id).await.unwrap_err();
    assert!(matches!(
        other,
        RevealError::Approval(approval::Error::Forbidden(_))
    ));
    assert_eq!(look(&world, &liu, &id).await, card);
    assert_eq!(look(&world, &liu, &id).await, Err(RevealError::Spent));
    let world = world.restart(&place).await;
    assert_eq!(look(&world, &liu, &id).await, Err(RevealError::Spent));
    // A grant is opened once, and ends in time.
    let again = carry_out(&world, &id).await.unwrap_err();
    assert!(
        matches!(again, RevealError::Approval(approval::Error::Used)),
        "{again:?}"
    );
    let id = open(&world, &reveal(&subject, "dispute_handling")).await;
    world.is_trusted.store(false, Ordering::SeqCst);
    let lost = look(&world, &liu, &id).await.unwrap_err();
    assert!(matches!(
        lost,
        RevealError::Approval(approval::Error::Forbidden(_))
    ));
    world.is_trusted.store(true, Ordering::SeqCst);
    world.clock.advance_us(30 * 60_000_000 - 1);
    assert!(look(&world, &liu, &id).await.is_ok());
    world.clock.advance_us(1);
    assert_eq!(look(&world, &liu, &id).await, Err(RevealError::Over));
    let acts = world.store.database.acts(0, 1_000).await.unwrap();
    let reads = acts.iter().filter_map(|act| act.read());
    let reads = reads.filter(|leaf| leaf.action == "vault.read");
    let approvals: Vec<_> = reads.map(|leaf| leaf.approval.map(str::to_owned)).collect();
    assert_eq!(approvals.len(), 3);
    assert!(approvals.iter().all(Option::is_some), "{approvals:?}");
    world.close().await;
}

async fn nobody_looks_without_another_persons_approval(place: Place) {
    let world = World::open(&place).await;
    let subject = keep(&world).await;
    let wanted = reveal(&subject, "dispute_handling");
    let liu = staff("liu");
    let asked = ask(&world, &liu, &wanted).await.unwrap();
    // Not yet, not by oneself, not by somebody who works on cases too.
    let early = look(&world, &liu, &asked.id).await.unwrap_err();
    assert!(
        matches!(early, RevealError::Approval(approval::Error::Closed(_))),
        "{early:?}"
    );
    assert_eq!(
        vote(&world, &liu, &asked).await.unwrap_err().code(),
        "approval_by_maker"
    );
    let peer = vote(&world, &staff("chen"), &asked).await.unwrap_err();
    assert_eq!(peer.code(), "approval_forbidden");
    let unapproved = carry_out(&world, &asked.id).await.unwrap_err();
    assert!(matches!(
        unapproved,
        RevealError::Approval(approval::Error::TooFewVotes { .. })
    ));
    // A program that may not ask, a person of another company.
    assert!(ask(&world, &who("acme", "key_1"), &wanted).await.is_err());
    world.close().await;
}

async fn what_could_never_be_shown_is_not_asked_for_or_not_opened(place: Place) {
    let world = World::open(&place).await;
    let subject = keep(&world).await;
    let wanted = reveal(&subject, "dispute_handling");
    let liu = staff("liu");
    for (change, expected) in [
        (
            reveal("wang", "dispute_handling"),
            "approval_command_malformed",
        ),
        (
            Reveal {
                looks: 0,
                ..wanted.clone()
            },
            "approval_command_malformed",
        ),
        (
            Reveal {
                minutes: 481,
                ..wanted.clone()
            },
            "approval_command_malformed",
        ),
        (
            Reveal {
                classes: ["cvv".to_owned()].into(),
                ..wanted.clone()
            },
            "approval_command_malformed",
        ),
    ] {
        assert_eq!(
            ask(&world, &liu, &change).await.unwrap_err().code(),
            expected
        );
    }
    let useless = ask(&world, &liu, &reveal(&subject, "marketing"))
        .await
        .unwrap();
    vote(&world, &staff("boss"), &useless).await.unwrap();
    let refused = carry_out(&world, &useless.id).await.unwrap_err();
    assert!(
        matches!(refused, RevealError::Vault(Error::Denied(_))),
        "{refused:?}"
    );
    world.close().await;
}

async fn of_two_looks_at_once_the_last_one_is_given_once(place: Place) {
    let world = Arc::new(World::open(&place).await);
    let subject = keep(&world).await;
    let once = Reveal {
        looks: 1,
        ..reveal(&subject, "dispute_handling")
    };
    let id = open(&world, &once).await;
    let looks: Vec<_> = (0..6)
        .map(|_| {
            let (world, id) = (Arc::clone(&world), id.clone());
            tokio::spawn(async move { look(&world, &staff("liu"), &id).await })
        })
        .collect();
    let mut given = 0;
    for one in looks {
        match one.await.unwrap() {
            Ok(_) => given += 1,
            Err(error) => assert_eq!(error, RevealError::Spent),
        }
    }
    assert_eq!(given, 1);
    Arc::into_inner(world).unwrap().close().await;
}

async fn what_is_withdrawn_meanwhile_is_not_shown(place: Place) {
    let world = World::open(&place).await;
    world.agree("liu", "marketing").await.unwrap();
    world.keep(address("liu")).await;
    let subject = world.vault.pseudonym(&who("acme", "k").tenant, "liu");
    let wanted = Reveal {
        classes: ["email".to_owned()].into(),
        ..reveal(&subject, "marketing")
    };
    let id = open(&world, &wanted).await;
    let liu = staff("liu");
    assert!(look(&world, &liu, &id).await.is_ok());
    world.withdraw("liu").await.unwrap();
    let refused = look(&world, &liu, &id).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        paywarden_privacy::policy::Denial::ConsentWithdrawn.to_string()
    );
    // What was refused has not taken a look.
    world.agree("liu", "marketing").await.unwrap();
    assert!(look(&world, &liu, &id).await.is_ok());
    assert_eq!(look(&world, &liu, &id).await, Err(RevealError::Spent));
    world.close().await;
}

async fn in_an_emergency_one_looks_first_and_is_looked_at_afterwards(place: Place) {
    let world = World::open(&place).await;
    let subject = keep(&world).await;
    let liu = staff("liu");
    let asked = ask(&world, &liu, &reveal(&subject, "dispute_handling"))
        .await
        .unwrap();
    world
        .approvals
        .break_glass(&liu, &asked.id, "the customer is on the line")
        .await
        .unwrap();
    carry_out(&world, &asked.id).await.unwrap();
    assert!(look(&world, &liu, &asked.id).await.is_ok());
    let own = world
        .approvals
        .review(&liu, &asked.id, Finding::Justified, "fine")
        .await;
    assert_eq!(own.unwrap_err().code(), "approval_by_maker");
    let next = ask(&world, &liu, &reveal(&subject, "fraud_prevention"))
        .await
        .unwrap();
    let unreviewed = world.approvals.break_glass(&liu, &next.id, "again").await;
    assert_eq!(unreviewed.unwrap_err().code(), "approval_review_open");
    let boss = staff("boss");
    world
        .approvals
        .review(&boss, &asked.id, Finding::Justified, "called back")
        .await
        .unwrap();
    world.close().await;
}
