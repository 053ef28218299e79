//! Ratings that people set: by approval, for a time, never below what the facts demand.

use super::{
    Overridden, RatingCause, RiskRating,
    desk::{ACTION_OVERRIDE, changed, customer_of},
};
use crate::{Engine, Error};
use paywarden_access::approval::{Approved, Kind, Sensitive};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// For so long at most a rating is set.
const DAYS_MAX: i64 = 366;
const REASON_BYTES_MAX: usize = 256;

/// A customer is to be rated otherwise than the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingOverride {
    /// `customer:hash`.
    pub customer: String,
    /// The rating.
    pub rating: RiskRating,
    /// Until when, at most 366 days ahead; then the policy rates again.
    pub expires_at: Timestamp,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

impl Sensitive for RatingOverride {
    const KIND: Kind = Kind::RatingOverride;

    fn object(&self) -> String {
        self.customer.clone()
    }

    fn check(&self) -> Result<(), String> {
        let is_reason = (1..=REASON_BYTES_MAX).contains(&self.reason.len());
        match (customer_of(&self.customer), is_reason) {
            (None, _) => {
                Err("name the customer as `customer:` and 16 hexadecimal digits".to_owned())
            }
            (_, false) => Err("a reason has 1 to 256 bytes".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// Refuses an override that could not take effect now. Errors: [`Error::CustomerNotRated`],
    /// [`Error::RatingFloor`], [`Error::RatingMalformed`].
    pub async fn check_override(
        &self,
        tenant: &TenantId,
        asked: &RatingOverride,
    ) -> Result<(), Error> {
        let customer = customer_of(&asked.customer).ok_or(Error::CustomerNotRated)?;
        let ahead = asked.expires_at.micros() - self.clock.now().micros();
        if !(1..=DAYS_MAX * DAY).contains(&ahead) {
            return Err(Error::RatingMalformed(
                "a rating is set for 366 days at most",
            ));
        }
        let rated = self.customer_rating(tenant, customer).await?;
        match asked.rating >= rated.assessment.floor {
            true => Ok(()),
            false => Err(Error::RatingFloor(rated.assessment.floor)),
        }
    }

    /// Sets a rating. Decisions heed it when this returns.
    pub async fn override_rating(
        &self,
        approved: Approved<RatingOverride>,
    ) -> Result<RatingOverride, Error> {
        let who = approved.who().clone();
        let asked = approved.command().clone();
        self.check_override(&who.tenant, &asked).await?;
        let customer = customer_of(&asked.customer).ok_or(Error::CustomerNotRated)?;
        let found = self.kept(&who.tenant, customer).await?;
        let (version, before) = found.ok_or(Error::CustomerNotRated)?;
        let now = self.clock.now();
        let by = who.actor.to_string();
        let mut kept = changed(&before, (RatingCause::Override, &by, now));
        kept.reason = Some(asked.reason.clone());
        kept.overridden = Some(Overridden {
            rating: asked.rating,
            until: asked.expires_at,
            reason: asked.reason,
            by,
            at: now,
        });
        let row = self.rating_row(&who.tenant, (customer, version + 1), &kept)?;
        let entry = |asked: &RatingOverride| {
            let because = Some(asked.reason.as_str());
            self.rating_entry(
                &who,
                (ACTION_OVERRIDE, customer),
                (None, because),
                vec![Row::Record(row)],
            )
        };
        let done = approved.carry_out(entry).await?;
        self.ratings
            .put(&who.tenant, (customer, version + 1), &kept);
        Ok(done)
    }
}
