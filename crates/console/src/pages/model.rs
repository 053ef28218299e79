//! One model: where it is at work, how far its payments have moved, how it does beside the live one.

use super::{
    models::{self, Model, Place},
    prevention::Share,
};
use crate::{
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts, said,
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/models/{model}",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    ABOUT_IT = "What it is", "模型信息";
    READS = "Whose past it reads", "读取的历史主体";
    DELAY = "Label delay in days", "标签延迟（天）";
    SOURCE = "SHA-256 of the package", "模型包 SHA-256";
    PLACE = "Engine and role", "引擎与角色";
    POLICY = "What its chances come to", "概率处置策略";
    THRESHOLD = "Threshold", "阈值";
    SINCE = "Since", "起始时间";
    DRIFT = "How far its payments have moved", "数据漂移";
    COUNTED = "Payments scored", "评分支付数";
    SAMPLED = "Counted number by number", "逐特征统计数";
    ALERTS = "Stopped payments", "拦截支付数";
    ALERT_RATE = "Alert rate", "告警率";
    BUDGET = "Alerts a day that the budget asks for", "预算每日告警数";
    SCORE_STABILITY = "Stability index of the score", "评分稳定性指数";
    FEATURE = "Feature", "特征";
    STABILITY = "Stability index", "稳定性指数";
    STABILITY_HINT = "Below 0.1 little has changed, above 0.25 much has.", "低于 0.1 变化很小，高于 0.25 变化明显。";
    MISSING = "Missing", "缺失率";
    MISSING_THEN = "Missing when calibrated", "校准时缺失率";
    COMPARED = "Beside the live model, {}", "与生效模型对比（{}）";
    COMPARED_ON = "{} payments, {} frauds, {} days, labels {} days; both are given the alert rate {}.", "支付 {} 笔，欺诈 {} 笔，{} 天，标签延迟 {} 天；双方告警率均为 {}。";
    FIGURE = "Figure", "指标名";
    OF_LIVE = "Live model", "生效模型";
    OF_CHALLENGER = "This model", "本模型";
    GAIN = "Gain", "增益";
    INTERVAL = "Nine times in ten", "九成区间";
    HELD_BACK = "It would not be promoted", "不予上线";
    WOULD = "It would be promoted.", "满足上线条件。";
    CALIBRATION = "Frauds expected over frauds that there were", "预期欺诈与实际欺诈之比";
    CALIBRATION_ERROR = "Mean distance of the chance from the share", "概率校准误差";
}

#[derive(Deserialize)]
struct Drift {
    since: Timestamp,
    payments: u64,
    sampled: u64,
    alerts: u64,
    alert_rate: Option<f64>,
    budget_per_day: Option<u32>,
    score_stability: Option<f64>,
    features: Vec<Feature>,
    alarms: Vec<String>,
}

#[derive(Deserialize)]
struct Feature {
    feature: String,
    stability: Option<f64>,
    missing: Option<f64>,
    missing_then: f64,
}

#[derive(Deserialize)]
struct Comparison {
    engine: String,
    payments: u64,
    frauds: u64,
    days: u64,
    label_delay_days: u16,
    alert_rate: f64,
    figures: Vec<Figure>,
    calibration: Share,
    calibration_error: Option<f64>,
    held_back: Option<String>,
}

#[derive(Deserialize)]
struct Figure {
    name: String,
    live: Option<f64>,
    challenger: Option<f64>,
    gain: Share,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = format!("/v1/models/{}", encoded(&v.parameter));
    let model: Model = v.get(&route).await?;
    let is_at_work = !model.places.is_empty();
    let drift: Option<Drift> = match is_at_work {
        true => Some(v.get(&format!("{route}/drift")).await?),
        false => None,
    };
    let mut compared = Vec::new();
    for place in model.places.iter().filter(|place| place.role == "shadow") {
        let target = format!("{route}/comparison?engine={}", encoded(&place.engine));
        let comparison: Result<Comparison, Fault> = v.get(&target).await;
        compared.push((place.engine.as_str(), comparison));
    }
    let v = &*v;
    let main = html! {
        (parts::panel(v.t(ABOUT_IT), about(v, &model)))
        (parts::panel(v.t(models::WORK), places(v, &model.places)))
        @for (engine, comparison) in &compared {
            (parts::panel(&COMPARED.with(v.language(), &[&terms::term(engine, v.language())]), match comparison {
                Ok(comparison) => beside(v, comparison),
                // Without a live model there is nothing to compare with.
                Err(Fault(document)) => parts::note(Tone::Care, html! { div { (parts::refusal(document, v)) } }),
            }))
        }
        @if let Some(drift) = &drift { (parts::panel(v.t(DRIFT), moved(v, drift))) }
    };
    let body = Body::new(model.model, main);
    Ok(body.below("/models", v.t(models::TITLE)).into())
}

fn about(v: &Visit, model: &Model) -> Markup {
    let reads = format!("{}, {}", model.payer, model.place);
    let frauds = format!(
        "{} / {}",
        format::number(model.reference_frauds),
        format::number(model.reference_payments)
    );
    parts::facts([
        parts::row(
            models::REGISTERED,
            html! { (parts::since(model.registered_at, v)) " " (parts::actor(&model.registered_by, v)) },
            v,
        ),
        parts::row(READS, html! { (reads) }, v),
        parts::row(
            DELAY,
            html! { (format::number(model.label_delay_s / 86_400)) },
            v,
        ),
        parts::row(models::TREES, html! { (format::number(model.trees)) }, v),
        parts::row(
            models::FEATURES,
            html! { (format::number(model.features)) },
            v,
        ),
        parts::row(models::REFERENCE_FRAUDS, html! { (frauds) }, v),
        parts::row(SOURCE, parts::id(&model.sha256), v),
    ])
}

