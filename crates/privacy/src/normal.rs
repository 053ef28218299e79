//! Normal forms: how a value is written down before it is compared with others.
//!
//! A form never changes: equal values would no longer be found. A better one is a new version,
//! whose indexes are written beside the old ones.

use crate::Error;
use paywarden_domain::{Pan, pan::luhn};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The version of the forms here; part of every index.
pub(crate) const VERSION: u8 = 1;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 * 1024;

/// How values of a class are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normal {
    /// Digits that pass the Luhn check (ISO/IEC 7812-1).
    CardNumber,
    /// Capital letters and digits; one that begins as an IBAN passes its check (ISO 13616).
    Account,
    /// NFKC, lower case, one space between words.
    Name,
    /// E.164: `+` and at most 15 digits; a number of mainland China may lack its `+86`.
    Phone,
    /// NFKC and lower case, one `@`.
    Email,
    /// Capital letters and digits; one of 18 characters that begins with digits passes the check of
    /// resident identity numbers (GB 11643).
    IdNumber,
    /// `YYYY-MM-DD`.
    Date,
    /// As it is.
    Text,
}

impl Normal {
    /// Whether the form says all that the value says: then the form is kept, else the value as it
    /// was written.
    pub(crate) fn is_faithful(self) -> bool {
        matches!(
            self,
            Self::CardNumber | Self::Account | Self::Phone | Self::IdNumber | Self::Date
        )
    }

    /// The normal form of a value; [`Error::ValueRefused`] says what it must be.
    pub(crate) fn of(self, value: &str) -> Result<Zeroizing<String>, Error> {
        if value.is_empty() || value.len() > VALUE_BYTES_MAX {
            return Err(Error::ValueRefused("a value has 1 to 16384 bytes"));
        }
        match self {
            Self::CardNumber => card_number(value),
            Self::Account => account(value),
            Self::Name => Ok(folded(value)),
            Self::Phone => phone(value),
            Self::Email => email(value),
            Self::IdNumber => id_number(value),
            Self::Date => date(value),
            Self::Text => Ok(Zeroizing::new(value.to_owned())),
        }
    }
}

fn card_number(value: &str) -> Result<Zeroizing<String>, Error> {
    let pan = Pan::parse(value);
    let pan = pan.map_err(|_| {
        Error::ValueRefused("a card number has 12 to 19 digits and passes the Luhn check")
    })?;
    Ok(Zeroizing::new(pan.digits().to_owned()))
}

/// NFKC and lower case, one space between words.
fn folded(value: &str) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity(2 * value.len()));
    let mut pending = false;
    for character in value.nfkc().flat_map(char::to_lowercase) {
        match character.is_whitespace() {
            true => pending = !form.is_empty(),
            false => {
                if std::mem::take(&mut pending) {
                    form.push(' ');
                }
                form.push(character);
            }
        }
    }
    form
}

/// Letters and digits as capitals; nothing else but spaces and hyphens may stand between them.
fn compact(value: &str, refusal: &'static str) -> Result<Zeroizing<String>, Error> {
    let mut form = Zeroizing::new(String::with_capacity(value.len()));
    for character in value.chars().filter(|one| !matches!(one, ' ' | '-')) {
        if !character.is_ascii_alphanumeric() {
            return Err(Error::ValueRefused(refusal));
        }
        form.push(character.to_ascii_uppercase());
    }
    Ok(form)
}

fn account(value: &str) -> Result<Zeroizing<String>, Error> {
    const REFUSAL: &str = "a bank account has 4 to 34 letters and digits, an IBAN passes its check";
    let form = compact(value, REFUSAL)?;
    let head = form.as_bytes().get(..4).unwrap_or_default();
    let is_iban = matches!(head, [a, b, c, d] if a.is_ascii_uppercase() && b.is_ascii_uppercase()
        && c.is_ascii_digit() && d.is_ascii_digit());
    let holds = (4..=34).contains(&form.len()) && (!is_iban || iban_holds(&form));
    holds.then_some(form).ok_or(Error::ValueRefused(REFUSAL))
}

/// ISO 7064, MOD 97-10, the first four characters moved to the end.
fn iban_holds(form: &str) -> bool {
    let (head, rest) = form.split_at(4);
    let digits = rest.chars().chain(head.chars());
    let remainder = digits
        .filter_map(|one| one.to_digit(36))
        .fold(0, |sum, digit| {
            let shift = if digit > 9 { 100 } else { 10 };
            (sum * shift + digit) % 97
        });
    remainder == 1
}

