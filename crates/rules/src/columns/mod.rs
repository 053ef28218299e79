//! Columns: blocks of payments, the value of each slot side by side, and all rules over them.
//!
//! The rules are the same normal form that the index runs. Each slot is looked at once per block
//! (see [`ladder`]), and a rule is a few `and`s over bitmaps of 64 payments per word.

mod ladder;
mod program;
#[cfg(test)]
mod tests;

use crate::{
    index::Index,
    literal::{Literal, Node, Slot},
    normal::Normal,
    program::Whole,
    rule_set::RuleSet,
    slots::Slots,
    symbols::QuickMap,
    truth::{Fault, Stop, Truth},
};
use ladder::{Ladders, Reached};
use program::{Asked, Program};
use std::sync::Arc;

/// The most payments in one block.
pub const BLOCK_ROWS: usize = 1_024;
const WORDS: usize = BLOCK_ROWS / 64;

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
    lanes: Lanes,
    /// The last payments, of which too few have come to be turned: by payment and lane.
    waiting: Vec<i64>,
    /// By word, lane and payment of the word: what one payment fills lies on few pages.
    values: Vec<i64>,
    /// By word and lane.
    present: Vec<u64>,
    /// Which fault a slot is, for the few rows where it is one, by slot and row.
    faults: QuickMap<(u32, u32), Fault>,
    /// The payments for which a slot is a fault, of slots that are one somewhere.
    faulty: QuickMap<u32, Bits>,
}

/// In which order the values of a payment are laid out: all windows as the caller has them, then
/// the other slots.
#[derive(Debug, Clone)]
struct Lanes {
    of_slot: Vec<u32>,
    windows: usize,
    others: Vec<u32>,
}

/// Room for evaluating blocks, reused from block to block.
#[derive(Debug, Default)]
pub struct Bitmaps {
    ladders: Ladders,
    reached: Reached,
    /// What the ladders are of.
    normal: Option<Arc<Normal>>,
    program: Program,
    /// What the program is of.
    index: Option<Arc<Index>>,
}

/// What one rule did with the payments of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it fired: bit `i % 64` of word `i / 64` is payment `i`.
    pub fired: Bits,
    /// Where it could not be computed, in ascending order.
    pub faults: Vec<(usize, Fault)>,
}

/// Payments of one word of bits, whose values of a slot stand side by side.
const WORD_ROWS: usize = 64;
/// How far the values of two slots are apart: a line more than they are long, or those of one
/// payment would all compete for the same few lines of the cache.
const STRIDE: usize = WORD_ROWS + 8;
/// Payments whose values are turned into columns together: as many as fill a line of the cache, or
/// each value of a payment would fetch a line for itself.
const TURNED: usize = 8;

