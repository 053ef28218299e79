//! Somebody of a CTR in one role: who they are, what they moved, over which accounts.

use super::{ON_BEHALF, Role, WAYS, amounts};
use crate::{
    Day,
    export::{
        fincen::{
            Writer, party, phone,
            subject::{document, documents, flag, person_name, tax_number, unknown_address},
            whole,
        },
        xml::Node,
    },
    report::{Gender, Party, Who},
};

impl<'r> Writer<'r> {
    pub(super) fn person_in_role(&self, role: &Role<'r>) -> Node {
        let mut node = party(role.code);
        let person = match role.who.map(|party| &party.who) {
            Some(Who::Person(person)) => Some(person),
            _ => None,
        };
        let is_company = role.who.is_some() && person.is_none();
        let gender = person.and_then(|person| person.gender);
        let birth = person.and_then(|person| person.birth_date);
        flag(
            &mut node,
            "BirthDateUnknownIndicator",
            !is_company && birth.is_none(),
        );
        flag(
            &mut node,
            "FemaleGenderIndicator",
            gender == Some(Gender::Female),
        );
        node.some("IndividualBirthDateText", birth.map(Day::compact));
        for (name, text) in amounts(role.minors.map(whole)) {
            node.text(name, text);
        }
        flag(
            &mut node,
            "MaleGenderIndicator",
            gender == Some(Gender::Male),
        );
        let acts = role.code != ON_BEHALF;
        flag(
            &mut node,
            "MultipleTransactionsPersonsIndividualsIndicator",
            acts && role.transactions > 1,
        );
        flag(&mut node, "PartyAsEntityOrganizationIndicator", is_company);
        flag(
            &mut node,
            "UnknownGenderIndicator",
            !is_company && gender.is_none(),
        );
        match role.who {
            Some(who) => self.facts(&mut node, who, acts),
            None => nobody(&mut node),
        }
        for (way, account) in &role.accounts {
            let mut one = Node::new("Account");
            one.text("AccountNumberText", &account.number);
            let mut association = Node::new("PartyAccountAssociation");
            association.text("PartyAccountAssociationTypeCode", WAYS[*way].account);
            one.push(association);
            node.push(one);
        }
        node
    }

    /// Names, the main address, telephone and document: the form has room for one of each.
    fn facts(&self, node: &mut Node, who: &Party, acts: bool) {
        let work = match &who.who {
            Who::Person(person) => {
                node.push(person_name(person));
                if let Some(alias) = person.aliases.first() {
                    node.push(alias_name("AKA", alias));
                }
                &person.occupation
            }
            Who::Company(company) => {
                let mut name = Node::new("PartyName");
                let is_unknown = company.name.is_none();
                flag(&mut name, "EntityLastNameUnknownIndicator", is_unknown);
                name.text("PartyNameTypeCode", "L");
                name.some("RawEntityIndividualLastName", company.name.clone());
                node.push(name);
                if let Some(other) = &company.trade_name {
                    node.push(alias_name("DBA", other));
                }
                &company.business
            }
        };
        node.push(match who.addresses.first() {
            Some(address) => self.address(address),
            None => unknown_address(),
        });
        if let Some(one) = who.phones.first() {
            node.push(phone(Some(&one.number)));
        }
        node.push(tax_number(who));
        match documents(who).next() {
            Some(one) => node.push(document(one)),
            None if acts => node.push(no_document()),
            None => {}
        }
        if let Some(text) = work {
            let mut business = Node::new("PartyOccupationBusiness");
            business.text("OccupationBusinessText", text);
            node.push(business);
        }
        if let Some(email) = &who.email {
            let mut address = Node::new("ElectronicAddress");
            address.text("ElectronicAddressText", email);
            node.push(address);
        }
    }
}

fn nobody(node: &mut Node) {
    let mut name = Node::new("PartyName");
    flag(&mut name, "EntityLastNameUnknownIndicator", true);
    flag(&mut name, "FirstNameUnknownIndicator", true);
    name.text("PartyNameTypeCode", "L");
    node.push(name);
    node.push(unknown_address());
    let mut tax = Node::new("PartyIdentification");
    tax.text("TINUnknownIndicator", "Y");
    node.push(tax);
    node.push(no_document());
}

fn alias_name(kind: &str, name: &str) -> Node {
    let mut node = Node::new("PartyName");
    node.text("PartyNameTypeCode", kind);
    node.text("RawEntityIndividualLastName", name);
    node
}

fn no_document() -> Node {
    let mut node = Node::new("PartyIdentification");
    node.text("IdentificationPresentUnknownIndicator", "Y");
    node
}
