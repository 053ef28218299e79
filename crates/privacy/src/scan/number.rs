//! What groups of digits are: card numbers, resident identity numbers, phone numbers.

use super::{
    Evidence, Form, Hit, Kind, brand,
    context::{Around, Topic},
    digits::{DIGITS_MIN, Digits, Group},
    siblings::{Place, Siblings},
};
use crate::normal;
use paywarden_access::masking;
use paywarden_domain::pan::luhn;
use std::ops::Range;

/// Lengths of groups, and what it says for a number to be grouped so.
struct Layout {
    groups: usize,
    /// Four bits for the length of each group, the first lowest.
    shape: u32,
    says: i32,
}

const fn layout(lengths: &[u32], says: i32) -> Layout {
    let (mut shape, mut at) = (0, 0);
    while at < lengths.len() {
        shape |= lengths[at] << (4 * at);
        at += 1;
    }
    Layout {
        groups: lengths.len(),
        shape,
        says,
    }
}

/// How card numbers are grouped, longest first. As cards have it is said by no other number.
const CARD_LAYOUTS: &[Layout] = &[
    layout(&[4, 4, 4, 4, 3], 45),
    layout(&[4, 4, 4, 4, 2], 20),
    layout(&[4, 4, 4, 4, 1], 20),
    layout(&[4, 4, 4, 4], 45),
    layout(&[6, 13], 20),
    layout(&[8, 8], 10),
    layout(&[6, 10], 10),
    layout(&[4, 6, 5], 45),
    layout(&[4, 4, 4, 3], 20),
    layout(&[4, 6, 4], 45),
    layout(&[4, 4, 4, 2], 10),
    layout(&[4, 3, 3, 3], 10),
    layout(&[4, 4, 5], 10),
];
/// How mobile numbers of mainland China are grouped.
const MOBILE_LAYOUTS: &[Layout] = &[layout(&[3, 4, 4], 25), layout(&[3, 3, 5], 10)];
/// How resident identity numbers are grouped: region, birth date, the rest.
const RESIDENT_LAYOUTS: &[Layout] = &[layout(&[6, 8, 4], 0)];
/// What is looked for in groups, in this order.
const LAYOUTS: [(&[Layout], Look); 3] = [
    (RESIDENT_LAYOUTS, resident),
    (CARD_LAYOUTS, card),
    (MOBILE_LAYOUTS, mobile),
];
/// Whether a candidate is a number of one kind.
type Look = fn(&Candidate<'_>, &mut Sink<'_>) -> bool;
/// Digits of a number of no brand that may still be one of a card: of an issuer that is no member
/// of a scheme.
const UNKNOWN_DIGITS_MIN: usize = 14;
/// Groups of the longest layout.
const LAYOUT_GROUPS_MAX: usize = 5;
/// Groups of a phone number with its country code.
const PHONE_GROUPS_MAX: usize = 6;

/// First two digits of resident identity numbers (GB/T 2260): provinces, and who came from outside.
const PROVINCES: &[u32] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91,
];

/// One or more groups that may be one number.
struct Candidate<'t> {
    text: &'t [u8],
    digits: Digits,
    at: Range<usize>,
    /// What the way it is written says.
    weight: i32,
}

/// Where findings go. They are made in place: handing such large things up costs more than finding
/// them.
pub(super) struct Sink<'s> {
    pub(super) siblings: &'s mut Siblings,
    pub(super) found: &'s mut Vec<Hit>,
}

/// Looks at groups that stand together.
pub(super) fn look(text: &[u8], groups: &[Group], sink: &mut Sink<'_>) {
    let (mut at, mut left) = (0, groups.iter().map(|group| group.count).sum::<usize>());
    while left >= DIGITS_MIN as usize
        && let Some(rest) = groups.get(at..)
    {
        let before = at.checked_sub(1).and_then(|at| groups.get(at));
        let taken = first(text, rest, before, sink);
        left -= rest
            .iter()
            .take(taken)
            .map(|group| group.count)
            .sum::<usize>();
        at += taken;
    }
}

