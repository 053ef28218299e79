//! What the verdicts were worth: outcomes, recall, precision, money stopped, who caught what.

mod ranking;
#[cfg(test)]
mod tests;

pub use ranking::Ranking;

use crate::figures::Figure;
use paywarden_domain::Outcome;
use std::collections::BTreeMap;

/// How many rules a summary names, those that fired most often first.
const RULES_SHOWN: usize = 20;
/// Fraud of which the data does not tell the kind.
const UNNAMED: &str = "fraud";

/// One decided payment beside what it really was.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// What the server said.
    pub outcome: Outcome,
    /// Whether money would have been lost to fraud.
    pub fraud: bool,
    /// The kind of fraud, where the data tells it.
    pub scenario: Option<&'a str>,
    /// The amount in minor units of one currency for all payments of a tally.
    pub amount_minor: i64,
    /// The live rules of both engines that fired.
    pub fired: &'a [String],
    /// Whether the deadline cut the rules short.
    pub partial: bool,
    /// The score of the laundering engine, 0 to 1000.
    pub laundering_score: u16,
}

/// Counts over many decided payments.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    outcomes: [u64; Outcome::ALL.len()],
    fraud: Caught,
    alerts: u64,
    alerts_right: u64,
    partial: u64,
    scenarios: BTreeMap<String, Scenario>,
    rules: BTreeMap<String, RuleHits>,
    laundering: Ranking,
}

/// How much of something was stopped, by number and by amount.
#[derive(Debug, Clone, Copy, Default)]
struct Caught {
    payments: u64,
    stopped: u64,
    amount_minor: i128,
    amount_stopped_minor: i128,
}

#[derive(Debug, Clone, Default)]
struct Scenario {
    caught: Caught,
    rules: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct RuleHits {
    fraud: u64,
    genuine: u64,
}

impl Tally {
    /// Counts one payment.
    pub fn add(&mut self, judged: Judged<'_>) {
        let stopped = judged.outcome.stops();
        if let Some(count) = self.outcomes.get_mut(judged.outcome as usize) {
            *count += 1;
        }
        self.alerts += u64::from(stopped);
        self.alerts_right += u64::from(stopped && judged.fraud);
        self.partial += u64::from(judged.partial);
        let kind = judged.fraud.then(|| judged.scenario.unwrap_or(UNNAMED));
        self.laundering.add(judged.laundering_score, kind);
        for rule in judged.fired {
            let hits = entry(&mut self.rules, rule);
            *if judged.fraud {
                &mut hits.fraud
            } else {
                &mut hits.genuine
            } += 1;
        }
        if let Some(name) = kind {
            self.fraud.add(stopped, judged.amount_minor);
            let scenario = entry(&mut self.scenarios, name);
            scenario.caught.add(stopped, judged.amount_minor);
            for rule in judged.fired.iter().filter(|_| stopped) {
                *entry(&mut scenario.rules, rule) += 1;
            }
        }
    }

    /// Adds what another tally has counted.
    pub fn merge(&mut self, other: Self) {
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
        self.fraud.merge(other.fraud);
        self.alerts += other.alerts;
        self.alerts_right += other.alerts_right;
        self.partial += other.partial;
        self.laundering.merge(other.laundering);
        for (name, scenario) in other.scenarios {
            let mine = self.scenarios.entry(name).or_default();
            mine.caught.merge(scenario.caught);
            for (rule, count) in scenario.rules {
                *mine.rules.entry(rule).or_default() += count;
            }
        }
        for (rule, hits) in other.rules {
            let mine = self.rules.entry(rule).or_default();
            mine.fraud += hits.fraud;
            mine.genuine += hits.genuine;
        }
    }

    /// The scores of the laundering engine beside the truth.
    pub fn laundering(&self) -> &Ranking {
        &self.laundering
    }

