//! Persons and companies of a report.

use crate::Day;
use paywarden_domain::Country;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person or company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingParty)]
pub struct Party {
    /// How this report names it.
    pub id: String,
    /// Whether it is suspected; of a large value, whether it is theirs.
    #[serde(default)]
    pub is_subject: bool,
    /// Whether it is a customer of the reporting entity.
    #[serde(default)]
    pub is_client: bool,
    /// Who it is.
    pub who: Who,
    /// Where it is found, the main address first.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Telephone numbers.
    #[serde(default)]
    pub phones: Vec<Phone>,
    /// Mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Documents and numbers that identify it.
    #[serde(default)]
    pub identifications: Vec<Identification>,
    /// Your own number of the customer.
    #[serde(default)]
    pub client_number: Option<String>,
    /// What is to be known of it besides.
    #[serde(default)]
    pub remark: Option<String>,
}

/// Who a party is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingWho)]
pub enum Who {
    /// A natural person.
    Person(Person),
    /// A company or another legal person.
    Company(Company),
}

/// A natural person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingPerson)]
pub struct Person {
    /// First name; none if it is not known.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Middle name.
    #[serde(default)]
    pub middle_name: Option<String>,
    /// Last name; none if it is not known.
    #[serde(default)]
    pub last_name: Option<String>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Gender, if known.
    #[serde(default)]
    pub gender: Option<Gender>,
    /// Day of birth, if known.
    #[serde(default)]
    pub birth_date: Option<Day>,
    /// Where born.
    #[serde(default)]
    pub birth_place: Option<String>,
    /// Nationality.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub nationality: Option<Country>,
    /// Country of residence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub residence: Option<Country>,
    /// What they do.
    #[serde(default)]
    pub occupation: Option<String>,
}

/// Gender, as forms ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingGender)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// A company or another legal person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingCompany)]
pub struct Company {
    /// Its legal name; none if it is not known.
    #[serde(default)]
    pub name: Option<String>,
    /// The name it trades under.
    #[serde(default)]
    pub trade_name: Option<String>,
    /// Its legal form, as a code of the profile.
    #[serde(default)]
    pub legal_form: Option<String>,
    /// Its number in the register.
    #[serde(default)]
    pub registration_number: Option<String>,
    /// Where it is registered.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub country: Option<Country>,
    /// Since when.
    #[serde(default)]
    pub incorporated_on: Option<Day>,
    /// What it does.
    #[serde(default)]
    pub business: Option<String>,
    /// Who directs it, by `id` of parties.
    #[serde(default)]
    pub directors: Vec<String>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingAddress)]
pub struct Address {
    /// What kind.
    pub kind: AddressKind,
    /// Street and number.
    #[serde(default)]
    pub street: Option<String>,
    /// Town.
    #[serde(default)]
    pub city: Option<String>,
    /// State or province, as a code of the profile.
    #[serde(default)]
    pub region: Option<String>,
    /// Postcode.
    #[serde(default)]
    pub postcode: Option<String>,
    /// Country.
    #[schema(value_type = String)]
    pub country: Country,
}

/// What kind of address or telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingAddressKind)]
pub enum AddressKind {
    /// At home.
    Home,
    /// Of a business.
    Business,
}

/// A telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingPhone)]
pub struct Phone {
    /// Whose.
    pub kind: AddressKind,
    /// The prefix of the country, such as `+44`.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The number.
    pub number: String,
}

/// A document or number that identifies a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilingIdentification)]
pub struct Identification {
    /// What it is.
    pub kind: IdentificationKind,
    /// Its number.
    pub number: String,
    /// The country that issued it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub country: Option<Country>,
    /// The authority that issued it.
    #[serde(default)]
    pub issued_by: Option<String>,
}

/// What identifies a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingIdentificationKind)]
pub enum IdentificationKind {
    /// A national identity number or card.
    NationalId,
    /// A passport.
    Passport,
    /// A driving licence.
    DrivingLicence,
    /// A tax number of a person.
    PersonTax,
    /// A tax number of a company.
    CompanyTax,
    /// A number in a register.
    Registration,
    /// Any other.
    Other,
}

impl Party {
    /// The number of the first identification of a kind.
    pub fn number(&self, kind: IdentificationKind) -> Option<&Identification> {
        self.identifications.iter().find(|one| one.kind == kind)
    }

    /// The name in one line, as far as it is known.
    pub fn full_name(&self) -> Option<String> {
        match &self.who {
            Who::Company(company) => company.name.clone(),
            Who::Person(person) => {
                let parts = [&person.first_name, &person.middle_name, &person.last_name];
                let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
                (!known.is_empty()).then(|| known.join(" "))
            }
        }
    }
}

impl AddressKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Business => "business",
        }
    }
}

impl IdentificationKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NationalId => "national_id",
            Self::Passport => "passport",
            Self::DrivingLicence => "driving_licence",
            Self::PersonTax => "person_tax",
            Self::CompanyTax => "company_tax",
            Self::Registration => "registration",
            Self::Other => "other",
        }
    }
}
