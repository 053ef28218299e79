//! `paywarden keys`: who may call. Works beside a running server and without one.

use crate::{
    command::sign::{EXAMPLE_EVENT, example_call},
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    key_desk::{Answer, KeyLine, Question, answer, ask},
    private, terminal,
    wiring::{Ground, local_ca_pem},
};
use paywarden_access::{Network, Scopes, terms::CertificateHash};
use paywarden_domain::TenantId;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What can be done with keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key; its private half is written to a file that only you can read
    Create(Create),
    /// Register the public half of a key that you made yourself
    Register(Register),
    /// List every key
    List(List),
    /// Put a new key in the place of one; both are valid for a while
    Rotate(Rotate),
    /// Let the next key sign the trail; for 30 days the one before signs too
    RotateNotary(RotateNotary),
    /// Say from which networks a key may be used, and with which client certificate
    Bind(Bind),
    /// End a key
    Revoke(Revoke),
}

/// Arguments of `keys create`.
#[derive(Debug, clap::Args)]
pub struct Create {
    #[command(flatten)]
    new: New,
    /// ed25519, ecdsa-p256-sha256, rsa-pss-sha512, rsa-v1_5-sha256, hmac-sha256 or bearer
    #[arg(long, default_value = "ed25519")]
    algorithm: String,
    /// File for the private half [default: keys/ID.pem in the data folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `keys register`.
#[derive(Debug, clap::Args)]
pub struct Register {
    /// The public key as PEM
    #[arg(value_name = "FILE")]
    public: PathBuf,
    #[command(flatten)]
    new: New,
    /// ed25519, ecdsa-p256-sha256, rsa-pss-sha512 or rsa-v1_5-sha256
    #[arg(long, default_value = "ed25519")]
    algorithm: String,
    #[command(flatten)]
    config: ConfigFlags,
}

/// What a new key is for.
#[derive(Debug, clap::Args)]
struct New {
    /// The company whose key it is; everything signed with it belongs to that company
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    /// What it is for, in words
    #[arg(long, default_value = "")]
    name: String,
    /// What it may do, comma-separated [default: all but the vault and what is for people alone]
    #[arg(long)]
    scopes: Option<String>,
}

/// Arguments of `keys list`.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `keys rotate`.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// The old key's id
    #[arg(value_name = "KEY_ID")]
    id: String,
    /// Hours for which the old key stays valid, at most 720
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=720))]
    overlap_hours: u16,
    /// File for the private half [default: keys/ID.pem in the data folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `keys rotate-notary`.
#[derive(Debug, clap::Args)]
pub struct RotateNotary {
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `keys bind`.
#[derive(Debug, clap::Args)]
pub struct Bind {
    /// The key's id
    #[arg(value_name = "KEY_ID")]
    id: String,
    /// A network such as 203.0.113.0/24; may be repeated [default: from anywhere]
    #[arg(long = "network", value_name = "CIDR", value_parser = network)]
    networks: Vec<Network>,
    /// The client certificate as PEM, or its SHA-256 [default: none]
    #[arg(long, value_name = "FILE|SHA256", value_parser = certificate)]
    certificate: Option<CertificateHash>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `keys revoke`.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The key's id
    #[arg(value_name = "KEY_ID")]
    id: String,
    #[command(flatten)]
    config: ConfigFlags,
}

pub(super) fn tenant(text: &str) -> std::result::Result<TenantId, String> {
    TenantId::parse(text).map_err(|invalid| invalid.detail)
}

fn network(text: &str) -> std::result::Result<Network, String> {
    text.parse().map_err(str::to_owned)
}

/// A certificate by its hash, or by the file that holds it.
fn certificate(text: &str) -> std::result::Result<CertificateHash, String> {
    if let Ok(hash) = text.parse() {
        return Ok(hash);
    }
    let certificate = CertificateDer::from_pem_file(text);
    let certificate = certificate.map_err(|error| format!("no certificate: {error}"))?;
    Ok(CertificateHash::of(&certificate))
}

/// Runs the command.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Create(arguments) => create(arguments).await,
        Command::Register(arguments) => register(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Rotate(arguments) => rotate(arguments).await,
        Command::RotateNotary(arguments) => rotate_notary(arguments).await,
        Command::Bind(arguments) => bind(arguments).await,
        Command::Revoke(arguments) => revoke(arguments).await,
    }
}

