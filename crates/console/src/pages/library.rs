//! The rules that decide now, with search.

use super::{coverage, decisions};
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    risks, terms,
    visit::{Visit, address},
    word::{Language, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Outcome;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/library",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::LIBRARY,
        key: 'b',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Rule library", "规则库";
    SEARCH = "Search in rules", "搜索规则";
    ENGINE = "Engine", "引擎";
    STAGE = "Stage", "阶段";
    RULE = "Rule", "规则";
    WHAT = "What it looks for", "识别目标";
    POINTS = "Points", "分值";
    ASKS = "Asks for", "要求";
    WHEN = "Condition", "触发条件";
    SOURCE = "Why it exists", "来源依据";
    FIRED = "Decisions for which it fired", "命中该规则的决策";
    FOUND = "{} of {} rules, version {}", "共 {} 条（总计 {} 条），版本 {}";
}

/// How many rules one page shows.
const PAGE_ROWS: usize = 50;

#[derive(Deserialize)]
struct RuleSet {
    version: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    title: String,
    title_zh: Option<String>,
    engine: String,
    stage: String,
    score: u16,
    action: Option<Outcome>,
    reason: String,
    when: String,
    source: String,
}

impl Rule {
    fn has(&self, words: &str, language: Language) -> bool {
        let (pack, _) = self.id.split_once('.').unwrap_or_default();
        let texts = [
            &self.id,
            &self.title,
            self.title_zh.as_deref().unwrap_or_default(),
            &self.reason,
            &self.when,
            &self.source,
            risks::scenario(pack, language),
        ];
        let text = texts.map(|text| text.to_lowercase()).join(" ");
        words
            .to_lowercase()
            .split_whitespace()
            .all(|word| text.contains(word))
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let RuleSet { version, rules } = v.get("/v1/rule-set").await?;
    let given = ["q", "engine", "stage"].map(|name| (name, v.query(name)));
    let filter = given
        .each_ref()
        .map(|(name, value)| (*name, value.as_deref()));
    let [(_, words), (_, engine), (_, stage)] = filter;
    let from: usize = v
        .query("from")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let v = &*v;
    let total = rules.len();
    let fits = |rule: &Rule| {
        words.is_none_or(|words| rule.has(words, v.language()))
            && engine.is_none_or(|engine| rule.engine == engine)
            && stage.is_none_or(|stage| rule.stage == stage)
    };
    let found: Vec<&Rule> = rules.iter().filter(|rule| fits(rule)).collect();
    let place = (from + PAGE_ROWS).to_string();
    let with = crate::visit::with(&filter, &[("from", Some(&place))]);
    let next = (found.len() > from + PAGE_ROWS).then(|| address("/library", &with));
    let first = (from > 0).then(|| address("/library", &filter));
    let shown = found.iter().skip(from).take(PAGE_ROWS);
    let rows: Vec<_> = shown.map(|rule| cells(v, rule)).collect();
    let (points, what) = (format!("{}#", v.t(POINTS)), format!("{}~", v.t(WHAT)));
    let columns = [
        v.t(RULE),
        v.t(ENGINE),
        v.t(STAGE),
        &points,
        v.t(ASKS),
        &what,
    ];
    let count = [
        format::number(found.len() as u64),
        format::number(total as u64),
    ];
    let main = html! {
        (parts::filters("/library", html! {
            (Field { value: words.unwrap_or_default(), required: false, ..Field::new("q", v.t(SEARCH)) })
            (parts::filter_by("engine", v.t(ENGINE), engine, ["fraud", "laundering"], v))
            (parts::filter_by("stage", v.t(STAGE), stage, ["live", "shadow", "off"], v))
        }, filter.iter().any(|(_, value)| value.is_some()), v))
        p.muted {
            (FOUND.with(v.language(), &[&count[0], &count[1], &version])) " · "
            a href="/library/coverage" { (v.t(coverage::TITLE)) }
        }
        (parts::table(v.t(TITLE), &columns, &rows, v))
        div.line { (super::views::keep(v)) (super::exports::way(v, "rules")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, rule: &Rule) -> Vec<Markup> {
    vec![
        parts::id(&rule.id),
        html! { (terms::term(&rule.engine, v.language())) },
        parts::state(&rule.stage, v.language()),
        html! { (rule.score) },
        html! { @if let Some(action) = rule.action { (parts::outcome(action, v.language())) } @else { "–" } },
        html! {
            details.fold {
                summary { (parts::title(&rule.id, Some(&rule.title), v).unwrap_or_default()) }
                p.hint { (v.t(WHEN)) }
                pre.raw { (rule.when) }
                p.hint { (v.t(SOURCE)) ": " (rule.source) }
                p { a href=(decisions::of_rule(&rule.id, None)) { (v.t(FIRED)) } }
            }
        },
    ]
}
