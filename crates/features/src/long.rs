//! The timeline of an entity with many events: runs of chunks, each with its tallies.
//!
//! Positions are sorted by time, then number. A chunk has at most 64, a run at most 4,096. Each
//! keeps one tally per registered filter, so that a window reads whole runs, then whole chunks, and
//! single events only at its two edges. Tallies belong to one plan; under another one they are
//! computed anew on the first visit.

use crate::arena::Fact;
use crate::pass::{Asked, Slid, fill, travel};
use crate::plan::{Group, Passes, Trail};
use crate::run::{Ground, Inside, Key, RUN, Run};
use crate::slide::{Slide, Step};
use crate::tally::{Fading, Tally};
use crate::{Aggregate, Value};
use std::collections::VecDeque;
use std::ops::Range;

/// How many of the latest events are looked at for one with a place.
const LOOKS_MAX: usize = 1024;

/// The timeline.
#[derive(Debug)]
pub(crate) struct Long {
    generation: u64,
    runs: VecDeque<Run>,
    /// One for each window of the plan.
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
        self.slide_all(position, fact, ground, Slide::add);
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
        self.slide_all(position, fact, ground, Slide::remove);
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
        for (matcher, slides) in &ground.listed.fed {
            match (matcher.matches(before), matcher.matches(after)) {
                (true, false) => self.slide_values(slides, position, before, ground, Slide::remove),
                (false, true) => self.slide_values(slides, position, after, ground, Slide::add),
                _ => {}
            }
        }
    }

    /// Fills in the values of one view.
    pub(crate) fn read(
        &mut self,
        passes: &Passes,
        asked: &Asked,
        ground: Ground,
        values: &mut [Value],
    ) {
        let kind = asked.fact.kind;
        for group in passes
            .groups
            .iter()
            .filter(|group| group.readers.contains_place(kind))
        {
            self.read_group(group, asked, ground, values);
        }
        for trail in passes
            .trails
            .iter()
            .filter(|trail| trail.output.readers.contains_place(kind))
        {
            values[trail.output.slot] = self.trail(trail, asked, ground);
        }
    }

    fn read_group(&mut self, group: &Group, asked: &Asked, ground: Ground, values: &mut [Value]) {
        let until = asked.fact.at.saturating_sub(group.newer);
        for edge in &group.edges {
            let after = asked.fact.at.saturating_sub(edge.older);
            let latest = edge
                .latest
                .and_then(|column| self.latest(column, after, until, ground));
            if let Some(slide) = self.slide(edge.slide, after, until, ground) {
                fill(group, edge, asked, &Slid(slide, latest), values);
            }
        }
    }

    fn trail(&self, trail: &Trail, asked: &Asked, ground: Ground) -> Value {
        let at = asked.fact.at;
        let (after, until) = (
            at.saturating_sub(trail.older),
            at.saturating_sub(trail.newer),
        );
        if let Aggregate::Ewma(half_life) = trail.output.aggregate {
            let mut fading = Fading::default();
            let length = Fading::step(half_life);
            for step in 0..=trail.older / length {
                let until = at.saturating_sub(step.saturating_mul(length));
                let tally = self.tally(
                    trail.column,
                    after.max(until.saturating_sub(length)),
                    until,
                    ground,
                );
                fading.add(step, tally.sum(), tally.priced());
            }
            return fading.value();
        }
        let mut previous = None;
        for position in self.positions_until(until).take(LOOKS_MAX) {
            let event = ground.arena.seen(position);
            if event.fact.at <= after {
                break;
            }
            if trail.matcher.matches(&event.fact)
                && let Some(place) = event.place()
            {
                previous = Some((event.fact.at, place));
                break;
            }
        }
        travel(trail.output.aggregate, asked, previous)
    }

    /// The tally of a filter over the events after one time, until another.
    fn tally(&self, column: usize, after: i64, until: i64, ground: Ground) -> Tally {
        let mut tally = Tally::EMPTY;
        if after >= until {
            return tally;
        }
        for run in self.runs.range(self.runs_between(after, until)) {
            if after < run.first() && run.last() <= until {
                tally.merge(run.total(column));
            } else {
                run.tally(column, after, until, ground, &mut tally);
            }
        }
        tally
    }

    /// The time of the latest event that a filter lets through.
    fn latest(&self, column: usize, after: i64, until: i64, ground: Ground) -> Option<i64> {
        let runs = self.runs.range(self.runs_between(after, until)).rev();
        runs.filter(|run| run.total(column).count() > 0)
            .find_map(|run| run.latest(column, after, until, ground))
    }

    /// A slide, its window moved to these edges.
    fn slide(&mut self, place: usize, after: i64, until: i64, ground: Ground) -> Option<&Slide> {
        let spec = ground.listed.slides.get(place)?;
        let mut slide = std::mem::replace(self.slides.get_mut(place)?, Slide::vacant());
        for (after, until, step) in slide.shift(spec, after, until) {
            self.each_between(after, until, ground, |chunk| {
                for (position, fact) in chunk.filter(|(_, fact)| spec.matcher.matches(fact)) {
                    step(&mut slide, spec, ground.arena, position, fact);
                }
            });
        }
        if let Some(column) = spec.extremes
            && slide.forgot_extremes()
        {
            let tally = self.tally(column, after, until, ground);
            slide.set_extremes(tally.extremes());
        }
        let place = self.slides.get_mut(place)?;
        *place = slide;
        Some(place)
    }

    /// The positions until a time, latest first.
    fn positions_until(&self, until: i64) -> impl Iterator<Item = u32> {
        let end = self.runs.partition_point(|run| run.first() <= until);
        self.runs
            .range(..end)
            .rev()
            .flat_map(move |run| run.positions_until(until).iter().rev().copied())
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

    /// Adds the event to the windows that it matches, or removes it.
    fn slide_all(&mut self, position: u32, fact: &Fact, ground: Ground, step: Step) {
        for (matcher, slides) in &ground.listed.fed {
            if matcher.matches(fact) {
                self.slide_values(slides, position, fact, ground, step);
            }
        }
    }

    /// Adds an event to those of these windows that cover it, or removes it.
    fn slide_values(
        &mut self,
        slides: &[usize],
        position: u32,
        fact: &Fact,
        ground: Ground,
        step: Step,
    ) {
        for place in slides {
            if let Some(slide) = self.slides.get_mut(*place)
                && slide.covers(fact.at)
                && let Some(spec) = ground.listed.slides.get(*place)
            {
                step(slide, spec, ground.arena, position, fact);
            }
        }
    }
}

fn new_slides(ground: Ground) -> Vec<Slide> {
    ground.listed.slides.iter().map(Slide::new).collect()
}
