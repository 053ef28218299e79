//! The formatter: one way to write each expression. Parsing what it wrote gives the same tree.

use crate::{
    diagnostic::{Diagnostic, Span},
    lexer::comments,
    parser::parse,
    syntax::{
        Binary, Call, Expr, ExprKind, Infix, Logical, PRIMARY_POWER, TERNARY_POWER, UNARY_POWER,
        Unary,
    },
};
use paywarden_domain::written::Quoted;
use std::{fmt, slice};

/// Rewrites an expression with canonical spacing, quotes and brackets. A comment comes to stand on
/// a line of its own above the part of the outermost `&&` or `||` that it is about: the one before
/// it if they share a line, else the one after it.
///
/// ```
/// let tidy = paywarden_rules::format("card.count( '10m' )>=5&&(payer.age<duration('2d'))");
/// assert_eq!(tidy.unwrap(), r#"card.count("10m") >= 5 && payer.age < duration("2d")"#);
/// ```
pub fn format(expression: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(expression);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems);
    }
    let comments = comments(expression);
    match comments.is_empty() {
        true => Ok(parsed.expr.to_string()),
        false => Ok(commented(&parsed.expr, &comments, expression)),
    }
}

/// The expression with its comments between its parts.
fn commented(expr: &Expr, comments: &[Span], source: &str) -> String {
    let (parts, operator) = match &expr.kind {
        ExprKind::Logical(operator, parts) => (parts.as_slice(), Some(*operator)),
        _ => (slice::from_ref(expr), None),
    };
    let mut comments = comments.iter().peekable();
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for (place, part) in parts.iter().enumerate() {
        let is_above = |comment: &&Span| {
            let between = source.get(part.span.end..comment.start);
            between.is_none_or(|between| !between.contains('\n'))
        };
        while let Some(comment) = comments.next_if(is_above) {
            lines.extend(Some(std::mem::take(&mut line)).filter(|line| !line.is_empty()));
            lines.push(source[comment.clone()].trim_end().to_owned());
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &match operator {
            Some(operator) => operand(operator, part),
            None => part.to_string(),
        };
        if let Some(operator) = operator.filter(|_| place + 1 < parts.len()) {
            line += &format!(" {}", Infix::Logical(operator).symbol());
        }
    }
    lines.push(line);
    lines.extend(comments.map(|comment| source[comment.clone()].trim_end().to_owned()));
    lines.join("\n")
}

/// One part of a chain of `&&` or `||`.
fn operand(operator: Logical, part: &Expr) -> String {
    match power(part) <= Infix::Logical(operator).power() {
        true => format!("({part})"),
        false => part.to_string(),
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Int(value) => write!(f, "{value}"),
            ExprKind::Double(value) => write!(f, "{value:?}"),
            ExprKind::Text(text) => Quoted(text).fmt(f),
            ExprKind::Bool(value) => write!(f, "{value}"),
            ExprKind::List(items) => list(f, '[', items, ']'),
            ExprKind::Map(entries) => map(f, entries),
            ExprKind::Index(sides) => {
                let [object, place] = sides.as_ref();
                within(f, object, PRIMARY_POWER)?;
                write!(f, "[{place}]")
            }
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Member(object, name) => {
                within(f, object, PRIMARY_POWER)?;
                write!(f, ".{}", name.text)
            }
            ExprKind::Call(call) => call.fmt(f),
            ExprKind::Unary(operator, operand) => unary(f, *operator, operand),
            ExprKind::Logical(operator, operands) => logical(f, *operator, operands),
            ExprKind::Binary(operator, sides) => binary(f, *operator, sides),
            ExprKind::Ternary(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                within(f, condition, TERNARY_POWER + 1)?;
                f.write_str(" ? ")?;
                within(f, then, TERNARY_POWER + 1)?;
                f.write_str(" : ")?;
                within(f, otherwise, TERNARY_POWER)
            }
            ExprKind::Missing => f.write_str("…"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(receiver) = &self.receiver {
            within(f, receiver, PRIMARY_POWER)?;
            f.write_str(".")?;
        }
        f.write_str(&self.name.text)?;
        list(f, '(', &self.arguments, ')')
    }
}

/// How strongly the outermost operator of an expression binds.
pub(crate) fn power(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Ternary(_) => TERNARY_POWER,
        ExprKind::Logical(operator, _) => Infix::Logical(*operator).power(),
        ExprKind::Binary(operator, _) => Infix::Binary(*operator).power(),
        ExprKind::Unary(..) => UNARY_POWER,
        ExprKind::Int(value) if *value < 0 => UNARY_POWER,
        ExprKind::Double(value) if value.is_sign_negative() => UNARY_POWER,
        _ => PRIMARY_POWER,
    }
}

/// Writes an operand, in brackets if it binds more weakly than its surroundings need.
fn within(f: &mut fmt::Formatter<'_>, expr: &Expr, power_min: u8) -> fmt::Result {
    if power(expr) < power_min {
        write!(f, "({expr})")
    } else {
        write!(f, "{expr}")
    }
}

fn unary(f: &mut fmt::Formatter<'_>, operator: Unary, operand: &Expr) -> fmt::Result {
    let number = matches!(operand.kind, ExprKind::Int(_) | ExprKind::Double(_));
    match operator {
        Unary::Not => f.write_str("!")?,
        Unary::Negate if number && power(operand) == PRIMARY_POWER => {
            return write!(f, "-({operand})");
        }
        Unary::Negate => f.write_str("-")?,
    }
    within(f, operand, UNARY_POWER)
}

fn logical(f: &mut fmt::Formatter<'_>, operator: Logical, operands: &[Expr]) -> fmt::Result {
    let operator = Infix::Logical(operator);
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            write!(f, " {} ", operator.symbol())?;
        }
        within(f, operand, operator.power() + 1)?;
    }
    Ok(())
}

fn binary(f: &mut fmt::Formatter<'_>, operator: Binary, sides: &[Expr; 2]) -> fmt::Result {
    let ([left, right], operator) = (sides, Infix::Binary(operator));
    within(f, left, operator.power())?;
    write!(f, " {} ", operator.symbol())?;
    within(f, right, operator.power() + 1)
}

fn list(f: &mut fmt::Formatter<'_>, open: char, items: &[Expr], close: char) -> fmt::Result {
    write!(f, "{open}")?;
    for (index, item) in items.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    write!(f, "{close}")
}

fn map(f: &mut fmt::Formatter<'_>, entries: &[[Expr; 2]]) -> fmt::Result {
    f.write_str("{")?;
    for (index, [key, value]) in entries.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{key}: {value}")?;
    }
    f.write_str("}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stand_above_what_they_are_about() {
        for (written, tidy) in [
            (
                "payer.age<duration('2d') && // young\n event.hour > 3",
                "// young\npayer.age < duration(\"2d\") && event.hour > 3",
            ),
            (
                "// all of it\nevent.hour > 3",
                "// all of it\nevent.hour > 3",
            ),
            (
                "a && b &&\n  // why\n (c || // inner\n d) && e\n// the end",
                "a && b &&\n// why\n// inner\n(c || d) && e\n// the end",
            ),
            ("a == \"// no comment\"", "a == \"// no comment\""),
        ] {
            let found = format(written).unwrap();
            assert_eq!(format(&found).unwrap(), found, "{written}");
            assert_eq!(parse(&found).expr, parse(written).expr);
            assert_eq!(found, tidy);
        }
    }
}
