//! Macros over lists and maps, written out element by element while a condition is compiled.

use super::{
    Checker, Typed,
    lists::{Bound, Item, Key},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    functions::{self, On},
    program::{ComputedWhole, Condition, Test, Whole},
    syntax::{Arithmetic, Call, Comparison, Expr, ExprKind},
};

/// How many elements a macro goes through.
pub(crate) const ELEMENTS_MAX: usize = 16;

/// The macros: how many variables they may have at most, and whether a filter may stand before
/// what they make.
const MACROS: &[(&str, usize, bool)] = &[
    ("exists", 2, false),
    ("all", 2, false),
    ("exists_one", 2, false),
    ("existsOne", 2, false),
    ("filter", 1, false),
    ("map", 1, true),
    ("transformList", 2, true),
    ("transformMap", 2, false),
];

/// Whether the call is one of the macros.
pub(super) fn is_macro(call: &Call) -> bool {
    MACROS.iter().any(|(name, ..)| *name == call.name.text)
}

/// What a macro is asked for.
struct Asked<'a> {
    variables: Vec<&'a str>,
    filter: Option<&'a Expr>,
    body: &'a Expr,
}

/// An element with its place or key.
struct Element {
    key: Key,
    item: Item,
    /// What a single variable stands for: an element of a list, a key of a map.
    single: Item,
}

impl Checker<'_> {
    /// `list.exists(e, condition)` and its like.
    pub(super) fn comprehension(&mut self, receiver: &Expr, call: &Call, expr: &Expr) -> Typed {
        let name = call.name.text.as_str();
        let Some(asked) = asked(call) else {
            let usage = functions::find(name, On::List).map_or("", |function| function.usage);
            return self.wrong_arguments(call, expr, &format!("write it like `{usage}`"));
        };
        let Some(elements) = self.elements(receiver, name) else {
            return Typed::Wrong;
        };
        let body = asked.body;
        match name {
            "map" | "transformList" => {
                Typed::List(self.each(&asked, elements, |checker, element| {
                    let present = match asked.filter {
                        Some(filter) => Some(checker.passes(&element.item, filter)),
                        None => element.item.present.clone(),
                    };
                    checker.item(body).if_present(present)
                }))
            }
            "transformMap" => Typed::Map(self.each(&asked, elements, |checker, element| {
                (element.key.clone(), checker.item(body))
            })),
            "filter" => Typed::List(self.each(&asked, elements, |checker, element| {
                let present = Some(checker.passes(&element.item, body));
                element.single.clone().if_present(present)
            })),
            "all" => Typed::Bool(Condition::All(
                self.each(&asked, elements, |checker, element| {
                    let holds = checker.condition(body);
                    match element.item.present.clone() {
                        Some(there) => {
                            Condition::Any([Condition::Not(Box::new(there)), holds].into())
                        }
                        None => holds,
                    }
                })
                .into(),
            )),
            _ => {
                let holds = self.each(&asked, elements, |checker, element| {
                    checker.passes(&element.item, body)
                });
                Typed::Bool(match name {
                    "exists" => Condition::Any(holds.into()),
                    _ => {
                        let one = Whole::Constant(1);
                        Condition::Test(Test::Whole(Comparison::Equal, sum_of(holds), one))
                    }
                })
            }
        }
    }

    /// `cel.bind(name, value, expression)`: a name for a part of one expression.
    pub(super) fn bind(&mut self, call: &Call, expr: &Expr) -> Typed {
        match call.arguments.as_slice() {
            [
                Expr {
                    kind: ExprKind::Name(name),
                    ..
                },
                value,
                body,
            ] => {
                let item = self.item(value);
                self.bound.push(Bound {
                    name: name.clone(),
                    item,
                });
                let typed = self.expr(body);
                self.bound.pop();
                typed
            }
            _ => {
                let usage = "write it like `cel.bind(days, payer.age, days > duration(\"2d\"))`";
                self.wrong_arguments(call, expr, usage)
            }
        }
    }

    /// What a macro goes through: the elements of a list or the entries of a map.
    fn elements(&mut self, receiver: &Expr, name: &str) -> Option<Vec<Element>> {
        let elements: Vec<Element> = match self.expr(receiver) {
            Typed::List(items) => {
                let element = |(place, item): (i64, Item)| Element {
                    key: Key::Int(place),
                    single: item.clone(),
                    item,
                };
                (0..).zip(items).map(element).collect()
            }
            Typed::Map(entries) => {
                let element = |(key, item): (Key, Item)| Element {
                    single: key.clone().item(),
                    key,
                    item,
                };
                entries.into_iter().map(element).collect()
            }
            other => {
                self.expected("a list or a map", &other, receiver);
                return None;
            }
        };
        if elements.len() > ELEMENTS_MAX {
            let message = format!("`{name}` goes through at most {ELEMENTS_MAX} elements");
            self.problem(Diagnostic::at(
                Code::TooLong,
                receiver.span.clone(),
                message,
            ));
            return None;
        }
        Some(elements)
    }

    fn each<T>(
        &mut self,
        asked: &Asked<'_>,
        elements: Vec<Element>,
        mut make: impl FnMut(&mut Self, &Element) -> T,
    ) -> Vec<T> {
        let mut made = Vec::with_capacity(elements.len());
        for element in &elements {
            let items = match asked.variables.len() {
                1 => vec![element.single.clone()],
                _ => vec![element.key.clone().item(), element.item.clone()],
            };
            let before = self.bound.len();
            let names = asked.variables.iter().map(|name| (*name).to_owned());
            let bound = names.zip(items).map(|(name, item)| Bound { name, item });
            self.bound.extend(bound);
            made.push(make(self, element));
            self.bound.truncate(before);
        }
        made
    }

    /// That an element is there and a condition holds for it.
    fn passes(&mut self, item: &Item, condition: &Expr) -> Condition {
        let holds = self.condition(condition);
        match &item.present {
            Some(present) => Condition::All([present.clone(), holds].into()),
            None => holds,
        }
    }
}

/// The variables, filter and body of a macro; none if it is not written so.
fn asked(call: &Call) -> Option<Asked<'_>> {
    let (name, variables_max, may_filter) =
        MACROS.iter().find(|(name, ..)| *name == call.name.text)?;
    let names = call
        .arguments
        .iter()
        .map_while(|argument| match &argument.kind {
            ExprKind::Name(name) => Some(name.as_str()),
            _ => None,
        });
    // The last argument is no variable, even if it is a name.
    let most = call.arguments.len().checked_sub(1)?.min(*variables_max);
    let least = if name.starts_with("transform") { 2 } else { 1 };
    let variables: Vec<&str> = names.take(most).collect();
    let wanted = match (call.arguments.len(), may_filter) {
        (count, true) if count > least => least,
        (count, _) => count - 1,
    };
    let variables = variables.get(..wanted)?.to_vec();
    let rest = call.arguments.get(wanted..)?;
    match rest {
        [body] if !variables.is_empty() => Some(Asked {
            variables,
            filter: None,
            body,
        }),
        [filter, body] if *may_filter => Some(Asked {
            variables,
            filter: Some(filter),
            body,
        }),
        _ => None,
    }
}

/// How many conditions are true: unknown if one of them is.
pub(super) fn sum_of(conditions: Vec<Condition>) -> Whole {
    let one = |condition| {
        ComputedWhole::Choose(condition, [Whole::Constant(1), Whole::Constant(0)]).into()
    };
    let ones = conditions.into_iter().map(one);
    ones.reduce(|sum, one| ComputedWhole::Arithmetic(Arithmetic::Add, [sum, one]).into())
        .unwrap_or(Whole::Constant(0))
}
