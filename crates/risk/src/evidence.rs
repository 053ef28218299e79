//! How the scores of rules that fire together add up to one score.
//!
//! The fraud engine adds points. The laundering engine takes each rule for independent evidence: a
//! score of 400 leaves 600 of a thousand doubts, a second one 600 of those (noisy-or; Pearl,
//! Probabilistic Reasoning in Intelligent Systems, 1988). The logarithm of doubt is a sum, so that
//! scores made of log-odds add as those do, and many strong rules come close to 1000 without all of
//! them being the same 1000: what fires more always ranks higher.

use paywarden_domain::Engine;
use std::sync::LazyLock;

/// The highest score.
pub(crate) const SCORE_MAX: u16 = 1000;
/// Units of evidence by which doubt falls to its e-th part.
const PER_E: f64 = 100_000.0;
/// What a score of 1000 is worth: doubt that rounds to nothing.
const CERTAIN: u32 = 1_000_000;

/// The evidence of each score under [`Engine::Laundering`].
static OF_SCORE: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let doubt = |score: u16| 1.0 - f64::from(score) / f64::from(SCORE_MAX);
    let of = |score| (-doubt(score).ln() * PER_E).round() as u32;
    (0..SCORE_MAX)
        .map(of)
        .chain(std::iter::once(CERTAIN))
        .collect()
});

/// The least evidence that comes to each score under [`Engine::Laundering`].
static LEAST: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut least = Vec::with_capacity(usize::from(SCORE_MAX) + 1);
    for score in 0..=SCORE_MAX {
        // Half a point below it is rounded up; a step to either side of that settles the rounding.
        let doubt = 1.0 - (f64::from(score) - 0.5) / f64::from(SCORE_MAX);
        let near = (-doubt.ln() * PER_E).max(0.0).round() as u32;
        let reaches = |evidence: &u32| self::score(Engine::Laundering, *evidence) >= score;
        let first = (near.saturating_sub(2)..=near.saturating_add(2)).find(reaches);
        least.push(first.unwrap_or(CERTAIN));
    }
    least
});

/// The least evidence of laundering that comes to a score: whether a score is reached is a
/// comparison of whole numbers.
pub(crate) fn least(score: u16) -> u32 {
    LEAST.get(usize::from(score)).copied().unwrap_or(u32::MAX)
}

/// What a rule of this score adds.
pub(crate) fn of(engine: Engine, score: u16) -> u32 {
    let score = score.min(SCORE_MAX);
    match engine {
        Engine::Fraud => u32::from(score),
        Engine::Laundering => OF_SCORE.get(usize::from(score)).copied().unwrap_or(CERTAIN),
    }
}

/// The score that so much evidence comes to, 0 to 1000: that of one rule alone is its own.
pub(crate) fn score(engine: Engine, evidence: u32) -> u16 {
    match engine {
        Engine::Fraud => u16::try_from(evidence).unwrap_or(SCORE_MAX).min(SCORE_MAX),
        Engine::Laundering => {
            let certain = 1.0 - (-f64::from(evidence) / PER_E).exp();
            (certain * f64::from(SCORE_MAX)).round() as u16
        }
    }
}

/// The score of an engine whose rules of these scores fire together.
pub fn combined(engine: Engine, scores: impl IntoIterator<Item = u16>) -> u16 {
    let add = |sum: u32, one: u16| sum.saturating_add(of(engine, one));
    score(engine, scores.into_iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_rule_alone_has_its_own_score() {
        for engine in Engine::ALL {
            for score in 0..=SCORE_MAX {
                assert_eq!(combined(engine, [score]), score, "{engine:?}");
            }
        }
    }

    #[test]
    fn points_of_fraud_add_and_evidence_of_laundering_never_saturates_below_certainty() {
        assert_eq!(combined(Engine::Fraud, [400, 300, 400]), 1000);
        // 0.6 x 0.7 x 0.6 of all doubt is left.
        assert_eq!(combined(Engine::Laundering, [400, 300, 400]), 748);
        assert_eq!(combined(Engine::Laundering, []), 0);
    }

    #[test]
    fn the_least_evidence_of_a_score_reaches_it_and_less_does_not() {
        assert_eq!(least(0), 0);
        for wanted in 1..=SCORE_MAX {
            let least = least(wanted);
            assert!(score(Engine::Laundering, least) >= wanted, "{wanted}");
            assert!(score(Engine::Laundering, least - 1) < wanted, "{wanted}");
        }
        assert_eq!(self::least(SCORE_MAX + 1), u32::MAX);
    }

    proptest! {
        #[test]
        fn scores_are_the_product_of_doubts(scores in prop::collection::vec(0u16..1000, 0..12)) {
            let doubt: f64 = scores.iter().map(|score| 1.0 - f64::from(*score) / 1000.0).product();
            let expected = (1.0 - doubt) * 1000.0;
            let found = f64::from(combined(Engine::Laundering, scores));
            prop_assert!((found - expected).abs() < 0.6, "{found} {expected}");
        }

        #[test]
        fn more_evidence_is_never_a_lower_score(
            scores in prop::collection::vec(0u16..=1000, 0..12), more in 0u16..=1000,
        ) {
            for engine in Engine::ALL {
                let before = combined(engine, scores.iter().copied());
                let after = combined(engine, scores.iter().copied().chain([more]));
                prop_assert!(after >= before);
            }
        }
    }
}
