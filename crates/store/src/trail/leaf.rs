//! A leaf: one thing that happened, as the bytes that are hashed.
//!
//! Deterministic CBOR (RFC 8949 section 4.2), a map with small integers as keys:
//!
//! ```text
//! leaf = { 1: uint        ; number in the tenant's tree, from 0
//!        , 2: int         ; time, microseconds since 1970
//!        , 3: tstr        ; tenant
//!        , 4: tstr        ; actor: key:…, staff:…, system:…
//!        , 5: tstr        ; purpose
//!        , 6: tstr        ; action
//!        , 7: tstr        ; object
//!        , ? 8: tstr      ; approval
//!        , ? 9: tstr      ; decision, if it is not the object itself
//!        , 10: [* change] }
//! change = [ tstr, int / tstr, bstr / null, bstr ]   ; table, key, digest before and after
//! ```
//!
//! Digests are HMAC-SHA-256 of the row under a secret that never leaves the store: whoever reads
//! leaves cannot try out what a row may have held.

use super::{
    cbor::{Decoder, Encoder},
    change::Change,
};
use crate::{Entry, Row};
use paywarden_domain::Timestamp;

/// How identifiers of decisions begin.
const DECISION: &str = "dec_";

/// One leaf, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf<'b> {
    /// Its number in the tenant's tree, from 0.
    pub index: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Whose data it is.
    pub tenant: &'b str,
    /// Who acted: `key:…`, `staff:…` or `system:…`.
    pub actor: &'b str,
    /// Why.
    pub purpose: &'b str,
    /// What was done.
    pub action: &'b str,
    /// To what.
    pub object: &'b str,
    /// The approval that allowed it.
    pub approval: Option<&'b str>,
    /// The decision that it is about.
    pub decision: Option<&'b str>,
    /// The rows that changed.
    pub changes: Vec<Change>,
}

/// Writes the bytes of a leaf behind what is there.
fn encode(to: &mut Encoder, index: u64, time: Timestamp, entry: &Entry, changes: &[Change]) {
    let decision = entry.rows.iter().find_map(|row| match row {
        Row::Decision(row) => Some(row.id.as_str()),
        _ => None,
    });
    let decision = decision.filter(|id| *id != entry.object);
    let approval = entry.purpose.approval();
    let optional = usize::from(approval.is_some()) + usize::from(decision.is_some());
    to.map(8 + optional);
    to.unsigned(1);
    to.unsigned(index);
    to.unsigned(2);
    to.integer(time.micros());
    let (kind, name) = entry.actor.parts();
    for (key, text) in (3..).zip([
        &[entry.tenant.as_str()][..],
        &[kind, ":", name],
        &[entry.purpose.as_str()],
        &[entry.action],
        &[&entry.object],
    ]) {
        to.unsigned(key);
        to.texts(text);
    }
    for (key, text) in [(8, approval), (9, decision)] {
        if let Some(text) = text {
            to.unsigned(key);
            to.text(text);
        }
    }
    to.unsigned(10);
    to.array(changes.len());
    changes.iter().for_each(|change| change.encode(to));
}

impl<'b> Leaf<'b> {
    /// Reads the bytes of a leaf; none if they are anything else.
    pub fn decode(bytes: &'b [u8]) -> Option<Self> {
        let mut from = Decoder::new(bytes);
        let leaf = Self::read(&mut from)?;
        from.is_at_end().then_some(leaf)
    }

    /// The bytes of the leaf that others stand behind, and theirs; none if it is none.
    pub(crate) fn split(bytes: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        let mut from = Decoder::new(bytes);
        Self::read(&mut from)?;
        bytes.split_at_checked(bytes.len() - from.left())
    }

    fn read(from: &mut Decoder<'b>) -> Option<Self> {
        let mut pairs = from.map()?;
        let mut next = |from: &mut Decoder<'b>, key| {
            pairs = pairs.checked_sub(1)?;
            (from.unsigned()? == key).then_some(())
        };
        next(from, 1)?;
        let index = from.unsigned()?;
        next(from, 2)?;
        let time = Timestamp::from_micros(from.integer()?);
        let mut texts = [""; 5];
        for (key, text) in (3..).zip(&mut texts) {
            next(from, key)?;
            *text = from.text()?;
        }
        let mut optional = [None; 2];
        for (key, text) in (8..).zip(&mut optional) {
            let mut ahead = *from;
            if ahead.unsigned()? == key {
                next(from, key)?;
                *text = Some(from.text()?);
            }
        }
        next(from, 10)?;
        let count = usize::try_from(from.array()?).ok()?;
        let mut changes = Vec::with_capacity(count.min(crate::entry::ROWS_MAX));
        for _ in 0..count {
            changes.push(Change::decode(from)?);
        }
        let [tenant, actor, purpose, action, object] = texts;
        let [approval, decision] = optional;
        let decision = decision.or_else(|| Some(object).filter(|name| name.starts_with(DECISION)));
        (pairs == 0).then_some(Self {
            index,
            time,
            tenant,
            actor,
            purpose,
            action,
            object,
            approval,
            decision,
            changes,
        })
    }
}

