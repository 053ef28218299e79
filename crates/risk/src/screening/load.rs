//! The lists again after a restart: of each the newest whole version and those after it.

use super::{
    Held, Holding,
    version::{self, HEAD, Head, PART},
};
use crate::{Engine, Error};
use paywarden_domain::TenantId;
use paywarden_screening::{Entity, List};
use paywarden_store::RecordRow;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Heads that are read at once.
const HEADS: u32 = 500;

impl Engine {
    /// Reads the lists of all tenants, builds their indexes, and reads who was cleared.
    pub(crate) async fn load_screening(&self) -> Result<(), Error> {
        self.load_clearances().await?;
        let mut tenants: HashMap<TenantId, BTreeMap<String, Held>> = HashMap::new();
        let mut pages = self.database.newest_records(HEAD, HEADS);
        while let Some(rows) = pages.next().await? {
            for row in rows {
                let head = Head::read(&row)?;
                if !head.version.retired {
                    let held = self.held(&row, head).await?;
                    let lists = tenants.entry(row.tenant).or_default();
                    lists.insert(held.list.name.clone(), held);
                }
            }
        }
        for (tenant, lists) in tenants {
            let holding = super::blocking(move || Holding::build(lists)).await?;
            self.screening.put(&tenant, holding);
        }
        Ok(())
    }

    /// The versions of a list, newest first, before a number; at most `limit`.
    pub async fn screening_versions(
        &self,
        tenant: &TenantId,
        list: &str,
        before: i64,
        limit: u32,
    ) -> Result<Vec<super::ListVersion>, Error> {
        let id = version::list_id(tenant, list);
        let rows = self
            .database
            .record_versions(HEAD, &id, before, limit)
            .await?;
        if rows.is_empty() && before == i64::MAX {
            return Err(Error::ScreeningListUnknown);
        }
        rows.iter()
            .map(|row| Ok(Head::read(row)?.version))
            .collect()
    }

    /// The number of the last version of a list, whether it is at work or ended; 0 before the
    /// first.
    pub(super) async fn last_version(&self, tenant: &TenantId, list: &str) -> Result<i64, Error> {
        let id = version::list_id(tenant, list);
        let row = self.database.record(HEAD, &id).await?;
        Ok(row.map_or(0, |row| row.version))
    }

    async fn held(&self, newest: &RecordRow, head: Head) -> Result<Held, Error> {
        let version = head.version.clone();
        let mut chain = vec![head];
        while let Some(oldest) = chain.last().filter(|head| !head.is_first()) {
            let number = oldest.version.number;
            let rows = self
                .database
                .record_versions(HEAD, &newest.id, number, 1)
                .await?;
            let row = rows.first().ok_or_else(|| missing("a version"))?;
            chain.push(Head::read(row)?);
        }
        let mut entities = Vec::new();
        for head in chain.iter().rev() {
            let mut parts = Vec::new();
            for id in head.parts() {
                let row = self.database.record(PART, &id).await?;
                parts.push(row.ok_or_else(|| missing("a part"))?.body);
            }
            let known = std::mem::take(&mut entities);
            let applied = move || version::join(&parts).map(|patch| patch.apply(known));
            entities = super::blocking(applied).await??;
        }
        let list = list(&version, entities)?;
        Ok(Held { version, list })
    }
}

fn list(version: &super::ListVersion, entities: Vec<Entity>) -> Result<Arc<List>, Error> {
    if entities.len() as u64 != version.entities {
        return Err(missing("a party"));
    }
    Ok(Arc::new(List {
        name: version.list.clone(),
        kind: version.kind,
        source_hash: version.version.clone(),
        published: version.published.clone(),
        entities,
    }))
}

fn missing(what: &str) -> Error {
    Error::RecordDamaged(format!("a screening list lacks {what}"))
}
