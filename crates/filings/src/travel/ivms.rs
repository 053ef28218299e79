//! The parts of IVMS101.2023 that say who somebody is, and its constraints.

use crate::{Day, Fault};
use paywarden_domain::Country;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who pays and who is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelIdentity)]
pub struct Identity {
    /// Who pays.
    pub originator: Wallets,
    /// Who is paid.
    pub beneficiary: Wallets,
}

/// One side: persons and their accounts or addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelSide)]
pub struct Wallets {
    /// Persons.
    #[serde(
        alias = "originatorPerson",
        alias = "beneficiaryPerson",
        alias = "originatorPersons",
        alias = "beneficiaryPersons"
    )]
    pub person: Vec<Person>,
    /// Account numbers, or addresses on a ledger.
    pub account_number: Vec<String>,
}

/// A natural or a legal person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelPerson)]
pub struct Person {
    /// A natural person.
    pub natural_person: Option<NaturalPerson>,
    /// A legal person.
    pub legal_person: Option<LegalPerson>,
}

/// A natural person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelNaturalPerson)]
pub struct NaturalPerson {
    /// Names.
    pub name: NaturalNames,
    /// Addresses.
    pub geographic_address: Vec<Address>,
    /// A number of a document.
    pub national_identification: Option<NationalIdentification>,
    /// The number that the institution gave.
    #[serde(alias = "customerNumber")]
    pub customer_identification: Option<String>,
    /// Birth.
    pub date_and_place_of_birth: Option<Birth>,
    /// Country of residence.
    #[schema(value_type = Option<String>)]
    pub country_of_residence: Option<Country>,
}

/// Names of a natural person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelNaturalNames)]
pub struct NaturalNames {
    /// 1 to 5.
    pub name_identifier: Vec<NaturalName>,
}

/// A name of a natural person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelNaturalName)]
pub struct NaturalName {
    /// Family name, or the whole name.
    pub primary_identifier: String,
    /// Given names.
    pub secondary_identifier: Option<String>,
    /// `LEGL`, `ALIA`, `BIRT`, `MAID` or `MISC`.
    #[serde(alias = "nameIdentifierType")]
    pub natural_person_name_identifier_type: String,
}

/// A legal person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelLegalPerson)]
pub struct LegalPerson {
    /// Names.
    pub name: LegalNames,
    /// Addresses.
    pub geographic_address: Vec<Address>,
    /// The number that the institution gave.
    #[serde(alias = "customerNumber")]
    pub customer_identification: Option<String>,
    /// A number of a register or an LEI.
    pub national_identification: Option<NationalIdentification>,
    /// Where it is registered.
    #[schema(value_type = Option<String>)]
    pub country_of_registration: Option<Country>,
}

/// Names of a legal person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelLegalNames)]
pub struct LegalNames {
    /// 1 to 3.
    pub name_identifier: Vec<LegalName>,
}

/// A name of a legal person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelLegalName)]
pub struct LegalName {
    /// The name.
    pub legal_person_name: String,
    /// `LEGL`, `SHRT` or `TRAD`.
    pub legal_person_name_identifier_type: String,
}

/// An address: lines, or a street with the number or the name of a building.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelAddress)]
pub struct Address {
    /// `HOME`, `BIZZ` or `GEOG`.
    pub address_type: String,
    /// Street.
    pub street_name: Option<String>,
    /// Number.
    pub building_number: Option<String>,
    /// Building.
    pub building_name: Option<String>,
    /// Town.
    pub town_name: Option<String>,
    /// Postcode.
    pub post_code: Option<String>,
    /// Country.
    #[schema(value_type = Option<String>)]
    pub country: Option<Country>,
    /// Lines.
    pub address_line: Vec<String>,
}

/// A number that identifies somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = TravelIdentification)]
pub struct NationalIdentification {
    /// The number.
    pub national_identifier: String,
    /// `ARNU`, `CCPT`, `RAID`, `DRLC`, `FIIN`, `TXID`, `SOCS`, `IDCD`, `LEIX` or `MISC`.
    pub national_identifier_type: String,
    /// Who issued it.
    #[schema(value_type = Option<String>)]
    pub country_of_issue: Option<Country>,
    /// The authority, `RA` and six digits.
    pub registration_authority: Option<String>,
}

/// Birth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TravelBirth)]
pub struct Birth {
    /// When.
    pub date_of_birth: Day,
    /// Where.
    pub place_of_birth: String,
}

impl Wallets {
    pub(super) fn accounts(&self) -> impl Iterator<Item = &String> {
        self.account_number.iter()
    }

    /// Whether there is somebody, and everybody has it.
    pub(super) fn all(&self, has: fn(&Person) -> bool) -> bool {
        !self.person.is_empty() && self.person.iter().all(has)
    }

