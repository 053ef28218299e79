//! What the store keeps of a version: its head, and what it changes in compressed parts.
//!
//! Both are records of the journal. Parts are written first, under a name that only the head knows;
//! a head is written last and makes the version count. Parts without a head are never read.

use super::{Format, Held, ListKind};
use crate::Error;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_screening::{Delta, List, Patch, list::Shrunken};
use paywarden_store::{RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    sync::Arc,
};
use utoipa::ToSchema;

/// What kind of record a head is.
pub(super) const HEAD: &str = "screening_list";
/// What kind of record a part is.
pub(super) const PART: &str = "screening_part";
/// Bytes of one part.
const PART_BYTES: usize = 60 * 1024;
/// The most parts of one version: 60 MiB of compressed changes.
const PARTS_MAX: usize = 1_024;
/// What a version may decompress to, in bytes.
const PATCH_BYTES_MAX: u64 = 1 << 30;
/// After so many versions that say what changed one says everything again, so that a start reads no
/// more of them.
const CHAIN_MAX: i64 = 64;

/// A version of a screening list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListVersion {
    /// The list.
    pub list: String,
    /// From 1 without gaps within the list.
    pub number: i64,
    /// What being on it means: `sanctions`, `pep`, `adverse` or `own`.
    #[schema(value_type = String)]
    pub kind: ListKind,
    /// The format that it was read from.
    #[schema(value_type = String)]
    pub format: Format,
    /// SHA-256 of its source, in hexadecimal.
    pub version: String,
    /// When its publisher says that it was made, as written there.
    pub published: Option<String>,
    /// Parties on it.
    pub entities: u64,
    /// Names that they bear.
    pub names: u64,
    /// Parties that the version before did not have.
    pub added: u64,
    /// Parties of which it says something else.
    pub changed: u64,
    /// Parties that it lacks.
    pub removed: u64,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// Who imported it, as in the trail.
    pub imported_by: String,
    /// Whether the list ended with it.
    pub retired: bool,
}

/// A head as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) version: ListVersion,
    /// Whether the parts say everything, whatever was before.
    whole: bool,
    /// The name of its parts.
    stamp: String,
    parts: u32,
}

/// A version that is to be written.
pub(super) struct Draft {
    pub(super) head: Head,
    parts: Vec<Vec<u8>>,
    pub(super) list: Arc<List>,
}

/// What a new version is beside the one at work.
pub(super) struct Compared {
    pub(super) new: Arc<List>,
    pub(super) delta: Delta,
    pub(super) shrunken: Option<Shrunken>,
}

/// Compares a new version with the one at work. Blocks.
pub(super) fn compare(known: Option<&Held>, new: Arc<List>) -> Compared {
    let Some(known) = known else {
        let added = new.entities.iter().map(|entity| entity.id.clone());
        return Compared {
            delta: Delta {
                added: added.collect(),
                ..Delta::default()
            },
            shrunken: None,
            new,
        };
    };
    let delta = known.list.delta(&new);
    Compared {
        shrunken: known.list.shrunken(&new, &delta),
        delta,
        new,
    }
}

impl Draft {
    /// Makes what is to be written of a version that was compared with the one before, which has
    /// this number. Blocks.
    pub(super) fn new(
        compared: Compared,
        (before, format): (i64, Format),
        (at, by): (Timestamp, String),
        random: [u8; 16],
    ) -> Result<Self, Error> {
        let Compared { new, delta, .. } = compared;
        let number = before + 1;
        let whole = number % CHAIN_MAX == 1;
        let patch = match whole {
            true => Patch {
                removed: Vec::new(),
                entities: new.entities.clone(),
            },
            false => new.patch(&delta),
        };
        let parts = split(&patch)?;
        let names: usize = new.entities.iter().map(|entity| entity.names.len()).sum();
        let version = ListVersion {
            list: new.name.clone(),
            number,
            kind: new.kind,
            format,
            version: new.source_hash.clone(),
            published: new.published.clone(),
            entities: new.entities.len() as u64,
            names: names as u64,
            added: delta.added.len() as u64,
            changed: delta.changed.len() as u64,
            removed: delta.removed.len() as u64,
            imported_at: at,
            imported_by: by,
            retired: false,
        };
        Ok(Self {
            head: Head {
                version,
                whole,
                stamp: random.map(|byte| format!("{byte:02x}")).concat(),
                parts: parts.len() as u32,
            },
            parts,
            list: new,
        })
    }

    /// The rows of its parts.
    pub(super) fn rows(&self, tenant: &TenantId) -> Vec<Row> {
        let row = |(place, body): (usize, &Vec<u8>)| {
            Row::Record(RecordRow {
                tenant: tenant.clone(),
                kind: PART.to_owned(),
                id: self.head.part(place as u32),
                version: 1,
                written_at: self.head.version.imported_at,
                body: body.clone(),
            })
        };
        self.parts.iter().enumerate().map(row).collect()
    }
}

