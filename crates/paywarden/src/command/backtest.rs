//! `paywarden backtest`: what rules would have done with the payments that the journal holds.

mod table;

use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    figures::{Figure, Report},
    packs,
    progress::Progress,
    summary::thousands,
    terminal, time, wiring,
};
use paywarden_crypto::Keyring;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_risk::{
    Error,
    backtest::{self, Pace, Source, Task},
    release,
};
use paywarden_rules::RuleSet;
use paywarden_store::Database;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// What `--against` calls the packs inside this binary.
const SHIPPED: &str = "shipped";
/// The newest time that a payment can have: 2200.
const END_OF_TIME: i64 = 7_258_118_400_000_000;

/// Arguments of `backtest`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the rule packs to test
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Compare with these rules: `shipped`, a folder, or a version of the journal [default: the
    /// outcomes answered]
    #[arg(long, value_name = "RULES")]
    against: Option<String>,
    /// Count payments that happened from this time on (RFC 3339 or a date)
    #[arg(long, value_parser = time::parse)]
    from: Option<Timestamp>,
    /// Count payments that happened before this time
    #[arg(long, value_parser = time::parse)]
    to: Option<Timestamp>,
    /// Whose payments [default: the only tenant there is]
    #[arg(long, value_parser = tenant)]
    tenant: Option<TenantId>,
    /// A payment without a label counts as genuine after so many days
    #[arg(long, value_name = "DAYS", default_value_t = 45)]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=3650))]
    label_delay: u16,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// The figures and, beside them, the whole report.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    figures: Report,
    report: &'a backtest::Report,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let config = arguments.config.load()?.config;
    let rules = compiled(&config, Some(&arguments.rules))?;
    let keyring = keyring(&config).await?;
    let database = Database::open_reader(&config.database_address()?).await;
    let database = database.map_err(|error| unreadable(&error))?;
    let tenant = match arguments.tenant {
        Some(tenant) => tenant,
        None => only_tenant(&database).await?,
    };
    let against = match arguments.against.as_deref() {
        None => None,
        Some(SHIPPED) => Some(compiled(&config, None)?),
        Some(folder) if Path::new(folder).is_dir() => {
            Some(compiled(&config, Some(Path::new(folder)))?)
        }
        Some(version) => Some(stored(&config, &database, &tenant, version).await?),
    };
    let task = Task {
        tenant,
        rules,
        against,
        from: arguments.from.unwrap_or(Timestamp::from_micros(0)),
        to: arguments.to.unwrap_or(Timestamp::from_micros(END_OF_TIME)),
        label_delay: i64::from(arguments.label_delay) * DAY,
    };
    let source = Source::new(database.clone(), &keyring).map_err(|error| unreadable(&error))?;
    let tested = test(&source, &config, task).await;
    database.close().await;
    let report = tested?;
    if arguments.json {
        print_json(&report)
    } else {
        terminal::result(&table::of(&report));
        Ok(())
    }
}

async fn test(source: &Source, config: &Config, task: Task) -> Result<backtest::Report> {
    let settings = wiring::engine_config(config)?;
    let start = Instant::now();
    let mut shown: Option<Progress> = None;
    let progress = |progress: backtest::Progress| {
        let per_second = progress.done as f64 / start.elapsed().as_secs_f64();
        let line = format!("{} payments, {per_second:.0}/s", thousands(progress.done));
        let bar = shown.get_or_insert_with(|| Progress::new(progress.total));
        bar.show(progress.done, line);
    };
    let tested = backtest::run(source, &settings, task, || Pace::Full, progress).await;
    tested.map_err(|error| match error {
        Error::HistoryEmpty => Failure::not_held(
            error,
            "choose other times with --from and --to, or another --tenant",
        ),
        Error::WindowsRefused(_) => Failure::not_held(error, "read fewer windows in the rules"),
        error => unreadable(&error),
    })
}

fn print_json(report: &backtest::Report) -> Result<()> {
    let json = Json {
        figures: Report::new("backtest", figures(report)),
        report,
    };
    let text = serde_json::to_string(&json).map_err(|error| {
        let what = format!("cannot write the report: {error}");
        Failure::environment(what, "report this as a bug")
    })?;
    terminal::result(&(text + "\n"));
    Ok(())
}

fn figures(report: &backtest::Report) -> Vec<Figure> {
    let share = |name: &str, value: Option<f64>| Figure::new(name, value.unwrap_or(f64::NAN), "1");
    let (after, before) = (&report.stopped, &report.stopped_before);
    let mut figures = vec![
        Figure::count("payments", report.payments.payments),
        Figure::count("fraud_payments", report.payments.fraud),
    ];
    let pairs = [
        ("alert_rate", after.rate, before.rate),
        ("recall", after.recall, before.recall),
        ("precision", after.precision, before.precision),
        (
            "fraud_amount_stopped_ratio",
            after.amount_recall,
            before.amount_recall,
        ),
    ];
    figures.extend(pairs.map(|(name, after, before)| {
        let figure = share(name, after);
        before.map_or(figure.clone(), |before| figure.against(before))
    }));
    let changed = report.changes.iter().filter(|c| c.before != c.after);
    figures.push(Figure::count(
        "outcomes_changed",
        changed.map(|change| change.payments).sum(),
    ));
    figures.push(Figure::count("rules_dead", report.dead.len() as u64));
    figures.push(Figure::count(
        "rules_shadowed",
        report.shadowed.len() as u64,
    ));
    figures
}

/// The packs of a folder, or the shipped ones, compiled with the rates of the configuration.
fn compiled(config: &Config, folder: Option<&Path>) -> Result<Arc<RuleSet>> {
    let packs = packs::load(folder)?;
    let rates = wiring::rates(config)?;
    let rules = backtest::compile(&packs, &rates);
    rules.map(Arc::new).map_err(|found| packs::refused(&found))
}

/// The rules of a version that the journal holds.
async fn stored(
    config: &Config,
    database: &Database,
    tenant: &TenantId,
    version: &str,
) -> Result<Arc<RuleSet>> {
    let rates = wiring::rates(config)?;
    let rules = release::stored_rules(database, &rates, tenant, version).await;
    rules.map(Arc::new).map_err(|error| match error {
        Error::RuleSetUnknown => Failure::wrong_use(
            format!("`{version}` is no folder, and no version of {tenant}'s rules"),
            "a decision names the version that decided it as `rule_set`",
        ),
        error => unreadable(&error),
    })
}

async fn keyring(config: &Config) -> Result<Arc<Keyring>> {
    let keyring = wiring::existing_keyring(config).await?;
    keyring.ok_or_else(|| {
        Failure::environment(
            format!("there is no master key in {}", config.data_dir.display()),
            "name the folder of a server with --data-dir",
        )
    })
}

async fn only_tenant(database: &Database) -> Result<TenantId> {
    let tenants = database.tenants_decided().await;
    let tenants = tenants.map_err(|error| unreadable(&error))?;
    match tenants.as_slice() {
        [tenant] => Ok(tenant.clone()),
        [] => Err(Failure::not_held(
            "the journal holds no decision",
            "a back-test needs payments: let the server decide some first",
        )),
        several => {
            let names: Vec<&str> = several.iter().map(TenantId::as_str).collect();
            Err(Failure::wrong_use(
                format!("the journal holds several tenants: {}", names.join(", ")),
                "choose one with --tenant",
            ))
        }
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(
        format!("the journal does not read: {error}"),
        "`paywarden check` looks at database and keys, `paywarden verify` at the records",
    )
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).map_err(|error| error.to_string())
}
