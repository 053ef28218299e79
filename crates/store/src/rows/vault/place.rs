//! Where a sealed value is found: one entry of one index for its last characters, its keyed index and
//! what makes it the same as another, instead of an entry of three.

use super::{
    super::sha256,
    bytes::{Cursor, put_short},
    record::{VaultContent, VaultRecordRow},
};
use crate::Error;
use paywarden_domain::TenantId;

/// Bytes that stand for tenant and class. Two of them may have equal ones, so whoever looks compares
/// both as well.
const HEAD_BYTES: usize = 4;
/// What stands before the last part: the token of a value that is itself alone, or what makes it the
/// same as another.
const ALONE: u8 = 0;
const SAME: u8 = 1;

/// Tenant and class, last characters, keyed index, and what makes it one of its kind: in this order,
/// so that looking for the first parts is looking for a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValuePlace(Vec<u8>);

impl ValuePlace {
    /// Where values with these last characters are.
    pub fn of_tail(tenant: &TenantId, class: &str, tail: &str) -> Self {
        Self(beginning(tenant, class, tail))
    }

    /// Where values with this index are. `tail` is empty where a class has none.
    pub fn of_index(tenant: &TenantId, class: &str, (tail, exact): (&str, &[u8])) -> Self {
        let mut bytes = beginning(tenant, class, tail);
        put_short(&mut bytes, exact);
        Self(bytes)
    }

    /// The place of the value with this index that is the same as any other for which this is.
    pub fn of_same(
        tenant: &TenantId,
        class: &str,
        (tail, exact, same): (&str, &[u8], &[u8]),
    ) -> Self {
        let Self(mut bytes) = Self::of_index(tenant, class, (tail, exact));
        bytes.push(SAME);
        bytes.extend_from_slice(same);
        Self(bytes)
    }

    /// That of a record.
    pub(super) fn of(row: &VaultRecordRow, content: &VaultContent) -> Option<Self> {
        let tail = content.tail.as_deref().unwrap_or_default();
        let exact = content.exact.as_deref().unwrap_or_default();
        match &content.same {
            Some(same) => Some(Self::of_same(&row.tenant, &row.class, (tail, exact, same))),
            None if tail.is_empty() && exact.is_empty() => None,
            None => {
                let Self(mut bytes) = Self::of_index(&row.tenant, &row.class, (tail, exact));
                bytes.push(ALONE);
                bytes.extend_from_slice(row.token.as_bytes());
                Some(Self(bytes))
            }
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut said = Cursor(bytes);
        said.take(HEAD_BYTES)?;
        let _ = (said.text()?, said.short()?, said.byte()?);
        Ok(Self(bytes.to_vec()))
    }

    /// What makes it the same as another, keyed index and last characters.
    pub(super) fn parts(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>, Option<String>) {
        let mut said = Cursor(self.0.get(HEAD_BYTES..).unwrap_or_default());
        let tail = said.text().ok().filter(|tail| !tail.is_empty());
        let exact = said.short().ok().filter(|exact| !exact.is_empty());
        let same = (said.byte() == Ok(SAME)).then(|| said.0.to_vec());
        (same, exact.map(<[u8]>::to_vec), tail.map(ToOwned::to_owned))
    }

    /// As it is stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The first place behind those that begin with this one.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while end.pop_if(|last| *last == u8::MAX).is_some() {}
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        end
    }
}

fn beginning(tenant: &TenantId, class: &str, tail: &str) -> Vec<u8> {
    let head = sha256(format!("{tenant}\0{class}").as_bytes());
    let mut bytes = Vec::with_capacity(48);
    bytes.extend(head.iter().take(HEAD_BYTES));
    put_short(&mut bytes, tail.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_begins_so_and_nothing_else() {
        let of = |bytes: &[u8]| ValuePlace(bytes.to_vec());
        for (begin, end) in [
            (&[1, 2][..], &[1, 3][..]),
            (&[1, 255], &[2]),
            (&[7, 255, 255], &[8]),
        ] {
            assert_eq!(of(begin).end(), end);
            let inside = [begin, &[255, 255, 255]].concat();
            assert!(*begin <= *inside && *inside < *end);
        }
    }

    #[test]
    fn a_value_lies_where_its_tail_and_its_index_are_looked_for() {
        let tenant = TenantId::parse("acme").unwrap();
        let is_in = |place: &ValuePlace, range: &ValuePlace| {
            range.bytes() <= place.bytes() && place.bytes() < &range.end()[..]
        };
        let place = ValuePlace::of_same(&tenant, "card_number", ("1881", b"index", b"same"));
        let at = |tail, exact: &[u8]| ValuePlace::of_index(&tenant, "card_number", (tail, exact));
        assert!(is_in(
            &place,
            &ValuePlace::of_tail(&tenant, "card_number", "1881")
        ));
        assert!(is_in(&place, &at("1881", b"index")));
        for other in [
            at("1881", b"inde"),
            at("1881", b"index2"),
            at("188", b"index"),
            at("", b"index"),
        ] {
            assert!(!is_in(&place, &other), "{other:?}");
        }
        assert!(!is_in(
            &place,
            &ValuePlace::of_tail(&tenant, "phone", "1881")
        ));
        let (same, exact, tail) = ValuePlace::parse(place.bytes()).unwrap().parts();
        assert_eq!(same.as_deref(), Some(&b"same"[..]));
        assert_eq!(exact.as_deref(), Some(&b"index"[..]));
        assert_eq!(tail.as_deref(), Some("1881"));
    }
}
