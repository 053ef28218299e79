//! Rows that are handed out: so many a day to whoever looks, and beyond that by an export that was
//! approved.

use super::{Call, query::Query};
use crate::{
    edge::{Code, Problem},
    state::State,
};
use paywarden_access::approval::{Collection, Who};
use paywarden_domain::{Timestamp, time::DAY};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The parameter that names the approval of an export.
pub(crate) const EXPORT: &str = "export";

/// How many rows each reader has had today, and how many each open export.
///
/// It is counted in memory: a restart begins anew, and each node counts for itself.
#[derive(Debug, Default)]
pub(crate) struct Handouts(Mutex<HashMap<String, Handout>>);

#[derive(Debug)]
struct Handout {
    rows: u64,
    until: Timestamp,
}

/// Rows set aside for one reply; what it does not take is given back.
#[must_use = "rows that are not taken are given back"]
pub(crate) struct Reserved<'h> {
    handouts: &'h Handouts,
    whom: String,
    rows: u64,
}

impl Handouts {
    /// Sets aside up to `wanted` rows of the `rows_max` that `whom` may have until `until`.
    fn reserve(
        &self,
        whom: String,
        (rows_max, until): (u64, Timestamp),
        wanted: u64,
        now: Timestamp,
    ) -> Reserved<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&whom) {
            all.retain(|_, handout| handout.until > now);
        }
        let fresh = Handout { rows: 0, until };
        let handout = all.entry(whom.clone()).or_insert(fresh);
        if handout.until <= now {
            *handout = Handout { rows: 0, until };
        }
        let rows = wanted.min(rows_max.saturating_sub(handout.rows));
        handout.rows += rows;
        Reserved {
            handouts: self,
            whom,
            rows,
        }
    }

    fn give_back(&self, whom: &str, rows: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handout) = all.get_mut(whom) {
            handout.rows = handout.rows.saturating_sub(rows);
        }
    }
}

impl Reserved<'_> {
    /// Refused where rows are wanted and none are left.
    fn unless_none(self, wanted: u32) -> Result<Self, Problem> {
        match self.rows == 0 && wanted > 0 {
            true => Err(required()),
            false => Ok(self),
        }
    }

    /// How many rows the reply may have.
    pub(crate) fn rows(&self) -> u32 {
        u32::try_from(self.rows).unwrap_or(u32::MAX)
    }

    /// So many were taken.
    pub(crate) fn took(mut self, rows: usize) {
        self.rows = self.rows.saturating_sub(rows as u64);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.handouts.give_back(&self.whom, self.rows);
    }
}

/// Sets rows of a collection aside for the caller: by the export that the query names, or of what
/// may be looked at in a day (UTC). Refuses when nothing is left.
pub(crate) async fn reserve<'c>(
    call: &'c Call,
    collection: Collection,
    query: &Query<'_>,
    wanted: u32,
) -> Result<Reserved<'c>, Problem> {
    let (state, who, now) = (&call.state, call.who(), call.state.clock.now());
    if let Some(by_export) = by_export((state, &who), collection, query, wanted).await? {
        return Ok(by_export);
    }
    let midnight = (now.micros().div_euclid(DAY) + 1).saturating_mul(DAY);
    let whom = format!("{} {} {}", who.tenant, who.actor, collection.name());
    let may = (
        state.limits.rows_per_reader_per_day,
        Timestamp::from_micros(midnight),
    );
    let reserved = state.handouts.reserve(whom, may, wanted.into(), now);
    reserved.unless_none(wanted)
}

/// The same of lists that everybody may look at as much as they like: nothing is set aside unless the
/// query names an export.
pub(crate) async fn by_export<'s>(
    (state, who): (&'s State, &Who),
    collection: Collection,
    query: &Query<'_>,
    wanted: u32,
) -> Result<Option<Reserved<'s>>, Problem> {
    let Some(id) = query.find(EXPORT) else {
        return Ok(None);
    };
    let open = state.approvals.export(who, id).await?;
    if open.export.collection != collection {
        let detail = "the export is of another collection";
        return Err(Problem::new(Code::ApprovalOtherPayload, detail));
    }
    let whom = format!("{} {}", who.tenant, open.approval);
    let (may, now) = ((open.export.rows, open.until), state.clock.now());
    let reserved = state.handouts.reserve(whom, may, wanted.into(), now);
    reserved.unless_none(wanted).map(Some)
}

/// How many rows a reply may have of which some may be set aside.
pub(crate) fn rows(reserved: Option<&Reserved<'_>>, wanted: u32) -> u32 {
    reserved.map_or(wanted, Reserved::rows)
}

/// The same of queues of work: their front is what people look at all day, and not counted.
/// Whoever reads on behind it, or by an export, is.
pub(crate) async fn reserve_behind<'c>(
    call: &'c Call,
    collection: Collection,
    query: &Query<'_>,
    wanted: u32,
) -> Result<Option<Reserved<'c>>, Problem> {
    match query.find("cursor").or_else(|| query.find(EXPORT)) {
        None => Ok(None),
        Some(_) => reserve(call, collection, query, wanted).await.map(Some),
    }
}

/// Takes the rows of a reply out of what was set aside; what was found beyond that is refused. By an
/// export it is written down first which decisions these rows tell of.
pub(crate) async fn hand_out(
    call: &Call,
    query: &Query<'_>,
    reserved: Option<Reserved<'_>>,
    (count, decisions): (usize, Vec<String>),
) -> Result<(), Problem> {
    if let Some(reserved) = reserved {
        if reserved.rows < count as u64 {
            return Err(required());
        }
        if let Some(approval) = query.find(EXPORT) {
            let vault = &call.state.vault;
            vault.hand_out(&call.who(), approval, &decisions).await?;
        }
        reserved.took(count);
    }
    Ok(())
}

/// The refusal of more rows.
pub(crate) fn required() -> Problem {
    let detail = "as many rows as may be looked at were handed out: ask for an export";
    Problem::new(Code::ExportRequired, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn rows_are_few_a_day_and_what_is_not_taken_comes_back() {
        let handouts = Handouts::default();
        let reserve = |whom: &str, wanted, now| {
            handouts.reserve(whom.to_owned(), (10, at(100)), wanted, at(now))
        };
        reserve("a", 6, 1).took(6);
        reserve("a", 6, 1).took(1);
        drop(reserve("a", 6, 1));
        let (one, other) = (reserve("a", 2, 2), reserve("a", 2, 2));
        assert_eq!((one.rows(), other.rows()), (2, 1));
        one.took(2);
        other.took(1);
        assert_eq!(reserve("a", 1, 99).rows(), 0);
        assert_eq!(reserve("b", 20, 99).rows(), 10);
        let next = handouts.reserve("a".to_owned(), (10, at(200)), 20, at(100));
        assert_eq!(next.rows(), 10);
    }
}
