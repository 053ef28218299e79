//! How customers, merchants and strangers look in an event: all of it follows from their numbers.

use crate::{
    card::{Held, STRANGE_ISSUERS, TEST_RANGES},
    people::Customer,
    population::Population,
    rng::{Rng, hash},
    shop::Shop,
    word,
};
use paywarden_domain::{
    Timestamp,
    event::{Address, CheckResult, Device, Ip, Merchant, Network, Party, Text},
    time::DAY,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A text, which is none only if it broke the limits of the domain.
pub(crate) fn text(words: impl AsRef<str>) -> Option<Text> {
    Text::parse(words.as_ref()).ok()
}

/// The moment so many days before another.
pub(crate) fn days_before(at: i64, days: u16) -> Timestamp {
    Timestamp::from_micros(at - i64::from(days) * DAY)
}

/// How one customer looks, made once because every event shows it.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    party: Party,
    address: Option<Address>,
    devices: Vec<Device>,
}

impl Population {
    /// Makes the looks of everybody.
    pub(crate) fn draw_faces(&mut self) {
        let faces = self.customers.iter().map(|customer| Face {
            party: self.draw_party(customer),
            address: self.draw_address(customer),
            devices: (0..customer.devices)
                .map(|slot| self.draw_device(customer, slot, 0))
                .collect(),
        });
        self.faces = faces.collect();
        self.merchants = self
            .shops
            .iter()
            .map(|shop| self.draw_merchant(shop))
            .collect();
    }

    /// A customer as payer, known since `since`.
    pub(crate) fn party(&self, customer: &Customer, since: Timestamp) -> Option<Party> {
        let party = self.face(customer)?.party.clone();
        Some(Party {
            since: Some(since),
            ..party
        })
    }

    /// A customer as payee.
    pub(crate) fn payee(&self, customer: &Customer, since: Timestamp) -> Party {
        Party {
            id: text(format!("c-{:07}", customer.number)),
            name: text(customer.name()),
            account: text(account_id(customer.number)),
            country: self.place(customer.place).and_then(|place| place.country),
            since: Some(since),
            name_check: Some(CheckResult::Match),
            is_company: Some(customer.is_company()),
            ..Party::default()
        }
    }

    /// Where a customer lives.
    pub(crate) fn address(&self, customer: &Customer) -> Option<Address> {
        self.face(customer)?.address.clone()
    }

    /// A customer's telephone (slot 0, bought anew `generation` times), computer (1) or the tablet
    /// that two households may share (2).
    pub(crate) fn device(&self, customer: &Customer, slot: u8, generation: u8) -> Device {
        let usual = self
            .face(customer)
            .and_then(|face| face.devices.get(usize::from(slot)));
        match usual.filter(|_| generation == 0) {
            Some(device) => device.clone(),
            None => self.draw_device(customer, slot, generation),
        }
    }

    /// A merchant at one of its terminals, as the traffic that begins at `start` shows it.
    pub(crate) fn merchant(&self, shop: &Shop, terminal: u8, start: i64) -> Option<Merchant> {
        let merchant = self.merchants.get(shop.number as usize)?.clone();
        Some(Merchant {
            terminal_id: text(format!("t{terminal}")),
            since: Some(days_before(start, shop.known_days)),
            ..merchant
        })
    }

    /// Somebody with an account elsewhere: a landlord, a supplier, a stranger.
    pub(crate) fn outsider(&self, key: u64, is_company: bool) -> Party {
        let mut rng = Rng::of(self.seed, &[3, key]);
        let by_place: Vec<u16> = self.places.iter().map(|place| place.share).collect();
        let place = self.places.get(rng.weighted(&by_place));
        let (given, family) = (rng.word(&word::GIVEN), rng.word(&word::FAMILY));
        let name = match is_company {
            true => format!("{} {family} Ltd", rng.word(&word::SHOP)),
            false => format!("{given} {family}"),
        };
        Party {
            name: text(name),
            account: text(format!("ext-{:012x}", rng.bits() >> 16)),
            country: place.and_then(|place| place.country),
            is_company: Some(is_company),
            ..Party::default()
        }
    }

