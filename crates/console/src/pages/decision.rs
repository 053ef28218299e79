//! One decision: the outcome, what it is made of, what was known, and what proves it.

mod condition;
mod models;
mod parties;
mod what_if;

use super::decisions;
use crate::{
    chart::{self, Drop},
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts, risks,
    terms::{self, Tone},
    visit::{Visit, address, encoded},
    word::{Language, words},
};
use condition::{Explanation, condition, features};
use maud::{Markup, html};
use parties::{Present, linked, looked, parties};
use paywarden_access::Scope;
use paywarden_domain::{Money, Outcome, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/decisions/{id}",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

/// Words of the parts beside this file.
pub(crate) const MORE_WORDS: [&[crate::word::Word]; 2] = [what_if::WORDS, models::WORDS];

words! {
    OUTCOME = "Outcome", "结果";
    PAYMENT = "Payment", "支付号";
    KIND = "Kind", "类型";
    AMOUNT = "Amount", "金额";
    HAPPENED = "Happened", "发生时间";
    DECIDED = "Decided", "决策时间";
    TOOK = "Took", "耗时";
    OF_BUDGET = "{} of {} ms", "{}，预算 {} 毫秒";
    PARTIAL = "{} rules were left out: the time was over", "因超时跳过 {} 条规则";
    CARD = "Card", "银行卡";
    BIN_LAST = "{} •••• {}", "卡号 {} •••• {}";
    RULES = "Rules", "规则版本";
    FACTOR = "Factor asked for", "要求的验证方式";
    HELD = "Held for", "暂缓时长";
    MINUTES = "{} minutes", "{} 分钟";
    REASONS = "Why", "原因";
    WARNINGS = "What the payer is told", "对付款人的提示";
    CONTRIBUTIONS = "How the score adds up", "评分构成";
    DOUBTS = "Each rule takes its share of the doubt that those above it leave.", "每条规则按自身分值消除以上规则留下的疑点。";
    RULE = "Rule", "规则";
    POINTS = "Points", "分值";
    TOTAL = "Score, at most 1,000", "总分（上限 1,000）";
    NONE_FIRED = "No rule fired.", "未触发任何规则。";
    SHADOW_FIRED = "Rules on trial that would have fired", "影子规则（不计入）";
    FAULTS = "Rules that could not be evaluated", "未能求值的规则";
    CONDITION = "Condition with the values that the decision saw", "触发条件与当时取值";
    OTHER_RULES = "Explain another rule that fired", "查看其他触发规则";
    ENTITY = "Entity", "实体";
    FEATURE = "Feature", "特征";
    WINDOW = "Window", "时间窗";
    VALUE = "Value", "取值";
    MISSING = "missing", "缺失";
    FEATURES = "What was known, as of the decision", "决策时的特征取值";
    LINKS = "Linked to", "关联";
    PARTIES = "Who takes part", "参与主体";
    SAME_PAYMENT = "Everything about this payment", "该支付的全部决策";
    SCREENING = "Screening", "名单筛查";
    SUBJECT = "Who", "主体";
    LIST = "List", "名单";
    ENTRY = "Entry", "条目";
    STATE = "State", "状态";
    LABELS = "What it turned out to be", "事后标签";
    VERDICT = "Verdict", "结论";
    SOURCE = "Source", "来源";
    KNOWN = "Known", "获知时间";
    EVIDENCE = "Evidence", "存证";
    SIGNED_BY = "Signed request of", "请求签名方";
    LEAF = "Leaf of the trail", "审计叶节点";
    TREE = "Leaves in the signed tree", "已签名树的叶节点数";
    RAW = "Raw", "原始数据";
}

#[derive(Deserialize)]
struct Decision {
    id: String,
    payment_id: String,
    #[serde(rename = "type")]
    kind: String,
    occurred_at: Timestamp,
    decided_at: Timestamp,
    amount: Option<Money>,
    outcome: Outcome,
    challenge: Option<String>,
    hold_minutes: Option<u32>,
    fraud: Judgement,
    laundering: Judgement,
    reasons: Vec<Reason>,
    warnings: Vec<Warning>,
    rule_set: String,
    deadline: Deadline,
    card: Option<Card>,
    #[serde(default)]
    models: Vec<models::Said>,
    control: Option<models::Control>,
}

#[derive(Deserialize)]
struct Judgement {
    score: u16,
    action: Outcome,
    fired: Vec<Fired>,
    shadow: Vec<Fired>,
    faults: Vec<Faulty>,
}

#[derive(Deserialize)]
struct Fired {
    rule: String,
    title: String,
    score: u16,
    values: Vec<Operand>,
}

#[derive(Deserialize)]
struct Faulty {
    rule: String,
    fault: String,
}

#[derive(Deserialize)]
struct Operand {
    operand: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    text: String,
}

#[derive(Deserialize)]
struct Warning {
    en: String,
    zh: String,
}

#[derive(Deserialize)]
struct Deadline {
    budget_ms: u32,
    used_us: u32,
    partial: bool,
    skipped_rules: u32,
}

#[derive(Deserialize)]
struct Card {
    bin: Option<String>,
    last_four: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    subject: String,
    state: String,
    list: Option<String>,
    entry: Option<String>,
    score: Option<f64>,
}

#[derive(Deserialize)]
struct Labels {
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    verdict: String,
    source: String,
    known_at: Timestamp,
}

/// The proof of a leaf, as the trail gives it.
#[derive(Deserialize)]
pub(super) struct Proof {
    pub(super) leaf: Leaf,
    pub(super) size: u64,
    hashes: Vec<String>,
    text: String,
}

#[derive(Deserialize)]
pub(super) struct Leaf {
    pub(super) index: u64,
    pub(super) actor: String,
    bytes: String,
}

impl Proof {
    /// What the browser needs to check it.
    pub(super) fn data(&self) -> String {
        let note = self.text.split_once("\n\n").map(|(_, note)| note);
        json!({
            "leaf": self.leaf.bytes,
            "index": self.leaf.index,
            "hashes": self.hashes,
            "note": note.unwrap_or_default(),
        })
        .to_string()
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let id = encoded(&v.parameter);
    let raw: Value = v.get(&format!("/v1/decisions/{id}")).await?;
    let decision: Decision = v.read_value(raw.clone())?;
    let (fraud, laundering) = (&decision.fraud, &decision.laundering);
    let fired = || fraud.fired.iter().chain(&laundering.fired);
    let first = fired().max_by_key(|fired| fired.score);
    let wanted = v.query("rule").or(first.map(|fired| fired.rule.clone()));
    let explained: Option<Explanation> = match &wanted {
        Some(rule) => {
            let target = format!("/v1/decisions/{id}/explanation");
            Some(v.get(&address(&target, &[("rule", Some(rule))])).await?)
        }
        None => None,
    };
    let present: Present = v.get(&format!("/v1/decisions/{id}/entities")).await?;
    let looked = looked(v, &present).await?;
    let labels = format!("/v1/payments/{}/labels", encoded(&decision.payment_id));
    let labels: Labels = v.get(&labels).await?;
    let proof = address(
        "/v1/trail/proofs/inclusion",
        &[("decision", Some(&decision.id))],
    );
    let proof: Option<Proof> = v.get_if(Scope::TrailRead, &proof).await?;
    let asked = what_if::ask(v, &decision.id).await?;
    let v = &*v;
    let main = html! {
        div.columns {
            (parts::panel(v.t(OUTCOME), facts(v, &decision)))
            div {
                (parts::panel(v.t(REASONS), reasons(v, &decision)))
                @if let Some(proof) = &proof { (parts::panel(v.t(EVIDENCE), evidence(v, proof))) }
            }
        }
        @for (name, judged) in [("fraud", fraud), ("laundering", laundering)] {
            (judgement(v, name, judged))
        }
        (models::panel(v, &decision.models, decision.control.as_ref()))
        @if let (Some(explained), Some(rule)) = (&explained, &wanted) {
            (parts::panel(v.t(CONDITION), condition(v, explained, rule, fired())))
        }
        @if let Some(found) = explained.as_ref().map(|one| &one.screening).filter(|found| !found.is_empty()) {
            (parts::panel(v.t(SCREENING), screening(v, found)))
        }
        (what_if::panel(v, &asked))
        (parts::panel(v.t(FEATURES), features(v, fired())))
        @if let Some(looked) = &looked { (parts::panel(v.t(LINKS), linked(v, &present, looked, &decision.id))) }
        div.columns {
            (parts::panel(v.t(PARTIES), parties(v, &decision.payment_id, &present)))
            (parts::panel(v.t(LABELS), turned_out(v, &labels)))
        }
        (parts::fold(v.t(RAW), parts::json(&raw, v.t(RAW))))
    };
    let body = Body::new(decision.payment_id, main).below("/decisions", v.t(decisions::TITLE));
    Ok(body.with(&["proof.js"]).into())
}

fn facts(v: &Visit, decision: &Decision) -> Markup {
    let Deadline {
        budget_ms,
        used_us,
        partial,
        skipped_rules,
    } = decision.deadline;
    let took = OF_BUDGET.with(
        v.language(),
        &[&format::millis(used_us.into()), &budget_ms.to_string()],
    );
    let mut rows = vec![
        parts::row(OUTCOME, parts::outcome(decision.outcome, v.language()), v),
        parts::row(
            AMOUNT,
            html! { @if let Some(amount) = decision.amount { (format::money(amount)) } @else { "–" } },
            v,
        ),
        parts::row(
            KIND,
            html! { (terms::term(&decision.kind, v.language())) },
            v,
        ),
        parts::row(PAYMENT, parts::id(&decision.payment_id), v),
        parts::row(HAPPENED, format::time(decision.occurred_at), v),
        parts::row(DECIDED, parts::since(decision.decided_at, v), v),
        parts::row(
            TOOK,
            html! {
                (took)
                @if partial { " " (parts::badge(Tone::Care, None, &PARTIAL.with(v.language(), &[&skipped_rules.to_string()]))) }
            },
            v,
        ),
        parts::row(RULES, parts::id(&decision.rule_set), v),
    ];
    if let Some(factor) = &decision.challenge {
        rows.push(parts::row(FACTOR, parts::id(factor), v));
    }
    if let Some(minutes) = decision.hold_minutes {
        rows.push(parts::row(
            HELD,
            html! { (MINUTES.with(v.language(), &[&minutes.to_string()])) },
            v,
        ));
    }
    if let Some(Card { bin, last_four }) = &decision.card {
        let known = |part: &Option<String>| part.clone().unwrap_or_else(|| "••••".to_owned());
        let text = BIN_LAST.with(v.language(), &[&known(bin), &known(last_four)]);
        rows.push(parts::row(CARD, html! { (text) }, v));
    }
    parts::facts(rows)
}

fn reasons(v: &Visit, decision: &Decision) -> Markup {
    html! {
        @if decision.reasons.is_empty() { (parts::empty(v.t(NONE_FIRED))) }
        ul.plain {
            @for reason in &decision.reasons {
                li.line { span { (risks::reason(&reason.text, v.language())) } (parts::id(&reason.code)) }
            }
        }
        @if !decision.warnings.is_empty() {
            h3 { (v.t(WARNINGS)) }
            @for warning in &decision.warnings {
                (parts::note(Tone::Info, match v.language() {
                    Language::En => &warning.en,
                    Language::Zh => &warning.zh,
                }))
            }
        }
    }
}

fn judgement(v: &Visit, name: &str, judged: &Judgement) -> Markup {
    let by_doubt = name == "laundering";
    let mut added = points(by_doubt);
    let drops: Vec<Drop> = judged
        .fired
        .iter()
        .map(|fired| Drop {
            name: html! {
                (parts::rule_as(&fired.rule, Some(&fired.title), Some(&address(v.desk.path(), &[("rule", Some(&fired.rule))])), v))
            },
            points: added(fired.score),
        })
        .collect();
    let title = format!(
        "{} · {}",
        terms::term(name, v.language()),
        v.t(CONTRIBUTIONS)
    );
    let inside = html! {
        p.buttons { (parts::score(judged.score, v.language())) (parts::outcome(judged.action, v.language())) }
        @if drops.is_empty() { (parts::empty(v.t(NONE_FIRED))) }
        @else {
            @if by_doubt { p.muted { (v.t(DOUBTS)) } }
            (chart::waterfall(&title, &drops, judged.score, [v.t(RULE), v.t(POINTS), v.t(TOTAL)]))
        }
        @if !judged.shadow.is_empty() {
            (parts::fold(v.t(SHADOW_FIRED), html! { ul { @for fired in &judged.shadow { li { (parts::rule_as(&fired.rule, Some(&fired.title), None, v)) } } } }))
        }
        @if !judged.faults.is_empty() {
            (parts::note(Tone::Care, html! { div { (v.t(FAULTS)) ": " @for fault in &judged.faults { (parts::rule(&fault.rule, v)) " (" (fault.fault) ") " } } }))
        }
    };
    parts::panel(&title, inside)
}

impl Fired {
    /// What it looks for.
    fn title(&self, v: &Visit) -> String {
        parts::title(&self.rule, Some(&self.title), v).unwrap_or_default()
    }
}

/// What one score after the other adds to those before: itself, or its share of what they leave.
fn points(by_doubt: bool) -> impl FnMut(u16) -> u16 {
    let (mut doubt, mut before) = (1.0, 0);
    move |score| {
        if !by_doubt {
            return score;
        }
        doubt *= 1.0 - f64::from(score.min(1000)) / 1000.0;
        let after = ((1.0 - doubt) * 1000.0_f64).round() as u16;
        let added = after - before;
        before = after;
        added
    }
}

fn screening(v: &Visit, found: &[Found]) -> Markup {
    let row = |found: &Found| {
        vec![
            html! { (named("entity", &found.subject, "", v.language())) },
            html! { (terms::term(&found.state, v.language())) },
            html! { (found.list.as_deref().unwrap_or("–")) },
            parts::id(found.entry.as_deref().unwrap_or("–")),
            html! { @if let Some(score) = found.score { (format!("{score:.2}")) } @else { "–" } },
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let score = format!("{}#", v.t(parts::SCORE));
    let columns = [v.t(SUBJECT), v.t(STATE), v.t(LIST), v.t(ENTRY), &score];
    parts::table(v.t(SCREENING), &columns, &rows, v)
}

fn turned_out(v: &Visit, labels: &Labels) -> Markup {
    let row = |label: &Label| {
        vec![
            html! { (terms::term(&label.verdict, v.language())) },
            html! { (label.source) },
            format::time(label.known_at),
        ]
    };
    let rows: Vec<_> = labels.labels.iter().map(row).collect();
    parts::table(
        v.t(LABELS),
        &[v.t(VERDICT), v.t(SOURCE), v.t(KNOWN)],
        &rows,
        v,
    )
}

fn evidence(v: &Visit, proof: &Proof) -> Markup {
    html! {
        (parts::facts([
            parts::row(SIGNED_BY, parts::actor(&proof.leaf.actor, v), v),
            parts::row(LEAF, parts::link(&format!("/trail/{}", proof.leaf.index), &format::number(proof.leaf.index)), v),
            parts::row(TREE, html! { (format::number(proof.size)) }, v),
        ]))
        (parts::proof(&proof.data(), v))
    }
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn what_rules_add_comes_to_the_score() {
        let scores = [400, 300, 1000, 200];
        let added = scores.map(points(true));
        assert_eq!(added, [400, 180, 420, 0]);
        assert_eq!(scores.map(points(false)), scores);
    }
}
