//! The policy of ratings: which facts give how many points, and what some of them demand at least.

use super::{RiskRating, SignalKind};
use paywarden_crypto::digest::sha256;
use paywarden_domain::Country;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const SHIPPED: &str = include_str!("policy.toml");
/// The longest file, in bytes.
const TEXT_BYTES_MAX: usize = 256 * 1024;
const FACTORS_MAX: usize = 32;
const ROWS_MAX: usize = 100;
/// The most days between two looks, and of the time that signals count.
const DAYS_MAX: u16 = 3_660;
/// Scores end here.
pub(super) const SCORE_MAX: u16 = 100;

/// What may be known of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RatingFact)]
pub enum Fact {
    /// What kind of person: a word of the profile.
    Kind,
    /// Countries of the customer, ISO 3166-1 alpha-2.
    Country,
    /// Lines of business.
    Industry,
    /// Products that they have.
    Product,
    /// Ways by which they came and deal.
    Channel,
    /// Whether they are politically exposed: `yes` or `no`.
    PoliticallyExposed,
    /// Whether it cannot be seen who owns them: `yes` or `no`.
    OpaqueOwnership,
    /// Due diligence done: 0 none, 1 basic, 2 full, 3 enhanced.
    DueDiligence,
    /// Days since the relationship began.
    RelationshipDays,
    /// Laundering alerts about them that were confirmed.
    ConfirmedAlerts,
    /// Laundering alerts about them that were reported.
    ReportedAlerts,
    /// Entries of lists of sanctions that may mean them.
    SanctionsHits,
    /// Entries of lists of politically exposed persons that may mean them.
    PepHits,
    /// Entries of lists of adverse media that may mean them.
    AdverseHits,
    /// Entries of lists of the company that may mean them.
    OwnHits,
}

impl Fact {
    /// What it counts, if it counts signals.
    pub(super) fn signal(self) -> Option<SignalKind> {
        Some(match self {
            Self::ConfirmedAlerts => SignalKind::ConfirmedAlert,
            Self::ReportedAlerts => SignalKind::ReportedAlert,
            Self::SanctionsHits => SignalKind::SanctionsHit,
            Self::PepHits => SignalKind::PepHit,
            Self::AdverseHits => SignalKind::AdverseHit,
            Self::OwnHits => SignalKind::OwnHit,
            _ => return None,
        })
    }

    fn is_number(self) -> bool {
        self.signal().is_some() || matches!(self, Self::DueDiligence | Self::RelationshipDays)
    }
}

/// How customers are rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingPolicy {
    /// Its name.
    pub name: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its file.
    #[serde(skip_deserializing)]
    pub version: String,
    /// How long a signal counts, in days.
    pub lookback_days: u16,
    /// From which scores on.
    pub bands: Bands,
    /// After how many days each rating is looked at again.
    pub review_days: ReviewDays,
    /// What is looked at.
    #[serde(rename(deserialize = "factor"))]
    pub factors: Vec<Factor>,
}

/// From which scores customers are more than low risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RatingBands)]
pub struct Bands {
    /// Medium, 1 to 100.
    pub medium: u16,
    /// High, above `medium`.
    pub high: u16,
}

/// After how many days, by rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RatingReviewDays)]
pub struct ReviewDays {
    /// Of low risks.
    pub low: u16,
    /// Of medium ones.
    pub medium: u16,
    /// Of high ones.
    pub high: u16,
    /// Of those with whom there must be none.
    pub prohibited: u16,
}

/// One thing that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RatingFactor)]
pub struct Factor {
    /// Its name, `snake_case`.
    pub name: String,
    /// The most points that it gives.
    pub most: u16,
    /// What it gives where nothing of it is known.
    #[serde(default)]
    pub missing: u16,
    /// The text that asks for it.
    pub source: String,
    /// Facts and their points. Of the rows of one fact the one with most points counts.
    #[serde(rename(deserialize = "row"))]
    pub rows: Vec<FactorRow>,
}

/// What one fact gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorRow {
    /// The fact.
    pub fact: Fact,
    /// The words that it is about, of facts that are words.
    #[serde(default)]
    pub is: Vec<String>,
    /// From here on, of facts that are numbers.
    #[serde(default)]
    pub from: Option<i64>,
    /// Below this, likewise.
    #[serde(default)]
    pub below: Option<i64>,
    /// The points.
    pub points: u16,
    /// What the rating is at least, whatever the score.
    #[serde(default)]
    pub at_least: Option<RiskRating>,
    /// Why.
    pub why: String,
}

/// A policy of ratings that cannot be used: mend the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy of ratings: {0}")]
pub struct WrongRatingPolicy(String);

impl RatingPolicy {
    /// The shipped policy.
    pub fn shipped() -> Result<Self, WrongRatingPolicy> {
        Self::parse(SHIPPED)
    }

    /// Reads a policy.
    pub fn parse(text: &str) -> Result<Self, WrongRatingPolicy> {
        if text.len() > TEXT_BYTES_MAX {
            return wrong("longer than 256 KiB");
        }
        let read = toml::from_str(text);
        let mut policy: Self =
            read.map_err(|error: toml::de::Error| WrongRatingPolicy(error.to_string()))?;
        policy.check()?;
        let digest = sha256(text.as_bytes());
        policy.version = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(policy)
    }

