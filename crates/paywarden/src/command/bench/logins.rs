//! `paywarden bench logins`: what a flood of sign-in attempts does to decisions. Quiet and flooded
//! phases take turns in one run, first one and then the other leading, so that whatever else the
//! machine does meets both alike.

mod flood;

use crate::{
    child::ServerChild,
    client::{Caller, Client, Protocol, ReplyKeys},
    failure::{Failure, Result},
    figures::{Figure, Report},
    latency::Latencies,
    mapping::Row,
    open_loop::{self, Load, Loaded},
    private::Scratch,
    progress::Progress,
    signing::Signer,
    terminal, traffic,
};
use flood::{Attempts, Flood};
use paywarden_domain::TenantId;
use paywarden_store::Clock;
use std::{sync::Arc, time::Duration};

/// The simulated hours before now in which the payments lie.
const HOURS: u32 = 20;
/// Accounts that are tried beside names that nobody has.
const ACCOUNTS: usize = 50;
/// From the first attempt to the first payment: the desk that checks passwords is full by then.
const SETTLE: Duration = Duration::from_millis(500);
/// Seconds of payments before the first phase, so that code and connections are warm.
const WARM_UP_SECONDS: u32 = 2;

/// Arguments of `bench logins`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Payments per second
    #[arg(long, default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u32).range(50..=20_000))]
    rate: u32,
    /// Sign-in attempts per second while flooded
    #[arg(long, default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    attempts: u32,
    /// Networks that attempts come from: each is slowed down after its first twenty failures
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=2_048))]
    networks: u16,
    /// Rounds, each of a quiet and a flooded phase
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=100))]
    rounds: u32,
    /// Seconds of one phase
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=600))]
    seconds: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What one mode came to.
#[derive(Default)]
struct Mode {
    latencies: Latencies,
    /// The 99th percentile of each phase, in milliseconds.
    p99s_ms: Vec<f64>,
    decided: u64,
    refused: u64,
}

impl Mode {
    fn take(&mut self, loaded: &Loaded) {
        self.latencies.merge(&loaded.latencies);
        self.p99s_ms.push(loaded.latencies.quantile_ms(0.99));
        self.decided += loaded.decided.len() as u64;
        self.refused += loaded.refused.values().sum::<u64>();
    }
}

/// What the run came to.
#[derive(Default)]
struct Run {
    quiet: Mode,
    flooded: Mode,
    attempts: Attempts,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let run = measure(&arguments).await?;
    let figures = figures(&run);
    if arguments.json {
        terminal::result(&Report::new("bench logins", figures).to_json()?);
    } else {
        terminal::result(&text(&run, &figures));
    }
    judge(&run)
}

async fn measure(arguments: &Arguments) -> Result<Run> {
    let scratch = Scratch::new()?;
    let server = ServerChild::start_self(scratch.path(), &traffic::server_settings())?;
    let tenant = TenantId::parse("bench")
        .map_err(|error| Failure::environment(error, "report this as a bug"))?;
    let (key_id, private) = server.create_key(&tenant, "ed25519")?;
    let caller = Caller::Signed(Signer::from_text(&key_id, &private)?);
    let (url, ca_pem) = (server.url(), server.ca_pem());
    let client = Client::new(&url, &ca_pem, caller, Protocol::Http1)?;
    let names: Vec<String> = (0..ACCOUNTS)
        .map(|number| format!("clerk{number}@example.com"))
        .collect();
    for name in &names {
        server.invite(&tenant, name, &[])?;
    }
    let pace = (arguments.attempts, arguments.networks);
    let flood = Flood::new((&url, &ca_pem), pace, names)?;

    let phases = 2 * arguments.rounds;
    let per_phase = (arguments.rate * arguments.seconds) as usize;
    let warm_up = (arguments.rate * WARM_UP_SECONDS) as usize;
    let total = warm_up + per_phase * phases as usize;
    let mut rows = traffic::recent(total as u64, None, HOURS, Clock::System.now(), 7)?.rows;
    let mut phase = Phase {
        client: &client,
        server: &server,
        rate: arguments.rate,
    };
    phase
        .run(rows.drain(..warm_up.min(rows.len())).collect())
        .await?;
    let progress = Progress::new(u64::from(phases));
    let mut run = Run::default();
    for number in 0..phases {
        let part: Vec<Row> = rows.drain(..per_phase.min(rows.len())).collect();
        // quiet, flooded, flooded, quiet: what drifts meets both alike.
        let is_flooded = matches!(number % 4, 1 | 2);
        progress.show(
            u64::from(number),
            if is_flooded { "flooded" } else { "quiet" },
        );
        if is_flooded {
            let flooding = flood.begin().await?;
            tokio::time::sleep(SETTLE).await;
            let loaded = phase.run(part).await;
            run.attempts.merge(flooding.end().await);
            run.flooded.take(&loaded?);
        } else {
            tokio::time::sleep(SETTLE).await;
            run.quiet.take(&phase.run(part).await?);
        }
    }
    server.kill();
    Ok(run)
}

/// Payments of one phase.
struct Phase<'p> {
    client: &'p Arc<Client>,
    server: &'p ServerChild,
    rate: u32,
}

