//! What a country asks for, as data: deadlines, thresholds, the Travel Rule, codes, rules of fields.
//!
//! Profiles are TOML files in `profile/`. The rules of a format, such as the lengths of goAML, are
//! a file of their own that every profile of that format shares; a profile adds to them. Where a
//! financial intelligence unit has lists of codes of its own, they are its profile's.

use crate::{
    Duty, Format,
    report::{Channel, PARTIES_MAX},
};
use paywarden_domain::{Currency, Money};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

/// The longest profile, in bytes.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// The most profiles at once.
const PROFILES_MAX: usize = 300;
/// The most rows of one table.
const ROWS_MAX: usize = 1_000;
/// In a table of codes: words that are not in it stand for themselves.
const AS_IS: &str = "*";

const SHIPPED: [&str; 7] = [
    include_str!("profile/fatf.toml"),
    include_str!("profile/us_bsa.toml"),
    include_str!("profile/eu.toml"),
    include_str!("profile/uk.toml"),
    include_str!("profile/cn_pboc.toml"),
    include_str!("profile/gh_fic.toml"),
    include_str!("profile/za_fic.toml"),
];

/// The rules that every profile of a format has.
const OF_FORMATS: [(Format, &str); 3] = [
    (Format::Goaml, include_str!("profile/format_goaml.toml")),
    (Format::Fincen, include_str!("profile/format_fincen.toml")),
    (Format::Pboc, include_str!("profile/format_pboc.toml")),
];

/// What one country, or one of its duties, asks for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, `snake_case`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Who receives reports.
    pub unit: String,
    /// The currency of sums and thresholds.
    pub currency: Currency,
    /// How far the clock of the place is ahead of UTC, in hours, without summer time.
    pub utc_offset_hours: i8,
    /// The format of reports; none where they are typed into a form of the unit.
    #[serde(default)]
    pub format: Option<Format>,
    /// The version of the schema, such as `4.0` or `5.1` of goAML.
    #[serde(default)]
    pub schema: String,
    /// Until when, by duty; the first that fits holds.
    #[serde(default, rename = "deadline")]
    pub deadlines: Vec<Deadline>,
    /// What is a large value.
    #[serde(default, rename = "large_value")]
    pub large_values: Vec<LargeValueRule>,
    /// What travels with a transfer.
    #[serde(default)]
    pub travel_rule: Option<TravelRule>,
    /// Our words to the codes of the unit, by table.
    #[serde(default, rename = "lookup")]
    lookups: BTreeMap<String, BTreeMap<String, String>>,
    /// Rules of fields.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// Until when a report has to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// For what.
    pub duty: Duty,
    /// Whether it holds only while nobody is suspected by name.
    #[serde(default)]
    pub without_subject: bool,
    /// From which moment it counts, in words.
    pub from: String,
    /// How many days after that day.
    pub days: u16,
    /// Whether they are business days.
    #[serde(default)]
    pub business: bool,
    /// Whether the text names the number; where it says no more than "promptly" the number is a
    /// target of ours.
    pub by_law: bool,
    /// The text that asks for it.
    pub source: String,
}

/// From which amount on money is reported, suspicious or not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LargeValueRule {
    /// Its name within the profile.
    pub id: String,
    /// Whose money; anybody's if not given.
    #[serde(default)]
    pub person: Option<PersonKind>,
    /// How it moves.
    pub channels: Vec<Channel>,
    /// Whether it has to cross, or not to cross, a border; either if not given.
    #[serde(default)]
    pub cross_border: Option<bool>,
    /// Of amounts in the currency of the profile, or in others; of both if not given.
    #[serde(default)]
    pub foreign: Option<bool>,
    /// The threshold.
    pub threshold: Money,
    /// Whether the threshold itself is large.
    pub inclusive: bool,
    /// The text that asks for it.
    pub source: String,
}

/// What kind of person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A human being.
    Natural,
    /// Any other.
    Legal,
}

