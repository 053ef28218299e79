//! Where enough digits stand together: a mask of 64 bytes at a time, and the groups at one place.

use std::ops::Range;
use zeroize::Zeroizing;

const BLOCK: usize = 64;
/// Groups of one run.
const GROUPS_MAX: usize = 24;
/// Groups of a run that was cut which are looked at again with what follows: the most groups of
/// one number.
const GROUPS_AGAIN: usize = 6;
/// Digits of the shortest number that is looked for.
pub(super) const DIGITS_MIN: u32 = 11;
/// Digits that are kept of a number.
const DIGITS_MAX: usize = 20;

/// Digits that stand together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// How many digits it has.
    pub(super) count: usize,
    /// First byte.
    pub(super) start: usize,
    /// The byte behind.
    pub(super) end: usize,
    /// What stands between it and the group before; 0 for the first.
    pub(super) separator: u8,
}

impl Group {
    /// Where it stands.
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The digits of one or more groups, at most [`DIGITS_MAX`]; of what has more nothing is a number
/// that is looked for.
#[derive(Clone, Default)]
pub(super) struct Digits {
    bytes: Zeroizing<[u8; DIGITS_MAX]>,
    count: u8,
}

impl Digits {
    /// Of these groups.
    pub(super) fn of(text: &[u8], groups: &[Group]) -> Self {
        let mut digits = Self::default();
        for group in groups {
            let bytes = text.get(group.range()).unwrap_or_default();
            let from = usize::from(digits.count);
            let slots = digits.bytes.get_mut(from..from + group.count);
            // Nothing stands between these, as mostly.
            if let Some(slots) = slots.filter(|slots| slots.len() == bytes.len()) {
                slots.copy_from_slice(bytes);
                digits.count += slots.len() as u8;
                continue;
            }
            let found = bytes.iter().filter(|byte| byte.is_ascii_digit());
            found.for_each(|byte| digits.push(*byte));
        }
        digits
    }

    /// One more character.
    pub(super) fn push(&mut self, digit: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.count)) {
            *slot = digit;
            self.count += 1;
        }
    }

    /// The digits.
    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(self.as_slice()).unwrap_or_default()
    }

    /// The digits, as bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.count))
            .unwrap_or_default()
    }
}

/// Places of a text where eleven digits begin, alone or with one separator between two.
///
/// Of each block two bit masks are made, of digits and of what may part them; shifting them over
/// themselves leaves the bits behind which eleven of them stand, so that a block without such a place
/// costs no branch for any byte.
pub(super) struct Places<'t> {
    text: &'t [u8],
    /// No place at or behind it is looked for.
    end: usize,
    /// Where the first block begins.
    at: usize,
    /// The first block, without what was asked for before, and the one behind it.
    blocks: [Masks; 2],
}

/// Where eleven digits begin.
#[derive(Clone, Copy)]
pub(super) struct Run {
    start: usize,
    /// Bit n is set if the byte n behind the start is a digit.
    digits: u128,
    /// How many bits there are.
    seen: usize,
}

/// Bit n is about byte n of a block.
#[derive(Clone, Copy)]
struct Masks {
    digits: u64,
    /// Bytes below `0`: every separator is one.
    low: u64,
}

impl<'t> Places<'t> {
    /// Places in this range.
    pub(super) fn new(text: &'t [u8], range: Range<usize>) -> Self {
        let at = range.start;
        Self {
            text,
            end: range.end,
            at,
            blocks: [Masks::at(text, at), Masks::at(text, at + BLOCK)],
        }
    }

    /// The first place that is not before `from`, which is not before what was asked for last.
    pub(super) fn next(&mut self, from: usize) -> Option<Run> {
        while from >= self.at + BLOCK {
            self.advance();
        }
        self.blocks[0].digits &= u64::MAX << from.saturating_sub(self.at);
        while self.at < self.end {
            let [first, second] = self.blocks;
            if first.digits != 0 {
                let both = |first, second| u128::from(first) | (u128::from(second) << BLOCK);
                let digits = both(first.digits, second.digits);
                let gaps = both(first.low, second.low) & (digits << 1) & (digits >> 1);
                if let Some(place) = self.enough(digits, gaps) {
                    let run = Run {
                        start: self.at + place as usize,
                        digits: digits >> place,
                        seen: 2 * BLOCK - place as usize,
                    };
                    return (run.start < self.end).then_some(run);
                }
            }
            self.advance();
        }
        None
    }

    fn advance(&mut self) {
        let [_, second] = self.blocks;
        self.at += BLOCK;
        self.blocks = [second, Masks::at(self.text, self.at + BLOCK)];
    }

