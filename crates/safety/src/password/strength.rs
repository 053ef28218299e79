//! How many guesses a password withstands: the cheapest way to put it together from its guessable
//! parts and single characters, after Wheeler, "zxcvbn: low-budget password strength estimation",
//! USENIX Security 2016.

use super::{Finding, LENGTH_MAX, Pattern};
use zxcvbn::matching::patterns::MatchPattern;

/// Guesses for a character about which nothing is known; zxcvbn takes the same ten.
const CHARACTER_LOG10: f64 = 1.0;
/// More parts than that are not weighed against each other.
const PARTS_MAX: usize = 16;
/// Below 10^3, 10^6, 10^8, 10^10 guesses.
const SCORES_LOG10: [f64; 4] = [3.0, 6.0, 8.0, 10.0];

pub(super) fn score(guesses_log10: f64) -> u8 {
    SCORES_LOG10
        .iter()
        .map(|limit| u8::from(guesses_log10 >= *limit))
        .sum()
}

/// The estimate of zxcvbn, and the common words that it found.
pub(super) struct Common {
    pub guesses_log10: f64,
    pub findings: Vec<Finding>,
}

/// Asks zxcvbn, which knows English words, names and leaked passwords.
pub(super) fn common(password: &str, known: &[String]) -> Common {
    let password: String = password.chars().take(LENGTH_MAX).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let entropy = zxcvbn::zxcvbn(&password, &known);
    let findings = entropy.sequence().iter().filter_map(|part| {
        let dictionary = matches!(part.pattern, MatchPattern::Dictionary(_));
        let guesses = part.guesses.filter(|_| dictionary)?;
        Some(Finding {
            pattern: Pattern::Common,
            start: part.i,
            end: part.j + 1,
            guesses_log10: (guesses.max(1) as f64).log10(),
        })
    });
    Common {
        guesses_log10: entropy.guesses_log10(),
        findings: findings.collect(),
    }
}

/// The decimal logarithm of the guesses for the cheapest sequence of parts. A sequence of `n` parts
/// costs the product of theirs, times the `n!` orders that an attacker has to try.
pub(super) fn guesses_log10(length: usize, findings: &[Finding]) -> f64 {
    // best[n][place]: the cheapest n parts that end at the place, the last of them guessable.
    // open[n][place]: the same where the last part is single characters.
    let none = vec![f64::INFINITY; length + 1];
    let mut best = vec![none.clone(); PARTS_MAX + 1];
    let mut open = vec![none; PARTS_MAX + 1];
    set(&mut best, 0, 0, 0.0);
    let mut by_end: Vec<&Finding> = findings.iter().filter(|f| f.end <= length).collect();
    by_end.sort_by_key(|finding| finding.end);
    for end in 1..=length {
        for parts in 1..=PARTS_MAX {
            let from = end - 1;
            let begun = at(&best, parts - 1, from).min(at(&open, parts, from));
            set(&mut open, parts, end, begun + CHARACTER_LOG10);
            let first = by_end.partition_point(|finding| finding.end < end);
            let ending = by_end.get(first..).unwrap_or_default().iter();
            for finding in ending.take_while(|finding| finding.end == end) {
                let before =
                    at(&best, parts - 1, finding.start).min(at(&open, parts - 1, finding.start));
                set(&mut best, parts, end, before + finding.guesses_log10);
            }
        }
    }
    let mut orders_log10 = 0.0;
    let whole = (0..=PARTS_MAX).map(|parts| {
        orders_log10 += (parts.max(1) as f64).log10();
        at(&best, parts, length).min(at(&open, parts, length)) + orders_log10
    });
    whole.fold(f64::INFINITY, f64::min)
}

fn at(costs: &[Vec<f64>], parts: usize, place: usize) -> f64 {
    costs
        .get(parts)
        .and_then(|row| row.get(place))
        .copied()
        .unwrap_or(f64::INFINITY)
}

fn set(costs: &mut [Vec<f64>], parts: usize, place: usize, cost: f64) {
    if let Some(slot) = costs.get_mut(parts).and_then(|row| row.get_mut(place)) {
        *slot = slot.min(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finding((start, length, cost): (usize, usize, u8)) -> Finding {
        Finding {
            pattern: Pattern::Run,
            start,
            end: start + length,
            guesses_log10: f64::from(cost) / 10.0,
        }
    }

    /// Every sequence of parts, one by one.
    fn brute(
        length: usize,
        at: usize,
        after_open: bool,
        parts: usize,
        findings: &[Finding],
    ) -> f64 {
        let orders: f64 = (1..=parts).map(|n| (n as f64).log10()).sum();
        if at == length {
            return orders;
        }
        let mut least = f64::INFINITY;
        for finding in findings.iter().filter(|f| f.start == at && f.end <= length) {
            let rest = brute(length, finding.end, false, parts + 1, findings);
            least = least.min(finding.guesses_log10 + rest);
        }
        if !after_open {
            for end in at + 1..=length {
                let rest = brute(length, end, true, parts + 1, findings);
                least = least.min((end - at) as f64 * CHARACTER_LOG10 + rest);
            }
        }
        least
    }

    proptest! {
        #[test]
        fn no_sequence_of_parts_is_cheaper(
            length in 0usize..9,
            parts in proptest::collection::vec((0usize..8, 1usize..6, 0u8..40), 0..7),
        ) {
            let findings: Vec<Finding> = parts.into_iter().map(finding).collect();
            let (ours, brute) = (guesses_log10(length, &findings), brute(length, 0, false, 0, &findings));
            prop_assert!((ours - brute).abs() < 1e-9, "{ours} {brute}");
        }
    }

    #[test]
    fn scores_begin_at_their_limits() {
        let scores = [0.0, 2.9, 3.0, 6.0, 8.0, 9.9, 10.0].map(score);
        assert_eq!(scores, [0, 0, 1, 2, 3, 3, 4]);
    }
}
