//! Measures the store under made-up card traffic: time per event, bytes per event, a busy entity
//! beside quiet ones.
//! `cargo run --release -p paywarden-features --example measure_windows [EVENTS [LONG_MIN]]`

use paywarden_domain::time::{DAY, HOUR, MINUTE, SECOND};
use paywarden_domain::{EventKind, Outcome};
use paywarden_features::*;
use std::io::Write;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().ok());
    let events = arguments.next().flatten().unwrap_or(1_000_000);
    let mut limits = Limits::default();
    if let Some(long_min) = arguments.next().flatten() {
        limits.long_min = long_min as usize;
    }
    let mut out = std::io::stdout().lock();
    traffic(events, limits, &mut out)?;
    busy(events, limits, &mut out)
}

/// Eight entities per event, 100,000 cards, 30 days.
fn traffic(events: u64, limits: Limits, out: &mut impl Write) -> std::io::Result<()> {
    let specs = specs();
    let (mut reserves, mut commits) = (vec![1; events as usize / 5], vec![1; events as usize / 5]);
    let before = resident_bytes();
    let store = FeatureStore::new(limits);
    let registered = store.register(&specs).is_ok();
    let step = 30 * DAY / events as i64;
    let (mut dice, mut values) = (Dice(1), Vec::new());
    let (started, cpu) = (Instant::now(), cpu_ns());
    for number in 0..events {
        let event = event(&mut dice, number as i64 * step);
        let start = Instant::now();
        let ticket = store.reserve(&event, &mut values);
        let reserved = start.elapsed();
        let outcome = if number % 50 == 0 {
            Outcome::Decline
        } else {
            Outcome::Approve
        };
        store.commit(ticket, outcome);
        let both = start.elapsed();
        if let Some(place) = (number as usize).checked_sub((events - events / 5) as usize) {
            reserves[place] = reserved.as_nanos() as u64;
            commits[place] = (both - reserved).as_nanos() as u64;
        }
    }
    let filled = started.elapsed();
    let cpu = (cpu_ns() - cpu) / events;
    let bytes = resident_bytes().saturating_sub(before);
    let stats = store.stats();
    writeln!(
        out,
        "windows {} registered {registered} values {}",
        specs.len(),
        values.len()
    )?;
    writeln!(out, "filled in {filled:.1?}: {stats:?}")?;
    writeln!(
        out,
        "bytes per event {}, processor time per event {cpu} ns",
        bytes / events
    )?;
    report(out, "reserve", reserves)?;
    report(out, "commit", commits)?;
    rebuilt(&store, limits, &specs, events, out)
}

/// Writing an image and reading it back.
fn rebuilt(
    store: &FeatureStore,
    limits: Limits,
    specs: &[WindowSpec],
    events: u64,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let start = Instant::now();
    let mut image = Vec::new();
    let written = store.snapshot(0, &mut image).is_ok();
    let took = start.elapsed();
    writeln!(
        out,
        "snapshot {written} {} bytes per event in {took:.1?}",
        image.len() as u64 / events
    )?;
    let start = Instant::now();
    let store = FeatureStore::new(limits);
    let registered = store.register(specs).is_ok();
    let restored = store.restore(image.as_slice()).is_ok();
    writeln!(
        out,
        "restored {} in {:.1?}",
        registered && restored,
        start.elapsed()
    )
}

/// One merchant takes every payment; cards are many.
fn busy(events: u64, limits: Limits, out: &mut impl Write) -> std::io::Result<()> {
    let store = FeatureStore::new(limits);
    let mut registered = store.register(&specs()).is_ok();
    let step = 30 * DAY / events as i64;
    let (mut dice, mut values) = (Dice(2), Vec::new());
    let mut pay = |at: i64, merchant: u64, dice: &mut Dice| {
        let mut event = FeatureEvent::new(EventKind::PaymentCard, at);
        event.amount = Some(dice.below(100_000) as i64);
        event.entities[EntityKind::Merchant as usize] = merchant;
        event.entities[EntityKind::Card as usize] = dice.below(100_000) + 1;
        let start = Instant::now();
        let ticket = store.reserve(&event, &mut values);
        let took = start.elapsed().as_nanos() as u64;
        store.commit(ticket, Outcome::Approve);
        took
    };
    for number in 0..events {
        pay(number as i64 * step, 1, &mut dice);
    }
    let mut now = events as i64 * step;
    let mut series = |name: &str, lateness: i64, out: &mut dyn Write, merchant: fn(u64) -> u64| {
        let cpu = cpu_ns();
        let times = (0..20_000).map(|number| {
            now += step;
            pay(
                now - dice.below(lateness as u64 + 1) as i64,
                merchant(number),
                &mut dice,
            )
        });
        let times = times.collect();
        writeln!(
            out,
            "{name}: processor time per event {} ns",
            (cpu_ns() - cpu) / 20_000
        )?;
        report(out, name, times)
    };
    series("busy merchant", 0, out, |_| 1)?;
    series("busy merchant, up to 10 s late", 10 * SECOND, out, |_| 1)?;
    series("busy merchant, up to an hour late", HOUR, out, |_| 1)?;
    series("quiet merchant", 0, out, |number| 2 + number % 5000)?;
    registered &= store.register(&specs()).is_ok();
    let first = pay(now, 1, &mut dice);
    writeln!(
        out,
        "first read after a new plan ({registered}): {} us",
        first / 1000
    )
}

