//! Where threads that grow one tree side by side, each from rows of its own, put their sums together
//! and agree on what to ask next. They meet some dozen times in some milliseconds: whoever waits asks
//! again instead of sleeping.

use super::histogram::{Cell, Histogram};
use super::split::Candidate;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;

/// How often a thread asks again before it lets others run in between.
const SPINS: usize = 1_000;

/// The best questions of the two sides of a leaf.
pub(super) type Offer = [Option<Candidate>; 2];

/// What a thread lays open.
#[derive(Default)]
struct Open {
    histogram: RwLock<Histogram>,
    offer: Mutex<Offer>,
}

impl Open {
    fn offer(&self) -> MutexGuard<'_, Offer> {
        self.offer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Meeting {
    open: Vec<Open>,
    arrived: AtomicUsize,
    left: AtomicBool,
}

/// A thread's seat.
///
/// *Invariant*: every thread adds up and agrees in turn. Each of the two waits once for all, so that
/// what a thread lays open in one is read by all before it changes: they wait in the other between.
pub(super) struct Seat<'a> {
    meeting: &'a Meeting,
    place: usize,
    turn: usize,
}

impl Meeting {
    pub fn new(threads: usize) -> Self {
        Self {
            open: std::iter::repeat_with(Open::default)
                .take(threads)
                .collect(),
            arrived: AtomicUsize::new(0),
            left: AtomicBool::new(false),
        }
    }

    pub fn seat(&self, place: usize) -> Seat<'_> {
        Seat {
            meeting: self,
            place,
            turn: 0,
        }
    }
}

impl Seat<'_> {
    /// Lays open what this thread fills in, and adds up in `sums` what all did for the features from
    /// one place on. Gives the sum over the rows of all.
    pub fn add_up(
        &mut self,
        from: usize,
        sums: &mut Histogram,
        fill: impl FnOnce(&mut Histogram),
    ) -> Cell {
        let own = &self.meeting.open[self.place].histogram;
        fill(&mut own.write().unwrap_or_else(PoisonError::into_inner));
        self.wait();
        let mut total = Cell::default();
        sums.fill([Cell::default(); 256]);
        for open in &self.meeting.open {
            let other = open
                .histogram
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            other
                .first()
                .into_iter()
                .flatten()
                .for_each(|cell| total.add(*cell));
            for (sums, other) in sums.iter_mut().zip(other.iter().skip(from)) {
                sums.iter_mut()
                    .zip(other)
                    .for_each(|(sum, cell)| sum.add(*cell));
            }
        }
        total
    }

    /// The best of what all threads offer, of equals that of the first thread; nothing if one has
    /// panicked.
    pub fn agree(&mut self, own: Offer) -> Offer {
        *self.meeting.open[self.place].offer() = own;
        self.wait();
        if self.meeting.left.load(Ordering::Relaxed) {
            return Offer::default();
        }
        let offers = self.meeting.open.iter().map(|open| *open.offer());
        offers.fold(Offer::default(), |best, offer| {
            [0, 1].map(|side| better(best[side], offer[side]))
        })
    }

    fn wait(&mut self) {
        let Meeting {
            open,
            arrived,
            left,
        } = self.meeting;
        self.turn += 1;
        arrived.fetch_add(1, Ordering::AcqRel);
        let mut asked = 0;
        while arrived.load(Ordering::Acquire) < self.turn * open.len()
            && !left.load(Ordering::Relaxed)
        {
            asked += 1;
            match asked % SPINS {
                0 => thread::yield_now(),
                _ => spin_loop(),
            }
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.meeting.left.store(true, Ordering::Relaxed);
        }
    }
}

fn better(one: Option<Candidate>, other: Option<Candidate>) -> Option<Candidate> {
    match (one, other) {
        (Some(one), Some(other)) if other.gain > one.gain => Some(other),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Slope;
    use super::*;

    fn candidate(feature: usize, gain: f64) -> Option<Candidate> {
        Some(Candidate {
            feature,
            bin: 1,
            missing_left: false,
            gain,
            left: Cell::default(),
            right: Cell::default(),
        })
    }

    #[test]
    fn all_have_the_same_sums_and_take_the_best_of_all_of_equals_the_first() {
        let meeting = Meeting::new(3);
        let offers = [
            [candidate(0, 1.0), None],
            [candidate(1, 2.0), candidate(1, 1.0)],
            [candidate(2, 2.0), None],
        ];
        thread::scope(|scope| {
            for (place, offer) in offers.into_iter().enumerate() {
                let mut seat = meeting.seat(place);
                scope.spawn(move || {
                    for turn in 0..1_000 {
                        let mut sums = vec![[Cell::default(); 256]];
                        let step = Cell::of(Slope {
                            gradient: turn,
                            curvature: 1,
                        });
                        let total = seat.add_up(0, &mut sums, |own| *own = vec![[step; 256]]);
                        assert_eq!((total.count(), sums[0][255].count()), (3 * 256, 3));
                        assert_eq!(sums[0][7].less(step).less(step), step);
                        let offer = if turn % 2 == 0 {
                            offer
                        } else {
                            Offer::default()
                        };
                        let best = seat.agree(offer).map(|one| one.map(|one| one.feature));
                        assert_eq!(best, [(turn % 2 == 0).then_some(1); 2]);
                    }
                });
            }
        });
    }

    #[test]
    fn nobody_waits_for_one_that_panicked() {
        let meeting = Meeting::new(2);
        thread::scope(|scope| {
            let mut seat = meeting.seat(0);
            let waits = scope.spawn(move || seat.agree([candidate(0, 1.0), None]));
            let leaves = scope.spawn(|| {
                let _seat = meeting.seat(1);
                panic!("on purpose");
            });
            assert!(leaves.join().is_err());
            assert!(waits.join().unwrap().iter().all(Option::is_none));
        });
    }
}
