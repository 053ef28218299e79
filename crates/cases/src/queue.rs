//! Whose turn it is: alerts and cases of queues, most urgent first.

use crate::{
    Alert, AlertState, Cases, Entity, Error, Priority, Worker,
    desk::{Item, Links},
    opening::{group_target, target, who},
};
use paywarden_domain::{Engine, TenantId};
use paywarden_store::{WorkFilter, WorkPlace};
use std::{
    collections::HashSet,
    sync::{Mutex as StdMutex, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex, Semaphore};

/// The most items of one page.
pub const PAGE_MAX: u32 = 100;
/// How often another alert is looked for when somebody else was faster.
const TRIES: usize = 8;
/// The most claims of the next alert that are under way.
const CLAIMS_MAX: usize = 64;

/// Who works on what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// Nobody.
    Nobody,
    /// This member of staff or key: `staff:…`, `key:…`.
    Somebody(String),
}

/// Where a page begins: behind this urgency and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) urgency: i64,
    pub(crate) id: String,
}

/// Which alerts or cases are asked for; everything given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkQuery<S> {
    /// Where they stand.
    pub state: S,
    /// Where they wait; in every queue that the worker sees if none.
    pub queue: Option<String>,
    /// Who works on them.
    pub assignee: Option<Assignee>,
    /// How urgent they are; of open ones only.
    pub priority: Option<Priority>,
    /// Go on behind this place.
    pub after: Option<Place>,
    /// How many, 1 to 100.
    pub limit: u32,
}

/// What alerts are linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Somebody who takes part.
    Entity(Entity),
    /// The group of this alert.
    Group(String),
    /// The decision with this number.
    Decision(i64),
}

/// A page of alerts or cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Place>,
}

/// Claims of the next alert that are under way: each of another alert.
pub(crate) struct Claims {
    /// Who asks while there is no room waits.
    room: Semaphore,
    /// Held while the next alert is looked for, not while its claim is written.
    looking: Mutex<()>,
    marked: StdMutex<HashSet<String>>,
}

/// That an alert is about to be claimed, until this is dropped.
struct Mark<'c> {
    claims: &'c Claims,
    id: String,
}

impl Place {
    /// As text, for a cursor.
    pub fn text(&self) -> String {
        format!("{} {}", self.urgency, self.id)
    }

