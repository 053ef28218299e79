//! What stands around a number: the name before it, the column it is in, words on its line.

use super::BEFORE;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};
use std::{ops::Range, sync::LazyLock};

/// Multiplying by it spreads a bit over all above it: the golden ratio in 64 bits.
pub(super) const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// Bytes before a number in which words are looked for.
const WORDS_BEFORE: usize = 64;
/// Bytes behind a number in which an expiry date or a verification code may follow.
const WORDS_BEHIND: usize = 40;
/// The longest name that counts.
const NAME_MAX: usize = 40;

/// What a word is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Card numbers.
    Card = 1,
    /// Phone numbers.
    Phone = 2,
    /// Resident identity numbers.
    Resident = 4,
    /// Numbers of other kinds.
    Other = 8,
    /// The expiry date or verification code of a card.
    Expiry = 16,
}

/// Words that may be part of a longer one.
const PARTS: &[(Topic, &[&str])] = &[
    (
        Topic::Card,
        &[
            "card", "credit", "debit", "visa", "master", "amex", "unionpay", "卡",
        ],
    ),
    (
        Topic::Phone,
        &[
            "phone", "mobile", "msisdn", "contact", "cell", "sms", "手机", "电话", "联系",
        ],
    ),
    (
        Topic::Resident,
        &[
            "identity", "resident", "身份", "证件", "id_card", "id_no", "id_num",
        ],
    ),
    (
        Topic::Other,
        &[
            "order",
            "trace",
            "span",
            "transaction",
            "time",
            "stamp",
            "date",
            "uuid",
            "guid",
            "serial",
            "imei",
            "imsi",
            "iccid",
            "track",
            "invoice",
            "barcode",
            "hash",
            "digest",
            "offset",
            "nonce",
            "epoch",
            "version",
            "build",
            "batch",
            "request",
            "session",
            "event",
            "message",
            "snowflake",
            "ticket",
            "parcel",
            "waybill",
            "订单",
            "流水",
            "单号",
            "byte",
            "size",
            "pointer",
            "address",
            "elapsed",
            "duration",
            "latency",
            "random",
            "checksum",
        ],
    ),
    (Topic::Expiry, &["exp", "cvv", "cvc", "valid", "有效期"]),
];

/// Words that stand alone, or between signs.
const WHOLE: &[(Topic, &[&str])] = &[
    (
        Topic::Card,
        &["pan", "pans", "cc", "ccn", "ccnum", "dpan", "fpan"],
    ),
    (Topic::Phone, &["tel", "call", "fax", "sim"]),
    (Topic::Resident, &["id", "sfz", "cert"]),
    (
        Topic::Other,
        &[
            "id", "ids", "seq", "txn", "ref", "sku", "ean", "upc", "isbn", "msg", "ts", "ns", "us",
            "ms", "len", "ptr", "addr", "rev", "crc", "seed", "inode", "pid", "oid",
        ],
    ),
];

/// Names that say nothing, so that the one before them counts as well.
const EMPTY: &[&str] = &[
    "number", "no", "nr", "num", "value", "is", "was", "the", "of", "with", "a", "and",
];

/// The longest of them.
const EMPTY_BYTES_MAX: usize = 6;

/// Every word: what it is about, and whether it stands alone.
static WORDS: LazyLock<Option<Words>> = LazyLock::new(Words::new);

struct Words {
    finder: AhoCorasick,
    about: Vec<(Topic, bool)>,
}

impl Words {
    fn new() -> Option<Self> {
        let list = |words: &'static [(Topic, &[&'static str])], stands_alone| {
            words.iter().flat_map(move |(topic, words)| {
                words
                    .iter()
                    .map(move |word| (*word, (*topic, stands_alone)))
            })
        };
        let (words, about): (Vec<&str>, _) = list(PARTS, false).chain(list(WHOLE, true)).unzip();
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words);
        let finder = finder.ok()?;
        Some(Self { finder, about })
    }

    /// Topics of the words that stand in this part of a text.
    fn topics(&self, text: &[u8], part: Range<usize>) -> u8 {
        let mut topics = 0;
        for found in self
            .finder
            .find_overlapping_iter(Input::new(text).range(part))
        {
            let Some((topic, stands_alone)) = self.about.get(found.pattern().as_usize()) else {
                continue;
            };
            let is_letter = |at: Option<usize>| {
                let byte = at.and_then(|at| text.get(at));
                byte.is_some_and(u8::is_ascii_alphanumeric)
            };
            let is_inside = is_letter(found.start().checked_sub(1)) || is_letter(Some(found.end()));
            if !stands_alone || !is_inside {
                topics |= *topic as u8;
            }
        }
        topics
    }
}

/// What stands around a number. Words are looked for when they are asked for: a name says it all
/// mostly.
pub(super) struct Around<'t> {
    /// The end of its line before it.
    near: &'t [u8],
    /// Its name there.
    name: Range<usize>,
    behind: &'t [u8],
    /// Where it stands, as all numbers that stand so.
    pub(super) place: u64,
}

