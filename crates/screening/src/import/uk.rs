//! The UK sanctions list, XML.

use super::{Read, Refused, xml};
use crate::{entity::Entity, kind::Kind};

/// Elements that hold numbers, with what they are of.
const NUMBERS: [(&str, &str); 4] = [
    ("PassportNumber", "passport"),
    ("NationalIdentifierNumber", "national identifier"),
    ("BusinessRegistrationNumber", "registration"),
    ("IMONumber", "imo"),
];

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let mut entities = Vec::new();
    let mut published = None;
    xml::records(
        bytes,
        "Designations",
        &["Designation", "DateGenerated"],
        |node| {
            match node.name() {
                "DateGenerated" => published = Some(node.text().to_owned()),
                _ => entities.push(entity(&node)),
            }
            Ok(())
        },
    )?;
    Ok((entities, published))
}

fn entity(node: &xml::Node) -> Entity {
    let mut entity = Entity {
        id: node.child("UniqueID").to_owned(),
        kind: match node.child("IndividualEntityShip") {
            "Individual" => Kind::Person,
            "Entity" => Kind::Organisation,
            "Ship" => Kind::Vessel,
            _ => Kind::Unknown,
        },
        ..Entity::default()
    };
    let mut names: Vec<(bool, String, bool)> = Vec::new();
    for name in node.all("Name") {
        let parts = ["Name1", "Name2", "Name3", "Name4", "Name5", "Name6"];
        let alias = name.child("NameType") != "Primary Name";
        let weak = name.child("AliasStrength").starts_with("Low");
        names.push((alias, name.joined(&parts), weak));
    }
    names.sort_by_key(|(alias, ..)| *alias);
    for (_, name, weak) in names {
        entity.name(&name, weak);
    }
    for name in node.all("NameNonLatinScript") {
        entity.name(name.text(), false);
    }
    for birth in node.all("DOB") {
        entity.birth(birth.text());
    }
    for country in ["Nationality", "AddressCountry", "CountryOfBirth"]
        .iter()
        .flat_map(|name| node.all(name))
    {
        entity.country(country.text());
    }
    for (element, kind) in NUMBERS {
        for number in node.all(element) {
            entity.identifier(kind, number.text());
        }
    }
    entity.program(node.child("RegimeName"));
    entity
}
