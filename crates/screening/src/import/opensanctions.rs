//! What OpenSanctions publishes: `FollowTheMoney` entities as lines of JSON, and targets as CSV.

use super::{Read, Refused, malformed, rows::Rows};
use crate::{entity::Entity, kind::Kind};
use serde::Deserialize;
use std::collections::HashMap;

/// Properties that hold numbers.
const NUMBERS: [&str; 9] = [
    "passportNumber",
    "idNumber",
    "registrationNumber",
    "taxNumber",
    "innCode",
    "ogrnCode",
    "imoNumber",
    "leiCode",
    "swiftBic",
];

#[derive(Deserialize)]
struct Line {
    id: String,
    schema: String,
    #[serde(default)]
    properties: HashMap<String, Vec<serde_json::Value>>,
}

/// Reads entities; those that are neither parties nor ships nor aircraft are left out.
pub(super) fn entities(bytes: &[u8]) -> Result<Read, Refused> {
    let mut entities: Vec<Entity> = Vec::new();
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let last = lines.len() - 1;
    for (number, line) in lines.into_iter().enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = match serde_json::from_slice(line) {
            Ok(line) => line,
            Err(error) if number == last && error.is_eof() => {
                return Err(Refused::Truncated {
                    records: entities.len(),
                });
            }
            Err(error) => return Err(malformed(format_args!("line {}: {error}", number + 1))),
        };
        if let Some(kind) = kind(&line.schema) {
            entities.push(entity(line, kind));
        }
    }
    Ok((entities, None))
}

fn entity(line: Line, kind: Kind) -> Entity {
    let of = |name: &str| {
        let values = line.properties.get(name).into_iter().flatten();
        values
            .filter_map(serde_json::Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut entity = Entity {
        kind,
        ..Entity::default()
    };
    of("name")
        .iter()
        .chain(&of("alias"))
        .for_each(|name| entity.name(name, false));
    of("weakAlias")
        .iter()
        .for_each(|name| entity.name(name, true));
    of("birthDate").iter().for_each(|date| entity.birth(date));
    for property in [
        "country",
        "nationality",
        "citizenship",
        "jurisdiction",
        "flag",
    ] {
        of(property)
            .iter()
            .for_each(|country| entity.country(country));
    }
    for property in NUMBERS {
        of(property)
            .iter()
            .for_each(|number| entity.identifier(property, number));
    }
    of("programId")
        .iter()
        .chain(&of("topics"))
        .for_each(|program| entity.program(program));
    entity.id = line.id;
    entity
}

/// Reads targets.
pub(super) fn targets(bytes: &[u8]) -> Result<Read, Refused> {
    let rows = Rows::read(bytes, &["id", "schema", "name", "aliases"])?;
    let mut entities = Vec::new();
    for row in rows.iter() {
        let Some(kind) = kind(row.cell("schema")) else {
            continue;
        };
        let mut entity = Entity {
            id: row.cell("id").to_owned(),
            kind,
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
        row.several("program_ids")
            .for_each(|program| entity.program(program));
        entities.push(entity);
    }
    Ok((entities, None))
}

fn kind(schema: &str) -> Option<Kind> {
    Some(match schema {
        "Person" => Kind::Person,
        "Company" | "Organization" | "PublicBody" => Kind::Organisation,
        "LegalEntity" => Kind::Unknown,
        "Vessel" => Kind::Vessel,
        "Airplane" => Kind::Aircraft,
        _ => return None,
    })
}
