//! The timeline of an entity with many events: runs of chunks, each with its tallies.
//!
//! Positions are sorted by time, then number. A chunk has at most 64, a run at most 4,096. Each
//! keeps one tally per registered filter, so that a window reads whole runs, then whole chunks, and
//! single events only at its two edges. Tallies and moving windows belong to one plan. For another
//! one they are prepared beside it, some events at a time; what was not prepared is computed on the
//! first visit.

use crate::arena::{Arena, Fact};
use crate::line::Inside;
use crate::pass::{Asked, Slid, fill, part, travel};
use crate::plan::{Group, Passes, Trail};
use crate::run::{Ground, Kept, Key, RUN, Run};
use crate::slide::{Slide, Step};
use crate::tally::{Fading, Tally};
use crate::{Aggregate, Value};
use std::collections::VecDeque;
use std::ops::Range;

/// How many of the latest events are looked at for single ones.
const LOOKS_MAX: usize = 1024;

/// The timeline.
#[derive(Debug)]
pub(crate) struct Long {
    runs: VecDeque<Run>,
    moving: Moving,
    /// Those of the plan that is being prepared.
    next: Option<Moving>,
    len: usize,
}

/// The moving windows of one plan.
#[derive(Debug)]
struct Moving {
    generation: u64,
    slides: Vec<Slide>,
}

/// What going on with another plan did to the tallies.
#[derive(PartialEq)]
enum Turned {
    /// They are as they were, or as they were prepared.
    Kept,
    /// They were computed from the events as they are now.
    Anew,
}

