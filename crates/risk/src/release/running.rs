//! What decides now: the sets of all tenants over one plan of windows, swapped as one pointer.
//!
//! The plan holds the union of the windows of every live, canary and shadow set, each window once.
//! A set reads its own windows through a table of places in the union.

use super::trial::{Seen, Tally, Trace, Trial, TrialCounters};
use crate::{
    model::{Bench, Bound},
    screening,
    working::Working,
};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{Outcome, PaymentId, TenantId};
use paywarden_features::{Plan, Set, Value, WindowSpec};
use paywarden_rules::RuleSet;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::OnceCell;

/// A whole: 10,000 basis points.
pub(crate) const WHOLE_BP: u16 = 10_000;

/// A compiled version with its counters. It outlives the plans that it runs on.
#[derive(Debug)]
pub(crate) struct LoadedSet {
    pub(crate) rules: RuleSet,
    /// The rules at work, with their counters.
    pub(crate) working: Working,
    /// Whether its rules read what screening finds.
    pub(crate) reads_screening: bool,
    /// What it would have said, in this process.
    pub(crate) trial: TrialCounters,
    /// What it would have said in earlier processes; counted when somebody asks.
    pub(crate) trial_before: OnceCell<Tally>,
}

/// A set and where its windows stand in the plan.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    pub(crate) set: Arc<LoadedSet>,
    places: Arc<[u32]>,
}

/// The sets of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Line<R> {
    pub(crate) live: R,
    pub(crate) canary: Option<(R, u16)>,
    pub(crate) shadows: Vec<R>,
}

/// The sets of all tenants. Tenants without sets of their own are decided by the library.
#[derive(Debug, Clone)]
pub(crate) struct Lineup<R> {
    pub(crate) base: R,
    pub(crate) tenants: HashMap<TenantId, Line<R>>,
    /// The models of tenants that have any at work.
    pub(crate) models: HashMap<TenantId, Arc<Bench>>,
}

/// Windows without repetition, and where each stands.
#[derive(Debug, Default)]
pub(crate) struct Union {
    pub(crate) windows: Vec<WindowSpec>,
    places: HashMap<WindowSpec, u32>,
}

/// A lineup on its plan.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) plan: Arc<Plan>,
    base: Line<Runner>,
    tenants: HashMap<TenantId, Line<Runner>>,
    models: HashMap<TenantId, Bound>,
    no_models: Bound,
}

impl LoadedSet {
    pub(crate) fn new(rules: RuleSet) -> Self {
        let count = rules.rules().len();
        Self {
            working: Working::new(rules.clone()),
            reads_screening: rules.reads_field(screening::is_of_screening),
            trial: TrialCounters::new(count),
            trial_before: OnceCell::new(),
            rules,
        }
    }

    pub(crate) fn version(&self) -> &str {
        self.rules.version()
    }
}

impl Runner {
    /// The values of the set's own windows out of those of the plan.
    pub(crate) fn windows(&self, plan: &[Value]) -> Vec<Value> {
        let value = |place: &u32| plan.get(*place as usize).copied();
        self.places
            .iter()
            .map(|place| value(place).unwrap_or(Value::Missing))
            .collect()
    }

    /// Of which of the set's own windows this is said, where it is said of some of the plan.
    pub(crate) fn marked(&self, slots: &[usize]) -> Vec<bool> {
        let places = self.places.iter();
        places
            .map(|place| slots.contains(&(*place as usize)))
            .collect()
    }

    /// What the set sees: its windows, and the answers to its questions to lists.
    pub(crate) fn seen(&self, plan: &[Value], lists: Vec<Option<bool>>) -> Seen {
        Seen {
            windows: self.windows(plan),
            lists,
        }
    }
}

impl Line<Runner> {
    /// Whether a set of it reads what screening finds.
    pub(crate) fn reads_screening(&self) -> bool {
        self.sets().any(|runner| runner.set.reads_screening)
    }

