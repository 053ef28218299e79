//! Explanations: what each operand of a rule was.

use crate::{
    evaluator,
    program::Source,
    rule_set::RuleSet,
    schema::{Field, Type},
    slots::{FieldValue, Slots},
};
use paywarden_domain::{
    Currency, Money, OperandValue, Operands, RuleValues, Timestamp, event::AttributeValue,
};
use paywarden_features::Value;
use std::sync::Arc;

impl RuleSet {
    /// Each operand of a rule's condition once, in source order, with its value; none if it was
    /// missing. No such rule: nothing.
    pub fn explain(&self, rule: usize, slots: &Slots<'_>) -> RuleValues {
        let rule = self.rules().get(rule);
        rule.map_or_else(RuleValues::default, |rule| {
            self.values(&rule.operands, &rule.sources, slots)
        })
    }

    /// The operands with the values of their sources.
    pub(crate) fn values(
        &self,
        operands: &Operands,
        sources: &[Source],
        slots: &Slots<'_>,
    ) -> RuleValues {
        let values = sources.iter().map(|source| self.value(source, slots));
        RuleValues::new(Arc::clone(operands), values)
    }

    fn value(&self, source: &Source, slots: &Slots<'_>) -> Option<OperandValue> {
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
