//! Records of reports: sealed, each opening only in its place, what a report says in parts.

use super::{Draft, Error, Reports, entry, profile};
use crate::reports::record::{Content, Placed};
use paywarden_access::approval::Who;
use paywarden_crypto::digest::sha256;
use paywarden_domain::TenantId;
use paywarden_filings::{Day, Due, Report};
use paywarden_store::{RecordRow, Row};
use serde::Serialize;

pub(super) const REPORT: &str = "report";
/// What kind of record the last day is that was looked at for large values.
const LOOKED_AT: &str = "large_value_day";
const PART: &str = "report_part";
const REFERENCE: &str = "report_reference";
/// Bytes of content in one record, before they are sealed.
const PART_BYTES: usize = 60 * 1024;
const PARTS_MAX: usize = 100;

impl Reports {
    /// Puts the head right; the content in parts, not sealed yet.
    pub(super) fn write(
        &self,
        who: &Who,
        placed: &mut Placed,
        draft: Draft,
    ) -> Result<Vec<RecordRow>, Error> {
        let Draft {
            mut report,
            holidays,
            customers,
        } = draft;
        report.approved_by = None;
        let profile = profile(&report.profile)?;
        let due: Option<Due> = profile.due(&report, &holidays);
        placed.head.retell(&report, profile, due);
        placed.head.customers = customers;
        let text = json(&report)?;
        let parts = text.chunks(PART_BYTES);
        if parts.len() > PARTS_MAX {
            return Err(Error::TooLarge);
        }
        placed.head.content = Content {
            version: placed.version,
            parts: parts.len(),
            sha256: sha256(&text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        };
        Ok(parts
            .enumerate()
            .map(|(part, text)| RecordRow {
                tenant: who.tenant.clone(),
                kind: PART.to_owned(),
                id: part_id(placed, part),
                version: 1,
                written_at: self.clock.now(),
                body: text.to_vec(),
            })
            .collect())
    }

    /// The last day of a company that was looked at for large values, and how often one was.
    pub(in crate::reports) async fn looked_at(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(Day, i64)>, Error> {
        let row = self.database.record(LOOKED_AT, tenant.as_str()).await?;
        let read = |row: RecordRow| {
            let text = std::str::from_utf8(&row.body).ok();
            let day = text.and_then(|text| Day::parse(text).ok());
            Ok((
                day.ok_or_else(|| Error::Damaged(row.id.clone()))?,
                row.version,
            ))
        };
        row.map(read).transpose()
    }

    /// Notes that a day of a company was looked at. Of two who look at once one is refused.
    pub(in crate::reports) async fn look_at(
        &self,
        who: &Who,
        day: Day,
        version: i64,
    ) -> Result<(), Error> {
        let row = RecordRow {
            tenant: who.tenant.clone(),
            kind: LOOKED_AT.to_owned(),
            id: who.tenant.as_str().to_owned(),
            version,
            written_at: self.clock.now(),
            body: day.to_string().into_bytes(),
        };
        let entry = entry(
            who,
            "report.look",
            who.tenant.as_str(),
            vec![Row::Record(row)],
        );
        self.journal.append(entry).await?;
        Ok(())
    }

    pub(super) async fn content(
        &self,
        tenant: &TenantId,
        placed: &Placed,
    ) -> Result<Report, Error> {
        let damaged = || Error::Damaged(placed.id.clone());
        let mut text = zeroize::Zeroizing::new(Vec::new());
        for part in 0..placed.head.content.parts {
            let row = self.database.record(PART, &part_id(placed, part)).await?;
            let row = row
                .filter(|row| row.tenant == *tenant)
                .ok_or_else(damaged)?;
            text.extend_from_slice(&self.opened_body(&row)?);
        }
        serde_json::from_slice(&text).map_err(|_| damaged())
    }

    /// The row that makes a reference one of this report alone.
    pub(super) async fn reference(&self, who: &Who, placed: &Placed) -> Result<RecordRow, Error> {
        let tenant = who.tenant.as_str();
        let index = self.references.of(tenant, placed.head.reference.as_bytes());
        let id: String = index.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.database.record(REFERENCE, &id).await?.is_some() {
            return Err(Error::ReferenceTaken);
        }
        Ok(RecordRow {
            tenant: who.tenant.clone(),
            kind: REFERENCE.to_owned(),
            id,
            version: 1,
            written_at: self.clock.now(),
            body: placed.id.clone().into_bytes(),
        })
    }

    pub(super) async fn newest(&self, tenant: &TenantId, id: &str) -> Result<Placed, Error> {
        let row = self.database.record(REPORT, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        self.placed(&row.ok_or(Error::Unknown)?)
    }

    pub(super) fn row(&self, tenant: &TenantId, placed: &Placed) -> Result<RecordRow, Error> {
        self.sealed(RecordRow {
            tenant: tenant.clone(),
            kind: REPORT.to_owned(),
            id: placed.id.clone(),
            version: placed.version,
            written_at: self.clock.now(),
            body: json(&placed.head)?,
        })
    }

    pub(super) fn placed(&self, row: &RecordRow) -> Result<Placed, Error> {
        let body = self.opened_body(row)?;
        let head = serde_json::from_slice(&body).map_err(|_| Error::Damaged(row.id.clone()))?;
        Ok(Placed {
            id: row.id.clone(),
            version: row.version,
            head,
        })
    }

    pub(super) fn sealed(&self, row: RecordRow) -> Result<RecordRow, Error> {
        let body = self.seal.seal(place(&row).as_bytes(), &row.body);
        let body = body.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(RecordRow { body, ..row })
    }

    fn opened_body(&self, row: &RecordRow) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
        let opened = self.seal.open(place(row).as_bytes(), &row.body);
        opened.map_err(|_| Error::Damaged(row.id.clone()))
    }
}

fn part_id(placed: &Placed, part: usize) -> String {
    format!("{}.{}.{part}", placed.id, placed.head.content.version)
}

/// A seal opens only in the place where it was written.
fn place(row: &RecordRow) -> String {
    format!("{} {}", row.tenant.as_str(), row.record())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))
}
