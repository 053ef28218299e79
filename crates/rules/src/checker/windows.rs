//! Window calls such as `payee.count("90d", outcome == "decline")`, turned into features.

use crate::{
    diagnostic::{Code, Diagnostic, Span, closest},
    literals,
    rates::Rates,
    schema::Type,
    syntax::{Binary, Call, Comparison, Expr, ExprKind},
};
use paywarden_domain::{EventKind, LabelVerdict, Outcome};
use paywarden_features::{Aggregate, Attribute, EntityKind, Filter, Set, WindowSpec, set::Member};

/// The window functions and how each is written.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("count", "card.count(\"10m\")"),
    ("sum", "card.sum(\"24h\")"),
    ("avg", "card.avg(\"0s..30d\")"),
    ("min", "card.min(\"7d\")"),
    ("max", "card.max(\"7d\")"),
    ("distinct", "card.distinct(merchant, \"1h\")"),
    ("first_seen", "card.first_seen()"),
    ("since_previous", "card.since_previous()"),
];

/// What a window yields.
pub(crate) fn kind(spec: &WindowSpec) -> Type {
    match spec.aggregate {
        Aggregate::Count | Aggregate::Distinct(_) => Type::Int,
        Aggregate::Sum | Aggregate::Avg | Aggregate::Min | Aggregate::Max => Type::Money,
        Aggregate::FirstSeen | Aggregate::SincePrevious => Type::Duration,
    }
}

/// Whether the call is one of the [`FUNCTIONS`].
pub(crate) fn is_window(call: &Call) -> bool {
    FUNCTIONS.iter().any(|(name, _)| *name == call.name.text)
}

/// The window that a call asks for.
pub(crate) fn read(call: &Call, span: &Span, rates: &Rates) -> Result<WindowSpec, Diagnostic> {
    let entity = entity(call)?;
    let usage = || {
        let name = call.name.text.as_str();
        let usage = FUNCTIONS.iter().find(|(function, _)| *function == name);
        let usage = usage.map_or("", |(_, usage)| usage);
        Diagnostic::at(
            Code::TypeMismatch,
            span.clone(),
            format!("wrong arguments for `{name}`"),
        )
        .hint(format!("write it like `{usage}`"))
    };
    let arguments = call.arguments.as_slice();
    let aggregate = match (call.name.text.as_str(), arguments) {
        ("first_seen", []) => return Ok(WindowSpec::first_seen(entity)),
        ("since_previous", []) => return Ok(WindowSpec::since_previous(entity)),
        ("since_previous", [filter]) => {
            let filter = self::filter(filter, rates)?;
            return Ok(WindowSpec::since_previous(entity).filtered(filter));
        }
        ("distinct", [attribute, _] | [attribute, _, _]) => {
            Aggregate::Distinct(self::attribute(attribute)?)
        }
        ("count", [_] | [_, _]) => Aggregate::Count,
        ("sum", [_] | [_, _]) => Aggregate::Sum,
        ("avg", [_] | [_, _]) => Aggregate::Avg,
        ("min", [_] | [_, _]) => Aggregate::Min,
        ("max", [_] | [_, _]) => Aggregate::Max,
        _ => return Err(usage()),
    };
    let of_values = matches!(aggregate, Aggregate::Distinct(_));
    let mut rest = arguments.iter().skip(usize::from(of_values));
    let window = rest.next().ok_or_else(usage)?;
    let text = window.as_text().ok_or_else(usage)?;
    let (newer, older, counts_self) = literals::window(text).map_err(|message| {
        Diagnostic::at(
            Code::BadWindow,
            window.span.clone(),
            format!("bad window \"{text}\""),
        )
        .hint(message)
    })?;
    let filter = rest
        .next()
        .map(|filter| self::filter(filter, rates))
        .transpose()?;
    let filter = filter.unwrap_or_default();
    Ok(WindowSpec {
        entity,
        seen_as: entity,
        aggregate,
        newer,
        older,
        counts_self,
        filter,
        readers: Set::all(),
    })
}

