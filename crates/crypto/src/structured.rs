//! Dictionaries of byte sequences (RFC 9651), the shape of `Signature` and `Content-Digest`.

use http::header::{GetAll, HeaderValue};
use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, Never},
};
use std::fmt;

/// How many members such a dictionary may have; two or three is usual.
const MEMBERS_MAX: usize = 16;

/// Every member of a dictionary that may span several lines, in received order.
///
/// A repeated name is refused, although RFC 9651 lets the last one win: two readers that differ
/// on which one counts is exactly what an attacker wants.
pub(crate) fn byte_sequences<'h>(
    lines: GetAll<'h, HeaderValue>,
) -> Result<Vec<(&'h str, Vec<u8>)>, sfv::Error> {
    let mut members = Members(Vec::new());
    for line in lines {
        members = Parser::new(line).parse_dictionary_with_visitor(members)?;
    }
    Ok(members.0)
}

/// Why a parser of ours stopped; reaches the caller as the text of [`sfv::Error`].
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}

struct Members<'h>(Vec<(&'h str, Vec<u8>)>);

impl<'h> DictionaryVisitor<'h> for Members<'h> {
    type Out = Self;
    type Error = Refused;

    fn entry(&mut self, key: &'h KeyRef) -> Result<impl EntryVisitor<'h>, Refused> {
        let name = key.as_str();
        if self.0.iter().any(|(known, _)| *known == name) {
            return Err(Refused("a name occurs twice"));
        }
        if self.0.len() == MEMBERS_MAX {
            return Err(Refused("at most 16 members"));
        }
        Ok(Member {
            members: self,
            name,
        })
    }

    fn finish(self) -> Result<Self, Refused> {
        Ok(self)
    }
}

struct Member<'a, 'h> {
    members: &'a mut Members<'h>,
    name: &'h str,
}

impl<'h> EntryVisitor<'h> for Member<'_, 'h> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'h>, Refused> {
        Ok(move |value: BareItemFromInput<'h>| match value {
            BareItemFromInput::ByteSequence(bytes) => {
                self.members.0.push((self.name, bytes));
                Ok(Ignored)
            }
            _ => Err(Refused("a value is not a byte sequence")),
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'h>, Refused> {
        Err::<Never, _>(Refused("a value is not a byte sequence"))
    }
}
