//! How a version in the shadow agrees with the one that decides.

use crate::{format, parts, visit::Visit, word::words};
use maud::{Markup, html};
use paywarden_domain::{Outcome, Timestamp};
use serde::Deserialize;

words! {
    TRIAL = "Beside the live version", "与生效版本并行";
    SINCE = "Since", "起始时间";
    COMPARED = "Payments compared", "已比对支付";
    SAME = "Same outcome", "结果相同";
    STRICTER = "Stricter", "更严格";
    MILDER = "Milder", "更宽松";
    LIVE_SAID = "Live version", "生效版本";
    TRIAL_SAID = "This version", "本版本";
    PAYMENTS = "Payments", "支付笔数";
}

#[derive(Deserialize)]
pub(super) struct Trial {
    since: Option<Timestamp>,
    compared: u64,
    same: u64,
    stricter: u64,
    milder: u64,
    outcomes: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    live: Outcome,
    trial: Outcome,
    count: u64,
}

pub(super) fn panel(v: &Visit, trial: &Trial) -> Markup {
    let counted = |count: u64| {
        html! { (format::number(count)) " " span.muted { (format::percent(count, trial.compared)) } }
    };
    let mut facts = Vec::new();
    if let Some(since) = trial.since {
        facts.push(parts::row(SINCE, parts::since(since, v), v));
    }
    facts.extend([
        parts::row(COMPARED, html! { (format::number(trial.compared)) }, v),
        parts::row(SAME, counted(trial.same), v),
        parts::row(STRICTER, counted(trial.stricter), v),
        parts::row(MILDER, counted(trial.milder), v),
    ]);
    let differing = trial.outcomes.iter().filter(|pair| pair.live != pair.trial);
    let row = |pair: &Pair| {
        vec![
            parts::outcome(pair.live, v.language()),
            parts::outcome(pair.trial, v.language()),
            html! { (format::number(pair.count)) },
        ]
    };
    let rows: Vec<_> = differing.map(row).collect();
    let payments = format!("{}#", v.t(PAYMENTS));
    let columns = [v.t(LIVE_SAID), v.t(TRIAL_SAID), &payments];
    parts::panel(
        v.t(TRIAL),
        html! {
            (parts::facts(facts))
            @if !rows.is_empty() { (parts::table(v.t(TRIAL), &columns, &rows, v)) }
        },
    )
}
