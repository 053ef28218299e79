//! goAML: the elements of the generic schema in its order; from version 5 on those that it added.

use super::xml::Node;
use crate::{
    Day, Profile, Report,
    check::Faults,
    report::{
        Account, Address, AddressKind, Company, Gender, IdentificationKind, Officer, Party, Person,
        Phone, Relation, Side, Transaction, Who,
    },
};
use paywarden_domain::Timestamp;

/// What the schema cannot carry.
pub(super) fn check(report: &Report, faults: &mut Faults) {
    if report.transactions.is_empty() && report.parties.is_empty() {
        faults.add(
            "/transactions",
            "missing",
            "goAML takes transactions, or an activity with parties",
        );
    }
    let continues = report
        .earlier
        .as_ref()
        .is_some_and(|one| one.relation == Relation::Continuation);
    if continues {
        let hint = "goAML has no word for it: name the earlier report in the narrative";
        faults.add("/earlier/relation", "form", hint);
    }
    for (place, transaction) in report.transactions.iter().enumerate() {
        for (end, side) in [("from", &transaction.from), ("to", &transaction.to)] {
            let held = side.account.as_deref().and_then(|id| report.account(id));
            let lonely = held.is_some_and(|account| {
                report.is_client(account) && report.holders(account).count() == 0
            });
            if lonely {
                let path = format!("/transactions/{place}/{end}/account");
                faults.add(
                    path,
                    "missing",
                    "an account of a customer needs its holders",
                );
            }
        }
    }
}

pub(super) fn write(report: &Report, profile: &Profile, today: Day) -> String {
    Writer { report, profile }.document(today)
}

struct Writer<'r> {
    report: &'r Report,
    profile: &'r Profile,
}

