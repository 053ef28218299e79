//! The source of a rule set: packs as text, the same bytes in a draft, in the store and in a reply.

use crate::{Error, record};
use paywarden_rules::{
    Diagnostic, Pack, Rates, RuleSet, Severity, analyse, canonical_source, check_examples, compile,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most packs of one rule set.
const PACKS_MAX: usize = 500;
/// The most bytes of all packs of one rule set together.
pub(crate) const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;
const FILE_NAME_BYTES_MAX: usize = 128;

/// A pack as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackFile {
    /// Name of the file, for messages; at most 128 bytes.
    pub file: String,
    /// The pack in YAML; JSON is YAML too.
    pub text: String,
}

/// All packs of one rule set, read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) files: Vec<PackFile>,
    pub(crate) packs: Vec<Pack>,
}

impl PackFile {
    /// A pack of this name.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
        }
    }
}

impl Source {
    /// Reads packs, or says everything that is wrong with them.
    pub(crate) fn parse(files: Vec<PackFile>) -> Result<Self, Error> {
        check_size(&files)?;
        let (mut packs, mut problems) = (Vec::with_capacity(files.len()), Vec::new());
        for PackFile { file, text } in &files {
            match Pack::parse(file, text) {
                Ok(pack) => packs.push(pack),
                Err(found) => problems.extend(found),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { files, packs }),
            false => Err(Error::RulesRefused(problems)),
        }
    }

    /// The source as [`Source::text`] gave it.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let damaged = |reason: String| Error::RecordDamaged(format!("rule set source: {reason}"));
        let files = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        Self::parse(files)
    }

    /// As the store keeps it: the files as JSON.
    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(&self.files).map_err(|error| Error::RecordDamaged(error.to_string()))
    }

    /// The first 16 hexadecimal digits of the SHA-256 of everything that can change a verdict.
    pub(crate) fn version(&self) -> String {
        record::version(&canonical_source(&self.packs))
    }

    /// This source with some packs replaced or added by their identifiers, and some left out.
    pub(crate) fn amended(self, files: Vec<PackFile>, without: &[String]) -> Result<Self, Error> {
        let known = |id: &String| self.packs.iter().any(|pack| pack.id == *id);
        if let Some(unknown) = without.iter().find(|id| !known(id)) {
            return Err(Error::PackUnknown(unknown.clone()));
        }
        let new = match files.is_empty() {
            true => Vec::new(),
            false => Self::parse(files.clone())?.packs,
        };
        let kept = self.files.into_iter().zip(&self.packs);
        let kept = kept.filter(|(_, pack)| {
            !without.contains(&pack.id) && new.iter().all(|new| new.id != pack.id)
        });
        Self::parse(kept.map(|(file, _)| file).chain(files).collect())
    }

    /// Compiles under the version that the set is known by.
    pub(crate) fn compile(&self, rates: &Rates, version: &str) -> Result<RuleSet, Error> {
        compile(&self.packs, rates, version).map_err(Error::RulesRefused)
    }

    /// Compiles, and refuses what the analysis calls an error. Beside the rules: what is worth a
    /// look.
    pub(crate) fn analysed(&self, rates: &Rates) -> Result<(RuleSet, Vec<Diagnostic>), Error> {
        let rules = self.compile(rates, &self.version())?;
        let is_error = |problem: &Diagnostic| problem.code.severity() == Severity::Error;
        let (errors, warnings): (Vec<_>, Vec<_>) = analyse(&rules).into_iter().partition(is_error);
        match errors.is_empty() {
            true => Ok((rules, warnings)),
            false => Err(Error::RulesRefused(errors)),
        }
    }

    /// Compiles, analyses and runs every example.
    pub(crate) fn check(&self, rates: &Rates) -> Result<(RuleSet, Vec<Diagnostic>), Error> {
        let (rules, warnings) = self.analysed(rates)?;
        let failed: Vec<Diagnostic> = check_examples(&rules);
        match failed.is_empty() {
            true => Ok((rules, warnings)),
            false => Err(Error::RulesRefused(failed)),
        }
    }
}

fn check_size(files: &[PackFile]) -> Result<(), Error> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    let named = |file: &PackFile| (1..=FILE_NAME_BYTES_MAX).contains(&file.file.len());
    let why = if files.is_empty() {
        "a rule set has at least one pack"
    } else if files.len() > PACKS_MAX {
        "a rule set has at most 500 packs"
    } else if bytes > SOURCE_BYTES_MAX {
        "the packs of a rule set have at most 4 MiB together"
    } else if !files.iter().all(named) {
        "a file name has 1 to 128 bytes"
    } else if files
        .iter()
        .any(|file| file.file.contains('\0') || file.text.contains('\0'))
    {
        "a pack contains a zero byte"
    } else {
        return Ok(());
    };
    Err(Error::RuleSetMalformed(why))
}
