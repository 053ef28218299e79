//! Keys of persons: in pages, each in its place.

use crate::{
    support::*,
    vault::{bytes, content, end, erasure, keep_of_many, kept, key, key_place, person, value},
};
use paywarden_domain::TenantId;
use paywarden_store::*;

on_both!(
    keys_are_wrapped_again_unless_they_ended,
    a_key_gets_no_place_that_is_taken_or_of_others,
);

fn wrapping(key: KeyPlace) -> Wrapping {
    Wrapping {
        key,
        wrapped: bytes(7).repeat(4),
    }
}

fn rewrap(tenant: TenantId, keys: Vec<Wrapping>) -> Row {
    Row::Vault(VaultRow::Rewrap(VaultRewrap {
        tenant,
        epoch: 2,
        keys,
    }))
}

async fn keys_are_wrapped_again_unless_they_ended(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    keep_of_many(&store, 300).await;
    let gone = erasure(VaultErasureOf::Keys(person("person-7", None)), 5);
    store.append(vec![gone]).await.unwrap();
    let pages = reader.pages_before(2, -1, 64).await.unwrap();
    let living: Vec<_> = pages.iter().flat_map(KeyPage::living).collect();
    assert_eq!((pages.len(), living.len()), (30, 299));
    assert!(living.is_sorted_by_key(|living| living.key));
    let all: Vec<_> = living.iter().map(|living| wrapping(living.key)).collect();
    let another = TenantId::parse("another").unwrap();
    let foreign = Entry {
        tenant: another.clone(),
        ..entry(vec![rewrap(another, all.clone())])
    };
    store.journal.append(foreign).await.unwrap();
    assert_eq!(reader.epochs().await.unwrap(), [(1, 299)]);
    let inventory = reader.inventory().await.unwrap();
    let expected = EpochKeys {
        epoch: 1,
        keys: 299,
        oldest: at(1),
    };
    assert_eq!(inventory, [expected]);
    let with_gone = all
        .iter()
        .cloned()
        .chain([wrapping(key_place(7))])
        .collect();
    store
        .append(vec![rewrap(tenant(), with_gone)])
        .await
        .unwrap();
    assert_eq!(reader.epochs().await.unwrap(), [(2, 299)]);
    let again = Wrapping {
        wrapped: bytes(1),
        ..wrapping(key_place(0))
    };
    store
        .append(vec![rewrap(tenant(), vec![again])])
        .await
        .unwrap();
    let pages = reader.pages_before(3, 28, 64).await.unwrap();
    assert_eq!((pages.len(), pages[0].page), (1, 29));
    let pages = reader.pages_before(3, -1, 1).await.unwrap();
    let wrapped = |number: u16| {
        let mut living = pages[0].living();
        let found = living.find(|living| living.key == key_place(number));
        found.map(|living| (living.epoch, living.wrapped.to_vec()))
    };
    // An epoch is never wrapped by an earlier one or itself; what has ended stays so.
    assert_eq!(wrapped(0), Some((2, bytes(7).repeat(4))));
    assert_eq!(wrapped(7), None);
    assert!(reader.pages_before(2, -1, 64).await.unwrap().is_empty());
    end(store).await;
}

/// A place is given once, and a page has keys of one tenant that are kept for equally long.
async fn a_key_gets_no_place_that_is_taken_or_of_others(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    let rows = |token: &str, id: u16, retention: &str, number: u8| {
        let of = ("liu", id, retention);
        vec![
            key(id, "liu", retention),
            kept(value(token, of, content(number))),
        ]
    };
    store.append(rows("tok-1", 1, "contract", 1)).await.unwrap();
    for (id, retention) in [(1, "contract"), (2, "marketing")] {
        let refused = store.append(rows("tok-2", id, retention, 2)).await;
        assert!(
            matches!(refused, Err(Error::Conflict { .. })),
            "{refused:?}"
        );
    }
    assert!(
        reader
            .sealed(&["tok-2".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );
    store.append(rows("tok-2", 2, "contract", 2)).await.unwrap();
    let foreign = Row::Vault(VaultRow::Key(VaultKeyRow {
        key: KeyPlace { page: 0, slot: 32 },
        tenant: tenant(),
        subject: "liu".to_owned(),
        retention: "contract".to_owned(),
        made_at: at(1),
        destroyed_at: None,
        epoch: 1,
        wrapped: Vec::new(),
    }));
    assert!(matches!(
        store.append(vec![foreign]).await,
        Err(Error::Invalid { .. })
    ));
    assert_eq!(reader.epochs().await.unwrap(), [(1, 2)]);
    end(store).await;
}
