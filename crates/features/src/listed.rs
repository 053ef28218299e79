//! What long timelines keep for a plan: no more than what its windows read.

use crate::plan::{Matcher, Output, place};
use crate::{Aggregate, Attribute};

/// What long timelines of one kind keep.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// A tally of each chunk by each of these filters.
    pub tallied: Vec<Matcher>,
    /// The moving windows.
    pub slides: Vec<SlideSpec>,
    /// Which of them each filter feeds.
    pub fed: Vec<(Matcher, Vec<usize>)>,
    /// The plan before, by its generation.
    pub follows: u64,
    /// For each moving window, the place of the same one in the plan before.
    pub carried: Vec<Option<usize>>,
}

/// A moving window: its filter and edges, and what is read of it besides count and sum.
#[derive(Debug)]
pub(crate) struct SlideSpec {
    pub matcher: Matcher,
    pub newer: i64,
    pub older: i64,
    /// Place of the tallies that smallest and largest amount are looked up in.
    pub extremes: Option<usize>,
    pub moments: bool,
    pub attributes: Vec<Attribute>,
    pub quantiles: Vec<u16>,
}

impl Listed {
    /// Notes what the plan before keeps as well.
    pub(crate) fn follow(&mut self, generation: u64, before: &Self) {
        let same = |slide: &SlideSpec| before.slides.iter().position(|other| slide.is(other));
        self.follows = generation;
        self.carried = self.slides.iter().map(same).collect();
    }

    /// The place of a moving window, added if there is none like it.
    pub(crate) fn slide(&mut self, (matcher, newer): (Matcher, i64), older: i64) -> usize {
        let same =
            |spec: &SlideSpec| (spec.matcher, spec.newer, spec.older) == (matcher, newer, older);
        if let Some(known) = self.slides.iter().position(same) {
            return known;
        }
        let slide = self.slides.len();
        self.slides.push(SlideSpec {
            matcher,
            newer,
            older,
            extremes: None,
            moments: false,
            attributes: Vec::new(),
            quantiles: Vec::new(),
        });
        match self.fed.iter_mut().find(|(fed, _)| *fed == matcher) {
            Some((_, slides)) => slides.push(slide),
            None => self.fed.push((matcher, vec![slide])),
        }
        slide
    }

    /// Sees to it that a moving window knows what one output reads of it.
    pub(crate) fn keep(
        &mut self,
        slide: usize,
        output: &mut Output,
        attributes: &[Attribute],
        latest: &mut Option<usize>,
    ) {
        let Some(spec) = self.slides.get_mut(slide) else {
            return;
        };
        match output.aggregate {
            Aggregate::Min | Aggregate::Max => {
                spec.extremes = Some(place(&mut self.tallied, spec.matcher));
            }
            Aggregate::SincePrevious => *latest = Some(place(&mut self.tallied, spec.matcher)),
            Aggregate::Deviation => spec.moments = true,
            Aggregate::Quantile(permille) => {
                place(&mut spec.quantiles, permille);
            }
            Aggregate::Distinct(_) => {
                if let Some(attribute) = attributes.get(output.attribute) {
                    output.slid = place(&mut spec.attributes, *attribute);
                }
            }
            _ => {}
        }
    }
}

impl SlideSpec {
    /// Whether a window of another plan knows the same.
    fn is(&self, other: &Self) -> bool {
        (self.matcher, self.newer, self.older) == (other.matcher, other.newer, other.older)
            && self.extremes.is_some() == other.extremes.is_some()
            && self.moments == other.moments
            && self.attributes == other.attributes
            && self.quantiles == other.quantiles
    }

    /// Whether anything besides count and sum is read of it.
    pub(crate) fn asks_more(&self) -> bool {
        self.extremes.is_some()
            || self.moments
            || !self.attributes.is_empty()
            || !self.quantiles.is_empty()
    }
}
