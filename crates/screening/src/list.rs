//! Lists: what they are about, which version, what changed, and whether a new one can be trusted.

use crate::{entity::Entity, kind::ListKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// Share of entities that a new version may lack before it is taken for a broken download.
pub const SHRINK_MAX: f64 = 0.1;
/// Longest name of a list, in bytes.
pub const LIST_NAME_BYTES_MAX: usize = 64;

/// A version of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List {
    /// Its name within the company, such as `un`.
    pub name: String,
    /// What being on it means.
    pub kind: ListKind,
    /// SHA-256 of the bytes that it was read from, in hexadecimal: its version.
    pub source_hash: String,
    /// When its publisher says that it was made, as written there.
    pub published: Option<String>,
    /// Who is on it.
    pub entities: Vec<Entity>,
}

/// What changed between two versions, by identifiers within the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// On the new one only.
    pub added: Vec<String>,
    /// On both, with something else said.
    pub changed: Vec<String>,
    /// On the old one only.
    pub removed: Vec<String>,
}

/// What turns one version of a list into the next, or nothing into the first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// Who is no longer on it, by identifier.
    pub removed: Vec<String>,
    /// Who is new on it, or about whom it says something else.
    pub entities: Vec<Entity>,
}

/// A new version lacks so much of the old one that it is rather a broken download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("list shrank from {was} to {is} entities")]
pub struct Shrunken {
    /// Entities of the version that is known.
    pub was: usize,
    /// Entities of the new one.
    pub is: usize,
}

impl List {
    /// What a new version changes.
    pub fn delta(&self, new: &Self) -> Delta {
        let old: HashMap<&str, &Entity> = by_id(&self.entities);
        let ids = by_id(&new.entities);
        let mut delta = Delta::default();
        for entity in &new.entities {
            match old.get(entity.id.as_str()) {
                None => delta.added.push(entity.id.clone()),
                Some(known) if *known != entity => delta.changed.push(entity.id.clone()),
                Some(_) => {}
            }
        }
        let gone = self
            .entities
            .iter()
            .filter(|entity| !ids.contains_key(entity.id.as_str()));
        delta.removed = gone.map(|entity| entity.id.clone()).collect();
        delta
    }

    /// Refuses a new version that lacks more than [`SHRINK_MAX`] of this one.
    pub fn accept(&self, new: &Self) -> Result<Delta, Shrunken> {
        let delta = self.delta(new);
        match self.shrunken(new, &delta) {
            Some(shrunken) => Err(shrunken),
            None => Ok(delta),
        }
    }

    /// Whether a new version with this delta lacks more than [`SHRINK_MAX`] of this one.
    pub fn shrunken(&self, new: &Self, delta: &Delta) -> Option<Shrunken> {
        let (was, is) = (self.entities.len(), new.entities.len());
        let lacks = delta.removed.len() as f64 > was as f64 * SHRINK_MAX;
        lacks.then_some(Shrunken { was, is })
    }

    /// What has to be written down of a version whose delta is known.
    pub fn patch(&self, delta: &Delta) -> Patch {
        let wanted: HashSet<&str> = delta
            .added
            .iter()
            .chain(&delta.changed)
            .map(String::as_str)
            .collect();
        let entities = self.entities.iter();
        let entities = entities.filter(|entity| wanted.contains(entity.id.as_str()));
        Patch {
            removed: delta.removed.clone(),
            entities: entities.cloned().collect(),
        }
    }
}

impl Patch {
    /// Turns who was on a list into who is on the next version: those who stayed in their order,
    /// then those who are new.
    pub fn apply(self, known: Vec<Entity>) -> Vec<Entity> {
        let mut said: HashMap<String, Entity> = HashMap::with_capacity(self.entities.len());
        let order: Vec<String> = self
            .entities
            .iter()
            .map(|entity| entity.id.clone())
            .collect();
        said.extend(
            self.entities
                .into_iter()
                .map(|entity| (entity.id.clone(), entity)),
        );
        let removed: HashSet<String> = self.removed.into_iter().collect();
        let stayed = known
            .into_iter()
            .filter(|entity| !removed.contains(&entity.id));
        let mut entities: Vec<Entity> = stayed
            .map(|entity| said.remove(&entity.id).unwrap_or(entity))
            .collect();
        entities.extend(order.iter().filter_map(|id| said.remove(id)));
        entities
    }
}

/// SHA-256 of the bytes of a source, in hexadecimal.
pub fn source_hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_id(entities: &[Entity]) -> HashMap<&str, &Entity> {
    entities
        .iter()
        .map(|entity| (entity.id.as_str(), entity))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: impl IntoIterator<Item = u32>, program: &str) -> List {
        let entity = |id: u32| Entity {
            id: id.to_string(),
            programs: vec![program.to_owned()],
            ..Entity::default()
        };
        List {
            name: "own".into(),
            kind: ListKind::Sanctions,
            source_hash: source_hash(program.as_bytes()),
            published: None,
            entities: ids.into_iter().map(entity).collect(),
        }
    }

    #[test]
    fn a_delta_names_what_came_changed_and_went() {
        let mut new = list(1..=20, "a");
        new.entities.push(list([21], "a").entities.remove(0));
        new.entities[4].programs.clear();
        new.entities.remove(0);
        let delta = list(1..=20, "a").accept(&new).unwrap();
        assert_eq!(
            (delta.added, delta.changed, delta.removed),
            (vec!["21".into()], vec!["5".into()], vec!["1".into()])
        );
    }

    #[test]
    fn a_patch_makes_the_new_version_of_the_old_one() {
        let old = list(1..=20, "a");
        let mut new = list(3..=25, "a");
        new.entities[4].programs.clear();
        let patch = new.patch(&old.delta(&new));
        assert_eq!((patch.removed.len(), patch.entities.len()), (2, 6));
        assert_eq!(patch.apply(old.entities), new.entities);
        let first = list([], "a");
        let whole = new.patch(&first.delta(&new));
        assert_eq!(whole.apply(Vec::new()), new.entities);
    }

    #[test]
    fn half_a_list_is_refused() {
        let refused = list(0..100, "a").accept(&list(0..60, "a")).unwrap_err();
        assert_eq!(refused.to_string(), "list shrank from 100 to 60 entities");
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        let hash = source_hash(b"abc");
        assert!(hash.starts_with("ba7816bf8f01cfea") && hash.len() == 64);
    }
}
