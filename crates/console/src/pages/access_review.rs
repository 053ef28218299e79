//! The access review: who may do what, by whom it was given, whether it is used, what conflicts. It
//! is the page of whoever reviews the other administrators; that they looked stands in the trail.

use super::staff::Grant;
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts,
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/access-review",
    door: Door::Staff,
    needs: &[Scope::StaffReview],
    menu: Some(Menu {
        group: Group::Prove,
        word: TITLE,
        icon: Icon::REVIEW,
        key: 'x',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Access review", "权限复核";
    MADE = "Made at", "生成时间";
    NAME = "Name", "名称";
    STATE = "State", "状态";
    ROLES = "Roles, by whom and when", "角色、授予人与时间";
    MAY = "May", "权限";
    USED = "Last used", "最近使用";
    DAYS = "{} days ago", "{} 天前";
    UNUSED = "Unused for too long", "长期未使用";
    CONFLICTS = "Conflicts", "互斥权限";
    NONE = "None", "无";
    GONE = "no longer a role", "角色已不存在";
    FILE = "As a file (CSV)", "导出为 CSV";
    RULES = "who writes rules does not approve them", "编写规则者不得审批规则";
    KEYS = "who makes keys neither writes nor approves rules: a key could do the other half", "创建密钥者不得编写或审批规则：密钥可代行另一半";
    GRANTS = "who grants roles to people does not make keys for programs", "授予人员角色者不得为程序创建密钥";
    THREE = "system, security and audit administrator are three persons", "系统、安全、审计管理员须由三人分任";
    BLIND = "an administrator sees no data of customers", "管理员不得查看客户数据";
}

#[derive(Deserialize)]
struct Review {
    made_at: Timestamp,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    account: String,
    status: String,
    grants: Vec<Grant>,
    scopes: Vec<String>,
    unused_days: i64,
    is_unused: bool,
    conflicts: Vec<Conflict>,
    roles_gone: Vec<String>,
}

#[derive(Deserialize)]
struct Conflict {
    what: String,
    source: String,
}

impl Conflict {
    fn said(&self, v: &Visit) -> &str {
        let known = WORDS.iter().find(|word| word.en == self.what);
        known.map_or(&self.what, |word| v.t(*word))
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let Review { made_at, lines } = v.get("/v1/staff/review").await?;
    let v = &*v;
    let rows: Vec<_> = lines.iter().map(|line| cells(v, line)).collect();
    let columns = [NAME, STATE, ROLES, MAY, USED, CONFLICTS].map(|word| v.t(word));
    let main = html! {
        div.line {
            span.muted { (v.t(MADE)) " " (format::time(made_at)) }
            a.button href="/v1/staff/review?format=csv" download="access-review.csv" { (v.t(FILE)) }
        }
        (parts::table(v.t(TITLE), &columns, &rows, v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, line: &Line) -> Vec<Markup> {
    let days = DAYS.with(v.language(), &[&format::number(line.unused_days)]);
    vec![
        parts::actor(&format!("staff:{}", line.account), v),
        parts::state(&line.status, v.language()),
        roles(v, line),
        html! { details.fold { summary { (line.scopes.len()) } p { (line.scopes.join(", ")) } } },
        html! {
            (days)
            @if line.is_unused { " " (parts::badge(Tone::Care, None, v.t(UNUSED))) }
        },
        html! {
            @if line.conflicts.is_empty() { (v.t(NONE)) }
            @for conflict in &line.conflicts {
                span title=(conflict.source) { (parts::badge(Tone::Bad, None, conflict.said(v))) } " "
            }
        },
    ]
}

/// What roles somebody has; of several by whom and when is folded.
fn roles(v: &Visit, line: &Line) -> Markup {
    let named: Vec<_> = line
        .grants
        .iter()
        .map(|grant| terms::term(&grant.role, v.language()))
        .collect();
    html! {
        @match line.grants.as_slice() {
            [grant] => (role(v, line, grant)),
            grants => details.fold {
                summary { (named.join(", ")) }
                ul.plain { @for grant in grants { li { (role(v, line, grant)) } } }
            },
        }
    }
}

fn role(v: &Visit, line: &Line, grant: &Grant) -> Markup {
    html! {
        (terms::term(&grant.role, v.language()))
        @if line.roles_gone.contains(&grant.role) { " (" (v.t(GONE)) ")" }
        ": " (parts::actor(&grant.by, v)) ", " (format::time(grant.at))
        @if let Some(approval) = &grant.approval {
            ", "
            @match v.may(Scope::ApprovalsRead) {
                true => (parts::link(&format!("/approvals/{}", encoded(approval)), approval)),
                false => (parts::id(approval)),
            }
        }
    }
}
