//! Masks: what everybody may see who may see the record at all. Computed once, when it is written.

use serde::Deserialize;

/// How values of a class are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// Issuer identification and last four digits (PCI DSS 4.0.1, 3.4.1).
    Card,
    /// The last four characters.
    LastFour,
    /// The first character.
    Initial,
    /// Country code, and the last four digits.
    Phone,
    /// The first character, and the domain.
    Email,
    /// The year.
    Year,
    /// Nothing.
    Hidden,
}

const DOTS: &str = "••••";

impl Mask {
    /// What is shown of a normal form. Of what is short less is shown: never more than half.
    pub(crate) fn of(self, form: &str) -> String {
        match self {
            Self::Card => {
                let bin = if form.len() >= 16 { 8 } else { 6 };
                let bin = form.get(..bin).unwrap_or_default();
                format!("{bin}{DOTS}{}", last_four(form))
            }
            Self::LastFour => format!("{DOTS}{}", last_four(form)),
            Self::Initial => format!("{}{DOTS}", first(form)),
            Self::Phone => {
                // Country codes have one to three digits; which, the mask need not know.
                let country = if form.starts_with("+86") { 3 } else { 2 };
                let country = form.get(..country).unwrap_or_default();
                format!("{country}{DOTS}{}", last_four(form))
            }
            Self::Email => {
                let domain = form.split_once('@').map_or("", |(_, domain)| domain);
                format!("{}{DOTS}@{domain}", first(form))
            }
            Self::Year => format!("{}-{DOTS}", form.get(..4).unwrap_or_default()),
            Self::Hidden => DOTS.to_owned(),
        }
    }

    /// Whether the last four characters are shown.
    #[cfg(test)]
    pub(crate) fn shows_last_four(self) -> bool {
        matches!(self, Self::Card | Self::LastFour | Self::Phone)
    }
}

/// The last four characters of at least eight; fewer of less.
pub(crate) fn last_four(form: &str) -> &str {
    let shown = (form.len() / 2).min(4);
    form.get(form.len() - shown..).unwrap_or_default()
}

fn first(form: &str) -> String {
    form.chars().take(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_what_their_names_say() {
        for (mask, form, shown) in [
            (Mask::Card, "4012888888881881", "40128888••••1881"),
            (Mask::Card, "378282246310005", "378282••••0005"),
            (Mask::LastFour, "GB82WEST12345698765432", "••••5432"),
            (Mask::LastFour, "6222", "••••22"),
            (Mask::Initial, "王小明", "王••••"),
            (Mask::Phone, "+8613800138000", "+86••••8000"),
            (Mask::Phone, "+14155550100", "+1••••0100"),
            (Mask::Email, "liu.wei@example.com", "l••••@example.com"),
            (Mask::Year, "1949-12-31", "1949-••••"),
            (Mask::Hidden, "anything", "••••"),
        ] {
            assert_eq!(mask.of(form), shown);
        }
    }
}
