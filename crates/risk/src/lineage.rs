//! Decisions that hold data of a person, and which: where what a payment brought went.

use crate::{Engine, Error};
use paywarden_domain::{Card, DecisionId, Event, PaymentId, TenantId, Timestamp, event::Party};
use paywarden_store::{DecisionFilter, DecisionRow};
use serde::Serialize;
use utoipa::ToSchema;

/// Decisions that one page looks through: a page of a quiet person may be empty and have a next one.
const LOOKS_MAX: usize = 5_000;
/// Decisions of one page.
const HOLDINGS_MAX: usize = 50;
/// Decisions that are read at a time.
const ROWS: u32 = 200;

/// What somebody is in a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentPart)]
pub enum Part {
    /// Who pays, or whose card it is.
    Payer,
    /// Who is paid.
    Payee,
}

/// A decision that holds data of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Number of its event.
    pub event_no: i64,
    /// Its identifier.
    pub decision: DecisionId,
    /// The payment, by the caller's identifier.
    pub payment_id: PaymentId,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// What the person is in it.
    pub part: Part,
    /// Which data it holds, sealed; of a card its index, issuer and last four digits alone.
    pub fields: Vec<&'static str>,
}

/// A page of them, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingPage {
    /// The decisions, at most 50.
    pub holdings: Vec<Holding>,
    /// Give this as `before` to read on; none at the end.
    pub next: Option<i64>,
}

impl Engine {
    /// Decisions before a number that hold data of somebody, newest first; `is_theirs` says of a
    /// caller's identifier, or of the index of a card, whether it is theirs. It looks through at most
    /// 5,000.
    pub async fn holdings(
        &self,
        tenant: &TenantId,
        is_theirs: impl Fn(&str) -> bool,
        before: Option<i64>,
    ) -> Result<HoldingPage, Error> {
        let mut page = HoldingPage {
            holdings: Vec::new(),
            next: before,
        };
        for _ in 0..LOOKS_MAX / ROWS as usize {
            let filter = DecisionFilter {
                before: page.next,
                ..DecisionFilter::default()
            };
            let found = self.database.decisions_page(tenant, &filter, ROWS).await?;
            for row in &found.rows {
                page.next = Some(row.event_no);
                page.holdings.extend(self.holding(row, &is_theirs)?);
                if page.holdings.len() == HOLDINGS_MAX {
                    return Ok(page);
                }
            }
            page.next = found.next;
            if page.next.is_none() {
                break;
            }
        }
        Ok(page)
    }

    fn holding(
        &self,
        row: &DecisionRow,
        is_theirs: &impl Fn(&str) -> bool,
    ) -> Result<Option<Holding>, Error> {
        let event = self.recorder.event(row)?;
        let is_party = |party: &Option<Party>| {
            let id = party.as_ref().and_then(|party| party.id.as_ref());
            id.is_some_and(|id| is_theirs(id.as_str()))
        };
        // The card of a payment that names nobody stands for its holder.
        let is_card = || {
            let nobody = event.payer.as_ref().is_none_or(|payer| payer.id.is_none());
            let card = event.card.as_ref().filter(|_| nobody);
            card.is_some_and(|card| is_theirs(card.index.as_str()))
        };
        let (part, fields) = match () {
            () if is_party(&event.payer) || is_card() => (Part::Payer, of_payer(&event)),
            () if is_party(&event.payee) => (Part::Payee, of_party(event.payee.as_ref())),
            () => return Ok(None),
        };
        Ok(Some(Holding {
            event_no: row.event_no,
            decision: row.id.clone(),
            payment_id: row.payment_id.clone(),
            decided_at: row.decided_at,
            part,
            fields,
        }))
    }
}

/// Which data of a party is there, by the classes of the vault where it has one.
fn of_party(party: Option<&Party>) -> Vec<&'static str> {
    let Some(party) = party else {
        return Vec::new();
    };
    named([
        ("customer_id", party.id.is_some()),
        ("name", party.name.is_some()),
        ("email", party.email.is_some()),
        ("phone", party.phone.is_some()),
        ("bank_account", party.account.is_some()),
        ("birth_date", party.birth_date.is_some()),
        ("country", party.country.is_some()),
    ])
}

/// The same of the payer, whose device and addresses the payment names too.
fn of_payer(event: &Event<Card>) -> Vec<&'static str> {
    let mut fields = of_party(event.payer.as_ref());
    let has_address = event.billing.is_some() || event.shipping.is_some();
    fields.extend(named([
        ("card_number", event.card.is_some()),
        ("account", event.account.is_some()),
        ("device", event.device.is_some()),
        ("network", event.network.is_some()),
        ("address", has_address),
        ("remittance", event.remittance.is_some()),
        ("attributes", !event.attributes.is_empty()),
    ]));
    fields
}

fn named<const N: usize>(fields: [(&'static str, bool); N]) -> Vec<&'static str> {
    let there = fields.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(name, _)| name).collect()
}
