//! The trail: one leaf per entry, in one Merkle tree per tenant (RFC 6962, RFC 9162).
//!
//! ```text
//! leaf        the bytes of what happened          change   which rows, digest before and after
//! merkle      hashes, proofs: pure                tile     names of C2SP tlog-tiles
//! growth      the writer's side                   read     roots, proofs, tiles from the store
//! checkpoint  signed tree heads (C2SP)            notary   makes, keeps and cosigns them
//! verify      walks everything again              export   how far receivers outside have it
//! ```
//!
//! *Invariant*: a tree only grows, and grows in the transaction that writes what its leaves say.

mod cbor;
mod change;
pub mod checkpoint;
mod export;
mod growth;
mod leaf;
pub mod merkle;
pub mod notary;
pub mod proof;
mod read;
mod rows;
mod tile;
mod verify;
mod work;

pub(crate) use change::Digester;
pub use change::{Change, RowKey, RowRef};
pub use checkpoint::{Checkpoint, origin};
pub use export::Standing;
pub use growth::TILE_WIDTH;
pub(crate) use growth::{Growth, Statements, Trees};
pub(crate) use leaf::Bundle;
pub use leaf::{Leaf, leaves};
pub use merkle::Hash;
pub use notary::Notary;
pub(crate) use read::Reader;
pub use read::{LEAVES_MAX, TreeHead};
pub use tile::{Resource, TilePath};
pub use verify::{ClockStep, Fault, Intact, Patrolled, Place, Trust, Verdict};
pub(crate) use work::{Command, Done, Work};

use crate::{Clock, Database, Error};
use sqlx::{AnyConnection, Row as _};
use std::fmt::Write as _;

/// The name of the secret that digests of rows are made with.
const SECRET: &str = "trail_secret";
/// The name of the identifier of this store, part of every origin.
const IDENTITY: &str = "trail_id";

impl Database {
    /// The identifier of this store: 16 hexadecimal digits, given when it was first written to.
    pub async fn trail_id(&self) -> Result<String, Error> {
        let found = meta(&mut *self.reader().await?, IDENTITY).await?;
        found.ok_or_else(|| Error::invalid("nothing was written to this store yet"))
    }
}

/// What makes the digests of rows. The first writer of a store chooses its secret and its name.
pub(crate) async fn digester(
    connection: &mut AnyConnection,
    clock: &Clock,
) -> Result<Digester, Error> {
    let chosen = [
        (SECRET, hexadecimal(&clock.random::<32>())),
        (IDENTITY, hexadecimal(&clock.random::<8>())),
    ];
    for (name, value) in chosen {
        sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value)
            .execute(&mut *connection)
            .await?;
    }
    stored_digester(connection).await
}

/// The same, of a store that has been written to.
pub(crate) async fn stored_digester(connection: &mut AnyConnection) -> Result<Digester, Error> {
    let text = meta(connection, SECRET).await?.unwrap_or_default();
    let secret = bytes(&text).ok_or_else(|| Error::corrupt("the secret of the trail"))?;
    Ok(Digester::new(&secret))
}

async fn meta(connection: &mut AnyConnection, name: &str) -> Result<Option<String>, Error> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 64 hexadecimal digits as bytes.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}
