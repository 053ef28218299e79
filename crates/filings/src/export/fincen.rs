//! FinCEN SAR here and CTR beside, XML schema 2.0: one batch of one activity.
//!
//! Order, lengths and code lists are those of FinCEN's schemas EFL_SARXBatchSchema.xsd and
//! EFL_CTRXBatchSchema.xsd, each version 1.2. Every element that holds others has a number of its own,
//! `SeqNum`.

mod currency;
mod subject;

use super::xml::Node;
use crate::{
    Day, Duty, Profile, Report,
    check::Faults,
    report::{Address, Relation, Who},
};

/// Characters of one part of the narrative, and the most parts.
const PART_CHARS: usize = 4_000;
const PARTS_MAX: usize = 5;
const DOLLAR_MINOR: i128 = 100;
/// Fifteen digits.
const DOLLARS_MAX: i128 = 999_999_999_999_999;

/// What the schemas cannot carry.
pub(super) fn check(report: &Report, profile: &Profile, faults: &mut Faults) {
    match report.duty {
        Duty::Suspicious => suspicion(report, profile, faults),
        Duty::LargeValue => currency::check(report, profile, faults),
    }
}

fn suspicion(report: &Report, profile: &Profile, faults: &mut Faults) {
    if parts(&report.narrative).len() > PARTS_MAX {
        let hint = format!("a narrative has at most {PARTS_MAX} parts of {PART_CHARS} characters");
        faults.add("/narrative", "too_long", hint);
    }
    if report.attachments.len() > 1 {
        faults.add("/attachments", "too_many", "FinCEN takes one attachment");
    }
    if dollars(report, profile).is_some_and(|sum| sum > DOLLARS_MAX) {
        faults.add("/transactions", "amount", "a sum has at most 15 digits");
    }
    if report.transactions.is_empty() {
        faults.add(
            "/transactions",
            "missing",
            "the dates of the activity are those of its transactions",
        );
    }
    for (place, party) in report.parties.iter().enumerate() {
        if party.is_subject
            && matches!(&party.who, Who::Person(person) if person.aliases.len() > 99)
        {
            faults.add(
                format!("/parties/{place}/who/person/aliases"),
                "too_many",
                "at most 99 fit",
            );
        }
    }
}

pub(super) fn write(report: &Report, profile: &Profile, today: Day) -> String {
    let writer = Writer { report, profile };
    let batch = match report.duty {
        Duty::Suspicious => writer.suspicious(today),
        Duty::LargeValue => writer.currency(today),
    };
    let mut root = Node::new("EFilingBatchXML");
    root.text("FormTypeCode", batch.form);
    let mut activity = batch.activity;
    activity.number("SeqNum", &mut 1);
    root.push(activity);
    root.prefix("fc2:");
    let mut root = root
        .with("TotalAmount", batch.total.to_string())
        .with("PartyCount", batch.parties.to_string())
        .with("ActivityCount", "1");
    if let Some(attached) = batch.attached {
        root = root
            .with("ActivityAttachmentCount", attached.to_string())
            .with("AttachmentCount", attached.to_string());
    }
    root.with("xmlns:fc2", "www.fincen.gov/base")
        .with("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
        .with(
            "xsi:schemaLocation",
            format!(
                "www.fincen.gov/base https://www.fincen.gov/base/EFL_{}BatchSchema.xsd",
                batch.form
            ),
        )
        .document()
}

/// What a batch holds, and what it counts of it.
struct Batch {
    form: &'static str,
    activity: Node,
    total: i128,
    parties: usize,
    /// How many files go with it; none where the form takes none.
    attached: Option<usize>,
}

const TRANSMITTER: &str = "35";
const TRANSMITTER_CONTACT: &str = "37";
const FILER: &str = "30";
const CONTACT_OFFICE: &str = "8";
const SUBJECT: &str = "33";
const ACTIVITY_LOCATION: &str = "34";
/// Kinds of organizations.
const CASINO: &str = "1";
const OTHER: &str = "999";

struct Writer<'r> {
    report: &'r Report,
    profile: &'r Profile,
}

