//! Examples: each rule's own test cases, run through the evaluator that decides payments.

use crate::{
    checker::windows,
    diagnostic::{Code, Diagnostic, closest},
    literals,
    pack::Example,
    parser::parse,
    program::{AttributeKind, Source},
    rule_set::{Rule, RuleSet},
    schema::{Field, Type},
    slots::{FieldValue, Slots},
    syntax::{Call, Expr, ExprKind},
    truth::Truth,
    values,
};
use paywarden_domain::{
    Currency, Money, RuleValues,
    event::{AttributeValue, Attributes, Text},
};
use paywarden_features::{Value, WindowSpec};

/// Runs every example of every rule, rules that are off included. Nothing is returned if all of
/// them behave as they say.
pub fn check_examples(rules: &RuleSet) -> Vec<Diagnostic> {
    let each = rules.rules().iter().enumerate();
    each.flat_map(|(place, rule)| {
        let run = |example| {
            Run {
                rules,
                rule,
                place,
                example,
            }
            .check()
        };
        rule.examples.iter().filter_map(run).collect::<Vec<_>>()
    })
    .collect()
}

/// What one rule makes of a case that is not among its examples.
pub fn try_example(
    rules: &RuleSet,
    place: usize,
    example: &Example,
) -> Result<(Truth, RuleValues), Diagnostic> {
    let no_rule = || Diagnostic::new(Code::ExampleMalformed, "there is no such rule");
    let rule = rules.rules().get(place).ok_or_else(no_rule)?;
    let run = Run {
        rules,
        rule,
        place,
        example,
    };
    let prepared = run.prepare().map_err(|problem| run.placed(problem))?;
    Ok(run.evaluate(&prepared))
}

struct Run<'a> {
    rules: &'a RuleSet,
    rule: &'a Rule,
    place: usize,
    example: &'a Example,
}

/// What an example gives, ready to be lent to slots.
#[derive(Default)]
struct Prepared<'a> {
    slots: Slots<'a>,
    windows: Vec<Value>,
    lists: Vec<Option<bool>>,
    attributes: Attributes,
}

