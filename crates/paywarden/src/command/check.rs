//! `paywarden check`: what would stop the server from starting, found without starting it.

use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    packs, private,
    summary::thousands,
    terminal,
    wiring::{self, local_ca_pem},
};
use paywarden_rules::{Severity, analyse, canonical_source, check_examples, compile};
use paywarden_store::{Clock, Database};
use std::{fs, io, path::Path, time::UNIX_EPOCH};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    config: ConfigFlags,
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// In words; an error is what does not hold, with what to do about it.
    found: Result<String>,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let loaded = arguments.config.load()?;
    let config = &loaded.config;
    terminal::result(&format!("{}\n", config.shown(&loaded.origins)));
    let findings = [
        Finding {
            what: "rule packs",
            found: rule_packs(config),
        },
        Finding {
            what: "data folder",
            found: secret(&config.data_dir),
        },
        Finding {
            what: "master key",
            found: secret(&config.data_dir.join("master.key")),
        },
        Finding {
            what: "certificate",
            found: certificate(config),
        },
        Finding {
            what: "database",
            found: database(config).await,
        },
        Finding {
            what: "passwords",
            found: breached_passwords(config),
        },
        Finding {
            what: "clock",
            found: clock(config),
        },
    ];
    terminal::result(&report(&findings));
    match findings
        .iter()
        .filter(|finding| finding.found.is_err())
        .count()
    {
        0 => Ok(()),
        count => Err(Failure::not_held(
            format!("{count} checks failed"),
            "see above",
        )),
    }
}

fn report(findings: &[Finding]) -> String {
    let line = |finding: &Finding| match &finding.found {
        Ok(text) => format!("ok    {:<12} {text}\n", finding.what),
        Err(failure) => {
            let message = failure.message();
            let message = message.trim_start_matches("error: ");
            format!("FAIL  {:<12} {message}", finding.what)
        }
    };
    findings.iter().map(line).collect()
}

fn rule_packs(config: &Config) -> Result<String> {
    let packs = packs::load(config.rules_dir.as_deref())?;
    let rates = wiring::rates(config)?;
    let rules = compile(&packs, &rates, "check").map_err(|found| packs::refused(&found))?;
    let analysed = analyse(&rules).into_iter();
    let mut found = check_examples(&rules);
    found.extend(analysed.filter(|problem| problem.code.severity() == Severity::Error));
    if !found.is_empty() {
        return Err(packs::refused(&found));
    }
    let kilobytes = canonical_source(&packs).len() / 1024;
    let (packs, rules) = (packs.len(), rules.rules().len());
    Ok(format!(
        "{packs} packs, {rules} rules, {kilobytes} KiB; every example holds"
    ))
}

/// A folder or file that only its owner may read; not there yet is fine before the first start.
fn secret(path: &Path) -> Result<String> {
    match private::is_open_to_others(path) {
        Ok(false) => Ok(format!("{}, for its owner alone", path.display())),
        Ok(true) => Err(Failure::not_held(
            format!("{} is open to others", path.display()),
            format!("chmod go= {}", path.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(not_yet(path)),
        Err(error) => Err(Failure::not_held(
            format!("cannot look at {}: {error}", path.display()),
            "run it as the user that runs the server",
        )),
    }
}

fn certificate(config: &Config) -> Result<String> {
    let (Some(chain), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
        let ca_pem = local_ca_pem(&config.data_dir);
        return Ok(match ca_pem.exists() {
            true => format!("of the local authority, clients trust {}", ca_pem.display()),
            false => not_yet(&ca_pem),
        });
    };
    paywarden_server::tls::Identity::from_pem_files(chain, key)
        .map_err(|error| Failure::not_held(error, "correct tls_certificate and tls_key"))?;
    Ok(chain.display().to_string())
}

async fn database(config: &Config) -> Result<String> {
    let file = config.data_dir.join("paywarden.db");
    if config.database_url.is_none() && !file.exists() {
        return Ok(not_yet(&file));
    }
    let unreachable = |error: paywarden_store::Error| {
        Failure::not_held(
            format!("does not answer: {error}"),
            "check database_url and database_password_file, and that the database runs",
        )
    };
    let address = config.database_address()?;
    let database = Database::open_reader(&address).await.map_err(unreachable)?;
    let leaves = database.trail_leaves_count().await.map_err(unreachable)?;
    database.close().await;
    Ok(format!("answers, {leaves} leaves in the trail"))
}

fn breached_passwords(config: &Config) -> Result<String> {
    let breached = wiring::breached(config)?;
    Ok(match breached {
        Some(breached) => format!("{} known from breaches", thousands(breached.passwords())),
        None => "no list of breached ones: set breached_passwords".to_owned(),
    })
}

/// Our clock must not be behind what was written earlier: signatures and windows go by it.
fn clock(config: &Config) -> Result<String> {
    let now = Clock::System.now();
    let newest = newest_file(&config.data_dir).unwrap_or(0);
    if now.seconds() + 1 < newest {
        let behind = newest - now.seconds();
        return Err(Failure::not_held(
            format!("is {behind} s behind the newest file of the data folder"),
            "set the clock, and let it be kept by chrony or systemd-timesyncd",
        ));
    }
    Ok(now.to_string())
}

/// When the newest file of a folder was changed, in seconds since 1970.
fn newest_file(folder: &Path) -> Option<i64> {
    let changed = |entry: io::Result<fs::DirEntry>| {
        let time = entry.ok()?.metadata().ok()?.modified().ok()?;
        i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
    };
    fs::read_dir(folder).ok()?.filter_map(changed).max()
}

fn not_yet(path: &Path) -> String {
    format!("{} will be made at the first start", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_read_well() {
        let findings = [
            Finding {
                what: "rule packs",
                found: Ok("25 packs, 243 rules".to_owned()),
            },
            Finding {
                what: "data folder",
                found: Err(Failure::not_held("data is open", "chmod")),
            },
        ];
        insta::assert_snapshot!(report(&findings));
    }
}
