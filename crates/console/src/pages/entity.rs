//! One entity as it is now: what is known of it, its windows, whom it is linked to, its decisions,
//! alerts, cases and lists.

use super::{
    customer_rating,
    decisions::{self, Row},
    payment_alerts,
    work::{self, Alert},
};
use crate::{
    chart::{
        moments::{self, Moment},
        web::{self, Links, kind_of},
    },
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::{self, Tone},
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Currency, Timestamp};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/entities/{kind}/{id}",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    KNOWN = "What is known", "基本情况";
    KNOWN_AS = "Known as", "脱敏标识";
    KIND = "Kind", "类型";
    PSEUDONYM = "Pseudonym", "假名标识";
    FIRST = "First event", "首次出现";
    KEPT = "Kept events", "在窗事件数";
    AS_OF = "As of", "数据时点";
    DENIED = "On a deny list", "在拒绝名单";
    YES = "yes", "是";
    NO = "no", "否";
    LINKED = "Linked to", "关联";
    TIMELINE = "Its last payments in time", "近期支付时间线";
    WINDOWS = "What the windows hold", "时间窗特征取值";
    WINDOW = "Window", "时间窗";
    VALUE = "Value", "取值";
    HOW = "Is it exact", "精确性";
    EXACT = "exact", "精确";
    BOUND = "a bound", "界限值";
    MISSING = "missing", "缺失";
    DECISIONS = "Its last decisions", "近期决策";
    ALL_DECISIONS = "All of its decisions", "查看全部相关决策";
    WITHHELD = "{} decisions may not be shown for fraud prevention.", "有 {} 条决策因用途限制不予显示。";
    ALERTS = "Its alerts", "相关告警";
    ALL_ALERTS = "All of its alerts", "查看全部相关告警";
    CASES = "Its cases", "相关案件";
    LISTS = "Lists that it is on", "所在名单";
    LIST = "List", "名单";
    SINCE = "Listed since", "加入时间";
    UNTIL = "Until", "有效期至";
    FOR_GOOD = "for good", "长期有效";
    REST = "{} more that hold nothing, or are missing", "另有 {} 个取值为零或缺失的时间窗";
    NO_WINDOWS = "No rule looks at it by a window.", "没有规则使用其时间窗特征。";
}

/// An entity, as far as it is shown here.
#[derive(Deserialize)]
pub(super) struct Entity {
    entity: String,
    known_as: Option<String>,
    as_of: Timestamp,
    base_currency: Currency,
    first_seen_at: Timestamp,
    events: u64,
    is_denied: bool,
    windows: Vec<Window>,
    lists: Option<Vec<Listing>>,
    decisions: Vec<Row>,
    withheld: usize,
}

#[derive(Deserialize)]
struct Window {
    window: String,
    value: Option<i64>,
    unit: String,
    is_exact: bool,
}

#[derive(Deserialize)]
struct Listing {
    list: String,
    reason: String,
    added_at: Timestamp,
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (kind, hash) = v.parameter.split_once('/').unwrap_or_default();
    let route = format!("/v1/entities/{}/{}", encoded(kind), encoded(hash));
    let name = format!("{kind}:{hash}");
    let entity: Entity = v.get(&route).await?;
    let links: Links = v.get(&format!("{route}/links")).await?;
    let asked = [("entity", Some(name.as_str())), ("limit", Some("20"))];
    let asked = address("/v1/alerts", &asked);
    let alerts = v.get_if::<Alerts>(Scope::CasesRead, &asked).await?;
    let is_customer = kind_of(&name) == "customer" && v.may(Scope::RatingsRead);
    let rated = match is_customer {
        true => customer_rating::of(v, name.rsplit(':').next().unwrap_or_default()).await?,
        false => None,
    };
    let v = &*v;
    let main = html! {
        div.columns {
            (parts::panel(v.t(KNOWN), facts(v, &entity)))
            @if let Some(rated) = &rated { (customer_rating::panel(v, rated)) }
            @if let Some(lists) = &entity.lists { (parts::panel(v.t(LISTS), listed(v, lists))) }
        }
        (parts::panel(v.t(LINKED), web::web(v.t(LINKED), &links, v)))
        @if let Some(Alerts { alerts }) = &alerts { (worked(v, alerts, &name)) }
        (parts::panel(v.t(TIMELINE), timeline(v, &entity, None)))
        (parts::panel(v.t(DECISIONS), html! {
            @if entity.withheld > 0 {
                (parts::note(Tone::Care, WITHHELD.with(v.language(), &[&entity.withheld.to_string()])))
            }
            (decisions::table(v, &entity.decisions))
            p { a href=(decisions::of_entity(&entity.entity)) { (v.t(ALL_DECISIONS)) } }
        }))
        (parts::panel(v.t(WINDOWS), windows(v, &entity)))
    };
    let title = entity.known_as.as_deref().map_or_else(
        || web::short(&entity.entity, v),
        |known_as| {
            format!(
                "{} {known_as}",
                named("entity", kind_of(&entity.entity), "", v.language())
            )
        },
    );
    let body = Body::new(title, main).below("/decisions", v.t(decisions::TITLE));
    Ok(body.with(&["due.js"]).into())
}

