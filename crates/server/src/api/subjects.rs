//! The rights of persons: objection, restriction, correction, export and erasure of what is kept of
//! them, holds that keep it, the timeline of what happened to it, and where it went.

mod bodies;
pub(crate) mod lineage;
pub(crate) mod requests;

use super::{
    Call, Endpoint, Keyed, Route,
    ground::{self, PURPOSE},
    json::parse,
    json_reply,
    privacy::{SubjectChanged, must_be_pseudonym},
    query::{Query, invalid},
    vault::{bodies::VaultToken, by},
};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use bodies::{
    SubjectCorrection, SubjectErased, SubjectErasureRequest, SubjectExport, SubjectExportRequest,
    SubjectHold, SubjectObjection, SubjectRelation, SubjectRestriction, SubjectTimeline,
    SubjectValue,
};
use http::StatusCode;
use paywarden_access::{Scope, watch::Subject};
use paywarden_privacy::{
    Revealed,
    subject::{RequestKind, SubjectEvent, Wish},
};
use std::fmt::Write;

/// Events of a person in an export.
const EVENTS_MAX: u32 = 1_000;

/// The routes of persons.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    command("/v1/subjects/objections", Scope::SubjectsWrite, Act::Object),
    command("/v1/subjects/restriction", Scope::SubjectsWrite, Act::Restrict),
    command("/v1/subjects/holds", Scope::SubjectsWrite, Act::Hold),
    command("/v1/subjects/relation", Scope::SubjectsWrite, Act::Relate),
    command("/v1/subjects/corrections", Scope::SubjectsWrite, Act::Correct),
    Route::post("/v1/subjects/exports", Scope::VaultRead, Keyed::Never, Endpoint::Subject(Act::Export)),
    command("/v1/subjects/erasures", Scope::VaultErase, Act::Erase),
    command("/v1/subjects/requests", Scope::SubjectsWrite, Act::RecordRequest),
    Route::shown("/v1/subjects/requests", Scope::SubjectsRead, Endpoint::Subject(Act::Requests)),
    Route::shown("/v1/subjects/requests/{id}", Scope::SubjectsRead, Endpoint::Subject(Act::Request)),
    command("/v1/subjects/requests/{id}/extension", Scope::SubjectsWrite, Act::ExtendRequest),
    command("/v1/subjects/requests/{id}/answer", Scope::SubjectsWrite, Act::AnswerRequest),
    Route::shown("/v1/subjects/{subject}/timeline", Scope::SubjectsRead, Endpoint::Subject(Act::Timeline)),
    Route::shown("/v1/subjects/{subject}/lineage", Scope::SubjectsRead, Endpoint::Subject(Act::Lineage)),
];

const fn command(path: &'static str, scope: Scope, act: Act) -> Route {
    Route::post(path, scope, Keyed::Optional, Endpoint::Subject(act))
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Object,
    Restrict,
    Hold,
    Relate,
    Correct,
    Export,
    Erase,
    RecordRequest,
    Requests,
    Request,
    ExtendRequest,
    AnswerRequest,
    Timeline,
    Lineage,
}

/// Answers for persons.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Object => object(call).await,
        Act::Restrict => restrict(call).await,
        Act::Hold => hold(call).await,
        Act::Relate => relate(call).await,
        Act::Correct => correct(call).await,
        Act::Export => export(call).await,
        Act::Erase => erase(call).await,
        Act::RecordRequest => requests::record(call).await,
        Act::Requests => requests::page(call).await,
        Act::Request => requests::one(call).await,
        Act::ExtendRequest => requests::extend(call).await,
        Act::AnswerRequest => requests::answer(call).await,
        Act::Timeline => timeline(call).await,
        Act::Lineage => lineage::read(call).await,
    }
}

/// Writes down that a person objects to purposes, or no longer does.
#[utoipa::path(
    post, path = "/v1/subjects/objections", tag = "privacy",
    operation_id = "object", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectObjection,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn object(call: &Call) -> Result<Reply, Problem> {
    let SubjectObjection {
        subject,
        purposes,
        lift,
    } = parse(&call.body)?;
    let wish = match lift {
        true => Wish::LiftObjection { purposes },
        false => Wish::Object { purposes },
    };
    wished(call, &subject, &wish).await
}

/// Writes down that handling of a person's data is restricted, or goes on.
#[utoipa::path(
    post, path = "/v1/subjects/restriction", tag = "privacy",
    operation_id = "restrict", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectRestriction,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn restrict(call: &Call) -> Result<Reply, Problem> {
    let SubjectRestriction { subject, lift } = parse(&call.body)?;
    let wish = if lift {
        Wish::LiftRestriction
    } else {
        Wish::Restrict
    };
    wished(call, &subject, &wish).await
}

/// Places a hold on what is kept of a person, or lifts it: nothing of theirs is erased meanwhile.
#[utoipa::path(
    post, path = "/v1/subjects/holds", tag = "privacy",
    operation_id = "hold", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectHold,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn hold(call: &Call) -> Result<Reply, Problem> {
    let SubjectHold {
        subject,
        reference,
        until,
        lift,
    } = parse(&call.body)?;
    let wish = match lift {
        true => Wish::LiftHold { reference },
        false => Wish::Hold { reference, until },
    };
    wished(call, &subject, &wish).await
}

