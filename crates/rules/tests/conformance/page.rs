//! The page that says what was found.

use super::case::{Case, Verdict};
use std::{collections::BTreeMap, fmt::Write};

/// The results of all files as a page of Markdown.
pub fn of(results: &[(String, Vec<(Case, Verdict)>)]) -> String {
    let mut page = "# Conformance with CEL\n\n\
        The cases of the conformance suite of CEL, run against this language by \
        `cargo xtask docs` with `PAYWARDEN_DATA` set. *Passed*: the same value, or no value where \
        CEL has an error. *Refused*: CEL has an error when it evaluates, here the checker says so \
        before. *Not applicable*: the case asks for something that the language leaves out; the \
        reasons are counted below. *Failed*: another answer; every one is listed.\n\n\
        | file | cases | passed | refused | not applicable | failed |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut total = [0; 5];
    for (file, cases) in results {
        let counts = counts(cases);
        let [all, passed, refused, outside, failed] = counts;
        total = std::array::from_fn(|column| total[column] + counts[column]);
        let _ = writeln!(
            page,
            "| {file} | {all} | {passed} | {refused} | {outside} | {failed} |"
        );
    }
    let [all, passed, refused, outside, failed] = total;
    let _ = writeln!(
        page,
        "| **all** | {all} | {passed} | {refused} | {outside} | {failed} |"
    );
    reasons(&mut page, results);
    failures(&mut page, results);
    page
}

fn counts(cases: &[(Case, Verdict)]) -> [usize; 5] {
    let count = |fits: fn(&Verdict) -> bool| cases.iter().filter(|(_, v)| fits(v)).count();
    [
        cases.len(),
        count(|verdict| matches!(verdict, Verdict::Passed)),
        count(|verdict| matches!(verdict, Verdict::Refused)),
        count(|verdict| matches!(verdict, Verdict::NotApplicable(_))),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
    ]
}

fn reasons(page: &mut String, results: &[(String, Vec<(Case, Verdict)>)]) {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, verdict) in results.iter().flat_map(|(_, cases)| cases) {
        if let Verdict::NotApplicable(reason) = verdict {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    page.push_str("\n## Not applicable\n\n| the case asks for | cases |\n|---|---|\n");
    for (reason, count) in reasons {
        let _ = writeln!(page, "| {reason} | {count} |");
    }
}

fn failures(page: &mut String, results: &[(String, Vec<(Case, Verdict)>)]) {
    page.push_str("\n## Failed\n\n| case | expression | answer here |\n|---|---|---|\n");
    for (file, cases) in results {
        for (case, verdict) in cases {
            if let Verdict::Failed(answer) = verdict {
                let place = format!("{file}/{}/{}", case.section, case.name);
                let [expression, answer] = [&case.expression, answer].map(|text| cell(text));
                let _ = writeln!(page, "| {place} | `{expression}` | {answer} |");
            }
        }
    }
}

/// A text as it can stand in one cell of a table.
fn cell(text: &str) -> String {
    let line = text.replace('|', "\\|").replace(['\n', '\r'], " ");
    let shown: String = line.chars().filter(|c| !c.is_control()).take(120).collect();
    match shown.len() < line.len() {
        true => format!("{shown}…"),
        false => shown,
    }
}
