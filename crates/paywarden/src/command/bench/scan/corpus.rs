//! Texts of eight kinds with card numbers planted in them in sixteen ways of writing, each labelled
//! with its place. Everything is generated: the numbers are of ranges that schemes publish for
//! tests.

use super::super::dice::Dice;
use paywarden_domain::pan::luhn;
use std::fmt::Write as _;

/// One text.
pub struct Source {
    /// What it is like.
    pub kind: &'static str,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The card numbers in it, in order.
    pub planted: Vec<Planted>,
}

/// A card number that was planted.
pub struct Planted {
    /// Offset of its first byte.
    pub start: u64,
    /// How it is written: a place in [`LAYOUTS`].
    pub layout: usize,
}

/// A kind of text: its name, and what writes a line of it.
type Kind = (&'static str, fn(&mut Dice, &mut String));

/// Seeds of two texts are so far from each other that their dice never meet.
const SEED_STEP: u64 = 0xD129_0D3E_5C2B_9F41;
/// Lines between two card numbers, on average.
const LINES_PER_CARD: u64 = 25;

/// Every kind of text.
pub const KINDS: [Kind; 8] = [
    ("logs", log),
    ("source", source),
    ("json", json),
    ("csv", csv),
    ("uuids", uuids),
    ("timestamps", timestamps),
    ("orders", orders),
    ("hex", hex),
];

/// Heads of ranges that are published for tests, and the lengths of their numbers.
const HEADS: &[(&str, usize)] = &[
    ("411111", 16),
    ("401288", 16),
    ("555555", 16),
    ("510510", 16),
    ("222300", 16),
    ("601111", 16),
    ("353011", 16),
    ("620000", 16),
    ("620550", 19),
    ("3056930", 14),
];

/// Every way of writing. `{}` is a number; its digits are grouped by the second field with the
/// third between, and the whole is UTF-16 if the last says so.
const LAYOUTS: [Layout; 16] = [
    layout("prose", "the customer paid with {} this morning", PLAIN),
    layout("bare", "{}", PLAIN),
    layout("assigned", "level=warn pan={} msg=retry", PLAIN),
    layout("spaces", "number {} was refused", " "),
    layout("hyphens", "ref {} seen twice", "-"),
    layout("dots", "fax: {}", "."),
    layout("amex", "corporate {} renewed", AMEX),
    layout(
        "json_text",
        "{\"event\":\"charge\",\"card_number\":\"{}\"}",
        PLAIN,
    ),
    layout("json_number", "{\"n\":{},\"ok\":true}", PLAIN),
    layout("csv", "liu wei,{},12/28", PLAIN),
    layout("url", "GET /pay?amount=12&number={}&currency=EUR", "%20"),
    layout("form", "number={}&exp=1228", "+"),
    layout("track_1", "%B{}^LIU/WEI^28121010000000000?", PLAIN),
    layout("track_2", ";{}=28121011000012300000?", PLAIN),
    layout("chinese", "客户卡号：{}，已冻结", PLAIN),
    layout("utf_16", "pan {} end", UTF_16),
];

const PLAIN: &str = "";
/// Four, six and five digits with spaces between.
const AMEX: &str = "4-6-5";
/// Plain, each character two bytes, little end first.
const UTF_16: &str = "utf-16";

struct Layout {
    name: &'static str,
    line: &'static str,
    between: &'static str,
}

const fn layout(name: &'static str, line: &'static str, between: &'static str) -> Layout {
    Layout {
        name,
        line,
        between,
    }
}

/// Names of the ways of writing, in the order of their numbers.
pub fn layouts() -> impl Iterator<Item = &'static str> {
    LAYOUTS.iter().map(|layout| layout.name)
}

/// Texts of each kind, each at least so many bytes long. The same seed gives the same texts.
pub fn sources(texts: usize, bytes: usize, seed: u64) -> Vec<Source> {
    let each = (0..texts).flat_map(|_| KINDS).enumerate();
    let texts = each.map(|(number, kind)| {
        let seed = seed.wrapping_add(number as u64);
        text(kind, bytes, &mut Dice(seed.wrapping_mul(SEED_STEP)))
    });
    texts.collect()
}