fn facts(v: &Visit, entity: &Entity) -> Markup {
    let (_, hash) = entity.entity.split_once(':').unwrap_or_default();
    let denied = match entity.is_denied {
        true => parts::badge(Tone::Bad, None, v.t(YES)),
        false => html! { (v.t(NO)) },
    };
    parts::facts([
        parts::row(
            KIND,
            html! { (named("entity", kind_of(&entity.entity), "", v.language())) },
            v,
        ),
        parts::row(
            KNOWN_AS,
            parts::id(entity.known_as.as_deref().unwrap_or("••••")),
            v,
        ),
        parts::row(PSEUDONYM, parts::id(hash), v),
        parts::row(FIRST, parts::since(entity.first_seen_at, v), v),
        parts::row(KEPT, html! { (format::number(entity.events)) }, v),
        parts::row(DENIED, denied, v),
        parts::row(AS_OF, format::time(entity.as_of), v),
    ])
}

fn listed(v: &Visit, lists: &[Listing]) -> Markup {
    let row = |one: &Listing| {
        vec![
            parts::link(&format!("/lists/{}", encoded(&one.list)), &one.list),
            html! { (one.reason) },
            format::time(one.added_at),
            html! { @if let Some(at) = one.expires_at { (format::time(at)) } @else { (v.t(FOR_GOOD)) } },
        ]
    };
    let rows: Vec<_> = lists.iter().map(row).collect();
    let columns = [v.t(LIST), v.t(parts::REASON), v.t(SINCE), v.t(UNTIL)];
    parts::table(v.t(LISTS), &columns, &rows, v)
}

/// Its alerts, and the cases that they belong to.
fn worked(v: &Visit, alerts: &[Alert], name: &str) -> Markup {
    let mut cases: Vec<&str> = alerts
        .iter()
        .filter_map(|alert| alert.case.as_deref())
        .collect();
    cases.sort_unstable();
    cases.dedup();
    let rows: Vec<_> = alerts
        .iter()
        .map(|alert| work::alert_cells(v, alert))
        .collect();
    let columns = work::alert_columns(v);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let all = address("/payment-alerts", &[("entity", Some(name))]);
    parts::panel(
        v.t(ALERTS),
        html! {
            (parts::table(v.t(payment_alerts::TITLE), &columns, &rows, v))
            @if !alerts.is_empty() { p { a href=(all) { (v.t(ALL_ALERTS)) } } }
            @if !cases.is_empty() {
                h3 { (v.t(CASES)) }
                ul.plain { @for case in cases { li.line { (work::item(case)) } } }
            }
        },
    )
}

/// When its last payments were.
pub(super) fn timeline(v: &Visit, entity: &Entity, here: Option<&str>) -> Markup {
    let moment = |row: &Row| {
        let (word, ..) = terms::outcome(row.outcome);
        let amount = row.amount.map(|money| {
            format!(
                "{} {}",
                format::decimal(money.minor, money.currency),
                money.currency.code()
            )
        });
        Moment {
            at: row.decided_at,
            outcome: row.outcome,
            said: format!(
                "{} · {} · {}",
                row.decided_at,
                v.t(word),
                amount.unwrap_or_default()
            ),
            is_here: here == Some(row.id.as_str()),
        }
    };
    let all: Vec<Moment> = entity.decisions.iter().map(moment).collect();
    html! {
        @if all.is_empty() { (parts::empty(v.t(parts::NOTHING_HERE))) }
        (moments::moments(v.t(TIMELINE), &all, v))
    }
}

fn windows(v: &Visit, entity: &Entity) -> Markup {
    let row = |one: &Window| {
        let value = match (one.value, one.unit.as_str()) {
            (None, _) => html! { span.muted { (v.t(MISSING)) } },
            (Some(value), "money") => format::amount(value, entity.base_currency),
            (Some(value), "duration") => html! { (format::span(value, v.language())) },
            (Some(value), _) => html! { (format::number(value)) },
        };
        let how = match (one.value, one.is_exact) {
            (None, _) => html! { "–" },
            (_, true) => parts::badge(Tone::Good, None, v.t(EXACT)),
            (_, false) => parts::badge(Tone::Care, None, v.t(BOUND)),
        };
        vec![parts::id(&one.window), value, how]
    };
    // Most windows hold nothing of most entities: what they do hold comes first.
    let (held, rest): (Vec<&Window>, Vec<&Window>) = entity
        .windows
        .iter()
        .partition(|one| one.value.is_some_and(|value| value != 0));
    let value = format!("{}#", v.t(VALUE));
    let table = |windows: &[&Window]| {
        let rows: Vec<_> = windows.iter().map(|one| row(one)).collect();
        parts::table(v.t(WINDOWS), &[v.t(WINDOW), &value, v.t(HOW)], &rows, v)
    };
    let count = format::number(rest.len() as u64);
    html! {
        @if entity.windows.is_empty() { (parts::empty(v.t(NO_WINDOWS))) }
        @if !held.is_empty() { (table(&held)) }
        @if !rest.is_empty() { (parts::fold(&REST.with(v.language(), &[&count]), table(&rest))) }
    }
}
