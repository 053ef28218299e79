//! Ladders: for each slot the constants that literals compare it with, in order.
//!
//! Which literals are true of a value depends only on how far up it stands, so a value is sought
//! once per slot instead of being compared once per literal: `value >= bound` is one bitmap of
//! payments, every other comparison the difference of two.

use super::{BLOCK_ROWS, Bits, Columns, NONE, WORD_ROWS, WORDS, join};
use crate::{
    literal::{Check, Literal},
    normal::Normal,
};
use multiversion::multiversion;
use std::hint::select_unpredictable;

/// Constants of one set that become rungs; the values of a larger set are searched in it.
const SET_MAX: usize = 64;
/// Ladders with so many bounds are climbed by comparing each value with each bound, which a
/// processor does for several values at once; on longer ones each value is sought.
const COMPARED_MAX: usize = 24;
/// The place of the bitmap of no payment: above every ladder.
const TOP: u32 = 0;

/// The ladders of all slots, one after the other, and where each literal stands on them.
#[derive(Debug, Default)]
pub(super) struct Ladders {
    /// Ascending within a slot.
    bounds: Vec<i64>,
    /// Where the bounds of each slot begin, and where the last ones end.
    starts: Vec<u32>,
    /// One for each literal.
    questions: Vec<Question>,
    /// The stretches of sets.
    stretches: Vec<Stretch>,
}

/// From one rung to below another: places of bitmaps.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: u32,
    to: u32,
}

/// A literal, as it is asked of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    slot: u32,
    reach: Reach,
}

/// The values for which a literal is true.
#[derive(Debug, Clone, Copy)]
enum Reach {
    Inside(Stretch),
    Outside(Stretch),
    /// Any of these places of `stretches`, or none of them.
    Among {
        first: u32,
        last: u32,
        inside: bool,
    },
    /// A set that is searched.
    Set {
        set: u32,
        inside: bool,
    },
}

/// The payments of a block that reached each rung. Slots are looked at when they are first asked
/// for.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// For each slot the payments that have a value, then those that reached each of its bounds.
    /// The first is [`TOP`].
    bits: Vec<Bits>,
    known: Vec<bool>,
}

impl Ladders {
    pub(super) fn new(normal: &Normal) -> Self {
        let (bounds, starts) = bounds(normal);
        let mut ladders = Self {
            bounds,
            starts,
            ..Self::default()
        };
        for Literal { slot, check } in normal.literals.iter().copied() {
            let reach = ladders.reach(slot, check, normal);
            ladders.questions.push(Question { slot, reach });
        }
        ladders
    }

    /// What a literal asks.
    pub(super) fn question(&self, literal: u32) -> Question {
        self.questions[literal as usize]
    }

    /// Bitmaps that a block needs.
    fn bitmaps(&self) -> usize {
        self.bounds.len() + self.starts.len()
    }

    /// The bitmap of the payments that have a value in a slot; those of its bounds follow.
    fn ground(&self, slot: u32) -> u32 {
        1 + self.starts[slot as usize] + slot
    }