impl<'a> Run<'a> {
    fn check(&self) -> Option<Diagnostic> {
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(problem) => return Some(self.placed(problem)),
        };
        let (truth, values) = self.evaluate(&prepared);
        let expected = if self.example.hit {
            "fire"
        } else {
            "stay silent"
        };
        let found = match (truth, self.example.hit) {
            (Truth::True, true) | (Truth::False | Truth::Unknown, false) => return None,
            (Truth::True, false) => "it fires".to_owned(),
            (Truth::False, _) => "it is false".to_owned(),
            (Truth::Unknown, _) => "it is unknown".to_owned(),
            (Truth::Fault(fault), _) => format!("it has a fault, {fault}"),
        };
        let values: Vec<String> = values.iter().map(|value| value.to_string()).collect();
        let message = format!("the rule should {expected}, but {found}");
        let problem = Diagnostic::new(Code::ExampleFailed, message);
        Some(self.placed(problem.hint(values.join(", "))))
    }

    fn evaluate(&self, prepared: &Prepared<'_>) -> (Truth, RuleValues) {
        let mut slots = prepared.slots.clone();
        slots.windows = &prepared.windows;
        slots.lists = &prepared.lists;
        slots.attributes = Some(&prepared.attributes);
        (
            self.rules.truth(self.place, &slots),
            self.rules.explain(self.place, &slots),
        )
    }

    fn placed(&self, problem: Diagnostic) -> Diagnostic {
        let message = format!("example \"{}\": {}", self.example.name, problem.message);
        Diagnostic { message, ..problem }.in_rule(&self.rule.file, self.rule.line, &self.rule.id)
    }

    fn prepare(&self) -> Result<Prepared<'a>, Diagnostic> {
        let mut prepared = Prepared {
            windows: vec![Value::Missing; self.rules.windows().len()],
            lists: vec![None; self.rules.probes().len()],
            ..Prepared::default()
        };
        for (operand, value) in &self.example.given {
            self.give(&mut prepared, operand, value)?;
        }
        // As in production: a list that is not spoken of does not hold a field that is there.
        let mut slots = prepared.slots.clone();
        slots.attributes = Some(&prepared.attributes);
        for (answer, probe) in prepared.lists.iter_mut().zip(self.rules.probes()) {
            *answer = answer.or(probe.value(&slots).map(|_| false));
        }
        Ok(prepared)
    }

    fn give(
        &self,
        prepared: &mut Prepared<'a>,
        operand: &str,
        value: &'a str,
    ) -> Result<(), Diagnostic> {
        let parsed = parse(operand);
        let unreadable = || malformed(format!("`{operand}` is not an operand"));
        if !parsed.problems.is_empty() {
            return Err(unreadable());
        }
        if let ExprKind::Call(call) = &parsed.expr.kind {
            if call.receiver.as_ref().and_then(Expr::path).as_deref() == Some("attributes") {
                return give_attribute(prepared, call, value);
            }
            return self.give_window(prepared, call, &parsed.expr, value);
        }
        let path = parsed.expr.path().ok_or_else(unreadable)?;
        match path.strip_prefix("lists.") {
            Some(list) => self.give_list(prepared, list, value),
            None => self.give_field(prepared, &path, value),
        }
    }

    fn give_field(
        &self,
        prepared: &mut Prepared<'a>,
        path: &str,
        value: &'a str,
    ) -> Result<(), Diagnostic> {
        let Some(field) = self.rules.schema().field(path) else {
            let problem = malformed(format!("there is no field `{path}`"));
            let fields = self.rules.schema().fields().iter();
            return Err(problem.did_you_mean(path, fields.map(|field| field.path())));
        };
        prepared.slots.set(field, self.field_value(field, value)?);
        Ok(())
    }

    fn field_value(&self, field: Field, value: &'a str) -> Result<FieldValue<'a>, Diagnostic> {
        let path = field.path();
        let parsed = match field.kind() {
            Type::Int => value.parse().ok().map(FieldValue::Int),
            Type::Double => value
                .parse()
                .ok()
                .filter(|v: &f64| v.is_finite())
                .map(FieldValue::Double),
            Type::Bool => value.parse().ok().map(FieldValue::Bool),
            Type::Duration => literals::duration(value).map(FieldValue::Duration),
            Type::Timestamp => values::timestamp(value).map(FieldValue::Timestamp),
            // No field holds a list or a map.
            Type::List | Type::Map => None,
            Type::Money => self.base_minor(value).map(FieldValue::Money),
            Type::PaymentMoney => money(value).map(|money| FieldValue::Money(money.minor)),
            Type::Text if !field.vocabulary().knows(value) => {
                let problem = malformed(format!("`{path}` is never \"{value}\""));
                return Err(problem.did_you_mean(value, field.words()));
            }
            Type::Text => Some(FieldValue::Text(value)),
        };
        parsed.ok_or_else(|| not_a(field.kind(), path, value))
    }

    fn base_minor(&self, value: &str) -> Option<i64> {
        self.rules.rates().to_base(money(value)?).ok()
    }

    fn give_window(
        &self,
        prepared: &mut Prepared<'a>,
        call: &Call,
        expr: &Expr,
        value: &str,
    ) -> Result<(), Diagnostic> {
        let rates = self.rules.rates();
        let schema = self.rules.schema();
        let spec =
            windows::read(call, &expr.span, rates, schema).map_err(|problem| Diagnostic {
                span: None,
                code: Code::ExampleMalformed,
                ..problem
            })?;
        let same = |known: &WindowSpec| {
            let readers = known.readers;
            *known == WindowSpec { readers, ..spec }
        };
        let slot = self.rules.windows().iter().position(same);
        let read = |slot: &usize| self.reads(&Source::Window(*slot));
        let Some(slot) = slot.filter(read) else {
            return Err(self.not_read(&expr.to_string()));
        };
        let kind = windows::kind(&spec, schema);
        let parsed = match kind {
            Type::Int if windows::asks_if_none(call) => {
                let none = value.parse::<bool>().ok();
                none.map(|none| Value::Count(i64::from(!none)))
            }
            Type::Int => value.parse().ok().map(Value::Count),
            Type::Money => self.base_minor(value).map(Value::Money),
            Type::Text => {
                let named = schema.outcome(value);
                named.map(|outcome| Value::Count(outcome as i64))
            }
            _ => literals::duration(value).map(Value::Duration),
        };
        let parsed = parsed.ok_or_else(|| not_a(kind, &expr.to_string(), value))?;
        if let Some(window) = prepared.windows.get_mut(slot) {
            *window = parsed;
        }
        Ok(())
    }

    fn give_list(
        &self,
        prepared: &mut Prepared<'a>,
        list: &str,
        value: &str,
    ) -> Result<(), Diagnostic> {
        let operand = format!("lists.{list}");
        let listed = value
            .parse()
            .map_err(|_| not_a(Type::Bool, &operand, value))?;
        let mut found = false;
        for (place, probe) in self.rules.probes().iter().enumerate() {
            let read = self.reads(&Source::Listed(place));
            if read && probe.list == list {
                found = true;
                if let Some(answer) = prepared.lists.get_mut(place) {
                    *answer = Some(listed);
                }
            }
        }
        if found {
            Ok(())
        } else {
            Err(self.not_read(&operand))
        }
    }

    fn reads(&self, source: &Source) -> bool {
        self.rules
            .operands(self.place)
            .any(|(_, read)| read == source)
    }

    /// A given operand that the rule never asks for: most often a slip.
    fn not_read(&self, operand: &str) -> Diagnostic {
        let problem = malformed(format!("the rule does not read `{operand}`"));
        let read: Vec<&str> = self
            .rules
            .operands(self.place)
            .map(|(text, _)| text)
            .collect();
        match closest(operand, read.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("it reads: {}", read.join(", "))),
        }
    }
}

