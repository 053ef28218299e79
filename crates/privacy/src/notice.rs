//! Privacy notices: what people were told, in versions that never change. A purpose counts only as
//! far as a clause of a notice in force tells of it.

mod book;

pub(crate) use book::{Books, NOTICE};

use crate::{
    Error, catalogue,
    policy::Jurisdiction,
    words::{first_broken, is_word},
};
use paywarden_crypto::digest::sha256;
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt::Write};
use utoipa::ToSchema;

/// The notice that holds until a company publishes its own under the same name.
const STANDARD: &str = include_str!("notice/standard.json");
const CLAUSES_MAX: usize = 64;
const NAMES_MAX: usize = 32;
const TITLE_BYTES_MAX: usize = 256;
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// One version of a notice, as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrivacyNotice)]
pub struct Notice {
    /// Its name, `snake_case`, at most 64 bytes.
    pub name: String,
    /// What it is called.
    pub title: Texts,
    /// Who answers for the data.
    pub controller: Controller,
    /// Where it holds; everywhere if empty.
    #[serde(default)]
    pub jurisdictions: Vec<Jurisdiction>,
    /// What is told, 1 to 64 clauses.
    pub clauses: Vec<Clause>,
    /// How consent is withdrawn and rights are used.
    pub withdrawal: Texts,
    /// From when it holds; from its publication if not given.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when, exclusive; without end if not given.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Whether people must agree anew: consent to earlier versions no longer counts.
    #[serde(default)]
    pub asks_again: bool,
}

/// One text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoticeTexts)]
pub struct Texts {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Who answers for the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoticeController)]
pub struct Controller {
    /// Its name, at most 256 bytes.
    pub name: String,
    /// Where people reach it, at most 256 bytes.
    pub contact: String,
}

/// A part of a notice: what is done with which data, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoticeClause)]
pub struct Clause {
    /// Its name, `snake_case`, unique in the notice.
    pub id: String,
    /// Its heading.
    pub title: Texts,
    /// What it says, at most 4 KiB in each language.
    pub text: Texts,
    /// The purposes that it covers, 1 to 32.
    pub purposes: Vec<String>,
    /// The classes of data that it covers; `*` for every class.
    pub classes: Vec<String>,
    /// Who else gets the data, at most 32 names; nobody if empty.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// For how many days the data is kept; as long as the purpose lasts if not given.
    #[serde(default)]
    pub storage_days: Option<u32>,
}

/// A version of a notice that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublishedNotice)]
pub struct Published {
    /// From 1; 0 is the one that is shipped.
    pub version: i64,
    /// SHA-256 of the text as it was published, in hexadecimal digits: receipts name it.
    pub sha256: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// What it says.
    pub notice: Notice,
}

impl Notice {
    /// Refuses a notice that could never hold.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let ids: BTreeSet<_> = self.clauses.iter().map(|clause| &clause.id).collect();
        let is_name = |text: &str| (1..=TITLE_BYTES_MAX).contains(&text.len());
        let ends = self
            .until
            .zip(self.from)
            .is_none_or(|(end, start)| start < end);
        let broken = first_broken(&[
            (
                is_word(&self.name),
                "name a notice by lower case words joined by underscores",
            ),
            (
                self.title.fits(TITLE_BYTES_MAX),
                "give a title of 1 to 256 bytes in zh and en",
            ),
            (
                self.withdrawal.fits(TEXT_BYTES_MAX),
                "say in zh and en how consent is withdrawn",
            ),
            (
                is_name(&self.controller.name) && is_name(&self.controller.contact),
                "name the controller and its contact, 1 to 256 bytes each",
            ),
            (
                (1..=CLAUSES_MAX).contains(&self.clauses.len()),
                "a notice has 1 to 64 clauses",
            ),
            (
                ids.len() == self.clauses.len(),
                "two clauses have one id: give each its own",
            ),
            (
                ends,
                "the notice ends before it begins: set `until` after `from`",
            ),
        ]);
        match broken.or_else(|| self.clauses.iter().find_map(Clause::broken)) {
            Some(why) => Err(Error::NoticeRefused(why)),
            None => Ok(()),
        }
    }

    /// The clause with this name.
    pub(crate) fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    fn holds_in(&self, jurisdiction: Jurisdiction) -> bool {
        self.jurisdictions.is_empty() || self.jurisdictions.contains(&jurisdiction)
    }
}

