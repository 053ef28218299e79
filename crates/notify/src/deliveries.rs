//! What was sent, and having it sent again. Whoever has something sent leaves a leaf first: nothing
//! is sent in secret.

use crate::{Endpoint, Endpoints, Error, Feed, Notice, event::WEBHOOK_PING};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{
    AttemptRow, Clock, Database, DeliveryRow, DeliveryState, Entry, Journal, Purpose, Replay,
};
use serde_json::json;
use std::sync::Arc;

/// The deliveries of all companies.
pub struct Deliveries {
    database: Database,
    journal: Journal,
    clock: Clock,
    endpoints: Arc<Endpoints>,
    feed: Arc<Feed>,
}

/// Which deliveries of an endpoint are sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// One message.
    One(String),
    /// Those whose messages were put down in a span, the oldest 1,000.
    Span {
        /// From when …
        from: Timestamp,
        /// … until before when.
        until: Timestamp,
        /// Those that were given up alone.
        given_up_only: bool,
    },
}

impl Deliveries {
    pub(crate) fn new(
        (database, journal): (Database, Journal),
        clock: Clock,
        (feed, endpoints): (Arc<Feed>, Arc<Endpoints>),
    ) -> Self {
        Self {
            database,
            journal,
            clock,
            endpoints,
            feed,
        }
    }

    /// A page, newest first, `before` the moment and message of the last one of the page before; at
    /// most 1,000.
    pub async fn page(
        &self,
        endpoint: &Endpoint,
        state: Option<DeliveryState>,
        before: Option<(Timestamp, &str)>,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let before = before.unwrap_or((Timestamp::from_micros(i64::MAX), ""));
        let (tenant, id) = (&endpoint.tenant, &endpoint.id);
        let page = self
            .database
            .deliveries_page(tenant, id, state, before, limit);
        Ok(page.await?)
    }

    /// A delivery and its newest 100 attempts, newest first.
    pub async fn one(
        &self,
        tenant: &TenantId,
        (endpoint, message): (&str, &str),
    ) -> Result<(DeliveryRow, Vec<AttemptRow>), Error> {
        let place = (endpoint, message);
        let row = self.database.delivery(tenant, place).await?;
        let row = row.ok_or(Error::DeliveryUnknown)?;
        Ok((row, self.database.attempts(place).await?))
    }

    /// Sends again, at once; how many.
    pub async fn again(
        &self,
        who: &Who,
        endpoint: &Endpoint,
        what: Again,
        reason: &str,
    ) -> Result<u64, Error> {
        let whole = (Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX));
        let (message, (from, until), given_up_only) = match what {
            Again::One(message) => (Some(message), whole, false),
            Again::Span {
                from,
                until,
                given_up_only,
            } => (None, (from, until), given_up_only),
        };
        let object = message.as_ref().unwrap_or(&endpoint.id);
        self.note(who, ("webhook.replay", object), reason).await?;
        let replay = Replay {
            tenant: who.tenant.clone(),
            endpoint: endpoint.id.clone(),
            message,
            from,
            until,
            given_up_only,
            due_at: self.clock.now(),
        };
        let replayed = self.journal.replay_deliveries(replay).await?;
        self.endpoints.wake.notify_one();
        Ok(replayed)
    }

    /// Who was told about these decisions, payments, alerts and cases, by what each is about: as long
    /// as messages are kept.
    pub async fn about(
        &self,
        tenant: &TenantId,
        about: &[String],
    ) -> Result<Vec<(String, DeliveryRow)>, Error> {
        let told = self.database.told_about(tenant, about).await?.into_iter();
        let each = told.flat_map(|(message, deliveries)| {
            let of = move |delivery| (message.about.clone(), delivery);
            deliveries.into_iter().map(of)
        });
        Ok(each.collect())
    }

    /// Sends a message that says nothing, whatever the endpoint is told of; its identifier.
    pub async fn ping(
        &self,
        who: &Who,
        endpoint: &Endpoint,
        reason: &str,
    ) -> Result<String, Error> {
        self.note(who, ("webhook.ping", &endpoint.id), reason)
            .await?;
        let notice = Notice {
            id: self.feed.fresh_id(),
            tenant: who.tenant.clone(),
            event: WEBHOOK_PING.to_owned(),
            at: self.clock.now(),
            outcome: None,
            data: json!({ "webhook": endpoint.id }),
        };
        self.feed.tell_one(endpoint, &notice).await
    }

    async fn note(
        &self,
        who: &Who,
        (action, object): (&'static str, &str),
        reason: &str,
    ) -> Result<(), Error> {
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("webhook delivery").because(reason),
            action,
            object: object.to_owned(),
            rows: Vec::new(),
        };
        self.journal.append(entry).await?;
        Ok(())
    }
}
