//! Sums of gradients by bin, in whole numbers: exact, so that neither the order of rows nor the
//! number of threads changes a bit, and a sibling is the difference of parent and child.

use super::bins::{Binned, LANES};
use crate::limits;

/// Gradients of the logistic loss lie within 1: in units of 2^-30.
const GRADIENT_BITS: i32 = 30;
/// Bits of the second word of a cell that count rows.
const COUNT_BITS: u32 = 24;
/// Bits that are left for the sum of curvatures.
const CURVATURE_BITS: i32 = 38;
/// Rows that are taken through all blocks together, so that their gradients are fetched once.
const TILE: usize = 1_024;
/// From how many rows on other threads help.
const SHARED_MIN: usize = 32_768;

/// First and second derivative of the loss of one row, in units.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slope {
    pub gradient: i32,
    pub curvature: i32,
}

/// How curvatures of one round are written in whole numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    curvature: f64,
}

/// Sums over the rows of one bin: gradients; curvatures above the count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell([i64; 2]);

/// The cells of all bins of all features.
pub(super) type Histogram = Vec<[Cell; 256]>;

impl Scale {
    /// The finest scale on which curvatures of this sum fit.
    pub fn new(curvature_sum: f64) -> Self {
        let bits = curvature_sum.max(1.0).log2().ceil() as i32;
        Self {
            curvature: f64::from((CURVATURE_BITS - bits).clamp(0, 30)).exp2(),
        }
    }

    pub fn slope(self, gradient: f64, curvature: f64) -> Slope {
        Slope {
            gradient: (gradient * f64::from(1 << GRADIENT_BITS)).round() as i32,
            curvature: (curvature * self.curvature).round() as i32,
        }
    }

    /// Sums of gradients and curvatures.
    pub fn sums(self, cell: Cell) -> (f64, f64) {
        let gradient = cell.0[0] as f64 / f64::from(1 << GRADIENT_BITS);
        (gradient, (cell.0[1] >> COUNT_BITS) as f64 / self.curvature)
    }
}

impl Cell {
    fn of(slope: Slope) -> Self {
        let weight = i64::from(slope.curvature) << COUNT_BITS | 1;
        Self([i64::from(slope.gradient), weight])
    }

    pub fn count(self) -> u32 {
        (self.0[1] & ((1 << COUNT_BITS) - 1)) as u32
    }

    #[inline]
    pub fn add(&mut self, other: Self) {
        self.0[0] += other.0[0];
        self.0[1] += other.0[1];
    }

    #[inline]
    pub fn less(self, other: Self) -> Self {
        Self([self.0[0] - other.0[0], self.0[1] - other.0[1]])
    }
}

/// The sum over all rows.
pub(super) fn total(slopes: &[Slope], rows: &[u32]) -> Cell {
    rows.iter().fold(Cell::default(), |mut sum, row| {
        sum.add(Cell::of(slopes[*row as usize]));
        sum
    })
}

/// An empty histogram for these rows.
pub(super) fn empty(binned: &Binned) -> Histogram {
    vec![[Cell::default(); 256]; binned.blocks().len() * LANES]
}

/// Fills a histogram with rows.
pub(super) fn fill(
    into: &mut Histogram,
    binned: &Binned,
    slopes: &[Slope],
    rows: &[u32],
    threads: usize,
) {
    into.fill([Cell::default(); 256]);
    if rows.len() < SHARED_MIN || threads < 2 {
        return add(into, binned, slopes, rows);
    }
    let size = rows.len().div_ceil(threads);
    let (own, others) = rows.split_at(size);
    std::thread::scope(|scope| {
        let work = |rows| {
            move || {
                let mut part = empty(binned);
                add(&mut part, binned, slopes, rows);
                part
            }
        };
        let parts: Vec<_> = others
            .chunks(size)
            .map(|rows| scope.spawn(work(rows)))
            .collect();
        add(into, binned, slopes, own);
        for part in parts.into_iter().filter_map(|part| part.join().ok()) {
            let cells = into.as_flattened_mut().iter_mut();
            cells
                .zip(part.as_flattened())
                .for_each(|(cell, other)| cell.add(*other));
        }
    });
}

/// What is left of a histogram without the rows of another.
pub(super) fn subtract(from: &mut Histogram, other: &Histogram) {
    let cells = from.as_flattened_mut().iter_mut();
    cells
        .zip(other.as_flattened())
        .for_each(|(cell, other)| *cell = cell.less(*other));
}

fn add(into: &mut Histogram, binned: &Binned, slopes: &[Slope], rows: &[u32]) {
    let mut tile = Vec::with_capacity(TILE);
    for rows in rows.chunks(TILE) {
        tile.clear();
        tile.extend(rows.iter().map(|row| Cell::of(slopes[*row as usize])));
        let (lanes, _) = into.as_chunks_mut::<LANES>();
        for (block, cells) in binned.blocks().iter().zip(lanes) {
            for (row, step) in rows.iter().zip(&tile) {
                let bins = &block[*row as usize];
                for (cells, bin) in cells.iter_mut().zip(bins) {
                    cells[usize::from(*bin)].add(*step);
                }
            }
        }
    }
}

const _: () = assert!(limits::FEATURES_MAX <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ROWS_MAX, Table};

    #[test]
    fn the_most_and_steepest_rows_fit_into_a_cell() {
        let rows = ROWS_MAX as i64;
        for curvature in [0.25, 1e-3] {
            let scale = Scale::new(rows as f64 * curvature);
            let slope = Cell::of(scale.slope(-1.0, curvature));
            let sum = Cell([slope.0[0] * rows, slope.0[1].checked_mul(rows).unwrap()]);
            let (gradient, weight) = scale.sums(sum);
            assert_eq!((sum.count(), gradient), (ROWS_MAX as u32, -rows as f64));
            assert!(
                (weight / (rows as f64 * curvature) - 1.0).abs() < 0.01,
                "{weight}"
            );
        }
    }

    #[test]
    fn threads_and_siblings_change_no_bit() {
        let mut table = Table::new((0..11).map(|n| format!("f{n}")).collect()).unwrap();
        let mut random = crate::random::Random::new(7);
        for _ in 0..70_000 {
            let row: [f64; 11] = std::array::from_fn(|_| random.below(300) as f64);
            table.push(&row).unwrap();
        }
        let rows: Vec<u32> = (0..70_000).collect();
        let binned = Binned::new(&table, &rows, rows.len(), 255, 2);
        let scale = Scale::new(70_000.0);
        let slopes: Vec<Slope> = (0..70_000)
            .map(|_| {
                scale.slope(
                    random.below(1_000) as f64 / -1e3,
                    random.below(1_000) as f64 / 4e3,
                )
            })
            .collect();
        let filled = |rows: &[u32], threads| {
            let mut histogram = empty(&binned);
            fill(&mut histogram, &binned, &slopes, rows, threads);
            histogram
        };
        let mut whole = filled(&rows, 1);
        assert!(whole == filled(&rows, 3));
        let (left, right) = rows.split_at(20_000);
        subtract(&mut whole, &filled(left, 1));
        assert!(whole == filled(right, 1));
        let sum = whole[0].iter().fold(Cell::default(), |mut sum, cell| {
            sum.add(*cell);
            sum
        });
        assert_eq!(sum, total(&slopes, right));
    }
}
