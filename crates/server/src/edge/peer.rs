//! Whoever is at the other end of a connection, before anything is proved.

use paywarden_access::Network;
use std::net::IpAddr;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Its address; of the proxy, where there is one in front.
    pub(crate) address: IpAddr,
}

impl Peer {
    pub(crate) fn new(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address }
    }

    /// The network that its tries are counted by.
    pub(crate) fn network(&self) -> Network {
        Network::around(self.address)
    }
}
