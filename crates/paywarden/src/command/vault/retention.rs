//! `paywarden vault retention`: what is due to end, counted; and its end.

use super::failed;
use crate::{config::ConfigFlags, failure::Result, terminal, wiring::Ground};
use paywarden_domain::TenantId;
use paywarden_privacy::{
    By, Vault,
    retention::{Order, Run, RunState},
};
use paywarden_store::Actor;
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// How often it is looked how far the run is.
const LOOK: Duration = Duration::from_millis(100);

/// Arguments of `vault retention`.
#[derive(Debug, clap::Args)]
pub struct Retention {
    /// The company whose persons it is about [default: first_company]
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// End what this run has counted, `ret_…`; without it, it is counted and nothing ends
    #[arg(long, value_name = "RUN")]
    end: Option<String>,
    /// How many persons are looked at in a second
    #[arg(long, default_value_t = 10_000)]
    persons_per_second: u32,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs to the end; whoever interrupts it finds the run open, and a server takes it up.
pub(super) async fn run(arguments: &Retention) -> Result<()> {
    let config = arguments.config.load()?.config;
    let company = arguments.company.as_ref().unwrap_or(&config.first_company);
    let tenant = TenantId::parse(company).map_err(failed)?;
    let order = Order {
        counted: arguments.end.clone(),
        persons_per_second: arguments.persons_per_second,
    };
    let ground = Ground::open(&config).await?;
    let by = By::new(tenant, Actor::System("operator"), "retention");
    let done = to_the_end(&ground.vault, &by, &order).await;
    ground.close().await;
    terminal::result(&told(&done?));
    Ok(())
}

async fn to_the_end(vault: &Arc<Vault>, by: &By, order: &Order) -> Result<Run> {
    let mut run = vault.begin_retention(by, order).await.map_err(failed)?;
    while run.state == RunState::Running {
        tokio::time::sleep(LOOK).await;
        vault.tend_retention().await.map_err(failed)?;
        let now = vault.retention_run(&by.tenant, &run.id).await;
        run = now.map_err(failed)?;
    }
    Ok(run)
}

/// A run for people: one line for each kind of values and what becomes of them.
fn told(run: &Run) -> String {
    let what = match run.is_count() {
        true => "counted, nothing ended",
        false => "ended",
    };
    let mut text = format!(
        "{}  {}  {what}  {} persons looked at\n",
        run.id,
        run.state.name(),
        run.persons
    );
    for line in &run.lines {
        let _ = writeln!(
            text,
            "{:<14}{:<11}{:<13}{:<9}{:>9} values of {} persons",
            line.fate.name(),
            line.retention,
            line.class,
            line.jurisdiction.name(),
            line.records,
            line.persons
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::Timestamp;
    use paywarden_privacy::{
        policy::Jurisdiction,
        retention::{Fate, Line},
    };

    #[test]
    fn a_run_reads_well() {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let json = serde_json::json!({
            "id": "ret_1", "state": "done", "policy": 0, "counted": null, "as_of": at,
            "begun_at": at, "ended_at": at, "persons_per_second": 1, "cursor": "", "persons": 3,
            "lines": [],
        });
        let mut run: Run = serde_json::from_value(json).unwrap();
        run.lines = vec![Line {
            retention: "marketing".to_owned(),
            class: "email".to_owned(),
            jurisdiction: Jurisdiction::Gdpr,
            fate: Fate::LegalHold,
            records: 2,
            persons: 1,
        }];
        let expected = "ret_1  done  counted, nothing ended  3 persons looked at\n\
            legal_hold    marketing  email        gdpr             2 values of 1 persons\n";
        assert_eq!(told(&run), expected);
    }
}
