//! One entity as it is now: what the windows hold of it, its payments, the lists that it is on, whom
//! it is linked to.

use crate::{Engine, Error, identify::Keys};
use paywarden_domain::{Decision, TenantId, Timestamp};
pub use paywarden_features::EntityKind;
use paywarden_features::{FeatureEvent, Value, glance};
use paywarden_store::DecisionRow;
use serde::Serialize;
use utoipa::ToSchema;

/// The most decisions that are shown of an entity.
pub const DECISIONS_MAX: usize = 50;

/// What is known of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityNow {
    /// When this was looked at.
    pub as_of: Timestamp,
    /// The currency of windows over amounts, ISO 4217.
    pub base_currency: &'static str,
    /// Its key, as lists hold it. It is somebody's data: show it masked.
    pub key: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// How many events of it are kept.
    pub events: u64,
    /// Whether a deny list holds it.
    pub is_denied: bool,
    /// What the windows of the live rules hold of it.
    pub windows: Vec<EntityWindow>,
    /// The lists that it is on.
    pub lists: Vec<EntityListing>,
    /// Its latest decisions, newest first.
    pub decisions: Vec<Decision>,
    /// Whom each of them is about.
    pub persons: Vec<Option<String>>,
}

/// What one window holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityWindow {
    /// The window as a rule spells it.
    pub window: String,
    /// A number, minor units of the base currency, or microseconds; null where it is not known.
    pub value: Option<i64>,
    /// `count`, `money`, `duration` or `missing`.
    pub unit: &'static str,
    /// Whether that is the value itself rather than a bound: no limit was met, and everything that
    /// the window reaches is kept.
    pub is_exact: bool,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityListing {
    /// The list.
    pub list: String,
    /// Why it is listed.
    pub reason: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it stops counting; never if null.
    pub expires_at: Option<Timestamp>,
}

/// Entities that hang together by payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityLinks {
    /// When this was looked at.
    pub as_of: Timestamp,
    /// The currency of the sums, ISO 4217.
    pub base_currency: &'static str,
    /// The entities, nearest first; the first is the one that was asked about.
    pub entities: Vec<LinkedEntity>,
    /// What ties them.
    pub links: Vec<EntityLink>,
    /// Whether that is all within two ties: no limit was met.
    pub is_whole: bool,
    /// The most entities.
    pub entities_max: usize,
    /// The most links.
    pub links_max: usize,
}

/// An entity that others are linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkedEntity {
    /// `kind:hash`.
    pub entity: String,
    /// How many links lead to it.
    pub hops: u8,
    /// How many events of it are kept.
    pub events: u64,
    /// Whether a deny list holds it.
    pub is_denied: bool,
}

/// Payments that tie two entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityLink {
    /// `kind:hash` of one; the payer where money went from account to account.
    pub from: String,
    /// `kind:hash` of the other.
    pub to: String,
    /// Whether money went from one to the other, rather than that payments name both.
    pub is_paid: bool,
    /// How many.
    pub events: u32,
    /// What they come to in minor units of the base currency.
    pub amount_minor: i64,
    /// When the latest was.
    pub latest_at: Timestamp,
}

impl Engine {
    /// What is known of an entity of a tenant; none if no event of it is kept.
    pub async fn entity(
        &self,
        tenant: &TenantId,
        entity: (EntityKind, u64),
    ) -> Result<Option<EntityNow>, Error> {
        let as_of = self.clock.now();
        self.unmark_expired(as_of);
        let running = self.running.load_full();
        let Some(glance) = self.features.glance(&running.plan, entity, as_of) else {
            return Ok(None);
        };
        let Some(rows) = self.own_rows(tenant, &glance.numbers).await? else {
            return Ok(None);
        };
        let runner = &running.line(tenant).live;
        let values = runner.windows(&glance.values);
        let bounded = runner.marked(&glance.bounded);
        let texts = runner.set.rules.window_texts().into_iter();
        let known = texts.zip(values).zip(bounded);
        let windows = known.filter_map(|((text, value), bounded)| {
            let text = text?;
            let about = text.split_once('.')?.0 == entity.0.name();
            about.then(|| window(text, value, bounded))
        });
        let windows = windows.collect();
        let key = match rows.first() {
            Some(row) => self.key_of(row, entity)?,
            None => None,
        };
        let lists = key.as_deref().map(|key| self.listings(tenant, key, as_of));
        let (decisions, persons) = self.told(&rows)?;
        Ok(Some(EntityNow {
            as_of,
            base_currency: self.config.rates.base().code(),
            first_seen: glance.first_seen,
            events: glance.events,
            is_denied: glance.is_marked,
            windows,
            lists: lists.unwrap_or_default(),
            key,
            decisions,
            persons,
        }))
    }

