//! What one evaluation writes: the slots read so far, the candidates, the hits. Reused from
//! payment to payment, so that evaluation allocates nothing once it is warm.

use crate::{literal::Slot, normal::Normal, rule_set::Hits, slots::Slots, truth::Stop};

/// Room for evaluations, of any rule set, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    marks: Vec<Mark>,
    values: Vec<i64>,
    candidates: Vec<Candidate>,
    hits: Hits,
}

/// A place of the postings, to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub place: u32,
    /// Whether the access predicate itself is a fault, so that only the tree can tell.
    pub by_tree: bool,
}

impl Candidate {
    pub(crate) fn by_code(place: u32) -> Self {
        let by_tree = false;
        Self { place, by_tree }
    }

    pub(crate) fn by_tree(place: u32) -> Self {
        let by_tree = true;
        Self { place, by_tree }
    }
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
    ) -> (Image<'a>, &'a mut Vec<Candidate>, &'a mut Hits) {
        self.marks.clear();
        self.marks.resize(normal.slots.len(), Mark::Unread);
        self.values.resize(normal.slots.len(), 0);
        self.hits.clear();
        let mut image = Image {
            normal,
            slots,
            marks: &mut self.marks,
            values: &mut self.values,
            steps: 0,
        };
        image.load_windows();
        (image, &mut self.candidates, &mut self.hits)
    }
}

impl Image<'_> {
    /// What a slot holds.
    #[inline]
    pub(crate) fn read(&mut self, slot: u32) -> State {
        let slot = slot as usize;
        match self.marks[slot] {
            Mark::Present => State::Present(self.values[slot]),
            mark => self.absent(slot, mark),
        }
    }

    /// What a slot holds that is not known to have a value.
    #[inline(never)]
    fn absent(&mut self, slot: usize, mark: Mark) -> State {
        match mark {
            Mark::Missing => State::Missing,
            Mark::Fault => State::Fault,
            Mark::Unread | Mark::Present => self.load(slot),
        }
    }

    pub(crate) fn sets(&self) -> &[Box<[i64]>] {
        &self.normal.sets
    }

    /// Reads all windows: most are asked for, and together they cost least.
    fn load_windows(&mut self) {
        for (slot, window) in &self.normal.windows {
            let (slot, window) = (*slot as usize, *window as usize);
            let value = self.slots.windows.get(window);
            let number = value.and_then(|value| value.number());
            self.values[slot] = number.unwrap_or_default();
            self.marks[slot] = match number {
                Some(_) => Mark::Present,
                None => Mark::Missing,
            };
        }
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
