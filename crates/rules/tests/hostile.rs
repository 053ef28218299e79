//! Hostile expressions: bounded time, memory and stack, and a clear error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_rules::{Code, parser::EXPRESSION_BYTES_MAX};

/// On a stack of a quarter of what threads get, so that nothing is right by chance.
fn on_a_small_stack(check: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(check).unwrap().join().unwrap();
}

fn codes(when: &str) -> Vec<Code> {
    let problems = support::rule_set(when).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn a_megabyte_is_refused_before_it_is_read() {
    let repeat = |piece: &str| piece.repeat(1024 * 1024 / piece.len());
    on_a_small_stack(move || {
        for piece in ["(", "a", "a && ", "[", "{", "\"", "a.", "!", "中"] {
            assert_eq!(codes(&repeat(piece)), [Code::TooLong], "{piece}");
        }
    });
}

#[test]
fn ten_thousand_levels_are_refused() {
    on_a_small_stack(|| {
        for piece in [
            "(",
            "[",
            "{1:",
            "!",
            "-",
            "a?",
            "a?b:",
            "a[",
            "f(",
            "a.f(",
            "1+",
            "a in [",
            "a.b.",
            "[1].map(e,",
            "-(",
            "a==",
            "[0][",
        ] {
            let deep = piece.repeat(10_000);
            let fits = deep.get(..EXPRESSION_BYTES_MAX.min(deep.len())).unwrap();
            let found = codes(fits);
            assert!(
                found.contains(&Code::TooLong) && found.len() <= 20,
                "{piece} {found:?}"
            );
            assert!(codes(&deep).contains(&Code::TooLong), "{piece}");
        }
    });
}

#[test]
fn macros_that_pile_up_are_refused() {
    let chain = |step: &str, times: usize| {
        format!(
            "size([payer.name]{}.filter(e, e == payee.name)) == 1",
            step.repeat(times)
        )
    };
    on_a_small_stack(move || {
        // Doubling in each step, growing deeper in each step, and wider in each step.
        assert_eq!(codes(&chain(".map(e, e + e)", 40)), [Code::TooLong]);
        let deeper = format!(".map(e, {}e{})", "(e + ".repeat(20), ")".repeat(20));
        assert_eq!(codes(&chain(&deeper, 30)), [Code::TooLong]);
        let lists = "size([1, 2].map(a, [a, a].map(b, [b, b].map(c, [c, c]))))".to_owned();
        assert_eq!(codes(&format!("{lists} == event.hour")), []);
        let tall = format!("[payer.kyc_level]{}[0] == 1", ".map(e, e + 1)".repeat(50));
        assert!(!codes(&tall).is_empty() || support::rule_set(&tall).is_ok());
    });
}

#[test]
fn regular_expressions_are_limited_in_length_depth_and_memory() {
    for pattern in [
        "a{1000}{1000}".to_owned(),
        "(".repeat(300) + "a" + &")".repeat(300),
        "a".repeat(513),
        "\\\\w{200}".to_owned(),
        "(a".to_owned(),
        "(?<=a)b".to_owned(),
        "(a)\\\\1".to_owned(),
    ] {
        let found = codes(&format!("payer.name.matches(\"{pattern}\")"));
        assert_eq!(found, [Code::BadLiteral], "{pattern}");
    }
}
