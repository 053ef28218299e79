//! Every format from a small piece of it, every format cut short, and hostile files.

use super::*;
use crate::{entity::Birth, kind::Kind};

const UN: &str = r#"<?xml version="1.0"?><CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09Z"><INDIVIDUALS>
<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>JOHN</FIRST_NAME><SECOND_NAME>A &amp; B</SECOND_NAME><UN_LIST_TYPE>DRC</UN_LIST_TYPE>
<NATIONALITY><VALUE>Democratic Republic of the Congo</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>JACK</ALIAS_NAME></INDIVIDUAL_ALIAS><INDIVIDUAL_ALIAS/>
<INDIVIDUAL_DATE_OF_BIRTH><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>OB 0243318</NUMBER></INDIVIDUAL_DOCUMENT></INDIVIDUAL>
</INDIVIDUALS><ENTITIES><ENTITY><DATAID>2</DATAID><FIRST_NAME>ACME</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>"#;
const EU: &str = r#"<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-01-02"><sanctionEntity logicalId="13" euReferenceNumber="EU.27.28">
<regulation programme="IRQ"/><subjectType code="person"/><nameAlias wholeName="Saddam Example" strong="true"/><nameAlias wholeName="Abu Ali" strong="false"/>
<citizenship countryIso2Code="IQ"/><birthdate year="1937" birthdate="1937-04-28"/><identification number="A1234567" identificationTypeDescription="Passport"/></sanctionEntity></export>"#;
const UK: &str = r"<Designations><DateGenerated>02/01/2026</DateGenerated><Designation><UniqueID>AFG0001</UniqueID><Names>
<Name><Name1>Jack</Name1><NameType>Alias</NameType></Name><Name><Name6>EXAMPLE</Name6><Name1>Haji</Name1><NameType>Primary Name</NameType></Name></Names>
<NonLatinNames><NonLatinName><NameNonLatinScript>حاجی</NameNonLatinScript></NonLatinName></NonLatinNames><RegimeName>Afghanistan</RegimeName>
<IndividualEntityShip>Individual</IndividualEntityShip><IndividualDetails><Individual><DOBs><DOB>dd/mm/1966</DOB></DOBs>
<Nationalities><Nationality>Afghanistan</Nationality></Nationalities></Individual></IndividualDetails></Designation></Designations>";
const SDN_XML: &str = r#"<sdnList xmlns="http://tempuri.org/sdnList.xsd"><publshInformation><Publish_Date>01/02/2026</Publish_Date></publshInformation>
<sdnEntry><uid>36</uid><firstName>Juan</firstName><lastName>EXAMPLE</lastName><sdnType>Individual</sdnType><programList><program>CUBA</program></programList>
<akaList><aka><category>weak</category><lastName>JUANITO</lastName></aka></akaList><dateOfBirthList><dateOfBirthItem><dateOfBirth>07 Oct 1954</dateOfBirth></dateOfBirthItem></dateOfBirthList>
<nationalityList><nationality><country>Cuba</country></nationality></nationalityList><idList><id><idType>Passport</idType><idNumber>B123456</idNumber></id></idList></sdnEntry></sdnList>"#;
const ADVANCED: &str = r#"<Sanctions><DateOfIssue><Year>2026</Year><Month>1</Month><Day>2</Day></DateOfIssue><ReferenceValueSets>
<PartySubTypeValues><PartySubType ID="4" PartyTypeID="1">Individual</PartySubType></PartySubTypeValues><FeatureTypeValues><FeatureType ID="8">Birthdate</FeatureType><FeatureType ID="10">Nationality Country</FeatureType></FeatureTypeValues>
<IDRegDocTypeValues><IDRegDocType ID="1571">Passport</IDRegDocType></IDRegDocTypeValues><CountryValues><Country ID="11061">Cuba</Country></CountryValues></ReferenceValueSets>
<Locations><Location ID="9"><LocationCountry CountryID="11061"/></Location></Locations>
<IDRegDocuments><IDRegDocument ID="1" IDRegDocTypeID="1571" IdentityID="77"><IDRegistrationNo>B123456</IDRegistrationNo></IDRegDocument></IDRegDocuments>
<DistinctParties><DistinctParty FixedRef="36"><Profile ID="360" PartySubTypeID="4"><Identity ID="77"><Alias Primary="false" LowQuality="true"><DocumentedName><DocumentedNamePart><NamePartValue>JUANITO</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
<Alias Primary="true" LowQuality="false"><DocumentedName><DocumentedNamePart><NamePartValue>EXAMPLE</NamePartValue></DocumentedNamePart><DocumentedNamePart><NamePartValue>Juan</NamePartValue></DocumentedNamePart></DocumentedName></Alias></Identity>
<Feature FeatureTypeID="8"><FeatureVersion><DatePeriod><Start><From><Year>1954</Year><Month>10</Month><Day>7</Day></From></Start></DatePeriod></FeatureVersion></Feature>
<Feature FeatureTypeID="10"><FeatureVersion><VersionLocation LocationID="9"/></FeatureVersion></Feature></Profile></DistinctParty></DistinctParties>
<SanctionsEntries><SanctionsEntry ProfileID="360"><SanctionsMeasure><Comment>CUBA</Comment></SanctionsMeasure></SanctionsEntry></SanctionsEntries></Sanctions>"#;
const FTM: &str = r#"{"id":"NK-1","schema":"Person","properties":{"name":["Juan Example"],"weakAlias":["Juanito"],"birthDate":["1954-10-07"],"country":["cu"],"passportNumber":["B123456"],"topics":["sanction"]}}
{"id":"s-1","schema":"Sanction","properties":{"program":["CUBA"]}}
"#;
const TARGETS: &str = "id,schema,name,aliases,birth_date,countries,identifiers\nNK-1,Person,Juan Example,Juanito;Johnny,1954-10-07,cu,B123456\n";
const OWN: &str =
    "id,name,kind,aliases,birth_date\n1,Juan Example,person,Juanito;Johnny,1954-10-07\n";
