//! Another policy comes into force by approval alone, and only one by which payments are decided.

use crate::{
    support::{Place, on_both},
    world::{World, address, by, code, item, who},
};
use paywarden_access::approval::{self, Ask};
use paywarden_domain::Country;
use paywarden_privacy::{By, Retention, Said, policy::PrivacyPolicyChange};

on_both! {
    a_policy_holds_from_its_approval_on_and_for_its_company_alone,
    nobody_changes_the_policy_alone_or_twice,
    unless_turns_an_allowance_and_takes_a_refusal_away,
}

fn shipped(world: &World) -> String {
    world.vault.privacy_policy(&who("nobody", "k").tenant).text
}

async fn a_policy_holds_from_its_approval_on_and_for_its_company_alone(place: Place) {
    let world = World::open(&place).await;
    let name = || item("liu", "name", "Liu Wei", Retention::Contract);
    assert!(
        world
            .vault
            .tokenize(&by("settlement"), &[name()])
            .await
            .is_ok()
    );
    let text = shipped(&world).replace(
        "\"settlement\", \"customer_service\"",
        "\"customer_service\"",
    );
    world.change_policy(&text).await.unwrap();
    let refused = world.vault.tokenize(&by("settlement"), &[name()]).await;
    assert_eq!(code(refused), "purpose_not_for_data");
    let other = who("other", "key_9");
    let theirs = By::new(other.tenant, other.actor, "settlement");
    assert!(world.vault.tokenize(&theirs, &[name()]).await.is_ok());
    world.close().await;
}

fn ask() -> Ask {
    Ask {
        authors: Vec::new(),
        reason: "review".to_owned(),
        ticket: None,
        expires_at: None,
    }
}

async fn nobody_changes_the_policy_alone_or_twice(place: Place) {
    let world = World::open(&place).await;
    let maker = who("acme", "key_1");
    let change = PrivacyPolicyChange {
        replaces: 0,
        text: shipped(&world),
    };
    let alone = world.approvals.admit(&maker, change.clone(), None).await;
    assert!(matches!(alone, Err(approval::Error::Missing { needed: 1 })));
    let asked = world
        .approvals
        .request(&maker, &change, ask())
        .await
        .unwrap();
    let claimed = world
        .approvals
        .claim::<PrivacyPolicyChange>(&maker, &asked.id)
        .await
        .unwrap_err();
    assert_eq!(claimed.code(), "approval_votes");
    // One that lost the race is refused, and so is one that names another policy.
    world.change_policy(&shipped(&world)).await.unwrap();
    let ballot = approval::Ballot {
        approve: true,
        payload_sha256: asked.payload_sha256.clone(),
        on_behalf_of: None,
        reason: "looked at".to_owned(),
    };
    world
        .approvals
        .vote(&who("acme", "key_2"), &asked.id, ballot)
        .await
        .unwrap();
    let approved = world.approvals.claim(&maker, &asked.id).await.unwrap();
    let moved = world
        .vault
        .change_privacy_policy(approved, "review")
        .await
        .unwrap_err();
    assert!(moved.to_string().contains("meanwhile"), "{moved}");
    let nobody = who("acme", "nobody");
    assert!(
        world
            .approvals
            .request(&nobody, &change, ask())
            .await
            .is_err()
    );
    // A policy by which payments could not be decided is not even asked for.
    let useless = shipped(&world).replace("while_restricted = true", "while_restricted = false");
    let refused = world.change_policy(&useless).await.unwrap_err();
    assert!(
        refused.contains("payments could not be decided"),
        "{refused}"
    );
    world.close().await;
}

const RULES: &str = r#"
[[rule]]
id = "cards_stay_here"
effect = "allow"
purposes = ["dispute_handling"]
data = ["vault.*.card_number"]
unless = { country = { not_in = ["CN", "DE"] } }

[[rule]]
id = "no_analysis_without_offers"
effect = "deny"
purposes = ["analytics"]
unless = { consent = "marketing" }
"#;

async fn unless_turns_an_allowance_and_takes_a_refusal_away(place: Place) {
    let world = World::open(&place).await;
    let text = shipped(&world) + RULES;
    world.change_policy(&text).await.unwrap();
    let to = |country: Option<&str>, purpose: &str| By {
        said: Said {
            country: country.map(|code| Country::parse(code).unwrap()),
            ..Said::default()
        },
        ..by(purpose)
    };
    let card = item(
        "liu",
        "card_number",
        "4012888888881881",
        Retention::Contract,
    );
    let kept = world
        .vault
        .tokenize(&to(Some("CN"), "dispute_handling"), &[card])
        .await;
    let token = kept.unwrap()[0].token.clone();
    for (country, expected) in [
        (Some("CN"), None),
        (Some("DE"), None),
        (Some("US"), Some("purpose_forbidden")),
        // What is not said is not taken for an allowance.
        (None, Some("purpose_forbidden")),
    ] {
        let read = world.read(&to(country, "dispute_handling"), &token).await;
        assert_eq!(
            read.err().map(|error| error.code()),
            expected,
            "{country:?}"
        );
    }
    world.agree("liu", "analytics").await.unwrap();
    let kept = world
        .vault
        .tokenize(&by("analytics"), &[address("liu")])
        .await;
    assert_eq!(code(kept), "purpose_forbidden");
    world.agree("liu", "marketing").await.unwrap();
    let kept = world
        .vault
        .tokenize(&by("analytics"), &[address("liu")])
        .await;
    assert!(kept.is_ok());
    world.close().await;
}
