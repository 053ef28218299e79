//! The index of alerts and cases, made again from their newest versions, and queues that the policy
//! has given up.
//!
//! The records are the truth and the index is derived from them. Where it differs, the item is
//! written once more as its next version, which puts its place and every link where they belong:
//! there is no second way to write them.

use crate::{
    Alert, Case, Cases, Error, Worker,
    desk::{Item, Links},
    opening::who,
};
use paywarden_domain::TenantId;
use paywarden_store::{LINKS_MAX, RecordRow, WorkFilter, WorkPlace};
use std::collections::{BTreeSet, HashMap};

/// Items looked at in one step.
const PAGE: u32 = 100;
/// Behind every identifier.
const LAST: &str = "~";
/// Kinds of items.
const KINDS: [&str; 2] = [Alert::KIND, Case::KIND];

/// What a rebuild found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Alerts and cases looked at.
    pub items: u64,
    /// Those whose place or links were not what their newest version says.
    pub mended: u64,
}

/// Open items in a queue that the policy does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    /// Whose they are.
    pub tenant: TenantId,
    /// The queue.
    pub queue: String,
    /// How many.
    pub open: u64,
}

impl Cases {
    /// Companies whose index does not count every version that there is.
    pub async fn unindexed(&self) -> Result<Vec<TenantId>, Error> {
        Ok(self.database.work_unindexed(KINDS).await?)
    }

    /// Holds every alert and case of a company against the index, and mends what differs.
    pub async fn reindex(&self, tenant: &TenantId) -> Result<Reindexed, Error> {
        let alerts = self.reindex_all::<Alert>(tenant).await?;
        let cases = self.reindex_all::<Case>(tenant).await?;
        Ok(Reindexed {
            items: alerts.items + cases.items,
            mended: alerts.mended + cases.mended,
        })
    }

    /// Moves what is open in queues that others have taken over, and says what is left where nobody
    /// would see it.
    pub async fn settle(&self) -> Result<Vec<Stranded>, Error> {
        let mut left = Vec::new();
        let open = [(Alert::KIND, Alert::OPEN), (Case::KIND, Case::OPEN)];
        for (tenant, queue, count) in self.database.work_queues(open).await? {
            if self.policy.queue(&queue).is_some() {
                continue;
            }
            match self.policy.taken_over_by(&queue).map(str::to_owned) {
                Some(to) => {
                    self.move_all::<Alert>(&tenant, (&queue, &to)).await?;
                    self.move_all::<Case>(&tenant, (&queue, &to)).await?;
                }
                None => left.push(Stranded {
                    tenant,
                    queue,
                    open: count,
                }),
            }
        }
        Ok(left)
    }

    async fn reindex_all<T: Item>(&self, tenant: &TenantId) -> Result<Reindexed, Error> {
        let mut done = Reindexed::default();
        let mut after = String::new();
        loop {
            let between = (after.as_str(), LAST);
            let page = self
                .database
                .records_between(tenant, T::KIND, between, PAGE);
            let page = page.await?;
            let Some(last) = page.last() else {
                return Ok(done);
            };
            after.clone_from(&last.id);
            let ids: Vec<String> = page.iter().map(|record| record.id.clone()).collect();
            let places = self.database.work_places(tenant, &ids).await?;
            let places: HashMap<&str, &WorkPlace> =
                places.iter().map(|place| (&*place.id, place)).collect();
            for record in &page {
                let place = places.get(&*record.id).copied();
                done.items += 1;
                done.mended += u64::from(self.mend::<T>(tenant, record, place).await?);
            }
        }
    }

    /// Writes an item once more if it is not found as it should be; whether it was.
    async fn mend<T: Item>(
        &self,
        tenant: &TenantId,
        record: &RecordRow,
        place: Option<&WorkPlace>,
    ) -> Result<bool, Error> {
        let mut item: T = self.read(record)?;
        let targets = self.targets(tenant, &item).await?;
        let links = self.database.work_links(tenant, &targets).await?;
        let linked: BTreeSet<String> = links
            .into_iter()
            .filter(|link| link.item == record.id)
            .map(|link| link.target)
            .collect();
        let missing: Vec<String> = targets
            .into_iter()
            .filter(|target| !linked.contains(target))
            .collect();
        if missing.is_empty() && place.is_some_and(|place| is_at(&item, record, place)) {
            return Ok(false);
        }
        let nothing: &[String] = &[];
        let runs = missing.chunks(LINKS_MAX);
        let runs: Vec<&[String]> = match missing.is_empty() {
            true => vec![nothing],
            false => runs.collect(),
        };
        for new in runs {
            self.rewrite(tenant, &mut item, (T::REINDEX, "reindex"), new.to_vec())
                .await?;
        }
        Ok(true)
    }

    async fn targets<T: Item>(&self, tenant: &TenantId, item: &T) -> Result<Vec<String>, Error> {
        let mut targets = item.targets();
        let reader = Worker {
            who: who(tenant),
            queues: Vec::new(),
        };
        let mut seen = 0;
        loop {
            let notes = self.notes_of(&reader, item.id(), seen).await?;
            let Some(last) = notes.last() else {
                return Ok(targets.into_iter().collect());
            };
            seen = last.number;
            targets.extend(notes.iter().flat_map(crate::note::mentioned));
        }
    }

    async fn move_all<T: Item>(
        &self,
        tenant: &TenantId,
        (from, to): (&str, &str),
    ) -> Result<(), Error> {
        let filter = WorkFilter {
            kind: T::KIND,
            queue: from,
            state: T::OPEN,
            assignee: None,
            from: i64::MIN,
            before: i64::MAX,
            after: None,
        };
        loop {
            let places = self.database.work_items(tenant, &filter, PAGE).await?;
            if places.is_empty() {
                return Ok(());
            }
            for mut item in self.all::<T>(&places).await? {
                to.clone_into(item.queue());
                self.rewrite(tenant, &mut item, (T::MOVE, "move"), Vec::new())
                    .await?;
            }
        }
    }

    async fn rewrite<T: Item>(
        &self,
        tenant: &TenantId,
        item: &mut T,
        (action, act): (&'static str, &str),
        new: Vec<String>,
    ) -> Result<(), Error> {
        let who = who(tenant);
        let change = self.change(&who, act, None);
        let links = Links {
            new,
            ..Links::default()
        };
        let row = self.next(tenant, item, change, links)?;
        self.write(&who, (action, item.id()), None, vec![row]).await
    }
}

/// Whether an item is found as its newest version says.
fn is_at<T: Item>(item: &T, record: &RecordRow, place: &WorkPlace) -> bool {
    let found = item.found();
    (place.version, place.state, place.urgency) == (record.version, found.state, found.urgency)
        && (&*place.queue, &*place.assignee, &*place.subject)
            == (found.queue, found.assignee, found.subject)
        && place.kind == T::KIND
}
