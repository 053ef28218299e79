//! The command that lets a model decide payments. It takes effect by approval alone.

use super::policy::ModelPolicy;
use paywarden_access::approval::{Kind, Sensitive};
use paywarden_domain::Engine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MODEL_BYTES_MAX: usize = 64;

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
        self.policy.check().map_err(|error| error.to_string())
    }
}
