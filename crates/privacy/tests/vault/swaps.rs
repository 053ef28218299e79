//! Everything that somebody with the database can swap: nothing opens in another place, and the
//! trail notices what was changed.

use crate::{
    intruder::{Record, SLOT},
    world::*,
};
use paywarden_crypto::envelope::Profile;
use paywarden_privacy::{Error, Item, Plain};
use paywarden_store::{Clock, Verdict};

type Swap = fn(&mut Record, &Record);
/// Given where two keys are.
type PageSwap = fn(&mut Vec<u8>, usize, usize);

/// What is done to the record of the first of two persons, beside that of the second.
const SWAPS: [(&str, Swap); 9] = [
    ("row", |a, b| a.sealed.clone_from(&b.sealed)),
    ("field", |a, _| {
        std::mem::swap(&mut a.sealed, &mut a.details)
    }),
    ("subject", |a, b| a.subject.clone_from(&b.subject)),
    ("class", |a, _| a.class = "free_form".to_owned()),
    ("retention", |a, _| a.retention = "marketing".to_owned()),
    ("key", |a, b| a.key = b.key),
    // Format, cipher and key version are the first six bytes.
    ("algorithm", |a, _| a.sealed[1] ^= 3),
    ("format", |a, _| a.sealed[0] = 2),
    ("version", |a, _| a.sealed[5] = 2),
];

/// Columns that are changed while the bytes of the record stay.
const COLUMNS: [&str; 6] = [
    "subject = 'sub_another'",
    "class = 'free_form'",
    "retention = 'marketing'",
    "expires_at = 1",
    "place = x'00000000000000'",
    "made_at = made_at - 1",
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
            let mut swapped = world.record(&a).await;
            change(&mut swapped, &world.record(&b).await);
            world.put_record(&a, &swapped).await;
            assert_eq!(world.read(&a).await, Err(Error::Damaged), "{what}");
            assert!(world.read(&b).await.is_ok(), "{what}");
            let verdict = world.database.verify(None).await.unwrap();
            assert!(matches!(verdict, Verdict::Broken { .. }), "{what}");
        }
    }
}

/// The bytes of a record are read, not the columns beside them: it stays who it is, and the trail says
/// what was changed. Nobody finds it as somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_was_changed_makes_no_record_another() {
    for change in COLUMNS {
        let world = World::new().await;
        let (a, _) = two(&world).await;
        world
            .tamper(&format!(
                "UPDATE vault_records SET {change} WHERE token = '{a}'"
            ))
            .await;
        assert_eq!(world.read(&a).await.as_deref(), Ok(CARD), "{change}");
        let verdict = world.database.verify(None).await.unwrap();
        assert!(matches!(verdict, Verdict::Broken { .. }), "{change}");
    }
}

/// The bytes of one record in the row of another, or no bytes of a record: that row opens no more,
/// and keeps no other of the same batch from being read.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_the_bytes_of_another_opens_nothing_and_hinders_nobody() {
    let other = "body = (SELECT o.body FROM vault_records o WHERE o.token = '{b}')";
    for change in [other, "body = x'00'", "body = x'7fffffff00'", "body = x''"] {
        let world = World::new().await;
        let (a, b) = two(&world).await;
        let change = change.replace("{b}", &b);
        world
            .tamper(&format!(
                "UPDATE vault_records SET {change} WHERE token = '{a}'"
            ))
            .await;
        assert_eq!(world.read(&a).await, Err(Error::TokenUnknown), "{change}");
        let both = [a, b];
        let read = world.vault.detokenize(&by("acme"), &both).await.unwrap();
        assert_eq!(
            read[0].as_ref().err(),
            Some(&Error::TokenUnknown),
            "{change}"
        );
        let value = read[1].as_ref().map(|read| read.value.expose().as_str());
        assert_eq!(value.ok(), Some("5555555555554444"), "{change}");
        let verdict = world.database.verify(None).await.unwrap();
        assert!(matches!(verdict, Verdict::Broken { .. }), "{change}");
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
    let mine = world.record(&a).await;
    let moved = Record {
        sealed: mine.sealed,
        key: mine.key,
        subject: mine.subject,
        ..world.record(theirs).await
    };
    world.put_record(theirs, &moved).await;
    assert_eq!(
        world.read_as(&by("other"), theirs).await,
        Err(Error::Damaged)
    );
    let theirs = Record {
        tenant: "other".to_owned(),
        ..world.record(&a).await
    };
    world.put_record(&a, &theirs).await;
    assert_eq!(world.read(&a).await, Err(Error::TokenUnknown));
    assert_eq!(
        world.read_as(&by("other"), &a).await,
        Err(Error::TokenRefused)
    );
}

/// What is done to a page, given where the keys of two persons are in it.
const PAGE_SWAPS: [(&str, PageSwap); 4] = [
    ("places", |page, a, b| {
        let (first, second) = page.split_at_mut(a.max(b));
        first[a.min(b)..][..SLOT].swap_with_slice(&mut second[..SLOT]);
    }),
    ("one for the other", |page, a, b| {
        page.copy_within(b..b + SLOT, a)
    }),
    ("epoch", |page, a, _| page[a + 3] -= 1),
    ("a byte", |page, a, _| page[a + 40] ^= 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_swapped_does_not_unwrap_nor_is_it_wrapped_again() {
    for (what, swap) in PAGE_SWAPS {
        let world = World::new().await;
        let (a, b) = two(&world).await;
        let (page, of_a, before) = world.page_of(&a).await;
        let (same, of_b, _) = world.page_of(&b).await;
        assert_eq!(page, same, "both are made one after the other");
        let mut after = before.clone();
        swap(&mut after, of_a, of_b);
        world.put_page(page, &after).await;
        assert!(world.read(&a).await.is_err(), "{what}");
        world.vault.begin_epoch(&by("acme")).await.unwrap();
        let again = world.vault.rewrap(&by("acme"), 1_000_000).await;
        assert!(again.is_err(), "{what}");
        // Nothing of it was written: once it is mended it opens, and goes on.
        world.put_page(page, &before).await;
        assert_eq!(world.read(&a).await.as_deref(), Ok(CARD), "{what}");
        let again = world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
        assert_eq!(again.keys, 2, "{what}");
        assert_eq!(world.read(&a).await.as_deref(), Ok(CARD), "{what}");
    }
}
