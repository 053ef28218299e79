//! What the vault keeps: the same on both engines, down to the trail.

use crate::support::*;
use paywarden_domain::TenantId;
use paywarden_store::*;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

on_both!(
    a_value_is_kept_found_and_erased,
    equal_values_of_a_person_are_kept_once,
    each_of_many_readers_gets_their_own,
    a_person_ends_for_one_reason_or_for_all,
    what_could_be_read_until_now_ends,
    a_batch_reads_what_its_records_say_one_by_one,
);

/// The place of the key with this number; ten keys have a page.
pub fn key_place(number: u16) -> KeyPlace {
    KeyPlace {
        page: i64::from(number / 10),
        slot: (number % 10) as u8,
    }
}

pub fn key(number: u16, subject: &str, retention: &str) -> Row {
    Row::Vault(VaultRow::Key(VaultKeyRow {
        key: key_place(number),
        tenant: tenant(),
        subject: subject.to_owned(),
        retention: retention.to_owned(),
        made_at: at(1),
        destroyed_at: None,
        epoch: 1,
        wrapped: bytes((number % 250) as u8).repeat(3),
    }))
}

/// The index of [`content`].
fn index(number: u8) -> ValuePlace {
    let (tail, exact) = (format!("{number:04}"), bytes(number + 100));
    ValuePlace::of_index(&tenant(), "card_number", (&tail, &exact))
}

/// What makes it the same as another of this person.
fn same(subject: &str, number: u8) -> Vec<u8> {
    [subject.as_bytes(), &bytes(number)].concat()
}

fn same_place(subject: &str, number: u8) -> ValuePlace {
    let (tail, exact) = (format!("{number:04}"), bytes(number + 100));
    let parts = (tail.as_str(), &exact[..], &same(subject, number)[..]);
    ValuePlace::of_same(&tenant(), "card_number", parts)
}

/// Bytes that are no text, so that an engine that takes them for some is found out.
pub fn bytes(number: u8) -> Vec<u8> {
    vec![0xff, 0, number, 0x80, b'\'']
}

pub fn content(number: u8) -> VaultContent {
    VaultContent {
        same: Some(same("liu", number)),
        exact: Some(bytes(number + 100)),
        tail: Some(format!("{number:04}")),
        pair: None,
        masked: format!("••••{number:04}"),
        sealed: bytes(number).repeat(10),
        details: None,
    }
}

pub fn value(
    token: &str,
    (subject, key, retention): (&str, u16, &str),
    content: VaultContent,
) -> VaultRecordRow {
    VaultRecordRow {
        subject: subject.to_owned(),
        retention: retention.to_owned(),
        class: "card_number".to_owned(),
        key: key_place(key),
        ..VaultRecordRow::new(token.to_owned(), tenant(), at(2))
    }
    .with(content)
}

pub fn kept(row: VaultRecordRow) -> Row {
    Row::Vault(VaultRow::Record(Box::new(row)))
}

pub fn erasure(of: VaultErasureOf, erased_at: i64) -> Row {
    Row::Vault(VaultRow::Erasure(VaultErasure {
        tenant: tenant(),
        of,
        erased_at: at(erased_at),
    }))
}

pub fn person(subject: &str, retention: Option<&str>) -> VaultPerson {
    VaultPerson {
        subject: subject.to_owned(),
        retention: retention.map(ToOwned::to_owned),
    }
}

const LIU: (&str, u16, &str) = ("liu", 1, "contract");

async fn tokens(reader: &VaultReader, by: VaultFind<'_>) -> Vec<String> {
    let found = reader.find(&tenant(), by, 10).await.unwrap();
    found.into_iter().map(|row| row.token).collect()
}

