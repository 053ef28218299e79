//! Every file below some paths through the leak scanner: which are read, how, and what is said of
//! those that cannot be.
//!
//! - A link is followed only if it was named itself; below a folder links are counted, no more.
//! - Sockets, pipes and devices are counted and never opened.
//! - Any file is read as bytes, binary or not, in parts: its size does not matter.
//! - gzip and zstd are recognised by their first bytes and expanded up to a limit; offsets and
//!   lines are those of the expanded text.
//! - A file that changes while it is read is read to its end of that moment, and named.
//! - What cannot be read is named, and the sweep goes on.

use crate::{
    failure::{Failure, Result},
    progress::Progress,
};
use flate2::read::MultiGzDecoder;
use paywarden_privacy::scan::{Finding, Found, Scanner, masked};
use serde::Serialize;
use std::{
    fs::{self, File, Metadata},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};
use zeroize::Zeroizing;

/// Files of one sweep.
const FILES_MAX: usize = 5_000_000;
/// Bytes that one compressed file may expand to.
const EXPANDED_BYTES_MAX: u64 = 16 << 30;
/// Bytes that are read at a time.
const PART: usize = 256 * 1024;

/// Where in a file something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// In its name.
    Name,
    /// In its bytes.
    Bytes,
    /// In what its gzip expands to.
    Gzip,
    /// In what its zstd expands to.
    Zstd,
}

/// Something that was found, and where.
pub struct Leak {
    /// The file; numbers in its name are masked.
    pub file: String,
    /// What offset and line count in.
    pub within: Within,
    /// What was found.
    pub finding: Finding,
}

/// A file about which something has to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The file; numbers in its name are masked.
    pub file: String,
    /// What is to be said.
    pub why: String,
}

/// What a sweep went through and found.
#[derive(Default)]
pub struct Swept {
    /// Files that were read to their end.
    pub files: u64,
    /// Bytes that were looked at, expanded.
    pub bytes: u64,
    /// Links that were not followed.
    pub links: u64,
    /// Sockets, pipes and devices.
    pub special: u64,
    /// By file and offset.
    pub leaks: Vec<Leak>,
    /// Findings of files that had too many to name each, without those that looked doubtful.
    pub left_out: u64,
    /// The same, of those that looked doubtful.
    pub doubtful_left_out: u64,
    /// Files that changed while they were read.
    pub changed: Vec<Remark>,
    /// Files and folders that were not read to their end, and why.
    pub unread: Vec<Remark>,
}

/// Goes through everything below these paths, but not into files and folders with a name of `skip`.
pub fn sweep(paths: &[PathBuf], skip: &[String]) -> Result<Swept> {
    let mut swept = Swept::default();
    let files = list(paths, skip, &mut swept)?;
    let progress = Progress::new(files.iter().map(|file| file.bytes).sum());
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let parts = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(place) else { return };
                    let read = read(file);
                    let bytes = done.fetch_add(file.bytes, Ordering::Relaxed) + file.bytes;
                    progress.show(bytes, format!("{place} of {} files", files.len()));
                    let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
                    parts.push((place, read));
                }
            });
        }
    });
    let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_by_key(|(place, _)| *place);
    parts.into_iter().for_each(|(_, part)| swept.add(part));
    Ok(swept)
}

/// A file to read.
struct Listed {
    path: PathBuf,
    bytes: u64,
}

/// The files below the paths, each folder's in the order of their names.
fn list(paths: &[PathBuf], skip: &[String], swept: &mut Swept) -> Result<Vec<Listed>> {
    let mut files = Vec::new();
    let mut open = Vec::new();
    for path in paths.iter().rev() {
        let named = fs::metadata(path).map_err(|error| {
            let what = format!("cannot read {}: {error}", path.display());
            Failure::environment(what, "name files and folders that you may read")
        })?;
        open.push((path.clone(), named));
    }
    while let Some((path, metadata)) = open.pop() {
        if metadata.is_dir() {
            match entries(&path, skip) {
                Ok(entries) => open.extend(entries),
                Err(error) => swept.unread.push(remark(&path, &error)),
            }
        } else if metadata.is_symlink() {
            swept.links += 1;
        } else if metadata.is_file() {
            let bytes = metadata.len();
            files.push(Listed { path, bytes });
        } else {
            swept.special += 1;
        }
        if files.len() + open.len() > FILES_MAX {
            return Err(Failure::wrong_use(
                format!("more than {FILES_MAX} files"),
                "name fewer folders at a time",
            ));
        }
    }
    Ok(files)
}

