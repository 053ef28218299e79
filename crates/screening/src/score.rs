//! From what was measured to a score, and why.

use crate::compare::{MEASURES, Measure, Measured};
use serde::Serialize;

/// How much each measure says, in logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Points of two names of which nothing differs.
    pub base: f32,
    /// Points of one whole of each measure.
    pub measures: [f32; MEASURES.len()],
}

/// Fitted to 408 labelled pairs by [`crate::fit::fit`]; no name is in them, and each weight is of a
/// measure that all names have.
pub const WEIGHTS: Weights = Weights {
    base: 2.640,
    measures: [
        -2.547, // Worst
        -0.750, // Order
        -3.000, // Form
        -0.391, // Number
        -0.019, // Alone
        -2.926, // Short
        0.473,  // Sound
        -0.840, // TwoLetters
        -3.000, // ThreeLetters
        -3.000, // OrganisationMore
    ],
};

/// One part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Component {
    /// What it is about.
    pub about: About,
    /// What was seen, 0 to 1 or a count.
    pub value: f32,
    /// What it adds to the logit of the score.
    pub points: f32,
}

/// What a component is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum About {
    /// The names beside each other.
    Name(Measure),
    /// Everything else.
    Other(Other),
}

/// Evidence beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// Points before anything is known.
    Base,
    /// Share of the rarer half of both names that did not meet.
    Uncovered,
    /// The list itself calls the name weak.
    WeakName,
    /// Birth dates agree or do not.
    Birth,
    /// Countries agree or do not.
    Country,
    /// An identifier is the same.
    Identifier,
}

impl Weights {
    /// The logit of what was measured.
    pub fn points(&self, values: &[f32; MEASURES.len()]) -> f32 {
        let products = self
            .measures
            .iter()
            .zip(values)
            .map(|(weight, value)| weight * value);
        self.base + products.sum::<f32>()
    }

    /// What each measure adds.
    pub fn components(&self, measured: &Measured) -> Vec<Component> {
        let base = Component {
            about: About::Other(Other::Base),
            value: 1.0,
            points: self.base,
        };
        let measures = MEASURES.into_iter().zip(measured.values).zip(self.measures);
        let component = |((measure, value), weight): ((Measure, f32), f32)| Component {
            about: About::Name(measure),
            value,
            points: value * weight,
        };
        std::iter::once(base)
            .chain(
                measures
                    .map(component)
                    .filter(|component| component.value != 0.0),
            )
            .collect()
    }
}

/// The chance that a logit stands for.
pub fn chance(points: f32) -> f32 {
    1.0 / (1.0 + (-points).exp())
}
