//! The trail: one leaf per entry, each bound to all before it by a hash.
//!
//! `hash(n) = SHA-256(0x01 ‖ hash(n-1) ‖ SHA-256(0x00 ‖ leaf(n)))`, with 32 zero bytes before the
//! first. The prefixes keep leaves and links apart, as in RFC 9162. A leaf covers the digest of
//! its manifest, which names every row written with it and the digest of that row.

mod manifest;
mod verify;

pub use manifest::RowRef;
pub(crate) use manifest::{Manifest, read_manifest};
pub use verify::{Fault, Verdict};

use crate::{
    Database, Error,
    rows::{Canonical, sha256},
    sql::{self, AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::Timestamp;
use sqlx::AnyConnection;

/// The newest leaf. Publish it outside from time to time: it pins everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailHead {
    /// Its number, from 1; 0 when the trail is empty.
    pub seq: i64,
    /// Its hash; zeros when the trail is empty.
    pub hash: [u8; 32],
}

impl TrailHead {
    /// Before the first leaf.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: [0; 32],
    };

    /// The newest leaf that is stored.
    pub(crate) async fn load(connection: &mut AnyConnection) -> Result<Self, Error> {
        let row = sqlx::query("SELECT seq, hash FROM trail ORDER BY seq DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else {
            return Ok(Self::EMPTY);
        };
        let mut fields = Fields::of(&row);
        let seq = fields.take()?;
        let hash = fields
            .hash()?
            .ok_or_else(|| Error::corrupt("a leaf has no hash"))?;
        Ok(Self { seq, hash })
    }
}

impl Database {
    /// The newest leaf of the trail.
    pub async fn trail_head(&self) -> Result<TrailHead, Error> {
        TrailHead::load(&mut *self.reader().await?).await
    }
}

/// One leaf as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) seq: i64,
    pub(crate) written_at: Timestamp,
    pub(crate) tenant: String,
    pub(crate) actor: String,
    pub(crate) purpose: String,
    pub(crate) action: String,
    pub(crate) object: String,
    pub(crate) manifest: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

impl Leaf {
    /// What the hash of this leaf has to be after `previous`.
    pub(crate) fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let leaf = Canonical::new(0)
            .number(self.seq)
            .time(self.written_at)
            .text(&self.tenant)
            .text(&self.actor)
            .text(&self.purpose)
            .text(&self.action)
            .text(&self.object)
            .bytes(&sha256(&self.manifest))
            .digest();
        let mut link = [1; 65];
        link[1..33].copy_from_slice(previous);
        link[33..].copy_from_slice(&leaf);
        sha256(&link)
    }
}

impl Stored for Leaf {
    const TABLE: &'static str = "trail";
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "written_at",
        "tenant",
        "actor",
        "purpose",
        "action",
        "object",
        "manifest",
        "hash",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            seq: fields.take()?,
            written_at: Timestamp::from_micros(fields.take()?),
            tenant: fields.take()?,
            actor: fields.take()?,
            purpose: fields.take()?,
            action: fields.take()?,
            object: fields.take()?,
            manifest: fields.take()?,
            hash: fields.take()?,
        })
    }
}

impl Insertable for Leaf {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.seq)
            .bind(self.written_at.micros())
            .bind(self.tenant.as_str())
            .bind(self.actor.as_str())
            .bind(self.purpose.as_str())
            .bind(self.action.as_str())
            .bind(self.object.as_str())
            .bind(self.manifest.as_slice())
            .bind(self.hash.as_slice())
    }
}

/// Up to `limit` leaves after `seq`, in order.
pub(crate) async fn leaves_after(
    connection: &mut AnyConnection,
    seq: i64,
    limit: i64,
) -> Result<Vec<Leaf>, Error> {
    let rest = "WHERE seq > $1 ORDER BY seq LIMIT $2";
    sql::select(connection, rest, &[seq.into(), limit.into()]).await
}
