//! Accounts of staff, for administrators and reviewers.

use super::{
    json::parse,
    json_reply,
    person::PersonCall,
    query::Query,
    session::{SessionList, lines},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::{
    Scope,
    factor::FactorSummary,
    staff::{Account, Duty, Grant, Granter, Invited, NewAccount, Review, Role, RoleGrant, Status},
};
use paywarden_domain::Timestamp;
use paywarden_store::Purpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

const CSV: &str = "text/csv; charset=utf-8";

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffInvitation {
    /// What they will sign in with; without one they choose it themselves.
    #[serde(default)]
    login: Option<String>,
    /// For people.
    name: String,
    /// Only where the first holder of another administrator's role, or the first key custodian, is
    /// invited.
    #[serde(default)]
    roles: Vec<String>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
}

/// The reason of a command.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffPurpose {
    /// Why; it goes into the trail, 1 to 256 bytes, naming nobody.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
}

/// The roles of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleAssignment {
    /// All of them: those left out are taken back.
    roles: Vec<String>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// The approval of this very grant, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// A link for the invited person, shown once.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    /// The account.
    account: AccountView,
    /// Hand it over by a way of its own; good once.
    #[schema(value_type = String)]
    link: Zeroizing<String>,
    /// Until when it is good.
    until: Timestamp,
}

/// One account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    /// What the trail calls them.
    pub id: String,
    /// For people.
    pub name: String,
    /// What they sign in with.
    pub login: Option<String>,
    /// What it is now.
    pub status: Status,
    /// Roles, by whom and when they were given.
    pub grants: Vec<Grant>,
    /// How its owner signs in.
    pub factors: FactorSummary,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner last signed in.
    pub last_used_at: Option<Timestamp>,
}

/// Accounts, by identifier.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountList {
    /// The accounts.
    pub accounts: Vec<AccountView>,
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// The administrator that it makes of its holder, if any.
    pub duty: Option<Duty>,
    /// What it allows.
    pub scopes: Vec<&'static str>,
}

/// Every role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleList {
    /// By name.
    pub roles: Vec<RoleView>,
}

