//! Card numbers become keyed indexes: equal numbers of one tenant stay comparable, nobody without
//! the master key can tell which number it was (PCI DSS 4.0.1, 3.5.1.1).

use paywarden_crypto::{Error, Keyring, keyring::PreparedIndex};
use paywarden_domain::{
    Card, CardInput, Event, Invalid, Pan, TenantId,
    event::{CardDetails, Text},
};
use std::fmt::Write;

const PREFIX: &str = "card_";
/// Bytes of the keyed index that are kept: 128 bits, so that no two of 10^12 cards collide.
const INDEX_BYTES: usize = 16;

/// Turns card numbers into indexes. It keeps no number: the index cannot be turned back.
pub struct Vault {
    index: PreparedIndex,
}

impl Vault {
    /// The vault of this keyring. Indexes are the same at every start with the same keyring.
    pub fn new(keyring: &Keyring) -> Result<Self, Error> {
        Ok(Self {
            index: keyring.index_for("card number")?,
        })
    }

    /// The same event without the clear number. A card carries either a number or the index that
    /// an earlier reply gave for it; the number wins where both are given. The card verification
    /// code was dropped by the parser and never comes here.
    pub fn tokenize(
        &self,
        tenant: &TenantId,
        event: Event<CardInput>,
    ) -> Result<Event<Card>, Invalid> {
        event.map_card(|card| {
            let details = card.details.unwrap_or_default();
            match (card.number, card.index) {
                (Some(number), _) => self.card(tenant, &number, details),
                (None, Some(index)) => known_card(index, details),
                (None, None) => Err(Invalid::new(
                    "card_number_missing",
                    "a card has a `number` or the `index` of an earlier reply",
                )),
            }
        })
    }

    /// The index of a card number: `card_` and 32 hexadecimal digits, different in each tenant.
    pub fn card_index(&self, tenant: &TenantId, number: &Pan) -> String {
        let index = self.index.of(tenant.as_str(), number.digits().as_bytes());
        let mut text = String::with_capacity(PREFIX.len() + 2 * INDEX_BYTES);
        text.push_str(PREFIX);
        for byte in index.iter().take(INDEX_BYTES) {
            let _ = write!(text, "{byte:02x}");
        }
        text
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

#[cfg(test)]
mod tests;
