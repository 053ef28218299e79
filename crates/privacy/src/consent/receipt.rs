//! Receipts of consent: the record with the fields of ISO/IEC TS 27560:2023 in terms of the W3C
//! Data Privacy Vocabulary, signed as a JWS that anybody can verify with our public key.

use crate::{
    Error,
    notice::Clause,
    policy::Desk,
    subject::{Consent, EventKind, Standing, SubjectEvent},
};
use paywarden_crypto::{Keyring, SigningKey, jws};
use paywarden_domain::TenantId;
use serde_json::{Value, json};

/// The `typ` of a receipt.
pub const RECEIPT_TYPE: &str = "consent-receipt+jws";
const KEY_LABEL: &str = "consent receipts";

/// Signs receipts.
pub struct Receipts {
    key: SigningKey,
    kid: String,
}

impl Receipts {
    /// With the key that the keyring has for them.
    pub(crate) fn new(keyring: &Keyring) -> Result<Self, Error> {
        let seed = keyring.derive(KEY_LABEL)?;
        let key = SigningKey::from_seed(&seed)?;
        let x = jws::jwk_x(&key)?;
        let kid = x.chars().take(16).collect();
        Ok(Self { key, kid })
    }

    /// What verifies them: a JWK Set (RFC 7517) with one key (RFC 8037).
    pub fn public_jwks(&self) -> Result<Value, Error> {
        let key = json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.kid, "x": jws::jwk_x(&self.key)?,
        });
        Ok(json!({ "keys": [key] }))
    }

    /// The receipt of an event; none of what is no answer to a notice.
    pub(crate) fn of(
        &self,
        tenant: &TenantId,
        subject: &str,
        (standing, event): (&Standing, &SubjectEvent),
        desk: &Desk,
    ) -> Result<Option<String>, Error> {
        let (kind, status) = match event.kind {
            EventKind::ConsentGiven => ("dpv:ConsentGiven", "dpv:ConsentGiven"),
            EventKind::ConsentWithdrawn => ("dpv:ConsentWithdrawn", "dpv:ConsentWithdrawn"),
            _ => return Ok(None),
        };
        let is_meant = |one: &&Consent| event.purposes.contains(&one.purpose);
        let consents: Vec<&Consent> = standing.consents.iter().filter(is_meant).collect();
        let first = consents.first().ok_or(Error::ConsentUnknown)?;
        let policy = desk.in_force(tenant);
        let jurisdiction = standing.jurisdiction.unwrap_or(policy.policy.jurisdiction);
        let processes: Vec<Value> = consents
            .iter()
            .map(|consent| process(tenant, consent, (desk, jurisdiction, status)))
            .collect();
        let record = json!({
            "@type": "dpv:ConsentRecord",
            "dpv:hasIdentifier": first.record,
            "dpv:hasDataSubject": subject,
            "dpv:hasJurisdiction": jurisdiction.name(),
            "dpv:hasNotice": {
                "dpv:hasIdentifier": first.notice,
                "dct:hasVersion": first.notice_version,
                "dct:language": first.language,
                "sha256": first.notice_sha256,
            },
            "dpv:hasProcess": processes,
            "dct:hasPart": {
                "@type": kind,
                "dct:date": event.at,
                "dpv:isIndicatedBy": subject,
                "dpv:hasIndicationMethod": first.method,
                "dpv:hasDuration": { "dct:valid": first.expires_at },
            },
        });
        let receipt = json!({
            "@context": { "dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/" },
            "@type": "dpv:ConsentReceipt",
            "dct:conformsTo": "ISO/IEC TS 27560:2023",
            "dpv:hasIdentifier": first.receipt,
            "dct:issued": event.at,
            "dct:publisher": tenant.as_str(),
            "dct:source": record,
        });
        let header = jws::Header {
            kid: Some(&self.kid),
            typ: Some(RECEIPT_TYPE),
        };
        let signed = jws::sign(&self.key, header, receipt.to_string().as_bytes())?;
        Ok(Some(signed))
    }
}

/// What is done for one purpose, by the clause that told of it.
fn process(
    tenant: &TenantId,
    consent: &Consent,
    (desk, jurisdiction, status): (&Desk, crate::policy::Jurisdiction, &str),
) -> Value {
    let policy = desk.in_force(tenant);
    let purpose = policy.policy.purpose(&consent.purpose);
    let notice = desk
        .books
        .version(tenant, &consent.notice, consent.notice_version);
    let clause = notice
        .as_ref()
        .and_then(|notice| notice.notice.clause(&consent.clause));
    let controller = notice.as_ref().map(|notice| &notice.notice.controller);
    let list = |of: fn(&Clause) -> &Vec<String>| clause.map(of).cloned().unwrap_or_default();
    let term = purpose.map_or("Purpose", |purpose| purpose.dpv.as_str());
    let basis = purpose.and_then(|purpose| purpose.basis(jurisdiction));
    let basis = basis.map_or("Consent", |basis| basis.dpv.as_str());
    json!({
        "dpv:hasPurpose": {
            "@type": format!("dpv:{term}"),
            "dct:title": consent.purpose,
            "dct:description": clause.map(|clause| &clause.text),
        },
        "dpv:hasLegalBasis": format!("dpv:{basis}"),
        "dpv:hasConsentStatus": status,
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Store", "dpv:Use"],
        "dpv:hasPersonalData": list(|clause| &clause.classes),
        "dpv:hasRecipient": list(|clause| &clause.recipients),
        "dpv:hasStorageCondition": { "days": clause.and_then(|clause| clause.storage_days) },
        "dpv:hasDataController": controller,
        "dpv:hasDataSource": "dpv:DataSubject",
        "dpv:hasWithdrawalMethod": notice.as_ref().map(|notice| &notice.notice.withdrawal),
    })
}
