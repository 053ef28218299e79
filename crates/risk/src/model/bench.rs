//! The models of a tenant over the windows of the plan, and what they say of a payment.
//!
//! Models that read the same recipe share one row: challengers see what the live model sees.

use super::{
    drift::Counts,
    policy::{ModelPolicy, Seen},
    release::ControlGroup,
    stand::Duty,
};
use crate::{release::values, weight::Floors};
use paywarden_domain::{Engine, EventKind, ModelReason, ModelScore, Outcome, Reason};
use paywarden_features::{FeatureEvent, Value, WindowSpec};
use paywarden_models::{Package, Reads, Recipe};
use paywarden_rules::{Field, FieldValue, Slots};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The most reasons of a score.
const REASONS_MAX: usize = 5;
/// The most features that a reason names.
const NAMED_MAX: usize = 3;

/// A registered model, ready to be asked.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(super) id: String,
    pub(super) package: Package,
    recipe: Recipe,
    windows: Vec<WindowSpec>,
    /// What it has seen of late.
    pub(super) counts: Counts,
}

/// A model at work and what it is there for.
#[derive(Debug)]
struct Seat {
    model: Arc<Loaded>,
    engine: Engine,
    duty: Duty,
}

/// Models that read the same recipe.
#[derive(Debug)]
struct Group {
    reads: Reads,
    seats: Vec<Seat>,
}

/// The models of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    groups: Vec<Group>,
}

/// A bench on a plan: where the windows of each group stand.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    bench: Arc<Bench>,
    places: Vec<Arc<[u32]>>,
}

/// What the models say of a payment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Opinion {
    /// Of those that decide.
    pub(crate) scores: Vec<ModelScore>,
    /// Of all, with what they read, for the journal.
    pub(crate) readings: Vec<Reading>,
    /// What those that decide ask for.
    pub(crate) floors: Floors,
    /// The control group of the fraud model that decides.
    pub(crate) control: Option<ControlGroup>,
}

/// What models of one recipe read and said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// The values of the windows of the recipe; kept where a model of it decides.
    #[serde(with = "values")]
    pub(crate) windows: Vec<Value>,
    pub(crate) marks: Vec<Mark>,
}

/// What one model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) engine: Engine,
    pub(crate) model: String,
    pub(crate) raw: f64,
    pub(crate) chance: f64,
    /// What its policy made of it; none of a challenger.
    pub(crate) action: Option<Outcome>,
}

impl Loaded {
    /// Of a checked package.
    pub(super) fn new(id: String, package: Package) -> Result<Self, paywarden_models::Error> {
        let recipe = package.reads.recipe()?;
        let payments = EventKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.is_payment());
        let readers = payments.collect();
        let windows = recipe.windows().iter();
        let windows = windows.map(|window| WindowSpec { readers, ..*window });
        Ok(Self {
            id,
            windows: windows.collect(),
            recipe,
            counts: Counts::new(&package.reference),
            package,
        })
    }

    /// The numbers that it reads of an event with these values of its windows.
    pub(super) fn row(&self, event: &FeatureEvent, values: &[Value]) -> Option<Vec<f64>> {
        let mut row = Vec::with_capacity(self.recipe.names().len());
        self.recipe.fill(event, values, &mut row).ok()?;
        Some(row)
    }
}

impl Bench {
    /// The models that are at work.
    pub(super) fn new(all: Vec<(Engine, Arc<Loaded>, Duty)>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (engine, model, duty) in all {
            let reads = model.package.reads;
            let seat = Seat {
                model,
                engine,
                duty,
            };
            match groups.iter_mut().find(|group| group.reads == reads) {
                Some(group) => group.seats.push(seat),
                None => groups.push(Group {
                    reads,
                    seats: vec![seat],
                }),
            }
        }
        Self { groups }
    }

    /// The model with this identifier, if it is at work.
    pub(super) fn find(&self, id: &str) -> Option<&Arc<Loaded>> {
        let seats = self.groups.iter().flat_map(|group| &group.seats);
        let mut models = seats.map(|seat| &seat.model);
        models.find(|model| model.id == id)
    }

    /// The windows of each group.
    pub(crate) fn windows(&self) -> impl Iterator<Item = &[WindowSpec]> {
        self.groups.iter().filter_map(Group::windows)
    }

    /// The bench on a plan.
    pub(crate) fn on(self: &Arc<Self>, places: impl Fn(&[WindowSpec]) -> Arc<[u32]>) -> Bound {
        Bound {
            places: self.windows().map(places).collect(),
            bench: Arc::clone(self),
        }
    }
}

impl Group {
    fn windows(&self) -> Option<&[WindowSpec]> {
        self.seats.first().map(|seat| seat.model.windows.as_slice())
    }

    fn has_live(&self) -> bool {
        self.seats.iter().any(|seat| seat.duty.is_live())
    }
}

