//! Work items: found by queue, assignee, subject and link; of two next versions one is refused.

use crate::support::{Place, Store, decided, decision, entry, on_both, record, tenant};
use paywarden_domain::{Outcome, TenantId};
use paywarden_store::{Error, Row, Salience, Verdict, WorkFilter, WorkItemRow, WorkPlace};

on_both! {
    pages_are_those_of_a_sorted_list,
    of_two_next_versions_one_is_refused,
    links_come_and_go_and_belong_to_their_tenant,
    decisions_stand_out_by_outcome_or_score,
}

/// A work item whose place follows from its number.
fn item(number: i64) -> WorkItemRow {
    WorkItemRow {
        record: record(&format!("alr_{number:04}"), 1),
        queue: ["fraud", "laundering"][number as usize % 2].to_owned(),
        state: 1 + (number % 5 == 0) as u8,
        assignee: ["", "", "staff:liu"][number as usize % 3].to_owned(),
        urgency: number * 7_919 % 13,
        subject: format!("customer:{}", number % 10),
        linked: vec![
            format!("decision:{number}"),
            format!("device:{}", number % 4),
        ],
        unlinked: Vec::new(),
    }
}

async fn write(store: &Store, rows: impl IntoIterator<Item = WorkItemRow>) {
    let rows = rows.into_iter().map(|row| Row::WorkItem(Box::new(row)));
    store.append(rows.collect()).await.unwrap();
}

fn filter<'f>(queue: &'f str, assignee: Option<&'f str>) -> WorkFilter<'f> {
    WorkFilter {
        kind: "thing",
        queue,
        state: 1,
        assignee,
        from: 2,
        before: 12,
        after: None,
    }
}

async fn pages_are_those_of_a_sorted_list(place: Place) {
    let store = place.open().await;
    let all: Vec<WorkItemRow> = (0..120).map(item).collect();
    write(&store, all.clone()).await;
    for (queue, assignee) in [
        ("fraud", None),
        ("laundering", Some("")),
        ("fraud", Some("staff:liu")),
    ] {
        let fits = |row: &&WorkItemRow| {
            row.queue == queue
                && row.state == 1
                && (2..12).contains(&row.urgency)
                && assignee.is_none_or(|assignee| row.assignee == assignee)
        };
        let mut expected: Vec<WorkPlace> = all.iter().filter(fits).map(WorkPlace::from).collect();
        expected.sort_by_key(|place| (place.urgency, place.id.clone()));
        assert!(expected.len() > 8);
        let mut found: Vec<WorkPlace> = Vec::new();
        loop {
            let last = found.last().cloned();
            let after = last.as_ref().map(|last| (last.urgency, last.id.as_str()));
            let filter = WorkFilter {
                after,
                ..filter(queue, assignee)
            };
            let page = store
                .database
                .work_items(&tenant(), &filter, 7)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected);
        let records = store.database.work_records(&found).await.unwrap();
        let ids = records.iter().map(|record| &record.id);
        assert!(ids.eq(found.iter().map(|place| &place.id)));
    }
    let (own, place) = (tenant(), ("thing", "laundering", 1));
    let about = store.database.work_item_about(&own, place, "customer:7");
    assert_eq!(about.await.unwrap().unwrap().id, "alr_0117");
    store.close().await;
}

async fn of_two_next_versions_one_is_refused(place: Place) {
    let store = place.open().await;
    write(&store, [item(3)]).await;
    let next = |assignee: &str| WorkItemRow {
        record: record("alr_0003", 2),
        assignee: assignee.to_owned(),
        linked: Vec::new(),
        ..item(3)
    };
    let take = async |assignee| {
        store
            .append(vec![Row::WorkItem(Box::new(next(assignee)))])
            .await
    };
    let (one, other) = tokio::join!(take("staff:a"), take("staff:b"));
    assert_eq!(
        [&one, &other].iter().filter(|taken| taken.is_ok()).count(),
        1
    );
    let refused = [one, other].into_iter().find_map(Result::err);
    assert!(matches!(refused, Some(Error::Conflict { .. })));

    let skipped = WorkItemRow {
        record: record("alr_0003", 4),
        ..next("staff:c")
    };
    let refused = store.append(vec![Row::WorkItem(Box::new(skipped))]).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })));
    let mut foreign = next("staff:d");
    foreign.record.version = 3;
    foreign.record.tenant = TenantId::parse("other").unwrap();
    let mut entry = entry(vec![Row::WorkItem(Box::new(foreign.clone()))]);
    entry.tenant = foreign.record.tenant;
    let refused = store.journal.append(entry).await;
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "another's item"
    );
    let verdict = store.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    store.close().await;
}

async fn links_come_and_go_and_belong_to_their_tenant(place: Place) {
    let store = place.open().await;
    write(&store, (0..12).map(item)).await;
    let linked = async |tenant: &TenantId, target: &str| {
        let links = store
            .database
            .work_linked_to(tenant, target, "b", 200)
            .await;
        let items = links.unwrap().into_iter().map(|link| link.item);
        items.collect::<Vec<_>>()
    };
    let other = TenantId::parse("other").unwrap();
    assert_eq!(
        linked(&tenant(), "device:1").await,
        ["alr_0009", "alr_0005", "alr_0001"]
    );
    assert!(linked(&other, "device:1").await.is_empty());
    let moved = WorkItemRow {
        record: record("alr_0005", 2),
        linked: vec!["device:2".to_owned(), "device:2".to_owned()],
        unlinked: vec!["device:1".to_owned(), "device:77".to_owned()],
        ..item(5)
    };
    write(&store, [moved]).await;
    assert_eq!(
        linked(&tenant(), "device:1").await,
        ["alr_0009", "alr_0001"]
    );
    let (own, targets) = (tenant(), ["device:2".to_owned(), "decision:3".to_owned()]);
    let links = store.database.work_links(&own, &targets);
    assert_eq!(links.await.unwrap().len(), 5);
    let places = store
        .database
        .work_places(&other, &["alr_0001".to_owned()])
        .await;
    assert!(places.unwrap().is_empty());
    store.close().await;
}

async fn decisions_stand_out_by_outcome_or_score(place: Place) {
    let store = place.open().await;
    store
        .append((1..=200).map(decided).collect())
        .await
        .unwrap();
    for (outcome_min, score_min) in [
        (Some(Outcome::Hold), None),
        (None, Some(150)),
        (Some(Outcome::Decline), Some(190)),
        (None, None),
    ] {
        let salience = Salience {
            outcome_min,
            score_min,
        };
        let found = store
            .database
            .decisions_salient(&tenant(), (20, 195), salience)
            .await
            .unwrap();
        let stands_out = |number: &i64| {
            let row = decision(*number);
            outcome_min.is_some_and(|least| row.outcome >= least)
                || score_min.is_some_and(|least| row.fraud_score.max(row.laundering_score) >= least)
        };
        let expected: Vec<i64> = (20..=195).filter(stands_out).collect();
        let found: Vec<i64> = found.iter().map(|row| row.event_no).collect();
        assert_eq!(found, expected);
    }
    store.close().await;
}
