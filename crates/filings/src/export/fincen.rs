//! FinCEN SAR, XML schema 2.0: one batch of one activity.
//!
//! Order, lengths and code lists are those of FinCEN's schema EFL_SARXBatchSchema.xsd, version 1.2.
//! Every element that holds others has a number of its own, `SeqNum`.

mod subject;

use super::xml::Node;
use crate::{
    Day, Profile, Report,
    check::Faults,
    report::{Address, Relation, ReportingEntity, Who},
};

/// Characters of one part of the narrative, and the most parts.
const PART_CHARS: usize = 4_000;
const PARTS_MAX: usize = 5;
const DOLLAR_MINOR: i128 = 100;
/// Fifteen digits.
const DOLLARS_MAX: i128 = 999_999_999_999_999;

/// What the schema cannot carry.
pub(super) fn check(report: &Report, profile: &Profile, faults: &mut Faults) {
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
    let mut root = Node::new("EFilingBatchXML");
    root.text("FormTypeCode", "SARX");
    let mut activity = writer.activity(today);
    activity.number("SeqNum", &mut 1);
    let subjects = activity.count("Party", "ActivityPartyTypeCode", SUBJECT);
    root.push(activity);
    root.prefix("fc2:");
    let attached = usize::from(!report.attachments.is_empty()).to_string();
    root.with(
        "TotalAmount",
        dollars(report, profile).unwrap_or(0).to_string(),
    )
    .with("PartyCount", subjects.to_string())
    .with("ActivityCount", "1")
    .with("ActivityAttachmentCount", attached.clone())
    .with("AttachmentCount", attached)
    .with("xmlns:fc2", "www.fincen.gov/base")
    .with("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    .with(
        "xsi:schemaLocation",
        "www.fincen.gov/base https://www.fincen.gov/base/EFL_SARXBatchSchema.xsd",
    )
    .document()
}

const TRANSMITTER: &str = "35";
const TRANSMITTER_CONTACT: &str = "37";
const FILER: &str = "30";
const CONTACT_OFFICE: &str = "8";
const SUBJECT: &str = "33";
const ACTIVITY_LOCATION: &str = "34";

struct Writer<'r> {
    report: &'r Report,
    profile: &'r Profile,
}

impl Writer<'_> {
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
        for party in self.filers(&report.reporting_entity) {
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

    /// Transmitter, its contact, filer, contact office and the place of the activity: all of them
    /// are the reporting entity.
    fn filers(&self, entity: &ReportingEntity) -> [Node; 5] {
        let code = |name: &str| entity.codes.get(name).cloned();
        let kind = code("organization_type").map(|word| self.code("organization", &word));
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
        let mut filer = self.institution(FILER, entity);
        filer.push(organisation(kind.clone(), code("organization_subtype")));
        let mut office = party(CONTACT_OFFICE);
        office.push(legal_name(
            officer.occupation.as_deref().unwrap_or("Compliance office"),
        ));
        office.push(phone(officer.phone.as_deref().or(entity.phone.as_deref())));
        let mut place = self.institution(ACTIVITY_LOCATION, entity);
        place.push(organisation(kind.clone(), code("organization_subtype")));
        [transmitter, contact, filer, office, place]
    }

    fn code(&self, table: &str, word: &str) -> String {
        self.profile.code(table, word).unwrap_or(word).to_owned()
    }

    fn institution(&self, role: &str, entity: &ReportingEntity) -> Node {
        let mut node = party(role);
        if role == ACTIVITY_LOCATION {
            node.text("NoBranchActivityInvolvedIndicator", "Y");
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

fn organisation(kind: Option<String>, subtype: Option<String>) -> Node {
    let mut node = Node::new("OrganizationClassificationTypeSubtype");
    node.some("OrganizationSubtypeID", subtype);
    node.some("OrganizationTypeID", kind);
    node
}

/// The sum in whole dollars, rounded up; none if it is not known.
fn dollars(report: &Report, profile: &Profile) -> Option<i128> {
    let minor = report.total(profile.currency)?;
    Some((minor + DOLLAR_MINOR - 1).div_euclid(DOLLAR_MINOR))
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
