//! What is going on: the last day in numbers, what waits, how the system stands. Every number leads
//! to its rows.

use super::{alerts::Alerts, approvals::Approvals, prevention::Share};
use crate::{
    chart::{self, Bar},
    format,
    icon::Icon,
    metrics::Metrics,
    names,
    page::{Body, Door, Fault, Group, Menu, Page, Renewal, Shown},
    parts,
    terms::Tone,
    visit::{Visit, address},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Currency, Outcome, Timestamp, time::HOUR};
use paywarden_server::edge::{Code, ProblemDocument};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/",
    door: Door::Staff,
    needs: &[],
    menu: Some(Menu {
        group: Group::Watch,
        word: TITLE,
        icon: Icon::OVERVIEW,
        key: 'o',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Overview", "总览";
    LAST_DAY = "Decisions", "决策";
    DAY = "last 24 hours", "近 24 小时";
    PER_SECOND = "Decisions per second", "每秒决策数";
    LAST_MINUTE = "over the last minute", "最近一分钟";
    MEDIAN = "Median answer", "响应时间中位数";
    TAIL = "Answer of 99 in 100", "响应时间 p99";
    SINCE_START = "since this node started", "本节点启动以来";
    STOPPED = "Kept from moving", "已拦截笔数";
    OF_ALL = "{} of all", "占全部 {}";
    AMOUNT_STOPPED = "Amount kept from moving", "已拦截金额";
    LEFT_OUT = "{} without a rate left out", "{} 笔缺汇率未计入";
    IN_BASE = "each currency by its rate", "各币种按汇率折算";
    RATE = "Prevention rate", "资金损失拦截率";
    IN_ADVANCE = "Caught at the first payment", "事前识别率";
    BETWEEN = "30 days · nine in ten {}–{}", "近 30 天 · 九成区间 {}–{}";
    NO_FRAUD = "30 days · no fraud known", "近 30 天 · 无已知欺诈";
    UNDERWAY = "being calculated", "正在计算";
    TOO_MANY = "too many payments for one look", "支付数过多，请缩短时段查看";
    ALERTS_WAIT = "Alerts that wait", "待处理告警";
    CASES_OPEN = "Open cases", "未结案件";
    OPEN_APPROVALS = "Approvals that wait", "待审批";
    OPEN_ALERTS = "Security alerts open", "未关闭安全告警";
    OLDEST = "the oldest for {}", "最早的已等待 {}";
    NONE_WAITS = "none waits", "无等待";
    BY_HOUR = "Outcomes by hour", "每小时决策结果";
    STATUS = "System", "系统状态";
    QUEUE = "Journal queue", "日志写入队列";
    QUEUE_FINE = "entries wait to be written", "条记录等待写入";
    TRAIL = "Trail", "审计轨迹";
    TRAIL_HOLDS = "no fault found", "未发现异常";
    TRAIL_FAULTS = "places that do not hold", "处异常";
    RULE_SET = "Rules", "规则版本";
}

#[derive(Deserialize)]
struct Statistics {
    base_currency: Currency,
    last_minute: u64,
    hours: Vec<Hour>,
}

#[derive(Deserialize)]
struct Hour {
    hour: Timestamp,
    outcomes: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    outcome: Outcome,
    decisions: u64,
    amount_minor: i64,
    without_rate: u64,
}

#[derive(Deserialize)]
struct RuleSet {
    version: String,
}

/// How much loss was prevented: of what is shown here, the parts.
#[derive(Deserialize)]
struct Prevention {
    whole: Prevented,
}

#[derive(Deserialize)]
struct Prevented {
    frauds: u64,
    caught_in_advance: Share,
    total: PreventedMoney,
}

#[derive(Deserialize)]
struct PreventedMoney {
    rate: Share,
}

/// What waits, and since when.
#[derive(Deserialize)]
struct Waiting {
    #[serde(alias = "alerts", alias = "cases")]
    items: Vec<Opened>,
}

#[derive(Deserialize)]
struct Opened {
    opened_at: Timestamp,
}

/// The page waits for nothing that is still being made; an answer about the last days that is at most
/// ten minutes old will do.
const PREVENTION: &str = "/v1/reports/prevention?age_s=600&wait_ms=100";

const DECIDED: &str = "/v1/statistics/decisions?wait_ms=100";
/// When a page without script asks again for what is still being counted, in seconds.
const RENEW_S: u32 = 2;

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let decided = match v.may(Scope::DecisionsRead) {
        true => Some(v.get::<Statistics>(DECIDED).await),
        false => None,
    };
    let waiting = v
        .get_if::<Approvals>(Scope::ApprovalsRead, "/v1/approvals?state=open&limit=100")
        .await?;
    let alerts = v
        .get_if::<Alerts>(
            Scope::SecurityRead,
            "/v1/security-alerts?state=open&limit=100",
        )
        .await?;
    let open: Option<Waiting> = v
        .get_if(Scope::CasesRead, "/v1/alerts?state=open&limit=100")
        .await?;
    let cases: Option<Waiting> = v
        .get_if(Scope::CasesRead, "/v1/cases?state=open&limit=100")
        .await?;
    let prevented = match v.may(Scope::DecisionsRead) {
        true => Some(v.get::<Prevention>(PREVENTION).await),
        false => None,
    };
    let rules = v
        .get_if::<RuleSet>(Scope::DecisionsRead, "/v1/rule-set")
        .await?;
    let metrics = Metrics::new(v.text(Metrics::ADDRESS).await?);
    let v = &*v;
    let main = html! {
        div.figures {
            @if let Some(decided) = &decided { (figures(v, decided)) }
            @if let Some(prevented) = &prevented { (prevention(v, prevented)) }
            (latency(v, &metrics))
            @for (waiting, name, to) in [(&open, ALERTS_WAIT, "/payment-alerts"), (&cases, CASES_OPEN, "/cases")] {
                @if let Some(Waiting { items }) = waiting {
                    (queue(v, v.t(name), items.iter().map(|one| one.opened_at), to))
                }
            }
            @if let Some(Approvals { approvals, .. }) = &waiting {
                (queue(v, v.t(OPEN_APPROVALS), approvals.iter().map(|one| one.requested_at), "/approvals?state=open"))
            }
            @if let Some(Alerts { alerts, .. }) = &alerts {
                (queue(v, v.t(OPEN_ALERTS), alerts.iter().map(|one| one.first_at), "/alerts?state=open"))
            }
        }
        @if let Some(decided) = &decided { (parts::panel(v.t(BY_HOUR), by_hour(v, decided))) }
        (parts::panel(v.t(STATUS), status(v, &metrics, rules.as_ref())))
    };
    let counting = decided.is_some_and(|decided| decided.is_err_and(|fault| is_underway(&fault)));
    let renewal = counting.then(|| Renewal {
        after_s: RENEW_S,
        to: "/".to_owned(),
    });
    let body = Body::new(v.t(TITLE), main).with(&["live.js", "wait.js"]);
    Ok(Body { renewal, ..body }.into())
}

