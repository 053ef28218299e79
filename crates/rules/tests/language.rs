//! Golden cases of the language: `language/*.rule`, to be read by people who write rules.
//!
//! A case begins with `--- title`, then the condition, then indented operands and their values,
//! then `=> true`, `false`, `unknown` or `fault …`; or, for a wrong condition, `=>` and what the
//! checker says about it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_rules::{Diagnostic, Truth, pack::Example, try_example};
use std::{fs, path::Path};

fn outcome(when: &str, given: Vec<(String, String)>) -> String {
    let rules = match support::rule_set(when) {
        Ok(rules) => rules,
        Err(problems) => return texts(&problems),
    };
    match try_example(
        &rules,
        0,
        &Example {
            hit: true,
            name: String::new(),
            given,
        },
    ) {
        Ok((Truth::Fault(fault), _)) => format!("fault {fault}"),
        Ok((truth, _)) => format!("{truth:?}").to_lowercase(),
        Err(problem) => texts(&[problem]),
    }
}

fn texts(problems: &[Diagnostic]) -> String {
    let alone = |problem: &Diagnostic| {
        Diagnostic {
            origin: None,
            ..problem.clone()
        }
        .render()
    };
    let texts: Vec<String> = problems.iter().map(alone).collect();
    format!("\n{}", texts.join("\n"))
}

fn check(file: &Path, title: &str, case: &str) -> Option<String> {
    let (body, expected) = case.split_once("\n=>").unwrap();
    let (given, when): (Vec<&str>, Vec<&str>) = body
        .lines()
        .partition(|line| line.starts_with("    ") && line.contains(" = "));
    let given = given.iter().map(|line| {
        let (operand, value) = line.trim().split_once(" = ").unwrap();
        (operand.to_owned(), value.to_owned())
    });
    let found = outcome(when.join("\n").trim(), given.collect());
    let same = found.trim() == expected.trim();
    (!same).then(|| format!("{}: {title}\n=> {found}\n", file.display()))
}

#[test]
fn golden_cases_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let (mut cases, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        for case in text.split("--- ").skip(1) {
            let (title, case) = case.split_once('\n').unwrap();
            cases += 1;
            wrong.extend(check(&file, title, case));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {cases} cases\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
