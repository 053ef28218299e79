//! `paywarden bench`: what parts of the server cost.

mod alerts;
mod backtest;
mod console;
mod dice;
mod edge;
mod features;
mod laundering;
mod logins;
mod models;
mod rules;
mod scan;
mod screening;
mod trail;
mod vault;

use crate::failure::Result;

/// What can be measured.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Processor time per request: bare HTTPS, unsigned, Ed25519 and HMAC decisions
    Edge(edge::Arguments),
    /// Many rules over many payments of the past, and one condition over the last ones
    Backtest(backtest::Arguments),
    /// Pages of somebody signed in, a million decisions behind them: whole page, last byte
    Console(console::Arguments),
    /// Ten thousand rules: one payment, candidates, bytes, publishing
    Rules(rules::Arguments),
    /// A prediction with its reasons, and training, beside LightGBM if it is at hand
    Models(models::Arguments),
    /// One transfer among a million accounts in the laundering engine: windows, flows, rules
    Laundering(laundering::Arguments),
    /// A queue in which a million alerts wait: opening, lists, claims
    Alerts(alerts::Arguments),
    /// Names among 70,000 listed parties: how well they are told apart, how fast
    Screening(screening::Arguments),
    /// Appending to the trail, proofs out of it, verifying it, and what it costs decisions
    Trail(trail::Arguments),
    /// Decisions beside a flood of sign-in attempts, quiet and flooded phases taking turns
    Logins(logins::Arguments),
    /// Windows of one payment: reading and bringing up to date, a busy entity, a restart
    Features(features::Arguments),
    /// Finding leaks in labelled texts: speed, recall, precision
    Scan(scan::Arguments),
    /// Keeping, reading and erasing personal data, and wrapping its keys again
    Vault(vault::Arguments),
}

/// Runs the command.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Edge(arguments) => edge::run(arguments).await,
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Console(arguments) => console::run(arguments).await,
        Command::Rules(arguments) => rules::run(arguments).await,
        Command::Models(arguments) => models::run(&arguments).await,
        Command::Laundering(arguments) => laundering::run(&arguments),
        Command::Alerts(arguments) => alerts::run(arguments).await,
        Command::Screening(arguments) => screening::run(&arguments),
        Command::Trail(arguments) => trail::run(arguments).await,
        Command::Logins(arguments) => logins::run(arguments).await,
        Command::Features(arguments) => features::run(arguments).await,
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Vault(arguments) => vault::run(arguments).await,
    }
}
