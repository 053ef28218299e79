//! Approvals: asking, voting, taking back, carrying out, reviewing, reading.

mod command;
pub(crate) mod delegations;
pub(crate) mod reveal;

use super::{
    export::{self, EXPORT},
    json::parse,
    json_reply,
    keys::KeyMade,
    query::{Query, cursor, invalid},
    webhooks::WebhookMade,
};
use crate::{
    edge::{Problem, ProblemDocument, reply::Reply},
    state::State as Server,
};
use bytes::Bytes;
pub use command::{CommandInput, Preparation};
use http::StatusCode;
use paywarden_access::approval::{
    ApprovalView, Ask, Ballot, Collection, Finding, Kind, PageFilter, PolicyView, State, Who,
};
use paywarden_access::watch::Subject;
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;

/// What is asked of approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A command.
    Request,
    /// Many approvals.
    Page,
    /// One approval.
    One,
    /// A vote is cast.
    Vote,
    /// It is taken back.
    Withdraw,
    /// It is carried out.
    Execute,
    /// An emergency is looked at.
    Review,
    /// The policy.
    Policy,
    /// A right is lent.
    Delegate,
    /// What is lent.
    Delegations,
    /// It is taken back.
    EndDelegation,
    /// Values are looked at by a grant.
    Reveal,
}

/// A request of whoever acts: a program by its key, or a person.
pub(crate) struct Acting<'c> {
    pub(crate) state: &'c Arc<Server>,
    pub(crate) who: Who,
    /// The roles of a person; `program` of a key.
    pub(crate) roles: Vec<String>,
    pub(crate) parameter: &'c str,
    pub(crate) query: &'c str,
    pub(crate) body: &'c Bytes,
}

pub(crate) async fn handle(act: Act, call: &Acting<'_>) -> Result<Reply, Problem> {
    match act {
        Act::Request => request(call).await,
        Act::Page => page(call).await,
        Act::One => one(call).await,
        Act::Vote => vote(call).await,
        Act::Withdraw => withdraw(call).await,
        Act::Execute => execute(call).await,
        Act::Review => review(call).await,
        Act::Policy => policy(call).await,
        Act::Delegate => delegations::add(call).await,
        Act::Delegations => delegations::all(call).await,
        Act::EndDelegation => delegations::end(call).await,
        Act::Reveal => reveal::reveal(call).await,
    }
}

/// A request: one command, named by its member, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalInput {
    /// The command; one member.
    pub command: CommandInput,
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
    /// Where it is written up, at most 128 bytes.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Until when it can be carried out, if sooner than the policy says.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// For it or against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// For it.
    Approve,
    /// Against it: one such vote ends the matter.
    Deny,
}

/// A vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteInput {
    /// For it or against it.
    pub vote: Vote,
    /// The member `payload_sha256` of the approval as you have read it.
    pub payload_sha256: String,
    /// Whose lent right you use; your own if not given.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonInput {
    /// 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// An execution.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionInput {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
    /// Carries it out without votes, where the policy allows it, and says why, in 1 to 256 bytes.
    /// It is told to others at once, and has to be reviewed.
    #[serde(default)]
    pub emergency: Option<String>,
}

/// A review of an emergency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewInput {
    /// What it came to.
    pub finding: Finding,
    /// In words, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub note: String,
}

/// A page of approvals, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalList {
    /// The approvals.
    pub approvals: Vec<ApprovalView>,
    /// Give this as `cursor` to read on; null at the end. A page may be short and yet have one.
    pub next_cursor: Option<String>,
}

/// What an execution came to.
#[derive(Serialize, ToSchema)]
pub struct Execution {
    /// The approval afterwards.
    pub approval: ApprovalView,
    /// How far it is, where the effect takes its time; the approval is used when it is done.
    pub progress: Option<Preparation>,
    /// The key that was made, replaced, bound or ended.
    pub key: Option<KeyMade>,
    /// The webhook that it was about, with the secret that was made for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookMade>,
}

