//! Reports about a case, for whoever may know that there are any.

use crate::{
    api::{
        Call, filings, json_reply,
        payment_alerts::{CaseReportList, worker},
        query::Query,
    },
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::Scope;

/// Reports to a financial intelligence unit about a case: its own, those of cases that share somebody
/// with it, and those that name a customer who takes part. Newest first.
#[utoipa::path(
    get, path = "/v1/cases/{id}/reports", tag = "cases",
    operation_id = "list_case_reports", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
    ),
    responses(
        (status = 200, description = "The reports", body = CaseReportList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reports(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (state, worker) = (&call.state, worker(call));
    may_see_cases(call)?;
    let ground = filings::ground(call).await?;
    let case = state.cases.case(&worker, &call.parameter).await?;
    let related = state.cases.related_cases(&worker, &case.id).await?;
    let others = related.into_iter().map(|one| one.case.id);
    let cases = others.chain(case.merged_from).chain([case.id]).collect();
    let customers = case.entities.iter().map(ToString::to_string);
    let customers = customers.filter(|name| name.starts_with("customer:"));
    let tenant = &call.caller.tenant;
    let (reports, is_all) = state
        .reports
        .about(tenant, &cases, &customers.collect())
        .await?;
    let count = reports.len();
    Ok(
        json_reply(StatusCode::OK, &CaseReportList { reports, is_all })?
            .of(count)
            .on(ground),
    )
}

/// What a report is about is a case too.
fn may_see_cases(call: &Call) -> Result<(), Problem> {
    let caller = call.who().actor.to_string();
    let (approvals, tenant) = (&call.state.approvals, &call.caller.tenant);
    match approvals.may(tenant, &caller, Scope::CasesRead) {
        true => Ok(()),
        false => Err(Problem::new(
            Code::ScopeInsufficient,
            "this takes `cases:read` too",
        )),
    }
}
