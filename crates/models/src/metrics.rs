//! How good scores are: at a budget of alerts, over all budgets, and by how much that may differ.

use crate::random::Random;

/// A scored payment beside what it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What it is ranked by, highest first.
    pub score: f64,
    /// Whether it was fraud.
    pub fraud: bool,
    /// What it was worth, in minor units of one currency.
    pub amount: f64,
}

/// What a budget of alerts brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caught {
    /// The share of frauds that are alerted.
    pub recall: f64,
    /// The share of alerts that are frauds.
    pub precision: f64,
    /// The share of the amount of frauds that is alerted: the prevention rate.
    pub value: f64,
}

/// A payment for [`card_precision`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfCard {
    /// The day, by any count.
    pub day: i64,
    /// Whose payment it is.
    pub card: u64,
    /// What it is ranked by.
    pub score: f64,
    /// Whether it was fraud.
    pub fraud: bool,
}

/// A figure, and where it lies in nine of ten redrawings of the days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// On the days as they were.
    pub seen: f64,
    /// The 5 % quantile.
    pub low: f64,
    /// The 95 % quantile.
    pub high: f64,
}

/// Average precision: the sum over thresholds of the gain in recall times the precision there,
/// payments with equal scores taken together. `NaN` without frauds.
pub fn average_precision(scored: &[Scored]) -> f64 {
    let ranked = ranked(scored);
    let frauds = scored.iter().filter(|one| one.fraud).count() as f64;
    let (mut seen, mut caught, mut sum) = (0.0, 0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.score <= other.score) {
        let found = equal.iter().filter(|one| one.fraud).count() as f64;
        seen += equal.len() as f64;
        caught += found;
        sum += found * caught / seen;
    }
    sum / frauds
}

/// The chance that a fraud scores above a genuine payment, ties counting half. `NaN` without both.
pub fn area_under_roc(scored: &[Scored]) -> f64 {
    let ranked = ranked(scored);
    let (mut frauds_above, mut genuine, mut sum) = (0.0, 0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.score <= other.score) {
        let found = equal.iter().filter(|one| one.fraud).count() as f64;
        let others = equal.len() as f64 - found;
        sum += others * (frauds_above + found / 2.0);
        frauds_above += found;
        genuine += others;
    }
    sum / (frauds_above * genuine)
}

/// What alerting this share of the payments brings, highest scores first and of equal ones the
/// earlier.
pub fn at_rate(scored: &[Scored], rate: f64) -> Caught {
    let ranked = ranked(scored);
    let alerts = ((rate * scored.len() as f64).round() as usize).min(scored.len());
    let sums = |part: &[&Scored]| {
        let frauds = part.iter().filter(|one| one.fraud);
        frauds.fold((0.0, 0.0), |(count, sum), one| {
            (count + 1.0, sum + one.amount)
        })
    };
    let (caught, value) = sums(&ranked[..alerts]);
    let (frauds, whole) = sums(&ranked);
    Caught {
        recall: caught / frauds,
        precision: caught / alerts as f64,
        value: value / whole,
    }
}

/// The smallest share of payments that must be alerted to catch this share of frauds, and the
/// precision there. None without frauds.
pub fn cost_of(scored: &[Scored], recall: f64) -> Option<(f64, f64)> {
    let frauds = scored.iter().filter(|one| one.fraud).count() as f64;
    let wanted = (recall * frauds).ceil().max(1.0);
    let mut caught = 0.0;
    for (place, one) in ranked(scored).iter().enumerate() {
        caught += f64::from(u8::from(one.fraud));
        if caught >= wanted {
            let alerts = place as f64 + 1.0;
            return Some((alerts / scored.len() as f64, caught / alerts));
        }
    }
    None
}

/// Points of the precision-recall curve, from the first alert to the last fraud: recall,
/// precision and alert rate, at most `points` of them.
pub fn curve(scored: &[Scored], points: usize) -> Vec<[f64; 3]> {
    let steps = (1..=points).map(|step| step as f64 / points as f64);
    let point = |recall| cost_of(scored, recall).map(|(rate, precision)| [recall, precision, rate]);
    steps.filter_map(point).collect()
}

