//! What is written: the same bytes each time, well-formed for any text, sums exact.

use crate::{LARGE, NAMES, day, folder, profile, report, today};
use paywarden_domain::{Currency, Money};
use paywarden_filings::{Refused, Report, check, export, export::xml::Node};
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};
use serde_json::json;

/// Set to write the files anew after a look at what changed.
const WRITE: &str = "FILINGS_GOLDEN_WRITE";

#[test]
fn exports_are_those_of_the_golden_files() {
    for name in NAMES.into_iter().chain(LARGE) {
        let written = export(&report(name), profile(name), today()).unwrap();
        let path = folder("golden").join(format!("{name}.xml"));
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &written).unwrap();
        }
        assert_eq!(written, std::fs::read_to_string(path).unwrap(), "{name}");
    }
}

/// The text of the first element of a name, as a parser reads it.
fn text_of(document: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(document);
    let mut inside = false;
    let mut text = String::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => return None,
            Event::Start(start) => inside = start.local_name().as_ref() == name,
            Event::End(_) if inside => return Some(text),
            Event::Text(part) if inside => text.push_str(&part),
            Event::GeneralRef(reference) if inside => {
                let name: &str = &reference;
                match reference.resolve_char_ref().unwrap() {
                    Some(one) => text.push(one),
                    None => text.push(match name {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        other => panic!("the entity {other}"),
                    }),
                }
            }
            _ => {}
        }
    }
}