impl Writer<'_> {
    fn suspicious(&self, today: Day) -> Batch {
        let activity = self.activity(today);
        Batch {
            form: "SARX",
            parties: activity.count("Party", "ActivityPartyTypeCode", SUBJECT),
            activity,
            total: dollars(self.report, self.profile).unwrap_or(0),
            attached: Some(self.report.attachments.len().min(1)),
        }
    }

    fn activity(&self, today: Day) -> Node {
        let report = self.report;
        let mut node = Node::new("Activity");
        node.some(
            "EFilingPriorDocumentNumber",
            report.earlier.as_ref().map(|one| one.reference.clone()),
        );
        node.text("FilingDateText", today.compact());
        node.text("FilingInstitutionNotetoFinCEN", &report.reference);
        let mut association = Node::new("ActivityAssociation");
        let indicator = match report.earlier.as_ref().map(|one| one.relation) {
            None => "InitialReportIndicator",
            Some(Relation::Amendment) => "CorrectsAmendsPriorReportIndicator",
            Some(Relation::Continuation) => "ContinuingActivityReportIndicator",
        };
        association.text(indicator, "Y");
        node.push(association);
        if let Some(attachment) = report.attachments.first() {
            let mut document = Node::new("ActivitySupportDocument");
            document.text("OriginalAttachmentFileName", &attachment.name);
            node.push(document);
        }
        let no_branch = [("NoBranchActivityInvolvedIndicator", "Y".to_owned())];
        for party in self.filers(&no_branch) {
            node.push(party);
        }
        for subject in report.subjects() {
            node.push(self.subject(subject));
        }
        node.push(self.suspicion());
        for (place, part) in parts(&report.narrative).into_iter().enumerate() {
            let mut narrative = Node::new("ActivityNarrativeInformation");
            narrative.text("ActivityNarrativeSequenceNumber", (place + 1).to_string());
            narrative.text("ActivityNarrativeText", part);
            node.push(narrative);
        }
        node
    }

    /// Transmitter, its contact, filer, contact office and the place of the activity, with what is
    /// to be said of it: all of them are the reporting entity.
    fn filers(&self, of_place: &[(&str, String)]) -> [Node; 5] {
        let entity = &self.report.reporting_entity;
        let code = |name: &str| entity.codes.get(name).cloned();
        let officer = &entity.officer;
        let mut transmitter = party(TRANSMITTER);
        transmitter.push(legal_name(&entity.name));
        transmitter.push(self.address(&entity.address));
        transmitter.push(phone(entity.phone.as_deref()));
        transmitter.push(identification("28", code("tcc").as_deref()));
        transmitter.push(identification("4", code("tin").as_deref()));
        let mut contact = party(TRANSMITTER_CONTACT);
        contact.push(legal_name(&format!(
            "{} {}",
            officer.first_name, officer.last_name
        )));
        let filer = self.institution(FILER, &[]);
        let mut office = party(CONTACT_OFFICE);
        office.push(legal_name(
            officer.occupation.as_deref().unwrap_or("Compliance office"),
        ));
        office.push(phone(officer.phone.as_deref().or(entity.phone.as_deref())));
        let place = self.institution(ACTIVITY_LOCATION, of_place);
        [transmitter, contact, filer, office, place]
    }

    /// The code of a word of the reporting entity; each form has tables of its own.
    fn code(&self, table: &str, word: &str) -> String {
        let table = match self.report.duty {
            Duty::Suspicious => table.to_owned(),
            Duty::LargeValue => format!("ctr_{table}"),
        };
        self.profile.code(&table, word).unwrap_or(word).to_owned()
    }

    fn institution(&self, role: &str, marks: &[(&str, String)]) -> Node {
        let entity = &self.report.reporting_entity;
        let mut node = party(role);
        for (name, text) in marks {
            node.text(name, text);
        }
        let regulator = entity.codes.get("regulator");
        node.some(
            "PrimaryRegulatorTypeCode",
            regulator.map(|word| self.code("regulator", word)),
        );
        node.push(legal_name(&entity.name));
        node.push(self.address(&entity.address));
        node.push(identification(
            "2",
            entity.codes.get("tin").map(String::as_str),
        ));
        node.push(self.organisation());
        node
    }

    fn organisation(&self) -> Node {
        let codes = &self.report.reporting_entity.codes;
        let word = codes.get("organization_type");
        let kind = word.map(|word| self.code("organization", word));
        let is_other = kind.as_deref() == Some(OTHER);
        let is_large = self.report.duty == Duty::LargeValue;
        // The CTR knows kinds of casinos alone.
        let subtype = codes.get("organization_subtype");
        let subtype = subtype.filter(|_| !is_large || kind.as_deref() == Some(CASINO));
        let mut node = Node::new("OrganizationClassificationTypeSubtype");
        node.some("OrganizationSubtypeID", subtype.cloned());
        node.some("OrganizationTypeID", kind);
        node.some(
            "OtherOrganizationTypeText",
            word.filter(|_| is_large && is_other).cloned(),
        );
        node
    }

    fn suspicion(&self) -> Node {
        let report = self.report;
        let day = |at| Day::of(at, self.profile.utc_offset_hours).compact();
        let suspicious = || report.transactions.iter().filter(|one| one.is_suspicious);
        let mut node = Node::new("SuspiciousActivity");
        let amount = dollars(report, self.profile);
        if amount.is_none() {
            node.text("AmountUnknownIndicator", "Y");
        }
        let all = report.transactions.iter();
        node.some(
            "SuspiciousActivityFromDateText",
            suspicious().chain(all).next().map(|one| day(one.at)),
        );
        node.some(
            "SuspiciousActivityToDateText",
            suspicious().next_back().map(|one| day(one.at)),
        );
        node.some(
            "TotalSuspiciousAmountText",
            amount.map(|sum| sum.to_string()),
        );
        let codes = report
            .indicators
            .iter()
            .map(|word| self.profile.code("indicator", word).unwrap_or(word));
        let mut seen: Vec<&str> = Vec::new();
        for (kind, subtype) in codes.filter_map(|code| code.split_once('/')) {
            // A subtype may stand once: two of our words can be one of theirs.
            if seen.contains(&subtype) {
                continue;
            }
            seen.push(subtype);
            let mut class = Node::new("SuspiciousActivityClassification");
            if subtype.ends_with("999") {
                class.text("OtherSuspiciousActivityTypeText", "See narrative");
            }
            class.text("SuspiciousActivitySubtypeID", subtype);
            class.text("SuspiciousActivityTypeID", kind);
            node.push(class);
        }
        node
    }

    fn address(&self, address: &Address) -> Node {
        let mut node = Node::new("Address");
        let is_us = address.country.code() == "US";
        if address.city.is_none() {
            node.text("CityUnknownIndicator", "Y");
        }
        node.some("RawCityText", address.city.clone());
        node.text("RawCountryCodeText", address.country.code());
        node.some("RawStateCodeText", address.region.clone());
        node.some("RawStreetAddress1Text", address.street.clone());
        node.some("RawZIPCode", address.postcode.clone());
        if is_us && address.region.is_none() {
            node.text("StateCodeUnknownIndicator", "Y");
        }
        if address.street.is_none() {
            node.text("StreetAddressUnknownIndicator", "Y");
        }
        if is_us && address.postcode.is_none() {
            node.text("ZIPCodeUnknownIndicator", "Y");
        }
        node
    }
}