    /// Counts what the sets on trial said beside the one that decided, and notes what it said
    /// itself if it is the canary.
    pub(crate) fn count_trials(
        &self,
        decided: &Runner,
        outcome: Outcome,
        fired: Vec<u32>,
        trace: &mut Trace,
    ) {
        trace.canary = (!Arc::ptr_eq(&decided.set, &self.live.set)).then(|| Trial {
            version: decided.set.version().to_owned(),
            outcome: Some(outcome),
            fired,
        });
        let live = trace.live(outcome);
        let canary = self.canary.iter().map(|(runner, _)| runner);
        for runner in canary.chain(&self.shadows) {
            if let Some(trial) = trace.of(runner.set.version()) {
                runner.set.trial.count(live, trial.outcome, &trial.fired);
            }
        }
    }
}

impl<R> Line<R> {
    /// A tenant's line when only this decides.
    pub(crate) fn of(live: R) -> Self {
        Self {
            live,
            canary: None,
            shadows: Vec::new(),
        }
    }

    /// The set that decides this payment, and those that are asked beside it.
    pub(crate) fn judges<'l>(
        &'l self,
        payment: &PaymentId,
    ) -> (&'l R, impl Iterator<Item = &'l R> + use<'l, R>) {
        let (decides, beside) = match &self.canary {
            Some((canary, share_bp)) if bucket(payment) < *share_bp => (canary, Some(&self.live)),
            Some((canary, _)) => (&self.live, Some(canary)),
            None => (&self.live, None),
        };
        (decides, beside.into_iter().chain(&self.shadows))
    }

    fn map<S>(&self, to: impl Fn(&R) -> S) -> Line<S> {
        Line {
            live: to(&self.live),
            canary: self.canary.as_ref().map(|(set, share)| (to(set), *share)),
            shadows: self.shadows.iter().map(to).collect(),
        }
    }

    pub(crate) fn sets(&self) -> impl Iterator<Item = &R> {
        let canary = self.canary.as_ref().map(|(set, _)| set);
        std::iter::once(&self.live)
            .chain(canary)
            .chain(&self.shadows)
    }
}

/// Where a payment falls among 10,000: the first eight bytes of the SHA-256 of its identifier,
/// big-endian, modulo 10,000. Anybody can compute it, and a larger share includes a smaller one.
pub(crate) fn bucket(payment: &PaymentId) -> u16 {
    let digest = sha256(payment.as_str().as_bytes());
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (number % u64::from(WHOLE_BP)) as u16
}

impl Lineup<Arc<LoadedSet>> {
    /// The windows of every set.
    pub(crate) fn union(&self) -> Union {
        let mut union = Union::default();
        union.join(self);
        union
    }

    /// The lineup on a plan that was made from this union; none if a window is not in it.
    pub(crate) fn on(&self, plan: Arc<Plan>, union: &Union) -> Running {
        let runner = |set: &Arc<LoadedSet>| Runner {
            set: Arc::clone(set),
            places: union.places_of(set.rules.windows()),
        };
        let bound = |bench: &Arc<Bench>| bench.on(|windows| union.places_of(windows));
        Running {
            plan,
            base: Line::of(runner(&self.base)),
            tenants: self
                .tenants
                .iter()
                .map(|(tenant, line)| (tenant.clone(), line.map(runner)))
                .collect(),
            models: self
                .models
                .iter()
                .map(|(tenant, bench)| (tenant.clone(), bound(bench)))
                .collect(),
            no_models: Bound::default(),
        }
    }

    /// The set with this version, if the tenant has it at work.
    pub(crate) fn find(&self, tenant: &TenantId, version: &str) -> Option<&Arc<LoadedSet>> {
        let own = self.tenants.get(tenant).into_iter().flat_map(Line::sets);
        own.chain([&self.base]).find(|set| set.version() == version)
    }
}