impl Writer<'_> {
    fn document(&self, today: Day) -> String {
        let report = self.report;
        let entity = &report.reporting_entity;
        let is_five = self.profile.is_schema(5);
        let mut root = Node::new("report");
        if is_five {
            root.text("schema_version", &self.profile.schema);
        }
        root.some("rentity_id", entity.codes.get("rentity_id").cloned());
        root.some("rentity_branch", entity.branch.clone());
        root.text("submission_code", "E");
        root.text("report_code", self.code("report", report.duty.name()));
        root.text("entity_reference", &report.reference);
        root.some(
            "fiu_ref_number",
            report.earlier.as_ref().map(|one| one.reference.clone()),
        );
        let date = if is_five {
            "report_date"
        } else {
            "submission_date"
        };
        root.text(date, of_day(today));
        root.text("currency_code_local", self.profile.currency.code());
        root.push(self.reporting_person(&entity.officer));
        root.push(self.address("location", &entity.address));
        root.text("reason", reason(report));
        root.some("action", report.action.clone());
        for transaction in &report.transactions {
            root.push(self.transaction(transaction));
        }
        if report.transactions.is_empty() {
            root.push(self.activity());
        }
        let mut indicators = Node::new("report_indicators");
        for indicator in &report.indicators {
            indicators.text("indicator", self.code("indicator", indicator));
        }
        root.push(indicators);
        root.document()
    }

    fn reporting_person(&self, officer: &Officer) -> Node {
        let mut node = Node::new("reporting_person");
        node.text("first_name", &officer.first_name);
        node.text("last_name", &officer.last_name);
        if let Some(number) = &officer.phone {
            let phone = Phone {
                kind: AddressKind::Business,
                prefix: None,
                number: number.clone(),
            };
            node.push(self.phones(&[phone]));
        }
        node.some("email", officer.email.clone());
        node.some("occupation", officer.occupation.clone());
        node
    }

    fn transaction(&self, transaction: &Transaction) -> Node {
        let is_five = self.profile.is_schema(5);
        let mut node = Node::new("transaction");
        node.text("transactionnumber", &transaction.number);
        if is_five {
            node.text(
                "transaction_is_suspicious",
                transaction.is_suspicious.to_string(),
            );
        }
        node.text(
            "transaction_location",
            transaction.location.clone().unwrap_or_default(),
        );
        let description = transaction.description.clone().unwrap_or_default();
        node.text("transaction_description", description);
        node.text("date_transaction", self.moment(transaction.at));
        node.text(
            "transmode_code",
            self.code("channel", transaction.channel.name()),
        );
        let local = transaction.in_currency(self.profile.currency);
        node.some("amount_local", local.map(|money| money.decimal()));
        node.push(self.side(transaction, &transaction.from, "from"));
        node.push(self.side(transaction, &transaction.to, "to"));
        node
    }

    fn side(&self, transaction: &Transaction, side: &Side, end: &str) -> Node {
        let account = side
            .account
            .as_deref()
            .and_then(|id| self.report.account(id));
        let party = side.party.as_deref().and_then(|id| self.report.party(id));
        let is_client = match account {
            Some(account) => self.report.is_client(account),
            None => party.is_some_and(|party| party.is_client),
        };
        let own = if is_client { "_my_client" } else { "" };
        let mut node = Node::new(format!("t_{end}{own}"));
        let member = |name: &str| format!("{end}_{name}");
        node.text(
            &member("funds_code"),
            self.code("funds", transaction.channel.name()),
        );
        if transaction.amount.currency != self.profile.currency {
            let mut foreign = Node::new(member("foreign_currency"));
            foreign.text("foreign_currency_code", transaction.amount.currency.code());
            foreign.text("foreign_amount", transaction.amount.decimal());
            foreign.some("foreign_exchange_rate", transaction.rate.clone());
            node.push(foreign);
        }
        match (account, party) {
            (Some(account), _) => node.push(self.account(&member("account"), account)),
            (None, Some(party)) => {
                node.push(self.party(&member("person"), &member("entity"), party))
            }
            (None, None) => {}
        }
        node.text(&member("country"), side.country.code());
        node
    }

    fn activity(&self) -> Node {
        let mut parties = Node::new("report_parties");
        for party in &self.report.parties {
            let own = if party.is_client { "_my_client" } else { "" };
            let mut one = Node::new("report_party");
            one.push(self.party(&format!("person{own}"), &format!("entity{own}"), party));
            one.some("comments", party.remark.clone());
            parties.push(one);
        }
        let mut node = Node::new("activity");
        node.push(parties);
        node
    }

    fn account(&self, name: &str, account: &Account) -> Node {
        let entity = &self.report.reporting_entity;
        let is_client = self.report.is_client(account);
        let mut node = Node::new(name);
        let own = is_client.then(|| entity.name.clone());
        node.some("institution_name", account.institution.clone().or(own));
        let code = account.institution_code.clone();
        node.some(
            "institution_code",
            code.or(is_client
                .then(|| entity.codes.get("rentity_id").cloned())
                .flatten()),
        );
        node.some("branch", account.branch.clone());
        node.text("account", &account.number);
        node.some(
            "currency_code",
            account.currency.map(|currency| currency.code()),
        );
        node.some("account_name", account.name.clone());
        node.some("iban", account.iban.clone());
        node.some("client_number", account.client_number.clone());
        node.some(
            "personal_account_type",
            self.profile.code("account", account.kind.name()),
        );
        let holders: Vec<&Party> = self.report.holders(account).collect();
        let company = holders.iter().find_map(|party| match &party.who {
            Who::Company(company) => Some((*party, company)),
            Who::Person(_) => None,
        });
        if let Some((party, company)) = company {
            node.push(self.company("t_entity", party, company));
        }
        let mut is_first = true;
        for party in holders {
            let Who::Person(person) = &party.who else {
                continue;
            };
            let mut signatory = Node::new("signatory");
            // The schema wants it of everybody who signs for an account of a customer.
            if is_first || is_client {
                signatory.text("is_primary", "true");
            }
            is_first = false;
            signatory.push(self.person("t_person", party, person));
            signatory.some("role", self.profile.code("account_role", "holder"));
            node.push(signatory);
        }
        node.some("opened", account.opened_on.map(of_day));
        node.some("closed", account.closed_on.map(of_day));
        let status = account
            .status
            .and_then(|status| self.profile.code("account_status", status.name()));
        node.some("status_code", status);
        node
    }

    fn party(&self, of_person: &str, of_company: &str, party: &Party) -> Node {
        match &party.who {
            Who::Person(person) => self.person(of_person, party, person),
            Who::Company(company) => self.company(of_company, party, company),
        }
    }

    fn person(&self, name: &str, party: &Party, person: &Person) -> Node {
        let mut node = Node::new(name);
        let gender = person.gender.map(|gender| match gender {
            Gender::Female => "F",
            Gender::Male => "M",
        });
        node.some("gender", gender);
        // Both are mandatory: where one is not known, a hyphen says so.
        node.text("first_name", person.first_name.as_deref().unwrap_or("-"));
        node.some("middle_name", person.middle_name.clone());
        node.text("last_name", person.last_name.as_deref().unwrap_or("-"));
        node.some("birthdate", person.birth_date.map(of_day));
        node.some("birth_place", person.birth_place.clone());
        node.some("alias", person.aliases.first().cloned());
        let number = |kind| party.number(kind).map(|one| one.number.clone());
        node.some("ssn", number(IdentificationKind::NationalId));
        if let Some(passport) = party.number(IdentificationKind::Passport) {
            node.text("passport_number", &passport.number);
            node.some(
                "passport_country",
                passport.country.map(|country| country.code().to_owned()),
            );
        }
        node.some("id_number", number(IdentificationKind::DrivingLicence));
        node.some(
            "nationality1",
            person.nationality.map(|country| country.code().to_owned()),
        );
        node.some(
            "residence",
            person.residence.map(|country| country.code().to_owned()),
        );
        self.contacts(&mut node, party);
        node.some("email", party.email.clone());
        node.some("occupation", person.occupation.clone());
        node.some("tax_number", number(IdentificationKind::PersonTax));
        node.some("comments", party.remark.clone());
        node
    }

    fn company(&self, name: &str, party: &Party, company: &Company) -> Node {
        let mut node = Node::new(name);
        node.text("name", company.name.as_deref().unwrap_or("-"));
        node.some("commercial_name", company.trade_name.clone());
        node.some("incorporation_legal_form", company.legal_form.clone());
        node.some("incorporation_number", company.registration_number.clone());
        node.some("business", company.business.clone());
        self.contacts(&mut node, party);
        node.some("email", party.email.clone());
        node.some(
            "incorporation_country_code",
            company.country.map(|country| country.code().to_owned()),
        );
        for director in company
            .directors
            .iter()
            .filter_map(|id| self.report.party(id))
        {
            if let Who::Person(person) = &director.who {
                let mut one = self.person("director_id", director, person);
                one.some("role", self.profile.code("entity_role", "director"));
                node.push(one);
            }
        }
        node.some("incorporation_date", company.incorporated_on.map(of_day));
        let tax = party.number(IdentificationKind::CompanyTax);
        node.some("tax_number", tax.map(|one| one.number.clone()));
        node.some("comments", party.remark.clone());
        node
    }

    fn contacts(&self, node: &mut Node, party: &Party) {
        if !party.phones.is_empty() {
            node.push(self.phones(&party.phones));
        }
        if !party.addresses.is_empty() {
            let mut all = Node::new("addresses");
            for address in &party.addresses {
                all.push(self.address("address", address));
            }
            node.push(all);
        }
    }

    fn phones(&self, phones: &[Phone]) -> Node {
        let mut all = Node::new("phones");
        for phone in phones {
            let mut one = Node::new("phone");
            one.text("tph_contact_type", self.code("contact", phone.kind.name()));
            one.text(
                "tph_communication_type",
                self.code("communication", "phone"),
            );
            one.some("tph_country_prefix", phone.prefix.clone());
            one.text("tph_number", &phone.number);
            all.push(one);
        }
        all
    }

    fn address(&self, name: &str, address: &Address) -> Node {
        let mut node = Node::new(name);
        node.text("address_type", self.code("contact", address.kind.name()));
        node.text("address", address.street.as_deref().unwrap_or("-"));
        node.text("city", address.city.as_deref().unwrap_or("-"));
        node.some("zip", address.postcode.clone());
        node.text("country_code", address.country.code());
        node.some("state", address.region.clone());
        node
    }

    /// The code of a word; the word itself where the check of the profile let it pass.
    fn code(&self, table: &str, word: &str) -> String {
        self.profile.code(table, word).unwrap_or(word).to_owned()
    }

    /// A moment by the clock of the place, without its offset: the schema has none.
    fn moment(&self, at: Timestamp) -> String {
        let offset = i64::from(self.profile.utc_offset_hours) * paywarden_domain::time::HOUR;
        let local = Timestamp::from_micros(at.micros() + offset).to_string();
        local.get(..19).unwrap_or(&local).to_owned()
    }
}

/// Reason and narrative: the generic schema has one node for both.
fn reason(report: &Report) -> String {
    match &report.reason {
        Some(reason) => format!("{reason}\n{}", report.narrative),
        None => report.narrative.clone(),
    }
}

fn of_day(day: Day) -> String {
    format!("{day}T00:00:00")
}
