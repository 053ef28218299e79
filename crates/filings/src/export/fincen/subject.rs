//! The subjects of a FinCEN SAR, with their names, documents and accounts.

use super::{SUBJECT, Writer, identification, other_name, party, phone};
use crate::{
    Day,
    export::xml::Node,
    report::{Account, Company, Gender, Identification, IdentificationKind, Party, Person, Who},
};
use std::collections::BTreeMap;

const ACCOUNT_HOLDER_INSTITUTION: &str = "41";

impl Writer<'_> {
    pub(super) fn subject(&self, subject: &Party) -> Node {
        let mut node = party(SUBJECT);
        let occupation = match &subject.who {
            Who::Person(person) => {
                self.person(&mut node, subject, person);
                person.occupation.as_deref()
            }
            Who::Company(company) => {
                self.company(&mut node, subject, company);
                company.business.as_deref()
            }
        };
        if subject.addresses.is_empty() {
            node.push(unknown_address());
        }
        for address in &subject.addresses {
            node.push(self.address(address));
        }
        for one in &subject.phones {
            node.push(phone(Some(&one.number)));
        }
        identifications(&mut node, subject);
        if let Some(text) = occupation {
            let mut business = Node::new("PartyOccupationBusiness");
            business.text("OccupationBusinessText", text);
            node.push(business);
        }
        if let Some(email) = &subject.email {
            let mut address = Node::new("ElectronicAddress");
            address.text("ElectronicAddressText", email);
            address.text("ElectronicAddressTypeCode", "E");
            node.push(address);
        }
        let relation = match subject.is_client {
            true => "CustomerIndicator",
            false => "NoRelationshipToInstitutionIndicator",
        };
        let mut association = Node::new("PartyAssociation");
        association.text(relation, "Y");
        node.push(association);
        self.accounts(&mut node, subject);
        node
    }

    fn person(&self, node: &mut Node, subject: &Party, person: &Person) {
        flag(
            node,
            "BirthDateUnknownIndicator",
            person.birth_date.is_none(),
        );
        flag(
            node,
            "FemaleGenderIndicator",
            person.gender == Some(Gender::Female),
        );
        node.some(
            "IndividualBirthDateText",
            person.birth_date.map(Day::compact),
        );
        flag(
            node,
            "MaleGenderIndicator",
            person.gender == Some(Gender::Male),
        );
        self.no_account(node, subject);
        flag(node, "UnknownGenderIndicator", person.gender.is_none());
        node.push(person_name(person));
        for alias in &person.aliases {
            node.push(other_name("AKA", alias));
        }
    }

    fn company(&self, node: &mut Node, subject: &Party, company: &Company) {
        self.no_account(node, subject);
        node.text("PartyAsEntityOrganizationIndicator", "Y");
        let mut name = Node::new("PartyName");
        flag(
            &mut name,
            "EntityLastNameUnknownIndicator",
            company.name.is_none(),
        );
        name.text("PartyNameTypeCode", "L");
        name.some("RawEntityIndividualLastName", company.name.clone());
        node.push(name);
        if let Some(other) = &company.trade_name {
            node.push(other_name("DBA", other));
        }
    }

    fn no_account(&self, node: &mut Node, subject: &Party) {
        let none = self.held(subject).next().is_none();
        flag(node, "NoKnownAccountInvolvedIndicator", none);
    }

    fn held(&self, subject: &Party) -> impl Iterator<Item = &Account> {
        self.report
            .accounts
            .iter()
            .filter(|account| account.holders.contains(&subject.id))
    }

    /// The accounts of a subject by the institution that keeps them.
    fn accounts(&self, node: &mut Node, subject: &Party) {
        let own = self
            .report
            .reporting_entity
            .codes
            .get("tin")
            .map(String::as_str);
        let mut institutions: BTreeMap<(Option<&str>, bool), Vec<&Account>> = BTreeMap::new();
        for account in self.held(subject) {
            let is_ours = account.institution.is_none();
            let number = if is_ours {
                own
            } else {
                account.institution_code.as_deref()
            };
            institutions
                .entry((number, is_ours))
                .or_default()
                .push(account);
        }
        if institutions.is_empty() {
            return;
        }
        let mut association = Node::new("PartyAccountAssociation");
        association.text("PartyAccountAssociationTypeCode", "7");
        for ((number, is_ours), accounts) in institutions {
            let mut institution = party(ACCOUNT_HOLDER_INSTITUTION);
            if !is_ours {
                institution.text("NonUSFinancialInstitutionIndicator", "Y");
            }
            if number.is_some() {
                institution.push(identification("4", number));
            }
            for account in accounts {
                let mut one = Node::new("Account");
                one.text("AccountNumberText", &account.number);
                let mut held = Node::new("PartyAccountAssociation");
                if account.closed_on.is_some() {
                    held.text("AccountClosedIndicator", "Y");
                }
                held.text("PartyAccountAssociationTypeCode", "5");
                one.push(held);
                institution.push(one);
            }
            association.push(institution);
        }
        node.push(association);
    }
}

