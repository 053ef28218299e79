//! What is told to the systems of companies, and what payers are asked.
//!
//! ```text
//! outbox ─▶ feed ─▶ messages and deliveries in the store ─▶ courier ─▶ endpoints of the company
//!                              ▲
//!           messenger ─────────┘   what no leaf of the trail may hold, such as the link of a question
//! ```
//!
//! Webhooks follow Standard Webhooks 1.0 (standardwebhooks.com) to the letter: [`secret`] signs,
//! [`schedule`] says when a delivery is tried again. [`endpoint`] is where a company wants to be told
//! of what, changed by approval alone; [`confirmation`] asks a payer whether a payment was theirs.
//!
//! *Invariant*: a message is durable before the leaf that it tells of is struck off the outbox, and
//! a delivery waits until its attempt is durable: whatever stops in between, it is sent at least once,
//! under the same identifier. No body holds personal data or a number of a card.

pub mod confirmation;
pub mod courier;
pub mod deliveries;
pub mod endpoint;
mod error;
pub mod event;
pub mod feed;
mod messenger;
pub mod schedule;
pub mod secret;

pub use courier::{Courier, Figures};
pub use deliveries::Deliveries;
pub use endpoint::{Endpoint, Endpoints, WebhookChange};
pub use error::Error;
pub use event::Notice;
pub use feed::Feed;
pub use messenger::Messenger;

use confirmation::Confirmations;
use paywarden_crypto::Keyring;
use paywarden_outward::{Client, Limits, Reach, Roots};
use paywarden_store::{Clock, Database, Journal};
use std::{sync::Arc, time::Duration};

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Whom endpoints may be.
    pub reach: Reach,
    /// Whom their certificates are held against.
    pub roots: Roots<'a>,
    /// How long one attempt may take.
    pub attempt_max: Duration,
    /// Messages to payers are logged instead of sent: a sandbox.
    pub is_logged: bool,
}

impl Default for Settings<'_> {
    /// Public endpoints, the authorities of the machine, fifteen seconds, by webhook.
    fn default() -> Self {
        Self {
            reach: Reach::public(),
            roots: Roots::Native,
            attempt_max: Duration::from_secs(15),
            is_logged: false,
        }
    }
}

/// All of it, as the door uses it.
pub struct Notify {
    /// Where companies are told.
    pub endpoints: Arc<Endpoints>,
    /// What they are told.
    pub feed: Arc<Feed>,
    /// What was sent, and having it sent again.
    pub deliveries: Deliveries,
    /// What payers are asked.
    pub confirmations: Confirmations,
    /// How messages to payers are sent.
    pub messenger: Messenger,
    /// What is counted.
    pub figures: Arc<Figures>,
}

impl Notify {
    /// Reads what there is. The courier does nothing before it is run.
    pub async fn open(
        store: (Database, Journal),
        keyring: &Keyring,
        clock: Clock,
        settings: Settings<'_>,
    ) -> Result<(Self, Courier), Error> {
        let Settings {
            reach,
            roots,
            attempt_max,
            is_logged,
        } = settings;
        let limits = Limits {
            step_max: attempt_max,
            whole_max: attempt_max,
            ..Limits::default()
        };
        let client = Client::new(roots, limits)?;
        let endpoints = Endpoints::open(store.clone(), keyring, clock.clone(), reach).await?;
        let endpoints = Arc::new(endpoints);
        let feed = Feed::new(store.clone(), keyring, clock.clone(), endpoints.clone())?;
        let feed = Arc::new(feed);
        let figures = Arc::new(Figures::default());
        let told = (feed.clone(), endpoints.clone());
        let deliveries = Deliveries::new(store.clone(), clock.clone(), told.clone());
        let courier = Courier::new(store.clone(), clock.clone(), told, client, figures.clone());
        let notify = Self {
            confirmations: Confirmations::new(store, keyring, clock)?,
            messenger: match is_logged {
                true => Messenger::Log,
                false => Messenger::Webhook(feed.clone()),
            },
            endpoints,
            feed,
            deliveries,
            figures,
        };
        Ok((notify, courier))
    }
}
