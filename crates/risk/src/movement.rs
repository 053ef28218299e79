//! Money that moved on a day, as those see it who have to report large values.

use crate::{Engine, Error, record};
use paywarden_domain::{
    Card, Event, EventKind, Outcome, PaymentId, TenantId, Timestamp,
    event::{AttributeValue, Channel as Way},
    time::DAY,
};
use paywarden_features::EntityKind;
use paywarden_filings::{
    Day, Movement, Profile, large::MOVEMENTS_MAX, profile::PersonKind, report::Channel,
};
use paywarden_store::DecisionFilter;

const PAGE: u32 = 200;
/// Payments in which money moves.
const KINDS: [EventKind; 5] = [
    EventKind::PaymentCard,
    EventKind::PaymentTransfer,
    EventKind::PaymentWallet,
    EventKind::Payout,
    EventKind::Topup,
];
/// The attribute that says of a payment that it is in notes and coins.
const CASH: &str = "cash";

impl Engine {
    /// How long after it happened a payment may be told of, in microseconds. Where any time is
    /// believed, which is for history alone, a day.
    pub fn told_late_max(&self) -> i64 {
        self.config.event_age_max.unwrap_or(DAY)
    }

    /// What payers of a company moved on a day at the place of a profile: every payment that was not
    /// declined, by the customer's pseudonym; of a top-up the payer gets it, of all others they give
    /// it. A payment whose payer is not named is left out. Whoever is not said to be a company is a
    /// natural person, and what is not known to cross a border does not.
    ///
    /// Errors: [`Error::HistoryTooLong`] beyond a million movements, [`Error::RecordDamaged`].
    pub async fn movements(
        &self,
        tenant: &TenantId,
        profile: &Profile,
        day: Day,
    ) -> Result<Vec<Movement>, Error> {
        let mut filter = self.decided_about(profile, day);
        let mut movements = Vec::new();
        loop {
            let found = self.database.decisions_page(tenant, &filter, PAGE).await?;
            for row in &found.rows {
                let is_declined = record::decision(row)?.outcome == Outcome::Decline;
                let is_of_day = Day::of(row.occurred_at, profile.utc_offset_hours) == day;
                if is_declined || !is_of_day {
                    continue;
                }
                movements.extend(self.movement(tenant, &self.recorder.event(row)?));
            }
            if movements.len() > MOVEMENTS_MAX {
                return Err(Error::HistoryTooLong("a million movements in a day"));
            }
            if found.next.is_none() {
                return Ok(movements);
            }
            filter.before = found.next;
        }
    }

    /// The event of a decided payment. Error: [`Error::PaymentUnknown`].
    pub async fn event_of(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Event<Card>, Error> {
        let row = self.database.decision_of_payment(tenant, payment).await?;
        self.recorder.event(&row.ok_or(Error::PaymentUnknown)?)
    }

    /// What was decided when payments of a day may be told of.
    fn decided_about(&self, profile: &Profile, day: Day) -> DecisionFilter {
        let start = day.after(-1).end(profile.utc_offset_hours).micros();
        let end = day.end(profile.utc_offset_hours).micros();
        let late = |max: i64| Timestamp::from_micros(end.saturating_add(max));
        DecisionFilter {
            kinds: KINDS.to_vec(),
            // The clock of whoever told of it may have been ahead.
            from: Some(Timestamp::from_micros(
                start.saturating_sub(self.config.event_ahead_max),
            )),
            to: self.config.event_age_max.map(late),
            ..DecisionFilter::default()
        }
    }

    fn movement(&self, tenant: &TenantId, event: &Event<Card>) -> Option<Movement> {
        let payer = event.payer.as_ref()?;
        let hash = self
            .hasher
            .hash(tenant, EntityKind::Customer, payer.id.as_ref()?);
        let payee = event.payee.as_ref().and_then(|payee| payee.country);
        let countries = payer.country.zip(payee);
        Some(Movement {
            id: event.id.as_str().to_owned(),
            party: format!("customer:{hash:016x}"),
            person: match payer.is_company {
                Some(true) => PersonKind::Legal,
                _ => PersonKind::Natural,
            },
            channel: channel(event),
            cross_border: countries.is_some_and(|(from, to)| from != to),
            is_incoming: event.kind == EventKind::Topup,
            at: event.occurred_at,
            amount: event.amount?,
        })
    }
}

/// How the money of a payment moves: notes and coins at a machine or a counter, or where the caller
/// says so.
pub fn channel(event: &Event<Card>) -> Channel {
    let is_said = matches!(
        event.attributes.find(CASH),
        Some(AttributeValue::Flag(true))
    );
    let is_handed = matches!(event.channel, Some(Way::Atm | Way::Branch))
        && matches!(event.kind, EventKind::Topup | EventKind::Payout);
    match event.kind {
        _ if is_said || is_handed => Channel::Cash,
        EventKind::PaymentCard => Channel::Card,
        EventKind::PaymentWallet => Channel::Wallet,
        _ => Channel::Transfer,
    }
}