/// Reads a document to its end.
fn is_well_formed(document: &str) -> bool {
    let mut reader = Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[test]
fn golden_files_hold_what_the_reports_say() {
    let read =
        |name: &str| std::fs::read_to_string(folder("golden").join(format!("{name}.xml"))).unwrap();
    let us = read("us_bsa");
    // 9,500.01 and 8,640.50, rounded up to whole dollars; the card payment is not suspicious.
    assert_eq!(text_of(&us, "TotalSuspiciousAmountText").unwrap(), "18141");
    assert!(us.contains("TotalAmount=\"18141\"") && us.contains("PartyCount=\"2\""));
    assert_eq!(
        text_of(&us, "RawEntityIndividualLastName").unwrap(),
        "Q & A <Quick>"
    );
    // The evening before, at the place of the profile.
    assert_eq!(
        text_of(&us, "SuspiciousActivityFromDateText").unwrap(),
        "20260131"
    );
    // Two of our typologies are one of theirs.
    assert_eq!(
        us.matches("<fc2:SuspiciousActivitySubtypeID>925<").count(),
        1
    );
    let eu = read("eu");
    assert_eq!(text_of(&eu, "reason").unwrap().lines().count(), 3);
    assert!(
        text_of(&eu, "reason")
            .unwrap()
            .contains("]]> and asked us \"not to tell\".")
    );
    assert_eq!(
        text_of(&eu, "date_transaction").unwrap(),
        "2026-03-01T00:30:00"
    );
    let cn = read("cn_pboc");
    assert_eq!(text_of(&cn, "CRAT").unwrap(), "48000.000");
    assert_eq!(text_of(&cn, "STNT").unwrap(), "CHN");
}

#[test]
fn golden_files_of_large_values_hold_what_the_reports_say() {
    let read =
        |name: &str| std::fs::read_to_string(folder("golden").join(format!("{name}.xml"))).unwrap();
    let us = read("us_bsa_large");
    let text = |name: &str| text_of(&us, name).unwrap();
    // 9,000.00 and 4,000.50 on an account, 2,000 euros, worth 2,160.10 dollars, and 150 out.
    assert_eq!(text("TotalCashInReceiveAmountText"), "15162");
    assert_eq!(text("TotalCashOutAmountText"), "150");
    assert!(us.contains("TotalAmount=\"15312\"") && us.contains("PartyCount=\"8\""));
    assert_eq!(text("OtherForeignCurrencyCountryText"), "");
    assert!(us.contains("<fc2:OtherForeignCurrencyCountryText>EU<"));
    // She paid in for herself twice, and once another did for her.
    let roles: Vec<&str> = us.split("<fc2:ActivityPartyTypeCode>").skip(1).collect();
    let roles: Vec<&str> = roles
        .iter()
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!(roles, ["35", "37", "30", "8", "34", "50", "23", "17"]);
    assert_eq!(
        us.matches("MultipleTransactionsPersonsIndividualsIndicator>Y")
            .count(),
        1
    );
    let cn = read("cn_pboc_large");
    let text = |name: &str| text_of(&cn, name).unwrap();
    assert_eq!(
        (text("CRCD"), text("TTNM"), text("HTDT")),
        ("0501".into(), "2".into(), "20260212".into())
    );
    assert_eq!(
        (text("CRAT"), text("TSDR")),
        ("30000.000".into(), "01".into())
    );
    // What somebody pays in on their own account comes in, too.
    assert_eq!(cn.matches("<TSDR>01<").count(), 2);
}

/// Cash that nobody is known to have handed over.
#[test]
fn cash_of_unknown_hands_is_aggregated_unless_it_is_large_alone() {
    let mut report = report("us_bsa_large");
    let nobody = json!({ "id": "n", "who": { "person": {} } });
    report.parties.push(serde_json::from_value(nobody).unwrap());
    report.transactions.truncate(2);
    report.transactions[1].amount = report.transactions[0].amount;
    for one in &mut report.transactions {
        one.from.party = Some("n".into());
    }
    let written = |report: &Report| export(report, profile("us_bsa"), today()).unwrap();
    let mark = "<fc2:AggregateTransactionIndicator>Y<";
    let file = written(&report);
    assert!(
        file.contains(mark) && file.contains("PartyCount=\"6\""),
        "{file}"
    );
    report.transactions[0].amount.minor = 1_000_001;
    let file = written(&report);
    assert!(
        !file.contains(mark) && file.contains("PartyCount=\"7\""),
        "{file}"
    );
    assert!(file.contains("<fc2:ActivityPartyTypeCode>17<"));
}

#[test]
fn numbers_of_elements_are_unique_and_in_order() {
    for name in ["us_bsa", "us_bsa_large"] {
        numbered(&export(&report(name), profile(name), today()).unwrap());
    }
}

fn numbered(written: &str) {
    let numbers = written.split("SeqNum=\"").skip(1);
    let numbers: Vec<usize> = numbers
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    assert!(numbers.len() > 30);
}

#[test]
fn a_report_with_a_fault_is_in_no_format() {
    let mut faulty = report("eu");
    faulty.transactions[0].local = None;
    let Err(Refused::Faulty(faults)) = export(&faulty, profile("eu"), today()) else {
        panic!("exported");
    };
    assert_eq!(faults[0].path, "/transactions/0/local");
    let mut uk = report("eu");
    uk.profile = "uk".into();
    assert_eq!(export(&uk, profile("uk"), today()), Err(Refused::NoFormat));
    let other_day = export(&report("eu"), profile("eu"), day("2026-03-06")).unwrap();
    assert!(other_day.contains("<report_date>2026-03-06T00:00:00"));
}

/// Puts a text everywhere that texts go.
fn with_text(name: &str, text: &str) -> Report {
    let mut report = report(name);
    report.narrative = text.to_owned();
    report.reason = report.reason.map(|_| text.to_owned());
    report.parties[0].remark = Some(text.to_owned());
    report.transactions[0].description = Some(text.to_owned());
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_refused_or_comes_back_as_it_was(text in "\\PC{0,60}|[\\x00-\\x7f]{0,40}|.{0,40}") {
        for (name, element) in [("us_bsa", "ActivityNarrativeText"), ("eu", "transaction_description"), ("cn_pboc", "STCB")] {
            let report = with_text(name, &text);
            match export(&report, profile(name), today()) {
                Ok(written) => {
                    prop_assert!(is_well_formed(&written));
                    prop_assert_eq!(text_of(&written, element), Some(text.clone()));
                    prop_assert_eq!(&export(&report, profile(name), today()).unwrap(), &written);
                }
                Err(Refused::Faulty(faults)) => prop_assert!(!faults.is_empty()),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn the_writer_is_well_formed_for_texts_that_no_check_has_seen(text in "[\\x00-\\x20<>&'\"\\]\u{fffe}\u{ffff}a]{0,50}") {
        let mut node = Node::new("a").with("b", text.clone());
        node.text("c", text.clone());
        let document = node.document();
        prop_assert!(is_well_formed(&document));
        let read: String = text.chars()
            .map(|one| match one {
                '\n' | '\r' | '\t' => one,
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
                _ => one,
            })
            .collect();
        prop_assert_eq!(text_of(&document, "c"), Some(read));
    }

    #[test]
    fn sums_are_exact(minors in proptest::collection::vec((1_i64..1_000_000_000_000, any::<bool>()), 1..40)) {
        let mut report = report("us_bsa");
        let usd = Currency::parse("USD").unwrap();
        let model = report.transactions[0].clone();
        report.transactions = minors.iter().enumerate().map(|(place, (minor, suspicious))| {
            let mut one = model.clone();
            one.number = format!("t{place}");
            one.amount = Money::new(*minor, usd);
            one.is_suspicious = *suspicious;
            one
        }).collect();
        let cents: i128 = minors.iter().filter(|one| one.1).map(|one| i128::from(one.0)).sum();
        prop_assert_eq!(report.total(usd), Some(cents));
        let written = export(&report, profile("us_bsa"), today()).unwrap();
        let dollars = cents / 100 + i128::from(cents % 100 != 0);
        prop_assert_eq!(text_of(&written, "TotalSuspiciousAmountText").unwrap(), dollars.to_string());
    }
}

#[test]
fn a_million_characters_and_hidden_ones_are_refused_without_being_repeated() {
    let long = "x".repeat(1 << 20);
    for name in NAMES {
        let faults = check(&with_text(name, &long), profile(name), today());
        assert!(
            faults
                .iter()
                .any(|fault| fault.path == "/narrative" && fault.code == "too_long")
        );
        assert!(faults.iter().all(|fault| fault.hint.len() < 1_000));
    }
    for (text, code) in [
        ("pay\u{202e}dna", "character"),
        ("a\u{200b}b", "character"),
        ("a\u{0}b", "character"),
        ("a\u{85}b", "character"),
        ("a\u{ffff}b", "character"),
        (" ab", "spaces"),
    ] {
        for name in NAMES {
            let faults = check(&with_text(name, text), profile(name), today());
            let found = faults
                .iter()
                .find(|fault| fault.path == "/narrative")
                .unwrap();
            assert_eq!(found.code, code, "{text:?}");
        }
    }
    // FinCEN takes no line breaks; goAML does.
    let lines = "one\ntwo";
    let faults = check(&with_text("us_bsa", lines), profile("us_bsa"), today());
    assert_eq!(faults[0].code, "character");
    assert!(check(&with_text("eu", lines), profile("eu"), today()).is_empty());
}
