//! What lies between a challenge and its answer: kept in memory for five minutes at most, and for
//! one answer.

use crate::Network;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paywarden_crypto::random;
use paywarden_domain::time::MINUTE;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How long a ceremony may take, in microseconds.
pub(crate) const CEREMONY_US: u64 = 5 * MINUTE as u64;
/// Ceremonies of one kind under way at once; one more ends the oldest.
pub(crate) const CEREMONIES_MAX: usize = 4_096;
/// Ceremonies of one network under way at once; one more ends the oldest of that network, so that
/// a flood from elsewhere ends nobody's.
pub(crate) const CEREMONIES_PER_NETWORK_MAX: usize = 32;

/// Ceremonies of one kind, by an identifier that only whoever began it knows.
pub(crate) struct Ceremonies<W>(Mutex<HashMap<String, Ceremony<W>>>);

struct Ceremony<W> {
    network: Network,
    begun_us: u64,
    what: W,
}

impl<W> Default for Ceremonies<W> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<W> Ceremonies<W> {
    /// Begins one; its identifier.
    pub(crate) fn begin(&self, network: Network, now_us: u64, what: W) -> String {
        let mut id = [0; 16];
        random::fill(&mut id);
        let ceremony = URL_SAFE_NO_PAD.encode(id);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, other| now_us.saturating_sub(other.begun_us) < CEREMONY_US);
        let here = |other: &Ceremony<W>| other.network == network;
        if open.values().filter(|other| here(other)).count() >= CEREMONIES_PER_NETWORK_MAX {
            end_oldest(&mut open, here);
        }
        if open.len() >= CEREMONIES_MAX {
            end_oldest(&mut open, |_| true);
        }
        let begun = Ceremony {
            network,
            begun_us: now_us,
            what,
        };
        open.insert(ceremony.clone(), begun);
        ceremony
    }

    /// Takes a ceremony out: it is answered once.
    pub(crate) fn end(&self, ceremony: &str, now_us: u64) -> Option<W> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = open.remove(ceremony)?;
        (now_us.saturating_sub(begun.begun_us) < CEREMONY_US).then_some(begun.what)
    }
}

fn end_oldest<W>(open: &mut HashMap<String, Ceremony<W>>, which: impl Fn(&Ceremony<W>) -> bool) {
    let oldest = open
        .iter()
        .filter(|(_, ceremony)| which(ceremony))
        .min_by_key(|(_, ceremony)| ceremony.begun_us)
        .map(|(id, _)| id.clone());
    oldest.and_then(|id| open.remove(&id));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::around(text.parse().unwrap())
    }

    #[test]
    fn a_ceremony_is_over_after_five_minutes_or_one_answer() {
        let ceremonies = Ceremonies::default();
        let one = ceremonies.begin(network("127.0.0.1"), 0, 1);
        assert_eq!(ceremonies.end(&one, 1), Some(1));
        assert_eq!(ceremonies.end(&one, 2), None);
        let late = ceremonies.begin(network("127.0.0.1"), 10, 2);
        assert_eq!(ceremonies.end(&late, 10 + CEREMONY_US), None);
    }

    #[test]
    fn a_flood_from_one_network_ends_its_own_ceremonies_only() {
        let ceremonies = Ceremonies::default();
        let mine = ceremonies.begin(network("198.51.100.1"), 0, ());
        for number in 1..=1_000 {
            ceremonies.begin(network("203.0.113.9"), number, ());
        }
        assert_eq!(
            ceremonies.0.lock().unwrap().len(),
            1 + CEREMONIES_PER_NETWORK_MAX
        );
        assert_eq!(ceremonies.end(&mine, 1), Some(()));
    }

    #[test]
    fn many_networks_together_keep_no_more_than_the_limit() {
        let ceremonies = Ceremonies::default();
        for number in 0..=CEREMONIES_MAX as u64 {
            let [.., high, low] = number.to_be_bytes();
            let from = format!("10.{high}.{low}.1");
            ceremonies.begin(network(&from), number, ());
        }
        assert_eq!(ceremonies.0.lock().unwrap().len(), CEREMONIES_MAX);
    }
}
