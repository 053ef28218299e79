//! `paywarden bench console`: how long pages take, from asking to the last byte, with a million
//! decisions in the store. Each list is compared with what looking at every decision finds before
//! anything is timed.

mod oracle;
mod person;

use crate::{
    child::ServerChild,
    client::{Caller, Client, Connection, Protocol},
    config::Config,
    drive::{Options, drive},
    failure::{Failure, Result},
    figures::{Figure, Report},
    latency::Latencies,
    private::Scratch,
    progress::Progress,
    signing::Signer,
    terminal, traffic, wiring,
};
use oracle::{Expected, Known, Oracle, RULES};
use paywarden_domain::{Currency, Outcome, TenantId};
use paywarden_store::Clock;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The company whose decisions they are: that of `demo`, whose data folder serves too.
const TENANT: &str = "demo";
/// Payments under way at once while the store is made.
const CONNECTIONS: usize = 16;
/// Rows of a page of decisions.
const PAGE: usize = 50;
/// A rule that there is not.
const NO_RULE: &str = "rule:no.such_rule";
/// How long blocks of what decisions name may take to be made, and how often it is looked.
const BLOCKS_WAIT: Duration = Duration::from_secs(600);
const BLOCKS_LOOK: Duration = Duration::from_millis(500);
/// The longest that a page may take, in milliseconds.
const PAGE_MS_MAX: f64 = 500.0;

