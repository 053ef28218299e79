//! What subscribers are handed, and what happens when one fails or everything stops.

use super::*;
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Clock, Entry, JournalLimits};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

struct Store {
    database: Database,
    journal: Journal,
    progress: Arc<Progress>,
    _folder: tempfile::TempDir,
}

impl Store {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("paywarden.db").display());
        let database = Database::open(&url).await.unwrap();
        let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await;
        Self {
            database,
            journal: journal.unwrap(),
            progress: Arc::default(),
            _folder: folder,
        }
    }

    async fn write(&self, count: usize) {
        for number in 0..count {
            let entry = Entry {
                tenant: TenantId::parse("acme").unwrap(),
                actor: Actor::System("test"),
                purpose: "test".into(),
                action: "test.happen",
                object: number.to_string(),
                rows: Vec::new(),
            };
            self.journal.append(entry).await.unwrap();
        }
    }

    fn dispatcher(&self, subscribers: Vec<Subscriber>) -> Dispatcher {
        let store = (self.database.clone(), self.journal.clone());
        Dispatcher::new(store, subscribers, self.progress.clone())
    }
}

type Seen = Arc<Mutex<Vec<i64>>>;

/// Takes everything, once it has failed so many times.
fn taking(seen: &Seen, failures: u32) -> Subscriber {
    let (seen, left) = (Arc::clone(seen), Arc::new(AtomicU32::new(failures)));
    Subscriber::new("taking", move |batch: Arc<[OutboxItem]>| {
        let fails = left
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok();
        if !fails {
            let seqs = batch.iter().map(|item| item.seq);
            seen.lock().unwrap().extend(seqs);
        }
        async move { if fails { Err("not now") } else { Ok(()) } }
    })
}

#[tokio::test]
async fn every_leaf_goes_to_everybody_in_order_and_is_struck_off() {
    let store = Store::open().await;
    store.write(600).await;
    let (one, other) = (Seen::default(), Seen::default());
    let dispatcher = store.dispatcher(vec![taking(&one, 0), taking(&other, 2)]);
    let mut handed = Vec::new();
    while let count @ 1.. = dispatcher.round().await.unwrap() {
        handed.push(count);
    }
    assert_eq!(handed, [256, 256, 88]);
    let all: Vec<i64> = (1..=600).collect();
    assert_eq!(*one.lock().unwrap(), all);
    assert_eq!(*other.lock().unwrap(), all, "a failure is tried again");
    assert_eq!(store.progress.failures(), 2);
    assert_eq!(store.database.outbox_depth().await.unwrap(), 0);
}

#[tokio::test]
async fn what_was_taken_but_not_struck_off_is_handed_out_again_at_once() {
    let store = Store::open().await;
    store.write(3).await;
    let seen = Seen::default();
    let (killed, is_killed) = (Arc::new(AtomicBool::new(false)), Seen::default());
    let hangs = {
        let killed = killed.clone();
        Subscriber::new("hanging", move |_: Arc<[OutboxItem]>| {
            killed.store(true, Ordering::SeqCst);
            std::future::pending::<Result<(), String>>()
        })
    };
    let dispatcher = store.dispatcher(vec![taking(&seen, 0), hangs]);
    let job = tokio::spawn(dispatcher.run());
    while !killed.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    job.abort();
    assert!(job.await.unwrap_err().is_cancelled());
    assert_eq!(store.database.outbox_depth().await.unwrap(), 3);

    let again = store.dispatcher(vec![taking(&seen, 0), taking(&is_killed, 0)]);
    assert_eq!(again.round().await.unwrap(), 3);
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 1, 2, 3]);
    assert_eq!(*is_killed.lock().unwrap(), [1, 2, 3]);
    assert_eq!(again.round().await.unwrap(), 0);
}

#[tokio::test]
async fn how_many_wait_is_told() {
    let store = Store::open().await;
    store.write(5).await;
    let dispatcher = store.dispatcher(Vec::new());
    dispatcher.count().await;
    assert_eq!(store.progress.waiting(), 5);
    assert_eq!(dispatcher.round().await.unwrap(), 5);
    dispatcher.count().await;
    assert_eq!(store.progress.waiting(), 0);
}
