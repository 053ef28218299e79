//! Every value equals the definition, whatever happens to the events.

use crate::oracle::{Dice, Oracle, agree};
use paywarden_domain::time::{DAY, HOUR, MINUTE, SECOND};
use paywarden_domain::{LabelVerdict, Outcome};
use paywarden_features::*;
use proptest::prelude::*;

/// A store beside its oracle, driven by dice.
struct Trial {
    dice: Dice,
    store: FeatureStore,
    oracle: Oracle,
    specs: Vec<WindowSpec>,
    old_plan: Option<(std::sync::Arc<Plan>, Vec<WindowSpec>)>,
    preparing: Option<(Preparation, Vec<WindowSpec>)>,
    open: Vec<Ticket>,
    now: i64,
    step: i64,
    variety: u64,
    limits: Limits,
}

const LONGEST: i64 = 3 * DAY;

impl Trial {
    fn new(seed: u64, long_min: usize, step: i64, variety: u64) -> Self {
        let limits = Limits {
            long_min,
            ..Limits::default()
        };
        let mut trial = Self {
            dice: Dice(seed),
            store: FeatureStore::new(limits),
            oracle: Oracle::default(),
            specs: Vec::new(),
            old_plan: None,
            preparing: None,
            open: Vec::new(),
            now: 1_700_000_000 * SECOND,
            step,
            variety,
            limits,
        };
        trial.register();
        trial
    }

    /// New windows, some of those before, and the longest one, so that nothing a later plan asks for
    /// has been dropped.
    fn other_specs(&mut self) -> Vec<WindowSpec> {
        let mut specs = self.dice.specs(15, LONGEST);
        let before = self.specs.iter().copied();
        specs.extend(before.filter(|_| self.dice.chance(50)).take(25));
        let longest = WindowSpec::recent(EntityKind::Card, Aggregate::Count, LONGEST);
        specs.push(longest);
        specs
    }

    fn register(&mut self) {
        self.specs = self.other_specs();
        let plan = self.store.register(&self.specs).unwrap();
        assert_eq!(plan.slots(), self.specs.len());
        self.old_plan = Some((plan, self.specs.clone())).filter(|_| self.dice.chance(50));
        self.preparing = None;
    }

    /// Begins to prepare other windows.
    fn prepare(&mut self) {
        let specs = self.other_specs();
        self.preparing = Some((self.store.prepare(&specs).unwrap(), specs));
    }

    /// Turns to what was being prepared, ready or not.
    fn turn(&mut self) {
        let Some((preparation, specs)) = self.preparing.take() else {
            return;
        };
        let plan = preparation.plan();
        let event = self.event();
        let mut values = Vec::new();
        let ticket = self.store.reserve_for(&plan, &event, &mut values);
        self.specs = specs;
        self.old_plan = None;
        self.compare(&self.specs.clone(), &event, &values);
        self.oracle.add(ticket.event_no(), event);
        self.open.push(ticket);
    }

    fn compare(&self, specs: &[WindowSpec], event: &FeatureEvent, values: &[Value]) {
        for (spec, value) in specs.iter().zip(values) {
            let expected = self.oracle.value(spec, event);
            assert!(
                agree(spec, *value, expected),
                "{value:?} is not {expected:?}: {spec:?} for {event:?}"
            );
        }
    }

    fn event(&mut self) -> FeatureEvent {
        if self.dice.chance(80) {
            self.now += self.dice.below(self.step as u64) as i64;
        }
        self.dice.event(self.now, self.variety)
    }

    /// Reserves one event; compares all its values if asked to.
    fn reserve(&mut self, check: bool) {
        let event = self.event();
        let mut values = Vec::new();
        let (ticket, specs) = match &self.old_plan {
            Some((plan, specs)) if self.dice.chance(10) => {
                (self.store.reserve_for(plan, &event, &mut values), specs)
            }
            _ => (self.store.reserve(&event, &mut values), &self.specs),
        };
        assert!(!ticket.bounded());
        assert_eq!(values.len(), specs.len());
        if check {
            self.compare(specs, &event, &values);
        }
        self.oracle.add(ticket.event_no(), event);
        self.open.push(ticket);
    }

    /// Commits or aborts a ticket, labels an event.
    fn settle(&mut self) {
        if !self.open.is_empty() && self.dice.chance(95) {
            let place = self.dice.below(self.open.len() as u64) as usize;
            let ticket = self.open.swap_remove(place);
            let number = ticket.event_no();
            if self.dice.chance(10) {
                self.oracle.abort(number);
                self.store.abort(ticket);
            } else {
                let outcome = self.dice.pick(&Outcome::ALL);
                self.oracle.known(number).unwrap().outcome = Some(outcome);
                self.store.commit(ticket, outcome);
            }
        }
        if self.dice.chance(30) {
            let number = self.dice.below(self.store.stats().next_event_no + 2);
            let verdict = self.dice.pick(&LabelVerdict::ALL);
            let kept = self.store.label(number, verdict);
            if let Some(known) = self.oracle.known(number) {
                known.label = Some(verdict);
                assert!(kept || known.event.at < self.now - LONGEST);
            } else {
                assert!(!kept);
            }
        }
    }

