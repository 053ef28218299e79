//! Which alerts and cases decisions went into.

use crate::{Alert, Cases, Error, desk::Item, opening};
use paywarden_domain::{Engine, TenantId};
use std::collections::{BTreeSet, HashMap};

/// Work that a decision went into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WentInto {
    /// Number of the decision's event.
    pub event_no: i64,
    /// The alert or the case.
    pub item: String,
}

impl Cases {
    /// The alerts and cases of a company that these decisions went into, each pair once, in order.
    pub async fn of_decisions(
        &self,
        tenant: &TenantId,
        numbers: &[i64],
    ) -> Result<Vec<WentInto>, Error> {
        let mut of: HashMap<String, i64> = HashMap::new();
        for number in numbers {
            let hits = Engine::ALL.map(|engine| opening::target(engine, *number));
            let targets = hits.into_iter().chain([case_target(*number)]);
            of.extend(targets.map(|target| (target, *number)));
        }
        let targets: Vec<String> = of.keys().cloned().collect();
        let links = self.database.work_links(tenant, &targets).await?;
        let went = links.into_iter().filter_map(|link| {
            let event_no = *of.get(&link.target)?;
            Some((event_no, link.item))
        });
        let mut went: BTreeSet<(i64, String)> = went.collect();
        let cases = self.cases_of_alerts(tenant, &went).await?;
        went.extend(cases);
        let went = went.into_iter();
        Ok(went
            .map(|(event_no, item)| WentInto { event_no, item })
            .collect())
    }

    /// The cases that the alerts among these were taken up by.
    async fn cases_of_alerts(
        &self,
        tenant: &TenantId,
        went: &BTreeSet<(i64, String)>,
    ) -> Result<Vec<(i64, String)>, Error> {
        let ids: BTreeSet<&String> = went.iter().map(|(_, item)| item).collect();
        let alerts = ids
            .into_iter()
            .filter(|item| item.starts_with(Alert::PREFIX));
        let alerts: Vec<String> = alerts.cloned().collect();
        let places = self.database.work_places(tenant, &alerts).await?;
        let alerts = self.all::<Alert>(&places).await?;
        let case_of = |item: &str| {
            let alert = alerts.iter().find(|alert| alert.id == item)?;
            alert.case.clone()
        };
        let taken_up = went
            .iter()
            .filter_map(|(number, item)| Some((*number, case_of(item)?)));
        Ok(taken_up.collect())
    }
}

/// What a case is linked to by a decision.
pub(crate) fn case_target(event_no: i64) -> String {
    format!("decision:{event_no}")
}