impl Columns {
    pub(crate) fn new(normal: Arc<Normal>, rows_max: usize) -> Self {
        let words = rows_max.clamp(1, BLOCK_ROWS).div_ceil(WORD_ROWS);
        let lanes = Lanes::new(&normal);
        Self {
            waiting: vec![0; TURNED * lanes.count()],
            values: vec![0; words * lanes.count() * STRIDE],
            present: vec![0; words * lanes.count()],
            rows: 0,
            rows_max: words * WORD_ROWS,
            lanes,
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
        let (word, bit) = (self.rows / WORD_ROWS, self.rows % WORD_ROWS);
        let count = self.lanes.count();
        let present = &mut self.present[word * count..][..count];
        let values = &mut self.waiting[self.rows % TURNED * count..][..count];
        let (window_values, values) = values.split_at_mut(self.lanes.windows);
        let (windows_present, present) = present.split_at_mut(self.lanes.windows);
        let lanes = window_values.iter_mut().zip(windows_present);
        for ((value, present), window) in lanes.zip(slots.windows) {
            let number = window.number();
            *value = number.unwrap_or_default();
            *present |= u64::from(number.is_some()) << bit;
        }
        let lanes = values.iter_mut().zip(present);
        for (slot, (value, present)) in self.lanes.others.iter().zip(lanes) {
            match self.normal.read(*slot as usize, slots) {
                Ok(read) => {
                    *value = read;
                    *present |= 1 << bit;
                }
                Err(Stop::Unknown) => {}
                Err(Stop::Fault(fault)) => {
                    self.faults.insert((*slot, self.rows as u32), fault);
                    self.faulty.entry(*slot).or_insert(NONE)[word] |= 1 << bit;
                }
            }
        }
        self.rows += 1;
        if self.rows.is_multiple_of(TURNED) {
            self.turn(self.rows - TURNED);
        }
        true
    }

    /// Puts the payments that wait where those of their slots are: what is read from now on is
    /// complete.
    fn settle(&mut self) {
        let waiting = self.rows % TURNED;
        if waiting > 0 {
            self.turn(self.rows - waiting);
        }
    }

    /// Puts the payments that wait into the columns, the first of them at a row.
    fn turn(&mut self, row: usize) {
        let (word, bit) = (row / WORD_ROWS, row % WORD_ROWS);
        let count = self.lanes.count();
        let values = &mut self.values[word * count * STRIDE..][..count * STRIDE];
        let waiting: [&[i64]; TURNED] =
            std::array::from_fn(|payment| &self.waiting[payment * count..][..count]);
        for (lane, values) in values.chunks_exact_mut(STRIDE).enumerate() {
            let values = values[bit..bit + TURNED].iter_mut();
            for (value, waiting) in values.zip(waiting) {
                *value = waiting[lane];
            }
        }
    }

    /// Forgets all payments.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.present.fill(0);
        self.faults.clear();
        self.faulty.clear();
    }

    /// Whether it was made for a rule set with these slots.
    pub(crate) fn is_of(&self, normal: &Arc<Normal>) -> bool {
        Arc::ptr_eq(&self.normal, normal)
    }

    /// The values of a slot, those of 64 payments together.
    fn column(&self, slot: u32) -> impl Iterator<Item = &[i64]> {
        let words = 0..self.rows_max / WORD_ROWS;
        words.map(move |word| &self.values[self.place(slot, word)..][..WORD_ROWS])
    }

    /// The values of a slot from its first on, and how far those of the next 64 payments are.
    fn words(&self, slot: u32) -> (&[i64], usize) {
        let first = self.place(slot, 0);
        let values = self.values.get(first..).unwrap_or_default();
        (values, self.lanes.count() * STRIDE)
    }

