//! The change of an endpoint: a command that may need approval, because it says where events go.

use crate::{Error, event::Wanted, secret::Scheme};
use paywarden_access::approval::{Kind, Sensitive};
use paywarden_domain::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most secrets of an endpoint that sign beside each other.
pub(super) const SECRETS_MAX: usize = 4;
const URL_BYTES_MAX: usize = 2_048;
const DESCRIPTION_BYTES_MAX: usize = 200;
const WANTED_MAX: usize = 32;
const OVERLAP_HOURS_MAX: u16 = 168;
const ID_BYTES_MAX: usize = 64;

/// An endpoint begins, changes or is not sent to for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookChange {
    /// Tell another system.
    Create(NewWebhook),
    /// Tell it of other things, or at another address.
    Update(WebhookUpdate),
    /// Put a new secret in the place of the old one.
    Rotate(WebhookRotation),
    /// Tell it nothing for the time being.
    Disable(String),
    /// Tell it again, also of what has happened meanwhile.
    Enable(String),
}

/// An endpoint to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where it is, `https://…`, at most 2,048 bytes.
    pub url: String,
    /// What it is for, at most 200 bytes.
    #[serde(default)]
    pub description: String,
    /// Which events it is told of, 1 to 32: names such as `label.added`, families such as `case.*`,
    /// or `*`.
    #[schema(value_type = Vec<String>)]
    pub events: Vec<Wanted>,
    /// Of which decisions it is told, by their outcome; of all if empty.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// How it is signed for.
    #[serde(default)]
    pub signature: Scheme,
}

/// What is to be said of an endpoint instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookUpdate {
    /// `whe_…`.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// What it is for, at most 200 bytes.
    #[serde(default)]
    pub description: String,
    /// Which events it is told of, 1 to 32.
    #[schema(value_type = Vec<String>)]
    pub events: Vec<Wanted>,
    /// Of which decisions; of all if empty.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// A secret to replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRotation {
    /// `whe_…`.
    pub id: String,
    /// How long the old secret signs beside the new one, at most 168.
    pub overlap_hours: u16,
}

impl WebhookChange {
    /// The endpoint that is there already; none if one is made.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Create(_) => None,
            Self::Update(update) => Some(&update.id),
            Self::Rotate(rotation) => Some(&rotation.id),
            Self::Disable(id) | Self::Enable(id) => Some(id),
        }
    }

    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Create(new) => Some(&new.url),
            Self::Update(update) => Some(&update.url),
            _ => None,
        }
    }

    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Create(_) => "webhook.create",
            Self::Update(_) => "webhook.update",
            Self::Rotate(_) => "webhook.rotate",
            Self::Disable(_) => "webhook.disable",
            Self::Enable(_) => "webhook.enable",
        }
    }

    /// Refuses what could never be carried out.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let told = match self {
            Self::Create(new) => Some((&new.description, &new.events, &new.outcomes)),
            Self::Update(update) => Some((&update.description, &update.events, &update.outcomes)),
            _ => None,
        };
        let overlap = match self {
            Self::Rotate(rotation) => rotation.overlap_hours,
            _ => 0,
        };
        let url = self.url().unwrap_or("-");
        let id = self.id().unwrap_or("-");
        #[rustfmt::skip]
        let rules = [
            ((1..=ID_BYTES_MAX).contains(&id.len()), "an identifier has 1 to 64 bytes"),
            ((1..=URL_BYTES_MAX).contains(&url.len()), "an address has 1 to 2048 bytes"),
            (overlap <= OVERLAP_HOURS_MAX, "secrets overlap for 168 hours at most"),
            (told.is_none_or(|(text, ..)| text.len() <= DESCRIPTION_BYTES_MAX),
                "a description has at most 200 bytes"),
            (told.is_none_or(|(_, events, _)| (1..=WANTED_MAX).contains(&events.len())),
                "an endpoint is told of 1 to 32 events"),
            (told.is_none_or(|(.., outcomes)| outcomes.len() <= Outcome::ALL.len()),
                "outcomes are named once"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::Malformed(wrong)),
            None => Ok(()),
        }
    }
}

impl Sensitive for WebhookChange {
    const KIND: Kind = Kind::WebhookChange;

    /// `create`, or `update:`, `rotate:`, `disable:`, `enable:` and the endpoint.
    fn object(&self) -> String {
        let verb = self.action().trim_start_matches("webhook.");
        match self.id() {
            Some(id) => format!("{verb}:{id}"),
            None => verb.to_owned(),
        }
    }

    fn check(&self) -> Result<(), String> {
        self.validate().map_err(|error| error.to_string())
    }
}
