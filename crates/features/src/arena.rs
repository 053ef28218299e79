//! Every event once, in the order of its number; entities refer to it by position.
//!
//! A position is the low 32 bits of the event's number. The arena spans far fewer numbers than
//! that, so positions are told apart by their distance from the oldest page. Numbers that were
//! aborted or never used are empty slots.

use crate::entity::{ENTITY_KINDS, EntityKind};
use crate::event::Place;
use crate::{FeatureEvent, Set};
use paywarden_domain::{LabelVerdict, Outcome};
use std::collections::VecDeque;

/// Events per page.
pub(crate) const PAGE: usize = 2048;
/// How many words a cell holds; with the facts they fill one line of the cache.
const WORDS: usize = 10;
/// The most words of an event: its entities and its place.
const WORDS_MAX: usize = ENTITY_KINDS + 2;
/// The bit of `Fact::present` for an event whose place is known.
const PLACED: u16 = 1 << 15;
/// Stands for an amount that is not there.
pub(crate) const NO_AMOUNT: i64 = i64::MIN;
/// Stands for an entity that is not there or not tracked.
pub(crate) const NO_ENTITY: u32 = u32::MAX;

/// The entities of one event, interned, by kind.
pub(crate) type Ids = [u32; ENTITY_KINDS];

/// What filters look at, in 24 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub at: i64,
    pub amount: i64,
    pub country: u16,
    pub mcc: u16,
    /// One bit per kind of entity that is tracked, and one for a known place.
    present: u16,
    pub kind: u8,
    pub standing: Standing,
}

impl Fact {
    /// The facts of an event with these entities.
    pub(crate) fn new(event: &FeatureEvent, ids: &Ids, standing: Standing) -> Self {
        let present = EntityKind::ALL
            .into_iter()
            .filter(|kind| ids[*kind as usize] != NO_ENTITY);
        Self {
            at: event.at,
            amount: event.amount.unwrap_or(NO_AMOUNT),
            country: event.country,
            mcc: event.mcc,
            present: present.collect::<Set<_>>().bits() as u16
                | if event.place.is_some() { PLACED } else { 0 },
            kind: event.kind as u8,
            standing,
        }
    }

    /// How many words belong to it.
    fn words(&self) -> usize {
        (self.present & !PLACED).count_ones() as usize + 2 * usize::from(self.present >> 15)
    }

    /// Which of its words names its entity of this kind.
    #[inline]
    fn word_of(&self, kind: EntityKind) -> Option<usize> {
        let bit = 1u16 << kind as u8;
        (self.present & bit != 0).then(|| (self.present & (bit - 1)).count_ones() as usize)
    }

    /// Stands in an empty slot.
    pub(crate) const EMPTY: Self = Self {
        at: 0,
        amount: NO_AMOUNT,
        country: 0,
        mcc: 0,
        present: 0,
        kind: 0,
        standing: Standing::EMPTY,
    };
}

/// Outcome and label of an event, as one number below 32: a filter on both is one 32-bit mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing(u8);

impl Standing {
    pub(crate) const PENDING: Self = Self(6);
    const EMPTY: Self = Self(7);

    /// A number below 32.
    pub(crate) fn place(self) -> u8 {
        self.0
    }

    /// The standing of a decided event with this number.
    pub(crate) fn decided(place: u8) -> Option<Self> {
        let standing = Self(place);
        (place < 32 && standing.outcome().is_some()).then_some(standing)
    }

    /// The standing of an event with this outcome and no label yet.
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self(outcome as u8)
    }

    pub(crate) fn outcome(self) -> Option<Outcome> {
        Outcome::from_number(self.0 & 7)
    }

    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        Self(self.0 & !7 | outcome as u8)
    }

    pub(crate) fn with_label(self, verdict: LabelVerdict) -> Self {
        Self(self.0 & 7 | (verdict as u8 + 1) << 3)
    }
}

/// The facts of an event and its words, tracked entities by kind and then the place: one line of
/// the cache, so that looking at an event waits for memory once.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Cell {
    fact: Fact,
    /// If there are more words than this, the last one says where in the page the rest is.
    words: [u32; WORDS],
}

const _: () = assert!(size_of::<Cell>() == 64);

/// An event with all of its words, copied out of its page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub fact: Fact,
    words: [u32; WORDS_MAX],
}

impl Seen {
    /// The interned entity of this kind.
    #[inline]
    pub(crate) fn id(&self, kind: EntityKind) -> Option<u32> {
        self.fact.word_of(kind).map(|word| self.words[word])
    }

    /// Where it happened.
    pub(crate) fn place(&self) -> Option<Place> {
        let at = self.fact.words();
        let placed = self.fact.present & PLACED != 0;
        placed.then(|| (self.words[at - 2] as i32, self.words[at - 1] as i32))
    }
}

