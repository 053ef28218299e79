//! The evaluator of one condition's tree: three-valued logic after Kleene, extended by faults.
//!
//! `&&` is false as soon as one side is false and `||` true as soon as one is true, whatever the
//! other side is, as CEL defines it. Else an unknown outweighs a fault and a fault outweighs a
//! definite value, so the order of operands never matters. Only texts that
//! have to be changed are copied.
//!
//! The index and the columns answer the same questions faster; where they differ from this, they
//! are wrong.

use crate::{
    program::{
        AttributeKind, Case, ComputedReal, ComputedText, ComputedWhole, Condition, Part, Real,
        Source, Test, Text, Whole,
    },
    slots::{FieldValue, Slots},
    syntax::{Arithmetic, Comparison},
    truth::{Answer, Fault, Stop, Truth},
    values,
};
use paywarden_domain::event::AttributeValue;
use paywarden_features::Value;
use std::{borrow::Cow, cmp::Ordering};

/// Up to so many texts are compared one by one; more are searched.
const SCAN_MAX: usize = 12;

const MISMATCH: Stop = Stop::Fault(Fault::TypeMismatch);
const OVERFLOW: Stop = Stop::Fault(Fault::Overflow);

/// Both values, or the weightier reason why there are not both.
fn both<A, B>(left: Answer<A>, right: Answer<B>) -> Answer<(A, B)> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(left), Err(right)) => Err(left.max(right)),
        (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}

impl Condition {
    /// Evaluates the condition.
    pub(crate) fn truth(&self, slots: &Slots<'_>) -> Truth {
        match self {
            Self::Constant(value) => (*value).into(),
            Self::Field(field) => match slots.get(*field) {
                FieldValue::Bool(value) => value.into(),
                other => Err::<bool, _>(absent(other)).into(),
            },
            Self::Flag(name) => flag(slots, name).ok_or(Stop::Unknown).into(),
            Self::Listed(probe) => slots
                .lists
                .get(*probe)
                .copied()
                .flatten()
                .ok_or(Stop::Unknown)
                .into(),
            Self::Has(source) => source.is_present(slots).into(),
            Self::Not(operand) => match operand.truth(slots) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                other => other,
            },
            Self::All(operands) => decided(operands, slots, Truth::False, Truth::True),
            Self::Any(operands) => decided(operands, slots, Truth::True, Truth::False),
            Self::Choose(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                match condition.truth(slots) {
                    Truth::True => then.truth(slots),
                    Truth::False => otherwise.truth(slots),
                    other => other,
                }
            }
            Self::Test(test) => test.answer(slots).into(),
        }
    }
}

impl Test {
    pub(crate) fn answer(&self, slots: &Slots<'_>) -> Answer<bool> {
        match self {
            Self::Whole(comparison, left, right) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                Ok(comparison.holds(Some(left.cmp(&right))))
            }
            Self::Text(comparison, left, right) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                Ok(match comparison {
                    Comparison::Equal => left == right,
                    Comparison::NotEqual => left != right,
                    _ => comparison.holds(Some(left.cmp(&right))),
                })
            }
            Self::Real(comparison, left, right) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                Ok(comparison.holds(left.partial_cmp(&right)))
            }
            Self::Bool(comparison, sides) => {
                let [left, right] = sides.as_ref();
                let (left, right) = both(left.truth(slots).into(), right.truth(slots).into())?;
                Ok(comparison.holds(Some(bool::cmp(&left, &right))))
            }
            Self::WholeIn(value, constants) => {
                Ok(constants.binary_search(&value.value(slots)?).is_ok())
            }
            Self::RealIn(value, constants) => {
                let value = value.value(slots)?;
                Ok(constants
                    .iter()
                    .any(|c| c.partial_cmp(&value) == Some(Ordering::Equal)))
            }
            Self::TextIn(value, constants) => {
                let value = value.value(slots)?;
                Ok(match constants.len() {
                    ..=SCAN_MAX => constants.iter().any(|constant| **constant == *value),
                    _ => constants
                        .binary_search_by(|constant| (**constant).cmp(&value))
                        .is_ok(),
                })
            }
            Self::Part(part, text, sought) => {
                let (text, sought) = both(text.value(slots), sought.value(slots))?;
                Ok(part.holds(&text, &sought))
            }
            Self::Matches(text, pattern) => Ok(pattern.0.is_match(&text.value(slots)?)),
        }
    }
}

