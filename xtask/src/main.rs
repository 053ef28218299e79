//! Project tasks: `cargo xtask tidy | lint | test`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod floors;
mod literal;
mod run;
mod said;
mod text;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

const USAGE: &str = "\
usage: cargo xtask TASK
  tidy   floors, crate budget, banned crates, module headers, file lengths, links, Chinese of refusals
  lint   rustfmt and clippy over the workspace, warnings are errors
  test   tidy, then every test: the workspace, then other people's clients and tools
  docs   write the generated reference pages again";

fn main() -> Result<()> {
    let root = root();
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy(&root),
        Some("lint") => run::lint(&root),
        Some("test") => {
            tidy(&root)?;
            run::test(&root)
        }
        Some("docs") => run::docs(&root),
        _ => bail!("{USAGE}"),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_owned)
}

fn tidy(root: &Path) -> Result<()> {
    let mut findings = floors::check(root)?;
    let files = text::files(root)?;
    findings.extend(text::check(root, &files));
    findings.extend(said::check(root, &files)?);
    if findings.is_empty() {
        println!("tidy: nothing to mend");
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    bail!("tidy: {} findings", findings.len())
}
