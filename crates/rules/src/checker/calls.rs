//! Functions and methods, windows and attributes: which one a call means.

use super::{Checker, Typed, macros, windows};
use crate::{
    diagnostic::{Code, Diagnostic, closest},
    functions::{self, On},
    literals,
    program::{
        AttributeKind, ComputedReal, ComputedWhole, Condition, Part, Real, Rounding, Source, Test,
        Text, Whole,
    },
    schema::Type,
    syntax::{Arithmetic, Call, Comparison, Expr, ExprKind},
};

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call, expr: &Expr) -> Typed {
        match &call.receiver {
            Some(receiver) if receiver.path().as_deref() == Some("attributes") => {
                self.attribute(call, expr)
            }
            Some(receiver) if receiver.path().as_deref() == Some("math") => self.math(call, expr),
            Some(receiver)
                if receiver.path().as_deref() == Some("cel") && call.name.text == "bind" =>
            {
                self.bind(call, expr)
            }
            Some(receiver) if macros::is_macro(call) => self.comprehension(receiver, call, expr),
            _ if windows::is_window(call) => self.window(call, expr),
            Some(receiver) => self.method(receiver, call, expr),
            None => self.function(call, expr),
        }
    }

    fn function(&mut self, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        match (name, call.arguments.as_slice()) {
            ("money", _) => self.whole_literal(Type::Money, literals::money_call(call, self.rates)),
            ("duration", [argument]) if argument.as_text().is_none() => {
                self.read(Type::Duration, argument)
            }
            ("duration", _) => self.whole_literal(Type::Duration, literals::duration_call(call)),
            ("timestamp", [argument]) => self.timestamp(argument),
            ("has", [argument]) => self.has(argument),
            ("size", [argument]) => self.size(argument),
            ("points", [condition, points @ ..]) => self.points(condition, points, expr),
            ("int", [argument]) => self.int_of(argument),
            ("double", [argument]) => self.double_of(argument),
            ("string", [argument]) => self.text_of(argument),
            ("bool", [argument]) => self.bool_of(argument),
            // Types are checked all the same.
            ("dyn", [argument]) => self.expr(argument),
            _ if functions::find(name, On::Nothing).is_some() => {
                self.arguments(call, expr, On::Nothing)
            }
            _ => match closest(name, functions::names(On::Text)) {
                Some(method) => {
                    let message = format!("there is no function `{name}`");
                    let problem =
                        Diagnostic::at(Code::UnknownFunction, call.name.span.clone(), message);
                    self.problem(problem.hint(format!("it is a method: `payer.name.{method}(…)`")))
                }
                None => self.unknown_function(call, functions::names(On::Nothing)),
            },
        }
    }

    pub(super) fn whole_literal(&mut self, kind: Type, value: Result<i64, Diagnostic>) -> Typed {
        match value {
            Ok(value) => Typed::Whole(kind, Whole::Constant(value)),
            Err(problem) => self.problem(problem),
        }
    }

    fn window(&mut self, call: &Call, expr: &Expr) -> Typed {
        match windows::read(call, &expr.span, self.rates, self.scope.schema) {
            Ok(spec) if windows::asks_for_events(call) => self.recent(call, spec),
            Ok(spec) => {
                let slot = self.window_slot(expr, spec);
                if windows::asks_if_none(call) {
                    let (count, none) = (Whole::Window(slot), Whole::Constant(0));
                    let none = Test::Whole(Comparison::Equal, count, none);
                    return Typed::Bool(Condition::Test(none));
                }
                self.of_window(slot, &spec)
            }
            Err(problem) => self.problem(problem),
        }
    }

    fn attribute(&mut self, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        let Some(kind) = AttributeKind::parse(name) else {
            let kinds = AttributeKind::ALL.map(AttributeKind::name);
            return self.unknown_function(call, kinds.into_iter());
        };
        let [argument] = call.arguments.as_slice() else {
            let hint = format!("write `attributes.{name}(\"name\")`");
            return self.wrong_arguments(call, expr, &hint);
        };
        let Some(text) = argument.as_text() else {
            let message = "the name of an attribute is a text literal".to_owned();
            return self.mismatch(&argument.span, message);
        };
        self.operand(expr, Source::Attribute(kind, text.into()));
        match kind {
            AttributeKind::Text => Typed::Text(Text::Attribute(text.into())),
            AttributeKind::Number => Typed::Real(Real::Attribute(text.into())),
            AttributeKind::Flag => Typed::Bool(Condition::Flag(text.into())),
        }
    }

    /// `has(operand)`: whether there is a value. It is never unknown itself.
    fn has(&mut self, argument: &Expr) -> Typed {
        if let Some(known) = self.has_key(argument) {
            return known;
        }
        let source = match self.expr(argument) {
            Typed::Wrong => return Typed::Wrong,
            Typed::Whole(
                _,
                Whole::Int(field)
                | Whole::Money(field)
                | Whole::Duration(field)
                | Whole::Timestamp(field),
            )
            | Typed::Real(Real::Field(field))
            | Typed::Text(Text::Field(field))
            | Typed::Bool(Condition::Field(field)) => Source::Field(field),
            Typed::Whole(_, Whole::Window(window)) => Source::Window(window),
            Typed::Bool(Condition::Listed(probe)) => Source::Listed(probe),
            Typed::Text(Text::Attribute(name)) => Source::Attribute(AttributeKind::Text, name),
            Typed::Real(Real::Attribute(name)) => Source::Attribute(AttributeKind::Number, name),
            Typed::Bool(Condition::Flag(name)) => Source::Attribute(AttributeKind::Flag, name),
            _ => {
                let message =
                    "`has` asks for a field, an attribute, a window or a key of a map".to_owned();
                return self.mismatch(&argument.span, message);
            }
        };
        Typed::Bool(Condition::Has(source))
    }

    /// `points(condition, 40)` or `points(condition, 40, 5)`: what a condition is worth if it is
    /// true, and if it is unknown. It is never unknown itself.
    fn points(&mut self, condition: &Expr, points: &[Expr], expr: &Expr) -> Typed {
        let whole = |expr: &Expr| match expr.kind {
            ExprKind::Int(value) => Some(value),
            _ => None,
        };
        let points = match points {
            [known] => whole(known).map(|known| [known, 0]),
            [known, missing] => whole(known).zip(whole(missing)).map(<[i64; 2]>::from),
            _ => None,
        };
        let condition = self.condition(condition);
        match points {
            Some(points) => {
                Typed::Whole(Type::Int, ComputedWhole::Points(condition, points).into())
            }
            None => {
                let message = "`points` takes a condition and one or two whole numbers";
                self.problem(
                    Diagnostic::at(Code::TypeMismatch, expr.span.clone(), message)
                        .hint("write `points(condition, if_true, if_missing)`"),
                )
            }
        }
    }

    fn method(&mut self, receiver: &Expr, call: &Call, expr: &Expr) -> Typed {
        let on = match self.expr(receiver) {
            Typed::Wrong => return Typed::Wrong,
            Typed::Text(text) => match self.text_method(text, call) {
                Some(typed) => return typed,
                None => On::Text,
            },
            Typed::Whole(Type::Timestamp, time) => match self.timestamp_method(time, call) {
                Some(typed) => return typed,
                None => On::Timestamp,
            },
            Typed::Whole(Type::Duration, span) => match Self::duration_method(&span, call) {
                Some(typed) => return typed,
                None => On::Duration,
            },
            collection @ (Typed::List(_) | Typed::Map(_)) => {
                match (call.name.text.as_str(), call.arguments.as_slice()) {
                    ("size", []) => return Self::count(collection),
                    _ => On::List,
                }
            }
            other => {
                let kind = other
                    .kind()
                    .map_or_else(String::new, |kind| kind.to_string());
                let message = format!("{kind} has no methods");
                return self.mismatch(&call.name.span, message);
            }
        };
        if functions::find(&call.name.text, on).is_some() {
            return self.arguments(call, expr, on);
        }
        let entity = matches!(receiver.kind, ExprKind::Name(_));
        let windows = functions::windows().map(|(name, _)| name);
        self.unknown_function(call, functions::names(on).chain(windows.filter(|_| entity)))
    }

    /// `math.name(…)`: the functions of CEL's mathematics that make sense of ints and doubles.
    fn math(&mut self, call: &Call, expr: &Expr) -> Typed {
        let name = format!("math.{}", call.name.text);
        let rounding = match name.as_str() {
            "math.greatest" => return self.extreme(call, expr, Comparison::Greater),
            "math.least" => return self.extreme(call, expr, Comparison::Less),
            "math.abs" => Rounding::Absolute,
            "math.ceil" => Rounding::Ceiling,
            "math.floor" => Rounding::Floor,
            "math.round" => Rounding::HalfAwayFromZero,
            "math.trunc" => Rounding::TowardsZero,
            _ => return self.unknown_function(call, functions::names(On::Nothing)),
        };
        let [argument] = call.arguments.as_slice() else {
            let usage = functions::find(&name, On::Nothing).map_or("", |function| function.usage);
            return self.wrong_arguments(call, expr, &format!("write it like `{usage}`"));
        };
        match (self.expr(argument), rounding) {
            (Typed::Wrong, _) => Typed::Wrong,
            (Typed::Real(real), _) => Typed::Real(ComputedReal::Round(rounding, real).into()),
            (Typed::Whole(kind, whole), Rounding::Absolute) if kind != Type::Timestamp => {
                Typed::Whole(kind, ComputedWhole::Absolute(whole).into())
            }
            (other, _) => self.expected("a double", &other, argument),
        }
    }

    /// The greatest or least of the arguments, which are of one type.
    fn extreme(&mut self, call: &Call, expr: &Expr, wins: Comparison) -> Typed {
        let arguments: Vec<Typed> = match call.arguments.as_slice() {
            [list] if matches!(list.kind, ExprKind::List(_)) => match self.expr(list) {
                Typed::List(items) => items.into_iter().map(|item| item.value).collect(),
                _ => return Typed::Wrong,
            },
            arguments => arguments
                .iter()
                .map(|argument| self.expr(argument))
                .collect(),
        };
        let kind = match arguments.first().map(Typed::kind) {
            Some(Some(kind)) => kind,
            Some(None) => return Typed::Wrong,
            None => return self.wrong_arguments(call, expr, "write it like `math.least(1, 2)`"),
        };
        let is_whole = !matches!(
            kind,
            Type::Double | Type::Text | Type::Bool | Type::List | Type::Map
        );
        let wholes = arguments.iter().map(|argument| match argument {
            Typed::Whole(other, whole) if *other == kind && is_whole => Some(whole.clone()),
            _ => None,
        });
        if let Some(wholes) = wholes.collect::<Option<Vec<Whole>>>() {
            return Typed::Whole(kind, ComputedWhole::Extreme(wins, wholes.into()).into());
        }
        let reals = arguments.into_iter().map(Typed::into_real);
        match reals.collect::<Option<Vec<Real>>>() {
            Some(reals) => Typed::Real(ComputedReal::Extreme(wins, reals.into()).into()),
            None => {
                let message = "expected numbers of one type".to_owned();
                self.mismatch(&expr.span, message)
            }
        }
    }

    /// An expression that must be a text.
    pub(super) fn text(&mut self, expr: &Expr) -> Option<Text> {
        match self.expr(expr) {
            Typed::Text(text) => Some(text),
            other => {
                self.expected("a string", &other, expr);
                None
            }
        }
    }

    /// An expression that must be a whole number.
    pub(super) fn int(&mut self, expr: &Expr) -> Option<Whole> {
        match self.expr(expr) {
            Typed::Whole(Type::Int, whole) => Some(whole),
            other => {
                self.expected("an int", &other, expr);
                None
            }
        }
    }

    /// Says what was expected where something else stands.
    pub(super) fn expected(&mut self, what: &str, found: &Typed, expr: &Expr) -> Typed {
        match found.kind() {
            Some(kind) => self.mismatch(&expr.span, format!("expected {what}, found {kind}")),
            None => Typed::Wrong,
        }
    }

    fn arguments(&mut self, call: &Call, expr: &Expr, on: On) -> Typed {
        let usage = functions::find(&call.name.text, on).map_or("", |function| function.usage);
        self.wrong_arguments(call, expr, &format!("write it like `{usage}`"))
    }

    pub(super) fn wrong_arguments(&mut self, call: &Call, expr: &Expr, hint: &str) -> Typed {
        let message = format!("wrong arguments for `{}`", call.name.text);
        let problem = Diagnostic::at(Code::TypeMismatch, expr.span.clone(), message);
        self.problem(problem.hint(hint))
    }

    fn unknown_function(
        &mut self,
        call: &Call,
        known: impl Iterator<Item = &'static str>,
    ) -> Typed {
        let (name, known) = (call.name.text.as_str(), known.collect::<Vec<_>>());
        let message = format!("there is no function `{name}`");
        let problem = Diagnostic::at(Code::UnknownFunction, call.name.span.clone(), message);
        self.problem(match closest(name, known.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("known: {}", known.join(", "))),
        })
    }

    pub(super) fn part(&mut self, part: Part, text: Text, sought: &Expr) -> Typed {
        match self.text(sought) {
            Some(sought) => Typed::Bool(Condition::Test(Test::Part(part, text, sought))),
            None => Typed::Wrong,
        }
    }

    /// A whole number divided by a constant and brought below another.
    pub(super) fn divided(whole: Whole, by: i64) -> Typed {
        let by = [whole, Whole::Constant(by)];
        Typed::Whole(
            Type::Int,
            ComputedWhole::Arithmetic(Arithmetic::Divide, by).into(),
        )
    }
}
