//! Edit distance between short words: insertions, deletions, substitutions, swaps of neighbours.

/// Longest word that can be a pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 32;
/// Letters `a`–`z`, digits, and one place for everything else.
const SYMBOLS: usize = 37;

/// A word prepared for being compared with many others: for each letter, where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    places: [u32; SYMBOLS],
    length: u32,
}

impl Pattern {
    /// Prepares a word; what is longer than [`PATTERN_BYTES_MAX`] is cut.
    pub fn new(word: &[u8]) -> Self {
        let word = &word[..word.len().min(PATTERN_BYTES_MAX)];
        let mut places = [0; SYMBOLS];
        for (place, &letter) in word.iter().enumerate() {
            places[symbol(letter)] |= 1 << place;
        }
        Self {
            places,
            length: word.len() as u32,
        }
    }

    /// Optimal string alignment distance to another word, in edits.
    ///
    /// Bit-parallel, one step per letter: H. Hyyrö, "A bit-vector algorithm for computing
    /// Levenshtein and Damerau edit distances", Nordic Journal of Computing 10 (2003).
    pub fn distance(&self, other: &[u8]) -> u32 {
        if self.length == 0 {
            return other.len() as u32;
        }
        let last = 1u32 << (self.length - 1);
        let (mut up, mut down) = (u32::MAX, 0u32);
        let (mut diagonal, mut before) = (0u32, 0u32);
        let mut distance = self.length;
        for &letter in other {
            let here = self.places[symbol(letter)];
            let swapped = ((!diagonal & here) << 1) & before;
            diagonal = ((here & up).wrapping_add(up) ^ up) | here | down | swapped;
            let right = down | !(diagonal | up);
            let left = diagonal & up;
            distance += u32::from(right & last != 0);
            distance -= u32::from(left & last != 0);
            let right = (right << 1) | 1;
            up = (left << 1) | !(diagonal | right);
            down = right & diagonal;
            before = here;
        }
        distance
    }
}

fn symbol(letter: u8) -> usize {
    match letter {
        b'a'..=b'z' => usize::from(letter - b'a'),
        b'0'..=b'9' => usize::from(letter - b'0') + 26,
        _ => SYMBOLS - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The textbook table, row by row.
    fn oracle(a: &[u8], b: &[u8]) -> u32 {
        let mut table = vec![vec![0u32; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, _) => j as u32,
                    (_, 0) => i as u32,
                    _ => {
                        let same = u32::from(a[i - 1] != b[j - 1]);
                        let mut least = (table[i - 1][j] + 1)
                            .min(table[i][j - 1] + 1)
                            .min(table[i - 1][j - 1] + same);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            least = least.min(table[i - 2][j - 2] + 1);
                        }
                        least
                    }
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn it_is_the_textbook_distance(a in "[a-d0]{0,31}", b in "[a-d0]{0,31}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert_eq!(Pattern::new(a).distance(b), oracle(a, b));
        }
    }
}
