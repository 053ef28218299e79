//! Networks by prefix (RFC 4632, RFC 4291): where keys may be used from, who counts together, what lies inside.

use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// A network, such as `203.0.113.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    base: u128,
    bits: u8,
    is_v6: bool,
}

impl Network {
    /// The network that callers with this address are counted in: /24 of IPv4, /48 of IPv6, which
    /// is what one customer of an access provider gets.
    pub fn around(address: IpAddr) -> Self {
        let bits = match address.to_canonical() {
            IpAddr::V4(_) => 24,
            IpAddr::V6(_) => 48,
        };
        Self::of(address, bits)
    }

    /// Whether the address lies in it. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        *self == Self::of(address, self.bits)
    }

    /// The network of so many bits; more than an address has are as many as it has.
    fn of(address: IpAddr, bits: u8) -> Self {
        let address = address.to_canonical();
        let (number, width, is_v6) = match address {
            IpAddr::V4(four) => (u128::from(four.to_bits()), 32, false),
            IpAddr::V6(six) => (six.to_bits(), 128, true),
        };
        let host_bits = u32::from(width) - u32::from(bits.min(width));
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Self {
            base: number & mask,
            bits: bits.min(width),
            is_v6,
        }
    }

    fn address(&self) -> IpAddr {
        match self.is_v6 {
            true => IpAddr::V6(self.base.into()),
            // Only the lower 32 bits are ever set.
            false => IpAddr::V4((self.base as u32).into()),
        }
    }
}

impl FromStr for Network {
    type Err = &'static str;

    /// Reads `address/bits`, or an address alone, which is a network of one. Bits behind the
    /// prefix must be zero: else it is not said which network is meant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "not an IP address")?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| "not a prefix length")?,
            None => width,
        };
        if bits > width || address.to_canonical() != address {
            return Err("not a prefix length of this kind of address");
        }
        let network = Self::of(address, bits);
        match network.address() == address {
            true => Ok(network),
            false => Err("bits behind the prefix are not zero"),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn text_reads_back_and_what_is_ambiguous_is_refused() {
        for text in ["203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("127.0.0.1").to_string(), "127.0.0.1/32");
        for text in [
            "",
            "a",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/24",
            "::1/129",
            "1.2.3.4/8 ",
            "::ffff:1.2.3.4/128",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn mapped_addresses_are_the_addresses_that_they_stand_for() {
        let mapped: IpAddr = "::ffff:203.0.113.7".parse().unwrap();
        assert!(network("203.0.113.0/24").contains(mapped));
        assert!(!network("::/0").contains(mapped));
        assert_eq!(Network::around(mapped).to_string(), "203.0.113.0/24");
    }

    proptest! {
        /// Against the bits written out.
        #[test]
        fn an_address_is_inside_if_its_first_bits_are_equal(
            base: u32, other: u32, flip in 0..32_u32, bits in 0..=32_u8,
        ) {
            let text = |number: u32| format!("{number:032b}");
            for address in [other, base ^ (1 << flip)] {
                let of = Network::of(IpAddr::V4(base.into()), bits);
                let same = text(base)[..usize::from(bits)] == text(address)[..usize::from(bits)];
                prop_assert_eq!(of.contains(IpAddr::V4(address.into())), same);
            }
        }
    }
}
