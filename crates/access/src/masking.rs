//! What of a value is shown: by role, purpose, field and channel, one table, `masking.toml`. Every
//! place that shows less than a whole value asks it.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

const TABLE: &str = include_str!("masking.toml");
const ANY: &str = "*";
/// The role of a key.
pub const PROGRAM: &str = "program";
/// The role of whoever lacks the scope that the data asks for.
pub const NOBODY: &str = "nobody";
/// The role of a payer, who recognises a payment of their own.
pub const PAYER: &str = "payer";
/// The role of whoever looks by an approved grant.
pub const GRANTED: &str = "granted";
/// What stands in the place of what is not shown.
pub const HIDDEN: &str = "••••";

/// What is shown of a value, from nothing to everything.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = MaskForm)]
pub enum Form {
    /// Nothing.
    None,
    /// A keyed hash: equal values look equal, and no more.
    Hash,
    /// The year of a date.
    Year,
    /// The domain of an address.
    DomainOnly,
    /// The first character.
    Initial,
    /// The first character of an address, and its domain.
    InitialAndDomain,
    /// The last four characters.
    Last4,
    /// Country code, and the last four digits.
    CountryAndLast4,
    /// Issuer identification and last four digits (PCI DSS 4.0.1, 3.4.1).
    BinAndLast4,
    /// Everything.
    Full,
}

/// Where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The copy that lists and searches show without opening anything.
    Stored,
    /// To a program.
    Api,
    /// To a person.
    Console,
    /// Taken out in bulk.
    Export,
    /// Sent to others.
    Webhook,
    /// Written into a log.
    Log,
    /// On a page that whoever holds its link sees.
    Link,
}

/// A row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    roles: Vec<String>,
    purposes: Vec<String>,
    fields: Vec<String>,
    channels: Vec<Channel>,
    r#as: Form,
}

/// What holders of these roles are shown of a field, for a purpose (`*` if none is stated).
pub fn form<'r>(
    roles: impl IntoIterator<Item = &'r str>,
    purpose: &str,
    field: &str,
    channel: Channel,
) -> Form {
    let of_role = |role: &'r str| {
        let row = rows()
            .iter()
            .find(|row| row.fits((role, purpose), (field, channel)));
        row.map_or(Form::None, |row| row.r#as)
    };
    roles.into_iter().map(of_role).max().unwrap_or(Form::None)
}

/// What is shown of a value of a class wherever the record itself is shown.
pub fn stored(class: &str) -> Form {
    form([ANY], ANY, class, Channel::Stored)
}

fn rows() -> &'static [Row] {
    #[derive(Deserialize)]
    struct Table {
        show: Vec<Row>,
    }
    // A test reads the table, so that a program that was built has one.
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        toml::from_str(TABLE).map_or_else(|_| Vec::new(), |table: Table| table.show)
    });
    &ROWS
}

impl Row {
    fn fits(&self, (role, purpose): (&str, &str), (field, channel): (&str, Channel)) -> bool {
        let names =
            |list: &[String], wanted: &str| list.iter().any(|name| name == ANY || name == wanted);
        // `nobody` is nobody's wild card: what is said of it alone holds.
        let is_meant = self.roles.iter().any(|name| name == role)
            || (role != NOBODY && self.roles.iter().any(|name| name == ANY));
        is_meant
            && names(&self.purposes, purpose)
            && names(&self.fields, field)
            && self.channels.contains(&channel)
    }
}

impl Form {
    /// The value as it is shown, from its normal form. Of what is short less is shown: never more
    /// than half. A hash is the business of whoever holds the key; here it is hidden.
    pub fn of(self, value: &str) -> String {
        match self {
            Self::Full => value.to_owned(),
            Self::BinAndLast4 => {
                let bin = if value.len() >= 16 { 8 } else { 6 };
                let bin = value.get(..bin).unwrap_or_default();
                [bin, HIDDEN, last_four(value)].concat()
            }
            Self::CountryAndLast4 => {
                // Country codes have one to three digits; which, the mask need not know.
                let country = if value.starts_with("+86") { 3 } else { 2 };
                let country = value.get(..country).unwrap_or_default();
                [country, HIDDEN, last_four(value)].concat()
            }
            Self::Last4 => [HIDDEN, last_four(value)].concat(),
            Self::Initial => format!("{}{HIDDEN}", first(value)),
            Self::InitialAndDomain => format!("{}{HIDDEN}@{}", first(value), domain(value)),
            Self::DomainOnly => format!("{HIDDEN}@{}", domain(value)),
            Self::Year => format!("{}-{HIDDEN}", value.get(..4).unwrap_or_default()),
            Self::Hash | Self::None => HIDDEN.to_owned(),
        }
    }

