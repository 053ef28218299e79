//! Lints and tests, as CI and people run them.

use anyhow::{Result, bail};
use std::{path::Path, process::Command};

/// What a program can be built with beyond the usual: sign-on, and a root in a token. Tests run with
/// all of it, so that everything is built once.
const FEATURES: [&str; 2] = ["--features", "paywarden/oidc,paywarden/pkcs11"];
const WORKSPACE: [&str; 2] = ["--workspace", "--locked"];
/// Tests that run at once for each core.
const TESTS_PER_CORE: usize = 4;
const NO_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// Formatting and clippy; warnings are errors. What stands only in a build without features is
/// looked at by itself.
pub(crate) fn lint(root: &Path) -> Result<()> {
    cargo(root, &[&["fmt", "--all", "--check"]])?;
    cargo(
        root,
        &[
            &["clippy", "--all-targets"],
            &WORKSPACE,
            &FEATURES,
            &NO_WARNINGS,
        ],
    )?;
    cargo(root, &[&["clippy"], &WORKSPACE, &NO_WARNINGS])
}

/// Every test of the workspace, then the programs of other people under `tests/`.
pub(crate) fn test(root: &Path) -> Result<()> {
    // Most tests wait for servers, disks and passwords: as many as there are cores leave them idle.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = std::env::var("RUST_TEST_THREADS");
    let mut command = Command::new(env!("CARGO"));
    command.arg("test").args(WORKSPACE).args(FEATURES);
    command.env(
        "RUST_TEST_THREADS",
        threads.unwrap_or_else(|_| (TESTS_PER_CORE * cores).to_string()),
    );
    finish(command.current_dir(root))?;
    outside(root)
}

/// Writes the generated pages under `docs/reference` again.
pub(crate) fn docs(root: &Path) -> Result<()> {
    // Like the tests: what is built already is not built again with fewer features.
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
        .arg("test")
        .args(WORKSPACE)
        .args(FEATURES)
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

fn cargo(root: &Path, arguments: &[&[&str]]) -> Result<()> {
    finish(
        Command::new(env!("CARGO"))
            .args(arguments.concat())
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
