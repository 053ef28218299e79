//! `paywarden sign`: the signature of a request, printed or put into a curl call.

mod curl;

use crate::{
    failure::{Failure, Result},
    signing::{Signer, fresh_idempotency_key, json_headers},
    terminal,
};
use http::{HeaderMap, Method, Uri};
use paywarden_crypto::SignatureAlgorithm;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// A card payment; the shell puts the time in.
pub const EXAMPLE_EVENT: &str = concat!(
    r#"{"id":"payment-1","type":"payment.card","occurred_at":"'$(date -u +%FT%TZ)'","#,
    r#""amount":{"value":"12.50","currency":"USD"},"payer":{"id":"customer-1"}}"#,
);

/// Arguments of `sign`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Private key file, as `paywarden keys create` wrote it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Name of the key [default: the file's name without its ending]
    #[arg(long)]
    key_id: Option<String>,
    /// Algorithm, for RSA keys that do not sign with rsa-pss-sha512
    #[arg(long, value_parser = algorithm)]
    algorithm: Option<SignatureAlgorithm>,
    /// Method [default: POST with a body, else GET]
    #[arg(long)]
    method: Option<Method>,
    /// Full address of the request
    #[arg(long, required_unless_present = "command", conflicts_with = "command")]
    url: Option<Uri>,
    /// Body: a file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    body: Option<PathBuf>,
    /// Idempotency key [default: a new one for POST]
    #[arg(long)]
    idempotency_key: Option<String>,
    /// A curl call to sign and run: paywarden sign --key FILE -- curl https://… -d @body.json
    #[arg(last = true)]
    command: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<()> {
    let signer = Signer::from_file(
        &arguments.key,
        arguments.key_id.as_deref(),
        arguments.algorithm,
    )?;
    match arguments.url {
        Some(url) => {
            let body = match &arguments.body {
                Some(path) => read_body(path)?,
                None => Vec::new(),
            };
            let method = arguments.method.unwrap_or_else(|| usual_method(&body));
            let key = arguments.idempotency_key;
            let headers = signed_headers(&signer, &method, &url, &body, key)?;
            terminal::result(&lines(&headers));
            Ok(())
        }
        None => {
            let call = curl::Call::parse(&arguments.command, arguments.method)?;
            call.run(&signer, arguments.idempotency_key, &arguments.key)
        }
    }
}

/// A call to copy: one payment of the present moment, signed with this key.
pub fn example_call(key_file: &Path, url: &str) -> String {
    let (program, key) = (terminal::program(), key_file.display());
    format!("{program} sign --key {key} -- curl {url}/v1/decisions -d '{EXAMPLE_EVENT}'")
}

/// Everything that has to be added to a request: what it is made of and its signature.
fn signed_headers(
    signer: &Signer,
    method: &Method,
    url: &Uri,
    body: &[u8],
    idempotency_key: Option<String>,
) -> Result<HeaderMap> {
    if url.scheme_str() != Some("https") || url.authority().is_none() {
        return Err(Failure::wrong_use(
            format!("{url} is no address of a server"),
            "write the whole address, like https://127.0.0.1:8443/v1/decisions",
        ));
    }
    let fresh = (method == Method::POST).then(fresh_idempotency_key);
    let mut headers = json_headers(body, idempotency_key.or(fresh).as_deref())?;
    signer
        .sign(method, url, &mut headers, body)
        .map_err(|error| {
            Failure::wrong_use(
                format!("cannot sign: {error}"),
                "check the key and the address",
            )
        })?;
    Ok(headers)
}

fn usual_method(body: &[u8]) -> Method {
    if body.is_empty() {
        Method::GET
    } else {
        Method::POST
    }
}

fn read_body(path: &Path) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().read_to_end(&mut body).map(drop),
        _ => fs::read(path).map(|bytes| body = bytes),
    };
    let missing = |error| {
        let what = format!("cannot read {}: {error}", path.display());
        Failure::environment(what, "name the file of the body, or - for standard input")
    };
    read.map_err(missing).map(|()| body)
}

/// The fields, one on a line, as `curl -H @FILE` reads them.
fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", value.to_str().unwrap_or_default())
    };
    headers.iter().map(line).collect()
}

fn algorithm(name: &str) -> std::result::Result<SignatureAlgorithm, String> {
    SignatureAlgorithm::parse(name).ok_or_else(|| "not an algorithm of RFC 9421".to_owned())
}