    /// How many payments were decided.
    pub fn decisions(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// How many decisions the deadline cut short.
    pub fn partial(&self) -> u64 {
        self.partial
    }

    /// The share of fraud's amount that was stopped, 0 to 1; NaN without fraud.
    pub fn amount_stopped_ratio(&self) -> f64 {
        self.fraud.amount_stopped_minor as f64 / self.fraud.amount_minor as f64
    }

    /// The figures that every command with labelled traffic reports.
    pub fn figures(&self) -> Vec<Figure> {
        let decisions = self.decisions() as f64;
        let mut figures = vec![
            Figure::share("alert_rate", self.alerts as f64, decisions),
            Figure::share(
                "recall",
                self.fraud.stopped as f64,
                self.fraud.payments as f64,
            ),
            Figure::share("precision", self.alerts_right as f64, self.alerts as f64),
            Figure::new(
                "fraud_amount_stopped_ratio",
                self.amount_stopped_ratio(),
                "1",
            ),
            Figure::count("fraud_payments", self.fraud.payments),
            Figure::count("partial_decisions", self.partial),
        ];
        for (outcome, count) in Outcome::ALL.iter().zip(self.outcomes) {
            figures.push(Figure::count(format!("outcome_{outcome}"), count));
        }
        figures
    }

    /// One line of outcomes for a progress display, such as `approve 97.1 %  review 2.9 %`.
    pub fn outcome_line(&self) -> String {
        let total = self.decisions().max(1) as f64;
        let counted = Outcome::ALL
            .iter()
            .zip(self.outcomes)
            .filter(|(_, count)| *count > 0);
        let word = |(outcome, count): (&Outcome, u64)| {
            format!("{outcome} {:.1} %", 100.0 * count as f64 / total)
        };
        counted.map(word).collect::<Vec<_>>().join("  ")
    }

    /// The kinds of fraud and the rules, as a table for people. `currency` names the amounts.
    pub fn table(&self, currency: &str, decimals: u8) -> String {
        let mut text = String::new();
        if !self.scenarios.is_empty() {
            text += &format!(
                "\n{:<36} {:>9} {:>9} {:>8} {:>18} {:>9}\n",
                "kind of fraud", "payments", "stopped", "share", currency, "stopped"
            );
        }
        for (name, scenario) in &self.scenarios {
            text += &scenario.caught.line(name, decimals);
            text += &top_rules(&scenario.rules);
        }
        if self.scenarios.len() > 1 {
            text += &self.fraud.line("all", decimals);
        }
        text + &self.rule_table()
    }

    fn rule_table(&self) -> String {
        if self.rules.is_empty() {
            return String::new();
        }
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_by_key(|(_, hits)| std::cmp::Reverse(hits.fraud + hits.genuine));
        let mut text = format!(
            "\n{:<52} {:>9} {:>9} {:>9}\n",
            "rule", "fraud", "genuine", "right"
        );
        let more = rules.len().saturating_sub(RULES_SHOWN);
        for (rule, hits) in rules.into_iter().take(RULES_SHOWN) {
            let all = hits.fraud + hits.genuine;
            let right = percent(hits.fraud as f64, all as f64);
            text += &format!(
                "{rule:<52} {:>9} {:>9} {right:>9}\n",
                hits.fraud, hits.genuine
            );
        }
        if more > 0 {
            text += &format!("and {more} more that fired less often\n");
        }
        text
    }
}

impl Caught {
    fn add(&mut self, stopped: bool, amount_minor: i64) {
        self.payments += 1;
        self.amount_minor += i128::from(amount_minor);
        if stopped {
            self.stopped += 1;
            self.amount_stopped_minor += i128::from(amount_minor);
        }
    }

    fn merge(&mut self, other: Self) {
        self.payments += other.payments;
        self.stopped += other.stopped;
        self.amount_minor += other.amount_minor;
        self.amount_stopped_minor += other.amount_stopped_minor;
    }

    fn line(&self, name: &str, decimals: u8) -> String {
        let share = percent(self.stopped as f64, self.payments as f64);
        let amount_share = percent(self.amount_stopped_minor as f64, self.amount_minor as f64);
        format!(
            "{name:<36} {:>9} {:>9} {share:>8} {:>18} {amount_share:>9}\n",
            self.payments,
            self.stopped,
            major(self.amount_minor, decimals),
        )
    }
}

/// How many rules are named below each kind of fraud.
const TOP_RULES: usize = 3;

fn top_rules(rules: &BTreeMap<String, u64>) -> String {
    let mut rules: Vec<_> = rules.iter().collect();
    rules.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let named = rules
        .iter()
        .take(TOP_RULES)
        .map(|(rule, count)| format!("{rule} {count}"));
    match named.collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => names,
        names => format!("    {names}\n"),
    }
}

fn entry<'m, V: Default>(map: &'m mut BTreeMap<String, V>, key: &str) -> &'m mut V {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), V::default());
    }
    map.entry(key.to_owned()).or_default()
}

/// A share as people read it; a dash when there is no whole.
pub fn percent(part: f64, whole: f64) -> String {
    if whole == 0.0 {
        "-".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part / whole)
    }
}

/// Minor units as a plain decimal.
pub fn major(minor: i128, decimals: u8) -> String {
    let scale = 10i128.pow(u32::from(decimals));
    match decimals {
        0 => minor.to_string(),
        _ => format!(
            "{}.{:0>2$}",
            minor / scale,
            minor % scale,
            usize::from(decimals)
        ),
    }
}
