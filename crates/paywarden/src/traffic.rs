//! Simulated traffic in the same form as the rows of a file, so that both are sent alike.

use crate::{
    config::Config,
    entities,
    failure::{Failure, Result},
    mapping::{LateLabel, Row},
    rows::Line,
    wiring,
};
use paywarden_domain::{
    Timestamp,
    time::{DAY, HOUR},
};
use paywarden_rules::Rates;
use paywarden_simulator::{
    Labelled, Laundering, LaunderingSettings, OutgoingEvent, Population, Settings, Traffic,
    Transfer,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Rows handed over at once.
const BATCH_ROWS: usize = 64;
/// Batches made ahead at most.
const BATCHES_AHEAD_MAX: usize = 16;
/// Customers among whom the stream of laundering has a natural pace.
const LAUNDERING_CUSTOMERS: usize = 8_000;
/// Events of one simulated customer on an ordinary day.
const EVENTS_PER_CUSTOMER_DAY: u64 = 2;
/// Events of one customer of a demonstration: 40 days of them, because rules look back for a month
/// and frauds are reported for weeks.
const EVENTS_PER_CUSTOMER: u64 = 40 * EVENTS_PER_CUSTOMER_DAY;
/// Customers of a demonstration at least.
const CUSTOMERS_MIN: u64 = 100;
/// Of so many days one may be lost to weekends and nights.
const SLOW_DAYS: u32 = 10;
/// The share of simulated events that are attacks.
const FRAUD_SHARE: f64 = 0.01;
/// The currencies of the simulation in US dollars, as it converts them itself.
const RATES: &[(&str, &str)] = &[
    ("EUR", "1/0.92"),
    ("GBP", "1/0.79"),
    ("CNY", "1/7.2"),
    ("JPY", "1/150"),
    ("KWD", "1/0.307"),
];

/// The rates that a server needs for simulated traffic.
pub fn rates() -> BTreeMap<String, String> {
    RATES
        .iter()
        .map(|(code, rate)| ((*code).to_owned(), (*rate).to_owned()))
        .collect()
}

/// The settings of a server that is measured with simulated traffic: its rates, and no limit on
/// what one key may send.
pub fn server_settings() -> Vec<String> {
    let rates: Vec<String> = RATES
        .iter()
        .map(|(code, rate)| format!("{code} = \"{rate}\""))
        .collect();
    vec![
        format!("rates={{ {} }}", rates.join(", ")),
        "requests_per_second_per_key=1000000".to_owned(),
        "rows_per_reader_per_day=1000000000".to_owned(),
    ]
}

/// Simulates weeks of a company that end in the days before `now`, in the background: within a week
/// the same events, wherever it is.
pub fn demonstration(events: u64, rates: Rates, now: Timestamp) -> mpsc::Receiver<Vec<Line>> {
    let customers = (events / EVENTS_PER_CUSTOMER).max(CUSTOMERS_MIN);
    let per_day = u32::try_from(customers * EVENTS_PER_CUSTOMER_DAY).unwrap_or(u32::MAX);
    let days = days(events, per_day);
    let settings = Settings {
        start: weeks_before(now, days + days.div_ceil(SLOW_DAYS), Settings::demo().start),
        days: days.saturating_mul(2),
        events_per_day: per_day,
        ..Settings::demo()
    };
    in_background(events, move |lines| {
        let population = Population::new(settings.seed, customers as usize);
        let mut traffic = Traffic::new(&population, settings);
        traffic.all(|labelled| lines.send(|line| row(line, &labelled, &rates)))
    })
}

/// A moment so many days before another or up to a week more, and whole weeks from a third.
fn weeks_before(now: Timestamp, days: u32, like: Timestamp) -> Timestamp {
    let latest = now.micros() - i64::from(days) * DAY;
    let weeks = (latest - like.micros()).div_euclid(7 * DAY);
    Timestamp::from_micros(like.micros() + weeks * 7 * DAY)
}

/// Simulates money laundering among honest transfers, in the background. No label is sent: what
/// the engine finds, it finds by itself.
pub fn laundering(events: u64, rates: Rates) -> mpsc::Receiver<Vec<Line>> {
    in_background(events, move |lines| {
        let mut settings = LaunderingSettings::demo();
        let population = Population::new(settings.seed, LAUNDERING_CUSTOMERS);
        settings.days = settings.days.max(days(events, settings.transfers_per_day));
        let mut stream = Laundering::new(&population, settings);
        stream.all(|transfer| lines.send(|line| row_of_transfer(line, &transfer, &rates)))
    })
}

/// Days of traffic that are enough for so many events.
fn days(events: u64, per_day: u32) -> u32 {
    u32::try_from(events.div_ceil(u64::from(per_day)) + 1).unwrap_or(u32::MAX)
}

/// Lets `make` send lines from a thread of its own, so many at most.
fn in_background(
    limit: u64,
    make: impl FnOnce(&mut Lines) -> bool + Send + 'static,
) -> mpsc::Receiver<Vec<Line>> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD_MAX);
    std::thread::spawn(move || {
        let mut lines = Lines {
            sender,
            batch: Vec::with_capacity(BATCH_ROWS),
            sent: 0,
            limit,
        };
        make(&mut lines);
        lines.flush();
    });
    receiver
}

/// Lines on their way to whoever sends them on.
struct Lines {
    sender: mpsc::Sender<Vec<Line>>,
    batch: Vec<Line>,
    sent: u64,
    limit: u64,
}

