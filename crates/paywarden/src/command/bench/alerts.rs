//! `paywarden bench alerts`: how a queue behaves in which a million alerts wait, on the embedded
//! store. Some are opened by decisions, as online; the others are written like them, many at once.
//!
//! Before any figure, every page is read to the end: each decision has its one alert, in its queue,
//! with its priority, in the order of urgency. Every page that is timed is held against that.

mod sighted;

use crate::{
    failure::{Failure, Result},
    figures::{Figure, Report},
    laundering::bug,
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_access::{approval::Who, watch::Calendar};
use paywarden_cases::{
    Alert, AlertState, Assignee, Cases, Link, PAGE_MAX, Place, Policy, Priority, WorkQuery, Worker,
};
use paywarden_crypto::Keyring;
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use sighted::{KINDS, Kind, alike, customer, sighting};
use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Alerts that decisions open.
const OPENED: u32 = 2_000;
/// Decisions that wait for their alerts at any time.
const OPENING: u32 = 256;
/// Alerts that are written together.
const TOGETHER: usize = 256;
/// Who claims at once.
const CLAIMING: u32 = 8;
/// Alerts of a page.
const PAGE: u32 = 50;

/// Arguments of `bench alerts`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Alerts that wait
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1_000..=4_000_000))]
    alerts: u32,
    /// How often each is asked
    #[arg(long, default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(80..=100_000))]
    calls: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let figures = measure(&arguments).await?;
    if arguments.json {
        terminal::result(&Report::new("bench alerts", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

/// A desk with alerts on it.
struct Bench {
    cases: Arc<Cases>,
    tenant: TenantId,
    /// The numbers of their decisions, as they have to be worked on.
    order: Vec<u32>,
    /// Where a page goes on behind each hundredth of them.
    places: Vec<Place>,
    _scratch: Scratch,
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let Arguments { alerts, calls, .. } = *arguments;
    let progress = Progress::new(4);
    let mut bench = Bench::open().await?;
    progress.show(1, "opening alerts");
    let some = alerts.min(OPENED);
    let opened = bench.open_some(some).await?;
    bench.fill(some..alerts).await?;
    progress.show(2, "reading all of them");
    bench.read_all(alerts).await?;
    progress.show(3, "lists");
    let timed = [
        ("first", bench.first(calls).await?),
        ("deep", bench.deep(calls).await?),
        ("of_priority", bench.of_priority(calls).await?),
        ("of_customer", bench.of_customer(calls).await?),
        ("next", bench.claims(calls).await?),
        ("free", bench.free(calls).await?),
        ("mine", bench.mine(calls).await?),
    ];
    progress.show(4, "done");
    let per_second = f64::from(some) / opened.as_secs_f64();
    let mut figures = vec![
        Figure::count("alerts", u64::from(alerts)),
        Figure::new("alerts_opened_per_second", per_second, "1/s"),
    ];
    for (name, mut times) in timed {
        times.sort_unstable();
        for percent in [50, 99] {
            let time = times.get((times.len() - 1) * percent / 100);
            let ms = time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
            figures.push(Figure::new(
                format!("alerts_{name}_p{percent}_ms"),
                ms,
                "ms",
            ));
        }
    }
    Ok(figures)
}

impl Bench {
    async fn open() -> Result<Self> {
        let scratch = Scratch::new()?;
        let url = format!("sqlite://{}/alerts.db", scratch.path().display());
        let database = Database::open(&url).await.map_err(failed)?;
        let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await;
        let store = (database, journal.map_err(failed)?);
        let tables = (Policy::shipped().map_err(failed)?, Calendar::default());
        let cases = Cases::new(store, Clock::System, &Keyring::ephemeral(), tables);
        Ok(Self {
            cases: Arc::new(cases.map_err(failed)?),
            tenant: TenantId::parse("bench").map_err(failed)?,
            order: Vec::new(),
            places: Vec::new(),
            _scratch: scratch,
        })
    }

    /// Has decisions taken, many at once, as from the outbox.
    async fn open_some(&self, alerts: u32) -> Result<Duration> {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for first in 0..OPENING {
            let (cases, tenant) = (self.cases.clone(), self.tenant.clone());
            tasks.spawn(async move {
                for number in (first..alerts).step_by(OPENING as usize) {
                    let sighting = sighting(number)?;
                    let taken = cases.take(&tenant, &[sighting]).await.map_err(failed)?;
                    same(&taken, &1, "a decision opens one alert")?;
                }
                Ok(())
            });
        }
        all(tasks).await?;
        Ok(start.elapsed())
    }

    /// Writes the alerts of these decisions, like those that are there.
    async fn fill(&self, numbers: Range<u32>) -> Result<()> {
        let (worker, query) = (self.worker("reader"), WorkQuery::of(AlertState::Open));
        let mut opened = Vec::new();
        for kind in KINDS {
            let (queue, priority) = kind.found();
            let query = WorkQuery {
                queue: Some(queue.to_owned()),
                priority: Some(priority),
                ..query.clone()
            };
            let page = self.cases.alerts(&worker, &query).await.map_err(failed)?;
            opened.extend(page.items.into_iter().next());
        }
        let mut alerts = Vec::new();
        for number in numbers {
            let kind = Kind::of(number);
            let like = opened.iter().find(|alert| kind.opened(alert));
            let like = like.ok_or_else(|| bug("a kind of alert was not opened"))?;
            alerts.push(alike(number, like)?);
            if alerts.len() == TOGETHER {
                self.put(&mut alerts).await?;
            }
        }
        self.put(&mut alerts).await
    }

    async fn put(&self, alerts: &mut Vec<Alert>) -> Result<()> {
        let put = self.cases.put_alerts(&self.tenant, std::mem::take(alerts));
        put.await.map_err(failed)
    }

    /// Reads every page, and holds every alert against the decision that opened it.
    async fn read_all(&mut self, alerts: u32) -> Result<()> {
        let worker = self.worker("reader");
        let mut query = WorkQuery::of(AlertState::Open);
        let mut before = None;
        loop {
            let page = self.cases.alerts(&worker, &query).await.map_err(failed)?;
            for alert in &page.items {
                let number = number(alert)?;
                let told = (alert.queue.as_str(), alert.priority);
                same(&told, &Kind::of(number).found(), "queue and priority")?;
                let urgency = Some((alert.priority, alert.due_at, alert.id.clone()));
                same(&(before < urgency), &true, "the order of urgency")?;
                before = urgency;
                self.order.push(number);
            }
            self.places.extend(page.next.clone());
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let mut numbers = self.order.clone();
        numbers.sort_unstable();
        same(&numbers.into_iter().eq(0..alerts), &true, "one alert each")
    }

    async fn first(&self, calls: u32) -> Result<Vec<Duration>> {
        let query = page(None, None);
        let expected = self.order.iter().take(PAGE as usize);
        let expected: Vec<u32> = expected.copied().collect();
        self.time(calls, |_| (query.clone(), expected.clone()))
            .await
    }

    /// Pages from all over the queue.
    async fn deep(&self, calls: u32) -> Result<Vec<Duration>> {
        let hundred = PAGE_MAX as usize;
        let ask = |call| {
            let place = spread(call) % self.places.len();
            let mut query = page(None, None);
            query.after = self.places.get(place).cloned();
            let behind = self.order.iter().skip((place + 1) * hundred);
            (query, behind.take(PAGE as usize).copied().collect())
        };
        self.time(calls, ask).await
    }

    /// First pages of a queue and a priority, in turn.
    async fn of_priority(&self, calls: u32) -> Result<Vec<Duration>> {
        let asked = KINDS.map(|kind| {
            let (queue, priority) = kind.found();
            let mut query = page(None, Some(priority));
            query.queue = Some(queue.to_owned());
            let fits = |number: &&u32| Kind::of(**number).found() == (queue, priority);
            let expected = self.order.iter().filter(fits).take(PAGE as usize);
            (query, expected.copied().collect::<Vec<u32>>())
        });
        let ask = |call: u32| asked[call as usize % KINDS.len()].clone();
        self.time(calls, ask).await
    }

    /// The alerts of one customer.
    async fn of_customer(&self, calls: u32) -> Result<Vec<Duration>> {
        let worker = self.worker("reader");
        let mut times = Vec::new();
        for call in 0..calls {
            let number = self.order[spread(call) % self.order.len()];
            let link = Link::Entity(customer(number)?);
            let start = Instant::now();
            let found = self.cases.alerts_linked(&worker, &link, None).await;
            times.push(start.elapsed());
            let (found, _) = found.map_err(failed)?;
            same(&numbers(&found)?, &vec![number], "whom an alert is about")?;
        }
        Ok(times)
    }

    /// Several people claim at once: together they get the most urgent ones, each another.
    async fn claims(&self, calls: u32) -> Result<Vec<Duration>> {
        let mut tasks = JoinSet::new();
        for person in 0..CLAIMING {
            let worker = self.worker(&format!("stf_{person}"));
            let cases = self.cases.clone();
            let count = calls / CLAIMING;
            tasks.spawn(async move {
                let mut claimed = Vec::new();
                for _ in 0..count {
                    let start = Instant::now();
                    let next = cases.next_alert(&worker).await.map_err(failed)?;
                    let time = start.elapsed();
                    let next = next.ok_or_else(|| bug("no alert is next"))?;
                    claimed.push((number(&next)?, time));
                }
                Ok(claimed)
            });
        }
        let claimed: Vec<(u32, Duration)> = all(tasks).await?.into_iter().flatten().collect();
        let (mut got, times): (Vec<u32>, Vec<Duration>) = claimed.into_iter().unzip();
        let mut expected: Vec<u32> = self.order.iter().take(got.len()).copied().collect();
        got.sort_unstable();
        expected.sort_unstable();
        same(&(got == expected), &true, "the most urgent are claimed")?;
        Ok(times)
    }

    /// What nobody works on, behind what was claimed.
    async fn free(&self, calls: u32) -> Result<Vec<Duration>> {
        let query = page(Some(Assignee::Nobody), None);
        let claimed = (calls / CLAIMING * CLAIMING) as usize;
        let free = self.order.iter().skip(claimed).take(PAGE as usize);
        let expected: Vec<u32> = free.copied().collect();
        self.time(calls, |_| (query.clone(), expected.clone()))
            .await
    }

    /// What one of those who claimed works on.
    async fn mine(&self, calls: u32) -> Result<Vec<Duration>> {
        let worker = self.worker("reader");
        let mut times = Vec::new();
        for call in 0..calls {
            let name = self.worker(&format!("stf_{}", call % CLAIMING)).name();
            let query = page(Some(Assignee::Somebody(name.clone())), None);
            let start = Instant::now();
            let page = self.cases.alerts(&worker, &query).await;
            times.push(start.elapsed());
            let items = page.map_err(failed)?.items;
            let own = items
                .iter()
                .filter(|alert| alert.assignee.as_ref() == Some(&name));
            let most = (calls / CLAIMING).min(PAGE) as usize;
            same(&(own.count(), items.len()), &(most, most), "what is mine")?;
        }
        Ok(times)
    }

    /// Asks for pages, and holds each against the numbers that it has to have.
    async fn time(
        &self,
        calls: u32,
        ask: impl Fn(u32) -> (WorkQuery<AlertState>, Vec<u32>),
    ) -> Result<Vec<Duration>> {
        let worker = self.worker("reader");
        let mut times = Vec::new();
        for call in 0..calls {
            let (query, expected) = ask(call);
            let start = Instant::now();
            let page = self.cases.alerts(&worker, &query).await;
            times.push(start.elapsed());
            let items = page.map_err(failed)?.items;
            same(&numbers(&items)?, &expected, "a page")?;
        }
        Ok(times)
    }

    fn worker(&self, name: &str) -> Worker {
        let who = Who {
            tenant: self.tenant.clone(),
            actor: Actor::Staff(name.to_owned()),
        };
        self.cases.worker(who, ["program"].into_iter())
    }
}

fn page(assignee: Option<Assignee>, priority: Option<Priority>) -> WorkQuery<AlertState> {
    WorkQuery {
        assignee,
        priority,
        limit: PAGE,
        ..WorkQuery::of(AlertState::Open)
    }
}

/// Somewhere, in no order that a cache would like.
fn spread(call: u32) -> usize {
    (u64::from(call).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

/// The number of the decision that opened an alert.
fn number(alert: &Alert) -> Result<u32> {
    let event_no = alert.payments.first().map_or(0, |payment| payment.event_no);
    u32::try_from(event_no - 1).map_err(bug)
}

fn numbers(alerts: &[Alert]) -> Result<Vec<u32>> {
    alerts.iter().map(number).collect()
}

async fn all<T: 'static>(tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    tasks.join_all().await.into_iter().collect()
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T, what: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(bug(format_args!(
            "{what}: {found:?} instead of {expected:?}"
        ))),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::environment(
        format!("the bench of alerts: {error}"),
        "free some space in the folder for temporary files",
    )
}

fn text(figures: &[Figure]) -> String {
    let mut text = "a queue of alerts\n".to_owned();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        text += &format!("  {:<28} {value:>12.2} {}\n", figure.name, figure.unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_small_queue_gives_every_figure() {
        let arguments = Arguments {
            alerts: 1_000,
            calls: 80,
            json: true,
        };
        let figures = measure(&arguments).await.unwrap();
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
        assert!(figures.iter().all(|figure| figure.value.is_some()));
    }
}
