//! Allow and deny lists. Values travel in bodies, never in URLs: a URL ends up in logs.

use super::{
    Call,
    export::{self, EXPORT},
    ground::{self, PURPOSE},
    json::parse,
    json_reply,
    query::{Query, cursor},
};
use crate::{
    edge::{Code, Problem, ProblemDocument, reply::Reply},
    state::State,
};
use http::StatusCode;
use paywarden_access::{approval::Collection, watch::Subject};
use paywarden_domain::{Pan, TenantId, Timestamp, event::Text};
use paywarden_privacy::scan;
use paywarden_risk::{ListChange, ListEntry, ListOperation, ListSummary, ListValue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// An entry to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEntryInput {
    /// Key of an entity (a card's index, an account, an e-mail address …), or any text that a
    /// rule compares.
    #[serde(default)]
    pub value: Option<Text>,
    /// A clear card number instead: its index is listed.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9 -]{12,40}$")]
    pub card_number: Option<Pan>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: Text,
    /// When it stops counting; never if not given.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// An entry to remove.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRemovalInput {
    /// The value as listed.
    #[serde(default)]
    pub value: Option<Text>,
    /// A clear card number instead.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9 -]{12,40}$")]
    pub card_number: Option<Pan>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: Text,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// What was added or removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedValue {
    /// The list.
    pub list: String,
    /// The value as listed: the index for a card number.
    pub value: String,
}

/// The lists of the caller's company.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListList {
    /// By name.
    pub lists: Vec<ListSummary>,
}

/// A page of a list, by value.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListEntryList {
    /// The entries.
    pub entries: Vec<ListEntry>,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// The lists and how many entries each has.
#[utoipa::path(
    get, path = "/v1/lists", tag = "lists",
    operation_id = "list_lists", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The lists", body = ListList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn all(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let lists = call.state.engine.lists(&call.caller.tenant);
    json_reply(StatusCode::OK, &ListList { lists })
}

/// The entries of a list, by value. A list without entries does not exist.
#[utoipa::path(
    get, path = "/v1/lists/{list}/entries", tag = "lists",
    operation_id = "list_entries", security(("signature" = []), ("session" = [])),
    params(
        ("list" = String, Path, description = "Name of the list"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "100 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "A page", body = ListEntryList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn entries(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor", EXPORT, PURPOSE])?;
    let wanted = query.limit(PAGE, PAGE_MAX)?;
    let ground = ground::ground(call, &query, "lists", None).await?;
    let reserved = export::reserve(call, Collection::Lists, &query, wanted).await?;
    let limit = reserved.rows() as usize;
    let after = query.cursor()?;
    let (tenant, list) = (&call.caller.tenant, &call.parameter);
    let page = call
        .state
        .engine
        .list_entries(tenant, list, after.as_deref(), limit);
    reserved.took(page.entries.len());
    let count = page.entries.len();
    let next_cursor = page.next.as_deref().map(cursor);
    let form = call.shown("list_value", query.find(EXPORT).is_some());
    let mut entries = page.entries;
    for entry in &mut entries {
        entry.value = form.of(&entry.value);
    }
    let list = ListEntryList {
        entries,
        next_cursor,
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count).on(ground))
}

/// Adds a value to a list, or replaces its entry. Rules see it at once.
#[utoipa::path(
    put, path = "/v1/lists/{list}/entries", tag = "lists",
    operation_id = "add_to_list", security(("signature" = [])),
    params(
        ("list" = String, Path, description = "Name of the list"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ListEntryInput,
    responses(
        (status = 200, description = "Listed", body = ListedValue),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Call) -> Result<Reply, Problem> {
    let input: ListEntryInput = parse(&call.body)?;
    let listed = ListValue {
        value: listed(
            (&call.state, &call.caller.tenant),
            ListOperation::Add,
            (input.value, input.card_number),
        )?,
        expires_at: input.expires_at,
    };
    let what = (ListOperation::Add, input.reason);
    change(call, what, listed, input.approval.as_deref()).await
}

/// Takes a value off a list. Rules see it at once.
#[utoipa::path(
    delete, path = "/v1/lists/{list}/entries", tag = "lists",
    operation_id = "remove_from_list", security(("signature" = [])),
    params(
        ("list" = String, Path, description = "Name of the list"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ListRemovalInput,
    responses(
        (status = 200, description = "No longer listed", body = ListedValue),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(call: &Call) -> Result<Reply, Problem> {
    let input: ListRemovalInput = parse(&call.body)?;
    let listed = ListValue {
        value: listed(
            (&call.state, &call.caller.tenant),
            ListOperation::Remove,
            (input.value, input.card_number),
        )?,
        expires_at: None,
    };
    let what = (ListOperation::Remove, input.reason);
    change(call, what, listed, input.approval.as_deref()).await
}

async fn change(
    call: &Call,
    (operation, reason): (ListOperation, Text),
    listed: ListValue,
    approval: Option<&str>,
) -> Result<Reply, Problem> {
    let change = ListChange {
        list: call.parameter.clone(),
        operation,
        values: vec![listed],
        reason: reason.as_str().to_owned(),
    };
    change.validate()?;
    let (approvals, who) = (&call.state.approvals, call.who());
    let approved = approvals.admit(&who, change, approval).await?;
    let engine = &call.state.engine;
    let ListChange { list, values, .. } = engine.change_list(approved).await?;
    let value = values.into_iter().next();
    let value = value.map(|listed| listed.value).unwrap_or_default();
    let about = Subject::Outside(value.clone());
    Ok(json_reply(StatusCode::OK, &ListedValue { list, value })?.about(about))
}

/// The value as listed: the index for a card number, which no list holds in clear.
pub(super) fn listed(
    (state, tenant): (&State, &TenantId),
    operation: ListOperation,
    given: (Option<Text>, Option<Pan>),
) -> Result<String, Problem> {
    match given {
        (Some(value), None)
            if operation == ListOperation::Add && scan::is_card_number(value.as_str()) =>
        {
            let detail = "`value` is a card number: give it as `card_number`";
            Err(Problem::new(Code::IdentifierIsCardNumber, detail))
        }
        (Some(value), None) => Ok(value.as_str().to_owned()),
        (None, Some(number)) => Ok(state.vault.card_index(tenant, &number)),
        _ => Err(Problem::new(
            Code::ListEntryMalformed,
            "give either `value` or `card_number`",
        )),
    }
}
