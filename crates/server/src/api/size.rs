//! How large a body may be, and what it may be declared as.

use crate::{Limits, edge::reply::JSON};
use paywarden_cases::FILE_BYTES_MAX;
use std::borrow::Cow;

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
    /// A form of one page.
    Form,
}

/// The longest body with a file in base64, and what stands around it.
const CASE_FILE_BYTES_MAX: usize = FILE_BYTES_MAX.div_ceil(3) * 4 + 16 * 1024;

/// What screening lists are declared as.
const LIST_TYPES: &[&str] = &[
    "application/xml",
    "text/xml",
    "text/csv",
    "application/x-ndjson",
    "application/octet-stream",
];

impl Size {
    /// The limits that hold for such a body.
    pub(crate) fn limits(self, limits: &Limits) -> Cow<'_, Limits> {
        match self {
            Self::Event => Cow::Borrowed(limits),
            Self::Batch => Cow::Owned(limits.with_body(limits.batch_bytes_max)),
            Self::RuleSet => Cow::Owned(limits.with_body(limits.rule_set_bytes_max)),
            Self::ScreeningList => Cow::Owned(limits.of_screening_lists()),
            Self::Model => Cow::Owned(limits.of_models()),
            Self::CaseFile => {
                Cow::Owned(limits.of_screening_lists().with_body(CASE_FILE_BYTES_MAX))
            }
            Self::Form => Cow::Owned(limits.with_body(limits.form_bytes_max)),
        }
    }

    /// The media types that it may have.
    pub(crate) fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::ScreeningList => LIST_TYPES,
            Self::Model => &["application/octet-stream"],
            Self::Form => &["application/x-www-form-urlencoded"],
            Self::Event | Self::Batch | Self::RuleSet | Self::CaseFile => &[JSON],
        }
    }
}
