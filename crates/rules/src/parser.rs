//! The parser: precedence climbing (Pratt) with recovery. It always returns a tree, with holes
//! where something was missing, and every mistake it could find in one go.

use crate::{
    diagnostic::{Code, Diagnostic, Span},
    lexer::{self, Token},
    syntax::{Binary, Call, Expr, ExprKind, Ident, Infix, TERNARY_POWER, UNARY_POWER, Unary},
};
use std::cell::Cell;

/// The longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 16 * 1024;
/// How deep an expression may nest. A chain of `&&` or of `||` is one level, however long.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// How many nodes an expression may have.
pub const EXPRESSION_NODES_MAX: usize = 2_000;
/// How many mistakes are reported for one expression.
pub const PROBLEMS_MAX: usize = 20;

thread_local! {
    /// Room for tokens. Thousands of conditions are parsed one after the other, and a list that
    /// large would make the allocator tidy up for each.
    static ROOM: Cell<Vec<(Token, Span)>> = const { Cell::new(Vec::new()) };
}

/// What the parser made of a text.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The tree. It has no holes if there are no problems.
    pub expr: Expr,
    /// What was wrong, in source order.
    pub problems: Vec<Diagnostic>,
}

/// Parses one condition.
///
/// ```
/// let parsed = paywarden_rules::parse("payer.age < duration(\"2d\") &&");
/// assert_eq!(parsed.problems[0].message, "expected a value, found the end");
/// ```
pub fn parse(source: &str) -> Parsed {
    if source.len() > EXPRESSION_BYTES_MAX {
        let message = format!("an expression has at most {EXPRESSION_BYTES_MAX} bytes");
        let expr = Expr::new(ExprKind::Missing, 0..0);
        return Parsed {
            expr,
            problems: vec![Diagnostic::new(Code::TooLong, message)],
        };
    }
    let mut tokens = ROOM.take();
    let problems = lexer::tokens_into(source, &mut tokens);
    let mut parser = Parser {
        tokens,
        problems,
        at: 0,
        nodes: 0,
        depth: 0,
        stopped: false,
    };
    let expr = parser.whole();
    let Parser {
        mut tokens,
        mut problems,
        ..
    } = parser;
    tokens.clear();
    ROOM.set(tokens);
    problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
    problems.truncate(PROBLEMS_MAX);
    Parsed {
        expr,
        problems: problems.into_iter().map(|p| p.located(source)).collect(),
    }
}

/// Words that other languages use for operators.
const WORDS: &[(&str, &str)] = &[("and", "&&"), ("or", "||")];

struct Parser {
    tokens: Vec<(Token, Span)>,
    problems: Vec<Diagnostic>,
    at: usize,
    nodes: usize,
    depth: usize,
    stopped: bool,
}

impl Parser {
    /// The whole expression. After a misplaced token it goes on at the next `&&` or `||`.
    fn whole(&mut self) -> Expr {
        let mut expr = self.expression(TERNARY_POWER);
        while *self.peek() != Token::End {
            self.unexpected("expected an operator");
            while !matches!(self.peek(), Token::End | Token::Symbol("&&" | "||")) {
                self.skip();
            }
            expr = self.operators(expr, TERNARY_POWER);
        }
        expr
    }

    fn expression(&mut self, power_min: u8) -> Expr {
        let operand = self.operand();
        self.operators(operand, power_min)
    }

