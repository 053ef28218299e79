//! A visit: one request for a page, and what pages do with it.

use crate::{
    look::Look,
    page::Fault,
    pages::views::Own,
    refused::Refused,
    word::{Language, Word},
};
use bytes::Bytes;
use http::{HeaderValue, Method};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::{
    edge::{Code, Problem},
    pages::Desk,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands for itself in a segment or a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// One request for a page.
pub(crate) struct Visit {
    pub(crate) desk: Desk,
    pub(crate) look: Look,
    /// The segments of the path that stand for `{…}`, with `/` between them.
    pub(crate) parameter: String,
    /// What is said on the page once.
    pub(crate) told: Option<String>,
    /// The form that was sent, if it was refused.
    pub(crate) refused: Option<Refused>,
    /// How whoever looks works.
    pub(crate) own: Own,
    /// Cookies that the answer brings.
    pub(crate) cookies: Vec<HeaderValue>,
}

impl Visit {
    pub(crate) fn of(desk: Desk, look: Look, parameter: String) -> Self {
        Self {
            desk,
            look,
            parameter,
            told: None,
            refused: None,
            own: Own::default(),
            cookies: Vec::new(),
        }
    }

    /// A text in the language of whoever looks.
    pub(crate) fn t(&self, word: Word) -> &'static str {
        word.of(self.look.language)
    }

    /// The language of whoever looks.
    pub(crate) fn language(&self) -> Language {
        self.look.language
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.desk.now()
    }

    /// Whether whoever looks may do this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        let member = self.desk.member();
        member.is_some_and(|member| member.scopes.contains(scope))
    }

    /// A parameter of the query, if there is anything in it.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.desk.query().as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// Reads a route.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, target: &str) -> Result<T, Fault> {
        let bytes = self.desk.ask(&Method::GET, target, None).await?;
        self.read(&bytes)
    }

    /// Reads a route whose answer is text.
    pub(crate) async fn text(&mut self, target: &str) -> Result<String, Fault> {
        let bytes = self.desk.ask(&Method::GET, target, None).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same of whoever may; nothing of others.
    pub(crate) async fn get_if<T: DeserializeOwned>(
        &mut self,
        scope: Scope,
        target: &str,
    ) -> Result<Option<T>, Fault> {
        match self.may(scope) {
            true => self.get(target).await.map(Some),
            false => Ok(None),
        }
    }

    /// Has a route do something, and reads what came of it.
    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        target: &str,
        body: &Value,
    ) -> Result<T, Fault> {
        let bytes = self.send(&Method::POST, target, Some(body)).await?;
        self.read(&bytes)
    }

    /// Has a route do something.
    pub(crate) async fn send(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Fault> {
        Ok(self.desk.ask(method, target, body).await?)
    }

    fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Fault> {
        serde_json::from_slice(bytes).map_err(|error| self.unread(&error))
    }

    /// Reads what is JSON already.
    pub(crate) fn read_value<T: DeserializeOwned>(&self, value: Value) -> Result<T, Fault> {
        serde_json::from_value(value).map_err(|error| self.unread(&error))
    }

    fn unread(&self, error: &serde_json::Error) -> Fault {
        tracing::error!(%error, path = self.desk.path(), "an answer does not read");
        self.fault(Code::Internal, "an answer does not read")
    }

    /// A refusal of the page itself.
    pub(crate) fn fault(&self, code: Code, detail: &'static str) -> Fault {
        let problem = Problem::new(code, detail);
        Fault(Box::new(problem.into_document(self.desk.request_id())))
    }
}

/// A text as a segment of a path, or as a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Parameters of a query: a name, and its value if it has one.
pub(crate) type Parameters<'p> = [(&'p str, Option<&'p str>)];

/// Parameters and others.
pub(crate) fn with<'p>(
    some: &Parameters<'p>,
    others: &Parameters<'p>,
) -> Vec<(&'p str, Option<&'p str>)> {
    some.iter().chain(others).copied().collect()
}

/// A path with the parameters that have a value.
pub(crate) fn address(path: &str, parameters: &Parameters<'_>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}
