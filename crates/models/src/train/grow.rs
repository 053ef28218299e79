//! One tree, leaf by leaf: always the leaf whose best question gains most.
//!
//! Threads grow the same tree side by side, each from rows of its own. Of each leaf they put their
//! sums together, each for features of its own, and of the best questions to these they take the best.

use super::bins::{Binned, MISSING};
use super::histogram::{self, Cell, Histogram, Source};
use super::meeting::Seat;
use super::split::{Bounds, Candidate, Search};
use crate::tree::{Node, Split, Test, Tree};
use std::ops::Range;

/// A tree that has grown, and whose rows lie where.
pub(super) struct Grown {
    pub tree: Tree,
    /// The last bin that goes left, of each node that asks.
    bins: Vec<u8>,
    /// The output of each leaf and its rows among those that it grew from.
    pub leaves: Vec<(f64, Range<usize>)>,
}

/// A leaf that may still be split.
struct Leaf {
    node: usize,
    rows: Range<usize>,
    total: Cell,
    bounds: Bounds,
    depth: usize,
    histogram: Option<Histogram>,
    best: Option<Candidate>,
}

/// What a node asks and where its left side is; its right side lies behind that. None for a leaf.
type Asked = Option<(Candidate, usize)>;

/// What a tree grows from.
pub(super) struct Ground<'a> {
    pub search: Search<'a>,
    pub source: Source<'a>,
    /// Where the features that are searched begin among those drawn.
    pub first: usize,
    /// Histograms that leaves gave back.
    pub spare: Vec<Histogram>,
    pub seat: Seat<'a>,
}

impl Ground<'_> {
    /// Grows a tree over these rows and leaves them ordered by leaf. Outputs are scaled by the
    /// learning rate.
    pub fn grow(mut self, rows: &mut [u32]) -> Grown {
        let mut scratch = vec![0; rows.len()];
        let mut nodes = vec![None];
        let mut leaves = vec![self.root(rows)];
        while leaves.len() < self.search.settings.leaves_max as usize {
            let Some((place, best)) = next(&leaves) else {
                break;
            };
            let leaf = leaves.swap_remove(place);
            let left = nodes.len();
            nodes[leaf.node] = Some((best, left));
            nodes.extend([None, None]);
            leaves.extend(self.split(leaf, (best, left), rows, &mut scratch));
        }
        self.finish(nodes, leaves)
    }

    fn root(&mut self, rows: &[u32]) -> Leaf {
        let (histogram, total) = self.filled(rows);
        let own = self.search.best(&histogram, total, Bounds::NONE);
        let [best, _] = self.seat.agree([own, None]);
        Leaf {
            node: 0,
            rows: 0..rows.len(),
            total,
            bounds: Bounds::NONE,
            depth: 0,
            histogram: Some(histogram),
            best,
        }
    }

    fn split(
        &mut self,
        mut leaf: Leaf,
        (best, node): (Candidate, usize),
        rows: &mut [u32],
        scratch: &mut [u32],
    ) -> [Leaf; 2] {
        let own = &mut rows[leaf.rows.clone()];
        let parted = self.part(&best, own, &mut scratch[..own.len()]);
        let middle = leaf.rows.start + parted;
        let outputs = [best.left, best.right].map(|cell| self.search.output(cell, leaf.bounds));
        let bounds = leaf
            .bounds
            .of_sides(outputs, self.search.directions[best.feature]);
        let side = |node, rows, total, bounds| Leaf {
            node,
            rows,
            total,
            bounds,
            depth: leaf.depth + 1,
            histogram: None,
            best: None,
        };
        let mut sides = [
            side(node, leaf.rows.start..middle, best.left, bounds[0]),
            side(node + 1, middle..leaf.rows.end, best.right, bounds[1]),
        ];
        self.look(&mut sides, leaf.histogram.take(), rows);
        sides
    }

    /// Fills the histogram of the smaller side; that of the other is what is left of the parent's.
    fn look(&mut self, sides: &mut [Leaf; 2], parent: Option<Histogram>, rows: &[u32]) {
        let settings = self.search.settings;
        let may_split = |leaf: &Leaf| {
            leaf.total.count() >= 2 * settings.child_rows_min.max(1)
                && leaf.depth < settings.depth_max as usize
        };
        let Some(mut larger) = parent else { return };
        if sides.iter().any(may_split) {
            let small = usize::from(sides[0].total.count() > sides[1].total.count());
            let (smaller, _) = self.filled(&rows[sides[small].rows.clone()]);
            histogram::subtract(&mut larger, &smaller);
            sides[small].histogram = Some(smaller);
            sides[1 - small].histogram = Some(larger);
            let own = [0, 1].map(|side| {
                let side: &Leaf = &sides[side];
                let histogram = side.histogram.as_ref().filter(|_| may_split(side));
                histogram.and_then(|h| self.search.best(h, side.total, side.bounds))
            });
            for (side, best) in sides.iter_mut().zip(self.seat.agree(own)) {
                side.best = best;
                if side.best.is_none() {
                    self.spare.extend(side.histogram.take());
                }
            }
        } else {
            self.spare.push(larger);
        }
    }

    /// The histogram of rows with those of the other threads, and the sum over them.
    fn filled(&mut self, rows: &[u32]) -> (Histogram, Cell) {
        let features = self.search.features.len();
        let spare = self.spare.pop();
        let mut histogram = spare.unwrap_or_else(|| histogram::empty(features));
        let fill = |own: &mut Histogram| self.source.fill(own, rows);
        let total = self.seat.add_up(self.first, &mut histogram, fill);
        (histogram, total)
    }

    /// Orders rows by side, each side in the order it had; returns how many go left.
    fn part(&self, best: &Candidate, rows: &mut [u32], scratch: &mut [u32]) -> usize {
        let column = self.search.binned.column(best.feature);
        let left = |row| goes_left(column(row), best.bin, best.missing_left);
        part(rows, scratch, left)
    }

    fn finish(self, nodes: Vec<Asked>, leaves: Vec<Leaf>) -> Grown {
        let rate = self.search.settings.learning_rate;
        let uppers = &self.search.binned.uppers;
        let bins = nodes
            .iter()
            .map(|asked| asked.map_or(0, |(best, _)| best.bin))
            .collect();
        let node = |asked: &Asked| match asked {
            Some((best, left)) => Node::Split(Split {
                feature: best.feature as u32,
                test: Test::AtMost(uppers[best.feature][usize::from(best.bin) - 1]),
                missing_left: best.missing_left,
                left: *left as u32,
                right: *left as u32 + 1,
            }),
            None => Node::Leaf {
                value: 0.0,
                cover: 0.0,
            },
        };
        let mut tree = Tree {
            nodes: nodes.iter().map(node).collect(),
        };
        let mut rows = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let value = rate * self.search.output(leaf.total, leaf.bounds);
            let cover = f64::from(leaf.total.count());
            tree.nodes[leaf.node] = Node::Leaf { value, cover };
            rows.push((value, leaf.rows));
        }
        Grown {
            tree,
            bins,
            leaves: rows,
        }
    }
}

