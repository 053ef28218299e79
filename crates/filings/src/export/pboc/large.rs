//! Large values (`HVTR`): one customer, one day, one feature, and its transactions.

use super::{
    AGENT, CARD, Writer, contact, country, decimal, fill, list_of, numbered, occupation, unknown,
};
use crate::{
    Day, Profile, Report,
    check::Faults,
    export::{one_day, xml::Node},
    report::{Party, Transaction},
};
use paywarden_domain::{Currency, Money};

/// The table of the profile that has the codes of features.
const FEATURE: &str = "large_value";

/// What the message cannot carry.
pub(super) fn check(report: &Report, profile: &Profile, faults: &mut Faults) {
    if report.subjects().count() > 1 {
        faults.add("/parties", "too_many", "a large value is of one subject");
    }
    if report.indicators.len() > 1 {
        let hint = "a report has one feature: its transactions are summed under it";
        faults.add("/indicators", "too_many", hint);
    }
    one_day(report, profile, faults);
    let writer = Writer { report, profile };
    for (place, one) in report.transactions.iter().enumerate() {
        if !(writer.is_own(&one.from) || writer.is_own(&one.to)) {
            let path = format!("/transactions/{place}");
            faults.add(path, "reference", "neither side is the subject's");
        }
    }
}

impl Writer<'_> {
    pub(super) fn large_value(&self) -> Node {
        let code = |name: &str| self.report.reporting_entity.codes.get(name).cloned();
        let mut head = Node::new("RBIF");
        let customers = self.report.subjects().count().to_string();
        fill(
            &mut head,
            [("RICD", code("ricd")), ("CTTN", Some(customers))],
        );
        let mut root = Node::new("HVTR");
        root.push(head);
        let customers = self.report.subjects().map(|party| self.customer(party));
        root.push(numbered("CATIs", customers));
        root
    }

    fn customer(&self, party: &Party) -> Node {
        let mut who = Node::new("CBIF");
        fill(&mut who, [("CSNM", party.client_number.clone())]);
        who.push(list_of("CTNTs", "CTNT", country(party)));
        fill(&mut who, [("CTVC", occupation(party))]);
        who.push(contact("CCIF", ["CCTL", "CTAR", "CCEI"], party));
        let mut node = Node::new("CATI");
        node.push(who);
        let first = self.report.transactions.first();
        let day = first.map(|one| Day::of(one.at, self.profile.utc_offset_hours).compact());
        fill(&mut node, [("HTDT", day)]);
        node.push(numbered("HTCRs", std::iter::once(self.feature(party))));
        node
    }

    fn feature(&self, party: &Party) -> Node {
        let report = self.report;
        let word = report.indicators.first();
        let code = word.and_then(|word| self.profile.code(FEATURE, word));
        let (kind, other, number) = self.identity(party);
        let mut identity = Node::new("CCIF");
        fill(
            &mut identity,
            [
                ("CTNM", party.full_name()),
                ("CITP", kind),
                ("OITP", other),
                ("CTID", number),
            ],
        );
        let transactions = report.transactions.iter().map(|one| self.detail(one));
        identity.push(numbered("TSDTs", transactions));
        let mut node = Node::new("HTCR");
        fill(
            &mut node,
            [
                ("CRCD", code.map(ToOwned::to_owned)),
                ("TTNM", Some(report.transactions.len().to_string())),
            ],
        );
        node.push(numbered("CCIFs", std::iter::once(identity)));
        node
    }

    fn detail(&self, transaction: &Transaction) -> Node {
        let (own, other, direction) = self.sides(transaction);
        let mut node = Node::new("TSDT");
        node.push(self.institution());
        let mut account = self.account(own);
        fill(&mut account, CARD.map(|name| (name, None)));
        node.push(account);
        node.push(unknown("TBIF", AGENT));
        let mut movement = self.movement(transaction, own, direction);
        let dollars = Currency::parse("USD").ok();
        let worth =
            |currency: Option<Currency>| -> Option<Money> { transaction.in_currency(currency?) };
        fill(
            &mut movement,
            [
                ("CRPP", transaction.description.clone()),
                ("CRTP", Some(transaction.amount.currency.code().to_owned())),
                ("CRAT", Some(decimal(transaction.amount))),
                ("CRMB", worth(Some(self.profile.currency)).map(decimal)),
                ("CUSD", worth(dollars).map(decimal)),
            ],
        );
        node.push(movement);
        node.push(self.counterparty(other));
        node.push(list_of("ROTFs", "ROTF", std::iter::empty()));
        node
    }
}
