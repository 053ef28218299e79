//! How large a body may be, and what it may be declared as.

use crate::{
    Limits,
    edge::{Code, Problem, reply::JSON},
    state::State,
};
use paywarden_cases::FILE_BYTES_MAX;
use std::{borrow::Cow, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

/// How large a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Like an event.
    Event,
    /// Many values of the vault, or their tokens.
    Batch,
    /// Whole rule sets, or many values.
    RuleSet,
    /// A screening list, in the words of its publisher.
    ScreeningList,
    /// The package of a model.
    Model,
    /// A file beside a case, in base64.
    CaseFile,
    /// Labels of many payments, a line each.
    Labels,
    /// A form of one page.
    Form,
}

/// The longest body with a file in base64, and what stands around it.
const CASE_FILE_BYTES_MAX: usize = FILE_BYTES_MAX.div_ceil(3) * 4 + 16 * 1024;

/// After how long whoever found no room may ask again, in microseconds.
const PAUSE_US: u64 = 1_000_000;
/// What screening lists are declared as.
const LIST_TYPES: &[&str] = &[
    "application/xml",
    "text/xml",
    "text/csv",
    "application/x-ndjson",
    "application/octet-stream",
];

/// What lines are declared as.
const LINE_TYPES: &[&str] = &[
    "text/csv",
    "application/x-ndjson",
    "application/octet-stream",
];

impl Size {
    /// The limits that hold for such a body.
    pub(crate) fn limits(self, limits: &Limits) -> Cow<'_, Limits> {
        match self {
            Self::Event => Cow::Borrowed(limits),
            Self::Batch | Self::Labels => Cow::Owned(limits.with_body(limits.batch_bytes_max)),
            Self::RuleSet => Cow::Owned(limits.with_body(limits.rule_set_bytes_max)),
            Self::ScreeningList => Cow::Owned(limits.of_screening_lists()),
            Self::Model => Cow::Owned(limits.of_models()),
            Self::CaseFile => {
                Cow::Owned(limits.of_screening_lists().with_body(CASE_FILE_BYTES_MAX))
            }
            Self::Form => Cow::Owned(limits.with_body(limits.form_bytes_max)),
        }
    }

    /// One of the few places for such a body while it is read and held, if it is one that needs it.
    pub(crate) fn place(self, state: &State) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        let busy = match self {
            Self::ScreeningList => Code::ScreeningBusy,
            Self::Model => Code::ModelBusy,
            Self::CaseFile => Code::CaseFilesBusy,
            Self::Event | Self::Batch | Self::RuleSet | Self::Labels | Self::Form => {
                return Ok(None);
            }
        };
        let place = Arc::clone(&state.list_places).try_acquire_owned();
        place.map(Some).map_err(|_| {
            let detail = "so many large bodies are being read that no other is taken";
            Problem::new(busy, detail).retry_after_us(PAUSE_US)
        })
    }

    /// The media types that it may have.
    pub(crate) fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::ScreeningList => LIST_TYPES,
            Self::Labels => LINE_TYPES,
            Self::Model => &["application/octet-stream"],
            Self::Form => &["application/x-www-form-urlencoded"],
            Self::Event | Self::Batch | Self::RuleSet | Self::CaseFile => &[JSON],
        }
    }
}
