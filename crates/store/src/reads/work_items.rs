//! Work items: whose turn it is, what is about whom, and the decisions that may need one.

use super::limited;
use crate::{
    Database, DecisionRow, Error, RecordRow, WorkLink, WorkPlace,
    sql::{Fields, Lookup, Value},
};
use paywarden_domain::{Outcome, TenantId};
use std::collections::HashMap;

/// The most rows of one answer.
const PAGE_MAX: u32 = 200;
/// The most decisions of one answer.
const DECISIONS_MAX: u32 = 1_000;

/// Which work items of a queue are asked for; the most urgent come first.
#[derive(Debug, Clone, Copy)]
pub struct WorkFilter<'f> {
    /// What kind of thing.
    pub kind: &'f str,
    /// Where it waits.
    pub queue: &'f str,
    /// Where it stands.
    pub state: u8,
    /// Who works on it, empty for nobody; whoever does if none.
    pub assignee: Option<&'f str>,
    /// No more urgent than this.
    pub from: i64,
    /// More urgent than this.
    pub before: i64,
    /// Behind the one of this urgency and identifier.
    pub after: Option<(i64, &'f str)>,
}

/// Decisions that stand out by one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salience {
    /// The verdict is this or stricter.
    pub outcome_min: Option<Outcome>,
    /// The score of either engine is at least this.
    pub score_min: Option<u16>,
}

impl Database {
    /// Work items by urgency and identifier, at most 200.
    pub async fn work_items(
        &self,
        tenant: &TenantId,
        filter: &WorkFilter<'_>,
        limit: u32,
    ) -> Result<Vec<WorkPlace>, Error> {
        let (urgency, id) = filter.after.unwrap_or((filter.from, ""));
        let mut values = vec![
            tenant.as_str().into(),
            filter.kind.into(),
            filter.queue.into(),
            Value::Number(filter.state.into()),
            urgency.max(filter.from).into(),
            id.into(),
            filter.before.into(),
            limited(limit, PAGE_MAX)?,
        ];
        let held = match filter.assignee {
            None => "AND assignee >= ''",
            Some(assignee) => {
                values.push(assignee.into());
                "AND assignee = $9"
            }
        };
        let rest = format!(
            "WHERE tenant = $1 AND kind = $2 AND queue = $3 AND state = $4 {held}
             AND urgency >= $5 AND (urgency > $5 OR id > $6) AND urgency < $7
             ORDER BY urgency, id LIMIT $8"
        );
        self.select(&rest, &values).await
    }

    /// Where these are found, in no order; those that are not there are left out.
    pub async fn work_places(
        &self,
        tenant: &TenantId,
        ids: &[String],
    ) -> Result<Vec<WorkPlace>, Error> {
        let lookup = Lookup::<WorkPlace>::by(self.backend(), "id");
        let places = lookup.run(&mut *self.reader().await?, ids).await?;
        let own = places.into_iter().filter(|place| place.tenant == *tenant);
        Ok(own.collect())
    }

