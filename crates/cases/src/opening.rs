//! From a verdict to an alert: opened once, joined by what follows on the same customer, put into
//! the group of whom it shares somebody with.

use crate::{
    Alert, AlertPayment, AlertState, Cases, Entity, Error, Trigger,
    alert::{ENTITIES_MAX, PAYMENTS_MAX, RULES_MAX},
    desk::{Item, Links},
    policy::DueClock,
};
use paywarden_access::approval::Who;
use paywarden_domain::{
    Decision, Engine, EngineResult, FiredRule, Money, TenantId, Timestamp, time::MINUTE,
};
use paywarden_store::{Actor, WorkPlace};
use std::collections::HashSet;

/// Who opens alerts, in the trail.
const SYSTEM: &str = "cases";
/// How often an alert is read again that somebody works on at the same moment.
const TRIES: usize = 8;
/// How many newer alerts of an entity are looked at for one that is open.
const GROUP_LOOKS: u32 = 16;

/// A decision that stands out, and who takes part in the payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The number of the decision.
    pub event_no: i64,
    /// The decision.
    pub decision: Decision,
    /// Who and what takes part.
    pub entities: Vec<Entity>,
}

impl Sighting {
    fn judged(&self, engine: Engine) -> &EngineResult {
        match engine {
            Engine::Fraud => &self.decision.fraud,
            Engine::Laundering => &self.decision.laundering,
        }
    }
}

/// One engine's judgement that meets a trigger.
struct Hit<'s> {
    tenant: &'s TenantId,
    trigger: &'s Trigger,
    sighting: &'s Sighting,
    judged: &'s EngineResult,
    fired: Vec<&'s FiredRule>,
    subject: Entity,
}

impl Cases {
    /// Opens alerts for decisions of one company, or lets them join. What was taken before is not
    /// taken again: each decision makes one alert of each engine at most. How many were taken.
    pub async fn take(&self, tenant: &TenantId, sightings: &[Sighting]) -> Result<usize, Error> {
        let targets = |seen: &Sighting| Engine::ALL.map(|engine| target(engine, seen.event_no));
        let targets: Vec<String> = sightings.iter().flat_map(targets).collect();
        let known = self.database.work_links(tenant, &targets).await?;
        let known: HashSet<String> = known.into_iter().map(|link| link.target).collect();
        let mut taken = 0;
        for sighting in sightings {
            for engine in Engine::ALL {
                if known.contains(&target(engine, sighting.event_no)) {
                    continue;
                }
                match self.alert_on(tenant, engine, sighting).await {
                    Ok(is_taken) => taken += usize::from(is_taken),
                    Err(error) if error.is_passing() => return Err(error),
                    // It would fail for ever, and hold up everything behind it.
                    Err(error) => {
                        let event_no = sighting.event_no;
                        tracing::error!(%tenant, event_no, %engine, %error, "no alert opened");
                    }
                }
            }
        }
        Ok(taken)
    }

    /// Opens an alert for a payment that its payer reports, or lets it join, unless an alert of that
    /// engine has it already. Whether it was taken.
    pub async fn take_reported(
        &self,
        tenant: &TenantId,
        sighting: &Sighting,
    ) -> Result<bool, Error> {
        let Some(trigger) = self.policy.reported() else {
            return Ok(false);
        };
        let known = [target(trigger.engine, sighting.event_no)];
        if !self.database.work_links(tenant, &known).await?.is_empty() {
            return Ok(false);
        }
        let judged = sighting.judged(trigger.engine);
        let hit = Hit {
            tenant,
            trigger,
            sighting,
            judged,
            fired: judged.fired.iter().collect(),
            subject: subject(trigger, sighting)?,
        };
        self.place(&hit).await.map(|()| true)
    }

