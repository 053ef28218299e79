//! The rows of a labelled file, read in the background while earlier ones are being decided.

use crate::{
    failure::{Failure, Result},
    mapping::{Mapping, Row, RowReader},
};
use csv::StringRecord;
use paywarden_domain::Timestamp;
use paywarden_server::rows::{Lines, next_row};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Rows handed over at once.
const BATCH_ROWS: usize = 256;
/// Batches read ahead at most: the file waits for the server, memory stays flat.
const BATCHES_AHEAD_MAX: usize = 16;

/// Which rows of the file to take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection {
    /// The first time to take.
    pub from: Option<Timestamp>,
    /// The first time not to take.
    pub to: Option<Timestamp>,
    /// How many rows to take at most.
    pub limit: Option<u64>,
}

/// One line of the file.
#[derive(Debug)]
pub enum Line {
    /// A row to send.
    Row(Row),
    /// A row that cannot be sent.
    Bad {
        /// Its line in the file, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// The rows of one file as they are read.
pub struct Rows {
    /// Batches of rows, in file order.
    pub batches: mpsc::Receiver<Vec<Line>>,
    /// Length of the file in bytes, as it lies on disk.
    pub bytes: u64,
    /// How many of these bytes have been read.
    pub bytes_read: Arc<AtomicU64>,
}

/// Opens a `.csv` or `.csv.zst` and starts to read it. A file that lacks a column of the mapping
/// is refused here, before anything is sent.
pub fn open(path: &Path, mapping: &Mapping, selection: Selection) -> Result<Rows> {
    let missing = |error: io::Error| {
        Failure::environment(
            format!("cannot read {}: {error}", path.display()),
            "give the path of a .csv or .csv.zst file that you may read",
        )
    };
    let file = File::open(path).map_err(missing)?;
    let bytes = file.metadata().map_err(missing)?.len();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        file,
        bytes_read: bytes_read.clone(),
    };
    let text: Box<dyn Read + Send> = if path.extension().is_some_and(|end| end == "zst") {
        Box::new(zstd::Decoder::new(counted).map_err(missing)?)
    } else {
        Box::new(BufReader::new(counted))
    };
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 16)
        .from_reader(Lines::new(text));
    let header = reader
        .headers()
        .map_err(|error| missing(error.into()))?
        .clone();
    let rows = mapping.bind(&header)?;
    let (sender, batches) = mpsc::channel(BATCHES_AHEAD_MAX);
    std::thread::spawn(move || read_all(reader, &rows, selection, &sender));
    Ok(Rows {
        batches,
        bytes,
        bytes_read,
    })
}

fn read_all(
    mut reader: csv::Reader<Lines<Box<dyn Read + Send>>>,
    rows: &RowReader,
    selection: Selection,
    sender: &mpsc::Sender<Vec<Line>>,
) {
    let mut taken = 0;
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    let mut record = StringRecord::new();
    while selection.limit.is_none_or(|limit| taken < limit) {
        let Some((line, read)) = next_row(&mut reader, &mut record) else {
            break;
        };
        let line = match read {
            Ok(()) => read_one(rows, line, &record),
            Err(error) => bad_record(line, &error),
        };
        let end = matches!(&line, Line::Bad { line: 0, .. });
        if selection.takes(&line) {
            taken += 1;
            batch.push(line);
        }
        if batch.len() == BATCH_ROWS && sender.blocking_send(std::mem::take(&mut batch)).is_err() {
            return;
        }
        if end {
            break;
        }
    }
    // Nobody listens any more only if the command has already ended.
    let _ = sender.blocking_send(batch);
}

fn read_one(rows: &RowReader, line: u64, record: &StringRecord) -> Line {
    match rows.read(line, record) {
        Ok(row) => Line::Row(row),
        Err(why) => Line::Bad { line, why },
    }
}

/// A record that is no record; line 0 stands for a file that cannot be read any further.
fn bad_record(line: u64, error: &csv::Error) -> Line {
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} columns instead of {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => {
            return Line::Bad {
                line: 0,
                why: format!("the file ends early: {error}"),
            };
        }
    };
    Line::Bad { line, why }
}

impl Selection {
    fn takes(&self, line: &Line) -> bool {
        match line {
            Line::Bad { .. } => true,
            Line::Row(row) => {
                self.from.is_none_or(|from| row.occurred_at >= from)
                    && self.to.is_none_or(|to| row.occurred_at < to)
            }
        }
    }
}

struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &str = "tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n\
        1,2018-04-01T00:00:00Z,1,1,1.00,0,0\n\
        2,2018-04-01T01:00:00Z,1,1\n\
        3,2018-04-01T02:00:00Z,1,1,1.00,0,0\n\
        4,never,1,1,1.00,0,0\n\
        5,2018-04-01T04:00:00Z,1,1,1.00,1,2\n";

    fn lines(path: &Path, selection: Selection) -> Vec<String> {
        let mapping = Mapping::find("handbook").unwrap();
        let mut rows = open(path, &mapping, selection).unwrap();
        let mut said = Vec::new();
        while let Some(batch) = rows.batches.blocking_recv() {
            said.extend(batch.into_iter().map(|line| match line {
                Line::Row(row) => format!("{} {}", row.line, row.id),
                Line::Bad { line, why } => format!("{line} bad: {why}"),
            }));
        }
        assert_eq!(rows.bytes_read.load(Ordering::Relaxed), rows.bytes);
        said
    }

    #[test]
    fn plain_and_packed_files_read_alike_and_no_bad_row_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("a.csv");
        std::fs::write(&plain, TEXT).unwrap();
        let packed = folder.path().join("a.csv.zst");
        let mut encoder = zstd::Encoder::new(File::create(&packed).unwrap(), 1).unwrap();
        encoder.write_all(TEXT.as_bytes()).unwrap();
        encoder.finish().unwrap();
        let all = lines(&plain, Selection::default());
        assert_eq!(all, lines(&packed, Selection::default()));
        insta::assert_debug_snapshot!(all);
    }

    #[test]
    fn a_selection_is_half_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, TEXT).unwrap();
        let at = |text| Some(Timestamp::parse(text).unwrap());
        let selection = Selection {
            from: at("2018-04-01T02:00:00Z"),
            to: at("2018-04-01T04:00:00Z"),
            limit: None,
        };
        let rows = lines(&path, selection);
        assert_eq!(rows.iter().filter(|line| !line.contains("bad")).count(), 1);
    }
}
