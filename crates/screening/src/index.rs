//! All lists of a company in one index that never changes; a new version of a list makes a new one.

mod dictionary;
mod evidence;
mod gather;
mod hits;
mod ordinary;
mod text;

pub use hits::{Hit, Query};
pub use ordinary::{AlertRate, RATED};
pub use text::Late;

use crate::{
    compare::Weighted,
    entity::Entity,
    kind::Kind,
    list::List,
    name::{Name, Role},
};
use dictionary::Dictionary;
use std::{collections::HashMap, sync::Arc};

/// Scores from here on are alerts unless the caller says otherwise: more likely the same than not.
pub const THRESHOLD: f32 = 0.5;

/// An index over lists.
///
/// Immutable: share it behind an atomic pointer and put a new one there when a list changes, so that
/// no screening ever waits.
#[derive(Debug)]
pub struct Index {
    lists: Vec<Arc<List>>,
    dictionary: Dictionary,
    /// Names of all entities, with the place of their tokens.
    names: Vec<Entry>,
    /// Tokens of the names, one name after the other.
    tokens: Vec<u32>,
    /// Names by token, as ranges of `bearers`.
    bearer_ranges: Vec<u32>,
    bearers: Vec<u32>,
    /// Entities by the key of their identifiers.
    identifiers: HashMap<String, Vec<(u32, u32)>>,
}

/// A name in the index.
#[derive(Debug, Clone, Copy)]
struct Entry {
    list: u32,
    entity: u32,
    /// Which of the entity's names.
    name: u32,
    tokens: u32,
    length: u8,
    kind: Kind,
    weak: bool,
    /// Sum of the rarity of its tokens.
    rarity: f32,
}

/// Room that one screening after another uses, so that none allocates for the whole index.
#[derive(Debug, Default)]
pub struct Room {
    /// Points of each name, nought between screenings.
    points: Vec<f32>,
    touched: Vec<u32>,
    listed: Vec<Weighted>,
}

impl Index {
    /// Builds the index. Names without letters are left out: nothing could match them.
    pub fn build(lists: Vec<Arc<List>>) -> Self {
        let mut index = Self {
            lists,
            dictionary: Dictionary::default(),
            names: Vec::new(),
            tokens: Vec::new(),
            bearer_ranges: Vec::new(),
            bearers: Vec::new(),
            identifiers: HashMap::new(),
        };
        for (number, list) in index.lists.clone().iter().enumerate() {
            for (place, entity) in list.entities.iter().enumerate() {
                index.add(number as u32, place as u32, entity);
            }
        }
        index.finish();
        index
    }

    /// The lists that it was built from.
    pub fn lists(&self) -> &[Arc<List>] {
        &self.lists
    }

    /// Names in it.
    pub fn names(&self) -> usize {
        self.names.len()
    }

    fn add(&mut self, list: u32, place: u32, entity: &Entity) {
        for (number, name) in entity.names.iter().enumerate() {
            let Ok(folded) = Name::new(&name.text, entity.kind) else {
                continue;
            };
            let tokens = self.tokens.len() as u32;
            for token in folded.tokens() {
                let id = self.dictionary.enter(*token);
                self.tokens.push(id);
            }
            self.names.push(Entry {
                list,
                entity: place,
                name: number as u32,
                tokens,
                length: folded.tokens().len() as u8,
                kind: entity.kind,
                weak: name.weak,
                rarity: 0.0,
            });
        }
        for key in entity
            .identifiers
            .iter()
            .filter_map(|identifier| identifier.key())
        {
            self.identifiers.entry(key).or_default().push((list, place));
        }
    }

    /// Counts how rare tokens are and turns names by token around.
    fn finish(&mut self) {
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.tokens.len());
        for (number, entry) in self.names.iter().enumerate() {
            let tokens = self.tokens_of(entry);
            pairs.extend(tokens.iter().map(|&token| (token, number as u32)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut ranges = vec![0u32; self.dictionary.len() + 1];
        for (token, _) in &pairs {
            ranges[*token as usize + 1] += 1;
        }
        for place in 1..ranges.len() {
            ranges[place] += ranges[place - 1];
        }
        self.bearers = pairs.into_iter().map(|(_, name)| name).collect();
        self.bearer_ranges = ranges;
        let counts: Vec<u32> = self
            .bearer_ranges
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect();
        self.dictionary.finish(&counts, self.names.len());
        for number in 0..self.names.len() {
            let entry = self.names[number];
            let tokens = self.tokens_of(&entry).iter();
            self.names[number].rarity = tokens.map(|&token| self.dictionary.rarity(token)).sum();
        }
    }

    fn tokens_of(&self, entry: &Entry) -> &[u32] {
        let from = entry.tokens as usize;
        &self.tokens[from..from + usize::from(entry.length)]
    }

    /// Names that bear a token.
    fn bearers_of(&self, token: u32) -> &[u32] {
        let token = token as usize;
        let (from, to) = (self.bearer_ranges[token], self.bearer_ranges[token + 1]);
        &self.bearers[from as usize..to as usize]
    }

    fn entity(&self, list: u32, place: u32) -> &Entity {
        &self.lists[list as usize].entities[place as usize]
    }
}

/// Whether a token leads to candidates: forms and titles are borne by too many.
fn leads(role: Role) -> bool {
    !matches!(role, Role::Form(_) | Role::Title | Role::Particle)
}

#[cfg(test)]
mod tests;