    /// The constraints of the standard on what is there: C2, C5, C6, C8, C9, C10, C11.
    pub(super) fn check(&self, side: &str, today: Day, faults: &mut Vec<Fault>) {
        for (place, person) in self.person.iter().enumerate() {
            let base = format!("/{side}/person/{place}");
            let mut fault = |member: &str, hint: &str| {
                faults.push(Fault {
                    path: format!("{base}{member}"),
                    code: "form",
                    hint: hint.to_owned(),
                });
            };
            if person.natural_person.is_some() == person.legal_person.is_some() {
                fault("", "a person is either natural or legal");
            }
            if let Some(natural) = &person.natural_person {
                let legal = natural.name.name_identifier.iter();
                let mut legal =
                    legal.filter(|name| name.natural_person_name_identifier_type == "LEGL");
                if !natural.name.name_identifier.is_empty() && legal.next().is_none() {
                    fault("/naturalPerson/name", "one name is of the type LEGL (C6)");
                }
                if natural
                    .date_and_place_of_birth
                    .as_ref()
                    .is_some_and(|birth| birth.date_of_birth >= today)
                {
                    fault(
                        "/naturalPerson/dateAndPlaceOfBirth",
                        "a birth lies in the past (C2)",
                    );
                }
            }
            if let Some(company) = &person.legal_person {
                let legal = company.name.name_identifier.iter();
                let mut legal =
                    legal.filter(|name| name.legal_person_name_identifier_type == "LEGL");
                if !company.name.name_identifier.is_empty() && legal.next().is_none() {
                    fault("/legalPerson/name", "one name is of the type LEGL (C5)");
                }
                if let Some(hint) = company
                    .national_identification
                    .as_ref()
                    .and_then(of_company)
                {
                    fault("/legalPerson/nationalIdentification", hint);
                }
            }
            if !person.addresses().iter().all(Address::is_valid) {
                fault(
                    "/geographicAddress",
                    "an address has a country, and lines or a town and a street with the number or name of a building (C8)",
                );
            }
        }
    }
}

/// What is wrong with the number of a legal person: C9 to C11.
fn of_company(number: &NationalIdentification) -> Option<&'static str> {
    let text = &number.national_identifier;
    let authority = number.registration_authority.as_deref();
    let is_authority = |name: &str| {
        let digits = name.strip_prefix("RA").unwrap_or_default();
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match number.national_identifier_type.as_str() {
        "LEIX" if !is_lei(text) => {
            Some("an LEI has 20 characters and two right check digits (C11)")
        }
        "LEIX" if authority.is_some() || number.country_of_issue.is_some() => {
            Some("an LEI has neither an authority nor a country (C9)")
        }
        "LEIX" => None,
        "RAID" | "MISC" | "TXID" if authority.is_none() => {
            Some("name the registration authority (C9)")
        }
        "RAID" | "MISC" | "TXID" if !authority.is_some_and(is_authority) => {
            Some("an authority is RA and six digits (C10)")
        }
        "RAID" | "MISC" | "TXID" => None,
        _ => Some("a legal person has a number of the type LEIX, RAID, TXID or MISC (C9)"),
    }
}

/// ISO 17442: 18 characters and two digits, 1 modulo 97 with letters as 10 to 35 (ISO 7064).
fn is_lei(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let remainder = text
        .chars()
        .filter_map(|one| one.to_digit(36))
        .fold(0, |sum: u32, digit| {
            let shifted = if digit > 9 { sum * 100 } else { sum * 10 };
            (shifted + digit) % 97
        });
    text.len() == 20 && plain && remainder == 1
}

impl Person {
    pub(super) fn has_name(&self) -> bool {
        let natural = self
            .natural_person
            .iter()
            .flat_map(|one| &one.name.name_identifier);
        let legal = self
            .legal_person
            .iter()
            .flat_map(|one| &one.name.name_identifier);
        natural
            .map(|name| &name.primary_identifier)
            .chain(legal.map(|name| &name.legal_person_name))
            .any(|name| !name.trim().is_empty())
    }

    pub(super) fn has_address(&self) -> bool {
        self.addresses().iter().any(Address::is_valid)
    }

    pub(super) fn has_national_id(&self) -> bool {
        let natural = self
            .natural_person
            .iter()
            .filter_map(|one| one.national_identification.as_ref());
        let legal = self
            .legal_person
            .iter()
            .filter_map(|one| one.national_identification.as_ref());
        natural
            .chain(legal)
            .any(|number| !number.national_identifier.trim().is_empty())
    }

    pub(super) fn has_customer_id(&self) -> bool {
        let natural = self
            .natural_person
            .iter()
            .filter_map(|one| one.customer_identification.as_ref());
        let legal = self
            .legal_person
            .iter()
            .filter_map(|one| one.customer_identification.as_ref());
        natural.chain(legal).any(|number| !number.trim().is_empty())
    }

    pub(super) fn has_birth(&self) -> bool {
        let birth = self
            .natural_person
            .as_ref()
            .and_then(|one| one.date_and_place_of_birth.as_ref());
        birth.is_some_and(|birth| !birth.place_of_birth.trim().is_empty())
    }

    fn addresses(&self) -> &[Address] {
        match (&self.natural_person, &self.legal_person) {
            (Some(person), _) => &person.geographic_address,
            (None, Some(company)) => &company.geographic_address,
            (None, None) => &[],
        }
    }
}

impl Address {
    /// C8.
    fn is_valid(&self) -> bool {
        let given =
            |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let lines = self.address_line.iter().any(|line| !line.trim().is_empty());
        let place = given(&self.street_name)
            && (given(&self.building_number) || given(&self.building_name));
        self.country.is_some() && (lines || (place && given(&self.town_name)))
    }
}
