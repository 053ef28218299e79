//! Window calls such as `payee.count("90d", outcome == "decline")`, turned into features.

use super::filters::Terms;
use crate::{
    diagnostic::{Code, Diagnostic, Span, closest},
    literals,
    rates::Rates,
    schema::{Schema, Type},
    syntax::{Call, Expr, ExprKind},
};
use paywarden_domain::EventKind;
use paywarden_features::window::SINCE_PREVIOUS_REACH;
use paywarden_features::{Aggregate, Attribute, EntityKind, Filter, Part, Set, WindowSpec};

/// A function over the past of an entity.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it says.
    pub doc: &'static str,
    form: Form,
}

/// What a function takes and asks for.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// `(window)` or `(window, filter)`.
    Over(Aggregate),
    /// `(attribute, window)` or `(attribute, window, filter)`.
    Distinct,
    /// `(window, share)` or `(window, share, filter)`.
    Quantile,
    /// Like `Over(Sum)`, with kinds and signs of its own.
    Net,
    /// `(half-life)` or `(half-life, filter)`.
    Ewma,
    /// `()` or `(filter)`.
    SincePrevious,
    /// `(place)` or `(place, filter)`: of one earlier event.
    Earlier(Part),
    /// `(count)` or `(count, filter)`: a list of the latest earlier events.
    Recent,
    /// `(entity)`: whether no earlier event names both.
    New,
    /// `(length)`, of one kind of entity.
    Flow(Aggregate),
    /// `()`.
    Plain(fn(EntityKind) -> WindowSpec),
}

const fn function(
    name: &'static str,
    usage: &'static str,
    form: Form,
    doc: &'static str,
) -> Function {
    Function {
        name,
        usage,
        doc,
        form,
    }
}

/// The window functions: the one table that checking, hints and completion go by.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    function("count", "card.count(\"10m\")", Form::Over(Aggregate::Count),
        "How many events."),
    function("sum", "card.sum(\"24h\")", Form::Over(Aggregate::Sum),
        "Sum of amounts."),
    function("avg", "card.avg(\"0s..30d\")", Form::Over(Aggregate::Avg),
        "Mean of amounts."),
    function("min", "card.min(\"7d\")", Form::Over(Aggregate::Min),
        "Smallest amount."),
    function("max", "card.max(\"7d\")", Form::Over(Aggregate::Max),
        "Largest amount."),
    function("deviation", "card.deviation(\"0s..30d\")", Form::Over(Aggregate::Deviation),
        "Sample standard deviation of amounts; with two amounts at least."),
    function("quantile", "card.quantile(\"90d\", 0.95)", Form::Quantile,
        "Smallest amount that this share of amounts does not exceed."),
    function("ewma", "card.ewma(\"7d\")", Form::Ewma,
        "Mean of earlier amounts that forgets by half in this time, over ten times it, 90 days at most."),
    function("net", "account.net(\"24h\")", Form::Net,
        "Card, transfer and wallet payments less refunds and payouts."),
    function("distinct", "card.distinct(merchant, \"1h\")", Form::Distinct,
        "How many different entities, countries or merchant categories."),
    function("first_seen", "card.first_seen()", Form::Plain(WindowSpec::first_seen),
        "Time since the entity was first seen."),
    function("since_previous", "card.since_previous()", Form::SincePrevious,
        "Time since its previous event, up to 90 days."),
    function("amount_at", "card.amount_at(1)", Form::Earlier(Part::Amount),
        "Amount of one earlier event, 1 being the latest, up to 8 and 90 days back."),
    function("age_at", "card.age_at(1)", Form::Earlier(Part::Age),
        "Time since one earlier event, 1 being the latest, up to 8 and 90 days back."),
    function("mcc_at", "card.mcc_at(1)", Form::Earlier(Part::Mcc),
        "Merchant category code of one earlier event, 1 being the latest, up to 8 and 90 days back."),
    function("outcome_at", "card.outcome_at(1) == \"decline\"", Form::Earlier(Part::Outcome),
        "Outcome of one earlier event, 1 being the latest, up to 8 and 90 days back."),
    function("recent", "card.recent(5).exists(e, e.outcome == \"decline\")", Form::Recent,
        "The latest earlier events, up to 8 and 90 days back, as a list to go through. Each has `amount`, `age`, `mcc` and `outcome`."),
    function("is_new", "customer.is_new(device)", Form::New,
        "Whether no event of the last 90 days names both."),
    function("distance_km", "card.distance_km()", Form::Plain(|entity| WindowSpec::travel(entity, Aggregate::DistanceKm)),
        "Kilometres from the previous event whose place is known, up to 90 days."),
    function("speed_kmh", "card.speed_kmh()", Form::Plain(|entity| WindowSpec::travel(entity, Aggregate::SpeedKmh)),
        "Speed needed to get here from the previous event whose place is known."),
    function("component", "customer.component()", Form::Plain(|entity| WindowSpec::link(entity, Aggregate::Component)),
        "How many cards, accounts, customers, devices, e-mails and phones hang together with it, up to 64."),
    function("hops_to_denied", "payee.hops_to_denied()", Form::Plain(|entity| WindowSpec::link(entity, Aggregate::HopsToMarked)),
        "Events between it and an entity on a deny list, 0 to 2."),
    function("cycle", "account.cycle(\"7d\")", Form::Flow(Aggregate::Cycle),
        "How many transfers the shortest cycle has that this one closes, 2 to 6, each passing on four fifths at least; none if it closes none."),
    function("relay", "account.relay(\"24h\")", Form::Flow(Aggregate::Relay),
        "How many earlier transfers the money of this one came through, 0 to 5, each passing on four fifths at least."),
    function("common_source", "payee.common_source(\"3d\")", Form::Flow(Aggregate::CommonSource),
        "By how many accounts, the payer's included, money of one source was passed on to the payee."),
];

