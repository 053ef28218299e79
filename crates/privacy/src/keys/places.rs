//! Where new keys go: beside those that were made a moment before.

use super::Owner;
use paywarden_crypto::random;
use paywarden_domain::Timestamp;
use paywarden_store::{KeyPlace, PAGE_KEYS};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Pages that are filled at a time: when more companies and retention classes come, each begins
/// another.
const OPEN_MAX: usize = 4_096;
/// Bits of the number of a page that are random; above them stand the milliseconds since 1970.
const RANDOM_BITS: u32 = 21;

/// The pages that are being filled, one for each company and retention class. None is taken up
/// again by the next process.
#[derive(Default)]
pub(crate) struct Places(Mutex<Open>);

#[derive(Default)]
struct Open {
    pages: HashMap<String, Page>,
    /// The number of the newest page.
    newest: i64,
}

struct Page {
    next: KeyPlace,
    epoch: i64,
}

impl Places {
    /// A place that no key has. A page begins with keys of one epoch.
    pub(crate) fn next(&self, owner: Owner<'_>, (epoch, now): (i64, Timestamp)) -> KeyPlace {
        let name = format!("{}/{}", owner.tenant, owner.retention);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = open.pages.get_mut(&name)
            && page.epoch == epoch
            && page.next.slot < PAGE_KEYS
        {
            let place = page.next;
            page.next.slot += 1;
            return place;
        }
        let place = KeyPlace {
            page: open.number(now),
            slot: 0,
        };
        if open.pages.len() >= OPEN_MAX {
            open.pages.clear();
        }
        let next = KeyPlace { slot: 1, ..place };
        open.pages.insert(name, Page { next, epoch });
        place
    }
}

impl Open {
    /// The number of a new page. They rise with time, so that pages which are filled one after
    /// another lie side by side in the store.
    fn number(&mut self, now: Timestamp) -> i64 {
        let mut low = [0; 4];
        random::fill(&mut low);
        let low = i64::from(u32::from_be_bytes(low) >> (u32::BITS - RANDOM_BITS));
        let number = ((now.micros() / 1_000) << RANDOM_BITS) | low;
        self.newest = number.max(self.newest + 1);
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::TenantId;
    use std::collections::HashSet;

    #[test]
    fn no_place_is_given_twice_and_a_page_is_of_one_owner_and_epoch() {
        let places = Places::default();
        let tenants = ["acme", "other"].map(|name| TenantId::parse(name).unwrap());
        let mut given = HashSet::new();
        let mut owners = HashMap::new();
        for number in 0..2_000_usize {
            let tenant = &tenants[number % 2];
            let retention = ["contract", "evidence"][number / 2 % 2];
            let epoch = 1 + number as i64 / 990;
            let owner = Owner {
                tenant,
                subject: "",
                retention,
            };
            // The clock stands still, and goes back once.
            let now = Timestamp::from_micros(1_800_000_000_000_000 - epoch);
            let place = places.next(owner, (epoch, now));
            assert!(place.page >= 0 && place.slot < PAGE_KEYS && given.insert(place));
            let of = (tenant.clone(), retention, epoch);
            assert_eq!(*owners.entry(place.page).or_insert_with(|| of.clone()), of);
        }
        assert!(owners.len() <= 2_000 / usize::from(PAGE_KEYS) + 8);
    }
}
