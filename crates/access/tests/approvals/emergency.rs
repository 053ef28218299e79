//! Acting without votes: told at once, reviewed by another, never twice without a review.

use crate::support::*;
use crate::world::{World, carry_out, code, who};
use paywarden_access::{
    Scope,
    approval::{Approvals, Finding, State},
};
use paywarden_store::{ActRow, Clock};
use std::sync::Arc;

on_both!(
    an_emergency_is_told_before_it_takes_effect_and_reviewed_by_another,
    without_a_review_there_is_no_second_emergency,
    two_emergencies_at_once_are_one,
    nobody_breaks_the_glass_without_the_right,
);

async fn world(place: &Place) -> World {
    let world = World::open(place).await;
    for name in ["maker", "other_maker"] {
        world.give(name, &[Scope::ApprovalsBreakGlass]);
    }
    world
}

async fn actions(world: &World) -> Vec<String> {
    let items = world
        .store
        .journal
        .outbox_claim("test", 256, 1_000_000)
        .await;
    let items = items.unwrap();
    items.into_iter().map(|item| item.action).collect()
}

async fn an_emergency_is_told_before_it_takes_effect_and_reviewed_by_another(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    let view = world.ask("maker", "a").await;
    let broken = approvals
        .break_glass(&who("maker"), &view.id, "payments stand still")
        .await;
    assert_eq!(broken.unwrap().state, State::Approved);
    assert_eq!(approvals.glass_broken(), 1);
    assert_eq!(
        actions(&world).await.last().unwrap(),
        "approval.break_glass"
    );
    assert!(world.effects().await.is_empty());

    // Only whoever broke the glass acts, and no vote comes after.
    assert_eq!(
        code(world.use_up("other_maker", &view.id).await),
        "approval_forbidden"
    );
    assert_eq!(code(world.vote("checker", &view).await), "approval_closed");
    world.use_up("maker", &view.id).await.unwrap();
    assert_eq!(world.effects().await, ["a"]);
    assert_eq!(code(world.use_up("maker", &view.id).await), "approval_used");

    is_reviewed_by_another(&world, &view.id).await;
    world.close().await;
}

async fn is_reviewed_by_another(world: &World, id: &str) {
    let approvals = &world.approvals;
    let open = approvals.open_reviews(&who("checker"), 10).await.unwrap();
    assert_eq!(open.len(), 1);
    assert!(!open[0].emergency.as_ref().unwrap().overdue);
    world.give("maker", &[Scope::ApprovalsVote]);
    let own = approvals
        .review(&who("maker"), id, Finding::Justified, "fine")
        .await;
    assert_eq!(code(own), "approval_by_maker");
    let stranger = approvals
        .review(&who("other_maker"), id, Finding::Justified, "fine")
        .await;
    assert_eq!(code(stranger), "approval_forbidden");
    let reviewed = approvals
        .review(
            &who("checker"),
            id,
            Finding::Unjustified,
            "a vote was to be had",
        )
        .await
        .unwrap();
    let review = reviewed.emergency.unwrap().review.unwrap();
    assert_eq!(
        (review.by.as_str(), review.finding),
        ("key:checker", Finding::Unjustified)
    );
    assert!(
        approvals
            .open_reviews(&who("checker"), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let again = approvals
        .review(&who("second"), id, Finding::Justified, "fine")
        .await;
    assert_eq!(code(again), "approval_nothing_to_review");
}

async fn without_a_review_there_is_no_second_emergency(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    let first = world.ask("maker", "a").await;
    approvals
        .break_glass(&who("maker"), &first.id, "urgent")
        .await
        .unwrap();
    // The same person at once, also for the request of another.
    for maker in ["maker", "other_maker"] {
        let next = world.ask(maker, "b").await;
        let again = approvals
            .break_glass(&who("maker"), &next.id, "urgent")
            .await;
        assert_eq!(code(again), "approval_review_open");
    }
    // Another one only until the review is overdue.
    let other = world.ask("other_maker", "c").await;
    world.hours(72);
    let fresh = world.ask("other_maker", "d").await;
    for view in [&other, &fresh] {
        let refused = approvals
            .break_glass(&who("other_maker"), &view.id, "urgent")
            .await;
        assert_eq!(code(refused), "approval_review_open");
    }
    let open = approvals.open_reviews(&who("checker"), 10).await.unwrap();
    assert!(open[0].emergency.as_ref().unwrap().overdue);
    // It is told of once, also by a process that starts later.
    let told = async || {
        let acts = world.store.database.acts(0, 1_000).await.unwrap();
        let of_it = |act: &&ActRow| act.read().unwrap().action == "approval.overdue";
        acts.iter().filter(of_it).count()
    };
    assert_eq!((approvals.reviews_overdue(), told().await), (0, 0));
    let restarted = Approvals::new(
        world.store.database.clone(),
        world.store.journal.clone(),
        Clock::Simulated(world.clock.clone()),
        Arc::new(|_, _, _| false),
    );
    for approvals in [approvals, approvals, &restarted] {
        approvals.note_overdue().await.unwrap();
        assert_eq!((approvals.reviews_overdue(), told().await), (1, 1));
    }
    approvals
        .review(&who("checker"), &first.id, Finding::Justified, "looked at")
        .await
        .unwrap();
    approvals.note_overdue().await.unwrap();
    assert_eq!((approvals.reviews_overdue(), told().await), (0, 1));
    approvals
        .break_glass(&who("other_maker"), &fresh.id, "urgent")
        .await
        .unwrap();
    world.use_up("other_maker", &fresh.id).await.unwrap();
    assert_eq!(world.effects().await, ["d"]);
    world.close().await;
}

async fn two_emergencies_at_once_are_one(place: Place) {
    let world = world(&place).await;
    let (one, two) = (world.ask("maker", "a").await, world.ask("maker", "b").await);
    let maker = who("maker");
    let broken = async |id: &str| world.approvals.break_glass(&maker, id, "urgent").await;
    let (first, second) = tokio::join!(broken(&one.id), broken(&two.id));
    let refused: Vec<_> = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "approval_review_open");
    world.close().await;
}

async fn nobody_breaks_the_glass_without_the_right(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    let view = world.ask("both", "a").await;
    let broken = approvals
        .break_glass(&who("both"), &view.id, "urgent")
        .await;
    assert_eq!(code(broken), "approval_forbidden");
    // The right without that of the command.
    world.give("checker", &[Scope::ApprovalsBreakGlass]);
    let broken = approvals
        .break_glass(&who("checker"), &view.id, "urgent")
        .await;
    assert_eq!(code(broken), "approval_forbidden");
    // The right is gone when it comes to the use.
    approvals
        .break_glass(&who("maker"), &view.id, "urgent")
        .await
        .unwrap();
    let claimed = world.claim("maker", &view.id).await.unwrap();
    world.take("maker", Scope::ApprovalsBreakGlass);
    assert_eq!(code(carry_out(claimed).await), "approval_forbidden");
    assert!(world.effects().await.is_empty());
    world.close().await;
}
