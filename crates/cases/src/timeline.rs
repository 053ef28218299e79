//! Everything that happened around an alert or a case, in its order; and cases that share somebody.

use crate::{Alert, AlertPayment, Case, Cases, Change, Entity, Error, Worker, desk::Item};
use paywarden_domain::{Money, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most payments whose labels are looked up for one timeline.
const PAYMENTS_MAX: usize = 300;
/// The most moments of one timeline; the newest stay.
const MOMENTS_MAX: usize = 2_000;
/// The newest cases of each entity that are looked at.
const RELATED_LOOKS: u32 = 100;
/// The most related cases of one answer.
const RELATED_MAX: usize = 50;

/// What a moment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimelineMomentKind)]
pub enum MomentKind {
    /// A payment was decided.
    Decision,
    /// Somebody said what a payment turned out to be.
    Label,
    /// Something was done with an alert.
    Alert,
    /// Something was done with the case.
    Case,
    /// Somebody wrote a note.
    Note,
    /// Something was asked of a payment.
    Action,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimelineMoment)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: MomentKind,
    /// Which: a payment by the caller's identifier, an alert, the case.
    pub of: String,
    /// What happened.
    pub what: String,
    /// By whom, where somebody acted.
    pub by: Option<String>,
    /// In words.
    pub text: Option<String>,
    /// The amount of a payment.
    pub amount: Option<Money>,
}

/// Everything that happened, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Timeline {
    /// What happened.
    pub moments: Vec<Moment>,
    /// Whether more happened than is told: the oldest is left out.
    pub partial: bool,
}

/// A case that shares somebody with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RelatedCase)]
pub struct Related {
    /// The case.
    pub case: Case,
    /// Whom they share.
    pub shared: Vec<Entity>,
}

impl Cases {
    /// What happened around a case: payments, what they turned out to be, what people did and
    /// wrote.
    pub async fn case_timeline(&self, worker: &Worker, id: &str) -> Result<Timeline, Error> {
        let case: Case = self.seen(worker, id).await?;
        let mut moments = self.changes::<Case>(worker, (id, MomentKind::Case)).await?;
        let mut payments: Vec<AlertPayment> = Vec::new();
        for alert in self.some_alerts(worker, &case.alerts).await? {
            moments.extend(self.around(worker, &alert).await?);
            payments.extend(alert.payments);
        }
        payments.extend(case.payments.into_iter().map(|one| one.payment));
        moments.extend(self.written(worker, id).await?);
        self.told(worker, moments, payments).await
    }

    /// What happened around an alert.
    pub async fn alert_timeline(&self, worker: &Worker, id: &str) -> Result<Timeline, Error> {
        let alert: Alert = self.seen(worker, id).await?;
        let moments = self.around(worker, &alert).await?;
        self.told(worker, moments, alert.payments).await
    }

    /// Cases that share somebody with a case, those that share most first, at most 50. Of an entity
    /// of very many cases the newest 100 are looked at.
    pub async fn related_cases(&self, worker: &Worker, id: &str) -> Result<Vec<Related>, Error> {
        let case: Case = self.seen(worker, id).await?;
        let mut shared: BTreeMap<String, Vec<Entity>> = BTreeMap::new();
        let before = format!("{}~", Case::PREFIX);
        for entity in &case.entities {
            let target = entity.target();
            let tenant = worker.tenant();
            let linked = self
                .database
                .work_linked_to(tenant, &target, &before, RELATED_LOOKS);
            for link in linked.await? {
                if link.item.starts_with(Case::PREFIX) && link.item != id {
                    shared.entry(link.item).or_default().push(entity.clone());
                }
            }
        }
        let ids: Vec<String> = shared.keys().cloned().collect();
        let mut places = self.database.work_places(worker.tenant(), &ids).await?;
        places.retain(|place| worker.sees(&place.queue));
        let count = |id: &str| shared.get(id).map_or(0, Vec::len);
        places.sort_by(|one, other| {
            let counts = count(&other.id).cmp(&count(&one.id));
            counts.then_with(|| other.id.cmp(&one.id))
        });
        places.truncate(RELATED_MAX);
        let cases: Vec<Case> = self.all(&places).await?;
        let related = cases.into_iter().map(|case| Related {
            shared: shared.remove(&case.id).unwrap_or_default(),
            case,
        });
        Ok(related.collect())
    }

    async fn around(&self, worker: &Worker, alert: &Alert) -> Result<Vec<Moment>, Error> {
        let mut moments = self
            .changes::<Alert>(worker, (&alert.id, MomentKind::Alert))
            .await?;
        moments.extend(self.written(worker, &alert.id).await?);
        Ok(moments)
    }

    async fn changes<T: Item>(
        &self,
        worker: &Worker,
        (id, kind): (&str, MomentKind),
    ) -> Result<Vec<Moment>, Error> {
        let versions: Vec<T> = self.versions(worker.tenant(), id).await?;
        let moment = |mut version: T| {
            let Change {
                act,
                by,
                at,
                reason,
            } = version.change().clone();
            Moment {
                at,
                kind,
                of: id.to_owned(),
                what: act,
                by: Some(by),
                text: reason,
                amount: None,
            }
        };
        Ok(versions.into_iter().map(moment).collect())
    }

    /// Notes, and what was asked of payments.
    async fn written(&self, worker: &Worker, id: &str) -> Result<Vec<Moment>, Error> {
        let notes = self.notes_of(worker, id, 0).await?;
        let notes = notes.into_iter().map(|note| Moment {
            at: note.at,
            kind: MomentKind::Note,
            of: id.to_owned(),
            what: "note".to_owned(),
            by: Some(note.by),
            text: Some(note.text),
            amount: None,
        });
        let actions = self.actions_from(worker, id).await?;
        let actions = actions.into_iter().map(|action| Moment {
            at: action.at,
            kind: MomentKind::Action,
            of: action.payment_id.to_string(),
            what: action.action.name().to_owned(),
            by: Some(action.by),
            text: Some(action.reason),
            amount: None,
        });
        Ok(notes.chain(actions).collect())
    }

    /// With the payments and what was said of them.
    async fn told(
        &self,
        worker: &Worker,
        mut moments: Vec<Moment>,
        mut payments: Vec<AlertPayment>,
    ) -> Result<Timeline, Error> {
        payments.sort_by_key(|payment| payment.event_no);
        payments.dedup_by_key(|payment| payment.event_no);
        let unseen = payments.len().saturating_sub(PAYMENTS_MAX);
        for payment in payments.into_iter().skip(unseen) {
            let labels = self
                .database
                .labels_of_payment(worker.tenant(), &payment.payment_id);
            let of = payment.payment_id.to_string();
            moments.extend(labels.await?.into_iter().map(|label| Moment {
                at: label.known_at,
                kind: MomentKind::Label,
                of: of.clone(),
                what: label.verdict.name().to_owned(),
                by: None,
                text: None,
                amount: None,
            }));
            moments.push(Moment {
                at: payment.decided_at,
                kind: MomentKind::Decision,
                of,
                what: "decide".to_owned(),
                by: None,
                text: None,
                amount: payment.amount,
            });
        }
        // What happened at one moment keeps its order.
        moments.sort_by_key(|moment| moment.at);
        let surplus = moments.len().saturating_sub(MOMENTS_MAX);
        moments.drain(..surplus);
        Ok(Timeline {
            moments,
            partial: unseen + surplus > 0,
        })
    }
}
