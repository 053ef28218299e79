//! Characters that no report may carry, and those that one format refuses.

use super::Faults;
use crate::{Format, Profile, fields::Field, report::NARRATIVE_CHARS_MAX};

/// Looks at the characters of a field. The value itself is never in a hint.
pub(super) fn check(field: &Field<'_>, profile: &Profile, faults: &mut Faults) {
    let Some(value) = field.value.as_deref() else {
        return;
    };
    let most = NARRATIVE_CHARS_MAX;
    if value.len() > most && value.chars().count() > most {
        faults.add(
            &field.path,
            "too_long",
            format!("at most {most} characters fit anywhere"),
        );
        return;
    }
    let strict = profile.format == Some(Format::Fincen);
    let refused = |one: char| match one {
        '\n' | '\r' | '\t' => strict || !field.is_prose(),
        _ => one.is_control() || is_hidden(one) || matches!(one, '\u{fffe}' | '\u{ffff}'),
    };
    if let Some((at, one)) = value.char_indices().find(|(_, one)| refused(*one)) {
        let code = u32::from(one);
        let hint = format!(
            "take out the character U+{code:04X} at byte {at}: {}",
            why(one, strict)
        );
        faults.add(&field.path, "character", hint);
    }
    if value.trim() != value {
        faults.add(
            &field.path,
            "spaces",
            "take the spaces at the start and the end away",
        );
    }
}

/// Marks that change what people see and not what is stored: overrides and isolates of the
/// direction of text, and characters of no width (Unicode Technical Report 36, 2.5 and 2.10).
fn is_hidden(one: char) -> bool {
    matches!(one, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn why(one: char, strict: bool) -> &'static str {
    match one {
        '\n' | '\r' | '\t' if strict => {
            "FinCEN takes no line breaks and tabs, not even in a narrative"
        }
        '\n' | '\r' | '\t' => "this is one line",
        _ if is_hidden(one) => "it hides what the text says",
        _ => "it cannot be printed",
    }
}
