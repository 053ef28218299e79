//! Columns: blocks of payments, the value of each slot side by side, and all rules over them.
//!
//! The rules are the same normal form that the index runs, so a literal that many rules share is
//! asked once per block, and a rule is a few `and`s over bitmaps of 64 payments per word.

use crate::{
    literal::{Check, Literal, Node},
    normal::Normal,
    rule_set::RuleSet,
    slots::Slots,
    symbols::QuickMap,
    truth::{Fault, Stop, Truth},
};
use std::sync::Arc;

/// The most payments in one block.
pub const BLOCK_ROWS: usize = 1_024;
const WORDS: usize = BLOCK_ROWS / 64;
/// Up to so many payments are asked one by one rather than all of the block at once, if the
/// literal has few readers that would share its bitmap.
const SPARSE_MAX: u32 = 48;
const SPARSE_READERS_MAX: u32 = 4;
/// Up to so many constants are compared one after the other rather than searched.
const SCAN_MAX: usize = 12;

/// One bit for each payment of a block.
pub type Bits = [u64; WORDS];

const NONE: Bits = [0; WORDS];

/// A block of payments, slot by slot. Collect it by [`Columns::push`], one payment after another,
/// give it to [`RuleSet::evaluate_columns`], and [`Columns::clear`] it for the next ones.
///
/// Room: 8 bytes for each slot and payment.
#[derive(Debug, Clone)]
pub struct Columns {
    normal: Arc<Normal>,
    rows: usize,
    rows_max: usize,
    /// Slot by slot, a stride of `rows_max` apart.
    values: Vec<i64>,
    present: Vec<Bits>,
    /// Which fault a slot is, for the few rows where it is one, by slot and row.
    faults: QuickMap<(u32, u32), Fault>,
    /// The payments for which a slot is a fault, of slots that are one somewhere.
    faulty: QuickMap<u32, Bits>,
}

/// Room for evaluating blocks, reused from block to block.
#[derive(Debug, Default)]
pub struct Bitmaps {
    literals: Vec<Bits>,
    /// Which of `literals` belong to the current block.
    known: Vec<bool>,
}

/// What one rule did with the payments of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it fired: bit `i % 64` of word `i / 64` is payment `i`.
    pub fired: Bits,
    /// Where it could not be computed, in ascending order.
    pub faults: Vec<(usize, Fault)>,
}

/// How far columns are apart: a line more than they are long, or the values of one payment would
/// all compete for the same few lines of the cache.
fn stride(rows_max: usize) -> usize {
    rows_max + 8
}

impl Columns {
    pub(crate) fn new(normal: Arc<Normal>, rows_max: usize) -> Self {
        let rows_max = rows_max.clamp(1, BLOCK_ROWS).next_multiple_of(64);
        Self {
            values: vec![0; normal.slots.len() * stride(rows_max)],
            present: vec![NONE; normal.slots.len()],
            rows: 0,
            rows_max,
            faults: QuickMap::default(),
            faulty: QuickMap::default(),
            normal,
        }
    }

    /// How many payments there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is no room for another payment.
    pub fn is_full(&self) -> bool {
        self.rows == self.rows_max
    }

    /// Adds a payment: reads every slot that some rule asks about. False, and nothing is added,
    /// if the block is full.
    pub fn push(&mut self, slots: &Slots<'_>) -> bool {
        if self.is_full() {
            return false;
        }
        let row = self.rows;
        let (word, bit) = (row / 64, 1 << (row % 64));
        let columns = self.values.chunks_exact_mut(stride(self.rows_max));
        let sources = self.normal.slots.iter().zip(&mut self.present).zip(columns);
        for (slot, ((source, present), column)) in sources.enumerate() {
            match source.read(slots, &self.normal.symbols) {
                Ok(value) => {
                    column[row] = value;
                    present[word] |= bit;
                }
                Err(Stop::Unknown) => {}
                Err(Stop::Fault(fault)) => {
                    self.faults.insert((slot as u32, row as u32), fault);
                    self.faulty.entry(slot as u32).or_insert(NONE)[word] |= bit;
                }
            }
        }
        self.rows += 1;
        true
    }

