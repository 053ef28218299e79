//! What values of certain fields look like.

use crate::profile::Form;

/// What is wrong with a value; none if nothing is.
pub(super) fn fault(form: Form, value: &str) -> Option<&'static str> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let (holds, hint) = match form {
        Form::Digits => (digits, "write digits alone"),
        Form::UsTaxNumber => (
            digits && value.len() == 9 && value.bytes().any(|byte| byte != value.as_bytes()[0]),
            "write nine digits without hyphens that are not all the same",
        ),
        Form::UsPostcode => (
            digits && matches!(value.len(), 5 | 9),
            "write five or nine digits without a hyphen",
        ),
        Form::BsaIdentifier => (
            digits && value.len() == 14,
            "write the 14 digits of the BSA identifier, 14 zeros if it is not known",
        ),
        Form::Positive => (
            value.parse::<i32>().is_ok_and(|number| number > 0),
            "write a whole number above zero",
        ),
        Form::Email => (
            is_email(value),
            "write a mail address like name@example.com",
        ),
        Form::Iban => (is_iban(value), "the check digits of the IBAN are wrong"),
    };
    (!holds).then_some(hint)
}

fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else {
        return false;
    };
    let plain = !value.chars().any(char::is_whitespace) && !local.contains('@');
    plain
        && !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

/// ISO 13616: the digits, letters as 10 to 35, with the first four characters at the end, are 1
/// modulo 97 (ISO 7064).
fn is_iban(value: &str) -> bool {
    let plain = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if !plain || !(15..=34).contains(&value.len()) {
        return false;
    }
    let (start, rest) = value.split_at(4);
    let rest = rest.chars().chain(start.chars());
    let remainder = rest
        .filter_map(|one| one.to_digit(36))
        .fold(0, |sum: u32, digit| {
            let shifted = if digit > 9 { sum * 100 } else { sum * 10 };
            (shifted + digit) % 97
        });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_take_what_is_right_and_nothing_else() {
        let rows: [(Form, &[&str], &[&str]); 6] = [
            (
                Form::UsTaxNumber,
                &["458985215"],
                &["11111111", "111111111", "12-345678", "45898521x", ""],
            ),
            (
                Form::UsPostcode,
                &["22113", "221130001"],
                &["2211", "22113-0001"],
            ),
            (
                Form::BsaIdentifier,
                &["31000055053784", "00000000000000"],
                &["1", "3100005505378x"],
            ),
            (
                Form::Positive,
                &["1", "2147483647"],
                &["0", "-1", "2147483648", "1.0"],
            ),
            (
                Form::Email,
                &["a@b.c", "o'hara+x@example.co.uk"],
                &["a", "@b.c", "a@b", "a b@c.d", "a@b@c.d", "a@.c"],
            ),
            // The example of the registry of ISO 13616.
            (
                Form::Iban,
                &["GB82WEST12345698765432"],
                &[
                    "GB83WEST12345698765432",
                    "GB82 WEST 1234",
                    "gb82west12345698765432",
                ],
            ),
        ];
        for (form, right, wrong) in rows {
            assert!(
                right.iter().all(|value| fault(form, value).is_none()),
                "{form:?}"
            );
            assert!(
                wrong.iter().all(|value| fault(form, value).is_some()),
                "{form:?}"
            );
        }
    }
}
