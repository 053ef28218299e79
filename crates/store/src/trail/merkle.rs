//! Merkle trees of RFC 6962 and RFC 9162: hashes, growing, and checking proofs. Pure computation.
//!
//! Leaves are numbered from 0. `hash(leaf) = SHA-256(0x00 ‖ leaf)` and
//! `hash(node) = SHA-256(0x01 ‖ left ‖ right)`; the root of an empty tree is SHA-256 of nothing.

use crate::rows::sha256;
use std::ops::Range;

/// SHA-256 of a leaf or node.
pub type Hash = [u8; 32];

/// Leaves that fit the buffer are hashed without allocating.
const LEAF_BYTES_USUAL: usize = 1024;

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut usual = [0; LEAF_BYTES_USUAL];
    match usual.get_mut(1..=leaf.len()) {
        Some(place) => {
            place.copy_from_slice(leaf);
            sha256(&usual[..=leaf.len()])
        }
        None => sha256(&[&[0], leaf].concat()),
    }
}

/// The hash of a node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    sha256(&bytes)
}

/// The root of a perfect tree over 1, 2, 4, 8 … hashes.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    let mut width = row.len();
    while width > 1 {
        width /= 2;
        for place in 0..width {
            row[place] = node_hash(&row[2 * place], &row[2 * place + 1]);
        }
    }
    row.first().copied().unwrap_or_else(|| sha256(b""))
}

/// A tree that only grows: the roots of the perfect trees that it is made of, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// One that counts from a leaf on, for numbers alone: it has no root.
    pub(crate) fn beginning_at(first: u64) -> Self {
        let peaks = Vec::new();
        Self { size: first, peaks }
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_perfect(0, leaf);
    }

    /// Adds a perfect tree of `2^height` leaves; the size so far is a multiple of that.
    pub(crate) fn push_perfect(&mut self, height: u32, root: Hash) {
        let mut root = root;
        let mut trees = self.size >> height;
        while trees & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            root = node_hash(&left, &root);
            trees >>= 1;
        }
        self.peaks.push(root);
        self.size += 1 << height;
    }

    /// The root of all leaves.
    pub fn root(&self) -> Hash {
        let fold = |right: Hash, left: Hash| node_hash(&left, &right);
        let root = self.peaks.iter().rev().copied().reduce(fold);
        root.unwrap_or_else(|| sha256(b""))
    }
}

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf or the smaller tree does not lie within the tree.
    #[error("the numbers of the proof do not fit the tree")]
    Bounds,
    /// The proof has too many or too few hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Whether the leaf with this hash is number `index` of the tree of `size` leaves under `root`
/// (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Bounds);
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(step, &hash);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    match (last == 0, hash == *root) {
        (false, _) => Err(ProofError::Length),
        (true, false) => Err(ProofError::Root),
        (true, true) => Ok(()),
    }
}

/// Whether the tree of `size` leaves under `root` begins with the tree of `old_size` leaves under
/// `old_root` (RFC 9162 section 2.1.4.2). Every tree begins with the empty one, so that a proof
/// from there says nothing and is refused.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    match old_size {
        0 => Err(ProofError::Bounds),
        _ => verify_subtree(&(0..old_size), old_root, size, root, proof),
    }
}

/// Whether the leaves `range` of the tree of `size` leaves under `root` have the root `old_root`.
/// The range begins at a multiple of the power of two that it fits into. With a range from 0 it
/// is the consistency of RFC 9162; beyond that, of draft-ietf-plants-merkle-tree-certs.
pub fn verify_subtree(
    range: &Range<u64>,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if range.end > size || !is_subtree(range) {
        return Err(ProofError::Bounds);
    }
    if range.is_empty() {
        return match (proof.is_empty(), *old_root == sha256(b"")) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut first, mut last, mut end) = (range.start, range.end - 1, size - 1);
    while first != last && (range.end == size || last & 1 == 1) {
        (first, last, end) = (first >> 1, last >> 1, end >> 1);
    }
    let mut steps = proof.iter();
    let seed = match first == last {
        true => *old_root,
        false => *steps.next().ok_or(ProofError::Length)?,
    };
    let (mut old, mut new) = (seed, seed);
    for step in steps {
        if end == 0 {
            return Err(ProofError::Length);
        }
        if last & 1 == 1 || last == end {
            if first < last {
                old = node_hash(step, &old);
            }
            new = node_hash(step, &new);
            while last & 1 == 0 && last != 0 {
                (first, last, end) = (first >> 1, last >> 1, end >> 1);
            }
        } else {
            new = node_hash(&new, step);
        }
        (first, last, end) = (first >> 1, last >> 1, end >> 1);
    }
    match (end == 0, old == *old_root && new == *root) {
        (false, _) => Err(ProofError::Length),
        (true, false) => Err(ProofError::Root),
        (true, true) => Ok(()),
    }
}

