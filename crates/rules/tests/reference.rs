//! The generated page of the language is the one that is kept.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path};

#[test]
fn the_page_of_the_language_is_kept() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/language.md");
    let written = paywarden_rules::language_reference();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&page, &written).unwrap();
    }
    let kept = fs::read_to_string(page).unwrap_or_default();
    assert!(kept == written, "out of date: run `cargo xtask docs`");
}
