//! What was taken out in bulk: which rows each export has handed out, so that it can be told where the
//! data of a person went.

use crate::{Error, Vault};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Entry, RecordRow, Row};
use std::collections::HashMap;

/// What kind of record rows that were handed out are: the approval, then one row to the line.
const HANDED_OUT: &str = "handed_out";
/// The most rows of one record: each takes 32 bytes of it at most.
const ROWS_MAX: usize = 1_000;
const PAGE: u32 = 500;
/// The most pages of records that are looked through.
const PAGES_MAX: usize = 40;

/// An export that a row went into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The approval of the export.
    pub approval: String,
    /// When the row was handed out.
    pub at: Timestamp,
}

impl Vault {
    /// Writes down which rows an export hands out now. Durable when it returns: give them out
    /// afterwards.
    pub async fn hand_out(&self, who: &Who, approval: &str, rows: &[String]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let record = |rows: &[String]| RecordRow {
            tenant: who.tenant.clone(),
            kind: HANDED_OUT.to_owned(),
            id: self.fresh_in_time("out"),
            version: 1,
            written_at: self.clock.now(),
            body: format!("{approval}\n{}", rows.join("\n")).into_bytes(),
        };
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: "rows of an export".into(),
            action: "export.rows",
            object: approval.to_owned(),
            rows: rows.chunks(ROWS_MAX).map(record).map(Row::Record).collect(),
        };
        self.journal.append(entry).await?;
        Ok(())
    }

    /// The exports that each of these rows went into since a moment, newest first. Of companies that
    /// export much it looks through the latest 20,000 pages of exports alone.
    pub async fn handed_out(
        &self,
        tenant: &TenantId,
        rows: &[String],
        since: Timestamp,
    ) -> Result<HashMap<String, Vec<HandedOut>>, Error> {
        let mut of: HashMap<String, Vec<HandedOut>> =
            rows.iter().map(|row| (row.clone(), Vec::new())).collect();
        // Behind every identifier.
        let mut before = "p".to_owned();
        for _ in 0..PAGES_MAX {
            let database = self.reader.database();
            let page = database
                .records_of(tenant, HANDED_OUT, &before, PAGE)
                .await?;
            let is_last = page.len() < PAGE as usize;
            for record in &page {
                if record.written_at < since {
                    return Ok(of);
                }
                before.clone_from(&record.id);
                let text = std::str::from_utf8(&record.body).map_err(|_| Error::Damaged)?;
                let (approval, handed) = text.split_once('\n').ok_or(Error::Damaged)?;
                for row in handed.lines() {
                    if let Some(exports) = of.get_mut(row) {
                        exports.push(HandedOut {
                            approval: approval.to_owned(),
                            at: record.written_at,
                        });
                    }
                }
            }
            if is_last {
                break;
            }
        }
        Ok(of)
    }

    /// Whether a caller's identifier of a person, or the index of a card, is of this pseudonym.
    pub fn is_named(&self, tenant: &TenantId, named: &str, subject: &str) -> bool {
        self.keys.subject(tenant, named) == subject
    }
}
