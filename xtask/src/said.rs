//! Every sentence by which something is refused has its line in the Chinese tables of the console, and
//! every line of theirs is said by a source.

use crate::literal::{Literal, literals};
use anyhow::{Context, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The tables: pairs of a sentence and what it is in Chinese.
const TABLES: &str = "crates/console/src/said/refusals/";

/// Files and folders whose sentences people read as the detail of a refusal.
const SOURCES: &[&str] = &[
    "crates/access/src/",
    "crates/cases/src/",
    "crates/console/src/",
    "crates/domain/src/",
    "crates/notify/src/",
    "crates/outward/src/lib.rs",
    "crates/privacy/src/",
    "crates/risk/src/",
    "crates/screening/src/name.rs",
    "crates/server/src/api/",
    "crates/server/src/edge/body.rs",
    "crates/server/src/edge/person.rs",
    "crates/server/src/edge/problem.rs",
    "crates/server/src/pages.rs",
    "crates/server/src/reports.rs",
    "crates/server/src/reports/error.rs",
    "crates/server/src/serve.rs",
];

/// Those of them that nobody meets on a page, and why.
#[rustfmt::skip]
const APART: &[(&str, &str)] = &[
    ("crates/access/src/factor/", "the log says it"),
    ("crates/access/src/watch/calendar.rs", "settings are refused at the start"),
    ("crates/access/src/watch/access.rs", "what acts are about"),
    ("crates/cases/src/policy.rs", "settings are refused at the start"),
    ("crates/domain/src/operand.rs", "explanations of decisions"),
    ("crates/privacy/src/ceremony.rs", "a command line"),
    ("crates/privacy/src/keys", "the log says it"),
    ("crates/privacy/src/normal.rs", "programs put values into the vault"),
    ("crates/privacy/src/root", "the log and a command line say it"),
    ("crates/privacy/src/vault/", "programs put values into the vault"),
    ("crates/privacy/src/retention/walk.rs", "the trail says it"),
    ("crates/risk/src/movement.rs", "programs ask for large values"),
    ("crates/risk/src/model/bench.rs", "reasons of decisions"),
    ("crates/risk/src/model/keep.rs", "models that are damaged"),
    ("crates/risk/src/rating/policy.rs", "settings are refused at the start"),
    ("crates/risk/src/recovery.rs", "the log says it"),
    ("crates/risk/src/typology.rs", "settings are refused at the start"),
    ("crates/server/src/api/confirmations", "payers have words of their own"),
    ("crates/server/src/api/labels", "programs say what payments turned out to be"),
    ("crates/server/src/api/openapi.rs", "the description of the API"),
    ("crates/server/src/api/safety.rs", "programs check passwords"),
    ("crates/server/src/api/travel_rule.rs", "programs check transfers"),
    ("crates/server/src/api/vault/", "programs put values into the vault"),
];

/// What texts are given to that are no details of refusals: the log, the trail, keys, schemas, what is
/// replaced before anybody reads it, what is read and not said.
#[rustfmt::skip]
const SILENT: &[&str] = &[
    "tracing::debug!", "tracing::error!", "tracing::info!", "tracing::warn!", "debug_assert!",
    "PURPOSE", "purpose", "author", "Purpose::from", "Purpose::composed", "By::new", "by", "itself", "object", "line",
    "index_for", "index_with", "seal_for", "SEAL", "SEAL_PURPOSE", "IDENTIFIER", "KEY_LABEL", "derive", "of",
    "Error::RecordDamaged", "Error::Damaged", "Error::Internal", "damaged", "step::damaged", "missing", "unreadable",
    "description", "text_identifier!", "text", "crate::schema::text", "strip_prefix", "rsplit_once", "between",
];

/// Single texts that nobody reads as a detail.
#[rustfmt::skip]
const NONE: &[&str] = &[
    // Names of roles, and of who holds the first; what roles exclude each other by.
    "AML officer", "Audit administrator", "First administrator", "Key custodian", "Privacy officer", "Rule approver",
    "Rule author", "Security administrator", "Senior analyst", "System administrator",
    "GB/T 22239-2019, 8.1.5.1 to 8.1.5.3",
    // A start that fails.
    "the key file does not serve: {0}", "the rule packs do not compile:\n{0}",
    "the live rules of {tenant} do not compile with this program:\n{reason}",
    "a live model of {tenant} does not read:\n{reason}", "the copy of keys is damaged or cut off",
    // The trail, the metrics, a header, a file.
    "{purpose}: consent {receipt}", "{purpose}: {count} grounds", "the budget of alerts",
    "Reports to financial intelligence units that are not filed", "Those of them whose deadline has passed",
    "attachment; filename*=UTF-8''", "{COPY_WORD} end {count}",
    // Lists of screening are brought by programs.
    "ofac_xml, ofac_advanced, un, eu, uk, ftm, targets or csv", " or ", "`, or `",
];

/// The mark of a place in a pattern of the tables.
const PLACE: &str = "{}";

pub(crate) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let read = |name: &String| fs::read_to_string(root.join(name)).with_context(|| name.clone());
    let tables = files.iter().filter(|name| name.starts_with(TABLES));
    let tables: Vec<_> = tables
        .map(|name| Ok((name, read(name)?)))
        .collect::<Result<_>>()?;
    let sources = files.iter().filter(|name| is_source(name));
    let sources: Vec<_> = sources
        .map(|name| Ok((name, read(name)?)))
        .collect::<Result<_>>()?;
    Ok(compare(&tables, &sources))
}