    /// From such text.
    pub fn parse(text: &str) -> Option<Self> {
        let (urgency, id) = text.split_once(' ')?;
        Some(Self {
            urgency: urgency.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

impl Cases {
    /// Alerts, most urgent first; closed ones newest first.
    pub async fn alerts(
        &self,
        worker: &Worker,
        query: &WorkQuery<AlertState>,
    ) -> Result<Page<Alert>, Error> {
        self.page(worker, query, query.state.number()).await
    }

    /// An alert that the worker may see.
    pub async fn alert(&self, worker: &Worker, id: &str) -> Result<Alert, Error> {
        self.seen(worker, id).await
    }

    /// The most urgent open alert that nobody works on, claimed by whoever asks; none if nothing
    /// waits. Of several who ask at once each gets another one, and their claims are written
    /// together.
    pub async fn next_alert(&self, worker: &Worker) -> Result<Option<Alert>, Error> {
        for _ in 0..TRIES {
            let _room = self.claims.room.acquire().await;
            let Some((alert, _mark)) = self.take_next(worker).await? else {
                return Ok(None);
            };
            match self.claim_alert(worker, alert).await {
                // Somebody has claimed or closed this very one by its identifier.
                Err(Error::Changed) => {}
                claimed => return claimed.map(Some),
            }
        }
        Err(Error::Changed)
    }

    /// Writes alerts as they are, at most 256 in one entry: what another desk had, or a bench.
    pub async fn put_alerts(&self, tenant: &TenantId, alerts: Vec<Alert>) -> Result<(), Error> {
        let row = |mut alert: Alert| {
            let change = alert.change.clone();
            let links = Links {
                new: alert.targets().into_iter().collect(),
                ..Links::default()
            };
            self.next(tenant, &mut alert, change, links)
        };
        let rows = alerts.into_iter().map(row).collect::<Result<_, _>>()?;
        let what = ("payment_alert.open", "many");
        self.write(&who(tenant), what, None, rows).await
    }

    /// The most urgent alert that nobody works on or is about to claim, marked as about to be.
    async fn take_next(&self, worker: &Worker) -> Result<Option<(Alert, Mark<'_>)>, Error> {
        let _alone = self.claims.looking.lock().await;
        // What is written while the page is read may stand on it as if nobody worked on it.
        let passed = self.claims.marked().clone();
        let query = WorkQuery {
            assignee: Some(Assignee::Nobody),
            limit: passed.len() as u32 + 1,
            ..WorkQuery::of(AlertState::Open)
        };
        let found = self.alerts(worker, &query).await?.items.into_iter();
        let mut free = found.filter(|alert| !passed.contains(&alert.id));
        Ok(free.find_map(|alert| self.claims.mark(&alert.id).map(|mark| (alert, mark))))
    }

    /// Alerts that are linked to something, newest first, at most 100 of those that the worker
    /// sees; and where to go on, if there may be more.
    pub async fn alerts_linked(
        &self,
        worker: &Worker,
        link: &Link,
        before: Option<&str>,
    ) -> Result<(Vec<Alert>, Option<String>), Error> {
        match link {
            Link::Entity(entity) => self.linked(worker, &entity.target(), before).await,
            Link::Group(group) => {
                let group: String = group.chars().take(64).collect();
                self.linked(worker, &group_target(&group), before).await
            }
            Link::Decision(number) => {
                let mut alerts = Vec::new();
                for engine in Engine::ALL {
                    let hit = target(engine, *number);
                    alerts.extend(self.linked::<Alert>(worker, &hit, before).await?.0);
                }
                Ok((alerts, None))
            }
        }
    }

    /// One page over all queues that are asked for: the most urgent of each, merged.
    pub(crate) async fn page<T: Item, S>(
        &self,
        worker: &Worker,
        query: &WorkQuery<S>,
        state: u8,
    ) -> Result<Page<T>, Error> {
        let limit = query.limit.clamp(1, PAGE_MAX);
        let asked = |queue: &&String| query.queue.as_ref().is_none_or(|one| one == *queue);
        let (from, before) = query
            .priority
            .map_or((i64::MIN, i64::MAX), Priority::urgencies);
        let assignee = query.assignee.as_ref().map(|assignee| match assignee {
            Assignee::Nobody => "",
            Assignee::Somebody(name) => name,
        });
        let after = query.after.as_ref();
        let mut places: Vec<WorkPlace> = Vec::new();
        for queue in worker.queues.iter().filter(asked) {
            let filter = WorkFilter {
                kind: T::KIND,
                queue,
                state,
                assignee,
                from,
                before,
                after: after.map(|place| (place.urgency, &*place.id)),
            };
            let found = self
                .database
                .work_items(worker.tenant(), &filter, limit + 1);
            places.extend(found.await?);
        }
        places.sort_by(|one, other| (one.urgency, &one.id).cmp(&(other.urgency, &other.id)));
        let is_more = places.len() > limit as usize;
        places.truncate(limit as usize);
        let last = places.last().map(|place| Place {
            urgency: place.urgency,
            id: place.id.clone(),
        });
        Ok(Page {
            items: self.all(&places).await?,
            next: last.filter(|_| is_more),
        })
    }

    /// Items of a kind that are linked to something, newest first, at most 100; those that the
    /// worker does not see are left out. Where to go on, if there may be more.
    pub(crate) async fn linked<T: Item>(
        &self,
        worker: &Worker,
        target: &str,
        before: Option<&str>,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let end = format!("{}~", T::PREFIX);
        let before = before.filter(|id| *id < end.as_str()).unwrap_or(&end);
        let tenant = worker.tenant();
        let links = self
            .database
            .work_linked_to(tenant, target, before, PAGE_MAX);
        let links = links.await?;
        let is_full = links.len() == PAGE_MAX as usize;
        let ids: Vec<String> = links.into_iter().map(|link| link.item).collect();
        let own: Vec<String> = ids
            .into_iter()
            .filter(|id| id.starts_with(T::PREFIX))
            .collect();
        let next = own.last().filter(|_| is_full).cloned();
        let mut places = self.database.work_places(tenant, &own).await?;
        places.retain(|place| worker.sees(&place.queue));
        places.sort_by(|one, other| other.id.cmp(&one.id));
        Ok((self.all(&places).await?, next))
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            room: Semaphore::new(CLAIMS_MAX),
            looking: Mutex::default(),
            marked: StdMutex::default(),
        }
    }
}

impl Claims {
    fn marked(&self) -> MutexGuard<'_, HashSet<String>> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks an alert, unless it is marked.
    fn mark(&self, id: &str) -> Option<Mark<'_>> {
        self.marked().insert(id.to_owned()).then(|| Mark {
            claims: self,
            id: id.to_owned(),
        })
    }
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        self.claims.marked().remove(&self.id);
    }
}

impl<S> WorkQuery<S> {
    /// Everything that stands here.
    pub fn of(state: S) -> Self {
        Self {
            state,
            queue: None,
            assignee: None,
            priority: None,
            after: None,
            limit: PAGE_MAX,
        }
    }
}

#[cfg(test)]
mod tests;
