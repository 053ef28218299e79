//! `paywarden bench backtest`: what it costs to ask many rules about many payments of the past,
//! from filled slots to the finished counts, and one condition about the last payments.
//!
//! A payment is laid out right before it is asked about, as those of a journal are; what laying out
//! takes is measured alone and taken off.
//!
//! Before any figure, hits found in blocks are compared with those of the same payments asked one
//! by one, as a decision asks. Times are processor time of one thread.

use super::rules::{
    published, shown,
    workload::{Payment, Shape, Workload},
};
use crate::{
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    packs,
    progress::Progress,
    summary::thousands,
    terminal,
};
use paywarden_domain::{Outcome, PaymentId, TenantId, Timestamp, time::DAY};
use paywarden_features::Value;
use paywarden_risk::{
    Bands, Floors,
    backtest::{
        Labelled, Measured, Meter, Subject,
        recent::{self, Recent, RecentLimits},
    },
};
use paywarden_rules::{RuleSet, Slots, Truth};
use std::{collections::BTreeMap, sync::Arc};

/// Different payments; the stream repeats them.
const DISTINCT: usize = 2_048;
/// Payments between two settlements, as a back-test of a journal has them.
const PAGE: usize = 4_096;
/// Payments that are also asked one by one.
const COMPARED: usize = 2_048;
/// One in so many payments is labelled fraud.
const FRAUD_ONE_IN: usize = 97;
const CUSTOMERS: u64 = 5_003;
/// How often a condition is asked, so that the clock is fine enough.
const GLANCES: u32 = 20;
/// A condition over fields, as somebody writes it.
const CONDITION: &str =
    r#"payment.amount_base >= money("20.00", "USD") && payer.country != card.issuer_country"#;