    /// The first place of the first block at which eleven digits stand, parted by nothing else than
    /// what may part a number; looked at closer only where eleven stand parted by anything.
    fn enough(&self, digits: u128, gaps: u128) -> Option<u32> {
        let joined = digits | gaps;
        let mut starts = starts(joined);
        while starts != 0 {
            let place = starts.trailing_zeros();
            let behind = place + (joined >> place).trailing_ones();
            let behind = u128::MAX.checked_shl(behind).unwrap_or(0);
            if (digits >> place).trailing_ones() >= DIGITS_MIN {
                return Some(place);
            }
            let within = !behind & u128::MAX << place;
            let (digits, gaps) = (digits & within, gaps & within);
            if digits.count_ones() >= DIGITS_MIN
                && let Some(place) = enough(digits, self.separators(gaps))
            {
                return Some(place);
            }
            starts &= behind as u64;
        }
        None
    }

    /// Of bytes between two digits those that may part a number.
    fn separators(&self, gaps: u128) -> u128 {
        let (mut rest, mut separators) = (gaps, 0);
        while rest != 0 {
            let place = rest.trailing_zeros() as usize;
            let byte = self.text.get(self.at + place);
            if matches!(byte, Some(0 | b' ' | b'-' | b'.' | b'+' | b'%')) {
                separators |= 1 << place;
            }
            rest &= rest - 1;
        }
        separators
    }
}

/// The bits of the first block behind which ten more follow.
fn starts(joined: u128) -> u64 {
    let two = joined & (joined >> 1);
    let four = two & (two >> 2);
    let eight = four & (four >> 4);
    (eight & (eight >> 3)) as u64
}

/// The first place of the first block at which eleven digits stand joined: dates and addresses have
/// fewer. Of what is joined at least half are digits, so that no run behind whose end the mask ends
/// is missed.
fn enough(digits: u128, separators: u128) -> Option<u32> {
    let joined = digits | separators;
    let mut starts = starts(joined);
    while starts != 0 {
        let place = starts.trailing_zeros();
        let length = (joined >> place).trailing_ones();
        let run = digits >> place & !u128::MAX.checked_shl(length).unwrap_or(0);
        if run.count_ones() >= DIGITS_MIN {
            return Some(place);
        }
        starts &= u64::MAX.checked_shl(place + length).unwrap_or(0);
    }
    None
}

impl Masks {
    /// Of the block that begins here; what is behind the end of the text is no digit.
    fn at(text: &[u8], at: usize) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first_chunk::<BLOCK>() {
            Some(block) => Self::of(block),
            None => {
                let mut block = [0; BLOCK];
                for (to, from) in block.iter_mut().zip(rest) {
                    *to = *from;
                }
                Self::of(&block)
            }
        }
    }

    /// Eight bytes at a time in one word. What is `0` to `9` becomes 0 to 9 by XOR, and adding 0x76
    /// leaves the high bit clear just for those; adding 0x50 leaves it clear for what is below `0`.
    /// A multiplication gathers the eight bits.
    fn of(block: &[u8; BLOCK]) -> Self {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        const ZEROS: u64 = 0x3030_3030_3030_3030;
        const NO_DIGIT: u64 = 0x7676_7676_7676_7676;
        const NOT_LOW: u64 = 0x5050_5050_5050_5050;
        const GATHER: u64 = 0x0102_0408_1020_4080;
        let clear = |word: u64, add: u64| {
            let set = (word & !HIGH).wrapping_add(add) | word;
            ((!set & HIGH) >> 7).wrapping_mul(GATHER) >> 56
        };
        let (words, _) = block.as_chunks::<8>();
        let mut masks = Self { digits: 0, low: 0 };
        for (place, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            masks.digits |= clear(word ^ ZEROS, NO_DIGIT) << (8 * place);
            masks.low |= clear(word, NOT_LOW) << (8 * place);
        }
        masks
    }
}

/// The groups of a run, into `groups`; where to go on behind them.
pub(super) fn read(text: &[u8], run: Run, groups: &mut Vec<Group>) -> usize {
    groups.clear();
    let (mut at, mut separator) = (run.start, 0);
    loop {
        // Where the mask ends a group is read byte by byte.
        let place = at - run.start;
        let digits = run.digits.checked_shr(place as u32).unwrap_or(0);
        let count = digits.trailing_ones() as usize;
        let is_whole = place + count < run.seen && text.get(at + count) != Some(&0);
        let group = match is_whole && count > 0 {
            true => Group {
                count,
                start: at,
                end: at + count,
                separator,
            },
            false => group(text, at, separator),
        };
        groups.push(group);
        let Some((found, length)) = separator_at(text, group.end) else {
            return group.end;
        };
        if groups.len() == GROUPS_MAX {
            let again = groups.iter().rev().nth(GROUPS_AGAIN - 1);
            return again.map_or(group.end, |group| group.start);
        }
        (separator, at) = (found, group.end + length);
    }
}

