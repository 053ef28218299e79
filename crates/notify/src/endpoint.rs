//! Where a company wants to be told, and of what: a record with versions, its secret sealed. It
//! changes by approval alone, or ends by itself when the receiver says that it is gone.

mod change;

pub use change::{NewWebhook, WebhookChange, WebhookRotation, WebhookUpdate};

use crate::{
    Error, Notice,
    event::Wanted,
    secret::{self, Scheme, Signer},
};
use paywarden_access::approval::Approved;
use paywarden_crypto::{Keyring, keyring::PreparedSeal};
use paywarden_domain::{Outcome, TenantId, Timestamp, time::HOUR};
use paywarden_outward::Reach;
use paywarden_store::{Actor, Clock, Database, Entry, Journal, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::{Mutex, Notify};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// The most endpoints of a company, disabled ones included.
pub const ENDPOINTS_MAX: usize = 32;
/// What kind of record an endpoint is.
const KIND: &str = "webhook";
const PURPOSE: &str = "webhook secret";
const PAGE: u32 = 1_000;

/// Whether an endpoint is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookState)]
pub enum State {
    /// It is.
    Enabled,
    /// Somebody has disabled it: what is to be told it waits.
    Disabled,
    /// The receiver has answered `410 Gone`: what is to be told it waits.
    Gone,
}

/// An endpoint.
pub struct Endpoint {
    /// `whe_…`.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its version, from 1.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Where it is.
    pub url: String,
    /// What it is for, in words for people.
    pub description: String,
    /// Which events it is told of.
    pub events: Vec<Wanted>,
    /// Of which decisions; of all if empty.
    pub outcomes: Vec<Outcome>,
    /// Whether it is sent to.
    pub state: State,
    /// How it is signed for.
    pub signature: Scheme,
    /// The public half of its key, for `v1a`.
    pub public_key: Option<String>,
    signers: Vec<Signer>,
    kept: Kept,
}

/// The record.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    url: String,
    description: String,
    events: Vec<Wanted>,
    outcomes: Vec<Outcome>,
    state: State,
    signature: Scheme,
    /// Newest first.
    secrets: Vec<KeptSecret>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptSecret {
    sealed: Vec<u8>,
    until: Option<Timestamp>,
}

/// An endpoint after a change, and the secret that was made for it.
pub struct Changed {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// `whsec_…`, shown once; `whpk_…`, which is no secret, for `v1a`. None if none was made.
    pub secret: Option<Zeroizing<String>>,
}

/// The endpoints of all companies: in memory for whatever is told, in the store for good.
pub struct Endpoints {
    all: RwLock<BTreeMap<TenantId, BTreeMap<String, Arc<Endpoint>>>>,
    /// Held while the store and `all` are brought to the same state.
    changing: Mutex<()>,
    database: Database,
    journal: Journal,
    clock: Clock,
    seal: PreparedSeal,
    reach: Reach,
    /// Told whenever something may be due.
    pub(crate) wake: Notify,
}

impl fmt::Debug for Endpoint {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("version", &self.version)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Whether it is told of something.
    pub fn takes(&self, notice: &Notice) -> bool {
        let wanted = self.events.iter().any(|wanted| wanted.takes(&notice.event));
        let outcome = notice.outcome.filter(|_| !self.outcomes.is_empty());
        wanted && outcome.is_none_or(|outcome| self.outcomes.contains(&outcome))
    }

    /// The header `webhook-signature`: one signature of each secret that is in use now.
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> Result<String, Error> {
        let live = self.signers.iter();
        let live = live.filter(|signer| signer.until.is_none_or(|until| until > now));
        let signatures = live.map(|signer| signer.sign(id, now.seconds(), body));
        Ok(signatures.collect::<Result<Vec<_>, _>>()?.join(" "))
    }

    fn read(row: &RecordRow, seal: &PreparedSeal) -> Result<Self, Error> {
        let kept: Kept = serde_json::from_slice(&row.body)?;
        let mut signers = Vec::new();
        let mut public_key = None;
        for held in &kept.secrets {
            let secret = seal.open(row.id.as_bytes(), &held.sealed)?;
            if kept.signature == Scheme::V1a && public_key.is_none() {
                public_key = Some(secret::shown(kept.signature, &secret)?.to_string());
            }
            signers.push(Signer::new(kept.signature, &secret, held.until)?);
        }
        Ok(Self {
            id: row.id.clone(),
            tenant: row.tenant.clone(),
            version: row.version,
            changed_at: row.written_at,
            url: kept.url.clone(),
            description: kept.description.clone(),
            events: kept.events.clone(),
            outcomes: kept.outcomes.clone(),
            state: kept.state,
            signature: kept.signature,
            public_key,
            signers,
            kept,
        })
    }
}

impl Endpoints {
    /// Reads every endpoint from the store. They are reached as far as `reach` says.
    pub async fn open(
        (database, journal): (Database, Journal),
        keyring: &Keyring,
        clock: Clock,
        reach: Reach,
    ) -> Result<Self, Error> {
        let endpoints = Self {
            all: RwLock::default(),
            changing: Mutex::default(),
            seal: keyring.seal_for(PURPOSE)?,
            wake: Notify::new(),
            database,
            journal,
            clock,
            reach,
        };
        let mut pages = endpoints.database.newest_records(KIND, PAGE);
        while let Some(page) = pages.next().await? {
            for row in &page {
                endpoints.keep(Endpoint::read(row, &endpoints.seal)?);
            }
        }
        Ok(endpoints)
    }

    /// Whom endpoints may be.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The endpoints of a company, by identifier.
    pub fn of(&self, tenant: &TenantId) -> Vec<Arc<Endpoint>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(tenant).into_iter().flat_map(BTreeMap::values);
        own.cloned().collect()
    }

    /// One of them.
    pub fn find(&self, tenant: &TenantId, id: &str) -> Result<Arc<Endpoint>, Error> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.get(tenant).and_then(|own| own.get(id));
        found.cloned().ok_or(Error::EndpointUnknown)
    }

    /// Those of all companies that are sent to.
    pub(crate) fn enabled(&self) -> Vec<Arc<Endpoint>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let every = all.values().flat_map(BTreeMap::values);
        let enabled = every.filter(|endpoint| endpoint.state == State::Enabled);
        enabled.cloned().collect()
    }

    /// Refuses a change that could not be carried out now.
    pub fn check_change(&self, tenant: &TenantId, change: &WebhookChange) -> Result<(), Error> {
        change.validate()?;
        if change.url().is_some_and(|url| !self.reach.allows(url)) {
            return Err(Error::Malformed(
                "the address is https, and not in a private network unless that is allowed here",
            ));
        }
        let Some(id) = change.id() else {
            return match self.of(tenant).len() {
                ENDPOINTS_MAX.. => Err(Error::Full { max: ENDPOINTS_MAX }),
                _ => Ok(()),
            };
        };
        let state = self.find(tenant, id)?.state;
        match (change, state) {
            (WebhookChange::Disable(_), State::Disabled) => {
                Err(Error::EndpointState("it is disabled already"))
            }
            (WebhookChange::Enable(_), State::Enabled) => {
                Err(Error::EndpointState("it is enabled already"))
            }
            _ => Ok(()),
        }
    }

    /// Carries an approved change out. `reason` is why, for the trail.
    pub async fn change(
        &self,
        approved: Approved<WebhookChange>,
        reason: &str,
    ) -> Result<Changed, Error> {
        let _changing = self.changing.lock().await;
        let (who, change) = (approved.who().clone(), approved.command().clone());
        self.check_change(&who.tenant, &change)?;
        let old = change
            .id()
            .map(|id| self.find(&who.tenant, id))
            .transpose()?;
        let id = match &old {
            Some(old) => old.id.clone(),
            None => self.fresh_id(),
        };
        let now = self.clock.now();
        let (kept, secret) = self.next(&id, old.as_deref(), &change, now)?;
        let row = self.row((&who.tenant, &id), old.as_deref(), &kept)?;
        let purpose = Purpose::from("webhook change").because(reason);
        let entry = |change: &WebhookChange| Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose,
            action: change.action(),
            object: id.clone(),
            rows: vec![Row::Record(row.clone())],
        };
        approved.carry_out(entry).await?;
        let endpoint = self.keep(Endpoint::read(&row, &self.seal)?);
        self.wake.notify_one();
        Ok(Changed { endpoint, secret })
    }

    /// The receiver says that it is gone: nothing is sent there any more until somebody enables it.
    pub(crate) async fn is_gone(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let old = self.find(&endpoint.tenant, &endpoint.id)?;
        if old.state != State::Enabled {
            return Ok(());
        }
        let state = State::Gone;
        let kept = Kept {
            state,
            ..old.kept.clone()
        };
        let row = self.row((&old.tenant, &old.id), Some(&old), &kept)?;
        let entry = Entry {
            tenant: old.tenant.clone(),
            actor: Actor::System("notify"),
            purpose: "the receiver answered 410 gone".into(),
            action: "webhook.gone",
            object: old.id.clone(),
            rows: vec![Row::Record(row.clone())],
        };
        self.journal.append(entry).await?;
        self.keep(Endpoint::read(&row, &self.seal)?);
        Ok(())
    }

    /// The record after a change, and what is shown of a secret that was made.
    fn next(
        &self,
        id: &str,
        old: Option<&Endpoint>,
        change: &WebhookChange,
        now: Timestamp,
    ) -> Result<(Kept, Option<Zeroizing<String>>), Error> {
        let old = || {
            old.map(|old| old.kept.clone())
                .ok_or(Error::EndpointUnknown)
        };
        match change {
            WebhookChange::Create(new) => {
                let (held, shown) = self.make(id, new.signature)?;
                let kept = Kept {
                    url: new.url.clone(),
                    description: new.description.clone(),
                    events: new.events.clone(),
                    outcomes: new.outcomes.clone(),
                    state: State::Enabled,
                    signature: new.signature,
                    secrets: vec![held],
                };
                Ok((kept, Some(shown)))
            }
            WebhookChange::Update(update) => {
                let kept = Kept {
                    url: update.url.clone(),
                    description: update.description.clone(),
                    events: update.events.clone(),
                    outcomes: update.outcomes.clone(),
                    ..old()?
                };
                Ok((kept, None))
            }
            WebhookChange::Rotate(rotation) => {
                let mut kept = old()?;
                let (held, shown) = self.make(id, kept.signature)?;
                let overlap = i64::from(rotation.overlap_hours) * HOUR;
                let until = Timestamp::from_micros(now.micros().saturating_add(overlap));
                for secret in &mut kept.secrets {
                    secret.until = Some(secret.until.map_or(until, |old| old.min(until)));
                }
                kept.secrets.retain(|secret| secret.until > Some(now));
                kept.secrets.insert(0, held);
                kept.secrets.truncate(change::SECRETS_MAX);
                Ok((kept, Some(shown)))
            }
            WebhookChange::Disable(_) | WebhookChange::Enable(_) => {
                let state = match change {
                    WebhookChange::Enable(_) => State::Enabled,
                    _ => State::Disabled,
                };
                let kept = Kept { state, ..old()? };
                Ok((kept, None))
            }
        }
    }

    fn make(&self, id: &str, scheme: Scheme) -> Result<(KeptSecret, Zeroizing<String>), Error> {
        let secret = secret::fresh();
        let held = KeptSecret {
            sealed: self.seal.seal(id.as_bytes(), secret.as_slice())?,
            until: None,
        };
        Ok((held, secret::shown(scheme, secret.as_slice())?))
    }

    fn row(
        &self,
        (tenant, id): (&TenantId, &str),
        old: Option<&Endpoint>,
        kept: &Kept,
    ) -> Result<RecordRow, Error> {
        Ok(RecordRow {
            tenant: tenant.clone(),
            kind: KIND.to_owned(),
            id: id.to_owned(),
            version: old.map_or(1, |old| old.version + 1),
            written_at: self.clock.now(),
            body: serde_json::to_vec(kept)?,
        })
    }

    fn keep(&self, endpoint: Endpoint) -> Arc<Endpoint> {
        let endpoint = Arc::new(endpoint);
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(endpoint.tenant.clone()).or_default();
        own.insert(endpoint.id.clone(), Arc::clone(&endpoint));
        endpoint
    }

    fn fresh_id(&self) -> String {
        format!(
            "whe_{:024x}",
            u128::from_be_bytes(self.clock.random()) >> 32
        )
    }
}