/// Arguments of `bench backtest`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rules
    #[arg(long, default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(10..=10_000))]
    rules: u32,
    /// Payments
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(5_000..=100_000_000))]
    payments: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let (rules, payments) = (arguments.rules as usize, arguments.payments as usize);
    let mut figures = Vec::new();
    for (shape, variant) in [(Shape::Shared, ""), (Shape::Unique, "_unique")] {
        let work = Work::new(shape, rules)?;
        work.compare()?;
        figures.extend(work.measure(payments, variant)?);
        if shape == Shape::Shared {
            figures.extend(work.glance()?);
        }
    }
    if arguments.json {
        terminal::result(&Report::new("bench backtest", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

/// Rules, and payments as the rules read them.
struct Work {
    rules: Arc<RuleSet>,
    payments: Vec<Filled>,
}

/// A payment whose fields and windows are known.
struct Filled {
    fields: Slots<'static>,
    windows: Vec<Value>,
    subject: Subject,
}

impl Work {
    fn new(shape: Shape, rules: usize) -> Result<Self> {
        let load = Workload::new(shape, rules, 7);
        let rules = published(&load.packs())?;
        let shown = shown(&load, &rules)?;
        let payments = load.payments(DISTINCT, 11).into_iter().enumerate();
        let filled = |(number, payment): (usize, Payment)| {
            Ok(Filled {
                fields: payment.slots(load.facts(), &[]),
                windows: payment.windows(load.facts(), &shown),
                subject: subject(number)?,
            })
        };
        Ok(Self {
            payments: payments.map(filled).collect::<Result<_>>()?,
            rules: Arc::new(rules),
        })
    }

    /// Payment by payment and block by block must come to the same.
    fn compare(&self) -> Result<()> {
        let measured = self.metered(COMPARED, |_| {}).finish();
        let mut fired: BTreeMap<&str, u64> = BTreeMap::new();
        for (slots, _) in stream(&self.filled(), COMPARED) {
            for rule in self.rules.evaluate(slots, || true).fired {
                *fired.entry(&self.rules.rules()[rule].id).or_default() += 1;
            }
        }
        let counted: BTreeMap<&str, u64> = measured
            .rules
            .iter()
            .filter(|rule| rule.fired.payments > 0)
            .map(|rule| (rule.rule.as_str(), rule.fired.payments))
            .collect();
        alike(!fired.is_empty() && counted == fired)
    }

    fn measure(&self, payments: usize, variant: &str) -> Result<Vec<Figure>> {
        let progress = Progress::new(payments as u64);
        let before = cpu::thread_ns();
        self.laid_out(payments, |slots, _| {
            std::hint::black_box(slots);
        });
        let laid_out = cpu::thread_ns();
        let meter = self.metered(payments, |done| {
            progress.show(done as u64, format!("{} payments", thousands(done as u64)));
        });
        let measured = meter.finish();
        let both = cpu::thread_ns() - laid_out;
        let laying_out = laid_out - before;
        let seconds = both.saturating_sub(laying_out) as f64 / 1e9;
        let rules = self.rules.rules().len();
        let name = format!("backtest_{}_{}{variant}", short(rules), short(payments));
        let evaluations = rules as f64 * payments as f64;
        let figure = |end: &str, value: f64, unit| Figure::new(format!("{name}{end}"), value, unit);
        Ok(vec![
            figure("", seconds, "s"),
            figure("_laying_out", laying_out as f64 / 1e9, "s"),
            figure("_rows_per_second", payments as f64 / seconds, "1/s"),
            figure("_evaluations_per_second", evaluations / seconds, "1/s"),
            figure("_hits_per_row", hits(&measured) / payments as f64, "1"),
        ])
    }

    /// One condition over the last payments, all that are kept by default.
    fn glance(&self) -> Result<Vec<Figure>> {
        let limits = RecentLimits::default();
        let (recent, kept) = (Recent::new(limits), limits.payments_max);
        let filled = self.filled();
        let tenant = TenantId::parse("bench").map_err(|error| bug(&error))?;
        let before = cpu::thread_ns();
        for (number, (slots, subject)) in stream(&filled, kept).enumerate() {
            recent.keep(
                &tenant,
                &self.rules,
                slots,
                number as u64,
                (*subject).clone(),
            );
        }
        let keep_us = (cpu::thread_ns() - before) as f64 / 1e3 / kept as f64;
        let rates = self.rules.rates();
        let condition =
            recent::compile(CONDITION, rates).map_err(|found| packs::refused(&found))?;
        let look = || recent.glance(&tenant, &condition, |_, _| false, DAY);
        let before = cpu::thread_ns();
        let mut seen = look();
        for _ in 1..GLANCES {
            seen = look();
        }
        let glance_ms = (cpu::thread_ns() - before) as f64 / 1e6 / f64::from(GLANCES);
        let looked = seen.payments.payments as usize;
        let last = stream(&filled, kept).skip(kept - looked);
        let fired = last.filter(|(slots, _)| condition.truth(0, slots) == Truth::True);
        alike(fired.count() as u64 == seen.fired.payments && seen.fired.payments > 0)?;
        Ok(vec![
            Figure::new("effect_ms", glance_ms, "ms"),
            Figure::count("effect_payments", looked as u64),
            Figure::new("effect_keep_us", keep_us, "us"),
        ])
    }

    /// So many payments of the stream, counted.
    fn metered(&self, payments: usize, mut settled: impl FnMut(usize)) -> Meter {
        let mut meter = Meter::new(Arc::clone(&self.rules), &Bands::default());
        let mut number = 0;
        self.laid_out(payments, |slots, subject| {
            meter.push(slots, subject.clone());
            number += 1;
            if number % PAGE == 0 {
                meter.settle(&[]);
                settled(number);
            }
        });
        meter.settle(&[]);
        meter
    }

    /// So many payments of the stream, each laid out in the same place right before, as a back-test
    /// of a journal lays them out. What that takes is measured alone and taken off.
    fn laid_out(&self, payments: usize, mut each: impl FnMut(&Slots<'_>, &Subject)) {
        let mut windows = Vec::new();
        for payment in self.payments.iter().cycle().take(payments) {
            windows.clone_from(&payment.windows);
            let mut slots: Slots<'_> = payment.fields.clone();
            slots.windows = &windows;
            each(&slots, &payment.subject);
        }
    }

    /// The different payments, each with all that rules read of it.
    fn filled(&self) -> Vec<(Slots<'_>, &Subject)> {
        let filled = self.payments.iter();
        filled
            .map(|payment| (payment.slots(), &payment.subject))
            .collect()
    }
}

impl Filled {
    fn slots(&self) -> Slots<'_> {
        let mut slots: Slots<'_> = self.fields.clone();
        slots.windows = &self.windows;
        slots
    }
}

/// So many payments, the different ones over and over.
fn stream<'a, 's>(
    filled: &'a [(Slots<'s>, &'s Subject)],
    payments: usize,
) -> impl Iterator<Item = &'a (Slots<'s>, &'s Subject)> {
    filled.iter().cycle().take(payments)
}

fn subject(number: usize) -> Result<Subject> {
    Ok(Subject {
        payment_id: PaymentId::parse(&format!("p{number}")).map_err(|error| bug(&error))?,
        occurred_at: Timestamp::from_micros(20_000 * DAY + number as i64 * (DAY / 1_000)),
        amount_minor: 1_000 + number as i64,
        labelled: match number.is_multiple_of(FRAUD_ONE_IN) {
            true => Labelled::Fraud,
            false => Labelled::PresumedGenuine,
        },
        customer: (number as u64 % CUSTOMERS + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        before: Outcome::Approve,
        floors: Floors::default(),
    })
}

/// Rules that fired, over all payments.
fn hits(measured: &Measured) -> f64 {
    let fired = measured.rules.iter().map(|rule| rule.fired.payments);
    fired.sum::<u64>() as f64
}

fn alike(same: bool) -> Result<()> {
    match same {
        true => Ok(()),
        false => Err(Failure::not_held(
            "blocks of payments gave other hits than the same payments one by one",
            "report this as a bug: a back-test must answer as a decision does",
        )),
    }
}

fn bug(error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(error, "report this as a bug")
}

/// A round number as names have it: 10k, 1m.
fn short(number: usize) -> String {
    match number {
        _ if number.is_multiple_of(1_000_000) => format!("{}m", number / 1_000_000),
        _ if number.is_multiple_of(1_000) => format!("{}k", number / 1_000),
        _ => number.to_string(),
    }
}

fn text(figures: &[Figure]) -> String {
    let mut text = "processor time of one thread\n".to_owned();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        text += &format!("  {:<44} {value:>16.3} {}\n", figure.name, figure.unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::new("backtest_10k_1m", 1.75, "s"),
            Figure::new("backtest_10k_1m_rows_per_second", 571_428.0, "1/s"),
        ];
        insta::assert_snapshot!(text(&figures));
    }

    #[test]
    fn round_numbers_have_short_names() {
        assert_eq!([10_000, 1_000_000, 500].map(short), ["10k", "1m", "500"]);
    }
}
