//! The trail: what was done, newest first, as a whole or by the area of an administrator.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    visit::{Visit, address, encoded},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/trail",
    door: Door::Staff,
    needs: &[
        Scope::TrailRead,
        Scope::TrailSystem,
        Scope::TrailSecurity,
        Scope::TrailAudit,
    ],
    menu: Some(Menu {
        group: Group::Prove,
        word: TITLE,
        icon: Icon::TRAIL,
        key: 't',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|_, form| {
        let to = jump(form);
        Box::pin(async move { Ok(Shown::at(to)) })
    }),
    words: WORDS,
};

words! {
    TITLE = "Trail", "审计轨迹";
    AREA = "Part", "范围";
    WHOLE = "Everything", "全部";
    AREA_SYSTEM = "Accounts and sessions", "账户与会话";
    AREA_SECURITY = "Roles, keys and approvals", "角色、密钥与审批";
    AREA_AUDIT = "Reviews and exports", "复核与导出";
    AREA_BUSINESS = "Labels, lists and rules", "标签、名单与规则";
    LEAF = "Leaf", "叶节点";
    AT = "At", "时间";
    BY = "By", "操作人";
    ACTION = "Action", "动作";
    OBJECT = "To what", "操作对象";
    PURPOSE = "Purpose", "目的";
    OLDER = "Older", "更早";
    NUMBER = "Number of a leaf", "叶节点编号";
    OPEN = "Open it", "打开";
    SIGNED = "{} leaves are signed by the newest checkpoint.", "最新检查点已签名 {} 个叶节点。";
}

/// How many leaves one page shows.
const ROWS: u64 = 50;

#[derive(Deserialize)]
struct Leaves {
    leaves: Vec<Leaf>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Leaf {
    index: u64,
    time: Timestamp,
    actor: String,
    purpose: String,
    reason: Option<String>,
    action: String,
    object: String,
}

/// A part of the trail: its name, its word, and who may read it.
const AREAS: [(&str, Word, Scope); 5] = [
    ("", WHOLE, Scope::TrailRead),
    ("system", AREA_SYSTEM, Scope::TrailSystem),
    ("security", AREA_SECURITY, Scope::TrailSecurity),
    ("audit", AREA_AUDIT, Scope::TrailAudit),
    ("business", AREA_BUSINESS, Scope::TrailRead),
];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let asked = v.query("area").unwrap_or_default();
    let mut open = AREAS.iter().filter(|(.., scope)| v.may(*scope));
    let first = open.clone().next().map(|(name, ..)| *name);
    let area = open
        .find(|(name, ..)| *name == asked)
        .map(|(name, ..)| *name);
    let area = area.or(first).unwrap_or_default();
    let (leaves, older, signed) = match area {
        "" => whole(v).await?,
        area => part(v, area).await?,
    };
    let v = &*v;
    let rows: Vec<_> = leaves.iter().map(|leaf| cells(v, leaf)).collect();
    let [purpose, reason] = [PURPOSE, parts::REASON].map(|word| format!("{}~", v.t(word)));
    let columns = [
        v.t(AT),
        v.t(LEAF),
        v.t(ACTION),
        v.t(OBJECT),
        v.t(BY),
        &purpose,
        &reason,
    ];
    let newest = v
        .query("before")
        .or(v.query("cursor"))
        .map(|_| address("/trail", &[("area", Some(area))]));
    let options = AREAS.iter().filter(|(.., scope)| v.may(*scope));
    let options = options.map(|(name, word, _)| ((*name).to_owned(), v.t(*word).to_owned()));
    let main = html! {
        div.filters {
            form.filters method="get" action="/trail" {
                (parts::select("area", v.t(AREA), area, options))
                button.button type="submit" { (v.t(parts::FILTER)) }
            }
            @if v.may(Scope::TrailRead) {
                form.filters method="post" action="/trail" {
                    (parts::token(v))
                    (Field { kind: "number", ..Field::new("leaf", v.t(NUMBER)) })
                    button.button type="submit" { (v.t(OPEN)) }
                }
            }
        }
        @if let Some(signed) = signed {
            p.muted { (SIGNED.with(v.language(), &[&format::number(signed)])) }
        }
        (parts::table(v.t(TITLE), &columns, &rows, v))
        div.line { (super::views::keep(v)) (super::exports::way(v, "trail")) }
        nav.pager aria-label=(v.t(OLDER)) {
            @if let Some(newest) = newest { a.button rel="first" href=(newest) { (Icon::BACK.draw()) (v.t(parts::FIRST_PAGE)) } }
            @if let Some(older) = older { a.button rel="next" href=(older) { (v.t(OLDER)) (Icon::NEXT.draw()) } }
        }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

type Found = (Vec<Leaf>, Option<String>, Option<u64>);

/// The last leaves before a number, newest first.
async fn whole(v: &mut Visit) -> Result<Found, Fault> {
    let note = v.text("/v1/trail/checkpoint").await?;
    let size = note.lines().nth(1).and_then(|line| line.parse().ok());
    let size: u64 = size.unwrap_or(0);
    let before = v.query("before").and_then(|text| text.parse().ok());
    let before: u64 = before.unwrap_or(size).min(size);
    let first = before.saturating_sub(ROWS);
    let limit = (before - first).max(1);
    let route = format!("/v1/trail/leaves?from={first}&limit={limit}");
    let Leaves { mut leaves, .. } = v.get(&route).await?;
    leaves.retain(|leaf| leaf.index < before);
    leaves.reverse();
    let older = (first > 0).then(|| format!("/trail?before={first}"));
    Ok((leaves, older, Some(size)))
}

async fn part(v: &mut Visit, area: &str) -> Result<Found, Fault> {
    let cursor = v.query("cursor");
    let asked = [("cursor", cursor.as_deref()), ("limit", Some("50"))];
    let route = format!("/v1/trail/areas/{}", encoded(area));
    let Leaves {
        leaves,
        next_cursor,
    } = v.get(&address(&route, &asked)).await?;
    let older = next_cursor
        .map(|place| address("/trail", &[("area", Some(area)), ("cursor", Some(&place))]));
    Ok((leaves, older, None))
}

fn cells(v: &Visit, leaf: &Leaf) -> Vec<Markup> {
    let number = format::number(leaf.index);
    vec![
        format::time(leaf.time),
        match v.may(Scope::TrailRead) {
            true => parts::link(&format!("/trail/{}", leaf.index), &number),
            false => html! { (number) },
        },
        parts::id(&leaf.action),
        parts::object(&leaf.object, v),
        parts::actor(&leaf.actor, v),
        html! { (leaf.purpose) },
        html! { (leaf.reason.as_deref().unwrap_or("–")) },
    ]
}

fn jump(form: &Form) -> String {
    match form.text("leaf").trim().parse::<u64>() {
        Ok(number) => format!("/trail/{number}"),
        Err(_) => "/trail".to_owned(),
    }
}
