//! Parties under watch: screened again when their facts change, and when a list does.
//!
//! Of a party the store has a pseudonym, the token of a sealed value of the vault that holds its
//! name and facts, and which entries were found. The vault reads the value for each screening, for
//! a stated purpose; who is erased there is no longer screened.

use super::{Question, ScreeningAnswer, ScreeningHit, import};
use crate::{Engine, Error};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Entry, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What kind of record a party under watch is.
const PARTY: &str = "screening_party";
/// What kind of record an alert is.
const ALERT: &str = "screening_alert";
/// Parties or alerts of one page.
pub const PARTIES_PAGE: u32 = 100;

/// A party under watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchedParty {
    /// Its pseudonym.
    #[serde(skip)]
    pub party: String,
    /// The token of the sealed value.
    pub token: String,
    /// Scores from here on are hits.
    pub threshold: f32,
    /// Entries that were found, as `list:entry`.
    found: BTreeSet<String>,
    /// Whether the watch has ended.
    ended: bool,
    #[serde(skip)]
    version: i64,
}

/// What a screening of a party under watch has found that was not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScreeningAlert {
    /// `sca_…`, newest last.
    pub id: String,
    /// Pseudonym of the party, `prt_…`.
    pub party: String,
    /// When it was found.
    pub raised_at: Timestamp,
    /// What changed: `party` or `list`.
    pub cause: Cause,
    /// The entries that were not known.
    pub entries: Vec<AlertEntry>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// What is known of the party.
    Party,
    /// What the lists say.
    List,
}

/// An entry of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEntry {
    /// The list.
    pub list: String,
    /// The identifier within the list.
    pub entry: String,
    /// The chance that it is the same, 0 to 1.
    pub score: f64,
}

impl Engine {
    /// Puts a party under watch, or takes other facts of it in: screens it and keeps what was
    /// found. The answer, and the token of the value that it has no more.
    ///
    /// Errors: those of [`Engine::screen`].
    pub async fn watch_party(
        &self,
        who: &Who,
        ground: &str,
        (party, token): (&str, String),
        question: &Question,
        threshold: f32,
    ) -> Result<(ScreeningAnswer, Option<String>), Error> {
        let known = self.watched_party(&who.tenant, party).await?;
        let answer = self
            .screen(who, ground, question, (threshold, Some(party)))
            .await?;
        let replaced = known
            .as_ref()
            .filter(|known| !known.ended && known.token != token);
        let replaced = replaced.map(|known| known.token.clone());
        let watched = WatchedParty {
            party: party.to_owned(),
            token,
            threshold,
            found: BTreeSet::new(),
            ended: false,
            version: known.as_ref().map_or(0, |known| known.version),
        };
        let before = known.filter(|known| !known.ended).map(|known| known.found);
        let before = before.unwrap_or_default();
        self.note_found(who, &watched, &before, &answer.hits, Cause::Party)
            .await?;
        Ok((answer, replaced))
    }

    /// Ends the watch over a party; the token of its value. Error: [`Error::ScreeningPartyUnknown`].
    pub async fn unwatch_party(&self, who: &Who, party: &str) -> Result<String, Error> {
        let known = self.watched_party(&who.tenant, party).await?;
        let known = known
            .filter(|known| !known.ended)
            .ok_or(Error::ScreeningPartyUnknown)?;
        let ended = WatchedParty {
            ended: true,
            found: BTreeSet::new(),
            ..known.clone()
        };
        let row = self.party_row(&who.tenant, &ended)?;
        self.journal
            .append(import::entry(who, "screening.unwatch", party, vec![row]))
            .await?;
        Ok(known.token)
    }

    /// Parties under watch of a tenant, from the last pseudonym before `before` down, at most 100;
    /// where the next page begins.
    pub async fn watched_parties(
        &self,
        tenant: &TenantId,
        before: &str,
    ) -> Result<(Vec<WatchedParty>, Option<String>), Error> {
        let rows = self
            .database
            .records_of(tenant, PARTY, before, PARTIES_PAGE)
            .await?;
        let next = rows.last().map(|row| row.id.clone());
        let parties = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok((
            parties.into_iter().filter(|party| !party.ended).collect(),
            next,
        ))
    }

    /// Screens a party under watch again because a list or a clearance has changed. What was not
    /// known before is an alert in the trail and the outbox. Whether there was one.
    pub async fn rescreen(
        &self,
        tenant: &TenantId,
        party: &WatchedParty,
        question: &Question,
    ) -> Result<bool, Error> {
        let holding = self.screening.holding(tenant);
        let Some(holding) = holding else {
            return Ok(false);
        };
        let hits = self.hits_of(
            tenant,
            &holding,
            question,
            (party.threshold, Some(&party.party)),
        )?;
        let found: BTreeSet<String> = hits.iter().map(name).collect();
        if found == party.found {
            return Ok(false);
        }
        let who = Who {
            tenant: tenant.clone(),
            actor: Actor::System("screening"),
        };
        self.note_found(&who, party, &party.found, &hits, Cause::List)
            .await
    }

