//! Labels: what payments turned out to be, into the journal and into the windows.

use crate::{Caller, Engine, Error};
use paywarden_access::approval::Who;
use paywarden_domain::{DecisionId, Label, LabelVerdict, PaymentId, TenantId, Timestamp};
use paywarden_store::{Appended, DecisionRow, Entry, LabelRow, Row};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// Labels of one payment take turns, so that windows see them in the order of the journal.
const TURNS: usize = 64;

/// What became of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelReceipt {
    /// Position among all labels.
    pub seq: i64,
    /// The decision that it speaks of.
    pub decision: DecisionId,
    /// Whether the payment is recent enough for windows to see the label.
    pub in_windows: bool,
}

/// What became of a label that may have been said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled {
    /// Position among all labels, of this one or of the same before.
    pub seq: i64,
    /// Whether nobody had said so before.
    pub is_new: bool,
    /// What the newest other label says, if that is the opposite.
    pub contradicts: Option<LabelVerdict>,
}

/// What else stands in the entry of a label.
#[derive(Debug, Clone)]
pub struct Beside {
    /// What the trail calls it.
    pub action: &'static str,
    /// Why.
    pub purpose: &'static str,
    /// Further rows.
    pub rows: Vec<Row>,
}

/// A label and nothing else.
const LABEL: Beside = Beside {
    action: "label.create",
    purpose: "payment label",
    rows: Vec::new(),
};

fn event_of(decided: &DecisionRow) -> u64 {
    u64::try_from(decided.event_no).unwrap_or(0)
}

impl Engine {
    /// Records a label and lets the windows see it. `known_at` is when it became known, now if
    /// none. Error: [`Error::PaymentUnknown`] before the payment itself.
    pub async fn label(
        &self,
        caller: &Caller,
        label: Label,
        known_at: Option<Timestamp>,
    ) -> Result<LabelReceipt, Error> {
        self.label_by(&caller.who(), label, known_at).await
    }

    /// The same by whoever acts.
    pub async fn label_by(
        &self,
        who: &Who,
        label: Label,
        known_at: Option<Timestamp>,
    ) -> Result<LabelReceipt, Error> {
        self.label_beside(who, label, known_at, LABEL).await
    }

    /// The same as a part of something else, whose rows are written in the same entry. A row that
    /// contradicts what is stored is [`Error::Conflict`], and there is no label either.
    pub async fn label_beside(
        &self,
        who: &Who,
        label: Label,
        known_at: Option<Timestamp>,
        beside: Beside,
    ) -> Result<LabelReceipt, Error> {
        let decided = self.decided(who, &label).await?;
        let _turn = self.labels.turn(event_of(&decided)).lock().await;
        self.write_label(who, (label, &decided), known_at, beside)
            .await
    }

    /// Records a label unless the same was said before: the same verdict of the same source, of the
    /// same moment. Error: [`Error::PaymentUnknown`].
    pub async fn label_once(
        &self,
        who: &Who,
        label: Label,
        known_at: Option<Timestamp>,
    ) -> Result<Labelled, Error> {
        let decided = self.decided(who, &label).await?;
        let _turn = self.labels.turn(event_of(&decided)).lock().await;
        let before = self.labels(&who.tenant, &label.payment_id).await?;
        let is_same = |row: &&LabelRow| {
            (row.verdict, row.source, row.occurred_at)
                == (label.verdict, label.source, label.occurred_at)
        };
        let known = before.iter().find(is_same).map(|row| row.seq);
        let other = before.iter().find(|row| Some(row.seq) != known);
        let contradicts = other
            .map(|row| row.verdict)
            .filter(|verdict| verdict.is_fraud() != label.verdict.is_fraud());
        let (seq, is_new) = match known {
            Some(seq) => (seq, false),
            None => {
                let written = self.write_label(who, (label, &decided), known_at, LABEL);
                (written.await?.seq, true)
            }
        };
        Ok(Labelled {
            seq,
            is_new,
            contradicts,
        })
    }

    async fn decided(&self, who: &Who, label: &Label) -> Result<DecisionRow, Error> {
        let decided = self
            .database
            .decision_of_payment(&who.tenant, &label.payment_id);
        decided.await?.ok_or(Error::PaymentUnknown)
    }

    /// Labels of the payment have their turn.
    async fn write_label(
        &self,
        who: &Who,
        (label, decided): (Label, &DecisionRow),
        known_at: Option<Timestamp>,
        beside: Beside,
    ) -> Result<LabelReceipt, Error> {
        let event_no = event_of(decided);
        let _under_way = self.labels.begin();
        let row = Row::Label(LabelRow {
            seq: 0,
            tenant: who.tenant.clone(),
            payment_id: label.payment_id,
            event_no: Some(decided.event_no),
            verdict: label.verdict,
            source: label.source,
            occurred_at: label.occurred_at,
            known_at: known_at.unwrap_or_else(|| self.clock.now()),
        });
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: beside.purpose.into(),
            action: beside.action,
            object: decided.id.to_string(),
            rows: [vec![row], beside.rows].concat(),
        };
        let appended = self.journal.append(entry).await?;
        let Appended::Written {
            label_seq: Some(seq),
            ..
        } = appended
        else {
            return Err(Error::RecordDamaged("a label got no number".to_owned()));
        };
        let in_windows = self.features.label(event_no, label.verdict);
        self.recent.label(&who.tenant, event_no, label.verdict);
        self.labels
            .applied
            .fetch_max(u64::try_from(seq).unwrap_or(0), Ordering::SeqCst);
        Ok(LabelReceipt {
            seq,
            decision: decided.id.clone(),
            in_windows,
        })
    }

    /// The labels of a payment, newest first.
    pub async fn labels(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Vec<LabelRow>, Error> {
        Ok(self.database.labels_of_payment(tenant, payment).await?)
    }
}

/// How far labels are in the windows.
pub(crate) struct LabelProgress {
    turns: [Mutex<()>; TURNS],
    under_way: AtomicUsize,
    applied: AtomicU64,
    settled: AtomicU64,
}

impl Default for LabelProgress {
    fn default() -> Self {
        Self {
            turns: [const { Mutex::const_new(()) }; TURNS],
            under_way: AtomicUsize::new(0),
            applied: AtomicU64::new(0),
            settled: AtomicU64::new(0),
        }
    }
}

impl LabelProgress {
    /// Every label up to this one is in the windows.
    pub(crate) fn start_at(&self, seq: u64) {
        self.applied.store(seq, Ordering::SeqCst);
        self.settled.store(seq, Ordering::SeqCst);
    }

    /// A label number up to which every label is certainly in the windows. `applied` is read
    /// before `under_way`: a lower label that is still on its way is then seen as under way.
    pub(crate) fn settled(&self) -> u64 {
        let applied = self.applied.load(Ordering::SeqCst);
        if self.under_way.load(Ordering::SeqCst) == 0 {
            self.settled.fetch_max(applied, Ordering::SeqCst);
        }
        self.settled.load(Ordering::SeqCst)
    }

    fn turn(&self, event_no: u64) -> &Mutex<()> {
        &self.turns[(event_no % TURNS as u64) as usize]
    }

    fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(self)
    }
}

struct UnderWay<'a>(&'a LabelProgress);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}