/// Leaves one after the other, each with its length (two bytes, big-endian) in front: an entry
/// bundle of C2SP tlog-tiles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle(Vec<u8>);

impl Bundle {
    /// Adds the leaf of an entry; its bytes. A leaf has at most 65,535 bytes: the limits of an
    /// entry keep it below.
    pub(crate) fn push(
        &mut self,
        index: u64,
        time: Timestamp,
        entry: &Entry,
        changes: &[Change],
    ) -> &[u8] {
        let start = self.0.len();
        let mut to = Encoder::behind(std::mem::take(&mut self.0));
        to.raw(&[0; 2]);
        encode(&mut to, index, time, entry, changes);
        self.0 = to.into_bytes();
        let (length, leaf) = self.0[start..].split_at_mut(2);
        length.copy_from_slice(&(leaf.len() as u16).to_be_bytes());
        leaf
    }

    /// The bytes as they are served.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The leaves of an entry bundle; none once the bytes do not read as one.
pub fn leaves(mut bundle: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if bundle.is_empty() {
            return None;
        }
        let first = bundle.split_first_chunk::<2>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        let (leaf, rest) = first.map_or((None, &[][..]), |(leaf, rest)| (Some(leaf), rest));
        bundle = rest;
        Some(leaf)
    })
}

/// The first `count` leaves of a bundle, as a shorter bundle; none if it has fewer.
pub(crate) fn first_leaves(bundle: &[u8], count: usize) -> Option<&[u8]> {
    let mut length = 0;
    let mut all = leaves(bundle);
    for _ in 0..count {
        length += 2 + all.next()??.len();
    }
    bundle.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Purpose, RowRef};
    use paywarden_domain::TenantId;
    use proptest::prelude::*;

    fn entry(object: &str, approval: Option<&str>) -> Entry {
        let purpose = Purpose::from("dispute 4711");
        Entry {
            tenant: TenantId::parse("acme").unwrap(),
            actor: Actor::Staff("liu".into()),
            purpose: match approval {
                Some(approval) => purpose.approved_by(approval.to_owned()),
                None => purpose,
            },
            action: "payment.view",
            object: object.into(),
            rows: vec![],
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            index: u64, micros: i64, object in "[a-z]{0,300}", approval in prop::option::of("[a-z]{1,9}"),
            key in 0..i64::MAX,
        ) {
            let entry = entry(&object, approval.as_deref());
            let changes = vec![
                Change { row: RowRef::Decision(key), before: None, after: [1; 32] },
                Change { row: RowRef::SigningKey("k".into()), before: Some([2; 32]), after: [3; 32] },
            ];
            let time = Timestamp::from_micros(micros);
            let mut bundle = Bundle::default();
            let bytes = bundle.push(index, time, &entry, &changes).to_vec();
            let leaf = Leaf::decode(&bytes).unwrap();
            prop_assert_eq!((leaf.index, leaf.time, leaf.tenant), (index, time, "acme"));
            prop_assert_eq!((leaf.actor, leaf.purpose), ("staff:liu", "dispute 4711"));
            prop_assert_eq!((leaf.action, leaf.object), ("payment.view", object.as_str()));
            prop_assert_eq!((leaf.approval, leaf.decision), (approval.as_deref(), None));
            prop_assert_eq!(leaf.changes, changes);
            prop_assert!(Leaf::decode(&bytes[..bytes.len() - 1]).is_none());
            prop_assert!(Leaf::decode(&[&bytes[..], &[0]].concat()).is_none());
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = Leaf::decode(&bytes);
            let _ = leaves(&bytes).count();
            let _ = first_leaves(&bytes, 3);
        }
    }

    #[test]
    fn a_bundle_has_the_length_of_each_leaf_in_front_of_it() {
        let (time, mut bundle) = (Timestamp::from_micros(7), Bundle::default());
        let objects = ["a", "dec_1", "c"];
        let pushed: Vec<_> = (0..)
            .zip(objects)
            .map(|(index, object)| bundle.push(index, time, &entry(object, None), &[]).to_vec())
            .collect();
        let bytes = bundle.into_bytes();
        let read: Vec<_> = leaves(&bytes).map(Option::unwrap).collect();
        assert_eq!(read, pushed);
        let read = read
            .into_iter()
            .map(|leaf| Leaf::decode(leaf).unwrap().object);
        assert!(read.eq(objects));
    }

    #[test]
    fn a_bundle_gives_its_leaves_back_and_says_where_it_is_cut() {
        let bundle = b"\0\x03one\0\0\0\x05three";
        let read: Vec<_> = leaves(bundle).collect();
        assert_eq!(read, [Some(&b"one"[..]), Some(b""), Some(b"three")]);
        assert_eq!(first_leaves(bundle, 2), Some(&b"\0\x03one\0\0"[..]));
        assert_eq!(first_leaves(bundle, 4), None);
        let cut = &bundle[..bundle.len() - 1];
        assert_eq!(leaves(cut).last(), Some(None));
    }
}
