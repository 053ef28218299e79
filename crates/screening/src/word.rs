//! A short ASCII word that lives where it stands, so that comparing thousands follows no pointer.

/// At most `N` bytes; more are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> Word<N> {
    /// A word of these letters.
    pub fn new(letters: &[u8]) -> Self {
        let mut word = Self::default();
        letters.iter().for_each(|&letter| word.push(letter));
        word
    }

    /// Adds a letter if there is room.
    pub fn push(&mut self, letter: u8) {
        if usize::from(self.length) < N {
            self.bytes[usize::from(self.length)] = letter;
            self.length += 1;
        }
    }

    /// Its letters.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Its letters as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.text()).unwrap_or_default()
    }

    /// Letters in it.
    pub fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether it has no letter.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const N: usize> Default for Word<N> {
    fn default() -> Self {
        Self {
            length: 0,
            bytes: [0; N],
        }
    }
}
