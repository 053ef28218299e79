//! The best way to put the tokens of two names side by side, each with at most one.

use crate::name::TOKENS_MAX;

/// For each row the column beside it, so that the sum of gains is greatest. Rows ≤ columns.
///
/// Where the best columns of all rows differ they are the answer; otherwise H. W. Kuhn, "The
/// Hungarian method for the assignment problem" (1955), with potentials, in rows² × columns steps.
pub(super) fn align(
    rows: usize,
    columns: usize,
    gain: impl Fn(usize, usize) -> f32,
) -> [u8; TOKENS_MAX] {
    let mut answer = [0; TOKENS_MAX];
    let mut taken = 0u32;
    let mut differ = true;
    for (row, chosen) in answer.iter_mut().enumerate().take(rows) {
        let best = (0..columns).max_by(|&a, &b| {
            let (a_gain, b_gain) = (gain(row, a), gain(row, b));
            // Of equals the first: names in the same order stay in it.
            a_gain.total_cmp(&b_gain).then(b.cmp(&a))
        });
        let best = best.unwrap_or(0);
        differ &= taken & (1 << best) == 0;
        taken |= 1 << best;
        *chosen = best as u8;
    }
    if !differ {
        hungarian(rows, columns, &gain, &mut answer);
    }
    answer
}

/// Places are counted from 1; 0 is no row and no column.
fn hungarian(
    rows: usize,
    columns: usize,
    gain: &impl Fn(usize, usize) -> f32,
    answer: &mut [u8; TOKENS_MAX],
) {
    const PLACES: usize = TOKENS_MAX + 1;
    let (mut row_price, mut column_price) = ([0f32; PLACES], [0f32; PLACES]);
    let mut owner = [0usize; PLACES];
    for row in 1..=rows {
        let mut came_from = [0usize; PLACES];
        let mut slack = [f32::INFINITY; PLACES];
        let mut seen = [false; PLACES];
        owner[0] = row;
        let mut column = 0;
        while owner[column] != 0 || column == 0 {
            seen[column] = true;
            let here = owner[column];
            let (mut least, mut next) = (f32::INFINITY, 0);
            for to in (1..=columns).filter(|&to| !seen[to]) {
                let cost = -gain(here - 1, to - 1) - row_price[here] - column_price[to];
                if cost < slack[to] {
                    (slack[to], came_from[to]) = (cost, column);
                }
                if slack[to] < least {
                    (least, next) = (slack[to], to);
                }
            }
            for to in 0..=columns {
                if seen[to] {
                    row_price[owner[to]] += least;
                    column_price[to] -= least;
                } else {
                    slack[to] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            owner[column] = owner[came_from[column]];
            column = came_from[column];
        }
    }
    for column in 1..=columns {
        if owner[column] != 0 {
            answer[owner[column] - 1] = column as u8 - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(answer: &[u8], gain: &[Vec<f32>]) -> f32 {
        answer
            .iter()
            .zip(gain)
            .map(|(&column, row)| row[usize::from(column)])
            .sum()
    }

    /// Every way there is.
    fn best(gain: &[Vec<f32>], taken: u32) -> f32 {
        let Some((row, rest)) = gain.split_first() else {
            return 0.0;
        };
        let free = (0..row.len()).filter(|column| taken & (1 << column) == 0);
        free.map(|column| row[column] + best(rest, taken | 1 << column))
            .fold(0.0, f32::max)
    }

    proptest! {
        #[test]
        fn no_other_way_gains_more(
            gain in prop::collection::vec(prop::collection::vec(0u8..5, 6), 1..6),
        ) {
            let gain: Vec<Vec<f32>> = gain.iter().map(|row| row.iter().map(|&g| f32::from(g)).collect()).collect();
            let answer = align(gain.len(), 6, |row, column| gain[row][column]);
            let answer = &answer[..gain.len()];
            let mut columns = answer.to_vec();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(columns.len(), gain.len());
            prop_assert!((sum(answer, &gain) - best(&gain, 0)).abs() < 1e-3);
        }
    }
}
