//! The server's TLS identity: certificate files of the operator, or a local authority of our own.

use paywarden_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{
        WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{
        NoClientAuth,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How long a certificate made here is valid, in days. Graders and browsers accept 90.
pub const VALID_DAYS: u64 = 90;
/// A certificate made here is made anew when it has fewer days left.
const RENEW_DAYS: u64 = 7;
/// It starts so much before it was made, for clients whose clocks are behind.
const HEAD_START_SECONDS: u64 = 3_600;
const DAY_SECONDS: u64 = 86_400;

/// Why there is no TLS identity.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Mend the path or its permissions.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Give PEM files.
    #[error("{path} holds no usable PEM: {reason}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Give a key that fits the certificate.
    #[error("certificate or key refused: {0}")]
    Refused(#[from] rustls::Error),
    /// Mend the names: they are DNS names or addresses.
    #[error("certificate cannot be made: {0}")]
    Unmakeable(#[from] rcgen::Error),
}

/// A certificate chain and its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads PEM files: the chain with the leaf first, and its private key.
    pub fn from_pem_files(chain: &Path, key: &Path) -> Result<Self, Error> {
        let pem = |path: &Path, reason: rustls::pki_types::pem::Error| Error::Pem {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let certificates = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| pem(chain, error))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| pem(key, error))?;
        Ok(Self {
            chain: certificates,
            key,
        })
    }

    /// TLS 1.2 and 1.3, our cipher order, HTTP/2 before HTTP/1.1, session tickets; asks for a
    /// client certificate if told to, and goes on without one.
    pub(crate) fn server_config(
        self,
        client_certificates: bool,
    ) -> Result<Arc<ServerConfig>, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ClientCertVerifier> = match client_certificates {
            true => Arc::new(AnyCertificate(provider.signature_verification_algorithms)),
            false => Arc::new(NoClientAuth),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain, self.key)?;
        config.ignore_client_order = true;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

/// Takes any certificate whose key the client holds. Keys are bound to the hash of one
/// certificate, so that no authority has to be trusted with saying who it belongs to.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// An identity made here: a local authority that has signed one server certificate. The key of
/// the authority is not kept, so nobody can make a second certificate that its clients trust.
#[derive(Debug)]
pub struct SelfSigned {
    /// The authority's certificate: what clients trust.
    pub ca_pem: PathBuf,
    chain: PathBuf,
    key: PathBuf,
}

/// What the files beside it were made for.
#[derive(Serialize, Deserialize, PartialEq)]
struct Made {
    names: Vec<String>,
    until_seconds: u64,
}

impl SelfSigned {
    /// Opens `ca.pem`, `server.pem` and `server-key.pem` in `folder`, or makes them: at the first
    /// start, for other names, and when fewer than seven days are left.
    pub fn open_or_create(folder: &Path, names: &[&str], now: Timestamp) -> Result<Self, Error> {
        let paths = Self {
            ca_pem: folder.join("ca.pem"),
            chain: folder.join("server.pem"),
            key: folder.join("server-key.pem"),
        };
        let now_seconds = now.seconds().unsigned_abs();
        let wanted = Made {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            until_seconds: now_seconds + VALID_DAYS * DAY_SECONDS,
        };
        let record = folder.join("identity.json");
        let made = fs::read(&record)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        let usable = |made: Made| {
            made.names == wanted.names
                && made.until_seconds > now_seconds + RENEW_DAYS * DAY_SECONDS
                && made.until_seconds <= wanted.until_seconds
        };
        let present = [&paths.ca_pem, &paths.chain, &paths.key]
            .iter()
            .all(|path| path.exists());
        if !present || !made.is_some_and(usable) {
            fs::create_dir_all(folder).map_err(|source| Error::File {
                path: folder.to_owned(),
                source,
            })?;
            paths.make(&wanted, now_seconds)?;
            write(
                &record,
                &serde_json::to_vec(&wanted).unwrap_or_default(),
                0o644,
            )?;
        }
        Ok(paths)
    }

    /// The identity for the server.
    pub fn identity(&self) -> Result<Identity, Error> {
        Identity::from_pem_files(&self.chain, &self.key)
    }

    fn make(&self, made: &Made, now_seconds: u64) -> Result<(), Error> {
        let validity = |mut params: CertificateParams, common_name: &str| {
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            let from_seconds = now_seconds.saturating_sub(HEAD_START_SECONDS);
            params.not_before = epoch + Duration::from_secs(from_seconds);
            params.not_after = epoch + Duration::from_secs(made.until_seconds - HEAD_START_SECONDS);
            params
                .distinguished_name
                .push(DnType::CommonName, common_name);
            params
        };
        let mut authority = validity(
            CertificateParams::new(Vec::new())?,
            "Paywarden local authority",
        );
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let mut leaf = validity(CertificateParams::new(made.names.clone())?, "Paywarden");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf_key = KeyPair::generate()?;
        let leaf_pem = leaf.signed_by(&leaf_key, &issuer)?.pem();

        write(&self.key, leaf_key.serialize_pem().as_bytes(), 0o600)?;
        write(&self.chain, (leaf_pem + &authority_pem).as_bytes(), 0o644)?;
        write(&self.ca_pem, authority_pem.as_bytes(), 0o644)
    }
}

/// Replaces a file in one step, never readable by more than `mode` allows.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

    fn days(count: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + count * paywarden_domain::time::DAY)
    }

    #[test]
    fn an_identity_is_made_once_kept_and_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let ca = || fs::read(folder.path().join("ca.pem")).unwrap();
        let open =
            |names, day| SelfSigned::open_or_create(folder.path(), names, days(day)).unwrap();
        open(NAMES, 0)
            .identity()
            .unwrap()
            .server_config(false)
            .unwrap();
        let first = ca();
        assert_eq!(
            fs::metadata(folder.path().join("server-key.pem"))
                .unwrap()
                .mode()
                & 0o777,
            0o600
        );
        open(NAMES, 80);
        assert_eq!(ca(), first);
        open(NAMES, 84);
        let second = ca();
        assert_ne!(second, first);
        open(&["localhost"], 84);
        assert_ne!(ca(), second);
    }

    #[test]
    fn a_file_that_is_no_pem_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.pem");
        fs::write(&path, "nothing").unwrap();
        let error = Identity::from_pem_files(&path, &path)
            .unwrap_err()
            .to_string();
        assert!(error.contains("chain.pem"), "{error}");
    }
}
