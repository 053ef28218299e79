//! One attempt: the request as Standard Webhooks 1.0 asks for it, and what its answer means.

use crate::{Endpoint, Error, schedule};
use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use paywarden_domain::Timestamp;

/// What an answer means for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has arrived.
    Arrived,
    /// It is tried again.
    Failed,
    /// The receiver wants nothing any more.
    Gone,
    /// It can never arrive.
    Hopeless,
}

/// What came of an attempt.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What was answered.
    pub(super) status: Option<u16>,
    /// Why it did not arrive, in our words: what others say is not kept.
    pub(super) failure: Option<String>,
    /// For how long the receiver wants to be left alone, in microseconds.
    pub(super) asked: Option<i64>,
    is_hopeless: bool,
}

/// The request of a delivery.
pub(super) fn request(
    endpoint: &Endpoint,
    message: &str,
    now: Timestamp,
    body: Vec<u8>,
) -> Result<Request<Bytes>, Error> {
    let signature = endpoint.sign(message, now, &body)?;
    let request = Request::post(&endpoint.url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", message)
        .header("webhook-timestamp", now.seconds())
        .header("webhook-signature", signature)
        .body(Bytes::from(body));
    request.map_err(|error| Error::Damaged(error.to_string()))
}

impl Answer {
    /// Of a request that was sent.
    pub(super) fn of(
        answered: Result<Response<Bytes>, paywarden_outward::Error>,
        now: Timestamp,
    ) -> Self {
        let response = match answered {
            Ok(response) => response,
            Err(error) => return Self::failed(error.to_string()),
        };
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER);
        let asked = asked.and_then(|text| schedule::retry_after(text.to_str().ok()?, now));
        let failure = match status {
            _ if status.is_success() => None,
            StatusCode::GONE => Some("the receiver is gone"),
            _ if status.is_redirection() => Some("redirects are not followed"),
            _ => Some("the receiver refuses or fails"),
        };
        Self {
            status: Some(status.as_u16()),
            failure: failure.map(ToOwned::to_owned),
            asked,
            is_hopeless: false,
        }
    }

    /// Of a request that nobody answered.
    pub(super) fn failed(failure: String) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }

    /// Of one that can never be made.
    pub(super) fn hopeless(failure: &str) -> Self {
        Self {
            is_hopeless: true,
            ..Self::failed(failure.to_owned())
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match (self.status, &self.failure) {
            (_, None) => Outcome::Arrived,
            (Some(410), _) => Outcome::Gone,
            _ if self.is_hopeless => Outcome::Hopeless,
            _ => Outcome::Failed,
        }
    }
}
