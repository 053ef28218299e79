//! Tests of what is said in Chinese.

use super::*;
use std::time::{Duration, Instant};

const MISTAKES: &str = include_str!("../../../rules/tests/language/mistakes.rule");

/// What the checker says of the mistakes of its own tests.
fn examples() -> impl Iterator<Item = &'static str> {
    MISTAKES.lines().filter_map(|line| {
        let (_, sentence) = line.split_once("error[")?;
        Some(sentence.split_once("]: ")?.1)
    })
}

#[test]
fn every_mistake_that_the_checker_s_tests_make_is_said_in_chinese() {
    let english: Vec<_> = examples()
        .filter(|sentence| CHECKER.translated(sentence, Language::Zh).is_none())
        .collect();
    assert_eq!(english, Vec::<&str>::new());
    assert!(examples().count() > 30);
}

#[test]
fn every_sentence_has_the_same_places_in_both_languages_and_none_hides_another() {
    let places = |text: &str| text.matches("{}").count();
    for book in [CHECKER, REFUSALS] {
        let lines: Vec<_> = book.sentences.iter().copied().flatten().collect();
        for (place, line) in lines.iter().enumerate() {
            assert_eq!(places(line.en), places(line.zh), "{line:?}");
            let plain = line.en.replace("{}", "x");
            let hides = |other: &&&Word| values(other.en, &plain).is_some();
            assert_eq!(
                lines[..place].iter().find(hides),
                None,
                "{line:?} is never reached"
            );
            assert!(plain.len() < BYTES_MAX / 4, "{line:?}");
        }
    }
}

#[test]
fn what_is_named_stays_and_words_of_the_checker_are_put_into_chinese() {
    for (sentence, expected) in [
        ("there is no field `payer.nam`", "没有字段 `payer.nam`"),
        (
            "expected a condition, found money",
            "此处应为条件，实际为money",
        ),
        (
            "`>` does not go between money and int",
            "`>` 不能用于 money 与 int 之间",
        ),
        ("there is no field `true`", "没有字段 `true`"),
        (
            "example \"a\": there is no field `b`",
            "样例“a”：没有字段 `b`",
        ),
        ("did you mean `a`?", "是否应为 `a`？"),
        ("nobody has said this before", "nobody has said this before"),
    ] {
        assert_eq!(CHECKER.said(sentence, Language::Zh), expected);
        assert_eq!(CHECKER.said(sentence, Language::En), sentence);
    }
}

#[test]
fn refusals_are_said_in_chinese_with_what_they_name() {
    for (sentence, expected) in [
        ("sign in first", Some("请先登录")),
        (
            "this needs the right cases:read",
            Some("此操作需要权限 `cases:read`"),
        ),
        ("the approval is withdrawn", Some("该审批的状态为：已撤回")),
        (
            "the report is Filed, or has changed: read it again",
            Some("监管报告的状态为 已报送，或已有变化：请重新读取"),
        ),
        (
            "list entry refused: a change has 1 to 200 values",
            Some("名单条目未被接受：一次变更 1 至 200 个值"),
        ),
        (
            "`from`: a time such as 2026-01-31T00:00:00Z",
            Some("`from`：须为时间，如 2026-01-31T00:00:00Z"),
        ),
        ("title: 1 to 200 bytes", Some("`title`：须为 1 至 200 字节")),
        (
            "at most 50 files in a case",
            Some("上限：每个案件 50 个文件"),
        ),
        (
            "1 of 2 votes count; of the others: it names another payload; the policy counts members of staff alone",
            Some(
                "有效票 1 张，需要 2 张；其余票无效原因：所投内容与申请内容不一致；审批策略仅计人员投票",
            ),
        ),
        (
            "who writes rules does not approve them (PCI DSS 4.0.1, 6.5.4; GB/T 22239-2019, 8.1.7.3)",
            Some("编写规则者不得审批规则（PCI DSS 4.0.1, 6.5.4; GB/T 22239-2019, 8.1.7.3）"),
        ),
        (
            "`no` is not known; did you mean `name`?",
            Some("`no` 不是已知字段；是否应为 `name`？"),
        ),
        (
            "the hold hold keeps it: lift that first by POST /v1/subjects/holds",
            Some("因留存义务 `hold` 而保留：请先通过 POST /v1/subjects/holds 解除"),
        ),
        // Of what is joined one at least is ours.
        ("title: nobody has said this before", None),
        ("TLS: fault (13)", None),
        ("请先登录", None),
        ("", None),
    ] {
        let said = REFUSALS.translated(sentence, Language::Zh);
        assert_eq!(said.as_deref(), expected, "{sentence}");
        assert_eq!(REFUSALS.translated(sentence, Language::En), None);
    }
}

#[test]
fn hostile_texts_are_looked_for_once_and_not_for_long() {
    let begun = Instant::now();
    let deep = |joint: &str| format!("x{}", joint.repeat(BYTES_MAX / joint.len() - 1));
    for hostile in [
        deep(": "),
        deep("; "),
        deep(" ("),
        deep("; did you mean `"),
        deep("; of the others: "),
        "the command is not accepted: ".repeat(60),
        "at most ".repeat(250),
        "{}".repeat(900),
        "`{}`: {}".to_owned(),
        "名".repeat(600),
        "the approval is \u{202e}\0<script>".to_owned(),
        "sign in first".repeat(1 << 20),
    ] {
        for book in [CHECKER, REFUSALS] {
            let said = book.translated(&hostile, Language::Zh);
            assert!(said.is_none_or(|said| said.len() < 4 * BYTES_MAX));
        }
    }
    // 24 looks, each a few deep, are a moment; one that tries every way to part a text has no end.
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(60), "{taken:?}");
}
