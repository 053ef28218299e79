//! Ladders against the checks that they stand for: bounds at the ends of the range, sets beyond
//! what becomes rungs, more bounds than any search of fixed steps takes.

use super::*;
use crate::{literal::Check, schema::Field, slots::FieldValue, symbols::Symbols};
use proptest::{collection::vec, prelude::*, sample::select};

const SLOTS: [Field; 2] = [Field::EventHour, Field::EventWeekday];

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -40..40_i64,
        1 => select(vec![i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX]),
        1 => any::<i64>(),
    ]
}

fn check(sets: u32) -> impl Strategy<Value = Check> {
    prop_oneof![
        number().prop_map(Check::AtLeast),
        number().prop_map(Check::AtMost),
        number().prop_map(Check::Is),
        number().prop_map(Check::IsNot),
        (0..sets).prop_map(Check::Among),
        (0..sets).prop_map(Check::NotAmong),
    ]
}

fn literals() -> impl Strategy<Value = Vec<Literal>> {
    let one = (0..SLOTS.len() as u32, check(3));
    vec(
        one.prop_map(|(slot, check)| Literal { slot, check }),
        1..900,
    )
}

fn sets() -> impl Strategy<Value = [Vec<i64>; 3]> {
    [
        vec(number(), 0..4),
        vec(number(), 0..40),
        vec(number(), 70..120),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_literal_is_true_of_the_payments_that_pass_its_check(
        literals in literals(),
        sets in sets(),
        payments in vec([proptest::option::of(number()), proptest::option::of(number())], 0..200),
    ) {
        let sorted = sets.map(|mut set| {
            set.sort_unstable();
            set.dedup();
            set.into_boxed_slice()
        });
        let normal = Arc::new(Normal {
            slots: SLOTS.map(|field| Slot::Whole(Whole::Int(field))).to_vec(),
            literals: literals.clone(),
            symbols: vec![Symbols::default(); SLOTS.len()],
            sets: sorted.to_vec(),
            ..Normal::default()
        });
        let mut columns = Columns::new(Arc::clone(&normal), payments.len());
        for payment in &payments {
            let mut slots = Slots::new();
            for (field, value) in SLOTS.into_iter().zip(payment) {
                slots.set(field, value.map(FieldValue::Int).unwrap_or_default());
            }
            prop_assert!(columns.push(&slots));
        }
        columns.settle();
        let mut bitmaps = Bitmaps::default();
        bitmaps.begin(&normal);
        for (number, literal) in literals.iter().enumerate() {
            let (_, mut asked) = bitmaps.ask(&columns);
            let mut found = columns.all();
            asked.narrow_by(asked.ladders.question(number as u32), &mut found);
            for (row, payment) in payments.iter().enumerate() {
                let value = payment[literal.slot as usize];
                let passes = value.is_some_and(|value| literal.check.holds(value, &normal.sets));
                prop_assert_eq!(found[row / 64] >> (row % 64) & 1 == 1, passes, "{:?}", literal);
            }
        }
    }
}
