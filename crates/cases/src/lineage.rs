//! Which alerts and cases decisions went into.

use crate::{Cases, Error, opening};
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
        let went: BTreeSet<(i64, String)> = went.collect();
        let each = went.into_iter();
        Ok(each.map(|(event_no, item)| WentInto { event_no, item }).collect())
    }
}

/// What a case is linked to by a decision.
pub(crate) fn case_target(event_no: i64) -> String {
    format!("decision:{event_no}")
}