fn text((kind, line): Kind, bytes: usize, dice: &mut Dice) -> Source {
    let mut source = Source {
        kind,
        text: Vec::with_capacity(bytes + 1_024),
        planted: Vec::new(),
    };
    let mut written = String::new();
    let mut layout = 0;
    while source.text.len() < bytes {
        if dice.below(LINES_PER_CARD) == 0 {
            plant(&mut source, layout % LAYOUTS.len(), dice);
            layout += 1;
        }
        written.clear();
        line(dice, &mut written);
        source.text.extend_from_slice(written.as_bytes());
        source.text.push(b'\n');
    }
    source
}

/// Writes a line with a card number.
fn plant(source: &mut Source, number: usize, dice: &mut Dice) {
    let Some(layout) = LAYOUTS.get(number) else {
        return;
    };
    let (head, tail) = layout.line.split_once("{}").unwrap_or((layout.line, ""));
    let digits = card(dice, layout.between);
    let card = match layout.between {
        AMEX => parted(&digits, &[4, 6, 5], " "),
        PLAIN | UTF_16 => digits,
        between => parted(&digits, &[4, 4, 4, 4], between),
    };
    let wide = layout.between == UTF_16;
    let mut put = |text: &str| {
        let units = text.bytes().flat_map(|byte| [byte, 0]);
        match wide {
            true => source.text.extend(units),
            false => source.text.extend_from_slice(text.as_bytes()),
        }
        source.text.len()
    };
    let start = put(head) as u64;
    put(&card);
    put(tail);
    source.text.push(b'\n');
    source.planted.push(Planted {
        start,
        layout: number,
    });
}

/// A card number that can be written so.
fn card(dice: &mut Dice, between: &str) -> String {
    if between == AMEX {
        return numbered(dice, "378282", 15);
    }
    loop {
        let place = dice.below(HEADS.len() as u64) as usize;
        let (head, length) = HEADS.get(place).copied().unwrap_or(("411111", 16));
        if length == 16 || matches!(between, PLAIN | UTF_16) {
            return numbered(dice, head, length);
        }
    }
}

/// A number with this head that passes the Luhn check.
fn numbered(dice: &mut Dice, head: &str, length: usize) -> String {
    let body = format!("{head}{}", digits(dice, length - 1 - head.len()));
    let all = (0..10).map(|last| format!("{body}{last}"));
    let mut valid = all.filter(|number| luhn(number.as_bytes()));
    valid.next().unwrap_or_default()
}

fn parted(digits: &str, groups: &[usize], between: &str) -> String {
    let mut rest = digits;
    let groups = groups.iter().map(|length| {
        let (group, later) = rest.split_at((*length).min(rest.len()));
        rest = later;
        group
    });
    groups.collect::<Vec<_>>().join(between)
}

fn digits(dice: &mut Dice, count: usize) -> String {
    (0..count)
        .map(|_| char::from(b'0' + dice.below(10) as u8))
        .collect()
}

fn hex_digits(dice: &mut Dice, count: usize) -> String {
    let digit = |_| char::from(b"0123456789abcdef"[dice.below(16) as usize]);
    (0..count).map(digit).collect()
}

fn pick<'w>(dice: &mut Dice, words: &[&'w str]) -> &'w str {
    let place = dice.below(words.len() as u64) as usize;
    words.get(place).copied().unwrap_or_default()
}

fn uuid(dice: &mut Dice) -> String {
    [8, 4, 4, 4, 12]
        .map(|count| hex_digits(dice, count))
        .join("-")
}

/// Microseconds since 1970, in 2020 to 2026.
fn micros(dice: &mut Dice) -> u64 {
    1_577_836_800_000_000 + dice.below(6 * 365 * 86_400 * 1_000_000)
}

