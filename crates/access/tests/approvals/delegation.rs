//! Lent rights: they count as the lender's, never for whoever asked, and die with the lender's.

use crate::support::*;
use crate::world::{World, acme, code, who};
use paywarden_access::{
    Scope,
    approval::{Error, Kind, NewDelegation, State, Void},
};
use paywarden_domain::{Timestamp, time::DAY};

on_both!(
    a_lent_right_counts_while_it_lasts,
    a_lent_right_dies_with_the_lenders_own,
    whoever_asked_neither_borrows_nor_lends,
    one_right_is_one_vote,
    what_may_not_be_lent_is_refused,
);

/// Approving list changes needs a right that `deputy`, who may vote, has not of its own.
async fn world(place: &Place) -> World {
    let world = World::open(place).await;
    let text = world
        .policy_with(
            "approver = \"approvals:vote\"",
            "approver = \"rules:approve\"",
        )
        .await;
    world.set_policy(text, 0).await.unwrap();
    world.give("deputy", &[Scope::ApprovalsVote, Scope::ListsRead]);
    world
}

fn lend(world: &World, to: &str, days: i64) -> NewDelegation {
    NewDelegation {
        to: who(to).actor.to_string(),
        until: Timestamp::from_micros(world.now().micros() + days * DAY),
        commands: vec![Kind::ListChange],
        reason: "on leave".to_owned(),
    }
}

async fn a_lent_right_counts_while_it_lasts(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    let view = world.ask("maker", "a").await;
    assert_eq!(
        code(world.vote("deputy", &view).await),
        "approval_forbidden"
    );
    let borrowed = world.vote_for("deputy", "checker", &view).await;
    assert_eq!(code(borrowed), "delegation_unknown");

    let new = lend(&world, "deputy", 2);
    let lent = approvals.delegate(&who("checker"), new).await.unwrap();
    assert_eq!(
        approvals.delegations(&acme()).await.unwrap(),
        std::slice::from_ref(&lent)
    );
    let voted = world.vote_for("deputy", "checker", &view).await.unwrap();
    assert_eq!(voted.state, State::Approved);
    world.use_up("maker", &view.id).await.unwrap();

    // Taken back between the vote and the use.
    let view = world.ask("maker", "b").await;
    world.vote_for("deputy", "checker", &view).await.unwrap();
    let foreign = approvals
        .end_delegation(&who("deputy"), &lent.id, "mine")
        .await;
    assert_eq!(code(foreign), "delegation_unknown");
    approvals
        .end_delegation(&who("checker"), &lent.id, "back")
        .await
        .unwrap();
    let refused = world.use_up("maker", &view.id).await.unwrap_err();
    let too_few = Error::TooFewVotes {
        counted: 0,
        needed: 1,
        void: vec![Void::Delegation],
    };
    assert_eq!(refused, too_few);
    assert_eq!(approvals.delegations(&acme()).await.unwrap(), []);

    // Run out between the vote and the use.
    let new = lend(&world, "deputy", 2);
    approvals.delegate(&who("checker"), new).await.unwrap();
    let view = world.ask("maker", "c").await;
    world.vote_for("deputy", "checker", &view).await.unwrap();
    world.hours(48);
    assert_eq!(world.use_up("maker", &view.id).await.unwrap_err(), too_few);
    assert_eq!(world.effects().await, ["a"]);
    world.close().await;
}

async fn a_lent_right_dies_with_the_lenders_own(place: Place) {
    let world = world(&place).await;
    let new = lend(&world, "deputy", 30);
    world
        .approvals
        .delegate(&who("checker"), new)
        .await
        .unwrap();
    let view = world.ask("maker", "a").await;
    world.vote_for("deputy", "checker", &view).await.unwrap();
    world.take("checker", Scope::RulesApprove);
    let code_of = code(world.use_up("maker", &view.id).await);
    assert_eq!(code_of, "approval_votes");
    world.give("checker", &[Scope::RulesApprove]);
    world.revoke("deputy");
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_votes"
    );
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn whoever_asked_neither_borrows_nor_lends(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    // To the maker.
    let new = lend(&world, "both", 1);
    approvals.delegate(&who("checker"), new).await.unwrap();
    let view = world.ask("both", "a").await;
    let borrowed = world.vote_for("both", "checker", &view).await;
    assert_eq!(code(borrowed), "approval_by_maker");
    // By the maker.
    let new = lend(&world, "deputy", 1);
    approvals.delegate(&who("both"), new).await.unwrap();
    let proxy = world.vote_for("deputy", "both", &view).await;
    assert_eq!(code(proxy), "approval_by_maker");
    assert_eq!(code(world.use_up("both", &view.id).await), "approval_votes");
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn one_right_is_one_vote(place: Place) {
    let world = world(&place).await;
    let two = world.approvals.policy(&acme()).await.unwrap().text.replace(
        "approvers = 1\napprover = \"rules:approve\"\nexpires_hours = 72",
        "approvers = 2\napprover = \"rules:approve\"\nexpires_hours = 72",
    );
    world.set_policy(two, 1).await.unwrap();
    let new = lend(&world, "deputy", 1);
    world
        .approvals
        .delegate(&who("checker"), new)
        .await
        .unwrap();
    let view = world.ask("maker", "a").await;
    world.vote("checker", &view).await.unwrap();
    for (name, again) in [("checker", None), ("deputy", Some("checker"))] {
        let voted = match again {
            Some(lender) => world.vote_for(name, lender, &view).await,
            None => world.vote(name, &view).await,
        };
        assert_eq!(code(voted), "approval_repeated");
    }
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_votes"
    );
    let view = world.vote("second", &view).await.unwrap();
    assert_eq!(view.state, State::Approved);
    world.use_up("maker", &view.id).await.unwrap();
    world.close().await;
}

async fn what_may_not_be_lent_is_refused(place: Place) {
    let world = world(&place).await;
    for (name, to, days, expected) in [
        ("checker", "checker", 1, "delegation_malformed"),
        ("checker", "deputy", 31, "delegation_malformed"),
        ("checker", "deputy", 0, "delegation_malformed"),
        ("checker", "maker", 1, "delegation_malformed"),
        ("maker", "deputy", 1, "approval_forbidden"),
    ] {
        let new = lend(&world, to, days);
        let refused = world.approvals.delegate(&who(name), new).await;
        assert_eq!(code(refused), expected, "{name} to {to} for {days} days");
    }
    // A borrowed right is not lent on.
    let new = lend(&world, "deputy", 1);
    world
        .approvals
        .delegate(&who("checker"), new)
        .await
        .unwrap();
    world.give("other_deputy", &[Scope::ApprovalsVote]);
    let new = lend(&world, "other_deputy", 1);
    world.approvals.delegate(&who("deputy"), new).await.unwrap();
    let view = world.ask("maker", "a").await;
    let chained = world.vote_for("other_deputy", "deputy", &view).await;
    assert_eq!(code(chained), "approval_forbidden");
    let chained = world.vote_for("other_deputy", "checker", &view).await;
    assert_eq!(code(chained), "delegation_unknown");
    world.close().await;
}
