//! The syntax tree of a condition. Spans are kept for diagnostics and do not count in equality.

use crate::diagnostic::Span;
use std::slice;

/// An expression as written.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, in bytes.
    pub span: Span,
    /// How many levels it has.
    pub(crate) depth: usize,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A whole number.
    Int(i64),
    /// A number with a point or exponent.
    Double(f64),
    /// A text literal, escapes resolved.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{a: b, c: d}`.
    Map(Vec<[Expr; 2]>),
    /// `list[place]` or `map[key]`.
    Index(Box<[Expr; 2]>),
    /// A lone name.
    Name(String),
    /// `object.name`.
    Member(Box<Expr>, Ident),
    /// `name(…)` or `receiver.name(…)`.
    Call(Box<Call>),
    /// An operator before its operand.
    Unary(Unary, Box<Expr>),
    /// Operands joined by `&&` or `||`: one level however long the chain is.
    Logical(Logical, Vec<Expr>),
    /// Another operator between two operands.
    Binary(Binary, Box<[Expr; 2]>),
    /// `condition ? then : otherwise`.
    Ternary(Box<[Expr; 3]>),
    /// A hole left where the parser expected a value. A tree with holes comes with diagnostics.
    Missing,
}

/// A function or method call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What stands before the dot.
    pub receiver: Option<Expr>,
    /// The function's name.
    pub name: Ident,
    /// What stands between the parentheses.
    pub arguments: Vec<Expr>,
}

/// A name with its place.
#[derive(Debug, Clone)]
pub struct Ident {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Operators that join conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Operators between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `==` to `>=`
    Compare(Comparison),
    /// `in`
    In,
    /// `+` to `%`
    Arithmetic(Arithmetic),
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// An operator that stands between operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Infix {
    Logical(Logical),
    Binary(Binary),
}

/// How each operator between operands is written, and how strongly it binds.
const OPERATORS: &[(Infix, &str, u8)] = &[
    (Infix::Logical(Logical::Or), "||", 2),
    (Infix::Logical(Logical::And), "&&", 3),
    (Infix::Binary(Binary::Compare(Comparison::Equal)), "==", 4),
    (
        Infix::Binary(Binary::Compare(Comparison::NotEqual)),
        "!=",
        4,
    ),
    (
        Infix::Binary(Binary::Compare(Comparison::LessOrEqual)),
        "<=",
        4,
    ),
    (Infix::Binary(Binary::Compare(Comparison::Less)), "<", 4),
    (
        Infix::Binary(Binary::Compare(Comparison::GreaterOrEqual)),
        ">=",
        4,
    ),
    (Infix::Binary(Binary::Compare(Comparison::Greater)), ">", 4),
    (Infix::Binary(Binary::In), "in", 4),
    (Infix::Binary(Binary::Arithmetic(Arithmetic::Add)), "+", 5),
    (
        Infix::Binary(Binary::Arithmetic(Arithmetic::Subtract)),
        "-",
        5,
    ),
    (
        Infix::Binary(Binary::Arithmetic(Arithmetic::Multiply)),
        "*",
        6,
    ),
    (
        Infix::Binary(Binary::Arithmetic(Arithmetic::Divide)),
        "/",
        6,
    ),
    (
        Infix::Binary(Binary::Arithmetic(Arithmetic::Remainder)),
        "%",
        6,
    ),
];

/// How strongly `?:` binds: weakest of all.
pub(crate) const TERNARY_POWER: u8 = 1;
/// How strongly `!` and `-` bind: stronger than any operator between two operands.
pub(crate) const UNARY_POWER: u8 = 7;
/// How strongly literals, names and calls hold together.
pub(crate) const PRIMARY_POWER: u8 = 8;

impl Infix {
    /// How it is written.
    pub(crate) fn symbol(self) -> &'static str {
        self.row().1
    }

    /// How strongly it binds.
    pub(crate) fn power(self) -> u8 {
        self.row().2
    }

    /// The operator written like this.
    pub(crate) fn parse(symbol: &str) -> Option<Self> {
        OPERATORS
            .iter()
            .find(|row| row.1 == symbol)
            .map(|row| row.0)
    }

    fn row(self) -> (Self, &'static str, u8) {
        OPERATORS
            .iter()
            .copied()
            .find(|row| row.0 == self)
            .unwrap_or((self, "?", 0))
    }
}

impl ExprKind {
    /// What it is made of, in source order.
    pub(crate) fn parts(&self) -> impl DoubleEndedIterator<Item = &Expr> {
        let (first, rest): (&[Expr], &[Expr]) = match self {
            Self::List(items) | Self::Logical(_, items) => (items, &[]),
            Self::Member(object, _) => (slice::from_ref(object), &[]),
            Self::Call(call) => (call.receiver.as_slice(), &call.arguments),
            Self::Unary(_, operand) => (slice::from_ref(operand), &[]),
            Self::Map(entries) => (entries.as_flattened(), &[]),
            Self::Binary(_, sides) | Self::Index(sides) => (sides.as_slice(), &[]),
            Self::Ternary(parts) => (parts.as_slice(), &[]),
            _ => (&[], &[]),
        };
        first.iter().chain(rest)
    }

    fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::List(items) | Self::Logical(_, items) => items.iter_mut().collect(),
            Self::Member(object, _) => vec![object],
            Self::Call(call) => call
                .receiver
                .iter_mut()
                .chain(&mut call.arguments)
                .collect(),
            Self::Unary(_, operand) => vec![operand],
            Self::Map(entries) => entries.iter_mut().flatten().collect(),
            Self::Binary(_, sides) | Self::Index(sides) => sides.iter_mut().collect(),
            Self::Ternary(parts) => parts.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}

fn depth(kind: &ExprKind) -> usize {
    let deepest = kind.parts().map(|part| part.depth).max();
    1 + deepest.unwrap_or(0)
}

impl Expr {
    pub(crate) fn new(kind: ExprKind, span: Span) -> Self {
        let depth = depth(&kind);
        Self { kind, span, depth }
    }

    /// How many nodes it has.
    pub(crate) fn nodes(&self) -> usize {
        1 + self.kind.parts().map(Self::nodes).sum::<usize>()
    }

    /// The lone names in it with their places, in source order.
    pub(crate) fn names<'e>(&'e self, names: &mut Vec<(&'e str, Span)>) {
        match &self.kind {
            ExprKind::Name(name) => names.push((name, self.span.clone())),
            kind => kind.parts().for_each(|part| part.names(names)),
        }
    }

    /// The same expression, but all of it at one place.
    pub(crate) fn at(&self, span: &Span) -> Self {
        let mut moved = self.clone();
        moved.move_to(span);
        moved
    }

    fn move_to(&mut self, span: &Span) {
        self.span = span.clone();
        if let ExprKind::Call(call) = &mut self.kind {
            call.name.span = span.clone();
        }
        let parts = self.kind.parts_mut();
        parts.into_iter().for_each(|part| part.move_to(span));
    }

    /// Puts what `meaning` knows in the place of lone names.
    pub(crate) fn replace_names(&mut self, meaning: &mut impl FnMut(&str, &Span) -> Option<Self>) {
        if let ExprKind::Name(name) = &self.kind {
            if let Some(replaced) = meaning(name, &self.span) {
                *self = replaced;
            }
            return;
        }
        for part in self.kind.parts_mut() {
            part.replace_names(meaning);
        }
        self.depth = depth(&self.kind);
    }

    /// The dotted path, if the expression is nothing but names and dots.
    pub fn path(&self) -> Option<String> {
        let mut path = String::new();
        self.is_path(&mut path).then_some(path)
    }

    fn is_path(&self, path: &mut String) -> bool {
        match &self.kind {
            ExprKind::Name(name) => path.push_str(name),
            ExprKind::Member(object, name) if object.is_path(path) => {
                path.push('.');
                path.push_str(&name.text);
            }
            _ => return false,
        }
        true
    }

    /// The smallest expression around a place; a dotted name is one.
    pub(crate) fn innermost(&self, place: usize) -> Option<&Self> {
        if !(self.span.start..=self.span.end).contains(&place) {
            return None;
        }
        if self.path().is_some() {
            return Some(self);
        }
        let inner = self.kind.parts().find_map(|part| part.innermost(place));
        Some(inner.unwrap_or(self))
    }

    /// The largest value that ends at a place and may have methods.
    pub(crate) fn ending_at(&self, place: usize) -> Option<&Self> {
        let primary = matches!(
            self.kind,
            ExprKind::Call(_)
                | ExprKind::Text(_)
                | ExprKind::List(_)
                | ExprKind::Map(_)
                | ExprKind::Index(_)
                | ExprKind::Name(_)
                | ExprKind::Member(..)
        );
        if primary && self.span.end == place {
            return Some(self);
        }
        let parts = self.kind.parts();
        parts
            .into_iter()
            .rev()
            .find_map(|part| part.ending_at(place))
    }

    /// The name that a dotted path begins with.
    pub(crate) fn root(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Member(object, _) => object.root(),
            _ => None,
        }
    }

    /// The text, if the expression is a text literal.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The operands of a chain of `&&`, in source order.
    pub(crate) fn conjuncts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Logical(Logical::And, operands) => {
                operands.iter().flat_map(Self::conjuncts).collect()
            }
            _ => vec![self],
        }
    }

    /// Whether nothing in it depends on the event.
    pub(crate) fn is_constant(&self) -> bool {
        match &self.kind {
            ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Missing => false,
            kind => kind.parts().all(Self::is_constant),
        }
    }
}
