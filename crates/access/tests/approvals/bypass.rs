//! Every way around an approval, each refused, with nothing taking effect.

use crate::support::*;
use crate::world::{World, ask, ballot, carry_out, code, exempt, who};
use paywarden_access::{
    Scope,
    approval::{Ask, Ballot, Error, PageFilter, State, Void, Who},
};
use paywarden_domain::TenantId;
use paywarden_store::Actor;

on_both!(
    an_approved_command_takes_effect_once,
    whoever_asks_cannot_approve,
    a_vote_names_what_it_is_for,
    a_payload_changed_in_the_store_has_no_votes,
    an_approval_ends_in_time,
    votes_count_only_while_the_voter_may_vote,
    whoever_asked_must_still_be_allowed_to,
    two_cannot_approve_each_other_for_ever,
    of_many_at_once_exactly_one_takes_effect,
    whatever_happens_at_once_use_and_effect_agree,
    another_tenant_sees_and_moves_nothing,
    a_refusal_or_a_withdrawal_ends_it,
    lists_are_walked_by_state_and_kind,
);

fn void(refused: Result<impl std::fmt::Debug, Error>) -> Vec<Void> {
    match refused.unwrap_err() {
        Error::TooFewVotes { void, .. } => void,
        other => panic!("{other:?}"),
    }
}

async fn an_approved_command_takes_effect_once(place: Place) {
    let world = World::open(&place).await;
    let view = world.ask("maker", "a").await;
    assert_eq!(view.state, State::Open);
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_votes"
    );
    let view = world.vote("checker", &view).await.unwrap();
    assert_eq!(view.state, State::Approved);
    world.use_up("maker", &view.id).await.unwrap();
    assert_eq!(world.effects().await, ["a"]);

    // The same again, and through the door where the caller brings the command.
    assert_eq!(code(world.use_up("maker", &view.id).await), "approval_used");
    let again = world
        .approvals
        .admit(&who("maker"), exempt("a"), Some(&view.id))
        .await;
    assert_eq!(code(again), "approval_used");
    assert_eq!(code(world.vote("second", &view).await), "approval_used");
    let view = world
        .approvals
        .find(&who("checker"), &view.id)
        .await
        .unwrap();
    let used = view.used.unwrap();
    assert_eq!((used.by.as_str(), view.state), ("key:maker", State::Used));
    assert_eq!(used.approvers, ["key:checker"]);

    // Without any approval.
    let bare = world
        .approvals
        .admit(&who("maker"), exempt("b"), None)
        .await;
    assert_eq!(code(bare), "approval_missing");
    assert_eq!(world.effects().await, ["a"]);
    world.close().await;
}

