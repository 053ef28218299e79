//! The requests that have no answer, in memory: the page of metrics and the job that tells of overdue
//! ones ask for them again and again.

use super::{OPEN_MAX, PAGE, REQUEST, SubjectRequest};
use crate::Error;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::Database;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Requests that have no answer, by identifier.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<String, Open>>);

struct Open {
    tenant: TenantId,
    due_at: Timestamp,
    is_told: bool,
}

impl Requests {
    /// Those that the store knows.
    pub(crate) async fn load(database: &Database) -> Result<Self, Error> {
        let (requests, mut after) = (Self::default(), String::new());
        loop {
            let page = database.records_newest(REQUEST, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(requests);
            };
            after.clone_from(&last.id);
            for row in &page {
                requests.put(&row.tenant, &SubjectRequest::read(row)?);
            }
        }
    }

    pub(super) fn put(&self, tenant: &TenantId, request: &SubjectRequest) {
        let mut open = self.lock();
        if request.answer.is_some() {
            open.remove(&request.id);
            return;
        }
        let one = Open {
            tenant: tenant.clone(),
            due_at: request.due_at,
            is_told: false,
        };
        open.insert(request.id.clone(), one);
    }

    pub(super) fn must_have_room(&self, tenant: &TenantId) -> Result<(), Error> {
        let open = self.lock();
        let count = open.values().filter(|one| one.tenant == *tenant).count();
        match count < OPEN_MAX {
            true => Ok(()),
            false => Err(Error::RequestLimit),
        }
    }

    /// Identifiers before this one, newest first.
    pub(super) fn open(
        &self,
        tenant: &TenantId,
        (before, due_before): (&str, Option<Timestamp>),
        limit: u32,
    ) -> Vec<String> {
        let is_meant = |one: &Open| {
            one.tenant == *tenant && due_before.is_none_or(|moment| one.due_at <= moment)
        };
        let open = self.lock();
        let ids = open.range(..before.to_owned()).rev();
        let meant = ids.filter(|(_, one)| is_meant(one));
        let meant = meant.map(|(id, _)| id.clone());
        meant.take(limit as usize).collect()
    }

    /// Those that are overdue and not told of.
    pub(super) fn untold(&self, now: Timestamp) -> Vec<(String, TenantId)> {
        let open = self.lock();
        let overdue = open.iter();
        let overdue = overdue.filter(|(_, one)| one.due_at <= now && !one.is_told);
        overdue
            .map(|(id, one)| (id.clone(), one.tenant.clone()))
            .collect()
    }

    pub(super) fn told(&self, id: &str) {
        if let Some(one) = self.lock().get_mut(id) {
            one.is_told = true;
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many of them are overdue.
    pub(super) fn overdue(&self, now: Timestamp) -> usize {
        let open = self.lock();
        open.values().filter(|one| one.due_at <= now).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