    /// A card of a customer.
    pub(crate) fn held(&self, customer: &Customer, slot: u8) -> Option<Held> {
        let draw = hash(self.seed, &[6, u64::from(customer.number), u64::from(slot)]);
        let country = self.place(customer.place).and_then(|place| place.country);
        let range = match country.as_ref().map(|country| country.code()) {
            Some("CN") if !draw.is_multiple_of(4) => 9,
            Some("JP") if draw.is_multiple_of(3) => 8,
            Some("US") if draw.is_multiple_of(6) => 6 + (draw >> 8) % 2,
            _ => (draw >> 8) % 6,
        };
        Some(Held {
            range: *TEST_RANGES.get(usize::try_from(range).ok()?)?,
            issuer: customer.place * 4 + u8::try_from((draw >> 16) % 4).ok()?,
            key: u64::from(customer.number) * 4 + u64::from(slot),
        })
    }

    fn face(&self, customer: &Customer) -> Option<&Face> {
        self.faces.get(customer.number as usize)
    }

    fn draw_party(&self, customer: &Customer) -> Party {
        let draw = hash(self.seed, &[2, u64::from(customer.number)]);
        let (month, day) = (1 + draw % 12, 1 + (draw >> 8) % 28);
        let year = 2026 - u16::from(customer.age_years);
        let birth_date = (!customer.is_company()).then(|| format!("{year}-{month:02}-{day:02}"));
        Party {
            id: text(format!("c-{:07}", customer.number)),
            name: text(customer.name()),
            email: self.draw_email(customer),
            phone: text(format!("+999{:09}", phone_number(customer.number))),
            country: self.place(customer.place).and_then(|place| place.country),
            birth_date: birth_date.and_then(text),
            is_company: Some(customer.is_company()),
            kyc_level: Some(customer.kyc_level),
            ..Party::default()
        }
    }

    fn draw_address(&self, customer: &Customer) -> Option<Address> {
        let place = self.place(customer.place)?;
        let mut rng = Rng::of(self.seed, &[4, u64::from(customer.number)]);
        let (house, street) = (rng.between(1, 240), rng.word(&word::STREETS));
        Some(Address {
            line: text(format!("{house} {street}")),
            city: text(place.city),
            region: text(place.region),
            postal_code: text(format!("{}{:02}", place.postal, rng.below(90))),
            country: place.country,
            location: Some(place.spot(rng.unit(), rng.unit())),
        })
    }

    fn draw_device(&self, customer: &Customer, slot: u8, generation: u8) -> Device {
        let owner = if slot == 2 {
            customer.number / 2
        } else {
            customer.number
        };
        let thing = [5, u64::from(owner), u64::from(slot), u64::from(generation)];
        let mut rng = Rng::of(self.seed, &thing);
        let place = self.place(customer.place);
        let mut device = some_device(&mut rng, slot == 1);
        device.language = place.and_then(|place| text(place.language));
        device.timezone = place.and_then(|place| text(place.timezone));
        device
    }

    fn draw_merchant(&self, shop: &Shop) -> Merchant {
        let place = self.place(shop.place);
        let mut rng = Rng::of(self.seed, &[7, u64::from(shop.number)]);
        Merchant {
            id: text(format!("m-{:06}", shop.number)),
            name: text(shop.name()),
            mcc: text(shop.category().mcc),
            category: text(shop.category().name),
            country: place.and_then(|place| place.country),
            location: place.map(|place| place.spot(rng.unit(), rng.unit())),
            ..Merchant::default()
        }
    }

    fn draw_email(&self, customer: &Customer) -> Option<Text> {
        let name = |words: &[&'static str], place: u8| {
            let name = words.get(usize::from(place)).copied().unwrap_or_default();
            name.chars()
                .filter(char::is_ascii_alphabetic)
                .collect::<String>()
                .to_lowercase()
        };
        let (given, family) = (
            name(&word::GIVEN, customer.given),
            name(&word::FAMILY, customer.family),
        );
        let domain = word::DOMAINS.get(customer.number as usize % word::DOMAINS.len())?;
        text(format!("{given}.{family}{}@{domain}", customer.number))
    }
}

