//! What this process says of itself: how long it runs, its snapshot, its limits with what is used; and
//! which others serve its database, or did, and how old its backup is.

use crate::{backup::Backup, edge::visitors::Visitors, limits::Limits};
use paywarden_domain::Timestamp;
use paywarden_risk::{Engine, Room};
use paywarden_store::{Clock, Database, Error, Journal, NodeRow};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How often a process says that it is there.
const BEAT: Duration = Duration::from_secs(30);

/// The processes that serve a database, as each says of itself now and then.
pub struct Nodes {
    database: Database,
    journal: Journal,
    clock: Clock,
    own: (String, Timestamp),
    known: Mutex<Known>,
}

/// What was seen when it was last looked.
#[derive(Default, Clone)]
struct Known {
    nodes: Arc<[NodeRow]>,
    backup: Option<Backup>,
}

impl Nodes {
    /// Those of a database, and this process, which has a name of its own from now on.
    pub fn new((database, journal): (Database, Journal), clock: Clock) -> Self {
        let random: [u8; 5] = clock.random();
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            own: (format!("node_{name}"), clock.now()),
            known: Mutex::default(),
            database,
            journal,
            clock,
        }
    }

    /// Says that this process is there, and looks who else is.
    pub async fn beat(&self) -> Result<(), Error> {
        let (id, started_at) = self.own.clone();
        let own = NodeRow {
            id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            seen_at: self.clock.now(),
        };
        self.journal.beat(own).await?;
        let known = Known {
            nodes: self.database.nodes().await?.into(),
            backup: Backup::last(&self.database).await?,
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// The same; that it did not succeed is told in the log alone.
    pub(crate) async fn note(&self) {
        if let Err(error) = self.beat().await {
            tracing::warn!(%error, "not noted that this process is there");
        }
    }

    /// Goes on saying so.
    pub(crate) async fn keep(&self) {
        loop {
            tokio::time::sleep(BEAT).await;
            self.note().await;
        }
    }

    fn known(&self) -> Known {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One process of possibly several.
pub(crate) struct Node {
    pub(crate) engine: Arc<Engine>,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) clock: Clock,
    pub(crate) started_at: Timestamp,
    pub(crate) limits: Limits,
    /// People signing in, and people who watch what goes on.
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) readers: Arc<Visitors>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

impl Node {
    fn age_s(&self, since: Timestamp) -> u64 {
        let age_s = self.clock.now().seconds() - since.seconds();
        u64::try_from(age_s).unwrap_or(0)
    }

    /// Each with what it means.
    #[rustfmt::skip]
    fn gauges(
        &self,
        room: &Room,
        backup: Option<Backup>,
    ) -> Vec<(&'static str, &'static str, u64)> {
        let mut gauges = vec![
            ("uptime_seconds", "Since this process started", self.age_s(self.started_at)),
            ("visitors", "People signing in who are listened to", self.visitors.inside() as u64),
            ("readers", "People who watch what goes on", self.readers.inside() as u64),
            ("snapshot_decisions_behind", "Decisions since the last snapshot of the windows", room.decided_since_snapshot),
        ];
        if let Some(snapshot) = room.snapshot {
            gauges.extend([
                ("snapshot_age_seconds", "Since the snapshot of the windows was written to last", self.age_s(snapshot.written_at)),
                ("snapshot_bytes", "Size of the snapshot of the windows", snapshot.bytes),
            ]);
        }
        if let Some(backup) = backup {
            gauges.extend([
                ("backup_age_seconds", "Since the newest leaf in the backup that was last read back", self.age_s(backup.as_of)),
                ("backup_read_back_age_seconds", "Since a backup was last read back", self.age_s(backup.read_back_at)),
                ("backup_leaves", "Leaves of the backup that was last read back", backup.leaves),
            ]);
            gauges.extend(backup.bytes.map(|bytes| ("backup_bytes", "Size of the backup that was last read back", bytes)));
        }
        gauges
    }

    /// When each process that serves the database was started and seen.
    fn encode_nodes(&self, encoder: &mut DescriptorEncoder<'_>, nodes: &[NodeRow]) -> fmt::Result {
        let kind = ConstGauge::new(0_u64).metric_type();
        let help = "Since a process that serves this database was last seen";
        let mut seen = encoder.encode_descriptor("node_seen_seconds", help, None, kind)?;
        for node in nodes {
            let labels = self.labels(node);
            ConstGauge::new(self.age_s(node.seen_at)).encode(seen.encode_family(&labels)?)?;
        }
        let help = "Since a process that serves this database was started";
        let mut started = encoder.encode_descriptor("node_started_seconds", help, None, kind)?;
        for node in nodes {
            let labels = self.labels(node);
            ConstGauge::new(self.age_s(node.started_at)).encode(started.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn labels<'n>(&self, node: &'n NodeRow) -> [(&'static str, &'n str); 3] {
        let is = match node.id == self.nodes.own.0 {
            true => "this",
            false => "other",
        };
        [("node", &node.id), ("version", &node.version), ("is", is)]
    }
}

impl Collector for Node {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let room = self.engine.room();
        let Known { nodes, backup } = self.nodes.known();
        for (name, help, value) in self.gauges(&room, backup) {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        self.encode_nodes(&mut encoder, &nodes)?;
        let limits = &self.limits;
        let help = "The most that there may be of a gauge";
        let kind = ConstGauge::new(0u64).metric_type();
        let mut family = encoder.encode_descriptor("limit", help, None, kind)?;
        for (of, most) in [
            ("connections", limits.connections_max as u64),
            ("requests_in_flight", limits.requests_in_flight_max as u64),
            ("visitors", limits.visitors_max as u64),
            ("readers", limits.readers_max as u64),
            ("nonces", limits.nonces_max as u64),
            ("journal_queued", room.journal_queue_max as u64),
            ("window_events", room.windows.events_max),
            ("window_entities", room.windows.entities_max as u64),
            ("snapshot_decisions_behind", room.snapshot_every),
        ] {
            ConstGauge::new(most).encode(family.encode_family(&[("of", of)])?)?;
        }
        Ok(())
    }
}
