//! Conditions put together from several written pieces, with the place of each remembered.

use super::RuleSource;
use crate::{
    diagnostic::{Diagnostic, Span},
    format::power,
    parser::parse,
    syntax::{Expr, Infix, Logical},
};

/// A stretch of a condition that was written in a place of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes within the condition.
    pub range: Span,
    /// Line of the file where it was written, from 1.
    pub line: usize,
    /// What it is, such as ``column `limit` ``.
    pub label: String,
}

/// One written piece: an expression and where it stands.
pub(super) struct Piece {
    pub expr: Expr,
    pub line: usize,
    pub label: String,
}

/// A condition under construction.
#[derive(Default)]
pub(super) struct Composed {
    pub text: String,
    pub parts: Vec<Part>,
}

impl Piece {
    /// Reads a piece, or says what is wrong with it.
    pub(super) fn read(source: &str, line: usize, label: &str) -> Result<Self, Vec<Diagnostic>> {
        let parsed = parse(source);
        match parsed.problems.is_empty() {
            true => Ok(Self {
                expr: parsed.expr,
                line,
                label: label.to_owned(),
            }),
            false => Err(parsed.problems),
        }
    }
}

impl Composed {
    /// Adds one more condition that must hold.
    pub(super) fn and(&mut self, piece: &Piece) {
        if !self.text.is_empty() {
            self.text.push_str(" && ");
        }
        let weak = power(&piece.expr) < Infix::Logical(Logical::And).power();
        self.text.push_str(if weak { "(" } else { "" });
        self.piece(piece);
        self.text.push_str(if weak { ")" } else { "" });
    }

    /// Adds a piece as it is, in canonical spelling.
    pub(super) fn piece(&mut self, piece: &Piece) {
        let start = self.text.len();
        self.text.push_str(&piece.expr.to_string());
        self.parts.push(Part {
            range: start..self.text.len(),
            line: piece.line,
            label: piece.label.clone(),
        });
    }
}

impl RuleSource {
    /// Says in which rule, and in which part of it, a mistake in its condition is.
    pub(crate) fn placed(&self, problem: Diagnostic, file: &str, id: &str) -> Diagnostic {
        let holds = |part: &&Part| {
            problem
                .span
                .as_ref()
                .is_some_and(|span| part.range.start <= span.start && span.end <= part.range.end)
        };
        match self.parts.iter().find(holds) {
            None => problem.in_rule(file, self.line, id),
            Some(part) => problem
                .located_within(&self.when, &part.range)
                .in_rule(file, part.line, id)
                .in_part(&part.label),
        }
    }
}