impl Texts {
    fn fits(&self, bytes_max: usize) -> bool {
        [&self.zh, &self.en]
            .into_iter()
            .all(|text| (1..=bytes_max).contains(&text.len()))
    }
}

impl Clause {
    /// Whether it tells of this purpose.
    pub(crate) fn covers(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|covered| covered == purpose)
    }

    /// Whether it tells of this class of data.
    pub(crate) fn tells_of(&self, class: &str) -> bool {
        let is_told = |told: &String| told == "*" || told == class;
        self.classes.iter().any(is_told)
    }

    fn broken(&self) -> Option<&'static str> {
        let lists = [&self.purposes, &self.classes];
        let is_known = |class: &String| class == "*" || catalogue::class(class).is_ok();
        let is_party = |name: &String| (1..=TITLE_BYTES_MAX).contains(&name.len());
        first_broken(&[
            (
                is_word(&self.id),
                "name a clause by lower case words joined by underscores",
            ),
            (
                self.title.fits(TITLE_BYTES_MAX) && self.text.fits(TEXT_BYTES_MAX),
                "a clause has a title of 1 to 256 bytes and a text of 1 to 4,096 in zh and en",
            ),
            (
                lists
                    .iter()
                    .all(|list| (1..=NAMES_MAX).contains(&list.len())),
                "a clause covers 1 to 32 purposes and 1 to 32 classes of data",
            ),
            (
                self.purposes.iter().all(|purpose| is_word(purpose)),
                "name a purpose by lower case words joined by underscores",
            ),
            (
                self.classes.iter().all(is_known),
                "a clause covers classes of the catalogue, or `*`: see GET /v1/vault/catalogue",
            ),
            (
                self.recipients.len() <= NAMES_MAX && self.recipients.iter().all(is_party),
                "a clause has at most 32 recipients of 1 to 256 bytes",
            ),
        ])
    }
}

impl Published {
    /// The version with this body, as the store keeps it.
    pub(crate) fn read(version: i64, published_at: Timestamp, body: &[u8]) -> Option<Self> {
        Some(Self {
            version,
            sha256: hexadecimal(&sha256(body)),
            published_at,
            notice: serde_json::from_slice(body).ok()?,
        })
    }

    /// The one that is shipped.
    pub(crate) fn standard() -> Option<Self> {
        Self::read(0, Timestamp::from_micros(0), STANDARD.as_bytes())
    }

    /// Whether it holds at this moment.
    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        let from = self.notice.from.unwrap_or(self.published_at);
        from <= now && self.notice.until.is_none_or(|until| now < until)
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_notice_keeps_the_rules_of_all() {
        let shipped = Published::standard().unwrap();
        shipped.notice.check().unwrap();
        assert_eq!(shipped.notice.name, "standard");
        assert!(shipped.is_in_force(Timestamp::from_micros(1)));
        for clause in &shipped.notice.clauses {
            let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
            assert!(clause.text.zh.chars().any(is_chinese), "{}", clause.id);
            assert!(!clause.text.en.chars().any(is_chinese), "{}", clause.id);
        }
    }

    #[test]
    fn a_notice_that_could_not_hold_is_refused() {
        type Change = fn(&mut Notice);
        let changes: [Change; 8] = [
            |notice| notice.name = "Our notice".to_owned(),
            |notice| notice.title.zh.clear(),
            |notice| notice.clauses.clear(),
            |notice| notice.clauses[1].id = notice.clauses[0].id.clone(),
            |notice| notice.clauses[0].purposes = vec!["any thing".to_owned()],
            |notice| notice.clauses[0].classes = vec!["cvv".to_owned()],
            |notice| notice.controller.contact.clear(),
            |notice| {
                notice.from = Some(Timestamp::from_micros(2));
                notice.until = notice.from;
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut notice = Published::standard().unwrap().notice;
            change(&mut notice);
            let refused = notice.check();
            assert!(matches!(refused, Err(Error::NoticeRefused(_))), "{number}");
        }
    }
}