impl Phase<'_> {
    async fn run(&mut self, rows: Vec<Row>) -> Result<Loaded> {
        let signer = match self.client.caller() {
            Caller::Signed(signer) => Some(signer),
            _ => None,
        };
        let keys = self.client.connection().get("/v1/reply-keys").await?;
        let load = Load {
            rows,
            rate: f64::from(self.rate),
            connections: 16,
            reply_keys: ReplyKeys::read(&keys, signer)?,
        };
        open_loop::run(self.client, Some(self.server), load, |_| {}).await
    }
}

fn figures(run: &Run) -> Vec<Figure> {
    let Run {
        quiet,
        flooded,
        attempts,
    } = run;
    let at = |mode: &Mode, share| mode.latencies.quantile_ms(share);
    let per_second = attempts.total() as f64 / attempts.elapsed.as_secs_f64();
    let checked = attempts.count("sign_in_refused");
    let turned_away = attempts.count("sign_in_delayed") + attempts.count("password_checks_busy");
    vec![
        Figure::count("decisions_quiet", quiet.decided),
        Figure::count("decisions_flooded", flooded.decided),
        Figure::new("decision_p50_quiet_ms", at(quiet, 0.5), "ms"),
        Figure::new("decision_p50_flooded_ms", at(flooded, 0.5), "ms").against(at(quiet, 0.5)),
        Figure::new("decision_p99_quiet_ms", at(quiet, 0.99), "ms"),
        Figure::new("decision_p99_flooded_ms", at(flooded, 0.99), "ms").against(at(quiet, 0.99)),
        Figure::new(
            "decision_p99_ratio_median",
            ratio_median(quiet, flooded),
            "1",
        ),
        Figure::new("attempts_per_second", per_second, "1/s"),
        Figure::count("attempts_checked", checked),
        Figure::count("attempts_turned_away", turned_away),
        Figure::count("attempts_other", attempts.total() - checked - turned_away),
    ]
}

/// The middle one of the ratios of the rounds: one bad second of the machine does not move it.
fn ratio_median(quiet: &Mode, flooded: &Mode) -> f64 {
    let pairs = quiet.p99s_ms.iter().zip(&flooded.p99s_ms);
    let mut ratios: Vec<f64> = pairs.map(|(quiet, flooded)| flooded / quiet).collect();
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.len() / 2;
    match (ratios.get(middle.wrapping_sub(1)), ratios.get(middle)) {
        (Some(low), Some(high)) if ratios.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(one)) => *one,
        _ => f64::NAN,
    }
}

fn text(run: &Run, figures: &[Figure]) -> String {
    let mut text = "decisions beside a flood of sign-in attempts\n".to_owned();
    for Figure {
        name,
        value,
        unit,
        ratio,
        ..
    } in figures
    {
        let value = value.unwrap_or(f64::NAN);
        let ratio = ratio.map(|ratio| format!("  {ratio:.2} x quiet"));
        let unit = if *unit == "1" { "" } else { unit };
        text += &format!(
            "  {name:<26} {value:>10.2} {unit}{}\n",
            ratio.unwrap_or_default()
        );
    }
    let answers = run.attempts.answers.iter();
    let answers: Vec<String> = answers
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    text + &format!("  answers to attempts        {}\n", answers.join(", "))
}

fn judge(run: &Run) -> Result<()> {
    let faults = [
        (
            run.quiet.refused + run.flooded.refused,
            "payments without a verdict",
        ),
        (run.attempts.count("let_in"), "wrong passwords let in"),
        (run.attempts.count("lost"), "attempts without an answer"),
    ];
    let named = faults.iter().filter(|(count, _)| *count > 0);
    let named: Vec<String> = named
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match named.is_empty() {
        true => Ok(()),
        false => Err(Failure::not_held(
            named.join(", "),
            "look at the log of the server",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(latencies_us: &[u64], p99s_ms: &[f64]) -> Mode {
        let mut mode = Mode {
            p99s_ms: p99s_ms.to_vec(),
            decided: latencies_us.len() as u64,
            ..Mode::default()
        };
        for latency_us in latencies_us {
            mode.latencies.record(*latency_us);
        }
        mode
    }

    #[test]
    fn the_middle_ratio_is_of_pairs_and_unmoved_by_one_bad_round() {
        let quiet = mode(&[], &[1.0, 2.0, 4.0]);
        let flooded = mode(&[], &[1.1, 100.0, 4.8]);
        assert!((ratio_median(&quiet, &flooded) - 1.2).abs() < 1e-9);
        let two = mode(&[], &[1.0, 2.0]);
        assert!((ratio_median(&two, &mode(&[], &[1.0, 4.0])) - 1.5).abs() < 1e-9);
        assert!(ratio_median(&Mode::default(), &Mode::default()).is_nan());
    }

    #[test]
    fn a_run_and_its_faults_read_well() {
        let mut run = Run {
            quiet: mode(&[900, 1_000, 2_000], &[2.0]),
            flooded: mode(&[950, 1_100, 2_100], &[2.1]),
            attempts: Attempts::default(),
        };
        run.attempts.elapsed = Duration::from_secs(2);
        for (code, count) in [
            ("sign_in_refused", 20),
            ("password_checks_busy", 370),
            ("let_in", 1),
        ] {
            run.attempts.answers.insert(code.to_owned(), count);
        }
        let failure = judge(&run).unwrap_err().message();
        insta::assert_snapshot!(format!("{}\n{failure}", text(&run, &figures(&run))));
    }
}
