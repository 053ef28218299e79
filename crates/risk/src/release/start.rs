//! Coming back: what runs after a start is what the journal says.
//!
//! The library inside the binary, or the operator's own folder, is the base of the installation: it
//! decides for every tenant that never published, in its newest form. A tenant that published is
//! decided by its own version whatever the binary ships.

use super::{
    Desk, LoadedSet, PackFile, Running, Source, desk::Floor, ledger::Ledger, running::Lineup,
    shelf::Shelf,
};
use crate::{
    Engine, EngineConfig, Error, StartError,
    model::{self, Signer, Stand},
    recovery,
};
use paywarden_domain::TenantId;
use paywarden_features::{FeatureStore, Restored};
use paywarden_rules::Diagnostic;
use paywarden_store::{Actor, Database, Entry, Journal, Purpose, Row, RuleSetRow};
use std::{collections::HashMap, sync::Arc};

/// The tenant that owns what belongs to the installation itself.
const INSTALLATION: &str = "installation";
/// Steps read at a time.
const STEP_ROWS: u32 = 10_000;

/// Everything that the rules need to decide.
pub(crate) struct Opened {
    pub(crate) desk: Desk,
    pub(crate) running: Running,
    pub(crate) features: FeatureStore,
    pub(crate) restored: Option<Restored>,
    pub(crate) base: Source,
    /// Which models of tenants are at work, by the journal.
    pub(crate) stands: HashMap<TenantId, Stand>,
}

/// Compiles the library and every version at work, and restores the windows that they read.
pub(crate) async fn open(
    config: &EngineConfig,
    database: &Database,
    (files, signer): (Vec<PackFile>, &Signer),
) -> Result<Opened, StartError> {
    let base = Source::parse(files).map_err(refused)?;
    let rules = base.analysed(&config.rates);
    let (rules, found) = rules.map_err(refused)?;
    if !found.is_empty() {
        tracing::info!(warnings = found.len(), "rules that are worth a look");
    }
    let set = Arc::new(LoadedSet::new(rules));
    let ledgers = ledgers(database).await?;
    let shelf = Shelf::new(database.clone(), config.rates.clone());
    let mut lineup = Lineup {
        base: set,
        tenants: HashMap::new(),
        models: HashMap::new(),
    };
    for (tenant, ledger) in &ledgers {
        let line = shelf.line(&lineup, (tenant, ledger), None).await;
        let line = line.map_err(|error| StartError::TenantRules {
            tenant: tenant.clone(),
            reason: rendered(error),
        })?;
        lineup
            .tenants
            .extend(line.map(|line| (tenant.clone(), line)));
    }
    let stands = model::load(database, signer, &mut lineup.models).await?;
    let union = lineup.union();
    let (features, plan, restored) = recovery::restore(config, database, &union.windows).await?;
    let started_after = database.event_no_last().await.map_err(Error::from)?;
    let floor = Floor {
        lineup,
        union,
        plan,
    };
    Ok(Opened {
        running: floor.running(),
        desk: Desk::new(ledgers, shelf, floor, started_after),
        features,
        restored,
        base,
        stands,
    })
}

/// Keeps the source of the library, so that every decision can be explained for good.
pub(crate) async fn record_base(
    database: &Database,
    journal: &Journal,
    base: &Source,
    created_at: paywarden_domain::Timestamp,
) -> Result<(), Error> {
    let tenant = installation()?;
    let version = base.version();
    if database.rule_set(&tenant, &version).await?.is_some() {
        return Ok(());
    }
    let row = Row::RuleSet(RuleSetRow {
        tenant: tenant.clone(),
        version: version.clone(),
        source: base.text()?,
        created_at,
    });
    let entry = Entry {
        tenant,
        actor: Actor::System("start"),
        purpose: Purpose::from("publish rules"),
        action: "rule_set.base",
        object: version,
        rows: vec![row],
    };
    journal.append(entry).await?;
    Ok(())
}

/// Whose the versions of the library are in the store.
pub(super) fn installation() -> Result<TenantId, Error> {
    TenantId::parse(INSTALLATION).map_err(|invalid| Error::RecordDamaged(invalid.to_string()))
}

impl Engine {
    /// The steps of one tenant, read again.
    pub(super) async fn read_ledger(&self, tenant: &TenantId) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        loop {
            let after = ledger.next_step() - 1;
            let steps = self
                .database
                .rule_set_steps_after(tenant.as_str(), after, STEP_ROWS)
                .await?;
            let own = steps.iter().take_while(|step| step.tenant == *tenant);
            let mut read = 0;
            for step in own {
                ledger.apply(step)?;
                read += 1;
            }
            if read < STEP_ROWS {
                return Ok(ledger);
            }
        }
    }
}

async fn ledgers(database: &Database) -> Result<HashMap<TenantId, Arc<Ledger>>, Error> {
    let mut ledgers: HashMap<TenantId, Ledger> = HashMap::new();
    let (mut tenant, mut number) = (String::new(), 0);
    loop {
        let steps = database
            .rule_set_steps_after(&tenant, number, STEP_ROWS)
            .await?;
        let Some(last) = steps.last() else { break };
        (tenant, number) = (last.tenant.as_str().to_owned(), last.step_no);
        for step in &steps {
            ledgers
                .entry(step.tenant.clone())
                .or_default()
                .apply(step)?;
        }
    }
    let shared = |(tenant, ledger)| (tenant, Arc::new(ledger));
    Ok(ledgers.into_iter().map(shared).collect())
}

fn refused(error: Error) -> StartError {
    StartError::Rules(rendered(error))
}

fn rendered(error: Error) -> String {
    match error {
        Error::RulesRefused(diagnostics) => {
            let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
            rendered.join("\n")
        }
        other => other.to_string(),
    }
}
