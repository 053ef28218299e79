//! `paywarden loadgen`: load on a fixed schedule, then an audit that nothing answered is lost.

use crate::{
    child::ServerChild,
    client::{Caller, Client, Protocol, ReplyKeys},
    command::replay::RemoteFlags,
    failure::{Failure, Result},
    figures::{Figure, Report},
    open_loop::{self, Load, Loaded},
    private::Scratch,
    progress::Progress,
    signing::Signer,
    summary, terminal,
    traffic::{self, Recent},
};
use http::{Method, StatusCode};
use paywarden_domain::TenantId;
use paywarden_store::Clock;
use serde::Deserialize;
use std::{collections::HashSet, sync::Arc};

/// The most requests of one run: they are made beforehand and held in memory.
const REQUESTS_MAX: f64 = 1_000_000.0;
/// The simulated hours before now in which the payments lie; servers accept a day.
const HOURS: u32 = 20;
/// Decisions of one page of the audit.
const PAGE: usize = 100;

/// Arguments of `loadgen`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Payments per second
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// For so many seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Connections
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Customers, each with a card or two [default: as many as make so many payments in 20 hours]
    #[arg(long, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    customers: Option<u32>,
    /// Use HTTP/2
    #[arg(long)]
    http2: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
    /// Any setting of the server that is started; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// What the audit found.
struct Audit {
    /// Decisions answered with 200 that the server no longer shows.
    lost: u64,
    /// Decisions in the server that nobody was told of.
    unheard: u64,
    /// Sampled decisions that read back differently.
    changed: u64,
}

#[derive(Deserialize)]
struct DecisionPage {
    decisions: Vec<Listed>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let requests = f64::from(arguments.rate) * f64::from(arguments.seconds);
    if requests > REQUESTS_MAX {
        return Err(Failure::wrong_use(
            format!("{requests} requests are too many for one run"),
            "lower --rate or --seconds: at most 1,000,000 requests",
        ));
    }
    if !arguments.server.is_loopback()? {
        return Err(Failure::wrong_use(
            "loadgen only aims at this machine",
            "start it beside the server: --url https://127.0.0.1:PORT",
        ));
    }
    let scratch = Scratch::new()?;
    let protocol = if arguments.http2 {
        Protocol::Http2
    } else {
        Protocol::Http1
    };
    let (client, server) = match arguments.server.client(protocol)? {
        Some(client) => (client, None),
        None => start(&arguments, &scratch, protocol)?,
    };
    let loaded = load(&arguments, &client, server.as_ref(), requests as u64).await?;
    let audit = audit(&client, &loaded).await?;
    if arguments.json {
        terminal::result(&Report::new("loadgen", figures(&loaded, &audit)).to_json()?);
    } else {
        terminal::result(&text(
            &loaded,
            &audit,
            arguments.rate,
            arguments.connections,
        ));
    }
    judge(&loaded, &audit, requests as u64)
}

fn start(
    arguments: &Arguments,
    scratch: &Scratch,
    protocol: Protocol,
) -> Result<(Arc<Client>, Option<ServerChild>)> {
    let settings = [traffic::server_settings(), arguments.set.clone()].concat();
    let server = ServerChild::start_self(scratch.path(), &settings)?;
    let tenant = TenantId::parse("loadgen")
        .map_err(|error| Failure::environment(error, "report this as a bug"))?;
    let (key_id, private) = server.create_key(&tenant, "ed25519")?;
    let caller = Caller::Signed(Signer::from_text(&key_id, &private)?);
    let client = Client::new(&server.url(), &server.ca_pem(), caller, protocol)?;
    Ok((client, Some(server)))
}

async fn load(
    arguments: &Arguments,
    client: &Arc<Client>,
    server: Option<&ServerChild>,
    requests: u64,
) -> Result<Loaded> {
    let making = format!("making {} payments\n", summary::thousands(requests));
    terminal::note(&making);
    let clock = Clock::System;
    let seed = u64::from_ne_bytes(clock.random());
    let Recent { rows, cards } =
        traffic::recent(requests, arguments.customers, HOURS, clock.now(), seed)?;
    let signer = match client.caller() {
        Caller::Signed(signer) => Some(signer),
        _ => None,
    };
    let reply_keys = ReplyKeys::read(&client.connection().get("/v1/reply-keys").await?, signer)?;
    let load = Load {
        rows,
        rate: f64::from(arguments.rate),
        connections: usize::from(arguments.connections),
        reply_keys,
    };
    let progress = Progress::new(requests);
    let show = |sent| progress.show(sent as u64, format!("{}/s", arguments.rate));
    let loaded = open_loop::run(client, server, load, show).await?;
    Ok(Loaded { cards, ..loaded })
}

