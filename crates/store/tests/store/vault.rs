//! What the vault keeps: the same on both engines, down to the trail.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;
use std::{collections::BTreeSet, sync::Arc};

on_both!(
    a_value_is_kept_found_and_erased,
    equal_values_of_a_person_are_kept_once,
    each_of_many_readers_gets_their_own,
    keys_are_wrapped_again_unless_they_ended,
    a_person_ends_for_one_reason_or_for_all,
    what_could_be_read_until_now_ends,
);

fn key(id: &str, subject: &str, retention: &str) -> Row {
    Row::Vault(VaultRow::Key(VaultKeyRow {
        key_id: id.to_owned(),
        tenant: tenant(),
        subject: subject.to_owned(),
        retention: retention.to_owned(),
        made_at: at(1),
        destroyed_at: None,
        epoch: 1,
        wrapped: id.as_bytes().repeat(3),
    }))
}

/// Bytes that are no text, so that an engine that takes them for some is found out.
fn bytes(number: u8) -> Vec<u8> {
    vec![0xff, 0, number, 0x80, b'\'']
}

fn content(number: u8) -> VaultContent {
    VaultContent {
        same: Some(bytes(number)),
        exact: Some(bytes(number + 100)),
        tail: Some(format!("{number:04}")),
        pair: None,
        masked: format!("••••{number:04}"),
        sealed: bytes(number).repeat(10),
        details: None,
    }
}

fn value(
    token: &str,
    (subject, key_id, retention): (&str, &str, &str),
    content: VaultContent,
) -> VaultRecordRow {
    VaultRecordRow {
        subject: subject.to_owned(),
        retention: retention.to_owned(),
        class: "card_number".to_owned(),
        key_id: key_id.to_owned(),
        ..VaultRecordRow::new(token.to_owned(), tenant(), at(2))
    }
    .with(content)
}

fn kept(row: VaultRecordRow) -> Row {
    Row::Vault(VaultRow::Record(Box::new(row)))
}

fn erasure(of: VaultErasureOf, erased_at: i64) -> Row {
    Row::Vault(VaultRow::Erasure(VaultErasure {
        tenant: tenant(),
        of,
        erased_at: at(erased_at),
    }))
}

fn person(subject: &str, retention: Option<&str>) -> VaultPerson {
    VaultPerson {
        subject: subject.to_owned(),
        retention: retention.map(ToOwned::to_owned),
    }
}

const LIU: (&str, &str, &str) = ("liu", "key-1", "contract");

async fn tokens(reader: &VaultReader, by: VaultFind<'_>) -> Vec<String> {
    let found = reader.find(&tenant(), by, 10).await.unwrap();
    found.into_iter().map(|row| row.token).collect()
}

async fn end(store: Store) {
    assert!(matches!(
        store.database.verify(None).await.unwrap(),
        Verdict::Intact(_)
    ));
    store.close().await;
}

async fn a_value_is_kept_found_and_erased(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    let row = VaultRecordRow {
        expires_at: Some(at(50)),
        caller: Some("key_1".to_owned()),
        purpose: Some("settlement".to_owned()),
        once: true,
        ..value(
            "tok-1",
            LIU,
            VaultContent {
                pair: Some(bytes(9)),
                details: Some(bytes(8)),
                ..content(1)
            },
        )
    };
    store
        .append(vec![key("key-1", "liu", "contract"), kept(row)])
        .await
        .unwrap();
    for find in [
        VaultFind::Exact(&bytes(101)),
        VaultFind::Tail("card_number", "0001"),
        VaultFind::Pair(&bytes(9)),
        VaultFind::Subject("liu"),
    ] {
        assert_eq!(tokens(&reader, find).await, ["tok-1"], "{find:?}");
    }
    assert!(
        tokens(&reader, VaultFind::Exact(&bytes(1)))
            .await
            .is_empty()
    );
    assert!(
        tokens(&reader, VaultFind::Tail("name", "0001"))
            .await
            .is_empty()
    );
    let other = TenantId::parse("another").unwrap();
    assert!(
        reader
            .find(&other, VaultFind::Subject("liu"), 10)
            .await
            .unwrap()
            .is_empty()
    );
    is_read_and_erased(&store, &reader).await;
    end(store).await;
}

