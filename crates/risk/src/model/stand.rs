//! Which models are at work for a tenant: the last version of one record, and the moves that lead to
//! the next.

use super::{
    bench::{Bench, Loaded},
    keep::{self, Signer},
    policy::ModelPolicy,
    release::{ControlGroup, ModelRelease},
};
use crate::{Error, StartError};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{Engine, TenantId, Timestamp};
use paywarden_store::{Database, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// What kind of record it is.
const STAND: &str = "model_stand";
/// The most challengers of a tenant at once.
pub(super) const SHADOWS_MAX: usize = 8;
/// How many live models of an engine can be gone back to.
const LIVES_MAX: usize = 16;
const READ_ROWS: u32 = 1_000;

/// The models of a tenant, by the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stand {
    /// The version of the record; 0 before the first.
    #[serde(skip)]
    pub(super) version: i64,
    /// Models that decide or decided before, oldest first; the last of each engine decides.
    pub(super) lives: Vec<Live>,
    /// Challengers.
    pub(super) shadows: Vec<Shadow>,
}

/// A model that decides, or did before the one above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) engine: Engine,
    pub(super) model: String,
    pub(super) policy: ModelPolicy,
    /// Of a budget: from which rank on a payment is alerted.
    pub(super) threshold: Option<f64>,
    /// When the threshold was set.
    pub(super) threshold_at: Option<Timestamp>,
    /// The control group of its release.
    #[serde(default)]
    pub(super) control: Option<ControlGroup>,
    pub(super) since: Timestamp,
    pub(super) by: String,
}

/// A challenger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shadow {
    pub(super) engine: Engine,
    pub(super) model: String,
    pub(super) since: Timestamp,
    pub(super) by: String,
}

/// What a model at work is there for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Duty {
    Live {
        policy: ModelPolicy,
        threshold: Option<f64>,
        control: Option<ControlGroup>,
    },
    Shadow,
}

/// A move.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// A model decides.
    Publish(ModelRelease, Option<f64>),
    /// A model is asked beside.
    Shadow(Engine, String),
    /// A challenger is asked no more.
    Withdraw(Engine, String),
    /// The live model of an engine is taken back.
    RollBack(Engine),
    /// A budget gets another threshold.
    Tune(Engine, String, f64),
}

impl Duty {
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

impl Move {
    /// The word of the trail.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Publish(..) => "model.publish",
            Self::Shadow(..) => "model.shadow",
            Self::Withdraw(..) => "model.withdraw",
            Self::RollBack(_) => "model.roll_back",
            Self::Tune(..) => "model.tune",
        }
    }
}

impl Stand {
    /// The model that decides for an engine.
    pub(super) fn live(&self, engine: Engine) -> Option<&Live> {
        self.lives.iter().rev().find(|live| live.engine == engine)
    }

    /// Whether a model is asked beside for an engine.
    pub(super) fn shadow(&self, engine: Engine, model: &str) -> Option<&Shadow> {
        let is = |shadow: &&Shadow| shadow.engine == engine && shadow.model == model;
        self.shadows.iter().find(is)
    }

    /// The stand after a move, or why it is refused; and the model that the move is about.
    pub(super) fn after(
        &self,
        step: &Move,
        (at, by): (Timestamp, &str),
    ) -> Result<(Self, String), Error> {
        let mut next = self.clone();
        next.version += 1;
        let by = by.to_owned();
        let about = match step {
            Move::Publish(release, threshold) => {
                next.publish(release, *threshold, (at, by))?;
                release.model.clone()
            }
            Move::Shadow(engine, model) => {
                if self.shadow(*engine, model).is_some() {
                    return Err(Error::ModelMove("it is a challenger already"));
                }
                if self.shadows.len() >= SHADOWS_MAX {
                    return Err(Error::ModelLimit("challengers, at most 8"));
                }
                next.shadows.push(Shadow {
                    engine: *engine,
                    model: model.clone(),
                    since: at,
                    by,
                });
                model.clone()
            }
            Move::Withdraw(engine, model) => {
                next.shadows
                    .retain(|one| (one.engine, &one.model) != (*engine, model));
                if next.shadows.len() == self.shadows.len() {
                    return Err(Error::ModelMove("it is no challenger"));
                }
                model.clone()
            }
            Move::RollBack(engine) => {
                let place = self.lives.iter().rposition(|live| live.engine == *engine);
                let place = place.ok_or(Error::ModelMove("no model decides"))?;
                next.lives.remove(place).model
            }
            Move::Tune(engine, model, threshold) => {
                let live = next
                    .lives
                    .iter_mut()
                    .rev()
                    .find(|live| live.engine == *engine);
                let live =
                    live.filter(|live| live.model == *model && live.policy.budget().is_some());
                let live = live.ok_or(Error::ModelMove("it decides by no budget"))?;
                (live.threshold, live.threshold_at) = (Some(*threshold), Some(at));
                model.clone()
            }
        };
        Ok((next, about))
    }