fn entity(call: &Call) -> Result<EntityKind, Diagnostic> {
    let (path, span) = match &call.receiver {
        Some(receiver) => (receiver.path(), receiver.span.clone()),
        None => (None, call.name.span.clone()),
    };
    let path = path.unwrap_or_default();
    EntityKind::parse(&path).ok_or_else(|| {
        let names = EntityKind::ALL.map(EntityKind::name);
        let message = format!("`{}` belongs to an entity", call.name.text);
        let problem = Diagnostic::at(Code::UnknownFunction, span, message);
        match closest(&path, names) {
            Some(name) => problem.hint(format!("did you mean `{name}.{}`?", call.name.text)),
            None => problem.hint(format!("entities: {}", names.join(", "))),
        }
    })
}

fn attribute(expr: &Expr) -> Result<Attribute, Diagnostic> {
    let path = expr.path().unwrap_or_default();
    match (path.as_str(), EntityKind::parse(&path)) {
        ("country", _) => Ok(Attribute::Country),
        ("mcc", _) => Ok(Attribute::Mcc),
        (_, Some(entity)) => Ok(Attribute::Entity(entity)),
        _ => {
            let names = EntityKind::ALL.map(EntityKind::name);
            let known = names.into_iter().chain(["country", "mcc"]);
            let problem = Diagnostic::at(
                Code::UnknownField,
                expr.span.clone(),
                "`distinct` counts an entity, `country` or `mcc`",
            );
            Err(problem.did_you_mean(&path, known))
        }
    }
}

/// A filter: `&&` between conditions on type, outcome, label, amount and shared entities.
fn filter(expr: &Expr, rates: &Rates) -> Result<Filter, Diagnostic> {
    let mut filter = Filter::default();
    let mut kinds = None;
    for term in expr.conjuncts() {
        match &term.kind {
            ExprKind::Binary(operator, sides) => {
                let [left, right] = sides.as_ref();
                match (left.path().as_deref(), operator) {
                    (Some("type"), Binary::Compare(Comparison::NotEqual)) | (None, _) => {
                        return Err(malformed(term));
                    }
                    (Some("type"), _) => narrow(&mut kinds, term, *operator, right)?,
                    (Some("outcome"), _) => narrow(&mut filter.outcomes, term, *operator, right)?,
                    (Some("label"), _) => narrow(&mut filter.labels, term, *operator, right)?,
                    (Some("amount"), _) => amount(&mut filter, term, *operator, right, rates)?,
                    _ => return Err(malformed(term)),
                }
            }
            ExprKind::Call(call) if call.name.text == "same" && call.receiver.is_none() => {
                let [argument] = call.arguments.as_slice() else {
                    return Err(malformed(term));
                };
                let entity = argument.path().and_then(|path| EntityKind::parse(&path));
                filter.same = filter.same.with(entity.ok_or_else(|| malformed(term))?);
            }
            _ => return Err(malformed(term)),
        }
    }
    filter.kinds = kinds.unwrap_or(filter.kinds);
    Ok(filter)
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
    fn word(self) -> &'static str;
}

impl Word for EventKind {
    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Outcome {
    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Option<LabelVerdict> {
    fn word(self) -> &'static str {
        self.map_or("none", LabelVerdict::name)
    }
}

/// Narrows a set by one more condition; refuses what can never hold.
fn narrow<T: Word>(
    set: &mut Option<Set<T>>,
    term: &Expr,
    operator: Binary,
    operand: &Expr,
) -> Result<(), Diagnostic> {
    let words = match (operator, &operand.kind) {
        (Binary::In, ExprKind::List(items)) => items.as_slice(),
        (Binary::Compare(Comparison::Equal | Comparison::NotEqual), ExprKind::Text(_)) => {
            std::slice::from_ref(operand)
        }
        _ => return Err(malformed(term)),
    };
    let named = words.iter().map(word).collect::<Result<Set<T>, _>>()?;
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

fn word<T: Word>(expr: &Expr) -> Result<T, Diagnostic> {
    let Some(text) = expr.as_text() else {
        return Err(malformed(expr));
    };
    T::ALL
        .iter()
        .copied()
        .find(|word| word.word() == text)
        .ok_or_else(|| {
            let known = T::ALL.iter().map(|word| word.word());
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