/// A chain of `&&` or `||`: the deciding value ends it, else the gravest operand is the result.
fn decided(operands: &[Condition], slots: &Slots<'_>, deciding: Truth, neutral: Truth) -> Truth {
    let mut result = neutral;
    for operand in operands {
        let truth = operand.truth(slots);
        if truth == deciding {
            return deciding;
        }
        result = result.max(truth);
    }
    result
}

fn choose<T>(condition: Truth, then: impl Fn(usize) -> Answer<T>) -> Answer<T> {
    let chosen: Answer<bool> = condition.into();
    then(if chosen? { 0 } else { 1 })
}

impl Whole {
    // Most are read as they stand: only what is computed is worth a call.
    #[inline(always)]
    pub(crate) fn value(&self, slots: &Slots<'_>) -> Answer<i64> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Int(field) => match slots.get(*field) {
                FieldValue::Int(value) => Ok(value),
                other => Err(absent(other)),
            },
            Self::Money(field) => match slots.get(*field) {
                FieldValue::Money(value) => Ok(value),
                other => Err(absent(other)),
            },
            Self::Duration(field) => match slots.get(*field) {
                FieldValue::Duration(value) => Ok(value),
                other => Err(absent(other)),
            },
            Self::Timestamp(field) => match slots.get(*field) {
                FieldValue::Timestamp(value) => Ok(value),
                other => Err(absent(other)),
            },
            Self::Window(window) => window_value(slots, *window).number().ok_or(Stop::Unknown),
            Self::Computed(computed) => computed.value(slots),
        }
    }
}

impl ComputedWhole {
    fn value(&self, slots: &Slots<'_>) -> Answer<i64> {
        match self {
            Self::Size(text) => Ok(text.value(slots)?.chars().count() as i64),
            Self::Find(which, [text, sought], start) => {
                let texts = both(text.value(slots), sought.value(slots));
                let ((text, sought), start) = both(texts, optional(start.as_ref(), slots))?;
                values::find(*which, &text, &sought, start)
            }
            Self::Read(kind, text) => values::read(*kind, &text.value(slots)?),
            Self::Extreme(wins, wholes) => extreme(
                wholes.iter().map(|whole| whole.value(slots)),
                |left, right| wins.holds(Some(left.cmp(right))),
            ),
            Self::Absolute(whole) => whole.value(slots)?.checked_abs().ok_or(OVERFLOW),
            Self::Truncate(real) => values::truncated(real.value(slots)?),
            Self::Calendar(part, time, ahead) => {
                values::calendar(*part, time.value(slots)?, *ahead)
            }
            Self::Within(whole, [low, high]) => {
                let value = whole.value(slots)?;
                let fits = (low..=high).contains(&&value);
                fits.then_some(value).ok_or(OVERFLOW)
            }
            Self::Negate(operand) => operand.value(slots)?.checked_neg().ok_or(OVERFLOW),
            Self::Arithmetic(operator, [left, right]) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                whole_arithmetic(*operator, left, right)
            }
            Self::Scale(amount, factor) => {
                let (amount, factor) = both(amount.value(slots), factor.value(slots))?;
                scaled(amount, factor)
            }
            Self::Choose(condition, branches) => choose(condition.truth(slots), |branch| {
                branches[branch].value(slots)
            }),
            Self::Points(condition, [known, missing]) => match condition.truth(slots) {
                Truth::True => Ok(*known),
                Truth::False => Ok(0),
                Truth::Unknown => Ok(*missing),
                Truth::Fault(fault) => Err(Stop::Fault(fault)),
            },
        }
    }
}

