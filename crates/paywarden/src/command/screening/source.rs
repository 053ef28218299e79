//! Lists and names out of files.

use crate::failure::{Failure, Result};
use clap::ValueEnum;
use paywarden_screening::{
    Kind, List, ListKind,
    import::{self, FORMATS, File, Format, SOURCE_BYTES_MAX},
};
use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

/// A list on the command line: its name, format, kind and files.
#[derive(Debug, Clone)]
pub(super) struct Source {
    name: String,
    format: Format,
    kind: ListKind,
    files: Vec<PathBuf>,
}

/// Kinds of entities as words of the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum KindName {
    Person,
    Organisation,
    Vessel,
    Aircraft,
    Unknown,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Person => Self::Person,
            KindName::Organisation => Self::Organisation,
            KindName::Vessel => Self::Vessel,
            KindName::Aircraft => Self::Aircraft,
            KindName::Unknown => Self::Unknown,
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.splitn(4, ':').collect();
        let [name, format_name, kind_name, files] = parts[..] else {
            return Err("write NAME:FORMAT:KIND:FILE, such as un:un:sanctions:un.xml".to_owned());
        };
        Ok(Self {
            name: name.to_owned(),
            format: format(format_name)?,
            kind: kind(kind_name)?,
            files: files.split(',').map(PathBuf::from).collect(),
        })
    }
}

impl Source {
    pub(super) fn read(&self) -> Result<Arc<List>> {
        named(self.format, &self.files, &self.name, self.kind).map(Arc::new)
    }
}

/// A format by its name.
pub(super) fn format(text: &str) -> Result<Format, String> {
    Format::parse(&text.replace('-', "_")).ok_or_else(|| {
        let names = FORMATS.map(|format| format.name().replace('_', "-"));
        format!("formats are {}", names.join(", "))
    })
}

/// What being on a list means, by its name.
pub(super) fn kind(text: &str) -> Result<ListKind, String> {
    ListKind::parse(text).ok_or_else(|| "the kind is sanctions, pep, adverse or own".to_owned())
}

/// A list that nobody calls by name.
pub(super) fn read(format: Format, files: &[PathBuf]) -> Result<List> {
    named(format, files, "list", ListKind::Sanctions)
}

/// The text of a file.
pub(super) fn text(path: &Path, bytes_max: u64) -> Result<String> {
    String::from_utf8(bytes(path, bytes_max)?).map_err(|_| {
        Failure::wrong_use(
            format!("{} is not UTF-8", path.display()),
            "convert it to UTF-8",
        )
    })
}

fn named(format: Format, paths: &[PathBuf], name: &str, kind: ListKind) -> Result<List> {
    let contents = paths
        .iter()
        .map(|path| bytes(path, SOURCE_BYTES_MAX as u64))
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = paths
        .iter()
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let files = names
        .iter()
        .zip(&contents)
        .map(|(name, bytes)| File { name, bytes });
    import::read(format, &files.collect::<Vec<_>>(), name, kind).map_err(|refused| {
        let files = names.join(", ");
        Failure::not_held(
            format!("{files}: {refused}"),
            "fetch the list again, or name its format",
        )
    })
}

/// What is in a file.
pub(super) fn bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::environment(
            format!("{}: {what}", path.display()),
            "name a file that can be read",
        )
    };
    let length = fs::metadata(path).map_err(|error| failed(&error))?.len();
    if length > bytes_max {
        return Err(failed(&format_args!("larger than {bytes_max} bytes")));
    }
    fs::read(path).map_err(|error| failed(&error))
}
