//! Decisions, newest first, by filter and by page.

use super::{exports, views};
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{EventKind, Money, Outcome, Timestamp};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/decisions",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: Some(Menu {
        group: Group::Watch,
        word: TITLE,
        icon: Icon::DECISIONS,
        key: 'd',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Decisions", "决策";
    DECIDED = "Decided", "决策时间";
    PAYMENT = "Payment", "支付号";
    KIND = "Kind", "类型";
    AMOUNT = "Amount", "金额";
    OUTCOME = "Outcome", "结果";
    FRAUD = "Fraud", "欺诈";
    LAUNDERING = "Money laundering", "洗钱";
    WHY = "First reason", "首要原因";
    FROM = "From (UTC)", "起始时间（UTC）";
    TO = "To (UTC)", "截止时间（UTC）";
    QUERY = "Query", "查询语句";
    QUERY_SAMPLE = "outcome:decline,hold score>=600 amount>=500EUR since:24h", "例如 outcome:decline,hold score>=600 amount>=500CNY since:24h";
    WITHHELD = "{} rows of this page may not be shown for fraud prevention.", "本页有 {} 行因用途限制不予显示。";
}

/// A page of decisions.
#[derive(Deserialize)]
struct Rows {
    decisions: Vec<Row>,
    withheld: usize,
    next_cursor: Option<String>,
}

/// A decision, as lists show it.
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    payment_id: String,
    #[serde(rename = "type")]
    kind: String,
    pub(super) decided_at: Timestamp,
    pub(super) amount: Option<Money>,
    pub(super) outcome: Outcome,
    fraud: Judgement,
    laundering: Judgement,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Judgement {
    score: u16,
}

#[derive(Deserialize)]
struct Reason {
    text: String,
}

/// What the filter may say; the cursor is none of it.
pub(super) const FILTERS: [&str; 6] = ["q", "outcome", "type", "payment_id", "from", "to"];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let given = FILTERS.map(|name| (name, v.query(name)));
    let filter: Vec<(&str, Option<&str>)> = given
        .iter()
        .map(|(name, value)| (*name, value.as_deref()))
        .collect();
    let cursor = v.query("cursor");
    let asked = with(
        &filter,
        &[("cursor", cursor.as_deref()), ("limit", Some("50"))],
    );
    let page: Rows = v.get(&address("/v1/decisions", &asked)).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/decisions", &with(&filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/decisions", &filter));
    let main = html! {
        (parts::filters("/decisions", fields(v, &filter), filter.iter().any(|(_, value)| value.is_some()), v))
        @if page.withheld > 0 {
            (parts::note(terms::Tone::Care, WITHHELD.with(v.language(), &[&page.withheld.to_string()])))
        }
        (table(v, &page.decisions))
        div.line { (views::keep(v)) (exports::way(v, "decisions")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn fields(v: &Visit, filter: &[(&str, Option<&str>)]) -> Markup {
    let value = |name: &str| {
        let mut all = filter.iter();
        all.find(|(known, _)| *known == name)
            .and_then(|(_, value)| *value)
    };
    let line = |name, label| Field {
        value: value(name).unwrap_or_default(),
        required: false,
        ..Field::new(name, label)
    };
    html! {
        (query_line(v, value("q").unwrap_or_default()))
        (parts::filter_by("outcome", v.t(OUTCOME), value("outcome"), Outcome::ALL.map(Outcome::name), v))
        (parts::filter_by("type", v.t(KIND), value("type"), EventKind::ALL.iter().map(|kind| kind.name()), v))
        (line("payment_id", v.t(PAYMENT))) (line("from", v.t(FROM))) (line("to", v.t(TO)))
    }
}

/// A line of terms, as the API reads them.
pub(super) fn query_line(v: &Visit, value: &str) -> Markup {
    html! {
        div.field.wide {
            label for="f-q" { (v.t(QUERY)) }
            input id="f-q" name="q" value=(value) maxlength="512" autocomplete="off" spellcheck="false" placeholder=(v.t(QUERY_SAMPLE));
        }
    }
}

/// Decisions, one line each.
pub(super) fn table(v: &Visit, rows: &[Row]) -> Markup {
    let rows: Vec<Vec<Markup>> = rows.iter().map(|row| cells(v, row)).collect();
    let amount = format!("{}#", v.t(AMOUNT));
    let columns = [
        v.t(DECIDED),
        v.t(PAYMENT),
        v.t(KIND),
        &amount,
        v.t(OUTCOME),
        v.t(FRAUD),
        v.t(LAUNDERING),
        v.t(WHY),
    ];
    parts::table(v.t(TITLE), &columns, &rows, v)
}

impl Row {
    /// Where it is.
    pub(super) fn address(&self) -> String {
        format!("/decisions/{}", encoded(&self.id))
    }

    /// The scores of both engines.
    pub(super) fn scores(&self) -> [u16; 2] {
        [self.fraud.score, self.laundering.score]
    }

    /// The cells that are text alone: when, which, what kind, how much, why.
    pub(super) fn texts(&self, v: &Visit) -> [String; 5] {
        let amount = self.amount.map(|Money { minor, currency }| {
            format!("{} {}", format::decimal(minor, currency), currency.code())
        });
        let reason = self.reasons.first().map(|reason| reason.text.clone());
        [
            format::second(self.decided_at),
            self.payment_id.clone(),
            terms::term(&self.kind, v.language()),
            amount.unwrap_or_else(|| "–".to_owned()),
            reason.unwrap_or_else(|| "–".to_owned()),
        ]
    }
}

fn cells(v: &Visit, row: &Row) -> Vec<Markup> {
    let reason = row.reasons.first().map(|reason| reason.text.as_str());
    let to = row.address();
    vec![
        format::time(row.decided_at),
        parts::link(&to, &row.payment_id),
        html! { (terms::term(&row.kind, v.language())) },
        html! { @if let Some(amount) = row.amount { (format::money(amount)) } @else { "–" } },
        parts::outcome(row.outcome, v.language()),
        parts::score(row.fraud.score, v.language()),
        parts::score(row.laundering.score, v.language()),
        html! { (reason.unwrap_or("–")) },
    ]
}
