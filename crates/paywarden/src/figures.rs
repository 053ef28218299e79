//! Measured figures in the one form that every measuring command prints with `--json`.

use crate::failure::{Failure, Result};
use serde::Serialize;
use std::fs;

/// One object on stdout: what was measured, by which version, on which machine.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The command and its subcommand, such as `bench edge`.
    pub command: &'static str,
    /// Version of this binary.
    pub version: &'static str,
    /// Where it ran.
    pub machine: Machine,
    /// What was measured, in reading order.
    pub figures: Vec<Figure>,
}

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Stable, `snake_case`.
    pub name: String,
    /// The number; none if there was nothing to measure it on.
    pub value: Option<f64>,
    /// Unit of `value`: `ms`, `us`, `1/s`, `1` for shares and counts, or a currency.
    pub unit: &'static str,
    /// What `value` is compared with, in the same unit.
    pub anchor: Option<f64>,
    /// `value` divided by `anchor`.
    pub ratio: Option<f64>,
}

/// The machine that the figures belong to.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cpus: usize,
    /// Processor model, as the kernel names it.
    pub model: String,
    /// Main memory in MiB.
    pub memory_mb: u64,
    /// Operating system and kernel.
    pub os: String,
}

impl Report {
    /// A report of this binary on this machine.
    pub fn new(command: &'static str, figures: Vec<Figure>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            command,
            version,
            machine: Machine::this(),
            figures,
        }
    }

    /// The report as one line of JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map(|json| json + "\n")
            .map_err(|error| {
                Failure::environment(
                    format!("cannot write the figures: {error}"),
                    "report this as a bug",
                )
            })
    }
}

impl Figure {
    /// A number with its unit. What cannot be divided (no payments, no fraud) has no value.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let value = value.is_finite().then(|| rounded(value));
        Self {
            name: name.into(),
            value,
            unit,
            anchor: None,
            ratio: None,
        }
    }

    /// How many of something.
    pub fn count(name: impl Into<String>, value: u64) -> Self {
        Self::new(name, value as f64, "1")
    }

    /// One part of a whole: no value when the whole is nothing.
    pub fn share(name: impl Into<String>, part: f64, whole: f64) -> Self {
        Self::new(name, part / whole, "1")
    }

    /// The same figure compared with another measurement of the same run.
    pub fn against(self, anchor: f64) -> Self {
        let ratio = self.value.map(|value| rounded(value / anchor));
        Self {
            anchor: Some(rounded(anchor)),
            ratio,
            ..self
        }
    }
}

/// Six significant digits: more would be noise, and noise makes two runs look different.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let scale = 10f64.powi(5 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

impl Machine {
    /// Asks the kernel; what it does not tell is named `unknown`.
    pub fn this() -> Self {
        let release = field("/etc/os-release", "PRETTY_NAME", '=');
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let memory = field("/proc/meminfo", "MemTotal", ':');
        let memory_kb: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            model: field("/proc/cpuinfo", "model name", ':'),
            memory_mb: memory_kb / 1024,
            os: format!("{release}, {} {}", std::env::consts::OS, kernel.trim()),
        }
    }
}

/// The first value of a key in one of the kernel's or the distribution's text files.
fn field(path: &str, key: &str, separator: char) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(separator))
        .find(|(name, _)| name.trim() == key)
        .map_or_else(
            || "unknown".to_owned(),
            |(_, value)| value.trim().trim_matches('"').to_owned(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_measure_has_no_value_and_the_form_is_stable() {
        let machine = Machine {
            cpus: 2,
            model: "m".into(),
            memory_mb: 4096,
            os: "linux".into(),
        };
        let figures = vec![
            Figure::count("decisions", 20_000),
            Figure::new("latency_p99_ms", 1.234_567_8, "ms"),
            Figure::share("recall", 0.0, 0.0),
            Figure::new("signed_cpu_us", 90.0, "us").against(45.0),
        ];
        let report = Report {
            command: "demo",
            version: "0.1.0",
            machine,
            figures,
        };
        insta::assert_snapshot!(report.to_json().unwrap());
    }
}