async fn is_read_and_erased(store: &Store, reader: &VaultReader) {
    let sealed = reader
        .sealed(&["tok-1".to_owned(), "tok-2".to_owned()])
        .await
        .unwrap();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].sealed.as_deref(), Some(&bytes(1).repeat(10)[..]));
    assert_eq!(sealed[0].details.as_deref(), Some(&bytes(8)[..]));
    assert_eq!((sealed[0].expires_at, sealed[0].once), (Some(at(50)), true));
    let erase = || erasure(VaultErasureOf::Token("tok-1".to_owned()), 9);
    store.append(vec![erase()]).await.unwrap();
    assert!(tokens(reader, VaultFind::Subject("liu")).await.is_empty());
    let sealed = reader.sealed(&["tok-1".to_owned()]).await.unwrap();
    assert_eq!((&sealed[0].sealed, &sealed[0].details), (&None, &None));
    assert!(matches!(
        store.append(vec![erase()]).await,
        Err(Error::Conflict { .. })
    ));
}

async fn equal_values_of_a_person_are_kept_once(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    store
        .append(vec![
            key("key-1", "liu", "contract"),
            kept(value("tok-1", LIU, content(1))),
        ])
        .await
        .unwrap();
    let again = vec![
        key("key-2", "liu", "contract"),
        kept(value("tok-2", ("liu", "key-2", "contract"), content(1))),
    ];
    store.append(again).await.unwrap();
    let others = vec![
        key("key-3", "wang", "contract"),
        kept(value("tok-3", ("wang", "key-3", "contract"), content(1))),
        kept(value(
            "tok-4",
            ("wang", "key-3", "contract"),
            VaultContent {
                same: None,
                ..content(1)
            },
        )),
        kept(value(
            "tok-5",
            ("wang", "key-3", "contract"),
            VaultContent {
                same: None,
                ..content(1)
            },
        )),
    ];
    store.append(others).await.unwrap();
    assert_eq!(tokens(&reader, VaultFind::Subject("liu")).await, ["tok-1"]);
    assert_eq!(
        tokens(&reader, VaultFind::Subject("wang")).await,
        ["tok-3", "tok-4", "tok-5"]
    );
    let same = bytes(1);
    let asked = [("liu", &same[..]), ("wang", &same[..]), ("zhao", &same[..])];
    let found: BTreeSet<_> = reader.same(&asked).await.unwrap().into_iter().collect();
    let expected = ["tok-1", "tok-3"].map(|token| (same.clone(), token.to_owned()));
    assert_eq!(found, BTreeSet::from(expected));
    // A key under which nothing new was sealed is not written.
    assert_eq!(reader.epochs().await.unwrap(), [(1, 2)]);
    end(store).await;
}

/// A key and a value of each of so many persons.
async fn keep_of_many(store: &Store, number: usize) {
    for from in (0..number).step_by(50) {
        let rows = (from..from + 50).flat_map(|number| {
            let (id, subject) = (format!("key-{number:03}"), format!("person-{number}"));
            let of = (subject.as_str(), id.as_str(), "contract");
            [
                key(&id, &subject, "contract"),
                kept(value(&format!("tok-{number}"), of, content(1))),
            ]
        });
        store.append(rows.collect()).await.unwrap();
    }
}