fn give_attribute(prepared: &mut Prepared<'_>, call: &Call, value: &str) -> Result<(), Diagnostic> {
    let unreadable = || malformed("write `attributes.text(\"name\")`, `.number(…)` or `.flag(…)`");
    let [argument] = call.arguments.as_slice() else {
        return Err(unreadable());
    };
    let name = argument.as_text().ok_or_else(unreadable)?;
    let kind = AttributeKind::parse(&call.name.text).ok_or_else(unreadable)?;
    let parsed = match kind {
        AttributeKind::Text => Text::parse(value).ok().map(AttributeValue::Text),
        AttributeKind::Number => value.parse().ok().map(AttributeValue::Number),
        AttributeKind::Flag => value.parse().ok().map(AttributeValue::Flag),
    };
    let operand = format!("attributes.{}(\"{name}\")", call.name.text);
    let parsed = parsed.ok_or_else(|| malformed(format!("\"{value}\" does not fit {operand}")))?;
    let refused = |invalid: paywarden_domain::Invalid| malformed(invalid.detail);
    let name = Text::parse(name).map_err(refused)?;
    prepared.attributes.push(name, parsed).map_err(refused)
}

/// Reads an amount such as `3.00 USD`.
fn money(text: &str) -> Option<Money> {
    let (value, currency) = text.split_once(' ')?;
    let currency = Currency::parse(currency.trim()).ok()?;
    let (negative, value) = match value.strip_prefix('-') {
        Some(value) => (true, value),
        None => (false, value),
    };
    let amount = Money::parse(value, currency).ok()?;
    Some(Money {
        minor: if negative {
            -amount.minor
        } else {
            amount.minor
        },
        ..amount
    })
}

fn malformed(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ExampleMalformed, message)
}

fn not_a(kind: Type, operand: &str, value: &str) -> Diagnostic {
    let form = match kind {
        Type::Int => "a whole number",
        Type::Double => "a number",
        Type::Money | Type::PaymentMoney => "an amount with a known currency, like `3.00 USD`",
        Type::Bool => "true or false",
        Type::Duration => "a time span, like `2d 3h`",
        Type::Timestamp => "a time, like `2026-01-31T08:00:00Z`",
        Type::Text | Type::List | Type::Map => "a text",
    };
    malformed(format!("`{operand}` cannot be \"{value}\"")).hint(format!("give {form}"))
}