impl<'t> Around<'t> {
    /// Of the number at this place.
    pub(super) fn of(text: &'t [u8], at: &Range<usize>) -> Self {
        let line = line_before(text, at.start);
        let name = named(line);
        let near = line
            .get(line.len().saturating_sub(WORDS_BEFORE)..)
            .unwrap_or_default();
        let skipped = line.len() - near.len();
        let within = |place: usize| place.saturating_sub(skipped);
        let end = text.len().min(at.end + WORDS_BEHIND);
        Self {
            near,
            name: name
                .as_ref()
                .map_or(0..0, |name| within(name.start)..within(name.end)),
            behind: text.get(at.end..end).unwrap_or_default(),
            place: hashed(line, name),
        }
    }

    /// What its name and its line say for a number of this kind.
    pub(super) fn weight(&self, topic: Topic) -> i32 {
        let Some(words) = WORDS.as_ref() else {
            return 0;
        };
        let is_about = |topics: u8, topic: Topic| topics & topic as u8 != 0;
        let named = words.topics(self.near, self.name.clone());
        match () {
            () if is_about(named, topic) => 25,
            () if is_about(named, Topic::Other) => -45,
            () if is_about(words.topics(self.near, 0..self.near.len()), topic) => 15,
            () => 0,
        }
    }

    /// Whether an expiry date or a verification code is named behind it.
    pub(super) fn has_expiry(&self) -> bool {
        let topics = |words: &Words| words.topics(self.behind, 0..self.behind.len());
        WORDS.as_ref().map_or(0, topics) & Topic::Expiry as u8 != 0
    }
}

/// Where the number at this place stands: under a name, or in a column.
pub(super) fn place(text: &[u8], start: usize) -> u64 {
    let line = line_before(text, start);
    hashed(line, named(line))
}

fn line_before(text: &[u8], start: usize) -> &[u8] {
    let before = text
        .get(start.saturating_sub(BEFORE)..start)
        .unwrap_or_default();
    let begin = memchr::memrchr(b'\n', before).map_or(0, |place| place + 1);
    before.get(begin..).unwrap_or_default()
}

/// The name before a number; of one that says nothing, the word before it as well.
fn named(line: &[u8]) -> Option<Range<usize>> {
    let is_filler = |byte: &u8| b" \t\"'=:>([{*`#\\".contains(byte);
    let end_before = |end: usize| {
        let found = line.get(..end)?.iter().rposition(|byte| !is_filler(byte));
        found.map(|place| place + 1)
    };
    let last = word_before(line, end_before(line.len())?)?;
    let word = line.get(last.clone())?;
    if word.len() > EMPTY_BYTES_MAX
        || !EMPTY
            .iter()
            .any(|empty| word.eq_ignore_ascii_case(empty.as_bytes()))
    {
        return Some(last);
    }
    let first = end_before(last.start).and_then(|end| word_before(line, end));
    Some(first.map_or(last.start, |first| first.start)..last.end)
}

/// The word that ends here.
fn word_before(line: &[u8], end: usize) -> Option<Range<usize>> {
    let is_word = |byte: &u8| {
        byte.is_ascii_alphanumeric() || *byte >= 0x80 || matches!(byte, b'_' | b'-' | b'.')
    };
    let letters = line.get(..end)?.iter().rev().take(NAME_MAX);
    let length = letters.take_while(|byte| is_word(byte)).count();
    (length > 0).then(|| end - length..end)
}

/// One number for a name, or for how many columns stand before the number on its line.
fn hashed(line: &[u8], name: Option<Range<usize>>) -> u64 {
    let Some(name) = name.and_then(|name| line.get(name)) else {
        let parting = |byte: &&u8| matches!(byte, b',' | b';' | b'\t' | b'|');
        return line.iter().filter(parting).count() as u64;
    };
    let (words, rest) = name.as_chunks::<8>();
    let mixed = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MIX).rotate_left(29);
    let hash = words
        .iter()
        .fold(MIX, |hash, word| mixed(hash, u64::from_le_bytes(*word)));
    rest.iter()
        .fold(hash, |hash, byte| mixed(hash, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_before_a_number_is_found() {
        for (line, name) in [
            ("{\"order_no\":\"", Some("order_no")),
            ("x=1, card = ", Some("card")),
            ("paid with card number ", Some("card number")),
            ("<pan>", Some("pan")),
            ("客户卡号：", Some("客户卡号：")),
            ("2026-01-02,7,\"", None),
            ("", None),
        ] {
            let found = named(line.as_bytes()).map(|place| &line[place]);
            assert_eq!(found, name, "{line}");
        }
    }

    #[test]
    fn names_weigh_and_a_card_among_orders_is_a_card() {
        let weight = |line: &str| {
            let text = format!("{line}4012888888881881");
            Around::of(text.as_bytes(), &(line.len()..text.len())).weight(Topic::Card)
        };
        assert_eq!(weight("\"pan\": \""), 25);
        assert_eq!(weight("\"company\": \""), 0);
        assert_eq!(weight("card_order_id="), 25);
        assert_eq!(weight("order number "), -45);
        assert_eq!(weight("card of the customer, "), 15);
    }
}
