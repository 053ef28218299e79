//! Some payments, column by column: fields, windows, attributes.

use crate::backtest::tally::Subject;
use paywarden_domain::event::Attributes;
use paywarden_features::{Value, WindowSpec};
use paywarden_rules::{Field, FieldValue, RuleSet, Slots, Type};
use std::{collections::HashMap, mem::size_of, sync::Arc};

/// Payments of one block.
pub(super) const BLOCK_PAYMENTS: usize = 512;

/// Up to 512 payments, as one version of the rules saw them.
#[derive(Clone)]
pub(super) struct Block {
    version: Box<str>,
    windows: Arc<[WindowSpec]>,
    fields: Vec<Column>,
    values: Vec<(Unit, Column)>,
    attributes: Vec<Option<Box<Attributes>>>,
    texts: Texts,
    subjects: Vec<(u64, Subject)>,
}

/// One slot of all payments; without room while it is missing in each.
#[derive(Clone, Default)]
struct Column {
    numbers: Vec<i64>,
    present: [u64; BLOCK_PAYMENTS / 64],
}

/// What the numbers of a window are.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    Money,
    Duration,
}

/// Each text once. While the block is filled they are found by their content.
#[derive(Clone, Default)]
struct Texts {
    all: Vec<Arc<str>>,
    places: HashMap<Arc<str>, i64>,
    bytes: usize,
}

impl Block {
    pub(super) fn new(rules: &RuleSet) -> Self {
        Self {
            version: rules.version().into(),
            windows: rules.windows().into(),
            fields: vec![Column::default(); Field::COUNT],
            values: vec![(Unit::Count, Column::default()); rules.windows().len()],
            attributes: Vec::new(),
            texts: Texts::default(),
            subjects: Vec::new(),
        }
    }

    /// Whether it holds payments as these rules see them.
    pub(super) fn is_of(&self, rules: &RuleSet) -> bool {
        *self.version == *rules.version() && self.windows.len() == rules.windows().len()
    }

    /// How many payments it holds.
    pub(super) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Adds a payment; there is room for it.
    pub(super) fn push(&mut self, slots: &Slots<'_>, event_no: u64, subject: Subject) {
        let row = self.len();
        for (field, column) in Field::ALL.iter().zip(&mut self.fields) {
            let number = match slots.get(*field) {
                FieldValue::Missing => continue,
                FieldValue::Int(number)
                | FieldValue::Money(number)
                | FieldValue::Duration(number)
                | FieldValue::Timestamp(number) => number,
                FieldValue::Double(number) => number.to_bits().cast_signed(),
                FieldValue::Bool(flag) => i64::from(flag),
                FieldValue::Text(text) => self.texts.place(text),
            };
            column.set(row, number);
        }
        for (value, (unit, column)) in slots.windows.iter().zip(&mut self.values) {
            let number = match *value {
                Value::Missing => continue,
                Value::Count(number) => (Unit::Count, number),
                Value::Money(number) => (Unit::Money, number),
                Value::Duration(number) => (Unit::Duration, number),
            };
            *unit = number.0;
            column.set(row, number.1);
        }
        let attributes = slots.attributes.filter(|attributes| !attributes.is_empty());
        self.attributes.push(attributes.cloned().map(Box::new));
        self.subjects.push((event_no, subject));
    }

    /// The block without what only filling needs.
    pub(super) fn sealed(mut self) -> Self {
        self.texts.places = HashMap::new();
        self.fields.iter_mut().for_each(Column::shrink);
        self.values
            .iter_mut()
            .for_each(|(_, column)| column.shrink());
        self
    }

    /// The payments, oldest first.
    pub(super) fn subjects(&self) -> &[(u64, Subject)] {
        &self.subjects
    }

    /// The numbers of their events.
    pub(super) fn event_nos(&self) -> impl Iterator<Item = u64> {
        self.subjects.iter().map(|(event_no, _)| *event_no)
    }

