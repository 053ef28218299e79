//! A password as the matchers see it: half-width, in lower case, and with look-alikes undone.

use super::LENGTH_MAX;

/// The forms of one password, character by character in step.
pub(super) struct Text {
    /// As given, full-width forms made half-width.
    pub given: Vec<char>,
    /// In lower case.
    pub plain: Vec<char>,
    /// In lower case, with letters for the digits and signs that look like them: `p@ssw0rd`.
    pub undone: Vec<char>,
}

impl Text {
    pub(super) fn new(password: &str) -> Self {
        let given: Vec<char> = password.chars().take(LENGTH_MAX).map(half_width).collect();
        let plain: Vec<char> = given.iter().map(|c| lower(*c)).collect();
        let undone = plain.iter().map(|c| undo(*c)).collect();
        Self {
            given,
            plain,
            undone,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.given.len()
    }

    /// Decimal logarithm of how often more an attacker must guess because of the upper-case letters
    /// and look-alikes of a part.
    pub(super) fn dress_log10(&self, start: usize, end: usize) -> f64 {
        let part = start..end;
        let upper = |place: &usize| self.given.get(*place) != self.plain.get(*place);
        let look_alike = |place: &usize| self.plain.get(*place) != self.undone.get(*place);
        let uppers = part.clone().filter(upper).count();
        let letters = part.clone().filter(|place| {
            self.plain
                .get(*place)
                .is_some_and(|c| c.is_ascii_alphabetic())
        });
        // A capital in front or capitals throughout are the first two things that are tried.
        let simple = uppers == letters.count() || (uppers == 1 && upper(&start));
        let cases = match (uppers, simple) {
            (0, _) => 1,
            (_, true) => 2,
            (uppers, false) => 2 + 4 * uppers,
        };
        let look_alikes = 1 + part.filter(look_alike).count();
        ((cases * look_alikes) as f64).log10()
    }
}

fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// U+FF01 to U+FF5E are the printable ASCII characters in full width.
fn half_width(c: char) -> char {
    match c as u32 {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

fn undo(c: char) -> char {
    match c {
        '4' | '@' => 'a',
        '8' => 'b',
        '3' => 'e',
        '6' | '9' => 'g',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '2' => 'z',
        other => other,
    }
}
