//! Finding records by their values without opening any.

use super::{
    Vault,
    deposit::tail_of,
    grounds::{self, check_said},
    reading::listed,
};
use crate::{
    By, Error, Plain,
    catalogue::{self, Class},
    policy::{Denial, Ground},
};
use paywarden_access::masking;
use paywarden_domain::Timestamp;
use paywarden_store::{MaskedRow, Row, ValuePlace, VaultFind};

/// The most records of one answer.
pub const FOUND_MAX: u32 = 100;

/// What is looked for.
pub enum Search {
    /// Records of a class with this value.
    Exact {
        /// The class.
        class: String,
        /// The value, written in any way.
        value: Plain<String>,
    },
    /// Records of a class that end so.
    LastFour {
        /// The class.
        class: String,
        /// Four characters.
        last_four: String,
    },
    /// Birth dates that were kept together with a name.
    NameAndBirthDate {
        /// The name.
        name: Plain<String>,
        /// The date, `YYYY-MM-DD`.
        birth_date: Plain<String>,
    },
    /// Everything of a person.
    Subject(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The records, masked.
    pub records: Vec<MaskedRow>,
    /// How many others fit that may not be shown for the purpose that was stated.
    pub withheld: usize,
}

impl Vault {
    /// Records, masked, newest first, at most 100, as far as the privacy policy lets them be shown
    /// for the purpose that is stated. Where the catalogue gives a class a short index,
    /// records of other values may be among them: few values would otherwise be told apart by how
    /// often each comes.
    ///
    /// A leaf of the trail that says who looked, why, and at which records is durable before anything
    /// is given.
    pub async fn search(&self, by: &By, search: &Search) -> Result<Found, Error> {
        check_said(by)?;
        if self
            .desk
            .in_force(&by.tenant)
            .policy
            .purpose(&by.purpose)
            .is_none()
        {
            return Err(Denial::PurposeUnknown.into());
        }
        let (what, sought) = self.sought(by, search)?;
        let find = match &sought {
            Sought::Value(class, place) => VaultFind::Value(&class.name, place),
            Sought::Pair(index) => VaultFind::Pair(index),
            Sought::Subject(subject) => VaultFind::Subject(subject),
        };
        let erasures = self.erasures();
        let mut found = self.reader.find(&by.tenant, find, FOUND_MAX).await?;
        let subjects = found.iter().map(|row| row.subject.as_str());
        let _gates = self.enter(subjects).await;
        if erasures != self.erasures() {
            let living = self.reader.find(&by.tenant, find, FOUND_MAX).await?;
            found.retain(|row| living.iter().any(|one| one.token == row.token));
        }
        let subjects = found.iter().map(|row| row.subject.as_str());
        let standings = self.standings(subjects).await?;
        let now = self.clock.now();
        let judge = |row: &MaskedRow| {
            let kind = (row.retention.as_str(), row.class.as_str());
            let ground = self.judge_value(by, (&standings, &row.subject), kind, now);
            ground.ok()
        };
        let grounds: Vec<_> = found.iter().map(judge).collect();
        drop(standings);
        let show = |(ground, row): (Option<Ground>, MaskedRow)| {
            let masked = match by.form(&row.class) >= masking::stored(&row.class) {
                true => row.masked,
                false => masking::HIDDEN.to_owned(),
            };
            Some((ground?, MaskedRow { masked, ..row }))
        };
        let count = found.len();
        let rows = grounds.into_iter().zip(found);
        let shown: Vec<_> = rows.filter_map(show).collect();
        let withheld = count - shown.len();
        let object = format!("{what}: {} found, {withheld} withheld", shown.len());
        self.note_found(by, object, &shown, now).await?;
        let records = shown.into_iter().map(|(_, row)| row).collect();
        Ok(Found { records, withheld })
    }

    /// A leaf of what is shown, and the list of it.
    async fn note_found(
        &self,
        by: &By,
        object: String,
        shown: &[(Ground, MaskedRow)],
        now: Timestamp,
    ) -> Result<(), Error> {
        let named = shown.iter();
        let named = named.map(|(ground, row)| (ground, row.token.as_str()));
        let lists = listed(named).into_iter();
        let lists = lists.map(|body| Row::Record(self.list(by, body, now)));
        let lists = lists.collect();
        let grounds = shown.iter().map(|(ground, _)| ground);
        let entry = grounds::entry(by, grounds, ("vault.search", object), lists);
        self.journal.append(entry).await?;
        Ok(())
    }

    /// What the trail says was looked for, and where it is looked for.
    fn sought(&self, by: &By, search: &Search) -> Result<(String, Sought), Error> {
        let unindexed = || Error::Request("values of this class are not looked for");
        match search {
            Search::Exact { class, value } => {
                let class = catalogue::class(class)?;
                let form = class.normal.of(value.expose())?;
                let index = self.keys.blind(&by.tenant, class, &form);
                let index = index.ok_or_else(unindexed)?;
                let tail = tail_of(class, &form).unwrap_or_default();
                let place = ValuePlace::of_index(&by.tenant, &class.name, (tail, &index));
                Ok((class.name.clone(), Sought::Value(class, place)))
            }
            Search::LastFour { class, last_four } => {
                let class = catalogue::class(class)?;
                match (class.tail, last_four.chars().count()) {
                    (true, 4) => {
                        let place = ValuePlace::of_tail(&by.tenant, &class.name, last_four);
                        let what = format!("last four of {}", class.name);
                        Ok((what, Sought::Value(class, place)))
                    }
                    (false, _) => Err(unindexed()),
                    (true, _) => Err(Error::Request("give the last four characters")),
                }
            }
            Search::NameAndBirthDate { name, birth_date } => {
                let form = |class: &str, value: &Plain<String>| {
                    catalogue::class(class)?.normal.of(value.expose())
                };
                let (name, date) = (form("name", name)?, form("birth_date", birth_date)?);
                let index = self.keys.pair(&by.tenant, &name, &date);
                Ok(("name and birth_date".to_owned(), Sought::Pair(index)))
            }
            Search::Subject(subject) => {
                let subject = self.keys.subject(&by.tenant, subject);
                Ok((subject.clone(), Sought::Subject(subject)))
            }
        }
    }
}

/// Where records are looked for.
enum Sought {
    Value(&'static Class, ValuePlace),
    Pair(Vec<u8>),
    Subject(String),
}