/// Card Precision@k of the Fraud Detection Handbook (chapter 4): each day the `k` cards with the
/// highest score of a payment are looked at; the share of them with a fraud that day, averaged over
/// the days. A card that was found is not looked at again.
pub fn card_precision(payments: &[OfCard], k: usize) -> f64 {
    let mut payments = payments.to_vec();
    payments.sort_by_key(|payment| (payment.day, payment.card));
    let mut found = std::collections::BTreeSet::new();
    let (mut days, mut sum) = (0.0, 0.0);
    for day in payments.chunk_by(|one, other| one.day == other.day) {
        let cards = day.chunk_by(|one, other| one.card == other.card);
        let mut cards: Vec<(f64, u64, bool)> = cards
            .filter(|card| !found.contains(&card[0].card))
            .map(|card| {
                let score = card
                    .iter()
                    .map(|one| one.score)
                    .fold(f64::NEG_INFINITY, f64::max);
                (score, card[0].card, card.iter().any(|one| one.fraud))
            })
            .collect();
        cards.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let hits = cards
            .iter()
            .take(k)
            .filter(|card| card.2)
            .map(|card| card.1);
        let before = found.len();
        found.extend(hits);
        sum += (found.len() - before) as f64 / k as f64;
        days += 1.0;
    }
    sum / days
}

/// Expected calibration error: payments in `bins` of equal size by score, the distance of mean
/// score and share of frauds in each, weighted by size.
pub fn calibration_error(scored: &[Scored], bins: usize) -> f64 {
    let ranked = ranked(scored);
    let size = ranked.len().div_ceil(bins).max(1);
    let apart = |bin: &[&Scored]| {
        let mean: f64 = bin.iter().map(|one| one.score).sum();
        (mean - bin.iter().filter(|one| one.fraud).count() as f64).abs()
    };
    ranked.chunks(size).map(apart).sum::<f64>() / ranked.len() as f64
}

