//! Countries as lists write them: codes and English names.

use std::{collections::HashMap, sync::LazyLock};

static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("countries.txt").lines();
    let entries = lines.filter_map(|line| line.split_once(' '));
    entries
        .flat_map(|(code, names)| names.split(", ").map(move |name| (name, code)))
        .collect()
});

/// The ISO 3166-1 alpha-2 code, in capitals, of a code or an English name; none if unknown.
pub(crate) fn code(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let code = (text.len() == 2).then(|| text.to_ascii_uppercase());
    if let Some(code) = code {
        return NAMES.values().find(|known| **known == code).copied();
    }
    let name: String = text
        .chars()
        .filter(|character| character.is_alphabetic() || *character == ' ')
        .flat_map(char::to_lowercase)
        .collect();
    let name = name.strip_prefix("the ").unwrap_or(&name);
    NAMES.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn lists_write_countries_in_many_ways() {
        for (text, expected) in [
            ("Democratic Republic of the Congo", Some("CD")),
            ("Iran (Islamic Republic of)", Some("IR")),
            ("Korea, North", Some("KP")),
            ("Democratic People's Republic of Korea", Some("KP")),
            ("ru", Some("RU")),
            ("Atlantis", None),
            ("zz", None),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