fn instant(dice: &mut Dice) -> String {
    let (day, clock) = (dice.below(28) + 1, dice.below(86_400));
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    let (year, month) = (2020 + dice.below(7), dice.below(12) + 1);
    let micros = dice.below(1_000_000);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

const WORDS: &[&str] = &[
    "payment",
    "accepted",
    "declined",
    "worker",
    "queue",
    "retrying",
    "upstream",
    "closed",
    "connection",
    "from",
    "settled",
    "in",
    "window",
    "risk",
    "score",
    "balance",
    "checked",
];

fn words(dice: &mut Dice, count: u64) -> String {
    let words: Vec<_> = (0..count).map(|_| pick(dice, WORDS)).collect();
    words.join(" ")
}

fn log(dice: &mut Dice, line: &mut String) {
    let level = pick(dice, &["INFO", "WARN", "DEBUG", "ERROR"]);
    let (at, said) = (instant(dice), words(dice, 8));
    let (id, span, took) = (uuid(dice), hex_digits(dice, 16), dice.below(1_000_000));
    let order = digits(dice, 16);
    let address = [(); 4].map(|()| dice.below(256).to_string()).join(".");
    // Writing to a string cannot fail.
    let _ = write!(
        line,
        "{at} {level} {said} request_id={id} span={span} order_no={order} elapsed_us={took} from {address}:443"
    );
}

fn source(dice: &mut Dice, line: &mut String) {
    let (name, number) = (pick(dice, WORDS), dice.below(100_000));
    let constant = hex_digits(dice, 16);
    let wide = digits(dice, 17);
    let _ = match dice.below(6) {
        0 => write!(line, "    let {name} = self.{name}(&payment, {number})?;"),
        1 => write!(line, "const {}: u64 = 0x{constant};", name.to_uppercase()),
        2 => write!(
            line,
            "    assert_eq!({name}(\"{}\"), {number});",
            words(dice, 3)
        ),
        3 => write!(line, "        /// {}", words(dice, 9)),
        4 => write!(line, "    const WEIGHT_{number}: f64 = 0.{wide};"),
        _ => write!(
            line,
            "    if {name} > {number} {{ return Err(Error::{name}); }}"
        ),
    };
}

fn json(dice: &mut Dice, line: &mut String) {
    let (id, at, amount) = (uuid(dice), micros(dice), dice.below(10_000_000));
    let (snowflake, phone) = (
        1_200_000_000_000_000_000 + dice.below(1 << 59),
        digits(dice, 9),
    );
    let imei = numbered(dice, "35", 15);
    let _ = write!(
        line,
        "{{\"event_id\":\"{id}\",\"at_us\":{at},\"amount\":{amount},\"message_id\":{snowflake},\
         \"phone\":\"13{phone}\",\"imei\":\"{imei}\",\"note\":\"{}\"}}",
        words(dice, 4)
    );
}

fn csv(dice: &mut Dice, line: &mut String) {
    let (row, at, parcel) = (dice.below(1_000_000), instant(dice), digits(dice, 16));
    let (cents, isbn) = (dice.below(100_000), format!("978{}", digits(dice, 10)));
    let _ = write!(
        line,
        "{row},{at},{parcel},{}.{:02},{isbn},\"{}\"",
        cents / 100,
        cents % 100,
        words(dice, 2)
    );
}

fn uuids(dice: &mut Dice, line: &mut String) {
    let _ = write!(line, "{} {}", uuid(dice), uuid(dice).replace('-', ""));
}

fn timestamps(dice: &mut Dice, line: &mut String) {
    let (at, nanos) = (micros(dice), dice.below(1_000));
    let _ = write!(line, "{} {at} {at}{nanos:03} {}", at / 1_000, instant(dice));
}

fn orders(dice: &mut Dice, line: &mut String) {
    let number = digits(dice, 16);
    let _ = match dice.below(5) {
        0 => write!(line, "order {number} shipped"),
        1 => write!(line, "folio {number} {}", words(dice, 3)),
        2 => write!(
            line,
            "tracking number: {}{}",
            1 + dice.below(9),
            digits(dice, 17)
        ),
        3 => write!(line, "{{\"orderNo\":\"4{}\"}}", digits(dice, 15)),
        _ => write!(line, "订单号：{number}"),
    };
}

fn hex(dice: &mut Dice, line: &mut String) {
    let _ = write!(line, "{}  {}", hex_digits(dice, 64), hex_digits(dice, 40));
}
