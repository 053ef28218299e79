//! What is sent to the vault and what it answers.

use paywarden_access::masking::Form;
use paywarden_domain::{Country, Timestamp};
use paywarden_privacy::{
    Error, Item, Kept, Plain, Retention, Revealed, Said, Search,
    catalogue::{self, Jrt0171, Pci, Sensitivity},
    token,
};
use paywarden_store::MaskedRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultItem {
    /// The person, by your own identifier of 1 to 256 bytes; only a keyed pseudonym of it is kept.
    pub(super) subject: String,
    /// The class of the value; `GET /v1/vault/catalogue` lists them.
    class: String,
    /// The value, 1 byte to 16 KiB.
    #[schema(value_type = String)]
    value: Plain<String>,
    /// What belongs to it and is neither indexed nor shown, at most 8 KiB.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    details: Option<Plain<String>>,
    /// How long it is kept for: `marketing`, `contract` (if not given) or `evidence`.
    #[serde(default)]
    #[schema(value_type = String)]
    retention: Retention,
    /// `opaque` (if not given), or `shaped` as a card number that is none.
    #[serde(default)]
    #[schema(value_type = String)]
    form: token::Form,
    /// The token is good for one reading, which erases the value.
    #[serde(default)]
    once: bool,
    /// How long it may be read, in seconds; as long as it is kept if not given.
    #[serde(default)]
    ttl_seconds: Option<u32>,
    /// The key that alone may read it.
    #[serde(default)]
    caller: Option<String>,
    /// The purpose that alone it may be read for.
    #[serde(default)]
    for_purpose: Option<String>,
}

impl From<VaultItem> for Item {
    fn from(item: VaultItem) -> Self {
        Self {
            subject: item.subject,
            class: item.class,
            value: item.value,
            details: item.details,
            retention: item.retention,
            form: item.form,
            once: item.once,
            ttl_seconds: item.ttl_seconds,
            caller: item.caller,
            purpose: item.for_purpose,
        }
    }
}

/// Who gets data.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultRecipient {
    /// Their name, 1 to 64 bytes.
    #[serde(default)]
    recipient: Option<String>,
    /// Where they are, by ISO 3166-1.
    #[serde(default)]
    country: Option<Country>,
}

/// What is said beside a purpose.
pub(super) fn said(reason: Option<String>, to: Option<VaultRecipient>) -> Said {
    let (recipient, country) = to.map_or((None, None), |to| (to.recipient, to.country));
    Said {
        reason,
        recipient,
        country,
        grant: None,
    }
}

/// A value to keep, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    /// For which purpose; `GET /v1/privacy-policy` lists them. It goes into the trail.
    pub(super) purpose: String,
    /// Why, in your own words, 1 to 160 bytes: kept beside the trail.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub(super) reason: Option<String>,
    /// Who gets the data; you, if not given.
    #[serde(default)]
    pub(super) to: Option<VaultRecipient>,
    /// The value.
    pub(super) item: VaultItem,
}

/// Values to keep, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenizeBatch {
    /// For which purpose; `GET /v1/privacy-policy` lists them. It goes into the trail.
    pub(super) purpose: String,
    /// Why, in your own words, 1 to 160 bytes: kept beside the trail.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub(super) reason: Option<String>,
    /// Who gets the data; you, if not given.
    #[serde(default)]
    pub(super) to: Option<VaultRecipient>,
    /// 1 to 100 values: all are kept or none.
    pub(super) items: Vec<VaultItem>,
}

/// A value that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultToken {
    /// Its name from now on. Equal values of one person have one token.
    pub(super) token: String,
    /// What it is.
    class: String,
    /// The value as it may be shown.
    masked: String,
    /// Until when it may be read; no end if null.
    expires_at: Option<Timestamp>,
}

/// Values that are kept, in the order in which they were given.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultTokens {
    /// One for each value.
    pub(super) tokens: Vec<VaultToken>,
}

/// A token to read, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Detokenize {
    /// For which purpose; `GET /v1/privacy-policy` lists them. It goes into the trail.
    pub(super) purpose: String,
    /// Why, in your own words, 1 to 160 bytes: kept beside the trail.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub(super) reason: Option<String>,
    /// Who gets the data; you, if not given.
    #[serde(default)]
    pub(super) to: Option<VaultRecipient>,
    /// The token.
    pub(super) token: String,
}

/// Tokens to read, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DetokenizeBatch {
    /// For which purpose; `GET /v1/privacy-policy` lists them. It goes into the trail.
    pub(super) purpose: String,
    /// Why, in your own words, 1 to 160 bytes: kept beside the trail.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub(super) reason: Option<String>,
    /// Who gets the data; you, if not given.
    #[serde(default)]
    pub(super) to: Option<VaultRecipient>,
    /// 1 to 1,000 tokens.
    pub(super) tokens: Vec<String>,
}

/// A clear value. The only place where one is written out.
#[derive(Serialize, ToSchema)]
pub struct VaultValue<'a> {
    /// Its token.
    token: &'a str,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    /// The value; absent if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// What is shown of it, if that is not the whole: see the table of masks.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<Form>,
    /// What belongs to it; with the whole value only.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
    /// Why it is not given: the code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
}