    fn bounds_of(&self, slot: u32) -> &[i64] {
        let slot = slot as usize;
        &self.bounds[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    fn reach(&mut self, slot: u32, check: Check, normal: &Normal) -> Reach {
        let ground = self.ground(slot);
        match check {
            Check::AtLeast(bound) => Reach::Inside(Stretch {
                from: self.rung(slot, bound),
                to: TOP,
            }),
            Check::AtMost(bound) => Reach::Inside(Stretch {
                from: ground,
                to: self.above(slot, bound),
            }),
            Check::Is(value) => Reach::Inside(self.only(slot, value)),
            Check::IsNot(value) => Reach::Outside(self.only(slot, value)),
            Check::Among(set) => self.among(slot, set, true, normal),
            Check::NotAmong(set) => self.among(slot, set, false, normal),
        }
    }

    fn among(&mut self, slot: u32, set: u32, inside: bool, normal: &Normal) -> Reach {
        let values = &normal.sets[set as usize];
        if values.len() > SET_MAX {
            return Reach::Set { set, inside };
        }
        let first = self.stretches.len() as u32;
        for value in values {
            let only = self.only(slot, *value);
            self.stretches.push(only);
        }
        Reach::Among {
            first,
            last: self.stretches.len() as u32,
            inside,
        }
    }

    fn only(&self, slot: u32, value: i64) -> Stretch {
        Stretch {
            from: self.rung(slot, value),
            to: self.above(slot, value),
        }
    }

    /// The bitmap of the payments whose value is the bound or more.
    fn rung(&self, slot: u32, bound: i64) -> u32 {
        let below = self.bounds_of(slot).partition_point(|known| *known < bound);
        self.ground(slot) + 1 + below as u32
    }

    /// The bitmap of the payments whose value is more than the bound.
    fn above(&self, slot: u32, bound: i64) -> u32 {
        bound
            .checked_add(1)
            .map_or(TOP, |next| self.rung(slot, next))
    }
}

/// Every bound of every slot, ascending, and where those of each slot begin.
fn bounds(normal: &Normal) -> (Vec<i64>, Vec<u32>) {
    let mut all: Vec<(u32, i64)> = Vec::with_capacity(normal.literals.len() * 2);
    for literal in &normal.literals {
        let mut add = |bound: Option<i64>| all.extend(bound.map(|bound| (literal.slot, bound)));
        let mut only = |value: i64| {
            add(Some(value));
            add(value.checked_add(1));
        };
        match literal.check {
            Check::AtLeast(bound) => add(Some(bound)),
            Check::AtMost(bound) => add(bound.checked_add(1)),
            Check::Is(value) | Check::IsNot(value) => only(value),
            Check::Among(set) | Check::NotAmong(set) => {
                let set = &normal.sets[set as usize];
                let few = set.iter().take(SET_MAX * usize::from(set.len() <= SET_MAX));
                few.for_each(|value| only(*value));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    let slots = 0..=normal.slots.len() as u32;
    let starts = slots.map(|slot| all.partition_point(|(known, _)| *known < slot) as u32);
    let starts = starts.collect();
    (all.iter().map(|(_, bound)| *bound).collect(), starts)
}

impl Reached {
    /// Forgets the block before.
    pub(super) fn begin(&mut self, ladders: &Ladders) {
        self.bits.resize(ladders.bitmaps(), NONE);
        self.known.clear();
        self.known.resize(ladders.starts.len() - 1, false);
    }

    /// Those of some payments for which a literal is true.
    #[inline(always)]
    pub(super) fn narrow(
        &mut self,
        question: Question,
        rows: &mut Bits,
        ladders: &Ladders,
        columns: &Columns,
    ) {
        let Question { slot, reach } = question;
        if !self.known[slot as usize] {
            self.climb(slot, ladders, columns);
        }
        match reach {
            Reach::Inside(stretch) => self.inside(rows, stretch),
            Reach::Outside(stretch) => {
                join(rows, self.at(ladders.ground(slot)), |rows, present| {
                    rows & present
                });
                self.outside(rows, stretch);
            }
            Reach::Among {
                first,
                last,
                inside,
            } => {
                join(rows, self.at(ladders.ground(slot)), |rows, present| {
                    rows & present
                });
                let mut none = *rows;
                for stretch in &ladders.stretches[first as usize..last as usize] {
                    self.outside(&mut none, *stretch);
                }
                match inside {
                    true => join(rows, &none, |rows, none| rows & !none),
                    false => *rows = none,
                }
            }
            Reach::Set { set, inside } => {
                join(rows, self.at(ladders.ground(slot)), |rows, present| {
                    rows & present
                });
                let set = &columns.normal.sets[set as usize];
                columns.keep(rows, slot, |value| {
                    set.binary_search(&value).is_ok() == inside
                });
            }
        }
    }

    fn at(&self, place: u32) -> &Bits {
        &self.bits[place as usize]
    }

    #[inline(always)]
    fn inside(&self, rows: &mut Bits, stretch: Stretch) {
        let (from, to) = (self.at(stretch.from), self.at(stretch.to));
        for (word, rows) in rows.iter_mut().enumerate() {
            *rows &= from[word] & !to[word];
        }
    }

    #[inline(always)]
    fn outside(&self, rows: &mut Bits, stretch: Stretch) {
        let (from, to) = (self.at(stretch.from), self.at(stretch.to));
        for (word, rows) in rows.iter_mut().enumerate() {
            *rows &= !from[word] | to[word];
        }
    }

    /// Finds how far up each payment stands on the ladder of a slot.
    #[cold]
    fn climb(&mut self, slot: u32, ladders: &Ladders, columns: &Columns) {
        self.known[slot as usize] = true;
        let bounds = ladders.bounds_of(slot);
        let ground = ladders.ground(slot) as usize;
        let rungs = &mut self.bits[ground..=ground + bounds.len()];
        rungs.fill(NONE);
        let present = columns.present(slot);
        if super::is_none(&present) {
            return;
        }
        if bounds.len() <= COMPARED_MAX {
            let (ground, above) = rungs.split_at_mut(1);
            ground.fill(present);
            return compare(bounds, columns.words(slot), &present, above);
        }
        let stands = stands(bounds, columns.column(slot));
        // Payment by payment across the words: two that stand on one rung never touch the same
        // word one right after the other, which would wait for the store before.
        for bit in 0..64 {
            for word in 0..WORDS {
                let stands = stands[word * 64 + bit] as usize;
                rungs[stands][word] |= 1 << bit;
            }
        }
        let mut above = NONE;
        for rung in rungs.iter_mut().rev() {
            for (word, rung) in rung.iter_mut().enumerate() {
                above[word] |= *rung & present[word];
                *rung = above[word];
            }
        }
    }
}

/// Which of the payments that have a value reach each bound.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn compare(
    bounds: &[i64],
    (values, stride): (&[i64], usize),
    present: &Bits,
    reached: &mut [Bits],
) {
    for ((word, values), present) in values.chunks(stride).enumerate().zip(present) {
        let Some(values) = values.first_chunk::<WORD_ROWS>() else {
            return;
        };
        for (bound, reached) in bounds.iter().zip(reached.iter_mut()) {
            let mut bits = 0;
            for (place, value) in values.iter().enumerate() {
                bits |= u64::from(value >= bound) << place;
            }
            reached[word] = bits & present;
        }
    }
}

/// How many bounds each value has reached.
fn stands<'a>(bounds: &[i64], values: impl Iterator<Item = &'a [i64]>) -> [u32; BLOCK_ROWS] {
    match (bounds.len() + 1).next_power_of_two() {
        ..=2 => stands_in::<2>(bounds, values),
        4 => stands_in::<4>(bounds, values),
        8 => stands_in::<8>(bounds, values),
        16 => stands_in::<16>(bounds, values),
        32 => stands_in::<32>(bounds, values),
        64 => stands_in::<64>(bounds, values),
        128 => stands_in::<128>(bounds, values),
        256 => stands_in::<256>(bounds, values),
        512 => stands_in::<512>(bounds, values),
        _ => {
            let mut stands = [0; BLOCK_ROWS];
            for (stands, value) in stands.iter_mut().zip(values.flatten()) {
                *stands = bounds.partition_point(|bound| bound <= value) as u32;
            }
            stands
        }
    }
}

/// The same for fewer than `N` bounds, a power of two: a search whose steps are known beforehand
/// and need no branches.
fn stands_in<'a, const N: usize>(
    bounds: &[i64],
    values: impl Iterator<Item = &'a [i64]>,
) -> [u32; BLOCK_ROWS] {
    let mut filled = [i64::MAX; N];
    filled[..bounds.len()].copy_from_slice(bounds);
    let mut stands = [0; BLOCK_ROWS];
    for (stands, values) in stands.chunks_exact_mut(WORD_ROWS).zip(values) {
        for (stands, value) in stands.iter_mut().zip(values) {
            let mut place = 0;
            let mut step = N / 2;
            while step > 0 {
                let reached = filled[(place + step - 1) % N] <= *value;
                place = select_unpredictable(reached, place + step, place);
                step /= 2;
            }
            // The largest value reaches what only fills.
            *stands = place.min(bounds.len()) as u32;
        }
    }
    stands
}