impl Union {
    /// Whether every window of the other is in it, wanted by at least the same kinds of event.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.windows.iter().all(|window| {
            let place = self.places.get(&nameless(window));
            let own = place.and_then(|place| self.windows.get(*place as usize));
            own.is_some_and(|own| own.readers.includes(window.readers))
        })
    }

    /// How far back the longest window looks, in microseconds.
    pub(crate) fn reach(&self) -> i64 {
        let windows = self.windows.iter();
        windows.map(|window| window.older).max().unwrap_or(0)
    }

    /// Adds the windows of a lineup.
    pub(crate) fn join(&mut self, lineup: &Lineup<Arc<LoadedSet>>) {
        self.add(lineup.base.rules.windows());
        for set in lineup.tenants.values().flat_map(Line::sets) {
            self.add(set.rules.windows());
        }
        for windows in lineup.models.values().flat_map(|bench| bench.windows()) {
            self.add(windows);
        }
    }

    fn add(&mut self, windows: &[WindowSpec]) {
        for window in windows {
            let kept = &mut self.windows;
            let place = *self.places.entry(nameless(window)).or_insert_with(|| {
                kept.push(nameless(window));
                (kept.len() - 1) as u32
            });
            if let Some(own) = self.windows.get_mut(place as usize) {
                own.readers = own.readers.union(window.readers);
            }
        }
    }

    fn places_of(&self, windows: &[WindowSpec]) -> Arc<[u32]> {
        let place = |window: &WindowSpec| self.places.get(&nameless(window)).copied();
        windows
            .iter()
            .map(|window| place(window).unwrap_or(u32::MAX))
            .collect()
    }
}

/// The window as such, whoever reads it.
fn nameless(window: &WindowSpec) -> WindowSpec {
    WindowSpec {
        readers: Set::EMPTY,
        ..*window
    }
}

impl Running {
    /// The sets that judge a tenant's payments.
    pub(crate) fn line(&self, tenant: &TenantId) -> &Line<Runner> {
        self.tenants.get(tenant).unwrap_or(&self.base)
    }

    /// The models that score a tenant's payments.
    pub(crate) fn bench(&self, tenant: &TenantId) -> &Bound {
        self.models.get(tenant).unwrap_or(&self.no_models)
    }

    /// Every set at work, each once.
    pub(crate) fn sets(&self) -> Vec<Arc<LoadedSet>> {
        let own = self.tenants.values().flat_map(Line::sets);
        let all = std::iter::once(&self.base.live).chain(own);
        let mut sets: Vec<_> = all.map(|runner| Arc::clone(&runner.set)).collect();
        sets.sort_by_key(Arc::as_ptr);
        sets.dedup_by_key(|set| Arc::as_ptr(set));
        sets
    }

    /// The set with this version, if it is at work for the tenant.
    pub(crate) fn find(&self, tenant: &TenantId, version: &str) -> Option<Arc<LoadedSet>> {
        let own = self.line(tenant).sets().chain([&self.base.live]);
        let mut sets = own.map(|runner| &runner.set);
        sets.find(|set| set.version() == version).cloned()
    }

    pub(crate) fn base(&self) -> &Arc<LoadedSet> {
        &self.base.live.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_share_includes_a_smaller_one_and_shares_are_about_right() {
        let payment = |number: u32| PaymentId::parse(&format!("pay-{number}")).unwrap();
        let line = |share_bp| Line {
            live: "live",
            canary: Some(("canary", share_bp)),
            shadows: vec!["shadow"],
        };
        let decided = |number, share_bp| *line(share_bp).judges(&payment(number)).0 == "canary";
        let count = |share_bp| (0..10_000).filter(|n| decided(*n, share_bp)).count();
        assert_eq!(count(0), 0);
        assert_eq!(count(WHOLE_BP), 10_000);
        assert!((400..600).contains(&count(500)), "{}", count(500));
        assert!((0..10_000).all(|n| !decided(n, 500) || decided(n, 600)));
        let one = line(WHOLE_BP);
        let (_, beside) = one.judges(&payment(1));
        assert_eq!(beside.copied().collect::<Vec<_>>(), ["live", "shadow"]);
    }

    #[test]
    fn the_bucket_is_what_the_guide_says() {
        // From the digest that another program gives for the same bytes.
        let payment = PaymentId::parse("pay-1").unwrap();
        assert_eq!(bucket(&payment), 2_088);
    }
}
