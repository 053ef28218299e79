//! The consolidated list of the United Nations Security Council, XML.

use super::{Read, Refused, xml};
use crate::{entity::Entity, kind::Kind};

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let mut entities = Vec::new();
    let names = ["INDIVIDUAL", "ENTITY"];
    xml::records(bytes, "CONSOLIDATED_LIST", &names, |node| {
        entities.push(entity(&node));
        Ok(())
    })?;
    Ok((entities, xml::root_attribute(bytes, "dateGenerated")))
}

fn entity(node: &xml::Node) -> Entity {
    let mut entity = Entity {
        id: node.child("DATAID").to_owned(),
        kind: match node.name() {
            "INDIVIDUAL" => Kind::Person,
            _ => Kind::Organisation,
        },
        ..Entity::default()
    };
    let parts = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"];
    entity.name(&node.joined(&parts), false);
    entity.name(node.child("NAME_ORIGINAL_SCRIPT"), false);
    for alias in ["INDIVIDUAL_ALIAS", "ENTITY_ALIAS"]
        .iter()
        .flat_map(|name| node.all(name))
    {
        entity.name(alias.child("ALIAS_NAME"), alias.child("QUALITY") == "Low");
    }
    for birth in node.all("INDIVIDUAL_DATE_OF_BIRTH") {
        for field in ["DATE", "YEAR", "FROM_YEAR", "TO_YEAR"] {
            entity.birth(birth.child(field));
        }
    }
    for nationality in node
        .all("NATIONALITY")
        .iter()
        .flat_map(|node| node.all("VALUE"))
    {
        entity.country(nationality.text());
    }
    for address in ["INDIVIDUAL_ADDRESS", "ENTITY_ADDRESS"]
        .iter()
        .flat_map(|name| node.all(name))
    {
        entity.country(address.child("COUNTRY"));
    }
    for document in node.all("INDIVIDUAL_DOCUMENT") {
        entity.identifier(document.child("TYPE_OF_DOCUMENT"), document.child("NUMBER"));
    }
    entity.program(node.child("UN_LIST_TYPE"));
    entity.program(node.child("REFERENCE_NUMBER"));
    entity
}
