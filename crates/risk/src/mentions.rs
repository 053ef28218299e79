//! Which decisions name an entity, and for which a rule fired.
//!
//! No column holds that. Blocks of a thousand decisions are read behind the back of the decisions and
//! kept as what each names, so that a question reads some bytes of each decision instead of its row.
//! What no block holds yet is read as it stands. See docs/decisions/0034.

mod block;
mod looking;

use crate::{Engine, Error, identify::EntityHasher, record};
use block::Block;
use paywarden_domain::TenantId;
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_store::{MentioningRow, MentionsRow};
use std::time::Instant;

/// Decisions of one block.
const BLOCK: u32 = 1_000;

/// What a decision may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// A rule that fired, live or on trial, `pack.rule`.
    Rule(String),
    /// Who or what takes part, by pseudonym. An account is one on both sides.
    Entity(EntityKind, u64),
}

impl Mention {
    /// The number that stands for it in a block.
    fn number(&self, hasher: &EntityHasher, tenant: &TenantId) -> u64 {
        match self {
            Self::Rule(rule) => hasher.rule(tenant, rule),
            Self::Entity(_, hash) => *hash,
        }
    }
}

/// What a decision names, by number.
fn named(row: &MentioningRow, hasher: &EntityHasher, tenant: &TenantId) -> Result<Vec<u64>, Error> {
    let seen = FeatureEvent::decode(&row.feature);
    let seen = seen.map_err(|error| Error::RecordDamaged(error.to_string()))?;
    let mut numbers: Vec<u64> = seen
        .entities
        .into_iter()
        .filter(|hash| *hash != 0)
        .collect();
    let decision = record::decoded(&row.body)?;
    for result in [&decision.fraud, &decision.laundering] {
        let fired = result.fired.iter().chain(&result.shadow);
        numbers.extend(fired.map(|fired| hasher.rule(tenant, &fired.rule)));
    }
    Ok(numbers)
}

impl Engine {
    /// Makes blocks of what was decided since the last one. It works half of the time at most; call it
    /// now and then.
    pub async fn index_mentions(&self) -> Result<(), Error> {
        for tenant in self.database.tenants_decided().await? {
            let mut started = Instant::now();
            while self.index_block(&tenant).await? {
                tokio::time::sleep(started.elapsed()).await;
                started = Instant::now();
            }
        }
        Ok(())
    }

    /// Makes the next block of a tenant; whether there were enough decisions for one.
    async fn index_block(&self, tenant: &TenantId) -> Result<bool, Error> {
        let after = self.database.mentions_end(tenant).await?;
        let between = (after, self.settled());
        let last = self.database.decision_behind(tenant, between, BLOCK - 1);
        let Some(last) = last.await? else {
            return Ok(false);
        };
        let between = (after, last + 1);
        let mut rows = self.database.mentioning(tenant, between, BLOCK).await?;
        rows.reverse();
        let (hasher, owner) = (self.hasher.clone(), tenant.clone());
        let made = tokio::task::spawn_blocking(move || block_of(&rows, &hasher, owner));
        let made = made.await;
        let block = made.map_err(|error| Error::RecordDamaged(error.to_string()))??;
        self.journal.keep_mentions(block).await?;
        Ok(true)
    }
}

/// The block of some decisions, in the order of their numbers.
fn block_of(
    rows: &[MentioningRow],
    hasher: &EntityHasher,
    tenant: TenantId,
) -> Result<MentionsRow, Error> {
    let named = rows
        .iter()
        .map(|row| Ok((row.event_no, named(row, hasher, &tenant)?)));
    let named: Vec<(i64, Vec<u64>)> = named.collect::<Result<_, Error>>()?;
    Ok(MentionsRow {
        tenant,
        first: rows.first().map_or(0, |row| row.event_no),
        last: rows.last().map_or(0, |row| row.event_no),
        content: Block::encode(&named),
    })
}