/// Digits from `at` on. A zero byte between two digits does not part them: so do texts in UTF-16
/// have them.
fn group(text: &[u8], at: usize, separator: u8) -> Group {
    let is_digit = |place: usize| text.get(place).is_some_and(u8::is_ascii_digit);
    let (mut count, mut end) = (0, at);
    while is_digit(end) {
        (count, end) = (count + 1, end + 1);
        if text.get(end) == Some(&0) && is_digit(end + 1) {
            end += 1;
        }
    }
    Group {
        count,
        start: at,
        end,
        separator,
    }
}

/// What parts two groups at this place, and its length: one byte, or a blank as URLs write it.
fn separator_at(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = text.get(at..)?;
    match *rest {
        [b'%', b'2', b'0', digit, ..] if digit.is_ascii_digit() => Some((b' ', 3)),
        [separator @ (b' ' | b'-' | b'.' | b'+'), digit, ..] if digit.is_ascii_digit() => {
            Some((separator, 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same as [`Places::next`], byte by byte.
    fn oracle(text: &[u8], from: usize) -> Option<usize> {
        let is_digit = |place: usize| text.get(place).is_some_and(u8::is_ascii_digit);
        let parts = |place: usize| b" -.+%\0".contains(&text[place]);
        let joined = |place: usize| {
            let is_between = place > from && is_digit(place - 1) && is_digit(place + 1);
            is_digit(place) || (is_between && parts(place))
        };
        let end = |start: usize| (start..).find(|place| !joined(*place)).unwrap();
        let is_enough = |start: &usize| {
            let run = *start..end(*start);
            let digits = run.clone().filter(|place| is_digit(*place)).count();
            digits >= 11
        };
        (from..text.len()).find(is_enough)
    }

    #[test]
    fn every_byte_has_its_bit() {
        for byte in 0..=255_u8 {
            for place in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[place] = byte;
                let masks = Masks::of(&block);
                let expected = u64::from(byte.is_ascii_digit()) << place;
                assert_eq!(masks.digits, expected, "byte {byte} at {place}");
                assert_eq!(
                    masks.low,
                    u64::from(byte < b'0') << place,
                    "byte {byte} at {place}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_looking_at_each_byte(
            text in proptest::collection::vec(prop_oneof![6 => b'0'..=b'9', 2 => Just(b'-'), 1 => any::<u8>()], 0..400),
            from in 0..64_usize,
            step in 0..90_usize,
        ) {
            let mut places = Places::new(&text, 0..text.len());
            let mut at = from;
            loop {
                let found = places.next(at);
                let expected = oracle(&text, at);
                let Some(run) = found else {
                    prop_assert_eq!(expected, None);
                    break;
                };
                prop_assert_eq!(Some(run.start), expected);
                prop_assert!(run.seen > BLOCK);
                for place in 0..run.seen {
                    let is_digit = text.get(run.start + place).is_some_and(u8::is_ascii_digit);
                    prop_assert_eq!(run.digits >> place & 1 == 1, is_digit);
                }
                at = run.start + 1 + step;
            }
        }
    }

    #[test]
    fn groups_are_read_in_every_way_of_writing() {
        for (text, counts) in [
            ("4012888888881881", vec![16]),
            ("4012 8888-8888%201881x", vec![4, 4, 4, 4]),
            ("4\x000\x001\x002\x008", vec![5]),
            ("12  34", vec![2]),
            ("12,34", vec![2]),
        ] {
            let mut groups = Vec::new();
            let run = Run {
                start: 0,
                digits: 0,
                seen: 0,
            };
            read(text.as_bytes(), run, &mut groups);
            let read: Vec<_> = groups.iter().map(|group| group.count).collect();
            assert_eq!(read, counts, "{text}");
        }
    }

    #[test]
    fn a_run_without_end_is_read_in_parts() {
        let text = "1.".repeat(10_000);
        let mut places = Places::new(text.as_bytes(), 0..text.len());
        let (mut from, mut parts, mut groups) = (0, 0, Vec::new());
        while let Some(run) = places.next(from) {
            from = read(text.as_bytes(), run, &mut groups);
            assert!(from > run.start);
            parts += 1;
        }
        assert!(parts <= 10_000 / (GROUPS_MAX - GROUPS_AGAIN) + 2);
    }
}
