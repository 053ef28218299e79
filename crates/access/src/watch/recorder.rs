//! Leaves for requests: every access of people, and of programs beside payments.
//!
//! What goes through has its leaf before it is answered. Refusals are cheap to ask for, so that
//! they must not be dear to note: of like refusals of one actor the first has a leaf at once, and
//! those of the next ten seconds have one together, which says how many they were.

use super::access::{Access, Kind};
use crate::Network;
use paywarden_crypto::{Error as CryptoError, Keyring, keyring::PreparedIndex};
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Clock, Entry, Error, Journal, Purpose};
use std::{
    collections::HashMap,
    fmt::Write as _,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Like refusals within so many microseconds have one leaf beside that of the first.
pub const TOGETHER_US: u64 = 10_000_000;
/// Kinds of refusal that are told apart at a time; all others of a company count as one.
pub const REFUSALS_MAX: usize = 4_096;

const OBJECT_BYTES_MAX: usize = 256;
/// What stands for refusals beyond the limit.
const MANY: &str = "ANY /many";

/// One request that was answered or refused.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Whose data was asked for.
    pub tenant: TenantId,
    /// Who asked, as far as that was proved.
    pub actor: Actor,
    /// What kind of request it was.
    pub kind: Kind,
    /// Method and path, without what stood for its parameters.
    pub route: String,
    /// What stood for them, or what else it was about; not personal. Of a refusal its pseudonym is
    /// kept.
    pub object: String,
    /// The code of the refusal.
    pub refusal: Option<&'static str>,
    /// How many records it showed or changed.
    pub count: u32,
    /// Whom the object is about.
    pub subject: Subject,
    /// On what ground personal data was shown, in our words: it stands beside the leaf, which has
    /// its digest.
    pub ground: Option<String>,
    /// Where it came from.
    pub from: IpAddr,
    /// The session.
    pub session: Option<String>,
    /// The roles of the person, with commas between them.
    pub roles: String,
    /// Whether people need a fresh factor for it.
    pub is_sensitive: bool,
}

/// Whom an object is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Nobody in particular.
    Nobody,
    /// Somebody outside, by anything that names them: it is kept as its pseudonym.
    Outside(String),
    /// Somebody who acts here as well, `staff:…` or `key:…`.
    Actor(String),
}

/// Notes who asked for what.
pub struct Recorder {
    journal: Journal,
    clock: Clock,
    networks: PreparedIndex,
    subjects: PreparedIndex,
    inside: Vec<Network>,
    refusals: Mutex<HashMap<Alike, Held>>,
}

/// What makes refusals alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Alike {
    tenant: TenantId,
    actor: String,
    route: String,
    refusal: &'static str,
}

/// Like refusals that have no leaf yet.
struct Held {
    since_us: u64,
    count: u32,
    last: Visit,
}

