//! The countries of companies, as the configuration says.

use crate::{
    config::Config,
    failure::{Failure, Result},
};
use paywarden_domain::{Currency, TenantId};
use paywarden_filings::{Profiles, Rates};
use paywarden_risk::Jurisdictions;

/// The countries of companies.
pub(super) fn read(config: &Config) -> Result<Jurisdictions> {
    let wrong = |what: String| {
        Failure::wrong_use(
            what,
            "write [jurisdictions] COMPANY = \"PROFILE\", such as \"eu\"",
        )
    };
    let no_rate = |what: String| {
        Failure::wrong_use(
            what,
            "write what one unit is worth in the base currency: 1.0845, or 1/7.25",
        )
    };
    let shipped = Profiles::shipped().map_err(|error| wrong(error.to_string()))?;
    let known = |(company, name): (&String, &String)| {
        let tenant = TenantId::parse(company);
        let tenant = tenant.map_err(|error| wrong(format!("jurisdictions.{company}: {error}")))?;
        let profile = shipped.find(name);
        let profile = profile
            .ok_or_else(|| wrong(format!("jurisdictions.{company} = {name}: no such profile")))?;
        Ok((tenant, profile.clone()))
    };
    let profiles = config.jurisdictions.iter().map(known);
    let base = (config.base_currency.code().to_owned(), "1".to_owned());
    let mut rates = Rates::none();
    for (code, rate) in config.rates.iter().chain([(&base.0, &base.1)]) {
        let currency =
            Currency::parse(code).map_err(|error| no_rate(format!("rates.{code}: {error}")))?;
        rates = rates
            .with(currency, rate)
            .ok_or_else(|| no_rate(format!("rates.{code} = {rate}: no rate")))?;
    }
    Ok(Jurisdictions {
        profiles: profiles.collect::<Result<_>>()?,
        rates,
    })
}
