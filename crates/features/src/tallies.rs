//! The tallies of a run: of each chunk, and of all of them, by each filter that a plan tallies.

use crate::arena::{Arena, Fact};
use crate::line::{Inside, Line};
use crate::plan::Matcher;
use crate::run::Kept;
use crate::tally::Tally;

/// What one plan wants to know of the chunks.
#[derive(Debug)]
pub(crate) struct Tallies {
    pub generation: u64,
    /// Those of each chunk side by side, one per filter.
    pub chunks: Vec<Tally>,
    pub totals: Vec<Tally>,
}

impl Tallies {
    pub(crate) fn none(generation: u64) -> Self {
        Self {
            generation,
            chunks: vec![],
            totals: vec![],
        }
    }

    pub(crate) fn of(line: &Line, kept: Kept, arena: &Arena) -> Self {
        let width = kept.listed.tallied.len();
        let mut tallies = Self {
            chunks: vec![Tally::EMPTY; line.chunks.len() * width],
            ..Self::none(kept.generation)
        };
        for place in 0..line.chunks.len() {
            tallies.renew_chunk(place, kept, line.inside(place, arena));
        }
        tallies.renew_totals(width);
        tallies
    }

    pub(crate) fn add_chunk(&mut self, place: usize, kept: Kept) {
        let width = kept.listed.tallied.len();
        let empty = std::iter::repeat_n(Tally::EMPTY, width);
        self.chunks.splice(place * width..place * width, empty);
    }

    pub(crate) fn remove_chunk(&mut self, place: usize, kept: Kept) {
        let width = kept.listed.tallied.len();
        self.chunks.drain(place * width..(place + 1) * width);
        self.renew_totals(width);
    }

    /// Counts an event in its chunk and the totals, for the filters that also pass a test.
    pub(crate) fn count(
        &mut self,
        place: usize,
        fact: &Fact,
        kept: Kept,
        also: impl Fn(&Matcher) -> bool,
    ) {
        let matchers = &kept.listed.tallied;
        let tallies = self.chunks.iter_mut().skip(place * matchers.len());
        let both = tallies.zip(&mut self.totals);
        for (matcher, (tally, total)) in matchers.iter().zip(both) {
            if matcher.matches(fact) && also(matcher) {
                tally.add(matcher.amount(fact));
                total.add(matcher.amount(fact));
            }
        }
    }

    /// Takes an event out of the tallies of its chunk and the totals, likewise; `inside` are the
    /// events of the chunk without it.
    pub(crate) fn uncount<'a>(
        &mut self,
        place: usize,
        fact: &Fact,
        kept: Kept,
        also: impl Fn(&Matcher) -> bool,
        inside: impl Fn() -> Inside<'a>,
    ) {
        let matchers = &kept.listed.tallied;
        let tallies = self.chunks.iter_mut().skip(place * matchers.len());
        let both = tallies.zip(&mut self.totals);
        let (mut chunk_known, mut totals_known) = (true, true);
        for (matcher, (tally, total)) in matchers.iter().zip(both) {
            if matcher.matches(fact) && also(matcher) {
                chunk_known &= tally.remove(matcher.amount(fact));
                totals_known &= total.remove(matcher.amount(fact));
            }
        }
        if !chunk_known {
            self.renew_chunk(place, kept, inside());
        }
        if !totals_known {
            self.renew_totals(matchers.len());
        }
    }

    /// Computes the tallies of a chunk anew.
    pub(crate) fn renew_chunk(&mut self, place: usize, kept: Kept, inside: Inside) {
        let matchers = &kept.listed.tallied;
        let width = matchers.len();
        let tallies = &mut self.chunks[place * width..(place + 1) * width];
        tallies.fill(Tally::EMPTY);
        for (_, fact) in inside {
            for (matcher, tally) in matchers.iter().zip(&mut *tallies) {
                if matcher.matches(fact) {
                    tally.add(matcher.amount(fact));
                }
            }
        }
    }

    /// Computes the totals anew.
    pub(crate) fn renew_totals(&mut self, width: usize) {
        self.totals = vec![Tally::EMPTY; width];
        for (place, tally) in self.chunks.iter().enumerate() {
            self.totals[place % width].merge(tally);
        }
    }
}