impl Lines {
    /// Sends a line; false if no more are wanted.
    fn send(&mut self, row: impl FnOnce(u64) -> Result<Row, String>) -> bool {
        if self.sent == self.limit {
            return false;
        }
        self.sent += 1;
        self.batch.push(match row(self.sent) {
            Ok(row) => Line::Row(row),
            Err(why) => Line::Bad {
                line: self.sent,
                why,
            },
        });
        self.batch.len() < BATCH_ROWS || self.flush()
    }

    /// False if nobody listens any more, which is so only if the command has already ended.
    fn flush(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        self.sender.blocking_send(batch).is_ok()
    }
}

/// Events of the last hours.
pub struct Recent {
    /// The events, in the order of time.
    pub rows: Vec<Row>,
    /// How many different cards they name.
    pub cards: usize,
}

/// Simulates events of the hours before `now`, all at once: for load with the present time.
/// Without a number of `customers` there are as many as live through so many events naturally.
pub fn recent(
    events: u64,
    customers: Option<u32>,
    hours: u32,
    now: Timestamp,
    seed: u64,
) -> Result<Recent> {
    let config = Config {
        rates: rates(),
        ..Config::default()
    };
    let rates = wiring::rates(&config)?;
    let per_day = events * 24 / u64::from(hours) + 1;
    let customers = customers.map_or(per_day / EVENTS_PER_CUSTOMER_DAY, u64::from);
    let population = Population::new(seed, usize::try_from(customers).unwrap_or(0));
    let settings = Settings {
        seed,
        start: Timestamp::from_micros(now.micros() - i64::from(hours) * HOUR),
        days: 2,
        events_per_day: u32::try_from(per_day).unwrap_or(u32::MAX),
        fraud_share: FRAUD_SHARE,
    };
    let traffic = Traffic::new(&population, settings);
    let past = traffic.take_while(|labelled| labelled.event.occurred_at <= now);
    let events = usize::try_from(events).unwrap_or(usize::MAX);
    let mut cards = HashSet::new();
    let rows = past.take(events).enumerate().map(|(place, labelled)| {
        if let Some(card) = &labelled.event.card {
            cards.insert(card.number.clone());
        }
        row(place as u64 + 1, &labelled, &rates).map_err(|why| {
            Failure::environment(
                format!("a simulated event is unusable: {why}"),
                "report this",
            )
        })
    });
    let rows = rows.collect::<Result<_>>()?;
    Ok(Recent {
        rows,
        cards: cards.len(),
    })
}

fn row(line: u64, labelled: &Labelled, rates: &Rates) -> Result<Row, String> {
    let body = labelled.body().map_err(|error| error.to_string())?;
    let label = labelled
        .label()
        .map(|label| LateLabel::new(&label, labelled.known_at()));
    Ok(Row {
        fraud: labelled.is_fraud,
        scenario: labelled.kind.map(|kind| Arc::from(kind.name())),
        label: label.transpose().map_err(|error| error.to_string())?,
        ..row_of(line, &labelled.event, body, rates)?
    })
}

fn row_of_transfer(line: u64, transfer: &Transfer, rates: &Rates) -> Result<Row, String> {
    let body = transfer.body().map_err(|error| error.to_string())?;
    let typology = transfer.origin.typology();
    Ok(Row {
        fraud: typology.is_some(),
        scenario: typology.map(|typology| Arc::from(typology.name())),
        ..row_of(line, &transfer.event, body, rates)?
    })
}

/// A row of which nothing bad is known.
fn row_of(line: u64, event: &OutgoingEvent, body: Vec<u8>, rates: &Rates) -> Result<Row, String> {
    let amount = event.amount.map(|amount| rates.to_base(amount)).transpose();
    Ok(Row {
        stands_for: 1,
        line,
        id: event.id.clone(),
        occurred_at: event.occurred_at,
        amount_minor: amount.map_err(|error| error.to_string())?.unwrap_or(0),
        body: body.into(),
        fraud: false,
        scenario: None,
        label: None,
        entities: entities::of_simulated(event),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens in a demonstration, and when.
    fn demonstrated(events: u64, now: Timestamp) -> (Vec<String>, Vec<i64>) {
        let config = Config {
            rates: rates(),
            ..Config::default()
        };
        let mut lines = demonstration(events, wiring::rates(&config).unwrap(), now);
        let (mut what, mut when) = (Vec::new(), Vec::new());
        while let Some(batch) = lines.blocking_recv() {
            for line in batch {
                let Line::Row(row) = line else {
                    panic!("a row that cannot be sent");
                };
                when.push(row.occurred_at.micros());
                what.push(format!(
                    "{} {} {:?}",
                    row.id, row.amount_minor, row.scenario
                ));
            }
        }
        (what, when)
    }

    #[test]
    fn a_demonstration_ends_before_now_and_is_the_same_for_a_week() {
        let now = Timestamp::parse("2026-11-27T14:00:00Z").unwrap();
        let (what, when) = demonstrated(6_000, now);
        assert_eq!(what.len(), 6_000);
        let last = when.last().unwrap();
        assert!((now.micros() - 14 * DAY..now.micros()).contains(last));
        assert!(last - when[0] > 25 * DAY);
        let starts = (1..=14).map(|days| {
            let later = Timestamp::from_micros(now.micros() + days * DAY);
            demonstrated(1, later).1[0]
        });
        let mut starts: Vec<i64> = starts.collect();
        starts.dedup();
        assert!((2..=3).contains(&starts.len()), "{starts:?}");
    }
}
