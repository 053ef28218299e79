//! Short lists of positions, in blocks of a few sizes instead of one allocation each.
//!
//! The blocks of one size lie side by side without holes: where one is given up, the last one moves
//! in, and whoever owns that one is told.

/// The sizes of blocks, in positions: a list moves to the next one when it is full.
const SIZES: [u16; 21] = [
    1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256,
];
/// The longest list.
pub(crate) const LIST_MAX: usize = 256;
/// About how many positions one page of blocks holds.
const PAGE_POSITIONS: usize = 8192;

/// A list of at most 256 positions: which block of which size, and how much of it is used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct List {
    block: u32,
    len: u16,
    size: u8,
    /// Whether it has a block: one as long as it holds a position.
    held: bool,
}

impl List {
    /// How many positions it holds.
    pub(crate) fn len(self) -> usize {
        usize::from(self.len)
    }

    /// The same list after its block has moved.
    pub(crate) fn moved(self, to: Moved) -> Self {
        Self {
            block: to.block,
            ..self
        }
    }
}

/// The list of this owner now has another block of the same size.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) struct Moved {
    pub owner: u32,
    block: u32,
}

/// All blocks of one size. The first word of each names its owner.
#[derive(Debug)]
struct Shelf {
    words: usize,
    per_page_bits: u32,
    pages: Vec<Box<[u32]>>,
    used: u32,
}

impl Shelf {
    fn new(size: u16) -> Self {
        let words = usize::from(size) + 1;
        let per_page_bits = (PAGE_POSITIONS / words).ilog2();
        Self {
            words,
            per_page_bits,
            pages: Vec::new(),
            used: 0,
        }
    }

    /// Adds a block at the end.
    fn take(&mut self, owner: u32) -> u32 {
        if self.used as usize == self.pages.len() << self.per_page_bits {
            self.pages
                .push(vec![0; self.words << self.per_page_bits].into_boxed_slice());
        }
        self.used += 1;
        self.block_mut(self.used - 1)[0] = owner;
        self.used - 1
    }

    /// Gives up a block; the last one moves into its place.
    fn release(&mut self, block: u32) -> Option<Moved> {
        self.used -= 1;
        let moved = (block != self.used).then(|| {
            self.copy(self.used, block);
            Moved {
                owner: self.block(block)[0],
                block,
            }
        });
        if (self.used as usize) < (self.pages.len() - 1) << self.per_page_bits {
            self.pages.pop();
        }
        moved
    }

    fn copy(&mut self, from: u32, to: u32) {
        let (from, to) = (self.place(from), self.place(to));
        if let Ok([source, target]) = self.pages.get_disjoint_mut([from.0, to.0]) {
            let source = &source[from.1..from.1 + self.words];
            target[to.1..to.1 + self.words].copy_from_slice(source);
        } else {
            self.pages[from.0].copy_within(from.1..from.1 + self.words, to.1);
        }
    }

    #[inline]
    fn block(&self, block: u32) -> &[u32] {
        let (page, start) = self.place(block);
        &self.pages[page][start..start + self.words]
    }

    fn block_mut(&mut self, block: u32) -> &mut [u32] {
        let (page, start) = self.place(block);
        &mut self.pages[page][start..start + self.words]
    }

    fn place(&self, block: u32) -> (usize, usize) {
        let place = block & ((1 << self.per_page_bits) - 1);
        (
            (block >> self.per_page_bits) as usize,
            place as usize * self.words,
        )
    }
}

/// The storage of all short lists.
#[derive(Debug)]
pub(crate) struct Blocks([Shelf; SIZES.len()]);

impl Blocks {
    pub(crate) fn new() -> Self {
        Self(SIZES.map(Shelf::new))
    }

    /// The positions of a list.
    #[inline]
    pub(crate) fn positions(&self, list: List) -> &[u32] {
        if !list.held {
            return &[];
        }
        &self.0[usize::from(list.size)].block(list.block)[1..=list.len()]
    }

