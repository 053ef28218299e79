//! One case: what it asks, what we answer, and what that means.

use super::textproto::{Message, Value};
use paywarden_domain::Currency;
use paywarden_rules::{Code, Constant, NoValue, Rates, evaluate_constant};

/// A case of the suite.
pub struct Case {
    pub section: String,
    pub name: String,
    pub expression: String,
    names: Vec<(String, Option<Constant>)>,
    expected: Expected,
    source: Message,
}

enum Expected {
    Value(Option<Constant>),
    Error,
}

/// What came of a case.
pub enum Verdict {
    /// The value that CEL gives, or no value where CEL has an error.
    Passed,
    /// CEL has an error when it evaluates; here the checker refuses it before.
    Refused,
    /// Outside of the language, with the reason.
    NotApplicable(&'static str),
    /// Another answer than CEL's.
    Failed(String),
}

/// What an expression mentions that the language does not have, and why not. The first that fits
/// is the reason.
const OUTSIDE: &[(&str, &[&str])] = &[
    (
        "protocol messages and their wrappers",
        &[
            "TestAllTypes",
            "google.protobuf.",
            "NestedTestAllTypes",
            "proto.getExt",
            "proto.hasExt",
            "proto2",
            "proto3",
            "GlobalEnum",
            "NestedEnum",
        ],
    ),
    (
        "optional values",
        &[
            "optional.",
            ".?",
            "[?",
            "{?",
            "optMap",
            "optFlatMap",
            "hasValue()",
            "orValue(",
        ],
    ),
    (
        "local names of the kind `cel.block`",
        &["cel.block", "cel.iterVar", "cel.index"],
    ),
    (
        "network addresses",
        &["ip(", "cidr(", "isIP(", "isCIDR(", "ip.isCanonical"],
    ),
    (
        "bytes",
        &[
            "b'", "b\"", "B'", "B\"", "bytes", "bR\"", "bR'", "br'", "br\"", "base64.", "BR", "Br",
        ],
    ),
    (
        "types as values: `type(…)`",
        &["type(", "list == type", "map == type"],
    ),
    ("`dyn`", &["dyn("]),
    (
        "unsigned numbers",
        &[
            "uint(", "0u", "1u", "2u", "3u", "4u", "5u", "6u", "7u", "8u", "9u", "Fu", "fu", "Au",
        ],
    ),
    ("`null`", &["null"]),
    (
        "texts to lists and formats: `split`, `join`, `format`, `quote`",
        &[".split(", ".join(", ".format(", "strings.quote("],
    ),
    (
        "bit operations and tests for infinity",
        &[
            "math.bit",
            "math.isNaN",
            "math.isInf",
            "math.isFinite",
            "math.sign",
            "math.sqrt",
        ],
    ),
    (
        "infinity and NaN",
        &[
            "'NaN'", "\"NaN\"", "Infinity", "0.0/0.0", "/0.0", "/ 0.0", "1e400", "/-0.0",
        ],
    ),
    (
        "time zones by name",
        &["Australia/", "US/Central", "America/", "Asia/"],
    ),
    (
        "nanoseconds",
        &["999Z", "999ns", "1ns", "000001Z", "123456789Z", "2Z')  "],
    ),
    (
        "names quoted with backticks, and words that CEL reserves",
        &["`", "a.const()", "a.break(", "a.const(", "a.for("],
    ),
    (
        "macros with two variables",
        &[
            "existsOne",
            "transformList",
            "transformMap",
            "(i, v,",
            "(k, v,",
        ],
    ),
];

impl Case {
    pub fn all(section: &Message) -> Vec<Self> {
        let name = section.text("name").unwrap_or_default();
        let case = |test: &Message| Self::read(&name, test);
        section.messages("test").map(case).collect()
    }

    fn read(section: &str, test: &Message) -> Self {
        let typed = test
            .message("typed_result")
            .and_then(|typed| typed.message("result"));
        let expected = match test.message("value").or(typed) {
            _ if test.all("eval_error").next().is_some() => Expected::Error,
            Some(value) => Expected::Value(constant(value)),
            None => Expected::Value(Some(Constant::Bool(true))),
        };
        let names = test.messages("bindings").map(|binding| {
            let value = binding
                .message("value")
                .and_then(|value| value.message("value"));
            (
                binding.text("key").unwrap_or_default(),
                value.and_then(constant),
            )
        });
        Self {
            section: section.to_owned(),
            name: test.text("name").unwrap_or_default(),
            expression: test.text("expr").unwrap_or_default(),
            names: names.collect(),
            expected,
            source: test.clone(),
        }
    }

