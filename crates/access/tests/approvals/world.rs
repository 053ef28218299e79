//! A store, people with rights that come and go, and a command whose effect can be counted.

use crate::support::{Place, Store};
use paywarden_access::{
    Scope,
    approval::{
        ApprovalView, Approvals, Approved, Ask, Ballot, Error, Kind, PolicyChange, Rights,
        Sensitive, Who,
    },
};
use paywarden_domain::{TenantId, Timestamp, time::HOUR};
use paywarden_store::{Actor, Clock, Entry, JournalLimits, ListEntryRow, Row, SimulatedClock};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

/// Lists this value: the effect is one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exempt {
    pub value: String,
}

impl Sensitive for Exempt {
    const KIND: Kind = Kind::ListChange;

    fn object(&self) -> String {
        "add:trusted_cards".to_owned()
    }

    fn check(&self) -> Result<(), String> {
        match self.value.is_empty() {
            true => Err("a value is not empty".to_owned()),
            false => Ok(()),
        }
    }
}

/// Takes a value off a deny list, of which some are free a day; the effect is one row as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub values: u32,
}

impl Sensitive for Release {
    const KIND: Kind = Kind::ListChange;

    fn object(&self) -> String {
        "remove:denied_cards".to_owned()
    }

    fn weight(&self) -> u32 {
        self.values
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

pub struct World {
    pub store: Store,
    pub approvals: Approvals,
    pub clock: Arc<SimulatedClock>,
    rights: Arc<Mutex<HashSet<(TenantId, String, Scope)>>>,
}

/// Who may ask: list changes and policies.
const MAKES: [Scope; 3] = [Scope::ListsWrite, Scope::RulesWrite, Scope::ApprovalsPolicy];
/// Who may approve both.
const CHECKS: [Scope; 4] = [
    Scope::ApprovalsVote,
    Scope::ListsRead,
    Scope::RulesApprove,
    Scope::ApprovalsPolicy,
];

impl World {
    /// Two makers, three checkers, and one who is both; all of `acme`.
    pub async fn open(place: &Place) -> Self {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        let clock = Arc::new(SimulatedClock::new(start, 7));
        let limits = JournalLimits::default();
        let store = place
            .open_with(Clock::Simulated(Arc::clone(&clock)), limits)
            .await;
        let rights = Arc::new(Mutex::new(HashSet::new()));
        let asked = Arc::clone(&rights);
        let answer: Rights = Arc::new(move |tenant: &TenantId, actor: &str, scope| {
            let rights = asked.lock().unwrap();
            rights.contains(&(tenant.clone(), actor.to_owned(), scope))
        });
        let approvals = Approvals::new(
            store.database.clone(),
            store.journal.clone(),
            Clock::Simulated(Arc::clone(&clock)),
            answer,
        );
        let world = Self {
            store,
            approvals,
            clock,
            rights,
        };
        for maker in ["maker", "other_maker", "both", "peer"] {
            world.give(maker, &MAKES);
        }
        for checker in ["checker", "second", "third", "both", "peer"] {
            world.give(checker, &CHECKS);
        }
        world
    }

    pub fn give(&self, name: &str, scopes: &[Scope]) {
        let actor = who(name).actor.to_string();
        let rows = scopes.iter().map(|scope| (acme(), actor.clone(), *scope));
        self.rights.lock().unwrap().extend(rows);
    }

    pub fn take(&self, name: &str, scope: Scope) {
        let actor = who(name).actor.to_string();
        self.rights.lock().unwrap().remove(&(acme(), actor, scope));
    }

    /// As a revoked key: nothing is left.
    pub fn revoke(&self, name: &str) {
        let actor = who(name).actor.to_string();
        self.rights
            .lock()
            .unwrap()
            .retain(|(_, known, _)| *known != actor);
    }

    pub fn hours(&self, hours: i64) {
        self.clock.advance_us((hours * HOUR).unsigned_abs());
    }

    pub fn now(&self) -> Timestamp {
        Clock::Simulated(Arc::clone(&self.clock)).now()
    }

    pub async fn ask(&self, maker: &str, value: &str) -> ApprovalView {
        let asked = self
            .approvals
            .request(&who(maker), &exempt(value), ask())
            .await;
        asked.unwrap()
    }

    pub async fn vote(&self, name: &str, view: &ApprovalView) -> Result<ApprovalView, Error> {
        let ballot = ballot(view);
        self.approvals.vote(&who(name), &view.id, ballot).await
    }

    /// Votes by a lent right.
    pub async fn vote_for(
        &self,
        name: &str,
        lender: &str,
        view: &ApprovalView,
    ) -> Result<ApprovalView, Error> {
        let ballot = Ballot {
            on_behalf_of: Some(who(lender).actor.to_string()),
            ..ballot(view)
        };
        self.approvals.vote(&who(name), &view.id, ballot).await
    }

    /// Asked for by `maker` and approved by `checker`.
    pub async fn approved(&self, value: &str) -> ApprovalView {
        let view = self.ask("maker", value).await;
        self.vote("checker", &view).await.unwrap()
    }

    pub async fn claim(&self, name: &str, id: &str) -> Result<Approved<Exempt>, Error> {
        self.approvals.claim(&who(name), id).await
    }

    /// Claims and carries out.
    pub async fn use_up(&self, name: &str, id: &str) -> Result<(), Error> {
        carry_out(self.claim(name, id).await?).await
    }

    pub async fn release(&self, name: &str, values: u32) -> Result<(), Error> {
        let command = Release { values };
        let approved = self.approvals.admit(&who(name), command, None).await?;
        let entry = |_: &Release| effect("released");
        approved.carry_out(entry).await.map(drop)
    }

    /// The values that took effect.
    pub async fn effects(&self) -> Vec<String> {
        let (database, now) = (&self.store.database, self.now());
        let rows = database
            .list_entries(&acme(), "trusted_cards", now, 0, 100)
            .await;
        let rows = rows.unwrap();
        rows.into_iter().map(|row| row.value).collect()
    }

    /// Another policy, asked for, approved and brought into force.
    pub async fn set_policy(&self, text: String, replaces: i64) -> Result<(), Error> {
        let change = PolicyChange { replaces, text };
        let (maker, approvals) = (who("other_maker"), &self.approvals);
        let view = approvals.request(&maker, &change, ask()).await?;
        self.vote("third", &view).await?;
        let approved = approvals.claim(&maker, &view.id).await?;
        approvals.change_policy(approved, "agreed").await.map(drop)
    }

    /// The shipped policy with one text in the place of another.
    pub async fn policy_with(&self, from: &str, to: &str) -> String {
        let shipped = self.approvals.policy(&acme()).await.unwrap().text;
        assert!(shipped.contains(from), "{from}");
        shipped.replace(from, to)
    }

    /// Every row is as its leaf says.
    pub async fn close(self) {
        let verdict = self.store.database.verify(None).await.unwrap();
        let intact = matches!(verdict, paywarden_store::Verdict::Intact(_));
        assert!(intact, "{verdict:?}");
        self.store.close().await;
    }
}

pub async fn carry_out(approved: Approved<Exempt>) -> Result<(), Error> {
    let entry = |command: &Exempt| effect(&command.value);
    approved.carry_out(entry).await.map(drop)
}

fn effect(value: &str) -> Entry {
    Entry {
        tenant: acme(),
        actor: who("maker").actor,
        purpose: "as approved".into(),
        action: "list.add",
        object: "trusted_cards".to_owned(),
        rows: vec![Row::ListEntry(ListEntryRow {
            entry_no: 0,
            tenant: acme(),
            list: "trusted_cards".to_owned(),
            value: value.to_owned(),
            reason: "test".to_owned(),
            added_by: "maker".to_owned(),
            added_at: Timestamp::from_micros(1_790_000_000_000_000),
            expires_at: None,
            removed_at: None,
        })],
    }
}

pub fn exempt(value: &str) -> Exempt {
    Exempt {
        value: value.to_owned(),
    }
}

pub fn ask() -> Ask {
    Ask {
        authors: vec![],
        reason: "a customer of ours".to_owned(),
        ticket: Some("OPS-1".to_owned()),
        expires_at: None,
    }
}

pub fn ballot(view: &ApprovalView) -> Ballot {
    Ballot {
        approve: true,
        payload_sha256: view.payload_sha256.clone(),
        on_behalf_of: None,
        reason: "read it".to_owned(),
    }
}

pub fn acme() -> TenantId {
    TenantId::parse("acme").unwrap()
}

pub fn who(name: &str) -> Who {
    Who {
        tenant: acme(),
        actor: Actor::Key(name.to_owned()),
    }
}

/// The code of a refusal, with what voids votes.
pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}