/// Whether leaves form a subtree: they begin at a multiple of the power of two they fit into.
pub fn is_subtree(range: &Range<u64>) -> bool {
    let fits = |length: u64| length.checked_next_power_of_two();
    range.start <= range.end
        && fits(range.end - range.start).is_some_and(|unit| range.start.is_multiple_of(unit))
}

/// The ranges whose roots prove that a leaf is in a tree, from the leaf upwards.
pub(crate) fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut tree = 0..size;
    while tree.end - tree.start > 1 {
        let middle = split(&tree);
        if index < middle {
            ranges.push(middle..tree.end);
            tree.end = middle;
        } else {
            ranges.push(tree.start..middle);
            tree.start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges whose roots prove that a tree begins with a smaller one (RFC 9162 section 2.1.4.1).
pub(crate) fn consistency_ranges(old_size: u64, size: u64) -> Vec<Range<u64>> {
    if old_size == 0 || old_size >= size {
        return Vec::new();
    }
    let mut ranges = Vec::new();
    let (mut tree, mut is_whole) = (0..size, true);
    while old_size != tree.end {
        let middle = split(&tree);
        if old_size <= middle {
            ranges.push(middle..tree.end);
            tree.end = middle;
        } else {
            ranges.push(tree.start..middle);
            tree.start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        ranges.push(tree);
    }
    ranges.reverse();
    ranges
}

/// The perfect trees that a range of leaves is made of, as height and number within that height,
/// from left to right. The range begins where a tree of its size can begin.
pub(crate) fn perfect_trees(range: &Range<u64>) -> Vec<(u32, u64)> {
    let mut trees = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let height = (range.end - start).ilog2();
        trees.push((height, start >> height));
        start += 1 << height;
    }
    trees
}

/// Where a tree of two or more leaves is split: after the largest power of two below its size.
fn split(tree: &Range<u64>) -> u64 {
    tree.start + (1 << (tree.end - tree.start - 1).ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count)
            .map(|number| leaf_hash(&number.to_be_bytes()))
            .collect()
    }

    /// The definition, word for word: the oracle.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(b""),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(split(&(0..leaves.len() as u64)) as usize);
                node_hash(&root(left), &root(right))
            }
        }
    }

    fn part(leaves: &[Hash], range: &Range<u64>) -> Hash {
        root(&leaves[range.start as usize..range.end as usize])
    }

    proptest! {
        #[test]
        fn growing_gives_the_root_of_the_definition(size in 0..300_u64) {
            let mut frontier = Frontier::default();
            leaves(size).into_iter().for_each(|leaf| frontier.push(leaf));
            prop_assert_eq!(frontier.root(), root(&leaves(size)));
            prop_assert_eq!(frontier.size(), size);
        }

        #[test]
        fn proofs_hold_for_what_they_prove_and_nothing_else(
            size in 1..200_u64, pick: prop::sample::Index, other: prop::sample::Index,
        ) {
            let (all, index) = (leaves(size), pick.index(size as usize) as u64);
            let whole = root(&all);
            let ranges = inclusion_ranges(index, size);
            let proof: Vec<Hash> = ranges.iter().map(|range| part(&all, range)).collect();
            let leaf = all[index as usize];
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &whole), Ok(()));
            let elsewhere = other.index(size as usize) as u64;
            if elsewhere != index {
                prop_assert!(verify_inclusion(&leaf, elsewhere, size, &proof, &whole).is_err());
            }
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &leaf_hash(b"x")).is_err());

            let old_size = index + 1;
            let old_root = part(&all, &(0..old_size));
            let ranges = consistency_ranges(old_size, size);
            let proof: Vec<Hash> = ranges.iter().map(|range| part(&all, range)).collect();
            prop_assert_eq!(
                verify_consistency(old_size, &old_root, size, &whole, &proof), Ok(())
            );
            let forged = leaf_hash(b"another history");
            prop_assert!(verify_consistency(old_size, &forged, size, &whole, &proof).is_err());
            for cut in [&proof[..proof.len().saturating_sub(1)], &[&proof[..], &[forged]].concat()] {
                if cut.len() != proof.len() {
                    prop_assert!(
                        verify_consistency(old_size, &old_root, size, &whole, cut).is_err()
                    );
                }
            }
        }

        #[test]
        fn perfect_trees_cover_their_range(start in 0..64_u64, length in 0..64_u64) {
            let unit = length.next_power_of_two();
            let range = start * unit..start * unit + length;
            let mut next = range.start;
            for (height, number) in perfect_trees(&range) {
                prop_assert_eq!(number << height, next);
                next += 1 << height;
            }
            prop_assert_eq!(next, range.end);
        }
    }
}
