//! Bodies: JSON into types, and refusals that say where and why without repeating what was sent.
//!
//! The fast way is tried first. Only a body that fails is read a second time, slowly, to find out
//! what to say about it.

use crate::edge::{Code, Problem};
use paywarden_domain::Invalid;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};
use std::fmt::Write;

/// How deep JSON may be nested.
pub const DEPTH_MAX: usize = 32;
/// A name is shown in a refusal only if it is short and cannot be a card number.
const SHOWN_NAME_BYTES_MAX: usize = 64;
const SHOWN_DIGITS_MAX: usize = 8;

/// Reads a body.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if depth(body) > DEPTH_MAX {
        let detail = format!("at most {DEPTH_MAX} levels of objects and arrays");
        return Err(Problem::new(Code::JsonTooDeep, detail));
    }
    serde_json::from_slice(body).or_else(|_| slowly(body))
}

fn slowly<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if std::str::from_utf8(body).is_err() {
        return Err(Problem::new(
            Code::BodyNotUtf8,
            "JSON is UTF-8 (RFC 8259, section 8.1)",
        ));
    }
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refusal(error.inner(), pointer(error.path())))
}

fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = format!("no JSON text: line {line}, column {column}");
    Problem::new(Code::JsonMalformed, detail)
}

fn refusal(error: &serde_json::Error, pointer: String) -> Problem {
    let text = error.to_string();
    // serde_json adds ` at line 1 column 2` to the text of errors that come from a type.
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    if let Some(invalid) = Invalid::parse(text) {
        return Problem::from(invalid).at(pointer);
    }
    if let Some(rest) = text.strip_prefix("unknown field `") {
        return unknown_field(rest, pointer);
    }
    if let Some(name) = between(text, "missing field `") {
        let detail = format!("`{name}` is required");
        return Problem::new(Code::FieldMissing, detail).at(format!("{pointer}/{name}"));
    }
    if let Some(name) = between(text, "duplicate field `") {
        let detail = format!("`{name}` is given twice");
        return Problem::new(Code::FieldDuplicate, detail).at(format!("{pointer}/{name}"));
    }
    // The text before `expected` repeats the value that was sent.
    let expected = text
        .rsplit_once(", expected ")
        .map_or("another value", |(_, rest)| rest);
    Problem::new(Code::FieldInvalid, format!("expected {expected}")).at(pointer)
}

fn unknown_field(rest: &str, pointer: String) -> Problem {
    let (name, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let known = expected.split('`').skip(1).step_by(2);
    let nearest = known.map(|known| (distance(name, known), known)).min();
    let shown = if is_shown(name) {
        format!("`{name}` is not known")
    } else {
        "not known".into()
    };
    let detail = match nearest {
        Some((steps, nearest)) if steps <= 1 + nearest.len() / 4 => {
            format!("{shown}; did you mean `{nearest}`?")
        }
        _ => shown,
    };
    Problem::new(Code::FieldUnknown, detail).at(pointer)
}

fn between<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    text.strip_prefix(before)?
        .split_once('`')
        .map(|(name, _)| name)
}

/// The path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } if is_shown(key) => write!(pointer, "/{key}"),
            Segment::Enum { variant } => write!(pointer, "/{variant}"),
            Segment::Map { .. } | Segment::Unknown => pointer.write_str("/-"),
        };
    }
    pointer
}

/// Whether a name from the body may be repeated: nothing that could be personal or a number.
fn is_shown(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    name.len() <= SHOWN_NAME_BYTES_MAX && name.bytes().all(plain) && digits <= SHOWN_DIGITS_MAX
}

/// How deep objects and arrays are nested.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How many letters have to change to make one word the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let value = (diagonal + usize::from(a != b))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, value);
            left = value;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
