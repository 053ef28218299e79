//! Reports as their readers meet them: golden files, hostile texts, exact sums, deadlines, large
//! values and the Travel Rule.
#![cfg(test)]

mod exports;
mod faults;
mod large;
mod travel;

use paywarden_filings::{Day, Profile, Profiles, Report};
use std::path::PathBuf;

const NAMES: [&str; 3] = ["us_bsa", "eu", "cn_pboc"];
/// Large values of the same profiles.
const LARGE: [&str; 2] = ["us_bsa_large", "cn_pboc_large"];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn report(name: &str) -> Report {
    let text = std::fs::read_to_string(folder("reports").join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn profile(name: &str) -> &'static Profile {
    let name = name.trim_end_matches("_large");
    Profiles::shipped().unwrap().find(name).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn today() -> Day {
    day("2026-03-05")
}