async fn whoever_asks_cannot_approve(place: Place) {
    let world = World::open(&place).await;
    let view = world.ask("both", "a").await;
    assert_eq!(code(world.vote("both", &view).await), "approval_by_maker");
    assert_eq!(code(world.use_up("both", &view.id).await), "approval_votes");
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn a_vote_names_what_it_is_for(place: Place) {
    let world = World::open(&place).await;
    let (one, other) = (world.ask("maker", "a").await, world.ask("maker", "b").await);
    // The payload of one, shown for the other.
    let swapped = Ballot {
        payload_sha256: other.payload_sha256.clone(),
        ..ballot(&one)
    };
    let voted = world
        .approvals
        .vote(&who("checker"), &one.id, swapped)
        .await;
    assert_eq!(code(voted), "approval_other_payload");
    // Approved is `a`; what is brought is `b`.
    world.vote("checker", &one).await.unwrap();
    let brought = world
        .approvals
        .admit(&who("maker"), exempt("b"), Some(&one.id))
        .await;
    assert_eq!(code(brought), "approval_other_payload");
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn a_payload_changed_in_the_store_has_no_votes(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let mut intruder = place.intruder().await;
    let body = r#"{"object":"add:trusted_cards","command":{"value":"mine"},"reason":"r","ticket":null,"expires_at":"2099-01-01T00:00:00Z"}"#;
    let body: String = body.bytes().map(|byte| format!("{byte:02x}")).collect();
    let literal = match place.is_postgres() {
        true => format!("'\\x{body}'"),
        false => format!("X'{body}'"),
    };
    execute(
        &mut intruder,
        &format!("UPDATE approval_steps SET body = {literal} WHERE step_no = 1"),
    )
    .await;
    let refused = world.use_up("maker", &view.id).await;
    assert_eq!(void(refused), [Void::Payload]);
    assert!(world.effects().await.is_empty());
    let verdict = world.store.database.verify(None).await.unwrap();
    let told = format!("{verdict:?}");
    assert!(told.contains("RowChanged(ApprovalStep("), "{told}");
    world.store.close().await;
}

async fn an_approval_ends_in_time(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let claimed = world.claim("maker", &view.id).await.unwrap();
    world.hours(72);
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_expired"
    );
    // Claimed in time, carried out too late.
    assert_eq!(code(carry_out(claimed).await), "approval_expired");
    assert_eq!(code(world.vote("second", &view).await), "approval_expired");
    let view = world
        .approvals
        .find(&who("checker"), &view.id)
        .await
        .unwrap();
    assert_eq!(view.state, State::Expired);

    // Whoever asks may shorten the time, not lengthen it.
    for (hours, expected) in [(1, 1), (10_000, 72)] {
        let expiry = |hours: i64| {
            let micros = world.now().micros() + hours * paywarden_domain::time::HOUR;
            paywarden_domain::Timestamp::from_micros(micros)
        };
        let ask = Ask {
            expires_at: Some(expiry(hours)),
            ..ask()
        };
        let view = world
            .approvals
            .request(&who("maker"), &exempt("b"), ask)
            .await;
        assert_eq!(view.unwrap().expires_at, expiry(expected));
    }
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn votes_count_only_while_the_voter_may_vote(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let claimed = world.claim("maker", &view.id).await.unwrap();
    world.take("checker", Scope::ApprovalsVote);
    assert_eq!(void(world.use_up("maker", &view.id).await), [Void::Right]);
    // It had been claimed while the vote counted: it is counted again.
    assert_eq!(void(carry_out(claimed).await), [Void::Right]);
    let shown = world
        .approvals
        .find(&who("checker"), &view.id)
        .await
        .unwrap();
    assert_eq!(
        (shown.state, shown.votes[0].void),
        (State::Open, Some(Void::Right))
    );

    let second = world.vote("second", &view).await.unwrap();
    assert_eq!(second.state, State::Approved);
    world.revoke("second");
    let refused = world.use_up("maker", &view.id).await;
    assert_eq!(void(refused), [Void::Right, Void::Right]);
    assert!(world.effects().await.is_empty());

    world.vote("third", &view).await.unwrap();
    world.use_up("maker", &view.id).await.unwrap();
    assert_eq!(world.effects().await, ["a"]);

    // Nobody votes without the right in the first place.
    let next = world.ask("maker", "b").await;
    for stranger in ["checker", "second", "maker", "nobody"] {
        assert_eq!(
            code(world.vote(stranger, &next).await),
            "approval_forbidden"
        );
    }
    world.close().await;
}

async fn whoever_asked_must_still_be_allowed_to(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    world.take("maker", Scope::ListsWrite);
    // Neither in person nor by somebody who still may.
    for name in ["maker", "other_maker", "checker"] {
        assert_eq!(
            code(world.use_up(name, &view.id).await),
            "approval_forbidden"
        );
    }
    let asked = world
        .approvals
        .request(&who("maker"), &exempt("b"), ask())
        .await;
    assert_eq!(code(asked), "approval_forbidden");
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn two_cannot_approve_each_other_for_ever(place: Place) {
    let world = World::open(&place).await;
    let limit = world.policy_with("mutual_max = 20", "mutual_max = 1").await;
    world.set_policy(limit, 0).await.unwrap();
    // One way there is no limit.
    for value in ["a", "b", "c"] {
        let view = world.ask("both", value).await;
        world.vote("peer", &view).await.unwrap();
    }
    // One back is allowed; the second is not.
    let first = world.ask("peer", "d").await;
    world.vote("both", &first).await.unwrap();
    let second = world.ask("peer", "e").await;
    assert_eq!(code(world.vote("both", &second).await), "approval_mutual");
    // Somebody else may, and it does not open the way for the two.
    world.vote("checker", &second).await.unwrap();
    world.use_up("peer", &second.id).await.unwrap();
    let third = world.ask("peer", "f").await;
    assert_eq!(code(world.vote("both", &third).await), "approval_mutual");
    // Refusing each other has no limit.
    let against = Ballot {
        approve: false,
        ..ballot(&third)
    };
    let denied = world.approvals.vote(&who("both"), &third.id, against).await;
    assert_eq!(denied.unwrap().state, State::Denied);
    // Thirty days later the slate is clean.
    world.hours(24 * 31);
    let later = world.ask("peer", "g").await;
    world.vote("both", &later).await.unwrap();
    world.use_up("peer", &later.id).await.unwrap();
    assert_eq!(world.effects().await, ["e", "g"]);
    world.close().await;
}

async fn of_many_at_once_exactly_one_takes_effect(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let mut claimed = Vec::new();
    for _ in 0..8 {
        claimed.push(world.claim("maker", &view.id).await.unwrap());
    }
    let tasks: Vec<_> = claimed
        .into_iter()
        .map(|approved| tokio::spawn(carry_out(approved)))
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => done += 1,
            Err(error) => assert_eq!(error.code(), "approval_used"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(world.effects().await, ["a"]);
    world.close().await;
}

async fn whatever_happens_at_once_use_and_effect_agree(place: Place) {
    let world = World::open(&place).await;
    let mut used = Vec::new();
    for round in 0..12 {
        let value = format!("v{round:02}");
        let view = world.ask("maker", &value).await;
        let against = Ballot {
            approve: false,
            ..ballot(&view)
        };
        let (maker, third) = (who("maker"), who("third"));
        let refuse = async || match round % 3 {
            0 => drop(
                world
                    .approvals
                    .vote(&third, &view.id, against.clone())
                    .await,
            ),
            1 => drop(world.approvals.withdraw(&maker, &view.id, "no").await),
            _ => world.take("checker", Scope::ApprovalsVote),
        };
        let _ = tokio::join!(
            world.vote("checker", &view),
            world.vote("second", &view),
            world.use_up("maker", &view.id),
            refuse(),
            world.use_up("other_maker", &view.id),
            world.use_up("maker", &view.id),
        );
        world.give("checker", &[Scope::ApprovalsVote]);
        let _ = world.use_up("maker", &view.id).await;
        let shown = world
            .approvals
            .find(&who("checker"), &view.id)
            .await
            .unwrap();
        let ended = [State::Used, State::Denied, State::Withdrawn];
        assert!(ended.contains(&shown.state), "{shown:?}");
        assert_eq!(shown.used.is_some(), shown.state == State::Used);
        used.extend(shown.used.map(|_| value));
    }
    // What was used took effect once, what was not has no effect.
    assert_eq!(world.effects().await, used);
    world.close().await;
}

async fn another_tenant_sees_and_moves_nothing(place: Place) {
    let world = World::open(&place).await;
    let view = world.ask("maker", "a").await;
    let stranger = Who {
        tenant: TenantId::parse("other").unwrap(),
        actor: Actor::Key("checker".to_owned()),
    };
    // The right of `checker` is one in `acme`.
    let voted = world
        .approvals
        .vote(&stranger, &view.id, ballot(&view))
        .await;
    assert_eq!(code(voted), "approval_forbidden");
    let found = world.approvals.find(&stranger, &view.id).await;
    assert_eq!(code(found), "approval_unknown");
    let claimed = world
        .approvals
        .claim::<crate::world::Exempt>(&stranger, &view.id)
        .await;
    assert_eq!(code(claimed), "approval_unknown");
    let withdrawn = world.approvals.withdraw(&stranger, &view.id, "mine").await;
    assert_eq!(code(withdrawn), "approval_unknown");
    let page = world
        .approvals
        .page(&stranger, PageFilter::default(), None, 10)
        .await;
    assert_eq!(page.unwrap().approvals, []);
    world.close().await;
}

async fn a_refusal_or_a_withdrawal_ends_it(place: Place) {
    let world = World::open(&place).await;
    let view = world.approved("a").await;
    let against = Ballot {
        approve: false,
        ..ballot(&view)
    };
    // Who cannot vote cannot refuse either.
    let stranger = world
        .approvals
        .vote(&who("maker"), &view.id, against.clone())
        .await;
    assert_eq!(code(stranger), "approval_forbidden");
    let denied = world
        .approvals
        .vote(&who("second"), &view.id, against)
        .await;
    assert_eq!(denied.unwrap().state, State::Denied);
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_closed"
    );
    assert_eq!(code(world.vote("third", &view).await), "approval_closed");

    let view = world.approved("b").await;
    let foreign = world
        .approvals
        .withdraw(&who("other_maker"), &view.id, "no")
        .await;
    assert_eq!(code(foreign), "approval_forbidden");
    let taken = world
        .approvals
        .withdraw(&who("maker"), &view.id, "not needed")
        .await;
    assert_eq!(taken.unwrap().state, State::Withdrawn);
    assert_eq!(
        code(world.use_up("maker", &view.id).await),
        "approval_closed"
    );
    assert!(world.effects().await.is_empty());
    world.close().await;
}

async fn lists_are_walked_by_state_and_kind(place: Place) {
    let world = World::open(&place).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let view = world.ask("maker", &number.to_string()).await;
        if number % 2 == 0 {
            world.vote("checker", &view).await.unwrap();
        }
        ids.push((number, view.id));
        world.hours(1);
    }
    let open = PageFilter {
        state: Some(State::Open),
        command: Some(paywarden_access::approval::Kind::ListChange),
    };
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = world
            .approvals
            .page(&who("checker"), open, before, 1)
            .await
            .unwrap();
        seen.extend(page.approvals.into_iter().map(|view| view.id));
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [ids[3].1.clone(), ids[1].1.clone()]);
    let policies = PageFilter {
        command: Some(paywarden_access::approval::Kind::PolicyChange),
        ..open
    };
    let page = world
        .approvals
        .page(&who("checker"), policies, None, 10)
        .await;
    assert_eq!(page.unwrap().approvals, []);
    world.close().await;
}
