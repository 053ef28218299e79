//! Starting and stopping.

use crate::{
    Limits, Progress, Reports,
    api::reports::keep_ready,
    edge::{listener, reply::ReplyKey},
    node::Nodes,
    pages::Pages,
    reports::Reporters,
    state::State,
    tls,
};
use paywarden_access::{KeyRegistry, Staff, Watch, approval::Approvals};
use paywarden_cases::Cases;
use paywarden_crypto::Keyring;
use paywarden_notify::Notify;
use paywarden_privacy::Vault;
use paywarden_risk::Engine;
use paywarden_safety::password::Breached;
use paywarden_store::{Clock, trail::Notary};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

/// What an operator sets.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The TLS identity.
    pub identity: tls::Identity,
    /// Takes bearer keys and shows signature bases. Never in production.
    pub sandbox: bool,
    /// Asks connections for a client certificate, for keys that are bound to one.
    pub client_certificates: bool,
    /// Where browsers find the pages for staff, such as `https://pay.example.com`: `localhost` at
    /// the port that is listened on when not set. The same as in the settings of the staff.
    pub origin: Option<String>,
    /// Believes `known_at` of labels, to replay history. Never in production.
    pub trust_event_time: bool,
    /// The limits.
    pub limits: Limits,
}

impl Config {
    /// The defaults: no sandbox, our own clock, the stated limits.
    pub fn new(listen: SocketAddr, identity: tls::Identity) -> Self {
        let limits = Limits::default();
        Self {
            listen,
            identity,
            sandbox: false,
            origin: None,
            client_certificates: false,
            trust_event_time: false,
            limits,
        }
    }
}

/// What the server works with.
pub struct Parts {
    /// Decides.
    pub engine: Arc<Engine>,
    /// Knows the callers' keys.
    pub registry: Arc<KeyRegistry>,
    /// Lets sensitive commands take effect.
    pub approvals: Approvals,
    /// Knows the staff.
    pub staff: Arc<Staff>,
    /// Watches the trail.
    pub watch: Arc<Watch>,
    /// Signs the trail.
    pub notary: Notary,
    /// How far the trail has gone to a receiver outside.
    pub export: Arc<Progress>,
    /// How far the outbox is handed on.
    pub outbox: Arc<Progress>,
    /// Keeps what people look at.
    pub cases: Arc<Cases>,
    /// Keeps reports to financial intelligence units.
    pub reports: Arc<Reports>,
    /// Who reports large values, by company.
    pub reporters: Arc<Reporters>,
    /// Which processes serve the database.
    pub nodes: Arc<Nodes>,
    /// Keeps personal data.
    pub vault: Arc<Vault>,
    /// Tells companies what happens, and asks payers.
    pub notify: Arc<Notify>,
    /// Gives the key that signs replies.
    pub keyring: Arc<Keyring>,
    /// Passwords known from breaches, if a list was loaded.
    pub breached: Option<Arc<Breached>>,
    /// Answers for pages, if there are any.
    pub pages: Option<Pages>,
    /// The time.
    pub clock: Clock,
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Choose another address or end what listens there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// Mend the certificate or its key.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// Mend the keyring.
    #[error(transparent)]
    Crypto(#[from] paywarden_crypto::Error),
}

/// A running server. Dropping it stops it at once; [`Server::shutdown`] lets requests finish.
pub struct Server {
    state: Arc<State>,
    local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    keeping: JoinHandle<()>,
}

impl Server {
    /// Listens and answers until told to stop.
    ///
    /// It returns with the next whole second: `created` counts in seconds, and a signature made
    /// before the start is refused, because its nonce may have been used on an earlier run.
    pub async fn start(config: Config, parts: Parts) -> Result<Self, StartError> {
        let address = config.listen;
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let state = Arc::new(State::new(&config, parts, local_addr.port())?);
        let acceptor =
            TlsAcceptor::from(config.identity.server_config(config.client_certificates)?);
        // Before anybody asks how it stands.
        state.nodes.note().await;
        let kept = Arc::clone(&state);
        let keeping = tokio::spawn(async move {
            tokio::join!(keep_ready(&kept), kept.nodes.keep());
        });
        let early_us = state.signed_from_s * 1_000_000 - state.clock.now().micros();
        tokio::time::sleep(Duration::from_micros(u64::try_from(early_us).unwrap_or(0))).await;
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(listener::run(
            listener,
            acceptor,
            Arc::clone(&state),
            stopped,
        ));
        tracing::info!(%local_addr, sandbox = state.sandbox, "listening");
        Ok(Self {
            state,
            local_addr,
            stop,
            running,
            keeping,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where browsers find the pages for staff.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The key that signs replies.
    pub fn reply_key(&self) -> &ReplyKey {
        &self.state.reply_key
    }

    /// Takes no further connection or request, and returns when those under way are answered or
    /// the drain time has passed.
    pub async fn shutdown(mut self) {
        self.state.stop();
        let _ = self.stop.send(true);
        let _ = (&mut self.running).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
        self.keeping.abort();
    }
}
