//! A back-test: how far it is, and what a version would have done with the payments of the past.

mod pictures;

pub(super) use pictures::shade;

use super::rules;
use crate::{
    chart::{self, Bar, Series},
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts, said,
    terms::{self, Tone},
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Currency, Outcome, Timestamp};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/backtests/{id}",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

/// Words of the pictures beside this file.
pub(crate) const MORE_WORDS: &[crate::word::Word] = pictures::WORDS;

words! {
    TITLE = "Back-test", "回测";
    WAITING = "It waits for another one to end.", "排队中，等待其他回测结束。";
    RUNNING = "{} of {} events lived through", "已重放 {} / {} 个事件";
    FAILED = "It came to nothing", "回测未成功";
    ASKED = "Asked for", "申请时间";
    VERSION = "Version", "版本";
    FIGURES = "What it would have done", "回测结果";
    STOPPED = "Stopped", "已拦截";
    STOPPED_BEFORE = "Stopped before", "原拦截";
    FRAUDS = "Frauds", "欺诈笔数";
    FRAUD_AMOUNT = "Amount of frauds stopped", "拦截欺诈金额";
    PRECISION = "Of those stopped, frauds", "拦截准确率";
    GOOD_CUSTOMERS = "Good customers kept waiting", "受影响的正常客户";
    OF_FRAUDS = "{} of {} frauds", "{} / {} 笔欺诈";
    BEFORE = "before {}", "原为 {}";
    BY_DAY = "By day", "按日";
    PASSED = "Let through", "放行";
    CHANGES = "Outcomes that change", "结果变化";
    WAS = "Before", "原结果";
    BECOMES = "After", "新结果";
    PAYMENTS = "Payments", "支付笔数";
    SOME = "Some of them", "部分支付";
    RULES = "Rule by rule", "逐条规则";
    RULE = "Rule", "规则";
    STAGE = "Stage", "阶段";
    FIRED = "Fired", "触发";
    ALONE = "Alone", "单独触发";
    DECISIVE = "Decisive", "决定结果";
    ONLY_HERE = "Frauds stopped only here", "仅此规则拦截的欺诈";
    VERDICT = "Worth", "评价";
    IS_DEAD = "Dead", "未触发";
    IS_NOISY = "Noisy", "误报偏多";
    IS_IDLE = "Never decisive", "从未起决定作用";
    NOISY_WHY = "Noisy: of the payments that it fired for frauds are no more frequent than of all. Never decisive: others asked for the same or more.", "误报偏多：触发支付中的欺诈占比不高于总体。从未起决定作用：其他规则已要求相同或更严的处置。";
    DEAD = "Rules that never fired", "从未触发的规则";
    CUT = "{} events reached back beyond what is kept: their windows may be too low", "{} 个事件的时间窗超出保留范围，取值可能偏低";
    SPAN = "{} to {}, labels as of {}; without a label genuine after {} days", "{} 至 {}，标签截至 {}；无标签满 {} 天视为正常";
}

#[derive(Deserialize)]
struct Backtest {
    id: String,
    rule_set: String,
    asked_at: Timestamp,
    state: String,
    events_done: u64,
    events_total: u64,
    detail: Option<String>,
    report: Option<Report>,
}

#[derive(Deserialize)]
struct Report {
    as_of: Timestamp,
    label_delay_days: u32,
    currency: String,
    payments: Effect,
    stopped: Effect,
    stopped_before: Effect,
    rules: Vec<RuleEffect>,
    dead: Vec<String>,
    shadowed: Vec<String>,
    days: Vec<Day>,
    changes: Vec<Change>,
    windows_cut: u64,
}

#[derive(Deserialize)]
struct Effect {
    payments: u64,
    fraud: u64,
    genuine: u64,
    presumed_genuine: u64,
    fraud_amount_minor: i64,
    good_customers: u64,
    rate: Option<f64>,
    precision: Option<f64>,
    recall: Option<f64>,
}

impl Effect {
    fn good(&self) -> u64 {
        self.genuine + self.presumed_genuine
    }
}

#[derive(Deserialize)]
struct RuleEffect {
    rule: String,
    stage: String,
    fired: Effect,
    alone: u64,
    decisive: u64,
    fraud_stopped_only_here: u64,
    overlaps: Vec<Overlap>,
}

