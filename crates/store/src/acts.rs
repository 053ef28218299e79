//! Acts: the leaves that somebody left other than by having a payment decided, and how far their
//! readers have come.
//!
//! A copy of each such leaf is written by the transaction that writes the leaf. The trail stays
//! the proof; the copies make it possible to read ninety days of acts again in a moment.

use crate::{
    Database, Entry, Error, Row,
    sql::{AnyQuery, Fields, Insertable, Stored},
    trail::Leaf,
};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::{AnyConnection, Row as _};
use tokio::sync::oneshot;

/// The most acts of one answer.
pub const ACTS_MAX: u32 = 1_000;

/// The most acts of one row.
const RUN_MAX: i64 = 64;
/// Rows that are asked for first; twice as many each time that they have too few acts.
const RUNS_FIRST: i64 = 16;

/// The part of Paywarden that watches acts. What it writes is none: it would watch itself.
pub const WATCH: &str = "watch";

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Number of its leaf over the trees of all tenants.
    pub seq: i64,
    /// Whose data it is about.
    pub tenant: TenantId,
    /// When it was written.
    pub written_at: Timestamp,
    /// The bytes of its leaf.
    pub leaf: Vec<u8>,
}

impl ActRow {
    /// What the leaf says; none if the bytes are not those of a leaf of this tenant.
    pub fn read(&self) -> Option<Leaf<'_>> {
        Leaf::decode(&self.leaf).filter(|leaf| leaf.tenant == self.tenant.as_str())
    }
}

/// Whether an entry is an act.
pub(crate) fn is_act(entry: &Entry) -> bool {
    let decides = entry.rows.iter().any(|row| matches!(row, Row::Decision(_)));
    !decides && entry.actor != crate::Actor::System(WATCH)
}

/// Acts of one tenant that were written together and follow each other: one row, because whoever
/// reads asks for hundreds, and whoever writes pays for each row.
#[derive(Debug)]
pub(crate) struct ActRun {
    /// Number of the last.
    seq: i64,
    tenant: TenantId,
    written_at: Timestamp,
    /// Number of the first.
    first: i64,
    /// Their leaves, one behind the other: a CBOR sequence (RFC 8742).
    leaves: Vec<u8>,
}

impl ActRun {
    pub(crate) fn new(act: ActRow) -> Self {
        Self {
            seq: act.seq,
            tenant: act.tenant,
            written_at: act.written_at,
            first: act.seq,
            leaves: act.leaf,
        }
    }

    /// Takes an act in, if it follows the last; else it is given back.
    pub(crate) fn take(&mut self, act: ActRow) -> Option<ActRow> {
        let follows = act.seq == self.seq + 1 && act.seq - self.first < RUN_MAX;
        let fits = act.tenant == self.tenant && act.written_at == self.written_at;
        if !follows || !fits {
            return Some(act);
        }
        self.seq = act.seq;
        self.leaves.extend(act.leaf);
        None
    }

    /// Each act. Bytes that are no leaf are the last act, or the rest of it, so that whoever reads it
    /// sees that they are none.
    fn acts(&self) -> impl DoubleEndedIterator<Item = ActRow> + use<> {
        let mut rest = self.leaves.as_slice();
        let mut acts = Vec::new();
        for seq in self.first..=self.seq {
            let (leaf, behind) = match seq < self.seq {
                true => Leaf::split(rest).unwrap_or((rest, &[])),
                false => (rest, &[][..]),
            };
            acts.push(ActRow {
                seq,
                tenant: self.tenant.clone(),
                written_at: self.written_at,
                leaf: leaf.to_vec(),
            });
            rest = behind;
        }
        acts.into_iter()
    }
}

impl Stored for ActRun {
    const TABLE: &'static str = "acts";
    const COLUMNS: &'static [&'static str] = &["seq", "tenant", "written_at", "first", "leaves"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let run = Self {
            seq: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            written_at: Timestamp::from_micros(fields.take()?),
            first: fields.take()?,
            leaves: fields.take()?,
        };
        match (0..RUN_MAX).contains(&(run.seq - run.first)) {
            true => Ok(run),
            false => Err(Error::corrupt(
                "a run of acts is of no length that is written",
            )),
        }
    }
}

impl Insertable for ActRun {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.seq)
            .bind(self.tenant.as_str())
            .bind(self.written_at.micros())
            .bind(self.first)
            .bind(self.leaves.as_slice())
    }
}

