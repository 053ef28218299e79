//! Decisions, newest first, by filter and by page.

use super::{exports, views};
use crate::{
    chart::{self, Bar},
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    risks, terms,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{
    EventKind, Money, Outcome, Timestamp,
    time::{DAY, MINUTE, SECOND},
};
use paywarden_server::edge::ProblemDocument;
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
    TERMS_ARE = "terms are outcome:…, type:…, payment:…, score>=0, amount>=1.00EUR, since:24h, from:…, to:…, rule:pack.rule, and card:…, customer:…, device:… and so on with the pseudonym that the page of the entity shows, with blanks between", "查询条件为 outcome:…、type:…、payment:…、score>=0、amount>=1.00CNY、since:24h、from:…、to:…、rule:规则包.规则，以及 card:…、customer:…、device:… 等加实体页所示的假名标识，以空格分隔";
    FOUND = "{} decisions, of them kept from moving {}", "共 {} 条决策，其中拦截 {} 条";
    FOUND_SINCE = "Since {}: {} decisions, of them kept from moving {}", "{} 以来共 {} 条决策，其中拦截 {} 条";
    BY_TIME = "Outcomes over time", "结果随时间分布";
    LOOKED_BACK = "Everything since {} was looked at. Search on for what is older.", "已查找 {} 以来的全部决策，更早的请继续查找。";
    SEARCH_ON = "Search on", "继续查找";
    WITHHELD = "{} rows of this page may not be shown for fraud prevention.", "本页有 {} 行因用途限制不予显示。";
}

/// A page of decisions.
#[derive(Deserialize)]
struct Rows {
    decisions: Vec<Row>,
    withheld: usize,
    next_cursor: Option<String>,
    looked_back_to: Option<Timestamp>,
}

/// What was found, over time.
#[derive(Deserialize)]
struct Found {
    looked_back_to: Option<Timestamp>,
    step_s: i64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    at: Timestamp,
    outcomes: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    outcome: Outcome,
    decisions: u64,
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
    let page: Result<Rows, Fault> = v.get(&address("/v1/decisions", &asked)).await;
    let page = match page {
        Err(Fault(document)) if document.status == 400 && cursor.is_none() => {
            return Ok(Body::new(v.t(TITLE), unread(v, &filter, &document)).into());
        }
        page => page?,
    };
    let found: Option<Found> = match cursor {
        None => Some(v.get(&address("/v1/statistics/found", &filter)).await?),
        Some(_) => None,
    };
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/decisions", &with(&filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/decisions", &filter));
    let main = html! {
        (search(v, &filter))
        @if let Some(found) = found.filter(|found| found.steps.len() > 1) { (over_time(v, &found, &filter)) }
        @if page.withheld > 0 {
            (parts::note(terms::Tone::Care, WITHHELD.with(v.language(), &[&page.withheld.to_string()])))
        }
        (table(v, &page.decisions))
        @if let (Some(time), Some(next)) = (page.looked_back_to, &next) {
            (parts::note(terms::Tone::Info, html! {
                span { (LOOKED_BACK.with(v.language(), &[&format::second(time)])) }
                a href=(next) { (v.t(SEARCH_ON)) }
            }))
        }
        div.line { (views::keep(v)) (exports::way(v, "decisions")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

/// The list of decisions for which a rule fired.
pub(super) fn of_rule(rule: &str, since: Option<Timestamp>) -> String {
    let line = format!("rule:{rule}");
    let since = since.map(|since| since.to_string());
    let filter = [("q", Some(line.as_str())), ("from", since.as_deref())];
    address("/decisions", &filter)
}

/// The list of decisions that name an entity, `kind:hash`.
pub(super) fn of_entity(entity: &str) -> String {
    address("/decisions", &[("q", Some(entity))])
}

/// What is asked for.
fn search(v: &Visit, filter: &[(&str, Option<&str>)]) -> Markup {
    let is_set = filter.iter().any(|(_, value)| value.is_some());
    parts::filters("/decisions", fields(v, filter), is_set, v)
}

/// What was asked for and is no question: it stands in its fields, to be put right.
fn unread(v: &Visit, filter: &[(&str, Option<&str>)], document: &ProblemDocument) -> Markup {
    let is_line = filter
        .iter()
        .any(|(name, value)| *name == "q" && value.is_some());
    html! {
        (search(v, filter))
        (parts::note(terms::Tone::Bad, html! {
            div {
                (parts::refusal(document, v))
                @if is_line { p { (v.t(TERMS_ARE)) } }
            }
        }))
    }
}

/// All that was found, over time.
fn over_time(v: &Visit, found: &Found, filter: &[(&str, Option<&str>)]) -> Markup {
    let all = || found.steps.iter().flat_map(|step| &step.outcomes);
    let total: u64 = all().map(|count| count.decisions).sum();
    let stopped = all().filter(|count| count.outcome.stops());
    let stopped: u64 = stopped.map(|count| count.decisions).sum();
    let (total, stopped) = (format::number(total), format::number(stopped));
    let said = match found.looked_back_to {
        None => FOUND.with(v.language(), &[&total, &stopped]),
        Some(since) => {
            let since = format::second(since);
            FOUND_SINCE.with(v.language(), &[&since, &total, &stopped])
        }
    };
    let bars: Vec<Bar> = found
        .steps
        .iter()
        .map(|step| bar(found, step, filter))
        .collect();
    html! {
        section.panel.found {
            p { (said) }
            (chart::stacked(v.t(BY_TIME), &chart::outcomes(v), &bars, v))
        }
    }
}

fn bar(found: &Found, step: &Step, filter: &[(&str, Option<&str>)]) -> Bar {
    let from = step.at.to_string();
    let length = found.step_s.saturating_mul(SECOND);
    let to = Timestamp::from_micros(step.at.micros().saturating_add(length)).to_string();
    let others = filter
        .iter()
        .filter(|(name, _)| !["from", "to"].contains(name));
    let mut asked: Vec<_> = others.copied().collect();
    asked.extend([("from", Some(from.as_str())), ("to", Some(to.as_str()))]);
    let span = match length {
        DAY.. => 0..10,
        MINUTE.. => 5..16,
        _ => 11..19,
    };
    Bar {
        name: format::second(step.at)
            .get(span)
            .unwrap_or_default()
            .to_owned(),
        to: address("/decisions", &asked),
        values: chart::by_outcome(
            step.outcomes
                .iter()
                .map(|count| (count.outcome, count.decisions)),
        ),
    }
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
    let (amount, why) = (format!("{}#", v.t(AMOUNT)), format!("{}~", v.t(WHY)));
    let columns = [
        v.t(DECIDED),
        v.t(PAYMENT),
        v.t(KIND),
        &amount,
        v.t(OUTCOME),
        v.t(FRAUD),
        v.t(LAUNDERING),
        &why,
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
        let reason = self.reasons.first();
        let reason = reason.map(|reason| risks::reason(&reason.text, v.language()).to_owned());
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
    let reason = row.reasons.first();
    let reason = reason.map(|reason| risks::reason(&reason.text, v.language()));
    let to = row.address();
    vec![
        format::time(row.decided_at),
        parts::link(&to, &row.payment_id),
        html! { (terms::term(&row.kind, v.language())) },
        html! { @if let Some(amount) = row.amount { (format::money(amount)) } @else { "–" } },
        parts::outcome(row.outcome, v.language()),
        parts::score(row.fraud.score, v.language()),
        parts::score(row.laundering.score, v.language()),
        html! { span title=[reason] { (reason.unwrap_or("–")) } },
    ]
}
