//! Filters of windows: which events of the past count.

use crate::{
    diagnostic::{Code, Diagnostic, closest},
    literals,
    rates::Rates,
    schema::Schema,
    syntax::{Binary, Comparison, Expr, ExprKind},
};
use paywarden_domain::{EventKind, LabelVerdict, Outcome};
use paywarden_features::{Filter, Set, WindowSpec, set::Member};

/// Reads filters: `&&` between conditions on type, outcome, label, amount and shared entities.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub rates: &'a Rates,
    pub schema: &'static Schema,
}

impl Terms<'_> {
    /// The window over the events that pass its filter, if it has one; none if it has several.
    pub fn narrowing(
        self,
        spec: WindowSpec,
        terms: &[Expr],
    ) -> Option<Result<WindowSpec, Diagnostic>> {
        let spec = self.schema.unfiltered(spec);
        match terms {
            [] => Some(Ok(spec)),
            [term] => Some(
                self.read(term, spec.filter)
                    .map(|filter| spec.filtered(filter)),
            ),
            _ => None,
        }
    }

    fn read(self, expr: &Expr, mut filter: Filter) -> Result<Filter, Diagnostic> {
        let mut kinds = None;
        for term in expr.conjuncts() {
            match &term.kind {
                ExprKind::Binary(operator, sides) => {
                    let [left, right] = sides.as_ref();
                    let asked = (term, *operator, right);
                    match (left.path().as_deref(), operator) {
                        (Some("type"), Binary::Compare(Comparison::NotEqual)) | (None, _) => {
                            return Err(malformed(term));
                        }
                        (Some("type"), _) => narrow(&mut kinds, asked, self.schema)?,
                        (Some("outcome"), _) => narrow(&mut filter.outcomes, asked, self.schema)?,
                        (Some("label"), _) => narrow(&mut filter.labels, asked, self.schema)?,
                        (Some("amount"), _) if self.schema.is_of_payments => {
                            amount(&mut filter, term, *operator, right, self.rates)?;
                        }
                        _ => return Err(malformed(term)),
                    }
                }
                ExprKind::Call(call) if call.name.text == "same" && call.receiver.is_none() => {
                    let [argument] = call.arguments.as_slice() else {
                        return Err(malformed(term));
                    };
                    let path = argument.path().unwrap_or_default();
                    let entity = self.schema.entity(&path);
                    filter.same = filter.same.with(entity.ok_or_else(|| malformed(term))?);
                }
                _ => return Err(malformed(term)),
            }
        }
        filter.kinds = kinds.unwrap_or(filter.kinds);
        Ok(filter)
    }
}

fn malformed(term: &Expr) -> Diagnostic {
    Diagnostic::at(
        Code::BadFilter,
        term.span.clone(),
        "a filter cannot ask this",
    )
    .hint(
        "join with && any of: type == \"…\", type in […], outcome == \"…\", outcome != \"…\", \
         outcome in […], label == \"…\", label in […], same(device), \
         amount >= money(…), amount <= money(…)",
    )
}

/// A word of a filter, and all of its kind.
trait Word: Member {
    fn word(self, schema: &Schema) -> Option<&'static str>;
}

impl Word for EventKind {
    fn word(self, schema: &Schema) -> Option<&'static str> {
        schema.kind_name(self)
    }
}

impl Word for Outcome {
    fn word(self, schema: &Schema) -> Option<&'static str> {
        schema.outcome_name(self)
    }
}

impl Word for Option<LabelVerdict> {
    fn word(self, schema: &Schema) -> Option<&'static str> {
        schema.label_name(self)
    }
}

/// Narrows a set by one more condition; refuses what can never hold.
fn narrow<T: Word>(
    set: &mut Option<Set<T>>,
    (term, operator, operand): (&Expr, Binary, &Expr),
    schema: &Schema,
) -> Result<(), Diagnostic> {
    let words = match (operator, &operand.kind) {
        (Binary::In, ExprKind::List(items)) => items.as_slice(),
        (Binary::Compare(Comparison::Equal | Comparison::NotEqual), ExprKind::Text(_)) => {
            std::slice::from_ref(operand)
        }
        _ => return Err(malformed(term)),
    };
    let named = words.iter().map(|expr| word(expr, schema));
    let named = named.collect::<Result<Set<T>, _>>()?;
    let excluded = operator == Binary::Compare(Comparison::NotEqual);
    let before = set.unwrap_or_else(Set::all);
    let after: Set<T> = before
        .iter()
        .filter(|word| named.contains(*word) != excluded)
        .collect();
    if after.is_empty() {
        let message = "no event passes this filter";
        return Err(Diagnostic::at(Code::BadFilter, term.span.clone(), message));
    }
    *set = Some(after);
    Ok(())
}

fn word<T: Word>(expr: &Expr, schema: &Schema) -> Result<T, Diagnostic> {
    let Some(text) = expr.as_text() else {
        return Err(malformed(expr));
    };
    T::ALL
        .iter()
        .copied()
        .find(|word| word.word(schema) == Some(text))
        .ok_or_else(|| {
            let known = T::ALL.iter().filter_map(|word| word.word(schema));
            let problem = Diagnostic::at(
                Code::StringUnknownValue,
                expr.span.clone(),
                format!("no event ever has \"{text}\" here"),
            );
            match closest(text, known.clone()) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint(format!("known: {}", known.collect::<Vec<_>>().join(", "))),
            }
        })
}

fn amount(
    filter: &mut Filter,
    term: &Expr,
    operator: Binary,
    operand: &Expr,
    rates: &Rates,
) -> Result<(), Diagnostic> {
    let minor = match &operand.kind {
        ExprKind::Call(call) if call.name.text == "money" && call.receiver.is_none() => {
            literals::money_call(call, rates)?
        }
        _ => return Err(malformed(term)),
    };
    match operator {
        Binary::Compare(Comparison::GreaterOrEqual) => {
            filter.amount_min = Some(filter.amount_min.map_or(minor, |min| min.max(minor)));
        }
        Binary::Compare(Comparison::LessOrEqual) => {
            filter.amount_max = Some(filter.amount_max.map_or(minor, |max| max.min(minor)));
        }
        _ => return Err(malformed(term)),
    }
    if filter
        .amount_min
        .zip(filter.amount_max)
        .is_some_and(|(min, max)| min > max)
    {
        let message = "no amount passes this filter";
        return Err(Diagnostic::at(Code::BadFilter, term.span.clone(), message));
    }
    Ok(())
}
