//! Questions and their answers.

use crate::support::*;
use paywarden_domain::{Currency, EventKind, Outcome, TenantId};
use paywarden_store::*;
use std::collections::BTreeMap;

on_both!(
    pages_walk_backwards,
    pages_filter,
    what_is_rare_is_found_page_after_page,
    counts_are_those_of_the_filter,
    nothing_of_another_tenant_is_found,
    lists_answer_by_time,
    keys_are_found_and_revoked,
    rules_are_found_by_version,
    steps_come_in_order_and_each_number_once,
    the_newest_version_of_each_record_counts_and_each_version_is_written_once,
    traces_are_those_of_the_tenant_and_the_span,
    streams_replay_in_order,
    history_is_read_by_tenant_and_span,
);

fn other() -> TenantId {
    TenantId::parse("other").unwrap()
}

async fn decided_250(place: &Place) -> Store {
    let store = place.open().await;
    for numbers in [1..=100, 101..=250] {
        store.append(numbers.map(decided).collect()).await.unwrap();
    }
    store
}

async fn pages_walk_backwards(place: Place) {
    let store = decided_250(&place).await;
    let mut filter = DecisionFilter::default();
    let mut seen = Vec::new();
    loop {
        let page = store
            .database
            .decisions_page(&tenant(), &filter, 60)
            .await
            .unwrap();
        seen.extend(page.rows.iter().map(|row| row.event_no));
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert!(seen.iter().copied().eq((1..=250).rev()));
    let too_many = store.database.decisions_page(&tenant(), &filter, 201).await;
    assert!(matches!(too_many, Err(Error::Invalid { .. })));
    store.close().await;
}

async fn pages_filter(place: Place) {
    let store = decided_250(&place).await;
    let mut filter = DecisionFilter {
        outcomes: vec![Outcome::Decline],
        kinds: vec![EventKind::PaymentCard],
        from: Some(at(100)),
        to: Some(at(200)),
        score_min: Some(150),
        ..DecisionFilter::default()
    };
    let page = store
        .database
        .decisions_page(&tenant(), &filter, 200)
        .await
        .unwrap()
        .rows;
    let declined = (150..200).rev().filter(|number| number % 6 == 5);
    assert!(page.iter().map(|row| row.event_no).eq(declined.clone()));
    assert_eq!(page[0], decision(page[0].event_no));
    let database = &store.database;
    let counted = database.decisions_counted(&tenant(), &filter).await;
    assert_eq!(counted.unwrap(), declined.count() as u64);
    let both = DecisionFilter {
        outcomes: vec![Outcome::Decline, Outcome::Hold],
        after: Some(100),
        before: Some(120),
        ..DecisionFilter::default()
    };
    let page = database.decisions_page(&tenant(), &both, 200).await;
    let stopped = (101..120).rev().filter(|number| number % 6 >= 4);
    assert!(
        page.unwrap()
            .rows
            .iter()
            .map(|row| row.event_no)
            .eq(stopped)
    );
    let amount = decision(110).amount.unwrap();
    let of_amount = DecisionFilter {
        amount: Some((amount.currency, amount.minor, amount.minor)),
        ..DecisionFilter::default()
    };
    let page = database.decisions_page(&tenant(), &of_amount, 200).await;
    let page = page.unwrap().rows;
    assert!(page.contains(&decision(110)) && page.iter().all(|row| row.amount == Some(amount)));
    let page = database.decisions_numbered(&tenant(), &[9, 251, 7]).await;
    assert_eq!(page.unwrap(), [decision(9), decision(7)]);
    filter.payment_id = Some(payment(155));
    let page = store
        .database
        .decisions_page(&tenant(), &filter, 200)
        .await
        .unwrap();
    assert_eq!(page.rows, [decision(155)]);
    store.close().await;
}

/// The numbers of decisions that hold, by looking at all of them.
fn numbers(holds: impl Fn(&DecisionRow) -> bool) -> Vec<i64> {
    let all = (1..=250).rev().map(decision);
    all.filter(holds).map(|row| row.event_no).collect()
}

async fn what_is_rare_is_found_page_after_page(place: Place) {
    decided_250(&place).await.close().await;
    let store = place.open_looking_at(40).await;
    let database = &store.database;
    let (late, early) = (at(90), at(30));
    let mut filter = DecisionFilter {
        outcomes: vec![Outcome::Decline],
        score_min: Some(200),
        ..DecisionFilter::default()
    };
    let expected = numbers(|row| row.outcome == Outcome::Decline && row.fraud_score >= 200);
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let page = database
            .decisions_page(&tenant(), &filter, 3)
            .await
            .unwrap();
        seen.extend(page.rows.iter().map(|row| row.event_no));
        pages += 1;
        // A page that is not full says back to when everything was looked at.
        let end = page.next.map(|next| decision(next - 1).decided_at);
        let is_full = page.rows.len() == 3;
        assert_eq!(page.looked_back_to, end.filter(|_| !is_full));
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
    assert!(pages > 7, "{pages}");
    // Times bound the search before it begins.
    let within = DecisionFilter {
        kinds: vec![EventKind::Payout],
        from: Some(early),
        to: Some(late),
        ..DecisionFilter::default()
    };
    let page = database
        .decisions_page(&tenant(), &within, 3)
        .await
        .unwrap();
    assert!(page.rows.is_empty());
    let unbounded = DecisionFilter {
        from: Some(early),
        to: Some(late),
        ..DecisionFilter::default()
    };
    let page = database.decisions_page(&tenant(), &unbounded, 200).await;
    let page = page.unwrap();
    let within = numbers(|row| row.decided_at >= early && row.decided_at < late);
    assert!(page.rows.iter().map(|row| row.event_no).eq(within));
    assert_eq!((page.next, page.looked_back_to), (None, None));
    store.close().await;
}

async fn counts_are_those_of_the_filter(place: Place) {
    decided_250(&place).await.close().await;
    let store = place.open_looking_at(100).await;
    let database = &store.database;
    let step = 7_000_000;
    for filter in [
        DecisionFilter::default(),
        DecisionFilter {
            outcomes: vec![Outcome::Hold, Outcome::Decline],
            from: Some(at(20)),
            to: Some(at(240)),
            score_min: Some(100),
            ..DecisionFilter::default()
        },
    ] {
        let span = database.decision_span(&tenant(), &filter).await;
        let span = span.unwrap().unwrap();
        assert_eq!((span.is_cut, span.from, span.to), (true, at(151), at(250)));
        let counts = database
            .decision_counts(&tenant(), &span.filter, step)
            .await;
        let holds = |row: &DecisionRow| {
            let times = row.decided_at >= span.from
                && filter.from.is_none_or(|from| row.decided_at >= from)
                && filter.to.is_none_or(|to| row.decided_at < to);
            let outcomes = &filter.outcomes;
            let least = filter.score_min.unwrap_or(0);
            let fits = outcomes.is_empty() || outcomes.contains(&row.outcome);
            times && fits && row.fraud_score.max(row.laundering_score) >= least
        };
        let mut expected = BTreeMap::<_, (u64, i64)>::new();
        for row in (1..=250).map(decision).filter(holds) {
            let floor = row.decided_at.micros().div_euclid(step) * step;
            let code = row.amount.map_or("", |amount| amount.currency.code());
            let sum = expected
                .entry((floor, row.outcome as u8, code))
                .or_default();
            sum.0 += 1;
            sum.1 += row.amount.map_or(0, |amount| amount.minor);
        }
        let counts = counts.unwrap().into_iter().map(|count| {
            let code = count.currency.map_or("", Currency::code);
            let sum = (count.decisions, count.minor);
            ((count.at.micros(), count.outcome as u8, code), sum)
        });
        assert_eq!(counts.collect::<BTreeMap<_, _>>(), expected);
    }
    let (other, all) = (other(), DecisionFilter::default());
    let span = database.decision_span(&other, &all).await;
    assert_eq!(span.unwrap(), None);
    store.close().await;
}

async fn nothing_of_another_tenant_is_found(place: Place) {
    let store = decided_250(&place).await;
    let database = &store.database;
    let all = DecisionFilter::default();
    let page = database.decisions_page(&other(), &all, 200).await.unwrap();
    assert_eq!(page, DecisionsFound::default());
    let found = database.decision_by_event_no(&tenant(), 9).await.unwrap();
    assert_eq!(found, Some(decision(9)));
    assert_eq!(
        database.decision_by_event_no(&other(), 9).await.unwrap(),
        None
    );
    assert_eq!(
        database
            .decision_of_payment(&other(), &payment(9))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        database.decision(&other(), &decision(9).id).await.unwrap(),
        None
    );
    assert_eq!(
        database
            .labels_of_payment(&other(), &payment(9))
            .await
            .unwrap(),
        []
    );
    assert_eq!(database.signing_keys(&other()).await.unwrap(), []);
    assert_eq!(database.event_no_last().await.unwrap(), 250);
    store.close().await;
}

async fn on_list(store: &Store, time: i64) -> Vec<String> {
    let entries = store
        .database
        .list_entries(&tenant(), "deny", at(time), 0, 100)
        .await;
    entries
        .unwrap()
        .into_iter()
        .map(|entry| entry.value)
        .collect()
}

async fn lists_answer_by_time(place: Place) {
    let store = place.open().await;
    let mut expiring = list_entry("b");
    expiring.expires_at = Some(at(50));
    store
        .append(vec![
            Row::ListEntry(list_entry("a")),
            Row::ListEntry(expiring),
        ])
        .await
        .unwrap();
    let values = async |time| on_list(&store, time).await;
    assert_eq!(values(9).await, [""; 0]);
    assert_eq!(values(10).await, ["a", "b"]);
    assert_eq!(values(50).await, ["a"]);
    let (tenant, list, value) = (tenant(), "deny".into(), "a".into());
    let removal = ListRemoval {
        tenant,
        list,
        value,
        removed_at: at(60),
    };
    store.append(vec![Row::ListRemoval(removal)]).await.unwrap();
    assert_eq!(values(59).await, ["a"]);
    assert_eq!(values(60).await, [""; 0]);
    // Added again twice: the newer entry replaces the older one.
    for (time, reason) in [(70, "first"), (80, "second")] {
        let row = ListEntryRow {
            added_at: at(time),
            reason: reason.into(),
            ..list_entry("a")
        };
        store.append(vec![Row::ListEntry(row)]).await.unwrap();
    }
    let entries = store
        .database
        .list_entries_all(at(90), 0, 100)
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].reason.as_str(), entries[0].entry_no),
        ("second", 4)
    );
    store.close().await;
}

