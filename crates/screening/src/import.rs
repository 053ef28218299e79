//! Readers of lists: bytes in, a [`List`] or a reason to refuse out.
//!
//! Each format is one file that turns its records into entities; limits, truncation and repeated
//! identifiers are looked at here and in `xml`, once for all.

mod eu;
mod ofac_advanced;
mod ofac_csv;
mod ofac_xml;
mod opensanctions;
mod own;
mod rows;
mod uk;
mod un;
mod xml;

use crate::{
    entity::Entity,
    kind::ListKind,
    list::{LIST_NAME_BYTES_MAX, List, source_hash},
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Largest source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1 << 29;
/// Most entities of a list.
pub const ENTITIES_MAX: usize = 2_000_000;
/// Most names, documents, birth dates or countries of one entity.
pub const FACETS_MAX: usize = 1_000;

/// A format of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// OFAC `sdn.csv`, `alt.csv`, `add.csv`, `sdn_comments.csv`, and the consolidated twins.
    OfacCsv,
    /// OFAC `sdn.xml` and `consolidated.xml`.
    OfacXml,
    /// OFAC `sdn_advanced.xml`.
    OfacAdvanced,
    /// The consolidated list of the United Nations Security Council.
    Un,
    /// The consolidated financial sanctions list of the European Union, XML 1.1.
    Eu,
    /// The UK sanctions list, XML.
    Uk,
    /// OpenSanctions entities, one `FollowTheMoney` object per line.
    Ftm,
    /// OpenSanctions `targets.simple.csv`.
    Targets,
    /// Own list: a CSV file with a heading; see [`read`].
    Csv,
}

/// All formats.
pub const FORMATS: [Format; 9] = [
    Format::OfacCsv,
    Format::OfacXml,
    Format::OfacAdvanced,
    Format::Un,
    Format::Eu,
    Format::Uk,
    Format::Ftm,
    Format::Targets,
    Format::Csv,
];

impl Format {
    /// The word in queries and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::OfacCsv => "ofac_csv",
            Self::OfacXml => "ofac_xml",
            Self::OfacAdvanced => "ofac_advanced",
            Self::Un => "un",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Ftm => "ftm",
            Self::Targets => "targets",
            Self::Csv => "csv",
        }
    }

    /// The format with this name.
    pub fn parse(name: &str) -> Option<Self> {
        FORMATS.into_iter().find(|format| format.name() == name)
    }
}

/// One file of a source.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name; formats of several files tell them apart by it.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// Why a source is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Larger than [`SOURCE_BYTES_MAX`].
    #[error("source is larger than {SOURCE_BYTES_MAX} bytes")]
    TooLarge,
    /// It ends in the middle: a download that broke off.
    #[error("source ends before it is complete, after {records} records")]
    Truncated {
        /// Records that were whole.
        records: usize,
    },
    /// It is not of this format.
    #[error("source is not of this format: {reason}")]
    Malformed {
        /// What was found.
        reason: String,
    },
    /// It declares types or entities, by which a small file becomes a large one.
    #[error("source declares a document type")]
    DocumentType,
    /// Something in it is beyond a limit.
    #[error("source exceeds a limit: {limit}")]
    Limit {
        /// Which.
        limit: &'static str,
    },
    /// Nobody is on it.
    #[error("source has no entities")]
    Empty,
    /// The name for the list cannot be used.
    #[error("name of a list is 1 to {LIST_NAME_BYTES_MAX} small letters, digits, - and _")]
    ListName,
}

/// What a format reads: entities, and when the publisher made the list.
type Read = (Vec<Entity>, Option<String>);

/// Reads a list.
///
/// An own list ([`Format::Csv`]) has a heading with `id` and `name`, and may have `kind` (`person`,
/// `organisation`, `vessel`, `aircraft`), `aliases`, `birth_date`, `countries`, `identifiers`,
/// `programs`; several values stand in one cell with `;` between them.
pub fn read(
    format: Format,
    files: &[File<'_>],
    name: &str,
    kind: ListKind,
) -> Result<List, Refused> {
    let named = |letter: u8| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-_".contains(&letter)
    };
    if name.is_empty() || name.len() > LIST_NAME_BYTES_MAX || !name.bytes().all(named) {
        return Err(Refused::ListName);
    }
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > SOURCE_BYTES_MAX {
        return Err(Refused::TooLarge);
    }
    let one = || files.first().map_or(&[][..], |file| file.bytes);
    let (entities, published) = match format {
        Format::OfacCsv => ofac_csv::read(files),
        Format::OfacXml => ofac_xml::read(one()),
        Format::OfacAdvanced => ofac_advanced::read(one()),
        Format::Un => un::read(one()),
        Format::Eu => eu::read(one()),
        Format::Uk => uk::read(one()),
        Format::Ftm => opensanctions::entities(one()),
        Format::Targets => opensanctions::targets(one()),
        Format::Csv => own::read(one()),
    }?;
    checked(&entities)?;
    let hashes: Vec<String> = files.iter().map(|file| source_hash(file.bytes)).collect();
    Ok(List {
        name: name.to_owned(),
        kind,
        source_hash: match hashes.as_slice() {
            [one] => one.clone(),
            several => source_hash(several.join("\n").as_bytes()),
        },
        published,
        entities,
    })
}

fn checked(entities: &[Entity]) -> Result<(), Refused> {
    if entities.is_empty() {
        return Err(Refused::Empty);
    }
    if entities.len() > ENTITIES_MAX {
        return Err(Refused::Limit { limit: "entities" });
    }
    let mut ids = HashSet::with_capacity(entities.len());
    for entity in entities {
        if !ids.insert(entity.id.as_str()) {
            let reason = format!("identifier {} stands there twice", entity.id);
            return Err(Refused::Malformed { reason });
        }
        let facets = [
            entity.names.len(),
            entity.identifiers.len(),
            entity.births.len(),
            entity.countries.len(),
        ];
        if facets.into_iter().any(|count| count > FACETS_MAX) {
            return Err(Refused::Limit {
                limit: "names or documents of one entity",
            });
        }
    }
    Ok(())
}

fn malformed(reason: impl std::fmt::Display) -> Refused {
    Refused::Malformed {
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests;
