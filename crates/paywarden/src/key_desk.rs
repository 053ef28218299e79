//! The key desk: how `paywarden keys`, `paywarden staff` and `paywarden backup` reach the store while a
//! server holds it.
//!
//! The server listens on a socket in its private data folder; one JSON line asks, one answers.
//! Only the owner of the folder can reach it. Without a server the command opens the store itself
//! and answers its own question with the same [`answer`].

pub mod staff;

use crate::failure::{Failure, Result};
use paywarden_access::{
    Author, CreatedKey, KeyRegistry, Network, NewKey, RegisteredKey, Scopes, Staff,
    terms::CertificateHash,
};
use paywarden_crypto::SignatureAlgorithm;
use paywarden_domain::{TenantId, time::HOUR};
use paywarden_server::backup::Backup;
use paywarden_store::{
    Actor, Journal, Purpose,
    trail::{Standing, notary, notary::Notary},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    task::JoinHandle,
    time::timeout,
};
use zeroize::{Zeroize, Zeroizing};

/// The socket in the data folder.
const SOCKET_FILE: &str = "admin.sock";
/// The longest question or answer; more is cut off and does not parse.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How long a question may take to arrive and an answer to be made.
const ANSWER_SECONDS_MAX: u64 = 15;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// A new key, made by the server.
    Create {
        /// Registered name of the algorithm, or `bearer`.
        algorithm: String,
        /// Whose key.
        tenant: TenantId,
        /// What it may do, comma-separated.
        scopes: String,
        /// For people.
        name: String,
    },
    /// The public half of a key that its owner made.
    Register {
        /// Registered name of the algorithm.
        algorithm: String,
        /// The public key as PEM.
        public_pem: String,
        /// Whose key.
        tenant: TenantId,
        /// What it may do, comma-separated.
        scopes: String,
        /// For people.
        name: String,
    },
    /// Every key.
    List,
    /// A new key in the place of one; both are valid for a while.
    Rotate {
        /// Which key.
        id: String,
        /// How long the old one stays valid.
        overlap_hours: u16,
    },
    /// Where a key may be used from, and with which certificate.
    Bind {
        /// Which key.
        id: String,
        /// Networks; from anywhere if none.
        networks: Vec<Network>,
        /// The certificate, if it must be shown.
        certificate: Option<CertificateHash>,
    },
    /// The end of a key.
    Revoke {
        /// Which key.
        id: String,
    },
    /// The next key that signs the trail.
    RotateNotary,
    /// Something about staff.
    Staff(staff::Question),
    /// A backup was read back.
    ReadBack(Backup),
    /// Where the server listens.
    Status,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// A key was made.
    Created {
        /// The key.
        key: KeyLine,
        /// The half that only its owner keeps.
        private: Private,
    },
    /// A key was registered.
    Registered {
        /// The key.
        key: KeyLine,
    },
    /// Every key, by id.
    Keys {
        /// The keys.
        keys: Vec<KeyLine>,
    },
    /// A key is bound as asked.
    Bound,
    /// A key was revoked.
    Revoked,
    /// Another key signs the trail now.
    NotaryRotated {
        /// Its number.
        generation: u64,
        /// Since when it signs, RFC 3339.
        valid_from: String,
        /// The newest verifier key of each tenant's tree.
        verifier_keys: Vec<String>,
    },
    /// Something about staff.
    Staff(staff::Answer),
    /// It is kept that a backup was read back.
    Kept,
    /// Where the server listens.
    Status {
        /// Address and port.
        address: SocketAddr,
    },
    /// Nothing was done.
    Refused {
        /// Why.
        why: String,
    },
}

/// What may be shown of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyLine {
    /// `key_…`.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Registered name of its algorithm, or `bearer`.
    pub algorithm: String,
    /// What it may do.
    pub scopes: String,
    /// For people.
    pub name: String,
    /// When it was registered, RFC 3339.
    pub created_at: String,
    /// When it ended, if it has.
    pub revoked_at: Option<String>,
    /// When it ends by itself, because another one has taken its place.
    pub valid_until: Option<String>,
    /// The day of its last use.
    pub last_used_on: Option<String>,
}

/// A secret on its way to its owner: zeroed when dropped, no `Debug`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private(String);

