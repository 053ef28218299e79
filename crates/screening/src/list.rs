//! Lists: what they are about, which version, what changed, and whether a new one can be trusted.

use crate::{entity::Entity, kind::ListKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

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
        let (was, is) = (self.entities.len(), new.entities.len());
        let delta = self.delta(new);
        match delta.removed.len() as f64 > was as f64 * SHRINK_MAX {
            true => Err(Shrunken { was, is }),
            false => Ok(delta),
        }
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
