//! The place of the cursor: what is being written there, and inside of what.

use crate::{
    diagnostic::Span,
    lexer::{self, Token},
};

/// What is being written at the cursor.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// The part of a word that stands before the cursor, dots included: `payer.na`.
    pub path: String,
    /// Where its last segment begins and the cursor is: what a completion replaces.
    pub replaces: Span,
    /// If the cursor is inside a text: what the text is asked for.
    pub text: Option<Before>,
    /// If a dot follows something that is no name: where that ends.
    pub receiver_end: Option<usize>,
    /// The calls around the cursor, innermost last.
    pub calls: Vec<Around>,
}

/// What stands before a text that is being written.
#[derive(Debug, PartialEq)]
pub(super) enum Before {
    /// `path ==`, `path !=`, `path in [`: the path.
    Compared(String),
    /// Anything else: the calls around say more.
    Other,
}

/// A call around the cursor.
#[derive(Debug, PartialEq)]
pub(super) struct Around {
    /// The dotted path before the bracket: `card.count`.
    pub path: String,
    /// Which argument the cursor is in, from 0.
    pub argument: usize,
}

impl Place {
    pub(super) fn of(source: &str, cursor: usize) -> Self {
        let cursor = floor(source, cursor);
        let (tokens, _) = lexer::tokens(source);
        let end = tokens
            .iter()
            .take_while(|(token, span)| *token != Token::End && span.start < cursor);
        let mut before: Vec<&(Token, Span)> = end.collect();
        let inside = before.last().is_some_and(|(token, span)| {
            matches!(token, Token::Text(_)) && (cursor < span.end || !is_closed(source, span))
        });
        if inside {
            let start = before.pop().map_or(cursor, |(_, span)| span.start + 1);
            return Self {
                path: source.get(start..cursor).unwrap_or("").to_owned(),
                replaces: start..cursor,
                text: Some(compared(&before)),
                receiver_end: None,
                calls: calls(&before),
            };
        }
        let start = match before.last() {
            Some((Token::Name(_), span)) if span.end >= cursor => span.start,
            _ => cursor,
        };
        let (path, after) = path_before(&before, source, cursor);
        Self {
            receiver_end: after,
            replaces: start..cursor,
            text: None,
            calls: calls(&before),
            path,
        }
    }
}

/// The nearest place at or before the cursor where a character begins.
fn floor(source: &str, cursor: usize) -> usize {
    let cursor = cursor.min(source.len());
    (0..=cursor)
        .rev()
        .find(|place| source.is_char_boundary(*place))
        .unwrap_or(0)
}

fn is_closed(source: &str, span: &Span) -> bool {
    let text = source.get(span.clone()).unwrap_or("");
    let quote = text.trim_start_matches(['r', 'R']).chars().next();
    text.len() > 1 && text.chars().last() == quote
}

/// The names and dots directly before the cursor; if they follow something else after a dot, also
/// where that ends.
fn path_before(before: &[&(Token, Span)], source: &str, cursor: usize) -> (String, Option<usize>) {
    let mut start = cursor;
    let mut wants_name = true;
    for (token, span) in before.iter().rev() {
        match token {
            Token::Name(_) if wants_name => wants_name = false,
            Token::Symbol(".") => wants_name = true,
            // A dot behind a bracket or a literal: its value has the methods.
            Token::Symbol(")" | "]" | "}") | Token::Text(_) if wants_name && start < cursor => {
                let path = source.get(start..cursor).unwrap_or("");
                return (path.trim_start_matches('.').to_owned(), Some(span.end));
            }
            _ => break,
        }
        start = span.start;
    }
    (source.get(start..cursor).unwrap_or("").to_owned(), None)
}

/// What the text that comes next is compared with.
fn compared(before: &[&(Token, Span)]) -> Before {
    let mut rest = before.iter().rev().map(|(token, _)| token).peekable();
    // Earlier elements of the list, back to `in [`.
    while rest
        .next_if(|token| matches!(token, Token::Text(_) | Token::Symbol("," | "[")))
        .is_some()
    {}
    let compares = match rest.next() {
        Some(Token::Symbol("==" | "!=")) => true,
        Some(Token::Name(word)) => word == "in",
        _ => false,
    };
    if !compares {
        return Before::Other;
    }
    let mut path = Vec::new();
    for token in rest {
        match token {
            Token::Name(name) => path.push(name.as_str()),
            Token::Symbol(".") => path.push("."),
            _ => break,
        }
    }
    path.reverse();
    Before::Compared(path.concat())
}

/// The calls that are open at the end of the tokens.
fn calls(before: &[&(Token, Span)]) -> Vec<Around> {
    let mut open: Vec<Around> = Vec::new();
    for (place, (token, _)) in before.iter().enumerate() {
        match token {
            Token::Symbol("(" | "[" | "{") => {
                let mut path: Vec<&str> = Vec::new();
                let earlier = before.get(..place).unwrap_or_default();
                for (token, _) in earlier.iter().rev() {
                    match token {
                        Token::Name(name) => path.push(name),
                        Token::Symbol(".") => path.push("."),
                        _ => break,
                    }
                }
                path.reverse();
                let is_call = *token == Token::Symbol("(");
                open.push(Around {
                    path: if is_call {
                        path.concat()
                    } else {
                        String::new()
                    },
                    argument: 0,
                });
            }
            Token::Symbol(")" | "]" | "}") => drop(open.pop()),
            Token::Symbol(",") => {
                if let Some(call) = open.last_mut() {
                    call.argument += 1;
                }
            }
            _ => {}
        }
    }
    open.retain(|call| !call.path.is_empty());
    open
}