pub async fn end(store: Store) {
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
        .append(vec![key(1, "liu", "contract"), kept(row)])
        .await
        .unwrap();
    let tail = |class, tail| ValuePlace::of_tail(&tenant(), class, tail);
    for find in [
        VaultFind::Value("card_number", &index(1)),
        VaultFind::Value("card_number", &tail("card_number", "0001")),
        VaultFind::Pair(&bytes(9)),
        VaultFind::Subject("liu"),
    ] {
        assert_eq!(tokens(&reader, find).await, ["tok-1"], "{find:?}");
    }
    for (class, nowhere) in [
        ("card_number", index(2)),
        ("card_number", tail("card_number", "0002")),
        ("name", tail("name", "0001")),
        ("name", index(1)),
    ] {
        let find = VaultFind::Value(class, &nowhere);
        assert!(tokens(&reader, find).await.is_empty(), "{find:?}");
    }
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
            key(1, "liu", "contract"),
            kept(value("tok-1", LIU, content(1))),
        ])
        .await
        .unwrap();
    let again = vec![
        key(2, "liu", "contract"),
        kept(value("tok-2", ("liu", 2, "contract"), content(1))),
    ];
    store.append(again).await.unwrap();
    let others = vec![
        key(3, "wang", "contract"),
        kept(value(
            "tok-3",
            ("wang", 3, "contract"),
            VaultContent {
                same: Some(same("wang", 1)),
                ..content(1)
            },
        )),
        kept(value(
            "tok-4",
            ("wang", 3, "contract"),
            VaultContent {
                same: None,
                ..content(1)
            },
        )),
        kept(value(
            "tok-5",
            ("wang", 3, "contract"),
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
    let asked = ["liu", "wang", "zhao"].map(|subject| same_place(subject, 1));
    let found = reader.same(asked.to_vec()).await.unwrap();
    let [liu, wang, _] = asked;
    let expected = [(liu, "tok-1".to_owned()), (wang, "tok-3".to_owned())];
    assert_eq!(found, HashMap::from(expected));
    // A key under which nothing new was sealed is not written.
    assert_eq!(reader.epochs().await.unwrap(), [(1, 2)]);
    end(store).await;
}

/// A key and a value of each of so many persons.
pub async fn keep_of_many(store: &Store, number: usize) {
    for from in (0..number).step_by(50) {
        let rows = (from..from + 50).flat_map(|number| {
            let (id, subject) = (number as u16, format!("person-{number}"));
            let of = (subject.as_str(), id, "contract");
            let content = VaultContent {
                same: Some(same(&subject, 1)),
                ..content(1)
            };
            [
                key(id, &subject, "contract"),
                kept(value(&format!("tok-{number}"), of, content)),
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

async fn a_person_ends_for_one_reason_or_for_all(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    for (number, retention) in ["contract", "marketing"].into_iter().enumerate() {
        // One page is of one retention.
        let id = number as u16 * 10;
        let of = ("liu", id, retention);
        let rows = vec![
            key(id, "liu", retention),
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
        key(1, "liu", "contract"),
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

/// The oracle of reading many at once is reading one: records of all shapes, in batches of all
/// sizes that a statement has or lacks, some of them erased, some not there.
async fn a_batch_reads_what_its_records_say_one_by_one(place: Place) {
    let store = place.open().await;
    let reader = VaultReader::new(store.database.clone());
    for number in 0..70_u8 {
        let id = u16::from(number);
        let of = ("liu", id, "contract");
        let mut row = value(
            &format!("tok-{number}"),
            of,
            VaultContent {
                sealed: bytes(number).repeat(usize::from(number) * 40),
                details: (number % 3 == 0).then(|| bytes(number)),
                ..content(number)
            },
        );
        row.expires_at = (number % 4 == 1).then(|| at(900 + i64::from(number)));
        row.caller = (number % 5 == 2).then(|| "caller".repeat(40));
        row.purpose = (number % 7 == 3).then(|| "settlement".to_owned());
        row.once = number % 2 == 0;
        let rows = vec![key(id, "liu", "contract"), kept(row)];
        store.append(rows).await.unwrap();
    }
    for number in [3, 40] {
        let gone = erasure(VaultErasureOf::Token(format!("tok-{number}")), 9);
        store.append(vec![gone]).await.unwrap();
    }
    let mut one_by_one = Vec::new();
    for number in 0..75 {
        one_by_one.push(reader.sealed(&[format!("tok-{number}")]).await.unwrap());
    }
    for count in [2, 4, 5, 16, 17, 64, 65, 75] {
        let tokens: Vec<_> = (0..count)
            .rev()
            .map(|number| format!("tok-{number}"))
            .collect();
        let mut together = reader.sealed(&tokens).await.unwrap();
        together.sort_by_key(|row| row.key);
        let alone: Vec<_> = one_by_one[..count].iter().flatten().cloned().collect();
        assert!(together == alone, "{count}");
    }
    assert_eq!(one_by_one[40][0].sealed, None);
    assert_eq!(one_by_one[41][0].sealed, Some(bytes(41).repeat(1_640)));
    assert!(one_by_one[70..].iter().all(Vec::is_empty));
    end(store).await;
}
