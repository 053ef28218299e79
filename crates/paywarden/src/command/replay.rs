//! `paywarden replay`: history through the real API, and what the verdicts would have been worth.

use crate::{
    client::{Caller, Client, Protocol, is_loopback},
    config::SettingFlags,
    drive::{Driven, Options, drive},
    failure::{Failure, Result},
    figures::Report,
    local::Local,
    mapping::Mapping,
    private::Scratch,
    progress::Progress,
    rows::{self, Rows, Selection},
    signing::Signer,
    summary, terminal, time,
};
use paywarden_domain::Timestamp;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

/// History is in no hurry, and what its verdicts were worth must not depend on how busy the machine
/// is.
const DEADLINE_MS: u32 = 60_000;

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Labelled payments: .csv or .csv.zst, in the order of time
    file: PathBuf,
    /// handbook, sparkov, or the path of your own mapping
    #[arg(long)]
    mapping: String,
    /// Take so many rows at most
    #[arg(long)]
    limit: Option<u64>,
    /// Take rows from this time on (RFC 3339 or a date)
    #[arg(long, value_parser = time::parse)]
    from: Option<Timestamp>,
    /// Take rows before this time
    #[arg(long, value_parser = time::parse)]
    to: Option<Timestamp>,
    /// Count the figures from this time on; rows before it only fill the windows
    #[arg(long, value_parser = time::parse)]
    measure_from: Option<Timestamp>,
    /// Connections
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
    #[command(flatten)]
    settings: SettingFlags,
}

/// A server that runs already, instead of one in this process.
#[derive(Debug, clap::Args)]
pub struct RemoteFlags {
    /// A running server [default: one started for this run, with fresh data]
    #[arg(long, requires = "key", requires = "ca")]
    url: Option<String>,
    /// Private key file for --url
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The ca.pem of the server at --url
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl RemoteFlags {
    /// Whether the server is on this machine, as one of our own always is.
    pub fn is_loopback(&self) -> Result<bool> {
        self.url.as_deref().map_or(Ok(true), is_loopback)
    }

    /// The client of the named server; none if no server is named.
    pub fn client(&self, protocol: Protocol) -> Result<Option<Arc<Client>>> {
        let (Some(url), Some(key), Some(ca)) = (&self.url, &self.key, &self.ca) else {
            return Ok(None);
        };
        let signer = Signer::from_file(key, None, None)?;
        Client::new(url, ca, Caller::Signed(signer), protocol).map(Some)
    }
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let mapping = Mapping::find(&arguments.mapping)?;
    let currency = mapping.currency();
    let selection = Selection {
        from: arguments.from,
        to: arguments.to,
        limit: arguments.limit,
    };
    let rows = rows::open(&arguments.file, &mapping, selection)?;
    let options = Options {
        connections: usize::from(arguments.connections),
        rate: None,
        measure_from: arguments.measure_from,
        labels_until: None,
    };
    let driven = match arguments.server.client(Protocol::Http1)? {
        Some(client) => send(&client, rows, options, arguments.limit).await?,
        None => send_locally(&arguments.settings, rows, options, arguments.limit).await?,
    };
    if arguments.json {
        terminal::result(&Report::new("replay", driven.figures()).to_json()?);
    } else {
        let text = summary::of_run(
            &driven,
            options.connections,
            currency.code(),
            currency.decimals(),
        );
        terminal::result(&text);
    }
    if driven.decided == 0 {
        let first = driven
            .examples
            .first()
            .map_or("the file has no rows", String::as_str);
        return Err(Failure::not_held(
            format!("nothing was decided: {first}"),
            "check that --mapping fits the file; a server at --url needs trust_event_time = true",
        ));
    }
    Ok(())
}

/// A server of its own with the operator's rules and rates, but never with the operator's data.
async fn send_locally(
    flags: &SettingFlags,
    rows: Rows,
    options: Options,
    limit: Option<u64>,
) -> Result<Driven> {
    let scratch = Scratch::new()?;
    let mut config = flags.load()?.config;
    config.data_dir = scratch.path().to_owned();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.database_url = None;
    config.tls_certificate = None;
    config.tls_key = None;
    config.trust_event_time = true;
    config.deadline_ms = DEADLINE_MS;
    let local = Local::start(&config, "replay", "replay of a file").await?;
    let driven = send(&local.client, rows, options, limit).await;
    local.running.stop().await?;
    driven
}

async fn send(
    client: &Arc<Client>,
    rows: Rows,
    options: Options,
    limit: Option<u64>,
) -> Result<Driven> {
    let progress = Progress::new(limit.unwrap_or(rows.bytes));
    let bytes_read = rows.bytes_read;
    drive(client, rows.batches, options, |driven| {
        let step = limit.map_or_else(
            || bytes_read.load(Ordering::Relaxed),
            |_| driven.decided + driven.unanswered(),
        );
        progress.show(step, summary::of_progress(driven));
    })
    .await
}
