//! One account of staff: roles, who gave them, sessions, and what administrators do with it.

use super::staff::{self, Account, Grant, Invited, Roles};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::{Word, words},
};
use http::Method;
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/staff/{id}",
    door: Door::Staff,
    needs: &[Scope::StaffRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    ACCOUNT = "Account", "账户";
    LOGIN = "Login name", "登录名";
    STATE = "State", "状态";
    CREATED = "Created", "创建时间";
    LAST_USED = "Last used", "最近使用";
    WHO = "Who it is", "基本信息";
    ROLES = "Roles", "角色";
    ROLE = "Role", "角色名";
    BY = "By", "操作人";
    AT = "At", "时间";
    APPROVAL = "Approval", "审批单";
    GIVE = "Ask for other roles", "申请调整角色";
    GIVE_WHY = "All of them: those left out are taken back. It takes effect by approval.", "请勾选全部角色，未勾选的将被收回；经审批后生效。";
    ASK = "Ask for them", "提交申请";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    SESSIONS = "Sessions", "登录会话";
    OPENED = "Opened", "登录时间";
    FACTOR = "Factor", "验证方式";
    NETWORK = "Network", "网络";
    LOOK_AFTER = "Look after it", "账户管理";
    INVITE_AGAIN = "Make a new link", "重新生成链接";
    DISABLE = "Disable", "停用账户";
    ENABLE = "Enable", "启用账户";
    UNLOCK = "Unlock", "解除锁定";
    END_SESSIONS = "End all sessions", "结束全部会话";
    DONE = "Done.", "操作完成。";
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    factor: String,
    opened_at: Timestamp,
    network: String,
}

fn route(v: &Visit) -> String {
    format!("/v1/staff/{}", encoded(&v.parameter))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = route(v);
    let account: Account = v.get(&route).await?;
    let Sessions { sessions } = v.get(&format!("{route}/sessions")).await?;
    let Roles { roles } = v.get("/v1/roles").await?;
    let v = &*v;
    let grants: Vec<_> = account
        .grants
        .iter()
        .map(|grant| granted(v, grant))
        .collect();
    let open: Vec<_> = sessions
        .iter()
        .map(|line| {
            vec![
                format::time(line.opened_at),
                html! { (terms::term(&line.factor, v.language())) },
                html! { (line.network) },
            ]
        })
        .collect();
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    let me = v.desk.member().map(|member| member.account.id.as_str());
    let is_other = me != Some(account.id.as_str());
    let main = html! {
        div.columns {
            div {
                (parts::panel(v.t(WHO), facts(v, &account)))
                @if is_other && v.may(Scope::StaffWrite) { (parts::panel(v.t(LOOK_AFTER), look_after(v, &account))) }
            }
            div {
                (parts::panel(v.t(ROLES), parts::table(v.t(ROLES), &[v.t(ROLE), v.t(BY), v.t(AT), v.t(APPROVAL)], &grants, v)))
                @if is_other && v.may(Scope::RolesGrant) && v.may(Scope::ApprovalsRequest) {
                    (parts::panel(v.t(GIVE), give(v, &account, &names)))
                }
                (parts::panel(v.t(SESSIONS), parts::table(v.t(SESSIONS), &[v.t(OPENED), v.t(FACTOR), v.t(NETWORK)], &open, v)))
            }
        }
    };
    Ok(Body::new(account.name, main)
        .below("/staff", v.t(staff::TITLE))
        .into())
}

fn facts(v: &Visit, account: &Account) -> Markup {
    parts::facts([
        parts::row(ACCOUNT, parts::id(&account.id), v),
        parts::row(
            LOGIN,
            html! { (account.login.as_deref().unwrap_or("–")) },
            v,
        ),
        parts::row(STATE, parts::state(&account.status, v.language()), v),
        parts::row(CREATED, format::time(account.created_at), v),
        parts::row(
            LAST_USED,
            html! { @if let Some(time) = account.last_used_at { (parts::since(time, v)) } @else { "–" } },
            v,
        ),
    ])
}

fn granted(v: &Visit, grant: &Grant) -> Vec<Markup> {
    let approval = grant.approval.as_deref();
    vec![
        html! { (terms::term(&grant.role, v.language())) },
        parts::actor(&grant.by, v),
        format::time(grant.at),
        html! { @if let Some(id) = approval { (parts::link(&format!("/approvals/{id}"), id)) } @else { "–" } },
    ]
}

fn give(v: &Visit, account: &Account, names: &[&str]) -> Markup {
    let has = |name: &str| account.grants.iter().any(|grant| grant.role == name);
    parts::form(
        v,
        &format!("/staff/{}", encoded(&account.id)),
        html! {
            p.muted { (v.t(GIVE_WHY)) }
            fieldset.checks {
                legend.unseen { (v.t(ROLES)) }
                @for name in names {
                    label { input type="checkbox" name="role" value=(name) checked[has(name)]; (terms::term(name, v.language())) }
                }
            }
            (parts::reason("grant_reason", v))
            (parts::submit_as("do", "roles", v.t(ASK), Tone::Info))
        },
    )
}

fn look_after(v: &Visit, account: &Account) -> Markup {
    let step = |name: &str, word: Word, tone| parts::submit_as("do", name, v.t(word), tone);
    parts::form(
        v,
        &format!("/staff/{}", encoded(&account.id)),
        html! {
            (parts::reason("reason", v))
            div.buttons {
                (step("invitation", INVITE_AGAIN, Tone::Plain))
                @match account.status.as_str() {
                    "disabled" => (step("enable", ENABLE, Tone::Plain)),
                    "locked" => { (step("unlock", UNLOCK, Tone::Plain)) (step("disable", DISABLE, Tone::Bad)) },
                    _ => (step("disable", DISABLE, Tone::Bad)),
                }
                (step("sessions", END_SESSIONS, Tone::Plain))
            }
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let (route, here) = (route(v), v.desk.path().to_owned());
    let purpose = json!({ "purpose": form.text("reason") });
    match form.text("do") {
        "roles" => {
            let roles: Vec<&str> = form.all("role").collect();
            let grant = json!({ "account": v.parameter, "roles": roles });
            let body =
                json!({ "command": { "role_grant": grant }, "reason": form.text("grant_reason") });
            let Asked { id } = v.post("/v1/approvals", &body).await?;
            Ok(Shown::done(
                format!("/approvals/{}", encoded(&id)),
                v.t(ASKED),
            ))
        }
        "invitation" => {
            let invited: Invited = v.post(&format!("{route}/invitation"), &purpose).await?;
            Ok(staff::linked(v, &invited))
        }
        "sessions" => {
            v.send(&Method::DELETE, &format!("{route}/sessions"), None)
                .await?;
            Ok(Shown::done(here, v.t(DONE)))
        }
        step @ ("disable" | "enable" | "unlock") => {
            v.post::<Value>(&format!("{route}/{step}"), &purpose)
                .await?;
            Ok(Shown::done(here, v.t(DONE)))
        }
        _ => Ok(Shown::at(here)),
    }
}