/// Reads back everything that was answered.
async fn audit(client: &Arc<Client>, loaded: &Loaded) -> Result<Audit> {
    let mut connection = client.connection();
    let told: HashSet<&str> = loaded.decided.iter().map(String::as_str).collect();
    let (mut found, mut unheard) = (0, 0);
    let mut path = format!("/v1/decisions?limit={PAGE}");
    loop {
        let page: DecisionPage = connection.get(&path).await?.json()?;
        for decision in &page.decisions {
            *if told.contains(decision.id.as_str()) {
                &mut found
            } else {
                &mut unheard
            } += 1;
        }
        let Some(cursor) = page.next_cursor.filter(|_| found < told.len() as u64) else {
            break;
        };
        path = format!("/v1/decisions?limit={PAGE}&cursor={cursor}");
    }
    let mut changed = 0;
    for (id, reply) in &loaded.samples {
        let path = format!("/v1/decisions/{id}");
        let again = connection
            .send(Method::GET, &path, bytes::Bytes::new(), None)
            .await?;
        changed += u64::from(again.status != StatusCode::OK || again.body != reply.body);
    }
    Ok(Audit {
        lost: told.len() as u64 - found,
        unheard,
        changed,
    })
}

fn figures(loaded: &Loaded, audit: &Audit) -> Vec<Figure> {
    let decided = loaded.decided.len() as u64;
    let per_second = decided as f64 / loaded.elapsed.as_secs_f64();
    let mut figures = vec![
        Figure::count("decisions", decided),
        Figure::new("decisions_per_second", per_second, "1/s"),
    ];
    figures.extend(loaded.latencies.figures());
    figures.extend(loaded.tally.figures());
    figures.extend([
        Figure::new("send_wait_p99_ms", loaded.waits.quantile_ms(0.99), "ms"),
        Figure::new("client_cpu_us", loaded.client_cpu_us, "us"),
        Figure::new("server_cpu_us", loaded.server_cpu_us, "us"),
        Figure::new("server_memory_mb", loaded.server_memory_mb, "MB"),
        Figure::count("cards", loaded.cards as u64),
        Figure::count("requests_refused", loaded.refused.values().sum()),
        Figure::count(
            "replies_verified",
            loaded.samples.len() as u64 - loaded.unsigned,
        ),
        Figure::count("replies_not_verified", loaded.unsigned),
        Figure::count("decisions_lost", audit.lost),
        Figure::count("decisions_unheard", audit.unheard),
        Figure::count("decisions_changed", audit.changed),
    ]);
    figures
}

fn text(loaded: &Loaded, audit: &Audit, rate: u32, connections: u16) -> String {
    let decided = summary::thousands(loaded.decided.len() as u64);
    let refused: Vec<String> = loaded
        .refused
        .iter()
        .map(|(code, count)| format!(", {code} {count}"))
        .collect();
    format!(
        "decisions     {decided} in {:.1} s at {rate}/s over {connections} connections{}\n\
         latency       {} (from the scheduled time)\n\
         waiting       p99 {:.2} ms of it before a connection was free\n\
         processor     {} of the client and {} of the server per request\n\
         memory        {} MB of the server at its peak, after payments of {} cards\n\
         {}\
         replies       {} sampled, {} not signed as they should be\n\
         audit         {} lost, {} unheard of, {} changed\n",
        loaded.elapsed.as_secs_f64(),
        refused.concat(),
        summary::of_latency(&loaded.latencies),
        loaded.waits.quantile_ms(0.99),
        microseconds(loaded.client_cpu_us),
        microseconds(loaded.server_cpu_us),
        rounded(loaded.server_memory_mb),
        summary::thousands(loaded.cards as u64),
        summary::of_verdicts(&loaded.tally),
        loaded.samples.len(),
        loaded.unsigned,
        audit.lost,
        audit.unheard,
        audit.changed,
    )
}

fn microseconds(number: f64) -> String {
    format!("{} us", rounded(number))
}

fn rounded(number: f64) -> String {
    if number.is_nan() {
        return "-".to_owned();
    }
    format!("{number:.0}")
}

fn judge(loaded: &Loaded, audit: &Audit, requests: u64) -> Result<()> {
    let decided = loaded.decided.len() as u64;
    let faults = [
        (
            requests - decided.min(requests),
            "requests without a verdict",
        ),
        (loaded.unsigned, "replies without a valid signature"),
        (audit.lost, "answered decisions lost"),
        (audit.changed, "decisions changed"),
    ];
    let named = faults.iter().filter(|(count, _)| *count > 0);
    let named: Vec<String> = named
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    Err(Failure::not_held(
        named.join(", "),
        "lower --rate, or look at the log of the server",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_run_and_its_faults_read_well() {
        let mut loaded = Loaded {
            decided: vec!["dec_1".to_owned(), "dec_2".to_owned()],
            unsigned: 1,
            elapsed: Duration::from_secs(2),
            client_cpu_us: 61.2,
            server_cpu_us: f64::NAN,
            server_memory_mb: 281.4,
            cards: 100_000,
            ..Loaded::default()
        };
        loaded.latencies.record(1_500);
        loaded.waits.record(20);
        loaded.refused.insert("overloaded".to_owned(), 3);
        let audit = Audit {
            lost: 1,
            unheard: 0,
            changed: 2,
        };
        let failure = judge(&loaded, &audit, 5).unwrap_err().message();
        insta::assert_snapshot!(format!("{}\n{failure}", text(&loaded, &audit, 1_000, 8)));
    }
}
