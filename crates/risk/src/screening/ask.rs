//! Who one name may be, and why; what was asked for is in the trail, the name is not.

use super::{Holding, ListKind, ROOM, import, rounded};
use crate::{Engine, Error};
use paywarden_access::approval::Who;
use paywarden_domain::{Country, TenantId, Timestamp};
use paywarden_screening::{Birth, Hit, Kind, NameRefused, Query};
use paywarden_store::{Entry, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, atomic::Ordering};
use utoipa::ToSchema;

/// Parties that one answer tells of.
pub(super) const HITS_MAX: usize = 20;
/// What kind of record the evidence of a screening is.
const EVIDENCE: &str = "screening";

/// Whom to look for.
#[derive(Clone, Serialize, Deserialize)]
pub struct Question {
    /// The name, in any script.
    pub name: String,
    /// What bears it.
    pub kind: Kind,
    /// When it was born.
    pub birth: Option<Birth>,
    /// Countries that it is of or in.
    pub countries: Vec<Country>,
    /// Numbers of its documents and registrations.
    pub identifiers: Vec<String>,
}

/// Who a name may be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningAnswer {
    /// `scr_…`; it names the leaf of the trail and what is kept as evidence.
    pub id: String,
    /// When it was screened.
    pub screened_at: Timestamp,
    /// Against which versions of which lists.
    pub lists: Vec<ScreenedBy>,
    /// Scores from here on are hits, 0 to 1.
    pub threshold: f64,
    /// The share of frequent names that this threshold raises an alert for, 0 to 1; null below 0.5.
    pub expected_alert_rate: Option<f64>,
    /// Parties that it may be, the likeliest first, at most 20.
    pub hits: Vec<ScreeningHit>,
}

/// A version of a list that was screened against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScreenedBy {
    /// The list.
    pub list: String,
    /// SHA-256 of its source.
    pub version: String,
}

/// A party that a name may be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningHit {
    /// The list.
    pub list: String,
    /// What being on it means.
    #[schema(value_type = String)]
    pub list_kind: ListKind,
    /// Its identifier within the list.
    pub entry: String,
    /// Its main name.
    pub name: Option<String>,
    /// Which of its names met; null if an identifier did.
    pub matched: Option<String>,
    /// The chance that it is the same, 0 to 1.
    pub score: f64,
    /// Programmes that it is listed under.
    pub programs: Vec<String>,
    /// Countries that it is of or in.
    pub countries: Vec<String>,
    /// What the score is made of: their points add up to its logit.
    pub components: Vec<ScreeningComponent>,
    /// Tokens of both names side by side.
    pub tokens: Vec<ScreeningTokens>,
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningComponent {
    /// What it is about, such as `order`, `birth` or `country`.
    pub about: String,
    /// What was seen.
    pub value: f64,
    /// What it adds to the logit of the score.
    pub points: f64,
}

/// Tokens that stand side by side.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningTokens {
    /// Of the name that was asked about.
    pub asked: Option<String>,
    /// Of the listed name.
    pub listed: Option<String>,
    /// How near they are, 0 to 1.
    pub near: f64,
}

/// What is kept of a screening: no name of whoever was screened.
#[derive(Serialize)]
struct Evidence<'a> {
    lists: &'a [ScreenedBy],
    threshold: f64,
    hits: Vec<Seen<'a>>,
}

#[derive(Serialize)]
struct Seen<'a> {
    list: &'a str,
    entry: &'a str,
    score: f64,
}

impl<'a> Seen<'a> {
    fn of(hit: &'a ScreeningHit) -> Self {
        Self {
            list: &hit.list,
            entry: &hit.entry,
            score: hit.score,
        }
    }
}

impl Engine {
    /// Screens one name. `ground` says why that is lawful; it stands in the trail, the name does
    /// not. What the party with this pseudonym was cleared of is left out. The leaf is durable when
    /// this returns.
    ///
    /// Errors: [`Error::ScreeningNoLists`], [`Error::ScreeningNameRefused`].
    pub async fn screen(
        &self,
        who: &Who,
        ground: &str,
        question: &Question,
        (threshold, party): (f32, Option<&str>),
    ) -> Result<ScreeningAnswer, Error> {
        let holding = self.lists_of(&who.tenant)?;
        let hits = self.hits_of(&who.tenant, &holding, question, (threshold, party))?;
        self.screening
            .counts
            .screened
            .fetch_add(1, Ordering::Relaxed);
        self.screening
            .counts
            .hits
            .fetch_add(u64::from(!hits.is_empty()), Ordering::Relaxed);
        let answer = ScreeningAnswer {
            id: self.screening_id("scr"),
            screened_at: self.clock.now(),
            lists: holding.versions(),
            threshold: rounded(threshold),
            expected_alert_rate: holding.expected(threshold),
            hits,
        };
        self.note_screening(who, ground, &answer).await?;
        Ok(answer)
    }

