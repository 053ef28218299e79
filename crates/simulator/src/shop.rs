//! Merchants, their categories and their terminals.

use crate::{place::Place, rng::Rng, word};

/// A merchant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop {
    pub number: u32,
    category: u8,
    pub place: u8,
    pub terminals: u8,
    /// For how many days it had been known when the traffic begins.
    pub known_days: u16,
    /// How expensive it is within its category.
    level: f32,
}

/// What kind of merchant, and what people spend there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Category {
    pub name: &'static str,
    /// Merchant category code (ISO 18245).
    pub mcc: &'static str,
    /// Median amount in US cents.
    pub median: f64,
    /// Deviation of the logarithm of the amount.
    deviation: f64,
    pub reach: Reach,
    /// How many of a thousand merchants.
    share: u16,
}

/// How customers reach a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Street,
    Web,
    Machine,
}

impl Shop {
    /// A merchant of a random place and category, unless it is one of the first.
    pub fn new(rng: &mut Rng, number: u32, places: &[Place]) -> Self {
        let by_place: Vec<u16> = places.iter().map(|place| place.share).collect();
        let by_category: Vec<u16> = CATEGORIES.iter().map(|category| category.share).collect();
        // The first merchants are one of each category, then a grocery and a cash machine in each
        // place, so that nobody finds a street empty however small the population.
        let number_of_place = (number as usize).checked_sub(CATEGORIES.len());
        let (category, place) = match number_of_place {
            None => (number as usize, rng.weighted(&by_place)),
            Some(place) if place < places.len() => (0, place),
            Some(place) if place < 2 * places.len() => (CATEGORIES.len() - 1, place - places.len()),
            Some(_) => (rng.weighted(&by_category), rng.weighted(&by_place)),
        };
        Self {
            number,
            category: category as u8,
            place: place as u8,
            terminals: rng.between(1, 6) as u8,
            known_days: if rng.chance(0.03) {
                rng.between(1, 30)
            } else {
                rng.between(30, 3_000)
            } as u16,
            level: rng.log_normal(1.0, 0.35) as f32,
        }
    }

    /// Its category.
    pub fn category(&self) -> &'static Category {
        CATEGORIES
            .get(usize::from(self.category))
            .unwrap_or(&GROCERY)
    }

    /// What a customer pays here who spends `spend` times as much as others, in US cents.
    pub fn amount(&self, rng: &mut Rng, spend: f32) -> i64 {
        let category = self.category();
        let median = category.median * f64::from(self.level) * f64::from(spend);
        let cents = rng.cents(median, category.deviation);
        price(rng, cents)
    }

    /// Its trading name.
    pub fn name(&self) -> String {
        let (first, branch) = (self.number as usize % 24, self.number / 24);
        let first = word::SHOP.get(first).copied().unwrap_or_default();
        format!(
            "{first} {} {branch}",
            self.category().name.replace('_', " ")
        )
    }
}

/// An amount as price tags write it: many end in 99, many are round.
pub(crate) fn price(rng: &mut Rng, cents: i64) -> i64 {
    match rng.below(10) {
        0..=2 => cents / 100 * 100 + 99,
        3..=4 => (cents / 100).max(1) * 100,
        5 => cents / 100 * 100 + 50,
        _ => cents,
    }
}

const GROCERY: Category = category("grocery", "5411", 3_200.0, 0.7, Reach::Street, 170);

const fn category(
    name: &'static str,
    mcc: &'static str,
    median: f64,
    deviation: f64,
    reach: Reach,
    share: u16,
) -> Category {
    Category {
        name,
        mcc,
        median,
        deviation,
        reach,
        share,
    }
}

/// Every category. The order is part of what a seed means.
const CATEGORIES: [Category; 28] = [
    GROCERY,
    category("restaurant", "5812", 2_800.0, 0.6, Reach::Street, 120),
    category("fast_food", "5814", 1_100.0, 0.45, Reach::Street, 80),
    category("fuel", "5541", 4_200.0, 0.4, Reach::Street, 50),
    category("transit", "4111", 320.0, 0.5, Reach::Street, 20),
    category("taxi", "4121", 1_800.0, 0.5, Reach::Street, 30),
    category("pharmacy", "5912", 2_100.0, 0.7, Reach::Street, 50),
    category("clothing", "5651", 6_200.0, 0.7, Reach::Street, 60),
    category("department_store", "5311", 5_200.0, 0.8, Reach::Street, 40),
    category("furniture", "5712", 18_000.0, 0.9, Reach::Street, 20),
    category("jewellery", "5944", 24_000.0, 0.9, Reach::Street, 10),
    category("hotel", "7011", 19_000.0, 0.6, Reach::Street, 20),
    category("health", "8099", 9_000.0, 0.8, Reach::Street, 30),
    category("cinema", "7832", 1_600.0, 0.5, Reach::Street, 20),
    category("electronics", "5732", 14_000.0, 0.9, Reach::Web, 40),
    category("web_fashion", "5691", 5_500.0, 0.7, Reach::Web, 50),
    category("books", "5942", 2_200.0, 0.6, Reach::Web, 20),
    category("games", "5816", 900.0, 0.7, Reach::Web, 30),
    category("software", "5734", 2_900.0, 0.6, Reach::Web, 20),
    category("travel_agency", "4722", 42_000.0, 0.7, Reach::Web, 15),
    category("airline", "4511", 28_000.0, 0.6, Reach::Web, 15),
    category("gift_card", "5947", 5_000.0, 0.5, Reach::Web, 10),
    category("charity", "8398", 2_500.0, 0.8, Reach::Web, 15),
    category("telecom", "4814", 3_500.0, 0.4, Reach::Web, 15),
    category("advertising", "7311", 3_000.0, 0.9, Reach::Web, 10),
    category("gambling", "7995", 2_500.0, 0.9, Reach::Web, 8),
    category("crypto_exchange", "6051", 12_000.0, 1.0, Reach::Web, 7),
    category("cash_machine", "6011", 10_000.0, 0.5, Reach::Machine, 25),
];
