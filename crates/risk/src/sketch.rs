//! What somebody needs to recognise a payment by, and what its payee goes by on lists.

use crate::{Engine, Error, identify};
use paywarden_domain::{Card, DecisionId, Event, Money, PaymentId, TenantId, Timestamp};
use paywarden_features::EntityKind;

/// A payment in a few words. Names are whole: whoever shows them masks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// The decision on it.
    pub decision: DecisionId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// How much.
    pub amount: Option<Money>,
    /// The name of the merchant, or of a company that was paid.
    pub merchant: Option<String>,
    /// The name of a person who was paid.
    pub payee: Option<String>,
    /// The last four digits of the card.
    pub card: Option<String>,
    /// What the payee is listed as: the account, or else the identifier.
    pub payee_key: Option<String>,
}

impl Engine {
    /// What a payment was, by the caller's identifier.
    pub async fn sketch(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Option<Sketch>, Error> {
        let row = self.database.decision_of_payment(tenant, payment).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let event = self.recorder.event(&row)?;
        Ok(Some(Sketch::of(&event, row.id)))
    }
}

impl Sketch {
    fn of(event: &Event<Card>, decision: DecisionId) -> Self {
        let text = |text: &paywarden_domain::event::Text| text.as_str().to_owned();
        let merchant = event.merchant.as_ref().and_then(|one| one.name.as_ref());
        let payee = event.payee.as_ref();
        let is_company = payee.and_then(|payee| payee.is_company) == Some(true);
        let payee = payee.and_then(|payee| payee.name.as_ref()).map(text);
        let (company, person) = match is_company {
            true => (payee, None),
            false => (None, payee),
        };
        let card = event.card.as_ref();
        let payee_key = identify::key(EntityKind::Payee, event);
        Self {
            decision,
            occurred_at: event.occurred_at,
            amount: event.amount,
            merchant: merchant.map(text).or(company),
            payee: person,
            card: card.and_then(|card| card.last_four.as_ref()).map(text),
            payee_key: payee_key.map(std::borrow::Cow::into_owned),
        }
    }
}