/// What is in a folder, last name first, as a stack wants it.
fn entries(folder: &Path, skip: &[String]) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !skip.iter().any(|skipped| name == skipped.as_str()) {
            // A file that went away meanwhile has nothing to be read.
            entries.extend(entry.metadata().map(|metadata| (entry.path(), metadata)));
        }
    }
    entries.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(entries)
}

/// Reads one file.
fn read(file: &Listed) -> Swept {
    let mut swept = Swept::default();
    let name = file.path.file_name().unwrap_or_default();
    let found = found(name.as_encoded_bytes());
    swept.find(&file.path, Within::Name, found);
    match contents(&file.path, &mut swept) {
        Ok(()) => swept.files += 1,
        Err(error) => swept.unread.push(remark(&file.path, &error)),
    }
    swept
}

fn found(bytes: &[u8]) -> Found {
    let mut scanner = Scanner::default();
    scanner.push(bytes);
    scanner.finish()
}

fn contents(path: &Path, swept: &mut Swept) -> io::Result<()> {
    let file = File::open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(io::Error::other("it is no file any more"));
    }
    let mut reader = BufReader::with_capacity(PART, file);
    let within = match reader.fill_buf()? {
        [0x1f, 0x8b, 8, ..] => Within::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Within::Zstd,
        _ => Within::Bytes,
    };
    let mut scanner = Scanner::default();
    let (read, after) = match within {
        Within::Gzip => {
            let mut expanded = MultiGzDecoder::new(reader);
            let read = push(&mut expanded, &mut scanner, EXPANDED_BYTES_MAX);
            (read, expanded.get_ref().get_ref().metadata())
        }
        Within::Zstd => {
            let mut expanded = zstd::Decoder::with_buffer(reader)?;
            let read = push(&mut expanded, &mut scanner, EXPANDED_BYTES_MAX);
            (read, expanded.get_ref().get_ref().metadata())
        }
        Within::Bytes | Within::Name => {
            let read = push(&mut reader, &mut scanner, u64::MAX);
            (read, reader.get_ref().metadata())
        }
    };
    // What was found before a fault counts.
    swept.find(path, within, scanner.finish());
    if state(&before) != state(&after?) {
        let why = "it changed while it was read".to_owned();
        swept.changed.push(Remark {
            file: shown(path),
            why,
        });
    }
    read
}

/// What tells that a file changed.
fn state(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn push(reader: &mut impl Read, scanner: &mut Scanner, bytes_max: u64) -> io::Result<()> {
    let mut part = Zeroizing::new(vec![0; PART]);
    let mut bytes = 0;
    loop {
        let read = match reader.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        scanner.push(part.get(..read).unwrap_or_default());
        bytes += read as u64;
        if bytes > bytes_max {
            let what = format!("it expands to more than {bytes_max} bytes");
            return Err(io::Error::other(what));
        }
    }
}

impl Swept {
    fn find(&mut self, path: &Path, within: Within, found: Found) {
        self.left_out += found.left_out;
        self.doubtful_left_out += found.doubtful_left_out;
        if within != Within::Name {
            self.bytes += found.bytes;
        }
        let file = if found.findings.is_empty() {
            String::new()
        } else {
            shown(path)
        };
        self.leaks
            .extend(found.findings.into_iter().map(|finding| Leak {
                file: file.clone(),
                within,
                finding,
            }));
    }

    fn add(&mut self, part: Self) {
        self.files += part.files;
        self.bytes += part.bytes;
        self.left_out += part.left_out;
        self.doubtful_left_out += part.doubtful_left_out;
        self.leaks.extend(part.leaks);
        self.changed.extend(part.changed);
        self.unread.extend(part.unread);
    }
}

/// A path as it may be shown.
fn shown(path: &Path) -> String {
    String::from_utf8_lossy(&masked(path.as_os_str().as_encoded_bytes())).into_owned()
}

fn remark(path: &Path, error: &io::Error) -> Remark {
    Remark {
        file: shown(path),
        why: error.to_string(),
    }
}
