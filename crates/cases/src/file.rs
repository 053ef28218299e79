//! Files beside cases: what somebody handed in, looked at before it is taken, and sealed under a key
//! of its own. Whoever holds that key decides who reads the file, and erases it by ending the key.

mod content;
mod kind;

pub use content::{CheckedFile, FileKey, KeptFile};
pub use kind::FileKind;

use crate::{Case, Cases, Error, Worker, desk::Links, desk::checked_reason};
use content::PARTS;
use paywarden_domain::Timestamp;
use paywarden_outward::scan::{Scanner, Verdict};
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest file, in bytes.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The most files of a case, erased ones included.
const FILES_MAX: u32 = 50;
/// The most bytes of the files of a case, erased ones included.
const ALL_BYTES_MAX: u64 = 100 * 1024 * 1024;
const KIND: &str = "case_file";

/// A file beside a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseFile {
    /// Which one, from 1.
    pub number: u32,
    /// What it is called.
    pub name: String,
    /// What it is, by its content.
    pub kind: FileKind,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// Whether it was scanned for malware before it was taken.
    pub scanned: bool,
    /// Who handed it in.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// That it was erased.
    pub erased: Option<FileErasure>,
}

/// The erasure of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CaseFileErasure)]
pub struct FileErasure {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What happens to files while nobody can scan them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScannerAway {
    /// None is taken.
    #[default]
    Refuse,
    /// They are taken, and say that they were not scanned.
    Take,
}

/// Who scans files before they are taken.
#[derive(Debug, Clone)]
pub struct FileScan {
    /// Who.
    pub scanner: Scanner,
    /// What happens while they do not answer.
    pub away: ScannerAway,
}

/// A file as it is stored: what is said of it, and what its key is kept as.
#[derive(Serialize, Deserialize)]
struct Stored {
    file: CaseFile,
    token: String,
}

impl Cases {
    /// The files of a case, oldest first.
    pub async fn files(&self, worker: &Worker, id: &str) -> Result<Vec<CaseFile>, Error> {
        let case: Case = self.seen(worker, id).await?;
        let between = (key(&case.id, 0), format!("{}.~", case.id));
        let between = (between.0.as_str(), between.1.as_str());
        let records = self
            .database
            .records_between(worker.tenant(), KIND, between, FILES_MAX)
            .await?;
        let read = |record| self.read(record).map(|stored: Stored| stored.file);
        records.iter().map(read).collect()
    }

    /// Looks at a file before it is taken: whether the case has room for it, whether it is what its
    /// name says, what a scanner says of it.
    pub async fn check_file(
        &self,
        worker: &Worker,
        id: &str,
        (name, content): (&str, Vec<u8>),
    ) -> Result<CheckedFile, Error> {
        self.with_room(worker, id, content.len()).await?;
        let kind = FileKind::of(name, &content)?;
        let scanned = match &self.scan {
            None => false,
            Some(scan) => scan.is_clean(&content).await?,
        };
        CheckedFile::new((name, kind), content, scanned)
    }

    /// Takes a file whose key is kept as `token`.
    pub async fn add_file(
        &self,
        worker: &Worker,
        id: &str,
        (checked, token): (CheckedFile, String),
    ) -> Result<CaseFile, Error> {
        let mut case = self.with_room(worker, id, checked.len()).await?;
        case.files += 1;
        case.file_bytes += checked.len() as u64;
        let change = self.change(&worker.who, "add_file", Some(checked.name()));
        let file = checked.file(case.files, (&change.by, change.at));
        let (tenant, place) = (worker.tenant(), key(id, file.number));
        let mut rows = Vec::new();
        for (number, part) in checked.seal(&place)?.into_iter().enumerate() {
            rows.push(Row::Record(content::part(
                tenant,
                (&place, number),
                part,
                file.at,
            )));
        }
        let stored = Stored { file, token };
        rows.push(Row::Record(self.record(
            tenant,
            (KIND, &place, 1),
            &stored,
        )?));
        rows.push(self.next(tenant, &mut case, change, Links::default())?);
        self.write(&worker.who, ("case.add_file", id), None, rows)
            .await?;
        Ok(stored.file)
    }