    /// Parties that a name may be, but for those that the party was cleared of.
    pub(super) fn hits_of(
        &self,
        tenant: &TenantId,
        holding: &Holding,
        question: &Question,
        (threshold, party): (f32, Option<&str>),
    ) -> Result<Vec<ScreeningHit>, Error> {
        holding.hits(question, threshold, |hits| {
            if let Some(party) = party {
                let clearances = &self.screening.clearances;
                clearances.retain((tenant, party), self.clock.now(), hits);
            }
        })
    }

    pub(super) fn lists_of(&self, tenant: &TenantId) -> Result<Arc<Holding>, Error> {
        let holding = self.screening.holding(tenant);
        let holding = holding.filter(|holding| !holding.lists.is_empty());
        holding.ok_or(Error::ScreeningNoLists)
    }

    pub(super) fn screening_id(&self, prefix: &str) -> String {
        let random: [u8; 12] = self.clock.random();
        format!(
            "{prefix}_{}",
            random.map(|byte| format!("{byte:02x}")).concat()
        )
    }

    async fn note_screening(
        &self,
        who: &Who,
        ground: &str,
        answer: &ScreeningAnswer,
    ) -> Result<(), Error> {
        let evidence = Evidence {
            lists: &answer.lists,
            threshold: answer.threshold,
            hits: answer.hits.iter().map(Seen::of).collect(),
        };
        self.note_evidence(who, ("screening.create", &answer.id), ground, &evidence)
            .await
    }

    /// Writes what was found, with its leaf.
    pub(super) async fn note_evidence(
        &self,
        who: &Who,
        (action, id): (&'static str, &str),
        ground: &str,
        evidence: &impl Serialize,
    ) -> Result<(), Error> {
        let body = serde_json::to_vec(evidence);
        let row = RecordRow {
            tenant: who.tenant.clone(),
            kind: EVIDENCE.to_owned(),
            id: id.to_owned(),
            version: 1,
            written_at: self.clock.now(),
            body: body.map_err(|error| Error::RecordDamaged(error.to_string()))?,
        };
        let entry = Entry {
            purpose: Purpose::composed(format!("screening for {ground}")),
            ..import::entry(who, action, id, vec![Row::Record(row)])
        };
        self.journal.append(entry).await?;
        Ok(())
    }
}

impl Holding {
    /// Parties that a name may be; `narrow` takes out those that it is known not to be.
    pub(super) fn hits(
        &self,
        question: &Question,
        threshold: f32,
        narrow: impl FnOnce(&mut Vec<Hit<'_>>),
    ) -> Result<Vec<ScreeningHit>, Error> {
        let identifiers: Vec<&str> = question.identifiers.iter().map(String::as_str).collect();
        let query = Query {
            name: &question.name,
            kind: question.kind,
            birth: question.birth,
            countries: &question.countries,
            identifiers: &identifiers,
        };
        let hits = ROOM.with_borrow_mut(|room| {
            let found = self.index.screen(&query, threshold, HITS_MAX, room);
            found.map(|mut hits| {
                narrow(&mut hits);
                hits.iter().map(ScreeningHit::from).collect()
            })
        });
        hits.map_err(|refused: NameRefused| Error::ScreeningNameRefused(refused.to_string()))
    }

    /// The versions at work.
    pub(super) fn versions(&self) -> Vec<ScreenedBy> {
        let version = |list: &str, version: &str| ScreenedBy {
            list: list.to_owned(),
            version: version.to_owned(),
        };
        let lists = self.lists.values();
        lists
            .map(|held| version(&held.list.name, &held.list.source_hash))
            .collect()
    }
}

impl From<&Hit<'_>> for ScreeningHit {
    fn from(hit: &Hit<'_>) -> Self {
        let component = |part: &paywarden_screening::score::Component| ScreeningComponent {
            about: word(&part.about),
            value: rounded(part.value),
            points: rounded(part.points),
        };
        let tokens = |pair: &paywarden_screening::compare::Pair| ScreeningTokens {
            asked: pair.asked.clone(),
            listed: pair.listed.clone(),
            near: rounded(pair.near),
        };
        Self {
            list: hit.list.name.clone(),
            list_kind: hit.list.kind,
            entry: hit.entity.id.clone(),
            name: hit.entity.names.first().map(|name| name.text.clone()),
            matched: hit.name.map(|name| name.text.clone()),
            score: rounded(hit.score),
            programs: hit.entity.programs.clone(),
            countries: hit.entity.countries.clone(),
            components: hit.components.iter().map(component).collect(),
            tokens: hit.pairs.iter().map(tokens).collect(),
        }
    }
}

/// The word that stands for a value in JSON.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