fn places(v: &Visit, places: &[Place]) -> Markup {
    let row = |place: &Place| {
        vec![
            models::role(v, place),
            html! { @if let Some(policy) = &place.policy { code { (policy.to_string()) } } @else { "–" } },
            html! { @if let Some(threshold) = place.threshold { (format!("{threshold:.4}")) } @else { "–" } },
            parts::since(place.since, v),
            parts::actor(&place.by, v),
        ]
    };
    let rows: Vec<_> = places.iter().map(row).collect();
    let threshold = format!("{}#", v.t(THRESHOLD));
    let columns = [
        v.t(PLACE),
        v.t(POLICY),
        &threshold,
        v.t(SINCE),
        v.t(models::BY),
    ];
    parts::table(v.t(models::WORK), &columns, &rows, v)
}

fn beside(v: &Visit, compared: &Comparison) -> Markup {
    let counts = [compared.payments, compared.frauds, compared.days].map(format::number);
    let [payments, frauds, days] = &counts;
    let delay = compared.label_delay_days.to_string();
    let rate = format::share(compared.alert_rate);
    let row = |figure: &Figure| {
        let seen = [figure.live, figure.challenger];
        let mut cells = vec![html! { (named("model", &figure.name, "", v.language())) }];
        cells.extend(seen.map(
            |share| html! { @if let Some(share) = share { (format::share(share)) } @else { "–" } },
        ));
        cells.push(html! { b { (figure.gain.said()) } });
        cells.push(between(figure.gain));
        cells
    };
    let rows: Vec<_> = compared.figures.iter().map(row).collect();
    let [live, own, gain] = [OF_LIVE, OF_CHALLENGER, GAIN].map(|word| format!("{}#", v.t(word)));
    let columns = [v.t(FIGURE), &live, &own, &gain, v.t(INTERVAL)];
    let title = terms::term(&compared.engine, v.language());
    html! {
        p.muted { (COMPARED_ON.with(v.language(), &[payments, frauds, days, &delay, &rate])) }
        @match &compared.held_back {
            Some(why) => (parts::note(Tone::Care, html! { (v.t(HELD_BACK)) ": " (why) })),
            None => (parts::note(Tone::Good, v.t(WOULD))),
        }
        (parts::table(&title, &columns, &rows, v))
        (parts::facts([
            parts::row(CALIBRATION, html! { (index(compared.calibration.seen)) " " (between_index(compared.calibration)) }, v),
            parts::row(CALIBRATION_ERROR, html! { (index(compared.calibration_error)) }, v),
        ]))
    }
}

fn between(share: Share) -> Markup {
    html! {
        @if let Some((low, high)) = share.low.zip(share.high) { (format::share(low)) " – " (format::share(high)) } @else { "–" }
    }
}

fn between_index(share: Share) -> Markup {
    html! {
        @if let Some((low, high)) = share.low.zip(share.high) { span.muted { (format!("{low:.2} – {high:.2}")) } }
    }
}

fn index(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// A population stability index, coloured by how much has changed.
fn stability(value: Option<f64>) -> Markup {
    let tone = match value {
        Some(value) if value > 0.25 => Tone::Bad,
        Some(value) if value >= 0.1 => Tone::Care,
        Some(_) => Tone::Good,
        None => Tone::Plain,
    };
    parts::badge(tone, None, &index(value))
}

fn moved(v: &Visit, drift: &Drift) -> Markup {
    let row = |one: &Feature| {
        vec![
            parts::id(&one.feature),
            stability(one.stability),
            html! { @if let Some(share) = one.missing { (format::share(share)) } @else { "–" } },
            html! { (format::share(one.missing_then)) },
        ]
    };
    let rows: Vec<_> = drift.features.iter().map(row).collect();
    let [index, missing, then] =
        [STABILITY, MISSING, MISSING_THEN].map(|word| format!("{}#", v.t(word)));
    let columns = [v.t(FEATURE), &index, &missing, &then];
    let rate = drift.alert_rate.map(format::share);
    let budget = drift.budget_per_day.map(format::number);
    html! {
        @for alarm in &drift.alarms { (parts::note(Tone::Bad, said::detail(alarm, v))) }
        (parts::facts([
            parts::row(SINCE, format::time(drift.since), v),
            parts::row(COUNTED, html! { (format::number(drift.payments)) }, v),
            parts::row(SAMPLED, html! { (format::number(drift.sampled)) }, v),
            parts::row(ALERTS, html! { (format::number(drift.alerts)) }, v),
            parts::row(ALERT_RATE, html! { (rate.as_deref().unwrap_or("–")) }, v),
            parts::row(BUDGET, html! { (budget.as_deref().unwrap_or("–")) }, v),
            parts::row(SCORE_STABILITY, stability(drift.score_stability), v),
        ]))
        p.hint { (v.t(STABILITY_HINT)) }
        (parts::table(v.t(DRIFT), &columns, &rows, v))
    }
}
