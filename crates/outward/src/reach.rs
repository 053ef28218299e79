//! Whom one may ask: everybody on the public internet over HTTPS, and those inside who are named.

use crate::Error;
use http::Uri;
use paywarden_domain::Network;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
};
use tokio::net::lookup_host;

/// Addresses that are nobody's on the public internet (IANA, special-purpose address registries).
/// The metadata services of clouds lie in `169.254.0.0/16`, `fc00::/7` and `100.64.0.0/10`.
const INSIDE: [&str; 27] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// This machine, as addresses write it.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

static PRIVATE: LazyLock<Vec<Network>> = LazyLock::new(|| networks(&INSIDE));

/// Whom one may ask.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    inside: Arc<[Network]>,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Over TLS.
    pub is_tls: bool,
}

impl Reach {
    /// Public addresses alone.
    pub fn public() -> Self {
        Self::default()
    }

    /// Public addresses, and those of networks inside that an operator has named.
    pub fn with(inside: impl IntoIterator<Item = Network>) -> Self {
        Self {
            inside: inside.into_iter().collect(),
        }
    }

    /// Every address: for servers that the operator has named one by one.
    pub fn anywhere() -> Self {
        Self::with(networks(&["0.0.0.0/0", "::/0"]))
    }

    /// Whether a text is an address that may be asked, as far as it tells by itself.
    pub fn allows(&self, address: &str) -> bool {
        address
            .parse()
            .is_ok_and(|uri: Uri| self.place(&uri).is_ok())
    }

    /// Where a request goes, if that may be asked as far as its address tells: names are looked up
    /// when it is sent.
    pub fn place(&self, uri: &Uri) -> Result<Place, Error> {
        let authority = uri.authority().ok_or(Error::Address)?;
        let host = authority.host().trim_matches(['[', ']']);
        // Nobody's name belongs into an address.
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(Error::Address);
        }
        let is_here = HERE.contains(&host);
        let (is_tls, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") if is_here && self.holds_this_machine() => (false, 80),
            _ => return Err(Error::Address),
        };
        let is_named = match host.parse() {
            Ok(address) => self.holds(address),
            Err(_) => host != "localhost" || self.holds_this_machine(),
        };
        match is_named {
            true => Ok(Place {
                host: host.to_owned(),
                port: uri.port_u16().unwrap_or(port),
                is_tls,
            }),
            false => Err(Error::Inside),
        }
    }

    /// The addresses of a place, if all of them may be asked: a name that points inward, at once or a
    /// moment later, leads nowhere.
    pub(crate) async fn addresses(&self, place: &Place) -> Result<Vec<SocketAddr>, Error> {
        let found = lookup_host((place.host.as_str(), place.port)).await?;
        let found: Vec<SocketAddr> = found.collect();
        let fits = |address: &SocketAddr| match place.is_tls {
            true => self.holds(address.ip()),
            false => address.ip().is_loopback(),
        };
        match found.iter().all(fits) {
            true => Ok(found),
            false => Err(Error::Inside),
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let lies_in = |networks: &[Network]| networks.iter().any(|one| one.contains(address));
        !lies_in(&PRIVATE) || lies_in(&self.inside)
    }

    fn holds_this_machine(&self) -> bool {
        self.holds([127, 0, 0, 1].into())
    }
}

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: [&str; 4] = [
        "169.254.169.254",
        "100.100.100.200",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
    ];

    #[test]
    fn nobody_inside_is_asked() {
        assert_eq!(PRIVATE.len(), INSIDE.len(), "every network reads");
        let public = Reach::public();
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fe80::1",
            "fc00::1",
        ];
        for address in inside.iter().chain(&METADATA) {
            let address: IpAddr = address.parse().unwrap();
            assert!(!public.holds(address), "{address}");
            assert!(Reach::anywhere().holds(address), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(public.holds(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_say_by_themselves_whether_they_may_be_asked() {
        let named = Reach::with(["10.1.0.0/16".parse().unwrap()]);
        // The address, and whether it may be asked of the public alone, with a network, anywhere.
        for (address, expected) in [
            ("https://lists.example/un.xml", [true, true, true]),
            ("https://8.8.8.8/", [true, true, true]),
            ("https://10.1.2.3/a", [false, true, true]),
            ("https://10.2.2.3/a", [false, false, true]),
            ("https://localhost/", [false, false, true]),
            ("https://[::1]:1/", [false, false, true]),
            ("http://127.0.0.1:4011/b", [false, false, true]),
            ("http://localhost/", [false, false, true]),
            ("http://127.0.0.2", [false; 3]),
            ("http://lists.example/", [false; 3]),
            ("https://user@lists.example/", [false; 3]),
            ("ftp://localhost", [false; 3]),
            ("/token", [false; 3]),
            ("", [false; 3]),
        ] {
            let reaches = [Reach::public(), named.clone(), Reach::anywhere()];
            let allowed = reaches.map(|reach| reach.allows(address));
            assert_eq!(allowed, expected, "{address}");
        }
    }

    #[tokio::test]
    async fn names_and_numbers_that_point_inward_lead_nowhere() {
        for host in ["localhost", "127.1", "2130706433", "0x7f000001"] {
            let place = Place {
                host: host.to_owned(),
                port: 443,
                is_tls: true,
            };
            let refused = Reach::public().addresses(&place).await;
            assert!(refused.is_err(), "{host}");
        }
    }
}
