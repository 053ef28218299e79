//! How much loss was prevented: each figure with its interval, and beside it what it rests on.

use crate::{
    chart::{self, Bar, Series},
    format,
    icon::Icon,
    names::named,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    risks,
    terms::{self, Tone},
    visit::{Visit, address},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Currency, Timestamp};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/prevention",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: Some(Menu {
        group: Group::Watch,
        word: TITLE,
        icon: Icon::SHIELD,
        key: 'v',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Loss prevented", "资金损失拦截";
    FROM = "From (UTC)", "起始时间（UTC）";
    TO = "To (UTC)", "截止时间（UTC）";
    DELAY = "Label delay in days", "标签延迟（天）";
    TOLD_APART = "Told apart by", "细分维度";
    RESTS_ON = "Payments from {} to {}, as their labels were known {}; alert rate {}. Without a label a payment counts as genuine after {} days; {} younger ones are in the alert rate alone.", "支付时间 {} 至 {}，标签截至 {}；告警率 {}。无标签的支付满 {} 天视为正常，另有 {} 笔较新支付仅计入告警率。";
    RATE = "Prevention rate, all in {}", "资金损失拦截率（折合 {}）";
    ALL = "All, in {}", "合计（折合 {}）";
    WITHOUT_RATE = "{} frauds in currencies without a rate are in no total.", "{} 笔欺诈的币种缺少汇率，未计入合计。";
    IN_ADVANCE = "Caught at the first payment", "事前识别率";
    RECALL = "Frauds stopped", "欺诈拦截笔数占比";
    ALERT_RATE = "Alert rate", "告警率";
    PRECISION = "Of those stopped, frauds", "拦截准确率";
    BETWEEN = "nine times in ten {} to {}", "九成区间 {} 至 {}";
    OF_COUNT = "{} of {}", "{}，共 {}";
    NOTHING = "No fraud is known in this time, so there is nothing to have a share of.", "该时段内没有已知欺诈，无法计算比率。";
    MONEY = "Money", "金额明细";
    CURRENCY = "Currency", "币种";
    ATTEMPTED = "Attempted", "欺诈金额";
    STOPPED = "Stopped", "已拦截";
    LOST_BEFORE = "Lost before the first alert", "首次告警前损失";
    PREVENTED = "Prevention rate", "资金损失拦截率";
    INTERVAL = "Nine times in ten", "九成区间";
    FRAUDS_BY_DAY = "Frauds by day", "每日欺诈笔数";
    MISSED = "Not stopped", "未拦截";
    PARTS = "Told apart", "细分结果";
    PART = "Of what", "细分项";
    PAYMENTS = "Payments", "支付笔数";
    ALERTS = "Stopped payments", "拦截支付数";
    FRAUDS = "Frauds", "欺诈笔数";
}

/// A share, and where it lies in nine of ten redrawings of the days.
#[derive(Deserialize, Clone, Copy)]
pub(super) struct Share {
    pub(super) seen: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

#[derive(Deserialize)]
struct Report {
    from: Timestamp,
    to: Timestamp,
    as_of: Timestamp,
    label_delay_days: u16,
    whole: Prevented,
    parts: Vec<Prevented>,
}

#[derive(Deserialize)]
struct Prevented {
    part: String,
    payments: u64,
    alerts: u64,
    unknown: u64,
    unknown_alerts: u64,
    alert_rate: Share,
    precision: Share,
    frauds: u64,
    frauds_stopped: u64,
    recall: Share,
    risk_events: u64,
    in_advance: u64,
    caught_in_advance: Share,
    total: Money,
    without_rate: u64,
    money: Vec<Money>,
}

#[derive(Deserialize)]
struct Money {
    currency: Currency,
    attempted_minor: i64,
    stopped_minor: i64,
    lost_before_alert_minor: i64,
    rate: Share,
}

const PARTS_BY: [&str; 6] = ["day", "rule", "scenario", "model", "engine", "channel"];
const FILTERS: [&str; 4] = ["from", "to", "label_delay_days", "by"];

impl Share {
    /// Where it lies, in words.
    fn between(self, v: &Visit) -> String {
        self.interval().map_or_else(
            || "–".to_owned(),
            |(low, high)| BETWEEN.with(v.language(), &[&format::share(low), &format::share(high)]),
        )
    }

