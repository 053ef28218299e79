//! Everything that somebody with the database can swap: nothing opens in another place, and the
//! trail notices what was changed.

use crate::world::*;
use paywarden_crypto::envelope::Profile;
use paywarden_privacy::{Error, Item, Plain};
use paywarden_store::{Clock, Verdict};

/// What is done to the record or key of the first of two persons; `{a}` and `{b}` are the tokens.
const SWAPS: [(&str, &str); 9] = [
    (
        "row",
        "sealed = (SELECT o.sealed FROM vault_records o WHERE o.token = '{b}')",
    ),
    ("field", "sealed = details, details = sealed"),
    (
        "subject",
        "subject = (SELECT o.subject FROM vault_records o WHERE o.token = '{b}')",
    ),
    ("class", "class = 'free_form'"),
    ("retention", "retention = 'marketing'"),
    (
        "key",
        "key_id = (SELECT o.key_id FROM vault_records o WHERE o.token = '{b}')",
    ),
    // Format, cipher and key version are the first six bytes.
    (
        "algorithm",
        "sealed = CAST(x'0102' || substr(sealed, 3) AS BLOB)",
    ),
    (
        "format",
        "sealed = CAST(x'02' || substr(sealed, 2) AS BLOB)",
    ),
    (
        "version",
        "sealed = CAST(substr(sealed, 1, 2) || x'00000002' || substr(sealed, 7) AS BLOB)",
    ),
];

async fn two(world: &World) -> (String, String) {
    let details = || Some(Plain::from("particulars".to_owned()));
    let one = world
        .keep(Item {
            details: details(),
            ..card("liu")
        })
        .await;
    let other = Item {
        details: details(),
        ..item("wang", "card_number", "5555555555554444")
    };
    (one, world.keep(other).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_swapped_does_not_open_and_the_trail_says_so() {
    for profile in [&Profile::DEFAULT, &Profile::GM] {
        for (what, change) in SWAPS {
            let world = World::with(profile, Clock::System).await;
            let (a, b) = two(&world).await;
            let change = change.replace("{b}", &b);
            world
                .tamper(&format!(
                    "UPDATE vault_records SET {change} WHERE token = '{a}'"
                ))
                .await;
            assert_eq!(world.read(&a).await, Err(Error::Damaged), "{what}");
            assert!(world.read(&b).await.is_ok(), "{what}");
            let verdict = world.database.verify(None).await.unwrap();
            assert!(matches!(verdict, Verdict::Broken { .. }), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_moved_to_another_company_does_not_open() {
    let world = World::new().await;
    let (a, _) = two(&world).await;
    // A token of the other company, so that its check holds there.
    let theirs = world
        .vault
        .tokenize(&by("other"), &[card("liu")])
        .await
        .unwrap();
    let theirs = &theirs[0].token;
    world
        .tamper(&format!(
            "UPDATE vault_records SET (sealed, key_id, subject) = (SELECT sealed, key_id, subject
            FROM vault_records o WHERE o.token = '{a}') WHERE token = '{theirs}'"
        ))
        .await;
    assert_eq!(
        world.read_as(&by("other"), theirs).await,
        Err(Error::Damaged)
    );
    world
        .tamper(&format!(
            "UPDATE vault_records SET tenant = 'other' WHERE token = '{a}'"
        ))
        .await;
    assert_eq!(world.read(&a).await, Err(Error::TokenUnknown));
    assert_eq!(
        world.read_as(&by("other"), &a).await,
        Err(Error::TokenRefused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_swapped_does_not_unwrap() {
    let swaps = [
        "wrapped = (SELECT o.wrapped FROM vault_keys o WHERE o.key_id <> vault_keys.key_id)",
        "epoch = epoch + 1",
        "wrapped = CAST(substr(wrapped, 1, 33) || x'00' || substr(wrapped, 35) AS BLOB)",
    ];
    for swap in swaps {
        let world = World::new().await;
        let (a, _) = two(&world).await;
        world
            .tamper(&format!(
                "UPDATE vault_keys SET {swap} WHERE key_id =
                (SELECT key_id FROM vault_records WHERE token = '{a}')"
            ))
            .await;
        assert_eq!(world.read(&a).await, Err(Error::Damaged), "{swap}");
    }
}
