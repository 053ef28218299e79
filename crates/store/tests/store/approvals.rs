//! Steps of approvals: each number once, found by approval, by kind and time, per tenant.

use crate::support::*;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::*;

on_both!(
    of_two_who_act_at_once_one_is_refused,
    lists_walk_backwards_by_kind_command_and_time,
    glass_that_nobody_looked_at_is_found,
);

fn other() -> TenantId {
    TenantId::parse("other").unwrap()
}

fn taken(approval: &str, number: i64, kind: ApprovalStepKind, micros: i64) -> ApprovalStepRow {
    ApprovalStepRow {
        kind,
        taken_at: at(micros),
        ..approval_step(approval, number)
    }
}

async fn append(store: &Store, rows: impl IntoIterator<Item = ApprovalStepRow>) {
    let rows = rows.into_iter().map(Row::ApprovalStep).collect();
    store.append(rows).await.unwrap();
}

async fn of_two_who_act_at_once_one_is_refused(place: Place) {
    let store = place.open().await;
    append(&store, [approval_step("apr_1", 1)]).await;
    let step = |actor: &str| {
        vec![Row::ApprovalStep(ApprovalStepRow {
            actor: actor.into(),
            ..approval_step("apr_1", 2)
        })]
    };
    let (one, two) = tokio::join!(store.append(step("key:a")), store.append(step("key:b")));
    let refused = |result: &Result<_, Error>| matches!(result, Err(Error::Conflict { .. }));
    assert_eq!(u8::from(refused(&one)) + u8::from(refused(&two)), 1);
    let steps = store.database.approval_steps(&tenant(), "apr_1").await;
    let steps = steps.unwrap();
    assert_eq!(steps[0], approval_step("apr_1", 1));
    assert_eq!(steps.len(), 2);
    let last = store.database.approval_step_last(&tenant(), "apr_1").await;
    assert_eq!(last.unwrap().as_ref(), steps.last());
    let foreign = store.database.approval_steps(&other(), "apr_1").await;
    assert_eq!(foreign.unwrap(), []);
    store.close().await;
}

async fn lists_walk_backwards_by_kind_command_and_time(place: Place) {
    use ApprovalStepKind::{Approved, Requested};
    let store = place.open().await;
    // Three at one moment, so that pages have to break between equals.
    for (approval, micros) in [("a", 1), ("b", 5), ("c", 5), ("d", 5), ("e", 9)] {
        let rows = [
            taken(approval, 1, Requested, micros),
            taken(approval, 2, Approved, micros),
        ];
        append(&store, rows).await;
    }
    let mut named = taken("f", 1, Requested, 7);
    named.command = "policy_change".into();
    append(&store, [named]).await;
    let filter = ApprovalStepFilter {
        kind: Requested,
        command: Some("list_change"),
        since: at(0),
        before: None,
    };
    let (mut seen, mut last) = (String::new(), None::<(Timestamp, String)>);
    loop {
        let before = last.as_ref().map(|(time, id)| (*time, id.as_str()));
        let page = listed(&store, tenant(), ApprovalStepFilter { before, ..filter }, 2).await;
        seen.extend(page.iter().map(|(_, approval)| approval.as_str()));
        match page.last() {
            Some(row) => last = Some(row.clone()),
            None => break,
        }
    }
    assert_eq!(seen, "edcba");
    for (since, expected) in [(0, 6), (6, 2)] {
        let database = &store.database;
        let count = database
            .approval_steps_count(&tenant(), Requested, at(since))
            .await;
        assert_eq!(count, Ok(expected));
    }
    let recent = ApprovalStepFilter {
        command: None,
        since: at(7),
        ..filter
    };
    assert_eq!(listed(&store, tenant(), recent, 10).await.len(), 2);
    assert_eq!(listed(&store, other(), recent, 10).await, []);
    store.close().await;
}

async fn listed(
    store: &Store,
    tenant: TenantId,
    filter: ApprovalStepFilter<'_>,
    limit: u32,
) -> Vec<(Timestamp, String)> {
    let rows = store
        .database
        .approval_steps_of_kind(&tenant, filter, limit);
    let rows = rows.await.unwrap().into_iter();
    rows.map(|row| (row.taken_at, row.approval)).collect()
}

async fn glass_that_nobody_looked_at_is_found(place: Place) {
    use ApprovalStepKind::{GlassBroken, Requested, Reviewed};
    let store = place.open().await;
    for (approval, reviewed) in [("a", true), ("b", false), ("c", false)] {
        let mut rows = vec![
            taken(approval, 1, Requested, 1),
            taken(approval, 2, GlassBroken, 2),
        ];
        rows.extend(reviewed.then(|| taken(approval, 3, Reviewed, 3)));
        append(&store, rows).await;
    }
    let open = store.database.approvals_unreviewed(&tenant(), 10).await;
    let open: Vec<_> = open.unwrap().into_iter().map(|row| row.approval).collect();
    assert_eq!(open, ["b", "c"]);
    let foreign = store.database.approvals_unreviewed(&other(), 10).await;
    assert_eq!(foreign.unwrap(), []);
    store.close().await;
}
