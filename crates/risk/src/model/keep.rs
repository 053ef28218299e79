//! Packages as the store has them: a head, and the bytes in parts, in one entry of the journal.
//!
//! A model is named by what it is: the first 32 digits of the SHA-256 of its package. The
//! installation signs tenant and digest with a key of its own; what the signature does not fit, or
//! what does not have the digest, is not asked.

use crate::Error;
use paywarden_crypto::{
    Keyring,
    digest::sha256,
    key::{SigningKey, VerifyingKey},
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_models::Package;
use paywarden_store::{Database, RecordRow, Row};
use serde::{Deserialize, Serialize};

/// What kind of record a head is.
pub(super) const HEAD: &str = "model";
/// What kind of record a part is.
const PART: &str = "model_part";
const PART_BYTES: usize = 60 * 1024;
/// The largest package: with its head it is one entry of the journal.
pub(super) const PACKAGE_BYTES_MAX: usize = 240 * PART_BYTES;

/// Signs models.
pub(crate) struct Signer {
    key: SigningKey,
    check: VerifyingKey,
}

/// A registered model without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) model: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    parts: u32,
    /// Over what the tenant and the digest are, by the key of the installation.
    pub(super) signature: String,
    pub(super) payer: String,
    pub(super) place: String,
    /// In seconds.
    pub(super) label_delay_s: i64,
    pub(super) trees: u64,
    pub(super) features: u64,
    pub(super) reference_payments: u64,
    pub(super) reference_frauds: u64,
    pub(super) registered_at: Timestamp,
    pub(super) registered_by: String,
}

impl Signer {
    /// The key of this installation.
    pub(crate) fn new(keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        let key = SigningKey::from_seed(&*keyring.derive("model signing")?)?;
        let check = key.verifying_key()?;
        Ok(Self { key, check })
    }
}

impl Head {
    /// Of a package that was read from these bytes.
    pub(super) fn new(
        (tenant, signer): (&TenantId, &Signer),
        (bytes, package): (&[u8], &Package),
        (at, by): (Timestamp, String),
    ) -> Result<Self, Error> {
        let sha256 = hexadecimal(&sha256(bytes));
        let signature = signer.key.sign(message(tenant, &sha256).as_bytes());
        let signature = signature.map_err(|error| damaged(&error))?;
        Ok(Self {
            model: name(&sha256),
            bytes: bytes.len() as u64,
            parts: bytes.len().div_ceil(PART_BYTES) as u32,
            signature: hexadecimal(&signature),
            payer: package.reads.payer.name().to_owned(),
            place: package.reads.place.name().to_owned(),
            label_delay_s: package.reads.delay / paywarden_domain::time::SECOND,
            trees: package.model.size().0 as u64,
            features: package.model.features().len() as u64,
            reference_payments: package.reference.rows,
            reference_frauds: package.reference.frauds,
            registered_at: at,
            registered_by: by,
            sha256,
        })
    }

    /// The head and the parts as rows.
    pub(super) fn rows(&self, tenant: &TenantId, bytes: &[u8]) -> Result<Vec<Row>, Error> {
        let id = head_id(tenant, &self.model);
        let row = |kind: &str, id: String, body: Vec<u8>| {
            Row::Record(RecordRow {
                tenant: tenant.clone(),
                kind: kind.to_owned(),
                id,
                version: 1,
                written_at: self.registered_at,
                body,
            })
        };
        let head = serde_json::to_vec(self).map_err(|error| damaged(&error))?;
        let part =
            |(place, part): (usize, &[u8])| row(PART, format!("{id}.{place}"), part.to_vec());
        let mut rows: Vec<Row> = bytes.chunks(PART_BYTES).enumerate().map(part).collect();
        rows.push(row(HEAD, id.clone(), head));
        Ok(rows)
    }

    pub(super) fn read(row: &RecordRow) -> Result<Self, Error> {
        let head: Self = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
        match head_id(&row.tenant, &head.model) == row.id {
            true => Ok(head),
            false => Err(damaged(&"its head is that of another")),
        }
    }
}

/// The head of a model of a tenant. Error: [`Error::ModelUnknown`].
pub(super) async fn head(
    database: &Database,
    tenant: &TenantId,
    model: &str,
) -> Result<Head, Error> {
    let row = database.record(HEAD, &head_id(tenant, model)).await?;
    Head::read(&row.ok_or(Error::ModelUnknown)?)
}

/// The package of a model, if it is what the installation has signed.
pub(super) async fn package(
    database: &Database,
    (tenant, signer): (&TenantId, &Signer),
    model: &str,
) -> Result<Package, Error> {
    let head = head(database, tenant, model).await?;
    let id = head_id(tenant, model);
    let mut bytes = Vec::new();
    for place in 0..head.parts {
        let part = database.record(PART, &format!("{id}.{place}")).await?;
        bytes.extend(part.ok_or_else(|| damaged(&"a part is missing"))?.body);
    }
    let digest = hexadecimal(&sha256(&bytes));
    let signature = unhex(&head.signature).ok_or_else(|| damaged(&"its signature is none"))?;
    let signed = signer
        .check
        .verify(message(tenant, &digest).as_bytes(), &signature);
    if !signed || name(&digest) != head.model {
        return Err(damaged(&"it is not what was signed"));
    }
    let read = tokio::task::spawn_blocking(move || Package::read(&bytes)).await;
    let read = read.map_err(|error| damaged(&error))?;
    read.map_err(|error| damaged(&error))
}

/// The identifier of the record of a head.
pub(super) fn head_id(tenant: &TenantId, model: &str) -> String {
    hexadecimal(&sha256(format!("{}\n{model}", tenant.as_str()).as_bytes())[..16])
}

fn name(sha256: &str) -> String {
    format!("mdl_{}", sha256.get(..32).unwrap_or(sha256))
}

fn message(tenant: &TenantId, sha256: &str) -> String {
    format!("paywarden model 1\n{}\n{sha256}\n", tenant.as_str())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map(byte).collect()
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("a model: {error}"))
}
