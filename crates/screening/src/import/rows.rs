//! CSV as lists use it: rows with a heading, and rows without.

use super::{Refused, malformed};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::collections::HashMap;

/// Most bytes of one row.
const ROW_BYTES_MAX: usize = 1 << 22;

/// Rows of a file with a heading.
pub(super) struct Rows<'b> {
    bytes: &'b [u8],
    heading: HashMap<String, usize>,
    rows: Vec<StringRecord>,
}

/// One row, asked by the names of columns.
pub(super) struct Row<'a> {
    bytes: &'a [u8],
    heading: &'a HashMap<String, usize>,
    cells: &'a StringRecord,
}

impl<'b> Rows<'b> {
    /// Reads a file; a heading without one of these columns is not of the format.
    pub(super) fn read(bytes: &'b [u8], needed: &[&str]) -> Result<Self, Refused> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut rows = records(bytes)?.into_iter();
        let heading = rows.next().ok_or(Refused::Empty)?;
        let heading: HashMap<String, usize> = heading
            .iter()
            .enumerate()
            .map(|(at, name)| (name.trim().to_owned(), at))
            .collect();
        if let Some(missing) = needed.iter().find(|name| !heading.contains_key(**name)) {
            return Err(malformed(format_args!("column {missing} is missing")));
        }
        Ok(Self {
            bytes,
            heading,
            rows: rows.collect(),
        })
    }

    /// The rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let (bytes, heading) = (self.bytes, &self.heading);
        self.rows.iter().map(move |cells| Row {
            bytes,
            heading,
            cells,
        })
    }
}

impl<'a> Row<'a> {
    /// The cell of a column, trimmed; empty if there is no such column.
    pub(super) fn cell(&self, column: &str) -> &'a str {
        let place = self.heading.get(column);
        place
            .and_then(|at| self.cells.get(*at))
            .unwrap_or("")
            .trim()
    }

    /// The line in which it begins, from 1: blank ones before it are none of its own.
    pub(super) fn line(&self) -> usize {
        let at = self.cells.position().map_or(0, |at| at.byte() as usize);
        let (before, rest) = self.bytes.split_at(at.min(self.bytes.len()));
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let ends = before.iter().chain(blank).filter(|byte| **byte == b'\n');
        1 + ends.count()
    }

    /// The values of a cell that holds several with `;` between.
    pub(super) fn several(&self, column: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.cell(column)
            .split(';')
            .map(|value| value.trim().trim_matches('"'))
    }
}

/// All rows of a file. One that has fewer cells than the first was cut.
pub(super) fn records(bytes: &[u8]) -> Result<Vec<StringRecord>, Refused> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut rows: Vec<StringRecord> = Vec::new();
    let mut row = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(malformed(error)),
        }
        if row.as_slice().len() > ROW_BYTES_MAX {
            return Err(Refused::Limit {
                limit: "bytes of one row",
            });
        }
        // OFAC ends its files with the end-of-file character of CP/M.
        if row.len() == 1 && matches!(row.get(0), Some(b"\x1A" | b"")) {
            continue;
        }
        if rows.first().is_some_and(|first| row.len() < first.len()) {
            return Err(Refused::Truncated {
                records: rows.len(),
            });
        }
        let mut text = StringRecord::from_byte_record_lossy(row.clone());
        text.set_position(row.position().cloned());
        rows.push(text);
    }
    match unclosed(bytes) {
        true => Err(Refused::Truncated {
            records: rows.len().saturating_sub(1),
        }),
        false => Ok(rows),
    }
}

/// An odd number of quotation marks: the last cell was never closed.
fn unclosed(bytes: &[u8]) -> bool {
    bytes.iter().filter(|&&byte| byte == b'"').count() % 2 == 1
}