fn figures(v: &Visit, decided: &Result<Statistics, Fault>) -> Markup {
    match decided {
        Ok(decided) => counted(v, decided),
        Err(Fault(why)) => html! {
            @for name in [LAST_DAY, PER_SECOND, STOPPED, AMOUNT_STOPPED] {
                (parts::figure(v.t(name), "–", missing(v, why), None))
            }
        },
    }
}

fn counted(v: &Visit, decided: &Statistics) -> Markup {
    let all = || decided.hours.iter().flat_map(|hour| &hour.outcomes);
    let total: u64 = all().map(|count| count.decisions).sum();
    let stopped = || all().filter(|count| count.outcome.stops());
    let count: u64 = stopped().map(|count| count.decisions).sum();
    let minor: i64 = stopped().map(|count| count.amount_minor).sum();
    let left_out: u64 = stopped().map(|count| count.without_rate).sum();
    let rate = format!(
        "{}.{:01}",
        decided.last_minute / 60,
        decided.last_minute % 60 / 6
    );
    let below = match left_out {
        0 => v.t(IN_BASE).to_owned(),
        count => LEFT_OUT.with(v.language(), &[&format::number(count)]),
    };
    let from = decided.hours.first().map(|hour| hour.hour.to_string());
    let rows = address("/decisions", &[("from", from.as_deref())]);
    let stopping = Outcome::ALL.into_iter().filter(|outcome| outcome.stops());
    let stopping: Vec<&str> = stopping.map(Outcome::name).collect();
    let line = format!("outcome:{}", stopping.join(","));
    let asked = [("q", Some(line.as_str())), ("from", from.as_deref())];
    let stopping = address("/decisions", &asked);
    let short = format::short(
        minor / 10_i64.pow(decided.base_currency.decimals().into()),
        v.language(),
    );
    html! {
        (parts::figure(v.t(LAST_DAY), live("total", &format::number(total)), v.t(DAY), Some(&rows)))
        (parts::figure(v.t(PER_SECOND), live("rate", &rate), v.t(LAST_MINUTE), Some("/decisions")))
        (parts::figure(v.t(STOPPED), live("stopped", &format::number(count)), OF_ALL.with(v.language(), &[&format::percent(count, total)]), Some(&stopping)))
        (parts::figure(v.t(AMOUNT_STOPPED), html! { (live("amount", &short)) " " span.unit { (decided.base_currency.code()) } }, &below, Some(&stopping)))
    }
}