async fn keys_are_found_and_revoked(place: Place) {
    let store = place.open().await;
    let database = &store.database;
    let keys = ["k1", "k2", "k3"].map(|key_id| Row::SigningKey(signing_key(key_id)));
    store.append(keys.to_vec()).await.unwrap();
    let revocation = KeyRevocation {
        tenant: tenant(),
        key_id: "k2".into(),
        revoked_at: at(5),
    };
    store
        .append(vec![Row::KeyRevocation(revocation)])
        .await
        .unwrap();
    assert_eq!(
        database.signing_key("k1").await.unwrap(),
        Some(signing_key("k1"))
    );
    assert_eq!(
        database
            .signing_key("k2")
            .await
            .unwrap()
            .unwrap()
            .revoked_at,
        Some(at(5))
    );
    assert_eq!(database.signing_key("k9").await.unwrap(), None);
    assert_eq!(database.signing_keys(&tenant()).await.unwrap().len(), 3);
    assert_eq!(
        database.signing_keys_all("k1", 1).await.unwrap()[0].key_id,
        "k2"
    );
    store.close().await;
}

async fn rules_are_found_by_version(place: Place) {
    let store = place.open().await;
    for (time, version) in [(1, "v1"), (2, "v2")] {
        let row = RuleSetRow {
            tenant: tenant(),
            version: version.into(),
            source: format!("pack: {version}"),
            created_at: at(time),
        };
        store.append(vec![Row::RuleSet(row)]).await.unwrap();
    }
    let newest = store.database.rule_sets(&tenant(), 1).await.unwrap();
    assert_eq!(newest[0].version, "v2");
    let named = store
        .database
        .rule_set(&tenant(), "v1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(named.source, "pack: v1");
    assert_eq!(store.database.rule_set(&other(), "v1").await.unwrap(), None);
    store.close().await;
}

async fn steps_come_in_order_and_each_number_once(place: Place) {
    let store = place.open().await;
    for number in [1, 2, 3] {
        store
            .append(vec![Row::RuleSetStep(step(number))])
            .await
            .unwrap();
    }
    let refused = store.append(vec![Row::RuleSetStep(step(3))]).await;
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    let database = &store.database;
    let first = database.rule_set_steps_after("", 0, 2).await.unwrap();
    assert_eq!(first, [step(1), step(2)]);
    let rest = database
        .rule_set_steps_after(tenant().as_str(), 2, 2)
        .await
        .unwrap();
    assert_eq!(rest, [step(3)]);
    let beyond = database.rule_set_steps_after("zzz", 0, 2).await.unwrap();
    assert_eq!(beyond, []);
    store.close().await;
}

async fn the_newest_version_of_each_record_counts_and_each_version_is_written_once(place: Place) {
    let store = place.open().await;
    for (id, version) in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3)] {
        let row = Row::Record(record(id, version));
        store.append(vec![row]).await.unwrap();
    }
    for (id, slash) in [("a", false), ("a/1", true)] {
        let refused = store.append(vec![Row::Record(record(id, 2))]).await;
        let fits = match refused {
            Err(Error::Conflict { .. }) => !slash,
            Err(Error::Invalid { .. }) => slash,
            _ => false,
        };
        assert!(fits, "{id}");
    }
    let database = &store.database;
    let first = database.records_newest("thing", "", 2).await.unwrap();
    assert_eq!(first, [record("a", 3), record("b", 1)]);
    let rest = database.records_newest("thing", "b", 2).await.unwrap();
    assert_eq!(rest, [record("c", 1)]);
    assert_eq!(database.records_newest("other", "", 2).await.unwrap(), []);
    let one = database.record("thing", "a").await.unwrap();
    assert_eq!(one, Some(record("a", 3)));
    assert_eq!(database.record("thing", "d").await.unwrap(), None);
    store.close().await;
}

