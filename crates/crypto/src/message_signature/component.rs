//! Components: the parts of a message that a signature can cover (RFC 9421 section 2).

use crate::structured::Refused;
use sfv::BareItemFromInput;
use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// One covered component. Its text form is the component identifier, as in `"@method"` or
/// `"signature";req;key="sig1"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component<'a> {
    /// Which part of the message.
    pub part: Part<'a>,
    /// Whether a response's signature takes it from the request that is answered (`req`).
    pub of_request: bool,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// `@method`, as sent.
    Method,
    /// `@target-uri`: scheme, authority, path and query.
    TargetUri,
    /// `@authority`: lower case, without a default port.
    Authority,
    /// `@scheme`, lower case.
    Scheme,
    /// `@request-target` in origin form: path and query.
    RequestTarget,
    /// `@path`.
    Path,
    /// `@query`, with its `?`.
    Query,
    /// `@query-param`: the value of the one parameter with this percent-encoded name.
    QueryParam(Cow<'a, str>),
    /// `@status` of a response.
    Status,
    /// A header field, by its lower-case name.
    Field(&'a str, Form<'a>),
}

/// How a header field's value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form<'a> {
    /// Its lines, trimmed and joined by `, `.
    Joined,
    /// `sf`: parsed as a structured field and written in the one strict way.
    Strict,
    /// `bs`: each line as a byte sequence, for fields that cannot be joined.
    Bytes,
    /// `key`: one member of a dictionary.
    Member(Cow<'a, str>),
}

impl<'a> Component<'a> {
    /// A part of the message itself.
    pub const fn new(part: Part<'a>) -> Self {
        Self {
            part,
            of_request: false,
        }
    }

    /// A header field of the message itself, by its lower-case name, lines joined.
    pub const fn field(name: &'a str) -> Self {
        Self::new(Part::Field(name, Form::Joined))
    }

    /// Whether covering `self` protects all that covering `other` would. A field may be covered
    /// in any form that takes its whole value.
    pub(super) fn protects(&self, other: &Component<'_>) -> bool {
        let whole = |form: &Form<'_>| !matches!(form, Form::Member(_));
        self.of_request == other.of_request
            && match (&self.part, &other.part) {
                (Part::Field(mine, form), Part::Field(theirs, Form::Joined)) => {
                    mine == theirs && whole(form)
                }
                (mine, theirs) => mine == theirs,
            }
    }
}

impl Part<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Method => "@method",
            Self::TargetUri => "@target-uri",
            Self::Authority => "@authority",
            Self::Scheme => "@scheme",
            Self::RequestTarget => "@request-target",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::QueryParam(_) => "@query-param",
            Self::Status => "@status",
            Self::Field(name, _) => name,
        }
    }
}

impl fmt::Display for Component<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.part.name())?;
        if self.of_request {
            f.write_str(";req")?;
        }
        match &self.part {
            Part::QueryParam(name) => write_parameter(f, "name", name),
            Part::Field(_, Form::Strict) => f.write_str(";sf"),
            Part::Field(_, Form::Bytes) => f.write_str(";bs"),
            Part::Field(_, Form::Member(key)) => write_parameter(f, "key", key),
            _ => Ok(()),
        }
    }
}

/// Writes `;name="value"`.
pub(super) fn write_parameter(out: &mut impl Write, name: &str, value: &str) -> fmt::Result {
    write!(out, ";{name}=")?;
    write_string(out, value)
}

/// Writes a structured-field string (RFC 9651 section 4.1.6).
fn write_string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.write_char('\\')?;
        }
        out.write_char(character)?;
    }
    out.write_char('"')
}

/// A component while its parameters are being read.
pub(super) struct Draft<'h> {
    name: &'h str,
    req: bool,
    sf: bool,
    bs: bool,
    key: Option<Cow<'h, str>>,
    query_name: Option<Cow<'h, str>>,
}

impl<'h> Draft<'h> {
    pub(super) fn new(name: &'h str) -> Self {
        Self {
            name,
            req: false,
            sf: false,
            bs: false,
            key: None,
            query_name: None,
        }
    }

    /// Takes one parameter; each may stand once, and one we do not know we cannot honour.
    pub(super) fn set(&mut self, name: &str, value: BareItemFromInput<'h>) -> Result<(), Refused> {
        let (flag, text) = match name {
            "req" => (Some(&mut self.req), None),
            "sf" => (Some(&mut self.sf), None),
            "bs" => (Some(&mut self.bs), None),
            "key" => (None, Some(&mut self.key)),
            "name" => (None, Some(&mut self.query_name)),
            "tr" => return Err(Refused("trailer fields (tr) are not supported")),
            _ => return Err(Refused("a component has an unknown parameter")),
        };
        match (flag, text, value) {
            (Some(flag @ false), _, BareItemFromInput::Boolean(true)) => *flag = true,
            (_, Some(text @ None), BareItemFromInput::String(value)) => *text = Some(plain(value)),
            _ => {
                return Err(Refused(
                    "a component's parameter is repeated or of the wrong type",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Component<'h>, Refused> {
        let of_request = self.req;
        let part = if self.name.starts_with('@') {
            self.derived()
        } else {
            self.field()
        };
        part.map(|part| Component { part, of_request })
    }

    fn derived(self) -> Result<Part<'h>, Refused> {
        if self.sf || self.bs || self.key.is_some() {
            return Err(Refused("sf, bs and key belong to fields"));
        }
        Ok(match (self.name, self.query_name) {
            ("@query-param", Some(name)) => Part::QueryParam(name),
            ("@query-param", None) => return Err(Refused("@query-param needs a name")),
            (_, Some(_)) => return Err(Refused("name belongs to @query-param")),
            ("@method", _) => Part::Method,
            ("@target-uri", _) => Part::TargetUri,
            ("@authority", _) => Part::Authority,
            ("@scheme", _) => Part::Scheme,
            ("@request-target", _) => Part::RequestTarget,
            ("@path", _) => Part::Path,
            ("@query", _) => Part::Query,
            ("@status", _) => Part::Status,
            _ => return Err(Refused("a derived component is unknown")),
        })
    }

    fn field(self) -> Result<Part<'h>, Refused> {
        if self.name.is_empty() || !self.name.bytes().all(is_field_byte) {
            return Err(Refused(
                "a field name is not in lower case, or no field name",
            ));
        }
        let form = match (self.sf, self.bs, self.key, self.query_name) {
            (false, false, None, None) => Form::Joined,
            (true, false, None, None) => Form::Strict,
            (false, true, None, None) => Form::Bytes,
            (_, false, Some(key), None) => Form::Member(key),
            _ => return Err(Refused("a field's parameters exclude each other")),
        };
        Ok(Part::Field(self.name, form))
    }
}

/// A structured-field string as plain text, borrowed unless it had escapes.
pub(super) fn plain(text: Cow<'_, sfv::StringRef>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_str()),
        Cow::Owned(text) => Cow::Owned(text.into()),
    }
}

fn is_field_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
