//! What each rule is worth beside the others: logistic regression without negative weights.
//!
//! A rule never speaks for honesty, so weights are at least 0. Found by coordinate descent on the
//! likelihood with a ridge (Genkin, Lewis and Madigan, 2007). A weight `w` is the logarithm of how
//! many times likelier laundering becomes; its score is `1000 (1 - e^(-w/4))`, so that scores that
//! are combined as evidence rank as sums of weights do, and about eight times likelier is 400.

use std::collections::BTreeMap;

/// Log-odds by which the doubt of a score falls to its e-th part.
const PER_E: f64 = 4.0;
/// How strongly weights are held towards 0, in squared log-odds.
const RIDGE: f64 = 1.0;
const SWEEPS: usize = 60;
/// The longest step of one weight.
const STEP_MAX: f64 = 0.5;
/// A rule that fired less often is not weighed.
const FIRED_MIN: u64 = 20;

/// Which rules fired together, how often honestly and how often not.
#[derive(Debug, Default)]
pub struct Evidence(BTreeMap<Vec<u32>, (u64, u64)>);

/// What a rule is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Its place.
    pub rule: usize,
    /// How often it fired.
    pub fired: u64,
    /// How often on illicit transfers.
    pub illicit: u64,
    /// Log-odds beside the other rules.
    pub weight: f64,
    /// The score it comes to.
    pub score: u16,
}

/// A set of rules that fired together.
struct Cell {
    honest: f64,
    illicit: f64,
    log_odds: f64,
}

impl Evidence {
    /// Counts one transfer.
    pub fn add(&mut self, fired: &[usize], illicit: bool) {
        let rules: Vec<u32> = fired.iter().map(|rule| *rule as u32).collect();
        let cell = self.0.entry(rules).or_default();
        match illicit {
            false => cell.0 += 1,
            true => cell.1 += 1,
        }
    }

    /// Adds what was counted elsewhere with the same rules.
    pub fn merge(&mut self, other: Self) {
        for (rules, (honest, illicit)) in other.0 {
            let cell = self.0.entry(rules).or_default();
            *cell = (cell.0 + honest, cell.1 + illicit);
        }
    }

    /// Every rule that fired often enough, the weightiest first.
    pub fn weigh(&self, rules: usize) -> Vec<Weighed> {
        let mut cells: Vec<Cell> = self.0.values().map(Cell::of).collect();
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); rules];
        for (place, fired) in self.0.keys().enumerate() {
            for rule in fired {
                if let Some(places) = places.get_mut(*rule as usize) {
                    places.push(place);
                }
            }
        }
        let everywhere: Vec<usize> = (0..cells.len()).collect();
        let counted = |places: &[usize]| {
            let of = |place: &usize| {
                cells
                    .get(*place)
                    .map_or((0.0, 0.0), |cell| (cell.honest, cell.illicit))
            };
            let sum = |sum: (f64, f64), one: (f64, f64)| (sum.0 + one.0, sum.1 + one.1);
            places.iter().map(of).fold((0.0, 0.0), sum)
        };
        let mut weighed: Vec<Weighed> = Vec::new();
        for (rule, places) in places.iter().enumerate() {
            let (honest, illicit) = counted(places);
            let fired = (honest + illicit) as u64;
            if fired >= FIRED_MIN {
                weighed.push(Weighed {
                    rule,
                    fired,
                    illicit: illicit as u64,
                    weight: 0.0,
                    score: 0,
                });
            }
        }
        for _ in 0..SWEEPS {
            step(&mut cells, &everywhere, f64::NEG_INFINITY, 0.0, 0.0);
            for one in &mut weighed {
                if let Some(places) = places.get(one.rule) {
                    one.weight = step(&mut cells, places, 0.0, one.weight, RIDGE);
                }
            }
        }
        for one in &mut weighed {
            one.score = (1000.0 * (1.0 - (-one.weight / PER_E).exp())).round() as u16;
        }
        weighed.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        weighed
    }
}

impl Cell {
    fn of(counts: &(u64, u64)) -> Self {
        Self {
            honest: counts.0 as f64,
            illicit: counts.1 as f64,
            log_odds: 0.0,
        }
    }

    /// How the likelihood rises with the log-odds, and how fast that flattens.
    fn slope(&self) -> (f64, f64) {
        let count = self.honest + self.illicit;
        let chance = 1.0 / (1.0 + (-self.log_odds).exp());
        (
            self.illicit - count * chance,
            count * chance * (1.0 - chance),
        )
    }
}

/// One Newton step of one weight, in bounds; gives the new weight.
fn step(cells: &mut [Cell], places: &[usize], least: f64, weight: f64, ridge: f64) -> f64 {
    let (mut rise, mut bend) = (-ridge * weight, ridge + 1e-9);
    for place in places {
        if let Some(cell) = cells.get(*place) {
            let (slope, curve) = cell.slope();
            rise += slope;
            bend += curve;
        }
    }
    let next = (weight + (rise / bend).clamp(-STEP_MAX, STEP_MAX)).max(least);
    for place in places {
        if let Some(cell) = cells.get_mut(*place) {
            cell.log_odds += next - weight;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100,000 transfers; rule 0 is fifty times likelier on illicit ones, rule 1 fires with rule 0
    /// alone, rule 2 says nothing, rule 3 fires on honest ones.
    fn evidence() -> Evidence {
        let mut evidence = Evidence::default();
        let cells: [(&[usize], u64, u64); 6] = [
            (&[], 88_800, 40),
            (&[2], 9_880, 4),
            (&[0], 600, 20),
            (&[0, 1], 400, 13),
            (&[0, 2], 100, 3),
            (&[3], 120, 0),
        ];
        for (fired, honest, illicit) in cells {
            (0..honest).for_each(|_| evidence.add(fired, false));
            (0..illicit).for_each(|_| evidence.add(fired, true));
        }
        evidence
    }

    #[test]
    fn weights_are_log_odds_beside_the_other_rules() {
        let weighed = evidence().weigh(5);
        let weight = |rule| {
            weighed
                .iter()
                .find(|one| one.rule == rule)
                .map(|one| one.weight)
        };
        // 20 in 600 against 40 in 88,800: ln((20/600) / (40/88800)) = 4.31.
        let first = weight(0).unwrap();
        assert!((4.0..4.4).contains(&first), "{first}");
        assert!(weight(1).unwrap() < 0.2);
        assert!(weight(2).unwrap() < 0.2);
        assert_eq!(weight(3), Some(0.0));
        assert_eq!(weight(4), None);
        assert_eq!(
            weighed
                .first()
                .map(|one| (one.rule, one.fired, one.illicit)),
            Some((0, 1_136, 36))
        );
        assert!((620..680).contains(&weighed.first().unwrap().score));
    }

    #[test]
    fn counts_of_two_streams_add_up() {
        let mut twice = evidence();
        twice.merge(evidence());
        let fired = |weighed: &[Weighed]| weighed.iter().map(|one| one.fired).sum::<u64>();
        assert_eq!(fired(&twice.weigh(4)), 2 * fired(&evidence().weigh(4)));
    }
}