impl Private {
    /// The secret text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Who answers.
#[derive(Clone)]
pub struct Clerk {
    /// Knows the keys.
    pub registry: Arc<KeyRegistry>,
    /// Knows the staff.
    pub staff: Arc<Staff>,
    /// Signs the trail.
    pub notary: Notary,
    /// The way to write.
    pub journal: Journal,
    /// In whose trail stands what is of no one company.
    pub company: TenantId,
    /// Where browsers find the pages for staff.
    pub origin: String,
}

/// Answers one question. `uid` is the user who asks: it stands in the trail.
pub async fn answer(clerk: &Clerk, question: Question, uid: u32) -> Answer {
    let author = || Author {
        actor: Actor::Staff(format!("uid-{uid}")),
        purpose: Purpose::from("administration at the command line"),
    };
    let registry = &*clerk.registry;
    let answered = match question {
        Question::Create {
            algorithm,
            tenant,
            scopes,
            name,
        } => create(registry, author(), &algorithm, (tenant, &scopes, name)).await,
        Question::Register {
            algorithm,
            public_pem,
            tenant,
            scopes,
            name,
        } => {
            let new = (tenant, &*scopes, name);
            register(registry, author(), (&algorithm, &public_pem), new).await
        }
        Question::List => Ok(Answer::Keys {
            keys: registry.all().iter().map(|key| line(key)).collect(),
        }),
        Question::Rotate { id, overlap_hours } => registry
            .rotate(author(), &id, i64::from(overlap_hours) * HOUR)
            .await
            .map(created)
            .map_err(text),
        Question::Bind {
            id,
            networks,
            certificate,
        } => registry
            .bind(author(), &id, networks, certificate)
            .await
            .map(|()| Answer::Bound)
            .map_err(text),
        Question::Revoke { id } => registry
            .revoke(author(), &id)
            .await
            .map(|()| Answer::Revoked)
            .map_err(text),
        Question::RotateNotary => rotate_notary(&clerk.notary)
            .await
            .map_err(|error| error.to_string()),
        Question::Staff(question) => staff::answer(clerk, question, author())
            .await
            .map(Answer::Staff)
            .map_err(|error| error.to_string()),
        Question::ReadBack(backup) => keep(clerk, &backup, author())
            .await
            .map(|()| Answer::Kept)
            .map_err(|error| error.to_string()),
        Question::Status => Err("no server runs on this data folder".to_owned()),
    };
    answered.unwrap_or_else(|why| Answer::Refused { why })
}

async fn create(
    registry: &KeyRegistry,
    author: Author,
    algorithm: &str,
    new: (TenantId, &str, String),
) -> Result<Answer, String> {
    let new = new_key(new)?;
    let created = match algorithm {
        "bearer" => registry.create_bearer(author, new).await,
        name => registry.create(author, parse_algorithm(name)?, new).await,
    };
    created.map(self::created).map_err(text)
}

async fn register(
    registry: &KeyRegistry,
    author: Author,
    (algorithm, public_pem): (&str, &str),
    new: (TenantId, &str, String),
) -> Result<Answer, String> {
    let (algorithm, new) = (parse_algorithm(algorithm)?, new_key(new)?);
    let key = registry.register(author, algorithm, public_pem.as_bytes(), new);
    let key = line(&*key.await.map_err(text)?);
    Ok(Answer::Registered { key })
}

/// Keeps that a backup was read back.
async fn keep(
    clerk: &Clerk,
    backup: &Backup,
    author: Author,
) -> Result<(), paywarden_store::Error> {
    let store = (clerk.notary.database(), &clerk.journal);
    let by = (author.actor, author.purpose);
    backup.keep(store, clerk.company.clone(), by).await
}

/// Lets the next key sign the trail. No leaf tells of it: the store keeps every key with its times,
/// and each checkpoint says which has signed it.
async fn rotate_notary(notary: &Notary) -> Result<Answer, notary::Refusal> {
    let key = notary.rotate().await?;
    tracing::warn!(generation = key.generation, "another key signs the trail");
    let trees = notary.database().trail_exported("").await?;
    let verifier = |tree: &Standing| {
        let verifier = key.verifier(&notary.origin(&tree.tenant))?;
        Ok(verifier.to_string())
    };
    let verifier_keys = trees.iter().map(verifier);
    Ok(Answer::NotaryRotated {
        generation: key.generation,
        valid_from: key.valid_from.to_string(),
        verifier_keys: verifier_keys.collect::<Result<_, notary::Refusal>>()?,
    })
}

fn created(created: CreatedKey) -> Answer {
    Answer::Created {
        key: line(&created.key),
        private: Private(created.private.to_string()),
    }
}

fn new_key((tenant, scopes, description): (TenantId, &str, String)) -> Result<NewKey, String> {
    Ok(NewKey {
        tenant,
        scopes: Scopes::parse(scopes).map_err(text)?,
        description,
    })
}

fn parse_algorithm(name: &str) -> Result<SignatureAlgorithm, String> {
    SignatureAlgorithm::parse(name).ok_or_else(|| format!("unknown algorithm {name}"))
}

fn text(error: paywarden_access::Error) -> String {
    error.to_string()
}

fn line(key: &RegisteredKey) -> KeyLine {
    KeyLine {
        id: key.id.clone(),
        tenant: key.tenant.clone(),
        algorithm: key.algorithm().to_owned(),
        scopes: key.scopes.to_string(),
        name: key.description.clone(),
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|time| time.to_string()),
        valid_until: key.terms.valid_until.map(|time| time.to_string()),
        last_used_on: key.last_used_on().map(|time| time.to_string()),
    }
}

