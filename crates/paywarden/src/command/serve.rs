//! `paywarden serve`: runs the server until it is told to stop.

use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    terminal,
    wiring::Running,
};
use paywarden_privacy::scan::Guard;
use std::{io::IsTerminal, path::Path};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let config = arguments.config.load()?.config;
    log(&config)?;
    let running = Running::start(&config).await?;
    let rules = running.engine.library();
    let greeting = Greeting {
        url: running.url(),
        console: running.console().to_owned(),
        rules: rules.rules.len(),
        rule_set: rules.version,
        config: &config,
        ca_pem: running.ca_pem.as_deref(),
        has_keys: !running.registry().all().is_empty(),
        first_link: running.first_administrator(&config.company()?).await?,
    };
    terminal::result(&greeting.text());
    wait_for_signal().await?;
    terminal::note("stopping: finishing requests, writing the window snapshot\n");
    running.stop().await
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM.
pub async fn wait_for_signal() -> Result<()> {
    let unheard = |error: std::io::Error| {
        Failure::environment(
            format!("cannot listen for signals: {error}"),
            "report this as a bug",
        )
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(unheard),
        _ = terminate.recv() => Ok(()),
    }
}

fn log(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        Failure::wrong_use(
            format!("log = {}: {error}", config.log),
            "write it like \"info\"",
        )
    })?;
    // Whatever a field holds: no card number and no identity number leaves in a log line.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(colours)
        .with_writer(|| Guard::new(std::io::stderr()));
    let registry = tracing_subscriber::registry().with(filter);
    let set = match config.log_json {
        true => registry.with(lines.json()).try_init(),
        false => registry.with(lines).try_init(),
    };
    set.map_err(|error| Failure::environment(error, "report this as a bug"))
}

/// What a person needs to know of a server that has started.
struct Greeting<'a> {
    url: String,
    console: String,
    rules: usize,
    rule_set: String,
    config: &'a Config,
    ca_pem: Option<&'a Path>,
    has_keys: bool,
    first_link: Option<String>,
}

impl Greeting<'_> {
    fn text(&self) -> String {
        let data_dir = self.config.data_dir.display();
        let mut text = format!(
            "paywarden {} listens on {}\n\
             \x20 console  {}\n\
             \x20 rules    {} rules, version {}\n\
             \x20 data     {data_dir}\n",
            env!("CARGO_PKG_VERSION"),
            self.url,
            self.console,
            self.rules,
            self.rule_set,
        );
        if let Some(ca_pem) = self.ca_pem {
            text += &format!("  trust    {} (curl --cacert)\n", ca_pem.display());
        }
        if self.config.sandbox {
            text += "  sandbox  bearer keys are accepted: never send real payments here\n";
        }
        if !self.has_keys {
            text += &format!(
                "  no key   {} keys create --tenant NAME --data-dir {data_dir}\n",
                terminal::program(),
            );
        }
        if let Some(link) = &self.first_link {
            text += &format!(
                "  staff    the first administrator sets up factors here, once, within 24 hours:\n\
                 \x20          {link}\n"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_when_it_has_started() {
        let greeting = |config: &Config, ca_pem: Option<&Path>, has_keys: bool| {
            let url = "https://127.0.0.1:8443".to_owned();
            let rule_set = "0123456789abcdef".to_owned();
            let greeting = Greeting {
                url,
                console: "https://localhost:8443".to_owned(),
                rules: 243,
                rule_set,
                config,
                ca_pem,
                has_keys,
                first_link: (!has_keys).then(|| "https://localhost:8443/invitation#TOKEN".into()),
            };
            greeting
                .text()
                .replace(env!("CARGO_PKG_VERSION"), "VERSION")
        };
        let sandbox = Config {
            sandbox: true,
            ..Config::default()
        };
        let ca_pem = Path::new("data/tls/ca.pem");
        let first = greeting(&sandbox, Some(ca_pem), false);
        let later = greeting(&Config::default(), None, true);
        insta::assert_snapshot!(format!("{first}\n{later}"));
    }
}
