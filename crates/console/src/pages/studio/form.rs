//! The fields of a rule, and the text of its pack.

use super::super::library;
use crate::{
    parts::{self, Field},
    terms,
    visit::Visit,
    word::words,
};
use maud::{Markup, html};
use paywarden_domain::Outcome;
use paywarden_server::pages::Form;
use serde::{Deserialize, Serialize};

words! {
    ID = "Identifier", "规则标识";
    NAME = "What it looks for", "识别目标";
    NAME_ZH = "The same in Chinese", "中文标题";
    HOLD_MINUTES = "Minutes to hold", "暂缓分钟数";
    ON_FAULT = "If it cannot be computed", "无法计算时";
    FAULT_OPEN = "go on without it", "忽略该规则";
    FAULT_CLOSED = "have it reviewed", "转人工复核";
    REASON_CODE = "Reason code", "原因代码";
    REASON_TEXT = "Reason for people", "原因说明";
    WARN = "What the payer is told", "对付款人的提示";
    WARN_CODE = "Code of the warning", "提示代码";
    WARN_EN = "In English", "英文提示";
    WARN_ZH = "In Chinese", "中文提示";
    FALSE_POSITIVES = "Typical innocent cases", "常见误报情形";
    EXAMPLES = "Examples", "样例";
    EXAMPLES_HINT = "YAML: at least one that must hit and one that must not", "YAML 格式：至少一个应命中、一个不应命中";
    CONDITION_HINT = "Ctrl-Space completes; what stands at the cursor is explained below", "按 Ctrl-空格补全，光标处内容的说明见下方";
    NOTHING_ASKED = "nothing beyond its points", "仅计分";
    TEXT = "The pack in YAML", "规则包 YAML 文本";
}

/// A rule as the API reads it out of a pack and puts it in.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Rule {
    pub(super) id: String,
    title: String,
    title_zh: String,
    engine: String,
    pub(super) when: String,
    score: i64,
    action: String,
    hold_minutes: Option<u32>,
    reason_code: String,
    reason_text: String,
    warning_code: String,
    warning_en: String,
    warning_zh: String,
    stage: String,
    on_fault: String,
    source: String,
    false_positives: String,
    examples: String,
}

/// What the examples of a new rule begin with.
const NEW_EXAMPLES: &str = "- hit: true\n  given:\n    event.type: payment.card\n\
    - hit: false\n  given:\n    event.type: login\n";

