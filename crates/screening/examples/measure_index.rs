//! What an index of so many parties takes: memory, and processor time to build it, to rate its
//! thresholds, and to screen a name and a text. `cargo run --release -p paywarden-screening --example measure_index -- 70000`

#![allow(clippy::print_stdout, reason = "what it measures is its output")]

use paywarden_screening::{Entity, Index, Kind, List, ListKind, ListedName, Query, Room};
use std::{fs, hint::black_box, sync::Arc};

/// Syllables that names are made of: with two to four of them there are more names than parties.
const SYLLABLES: [&str; 24] = [
    "al", "an", "ba", "be", "da", "de", "el", "fa", "ha", "ib", "ja", "ka", "la", "li", "ma", "mo",
    "na", "ra", "sa", "se", "ta", "va", "ya", "zu",
];
/// Screenings of which each figure is the mean.
const SCREENINGS: usize = 2_000;
const THRESHOLD: f32 = 0.5;

fn main() {
    let wanted = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let parties: usize = wanted.unwrap_or(70_000);
    let before = resident_bytes();
    let list = Arc::new(list(parties));
    let listed = resident_bytes();
    let start = processor_ns();
    let index = Index::build(vec![list]);
    let built = processor_ns();
    black_box(index.alert_rates());
    let rated = processor_ns();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!("{parties} parties, {} names", index.names());
    println!(
        "list {:.0} MiB, index {:.0} MiB",
        mib(listed - before),
        mib(resident_bytes() - listed)
    );
    println!(
        "built in {} ms, rated in {} ms",
        (built - start) / 1_000_000,
        (rated - built) / 1_000_000
    );
    let mut room = Room::default();
    let name_us = mean(|number| {
        let query_name = name(number * 7 + 3);
        let query = Query::name(&query_name, Kind::Person);
        black_box(
            index
                .screen(&query, THRESHOLD, 8, &mut room)
                .map(|hits| hits.len()),
        )
        .ok();
    });
    let mut room = Room::default();
    let text_us = mean(|number| {
        let text = format!(
            "invoice {number} of march for {} with thanks",
            name(number * 7 + 3)
        );
        black_box(
            index
                .screen_text(&text, 0.7, 8, &mut room, || true)
                .map(|hits| hits.len()),
        )
        .ok();
    });
    println!("one name {name_us:.0} us, one text {text_us:.0} us");
}

fn list(parties: usize) -> List {
    let entity = |number: usize| Entity {
        id: number.to_string(),
        kind: Kind::Person,
        names: (0..3)
            .map(|alias| ListedName {
                text: name(number * 3 + alias),
                weak: alias == 2,
            })
            .collect(),
        countries: vec!["XX".to_owned()],
        ..Entity::default()
    };
    List {
        name: "made".to_owned(),
        kind: ListKind::Sanctions,
        source_hash: String::new(),
        published: None,
        entities: (0..parties).map(entity).collect(),
    }
}

/// A name of three words, the same for the same number.
fn name(number: usize) -> String {
    let mut state = number as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut word = |least: usize| {
        let length = least + next() % 2;
        (0..length)
            .map(|_| SYLLABLES[next() % SYLLABLES.len()])
            .collect::<String>()
    };
    format!("{} {} {}", word(2), word(3), word(3))
}

/// The mean of the processor time that one screening takes, in microseconds.
fn mean(mut screen: impl FnMut(usize)) -> f64 {
    let start = processor_ns();
    (0..SCREENINGS).for_each(&mut screen);
    (processor_ns() - start) as f64 / 1e3 / SCREENINGS as f64
}

/// Nanoseconds that this thread has run.
fn processor_ns() -> u64 {
    let line = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ran = line.split(' ').next().and_then(|text| text.parse().ok());
    ran.unwrap_or(0)
}

fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    resident.unwrap_or(0) * 4096
}
