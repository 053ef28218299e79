//! What an operator can set: defaults, then `paywarden.toml`, then `PAYWARDEN_*`, then flags.
//!
//! *Invariant*: an unknown key is an error wherever it is written, and a secret is never a value:
//! only the path of a file that holds it.

mod layers;
#[cfg(test)]
mod tests;

pub use layers::{ConfigFlags, Loaded, SettingFlags};

use crate::{
    failure::{Failure, Result},
    siem::Format,
};
use paywarden_access::{
    Network,
    watch::{Calendar, Effect},
};
use paywarden_cases::ScannerAway;
use paywarden_domain::{Currency, TenantId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write as _, fs, net::SocketAddr, path::PathBuf};

/// The file read when no other is named; it may be absent.
pub const FILE_DEFAULT: &str = "paywarden.toml";
/// What every environment variable of ours begins with.
const ENVIRONMENT_PREFIX: &str = "PAYWARDEN_";
/// The one variable that is not a setting: where tests find outside data.
const ENVIRONMENT_TEST_DATA: &str = "PAYWARDEN_DATA";

/// Every setting. Flat on purpose: the key in the file is the name in the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port of the API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Keys, certificates, window snapshot and, by default, the database. Made with mode 0700.
    pub data_dir: PathBuf,
    /// `sqlite:///path` or `postgres://user@host/name`; a file in `data_dir` when not set.
    pub database_url: Option<String>,
    /// File that holds the database password.
    pub database_password_file: Option<PathBuf>,
    /// Certificate chain as PEM; a local authority makes one when not set.
    pub tls_certificate: Option<PathBuf>,
    /// Private key of the certificate as PEM.
    pub tls_key: Option<PathBuf>,
    /// Names and addresses in the certificate that the local authority makes.
    pub tls_names: Vec<String>,
    /// Asks connections for a client certificate, for keys that are bound to one.
    pub client_certificates: bool,
    /// Ciphers and hashes of the vault: default, or gm for SM4 and SM3. A vault keeps its own.
    pub vault_profile: String,
    /// Secrets of the epochs of the vault's keys, `vault.epochs` in `data_dir` when not set. It
    /// belongs to no backup of the database.
    pub vault_epochs_file: Option<PathBuf>,
    /// Shares of the master key, one file of each custodian; a key file in `data_dir` when none.
    pub key_shares: Vec<PathBuf>,
    /// Where the master key comes from: file (or key_shares), pkcs11 or transit. The latter two keep
    /// it sealed, and open the secrets of epochs again and again.
    pub root: RootKind,
    /// The name of the key in the token or the service.
    pub root_key: String,
    /// How long what such a root has opened may be used, in seconds: the vault closes when it is
    /// gone for longer.
    pub root_lease_seconds: u32,
    /// The library of the PKCS#11 token; needs a program that was built with the feature `pkcs11`.
    pub pkcs11_module: Option<PathBuf>,
    /// The label of the token.
    pub pkcs11_token: Option<String>,
    /// File that holds the PIN of its user.
    pub pkcs11_pin_file: Option<PathBuf>,
    /// The transit engine of Vault or OpenBao, such as `https://kms.example:8200/v1/transit`.
    pub transit_url: Option<String>,
    /// File that holds our token there.
    pub transit_token_file: Option<PathBuf>,
    /// Authorities that its certificate is held against, as PEM.
    pub transit_ca: Option<PathBuf>,
    /// Days that the secret of an epoch of the vault may wrap keys.
    pub vault_epoch_days: u32,
    /// Days that a master key may be used.
    pub root_days: u32,
    /// How many different persons a member of staff is shown by grants in a day without a wait.
    pub reveals_per_day: u32,
    /// Where browsers find the pages for staff, such as `https://pay.example.com`; `localhost` when
    /// not set. Passkeys are bound to it.
    pub origin: Option<String>,
    /// The company whose first administrator the first start invites.
    pub first_company: String,
    /// File with roles of your own, as `[[role]]` tables; the built-in ones only when not set.
    pub roles_file: Option<PathBuf>,
    /// OpenID providers that people can come in by, as TOML; needs `origin` and a program that was
    /// built with the feature `oidc`.
    pub providers_file: Option<PathBuf>,
    /// File that names the screening lists to fetch, as `[[list]]` tables; none are fetched when not
    /// set.
    pub screening_file: Option<PathBuf>,
    /// File of what raises alerts, of queues, reasons and typologies; the shipped one when not set.
    pub alert_policy: Option<PathBuf>,
    /// Who scans files before they are put beside cases, by the protocol of ClamAV's clamd:
    /// `unix:/run/clamav/clamd.ctl` or `tcp://127.0.0.1:3310`; nobody when not set.
    pub file_scanner: Option<String>,
    /// Seconds that a scan may take.
    pub file_scanner_seconds: u32,
    /// What happens to files while the scanner does not answer: refuse or take, unscanned.
    pub file_scanner_away: ScannerAway,
    /// File of the typologies of laundering and of the scores from which each alerts and stops; the
    /// shipped one when not set.
    pub typologies: Option<PathBuf>,
    /// File of how customers are rated; the shipped one when not set.
    pub rating_policy: Option<PathBuf>,
    /// The country of each company as a profile of reports: `[jurisdictions] acme = "eu"`. It says what
    /// the Travel Rule asks of transfers and what is a large value.
    pub jurisdictions: BTreeMap<String, String>,
    /// File of who reports large values, a table for each company; nothing is drafted when not set.
    pub reporting_file: Option<PathBuf>,
    /// Private networks that webhooks may reach, such as `["10.1.0.0/16"]`; public addresses alone
    /// when none.
    pub webhook_networks: Vec<Network>,
    /// Authorities that webhooks are held against, as PEM; those of the machine when not set.
    pub webhook_ca: Option<PathBuf>,
    /// How messages to payers are sent: webhook, or log, in a sandbox alone.
    pub messenger: MessengerKind,
    /// Rules that passwords of staff are held against: nist, pci, mlps-l3 or page.
    pub password_profile: String,
    /// Folder of rule packs; the shipped packs when not set.
    pub rules_dir: Option<PathBuf>,
    /// The most that a rule about acts does by itself: alert, step_up or suspend.
    pub watch_effect_max: Effect,
    /// Networks of the company, such as `["203.0.113.0/24"]`: `act.network_known`.
    pub watch_networks: Vec<Network>,
    /// Minutes that the office is ahead of UTC: for `act.office_hours` and `act.hour_local`.
    pub office_offset_minutes: i32,
    /// The first hour of work at the office, 0 to 23.
    pub office_from_hour: u8,
    /// The first hour after work at the office, 1 to 24.
    pub office_to_hour: u8,
    /// Days of work at the office, 1 Monday to 7 Sunday.
    pub office_weekdays: Vec<u8>,
    /// Days without work at the office, such as `["2026-10-01"]`.
    pub office_holidays: Vec<String>,
    /// Passwords known from breaches, as `paywarden passwords` makes the file; none when not set.
    pub breached_passwords: Option<PathBuf>,
    /// The currency that windows sum in and rules compare in.
    pub base_currency: Currency,
    /// Major units of the base currency for one major unit of another, as text.
    pub rates: BTreeMap<String, String>,
    /// Accepts bearer keys and explains refused signatures. Never with real payments.
    pub sandbox: bool,
    /// Believes the caller's event times however old, and `known_at` in labels: for replays.
    pub trust_event_time: bool,
    /// Budget of one decision.
    pub deadline_ms: u32,
    /// The oldest event accepted.
    pub event_age_hours_max: u32,
    /// How far ahead of our clock an event may lie.
    pub event_ahead_seconds_max: u32,
    /// Events held in the windows.
    pub window_events_max: u64,
    /// Decisions between two snapshots of the windows.
    pub snapshot_every_decisions: u64,
    /// Entities held in the windows.
    pub window_entities_max: usize,
    /// Open connections.
    pub connections_max: usize,
    /// Open connections of one address.
    pub connections_per_address_max: usize,
    /// Requests worked on at once.
    pub requests_in_flight_max: usize,
    /// Requests of one key in a second.
    pub requests_per_second_per_key: u32,
    /// How many rows of one kind a reader may look at in a day (UTC) without an approved export.
    pub rows_per_reader_per_day: u64,
    /// Seconds between two checkpoints of the trail; one is also made whenever it is asked for.
    pub trail_checkpoint_seconds: u32,
    /// Days after which the next key signs the trail.
    pub trail_key_days: u32,
    /// Verifier keys of the witnesses whose cosignatures are kept.
    pub trail_witnesses: Vec<String>,
    /// Who gets the trail over syslog: `tls://host:6514`, or `tcp://127.0.0.1:514` on this machine;
    /// nobody when not set.
    pub siem_address: Option<String>,
    /// How it is written: ocsf or cef.
    pub siem_format: Format,
    /// Authorities that the receiver's certificate is held against, as PEM.
    pub siem_ca: Option<PathBuf>,
    /// The name in the receiver's certificate; the host of its address when not set.
    pub siem_server_name: Option<String>,
    /// Certificate chain that we show to the receiver, as PEM; none when not set.
    pub siem_certificate: Option<PathBuf>,
    /// Private key of that certificate, as PEM.
    pub siem_key: Option<PathBuf>,
    /// Private enterprise number (IANA) of whoever runs this, for structured data of their own in
    /// each message; none when 0.
    pub siem_enterprise: u32,
    /// What is logged, in `RUST_LOG` form.
    pub log: String,
    /// Logs as JSON lines.
    pub log_json: bool,
}

