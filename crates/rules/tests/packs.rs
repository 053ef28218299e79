//! Every pack that the project ships compiles, and every example in it behaves as it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_domain::Currency;
use paywarden_rules::{Diagnostic, Pack, Rates, Severity, analyse, check_examples, compile};
use std::{fs, path::Path};

fn rates() -> Rates {
    let currency = |code: &str| Currency::parse(code).unwrap();
    let table = [
        ("EUR", "1.08"),
        ("GBP", "1.27"),
        ("CHF", "1.12"),
        ("CNY", "0.14"),
        ("HKD", "0.128"),
        ("SGD", "0.74"),
        ("JPY", "0.0067"),
        ("INR", "0.012"),
        ("AUD", "0.66"),
        ("CAD", "0.73"),
        ("BRL", "0.18"),
    ];
    table
        .into_iter()
        .fold(Rates::new(currency("USD")), |rates, (code, rate)| {
            rates.with(currency(code), rate).unwrap()
        })
}

fn fail_on(problems: &[Diagnostic]) {
    let texts: Vec<String> = problems.iter().map(Diagnostic::render).collect();
    assert!(
        texts.is_empty(),
        "{} problem(s)\n\n{}\n",
        texts.len(),
        texts.join("\n\n")
    );
}

#[test]
fn shipped_packs_compile_and_their_examples_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    let (mut packs, mut problems) = (Vec::new(), Vec::new());
    for file in &files {
        let name = file.file_name().unwrap().to_str().unwrap();
        match Pack::parse(name, &fs::read_to_string(file).unwrap()) {
            Ok(pack) => packs.push(pack),
            Err(found) => problems.extend(found),
        }
    }
    match compile(&packs, &rates(), "test") {
        Ok(rules) => {
            problems.extend(check_examples(&rules));
            let found = analyse(&rules).into_iter();
            problems.extend(found.filter(|problem| problem.code.severity() == Severity::Error));
        }
        Err(found) => problems.extend(found),
    }
    fail_on(&problems);
}