    /// An expression inside brackets, behind a unary operator or in a branch.
    fn nested(&mut self, power_min: u8) -> Expr {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            self.stop_nesting();
        }
        let expr = self.expression(power_min);
        self.depth -= 1;
        expr
    }

    /// Everything that binds at least this strongly to an operand already read.
    fn operators(&mut self, mut left: Expr, power_min: u8) -> Expr {
        loop {
            if *self.peek() == Token::Symbol("?") && power_min <= TERNARY_POWER {
                left = self.ternary(left);
                continue;
            }
            match self.operator() {
                Some(operator) if operator.power() >= power_min => {
                    self.skip();
                    let right = self.expression(operator.power() + 1);
                    left = self.joined(operator, left, right);
                }
                _ => return left,
            }
        }
    }

    fn joined(&mut self, operator: Infix, left: Expr, right: Expr) -> Expr {
        let span = left.span.start..right.span.end;
        let kind = match (operator, left) {
            (Infix::Binary(operator), left) => ExprKind::Binary(operator, Box::new([left, right])),
            (
                Infix::Logical(operator),
                Expr {
                    kind: ExprKind::Logical(same, mut chain),
                    ..
                },
            ) if operator == same => {
                chain.push(right);
                ExprKind::Logical(operator, chain)
            }
            (Infix::Logical(operator), left) => ExprKind::Logical(operator, vec![left, right]),
        };
        self.node(kind, span)
    }

    fn operator(&mut self) -> Option<Infix> {
        match self.peek() {
            Token::Symbol(symbol) => Infix::parse(symbol),
            Token::Name(word) if word == "in" => Some(Infix::Binary(Binary::In)),
            Token::Name(word) => {
                let (word, symbol) = WORDS.iter().find(|(other, _)| other == word)?;
                let message = format!("`{word}` is not an operator");
                self.problem(message, Some(format!("write `{symbol}`")));
                self.replace(Token::Symbol(symbol));
                Infix::parse(symbol)
            }
            _ => None,
        }
    }

    fn ternary(&mut self, condition: Expr) -> Expr {
        self.skip();
        let then = self.nested(TERNARY_POWER);
        if *self.peek() == Token::Symbol(":") {
            self.skip();
        } else {
            self.unexpected("expected `:`");
        }
        let otherwise = self.nested(TERNARY_POWER);
        let span = condition.span.start..otherwise.span.end;
        self.node(
            ExprKind::Ternary(Box::new([condition, then, otherwise])),
            span,
        )
    }

    fn operand(&mut self) -> Expr {
        let start = self.place().start;
        match self.peek() {
            Token::Symbol("!") => self.unary(Unary::Not),
            Token::Symbol("-") => match self.negative_literal() {
                Some(literal) => literal,
                None => self.unary(Unary::Negate),
            },
            Token::Name(word) if word == "not" && *self.peek_at(1) != Token::Symbol(".") => {
                let hint = Some("write `!`".to_owned());
                self.problem("`not` is not an operator".to_owned(), hint);
                self.unary(Unary::Not)
            }
            _ => {
                let primary = self.primary();
                self.members(primary, start)
            }
        }
    }

    fn unary(&mut self, operator: Unary) -> Expr {
        let start = self.place().start;
        self.skip();
        let operand = self.nested(UNARY_POWER);
        let span = start..operand.span.end;
        self.node(ExprKind::Unary(operator, Box::new(operand)), span)
    }

    /// A minus directly before a number belongs to it, so that the smallest integer can be written.
    fn negative_literal(&mut self) -> Option<Expr> {
        if *self.peek_at(2) == Token::Symbol(".") {
            return None;
        }
        let kind = match self.peek_at(1) {
            Token::Int(magnitude) => ExprKind::Int(0i64.checked_sub_unsigned(*magnitude)?),
            Token::Double(value) => ExprKind::Double(-value),
            _ => return None,
        };
        let start = self.place().start;
        self.skip();
        let span = start..self.place().end;
        self.skip();
        Some(self.node(kind, span))
    }

    fn primary(&mut self) -> Expr {
        let span = self.place();
        let kind = match self.peek() {
            Token::Int(value) => {
                let value = *value;
                self.int(value)
            }
            Token::Double(value) => ExprKind::Double(*value),
            Token::Text(text) => ExprKind::Text(text.clone()),
            Token::Symbol("(") => {
                self.skip();
                let inner = self.nested(TERNARY_POWER);
                self.close(")");
                return inner;
            }
            Token::Symbol("[") => {
                self.skip();
                let items = self.items("]");
                let span = span.start..self.previous_end();
                return self.node(ExprKind::List(items), span);
            }
            Token::Symbol("{") => return self.map(),
            Token::Name(word) => match word.as_str() {
                "true" | "false" => ExprKind::Bool(word == "true"),
                "in" => return self.hole(),
                "null" => {
                    let hint = "ask `has(field)` whether a field is present".to_owned();
                    self.problem("there is no `null`".to_owned(), Some(hint));
                    ExprKind::Missing
                }
                _ if *self.peek_at(1) == Token::Symbol("(") => return self.call(None),
                _ => ExprKind::Name(word.clone()),
            },
            Token::Symbol(_) | Token::End => return self.hole(),
        };
        self.skip();
        self.node(kind, span)
    }

    fn int(&mut self, magnitude: u64) -> ExprKind {
        let value = i64::try_from(magnitude);
        if value.is_err() {
            self.problem("not a whole number of at most 64 bits".to_owned(), None);
        }
        ExprKind::Int(value.unwrap_or(0))
    }

    /// `{key: value, …}`.
    fn map(&mut self) -> Expr {
        let start = self.place().start;
        self.skip();
        let mut entries = Vec::new();
        while *self.peek() != Token::Symbol("}") && *self.peek() != Token::End {
            let key = self.nested(TERNARY_POWER);
            if *self.peek() == Token::Symbol(":") {
                self.skip();
            } else {
                self.unexpected("expected `:`");
            }
            entries.push([key, self.nested(TERNARY_POWER)]);
            if *self.peek() != Token::Symbol(",") {
                break;
            }
            self.skip();
        }
        self.close("}");
        self.node(ExprKind::Map(entries), start..self.previous_end())
    }

    /// `.name`, `.name(…)` and `[…]`.
    fn members(&mut self, mut object: Expr, start: usize) -> Expr {
        loop {
            match (self.peek(), self.peek_at(1), self.peek_at(2)) {
                (Token::Symbol("."), Token::Name(_), Token::Symbol("(")) => {
                    self.skip();
                    object = self.call(Some(object));
                }
                (Token::Symbol("."), Token::Name(name), _) => {
                    let text = name.clone();
                    self.skip();
                    let span = self.place();
                    self.skip();
                    let whole = start..span.end;
                    let member = ExprKind::Member(Box::new(object), Ident { text, span });
                    object = self.node(member, whole);
                }
                (Token::Symbol("."), ..) => {
                    self.skip();
                    self.unexpected("expected a name after `.`");
                    return object;
                }
                (Token::Symbol("["), ..) => {
                    self.skip();
                    let place = self.nested(TERNARY_POWER);
                    self.close("]");
                    let whole = start..self.previous_end();
                    object = self.node(ExprKind::Index(Box::new([object, place])), whole);
                }
                _ => return object,
            }
        }
    }

    fn call(&mut self, receiver: Option<Expr>) -> Expr {
        let span = self.place();
        let start = receiver
            .as_ref()
            .map_or(span.start, |receiver| receiver.span.start);
        let Token::Name(text) = self.peek().clone() else {
            return self.hole();
        };
        self.skip();
        self.skip();
        let arguments = self.items(")");
        let whole = start..self.previous_end();
        let call = Call {
            receiver,
            name: Ident { text, span },
            arguments,
        };
        self.node(ExprKind::Call(Box::new(call)), whole)
    }

    /// Expressions between commas, and the closing bracket.
    fn items(&mut self, close: &'static str) -> Vec<Expr> {
        let mut items = Vec::new();
        while *self.peek() != Token::Symbol(close) && *self.peek() != Token::End {
            items.push(self.nested(TERNARY_POWER));
            if *self.peek() != Token::Symbol(",") {
                break;
            }
            self.skip();
        }
        self.close(close);
        items
    }

    /// Takes a closing bracket; if something else stands there, everything up to the bracket.
    fn close(&mut self, close: &'static str) {
        if *self.peek() == Token::Symbol(close) {
            return self.skip();
        }
        self.unexpected(&format!("expected `{close}`"));
        let mut open = 0usize;
        loop {
            match self.peek() {
                Token::End => return,
                Token::Symbol("(" | "[" | "{") => open += 1,
                Token::Symbol(")" | "]" | "}") if open > 0 => open -= 1,
                Token::Symbol(")" | "]" | "}") => return self.skip(),
                _ => {}
            }
            self.skip();
        }
    }

    /// A hole where a value should be. Brackets and operators stay: they belong to others.
    fn hole(&mut self) -> Expr {
        self.unexpected("expected a value");
        let span = self.place();
        let stays = match self.peek() {
            Token::Symbol(symbol) => *symbol != "." && *symbol != "[",
            Token::Name(word) => word == "in",
            _ => true,
        };
        if !stays {
            self.skip();
        }
        self.node(ExprKind::Missing, span)
    }

    fn node(&mut self, kind: ExprKind, span: Span) -> Expr {
        self.nodes += 1;
        if self.nodes > EXPRESSION_NODES_MAX {
            self.stop(format!(
                "an expression has at most {EXPRESSION_NODES_MAX} nodes"
            ));
        }
        let expr = Expr::new(kind, span);
        if expr.depth > EXPRESSION_DEPTH_MAX {
            self.stop_nesting();
        }
        expr
    }

    fn stop_nesting(&mut self) {
        self.stop(format!(
            "an expression nests at most {EXPRESSION_DEPTH_MAX} deep"
        ));
    }

    /// A limit is passed: says so once and reads nothing more.
    fn stop(&mut self, message: String) {
        if !self.stopped {
            let span = self.place();
            self.stopped = true;
            self.at = self.tokens.len();
            self.problems.retain(|problem| problem.code != Code::Syntax);
            self.problems.push(
                Diagnostic::at(Code::TooLong, span, message).hint("split it into several rules"),
            );
        }
    }

    fn unexpected(&mut self, expected: &str) {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::Name(word) => format!("`{word}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Int(_) | Token::Double(_) => "a number".to_owned(),
        };
        self.problem(format!("{expected}, found {found}"), None);
    }

    fn problem(&mut self, message: String, hint: Option<String>) {
        if !self.stopped {
            let problem = Diagnostic::at(Code::Syntax, self.place(), message);
            self.problems.push(Diagnostic { hint, ..problem });
        }
    }

    fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Span {
        let found = self.tokens.get(self.at).or_else(|| self.tokens.last());
        found.map_or(0..0, |(_, span)| span.clone())
    }

    fn previous_end(&self) -> usize {
        let previous = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        previous.map_or_else(|| self.place().end, |(_, span)| span.end)
    }

    fn skip(&mut self) {
        if *self.peek() != Token::End {
            self.at += 1;
        }
    }

    fn replace(&mut self, token: Token) {
        if let Some(slot) = self.tokens.get_mut(self.at) {
            slot.0 = token;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(source: &str) -> Vec<String> {
        parse(source)
            .problems
            .into_iter()
            .map(|problem| problem.message)
            .collect()
    }

    #[test]
    fn several_mistakes_are_reported_at_once() {
        assert_eq!(
            messages("payer.id == && payee.id = 'x' && (a b) && card.count(\"1h\" > 2 or"),
            [
                "expected a value, found `&&`",
                "`=` means nothing here",
                "expected `)`, found `b`",
                "`or` is not an operator",
                "expected a value, found the end",
                "expected `)`, found the end",
            ]
        );
    }

    #[test]
    fn a_misplaced_token_does_not_hide_the_rest() {
        assert_eq!(
            messages("a b == c && d e"),
            [
                "expected an operator, found `b`",
                "expected an operator, found `e`"
            ]
        );
        assert_eq!(messages("a[0] == null")[..], ["there is no `null`"]);
        assert_eq!(messages("{1: 2, 3}[1]")[0], "expected `:`, found `}`");
        assert_eq!(
            messages("a. && b")[0],
            "expected a name after `.`, found `&&`"
        );
        assert_eq!(messages(")")[0], "expected a value, found `)`");
        assert_eq!(messages("")[0], "expected a value, found the end");
    }

    #[test]
    fn limits_have_an_answer() {
        let limits = [
            (
                "(".repeat(EXPRESSION_BYTES_MAX + 1),
                "an expression has at most 16384 bytes",
            ),
            ("(".repeat(1_000), "an expression nests at most 64 deep"),
            ("!".repeat(1_000), "an expression nests at most 64 deep"),
            ("1+".repeat(500), "an expression nests at most 64 deep"),
            (
                "a||".repeat(2_000) + "a",
                "an expression has at most 2000 nodes",
            ),
        ];
        for (source, message) in limits {
            let problems = parse(&source).problems;
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(
                (problems[0].code, problems[0].message.as_str()),
                (Code::TooLong, message)
            );
        }
    }

    #[test]
    fn the_smallest_integer_can_be_written() {
        assert_eq!(
            parse("-9223372036854775808").expr.kind,
            ExprKind::Int(i64::MIN)
        );
        assert_eq!(messages("9223372036854775808").len(), 1);
    }
}