fn phone(value: &str) -> Result<Zeroizing<String>, Error> {
    const REFUSAL: &str = "write a phone number as +, country code and number, at most 15 digits";
    let mut form = Zeroizing::new(String::with_capacity(16));
    form.push('+');
    let text = value.trim();
    let (has_plus, rest) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = rest
        .chars()
        .filter(|one| !matches!(one, ' ' | '-' | '.' | '(' | ')'));
    for digit in digits {
        if !digit.is_ascii_digit() || form.len() > 15 {
            return Err(Error::ValueRefused(REFUSAL));
        }
        form.push(digit);
    }
    let is_mainland = !has_plus && form.len() == 12 && form.starts_with("+1");
    if is_mainland {
        form.insert_str(1, "86");
    }
    let holds = (has_plus || is_mainland) && form.len() >= 8 && !form.starts_with("+0");
    holds.then_some(form).ok_or(Error::ValueRefused(REFUSAL))
}

fn email(value: &str) -> Result<Zeroizing<String>, Error> {
    let form = folded(value);
    let holds = form.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && domain.contains('.') && !domain.contains('@') && !form.contains(' ')
    });
    let refusal = Error::ValueRefused("an e-mail address is user@domain");
    (holds && form.len() <= 254).then_some(form).ok_or(refusal)
}

fn id_number(value: &str) -> Result<Zeroizing<String>, Error> {
    const REFUSAL: &str = "an identity number has 4 to 34 letters and digits and passes its check";
    let form = compact(value, REFUSAL)?;
    let is_resident = form.len() == 18 && form.bytes().take(17).all(|byte| byte.is_ascii_digit());
    let holds = (4..=34).contains(&form.len()) && (!is_resident || resident_holds(&form));
    holds.then_some(form).ok_or(Error::ValueRefused(REFUSAL))
}

/// GB 11643-1999, ISO 7064 MOD 11-2: weights are powers of two, the last may be X for ten.
pub(crate) fn resident_holds(form: &str) -> bool {
    let sum = form.chars().enumerate().fold(0, |sum, (place, character)| {
        let digit = character.to_digit(10).unwrap_or(10);
        (sum + digit * (1_u32 << (17 - place))) % 11
    });
    sum == 1
}

fn date(value: &str) -> Result<Zeroizing<String>, Error> {
    let text = value.trim();
    let holds = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    let refusal = Error::ValueRefused("write a date as YYYY-MM-DD");
    holds
        .then(|| Zeroizing::new(text.to_owned()))
        .ok_or(refusal)
}

/// Whether digits would pass for a card number.
pub(crate) fn passes_luhn(digits: &str) -> bool {
    luhn(digits.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(normal: Normal, value: &str) -> Option<String> {
        normal.of(value).ok().map(|form| form.to_string())
    }

    #[test]
    fn values_that_mean_the_same_have_one_form() {
        let same = [
            (
                Normal::CardNumber,
                "4012 8888-8888 1881",
                "4012888888881881",
            ),
            (
                Normal::Account,
                "gb82 west 1234 5698 7654 32",
                "GB82WEST12345698765432",
            ),
            (Normal::Account, "6222-0212", "62220212"),
            (Normal::Name, "  Ｌiu \t Wei ", "liu wei"),
            (Normal::Name, "王 小明", "王 小明"),
            (Normal::Phone, "138 0013 8000", "+8613800138000"),
            (Normal::Phone, "0086-138-0013-8000", "+8613800138000"),
            (Normal::Phone, "+1 (415) 555-0100", "+14155550100"),
            (
                Normal::Email,
                " Liu.Wei@Example.COM ",
                "liu.wei@example.com",
            ),
            (Normal::IdNumber, "11010519491231002x", "11010519491231002X"),
            (Normal::IdNumber, "c01-x00t47", "C01X00T47"),
            (Normal::Date, "1949-12-31", "1949-12-31"),
        ];
        for (normal, value, expected) in same {
            assert_eq!(form(normal, value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn values_that_are_none_are_refused_without_being_repeated() {
        let refused = [
            (Normal::CardNumber, "4012888888881882"),
            (Normal::Account, "GB83WEST12345698765432"),
            (Normal::Account, "622"),
            (Normal::Phone, "5550100"),
            (Normal::Phone, "+12345678901234567"),
            (Normal::Phone, "+8613800138OOO"),
            (Normal::Email, "liu.example.com"),
            (Normal::Email, "a@b@example.com"),
            (Normal::IdNumber, "110105194912310021"),
            (Normal::Date, "1949-02-30"),
            (Normal::Date, "31.12.1949"),
            (Normal::Text, ""),
        ];
        for (normal, value) in refused {
            let refusal = normal.of(value).err().unwrap().to_string();
            assert!(value.is_empty() || !refusal.contains(value), "{refusal}");
        }
        assert!(Normal::Text.of(&"x".repeat(VALUE_BYTES_MAX + 1)).is_err());
    }
}
