//! Data taken out in bulk: every way to it without the word of another, each refused.

use crate::support::*;
use crate::world::{World, ask, code, who};
use paywarden_access::{
    Scope,
    approval::{
        ApprovalView, Collection, EXPORT_OPEN_US, EXPORT_ROWS_MAX, Error, Export, OpenExport, Who,
    },
};
use paywarden_domain::TenantId;

on_both!(
    an_export_opens_for_whoever_carried_it_out_for_a_day,
    nobody_takes_data_out_alone,
    whoever_takes_data_out_approves_none_of_it,
    an_export_is_of_what_was_voted_on_and_opens_once,
    other_approvals_and_other_tenants_open_nothing,
);

const TRAIL: Export = Export {
    collection: Collection::Trail,
    rows: 1_000,
};

/// Somebody who takes data out.
async fn world(place: &Place) -> World {
    let world = World::open(place).await;
    for name in ["taker", "other_taker"] {
        world.give(name, &[Scope::ExportsWrite]);
    }
    world
}

async fn asked(world: &World) -> ApprovalView {
    let asked = world.approvals.request(&who("taker"), &TRAIL, ask()).await;
    asked.unwrap()
}

async fn open(world: &World, name: &str, id: &str) -> Result<(), Error> {
    let approved = world.approvals.claim::<Export>(&who(name), id).await?;
    world
        .approvals
        .open_export(approved, "for the auditor")
        .await
        .map(drop)
}

async fn read(world: &World, name: &str, id: &str) -> Result<OpenExport, Error> {
    world.approvals.export(&who(name), id).await
}

async fn an_export_opens_for_whoever_carried_it_out_for_a_day(place: Place) {
    let world = world(&place).await;
    let view = asked(&world).await;
    assert_eq!(
        code(read(&world, "taker", &view.id).await),
        "approval_closed"
    );
    world.vote("checker", &view).await.unwrap();
    // Approved is not carried out.
    assert_eq!(
        code(read(&world, "taker", &view.id).await),
        "approval_closed"
    );
    open(&world, "taker", &view.id).await.unwrap();
    let opened = read(&world, "taker", &view.id).await.unwrap();
    assert_eq!(opened.export, TRAIL);
    let until = world.now().micros() + EXPORT_OPEN_US;
    assert!((until - opened.until.micros()).abs() < 1_000_000);
    for other in ["other_taker", "checker", "nobody"] {
        assert_eq!(
            code(read(&world, other, &view.id).await),
            "approval_forbidden",
            "{other}"
        );
    }
    world.take("taker", Scope::ExportsWrite);
    assert_eq!(
        code(read(&world, "taker", &view.id).await),
        "approval_forbidden"
    );
    world.give("taker", &[Scope::ExportsWrite]);
    world.hours(24);
    assert_eq!(
        code(read(&world, "taker", &view.id).await),
        "approval_expired"
    );
    world.close().await;
}

async fn nobody_takes_data_out_alone(place: Place) {
    let world = world(&place).await;
    let approvals = &world.approvals;
    let bare = approvals.admit(&who("taker"), TRAIL, None).await;
    assert_eq!(code(bare), "approval_missing");
    let unable = approvals.request(&who("maker"), &TRAIL, ask()).await;
    assert_eq!(code(unable), "approval_forbidden");
    let view = asked(&world).await;
    world.give("taker", &[Scope::ApprovalsVote, Scope::ApprovalsBreakGlass]);
    assert_eq!(code(world.vote("taker", &view).await), "approval_by_maker");
    assert_eq!(
        code(open(&world, "taker", &view.id).await),
        "approval_votes"
    );
    let broken = approvals.break_glass(&who("taker"), &view.id, "now").await;
    assert_eq!(code(broken), "break_glass_forbidden");
    world.vote("checker", &view).await.unwrap();
    world.take("checker", Scope::ApprovalsVote);
    assert_eq!(
        code(open(&world, "taker", &view.id).await),
        "approval_votes"
    );
    world.give("checker", &[Scope::ApprovalsVote]);
    world.hours(24);
    assert_eq!(
        code(open(&world, "taker", &view.id).await),
        "approval_expired"
    );
    world.close().await;
}

async fn whoever_takes_data_out_approves_none_of_it(place: Place) {
    let world = world(&place).await;
    let view = asked(&world).await;
    world.give("other_taker", &[Scope::ApprovalsVote]);
    let voted = world.vote("other_taker", &view).await;
    assert_eq!(code(voted), "approval_forbidden");
    // Nor by a vote from before they could.
    world.vote("checker", &view).await.unwrap();
    world.give("checker", &[Scope::ExportsWrite]);
    assert_eq!(
        code(open(&world, "taker", &view.id).await),
        "approval_votes"
    );
    world.close().await;
}

async fn an_export_is_of_what_was_voted_on_and_opens_once(place: Place) {
    let world = world(&place).await;
    let view = asked(&world).await;
    world.vote("checker", &view).await.unwrap();
    for other in [
        Export {
            rows: 1_001,
            ..TRAIL
        },
        Export {
            collection: Collection::Decisions,
            ..TRAIL
        },
    ] {
        let admitted = world
            .approvals
            .admit(&who("taker"), other, Some(&view.id))
            .await;
        assert_eq!(code(admitted), "approval_other_payload");
    }
    let (taker, mut claimed) = (who("taker"), Vec::new());
    for _ in 0..8 {
        let approved = world.approvals.claim::<Export>(&taker, &view.id);
        claimed.push(approved.await.unwrap());
    }
    let opening = claimed.into_iter().map(|approved| {
        let approvals = world.approvals.clone();
        tokio::spawn(async move { approvals.open_export(approved, "for the auditor").await })
    });
    let tasks: Vec<_> = opening.collect();
    let mut opened = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => opened += 1,
            Err(error) => assert_eq!(error.code(), "approval_used"),
        }
    }
    assert_eq!(opened, 1);
    assert_eq!(code(open(&world, "taker", &view.id).await), "approval_used");
    let sizes = [0, EXPORT_ROWS_MAX + 1].map(|rows| Export { rows, ..TRAIL });
    for malformed in sizes {
        let asked = world
            .approvals
            .request(&who("taker"), &malformed, ask())
            .await;
        assert_eq!(code(asked), "approval_command_malformed");
    }
    world.close().await;
}

async fn other_approvals_and_other_tenants_open_nothing(place: Place) {
    let world = world(&place).await;
    let listed = world.approved("a").await;
    world.use_up("maker", &listed.id).await.unwrap();
    assert_eq!(
        code(read(&world, "taker", &listed.id).await),
        "approval_other_payload"
    );
    assert_eq!(
        code(read(&world, "taker", "apr_none").await),
        "approval_unknown"
    );
    let view = asked(&world).await;
    world.vote("checker", &view).await.unwrap();
    open(&world, "taker", &view.id).await.unwrap();
    let stranger = Who {
        tenant: TenantId::parse("other").unwrap(),
        ..who("taker")
    };
    let found = world.approvals.export(&stranger, &view.id).await;
    assert_eq!(code(found), "approval_forbidden");
    let (database, now) = (&world.store.database, world.now());
    let found = OpenExport::read(database, &stranger.tenant, &view.id, now).await;
    assert_eq!(code(found), "approval_unknown");
    world.close().await;
}
