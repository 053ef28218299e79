//! Hover: what stands at the cursor.

use super::{Surroundings, completion::on};
use crate::{
    checker::{self, windows},
    diagnostic::Span,
    functions::{self, On},
    literals,
    parser::parse,
    schema::Type,
    syntax::{Call, Expr, ExprKind},
};
use paywarden_domain::{Money, written::TimeSpan};

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// Its bytes in the source.
    pub span: Span,
    /// The expression and its type.
    pub title: String,
    /// What it means, with units and words where there are some; may be empty.
    pub doc: String,
}

/// What stands at the cursor, which is a place in bytes; none between expressions.
///
/// ```
/// use paywarden_domain::Currency;
/// use paywarden_rules::{Rates, Surroundings, hover};
/// let rates = Rates::new(Currency::parse("USD").unwrap());
/// let found = hover("payer.age < duration(\"2d\")", 3, &Surroundings::new(&rates)).unwrap();
/// assert_eq!(found.title, "payer.age: duration");
/// ```
pub fn hover(source: &str, cursor: usize, around: &Surroundings<'_>) -> Option<Hover> {
    let parsed = parse(source);
    let expr = parsed.expr.innermost(cursor)?;
    let expanded = around.scope.expand(expr.clone()).ok();
    let kind = expanded.and_then(|e| checker::kind_alone(&e, around.rates, &around.scope));
    let kind_text = kind.map_or_else(String::new, |kind| format!(": {kind}"));
    let title = |text: String| format!("{text}{kind_text}");
    let (title, doc) = match &expr.kind {
        ExprKind::Name(_) | ExprKind::Member(..) => {
            let path = expr.path()?;
            (title(path.clone()), path_doc(&path, around)?)
        }
        ExprKind::Call(call) => (title(expr.to_string()), call_doc(call, expr, around)),
        ExprKind::Text(_) | ExprKind::Int(_) | ExprKind::Double(_) | ExprKind::Bool(_) => {
            (title(expr.to_string()), String::new())
        }
        ExprKind::Missing => return None,
        _ => (title(expr.to_string()), String::new()),
    };
    Some(Hover {
        span: expr.span.clone(),
        title,
        doc,
    })
}

/// What a dotted name means.
fn path_doc(path: &str, around: &Surroundings<'_>) -> Option<String> {
    if let Some(meaning) = around.scope.meaning(path) {
        return Some(format!("Stands for `{meaning}`."));
    }
    if path.starts_with("lists.") {
        return Some(
            "A list kept by the operator. A list that is not there holds nothing.".to_owned(),
        );
    }
    let field = around.scope.schema.field(path)?;
    let unit = match field.kind() {
        Type::Money => format!(" In {}.", around.rates.base()),
        Type::PaymentMoney => " In `payment.currency`: compare only with its own kind.".to_owned(),
        _ => String::new(),
    };
    let words = match field.words() {
        words if words.is_empty() || words.len() > 30 => String::new(),
        words => format!(" One of: {}.", words.join(", ")),
    };
    Some(format!("{}{unit}{words}", field.doc()))
}

/// What a call gives: for windows what they count, for amounts and durations what they come to.
fn call_doc(call: &Call, expr: &Expr, around: &Surroundings<'_>) -> String {
    let name = call.name.text.as_str();
    if windows::is_window(call) {
        return window_doc(call, expr, around);
    }
    let function = match &call.receiver {
        None => functions::find(name, On::Nothing),
        Some(receiver) => {
            let dotted = receiver.path().map(|path| format!("{path}.{name}"));
            let alone = dotted.and_then(|dotted| functions::find(&dotted, On::Nothing));
            let kind = || {
                let expanded = around.scope.expand(receiver.clone()).ok()?;
                checker::kind_alone(&expanded, around.rates, &around.scope)
            };
            alone.or_else(|| functions::find(name, on(kind()?)))
        }
    };
    let doc = function.map_or_else(String::new, |function| function.doc.to_owned());
    let value = match name {
        "money" => literals::money_call(call, around.rates)
            .ok()
            .map(|minor| Money::new(minor, around.rates.base()).to_string()),
        "duration" => literals::duration_call(call)
            .ok()
            .map(|micros| TimeSpan(micros).to_string()),
        _ => None,
    };
    match value {
        Some(value) => format!("{doc} Here {value}."),
        None => doc,
    }
}

fn window_doc(call: &Call, expr: &Expr, around: &Surroundings<'_>) -> String {
    let spec = match windows::read(call, &expr.span, around.rates, around.scope.schema) {
        Ok(spec) => spec,
        Err(problem) => return problem.message,
    };
    let what = functions::window_doc(&call.name.text);
    let entity = call.receiver.as_ref().and_then(Expr::path);
    let entity = entity.filter(|path| around.scope.schema.entity(path).is_some());
    let whose = entity.map_or_else(String::new, |entity| format!(" Of this {entity}."));
    let text = |micros| TimeSpan(micros).to_string();
    let is_cut = call
        .arguments
        .iter()
        .any(|argument| argument.as_text().is_some());
    let span = match (spec.newer, spec.older, spec.counts_self) {
        _ if !is_cut => String::new(),
        (0, older, true) => format!(" Over the last {}, this event included.", text(older)),
        (newer, older, _) => format!(
            " From {} to {} ago, this event never included.",
            text(older),
            text(newer)
        ),
    };
    let kinds = match call.arguments.is_empty() {
        true => String::new(),
        false => {
            let kinds: Vec<&str> = spec
                .filter
                .kinds
                .iter()
                .filter_map(|kind| around.scope.schema.kind_name(kind))
                .collect();
            format!(" Counts events of type {}.", kinds.join(", "))
        }
    };
    let unit = match windows::kind(&spec, around.scope.schema) {
        Type::Money => format!(" In {}.", around.rates.base()),
        _ => String::new(),
    };
    format!("{what}{whose}{span}{kinds}{unit}")
}
