//! Methods of texts, timestamps and durations, and conversions between types.

use super::{Checker, Typed};
use crate::{
    diagnostic::{Code, Diagnostic},
    program::{
        Calendar, Case, ComputedReal, ComputedText, ComputedWhole, Condition, Part, Pattern,
        Sought, Test, Text, Whole,
    },
    schema::Type,
    syntax::{Arithmetic, Call, Comparison, Expr},
    values,
};
use paywarden_domain::time::{HOUR, MINUTE, SECOND};

/// The longest regular expression, in bytes.
const PATTERN_BYTES_MAX: usize = 512;
/// The memory that a compiled regular expression may take, in bytes.
const PATTERN_MEMORY_MAX: usize = 256 * 1024;
/// How deep a regular expression may nest.
const PATTERN_DEPTH_MAX: u32 = 32;

const CALENDAR: &[(&str, Calendar)] = &[
    ("getFullYear", Calendar::FullYear),
    ("getMonth", Calendar::Month),
    ("getDate", Calendar::Date),
    ("getDayOfMonth", Calendar::DayOfMonth),
    ("getDayOfWeek", Calendar::DayOfWeek),
    ("getDayOfYear", Calendar::DayOfYear),
    ("getHours", Calendar::Hours),
    ("getMinutes", Calendar::Minutes),
    ("getSeconds", Calendar::Seconds),
    ("getMilliseconds", Calendar::Milliseconds),
];

