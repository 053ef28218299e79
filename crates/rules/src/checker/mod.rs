//! The checker: gives every expression its type, and compiles it while it goes.
//!
//! Whole numbers widen to doubles where the two meet, which CEL itself does not do. Amounts in the
//! base currency and amounts in the payment's currency never meet.

mod calls;
mod constants;
mod events;
mod filters;
mod lists;
mod macros;
mod operators;
mod texts;
pub(crate) mod windows;

pub use constants::{Constant, NoValue, evaluate_constant};

use crate::{
    definitions::Scope,
    diagnostic::{Code, Diagnostic, Span},
    functions,
    parser::PROBLEMS_MAX,
    program::{ComputedReal, Condition, Real, Source, Text, Whole},
    rates::Rates,
    reads::Operand,
    schema::{Schema, Type},
    shared::Shared,
    slots::Slots,
    syntax::{Binary, Expr, ExprKind, Logical, Unary},
    truth::Truth,
};
use events::Earlier;
use lists::{Bound, Item, Key, STEPS_MAX};

/// A condition ready to run.
pub(crate) struct Compiled {
    pub condition: Condition,
    /// The places of its operands among those of the set, in source order, each once.
    pub reads: Box<[u32]>,
}

/// Checks and compiles a tree without holes.
pub(crate) fn check(
    expr: &Expr,
    rates: &Rates,
    scope: &Scope<'_>,
    shared: &mut Shared,
) -> Result<Compiled, Vec<Diagnostic>> {
    let mut checker = Checker::new(rates, scope, shared);
    let condition = checker.condition(expr);
    checker.problems.truncate(PROBLEMS_MAX);
    match checker.problems.is_empty() {
        true => Ok(Compiled {
            condition,
            reads: checker.reads.into(),
        }),
        false => Err(checker.problems),
    }
}

/// Checks an expression of any type that nothing evaluates by itself.
pub(crate) fn check_alone(
    expr: &Expr,
    rates: &Rates,
    scope: &Scope<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let mut shared = Shared::default();
    let mut checker = Checker::new(rates, scope, &mut shared);
    checker.expr(expr);
    checker.problems.truncate(PROBLEMS_MAX);
    match checker.problems.is_empty() {
        true => Ok(()),
        false => Err(checker.problems),
    }
}

/// The type of an expression; none if it has mistakes.
pub(crate) fn kind_alone(expr: &Expr, rates: &Rates, scope: &Scope<'_>) -> Option<Type> {
    let mut shared = Shared::default();
    let mut checker = Checker::new(rates, scope, &mut shared);
    checker.allows_constants = true;
    let typed = checker.expr(expr);
    typed.kind().filter(|_| checker.problems.is_empty())
}

struct Checker<'a> {
    rates: &'a Rates,
    /// Names that were meant, perhaps, where one is unknown.
    scope: &'a Scope<'a>,
    shared: &'a mut Shared,
    reads: Vec<u32>,
    problems: Vec<Diagnostic>,
    /// Variables of the macros around, innermost last.
    bound: Vec<Bound>,
    /// How many windows and lists have been asked.
    lookups: usize,
    /// How many expressions have been checked, repetitions by macros included.
    steps: usize,
    stopped: bool,
    /// Whether a condition may be so whatever happens.
    allows_constants: bool,
}

/// A compiled expression with its type. `Wrong` has been reported and spreads silently.
#[derive(Clone)]
enum Typed {
    Bool(Condition),
    Whole(Type, Whole),
    Real(Real),
    Text(Text),
    List(Vec<Item>),
    Map(Vec<(Key, Item)>),
    Event(Earlier),
    Wrong,
}

impl Typed {
    fn kind(&self) -> Option<Type> {
        match self {
            Self::Bool(_) => Some(Type::Bool),
            Self::Whole(kind, _) => Some(*kind),
            Self::Real(_) => Some(Type::Double),
            Self::Text(_) => Some(Type::Text),
            Self::List(_) => Some(Type::List),
            Self::Map(_) | Self::Event(_) => Some(Type::Map),
            Self::Wrong => None,
        }
    }

