//! Lists and maps. They exist only while a condition is compiled: their elements become parts of
//! one tree of scalars, so nothing allocates or loops when it runs. What they may grow to is
//! counted.

use super::{Checker, Typed, macros::sum_of};
use crate::{
    diagnostic::{Code, Diagnostic, Span, closest},
    program::{ComputedWhole, Condition, Real, Text, Whole},
    schema::Type,
    syntax::{Comparison, Expr, ExprKind},
};
use paywarden_domain::written::Quoted;

/// How many entries a map may have, and among how many an index is chosen at run time.
pub(crate) const ENTRIES_MAX: usize = 64;
/// How many expressions may be checked for one condition, repetitions by macros included.
pub(super) const STEPS_MAX: usize = 20_000;
/// How deep an element may be nested when macros have put others into it.
const DEPTH_MAX: usize = 128;

/// An element of a list, or a value of a map.
#[derive(Clone)]
pub(super) struct Item {
    /// Whether it is there: only elements behind a `filter` have a condition.
    pub present: Option<Condition>,
    pub value: Typed,
    /// How many expressions it is made of, repetitions included.
    weight: usize,
    /// How many windows and lists it asks.
    lookups: usize,
    depth: usize,
}

/// A constant key of a map.
#[derive(Clone, PartialEq)]
pub(super) enum Key {
    Int(i64),
    Bool(bool),
    Text(Box<str>),
}

/// A variable of a macro, and what it stands for at the moment.
pub(super) struct Bound {
    pub name: String,
    pub item: Item,
}

