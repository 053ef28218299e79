//! Back-tests: what rules would have done with the payments that the journal holds.
//!
//! The journal is lived through again in the order of its events. Windows are read by the code
//! that reads them online; a label counts from the moment at which it became known, a list entry
//! for as long as it stood. Rules, and the sum of what they ask for, are those of the online path,
//! so that the live rule set yields the outcomes that were answered.
//!
//! ```text
//! source     pages of the journal, opened
//! run        windows, lists and fields of each event, point in time
//! meter      blocks of events against one rule set, and the count: evaluate, tally, customers
//! recent     the last payments in memory, for conditions that are being written
//! jobs       back-tests that run or wait; kept, those that ended; asked, how the engine answers
//! report     the result, one form for command line, API and console
//! ```
//!
//! What a back-test cannot know: what the payments that other rules would have stopped, or let
//! pass, would have led to. Windows over outcomes hold the outcomes that were answered.

mod asked;
mod customers;
mod evaluate;
mod jobs;
mod kept;
mod known;
mod meter;
mod overlap;
pub mod recent;
mod report;
mod run;
mod source;
mod tally;

pub use asked::Order;
pub(crate) use jobs::Jobs;
pub use kept::{Backtest, BacktestState, BacktestSummary};
pub use meter::{Measured, Meter};
pub use report::{
    Change, Day, Effect, Labelled, OVERLAPS_MAX, Overlap, Report, RuleEffect, SAMPLES_MAX,
};
pub(crate) use run::customer;
pub use source::Source;
pub use tally::Subject;

use crate::{EngineConfig, Error, record};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_rules::{Diagnostic, Pack, Rates, RuleSet};
use run::Run;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Events read and evaluated at once: what bounds the memory of a back-test beside its windows.
const PAGE_EVENTS: u32 = 4_096;
/// How long it takes until most frauds are reported, in microseconds: what [`Task::label_delay`]
/// is if nobody says otherwise.
pub const LABEL_DELAY_DEFAULT: i64 = 45 * DAY;

/// What to test.
#[derive(Debug, Clone)]
pub struct Task {
    /// Whose payments.
    pub tenant: TenantId,
    /// The rules to test.
    pub rules: Arc<RuleSet>,
    /// Rules to compare with; none compares with the outcomes that were answered.
    pub against: Option<Arc<RuleSet>>,
    /// Events that happened from here on count.
    pub from: Timestamp,
    /// Events that happened before this count.
    pub to: Timestamp,
    /// From which age on a payment without a label is taken for genuine, in microseconds.
    pub label_delay: i64,
}

/// How far a back-test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Events lived through.
    pub done: u64,
    /// Events to live through, those before the span included.
    pub total: u64,
}

/// How much of one processor a back-test takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of it.
    Full,
    /// It rests after each page for so many times as long as the page took.
    Resting(u32),
}

impl Pace {
    async fn rest(self, busy: Duration) {
        if let Self::Resting(times) = self {
            tokio::time::sleep(busy * times).await;
        }
    }
}

/// Runs a back-test. `pace` is asked and `progress` told after each page of some thousand events;
/// the work itself is done on threads that may block.
///
/// Errors: [`Error::HistoryEmpty`] if no event lies in the span, [`Error::WindowsRefused`] if the
/// rules read more windows than may be kept, [`Error::RecordDamaged`] and
/// [`Error::StoreUnavailable`] of the journal.
pub async fn run(
    source: &Source,
    config: &EngineConfig,
    task: Task,
    mut pace: impl FnMut() -> Pace,
    mut progress: impl FnMut(Progress),
) -> Result<Report, Error> {
    let Task {
        tenant, from, to, ..
    } = &task;
    let span = source.span(tenant, *from, *to).await?;
    let labels = source.labels(tenant).await?;
    let lists = source.lists(tenant, &lists_read(&task)).await?;
    let total = span.events_before + span.events;
    let tenant = tenant.clone();
    let mut run = Run::new(source, config, task, &span, labels, lists)?;
    let mut after = 0;
    while after < span.last {
        let page = source.page(&tenant, after, &span, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { break };
        after = last;
        let (returned, busy) = blocking(move || run.absorb(page)).await?;
        run = returned;
        let done = run.events().min(total);
        progress(Progress { done, total });
        pace().rest(busy).await;
    }
    let (report, _) = blocking(move || Ok(run.finish())).await?;
    Ok(report)
}

/// Compiles packs to be tested, under the version that they would have if they were published.
pub fn compile(packs: &[Pack], rates: &Rates) -> Result<RuleSet, Vec<Diagnostic>> {
    let version = record::version(&paywarden_rules::canonical_source(packs));
    paywarden_rules::compile(packs, rates, &version)
}

fn lists_read(task: &Task) -> Vec<String> {
    let probes = |rules: &Arc<RuleSet>| rules.probes().to_vec();
    let mut names: Vec<String> = std::iter::once(&task.rules)
        .chain(&task.against)
        .flat_map(probes)
        .map(|probe| probe.list)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Does work on a thread that may block, and says how long it took.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<(T, Duration), Error> {
    let timed = move || {
        let start = Instant::now();
        work().map(|result| (result, start.elapsed()))
    };
    let joined = tokio::task::spawn_blocking(timed).await;
    joined.map_err(|error| Error::RecordDamaged(error.to_string()))?
}
