//! Leaks: finds card numbers, resident identity numbers, phone numbers and secrets in any bytes.
//!
//! One pass goes 64 bytes at a time over a mask of digits ([`digits`]) and looks closer only where
//! enough of them stand together. What could be a number is weighed: brand and length, check
//! digit, how it is grouped, what stands around it ([`context`]), and at the end how many of the
//! numbers in the same place of the same source pass ([`siblings`]): of numbers that are something
//! else one in ten passes the Luhn check, of card numbers all.
//!
//! *Invariant*: what is doubtful is given with a lower [`Confidence`], not left out, and a finding
//! shows what the vault's masks show and no more.

mod brand;
mod context;
mod digits;
mod guard;
mod number;
mod secret;
mod siblings;

pub use guard::{Guard, masked};

use digits::{Digits, Places};
use number::Sink;
use paywarden_access::masking;
use paywarden_domain::pan::luhn;
use serde::Serialize;
use siblings::{Place, Siblings};
use std::ops::Range;
use zeroize::Zeroizing;

/// Findings of one source that are kept one by one; further ones are counted.
pub const FINDINGS_MAX: usize = 10_000;
/// Bytes looked at in one go: they stay in the cache.
const WINDOW: usize = 32 * 1024;
/// Bytes before a number that may speak about it.
const BEFORE: usize = 512;
/// Bytes after the begin of a number that are there when it is looked at: the longest number, what
/// stands behind it, and the first parts of a signed token.
const AFTER: usize = 1_024;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A card number (ISO/IEC 7812-1).
    CardNumber,
    /// A card number that schemes and processors publish for tests.
    TestCardNumber,
    /// A resident identity number of mainland China (GB 11643-1999).
    ResidentId,
    /// A phone number: a mobile number of mainland China, or E.164 with its `+`.
    Phone,
    /// A private key, access key, token or password.
    Secret,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Something speaks against it: it is glued to letters, named as something else, or of many in
    /// its place most are no such numbers.
    Doubtful,
    /// Its form fits, and nothing speaks for or against it.
    Possible,
    /// Form and check digits fit, and nothing speaks against it.
    Likely,
    /// The vault knows it, or it is the head of a private key.
    Certain,
}

/// One thing that was found. What it shows is put together when somebody asks: most findings are
/// counted and no more.
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Brand, or kind of secret.
    pub what: &'static str,
    /// How sure this is.
    pub confidence: Confidence,
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// Its length in the source, in bytes.
    pub length: usize,
    /// Its line in the source, from 1.
    pub line: u64,
    evidence: Evidence,
    form: Form,
}

impl Finding {
    /// What may be shown of it.
    pub fn masked(&self) -> String {
        self.form.masked()
    }

    /// The digits of a card number, for the vault to look up; of everything else nothing.
    pub fn card(&self) -> Option<&str> {
        match (self.kind, &self.form) {
            (Kind::CardNumber | Kind::TestCardNumber, Form::Number(digits, _)) => {
                Some(digits.as_str())
            }
            _ => None,
        }
    }
}

/// Everything that was found in one source.
#[derive(Default)]
pub struct Found {
    /// In the order in which they stand: at most [`FINDINGS_MAX`] that looked doubtful at first
    /// sight, and as many others.
    pub findings: Vec<Finding>,
    /// How many more there are that did not look doubtful.
    pub left_out: u64,
    /// How many more there are that looked doubtful.
    pub doubtful_left_out: u64,
    /// Bytes that were looked at.
    pub bytes: u64,
}

/// Looks through one source, which may come in parts of any length.
///
/// ```
/// use paywarden_privacy::scan::{Confidence, Kind, Scanner};
/// let mut scanner = Scanner::default();
/// scanner.push(b"card 4012 8888 ");
/// scanner.push(b"8888 1881\n");
/// let found = scanner.finish();
/// let finding = &found.findings[0];
/// assert_eq!((finding.kind, finding.offset, finding.line), (Kind::TestCardNumber, 5, 1));
/// assert_eq!(finding.masked(), "40128888••••1881");
/// ```
pub struct Scanner {
    /// Bytes that were not looked at, after some that were.
    buffer: Zeroizing<Vec<u8>>,
    /// Offset of the buffer in the source.
    base: u64,
    /// How much of the buffer was looked at.
    done: usize,
    /// Line of the first byte of the buffer that was not looked at.
    line: u64,
    findings: Vec<Finding>,
    /// What was found in this go; empty between two.
    hits: Vec<Hit>,
    /// How many did not look doubtful, and how many did.
    seen: [u64; 2],
    siblings: Siblings,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            buffer: Zeroizing::new(Vec::with_capacity(2 * WINDOW)),
            base: 0,
            done: 0,
            line: 1,
            findings: Vec::new(),
            hits: Vec::new(),
            seen: [0; 2],
            siblings: Siblings::default(),
        }
    }
}

