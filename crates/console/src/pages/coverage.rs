//! What the rules that decide now cover, and what each of them does: which scenario can fire for
//! which events, which rules never fire, and which meet frauds no more often than chance would.

use super::{backtest::shade, decisions, library};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts, risks,
    terms::{self, Tone},
    visit::{Visit, address},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const PAGE: Page = Page {
    path: "/library/coverage",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Coverage and use", "覆盖与触发";
    MAP = "Rules that can fire, by scenario and event", "各场景、各事件可触发的规则数";
    MAP_WHY = "A rule counts where kind of event and channel alone do not keep it from firing.", "事件类型与渠道本身不排除触发的规则计入其中。";
    CHANNEL = "Channel", "渠道";
    SCENARIO = "Scenario", "场景";
    USE = "What each rule does", "规则触发情况";
    USE_OF = "The last {} decisions of this version, since {}", "该版本最近 {} 条决策，自 {} 起";
    USE_NONE = "This version has decided nothing yet.", "该版本尚无决策。";
    SHOW = "Show", "显示";
    RULE = "Rule", "规则";
    STATE = "State", "状态";
    FIRED = "Fired", "触发";
    FRAUDS = "Frauds", "欺诈笔数";
    GOOD = "Genuine", "正常";
    FAULTS = "Faults", "故障";
    DEAD = "Dead", "未触发";
    NOISY = "Noisy", "误报偏多";
    WORKING = "Working", "有效";
    UNPROVEN = "Unproven", "待验证";
}

/// What figures make of a rule, with its word and tone.
const STATES: [(&str, Word, Tone); 4] = [
    ("working", WORKING, Tone::Good),
    ("unproven", UNPROVEN, Tone::Plain),
    ("noisy", NOISY, Tone::Care),
    ("dead", DEAD, Tone::Plain),
];

#[derive(Deserialize)]
struct Activity {
    rule_set: String,
    decisions: u64,
    since: Option<Timestamp>,
    rules: Vec<RuleUse>,
    coverage: Vec<Covered>,
}

#[derive(Deserialize)]
struct RuleUse {
    rule: String,
    stage: String,
    fired: u64,
    fraud: u64,
    good: u64,
    faults: u64,
    state: String,
}

#[derive(Deserialize)]
struct Covered {
    scenario: String,
    event: String,
    channel: String,
    rules: u64,
}

/// Rules listed at most.
const RULES_MAX: usize = 300;

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let activity: Activity = v.get("/v1/rules/activity").await?;
    let (channel, state) = (v.query("channel"), v.query("state"));
    let v = &*v;
    let mut channels: Vec<&str> = activity
        .coverage
        .iter()
        .map(|cell| cell.channel.as_str())
        .collect();
    channels.sort_unstable();
    channels.dedup();
    let main = html! {
        p.muted { (parts::id(&activity.rule_set)) }
        (parts::filters("/library/coverage", html! {
            (parts::filter_by("channel", v.t(CHANNEL), channel.as_deref(), channels, v))
            (states(v, state.as_deref()))
        }, channel.is_some() || state.is_some(), v))
        @if state.is_none() { (parts::panel(v.t(MAP), map(v, &activity, channel.as_deref()))) }
        (parts::panel(v.t(USE), uses(v, &activity, state.as_deref())))
    };
    Ok(Body::new(v.t(TITLE), main)
        .below("/library", v.t(library::TITLE))
        .into())
}

fn states(v: &Visit, chosen: Option<&str>) -> Markup {
    let any = (String::new(), v.t(parts::ANY).to_owned());
    let named = STATES.map(|(name, word, _)| (name.to_owned(), v.t(word).to_owned()));
    let options = std::iter::once(any).chain(named);
    parts::select("state", v.t(SHOW), chosen.unwrap_or_default(), options)
}

