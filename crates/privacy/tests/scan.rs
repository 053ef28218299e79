//! Leaks are found in every way of writing, whole or in parts, and nothing clear is shown.

#![cfg(test)]

use paywarden_privacy::scan::{
    Confidence, FINDINGS_MAX, Finding, Found, Guard, Kind, Scanner, masked,
};
use proptest::prelude::*;
use std::io::Write;

const RESIDENT: &str = "11010519491231002X";

fn scan(text: impl AsRef<[u8]>) -> Found {
    let mut scanner = Scanner::default();
    scanner.push(text.as_ref());
    scanner.finish()
}

fn kinds(text: impl AsRef<[u8]>) -> Vec<(Kind, Confidence)> {
    let found = scan(text).findings;
    found.iter().map(|one| (one.kind, one.confidence)).collect()
}

/// The number with its check digit made right.
fn with_check(body: &str) -> String {
    let all = (0..10).map(|last| format!("{body}{last}"));
    let mut valid = all.filter(|text| paywarden_domain::pan::luhn(text.as_bytes()));
    valid.next().unwrap()
}

#[test]
fn card_numbers_are_found_in_every_way_of_writing() {
    let pan = with_check("411111201426766");
    let (a, b, c, d) = (&pan[..4], &pan[4..8], &pan[8..12], &pan[12..]);
    let amex = with_check("37828204126384");
    let (e, f, g) = (&amex[..4], &amex[4..10], &amex[10..]);
    let union = with_check("620000041263840275");
    let wide: Vec<u8> = format!("n {pan} ")
        .bytes()
        .flat_map(|byte| [byte, 0])
        .collect();
    let texts: Vec<Vec<u8>> = [
        pan.clone(),
        format!("paid with {pan}, thanks"),
        format!("{a} {b} {c} {d}"),
        format!("{a}-{b}-{c}-{d}."),
        format!("{a}.{b}.{c}.{d}"),
        format!("{e} {f} {g}"),
        format!("{{\"number\":{pan},\"x\":1}}"),
        format!("{{\"pan\":\"{pan}\"}}"),
        format!("2026-01-02T03:04:05Z,{pan},12.50"),
        format!("/pay?pan={a}%20{b}%20{c}%20{d}&x=1"),
        format!("pan={a}+{b}+{c}+{d}&x=1"),
        format!("%B{pan}^LIU/WEI^2812101"),
        format!(";{pan}=28121011000012300000?"),
        format!("客户卡号：{union}"),
        format!("line one\\n{pan}\\n"),
        format!("<number>{pan}</number>"),
        format!("card_{pan}"),
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([wide])
    .collect();
    for text in &texts {
        let found = scan(text).findings;
        let shown = String::from_utf8_lossy(text).replace(&pan, "PAN");
        assert_eq!(found.len(), 1, "{shown}");
        assert_eq!(found[0].kind, Kind::CardNumber, "{shown}");
        assert!(
            found[0].confidence >= Confidence::Likely,
            "{shown}: {:?}",
            found[0].confidence
        );
        let card = found[0].card().unwrap();
        assert!([&pan[..], &amex, &union].contains(&card), "{shown}");
    }
}

#[test]
fn what_is_doubtful_is_demoted_and_not_dropped() {
    let pan = with_check("411111201426766");
    for text in [
        format!("order_no={pan}"),
        format!("trace_id: {pan}"),
        format!("a{pan}c"),
        format!("0.{pan}"),
        format!("\"hash\":\"ff{pan}\""),
    ] {
        let shown = text.replace(&pan, "PAN");
        let expected = [(Kind::CardNumber, Confidence::Doubtful)];
        assert_eq!(kinds(&text), expected, "{shown}");
    }
}

#[test]
fn numbers_that_are_no_card_numbers_are_not_likely() {
    for text in [
        "2026-11-26 06:14:36.123456789 ".repeat(50),
        "1764137676123456789\n1764137676123\n".to_owned(),
        "550e8400-e29b-41d4-a716-446655440000".to_owned(),
        "+1 (415) 555-0100".to_owned(),
        "127.0.0.1:8443 10.11.12.13".to_owned(),
        "12345678901234567890123456789012345678901234567890".to_owned(),
        format!("9{}0", with_check("411111201426766")),
    ] {
        let found = kinds(&text);
        let likely = found.iter().filter(|(_, sure)| *sure >= Confidence::Likely);
        assert_eq!(likely.count(), 0, "{text}: {found:?}");
    }
}

#[test]
fn a_column_of_order_numbers_is_none_of_card_numbers() {
    let mut state = 7_u64;
    let mut number = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        format!("4{:015}", (state >> 11) % 1_000_000_000_000_000)
    };
    let orders: String = (0..1_000)
        .map(|row| format!("{row},{},paid\n", number()))
        .collect();
    let found = kinds(&orders);
    assert!(
        (60..160).contains(&found.len()),
        "one in ten passes: {}",
        found.len()
    );
    assert!(found.iter().all(|(_, sure)| *sure == Confidence::Doubtful));
    let cards: String = (0..1_000)
        .map(|row| format!("{row},{},paid\n", with_check(&number()[..15])))
        .collect();
    let found = kinds(&cards);
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|(_, sure)| *sure == Confidence::Likely));
}

