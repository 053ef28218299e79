//! Every event once, in the order of its number; entities refer to it by position.
//!
//! A position is the low 32 bits of the event's number. The arena spans far fewer numbers than
//! that, so positions are told apart by their distance from the oldest page. Numbers that were
//! aborted or never used are empty slots.

use crate::Error;
use crate::entity::{ENTITY_KINDS, EntityKind};
use crate::event::{Place, take};
use crate::fact::PLACED;
pub(crate) use crate::fact::{Fact, Ids, NO_AMOUNT, NO_ENTITY, Standing};
use paywarden_domain::EventKind;
use std::collections::VecDeque;
use std::ops::Range;

/// Events per page.
pub(crate) const PAGE: usize = 2048;
/// How many words a cell holds; with the facts they fill one line of the cache.
const WORDS: usize = 10;
/// The most words of an event: its entities and its place.
const WORDS_MAX: usize = ENTITY_KINDS + 2;
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

/// An event as an image holds it, with the interned numbers of its entities.
pub(crate) struct Cells {
    pub number: u64,
    pub fact: Fact,
    words: [u32; WORDS_MAX],
}

impl Cells {
    fn encode_into(&self, bytes: &mut Vec<u8>) {
        let Fact {
            at,
            amount,
            country,
            mcc,
            present,
            kind,
            standing,
        } = self.fact;
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&at.to_le_bytes());
        bytes.extend_from_slice(&amount.to_le_bytes());
        for number in [country, mcc, present] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[kind, standing.place()]);
        for word in self.words.iter().take(self.fact.words()) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// Takes one event off the front of `bytes`.
    pub(crate) fn take(bytes: &mut &[u8]) -> Result<Self, Error> {
        let number = u64::from_le_bytes(take(bytes)?);
        let (at, amount) = (
            i64::from_le_bytes(take(bytes)?),
            i64::from_le_bytes(take(bytes)?),
        );
        let mut short = || Ok::<_, Error>(u16::from_le_bytes(take(bytes)?));
        let (country, mcc, present) = (short()?, short()?, short()?);
        let [kind, standing] = take(bytes)?;
        let fact = Fact {
            at,
            amount,
            country,
            mcc,
            present,
            kind,
            standing: Standing::decided(standing).ok_or(Error::Damaged("outcome is unknown"))?,
        };
        let known = EventKind::from_number(kind).is_some();
        if !known || (present & !PLACED) >> ENTITY_KINDS != 0 {
            return Err(Error::Damaged("event is unknown"));
        }
        let mut words = [0; WORDS_MAX];
        for word in words.iter_mut().take(fact.words()) {
            *word = u32::from_le_bytes(take(bytes)?);
        }
        Ok(Self {
            number,
            fact,
            words,
        })
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

    /// The number of a kept position.
    pub(crate) fn number(&self, position: u32) -> u64 {
        self.base + u64::from(self.rank(position))
    }

    /// How far a position lies behind the oldest page: positions in the order of their numbers.
    pub(crate) fn rank(&self, position: u32) -> u32 {
        position.wrapping_sub(self.base as u32)
    }

    /// Whether a kept position belongs to a lower number than this one.
    pub(crate) fn is_before(&self, position: u32, number: u64) -> bool {
        u64::from(self.rank(position)) < number.saturating_sub(self.base)
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
        let (latitude, longitude) = place.unwrap_or_default();
        let place = [latitude as u32, longitude as u32];
        let ids = ids.iter().copied().filter(|id| *id != NO_ENTITY);
        let mut words = [0; WORDS_MAX];
        words
            .iter_mut()
            .zip(ids.chain(place))
            .for_each(|(word, value)| *word = value);
        self.put_words(number, fact, &words);
    }

    fn put_words(&mut self, number: u64, fact: Fact, words: &[u32; WORDS_MAX]) {
        self.skip_to(number + 1);
        let rank = self.rank(number as u32) as usize;
        let Some(page) = self.pages.get_mut(rank / PAGE) else {
            return;
        };
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

    /// Puts an event of an image into a new slot.
    pub(crate) fn put_cell(&mut self, cell: &Cells) {
        self.put_words(cell.number, cell.fact, &cell.words);
    }

    /// Appends the kept events of these numbers as they lie here; returns how many there are.
    pub(crate) fn copy_cells(&self, numbers: Range<u64>, bytes: &mut Vec<u8>) -> u64 {
        let mut copied = 0;
        for number in numbers {
            if let Some(position) = self.position(number) {
                let Seen { fact, words } = self.seen(position);
                Cells {
                    number,
                    fact,
                    words,
                }
                .encode_into(bytes);
                copied += 1;
            }
        }
        copied
    }

    /// Visits all events in the order of their numbers, until a visit fails.
    pub(crate) fn try_each<E>(
        &self,
        mut visit: impl FnMut(u32, &Fact, Ids) -> Result<(), E>,
    ) -> Result<(), E> {
        for number in self.start..self.next {
            let position = number as u32;
            let seen = self.seen(position);
            if seen.fact.standing != Standing::EMPTY {
                let ids = EntityKind::ALL.map(|kind| seen.id(kind).unwrap_or(NO_ENTITY));
                visit(position, &seen.fact, ids)?;
            }
        }
        Ok(())
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
    use crate::FeatureEvent;

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
}