async fn traces_are_those_of_the_tenant_and_the_span(place: Place) {
    let store = place.open().await;
    for number in 1..=8 {
        store.append(vec![decided(number)]).await.unwrap();
    }
    let rows = store.database.traces(&tenant(), 2, 7, 10).await.unwrap();
    let expected = [4, 6].map(|number| TraceRow {
        event_no: number,
        outcome: decision(number).outcome,
        trace: decision(number).trace.unwrap(),
    });
    assert_eq!(rows, expected);
    let others = store.database.traces(&other(), 0, 9, 10).await.unwrap();
    assert_eq!(others, []);
    store.close().await;
}

async fn streams_replay_in_order(place: Place) {
    let store = place.open().await;
    // Events may reach the journal in another order than they were numbered.
    for number in [3, 1, 2, 5, 4] {
        store.append(vec![decided(number)]).await.unwrap();
        store.append(vec![Row::Label(label(number))]).await.unwrap();
    }
    let database = &store.database;
    let rows = database.decisions_since(1, 3).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.event_no).collect::<Vec<_>>(),
        [2, 3, 4]
    );
    let expected = decision(3);
    assert_eq!(
        (&rows[1].feature, rows[1].outcome),
        (&expected.feature, expected.outcome)
    );
    let labels = database.labels_since(2, 10).await.unwrap();
    assert_eq!(
        labels.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert_eq!(labels[0], LabelRow { seq: 3, ..label(2) });
    let labels = database
        .labels_of_payment(&tenant(), &payment(5))
        .await
        .unwrap();
    assert_eq!(labels, [LabelRow { seq: 4, ..label(5) }]);
    store.close().await;
}

