//! Whom one believes: the authorities of the machine, or those that were given.

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// The authorities that certificates are held against.
#[derive(Debug, Clone, Copy)]
pub enum Roots<'a> {
    /// Those of the machine.
    Native,
    /// These, in PEM: every one must read, and there is at least one.
    Pem(&'a [u8]),
}

/// Why authorities cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// One of them is no certificate.
    #[error("the authorities are not certificates in PEM")]
    Malformed,
    /// There are none.
    #[error("there is no authority")]
    None,
    /// The library does not start.
    #[error("tls cannot be set up")]
    Tls,
}

impl Roots<'_> {
    pub(crate) fn connector(self) -> Result<TlsConnector, RootsError> {
        let roots = self.store()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| RootsError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// A machine without authorities trusts nobody; that is not an error until somebody is asked.
    fn store(self) -> Result<RootCertStore, RootsError> {
        let mut roots = RootCertStore::empty();
        let Self::Pem(pem) = self else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate.ok().and_then(|one| roots.add(one).ok());
            added.ok_or(RootsError::Malformed)?;
        }
        match roots.is_empty() {
            true => Err(RootsError::None),
            false => Ok(roots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_are_none_are_refused() {
        let refusal = |pem: &[u8]| Roots::Pem(pem).connector().err();
        assert_eq!(refusal(b"no certificate"), Some(RootsError::None));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(refusal(broken), Some(RootsError::Malformed));
        assert!(Roots::Native.connector().is_ok());
    }
}
