//! Explanations: what each operand of a rule was.

use crate::{
    evaluator,
    format::quote,
    literals::duration_text,
    program::{Operand, Source},
    rule_set::RuleSet,
    schema::{Field, Type},
    slots::{FieldValue, Slots},
    values,
};
use paywarden_domain::{Currency, Money, decision::RuleValue, event::AttributeValue};
use paywarden_features::Value;

impl RuleSet {
    /// Each operand of a rule's condition once, in source order, with its value in readable form;
    /// none if it was missing. No such rule: nothing.
    pub fn explain(&self, rule: usize, slots: &Slots<'_>) -> Vec<RuleValue> {
        let rule = self.rules().get(rule);
        let operands = rule.map_or(&[][..], |rule| rule.operands.as_slice());
        self.values(operands, slots)
    }

    /// The operands with their values in readable form.
    pub(crate) fn values(&self, operands: &[Operand], slots: &Slots<'_>) -> Vec<RuleValue> {
        let value = |operand: &Operand| RuleValue {
            operand: String::from(&*operand.text),
            value: self.source_text(&operand.source, slots),
        };
        operands.iter().map(value).collect()
    }

    fn source_text(&self, source: &Source, slots: &Slots<'_>) -> Option<String> {
        match source {
            Source::Field(field) => self.field_text(*field, slots),
            Source::Window(window) => self.window_text(*window, slots),
            Source::Listed(probe) => {
                let listed = slots.lists.get(*probe).copied().flatten();
                listed.map(|listed| listed.to_string())
            }
            Source::Attribute(_, name) => evaluator::attribute(slots, name).map(attribute_text),
        }
    }

    fn field_text(&self, field: Field, slots: &Slots<'_>) -> Option<String> {
        Some(match slots.get(field) {
            FieldValue::Missing => return None,
            FieldValue::Int(value) => value.to_string(),
            FieldValue::Double(value) => value.to_string(),
            FieldValue::Text(text) => quoted(text),
            FieldValue::Bool(value) => value.to_string(),
            FieldValue::Duration(micros) => duration_text(micros),
            FieldValue::Timestamp(micros) => values::written(Type::Timestamp, micros),
            FieldValue::Money(minor) if field.kind() == Type::PaymentMoney => {
                match payment_currency(slots) {
                    Some(currency) => Money::new(minor, currency).to_string(),
                    None => format!("{minor} minor units"),
                }
            }
            FieldValue::Money(minor) => Money::new(minor, self.base()).to_string(),
        })
    }

    fn window_text(&self, window: usize, slots: &Slots<'_>) -> Option<String> {
        Some(match evaluator::window_value(slots, window) {
            Value::Missing => return None,
            Value::Count(count) => count.to_string(),
            Value::Money(sum) if !self.schema().is_of_payments => sum.to_string(),
            Value::Money(minor) => Money::new(minor, self.base()).to_string(),
            Value::Duration(micros) => duration_text(micros),
        })
    }
}

fn payment_currency(slots: &Slots<'_>) -> Option<Currency> {
    match slots.get(Field::PaymentCurrency) {
        FieldValue::Text(code) => Currency::parse(code).ok(),
        _ => None,
    }
}

fn attribute_text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Flag(value) => value.to_string(),
        AttributeValue::Integer(value) => value.to_string(),
        AttributeValue::Number(value) => value.to_string(),
        AttributeValue::Text(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    // Writing to a string cannot fail.
    let _ = quote(&mut quoted, text);
    quoted
}
