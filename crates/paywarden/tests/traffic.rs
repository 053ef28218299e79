//! Commands that send traffic: they work, their figures have their names, and more connections
//! change nothing but the speed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::{figure, outside_data, paywarden, printed, report};
use std::path::Path;

/// Figures that `demo`, `replay` and `loadgen` all have.
const SHARED: [&str; 9] = [
    "decisions",
    "decisions_per_second",
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_p999_ms",
    "alert_rate",
    "recall",
    "precision",
    "fraud_amount_stopped_ratio",
];

#[test]
fn a_demonstration_decides_everything() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(
        folder.path(),
        &["demo", "--exit", "--json", "--events", "2000"],
    );
    assert_eq!(
        (&report["command"], &report["version"]),
        (&"demo".into(), &env!("CARGO_PKG_VERSION").into())
    );
    let names: Vec<&str> = report["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["name"].as_str().unwrap())
        .collect();
    assert!(SHARED.iter().all(|name| names.contains(name)));
    insta::assert_json_snapshot!("figures_of_demo", names);
    assert!((figure(&report, "decisions") - 2000.0).abs() < 0.5);
    assert!(figure(&report, "recall") > 0.0 && figure(&report, "alert_rate") < 0.2);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_demonstration_of_laundering_says_what_so_many_alerts_find() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(
        folder.path(),
        &["demo", "--laundering", "--json", "--events", "3000"],
    );
    assert!((figure(&report, "decisions") - 3000.0).abs() < 0.5);
    assert!(figure(&report, "fraud_payments") > 0.0);
    for (rate, most) in [(5, 15.0), (10, 30.0), (20, 60.0)] {
        let value = |name: &str| figure(&report, &format!("{name}_at_{rate}_per_1000"));
        assert!(value("alerts") <= most);
        assert!((0.0..=1.0).contains(&value("found_all")));
        assert!(value("alerts_drawn_among_ties") <= value("ties"));
    }
}

#[test]
fn a_replay_is_the_same_over_any_number_of_connections() {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/payments.csv");
    let file = file.to_str().unwrap();
    let replay = |connections: &str| {
        let arguments = [
            "replay",
            file,
            "--mapping",
            "handbook",
            "--json",
            "--connections",
            connections,
        ];
        let report = report(folder.path(), &arguments);
        let mut figures = report["figures"].as_array().unwrap().clone();
        figures.retain(|figure| {
            let name = figure["name"].as_str().unwrap();
            !name.starts_with("latency") && name != "decisions_per_second"
        });
        figures
    };
    let one = replay("1");
    assert_eq!(one, replay("16"));
    let value = |name: &str| {
        one.iter().find(|figure| figure["name"] == name).unwrap()["value"]
            .as_f64()
            .unwrap() as u64
    };
    let rows = std::fs::read_to_string(file).unwrap().lines().count() as u64 - 1;
    assert_eq!(value("rows_bad"), 2);
    assert_eq!(value("decisions") + value("rows_bad"), rows);
    assert!(value("labels") > 0 && value("labels") < value("fraud_payments"));
}

#[test]
fn a_replay_says_which_rows_are_bad_and_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/payments.csv");
    let text = printed(
        folder.path(),
        &[
            "replay",
            file.to_str().unwrap(),
            "--mapping",
            "handbook",
            "--limit",
            "250",
        ],
    );
    assert!(
        text.contains("no verdict    2 rows: unreadable 2"),
        "{text}"
    );
    assert!(text.contains("line 102: 3 columns instead of 7"), "{text}");
    assert!(text.contains("line 202: amount_decimals"), "{text}");
}

#[test]
fn outside_files_replay_too() {
    let Some(data) = outside_data("fraud") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for mapping in ["handbook", "sparkov"] {
        let file = data.join(format!("{mapping}.csv.zst"));
        let file = file.to_str().unwrap();
        let arguments = [
            "replay",
            file,
            "--mapping",
            mapping,
            "--json",
            "--limit",
            "1500",
        ];
        let report = report(folder.path(), &arguments);
        assert!(
            (figure(&report, "decisions") - 1500.0).abs() < 0.5,
            "{mapping}: {report}"
        );
    }
}

#[test]
fn load_on_a_schedule_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--rate", "50"][..], &["--rate", "50", "--http2"]] {
        let all = [
            &["loadgen", "--json", "--seconds", "4", "--connections", "8"],
            arguments,
        ];
        let report = report(folder.path(), &all.concat());
        let names: Vec<_> = report["figures"].as_array().unwrap().iter().collect();
        assert!(
            SHARED
                .iter()
                .all(|name| names.iter().any(|figure| figure["name"] == *name))
        );
        assert!(
            (figure(&report, "decisions") - 200.0).abs() < 0.5,
            "{report}"
        );
        for name in [
            "decisions_lost",
            "decisions_changed",
            "decisions_unheard",
            "replies_not_verified",
        ] {
            assert!(figure(&report, name).abs() < 0.5, "{name}: {report}");
        }
        assert!(figure(&report, "replies_verified") > 0.5);
    }
}

#[test]
fn the_cost_of_each_way_to_sign_is_measured_on_equal_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(
        folder.path(),
        &["bench", "edge", "--json", "--requests", "1000"],
    );
    let figures = report["figures"].as_array().unwrap();
    let names: Vec<_> = figures
        .iter()
        .map(|figure| figure["name"].clone())
        .collect();
    insta::assert_json_snapshot!("figures_of_bench_edge", names);
    assert!(
        figures[1..]
            .iter()
            .all(|figure| figure["anchor"] == figures[0]["value"])
    );
}

#[test]
fn pages_show_what_looking_at_every_decision_finds() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "console",
        "--json",
        "--decisions",
        "1000",
        "--rounds",
        "10",
    ];
    // A page that is slow here does not fail: the machine is shared, the program not optimised.
    let output = paywarden(folder.path(), &arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {told}"));
    assert!(figure(&report, "decisions") > 999.0);
    for page in ["decisions", "decisions_terms_none", "overview", "entity"] {
        assert!(figure(&report, &format!("{page}_p99_ms")) > 0.0);
    }
}

#[test]
fn what_cannot_be_sent_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let said: String = [
        &["replay", "none.csv", "--mapping", "handbook"][..],
        &["replay", "none.csv", "--mapping", "none"],
        &["loadgen", "--rate", "100000", "--seconds", "100"],
        &[
            "loadgen",
            "--url",
            "https://192.0.2.1",
            "--key",
            "none.pem",
            "--ca",
            "none.pem",
        ],
        &["demo", "--exit", "--data-dir", "."],
    ]
    .map(|arguments| {
        let output = paywarden(folder.path(), arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        format!(
            "$ {}\n{stderr}exit code {}\n\n",
            arguments.join(" "),
            output.status.code().unwrap()
        )
    })
    .concat();
    insta::assert_snapshot!("refusals", said);
}