    /// Whether it is a number, text, amount or time that depends on nothing.
    fn is_literal(&self) -> bool {
        matches!(
            self,
            Self::Whole(_, Whole::Constant(_))
                | Self::Real(Real::Constant(_))
                | Self::Text(Text::Constant(_))
                | Self::Wrong
        )
    }

    /// The number as a double, if it is an int or a double.
    fn into_real(self) -> Option<Real> {
        match self {
            Self::Real(real) => Some(real),
            Self::Whole(Type::Int, Whole::Constant(value)) => Some(Real::Constant(value as f64)),
            Self::Whole(Type::Int, whole) => Some(ComputedReal::Whole(whole).into()),
            _ => None,
        }
    }
}

impl<'a> Checker<'a> {
    fn new(rates: &'a Rates, scope: &'a Scope<'a>, shared: &'a mut Shared) -> Self {
        Self {
            rates,
            scope,
            shared,
            reads: Vec::new(),
            problems: Vec::new(),
            bound: Vec::new(),
            lookups: 0,
            steps: 0,
            stopped: false,
            allows_constants: false,
        }
    }
}

impl Checker<'_> {
    /// Notes a problem once: macros check their body for each element.
    fn problem(&mut self, problem: Diagnostic) -> Typed {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Typed::Wrong
    }

    fn mismatch(&mut self, span: &Span, message: String) -> Typed {
        self.problem(Diagnostic::at(Code::TypeMismatch, span.clone(), message))
    }

    /// An expression that must be true or false, and may not be so whatever happens.
    fn condition(&mut self, expr: &Expr) -> Condition {
        let problems_before = self.problems.len();
        match self.expr(expr) {
            Typed::Bool(condition) => {
                if !self.allows_constants
                    && expr.is_constant()
                    && self.problems.len() == problems_before
                {
                    let always = match condition.truth(&Slots::new()) {
                        Truth::True => "true",
                        Truth::False => "false",
                        Truth::Unknown | Truth::Fault(_) => "a fault",
                    };
                    let message = format!("this is always {always}");
                    self.problem(
                        Diagnostic::at(Code::ConstantCondition, expr.span.clone(), message)
                            .hint("compare a field of the event, or leave it out"),
                    );
                }
                condition
            }
            other => {
                if let Some(kind) = other.kind() {
                    self.mismatch(&expr.span, format!("expected a condition, found {kind}"));
                }
                Condition::Constant(false)
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Typed {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.too_much(&expr.span);
            return Typed::Wrong;
        }
        match &expr.kind {
            ExprKind::Int(value) => Typed::Whole(Type::Int, Whole::Constant(*value)),
            ExprKind::Double(value) => Typed::Real(Real::Constant(*value)),
            ExprKind::Text(text) => Typed::Text(Text::Constant(text.as_str().into())),
            ExprKind::Bool(value) => Typed::Bool(Condition::Constant(*value)),
            ExprKind::List(items) => self.list(items),
            ExprKind::Map(entries) => self.map(entries, &expr.span),
            ExprKind::Index(sides) => self.index(sides, &expr.span),
            ExprKind::Name(_) | ExprKind::Member(..) => self.path(expr),
            ExprKind::Call(call) => self.call(call, expr),
            ExprKind::Unary(Unary::Not, operand) => {
                Typed::Bool(Condition::Not(Box::new(self.condition(operand))))
            }
            ExprKind::Unary(Unary::Negate, operand) => self.negate(operand),
            ExprKind::Logical(operator, operands) => {
                let operands = operands
                    .iter()
                    .map(|operand| self.condition(operand))
                    .collect();
                Typed::Bool(match operator {
                    Logical::And => Condition::All(operands),
                    Logical::Or => Condition::Any(operands),
                })
            }
            ExprKind::Binary(Binary::Compare(comparison), sides) => {
                self.comparison(*comparison, sides, &expr.span)
            }
            ExprKind::Binary(Binary::In, sides) => self.membership(sides, &expr.span),
            ExprKind::Binary(Binary::Arithmetic(operator), sides) => {
                self.arithmetic(*operator, sides, &expr.span)
            }
            ExprKind::Ternary(parts) => self.ternary(parts, &expr.span),
            ExprKind::Missing => Typed::Wrong,
        }
    }

    /// A field, or a dotted path that is none.
    fn path(&mut self, expr: &Expr) -> Typed {
        if let ExprKind::Name(name) = &expr.kind
            && let Some(bound) = self.variable(name)
        {
            return bound;
        }
        let root = expr.root();
        let is_bound = |name: &str| self.bound.iter().any(|bound| bound.name == name);
        let path = expr.path().filter(|_| !root.is_some_and(is_bound));
        let (None, ExprKind::Member(object, name)) = (&path, &expr.kind) else {
            return self.field(&path.unwrap_or_default(), expr);
        };
        self.member(object, &name.text, &expr.span)
    }

    fn field(&mut self, path: &str, expr: &Expr) -> Typed {
        let Some(field) = self.scope.schema.field(path) else {
            return self.problem(unknown_path(path, &expr.span, self.scope));
        };
        self.operand(path.to_owned(), Source::Field(field));
        match field.kind() {
            Type::Int => Typed::Whole(Type::Int, Whole::Int(field)),
            kind @ (Type::Money | Type::PaymentMoney) => Typed::Whole(kind, Whole::Money(field)),
            Type::Duration => Typed::Whole(Type::Duration, Whole::Duration(field)),
            Type::Timestamp => Typed::Whole(Type::Timestamp, Whole::Timestamp(field)),
            Type::List | Type::Map => Typed::Wrong,
            Type::Double => Typed::Real(Real::Field(field)),
            Type::Text => Typed::Text(Text::Field(field)),
            Type::Bool => Typed::Bool(Condition::Field(field)),
        }
    }

    /// Remembers an operand for explanations.
    fn operand(&mut self, text: impl ToString, source: Source) {
        let operands = &mut self.shared.operands;
        let of_place = |place: &u32| operands.items.get(*place as usize);
        let mut known = self.reads.iter().filter_map(of_place);
        if !known.any(|operand| operand.source == source) {
            let text = text.to_string().into();
            let place = operands.place(Operand { text, source });
            self.reads.push(place as u32);
        }
    }
}

/// What to say about a path that is no field.
fn unknown_path(path: &str, span: &Span, scope: &Scope<'_>) -> Diagnostic {
    let problem = Diagnostic::at(
        Code::UnknownField,
        span.clone(),
        format!("there is no field `{path}`"),
    );
    let (group, rest) = path.split_once('.').unwrap_or((path, ""));
    match group {
        "lists" => problem.hint(format!("ask `payee in {path}`")),
        "attributes" => problem.hint(format!(
            "say of which type it is: `attributes.text(\"{rest}\")`, `.number(…)` or `.flag(…)`"
        )),
        _ if scope.schema.entity(group).is_some() && usage(rest).is_some() => {
            problem.hint(format!(
                "it is a function, like `{}`",
                usage(rest).unwrap_or_default()
            ))
        }
        _ => {
            let fields = scope.schema.fields().iter().map(|field| field.path());
            let near = problem.did_you_mean(path, fields.chain(scope.names()));
            if near.hint.is_some() {
                near
            } else {
                list_group(near, group, scope.schema)
            }
        }
    }
}

fn usage(function: &str) -> Option<&'static str> {
    functions::windows()
        .find(|(name, _)| *name == function)
        .map(|(_, usage)| usage)
}

fn list_group(problem: Diagnostic, group: &str, schema: &Schema) -> Diagnostic {
    let prefix = format!("{group}.");
    let paths = schema.fields().iter().map(|field| field.path());
    let siblings: Vec<&str> = paths.filter(|path| path.starts_with(&prefix)).collect();
    match siblings.is_empty() {
        true => problem.hint("the caller's own values are `attributes.text(\"name\")`"),
        false => problem.hint(format!("fields there: {}", siblings.join(", "))),
    }
}
