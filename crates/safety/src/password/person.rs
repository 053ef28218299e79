//! What is known about a person, and where it stands in a password.

use super::{Finding, Pattern, text::Text};
use serde::Deserialize;
use utoipa::ToSchema;

/// The fewest letters that count as a name, and digits as a number.
const LETTERS_MIN: usize = 3;
const DIGITS_MIN: usize = 4;
/// Somebody who knows the person tries these first.
const KNOWN_LOG10: f64 = 0.7;
/// Beyond so many words nobody's data is described any better.
const TOKENS_MAX: usize = 64;

/// What an attacker may know about a person. All of it may be left out.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Name, in any script; for Chinese names also in pinyin, separated by a space.
    pub name: String,
    /// Phone number in any notation.
    pub phone: String,
    /// E-mail address.
    pub email: String,
    /// Birth date, `YYYY-MM-DD`.
    pub birth_date: String,
    /// Identity or passport number.
    pub id_number: String,
    /// Company, brand or product that the account belongs to.
    pub company: String,
}

impl Person {
    /// The words and numbers that the person is known by, in lower case, no two alike.
    pub(super) fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        tokens.extend(names(&self.name));
        tokens.extend(names(&self.company));
        let (local, domain) = self.email.split_once('@').unwrap_or((&self.email, ""));
        tokens.extend(names(local));
        tokens.push(domain.split('.').next().unwrap_or_default().to_owned());
        for text in [&self.phone, &self.id_number] {
            tokens.extend(tails(text));
        }
        tokens.extend(dates(&self.birth_date));
        for token in &mut tokens {
            *token = token.to_lowercase();
        }
        tokens.retain(|token| tells(token));
        tokens.sort();
        tokens.dedup();
        tokens.truncate(TOKENS_MAX);
        tokens
    }
}

/// Whether a token is long enough not to occur by chance. A Han character says more than a letter.
fn tells(token: &str) -> bool {
    let length = token.chars().count();
    if token.chars().all(|c| c.is_ascii_digit()) {
        length >= DIGITS_MIN
    } else if token.is_ascii() {
        length >= LETTERS_MIN
    } else {
        length >= 2
    }
}

/// The words of a name, all of them together in both orders, and the initials.
fn names(name: &str) -> Vec<String> {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let initials: String = words
        .iter()
        .filter_map(|word| word.chars().next())
        .collect();
    let reversed: String = words.iter().rev().copied().collect();
    let mut tokens: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    tokens.extend([words.concat(), reversed, initials]);
    tokens
}

/// A number whole, and its last four, six and eight characters.
fn tails(number: &str) -> Vec<String> {
    let plain: String = number
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let tail = |length: usize| {
        let start = plain.len().checked_sub(length)?;
        plain.get(start..).map(str::to_owned)
    };
    let tails = [4, 6, 8, 11].into_iter().filter_map(tail);
    tails.chain([plain.clone()]).collect()
}

/// A date in the orders in which people write it.
fn dates(date: &str) -> Vec<String> {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Vec::new();
    };
    let short = year.get(2..).unwrap_or_default();
    vec![
        [*year, month, day].concat(),
        [short, month, day].concat(),
        [*day, month, year].concat(),
        [*month, day, year].concat(),
        [*day, month, short].concat(),
        [*month, day].concat(),
        [*day, month].concat(),
        (*year).to_owned(),
    ]
}

pub(super) fn find(text: &Text, tokens: &[String], findings: &mut Vec<Finding>) {
    for token in tokens {
        let forwards: Vec<char> = token.chars().collect();
        let backwards: Vec<char> = token.chars().rev().collect();
        for (chars, sought) in [
            (&text.plain, &forwards),
            (&text.undone, &forwards),
            (&text.plain, &backwards),
        ] {
            let places = chars.windows(sought.len()).enumerate();
            for (start, _) in places.filter(|(_, part)| part == sought) {
                let end = start + sought.len();
                findings.push(Finding {
                    pattern: Pattern::Personal,
                    start,
                    end,
                    guesses_log10: KNOWN_LOG10 + text.dress_log10(start, end),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_people_know_of_each_other() {
        let person = Person {
            name: "Zhang Wei 张伟".to_owned(),
            phone: "+86 138-1234-5678".to_owned(),
            email: "zw.work@example.com".to_owned(),
            birth_date: "1990-01-31".to_owned(),
            id_number: "11010119900131123X".to_owned(),
            company: "Acme Pay".to_owned(),
        };
        let tokens = person.tokens();
        for token in [
            "zhang",
            "wei",
            "张伟",
            "zhangwei张伟",
            "zw张",
            "13812345678",
            "5678",
            "345678",
            "work",
            "example",
            "19900131",
            "900131",
            "0131",
            "31011990",
            "123x",
            "acme",
            "acmepay",
        ] {
            assert!(tokens.iter().any(|t| t == token), "{token}: {tokens:?}");
        }
        assert!(Person::default().tokens().is_empty());
    }
}
