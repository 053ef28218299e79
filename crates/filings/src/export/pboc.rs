//! The XML of China's monitoring centre, in the shape of the messages for banks: suspicions (`BSTR`)
//! here, large values (`HVTR`) beside. Elements of four letters, `@N` where nothing is known,
//! countries by three letters, amounts with three decimals.

mod large;

use super::{alpha3::alpha3, xml::Node};
use crate::{
    Day, Duty, Profile, Report,
    check::Faults,
    report::{Account, IdentificationKind, Party, Relation, Side, Transaction, Who},
};
use paywarden_domain::{Country, Money};

/// Nothing is known.
const NONE: &str = "@N";
/// Decimals of amounts.
const DECIMALS: usize = 3;

/// What the message cannot carry.
pub(super) fn check(report: &Report, profile: &Profile, faults: &mut Faults) {
    for (place, transaction) in report.transactions.iter().enumerate() {
        if usize::from(transaction.amount.currency.decimals()) > DECIMALS {
            let path = format!("/transactions/{place}/amount");
            faults.add(
                path,
                "amount",
                "amounts have at most three decimals: convert it",
            );
        }
    }
    let is_named = report.transactions.iter().any(|one| one.is_suspicious);
    match report.duty {
        Duty::LargeValue => large::check(report, profile, faults),
        Duty::Suspicious if !is_named => faults.add(
            "/transactions",
            "missing",
            "name the transactions that are suspicious",
        ),
        Duty::Suspicious => {}
    }
}

pub(super) fn write(report: &Report, profile: &Profile) -> String {
    let writer = Writer { report, profile };
    match report.duty {
        Duty::Suspicious => writer.suspicion(),
        Duty::LargeValue => writer.large_value(),
    }
    .document()
}

struct Writer<'r> {
    report: &'r Report,
    profile: &'r Profile,
}

