//! Messages to the systems of companies, their deliveries, and each attempt.

use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// The longest sealed body of a message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its identifier; equal messages have equal ones, and the second is left out.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it tells of, such as `decision.created`.
    pub event: String,
    /// When it was put down.
    pub created_at: Timestamp,
    /// The body, sealed; at most 256 KiB.
    pub body: Vec<u8>,
    /// The decision, payment, alert or case that it is about; empty if it is about none.
    pub about: String,
}

/// A message on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The message.
    pub message: String,
    /// The endpoint.
    pub endpoint: String,
    /// Whose they are.
    pub tenant: TenantId,
    /// What the message tells of.
    pub event: String,
    /// When the message was put down.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// How often since it was put down; counted from -1 once it was asked for again.
    pub tries: i64,
    /// When it is tried next; none unless it waits.
    pub due_at: Option<Timestamp>,
    /// When it was tried last.
    pub last_at: Option<Timestamp>,
    /// What was answered last; none if nothing was.
    pub last_status: Option<u16>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DeliveryState {
    /// It is tried when it is due.
    Waiting,
    /// It has arrived.
    Delivered,
    /// It did not arrive in any attempt.
    GivenUp,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The message.
    pub message: String,
    /// The endpoint.
    pub endpoint: String,
    /// From 1.
    pub attempt_no: i64,
    /// When.
    pub tried_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// What was answered; none if nothing was.
    pub status: Option<u16>,
    /// Why it did not arrive, in our words.
    pub failure: Option<String>,
}

impl DeliveryState {
    /// Every state, by its stored number.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The word used in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Debug for MessageRow {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRow")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

fn status(fields: &mut Fields<'_>) -> Result<Option<u16>, Error> {
    let status: Option<i64> = fields.take()?;
    let status = status.map(u16::try_from).transpose();
    status.map_err(|_| Error::corrupt("a status is no status"))
}

fn time(fields: &mut Fields<'_>) -> Result<Option<Timestamp>, Error> {
    Ok(fields.take::<Option<i64>>()?.map(Timestamp::from_micros))
}

impl Stored for MessageRow {
    const TABLE: &'static str = "messages";
    const COLUMNS: &'static [&'static str] =
        &["id", "tenant", "event", "created_at", "body", "about"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            event: fields.take()?,
            created_at: Timestamp::from_micros(fields.take()?),
            body: fields.take()?,
            about: fields.take()?,
        })
    }
}

impl Insertable for MessageRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.event.as_str())
            .bind(self.created_at.micros())
            .bind(self.body.as_slice())
            .bind(self.about.as_str())
    }
}

impl Stored for DeliveryRow {
    const TABLE: &'static str = "deliveries";
    const COLUMNS: &'static [&'static str] = &[
        "message",
        "endpoint",
        "tenant",
        "event",
        "created_at",
        "state",
        "attempts",
        "tries",
        "due_at",
        "last_at",
        "last_status",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            message: fields.take()?,
            endpoint: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            event: fields.take()?,
            created_at: Timestamp::from_micros(fields.take()?),
            state: fields
                .numbered(|number| DeliveryState::ALL.get(usize::from(number)).copied())?,
            attempts: fields.take()?,
            tries: fields.take()?,
            due_at: time(fields)?,
            last_at: time(fields)?,
            last_status: status(fields)?,
        })
    }
}

impl Insertable for DeliveryRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.message.as_str())
            .bind(self.endpoint.as_str())
            .bind(self.tenant.as_str())
            .bind(self.event.as_str())
            .bind(self.created_at.micros())
            .bind(self.state as i16)
            .bind(self.attempts)
            .bind(self.tries)
            .bind(self.due_at.map(Timestamp::micros))
            .bind(self.last_at.map(Timestamp::micros))
            .bind(self.last_status.map(i64::from))
    }
}

impl Stored for AttemptRow {
    const TABLE: &'static str = "attempts";
    const COLUMNS: &'static [&'static str] = &[
        "message",
        "endpoint",
        "attempt_no",
        "tried_at",
        "took_ms",
        "status",
        "failure",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            message: fields.take()?,
            endpoint: fields.take()?,
            attempt_no: fields.take()?,
            tried_at: Timestamp::from_micros(fields.take()?),
            took_ms: fields.take()?,
            status: status(fields)?,
            failure: fields.take()?,
        })
    }
}

impl Insertable for AttemptRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.message.as_str())
            .bind(self.endpoint.as_str())
            .bind(self.attempt_no)
            .bind(self.tried_at.micros())
            .bind(self.took_ms)
            .bind(self.status.map(i64::from))
            .bind(self.failure.as_deref())
    }
}
