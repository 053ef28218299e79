//! Explanations: what each operand of a rule was.

use crate::{
    evaluator,
    pack::Example,
    program::Source,
    reads::Reads,
    rule_set::{Rule, RuleSet},
    schema::{Field, Type},
    slots::{FieldValue, Slots},
};
use paywarden_domain::{
    Currency, Explained, Money, OperandValue, RuleValues, Timestamp, event::AttributeValue,
};
use paywarden_features::Value;
use std::sync::Arc;

/// Rules whose operands are looked up at once.
const AT_ONCE: usize = 32;
impl Rule {
    /// Its own test cases, in their order.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The condition with its names replaced by what they stand for.
    pub fn meaning(&self) -> &str {
        self.meaning.as_deref().unwrap_or(&self.when)
    }
}

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
        let mut wanted = Wanted::new(sources.len());
        let mut rules = rules.into_iter();
        loop {
            // What two rules read lies far apart. Begun in a row, without a branch in between, the
            // processor waits for many of them at once.
            let mut rest: [&[u32]; AT_ONCE] = [&[]; AT_ONCE];
            let mut count = 0;
            for (rest, rule) in rest.iter_mut().zip(&mut rules) {
                if let Some((first, others)) = operands.of(rule).split_first() {
                    wanted.add(*first);
                    *rest = others;
                }
                count += 1;
            }
            if count == 0 {
                break;
            }
            let rest = rest.iter().take(count).copied();
            rest.flatten().for_each(|place| wanted.add(*place));
        }
        let mut values = Vec::with_capacity(wanted.count());
        for place in wanted.places() {
            if let Some(source) = sources.get(place as usize) {
                self.tell(source, slots, |value| values.push((place, Some(value))));
            }
        }
        Arc::new(Explained::new(Arc::clone(operands), values.into()))
    }

    /// What a source holds; none if it holds nothing.
    pub(crate) fn value(&self, source: &Source, slots: &Slots<'_>) -> Option<OperandValue> {
        let mut found = None;
        self.tell(source, slots, |value| found = Some(value));
        found
    }

    /// Hands on what a source holds, if it holds anything. Each kind of value is handed on where it
    /// is made: kept in between it would be written and read once more.
    #[inline(always)]
    fn tell(&self, source: &Source, slots: &Slots<'_>, tell: impl FnOnce(OperandValue)) {
        match source {
            Source::Field(field) => self.field(*field, slots, tell),
            Source::Window(window) => self.window(*window, slots, tell),
            Source::Listed(probe) => {
                if let Some(listed) = slots.lists.get(*probe).copied().flatten() {
                    tell(OperandValue::Flag(listed));
                }
            }
            Source::Attribute(_, name) => {
                if let Some(value) = evaluator::attribute(slots, name) {
                    tell(attribute(value));
                }
            }
        }
    }

    #[inline(always)]
    fn field(&self, field: Field, slots: &Slots<'_>, tell: impl FnOnce(OperandValue)) {
        match slots.get(field) {
            FieldValue::Missing => {}
            FieldValue::Int(value) => tell(OperandValue::Whole(value)),
            FieldValue::Double(value) => tell(OperandValue::Number(value)),
            FieldValue::Text(text) => tell(OperandValue::Text(text.into())),
            FieldValue::Bool(value) => tell(OperandValue::Flag(value)),
            FieldValue::Duration(micros) => tell(OperandValue::Span(micros)),
            FieldValue::Timestamp(micros) => {
                tell(OperandValue::Time(Timestamp::from_micros(micros)));
            }
            FieldValue::Money(minor) if field.kind() == Type::PaymentMoney => {
                tell(match payment_currency(slots) {
                    Some(currency) => OperandValue::Amount(Money::new(minor, currency)),
                    None => OperandValue::MinorUnits(minor),
                });
            }
            FieldValue::Money(minor) => {
                tell(OperandValue::Amount(Money::new(minor, self.base())));
            }
        }
    }

    #[inline(always)]
    fn window(&self, window: usize, slots: &Slots<'_>, tell: impl FnOnce(OperandValue)) {
        match evaluator::window_value(slots, window) {
            Value::Missing => {}
            Value::Count(count) => tell(OperandValue::Whole(count)),
            Value::Money(sum) if !self.schema().is_of_payments => tell(OperandValue::Whole(sum)),
            Value::Money(minor) => tell(OperandValue::Amount(Money::new(minor, self.base()))),
            Value::Duration(micros) => tell(OperandValue::Span(micros)),
        }
    }
}

/// Places of operands, each once.
struct Wanted(Vec<u64>);

impl Wanted {
    fn new(places: usize) -> Self {
        Self(vec![0; places.div_ceil(64)])
    }

    #[inline(always)]
    fn add(&mut self, place: u32) {
        if let Some(word) = self.0.get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn count(&self) -> usize {
        let ones = self.0.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }

    /// By rising place.
    fn places(&self) -> impl Iterator<Item = u32> {
        let words = (0_u32..).step_by(64).zip(&self.0);
        words.flat_map(|(first, word)| places(first, *word))
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