const SDN: &str = "36,\"EXAMPLE, Juan\",\"individual\",\"CUBA] [SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 07 Oct 1954; nationality Cuba; Passport B123456 (Cuba).\"\n\x1A";
const ALT: &str = "36,12,\"aka\",\"JUANITO\",-0- \n";

fn one(format: Format, text: &str) -> Result<List, Refused> {
    let file = File {
        name: "file",
        bytes: text.as_bytes(),
    };
    read(format, &[file], "list", ListKind::Sanctions)
}

fn samples() -> [(Format, &'static str); 8] {
    [
        (Format::Un, UN),
        (Format::Eu, EU),
        (Format::Uk, UK),
        (Format::OfacXml, SDN_XML),
        (Format::OfacAdvanced, ADVANCED),
        (Format::Ftm, FTM),
        (Format::Targets, TARGETS),
        (Format::Csv, OWN),
    ]
}

#[test]
fn every_format_gives_persons_with_what_is_known_of_them() {
    for (format, text) in samples() {
        let list = one(format, text).unwrap_or_else(|refused| panic!("{format:?}: {refused}"));
        let person = &list.entities[0];
        assert_eq!(person.kind, Kind::Person, "{format:?}");
        assert!(
            person.names.len() >= 2 && !person.births.is_empty(),
            "{format:?} {person:?}"
        );
        assert!(!person.id.is_empty() && list.source_hash.len() == 64);
        assert!(
            format == Format::Csv || person.countries.len() == 1,
            "{format:?} {person:?}"
        );
    }
}

#[test]
fn ofac_files_are_put_together() {
    let files = [("sdn.csv", SDN), ("alt.csv", ALT)].map(|(name, text)| File {
        name,
        bytes: text.as_bytes(),
    });
    let list = read(Format::OfacCsv, &files, "sdn", ListKind::Sanctions).unwrap();
    let person = &list.entities[0];
    let names: Vec<&str> = person.names.iter().map(|name| name.text.as_str()).collect();
    assert_eq!(names, ["Juan EXAMPLE", "JUANITO"]);
    assert_eq!(
        person.births,
        [Birth {
            year: 1954,
            month: Some(10),
            day: Some(7)
        }]
    );
    assert_eq!(
        (person.countries.as_slice(), person.programs.as_slice()),
        (
            &["CU".to_owned()][..],
            &["CUBA".to_owned(), "SDGT".to_owned()][..]
        )
    );
    assert_eq!(person.identifiers[0].number, "B123456");
}

#[test]
fn main_names_come_first_and_weak_ones_are_marked() {
    for (format, text, main) in [
        (Format::Uk, UK, "Haji EXAMPLE"),
        (Format::OfacAdvanced, ADVANCED, "EXAMPLE Juan"),
        (Format::Un, UN, "JOHN A & B"),
    ] {
        assert_eq!(one(format, text).unwrap().entities[0].names[0].text, main);
    }
    for (format, text) in [
        (Format::OfacAdvanced, ADVANCED),
        (Format::Un, UN),
        (Format::Eu, EU),
    ] {
        assert!(
            one(format, text).unwrap().entities[0].names[1].weak,
            "{format:?}"
        );
    }
}

/// Wherever a file is cut, it is refused, or what is left is whole: rows of CSV and lines of JSON
/// end at line breaks.
#[test]
fn half_a_file_is_refused() {
    for (format, text) in samples() {
        for cut in (1..text.trim_end().len()).filter(|&cut| text.is_char_boundary(cut)) {
            let read = one(format, &text[..cut]);
            let xml = !matches!(format, Format::Ftm | Format::Targets | Format::Csv);
            assert!(!(xml && read.is_ok()), "{format:?} {cut}");
            if let Ok(list) = read {
                let (known, cut) = (one(format, text).unwrap(), list.entities.len());
                assert!(cut <= known.entities.len());
            }
        }
    }
}

#[test]
fn bombs_and_deep_nests_are_refused() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><CONSOLIDATED_LIST>&b;</CONSOLIDATED_LIST>"#;
    assert_eq!(one(Format::Un, bomb).unwrap_err(), Refused::DocumentType);
    let undeclared = UN.replace("&amp;", "&b;");
    assert!(matches!(
        one(Format::Un, &undeclared).unwrap_err(),
        Refused::Malformed { .. }
    ));
    let deep = format!("<CONSOLIDATED_LIST><INDIVIDUAL>{}", "<A>".repeat(100_000));
    assert_eq!(
        one(Format::Un, &deep).unwrap_err(),
        Refused::Limit { limit: "nesting" }
    );
    let long = UN.replace("JACK", &"J".repeat(1 << 21));
    assert!(matches!(
        one(Format::Un, &long).unwrap_err(),
        Refused::Limit { .. }
    ));
}

