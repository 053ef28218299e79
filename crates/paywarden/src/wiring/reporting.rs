//! Who reports large values for each company, from a file of tables.

use super::Ground;
use crate::{
    config::Config,
    failure::{Failure, Result},
};
use paywarden_risk::Engine;
use paywarden_server::{LargeValues, Reports, reports::Reporters};
use std::{fs, path::Path, sync::Arc};

/// Reports, who makes them, and what looks for large values.
pub(super) async fn open(
    config: &Config,
    ground: &Ground,
    engine: &Arc<Engine>,
) -> Result<(Arc<Reports>, Arc<Reporters>, LargeValues)> {
    let reports = ground.reports().await?;
    let reporters = Arc::new(read(config.reporting_file.as_deref())?);
    let large = LargeValues::new(engine.clone(), reports.clone(), reporters.clone());
    Ok((reports, reporters, large))
}

/// Reads the file; nobody reports where there is none.
fn read(path: Option<&Path>) -> Result<Reporters> {
    let Some(path) = path else {
        return Ok(Reporters::new());
    };
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(
            format!("reporting_file = {}: {error}", path.display()),
            "docs/guide/reports.md shows such a file",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    toml::from_str(&text).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::TenantId;

    const FILE: &str = r#"
[acme]
holidays = ["2026-10-01"]
[acme.entity]
name = "Acme Payments"
codes = { ricd = "X1" }
address = { kind = "business", street = "1 Road", city = "Shanghai", country = "CN" }
officer = { first_name = "Mei", last_name = "Lin" }
"#;

    fn of(text: &str) -> Result<Reporters> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reporting.toml");
        fs::write(&path, text).unwrap();
        read(Some(&path))
    }

    #[test]
    fn a_file_names_who_reports_and_mistakes_are_refused() {
        let tenant = TenantId::parse("acme").unwrap();
        let reporters = of(FILE).unwrap();
        let reporter = &reporters[&tenant];
        assert_eq!(reporter.entity.name, "Acme Payments");
        assert_eq!(reporter.holidays.len(), 1);
        assert!(read(None).unwrap().is_empty());
        for wrong in [
            FILE.replace("acme", "'A company'"),
            FILE.replace("officer", "boss"),
            FILE.replace("2026-10-01", "2026-13-01"),
            FILE.replace("entity", "entities"),
        ] {
            assert!(of(&wrong).is_err(), "{wrong}");
        }
    }
}