    /// Whether the number lies between the lowest and the highest here.
    pub(super) fn may_hold(&self, event_no: u64) -> bool {
        let lowest = self.event_nos().min();
        let highest = self.event_nos().max();
        lowest.is_some_and(|lowest| lowest <= event_no)
            && highest.is_some_and(|highest| event_no <= highest)
    }

    /// When the latest of the payments happened, in microseconds since 1970.
    pub(super) fn newest(&self) -> Option<i64> {
        let times = self.subjects.iter().map(|(_, s)| s.occurred_at.micros());
        times.max()
    }

    /// Where a window is kept that the rules of the block read for all events for which it is
    /// wanted.
    pub(super) fn window(&self, wanted: &WindowSpec) -> Option<usize> {
        self.windows.iter().position(|kept| {
            let same = WindowSpec {
                readers: wanted.readers,
                ..*kept
            };
            same == *wanted && kept.readers.includes(wanted.readers)
        })
    }

    /// The value of a window for a payment.
    pub(super) fn value(&self, window: usize, row: usize) -> Value {
        let Some((unit, column)) = self.values.get(window) else {
            return Value::Missing;
        };
        match (column.get(row), unit) {
            (None, _) => Value::Missing,
            (Some(number), Unit::Count) => Value::Count(number),
            (Some(number), Unit::Money) => Value::Money(number),
            (Some(number), Unit::Duration) => Value::Duration(number),
        }
    }

    /// The value of a field of a payment.
    pub(super) fn field(&self, field: Field, row: usize) -> FieldValue<'_> {
        let column = self.fields.get(field as usize);
        let Some(number) = column.and_then(|column| column.get(row)) else {
            return FieldValue::Missing;
        };
        match field.kind() {
            Type::Int => FieldValue::Int(number),
            Type::Double => FieldValue::Double(f64::from_bits(number.cast_unsigned())),
            Type::Money | Type::PaymentMoney => FieldValue::Money(number),
            Type::Text => self
                .texts
                .get(number)
                .map(FieldValue::Text)
                .unwrap_or_default(),
            Type::Bool => FieldValue::Bool(number != 0),
            Type::Duration => FieldValue::Duration(number),
            Type::Timestamp => FieldValue::Timestamp(number),
            Type::List | Type::Map => FieldValue::Missing,
        }
    }

    /// The attributes of a payment.
    pub(super) fn attributes(&self, row: usize) -> Option<&Attributes> {
        self.attributes.get(row)?.as_deref()
    }

    /// Bytes that it takes, attributes not counted.
    pub(super) fn bytes(&self) -> usize {
        let columns = self.fields.iter().chain(self.values.iter().map(|(_, c)| c));
        let columns: usize = columns.map(Column::bytes).sum();
        columns + self.texts.bytes + self.subjects.capacity() * size_of::<(u64, Subject)>()
    }
}

impl Column {
    fn set(&mut self, row: usize, number: i64) {
        self.numbers.resize(row, 0);
        self.numbers.push(number);
        if let Some(word) = self.present.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    fn get(&self, row: usize) -> Option<i64> {
        let present = self.present.get(row / 64)? >> (row % 64) & 1 == 1;
        present.then(|| self.numbers.get(row).copied())?
    }

    fn shrink(&mut self) {
        self.numbers.shrink_to_fit();
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.numbers.capacity() * size_of::<i64>()
    }
}

impl Texts {
    fn place(&mut self, text: &str) -> i64 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.all.len() as i64;
        let kept: Arc<str> = text.into();
        self.bytes += text.len() + 3 * size_of::<Arc<str>>() + 2 * size_of::<usize>();
        self.all.push(Arc::clone(&kept));
        self.places.insert(kept, place);
        place
    }

    fn get(&self, place: i64) -> Option<&str> {
        self.all
            .get(usize::try_from(place).ok()?)
            .map(AsRef::as_ref)
    }
}