/// Every account of the company.
#[utoipa::path(
    get, path = "/v1/staff", tag = "staff",
    operation_id = "list_staff", security(("session" = [])),
    responses(
        (status = 200, description = "The accounts", body = AccountList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn all(call: &PersonCall) -> Result<Reply, Problem> {
    let tenant = &call.member()?.account.tenant;
    let now = call.state.clock.now();
    let all = call.state.staff.all(tenant);
    let count = all.len();
    let accounts = all.iter().map(|account| view(account, now)).collect();
    Ok(json_reply(StatusCode::OK, &AccountList { accounts })?.of(count))
}

/// One account.
#[utoipa::path(
    get, path = "/v1/staff/{id}", tag = "staff",
    operation_id = "read_account", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn one(call: &PersonCall) -> Result<Reply, Problem> {
    shown(call, &call.parameter)
}

/// Invites somebody: the link is shown once and good for 24 hours and one person.
#[utoipa::path(
    post, path = "/v1/staff", tag = "staff",
    operation_id = "invite_staff", security(("session" = [])),
    request_body = StaffInvitation,
    responses(
        (status = 201, description = "Invited", body = InvitationView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite(call: &PersonCall) -> Result<Reply, Problem> {
    let StaffInvitation {
        login,
        name,
        roles,
        purpose,
    } = parse(&call.body)?;
    let member = call.member()?;
    let new = NewAccount { login, name, roles };
    let (author, tenant) = (call.author(told(purpose))?, &member.account.tenant);
    let granter = Granter::of(member.scopes);
    let staff = &call.state.staff;
    let invited = staff.invite(author, tenant, new, granter).await?;
    invitation(call, invited)
}

/// Invites an account again: its factors and sessions end.
#[utoipa::path(
    post, path = "/v1/staff/{id}/invitation", tag = "staff",
    operation_id = "invite_staff_again", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    request_body = StaffPurpose,
    responses(
        (status = 201, description = "Invited", body = InvitationView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite_again(call: &PersonCall) -> Result<Reply, Problem> {
    let StaffPurpose { purpose } = parse(&call.body)?;
    let (author, tenant) = (call.author(told(purpose))?, &call.member()?.account.tenant);
    let staff = &call.state.staff;
    let invited = staff.invite_again(author, tenant, &call.parameter).await?;
    invitation(call, invited)
}

/// Disables an account and ends its sessions.
#[utoipa::path(
    post, path = "/v1/staff/{id}/disable", tag = "staff",
    operation_id = "disable_account", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    request_body = StaffPurpose,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn disable(call: &PersonCall) -> Result<Reply, Problem> {
    let StaffPurpose { purpose } = parse(&call.body)?;
    let (author, tenant) = (call.author(told(purpose))?, &call.member()?.account.tenant);
    let id = &call.parameter;
    call.state.staff.disable(author, tenant, id).await?;
    shown(call, id)
}

/// Enables a disabled account.
#[utoipa::path(
    post, path = "/v1/staff/{id}/enable", tag = "staff",
    operation_id = "enable_account", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    request_body = StaffPurpose,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enable(call: &PersonCall) -> Result<Reply, Problem> {
    let StaffPurpose { purpose } = parse(&call.body)?;
    let (author, tenant) = (call.author(told(purpose))?, &call.member()?.account.tenant);
    let id = &call.parameter;
    if call.state.watch.desk().is_suspended(tenant, id) {
        let detail = "a security alert about the account is not closed";
        return Err(Problem::new(Code::AccountUnderReview, detail));
    }
    call.state.staff.enable(author, tenant, id).await?;
    shown(call, id)
}

/// Ends the lock that failed sign-ins have set.
#[utoipa::path(
    post, path = "/v1/staff/{id}/unlock", tag = "staff",
    operation_id = "unlock_account", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    request_body = StaffPurpose,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unlock(call: &PersonCall) -> Result<Reply, Problem> {
    let StaffPurpose { purpose } = parse(&call.body)?;
    let (author, tenant) = (call.author(told(purpose))?, &call.member()?.account.tenant);
    let id = &call.parameter;
    call.state.staff.unlock(author, tenant, id).await?;
    shown(call, id)
}

/// Gives an account these roles and no others.
#[utoipa::path(
    put, path = "/v1/staff/{id}/roles", tag = "staff",
    operation_id = "set_roles", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    request_body = RoleAssignment,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn set_roles(call: &PersonCall) -> Result<Reply, Problem> {
    let input: RoleAssignment = parse(&call.body)?;
    let (staff, id, who) = (&call.state.staff, &call.parameter, call.member()?.who());
    let grant = RoleGrant {
        account: id.clone(),
        roles: input.roles,
    };
    staff.check_grant(&who, &grant)?;
    let approvals = &call.state.approvals;
    let approved = approvals
        .admit(&who, grant, input.approval.as_deref())
        .await?;
    staff.grant_roles(approved, &input.purpose).await?;
    shown(call, id)
}

/// The sessions of an account.
#[utoipa::path(
    get, path = "/v1/staff/{id}/sessions", tag = "staff",
    operation_id = "list_sessions", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    responses(
        (status = 200, description = "The sessions", body = SessionList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn sessions(call: &PersonCall) -> Result<Reply, Problem> {
    lines(call, &call.parameter)
}

/// Ends every session of an account.
#[utoipa::path(
    delete, path = "/v1/staff/{id}/sessions", tag = "staff",
    operation_id = "end_sessions", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The account"),
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_sessions(call: &PersonCall) -> Result<Reply, Problem> {
    let author = call.author("sessions ended by an administrator")?;
    let (staff, tenant) = (&call.state.staff, &call.member()?.account.tenant);
    staff
        .end_sessions(author, tenant, &call.parameter, None)
        .await?;
    Ok(Reply::empty())
}

/// The access review: who may do what, by whom it was given, whether it is used, what conflicts.
#[utoipa::path(
    get, path = "/v1/staff/review", tag = "staff",
    operation_id = "review_access", security(("session" = [])),
    params(
        ("format" = Option<String>, Query, description = "`json` (default) or `csv`"),
    ),
    responses(
        (status = 200, description = "As JSON, or as CSV", body = Review),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn review(call: &PersonCall) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["format"])?;
    let read = |text: &str| match text {
        "json" => Some(false),
        "csv" => Some(true),
        _ => None,
    };
    let is_csv = query.read("format", "`json` or `csv`", read)?;
    let (author, tenant) = (
        call.author("access review")?,
        &call.member()?.account.tenant,
    );
    let review = call.state.staff.review(author, tenant).await?;
    match is_csv {
        Some(true) => Ok(Reply::new(StatusCode::OK, CSV, review.to_csv())),
        _ => json_reply(StatusCode::OK, &review),
    }
}

/// Every role and what it allows.
#[utoipa::path(
    get, path = "/v1/roles", tag = "staff",
    operation_id = "list_roles", security(("session" = [])),
    responses(
        (status = 200, description = "The roles", body = RoleList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn roles(call: &PersonCall) -> Result<Reply, Problem> {
    let view = |role: &Role| RoleView {
        name: role.name.clone(),
        title: role.title.clone(),
        duty: role.duty,
        scopes: role.scopes.iter().map(Scope::name).collect(),
    };
    let roles = call.state.staff.roles().all().map(view).collect();
    json_reply(StatusCode::OK, &RoleList { roles })
}

fn shown(call: &PersonCall, id: &str) -> Result<Reply, Problem> {
    let tenant = &call.member()?.account.tenant;
    let account = call.state.staff.find(tenant, id)?;
    json_reply(StatusCode::OK, &view(&account, call.state.clock.now()))
}

fn invitation(call: &PersonCall, invited: Invited) -> Result<Reply, Problem> {
    let view = InvitationView {
        account: view(&invited.account, call.state.clock.now()),
        link: invited.link(&call.state.origin),
        until: invited.until,
    };
    json_reply(StatusCode::CREATED, &view)
}

fn view(account: &Account, now: Timestamp) -> AccountView {
    AccountView {
        id: account.id.clone(),
        name: account.name().to_owned(),
        login: account.login().map(str::to_owned),
        status: account.status(now),
        grants: account.grants().to_vec(),
        factors: account.factors().summary(),
        created_at: account.created_at(),
        last_used_at: account.last_used_at(),
    }
}

/// What an administrator gives as the reason.
pub(super) fn told(reason: impl Into<String>) -> Purpose {
    Purpose::from("administration of staff").because(reason)
}