impl Checker<'_> {
    /// `[a, b]`, as a value.
    pub(super) fn list(&mut self, items: &[Expr]) -> Typed {
        Typed::List(items.iter().map(|item| self.item(item)).collect())
    }

    /// One element, with its weight and depth.
    pub(super) fn item(&mut self, expr: &Expr) -> Item {
        let (before, asked_before) = (self.steps, self.lookups);
        let value = self.expr(expr);
        let deepest = self.bound.iter().map(|bound| bound.item.depth).max();
        let depth = expr.depth + deepest.unwrap_or(0);
        if depth > DEPTH_MAX {
            self.too_much(&expr.span);
        }
        Item {
            present: None,
            value,
            weight: self.steps - before,
            lookups: self.lookups - asked_before,
            depth,
        }
    }

    /// `{key: value}`, as a value.
    pub(super) fn map(&mut self, entries: &[[Expr; 2]], span: &Span) -> Typed {
        if entries.len() > ENTRIES_MAX {
            let message = format!("a map has at most {ENTRIES_MAX} entries");
            return self.problem(Diagnostic::at(Code::TooLong, span.clone(), message));
        }
        let mut map: Vec<(Key, Item)> = Vec::new();
        for [key, value] in entries {
            let value = self.item(value);
            match self.key(key) {
                Some(known) if map.iter().any(|(other, _)| *other == known) => {
                    let message = "the map has this key twice".to_owned();
                    self.mismatch(&key.span, message);
                }
                Some(key) => map.push((key, value)),
                None => {}
            }
        }
        Typed::Map(map)
    }

    fn key(&mut self, expr: &Expr) -> Option<Key> {
        match self.expr(expr) {
            Typed::Whole(Type::Int, Whole::Constant(value)) => Some(Key::Int(value)),
            Typed::Bool(Condition::Constant(value)) => Some(Key::Bool(value)),
            Typed::Text(Text::Constant(text)) => Some(Key::Text(text)),
            Typed::Wrong => None,
            _ => {
                let message = "a key is a whole number, a text, `true` or `false`".to_owned();
                self.mismatch(&expr.span, message);
                None
            }
        }
    }

    /// What a variable of a macro stands for.
    pub(super) fn variable(&mut self, name: &str) -> Option<Typed> {
        let bound = self.bound.iter().rev().find(|bound| bound.name == name)?;
        let (value, weight) = (bound.item.value.clone(), bound.item.weight);
        self.lookups += bound.item.lookups;
        self.steps += weight;
        Some(value)
    }

    /// How many elements a list or map has.
    pub(super) fn count(collection: Typed) -> Typed {
        let count = match collection {
            Typed::List(items) if items.iter().all(|item| item.present.is_none()) => {
                Whole::Constant(items.len() as i64)
            }
            Typed::List(items) => {
                let always = || Condition::Constant(true);
                let there = items
                    .into_iter()
                    .map(|item| item.present.unwrap_or_else(always));
                sum_of(there.collect())
            }
            Typed::Map(entries) => Whole::Constant(entries.len() as i64),
            _ => return Typed::Wrong,
        };
        Typed::Whole(Type::Int, count)
    }

    /// `list[place]` or `map[key]`. What is not there is unknown, as a missing field is.
    pub(super) fn index(&mut self, sides: &[Expr; 2], span: &Span) -> Typed {
        let [object, place] = sides;
        let entries = match self.expr(object) {
            Typed::List(items) if items.iter().any(|item| item.present.is_some()) => {
                let message = "the places in a filtered list are not known".to_owned();
                return self.mismatch(span, message);
            }
            Typed::List(items) => {
                let places = (0..).map(Key::Int);
                places.zip(items).collect()
            }
            Typed::Map(entries) => entries,
            other => return self.expected("a list or a map", &other, object),
        };
        let before = self.steps;
        let key = self.expr(place);
        if let Some(constant) = key.as_key() {
            return self.entry(entries, &constant, &place.span);
        }
        self.steps += (self.steps - before) * entries.len();
        if entries.len() > ENTRIES_MAX {
            self.too_much(span);
            return Typed::Wrong;
        }
        let Some(kind) = entries.first().and_then(|(_, item)| item.value.kind()) else {
            return Typed::Wrong;
        };
        let mut chosen = Typed::nothing(kind);
        for (known, item) in entries.into_iter().rev() {
            let Some(is_it) = self.equal(key.clone(), known.item().value, &place.span) else {
                return Typed::Wrong;
            };
            let kinds = (item.value.kind(), chosen.kind());
            match Self::chosen(is_it, item.value, chosen) {
                Some(next) => chosen = next,
                None => return self.incompatible("chosen beside", kinds, span),
            }
        }
        chosen
    }

    /// The value of a constant key.
    fn entry(&mut self, entries: Vec<(Key, Item)>, key: &Key, span: &Span) -> Typed {
        let names: Vec<String> = entries.iter().map(|(known, _)| known.to_string()).collect();
        match entries.into_iter().find(|(known, _)| known == key) {
            Some((_, item)) => item.value,
            None => {
                let message = format!("there is nothing at {key}");
                let problem = Diagnostic::at(Code::UnknownField, span.clone(), message);
                let near = match key {
                    Key::Text(_) => closest(&key.to_string(), names.iter().map(String::as_str)),
                    Key::Int(_) | Key::Bool(_) => None,
                };
                self.problem(match near {
                    Some(near) => problem.hint(format!("did you mean {near}?")),
                    None => problem,
                })
            }
        }
    }

    /// `map.name`.
    pub(super) fn member(&mut self, object: &Expr, name: &str, span: &Span) -> Typed {
        match self.expr(object) {
            Typed::Map(entries) => self.entry(entries, &Key::Text(name.into()), span),
            Typed::Event(event) => self.part_of(&event, name, span),
            Typed::Wrong => Typed::Wrong,
            _ => self.problem(Diagnostic::at(
                Code::UnknownField,
                span.clone(),
                "only names and maps have fields",
            )),
        }
    }

    /// `has(map.name)`; none if it asks for something else.
    pub(super) fn has_key(&mut self, argument: &Expr) -> Option<Typed> {
        let ExprKind::Member(object, name) = &argument.kind else {
            return None;
        };
        let is_map = match &object.kind {
            ExprKind::Map(_) => true,
            ExprKind::Name(name) => self.bound.iter().any(|bound| bound.name == *name),
            _ => false,
        };
        if !is_map {
            return None;
        }
        let key = Key::Text(name.text.as_str().into());
        Some(match self.expr(object) {
            Typed::Map(entries) => {
                let there = entries.iter().any(|(known, _)| *known == key);
                Typed::Bool(Condition::Constant(there))
            }
            other => self.expected("a map", &other, object),
        })
    }

    /// That a value is among the elements of a list or the keys of a map.
    pub(super) fn among(&mut self, value: Typed, weight: usize, list: Typed, span: &Span) -> Typed {
        let items = match list {
            Typed::List(items) => items,
            Typed::Map(entries) => entries.into_iter().map(|(key, _)| key.item()).collect(),
            _ => return Typed::Wrong,
        };
        self.steps += weight * items.len();
        if self.steps > STEPS_MAX {
            self.too_much(span);
            return Typed::Wrong;
        }
        let mut each = Vec::with_capacity(items.len());
        for item in items {
            let Some(equal) = self.equal(value.clone(), item.value, span) else {
                return Typed::Wrong;
            };
            each.push(match item.present {
                Some(present) => Condition::All([present, equal].into()),
                None => equal,
            });
        }
        Typed::Bool(Condition::Any(each.into()))
    }

    /// That two values are the same, lists and maps element by element.
    pub(super) fn equal(&mut self, left: Typed, right: Typed, span: &Span) -> Option<Condition> {
        let kinds = (left.kind(), right.kind());
        let pairs: Vec<(Typed, Typed)> = match (left, right) {
            (Typed::List(left), Typed::List(right)) => {
                if left.iter().chain(&right).any(|item| item.present.is_some()) {
                    let message = "a filtered list cannot be compared as a whole".to_owned();
                    self.mismatch(span, message);
                    return None;
                }
                if left.len() != right.len() {
                    return Some(Condition::Constant(false));
                }
                let pairs = left.into_iter().zip(right);
                pairs
                    .map(|(left, right)| (left.value, right.value))
                    .collect()
            }
            (Typed::Map(left), Typed::Map(right)) => {
                if left.len() != right.len() {
                    return Some(Condition::Constant(false));
                }
                let mut pairs = Vec::new();
                for (key, item) in left {
                    match right.iter().find(|(other, _)| *other == key) {
                        Some((_, other)) => pairs.push((item.value, other.value.clone())),
                        None => return Some(Condition::Constant(false)),
                    }
                }
                pairs
            }
            (left, right) => {
                let test = Self::test_of(Comparison::Equal, left, right);
                if test.is_none() {
                    self.incompatible("compared with", kinds, span);
                }
                return test.map(Condition::Test);
            }
        };
        let each: Option<Vec<Condition>> = pairs
            .into_iter()
            .map(|(left, right)| self.equal(left, right, span))
            .collect();
        each.map(|each| Condition::All(each.into()))
    }

    /// Says once that macros make the condition too large.
    pub(super) fn too_much(&mut self, span: &Span) {
        if !self.stopped {
            self.stopped = true;
            let message = "the condition costs too much when its macros are written out";
            self.problem(
                Diagnostic::at(Code::TooLong, span.clone(), message)
                    .hint("go through fewer elements, or nest fewer macros"),
            );
        }
    }
}