fn uses(v: &Visit, activity: &Activity, state: Option<&str>) -> Markup {
    let count = |name: &str| {
        activity
            .rules
            .iter()
            .filter(|rule| rule.state == name)
            .count()
    };
    // Most rules wait for what seldom happens: they are listed when somebody asks for them.
    let fits = |rule: &&RuleUse| {
        rule.state == state.unwrap_or(&rule.state) && (state.is_some() || rule.fired > 0)
    };
    let mut rules: Vec<&RuleUse> = activity.rules.iter().filter(fits).collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.fired), rule.rule.as_str()));
    let rows: Vec<Vec<Markup>> = rules
        .iter()
        .take(RULES_MAX)
        .map(|rule| cells(v, rule, activity.since))
        .collect();
    let numbers = [FIRED, FRAUDS, GOOD, FAULTS].map(|word| format!("{}#", v.t(word)));
    let rule = format!("{}~", v.t(RULE));
    let mut columns = vec![&*rule, v.t(library::STAGE), v.t(STATE)];
    columns.extend(numbers.iter().map(String::as_str));
    html! {
        @match activity.since {
            Some(since) => p.muted {
                (USE_OF.with(v.language(), &[&format::number(activity.decisions), since.to_string().get(..16).unwrap_or_default()]))
            },
            None => p.muted { (v.t(USE_NONE)) },
        }
        p.buttons {
            @for (name, word, tone) in STATES {
                a href=(address("/library/coverage", &[("state", Some(name))])) {
                    (parts::badge(tone, None, &format!("{} {}", v.t(word), format::number(count(name) as u64))))
                }
            }
        }
        (parts::table(v.t(USE), &columns, &rows, v))
        div.line { (super::views::keep(v)) }
    }
}

fn cells(v: &Visit, rule: &RuleUse, since: Option<Timestamp>) -> Vec<Markup> {
    let known = STATES.iter().find(|(name, ..)| *name == rule.state);
    let (word, tone) = known.map_or((UNPROVEN, Tone::Plain), |(_, word, tone)| (*word, *tone));
    vec![
        parts::rule_link(
            &address("/library", &[("q", Some(&rule.rule))]),
            &rule.rule,
            v,
        ),
        html! { (terms::term(&rule.stage, v.language())) },
        parts::badge(tone, None, v.t(word)),
        html! {
            @if rule.fired > 0 {
                a href=(decisions::of_rule(&rule.rule, since)) { (format::number(rule.fired)) }
            } @else { "0" }
        },
        html! { (format::number(rule.fraud)) },
        html! { (format::number(rule.good)) },
        html! { (format::number(rule.faults)) },
    ]
}

/// The table is the picture: the darker a cell, the more rules can fire there.
fn map(v: &Visit, activity: &Activity, channel: Option<&str>) -> Markup {
    let wanted = activity
        .coverage
        .iter()
        .filter(|cell| channel.is_none_or(|one| cell.channel == one));
    let mut events: Vec<&str> = activity
        .coverage
        .iter()
        .map(|cell| cell.event.as_str())
        .collect();
    events.sort_unstable();
    events.dedup();
    // Without a channel a rule counts once, wherever it can fire.
    let mut scenarios: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for cell in wanted {
        let count = scenarios
            .entry(&cell.scenario)
            .or_default()
            .entry(&cell.event)
            .or_default();
        *count = (*count).max(cell.rules);
    }
    let most = scenarios
        .values()
        .flat_map(|row| row.values())
        .max()
        .copied()
        .unwrap_or(1);
    html! {
        p.muted { (v.t(MAP_WHY)) }
        div.rows tabindex="0" role="region" aria-label=(v.t(MAP)) {
            table.heat {
                caption.unseen { (v.t(MAP)) }
                thead { tr {
                    th scope="col" { (v.t(SCENARIO)) }
                    @for event in &events { th scope="col" { (terms::term(event, v.language())) } }
                } }
                tbody {
                    @for (scenario, row) in &scenarios {
                        tr {
                            th scope="row" { a.id href=(address("/library", &[("q", Some(scenario))])) { (risks::scenario(scenario, v.language())) } }
                            @for event in &events {
                                @let count = row.get(event).copied().unwrap_or(0);
                                td class=(cell(count, most)) { @if count == 0 { "–" } @else { (format::number(count)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Few rules are told apart better than many: shades follow the square root.
fn cell(count: u64, most: u64) -> &'static str {
    let root = |value: u64| ((value as f64).sqrt() * 1_000.0) as u64;
    match count {
        0 => "shade-0",
        count => shade(root(count), root(most)),
    }
}
