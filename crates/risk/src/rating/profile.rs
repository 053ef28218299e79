//! What the company says of a customer. Nothing in it names anybody.

use super::policy::Fact;
use crate::Error;
use paywarden_domain::{Country, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most countries, products, channels or lines of business.
const WORDS_MAX: usize = 16;
const WORD_BYTES_MAX: usize = 64;

/// What kind of person a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    /// A human being.
    Person,
    /// A human being in business on their own account.
    SoleTrader,
    /// A company that does business.
    Company,
    /// A company whose owners of record are others' nominees, or whose shares are to bearer.
    NomineeCompany,
    /// A trust or a similar arrangement.
    Trust,
    /// A foundation.
    Foundation,
    /// A non-profit organisation.
    NonProfit,
    /// A public body.
    PublicBody,
    /// A bank or another supervised institution.
    FinancialInstitution,
    /// A money or value transfer service.
    MoneyService,
    /// A virtual asset service provider.
    VirtualAssetService,
    /// A bank without a presence anywhere.
    ShellBank,
}

impl CustomerKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Person,
        Self::SoleTrader,
        Self::Company,
        Self::NomineeCompany,
        Self::Trust,
        Self::Foundation,
        Self::NonProfit,
        Self::PublicBody,
        Self::FinancialInstitution,
        Self::MoneyService,
        Self::VirtualAssetService,
        Self::ShellBank,
    ];

    /// The word in policies and replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::SoleTrader => "sole_trader",
            Self::Company => "company",
            Self::NomineeCompany => "nominee_company",
            Self::Trust => "trust",
            Self::Foundation => "foundation",
            Self::NonProfit => "non_profit",
            Self::PublicBody => "public_body",
            Self::FinancialInstitution => "financial_institution",
            Self::MoneyService => "money_service",
            Self::VirtualAssetService => "virtual_asset_service",
            Self::ShellBank => "shell_bank",
        }
    }
}

/// What is known of a customer. What is left out is not known, which is no small risk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerProfile {
    /// What kind of person.
    pub kind: Option<CustomerKind>,
    /// Where they live, are registered, are citizens of or do business; at most 16.
    #[schema(value_type = Vec<String>)]
    pub countries: BTreeSet<Country>,
    /// Their lines of business, words of the policy or your own; at most 16.
    pub industries: BTreeSet<String>,
    /// What they have with you; likewise.
    pub products: BTreeSet<String>,
    /// How they came and deal, such as `branch`, `remote`, `agent`; likewise.
    pub channels: BTreeSet<String>,
    /// Whether they, their family or close associates hold or held a prominent public function.
    pub politically_exposed: Option<bool>,
    /// Whether it cannot be seen who owns or controls them.
    pub opaque_ownership: Option<bool>,
    /// Due diligence done: 0 none, 1 basic, 2 full, 3 enhanced.
    pub due_diligence: Option<u8>,
    /// When the relationship began.
    pub since: Option<Timestamp>,
}

impl CustomerProfile {
    /// Refuses what has too many words, or one that is none.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Error> {
        let words = [&self.industries, &self.products, &self.channels];
        let is_word = |word: &String| {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(plain)
        };
        let is_few = words.iter().all(|words| words.len() <= WORDS_MAX);
        if !is_few || self.countries.len() > WORDS_MAX {
            return Err(Error::RatingMalformed(
                "at most 16 countries, industries, products and channels",
            ));
        }
        if !words.into_iter().flatten().all(is_word) {
            return Err(Error::RatingMalformed(
                "a word has 1 to 64 small letters, digits and `_`",
            ));
        }
        if self.due_diligence.is_some_and(|level| level > 3) {
            return Err(Error::RatingMalformed("due diligence is 0 to 3"));
        }
        match self.since.is_some_and(|since| since > now) {
            true => Err(Error::RatingMalformed(
                "the relationship begins in the future",
            )),
            false => Ok(()),
        }
    }

    /// The words of a fact; none if it is not known, or is a number.
    pub(super) fn words(&self, fact: Fact) -> Vec<&str> {
        let told = |answer: Option<bool>| match answer {
            Some(true) => vec!["yes"],
            Some(false) => vec!["no"],
            None => Vec::new(),
        };
        match fact {
            Fact::Kind => self.kind.iter().map(|kind| kind.name()).collect(),
            Fact::Country => self.countries.iter().map(Country::code).collect(),
            Fact::Industry => self.industries.iter().map(String::as_str).collect(),
            Fact::Product => self.products.iter().map(String::as_str).collect(),
            Fact::Channel => self.channels.iter().map(String::as_str).collect(),
            Fact::PoliticallyExposed => told(self.politically_exposed),
            Fact::OpaqueOwnership => told(self.opaque_ownership),
            _ => Vec::new(),
        }
    }

    /// The number of a fact that is one, if it is known.
    pub(super) fn number(&self, fact: Fact, now: Timestamp) -> Option<i64> {
        use paywarden_domain::time::DAY;
        match fact {
            Fact::DueDiligence => self.due_diligence.map(i64::from),
            Fact::RelationshipDays => self
                .since
                .map(|since| (now.micros() - since.micros()).max(0) / DAY),
            _ => None,
        }
    }
}
