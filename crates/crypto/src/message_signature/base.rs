//! The signature base: the text that is signed (RFC 9421 section 2.5).

use super::{Component, Form, Message, Part, RequestView, SignatureInput, malformed, query};
use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};
use sfv::{Dictionary, FieldType, List, Parser};
use std::fmt::Write;

/// The base of a signature over `message`: one line per component, then the parameters.
///
/// [`Error::SignatureMalformed`] if the message lacks a component, or has it in a form that
/// cannot be signed.
pub fn signature_base(message: &Message<'_>, input: &SignatureInput<'_>) -> Result<String, Error> {
    let mut base = String::with_capacity(2 * input.text.len() + 512);
    for (component, identifier) in input.identified() {
        base.push_str(identifier);
        base.push_str(": ");
        let start = base.len();
        push_value(&mut base, message, component)
            .map_err(|why| malformed(format!("{identifier} is covered, but {why}")))?;
        // A line break inside a value could pass for a further component.
        if base
            .get(start..)
            .is_none_or(|value| value.contains(['\n', '\r']))
        {
            return Err(malformed(format!("{identifier} contains a line break")));
        }
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(&input.text);
    Ok(base)
}

type Answer = Result<(), &'static str>;

const ABSENT: &str = "the message does not have it";

fn push_value(base: &mut String, message: &Message<'_>, component: &Component<'_>) -> Answer {
    match (message, component.of_request) {
        (Message::Request(request), false) => push_of_request(base, request, &component.part),
        (Message::Request(_), true) => Err("req belongs to responses"),
        (Message::Response(response), true) => {
            let request = response.request.ok_or("the request is not at hand")?;
            push_of_request(base, request, &component.part)
        }
        (Message::Response(response), false) => match &component.part {
            Part::Field(name, form) => push_field(base, response.headers, name, form),
            Part::Status => write!(base, "{:03}", response.status).map_err(|_| ABSENT),
            _ => Err(ABSENT),
        },
    }
}

fn push_of_request(base: &mut String, request: &RequestView<'_>, part: &Part<'_>) -> Answer {
    match part {
        Part::Method => base.push_str(request.method),
        Part::TargetUri => {
            push_lower(base, request.scheme);
            base.push_str("://");
            push_authority(base, request);
            push_target(base, request);
        }
        Part::Authority => push_authority(base, request),
        Part::Scheme => push_lower(base, request.scheme),
        Part::RequestTarget => push_target(base, request),
        Part::Path => base.push_str(path(request)),
        Part::Query => {
            base.push('?');
            base.push_str(request.query.unwrap_or_default());
        }
        Part::QueryParam(name) => {
            query::push_parameter(base, request.query.unwrap_or_default(), name)?;
        }
        Part::Status => return Err(ABSENT),
        Part::Field(name, form) => push_field(base, request.headers, name, form)?,
    }
    Ok(())
}

fn path<'a>(request: &RequestView<'a>) -> &'a str {
    if request.path.is_empty() {
        "/"
    } else {
        request.path
    }
}

fn push_target(base: &mut String, request: &RequestView<'_>) {
    base.push_str(path(request));
    if let Some(query) = request.query {
        base.push('?');
        base.push_str(query);
    }
}

fn push_lower(base: &mut String, text: &str) {
    base.extend(text.chars().map(|character| character.to_ascii_lowercase()));
}

/// Host and port in normal form (RFC 9110 section 4.2.3).
fn push_authority(base: &mut String, request: &RequestView<'_>) {
    let default = if request.scheme.eq_ignore_ascii_case("https") {
        "443"
    } else {
        "80"
    };
    let authority = match request.authority.rsplit_once(':') {
        Some((host, port)) if port.is_empty() || port == default => host,
        _ => request.authority,
    };
    push_lower(base, authority);
}

fn push_field(base: &mut String, headers: &HeaderMap, name: &str, form: &Form<'_>) -> Answer {
    if !headers.contains_key(name) {
        return Err(ABSENT);
    }
    let start = base.len();
    for (at, line) in headers.get_all(name).iter().enumerate() {
        if at > 0 {
            base.push_str(", ");
        }
        match form {
            Form::Bytes => push_bytes(base, line),
            _ => base.push_str(text(line)?),
        }
    }
    let strict = match form {
        Form::Joined | Form::Bytes => return Ok(()),
        Form::Strict => strict(base.get(start..).unwrap_or_default())?,
        Form::Member(key) => member(base.get(start..).unwrap_or_default(), key)?,
    };
    base.truncate(start);
    base.push_str(&strict);
    Ok(())
}

/// A line as text without surrounding whitespace. It has no folds: `HeaderValue` holds no line
/// breaks, so the HTTP parser has unfolded or refused them.
fn text(line: &HeaderValue) -> Result<&str, &'static str> {
    let text = line
        .to_str()
        .map_err(|_| "it is not ASCII: cover it with bs")?;
    Ok(text.trim_matches([' ', '\t']))
}

fn push_bytes(base: &mut String, line: &HeaderValue) {
    base.push(':');
    STANDARD.encode_string(line.as_bytes().trim_ascii(), base);
    base.push(':');
}

/// The strict form of a structured field, whichever type it has.
///
/// A value that is a list (an item is a list of one) and a dictionary alike has the same strict
/// form as both, unless a name repeats. Only then would we need to know its type, and refuse.
fn strict(value: &str) -> Result<String, &'static str> {
    let list = Parser::new(value)
        .parse::<List>()
        .ok()
        .and_then(|list| list.serialize());
    let dictionary = Parser::new(value)
        .parse::<Dictionary>()
        .ok()
        .and_then(|d| d.serialize());
    match (list, dictionary) {
        (Some(list), Some(dictionary)) if list != dictionary => {
            Err("it may be a list or a dictionary, which differ")
        }
        (Some(value), _) | (_, Some(value)) => Ok(value),
        (None, None) => Err("it is not a structured field"),
    }
}

fn member(value: &str, key: &str) -> Result<String, &'static str> {
    let mut dictionary: Dictionary = Parser::new(value)
        .parse()
        .map_err(|_| "it is not a dictionary")?;
    let member = dictionary
        .swap_remove(key)
        .ok_or("the dictionary lacks that key")?;
    vec![member]
        .serialize()
        .ok_or("the dictionary lacks that key")
}
