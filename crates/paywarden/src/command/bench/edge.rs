//! `paywarden bench edge`: the server's processor time per request, by how the caller proves who
//! it is. Every way decides the same payments, and they must decide them alike before a figure
//! is printed.

use crate::{
    child::ServerChild,
    client::{Caller, Client, Connection, Protocol},
    drive::Verdict,
    failure::{Failure, Result},
    figures::{Figure, Report},
    mapping::Row,
    private::Scratch,
    progress::Progress,
    signing::Signer,
    terminal, traffic,
};
use http::HeaderValue;
use paywarden_domain::{Outcome, TenantId};
use paywarden_store::Clock;
use std::sync::Arc;

/// The simulated hours before now in which the payments lie.
const HOURS: u32 = 20;
/// Requests before each measurement, so that connections are open and code is warm.
const WARM_UP: usize = 500;
/// A verdict is the same then however slow the machine is.
const UNHURRIED: &str = "deadline_ms=60000";

/// Arguments of `bench edge`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Requests of each kind
    #[arg(long, default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1_000..=200_000))]
    requests: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// One way to prove who calls; each has a tenant of its own, so that each decides from nothing.
struct Way {
    name: &'static str,
    algorithm: &'static str,
}

const WAYS: [Way; 3] = [
    Way {
        name: "unsigned",
        algorithm: "bearer",
    },
    Way {
        name: "ed25519",
        algorithm: "ed25519",
    },
    Way {
        name: "hmac",
        algorithm: "hmac-sha256",
    },
];

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let figures = measure(arguments.requests as usize).await?;
    if arguments.json {
        terminal::result(&Report::new("bench edge", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

async fn measure(requests: usize) -> Result<Vec<Figure>> {
    let scratch = Scratch::new()?;
    let own = ["sandbox=true", UNHURRIED].map(str::to_owned);
    let settings = [traffic::server_settings(), own.to_vec()].concat();
    let server = ServerChild::start_self(scratch.path(), &settings)?;
    let total = (requests + WARM_UP) as u64;
    let rows = traffic::recent(total, None, HOURS, Clock::System.now(), 7)?.rows;
    let (warm_up, rows) = rows.split_at(WARM_UP.min(rows.len()));
    let progress = Progress::new(WAYS.len() as u64 + 1);
    let client = Client::new(
        &server.url(),
        &server.ca_pem(),
        Caller::Nobody,
        Protocol::Http1,
    )?;
    let mut connection = client.connection();
    greet(&mut connection, WARM_UP).await?;
    let before = server.cpu_us()?;
    greet(&mut connection, rows.len()).await?;
    let bare_us = (server.cpu_us()? - before) as f64 / rows.len() as f64;
    let mut figures = vec![Figure::new("healthz_cpu_us", bare_us, "us")];
    let mut outcomes: Option<Vec<Outcome>> = None;
    for (done, way) in WAYS.iter().enumerate() {
        progress.show(done as u64 + 1, way.name);
        let mut connection = caller(&server, way)?.connection();
        decide(&mut connection, warm_up).await?;
        let before = server.cpu_us()?;
        let decided = decide(&mut connection, rows).await?;
        let cpu_us = (server.cpu_us()? - before) as f64 / rows.len() as f64;
        figures.push(Figure::new(format!("{}_cpu_us", way.name), cpu_us, "us").against(bare_us));
        match &outcomes {
            Some(expected) if *expected != decided => return Err(unlike(way)),
            _ => outcomes = Some(decided),
        }
    }
    server.kill();
    Ok(figures)
}

fn caller(server: &ServerChild, way: &Way) -> Result<Arc<Client>> {
    let bug = |error: &dyn std::fmt::Display| Failure::environment(error, "report this as a bug");
    let tenant = TenantId::parse(way.name).map_err(|error| bug(&error))?;
    let (key_id, private) = server.create_key(&tenant, way.algorithm)?;
    let caller = match way.algorithm {
        "bearer" => {
            let secret = HeaderValue::try_from(format!("Bearer {private}"));
            Caller::Bearer(secret.map_err(|error| bug(&error))?)
        }
        _ => Caller::Signed(Signer::from_text(&key_id, &private)?),
    };
    Client::new(&server.url(), &server.ca_pem(), caller, Protocol::Http1)
}

async fn greet(connection: &mut Connection, requests: usize) -> Result<()> {
    for _ in 0..requests {
        let reply = connection.get("/healthz").await?;
        if !reply.status.is_success() {
            return Err(Failure::not_held(
                reply.refusal(),
                "look at the log of the server",
            ));
        }
    }
    Ok(())
}

async fn decide(connection: &mut Connection, rows: &[Row]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let key = Some(row.id.as_str());
        let reply = connection
            .post("/v1/decisions", row.body.clone(), key)
            .await?;
        outcomes.push(Verdict::read(&reply)?.outcome);
    }
    Ok(outcomes)
}

fn unlike(way: &Way) -> Failure {
    Failure::not_held(
        format!(
            "{} callers got other outcomes for the same payments",
            way.name
        ),
        "report this as a bug: how a caller signs must not matter to the verdict",
    )
}

fn text(figures: &[Figure]) -> String {
    let mut text = "processor time of the server per request\n".to_owned();
    for figure in figures {
        let name = figure.name.trim_end_matches("_cpu_us");
        let value = figure.value.unwrap_or(f64::NAN);
        let ratio = figure.ratio.map(|ratio| format!("{ratio:>6.2} x healthz"));
        text += &format!(
            "  {name:<10} {value:>8.1} us {}\n",
            ratio.unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::new("healthz_cpu_us", 31.25, "us"),
            Figure::new("ed25519_cpu_us", 210.0, "us").against(31.25),
        ];
        insta::assert_snapshot!(text(&figures));
    }
}
