//! Who is handed what was written to the trail, in this order: one line each.

use crate::dispatch::Subscriber;
use paywarden_access::{KeyRegistry, approval::Approvals};
use paywarden_cases::Cases;
use paywarden_notify::Notify;
use paywarden_risk::Engine;
use paywarden_server::{Alerting, PayeeHolds, RatingFeed};
use paywarden_store::{Clock, Database, OutboxItem};
use std::sync::Arc;

/// Every subscriber of the outbox.
pub(super) fn all(
    (engine, cases, database): (&Arc<Engine>, Arc<Cases>, &Database),
    notify: &Arc<Notify>,
    rights: (Arc<KeyRegistry>, Approvals),
) -> Vec<Subscriber> {
    let alerting = Alerting::new(Arc::clone(engine), Arc::clone(&cases), database.clone());
    let ratings = RatingFeed::new(Arc::clone(engine), cases);
    let payments = (Arc::clone(engine), Arc::clone(notify));
    let holds = PayeeHolds::new(payments, rights, Clock::System);
    let feed = Arc::clone(&notify.feed);
    vec![
        Subscriber::new("alerts", move |batch: Arc<[OutboxItem]>| {
            let alerting = alerting.clone();
            async move { alerting.take(&batch).await }
        }),
        Subscriber::new("ratings", move |batch: Arc<[OutboxItem]>| {
            let ratings = ratings.clone();
            async move { ratings.take(&batch).await }
        }),
        Subscriber::new("holds", move |batch: Arc<[OutboxItem]>| {
            let holds = holds.clone();
            async move { holds.take(&batch).await }
        }),
        Subscriber::new("webhooks", move |batch: Arc<[OutboxItem]>| {
            let feed = Arc::clone(&feed);
            async move { feed.take(&batch).await }
        }),
    ]
}
