//! Query parameters: known, given once, well formed.

use crate::edge::{Code, Problem};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::borrow::Cow;

/// What is expected of a cursor.
pub(crate) const CURSOR: &str = "take the cursor of the last reply as it is";

/// The parameters of one request.
pub(crate) struct Query<'q>(Vec<(Cow<'q, str>, Cow<'q, str>)>);

impl<'q> Query<'q> {
    /// Reads a query string that may have these parameters and no others.
    pub(crate) fn parse(text: &'q str, known: &[&str]) -> Result<Self, Problem> {
        let mut query = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let detail = format!("known parameters are {}", known.join(", "));
                return Err(Problem::new(Code::ParameterInvalid, detail));
            }
            if query.find(&name).is_some() {
                return Err(invalid(&name, "it is given twice"));
            }
            query.0.push((name, value));
        }
        Ok(query)
    }

    /// The text of a parameter.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The value of a parameter, read by `read`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.find(name) else {
            return Ok(None);
        };
        read(text).map(Some).ok_or_else(|| invalid(name, expected))
    }

    /// The value of a parameter that must be given.
    pub(crate) fn required<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        self.read(name, expected, read)?
            .ok_or_else(|| invalid(name, expected))
    }

    /// The parameter `limit`.
    pub(crate) fn limit(&self, otherwise: u32, max: u32) -> Result<u32, Problem> {
        let read = |text: &str| text.parse().ok().filter(|limit| (1..=max).contains(limit));
        let expected = "a limit is a number from 1 to the stated maximum";
        Ok(self.read("limit", expected, read)?.unwrap_or(otherwise))
    }

    /// The parameter `cursor`, as [`cursor`] made it.
    pub(crate) fn cursor(&self) -> Result<Option<String>, Problem> {
        self.cursor_of("cursor")
    }

    /// A parameter that is a cursor too.
    pub(crate) fn cursor_of(&self, name: &str) -> Result<Option<String>, Problem> {
        let read = |text: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        self.read(name, CURSOR, read)
    }
}

/// An opaque cursor.
pub(crate) fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The refusal of a parameter; only for names that are ours.
pub(crate) fn invalid(name: &str, why: &str) -> Problem {
    Problem::new(Code::ParameterInvalid, format!("`{name}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Result<u32, Code> {
        Query::parse(text, &["limit", "cursor"])
            .and_then(|query| query.limit(20, 100))
            .map_err(|problem| problem.code())
    }

    #[test]
    fn parameters_are_known_once_and_in_range() {
        assert_eq!(limit(""), Ok(20));
        assert_eq!(limit("limit=100"), Ok(100));
        for text in [
            "limit=101",
            "limit=0",
            "limit=x",
            "limit=1&limit=1",
            "offset=1",
        ] {
            assert_eq!(limit(text), Err(Code::ParameterInvalid), "{text}");
        }
    }

    #[test]
    fn cursors_round_trip_and_others_are_refused() {
        let text = format!("cursor={}", cursor("a b/ü"));
        let query = Query::parse(&text, &["cursor"]).unwrap();
        assert_eq!(query.cursor().unwrap().as_deref(), Some("a b/ü"));
        assert!(
            Query::parse("cursor=%21", &["cursor"])
                .unwrap()
                .cursor()
                .is_err()
        );
    }
}