/// A figure of payments by day. Days are drawn with replacement (bootstrap; Efron and Tibshirani,
/// "An introduction to the bootstrap", 1993): payments of a day hang together, days hardly do.
pub fn interval<T: Copy>(
    days: &[Vec<T>],
    draws: usize,
    seed: u64,
    figure: impl Fn(&[T]) -> f64,
) -> Interval {
    let mut random = Random::new(seed);
    let drawn = (0..draws).map(|_| {
        let days = days
            .iter()
            .map(|_| days[random.below(days.len())].as_slice());
        figure(&days.collect::<Vec<_>>().concat())
    });
    let mut drawn: Vec<f64> = drawn.collect();
    drawn.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let place = (share * drawn.len() as f64) as usize;
        drawn
            .get(place.min(drawn.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    };
    Interval {
        seen: figure(&days.concat()),
        low: quantile(0.05),
        high: quantile(0.95),
    }
}

/// By how much the second of two models is above the first in a figure, both asked for the same
/// payments: the same days are drawn for both, so that what makes a day hard cancels out.
pub fn paired_days(
    days: &[Vec<[Scored; 2]>],
    draws: usize,
    seed: u64,
    figure: impl Fn(&[Scored]) -> f64,
) -> Interval {
    interval(days, draws, seed, |pairs| {
        let side = |side: usize| pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>();
        figure(&side(1)) - figure(&side(0))
    })
}

/// Highest scores first; of equal ones in the order given.
fn ranked(scored: &[Scored]) -> Vec<&Scored> {
    let mut ranked: Vec<&Scored> = scored.iter().collect();
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(rows: &[(f64, bool)]) -> Vec<Scored> {
        let one = |(score, fraud): &(f64, bool)| Scored {
            score: *score,
            fraud: *fraud,
            amount: 10.0 * score,
        };
        rows.iter().map(one).collect()
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    /// Ranks by counting, pair by pair and threshold by threshold.
    fn by_counting(rows: &[Scored]) -> (f64, f64) {
        let (mut wins, mut pairs, mut precision) = (0.0, 0.0, 0.0);
        let frauds: Vec<_> = rows.iter().filter(|one| one.fraud).collect();
        for fraud in &frauds {
            for other in rows.iter().filter(|one| !one.fraud) {
                pairs += 1.0;
                wins += match fraud.score.total_cmp(&other.score) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
            let above = rows.iter().filter(|one| one.score >= fraud.score);
            let (all, hits) = above.fold((0.0, 0.0), |(all, hits), one| {
                (all + 1.0, hits + f64::from(u8::from(one.fraud)))
            });
            precision += hits / all;
        }
        (precision / frauds.len() as f64, wins / pairs)
    }

    #[test]
    fn areas_are_what_counting_gives() {
        let mut random = Random::new(1);
        for _ in 0..200 {
            let row = |_| (random.below(12) as f64, random.below(3) == 0);
            let mut rows = scored(&(0..40).map(row).collect::<Vec<_>>());
            rows[0].fraud = true;
            rows[1].fraud = false;
            let (precision, wins) = by_counting(&rows);
            near(average_precision(&rows), precision);
            near(area_under_roc(&rows), wins);
        }
    }

    #[test]
    fn a_budget_catches_what_stands_first() {
        let rows = scored(&[
            (0.9, true),
            (0.8, false),
            (0.7, true),
            (0.1, true),
            (0.05, false),
        ]);
        let caught = at_rate(&rows, 0.6);
        near(caught.recall, 2.0 / 3.0);
        near(caught.precision, 2.0 / 3.0);
        near(caught.value, 16.0 / 17.0);
        assert_eq!(cost_of(&rows, 1.0), Some((0.8, 0.75)));
        assert_eq!(curve(&rows, 3).len(), 3);
        assert!(cost_of(&scored(&[(1.0, false)]), 0.5).is_none());
    }

    #[test]
    fn a_card_counts_once_a_day_and_not_after_it_was_found() {
        let of = |day, card, score, fraud| OfCard {
            day,
            card,
            score,
            fraud,
        };
        let payments = [
            of(0, 1, 0.2, true),
            of(0, 1, 0.9, false),
            of(0, 2, 0.8, false),
            of(0, 3, 0.1, true),
            of(1, 1, 1.0, true),
            of(1, 3, 0.5, true),
            of(1, 4, 0.6, true),
        ];
        // First day cards 1 and 2, of which one; second day cards 4 and 3, both.
        near(card_precision(&payments, 2), (0.5 + 1.0) / 2.0);
    }

    #[test]
    fn calibrated_scores_have_no_error_and_halved_ones_half() {
        let rows: Vec<(f64, bool)> = (0..1_000).map(|n| (0.1, n % 10 == 0)).collect();
        near(calibration_error(&scored(&rows), 1), 0.0);
        let halved: Vec<_> = rows
            .iter()
            .map(|(score, fraud)| (score / 2.0, *fraud))
            .collect();
        near(calibration_error(&scored(&halved), 1), 0.05);
    }

    #[test]
    fn a_better_model_is_told_from_an_equal_one() {
        let mut random = Random::new(2);
        let day = |better: f64, random: &mut Random| -> Vec<[Scored; 2]> {
            let pair = |_| {
                let fraud = random.below(10) == 0;
                let noise = random.below(1_000) as f64 / 500.0;
                let score = |gain: f64| Scored {
                    score: noise + gain * f64::from(u8::from(fraud)),
                    fraud,
                    amount: 1.0,
                };
                [score(1.0), score(better)]
            };
            (0..200).map(pair).collect()
        };
        let days: Vec<_> = (0..20).map(|_| day(1.3, &mut random)).collect();
        let found = paired_days(&days, 200, 1, average_precision);
        assert!(found.low > 0.0 && found.seen > found.low && found.high > found.seen);
        let same: Vec<_> = (0..20).map(|_| day(1.0, &mut random)).collect();
        let found = paired_days(&same, 200, 1, average_precision);
        near(found.low, 0.0);
        near(found.high, 0.0);
    }
}
