//! The Travel Rule by profile and amount.

use crate::{profile, today};
use paywarden_domain::{Currency, Money};
use paywarden_filings::{
    Rates,
    travel::{Identity, completeness},
};
use serde_json::{Value, json};

fn money(value: &str, code: &str) -> Money {
    Money::parse(value, Currency::parse(code).unwrap()).unwrap()
}

/// What travels, with one member changed.
fn identity(pointer: &str, value: Value) -> Identity {
    let mut json = json!({
        "originator": {
            "originatorPerson": [{ "naturalPerson": {
                "name": { "nameIdentifier": [{ "primaryIdentifier": "Doe", "secondaryIdentifier": "Jo", "naturalPersonNameIdentifierType": "LEGL" }] },
                "geographicAddress": [{ "addressType": "HOME", "streetName": "Main", "buildingNumber": "1", "townName": "Bern", "country": "CH" }],
                "customerIdentification": "c-1"
            } }],
            "accountNumber": ["w1"]
        },
        "beneficiary": {
            "beneficiaryPerson": [{ "legalPerson": {
                "name": { "nameIdentifier": [{ "legalPersonName": "Shop AG", "legalPersonNameIdentifierType": "LEGL" }] },
                // The LEI of the GLEIF itself.
                "nationalIdentification": { "nationalIdentifier": "506700GE1G29325QX363", "nationalIdentifierType": "LEIX" }
            } }],
            "accountNumber": ["w2"]
        }
    });
    if !pointer.is_empty() {
        *json
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = value;
    }
    serde_json::from_value(json).unwrap()
}

fn faults(name: &str, amount: Money, identity: &Identity) -> (bool, Vec<String>) {
    let rates = Rates::none()
        .with(Currency::parse("USD").unwrap(), "1")
        .unwrap();
    let rates = rates.with(Currency::parse("EUR").unwrap(), "1.1").unwrap();
    let found = completeness(profile(name), amount, identity, (&rates, today())).unwrap();
    let lines = found
        .faults
        .into_iter()
        .map(|fault| format!("{} {}", fault.path, fault.hint));
    (found.full, lines.collect())
}

#[test]
fn what_is_missing_is_said_by_profile_and_amount() {
    let whole = identity("", Value::Null);
    for name in ["fatf", "us_bsa", "eu", "uk"] {
        let (_, lines) = faults(name, money("5000.00", "EUR"), &whole);
        assert!(lines.is_empty(), "{name}: {lines:?}");
    }
    let person = "/originator/originatorPerson/0/naturalPerson";
    let homeless = identity(&format!("{person}/geographicAddress"), json!([]));
    // A number of the customer is enough for the FATF, not for the European Union.
    assert_eq!(
        faults("fatf", money("5000.00", "USD"), &homeless).1,
        [""; 0]
    );
    let eu = faults("eu", money("0.01", "EUR"), &homeless);
    assert!(
        eu.0 && eu.1 == ["/originator give originator.address or originator.birth"],
        "{eu:?}"
    );
    // Below the threshold a name and an account are enough; from it on they are not.
    let mut bare = homeless.clone();
    bare.originator.person[0]
        .natural_person
        .as_mut()
        .unwrap()
        .customer_identification = None;
    assert_eq!(faults("uk", money("999.99", "EUR"), &bare), (false, vec![]));
    assert_eq!(faults("uk", money("1000.00", "EUR"), &bare).1.len(), 1);
    assert_eq!(
        faults("fatf", money("1000.00", "USD"), &bare),
        (false, vec![])
    );
    assert_eq!(faults("fatf", money("1000.01", "USD"), &bare).1.len(), 1);
    // Whose worth nobody knows is asked for everything.
    assert!(faults("uk", money("1", "JPY"), &bare).0);
    let nobody = identity("/beneficiary/beneficiaryPerson", json!([]));
    let lines = faults("fatf", money("1.00", "USD"), &nobody).1;
    assert_eq!(lines, ["/beneficiary give beneficiary.name"]);
    assert!(
        completeness(
            profile("cn_pboc"),
            money("1.00", "USD"),
            &nobody,
            (&Rates::none(), today())
        )
        .is_none()
    );
}

#[test]
fn constraints_of_the_standard_hold() {
    let person = "/originator/originatorPerson/0/naturalPerson";
    let company = "/beneficiary/beneficiaryPerson/0/legalPerson";
    let birth = json!({ "dateOfBirth": "2026-03-05", "placeOfBirth": "Bern" });
    let natural = json!({ "naturalPerson": identity("", Value::Null).originator.person[0].natural_person, "legalPerson": {} });
    let mut born = json!(identity("", Value::Null).originator.person[0].natural_person);
    born["dateAndPlaceOfBirth"] = birth;
    for (pointer, value, constraint) in [
        (
            format!("{person}/name/nameIdentifier/0/naturalPersonNameIdentifierType"),
            json!("ALIA"),
            "(C6)",
        ),
        (person.to_owned(), born, "(C2)"),
        (
            format!("{person}/geographicAddress/0/buildingNumber"),
            json!(""),
            "(C8)",
        ),
        (
            format!("{company}/name/nameIdentifier/0/legalPersonNameIdentifierType"),
            json!("TRAD"),
            "(C5)",
        ),
        (
            format!("{company}/nationalIdentification/nationalIdentifier"),
            json!("506700GE1G29325QX364"),
            "(C11)",
        ),
        (
            format!("{company}/nationalIdentification/nationalIdentifierType"),
            json!("CCPT"),
            "(C9)",
        ),
        (
            format!("{company}/nationalIdentification"),
            json!({ "nationalIdentifier": "1", "nationalIdentifierType": "RAID", "registrationAuthority": "RA12" }),
            "(C10)",
        ),
        (
            "/originator/originatorPerson/0".to_owned(),
            natural,
            "either natural or legal",
        ),
    ] {
        let (_, lines) = faults("fatf", money("1.00", "USD"), &identity(&pointer, value));
        assert!(
            lines.iter().any(|line| line.contains(constraint)),
            "{constraint}: {lines:?}"
        );
    }
}