async fn history_is_read_by_tenant_and_span(place: Place) {
    let store = decided_250(&place).await;
    let database = &store.database;
    // Event n happened at n - 5.
    let span = database.history_span(&tenant(), at(95), at(195)).await;
    let span = span.unwrap().unwrap();
    let expected = HistorySpan {
        first: 100,
        last: 199,
        events: 100,
        events_before: 99,
        newest: at(245),
    };
    assert_eq!(span, expected);
    let past = database.past(&tenant(), 97, span.first, 10).await.unwrap();
    assert!(past.iter().map(|row| row.event_no).eq([98, 99]));
    let rows = database.history(&tenant(), 99, 200, 2).await.unwrap();
    let whole = decision(100);
    let expected = HistoryRow {
        past: PastRow {
            event_no: 100,
            occurred_at: whole.occurred_at,
            decided_at: whole.decided_at,
            outcome: whole.outcome,
            feature: whole.feature,
        },
        id: whole.id,
        payment_id: whole.payment_id,
        event: whole.event,
        trace: whole.trace,
    };
    assert_eq!((rows.len(), &rows[0]), (2, &expected));
    store
        .append(vec![
            Row::Label(label(7)),
            Row::ListEntry(list_entry("a")),
            Row::ListRemoval(ListRemoval {
                tenant: tenant(),
                list: "deny".into(),
                value: "a".into(),
                removed_at: at(60),
            }),
        ])
        .await
        .unwrap();
    let labels = database.label_history(&tenant(), 0, 10).await.unwrap();
    assert_eq!(labels, [LabelRow { seq: 1, ..label(7) }]);
    let entries = database.list_history(&tenant(), 0, 10).await.unwrap();
    assert_eq!(entries.len(), 1, "what was removed is history too");
    assert_eq!(entries[0].removed_at, Some(at(60)));
    assert_eq!(database.tenants_decided().await.unwrap(), [tenant()]);
    let nothing = database.history_span(&other(), at(0), at(500)).await;
    assert_eq!(nothing.unwrap(), None);
    assert_eq!(database.past(&other(), 0, 99, 10).await.unwrap(), []);
    assert_eq!(database.history(&other(), 0, 99, 10).await.unwrap(), []);
    assert_eq!(database.label_history(&other(), 0, 10).await.unwrap(), []);
    assert_eq!(database.list_history(&other(), 0, 10).await.unwrap(), []);
    let too_many = database.history(&tenant(), 0, 99, 10_001).await;
    assert!(matches!(too_many, Err(Error::Invalid { .. })));
    store.close().await;
}
