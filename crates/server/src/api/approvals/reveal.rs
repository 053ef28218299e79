//! Looking at values of a person by an approved grant.

use super::Acting;
use crate::{
    api::json_reply,
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::watch::Subject;
use paywarden_domain::Timestamp;
use paywarden_privacy::reveal::RevealError;
use serde::Serialize;
use utoipa::ToSchema;

/// Values of a person, shown by a grant.
#[derive(Serialize, ToSchema)]
pub struct RevealView<'v> {
    /// Whose: their pseudonym.
    subject: &'v str,
    /// For what.
    purpose: &'v str,
    /// The values, at most 100.
    values: Vec<RevealedValue<'v>>,
    /// Until when the grant is open.
    until: Timestamp,
    /// How many looks are left.
    looks_left: u32,
    /// What to put across the picture: who looks, by which grant.
    watermark: String,
}

/// One value.
#[derive(Serialize, ToSchema)]
pub struct RevealedValue<'v> {
    /// Its token.
    token: &'v str,
    /// What it is.
    class: &'v str,
    /// The value.
    value: &'v str,
}

/// Shows the values of a grant that you have carried out: so many times and for so long as it says,
/// and only what the privacy policy allows now. That you looked is in the trail before it is
/// answered.
#[utoipa::path(
    post, path = "/v1/approvals/{id}/reveal", tag = "approvals",
    operation_id = "reveal", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`apr_…`")),
    responses(
        (status = 200, description = "The values", body = RevealView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reveal(call: &Acting<'_>) -> Result<Reply, Problem> {
    let (vault, approvals) = (&call.state.vault, &call.state.approvals);
    let (open, read) = vault.look(approvals, &call.who, call.parameter).await?;
    let values = read.iter().map(|one| RevealedValue {
        token: &one.token,
        class: &one.class,
        value: one.value.expose(),
    });
    let view = RevealView {
        subject: &open.reveal.subject,
        purpose: &open.reveal.purpose,
        values: values.collect(),
        until: open.until,
        looks_left: open.left,
        watermark: format!("{} {}", call.who.actor, open.approval),
    };
    let about = Subject::Outside(open.reveal.subject.clone());
    Ok(json_reply(StatusCode::OK, &view)?
        .of(read.len())
        .about(about))
}

impl From<RevealError> for Problem {
    fn from(error: RevealError) -> Self {
        match error {
            RevealError::Over => Self::new(Code::RevealOver, error.to_string()),
            RevealError::Spent => Self::new(Code::RevealSpent, error.to_string()),
            RevealError::Throttled { wait_us } => {
                Self::new(Code::RevealThrottled, error.to_string()).retry_after_us(wait_us)
            }
            RevealError::Vault(error) => error.into(),
            RevealError::Approval(error) => error.into(),
        }
    }
}