/// What has to travel with a transfer: names of facts, `a | b` where one of them is enough.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TravelRule {
    /// From here on the full facts travel.
    pub threshold: Money,
    /// Whether the threshold itself asks for the full facts.
    pub inclusive: bool,
    /// The facts below it.
    pub below: Vec<String>,
    /// The facts from it on.
    pub from: Vec<String>,
    /// The text that asks for it.
    pub source: String,
}

/// What a field has to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The field, such as `person.first_name`.
    pub field: String,
    /// Of whom; of all if not given.
    #[serde(default)]
    pub of: Option<Of>,
    /// In reports of which duty; in all if not given.
    #[serde(default)]
    pub duty: Option<Duty>,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
    /// The most characters.
    #[serde(default)]
    pub max: Option<usize>,
    /// What it looks like.
    #[serde(default)]
    pub form: Option<Form>,
    /// Its values are words of this table of codes.
    #[serde(default)]
    pub codes: Option<String>,
}

/// Of whom a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Of customers of the reporting entity, and of their accounts.
    Client,
    /// Of everybody else.
    Stranger,
    /// Of those who are suspected.
    Subject,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Digits.
    Digits,
    /// Nine digits that are not all the same.
    UsTaxNumber,
    /// Five or nine digits.
    UsPostcode,
    /// Fourteen digits.
    BsaIdentifier,
    /// A whole number above zero.
    Positive,
    /// A mail address.
    Email,
    /// An IBAN whose check digits are right.
    Iban,
}

/// Profiles by name.
#[derive(Debug, Clone)]
pub struct Profiles(BTreeMap<String, Profile>);

/// Why profiles were refused: the operator mends the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile refused: {0}")]
pub struct ProfileRefused(pub String);

impl Profiles {
    /// Those that the program ships.
    pub fn shipped() -> Result<&'static Self, ProfileRefused> {
        static ALL: LazyLock<Result<Profiles, ProfileRefused>> =
            LazyLock::new(|| Profiles(BTreeMap::new()).with(&SHIPPED));
        ALL.as_ref().map_err(Clone::clone)
    }

    /// The same with these, TOML texts; one of a name that is there takes its place.
    pub fn with(mut self, texts: &[&str]) -> Result<Self, ProfileRefused> {
        for text in texts {
            let profile = Profile::parse(text)?;
            self.0.insert(profile.name.clone(), profile);
        }
        match self.0.len() <= PROFILES_MAX {
            true => Ok(self),
            false => refused("at most 300 profiles"),
        }
    }

    /// The one with this name.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// Each, by name.
    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }
}

impl Profile {
    /// Reads a profile and adds the rules of its format.
    pub fn parse(text: &str) -> Result<Self, ProfileRefused> {
        if text.len() > TEXT_BYTES_MAX {
            return refused("at most 256 KiB");
        }
        let mut profile: Self = read(text)?;
        let of_format = OF_FORMATS
            .iter()
            .find(|(format, _)| Some(*format) == profile.format);
        if let Some((_, text)) = of_format {
            let shared: Shared = read(text)?;
            profile.rules.splice(0..0, shared.rules);
            for (table, codes) in shared.lookups {
                profile.lookups.entry(table).or_insert(codes);
            }
        }
        profile.check()?;
        Ok(profile)
    }

    /// The code of a word in a table; none if it has none there.
    pub fn code<'w>(&'w self, table: &str, word: &'w str) -> Option<&'w str> {
        let codes = self.lookups.get(table)?;
        let is_code = |code: &&String| code.as_str() == word;
        match codes.get(word).filter(|_| word != AS_IS) {
            Some(code) => Some(code),
            None if codes.contains_key(AS_IS) || codes.values().any(|code| is_code(&code)) => {
                Some(word)
            }
            None => None,
        }
    }

    /// The words of a table.
    pub(crate) fn words(&self, table: &str) -> impl Iterator<Item = &str> {
        let codes = self.lookups.get(table).into_iter().flat_map(BTreeMap::keys);
        codes.map(String::as_str).filter(|word| *word != AS_IS)
    }

    /// Whether the schema is of this major version or a later one.
    pub(crate) fn is_schema(&self, major: u32) -> bool {
        let own = self
            .schema
            .split('.')
            .next()
            .and_then(|number| number.parse().ok());
        own.is_some_and(|own: u32| own >= major)
    }

