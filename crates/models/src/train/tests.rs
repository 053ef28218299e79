//! The trainer learns what there is to learn, keeps directions, and repeats itself bit for bit.

use super::*;
use crate::import::native;

/// Made-up payments: fraud is likelier for large amounts at night and where the age is missing.
fn data(rows: usize, seed: u64) -> (Table, Vec<bool>) {
    let names = ["amount", "hour", "age", "noise"]
        .map(str::to_owned)
        .to_vec();
    let mut table = Table::new(names).unwrap();
    let mut random = Random::new(seed);
    let mut labels = Vec::with_capacity(rows);
    for _ in 0..rows {
        let amount = random.below(1_000) as f64 / 10.0;
        let hour = random.below(24) as f64;
        let missing = random.below(10) == 0;
        let age = if missing {
            f64::NAN
        } else {
            random.below(400) as f64
        };
        let chance = 2.0
            + 40.0 * f64::from(u8::from(amount > 80.0 && hour < 6.0))
            + 15.0 * f64::from(u8::from(missing));
        table
            .push(&[amount, hour, age, random.below(1_000) as f64])
            .unwrap();
        labels.push((random.below(100) as f64) < chance);
    }
    (table, labels)
}

fn all(table: &Table) -> Vec<u32> {
    (0..table.len() as u32).collect()
}

fn settings() -> Settings {
    Settings {
        trees_max: 60,
        leaves_max: 8,
        learning_rate: 0.1,
        ..Settings::default()
    }
}

fn trained(table: &Table, labels: &[bool], settings: &Settings) -> Ensemble {
    train(table, labels, (&all(table), &[]), settings, |_| {}).unwrap()
}

#[test]
fn chances_come_out_as_they_were_put_in() {
    let (table, labels) = data(60_000, 1);
    let model = trained(&table, &labels, &settings());
    let chance = |row: [f64; 4]| model.probability(&row).unwrap();
    for (row, expected) in [
        ([90.0, 3.0, 100.0, 500.0], 0.42),
        ([90.0, 12.0, 100.0, 500.0], 0.02),
        ([50.0, 3.0, f64::NAN, 500.0], 0.17),
        ([95.0, 2.0, f64::NAN, 500.0], 0.57),
    ] {
        let found = chance(row);
        assert!(
            (found - expected).abs() < 0.05 + 0.1 * expected,
            "{row:?} {found} {expected}"
        );
    }
    let mean = table
        .rows()
        .map(|row| model.probability(row).unwrap())
        .sum::<f64>();
    let frauds = labels.iter().filter(|label| **label).count() as f64;
    assert!((mean / frauds - 1.0).abs() < 0.01, "{mean} {frauds}");
}

#[test]
fn threads_change_no_bit_and_seeds_do() {
    let (table, labels) = data(70_000, 2);
    let with = |threads, seed| {
        let settings = Settings {
            threads,
            seed,
            trees_max: 8,
            feature_share: 0.8,
            row_share: 0.7,
            ..settings()
        };
        native::write(&trained(&table, &labels, &settings)).unwrap()
    };
    assert_eq!(with(1, 1), with(3, 1));
    assert_eq!(with(1, 1), with(7, 1), "more threads than features");
    assert_ne!(with(1, 1), with(1, 2));
}

#[test]
fn a_feature_held_to_a_direction_never_turns_round() {
    let (table, labels) = data(20_000, 3);
    let held = Settings {
        rising: vec!["amount".into(), "noise".into()],
        falling: vec!["hour".into()],
        leaves_max: 31,
        ..settings()
    };
    let model = trained(&table, &labels, &held);
    let free = trained(
        &table,
        &labels,
        &Settings {
            rising: vec![],
            falling: vec![],
            ..held
        },
    );
    let turns = |model: &Ensemble, place: usize, up: bool, top: u32| {
        let mut turns = 0;
        for row in table.rows().take(200) {
            let mut row = row.to_vec();
            let mut last = if up { f64::NEG_INFINITY } else { f64::INFINITY };
            for step in 0..=top {
                row[place] = f64::from(step);
                let raw = model.raw(&row).unwrap();
                turns += u32::from(if up { raw < last } else { raw > last });
                last = raw;
            }
        }
        turns
    };
    assert_eq!(turns(&model, 0, true, 100), 0);
    assert_eq!(turns(&model, 3, true, 1_000), 0);
    assert_eq!(turns(&model, 1, false, 24), 0);
    assert!(turns(&free, 3, true, 1_000) > 0 && turns(&free, 1, false, 24) > 0);
}