impl Long {
    /// Builds the timeline of sorted positions.
    pub(crate) fn new(positions: &[u32], ground: Ground) -> Self {
        let mut runs = VecDeque::new();
        for positions in positions.chunks(RUN) {
            runs.push_back(Run::new(positions.to_vec(), ground));
        }
        Self {
            runs,
            moving: Moving::new(ground.kept),
            next: None,
            len: positions.len(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether its tallies are those of this plan.
    pub(crate) fn is_of(&self, generation: u64) -> bool {
        self.moving.generation == generation
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

    /// Goes on with the plan at work if it was another one before: with what was prepared for it
    /// and with the windows that both have; the rest is computed anew.
    pub(crate) fn refresh(&mut self, ground: Ground) {
        self.turn(ground);
    }

    fn turn(&mut self, ground: Ground) -> Turned {
        let kept = ground.kept;
        if self.is_of(kept.generation) {
            return Turned::Kept;
        }
        let prepared = self.runs.iter().all(|run| run.is_prepared(kept.generation));
        self.runs.iter_mut().for_each(|run| run.turn_to(ground));
        let next = self.next.take().filter(|next| next.is_of(kept));
        let next = next.unwrap_or_else(|| Moving::new(kept));
        let before = std::mem::replace(&mut self.moving, next);
        self.moving.take_over(before, kept);
        match prepared {
            true => Turned::Kept,
            false => Turned::Anew,
        }
    }

    /// Prepares for the next plan, looking at about so many events. True when all is ready.
    pub(crate) fn prepare(&mut self, ground: Ground, events_max: usize) -> bool {
        let Some(kept) = ground.next else {
            return true;
        };
        let mut left = events_max;
        for run in &mut self.runs {
            if !run.is_prepared(kept.generation) {
                run.prepare(ground);
                left = left.saturating_sub(run.len());
                if left == 0 {
                    return false;
                }
            }
        }
        if !self.next.as_ref().is_some_and(|next| next.is_of(kept)) {
            self.next = Some(Moving::new(kept));
        }
        let carries = self.is_of(kept.listed.follows);
        for (place, carried) in kept.listed.carried.iter().enumerate() {
            let is_carried = carries && carried.is_some();
            while !is_carried && !self.widen(place, kept, ground, &mut left) {
                if left == 0 {
                    return false;
                }
            }
        }
        true
    }

    /// Lets a moving window of the next plan reach further back, by so many events at most. True
    /// if it reaches far enough.
    fn widen(&mut self, place: usize, kept: Kept, ground: Ground, left: &mut usize) -> bool {
        let Some(spec) = kept.listed.slides.get(place) else {
            return true;
        };
        let newest = self.runs.back().map_or(i64::MIN, Run::last);
        let (wanted, until) = (
            newest.saturating_sub(spec.older),
            newest.saturating_sub(spec.newer),
        );
        let next = self
            .next
            .as_mut()
            .and_then(|next| next.slides.get_mut(place));
        let Some(slide) = next else { return true };
        let mut slide = std::mem::replace(slide, Slide::vacant());
        let (from, until) = match slide.is_vacant() {
            true => (until, until),
            false => (slide.after, slide.until),
        };
        let last = self.positions_until(from).take(*left).last();
        let last = last.and_then(|last| ground.arena.fact(last));
        // Events of one time are looked at together.
        let after = last
            .map_or(wanted, |last| (last.at - 1).max(wanted))
            .min(from);
        let mut looked_at = 0;
        for (after, until, step) in slide.shift(spec, after, until) {
            self.each_between(after, until, ground, |inside| {
                for (position, fact) in inside {
                    looked_at += 1;
                    if spec.matcher.matches(fact) {
                        step(&mut slide, spec, ground.arena, position, fact);
                    }
                }
            });
        }
        *left = left.saturating_sub(looked_at.max(1));
        if let Some(next) = &mut self.next {
            next.slides[place] = slide;
        }
        after <= wanted
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
        if !run.remove(position, fact, ground) {
            return;
        }
        self.len -= 1;
        if run.len() == 0 {
            self.runs.remove(place);
        }
        self.slide_all(position, fact, ground, Slide::remove);
    }

    /// Follows a change of outcome or label of one event, already made in the arena.
    pub(crate) fn change(&mut self, position: u32, before: &Fact, after: &Fact, ground: Ground) {
        let turned = self.turn(ground);
        let place = self.run_of((after.at, ground.arena.rank(position)), ground);
        let run = self.runs.get_mut(place);
        let Some(run) = run.filter(|run| run.holds(position, after, ground)) else {
            return;
        };
        if turned == Turned::Kept {
            run.change(position, before, after, ground);
        }
        for (moving, kept) in each(&mut self.moving, &mut self.next, ground) {
            for (matcher, slides) in &kept.listed.fed {
                let (was, is) = (matcher.matches(before), matcher.matches(after));
                let (fact, step): (_, Step) = match (was, is) {
                    (true, false) => (before, Slide::remove),
                    (false, true) => (after, Slide::add),
                    _ => continue,
                };
                moving.slide(slides, kept, (ground.arena, position, fact), step);
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
        let positions = self.positions_until(until).take(LOOKS_MAX);
        let mut events = positions
            .map(|position| ground.arena.seen(position))
            .take_while(|event| after < event.fact.at)
            .filter(|event| trail.matcher.matches(&event.fact));
        match trail.output.aggregate {
            Aggregate::Earlier(place, asked_for) => {
                let event = events.nth(usize::from(place) - 1);
                event.map_or(Value::Missing, |event| {
                    part(asked_for, &event.fact, trail, asked)
                })
            }
            aggregate => {
                let previous = events.find_map(|event| Some((event.fact.at, event.place()?)));
                travel(aggregate, asked, previous)
            }
        }
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
        let spec = ground.kept.listed.slides.get(place)?;
        let slides = &mut self.moving.slides;
        let mut slide = std::mem::replace(slides.get_mut(place)?, Slide::vacant());
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
        let place = self.moving.slides.get_mut(place)?;
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
        for (moving, kept) in each(&mut self.moving, &mut self.next, ground) {
            for (matcher, slides) in &kept.listed.fed {
                if matcher.matches(fact) {
                    moving.slide(slides, kept, (ground.arena, position, fact), step);
                }
            }
        }
    }
}

/// The moving windows at work and those being prepared, with what their plans keep.
fn each<'a>(
    moving: &'a mut Moving,
    next: &'a mut Option<Moving>,
    ground: Ground<'a>,
) -> impl Iterator<Item = (&'a mut Moving, Kept<'a>)> {
    let next = next.as_mut().zip(ground.next);
    let next = next.filter(|(next, kept)| next.is_of(*kept));
    std::iter::once((moving, ground.kept)).chain(next)
}

impl Moving {
    fn new(kept: Kept) -> Self {
        Self {
            generation: kept.generation,
            slides: kept.listed.slides.iter().map(Slide::new).collect(),
        }
    }

    fn is_of(&self, kept: Kept) -> bool {
        self.generation == kept.generation
    }

    /// Takes those windows from the plan before that this one has too and that nobody prepared.
    fn take_over(&mut self, mut before: Self, kept: Kept) {
        if before.generation != kept.listed.follows {
            return;
        }
        for (slide, carried) in self.slides.iter_mut().zip(&kept.listed.carried) {
            let known = carried.and_then(|place| before.slides.get_mut(place));
            if let Some(known) = known.filter(|_| slide.is_vacant()) {
                *slide = std::mem::replace(known, Slide::vacant());
            }
        }
    }

    /// Adds an event to those of some windows that cover it, or removes it.
    fn slide(
        &mut self,
        places: &[usize],
        kept: Kept,
        (arena, position, fact): (&Arena, u32, &Fact),
        step: Step,
    ) {
        for place in places {
            if let Some(slide) = self.slides.get_mut(*place)
                && slide.covers(fact.at)
                && let Some(spec) = kept.listed.slides.get(*place)
            {
                step(slide, spec, arena, position, fact);
            }
        }
    }
}