/// Looks at what begins with the first group; how many groups it takes.
fn first(text: &[u8], groups: &[Group], before: Option<&Group>, sink: &mut Sink<'_>) -> usize {
    let is_glued = |group: &Group| {
        let byte = group.start.checked_sub(1).and_then(|at| text.get(at));
        byte.is_some_and(u8::is_ascii_digit)
    };
    let Some(head) = groups.first().filter(|group| !is_glued(group)) else {
        return 1;
    };
    if let Some(taken) = international(text, groups, sink) {
        return taken;
    }
    if groups.len() > 1 && head.count <= 8 {
        let shape = shape(groups);
        for (layouts, look) in LAYOUTS {
            for layout in layouts.iter().filter(|layout| layout.fits(shape)) {
                if look(&Candidate::grouped(text, groups, before, layout), sink) {
                    return layout.groups;
                }
            }
        }
    }
    single(text, groups, sink);
    1
}

/// Looks at one group.
fn single(text: &[u8], groups: &[Group], sink: &mut Sink<'_>) {
    let Some((head, next)) = groups.first().map(|head| (head, groups.get(1))) else {
        return;
    };
    let bytes = text.get(head.range()).unwrap_or_default();
    if bytes.len() == head.count && is_none(bytes) {
        if brand::of(bytes).is_some() {
            let place = Place::of(text, head.start, bytes);
            sink.siblings.count(place, false);
        }
        return;
    }
    let candidate = || Candidate::alone(text, head, next);
    match head.count {
        11 => mobile(&candidate(), sink),
        17 => resident_with_x(text, head, sink) || card(&candidate(), sink),
        18 => resident(&candidate(), sink) || card(&candidate(), sink),
        12..=19 => card(&candidate(), sink),
        _ => false,
    };
}

/// Whether digits are no number that is looked for: seen without copying them or looking at what
/// is around, for most are none.
fn is_none(digits: &[u8]) -> bool {
    match digits {
        [first, second, ..] if digits.len() == 11 => !is_mobile(*first, *second),
        [_, _, _, _, _, _, b'1' | b'2', b'9' | b'0', ..] if matches!(digits.len(), 17 | 18) => {
            false
        }
        _ if (12..=19).contains(&digits.len()) => {
            let may_be_unknown = digits.len() >= UNKNOWN_DIGITS_MIN;
            !(luhn(digits) && (may_be_unknown || brand::of(digits).is_some()))
        }
        _ => true,
    }
}

fn is_mobile(first: u8, second: u8) -> bool {
    first == b'1' && matches!(second, b'3'..=b'9')
}

/// The lengths of the first groups that have one separator between them, as layouts have them.
fn shape(groups: &[Group]) -> u32 {
    let separator = groups.get(1).map(|group| group.separator);
    let mut alike = groups.iter().take(LAYOUT_GROUPS_MAX).enumerate();
    let mut shape = 0;
    while let Some((place, group)) = alike.next()
        && (place == 0 || Some(group.separator) == separator)
    {
        shape |= (group.count.min(15) as u32) << (4 * place);
    }
    shape
}

impl Layout {
    /// Whether groups begin so.
    fn fits(&self, shape: u32) -> bool {
        (self.shape ^ shape) << (32 - 4 * self.groups) == 0
    }
}

impl<'t> Candidate<'t> {
    /// One group.
    fn alone(text: &'t [u8], group: &Group, next: Option<&Group>) -> Self {
        let joint = |group: Option<&Group>| match group.map(|group| group.separator) {
            // A fraction, a version, an address.
            Some(b'.') => -30,
            Some(b'-' | b'_') => -15,
            _ => 0,
        };
        let head = Some(group).filter(|group| group.separator != 0);
        Self {
            text,
            digits: Digits::of(text, &[*group]),
            at: group.range(),
            weight: joint(head) + joint(next),
        }
    }

