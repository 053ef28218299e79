//! Own lists: a CSV file with a heading.

use super::{
    Read, Refused, malformed,
    rows::{Row, Rows},
};
use crate::{entity::Entity, kind::Kind};

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let rows = Rows::read(bytes, &["id", "name"])?;
    let entities: Result<Vec<Entity>, Refused> = rows.iter().map(|row| entity(&row)).collect();
    Ok((entities?, None))
}

fn entity(row: &Row<'_>) -> Result<Entity, Refused> {
    let mut entity = Entity {
        id: row.cell("id").to_owned(),
        kind: kind(row)?,
        ..Entity::default()
    };
    entity.name(row.cell("name"), false);
    row.several("aliases")
        .for_each(|name| entity.name(name, false));
    row.several("birth_date")
        .for_each(|date| entity.birth(date));
    row.several("countries")
        .for_each(|country| entity.country(country));
    row.several("identifiers")
        .for_each(|number| entity.identifier("", number));
    row.several("programs")
        .for_each(|program| entity.program(program));
    Ok(entity)
}

fn kind(row: &Row<'_>) -> Result<Kind, Refused> {
    Ok(match row.cell("kind") {
        "" => Kind::Unknown,
        "person" => Kind::Person,
        "organisation" => Kind::Organisation,
        "vessel" => Kind::Vessel,
        "aircraft" => Kind::Aircraft,
        _ => {
            let words = "person, organisation, vessel, aircraft or nothing";
            let line = row.line();
            return Err(malformed(format_args!(
                "line {line}: kind is none of {words}"
            )));
        }
    })
}
