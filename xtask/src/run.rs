//! Lints and tests, as CI and people run them.

use anyhow::{Result, bail};
use std::{path::Path, process::Command};

/// What a program can be built with beyond the usual: sign-on, and a root in a token.
const FEATURES: &str = "paywarden/oidc,paywarden/pkcs11";

/// What the feature `oidc` adds: with the whole workspace, so that what is built already is not
/// built again with fewer features.
const OIDC: [&str; 6] = [
    "--workspace",
    "--features",
    FEATURES,
    "--test",
    "oidc",
    "--locked",
];

/// Formatting and clippy; warnings are errors.
pub(crate) fn lint(root: &Path) -> Result<()> {
    cargo(root, &["fmt", "--all", "--check"])?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    cargo(root, &clippy)?;
    cargo(
        root,
        &[&["clippy"], &OIDC[..], &["--", "-D", "warnings"]].concat(),
    )
}

/// Every test of the workspace, then the programs of other people under `tests/`.
pub(crate) fn test(root: &Path) -> Result<()> {
    cargo(root, &["test", "--workspace", "--locked"])?;
    cargo(root, &[&["test"], &OIDC[..]].concat())?;
    let build = [
        "build",
        "--workspace",
        "--features",
        FEATURES,
        "--bin",
        "paywarden",
        "--locked",
    ];
    cargo(root, &build)?;
    outside(root)
}

/// Writes the generated pages under `docs/reference` again.
pub(crate) fn docs(root: &Path) -> Result<()> {
    // With the whole workspace: what is built already is not built again with fewer features.
    let writers = [
        "--test",
        "reference",
        "--test",
        "coverage",
        "--test",
        "conformance",
    ];
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--workspace", "--locked"])
        .args(writers);
    finish(command.env("UPDATE_REFERENCE", "1").current_dir(root))
}

/// Other people's clients and tools against the running binary.
fn outside(root: &Path) -> Result<()> {
    finish(
        Command::new("python3")
            .arg("tests/outside/run.py")
            .current_dir(root),
    )
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    finish(
        Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(root),
    )
}

fn finish(command: &mut Command) -> Result<()> {
    let line = format!("{command:?}").replace('"', "");
    println!("xtask: {line}");
    if !command.status()?.success() {
        bail!("failed: {line}");
    }
    Ok(())
}
