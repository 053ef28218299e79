//! What people write beside alerts and cases: each note a sealed record of its own.

use crate::{
    Alert, Case, Cases, Error, Worker,
    desk::{Item, Links},
    text::checked_text,
    working::checked_name,
};
use paywarden_domain::Timestamp;
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 4_096;
const KIND: &str = "work_note";
const NOTES_MAX: u32 = 10_000;
const MENTIONS_MAX: usize = 16;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WorkNote)]
pub struct Note {
    /// Which one, from 1.
    pub number: u32,
    /// What was written.
    pub text: String,
    /// Who is to read it.
    pub mentions: Vec<String>,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What has notes.
pub(crate) trait Noted: Item {
    /// What adding one is called in the trail.
    const ADD: &'static str;

    fn notes(&mut self) -> &mut u32;
}

impl Noted for Alert {
    const ADD: &'static str = "payment_alert.note";

    fn notes(&mut self) -> &mut u32 {
        &mut self.notes
    }
}

impl Noted for Case {
    const ADD: &'static str = "case.note";

    fn notes(&mut self) -> &mut u32 {
        &mut self.notes
    }
}

impl Cases {
    /// Writes a note beside an alert.
    pub async fn note_alert(
        &self,
        worker: &Worker,
        id: &str,
        note: (&str, &[String]),
    ) -> Result<Note, Error> {
        self.add_note::<Alert>(worker, id, note).await
    }

    /// Writes a note beside a case.
    pub async fn note_case(
        &self,
        worker: &Worker,
        id: &str,
        note: (&str, &[String]),
    ) -> Result<Note, Error> {
        self.add_note::<Case>(worker, id, note).await
    }

    /// The notes of an alert behind one of them, oldest first, at most 200.
    pub async fn alert_notes(
        &self,
        worker: &Worker,
        id: &str,
        after: u32,
    ) -> Result<Vec<Note>, Error> {
        let alert: Alert = self.seen(worker, id).await?;
        self.notes_of(worker, alert.id(), after).await
    }

    /// The notes of a case behind one of them, oldest first, at most 200.
    pub async fn case_notes(
        &self,
        worker: &Worker,
        id: &str,
        after: u32,
    ) -> Result<Vec<Note>, Error> {
        let case: Case = self.seen(worker, id).await?;
        self.notes_of(worker, case.id(), after).await
    }

    /// Cases with a note in which somebody is mentioned, newest first, and where to go on.
    pub async fn cases_mentioning(
        &self,
        worker: &Worker,
        name: &str,
        before: Option<&str>,
    ) -> Result<(Vec<Case>, Option<String>), Error> {
        self.linked(worker, &mention(name), before).await
    }

    async fn add_note<T: Noted>(
        &self,
        worker: &Worker,
        id: &str,
        (text, mentions): (&str, &[String]),
    ) -> Result<Note, Error> {
        checked("text", text)?;
        mentions.iter().try_for_each(|name| checked_name(name))?;
        if mentions.len() > MENTIONS_MAX {
            return Err(Error::Limit("16 mentions in a note"));
        }
        let mut item: T = self.seen(worker, id).await?;
        if *item.notes() >= NOTES_MAX {
            return Err(Error::Limit("10,000 notes"));
        }
        *item.notes() += 1;
        let change = self.change(&worker.who, "note", None);
        let note = Note {
            number: *item.notes(),
            text: text.to_owned(),
            mentions: mentions.to_vec(),
            by: worker.name(),
            at: change.at,
        };
        let links = Links {
            new: mentioned(&note).collect(),
            ..Links::default()
        };
        let tenant = worker.tenant();
        let place = (KIND, &*key(id, note.number), 1);
        let beside = Row::Record(self.record(tenant, place, &note)?);
        let row = self.next(tenant, &mut item, change, links)?;
        self.write(&worker.who, (T::ADD, id), None, vec![row, beside])
            .await?;
        Ok(note)
    }

    pub(crate) async fn notes_of(
        &self,
        worker: &Worker,
        id: &str,
        after: u32,
    ) -> Result<Vec<Note>, Error> {
        let between = (key(id, after), format!("{id}.~"));
        let between = (between.0.as_str(), between.1.as_str());
        let records = self
            .database
            .records_between(worker.tenant(), KIND, between, 200);
        let records = records.await?;
        records.iter().map(|record| self.read(record)).collect()
    }
}

/// What people write beside alerts and cases.
pub(crate) fn checked(field: &'static str, text: &str) -> Result<(), Error> {
    checked_text(field, text, (NOTE_BYTES_MAX, "1 to 4096 bytes"))
}

fn key(item: &str, number: u32) -> String {
    format!("{item}.{number:06}")
}

/// Whom a note mentions, as what its item is linked to.
pub(crate) fn mentioned(note: &Note) -> impl Iterator<Item = String> + '_ {
    note.mentions.iter().map(|name| mention(name))
}

fn mention(name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    format!("mention:{name}")
}