impl Scanner {
    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // The buffer never grows: what it held would stay behind in memory.
            let room = (2 * WINDOW - self.buffer.len()).min(bytes.len());
            let (part, rest) = bytes.split_at(room);
            self.buffer.extend_from_slice(part);
            bytes = rest;
            if self.buffer.len() == 2 * WINDOW {
                self.look(self.buffer.len() - AFTER);
                let keep = self.done.saturating_sub(BEFORE);
                self.buffer.drain(..keep);
                self.base += keep as u64;
                self.done -= keep;
            }
        }
    }

    /// Looks through the last bytes and weighs everything.
    pub fn finish(mut self) -> Found {
        self.look(self.buffer.len());
        for finding in &mut self.findings {
            finding.confidence = self.siblings.weigh(&finding.evidence).confidence();
        }
        let [left_out, doubtful_left_out] = self
            .seen
            .map(|seen| seen.saturating_sub(FINDINGS_MAX as u64));
        Found {
            findings: self.findings,
            left_out,
            doubtful_left_out,
            bytes: self.base + self.buffer.len() as u64,
        }
    }

    /// Looks at what begins before `end`.
    fn look(&mut self, end: usize) {
        let (done, base) = (self.done, self.base);
        let text = self.buffer.as_slice();
        let reached = look(text, done..end, &mut self.siblings, &mut self.hits);
        self.hits.sort_by_key(|hit| hit.at.start);
        let mut counted = done;
        for hit in self.hits.drain(..) {
            self.line += lines(text.get(counted..hit.at.start));
            counted = hit.at.start.max(counted);
            let [firm, doubtful] = &mut self.seen;
            let seen = match hit.evidence.confidence() {
                Confidence::Doubtful => doubtful,
                _ => firm,
            };
            *seen += 1;
            if *seen > FINDINGS_MAX as u64 {
                continue;
            }
            self.findings.push(hit.finding(base, self.line));
        }
        self.done = reached.clamp(done, text.len());
        self.line += lines(text.get(counted..self.done));
    }
}

fn lines(text: Option<&[u8]>) -> u64 {
    memchr::memchr_iter(b'\n', text.unwrap_or_default()).count() as u64
}

/// How much speaks for a finding: 70 and more make it likely, 45 and more possible.
#[derive(Debug, Clone, Copy)]
struct Evidence {
    weight: i32,
    /// Where numbers like it stand.
    place: Option<Place>,
}

impl Evidence {
    fn new(weight: i32) -> Self {
        Self {
            weight,
            place: None,
        }
    }

    fn confidence(self) -> Confidence {
        match self.weight {
            200.. => Confidence::Certain,
            70.. => Confidence::Likely,
            45.. => Confidence::Possible,
            _ => Confidence::Doubtful,
        }
    }
}

/// Something that was found in a text.
struct Hit {
    kind: Kind,
    what: &'static str,
    evidence: Evidence,
    at: Range<usize>,
    form: Form,
}

/// What is there, and how it may be shown.
enum Form {
    /// A number.
    Number(Digits, masking::Form),
    /// A secret that begins so.
    Head(&'static str),
}

impl Form {
    fn masked(&self) -> String {
        match self {
            Self::Number(digits, mask) => mask.of(digits.as_str()),
            Self::Head(head) => format!("{}••••", head.trim_end()),
        }
    }
}

impl Hit {
    fn finding(self, base: u64, line: u64) -> Finding {
        Finding {
            kind: self.kind,
            what: self.what,
            confidence: self.evidence.confidence(),
            offset: base + self.at.start as u64,
            length: self.at.len(),
            line,
            evidence: self.evidence,
            form: self.form,
        }
    }
}

/// Whether a text is a card number and nothing else, whole or in groups: its brand has such numbers
/// of this length, and the check digit is right.
///
/// ```
/// use paywarden_privacy::scan::is_card_number;
/// assert!(is_card_number("4012-8888-8888-1881"));
/// assert!(!is_card_number("order-4012888888881881"));
/// ```
pub fn is_card_number(text: &str) -> bool {
    let mut digits = Digits::default();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits.push(byte),
            b' ' | b'-' | b'.' => {}
            _ => return false,
        }
    }
    let digits = digits.as_slice();
    luhn(digits) && brand::of(digits).is_some()
}

/// Looks at what begins in `range` of `text`. The answer is how far it was looked at.
fn look(text: &[u8], range: Range<usize>, siblings: &mut Siblings, found: &mut Vec<Hit>) -> usize {
    secret::look(text, range.clone(), found);
    let (mut from, mut groups) = (range.start, Vec::new());
    let mut sink = Sink { siblings, found };
    let mut places = Places::new(text, range.clone());
    while let Some(run) = places.next(from) {
        from = digits::read(text, run, &mut groups);
        number::look(text, &groups, &mut sink);
    }
    from.max(range.end)
}
