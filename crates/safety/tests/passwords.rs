//! What is said of passwords: of habits, of one person's own data, of breached ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails the test"
)]

use paywarden_safety::password::{
    Assessment, Breached, Met, Pattern, Person, Profile, Question, assess,
};
use proptest::prelude::*;
use std::fmt::Write;

fn zhang() -> Person {
    Person {
        name: "Zhang Wei".to_owned(),
        phone: "13812345678".to_owned(),
        email: "lucky.wei@example.com".to_owned(),
        birth_date: "1990-01-31".to_owned(),
        id_number: "110101199001310015".to_owned(),
        company: "Onward Pay".to_owned(),
    }
}

fn of(password: &str, profile: &str) -> Assessment {
    assess(Question {
        password,
        person: &zhang(),
        profile: Profile::find(profile).unwrap(),
        with_second_factor: true,
        breached: None,
    })
}

/// Habits of both worlds; nothing here is anybody's.
const PASSWORDS: &[&str] = &[
    "woaini1314",
    "Woaini520!",
    "13912345678",
    "19900131Abc",
    "Passw0rd123!",
    "zhangwei1990",
    "Zw13812345678",
    "110101199001310015",
    "1qaz2wsx3edc",
    "Qwer!234asdf",
    "88888888",
    "abcabcabcabc",
    "147258369",
    "Zh@ngW3i0131",
    "onwardpay2024",
    "xiaohuangren99",
    "tR8#vq2LmZ",
    "correct horse battery staple",
    "葡萄藤上有七只蓝鸟",
    "１３９１２３４５６７８",
    "Kx7-fWh2-pLw9-mQz4",
];

#[test]
fn habits_are_found_and_counted() {
    let mut table = String::new();
    for password in PASSWORDS {
        let found = of(password, "page");
        let findings: Vec<String> = found
            .findings
            .iter()
            // Which of several equally cheap words zxcvbn names is not fixed.
            .filter(|f| f.pattern != Pattern::Common)
            .map(|f| format!("{:?} {}..{}", f.pattern, f.start, f.end))
            .collect();
        writeln!(
            table,
            "{password}: score {}, 10^{}: {}",
            found.score,
            found.guesses_log10,
            findings.join(", ")
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn what_others_know_or_try_first_is_never_strong() {
    let weak = PASSWORDS.get(..16).unwrap();
    for password in weak {
        assert!(of(password, "page").score <= 2, "{password}");
        for profile in Profile::ALL {
            assert!(!of(password, profile.name).acceptable, "{password}");
        }
    }
    for password in ["tR8#vq2LmZ", "Kx7-fWh2-pLw9-mQz4"] {
        assert!(of(password, "page").acceptable, "{password}");
    }
}

#[test]
fn profiles_disagree_where_their_texts_do() {
    let unmet = |password, profile| -> Vec<&str> {
        let rules = of(password, profile).rules;
        let unmet = rules.iter().filter(|checked| checked.met == Met::No);
        unmet.map(|checked| checked.rule.id).collect()
    };
    let phrase = "correct horse battery staple";
    assert!(unmet(phrase, "nist").is_empty());
    assert_eq!(unmet(phrase, "pci"), ["letters_and_digits"]);
    assert_eq!(unmet(phrase, "mlps-l3"), ["kinds"]);
    assert_eq!(unmet("tR8#vq2LmZ", "pci"), ["length"]);
    assert_eq!(unmet("Kx7-fWh2-1234-mQz4", "page"), ["no_habits"]);
}

#[test]
fn every_rule_says_where_it_comes_from() {
    let profiles: Vec<_> = Profile::ALL.iter().map(|p| (p.name, p.rules)).collect();
    insta::assert_json_snapshot!(profiles);
}

#[test]
fn identity_numbers_need_their_check_digit() {
    let has = |password| {
        let findings = of(password, "page").findings;
        findings.iter().any(|f| f.pattern == Pattern::IdNumber)
    };
    assert!(has("110101199003070038") && has("x11010519491231002Xy"));
    assert!(!has("110101199003070039") && !has("110101199013070038"));
}

#[test]
fn breached_passwords_are_refused_and_others_are_not() {
    let list = "hunter2\n\ncorrecthorse\r\n";
    let hashes = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n\
                  A94A8FE5CCB19BA61C4C0873D391E987982FBBD3:2\n";
    let plain = Breached::build(list.as_bytes(), 1).unwrap();
    assert!(plain.contains("hunter2") && plain.contains("correcthorse"));
    assert_eq!(plain.passwords(), 2);
    // SHA-1 of `password`, and of `test`, which is too rare.
    let hashed = Breached::build(hashes.as_bytes(), 3).unwrap();
    assert!(hashed.contains("password") && !hashed.contains("test"));

    let mut file = Vec::new();
    hashed.write(&mut file).unwrap();
    let again = Breached::read(file.as_slice()).unwrap();
    assert!(again.contains("password") && again.passwords() == 1);
    let rules = assess(Question {
        password: "password",
        person: &Person::default(),
        profile: Profile::find("nist").unwrap(),
        with_second_factor: true,
        breached: Some(&again),
    })
    .rules;
    let breached = rules.iter().find(|c| c.rule.id == "not_breached").unwrap();
    assert_eq!(breached.met, Met::No);

    for place in 0..file.len() {
        let mut damaged = file.clone();
        damaged[place] ^= 1;
        assert!(Breached::read(damaged.as_slice()).is_err(), "{place}");
        assert!(Breached::read(&file[..place]).is_err(), "{place}");
    }
}

#[test]
fn hostile_lists_are_refused() {
    let long = vec![b'a'; 2_000];
    assert!(Breached::build(long.as_slice(), 1).is_err());
    assert!(Breached::build(&b"\n\n"[..], 1).is_err());
}

#[test]
fn few_others_are_taken_for_breached() {
    let list: String = (0..20_000).map(|n| format!("listed-{n}\n")).collect();
    let filter = Breached::build(list.as_bytes(), 1).unwrap();
    assert!((0..20_000).all(|n| filter.contains(&format!("listed-{n}"))));
    let mistaken = (0..200_000).filter(|n| filter.contains(&format!("other-{n}")));
    assert!(mistaken.count() < 30);
}

/// The weakest passwords of a public list, where it is at hand.
#[test]
fn the_most_common_passwords_score_low() {
    let Some(data) = std::env::var_os("PAYWARDEN_DATA") else {
        return;
    };
    let path = std::path::Path::new(&data).join("edge/passwords/top100k.txt");
    let list = std::fs::read_to_string(path).unwrap();
    let filter = Breached::build(list.as_bytes(), 1).unwrap();
    let passwords: Vec<&str> = list.lines().filter(|line| !line.is_empty()).collect();
    assert!(passwords.iter().all(|password| filter.contains(password)));
    let first = passwords.get(..2_000).unwrap();
    let strong = first.iter().filter(|p| of(p, "page").score >= 3).count();
    assert_eq!(strong, 0);
}

proptest! {
    #[test]
    fn any_text_is_assessed_and_none_of_it_is_told(
        password in any::<String>(),
        name in any::<String>(),
        birth_date in "[0-9]{0,4}-[0-9]{0,2}-[0-9]{0,2}",
    ) {
        let person = Person { name, birth_date, ..Person::default() };
        for profile in Profile::ALL {
            let assessment = assess(Question {
                password: &password,
                person: &person,
                profile,
                with_second_factor: false,
                breached: None,
            });
            let length = password.chars().count();
            prop_assert!(assessment.findings.iter().all(|f| f.start < f.end && f.end <= length));
            prop_assert!(assessment.guesses_log10.is_finite());
        }
    }
}
