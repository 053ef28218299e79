//! Which keys there are, and how old (PCI DSS 4.0.1, 3.7.4: cryptoperiods are known and kept).

use super::Vault;
use crate::Error;
use paywarden_domain::Timestamp;

/// The keys of a vault, without any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Name of the ciphers and hashes.
    pub profile: &'static str,
    /// Oldest first.
    pub epochs: Vec<EpochLine>,
}

/// One epoch of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochLine {
    /// Its number.
    pub epoch: i64,
    /// Whether its secret lives: if not, what it wraps opens no more.
    pub lives: bool,
    /// Whether it wraps new keys.
    pub is_newest: bool,
    /// Living keys of persons that it wraps.
    pub keys: u64,
    /// When the oldest of these was made.
    pub oldest: Option<Timestamp>,
}

impl Vault {
    /// Every epoch whose secret lives, or which still wraps a key.
    pub async fn inventory(&self) -> Result<Inventory, Error> {
        let held = self.reader.inventory().await?;
        let epochs = self.keys.epochs();
        let newest = epochs.newest();
        let living: Vec<i64> = epochs.numbers().collect();
        let mut numbers: Vec<i64> = held
            .iter()
            .map(|of| of.epoch)
            .chain(living.clone())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let line = |epoch| {
            let of = held.iter().find(|of| of.epoch == epoch);
            EpochLine {
                epoch,
                lives: living.contains(&epoch),
                is_newest: epoch == newest,
                keys: of.map_or(0, |of| of.keys),
                oldest: of.map(|of| of.oldest),
            }
        };
        Ok(Inventory {
            profile: self.keys.profile(),
            epochs: numbers.into_iter().map(line).collect(),
        })
    }
}
