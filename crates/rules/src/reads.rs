//! What the rules of a set read: each operand once, however many rules read it, so that explaining
//! many rules touches little memory.

use crate::{Field, RuleSet, program::Source};
use paywarden_domain::Operands;
use std::sync::Arc;

/// An operand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Operand {
    /// In canonical spelling.
    pub text: Box<str>,
    /// Where its value comes from.
    pub source: Source,
}

/// The operands of a set with their sources, place by place.
#[derive(Debug)]
pub(crate) struct Reads {
    pub operands: Arc<Operands>,
    pub sources: Box<[Source]>,
}

impl Reads {
    /// `rules` has, for each rule, the places of its operands.
    pub(crate) fn new(operands: Vec<Operand>, rules: &[Box<[u32]>]) -> Self {
        let (texts, sources): (Vec<_>, Vec<_>) = operands
            .into_iter()
            .map(|operand| (operand.text, operand.source))
            .unzip();
        Self {
            operands: Arc::new(Operands::new(texts, rules)),
            sources: sources.into(),
        }
    }
}

impl RuleSet {
    /// Whether a rule reads a field of which this holds.
    pub fn reads_field(&self, holds: impl Fn(Field) -> bool) -> bool {
        let sources = self.reads().sources.iter();
        let mut fields = sources.filter_map(|source| match source {
            Source::Field(field) => Some(*field),
            _ => None,
        });
        fields.any(holds)
    }

    /// Each window as a rule spells it; none of those that only other parts of rules look at.
    pub fn window_texts(&self) -> Vec<Option<&str>> {
        let mut texts = vec![None; self.windows().len()];
        for rule in 0..self.rules().len() {
            for (text, source) in self.operands(rule) {
                if let Source::Window(slot) = source
                    && let Some(known) = texts.get_mut(*slot)
                {
                    known.get_or_insert(text);
                }
            }
        }
        texts
    }
}
