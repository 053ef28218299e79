//! The consolidated financial sanctions list of the European Union, XML 1.1.

use super::{Read, Refused, xml};
use crate::{entity::Entity, kind::Kind};

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let mut entities = Vec::new();
    xml::records(bytes, "export", &["sanctionEntity"], |node| {
        entities.push(entity(&node));
        Ok(())
    })?;
    Ok((entities, xml::root_attribute(bytes, "generationDate")))
}

fn entity(node: &xml::Node) -> Entity {
    let subject = node.all("subjectType");
    let mut entity = Entity {
        id: node.attribute("logicalId").to_owned(),
        kind: match subject
            .first()
            .map_or("", |subject| subject.attribute("code"))
        {
            "person" => Kind::Person,
            "enterprise" => Kind::Organisation,
            _ => Kind::Unknown,
        },
        ..Entity::default()
    };
    for name in node.all("nameAlias") {
        entity.name(
            name.attribute("wholeName"),
            name.attribute("strong") == "false",
        );
    }
    for birth in node.all("birthdate") {
        let whole = birth.attribute("birthdate");
        entity.birth(if whole.is_empty() {
            birth.attribute("year")
        } else {
            whole
        });
        entity.country(birth.attribute("countryIso2Code"));
    }
    for country in ["citizenship", "address"]
        .iter()
        .flat_map(|name| node.all(name))
    {
        entity.country(country.attribute("countryIso2Code"));
    }
    for document in node.all("identification") {
        let kind = document.attribute("identificationTypeDescription");
        entity.identifier(kind, document.attribute("number"));
    }
    for regulation in node.all("regulation") {
        entity.program(regulation.attribute("programme"));
    }
    entity
}
