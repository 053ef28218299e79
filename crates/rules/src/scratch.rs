//! What one evaluation writes: the slots read so far, the candidates, the hits. Reused from
//! payment to payment, so that evaluation allocates nothing once it is warm.

use crate::{literal::Slot, normal::Normal, rule_set::Hits, slots::Slots, truth::Stop};
use std::ops::Range;

/// Room for evaluations, of any rule set, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    marks: Vec<Mark>,
    values: Vec<i64>,
    runs: Vec<Run>,
    hits: Hits,
}

/// Places of the postings that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub places: Range<u32>,
    /// Whether the access predicate itself is a fault, so that only the trees can tell.
    pub by_tree: bool,
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Missing,
    Present(i64),
    Fault,
}

/// What is known of a slot: one byte each, so that forgetting all of them is quick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unread,
    Missing,
    Present,
    Fault,
}

/// The slots of one payment, each read when it is first asked for.
pub(crate) struct Image<'a> {
    normal: &'a Normal,
    slots: &'a Slots<'a>,
    marks: &'a mut [Mark],
    values: &'a mut [i64],
    /// Instructions run and sub-expressions computed so far.
    pub steps: u32,
}

impl Scratch {
    /// What the last evaluation found.
    pub fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Takes what the last evaluation found.
    pub(crate) fn into_hits(self) -> Hits {
        self.hits
    }

    /// Makes room for one evaluation.
    pub(crate) fn begin<'a>(
        &'a mut self,
        normal: &'a Normal,
        slots: &'a Slots<'a>,
    ) -> (Image<'a>, &'a mut Vec<Run>, &'a mut Hits) {
        self.marks.clear();
        self.marks.resize(normal.slots.len(), Mark::Unread);
        self.values.resize(normal.slots.len(), 0);
        self.hits.clear();
        let image = Image {
            normal,
            slots,
            marks: &mut self.marks,
            values: &mut self.values,
            steps: 0,
        };
        (image, &mut self.runs, &mut self.hits)
    }
}

impl Image<'_> {
    /// What a slot holds.
    #[inline]
    pub(crate) fn read(&mut self, slot: u32) -> State {
        let slot = slot as usize;
        match self.marks[slot] {
            Mark::Present => State::Present(self.values[slot]),
            Mark::Missing => State::Missing,
            Mark::Fault => State::Fault,
            Mark::Unread => self.load(slot),
        }
    }

    pub(crate) fn sets(&self) -> &[Box<[i64]>] {
        &self.normal.sets
    }

    fn load(&mut self, slot: usize) -> State {
        let source = &self.normal.slots[slot];
        self.steps += crate::index::slot_cost(source);
        let state = State::of(source, self.slots, self.normal);
        self.marks[slot] = match state {
            State::Present(value) => {
                self.values[slot] = value;
                Mark::Present
            }
            State::Missing => Mark::Missing,
            State::Fault => Mark::Fault,
        };
        state
    }
}

impl State {
    /// What a slot holds for one payment.
    pub(crate) fn of(source: &Slot, slots: &Slots<'_>, normal: &Normal) -> Self {
        match source.read(slots, &normal.symbols) {
            Ok(value) => Self::Present(value),
            Err(Stop::Unknown) => Self::Missing,
            Err(Stop::Fault(_)) => Self::Fault,
        }
    }
}