    /// Opens or joins an alert if an engine's judgement asks for one; whether it did.
    async fn alert_on(
        &self,
        tenant: &TenantId,
        engine: Engine,
        sighting: &Sighting,
    ) -> Result<bool, Error> {
        match self.hit(tenant, engine, sighting).await? {
            Some(hit) => self.place(&hit).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// What an engine's judgement asks for; nothing if every rule that fired is snoozed for this
    /// customer.
    async fn hit<'s>(
        &'s self,
        tenant: &'s TenantId,
        engine: Engine,
        sighting: &'s Sighting,
    ) -> Result<Option<Hit<'s>>, Error> {
        let judged = sighting.judged(engine);
        let all: Vec<&FiredRule> = judged.fired.iter().collect();
        let Some(trigger) = self.policy.trigger(engine, judged, &all) else {
            return Ok(None);
        };
        let subject = subject(trigger, sighting)?;
        let mut fired = Vec::new();
        for rule in &all {
            let at = sighting.decision.decided_at;
            if !self.is_snoozed(tenant, (&rule.rule, &subject), at).await? {
                fired.push(*rule);
            }
        }
        if fired.is_empty() && !all.is_empty() {
            return Ok(None);
        }
        let trigger = self.policy.trigger(engine, judged, &fired);
        Ok(trigger.map(|trigger| Hit {
            tenant,
            trigger,
            sighting,
            judged,
            fired,
            subject,
        }))
    }

    async fn place(&self, hit: &Hit<'_>) -> Result<(), Error> {
        for _ in 0..TRIES {
            let placed = match self.open_alert(hit).await? {
                Some(alert) => self.join(hit, alert).await,
                None => self.open(hit).await,
            };
            match placed {
                Err(Error::Changed) => {}
                placed => return placed,
            }
        }
        Err(Error::Changed)
    }

    /// The open alert that a hit joins, in its queue or where that is passed up to.
    async fn open_alert(&self, hit: &Hit<'_>) -> Result<Option<Alert>, Error> {
        let (subject, state) = (hit.subject.as_str(), AlertState::Open.number());
        for queue in self.queues_of(hit.trigger) {
            let about = (Alert::KIND, queue, state);
            let place = self
                .database
                .work_item_about(hit.tenant, about, subject)
                .await?;
            let Some(place) = place else { continue };
            let alert: Alert = self.find(hit.tenant, &place.id).await?;
            if hit.joins(&alert) {
                return Ok(Some(alert));
            }
        }
        Ok(None)
    }

    /// The queue of a trigger and the one above it.
    fn queues_of<'s>(&'s self, trigger: &'s Trigger) -> impl Iterator<Item = &'s str> {
        let above = self.policy.queue(&trigger.queue);
        let above = above.and_then(|queue| queue.escalates_to.as_deref());
        [Some(trigger.queue.as_str()), above].into_iter().flatten()
    }

    async fn open(&self, hit: &Hit<'_>) -> Result<(), Error> {
        let (who, now) = (who(hit.tenant), self.clock.now());
        let id = self.fresh_id::<Alert>(now);
        let mut alert = Alert {
            version: 0,
            queue: hit.trigger.queue.clone(),
            engine: hit.trigger.engine,
            trigger: hit.trigger.id.clone(),
            priority: hit.trigger.priority,
            state: AlertState::Open,
            assignee: None,
            escalated: false,
            subject: hit.subject.clone(),
            group: self.group(hit).await?.unwrap_or_else(|| id.clone()),
            opened_at: now,
            last_at: hit.sighting.decision.decided_at,
            due_at: self.due(hit.trigger, now),
            amounts: Vec::new(),
            score: 0,
            outcome: hit.sighting.decision.outcome,
            rules: Vec::new(),
            reasons: Vec::new(),
            entities: Vec::new(),
            payments: Vec::new(),
            case: None,
            notes: 0,
            closing: None,
            change: self.change(&who, "open", None),
            id,
        };
        let mut links = hit.add_to(&mut alert);
        links.new.push(group_target(&alert.group));
        let change = alert.change.clone();
        let row = self.next(hit.tenant, &mut alert, change, links)?;
        self.write(&who, ("payment_alert.open", &alert.id), None, vec![row])
            .await
    }

    async fn join(&self, hit: &Hit<'_>, mut alert: Alert) -> Result<(), Error> {
        let who = who(hit.tenant);
        let links = hit.add_to(&mut alert);
        let change = self.change(&who, "join", None);
        let row = self.next(hit.tenant, &mut alert, change, links)?;
        self.write(&who, ("payment_alert.join", &alert.id), None, vec![row])
            .await
    }

