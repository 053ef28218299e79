//! The lexer: bytes to tokens. It never fails; what it cannot read becomes a diagnostic.

use crate::diagnostic::{Code, Diagnostic, Span};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A whole number without its sign.
    Int(u64),
    /// A number with a point or exponent.
    Double(f64),
    /// A text literal, escapes resolved.
    Text(String),
    /// A name or a word such as `in`.
    Name(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the expression.
    End,
}

/// The operator or bracket that begins with a character and perhaps the one behind it.
fn symbol(first: char, second: Option<char>) -> Option<&'static str> {
    Some(match (first, second) {
        ('&', Some('&')) => "&&",
        ('|', Some('|')) => "||",
        ('=', Some('=')) => "==",
        ('!', Some('=')) => "!=",
        ('<', Some('=')) => "<=",
        ('>', Some('=')) => ">=",
        ('<', _) => "<",
        ('>', _) => ">",
        ('+', _) => "+",
        ('-', _) => "-",
        ('*', _) => "*",
        ('/', _) => "/",
        ('%', _) => "%",
        ('!', _) => "!",
        ('?', _) => "?",
        (':', _) => ":",
        ('(', _) => "(",
        (')', _) => ")",
        ('[', _) => "[",
        (']', _) => "]",
        ('{', _) => "{",
        ('}', _) => "}",
        ('.', _) => ".",
        (',', _) => ",",
        _ => return None,
    })
}

/// Symbols people type out of habit, and what they stand for here.
const HABITS: &[(char, &str)] = &[('=', "=="), ('&', "&&"), ('|', "||")];

/// Every token with its place, ending with [`Token::End`], and what was wrong.
pub(crate) fn tokens(source: &str) -> (Vec<(Token, Span)>, Vec<Diagnostic>) {
    let mut tokens = Vec::new();
    let problems = tokens_into(source, &mut tokens);
    (tokens, problems)
}

/// The same into room that is used again and again.
pub(crate) fn tokens_into(source: &str, tokens: &mut Vec<(Token, Span)>) -> Vec<Diagnostic> {
    let mut lexer = Lexer::new(source);
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        match lexer.token() {
            Some(Token::End) => break,
            Some(token) => tokens.push((token, start..lexer.at)),
            None => {}
        }
    }
    tokens.push((Token::End, source.len()..source.len()));
    lexer.problems
}