impl Grown {
    /// The output for a row of bins that it did not grow from.
    pub fn output(&self, binned: &Binned, row: u32) -> f64 {
        let mut place = 0;
        loop {
            match &self.tree.nodes[place] {
                Node::Leaf { value, .. } => return *value,
                Node::Split(split) => {
                    let bin = binned.column(split.feature as usize)(row);
                    let left = goes_left(bin, self.bins[place], split.missing_left);
                    place = if left { split.left } else { split.right } as usize;
                }
            }
        }
    }
}

/// The leaf whose question gains most, of equals the one whose node is older.
fn next(leaves: &[Leaf]) -> Option<(usize, Candidate)> {
    let open = leaves.iter().enumerate();
    let open = open.filter_map(|(place, leaf)| Some((place, leaf.node, leaf.best?)));
    let best = open.max_by(|(_, node, one), (_, other_node, other)| {
        one.gain.total_cmp(&other.gain).then(other_node.cmp(node))
    });
    best.map(|(place, _, best)| (place, best))
}

fn goes_left(bin: u8, last: u8, missing_left: bool) -> bool {
    if bin == MISSING {
        missing_left
    } else {
        bin <= last
    }
}

fn part(rows: &mut [u32], scratch: &mut [u32], left: impl Fn(u32) -> bool) -> usize {
    let (mut lefts, mut rights) = (0, 0);
    for place in 0..rows.len() {
        let row = rows[place];
        let goes = left(row);
        rows[lefts] = row;
        scratch[rights] = row;
        lefts += usize::from(goes);
        rights += usize::from(!goes);
    }
    rows[lefts..].copy_from_slice(&scratch[..rights]);
    lefts
}
