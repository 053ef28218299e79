//! `paywarden train`, `evaluate` and `model` over a small made-up file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use serde_json::Value;
use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Output},
};

const DAYS: u64 = 70;
const PER_DAY: u64 = 120;

/// The columns of the Handbook. From day 25 on every tenth terminal is compromised for a week in
/// turn: all its payments are fraud; large amounts are, too.
fn file(path: &Path) {
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

fn paywarden(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_paywarden"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn figure(output: &Output, name: &str) -> f64 {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let figures = report["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.unwrap()["value"].as_f64().unwrap()
}

#[test]
fn a_model_is_trained_judged_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let train = |out: &str| {
        let flags = [
            "train",
            "--data",
            "a.csv",
            "--delay",
            "1d",
            "--warm-up-days",
            "10",
        ];
        let rest = [
            "--trees",
            "30",
            "--out",
            out,
            "--calibration",
            "c.json",
            "--matrix",
            "m.npy",
            "--json",
        ];
        paywarden(folder, &[&flags[..], &rest].concat())
    };
    let trained = train("one.pwm");
    assert!((1.0..=30.0).contains(&figure(&trained, "trees")));
    train("two.pwm");
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(
        bytes("one.pwm") == bytes("two.pwm"),
        "the same file trains the same model"
    );
    let matrix = bytes("m.npy");
    assert!(matrix.starts_with(b"\x93NUMPY\x02\x00"));
    let header = 12 + u32::from_le_bytes(matrix[8..12].try_into().unwrap()) as usize;
    let record = "8399".len() + 8 + 8 + 1 + 8 * figure(&trained, "features") as usize;
    assert_eq!(header % 64, 0);
    assert_eq!(matrix.len(), header + (DAYS * PER_DAY) as usize * record);
    let map = paywarden_models::Calibration::read(&bytes("c.json")).unwrap();
    assert!(map.chance(5.0) > map.chance(-9.0));
    let shown = paywarden(folder, &["model", "show", "one.pwm", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let names = shown["features"].as_array().unwrap();
    assert!(
        names
            .iter()
            .any(|name| name == "terminal.fraud_share(1d..2d)")
    );
}

#[test]
fn later_payments_are_judged_by_what_was_known_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let evaluate = |more: &[&str]| {
        let flags = [
            "evaluate",
            "--data",
            "a.csv",
            "--delay",
            "1d",
            "--warm-up-days",
            "10",
        ];
        let rest = [
            "--trees",
            "30",
            "--test-from",
            "2018-05-31",
            "--json",
            "--protocol",
        ];
        paywarden(folder, &[&flags[..], &rest, more].concat())
    };
    let split = evaluate(&["timesplit"]);
    let (base, found) = (
        figure(&split, "frauds") / figure(&split, "scored"),
        figure(&split, "ap"),
    );
    assert!(found > 3.0 * base, "AP {found} where {base} are fraud");
    assert!(figure(&split, "ap_low") <= found && found <= figure(&split, "ap_high"));
    let closed = evaluate(&["timesplit", "--reports", "0.5", "--alerts", "0.05"]);
    assert!(figure(&closed, "loop_alert_rate") > 0.01);
    let handbook = evaluate(&["handbook"]);
    let [found, most] =
        ["", "_ceiling"].map(|end| figure(&handbook, &format!("card_precision_100{end}")));
    assert!(0.0 < found && found <= most);
    assert!(figure(&handbook, "scored") < figure(&split, "scored"));
}

#[test]
fn a_model_is_compared_with_the_scores_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(&folder.join("a.csv"));
    let text = fs::read_to_string(folder.join("a.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect())
        .collect();
    let judged = |line: &dyn Fn(&str, &str) -> String| {
        let lines = rows.iter().map(|row| line(row[0], row[5]) + "\n");
        let scores = format!("payment,score\n{}", lines.collect::<String>());
        fs::write(folder.join("scores.csv"), scores).unwrap();
        let flags = "evaluate --data a.csv --delay 1d --warm-up-days 10 --trees 30 --protocol \
                     timesplit --test-from 2018-05-31 --against scores.csv --json";
        paywarden(folder, &flags.split_whitespace().collect::<Vec<_>>())
    };
    let truth = judged(&|id, fraud| format!("{id},{fraud}"));
    assert!((figure(&truth, "ap_of_other") - 1.0).abs() < 1e-9);
    let (gain, high) = (figure(&truth, "ap_gain"), figure(&truth, "ap_gain_high"));
    assert!((gain - (figure(&truth, "ap") - 1.0)).abs() < 1e-4);
    assert!(gain <= high && high < 0.0);
    let blind = judged(&|id, _| format!("{id},0.5"));
    assert!(figure(&blind, "ap_gain_low") > 0.0);
    let refused = |line: &dyn Fn(&str, &str) -> String, why: &str| {
        let output = judged(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && said.contains(why),
            "{said}"
        );
    };
    refused(
        &|id, _| format!("{id},NaN"),
        "the score of payment 0 is no number",
    );
    refused(
        &|id, _| format!("{id},0.5\n{id},0.5"),
        "payment 0 is scored twice",
    );
    let gap = |id: &str, _: &str| format!("{},0.5", if id == "8000" { "x" } else { id });
    refused(&gap, "payment 8000 has no score");
    refused(&|id, _| id.to_owned(), "scores.csv: ");
}

#[test]
fn what_cannot_be_trained_on_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("a.csv");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        let output = paywarden(folder, &["train", "--data", "a.csv", "--out", "m"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!folder.join("m").exists());
        String::from_utf8(output.stderr)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let header = "tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n";
    let row = |time: &str| format!("1,2018-04-{time}T00:00:00Z,1,1,1.00,0,0\n");
    assert_eq!(refused(header), "error: the file has no rows");
    let turned = refused(&format!("{header}{}{}", row("02"), row("01")));
    assert_eq!(turned, "error: line 3: it lies before the row above");
    let broken = refused(&format!("{header}{}", row("32")));
    assert!(broken.starts_with("error: line 2: "), "{broken}");
    let genuine = refused(&format!("{header}{}{}", row("01"), row("02")));
    assert_eq!(
        genuine,
        "error: cannot train: all rows to learn from are of one kind"
    );
}
