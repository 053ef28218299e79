//! Epochs of keys by API: begin one, see how far the wrapping is, hold it, let it go on.

use super::by;
use crate::{
    api::{Call, json::parse, json_reply},
    edge::{Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_privacy::rotation::Progress;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Keys wrapped again in a second if nothing else is said.
const PACE: u32 = 20_000;

/// What to do with the epochs, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationStep {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// What to do.
    step: Step,
    /// Keys to wrap again in a second; 20,000 if not given.
    #[serde(default)]
    keys_per_second: Option<u32>,
}

/// What to do.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Begin the next epoch and wrap every key again.
    Begin,
    /// Hold the wrapping.
    Pause,
    /// Let it go on; also after a restart.
    Resume,
}

/// How far the epochs are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rotation {
    /// The epoch that wraps keys now.
    newest: i64,
    /// Epochs whose secret lives.
    living: Vec<i64>,
    /// How many living keys each epoch wraps.
    keys: Vec<EpochKeys>,
    /// Whether keys are being wrapped again.
    runs: bool,
    /// Whether that is held.
    paused: bool,
}

/// The keys of an epoch.
#[derive(Debug, Serialize, ToSchema)]
pub struct EpochKeys {
    /// Its number.
    epoch: i64,
    /// How many living keys it wraps.
    keys: u64,
}

impl From<Progress> for Rotation {
    fn from(progress: Progress) -> Self {
        let keys = progress.keys.into_iter();
        Self {
            newest: progress.newest,
            living: progress.living,
            keys: keys
                .map(|(epoch, keys)| EpochKeys { epoch, keys })
                .collect(),
            runs: progress.runs,
            paused: progress.paused,
        }
    }
}

/// How far the epochs of the vault's keys are.
#[utoipa::path(
    get, path = "/v1/vault/rotation", tag = "vault",
    operation_id = "read_rotation", security(("signature" = [])),
    responses(
        (status = 200, description = "How far", body = Rotation),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(call: &Call) -> Result<Reply, Problem> {
    let progress = call.state.vault.rotation().await?;
    json_reply(StatusCode::OK, &Rotation::from(progress))
}

/// Begins the next epoch, holds the wrapping of keys or lets it go on. The wrapping takes its time
/// beside the traffic; read how far it is.
#[utoipa::path(
    post, path = "/v1/vault/rotation", tag = "vault",
    operation_id = "step_rotation", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = RotationStep,
    responses(
        (status = 202, description = "Under way", body = Rotation),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn step(call: &Call) -> Result<Reply, Problem> {
    let RotationStep {
        purpose,
        step,
        keys_per_second,
    } = parse(&call.body)?;
    let (vault, by) = (Arc::clone(&call.state.vault), by(call, purpose));
    vault.pause_rotation(matches!(step, Step::Pause));
    if matches!(step, Step::Begin) {
        vault.begin_epoch(&by).await?;
    }
    if !matches!(step, Step::Pause) && !vault.rotation().await?.runs {
        let job = Arc::clone(&vault);
        tokio::spawn(async move {
            match job.rewrap(&by, keys_per_second.unwrap_or(PACE)).await {
                Ok(rotated) => tracing::info!(keys = rotated.keys, "keys wrapped again"),
                Err(error) => tracing::error!(%error, "keys not wrapped again"),
            }
        });
    }
    let progress = vault.rotation().await?;
    json_reply(StatusCode::ACCEPTED, &Rotation::from(progress))
}