/// A reader has come so far; done by the writer like every other change.
pub(crate) struct Mark {
    pub(crate) reader: &'static str,
    pub(crate) seq: i64,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

impl Mark {
    /// A mark never goes back.
    pub(crate) async fn run(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let text = "INSERT INTO marks (reader, seq) VALUES ($1, $2)
            ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > marks.seq";
        let query = sqlx::query(text).bind(self.reader).bind(self.seq);
        query.execute(connection).await?;
        Ok(())
    }
}

impl Database {
    /// Up to `limit` (at most 1,000) acts of all tenants behind number `after`, in their order.
    pub async fn acts(&self, after: i64, limit: u32) -> Result<Vec<ActRow>, Error> {
        let limit = limit.min(ACTS_MAX) as usize;
        let (mut acts, mut from) = (Vec::new(), after);
        for count in (0..).map(|round| RUNS_FIRST << round) {
            let rest = "WHERE seq > $1 ORDER BY seq LIMIT $2";
            let runs: Vec<ActRun> = self.select(rest, &[from.into(), count.into()]).await?;
            let of_runs = runs.iter().flat_map(ActRun::acts);
            acts.extend(of_runs.filter(|act| act.seq > after));
            match runs.last() {
                Some(last) if acts.len() < limit && runs.len() as i64 == count => from = last.seq,
                _ => break,
            }
        }
        acts.truncate(limit);
        Ok(acts)
    }

    /// Up to `limit` (at most 1,000) acts of one tenant before number `before`, newest first.
    pub async fn acts_of(
        &self,
        tenant: &TenantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<ActRow>, Error> {
        let limit = limit.min(ACTS_MAX) as usize;
        let (mut acts, mut to) = (Vec::new(), before);
        for count in (0..).map(|round| RUNS_FIRST << round) {
            // The second bound is what the index is asked for.
            let rest = "WHERE tenant = $1 AND first < $2 AND seq < $3 ORDER BY seq DESC LIMIT $4";
            let values = [
                tenant.as_str().into(),
                to.into(),
                to.saturating_add(RUN_MAX).into(),
                count.into(),
            ];
            let runs: Vec<ActRun> = self.select(rest, &values).await?;
            let of_runs = runs.iter().flat_map(|run| run.acts().rev());
            acts.extend(of_runs.filter(|act| act.seq < before));
            match runs.last() {
                Some(last) if acts.len() < limit && runs.len() as i64 == count => to = last.first,
                _ => break,
            }
        }
        acts.truncate(limit);
        Ok(acts)
    }

    /// The number of the last act written before a moment; 0 if there is none.
    pub async fn last_act_before(&self, time: Timestamp) -> Result<i64, Error> {
        let rest = "WHERE written_at < $1 ORDER BY written_at DESC, seq DESC LIMIT 1";
        let found: Option<ActRun> = self.select_one(rest, &[time.micros().into()]).await?;
        Ok(found.map_or(0, |run| run.seq))
    }

    /// The number of the newest act; 0 if there is none.
    pub async fn last_act(&self) -> Result<i64, Error> {
        self.number("SELECT COALESCE(MAX(seq), 0) FROM acts").await
    }

    /// How far a reader has come; none if it has never said.
    pub async fn mark(&self, reader: &str) -> Result<Option<i64>, Error> {
        let row = sqlx::query("SELECT seq FROM marks WHERE reader = $1")
            .bind(reader)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Purpose, trail::Bundle};

    fn act(seq: i64, tenant: &str) -> ActRow {
        let tenant = TenantId::parse(tenant).unwrap();
        let entry = Entry {
            tenant: tenant.clone(),
            actor: Actor::Staff("liu".to_owned()),
            purpose: Purpose::from("dispute"),
            action: "payment.view",
            object: format!("payment {seq}"),
            rows: Vec::new(),
        };
        let written_at = Timestamp::from_micros(7);
        let leaf = Bundle::default()
            .push(seq as u64, written_at, &entry, &[])
            .to_vec();
        ActRow {
            seq,
            tenant,
            written_at,
            leaf,
        }
    }

    #[test]
    fn a_run_takes_what_follows_and_gives_each_back() {
        let acts: Vec<_> = (5..5 + 2 * RUN_MAX).map(|seq| act(seq, "acme")).collect();
        let mut run = ActRun::new(acts[0].clone());
        assert_eq!(run.take(act(7, "acme")), Some(act(7, "acme")));
        assert_eq!(run.take(act(6, "other")), Some(act(6, "other")));
        let later = ActRow {
            written_at: Timestamp::from_micros(8),
            ..act(6, "acme")
        };
        assert_eq!(run.take(later.clone()), Some(later));
        let taken = acts[1..]
            .iter()
            .take_while(|act| run.take((*act).clone()).is_none());
        assert_eq!(taken.count() as i64, RUN_MAX - 1);
        let read: Vec<_> = run.acts().collect();
        assert_eq!(read, acts[..RUN_MAX as usize]);
    }

    #[test]
    fn bytes_that_are_no_leaf_are_an_act_that_cannot_be_read() {
        let mut run = ActRun::new(act(1, "acme"));
        for seq in 2..5 {
            assert_eq!(run.take(act(seq, "acme")), None);
        }
        for at in 0..run.leaves.len() {
            let mut damaged = ActRun::new(act(1, "acme"));
            (damaged.seq, damaged.leaves) = (run.seq, run.leaves.clone());
            damaged.leaves.remove(at);
            let read: Vec<_> = damaged.acts().collect();
            assert_eq!(read.len(), 4, "{at}");
            assert!(read.iter().any(|act| act.read().is_none()), "{at}");
        }
    }
}
