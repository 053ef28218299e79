//! Hostile files: cut anywhere, changed anywhere, too large, of the wrong kind.

use super::*;
use crate::random::Random;
use std::{fs, path::Path};

fn names() -> Vec<String> {
    ["amount", "hour", "age_days", "ratio", "country", "count_1h"]
        .map(str::to_owned)
        .to_vec()
}

fn vector(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name),
    )
    .unwrap()
}

fn files() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = [
        "lightgbm_categories/model.txt",
        "xgboost_categories/model.json",
        "xgboost_dart/model.json",
        "onnx_forest/model.onnx",
    ]
    .map(vector)
    .to_vec();
    let model = read(&files[0], None).unwrap();
    files.push(native::write(&model).unwrap());
    files
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for file in files() {
        let end = file.trim_ascii_end().len();
        // What follows the trees is not read: LightGBM's notes on training, ONNX's versions.
        let end = [&b"end of trees"[..], b"\x42\x0e\x0a\x0aai.onnx.ml"]
            .iter()
            .filter_map(|word| rfind(&file, word))
            .fold(end, usize::min);
        for cut in (0..end).step_by(7).chain(end.saturating_sub(30)..end) {
            let refused = read(&file[..cut], Some(&names()));
            assert!(refused.is_err(), "{cut} of {end} bytes were taken");
        }
    }
}

fn rfind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|part| part == word)
}

/// Whatever is changed, what is still taken can be walked and explained.
#[test]
fn a_file_changed_anywhere_is_refused_or_walks() {
    let mut random = Random::new(3);
    for file in files() {
        for _ in 0..1_000 {
            let mut file = file.clone();
            for _ in 0..=random.below(3) {
                let place = random.below(file.len());
                file[place] = match random.below(3) {
                    0 => random.draw() as u8,
                    1 => b"0123456789-.eN"[random.below(14)],
                    _ => file[place] ^ 1 << random.below(8),
                };
            }
            if let Ok(model) = read(&file, Some(&names())) {
                let row = [1e9, -1.0, f64::NAN, 0.0, 7.0, f64::INFINITY];
                model.explain(&row, &mut [0.0; 6]).unwrap();
                model.shapley(&row, &mut [0.0; 6]).unwrap();
            }
        }
    }
}

#[test]
fn what_is_larger_than_the_limit_is_refused_before_it_is_read() {
    let file = vec![b' '; limits::BYTES_MAX + 1];
    let said = read(&file, None).unwrap_err().to_string();
    assert_eq!(said, "the file in bytes is 268435457, at most 268435456");
}

#[test]
fn clear_words_for_what_is_not_read() {
    let text = String::from_utf8(vector("lightgbm_missing/model.txt")).unwrap();
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        read(text.replacen(from, to, 1).as_bytes(), None)
            .unwrap_err()
            .to_string()
    };
    let expected = [
        (
            ("num_class=1", "num_class=3"),
            "not supported: more than one output",
        ),
        (
            ("version=v4", "version=v9"),
            "not supported: LightGBM model v9",
        ),
        (
            ("is_linear=0", "is_linear=1"),
            "not supported: linear trees",
        ),
        (
            ("objective=binary", "objective=lambdarank"),
            "not supported: objective lambdarank",
        ),
        (
            ("max_feature_idx=5", "max_feature_idx=7"),
            "header, feature_names: not as many as max_feature_idx says",
        ),
        (
            ("threshold=", "threshold=nan "),
            "tree 0, threshold: 7 numbers, not 6",
        ),
        (
            ("left_child=", "left_child=0 "),
            "tree 0, left_child: 7 numbers, not 6",
        ),
        (
            ("feature_names=amount hour", "feature_names=amount amount"),
            "features: a name is empty or given twice",
        ),
    ];
    for ((from, to), words) in expected {
        assert_eq!(said(from, to), words);
    }
}

#[test]
fn names_are_asked_for_and_held_to() {
    let text = vector("lightgbm_missing/model.txt");
    let onnx = vector("onnx_forest/model.onnx");
    assert!(matches!(read(&onnx, None), Err(Error::Nameless(6))));
    let few = read(&onnx, Some(&names()[..2])).unwrap_err().to_string();
    assert_eq!(few, "a row has 2 values, the model reads 6");
    let mut swapped = names();
    swapped.swap(0, 1);
    let other = read(&text, Some(&swapped)).unwrap_err().to_string();
    assert_eq!(other, "feature 0 of the model is amount, but hour is given");
    let nothing = read(b"PK\x03\x04", None).unwrap_err().to_string();
    assert_eq!(nothing, "file: no model format begins like this");
    let deep = [b"{\"other\":".as_slice(), &[b'['; 100_000]].concat();
    assert!(read(&deep, None).is_err());
}

#[test]
fn scorecards_give_the_points_of_each_bin() {
    let card = |bins: &str| {
        let text =
            format!(r#"{{"intercept": -1, "characteristics": [{{"feature": "x", {bins}}}]}}"#);
        read(text.as_bytes(), None)
    };
    let model = card(
        r#""missing": {"points": 9}, "bins": [{"to": 0, "points": 1}, {"to": 5, "points": 2}, {"points": 3}]"#,
    );
    let model = model.unwrap();
    let points = [-1.0, 0.0, 0.1, 5.0, 6.0, f64::NAN].map(|x| model.raw(&[x]).unwrap() + 1.0);
    assert_eq!(format!("{points:?}"), "[1.0, 1.0, 2.0, 2.0, 3.0, 9.0]");
    let without = card(r#""bins": [{"to": 0, "points": 1}, {"points": 3}]"#).unwrap();
    assert_eq!(without.raw(&[f64::NAN]), Ok(0.0));
    for (bins, words) in [
        (r#""bins": []"#, "x: it has no bins"),
        (
            r#""bins": [{"to": 1, "points": 1}]"#,
            "x: all bins but the last have an upper bound, and only they",
        ),
        (
            r#""bins": [{"to": 1, "points": 1}, {"to": 1, "points": 1}, {"points": 2}]"#,
            "x: the bounds do not ascend",
        ),
    ] {
        assert_eq!(card(bins).unwrap_err().to_string(), words);
    }
}
