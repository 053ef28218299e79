//! The world that traffic comes from: customers with habits, merchants, places.

use crate::{
    identity::Face,
    people::Customer,
    place::{Place, places},
    rng::Rng,
    shop::{Reach, Shop},
};
use paywarden_domain::event::Merchant;

/// The smallest and the greatest number of customers of a population.
pub const POPULATION_SIZES: std::ops::RangeInclusive<usize> = 100..=1_000_000;

/// Customers, merchants and their habits. About 1.3 KB a customer.
#[derive(Debug, Clone)]
pub struct Population {
    pub(crate) seed: u64,
    pub(crate) places: Vec<Place>,
    pub(crate) customers: Vec<Customer>,
    pub(crate) shops: Vec<Shop>,
    pub(crate) faces: Vec<Face>,
    pub(crate) merchants: Vec<Merchant>,
    /// Numbers of the shops and of the cash machines of each place, and of the web shops.
    streets: Vec<Vec<u32>>,
    machines: Vec<Vec<u32>>,
    webs: Vec<u32>,
}

impl Population {
    /// The population of a seed. A size outside [`POPULATION_SIZES`] becomes the nearest within.
    /// There is one merchant for every twelve customers, and at least a hundred.
    pub fn new(seed: u64, size: usize) -> Self {
        let size = size.clamp(*POPULATION_SIZES.start(), *POPULATION_SIZES.end());
        let mut rng = Rng::of(seed, &[1]);
        let places = places();
        let shop_count = (size / 12).max(100) as u32;
        let shops: Vec<Shop> = (0..shop_count)
            .map(|number| Shop::new(&mut rng, number, &places))
            .collect();
        let customers = (0..size as u32)
            .map(|number| Customer::new(&mut rng, number, &places))
            .collect();
        let reached = |reach: Reach| shops.iter().filter(move |s| s.category().reach == reach);
        let by_place = |reach: Reach| {
            let mut numbers = vec![Vec::new(); places.len()];
            for shop in reached(reach) {
                if let Some(local) = numbers.get_mut(usize::from(shop.place)) {
                    local.push(shop.number);
                }
            }
            numbers
        };
        let (streets, machines) = (by_place(Reach::Street), by_place(Reach::Machine));
        let webs = reached(Reach::Web).map(|shop| shop.number).collect();
        let mut population = Self {
            seed,
            places,
            customers,
            shops,
            faces: Vec::new(),
            merchants: Vec::new(),
            streets,
            webs,
            machines,
        };
        population.form_habits(&mut rng);
        population.draw_faces();
        population
    }

    /// A population that fits [`Settings::demo`](crate::Settings::demo): 2,000 customers.
    pub fn demo() -> Self {
        Self::new(7, 2_000)
    }

    /// How many customers there are.
    pub fn size(&self) -> usize {
        self.customers.len()
    }

    /// Any customer.
    pub(crate) fn anyone(&self, rng: &mut Rng) -> Option<&Customer> {
        rng.pick(&self.customers)
    }

    /// Any customer who fits, unless two hundred in a row do not.
    pub(crate) fn someone(
        &self,
        rng: &mut Rng,
        fits: impl Fn(&Customer) -> bool,
    ) -> Option<&Customer> {
        (0..200).find_map(|_| self.anyone(rng).filter(|customer| fits(customer)))
    }

    /// The customer with this number.
    pub(crate) fn customer(&self, number: u32) -> Option<&Customer> {
        self.customers.get(number as usize)
    }

    /// The shop with this number.
    pub(crate) fn shop(&self, number: u32) -> Option<&Shop> {
        self.shops.get(number as usize)
    }

    /// The place with this number.
    pub(crate) fn place(&self, number: u8) -> Option<&Place> {
        self.places.get(usize::from(number))
    }

    /// A shop in a town.
    pub(crate) fn street_shop(&self, rng: &mut Rng, place: u8) -> Option<&Shop> {
        self.local(rng, &self.streets, place)
    }

    /// A shop on the web.
    pub(crate) fn web_shop(&self, rng: &mut Rng) -> Option<&Shop> {
        rng.pick(&self.webs).and_then(|number| self.shop(*number))
    }

    /// A web shop of one of these categories.
    pub(crate) fn web_shop_of(&self, rng: &mut Rng, categories: &[&str]) -> Option<&Shop> {
        (0..100)
            .find_map(|_| {
                self.web_shop(rng)
                    .filter(|s| categories.contains(&s.category().name))
            })
            .or_else(|| self.web_shop(rng))
    }

    /// A cash machine in a town.
    pub(crate) fn machine(&self, rng: &mut Rng, place: u8) -> Option<&Shop> {
        self.local(rng, &self.machines, place)
    }

    fn local(&self, rng: &mut Rng, numbers: &[Vec<u32>], place: u8) -> Option<&Shop> {
        rng.pick(numbers.get(usize::from(place))?)
            .and_then(|number| self.shop(*number))
    }

    fn form_habits(&mut self, rng: &mut Rng) {
        let size = self.customers.len();
        let mut customers = std::mem::take(&mut self.customers);
        for customer in &mut customers {
            let place = customer.place;
            customer.streets =
                [(); 4].map(|()| self.street_shop(rng, place).map_or(0, |shop| shop.number));
            customer.webs = [(); 4].map(|()| self.web_shop(rng).map_or(0, |shop| shop.number));
            let others = customer.number as usize + 1;
            customer.friends = [(); 4].map(|()| ((others + rng.below(size - 1)) % size) as u32);
        }
        self.customers = customers;
    }
}
