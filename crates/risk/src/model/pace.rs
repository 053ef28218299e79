//! The threshold of a budget: from the ranks of the last week, set anew once a day.

use super::{
    policy::{self, AlertBudget, Seen},
    stand::Move,
};
use crate::{Engine, Error, release::Trace};
use paywarden_access::approval::Who;
use paywarden_domain::{
    Engine as Judge, TenantId,
    time::{DAY, HOUR},
};
use paywarden_features::FeatureEvent;
use paywarden_store::{Actor, DecisionRow};

/// How far back ranks are read, in microseconds.
const REACH: i64 = 7 * DAY;
/// How many decisions are read at most.
const ROWS_MAX: usize = 500_000;
/// How many decisions are read at a time.
const ROWS: u32 = 1_000;
/// Below so many scored payments there is no pace to go by.
const SCORED_MIN: usize = 200;

impl Engine {
    /// From which rank on a budget alerts, by what the model said of the last week's payments, live
    /// or as a challenger.
    ///
    /// Error: [`Error::ModelUnproven`] if it has scored too few of them.
    pub(super) async fn budget_threshold(
        &self,
        tenant: &TenantId,
        (engine, model): (Judge, &str),
        budget: &AlertBudget,
    ) -> Result<f64, Error> {
        let now = self.clock.now().micros();
        let (mut ranks, mut oldest, mut read) = (Vec::new(), now, 0);
        let mut before = i64::MAX;
        'pages: while read < ROWS_MAX {
            let rows = self.database.decisions_back(tenant, before, ROWS).await?;
            let Some(last) = rows.last() else { break };
            (before, read) = (last.event_no, read + rows.len());
            for row in &rows {
                if row.decided_at.micros() < now - REACH {
                    break 'pages;
                }
                if let Some(seen) = seen(row, (engine, model))? {
                    oldest = oldest.min(row.decided_at.micros());
                    ranks.extend(budget.ranked_by.of(seen));
                }
            }
        }
        if ranks.len() < SCORED_MIN {
            return Err(Error::ModelUnproven(format!(
                "it has scored {} payments of the last week and needs {SCORED_MIN} to know what a \
                 day brings: ask it beside first",
                ranks.len()
            )));
        }
        let days = (now - oldest).max(HOUR) as f64 / DAY as f64;
        let alerts = (f64::from(budget.alerts) * days) as usize;
        Ok(policy::threshold(ranks, alerts))
    }

    /// Sets the thresholds of budgets anew that are a day old, and writes down what has drifted in a
    /// day, of all tenants. Call it now and then.
    pub async fn tend_models(&self) -> Result<(), Error> {
        self.note_drift().await?;
        self.set_thresholds().await
    }

    async fn set_thresholds(&self) -> Result<(), Error> {
        let now = self.clock.now().micros();
        for (tenant, stand) in self.models.stands() {
            let due = Judge::ALL.into_iter().filter_map(|engine| {
                let live = stand.live(engine)?;
                let set = live.threshold_at?.micros();
                (now - set >= DAY).then_some((live.policy.budget().copied()?, live.clone()))
            });
            for (budget, live) in due.collect::<Vec<_>>() {
                let place = (live.engine, live.model.as_str());
                match self.budget_threshold(&tenant, place, &budget).await {
                    Ok(threshold) => {
                        let who = Who {
                            tenant: tenant.clone(),
                            actor: Actor::System("models"),
                        };
                        let step = Move::Tune(live.engine, live.model.clone(), threshold);
                        self.take_in_turn(&who, step, "the budget of alerts")
                            .await?;
                    }
                    Err(Error::ModelUnproven(why)) => {
                        tracing::info!(%tenant, model = live.model, why, "threshold kept");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// What a model saw of a decided payment; none if it was not asked.
fn seen(row: &DecisionRow, place: (Judge, &str)) -> Result<Option<Seen>, Error> {
    let Some(trace) = &row.trace else {
        return Ok(None);
    };
    let trace = Trace::decode(trace)?;
    let mut marks = trace.models.iter().flat_map(|reading| &reading.marks);
    let Some(mark) = marks.find(|mark| (mark.engine, mark.model.as_str()) == place) else {
        return Ok(None);
    };
    let event = FeatureEvent::decode(&row.feature);
    let event = event.map_err(|error| Error::RecordDamaged(error.to_string()))?;
    Ok(Some(Seen {
        raw: mark.raw,
        chance: mark.chance,
        amount: event.amount,
    }))
}