/// What was prevented of late, of all currencies by their rates.
fn prevention(v: &Visit, prevented: &Result<Prevention, Fault>) -> Markup {
    let whole = prevented.as_ref().map(|prevented| &prevented.whole);
    let below = |share: Option<Share>| match (whole, share) {
        (Err(Fault(why)), _) => missing(v, why).to_owned(),
        (Ok(whole), _) if whole.frauds == 0 => v.t(NO_FRAUD).to_owned(),
        (_, share) => {
            let (low, high) = share.and_then(Share::interval).unwrap_or_default();
            BETWEEN.with(v.language(), &[&format::share(low), &format::share(high)])
        }
    };
    let shares = [
        ("prevented", RATE, whole.ok().map(|whole| whole.total.rate)),
        (
            "in-advance",
            IN_ADVANCE,
            whole.ok().map(|whole| whole.caught_in_advance),
        ),
    ];
    html! {
        @for (part, name, share) in shares {
            (parts::figure(
                v.t(name),
                live(part, &share.map_or_else(|| "–".to_owned(), Share::said)),
                live(&format!("{part}-below"), &below(share)),
                Some("/prevention"),
            ))
        }
    }
}

fn is_underway(Fault(why): &Fault) -> bool {
    Code::parse(&why.code) == Some(Code::ReportUnderway)
}

/// Why there is no report.
fn missing<'a>(v: &Visit, why: &'a ProblemDocument) -> &'a str {
    match Code::parse(&why.code) {
        Some(Code::ReportUnderway) => v.t(UNDERWAY),
        Some(Code::ReportTooLong) => v.t(TOO_MANY),
        _ => names::refusal(why, v.language()),
    }
}

/// A text that is kept current.
fn live(name: &str, text: &str) -> Markup {
    html! { span data-live=(name) { (text) } }
}

fn latency(v: &Visit, metrics: &Metrics) -> Markup {
    let shown = |thousandths| {
        let micros = metrics.decision_us(thousandths);
        micros.map_or_else(|| "–".to_owned(), format::millis)
    };
    let to = v.may(Scope::DecisionsRead).then_some("/decisions");
    html! {
        (parts::figure(v.t(MEDIAN), live("p50", &shown(500)), v.t(SINCE_START), to))
        (parts::figure(v.t(TAIL), live("p99", &shown(990)), v.t(SINCE_START), to))
    }
}

fn queue(v: &Visit, name: &str, since: impl Iterator<Item = Timestamp>, to: &str) -> Markup {
    let since: Vec<Timestamp> = since.collect();
    let below = match since.iter().min() {
        None => v.t(NONE_WAITS).to_owned(),
        Some(oldest) => {
            let age = format::age(*oldest, v.now(), v.language());
            OLDEST.with(v.language(), &[&age])
        }
    };
    let count = match since.len() {
        100.. => "100+".to_owned(),
        count => count.to_string(),
    };
    parts::figure(name, count, &below, Some(to))
}

fn by_hour(v: &Visit, decided: &Result<Statistics, Fault>) -> Markup {
    let decided = match decided {
        Ok(decided) => decided,
        Err(fault) => {
            return html! {
                div data-wait=[is_underway(fault).then_some("")] { (parts::empty(missing(v, &fault.0))) }
            };
        }
    };
    let bars: Vec<Bar> = decided.hours.iter().map(bar).collect();
    chart::stacked(v.t(BY_HOUR), &chart::outcomes(v), &bars, v)
}

fn bar(hour: &Hour) -> Bar {
    let text = hour.hour.to_string();
    let end = Timestamp::from_micros(hour.hour.micros() + HOUR).to_string();
    Bar {
        name: text.get(11..16).unwrap_or_default().to_owned(),
        to: address("/decisions", &[("from", Some(&text)), ("to", Some(&end))]),
        values: chart::by_outcome(
            hour.outcomes
                .iter()
                .map(|count| (count.outcome, count.decisions)),
        ),
    }
}

fn status(v: &Visit, metrics: &Metrics, rules: Option<&RuleSet>) -> Markup {
    let queued = metrics.value("journal_queued").unwrap_or(0);
    let faults = metrics.value("trail_faults").unwrap_or(0);
    let trail = match faults {
        0 => parts::badge(Tone::Good, Some(Icon::YES), v.t(TRAIL_HOLDS)),
        count => html! {
            (parts::badge(Tone::Bad, Some(Icon::NO), &format!("{count} {}", v.t(TRAIL_FAULTS))))
        },
    };
    let mut rows = vec![
        parts::row(
            QUEUE,
            html! { (live("queue", &format::number(queued))) " " (v.t(QUEUE_FINE)) },
            v,
        ),
        parts::row(TRAIL, trail, v),
    ];
    if let Some(RuleSet { version }) = rules {
        rows.push(parts::row(RULE_SET, parts::link("/library", version), v));
    }
    parts::facts(rows)
}
