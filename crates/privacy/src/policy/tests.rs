//! The policy by itself: what it reads, what it refuses, how paths fit.

use super::*;
use proptest::prelude::*;

fn with(from: &str, to: &str) -> Result<Policy, Error> {
    assert!(SHIPPED.contains(from), "{from}");
    Policy::parse(&SHIPPED.replacen(from, to, 1))
}

#[test]
fn the_shipped_policy_names_purposes_that_the_shipped_notice_tells_of() {
    let policy = Policy::parse(SHIPPED).unwrap();
    let notice = crate::notice::Published::standard().unwrap().notice;
    for purpose in policy.purposes() {
        let (name, clause) = purpose.told_in();
        assert_eq!(name, notice.name);
        let clause = notice.clause(clause).unwrap();
        assert!(clause.covers(&purpose.name), "{}", purpose.name);
        for jurisdiction in Jurisdiction::ALL {
            assert!(purpose.basis(jurisdiction).is_some(), "{}", purpose.name);
        }
    }
}

#[test]
fn a_policy_that_says_nothing_or_stops_payments_is_refused() {
    for (from, to) in [
        ("jurisdiction = \"generic\"", "jurisdiction = \"mars\""),
        ("name = \"onboarding\"", "name = \"settlement\""),
        ("name = \"onboarding\"", "name = \"On boarding\""),
        ("told_in = \"standard/law\"", "told_in = \"standard\""),
        ("dpv = \"CustomerCare\"", "dpv = \"Customer Care\""),
        ("gdpr = \"legitimate_interest\"", "gdpr = \"because\""),
        (
            "pipl = \"legal_obligation\"",
            "pipl = \"legitimate_interest\"",
        ),
        (
            "of = \"vault.contract\"",
            "of = \"vault.contract.name.first\"",
        ),
        ("of = \"vault.contract\"", "of = \"Vault\""),
        (
            "\"customer_service\", \"dispute",
            "\"curiosity\", \"dispute",
        ),
        ("effect = \"deny\"", "effect = \"perhaps\""),
        ("recipient = { in", "recipient = { among"),
        ("outweighs = true", "outweighs = false"),
        ("while_restricted = true", "while_restricted = false"),
        ("name = \"fraud_prevention\"", "name = \"fraud\""),
        (
            "purposes = [\"marketing\"]\ndata = [\"vault\"]\n",
            "data = [\"vault\"]\n",
        ),
        (
            "generic = \"legitimate_interest\", gdpr",
            "generic = \"consent\", gdpr",
        ),
        (
            "[\"fraud_prevention\", \"aml_compliance\", \"subject_request\"]",
            "[\"subject_request\"]",
        ),
    ] {
        let refused = with(from, to);
        assert!(
            matches!(refused, Err(Error::PolicyRefused(_))),
            "{from} -> {to}"
        );
    }
}

/// The same in words: as many parts as the path has, each the same or a star.
fn fits(path: &[&str], data: [&str; 3]) -> bool {
    path.len() <= 3 && (0..path.len()).all(|place| path[place] == "*" || path[place] == data[place])
}

proptest! {
    #[test]
    fn a_path_stands_for_everything_below_it(
        path in prop::collection::vec(prop::sample::select(vec!["vault", "a", "b", "*"]), 1..5),
        data in prop::array::uniform3(prop::sample::select(vec!["vault", "a", "b"])),
    ) {
        let [set, collection, field] = data;
        let kind = Data { set, collection, field };
        prop_assert_eq!(kind.is_within(&path.join(".")), fits(&path, data));
    }
}