#[test]
fn what_is_of_another_format_or_empty_is_refused() {
    assert!(matches!(
        one(Format::Un, EU).unwrap_err(),
        Refused::Malformed { .. }
    ));
    assert!(matches!(
        one(Format::Csv, "name\nx\n").unwrap_err(),
        Refused::Malformed { .. }
    ));
    assert_eq!(
        one(Format::Un, "<CONSOLIDATED_LIST></CONSOLIDATED_LIST>").unwrap_err(),
        Refused::Empty
    );
    assert!(matches!(
        one(Format::Csv, "id,name\n1,a b\n1,c d\n").unwrap_err(),
        Refused::Malformed { .. }
    ));
    let file = File {
        name: "x",
        bytes: OWN.as_bytes(),
    };
    assert_eq!(
        read(Format::Csv, &[file], "Own list", ListKind::Pep).unwrap_err(),
        Refused::ListName
    );
}

/// The line is that of the row, whatever stands before it.
#[test]
fn a_kind_that_is_none_is_named_by_its_line() {
    for (text, line) in [
        ("id,name,kind\n1,a b,person\n2,c d,spaceship\n", 3),
        ("id,name,kind\r\n\r\n1,a b,\r\n\r\n2,c d,spaceship\r\n", 5),
        (
            "\u{feff}id,name,kind\n1,\"a\nb\",person\n2,c d,spaceship\n3,e f,\n",
            4,
        ),
        ("id,name,kind\n1,a b,\u{202e}person\n", 2),
    ] {
        let refused = one(Format::Csv, text).unwrap_err().to_string();
        assert!(refused.contains(&format!("line {line}: ")), "{refused}");
        assert!(!refused.contains("spaceship"), "{refused}");
    }
}

/// Skipped where no folder of data is named.
#[test]
fn whole_published_lists_are_read() {
    let Ok(data) = std::env::var("PAYWARDEN_DATA") else {
        return;
    };
    let folder = std::path::Path::new(&data).join("screening-aml");
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let un = bytes("un/UN_consolidated.xml");
    let un = read(
        Format::Un,
        &[File {
            name: "un",
            bytes: &un,
        }],
        "un",
        ListKind::Sanctions,
    )
    .unwrap();
    assert_eq!(un.entities.len(), 1_003);
    assert_eq!(
        un.entities
            .iter()
            .filter(|entity| entity.kind == Kind::Person)
            .count(),
        730
    );
    let texts = ["sdn", "alt", "add", "sdn_comments"]
        .map(|name| (name, bytes(&format!("ofac/{name}.csv"))));
    let files = texts.each_ref().map(|(name, bytes)| File { name, bytes });
    let sdn = read(Format::OfacCsv, &files, "sdn", ListKind::Sanctions).unwrap();
    assert_eq!(sdn.entities.len(), 8_976);
    assert!(
        sdn.entities
            .iter()
            .map(|entity| entity.names.len())
            .sum::<usize>()
            > 20_000
    );
}
