//! The trail on its way to a SIEM: every leaf of every tenant, at least once, in the order of its
//! tree, over syslog.
//!
//! ```text
//! class    what each action is called in OCSF        event    a leaf as OCSF or CEF
//! syslog   RFC 5424 messages, counted (RFC 6587)     link     TLS (RFC 5425), or TCP on loopback
//! ```
//!
//! Syslog has no receipts. A leaf counts as handed over when it was flushed and its connection has
//! lived for [`SETTLE`] since, or when the receiver has closed an ended connection in turn. After a
//! break everything else is sent again; each record names its leaf, so that a receiver can drop
//! what it has.

mod class;
mod event;
mod link;
mod syslog;
#[cfg(test)]
mod tests;

pub use event::Format;

use crate::{config::Config, failure::Result};
use link::{Broken, Link, Target};
use paywarden_domain::TenantId;
use paywarden_server::Progress;
use paywarden_store::{Database, Error, Journal, trail::Standing};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use syslog::Syslog;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// How long a connection must have lived after a flush for what was flushed to count.
const SETTLE: Duration = Duration::from_secs(5);
/// How often it is looked for new leaves.
const LOOK: Duration = Duration::from_millis(500);
/// The most leaves in memory: read, written and flushed together.
const PAGE: u32 = 512;
/// The most flushes that wait to settle; no more is sent while there are as many.
const FLUSHES_MAX: usize = 4_096;
/// The longest that stopping takes.
const STOP_MAX: Duration = Duration::from_secs(10);
/// How long to wait before the second attempt; twice as long before each one after it.
const DELAY_MIN: Duration = Duration::from_millis(500);
/// The longest wait between two attempts.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// The running job.
pub struct Siem {
    stop: watch::Sender<bool>,
    job: JoinHandle<()>,
}

impl Siem {
    /// Starts to hand over the trail, if the configuration names a receiver.
    pub fn start(
        config: &Config,
        (database, journal): (Database, Journal),
        progress: Arc<Progress>,
    ) -> Result<Option<Self>> {
        let Some(target) = Target::of(config)? else {
            return Ok(None);
        };
        let (stop, stopped) = watch::channel(false);
        let exporter = Exporter {
            target,
            syslog: Syslog::new((config.siem_enterprise > 0).then_some(config.siem_enterprise)),
            format: config.siem_format,
            database,
            journal,
            progress,
            stopped,
        };
        let job = tokio::spawn(exporter.run());
        Ok(Some(Self { stop, job }))
    }

    /// Ends the connection in order and notes how far it got; a receiver that takes nothing is left
    /// after [`STOP_MAX`].
    pub async fn stop(mut self) {
        // Nobody hears it if the job has panicked, which is logged already.
        let _ = self.stop.send(true);
        if timeout(STOP_MAX, &mut self.job).await.is_err() {
            self.job.abort();
        }
    }
}

struct Exporter {
    target: Target,
    syslog: Syslog,
    format: Format,
    database: Database,
    journal: Journal,
    progress: Arc<Progress>,
    stopped: watch::Receiver<bool>,
}

/// What one connection has carried.
#[derive(Default)]
struct Sent {
    /// The next leaf of each tree.
    next: HashMap<TenantId, u64>,
    /// What was flushed and does not count yet, oldest first.
    flushes: VecDeque<Flush>,
}

struct Flush {
    tenant: TenantId,
    next: u64,
    at: Instant,
}

impl Exporter {
    async fn run(mut self) {
        let mut delay = DELAY_MIN;
        while !*self.stopped.borrow() {
            let sent_before = self.progress.handed();
            let Err(broken) = self.connection().await else {
                return;
            };
            self.progress.fails();
            tracing::warn!(error = %broken, receiver = self.target.name(), "trail not handed over");
            if self.progress.handed() > sent_before {
                delay = DELAY_MIN;
            }
            tokio::select! {
                () = sleep(delay) => {}
                _ = self.stopped.changed() => {}
            }
            delay = DELAY_MAX.min(2 * delay);
        }
    }

    /// One connection, until it breaks or the job is stopped.
    async fn connection(&mut self) -> std::result::Result<(), Broken> {
        let mut stopped = self.stopped.clone();
        let mut link = tokio::select! {
            link = self.target.connect() => link?,
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        };
        let mut sent = Sent::default();
        loop {
            self.settle(&mut sent, SETTLE).await?;
            let is_idle = self.look(&mut link, &mut sent).await?;
            if *stopped.borrow() {
                link.end().await?;
                return self.settle(&mut sent, Duration::ZERO).await;
            }
            let wait = if is_idle { LOOK } else { Duration::ZERO };
            tokio::select! {
                biased;
                broken = link.closed() => return Err(broken),
                () = sleep(wait) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
    }

    /// Sends at most one page of each tree; whether there was nothing to send.
    async fn look(&self, link: &mut Link, sent: &mut Sent) -> std::result::Result<bool, Broken> {
        let standings = self.database.trail_exported(self.target.name()).await?;
        self.progress.waits(standings.iter().map(lag).sum());
        let mut is_idle = true;
        for standing in &standings {
            let next = sent.next.get(&standing.tenant).copied();
            let first = next.unwrap_or(standing.next);
            if first >= standing.size || sent.flushes.len() >= FLUSHES_MAX {
                continue;
            }
            is_idle = false;
            let next = self.send(link, &standing.tenant, first).await?;
            sent.next.insert(standing.tenant.clone(), next);
            sent.flushes.push_back(Flush {
                tenant: standing.tenant.clone(),
                next,
                at: Instant::now(),
            });
        }
        Ok(is_idle)
    }

    /// Sends a page of leaves; the number of the one after it.
    async fn send(
        &self,
        link: &mut Link,
        tenant: &TenantId,
        first: u64,
    ) -> std::result::Result<u64, Broken> {
        let leaves = self.database.trail_leaves(tenant, first, PAGE).await?;
        let mut bytes = Vec::new();
        for leaf in &leaves {
            let event = event::Event::read(leaf);
            let event = event.ok_or(Broken::Unreadable)?;
            self.syslog.append(&mut bytes, &event, self.format);
        }
        link.send(&bytes).await?;
        let count = leaves.len() as u64;
        self.progress.hands(count);
        Ok(first + count)
    }

    /// Notes durably what was flushed at least so long ago.
    async fn settle(&self, sent: &mut Sent, age: Duration) -> std::result::Result<(), Broken> {
        let mut settled = HashMap::new();
        while let Some(flush) = sent.flushes.pop_front_if(|flush| flush.at.elapsed() >= age) {
            settled.insert(flush.tenant, flush.next);
        }
        for (tenant, next) in settled {
            let noted = self
                .journal
                .trail_handed_over(self.target.name(), &tenant, next)
                .await;
            match noted {
                // The next flush of this tree says more anyhow; the last one is put back.
                Err(Error::Overloaded) => sent.flushes.push_front(Flush {
                    tenant,
                    next,
                    at: Instant::now().checked_sub(age).unwrap_or_else(Instant::now),
                }),
                noted => noted?,
            }
        }
        Ok(())
    }
}

/// Leaves that do not count as handed over yet.
fn lag(standing: &Standing) -> u64 {
    standing.size.saturating_sub(standing.next)
}
