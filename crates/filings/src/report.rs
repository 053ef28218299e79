//! A report as data: what every format is written from.

mod party;

pub use party::{
    Address, AddressKind, Company, Gender, Identification, IdentificationKind, Party, Person,
    Phone, Who,
};

use crate::Day;
use paywarden_domain::{Country, Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The version of this structure.
pub const STRUCTURE: u16 = 1;
/// The most parties, accounts, transactions, indicators and attachments of one report.
pub const PARTIES_MAX: usize = 200;
/// See [`PARTIES_MAX`].
pub const ACCOUNTS_MAX: usize = 400;
/// See [`PARTIES_MAX`].
pub const TRANSACTIONS_MAX: usize = 2_000;
/// See [`PARTIES_MAX`].
pub const INDICATORS_MAX: usize = 50;
/// See [`PARTIES_MAX`].
pub const ATTACHMENTS_MAX: usize = 50;
/// The longest narrative of any profile, in characters.
pub const NARRATIVE_CHARS_MAX: usize = 100_000;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingReport)]
pub struct Report {
    /// The version of this structure: 1.
    pub structure: u16,
    /// The profile that it is written for, such as `us_bsa`.
    pub profile: String,
    /// What is reported.
    pub duty: Duty,
    /// Your own reference, never given to another report.
    pub reference: String,
    /// The report that this one corrects or goes on from.
    #[serde(default)]
    pub earlier: Option<Earlier>,
    /// Your own case, by its identifier.
    #[serde(default)]
    pub case: Option<String>,
    /// When the facts were found that ask for a report; for large values, when the money moved.
    /// The deadline counts from here.
    pub detected_at: Timestamp,
    /// Who reports.
    pub reporting_entity: ReportingEntity,
    /// Persons and companies, the subjects among them.
    #[serde(default)]
    pub parties: Vec<Party>,
    /// Accounts.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// What happened, oldest first.
    #[serde(default)]
    pub transactions: Vec<Transaction>,
    /// Typologies, as words or codes of the profile.
    #[serde(default)]
    pub indicators: Vec<String>,
    /// Who did what, when, where, how, and why it is suspicious.
    #[serde(default)]
    pub narrative: String,
    /// Why it is reported, in a sentence or two.
    #[serde(default)]
    pub reason: Option<String>,
    /// What was done about it.
    #[serde(default)]
    pub action: Option<String>,
    /// Files that go with it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Who wrote it.
    #[serde(default)]
    pub prepared_by: Option<String>,
    /// Who approved it.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// What is reported.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingDuty)]
pub enum Duty {
    /// A suspicion.
    Suspicious,
    /// Money above a threshold, suspicious or not.
    LargeValue,
}

/// An earlier report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingEarlier)]
pub struct Earlier {
    /// What this one is to it.
    pub relation: Relation,
    /// The reference that the financial intelligence unit gave it.
    pub reference: String,
}

/// What a report is to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingRelation)]
pub enum Relation {
    /// It corrects or completes it.
    Amendment,
    /// The activity goes on.
    Continuation,
}

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingEntity)]
pub struct ReportingEntity {
    /// Its legal name.
    pub name: String,
    /// The branch, if the profile asks for one.
    #[serde(default)]
    pub branch: Option<String>,
    /// What the financial intelligence unit knows it by, under the names of the profile:
    /// `rentity_id` (goAML), `tin`, `tcc`, `regulator`, `organization_type` (FinCEN), `ricd` (PBoC).
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
    /// Where it is.
    pub address: Address,
    /// Its telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Who answers questions.
    pub officer: Officer,
}

