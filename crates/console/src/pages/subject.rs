//! One person, by pseudonym: what is kept of them, masked; what they agreed to, with receipts; what
//! happened to it, with proofs, and where it went; and what they asked for.

use super::{
    reveals,
    subjects::{self, Request, Requests},
};
use crate::{
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts, terms,
    visit::{Visit, address, encoded},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/subjects/{subject}",
    door: Door::Staff,
    needs: &[Scope::SubjectsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    VALUES = "What is kept, masked", "保存的数据（已脱敏）";
    CLASS = "Class", "类别";
    MASKED = "Masked", "脱敏值";
    KEPT_FOR = "Kept for", "保存依据";
    SINCE = "Since", "起始时间";
    UNTIL = "Until", "有效期至";
    TOKEN = "Token", "令牌";
    MOMENTS = "What happened", "处理时间线";
    AT = "At", "时间";
    ACTION = "Action", "动作";
    BY = "By", "操作人";
    PURPOSE = "Purpose", "目的";
    LEAF = "Leaf and proof", "叶节点与证明";
    STANDING = "How they stand", "当前状态";
    LAW = "Whose law", "适用法域";
    OBJECTIONS = "Objected to", "已反对的目的";
    RESTRICTED = "Handling restricted since", "限制处理起始";
    HOLDS = "Duties to keep", "留存义务";
    RELATION = "Relationship ended", "业务关系终止";
    CONSENTS = "What they agreed to", "授权同意";
    STATE = "State", "状态";
    NOTICE = "Notice", "告知版本";
    RECEIPT = "Receipt", "回执";
    EVENTS = "Each answer, with its signed receipt", "历次答复及签名回执";
    KIND = "Kind", "类型";
    PURPOSES = "Purposes", "目的（列表）";
    NO_RECEIPT = "none", "无回执";
    LINEAGE = "Where it went", "数据去向";
    DECIDED = "Decided", "决策时间";
    PAYMENT = "Payment", "支付号";
    PART = "What they are in it", "身份";
    PAYER = "Payer", "付款人";
    PAYEE = "Payee", "收款人";
    HOLDS_DATA = "What it holds", "包含的数据";
    WORK = "Alerts and cases", "告警与案件";
    EXPORTS = "Exports", "导出";
    WEBHOOKS = "Who was told", "已通知方";
    NOT_SHOWN = "not for you to see", "无权查看";
    CUSTOMER_ID = "Customer number", "客户号";
    NAME = "Full name", "姓名";
    EMAIL = "E-mail", "电子邮箱";
    PHONE = "Phone", "电话";
    BANK_ACCOUNT = "Bank account", "银行账户";
    BIRTH_DATE = "Date of birth", "出生日期";
    COUNTRY = "Country or region", "国家或地区";
    CARD_NUMBER = "Card number", "卡号";
    ACCOUNT = "Account", "账户";
    DEVICE = "Device", "设备";
    NETWORK = "Network", "网络";
    ADDRESS = "Address", "地址";
    REMITTANCE = "Text of the payment", "附言";
    ATTRIBUTES = "Further attributes", "其他属性";
    REQUESTS_SOME = "Only the newest {} requests of all persons were looked through.", "仅检索全部主体最近 {} 条请求。";
}

#[derive(Deserialize)]
struct Timeline {
    values: Vec<Kept>,
    moments: Vec<Moment>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Kept {
    class: String,
    masked: String,
    retention: String,
    made_at: Timestamp,
    expires_at: Option<Timestamp>,
    token: String,
}

#[derive(Deserialize)]
struct Moment {
    at: Timestamp,
    action: String,
    by: String,
    purpose: String,
    leaf: u64,
}

#[derive(Deserialize)]
struct Consents {
    standing: Standing,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Standing {
    jurisdiction: Option<String>,
    consents: Vec<Consent>,
    objections: Vec<String>,
    restricted_at: Option<Timestamp>,
    holds: Vec<Hold>,
    relation_ended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Consent {
    purpose: String,
    notice: String,
    notice_version: i64,
    receipt: String,
    expires_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
}

impl Consent {
    /// Whether it counts, by the word of the API for such states.
    fn state(&self, now: Timestamp) -> &'static str {
        match (self.withdrawn_at, self.expires_at) {
            (Some(_), _) => "withdrawn",
            (None, Some(end)) if end <= now => "expired",
            _ => "active",
        }
    }
}

#[derive(Deserialize)]
struct Hold {
    reference: String,
    until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Event {
    kind: String,
    at: Timestamp,
    by: String,
    purposes: Vec<String>,
    receipt: Option<String>,
}

#[derive(Deserialize)]
struct Lineage {
    decisions: Vec<Holding>,
    next_cursor: Option<String>,
}

/// A decision that holds data of the person, and where it went on to.
#[derive(Deserialize)]
struct Holding {
    decision: String,
    payment_id: String,
    decided_at: Timestamp,
    part: Part,
    fields: Vec<String>,
    alerts: Option<Vec<String>>,
    cases: Option<Vec<String>>,
    exports: Vec<Export>,
    webhooks: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Payer,
    Payee,
}

#[derive(Deserialize)]
struct Export {
    approval: String,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Told {
    webhook: String,
    event: String,
    at: Timestamp,
    state: String,
}

/// What the data of a payment is called.
const FIELDS: &[(&str, Word)] = &[
    ("customer_id", CUSTOMER_ID),
    ("name", NAME),
    ("email", EMAIL),
    ("phone", PHONE),
    ("bank_account", BANK_ACCOUNT),
    ("birth_date", BIRTH_DATE),
    ("country", COUNTRY),
    ("card_number", CARD_NUMBER),
    ("account", ACCOUNT),
    ("device", DEVICE),
    ("network", NETWORK),
    ("address", ADDRESS),
    ("remittance", REMITTANCE),
    ("attributes", ATTRIBUTES),
];

/// The purpose for which this page looks.
const FOR: &str = "subject_request";
/// The most pages of requests that are looked through for those of one person.
const PAGES_MAX: usize = 5;
const PAGE_ROWS: usize = 100;

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (subject, cursor) = (v.parameter.clone(), v.query("cursor"));
    let went = v.query("went");
    let route = format!("/v1/subjects/{}/timeline", encoded(&subject));
    let asked = address(&route, &[("cursor", cursor.as_deref())]);
    let found: Timeline = v.get(&asked).await?;
    let consents = format!("/v1/consents/{}", encoded(&subject));
    let consents: Option<Consents> = v.get_if(Scope::ConsentsRead, &consents).await?;
    let (requests, is_all) = own_requests(v, &subject).await?;
    let route = format!("/v1/subjects/{}/lineage", encoded(&subject));
    let asked = [("purpose", Some(FOR)), ("cursor", went.as_deref())];
    let lineage: Lineage = v.get(&address(&route, &asked)).await?;
    let v = &*v;
    let here = v.desk.path().to_owned();
    let next = found.next_cursor.as_deref();
    let next = next.map(|place| address(&here, &[("cursor", Some(place))]));
    let may_ask = v.may(Scope::SubjectsReveal) && v.may(Scope::ApprovalsRequest);
    let main = html! {
        @if let Some(Consents { standing, events }) = &consents {
            div.columns {
                (parts::panel(v.t(STANDING), stands(v, standing)))
                (parts::panel(v.t(CONSENTS), agreed(v, standing)))
            }
            (parts::panel(v.t(EVENTS), answers(v, events)))
        }
        (parts::panel(v.t(VALUES), html! {
            (values(v, &found.values))
            @if may_ask && !found.values.is_empty() {
                @let to = address("/reveals", &[("subject", Some(v.parameter.as_str()))]);
                p { a.button href=(to) { (v.t(reveals::TITLE)) } }
            }
        }))
        (parts::panel(v.t(subjects::REQUESTS), html! {
            (subjects::request_table(v, &requests))
            @if !is_all { p.hint { (REQUESTS_SOME.with(v.language(), &[&format::number((PAGES_MAX * PAGE_ROWS) as u64)])) } }
        }))
        (parts::panel(v.t(MOMENTS), html! {
            (moments(v, &found.moments))
            (parts::pager(cursor.as_ref().map(|_| here.as_str()), next.as_deref(), v))
        }))
        (parts::panel(v.t(LINEAGE), html! {
            (holdings(v, &lineage.decisions))
            @let next = lineage.next_cursor.as_deref().filter(|_| !lineage.decisions.is_empty()).map(|place| address(&here, &[("went", Some(place))]));
            (parts::pager(went.as_ref().map(|_| here.as_str()), next.as_deref(), v))
        }))
    };
    let body = Body::new(subject, main);
    Ok(body.below("/subjects", v.t(subjects::TITLE)).into())
}

/// What a person asked for, and whether every request was looked through.
async fn own_requests(v: &mut Visit, subject: &str) -> Result<(Vec<Request>, bool), Fault> {
    let (mut own, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..PAGES_MAX {
        let asked = [("limit", Some("100")), ("cursor", cursor.as_deref())];
        let page: Requests = v.get(&address("/v1/subjects/requests", &asked)).await?;
        own.extend(
            page.requests
                .into_iter()
                .filter(|one| one.subject == subject),
        );
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok((own, true));
        }
    }
    Ok((own, false))
}

fn stands(v: &Visit, standing: &Standing) -> Markup {
    let words = |all: &[String]| {
        html! {
            @if all.is_empty() { "–" }
            @for one in all { (purpose(one, v)) " " }
        }
    };
    let maybe = |at: Option<Timestamp>| html! { @if let Some(at) = at { (format::time(at)) } @else { "–" } };
    parts::facts([
        parts::row(
            LAW,
            html! { (standing.jurisdiction.as_deref().unwrap_or("–")) },
            v,
        ),
        parts::row(OBJECTIONS, words(&standing.objections), v),
        parts::row(RESTRICTED, maybe(standing.restricted_at), v),
        parts::row(
            HOLDS,
            html! {
                @if standing.holds.is_empty() { "–" }
                @for hold in &standing.holds { div { (hold.reference) " " span.muted { (maybe(hold.until)) } } }
            },
            v,
        ),
        parts::row(RELATION, maybe(standing.relation_ended_at), v),
    ])
}

/// A purpose of the privacy policy.
fn purpose(name: &str, v: &Visit) -> String {
    named("purpose", name, "", v.language())
}

fn agreed(v: &Visit, standing: &Standing) -> Markup {
    let row = |one: &Consent| {
        vec![
            html! { (purpose(&one.purpose, v)) },
            parts::state(one.state(v.now()), v.language()),
            html! { (one.notice) " " (one.notice_version) },
            html! { @if let Some(at) = one.expires_at { (format::time(at)) } @else { "–" } },
            parts::id(&one.receipt),
        ]
    };
    let rows: Vec<_> = standing.consents.iter().map(row).collect();
    let columns = [
        v.t(PURPOSE),
        v.t(STATE),
        v.t(NOTICE),
        v.t(UNTIL),
        v.t(RECEIPT),
    ];
    parts::table(v.t(CONSENTS), &columns, &rows, v)
}

fn answers(v: &Visit, events: &[Event]) -> Markup {
    let row = |one: &Event| {
        let purposes: Vec<String> = one.purposes.iter().map(|name| purpose(name, v)).collect();
        vec![
            format::time(one.at),
            html! { (terms::term(&one.kind, v.language())) },
            html! { (purposes.join(", ")) },
            parts::actor(&one.by, v),
            html! {
                @match &one.receipt {
                    Some(receipt) => details { summary { (v.t(RECEIPT)) } pre.raw tabindex="0" role="region" aria-label=(v.t(RECEIPT)) { (receipt) } },
                    None => span.muted { (v.t(NO_RECEIPT)) },
                }
            },
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    let columns = [v.t(AT), v.t(KIND), v.t(PURPOSES), v.t(BY), v.t(RECEIPT)];
    parts::table(v.t(EVENTS), &columns, &rows, v)
}

fn values(v: &Visit, values: &[Kept]) -> Markup {
    let row = |kept: &Kept| {
        vec![
            html! { (named("class", &kept.class, "", v.language())) },
            parts::id(&kept.masked),
            html! { (kept.retention) },
            format::time(kept.made_at),
            html! { @if let Some(until) = kept.expires_at { (format::time(until)) } @else { "–" } },
            parts::id(&kept.token),
        ]
    };
    let rows: Vec<_> = values.iter().map(row).collect();
    let columns = [
        v.t(CLASS),
        v.t(MASKED),
        v.t(KEPT_FOR),
        v.t(SINCE),
        v.t(UNTIL),
        v.t(TOKEN),
    ];
    parts::table(v.t(VALUES), &columns, &rows, v)
}

fn moments(v: &Visit, moments: &[Moment]) -> Markup {
    let row = |moment: &Moment| {
        let number = format::number(moment.leaf);
        vec![
            format::time(moment.at),
            match v.may(Scope::TrailRead) {
                true => parts::link(&format!("/trail/{}", moment.leaf), &number),
                false => html! { (number) },
            },
            parts::id(&moment.action),
            parts::actor(&moment.by, v),
            html! { (moment.purpose) },
        ]
    };
    let rows: Vec<_> = moments.iter().map(row).collect();
    let purpose = format!("{}~", v.t(PURPOSE));
    let columns = [v.t(AT), v.t(LEAF), v.t(ACTION), v.t(BY), &purpose];
    parts::table(v.t(MOMENTS), &columns, &rows, v)
}

/// The decisions that hold data of the person, each with where it went on to.
fn holdings(v: &Visit, holdings: &[Holding]) -> Markup {
    let rows: Vec<_> = holdings.iter().map(|one| holding(v, one)).collect();
    let columns = [
        v.t(DECIDED),
        v.t(PAYMENT),
        v.t(PART),
        v.t(HOLDS_DATA),
        v.t(WORK),
        v.t(EXPORTS),
        v.t(WEBHOOKS),
    ];
    parts::table(v.t(LINEAGE), &columns, &rows, v)
}

fn holding(v: &Visit, one: &Holding) -> Vec<Markup> {
    let decision = format!("/decisions/{}", encoded(&one.decision));
    let fields: Vec<&str> = one.fields.iter().map(|name| field(name, v)).collect();
    let part = match one.part {
        Part::Payer => PAYER,
        Part::Payee => PAYEE,
    };
    vec![
        format::time(one.decided_at),
        match v.may(Scope::DecisionsRead) {
            true => parts::link(&decision, &one.payment_id),
            false => parts::id(&one.payment_id),
        },
        html! { (v.t(part)) },
        html! { (fields.join(", ")) },
        html! {
            @if let (Some(alerts), Some(cases)) = (&one.alerts, &one.cases) {
                @for id in alerts { div { (parts::link(&format!("/payment-alerts/{}", encoded(id)), id)) } }
                @for id in cases { div { (parts::link(&format!("/cases/{}", encoded(id)), id)) } }
                @if alerts.is_empty() && cases.is_empty() { "–" }
            } @else { span.muted { (v.t(NOT_SHOWN)) } }
        },
        html! {
            @if one.exports.is_empty() { "–" }
            @for export in &one.exports {
                div { (parts::link(&format!("/approvals/{}", encoded(&export.approval)), &export.approval)) " " (format::time(export.at)) }
            }
        },
        html! {
            @if one.webhooks.is_empty() { "–" }
            @for told in &one.webhooks {
                div { (parts::id(&told.webhook)) " " (told.event) " " (format::time(told.at)) " " (parts::state(&told.state, v.language())) }
            }
        },
    ]
}

/// What the data of a payment is called; what is new here by its own name.
fn field<'n>(name: &'n str, v: &Visit) -> &'n str {
    let known = FIELDS.iter().find(|(known, _)| *known == name);
    known.map_or(name, |(_, word)| v.t(*word))
}