    fn publish(
        &mut self,
        release: &ModelRelease,
        threshold: Option<f64>,
        (at, by): (Timestamp, String),
    ) -> Result<(), Error> {
        let (engine, model) = (release.engine, &release.model);
        let is_same = |live: &Live| {
            let is_now = (&live.model, &live.policy, live.control);
            is_now == (model, &release.policy, release.control)
        };
        if self.live(engine).is_some_and(is_same) {
            return Err(Error::ModelMove("it decides already, by this policy"));
        }
        self.shadows
            .retain(|one| (one.engine, &one.model) != (engine, model));
        self.lives.push(Live {
            engine,
            model: model.clone(),
            policy: release.policy.clone(),
            threshold,
            threshold_at: threshold.map(|_| at),
            control: release.control,
            since: at,
            by,
        });
        self.forget(engine);
        Ok(())
    }

    /// The models at work, and what each is there for.
    pub(super) fn duties(&self) -> Vec<(Engine, String, Duty)> {
        let live = |engine| {
            let live = self.live(engine)?;
            let duty = Duty::Live {
                policy: live.policy.clone(),
                threshold: live.threshold,
                control: live.control,
            };
            Some((engine, live.model.clone(), duty))
        };
        let shadow = |one: &Shadow| (one.engine, one.model.clone(), Duty::Shadow);
        let lives = Engine::ALL.into_iter().filter_map(live);
        lives.chain(self.shadows.iter().map(shadow)).collect()
    }

    /// The record that makes it count.
    pub(super) fn row(&self, tenant: &TenantId, at: Timestamp) -> Result<Row, Error> {
        Ok(Row::Record(RecordRow {
            tenant: tenant.clone(),
            kind: STAND.to_owned(),
            id: id(tenant),
            version: self.version,
            written_at: at,
            body: serde_json::to_vec(self).map_err(|error| damaged(&error))?,
        }))
    }

    /// The stand of a tenant as the store has it.
    pub(super) async fn of(database: &Database, tenant: &TenantId) -> Result<Self, Error> {
        let row = database.record(STAND, &id(tenant)).await?;
        row.as_ref().map_or_else(|| Ok(Self::default()), Self::read)
    }

    fn read(row: &RecordRow) -> Result<Self, Error> {
        let stand: Self = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
        Ok(Self {
            version: row.version,
            ..stand
        })
    }

    /// Lets go of the oldest live models of an engine beyond those that can be gone back to.
    fn forget(&mut self, engine: Engine) {
        let count = self
            .lives
            .iter()
            .filter(|live| live.engine == engine)
            .count();
        for _ in LIVES_MAX..count {
            if let Some(oldest) = self.lives.iter().position(|live| live.engine == engine) {
                self.lives.remove(oldest);
            }
        }
    }
}

/// Reads the stands of all tenants and the packages that they need. A challenger that does not read
/// is left out; a live model that does not is an error.
pub(crate) async fn load(
    database: &Database,
    signer: &Signer,
    benches: &mut HashMap<TenantId, Arc<Bench>>,
) -> Result<HashMap<TenantId, Stand>, StartError> {
    let mut stands = HashMap::new();
    let mut pages = database.newest_records(STAND, READ_ROWS);
    while let Some(rows) = pages.next().await.map_err(Error::from)? {
        for row in rows {
            let (tenant, stand) = (row.tenant.clone(), Stand::read(&row)?);
            let bench = bench(database, (&tenant, signer), &stand, None).await;
            let bench = bench.map_err(|error| StartError::TenantModel {
                tenant: tenant.clone(),
                reason: error.to_string(),
            })?;
            benches.insert(tenant.clone(), Arc::new(bench));
            stands.insert(tenant, stand);
        }
    }
    Ok(stands)
}

