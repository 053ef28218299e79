//! What people write: so long, and without marks that hide what it says.

use crate::Error;

/// A text of one line. `hint` says how long it may be.
pub(crate) fn checked_line(
    field: &'static str,
    text: &str,
    (bytes_max, hint): (usize, &'static str),
) -> Result<(), Error> {
    match text.contains(['\n', '\r', '\t']) {
        true => Err(Error::field(field, "one line, without tabs")),
        false => checked_text(field, text, (bytes_max, hint)),
    }
}

/// A text of any number of lines.
pub(crate) fn checked_text(
    field: &'static str,
    text: &str,
    (bytes_max, hint): (usize, &'static str),
) -> Result<(), Error> {
    let hides =
        |one: char| is_hidden(one) || one.is_control() && !matches!(one, '\n' | '\r' | '\t');
    if text.trim().is_empty() || text.len() > bytes_max {
        return Err(Error::field(field, hint));
    }
    match text.contains(hides) {
        true => Err(Error::field(
            field,
            "no marks that cannot be seen or turn the text around",
        )),
        false => Ok(()),
    }
}

/// Marks that change what people see and not what is stored: overrides and isolates of the
/// direction of text, characters of no width. Joiners are letters of some scripts.
pub(crate) fn is_hidden(one: char) -> bool {
    matches!(one, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_refused_and_what_some_scripts_need_is_not() {
        let long = "a".repeat(201);
        for text in [
            "",
            " ",
            "\u{200b}",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{0}b",
            "a\nb",
            &long,
        ] {
            assert!(
                checked_line("title", text, (200, "short")).is_err(),
                "{text:?}"
            );
        }
        for text in ["خانه\u{200c}ها", "शक्\u{200d}ति", "资金往来", "Łódź 2"]
        {
            assert!(
                checked_line("title", text, (200, "short")).is_ok(),
                "{text:?}"
            );
        }
        assert!(checked_text("text", "one\n\ttwo", (200, "short")).is_ok());
        assert!(checked_text("text", "one\n\u{202e}two", (200, "short")).is_err());
    }
}