impl Item {
    /// An element that is there whatever happens.
    pub(super) fn of(value: Typed) -> Self {
        Self {
            present: None,
            value,
            weight: 1,
            lookups: 0,
            depth: 1,
        }
    }

    /// The same element, there under a condition.
    pub(super) fn if_present(self, present: Option<Condition>) -> Self {
        Self { present, ..self }
    }
}

impl Key {
    pub(super) fn item(self) -> Item {
        Item::of(self.into())
    }
}

impl From<Key> for Typed {
    fn from(key: Key) -> Self {
        match key {
            Key::Int(value) => Self::Whole(Type::Int, Whole::Constant(value)),
            Key::Bool(value) => Self::Bool(Condition::Constant(value)),
            Key::Text(text) => Self::Text(Text::Constant(text)),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

impl Typed {
    pub(super) fn as_key(&self) -> Option<Key> {
        match self {
            Self::Whole(Type::Int, Whole::Constant(value)) => Some(Key::Int(*value)),
            Self::Bool(Condition::Constant(value)) => Some(Key::Bool(*value)),
            Self::Text(Text::Constant(text)) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// A value of a type that is always unknown: no event has an attribute without a name.
    fn nothing(kind: Type) -> Self {
        let nameless = Text::Attribute("".into());
        match kind {
            Type::Double => Self::Real(Real::Attribute("".into())),
            Type::Text => Self::Text(nameless),
            Type::Bool => Self::Bool(Condition::Flag("".into())),
            Type::List | Type::Map => Self::Wrong,
            _ => Self::Whole(kind, ComputedWhole::Read(kind, nameless).into()),
        }
    }
}
