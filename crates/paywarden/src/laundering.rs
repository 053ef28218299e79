//! The laundering engine alone, in memory: windows, flows and rules without a journal.

use crate::{
    config::Config,
    failure::{Failure, Result},
    packs, traffic, wiring,
};
use paywarden_domain::{Card, Engine, Event, Outcome, TenantId};
use paywarden_features::{FeatureStore, Limits, Value};
use paywarden_risk::Sight;
use paywarden_rules::{RuleSet, Scratch, compile, pack::Stage};
use paywarden_simulator::OutgoingEvent;
use std::path::Path;

/// Live rules of the laundering engine and the windows that they read.
pub struct Lone {
    /// How events are seen.
    pub sight: Sight,
    /// The rules.
    pub rules: RuleSet,
    /// Their windows.
    pub store: FeatureStore,
    /// No value is on any list.
    pub lists: Vec<Option<bool>>,
}

impl Lone {
    /// The shipped rules, or those of a folder, before any transfer.
    pub fn new(rules_dir: Option<&Path>) -> Result<Self> {
        let mut packs = packs::load(rules_dir)?;
        for pack in &mut packs {
            pack.rules
                .retain(|rule| rule.engine == Engine::Laundering && rule.stage == Stage::Live);
        }
        let rates = wiring::rates(&Config {
            rates: traffic::rates(),
            ..Config::default()
        })?;
        let rules = compile(&packs, &rates, "lone").map_err(|found| packs::refused(&found))?;
        let store = FeatureStore::new(Limits::default());
        store.register(rules.windows()).map_err(bug)?;
        let tenant = TenantId::parse("lone").map_err(bug)?;
        Ok(Self {
            sight: Sight::new(tenant, rates),
            lists: vec![Some(false); rules.probes().len()],
            rules,
            store,
        })
    }

    /// Asks the rules about a transfer whose windows are `values`; what fired is in `scratch`.
    pub fn ask(&self, event: &Event<Card>, values: &[Value], scratch: &mut Scratch) {
        self.sight.with_slots(event, values, &self.lists, |slots| {
            self.rules.evaluate_with(slots, scratch, || true, |_, _| {});
        });
    }

    /// Decides one transfer as the engine does: windows, then rules, then what became of it.
    pub fn decide(&self, event: &Event<Card>, values: &mut Vec<Value>, scratch: &mut Scratch) {
        let ticket = self.store.reserve(&self.sight.event(event), values);
        self.ask(event, values, scratch);
        self.store.commit(ticket, Outcome::Approve);
    }
}

/// A simulated transfer as it is decided; none of them carries a card.
pub fn event(event: OutgoingEvent) -> Result<Event<Card>> {
    event.map_card(|_| Err(bug("a transfer carries a card")))
}

/// A failure that is ours.
pub fn bug(what: impl std::fmt::Display) -> Failure {
    Failure::not_held(what, "report this as a bug")
}