    /// The rating of a score by itself.
    pub(super) fn band(&self, score: u16) -> RiskRating {
        match score {
            score if score >= self.bands.high => RiskRating::High,
            score if score >= self.bands.medium => RiskRating::Medium,
            _ => RiskRating::Low,
        }
    }

    /// After how many days a customer with this rating is looked at again.
    pub(super) fn days(&self, rating: RiskRating) -> u16 {
        match rating {
            RiskRating::Low => self.review_days.low,
            RiskRating::Medium => self.review_days.medium,
            RiskRating::High => self.review_days.high,
            RiskRating::Prohibited => self.review_days.prohibited,
        }
    }

    fn check(&self) -> Result<(), WrongRatingPolicy> {
        let Bands { medium, high } = self.bands;
        if !(1 <= medium && medium < high && high <= SCORE_MAX) {
            return wrong("bands: 1 <= medium < high <= 100");
        }
        let days = RiskRating::ALL.map(|rating| self.days(rating));
        let is_days = |days: &u16| (1..=DAYS_MAX).contains(days);
        if !days.iter().chain([&self.lookback_days]).all(is_days) {
            return wrong("days are 1 to 3660");
        }
        if !(1..=FACTORS_MAX).contains(&self.factors.len()) {
            return wrong("1 to 32 factors");
        }
        for (place, factor) in self.factors.iter().enumerate() {
            if self.factors[..place]
                .iter()
                .any(|other| other.name == factor.name)
            {
                return wrong(&format!("{} stands twice", factor.name));
            }
            factor.check().map_err(|WrongRatingPolicy(why)| {
                WrongRatingPolicy(format!("{}: {why}", factor.name))
            })?;
        }
        Ok(())
    }
}

impl Factor {
    fn check(&self) -> Result<(), WrongRatingPolicy> {
        if !(1..=SCORE_MAX).contains(&self.most) || self.missing > self.most {
            return wrong("most is 1 to 100, missing at most that");
        }
        if !(1..=ROWS_MAX).contains(&self.rows.len()) {
            return wrong("1 to 100 rows");
        }
        self.rows.iter().try_for_each(FactorRow::check)
    }
}

impl FactorRow {
    fn check(&self) -> Result<(), WrongRatingPolicy> {
        let is_bounded = self.from.is_some() || self.below.is_some();
        let fits = match self.fact.is_number() {
            true => self.is.is_empty() && is_bounded,
            false => !self.is.is_empty() && !is_bounded,
        };
        if !fits {
            return wrong("a word has `is`, a number `from` or `below`");
        }
        if self
            .from
            .zip(self.below)
            .is_some_and(|(from, below)| from >= below)
        {
            return wrong("`from` lies before `below`");
        }
        let is_country = |word: &String| Country::parse(word).is_ok();
        if self.fact == Fact::Country && !self.is.iter().all(is_country) {
            return wrong("a country is an ISO 3166-1 alpha-2 code");
        }
        match self.points <= SCORE_MAX {
            true => Ok(()),
            false => wrong("points are 0 to 100"),
        }
    }
}

fn wrong<T>(why: &str) -> Result<T, WrongRatingPolicy> {
    Err(WrongRatingPolicy(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_reads_and_every_factor_names_its_source() {
        let policy = RatingPolicy::shipped().unwrap();
        assert_eq!(policy.version.len(), 16);
        for factor in &policy.factors {
            assert!(factor.source.len() > 10, "{}", factor.name);
        }
        // Whoever is high in everything is high: no band is out of reach.
        let most: u16 = policy.factors.iter().map(|factor| factor.most).sum();
        assert!(most >= policy.bands.high);
        assert!(policy.days(RiskRating::High) < policy.days(RiskRating::Low));
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        let row = "[[factor.row]]\nfact='country'\nis=['KP']\npoints=40\nwhy='w'\n";
        let factor = |row: &str| format!("[[factor]]\nname='f'\nmost=40\nsource='s'\n{row}");
        let policy = |bands: &str, factors: &str| {
            format!(
                "name='p'\nlookback_days=9\nbands={{{bands}}}\n\
                 review_days={{low=3,medium=2,high=1,prohibited=1}}\n{factors}"
            )
        };
        let bands = "medium=30,high=60";
        assert!(RatingPolicy::parse(&policy(bands, &factor(row))).is_ok());
        for (text, word) in [
            (policy("medium=60,high=60", &factor(row)), "bands"),
            (policy("medium=30,high=101", &factor(row)), "bands"),
            (policy(bands, ""), "factor"),
            (policy(bands, &factor("")), "row"),
            (policy(bands, &factor(row).repeat(2)), "stands twice"),
            (
                policy(bands, &factor(&row.replace("KP", "XX"))),
                "f: a country",
            ),
            (
                policy(bands, &factor(&row.replace("is=['KP']", "from=1"))),
                "f: a word",
            ),
            (
                policy(bands, &factor(&row.replace("country", "sanctions_hits"))),
                "f: a word",
            ),
            (
                policy(bands, &factor(&row.replace("points=40", "points=101"))),
                "points",
            ),
            (
                policy(bands, &factor(&row.replace("country", "shoe"))),
                "shoe",
            ),
            (
                policy(bands, &factor(row)).replace("lookback_days=9", "lookback_days=0"),
                "days",
            ),
            ("#".repeat(TEXT_BYTES_MAX + 1), "256 KiB"),
        ] {
            let wrong = RatingPolicy::parse(&text).unwrap_err().to_string();
            assert!(wrong.contains(word), "{wrong} says nothing of {word}");
        }
    }
}
