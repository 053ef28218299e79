//! Work on messages and their deliveries, done by the writer like every other change. It leaves no
//! leaves of its own: what a message tells of has one, and whoever changes where messages go, or has
//! them sent again, leaves another.

use crate::{
    AttemptRow, Backend, DeliveryRow, Error, Journal, MessageRow,
    rows::MESSAGE_BYTES_MAX,
    sql::{Insert, InsertNew},
};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::AnyConnection;
use tokio::sync::oneshot;

/// The most messages, deliveries or attempts of one call.
pub const DELIVERIES_MAX: usize = 2_048;
/// The most deliveries that one call sends again.
pub const REPLAYED_MAX: u32 = 1_000;

/// An attempt, and where it leaves the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// The attempt.
    pub attempt: AttemptRow,
    /// The delivery afterwards.
    pub delivery: DeliveryRow,
}

/// Which deliveries of an endpoint are sent again, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Whose they are.
    pub tenant: TenantId,
    /// The endpoint.
    pub endpoint: String,
    /// One message; all of the span if none.
    pub message: Option<String>,
    /// From when their messages were put down …
    pub from: Timestamp,
    /// … until before when.
    pub until: Timestamp,
    /// Those that were given up alone.
    pub given_up_only: bool,
    /// When they are due.
    pub due_at: Timestamp,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Work {
    Send(Vec<MessageRow>, Vec<DeliveryRow>),
    Settle(Vec<Attempted>),
    Replay(Replay),
    Forget { before: Timestamp, limit: u32 },
}

pub(crate) struct Command {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<u64, Error>>,
}

impl Journal {
    /// Puts down messages, and deliveries of theirs that wait; at most 2,048 of either. What is there
    /// already is left as it is, so that a message may be handed in twice.
    pub async fn send_messages(
        &self,
        messages: Vec<MessageRow>,
        deliveries: Vec<DeliveryRow>,
    ) -> Result<(), Error> {
        let sizes = [messages.len(), deliveries.len()];
        if sizes.iter().any(|size| *size > DELIVERIES_MAX) {
            return Err(Error::invalid(
                "at most 2,048 messages or deliveries at a time",
            ));
        }
        let long = |message: &MessageRow| message.body.len() > MESSAGE_BYTES_MAX;
        if messages.iter().any(long) {
            return Err(Error::invalid("a message has at most 256 KiB"));
        }
        self.deliver(Work::Send(messages, deliveries)).await?;
        Ok(())
    }

    /// Writes down attempts, at most 2,048, and where each leaves its delivery. A delivery that was
    /// asked for again meanwhile stays due.
    pub async fn settle_deliveries(&self, attempted: Vec<Attempted>) -> Result<(), Error> {
        if attempted.len() > DELIVERIES_MAX {
            return Err(Error::invalid("at most 2,048 attempts at a time"));
        }
        self.deliver(Work::Settle(attempted)).await?;
        Ok(())
    }

    /// Makes deliveries due again, the oldest 1,000 at most; how many.
    pub async fn replay_deliveries(&self, replay: Replay) -> Result<u64, Error> {
        self.deliver(Work::Replay(replay)).await
    }

    /// Forgets messages that were put down before a moment, with all that belongs to them, at most
    /// 1,000 at a time; how many.
    pub async fn forget_messages(&self, before: Timestamp) -> Result<u64, Error> {
        let limit = REPLAYED_MAX;
        self.deliver(Work::Forget { before, limit }).await
    }
}

/// The statements of the writer.
#[derive(Debug)]
pub(crate) struct Statements {
    messages: InsertNew<MessageRow>,
    deliveries: InsertNew<DeliveryRow>,
    attempts: Insert<AttemptRow>,
}

impl Statements {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            messages: InsertNew::new(backend),
            deliveries: InsertNew::new(backend),
            attempts: Insert::new(backend),
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        work: &Work,
    ) -> Result<u64, Error> {
        match work {
            Work::Send(messages, deliveries) => {
                let (messages, deliveries): (Vec<_>, Vec<_>) =
                    (messages.iter().collect(), deliveries.iter().collect());
                self.messages.run(connection, &messages).await?;
                self.deliveries.run(connection, &deliveries).await?;
                Ok(messages.len() as u64)
            }
            Work::Settle(attempted) => {
                let attempts: Vec<_> = attempted.iter().map(|one| &one.attempt).collect();
                self.attempts.run(connection, &attempts).await?;
                for one in attempted {
                    settle(connection, &one.delivery).await?;
                }
                Ok(attempted.len() as u64)
            }
            Work::Replay(replay) => again(connection, replay).await,
            Work::Forget { before, limit } => forget(connection, *before, *limit).await,
        }
    }
}

/// `tries` stands at -1 once a delivery was asked for again: an attempt that began before that
/// leaves it due.
async fn settle(connection: &mut AnyConnection, delivery: &DeliveryRow) -> Result<(), Error> {
    let text = "UPDATE deliveries SET attempts = $1, last_at = $2, last_status = $3,
        state = CASE WHEN tries = $4 THEN $5 ELSE state END,
        due_at = CASE WHEN tries = $4 THEN $6 ELSE due_at END,
        tries = CASE WHEN tries = $4 THEN tries + 1 ELSE tries END
        WHERE message = $7 AND endpoint = $8";
    sqlx::query(text)
        .bind(delivery.attempts)
        .bind(delivery.last_at.map(Timestamp::micros))
        .bind(delivery.last_status.map(i64::from))
        .bind(delivery.tries - 1)
        .bind(delivery.state as i16)
        .bind(delivery.due_at.map(Timestamp::micros))
        .bind(delivery.message.as_str())
        .bind(delivery.endpoint.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// A delivery that is under way keeps its number of attempts, and is tried once more.
async fn again(connection: &mut AnyConnection, replay: &Replay) -> Result<u64, Error> {
    let text = "UPDATE deliveries SET state = 0, tries = -1, due_at = $1
        WHERE endpoint = $2 AND message IN (
            SELECT message FROM deliveries
            WHERE endpoint = $2 AND tenant = $3 AND created_at >= $4 AND created_at < $5
            AND ($6 = '' OR message = $6) AND ($7 = 0 OR state = $7)
            ORDER BY created_at, message LIMIT $8)";
    let state = match replay.given_up_only {
        true => crate::DeliveryState::GivenUp as i16,
        false => 0,
    };
    let done = sqlx::query(text)
        .bind(replay.due_at.micros())
        .bind(replay.endpoint.as_str())
        .bind(replay.tenant.as_str())
        .bind(replay.from.micros())
        .bind(replay.until.micros())
        .bind(replay.message.as_deref().unwrap_or_default())
        .bind(state)
        .bind(i64::from(REPLAYED_MAX))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

async fn forget(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: u32,
) -> Result<u64, Error> {
    const OLD: &str = "(SELECT id FROM messages WHERE created_at < $1
        ORDER BY created_at LIMIT $2)";
    let mut forgotten = 0;
    for table in ["attempts", "deliveries", "messages"] {
        let column = if table == "messages" { "id" } else { "message" };
        let text = format!("DELETE FROM {table} WHERE {column} IN {OLD}");
        let done = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(before.micros())
            .bind(i64::from(limit))
            .execute(&mut *connection)
            .await?;
        forgotten = done.rows_affected();
    }
    Ok(forgotten)
}
