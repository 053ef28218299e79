//! What the rules of a set have in common: each window, list probe and operand once.

use crate::{
    checker::Compiled,
    program::Source,
    reads::Operand,
    rule_set::{ListProbe, RuleSet},
};
use paywarden_domain::EventKind;
use paywarden_features::{Set, WindowSpec};
use std::{collections::HashMap, hash::Hash};

/// What the rules of a set have in common: each window and each list probe once.
#[derive(Default)]
pub(crate) struct Shared {
    /// Without readers: two rules that read a window for different events share it.
    pub windows: Interner<WindowSpec>,
    pub probes: Interner<ListProbe>,
    pub operands: Interner<Operand>,
    /// The events that each window is read for.
    readers: Vec<Set<EventKind>>,
}

impl Shared {
    /// What the rules of another set have in common.
    pub fn of(rules: &RuleSet) -> Self {
        let mut shared = Self::default();
        for window in rules.windows() {
            let readers = Set::EMPTY;
            shared.windows.place(WindowSpec { readers, ..*window });
            shared.readers.push(window.readers);
        }
        for probe in rules.probes() {
            shared.probes.place(probe.clone());
        }
        shared
    }

    /// A window is read only for the kinds of event for which a rule that names it can fire.
    pub fn note_readers(&mut self, compiled: &Compiled) {
        let kinds = compiled.condition.event_kinds();
        let operands = compiled.reads.iter().map(|place| *place as usize);
        for operand in operands.filter_map(|place| self.operands.items.get(place)) {
            if let Source::Window(slot) = operand.source {
                if self.readers.len() <= slot {
                    self.readers.resize(slot + 1, Set::EMPTY);
                }
                self.readers[slot] = self.readers[slot].union(kinds);
            }
        }
    }

    pub fn operands_at(&self, places: &[u32]) -> impl Iterator<Item = &Operand> {
        let at = |place: &u32| self.operands.items.get(*place as usize);
        places.iter().filter_map(at)
    }

    pub fn windows_with_readers(&self) -> Vec<WindowSpec> {
        let windows = self.windows.items.iter().enumerate();
        let read = |(slot, window): (usize, &WindowSpec)| WindowSpec {
            readers: self.readers.get(slot).copied().unwrap_or(Set::EMPTY),
            ..*window
        };
        windows.map(read).collect()
    }
}

/// Gives equal things the same place.
pub(crate) struct Interner<T> {
    pub items: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The place of an item, a new one if it has none yet.
    pub fn place(&mut self, item: T) -> usize {
        let items = &mut self.items;
        *self.places.entry(item).or_insert_with_key(|item| {
            items.push(item.clone());
            items.len() - 1
        })
    }
}
