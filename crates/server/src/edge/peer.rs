//! Whoever is at the other end of a connection, before anything is proved.

use paywarden_access::{Network, terms::CertificateHash};
use std::net::IpAddr;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Its address; of the proxy, where there is one in front.
    pub(crate) address: IpAddr,
    /// The certificate that it has shown and holds the key of.
    pub(crate) certificate: Option<CertificateHash>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let certificate = None;
        Self {
            address,
            certificate,
        }
    }

    /// The same, with the certificates of its handshake.
    pub(crate) fn with_certificates<C: AsRef<[u8]>>(self, chain: Option<&[C]>) -> Self {
        let leaf = chain.and_then(<[C]>::first);
        let certificate = leaf.map(|leaf| CertificateHash::of(leaf.as_ref()));
        Self {
            certificate,
            ..self
        }
    }

    /// The network that its tries are counted by.
    pub(crate) fn network(&self) -> Network {
        Network::around(self.address)
    }
}