/// The account of a customer.
pub(crate) fn account_id(customer: u32) -> String {
    format!("acc-{customer:08}")
}

/// The card of a stranger.
pub(crate) fn stranger_of(number: u64) -> Option<Held> {
    let range = *TEST_RANGES.get(usize::try_from(number % 10).ok()?)?;
    let issuer = STRANGE_ISSUERS.start + u8::try_from(number / 10 % 10).ok()?;
    Some(Held {
        range,
        issuer,
        key: 9_000_000 + number,
    })
}

/// A device of nobody in particular.
pub(crate) fn some_device(rng: &mut Rng, computer: bool) -> Device {
    const PHONES: [&str; 5] = ["android", "android", "ios", "ios", "harmonyos"];
    const COMPUTERS: [&str; 4] = ["windows", "windows", "macos", "linux"];
    let os = rng.word(if computer { &COMPUTERS } else { &PHONES });
    let version = rng.between(118, 131);
    let (rooted, emulated) = (rng.chance(0.015), rng.chance(0.006));
    Device {
        id: text(format!("d-{:016x}", rng.bits())),
        os: text(os),
        user_agent: computer
            .then(|| text(format!("Browser/{version}.0 ({os})")))
            .flatten(),
        rooted: (!computer).then_some(rooted),
        emulator: (!computer).then_some(emulated),
        remote_control: (!computer).then_some(false),
        screen_shared: (!computer).then_some(false),
        active_call: (!computer).then_some(false),
        ..Device::default()
    }
}

/// Where a request comes from. All addresses are of private, shared or documentation ranges.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// A household: its number.
    Home(u32),
    /// The address that many telephones of one place share.
    Mobile(u32),
    /// An office or campus.
    Office(u32),
    /// A café with open Wi-Fi.
    Cafe(u32),
    /// An exit of a virtual private network.
    Private(u32),
    /// A data centre.
    Hosting(u32),
    /// The line of some other household.
    Line(u64),
}

impl Origin {
    /// The network, said to be in the country of `place`.
    pub fn network(self, population: &Population, place: u8) -> Network {
        let (ip, asn) = match self {
            Self::Home(household) if household % 4 == 1 => (v6(u64::from(household)), 64_690),
            Self::Home(household) => (v4([10, 0, 0, 0], household), 64_512),
            Self::Mobile(pool) => (v4([100, 64, 0, 0], u32::from(place) << 10 | pool), 64_540),
            Self::Office(office) => (v4([172, 16, 0, 0], office), 64_570),
            Self::Cafe(cafe) => (v4([192, 168, 0, 0], u32::from(place) << 6 | cafe), 64_600),
            Self::Private(exit) => (v4([198, 18, 0, 0], exit), 64_630),
            Self::Hosting(host) => (v4([198, 19, 0, 0], host), 64_660),
            Self::Line(line) => (v6(line), 64_690),
        };
        Network {
            ip: Some(Ip(ip)),
            country: population.place(place).and_then(|place| place.country),
            asn: Some(asn + u32::from(place)),
            proxy: Some(false),
            vpn: Some(matches!(self, Self::Private(_))),
            tor: Some(false),
            hosting: Some(matches!(self, Self::Hosting(_))),
            open_wifi: matches!(self, Self::Cafe(_)).then_some(true),
            location: None,
        }
    }
}

fn v4(base: [u8; 4], offset: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(u32::from_be_bytes(base) | offset))
}

/// 2001:db8::/32 is for documentation (RFC 3849).
fn v6(line: u64) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(line)))
}

/// Different customers have different numbers; +999 is assigned to no country.
fn phone_number(customer: u32) -> u64 {
    (u64::from(customer) * 7_654_321 + 1_234_567) % 1_000_000_000
}