    /// Settles everything and replaces the store by one rebuilt from an image, the journal, or
    /// both.
    fn rebuild(&mut self) {
        let image_first = self.dice.chance(50);
        let mut image = Vec::new();
        if image_first {
            self.store.snapshot(7, &mut image).unwrap();
        }
        while let Some(ticket) = self.open.pop() {
            self.oracle.known(ticket.event_no()).unwrap().outcome = Some(Outcome::Hold);
            self.store.commit(ticket, Outcome::Hold);
        }
        let next = self.store.stats().next_event_no;
        let store = FeatureStore::new(self.limits);
        store.register(&self.specs).unwrap();
        let mut from = 0;
        if image_first {
            let restored = store.restore(image.as_slice()).unwrap();
            assert_eq!(restored.labels_seq, 7);
            from = restored.next_event_no;
        }
        self.oracle.events.sort_by_key(|known| known.number);
        for known in &self.oracle.events {
            let added = store.replay(known.number, &known.event, known.outcome.unwrap());
            assert_eq!(added, known.number >= from);
            assert!(!store.replay(known.number, &known.event, Outcome::Approve));
            if let Some(verdict) = known.label {
                store.label(known.number, verdict);
            }
        }
        assert!(store.stats().next_event_no <= next);
        self.store = store;
        self.old_plan = None;
        self.preparing = None;
    }

    fn run(&mut self, events: usize, check_every: usize) {
        for event in 0..events {
            self.reserve(event % check_every == 0);
            self.settle();
            if self.dice.chance(1) && self.dice.chance(40) {
                self.register();
            }
            if self.dice.chance(2) && self.preparing.is_none() {
                self.prepare();
            }
            let preparing = self.preparing.as_mut();
            let ready = preparing.is_some_and(|(begun, _)| !begun.step(&self.store));
            if self.dice.chance(if ready { 20 } else { 1 }) {
                self.turn();
            }
            if self.dice.chance(1) && self.dice.chance(20) {
                self.rebuild();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn values_equal_the_definition(
        seed in any::<u64>(),
        long_min in prop_oneof![Just(2usize), Just(8), Just(40), Just(256)],
        step in prop_oneof![Just(SECOND), Just(5 * MINUTE), Just(2 * HOUR)],
        variety in 1u64..12,
    ) {
        Trial::new(seed, long_min, step, variety).run(400, 1);
    }
}

/// Enough events at one entity for several runs, splits by late events, and expiry.
#[test]
fn values_equal_the_definition_for_busy_entities() {
    for (seed, step) in [(1, 10 * SECOND), (2, 60 * SECOND), (3, 200 * SECOND)] {
        let mut trial = Trial::new(seed, 256, step, 40);
        trial.run(10_000, 80);
        assert!(trial.store.stats().long_timelines > 4);
    }
}

/// Filters on outcomes see an event that is observed with its outcome, one that is reserved not;
/// also once its entity is summarised.
#[test]
fn an_observed_event_counts_itself_by_its_outcome() {
    for long_min in [2, 256] {
        let store = FeatureStore::new(Limits {
            long_min,
            ..Limits::default()
        });
        let declined = Filter {
            kinds: Set::all(),
            outcomes: Some(Set::EMPTY.with(Outcome::Decline)),
            ..Filter::default()
        };
        let window = WindowSpec::recent(EntityKind::Card, Aggregate::Count, HOUR);
        store.register(&[window.filtered(declined)]).unwrap();
        let mut event = FeatureEvent::new(paywarden_domain::EventKind::PaymentCard, 0);
        event.entities[EntityKind::Card as usize] = 7;
        let (mut values, mut expected) = (Vec::new(), 0);
        for number in 0..20 {
            event.at = number * SECOND;
            match number % 3 {
                0 => {
                    let ticket = store.reserve(&event, &mut values);
                    assert_eq!(values, [Value::Count(expected)]);
                    store.commit(ticket, Outcome::Decline);
                    expected += 1;
                }
                1 => {
                    store.observe(&event, Outcome::Decline, &mut values);
                    expected += 1;
                    assert_eq!(values, [Value::Count(expected)]);
                }
                _ => {
                    store.observe(&event, Outcome::Approve, &mut values);
                    assert_eq!(values, [Value::Count(expected)]);
                }
            }
        }
        assert_eq!(store.stats().pending, 0);
    }
}