/// Clear values, in the order in which their tokens were given.
#[derive(Serialize, ToSchema)]
pub struct VaultValues<'a> {
    /// One for each token.
    pub(super) values: Vec<VaultValue<'a>>,
}

/// What to look for, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultSearch {
    /// For which purpose; `GET /v1/privacy-policy` lists them. It goes into the trail.
    pub(super) purpose: String,
    /// Why, in your own words, 1 to 160 bytes: kept beside the trail.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub(super) reason: Option<String>,
    /// Who gets the data; you, if not given.
    #[serde(default)]
    pub(super) to: Option<VaultRecipient>,
    /// What to look for.
    pub(super) by: VaultSearchBy,
}

/// What to look for: one of these.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VaultSearchBy {
    /// Records of a class with a value, written in any way.
    Exact {
        /// The class.
        class: String,
        /// The value.
        #[schema(value_type = String)]
        value: Plain<String>,
    },
    /// Records of a class by their last four characters.
    LastFour {
        /// The class.
        class: String,
        /// The characters.
        last_four: String,
    },
    /// Birth dates that were kept together with a name.
    Person {
        /// The name.
        #[schema(value_type = String)]
        name: Plain<String>,
        /// The date, `YYYY-MM-DD`.
        #[schema(value_type = String)]
        birth_date: Plain<String>,
    },
    /// Everything of a person, by your identifier.
    Subject(String),
}

impl From<VaultSearchBy> for Search {
    fn from(by: VaultSearchBy) -> Self {
        match by {
            VaultSearchBy::Exact { class, value } => Self::Exact { class, value },
            VaultSearchBy::LastFour { class, last_four } => Self::LastFour { class, last_four },
            VaultSearchBy::Person { name, birth_date } => {
                Self::NameAndBirthDate { name, birth_date }
            }
            VaultSearchBy::Subject(subject) => Self::Subject(subject),
        }
    }
}

/// Records, masked, newest first, at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultRecords {
    /// The records.
    pub(super) records: Vec<VaultRecord>,
    /// How many others fit that are not shown for this purpose.
    pub(super) withheld: usize,
}

/// A record, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultRecord {
    /// Its token.
    pub(super) token: String,
    /// Pseudonym of the person.
    pub(super) subject: String,
    /// What it is.
    class: String,
    /// How long it is kept for.
    retention: String,
    /// The value as it may be shown.
    masked: String,
    /// When it was kept.
    made_at: Timestamp,
    /// Until when it may be read; no end if null.
    expires_at: Option<Timestamp>,
}

impl From<MaskedRow> for VaultRecord {
    fn from(row: MaskedRow) -> Self {
        Self {
            token: row.token,
            subject: row.subject,
            class: row.class,
            retention: row.retention,
            masked: row.masked,
            made_at: row.made_at,
            expires_at: row.expires_at,
        }
    }
}

/// A value to erase, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultDeletion {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub(super) purpose: String,
    /// Its token.
    pub(super) token: String,
}

/// A person to erase, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultForgetting {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub(super) purpose: String,
    /// The person, by your identifier.
    pub(super) subject: String,
    /// Only what is kept for this long; everything if not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) retention: Option<Retention>,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultErased {
    /// Values.
    pub(super) records: u64,
    /// Keys of the person that were destroyed.
    pub(super) keys: u64,
}

/// The classes of data.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultCatalogue {
    /// In the order of the catalogue.
    classes: Vec<VaultClass>,
}

/// One class of data, with its labels.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultClass {
    /// Its name.
    name: &'static str,
    /// Its class by JR/T 0171-2020.
    #[schema(value_type = String)]
    jrt_0171: Jrt0171,
    /// Its level by JR/T 0197-2020, 1 to 5.
    jrt_0197: u8,
    /// Whether PCI DSS is about it.
    #[schema(value_type = String)]
    pci: Pci,
    /// `personal` or `sensitive`.
    #[schema(value_type = String)]
    sensitivity: Sensitivity,
    /// Whether values can be looked for.
    is_indexed: bool,
    /// Whether the last four characters can be looked for.
    by_last_four: bool,
}

impl From<Kept> for VaultToken {
    fn from(kept: Kept) -> Self {
        Self {
            token: kept.token,
            class: kept.class.to_owned(),
            masked: kept.masked,
            expires_at: kept.expires_at,
        }
    }
}

impl<'a> VaultValue<'a> {
    /// A value, or why it is not given.
    pub(super) fn of(token: &'a str, read: Result<&'a Revealed, &Error>) -> Self {
        let value = read.ok();
        Self {
            token,
            class: value.map(|read| &*read.class),
            value: value.map(|read| read.value.expose().as_str()),
            shown: value
                .map(|read| read.form)
                .filter(|form| *form != Form::Full),
            details: value.and_then(|read| Some(read.details.as_ref()?.expose().as_str())),
            refused: read.err().map(Error::code),
        }
    }
}

impl VaultCatalogue {
    /// The whole catalogue.
    pub(super) fn of_every_class() -> Self {
        let classes = catalogue::classes().iter().map(|class| VaultClass {
            name: &class.name,
            jrt_0171: class.jrt_0171,
            jrt_0197: class.jrt_0197,
            pci: class.pci,
            sensitivity: class.sensitivity,
            is_indexed: class.index_bits > 0,
            by_last_four: class.tail,
        });
        let classes = classes.collect();
        Self { classes }
    }
}