/// Where the master key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// A file of its own, or shares of custodians.
    File,
    /// A key in a PKCS#11 token keeps it sealed.
    Pkcs11,
    /// A key in a service keeps it sealed.
    Transit,
}

/// How messages to payers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessengerKind {
    /// To the webhooks of the company, whose own app tells them.
    Webhook,
    /// Into the log.
    Log,
}

impl Default for Config {
    #[allow(clippy::too_many_lines, reason = "one line for each setting")]
    fn default() -> Self {
        let office = Calendar::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            data_dir: PathBuf::from("data"),
            database_url: None,
            database_password_file: None,
            tls_certificate: None,
            tls_key: None,
            tls_names: vec![
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
                "::1".to_owned(),
            ],
            client_certificates: false,
            vault_profile: "default".to_owned(),
            vault_epochs_file: None,
            key_shares: Vec::new(),
            root: RootKind::File,
            root_key: "paywarden".to_owned(),
            root_lease_seconds: 300,
            pkcs11_module: None,
            pkcs11_token: None,
            pkcs11_pin_file: None,
            transit_url: None,
            transit_token_file: None,
            transit_ca: None,
            vault_epoch_days: 365,
            root_days: 1_826,
            reveals_per_day: 30,
            origin: None,
            first_company: "main".to_owned(),
            roles_file: None,
            providers_file: None,
            screening_file: None,
            alert_policy: None,
            file_scanner: None,
            file_scanner_seconds: 20,
            file_scanner_away: ScannerAway::Refuse,
            typologies: None,
            rating_policy: None,
            reporting_file: None,
            jurisdictions: BTreeMap::new(),
            webhook_networks: Vec::new(),
            webhook_ca: None,
            messenger: MessengerKind::Webhook,
            password_profile: "pci".to_owned(),
            rules_dir: None,
            watch_effect_max: Effect::Suspend,
            watch_networks: Vec::new(),
            office_offset_minutes: office.offset_minutes,
            office_from_hour: office.from_hour,
            office_to_hour: office.to_hour,
            office_weekdays: office.weekdays,
            office_holidays: office.holidays,
            breached_passwords: None,
            base_currency: usd(),
            rates: BTreeMap::new(),
            sandbox: false,
            trust_event_time: false,
            deadline_ms: 80,
            event_age_hours_max: 24,
            event_ahead_seconds_max: 60,
            window_events_max: 5_000_000,
            snapshot_every_decisions: 250_000,
            window_entities_max: 20_000_000,
            connections_max: 4_096,
            connections_per_address_max: 512,
            requests_in_flight_max: 1_024,
            requests_per_second_per_key: 20_000,
            rows_per_reader_per_day: 20_000,
            trail_checkpoint_seconds: 5,
            trail_key_days: 365,
            trail_witnesses: Vec::new(),
            siem_address: None,
            siem_format: Format::Ocsf,
            siem_ca: None,
            siem_server_name: None,
            siem_certificate: None,
            siem_key: None,
            siem_enterprise: 0,
            log: "warn".to_owned(),
            log_json: false,
        }
    }
}