    /// Forgets all payments.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.present.fill(NONE);
        self.faults.clear();
        self.faulty.clear();
    }

    /// Whether it was made for a rule set with these slots.
    pub(crate) fn is_of(&self, normal: &Arc<Normal>) -> bool {
        Arc::ptr_eq(&self.normal, normal)
    }

    /// The payments for which a literal is true.
    pub(crate) fn literal_bits(&self, literal: u32) -> Bits {
        let Literal { slot, check } = self.normal.literal(literal);
        let column = self.column(slot);
        let mut bits = match check {
            Check::AtLeast(bound) => pack(column, |value| value >= bound),
            Check::AtMost(bound) => pack(column, |value| value <= bound),
            Check::Is(wanted) => pack(column, |value| value == wanted),
            Check::IsNot(refused) => pack(column, |value| value != refused),
            Check::Among(set) => self.among(column, set),
            Check::NotAmong(set) => self.among(column, set).map(|word| !word),
        };
        join(&mut bits, &self.present[slot as usize], |bits, present| {
            bits & present
        });
        bits
    }

    fn among(&self, column: &[i64], set: u32) -> Bits {
        let set = &self.normal.sets[set as usize];
        if set.len() > SCAN_MAX {
            return pack(column, |value| set.binary_search(&value).is_ok());
        }
        set.iter().fold(NONE, |mut bits, wanted| {
            let same = pack(column, |value| value == *wanted);
            join(&mut bits, &same, |bits, same| bits | same);
            bits
        })
    }

    fn column(&self, slot: u32) -> &[i64] {
        let start = slot as usize * stride(self.rows_max);
        &self.values[start..start + self.rows_max]
    }

    /// The payments of the block.
    fn all(&self) -> Bits {
        let mut all = NONE;
        for (word, bits) in all.iter_mut().enumerate() {
            let rows = self.rows.saturating_sub(word * 64).min(64);
            *bits = match rows {
                0 => 0,
                rows => u64::MAX >> (64 - rows),
            };
        }
        all
    }

    /// Whether a literal is true of one payment.
    #[inline]
    fn is_true(&self, literal: Literal, row: usize) -> bool {
        let slot = literal.slot as usize;
        let present = self.present[slot][row / 64] >> (row % 64) & 1 == 1;
        present
            && literal.check.holds(
                self.values[slot * stride(self.rows_max) + row],
                &self.normal.sets,
            )
    }

    /// What a condition is for one payment, faults included.
    fn truth(&self, node: &Node, row: usize) -> Truth {
        match node {
            Node::Literal(literal) => {
                let literal = self.normal.literal(*literal);
                let present = self.present[literal.slot as usize][row / 64] >> (row % 64) & 1 == 1;
                match self.faults.get(&(literal.slot, row as u32)) {
                    Some(fault) => Truth::Fault(*fault),
                    None if present => self.is_true(literal, row).into(),
                    None => Truth::Unknown,
                }
            }
            Node::All(parts) => self.decided(parts, row, Truth::False, Truth::True),
            Node::Any(parts) => self.decided(parts, row, Truth::True, Truth::False),
        }
    }

    fn decided(&self, parts: &[Node], row: usize, deciding: Truth, neutral: Truth) -> Truth {
        let mut truths = parts.iter().map(|part| self.truth(part, row));
        let joined = truths.try_fold(neutral, |joined, truth| match truth == deciding {
            true => Err(deciding),
            false => Ok(joined.max(truth)),
        });
        joined.unwrap_or_else(|deciding| deciding)
    }
}

impl RuleSet {
    /// Evaluates all rules over a block that [`RuleSet::columns`] made room for, rule by rule in
    /// order, and tells `each` of those that fired or were a fault somewhere, live or shadow.
    /// The result is that of [`RuleSet::evaluate`] for each payment, bit for bit.
    ///
    /// A block of another rule set holds other slots: nothing is evaluated, and it says so.
    pub fn evaluate_columns(
        &self,
        columns: &Columns,
        bitmaps: &mut Bitmaps,
        mut each: impl FnMut(usize, &Found),
    ) -> bool {
        if !columns.is_of(self.normal()) {
            return false;
        }
        bitmaps.begin(self.normal().literals.len());
        let all = columns.all();
        let mut found = Found {
            fired: NONE,
            faults: Vec::new(),
        };
        for (rule, node) in self.index.ordered.iter().enumerate() {
            let Some(node) = node else { continue };
            found.fired = bitmaps.narrow(node, all, columns);
            found.faults.clear();
            if !columns.faults.is_empty() {
                found.faults.extend(columns.faults_of(node, &found.fired));
            }
            if !is_none(&found.fired) || !found.faults.is_empty() {
                each(rule, &found);
            }
        }
        true
    }
}