impl Rule {
    /// One that says nothing yet: it is reported and decides nothing.
    pub(super) fn fresh() -> Self {
        Self {
            engine: "fraud".to_owned(),
            when: "event.type == \"payment.card\"".to_owned(),
            stage: "shadow".to_owned(),
            on_fault: "open".to_owned(),
            examples: NEW_EXAMPLES.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn of(form: &Form) -> Self {
        let text = |name: &str| form.text(name).replace("\r\n", "\n");
        let line = |name: &str| form.text(name).trim().to_owned();
        Self {
            id: line("id"),
            title: line("title"),
            title_zh: line("title_zh"),
            engine: line("engine"),
            when: text("when"),
            // What is no number is out of every range, and said to be.
            score: line("score").parse().unwrap_or(-1),
            action: line("action"),
            hold_minutes: line("hold_minutes").parse().ok(),
            reason_code: line("reason_code"),
            reason_text: line("reason_text"),
            warning_code: line("warning_code"),
            warning_en: line("warning_en"),
            warning_zh: line("warning_zh"),
            stage: line("stage"),
            on_fault: line("on_fault"),
            source: line("source"),
            false_positives: line("false_positives"),
            examples: text("examples"),
        }
    }
}

/// The pack as text.
pub(super) fn as_text(v: &Visit, text: &str) -> Markup {
    html! {
        div.field {
            label for="f-text" { (v.t(TEXT)) }
            textarea.code.tall id="f-text" name="text" spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" {
                // The first line break of a textarea is not its own.
                "\n" (text)
            }
        }
    }
}

/// One rule, field by field. Optional fields carry no `required`: what is wrong is said beside.
#[allow(clippy::too_many_lines, reason = "one line for each field")]
pub(super) fn by_form(v: &Visit, rule: &Rule) -> Markup {
    let words = |names: &[&str]| -> Vec<(String, String)> {
        let named = names.iter().map(|name| (*name).to_owned());
        named
            .map(|name| (name.clone(), terms::term(&name, v.language())))
            .collect()
    };
    let mut actions = vec![(String::new(), v.t(NOTHING_ASKED).to_owned())];
    let asked = Outcome::ALL
        .into_iter()
        .filter(|outcome| *outcome != Outcome::ApproveWithWarning);
    actions.extend(asked.map(|outcome| {
        let (word, ..) = terms::outcome(outcome);
        (outcome.name().to_owned(), v.t(word).to_owned())
    }));
    let engines = match rule.engine.is_empty() {
        true => vec![(String::new(), "–".to_owned())],
        false => words(&["fraud", "laundering"]),
    };
    let faults = [("open", FAULT_OPEN), ("closed", FAULT_CLOSED)];
    let faults = faults.map(|(name, word)| (name.to_owned(), v.t(word).to_owned()));
    let score = rule.score.to_string();
    let minutes = rule
        .hold_minutes
        .map(|minutes| minutes.to_string())
        .unwrap_or_default();
    let line = |name, label, value| Field {
        value,
        required: false,
        ..Field::new(name, label)
    };
    let number = |name, label, value| Field {
        kind: "number",
        bytes_max: 6,
        ..line(name, label, value)
    };
    html! {
        div.grid {
            (line("id", v.t(ID), &rule.id))
        }
        div.grid {
            (line("title", v.t(NAME), &rule.title))
            (line("title_zh", v.t(NAME_ZH), &rule.title_zh))
        }
        (condition(v, &rule.when))
        div.grid.narrow-fields {
            (parts::select("engine", v.t(library::ENGINE), &rule.engine, engines))
            (parts::select("stage", v.t(library::STAGE), &rule.stage, words(&["live", "shadow", "off"])))
            (number("score", v.t(library::POINTS), &score))
            (parts::select("action", v.t(library::ASKS), &rule.action, actions))
            (number("hold_minutes", v.t(HOLD_MINUTES), &minutes))
            (parts::select("on_fault", v.t(ON_FAULT), &rule.on_fault, faults))
        }
        div.grid {
            (line("reason_code", v.t(REASON_CODE), &rule.reason_code))
            (line("reason_text", v.t(REASON_TEXT), &rule.reason_text))
        }
        div.grid {
            (line("source", v.t(library::SOURCE), &rule.source))
            (line("false_positives", v.t(FALSE_POSITIVES), &rule.false_positives))
        }
        (parts::fold(v.t(WARN), html! {
            div.grid {
                (line("warning_code", v.t(WARN_CODE), &rule.warning_code))
                (line("warning_en", v.t(WARN_EN), &rule.warning_en))
                (line("warning_zh", v.t(WARN_ZH), &rule.warning_zh))
            }
        }))
        div.field {
            label for="f-examples" { (v.t(EXAMPLES)) }
            textarea.code id="f-examples" name="examples" rows="12" spellcheck="false" autocomplete="off" aria-describedby="f-examples-hint" wrap="off" {
                "\n" (rule.examples)
            }
            p.hint id="f-examples-hint" { (v.t(EXAMPLES_HINT)) }
        }
    }
}

/// The condition. With script what is wrong is underlined behind the text, and what stands at the
/// cursor is told below it.
fn condition(v: &Visit, when: &str) -> Markup {
    let rows = when.lines().count().clamp(3, 14);
    html! {
        div.field {
            label for="f-when" { (v.t(library::WHEN)) }
            div.code-field {
                pre.code.behind aria-hidden="true" data-behind="" {}
                textarea.code id="f-when" name="when" rows=(rows) spellcheck="false" autocomplete="off" autocapitalize="off"
                    aria-describedby="f-when-hint" data-condition="" { "\n" (when) }
                ul.completions role="listbox" id="completions" aria-label=(v.t(library::WHEN)) hidden {}
            }
            p.hint id="f-when-hint" { (v.t(CONDITION_HINT)) }
            p.at-cursor data-at-cursor="" aria-live="off" {}
        }
    }
}
