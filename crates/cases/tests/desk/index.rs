//! An index that lost, kept or mixed up its rows is made again from the newest versions, and alerts
//! in a queue that is given up are moved or told of.

use super::*;
use paywarden_cases::{Link, Reindexed, Stranded};

const HITS: i64 = 24;

/// What people see of alerts: whom they are about, what hit, where they wait, who works on them.
fn seen(mut alerts: Vec<Alert>) -> Vec<(String, Vec<i64>, String, Option<String>)> {
    alerts.sort_by(|one, other| one.id.cmp(&other.id));
    let hits = |alert: &Alert| alert.payments.iter().map(|hit| hit.event_no).collect();
    let seen = |alert: &Alert| {
        let assignee = alert.assignee.clone();
        (
            alert.subject.to_string(),
            hits(alert),
            alert.queue.clone(),
            assignee,
        )
    };
    alerts.iter().map(seen).collect()
}

impl Desk {
    async fn filled() -> Self {
        let desk = Self::open().await;
        let hit = |number: i64| {
            let actions = [Outcome::Review, Outcome::Hold];
            sighting(number, number as u64 % 6, number, actions)
        };
        let hits: Vec<Sighting> = (1..=HITS).map(hit).collect();
        desk.cases.take(&tenant(), &hits).await.unwrap();
        let worker = desk.worker("liu");
        desk.cases.next_alert(&worker).await.unwrap().unwrap();
        desk
    }

    async fn damage(&self, statements: &[&str]) {
        let url = format!("sqlite://{}", self._folder.path().join("desk.db").display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        for text in statements {
            let done = sqlx::query(sqlx::AssertSqlSafe(*text)).execute(&pool).await;
            assert!(done.unwrap().rows_affected() > 0, "{text}");
        }
        pool.close().await;
    }

    async fn reindex(&self) -> Reindexed {
        self.cases.reindex(&tenant()).await.unwrap()
    }

    /// The same store under another policy.
    fn under(&self, policy: &str) -> Cases {
        let store = (self.database.clone(), self.journal.clone());
        let tables = (Policy::parse(policy).unwrap(), Calendar::default());
        Cases::new(store, Clock::System, &self.keyring, tables).unwrap()
    }
}

#[tokio::test]
async fn a_damaged_index_is_made_again_from_the_newest_versions() {
    let desk = Desk::filled().await;
    let before = seen(desk.alerts().await);
    assert_eq!(before.len(), 12);
    assert!(before.iter().any(|alert| alert.3.is_some()));
    assert_eq!(
        desk.reindex().await,
        Reindexed {
            items: 12,
            mended: 0
        }
    );
    assert!(desk.cases.unindexed().await.unwrap().is_empty());

    desk.damage(&[
        "DELETE FROM work_items WHERE id IN (SELECT id FROM work_items ORDER BY id LIMIT 4)",
        "UPDATE work_items SET version = version - 1 WHERE id IN
            (SELECT id FROM work_items ORDER BY id LIMIT 2)",
        "UPDATE work_items SET queue = 'nowhere' WHERE id IN
            (SELECT id FROM work_items ORDER BY id DESC LIMIT 1)",
        "DELETE FROM work_links WHERE target LIKE 'hit:%' AND item IN
            (SELECT id FROM work_items ORDER BY id DESC LIMIT 3)",
    ])
    .await;
    assert_eq!(desk.cases.unindexed().await.unwrap(), [tenant()]);
    assert_ne!(seen(desk.alerts().await), before);

    assert_eq!(
        desk.reindex().await,
        Reindexed {
            items: 12,
            mended: 9
        }
    );
    assert_eq!(seen(desk.alerts().await), before);
    assert_eq!(desk.reindex().await.mended, 0);
    assert!(desk.cases.unindexed().await.unwrap().is_empty());
    // Every hit is linked again, so that none is taken twice.
    let worker = desk.worker("reader");
    for number in 1..=HITS {
        let link = Link::Decision(number);
        let linked = desk.cases.alerts_linked(&worker, &link, None);
        assert_eq!(linked.await.unwrap().0.len(), 2, "{number}");
    }
}

#[tokio::test]
async fn an_alert_that_the_index_lost_is_found_again_when_somebody_acts() {
    let desk = Desk::filled().await;
    let alert = desk.alerts().await.pop().unwrap();
    desk.damage(&["DELETE FROM work_items"]).await;
    assert!(desk.alerts().await.is_empty());
    let worker = desk.worker("wang");
    let claim = AlertAct::Claim {};
    let claimed = desk
        .cases
        .act(&worker, (&alert.id, Some(alert.version)), &claim);
    assert_eq!(claimed.await.unwrap().version, alert.version + 1);
    let found = desk.alerts().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].assignee, Some(worker.name()));
    // What was seen before is old now, whatever the index says.
    let again = desk
        .cases
        .act(&worker, (&alert.id, Some(alert.version)), &claim);
    assert!(matches!(again.await, Err(Error::Changed)));
}

#[tokio::test]
async fn alerts_of_a_queue_that_is_given_up_are_told_of_or_moved() {
    let desk = Desk::filled().await;
    let all = desk.alerts().await;
    let of_fraud = all.iter().filter(|alert| alert.queue == "fraud").count() as u64;
    let policy = include_str!("../../src/policy.toml").replace("\"fraud\"\n", "\"frauds\"\n");
    let policy = policy.replace("engine = \"frauds\"", "engine = \"fraud\"");
    let renamed = desk.under(&policy);
    let stranded = Stranded {
        tenant: tenant(),
        queue: "fraud".to_owned(),
        open: of_fraud,
    };
    assert_eq!(renamed.settle().await.unwrap(), [stranded]);

    let taken = policy.replacen(
        "name = \"frauds\"\n",
        "name = \"frauds\"\ntakes_over = [\"fraud\"]\n",
        1,
    );
    let taking = desk.under(&taken);
    assert_eq!(taking.settle().await.unwrap(), []);
    let who = desk.worker("reader").who;
    let worker = taking.worker(who, ["program"].into_iter());
    let query = WorkQuery {
        queue: Some("frauds".to_owned()),
        ..WorkQuery::of(AlertState::Open)
    };
    let moved = taking.alerts(&worker, &query).await.unwrap().items;
    assert_eq!(moved.len() as u64, of_fraud);
    assert!(moved.iter().all(|alert| alert.change.act == "move"));
    assert_eq!(taking.settle().await.unwrap(), []);
}