/// The value that wins every comparison; none of nothing.
fn extreme<T>(values: impl Iterator<Item = Answer<T>>, wins: impl Fn(&T, &T) -> bool) -> Answer<T> {
    let better = |best, next| {
        let (best, next) = both(best, next)?;
        Ok(if wins(&next, &best) { next } else { best })
    };
    values.reduce(better).unwrap_or(Err(Stop::Unknown))
}

fn whole_arithmetic(operator: Arithmetic, left: i64, right: i64) -> Answer<i64> {
    let result = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide | Arithmetic::Remainder if right == 0 => {
            return Err(Stop::Fault(Fault::DivisionByZero));
        }
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => left.checked_rem(right),
    };
    result.ok_or(OVERFLOW)
}

/// Amounts are below 2^53 minor units, so the product is off by less than its rounding.
fn scaled(amount: i64, factor: f64) -> Answer<i64> {
    let product = (amount as f64 * factor).round();
    if product.abs() < i64::MAX as f64 {
        Ok(product as i64)
    } else {
        Err(OVERFLOW)
    }
}

impl Real {
    #[inline]
    pub(crate) fn value(&self, slots: &Slots<'_>) -> Answer<f64> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Field(field) => match slots.get(*field) {
                FieldValue::Double(value) if !value.is_nan() => Ok(value),
                other => Err(absent(other)),
            },
            Self::Attribute(name) => number(slots, name).ok_or(Stop::Unknown),
            Self::Computed(computed) => computed.value(slots),
        }
    }
}

impl ComputedReal {
    fn value(&self, slots: &Slots<'_>) -> Answer<f64> {
        match self {
            Self::Whole(whole) => Ok(whole.value(slots)? as f64),
            Self::Ratio([left, right]) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                real_arithmetic(Arithmetic::Divide, left as f64, right as f64)
            }
            Self::Read(text) => values::read_real(&text.value(slots)?),
            Self::Extreme(wins, reals) => {
                extreme(reals.iter().map(|real| real.value(slots)), |left, right| {
                    wins.holds(left.partial_cmp(right))
                })
            }
            Self::Round(rounding, real) => Ok(rounding.of(real.value(slots)?)),
            Self::Negate(operand) => Ok(-operand.value(slots)?),
            Self::Arithmetic(operator, [left, right]) => {
                let (left, right) = both(left.value(slots), right.value(slots))?;
                real_arithmetic(*operator, left, right)
            }
            Self::Choose(condition, branches) => choose(condition.truth(slots), |branch| {
                branches[branch].value(slots)
            }),
        }
    }
}

fn real_arithmetic(operator: Arithmetic, left: f64, right: f64) -> Answer<f64> {
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide | Arithmetic::Remainder if right.abs() == 0.0 => {
            return Err(Stop::Fault(Fault::DivisionByZero));
        }
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    };
    if result.is_finite() {
        Ok(result)
    } else {
        Err(OVERFLOW)
    }
}

impl Text {
    #[inline(always)]
    pub(crate) fn value<'s>(&'s self, slots: &Slots<'s>) -> Answer<Cow<'s, str>> {
        match self {
            Self::Constant(text) => Ok(Cow::Borrowed(text)),
            Self::Field(field) => match slots.get(*field) {
                FieldValue::Text(text) => Ok(Cow::Borrowed(text)),
                other => Err(absent(other)),
            },
            Self::Attribute(name) => match attribute(slots, name) {
                Some(AttributeValue::Text(text)) => Ok(Cow::Borrowed(text)),
                _ => Err(Stop::Unknown),
            },
            Self::Computed(computed) => computed.value(slots),
        }
    }
}

