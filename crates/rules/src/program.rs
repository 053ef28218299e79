//! Compiled conditions: one small typed tree per rule. There is one kind of node per type, so
//! evaluation asks no types; amounts, durations and whole numbers are all 64-bit integers.

use crate::{
    schema::{Field, Schema, Type},
    syntax::{Arithmetic, Comparison},
};
use paywarden_domain::EventKind;
use paywarden_features::Set;

/// A condition: true, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    Constant(bool),
    Field(Field),
    Flag(Box<str>),
    /// Whether the field of a list probe is on its list.
    Listed(usize),
    Has(Source),
    Not(Box<Condition>),
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Choose(Box<[Condition; 3]>),
    Test(Test),
}

/// A question about values that is true or false once they are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Bool(Comparison, Box<[Condition; 2]>),
    Whole(Comparison, Whole, Whole),
    Real(Comparison, Real, Real),
    Text(Comparison, Text, Text),
    /// Sorted constants.
    WholeIn(Whole, Box<[i64]>),
    RealIn(Real, Box<[f64]>),
    /// Sorted constants.
    TextIn(Text, Box<[Box<str>]>),
    Part(Part, Text, Text),
    Matches(Text, Pattern),
}

/// A whole number, an amount in minor units or a duration in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whole {
    Constant(i64),
    Int(Field),
    Money(Field),
    Duration(Field),
    Timestamp(Field),
    Window(usize),
    Computed(Box<ComputedWhole>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ComputedWhole {
    /// Length of a text in characters.
    Size(Text),
    /// Place of the second text in the first in characters, sought from a place on; -1 if it is
    /// not there.
    Find(Sought, [Text; 2], Option<Whole>),
    /// A text read as a whole number, a duration or a timestamp.
    Read(Type, Text),
    /// The one that wins every comparison: the greatest or the least.
    Extreme(Comparison, Box<[Whole]>),
    Absolute(Whole),
    /// A number without its fraction.
    Truncate(Real),
    /// A part of a timestamp, on a clock that is so many microseconds ahead of UTC.
    Calendar(Calendar, Whole, i64),
    /// A value between two bounds, else an overflow.
    Within(Whole, [i64; 2]),
    Negate(Whole),
    Arithmetic(Arithmetic, [Whole; 2]),
    /// An amount times a number, rounded half away from zero.
    Scale(Whole, Real),
    Choose(Condition, [Whole; 2]),
    /// What a condition is worth if it is true, and if it is unknown; else 0.
    Points(Condition, [i64; 2]),
}

/// A floating point number; never an amount.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Real {
    Constant(f64),
    Field(Field),
    Attribute(Box<str>),
    Computed(Box<ComputedReal>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ComputedReal {
    Whole(Whole),
    /// One amount divided by another.
    Ratio([Whole; 2]),
    /// A text read as a number.
    Read(Text),
    Round(Rounding, Real),
    Extreme(Comparison, Box<[Real]>),
    Negate(Real),
    Arithmetic(Arithmetic, [Real; 2]),
    Choose(Condition, [Real; 2]),
}

/// A text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Text {
    Constant(Box<str>),
    Field(Field),
    Attribute(Box<str>),
    Computed(Box<ComputedText>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ComputedText {
    Case(Case, Text),
    Trim(Text),
    Reverse(Text),
    Join(Box<[Text]>),
    /// The second text replaced by the third, at most so many times.
    Replace([Text; 3], Option<Whole>),
    /// From one place to before another, in characters.
    Substring(Text, Whole, Option<Whole>),
    CharAt(Text, Whole),
    /// A whole number, duration or timestamp as text.
    Write(Type, Whole),
    WriteReal(Real),
    WriteTruth(Condition),
    Choose(Condition, [Text; 2]),
}

/// A regular expression. Two are the same if they are written the same.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// Letters changed to one case; only those of ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
}

/// Which of several places is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    First,
    Last,
}

/// Ways to make a number whole or positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    Absolute,
    Ceiling,
    Floor,
    HalfAwayFromZero,
    TowardsZero,
}

/// Parts of a timestamp, counted as CEL counts them: months, days of the month and of the year
/// from 0 (`Date` from 1), days of the week from 0 for Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl From<ComputedWhole> for Whole {
    fn from(computed: ComputedWhole) -> Self {
        Self::Computed(Box::new(computed))
    }
}

impl From<ComputedReal> for Real {
    fn from(computed: ComputedReal) -> Self {
        Self::Computed(Box::new(computed))
    }
}

impl From<ComputedText> for Text {
    fn from(computed: ComputedText) -> Self {
        Self::Computed(Box::new(computed))
    }
}

impl Condition {
    /// The types of event for which the condition may be anything but false. An event of another
    /// type needs no evaluation: false decides over whatever else is unknown or a fault.
    pub(crate) fn event_kinds(&self) -> Set<EventKind> {
        let schema_of = |text: &Text| match text {
            Text::Field(field) if *field == field.schema().kind_field => Some(field.schema()),
            _ => None,
        };
        match self {
            Self::All(operands) => {
                let kinds: Vec<_> = operands.iter().map(Self::event_kinds).collect();
                Set::all()
                    .iter()
                    .filter(|kind| kinds.iter().all(|k| k.contains(*kind)))
                    .collect()
            }
            Self::Any(operands) => operands
                .iter()
                .flat_map(|o| o.event_kinds().iter())
                .collect(),
            Self::Test(Test::Text(Comparison::Equal, left, Text::Constant(word))) => {
                let only = |schema: &Schema| schema.kind(word).into_iter().collect();
                schema_of(left).map_or_else(Set::all, only)
            }
            Self::Test(Test::TextIn(value, words)) => {
                let named = |schema: &Schema| words.iter().filter_map(|w| schema.kind(w)).collect();
                schema_of(value).map_or_else(Set::all, named)
            }
            _ => Set::all(),
        }
    }
}

/// Where one text is looked for in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    StartsWith,
    EndsWith,
    Contains,
}

/// Where an operand comes from: all that can be missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Field(Field),
    Window(usize),
    Listed(usize),
    Attribute(AttributeKind, Box<str>),
}

/// How an attribute is read. One of another kind counts as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AttributeKind {
    Text,
    Number,
    Flag,
}

impl AttributeKind {
    pub(crate) const ALL: [Self; 3] = [Self::Text, Self::Number, Self::Flag];

    /// The method that reads it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
        }
    }

    /// The kind that this method reads.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
