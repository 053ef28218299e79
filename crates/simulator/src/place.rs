//! Where people live and shops stand: a few cities, their money and their clocks.

use paywarden_domain::{Country, Currency, Money, event::Location, time::MINUTE};

/// A city. Offsets from UTC are those of winter all year round.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub city: &'static str,
    pub region: &'static str,
    /// The beginning of its postal codes; two digits follow.
    pub postal: &'static str,
    pub country: Option<Country>,
    pub currency: Option<Currency>,
    /// Thousandths of a minor unit per US cent.
    rate: i64,
    pub location: Location,
    pub utc_minutes: i16,
    pub timezone: &'static str,
    pub language: &'static str,
    /// How many of a thousand customers live here.
    pub share: u16,
}

impl Place {
    /// An amount of US cents in the money of this place.
    pub fn money(&self, cents: i64) -> Option<Money> {
        let minor = (cents.max(1) * self.rate / 1000).max(1);
        self.currency.map(|currency| Money::new(minor, currency))
    }

    /// The clock on the wall, in microseconds.
    pub fn local(&self, at: i64) -> i64 {
        at + i64::from(self.utc_minutes) * MINUTE
    }

    /// A spot up to about ten kilometres from the centre, for two numbers from 0 to 1.
    pub fn spot(&self, north: f64, east: f64) -> Location {
        Location {
            latitude: thousandths(self.location.latitude + (north - 0.5) * 0.18),
            longitude: thousandths(self.location.longitude + (east - 0.5) * 0.24),
        }
    }
}

/// Every place. The order is part of what a seed means.
pub(crate) fn places() -> Vec<Place> {
    ROWS.iter()
        .map(
            |(city, region, postal, country, money, at, utc_minutes, zone, language, share)| {
                Place {
                    city,
                    region,
                    postal,
                    country: Country::parse(country).ok(),
                    currency: Currency::parse(money).ok(),
                    rate: RATES
                        .iter()
                        .find(|(code, _)| code == money)
                        .map_or(1000, |(_, rate)| *rate),
                    location: Location {
                        latitude: at.0,
                        longitude: at.1,
                    },
                    utc_minutes: *utc_minutes,
                    timezone: zone,
                    language,
                    share: *share,
                }
            },
        )
        .collect()
}

fn thousandths(degrees: f64) -> f64 {
    (degrees * 1000.0).round() / 1000.0
}

/// Thousandths of a minor unit per US cent: fixed, so that amounts are plausible and repeatable.
const RATES: &[(&str, i64)] = &[
    ("USD", 1_000),
    ("EUR", 920),
    ("GBP", 790),
    ("CNY", 7_200),
    ("JPY", 1_500),
    ("KWD", 3_070),
];

type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    (f64, f64),
    i16,
    &'static str,
    &'static str,
    u16,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("New York", "NY", "100", "US", "USD",
     (40.713, -74.006), -300, "America/New_York", "en-US", 130),
    ("Philadelphia", "PA", "191", "US", "USD",
     (39.953, -75.165), -300, "America/New_York", "en-US", 60),
    ("Atlanta", "GA", "303", "US", "USD",
     (33.749, -84.388), -300, "America/New_York", "en-US", 70),
    ("Chicago", "IL", "606", "US", "USD",
     (41.878, -87.630), -360, "America/Chicago", "en-US", 90),
    ("Houston", "TX", "770", "US", "USD",
     (29.760, -95.370), -360, "America/Chicago", "es-US", 80),
    ("Denver", "CO", "802", "US", "USD",
     (39.739, -104.990), -420, "America/Denver", "en-US", 50),
    ("Los Angeles", "CA", "900", "US", "USD",
     (34.052, -118.244), -480, "America/Los_Angeles", "en-US", 120),
    ("Seattle", "WA", "981", "US", "USD",
     (47.606, -122.332), -480, "America/Los_Angeles", "en-US", 50),
    ("London", "Greater London", "E", "GB", "GBP",
     (51.507, -0.128), 0, "Europe/London", "en-GB", 50),
    ("Manchester", "Greater Manchester", "M", "GB", "GBP",
     (53.481, -2.242), 0, "Europe/London", "en-GB", 20),
    ("Berlin", "Berlin", "101", "DE", "EUR",
     (52.520, 13.405), 60, "Europe/Berlin", "de-DE", 40),
    ("Paris", "Île-de-France", "750", "FR", "EUR",
     (48.857, 2.352), 60, "Europe/Paris", "fr-FR", 35),
    ("Madrid", "Madrid", "280", "ES", "EUR",
     (40.417, -3.704), 60, "Europe/Madrid", "es-ES", 30),
    ("Dublin", "Leinster", "D", "IE", "EUR",
     (53.349, -6.260), 0, "Europe/Dublin", "en-IE", 15),
    ("Shanghai", "Shanghai", "2000", "CN", "CNY",
     (31.230, 121.474), 480, "Asia/Shanghai", "zh-CN", 50),
    ("Shenzhen", "Guangdong", "5180", "CN", "CNY",
     (22.543, 114.058), 480, "Asia/Shanghai", "zh-CN", 40),
    ("Chengdu", "Sichuan", "6100", "CN", "CNY",
     (30.573, 104.067), 480, "Asia/Shanghai", "zh-CN", 20),
    ("Tokyo", "Tokyo", "100-00", "JP", "JPY",
     (35.677, 139.650), 540, "Asia/Tokyo", "ja-JP", 30),
    ("Osaka", "Osaka", "530-00", "JP", "JPY",
     (34.694, 135.502), 540, "Asia/Tokyo", "ja-JP", 10),
    ("Kuwait City", "Al Asimah", "130", "KW", "KWD",
     (29.376, 47.977), 180, "Asia/Kuwait", "ar-KW", 10),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_real_country_and_currency_and_the_shares_are_whole() {
        let places = places();
        assert!(
            places
                .iter()
                .all(|place| place.country.is_some() && place.currency.is_some())
        );
        assert!(
            ROWS.iter()
                .all(|row| RATES.iter().any(|(code, _)| *code == row.4))
        );
        assert_eq!(places.iter().map(|place| place.share).sum::<u16>(), 1000);
    }

    #[test]
    fn amounts_are_in_the_minor_units_of_the_place() {
        let text = |city: &str| {
            let places = places();
            let place = places.iter().find(|place| place.city == city).unwrap();
            place.money(10_000).unwrap().to_string()
        };
        assert_eq!(text("Denver"), "100.00 USD");
        assert_eq!(text("Tokyo"), "15000 JPY");
        assert_eq!(text("Kuwait City"), "30.700 KWD");
    }
}
