//! A small made-up file of labelled payments.

use std::{fmt::Write, fs, path::Path};

/// Days from 1 April 2018 on.
pub const DAYS: u64 = 70;
/// Payments of a day.
pub const PER_DAY: u64 = 120;

/// The columns of the Handbook. From day 25 on every tenth terminal is compromised for a week in
/// turn: all its payments are fraud; large amounts are, too.
pub fn file(path: &Path) {
    let mut state = 7u64;
    let mut below = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut text =
        String::from("tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n");
    for number in 0..DAYS * PER_DAY {
        let (day, of_day) = (number / PER_DAY, number % PER_DAY);
        let (month, date) = [(4, 30), (5, 31), (6, 30)]
            .into_iter()
            .scan(day, |left, (month, days)| {
                let here = *left;
                *left = left.saturating_sub(days);
                Some((month, here, days))
            })
            .find(|(_, here, days)| here < days)
            .map_or((6, 1), |(month, here, _)| (month, here + 1));
        let minute = of_day * 12;
        let terminal = below(30);
        let compromised = day >= 25 && terminal % 10 == day / 7 % 10;
        let large = below(100) == 0;
        let amount = if large { 250 } else { 5 + below(90) };
        let scenario = if large { 1 } else { 2 * u64::from(compromised) };
        let _ = writeln!(
            text,
            "{number},2018-{month:02}-{date:02}T{:02}:{:02}:00Z,{},{terminal},{amount}.00,{},{scenario}",
            minute / 60,
            minute % 60,
            below(40),
            u8::from(scenario > 0),
        );
    }
    fs::write(path, text).unwrap();
}
