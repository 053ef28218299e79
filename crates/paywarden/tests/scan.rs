//! The scan of files and folders: what it reads, what it says of the rest, and how it ends.

#![cfg(test)]

mod common;

use paywarden::{config::Config, wiring::Ground};
use paywarden_domain::TenantId;
use paywarden_privacy::{By, Item, Plain, Retention, token::Form};
use paywarden_store::Actor;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// A number of a range for tests that nobody publishes.
const PAN: &str = "4111112014267661";
const RESIDENT: &str = "11010519491231002X";

fn paywarden(arguments: &[&str]) -> Output {
    common::paywarden(&std::env::temp_dir(), arguments)
}

fn scan(arguments: &[&str]) -> (i32, Value) {
    let output = paywarden(&[&["scan", "--json"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), report)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

fn no_number(output: &Output) {
    for stream in [&output.stdout, &output.stderr] {
        let stream = String::from_utf8_lossy(stream);
        assert!(!stream.contains(PAN), "a number was shown");
    }
}

/// Writes a file of every kind; the socket lives as long as what is returned.
fn fill(folder: &Path) -> UnixListener {
    let at = |name: &str| folder.join(name);
    let line = format!("one\ncard {PAN}\n");
    write(&at("plain.log"), &line);
    fs::create_dir_all(at("deep/er")).unwrap();
    write(&at("deep/er/binary.bin"), &format!("\0\u{1}\0{PAN}\0"));
    write(&at("nothing.txt"), "2026-11-26 06:14:36.123456 nothing\n");
    write(&at(&format!("{PAN}.txt")), "a number in the name\n");
    fs::create_dir(at("left_out")).unwrap();
    write(&at("left_out/ids.txt"), RESIDENT);
    let mut packed = flate2::write::GzEncoder::new(
        File::create(at("a.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    packed.write_all(line.as_bytes()).unwrap();
    packed.finish().unwrap();
    fs::write(
        at("b.log.zst"),
        zstd::encode_all(line.as_bytes(), 1).unwrap(),
    )
    .unwrap();
    fs::write(at("broken.gz"), [0x1f, 0x8b, 8, 0, 1]).unwrap();
    symlink("/", at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    UnixListener::bind(at("socket")).unwrap()
}

#[test]
fn every_kind_of_file_is_gone_through_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = fill(folder.path());
    let path = folder.path().to_str().unwrap();
    let (code, report) = scan(&[path, "--skip", "left_out"]);
    assert_eq!(code, 1);
    assert_eq!(
        (&report["links_not_followed"], &report["special_files"]),
        (&2.into(), &1.into())
    );
    let findings = report["findings"].as_array().unwrap();
    let places: Vec<_> = findings
        .iter()
        .map(|found| {
            let file = found["file"].as_str().unwrap().rsplit('/').next().unwrap();
            let within = found["within"].as_str().unwrap();
            (
                file,
                within,
                found["line"].as_u64().unwrap(),
                found["offset"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("41111120••••7661.txt", "name", 1, 0),
        ("a.gz", "gzip", 2, 9),
        ("b.log.zst", "zstd", 2, 9),
        ("binary.bin", "bytes", 1, 3),
        ("plain.log", "bytes", 2, 9),
    ];
    assert_eq!(places, expected);
    assert!(
        findings
            .iter()
            .all(|found| found["masked"] == "41111120••••7661")
    );
    let unread = report["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0]["file"].as_str().unwrap().ends_with("broken.gz"));
    no_number(&paywarden(&["scan", path]));
    no_number(&paywarden(&["scan", "--json", path]));
}

#[test]
fn it_ends_by_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let file = folder.path().join("file");
    assert_eq!(scan(&[path]).0, 0);
    write(&file, "card 4012888888881881\n");
    let (code, report) = scan(&[path]);
    assert_eq!(
        (code, &report["counts"]["test_card_number"]["possible"]),
        (0, &1.into())
    );
    assert_eq!(scan(&[path, "--least", "possible"]).0, 1);
    write(&file, &format!("order_no={PAN}\n"));
    assert_eq!(scan(&[path, "--least", "possible"]).0, 0);
    assert_eq!(scan(&[path, "--least", "doubtful"]).0, 1);
    fs::write(&file, [0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff]).unwrap();
    assert_eq!(scan(&[path]).0, 3);
    assert_eq!(scan(&["/nowhere/at/all"]).0, 3);
    assert_eq!(paywarden(&["scan"]).status.code(), Some(2));
}

#[test]
fn a_file_that_changes_is_named_and_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.log");
    write(
        &path,
        &format!("card {PAN}\n{}", "nothing to see\n".repeat(1_000_000)),
    );
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                file.write_all(b"and more\n").unwrap();
                thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let (code, report) = scan(&[path.to_str().unwrap()]);
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(code, 1);
        let changed = report["changed"].as_array().unwrap();
        assert_eq!(changed.len(), 1, "{changed:?}");
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn the_vault_decides_what_is_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("export.csv");
    write(
        &file,
        &format!("order_no={PAN}\norder_no=4111112014267679\n"),
    );
    let [data, file] = [&data, &file].map(|path| path.to_str().unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(keep(data));
    let asked = [
        "--vault",
        "acme",
        "--data-dir",
        data,
        "--least",
        "certain",
        file,
    ];
    let (code, report) = scan(&asked);
    let findings = report["findings"].as_array().unwrap();
    let lines: Vec<_> = findings
        .iter()
        .map(|found| found["line"].as_u64())
        .collect();
    assert_eq!((code, lines), (1, vec![Some(1)]), "{report}");
    let (code, _) = scan(&[
        "--vault",
        "another",
        "--data-dir",
        data,
        "--least",
        "certain",
        file,
    ]);
    assert_eq!(code, 0);
    let verified = paywarden(&["verify", "--data-dir", data]);
    assert!(verified.status.success());
}

/// Keeps the number in the vault of a data folder.
async fn keep(data_dir: &str) {
    let config = Config {
        data_dir: data_dir.into(),
        ..Config::default()
    };
    let ground = Ground::open(&config).await.unwrap();
    let acme = TenantId::parse("acme").unwrap();
    let by = By::new(acme, Actor::System("operator"), "settlement");
    let item = Item {
        subject: "customer-1".to_owned(),
        class: "card_number".to_owned(),
        value: Plain::from(PAN.to_owned()),
        details: None,
        retention: Retention::Contract,
        form: Form::Opaque,
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    };
    ground.vault.tokenize(&by, &[item]).await.unwrap();
    ground.close().await;
}