    pub fn judge(&self) -> Verdict {
        let known = self
            .names
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.clone()?)));
        let rates = Rates::new(Currency::parse("USD").unwrap());
        let answer = evaluate_constant(&self.expression, &known.collect::<Vec<_>>(), &rates);
        match (&self.expected, &answer) {
            (Expected::Value(Some(expected)), Ok(found)) if same(expected, found) => {
                return Verdict::Passed;
            }
            (Expected::Error, Err(NoValue::Unknown | NoValue::Fault(_))) => {
                return Verdict::Passed;
            }
            _ => {}
        }
        if let Some(reason) = self.outside(&answer) {
            return Verdict::NotApplicable(reason);
        }
        match (&self.expected, answer) {
            (Expected::Error, Err(NoValue::Refused(_))) => Verdict::Refused,
            (Expected::Error, Ok(found)) => {
                Verdict::Failed(format!("{found:?} instead of an error"))
            }
            (Expected::Value(_), Ok(found)) => Verdict::Failed(format!("{found:?}")),
            (_, Err(NoValue::Unknown)) => Verdict::Failed("unknown".to_owned()),
            (_, Err(NoValue::Fault(fault))) => Verdict::Failed(format!("fault {fault}")),
            (_, Err(NoValue::Refused(problems))) => Verdict::Failed(problems[0].message.clone()),
        }
    }

    /// Why a case does not apply to a language without what it asks.
    fn outside(&self, answer: &Result<Constant, NoValue>) -> Option<&'static str> {
        let mentions = |words: &&[&str]| words.iter().any(|word| self.expression.contains(word));
        let told = OUTSIDE.iter().find(|(_, words)| mentions(words));
        let has = |name: &str| mentioned(&self.source, name);
        let kinds = [
            ("message_type", "protocol messages and their wrappers"),
            ("object_value", "protocol messages and their wrappers"),
            ("bytes_value", "bytes"),
            ("uint64_value", "unsigned numbers"),
            ("null_value", "`null`"),
            ("type_value", "types as values: `type(…)`"),
            ("enum_value", "protocol messages and their wrappers"),
            ("unknown", "partial evaluation"),
        ];
        if let Some((reason, _)) = told {
            return Some(reason);
        }
        if let Some((_, reason)) = kinds.into_iter().find(|(kind, _)| has(kind)) {
            return Some(reason);
        }
        if !self.source.text("container").unwrap_or_default().is_empty()
            || self.names.iter().any(|(name, _)| name.contains('.'))
        {
            return Some("namespaces");
        }
        if self.source.text("check_only").is_some() {
            return Some("the type that a checker deduces, without a value");
        }
        match answer {
            Err(NoValue::Refused(_))
                if self.source.text("disable_check").is_some()
                    && matches!(self.expected, Expected::Value(_)) =>
            {
                Some("evaluation of what no checker accepts")
            }
            Err(NoValue::Refused(problems))
                if matches!(self.expected, Expected::Value(_))
                    && problems.iter().all(|problem| {
                        problem.code == Code::TypeMismatch && problem.message.contains("cannot be")
                    }) =>
            {
                Some("values of different types compared")
            }
            Err(NoValue::Refused(_)) if mentioned(&self.source, "type_env") && has("function") => {
                Some("functions of the test environment")
            }
            _ => None,
        }
    }
}

fn mentioned(message: &Message, name: &str) -> bool {
    message.0.iter().any(|(field, value)| {
        field == name || matches!(value, Value::Message(inner) if mentioned(inner, name))
    })
}

/// A value of the suite as ours; none if we have no such value.
fn constant(value: &Message) -> Option<Constant> {
    let (kind, inner) = value.0.first()?;
    let text = || value.text(kind);
    Some(match (kind.as_str(), inner) {
        ("bool_value", _) => Constant::Bool(text()? == "true"),
        ("int64_value", _) => Constant::Int(text()?.parse().ok()?),
        ("double_value", _) => Constant::Double(text()?.parse().ok()?),
        ("string_value", _) => Constant::Text(text()?),
        ("list_value", Value::Message(list)) => Constant::List(
            list.messages("values")
                .map(constant)
                .collect::<Option<_>>()?,
        ),
        ("map_value", Value::Message(map)) => {
            let entry = |entry: &Message| {
                Some((
                    constant(entry.message("key")?)?,
                    constant(entry.message("value")?)?,
                ))
            };
            Constant::Map(map.messages("entries").map(entry).collect::<Option<_>>()?)
        }
        ("object_value", Value::Message(object)) => {
            let (name, value) = object.0.first()?;
            let Value::Message(value) = value else {
                return None;
            };
            let number = |field: &str| {
                value
                    .text(field)
                    .map_or(Some(0), |text| text.parse::<i64>().ok())
            };
            let nanos = number("nanos")?;
            let micros = number("seconds")?
                .checked_mul(1_000_000)?
                .checked_add(nanos / 1_000)?;
            match name.rsplit('.').next()? {
                "Duration" => Constant::Duration(micros),
                "Timestamp" => Constant::Timestamp(micros),
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// Equal as CEL sees it: maps without order, numbers to the bit.
fn same(left: &Constant, right: &Constant) -> bool {
    match (left, right) {
        (Constant::Map(left), Constant::Map(right)) => {
            let finds = |(key, value): &(Constant, Constant)| {
                right
                    .iter()
                    .any(|(other, found)| same(key, other) && same(value, found))
            };
            left.len() == right.len() && left.iter().all(finds)
        }
        (Constant::List(left), Constant::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Constant::Double(left), Constant::Double(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    }
}