fn identifications(node: &mut Node, subject: &Party) {
    node.push(tax_number(subject));
    for one in documents(subject) {
        node.push(document(one));
    }
}

pub(super) fn person_name(person: &Person) -> Node {
    let mut name = Node::new("PartyName");
    flag(
        &mut name,
        "EntityLastNameUnknownIndicator",
        person.last_name.is_none(),
    );
    flag(
        &mut name,
        "FirstNameUnknownIndicator",
        person.first_name.is_none(),
    );
    name.text("PartyNameTypeCode", "L");
    name.some("RawEntityIndividualLastName", person.last_name.clone());
    name.some("RawIndividualFirstName", person.first_name.clone());
    name.some("RawIndividualMiddleName", person.middle_name.clone());
    name
}

fn tax_code(kind: IdentificationKind) -> Option<&'static str> {
    match kind {
        IdentificationKind::PersonTax => Some("1"),
        IdentificationKind::CompanyTax => Some("2"),
        _ => None,
    }
}

/// The tax number of a party, or that it is not known.
pub(super) fn tax_number(subject: &Party) -> Node {
    let all = subject.identifications.iter();
    let tax = all
        .filter_map(|one| Some((one, tax_code(one.kind)?)))
        .next();
    match tax {
        // A tax number of another country is of the type Foreign.
        Some((one, kind)) => {
            let is_foreign = one.country.is_some_and(|country| country.code() != "US");
            identification(if is_foreign { "9" } else { kind }, Some(&one.number))
        }
        None => {
            let mut unknown = Node::new("PartyIdentification");
            unknown.text("TINUnknownIndicator", "Y");
            unknown
        }
    }
}

/// What identifies a party besides its tax number.
pub(super) fn documents(subject: &Party) -> impl Iterator<Item = &Identification> {
    let all = subject.identifications.iter();
    all.filter(|one| tax_code(one.kind).is_none())
}

pub(super) fn document(one: &Identification) -> Node {
    let kind = match one.kind {
        IdentificationKind::DrivingLicence => "5",
        IdentificationKind::Passport => "6",
        _ => "999",
    };
    let mut form = Node::new("PartyIdentification");
    form.some(
        "OtherIssuerCountryText",
        one.country.map(|country| country.code().to_owned()),
    );
    if kind == "999" {
        form.text("OtherPartyIdentificationTypeText", one.kind.name());
    }
    form.text("PartyIdentificationNumberText", &one.number);
    form.text("PartyIdentificationTypeCode", kind);
    form
}

pub(super) fn flag(node: &mut Node, name: &str, holds: bool) {
    if holds {
        node.text(name, "Y");
    }
}

pub(super) fn unknown_address() -> Node {
    let mut node = Node::new("Address");
    for part in [
        "City",
        "CountryCode",
        "StateCode",
        "StreetAddress",
        "ZIPCode",
    ] {
        node.text(&format!("{part}UnknownIndicator"), "Y");
    }
    node
}
