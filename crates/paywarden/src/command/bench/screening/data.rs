//! Names to measure with: public lists, labelled pairs, and names of people who are on no list.

use super::{change::Dice, quality::Labelled};
use paywarden_screening::{
    Entity, Kind, List, ListKind, ListedName,
    import::{File, Format, Refused, read},
};
use std::{io, path::Path, sync::Arc};

/// Entities of the index that speed is measured on.
const ENTITIES: usize = 70_000;

/// What is measured with.
pub(super) struct Data {
    pub(super) pairs: Vec<Labelled>,
    pub(super) un: List,
    pub(super) ofac: List,
    /// People who are on no list.
    pub(super) people: Vec<String>,
    given: Vec<String>,
    family: Vec<String>,
}

/// Why data cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// A list is refused.
    #[error(transparent)]
    List(#[from] Refused),
    /// A table is not as expected.
    #[error(transparent)]
    Table(#[from] csv::Error),
}

impl Data {
    pub(super) fn read(folder: &Path) -> Result<Self, Unread> {
        let bytes = |name: &str| {
            let path = folder.join("screening-aml").join(name);
            std::fs::read(&path).map_err(|error| Unread::File(path.display().to_string(), error))
        };
        let un = bytes("un/UN_consolidated.xml")?;
        let files = [File {
            name: "un",
            bytes: &un,
        }];
        let un = read(Format::Un, &files, "un", ListKind::Sanctions)?;
        let parts = ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"];
        let parts = parts.map(|name| bytes(&format!("ofac/{name}")).map(|bytes| (name, bytes)));
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let files = parts.iter().map(|(name, bytes)| File { name, bytes });
        let files: Vec<File<'_>> = files.collect();
        let ofac = read(Format::OfacCsv, &files, "ofac", ListKind::Sanctions)?;
        let mut data = Self {
            pairs: pairs(&bytes("name_pairs.csv")?)?,
            un,
            ofac,
            people: Vec::new(),
            given: Vec::new(),
            family: Vec::new(),
        };
        let people = bytes("negatives_us.csv")?;
        for row in csv::Reader::from_reader(people.as_slice()).records() {
            let row = row?;
            data.people.push(row[0].to_owned());
            data.given.push(row[1].to_owned());
            data.family.push(row[3].to_owned());
        }
        Ok(data)
    }

    /// The OFAC list and, so that there are 70,000 parties, people put together from the names of
    /// others.
    pub(super) fn large(&self) -> Vec<Arc<List>> {
        let mut dice = Dice::new(11);
        let mut list = List {
            name: "people".to_owned(),
            entities: Vec::new(),
            ..self.ofac.clone()
        };
        for number in self.ofac.entities.len()..ENTITIES {
            let given = &self.given[dice.throw(self.given.len())];
            let family = &self.family[dice.throw(self.family.len())];
            let text = format!("{given} {family}");
            list.entities.push(Entity {
                id: number.to_string(),
                kind: Kind::Person,
                names: vec![ListedName { text, weak: false }],
                ..Entity::default()
            });
        }
        vec![Arc::new(self.ofac.clone()), Arc::new(list)]
    }
}

fn pairs(bytes: &[u8]) -> Result<Vec<Labelled>, Unread> {
    let mut pairs = Vec::new();
    for row in csv::Reader::from_reader(bytes).records() {
        let row = row?;
        let kind = match &row[1] {
            "Person" => Kind::Person,
            "Vessel" => Kind::Vessel,
            "LegalEntity" => Kind::Unknown,
            _ => Kind::Organisation,
        };
        pairs.push(Labelled {
            source: row[0].to_owned(),
            kind,
            names: [row[2].to_owned(), row[3].to_owned()],
            same: &row[4] == "true",
        });
    }
    Ok(pairs)
}
