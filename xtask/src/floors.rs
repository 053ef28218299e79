//! The floors of the house, from `cargo metadata`: dependencies point down, and stay few.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

/// Each crate with the crates of this workspace that it may depend on, top floor first.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "paywarden",
        &[
            "console",
            "server",
            "risk",
            "cases",
            "privacy",
            "safety",
            "notify",
            "access",
            "rules",
            "features",
            "models",
            "screening",
            "filings",
            "store",
            "crypto",
            "outward",
            "domain",
            "simulator",
        ],
    ),
    ("console", &["server", "access", "crypto", "domain"]),
    (
        "server",
        &[
            "risk", "cases", "privacy", "safety", "notify", "access", "filings", "store", "crypto",
            "domain",
        ],
    ),
    (
        "risk",
        &[
            "access",
            "rules",
            "features",
            "models",
            "screening",
            "filings",
            "store",
            "crypto",
            "domain",
        ],
    ),
    (
        "privacy",
        &["access", "store", "crypto", "outward", "domain"],
    ),
    ("cases", &["access", "store", "crypto", "outward", "domain"]),
    ("safety", &["crypto", "domain"]),
    (
        "access",
        &["rules", "features", "store", "crypto", "outward", "domain"],
    ),
    (
        "notify",
        &["access", "store", "crypto", "outward", "domain"],
    ),
    ("rules", &["features", "domain"]),
    ("features", &["domain"]),
    ("models", &["features", "domain"]),
    ("screening", &["domain"]),
    ("filings", &["domain"]),
    ("store", &["crypto", "domain"]),
    ("crypto", &["domain"]),
    ("outward", &["domain"]),
    ("domain", &[]),
    ("simulator", &["domain"]),
    ("xtask", &[]),
];

/// The most crates of others that the binary may be built from.
const CRATES_MAX: usize = 361;

/// Crates that must not be in the binary, with the reason.
const BANNED: &[(&str, &str)] = &[
    ("evalexpr", "AGPL"),
    ("cedar-policy", "251 CPU-seconds of build"),
    ("zen-engine", "209 crates; only a bench anchor"),
    ("cel", "an oracle for tests, not for the product"),
    ("openssl", "aws-lc-rs is the one cryptographic library"),
    ("ring", "aws-lc-rs is the one cryptographic library"),
];

pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--no-deps"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        return Ok(vec![String::from_utf8_lossy(&output.stderr).into_owned()]);
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut findings = edges(&metadata);
    findings.extend(graph(root)?);
    Ok(findings)
}

/// Dependencies that a crate may not have. Tests may look up: dev-dependencies are free.
fn edges(metadata: &Value) -> Vec<String> {
    let allowed: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let members = names(&metadata["workspace_members"]);
    let mut findings = Vec::new();
    for package in list(&metadata["packages"]) {
        if !members.contains(text(&package["id"])) {
            continue;
        }
        let name = short(text(&package["name"]));
        let Some(below) = allowed.get(name) else {
            findings.push(format!(
                "{name}: not on a floor; add it to xtask/src/floors.rs"
            ));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let target = text(&dependency["name"]);
            let normal = dependency["kind"].is_null();
            if normal && target.starts_with("paywarden-") && !below.contains(&short(target)) {
                findings.push(format!("{name} may not depend on {}", short(target)));
            }
        }
    }
    findings
}

/// The size of the binary's own graph and what must not be in it.
fn graph(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--package",
            "paywarden",
            "--edges",
            "normal,build",
        ])
        .args(["--prefix", "none"])
        .current_dir(root)
        .output()
        .context("cargo tree")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .filter(|(name, _)| !name.starts_with("paywarden"))
        .collect();
    println!(
        "tidy: {} crates of others are in the binary, at most {CRATES_MAX}",
        crates.len()
    );
    let mut findings: Vec<String> = BANNED
        .iter()
        .filter(|(banned, _)| crates.iter().any(|(name, _)| name == banned))
        .map(|(banned, why)| format!("{banned} is in the binary: {why}"))
        .collect();
    if crates.is_empty() || crates.len() > CRATES_MAX {
        findings.push(format!(
            "{} crates of others in the binary, at most {CRATES_MAX}",
            crates.len()
        ));
    }
    Ok(findings)
}

fn names(value: &Value) -> BTreeSet<&str> {
    list(value).map(text).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn short(name: &str) -> &str {
    name.strip_prefix("paywarden-").unwrap_or(name)
}
