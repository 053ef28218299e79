//! Which card numbers of others are ours: what a leak scan asks.

use super::{Vault, check_purpose, deposit::tail_of};
use crate::{By, Error, catalogue};
use paywarden_store::{ValuePlace, VaultFind};

impl Vault {
    /// Whether each of these card numbers, digits only, is kept here, by the keyed index and without
    /// opening any. A leaf that says how many were asked for and how many are known is durable
    /// before anything is given.
    pub async fn recognise(&self, by: &By, cards: &[&str]) -> Result<Vec<bool>, Error> {
        check_purpose(by)?;
        let class = catalogue::class("card_number")?;
        let mut known = Vec::with_capacity(cards.len());
        for card in cards {
            let index = self.keys.blind(&by.tenant, class, card);
            let index = index.ok_or(Error::ClassUnknown)?;
            let tail = tail_of(class, card).unwrap_or_default();
            let place = ValuePlace::of_index(&by.tenant, &class.name, (tail, &index));
            let find = VaultFind::Value(&class.name, &place);
            let found = self.reader.find(&by.tenant, find, 1);
            known.push(!found.await?.is_empty());
        }
        let count = known.iter().filter(|known| **known).count();
        let object = format!("{count} of {} card numbers", cards.len());
        let entry = Self::entry(by, "vault.recognise", object, Vec::new());
        self.journal.append(entry).await?;
        Ok(known)
    }
}
