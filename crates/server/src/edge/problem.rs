//! Refusals as problem documents (RFC 9457): one shape for all, built here and nowhere else.

use super::{Code, reply::Reply};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, RETRY_AFTER},
};
use paywarden_domain::{DecisionId, Timestamp};
use paywarden_risk::release::RuleProblem;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// The most mistakes of rules that one refusal lists.
const DIAGNOSTICS_MAX: usize = 200;

/// Media type of a refusal.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal as sent (RFC 9457), with our members.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemDocument {
    /// `urn:paywarden:error:` and the code.
    #[serde(rename = "type")]
    pub uri: String,
    /// What the code means, in a few words that do not vary.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable code; the reference page of errors has a section for each.
    pub code: String,
    /// What was wrong with this request, without what was sent.
    pub detail: String,
    /// Identifier of the request, as in the header `request-id`.
    pub request_id: String,
    /// Where in the body, as a JSON pointer (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What the signature does not cover, or the scope that the key lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The decision that stands, for `payment_already_decided`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// What is wrong with rules, for `rules_refused` and `condition_refused`; at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<RuleProblem>,
    /// The server's clock, for refused signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<Timestamp>,
    /// What a sandbox tells beyond that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// What only a sandbox tells of a refused signature.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Sandbox {
    /// The real reason.
    pub code: String,
    /// The signature base (RFC 9421, section 2.5) that the server built from the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_base: Option<String>,
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    details: Box<Details>,
}

#[derive(Debug, Default)]
struct Details {
    shown_as: Option<Code>,
    pointer: Option<String>,
    missing: Vec<String>,
    decision: Option<DecisionId>,
    diagnostics: Vec<RuleProblem>,
    server_time: Option<Timestamp>,
    sandbox: Option<Sandbox>,
    signature_base: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal with this code; `detail` must not repeat what was sent.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            details: Box::default(),
        }
    }

    /// The code that is counted, which may say more than the one that is shown.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Shows another code, so that the reply does not tell which of several reasons it was.
    pub fn shown_as(mut self, code: Code) -> Self {
        self.details.shown_as = Some(code);
        self
    }

    /// Where in the body.
    pub fn at(mut self, pointer: String) -> Self {
        self.details.pointer = Some(pointer);
        self
    }

    /// What is missing.
    pub fn missing(mut self, missing: Vec<String>) -> Self {
        self.details.missing = missing;
        self
    }

    /// The decision that stands.
    pub fn decision(mut self, decision: DecisionId) -> Self {
        self.details.decision = Some(decision);
        self
    }

    /// What is wrong with rules.
    pub fn diagnostics(mut self, found: impl Iterator<Item = RuleProblem>) -> Self {
        self.details.diagnostics = found.take(DIAGNOSTICS_MAX).collect();
        self
    }

    /// Our clock.
    pub fn server_time(mut self, now: Timestamp) -> Self {
        self.details.server_time = Some(now);
        self
    }

    /// What a sandbox adds.
    pub fn sandbox(mut self, signature_base: Option<String>) -> Self {
        let code = self.code.name().to_owned();
        self.details.sandbox = Some(Sandbox {
            code,
            signature_base,
        });
        self
    }

    /// The signature base that the server built: for the company whose key was named, never for
    /// whoever called.
    pub(crate) fn built(mut self, signature_base: Option<String>) -> Self {
        self.details.signature_base = signature_base;
        self
    }

    pub(crate) fn signature_base(&self) -> Option<&str> {
        self.details.signature_base.as_deref()
    }

    pub(crate) fn what_is_missing(&self) -> &[String] {
        &self.details.missing
    }

    /// A further header of the reply.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.details.headers.push((name, value));
        self
    }

    /// When to come again, rounded up to seconds.
    pub fn retry_after_us(self, micros: u64) -> Self {
        self.header(
            RETRY_AFTER,
            HeaderValue::from(micros.div_ceil(1_000_000).max(1)),
        )
    }

    /// The methods that the route has.
    pub fn allow(self, methods: &str) -> Self {
        match HeaderValue::from_str(methods) {
            Ok(methods) => self.header(ALLOW, methods),
            Err(_) => self,
        }
    }

    /// Whether the connection should not be used further.
    pub fn closes(&self) -> bool {
        self.code.status() == StatusCode::REQUEST_TIMEOUT
    }

    /// What is sent of it.
    pub fn into_document(self, request_id: &str) -> ProblemDocument {
        let details = *self.details;
        let shown = details.shown_as.unwrap_or(self.code);
        ProblemDocument {
            uri: shown.uri(),
            title: shown.title().to_owned(),
            status: shown.status().as_u16(),
            code: shown.name().to_owned(),
            detail: self.detail.into_owned(),
            request_id: request_id.to_owned(),
            pointer: details.pointer,
            missing: details.missing,
            decision: details.decision,
            diagnostics: details.diagnostics,
            server_time: details.server_time,
            sandbox: details.sandbox,
        }
    }

    /// The reply.
    pub fn into_reply(mut self, request_id: &str) -> Reply {
        let headers = std::mem::take(&mut self.details.headers);
        let status = self.details.shown_as.unwrap_or(self.code).status();
        let document = self.into_document(request_id);
        let body = Bytes::from(serde_json::to_vec(&document).unwrap_or_default());
        Reply {
            headers,
            ..Reply::new(status, PROBLEM_JSON, body)
        }
    }
}

impl From<paywarden_domain::Invalid> for Problem {
    fn from(invalid: paywarden_domain::Invalid) -> Self {
        Self::new(
            Code::parse(invalid.code).unwrap_or(Code::FieldInvalid),
            invalid.detail,
        )
    }
}

impl From<paywarden_risk::Error> for Problem {
    fn from(error: paywarden_risk::Error) -> Self {
        const PAUSE_US: u64 = 1_000_000;
        use paywarden_risk::Error;
        let code = Code::parse(error.code()).unwrap_or(Code::Internal);
        match error {
            Error::PaymentAlreadyDecided { decision } => {
                Self::new(code, "read the decision that stands").decision(decision)
            }
            Error::RulesRefused(found) => {
                let detail = format!("{} mistakes; nothing was written down", found.len());
                Self::new(code, detail).diagnostics(found.iter().map(RuleProblem::of))
            }
            Error::ConditionRefused(found) => {
                let detail = format!("{} mistakes", found.len());
                Self::new(code, detail).diagnostics(found.iter().map(RuleProblem::of))
            }
            Error::ScreeningBusy => Self::new(code, error.to_string()).retry_after_us(PAUSE_US),
            Error::Overloaded => {
                Self::new(code, "the journal has no room at present").retry_after_us(PAUSE_US)
            }
            Error::StoreUnavailable(reason) => {
                tracing::error!(reason, "store unavailable");
                Self::new(code, "nothing is answered that is not durable").retry_after_us(PAUSE_US)
            }
            Error::RecordDamaged(reason) => {
                tracing::error!(reason, "record damaged");
                Self::new(code, "a stored record does not read back")
            }
            other => Self::new(code, other.to_string()),
        }
    }
}
