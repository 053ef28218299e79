//! Runs and repeats.

use super::{Finding, Pattern, text::Text};

const RUN_MIN: usize = 3;
/// A run begins here more often than elsewhere.
const OBVIOUS: &str = "az019";

pub(super) fn find(text: &Text, findings: &mut Vec<Finding>) {
    runs(&text.plain, findings);
    repeats(&text.plain, findings);
}

/// Letters or digits that each follow the one before, or precede it.
fn runs(chars: &[char], findings: &mut Vec<Finding>) {
    let step = |place: usize| {
        let (from, to) = (*chars.get(place)?, *chars.get(place + 1)?);
        let alike = from.is_ascii_digit() && to.is_ascii_digit()
            || from.is_ascii_alphabetic() && to.is_ascii_alphabetic();
        let step = i64::from(to as u32) - i64::from(from as u32);
        (alike && step.abs() == 1).then_some(step)
    };
    let mut start = 0;
    while start < chars.len() {
        let direction = step(start);
        let mut end = start + 1;
        while direction.is_some() && step(end - 1) == direction {
            end += 1;
        }
        if end - start >= RUN_MIN {
            let first = chars.get(start).copied().unwrap_or_default();
            let base = match first {
                _ if OBVIOUS.contains(first) => 4,
                '0'..='9' => 10,
                _ => 26,
            };
            let turned = if direction == Some(-1) { 2 } else { 1 };
            findings.push(Finding {
                pattern: Pattern::Run,
                start,
                end,
                guesses_log10: ((base * turned * (end - start)) as f64).log10(),
            });
        }
        start = end.max(start + 1) - usize::from(end - start >= 2);
    }
}

/// A unit of one character three times, or a longer one twice.
fn repeats(chars: &[char], findings: &mut Vec<Finding>) {
    for unit in 1..=chars.len() / 2 {
        let mut start = 0;
        while start + unit < chars.len() {
            let same = |place: &usize| chars.get(*place) == chars.get(*place + unit);
            let equal = (start..chars.len() - unit).take_while(same).count();
            let times = equal / unit + 1;
            if times >= if unit == 1 { 3 } else { 2 } {
                findings.push(Finding {
                    pattern: Pattern::Repeat,
                    start,
                    end: start + times * unit,
                    guesses_log10: unit as f64 + (times as f64).log10(),
                });
                start += times * unit;
            } else {
                start += equal + 1;
            }
        }
    }
}