impl Writer<'_> {
    fn suspicion(&self) -> Node {
        let report = self.report;
        let mut root = Node::new("BSTR");
        root.push(self.head());
        root.push(numbered(
            "SEIFs",
            report.subjects().map(|party| self.subject(party)),
        ));
        let suspicious = report.transactions.iter().filter(|one| one.is_suspicious);
        root.push(numbered(
            "STIFs",
            suspicious.map(|one| self.transaction(one)),
        ));
        root
    }

    fn head(&self) -> Node {
        let report = self.report;
        let code = |name: &str| report.reporting_entity.codes.get(name).cloned();
        let mut node = Node::new("RBIF");
        let amended = report
            .earlier
            .as_ref()
            .filter(|one| one.relation == Relation::Amendment);
        fill(
            &mut node,
            [
                ("RICD", code("ricd")),
                ("RPNC", code("rpnc")),
                ("DETR", code("detr")),
                (
                    "TORP",
                    Some(if report.earlier.is_some() { "2" } else { "1" }.to_owned()),
                ),
                (
                    "ORXN",
                    report.earlier.as_ref().map(|one| one.reference.clone()),
                ),
                ("DORP", code("dorp")),
                ("ODRP", None),
                ("TPTR", code("tptr")),
                ("OTPR", None),
                ("STCB", Some(report.narrative.clone())),
                ("AOSP", report.reason.clone()),
            ],
        );
        node.push(self.codes("TOSCs", "TOSC", "crime"));
        node.push(self.codes("STCRs", "STCR", "indicator"));
        let transactions = report
            .transactions
            .iter()
            .filter(|one| one.is_suspicious)
            .count();
        fill(
            &mut node,
            [
                ("SETN", Some(report.subjects().count().to_string())),
                ("STNM", Some(transactions.to_string())),
                ("RPNM", report.prepared_by.clone()),
                ("MIRS", amended.map(|one| one.reference.clone())),
            ],
        );
        node
    }

    /// Indicators that begin with `crime:` are codes of suspected crimes; the others of features.
    fn codes(&self, list: &str, name: &str, table: &str) -> Node {
        let of_crime = table == "crime";
        let chosen = self.report.indicators.iter().filter_map(move |word| {
            match (word.strip_prefix("crime:"), of_crime) {
                (Some(code), true) => Some(code),
                (None, false) => Some(self.profile.code(table, word).unwrap_or(word)),
                _ => None,
            }
        });
        list_of(list, name, chosen.map(ToOwned::to_owned))
    }

    fn subject(&self, party: &Party) -> Node {
        let mut node = Node::new("SEIF");
        fill(
            &mut node,
            [
                ("CSNM", party.client_number.clone()),
                ("SEVC", occupation(party)),
            ],
        );
        let (kind, other, number) = self.identity(party);
        let mut identity = Node::new("SIIF");
        fill(
            &mut identity,
            [
                ("SENM", party.full_name()),
                ("SETP", kind),
                ("OITP", other),
                ("SEID", number),
            ],
        );
        node.push(numbered("SIIFs", [identity].into_iter()));
        node.push(list_of("STNTs", "STNT", country(party)));
        node.push(contact("SCIF", ["SCTL", "SEAR", "SEEI"], party));
        node.push(self.controllers(party));
        node
    }

    /// Who directs a company.
    fn controllers(&self, party: &Party) -> Node {
        let director = match &party.who {
            Who::Company(company) => company
                .directors
                .iter()
                .find_map(|id| self.report.party(id)),
            Who::Person(_) => None,
        };
        let (kind, other, number) = director.map_or((None, None, None), |one| self.identity(one));
        let mut node = Node::new("SRIF");
        fill(
            &mut node,
            [
                ("SRNM", director.and_then(Party::full_name)),
                ("SRIT", kind),
                ("ORIT", other),
                ("SRID", number),
                ("SCNM", None),
                ("SCIT", None),
                ("OCIT", None),
                ("SCID", None),
            ],
        );
        node
    }

    fn transaction(&self, transaction: &Transaction) -> Node {
        let (own, other, direction) = self.sides(transaction);
        let mut node = Node::new("STIF");
        node.push(self.institution());
        node.push(self.client(own));
        let mut account = self.account(own);
        let kept = self.account_of(own);
        let closed = kept.and_then(|one| one.closed_on).map(Day::compact);
        fill(&mut account, [("CATM", closed)]);
        fill(&mut account, CARD.map(|name| (name, None)));
        node.push(account);
        node.push(unknown("TBIF", AGENT));
        let mut movement = self.movement(transaction, own, direction);
        fill(
            &mut movement,
            [
                ("CRSP", transaction.description.clone()),
                ("CRTP", Some(transaction.amount.currency.code().to_owned())),
                ("CRAT", Some(decimal(transaction.amount))),
            ],
        );
        node.push(movement);
        node.push(self.counterparty(other));
        node.push(list_of("ROTFs", "ROTF", std::iter::empty()));
        node
    }

    /// The customer's side, which is told first, the other one, and which way the money went; without
    /// a customer the side of who pays.
    fn sides<'t>(&self, transaction: &'t Transaction) -> (&'t Side, &'t Side, &'static str) {
        let Transaction { from, to, .. } = transaction;
        let is_paid_in = to.account.is_some() && from.account.is_none();
        match (self.is_own(from), self.is_own(to)) {
            (false, true) => (to, from, "01"),
            // Their own cash on their own account.
            (true, true) if is_paid_in => (to, from, "01"),
            _ => (from, to, "02"),
        }
    }

    fn institution(&self) -> Node {
        let entity = &self.report.reporting_entity;
        let mut institution = Node::new("RINI");
        fill(
            &mut institution,
            [
                (
                    "FINC",
                    entity
                        .codes
                        .get("finc")
                        .or(entity.codes.get("ricd"))
                        .cloned(),
                ),
                ("RLFC", entity.codes.get("rlfc").cloned()),
            ],
        );
        institution
    }

    fn client(&self, own: &Side) -> Node {
        let customer = self.party(own);
        let (kind, others, number) = customer.map_or((None, None, None), |one| self.identity(one));
        let mut client = Node::new("CIIF");
        fill(
            &mut client,
            [
                ("CTNM", customer.and_then(Party::full_name)),
                ("CITP", kind),
                ("OITP", others),
                ("CTID", number),
                ("CSNM", customer.and_then(|one| one.client_number.clone())),
            ],
        );
        client
    }

    fn account(&self, side: &Side) -> Node {
        let account = self.account_of(side);
        let kind = account.and_then(|one| self.profile.code("account", one.kind.name()));
        let mut node = Node::new("ATIF");
        fill(
            &mut node,
            [
                ("CATP", kind.map(ToOwned::to_owned)),
                ("CTAC", account.map(|one| one.number.clone())),
                (
                    "OATM",
                    account.and_then(|one| one.opened_on).map(Day::compact),
                ),
            ],
        );
        node
    }

    fn movement(&self, transaction: &Transaction, own: &Side, direction: &str) -> Node {
        let day = Day::of(transaction.at, self.profile.utc_offset_hours).compact();
        let mut node = Node::new("TSIF");
        fill(
            &mut node,
            [
                ("TSTM", Some(day)),
                ("TRCD", Some(letters(own.country))),
                ("TICD", Some(transaction.number.clone())),
                ("RPMT", None),
                ("RPMN", None),
                (
                    "TSTP",
                    self.profile
                        .code("channel", transaction.channel.name())
                        .map(ToOwned::to_owned),
                ),
                ("OCTT", None),
                ("OOCT", None),
                ("OCEC", None),
                ("BPTC", None),
                ("TSCT", None),
                ("TSDR", Some(direction.to_owned())),
            ],
        );
        node
    }

    fn counterparty(&self, side: &Side) -> Node {
        let (account, party) = (self.account_of(side), self.party(side));
        let (kind, other, number) = party.map_or((None, None, None), |one| self.identity(one));
        let mut node = Node::new("TCIF");
        fill(
            &mut node,
            [
                ("CFIN", account.and_then(|one| one.institution.clone())),
                ("CFCT", None),
                ("CFIC", account.and_then(|one| one.institution_code.clone())),
                ("CFRC", Some(letters(side.country))),
                ("TCNM", party.and_then(Party::full_name)),
                ("TCIT", kind),
                ("OITP", other),
                ("TCID", number),
                (
                    "TCAT",
                    account
                        .and_then(|one| self.profile.code("account", one.kind.name()))
                        .map(ToOwned::to_owned),
                ),
                ("TCAC", account.map(|one| one.number.clone())),
            ],
        );
        node
    }

    fn account_of(&self, side: &Side) -> Option<&Account> {
        self.report.account(side.account.as_deref()?)
    }

    /// The party of a side, or the main holder of its account.
    fn party(&self, side: &Side) -> Option<&Party> {
        let named = side.party.as_deref().and_then(|id| self.report.party(id));
        named.or_else(|| self.report.holders(self.account_of(side)?).next())
    }

    /// Whether it is the side of who is reported: of a customer, or whose large value it is.
    fn is_own(&self, side: &Side) -> bool {
        self.party(side)
            .is_some_and(|party| match self.report.duty {
                Duty::Suspicious => party.is_client,
                Duty::LargeValue => party.is_subject,
            })
    }

    /// Kind of document, its name if the kind has no code, and its number.
    fn identity(&self, party: &Party) -> (Option<String>, Option<String>, Option<String>) {
        let order = match party.who {
            Who::Person(_) => [IdentificationKind::NationalId, IdentificationKind::Passport],
            Who::Company(_) => [
                IdentificationKind::Registration,
                IdentificationKind::CompanyTax,
            ],
        };
        let preferred = order.into_iter().find_map(|kind| party.number(kind));
        let Some(one) = preferred.or(party.identifications.first()) else {
            return (None, None, None);
        };
        match self.profile.code("identification", one.kind.name()) {
            Some(code) => (Some(code.to_owned()), None, Some(one.number.clone())),
            None => (
                None,
                Some(one.kind.name().to_owned()),
                Some(one.number.clone()),
            ),
        }
    }
}