    /// Whether the last four characters are shown.
    pub fn shows_last_four(self) -> bool {
        self >= Self::Last4
    }
}

/// The last four characters of at least eight; fewer of less.
pub fn last_four(value: &str) -> &str {
    let shown = (value.len() / 2).min(4);
    value.get(value.len() - shown..).unwrap_or_default()
}

fn first(value: &str) -> String {
    value.chars().take(1).collect()
}

fn domain(value: &str) -> &str {
    value.split_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 10] = [
        "card_number",
        "bank_account",
        "name",
        "phone",
        "email",
        "id_number",
        "address",
        "birth_date",
        "free_form",
        "list_value",
    ];

    #[test]
    fn masks_show_what_their_names_say() {
        for (form, value, shown) in [
            (Form::BinAndLast4, "4012888888881881", "40128888••••1881"),
            (Form::BinAndLast4, "378282246310005", "378282••••0005"),
            (Form::Last4, "GB82WEST12345698765432", "••••5432"),
            (Form::Last4, "6222", "••••22"),
            (Form::Initial, "王小明", "王••••"),
            (Form::CountryAndLast4, "+8613800138000", "+86••••8000"),
            (Form::CountryAndLast4, "+14155550100", "+1••••0100"),
            (
                Form::InitialAndDomain,
                "liu.wei@example.com",
                "l••••@example.com",
            ),
            (Form::DomainOnly, "liu.wei@example.com", "••••@example.com"),
            (Form::Year, "1949-12-31", "1949-••••"),
            (Form::None, "anything", "••••"),
            (Form::Hash, "anything", "••••"),
            (Form::Full, "anything", "anything"),
        ] {
            assert_eq!(form.of(value), shown);
        }
    }

    #[test]
    fn nothing_is_shown_that_no_row_names() {
        assert_eq!(rows().len(), 18);
        for field in FIELDS {
            for channel in [Channel::Webhook, Channel::Log] {
                for role in [PROGRAM, NOBODY, "analyst", "auditor"] {
                    assert_eq!(form([role], "settlement", field, channel), Form::None);
                }
            }
            for channel in [
                Channel::Api,
                Channel::Console,
                Channel::Export,
                Channel::Link,
            ] {
                assert_eq!(form([NOBODY], ANY, field, channel), Form::None, "{field}");
            }
            // No copy that is kept in clear is the value; of a card at most what PCI DSS allows.
            assert!(stored(field) < Form::Full, "{field}");
        }
        // A person sees nothing of the vault but by a grant.
        for field in &FIELDS[..9] {
            assert_eq!(
                form(["analyst"], "settlement", field, Channel::Console),
                Form::None
            );
        }
        let file = |role, purpose| form([role], purpose, "case_file", Channel::Console);
        assert_eq!(file("analyst", "aml_compliance"), Form::Full);
        for (role, purpose) in [
            ("auditor", "aml_compliance"),
            ("analyst", "marketing"),
            ("analyst", ANY),
            (NOBODY, "aml_compliance"),
        ] {
            assert_eq!(file(role, purpose), Form::None, "{role} {purpose}");
        }
        let none: [&str; 0] = [];
        assert_eq!(form(none, ANY, "list_value", Channel::Console), Form::None);
    }

    #[test]
    fn the_first_row_decides_and_of_several_roles_the_one_that_shows_most() {
        let api = |purpose, field| form([PROGRAM], purpose, field, Channel::Api);
        assert_eq!(api("settlement", "card_number"), Form::Full);
        assert_eq!(api("customer_service", "card_number"), Form::Last4);
        assert_eq!(api("customer_service", "name"), Form::Full);
        assert_eq!(api("analytics", "email"), Form::DomainOnly);
        assert_eq!(api("analytics", "card_number"), Form::Hash);
        let granted = form(
            [GRANTED],
            "dispute_handling",
            "card_number",
            Channel::Console,
        );
        assert_eq!(granted, Form::Full);
        let two = form([NOBODY, "analyst"], ANY, "list_value", Channel::Console);
        assert_eq!(two, Form::Full);
    }
}