/// Many callers at once, some of whom go away, some of whom ask for what is not there: each gets
/// their own records and no others.
async fn each_of_many_readers_gets_their_own(place: Place) {
    let store = place.open().await;
    let reader = Arc::new(VaultReader::new(store.database.clone()));
    keep_of_many(&store, 200).await;
    let ask = |number: usize| {
        let reader = Arc::clone(&reader);
        let wanted = [number, (number * 7 + 1) % 200, 1_000 + number];
        let tokens = wanted.map(|number| format!("tok-{number}"));
        tokio::spawn(async move {
            let found = reader.sealed(&tokens).await.unwrap();
            let found: BTreeSet<_> = found.into_iter().map(|row| row.token).collect();
            let expected: BTreeSet<_> = tokens[..2].iter().cloned().collect();
            assert_eq!(found, expected);
        })
    };
    let asked: Vec<_> = (0..200).map(ask).collect();
    for gone in asked.iter().step_by(3) {
        tokio::task::yield_now().await;
        gone.abort();
    }
    let mut answered = 0;
    for one in asked {
        match one.await {
            Ok(()) => answered += 1,
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
    assert!(answered >= 133, "{answered}");
    let many: Vec<_> = (0..200).map(|number| format!("tok-{number}")).collect();
    assert_eq!(reader.sealed(&many).await.unwrap().len(), 200);
    end(store).await;
}

async fn keys_are_wrapped_again_unless_they_ended(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    keep_of_many(&store, 300).await;
    let gone = erasure(VaultErasureOf::Keys(person("person-7", None)), 5);
    store.append(vec![gone]).await.unwrap();
    let page = reader.keys_before(2, "", 1_000).await.unwrap();
    assert_eq!(page.len(), 299);
    assert!(page.is_sorted_by_key(|row| row.key_id.clone()));
    let wrapping = |id: &str| Wrapping {
        key_id: id.to_owned(),
        wrapped: bytes(7).repeat(4),
    };
    let rewrap = |tenant: TenantId, epoch, keys| {
        Row::Vault(VaultRow::Rewrap(VaultRewrap {
            tenant,
            epoch,
            keys,
        }))
    };
    let all: Vec<_> = page.iter().map(|row| wrapping(&row.key_id)).collect();
    let foreign = rewrap(TenantId::parse("another").unwrap(), 2, all.clone());
    let foreign = Entry {
        tenant: TenantId::parse("another").unwrap(),
        ..entry(vec![foreign])
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
    let with_gone = all.iter().cloned().chain([wrapping("key-007")]).collect();
    store
        .append(vec![rewrap(tenant(), 2, with_gone)])
        .await
        .unwrap();
    assert_eq!(reader.epochs().await.unwrap(), [(2, 299)]);
    store
        .append(vec![rewrap(
            tenant(),
            2,
            vec![Wrapping {
                wrapped: bytes(1),
                ..wrapping("key-000")
            }],
        )])
        .await
        .unwrap();
    let page = reader.keys_before(3, "key-297", 10).await.unwrap();
    let ids: Vec<_> = page.iter().map(|row| row.key_id.as_str()).collect();
    assert_eq!(ids, ["key-298", "key-299"]);
    let page = reader.keys_before(3, "", 1).await.unwrap();
    assert_eq!((page[0].epoch, &page[0].wrapped), (2, &bytes(7).repeat(4)));
    end(store).await;
}

async fn a_person_ends_for_one_reason_or_for_all(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    for (number, retention) in ["contract", "marketing"].into_iter().enumerate() {
        let id = format!("key-{retention}");
        let of = ("liu", id.as_str(), retention);
        let rows = vec![
            key(&id, "liu", retention),
            kept(value(&format!("tok-{number}"), of, content(number as u8))),
        ];
        store.append(rows).await.unwrap();
    }
    let living = async |retention| {
        reader
            .living(&tenant(), &person("liu", retention))
            .await
            .unwrap()
    };
    assert_eq!(living(None).await, (2, 2));
    assert_eq!(living(Some("marketing")).await, (1, 1));
    let marketing = || person("liu", Some("marketing"));
    let rows = vec![
        erasure(VaultErasureOf::Keys(marketing()), 5),
        erasure(VaultErasureOf::Records(marketing()), 5),
    ];
    store.append(rows).await.unwrap();
    assert_eq!(
        (living(None).await, living(Some("marketing")).await),
        ((1, 1), (0, 0))
    );
    let all = || person("liu", None);
    let rows = vec![
        erasure(VaultErasureOf::Keys(all()), 6),
        erasure(VaultErasureOf::Records(all()), 6),
    ];
    store.append(rows).await.unwrap();
    assert_eq!(living(None).await, (0, 0));
    assert!(reader.epochs().await.unwrap().is_empty());
    end(store).await;
}

async fn what_could_be_read_until_now_ends(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    let until = |token: &str, number: u8, expires_at| VaultRecordRow {
        expires_at: Some(at(expires_at)),
        ..value(token, LIU, content(number))
    };
    let rows = vec![
        key("key-1", "liu", "contract"),
        kept(until("tok-1", 1, 10)),
        kept(until("tok-2", 2, 20)),
        kept(value("tok-3", LIU, content(3))),
    ];
    store.append(rows).await.unwrap();
    let expired = |now| {
        let reader = &reader;
        async move { reader.expired(at(now), "").await.unwrap() }
    };
    assert!(expired(9).await.is_empty());
    let liu = ("liu".to_owned(), "acme".to_owned());
    assert_eq!(expired(10).await, [liu]);
    assert!(reader.expired(at(10), "liu").await.unwrap().is_empty());
    let of = |subject: &str| {
        VaultErasureOf::Expired(VaultPerson {
            subject: subject.to_owned(),
            retention: None,
        })
    };
    store.append(vec![erasure(of("wang"), 10)]).await.unwrap();
    assert_eq!(expired(10).await.len(), 1, "what is another's stays");
    store.append(vec![erasure(of("liu"), 10)]).await.unwrap();
    assert!(expired(19).await.is_empty());
    assert_eq!(
        tokens(&reader, VaultFind::Subject("liu")).await,
        ["tok-2", "tok-3"]
    );
    end(store).await;
}