/// What a window yields.
pub(crate) fn kind(spec: &WindowSpec, schema: &Schema) -> Type {
    match spec.aggregate {
        Aggregate::Count
        | Aggregate::Distinct(_)
        | Aggregate::DistanceKm
        | Aggregate::SpeedKmh
        | Aggregate::Component
        | Aggregate::HopsToMarked
        | Aggregate::Cycle
        | Aggregate::Relay
        | Aggregate::CommonSource => Type::Int,
        Aggregate::Sum
        | Aggregate::Avg
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Deviation
        | Aggregate::Quantile(_)
        | Aggregate::Ewma(_) => schema.amount(),
        Aggregate::FirstSeen | Aggregate::SincePrevious => Type::Duration,
        Aggregate::Earlier(_, Part::Amount) => schema.amount(),
        Aggregate::Earlier(_, Part::Age) => Type::Duration,
        Aggregate::Earlier(_, Part::Mcc) => Type::Int,
        Aggregate::Earlier(_, Part::Outcome) => Type::Text,
    }
}

/// The function that a call names.
pub(crate) fn function_of(call: &Call) -> Option<&'static Function> {
    FUNCTIONS
        .iter()
        .find(|function| function.name == call.name.text)
}

/// Whether the call is one of the [`FUNCTIONS`].
pub(crate) fn is_window(call: &Call) -> bool {
    function_of(call).is_some()
}

/// Whether the call asks if its window is empty, rather than for its value.
pub(crate) fn asks_if_none(call: &Call) -> bool {
    function_of(call).is_some_and(|function| matches!(function.form, Form::New))
}

/// Whether the call asks for a list of events; its window is then that of the earliest.
pub(crate) fn asks_for_events(call: &Call) -> bool {
    function_of(call).is_some_and(|function| matches!(function.form, Form::Recent))
}

/// What an event of such a list has, and the function that asks for it alone.
pub(crate) const PARTS: [(&str, Part, &str); 4] = [
    ("amount", Part::Amount, "amount_at"),
    ("age", Part::Age, "age_at"),
    ("mcc", Part::Mcc, "mcc_at"),
    ("outcome", Part::Outcome, "outcome_at"),
];

