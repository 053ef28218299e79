//! What a score is worth when only so many alerts can be worked: the highest scores first.

use super::{entry, percent};
use crate::figures::Figure;
use std::collections::BTreeMap;

/// How many scores there are, 0 to 1000.
const SCORES: usize = 1001;
/// The shares of payments that raise an alert, in thousandths.
const RATES_THOUSANDTHS: [u64; 3] = [5, 10, 20];

/// How often each score was given, to all payments and to each kind of fraud.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    all: Counts,
    kinds: BTreeMap<String, Counts>,
}

#[derive(Debug, Clone)]
struct Counts(Vec<u64>);

/// Which payments raise an alert: those above a score, and a share of those with it.
///
/// Payments with equal scores cannot be told apart. As many of them as there is room for are taken
/// at random, so what is found among them is an expectation. A score of 0 never raises an alert.
#[derive(Debug, Clone, Copy)]
struct Cut {
    score: usize,
    tied: u64,
    tied_taken: u64,
    alerts: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; SCORES])
    }
}

impl Ranking {
    /// Counts the score of one payment; `kind` is the kind of fraud, none for a genuine one.
    pub fn add(&mut self, score: u16, kind: Option<&str>) {
        self.all.add(score);
        if let Some(kind) = kind {
            entry(&mut self.kinds, kind).add(score);
        }
    }

    /// Adds what another ranking has counted.
    pub fn merge(&mut self, other: Self) {
        self.all.merge(&other.all);
        for (kind, counts) in other.kinds {
            entry(&mut self.kinds, &kind).merge(&counts);
        }
    }

    /// The share of each kind that is found at each alert rate, the precision, and the ties.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for rate in RATES_THOUSANDTHS {
            let (cut, fraud) = (self.cut(rate), self.fraud());
            let named = |what: &str| format!("{what}_at_{rate}_per_1000");
            let found = fraud.found(cut);
            figures.push(Figure::share(named("precision"), found, cut.alerts as f64));
            figures.push(Figure::count(named("alerts"), cut.alerts));
            figures.push(Figure::count(
                named("alerts_drawn_among_ties"),
                cut.tied_taken,
            ));
            figures.push(Figure::count(named("ties"), cut.tied));
            figures.push(Figure::share(
                named("found_all"),
                found,
                fraud.total() as f64,
            ));
            for (kind, counts) in &self.kinds {
                let name = named(&format!("found_{kind}"));
                figures.push(Figure::share(
                    name,
                    counts.found(cut),
                    counts.total() as f64,
                ));
            }
        }
        figures
    }

    /// The same as a table for people.
    pub fn table(&self) -> String {
        let cuts = RATES_THOUSANDTHS.map(|rate| self.cut(rate));
        let mut text = format!("\n{:<36} {:>9}", "found by laundering score", "payments");
        for rate in RATES_THOUSANDTHS {
            text += &format!(" {:>9}", format!("at {:.1} %", rate as f64 / 10.0));
        }
        text.push('\n');
        for (kind, counts) in &self.kinds {
            text += &counts.line(kind, cuts);
        }
        text += &self.fraud().line("all", cuts);
        for (rate, cut) in RATES_THOUSANDTHS.iter().zip(cuts) {
            text += &format!(
                "at {:.1} %: {} alerts, {} right; {} of them drawn from {} with the same score {}\n",
                *rate as f64 / 10.0,
                cut.alerts,
                percent(self.fraud().found(cut), cut.alerts as f64),
                cut.tied_taken,
                cut.tied,
                cut.score,
            );
        }
        text
    }

    fn fraud(&self) -> Counts {
        let mut fraud = Counts::default();
        for counts in self.kinds.values() {
            fraud.merge(counts);
        }
        fraud
    }

    /// The highest scores that fit into so many thousandths of the payments.
    fn cut(&self, rate_thousandths: u64) -> Cut {
        let room = self.all.total() * rate_thousandths / 1000;
        let mut alerts = 0;
        for (score, count) in self.all.0.iter().enumerate().skip(1).rev() {
            if alerts + count > room {
                return Cut {
                    score,
                    tied: *count,
                    tied_taken: room - alerts,
                    alerts: room,
                };
            }
            alerts += count;
        }
        Cut {
            score: 0,
            tied: 0,
            tied_taken: 0,
            alerts,
        }
    }
}

impl Counts {
    fn add(&mut self, score: u16) {
        if let Some(count) = self.0.get_mut(usize::from(score)) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many of these are expected among the alerts.
    fn found(&self, cut: Cut) -> f64 {
        let above: u64 = self.0.iter().skip(cut.score + 1).sum();
        let tied = self.0.get(cut.score).copied().unwrap_or(0);
        let taken = match cut.tied {
            0 => 0.0,
            all => tied as f64 * cut.tied_taken as f64 / all as f64,
        };
        above as f64 + taken
    }

    fn line(&self, name: &str, cuts: [Cut; RATES_THOUSANDTHS.len()]) -> String {
        let mut line = format!("{name:<36} {:>9}", self.total());
        for cut in cuts {
            line += &format!(" {:>9}", percent(self.found(cut), self.total() as f64));
        }
        line + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand payments: four at 900, eight at 500, the others at 0.
    fn ranking() -> Ranking {
        let mut ranking = Ranking::default();
        for place in 0..1000 {
            let (score, kind) = match place {
                0 | 1 => (900, Some("cycle")),
                2 | 3 => (900, None),
                4 | 5 => (500, Some("fan_in")),
                6..12 => (500, None),
                12 => (0, Some("fan_in")),
                _ => (0, None),
            };
            ranking.add(score, kind);
        }
        ranking
    }

    fn value(name: &str) -> f64 {
        let figures = ranking().figures();
        let figure = figures.iter().find(|figure| figure.name == name);
        figure.unwrap().value.unwrap()
    }

    #[test]
    fn equal_scores_are_drawn_from_and_no_score_is_no_alert() {
        for (name, expected) in [
            // Five alerts: four at 900, one of the eight at 500, of which two are fraud.
            ("found_cycle_at_5_per_1000", 1.0),
            ("found_fan_in_at_5_per_1000", 0.25 / 3.0),
            ("precision_at_5_per_1000", 2.25 / 5.0),
            ("ties_at_5_per_1000", 8.0),
            ("alerts_drawn_among_ties_at_5_per_1000", 1.0),
            // Ten alerts: six of the eight.
            ("found_fan_in_at_10_per_1000", 1.5 / 3.0),
            // Twenty would fit, but only twelve have a score.
            ("alerts_at_20_per_1000", 12.0),
            ("found_all_at_20_per_1000", 4.0 / 5.0),
        ] {
            assert!(
                (value(name) - expected).abs() < 1e-4,
                "{name}: {}",
                value(name)
            );
        }
    }

    #[test]
    fn merged_counts_are_those_of_both() {
        let mut twice = ranking();
        twice.merge(ranking());
        let cut = twice.cut(5);
        assert_eq!((cut.alerts, cut.tied, cut.tied_taken), (10, 16, 2));
    }

    #[test]
    fn the_table_says_what_was_drawn() {
        let table = ranking().table();
        assert!(table.contains(
            "at 0.5 %: 5 alerts, 45.0 % right; 1 of them drawn from 8 with the same score 500"
        ));
    }
}
