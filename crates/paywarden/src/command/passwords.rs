//! `paywarden passwords`: a list of breached passwords becomes a filter that the server can hold.

use crate::{
    failure::{Failure, Result},
    summary, terminal,
};
use paywarden_safety::password::Breached;
use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Arguments of `passwords`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One password a line, or one SHA-1 a line with `:count`, as Have I Been Pwned publishes them
    list: PathBuf,
    /// The filter to write: about 18 bits a password
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out hashes that were seen less often
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    count_min: u64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        let what = format!("{}: {error}", arguments.list.display());
        Failure::wrong_use(what, "give a text file with one password or hash a line")
    };
    let list = File::open(&arguments.list).map_err(|error| failed(&error))?;
    let list = BufReader::new(list);
    let filter = Breached::build(list, arguments.count_min).map_err(|error| failed(&error))?;
    write(&filter, &arguments.out).map_err(|error| {
        let what = format!("cannot write {}: {error}", arguments.out.display());
        Failure::environment(
            what,
            "name a file in a folder of yours with room: --out FILE",
        )
    })?;
    let count = summary::thousands(filter.passwords());
    terminal::result(&format!(
        "{count} passwords; let the server know them: breached_passwords = \"{}\"\n",
        arguments.out.display()
    ));
    Ok(())
}

/// Writes beside the target and renames, so that a server never reads half a filter.
fn write(filter: &Breached, out: &Path) -> std::io::Result<()> {
    let fresh = out.with_extension("new");
    let mut file = BufWriter::new(File::create(&fresh)?);
    filter.write(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&fresh, out)
}
