//! Functions, text methods and attributes.

use super::{Checker, Typed, windows};
use crate::{
    diagnostic::{Code, Diagnostic, closest},
    literals,
    program::{
        AttributeKind, ComputedText, ComputedWhole, Condition, Part, Real, Source, Test, Text,
        Whole,
    },
    schema::Type,
    syntax::{Call, Expr, ExprKind},
};
use paywarden_features::{Set, WindowSpec};

/// Functions that stand alone.
const FUNCTIONS: &[&str] = &["duration", "money", "has", "size", "points"];
/// Methods of texts.
const METHODS: &[&str] = &["startsWith", "endsWith", "contains", "lowerAscii", "size"];
impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        match &call.receiver {
            Some(receiver) if receiver.path().as_deref() == Some("attributes") => {
                self.attribute(call, expr)
            }
            _ if windows::is_window(call) => self.window(call, expr),
            Some(receiver) => self.method(receiver, call, expr),
            None => match (name, call.arguments.as_slice()) {
                ("duration", _) => {
                    self.whole_literal(Type::Duration, literals::duration_call(call))
                }
                ("money", _) => {
                    self.whole_literal(Type::Money, literals::money_call(call, self.rates))
                }
                ("has", [argument]) => self.has(argument),
                ("size", [argument]) => self.size(argument),
                ("points", [condition, points @ ..]) => self.points(condition, points, expr),
                _ if FUNCTIONS.contains(&name) => self.arguments(call, expr, 1),
                _ => match closest(name, METHODS.iter().copied()) {
                    Some(method) => self.method_as_function(call, method),
                    None => self.unknown_function(call, FUNCTIONS),
                },
            },
        }
    }

    fn whole_literal(&mut self, kind: Type, value: Result<i64, Diagnostic>) -> Typed {
        match value {
            Ok(value) => Typed::Whole(kind, Whole::Constant(value)),
            Err(problem) => self.problem(problem),
        }
    }

    fn window(&mut self, call: &Call, expr: &Expr) -> Typed {
        match windows::read(call, &expr.span, self.rates) {
            Ok(spec) => {
                // Who reads it is known once every rule is compiled.
                let readers = Set::EMPTY;
                let slot = self.shared.windows.place(WindowSpec { readers, ..spec });
                self.operand(expr.to_string(), Source::Window(slot));
                Typed::Whole(windows::kind(&spec), Whole::Window(slot))
            }
            Err(problem) => self.problem(problem),
        }
    }

    fn attribute(&mut self, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        let Some(kind) = AttributeKind::parse(name) else {
            return self.unknown_function(call, &AttributeKind::ALL.map(AttributeKind::name));
        };
        let [argument] = call.arguments.as_slice() else {
            return self.arguments(call, expr, 1);
        };
        let Some(text) = argument.as_text() else {
            let message = "the name of an attribute is a text literal".to_owned();
            return self.mismatch(&argument.span, message);
        };
        self.operand(expr.to_string(), Source::Attribute(kind, text.into()));
        match kind {
            AttributeKind::Text => Typed::Text(Text::Attribute(text.into())),
            AttributeKind::Number => Typed::Real(Real::Attribute(text.into())),
            AttributeKind::Flag => Typed::Bool(Condition::Flag(text.into())),
        }
    }

    /// `has(operand)`: whether there is a value. It is never unknown itself.
    fn has(&mut self, argument: &Expr) -> Typed {
        let source = match self.expr(argument) {
            Typed::Wrong => return Typed::Wrong,
            Typed::Whole(_, Whole::Int(field) | Whole::Money(field) | Whole::Duration(field))
            | Typed::Real(Real::Field(field))
            | Typed::Text(Text::Field(field))
            | Typed::Bool(Condition::Field(field)) => Source::Field(field),
            Typed::Whole(_, Whole::Window(window)) => Source::Window(window),
            Typed::Bool(Condition::Listed(probe)) => Source::Listed(probe),
            Typed::Text(Text::Attribute(name)) => Source::Attribute(AttributeKind::Text, name),
            Typed::Real(Real::Attribute(name)) => Source::Attribute(AttributeKind::Number, name),
            Typed::Bool(Condition::Flag(name)) => Source::Attribute(AttributeKind::Flag, name),
            _ => {
                let message = "`has` asks for a field, an attribute or a window".to_owned();
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

    fn size(&mut self, text: &Expr) -> Typed {
        match self.text(text) {
            Some(text) => Typed::Whole(Type::Int, ComputedWhole::Size(text).into()),
            None => Typed::Wrong,
        }
    }

    fn method(&mut self, receiver: &Expr, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        let part = match name {
            "startsWith" => Part::StartsWith,
            "endsWith" => Part::EndsWith,
            "contains" => Part::Contains,
            "lowerAscii" | "size" if !call.arguments.is_empty() => {
                return self.arguments(call, expr, 0);
            }
            "size" => return self.size(receiver),
            "lowerAscii" => {
                let text = self.text(receiver);
                return text.map_or(Typed::Wrong, |text| {
                    Typed::Text(ComputedText::Lower(text).into())
                });
            }
            _ => return self.unknown_method(receiver, call),
        };
        let [argument] = call.arguments.as_slice() else {
            return self.arguments(call, expr, 1);
        };
        match (self.text(receiver), self.text(argument)) {
            (Some(text), Some(sought)) => {
                Typed::Bool(Condition::Test(Test::Part(part, text, sought)))
            }
            _ => Typed::Wrong,
        }
    }

    /// An expression that must be a text.
    fn text(&mut self, expr: &Expr) -> Option<Text> {
        match self.expr(expr) {
            Typed::Text(text) => Some(text),
            other => {
                if let Some(kind) = other.kind() {
                    self.mismatch(&expr.span, format!("expected a string, found {kind}"));
                }
                None
            }
        }
    }

    fn arguments(&mut self, call: &Call, expr: &Expr, expected: usize) -> Typed {
        let found = call.arguments.len();
        let message = format!(
            "`{}` takes {expected} argument(s), found {found}",
            call.name.text
        );
        self.mismatch(&expr.span, message)
    }

    fn unknown_method(&mut self, receiver: &Expr, call: &Call) -> Typed {
        let entity = matches!(receiver.kind, ExprKind::Name(_));
        let windows = windows::FUNCTIONS
            .iter()
            .map(|(name, _)| *name)
            .filter(|_| entity);
        let known: Vec<&str> = METHODS.iter().copied().chain(windows).collect();
        self.unknown_function(call, &known)
    }

    fn method_as_function(&mut self, call: &Call, method: &str) -> Typed {
        let message = format!("there is no function `{}`", call.name.text);
        self.problem(
            Diagnostic::at(Code::UnknownFunction, call.name.span.clone(), message)
                .hint(format!("it is a method: `payer.name.{method}(…)`")),
        )
    }

    fn unknown_function(&mut self, call: &Call, known: &[&str]) -> Typed {
        let name = call.name.text.as_str();
        let message = format!("there is no function `{name}`");
        let problem = Diagnostic::at(Code::UnknownFunction, call.name.span.clone(), message);
        self.problem(match (name, closest(name, known.iter().copied())) {
            ("matches", _) => problem
                .hint("there are no regular expressions: use startsWith, endsWith, contains or in"),
            (_, Some(near)) => problem.hint(format!("did you mean `{near}`?")),
            (_, None) => problem.hint(format!("known: {}", known.join(", "))),
        })
    }
}
