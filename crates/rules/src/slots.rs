//! Slots: everything one evaluation reads, filled by the caller.

use crate::schema::Field;
use paywarden_domain::event::Attributes;
use paywarden_features::Value;

/// The value of one field for one event.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum FieldValue<'a> {
    /// The event does not carry it. Never the same as zero, empty or false.
    #[default]
    Missing,
    /// A whole number.
    Int(i64),
    /// A number; never NaN.
    Double(f64),
    /// Minor units; of the base currency or of the payment's, as the field says.
    Money(i64),
    /// A text.
    Text(&'a str),
    /// True or false.
    Bool(bool),
    /// Microseconds; may be negative.
    Duration(i64),
    /// Microseconds since the start of 1970, UTC.
    Timestamp(i64),
}

/// Everything one evaluation reads. It lives on the stack and borrows from the event.
#[derive(Debug, Clone)]
pub struct Slots<'a> {
    fields: [FieldValue<'a>; Field::COUNT],
    /// The value of window `i` of the rule set. Windows beyond the end are missing.
    pub windows: &'a [Value],
    /// Whether the field of list probe `i` is on its list; `None` if the field is missing.
    pub lists: &'a [Option<bool>],
    /// The caller's own attributes.
    pub attributes: Option<&'a Attributes>,
}

impl Default for Slots<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Slots<'a> {
    /// Slots in which everything is missing.
    pub const fn new() -> Self {
        let fields = [FieldValue::Missing; Field::COUNT];
        Self {
            fields,
            windows: &[],
            lists: &[],
            attributes: None,
        }
    }

    /// Fills a field. A value of another type than the field's is a fault in every rule that
    /// reads it.
    pub fn set(&mut self, field: Field, value: FieldValue<'a>) {
        self.fields[field.slot()] = value;
    }

    /// The value of a field.
    pub fn get(&self, field: Field) -> FieldValue<'a> {
        self.fields[field.slot()]
    }
}
