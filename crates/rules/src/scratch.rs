//! What one evaluation writes: the slots read so far, the candidates, the hits. Reused from
//! payment to payment, so that evaluation allocates nothing once it is warm.

use crate::{
    normal::Normal,
    rule_set::Hits,
    slots::Slots,
    truth::{Answer, Stop},
};

/// Room for evaluations, of any rule set, one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    marks: Vec<Mark>,
    bounds: Vec<[i64; 2]>,
    candidates: Candidates,
    hits: Hits,
}

/// The places of the postings that a payment calls up.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub places: Vec<Candidate>,
    /// Which stretches of the postings the payment reaches into.
    pub reached: Vec<u32>,
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

/// What is less than every key: the bounds of a slot that has no value.
const NO_BOUNDS: [i64; 2] = [i64::MIN; 2];

/// The slots of one payment. What stands in the payment is read at once, what has to be computed
/// when it is first asked for.
pub(crate) struct Image<'a> {
    normal: &'a Normal,
    slots: &'a Slots<'a>,
    marks: &'a mut [Mark],
    /// Of each slot its value and the complement of it, see [`Image::bounds`].
    bounds: &'a mut [[i64; 2]],
    /// Whether a field was filled with a value of another type, so that only trees can tell.
    pub wrong: bool,
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
    ) -> (Image<'a>, &'a mut Candidates, &'a mut Hits) {
        self.marks.clear();
        self.marks.resize(normal.slots.len(), Mark::Unread);
        self.bounds.resize(normal.slots.len(), NO_BOUNDS);
        self.hits.clear();
        let mut image = Image {
            normal,
            slots,
            marks: &mut self.marks,
            bounds: &mut self.bounds,
            wrong: false,
            steps: 0,
        };
        image.load_windows();
        image.load_fields();
        (image, &mut self.candidates, &mut self.hits)
    }
}

impl Image<'_> {
    /// What a slot holds.
    #[inline]
    pub(crate) fn read(&mut self, slot: u32) -> State {
        let slot = slot as usize;
        match self.marks[slot] {
            Mark::Present => State::Present(self.bounds[slot][0]),
            mark => self.absent(slot, mark),
        }
    }

    /// Two numbers for each slot: its value, which is the least that a lower bound may exceed, and
    /// the complement of its value, for upper bounds. Both are the least of all numbers if there
    /// is no value. Slots that have to be computed are not among them.
    #[inline]
    pub(crate) fn bounds(&self) -> &[i64] {
        self.bounds.as_flattened()
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
            (self.marks[slot], self.bounds[slot]) = match number {
                Some(number) => (Mark::Present, [number, !number]),
                None => (Mark::Missing, NO_BOUNDS),
            };
        }
    }

    /// Reads everything else that stands in the payment.
    fn load_fields(&mut self) {
        for slot in &self.normal.fields {
            let slot = *slot as usize;
            let state = State::from(self.normal.read(slot, self.slots));
            self.wrong |= state == State::Fault;
            (self.marks[slot], self.bounds[slot]) = state.kept();
        }
    }

    fn load(&mut self, slot: usize) -> State {
        self.steps += crate::index::slot_cost(&self.normal.slots[slot]);
        let state = State::from(self.normal.read(slot, self.slots));
        (self.marks[slot], self.bounds[slot]) = state.kept();
        state
    }
}

impl From<Answer<i64>> for State {
    fn from(answer: Answer<i64>) -> Self {
        match answer {
            Ok(value) => Self::Present(value),
            Err(Stop::Unknown) => Self::Missing,
            Err(Stop::Fault(_)) => Self::Fault,
        }
    }
}

impl State {
    fn kept(self) -> (Mark, [i64; 2]) {
        match self {
            Self::Present(value) => (Mark::Present, [value, !value]),
            Self::Missing => (Mark::Missing, NO_BOUNDS),
            Self::Fault => (Mark::Fault, NO_BOUNDS),
        }
    }
}