    /// The group of the oldest open alert of the same engine with which somebody is shared.
    async fn group(&self, hit: &Hit<'_>) -> Result<Option<String>, Error> {
        let mut ids = Vec::new();
        let grouped = |entity: &&Entity| {
            let mut by = self.policy.groups.by.iter();
            by.any(|kind| kind == entity.kind())
        };
        for entity in hit.sighting.entities.iter().filter(grouped) {
            let before = format!("{}~", Alert::PREFIX);
            let target = entity.target();
            let linked = self
                .database
                .work_linked_to(hit.tenant, &target, &before, GROUP_LOOKS);
            let alerts = linked.await?.into_iter().map(|link| link.item);
            ids.extend(alerts.filter(|id| id.starts_with(Alert::PREFIX)));
        }
        let places = self.database.work_places(hit.tenant, &ids).await?;
        let fits = |place: &WorkPlace| {
            place.state == AlertState::Open.number()
                && self
                    .queues_of(hit.trigger)
                    .any(|queue| queue == place.queue)
        };
        let open = places.into_iter().filter(fits);
        match open.min_by(|one, other| one.id.cmp(&other.id)) {
            Some(place) => Ok(Some(self.find::<Alert>(hit.tenant, &place.id).await?.group)),
            None => Ok(None),
        }
    }

    fn due(&self, trigger: &Trigger, now: Timestamp) -> Timestamp {
        let minutes = i64::from(trigger.due_minutes) * MINUTE;
        match trigger.clock {
            DueClock::Always => Timestamp::from_micros(now.micros().saturating_add(minutes)),
            DueClock::Office => self.calendar.after(now, minutes),
        }
    }
}

impl Hit<'_> {
    fn joins(&self, alert: &Alert) -> bool {
        let window = i64::from(self.trigger.window_minutes) * MINUTE;
        let since = self.sighting.decision.decided_at.micros() - alert.last_at.micros();
        since <= window && alert.payments.len() < PAYMENTS_MAX
    }

    /// Counts the payment in an alert; what the alert is linked to by it.
    fn add_to(&self, alert: &mut Alert) -> Links {
        let decision = &self.sighting.decision;
        alert.last_at = alert.last_at.max(decision.decided_at);
        alert.priority = alert.priority.min(self.trigger.priority);
        alert.score = alert.score.max(self.judged.score);
        alert.outcome = alert.outcome.max(decision.outcome);
        if let Some(amount) = decision.amount {
            add_amount(&mut alert.amounts, amount);
        }
        for rule in &self.fired {
            add(&mut alert.rules, &rule.rule, RULES_MAX);
            add(&mut alert.reasons, &rule.reason, RULES_MAX);
        }
        alert.payments.push(AlertPayment {
            payment_id: decision.payment_id.clone(),
            decision: decision.id.clone(),
            event_no: self.sighting.event_no,
            amount: decision.amount,
            decided_at: decision.decided_at,
        });
        let mut new = vec![target(alert.engine, self.sighting.event_no)];
        for entity in &self.sighting.entities {
            if add(&mut alert.entities, entity, ENTITIES_MAX) {
                new.push(entity.target());
            }
        }
        Links {
            new,
            ..Links::default()
        }
    }
}

/// What the alert of an engine is linked to by a decision: never twice.
pub(crate) fn target(engine: Engine, event_no: i64) -> String {
    format!("hit:{engine}:{event_no}")
}

/// What the alerts of a group are linked to.
pub(crate) fn group_target(group: &str) -> String {
    format!("group:{group}")
}

/// Adds an amount to those of its currency; the sum ends at the largest number.
pub(crate) fn add_amount(amounts: &mut Vec<Money>, amount: Money) {
    let same = amounts
        .iter_mut()
        .find(|sum| sum.currency == amount.currency);
    match same {
        Some(sum) => sum.minor = sum.minor.saturating_add(amount.minor),
        None => amounts.push(amount),
    }
}

/// Adds what is not there and has room; whether it did.
pub(crate) fn add<T: Clone + PartialEq>(all: &mut Vec<T>, one: &T, most: usize) -> bool {
    let is_new = all.len() < most && !all.contains(one);
    if is_new {
        all.push(one.clone());
    }
    is_new
}

/// Who opens and mends alerts.
pub(crate) fn who(tenant: &TenantId) -> Who {
    Who {
        tenant: tenant.clone(),
        actor: Actor::System(SYSTEM),
    }
}

/// Whom an alert is about: the first kind that takes part, or else the payment alone.
fn subject(trigger: &Trigger, sighting: &Sighting) -> Result<Entity, Error> {
    let of_kind = |kind: &String| sighting.entities.iter().find(|one| one.kind() == kind);
    match trigger.subject.iter().find_map(of_kind) {
        Some(entity) => Ok(entity.clone()),
        None => Entity::new("payment", sighting.event_no.cast_unsigned()),
    }
}