impl Recorder {
    pub(super) fn new(
        journal: Journal,
        clock: Clock,
        keyring: &Keyring,
        inside: Vec<Network>,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            journal,
            clock,
            networks: keyring.index_for("network of an access")?,
            subjects: keyring.index_for("subject of an access")?,
            inside,
            refusals: Mutex::default(),
        })
    }

    /// Notes a request. One that went through is durable when this returns; what cannot be noted
    /// must not be answered.
    pub async fn note(&self, visit: Visit) -> Result<(), Error> {
        match visit.refusal {
            Some(refusal) if !self.is_first(&visit, refusal) => Ok(()),
            _ => self.write(visit).await,
        }
    }

    /// Notes that the trail of a company does not continue its checkpoint of so many leaves.
    pub async fn not_signed(&self, tenant: TenantId, size: u64) -> Result<(), Error> {
        let object = format!("checkpoint of {size} leaves");
        let purpose = "it does not continue what was signed";
        self.fault(tenant, "trail.not_signed", purpose, object)
            .await
    }

    /// Notes that the trail of a company, or a row that it speaks of, was changed behind the
    /// journal; `what` says where and how, in our words.
    pub async fn not_intact(&self, tenant: TenantId, what: String) -> Result<(), Error> {
        let purpose = "it is not what was written";
        self.fault(tenant, "trail.not_intact", purpose, what).await
    }

    async fn fault(
        &self,
        tenant: TenantId,
        action: &'static str,
        purpose: &'static str,
        object: String,
    ) -> Result<(), Error> {
        let entry = Entry {
            tenant,
            actor: Actor::System("notary"),
            purpose: purpose.into(),
            action,
            object,
            rows: Vec::new(),
        };
        self.journal.append(entry).await.map(drop)
    }

    /// Writes what was held back for long enough. To be called every second or so.
    pub async fn flush(&self) -> Result<(), Error> {
        for visit in self.due(self.clock.monotonic_us()) {
            self.write(visit).await?;
        }
        Ok(())
    }

    /// Writes everything that was held back.
    pub async fn close(&self) -> Result<(), Error> {
        for visit in self.due(u64::MAX) {
            self.write(visit).await?;
        }
        Ok(())
    }

    fn is_first(&self, visit: &Visit, refusal: &'static str) -> bool {
        let now_us = self.clock.monotonic_us();
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alike = Alike {
            tenant: visit.tenant.clone(),
            actor: visit.actor.to_string(),
            route: visit.route.clone(),
            refusal,
        };
        let mut visit = visit.clone();
        if refusals.len() >= REFUSALS_MAX && !refusals.contains_key(&alike) {
            visit.route = MANY.to_owned();
            visit.actor = Actor::System("edge");
            alike = Alike {
                actor: visit.actor.to_string(),
                route: visit.route.clone(),
                refusal: "many",
                ..alike
            };
        }
        match refusals.get_mut(&alike) {
            Some(held) => {
                held.count = held.count.saturating_add(1);
                held.last = visit;
                false
            }
            None => {
                let held = Held {
                    since_us: now_us,
                    count: 0,
                    last: visit,
                };
                refusals.insert(alike, held);
                true
            }
        }
    }

    /// What was held back since before the last ten seconds.
    fn due(&self, now_us: u64) -> Vec<Visit> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |held: &Held| now_us.saturating_sub(held.since_us) >= TOGETHER_US;
        let over = refusals.extract_if(|_, held| is_over(held));
        over.filter(|(_, held)| held.count > 0)
            .map(|(_, held)| Visit {
                count: held.count,
                ..held.last
            })
            .collect()
    }

    async fn write(&self, visit: Visit) -> Result<(), Error> {
        let tenant = visit.tenant.as_str();
        let network = Network::around(visit.from).to_string();
        let access = Access {
            route: visit.route,
            refusal: visit.refusal.map(str::to_owned),
            count: visit.count,
            network: Some(pseudonym(&self.networks, tenant, &network)),
            is_inside: self.inside.iter().any(|known| known.contains(visit.from)),
            session: visit.session,
            roles: visit.roles,
            subject: match visit.subject {
                Subject::Nobody => None,
                Subject::Outside(name) => Some(pseudonym(&self.subjects, tenant, &name)),
                Subject::Actor(name) => Some(name),
            },
            is_sensitive: visit.is_sensitive,
        };
        let mut object = visit.object;
        // What was refused may be anything that somebody cared to send.
        let is_hearsay = access.refusal.is_some() && visit.kind != Kind::Signature;
        if is_hearsay && !object.is_empty()
            || object.len() > OBJECT_BYTES_MAX
            || object.chars().any(char::is_control)
        {
            object = pseudonym(&self.subjects, tenant, &object);
        }
        let purpose = Purpose::composed(access.to_string());
        let entry = Entry {
            tenant: visit.tenant,
            actor: visit.actor,
            purpose: match visit.ground {
                Some(ground) => purpose.because(ground),
                None => purpose,
            },
            action: visit.kind.action(),
            object,
            rows: Vec::new(),
        };
        self.journal.append(entry).await.map(drop)
    }
}

/// The first 64 bits of a keyed hash, in hexadecimal digits.
fn pseudonym(index: &PreparedIndex, tenant: &str, value: &str) -> String {
    let hash = index.of(tenant, value.as_bytes());
    hash.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
