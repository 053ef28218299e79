//! The classes of data that the vault keeps: one table, `catalogue.toml`.

use crate::{Error, normal::Normal};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

const TABLE: &str = include_str!("catalogue.toml");

/// One class of data, with its labels.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its name, `snake_case`.
    pub name: String,
    /// Its name in tokens.
    pub short: String,
    /// Its class by JR/T 0171-2020.
    pub jrt_0171: Jrt0171,
    /// Its level by JR/T 0197-2020, 1 to 5.
    pub jrt_0197: u8,
    /// Whether PCI DSS is about it.
    pub pci: Pci,
    /// How personal it is.
    pub sensitivity: Sensitivity,
    /// How values are compared.
    pub normal: Normal,
    /// Bits of the keyed index; 0 for none.
    pub index_bits: u8,
    /// Whether the last four characters can be looked for.
    pub tail: bool,
}

/// Class of personal financial information (JR/T 0171-2020, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Jrt0171 {
    /// Known inside an institution.
    C1,
    /// Tells who somebody is, or about their money.
    C2,
    /// Authenticates somebody.
    C3,
}

/// What PCI DSS calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pci {
    /// Cardholder data.
    CardholderData,
    /// Nothing.
    None,
}

/// How personal it is (PIPL, article 28; GB/T 35273-2020, annex B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Personal.
    Personal,
    /// Sensitive personal.
    Sensitive,
}

/// Every class, in the order of the table.
pub fn classes() -> &'static [Class] {
    #[derive(Deserialize)]
    struct Table {
        class: Vec<Class>,
    }
    // A test reads the table, so that a program that was built has one.
    static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
        toml::from_str(TABLE).map_or_else(|_| Vec::new(), |table: Table| table.class)
    });
    &CLASSES
}

/// The class with this name.
pub fn class(name: &str) -> Result<&'static Class, Error> {
    let found = classes().iter().find(|class| class.name == name);
    found.ok_or(Error::ClassUnknown)
}

/// The class that tokens call so.
pub(crate) fn class_of_short(short: &str) -> Option<&'static Class> {
    classes().iter().find(|class| class.short == short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_access::masking;
    use std::collections::HashSet;

    #[test]
    fn the_table_reads_and_keeps_its_own_rules() {
        assert_eq!(classes().len(), 10);
        let names: HashSet<_> = classes().iter().map(|class| &class.name).collect();
        let shorts: HashSet<_> = classes().iter().map(|class| &class.short).collect();
        assert_eq!((names.len(), shorts.len()), (10, 10));
        for class in classes() {
            assert!((1..=5).contains(&class.jrt_0197), "{}", class.name);
            assert_ne!(class.jrt_0171, Jrt0171::C3, "never kept");
            assert!(class.index_bits <= 128 && class.index_bits.is_multiple_of(8));
            // What can be looked for is what the mask shows.
            assert!(
                !class.tail || masking::stored(&class.name).shows_last_four(),
                "{}",
                class.name
            );
        }
        assert_eq!(class("card_number").unwrap().pci, Pci::CardholderData);
        assert!(class("cvv").is_err());
    }
}
