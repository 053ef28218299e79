//! Accounts of staff, roles, and the invitation of somebody new.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::json;

pub(crate) const PAGE: Page = Page {
    path: "/staff",
    door: Door::Staff,
    needs: &[Scope::StaffRead],
    menu: Some(Menu {
        group: Group::Run,
        word: TITLE,
        icon: Icon::STAFF,
        key: 's',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(invite(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Staff", "员工";
    ACCOUNT = "Account", "账户";
    NAME = "Name", "名称";
    LOGIN = "Login name", "登录名";
    STATE = "State", "状态";
    ROLES = "Roles", "角色";
    LAST_USED = "Last used", "最近使用";
    INVITE = "Invite somebody", "邀请员工";
    INVITE_WHY = "They get a link that is good once. Roles are given afterwards, by approval.", "对方将收到一次性链接；角色随后经审批授予。";
    FIRST_ROLE = "Role, where its first holder is invited", "角色（仅限该管理员角色的首位持有者）";
    NONE = "None", "无";
    SEND = "Make the link", "生成链接";
    ROLE_TABLE = "Roles and what they allow", "角色与权限";
    ROLE = "Role", "角色名";
    ALLOWS = "May", "权限";
    LINK = "The link. Hand it over by a way of its own; it is shown once.", "邀请链接，请通过独立渠道转交；仅显示一次。";
    LINK_TITLE = "Invited", "已邀请";
    UNTIL = "Until", "有效期至";
}

const FIRST_ROLES: [&str; 2] = ["security_administrator", "audit_administrator"];

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Account>,
}

/// An account.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) login: Option<String>,
    pub(super) status: String,
    pub(super) grants: Vec<Grant>,
    pub(super) created_at: Timestamp,
    pub(super) last_used_at: Option<Timestamp>,
}

/// A role of an account.
#[derive(Deserialize)]
pub(super) struct Grant {
    pub(super) role: String,
    pub(super) by: String,
    pub(super) at: Timestamp,
    pub(super) approval: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Roles {
    pub(super) roles: Vec<Role>,
}

#[derive(Deserialize)]
pub(super) struct Role {
    pub(super) name: String,
    scopes: Vec<String>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let Accounts { accounts } = v.get("/v1/staff").await?;
    let Roles { roles } = v.get("/v1/roles").await?;
    let v = &*v;
    let rows: Vec<_> = accounts.iter().map(|account| cells(v, account)).collect();
    let columns = [
        v.t(NAME),
        v.t(LOGIN),
        v.t(STATE),
        v.t(ROLES),
        v.t(LAST_USED),
        v.t(ACCOUNT),
    ];
    let role = |role: &Role| {
        vec![
            html! { (terms::term(&role.name, v.language())) " " (parts::id(&role.name)) },
            html! { (role.scopes.join(", ")) },
        ]
    };
    let allowed: Vec<_> = roles.iter().map(role).collect();
    let main = html! {
        (parts::table(v.t(TITLE), &columns, &rows, v))
        @if v.may(Scope::StaffWrite) { div.narrow { (parts::panel(v.t(INVITE), invitation(v))) } }
        (parts::fold(v.t(ROLE_TABLE), parts::table(v.t(ROLE_TABLE), &[v.t(ROLE), v.t(ALLOWS)], &allowed, v)))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, account: &Account) -> Vec<Markup> {
    vec![
        html! { a href=(format!("/staff/{}", encoded(&account.id))) { (account.name) } },
        html! { (account.login.as_deref().unwrap_or("–")) },
        parts::state(&account.status, v.language()),
        html! {
            @for (place, grant) in account.grants.iter().enumerate() {
                @if place > 0 { ", " }
                (terms::term(&grant.role, v.language()))
            }
        },
        html! { @if let Some(time) = account.last_used_at { (format::time(time)) } @else { "–" } },
        parts::id(&account.id),
    ]
}

fn invitation(v: &Visit) -> Markup {
    let none = (String::new(), v.t(NONE).to_owned());
    let roles = FIRST_ROLES.map(|role| (role.to_owned(), terms::term(role, v.language())));
    let login = Field {
        required: false,
        ..Field::new("login", v.t(LOGIN))
    };
    parts::form(
        v,
        "/staff",
        html! {
            p.muted { (v.t(INVITE_WHY)) }
            (Field::new("name", v.t(NAME))) (login)
            (parts::select("role", v.t(FIRST_ROLE), "", std::iter::once(none).chain(roles)))
            (parts::reason("reason", v))
            (parts::submit(v.t(SEND), Tone::Info))
        },
    )
}

/// An invitation just made.
#[derive(Deserialize)]
pub(super) struct Invited {
    account: Account,
    link: String,
    until: Timestamp,
}

async fn invite(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let roles: Vec<&str> = form.given("role").into_iter().collect();
    let body = json!({
        "name": form.text("name"),
        "login": form.given("login"),
        "roles": roles,
        "purpose": form.text("reason"),
    });
    let invited: Invited = v.post("/v1/staff", &body).await?;
    Ok(linked(v, &invited))
}

/// Shows the link of an invitation, once.
pub(super) fn linked(v: &Visit, invited: &Invited) -> Shown {
    let account = format!("/staff/{}", encoded(&invited.account.id));
    let main = html! {
        div.narrow {
            (parts::note(Tone::Care, v.t(LINK)))
            pre.raw tabindex="0" { (invited.link) }
            (parts::facts([parts::row(UNTIL, format::time(invited.until), v)]))
            p { a.button href=(account) { (invited.account.name) } }
        }
    };
    Body::new(v.t(LINK_TITLE), main)
        .below("/staff", v.t(TITLE))
        .into()
}