fn occupation(party: &Party) -> Option<String> {
    match &party.who {
        Who::Person(person) => person.occupation.clone(),
        Who::Company(company) => company.business.clone(),
    }
}

fn country(party: &Party) -> impl Iterator<Item = String> {
    let country = match &party.who {
        Who::Person(person) => person.nationality,
        Who::Company(company) => company.country,
    };
    country.map(letters).into_iter()
}

/// Telephones, addresses and mail address, each a list named after its members.
fn contact(name: &str, [phone, address, email]: [&str; 3], party: &Party) -> Node {
    let mut node = Node::new(name);
    let list = |member: &str, texts: &mut dyn Iterator<Item = String>| {
        list_of(&format!("{member}s"), member, texts)
    };
    let mut phones = party.phones.iter().map(|phone| phone.number.clone());
    node.push(list(phone, &mut phones));
    let mut lines = party.addresses.iter().map(|address| {
        let parts = [&address.region, &address.city, &address.street];
        let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        known.join("")
    });
    node.push(list(address, &mut lines));
    node.push(list(email, &mut party.email.clone().into_iter()));
    node
}

/// What a report does not know: who acted for a customer, and the card of an account.
const AGENT: [&str; 5] = ["TBNM", "TBIT", "OITP", "TBID", "TBNT"];
const CARD: [&str; 3] = ["CBCT", "OCBT", "CBCN"];

fn unknown<const N: usize>(name: &str, members: [&str; N]) -> Node {
    let mut node = Node::new(name);
    fill(&mut node, members.map(|member| (member, None)));
    node
}

/// Adds each element; `@N` in those that nothing is known for.
fn fill<const N: usize>(node: &mut Node, members: [(&str, Option<String>); N]) {
    for (name, text) in members {
        let known = text.filter(|text| !text.is_empty());
        node.text(name, known.unwrap_or_else(|| NONE.to_owned()));
    }
}

/// A list whose members are counted from 1.
fn numbered(list: &str, members: impl Iterator<Item = Node>) -> Node {
    let mut node = Node::new(list);
    let mut count = 0;
    for member in members {
        count += 1;
        node.push(member.with("seqno", count.to_string()));
    }
    node
}

/// A list of texts, counted from 1; one `@N` if there are none.
fn list_of(list: &str, name: &str, texts: impl Iterator<Item = String>) -> Node {
    let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        texts.push(NONE.to_owned());
    }
    let members = texts.into_iter().map(|text| Node::new(name).holding(text));
    numbered(list, members)
}

fn letters(country: Country) -> String {
    alpha3(country).to_owned()
}

fn decimal(money: Money) -> String {
    let text = money.decimal();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{fraction:0<DECIMALS$}")
}
