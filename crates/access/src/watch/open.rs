//! The alerts that are not closed, in memory.

use super::{
    alert::{Alert, Body, Effect, Kept, State},
    eyes::Hit,
};
use paywarden_crypto::digest::sha256;
use paywarden_domain::TenantId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Alerts that are kept in memory while they are not closed. The oldest beyond them stay open in
/// the store, and a further hit raises another.
pub const OPEN_MAX: usize = 10_000;

/// Company, rule and actor.
type Key = (TenantId, String, String);

/// The alerts that are not closed.
#[derive(Default)]
pub(super) struct Open {
    pub by_id: BTreeMap<String, Kept>,
    by_key: HashMap<Key, String>,
    /// Those that are not written as they are.
    pub changed: BTreeSet<String>,
    /// Those whose effect is still to be carried out.
    pub effects: BTreeSet<String>,
}

impl Open {
    pub fn of(&self, hit: &Hit) -> Option<&Kept> {
        self.by_id.get(self.by_key.get(&hit.key())?)
    }

    /// Keeps an alert of the store in mind unless it is closed.
    pub fn take_up(&mut self, kept: Kept) {
        let alert = &kept.body.alert;
        if alert.state == State::Closed {
            return;
        }
        let key = (kept.tenant.clone(), alert.rule.clone(), alert.actor.clone());
        self.by_key.insert(key, alert.id.clone());
        self.by_id.insert(alert.id.clone(), kept);
        self.forget_oldest();
    }

    pub fn raise(&mut self, hit: Hit, alert: Alert) {
        let id = alert.id.clone();
        self.by_key.insert(hit.key(), id.clone());
        let body = Body {
            last_seq: hit.seq,
            alert,
        };
        let kept = Kept {
            tenant: hit.tenant,
            version: 0,
            body,
        };
        self.by_id.insert(id.clone(), kept);
        self.changed.insert(id.clone());
        self.effects.insert(id);
        self.forget_oldest();
    }

    /// One more act, unless it is counted already.
    pub fn count(&mut self, hit: Hit) {
        let id = self.by_key.get(&hit.key()).cloned().unwrap_or_default();
        let Some(kept) = self.by_id.get_mut(&id) else {
            return;
        };
        if hit.seq <= kept.body.last_seq {
            return;
        }
        let alert = &mut kept.body.alert;
        kept.body.last_seq = hit.seq;
        alert.count += 1;
        alert.last_leaf = hit.leaf;
        alert.last_at = hit.at;
        alert.object = hit.object;
        alert.values = hit.values;
        if let Some(other) = hit.other.filter(|other| !alert.others.contains(other)) {
            alert.others.push(other);
        }
        self.changed.insert(id);
    }

    /// An alert is written as it was then.
    pub fn written(&mut self, then: &Kept) {
        let id = &then.body.alert.id;
        let Some(kept) = self.by_id.get_mut(id) else {
            return;
        };
        kept.version = then.version;
        if kept.body.last_seq == then.body.last_seq {
            self.changed.remove(id);
            if kept.body.alert.state == State::Closed {
                self.by_id.remove(id);
            }
        }
    }

    /// Somebody has decided about an alert, and that is written.
    pub fn decided(&mut self, then: Kept) {
        let alert = &then.body.alert;
        if alert.state == State::Closed {
            self.by_key.retain(|_, id| *id != alert.id);
        }
        if let Some(kept) = self.by_id.get_mut(&alert.id) {
            kept.body.alert.state = alert.state;
            kept.body.alert.steps.clone_from(&alert.steps);
        }
        self.written(&then);
    }

    pub fn suspended(&self) -> impl Iterator<Item = &Kept> {
        let all = self.by_id.values();
        all.filter(|kept| {
            let alert = &kept.body.alert;
            alert.effect == Effect::Suspend && alert.state != State::Closed
        })
    }

    /// What is not written or suspends somebody is not forgotten.
    fn forget_oldest(&mut self) {
        if self.by_id.len() <= OPEN_MAX {
            return;
        }
        let oldest = self.by_id.iter().find(|(id, kept)| {
            !self.changed.contains(*id) && kept.body.alert.effect != Effect::Suspend
        });
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.by_id.remove(&id);
            self.by_key.retain(|_, known| *known != id);
        }
    }
}

impl Hit {
    fn key(&self) -> Key {
        (
            self.tenant.clone(),
            self.rule.id.clone(),
            self.actor.clone(),
        )
    }

    /// The identifier of the alert that begins with this hit: always the same.
    pub fn id(&self) -> String {
        let (tenant, rule) = (self.tenant.as_str(), &self.rule.id);
        let hash = sha256(format!("{tenant} {rule} {}", self.actor).as_bytes());
        let tail: String = hash
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("alt_{:016x}{tail}", self.seq)
    }
}
