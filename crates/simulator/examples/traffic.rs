//! Writes traffic as one JSON body a line, and how fast it was made:
//! `cargo run --release -p paywarden-simulator --example traffic -- EVENTS [CUSTOMERS [SEED]]`.

use paywarden_simulator::{Population, Settings, Traffic};
use std::io::{self, BufWriter, Write};
use std::time::Instant;

fn main() -> io::Result<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().map_err(io::Error::other));
    let events = numbers.next().unwrap_or(Ok(1_000))?;
    let customers = numbers.next().unwrap_or(Ok(2_000))?;
    let seed = numbers.next().unwrap_or(Ok(7))? as u64;

    let began = Instant::now();
    let population = Population::new(seed, customers);
    let peopled = began.elapsed();
    let settings = Settings {
        seed,
        days: 3_650,
        events_per_day: (population.size() * 2) as u32,
        ..Settings::demo()
    };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let (mut count, mut fraud, mut bytes) = (0u64, 0u64, 0usize);
    let began = Instant::now();
    for item in Traffic::new(&population, settings).take(events) {
        let body = item.body()?;
        (count, fraud, bytes) = (
            count + 1,
            fraud + u64::from(item.is_fraud),
            bytes + body.len(),
        );
        out.write_all(&body)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let seconds = began.elapsed().as_secs_f64();
    writeln!(
        io::stderr(),
        "{customers} customers in {peopled:.1?}; {count} events, {fraud} fraudulent, {} bytes each, \
         in {seconds:.2} s: {:.0} a second",
        bytes as u64 / count.max(1),
        count as f64 / seconds,
    )
}
