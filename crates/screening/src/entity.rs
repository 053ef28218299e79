//! A party on a list, as every format of lists comes to.

use crate::kind::Kind;
use paywarden_domain::Country;
use serde::{Deserialize, Serialize};

/// A listed party.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its identifier within the list.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Names that it bears, the main one first.
    pub names: Vec<ListedName>,
    /// Birth dates that are claimed.
    pub births: Vec<Birth>,
    /// Codes of countries that it is of or in, ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// Documents and registrations.
    pub identifiers: Vec<Identifier>,
    /// Programmes that it is listed under.
    pub programs: Vec<String>,
}

/// A name that a list gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedName {
    /// As the list writes it.
    pub text: String,
    /// Whether the list itself says that it identifies little.
    pub weak: bool,
}

/// A document or registration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// What the list calls it.
    pub kind: String,
    /// Its number as the list writes it.
    pub number: String,
}

/// A birth date, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Birth {
    /// Year of our era.
    pub year: u16,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

impl Entity {
    /// Adds a name unless it is blank or there already.
    pub(crate) fn name(&mut self, text: &str, weak: bool) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() && self.names.iter().all(|name| name.text != text) {
            self.names.push(ListedName { text, weak });
        }
    }

    /// Adds a birth date if it can be read.
    pub(crate) fn birth(&mut self, text: &str) {
        if let Some(birth) = Birth::parse(text).filter(|birth| !self.births.contains(birth)) {
            self.births.push(birth);
        }
    }

    /// Adds a country by its code or English name if it is known.
    pub(crate) fn country(&mut self, text: &str) {
        if let Some(code) = crate::country::code(text)
            && !self.countries.iter().any(|known| known == code)
        {
            self.countries.push(code.to_owned());
        }
    }

    /// Adds an identifier unless it is blank.
    pub(crate) fn identifier(&mut self, kind: &str, number: &str) {
        let identifier = Identifier {
            kind: kind.trim().to_owned(),
            number: number.trim().to_owned(),
        };
        if identifier.key().is_some() && !self.identifiers.contains(&identifier) {
            self.identifiers.push(identifier);
        }
    }

    /// Adds a programme unless it is blank or there already.
    pub(crate) fn program(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && !self.programs.iter().any(|known| known == text) {
            self.programs.push(text.to_owned());
        }
    }

    /// Whether a country is one of its own.
    pub fn is_of(&self, country: Country) -> bool {
        self.countries.iter().any(|code| code == country.code())
    }
}

impl Identifier {
    /// Letters and digits alone, small: how numbers are compared. None if fewer than five are left.
    pub fn key(&self) -> Option<String> {
        key(&self.number)
    }
}

/// How a number of a document is compared; none if too little is left to tell one from another.
pub fn key(number: &str) -> Option<String> {
    let letters = number
        .chars()
        .filter(|character| character.is_alphanumeric());
    let key: String = letters.flat_map(char::to_lowercase).take(64).collect();
    (key.chars().count() >= 5).then_some(key)
}

impl Birth {
    /// Reads `1971`, `1971-03`, `1971-03-09`, `09 Mar 1971`, `Mar 1971`, `circa 1971`,
    /// `09/03/1971` (day first).
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty())
            .take(8)
            .collect();
        let at = parts
            .iter()
            .position(|part| part.len() == 4 && year(part).is_some())?;
        let mut birth = Self {
            year: year(parts[at])?,
            month: None,
            day: None,
        };
        let small = |part: &&str| part.parse::<u8>().ok();
        if let Some(named) = parts.iter().position(|part| month(part).is_some()) {
            birth.month = month(parts[named]);
            birth.day = named
                .checked_sub(1)
                .and_then(|before| small(&parts[before]));
        } else if at == 0 {
            birth.month = parts.get(1).and_then(small);
            birth.day = parts.get(2).and_then(small);
        } else if at == 2 {
            birth.day = small(&parts[0]);
            birth.month = small(&parts[1]);
        }
        // "00" stands for unknown in several lists.
        birth.month = birth.month.filter(|month| (1..=12).contains(month));
        birth.day = birth
            .day
            .filter(|day| birth.month.is_some() && (1..=31).contains(day));
        Some(birth)
    }
}

fn year(text: &str) -> Option<u16> {
    text.parse()
        .ok()
        .filter(|year| (1800..=2200).contains(year))
}

fn month(text: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let text = text.to_ascii_lowercase();
    let found = MONTHS.iter().position(|month| text.starts_with(month))?;
    Some(found as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birth_dates_are_read_as_far_as_they_go() {
        let birth = |year, month, day| Some(Birth { year, month, day });
        for (text, expected) in [
            ("1971", birth(1971, None, None)),
            ("1971-03-09", birth(1971, Some(3), Some(9))),
            ("1971-00-00", birth(1971, None, None)),
            ("09 Mar 1971", birth(1971, Some(3), Some(9))),
            ("circa 1971", birth(1971, None, None)),
            ("Mar 1971", birth(1971, Some(3), None)),
            ("09/03/1971", birth(1971, Some(3), Some(9))),
            ("dd/mm/1971", birth(1971, None, None)),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(Birth::parse(text), expected, "{text}");
        }
    }
}