fn specs() -> Vec<WindowSpec> {
    use Aggregate::{Avg, Count, Distinct, Max, Sum};
    use EntityKind::{Account, Bin, Card, Customer, Device, Email, Ip, Merchant};
    let declined = Filter {
        outcomes: Some(Set::EMPTY.with(Outcome::Decline)),
        ..Filter::default()
    };
    let mut specs = Vec::new();
    for entity in [Card, Account, Customer, Device, Ip, Merchant, Bin, Email] {
        specs.push(WindowSpec::recent(entity, Count, 10 * MINUTE));
        specs.push(WindowSpec::recent(entity, Sum, DAY));
        specs.push(WindowSpec::recent(entity, Count, 7 * DAY).filtered(declined));
    }
    for entity in [Card, Account, Merchant, Device] {
        specs.push(WindowSpec::between(entity, Avg, 0, 30 * DAY));
        specs.push(WindowSpec::between(entity, Max, 0, 30 * DAY));
    }
    let shared = |entity| Distinct(Attribute::Entity(entity));
    specs.push(WindowSpec::recent(Device, shared(Card), 7 * DAY));
    specs.push(WindowSpec::recent(Ip, shared(Card), DAY));
    specs.push(WindowSpec::recent(Merchant, shared(Card), HOUR));
    specs.push(WindowSpec::recent(Merchant, shared(Bin), 7 * DAY));
    specs.push(WindowSpec::recent(Card, Distinct(Attribute::Country), DAY));
    specs.push(WindowSpec::recent(Card, shared(Merchant), DAY));
    let same = Filter {
        same: Set::EMPTY.with(Merchant),
        ..Filter::default()
    };
    specs.push(WindowSpec::recent(Card, Count, 30 * DAY).filtered(same));
    specs.push(WindowSpec::first_seen(Card));
    specs.push(WindowSpec::first_seen(Device));
    specs.push(WindowSpec {
        older: 30 * DAY,
        ..WindowSpec::since_previous(Card)
    });
    specs
}

fn event(dice: &mut Dice, at: i64) -> FeatureEvent {
    use EntityKind::{Account, Bin, Card, Customer, Device, Email, Ip, Merchant};
    let customer = dice.below(80_000) + 1;
    let card = if customer.is_multiple_of(4) && dice.below(2) == 0 {
        customer + 80_000
    } else {
        customer
    };
    let device = if dice.below(10) == 0 {
        dice.below(90_000) + 1
    } else {
        customer
    };
    let ip = if dice.below(10) < 3 {
        dice.below(1_000) + 1
    } else {
        1_000 + device * 2 / 3
    };
    let merchant = dice.below(5_000) * dice.below(5_000) / 5_000 + 1;
    let mut event = FeatureEvent::new(EventKind::PaymentCard, at);
    event.amount = Some(dice.below(100_000) as i64);
    event.country = dice.below(40) as u16 + 1;
    event.mcc = (merchant % 300) as u16 + 1;
    for (kind, key) in [
        (Card, card),
        (Bin, card % 2_000 + 1),
        (Account, customer),
        (Customer, customer),
        (Device, device),
        (Ip, ip),
        (Merchant, merchant),
        (Email, customer),
    ] {
        event.entities[kind as usize] = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    }
    event
}

fn report(out: &mut (impl Write + ?Sized), name: &str, mut times: Vec<u64>) -> std::io::Result<()> {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    writeln!(
        out,
        "{name}: p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns, max {max} ns"
    )
}

/// Processor time used by this process so far.
fn cpu_ns() -> u64 {
    let times = std::fs::read_to_string("/proc/self/schedstat").ok();
    times
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or(0)
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}