#[derive(Debug, Default)]
struct Page {
    cells: Vec<Cell>,
    /// The words that have no room in their cells.
    more: Vec<[u32; WORDS_MAX - WORDS + 1]>,
}

impl Page {
    #[inline]
    fn word(&self, cell: &Cell, word: usize) -> Option<u32> {
        if word < WORDS - 1 || cell.fact.words() <= WORDS {
            return cell.words.get(word).copied();
        }
        let more = self.more.get(cell.words[WORDS - 1] as usize)?;
        more.get(word + 1 - WORDS).copied()
    }
}

/// The events between the oldest kept number and the next one.
#[derive(Debug)]
pub(crate) struct Arena {
    pages: VecDeque<Page>,
    /// The number of the first slot of the first page.
    base: u64,
    start: u64,
    next: u64,
}

impl Arena {
    /// An arena whose first event has the number 1.
    pub(crate) fn new() -> Self {
        Self {
            pages: VecDeque::new(),
            base: 1,
            start: 1,
            next: 1,
        }
    }

    /// The number that the next event gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The oldest number that may still be kept.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// How many numbers it spans, empty slots included.
    pub(crate) fn span(&self) -> u64 {
        self.next - self.start
    }

    /// Position of a kept number, for the numbers in `start..next`.
    pub(crate) fn position(&self, number: u64) -> Option<u32> {
        let kept = (self.start..self.next).contains(&number);
        let position = number as u32;
        (kept && self.fact(position)?.standing != Standing::EMPTY).then_some(position)
    }

    /// How far a position lies behind the oldest page: positions in the order of their numbers.
    pub(crate) fn rank(&self, position: u32) -> u32 {
        position.wrapping_sub(self.base as u32)
    }

    /// The facts at a position.
    #[inline]
    pub(crate) fn fact(&self, position: u32) -> Option<&Fact> {
        let rank = self.rank(position) as usize;
        Some(&self.pages.get(rank / PAGE)?.cells.get(rank % PAGE)?.fact)
    }

    /// The event at a position, copied; an empty one if there is none.
    #[inline]
    pub(crate) fn seen(&self, position: u32) -> Seen {
        let rank = self.rank(position) as usize;
        let mut words = [0; WORDS_MAX];
        let page = self.pages.get(rank / PAGE);
        let Some((page, cell)) = page.and_then(|page| Some((page, page.cells.get(rank % PAGE)?)))
        else {
            return Seen {
                fact: Fact::EMPTY,
                words,
            };
        };
        words[..WORDS].copy_from_slice(&cell.words);
        if cell.fact.words() > WORDS
            && let Some(more) = page.more.get(cell.words[WORDS - 1] as usize)
        {
            words[WORDS - 1..].copy_from_slice(more);
        }
        Seen {
            fact: cell.fact,
            words,
        }
    }

    /// The interned entity of this kind at a position.
    #[inline]
    pub(crate) fn id(&self, position: u32, kind: EntityKind) -> Option<u32> {
        let rank = self.rank(position) as usize;
        let page = self.pages.get(rank / PAGE)?;
        let cell = page.cells.get(rank % PAGE)?;
        page.word(cell, cell.fact.word_of(kind)?)
    }

    /// All entities at a position.
    pub(crate) fn ids(&self, position: u32) -> Ids {
        EntityKind::ALL.map(|kind| self.id(position, kind).unwrap_or(NO_ENTITY))
    }

    /// Puts an event into its slot, which must be empty or new; slots in between stay empty.
    pub(crate) fn put(&mut self, number: u64, fact: Fact, ids: &Ids, place: Option<Place>) {
        self.skip_to(number + 1);
        let rank = self.rank(number as u32) as usize;
        let Some(page) = self.pages.get_mut(rank / PAGE) else {
            return;
        };
        let (latitude, longitude) = place.unwrap_or_default();
        let place = [latitude as u32, longitude as u32];
        let ids = ids.iter().copied().filter(|id| *id != NO_ENTITY);
        let mut words = [0; WORDS_MAX];
        words
            .iter_mut()
            .zip(ids.chain(place))
            .for_each(|(word, value)| *word = value);
        let mut cell = Cell {
            fact,
            words: [0; WORDS],
        };
        cell.words.copy_from_slice(&words[..WORDS]);
        if fact.words() > WORDS {
            let mut more = [0; WORDS_MAX - WORDS + 1];
            more.copy_from_slice(&words[WORDS - 1..]);
            cell.words[WORDS - 1] = page.more.len() as u32;
            page.more.push(more);
        }
        if let Some(slot) = page.cells.get_mut(rank % PAGE) {
            *slot = cell;
        }
    }

