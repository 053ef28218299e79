//! A version comes in: read, compared with the one at work, written, indexed.

use super::{
    ENTITIES_MAX, Format, Held, Holding, LISTS_MAX, ListKind, ListVersion, Waiting, blocking,
    version::{Compared, Draft, compare},
};
use crate::{Engine, Error};
use bytes::Bytes;
use paywarden_access::approval::{Approved, Who};
use paywarden_domain::TenantId;
use paywarden_screening::{List, import};
use paywarden_store::{Entry, Purpose, Row};
use serde::Serialize;
use std::sync::{Arc, atomic::Ordering};
use utoipa::ToSchema;

/// Parts of one entry of the journal: 3.75 MiB.
const PARTS_PER_ENTRY: usize = 64;
const PURPOSE: &str = "screening list";

/// A source of a list.
pub struct ListSource {
    /// The list: 1 to 64 small letters, digits, `-` and `_`.
    pub list: String,
    /// What being on it means.
    pub kind: ListKind,
    /// How it is written.
    pub format: Format,
    /// Its files; OFAC publishes its CSV in several.
    pub files: Vec<ListFile>,
}

/// One file of a source.
pub struct ListFile {
    /// Its name; formats of several files tell them apart by it.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Imported {
    /// The version at work now.
    pub version: ListVersion,
    /// Whether it was at work before: then nothing was written.
    pub unchanged: bool,
}

impl ListSource {
    fn read(&self) -> Result<List, import::Refused> {
        let files = self.files.iter().map(|file| import::File {
            name: &file.name,
            bytes: &file.bytes,
        });
        import::read(
            self.format,
            &files.collect::<Vec<_>>(),
            &self.list,
            self.kind,
        )
    }
}

impl Engine {
    /// Reads a version of a list and puts it to work. It is durable, and decisions see it, when
    /// this returns.
    ///
    /// Errors: [`Error::ScreeningListRefused`] for what does not read as a whole list,
    /// [`Error::ScreeningListShrunken`] for what lacks more than a tenth of the version at work,
    /// [`Error::ScreeningBusy`], [`Error::ScreeningLimit`].
    pub async fn import_screening_list(
        &self,
        who: &Who,
        source: ListSource,
    ) -> Result<Imported, Error> {
        let turn = self.screening.importing.try_acquire();
        let _turn = turn.map_err(|_| Error::ScreeningBusy)?;
        let imported = self.take_in(who, source).await;
        if imported.is_err() {
            self.screening.refused();
        }
        imported
    }

    /// Counts a list that could not be fetched or was refused, and leaves a leaf if it is the first
    /// failure after a success. What is at work stays.
    pub async fn note_refresh_failed(
        &self,
        who: &Who,
        list: &str,
        is_first: bool,
    ) -> Result<(), Error> {
        self.screening.counts.stale.fetch_add(1, Ordering::Relaxed);
        if is_first {
            let leaf = entry(who, "screening.refresh_failed", list, Vec::new());
            self.journal.append(leaf).await?;
        }
        Ok(())
    }

    async fn take_in(&self, who: &Who, source: ListSource) -> Result<Imported, Error> {
        let format = source.format;
        let read = blocking(move || source.read()).await?;
        let new =
            Arc::new(read.map_err(|refused| Error::ScreeningListRefused(refused.to_string()))?);
        let (tenant, name) = (&who.tenant, new.name.clone());
        let _alone = self.screening.changing.lock().await;
        let holding = self.screening.holding(tenant);
        let known = holding
            .as_ref()
            .and_then(|holding| holding.lists.get(&name))
            .cloned();
        if let Some(known) = &known
            && (&known.list.source_hash, known.list.kind) == (&new.source_hash, new.kind)
        {
            self.screening.waiting().remove(&(tenant.clone(), name));
            return Ok(Imported {
                version: known.version.clone(),
                unchanged: true,
            });
        }
        check_room(holding.as_deref(), &new)?;
        let compared = blocking(move || compare(known.as_ref(), new)).await?;
        if let Some(shrunken) = compared.shrunken {
            return Err(self.keep_waiting(
                tenant,
                format,
                compared.new,
                (shrunken.was, shrunken.is),
            ));
        }
        let draft = self.draft(who, compared, format).await?;
        self.write_parts(who, &draft).await?;
        let entry = entry(
            who,
            "screening.import",
            &name,
            vec![draft.head.row(tenant)?],
        );
        self.journal.append(entry).await?;
        let version = self.put_to_work(tenant, holding, draft).await?;
        Ok(Imported {
            version,
            unchanged: false,
        })
    }

