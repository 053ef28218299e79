//! Every text of a report with its name, its place and whose it is: what rules are held against.

use crate::{
    profile::Of,
    report::{Account, Address, Company, Party, Person, Report, Side, Transaction, Who},
};
use paywarden_domain::Country;
use std::borrow::Cow;

/// A field.
pub(crate) struct Field<'r> {
    /// Its name, as rules know it.
    pub(crate) name: Cow<'static, str>,
    /// Its JSON pointer in the report.
    pub(crate) path: String,
    /// What it is; a collection gives a value if it is not empty.
    pub(crate) value: Option<Cow<'r, str>>,
    whose: Whose,
}

#[derive(Clone, Copy, Default)]
struct Whose {
    client: bool,
    subject: bool,
    nobody: bool,
}

impl Field<'_> {
    /// Whether it is a field of such.
    pub(crate) fn is_of(&self, of: Of) -> bool {
        match of {
            Of::Client => self.whose.client,
            Of::Stranger => !self.whose.client && !self.whose.nobody,
            Of::Subject => self.whose.subject,
        }
    }

    /// Whether it may have several lines.
    pub(crate) fn is_prose(&self) -> bool {
        matches!(
            &*self.name,
            "narrative" | "reason" | "action" | "transaction.description" | "party.remark"
        )
    }
}

/// Every field.
pub(crate) fn fields(report: &Report) -> Vec<Field<'_>> {
    let mut walk = Walk::default();
    walk.report(report);
    for (place, party) in report.parties.iter().enumerate() {
        walk.party(format!("/parties/{place}"), party);
    }
    for (place, account) in report.accounts.iter().enumerate() {
        walk.whose = Whose {
            client: report.is_client(account),
            ..Whose::default()
        };
        walk.account(format!("/accounts/{place}"), account);
    }
    walk.whose = NOBODY;
    for (place, transaction) in report.transactions.iter().enumerate() {
        walk.transaction(&format!("/transactions/{place}"), transaction);
    }
    for (place, attachment) in report.attachments.iter().enumerate() {
        let base = format!("/attachments/{place}");
        walk.some("attachment.name", format!("{base}/name"), &attachment.name);
        walk.some(
            "attachment.media_type",
            format!("{base}/media_type"),
            &attachment.media_type,
        );
    }
    walk.fields
}

const NOBODY: Whose = Whose {
    client: false,
    subject: false,
    nobody: true,
};

#[derive(Default)]
struct Walk<'r> {
    fields: Vec<Field<'r>>,
    whose: Whose,
}

type Texts<'r, const N: usize> = [(&'static str, Option<&'r str>); N];

impl<'r> Walk<'r> {
    fn report(&mut self, report: &'r Report) {
        self.whose = NOBODY;
        self.some("reference", "/reference".into(), &report.reference);
        self.one("case", "/case".into(), report.case.as_deref());
        self.some("narrative", "/narrative".into(), &report.narrative);
        self.one("reason", "/reason".into(), report.reason.as_deref());
        self.one("action", "/action".into(), report.action.as_deref());
        self.one(
            "prepared_by",
            "/prepared_by".into(),
            report.prepared_by.as_deref(),
        );
        if let Some(earlier) = &report.earlier {
            self.some(
                "earlier.reference",
                "/earlier/reference".into(),
                &earlier.reference,
            );
        }
        self.count("subjects", "/parties".into(), report.subjects().count());
        self.count(
            "transactions",
            "/transactions".into(),
            report.transactions.len(),
        );
        self.count("indicators", "/indicators".into(), report.indicators.len());
        for (place, indicator) in report.indicators.iter().enumerate() {
            self.some("indicator", format!("/indicators/{place}"), indicator);
        }
        let entity = &report.reporting_entity;
        let officer = &entity.officer;
        let base = "/reporting_entity";
        self.texts(
            base,
            "entity",
            [
                ("name", Some(&entity.name)),
                ("branch", entity.branch.as_deref()),
                ("phone", entity.phone.as_deref()),
            ],
        );
        for (code, value) in &entity.codes {
            let name = format!("entity.code.{code}");
            self.named(name.into(), format!("{base}/codes/{code}"), Some(value));
        }
        self.address(format!("{base}/address"), "entity.address", &entity.address);
        self.texts(
            &format!("{base}/officer"),
            "officer",
            [
                ("first_name", Some(&officer.first_name)),
                ("last_name", Some(&officer.last_name)),
                ("occupation", officer.occupation.as_deref()),
                ("email", officer.email.as_deref()),
                ("phone", officer.phone.as_deref()),
            ],
        );
    }

    fn party(&mut self, base: String, party: &'r Party) {
        self.whose = Whose {
            client: party.is_client,
            subject: party.is_subject,
            nobody: false,
        };
        match &party.who {
            Who::Person(person) => self.person(format!("{base}/who/person"), person),
            Who::Company(company) => self.company(format!("{base}/who/company"), company),
        }
        self.contacts(&base, party);
        self.texts(
            &base,
            "party",
            [
                ("email", party.email.as_deref()),
                ("client_number", party.client_number.as_deref()),
                ("remark", party.remark.as_deref()),
            ],
        );
        self.count(
            "party.identifications",
            format!("{base}/identifications"),
            party.identifications.len(),
        );
        for (place, one) in party.identifications.iter().enumerate() {
            let at = format!("{base}/identifications/{place}");
            let name = format!("identification.{}", one.kind.name());
            self.named(name.into(), format!("{at}/number"), Some(&one.number));
            self.some("identification.number", format!("{at}/number"), &one.number);
            self.one(
                "identification.issued_by",
                format!("{at}/issued_by"),
                one.issued_by.as_deref(),
            );
        }
    }

