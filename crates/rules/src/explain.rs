//! Explanations: what each operand of a rule was.

use crate::{
    evaluator,
    program::Source,
    reads::Reads,
    rule_set::RuleSet,
    schema::{Field, Type},
    slots::{FieldValue, Slots},
};
use paywarden_domain::{
    Currency, Explained, Money, OperandValue, RuleValues, Timestamp, event::AttributeValue,
};
use paywarden_features::Value;
use std::sync::Arc;

impl RuleSet {
    /// Each operand of a rule's condition once, in source order, with its value; none if it was
    /// missing. No such rule: nothing.
    pub fn explain(&self, rule: usize, slots: &Slots<'_>) -> RuleValues {
        self.explain_all([rule], slots).of(rule)
    }

    /// The operands of several rules with their values: each is looked up once.
    pub fn explain_all(
        &self,
        rules: impl IntoIterator<Item = usize>,
        slots: &Slots<'_>,
    ) -> Arc<Explained> {
        let Reads { operands, sources } = self.reads();
        let mut wanted = vec![0_u64; sources.len().div_ceil(64)];
        for place in rules.into_iter().flat_map(|rule| operands.of(rule)) {
            if let Some(word) = wanted.get_mut(*place as usize / 64) {
                *word |= 1 << (place % 64);
            }
        }
        let count: u32 = wanted.iter().map(|word| word.count_ones()).sum();
        let mut values = Vec::with_capacity(count as usize);
        for (first, word) in (0_u32..).step_by(64).zip(wanted) {
            for place in places(first, word) {
                if let Some(source) = sources.get(place as usize) {
                    values.push((place, self.value(source, slots)));
                }
            }
        }
        Arc::new(Explained::new(Arc::clone(operands), values.into()))
    }

    #[inline(always)]
    pub(crate) fn value(&self, source: &Source, slots: &Slots<'_>) -> Option<OperandValue> {
        match source {
            Source::Field(field) => self.field(*field, slots),
            Source::Window(window) => self.window(*window, slots),
            Source::Listed(probe) => {
                let listed = slots.lists.get(*probe).copied().flatten();
                listed.map(OperandValue::Flag)
            }
            Source::Attribute(_, name) => evaluator::attribute(slots, name).map(attribute),
        }
    }

    #[inline(always)]
    fn field(&self, field: Field, slots: &Slots<'_>) -> Option<OperandValue> {
        Some(match slots.get(field) {
            FieldValue::Missing => return None,
            FieldValue::Int(value) => OperandValue::Whole(value),
            FieldValue::Double(value) => OperandValue::Number(value),
            FieldValue::Text(text) => OperandValue::Text(text.into()),
            FieldValue::Bool(value) => OperandValue::Flag(value),
            FieldValue::Duration(micros) => OperandValue::Span(micros),
            FieldValue::Timestamp(micros) => OperandValue::Time(Timestamp::from_micros(micros)),
            FieldValue::Money(minor) if field.kind() == Type::PaymentMoney => {
                match payment_currency(slots) {
                    Some(currency) => OperandValue::Amount(Money::new(minor, currency)),
                    None => OperandValue::MinorUnits(minor),
                }
            }
            FieldValue::Money(minor) => OperandValue::Amount(Money::new(minor, self.base())),
        })
    }

    #[inline(always)]
    fn window(&self, window: usize, slots: &Slots<'_>) -> Option<OperandValue> {
        Some(match evaluator::window_value(slots, window) {
            Value::Missing => return None,
            Value::Count(count) => OperandValue::Whole(count),
            Value::Money(sum) if !self.schema().is_of_payments => OperandValue::Whole(sum),
            Value::Money(minor) => OperandValue::Amount(Money::new(minor, self.base())),
            Value::Duration(micros) => OperandValue::Span(micros),
        })
    }
}

/// The bits of a word that are set, lowest first.
fn places(first: u32, mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let place = word.checked_sub(1).map(|_| word.trailing_zeros())?;
        word &= word - 1;
        Some(first + place)
    })
}

fn payment_currency(slots: &Slots<'_>) -> Option<Currency> {
    match slots.get(Field::PaymentCurrency) {
        FieldValue::Text(code) => Currency::parse(code).ok(),
        _ => None,
    }
}

fn attribute(value: &AttributeValue) -> OperandValue {
    match value {
        AttributeValue::Flag(value) => OperandValue::Flag(*value),
        AttributeValue::Integer(value) => OperandValue::Whole(*value),
        AttributeValue::Number(value) => OperandValue::Number(*value),
        AttributeValue::Text(text) => OperandValue::Text(text.as_str().into()),
    }
}