    /// The groups of a layout, before which another may stand.
    fn grouped(text: &'t [u8], groups: &[Group], before: Option<&Group>, layout: &Layout) -> Self {
        let taken = groups.get(..layout.groups).unwrap_or_default();
        let separator = groups.get(1).map(|group| group.separator);
        let goes_on = |group: Option<&Group>| group.map(|group| group.separator) == separator;
        let head = groups.first().filter(|_| before.is_some());
        let neighbours =
            i32::from(goes_on(head)) * 10 + i32::from(goes_on(groups.get(layout.groups))) * 20;
        let end = taken.last().map_or(0, |group| group.end);
        Self {
            text,
            digits: Digits::of(text, taken),
            at: groups.first().map_or(0, |group| group.start)..end,
            weight: layout.says - neighbours,
        }
    }

    /// What stands right before and behind it: letters speak against it, the frame of a magnetic
    /// stripe (ISO/IEC 7813) for it.
    fn frame(&self) -> i32 {
        let byte = |at: Option<usize>| at.and_then(|at| self.text.get(at)).copied().unwrap_or(0);
        let (last, before) = (
            byte(self.at.start.checked_sub(1)),
            byte(self.at.start.checked_sub(2)),
        );
        let (next, behind) = (byte(Some(self.at.end)), byte(Some(self.at.end + 1)));
        let begin = match (before, last) {
            (b'%', b'B' | b'b') => 40,
            (b'\\', b'n' | b't' | b'r') => 0,
            (_, b'm') if self.follows_colour() => 0,
            (_, letter) if letter.is_ascii_alphabetic() => -50,
            _ => 0,
        };
        let end = match (next, behind) {
            (b'^', _) => 40,
            (b'=' | b'D' | b'd', digit) if digit.is_ascii_digit() => 40,
            (letter, _) if letter.is_ascii_alphabetic() => -50,
            _ => 0,
        };
        begin + end
    }

    /// Whether an escape sequence that sets a colour ends right before it, as logs for terminals
    /// have them (ECMA-48, SGR).
    fn follows_colour(&self) -> bool {
        let before = self
            .text
            .get(self.at.start.saturating_sub(12)..self.at.start);
        let parameters = |byte: &&u8| byte.is_ascii_digit() || **byte == b';' || **byte == b'm';
        let mut head = before
            .unwrap_or_default()
            .iter()
            .rev()
            .skip_while(parameters);
        (head.next(), head.next()) == (Some(&b'['), Some(&0x1b))
    }

    /// It is a card number. One that is published for tests is possibly a leak and no more.
    fn card(&self, brand: &'static str, evidence: Evidence) -> Hit {
        let digits = self.digits.as_slice();
        let shown = if digits.len() < 14 {
            masking::Form::Last4
        } else {
            masking::Form::BinAndLast4
        };
        let is_published = brand::is_published(digits);
        let tested = || Evidence::new(evidence.weight.clamp(45, 60));
        Hit {
            kind: if is_published {
                Kind::TestCardNumber
            } else {
                Kind::CardNumber
            },
            what: brand,
            evidence: if is_published { tested() } else { evidence },
            at: self.at.clone(),
            form: Form::Number(self.digits.clone(), shown),
        }
    }

