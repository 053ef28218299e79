//! OFAC `sdn.csv` with `alt.csv`, `add.csv` and `sdn_comments.csv`, and the consolidated twins
//! `cons_prim.csv` and so on: no heading, `-0-` for nothing.

use super::{File, Read, Refused, malformed, ofac_xml::kind, rows};
use crate::{entity::Entity, kind::Kind};
use csv::StringRecord;
use std::collections::HashMap;

/// Cells of a row of the main file.
const MAIN_CELLS: usize = 12;
const ALIAS_CELLS: usize = 5;
const ADDRESS_CELLS: usize = 6;
const COMMENT_CELLS: usize = 2;

pub(super) fn read(files: &[File<'_>]) -> Result<Read, Refused> {
    let file = |part: &str| {
        files
            .iter()
            .find(|file| file.name.to_ascii_lowercase().contains(part))
    };
    let comments = file("comment");
    let is_main = |file: &&File<'_>| {
        let name = file.name.to_ascii_lowercase();
        (name.contains("sdn") || name.contains("prim")) && !name.contains("comment")
    };
    let main = files
        .iter()
        .find(is_main)
        .ok_or_else(|| malformed("no file is named sdn or prim"))?;
    let mut entities = Vec::new();
    let mut places = HashMap::new();
    for row in table(main, MAIN_CELLS)? {
        places.insert(cell(&row, 0).to_owned(), entities.len());
        entities.push(entity(&row));
    }
    let mut each = |file: Option<&File<'_>>, cells: usize, add: fn(&mut Entity, &StringRecord)| {
        for row in file.map_or(Ok(Vec::new()), |file| table(file, cells))? {
            if let Some(place) = places.get(cell(&row, 0)) {
                add(&mut entities[*place], &row);
            }
        }
        Ok(())
    };
    each(file("alt"), ALIAS_CELLS, |entity, row| {
        entity.name(
            &ordered(cell(row, 3), entity.kind),
            cell(row, 2).starts_with("weak"),
        );
    })?;
    each(file("add"), ADDRESS_CELLS, |entity, row| {
        entity.country(cell(row, 4))
    })?;
    each(comments, COMMENT_CELLS, |entity, row| {
        remarks(entity, cell(row, 1))
    })?;
    Ok((entities, None))
}

fn table(file: &File<'_>, cells: usize) -> Result<Vec<StringRecord>, Refused> {
    let rows = rows::records(file.bytes)?;
    match rows.iter().position(|row| row.len() != cells) {
        Some(at) => Err(malformed(format_args!(
            "row {} of {} has not {cells} cells",
            at + 1,
            file.name
        ))),
        None => Ok(rows),
    }
}

fn entity(row: &StringRecord) -> Entity {
    let said = cell(row, 2);
    let mut entity = Entity {
        id: cell(row, 0).to_owned(),
        kind: if said.is_empty() {
            Kind::Organisation
        } else {
            kind(said)
        },
        ..Entity::default()
    };
    entity.name(&ordered(cell(row, 1), entity.kind), false);
    for program in cell(row, 3).split(['[', ']', ';']) {
        entity.program(program);
    }
    entity.country(cell(row, 8));
    remarks(&mut entity, cell(row, 11));
    entity
}

/// `FAMILY, Given` as it is spoken.
fn ordered(name: &str, kind: Kind) -> String {
    match name.split_once(',').filter(|_| kind == Kind::Person) {
        Some((family, given)) => format!("{} {}", given.trim(), family.trim()),
        None => name.to_owned(),
    }
}

/// Sentences such as `DOB 07 Oct 1954; POB Cairo; nationality Egypt; Passport A123456 (Egypt)`.
fn remarks(entity: &mut Entity, text: &str) {
    for remark in text
        .split(';')
        .map(|remark| remark.trim().trim_end_matches('.'))
    {
        let remark = remark.strip_prefix("alt. ").unwrap_or(remark);
        match remark.split_once(' ') {
            Some(("DOB", date)) => entity.birth(date),
            Some(("nationality" | "citizen", country)) => entity.country(country),
            Some(("a.k.a.", name)) => entity.name(name.trim_matches('\''), true),
            _ => document(entity, remark),
        }
    }
}

/// Documents are a kind in words, a number with a digit in it, and often a country.
fn document(entity: &mut Entity, remark: &str) {
    const KINDS: [&str; 9] = [
        "Passport",
        "Registration",
        "Tax ID",
        "National ID",
        "Cedula",
        "SSN",
        "Identification",
        "C.U.R.P",
        "Vessel",
    ];
    if !KINDS.iter().any(|kind| remark.starts_with(kind)) {
        return;
    }
    let words: Vec<&str> = remark.split(' ').collect();
    let number = words
        .iter()
        .position(|word| word.bytes().any(|byte| byte.is_ascii_digit()));
    if let Some(at) = number.filter(|at| *at > 0) {
        entity.identifier(&words[..at].join(" "), words[at]);
    }
}

fn cell(row: &StringRecord, at: usize) -> &str {
    let text = row.get(at).unwrap_or("").trim();
    if text == "-0-" { "" } else { text }
}