impl Bound {
    /// The model with this identifier, if it is at work.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Loaded>> {
        self.bench.find(id).cloned()
    }

    /// Every model at work, each once.
    pub(super) fn models(&self) -> Vec<Arc<Loaded>> {
        let seats = self.bench.groups.iter().flat_map(|group| &group.seats);
        let mut models: Vec<Arc<Loaded>> = seats.map(|seat| Arc::clone(&seat.model)).collect();
        models.sort_by(|one, other| one.id.cmp(&other.id));
        models.dedup_by(|one, other| one.id == other.id);
        models
    }

    /// What the models say of an event with these values of the plan's windows. Of what is no
    /// payment they say nothing.
    pub(crate) fn opinion(&self, event: &FeatureEvent, plan: &[Value]) -> Opinion {
        let mut opinion = Opinion::default();
        if !event.kind.is_payment() {
            return opinion;
        }
        for (group, places) in self.bench.groups.iter().zip(&self.places) {
            let value = |place: &u32| plan.get(*place as usize).copied();
            let windows: Vec<Value> = places
                .iter()
                .map(|place| value(place).unwrap_or(Value::Missing))
                .collect();
            let first = group.seats.first();
            let Some(row) = first.and_then(|seat| seat.model.row(event, &windows)) else {
                continue;
            };
            let said = group.seats.iter();
            let said = said.filter_map(|seat| seat.say(&row, event.amount, &mut opinion));
            let marks = said.collect();
            opinion.readings.push(Reading {
                windows: if group.has_live() {
                    windows
                } else {
                    Vec::new()
                },
                marks,
            });
        }
        opinion
    }
}

impl Seat {
    /// Scores a row; one that decides says so in the opinion.
    fn say(&self, row: &[f64], amount: Option<i64>, opinion: &mut Opinion) -> Option<Mark> {
        let package = &self.model.package;
        let chance = |raw| package.calibration.chance(raw).clamp(0.0, 1.0);
        let Duty::Live {
            policy,
            threshold,
            control,
        } = &self.duty
        else {
            let raw = package.model.raw(row).ok()?;
            self.note(row, raw, None);
            return Some(self.mark(raw, chance(raw), None));
        };
        let mut added = vec![0.0; row.len()];
        let raw = package.model.explain(row, &mut added).ok()?;
        let chance = chance(raw);
        let action = self.act(policy, (raw, chance, amount), *threshold);
        self.note(row, raw, Some(action));
        opinion.floors.raise(self.engine, action);
        opinion.control = opinion.control.or(*control);
        opinion.scores.push(ModelScore {
            engine: self.engine,
            model: self.model.id.clone(),
            score: thousandths(chance),
            chance,
            action,
            reasons: reasons(package.model.features(), row, &added),
        });
        Some(self.mark(raw, chance, Some(action)))
    }

    fn note(&self, row: &[f64], raw: f64, action: Option<Outcome>) {
        let reference = &self.model.package.reference;
        self.model.counts.note(reference, (row, raw), action);
    }

    fn act(
        &self,
        policy: &ModelPolicy,
        (raw, chance, amount): (f64, f64, Option<i64>),
        threshold: Option<f64>,
    ) -> Outcome {
        let seen = Seen {
            raw,
            chance,
            amount,
        };
        policy.action(seen, threshold)
    }

    fn mark(&self, raw: f64, chance: f64, action: Option<Outcome>) -> Mark {
        Mark {
            engine: self.engine,
            model: self.model.id.clone(),
            raw,
            chance,
            action,
        }
    }
}

impl Opinion {
    /// The chance of an engine's model in thousandths; 0 if it has none.
    pub(crate) fn score(&self, engine: Engine) -> u16 {
        let own = self.scores.iter().filter(|score| score.engine == engine);
        own.map(|score| score.score).max().unwrap_or(0)
    }

    /// A reason for each model that asks for something.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = Reason> + '_ {
        let asking = self.scores.iter();
        let asking = asking.filter(|score| score.action > Outcome::Approve);
        asking.map(|score| {
            let raising = score.reasons.iter().filter(|reason| reason.added > 0.0);
            let names: Vec<&str> = raising
                .take(NAMED_MAX)
                .map(|reason| reason.feature.as_str())
                .collect();
            let by = match names.is_empty() {
                true => String::new(),
                false => format!(", most by {}", names.join(", ")),
            };
            Reason {
                code: format!("{}_model", score.engine.name()),
                text: format!(
                    "The model sees a chance of {:.1} %{by}",
                    score.chance * 100.0
                ),
                engine: Some(score.engine),
            }
        })
    }
}

/// Gives rules the chances of the models that decided; of those asked beside they learn nothing.
///
/// No circle closes: what a model reads are windows of its recipe, and none of them asks for what
/// rules said.
pub(crate) fn fill(readings: &[Reading], slots: &mut Slots<'_>) {
    let marks = readings.iter().flat_map(|reading| &reading.marks);
    for mark in marks.filter(|mark| mark.action.is_some()) {
        let field = match mark.engine {
            Engine::Fraud => Field::ModelFraudScore,
            Engine::Laundering => Field::ModelLaunderingScore,
        };
        slots.set(field, FieldValue::Int(thousandths(mark.chance).into()));
    }
}

fn thousandths(chance: f64) -> u16 {
    (chance * 1000.0).round() as u16
}

/// What models asked for when a payment was decided.
pub(crate) fn floors(readings: &[Reading]) -> Floors {
    let mut floors = Floors::default();
    for mark in readings.iter().flat_map(|reading| &reading.marks) {
        if let Some(action) = mark.action {
            floors.raise(mark.engine, action);
        }
    }
    floors
}

/// What moved a score most, the strongest first.
fn reasons(names: &[String], row: &[f64], added: &[f64]) -> Vec<ModelReason> {
    let mut places: Vec<usize> = (0..added.len())
        .filter(|place| added[*place] != 0.0)
        .collect();
    places.sort_by(|one, other| added[*other].abs().total_cmp(&added[*one].abs()));
    let reason = |place: usize| {
        Some(ModelReason {
            feature: names.get(place)?.clone(),
            value: row.get(place).copied().filter(|value| value.is_finite()),
            added: added[place],
        })
    };
    places
        .into_iter()
        .take(REASONS_MAX)
        .filter_map(reason)
        .collect()
}
