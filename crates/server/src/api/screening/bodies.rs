//! What is sent and answered about screening.

use crate::edge::{Code, Problem};
use paywarden_domain::Country;
use paywarden_risk::screening::{Batch, BatchResult, Birth, Kind, ListVersion, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The lowest threshold: below it nearly every name has hits.
const THRESHOLD_MIN: f64 = 0.3;
/// More likely the same than not.
const THRESHOLD: f64 = 0.5;
const COUNTRIES_MAX: usize = 16;
const IDENTIFIERS_MAX: usize = 16;
const REFERENCE_BYTES_MAX: usize = 128;

/// A name to screen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningInput {
    /// For what: a purpose of the privacy policy, such as `aml_compliance`.
    pub purpose: String,
    /// Your own identifier of the person, if what they agreed to or asked for is to be heeded.
    #[serde(default)]
    pub subject: Option<String>,
    /// Whom to look for.
    pub party: PartyInput,
    /// Scores from here on are hits, 0.3 to 1; 0.5 if not given.
    #[serde(default)]
    pub threshold: Option<f64>,
}

/// Names to screen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningBatchInput {
    /// For what: a purpose of the privacy policy, such as `onboarding`.
    pub purpose: String,
    /// Whom to look for, 1 to 10,000.
    pub parties: Vec<PartyInput>,
    /// Scores from here on are hits, 0.3 to 1; 0.5 if not given.
    #[serde(default)]
    pub threshold: Option<f64>,
}

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartyInput {
    /// Your own identifier of it, at most 128 bytes: what results of batches carry, and by which it
    /// is known whether it was cleared.
    #[serde(default)]
    pub reference: Option<String>,
    /// The name, in any script; at most 1,024 bytes.
    pub name: String,
    /// What bears it: `person`, `organisation`, `vessel` or `aircraft`; unknown if not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub kind: Option<Kind>,
    /// When it was born: `1971`, `1971-03` or `1971-03-09`.
    #[serde(default)]
    pub birth_date: Option<String>,
    /// Countries that it is of or in, at most 16.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// Numbers of its documents and registrations, at most 16.
    #[serde(default)]
    pub identifiers: Vec<String>,
}

/// Versions of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScreeningVersionList {
    /// The versions.
    pub versions: Vec<ListVersion>,
    /// Give this as `before` to read on; null at the end.
    pub next_before: Option<i64>,
}

/// A batch and a page of its results.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScreeningBatchView {
    /// How far it is.
    pub batch: Batch,
    /// Names with hits, and those that cannot be screened, of those screened so far.
    pub results: Vec<BatchResult>,
    /// Give this as `after` to read on; null at the end.
    pub next_after: Option<u32>,
}

impl PartyInput {
    /// The question; `at` is where in the body it stands.
    pub(super) fn question(&self, at: &str) -> Result<Question, Problem> {
        let wrong = |field: &str, what: &'static str| {
            Err(Problem::new(Code::FieldInvalid, what).at(format!("{at}/{field}")))
        };
        let birth = self.birth_date.as_deref().map(Birth::parse);
        if birth == Some(None) {
            return wrong(
                "birth_date",
                "a birth date is a year, `1971-03` or `1971-03-09`",
            );
        }
        if self.countries.len() > COUNTRIES_MAX {
            return wrong("countries", "at most 16 countries");
        }
        if self.identifiers.len() > IDENTIFIERS_MAX {
            return wrong("identifiers", "at most 16 identifiers");
        }
        if self
            .reference
            .as_ref()
            .is_some_and(|text| text.len() > REFERENCE_BYTES_MAX)
        {
            return wrong("reference", "a reference has at most 128 bytes");
        }
        Ok(Question {
            name: self.name.clone(),
            kind: self.kind.unwrap_or_default(),
            birth: birth.flatten(),
            countries: self.countries.clone(),
            identifiers: self.identifiers.clone(),
        })
    }
}

impl ScreeningVersionList {
    pub(super) fn new(versions: Vec<ListVersion>) -> Self {
        let last = versions.last().map(|version| version.number);
        Self {
            next_before: last.filter(|number| *number > 1),
            versions,
        }
    }
}

impl ScreeningBatchView {
    pub(super) fn new(batch: Batch, results: Vec<BatchResult>, limit: usize) -> Self {
        let last = results.last().map(|result| result.place);
        Self {
            next_after: last.filter(|_| results.len() == limit),
            batch,
            results,
        }
    }
}

/// The threshold that is asked for.
pub(super) fn threshold(wanted: Option<f64>) -> Result<f32, Problem> {
    let wanted = wanted.unwrap_or(THRESHOLD);
    match (THRESHOLD_MIN..=1.0).contains(&wanted) {
        true => Ok(wanted as f32),
        false => {
            let detail = "a threshold is 0.3 to 1";
            Err(Problem::new(Code::FieldInvalid, detail).at("/threshold".to_owned()))
        }
    }
}
