//! The same look at everything that a log writes, before it leaves.

use super::{Confidence, Hit, Kind, look, secret, siblings::Siblings};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// A writer in front of another that masks card numbers, resident identity numbers, phone numbers
/// and secrets in each write. A log writes a line in one go, so that none is split.
///
/// ```
/// use paywarden_privacy::scan::Guard;
/// use std::io::Write;
/// let mut guard = Guard::new(Vec::new());
/// guard.write_all(b"declined card=4012888888881881\n").unwrap();
/// assert_eq!(guard.into_inner(), "declined card=40128888••••1881\n".as_bytes());
/// ```
pub struct Guard<W>(W);

impl<W: Write> Guard<W> {
    /// In front of this writer.
    pub fn new(writer: W) -> Self {
        Self(writer)
    }

    /// The writer behind.
    pub fn into_inner(self) -> W {
        self.0
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(&masked(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The text with everything masked that a log must not have.
pub fn masked(text: &[u8]) -> Cow<'_, [u8]> {
    let mut found = Vec::new();
    look(text, 0..text.len(), &mut Siblings::default(), &mut found);
    found.retain(is_hidden);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|hit| hit.at.start);
    let mut shown = Vec::with_capacity(text.len());
    let mut at = 0;
    for hit in &found {
        // Of two that overlap the first hides both.
        if hit.at.start >= at {
            shown.extend_from_slice(text.get(at..hit.at.start).unwrap_or_default());
            shown.extend_from_slice(hit.form.masked().as_bytes());
        }
        at = hit.at.end.max(at);
    }
    shown.extend_from_slice(text.get(at..).unwrap_or_default());
    Cow::Owned(shown)
}

/// Whether a log must not have it. Numbers that are named as something else stay: a log without its
/// identifiers is none.
fn is_hidden(hit: &Hit) -> bool {
    let confidence = hit.evidence.confidence();
    match hit.kind {
        Kind::CardNumber | Kind::TestCardNumber | Kind::ResidentId => {
            confidence >= Confidence::Possible
        }
        Kind::Phone => confidence >= Confidence::Likely,
        Kind::Secret => secret::is_hidden(confidence),
    }
}
