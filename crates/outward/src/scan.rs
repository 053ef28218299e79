//! Files held before a scanner for malware: ClamAV's `clamd`, or whatever else speaks `INSTREAM`.
//!
//! What is handed over travels in clear: a scanner is on this machine, behind a socket of the file
//! system or a loopback address.

use crate::exchange::Stream;
use std::{fmt, io, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// So much is handed over at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 4_096;
/// The longest name of what was found that is passed on, in characters.
const FOUND_CHARS_MAX: usize = 100;

/// A scanner, and how long it may take.
#[derive(Debug, Clone)]
pub struct Scanner {
    place: ScannerPlace,
    whole_max: Duration,
}

/// Where a scanner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerPlace {
    /// Behind a socket of the file system: `unix:/run/clamav/clamd.ctl`.
    Unix(PathBuf),
    /// At a loopback address: `tcp://127.0.0.1:3310`.
    Tcp(SocketAddr),
}

/// What a scanner says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// What was found, as the scanner calls it.
    Found(String),
}

/// Why a scanner says nothing of a file.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It took too long.
    #[error("the scanner did not answer in time")]
    Late,
    /// Nobody is there, or it hung up.
    #[error("the scanner is not there: {0}")]
    Gone(#[from] io::Error),
    /// It says something else than a verdict: it fails, or takes no file of this size.
    #[error("the scanner says {0:?}")]
    Answer(String),
}

impl FromStr for ScannerPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "unix:/path of a socket, or tcp:// with a loopback address and a port";
        if let Some(path) = text
            .strip_prefix("unix:")
            .filter(|path| path.starts_with('/'))
        {
            return Ok(Self::Unix(path.into()));
        }
        let address = text.strip_prefix("tcp://").ok_or(wrong)?;
        let address: SocketAddr = address.parse().map_err(|_| wrong)?;
        match address.ip().is_loopback() {
            true => Ok(Self::Tcp(address)),
            false => Err(wrong),
        }
    }
}

impl Scanner {
    /// A scanner that is given up after a time.
    pub fn new(place: ScannerPlace, whole_max: Duration) -> Self {
        Self { place, whole_max }
    }

    /// Hands a file over, and waits for what is said of it.
    pub async fn scan(&self, content: &[u8]) -> Result<Verdict, ScanError> {
        let asked = timeout(self.whole_max, self.ask(content)).await;
        read(&asked.map_err(|_| ScanError::Late)??)
    }

    async fn ask(&self, content: &[u8]) -> Result<String, ScanError> {
        let mut stream: Box<dyn Stream> = match &self.place {
            ScannerPlace::Unix(path) => Box::new(UnixStream::connect(path).await?),
            ScannerPlace::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        };
        let given = give(&mut stream, content).await;
        let mut answer = Vec::new();
        let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
        // One that takes no file of this size says so and hangs up in the middle of it.
        if answer.is_empty() {
            given?;
            read?;
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// `zINSTREAM`, then chunks behind their lengths, then a length of zero.
async fn give(stream: &mut Box<dyn Stream>, content: &[u8]) -> io::Result<()> {
    stream.write_all(b"zINSTREAM\0").await?;
    for chunk in content.chunks(CHUNK_BYTES) {
        stream.write_u32(chunk.len() as u32).await?;
        stream.write_all(chunk).await?;
    }
    stream.write_u32(0).await?;
    stream.flush().await
}

fn read(answer: &str) -> Result<Verdict, ScanError> {
    let answer = answer.trim_end_matches(['\0', '\n']);
    let said = answer.strip_prefix("stream: ").unwrap_or_default();
    match said.strip_suffix(" FOUND") {
        Some(what) => Ok(Verdict::Found(short(what))),
        None if said == "OK" => Ok(Verdict::Clean),
        None => Err(ScanError::Answer(short(answer))),
    }
}

fn short(text: &str) -> String {
    let plain = text.chars().filter(|one| !one.is_control());
    plain.take(FOUND_CHARS_MAX).collect()
}

impl fmt::Display for ScannerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    /// Somebody who reads a whole file and says something.
    async fn scanner(says: &'static str) -> Scanner {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 10];
            stream.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, b"zINSTREAM\0");
            let mut bytes = 0;
            while let length @ 1.. = stream.read_u32().await.unwrap() {
                let mut chunk = vec![0; length as usize];
                stream.read_exact(&mut chunk).await.unwrap();
                bytes += chunk.len();
            }
            assert_eq!(bytes, 100_000);
            stream.write_all(says.as_bytes()).await.unwrap();
        });
        Scanner::new(ScannerPlace::Tcp(address), Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_verdict_is_one_and_everything_else_is_none() {
        let content = vec![7; 100_000];
        let scan = |says| async move { scanner(says).await.scan(&vec![7; 100_000]).await };
        assert_eq!(scan("stream: OK\0").await.unwrap(), Verdict::Clean);
        let found = scan("stream: Eicar-Test-Signature FOUND\0").await.unwrap();
        assert_eq!(found, Verdict::Found("Eicar-Test-Signature".to_owned()));
        for says in [
            "INSTREAM size limit exceeded. ERROR\0",
            "OK",
            "stream: ",
            "stream: OK FOUND not",
        ] {
            assert!(
                matches!(scan(says).await, Err(ScanError::Answer(_))),
                "{says}"
            );
        }
        assert!(scan("").await.is_err());
        let nobody = ScannerPlace::Unix("/nowhere/clamd.ctl".into());
        let nobody = Scanner::new(nobody, Duration::from_secs(5));
        assert!(matches!(
            nobody.scan(&content).await,
            Err(ScanError::Gone(_))
        ));
    }

    #[tokio::test]
    async fn one_that_hangs_is_given_up() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let place = ScannerPlace::Tcp(listener.local_addr().unwrap());
        let scanner = Scanner::new(place, Duration::from_millis(50));
        let long = vec![7; 32 * 1024 * 1024];
        for content in [&b"short"[..], &long] {
            assert!(matches!(scanner.scan(content).await, Err(ScanError::Late)));
        }
    }

    #[test]
    fn a_scanner_is_on_this_machine() {
        for text in [
            "unix:/run/clamav/clamd.ctl",
            "tcp://127.0.0.1:3310",
            "tcp://[::1]:3310",
        ] {
            let place: ScannerPlace = text.parse().unwrap();
            assert_eq!(place.to_string(), text);
        }
        for text in [
            "",
            "/run/clamd",
            "unix:clamd",
            "tcp://10.0.0.1:3310",
            "tcp://clamd:3310",
            "tcp://127.0.0.1",
        ] {
            assert!(text.parse::<ScannerPlace>().is_err(), "{text}");
        }
    }
}
