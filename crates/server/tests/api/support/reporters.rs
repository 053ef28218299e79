//! Who reports large values in tests.

use paywarden_domain::TenantId;
use paywarden_server::reports::{Reporter, Reporters};

/// Who reports for a company that has a country.
pub fn of(jurisdiction: Option<(&str, &str)>) -> Reporters {
    let reporter = serde_json::json!({ "entity": {
        "name": "Acme Payments",
        "address": { "kind": "business", "city": "Shanghai", "country": "CN" },
        "officer": { "first_name": "Mei", "last_name": "Lin" },
    }});
    let company = jurisdiction.map(|(company, _)| TenantId::parse(company).unwrap());
    let reporter: Reporter = serde_json::from_value(reporter).unwrap();
    company
        .into_iter()
        .map(|one| (one, reporter.clone()))
        .collect()
}