    /// It is another number, for which its name may speak.
    fn hit(&self, (kind, what, topic): (Kind, &'static str, Topic), weight: i32) -> Hit {
        let named = Around::of(self.text, &self.at).weight(topic);
        Hit {
            kind,
            what,
            evidence: Evidence::new(weight + named),
            at: self.at.clone(),
            form: Form::Number(self.digits.clone(), masking::Form::Last4),
        }
    }
}

fn card(candidate: &Candidate<'_>, sink: &mut Sink<'_>) -> bool {
    let digits = candidate.digits.as_slice();
    let passes = luhn(digits);
    let Some((brand, firm)) = brand::of(digits) else {
        let is_one = passes && digits.len() >= UNKNOWN_DIGITS_MIN;
        if is_one {
            sink.found
                .push(candidate.card("unknown", Evidence::new(10)));
        }
        return is_one;
    };
    if !passes {
        let place = Place::of(candidate.text, candidate.at.start, digits);
        sink.siblings.count(place, false);
        return false;
    }
    let around = Around::of(candidate.text, &candidate.at);
    let place = Place::new(around.place, digits);
    sink.siblings.count(place, true);
    let kinds = digits
        .iter()
        .fold(0_u16, |kinds, digit| kinds | 1 << (digit & 15))
        .count_ones();
    let monotony = if kinds < 3 { -40 } else { 0 };
    let expiry = if around.has_expiry() { 15 } else { 0 };
    let around = around.weight(Topic::Card) + monotony + expiry;
    let evidence = Evidence {
        weight: firm + candidate.weight + candidate.frame() + around,
        place: Some(place),
    };
    sink.found.push(candidate.card(brand, evidence));
    true
}

/// GB 11643-1999: a province, a date of birth, and the check digit of ISO 7064, MOD 11-2.
fn resident(candidate: &Candidate<'_>, sink: &mut Sink<'_>) -> bool {
    let digits = candidate.digits.as_slice();
    let number = |range: Range<usize>| {
        let digits = digits.get(range).unwrap_or_default().iter();
        digits.fold(0, |sum, digit| {
            10 * sum + u32::from(digit.wrapping_sub(b'0'))
        })
    };
    let holds = PROVINCES.contains(&number(0..2))
        && (1900..2100).contains(&number(6..10))
        && (1..=12).contains(&number(10..12))
        && (1..=31).contains(&number(12..14))
        && normal::resident_holds(candidate.digits.as_str());
    if holds {
        let weight = 85 + candidate.weight + candidate.frame();
        let kind = (Kind::ResidentId, "resident_id", Topic::Resident);
        sink.found.push(candidate.hit(kind, weight));
    }
    holds
}

/// The same with X for ten as its last character.
fn resident_with_x(text: &[u8], group: &Group, sink: &mut Sink<'_>) -> bool {
    let mut rest = text.get(group.end..).unwrap_or_default().iter();
    if !matches!(rest.next(), Some(b'X' | b'x'))
        || rest.next().is_some_and(u8::is_ascii_alphanumeric)
    {
        return false;
    }
    let mut candidate = Candidate::alone(text, group, None);
    candidate.digits.push(b'X');
    candidate.at.end += 1;
    resident(&candidate, sink)
}

/// A mobile number of mainland China: 11 digits from 13 to 19.
fn mobile(candidate: &Candidate<'_>, sink: &mut Sink<'_>) -> bool {
    let [first, second, ..] = candidate.digits.as_slice() else {
        return false;
    };
    let holds = is_mobile(*first, *second);
    if holds {
        let weight = 50 + candidate.weight + candidate.frame();
        sink.found
            .push(candidate.hit((Kind::Phone, "mobile", Topic::Phone), weight));
    }
    holds
}

/// Looks at a number that begins with `+` or with 86; how many groups it takes.
fn international(text: &[u8], groups: &[Group], sink: &mut Sink<'_>) -> Option<usize> {
    let head = groups.first()?;
    let last = head.start.checked_sub(1).and_then(|at| text.get(at));
    let has_plus = last == Some(&b'+') || head.separator == b'+';
    if !has_plus && !text.get(head.range())?.starts_with(b"86") {
        return None;
    }
    let (mut taken, mut count) = (0, 0);
    for group in groups.iter().take(PHONE_GROUPS_MAX) {
        if (taken > 0 && group.separator == b'+') || count + group.count > 15 {
            break;
        }
        (taken, count) = (taken + 1, count + group.count);
    }
    let numbers = groups.get(..taken)?;
    let digits = Digits::of(text, numbers);
    let is_mainland = matches!(
        digits.as_slice(),
        [b'8', b'6', first, second, rest @ ..] if rest.len() == 9 && is_mobile(*first, *second)
    );
    let is_foreign = has_plus && count >= 11 && !digits.as_slice().starts_with(b"0");
    if !is_mainland && !is_foreign {
        return None;
    }
    let candidate = Candidate {
        text,
        digits,
        at: head.start - usize::from(has_plus)..numbers.last()?.end,
        weight: 0,
    };
    let weight = match (is_mainland, has_plus) {
        (true, true) => 80,
        (true, false) => 55,
        (false, _) => 50,
    };
    sink.found
        .push(candidate.hit((Kind::Phone, "phone", Topic::Phone), weight));
    Some(taken)
}
