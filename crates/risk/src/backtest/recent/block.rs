//! Some payments, column by column: fields, windows, attributes. Numbers of one column lie close
//! together, so each takes as few bytes as the largest distance from the smallest asks for.

use crate::backtest::tally::Subject;
use paywarden_domain::event::Attributes;
use paywarden_features::{Value, WindowSpec};
use paywarden_rules::{Field, FieldValue, RuleSet, Type};
use std::{mem::size_of, sync::Arc};

/// Payments of one block.
pub(super) const BLOCK_PAYMENTS: usize = 256;

/// Up to 256 payments, as one version of the rules saw them.
pub(super) struct Block {
    pub(super) shape: Arc<Shape>,
    pub(super) units: Vec<Unit>,
    pub(super) columns: Columns,
    pub(super) attributes: Vec<Option<Box<Attributes>>>,
    pub(super) texts: Texts,
    pub(super) subjects: Vec<(u64, Subject)>,
}

/// What the payments of one version of the rules have in common.
pub(super) struct Shape {
    version: Box<str>,
    pub(super) windows: Box<[WindowSpec]>,
}

/// What the numbers of a window are.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Count,
    Money,
    Duration,
}

/// Each text once.
#[derive(Clone, Default)]
pub(super) struct Texts {
    all: Vec<Arc<str>>,
    bytes: usize,
}

/// All slots of all payments.
#[derive(Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// The numbers of all columns, less their bases.
    numbers: Vec<u8>,
    /// A bit for each payment of a column that has the slot.
    present: Vec<[u64; BLOCK_PAYMENTS / 64]>,
}

/// One slot of all payments.
#[derive(Clone, Copy)]
struct Column {
    base: i64,
    /// Where its numbers begin.
    start: u32,
    /// Which bits say where it is present; `NOWHERE` if it is missing in all payments.
    present: u16,
    /// Bytes of a number.
    width: u8,
}

const NOWHERE: u16 = u16::MAX;

/// Turns rows into columns. A row is the bits of its slots; the numbers of all rows follow each
/// other in the order of those bits.
pub(super) fn columns<'a>(
    rows: impl Iterator<Item = &'a [u64]> + Clone,
    numbers: &[i64],
    slots: usize,
) -> Columns {
    let mut ranges = vec![(i64::MAX, i64::MIN); slots];
    for ((_, slot), number) in cells(rows.clone()).zip(numbers) {
        let (lowest, highest) = &mut ranges[slot];
        (*lowest, *highest) = (*number.min(lowest), *number.max(highest));
    }
    let payments = rows.clone().count();
    let (mut end, mut kept) = (0, 0);
    let columns: Vec<Column> = ranges
        .into_iter()
        .map(|(lowest, highest)| {
            if lowest > highest {
                return Column {
                    base: 0,
                    start: 0,
                    present: NOWHERE,
                    width: 0,
                };
            }
            let bits = u64::BITS - lowest.abs_diff(highest).leading_zeros();
            let column = Column {
                base: lowest,
                start: end,
                present: kept,
                width: bits.div_ceil(8) as u8,
            };
            kept += 1;
            end += u32::from(column.width) * payments as u32;
            column
        })
        .collect();
    let mut bytes = vec![0; end as usize];
    let mut present = vec![[0; BLOCK_PAYMENTS / 64]; usize::from(kept)];
    for ((row, slot), number) in cells(rows).zip(numbers) {
        let column = columns[slot];
        present[usize::from(column.present)][row / 64] |= 1 << (row % 64);
        let (start, width) = column.place(row);
        let distance = number.abs_diff(column.base).to_le_bytes();
        bytes[start..start + width].copy_from_slice(&distance[..width]);
    }
    Columns {
        columns,
        numbers: bytes,
        present,
    }
}

/// The row and slot of every number, in the order of the numbers.
fn cells<'a>(rows: impl Iterator<Item = &'a [u64]>) -> impl Iterator<Item = (usize, usize)> {
    rows.enumerate().flat_map(|(row, words)| {
        words.iter().enumerate().flat_map(move |(place, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some((row, place * 64 + bit))
            })
        })
    })
}

impl Columns {
    fn get(&self, slot: usize, row: usize) -> Option<i64> {
        let column = self.columns.get(slot)?;
        let present = self.present.get(usize::from(column.present))?;
        if present.get(row / 64)? >> (row % 64) & 1 == 0 {
            return None;
        }
        let (start, width) = column.place(row);
        let mut distance = [0; size_of::<u64>()];
        distance[..width].copy_from_slice(self.numbers.get(start..start + width)?);
        Some(
            column
                .base
                .wrapping_add_unsigned(u64::from_le_bytes(distance)),
        )
    }

    fn bytes(&self) -> usize {
        self.columns.len() * size_of::<Column>()
            + self.numbers.len()
            + self.present.len() * (BLOCK_PAYMENTS / 8)
    }
}

impl Column {
    /// Where the number of a payment begins, and how many bytes it has.
    fn place(&self, row: usize) -> (usize, usize) {
        let width = usize::from(self.width);
        (self.start as usize + row * width, width)
    }
}

impl Shape {
    pub(super) fn new(rules: &RuleSet) -> Self {
        Self {
            version: rules.version().into(),
            windows: rules.windows().into(),
        }
    }

    /// Whether these rules see payments so.
    pub(super) fn is_of(&self, rules: &RuleSet) -> bool {
        *self.version == *rules.version() && self.windows.len() == rules.windows().len()
    }

    /// Fields and windows.
    pub(super) fn slots(&self) -> usize {
        Field::COUNT + self.windows.len()
    }

    /// Words with a bit for each slot.
    pub(super) fn words(&self) -> usize {
        self.slots().div_ceil(64)
    }
}

impl Block {
    /// How many payments it holds.
    pub(super) fn len(&self) -> usize {
        self.subjects.len()
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
        self.shape.windows.iter().position(|kept| {
            let same = WindowSpec {
                readers: wanted.readers,
                ..*kept
            };
            same == *wanted && kept.readers.includes(wanted.readers)
        })
    }

    /// The value of a window for a payment.
    pub(super) fn value(&self, window: usize, row: usize) -> Value {
        let number = self.columns.get(Field::COUNT + window, row);
        match number.zip(self.units.get(window)) {
            None => Value::Missing,
            Some((number, Unit::Count)) => Value::Count(number),
            Some((number, Unit::Money)) => Value::Money(number),
            Some((number, Unit::Duration)) => Value::Duration(number),
        }
    }

    /// The value of a field of a payment.
    pub(super) fn field(&self, field: Field, row: usize) -> FieldValue<'_> {
        let Some(number) = self.columns.get(field.slot(), row) else {
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
        self.columns.bytes()
            + self.texts.bytes()
            + self.subjects.capacity() * size_of::<(u64, Subject)>()
    }
}

impl Texts {
    /// Adds a text; returns its place.
    pub(super) fn push(&mut self, text: Arc<str>) -> i64 {
        self.bytes += text.len() + 3 * size_of::<Arc<str>>() + 2 * size_of::<usize>();
        self.all.push(text);
        self.all.len() as i64 - 1
    }

    fn get(&self, place: i64) -> Option<&str> {
        self.all
            .get(usize::try_from(place).ok()?)
            .map(AsRef::as_ref)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
