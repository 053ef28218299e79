//! The standing of every person in memory, as far as there is room: the read path asks it for each
//! value.

use super::{Change, SUBJECT, Standing};
use crate::Error;
use hashbrown::HashMap;
use paywarden_store::{Database, RecordRow};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Persons whose standing is kept in memory. Of those beyond, it is read from the store with each
/// use: slower, never wrong.
pub(crate) const PERSONS_MAX: usize = 200_000;
const PAGE: u32 = 1_000;

/// The standing of persons.
pub(crate) struct Persons {
    database: Database,
    known: RwLock<Known>,
    max: usize,
}

struct Known {
    persons: HashMap<String, Arc<Standing>>,
    /// Whether everybody of whom anything is known is here: whoever is absent then has none.
    is_whole: bool,
    nobody: Arc<Standing>,
}

impl Persons {
    /// Reads at most `max` persons from the store.
    pub(crate) async fn load(database: Database, max: usize) -> Result<Self, Error> {
        let mut persons = HashMap::new();
        let (mut after, mut is_whole) = (String::new(), false);
        while persons.len() < max && !is_whole {
            let page = database.records_newest(SUBJECT, &after, PAGE).await?;
            is_whole = page.len() < PAGE as usize;
            if let Some(last) = page.last() {
                after.clone_from(&last.id);
            }
            for row in page {
                persons.insert(row.id.clone(), Arc::new(standing(&row)?));
            }
        }
        let nobody = Arc::default();
        let known = Known {
            persons,
            is_whole,
            nobody,
        };
        Ok(Self {
            database,
            known: RwLock::new(known),
            max,
        })
    }

    /// How a person stands, by their pseudonym.
    pub(crate) async fn of(&self, subject: &str) -> Result<Arc<Standing>, Error> {
        if let Some(standing) = self.at_hand(subject) {
            return Ok(standing);
        }
        match self.database.record(SUBJECT, subject).await? {
            Some(row) => Ok(Arc::new(standing(&row)?)),
            None => Ok(Arc::default()),
        }
    }

    /// The same without asking the store; nothing if only the store knows.
    pub(crate) fn at_hand(&self, subject: &str) -> Option<Arc<Standing>> {
        let known = self.read();
        let found = known.persons.get(subject);
        found.or(known.is_whole.then_some(&known.nobody)).cloned()
    }

    /// Takes in what has become durable.
    pub(crate) fn put(&self, subject: &str, standing: Standing) {
        let mut known = self.write();
        let has_room = known.persons.len() < self.max || known.persons.contains_key(subject);
        match has_room {
            true => drop(known.persons.insert(subject.to_owned(), Arc::new(standing))),
            false => known.is_whole = false,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn standing(row: &RecordRow) -> Result<Standing, Error> {
    let change: Change = serde_json::from_slice(&row.body).map_err(|_| Error::Damaged)?;
    Ok(change.standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_the_limit_the_store_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/store.db", folder.path().display());
        let database = Database::open(&url).await.unwrap();
        let persons = Persons::load(database, 2).await.unwrap();
        let restricted = |version| Standing {
            version,
            ..Standing::default()
        };
        for (number, name) in (1..).zip(["a", "b"]) {
            assert_eq!(persons.at_hand(name).unwrap().version, 0);
            persons.put(name, restricted(number));
        }
        persons.put("c", restricted(3));
        assert_eq!(persons.at_hand("b").unwrap().version, 2);
        // Of whom nothing is at hand, nothing is taken for granted any more.
        assert!(persons.at_hand("c").is_none() && persons.at_hand("d").is_none());
        assert_eq!(persons.of("c").await.unwrap().version, 0);
        persons.put("b", restricted(4));
        assert_eq!(persons.at_hand("b").unwrap().version, 4);
    }
}
