//! What a rule does: its examples, and the last payments.

use crate::{
    format, parts, said,
    terms::{self, Tone},
    visit::{Visit, address},
    word::words,
};
use maud::{Markup, html};
use paywarden_domain::Timestamp;
use serde::Deserialize;

words! {
    EXAMPLES = "Its examples", "样例结果";
    NOT_RUN = "They run when the pack compiles.", "规则包编译通过后运行样例。";
    MUST_HIT = "must fire", "应触发";
    MUST_MISS = "must stay silent", "不应触发";
    HOLDS = "as it must", "符合预期";
    FAILS = "not as it must", "不符合预期";
    EFFECT = "On the last payments", "对近期支付的影响";
    EFFECT_WAITS = "Shown when the condition compiles.", "条件编译通过后显示。";
    FIRES = "Would fire", "将触发";
    OF_LAST = "of the last {}", "近期 {} 笔中";
    STOPPED = "Stopped already", "已被拦截";
    LABELLED = "Frauds among them", "其中欺诈";
    UNKNOWN = "Something is missing", "数据缺失";
    NOT_KEPT = "Windows that were not kept: only a back-test has the answer", "未保留的时间窗：需回测才能得出结论";
    SOME = "Some of them", "部分支付";
    SINCE = "Since", "起始时间";
}

/// How an example went.
#[derive(Deserialize)]
pub(in super::super) struct Example {
    name: String,
    hit: bool,
    holds: bool,
    truth: Option<String>,
    problem: Option<String>,
}

/// What a condition would have done with the last payments.
#[derive(Deserialize)]
pub(super) struct Glance {
    payments: Count,
    fired: Count,
    stopped_already: u64,
    unknown: u64,
    windows_not_kept: u64,
    since: Option<Timestamp>,
    samples: Vec<String>,
}

#[derive(Deserialize)]
struct Count {
    payments: u64,
    fraud: u64,
}

/// The examples of the rule; none if they did not run.
pub(super) fn examples(v: &Visit, examples: Option<&[Example]>) -> Markup {
    let examples = examples.unwrap_or_default();
    let inside = html! {
        ul.problems data-examples="" data-hit=(v.t(MUST_HIT)) data-miss=(v.t(MUST_MISS))
            data-holds=(v.t(HOLDS)) data-fails=(v.t(FAILS)) data-empty=(v.t(NOT_RUN)) {
            @if examples.is_empty() { li.muted { (v.t(NOT_RUN)) } }
            @for example in examples {
                @let (tone, word) = if example.holds { (Tone::Good, HOLDS) } else { (Tone::Bad, FAILS) };
                li {
                    (parts::badge(tone, None, v.t(word))) " "
                    span.muted { (v.t(if example.hit { MUST_HIT } else { MUST_MISS })) } " "
                    (example.name)
                    @if let Some(truth) = example.truth.as_deref().filter(|_| !example.holds) {
                        " · " (terms::term(truth, v.language()))
                    }
                    @if let Some(problem) = &example.problem { p { (said::CHECKER.said(problem, v.language())) } }
                }
            }
        }
    };
    parts::panel(v.t(EXAMPLES), inside)
}

/// The effect on the last payments; places are filled again by the module.
pub(super) fn panel(v: &Visit, glance: Option<&Glance>) -> Markup {
    let number = |value: Option<u64>| value.map_or("–".to_owned(), format::number);
    let place =
        |name: &str, value: Option<u64>| html! { b.number data-effect=(name) { (number(value)) } };
    let total = number(glance.map(|glance| glance.payments.payments));
    let inside = html! {
        div.effect.counts data-effects="" data-last=(v.t(OF_LAST)) {
            p.muted data-waits="" hidden[glance.is_some()] { (v.t(EFFECT_WAITS)) }
            dl.facts {
                div {
                    dt { (v.t(FIRES)) }
                    dd { (place("fired", glance.map(|glance| glance.fired.payments))) " "
                        span.muted data-effect="payments" { (OF_LAST.with(v.language(), &[&total])) } }
                }
                div { dt { (v.t(LABELLED)) } dd { (place("fraud", glance.map(|glance| glance.fired.fraud))) } }
                div { dt { (v.t(STOPPED)) } dd { (place("stopped_already", glance.map(|glance| glance.stopped_already))) } }
                div { dt { (v.t(UNKNOWN)) } dd { (place("unknown", glance.map(|glance| glance.unknown))) } }
                div { dt { (v.t(NOT_KEPT)) } dd { (place("windows_not_kept", glance.map(|glance| glance.windows_not_kept))) } }
            }
            p.samples {
                span.muted { (v.t(SOME)) ": " }
                span data-samples="" {
                    @for payment in glance.into_iter().flat_map(|glance| &glance.samples) {
                        a.id href=(address("/decisions", &[("payment_id", Some(payment))])) { (payment) } " "
                    }
                }
            }
            @if let Some(since) = glance.and_then(|glance| glance.since) {
                p.muted { (v.t(SINCE)) " " (format::time(since)) }
            }
        }
    };
    parts::panel(v.t(EFFECT), inside)
}
