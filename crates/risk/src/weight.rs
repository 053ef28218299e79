//! What fired rules add up to: all that an outcome depends on, in a form that is cheap to change.

use crate::{config::Bands, evidence, typology::TYPOLOGIES_MAX};
use paywarden_domain::{Engine, Outcome};
use paywarden_rules::{Rule, pack::OnFault};

/// What one rule adds when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) engine: Engine,
    evidence: u32,
    /// The place of its typology, if it speaks of one.
    typology: Option<usize>,
    asked: Option<Outcome>,
    warns: bool,
    /// Whether a fault of the rule counts as a review.
    pub(crate) closed: bool,
}

/// What the models of each engine ask for, whatever rules say; an exemption takes it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floors([Option<Outcome>; Engine::ALL.len()]);

/// The sum of the rules that fired for one event.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    engines: [EngineSum; Engine::ALL.len()],
    /// What the rules of each typology add up to.
    typologies: [u32; TYPOLOGIES_MAX],
    warnings: u32,
    floors: Floors,
}

#[derive(Debug, Clone, Copy, Default)]
struct EngineSum {
    evidence: u32,
    /// How many rules ask for each outcome by themselves.
    asked: [u32; Outcome::ALL.len()],
    /// How many rules failed closed.
    closed: u32,
}

impl Weight {
    pub(crate) fn of(rule: &Rule, bands: &Bands) -> Self {
        let typology = match rule.engine {
            Engine::Fraud => None,
            Engine::Laundering => bands.laundering.place(&rule.reason.code),
        };
        Self {
            engine: rule.engine,
            evidence: evidence::of(rule.engine, rule.score),
            typology,
            asked: rule.action,
            warns: rule.warning.is_some(),
            closed: rule.on_fault == OnFault::Closed,
        }
    }
}

impl Floors {
    /// The stricter of what was asked and this.
    pub fn raise(&mut self, engine: Engine, outcome: Outcome) {
        let floor = &mut self.0[engine as usize];
        *floor = (*floor).max(Some(outcome));
    }

    fn of(self, engine: Engine) -> Outcome {
        self.0[engine as usize].unwrap_or(Outcome::Approve)
    }
}

impl Sum {
    /// The same beside models that ask for this.
    pub(crate) fn beside(self, floors: Floors) -> Self {
        Self { floors, ..self }
    }

    /// Adds a rule that fired.
    pub(crate) fn add(&mut self, weight: Weight) {
        let engine = &mut self.engines[weight.engine as usize];
        engine.evidence = engine.evidence.saturating_add(weight.evidence);
        if let Some(asked) = weight.asked {
            engine.asked[asked as usize] += 1;
        }
        self.warnings += u32::from(weight.warns);
        if let Some(sum) = self.typology(weight) {
            *sum = sum.saturating_add(weight.evidence);
        }
    }

    /// Adds a rule of this engine that failed closed.
    pub(crate) fn add_closed(&mut self, engine: Engine) {
        self.engines[engine as usize].closed += 1;
    }

    /// The sum as if a rule that was added had not fired.
    pub(crate) fn without(mut self, weight: Weight) -> Self {
        let engine = &mut self.engines[weight.engine as usize];
        engine.evidence = engine.evidence.saturating_sub(weight.evidence);
        if let Some(asked) = weight.asked {
            let count = &mut engine.asked[asked as usize];
            *count = count.saturating_sub(1);
        }
        self.warnings = self.warnings.saturating_sub(u32::from(weight.warns));
        if let Some(sum) = self.typology(weight) {
            *sum = sum.saturating_sub(weight.evidence);
        }
        self
    }

    /// The score of an engine, at most 1000.
    pub(crate) fn score(&self, engine: Engine) -> u16 {
        evidence::score(engine, self.engines[engine as usize].evidence)
    }

    /// What an engine alone would do: the strictest of what its band says, what a rule asks for,
    /// what its model asks for and `review` for a rule that failed closed. A rule that asks for `approve` takes back
    /// everything but another rule's own `decline`.
    pub(crate) fn action(&self, engine: Engine, bands: &Bands) -> Outcome {
        let sum = &self.engines[engine as usize];
        let asked = Outcome::ALL
            .into_iter()
            .rev()
            .find(|outcome| sum.asked[*outcome as usize] > 0)
            .unwrap_or(Outcome::Approve);
        let exempt = sum.asked[Outcome::Approve as usize] > 0;
        if exempt && asked < Outcome::Decline {
            return Outcome::Approve;
        }
        let floor = match sum.closed {
            0 => Outcome::Approve,
            _ => Outcome::Review,
        };
        self.by_score(engine, bands)
            .max(asked)
            .max(floor)
            .max(self.floors.of(engine))
    }

    /// Whether the fraud engine's scores alone decline: no rule does so by itself, and the laundering
    /// engine does not.
    pub(crate) fn declines_by_scores(&self, bands: &Bands) -> bool {
        let by_rule = |engine: &EngineSum| engine.asked[Outcome::Decline as usize] > 0;
        self.action(Engine::Fraud, bands) == Outcome::Decline
            && self.action(Engine::Laundering, bands) < Outcome::Decline
            && !self.engines.iter().any(by_rule)
    }

    fn by_score(&self, engine: Engine, bands: &Bands) -> Outcome {
        match engine {
            Engine::Fraud => bands.of_fraud(self.score(engine)),
            Engine::Laundering => {
                let all = self.engines[engine as usize].evidence;
                bands.laundering.action(all, &self.typologies)
            }
        }
    }

    fn typology(&mut self, weight: Weight) -> Option<&mut u32> {
        self.typologies.get_mut(weight.typology?)
    }

    /// The stricter of the two engines' actions; a plain approval with something to tell the
    /// payer becomes `approve_with_warning`.
    pub(crate) fn outcome(&self, bands: &Bands) -> Outcome {
        let [fraud, laundering] = Engine::ALL.map(|engine| self.action(engine, bands));
        match fraud.max(laundering) {
            Outcome::Approve if self.warnings > 0 => Outcome::ApproveWithWarning,
            outcome => outcome,
        }
    }
}
