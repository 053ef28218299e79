//! Acts: each of them once and in order, however many were written together.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;

on_both!(acts_come_in_order_however_they_were_written_and_asked_for,);

fn act(tenant: &str, object: usize) -> Entry {
    Entry {
        tenant: TenantId::parse(tenant).unwrap(),
        action: "payment.view",
        object: format!("{tenant} {object}"),
        ..entry(Vec::new())
    }
}

/// 400 acts of two tenants with decisions among them, many of them at once.
async fn busy(store: &Store) {
    let mut waiting = Vec::new();
    for number in 0..400 {
        let journal = store.journal.clone();
        let tenant = ["acme", "other"][usize::from(number % 7 == 3)];
        waiting.push(tokio::spawn(async move {
            journal.append(act(tenant, number)).await.unwrap();
        }));
        if number % 90 == 0 {
            store
                .append(vec![decided(number as i64 + 1)])
                .await
                .unwrap();
        }
    }
    for one in waiting {
        one.await.unwrap();
    }
}

/// Every act, asked for so many at a time.
async fn forwards(database: &Database, limit: u32) -> Vec<ActRow> {
    let mut acts: Vec<ActRow> = Vec::new();
    loop {
        let after = acts.last().map_or(0, |act| act.seq);
        let page = database.acts(after, limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        if page.is_empty() {
            return acts;
        }
        acts.extend(page);
    }
}

async fn backwards(database: &Database, tenant: &TenantId, limit: u32) -> Vec<ActRow> {
    let mut acts: Vec<ActRow> = Vec::new();
    loop {
        let before = acts.last().map_or(i64::MAX, |act| act.seq);
        let page = database.acts_of(tenant, before, limit).await.unwrap();
        if page.is_empty() {
            acts.reverse();
            return acts;
        }
        acts.extend(page);
    }
}

async fn acts_come_in_order_however_they_were_written_and_asked_for(place: Place) {
    let store = place.open().await;
    busy(&store).await;
    let all = forwards(&store.database, 1_000).await;
    assert_eq!(all.len(), 400);
    assert!(all.is_sorted_by(|one, next| one.seq < next.seq));
    let mut objects: Vec<_> = all
        .iter()
        .map(|act| act.read().unwrap().object.to_owned())
        .collect();
    objects.sort();
    objects.dedup();
    assert_eq!(objects.len(), 400);
    for limit in [1, 7, 64, 399] {
        assert_eq!(forwards(&store.database, limit).await, all, "{limit}");
    }
    for name in ["acme", "other"] {
        let tenant = TenantId::parse(name).unwrap();
        let theirs = all.iter().filter(|act| act.tenant == tenant);
        let theirs: Vec<_> = theirs.cloned().collect();
        for limit in [3, 50, 1_000] {
            assert_eq!(backwards(&store.database, &tenant, limit).await, theirs);
        }
    }
    let last = all.last().unwrap();
    assert_eq!(store.database.last_act().await.unwrap(), last.seq);
    let before = store
        .database
        .last_act_before(last.written_at)
        .await
        .unwrap();
    let earlier = all.iter().filter(|act| act.written_at < last.written_at);
    assert_eq!(before, earlier.map(|act| act.seq).max().unwrap_or(0));
    store.close().await;
}