    /// Where the values of a slot stand for the payments of one word.
    fn place(&self, slot: u32, word: usize) -> usize {
        (word * self.lanes.count() + self.lanes.of_slot[slot as usize] as usize) * STRIDE
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

    /// The payments that have a value in a slot.
    fn present(&self, slot: u32) -> Bits {
        let mut bits = NONE;
        let words = self.present.chunks_exact(self.lanes.count());
        let lane = self.lanes.of_slot[slot as usize] as usize;
        for (bits, present) in bits.iter_mut().zip(words) {
            *bits = present[lane];
        }
        bits
    }

    /// The value of a slot for one payment, if it has one.
    fn value(&self, slot: u32, row: usize) -> Option<i64> {
        let present = self.present(slot)[row / WORD_ROWS] >> (row % WORD_ROWS) & 1 == 1;
        let place = self.place(slot, row / WORD_ROWS) + row % WORD_ROWS;
        present.then(|| self.values[place])
    }

    /// Drops those of some payments whose value in a slot does not pass.
    fn keep(&self, rows: &mut Bits, slot: u32, passes: impl Fn(i64) -> bool) {
        for row in self::rows(*rows) {
            if !self.value(slot, row).is_some_and(&passes) {
                rows[row / WORD_ROWS] &= !(1 << (row % WORD_ROWS));
            }
        }
    }

    /// What a condition is for one payment, faults included.
    fn truth(&self, node: &Node, row: usize) -> Truth {
        match node {
            Node::Literal(literal) => {
                let Literal { slot, check } = self.normal.literal(*literal);
                let fault = self.faults.get(&(slot, row as u32));
                match (fault, self.value(slot, row)) {
                    (Some(fault), _) => Truth::Fault(*fault),
                    (None, Some(value)) => check.holds(value, &self.normal.sets).into(),
                    (None, None) => Truth::Unknown,
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

impl Lanes {
    fn new(normal: &Normal) -> Self {
        let window = |slot: &Slot| match slot {
            Slot::Whole(Whole::Window(window)) => Some(*window),
            _ => None,
        };
        let windows = normal.slots.iter().filter_map(window).max();
        let windows = windows.map_or(0, |last| last + 1);
        let mut others = Vec::new();
        let mut lane = |(slot, source): (usize, &Slot)| match window(source) {
            Some(window) => window as u32,
            None => {
                others.push(slot as u32);
                (windows + others.len() - 1) as u32
            }
        };
        Self {
            of_slot: normal.slots.iter().enumerate().map(&mut lane).collect(),
            windows,
            others,
        }
    }

    fn count(&self) -> usize {
        self.windows + self.others.len()
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
        columns: &mut Columns,
        bitmaps: &mut Bitmaps,
        mut each: impl FnMut(usize, &Found),
    ) -> bool {
        if !columns.is_of(self.normal()) {
            return false;
        }
        columns.settle();
        bitmaps.begin(self.normal());
        bitmaps.follow(&self.index, self.normal());
        let mut found = Found {
            fired: NONE,
            faults: Vec::new(),
        };
        let (program, mut asked) = bitmaps.ask(columns);
        let (all, faultless) = (columns.all(), columns.faults.is_empty());
        program::run(
            program,
            &self.index,
            all,
            &mut asked,
            |rule, node, fired| {
                if faultless && is_none(fired) {
                    return;
                }
                found.fired = *fired;
                found.faults.clear();
                if !faultless {
                    found.faults.extend(columns.faults_of(node, fired));
                }
                if !is_none(fired) || !found.faults.is_empty() {
                    each(rule, &found);
                }
            },
        );
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
    /// Gets ready for a block of a rule set.
    fn begin(&mut self, normal: &Arc<Normal>) {
        let known = self.normal.as_ref();
        if !known.is_some_and(|known| Arc::ptr_eq(known, normal)) {
            self.ladders = Ladders::new(normal);
            self.normal = Some(Arc::clone(normal));
            self.index = None;
        }
        self.reached.begin(&self.ladders);
    }

    /// Gets ready for the rules of an index.
    fn follow(&mut self, index: &Arc<Index>, normal: &Normal) {
        let known = self.index.as_ref();
        if !known.is_some_and(|known| Arc::ptr_eq(known, index)) {
            self.program = Program::new(index, normal, &self.ladders);
            self.index = Some(Arc::clone(index));
        }
    }

    fn ask<'a>(&'a mut self, columns: &'a Columns) -> (&'a mut Program, Asked<'a>) {
        let asked = Asked {
            columns,
            ladders: &self.ladders,
            reached: &mut self.reached,
        };
        (&mut self.program, asked)
    }

    /// How many payments of a block each literal is true of.
    pub(crate) fn counts(&mut self, columns: &mut Columns) -> Vec<u32> {
        columns.settle();
        self.begin(&columns.normal);
        let (_, mut asked) = self.ask(columns);
        let all = columns.all();
        let literals = 0..columns.normal.literals.len() as u32;
        let count = |literal| {
            let mut rows = all;
            asked.narrow_by(asked.ladders.question(literal), &mut rows);
            rows.iter().map(|word| word.count_ones()).sum()
        };
        literals.map(count).collect()
    }
}

#[inline(always)]
fn is_none(bits: &Bits) -> bool {
    bits.iter().fold(0, |any, word| any | word) == 0
}

#[inline(always)]
fn join(bits: &mut Bits, other: &Bits, with: impl Fn(u64, u64) -> u64) {
    for (word, bits) in bits.iter_mut().enumerate() {
        *bits = with(*bits, other[word]);
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
