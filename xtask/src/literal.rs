//! The texts that stand in Rust code, each with what it stands in; those of comments and tests left out.

/// A text between quotes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// What it is given to, the nearest first: the name of a field or constant, then calls, macros and
    /// arms up to the block that it stands in. `#` is an attribute.
    pub(crate) within: Vec<String>,
}

/// The texts of a file.
pub(crate) fn literals(code: &str) -> Vec<Literal> {
    let tests = code.find("\n#[cfg(test)]\nmod tests {");
    let code = &code[..tests.unwrap_or(code.len())];
    let mut reader = Reader {
        rest: code,
        whole: code,
        seen: String::new(),
        open: Vec::new(),
        found: Vec::new(),
    };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.found
}

struct Reader<'c> {
    whole: &'c str,
    rest: &'c str,
    /// The code so far without comments and texts.
    seen: String,
    /// Each bracket that is open, with what stands before it.
    open: Vec<(Vec<String>, char)>,
    found: Vec<Literal>,
}

impl Reader<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        } else if let Some((hashes, body)) = raw(self.rest, &self.seen) {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = body.find(&end).unwrap_or(body.len());
            self.found(body[..length].to_owned());
            self.rest = &body[(length + end.len()).min(body.len())..];
        } else if let Some(body) = self.rest.strip_prefix('"') {
            let (text, length) = unescaped(body);
            self.found(text);
            self.rest = &body[length..];
        } else if let Some(length) = character(self.rest) {
            self.rest = &self.rest[length..];
        } else {
            self.sign();
        }
    }

    fn sign(&mut self) {
        let mut signs = self.rest.chars();
        let Some(sign) = signs.next() else { return };
        self.rest = signs.as_str();
        match sign {
            '(' | '[' | '{' => self.open.push((self.before(), sign)),
            ')' | ']' | '}' => {
                self.open.pop();
            }
            _ => {}
        }
        self.seen.push(sign);
    }

    /// The name at the end of what was read, and what its value is given to.
    fn before(&self) -> Vec<String> {
        let is_name = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | ':' | '!' | '#');
        let (seen, name) = self
            .seen
            .split_at(self.seen.trim_end_matches(is_name).len());
        let label = label(seen).map(str::to_owned);
        std::iter::once(name.to_owned()).chain(label).collect()
    }

    fn found(&mut self, text: String) {
        let calls = self.open.iter().rev().take_while(|(_, sign)| *sign != '{');
        let calls = calls.flat_map(|(before, _)| before.clone());
        let within = label(&self.seen).map(str::to_owned).into_iter();
        let before = &self.whole[..self.whole.len() - self.rest.len()];
        self.found.push(Literal {
            line: before.matches('\n').count() + 1,
            within: within.chain(calls).collect(),
            text,
        });
        self.seen.push('"');
    }
}

/// The name of the field, constant or variable whose value comes next.
fn label(seen: &str) -> Option<&str> {
    let seen = seen.trim_end().trim_end_matches('&').trim_end();
    let seen = seen.strip_suffix([':', '='])?.trim_end();
    let seen = seen.strip_suffix(": &str").unwrap_or(seen);
    seen.rsplit(|sign: char| !sign.is_alphanumeric() && sign != '_')
        .next()
}

/// The number of `#` and the text behind the quote, if a raw text begins here.
fn raw<'c>(rest: &'c str, seen: &str) -> Option<(usize, &'c str)> {
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let is_name = seen.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_');
    let bare = body.trim_start_matches('#');
    let body = bare.strip_prefix('"').filter(|_| !is_name)?;
    Some((rest.trim_start_matches(['b', 'r']).len() - bare.len(), body))
}

/// The length of a character between quotes; nothing of a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let skipped = match first {
        '\\' => 2,
        _ => first.len_utf8(),
    };
    let close = body.get(skipped..)?.find('\'')?;
    (first == '\\' || close == 0).then_some(skipped + close + 2)
}

/// The text up to the quote that ends it, and how long it is in the code, quote included.
fn unescaped(body: &str) -> (String, usize) {
    let mut text = String::new();
    let mut signs = body.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return (text, at + 1),
            '\\' => match signs.next() {
                // A line that goes on: its break and what stands before the next word are left out.
                Some((_, '\n')) => {
                    let ahead = signs.as_str();
                    let blanks = ahead.len() - ahead.trim_start().len();
                    signs.by_ref().take(blanks).for_each(drop);
                }
                Some((_, 'u')) => {
                    let code: String = signs
                        .by_ref()
                        .take_while(|(_, sign)| *sign != '}')
                        .map(|(_, sign)| sign)
                        .collect();
                    let code = u32::from_str_radix(code.trim_start_matches('{'), 16);
                    text.extend(code.ok().and_then(char::from_u32));
                }
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            _ => text.push(sign),
        }
    }
    (text, body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_with_what_they_stand_in() {
        let code = r####"
//! "none of these"
const PURPOSE: &str = "a purpose"; // "nor this"
#[error("stands {0}, \"so\"")]
fn one<'a>(c: char) -> Result<(), Error> {
    let quote = '"'; let tick = '\''; let wide = 'é';
    tracing::warn!(%error, "not told");
    Err(Error::Wrong(format!("at most {MOST} \
        bytes")))?;
    By { purpose: r#"raw "text""#, object: format!("one of {all}") }
}

#[cfg(test)]
mod tests {
    const LEFT_OUT: &str = "test";
}
"####;
        let found = literals(code);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.line, one.text.as_str(), one.within.join(" ")))
            .collect();
        let expected = [
            (3, "a purpose", "PURPOSE"),
            (4, "stands {0}, \"so\"", "error #"),
            (7, "not told", "tracing::warn!"),
            (8, "at most {MOST} bytes", "format! Error::Wrong Err"),
            (10, "raw \"text\"", "purpose"),
            (10, "one of {all}", "format! object"),
        ];
        let expected = expected.map(|(line, text, within)| (line, text, within.to_owned()));
        assert_eq!(found, expected);
    }
}
