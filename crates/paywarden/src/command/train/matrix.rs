//! The matrix of a study as a file that other libraries read: to train on the same numbers.
//!
//! NumPy enhancement proposal 1, "A simple file format for NumPy arrays", version 2.0.

use super::study::Study;
use crate::failure::{Failure, Result};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// What the length of everything before the first row is a multiple of.
const ALIGNMENT: usize = 64;
/// The magic word, the version, the length of the header.
const PREAMBLE_BYTES: usize = 12;

/// Writes one record for each payment: `payment` (bytes), `at` (`datetime64[us]`), `amount` (minor
/// units), `fraud`, and `features`, a record with the numbers by their names, `NaN` for missing.
pub fn write(study: &Study<'_>, path: &Path) -> Result<()> {
    let written = File::create(path).and_then(|file| put(study, BufWriter::new(file)));
    written.map_err(|error| {
        Failure::environment(
            format!("cannot write {}: {error}", path.display()),
            "name a file in a folder that you may write to",
        )
    })
}

fn put(study: &Study<'_>, mut out: impl Write) -> io::Result<()> {
    let past = study.past();
    let width = past.iter().map(|past| past.id.as_str().len()).max();
    let width = width.unwrap_or(1);
    let header = header(study.recipe.names(), width, past.len());
    out.write_all(b"\x93NUMPY\x02\x00")?;
    out.write_all(&(header.len() as u32).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let mut id = vec![0; width];
    for (past, row) in past.iter().zip(study.table.rows()) {
        let text = past.id.as_str().as_bytes();
        id.fill(0);
        id[..text.len()].copy_from_slice(text);
        out.write_all(&id)?;
        out.write_all(&past.event.at.to_le_bytes())?;
        out.write_all(&past.amount.to_le_bytes())?;
        out.write_all(&[u8::from(past.fraud)])?;
        for value in row {
            out.write_all(&value.to_le_bytes())?;
        }
    }
    out.flush()
}

/// What the records are, as a literal of Python, filled up with spaces.
fn header(names: &[String], width: usize, rows: usize) -> String {
    let features: Vec<String> = names
        .iter()
        .map(|name| format!("('{name}', '<f8')"))
        .collect();
    let mut header = format!(
        "{{'descr': [('payment', '|S{width}'), ('at', '<M8[us]'), ('amount', '<f8'), \
         ('fraud', '|b1'), ('features', [{}])], 'fortran_order': False, 'shape': ({rows},), }}",
        features.join(", ")
    );
    let bytes = (PREAMBLE_BYTES + header.len() + 1).next_multiple_of(ALIGNMENT);
    header.extend(std::iter::repeat_n(
        ' ',
        bytes - PREAMBLE_BYTES - header.len() - 1,
    ));
    header.push('\n');
    header
}
