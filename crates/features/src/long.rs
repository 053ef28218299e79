//! The timeline of an entity with many events: runs of chunks, each with its tallies.
//!
//! Positions are sorted by time, then number. A chunk has at most 64, a run at most 4,096. Each
//! keeps one tally per registered filter, so that a window reads whole runs, then whole chunks, and
//! single events only at its two edges. Tallies belong to one plan; under another one they are
//! computed anew on the first visit.

use crate::arena::Fact;
use crate::plan::{Lane, Want, value_of};
use crate::run::{Ground, Inside, Key, RUN, Run};
use crate::slide::{Slide, Step};
use crate::tally::Tally;
use std::collections::VecDeque;
use std::ops::Range;

/// The timeline.
#[derive(Debug)]
pub(crate) struct Long {
    generation: u64,
    runs: VecDeque<Run>,
    /// One for each window of different values.
    slides: Vec<Slide>,
    len: usize,
}

impl Long {
    /// Builds the timeline of sorted positions.
    pub(crate) fn new(positions: &[u32], ground: Ground) -> Self {
        let mut runs = VecDeque::new();
        for positions in positions.chunks(RUN) {
            runs.push_back(Run::new(positions.to_vec(), ground));
        }
        let slides = new_slides(ground);
        Self {
            generation: ground.generation,
            runs,
            slides,
            len: positions.len(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether its tallies are those of this plan.
    pub(crate) fn is_of(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// Time of the first event.
    pub(crate) fn first(&self) -> i64 {
        self.runs.front().map_or(i64::MAX, Run::first)
    }

    /// All positions, earliest first.
    pub(crate) fn positions(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.runs
            .iter()
            .flat_map(|run| run.positions().iter().copied())
    }

    /// Computes everything anew if the plan has changed.
    pub(crate) fn refresh(&mut self, ground: Ground) {
        if self.is_of(ground.generation) {
            return;
        }
        self.generation = ground.generation;
        self.slides = new_slides(ground);
        for run in &mut self.runs {
            run.renew(ground);
        }
    }

    pub(crate) fn insert(&mut self, position: u32, fact: &Fact, ground: Ground) {
        self.refresh(ground);
        let key = (fact.at, ground.arena.rank(position));
        let mut place = self.run_of(key, ground);
        if self.runs.get(place).is_none_or(|run| run.len() >= RUN) {
            place = self.make_room(place, key, ground);
        }
        if let Some(run) = self.runs.get_mut(place) {
            run.insert(position, fact, ground);
            self.len += 1;
        }
        self.slide_values(position, fact, ground, Slide::add);
    }

    pub(crate) fn remove(&mut self, position: u32, fact: &Fact, ground: Ground) {
        self.refresh(ground);
        let place = self.run_of((fact.at, ground.arena.rank(position)), ground);
        let Some(run) = self.runs.get_mut(place) else {
            return;
        };
        self.len -= usize::from(run.remove(position, fact, ground));
        if run.len() == 0 {
            self.runs.remove(place);
        }
        self.slide_values(position, fact, ground, Slide::remove);
    }

    /// Follows a change of outcome or label of one event, already made in the arena.
    pub(crate) fn change(&mut self, position: u32, before: &Fact, after: &Fact, ground: Ground) {
        if !self.is_of(ground.generation) {
            return self.refresh(ground);
        }
        let place = self.run_of((after.at, ground.arena.rank(position)), ground);
        if let Some(run) = self.runs.get_mut(place) {
            run.change(position, before, after, ground);
        }
        self.slide_values(position, before, ground, Slide::remove);
        self.slide_values(position, after, ground, Slide::add);
    }

    /// The tally of a lane over the events after one time, until another.
    pub(crate) fn tally(&self, lane: &Lane, after: i64, until: i64, ground: Ground) -> Tally {
        let mut tally = Tally::EMPTY;
        for run in self.runs.range(self.runs_between(after, until)) {
            if after < run.first() && run.last() <= until {
                tally.merge(run.total(lane));
            } else {
                run.tally(lane, after, until, ground, &mut tally);
            }
        }
        tally
    }

    /// The time of the latest event that a lane lets through.
    pub(crate) fn latest(
        &self,
        lane: &Lane,
        after: i64,
        until: i64,
        ground: Ground,
    ) -> Option<i64> {
        let runs = self.runs.range(self.runs_between(after, until)).rev();
        runs.filter(|run| run.total(lane).count > 0)
            .find_map(|run| run.latest(lane, after, until, ground))
    }

    /// The different values of a lane, its window moved to these edges.
    pub(crate) fn distinct(
        &mut self,
        lane: &Lane,
        after: i64,
        until: i64,
        ground: Ground,
    ) -> Option<&Slide> {
        let Want::Distinct(attribute) = lane.want else {
            return None;
        };
        let mut slide = std::mem::replace(self.slides.get_mut(lane.summary)?, Slide::new());
        for (after, until, step) in slide.shift(after, until) {
            self.each_between(after, until, ground, |chunk| {
                for (position, fact) in chunk.filter(|(_, fact)| lane.matcher.matches(fact)) {
                    if let Some(value) = value_of(ground.arena, position, fact, attribute) {
                        step(&mut slide, value);
                    }
                }
            });
        }
        let place = self.slides.get_mut(lane.summary)?;
        *place = slide;
        Some(place)
    }

    /// Visits the events after one time, until another, chunk by chunk.
    pub(crate) fn each_between<'a>(
        &'a self,
        after: i64,
        until: i64,
        ground: Ground<'a>,
        mut visit: impl FnMut(Inside<'a>),
    ) {
        if after >= until {
            return;
        }
        for run in self.runs.range(self.runs_between(after, until)) {
            for place in run.chunks_between(after, until) {
                visit(run.inside(place, after, until, ground));
            }
        }
    }

    fn runs_between(&self, after: i64, until: i64) -> Range<usize> {
        let start = self.runs.partition_point(|run| run.last() <= after);
        start
            ..self
                .runs
                .partition_point(|run| run.first() <= until)
                .max(start)
    }

    /// The run that a key belongs to: the last one that begins at or before it, else the first.
    fn run_of(&self, key: Key, ground: Ground) -> usize {
        self.runs
            .partition_point(|run| run.begin(ground) <= key)
            .saturating_sub(1)
    }

    /// Adds a run at the end, or splits a full one. Returns the run that the key belongs to.
    fn make_room(&mut self, place: usize, key: Key, ground: Ground) -> usize {
        let follows = |run: &Run| run.end(ground) < key;
        if place + 1 >= self.runs.len() && self.runs.get(place).is_none_or(follows) {
            if let Some(run) = self.runs.get_mut(place) {
                run.shrink();
            }
            self.runs.push_back(Run::new(Vec::new(), ground));
            return self.runs.len() - 1;
        }
        if let Some(run) = self.runs.get_mut(place) {
            let upper = run.split(ground);
            self.runs.insert(place + 1, upper);
        }
        self.run_of(key, ground)
    }

    /// Adds the event's values to the windows that cover it, or removes them.
    fn slide_values(&mut self, position: u32, fact: &Fact, ground: Ground, step: Step) {
        for lane in &ground.kind.lanes {
            if let Want::Distinct(attribute) = lane.want
                && let Some(slide) = self.slides.get_mut(lane.summary)
                && slide.covers(fact.at)
                && lane.matcher.matches(fact)
                && let Some(value) = value_of(ground.arena, position, fact, attribute)
            {
                step(slide, value);
            }
        }
    }
}

fn new_slides(ground: Ground) -> Vec<Slide> {
    (0..ground.kind.slides).map(|_| Slide::new()).collect()
}