/// Writes down that the business relationship with a person has ended, or goes on: what is kept for
/// so long after its end is counted from there.
#[utoipa::path(
    post, path = "/v1/subjects/relation", tag = "privacy",
    operation_id = "relate", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectRelation,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn relate(call: &Call) -> Result<Reply, Problem> {
    let SubjectRelation {
        subject,
        ended_at,
        lift,
    } = parse(&call.body)?;
    let wish = match lift {
        true => Wish::ResumeRelation,
        false => Wish::EndRelation {
            at: ended_at.unwrap_or_else(|| call.state.clock.now()),
        },
    };
    wished(call, &subject, &wish).await
}

async fn wished(call: &Call, subject: &str, wish: &Wish) -> Result<Reply, Problem> {
    let answered = call.state.vault.wish(&call.who(), subject, wish).await?;
    json_reply(StatusCode::CREATED, &SubjectChanged::from(answered))
}

/// Puts the right value in the place of a wrong one, which is erased.
#[utoipa::path(
    post, path = "/v1/subjects/corrections", tag = "privacy",
    operation_id = "correct", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectCorrection,
    responses(
        (status = 200, description = "Corrected", body = VaultToken),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn correct(call: &Call) -> Result<Reply, Problem> {
    let SubjectCorrection {
        subject,
        token,
        value,
    } = parse(&call.body)?;
    let by = by(call, "correction");
    let kept = call
        .state
        .vault
        .correct(&by, (&subject, &token), value)
        .await?;
    json_reply(StatusCode::OK, &VaultToken::from(kept))
}

/// Gives what is kept of a person, to hand to them: by machine and to read.
#[utoipa::path(
    post, path = "/v1/subjects/exports", tag = "privacy",
    operation_id = "export_subject", security(("signature" = [])),
    request_body = SubjectExportRequest,
    responses(
        (status = 200, description = "What is kept", body = SubjectExport),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export(call: &Call) -> Result<Reply, Problem> {
    let SubjectExportRequest { subject } = parse(&call.body)?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let read = vault.export_person(&by(call, "export"), &subject).await?;
    let asked = (subject.as_str(), RequestKind::Access);
    let deadline = vault.deadline(tenant, asked).await?.cloned();
    let (subject, standing, events) = vault.standing(tenant, &subject, EVENTS_MAX).await?;
    let values = read.iter().map(|one| SubjectValue {
        token: &one.token,
        class: &one.class,
        value: one.value.expose(),
        details: one
            .details
            .as_ref()
            .map(|details| details.expose().as_str()),
    });
    let (values, readable) = (values.collect(), readable(&read, &events));
    let export = SubjectExport {
        subject,
        values,
        standing,
        events,
        readable,
        deadline,
    };
    json_reply(StatusCode::OK, &export)
}

/// One line for each value and each event.
fn readable(read: &[Revealed], events: &[SubjectEvent]) -> String {
    let mut text = String::new();
    for one in read {
        let _ = writeln!(text, "{}: {}", one.class, one.value.expose());
    }
    for event in events {
        let kind = serde_json::to_string(&event.kind).unwrap_or_default();
        let purposes = event.purposes.join(", ");
        let _ = writeln!(text, "{} {} {purposes}", event.at, kind.trim_matches('"'));
    }
    text
}

/// Erases what is kept of a person, but for what a hold or the law against laundering keeps; says
/// what that is.
#[utoipa::path(
    post, path = "/v1/subjects/erasures", tag = "privacy",
    operation_id = "erase_subject", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectErasureRequest,
    responses(
        (status = 200, description = "Erased", body = SubjectErased),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn erase(call: &Call) -> Result<Reply, Problem> {
    let SubjectErasureRequest { subject, reason } = parse(&call.body)?;
    let vault = &call.state.vault;
    let (tenant, asked) = (
        &call.caller.tenant,
        (subject.as_str(), RequestKind::Erasure),
    );
    let deadline = vault.deadline(tenant, asked).await?.cloned();
    let done = vault.erase_person(&by(call, reason), &subject).await?;
    json_reply(StatusCode::OK, &SubjectErased::of(done, deadline))
}

/// What happened to the data of a person: kept, read, found, agreed to, objected to, erased, newest
/// first, each with its leaf and the proof that it is in the trail. A page looks through at most
/// 20,000 acts.
#[utoipa::path(
    get, path = "/v1/subjects/{subject}/timeline", tag = "privacy",
    operation_id = "read_timeline", security(("signature" = []), ("session" = [])),
    params(
        ("subject" = String, Path, description = "Their pseudonym `sub_…`, as records show it"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `subject_request` if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = SubjectTimeline),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn timeline(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE, "cursor"])?;
    let subject = call.parameter.as_str();
    must_be_pseudonym(subject)?;
    let ground = ground::of_person(call, &query, Some(subject)).await?;
    let before = query.cursor()?.map(|place| place.parse());
    let before = before.transpose();
    let before =
        before.map_err(|_| invalid("cursor", "take the cursor of the last reply as it is"))?;
    let found = call
        .state
        .vault
        .timeline(&call.caller.tenant, subject, before)
        .await?;
    let about = Subject::Outside(found.subject.clone());
    Ok(json_reply(StatusCode::OK, &SubjectTimeline::from(found))?
        .about(about)
        .on(ground))
}
