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

/// The cells of all bins of the features that a tree may ask for, in their order.
pub(super) type Histogram = Vec<[Cell; 256]>;

/// The features that a tree may ask for, by the blocks they lie in: how far their bins are shifted
/// in the eight bytes of a row.
pub(super) struct Drawn {
    blocks: Vec<(usize, Vec<u32>)>,
    features: usize,
}

impl Drawn {
    /// Features in ascending order.
    pub fn new(features: &[u32]) -> Self {
        let place = |feature: u32| (feature as usize / LANES, feature % LANES as u32 * u8::BITS);
        let mut blocks: Vec<(usize, Vec<u32>)> = Vec::new();
        for (block, shift) in features.iter().map(|feature| place(*feature)) {
            match blocks.last_mut() {
                Some((last, shifts)) if *last == block => shifts.push(shift),
                _ => blocks.push((block, vec![shift])),
            }
        }
        Self {
            blocks,
            features: features.len(),
        }
    }
}

/// What histograms are made of.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub binned: &'a Binned,
    pub drawn: &'a Drawn,
    pub slopes: &'a [Slope],
}

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
    pub fn of(slope: Slope) -> Self {
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

/// An empty histogram of so many features.
pub(super) fn empty(features: usize) -> Histogram {
    vec![[Cell::default(); 256]; features]
}

impl Source<'_> {
    /// Fills a histogram with rows.
    pub fn fill(self, into: &mut Histogram, rows: &[u32]) {
        into.clear();
        into.resize(self.drawn.features, [Cell::default(); 256]);
        let mut tile = Vec::with_capacity(TILE);
        for rows in rows.chunks(TILE) {
            tile.clear();
            tile.extend(rows.iter().map(|row| Cell::of(self.slopes[*row as usize])));
            let mut left = into.as_mut_slice();
            for (block, shifts) in &self.drawn.blocks {
                let (cells, others) = left.split_at_mut(shifts.len());
                left = others;
                let block = &self.binned.blocks()[*block];
                let add = ADD[shifts.len()];
                add(cells, shifts, block, (rows, &tile));
            }
        }
    }
}

/// Adds rows, with what each adds, to the cells of some features of a block.
type Add = fn(&mut [[Cell; 256]], &[u32], &[[u8; LANES]], (&[u32], &[Cell]));

/// By how many features.
const ADD: [Add; LANES + 1] = [
    add::<0>, add::<1>, add::<2>, add::<3>, add::<4>, add::<5>, add::<6>, add::<7>, add::<8>,
];

fn add<const N: usize>(
    cells: &mut [[Cell; 256]],
    shifts: &[u32],
    block: &[[u8; LANES]],
    (rows, tile): (&[u32], &[Cell]),
) {
    let Some((cells, shifts)) = cells.first_chunk_mut::<N>().zip(shifts.first_chunk::<N>()) else {
        return;
    };
    // With nothing else between one place of memory and the next, the processor waits for many of
    // them at once.
    let mut bins = [0; TILE];
    for (bins, row) in bins.iter_mut().zip(rows) {
        *bins = u64::from_le_bytes(block[*row as usize]);
    }
    for (bins, step) in bins.iter().zip(tile) {
        for place in 0..N {
            cells[place][usize::from((bins >> shifts[place]) as u8)].add(*step);
        }
    }
}

/// What is left of a histogram without the rows of another.
pub(super) fn subtract(from: &mut Histogram, other: &Histogram) {
    let cells = from.as_flattened_mut().iter_mut();
    cells
        .zip(other.as_flattened())
        .for_each(|(cell, other)| *cell = cell.less(*other));
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
    fn a_sibling_is_what_is_left_of_the_parent() {
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
        let drawn = Drawn::new(&[0, 3, 4, 9]);
        let source = Source {
            binned: &binned,
            drawn: &drawn,
            slopes: &slopes,
        };
        let filled = |rows: &[u32]| {
            let mut histogram = Histogram::new();
            source.fill(&mut histogram, rows);
            histogram
        };
        let mut whole = filled(&rows);
        let (left, right) = rows.split_at(20_000);
        subtract(&mut whole, &filled(left));
        assert!(whole == filled(right));
        for (cells, feature) in whole.iter().zip([0, 3, 4, 9]) {
            let bin = binned.column(feature);
            let mut expected = [Cell::default(); 256];
            for row in right {
                expected[usize::from(bin(*row))].add(Cell::of(slopes[*row as usize]));
            }
            assert!(*cells == expected, "{feature}");
        }
    }
}