/// The server's side of the socket; closed when dropped.
pub struct KeyDesk {
    path: PathBuf,
    listening: JoinHandle<()>,
}

impl KeyDesk {
    /// Listens in the data folder. A socket left by a killed server is replaced: whoever holds
    /// the store's write lock is the only server of the folder.
    pub fn open(data_dir: &Path, clerk: Clerk, address: SocketAddr) -> Result<Self> {
        let path = data_dir.join(SOCKET_FILE);
        let unbound = |error: io::Error| {
            Failure::environment(
                format!("cannot listen on {}: {error}", path.display()),
                "choose a data folder with a shorter path that you may write to",
            )
        };
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(unbound)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(unbound)?;
        let listening = tokio::spawn(async move {
            // One question at a time: people type slower than that.
            while let Ok((stream, _)) = listener.accept().await {
                let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
                let served = timeout(limit, serve_one(stream, &clerk, address)).await;
                if let Ok(Err(error)) = served {
                    tracing::warn!(%error, "key desk connection ended early");
                }
            }
        });
        Ok(Self { path, listening })
    }

    /// Stops listening.
    pub fn close(self) {}
}

impl Drop for KeyDesk {
    fn drop(&mut self) {
        self.listening.abort();
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve_one(
    stream: tokio::net::UnixStream,
    clerk: &Clerk,
    address: SocketAddr,
) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.into_split();
    let mut question = Zeroizing::new(String::new());
    tokio::io::BufReader::new(reader.take(LINE_BYTES_MAX))
        .read_line(&mut question)
        .await?;
    let answer = match serde_json::from_str(&question) {
        Ok(Question::Status) => Answer::Status { address },
        Ok(question) => answer(clerk, question, uid).await,
        Err(error) => Answer::Refused {
            why: error.to_string(),
        },
    };
    let mut line = Zeroizing::new(serde_json::to_vec(&answer)?);
    line.push(b'\n');
    writer.write_all(&line).await
}

/// Asks the server that runs on this data folder; none if no server does.
pub fn ask(data_dir: &Path, question: &Question) -> Result<Option<Answer>> {
    let path = data_dir.join(SOCKET_FILE);
    let Ok(mut stream) = UnixStream::connect(&path) else {
        return Ok(None);
    };
    let mut exchange = || -> io::Result<Answer> {
        stream.set_read_timeout(Some(Duration::from_secs(2 * ANSWER_SECONDS_MAX)))?;
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut text = Zeroizing::new(String::new());
        BufReader::new((&stream).take(LINE_BYTES_MAX)).read_line(&mut text)?;
        Ok(serde_json::from_str(&text)?)
    };
    exchange().map(Some).map_err(|error| {
        Failure::environment(
            format!("the server on {} does not answer: {error}", path.display()),
            "look at the log of the server",
        )
    })
}