#[test]
fn training_ends_when_later_rows_gain_no_more_and_keeps_the_best() {
    let (table, labels) = data(6_000, 4);
    let rows = all(&table);
    let settings = Settings {
        trees_max: 500,
        learning_rate: 0.3,
        leaves_max: 31,
        patience: 10,
        ..settings()
    };
    let mut losses = Vec::new();
    let split = rows.split_at(4_000);
    let model = train(&table, &labels, split, &settings, |round| {
        losses.push(round.loss.unwrap());
    });
    let best = losses
        .iter()
        .enumerate()
        .min_by(|one, other| one.1.total_cmp(other.1))
        .unwrap();
    let model = model.unwrap();
    assert_eq!(model.size().0, best.0 + 1);
    assert_eq!(losses.len(), best.0 + 11);
    // The loss that was reported is that of the model.
    let loss: f64 = split
        .1
        .iter()
        .map(|row| {
            let chance = model.probability(table.row(*row as usize)).unwrap();
            -(if labels[*row as usize] {
                chance
            } else {
                1.0 - chance
            })
            .ln()
        })
        .sum::<f64>()
        / 2_000.0;
    assert!((loss - best.1).abs() < 1e-9, "{loss} {}", best.1);
}

#[test]
fn scores_while_training_are_those_of_the_model() {
    let (table, labels) = data(5_000, 5);
    let rows = all(&table);
    let settings = Settings {
        row_share: 0.5,
        feature_share: 0.5,
        trees_max: 20,
        ..settings()
    };
    let mut boost = Boost::new(&table, &labels, (&rows, &[]), &settings).unwrap();
    (0..20).for_each(|_| boost.round());
    let scores = boost.scores.clone();
    let model = trained(&table, &labels, &settings);
    for (row, score) in table.rows().zip(scores) {
        assert!((model.raw(row).unwrap() - score).abs() < 1e-12);
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let (table, labels) = data(100, 6);
    let rows = all(&table);
    let said = |labels: &[bool], rows: &[u32], settings: &Settings| {
        train(&table, labels, (rows, &[]), settings, |_| {})
            .unwrap_err()
            .to_string()
    };
    let fine = settings();
    let one_kind = "cannot train: all rows to learn from are of one kind";
    assert_eq!(said(&[true; 100], &rows, &fine), one_kind);
    assert_eq!(said(&labels, &[], &fine), one_kind);
    assert_eq!(
        said(&labels[1..], &rows, &fine),
        "cannot train: there is not one label for each row"
    );
    assert_eq!(
        said(&labels, &[100], &fine),
        "cannot train: a row is not in the table"
    );
    let wrong = Settings {
        learning_rate: f64::NAN,
        ..fine.clone()
    };
    assert_eq!(
        said(&labels, &rows, &wrong),
        "learning_rate: outside its range"
    );
    let unknown = Settings {
        rising: vec!["age".into(), "agee".into()],
        ..fine.clone()
    };
    assert_eq!(
        said(&labels, &rows, &unknown),
        "agee: no such feature to hold to a direction"
    );
    let both = Settings {
        rising: vec!["age".into()],
        falling: vec!["age".into()],
        ..fine
    };
    assert_eq!(
        said(&labels, &rows, &both),
        "age: it cannot both rise and fall"
    );
    let mut table = Table::new(vec!["x".into()]).unwrap();
    assert!(table.push(&[f64::INFINITY]).is_err() && table.push(&[1.0, 2.0]).is_err());
}
