//! How far the trail has been handed to receivers outside, such as a SIEM.

use super::work::Work;
use crate::{
    Database, Error, Journal,
    sql::{Fields, Stored, select},
};
use paywarden_domain::TenantId;
use std::collections::HashMap;

/// Where one receiver stands in the tree of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose tree it is.
    pub tenant: TenantId,
    /// The next leaf that the receiver gets.
    pub next: u64,
    /// How many leaves the tree has.
    pub size: u64,
}

struct Exported {
    tenant: String,
    next: u64,
}

impl Stored for Exported {
    const TABLE: &'static str = "trail_exports";
    const COLUMNS: &'static [&'static str] = &["tenant", "next"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            next: fields.counted()?,
        })
    }
}

impl Database {
    /// Where a receiver stands in every tree, by tenant. One that was never handed anything stands
    /// at the first leaf.
    pub async fn trail_exported(&self, receiver: &str) -> Result<Vec<Standing>, Error> {
        let mut snapshot = self.snapshot().await?;
        let values = [receiver.into()];
        let exported: Vec<Exported> = select(&mut snapshot, "WHERE receiver = $1", &values).await?;
        let trees: Vec<super::read::TreeRow> =
            select(&mut snapshot, "ORDER BY tenant", &[]).await?;
        snapshot.rollback().await?;
        let next: HashMap<_, _> = exported
            .into_iter()
            .map(|row| (row.tenant, row.next))
            .collect();
        trees
            .into_iter()
            .map(|tree| {
                let tenant = TenantId::parse(&tree.tenant);
                Ok(Standing {
                    tenant: tenant.map_err(|_| Error::corrupt("a tree of no tenant"))?,
                    next: next.get(&tree.tenant).copied().unwrap_or(0),
                    size: tree.size,
                })
            })
            .collect()
    }
}

impl Journal {
    /// Notes durably that a receiver has everything before leaf `next`. It never goes back.
    ///
    /// A full queue is [`Error::Overloaded`]: note it later, the receiver drops what it gets twice.
    pub async fn trail_handed_over(
        &self,
        receiver: &str,
        tenant: &TenantId,
        next: u64,
    ) -> Result<(), Error> {
        if receiver.is_empty() || receiver.len() > 256 || receiver.contains('\0') {
            return Err(Error::invalid("a receiver has a name of 1 to 256 bytes"));
        }
        let work = Work::Exported {
            tenant: tenant.as_str().to_owned(),
            receiver: receiver.to_owned(),
            next,
        };
        self.trail(work).await.map(drop)
    }
}