/// The bench of a stand; models of the `known` one are not read again.
pub(super) async fn bench(
    database: &Database,
    (tenant, signer): (&TenantId, &Signer),
    stand: &Stand,
    known: Option<&Bench>,
) -> Result<Bench, Error> {
    let mut all = Vec::new();
    let mut read: HashMap<String, Arc<Loaded>> = HashMap::new();
    for (engine, model, duty) in stand.duties() {
        let kept = known.and_then(|bench| bench.find(&model)).cloned();
        let found = match kept.or_else(|| read.get(&model).cloned()) {
            Some(loaded) => Ok(loaded),
            None => loaded(database, (tenant, signer), &model).await,
        };
        match found {
            Ok(loaded) => {
                read.insert(model, Arc::clone(&loaded));
                all.push((engine, loaded, duty));
            }
            Err(error) if duty.is_live() => return Err(error),
            Err(error) => tracing::warn!(%tenant, model, %error, "challenger left out"),
        }
    }
    Ok(Bench::new(all))
}

/// A stored model, ready to be asked.
pub(super) async fn loaded(
    database: &Database,
    (tenant, signer): (&TenantId, &Signer),
    model: &str,
) -> Result<Arc<Loaded>, Error> {
    let package = keep::package(database, (tenant, signer), model).await?;
    let loaded = Loaded::new(model.to_owned(), package);
    loaded.map(Arc::new).map_err(|error| damaged(&error))
}

fn id(tenant: &TenantId) -> String {
    let digest = sha256(tenant.as_str().as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("models at work: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::ChanceStep;
    use paywarden_domain::Outcome;

    fn publish(model: &str) -> Move {
        let policy = ModelPolicy::Chances(vec![ChanceStep {
            from_ppm: 500_000,
            action: Outcome::Review,
        }]);
        let release = ModelRelease {
            engine: Engine::Fraud,
            model: model.to_owned(),
            policy,
            control: None,
        };
        Move::Publish(release, None)
    }

    fn walk(steps: &[Move]) -> Result<Stand, Error> {
        let at = (Timestamp::from_micros(7), "key:k");
        let step = |stand: Stand, step: &Move| stand.after(step, at).map(|(next, _)| next);
        steps.iter().try_fold(Stand::default(), step)
    }

    #[test]
    fn a_roll_back_brings_the_model_before_again_and_at_last_none() {
        let back = Move::RollBack(Engine::Fraud);
        let live = |steps: &[Move]| {
            let stand = walk(steps).unwrap();
            stand.live(Engine::Fraud).map(|live| live.model.clone())
        };
        let (one, two) = (publish("a"), publish("b"));
        assert_eq!(live(&[one.clone(), two.clone()]), Some("b".into()));
        assert_eq!(
            live(&[one.clone(), two.clone(), back.clone()]),
            Some("a".into())
        );
        assert_eq!(live(&[one.clone(), back.clone()]), None);
        assert!(walk(&[one.clone(), back.clone(), back]).is_err());
        assert!(walk(&[one.clone(), one]).is_err());
        let many: Vec<Move> = (0..40).map(|n| publish(&n.to_string())).collect();
        assert_eq!(walk(&many).unwrap().lives.len(), LIVES_MAX);
    }

    #[test]
    fn challengers_are_bounded_and_one_that_is_published_is_none_any_more() {
        let shadow = |model: &str| Move::Shadow(Engine::Fraud, model.to_owned());
        let mut steps: Vec<Move> = (0..SHADOWS_MAX).map(|n| shadow(&n.to_string())).collect();
        assert_eq!(walk(&steps).unwrap().shadows.len(), SHADOWS_MAX);
        assert!(walk(&[steps[0].clone(), steps[0].clone()]).is_err());
        steps.push(publish("3"));
        assert_eq!(walk(&steps).unwrap().shadows.len(), SHADOWS_MAX - 1);
        steps.push(shadow("z"));
        steps.push(shadow("y"));
        assert!(walk(&steps).is_err());
        assert!(walk(&[Move::Withdraw(Engine::Fraud, "q".into())]).is_err());
    }
}
