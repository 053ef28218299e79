//! The policy: changed by approval alone, counted as it is at use; what a day allows.

use crate::support::*;
use crate::world::{World, acme, ask, code, who};
use paywarden_access::{Scope, approval::PolicyChange};

on_both!(
    a_policy_changes_by_approval_alone,
    the_policy_at_use_is_what_counts,
    of_two_changes_of_one_policy_one_is_refused,
    a_day_allows_so_many_and_no_more,
    keys_do_not_count_where_staff_is_asked_for,
);

async fn a_policy_changes_by_approval_alone(place: Place) {
    let world = World::open(&place).await;
    let approvals = &world.approvals;
    let shipped = approvals.policy(&acme()).await.unwrap();
    assert_eq!(shipped.number, 0);
    let text = world
        .policy_with("review_hours = 72", "review_hours = 8")
        .await;
    let change = |text: &str| PolicyChange {
        replaces: 0,
        text: text.to_owned(),
    };
    let bare = approvals.admit(&who("maker"), change(&text), None).await;
    assert_eq!(code(bare), "approval_missing");
    world.give("maker", &[Scope::ApprovalsBreakGlass]);
    let view = approvals
        .request(&who("maker"), &change(&text), ask())
        .await;
    let view = view.unwrap();
    let broken = approvals
        .break_glass(&who("maker"), &view.id, "urgent")
        .await;
    assert_eq!(code(broken), "break_glass_forbidden");
    let open_door = text.replacen("approvers = 1", "approvers = 0", 1);
    let weaker = approvals
        .request(&who("maker"), &change(&open_door), ask())
        .await;
    assert_eq!(code(weaker), "approval_command_malformed");

    world.set_policy(text.clone(), 0).await.unwrap();
    let policy = approvals.policy(&acme()).await.unwrap();
    assert_eq!((policy.number, policy.policy.review_hours), (1, 8));
    assert_eq!(policy.text, text);
    world.close().await;
}

async fn the_policy_at_use_is_what_counts(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let two = world
        .policy_with(
            "approvers = 1\napprover = \"approvals:vote\"",
            "approvers = 2\napprover = \"approvals:vote\"",
        )
        .await;
    world.set_policy(two, 0).await.unwrap();
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_votes"
    );
    world.vote("second", &view).await.unwrap();
    world.use_up("maker", &view.id).await.unwrap();
    let used = world
        .approvals
        .find(&who("checker"), &view.id)
        .await
        .unwrap()
        .used;
    let used = used.unwrap();
    assert_eq!((used.policy, used.approvers.len()), (1, 2));
    world.close().await;
}

async fn of_two_changes_of_one_policy_one_is_refused(place: Place) {
    let world = World::open(&place).await;
    let approvals = &world.approvals;
    let mut approved = Vec::new();
    for hours in [8, 9] {
        let text = world
            .policy_with("review_hours = 72", &format!("review_hours = {hours}"))
            .await;
        let change = PolicyChange { replaces: 0, text };
        let view = approvals.request(&who("maker"), &change, ask()).await;
        let view = world.vote("third", &view.unwrap()).await.unwrap();
        approved.push(approvals.claim(&who("maker"), &view.id).await.unwrap());
    }
    let (two, one) = (approved.pop().unwrap(), approved.pop().unwrap());
    let (one, two) = tokio::join!(
        approvals.change_policy(one, "agreed"),
        approvals.change_policy(two, "agreed")
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    assert_eq!(approvals.policy(&acme()).await.unwrap().number, 1);
    world.close().await;
}

async fn a_day_allows_so_many_and_no_more(place: Place) {
    let world = World::open(&place).await;
    world.release("maker", 15).await.unwrap();
    assert_eq!(code(world.release("maker", 6).await), "approval_missing");
    // Nine at once, five left, whoever asks.
    let tasks = (0..9).map(|number| {
        let name = ["maker", "other_maker"][number % 2];
        world.release(name, 1)
    });
    let mut done = 0;
    for result in join_all(tasks).await {
        match result {
            Ok(()) => done += 1,
            Err(error) => assert!(
                matches!(error.code(), "approval_missing" | "store_unavailable"),
                "{error:?}"
            ),
        }
    }
    // Who was outrun too often is refused; nobody gets more than there is.
    assert!((1..=5).contains(&done), "{done}");
    for _ in done..5 {
        world.release("maker", 1).await.unwrap();
    }
    assert_eq!(code(world.release("maker", 1).await), "approval_missing");
    world.hours(24);
    world.release("maker", 20).await.unwrap();
    assert_eq!(code(world.release("maker", 1).await), "approval_missing");
    world.close().await;
}

/// Polls all of them together.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in &mut waiting {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
            ready &= output.is_some();
        }
        match ready {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

async fn keys_do_not_count_where_staff_is_asked_for(place: Place) {
    let world = World::open(&place).await;
    let text = world
        .policy_with(
            "approver = \"approvals:vote\"\nexpires_hours = 72",
            "approver = \"approvals:vote\"\nexpires_hours = 72\nstaff_only = true\n\
             conflicts = [\"rules:write\"]",
        )
        .await;
    world.set_policy(text, 0).await.unwrap();
    let view = world.ask("maker", "a").await;
    assert_eq!(
        code(world.vote("checker", &view).await),
        "approval_forbidden"
    );
    world.close().await;
}
