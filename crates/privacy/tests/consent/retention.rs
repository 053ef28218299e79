//! What is kept ends when its time has come: counted first, held, taken up again, and every way
//! around that.

use crate::{
    support::{Place, on_both},
    world::{DAY_US, World, address, by, code, item, who},
};
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    Error, Item, Retention,
    consent::Answer,
    policy::Jurisdiction,
    retention::{Fate, Line, Order, Run, RunState, Step},
    subject::Wish,
};

on_both! {
    what_is_due_is_counted_and_only_that_ends,
    nothing_ends_that_was_not_counted,
    a_run_is_held_goes_on_and_ends_everything_once_over_a_restart,
    of_two_who_begin_or_hold_a_run_at_once_one_does,
    what_is_not_due_of_a_person_stays_readable,
    a_person_with_many_values_ends_with_all_keys,
    another_policy_stops_a_run,
}

pub const CONTRACT_DAYS: u64 = 1_096;

fn order(counted: Option<&str>) -> Order {
    Order {
        counted: counted.map(str::to_owned),
        persons_per_second: 100_000,
    }
}

pub fn card(subject: &str, retention: Retention) -> Item {
    item(subject, "card_number", "4012888888881881", retention)
}

pub async fn keep(world: &World, item: Item) -> String {
    let by = by("fraud_prevention");
    let kept = world.vault.tokenize(&by, &[item]).await.unwrap();
    kept[0].token.clone()
}

async fn wish(world: &World, subject: &str, wish: Wish) {
    let key = who("acme", "key_1");
    world.vault.wish(&key, subject, &wish).await.unwrap();
}

/// The relationship with a person ends now.
pub async fn ends(world: &World, subject: &str) {
    let at = now(world);
    wish(world, subject, Wish::EndRelation { at }).await;
}

fn now(world: &World) -> Timestamp {
    paywarden_store::Clock::Simulated(world.clock.clone()).now()
}

pub async fn begin(world: &World, counted: Option<&str>) -> Result<Run, Error> {
    let by = by("cleaning up");
    world.vault.begin_retention(&by, &order(counted)).await
}

