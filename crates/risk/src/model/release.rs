//! The command that lets a model decide payments. It takes effect by approval alone.

use super::policy::ModelPolicy;
use paywarden_access::approval::{Kind, Sensitive};
use paywarden_domain::Engine;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use utoipa::ToSchema;

const MODEL_BYTES_MAX: usize = 64;
/// From five in a thousand down to one.
const CONTROL_ONE_IN: RangeInclusive<u16> = 200..=1_000;

/// A model goes where it decides payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRelease {
    /// Whose model it becomes.
    pub engine: Engine,
    /// Which, `mdl_…`.
    pub model: String,
    /// What its chances come to.
    pub policy: ModelPolicy,
    /// Of what would be declined by scores alone, how much is let pass with a challenge; nothing if
    /// not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlGroup>,
}

/// A control group: one in so many payments that would be declined by scores alone is let pass with
/// a challenge, so that declining does not hide the truth that models learn from and are measured by.
///
/// It is never drawn from payments that a rule declines by itself, such as those of deny lists, nor
/// from what the laundering engine declines, such as those of sanctions lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlGroup {
    /// One in so many.
    #[schema(minimum = 200, maximum = 1000)]
    pub one_in: u16,
}

impl Sensitive for ModelRelease {
    const KIND: Kind = Kind::ModelRelease;

    /// The engine and the model.
    fn object(&self) -> String {
        format!("{}:{}", self.engine, self.model)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MODEL_BYTES_MAX).contains(&self.model.len()) {
            return Err("a model has 1 to 64 bytes".to_owned());
        }
        if let Some(control) = self.control {
            if self.engine != Engine::Fraud {
                return Err("a control group is drawn from frauds alone".to_owned());
            }
            if !CONTROL_ONE_IN.contains(&control.one_in) {
                return Err("a control group is one in 200 to one in 1,000".to_owned());
            }
        }
        self.policy.check().map_err(|error| error.to_string())
    }
}
