//! The command that lets a version decide payments. It takes effect by approval alone.

use super::{running::WHOLE_BP, state::Action};
use crate::Error;
use paywarden_access::approval::{Kind, Sensitive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const VERSION_BYTES_MAX: usize = 128;

/// A version goes where it decides payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleRelease {
    /// Which.
    pub version: String,
    /// The share in basis points for a canary; all payments if not given.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 9999)]
    pub share_bp: Option<u16>,
}

impl RuleRelease {
    pub(super) fn action(&self) -> Action {
        match self.share_bp {
            Some(_) => Action::Canary,
            None => Action::Publish,
        }
    }

    /// Refuses what could never be carried out.
    pub fn validate(&self) -> Result<(), Error> {
        if !(1..=VERSION_BYTES_MAX).contains(&self.version.len()) {
            return Err(Error::RuleSetUnknown);
        }
        match self.share_bp {
            Some(share) if !(1..WHOLE_BP).contains(&share) => Err(Error::RuleSetMalformed(
                "a canary has a share of 1 to 9999 basis points",
            )),
            _ => Ok(()),
        }
    }
}

impl Sensitive for RuleRelease {
    const KIND: Kind = Kind::RuleRelease;

    /// `publish:` or `canary:` and the version.
    fn object(&self) -> String {
        format!("{}:{}", self.action().name(), self.version)
    }

    fn check(&self) -> Result<(), String> {
        self.validate().map_err(|error| error.to_string())
    }
}