impl Columns {
    /// Where a condition is a fault. Where it fires it is none.
    fn faults_of(&self, node: &Node, fired: &Bits) -> impl Iterator<Item = (usize, Fault)> {
        let mut suspects = NONE;
        node.each_literal(&mut |literal| {
            if let Some(faulty) = self.faulty.get(&self.normal.literal(literal).slot) {
                join(&mut suspects, faulty, |suspects, faulty| suspects | faulty);
            }
        });
        join(&mut suspects, fired, |suspects, fired| suspects & !fired);
        rows(suspects).filter_map(move |row| match self.truth(node, row) {
            Truth::Fault(fault) => Some((row, fault)),
            _ => None,
        })
    }
}

impl Bitmaps {
    fn begin(&mut self, literals: usize) {
        self.literals.resize(literals, NONE);
        self.known.clear();
        self.known.resize(literals, false);
    }

    /// Those of some payments for which a condition is true.
    fn narrow(&mut self, node: &Node, mut rows: Bits, columns: &Columns) -> Bits {
        match node {
            Node::Literal(literal) => self.narrow_by(*literal, rows, columns),
            Node::All(parts) => {
                for part in parts {
                    rows = self.narrow(part, rows, columns);
                    if is_none(&rows) {
                        break;
                    }
                }
                rows
            }
            Node::Any(parts) => {
                let mut found = NONE;
                for part in parts {
                    let more = self.narrow(part, rows, columns);
                    join(&mut found, &more, |found, more| found | more);
                    join(&mut rows, &more, |rows, more| rows & !more);
                    if is_none(&rows) {
                        break;
                    }
                }
                found
            }
        }
    }

    /// The same for a literal: by its bitmap if there is one or the payments are many, else one by
    /// one.
    fn narrow_by(&mut self, literal: u32, mut rows: Bits, columns: &Columns) -> Bits {
        let place = literal as usize;
        if !self.known[place] {
            let asked = columns.normal.literal(literal);
            let alone = columns.normal.uses[place] <= SPARSE_READERS_MAX;
            if alone && count(&rows) <= SPARSE_MAX {
                return kept(rows, |row| columns.is_true(asked, row));
            }
            self.literals[place] = columns.literal_bits(literal);
            self.known[place] = true;
        }
        join(&mut rows, &self.literals[place], |rows, literal| {
            rows & literal
        });
        rows
    }
}

fn is_none(bits: &Bits) -> bool {
    bits.iter().fold(0, |any, word| any | word) == 0
}

fn count(bits: &Bits) -> u32 {
    bits.iter().map(|word| word.count_ones()).sum()
}

fn join(bits: &mut Bits, other: &Bits, with: impl Fn(u64, u64) -> u64) {
    for (word, other) in bits.iter_mut().zip(other) {
        *word = with(*word, *other);
    }
}

/// The numbers of the set bits, ascending.
fn rows(bits: Bits) -> impl Iterator<Item = usize> {
    bits.into_iter().enumerate().flat_map(|(word, bits)| {
        std::iter::successors(Some(bits).filter(|bits| *bits != 0), move |bits| {
            Some(bits & (bits - 1)).filter(|rest| *rest != 0)
        })
        .map(move |bits| word * 64 + bits.trailing_zeros() as usize)
    })
}

/// The set bits that pass.
fn kept(mut bits: Bits, passes: impl Fn(usize) -> bool) -> Bits {
    for (word, bits) in bits.iter_mut().enumerate() {
        let mut left = *bits;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if !passes(word * 64 + bit as usize) {
                *bits &= !(1 << bit);
            }
        }
    }
    bits
}

/// One bit for each value: whether it passes.
fn pack(values: &[i64], passes: impl Fn(i64) -> bool) -> Bits {
    let mut bits = NONE;
    for (word, values) in bits.iter_mut().zip(values.chunks_exact(64)) {
        *word = values
            .iter()
            .rev()
            .fold(0, |word, value| word << 1 | u64::from(passes(*value)));
    }
    bits
}
