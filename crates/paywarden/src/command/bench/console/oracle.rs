//! What pages have to show, by looking at every decision there is.

use crate::failure::{Failure, Result};
use paywarden_domain::{Money, Outcome, TenantId, Timestamp};
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_store::{Database, DatabaseLimits};

/// Rows read at a time.
const BACK: u32 = 1_000;
/// Rules that fire often and seldom for simulated payments.
pub(super) const RULES: [&str; 2] = [
    "bin_attack.range_wakes_up",
    "card_testing.refusal_share_of_device",
];

/// What is known of a decision.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) outcome: Outcome,
    pub(super) score: u16,
    pub(super) amount: Option<Money>,
    pub(super) decided_at: Timestamp,
    /// Which of [`RULES`] its record names.
    pub(super) fired: [bool; RULES.len()],
    /// The pseudonym of its customer.
    pub(super) customer: u64,
}

/// Every decision of a tenant, newest first.
pub(super) struct Oracle(Vec<Known>);

/// Rows of a page, and whether others may follow.
pub(super) struct Expected {
    pub(super) ids: Vec<String>,
    pub(super) goes_on: bool,
}

impl Oracle {
    pub(super) async fn read(url: &str, tenant: &TenantId) -> Result<Self> {
        let failed = |error: paywarden_store::Error| {
            Failure::environment(
                format!("cannot read {url}: {error}"),
                "report this as a bug",
            )
        };
        let database = Database::open_reader(url).await.map_err(failed)?;
        let (mut all, mut before) = (Vec::new(), i64::MAX);
        loop {
            let rows = database.decisions_back(tenant, before, BACK).await;
            let rows = rows.map_err(failed)?;
            let Some(last) = rows.last() else {
                break;
            };
            before = last.event_no;
            all.extend(rows.into_iter().map(|row| {
                Known {
                    id: row.id.as_str().to_owned(),
                    payment_id: row.payment_id.as_str().to_owned(),
                    outcome: row.outcome,
                    score: row.fraud_score.max(row.laundering_score),
                    amount: row.amount,
                    decided_at: row.decided_at,
                    fired: RULES.map(|rule| holds(&row.body, rule)),
                    customer: FeatureEvent::decode(&row.feature)
                        .map_or(0, |seen| seen.entity(EntityKind::Customer)),
                }
            }));
        }
        Ok(Self(all))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The decision before which so many newer ones are.
    pub(super) fn at(&self, place: usize) -> Option<&Known> {
        self.0.get(place)
    }

    /// The newest decision for which something holds.
    pub(super) fn newest(&self, holds: impl Fn(&Known) -> bool) -> Option<&Known> {
        self.0.iter().find(|known| holds(known))
    }

    /// The first page of what holds; where decisions are looked at one by one, of the newest alone.
    pub(super) fn page(
        &self,
        limit: usize,
        is_looked_for: bool,
        holds: impl Fn(&Known) -> bool,
    ) -> Expected {
        let most = match is_looked_for {
            true => DatabaseLimits::default().looked_at_max as usize,
            false => usize::MAX,
        };
        let looked_at = self.0.iter().take(most);
        let found = looked_at.filter(|known| holds(known)).take(limit);
        let ids: Vec<String> = found.map(|known| known.id.clone()).collect();
        let goes_on = ids.len() == limit || self.0.len() > most;
        Expected { ids, goes_on }
    }
}

/// Whether a record holds a text, with its length before it.
fn holds(record: &[u8], text: &str) -> bool {
    let told = [&[text.len() as u8], text.as_bytes()].concat();
    record.windows(told.len()).any(|part| part == told)
}
