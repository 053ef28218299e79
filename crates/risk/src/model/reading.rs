//! What a model read of a decided payment, and exactly what each number added to its score.

use super::stand;
use crate::{Engine, Error, release::Trace};
use paywarden_domain::{DecisionId, Engine as Judge, TenantId};
use paywarden_features::FeatureEvent;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A score again, from what the decision kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelReading {
    /// The model.
    pub model: String,
    /// Whose judgement it was part of.
    pub engine: Judge,
    /// The raw score, in log-odds.
    pub raw: f64,
    /// The calibrated chance.
    pub chance: f64,
    /// The raw score that the model gives on average: with the Shapley values it adds up to `raw`.
    pub mean: f64,
    /// Every number that the model read, in its order.
    pub features: Vec<FeatureRead>,
}

/// A number as the model read it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeatureRead {
    /// Its name.
    pub feature: String,
    /// The number; null if it was missing.
    pub value: Option<f64>,
    /// What it added to the log-odds: its exact Shapley value.
    pub shapley: f64,
}

impl Engine {
    /// What the model of an engine read when it decided; none if there is no such decision.
    ///
    /// Error: [`Error::TraceUnknown`] if no model decided.
    pub async fn model_reading(
        &self,
        tenant: &TenantId,
        id: &str,
        engine: Judge,
    ) -> Result<Option<ModelReading>, Error> {
        let Ok(id) = DecisionId::parse(id) else {
            return Ok(None);
        };
        let Some(row) = self.database.decision(tenant, &id).await? else {
            return Ok(None);
        };
        let trace = Trace::decode(row.trace.as_deref().ok_or(Error::TraceUnknown)?)?;
        let said = trace.models.iter().find_map(|reading| {
            let mut marks = reading.marks.iter();
            let mark = marks.find(|mark| mark.engine == engine && mark.action.is_some())?;
            Some((mark, &reading.windows))
        });
        let (mark, windows) = said.ok_or(Error::TraceUnknown)?;
        let loaded = self.model_of(tenant, &mark.model).await?;
        let event = FeatureEvent::decode(&row.feature);
        let event = event.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        let values = loaded.row(&event, windows).ok_or(Error::TraceUnknown)?;
        let (model, chance) = (mark.model.clone(), mark.chance);
        let read = move || {
            let ensemble = &loaded.package.model;
            let mut shapley = vec![0.0; values.len()];
            let raw = ensemble.shapley(&values, &mut shapley)?;
            let names = ensemble.features().iter().zip(&values).zip(shapley);
            let read = names.map(|((name, value), shapley)| FeatureRead {
                feature: name.clone(),
                value: Some(*value).filter(|value| value.is_finite()),
                shapley,
            });
            Ok(ModelReading {
                model,
                engine,
                raw,
                chance,
                mean: ensemble.mean(),
                features: read.collect(),
            })
        };
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        let read: Result<ModelReading, paywarden_models::Error> = read;
        read.map(Some)
            .map_err(|error| Error::RecordDamaged(error.to_string()))
    }

    /// A registered model of a tenant: the one at work, or read again.
    pub(super) async fn model_of(
        &self,
        tenant: &TenantId,
        model: &str,
    ) -> Result<Arc<super::bench::Loaded>, Error> {
        let at_work = self.running.load().bench(tenant).find(model);
        match at_work {
            Some(loaded) => Ok(loaded),
            None => stand::loaded(&self.database, (tenant, &self.models.signer), model).await,
        }
    }
}
