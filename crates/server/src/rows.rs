//! Rows of CSV and the lines in which they begin. A reader of CSV counts from where it left the row
//! before, which is another line if blank ones, or the end of a line in two bytes, lie between.

use csv::{Reader, StringRecord};
use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// Hands bytes on, and remembers where lines begin that say something until the reader is there.
#[derive(Debug)]
pub struct Lines<R> {
    inner: R,
    byte: u64,
    line: u64,
    is_begun: bool,
    begun: VecDeque<(u64, u64)>,
}

impl<R: Read> Lines<R> {
    /// The lines of a file from its beginning.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            byte: 0,
            line: 1,
            is_begun: false,
            begun: VecDeque::new(),
        }
    }

    /// The line of the row that begins at this byte or behind it.
    fn from(&mut self, byte: u64) -> u64 {
        while self.begun.front().is_some_and(|(start, _)| *start < byte) {
            self.begun.pop_front();
        }
        self.begun.front().map_or(self.line, |(_, line)| *line)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        for byte in bytes.iter().take(count) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.is_begun = false;
                }
                b'\r' => {}
                _ if self.is_begun => {}
                _ => {
                    self.is_begun = true;
                    self.begun.push_back((self.byte, self.line));
                }
            }
            self.byte += 1;
        }
        Ok(count)
    }
}

/// Reads the next row into `row`, behind the heading, which was read already: the line in which it
/// begins, and what is wrong with it if anything is. None at the end.
pub fn next_row<R: Read>(
    reader: &mut Reader<Lines<R>>,
    row: &mut StringRecord,
) -> Option<(u64, csv::Result<()>)> {
    let byte = reader.position().byte();
    let read = reader.read_record(row);
    let line = reader.get_mut().from(byte);
    match read {
        Ok(false) => None,
        Ok(true) => Some((line, Ok(()))),
        Err(error) => Some((line, Err(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::ReaderBuilder;

    fn begins(text: &str, capacity: usize) -> Vec<(u64, String)> {
        let mut reader = ReaderBuilder::new()
            .buffer_capacity(capacity)
            .from_reader(Lines::new(text.as_bytes()));
        reader.headers().unwrap();
        let mut row = StringRecord::new();
        std::iter::from_fn(|| {
            next_row(&mut reader, &mut row).map(|(line, read)| match read {
                Ok(()) => (line, row[0].to_owned()),
                Err(_) => (line, "bad".to_owned()),
            })
        })
        .collect()
    }

    #[test]
    fn a_row_behind_blank_lines_has_its_own_line() {
        let text = "name,sum\n\n\nfirst,1\n\r\n\"two\n\nlines\",2\n\nthird\nfourth,4";
        let expected = [
            (4, "first"),
            (6, "two\n\nlines"),
            (10, "bad"),
            (11, "fourth"),
        ];
        let expected = expected.map(|(line, name)| (line, name.to_owned()));
        assert_eq!(begins(text, 1 << 16), expected);
        assert_eq!(begins(text, 3), expected);
    }

    /// However lines end, however many blank ones lie between, wherever the buffer ends.
    #[test]
    fn lines_are_those_of_counting_by_hand() {
        for (ending, capacity, seed) in (0..400_usize).map(|case| {
            (
                ["\n", "\r\n"][case % 2],
                case / 2 % 40 + 1,
                case * 2_654_435_761,
            )
        }) {
            let (mut text, mut line) = (format!("name,sum{ending}"), 2);
            let mut expected = Vec::new();
            for place in 0..30 {
                let (blanks, breaks) = (seed >> place & 3, seed >> (place + 2) & 1);
                text += &ending.repeat(blanks);
                line += blanks as u64;
                let name = format!("a{}", ending.repeat(breaks));
                text += &format!("\"{name}\",1{ending}");
                expected.push((line, name));
                line += breaks as u64 + 1;
            }
            assert_eq!(begins(&text, capacity), expected, "{capacity} {text:?}");
        }
    }
}