/// Where the comments of a text stand, their slashes included.
pub(crate) fn comments(source: &str) -> Vec<Span> {
    let mut lexer = Lexer::new(source);
    loop {
        lexer.skip_blank();
        if lexer.token() == Some(Token::End) {
            return lexer.comments;
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    comments: Vec<Span>,
    problems: Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            at: 0,
            comments: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes characters while they fit and returns them.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let taken = rest.get(..end).unwrap_or("");
        self.at += taken.len();
        taken
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            let start = self.at;
            self.take_while(|c| c != '\n');
            self.comments.push(start..self.at);
        }
    }

    fn problem(&mut self, code: Code, start: usize, message: impl Into<String>) -> &mut Diagnostic {
        let index = self.problems.len();
        self.problems
            .push(Diagnostic::at(code, start..self.at, message));
        &mut self.problems[index]
    }

    fn token(&mut self) -> Option<Token> {
        let start = self.at;
        let rest = self.rest();
        let mut characters = rest.chars();
        let (first, second) = (characters.next(), characters.next());
        let Some(first) = first else {
            return Some(Token::End);
        };
        match (first, second) {
            ('"' | '\'', _) => Some(self.text(false)),
            ('r' | 'R', Some('"' | '\'')) => {
                self.next();
                Some(self.text(true))
            }
            ('0'..='9', _) | ('.', Some('0'..='9')) => Some(self.number()),
            (c, _) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                Some(Token::Name(name.to_owned()))
            }
            _ => {
                if let Some(symbol) = symbol(first, second) {
                    self.at += symbol.len();
                    return Some(Token::Symbol(symbol));
                }
                self.next();
                self.habit(first, start)
            }
        }
    }

    fn habit(&mut self, wrong: char, start: usize) -> Option<Token> {
        let right = HABITS
            .iter()
            .find(|(habit, _)| *habit == wrong)
            .map(|(_, right)| *right);
        let problem = self.problem(Code::Syntax, start, format!("`{wrong}` means nothing here"));
        problem.hint = right.map(|right| format!("write `{right}`"));
        right.map(Token::Symbol)
    }

    /// Decimal or `0x` integers, and doubles with a point or an exponent.
    fn number(&mut self) -> Token {
        let start = self.at;
        let digits = |lexer: &mut Self| lexer.take_while(|c| c.is_ascii_digit());
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let hex = self.take_while(|c| c.is_ascii_alphanumeric());
            return self.whole(start, u64::from_str_radix(hex, 16).ok());
        }
        digits(self);
        let mut double = false;
        let mut following = self.rest().chars();
        if following.next() == Some('.') && following.next().is_some_and(|c| c.is_ascii_digit()) {
            self.next();
            digits(self);
            double = true;
        }
        double |= self.exponent();
        let text = self.source.get(start..self.at).unwrap_or("");
        if self
            .peek()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        {
            let suffix = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            self.problem(
                Code::Syntax,
                start,
                format!("`{text}{suffix}` is not a number"),
            )
            .hint = Some(format!(
                "a time span is written `duration(\"{text}{suffix}\")`"
            ));
        }
        if !double {
            return self.whole(start, text.parse().ok());
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Token::Double(value),
            _ => {
                self.problem(Code::BadLiteral, start, "the number is too large");
                Token::Double(0.0)
            }
        }
    }

    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(tail) = rest.strip_prefix(['e', 'E']) else {
            return false;
        };
        let unsigned = tail.strip_prefix(['+', '-']).unwrap_or(tail);
        if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        self.at += rest.len() - unsigned.len();
        self.take_while(|c| c.is_ascii_digit());
        true
    }

    fn whole(&mut self, start: usize, value: Option<u64>) -> Token {
        if value.is_none() {
            self.problem(
                Code::BadLiteral,
                start,
                "not a whole number of at most 64 bits",
            );
        }
        Token::Int(value.unwrap_or(0))
    }

    /// A text in one or three quotes; only in three may it go over several lines.
    fn text(&mut self, raw: bool) -> Token {
        let start = self.at;
        let quote = self.next();
        let closes = |rest: &str| {
            let mut rest = rest.chars();
            (0..3).all(|_| rest.next() == quote)
        };
        let triple = closes(self.source.get(start..).unwrap_or(""));
        self.at += if triple { 2 } else { 0 };
        let mut text = String::new();
        loop {
            let special = |c| Some(c) == quote || c == '\\' || c == '\n';
            text.push_str(self.take_while(|c| !special(c)));
            if triple && closes(self.rest()) {
                self.at += 3;
                return Token::Text(text);
            }
            match self.next() {
                None => break,
                Some('\n') if !triple => break,
                end if end == quote && !triple => return Token::Text(text),
                Some('\\') if !raw => text.extend(self.escape()),
                Some(character) => text.push(character),
            }
        }
        self.problem(Code::Syntax, start, "the text is not closed")
            .hint = Some("end it with the quote it began with, on the same line".to_owned());
        Token::Text(text)
    }

    /// One escape after its backslash, as CEL defines them.
    fn escape(&mut self) -> Option<char> {
        let start = self.at - 1;
        let character = match self.next()? {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            same @ ('\\' | '?' | '"' | '\'' | '`') => Some(same),
            'x' | 'X' => self.code_point(2, 16),
            'u' => self.code_point(4, 16),
            'U' => self.code_point(8, 16),
            '0'..='3' => {
                self.at -= 1;
                self.code_point(3, 8)
            }
            _ => None,
        };
        if character.is_none() {
            self.problem(Code::Syntax, start, "not an escape").hint =
                Some("write a backslash as `\\\\`".to_owned());
        }
        character
    }

    fn code_point(&mut self, length: usize, radix: u32) -> Option<char> {
        let digits = self.rest().get(..length)?;
        if !digits.chars().all(|digit| digit.is_digit(radix)) {
            return None;
        }
        let point = u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32);
        self.at += length;
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(source: &str) -> Token {
        let (tokens, problems) = tokens(source);
        assert_eq!(
            (tokens.len(), problems.len()),
            (2, 0),
            "{source} {problems:?}"
        );
        tokens.into_iter().next().unwrap().0
    }

    #[test]
    fn reads_cel_literals() {
        for (source, text) in [
            (r#""a\"b\n""#, "a\"b\n"),
            (r"'\x41\u00e9\U0001F600\101'", "Aé😀A"),
            (r#"r"\d""#, r"\d"),
            ("'中文'", "中文"),
        ] {
            assert_eq!(only(source), Token::Text(text.to_owned()));
        }
        for (source, value) in [
            ("1.5", 1.5),
            ("1e3", 1000.0),
            (".25", 0.25),
            ("2.5E-1", 0.25),
        ] {
            assert_eq!(only(source), Token::Double(value));
        }
        assert_eq!(only("0xFF // comment"), Token::Int(255));
        assert_eq!(only("18446744073709551615"), Token::Int(u64::MAX));
    }

    #[test]
    fn reports_and_goes_on() {
        for (source, message) in [
            ("\"abc", "the text is not closed"),
            ("'\\q'", "not an escape"),
            ("'\\ud800'", "not an escape"),
            ("10m", "`10m` is not a number"),
            ("a = b", "`=` means nothing here"),
            ("a # b", "`#` means nothing here"),
            (
                "99999999999999999999",
                "not a whole number of at most 64 bits",
            ),
            ("1e999", "the number is too large"),
        ] {
            assert_eq!(tokens(source).1[0].message, message, "{source}");
        }
    }
}