impl Head {
    /// The last version of a list: nobody is on it any more.
    pub(super) fn retired(last: &ListVersion, at: Timestamp, by: String) -> Self {
        Self {
            version: ListVersion {
                number: last.number + 1,
                entities: 0,
                names: 0,
                added: 0,
                changed: 0,
                removed: last.entities,
                imported_at: at,
                imported_by: by,
                retired: true,
                ..last.clone()
            },
            whole: true,
            stamp: String::new(),
            parts: 0,
        }
    }

    /// The row that makes it count.
    pub(super) fn row(&self, tenant: &TenantId) -> Result<Row, Error> {
        Ok(Row::Record(RecordRow {
            tenant: tenant.clone(),
            kind: HEAD.to_owned(),
            id: list_id(tenant, &self.version.list),
            version: self.version.number,
            written_at: self.version.imported_at,
            body: serde_json::to_vec(self).map_err(|error| damaged(&error))?,
        }))
    }

    pub(super) fn read(row: &RecordRow) -> Result<Self, Error> {
        let head: Self = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
        let fits = head.version.number == row.version
            && list_id(&row.tenant, &head.version.list) == row.id;
        match fits {
            true => Ok(head),
            false => Err(damaged(&"its head is that of another list")),
        }
    }

    /// Whether nothing before it needs to be read.
    pub(super) fn is_first(&self) -> bool {
        self.whole
    }

    /// The names of its parts, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.parts).map(|place| self.part(place))
    }

    fn part(&self, place: u32) -> String {
        format!("{}.{place}", self.stamp)
    }
}

/// The identifier of the record of a list. Names of tenants may hold what identifiers may not.
pub(super) fn list_id(tenant: &TenantId, list: &str) -> String {
    let digest = sha256(format!("{}\n{list}", tenant.as_str()).as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn split(patch: &Patch) -> Result<Vec<Vec<u8>>, Error> {
    let clear = postcard::to_stdvec(patch).map_err(|error| damaged(&error))?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(&clear).and_then(|()| encoder.finish());
    let packed = packed.map_err(|error| damaged(&error))?;
    match packed.len() <= PARTS_MAX * PART_BYTES {
        true => Ok(packed.chunks(PART_BYTES).map(<[u8]>::to_vec).collect()),
        false => Err(Error::ScreeningLimit(
            "a version has at most 60 MiB of compressed changes",
        )),
    }
}

/// What the parts of a version say together.
pub(super) fn join(parts: &[Vec<u8>]) -> Result<Patch, Error> {
    if parts.is_empty() {
        return Ok(Patch::default());
    }
    let packed = parts.concat();
    let mut clear = Vec::new();
    let mut decoder = ZlibDecoder::new(packed.as_slice()).take(PATCH_BYTES_MAX);
    let read: io::Result<usize> = decoder.read_to_end(&mut clear);
    read.map_err(|error| damaged(&error))?;
    postcard::from_bytes(&clear).map_err(|error| damaged(&error))
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("a screening list: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_screening::{Entity, ListedName};

    fn list(ids: std::ops::Range<u32>) -> Arc<List> {
        let entity = |id: u32| Entity {
            id: id.to_string(),
            names: vec![ListedName {
                text: format!(
                    "Name {id:x} {}",
                    sha256(&id.to_le_bytes()).map(|b| format!("{b:x}")).concat()
                ),
                weak: id.is_multiple_of(7),
            }],
            ..Entity::default()
        };
        Arc::new(List {
            name: "own".into(),
            kind: ListKind::Own,
            source_hash: format!("{ids:?}"),
            published: None,
            entities: ids.map(entity).collect(),
        })
    }

    fn draft(known: Option<&Held>, before: i64, new: Arc<List>) -> Draft {
        let by = (Timestamp::from_micros(0), "key:k".to_owned());
        Draft::new(compare(known, new), (before, Format::Csv), by, [7; 16]).unwrap()
    }

    #[test]
    fn parts_make_the_list_again_version_by_version() {
        let first = draft(None, 0, list(0..3_000));
        assert!(first.head.is_first() && first.parts.len() > 1);
        let patch = join(&first.parts).unwrap();
        let entities = patch.apply(Vec::new());
        assert_eq!(entities, first.list.entities);
        let held = Held {
            version: first.head.version.clone(),
            list: first.list,
        };
        let second = draft(Some(&held), 1, list(10..3_050));
        let version = &second.head.version;
        assert_eq!(
            (version.added, version.changed, version.removed),
            (50, 0, 10)
        );
        assert!(!second.head.is_first() && second.parts.len() == 1);
        let entities = join(&second.parts).unwrap().apply(entities);
        assert_eq!(entities, second.list.entities);
        assert!(
            draft(Some(&held), CHAIN_MAX, list(10..3_050))
                .head
                .is_first()
        );
    }

    #[test]
    fn a_head_that_belongs_to_another_list_is_not_read() {
        let (acme, other) = (
            TenantId::parse("acme").unwrap(),
            TenantId::parse("other").unwrap(),
        );
        let draft = draft(None, 0, list(0..1));
        let Row::Record(row) = draft.head.row(&acme).unwrap() else {
            panic!("no record")
        };
        assert_eq!(Head::read(&row).unwrap(), draft.head);
        let stolen = RecordRow {
            tenant: other,
            ..row
        };
        assert!(Head::read(&stolen).is_err());
    }
}
