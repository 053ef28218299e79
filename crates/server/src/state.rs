//! What all requests share.

use crate::{
    Config, Limits, Parts, Reports, StartError,
    api::export::Handouts,
    api::reports::Kept,
    api::vault::compatible::Custody,
    edge::visitors::Visitors,
    edge::{
        idempotency::Idempotency, nonce::NonceStore, rate::RateLimiter, reply::ReplyKey,
        witness::Witness,
    },
    metrics::Metrics,
    node::{Node, Nodes},
    pages::Pages,
    reports::Reporters,
};
use paywarden_access::{KeyRegistry, Staff, Watch, approval::Approvals};
use paywarden_cases::Cases;
use paywarden_crypto::{
    Keyring, SignatureAlgorithm, SigningKey, VerifyingKey, keyring::PreparedIndex,
};
use paywarden_notify::Notify;
use paywarden_privacy::Vault;
use paywarden_risk::Engine;
use paywarden_safety::password::Breached;
use paywarden_store::{Clock, trail::Notary};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) sandbox: bool,
    pub(crate) trust_event_time: bool,
    pub(crate) engine: Arc<Engine>,
    pub(crate) registry: Arc<KeyRegistry>,
    pub(crate) approvals: Approvals,
    pub(crate) staff: Arc<Staff>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) visitors: Arc<Visitors>,
    /// People behind links: they take no place of those who sign in.
    pub(crate) link_visitors: Arc<Visitors>,
    /// People who watch what goes on.
    pub(crate) readers: Arc<Visitors>,
    /// Where browsers find our pages.
    pub(crate) origin: String,
    /// Whether an operator has said so.
    pub(crate) origin_is_set: bool,
    /// Who answers for them.
    pub(crate) pages: Option<Pages>,
    pub(crate) notary: Notary,
    pub(crate) cases: Arc<Cases>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) reports: Arc<Reports>,
    pub(crate) reporters: Arc<Reporters>,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) custody: Custody,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) breached: Option<Arc<Breached>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    /// Who waits for the first call of a program.
    pub(crate) witness: Witness,
    pub(crate) nonces: NonceStore,
    pub(crate) idempotency: Arc<Idempotency>,
    pub(crate) rates: RateLimiter,
    /// Links that are opened, by network.
    pub(crate) links: RateLimiter,
    pub(crate) notify: Arc<Notify>,
    pub(crate) handouts: Handouts,
    /// Reports that took long.
    pub(crate) reports_kept: Kept,
    /// Bodies as large as screening lists that may be held at once.
    pub(crate) list_places: Arc<Semaphore>,
    pub(crate) reply_key: ReplyKey,
    /// Verified against when there is no key, so that it takes as long.
    pub(crate) stand_in: VerifyingKey,
    pub(crate) fingerprints: PreparedIndex,
    /// Signatures made before this second may have been used before the start.
    pub(crate) signed_from_s: i64,
    in_flight: AtomicUsize,
    stopping: AtomicBool,
}

impl State {
    #[allow(clippy::too_many_lines, reason = "one line for each part")]
    pub(crate) fn new(config: &Config, parts: Parts, port: u16) -> Result<Self, StartError> {
        let Parts {
            engine,
            registry,
            approvals,
            staff,
            watch,
            notary,
            export,
            outbox,
            cases,
            vault,
            notify,
            reports,
            reporters,
            nodes,
            keyring,
            breached,
            pages,
            clock,
        } = parts;
        let limits = config.limits.clone();
        let now_us = clock.now().micros();
        let visitors = Visitors::new(limits.visitors_max, limits.visitors_per_network_max);
        let readers = Visitors::new(limits.readers_max, limits.readers_per_network_max);
        let node = Node {
            engine: Arc::clone(&engine),
            nodes: Arc::clone(&nodes),
            clock: clock.clone(),
            started_at: clock.now(),
            limits: limits.clone(),
            visitors: Arc::clone(&visitors),
            readers: Arc::clone(&readers),
        };
        Ok(Self {
            origin: origin(config, port),
            origin_is_set: config.origin.is_some(),
            pages,
            visitors,
            link_visitors: Visitors::new(
                limits.link_visitors_max,
                limits.link_visitors_per_network_max,
            ),
            readers,
            sandbox: config.sandbox,
            trust_event_time: config.trust_event_time,
            metrics: Metrics::new(
                Arc::clone(&engine),
                approvals.clone(),
                Arc::clone(&watch),
                (export, outbox, Arc::clone(&notify.figures)),
                notary.clone(),
                (Arc::clone(&vault), Arc::clone(&reports), node),
            ),
            nonces: NonceStore::new(limits.nonces_max, clock.random()),
            idempotency: Idempotency::new(limits.remembered_reply_bytes_max),
            witness: Witness::default(),
            handouts: Handouts::default(),
            reports_kept: Kept::default(),
            list_places: Arc::new(Semaphore::new(limits.screening_lists_in_flight_max)),
            rates: RateLimiter::new(limits.requests_per_second_per_key, limits.burst_per_key),
            links: RateLimiter::new(
                limits.links_per_second_per_network,
                limits.links_burst_per_network,
            ),
            notify,
            reply_key: ReplyKey::new(&keyring)?,
            stand_in: SigningKey::generate(SignatureAlgorithm::Ed25519)?.verifying_key()?,
            fingerprints: keyring.index_for("request fingerprint")?,
            signed_from_s: (now_us + 999_999).div_euclid(1_000_000),
            in_flight: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            limits,
            engine,
            registry,
            approvals,
            staff,
            watch,
            notary,
            cases,
            vault,
            reports,
            reporters,
            nodes,
            custody: Custody::default(),
            keyring,
            breached,
            clock,
        })
    }

    /// One of the places for authenticated requests, if one is free.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            state: Arc::clone(self),
            _counted: self.metrics.work_begun(),
        };
        (before < self.limits.requests_in_flight_max).then_some(place)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Where browsers find our pages.
fn origin(config: &Config, port: u16) -> String {
    let local = || format!("https://localhost:{port}");
    config.origin.clone().unwrap_or_else(local)
}

/// The right to be worked on; given back when dropped.
pub(crate) struct Place {
    state: Arc<State>,
    _counted: crate::metrics::Open,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
