//! Comparisons, membership, arithmetic and the ternary operator.

use super::{Checker, Typed, lists::Item};
use crate::{
    diagnostic::{Code, Diagnostic, Span, closest},
    program::{
        ComputedReal, ComputedText, ComputedWhole, Condition, Real, Source, Test, Text, Whole,
    },
    rule_set::ListProbe,
    schema::{Type, Vocabulary},
    syntax::{Arithmetic, Binary, Comparison, Expr, ExprKind, Infix},
    values,
};

impl Checker<'_> {
    pub(super) fn comparison(
        &mut self,
        comparison: Comparison,
        sides: &[Expr; 2],
        span: &Span,
    ) -> Typed {
        let [left, right] = sides;
        self.known_words(left, right);
        self.known_words(right, left);
        let (left, right) = (self.expr(left), self.expr(right));
        let kinds = (left.kind(), right.kind());
        let whole = matches!(left, Typed::List(_) | Typed::Map(_));
        match (left, right, comparison) {
            (Typed::Wrong, ..) | (_, Typed::Wrong, _) => Typed::Wrong,
            (left, right, Comparison::Equal) if whole => self
                .equal(left, right, span)
                .map_or(Typed::Wrong, Typed::Bool),
            (left, right, Comparison::NotEqual) if whole => {
                let equal = self.equal(left, right, span);
                equal.map_or(Typed::Wrong, |equal| {
                    Typed::Bool(Condition::Not(Box::new(equal)))
                })
            }
            (left, right, _) => match Self::test_of(comparison, left, right) {
                Some(test) => Typed::Bool(Condition::Test(test)),
                None => self.incompatible("compared with", kinds, span),
            },
        }
    }

    /// The comparison of two scalars; none if their types do not go together.
    pub(super) fn test_of(comparison: Comparison, left: Typed, right: Typed) -> Option<Test> {
        Some(match (left, right) {
            (Typed::Text(left), Typed::Text(right)) => Test::Text(comparison, left, right),
            (Typed::Bool(left), Typed::Bool(right)) => {
                Test::Bool(comparison, Box::new([left, right]))
            }
            (Typed::Whole(kind, left), Typed::Whole(other, right)) if kind == other => {
                Test::Whole(comparison, left, right)
            }
            (left, right) => {
                let (left, right) = left.into_real().zip(right.into_real())?;
                Test::Real(comparison, left, right)
            }
        })
    }

    /// `value in [elements]`, `value in map` or `field in lists.name`.
    pub(super) fn membership(&mut self, sides: &[Expr; 2], span: &Span) -> Typed {
        let [value, list] = sides;
        if let Some(name) = list
            .path()
            .as_deref()
            .and_then(|path| path.strip_prefix("lists."))
        {
            return self.list_probe(value, name, &list.span);
        }
        let before = self.steps;
        let typed = self.expr(value);
        let weight = self.steps - before;
        let ExprKind::List(items) = &list.kind else {
            return match self.expr(list) {
                Typed::Wrong => Typed::Wrong,
                collection @ (Typed::List(_) | Typed::Map(_)) => {
                    self.among(typed, weight, collection, span)
                }
                _ => {
                    let message = "`in` needs a list, a map or `lists.name` on its right";
                    self.mismatch(&list.span, message.to_owned())
                }
            };
        };
        if items.is_empty() && !self.allows_constants {
            let message = "nothing is in an empty list";
            return self.problem(Diagnostic::at(
                Code::ConstantCondition,
                span.clone(),
                message,
            ));
        }
        for item in items {
            self.known_words(value, item);
        }
        let scalar = matches!(typed, Typed::Whole(..) | Typed::Real(_) | Typed::Text(_));
        let elements: Vec<Item> = items.iter().map(|item| self.item(item)).collect();
        if scalar && elements.iter().all(|element| element.value.is_literal()) {
            let literals = elements.into_iter().map(|element| element.value);
            let spans = items.iter().map(|item| &item.span);
            return self.one_of(typed, literals.zip(spans).collect());
        }
        match typed {
            Typed::Wrong => Typed::Wrong,
            typed => self.among(typed, weight, Typed::List(elements), span),
        }
    }

    fn one_of(&mut self, value: Typed, items: Vec<(Typed, &Span)>) -> Typed {
        let kind = value.kind();
        let widened = items
            .iter()
            .any(|(item, _)| item.kind() == Some(Type::Double));
        let value = match value {
            Typed::Whole(Type::Int, whole) if widened => {
                Typed::Real(ComputedReal::Whole(whole).into())
            }
            other => other,
        };
        let (mut wholes, mut reals, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (item, span) in items {
            let found = item.kind();
            match (&value, item) {
                (Typed::Wrong, _) | (_, Typed::Wrong) => {}
                (Typed::Whole(kind, _), Typed::Whole(other, Whole::Constant(item)))
                    if *kind == other =>
                {
                    wholes.push(item);
                }
                (Typed::Text(_), Typed::Text(Text::Constant(item))) => texts.push(item),
                (Typed::Real(_), item) => match item.into_real() {
                    Some(Real::Constant(item)) => reals.push(item),
                    _ => drop(self.incompatible("looked for among", (kind, found), span)),
                },
                _ => drop(self.incompatible("looked for among", (kind, found), span)),
            }
        }
        wholes.sort_unstable();
        texts.sort_unstable();
        Typed::Bool(Condition::Test(match value {
            Typed::Whole(_, value) => Test::WholeIn(value, wholes.into()),
            Typed::Text(value) => Test::TextIn(value, texts.into()),
            Typed::Real(value) => Test::RealIn(value, reals.into()),
            _ => return Typed::Wrong,
        }))
    }

    fn list_probe(&mut self, value: &Expr, list: &str, span: &Span) -> Typed {
        let first = list
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !first || !list.bytes().all(rest) || list.len() > 64 {
            let message = "the name of a list is snake_case, at most 64 characters";
            return self.problem(Diagnostic::at(Code::BadIdentifier, span.clone(), message));
        }
        let asked_before = self.lookups;
        let typed = self.expr(value);
        if self.lookups > asked_before {
            let message = "what is looked up in a list may not depend on windows or lists";
            return self.mismatch(&value.span, message.to_owned());
        }
        match typed {
            Typed::Text(text) if !matches!(text, Text::Constant(_)) => {
                let operand = value.to_string();
                self.lookups += 1;
                let probe = self.shared.probes.place(ListProbe {
                    operand: operand.clone(),
                    list: list.to_owned(),
                    text,
                });
                self.operand(format!("{operand} in lists.{list}"), Source::Listed(probe));
                Typed::Bool(Condition::Listed(probe))
            }
            Typed::Text(_) => {
                let message = "a constant is on a list or not, whatever happens";
                self.problem(Diagnostic::at(
                    Code::ConstantCondition,
                    value.span.clone(),
                    message,
                ))
            }
            other => self.expected("a string", &other, value),
        }
    }

    /// A text literal beside a closed field must be a word that the field can hold.
    fn known_words(&mut self, field: &Expr, literal: &Expr) {
        let Some(word) = literal.as_text() else {
            return;
        };
        let Some(field) = field.path().and_then(|path| self.scope.schema.field(&path)) else {
            return;
        };
        if field.vocabulary().knows(word) {
            return;
        }
        let message = format!("`{}` is never \"{word}\"", field.path());
        let problem = Diagnostic::at(Code::StringUnknownValue, literal.span.clone(), message);
        let words = field.words();
        self.problem(
            match (closest(word, words.iter().copied()), field.vocabulary()) {
                (Some(near), _) => problem.hint(format!("did you mean \"{near}\"?")),
                (None, Vocabulary::Country) => problem.hint("write an ISO 3166-1 alpha-2 code"),
                (None, Vocabulary::Currency) => problem.hint("write an ISO 4217 code"),
                (None, _) => problem.hint(format!("known: {}", words.join(", "))),
            },
        );
    }

    pub(super) fn negate(&mut self, operand: &Expr) -> Typed {
        match self.expr(operand) {
            Typed::Whole(kind, whole) => Typed::Whole(kind, ComputedWhole::Negate(whole).into()),
            Typed::Real(real) => Typed::Real(ComputedReal::Negate(real).into()),
            other => {
                if let Some(kind) = other.kind() {
                    self.mismatch(&operand.span, format!("expected a number, found {kind}"));
                }
                Typed::Wrong
            }
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Arithmetic,
        sides: &[Expr; 2],
        span: &Span,
    ) -> Typed {
        let [left, right] = sides;
        let (left, right) = (self.expr(left), self.expr(right));
        let kinds = (left.kind(), right.kind());
        let symbol = Infix::Binary(Binary::Arithmetic(operator)).symbol();
        match (left, right) {
            (Typed::Wrong, _) | (_, Typed::Wrong) => Typed::Wrong,
            (Typed::Text(left), Typed::Text(right)) if operator == Arithmetic::Add => {
                Typed::Text(joined(left, right))
            }
            (Typed::List(mut left), Typed::List(right)) if operator == Arithmetic::Add => {
                left.extend(right);
                Typed::List(left)
            }
            (Typed::Whole(kind, left), Typed::Whole(other, right))
                if time_result(kind, operator, other).is_some() =>
            {
                let kind = time_result(kind, operator, other).unwrap_or(kind);
                let bounds = match kind {
                    Type::Timestamp => values::TIMESTAMPS,
                    _ => values::DURATIONS,
                };
                let sum = ComputedWhole::Arithmetic(operator, [left, right]).into();
                Typed::Whole(kind, ComputedWhole::Within(sum, bounds).into())
            }
            (Typed::Whole(kind, left), Typed::Whole(other, right)) if kind == other => {
                match whole_result(kind, operator) {
                    Some(Type::Double) => Typed::Real(ComputedReal::Ratio([left, right]).into()),
                    Some(kind) => Typed::Whole(
                        kind,
                        ComputedWhole::Arithmetic(operator, [left, right]).into(),
                    ),
                    None => self.incompatible(symbol, kinds, span),
                }
            }
            (Typed::Whole(kind, amount), factor) | (factor, Typed::Whole(kind, amount))
                if is_money(kind) && operator == Arithmetic::Multiply =>
            {
                match factor {
                    Typed::Whole(Type::Int, factor) => Typed::Whole(
                        kind,
                        ComputedWhole::Arithmetic(operator, [amount, factor]).into(),
                    ),
                    Typed::Real(factor) => {
                        Typed::Whole(kind, ComputedWhole::Scale(amount, factor).into())
                    }
                    _ => self.incompatible(symbol, kinds, span),
                }
            }
            (left, right) => match (left.into_real(), right.into_real()) {
                (Some(left), Some(right)) if operator != Arithmetic::Remainder => {
                    Typed::Real(ComputedReal::Arithmetic(operator, [left, right]).into())
                }
                _ => self.incompatible(symbol, kinds, span),
            },
        }
    }

    pub(super) fn ternary(&mut self, parts: &[Expr; 3], span: &Span) -> Typed {
        let [condition, then, otherwise] = parts;
        let condition = self.condition(condition);
        let (then, otherwise) = (self.expr(then), self.expr(otherwise));
        let kinds = (then.kind(), otherwise.kind());
        match Self::chosen(condition, then, otherwise) {
            Some(chosen) => chosen,
            None => self.incompatible("chosen beside", kinds, span),
        }
    }

    /// One of two values of one type; none if their types do not go together.
    pub(super) fn chosen(condition: Condition, then: Typed, otherwise: Typed) -> Option<Typed> {
        Some(match (then, otherwise) {
            (Typed::Wrong, _) | (_, Typed::Wrong) => Typed::Wrong,
            (Typed::Bool(then), Typed::Bool(otherwise)) => {
                Typed::Bool(Condition::Choose(Box::new([condition, then, otherwise])))
            }
            (Typed::Text(then), Typed::Text(otherwise)) => {
                Typed::Text(ComputedText::Choose(condition, [then, otherwise]).into())
            }
            (Typed::Whole(kind, then), Typed::Whole(other, otherwise)) if kind == other => {
                Typed::Whole(
                    kind,
                    ComputedWhole::Choose(condition, [then, otherwise]).into(),
                )
            }
            (then, otherwise) => {
                let (then, otherwise) = then.into_real().zip(otherwise.into_real())?;
                Typed::Real(ComputedReal::Choose(condition, [then, otherwise]).into())
            }
        })
    }

    /// Two types that do not go together, with the repair that is meant most often.
    pub(super) fn incompatible(
        &mut self,
        verb: &str,
        kinds: (Option<Type>, Option<Type>),
        span: &Span,
    ) -> Typed {
        let (Some(left), Some(right)) = kinds else {
            return Typed::Wrong;
        };
        let has = |kind| left == kind || right == kind;
        let code = match is_money(left) && is_money(right) && left != right {
            true => Code::CurrencyMismatch,
            false => Code::TypeMismatch,
        };
        let problem = Diagnostic::at(
            code,
            span.clone(),
            match verb.len() {
                1 => format!("`{verb}` does not go between {left} and {right}"),
                _ => format!("{left} cannot be {verb} {right}"),
            },
        );
        let hint = match code {
            Code::CurrencyMismatch => "use payment.amount_base",
            _ if has(Type::Duration) && has(Type::Money) => "",
            _ if has(Type::Duration) => "write a time span as `duration(\"2d\")`",
            _ if verb == "/" && has(Type::Money) => "multiply instead: `* 0.5`",
            _ if has(Type::Money) => "write an amount as `money(\"5.00\", \"USD\")`",
            _ if has(Type::PaymentMoney) => {
                "use payment.amount_base and `money(\"5.00\", \"USD\")`"
            }
            _ if verb == "+" && has(Type::Text) => "write the other as a text: `string(…)`",
            _ => "",
        };
        self.problem(if hint.is_empty() {
            problem
        } else {
            problem.hint(hint)
        })
    }
}

fn is_money(kind: Type) -> bool {
    matches!(kind, Type::Money | Type::PaymentMoney)
}

/// Two texts joined; a chain of joins is one.
fn joined(left: Text, right: Text) -> Text {
    let parts = |text| match text {
        Text::Computed(computed) => match *computed {
            ComputedText::Join(texts) => texts.into_vec(),
            other => vec![other.into()],
        },
        other => vec![other],
    };
    let mut texts = parts(left);
    texts.extend(parts(right));
    ComputedText::Join(texts.into()).into()
}

/// The type of a sum or difference of durations and timestamps.
fn time_result(left: Type, operator: Arithmetic, right: Type) -> Option<Type> {
    use Arithmetic::{Add, Subtract};
    match (left, operator, right) {
        (Type::Timestamp, Subtract, Type::Timestamp)
        | (Type::Duration, Add | Subtract, Type::Duration) => Some(Type::Duration),
        (Type::Timestamp, Add | Subtract, Type::Duration)
        | (Type::Duration, Add, Type::Timestamp) => Some(Type::Timestamp),
        _ => None,
    }
}

/// The type of an operation between two values of one type stored as whole numbers.
fn whole_result(kind: Type, operator: Arithmetic) -> Option<Type> {
    match (kind, operator) {
        (Type::Int, _) => Some(Type::Int),
        (Type::Money | Type::PaymentMoney, Arithmetic::Add | Arithmetic::Subtract) => Some(kind),
        (Type::Money | Type::PaymentMoney, Arithmetic::Divide) => Some(Type::Double),
        _ => None,
    }
}
