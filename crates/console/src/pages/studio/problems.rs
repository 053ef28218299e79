//! What is wrong with a pack, in words, with place and hint.

use crate::{
    page::Fault,
    parts, said,
    terms::Tone,
    visit::Visit,
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_server::edge::ProblemDocument;
use serde::Deserialize;
use serde_json::{Value, json};

words! {
    FINDINGS = "What is wrong", "问题";
    CLEAN = "Nothing is wrong.", "未发现问题。";
    LINE = "line {}", "第 {} 行";
    CHECKING = "Checking …", "检查中…";
    AWAY = "The server does not answer; what you wrote stays here.", "服务器无响应，已填写的内容仍保留。";
    SYNTAX = "Not an expression", "语法错误";
    TOO_LONG = "Too long", "超出限制";
    UNKNOWN_FIELD = "No such field", "字段不存在";
    UNKNOWN_FUNCTION = "No such function", "函数不存在";
    TYPE_MISMATCH = "Types do not go together", "类型不匹配";
    CURRENCY_MISMATCH = "Currencies meet without conversion", "币种未换算";
    RATE_MISSING = "No exchange rate", "缺少汇率";
    BAD_LITERAL = "Not a value", "值无效";
    BAD_WINDOW = "Not a window", "时间窗无效";
    BAD_FILTER = "Not a filter of windows", "窗口过滤条件无效";
    CONSTANT_CONDITION = "No event can change it", "条件恒定";
    STRING_UNKNOWN_VALUE = "A word that never occurs", "取值不在词表中";
    PACK_MALFORMED = "Not a pack", "规则包格式错误";
    BAD_IDENTIFIER = "Not an identifier", "标识无效";
    DUPLICATE_ID = "Twice the same identifier", "标识重复";
    EXAMPLES_MISSING = "Examples are missing", "缺少样例";
    REASON_MISSING = "No reason is given", "缺少原因";
    SOURCE_MISSING = "It does not say why it exists", "缺少来源依据";
    SCORE_OUT_OF_RANGE = "Points out of range", "分值超出范围";
    TABLE_MALFORMED = "Table or scorecard is wrong", "决策表或评分卡有误";
    BAD_DEFINITION = "Wrong definition", "定义有误";
    HOLD_MINUTES = "Minutes and action go together", "暂缓分钟数须与暂缓动作同时出现";
    EXAMPLE_MALFORMED = "Example cannot be read", "样例无法读取";
    EXAMPLE_FAILED = "Example goes wrong", "样例结果不符";
    NEVER_TRUE = "It can never fire", "规则永不触发";
    ALWAYS_TRUE = "It always fires", "规则恒触发";
    DUPLICATE_CONDITION = "Another rule has this condition", "条件与其他规则重复";
    SUBSUMED = "Another rule says all this", "已被其他规则包含";
    COST_TOO_HIGH = "It takes too many steps", "计算开销过大";
}

/// Codes of the checker with their words.
#[rustfmt::skip]
const CODES: &[(&str, Word)] = &[
    ("syntax", SYNTAX), ("too_long", TOO_LONG), ("unknown_field", UNKNOWN_FIELD),
    ("unknown_function", UNKNOWN_FUNCTION), ("type_mismatch", TYPE_MISMATCH),
    ("currency_mismatch", CURRENCY_MISMATCH), ("rate_missing", RATE_MISSING),
    ("bad_literal", BAD_LITERAL), ("bad_window", BAD_WINDOW), ("bad_filter", BAD_FILTER),
    ("constant_condition", CONSTANT_CONDITION), ("string_unknown_value", STRING_UNKNOWN_VALUE),
    ("pack_malformed", PACK_MALFORMED), ("bad_identifier", BAD_IDENTIFIER),
    ("duplicate_id", DUPLICATE_ID), ("examples_missing", EXAMPLES_MISSING),
    ("reason_missing", REASON_MISSING), ("source_missing", SOURCE_MISSING),
    ("score_out_of_range", SCORE_OUT_OF_RANGE), ("table_malformed", TABLE_MALFORMED),
    ("bad_definition", BAD_DEFINITION), ("hold_minutes", HOLD_MINUTES),
    ("example_malformed", EXAMPLE_MALFORMED), ("example_failed", EXAMPLE_FAILED),
    ("never_true", NEVER_TRUE), ("always_true", ALWAYS_TRUE),
    ("duplicate_condition", DUPLICATE_CONDITION), ("subsumed", SUBSUMED),
    ("cost_too_high", COST_TOO_HIGH),
];

/// One mistake, or something worth a look.
#[derive(Deserialize)]
pub(in super::super) struct Problem {
    #[serde(default)]
    pub(super) is_error: bool,
    code: String,
    message: String,
    hint: Option<String>,
    line: Option<u64>,
    rule: Option<String>,
    place: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    column: usize,
    text: String,
    start: usize,
    end: usize,
}

/// What kept a draft from being written down, as the refusal lists it.
pub(super) fn of_refusal(v: &Visit, document: &ProblemDocument) -> Result<Vec<Problem>, Fault> {
    let listed = serde_json::to_value(&document.diagnostics).unwrap_or_default();
    let listed: Vec<Problem> = v.read_value(listed)?;
    let errors = listed.into_iter().map(|problem| Problem {
        is_error: true,
        ..problem
    });
    Ok(errors.collect())
}

/// All of them.
pub(super) fn panel(v: &Visit, problems: &[Problem]) -> Markup {
    let inside = html! {
        div role="status" {
            ul.problems data-problems="" {
                @if problems.is_empty() { li.muted { (v.t(CLEAN)) } }
                @for problem in problems { (one(v, problem)) }
            }
        }
    };
    parts::panel(v.t(FINDINGS), inside)
}

fn one(v: &Visit, problem: &Problem) -> Markup {
    let known = CODES.iter().find(|(code, _)| *code == problem.code);
    let title = known.map_or(problem.code.as_str(), |(_, word)| v.t(*word));
    let tone = if problem.is_error {
        Tone::Bad
    } else {
        Tone::Care
    };
    html! {
        li {
            (parts::badge(tone, None, title)) " "
            @if let Some(rule) = &problem.rule { (parts::id(rule)) " " }
            @if let Some(line) = problem.line { span.muted { (LINE.with(v.language(), &[&line.to_string()])) } }
            p {
                (said::CHECKER.said(&problem.message, v.language()))
                @if let Some(hint) = &problem.hint { " " b { (said::CHECKER.said(hint, v.language())) } }
            }
            @if let Some(place) = &problem.place { (excerpt(place)) }
        }
    }
}

/// The line of the condition with what is wrong marked.
fn excerpt(place: &Place) -> Markup {
    let begin = place.column.saturating_sub(1);
    let length = place.end.saturating_sub(place.start).max(1);
    let before: String = place.text.chars().take(begin).collect();
    let rest: String = place.text.chars().skip(begin).collect();
    // The span counts bytes: what it covers of this line ends at a character.
    let cut = rest
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= length);
    let (wrong, after) = rest.split_at(cut.unwrap_or(rest.len()));
    html! { pre.excerpt { (before) mark { (wrong) } (after) } }
}

/// What the module says by itself.
pub(super) fn script_words(v: &Visit) -> Value {
    let codes = CODES
        .iter()
        .map(|(code, word)| ((*code).to_owned(), v.t(*word).into()));
    let codes: serde_json::Map<String, Value> = codes.collect();
    json!({
        "clean": v.t(CLEAN),
        "line": v.t(LINE),
        "checking": v.t(CHECKING),
        "away": v.t(AWAY),
        "codes": codes,
        "said": said::table(v.language()),
    })
}
