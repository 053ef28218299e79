//! The same payment under another version of the rules, over what the decision saw.

use crate::{
    format,
    page::Fault,
    parts, terms,
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Outcome;
use serde::Deserialize;

words! {
    WHAT_IF = "What if another version had decided", "若由其他版本决策";
    WHAT_IF_WHY = "Its rules are evaluated over what the decision saw then, and nothing that is known since.", "以决策当时的数据对该版本规则求值，不使用事后信息。";
    VERSION = "Version", "版本";
    LIVE = "the version that is live", "当前生效版本";
    LIBRARY = "The library that ships", "内置规则库";
    ASK = "Ask", "比较";
    WOULD = "Would be", "将为";
    WAS = "Was", "当时为";
    COME = "Would fire", "将触发";
    GONE = "Would not fire any more", "将不再触发";
    STAYED = "Fires in both", "两者均触发";
    STORED = "Windows as stored with the decision", "随决策保存的时间窗";
    MISSING = "Windows that were not stored with it count as missing: only a back-test has their values", "以下时间窗未随决策保存，按缺失处理，需回测得出取值";
    ASKED_NOW = "Lists that were not asked then, as they are now", "当时未查询、按当前内容查询的名单";
}

#[derive(Deserialize)]
struct Versions {
    rule_sets: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    state: String,
}

#[derive(Deserialize)]
struct WhatIf {
    decided_by: String,
    rule_set: String,
    before: Outcome,
    after: Outcome,
    scores: Vec<Score>,
    gone: Vec<Rule>,
    come: Vec<Rule>,
    stayed: Vec<Rule>,
    windows_stored: u64,
    windows_missing: Vec<String>,
    lists_asked_now: Vec<String>,
}

#[derive(Deserialize)]
struct Score {
    engine: String,
    before: u16,
    after: u16,
}

#[derive(Deserialize)]
struct Rule {
    rule: String,
    title: String,
    score: u16,
}

/// What is asked, and the answer if a version is named.
pub(super) struct Asked {
    versions: Vec<(String, String)>,
    version: Option<String>,
    answer: Option<WhatIf>,
}

/// Asks about a decision.
pub(super) async fn ask(v: &mut Visit, id: &str) -> Result<Asked, Fault> {
    let version = v.query("version");
    let known: Option<Versions> = v.get_if(Scope::RulesRead, "/v1/rule-sets?limit=50").await?;
    let mut versions = vec![
        ("live".to_owned(), v.t(LIVE).to_owned()),
        ("base".to_owned(), v.t(LIBRARY).to_owned()),
    ];
    let known = known.into_iter().flat_map(|page| page.rule_sets);
    versions.extend(known.map(|one| {
        let said = format!(
            "{} · {}",
            one.version,
            terms::term(&one.state, v.language())
        );
        (one.version, said)
    }));
    let route = format!("/v1/decisions/{}/what-if", encoded(id));
    let answer = match &version {
        Some(version) => Some(
            v.get(&address(&route, &[("version", Some(version))]))
                .await?,
        ),
        None => None,
    };
    Ok(Asked {
        versions,
        version,
        answer,
    })
}

/// The question and the answer.
pub(super) fn panel(v: &Visit, asked: &Asked) -> Markup {
    let chosen = asked.version.as_deref().unwrap_or("live");
    let inside = html! {
        p.muted { (v.t(WHAT_IF_WHY)) }
        form.filters method="get" action=(v.desk.path()) {
            (parts::select("version", v.t(VERSION), chosen, asked.versions.clone()))
            button.button type="submit" { (v.t(ASK)) }
        }
        @if let Some(answer) = &asked.answer { div data-what-if="" { (told(v, answer)) } }
    };
    parts::panel(v.t(WHAT_IF), inside)
}

fn told(v: &Visit, answer: &WhatIf) -> Markup {
    let scores = |of: fn(&Score) -> u16| {
        html! {
            @for score in &answer.scores {
                span.muted { (terms::term(&score.engine, v.language())) } " " (parts::score(of(score), v.language())) " "
            }
        }
    };
    let windows = html! { (format::number(answer.windows_stored)) };
    html! {
        (parts::facts([
            parts::row(WAS, html! { (parts::outcome(answer.before, v.language())) " " (scores(|score| score.before)) " " (parts::id(&answer.decided_by)) }, v),
            parts::row(WOULD, html! { (parts::outcome(answer.after, v.language())) " " (scores(|score| score.after)) " " (parts::id(&answer.rule_set)) }, v),
            parts::row(STORED, windows, v),
        ]))
        @for (word, rules, class) in [(COME, &answer.come, "come"), (GONE, &answer.gone, "gone"), (STAYED, &answer.stayed, "")] {
            @if !rules.is_empty() {
                h3 { (v.t(word)) }
                ul.plain {
                    @for rule in rules {
                        li.line { span class=(class) { (parts::rule_as(&rule.rule, Some(&rule.title), None, v)) } span.number { "+" (rule.score) } }
                    }
                }
            }
        }
        (named(v, MISSING, &answer.windows_missing))
        (named(v, ASKED_NOW, &answer.lists_asked_now))
    }
}

fn named(v: &Visit, word: crate::word::Word, names: &[String]) -> Markup {
    html! {
        @if !names.is_empty() {
            (parts::note(Tone::Care, html! { div { (v.t(word)) ": " @for name in names { (parts::id(name)) " " } } }))
        }
    }
}