async fn create(arguments: Create) -> Result<()> {
    let config = arguments.config.load()?.config;
    let New {
        tenant,
        name,
        scopes,
    } = arguments.new;
    let scopes = scopes.unwrap_or_else(|| Scopes::usual().to_string());
    let question = Question::Create {
        algorithm: arguments.algorithm,
        tenant,
        scopes,
        name,
    };
    keep(&config, question, arguments.out).await
}

/// Has a key made and keeps its private half.
async fn keep(config: &Config, question: Question, out: Option<PathBuf>) -> Result<()> {
    match put(config, question).await? {
        Answer::Created { key, private } => {
            let path = match out {
                Some(path) => path,
                None => in_data_dir(config, &key)?,
            };
            private::file(&path, private.expose())?;
            terminal::result(&created(&key, &path, address(config), &config.data_dir));
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

async fn rotate(arguments: Rotate) -> Result<()> {
    let config = arguments.config.load()?.config;
    let Rotate {
        id, overlap_hours, ..
    } = arguments;
    let question = Question::Rotate {
        id: id.clone(),
        overlap_hours,
    };
    keep(&config, question, arguments.out).await?;
    terminal::result(&format!(
        "  old key       {id} ends in {overlap_hours} hours\n"
    ));
    Ok(())
}

async fn rotate_notary(arguments: RotateNotary) -> Result<()> {
    let config = arguments.config.load()?.config;
    match put(&config, Question::RotateNotary).await? {
        Answer::NotaryRotated {
            generation,
            valid_from,
            verifier_keys,
        } => {
            let mut text = format!("key {generation} signs the trail since {valid_from}\n");
            for key in verifier_keys {
                text += &format!("  {key}\n");
            }
            text += "  tell whoever verifies: the key before signs for 30 days more\n";
            terminal::result(&text);
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

async fn bind(arguments: Bind) -> Result<()> {
    let config = arguments.config.load()?.config;
    let question = Question::Bind {
        id: arguments.id.clone(),
        networks: arguments.networks,
        certificate: arguments.certificate,
    };
    match put(&config, question).await? {
        Answer::Bound => {
            terminal::result(&format!("{} bound\n", arguments.id));
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

async fn register(arguments: Register) -> Result<()> {
    let config = arguments.config.load()?.config;
    let public_pem = fs::read_to_string(&arguments.public).map_err(|error| {
        Failure::environment(
            format!("cannot read {}: {error}", arguments.public.display()),
            "openssl pkey -in key.pem -pubout writes the public half of a key",
        )
    })?;
    let New {
        tenant,
        name,
        scopes,
    } = arguments.new;
    let scopes = scopes.unwrap_or_else(|| Scopes::usual().to_string());
    let algorithm = arguments.algorithm;
    let question = Question::Register {
        algorithm,
        public_pem,
        tenant,
        scopes,
        name,
    };
    match put(&config, question).await? {
        Answer::Registered { key } => {
            let KeyLine {
                id,
                tenant,
                algorithm,
                ..
            } = key;
            terminal::result(&format!("{id} registered for {tenant} ({algorithm})\n"));
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

async fn list(arguments: List) -> Result<()> {
    let config = arguments.config.load()?.config;
    match put(&config, Question::List).await? {
        Answer::Keys { keys } => {
            terminal::result(&table(&keys));
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

async fn revoke(arguments: Revoke) -> Result<()> {
    let config = arguments.config.load()?.config;
    match put(
        &config,
        Question::Revoke {
            id: arguments.id.clone(),
        },
    )
    .await?
    {
        Answer::Revoked => {
            terminal::result(&format!("{} revoked\n", arguments.id));
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

/// Asks the running server, or the store itself if no server runs.
pub(super) async fn put(config: &Config, question: Question) -> Result<Answer> {
    let next = match &question {
        Question::Create { .. } | Question::Register { .. } => {
            "`paywarden keys create --help` shows what a key can be"
        }
        Question::ReadBack(_) => "call `paywarden backup read-back` for the copy again",
        Question::Staff(_) => "`paywarden staff review` shows every account",
        _ => "`paywarden keys list` shows every key",
    };
    let answered = match ask(&config.data_dir, &question)? {
        Some(answered) => answered,
        None => {
            let ground = Ground::open(config).await?;
            let uid = fs::metadata("/proc/self").map_or(u32::MAX, |process| process.uid());
            let clerk = ground.clerk(config).await;
            let answered = match clerk {
                Ok(clerk) => Ok(answer(&clerk, question, uid).await),
                Err(failure) => Err(failure),
            };
            ground.close().await;
            answered?
        }
    };
    match answered {
        Answer::Refused { why } => Err(Failure::wrong_use(why, next)),
        answered => Ok(answered),
    }
}

fn in_data_dir(config: &Config, key: &KeyLine) -> Result<PathBuf> {
    let folder = config.data_dir.join("keys");
    private::folder(&folder)?;
    let end = match key.algorithm.as_str() {
        "hmac-sha256" | "bearer" => "secret",
        _ => "pem",
    };
    Ok(folder.join(format!("{}.{end}", key.id)))
}

fn created(key: &KeyLine, path: &Path, address: SocketAddr, data_dir: &Path) -> String {
    let (file, ca_pem) = (path.display(), local_ca_pem(data_dir));
    let url = format!("https://{address}");
    let call = match key.algorithm.as_str() {
        "bearer" => format!(
            "curl --cacert {} -H \"Authorization: Bearer $(cat {file})\" \
             -H 'Idempotency-Key: payment-1' -H 'Content-Type: application/json' \
             {url}/v1/decisions -d '{EXAMPLE_EVENT}'",
            ca_pem.display(),
        ),
        _ => example_call(path, &url),
    };
    format!(
        "{} created for {} ({})\n\
         \x20 private half  {file} (mode 0600, nowhere else)\n\
         \x20 try it        {call}\n",
        key.id, key.tenant, key.algorithm,
    )
}

/// Where the running server listens, or where one would.
fn address(config: &Config) -> SocketAddr {
    match ask(&config.data_dir, &Question::Status) {
        Ok(Some(Answer::Status { address })) => address,
        _ => config.listen,
    }
}

fn table(keys: &[KeyLine]) -> String {
    if keys.is_empty() {
        return "no keys yet: paywarden keys create --tenant NAME\n".to_owned();
    }
    let mut text = format!(
        "{:<30} {:<16} {:<18} {:<24} {:<11} name\n",
        "key", "tenant", "algorithm", "state", "last used"
    );
    for key in keys {
        let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
        let state = match (&key.revoked_at, &key.valid_until) {
            (Some(time), _) => format!("revoked {}", day(time)),
            (None, Some(time)) => format!("until {}", time.get(..16).unwrap_or(time)),
            (None, None) => format!("since {}", day(&key.created_at)),
        };
        let used = key.last_used_on.as_deref().map_or("never".to_owned(), day);
        let KeyLine {
            id,
            tenant,
            algorithm,
            name,
            ..
        } = key;
        let tenant = tenant.as_str();
        text += &format!("{id:<30} {tenant:<16} {algorithm:<18} {state:<24} {used:<11} {name}\n");
    }
    text
}

pub(super) fn unexpected(answer: &Answer) -> Failure {
    Failure::environment(
        format!("the server answered something else: {answer:?}"),
        "use the same version of paywarden as the server",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: &str, revoked_at: Option<&str>) -> KeyLine {
        KeyLine {
            id: format!("key_{}", algorithm.len()),
            tenant: TenantId::parse("acme").unwrap(),
            algorithm: algorithm.to_owned(),
            scopes: Scopes::all().to_string(),
            name: "checkout".to_owned(),
            created_at: "2026-01-31T08:00:00Z".to_owned(),
            revoked_at: revoked_at.map(str::to_owned),
            valid_until: (algorithm == "ed25519").then(|| "2026-03-01T08:00:00Z".to_owned()),
            last_used_on: revoked_at.map(|_| "2026-01-31T00:00:00Z".to_owned()),
        }
    }

    #[test]
    fn what_is_said_of_keys() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8443));
        let said = |algorithm: &str| {
            let key = key(algorithm, None);
            created(
                &key,
                Path::new("data/keys/key_1.pem"),
                address,
                Path::new("data"),
            )
        };
        let keys = [
            key("ed25519", None),
            key("bearer", Some("2026-02-01T08:00:00Z")),
        ];
        let texts = [said("ed25519"), said("bearer"), table(&keys), table(&[])];
        insta::assert_snapshot!(texts.join("\n"));
    }
}
