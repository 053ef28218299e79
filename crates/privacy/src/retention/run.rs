//! A run as it is kept, and which are open.

use super::{Fate, Order, RUN};
use crate::{Error, policy::Jurisdiction};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::Database;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

const PAGE: u32 = 500;

/// A run: of one that counts, what would end; of one that ends, what has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its identifier, `ret_…`.
    pub id: String,
    /// Where it stands.
    pub state: RunState,
    /// The number of the privacy policy that it goes by.
    pub policy: i64,
    /// The run that has counted what it ends; none of one that counts.
    pub counted: Option<String>,
    /// Whether it began by the timetable of the policy.
    #[serde(default)]
    pub is_timed: bool,
    /// The moment by which something is due.
    pub as_of: Timestamp,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was done or stopped.
    pub ended_at: Option<Timestamp>,
    /// How many persons it looks at in a second.
    pub persons_per_second: u32,
    /// The last person that it has looked at.
    pub(crate) cursor: String,
    /// How many persons those were.
    pub persons: u64,
    /// What became of their values.
    pub lines: Vec<Line>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionState)]
pub enum RunState {
    /// It goes on.
    Running,
    /// It waits to be let go on.
    Paused,
    /// It has looked at everybody.
    Done,
    /// It was ended before, by somebody or because another privacy policy came into force.
    Stopped,
}

/// What is done with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionStep)]
pub enum Step {
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
    /// End it for good; what has ended stays so.
    Stop,
}

/// Values of one kind of persons under one law that share their fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub struct Line {
    /// What they were kept for: `marketing`, `contract`, `evidence`.
    pub retention: String,
    /// What they are.
    pub class: String,
    /// Whose law holds for the persons.
    pub jurisdiction: Jurisdiction,
    /// What becomes of them.
    pub fate: Fate,
    /// How many values.
    pub records: u64,
    /// Of how many persons.
    pub persons: u64,
}

/// A line in few bytes: a record of the journal holds every kind there is.
type Packed = (String, String, Jurisdiction, Fate, u64, u64);

impl From<Packed> for Line {
    fn from((retention, class, jurisdiction, fate, records, persons): Packed) -> Self {
        Self {
            retention,
            class,
            jurisdiction,
            fate,
            records,
            persons,
        }
    }
}

impl From<Line> for Packed {
    fn from(line: Line) -> Self {
        let Line {
            retention,
            class,
            jurisdiction,
            fate,
            records,
            persons,
        } = line;
        (retention, class, jurisdiction, fate, records, persons)
    }
}

impl Run {
    pub(super) fn new(
        id: String,
        (policy, as_of, begun_at): (i64, Timestamp, Timestamp),
        order: &Order,
    ) -> Self {
        Self {
            id,
            state: RunState::Running,
            policy,
            counted: order.counted.clone(),
            is_timed: false,
            as_of,
            begun_at,
            ended_at: None,
            persons_per_second: order.persons_per_second,
            cursor: String::new(),
            persons: 0,
            lines: Vec::new(),
        }
    }

    /// Whether it ends nothing.
    pub fn is_count(&self) -> bool {
        self.counted.is_none()
    }

    /// Counts a value, and the person if this is their first of the kind.
    pub(super) fn count(
        &mut self,
        (retention, class, jurisdiction): (&str, &str, Jurisdiction),
        fate: Fate,
        is_first: bool,
    ) {
        let place = self.lines.binary_search_by(|line| {
            let known = (line.retention.as_str(), line.class.as_str());
            let known = (known, line.jurisdiction, line.fate);
            known.cmp(&((retention, class), jurisdiction, fate))
        });
        let place = place.unwrap_or_else(|place| {
            let packed = (
                retention.to_owned(),
                class.to_owned(),
                jurisdiction,
                fate,
                0,
                0,
            );
            self.lines.insert(place, packed.into());
            place
        });
        if let Some(line) = self.lines.get_mut(place) {
            line.records += 1;
            line.persons += u64::from(is_first);
        }
    }
}

impl RunState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// Where a step leads, if it can be taken here.
    pub(super) fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Running, Step::Pause) => Some(Self::Paused),
            (Self::Paused, Step::Resume) => Some(Self::Running),
            (Self::Running | Self::Paused, Step::Stop) => Some(Self::Stopped),
            _ => None,
        }
    }
}

impl Step {
    /// Its action in the trail.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Pause => "retention.pause",
            Self::Resume => "retention.resume",
            Self::Stop => "retention.stop",
        }
    }
}

/// A run and the version of its record.
pub(super) struct Held {
    pub(super) run: Run,
    pub(super) version: i64,
}

/// What whoever holds a run has of it.
pub(super) struct Control {
    pub(super) id: String,
    halt: AtomicBool,
    /// Held by the job while it runs, and by whoever changes how the run stands.
    pub(super) over: Arc<tokio::sync::Mutex<()>>,
}

impl Control {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            halt: AtomicBool::new(false),
            over: Arc::default(),
        }
    }

    pub(super) fn halt(&self, halt: bool) {
        self.halt.store(halt, Ordering::Relaxed);
    }
}

/// The open run of each company.
#[derive(Default)]
pub(crate) struct Runs(Mutex<HashMap<TenantId, Arc<Control>>>);

impl Runs {
    /// Those that the store knows.
    pub(crate) async fn load(database: &Database) -> Result<Self, Error> {
        let (runs, mut after) = (Self::default(), String::new());
        loop {
            let page = database.records_newest(RUN, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(runs);
            };
            after.clone_from(&last.id);
            for row in &page {
                let run = Held::read(row)?.run;
                if matches!(run.state, RunState::Running | RunState::Paused) {
                    runs.open(&row.tenant, Arc::new(Control::new(&run.id)))?;
                }
            }
        }
    }

    /// Takes the place of a company, if it is free.
    pub(super) fn open(&self, tenant: &TenantId, control: Arc<Control>) -> Result<(), Error> {
        let mut open = self.lock();
        if let Some(other) = open.get(tenant) {
            return Err(Error::RetentionOpen(other.id.clone()));
        }
        open.insert(tenant.clone(), control);
        Ok(())
    }

    pub(super) fn close(&self, tenant: &TenantId) {
        self.lock().remove(tenant);
    }

    pub(super) fn of(&self, tenant: &TenantId, id: &str) -> Option<Arc<Control>> {
        let open = self.lock();
        open.get(tenant).filter(|control| control.id == id).cloned()
    }

    pub(super) fn all(&self) -> Vec<(TenantId, Arc<Control>)> {
        let open = self.lock();
        let each = open.iter();
        each.map(|(tenant, control)| (tenant.clone(), Arc::clone(control)))
            .collect()
    }

    /// Whether the run of a company is to halt.
    pub(super) fn is_halted(&self, tenant: &TenantId) -> bool {
        let open = self.lock();
        let control = open.get(tenant);
        control.is_none_or(|control| control.halt.load(Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Control>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