/// What is said and has no line, and what has a line and is not said.
fn compare(tables: &[(&String, String)], sources: &[(&String, String)]) -> Vec<String> {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (name, code) in tables {
        // Of each pair the first text is the sentence.
        let sentences = literals(code).into_iter().step_by(2);
        lines.extend(sentences.map(|one| (one.text, format!("{name}:{}", one.line))));
    }
    let mut findings = Vec::new();
    let mut said = BTreeSet::new();
    for (name, code) in sources {
        for literal in literals(code) {
            let pattern = pattern(&literal.text);
            if is_told(name, &literal) && is_sentence(&pattern) && !lines.contains_key(&pattern) {
                findings.push(format!(
                    "{name}:{}: no line in {TABLES} says {pattern:?} in Chinese",
                    literal.line
                ));
            }
            said.insert(pattern);
        }
    }
    let idle = lines
        .iter()
        .filter(|(sentence, _)| !said.contains(*sentence));
    findings.extend(idle.map(|(sentence, place)| format!("{place}: nothing says {sentence:?}")));
    findings
}

fn is_source(name: &str) -> bool {
    let is_test = name.contains("/tests/") || name.ends_with("tests.rs");
    let is_in = |place: &str| name.starts_with(place);
    let is_read = !is_test && !is_in("crates/console/src/said");
    let mut apart = APART.iter().map(|(place, _)| *place);
    name.ends_with(".rs") && is_read && SOURCES.iter().copied().any(is_in) && !apart.any(is_in)
}

/// Whether a text may come to be the detail of a refusal. Pages say theirs by `fault` alone.
fn is_told(name: &str, literal: &Literal) -> bool {
    let is_in = |name: &str| literal.within.iter().any(|one| one == name);
    match name.starts_with("crates/console/") {
        true => is_in("fault"),
        false => {
            let is_attribute = is_in("#") && !is_in("error");
            !is_attribute && !SILENT.iter().copied().any(is_in) && !NONE.contains(&&*literal.text)
        }
    }
}

/// Whether a text has a word, and something beside it.
fn is_sentence(pattern: &str) -> bool {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut words = pattern.split([' ', ':', ',', ';']);
    pattern.contains(' ') && words.any(is_word)
}

/// A text with `{}` in each place where `format!` puts a value.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        pattern.push_str(before);
        let end = from.find('}').filter(|_| from.starts_with('{'));
        rest = match end {
            _ if from.starts_with("{{") || from.starts_with("}}") => {
                pattern.push_str(&from[..1]);
                &from[2..]
            }
            Some(end) => {
                pattern.push_str(PLACE);
                &from[end + 1..]
            }
            None => {
                pattern.push_str(&from[..1]);
                &from[1..]
            }
        };
    }
    pattern + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(table: &str, source: &str) -> Vec<String> {
        let names = [
            "crates/console/src/said/refusals/one.rs",
            "crates/risk/src/one.rs",
        ];
        let [table_name, source_name] = names.map(str::to_owned);
        assert!(is_source(&source_name));
        let tables = [(&table_name, table.to_owned())];
        compare(&tables, &[(&source_name, source.to_owned())])
    }

    const SOURCE: &str = r#"
        #[error("at most {0} of {{these}}, \
            not {more:?}")]
        fn one() -> Error {
            tracing::warn!(%error, "the log says this");
            Error::Wrong(format!("step {number} is over"))
        }
    "#;
    const TABLE: &str = r#"
        word("at most {} of {these}, not {}", "至多"),
        word("step {} is over", "已结束"),
    "#;

    #[test]
    fn what_is_said_and_what_is_written_are_the_same() {
        assert_eq!(compared(TABLE, SOURCE), Vec::<String>::new());
        let less = TABLE.replace("step {} is over", "step {} is done");
        assert_eq!(
            compared(&less, SOURCE),
            [
                "crates/risk/src/one.rs:6: no line in crates/console/src/said/refusals/ says \
                 \"step {} is over\" in Chinese",
                "crates/console/src/said/refusals/one.rs:3: nothing says \"step {} is done\"",
            ]
        );
        let more = SOURCE.replace("Error::Wrong(", "ask(\"say it again\"); Error::Wrong(");
        assert_eq!(compared(TABLE, &more).len(), 1);
    }

    #[test]
    fn tables_tests_and_what_stands_apart_are_no_sources() {
        for name in [
            "crates/console/src/said/refusals/door.rs",
            "crates/access/src/watch/tests.rs",
            "crates/privacy/src/ceremony.rs",
            "crates/rules/src/lib.rs",
        ] {
            assert!(!is_source(name), "{name}");
        }
    }
}