#[derive(Deserialize)]
struct Overlap {
    rule: String,
    share: f64,
}

#[derive(Deserialize)]
struct Day {
    day: Timestamp,
    payments: u64,
    stopped: u64,
}

#[derive(Deserialize)]
struct Change {
    before: Outcome,
    after: Outcome,
    payments: u64,
    fraud: u64,
    samples: Vec<String>,
}

/// Rules shown at most.
const RULES_MAX: usize = 200;

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let version = v.query("version").unwrap_or_else(|| "live".to_owned());
    let route = format!(
        "/v1/rule-sets/{}/backtests/{}",
        encoded(&version),
        encoded(&v.parameter)
    );
    let test: Backtest = v.get(&route).await?;
    v.desk.about_rules(&test.rule_set).await;
    let v = &*v;
    let main = html! {
        p.muted {
            (v.t(VERSION)) " " (parts::link(&format!("/rules/{}", encoded(&test.rule_set)), &test.rule_set))
            " · " (v.t(ASKED)) " " (parts::since(test.asked_at, v)) " · " (parts::id(&test.id))
        }
        @match (&test.report, test.state.as_str()) {
            (Some(report), _) => (report_of(v, report)),
            (None, "failed") => (parts::note(Tone::Bad, html! { div { (v.t(FAILED)) ": " (said::detail(test.detail.as_deref().unwrap_or_default(), v)) } })),
            (None, state) => (under_way(v, &test, state)),
        }
    };
    Ok(Body::new(v.t(TITLE), main)
        .below("/rules", v.t(rules::TITLE))
        .below(format!("/rules/{}", encoded(&test.rule_set)), test.rule_set)
        .with(&["wait.js"])
        .into())
}

fn under_way(v: &Visit, test: &Backtest, state: &str) -> Markup {
    let [done, total] = [test.events_done, test.events_total].map(format::number);
    let said = match state {
        "waiting" => v.t(WAITING).to_owned(),
        _ => RUNNING.with(v.language(), &[&done, &total]),
    };
    parts::note(
        Tone::Info,
        html! { div data-wait="" { p { (said) } progress max=(test.events_total.max(1)) value=(test.events_done) aria-label=(said) {} } },
    )
}

fn report_of(v: &Visit, report: &Report) -> Markup {
    let day = |time: Timestamp| time.to_string().get(..10).unwrap_or_default().to_owned();
    let [first, last] = [report.days.first(), report.days.last()];
    let [from, to] = [first, last].map(|one| day(one.map_or(report.as_of, |one| one.day)));
    let as_of = day(report.as_of);
    let delay = report.label_delay_days.to_string();
    html! {
        p.muted { (SPAN.with(v.language(), &[&from, &to, &as_of, &delay])) }
        @if report.windows_cut > 0 {
            (parts::note(Tone::Care, CUT.with(v.language(), &[&format::number(report.windows_cut)])))
        }
        (figures(v, report))
        div.columns {
            (pictures::confusion(v, report))
            (parts::panel(v.t(BY_DAY), days(v, report)))
        }
        (parts::panel(v.t(CHANGES), changes(v, report)))
        (parts::panel(v.t(RULES), rule_by_rule(v, report)))
        (pictures::overlap(v, report))
        @if !report.dead.is_empty() {
            (parts::panel(v.t(DEAD), parts::fold(&format::number(report.dead.len() as u64), html! {
                ul.plain { @for rule in &report.dead { li { (parts::rule(rule, v)) } } }
            })))
        }
    }
}

fn figures(v: &Visit, report: &Report) -> Markup {
    let (now, before) = (&report.stopped, &report.stopped_before);
    let share = |share: Option<f64>| share.map_or("–".to_owned(), format::share);
    let was = |text: String| BEFORE.with(v.language(), &[&text]);
    let currency = Currency::parse(&report.currency).ok();
    let money =
        |minor: i64| currency.map_or_else(String::new, |currency| format::decimal(minor, currency));
    let [caught, frauds] = [now.fraud, report.payments.fraud].map(format::number);
    let of = OF_FRAUDS.with(v.language(), &[&caught, &frauds]);
    html! {
        div.figures aria-label=(v.t(FIGURES)) role="group" {
            (parts::figure(v.t(STOPPED), share(now.rate), was(share(before.rate)), None))
            (parts::figure(v.t(FRAUDS), share(now.recall), format!("{of}, {}", was(share(before.recall))), None))
            (parts::figure(v.t(PRECISION), share(now.precision), was(share(before.precision)), None))
            (parts::figure(v.t(FRAUD_AMOUNT), html! { (money(now.fraud_amount_minor)) " " span.unit { (report.currency) } }, was(money(before.fraud_amount_minor)), None))
            (parts::figure(v.t(GOOD_CUSTOMERS), format::number(now.good_customers), was(format::number(before.good_customers)), None))
        }
    }
}