/// Asks for approval of a command. You must be allowed to do what you ask for.
#[utoipa::path(
    post, path = "/v1/approvals", tag = "approvals",
    operation_id = "request_approval", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ApprovalInput,
    responses(
        (status = 201, description = "Asked for", body = ApprovalView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request(call: &Acting<'_>) -> Result<Reply, Problem> {
    let input: ApprovalInput = parse(call.body)?;
    let ask = Ask {
        authors: Vec::new(),
        reason: input.reason,
        ticket: input.ticket,
        expires_at: input.expires_at,
    };
    let view = command::request(call, input.command, ask).await?;
    json_reply(StatusCode::CREATED, &view)
}

/// Your approvals, newest first; or the emergencies that wait for their review, oldest first.
#[utoipa::path(
    get, path = "/v1/approvals", tag = "approvals",
    operation_id = "list_approvals", security(("signature" = []), ("session" = [])),
    params(
        ("state" = Option<State>, Query, description = "Only those in this state"),
        ("command" = Option<Kind>, Query, description = "Only those of this kind of command"),
        ("review" = Option<String>, Query, description = "`open`: only emergencies that wait for \
            their review; no other filter goes with it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out"),
    ),
    responses(
        (status = 200, description = "A page", body = ApprovalList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Acting<'_>) -> Result<Reply, Problem> {
    let known = ["state", "command", "review", "limit", "cursor", EXPORT];
    let query = Query::parse(call.query, &known)?;
    let wanted = query.limit(PAGE, PAGE_MAX)?;
    let (approvals, who) = (&call.state.approvals, &call.who);
    let by = (&**call.state, who);
    let reserved = export::by_export(by, Collection::Approvals, &query, wanted).await?;
    let limit = export::rows(reserved.as_ref(), wanted);
    let filter = PageFilter {
        state: query.read("state", "a state of approvals", State::parse)?,
        command: query.read("command", "a kind of command", Kind::parse)?,
    };
    let open = |text: &str| (text == "open").then_some(());
    let review = query.read("review", "`open` is the only value", open)?;
    let before = query.cursor()?.map(|text| place(&text)).transpose()?;
    if review.is_some() {
        if before.is_some() || filter.state.is_some() || filter.command.is_some() {
            return Err(invalid("review", "no other filter goes with it"));
        }
        let list = ApprovalList {
            approvals: approvals.open_reviews(who, limit).await?,
            next_cursor: None,
        };
        return json_reply(StatusCode::OK, &list);
    }
    let page = approvals.page(who, filter, before, limit).await?;
    if let Some(reserved) = reserved {
        reserved.took(page.approvals.len());
    }
    let next = page
        .next
        .map(|(time, id)| format!("{} {id}", time.micros()));
    let list = ApprovalList {
        approvals: page.approvals,
        next_cursor: next.as_deref().map(cursor),
    };
    json_reply(StatusCode::OK, &list)
}

/// One approval: the payload, the votes and whether each counts now, and what became of it.
#[utoipa::path(
    get, path = "/v1/approvals/{id}", tag = "approvals",
    operation_id = "read_approval", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "The approval")),
    responses(
        (status = 200, description = "The approval", body = ApprovalView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Acting<'_>) -> Result<Reply, Problem> {
    Query::parse(call.query, &[])?;
    let approvals = &call.state.approvals;
    let view = approvals.find(&call.who, call.parameter);
    json_reply(StatusCode::OK, &view.await?)
}

/// Votes for or against what another has asked for. A vote that would not count is refused.
#[utoipa::path(
    post, path = "/v1/approvals/{id}/votes", tag = "approvals",
    operation_id = "vote_on_approval", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The approval"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = VoteInput,
    responses(
        (status = 200, description = "Counted", body = ApprovalView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn vote(call: &Acting<'_>) -> Result<Reply, Problem> {
    let input: VoteInput = parse(call.body)?;
    let ballot = Ballot {
        approve: input.vote == Vote::Approve,
        payload_sha256: input.payload_sha256,
        on_behalf_of: input.on_behalf_of,
        reason: input.reason,
    };
    let (approvals, who) = (&call.state.approvals, &call.who);
    let view = approvals.vote(who, call.parameter, ballot).await?;
    let maker = Subject::Actor(view.maker.clone());
    Ok(json_reply(StatusCode::OK, &view)?.about(maker))
}

/// Takes back what you have asked for.
#[utoipa::path(
    post, path = "/v1/approvals/{id}/withdrawal", tag = "approvals",
    operation_id = "withdraw_approval", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The approval"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReasonInput,
    responses(
        (status = 200, description = "Taken back", body = ApprovalView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(call: &Acting<'_>) -> Result<Reply, Problem> {
    let ReasonInput { reason } = parse(call.body)?;
    let (approvals, who) = (&call.state.approvals, &call.who);
    let view = approvals.withdraw(who, call.parameter, &reason);
    json_reply(StatusCode::OK, &view.await?)
}

/// Carries out exactly what was approved, once. Votes are counted again at this moment.
#[utoipa::path(
    post, path = "/v1/approvals/{id}/execution", tag = "approvals",
    operation_id = "execute_approval", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The approval"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ExecutionInput,
    responses(
        (status = 200, description = "Carried out", body = Execution),
        (status = 202, description = "Being prepared, then it follows", body = Execution),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn execute(call: &Acting<'_>) -> Result<Reply, Problem> {
    let ExecutionInput { purpose, emergency } = parse(call.body)?;
    let (approvals, who, id) = (&call.state.approvals, &call.who, call.parameter);
    if let Some(reason) = emergency {
        approvals.break_glass(who, id, &reason).await?;
    }
    let kind = approvals.find(who, id).await?.command;
    let outcome = command::execute(call, kind, &purpose).await?;
    let status = match outcome.progress {
        Some(_) => StatusCode::ACCEPTED,
        None => StatusCode::OK,
    };
    let approval = approvals.find(who, id).await?;
    let execution = Execution {
        approval,
        progress: outcome.progress,
        key: outcome.key,
        webhook: outcome.webhook,
    };
    json_reply(status, &execution)
}

/// Reviews an emergency of somebody else.
#[utoipa::path(
    post, path = "/v1/approvals/{id}/review", tag = "approvals",
    operation_id = "review_emergency", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The approval"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReviewInput,
    responses(
        (status = 200, description = "Reviewed", body = ApprovalView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn review(call: &Acting<'_>) -> Result<Reply, Problem> {
    let ReviewInput { finding, note } = parse(call.body)?;
    let (approvals, who) = (&call.state.approvals, &call.who);
    let view = approvals.review(who, call.parameter, finding, &note);
    json_reply(StatusCode::OK, &view.await?)
}

/// The policy of approvals that is in force.
#[utoipa::path(
    get, path = "/v1/approval-policy", tag = "approvals",
    operation_id = "read_approval_policy", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The policy", body = PolicyView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn policy(call: &Acting<'_>) -> Result<Reply, Problem> {
    Query::parse(call.query, &[])?;
    let approvals = &call.state.approvals;
    json_reply(StatusCode::OK, &approvals.policy(&call.who.tenant).await?)
}

fn place(text: &str) -> Result<(Timestamp, String), Problem> {
    let place = || {
        let (micros, id) = text.split_once(' ')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), id.to_owned()))
    };
    place().ok_or_else(|| invalid("cursor", "take the cursor of the last reply as it is"))
}