    /// The newest versions of these, in their order.
    pub async fn work_records(&self, places: &[WorkPlace]) -> Result<Vec<RecordRow>, Error> {
        let keys: Vec<String> = places.iter().map(WorkPlace::record).collect();
        let lookup = Lookup::<RecordRow>::by(self.backend(), "record");
        let found = lookup.run(&mut *self.reader().await?, &keys).await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|row| (row.record(), row)).collect();
        let missing = || Error::corrupt("a work item has no record of its version");
        let records = keys.iter().map(|key| found.remove(key).ok_or_else(missing));
        records.collect()
    }

    /// The newest of a kind that is about somebody, stands in this queue and in this state.
    pub async fn work_item_about(
        &self,
        tenant: &TenantId,
        (kind, queue, state): (&str, &str, u8),
        subject: &str,
    ) -> Result<Option<WorkPlace>, Error> {
        let rest = "WHERE subject = $1 AND tenant = $2 AND kind = $3 AND queue = $4 AND state = $5
            ORDER BY id DESC LIMIT 1";
        let values = [
            subject.into(),
            tenant.as_str().into(),
            kind.into(),
            queue.into(),
            Value::Number(state.into()),
        ];
        self.select_one(rest, &values).await
    }

    /// Work items that are linked to something, from the last identifier before `before` down; at
    /// most 200.
    pub async fn work_linked_to(
        &self,
        tenant: &TenantId,
        target: &str,
        before: &str,
        limit: u32,
    ) -> Result<Vec<WorkLink>, Error> {
        let rest = "WHERE target = $1 AND tenant = $2 AND item < $3 ORDER BY item DESC LIMIT $4";
        let values = [
            target.into(),
            tenant.as_str().into(),
            before.into(),
            limited(limit, PAGE_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// Every link to one of these, in no order.
    pub async fn work_links(
        &self,
        tenant: &TenantId,
        targets: &[String],
    ) -> Result<Vec<WorkLink>, Error> {
        let lookup = Lookup::<WorkLink>::by(self.backend(), "target");
        let links = lookup.run(&mut *self.reader().await?, targets).await?;
        let own = links.into_iter().filter(|link| link.tenant == *tenant);
        Ok(own.collect())
    }

    /// The tenants whose work items of these kinds are not found in as many versions as there are.
    pub async fn work_unindexed(&self, kinds: [&str; 2]) -> Result<Vec<TenantId>, Error> {
        let text = "SELECT written.tenant FROM
            (SELECT tenant, COUNT(*) AS versions FROM records
                WHERE kind IN ($1, $2) GROUP BY tenant) written
            LEFT JOIN (SELECT tenant, CAST(SUM(version) AS BIGINT) AS versions FROM work_items
                WHERE kind IN ($1, $2) GROUP BY tenant) found
            ON found.tenant = written.tenant
            WHERE found.versions IS NULL OR found.versions <> written.versions
            ORDER BY written.tenant";
        let [first, second] = kinds;
        let rows = sqlx::query(text).bind(first).bind(second);
        let rows = rows.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| Fields::of(row).parsed(TenantId::parse);
        rows.iter().map(read).collect()
    }

    /// How many work items of two kinds, each in its state, wait in every queue.
    pub async fn work_queues(
        &self,
        [first, second]: [(&str, u8); 2],
    ) -> Result<Vec<(TenantId, String, u64)>, Error> {
        let text = "SELECT tenant, queue, COUNT(*) FROM work_items
            WHERE (kind = $1 AND state = $2) OR (kind = $3 AND state = $4)
            GROUP BY tenant, queue ORDER BY tenant, queue";
        let rows = sqlx::query(text)
            .bind(first.0)
            .bind(i16::from(first.1))
            .bind(second.0)
            .bind(i16::from(second.1));
        let rows = rows.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            let mut fields = Fields::of(row);
            let tenant = fields.parsed(TenantId::parse)?;
            Ok((tenant, fields.take()?, fields.counted()?))
        };
        rows.iter().map(read).collect()
    }

    /// The decisions of a tenant with numbers from `first` to `last` that stand out, in order; at
    /// most 1,000.
    pub async fn decisions_salient(
        &self,
        tenant: &TenantId,
        (first, last): (i64, i64),
        salience: Salience,
    ) -> Result<Vec<DecisionRow>, Error> {
        // Nothing is stricter than the last outcome, and no score is higher than 1000.
        let outcome = salience
            .outcome_min
            .map_or(Outcome::ALL.len() as i64, |outcome| outcome as i64);
        let score = salience.score_min.map_or(1_001, i64::from);
        let rest = "WHERE tenant = $1 AND event_no >= $2 AND event_no <= $3
            AND (outcome >= $4 OR fraud_score >= $5 OR laundering_score >= $5)
            ORDER BY event_no LIMIT $6";
        let values = [
            tenant.as_str().into(),
            first.into(),
            last.into(),
            outcome.into(),
            score.into(),
            limited(DECISIONS_MAX, DECISIONS_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// Records of a kind of one tenant between two identifiers, both left out, by identifier: the
    /// newest version of each; at most 200.
    pub async fn records_between(
        &self,
        tenant: &TenantId,
        kind: &str,
        (after, before): (&str, &str),
        limit: u32,
    ) -> Result<Vec<RecordRow>, Error> {
        let rest = "WHERE tenant = $1 AND kind = $2 AND id > $3 AND id < $4
            AND NOT EXISTS (SELECT 1 FROM records later WHERE later.kind = records.kind
                AND later.id = records.id AND later.version > records.version)
            ORDER BY id LIMIT $5";
        let values = [
            tenant.as_str().into(),
            kind.into(),
            after.into(),
            before.into(),
            limited(limit, PAGE_MAX)?,
        ];
        self.select(rest, &values).await
    }
}
