//! Accounts abroad: where families send money home to, and where proceeds leave by the same way.

use crate::population::Population;
use paywarden_domain::{Country, event::Party};

/// Where money is sent home to. Both families and launderers use each of them.
const COUNTRIES: &[&str] = &["MM", "NG", "HT", "VN", "KE", "PH", "LB", "YE"];

/// An account abroad that does not belong to a customer.
pub(super) fn party(people: &Population, key: u64) -> Party {
    let mut party = people.outsider(key, false);
    let place = usize::try_from(key).unwrap_or(0) % COUNTRIES.len();
    party.country = COUNTRIES
        .get(place)
        .and_then(|code| Country::parse(code).ok());
    party
}