    /// What was seen.
    pub(super) fn said(self) -> String {
        self.seen.map_or_else(|| "–".to_owned(), format::share)
    }

    /// From where to where it lies, if that is known.
    pub(super) fn interval(self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// What was seen, a picture of where it lies, and that in words.
    pub(super) fn cells(self) -> Vec<Markup> {
        let interval = self.interval();
        vec![
            html! { b { (self.said()) } },
            html! {
                @match (self.seen, interval) {
                    (Some(seen), Some((low, high))) => {
                        span.line { (chart::interval(seen, (low, high))) span.muted { (format::share(low)) " – " (format::share(high)) } }
                    }
                    _ => "–",
                }
            },
        ]
    }
}

/// A report may be so many seconds old.
const AGE: &str = "60";

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let given = FILTERS.map(|name| (name, v.query(name)));
    let by = v.query("by").unwrap_or_else(|| "day".to_owned());
    let asked = given.iter().filter(|(name, _)| *name != "by");
    let asked = asked.map(|(name, value)| (*name, value.as_deref()));
    let asked: Vec<_> = asked
        .chain([("by", Some(&*by)), ("age_s", Some(AGE))])
        .collect();
    let report: Report = v.get(&address("/v1/reports/prevention", &asked)).await?;
    let v = &*v;
    let is_set = given.iter().any(|(_, value)| value.is_some());
    let main = html! {
        (parts::filters("/prevention", fields(v, &given, &by), is_set, v))
        (parts::note(Tone::Info, rests_on(v, &report)))
        @if report.whole.frauds == 0 { (parts::note(Tone::Care, v.t(NOTHING))) }
        (figures(v, &report))
        @if by == "day" { (parts::panel(v.t(FRAUDS_BY_DAY), by_day(v, &report.parts))) }
        (parts::panel(v.t(MONEY), money(v, &report.whole)))
        (parts::panel(v.t(PARTS), told_apart(v, &by, &report.parts)))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn fields(v: &Visit, given: &[(&str, Option<String>)], by: &str) -> Markup {
    let value = |name: &str| {
        let found = given.iter().find(|(known, _)| *known == name);
        found
            .and_then(|(_, value)| value.as_deref())
            .unwrap_or_default()
    };
    let line = |name, word: Word| Field {
        value: value(name),
        required: false,
        ..Field::new(name, v.t(word))
    };
    let parts_by = PARTS_BY.map(|name| (name.to_owned(), named("part", name, "", v.language())));
    html! {
        (line("from", FROM)) (line("to", TO)) (line("label_delay_days", DELAY))
        (parts::select("by", v.t(TOLD_APART), by, parts_by))
    }
}

fn rests_on(v: &Visit, report: &Report) -> String {
    let [from, to, as_of] = [report.from, report.to, report.as_of].map(|time| time.to_string());
    let second = |text: &str| text.get(..19).unwrap_or(text).replace('T', " ");
    RESTS_ON.with(
        v.language(),
        &[
            &second(&from),
            &second(&to),
            &second(&as_of),
            &report.whole.alert_rate.said(),
            &report.label_delay_days.to_string(),
            &format::number(report.whole.unknown),
        ],
    )
}

fn figures(v: &Visit, report: &Report) -> Markup {
    let whole = &report.whole;
    let of = |part: u64, all: u64| {
        OF_COUNT.with(v.language(), &[&format::number(part), &format::number(all)])
    };
    let shares = [
        (
            IN_ADVANCE,
            whole.caught_in_advance,
            of(whole.in_advance, whole.risk_events),
        ),
        (RECALL, whole.recall, of(whole.frauds_stopped, whole.frauds)),
        (
            PRECISION,
            whole.precision,
            of(whole.frauds_stopped, whole.alerts),
        ),
        (
            ALERT_RATE,
            whole.alert_rate,
            of(
                whole.alerts + whole.unknown_alerts,
                whole.payments + whole.unknown,
            ),
        ),
    ];
    html! {
        div.figures {
            (parts::figure(
                RATE.with(v.language(), &[whole.total.currency.code()]),
                whole.total.rate.said(),
                whole.total.rate.between(v),
                None,
            ))
            @for (word, share, counted) in shares {
                (parts::figure(v.t(word), share.said(), format!("{} · {counted}", share.between(v)), None))
            }
        }
    }
}

fn by_day(v: &Visit, days: &[Prevented]) -> Markup {
    let series = [(STOPPED, Tone::Good, false), (MISSED, Tone::Bad, true)];
    let series = series.map(|(word, tone, is_hatched)| Series {
        name: v.t(word).to_owned(),
        tone,
        is_hatched,
    });
    let bar = |day: &Prevented| {
        let [from, to] = ["00:00:00Z", "23:59:59Z"].map(|time| format!("{}T{time}", day.part));
        Bar {
            name: day.part.clone(),
            to: address("/decisions", &[("from", Some(&from)), ("to", Some(&to))]),
            values: vec![
                day.frauds_stopped,
                day.frauds.saturating_sub(day.frauds_stopped),
            ],
        }
    };
    let bars: Vec<_> = days.iter().map(bar).collect();
    chart::stacked(v.t(FRAUDS_BY_DAY), &series, &bars, v)
}

fn money(v: &Visit, whole: &Prevented) -> Markup {
    let row = |(name, one): (&str, &Money)| {
        let minor = [
            one.attempted_minor,
            one.stopped_minor,
            one.lost_before_alert_minor,
        ];
        let mut cells = vec![html! { (name) }];
        cells.extend(minor.map(|minor| format::amount(minor, one.currency)));
        cells.extend(one.rate.cells());
        cells
    };
    let all = ALL.with(v.language(), &[whole.total.currency.code()]);
    let each = whole.money.iter().map(|one| (one.currency.code(), one));
    let rows: Vec<_> = each.chain([(&*all, &whole.total)]).map(row).collect();
    let [attempted, stopped, lost, rate] =
        [ATTEMPTED, STOPPED, LOST_BEFORE, PREVENTED].map(|word| format!("{}#", v.t(word)));
    let columns = [
        v.t(CURRENCY),
        &attempted,
        &stopped,
        &lost,
        &rate,
        v.t(INTERVAL),
    ];
    html! {
        (parts::table(v.t(MONEY), &columns, &rows, v))
        @if whole.without_rate > 0 {
            p.hint { (WITHOUT_RATE.with(v.language(), &[&format::number(whole.without_rate)])) }
        }
    }
}

fn told_apart(v: &Visit, by: &str, parts_of: &[Prevented]) -> Markup {
    let row = |part: &Prevented| {
        let mut cells = vec![html! { @match by {
            "day" => (part.part),
            "rule" => (parts::rule(&part.part, v)),
            "scenario" => (risks::scenario(&part.part, v.language())),
            "engine" | "channel" => (terms::term(&part.part, v.language())),
            _ => (parts::id(&part.part)),
        } }];
        let counts = [part.payments, part.alerts, part.frauds, part.frauds_stopped];
        cells.extend(counts.map(|count| html! { (format::number(count)) }));
        cells.push(html! { (part.alert_rate.said()) });
        cells.push(html! { (part.precision.said()) });
        cells.extend(part.recall.cells());
        cells
    };
    let rows: Vec<_> = parts_of.iter().map(row).collect();
    let numbers = [
        PAYMENTS, ALERTS, FRAUDS, STOPPED, ALERT_RATE, PRECISION, RECALL,
    ];
    let numbers = numbers.map(|word| format!("{}#", v.t(word)));
    let part = format!("{}~", v.t(PART));
    let mut columns = vec![&*part];
    columns.extend(numbers.iter().map(String::as_str));
    columns.push(v.t(INTERVAL));
    parts::table(v.t(PARTS), &columns, &rows, v)
}
