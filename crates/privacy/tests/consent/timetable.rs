//! Retention runs that begin by themselves.

use crate::{
    retention::{CONTRACT_DAYS, begin, card, ends, keep, living, over},
    support::{Place, on_both},
    world::{DAY_US, World, by, code, who},
};
use paywarden_privacy::{
    Retention,
    retention::{Fate, Run, RunState, Step},
};

on_both! {
    runs_begin_by_the_timetable_and_end_what_nobody_stopped,
    a_timetable_counts_and_ends_nothing_unless_it_says_so,
}

/// Every run of the company, oldest first, when none is open.
async fn runs(world: &World) -> Vec<Run> {
    let acme = who("acme", "key_1").tenant;
    let all = world.vault.retention_runs(&acme, None, 100).await.unwrap();
    let mut over_all = Vec::new();
    for run in all.into_iter().rev() {
        over_all.push(over(world, &run.id).await);
    }
    over_all
}

/// So many hours pass, in each of which it is looked twice what is due; the runs there are then.
async fn hours(world: &World, hours: u64) -> Vec<Run> {
    for _ in 0..hours {
        world.clock.advance_us(DAY_US / 24);
        for _ in 0..2 {
            world.vault.keep_timetable().await.unwrap();
            runs(world).await;
        }
    }
    runs(world).await
}

/// The shipped policy with another timetable.
async fn timetable(world: &World, text: &str) {
    let shipped = world.vault.privacy_policy(&who("acme", "k").tenant).text;
    let (before, _) = shipped.split_once("[timetable]").unwrap();
    let text = format!("{before}[timetable]\n{text}\n");
    world.change_policy(&text).await.unwrap();
}

async fn runs_begin_by_the_timetable_and_end_what_nobody_stopped(place: Place) {
    let world = World::open(&place).await;
    timetable(
        &world,
        "every_days = 7\nhour = 2\nends = true\nwait_hours = 24",
    )
    .await;
    keep(&world, card("liu", Retention::Contract)).await;
    ends(&world, "liu").await;
    world.pass_days(CONTRACT_DAYS);
    // The world begins at some hour of a day: within one a count begins, and one only.
    let first = hours(&world, 23).await;
    let [count] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert!(count.is_timed && count.is_count());
    assert_eq!(
        (count.lines[0].fate, count.lines[0].records),
        (Fate::Ends, 1)
    );
    // Somebody looks at it, and lets nothing end by it.
    let by = by("a case is open");
    let stopped = world.vault.step_retention(&by, &count.id, Step::Stop).await;
    assert_eq!(stopped.unwrap().state, RunState::Stopped);
    let again = world.vault.step_retention(&by, &count.id, Step::Stop).await;
    assert_eq!(code(again), "retention_state");
    assert_eq!(hours(&world, 26).await.len(), 1);
    assert_eq!(living(&world, "liu").await, 1);
    // A restart begins nothing anew.
    let world = world.restart(&place).await;
    assert_eq!(hours(&world, 2).await.len(), 1);
    // A week after the first count another begins; a day later what it counted ends, once.
    let counted = hours(&world, 110).await;
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert_eq!(living(&world, "liu").await, 1);
    let ended = hours(&world, 25).await;
    assert_eq!(ended.len(), 3, "{ended:?}");
    assert_eq!(ended[2].counted.as_ref(), Some(&ended[1].id));
    assert_eq!(ended[2].as_of, ended[1].as_of);
    assert_eq!(living(&world, "liu").await, 0);
    assert_eq!(hours(&world, 48).await.len(), 3);
    world.close().await;
}

async fn a_timetable_counts_and_ends_nothing_unless_it_says_so(place: Place) {
    let world = World::open(&place).await;
    keep(&world, card("liu", Retention::Contract)).await;
    ends(&world, "liu").await;
    // As shipped: thirty days from one to the next, whatever is due.
    world.pass_days(CONTRACT_DAYS);
    assert_eq!(hours(&world, 25).await.len(), 1);
    assert_eq!(hours(&world, 6 * 24).await.len(), 1);
    world.pass_days(30);
    let twice = hours(&world, 1).await;
    assert!(twice.len() == 2 && twice.iter().all(Run::is_count));
    assert_eq!(living(&world, "liu").await, 1);
    // What somebody has open is not disturbed, and is waited for.
    world.pass_days(30);
    let open = begin(&world, None).await.unwrap();
    world.vault.keep_timetable().await.unwrap();
    over(&world, &open.id).await;
    assert_eq!(hours(&world, 1).await.len(), 4);
    // A policy without a timetable begins nothing.
    let shipped = world.vault.privacy_policy(&who("acme", "k").tenant).text;
    let (without, _) = shipped.split_once("[timetable]").unwrap();
    world.change_policy(without).await.unwrap();
    world.pass_days(60);
    assert_eq!(hours(&world, 25).await.len(), 4);
    world.close().await;
}