/// The window that a call asks for.
pub(crate) fn read(
    call: &Call,
    span: &Span,
    rates: &Rates,
    schema: &'static Schema,
) -> Result<WindowSpec, Diagnostic> {
    let (entity, seen_as) = entity(call, schema)?;
    let function = allowed(call, span, schema)?;
    let usage = || {
        let message = format!("wrong arguments for `{}`", function.name);
        Diagnostic::at(Code::TypeMismatch, span.clone(), message)
            .hint(format!("write it like `{}`", function.usage))
    };
    let all = Terms { rates, schema };
    let filtered = |spec, terms: &[Expr]| all.narrowing(spec, terms).ok_or_else(usage)?;
    let over = |aggregate, arguments: &[Expr]| {
        let [window, terms @ ..] = arguments else {
            return Err(usage());
        };
        filtered(spanning(entity, aggregate, window, usage)?, terms)
    };
    let arguments = call.arguments.as_slice();
    let spec = match (function.form, arguments) {
        (Form::Over(aggregate), arguments) => over(aggregate, arguments)?,
        (Form::Distinct, [attribute, rest @ ..]) => over(
            Aggregate::Distinct(self::attribute(attribute, schema)?),
            rest,
        )?,
        (Form::Quantile, [window, share, terms @ ..]) => {
            let aggregate = Aggregate::Quantile(permille(share).ok_or_else(usage)?);
            filtered(spanning(entity, aggregate, window, usage)?, terms)?
        }
        (Form::Net, [window, terms @ ..]) => {
            let spec = spanning(entity, Aggregate::Sum, window, usage)?;
            filtered(spec.filtered(net()), terms)?
        }
        (Form::Ewma, [half_life, terms @ ..]) => {
            let length = half_life.as_text().and_then(literals::duration);
            let spec = WindowSpec::ewma(entity, length.ok_or_else(usage)?);
            filtered(spec, terms)?
        }
        (Form::Earlier(part), [place, terms @ ..]) => {
            filtered(earlier(entity, place, part).ok_or_else(usage)?, terms)?
        }
        (Form::Recent, [count, terms @ ..]) => {
            filtered(earlier(entity, count, Part::Age).ok_or_else(usage)?, terms)?
        }
        (Form::SincePrevious, terms) => filtered(WindowSpec::since_previous(entity), terms)?,
        (Form::New, [other]) => naming_both(entity, other, schema).ok_or_else(usage)?,
        (Form::Flow(aggregate), [length]) => {
            let length = length.as_text().and_then(literals::duration);
            WindowSpec::flow(entity, aggregate, length.ok_or_else(usage)?)
        }
        (Form::Plain(make), []) => make(entity),
        _ => return Err(usage()),
    };
    let spec = spec.seen_as(seen_as);
    spec.check().map_err(|_| usage())?;
    Ok(spec)
}

/// The function that a call names, if the schema has it.
fn allowed(call: &Call, span: &Span, schema: &Schema) -> Result<&'static Function, Diagnostic> {
    let function = function_of(call).unwrap_or(&FUNCTIONS[0]);
    match schema.has_function(function.name) {
        true => Ok(function),
        false => {
            let message = format!("windows of {} have no `{}`", schema.name, function.name);
            Err(Diagnostic::at(Code::UnknownFunction, span.clone(), message))
        }
    }
}

/// A window as it is written: `"10m"` or `"7d..35d"`.
fn spanning(
    entity: EntityKind,
    aggregate: Aggregate,
    window: &Expr,
    usage: impl Fn() -> Diagnostic,
) -> Result<WindowSpec, Diagnostic> {
    let text = window.as_text().ok_or_else(usage)?;
    let (newer, older, counts_self) = literals::window(text).map_err(|message| {
        let problem = format!("bad window \"{text}\"");
        Diagnostic::at(Code::BadWindow, window.span.clone(), problem).hint(message)
    })?;
    Ok(WindowSpec {
        counts_self,
        ..WindowSpec::between(entity, aggregate, newer, older)
    })
}

