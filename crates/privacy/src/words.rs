//! Words that stand in policies, notices and leaves of the trail: they name kinds of things, never
//! persons.

/// The longest word, in bytes.
pub(crate) const WORD_BYTES_MAX: usize = 64;

/// Whether a text is lower-case letters, digits and `_`, 1 to 64 bytes, beginning with a letter.
pub(crate) fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=WORD_BYTES_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The first rule that does not hold.
pub(crate) fn first_broken(rules: &[(bool, &'static str)]) -> Option<&'static str> {
    let broken = rules.iter().find(|(holds, _)| !holds);
    broken.map(|(_, why)| *why)
}