fn party(role: &str) -> Node {
    let mut node = Node::new("Party");
    node.text("ActivityPartyTypeCode", role);
    node
}

fn legal_name(name: &str) -> Node {
    other_name("L", name)
}

fn other_name(kind: &str, name: &str) -> Node {
    let mut node = Node::new("PartyName");
    node.text("PartyNameTypeCode", kind);
    node.text("RawPartyFullName", name);
    node
}

fn phone(number: Option<&str>) -> Node {
    let mut node = Node::new("PhoneNumber");
    node.some("PhoneNumberText", number);
    node
}

fn identification(kind: &str, number: Option<&str>) -> Node {
    let mut node = Node::new("PartyIdentification");
    node.some("PartyIdentificationNumberText", number);
    node.text("PartyIdentificationTypeCode", kind);
    node
}

/// The sum in whole dollars, rounded up; none if it is not known.
fn dollars(report: &Report, profile: &Profile) -> Option<i128> {
    report.total(profile.currency).map(whole)
}

/// Whole dollars, rounded up.
fn whole(minor: i128) -> i128 {
    (minor + DOLLAR_MINOR - 1).div_euclid(DOLLAR_MINOR)
}

/// The narrative in parts of at most 4,000 characters that neither begin nor end with a blank.
fn parts(narrative: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = narrative.trim();
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .nth(PART_CHARS)
            .map_or(rest.len(), |(end, _)| end);
        let part = match (end < rest.len(), rest[..end].rfind(' ')) {
            (true, Some(blank)) if !rest[end..].starts_with(' ') => &rest[..blank],
            _ => &rest[..end],
        };
        parts.push(part.trim_end());
        rest = rest[part.len()..].trim_start();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_narrative_is_parted_between_words_and_nothing_is_lost() {
        let word = "ärger ";
        let long = word.repeat(2_000);
        let parts = parts(long.trim());
        assert!(
            parts
                .iter()
                .all(|part| part.chars().count() <= PART_CHARS && part.trim() == *part)
        );
        assert_eq!(parts.join(" "), long.trim());
        let solid = "x".repeat(9_000);
        let cut = super::parts(&solid);
        assert_eq!(
            cut.iter().map(|part| part.len()).collect::<Vec<_>>(),
            [4_000, 4_000, 1_000]
        );
        assert!(super::parts("").is_empty());
    }
}
