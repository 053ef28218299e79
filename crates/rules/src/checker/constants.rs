//! Expressions that need no event: what they come to.

use super::{
    Checker, Typed,
    lists::{Bound, Item, Key},
};
use crate::{
    definitions::Scope,
    diagnostic::Diagnostic,
    parser::{PROBLEMS_MAX, parse},
    program::{Condition, Real, Text, Whole},
    rates::Rates,
    schema::Type,
    shared::Shared,
    slots::Slots,
    truth::{Answer, Fault, Stop, Truth},
};

/// A value of the language outside of any event.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A text.
    Text(String),
    /// Minor units of the base currency.
    Money(i64),
    /// Microseconds.
    Duration(i64),
    /// Microseconds since the start of 1970, UTC.
    Timestamp(i64),
    /// Values in order.
    List(Vec<Constant>),
    /// Keys and their values, in the order written.
    Map(Vec<(Constant, Constant)>),
}

/// Why an expression without an event has no value.
#[derive(Debug, Clone, PartialEq)]
pub enum NoValue {
    /// It is not an expression of the language.
    Refused(Vec<Diagnostic>),
    /// Something that it asks for is not there.
    Unknown,
    /// It could not be computed.
    Fault(Fault),
}

/// Evaluates an expression that needs no event, with values for some names.
///
/// ```
/// use paywarden_rules::{Constant, Rates, evaluate_constant};
/// use paywarden_domain::Currency;
/// let rates = Rates::new(Currency::parse("USD").unwrap());
/// let value = evaluate_constant("[1, 2].map(n, n * x)", &[("x", Constant::Int(3))], &rates);
/// assert_eq!(value, Ok(Constant::List(vec![Constant::Int(3), Constant::Int(6)])));
/// ```
pub fn evaluate_constant(
    expression: &str,
    names: &[(&str, Constant)],
    rates: &Rates,
) -> Result<Constant, NoValue> {
    let parsed = parse(expression);
    if !parsed.problems.is_empty() {
        return Err(NoValue::Refused(parsed.problems));
    }
    let (scope, mut shared) = (Scope::default(), Shared::default());
    let mut checker = Checker::new(rates, &scope, &mut shared);
    checker.allows_constants = true;
    checker.bound = names.iter().map(Bound::constant).collect();
    let typed = checker.expr(&parsed.expr);
    checker.problems.truncate(PROBLEMS_MAX);
    if !checker.problems.is_empty() {
        let located = checker.problems.into_iter();
        let located = located.map(|problem| problem.located(expression));
        return Err(NoValue::Refused(located.collect()));
    }
    typed.constant().map_err(|stop| match stop {
        Stop::Unknown => NoValue::Unknown,
        Stop::Fault(fault) => NoValue::Fault(fault),
    })
}

impl Bound {
    fn constant((name, value): &(&str, Constant)) -> Self {
        Self {
            name: (*name).to_owned(),
            item: Item::of(Typed::from(value)),
        }
    }
}

impl From<&Constant> for Typed {
    fn from(constant: &Constant) -> Self {
        match constant {
            Constant::Bool(value) => Self::Bool(Condition::Constant(*value)),
            Constant::Int(value) => Self::Whole(Type::Int, Whole::Constant(*value)),
            Constant::Double(value) => Self::Real(Real::Constant(*value)),
            Constant::Text(text) => Self::Text(Text::Constant(text.as_str().into())),
            Constant::Money(value) => Self::Whole(Type::Money, Whole::Constant(*value)),
            Constant::Duration(value) => Self::Whole(Type::Duration, Whole::Constant(*value)),
            Constant::Timestamp(value) => Self::Whole(Type::Timestamp, Whole::Constant(*value)),
            Constant::List(items) => {
                Self::List(items.iter().map(|item| Item::of(item.into())).collect())
            }
            Constant::Map(entries) => {
                let entry = |(key, value): &(Constant, Constant)| {
                    Some((Self::from(key).as_key()?, Item::of(value.into())))
                };
                Self::Map(entries.iter().filter_map(entry).collect())
            }
        }
    }
}

impl Typed {
    /// What it comes to without an event.
    fn constant(&self) -> Answer<Constant> {
        let slots = Slots::new();
        Ok(match self {
            Self::Bool(condition) => Constant::Bool(Answer::from(condition.truth(&slots))?),
            Self::Whole(kind, whole) => {
                let value = whole.value(&slots)?;
                match kind {
                    Type::Money | Type::PaymentMoney => Constant::Money(value),
                    Type::Duration => Constant::Duration(value),
                    Type::Timestamp => Constant::Timestamp(value),
                    _ => Constant::Int(value),
                }
            }
            Self::Real(real) => Constant::Double(real.value(&slots)?),
            Self::Text(text) => Constant::Text(text.value(&slots)?.into_owned()),
            Self::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let present = item.present.as_ref();
                    let present = present.map_or(Truth::True, |there| there.truth(&slots));
                    if Answer::from(present)? {
                        values.push(item.value.constant()?);
                    }
                }
                Constant::List(values)
            }
            Self::Map(entries) => {
                let entry = |(key, item): &(Key, Item)| {
                    Ok((Self::from(key.clone()).constant()?, item.value.constant()?))
                };
                Constant::Map(entries.iter().map(entry).collect::<Answer<_>>()?)
            }
            Self::Event(_) | Self::Wrong => return Err(Stop::Unknown),
        })
    }
}