    /// Puts a version to work that was refused because it shrank.
    pub(super) async fn accept_version(
        &self,
        approved: Approved<super::ScreeningChange>,
    ) -> Result<super::ScreeningChange, Error> {
        let (who, change) = (approved.who().clone(), approved.command().clone());
        let tenant = &who.tenant;
        let key = (tenant.clone(), change.list.clone());
        let _alone = self.screening.changing.lock().await;
        let waiting = self.screening.waiting().get(&key).cloned();
        let waiting = waiting.filter(|one| change.version.as_ref() == Some(&one.list.source_hash));
        let Waiting { format, list, .. } = waiting.ok_or(Error::ScreeningVersionUnknown)?;
        let holding = self.screening.holding(tenant);
        check_room(holding.as_deref(), &list)?;
        let known = holding
            .as_ref()
            .and_then(|holding| holding.lists.get(&change.list))
            .cloned();
        let compared = blocking(move || compare(known.as_ref(), list)).await?;
        let draft = self.draft(&who, compared, format).await?;
        self.write_parts(&who, &draft).await?;
        let row = draft.head.row(tenant)?;
        let because = |change: &super::ScreeningChange| Entry {
            purpose: Purpose::from(PURPOSE).because(&*change.reason),
            ..entry(&who, "screening.accept", &change.list, vec![row])
        };
        let change = approved.carry_out(because).await?;
        self.put_to_work(tenant, holding, draft).await?;
        Ok(change)
    }

    /// Keeps a version that shrank until it is accepted, and says so.
    fn keep_waiting(
        &self,
        tenant: &TenantId,
        format: Format,
        list: Arc<List>,
        (was, is): (usize, usize),
    ) -> Error {
        let version = list.source_hash.clone();
        let waiting = Waiting {
            format,
            was: was as u64,
            list,
        };
        let key = (tenant.clone(), waiting.list.name.clone());
        self.screening.waiting().insert(key, waiting);
        Error::ScreeningListShrunken { was, is, version }
    }

    async fn draft(&self, who: &Who, compared: Compared, format: Format) -> Result<Draft, Error> {
        let before = self.last_version(&who.tenant, &compared.new.name).await?;
        let (now, random) = (self.clock.now(), self.clock.random());
        let by = who.actor.to_string();
        blocking(move || Draft::new(compared, (before, format), (now, by), random)).await?
    }

    async fn write_parts(&self, who: &Who, draft: &Draft) -> Result<(), Error> {
        for rows in draft.rows(&who.tenant).chunks(PARTS_PER_ENTRY) {
            let list = &draft.head.version.list;
            self.journal
                .append(entry(who, "screening.parts", list, rows.to_vec()))
                .await?;
        }
        Ok(())
    }

    async fn put_to_work(
        &self,
        tenant: &TenantId,
        holding: Option<Arc<Holding>>,
        draft: Draft,
    ) -> Result<ListVersion, Error> {
        let version = draft.head.version;
        self.screening
            .waiting()
            .remove(&(tenant.clone(), version.list.clone()));
        let held = Held {
            version: version.clone(),
            list: draft.list,
        };
        let built = blocking(move || Holding::with(holding.as_deref(), held)).await?;
        self.screening.put(tenant, built);
        Ok(version)
    }
}

pub(super) fn entry(who: &Who, action: &'static str, list: &str, rows: Vec<Row>) -> Entry {
    Entry {
        tenant: who.tenant.clone(),
        actor: who.actor.clone(),
        purpose: Purpose::from(PURPOSE),
        action,
        object: list.to_owned(),
        rows,
    }
}

fn check_room(holding: Option<&Holding>, new: &List) -> Result<(), Error> {
    let Some(holding) = holding else {
        return within(new.entities.len());
    };
    let known = holding.lists.get(&new.name);
    if known.is_none() && holding.lists.len() >= LISTS_MAX {
        return Err(Error::ScreeningLimit(
            "a tenant has at most 64 screening lists",
        ));
    }
    let replaced = known.map_or(0, |held| held.list.entities.len());
    within(holding.entities() - replaced + new.entities.len())
}

fn within(entities: usize) -> Result<(), Error> {
    match entities <= ENTITIES_MAX {
        true => Ok(()),
        false => Err(Error::ScreeningLimit(
            "the lists of a tenant have at most 1,000,000 parties",
        )),
    }
}
