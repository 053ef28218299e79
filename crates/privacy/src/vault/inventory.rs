//! Which keys there are, how old they are and how old they may be (PCI DSS 4.0.1, 3.7.4: each key has
//! a cryptoperiod; NIST SP 800-57 part 1 rev. 5, 5.3.6).

use super::{Vault, VaultSettings};
use crate::Error;
use paywarden_domain::{Timestamp, time::DAY};

/// The keys of a vault, without any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Name of the ciphers and hashes.
    pub profile: &'static str,
    /// The time of the master key, if it is known since when it is used.
    pub root: Option<Period>,
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
    /// The time of its secret, while that lives.
    pub period: Option<Period>,
    /// Living keys of persons that it wraps.
    pub keys: u64,
    /// When the oldest of these was made.
    pub oldest: Option<Timestamp>,
}

/// How long a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Since when it is.
    pub since: Timestamp,
    /// Until when it may be, exclusive.
    pub until: Timestamp,
    /// Whether that has passed.
    pub is_passed: bool,
}

/// How long keys may be used, as the operator has set it.
pub(crate) struct Periods {
    epoch_days: u32,
    root_days: u32,
    root_since: Option<Timestamp>,
}

impl Periods {
    pub(crate) fn of(settings: &VaultSettings) -> Self {
        Self {
            epoch_days: settings.epoch_days,
            root_days: settings.root_days,
            root_since: settings.root_since,
        }
    }
}

impl Period {
    fn new(since: Timestamp, days: u32, now: Timestamp) -> Self {
        let until = since.micros().saturating_add(i64::from(days) * DAY);
        Self {
            since,
            until: Timestamp::from_micros(until),
            is_passed: until <= now.micros(),
        }
    }
}

impl Vault {
    /// Every epoch whose secret lives, or which still wraps a key.
    pub async fn inventory(&self) -> Result<Inventory, Error> {
        let held = self.reader.inventory().await?;
        let newest = self.keys.epochs().newest();
        let living: Vec<i64> = self.keys.epochs().numbers().collect();
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
                period: self.epoch_period(epoch),
                keys: of.map_or(0, |of| of.keys),
                oldest: of.map(|of| of.oldest),
            }
        };
        Ok(Inventory {
            profile: self.keys.profile(),
            root: self.root_period(),
            epochs: numbers.into_iter().map(line).collect(),
        })
    }

    /// How many keys are used longer than they may be: the master key, and secrets of epochs that
    /// live.
    pub fn periods_passed(&self) -> usize {
        let living: Vec<i64> = self.keys.epochs().numbers().collect();
        let epochs = living.into_iter().map(|epoch| self.epoch_period(epoch));
        let all = epochs.chain([self.root_period()]).flatten();
        all.filter(|period| period.is_passed).count()
    }

    fn epoch_period(&self, epoch: i64) -> Option<Period> {
        let since = self.keys.epochs().begun_at(epoch)?;
        let days = self.periods.epoch_days;
        Some(Period::new(since, days, self.clock.now()))
    }

    fn root_period(&self) -> Option<Period> {
        let since = self.periods.root_since?;
        let days = self.periods.root_days;
        Some(Period::new(since, days, self.clock.now()))
    }
}