fn days(v: &Visit, report: &Report) -> Markup {
    let series = [
        Series {
            name: v.t(STOPPED).to_owned(),
            tone: Tone::Bad,
            is_hatched: false,
        },
        Series {
            name: v.t(PASSED).to_owned(),
            tone: Tone::Good,
            is_hatched: true,
        },
    ];
    let bar = |day: &Day| Bar {
        name: day
            .day
            .to_string()
            .get(5..10)
            .unwrap_or_default()
            .to_owned(),
        to: "/decisions".to_owned(),
        values: vec![day.stopped, day.payments.saturating_sub(day.stopped)],
    };
    let last = report.days.len().saturating_sub(60);
    let bars: Vec<_> = report.days.iter().skip(last).map(bar).collect();
    chart::stacked(v.t(BY_DAY), &series, &bars, v)
}

fn changes(v: &Visit, report: &Report) -> Markup {
    let row = |change: &Change| {
        vec![
            parts::outcome(change.before, v.language()),
            parts::outcome(change.after, v.language()),
            html! { (format::number(change.payments)) },
            html! { (format::number(change.fraud)) },
            html! { @for payment in &change.samples { a.id href=(address("/decisions", &[("payment_id", Some(payment))])) { (payment) } " " } },
        ]
    };
    let differing = report
        .changes
        .iter()
        .filter(|change| change.before != change.after);
    let rows: Vec<_> = differing.map(row).collect();
    let [payments, frauds] = [PAYMENTS, FRAUDS].map(|word| format!("{}#", v.t(word)));
    let columns = [v.t(WAS), v.t(BECOMES), &payments, &frauds, v.t(SOME)];
    parts::table(v.t(CHANGES), &columns, &rows, v)
}

fn rule_by_rule(v: &Visit, report: &Report) -> Markup {
    let base = report.payments.precision.unwrap_or(0.0);
    let share = |share: Option<f64>| html! { (share.map_or("–".to_owned(), format::share)) };
    let row = |rule: &RuleEffect| {
        let is_noisy = rule.fired.fraud + rule.fired.good() >= 20
            && rule
                .fired
                .precision
                .is_some_and(|precision| precision <= base);
        let is_idle = report.shadowed.contains(&rule.rule);
        let verdict = html! {
            @if rule.fired.payments == 0 { (parts::badge(Tone::Plain, None, v.t(IS_DEAD))) }
            @if is_noisy { (parts::badge(Tone::Care, None, v.t(IS_NOISY))) " " }
            @if is_idle { (parts::badge(Tone::Plain, None, v.t(IS_IDLE))) }
        };
        vec![
            parts::rule(&rule.rule, v),
            html! { (terms::term(&rule.stage, v.language())) },
            html! { (format::number(rule.fired.payments)) },
            html! { (format::number(rule.fired.fraud)) },
            share(rule.fired.precision),
            html! { (format::number(rule.alone)) },
            html! { (format::number(rule.decisive)) },
            html! { (format::number(rule.fraud_stopped_only_here)) },
            verdict,
        ]
    };
    let fired = report.rules.iter().filter(|rule| rule.fired.payments > 0);
    let rows: Vec<_> = fired.take(RULES_MAX).map(row).collect();
    let numbers = [FIRED, FRAUDS, PRECISION, ALONE, DECISIVE, ONLY_HERE];
    let numbers = numbers.map(|word| format!("{}#", v.t(word)));
    let rule = format!("{}~", v.t(RULE));
    let mut columns = vec![&*rule, v.t(STAGE)];
    columns.extend(numbers.iter().map(String::as_str));
    columns.push(v.t(VERDICT));
    html! {
        p.muted { (v.t(NOISY_WHY)) }
        (parts::table(v.t(RULES), &columns, &rows, v))
    }
}
