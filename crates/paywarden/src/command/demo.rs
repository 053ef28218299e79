//! `paywarden demo`: everything on this machine, with simulated life and simulated crime.

use crate::{
    command::{serve::wait_for_signal, sign::example_call},
    config::{Config, SettingFlags},
    drive::{Driven, Options, drive},
    failure::{Failure, Result},
    figures::Report,
    interruptible,
    local::Local,
    private::Scratch,
    progress::Progress,
    summary, terminal, traffic, wiring,
};
use paywarden_store::Clock;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The company of a demonstration.
const TENANT: &str = "demo";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Events to simulate
    #[arg(long, default_value_t = 20_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    events: u64,
    /// Send money laundering among honest transfers instead, one in a thousand illicit, and say what
    /// is found by score at alert rates of 0.5, 1 and 2 %; 240000 events show every typology
    #[arg(long)]
    laundering: bool,
    /// Events per second at most [default: as fast as the server answers]
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// New folder that keeps the data [default: a temporary one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Stop after the summary instead of serving on
    #[arg(long)]
    exit: bool,
    /// Print one JSON object, then stop
    #[arg(long)]
    json: bool,
    /// Any setting, as it would stand in paywarden.toml; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let scratch = Scratch::new()?;
    let config = config(&arguments, &scratch)?;
    terminal::note("making keys and a certificate, starting the server\n");
    let local = Local::start(&config, TENANT, "demonstration").await?;
    let rules = local.running.engine.library();
    terminal::note(&format!(
        "{} rules are live on {}; sending {} signed events\n",
        rules.rules.len(),
        local.running.url(),
        summary::thousands(arguments.events),
    ));
    let shown = match interruptible(send(&arguments, &config, &local)).await {
        Ok(driven) => show(&arguments, &config, &local, &driven).await,
        Err(failure) => Err(failure),
    };
    local.running.stop().await?;
    shown
}

/// Prints what came of it, serves on if nothing else is asked for, and says whether it was right.
async fn show(
    arguments: &Arguments,
    config: &Config,
    local: &Local,
    driven: &Driven,
) -> Result<()> {
    let serves_on = !arguments.exit && !arguments.json;
    if arguments.json {
        let mut figures = driven.figures();
        if arguments.laundering {
            figures.extend(driven.tally.laundering().figures());
        }
        terminal::result(&Report::new("demo", figures).to_json()?);
    } else {
        let base = config.base_currency;
        let connections = usize::from(arguments.connections);
        let mut text = summary::of_run(driven, connections, base.code(), base.decimals());
        if arguments.laundering {
            text += &driven.tally.laundering().table();
        }
        terminal::result(&text);
    }
    if serves_on {
        let url = local.running.url();
        let console = local.running.console();
        let link = local
            .running
            .first_administrator(&config.company()?)
            .await?;
        let link = link.as_deref();
        terminal::result(&where_next(
            (&url, console),
            &local.key_file,
            &local.ca_pem,
            link,
        ));
        wait_for_signal().await?;
    }
    match driven.unanswered() {
        0 => Ok(()),
        count => Err(Failure::not_held(
            format!("{count} events got no verdict"),
            "the lines above say which; report this as a bug",
        )),
    }
}

/// Defaults on purpose, whatever `paywarden.toml` lies about: a demonstration is the same
/// everywhere.
fn config(arguments: &Arguments, scratch: &Scratch) -> Result<Config> {
    let empty = Some(PathBuf::from("/dev/null"));
    let flags = SettingFlags {
        config: empty,
        set: arguments.set.clone(),
    };
    let mut config = flags.load_with(std::iter::empty())?.config;
    config.data_dir = match &arguments.data_dir {
        None => scratch.path().to_owned(),
        Some(folder) if !folder.exists() => folder.clone(),
        Some(folder) => {
            return Err(Failure::wrong_use(
                format!("{} exists already", folder.display()),
                "name a new folder: a demonstration starts from nothing",
            ));
        }
    };
    config.listen = arguments.listen;
    TENANT.clone_into(&mut config.first_company);
    config.trust_event_time = true;
    config.rates = traffic::rates();
    Ok(config)
}

async fn send(arguments: &Arguments, config: &Config, local: &Local) -> Result<Driven> {
    let (rates, now) = (wiring::rates(config)?, Clock::System.now());
    let events = match arguments.laundering {
        true => traffic::laundering(arguments.events, rates),
        false => traffic::demonstration(arguments.events, rates, now),
    };
    let options = Options {
        connections: usize::from(arguments.connections),
        rate: arguments.rate,
        measure_from: None,
        labels_until: Some(now),
    };
    let progress = Progress::new(arguments.events);
    drive(&local.client, events, options, |driven| {
        progress.show(
            driven.decided + driven.unanswered(),
            summary::of_progress(driven),
        );
    })
    .await
}

fn where_next(
    (url, console): (&str, &str),
    key_file: &Path,
    ca_pem: &Path,
    link: Option<&str>,
) -> String {
    let (key, ca, program) = (key_file.display(), ca_pem.display(), terminal::program());
    let decide = example_call(key_file, url);
    let mut text = format!(
        "\nthe server stays up at {url} until Ctrl-C\n\
         \x20 console  {console}\n\
         \x20 decide   {decide}\n\
         \x20 look     {program} sign --key {key} -- curl '{url}/v1/decisions?limit=5'\n\
         \x20 measure  curl --cacert {ca} {url}/metrics\n"
    );
    if let Some(link) = link {
        text += &format!("  staff    the first administrator sets up factors here, once: {link}\n");
    }
    text
}

fn rate(text: &str) -> std::result::Result<f64, String> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "a rate is a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_try_next() {
        let (key, ca) = (
            Path::new("/tmp/demo/keys/key_1.pem"),
            Path::new("/tmp/demo/tls/ca.pem"),
        );
        insta::assert_snapshot!(where_next(
            ("https://127.0.0.1:8443", "https://localhost:8443"),
            key,
            ca,
            Some("https://localhost:8443/invitation#TOKEN"),
        ));
    }

    #[test]
    fn a_rate_is_a_number_above_nothing() {
        assert!(rate("12.5").is_ok());
        assert!(
            ["0", "-1", "inf", "NaN", "fast"]
                .into_iter()
                .all(|text| rate(text).is_err())
        );
    }
}
