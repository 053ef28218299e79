//! What was used a short while ago: at most so many things, each for at most so long.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Two generations: when the young one is full it becomes the old one, and what was in that is
/// dropped. What is used moves back to the young one.
pub(crate) struct Recent<K, V> {
    half: usize,
    generations: Mutex<Generations<K, V>>,
}

type Generation<K, V> = HashMap<K, (V, u64)>;

struct Generations<K, V> {
    young: Generation<K, V>,
    old: Generation<K, V>,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Keeps at most `max` things.
    pub(crate) fn new(max: usize) -> Self {
        let generations = Generations {
            young: HashMap::new(),
            old: HashMap::new(),
        };
        Self {
            half: max / 2,
            generations: Mutex::new(generations),
        }
    }

    /// The thing with this name, until its time is over.
    pub(crate) fn get<Q>(&self, name: &Q, now_us: u64) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut kept = self.lock();
        if let Some((value, until_us)) = kept.young.get(name) {
            return (*until_us > now_us).then(|| value.clone());
        }
        let (name, (value, until_us)) = kept.old.remove_entry(name)?;
        self.insert(&mut kept, name, (value.clone(), until_us));
        (until_us > now_us).then_some(value)
    }

    /// Keeps a thing until a time.
    pub(crate) fn put(&self, name: K, value: V, until_us: u64) {
        self.insert(&mut self.lock(), name, (value, until_us));
    }

    /// Drops the things for whose name and value this holds.
    pub(crate) fn drop_if(&self, is_dropped: impl Fn(&K, &V) -> bool) {
        let mut kept = self.lock();
        kept.young
            .retain(|name, (value, _)| !is_dropped(name, value));
        kept.old.retain(|name, (value, _)| !is_dropped(name, value));
    }

    /// Drops everything.
    pub(crate) fn clear(&self) {
        self.drop_if(|_, _| true);
    }

    fn insert(&self, kept: &mut Generations<K, V>, name: K, entry: (V, u64)) {
        if kept.young.len() >= self.half {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(name, entry);
    }

    fn lock(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_by_number_by_time_and_by_name() {
        let recent: Recent<String, u32> = Recent::new(8);
        for number in 0..100 {
            recent.put(number.to_string(), number, 10);
            // What is used stays.
            assert_eq!(recent.get("0", 5), Some(0), "{number}");
        }
        let kept = (0..100).filter(|number| recent.get(&number.to_string(), 5).is_some());
        assert!((3..=8).contains(&kept.count()));
        assert_eq!(recent.get("0", 10), None);
        recent.put("a/1".to_owned(), 1, 10);
        recent.drop_if(|name, _| name.starts_with("a/"));
        assert_eq!(recent.get("a/1", 5), None);
    }
}