/// Something of the earlier event at a place, 1 being the latest.
fn earlier(entity: EntityKind, place: &Expr, part: Part) -> Option<WindowSpec> {
    let ExprKind::Int(place) = place.kind else {
        return None;
    };
    let place = u8::try_from(place).ok()?;
    let aggregate = Aggregate::Earlier(place, part);
    let spec = WindowSpec::between(entity, aggregate, 0, SINCE_PREVIOUS_REACH);
    spec.check().is_ok().then_some(spec)
}

/// Earlier events of any kind that name another entity too.
fn naming_both(entity: EntityKind, other: &Expr, schema: &Schema) -> Option<WindowSpec> {
    let filter = Filter {
        kinds: Set::all(),
        same: Set::EMPTY.with(schema.entity(&other.path()?)?),
        ..Filter::default()
    };
    let spec = WindowSpec::between(entity, Aggregate::Count, 0, SINCE_PREVIOUS_REACH);
    Some(spec.filtered(filter))
}

/// A share between 0 and 1 in whole thousandths.
fn permille(share: &Expr) -> Option<u16> {
    let share = match share.kind {
        ExprKind::Double(share) => share,
        ExprKind::Int(share) => share as f64,
        _ => return None,
    };
    let permille = (share * 1000.0).round();
    let exact = (permille - share * 1000.0).abs() < 1e-6;
    (exact && (1.0..=1000.0).contains(&permille)).then_some(permille as u16)
}

/// What moves a balance towards the other side, and what moves it back.
fn net() -> Filter {
    let back = Set::EMPTY.with(EventKind::Refund).with(EventKind::Payout);
    Filter {
        kinds: back
            .with(EventKind::PaymentCard)
            .with(EventKind::PaymentTransfer)
            .with(EventKind::PaymentWallet),
        subtract: back,
        ..Filter::default()
    }
}

/// Whose past, and as which kind the events looked at name it.
fn entity(call: &Call, schema: &Schema) -> Result<(EntityKind, EntityKind), Diagnostic> {
    let (path, span) = match &call.receiver {
        Some(receiver) => (receiver.path(), receiver.span.clone()),
        None => (None, call.name.span.clone()),
    };
    let path = path.unwrap_or_default();
    match path.as_str() {
        "account.received" if schema.is_of_payments => {
            return Ok((EntityKind::Account, EntityKind::Payee));
        }
        "payee.sent" if schema.is_of_payments => {
            return Ok((EntityKind::Payee, EntityKind::Account));
        }
        _ => {}
    }
    let entity = schema.entity(&path).ok_or_else(|| {
        let names: Vec<_> = schema.entity_names().collect();
        let message = format!("`{}` belongs to an entity", call.name.text);
        let problem = Diagnostic::at(Code::UnknownFunction, span, message);
        match closest(&path, names.iter().copied()) {
            Some(name) => problem.hint(format!("did you mean `{name}.{}`?", call.name.text)),
            None => problem.hint(format!("entities: {}", names.join(", "))),
        }
    })?;
    Ok((entity, entity))
}

fn attribute(expr: &Expr, schema: &Schema) -> Result<Attribute, Diagnostic> {
    let path = expr.path().unwrap_or_default();
    match (path.as_str(), schema.entity(&path)) {
        ("country", _) if schema.is_of_payments => Ok(Attribute::Country),
        ("mcc", _) if schema.is_of_payments => Ok(Attribute::Mcc),
        (_, Some(entity)) => Ok(Attribute::Entity(entity)),
        _ => {
            let others = ["country", "mcc"]
                .into_iter()
                .filter(|_| schema.is_of_payments);
            let known = schema.entity_names().chain(others);
            let problem = Diagnostic::at(
                Code::UnknownField,
                expr.span.clone(),
                "`distinct` counts an entity, `country` or `mcc`",
            );
            Err(problem.did_you_mean(&path, known))
        }
    }
}