#[test]
fn identity_and_phone_numbers_and_secrets_are_found() {
    use Confidence::{Certain, Likely, Possible};
    for (text, expected) in [
        (format!("id={RESIDENT}"), Some((Kind::ResidentId, Likely))),
        (RESIDENT.to_lowercase(), Some((Kind::ResidentId, Likely))),
        ("身份证 110105 19491231 002X".to_owned(), None),
        ("440305199001010013".to_owned(), None),
        ("110105194912310021".to_owned(), None),
        ("13800138000".to_owned(), Some((Kind::Phone, Possible))),
        ("手机:13800138000".to_owned(), Some((Kind::Phone, Likely))),
        ("138 0013 8000".to_owned(), Some((Kind::Phone, Likely))),
        ("+8613800138000".to_owned(), Some((Kind::Phone, Likely))),
        ("+86 138 0013 8000".to_owned(), Some((Kind::Phone, Likely))),
        ("phone +14155550100".to_owned(), Some((Kind::Phone, Likely))),
        ("23800138000".to_owned(), None),
        (
            ["-----BEGIN", "PRIVATE", "KEY-----\nMC4C"].join(" "),
            Some((Kind::Secret, Certain)),
        ),
    ] {
        assert_eq!(
            kinds(&text),
            expected.into_iter().collect::<Vec<_>>(),
            "{text}"
        );
    }
}

#[test]
fn a_finding_says_where_and_shows_what_a_mask_shows() {
    let pan = with_check("411111201426766");
    let text = format!("one\ntwo\n  card {pan}\n身份 {RESIDENT}\n");
    let found = scan(&text).findings;
    let place = |one: &Finding| (one.offset, one.length, one.line, one.masked());
    let places: Vec<_> = found.iter().map(place).collect();
    let masked = format!("{}••••{}", &pan[..8], &pan[12..]);
    assert_eq!(places[0], (15, 16, 3, masked));
    let offset = text.find(RESIDENT).unwrap() as u64;
    assert_eq!(places[1], (offset, 18, 4, "••••002X".to_owned()));
}

#[test]
fn a_long_source_is_one_source_and_has_a_limit() {
    let pan = with_check("411111201426766");
    let filler = "nothing to see here, 42 times\n".repeat(9_999);
    let text = format!("{filler}card {pan}\n").repeat(3);
    let found = scan(&text);
    assert_eq!(found.bytes, text.len() as u64);
    let lines: Vec<_> = found.findings.iter().map(|one| one.line).collect();
    assert_eq!(lines, [10_000, 20_000, 30_000]);
    let many = format!("{pan}\n").repeat(FINDINGS_MAX + 5);
    let found = scan(&many);
    assert_eq!((found.findings.len(), found.left_out), (FINDINGS_MAX, 5));
    let digits = scan("7".repeat(1_000_000));
    assert_eq!(digits.findings.len(), 0);
}

#[test]
fn the_guard_masks_hostile_lines_and_leaves_others_alone() {
    let pan = with_check("411111201426766");
    let amex = with_check("37828204126384");
    for line in [
        format!("INFO request{{card={pan}}}: declined\n"),
        format!("{{\"fields\":{{\"note\":\"{pan} {amex} {RESIDENT}\"}}}}\n"),
        format!("\u{1b}[1m{pan}\u{1b}[0m\r\n"),
        format!(
            "{}-{}-{}-{}",
            &pan[..4],
            &pan[4..8],
            &pan[8..12],
            &pan[12..]
        ),
        format!("error: invalid type: integer `{pan}`, expected a string"),
        format!("{}{pan}", "x ".repeat(100_000)),
    ] {
        let mut guard = Guard::new(Vec::new());
        guard.write_all(line.as_bytes()).unwrap();
        let written = String::from_utf8(guard.into_inner()).unwrap();
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        for secret in [&pan[..], &amex, &RESIDENT[..17]] {
            assert!(!digits.contains(secret), "a number passed the guard");
        }
        assert!(written.contains("••••"));
    }
    for line in [
        "2026-11-26T06:14:36.123456Z INFO started address=127.0.0.1:8443\n",
        "request_id=0192f3a4b5c6d7e8 elapsed_us=1234567890123\n",
    ] {
        assert!(matches!(
            masked(line.as_bytes()),
            std::borrow::Cow::Borrowed(_)
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_do_not_matter(
        lines in proptest::collection::vec((0..4_u8, 0..3_000_usize), 1..60),
        cuts in proptest::collection::vec(1..200_000_usize, 1..8),
    ) {
        let pan = with_check("411111201426766");
        let text: String = lines.iter().map(|(kind, length)| match kind {
            0 => format!("{}\n", "ab 12,".repeat(*length)),
            1 => format!("{}{pan}\n", " ".repeat(*length)),
            2 => format!("{}\n", "90817264".repeat(*length)),
            _ => format!("order={pan} {RESIDENT}\n"),
        }).collect();
        let mut scanner = Scanner::default();
        let (mut rest, mut cut) = (text.as_bytes(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (part, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
            scanner.push(part);
            rest = later;
        }
        let place = |found: Found| found.findings.iter().map(|one| (one.kind, one.offset, one.line)).collect::<Vec<_>>();
        let expected: Vec<_> = text.match_indices(&pan).map(|(at, _)| at as u64).collect();
        let in_parts = place(scanner.finish());
        let cards: Vec<_> = in_parts.iter().filter(|one| one.0 == Kind::CardNumber).map(|one| one.1).collect();
        prop_assert_eq!(cards, expected);
        prop_assert_eq!(in_parts, place(scan(&text)));
    }
}
