//! `paywarden report`: figures of a server that runs.

use super::replay::RemoteFlags;
use crate::{
    client::{Client, Protocol, Reply},
    failure::{Failure, Result},
    terminal, time,
};
use bytes::Bytes;
use paywarden_domain::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Which report.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How much loss was prevented: by day, rule, model, scenario, engine or channel
    Prevention(PreventionArguments),
    /// Look for large values of a day, and draft the reports that are missing
    LargeValues(LargeValueArguments),
}

/// Which payments, seen from when.
#[derive(Debug, clap::Args)]
pub struct StretchFlags {
    /// Payments that happened from this time on (RFC 3339 or a date) [default: 30 days before --to]
    #[arg(long, value_parser = time::parse)]
    from: Option<Timestamp>,
    /// Payments that happened before this time [default: now]
    #[arg(long, value_parser = time::parse)]
    to: Option<Timestamp>,
    /// Labels that were known by this time [default: now]
    #[arg(long, value_parser = time::parse)]
    as_of: Option<Timestamp>,
    /// A payment without a label counts as genuine after so many days; younger ones are left out
    #[arg(long, value_name = "DAYS", default_value_t = 45)]
    label_delay: u16,
}

/// Arguments of `report prevention`.
#[derive(Debug, clap::Args)]
pub struct PreventionArguments {
    #[command(flatten)]
    stretch: StretchFlags,
    /// day, rule, model, scenario, engine or channel
    #[arg(long)]
    by: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

/// Arguments of `report large-values`.
#[derive(Debug, clap::Args)]
pub struct LargeValueArguments {
    /// The day at the place of the company's profile, such as 2026-01-31
    #[arg(long)]
    day: String,
    /// Say what would be drafted, and draft nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

impl StretchFlags {
    /// As query parameters.
    pub fn query(&self) -> String {
        let mut query = format!("?label_delay_days={}", self.label_delay);
        let times = [("from", self.from), ("to", self.to), ("as_of", self.as_of)];
        for (name, time) in times {
            if let Some(time) = time {
                query += &format!("&{name}={time}");
            }
        }
        query
    }
}

/// Runs the command.
pub async fn run(command: &Command) -> Result<()> {
    match command {
        Command::Prevention(arguments) => prevention(arguments).await,
        Command::LargeValues(arguments) => large_values(arguments).await,
    }
}

/// Prints what the server found as one JSON object.
async fn large_values(arguments: &LargeValueArguments) -> Result<()> {
    let body = json!({ "day": arguments.day, "dry_run": arguments.dry_run });
    let client = client(&arguments.server)?;
    let body = Bytes::from(body.to_string());
    let reply = client
        .connection()
        .post("/v1/report-runs", body, None)
        .await?;
    terminal::result(&format!("{}\n", answer(&reply)?));
    Ok(())
}

async fn prevention(arguments: &PreventionArguments) -> Result<()> {
    let mut path = format!("/v1/reports/prevention{}", arguments.stretch.query());
    if let Some(by) = &arguments.by {
        path += &format!("&by={by}");
    }
    let report = read(&arguments.server, &path).await?;
    terminal::result(&match arguments.json {
        true => format!("{report}\n"),
        false => text(&report),
    });
    Ok(())
}

/// What a server that runs answers.
pub async fn read(server: &RemoteFlags, path: &str) -> Result<Value> {
    answer(&client(server)?.connection().get(path).await?)
}

fn client(server: &RemoteFlags) -> Result<Arc<Client>> {
    server.client(Protocol::Http1)?.ok_or_else(|| {
        Failure::wrong_use("no server is named", "name it with --url, --key and --ca")
    })
}

fn answer(reply: &Reply) -> Result<Value> {
    if !reply.status.is_success() {
        let next = "docs/reference/errors.md says what to do";
        return Err(Failure::not_held(reply.refusal(), next));
    }
    reply.json()
}

/// A share with its interval, as `61.2 % (55.0–66.1)`.
pub fn share(share: &Value) -> String {
    let percent = |member: &str| share[member].as_f64().map(|share| share * 100.0);
    match (percent("seen"), percent("low"), percent("high")) {
        (Some(seen), Some(low), Some(high)) => format!("{seen:.1} % ({low:.1}–{high:.1})"),
        (Some(seen), _, _) => format!("{seen:.1} %"),
        _ => "-".to_owned(),
    }
}

fn text(report: &Value) -> String {
    let word = |member: &str| report[member].as_str().unwrap_or_default().to_owned();
    let mut text = format!(
        "{} to {}, labels as known at {}, {} days of delay\n{} payments younger than that without a \
         label are in the alert rate alone\n\n",
        word("from"),
        word("to"),
        word("as_of"),
        report["label_delay_days"],
        report["whole"]["unknown"],
    );
    text += &lines("all", &report["whole"]);
    for part in report["parts"].as_array().into_iter().flatten() {
        text += &lines(part["part"].as_str().unwrap_or_default(), part);
    }
    text + "\nin brackets: nine of ten redrawings of the days\n"
}

fn lines(name: &str, part: &Value) -> String {
    let both = |known: &str, unknown: &str| {
        [known, unknown]
            .iter()
            .filter_map(|name| part[name].as_u64())
            .sum::<u64>()
    };
    let mut text = format!(
        "{name}\n  stopped {} of {} payments, {}; right {}\n  frauds stopped {} of {}, {}\n  \
         risk events caught in advance {} of {}, {}\n",
        both("alerts", "unknown_alerts"),
        both("payments", "unknown"),
        share(&part["alert_rate"]),
        share(&part["precision"]),
        part["frauds_stopped"],
        part["frauds"],
        share(&part["recall"]),
        part["in_advance"],
        part["risk_events"],
        share(&part["caught_in_advance"]),
    );
    let without_rate = part["without_rate"].as_u64().unwrap_or(0);
    let all = [("all ", &part["total"])];
    let each = part["money"].as_array().into_iter().flatten();
    for (what, money) in all.into_iter().chain(each.map(|money| ("", money))) {
        let amount = |member: &str| {
            let decimals = money["decimals"].as_u64().unwrap_or(0) as u32;
            let minor = money[member].as_i64().unwrap_or(0);
            decimal(minor, decimals)
        };
        text += &format!(
            "  {what}{}: stopped {} of {} attempted, {}; lost before the first alert {}\n",
            money["currency"].as_str().unwrap_or_default(),
            amount("stopped_minor"),
            amount("attempted_minor"),
            share(&money["rate"]),
            amount("lost_before_alert_minor"),
        );
    }
    if without_rate > 0 {
        text += &format!("  {without_rate} frauds in currencies without a rate are in no total\n");
    }
    text
}

/// Minor units as an amount.
fn decimal(minor: i64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    let (sign, size) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    match decimals {
        0 => format!("{sign}{size}"),
        _ => format!(
            "{sign}{}.{:0width$}",
            size / unit,
            size % unit,
            width = decimals as usize
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency_and_shares_their_interval() {
        let amounts = [
            decimal(-5, 2),
            decimal(123_456, 2),
            decimal(7, 0),
            decimal(1_001, 3),
        ];
        assert_eq!(amounts, ["-0.05", "1234.56", "7", "1.001"]);
        let known = json!({ "seen": 0.612, "low": 0.55, "high": 0.6611 });
        assert_eq!(share(&known), "61.2 % (55.0–66.1)");
        assert_eq!(share(&json!({ "seen": null })), "-");
    }
}
