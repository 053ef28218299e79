//! The reference page of errors, made from their table.

use super::Code;
use std::fmt::Write;

/// The reference page of errors, in Markdown.
pub fn errors_markdown() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery refusal is a problem document (RFC 9457, `application/problem+json`) \
         whose member `code` is one of these. Codes are stable: none is renamed, new ones are \
         added. Made from `crates/server/src/edge/code/`.\n",
    );
    for code in Code::ALL {
        let meaning = code.meaning().concat();
        let (status, name) = (code.status().as_u16(), code.name());
        let (title, title_zh) = (code.title(), code.title_zh());
        let _ = write!(
            page,
            "\n## {name}\n\n{status} {title} ({title_zh}).{meaning}\n"
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_a_parser_refuses_with_has_a_row() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::parse(code.name()), Some(*code));
            assert!(
                !Code::ALL[..place]
                    .iter()
                    .any(|other| other.name() == code.name())
            );
            assert!(!code.meaning().is_empty(), "{code:?}");
            let is_chinese = |letter| ('\u{4e00}'..='\u{9fff}').contains(&letter);
            assert!(code.title_zh().chars().any(is_chinese), "{code:?}");
        }
        for name in paywarden_domain::invalid::CODES {
            assert!(Code::parse(name).is_some(), "{name}");
        }
    }
}
