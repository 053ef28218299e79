//! The Paywarden binary as a library, so that its tests drive the same code as its commands.
//!
//! ```text
//! command/…   what a person can ask for, one file each
//! wiring      starts everything: store, keys, engine, server
//! client      the signed HTTPS client; signing
//! sweep       every file of a folder through the leak scanner
//! dispatch    hands what was written to the trail on to those who live by it
//! siem        hands the trail over to a receiver outside
//! refresh     fetches screening lists again and again
//! drive       labelled payments in their order; open_loop: load on a schedule
//! tally       what the verdicts were worth; latency, figures, summary
//! ```

pub mod child;
pub mod client;
pub mod command;
pub mod config;
pub mod cpu;
pub mod dispatch;
pub mod drive;
pub mod entities;
pub mod failure;
pub mod figures;
pub mod key_desk;
pub mod latency;
pub mod laundering;
pub mod local;
pub mod mapping;
pub mod open_loop;
pub mod packs;
pub mod private;
pub mod progress;
pub mod refresh;
pub mod rows;
pub mod siem;
pub mod signing;
pub mod staffing;
pub mod summary;
pub mod sweep;
pub mod tally;
pub mod terminal;
pub mod time;
pub mod traffic;
pub mod wiring;

use clap::{Parser, Subcommand};
use command::{
    backtest, backup, bench, check, demo, detect, evaluate, keys, labels, loadgen, model, openapi,
    passwords, replay, report, scan, screening, serve, sign, staff, trail, train, vault, verify,
};
use failure::{Failure, Result};
use std::process::ExitCode;
use tokio::runtime::{self, Runtime};

/// Payment security: one signed call per payment, one signed verdict.
#[derive(Debug, Parser)]
#[command(name = "paywarden", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine and show it at work
    Demo(demo::Arguments),
    /// Run the server
    Serve(serve::Arguments),
    /// Look at configuration, rule packs, database, keys and clock without starting anything
    Check(check::Arguments),
    /// Make, register, list and revoke signing keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Invite staff, disable and enable accounts, review who may do what
    #[command(subcommand)]
    Staff(staff::Command),
    /// Print the signature of a request, or run curl with it
    Sign(sign::Arguments),
    /// Send a labelled file through a server and say what its verdicts were worth
    Replay(replay::Arguments),
    /// Send simulated load on a fixed schedule and check that nothing answered is lost
    Loadgen(loadgen::Arguments),
    /// Say what rules would have done with the payments of the journal
    Backtest(backtest::Arguments),
    /// Measure parts of the server
    #[command(subcommand)]
    Bench(bench::Command),
    /// Check the trail and every decision against it
    Verify(verify::Arguments),
    /// Copy the database while it is served, read a copy back, and say so on the system page
    #[command(subcommand)]
    Backup(backup::Command),
    /// Make a filter of passwords known from breaches out of a list
    Passwords(passwords::Arguments),
    /// Train a model on a labelled file, from what was known at each moment
    Train(train::Arguments),
    /// Say what a model is worth on later payments
    Evaluate(evaluate::Arguments),
    /// Say what rules find of each typology of laundering, and what each rule is worth
    Detect(detect::Arguments),
    /// Say of many payments what they turned out to be, from a file
    Labels(labels::Arguments),
    /// Say how much loss was prevented, as a server that runs knows it
    #[command(subcommand)]
    Report(report::Command),
    /// Look at models in files, score rows with them, convert them, publish them
    #[command(subcommand)]
    Model(model::Command),
    /// Hold names against lists of sanctioned and exposed parties, from files
    #[command(subcommand)]
    Screening(screening::Command),
    /// Hand the trail to other programs
    #[command(subcommand)]
    Trail(trail::Command),
    /// Split the master key among custodians, put keys back into a restored database
    #[command(subcommand)]
    Vault(vault::Command),
    /// Find card numbers, identity numbers, phone numbers and secrets in files and folders
    Scan(scan::Arguments),
    /// Print the API description (OpenAPI 3.1)
    Openapi,
}

/// Runs the command line and says how it went: 0 done, 1 what was checked does not hold, 2 wrong
/// use, 3 something missing.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let text = error.render().to_string();
            if error.use_stderr() {
                terminal::note(&text)
            } else {
                terminal::result(&text)
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = cli.command.runtime();
    match runtime.and_then(|runtime| runtime.block_on(cli.command.run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::note(&failure.message());
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Command {
    /// Commands that only send get one thread: waking others would cost more than it gains, and
    /// the server they measure beside them needs the processors.
    fn runtime(&self) -> Result<Runtime> {
        let mut builder = match self {
            Self::Loadgen(_) | Self::Bench(_) => runtime::Builder::new_current_thread(),
            _ => runtime::Builder::new_multi_thread(),
        };
        builder.enable_all().build().map_err(|error| {
            let what = format!("cannot start threads: {error}");
            Failure::environment(what, "free some resources")
        })
    }

    async fn run(self) -> Result<()> {
        match self {
            Self::Demo(arguments) => demo::run(arguments).await,
            Self::Serve(arguments) => serve::run(arguments).await,
            Self::Check(arguments) => check::run(arguments).await,
            Self::Keys(command) => keys::run(command).await,
            Self::Staff(command) => staff::run(command).await,
            Self::Sign(arguments) => sign::run(arguments),
            Self::Replay(arguments) => interruptible(replay::run(arguments)).await,
            Self::Loadgen(arguments) => interruptible(loadgen::run(arguments)).await,
            Self::Backtest(arguments) => interruptible(backtest::run(arguments)).await,
            Self::Bench(command) => interruptible(bench::run(command)).await,
            Self::Verify(arguments) => verify::run(arguments).await,
            Self::Backup(command) => interruptible(backup::run(&command)).await,
            Self::Passwords(arguments) => passwords::run(&arguments),
            Self::Screening(command) => screening::run(&command).await,
            Self::Train(arguments) => interruptible(train::run(arguments)).await,
            Self::Evaluate(arguments) => interruptible(evaluate::run(arguments)).await,
            Self::Detect(arguments) => interruptible(detect::run(arguments)).await,
            Self::Labels(arguments) => interruptible(labels::run(arguments)).await,
            Self::Report(command) => report::run(&command).await,
            Self::Model(command) => model::run(&command).await,
            Self::Trail(command) => trail::run(command).await,
            Self::Vault(command) => vault::run(command).await,
            Self::Scan(arguments) => scan::run(arguments).await,
            Self::Openapi => openapi::run(),
        }
    }
}

/// Ends a command at a signal by dropping it, so that its server and its folder go with it.
async fn interruptible<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = command => result,
        signal = serve::wait_for_signal() => {
            signal?;
            Err(Failure::not_held("interrupted", "nothing is left behind: start it again"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_help_of_every_command() {
        Cli::command().debug_assert();
        let mut text = String::new();
        let mut cli = Cli::command();
        cli.build();
        help(&mut cli, "paywarden", &mut text);
        insta::assert_snapshot!(text);
    }

    fn help(command: &mut clap::Command, name: &str, text: &mut String) {
        *text += &format!("$ {name} --help\n{}\n", command.render_help());
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        for sub in names.iter().filter(|sub| *sub != "help") {
            if let Some(command) = command.find_subcommand_mut(sub) {
                help(command, &format!("{name} {sub}"), text);
            }
        }
    }
}
