//! The verdict on one event, with everything needed to explain it years later.

use crate::{
    DecisionId, Engine, EventKind, Money, Outcome, PaymentId, RuleValue, RuleValues, Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One verdict. What is stored is what was answered: nothing in it is looked up again later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Identifier of the decision.
    pub id: DecisionId,
    /// The event decided on, by the caller's identifier.
    pub payment_id: PaymentId,
    /// What kind of event it was.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When the event happened at the caller.
    pub occurred_at: Timestamp,
    /// When Paywarden decided.
    pub decided_at: Timestamp,
    /// The amount decided on.
    pub amount: Option<Money>,
    /// What to do: the stricter of the two engines' actions, after lists.
    pub outcome: Outcome,
    /// Which factor to ask for, for `challenge`.
    pub challenge: Option<Challenge>,
    /// How long to keep the payment back, for `hold`, in minutes.
    pub hold_minutes: Option<u32>,
    /// The fraud engine's judgement.
    pub fraud: EngineResult,
    /// The laundering engine's judgement.
    pub laundering: EngineResult,
    /// Why, most severe first: one entry per reason code.
    pub reasons: Vec<Reason>,
    /// What to tell the payer.
    pub warnings: Vec<Warning>,
    /// Version of the rules that decided.
    pub rule_set: String,
    /// How much of the time budget was used.
    pub deadline: Deadline,
    /// The card, as it may be shown: index, issuer identification, last four.
    pub card: Option<CardSummary>,
    /// What the models at work said; empty where none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelScore>,
    /// Of a payment that would be declined by scores alone, where the release of the fraud model asks
    /// for a control group: whether it is let pass. Stands behind models only, so that what is left
    /// out of the stored form is always its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

/// A payment from among those of which a control group is drawn: what would be declined by scores
/// alone is let pass now and then, with a challenge, so that its truth becomes known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Control {
    /// One in so many is let pass.
    pub one_in: u16,
    /// Whether this one is: its outcome is `challenge` instead of `decline`.
    pub is_drawn: bool,
}

impl Control {
    /// How many payments it stands for where truths are counted: as many as it was drawn from, or
    /// none if it was declined (Horvitz and Thompson, 1952). The sums are unbiased.
    pub fn stands_for(self) -> u32 {
        match self.is_drawn {
            true => u32::from(self.one_in),
            false => 0,
        }
    }
}

/// What a model said of a payment, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelScore {
    /// Whose judgement it is part of.
    pub engine: Engine,
    /// The model, `mdl_…`.
    pub model: String,
    /// The chance in thousandths.
    pub score: u16,
    /// The calibrated chance, 0 to 1.
    pub chance: f64,
    /// What its policy makes of that.
    pub action: Outcome,
    /// What moved the score most, along the paths of its trees; the strongest first.
    pub reasons: Vec<ModelReason>,
}

/// What one number added to a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelReason {
    /// The name of the number, which tells its window.
    pub feature: String,
    /// The number; null if it was missing.
    pub value: Option<f64>,
    /// What it added to the log-odds.
    pub added: f64,
}

/// A further factor to ask the payer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// 3-D Secure with the card's issuer.
    ThreeDs,
    /// A passkey or one-time code bound to amount and payee (EU 2018/389, article 5).
    BoundCode,
}

/// One engine's judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EngineResult {
    /// 0 (harmless) to 1000.
    pub score: u16,
    /// What this engine alone would do.
    pub action: Outcome,
    /// The live rules that fired, highest score first.
    pub fired: Vec<FiredRule>,
    /// Rules on trial that would have fired; they do not count.
    pub shadow: Vec<FiredRule>,
    /// Rules that could not be evaluated. Never silent.
    pub faults: Vec<RuleFault>,
}

/// A rule that fired, with the values that made it fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FiredRule {
    /// `pack.rule`.
    pub rule: String,
    /// What it looks for.
    pub title: String,
    /// Points it added.
    pub score: u16,
    /// What it asks for by itself, beyond its points.
    pub action: Option<Outcome>,
    /// Its reason code.
    pub reason: String,
    /// Each operand of the condition and its value at the time.
    #[schema(value_type = Vec<RuleValue>)]
    pub values: RuleValues,
}

/// A rule that could not be evaluated, and what was done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleFault {
    /// `pack.rule`.
    pub rule: String,
    /// What went wrong: `overflow`, `division_by_zero`, `deadline`.
    pub fault: String,
    /// Whether the rule's policy turned the fault into a review.
    pub closed: bool,
}

/// Why, in a stable code and in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Stable, `snake_case`.
    pub code: String,
    /// For people.
    pub text: String,
    /// The engine that says so; none for what concerns both.
    pub engine: Option<Engine>,
}

/// What to tell the payer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Stable, `snake_case`.
    pub code: String,
    /// English text.
    pub en: String,
    /// Simplified Chinese text.
    pub zh: String,
}

/// How much of the time budget a decision used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deadline {
    /// The budget, in milliseconds.
    pub budget_ms: u32,
    /// From receipt of the request to the verdict, in microseconds.
    pub used_us: u32,
    /// Whether some rules were left out because the budget was spent.
    pub partial: bool,
    /// How many rules were left out.
    pub skipped_rules: u32,
}

/// What may be shown of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CardSummary {
    /// Keyed index of the number.
    pub index: String,
    /// Issuer identification.
    pub bin: Option<String>,
    /// Last four digits.
    pub last_four: Option<String>,
}
