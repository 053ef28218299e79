//! Private folders and files: made for their owner alone.

use crate::failure::{Failure, Result};
use paywarden_store::Clock;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// A new private folder for one run, removed with everything in it when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in the system's folder for temporary files.
    pub fn new() -> Result<Self> {
        let name = format!(
            "paywarden-{:016x}",
            u64::from_ne_bytes(Clock::System.random())
        );
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| unmade(&path, &error))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in a folder for temporary files and harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opens a folder that holds secrets: made with mode 0700, refused if others can look in.
pub fn folder(path: &Path) -> Result<()> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
    made.map_err(|error| unmade(path, &error))?;
    if is_open_to_others(path).map_err(|error| unmade(path, &error))? {
        return Err(Failure::environment(
            format!("{} is open to others", path.display()),
            format!("chmod 700 {}", path.display()),
        ));
    }
    Ok(())
}

/// Writes a secret to a new file that only its owner can read.
pub fn file(path: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        Failure::environment(
            format!("cannot write {}: {error}", path.display()),
            "name a new file in a folder that you may write to",
        )
    })
}

/// Whether anybody but the owner may read a file or look into a folder.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

fn unmade(path: &Path, error: &io::Error) -> Failure {
    Failure::environment(
        format!("cannot make {}: {error}", path.display()),
        "name a folder that you may write to with --data-dir",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_private_and_leaves_nothing() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        folder(&path).unwrap();
        fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let scratch = Scratch::new().unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let failure = folder(scratch.path()).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.message().contains("chmod 700"));
    }
}
