//! The latest payments, row by row: keeping one is a single append.

use super::block::{BLOCK_PAYMENTS, Block, Shape, Texts, Unit};
use crate::backtest::tally::Subject;
use paywarden_domain::event::Attributes;
use paywarden_features::Value;
use paywarden_rules::{Field, FieldValue, RuleSet, Schema, Slots};
use std::{collections::HashMap, mem::size_of, sync::Arc};

/// A block that is being filled.
#[derive(Clone)]
pub(super) struct Filling {
    shape: Arc<Shape>,
    units: Vec<Unit>,
    /// What is present of each payment, payment after payment: first fields, then windows.
    numbers: Vec<i64>,
    /// Which slots those are, a bit each, so many words for every payment.
    present: Vec<u64>,
    attributes: Vec<Option<Box<Attributes>>>,
    texts: Texts,
    /// Where a text is kept.
    places: HashMap<Arc<str>, i64>,
    subjects: Vec<(u64, Subject)>,
}

impl Filling {
    pub(super) fn new(shape: Arc<Shape>) -> Self {
        Self {
            units: vec![Unit::Count; shape.windows.len()],
            shape,
            numbers: Vec::new(),
            present: Vec::new(),
            attributes: Vec::new(),
            texts: Texts::default(),
            places: HashMap::new(),
            subjects: Vec::new(),
        }
    }

    /// What its payments have in common.
    pub(super) fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Whether it takes one more payment of these rules.
    pub(super) fn fits(&self, rules: &RuleSet) -> bool {
        self.subjects.len() < BLOCK_PAYMENTS && self.shape.is_of(rules)
    }

    /// Adds a payment.
    pub(super) fn push(&mut self, slots: &Slots<'_>, event_no: u64, subject: Subject) {
        let row = self.present.len();
        self.present.resize(row + self.shape.words(), 0);
        for field in Schema::PAYMENTS.fields().iter().copied() {
            let number = match slots.get(field) {
                FieldValue::Missing => continue,
                FieldValue::Int(number)
                | FieldValue::Money(number)
                | FieldValue::Duration(number)
                | FieldValue::Timestamp(number) => number,
                FieldValue::Double(number) => number.to_bits().cast_signed(),
                FieldValue::Bool(flag) => i64::from(flag),
                FieldValue::Text(text) => self.text(text),
            };
            self.set(row, field.slot(), number);
        }
        for (place, value) in slots.windows.iter().enumerate().take(self.units.len()) {
            let (unit, number) = match *value {
                Value::Missing => continue,
                Value::Count(number) => (Unit::Count, number),
                Value::Money(number) => (Unit::Money, number),
                Value::Duration(number) => (Unit::Duration, number),
            };
            self.units[place] = unit;
            self.set(row, Field::COUNT + place, number);
        }
        let attributes = slots.attributes.filter(|attributes| !attributes.is_empty());
        self.attributes.push(attributes.cloned().map(Box::new));
        self.subjects.push((event_no, subject));
    }

    /// The payments column by column.
    pub(super) fn sealed(self) -> Block {
        let rows = self.present.chunks(self.shape.words());
        let columns = super::block::columns(rows, &self.numbers, self.shape.slots());
        Block {
            shape: self.shape,
            units: self.units,
            columns,
            attributes: self.attributes,
            texts: self.texts,
            subjects: self.subjects,
        }
    }

    /// The numbers of the events.
    pub(super) fn event_nos(&self) -> impl Iterator<Item = u64> {
        self.subjects.iter().map(|(event_no, _)| *event_no)
    }

    /// Bytes that it takes, attributes not counted.
    pub(super) fn bytes(&self) -> usize {
        size_of::<i64>() * (self.numbers.capacity() + self.present.capacity())
            + self.texts.bytes()
            + self.subjects.capacity() * size_of::<(u64, Subject)>()
    }

    fn set(&mut self, row: usize, slot: usize, number: i64) {
        if let Some(word) = self.present.get_mut(row + slot / 64) {
            *word |= 1 << (slot % 64);
            self.numbers.push(number);
        }
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let kept: Arc<str> = text.into();
        let place = self.texts.push(Arc::clone(&kept));
        self.places.insert(kept, place);
        place
    }
}
