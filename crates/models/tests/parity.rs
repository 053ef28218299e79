//! Models of other libraries say what those libraries said: raw scores by their bits.
//!
//! The vectors were made by `tests/outside/models.py --golden` with LightGBM, XGBoost and ONNX
//! Runtime of the versions in `tests/outside/requirements.txt`, from rows made up there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use paywarden_models::{Ensemble, import};
use std::{fs, path::Path};

/// A table of numbers with its header; an empty field is `NaN`.
fn table(path: &Path) -> (Vec<String>, Vec<Vec<f64>>) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header = lines
        .next()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect();
    let number = |field: &str| {
        if field.is_empty() {
            f64::NAN
        } else {
            field.parse().unwrap()
        }
    };
    let rows = lines
        .map(|line| line.split(',').map(number).collect())
        .collect();
    (header, rows)
}

fn check(case: &Path) {
    let name = case.file_name().unwrap().to_str().unwrap();
    let (features, rows) = table(&case.join("rows.csv"));
    let (columns, expected) = table(&case.join("expected.csv"));
    let file = ["txt", "json", "onnx"].map(|end| case.join(format!("model.{end}")));
    let bytes = fs::read(file.iter().find(|file| file.exists()).unwrap()).unwrap();
    let model =
        import::read(&bytes, Some(&features)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let again = import::native::read(&import::native::write(&model).unwrap()).unwrap();
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        let raw = model.raw(row).unwrap();
        let mut reasons = vec![0.0; features.len()];
        assert_eq!(
            model.explain(row, &mut reasons).unwrap().to_bits(),
            raw.to_bits(),
            "{name}"
        );
        assert_eq!(again.raw(row).unwrap().to_bits(), raw.to_bits(), "{name}");
        for (column, expected) in columns.iter().zip(expected) {
            match column.as_str() {
                "raw" => assert!(
                    (raw - expected).abs() == 0.0,
                    "{name} {row:?}: {raw:?} {expected:?}"
                ),
                "probability" => near(name, model.link().probability(raw), *expected, 1e-6),
                feature => {
                    let place = features.iter().position(|name| name == feature).unwrap();
                    let tolerance = if name.starts_with("lightgbm") {
                        1e-9
                    } else {
                        1e-4
                    };
                    near(name, shapley(&model, row)[place], *expected, tolerance);
                }
            }
        }
    }
}

fn shapley(model: &Ensemble, row: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; row.len()];
    model.shapley(row, &mut values).unwrap();
    values
}

fn near(name: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() < tolerance,
        "{name}: {found:?} {expected:?}"
    );
}

#[test]
fn every_library_is_answered_bit_for_bit() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let cases: Vec<_> = fs::read_dir(data)
        .unwrap()
        .map(|case| case.unwrap().path())
        .collect();
    assert_eq!(cases.len(), 17);
    cases.iter().for_each(|case| check(case));
}