    fn person(&mut self, at: String, person: &'r Person) {
        self.texts(
            &at,
            "person",
            [
                ("first_name", person.first_name.as_deref()),
                ("middle_name", person.middle_name.as_deref()),
                ("last_name", person.last_name.as_deref()),
                ("birth_place", person.birth_place.as_deref()),
                ("occupation", person.occupation.as_deref()),
            ],
        );
        let birth = person.birth_date.map(|day| day.to_string());
        self.owned("person.birth_date", format!("{at}/birth_date"), birth);
        let gender = person.gender.map(|_| "given".to_owned());
        self.owned("person.gender", format!("{at}/gender"), gender);
        let code = |country: Country| country.code().to_owned();
        self.owned(
            "person.nationality",
            format!("{at}/nationality"),
            person.nationality.map(code),
        );
        self.owned(
            "person.residence",
            format!("{at}/residence"),
            person.residence.map(code),
        );
        for (place, alias) in person.aliases.iter().enumerate() {
            self.some("person.alias", format!("{at}/aliases/{place}"), alias);
        }
    }

    fn company(&mut self, at: String, company: &'r Company) {
        self.texts(
            &at,
            "company",
            [
                ("name", company.name.as_deref()),
                ("trade_name", company.trade_name.as_deref()),
                ("legal_form", company.legal_form.as_deref()),
                (
                    "registration_number",
                    company.registration_number.as_deref(),
                ),
                ("business", company.business.as_deref()),
            ],
        );
        let country = company.country.map(|country| country.code().to_owned());
        self.owned("company.country", format!("{at}/country"), country);
        let since = company.incorporated_on.map(|day| day.to_string());
        self.owned(
            "company.incorporated_on",
            format!("{at}/incorporated_on"),
            since,
        );
        self.count(
            "company.directors",
            format!("{at}/directors"),
            company.directors.len(),
        );
    }

    fn contacts(&mut self, base: &str, party: &'r Party) {
        self.count(
            "party.addresses",
            format!("{base}/addresses"),
            party.addresses.len(),
        );
        for (place, address) in party.addresses.iter().enumerate() {
            self.address(
                format!("{base}/addresses/{place}"),
                "party.address",
                address,
            );
        }
        self.count("party.phones", format!("{base}/phones"), party.phones.len());
        for (place, phone) in party.phones.iter().enumerate() {
            self.texts(
                &format!("{base}/phones/{place}"),
                "party.phone",
                [
                    ("prefix", phone.prefix.as_deref()),
                    ("number", Some(&phone.number)),
                ],
            );
        }
    }

    fn account(&mut self, base: String, account: &'r Account) {
        self.texts(
            &base,
            "account",
            [
                ("number", Some(&account.number)),
                ("institution", account.institution.as_deref()),
                ("institution_code", account.institution_code.as_deref()),
                ("branch", account.branch.as_deref()),
                ("name", account.name.as_deref()),
                ("iban", account.iban.as_deref()),
                ("client_number", account.client_number.as_deref()),
                ("kind", Some(account.kind.name())),
                (
                    "status",
                    account.status.map(crate::report::AccountStatus::name),
                ),
            ],
        );
        let currency = account.currency.map(|currency| currency.code().to_owned());
        self.owned("account.currency", format!("{base}/currency"), currency);
        let opened = account.opened_on.map(|day| day.to_string());
        self.owned("account.opened_on", format!("{base}/opened_on"), opened);
        self.count(
            "account.holders",
            format!("{base}/holders"),
            account.holders.len(),
        );
    }

    fn transaction(&mut self, base: &str, transaction: &'r Transaction) {
        self.texts(
            base,
            "transaction",
            [
                ("number", Some(&transaction.number)),
                ("description", transaction.description.as_deref()),
                ("location", transaction.location.as_deref()),
                ("rate", transaction.rate.as_deref()),
                ("channel", Some(transaction.channel.name())),
            ],
        );
        self.side(format!("{base}/from"), &transaction.from);
        self.side(format!("{base}/to"), &transaction.to);
    }

    fn side(&mut self, base: String, side: &'r Side) {
        let known = side.account.as_deref().or(side.party.as_deref());
        self.one("transaction.side", base, known);
    }

    fn address(&mut self, base: String, name: &'static str, address: &'r Address) {
        self.texts(
            &base,
            name,
            [
                ("street", address.street.as_deref()),
                ("city", address.city.as_deref()),
                ("region", address.region.as_deref()),
                ("postcode", address.postcode.as_deref()),
            ],
        );
    }

    fn texts<const N: usize>(&mut self, base: &str, name: &str, texts: Texts<'r, N>) {
        for (member, value) in texts {
            self.named(
                format!("{name}.{member}").into(),
                format!("{base}/{member}"),
                value,
            );
        }
    }

    fn some(&mut self, name: &'static str, path: String, value: &'r str) {
        self.one(name, path, Some(value));
    }

    fn one(&mut self, name: &'static str, path: String, value: Option<&'r str>) {
        self.named(Cow::Borrowed(name), path, value);
    }

    fn count(&mut self, name: &'static str, path: String, count: usize) {
        self.owned(name, path, (count > 0).then(|| count.to_string()));
    }

    fn owned(&mut self, name: &'static str, path: String, value: Option<String>) {
        self.push(Cow::Borrowed(name), path, value.map(Cow::Owned));
    }

    fn named(&mut self, name: Cow<'static, str>, path: String, value: Option<&'r str>) {
        self.push(name, path, value.map(Cow::Borrowed));
    }

    fn push(&mut self, name: Cow<'static, str>, path: String, value: Option<Cow<'r, str>>) {
        let whose = self.whose;
        // An empty text is none.
        let value = value.filter(|value| !value.is_empty());
        self.fields.push(Field {
            name,
            path,
            value,
            whose,
        });
    }
}
