//! What models said of a payment and why, and whether it was let pass to learn the truth.

use super::{FEATURE, VALUE};
use crate::{
    chart, format, parts,
    terms::{self, Tone},
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_domain::Outcome;
use serde::Deserialize;

words! {
    MODELS = "What models said", "模型判断";
    CHANCE = "Chance {}", "概率 {}";
    ADDED = "Added to the log-odds", "对数几率贡献";
    PICTURE_HINT = "To the right: what makes it riskier. To the left: what speaks against that.", "向右为增加风险，向左为降低风险。";
    LET_PASS = "Let pass with a challenge to learn the truth: one in {} that would be declined by scores alone. It stands for {} payments where truths are counted.", "对照组放行（需验证）：凡仅因评分将被拒绝者，每 {} 笔抽 1 笔放行以获知真实情况；统计时代表 {} 笔支付。";
    NOT_DRAWN = "Declined by scores alone; one in {} such payments is let pass to learn the truth, and this was not drawn.", "仅因评分被拒绝；此类支付每 {} 笔抽 1 笔放行以获知真实情况，本笔未被抽中。";
}

/// What a model said.
#[derive(Deserialize)]
pub(super) struct Said {
    engine: String,
    model: String,
    score: u16,
    chance: f64,
    action: Outcome,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    feature: String,
    value: Option<f64>,
    added: f64,
}

/// Whether it was drawn from those that would be declined.
#[derive(Deserialize)]
pub(super) struct Control {
    one_in: u16,
    is_drawn: bool,
}

/// The panel; nothing where no model was at work.
pub(super) fn panel(v: &Visit, said: &[Said], control: Option<&Control>) -> Markup {
    html! {
        @if !said.is_empty() {
            (parts::panel(v.t(MODELS), html! {
                @if let Some(control) = control { (drawn(v, control)) }
                @for one in said { (model(v, one)) }
            }))
        }
    }
}

fn drawn(v: &Visit, control: &Control) -> Markup {
    let one_in = control.one_in.to_string();
    match control.is_drawn {
        true => parts::note(Tone::Care, LET_PASS.with(v.language(), &[&one_in, &one_in])),
        false => parts::note(Tone::Info, NOT_DRAWN.with(v.language(), &[&one_in])),
    }
}

fn model(v: &Visit, said: &Said) -> Markup {
    let chance = CHANCE.with(v.language(), &[&format::share(said.chance)]);
    let pushes: Vec<chart::Push<'_>> = said
        .reasons
        .iter()
        .map(|reason| chart::Push {
            name: &reason.feature,
            value: reason
                .value
                .map_or_else(|| v.t(super::MISSING).to_owned(), decimal),
            added: reason.added,
        })
        .collect();
    let to = format!("/models/{}", encoded(&said.model));
    html! {
        h3 { (terms::term(&said.engine, v.language())) " · " (parts::link(&to, &said.model)) }
        p.buttons {
            (parts::score(said.score, v.language()))
            (parts::outcome(said.action, v.language()))
            span { (chance) }
        }
        @if !pushes.is_empty() {
            p.muted { (v.t(PICTURE_HINT)) }
            (chart::pushes(&said.model, &pushes, [v.t(FEATURE), v.t(VALUE), v.t(ADDED)]))
        }
    }
}

/// As many digits as tell something.
fn decimal(value: f64) -> String {
    match value.fract() == 0.0 && value.abs() < 1e15 {
        true => format::number(value as i64),
        false => format!("{value:.3}"),
    }
}