/// Waits for the end of a run.
pub async fn over(world: &World, id: &str) -> Run {
    let acme = who("acme", "key_1").tenant;
    loop {
        let run = world.vault.retention_run(&acme, id).await.unwrap();
        if run.state != RunState::Running {
            return run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn counted(world: &World) -> Run {
    let run = begin(world, None).await.unwrap();
    over(world, &run.id).await
}

async fn ended(world: &World, count: &Run) -> Run {
    let run = begin(world, Some(&count.id)).await.unwrap();
    over(world, &run.id).await
}

fn line(
    (retention, class): (&str, &str),
    jurisdiction: Jurisdiction,
    fate: Fate,
    (records, persons): (u64, u64),
) -> Line {
    Line {
        retention: retention.to_owned(),
        class: class.to_owned(),
        jurisdiction,
        fate,
        records,
        persons,
    }
}

pub async fn living(world: &World, subject: &str) -> usize {
    let acme = who("acme", "key_1").tenant;
    let told = world.vault.timeline(&acme, subject, None).await.unwrap();
    told.values.len()
}

/// Five persons, four of whom leave; the token of an address for offers.
async fn people(world: &World) -> String {
    let chinese = Answer {
        jurisdiction: Some(Jurisdiction::Pipl),
        ..crate::world::answer("chen", "marketing")
    };
    let key = who("acme", "key_1");
    world.vault.give_consent(&key, &chinese).await.unwrap();
    keep(world, card("chen", Retention::Evidence)).await;
    let offer = world.keep(address("chen")).await;
    for subject in ["liu", "held", "rests", "stays"] {
        keep(world, card(subject, Retention::Contract)).await;
        keep(world, card(subject, Retention::Evidence)).await;
    }
    for subject in ["chen", "liu", "held", "rests"] {
        ends(world, subject).await;
    }
    let hold = Wish::Hold {
        reference: "case_4711".to_owned(),
        until: None,
    };
    wish(world, "held", hold).await;
    wish(world, "rests", Wish::Restrict).await;
    offer
}

/// What a count says of them after five years.
fn expected() -> Vec<Line> {
    let (contract, evidence) = (("contract", "card_number"), ("evidence", "card_number"));
    let (generic, pipl) = (Jurisdiction::Generic, Jurisdiction::Pipl);
    vec![
        line(contract, generic, Fate::Ends, (1, 1)),
        line(contract, generic, Fate::LegalHold, (1, 1)),
        line(contract, generic, Fate::Restricted, (1, 1)),
        line(contract, generic, Fate::NotDue, (1, 1)),
        line(evidence, generic, Fate::Ends, (1, 1)),
        line(evidence, generic, Fate::LegalHold, (1, 1)),
        line(evidence, generic, Fate::Restricted, (1, 1)),
        line(evidence, generic, Fate::NotDue, (1, 1)),
        // Five years are over, and there the law keeps for ten.
        line(evidence, pipl, Fate::AmlEvidence, (1, 1)),
        line(("marketing", "email"), pipl, Fate::Ends, (1, 1)),
    ]
}

async fn what_is_due_is_counted_and_only_that_ends(place: Place) {
    let world = World::open(&place).await;
    let offer = people(&world).await;
    world.pass_days(1_827);
    let count = counted(&world).await;
    assert_eq!((count.state, count.persons), (RunState::Done, 5));
    assert_eq!(count.lines, expected());
    for subject in ["chen", "liu", "held"] {
        assert_eq!(living(&world, subject).await, 2, "a count ends nothing");
    }
    let run = ended(&world, &count).await;
    assert_eq!((run.state, run.lines), (RunState::Done, count.lines));
    for (subject, left) in [
        ("chen", 1),
        ("liu", 0),
        ("held", 2),
        ("rests", 2),
        ("stays", 2),
    ] {
        assert_eq!(living(&world, subject).await, left, "{subject}");
    }
    let read = world.read(&by("marketing"), &offer).await;
    assert_eq!(code(read), "token_unknown");
    let acme = who("acme", "key_1").tenant;
    let told = world.vault.timeline(&acme, "chen", None).await.unwrap();
    let moment = &told.moments[1];
    assert_eq!(
        (
            moment.action.as_str(),
            moment.by.as_str(),
            moment.purpose.as_str()
        ),
        (
            "vault.retention_end",
            "system:retention",
            "retention by offers_after_relation"
        )
    );
    assert_eq!(moment.tokens, [offer]);
    world.close().await;
}

async fn nothing_ends_that_was_not_counted(place: Place) {
    let world = World::open(&place).await;
    let token = keep(&world, card("liu", Retention::Contract)).await;
    ends(&world, "liu").await;
    world.pass_days(CONTRACT_DAYS);
    assert_eq!(
        code(begin(&world, Some("ret_0")).await),
        "retention_unknown"
    );
    let count = counted(&world).await;
    // Another company cannot see it, nor act upon it.
    let mut theirs = by("cleaning up");
    theirs.tenant = who("other", "k").tenant;
    let order = order(Some(&count.id));
    let refused = world.vault.begin_retention(&theirs, &order).await;
    assert_eq!(code(refused), "retention_unknown");
    let seen = world.vault.retention_run(&theirs.tenant, &count.id).await;
    assert_eq!(code(seen), "retention_unknown");
    // What came due since the count stays.
    world.pass_days(1);
    let later = keep(&world, card("wang", Retention::Contract)).await;
    wish(
        &world,
        "wang",
        Wish::EndRelation {
            at: Timestamp::from_micros(1_790_000_000_000_000),
        },
    )
    .await;
    let run = ended(&world, &count).await;
    assert_eq!(run.as_of, count.as_of);
    assert_eq!(
        code(world.read(&by("settlement"), &token).await),
        "token_unknown"
    );
    assert!(world.read(&by("settlement"), &later).await.is_ok());
    // A run that has ended something is no count, and an old count is none either.
    assert_eq!(
        code(begin(&world, Some(&run.id)).await),
        "retention_not_counted"
    );
    let count = counted(&world).await;
    world.pass_days(8);
    assert_eq!(
        code(begin(&world, Some(&count.id)).await),
        "retention_not_counted"
    );
    for pace in [0, 100_001] {
        let order = Order {
            persons_per_second: pace,
            counted: None,
        };
        let refused = world.vault.begin_retention(&by("p"), &order).await;
        assert_eq!(code(refused), "vault_request_malformed");
    }
    world.close().await;
}

async fn a_run_is_held_goes_on_and_ends_everything_once_over_a_restart(place: Place) {
    const PERSONS: u64 = 40;
    let world = World::open(&place).await;
    for number in 0..PERSONS {
        let subject = format!("person-{number}");
        keep(&world, card(&subject, Retention::Contract)).await;
        ends(&world, &subject).await;
    }
    world.pass_days(CONTRACT_DAYS);
    let count = counted(&world).await;
    assert_eq!(count.lines[0].records, PERSONS);
    let run = begin(&world, Some(&count.id)).await.unwrap();
    // Wherever the process ends: what is written is whole.
    let world = world.restart(&place).await;
    world.vault.tend_retention().await.unwrap();
    let by = by("looking at it");
    let held = world.vault.step_retention(&by, &run.id, Step::Pause).await;
    if let Ok(held) = held {
        assert_eq!(held.state, RunState::Paused);
        let again = world.vault.step_retention(&by, &run.id, Step::Pause).await;
        assert_eq!(code(again), "retention_state");
        assert_eq!(code(begin(&world, None).await), "retention_open");
        let world_of_then = held.persons;
        world.vault.tend_retention().await.unwrap();
        let acme = who("acme", "key_1").tenant;
        let still = world.vault.retention_run(&acme, &run.id).await.unwrap();
        assert_eq!(
            (still.state, still.persons),
            (RunState::Paused, world_of_then)
        );
        world
            .vault
            .step_retention(&by, &run.id, Step::Resume)
            .await
            .unwrap();
    }
    let done = over(&world, &run.id).await;
    assert_eq!((done.state, done.persons), (RunState::Done, PERSONS));
    assert_eq!(
        (done.lines[0].records, done.lines[0].persons),
        (PERSONS, PERSONS)
    );
    let acts = world.acts().await;
    let leaves = acts
        .iter()
        .filter(|(_, action, _)| action == "vault.retention_end");
    assert_eq!(leaves.count() as u64, PERSONS, "each person has one leaf");
    let closed = world.vault.step_retention(&by, &run.id, Step::Resume).await;
    assert_eq!(code(closed), "retention_state");
    world.close().await;
}

async fn of_two_who_begin_or_hold_a_run_at_once_one_does(place: Place) {
    let world = World::open(&place).await;
    keep(&world, card("liu", Retention::Contract)).await;
    let (one, other) = tokio::join!(begin(&world, None), begin(&world, None));
    let codes = [&one, &other].map(|begun| begun.as_ref().err().map(|error| error.code()));
    assert!(
        codes == [None, Some("retention_open")] || codes == [Some("retention_open"), None],
        "{codes:?}"
    );
    let run = one.or(other).unwrap();
    over(&world, &run.id).await;
    // Slow, and long enough to go on for half a minute at least.
    for number in 0..30 {
        keep(&world, card(&format!("p{number}"), Retention::Contract)).await;
    }
    let slow = Order {
        counted: None,
        persons_per_second: 1,
    };
    let by = by("p");
    let run = world.vault.begin_retention(&by, &slow).await.unwrap();
    let pause = || world.vault.step_retention(&by, &run.id, Step::Pause);
    let (one, other) = tokio::join!(pause(), pause());
    let held = [&one, &other].iter().filter(|held| held.is_ok()).count();
    assert_eq!(held, 1, "{one:?} {other:?}");
    let stop = || world.vault.step_retention(&by, &run.id, Step::Stop);
    assert_eq!(stop().await.unwrap().state, RunState::Stopped);
    assert_eq!(code(stop().await), "retention_state");
    assert!(begin(&world, None).await.is_ok(), "the place is free again");
    world.close().await;
}

async fn what_is_not_due_of_a_person_stays_readable(place: Place) {
    let world = World::open(&place).await;
    let old = keep(&world, card("liu", Retention::Contract)).await;
    world.pass_days(1);
    ends(&world, "liu").await;
    world.pass_days(CONTRACT_DAYS - 1);
    // Written later: it is counted from then.
    let name = item("liu", "name", "Liu Wei", Retention::Contract);
    let name = keep(&world, name).await;
    world.pass_days(1);
    let count = counted(&world).await;
    ended(&world, &count).await;
    let settlement = by("settlement");
    assert_eq!(code(world.read(&settlement, &old).await), "token_unknown");
    let read = world.read(&settlement, &name).await;
    assert_eq!(read.as_deref(), Ok("Liu Wei"));
    // The same card may be kept anew, under a name of its own.
    let again = keep(&world, card("liu", Retention::Contract)).await;
    assert_ne!(again, old);
    assert!(world.read(&settlement, &again).await.is_ok());
    world.close().await;
}

async fn a_person_with_many_values_ends_with_all_keys(place: Place) {
    let world = World::open(&place).await;
    let by_them = by("settlement");
    for part in 0..5 {
        let one = |number| {
            let value = format!("street {part} {number}");
            item("liu", "address", &value, Retention::Contract)
        };
        let items: Vec<_> = (0..100).map(one).collect();
        world.vault.tokenize(&by_them, &items).await.unwrap();
        // The key at hand is forgotten, so that there are several.
        world.clock.advance_us(DAY_US);
    }
    ends(&world, "liu").await;
    world.pass_days(CONTRACT_DAYS);
    let count = counted(&world).await;
    assert_eq!((count.lines[0].records, count.lines[0].persons), (500, 1));
    let run = ended(&world, &count).await;
    assert_eq!((run.persons, run.lines), (1, count.lines));
    assert_eq!(living(&world, "liu").await, 0);
    let keys = world.vault.rotation().await.unwrap().keys;
    assert_eq!(keys, [], "no key outlives what was sealed under it");
    world.close().await;
}

async fn another_policy_stops_a_run(place: Place) {
    let world = World::open(&place).await;
    let token = keep(&world, card("liu", Retention::Contract)).await;
    ends(&world, "liu").await;
    world.pass_days(CONTRACT_DAYS);
    let count = counted(&world).await;
    let acme = who("acme", "key_1").tenant;
    let text = world.vault.privacy_policy(&acme).text;
    world.change_policy(&text).await.unwrap();
    assert_eq!(
        code(begin(&world, Some(&count.id)).await),
        "retention_not_counted"
    );
    assert!(world.read(&by("settlement"), &token).await.is_ok());
    // A run that is held while the policy changes ends nothing afterwards.
    let count = counted(&world).await;
    let slow = Order {
        counted: Some(count.id.clone()),
        persons_per_second: 100_000,
    };
    let by_them = by("p");
    let run = world.vault.begin_retention(&by_them, &slow).await.unwrap();
    let held = world
        .vault
        .step_retention(&by_them, &run.id, Step::Pause)
        .await;
    if held.is_ok() {
        world.change_policy(&text).await.unwrap();
        let resumed = world.vault.step_retention(&by_them, &run.id, Step::Resume);
        resumed.await.unwrap();
        assert_eq!(over(&world, &run.id).await.state, RunState::Stopped);
    }
    world.close().await;
}
