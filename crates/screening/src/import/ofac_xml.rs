//! OFAC `sdn.xml` and `consolidated.xml`.

use super::{Read, Refused, xml};
use crate::{entity::Entity, kind::Kind};

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let mut entities = Vec::new();
    let mut published = None;
    xml::records(bytes, "sdnList", &["sdnEntry", "Publish_Date"], |node| {
        match node.name() {
            "Publish_Date" => published = Some(node.text().to_owned()),
            _ => entities.push(entity(&node)),
        }
        Ok(())
    })?;
    Ok((entities, published))
}

fn entity(node: &xml::Node) -> Entity {
    let mut entity = Entity {
        id: node.child("uid").to_owned(),
        kind: kind(node.child("sdnType")),
        ..Entity::default()
    };
    entity.name(&node.joined(&["firstName", "lastName"]), false);
    for alias in node.all("aka") {
        entity.name(
            &alias.joined(&["firstName", "lastName"]),
            alias.child("category") == "weak",
        );
    }
    for birth in node.all("dateOfBirth") {
        entity.birth(birth.text());
    }
    for country in ["address", "nationality", "citizenship"]
        .iter()
        .flat_map(|name| node.all(name))
    {
        entity.country(country.child("country"));
    }
    for document in node.all("id") {
        entity.identifier(document.child("idType"), document.child("idNumber"));
    }
    for program in node.all("program") {
        entity.program(program.text());
    }
    entity
}

/// What OFAC calls kinds of parties.
pub(super) fn kind(text: &str) -> Kind {
    match text.to_ascii_lowercase().as_str() {
        "individual" => Kind::Person,
        "entity" => Kind::Organisation,
        "vessel" => Kind::Vessel,
        "aircraft" => Kind::Aircraft,
        _ => Kind::Unknown,
    }
}