impl ComputedText {
    fn value<'s>(&'s self, slots: &Slots<'s>) -> Answer<Cow<'s, str>> {
        let changed = match self {
            Self::Case(case, text) => return Ok(case.of(text.value(slots)?)),
            Self::Choose(condition, branches) => {
                return choose(condition.truth(slots), |branch| {
                    branches[branch].value(slots)
                });
            }
            Self::Trim(text) => values::trim(&text.value(slots)?).to_owned(),
            Self::Reverse(text) => text.value(slots)?.chars().rev().collect(),
            Self::Join(texts) => {
                let texts = texts.iter().map(|text| text.value(slots));
                let joined = texts.reduce(|left, right| {
                    let (left, right) = both(left, right)?;
                    values::limited(left.into_owned() + &right).map(Cow::Owned)
                });
                return joined.unwrap_or(Ok(Cow::Borrowed("")));
            }
            Self::Replace([text, sought, instead], times) => {
                let times = optional(times.as_ref(), slots);
                let texts = both(text.value(slots), sought.value(slots));
                let ((text, sought), (instead, times)) =
                    both(texts, both(instead.value(slots), times))?;
                values::replace(&text, &sought, &instead, times)?
            }
            Self::Substring(text, start, end) => {
                let places = both(start.value(slots), optional(end.as_ref(), slots));
                let (text, (start, end)) = both(text.value(slots), places)?;
                values::substring(&text, start, end)?.to_owned()
            }
            Self::CharAt(text, place) => {
                let (text, place) = both(text.value(slots), place.value(slots))?;
                values::char_at(&text, place)?
            }
            Self::Write(kind, whole) => values::written(*kind, whole.value(slots)?),
            Self::WriteReal(real) => values::written_real(real.value(slots)?),
            Self::WriteTruth(condition) => {
                let value: Answer<bool> = condition.truth(slots).into();
                value?.to_string()
            }
        };
        Ok(Cow::Owned(changed))
    }
}

impl Case {
    fn of(self, text: Cow<'_, str>) -> Cow<'_, str> {
        let changes = |byte: &u8| match self {
            Self::Lower => byte.is_ascii_uppercase(),
            Self::Upper => byte.is_ascii_lowercase(),
        };
        if !text.as_bytes().iter().any(changes) {
            return text;
        }
        let mut text = text.into_owned();
        match self {
            Self::Lower => text.make_ascii_lowercase(),
            Self::Upper => text.make_ascii_uppercase(),
        }
        Cow::Owned(text)
    }
}

/// An argument that may be left out.
fn optional(whole: Option<&Whole>, slots: &Slots<'_>) -> Answer<Option<i64>> {
    whole.map(|whole| whole.value(slots)).transpose()
}

impl Part {
    fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Self::StartsWith => text.starts_with(part),
            Self::EndsWith => text.ends_with(part),
            Self::Contains => text.contains(part),
        }
    }
}

impl Comparison {
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Source {
    /// Whether there is a value at all.
    pub(crate) fn is_present(&self, slots: &Slots<'_>) -> bool {
        match self {
            Self::Field(field) => slots.get(*field) != FieldValue::Missing,
            Self::Window(window) => window_value(slots, *window) != Value::Missing,
            Self::Listed(probe) => slots.lists.get(*probe).copied().flatten().is_some(),
            Self::Attribute(AttributeKind::Text, name) => {
                matches!(attribute(slots, name), Some(AttributeValue::Text(_)))
            }
            Self::Attribute(AttributeKind::Number, name) => number(slots, name).is_some(),
            Self::Attribute(AttributeKind::Flag, name) => flag(slots, name).is_some(),
        }
    }
}

/// Why a slot does not hold what its field's type promises.
fn absent(value: FieldValue<'_>) -> Stop {
    if value == FieldValue::Missing {
        Stop::Unknown
    } else {
        MISMATCH
    }
}

pub(crate) fn window_value(slots: &Slots<'_>, window: usize) -> Value {
    slots.windows.get(window).copied().unwrap_or(Value::Missing)
}

pub(crate) fn attribute<'a>(slots: &Slots<'a>, name: &str) -> Option<&'a AttributeValue> {
    slots
        .attributes
        .and_then(|attributes| attributes.find(name))
}

fn number(slots: &Slots<'_>, name: &str) -> Option<f64> {
    match attribute(slots, name) {
        Some(AttributeValue::Integer(value)) => Some(*value as f64),
        Some(AttributeValue::Number(value)) if !value.is_nan() => Some(*value),
        _ => None,
    }
}

fn flag(slots: &Slots<'_>, name: &str) -> Option<bool> {
    match attribute(slots, name) {
        Some(AttributeValue::Flag(value)) => Some(*value),
        _ => None,
    }
}
