//! Sessions over a restart: kept, sealed, when the server stops in order, taken up once when it
//! starts, so that replacing the program signs nobody out.
//!
//! After a crash there are none: one that was ended since could otherwise come back. Nor is a
//! record taken up twice: the next version, without sessions, is durable before the first one opens
//! a door.

use super::{Session, Staff, error::Error, itself};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Entry, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const KIND: &str = "staff_sessions";

/// The sessions of one company, with what both clocks showed.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    at_us: u64,
    sessions: Vec<([u8; 32], Session)>,
}

impl Staff {
    /// Keeps the sessions for the next start. To be called when no request comes any more.
    pub async fn keep_sessions(&self) -> Result<(), Error> {
        let mut by_tenant = BTreeMap::<TenantId, Vec<_>>::new();
        for (key, session) in self.sessions.all() {
            let tenant = session.tenant.clone();
            by_tenant.entry(tenant).or_default().push((key, session));
        }
        for (tenant, sessions) in by_tenant {
            let (at, at_us) = self.now();
            let kept = Kept {
                at,
                at_us,
                sessions,
            };
            let before = self.database.record(KIND, tenant.as_str()).await?;
            let version = before.map_or(1, |row| row.version + 1);
            self.write_kept(&tenant, version, "staff.sessions.keep", &kept)
                .await?;
        }
        Ok(())
    }

    /// Takes up the sessions of the server before. Those that have ended in between stay ended.
    pub async fn take_up_sessions(&self) -> Result<(), Error> {
        let mut after = String::new();
        while let Some(row) = self.next_kept(&after).await? {
            after.clone_from(&row.id);
            let kept: Kept = self.unseal_body(&row)?;
            if kept.sessions.is_empty() {
                continue;
            }
            let (at, at_us) = self.now();
            let none = Kept {
                at,
                at_us,
                sessions: Vec::new(),
            };
            self.write_kept(
                &row.tenant,
                row.version + 1,
                "staff.sessions.take_up",
                &none,
            )
            .await?;
            let ahead_us = kept.clock_ahead_us(at, at_us);
            for (key, session) in kept.sessions {
                self.sessions.take_up(key, session.by_clock_ahead(ahead_us));
            }
        }
        Ok(())
    }

    async fn next_kept(&self, after: &str) -> Result<Option<RecordRow>, Error> {
        let page = self.database.records_newest(KIND, after, 1).await?;
        Ok(page.into_iter().next())
    }

    async fn write_kept(
        &self,
        tenant: &TenantId,
        version: i64,
        action: &'static str,
        kept: &Kept,
    ) -> Result<(), Error> {
        let row = RecordRow {
            tenant: tenant.clone(),
            kind: KIND.to_owned(),
            id: tenant.as_str().to_owned(),
            version,
            written_at: kept.at,
            body: Vec::new(),
        };
        let author = itself("signing nobody out");
        let entry = Entry {
            tenant: tenant.clone(),
            actor: author.actor,
            purpose: author.purpose,
            action,
            object: "sessions".to_owned(),
            rows: vec![Row::Record(self.seal_body(row, kept)?)],
        };
        self.journal.append(entry).await?;
        Ok(())
    }
}

impl Kept {
    /// How much more this process's clock shows than the one before showed at the same moment. A
    /// wall clock that was set back in between counts as no time at all.
    fn clock_ahead_us(&self, now: Timestamp, now_us: u64) -> i64 {
        let apart_us = (now.micros() - self.at.micros()).max(0);
        let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
        signed(now_us) - signed(self.at_us) - apart_us
    }
}
