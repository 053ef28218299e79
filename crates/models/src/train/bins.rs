//! Values as bins: at most 255 for each feature, the first one for missing values.
//!
//! Rows lie in blocks of eight features, eight bytes for each row, so that a histogram reads one
//! place of memory for eight features and its cells stay in the nearest cache.

use crate::table::Table;

/// Features of one block.
pub(super) const LANES: usize = 8;
/// The bin of missing values.
pub(super) const MISSING: u8 = 0;
/// Rows that are looked at to find the bins.
const SAMPLE_MAX: usize = 200_000;

/// All rows as bins.
pub(super) struct Binned {
    /// Of each feature the upper bounds of its bins, from bin 1 on; the last bin has none.
    pub uppers: Vec<Vec<f64>>,
    blocks: Vec<Vec<[u8; LANES]>>,
    rows: usize,
}

impl Binned {
    /// Finds the bins in the first `learnt` of these rows and bins all of them.
    pub fn new(
        table: &Table,
        rows: &[u32],
        learnt: usize,
        bins_max: usize,
        threads: usize,
    ) -> Self {
        let stride = learnt.div_ceil(SAMPLE_MAX).max(1);
        let sample: Vec<u32> = rows[..learnt].iter().copied().step_by(stride).collect();
        let width = table.names().len();
        let features: Vec<usize> = (0..width).collect();
        let uppers = spread(&features, threads, |features| {
            features
                .iter()
                .map(|feature| bounds(table, &sample, *feature, bins_max))
                .collect()
        });
        let starts: Vec<usize> = (0..width).step_by(LANES).collect();
        let blocks = spread(&starts, threads, |starts| {
            starts
                .iter()
                .map(|start| block(table, rows, *start, &uppers))
                .collect()
        });
        Self {
            uppers,
            blocks,
            rows: rows.len(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn features(&self) -> usize {
        self.uppers.len()
    }

    pub fn blocks(&self) -> &[Vec<[u8; LANES]>] {
        &self.blocks
    }

    /// The bins of one feature, by row.
    pub fn column(&self, feature: usize) -> impl Fn(u32) -> u8 + Copy + Sync {
        let block = &self.blocks[feature / LANES];
        let lane = feature % LANES;
        move |row| block[row as usize][lane]
    }
}

/// Does a part of the work on each thread; the results in the order of the items.
fn spread<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let size = items.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let parts: Vec<_> = items
            .chunks(size)
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_default())
            .collect()
    })
}

fn block(table: &Table, rows: &[u32], start: usize, uppers: &[Vec<f64>]) -> Vec<[u8; LANES]> {
    let uppers = &uppers[start..uppers.len().min(start + LANES)];
    let bin = |row: &u32| {
        let mut bins = [MISSING; LANES];
        let values = &table.row(*row as usize)[start..];
        for ((bin, uppers), value) in bins.iter_mut().zip(uppers).zip(values) {
            *bin = bin_of(uppers, *value);
        }
        bins
    };
    rows.iter().map(bin).collect()
}

fn bin_of(uppers: &[f64], value: f64) -> u8 {
    if value.is_nan() {
        return MISSING;
    }
    1 + uppers.partition_point(|upper| *upper < value) as u8
}

/// Upper bounds of all bins but the last. Few values get a bin each; of many, frequent ones get
/// their own and the others share the rest evenly.
fn bounds(table: &Table, sample: &[u32], feature: usize, bins_max: usize) -> Vec<f64> {
    let values = sample.iter().map(|row| table.row(*row as usize)[feature]);
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let runs = values.chunk_by(|one, other| one >= other);
    let distinct: Vec<(f64, usize)> = runs.map(|run| (run[0], run.len())).collect();
    let most = bins_max - 1;
    if distinct.len() <= most {
        return distinct
            .windows(2)
            .map(|pair| middle(pair[0].0, pair[1].0))
            .collect();
    }
    share(&distinct, values.len(), most)
}

fn share(distinct: &[(f64, usize)], total: usize, most: usize) -> Vec<f64> {
    let frequent = |count: usize| count * most >= total;
    let own = distinct.iter().filter(|(_, count)| frequent(*count));
    let (own, own_rows) = own.fold((0, 0), |(bins, rows), (_, count)| (bins + 1, rows + count));
    let (mut bins_left, mut rows_left) = ((most - own).max(1), total - own_rows);
    let mut uppers = Vec::with_capacity(most);
    let mut held = 0;
    for pair in distinct.windows(2) {
        let [(value, count), (next, next_count)] = [pair[0], pair[1]];
        held += count;
        let full = held * bins_left >= rows_left;
        if !(frequent(count) || full || frequent(next_count)) {
            continue;
        }
        if !frequent(count) {
            bins_left = (bins_left - 1).max(1);
            rows_left -= held;
        }
        held = 0;
        uppers.push(middle(value, next));
        if uppers.len() + 1 == most {
            break;
        }
    }
    uppers
}

fn middle(low: f64, high: f64) -> f64 {
    low / 2.0 + high / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[f64]) -> Table {
        let mut table = Table::new(vec!["x".into()]).unwrap();
        values
            .iter()
            .for_each(|value| table.push(&[*value]).unwrap());
        table
    }

    #[test]
    fn few_values_get_a_bin_each_and_missing_its_own() {
        let table = table(&[3.0, f64::NAN, 1.0, 2.0, 1.0]);
        let binned = Binned::new(&table, &[0, 1, 2, 3, 4], 5, 255, 2);
        assert_eq!(binned.uppers, [[1.5, 2.5]]);
        let bins: Vec<u8> = (0..5).map(|row| binned.column(0)(row)).collect();
        assert_eq!(bins, [3, MISSING, 1, 2, 1]);
    }

    #[test]
    fn many_values_share_the_bins_evenly_and_frequent_ones_stand_alone() {
        let zeros = std::iter::repeat_n(0.0, 5_000);
        let values: Vec<f64> = zeros.chain((1..=5_000).map(f64::from)).collect();
        let table = table(&values);
        let rows: Vec<u32> = (0..10_000).collect();
        let binned = Binned::new(&table, &rows, rows.len(), 255, 1);
        let mut counts = [0u32; 256];
        rows.iter()
            .for_each(|row| counts[usize::from(binned.column(0)(*row))] += 1);
        assert_eq!((counts[0], counts[1]), (0, 5_000));
        assert_eq!(binned.uppers[0].len(), 253);
        let shared = &counts[2..255];
        assert!(
            shared.iter().all(|count| (10..=30).contains(count)),
            "{shared:?}"
        );
    }
}