/// Who answers questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingOfficer)]
pub struct Officer {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What they are.
    #[serde(default)]
    pub occupation: Option<String>,
    /// Mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingAccount)]
pub struct Account {
    /// How this report names it.
    pub id: String,
    /// Its number.
    pub number: String,
    /// Who keeps it; the reporting entity if not given.
    #[serde(default)]
    pub institution: Option<String>,
    /// The identifier of who keeps it: BIC or another.
    #[serde(default)]
    pub institution_code: Option<String>,
    /// The branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// Its currency.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub currency: Option<Currency>,
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Its IBAN.
    #[serde(default)]
    pub iban: Option<String>,
    /// Your own number of the customer.
    #[serde(default)]
    pub client_number: Option<String>,
    /// What kind of account.
    pub kind: AccountKind,
    /// What it is now.
    #[serde(default)]
    pub status: Option<AccountStatus>,
    /// Since when.
    #[serde(default)]
    pub opened_on: Option<Day>,
    /// Until when.
    #[serde(default)]
    pub closed_on: Option<Day>,
    /// Who holds it, by `id` of parties; the first is the main holder.
    #[serde(default)]
    pub holders: Vec<String>,
}

/// What kind of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingAccountKind)]
pub enum AccountKind {
    /// A bank account for payments.
    Current,
    /// Savings.
    Savings,
    /// A payment account or wallet.
    Payment,
    /// A card.
    Card,
    /// A wallet of crypto-assets.
    Crypto,
    /// Any other.
    Other,
}

/// What an account is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingAccountStatus)]
pub enum AccountStatus {
    /// In use.
    Active,
    /// Not used for long.
    Dormant,
    /// Blocked.
    Blocked,
    /// Closed.
    Closed,
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingTransaction)]
pub struct Transaction {
    /// Your own number of it, once in a report.
    pub number: String,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
    /// The same in the currency of the profile, if that is another.
    #[serde(default)]
    pub local: Option<Money>,
    /// The rate it was converted at: units of the currency of the profile for one unit, as a
    /// decimal.
    #[serde(default)]
    pub rate: Option<String>,
    /// How the money moved.
    pub channel: Channel,
    /// What it was for.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it was ordered.
    #[serde(default)]
    pub location: Option<String>,
    /// Whose money.
    pub from: Side,
    /// Who got it.
    pub to: Side,
    /// Whether it is suspicious itself and counts in the sum; yes if not given.
    #[serde(default = "yes")]
    pub is_suspicious: bool,
}

fn yes() -> bool {
    true
}

/// How money moved.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingChannel)]
pub enum Channel {
    /// Notes and coins.
    Cash,
    /// From account to account.
    Transfer,
    /// By card.
    Card,
    /// From wallet to wallet.
    Wallet,
    /// Crypto-assets.
    Crypto,
    /// Any other way.
    Other,
}

/// One end of a transaction: an account, or a party without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingSide)]
pub struct Side {
    /// The account, by its `id`.
    #[serde(default)]
    pub account: Option<String>,
    /// The party, by its `id`; whoever holds the account if not given.
    #[serde(default)]
    pub party: Option<String>,
    /// Where.
    #[schema(value_type = String)]
    pub country: Country,
}

/// A file that goes with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingAttachment)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What it is, such as `text/csv`.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits.
    pub sha256: String,
}

impl Report {
    /// The party with this `id`.
    pub fn party(&self, id: &str) -> Option<&Party> {
        self.parties.iter().find(|party| party.id == id)
    }

    /// The account with this `id`.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Who holds an account, the main holder first; identifiers that nobody has are left out.
    pub fn holders<'r>(&'r self, account: &'r Account) -> impl Iterator<Item = &'r Party> {
        account.holders.iter().filter_map(|id| self.party(id))
    }

    /// Whether an account is one of the reporting entity's customers.
    pub fn is_client(&self, account: &Account) -> bool {
        self.holders(account).any(|party| party.is_client)
    }

    /// Those who are suspected; of a large value, whose it is.
    pub fn subjects(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.is_subject)
    }

    /// The sum of what is suspicious in the given currency, in its minor units; none where an
    /// amount is in another currency and was not converted: missing is not zero.
    pub fn total(&self, currency: Currency) -> Option<i128> {
        let suspicious = self.transactions.iter().filter(|one| one.is_suspicious);
        suspicious
            .map(|one| one.in_currency(currency))
            .try_fold(0, |sum, amount| Some(sum + i128::from(amount?.minor)))
    }
}

impl Transaction {
    /// The amount in this currency, if it is given in it.
    pub fn in_currency(&self, currency: Currency) -> Option<Money> {
        let given = [Some(self.amount), self.local];
        given
            .into_iter()
            .flatten()
            .find(|money| money.currency == currency)
    }
}

impl Duty {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suspicious => "suspicious",
            Self::LargeValue => "large_value",
        }
    }
}

impl Channel {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Transfer => "transfer",
            Self::Card => "card",
            Self::Wallet => "wallet",
            Self::Crypto => "crypto",
            Self::Other => "other",
        }
    }
}

impl AccountKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Savings => "savings",
            Self::Payment => "payment",
            Self::Card => "card",
            Self::Crypto => "crypto",
            Self::Other => "other",
        }
    }
}

impl AccountStatus {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Dormant => "dormant",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
        }
    }
}