impl Checker<'_> {
    /// A method of a text; none if there is none of that name with so many arguments.
    pub(super) fn text_method(&mut self, text: Text, call: &Call) -> Option<Typed> {
        let made = |made: ComputedText| Typed::Text(made.into());
        Some(match (call.name.text.as_str(), call.arguments.as_slice()) {
            ("startsWith", [sought]) => self.part(Part::StartsWith, text, sought),
            ("endsWith", [sought]) => self.part(Part::EndsWith, text, sought),
            ("contains", [sought]) => self.part(Part::Contains, text, sought),
            ("matches", [pattern]) => self.matches(text, pattern),
            ("size", []) => Typed::Whole(Type::Int, ComputedWhole::Size(text).into()),
            ("lowerAscii", []) => made(ComputedText::Case(Case::Lower, text)),
            ("upperAscii", []) => made(ComputedText::Case(Case::Upper, text)),
            ("trim", []) => made(ComputedText::Trim(text)),
            ("reverse", []) => made(ComputedText::Reverse(text)),
            ("charAt", [place]) => match self.int(place) {
                Some(place) => made(ComputedText::CharAt(text, place)),
                None => Typed::Wrong,
            },
            ("substring", [start, end @ ..]) if end.len() < 2 => {
                match (self.int(start), self.optional_int(end)) {
                    (Some(start), Some(end)) => made(ComputedText::Substring(text, start, end)),
                    _ => Typed::Wrong,
                }
            }
            ("replace", [sought, instead, times @ ..]) if times.len() < 2 => {
                let texts = (self.text(sought), self.text(instead));
                match (texts, self.optional_int(times)) {
                    ((Some(sought), Some(instead)), Some(times)) => {
                        made(ComputedText::Replace([text, sought, instead], times))
                    }
                    _ => Typed::Wrong,
                }
            }
            ("indexOf", [sought, start @ ..]) if start.len() < 2 => {
                self.find(Sought::First, text, sought, start)
            }
            ("lastIndexOf", [sought, start @ ..]) if start.len() < 2 => {
                self.find(Sought::Last, text, sought, start)
            }
            _ => return None,
        })
    }

    fn find(&mut self, which: Sought, text: Text, sought: &Expr, start: &[Expr]) -> Typed {
        match (self.text(sought), self.optional_int(start)) {
            (Some(sought), Some(start)) => {
                let found = ComputedWhole::Find(which, [text, sought], start);
                Typed::Whole(Type::Int, found.into())
            }
            _ => Typed::Wrong,
        }
    }

    /// An argument that may be left out; none if it is wrong.
    fn optional_int(&mut self, arguments: &[Expr]) -> Option<Option<Whole>> {
        match arguments {
            [] => Some(None),
            [argument, ..] => self.int(argument).map(Some),
        }
    }

    /// A regular expression is compiled here, once, within limits of size and memory; what the
    /// engine accepts runs in time linear in the text.
    fn matches(&mut self, text: Text, pattern: &Expr) -> Typed {
        let wrong = |message: &str| {
            Diagnostic::at(Code::BadLiteral, pattern.span.clone(), message.to_owned())
        };
        let Some(source) = pattern.as_text() else {
            return self.problem(wrong("a regular expression is a text literal"));
        };
        if source.len() > PATTERN_BYTES_MAX {
            return self.problem(wrong("a regular expression has at most 512 bytes"));
        }
        let compiled = regex::RegexBuilder::new(source)
            .size_limit(PATTERN_MEMORY_MAX)
            .dfa_size_limit(PATTERN_MEMORY_MAX)
            .nest_limit(PATTERN_DEPTH_MAX)
            .build();
        match compiled {
            Ok(regex) => Typed::Bool(Condition::Test(Test::Matches(text, Pattern(regex)))),
            Err(regex::Error::CompiledTooBig(_)) => {
                let problem = wrong("the regular expression is too large when it is compiled");
                self.problem(problem.hint("use smaller counts in `{…}`"))
            }
            Err(error) => {
                let text = error.to_string();
                let reason = text
                    .lines()
                    .last()
                    .unwrap_or("")
                    .trim_start_matches("error: ");
                self.problem(wrong("not a regular expression").hint(reason))
            }
        }
    }

    /// A part of a timestamp, in UTC or at a fixed offset.
    pub(super) fn timestamp_method(&mut self, time: Whole, call: &Call) -> Option<Typed> {
        let (_, part) = CALENDAR.iter().find(|(name, _)| *name == call.name.text)?;
        let ahead = match call.arguments.as_slice() {
            [] => 0,
            [zone] => match zone.as_text().and_then(offset) {
                Some(ahead) => ahead,
                None => {
                    let message = "a time zone is \"UTC\" or a fixed offset";
                    let problem = Diagnostic::at(Code::BadLiteral, zone.span.clone(), message);
                    return Some(self.problem(problem.hint("write it like `\"+08:00\"`")));
                }
            },
            _ => return None,
        };
        let part = ComputedWhole::Calendar(*part, time, ahead);
        Some(Typed::Whole(Type::Int, part.into()))
    }

    /// How many whole units a duration has; milliseconds are those within the second.
    pub(super) fn duration_method(span: &Whole, call: &Call) -> Option<Typed> {
        if !call.arguments.is_empty() {
            return None;
        }
        let span = span.clone();
        Some(match call.name.text.as_str() {
            "getHours" => Self::divided(span, HOUR),
            "getMinutes" => Self::divided(span, MINUTE),
            "getSeconds" => Self::divided(span, SECOND),
            "getMilliseconds" => {
                let second = [span, Whole::Constant(SECOND)];
                let within = ComputedWhole::Arithmetic(Arithmetic::Remainder, second);
                Self::divided(within.into(), 1_000)
            }
            _ => return None,
        })
    }

    /// A text that is read as another type when the rule runs.
    pub(super) fn read(&mut self, kind: Type, argument: &Expr) -> Typed {
        match self.expr(argument) {
            Typed::Text(text) => Typed::Whole(kind, ComputedWhole::Read(kind, text).into()),
            same @ Typed::Whole(found, _) if found == kind => same,
            other => self.expected("a string", &other, argument),
        }
    }

    /// A literal is read at once, so that a slip is found when rules are published.
    pub(super) fn timestamp(&mut self, argument: &Expr) -> Typed {
        if let Some(text) = argument.as_text() {
            let problem = || {
                Diagnostic::at(
                    Code::BadLiteral,
                    argument.span.clone(),
                    "not a point in time",
                )
                .hint("write `timestamp(\"2026-01-31T08:00:00Z\")`")
            };
            let value = values::timestamp(text).ok_or_else(problem);
            return self.whole_literal(Type::Timestamp, value);
        }
        match self.expr(argument) {
            Typed::Whole(Type::Int, seconds) => {
                let micros = [seconds, Whole::Constant(SECOND)];
                let micros = ComputedWhole::Arithmetic(Arithmetic::Multiply, micros).into();
                let time = ComputedWhole::Within(micros, values::TIMESTAMPS);
                Typed::Whole(Type::Timestamp, time.into())
            }
            Typed::Text(text) => {
                let time = ComputedWhole::Read(Type::Timestamp, text);
                Typed::Whole(Type::Timestamp, time.into())
            }
            same @ Typed::Whole(Type::Timestamp, _) => same,
            other => self.expected("a string or an int", &other, argument),
        }
    }

    pub(super) fn int_of(&mut self, argument: &Expr) -> Typed {
        match self.expr(argument) {
            Typed::Text(text) => {
                Typed::Whole(Type::Int, ComputedWhole::Read(Type::Int, text).into())
            }
            Typed::Real(real) => Typed::Whole(Type::Int, ComputedWhole::Truncate(real).into()),
            Typed::Whole(Type::Timestamp, time) => Self::divided(time, SECOND),
            same @ Typed::Whole(Type::Int, _) => same,
            other => self.expected("a number, a string or a timestamp", &other, argument),
        }
    }

    pub(super) fn double_of(&mut self, argument: &Expr) -> Typed {
        match self.expr(argument) {
            Typed::Text(text) => Typed::Real(ComputedReal::Read(text).into()),
            other => {
                let kind = other.kind();
                match (other.into_real(), kind) {
                    (Some(real), _) => Typed::Real(real),
                    (None, Some(kind)) => {
                        let message = format!("expected a number or a string, found {kind}");
                        self.mismatch(&argument.span, message)
                    }
                    (None, None) => Typed::Wrong,
                }
            }
        }
    }

    pub(super) fn text_of(&mut self, argument: &Expr) -> Typed {
        let made = match self.expr(argument) {
            same @ Typed::Text(_) => return same,
            Typed::Whole(kind @ (Type::Int | Type::Duration | Type::Timestamp), whole) => {
                ComputedText::Write(kind, whole)
            }
            Typed::Real(real) => ComputedText::WriteReal(real),
            Typed::Bool(condition) => ComputedText::WriteTruth(condition),
            other => return self.expected("a value that can be written", &other, argument),
        };
        Typed::Text(made.into())
    }

    pub(super) fn bool_of(&mut self, argument: &Expr) -> Typed {
        match self.expr(argument) {
            Typed::Text(text) => {
                let read = ComputedWhole::Read(Type::Bool, text).into();
                let is_one = Test::Whole(Comparison::Equal, read, Whole::Constant(1));
                Typed::Bool(Condition::Test(is_one))
            }
            same @ Typed::Bool(_) => same,
            other => self.expected("a string", &other, argument),
        }
    }

    pub(super) fn size(&mut self, argument: &Expr) -> Typed {
        match self.expr(argument) {
            Typed::Text(text) => Typed::Whole(Type::Int, ComputedWhole::Size(text).into()),
            collection @ (Typed::List(_) | Typed::Map(_)) => Self::count(collection),
            other => self.expected("a string, a list or a map", &other, argument),
        }
    }
}

/// `+08:00`, `-03:30`, `08:00` or `UTC`, in microseconds ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "UTC" | "Z") {
        return Some(0);
    }
    let (sign, clock) = match text.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str, max: i64| {
        let fits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number: i64 = fits.then(|| digits.parse().ok()).flatten()?;
        (number <= max).then_some(number)
    };
    Some(sign * (number(hours, 18)? * HOUR + number(minutes, 59)? * MINUTE))
}
