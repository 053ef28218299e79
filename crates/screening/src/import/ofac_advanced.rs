//! OFAC `sdn_advanced.xml`: parties, documents and measures apart, tied by numbers.

use super::{Read, Refused, malformed, ofac_xml::kind, xml};
use crate::entity::Entity;
use std::collections::HashMap;

/// Elements that are read, wherever they stand.
const RECORDS: [&str; 9] = [
    "DateOfIssue",
    "PartySubType",
    "FeatureType",
    "IDRegDocType",
    "Country",
    "Location",
    "IDRegDocument",
    "DistinctParty",
    "SanctionsEntry",
];

/// Values by their numbers, kind by kind.
type Values = HashMap<(&'static str, String), String>;

pub(super) fn read(bytes: &[u8]) -> Result<Read, Refused> {
    let mut reading = Reading::default();
    xml::records(bytes, "Sanctions", &RECORDS, |node| reading.take(&node))?;
    Ok((reading.entities, reading.published))
}

#[derive(Default)]
struct Reading {
    published: Option<String>,
    values: Values,
    /// Countries of locations.
    locations: HashMap<String, String>,
    /// Documents by the number of the identity that they are of: kind and number.
    documents: HashMap<String, Vec<(String, String)>>,
    entities: Vec<Entity>,
    /// Places of entities by profile.
    profiles: HashMap<String, usize>,
}

impl Reading {
    fn take(&mut self, node: &xml::Node) -> Result<(), Refused> {
        let id = node.attribute("ID").to_owned();
        match node.name() {
            "DateOfIssue" => {
                self.published = Some(node.joined(&["Year", "Month", "Day"]).replace(' ', "-"))
            }
            "PartySubType" => self.value("kind", id, node.text()),
            "FeatureType" => self.value("feature", id, node.text()),
            "IDRegDocType" => self.value("document", id, node.text()),
            "Country" => self.value("country", id, node.text()),
            "Location" => {
                let country = node.all("LocationCountry");
                let country = country
                    .first()
                    .map_or("", |node| node.attribute("CountryID"));
                if let Some(country) = self.values.get(&("country", country.to_owned())) {
                    self.locations.insert(id, country.clone());
                }
            }
            "IDRegDocument" => self.document(node),
            "DistinctParty" => self.party(node)?,
            _ => self.measure(node),
        }
        Ok(())
    }

    fn value(&mut self, of: &'static str, id: String, text: &str) {
        self.values.insert((of, id), text.to_owned());
    }

    fn document(&mut self, node: &xml::Node) {
        let kind = ("document", node.attribute("IDRegDocTypeID").to_owned());
        let kind = self.values.get(&kind).cloned().unwrap_or_default();
        let number = node.child("IDRegistrationNo").to_owned();
        let identity = node.attribute("IdentityID").to_owned();
        self.documents
            .entry(identity)
            .or_default()
            .push((kind, number));
    }

    fn party(&mut self, node: &xml::Node) -> Result<(), Refused> {
        let profiles = node.all("Profile");
        let profile = profiles
            .first()
            .ok_or_else(|| malformed("party without a profile"))?;
        let subtype = ("kind", profile.attribute("PartySubTypeID").to_owned());
        let mut entity = Entity {
            id: node.attribute("FixedRef").to_owned(),
            kind: kind(self.values.get(&subtype).map_or("", String::as_str)),
            ..Entity::default()
        };
        let mut aliases = profile.all("Alias");
        aliases.sort_by_key(|alias| alias.attribute("Primary") != "true");
        for alias in aliases {
            for name in alias.all("DocumentedName") {
                let parts: Vec<&str> = name
                    .all("NamePartValue")
                    .into_iter()
                    .map(xml::Node::text)
                    .collect();
                entity.name(&parts.join(" "), alias.attribute("LowQuality") == "true");
            }
        }
        for identity in profile.all("Identity") {
            for (kind, number) in self
                .documents
                .get(identity.attribute("ID"))
                .into_iter()
                .flatten()
            {
                entity.identifier(kind, number);
            }
        }
        for feature in profile.all("Feature") {
            self.feature(feature, &mut entity);
        }
        self.profiles
            .insert(profile.attribute("ID").to_owned(), self.entities.len());
        self.entities.push(entity);
        Ok(())
    }

    fn feature(&self, feature: &xml::Node, entity: &mut Entity) {
        let of = ("feature", feature.attribute("FeatureTypeID").to_owned());
        if self.values.get(&of).is_some_and(|name| name == "Birthdate") {
            for start in feature
                .all("Start")
                .iter()
                .flat_map(|start| start.all("From"))
            {
                entity.birth(&start.joined(&["Year", "Month", "Day"]).replace(' ', "-"));
            }
        }
        for location in feature.all("VersionLocation") {
            if let Some(country) = self.locations.get(location.attribute("LocationID")) {
                entity.country(country);
            }
        }
    }

    fn measure(&mut self, node: &xml::Node) {
        let Some(place) = self.profiles.get(node.attribute("ProfileID")) else {
            return;
        };
        for measure in node.all("SanctionsMeasure") {
            self.entities[*place].program(measure.child("Comment"));
        }
    }
}
