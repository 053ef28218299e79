//! What every file of the project obeys: headers, lengths, links, nothing of one machine.

use anyhow::{Context, Result};
use std::{fs, path::Path, process::Command};

/// Lines of code that one Rust file may have, its tests not counted.
const FILE_LINES_MAX: usize = 500;

pub(crate) fn check(root: &Path, files: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for name in files {
        let path = Path::new(name);
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        if name != "xtask/src/text.rs" {
            findings.extend(hygiene(name, &text));
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => findings.extend(rust(name, &text)),
            Some("md") => findings.extend(links(root, path, &text)),
            _ => {}
        }
    }
    findings
}

/// The files of the project.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect())
}

fn hygiene(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let generated = name.ends_with(".lock") || name.ends_with(".snap") || name == "LICENSE";
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if !generated && line.ends_with([' ', '\t']) {
            findings.push(format!("{place}: white space at the end of the line"));
        }
        for (words, why) in [
            ("/root/", "a path of one machine"),
            ("/work/", "a path of one machine"),
            (
                "-----BEGIN PRIVATE KEY",
                "a private key; tests generate theirs",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY",
                "a private key; tests generate theirs",
            ),
            ("<<<<<<< ", "a merge conflict"),
        ] {
            if line.contains(words) {
                findings.push(format!("{place}: {why}"));
            }
        }
    }
    findings
}

fn rust(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        findings.push(format!(
            "{name}: the first line says what room this is: start with //!"
        ));
    }
    let in_tests = name.contains("/tests/") || name.ends_with("tests.rs");
    let lines = text
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .count();
    if !in_tests && lines > FILE_LINES_MAX {
        findings.push(format!("{name}: {lines} lines, at most {FILE_LINES_MAX}"));
    }
    findings
}

/// Relative links of a page that lead nowhere.
fn links(root: &Path, page: &Path, text: &str) -> Vec<String> {
    let folder = root
        .join(page)
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|link| link.split('#').next().unwrap_or(""))
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
        .filter(|link| !folder.join(link).exists())
        .map(|link| format!("{}: the link {link} leads nowhere", page.display()))
        .collect()
}