    /// Tenants whose lists have changed since they were last asked for, or who cleared somebody, or
    /// whose clearances have ended: parties under watch may mean other entries now.
    pub fn take_changed_lists(&self) -> Vec<TenantId> {
        let ended = self.screening.clearances.take_ended(self.clock.now());
        ended.iter().for_each(|tenant| self.screen_again(tenant));
        self.screening.take_changed()
    }

    /// Notes that the parties of a tenant have to be screened again.
    pub fn screen_again(&self, tenant: &TenantId) {
        self.screening.note_changed(tenant);
    }

    /// Alerts of a tenant from the last before `before` down, at most `limit`.
    pub async fn screening_alerts(
        &self,
        tenant: &TenantId,
        before: &str,
        limit: u32,
    ) -> Result<Vec<ScreeningAlert>, Error> {
        let rows = self
            .database
            .records_of(tenant, ALERT, before, limit)
            .await?;
        rows.iter()
            .map(|row| serde_json::from_slice(&row.body).map_err(|error| damaged(&error)))
            .collect()
    }

    /// Writes what was found, and an alert if something of it was not known. Whether it was.
    async fn note_found(
        &self,
        who: &Who,
        party: &WatchedParty,
        before: &BTreeSet<String>,
        hits: &[ScreeningHit],
        cause: Cause,
    ) -> Result<bool, Error> {
        let watched = WatchedParty {
            found: hits.iter().map(name).collect(),
            ..party.clone()
        };
        let mut rows = vec![self.party_row(&who.tenant, &watched)?];
        let unknown = hits.iter().filter(|hit| !before.contains(&name(hit)));
        let entries: Vec<AlertEntry> = unknown.map(AlertEntry::from).collect();
        let raised = !entries.is_empty();
        if raised {
            let alert = self.alert(&party.party, cause, entries);
            let body = serde_json::to_vec(&alert).map_err(|error| damaged(&error))?;
            rows.push(self.record(&who.tenant, (ALERT, alert.id), 1, body));
        }
        let action = match raised {
            true => "screening.alert",
            false => "screening.watch",
        };
        let entry = Entry {
            purpose: Purpose::from("screening of a party under watch"),
            ..import::entry(who, action, &party.party, rows)
        };
        self.journal.append(entry).await?;
        Ok(raised)
    }

    fn alert(&self, party: &str, cause: Cause, entries: Vec<AlertEntry>) -> ScreeningAlert {
        let raised_at = self.clock.now();
        let random: [u8; 6] = self.clock.random();
        let random = random.map(|byte| format!("{byte:02x}")).concat();
        ScreeningAlert {
            id: format!("sca_{:016x}{random}", raised_at.micros()),
            party: party.to_owned(),
            raised_at,
            cause,
            entries,
        }
    }

    /// The entries, as `list:entry`, that were found of a party under watch and that it was not
    /// cleared of since; none of a party that is not under watch.
    pub(crate) async fn entries_of_party(
        &self,
        tenant: &TenantId,
        party: &str,
    ) -> Result<Vec<String>, Error> {
        let known = self.watched_party(tenant, party).await?;
        let found = known.into_iter().flat_map(|known| known.found);
        let cleared = self.screening_clearances(tenant);
        let is_cleared = |name: &String| {
            let mut own = cleared.iter().filter(|one| one.party == party);
            own.any(|one| name.split_once(':') == Some((&one.list, &one.entry)))
        };
        Ok(found.filter(|name| !is_cleared(name)).collect())
    }

    async fn watched_party(
        &self,
        tenant: &TenantId,
        party: &str,
    ) -> Result<Option<WatchedParty>, Error> {
        let row = self.database.record(PARTY, party).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        row.as_ref().map(read).transpose()
    }

    fn party_row(&self, tenant: &TenantId, party: &WatchedParty) -> Result<Row, Error> {
        let body = serde_json::to_vec(party).map_err(|error| damaged(&error))?;
        Ok(self.record(
            tenant,
            (PARTY, party.party.clone()),
            party.version + 1,
            body,
        ))
    }

    fn record(
        &self,
        tenant: &TenantId,
        (kind, id): (&str, String),
        version: i64,
        body: Vec<u8>,
    ) -> Row {
        Row::Record(RecordRow {
            tenant: tenant.clone(),
            kind: kind.to_owned(),
            id,
            version,
            written_at: self.clock.now(),
            body,
        })
    }
}

impl From<&ScreeningHit> for AlertEntry {
    fn from(hit: &ScreeningHit) -> Self {
        Self {
            list: hit.list.clone(),
            entry: hit.entry.clone(),
            score: hit.score,
        }
    }
}

fn read(row: &RecordRow) -> Result<WatchedParty, Error> {
    let party: WatchedParty = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
    Ok(WatchedParty {
        party: row.id.clone(),
        version: row.version,
        ..party
    })
}

fn name(hit: &ScreeningHit) -> String {
    format!("{}:{}", hit.list, hit.entry)
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("a party under watch: {error}"))
}
