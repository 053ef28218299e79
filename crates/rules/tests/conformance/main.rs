//! The conformance suite of CEL, run against this language: which cases pass, which do not apply
//! and why, and which fail. `docs/reference/cel-conformance.md` is what was found.
//!
//! The suite is other people's data, read from the folder named by `PAYWARDEN_DATA`. Without it
//! only the reader is tested.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod case;
mod page;
mod textproto;

use case::{Case, Verdict};
use std::{env, fs, path::Path};
use textproto::{Message, Value};

#[test]
fn the_table_of_conformance_is_kept() {
    let Some(data) = env::var_os("PAYWARDEN_DATA") else {
        return;
    };
    let folder = Path::new(&data).join("conformance/cel-spec");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut results: Vec<(String, Vec<(Case, Verdict)>)> = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "textproto"))
    {
        let suite = Message::read(&fs::read_to_string(file).unwrap());
        let cases = suite.messages("section").flat_map(Case::all);
        let judged = cases.map(|case| {
            let verdict = case.judge();
            (case, verdict)
        });
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        results.push((name, judged.collect()));
    }
    let written = page::of(&results);
    let kept =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cel-conformance.md");
    if env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&kept, &written).unwrap();
    }
    let kept = fs::read_to_string(kept).unwrap_or_default();
    assert!(kept == written, "out of date: run `cargo xtask docs`");
}

#[test]
fn the_reader_knows_messages_lists_comments_and_escapes() {
    let message = Message::read(
        "# comment\nname: 'a' \"b\\303\\277\" # more\nempty {}\nitems: [1, -2.5e3]\n\
         value { [type.example/a.B] { deep: true } }",
    );
    assert_eq!(message.text("name").unwrap(), "abÿ");
    assert_eq!(message.message("empty"), Some(&Message::default()));
    let items: Vec<_> = message.all("items").cloned().collect();
    assert_eq!(
        items,
        ["1", "-2.5e3"].map(|text| Value::Scalar(text.into()))
    );
    let inner = message
        .message("value")
        .unwrap()
        .message("type.example/a.B");
    assert_eq!(inner.unwrap().text("deep").unwrap(), "true");
}