    /// A file as it lies there, for whoever has its key.
    pub async fn file(&self, worker: &Worker, id: &str, number: u32) -> Result<KeptFile, Error> {
        let case: Case = self.seen(worker, id).await?;
        let place = key(&case.id, number);
        let Stored { file, token } = self.stored(worker, &place).await?;
        if file.erased.is_some() {
            return Err(Error::FileErased);
        }
        let between = (format!("{place}."), format!("{place}.~"));
        let between = (between.0.as_str(), between.1.as_str());
        let parts = self
            .database
            .records_between(worker.tenant(), content::KIND, between, PARTS)
            .await?;
        Ok(KeptFile { file, token, parts })
    }

    /// Refuses an erasure that could not be written down.
    pub async fn may_erase_file(
        &self,
        worker: &Worker,
        id: &str,
        reason: &str,
    ) -> Result<(), Error> {
        checked_reason(reason)?;
        let case: Case = self.seen(worker, id).await?;
        case.must_be_open()
    }

    /// Says of a file whose key has ended that it was erased.
    pub async fn erase_file(
        &self,
        worker: &Worker,
        (id, number): (&str, u32),
        reason: &str,
    ) -> Result<CaseFile, Error> {
        let reason = checked_reason(reason)?;
        let mut case: Case = self.seen(worker, id).await?;
        case.must_be_open()?;
        let place = key(id, number);
        let mut stored = self.stored(worker, &place).await?;
        let change = self.change(&worker.who, "erase_file", Some(reason));
        let erasure = FileErasure {
            by: change.by.clone(),
            at: change.at,
            reason: reason.to_owned(),
        };
        if stored.file.erased.replace(erasure).is_some() {
            return Err(Error::FileErased);
        }
        let tenant = worker.tenant();
        let rows = vec![
            self.next(tenant, &mut case, change, Links::default())?,
            Row::Record(self.record(tenant, (KIND, &place, 2), &stored)?),
        ];
        let (who, what) = (&worker.who, ("case.erase_file", id));
        self.write(who, what, Some(reason), rows).await?;
        Ok(stored.file)
    }

    async fn with_room(&self, worker: &Worker, id: &str, bytes: usize) -> Result<Case, Error> {
        let case: Case = self.seen(worker, id).await?;
        case.must_be_open()?;
        if bytes > FILE_BYTES_MAX {
            return Err(Error::Limit("10 MiB in a file"));
        }
        if case.files >= FILES_MAX {
            return Err(Error::Limit("50 files in a case"));
        }
        if case.file_bytes + bytes as u64 > ALL_BYTES_MAX {
            return Err(Error::Limit("100 MiB in the files of a case"));
        }
        Ok(case)
    }

    async fn stored(&self, worker: &Worker, place: &str) -> Result<Stored, Error> {
        let record = self.database.record(KIND, place).await?;
        let record = record.filter(|record| record.tenant == *worker.tenant());
        self.read(&record.ok_or(Error::Unknown)?)
    }
}

impl FileScan {
    /// Whether a file was scanned. What something was found in is refused, and so is, if that is the
    /// policy, what nobody could scan.
    async fn is_clean(&self, content: &[u8]) -> Result<bool, Error> {
        match (self.scanner.scan(content).await, self.away) {
            (Ok(Verdict::Clean), _) => Ok(true),
            (Ok(Verdict::Found(what)), _) => Err(Error::FileInfected(what)),
            (Err(error), ScannerAway::Take) => {
                tracing::warn!(%error, "a file is taken that nobody has scanned");
                Ok(false)
            }
            (Err(error), ScannerAway::Refuse) => {
                tracing::error!(%error, "no file is taken: nobody scans them");
                Err(Error::ScannerAway)
            }
        }
    }
}

fn key(case: &str, number: u32) -> String {
    format!("{case}.{number:06}")
}