/// Arguments of `bench console`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Decisions to make first
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    decisions: u64,
    /// Folder that keeps them; one that has decisions, as `demo --data-dir` makes it, is used as it is
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How often each page is asked for
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    rounds: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A page that is measured.
struct Asked {
    name: &'static str,
    path: String,
    /// The rows that a list has to show.
    expected: Option<Expected>,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let figures = measure(&arguments).await?;
    if arguments.json {
        terminal::result(&Report::new("bench console", figures.clone()).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    judge(&figures)
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let bug = |error: &dyn std::fmt::Display| Failure::environment(error, "report this as a bug");
    let scratch = Scratch::new()?;
    let folder = arguments.data_dir.as_deref().unwrap_or(scratch.path());
    let tenant = TenantId::parse(TENANT).map_err(|error| bug(&error))?;
    let config = Config {
        data_dir: folder.to_owned(),
        ..Config::default()
    };
    let (url, has_any) = (config.database_address()?, !is_empty(folder));
    let open = [
        "trust_event_time=true",
        "office_from_hour=0",
        "office_to_hour=24",
    ];
    let open = open.into_iter().chain(["office_weekdays=[1,2,3,4,5,6,7]"]);
    let settings: Vec<String> = open
        .map(str::to_owned)
        .chain(traffic::server_settings())
        .collect();
    let server = ServerChild::start_self(folder, &settings)?;
    if !has_any {
        make(&server, &tenant, arguments.decisions).await?;
    }
    let mut page = person::sign_in(&server, &tenant).await?;
    let started = Instant::now();
    fetch(&mut page, "/").await?;
    let first_ms = started.elapsed().as_secs_f64() * 1000.0;
    let blocks_ms = blocks(&mut page).await?;
    let oracle = Oracle::read(&url, &tenant).await?;
    let asked = pages(&mut page, &oracle).await?;
    for one in &asked {
        check(&mut page, one).await?;
    }
    let mut figures = vec![
        Figure::count("decisions", oracle.len() as u64),
        Figure::new("overview_first_ms", first_ms, "ms"),
        Figure::new("blocks_ms", blocks_ms, "ms"),
    ];
    let progress = Progress::new(asked.len() as u64);
    for (place, one) in (1..).zip(&asked) {
        progress.show(place, one.name);
        figures.extend(time(&mut page, one, arguments.rounds).await?);
    }
    server.kill();
    Ok(figures)
}

/// How long it takes until all decisions are in blocks of what they name, from the first question on.
async fn blocks(page: &mut Connection) -> Result<f64> {
    let started = Instant::now();
    let path = format!("/v1/decisions?q={NO_RULE}");
    while fetch(page, &path).await?.contains("\"looked_back_to\":\"") {
        if started.elapsed() > BLOCKS_WAIT {
            return Err(Failure::not_held(
                "what decisions name is not in blocks",
                "look at the log of the server",
            ));
        }
        tokio::time::sleep(BLOCKS_LOOK).await;
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Has the server decide so many simulated payments.
async fn make(server: &ServerChild, tenant: &TenantId, decisions: u64) -> Result<()> {
    let (key_id, private) = server.create_key(tenant, "hmac-sha256")?;
    let caller = Caller::Signed(Signer::from_text(&key_id, &private)?);
    let client = Client::new(&server.url(), &server.ca_pem(), caller, Protocol::Http1)?;
    let config = Config {
        rates: traffic::rates(),
        ..Config::default()
    };
    let events = traffic::demonstration(decisions, wiring::rates(&config)?, Clock::System.now());
    let options = Options {
        connections: CONNECTIONS,
        rate: None,
        measure_from: None,
        labels_until: None,
    };
    let progress = Progress::new(decisions);
    let driven = drive(&client, events, options, |driven| {
        progress.show(driven.decided, "payments are decided");
    })
    .await?;
    match driven.unanswered() {
        0 => Ok(()),
        count => Err(Failure::not_held(
            format!("{count} payments got no verdict"),
            "look at the log of the server",
        )),
    }
}

/// The pages, and what lists have to show.
async fn pages(page: &mut Connection, oracle: &Oracle) -> Result<Vec<Asked>> {
    let mut asked = lists(oracle);
    asked.extend(mentions(oracle));
    let deep = oracle.len() * 9 / 10;
    let (above, below) = (oracle.at(deep - 1), oracle.at(deep));
    if let (Some(above), Some(_)) = (above, below) {
        asked.push(Asked {
            name: "decisions_deep",
            path: format!("/decisions?to={}", above.decided_at),
            expected: Some(oracle.page(PAGE, false, |known| known.decided_at < above.decided_at)),
        });
    }
    let stopped = oracle.newest(|known| known.outcome.stops());
    if let Some(Known { id, payment_id, .. }) = stopped {
        asked.push(plain("decision", format!("/decisions/{id}")));
        let html = fetch(page, &format!("/decisions/{id}")).await?;
        if let Some(entity) = links(&html, "/entities/").into_iter().next() {
            asked.push(plain("entity", entity));
        }
        asked.push(Asked {
            name: "decisions_of_payment",
            path: format!("/decisions?payment_id={payment_id}"),
            expected: Some(oracle.page(PAGE, false, |known| known.payment_id == *payment_id)),
        });
    }
    for (name, path) in [
        ("overview", "/"),
        ("live", "/live"),
        ("alerts", "/payment-alerts"),
        ("prevention", "/prevention"),
        ("trail", "/trail"),
        ("library", "/library"),
    ] {
        asked.push(plain(name, path.to_owned()));
    }
    Ok(asked)
}

fn plain(name: &'static str, path: String) -> Asked {
    Asked {
        name,
        path,
        expected: None,
    }
}

/// Each form of the query language: what many, some and no decisions answer to.
fn lists(oracle: &Oracle) -> Vec<Asked> {
    type Holds = fn(&Known) -> bool;
    let lists: [(&str, &str, Holds); 7] = [
        ("decisions", "", |_| true),
        ("decisions_outcome_common", "outcome:approve", |known| {
            known.outcome == Outcome::Approve
        }),
        ("decisions_outcome_rare", "outcome:hold", |known| {
            known.outcome == Outcome::Hold
        }),
        ("decisions_score_rare", "score>=995", |known| {
            known.score >= 995
        }),
        ("decisions_score_none", "score>1000", |known| {
            known.score > 1000
        }),
        ("decisions_amount_rare", "amount>=20000USD", |known| {
            is_in(known, "USD") && known.amount.is_some_and(|amount| amount.minor >= 2_000_000)
        }),
        (
            "decisions_terms_none",
            "outcome:decline,hold score>=900 amount>=9000000KWD since:20d",
            |_| false,
        ),
    ];
    let path = |line: &str| {
        let line = line
            .replace('>', "%3E")
            .replace('=', "%3D")
            .replace(' ', "+");
        format!("/decisions?q={line}")
    };
    let asked = lists.into_iter().map(|(name, line, holds)| Asked {
        name,
        path: path(line),
        expected: Some(oracle.page(PAGE, !line.is_empty(), holds)),
    });
    asked.collect()
}

/// What rules and entities decisions name: of rules that fire often and seldom, and of one customer.
fn mentions(oracle: &Oracle) -> Vec<Asked> {
    let named = [("decisions_rule_common", 0), ("decisions_rule_rare", 1)];
    let rules = named.map(|(name, place)| {
        let fired = |known: &Known| known.fired.get(place) == Some(&true);
        let rule = RULES.get(place).copied().unwrap_or_default();
        (
            name,
            format!("rule:{rule}"),
            oracle.page(PAGE, false, fired),
        )
    });
    let customer = oracle.newest(|known| known.customer != 0 && known.outcome.stops());
    let customer = customer.map(|newest| {
        let theirs = |known: &Known| known.customer == newest.customer;
        let line = format!("customer:{:016x}", newest.customer);
        ("decisions_customer", line, oracle.page(PAGE, false, theirs))
    });
    let nobody = Expected {
        ids: Vec::new(),
        goes_on: false,
    };
    let none = ("decisions_rule_none", NO_RULE.to_owned(), nobody);
    let all = rules.into_iter().chain(customer).chain([none]);
    all.map(|(name, line, expected)| Asked {
        name,
        path: format!("/decisions?q={line}"),
        expected: Some(expected),
    })
    .collect()
}

fn is_in(known: &Known, code: &str) -> bool {
    let currency = known.amount.map(|amount| amount.currency);
    currency.map(Currency::code) == Some(code)
}

/// The page as text.
async fn fetch(page: &mut Connection, path: &str) -> Result<String> {
    let reply = page.get(path).await?;
    match reply.status.is_success() {
        true => Ok(String::from_utf8_lossy(&reply.body).into_owned()),
        false => Err(Failure::not_held(
            format!("{path} answers {}", reply.status),
            "look at the log of the server",
        )),
    }
}

/// Addresses that begin so, each once, as they come.
fn links(html: &str, begin: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in html.split("href=\"").skip(1) {
        let to = part.split('"').next().unwrap_or_default();
        if to.starts_with(begin) && found.last().is_none_or(|last| last != to) {
            found.push(to.to_owned());
        }
    }
    found
}

/// Compares a list with what looking at everything finds.
async fn check(page: &mut Connection, asked: &Asked) -> Result<()> {
    let html = fetch(page, &asked.path).await?;
    let Some(expected) = &asked.expected else {
        return Ok(());
    };
    let shown = links(&html, "/decisions/dec_");
    let wanted = expected.ids.iter().map(|id| format!("/decisions/{id}"));
    let goes_on = html.contains("rel=\"next\"");
    match shown.iter().cloned().eq(wanted) && goes_on == expected.goes_on {
        true => Ok(()),
        false => Err(Failure::not_held(
            format!(
                "{} shows {} rows, and there are {}",
                asked.path,
                shown.len(),
                expected.ids.len()
            ),
            "report this as a bug",
        )),
    }
}

async fn time(page: &mut Connection, asked: &Asked, rounds: u32) -> Result<[Figure; 2]> {
    let mut latencies = Latencies::new();
    for _ in 0..rounds {
        let start = Instant::now();
        fetch(page, &asked.path).await?;
        let elapsed = start.elapsed().as_micros();
        latencies.record(u64::try_from(elapsed).unwrap_or(u64::MAX));
    }
    let at = |share, said: &str| {
        let name = format!("{}_{said}_ms", asked.name);
        Figure::new(name, latencies.quantile_ms(share), "ms")
    };
    Ok([at(0.5, "p50"), at(0.99, "p99")])
}

fn text(figures: &[Figure]) -> String {
    let mut text = "pages, from asking to the last byte\n".to_owned();
    for Figure {
        name, value, unit, ..
    } in figures
    {
        let unit = if *unit == "1" { "" } else { unit };
        let value = value.unwrap_or(f64::NAN);
        text += &format!("  {name:<34} {value:>10.1} {unit}\n");
    }
    text
}

fn judge(figures: &[Figure]) -> Result<()> {
    let is_slow = |figure: &&Figure| {
        let value = figure.value.unwrap_or(f64::NAN);
        figure.name.ends_with("_p99_ms") && (value.is_nan() || value > PAGE_MS_MAX)
    };
    let slow = figures.iter().filter(is_slow);
    let slow: Vec<&str> = slow.map(|figure| figure.name.as_str()).collect();
    match slow.is_empty() {
        true => Ok(()),
        false => Err(Failure::not_held(
            format!("longer than {PAGE_MS_MAX} ms: {}", slow.join(", ")),
            "measure on a machine that does nothing else",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_slow_pages_read_well() {
        let figures = [
            Figure::count("decisions", 1_000_000),
            Figure::new("decisions_p50_ms", 12.25, "ms"),
            Figure::new("decisions_p99_ms", 501.0, "ms"),
            Figure::new("overview_p99_ms", 500.0, "ms"),
        ];
        let failure = judge(&figures).unwrap_err().message();
        insta::assert_snapshot!(format!("{}\n{failure}", text(&figures)));
    }

    #[test]
    fn rows_are_read_from_links() {
        let html =
            r#"<a href="/x">x</a> <a href="/decisions/dec_1">p</a><a href="/decisions/dec_2">"#;
        let expected = ["/decisions/dec_1", "/decisions/dec_2"];
        assert_eq!(links(html, "/decisions/dec_"), expected);
    }
}