    /// Whom an entity of a tenant is linked to; none if no event of it is kept.
    pub async fn entity_links(
        &self,
        tenant: &TenantId,
        entity: (EntityKind, u64),
    ) -> Result<Option<EntityLinks>, Error> {
        let as_of = self.clock.now();
        self.unmark_expired(as_of);
        let plan = &self.running.load_full().plan;
        let Some(glance) = self.features.glance(plan, entity, as_of) else {
            return Ok(None);
        };
        if self.own_rows(tenant, &glance.numbers).await?.is_none() {
            return Ok(None);
        }
        let web = self.features.web(entity).unwrap_or_default();
        let name = |place: usize| {
            let node = web.nodes.get(place);
            node.map(|node| entity_name((node.kind, node.key)))
                .unwrap_or_default()
        };
        let entities = web.nodes.iter().map(|node| LinkedEntity {
            entity: entity_name((node.kind, node.key)),
            hops: node.hops,
            events: node.events,
            is_denied: node.is_marked,
        });
        let links = web.ties.iter().map(|tie| EntityLink {
            from: name(tie.from),
            to: name(tie.to),
            is_paid: tie.is_paid,
            events: tie.events,
            amount_minor: tie.amount,
            latest_at: tie.latest,
        });
        Ok(Some(EntityLinks {
            as_of,
            base_currency: self.config.rates.base().code(),
            entities: entities.collect(),
            links: links.collect(),
            is_whole: web.is_whole,
            entities_max: glance::NODES_MAX,
            links_max: glance::TIES_MAX,
        }))
    }

    /// The latest decisions with these numbers. The hash of an entity is that of one tenant alone:
    /// none where they are another's.
    async fn own_rows(
        &self,
        tenant: &TenantId,
        numbers: &[u64],
    ) -> Result<Option<Vec<DecisionRow>>, Error> {
        let numbers = numbers.iter().take(DECISIONS_MAX);
        let numbers: Vec<i64> = numbers
            .filter_map(|number| i64::try_from(*number).ok())
            .collect();
        let rows = self.database.decisions_numbered(tenant, &numbers).await?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    fn key_of(
        &self,
        row: &DecisionRow,
        (kind, hash): (EntityKind, u64),
    ) -> Result<Option<String>, Error> {
        let seen = FeatureEvent::decode(&row.feature);
        let seen = seen.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        let sides = match kind {
            EntityKind::Account | EntityKind::Payee => [EntityKind::Account, EntityKind::Payee],
            kind => [kind, kind],
        };
        let Some(kind) = sides.into_iter().find(|kind| seen.entity(*kind) == hash) else {
            return Ok(None);
        };
        let event = self.recorder.event(row)?;
        Ok(Keys::of(&event).get(kind).map(str::to_owned))
    }
}

/// `kind:hash`, as alerts name entities.
fn entity_name((kind, key): (EntityKind, u64)) -> String {
    format!("{}:{key:016x}", kind.name())
}

fn window(text: &str, value: Value, is_bounded: bool) -> EntityWindow {
    let unit = match value {
        Value::Count(_) => "count",
        Value::Money(_) => "money",
        Value::Duration(_) => "duration",
        Value::Missing => "missing",
    };
    EntityWindow {
        window: text.to_owned(),
        value: value.number(),
        unit,
        is_exact: !is_bounded,
    }
}
