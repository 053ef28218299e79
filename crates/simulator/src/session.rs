//! With which device and over which network somebody comes, honest or not.

use crate::{
    OutgoingEvent,
    identity::{Origin, some_device, text},
    people::{Customer, Persona},
    scene::Scene,
};
use paywarden_domain::event::{Channel, Device, Network};

/// A device on a network.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub channel: Channel,
    pub device: Device,
    pub network: Network,
}

impl Session {
    /// Lets an event come from here.
    pub fn put_on(&self, event: &mut OutgoingEvent) {
        event.channel = Some(self.channel);
        event.device = Some(self.device.clone());
        event.network = Some(self.network.clone());
    }
}

impl Scene<'_> {
    /// A customer on one of his or her own devices.
    pub fn own(&mut self, customer: &Customer, at: i64) -> Session {
        let slot = self
            .rng
            .below(usize::from(customer.devices) + 1)
            .saturating_sub(1) as u8;
        let phones = if slot == 0 {
            self.life(customer).phones
        } else {
            0
        };
        let mut device = self.people.device(customer, slot, phones);
        if slot != 1 {
            device.active_call = Some(self.rng.chance(0.025));
            device.screen_shared = Some(self.rng.chance(0.002));
            device.remote_control = Some(self.rng.chance(0.0015));
        }
        if slot == 1 && self.rng.chance(0.015) {
            device.automated = Some(true);
        }
        let place = self.place_of(customer, at);
        let origin = self.usual_origin(customer, place, slot);
        let mut network = origin.network(self.people, place);
        network.proxy = Some(self.rng.chance(0.01));
        network.tor = Some(customer.private && self.rng.chance(0.02));
        Session {
            channel: if slot == 1 {
                Channel::Web
            } else {
                Channel::MobileApp
            },
            device,
            network,
        }
    }

    /// Somebody unknown who is, or wants to look as if, at `place`; `care` from 0 (none) to 1 (all
    /// that helps to look honest, or honest indeed).
    pub fn stranger(&mut self, place: u8, care: f64) -> Session {
        let computer = self.rng.chance(0.5);
        let mut device = some_device(&mut self.rng, computer);
        let slips = (1.0 - care) * 0.5;
        if !computer {
            device.emulator = Some(self.rng.chance(0.005 + slips * 0.5));
            device.rooted = Some(self.rng.chance(slips));
        }
        if self.rng.chance(slips * 0.4) {
            device.automated = Some(true);
        }
        let seen_at = if self.rng.chance(0.3 + 0.7 * care) {
            Some(place)
        } else {
            None
        };
        let seen_at = seen_at.unwrap_or_else(|| self.rng.below(self.people.places.len()) as u8);
        if let Some(place) = self.people.place(seen_at) {
            device.language = text(place.language);
            device.timezone = text(place.timezone);
        }
        let origin = if self.rng.chance(0.2 + 0.6 * care) {
            Origin::Line(self.rng.bits() >> 24)
        } else {
            match self.rng.below(4) {
                0 => Origin::Hosting(self.rng.below(20_000) as u32),
                1 | 2 => Origin::Private(self.rng.below(256) as u32),
                _ => Origin::Mobile(self.rng.below(64) as u32),
            }
        };
        let mut network = origin.network(self.people, seen_at);
        network.proxy = Some(self.rng.chance(0.01 + slips));
        network.tor = Some(self.rng.chance(0.001 + slips * 0.2));
        let channel = if computer {
            Channel::Web
        } else {
            Channel::MobileApp
        };
        Session {
            channel,
            device,
            network,
        }
    }

    fn usual_origin(&mut self, customer: &Customer, place: u8, slot: u8) -> Origin {
        let number = customer.number;
        let crowd = self.people.size() as u32 / 40 + 1;
        if customer.is_company() && number.is_multiple_of(9) {
            return Origin::Hosting(number % 20_000);
        }
        if customer.private && self.rng.chance(0.7) {
            return Origin::Private(number % 256);
        }
        if place != customer.place {
            let cafe = Origin::Cafe(self.rng.below(64) as u32);
            return if self.rng.chance(0.5) {
                cafe
            } else {
                Origin::Mobile(number % 64)
            };
        }
        let works = !matches!(customer.persona, Persona::Retired | Persona::Seller);
        let home = Origin::Home(if number.is_multiple_of(3) {
            number / 2
        } else {
            number
        });
        match self.rng.below(20) {
            0 => Origin::Cafe(self.rng.below(64) as u32),
            1..=3 if works => Origin::Office(number % crowd),
            4..=10 if slot == 0 => Origin::Mobile(number % crowd.min(1024)),
            _ => home,
        }
    }
}
