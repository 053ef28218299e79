//! What the tests of the whole binary share.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod labelled;

use paywarden::{
    child::ServerChild,
    client::{Caller, Client, Protocol},
    signing::Signer,
};
use paywarden_domain::TenantId;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

/// The binary under test.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_paywarden"))
}

/// A folder of data from outside the project, if this machine has any.
pub fn outside_data(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("PAYWARDEN_DATA")?).join(folder);
    path.exists().then_some(path)
}

/// Runs the binary in a folder without a configuration of its own.
pub fn paywarden(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// What a command prints on stdout; it must end well.
pub fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = paywarden(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The JSON report of a command.
pub fn report(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(folder, arguments)).unwrap()
}

/// One figure of a report.
pub fn figure(report: &Value, name: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.unwrap_or_else(|| panic!("no figure {name}"))["value"]
        .as_f64()
        .unwrap_or(f64::NAN)
}

/// Starts a server on a folder. What it decides does not hang on how busy the machine is.
pub fn serve(folder: &Path, settings: &[&str]) -> ServerChild {
    let settings = ["deadline_ms=60000"].iter().chain(settings);
    let settings: Vec<String> = settings.map(|text| (*text).to_owned()).collect();
    ServerChild::start(&binary(), folder, &settings).unwrap()
}

/// A client of the server that signs with a new key of this tenant.
pub fn client(server: &ServerChild, tenant: &str) -> Arc<Client> {
    let (id, private) = server
        .create_key(&TenantId::parse(tenant).unwrap(), "ed25519")
        .unwrap();
    client_with(server, &id, &private)
}

/// A client of the server that signs with a known key.
pub fn client_with(server: &ServerChild, key_id: &str, private: &str) -> Arc<Client> {
    let caller = Caller::Signed(Signer::from_text(key_id, private).unwrap());
    Client::new(&server.url(), &server.ca_pem(), caller, Protocol::Http1).unwrap()
}
