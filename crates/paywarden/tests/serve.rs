//! `serve` from its first line to its last: it starts, answers, and stops in order when told to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod common;

use common::binary;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

#[test]
fn a_signal_stops_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "--set",
        "listen=127.0.0.1:0",
        "--set",
        "log=info",
        "--set",
        "log_json=true",
    ];
    let mut server = Command::new(binary())
        .current_dir(folder.path())
        .arg("serve")
        .args(settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let said: Vec<String> = (&mut lines).take(5).map(Result::unwrap).collect();
    assert!(
        said[0].contains("listens on https://127.0.0.1:"),
        "{said:?}"
    );
    let curl = Command::new("curl")
        .args(["-sS", "--cacert", "data/tls/ca.pem"])
        .arg(format!("{}/healthz", said[0].rsplit(' ').next().unwrap()))
        .current_dir(folder.path())
        .status();
    assert!(curl.unwrap().success());
    let kill = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let mut notes = String::new();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut notes)
        .unwrap();
    assert!(server.wait().unwrap().success(), "{notes}");
    assert!(notes.contains("stopping: finishing requests"), "{notes}");
    let data = folder.path().join("data");
    assert!(data.join("windows.snapshot").exists());
    assert!(!data.join("admin.sock").exists());
}

#[test]
fn what_keeps_it_from_starting_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("open.yaml"), "pack: [").unwrap();
    let said: String = [
        &["--set", "listen=192.0.2.1:1"][..],
        &["--set", "rules_dir=none"],
        &["--set", "rules_dir=."],
        &["--set", "rates={ EUR = \"much\" }"],
        &["--set", "log=a=b=c"],
        &["--set", "database_url=mysql://x/y"],
        &[
            "--set",
            "tls_certificate=open.yaml",
            "--set",
            "tls_key=open.yaml",
        ],
        &["--config", "none.toml"],
    ]
    .map(|arguments| {
        let output = Command::new(binary())
            .current_dir(folder.path())
            .arg("serve")
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap();
        format!(
            "$ serve {}\n{stderr}exit code {code}\n\n",
            arguments.join(" ")
        )
    })
    .concat();
    insta::assert_snapshot!("refusals", said);
}
