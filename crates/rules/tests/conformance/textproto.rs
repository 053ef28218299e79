//! A reader for protocol buffers in text form, as far as the conformance suite of CEL needs it.

use std::{iter::Peekable, str::Chars};

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, a word, or what a text says, byte by byte.
    Scalar(Vec<u8>),
    Message(Message),
}

/// Fields in the order of the file; a field may come several times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message(pub Vec<(String, Value)>);

impl Message {
    pub fn read(text: &str) -> Self {
        let mut reader = Reader(text.chars().peekable());
        let message = reader.fields();
        assert_eq!(reader.peek(), None, "something is left behind the end");
        message
    }

    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Value> {
        let fits = move |field: &&(String, Value)| field.0 == name;
        let name = name.to_owned();
        let _ = fits;
        self.0
            .iter()
            .filter(move |field| field.0 == name)
            .map(|field| &field.1)
    }

    pub fn messages<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Self> {
        self.all(name).filter_map(|value| match value {
            Value::Message(message) => Some(message),
            Value::Scalar(_) => None,
        })
    }

    pub fn message(&self, name: &str) -> Option<&Self> {
        self.messages(name).next()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.all(name).find_map(|value| match value {
            Value::Scalar(bytes) => String::from_utf8(bytes.clone()).ok(),
            Value::Message(_) => None,
        })
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    /// The next character that is neither blank nor in a comment.
    fn peek(&mut self) -> Option<char> {
        loop {
            match self.0.peek()? {
                '#' => while self.0.next_if(|c| *c != '\n').is_some() {},
                c if c.is_whitespace() => drop(self.0.next()),
                c => return Some(*c),
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.0.next();
        }
        found
    }

    fn fields(&mut self) -> Message {
        let mut fields = Vec::new();
        while !matches!(self.peek(), None | Some('}' | '>')) {
            let name = self.name();
            self.take(':');
            if self.take('[') {
                while !self.take(']') {
                    fields.push((name.clone(), self.value()));
                    self.take(',');
                }
            } else {
                fields.push((name, self.value()));
            }
            let _ = self.take(',') || self.take(';');
        }
        Message(fields)
    }

    /// A plain name, or the address of a type in brackets.
    fn name(&mut self) -> String {
        let end: fn(&char) -> bool = match self.take('[') {
            true => |c| *c != ']',
            false => |c| c.is_alphanumeric() || *c == '_',
        };
        self.peek();
        let mut name = String::new();
        while let Some(c) = self.0.next_if(end) {
            name.push(c);
        }
        assert!(
            !name.is_empty(),
            "a name is missing before {:?}",
            self.peek()
        );
        self.take(']');
        name
    }

    fn value(&mut self) -> Value {
        match self.peek() {
            Some('{') => {
                self.take('{');
                let message = self.fields();
                assert!(self.take('}'), "a message is not closed");
                Value::Message(message)
            }
            Some('"' | '\'') => {
                let mut text = Vec::new();
                while let Some(quote @ ('"' | '\'')) = self.peek() {
                    self.take(quote);
                    self.text(quote, &mut text);
                }
                Value::Scalar(text)
            }
            _ => {
                let mut word = String::new();
                let fits = |c: &char| c.is_alphanumeric() || "+-._".contains(*c);
                while let Some(c) = self.0.next_if(fits) {
                    word.push(c);
                }
                assert!(!word.is_empty(), "a value is missing");
                Value::Scalar(word.into_bytes())
            }
        }
    }

    fn text(&mut self, quote: char, text: &mut Vec<u8>) {
        loop {
            let c = self.0.next().expect("a text is not closed");
            match c {
                '\\' => self.escape(text),
                c if c == quote => return,
                c => text.extend(c.to_string().bytes()),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let c = self.0.next().expect("an escape is not finished");
        let byte = match c {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'v' => 11,
            'x' | 'X' => self.number(String::new(), 2, 16) as u8,
            '0'..='7' => self.number(c.to_string(), 3, 8) as u8,
            'u' | 'U' => {
                let length = if c == 'u' { 4 } else { 8 };
                let point = self.number(String::new(), length, 16);
                let point = char::from_u32(point).expect("an escape is no character");
                return text.extend(point.to_string().bytes());
            }
            same => same as u8,
        };
        text.push(byte);
    }

    fn number(&mut self, mut digits: String, length: usize, radix: u32) -> u32 {
        while digits.len() < length {
            match self.0.next_if(|c| c.is_digit(radix)) {
                Some(digit) => digits.push(digit),
                None => break,
            }
        }
        u32::from_str_radix(&digits, radix).expect("an escape is no number")
    }
}
