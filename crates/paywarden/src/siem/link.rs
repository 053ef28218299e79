//! The connection to a receiver: TLS (RFC 5425), or plain TCP to this machine alone.

use crate::{
    config::Config,
    failure::{Failure, Result},
};
use paywarden_store::Error;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a receiver may take no byte of what is written.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// How long a receiver may take to end a connection that we have ended.
const END_MAX: Duration = Duration::from_secs(5);
/// The port of syslog over TLS.
const PORT: u16 = 6514;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The receiver, the network or its certificate.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// The receiver takes nothing or does not answer.
    #[error("the receiver did not answer in time")]
    Late,
    /// The receiver has ended it.
    #[error("the receiver closed the connection")]
    Closed,
    /// A leaf was changed behind our back.
    #[error("a leaf of the trail does not read: run `paywarden verify`")]
    Unreadable,
    /// Our own store.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A receiver and how to reach it.
pub struct Target {
    address: String,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// The receiver that the configuration names.
    pub fn of(config: &Config) -> Result<Option<Self>> {
        let Some(address) = &config.siem_address else {
            return Ok(None);
        };
        let (scheme, place) = address.split_once("://").unwrap_or_default();
        let (host, port) = host_and_port(place).ok_or_else(|| wrong(address))?;
        let tls = match scheme {
            "tls" => Some(tls(config, host)?),
            "tcp" if ["localhost", "127.0.0.1", "::1"].contains(&host) => None,
            _ => return Err(wrong(address)),
        };
        Ok(Some(Self {
            address: address.clone(),
            host: host.to_owned(),
            port,
            tls,
        }))
    }

    /// The address as it was written: what positions are kept under.
    pub fn name(&self) -> &str {
        &self.address
    }

    pub async fn connect(&self) -> std::result::Result<Link, Broken> {
        let connect = async {
            let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
            let Some((connector, name)) = &self.tls else {
                if !socket.peer_addr()?.ip().is_loopback() {
                    let refused = "plain TCP leaves this machine";
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
                }
                return Ok(Link(Box::new(socket)));
            };
            let stream = connector.connect(name.clone(), socket).await?;
            Ok(Link(Box::new(stream)))
        };
        let link = timeout(CONNECT_MAX, connect).await;
        Ok(link.map_err(|_| Broken::Late)??)
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

/// An open connection.
pub struct Link(Box<dyn Stream>);

impl Link {
    /// Writes and flushes; what is flushed may still be lost with the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> std::result::Result<(), Broken> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = timeout(WRITE_MAX, self.0.write(rest)).await;
            match written.map_err(|_| Broken::Late)?? {
                0 => return Err(Broken::Closed),
                count => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        let flushed = timeout(WRITE_MAX, self.0.flush()).await;
        Ok(flushed.map_err(|_| Broken::Late)??)
    }

    /// Resolves when the receiver is gone. What it says is not listened to.
    pub async fn closed(&mut self) -> Broken {
        let mut said = [0; 512];
        loop {
            match self.0.read(&mut said).await {
                Ok(0) => return Broken::Closed,
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
    }

    /// Ends the connection and waits until the receiver has ended it too, having read everything.
    pub async fn end(&mut self) -> std::result::Result<(), Broken> {
        let end = async {
            self.0.shutdown().await?;
            match self.closed().await {
                Broken::Closed => Ok(()),
                broken => Err(broken),
            }
        };
        timeout(END_MAX, end).await.map_err(|_| Broken::Late)?
    }
}

/// `host`, `host:port`, `[address]:port`.
fn host_and_port(place: &str) -> Option<(&str, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port)
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None if port.is_empty() => PORT,
        None => return None,
    };
    (!host.is_empty()).then_some((host, port))
}

fn tls(config: &Config, host: &str) -> Result<(TlsConnector, ServerName<'static>)> {
    let name = config.siem_server_name.as_deref().unwrap_or(host);
    let server = ServerName::try_from(name.to_owned());
    let server = server.map_err(|error| unusable("siem_server_name", name, &error))?;
    let path = config.siem_ca.as_deref().ok_or_else(|| {
        Failure::wrong_use(
            "siem_address asks for TLS without an authority to trust",
            "name the PEM file of the receiver's authority in siem_ca",
        )
    })?;
    let builder = ClientConfig::builder().with_root_certificates(roots(path)?);
    let tls = match (&config.siem_certificate, &config.siem_key) {
        (Some(chain), Some(key)) => {
            let client = builder.with_client_auth_cert(
                certificates("siem_certificate", chain)?,
                PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| wrong_file("siem_key", key, &error))?,
            );
            client.map_err(|error| wrong_file("siem_certificate", chain, &error))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok((TlsConnector::from(Arc::new(tls)), server))
}

fn roots(path: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("siem_ca", path)? {
        let added = roots.add(certificate);
        added.map_err(|error| wrong_file("siem_ca", path, &error))?;
    }
    match roots.is_empty() {
        true => Err(wrong_file("siem_ca", path, &"it holds no certificate")),
        false => Ok(roots),
    }
}

fn certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong_file(setting, path, &error))
}

fn wrong_file(setting: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    unusable(setting, &path.display().to_string(), error)
}

fn unusable(setting: &str, value: &str, error: &dyn std::fmt::Display) -> Failure {
    let next = "docs/guide/trail.md shows how a receiver is set up";
    Failure::environment(format!("{setting} = {value}: {error}"), next)
}

fn wrong(address: &str) -> Failure {
    let next = "write tls://HOST:PORT, or tcp://127.0.0.1:PORT for a receiver on this machine";
    Failure::wrong_use(format!("siem_address = {address}: not a receiver"), next)
}
