//! The way of a payment through the vault: its card number becomes an index, and what seals it
//! goes into the journal entry of the decision.

use super::{Item, Known, Retention, Vault, deposit::Sealed};
use crate::{Error, Plain, policy::Ground, scan, token::Form};
use paywarden_domain::{
    Card, CardInput, Event, Invalid, Pan, TenantId,
    event::{CardDetails, Text},
};
use paywarden_store::Row;
use std::fmt::Write;
use tokio::sync::OwnedRwLockReadGuard;

const PREFIX: &str = "card_";
/// Bytes of the keyed index that are kept: 128 bits, so that no two of 10^12 cards collide.
const INDEX_BYTES: usize = 16;

/// What seals the card of a payment: rows for the journal entry of its decision.
///
/// While it is held the person is not erased; hand it to [`Vault::kept`] once the entry is
/// durable, else drop it.
#[derive(Default)]
pub struct Deposit {
    rows: Vec<Row>,
    sealed: Sealed,
    remembered: Option<(u128, Known)>,
    ground: Option<Ground>,
    _gates: Vec<OwnedRwLockReadGuard<()>>,
}

impl Deposit {
    /// Nothing to keep.
    fn on(ground: Ground) -> Self {
        Self {
            ground: Some(ground),
            ..Self::default()
        }
    }

    /// The rows, once.
    pub fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    /// On what ground the payment is decided, as the leaf of its decision says it.
    pub fn ground(&self) -> Option<String> {
        self.ground.as_ref().map(Ground::to_string)
    }
}

impl Vault {
    /// The same event without the clear number, and what seals it. A card carries either a number
    /// or the index that an earlier reply gave for it; the number wins where both are given. The
    /// card verification code was dropped by the parser and never comes here.
    ///
    /// The number is kept for the payer, or, if nobody is named, for the card itself. It asks the
    /// store for nothing. An event that names itself by a card number is refused: identifiers are
    /// kept and shown as they are.
    pub async fn take_card(
        &self,
        tenant: &TenantId,
        event: Event<CardInput>,
    ) -> Result<(Event<Card>, Deposit), Refusal> {
        check_identifiers(&event)?;
        let payer = event.payer.as_ref().and_then(|payer| payer.id.as_ref());
        let payer = payer.map(|id| id.as_str().to_owned());
        let mut number = None;
        let event = event.map_card(|card| {
            let details = card.details.unwrap_or_default();
            match (card.number, card.index) {
                (Some(pan), _) => {
                    let shown = self.card(tenant, &pan, details);
                    number = Some(pan);
                    shown
                }
                (None, Some(index)) => known_card(index, details),
                (None, None) => Err(Invalid::new(
                    "card_number_missing",
                    "a card has a `number` or the `index` of an earlier reply",
                )),
            }
        })?;
        let Some(pan) = number else {
            let card = event
                .card
                .as_ref()
                .map(|card| card.index.as_str().to_owned());
            let ground = self.ground(tenant, payer.or(card)).await?;
            return Ok((event, Deposit::on(ground)));
        };
        let subject = payer.unwrap_or_else(|| self.card_index(tenant, &pan));
        Ok((event, self.deposit(tenant, subject, &pan).await?))
    }

    /// Remembers what was sealed, now that it is durable.
    pub fn kept(&self, deposit: Deposit) {
        if let Some((name, known)) = deposit.remembered {
            let until_us = self.clock.monotonic_us() + super::KNOWN_LIFE_US;
            self.known.put(name, known, until_us);
        }
        self.remember_keys(deposit.sealed);
    }

    /// The index of a card number: `card_` and 32 hexadecimal digits, different in each tenant.
    pub fn card_index(&self, tenant: &TenantId, number: &Pan) -> String {
        let index = self.keys.card(tenant, number.digits());
        let mut text = String::with_capacity(PREFIX.len() + 2 * INDEX_BYTES);
        text.push_str(PREFIX);
        for byte in index.iter().take(INDEX_BYTES) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    async fn deposit(
        &self,
        tenant: &TenantId,
        subject: String,
        pan: &Pan,
    ) -> Result<Deposit, Error> {
        let item = Item {
            subject,
            class: "card_number".to_owned(),
            value: Plain::from(pan.digits().to_owned()),
            details: None,
            retention: Retention::Evidence,
            form: Form::Opaque,
            once: false,
            ttl_seconds: None,
            caller: None,
            purpose: None,
        };
        let now = self.clock.now();
        let prepared = self.prepare(tenant, &item, now)?;
        let gates = self.enter(std::iter::once(prepared.subject.as_str())).await;
        let ground = self
            .may_decide(tenant, Some(&prepared.subject), now)
            .await?;
        if self.remembered(&prepared).is_some() {
            return Ok(Deposit::on(ground));
        }
        let mut sealed = Sealed::default();
        let token = self.seal(&prepared, now, &mut sealed)?;
        Ok(Deposit {
            rows: std::mem::take(&mut sealed.rows),
            sealed,
            remembered: prepared
                .remembered()
                .map(|name| (name, Known::new(&prepared.subject, &token))),
            ground: Some(ground),
            _gates: gates,
        })
    }

    /// On what ground a payment is decided that brings no number.
    async fn ground(&self, tenant: &TenantId, person: Option<String>) -> Result<Ground, Error> {
        let subject = person.map(|person| self.pseudonym(tenant, &person));
        self.may_decide(tenant, subject.as_deref(), self.clock.now())
            .await
    }

    fn card(&self, tenant: &TenantId, number: &Pan, details: CardDetails) -> Result<Card, Invalid> {
        Ok(Card {
            index: Text::parse(&self.card_index(tenant, number))?,
            bin: Some(Text::parse(number.bin())?),
            last_four: Some(Text::parse(number.last_four())?),
            details,
        })
    }
}

/// Why a payment's card was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The caller must mend the card.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller must take another identifier in this field of the event.
    #[error("{0} is a card number")]
    Identifier(&'static str),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] Error),
}

fn check_identifiers<C>(event: &Event<C>) -> Result<(), Refusal> {
    let identifiers = [
        ("id", Some(&event.id)),
        ("original_id", event.original_id.as_ref()),
    ];
    let mut cards = identifiers
        .into_iter()
        .filter(|(_, id)| id.is_some_and(|id| scan::is_card_number(id.as_str())));
    cards
        .next()
        .map_or(Ok(()), |(field, _)| Err(Refusal::Identifier(field)))
}

fn known_card(index: Text, details: CardDetails) -> Result<Card, Invalid> {
    if !is_card_index(&index) {
        return Err(Invalid::new(
            "card_index_malformed",
            "a card index is `card_` and 32 lower-case hexadecimal digits",
        ));
    }
    Ok(Card {
        index,
        bin: None,
        last_four: None,
        details,
    })
}

/// Whether a text has the shape of a card index.
pub fn is_card_index(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == 2 * INDEX_BYTES
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