    fn check(&self) -> Result<(), ProfileRefused> {
        let rows = [
            self.deadlines.len(),
            self.large_values.len(),
            self.rules.len(),
        ];
        if rows.into_iter().any(|rows| rows > ROWS_MAX) || self.lookups.len() > PARTIES_MAX {
            return refused("a table has at most 1,000 rows");
        }
        if !(-12..=14).contains(&self.utc_offset_hours) {
            return refused("utc_offset_hours is -12 to 14");
        }
        let of_duty = |duty| {
            self.deadlines
                .iter()
                .any(|row| row.duty == duty && !row.without_subject)
        };
        if !of_duty(Duty::Suspicious) {
            return refused("it has no deadline for suspicions");
        }
        let mut unknown = self.rules.iter().filter_map(|rule| rule.codes.as_deref());
        if let Some(table) = unknown.find(|table| !self.lookups.contains_key(*table)) {
            return refused(&format!(
                "a rule names the table {table}, which is not there"
            ));
        }
        let travel = self
            .travel_rule
            .iter()
            .flat_map(|rule| rule.below.iter().chain(&rule.from));
        match travel
            .flat_map(|one| one.split('|'))
            .find(|fact| !crate::travel::is_fact(fact.trim()))
        {
            Some(fact) => refused(&format!("the Travel Rule names the fact {fact}")),
            None => Ok(()),
        }
    }
}

/// The file of a format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    #[serde(default, rename = "lookup")]
    lookups: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, ProfileRefused> {
    toml::from_str(text).map_err(|error| ProfileRefused(error.message().to_owned()))
}

fn refused<T>(why: &str) -> Result<T, ProfileRefused> {
    Err(ProfileRefused(Cow::Borrowed(why).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_reads_and_every_row_names_its_source() {
        let profiles = Profiles::shipped().unwrap();
        assert_eq!(profiles.all().count(), SHIPPED.len());
        for profile in profiles.all() {
            let sources = profile.deadlines.iter().map(|row| &row.source);
            let sources = sources.chain(profile.large_values.iter().map(|row| &row.source));
            assert!(
                sources.into_iter().all(|source| source.len() > 10),
                "{}",
                profile.name
            );
            for rule in &profile.large_values {
                assert!(!rule.channels.is_empty(), "{}", rule.id);
            }
        }
    }

    #[test]
    fn codes_are_found_by_word_or_stand_for_themselves() {
        let profiles = Profiles::shipped().unwrap();
        let us = profiles.find("us_bsa").unwrap();
        assert_eq!(us.code("indicator", "structuring"), Some("1/114"));
        assert_eq!(us.code("indicator", "1/114"), Some("1/114"));
        assert_eq!(us.code("indicator", "*"), None);
        assert_eq!(us.code("indicator", "juggling"), None);
        let cn = profiles.find("cn_pboc").unwrap();
        assert_eq!(cn.code("indicator", "1106"), Some("1106"));
    }

    #[test]
    fn profiles_that_say_nothing_or_nonsense_are_refused() {
        let start = "name='x'\ntitle='X'\nunit='U'\ncurrency='EUR'\nutc_offset_hours=0\n";
        let deadline =
            "[[deadline]]\nduty='suspicious'\nfrom='f'\ndays=1\nby_law=false\nsource='s'\n";
        assert!(Profile::parse(&format!("{start}{deadline}")).is_ok());
        let travel = "[travel_rule]\nthreshold={value='1.00',currency='EUR'}\ninclusive=true\n\
            below=[]\nfrom=['originator.shoe_size']\nsource='s'\n";
        let rule = "[[rule]]\nfield='indicators'\ncodes='nowhere'\n";
        for wrong in [
            start.to_owned(),
            format!("{start}shoe=1\n{deadline}"),
            format!("{}{deadline}", start.replace("=0", "=15")),
            format!("{start}{deadline}{travel}"),
            format!("{start}{deadline}{rule}"),
            "#".repeat(TEXT_BYTES_MAX + 1),
        ] {
            assert!(Profile::parse(&wrong).is_err());
        }
    }
}