    fn positions_mut(&mut self, list: List) -> &mut [u32] {
        &mut self.0[usize::from(list.size)].block_mut(list.block)[1..=list.len()]
    }

    /// A list of these positions, 256 at most.
    pub(crate) fn list(&mut self, owner: u32, positions: &[u32]) -> List {
        let mut list = List::default();
        if !positions.is_empty() {
            let size = SIZES.partition_point(|size| usize::from(*size) < positions.len());
            list = List {
                block: self.0[size].take(owner),
                len: positions.len() as u16,
                size: size as u8,
                held: true,
            };
            self.positions_mut(list).copy_from_slice(positions);
        }
        list
    }

    /// Inserts a position before `place`. The list holds fewer than 256.
    pub(crate) fn insert(
        &mut self,
        list: &mut List,
        owner: u32,
        place: usize,
        position: u32,
    ) -> Option<Moved> {
        let full = !list.held || list.len == SIZES[usize::from(list.size)];
        let moved = if full {
            self.resize(list, owner, list.len + 1)
        } else {
            None
        };
        list.len += 1;
        let positions = self.positions_mut(*list);
        positions.copy_within(place..positions.len() - 1, place + 1);
        positions[place] = position;
        moved
    }

    /// Removes the position at `place`.
    pub(crate) fn remove(&mut self, list: &mut List, owner: u32, place: usize) -> Option<Moved> {
        self.positions_mut(*list).copy_within(place + 1.., place);
        list.len -= 1;
        let smaller = SIZES[usize::from(list.size.saturating_sub(2))];
        match list.len {
            0 => self.release(list),
            len if len < smaller => self.resize(list, owner, len),
            _ => None,
        }
    }

    /// Gives up all positions.
    pub(crate) fn release(&mut self, list: &mut List) -> Option<Moved> {
        let List {
            held, size, block, ..
        } = std::mem::take(list);
        if held {
            self.0[usize::from(size)].release(block)
        } else {
            None
        }
    }

    /// Moves a list to the smallest block for `len` positions.
    fn resize(&mut self, list: &mut List, owner: u32, len: u16) -> Option<Moved> {
        let size = SIZES.partition_point(|size| *size < len);
        let block = self.0[size].take(owner);
        let resized = List {
            block,
            len: list.len,
            size: size as u8,
            held: true,
        };
        let shelves = [list.size, resized.size].map(usize::from);
        if list.held
            && let Ok([before, after]) = self.0.get_disjoint_mut(shelves)
        {
            let positions = 1..=list.len();
            after.block_mut(block)[positions.clone()]
                .copy_from_slice(&before.block(list.block)[positions]);
        }
        let moved = self.release(list);
        *list = resized;
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_behave_like_vectors(
            steps in proptest::collection::vec((0usize..4, any::<bool>(), any::<u32>()), 0..2000),
        ) {
            let mut blocks = Blocks::new();
            let mut lists = [List::default(); 4];
            let mut models: [Vec<u32>; 4] = Default::default();
            for (which, grow, number) in steps {
                let (list, model) = (&mut lists[which], &mut models[which]);
                let place = number as usize % (model.len() + 1);
                let mut moved = None;
                if (grow || number % 3 == 0) && model.len() < LIST_MAX {
                    moved = blocks.insert(list, which as u32, place, number);
                    model.insert(place, number);
                } else if place < model.len() {
                    moved = blocks.remove(list, which as u32, place);
                    model.remove(place);
                }
                prop_assert_eq!(blocks.positions(*list), &model[..]);
                if let Some(moved) = moved {
                    let list = &mut lists[moved.owner as usize];
                    *list = list.moved(moved);
                }
            }
            for (list, model) in lists.into_iter().zip(models) {
                prop_assert_eq!(blocks.positions(list), &model[..]);
            }
        }
    }
}