/// The currency that everything is counted in when nothing else is said.
pub fn usd() -> Currency {
    match Currency::parse("USD") {
        Ok(currency) => currency,
        Err(_) => unreachable!("USD is a currency"),
    }
}

impl Config {
    fn check(&self) -> Result<()> {
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(Failure::wrong_use(
                "tls_certificate and tls_key belong together",
                "set both, or neither for a local authority",
            ));
        }
        if self.siem_certificate.is_some() != self.siem_key.is_some() {
            return Err(Failure::wrong_use(
                "siem_certificate and siem_key belong together",
                "set both, or neither to show no certificate",
            ));
        }
        if self
            .database_url
            .as_deref()
            .is_some_and(|url| masked_url(url) != url)
        {
            return Err(Failure::wrong_use(
                "database_url holds a password",
                "write the password to a file of mode 0600 and name it in database_password_file",
            ));
        }
        Ok(())
    }

    /// When the office works.
    pub fn office(&self) -> Calendar {
        Calendar {
            offset_minutes: self.office_offset_minutes,
            from_hour: self.office_from_hour,
            to_hour: self.office_to_hour,
            weekdays: self.office_weekdays.clone(),
            holidays: self.office_holidays.clone(),
        }
    }

    /// The first company: in its trail stands what is of no one company.
    pub fn company(&self) -> Result<TenantId> {
        let company = &self.first_company;
        TenantId::parse(company).map_err(|error| {
            let next = "set first_company to the name of your company: letters, digits, `-`";
            Failure::wrong_use(format!("first_company = {company}: {error}"), next)
        })
    }

    /// The address of the database, with the password from its file.
    pub fn database_address(&self) -> Result<String> {
        let Some(url) = &self.database_url else {
            let folder = std::path::absolute(&self.data_dir)
                .map_err(|error| Failure::environment(error, "name an absolute data_dir"))?;
            return Ok(format!(
                "sqlite://{}",
                folder.join("paywarden.db").display()
            ));
        };
        let Some(path) = &self.database_password_file else {
            return Ok(url.clone());
        };
        let password = fs::read_to_string(path).map_err(|error| {
            let what = format!("cannot read {}: {error}", path.display());
            Failure::environment(what, "write the database password to this file, mode 0600")
        })?;
        let encoded = percent_encoded(password.trim_end());
        match url.split_once('@') {
            Some((head, rest)) => Ok(format!("{head}:{encoded}@{rest}")),
            None => Err(Failure::wrong_use(
                "database_url names no user for the password",
                "write it as postgres://user@host/name",
            )),
        }
    }

    /// Every setting as it would stand in the file, each with its origin, without any secret.
    pub fn shown(&self, origins: &BTreeMap<String, String>) -> String {
        let table = toml::Table::try_from(self).unwrap_or_default();
        let mut text = String::new();
        for (key, value) in &table {
            let value = match value {
                toml::Value::String(url) if key == "database_url" => {
                    toml::Value::String(masked_url(url))
                }
                value => value.clone(),
            };
            let origin = origins.get(key).map_or("default", String::as_str);
            let line = format!("{key} = {value}");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line:<52} # {origin}");
        }
        text
    }
}

/// The address with the password, if it holds one, replaced by stars.
fn masked_url(url: &str) -> String {
    let masked = || {
        let (scheme, rest) = url.split_once("://")?;
        let (user_info, place) = rest.split_once('@')?;
        let (user, _) = user_info.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{place}"))
    };
    masked().unwrap_or_else(|| url.to_owned())
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
