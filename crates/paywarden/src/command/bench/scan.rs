//! `paywarden bench scan`: how fast leaks are found, how many, and how often what is found is none,
//! on generated texts in which every card number is labelled. What a scan in parts finds is
//! compared with what a scan of the whole finds before anything is timed.

mod corpus;

use crate::{
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    progress::Progress,
    terminal,
};
use corpus::{KINDS, Source};
use paywarden_privacy::scan::{Confidence, Found, Kind, Scanner, masked};
use std::{collections::BTreeSet, hint::black_box};

/// Lines that the guard of the log is timed with.
const GUARD_LINES: usize = 200_000;
/// Texts of each kind.
const TEXTS: usize = 8;
/// Bytes of each text.
const TEXT_BYTES: usize = 1_000_000;

/// Arguments of `bench scan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Megabytes of each kind of text that are timed
    #[arg(long, default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_024))]
    megabytes: u64,
    /// Where the generator begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = arguments.megabytes * 1_000_000;
    let figures = measure(bytes, (TEXTS, TEXT_BYTES), arguments.seed)?;
    if arguments.json {
        terminal::result(&Report::new("bench scan", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

fn measure(bytes: u64, (texts, of): (usize, usize), seed: u64) -> Result<Vec<Figure>> {
    let progress = Progress::new(3);
    progress.show(0, "finding what was planted");
    let sources = corpus::sources(texts, of, seed);
    let mut figures = quality(&sources)?;
    progress.show(1, "going through each kind of text");
    figures.extend(speed(&sources, bytes));
    progress.show(2, "masking log lines");
    figures.extend(guard(&sources));
    Ok(figures)
}

fn scan(text: &[u8], part: usize) -> Found {
    let mut scanner = Scanner::default();
    text.chunks(part.max(1)).for_each(|part| scanner.push(part));
    scanner.finish()
}

/// Places of card numbers that are at least so sure.
fn places(found: &Found, least: Confidence) -> BTreeSet<u64> {
    let cards = found.findings.iter().filter(|finding| {
        finding.confidence >= least
            && matches!(finding.kind, Kind::CardNumber | Kind::TestCardNumber)
    });
    cards.map(|card| card.offset).collect()
}

/// How many of the planted numbers are found, and how many of those found were planted.
fn quality(sources: &[Source]) -> Result<Vec<Figure>> {
    let (mut planted, mut likely, mut any, mut right) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut by_layout = vec![(0_u64, 0_u64); corpus::layouts().count()];
    for source in sources {
        let found = scan(&source.text, source.text.len());
        let sure = places(&found, Confidence::Likely);
        if sure != places(&scan(&source.text, 65_521), Confidence::Likely) || found.left_out > 0 {
            return Err(Failure::not_held(
                "a scan in parts finds something else than a scan of the whole",
                "report this as a bug",
            ));
        }
        let all = places(&found, Confidence::Doubtful);
        likely += sure.len() as u64;
        for card in &source.planted {
            let is_sure = u64::from(sure.contains(&card.start));
            (planted, right) = (planted + 1, right + is_sure);
            any += u64::from(all.contains(&card.start));
            if let Some((layout, of_layout)) = by_layout.get_mut(card.layout) {
                (*layout, *of_layout) = (*layout + 1, *of_layout + is_sure);
            }
        }
    }
    let share = |part: u64, whole: u64| part as f64 / whole as f64;
    let mut figures = vec![
        Figure::count("planted", planted),
        Figure::new("recall", share(right, planted), "1"),
        Figure::new("recall_with_doubtful", share(any, planted), "1"),
        Figure::new("precision", share(right, likely), "1"),
    ];
    figures.extend(
        corpus::layouts()
            .zip(by_layout)
            .map(|(name, (all, found))| {
                Figure::new(format!("recall_{name}"), share(found, all), "1")
            }),
    );
    Ok(figures)
}

/// Megabytes (10⁶ bytes) that one core goes through in a second: of each kind of text, and of all.
fn speed(sources: &[Source], bytes: u64) -> Vec<Figure> {
    let mut figures = Vec::new();
    let (mut all_bytes, mut all_ns) = (0, 0);
    for (kind, _) in KINDS {
        let texts: Vec<_> = sources
            .iter()
            .filter(|source| source.kind == kind)
            .collect();
        let of_one: u64 = texts.iter().map(|source| source.text.len() as u64).sum();
        let rounds = bytes.div_ceil(of_one);
        let begun = cpu::thread_ns();
        for source in (0..rounds).flat_map(|_| &texts) {
            black_box(scan(black_box(&source.text), 1 << 20).findings.len());
        }
        let ns = cpu::thread_ns() - begun;
        let bytes = rounds * of_one;
        (all_bytes, all_ns) = (all_bytes + bytes, all_ns + ns);
        figures.push(Figure::new(
            format!("{kind}_mb_per_core_second"),
            rate(bytes, ns),
            "MB/s",
        ));
    }
    let all = rate(all_bytes, all_ns);
    figures.insert(0, Figure::new("mb_per_core_second", all, "MB/s"));
    figures
}

fn rate(bytes: u64, ns: u64) -> f64 {
    bytes as f64 * 1e3 / ns as f64
}

/// What the guard adds to a log line.
fn guard(sources: &[Source]) -> Option<Figure> {
    let logs = sources.iter().find(|source| source.kind == KINDS[0].0)?;
    let lines: Vec<&[u8]> = logs.text.split(|byte| *byte == b'\n').collect();
    let begun = cpu::thread_ns();
    for line in lines.iter().cycle().take(GUARD_LINES) {
        black_box(masked(black_box(line)));
    }
    let ns = cpu::thread_ns() - begun;
    Some(Figure::new(
        "guard_ns_per_line",
        ns as f64 / GUARD_LINES as f64,
        "ns",
    ))
}

fn text(figures: &[Figure]) -> String {
    let title = String::from("leaks in generated texts\n");
    figures.iter().fold(title, |text, figure| {
        let value = figure.value.unwrap_or(f64::NAN);
        text + &format!("  {:<34} {value:>12.4} {}\n", figure.name, figure.unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_names_every_figure_and_holds_what_is_claimed() {
        let figures = measure(1, (1, 600_000), 3).unwrap();
        let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
        let value = |name| {
            let figure = figures.iter().find(|figure| figure.name == name);
            figure.unwrap().value.unwrap()
        };
        assert!(value("recall") >= 0.99, "{}", text(&figures));
        assert!(value("precision") >= 0.95, "{}", text(&figures));
    }

    #[test]
    fn one_seed_gives_one_corpus() {
        let text = |seed| corpus::sources(1, 10_000, seed).remove(3).text;
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }
}
