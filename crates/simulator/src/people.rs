//! Customers and what is habitual about each of them.

use crate::{place::Place, rng::Rng, word};

/// What sort of life a customer leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Persona {
    Worker,
    Student,
    Retired,
    Traveller,
    /// Sells to other customers and has money paid out.
    Seller,
    /// A small company.
    Business,
}

impl Persona {
    const ALL: [Self; 6] = [
        Self::Worker,
        Self::Student,
        Self::Retired,
        Self::Traveller,
        Self::Seller,
        Self::Business,
    ];
    /// How many of a hundred customers.
    const SHARES: [u16; 6] = [55, 12, 13, 6, 6, 8];

    /// How much more than others such customers spend, and between which ages they are.
    fn means(self) -> (f64, i64, i64) {
        match self {
            Self::Worker => (1.0, 22, 64),
            Self::Student => (0.55, 18, 26),
            Self::Retired => (0.8, 62, 88),
            Self::Traveller => (1.5, 25, 60),
            Self::Seller => (0.9, 20, 55),
            Self::Business => (2.2, 1, 30),
        }
    }
}

/// A customer. What is not here (devices, addresses, cards) follows from the number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    pub number: u32,
    pub persona: Persona,
    pub place: u8,
    pub given: u8,
    pub family: u8,
    pub age_years: u8,
    /// For how many days known when the traffic begins; 0 for those who will sign up during it.
    pub known_days: u16,
    /// Due-diligence level.
    pub kyc_level: u8,
    pub cards: u8,
    pub devices: u8,
    /// Pays through a virtual private network.
    pub private: bool,
    /// How active compared with others: 1 to 8.
    pub pace: u8,
    /// How much is spent compared with others.
    pub spend: f32,
    /// How much later than others the day begins, in minutes.
    pub late_minutes: i16,
    /// Shops in town, then web shops, in falling order of use.
    pub streets: [u32; 4],
    pub webs: [u32; 4],
    /// Customers whom this one pays.
    pub friends: [u32; 4],
}

impl Customer {
    /// A customer without favourites yet.
    pub fn new(rng: &mut Rng, number: u32, places: &[Place]) -> Self {
        let by_place: Vec<u16> = places.iter().map(|place| place.share).collect();
        let persona = rng.weighted(&Persona::SHARES);
        let persona = Persona::ALL
            .get(persona)
            .copied()
            .unwrap_or(Persona::Worker);
        let (spend, youngest, oldest) = persona.means();
        let newcomer = number > 0 && rng.chance(0.04);
        Self {
            number,
            persona,
            place: rng.weighted(&by_place) as u8,
            given: rng.below(word::GIVEN.len()) as u8,
            family: rng.below(word::FAMILY.len()) as u8,
            age_years: rng.between(youngest, oldest) as u8,
            known_days: if newcomer { 0 } else { known_days(rng) },
            kyc_level: if newcomer {
                1
            } else {
                1 + rng.weighted(&[2, 7, 1]) as u8
            },
            cards: 1 + rng.weighted(&[55, 35, 10]) as u8,
            devices: 1 + rng.weighted(&[50, 35, 15]) as u8,
            private: rng.chance(0.04),
            pace: rng.log_normal(2.4, 0.6).clamp(1.0, 8.0) as u8,
            spend: rng.log_normal(spend, 0.4) as f32,
            late_minutes: rng.between(-120, 180) as i16,
            streets: [0; 4],
            webs: [0; 4],
            friends: [0; 4],
        }
    }

    /// Whether it is a company.
    pub fn is_company(&self) -> bool {
        self.persona == Persona::Business
    }

    /// The name on its account.
    pub fn name(&self) -> String {
        let given = word::GIVEN
            .get(usize::from(self.given))
            .copied()
            .unwrap_or_default();
        let family = word::FAMILY
            .get(usize::from(self.family))
            .copied()
            .unwrap_or_default();
        if self.is_company() {
            format!("{family} & {given} Ltd")
        } else {
            format!("{given} {family}")
        }
    }
}

/// Most customers have been there for years, some for weeks.
fn known_days(rng: &mut Rng) -> u16 {
    rng.log_normal(500.0, 1.2).clamp(2.0, 4_000.0) as u16
}