    /// Replaces outcome and label; returns the facts before and after.
    pub(crate) fn restate(&mut self, position: u32, standing: Standing) -> Option<(Fact, Fact)> {
        let rank = self.rank(position) as usize;
        let page = self.pages.get_mut(rank / PAGE)?;
        let fact = &mut page.cells.get_mut(rank % PAGE)?.fact;
        let before = *fact;
        fact.standing = standing;
        Some((before, *fact))
    }

    /// Empties a slot.
    pub(crate) fn clear(&mut self, position: u32) {
        self.restate(position, Standing::EMPTY);
    }

    /// The oldest slot: its position and, unless it is empty, its facts.
    pub(crate) fn front(&self) -> Option<(u32, Option<Fact>)> {
        let position = self.start as u32;
        let fact = *self.fact(position).filter(|_| self.start < self.next)?;
        Some((
            position,
            Some(fact).filter(|fact| fact.standing != Standing::EMPTY),
        ))
    }

    /// Gives up the oldest slot, and its page with the last slot of it.
    pub(crate) fn pop(&mut self) {
        self.clear(self.start as u32);
        self.start = (self.start + 1).min(self.next);
        while self.start - self.base >= PAGE as u64 {
            self.pages.pop_front();
            self.base += PAGE as u64;
        }
    }

    /// Lets an arena that keeps nothing go on from a higher number, without slots in between.
    pub(crate) fn leap_to(&mut self, next: u64) {
        if self.span() == 0 && next > self.next {
            self.pages.clear();
            (self.base, self.start, self.next) = (next, next, next);
        }
    }

    /// Makes `next` the next number, unless it is already higher. The slots in between are empty;
    /// the caller keeps them few.
    pub(crate) fn skip_to(&mut self, next: u64) {
        while self.next < next {
            self.push_empty();
        }
    }

    fn push_empty(&mut self) {
        if self
            .pages
            .back()
            .is_none_or(|page| page.cells.len() == PAGE)
        {
            self.pages.push_back(Page {
                cells: Vec::with_capacity(PAGE),
                more: Vec::new(),
            });
        }
        if let Some(page) = self.pages.back_mut() {
            page.cells.push(Cell {
                fact: Fact::EMPTY,
                words: [0; WORDS],
            });
        }
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Member;
    use paywarden_domain::EventKind;

    fn id_of(number: u64) -> u32 {
        (number % 1000) as u32 * 2
    }

    fn put(arena: &mut Arena, number: u64) {
        let mut ids = [NO_ENTITY; ENTITY_KINDS];
        (ids[1], ids[7]) = (id_of(number), id_of(number) + 1);
        let fact = Fact::new(
            &FeatureEvent::new(EventKind::Login, number as i64),
            &ids,
            Standing::PENDING,
        );
        arena.put(number, fact, &ids, None);
    }

    #[test]
    fn numbers_find_their_events_across_pages_gaps_and_pops() {
        let mut arena = Arena::new();
        let numbers: Vec<u64> = (1..6000).filter(|number| number % 7 != 0).collect();
        numbers.iter().for_each(|number| put(&mut arena, *number));
        put(&mut arena, 700);
        (1..3000).for_each(|_| arena.pop());
        for number in 1..6100 {
            let kept = number >= 3000 && numbers.contains(&number);
            let position = arena.position(number);
            assert_eq!(position.is_some(), kept, "{number}");
            if let Some(position) = position {
                assert_eq!(arena.fact(position).unwrap().at, number as i64);
                assert_eq!(arena.id(position, EntityKind::Bin), Some(id_of(number)));
                assert_eq!(
                    arena.id(position, EntityKind::Terminal),
                    Some(id_of(number) + 1)
                );
                assert_eq!(arena.id(position, EntityKind::Payee), None);
            }
        }
    }

    #[test]
    fn positions_wrap_after_32_bits() {
        let mut arena = Arena::new();
        let first = u64::from(u32::MAX) - 3000;
        arena.leap_to(first);
        (first..first + 6000).for_each(|number| put(&mut arena, number));
        assert!(arena.pages.len() <= 4);
        for number in [first, first + 3001, first + 5999] {
            assert_eq!(
                arena.fact(arena.position(number).unwrap()).unwrap().at,
                number as i64
            );
        }
    }

    #[test]
    fn standing_holds_every_outcome_and_label() {
        for outcome in Outcome::ALL {
            for verdict in LabelVerdict::ALL {
                let standing = Standing::PENDING.with_outcome(outcome).with_label(verdict);
                assert_eq!(standing.outcome(), Some(outcome));
                assert_eq!(standing.place() >> 3, Some(verdict).place());
                assert_eq!(Standing::decided(standing.place()), Some(standing));
            }
            assert_eq!(
                Standing::of(outcome),
                Standing::PENDING.with_outcome(outcome)
            );
        }
        assert_eq!(Standing::decided(Standing::PENDING.place()), None);
        assert_eq!(Standing::decided(32), None);
    }
}
